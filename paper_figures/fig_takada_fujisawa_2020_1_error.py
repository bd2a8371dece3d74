"""Takada and Fujisawa (2020): squared error and its bound, by each way to the GRE constant.

Fixed designs; markers are the 95 % quantiles of simulated errors, lines the bound that holds with
probability 0.95. Above six columns, with the exact constant and sources at several distances;
below the ways to the constant: exact by enumeration (10 columns), a semidefinite program, and the
smallest eigenvalue, which gives no bound left of the dotted line, where there are more columns than
rows. Settings are ours: those of the paper were not available.
"""

import numpy as np

from tlstat.plotting import COLOURS, figure, style

FILE = "../simulations/sim_transfer_lasso_error.py"
STUDIES = {"bound": f"{FILE}::bound", "routes": f"{FILE}::routes"}
DRIFTS = {0.0: ("0", "o"), 0.2: ("0.2", "s"), 2.0: ("2", "^")}
ROUTES = {
    "smallest eigenvalue": (COLOURS[2], "-", "s"),
    "semidefinite": (COLOURS[1], "-", "o"),
    "enumeration": (COLOURS[0], (0, (4, 4)), None),
}


def ordered(samples):
    """Samples by their number of rows, with these numbers."""
    samples = sorted(samples, key=lambda s: s.cell["n"])
    return np.array([s.cell["n"] for s in samples]), samples


def quantiles(samples):
    return np.array([np.quantile(s.values, 0.95) for s in samples])


def drifts(ax, results, alpha):
    """Error and bound at each distance of the source."""
    for (drift, (label, marker)), colour in zip(DRIFTS.items(), COLOURS, strict=False):
        if alpha == 1 and drift > 0:
            continue  # no source, no drift
        n, samples = ordered(results.samples("error", {"alpha": alpha, "drift": drift}))
        ax.plot(n, quantiles(samples), marker, color=colour, ms=5, label=f"$|\\Delta|_1={label}$")
        n, limits = ordered(results.samples("limit", {"alpha": alpha, "drift": drift}))
        ax.plot(n, [s.values[0] for s in limits], color=colour, lw=1.2)
    which = ", the lasso" if alpha == 1 else ""
    ax.set(title=f"$p=6$, $\\alpha={alpha:g}${which}")


def routes(ax, results, p):
    """The bound by each way to its constant, over the error."""
    for route, (colour, dashes, marker) in ROUTES.items():
        n, limits = ordered(results.samples("limit", {"p": p, "route": route}))
        if len(n):
            values = [s.values[0] for s in limits]
            ax.plot(n, values, marker=marker, ls=dashes, color=colour, ms=3.5, lw=1.4, label=route)
    n, samples = ordered(results.samples("error", {"p": p, "route": "semidefinite"}))
    ax.plot(n, quantiles(samples), "kD", ms=4.5, label="simulated error")
    ax.axvline(p, color="0.5", ls=":", lw=1)
    ax.set(title=f"$p={p}$, $\\alpha=0.75$, $|\\Delta|_1=0.2$", xlabel="rows $n$")


@style()
def draw(results):
    """Above the distances of the source, below the ways to the constant."""
    fig, axes = figure(8.0, 6.4, rows=2, columns=2, sharey="row")
    for ax, alpha in zip(axes[0], (0.5, 1.0), strict=True):
        drifts(ax, results["bound"], alpha)
    for ax, p in zip(axes[1], (10, 30), strict=True):
        routes(ax, results["routes"], p)
    for ax in axes.flat:
        ax.set(xscale="log", yscale="log")
    for row in axes:
        row[0].set(ylabel="$\\|b-\\beta\\|_2^2$")
    axes[0][0].legend(loc="lower left", frameon=False)
    axes[1][0].legend(loc="upper right", frameon=False)
    return fig
