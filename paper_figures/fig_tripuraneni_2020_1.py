"""Tripuraneni, Jordan and Jin (NeurIPS 2020): what task diversity buys, and the bound's shape.

Left and middle: squared distance as one direction gets rarer in the heads (nu falls; settings
ours). Lines are leading terms derived for this package: ERM pays 1/nu, the method of moments
1/nu^2. Right: mean excess risk of multi-task logistic regression against the bound, with constants
that we prove; the bound falls as n^(-1/2), the truth as 1/n.
"""

import numpy as np

from tlstat.plotting import COLOURS, figure, style
from tlstat.task_diversity import theory

WEAK = "../simulations/sim_task_diversity_weak.py"
STUDIES = {
    "weak_direction_raw": f"{WEAK}::weak_direction_raw",
    "weak_direction": f"{WEAK}::weak_direction",
    "logistic_tasks": "../simulations/sim_task_diversity_bounds.py::logistic_tasks",
}
LOOK = {
    "moments": (COLOURS[1], "s", "method of moments"),
    "u-statistic": (COLOURS[2], "^", "U-statistic"),
    "split-half": (COLOURS[3], "D", "split halves"),
    "erm": (COLOURS[0], "o", "ERM"),
}


@style()
def draw(results):
    """Diversity on raw samples, on sufficient statistics; bound against truth."""
    fig, (left, middle, right) = figure(10.0, 3.5, columns=3)
    diversity(left, results["weak_direction_raw"], ("moments", "u-statistic"))
    diversity(middle, results["weak_direction"], ("split-half", "erm"))
    left.set_ylabel(r"$E\,|\sin\Theta(\hat B, B)|_F^2$")
    samples = results["logistic_tasks"].samples("excess", {})
    n = np.array([s.cell["n"] for s in samples])
    y = np.array([s.values.mean() for s in samples])
    bar = np.array([2 * s.values.std() / np.sqrt(len(s.values)) for s in samples])
    bound = [theory.LINEAR_REPRESENTATION_RISK.at(s.cell) for s in samples]
    right.plot(n, bound, color="0.25", lw=1.5)
    right.text(n[1], 1.25 * bound[1], "bound", color="0.25", fontsize=8.5)
    right.errorbar(n, y, yerr=bar, fmt="o", color=COLOURS[0])
    right.plot(n, y[-1] * (n / n[-1]) ** -1.0, color=COLOURS[0], lw=1)
    right.text(n[1], 1.6 * y[1], "measured, slope $-1$", color=COLOURS[0], fontsize=8.5)
    right.set(
        xscale="log",
        yscale="log",
        xlabel="samples of each task $n$",
        ylabel="mean excess log-loss",
        title="logistic tasks: bound and truth",
        ylim=(0.4 * y.min(), 3 * max(bound)),
    )
    return fig


def diversity(ax, results, methods):
    """Squared distance against nu, laws where they apply and faint beyond."""
    for method in methods:
        colour, marker, label = LOOK[method]
        samples = results.samples("squared_distance", {"method": method})
        cell = samples[0].cell
        d, r, n, t = (cell[k] for k in "drnt")
        nu = np.array([s.cell["nu"] for s in samples])
        y = np.array([s.values.mean() for s in samples])
        ax.plot(nu, y, marker, color=colour, label=label, zorder=3)
        grid = np.geomspace(0.9 * nu.min(), 1 / r, 60)
        spectra = [[(1 - v) / (r - 1)] * (r - 1) + [v] for v in grid]
        rows = np.array(
            [theory.unit_row_variances(method, s, t, n, cell["sigma"]) for s in spectra]
        ) * (d - r)
        near = rows.max(axis=1) <= 0.15
        ax.plot(grid[near], rows.sum(axis=1)[near], color=colour)
        ax.plot(grid[~near], rows.sum(axis=1)[~near], color=colour, lw=0.9, alpha=0.35)
    ax.set(
        xscale="log",
        yscale="log",
        xlabel=r"diversity $\nu = \sigma_r(A'A/t)$",
        title=f"$d={d}$, $r={r}$, $t={t}$, $n={n}$, $\\sigma={cell['sigma']:g}$",
    )
    low, high = ax.get_ylim()
    ax.set_ylim(low, min(high, 3))
    ticks = [v for v in (0.0125, 0.025, 0.05, 0.1, 0.2, 0.5) if 0.9 * nu.min() <= v <= 1 / r]
    ax.set_xticks(ticks, [f"{v:g}" for v in ticks])
    heights = [v for v in (0.003, 0.01, 0.03, 0.1, 0.3, 1) if low <= v <= high]
    ax.set_yticks(heights, [f"{v:g}" for v in heights])
    ax.minorticks_off()
    ax.legend(loc="upper right")
