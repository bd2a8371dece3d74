"""When does transfer hurt? Risk ratios over the drift of the source and n (settings are ours).

Ten coefficients of size one among a hundred, a source that is off by the same amount in each and in
five others, both methods at the universal level. Maps: exact risks with orthonormal columns over
``|Delta|_1`` and n; blue: the transfer lasso is better than the lasso; the line is break-even,
which falls as one over the root of n. Bottom: correlated columns, AR(0.5), simulated (intervals of
two standard errors), fewer and more rows than columns; dashed: where orthonormal columns break
even.
"""

import numpy as np
from matplotlib.colors import TwoSlopeNorm

from tlstat.plotting import COLOURS, figure, style

SIMULATION = "../simulations/sim_transfer_lasso_sign.py"
STUDIES = {name: f"{SIMULATION}::{name}" for name in ("sign", "afforded", "correlated")}
TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1, 1.1, 1.2]
TITLES = {-1: "source too low", 1: "source too high"}
L1 = r"$|\Delta|_1 = |b_0 - \beta|_1$"


@style()
def draw(results):
    """Rows: direction of the drift, correlated columns. Columns: share of the penalty on zero."""
    samples = results["sign"].samples("ratio", {})
    alphas = sorted({s.cell["alpha"] for s in samples})
    fig, axes = figure(9.0, 7.6, rows=3, columns=len(alphas))
    for row, direction in zip(axes, TITLES, strict=False):
        for ax, alpha in zip(row, alphas, strict=True):
            image = surface(ax, results, alpha, direction)
            ax.set_title(f"{TITLES[direction]}, $\\alpha={alpha:g}$")
            ax.set_xlabel("rows $n$")
    for ax, alpha in zip(axes[2], alphas, strict=True):
        curves(ax, results, alpha)
        ax.set(xscale="log", yscale="log", xlabel=L1, ylim=(0.005, 3))
        ax.set(yticks=[0.01, 0.1, 1], yticklabels=["0.01", "0.1", "1"])
        ax.set_title(f"AR(0.5), too low, $\\alpha={alpha:g}$")
    for ax in axes[:2, 0]:
        ax.set_ylabel(L1)
    axes[2, 0].set_ylabel("transfer lasso / lasso")
    axes[2, 2].legend(loc="lower left")
    label = "risk of transfer lasso / lasso"
    fig.colorbar(image, ax=axes[:2], label=label, shrink=0.8, ticks=TICKS)
    return fig


def surface(ax, results, alpha, direction):
    """The exact ratio over n and ``|Delta|_1``."""
    where = {"alpha": alpha, "direction": direction}
    here = [s for s in results["sign"].samples("ratio", where) if s.cell["delta"] > 0]
    n = sorted({s.cell["n"] for s in here})
    delta = sorted({s.cell["delta"] for s in here})
    value = {(s.cell["n"], s.cell["delta"]): s.exact.value for s in here}
    Z = np.array([[value[m, d] for m in n] for d in delta])
    norm = TwoSlopeNorm(1.0, 0.0, 1.2)
    image = ax.pcolormesh(n, delta, Z, cmap="RdBu_r", norm=norm, rasterized=True)
    if direction < 0:
        ax.plot(n, break_even(results, alpha, np.array(n)), "k", lw=1)
    ax.set(xscale="log", yscale="log", ylim=(delta[0], delta[-1]), xlim=(n[0], n[-1]))
    return image


def break_even(results, alpha, n):
    """``|Delta|_1`` at which orthonormal columns break even, at any n: as one over its root."""
    exact = results["afforded"].samples("delta", {"alpha": alpha})[0]
    return exact.exact.value * np.sqrt(exact.cell["n"] / n)


def curves(ax, results, alpha):
    """Mean errors over the lasso's, on the same samples, with correlated columns."""
    study = results["correlated"]
    for colour, n in zip(COLOURS, (80, 400), strict=False):
        points = []
        for s in study.samples("error", {"n": n, "alpha": alpha}):
            lasso = study.samples("error", {"n": n, "alpha": 1.0, "delta": s.cell["delta"]})[0]
            ratio = s.values.mean() / lasso.values.mean()
            residual = s.values - ratio * lasso.values
            error = residual.std() / np.sqrt(len(residual)) / lasso.values.mean()
            points.append((s.cell["delta"], ratio, 2 * error))
        delta, ratio, error = np.array(sorted(points)).T
        ax.errorbar(delta, ratio, error, color=colour, marker="o", ms=4, label=f"$n={n}$")
        ax.axvline(break_even(results, alpha, n), color=colour, ls="--", lw=1)
    ax.axhline(1, color="0.5", lw=1)
