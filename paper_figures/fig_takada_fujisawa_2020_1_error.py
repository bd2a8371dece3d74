"""Takada and Fujisawa (2020): squared error and its bound with the exact GRE constant.

Fixed designs of six columns; markers are the 95 % quantiles of simulated errors, lines the bound
that holds with probability 0.95. Settings are ours: those of the paper were not available.
"""

import numpy as np

from tlstat.plotting import COLOURS, figure, style

STUDIES = {"bound": "../simulations/sim_transfer_lasso_error.py::bound"}
DRIFTS = {0.0: ("0", "o"), 0.2: ("0.2", "s"), 2.0: ("2", "^")}


@style()
def draw(results):
    """A panel for each share of the lasso penalty."""
    verdict_cells = results["bound"]
    alphas = sorted({s.cell["alpha"] for s in verdict_cells.samples("error", {})})
    fig, axes = figure(8.0, 3.4, columns=len(alphas), sharex=True, sharey=True)
    for ax, alpha in zip(axes, alphas, strict=True):
        for (drift, (label, marker)), colour in zip(DRIFTS.items(), COLOURS, strict=False):
            if alpha == 1 and drift > 0:
                continue  # no source, no drift
            samples = verdict_cells.samples("error", {"alpha": alpha, "drift": drift})
            n = np.array([s.cell["n"] for s in samples])
            high = np.array([np.quantile(s.values, 0.95) for s in samples])
            ax.plot(n, high, marker, color=colour, ms=5, label=f"$|\\Delta|_1={label}$")
            limits = verdict_cells.samples("limit", {"alpha": alpha, "drift": drift})
            ax.plot(n, [s.values[0] for s in limits], color=colour, lw=1.2)
        which = ", the lasso" if alpha == 1 else ""
        ax.set(title=f"$\\alpha={alpha:g}${which}", xlabel="rows $n$")
    axes[0].set(xscale="log", yscale="log", ylabel="$\\|b-\\beta\\|_2^2$")
    axes[0].legend(loc="lower left", frameon=False)
    return fig
