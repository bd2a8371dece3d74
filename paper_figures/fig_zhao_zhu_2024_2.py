"""Zhao and Zhu (2024), Figure 2: each level of information on its hardest teachers.

Rows of the paper are columns here: Instances 1, 2 and 3, two sizes each. Lines are exact
expectations, markers are means of simulated samples with intervals of two standard errors, and
the legend gives the slope fitted to the markers of the student that the instance is hard for,
over the shaded range of sample sizes where it is asymptotic. Grey lines are lower bounds for every
procedure on this level over its worst teacher: dashed the paper's, dotted the sharper ones (ours).
Instance 2 is not the worst teacher, so the student is below the sharper line there. Sizes are ours:
those of the paper are not printed in its text. Risks below the axis decay exponentially.
"""

import numpy as np

from tlstat.knowledge_transfer import Teacher, exact_risk, theory
from tlstat.plotting import COLOURS, figure, style

SIMULATION = "../simulations/sim_knowledge_transfer_rates.py"
STUDIES = {name: f"{SIMULATION}::{name}" for name in ("instance_1", "instance_2", "instance_3")}

LOOK = {
    "hard": ("hard labels (CE$_{sgl}$)", COLOURS[0], "o"),
    "weighted": ("weighted labels (CE$_{ptl}$)", COLOURS[1], "s"),
    "partial": ("partial soft labels (SEL$_{ptl}$)", COLOURS[2], "^"),
    "soft": ("soft labels (CE$_{ful}$)", COLOURS[3], "D"),
}
# the paper's lower bound for every procedure, and the sharper one
LOWER = {
    "1": (theory.HARD_LABEL_LOWER, theory.HARD_LABEL_LOWER_DIRICHLET),
    "2": (theory.PARTIAL_LABEL_LOWER, theory.PARTIAL_LABEL_LOWER_SHARP),
    "3": (theory.SOFT_LABEL_LOWER, theory.SOFT_LABEL_MINIMAX_LOWER),
}
BELOW = {"1": 20, "2": 6, "3": 6}  # room below the last marker
NAME = "lower bound over all teachers: "
# instance: the student it is hard for, the two sizes, where slopes are asymptotic
COLUMNS = {
    "1": ("hard", [(10, 10), (100, 10)], lambda S, A: 50 * S),
    "2": ("partial", [(10, 11), (10, 101)], lambda S, A: 50 * S * A),
    "3": ("soft", [(10, 11), (100, 3)], lambda S, A: 50 * S * A),
}


@style()
def draw(results):
    """Six log-log panels, the two sizes of an instance below each other."""
    fig, axes = figure(10.0, 6.2, rows=2, columns=3, sharex=True)
    for column, (instance, (target, sizes, start)) in enumerate(COLUMNS.items()):
        for row, (S, A) in enumerate(sizes):
            panel = "ace"[column] if row == 0 else "bdf"[column]
            ax = axes[row, column]
            draw_panel(ax, results[f"instance_{instance}"], instance, target, S, A, start(S, A))
            ax.set_title(f"({panel})  Instance {instance}, S = {S}, A = {A}")
    for ax in axes[1]:
        ax.set_xlabel("sample size $n$")
    for ax in axes[:, 0]:
        ax.set_ylabel("total-variation risk")
    handles = {
        label: handle
        for ax in axes.flat
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)
        if not label.startswith("slope")
    }
    fig.legend(handles.values(), handles, loc="outside lower center", ncols=3, frameon=False)
    return fig


def draw_panel(ax, results, instance, target, S, A, start):
    """All students of one teacher that moves with n, and the slope of the one it is hard for."""
    for level, (label, colour, marker) in LOOK.items():
        n, mean, error = measured(results, S, A, level)
        seen = mean > 0
        ax.errorbar(
            n[seen],
            mean[seen],
            yerr=2 * error[seen],
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
            ax.plot(n, exact_curve(instance, S, A, n, level), color=colour)
        if level == target:
            bottom = mean[-1]
            far = n >= start
            slope = np.polyfit(np.log(n[far]), np.log(mean[far]), 1)[0]
    for bound, dash in zip(LOWER[instance], ("--", ":"), strict=True):
        given = {k: v for k, v in {"S": S, "A": A, "n": n}.items() if k in bound.symbols}
        whose = {"--": "the paper's", ":": "ours"}[dash]
        ax.plot(n, bound(outside="nan", **given), dash, color="0.45", lw=1, label=NAME + whose)
    ax.axvspan(start, n.max() * 1.5, color="0.94", zorder=0)
    line = ax.plot([], [], color=LOOK[target][1], marker=LOOK[target][2], ms=4)[0]
    ax.legend([line], [f"slope \u2212{-slope:.3f}"], loc="upper right", frameon=False)
    ax.set(
        xscale="log",
        yscale="log",
        xlim=(n.min() / 1.5, n.max() * 1.5),
        ylim=(bottom / BELOW[instance], 1),
    )


def exact_curve(instance, S, A, n, level):
    """Exact risk at each n; nan where no closed form is known or the risk has vanished."""
    risk = np.full(len(n), np.nan)
    for i, m in enumerate(n):
        teacher = Teacher.from_cell({"instance": instance, "S": S, "A": A, "n": int(m)})
        risk[i] = exact_risk(teacher, int(m), level)
    return np.where(risk > 1e-12, risk, np.nan)


def measured(results, S, A, level):
    """Sample sizes, means and standard errors of one student on one panel."""
    samples = results.samples("tv", {"S": S, "A": A, "level": level})
    n = np.array([sample.cell["n"] for sample in samples])
    mean = np.array([sample.values.mean() for sample in samples])
    error = np.array(
        [sample.values.std(ddof=1) / np.sqrt(len(sample.values)) for sample in samples]
    )
    return n, mean, error
