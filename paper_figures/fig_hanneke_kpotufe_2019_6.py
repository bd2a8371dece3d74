"""Hanneke and Kpotufe (2019): a divergence bound beside the risk that it bounds.

Noise-free power thresholds, source ERM. Lines are exact risks, markers the bound of Ben-David et
al. (2010) in its population form, source risk plus half of the H-divergence: valid, and flat. With
the divergence estimated from 1000 unlabelled points of each kind it says less than a coin (dotted).
"""

import numpy as np

from tlstat.plotting import COLOURS, figure, style

SIMULATION = "../simulations/sim_minimax_discrepancy.py"
STUDIES = {name: f"{SIMULATION}::{name}" for name in ("powers", "estimated")}


@style()
def draw(results):
    """Risk and bound against n_P for three sources."""
    fig, ax = figure(6.4, 3.9)
    for colour, marker, gamma in zip(COLOURS, "osD", (0.5, 2.0, 3.0), strict=False):
        n, risk = curve(results["powers"], "risk", gamma)
        _, bound = curve(results["powers"], "bound", gamma)
        ax.plot(n, risk, color=colour, label=f"risk, $\\gamma = {gamma:g}$")
        ax.plot(
            n,
            bound,
            marker,
            color=colour,
            ls="--",
            ms=8 if gamma < 1 else 4,
            mfc="none" if gamma < 1 else colour,
            label=f"bound, $\\gamma = {gamma:g}$",
        )
    samples = results["estimated"].samples("bound", {"m": 1_000})
    level = samples[0].exact.value
    ax.axhline(level, color="0.35", ls=":", label="bound, 1000 unlabelled points")
    ax.axhline(0.5, color="0.75", lw=1, label="guessing")
    ax.set(
        xscale="log",
        yscale="log",
        ylim=(1e-12, 5),
        xlabel="$n_P$",
        ylabel="target excess risk",
    )
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return fig


def curve(results, metric, gamma):
    """Source sizes and exact values."""
    samples = results.samples(metric, {"gamma": gamma})
    values = np.array([s.exact.value for s in samples])
    return np.array([s.cell["n_P"] for s in samples]), values
