"""Weighting the likelihood sharpens: log-odds of student against teacher (ours, on Lemma 4.2).

Left: the weighted student of Zhao and Zhu (2024) and its relatives with weights ``pi^gamma``, one
marker a label, against the lines of slope ``1 + gamma`` that theory predicts; bars are two standard
deviations of one student. Right: its distance from the teacher, which stays (dashed: the exact
limit), and from its own limit, which vanishes at rate -1/2. The paper proves ``gamma = 1``.
"""

import numpy as np

from tlstat.knowledge_transfer import weighted_label_limit
from tlstat.plotting import COLOURS, figure, style

SIMULATION = "../simulations/sim_knowledge_transfer_sharpening.py"
STUDIES = {"log_odds": f"{SIMULATION}::log_odds", "limits": f"{SIMULATION}::limits"}

LOOK = {
    0.0: ("γ = 0: hard labels", COLOURS[0], "o"),
    0.5: ("γ = 1/2", COLOURS[3], "D"),
    1.0: ("γ = 1: weighted labels (CE$_{ptl}$)", COLOURS[1], "s"),
    2.0: ("γ = 2", COLOURS[2], "^"),
}
SAMPLES = 10_000
SLANT = {0.0: 13, 1.0: 25, 2.0: 35}  # of the lines on the page


@style()
def draw(results):
    """Slopes on the left, what remains of the risk on the right."""
    fig, (left, right) = figure(9.0, 3.9, columns=2)
    draw_log_odds(left, results["log_odds"])
    draw_risks(right, results["limits"])
    handles, labels = right.get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    return fig


def draw_log_odds(ax, results):
    """One marker a label."""
    teacher = results.study.build_model(results.cells[0])
    odds = np.log(teacher.pi / teacher.pi.max(axis=1, keepdims=True)).ravel()
    for gamma, (label, colour, marker) in LOOK.items():
        samples = results.samples("log_odds", {"gamma": gamma, "n": SAMPLES})
        samples = [s for s in samples if odds[s.cell["label"]] < 0]
        if not samples:
            continue
        x = np.array([odds[s.cell["label"]] for s in samples])
        y = np.array([s.values.mean() for s in samples])
        bar = 2 * np.array([s.values.std() for s in samples])
        ax.errorbar(x, y, yerr=bar, fmt=marker, ms=4, lw=0.7, color=colour, label=label, zorder=3)
        ends = np.array([1.06 * odds.min(), 0])
        ax.plot(ends, (1 + gamma) * ends, color=colour, lw=1)
        ax.annotate(
            f"slope {1 + gamma:g}",
            (ends[0], (1 + gamma) * ends[0]),
            xytext=(-2, 5),
            textcoords="offset points",
            ha="left",
            va="bottom",
            rotation=SLANT[gamma],
            rotation_mode="anchor",
            color=colour,
        )
    ax.set(
        title=f"(a)  log-odds after $n$ = {SAMPLES:,} samples",
        xlabel="teacher's log-odds against the likeliest label",
        ylabel="student's log-odds",
        xlim=(1.1 * odds.min(), 0.1),
        ylim=(3.3 * odds.min(), 0.5),
    )


def draw_risks(ax, results):
    """Risk (filled) and distance from the student's own limit (open), against n."""
    teacher = results.study.build_model(results.cells[0])
    for gamma, (label, colour, marker) in LOOK.items():
        for metric, face in (("tv", colour), ("distance", "none")):
            samples = results.samples(metric, {"gamma": gamma})
            n = np.array([s.cell["n"] for s in samples])
            y = np.array([s.values.mean() for s in samples])
            name = label if metric == "tv" else None
            ax.plot(n, y, marker, ms=4.5, color=colour, mfc=face, label=name, zorder=3)
            if metric == "distance":
                ax.plot(n, y[0] * (n / n[0]) ** -0.5, color=colour, lw=0.7)
        if gamma:
            ax.axhline(weighted_label_limit(teacher, gamma)[1], color=colour, ls="--", lw=1)
    ax.plot([], [], "o", color="0.4", label="filled: from the teacher (risk)")
    ax.plot([], [], "o", color="0.4", mfc="none", label="open: from its own limit (largest entry)")
    ax.set(
        title="(b)  distance from the teacher and from the limit",
        xlabel="sample size $n$",
        ylabel="distance",
        xscale="log",
        yscale="log",
    )
