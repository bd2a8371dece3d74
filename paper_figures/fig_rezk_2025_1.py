"""Error against complexity: Figure 1 of arXiv:2502.06970, on the bundled digits.

Each point is the mean over support sets of new tasks (random pairings of ten digits into five
classes): the class of all 64-dimensional adapters, trained on the support set, with Eq. 7, and
1,000 sampled candidates with Eq. 3. Vertical lines: the complexity of Eq. 7 for other numbers of
parameters at 64 examples. In the shaded region the sum of both axes is 1 or more; on the left this
sum is the bound, the right panel shades the same region, as the paper does. Numbers at the points
are examples. Not the paper's data: there, CLIP with prompts on five-way image tasks.
"""

import numpy as np

from tlstat.certificates import CERTIFICATES
from tlstat.plotting import COLOURS, figure, style

STUDIES = {"digits": "../simulations/sim_peft_digits.py::methods"}

DELTA, M = 0.05, 1_000
CELL = {"tasks": "rand"}
METHODS = {
    "mixup": ("1,000 mixtures of two, Eq. 3", COLOURS[0], "o", (-14, -10)),
    "diffusion": ("1,000 diffusion samples, Eq. 3", COLOURS[2], "D", (4, 5)),
    "descent, Eq. 7": ("all vectors of length 64, Eq. 7", COLOURS[1], "s", (-8, 7)),
}


@style()
def draw(results):
    """Support errors on the left, true errors on the right."""
    fig, axes = figure(8.6, 3.8, columns=2, sharey=True, sharex=True)
    for ax, metric, title in zip(
        axes, ("errors", "risk"), ("error on the support set", "true error"), strict=True
    ):
        x = np.geomspace(0.05, 8, 200)
        ax.fill_between(x, np.maximum(1 - x, 0), 1, color="0.9", lw=0)
        ax.text(0.8, 0.72, "vacuous", ha="center", color="0.35")
        for name, (label, colour, marker, shift) in METHODS.items():
            points = [
                (complexity(name, s.cell["n"]), np.mean(s.values), s.cell["n"])
                for s in results["digits"].samples(metric, {**CELL, "method": name})
            ]
            points = mean_of_cells(points)
            ax.plot(points[:, 0], points[:, 1], marker=marker, color=colour, label=label)
            for c, error, n in points:
                ax.annotate(f"{n:.0f}", (c, error), textcoords="offset points", xytext=shift,
                            fontsize=7, color=colour)  # fmt: skip
        for d in (16, 256, 1_024, 2_600):
            at = CERTIFICATES["quantised_class"](0, 64, d, delta=DELTA, clip=False)
            ax.axvline(at, color=COLOURS[1], lw=0.7, ls=":")
            ax.text(at, 0.99, f"$d={d}$", rotation=90, va="top", ha="right", fontsize=7)
        ax.set(xscale="log", xlim=(0.09, 6), ylim=(-0.02, 1), xlabel="complexity term", title=title)
    axes[0].set_ylabel("error")
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=3)
    return fig


def complexity(name, n):
    """What the bound adds to the support error."""
    if name == "descent, Eq. 7":
        return CERTIFICATES["quantised_class"](0, n, 64, delta=DELTA, clip=False)
    return CERTIFICATES["hoeffding"](0, n, delta=DELTA / M, clip=False)


def mean_of_cells(points):
    """One point for each number of examples, over upstream worlds."""
    table = np.array(points)
    sizes = np.unique(table[:, 2])
    return np.array([table[table[:, 2] == n].mean(axis=0) for n in sizes])
