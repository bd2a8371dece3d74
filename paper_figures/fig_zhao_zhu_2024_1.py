"""Zhao and Zhu (2024), Figure 1: four students of a fixed teacher (Instance 0).

Lines are exact expectations (dashed: the limit of the weighted student), markers are means of
simulated samples with intervals of two standard errors. The sizes (100, 25) and (1, 100) are
panels (a) and (b) of the paper.
"""

import numpy as np

from tlstat.knowledge_transfer import Teacher, exact_risk, weighted_label_limit
from tlstat.plotting import COLOURS, figure, style

STUDIES = {"instance_0": "../simulations/sim_knowledge_transfer_plateau.py::instance_0"}

LOOK = {
    "hard": ("hard labels (CE$_{sgl}$)", COLOURS[0], "o"),
    "weighted": ("weighted labels (CE$_{ptl}$)", COLOURS[1], "s"),
    "partial": ("partial soft labels (SEL$_{ptl}$)", COLOURS[2], "^"),
    "soft": ("soft labels (CE$_{ful}$)", COLOURS[3], "D"),
}


@style()
def draw(results):
    """Two panels of risk against sample size, on linear axes as in the paper."""
    fig, axes = figure(9.0, 3.6, columns=2, sharey=True)
    for ax, (S, A), name in zip(axes, [(100, 25), (1, 100)], "ab", strict=True):
        teacher = Teacher.instance0(S, A)
        for level, (label, colour, marker) in LOOK.items():
            n, mean, error = measured(results["instance_0"], S, A, level)
            ax.errorbar(
                n,
                mean,
                yerr=2 * error,
                fmt=marker,
                color=colour,
                mfc="none" if level == "weighted" else colour,
                ms=5 if level == "weighted" else 4,
                capsize=2,
                lw=1,
                label=label,
                zorder=3,
            )
            if level != "weighted":
                grid = np.unique(np.round(np.linspace(1, n.max(), 120)).astype(int))
                ax.plot(grid, [exact_risk(teacher, int(m), level) for m in grid], color=colour)
        limit = weighted_label_limit(teacher)[1]
        ax.axhline(limit, color=LOOK["weighted"][1], ls="--", lw=1)
        ax.annotate(
            f"limit {limit:.4f}",
            (1.0, limit),
            xycoords=("axes fraction", "data"),
            xytext=(0, 4),
            textcoords="offset points",
            ha="right",
            color=LOOK["weighted"][1],
        )
        ax.set(title=f"({name})  S = {S}, A = {A}", xlabel="sample size $n$", xlim=(0, None))
    axes[0].set(ylabel="total-variation risk", ylim=(-0.02, 0.68))
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    return fig


def measured(results, S, A, level):
    """Sample sizes, means and standard errors of one student on one panel."""
    samples = results.samples("tv", {"S": S, "A": A, "level": level})
    n = np.array([sample.cell["n"] for sample in samples])
    mean = np.array([sample.values.mean() for sample in samples])
    error = np.array(
        [sample.values.std(ddof=1) / np.sqrt(len(sample.values)) for sample in samples]
    )
    return n, mean, error
