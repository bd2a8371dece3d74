"""Tripuraneni, Jin and Jordan (ICML 2021): four estimators of the representation (settings ours).

Squared distance against all source samples at n = 40 a task, d = 24, r = 3, sigma = 1 and
nu = 1/3. Lines: leading terms, derived for this package, without a fitted constant; faint where
they do not claim to hold (a worst squared sine above 0.15). Grey: a random subspace. Dotted:
d r^2/N, the order of the lower bound for r directions, which ERM attains and moments miss by r.
"""

import numpy as np

from tlstat.plotting import COLOURS, figure, style
from tlstat.task_diversity import theory

STUDIES = {"compared": "../simulations/sim_task_diversity_laws.py::compared"}
LOOK = {
    "moments": (COLOURS[1], "s", "method of moments"),
    "split-half": (COLOURS[3], "D", "U-statistic, split halves"),
    "u-statistic": (COLOURS[2], "^", "U-statistic"),
    "erm": (COLOURS[0], "o", "ERM"),
}


@style()
def draw(results):
    """One panel, logarithmic."""
    fig, ax = figure(5.6, 4.0)
    cell = results["compared"].samples("squared_distance", {"method": "erm"})[0].cell
    d, r, n = cell["d"], cell["r"], cell["n"]
    t = np.geomspace(28, 600, 60)
    for method, (colour, marker, label) in LOOK.items():
        samples = results["compared"].samples("squared_distance", {"method": method})
        x = np.array([s.cell["t"] * n for s in samples])
        y = np.array([s.values.mean() for s in samples])
        bar = np.array([2 * s.values.std() / np.sqrt(len(s.values)) for s in samples])
        ax.errorbar(x, y, yerr=bar, fmt=marker, color=colour, label=label, zorder=3)
        law = theory.SQUARED_DISTANCE[method]
        at = dict(
            d=d, r=r, n=n, sigma=cell["sigma"], trace_inverse=r**2, trace_inverse_squared=r**3
        )
        value = law(t=t, **at)
        near = value / r <= 0.15
        ax.plot(t[near] * n, value[near], color=colour, lw=1.3)
        ax.plot(t[~near] * n, value[~near], color=colour, lw=0.9, alpha=0.35)
    ax.plot(t * n, d * r**2 / (t * n), color="0.3", ls=":", lw=1.2)
    ax.annotate(
        "$d\\,r^2/N$", (t[-8] * n, d * r**2 / (t[-8] * n)), xytext=(-30, -14),
        textcoords="offset points", color="0.3", fontsize=8,
    )  # fmt: skip
    ax.axhline(theory.RANDOM_SUBSPACE(d=d, r=r), color="0.6", lw=1)
    ax.text(t[-1] * n, 1.08 * theory.RANDOM_SUBSPACE(d=d, r=r), "random", ha="right", fontsize=8,
            color="0.35")  # fmt: skip
    ax.set(
        xscale="log",
        yscale="log",
        ylim=(0.006, 5),
        xlabel="source samples $N = nt$",
        ylabel=r"$E\,|\sin\Theta(\hat B, B)|_F^2$",
    )
    ax.legend(loc="lower left")
    return fig
