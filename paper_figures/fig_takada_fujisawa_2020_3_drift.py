"""Takada and Fujisawa (2020), section 4.1 in spirit: an abrupt drift of the target.

Excess prediction risk after each batch; halfway one coefficient changes its sign and another
appears. Means with intervals of two standard errors. Settings are ours: the paper's were not
available.
"""

import numpy as np

from tlstat.plotting import COLOURS, figure, style

STUDIES = {"abrupt": "../simulations/sim_transfer_lasso_drift.py::abrupt"}
LOOK = {
    "single": ("lasso, one batch", COLOURS[0], "o"),
    "all": ("lasso, all batches", COLOURS[1], "s"),
    "transfer": ("transfer lasso", COLOURS[2], "^"),
}


@style()
def draw(results):
    """Risk against the number of the batch."""
    fig, ax = figure(5.4, 3.4)
    for method, (label, colour, marker) in LOOK.items():
        curve(ax, results["abrupt"], "step", {"method": method}, label, colour, marker)
    ax.axvline(5.5, color="0.7", ls=":")
    ax.set(xlabel="batch", ylabel="excess prediction risk")
    ax.legend(frameon=False)
    return fig


def curve(ax, results, along, where, label, colour, marker):
    samples = sorted(results.samples("risk", where), key=lambda s: s.cell[along])
    x = [s.cell[along] for s in samples]
    mean = np.array([s.values.mean() for s in samples])
    error = np.array([s.values.std() / np.sqrt(len(s.values)) for s in samples])
    ax.errorbar(x, mean, 2 * error, color=colour, marker=marker, ms=4, lw=1.2, label=label)
