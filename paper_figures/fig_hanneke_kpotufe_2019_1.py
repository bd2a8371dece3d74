"""Hanneke and Kpotufe (2019): five procedures over the plane of sample sizes.

The paper has no experiments; this is what its theorems say of one family (rho = 3, beta_P = 1/3,
beta_Q = 1). Above, mean excess risk with its iso-lines, L-shaped for a procedure that follows the
smaller of the two rates; below, its ratio to the exact lower bound over the class. Dashed: where
both single-sample lower bounds are equal, exponent 1/5 and constant exact. First column: the lower
bound itself, and which procedure is best (pooling and the adaptive ones if by more than 10 %).
"""

import numpy as np

from tlstat.minimax.cost import samples_needed
from tlstat.minimax.cube import bayes_lower_bound
from tlstat.minimax.models import PowerThresholds
from tlstat.plotting import COLOURS, figure, style

SIMULATION = "../simulations/sim_minimax_plane.py"
STUDIES = {name: f"{SIMULATION}::{name}" for name in ("plane", "lower_bound")}

FAMILY = {"gamma": 1.0, "a_P": 2.0}
PROCEDURES = ("source", "target", "pooled", "select", "confidence-set")
TITLES = {
    "source": "source ERM",
    "target": "target ERM",
    "pooled": "pooled ERM",
    "select": "selection (II)",
    "confidence-set": "confidence-set ERM (I)",
}


@style()
def draw(results):
    """Two rows of six maps over log n_P and log n_Q."""
    from matplotlib.colors import ListedColormap

    bound, n_P, n_Q = table(results["lower_bound"], "bound")
    risks = {p: table(results["plane"], "risk", procedure=p)[0] for p in PROCEDURES}
    boundary = equal_bounds(n_P)
    fig, axes = figure(13.2, 4.9, rows=2, columns=6, sharex=True, sharey=True)
    low = np.floor(min(np.log10(bound).min(), min(np.log10(r).min() for r in risks.values())))
    top = {"cmap": "cividis", "vmin": low, "vmax": 0.0}
    ratio = {"cmap": "PuOr_r", "vmin": -4.0, "vmax": 4.0}
    shown = paint(axes[0, 0], bound, n_P, n_Q, np.log10, top, lines=True)
    axes[0, 0].set_title("exact lower bound")
    for column, procedure in enumerate(PROCEDURES, start=1):
        paint(axes[0, column], risks[procedure], n_P, n_Q, np.log10, top, lines=True)
        axes[0, column].set_title(TITLES[procedure])
        over = paint(axes[1, column], risks[procedure] / bound, n_P, n_Q, np.log10, ratio)
        worst = float(np.max(risks[procedure] / bound))
        axes[1, column].set_title(f"up to {float(f'{worst:.2g}'):,.0f} x the bound")
    # simulated means of nearly equal procedures differ by chance
    handicap = {"source": 1.0, "target": 1.0}
    stack = np.array([handicap.get(p, 1.1) * risks[p] for p in PROCEDURES])
    best = stack.argmin(axis=0).astype(float)
    colours = ListedColormap(COLOURS[: len(PROCEDURES)])
    paint(axes[1, 0], best, n_P, n_Q, lambda v: v, {"cmap": colours, "vmin": -0.5, "vmax": 4.5})
    axes[1, 0].set_title("the best of the five")
    for k in np.unique(best):
        i, j = np.argwhere(best == k).mean(axis=0)
        name = PROCEDURES[int(k)]
        x, y = np.interp(j, np.arange(n_P.size), np.log10(n_P)), np.log10(n_Q[int(round(i))])
        axes[1, 0].text(x, y, name, color="white", ha="center", va="center", fontsize=7.5)
    for ax in axes.flat:
        ax.plot(np.log10(n_P), np.log10(boundary), color="black", ls="--", lw=1.2)
        ax.set(xlim=edges(n_P)[[0, -1]], ylim=edges(n_Q)[[0, -1]])
        ax.grid(False)
        ax.set_xticks(range(2, 11, 2))
    for ax in axes[1]:
        ax.set_xlabel("$\\log_{10} n_P$")
    for ax in axes[:, 0]:
        ax.set_ylabel("$\\log_{10} n_Q$")
    fig.colorbar(shown, ax=axes[0], label="$\\log_{10}$ excess risk", shrink=0.9)
    fig.colorbar(over, ax=axes[1], label="$\\log_{10}$ risk / bound", shrink=0.9)
    return fig


def table(results, metric, **where):
    """Means over the plane, shape (n_Q, n_P), and both axes."""
    samples = results.samples(metric, {**FAMILY, **where})
    n_P = np.array(sorted({s.cell["n_P"] for s in samples}))
    n_Q = np.array(sorted({s.cell["n_Q"] for s in samples}))
    values = np.full((n_Q.size, n_P.size), np.nan)
    for s in samples:
        place = np.searchsorted(n_Q, s.cell["n_Q"]), np.searchsorted(n_P, s.cell["n_P"])
        values[place] = s.exact.value if s.exact is not None else s.values.mean()
    return values, n_P, n_Q


def equal_bounds(n_P):
    """The target sizes at which both single-sample lower bounds are equal."""
    model = PowerThresholds(1.0, 1.0, 2.0, 0.0)
    at = {"rho": model.rho, "beta_P": model.beta_P, "beta_Q": model.beta_Q, "d": 2}
    at["constant"] = max(model.C_rho, model.C_beta_P, model.C_beta_Q)
    goals = [bayes_lower_bound(int(n), 0, **at) for n in n_P]
    return np.array(
        [samples_needed(lambda m: bayes_lower_bound(0, m, **at), goal) for goal in goals]
    )


def edges(n):
    """Edges of squares around the sizes, on a log scale."""
    logs = np.log10(n)
    step = logs[1] - logs[0]
    return np.append(logs - step / 2, logs[-1] + step / 2)


def paint(ax, values, n_P, n_Q, scale, look, lines=False):
    """Squares of one map, with iso-lines a decade apart."""
    image = ax.pcolormesh(edges(n_P), edges(n_Q), scale(values), **look)
    if lines:
        levels = np.arange(-9, 1)
        ax.contour(
            np.log10(n_P),
            np.log10(n_Q),
            scale(values),
            levels=levels,
            colors="white",
            linewidths=0.8,
            linestyles="solid",
        )
    return image
