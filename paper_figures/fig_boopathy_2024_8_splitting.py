"""Multilevel splitting on half-spaces, in units of its ideal standard deviation.

Each dot is an estimate of 8 groups of 100 particles with 10 moves a level; the exact bias is in
the labels. The band is two ideal standard deviations on each side: what independent particles
would give.
"""

import numpy as np

from tlstat.inductive_bias import theory
from tlstat.plotting import COLOURS, figure, style

STUDIES = {"splitting": "../simulations/sim_inductive_bias_splitting.py::half_spaces"}


@style()
def draw(results):
    """One panel, a row a cell."""
    fig, ax = figure(5.6, 2.6)
    samples = results["splitting"].samples("ideal")
    ax.axvspan(-2, 2, color="0.88", lw=0)
    ax.axvline(0, color="0.4", lw=1)
    labels = []
    for row, s in enumerate(samples):
        exact = theory.HALF_SPACE(d=s.cell["d"], eps=s.cell["eps"])
        labels.append(f"d = {s.cell['d']}, error {s.cell['eps']:g}: {exact:.2f} nats")
        heights = row + np.linspace(-0.18, 0.18, len(s.values))
        ax.plot(s.values, heights, "o", ms=3, color=COLOURS[0], alpha=0.6)
        ax.plot(np.mean(s.values), row, "|", ms=22, mew=1.8, color=COLOURS[1])
    ax.set_yticks(range(len(labels)), labels)
    ax.set(xlabel="(estimate - exact) / ideal standard deviation", ylim=(-0.5, len(labels) - 0.5))
    return fig
