"""Takada and Fujisawa (2023), method comparison: excess risk under shifts of the source.

Twenty columns, noise 3, a source of 10,000 rows; penalties by ten folds. Means on a logarithmic
scale with intervals of two standard errors. Settings are those of the authors' scripts where they
say (see the study); their numbers are not shown here.
"""

import numpy as np

from tlstat.plotting import COLOURS, figure, style

STUDIES = {"methods": "../simulations/sim_transfer_lasso_methods.py::methods"}
LOOK = {
    "target": ("lasso, target", COLOURS[0], "o"),
    "pooled": ("lasso, pooled", COLOURS[1], "s"),
    "source": ("source", "0.5", "x"),
    "trans-lasso": ("Trans-Lasso", COLOURS[4], "v"),
    "transfer": ("transfer lasso", COLOURS[2], "^"),
    "adaptive transfer": ("adaptive transfer", COLOURS[3], "D"),
}
SHOWN = {"p": 20, "sigma": 3.0, "source": "large"}


@style()
def draw(results):
    """One panel a shift of the source."""
    fig, axes = figure(9.5, 3.6, columns=3, sharey=True)
    for ax, shift in zip(axes, ("none", "one", "two"), strict=True):
        for method, (label, colour, marker) in LOOK.items():
            where = {**SHOWN, "method": method, "shift": shift}
            samples = results["methods"].samples("log_risk", where)
            samples = sorted(samples, key=lambda s: s.cell["n"])
            mean = np.array([s.values.mean() for s in samples])
            error = np.array([s.values.std() / np.sqrt(len(s.values)) for s in samples])
            middle = np.exp(mean)
            bars = [middle - np.exp(mean - 2 * error), np.exp(mean + 2 * error) - middle]
            n = [s.cell["n"] for s in samples]
            ax.errorbar(n, middle, bars, color=colour, marker=marker, ms=4, lw=1.2, label=label)
        ax.set(xscale="log", yscale="log", xlabel="target rows $n$")
        ax.set_title("no shift" if shift == "none" else f"shift of {shift}")
    axes[0].set_ylabel("excess prediction risk")
    axes[2].legend(frameon=False, fontsize=8, loc="lower left")
    return fig
