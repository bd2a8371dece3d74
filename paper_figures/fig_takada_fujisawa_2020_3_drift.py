"""Takada and Fujisawa (2020), section 4.1 in spirit: an abrupt drift of the target.

Excess prediction risk after each batch; halfway one coefficient changes its sign and another
appears. Means with intervals of two standard errors. Settings are ours: the paper's were not
available.
"""

import numpy as np

from tlstat.plotting import COLOURS, figure, style

STUDIES = {
    name: f"../simulations/sim_transfer_lasso_drift.py::{name}" for name in ("abrupt", "comparison")
}
LOOK = {
    "single": ("lasso, one batch", COLOURS[0], "o"),
    "all": ("lasso, all batches", COLOURS[1], "s"),
    "transfer": ("transfer lasso", COLOURS[2], "^"),
}
COMPARED = {
    "lasso": (COLOURS[0], "o"),
    "adaptive": (COLOURS[1], "s"),
    "transfer": (COLOURS[2], "^"),
    "adaptive transfer": (COLOURS[3], "D"),
    "source": ("0.5", "x"),
}


@style()
def draw(results):
    """Drift on the left, methods under shifts of the source on the right."""
    fig, axes = figure(10.0, 3.4, columns=4, width_ratios=[1.5, 1, 1, 1])
    for method, (label, colour, marker) in LOOK.items():
        curve(axes[0], results["abrupt"], "step", {"method": method}, label, colour, marker)
    axes[0].axvline(5.5, color="0.7", ls=":")
    axes[0].set(xlabel="batch", ylabel="excess prediction risk", title="abrupt drift (ours)")
    axes[0].legend(frameon=False)
    for ax, shift in zip(axes[1:], ("none", "one", "two"), strict=True):
        for method, (colour, marker) in COMPARED.items():
            where = {"method": method, "shift": shift}
            curve(ax, results["comparison"], "n", where, method, colour, marker)
        ax.set(xscale="log", yscale="log", ylim=(1.5e-3, 20), xlabel="rows $n$")
        ax.set_title(f"shift of the source: {shift}")
    axes[1].legend(frameon=False, fontsize=8, loc="upper right")
    return fig


def curve(ax, results, along, where, label, colour, marker):
    samples = sorted(results.samples("risk", where), key=lambda s: s.cell[along])
    x = [s.cell[along] for s in samples]
    mean = np.array([s.values.mean() for s in samples])
    error = np.array([s.values.std() / np.sqrt(len(s.values)) for s in samples])
    ax.errorbar(x, mean, 2 * error, color=colour, marker=marker, ms=4, lw=1.2, label=label)
