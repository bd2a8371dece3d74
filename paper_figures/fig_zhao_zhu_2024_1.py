"""Zhao and Zhu (2024), Figure 1: four students of a fixed teacher (Instance 0).

Lines are exact expectations (dashed: the limit of the weighted student), markers are means of
simulated samples with intervals of two standard errors. The sizes (100, 25) and (1, 100) and the
linear axes of panels (a) and (b) are the paper's. The sizes of its panels (c) and (d) are not
printed in the text: those here, and their logarithmic axis, are ours. They show the same two
things: with many labels whole rows beat partial labels, and with many cells the rate of partial
labels cannot be seen because they are learnt exponentially fast.
"""

import numpy as np

from tlstat.knowledge_transfer import Teacher, exact_risk, weighted_label_limit
from tlstat.plotting import COLOURS, figure, style

STUDIES = {
    "instance_0": "../simulations/sim_knowledge_transfer_plateau.py::instance_0",
    "crowded": "../simulations/sim_knowledge_transfer_scarce.py::crowded",
}

LOOK = {
    "hard": ("hard labels (CE$_{sgl}$)", COLOURS[0], "o"),
    "weighted": ("weighted labels (CE$_{ptl}$)", COLOURS[1], "s"),
    "partial": ("partial soft labels (SEL$_{ptl}$)", COLOURS[2], "^"),
    "soft": ("soft labels (CE$_{ful}$)", COLOURS[3], "D"),
}
PANELS = [
    ("a", "instance_0", 100, 25),
    ("b", "instance_0", 1, 100),
    ("c", "crowded", 10, 1_000),
    ("d", "crowded", 300, 100),
]


@style()
def draw(results):
    """Four panels of risk against sample size: the paper's above, ours below."""
    fig, axes = figure(9.0, 6.4, rows=2, columns=2, sharey=True)
    for ax, (name, study, S, A) in zip(axes.flat, PANELS, strict=True):
        draw_panel(ax, results[study], S, A, logarithmic=study == "crowded")
        whose = ", sizes ours" if study == "crowded" else ""
        ax.set_title(f"({name})  S = {S}, A = {A}{whose}")
    for ax in axes[1]:
        ax.set_xlabel("sample size $n$")
    for ax in axes[:, 0]:
        ax.set(ylabel="total-variation risk", ylim=(-0.02, 0.7))
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    return fig


def draw_panel(ax, results, S, A, logarithmic):
    """Four students on one size of Instance 0."""
    teacher = Teacher.instance0(S, A)
    for level, (label, colour, marker) in LOOK.items():
        n, mean, error = measured(results, S, A, level)
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
            spaced = np.geomspace if logarithmic else np.linspace
            grid = np.unique(np.round(spaced(1, n.max(), 120)).astype(int))
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
    if logarithmic:
        ax.set(xscale="log", xlim=(n.min() / 1.3, n.max() * 1.3))
    else:
        ax.set(xlim=(0, None))


def measured(results, S, A, level):
    """Sample sizes, means and standard errors of one student on one panel."""
    samples = results.samples("tv", {"S": S, "A": A, "level": level})
    n = np.array([sample.cell["n"] for sample in samples])
    mean = np.array([sample.values.mean() for sample in samples])
    error = np.array(
        [sample.values.std(ddof=1) / np.sqrt(len(sample.values)) for sample in samples]
    )
    return n, mean, error
