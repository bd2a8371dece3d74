"""The constant of partial soft labels against the number of labels (ours, on Theorem 4.1).

``n/(S(A-1))`` times exact risks with ten inputs and ten billion samples. Theorem 4.1 of Zhao and
Zhu (2024) proves ``1/(4e)`` for every procedure and every number of labels; the partial-label
student has more than that on the paper's Instance 2, and more again on Instance 2*, where no
student can do better on average over the labels' order (circles: the exact Bayes risk). Above:
what missing mass allows.
"""

import numpy as np

from tlstat.knowledge_transfer import minimax
from tlstat.plotting import COLOURS, figure, style

STUDIES = {"constants": "../simulations/sim_knowledge_transfer_constants.py::level_two"}

LOOK = {
    "largest missing mass": ("largest missing mass", COLOURS[5], "-"),
    "Instance 2*": ("partial-label student, Instance 2*", COLOURS[2], "-"),
    "Instance 2": ("partial-label student, Instance 2", COLOURS[0], "-"),
    "theorem 4.1": ("Theorem 4.1", "0.25", "--"),
}


@style()
def draw(results):
    """One panel, with the limits at its right edge."""
    fig, ax = figure(6.4, 4.0)
    for curve, (label, colour, dash) in LOOK.items():
        samples = results["constants"].samples("constant", {"curve": curve})
        labels = np.array([s.cell["A"] for s in samples])
        ax.plot(labels, [s.exact.value for s in samples], dash, color=colour, label=label)
    cell = results["constants"].cells[0]
    bayes = [minimax.subset_bayes_risk(cell["S"], int(a), cell["n"]) for a in labels]
    scale = cell["n"] / (cell["S"] * (labels - 1))
    ax.plot(labels, bayes * scale, "o", color=LOOK["Instance 2*"][1], ms=4.5, label="Bayes risk")
    limits = [
        (1 / np.e, "$1/e$", LOOK["largest missing mass"][1]),
        (minimax.subset_limit_constant() + 0.004, "0.1544", LOOK["Instance 2*"][1]),
        (1 / (2 * (np.e + 1)) - 0.002, "$1/(2(e+1))$", LOOK["Instance 2"][1]),
        (1 / (4 * np.e), "$1/(4e)$", LOOK["theorem 4.1"][1]),
    ]
    for value, text, colour in limits:
        ax.annotate(
            text,
            (1.0, value),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            color=colour,
        )
    ax.set(
        xlabel="number of labels $A$",
        ylabel="risk times $n/(S(A-1))$",
        xscale="log",
        ylim=(0, 0.56),
        xlim=(2.7, 1_150),
    )
    ax.set_xticks([3, 10, 30, 100, 300, 1_000], ["3", "10", "30", "100", "300", "1000"])
    ax.legend(loc="upper right", ncols=2, frameon=False)
    return fig
