"""One more sample can hurt maximum likelihood, never the others (ours, beside Zhao and Zhu, 2024).

Left: exact risks on Instance 0 with 100 inputs and 25 labels; the hard-label risk rises until every
input has about one sample and a half. Right: a single growing sample on a small Instance 0. The
risks of partial and soft labels and the missing mass never step up, whatever the path.
"""

import numpy as np

from tlstat.knowledge_transfer import Teacher, exact_risk, expected_missing_mass
from tlstat.plotting import COLOURS, figure, style

SIMULATION = "../simulations/sim_knowledge_transfer_monotone.py"
STUDIES = {"expectations": f"{SIMULATION}::expectations", "paths": f"{SIMULATION}::single_paths"}

LOOK = {
    "hard": ("hard labels (CE$_{sgl}$)", COLOURS[0]),
    "missing": ("missing mass", COLOURS[5]),
    "partial": ("partial soft labels (SEL$_{ptl}$)", COLOURS[2]),
    "soft": ("soft labels (CE$_{ful}$)", COLOURS[3]),
}


@style()
def draw(results):
    """Expectations on the left, one path on the right."""
    fig, (left, right) = figure(9.0, 3.7, columns=2, sharey=True)
    draw_expectations(left, results["expectations"])
    draw_path(right, results["paths"])
    left.set_ylabel("total-variation risk")
    handles, labels = left.get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    return fig


def draw_expectations(ax, results):
    """Exact curves, with markers where the study judges their order."""
    teacher = Teacher.instance0(100, 25)
    fine = np.unique(np.round(np.geomspace(1, 2_500, 80)).astype(int))
    for level, (label, colour) in LOOK.items():
        if level == "missing":
            curve = expected_missing_mass(teacher, fine)
        else:
            curve = [exact_risk(teacher, int(n), level) for n in fine]
        ax.plot(fine, curve, color=colour, label=label)
        samples = results.samples("risk", {"level": level})
        ax.plot(
            [s.cell["n"] for s in samples],
            [s.exact.value for s in samples],
            "o",
            color=colour,
            ms=3.5,
        )
    peak = max(results.samples("risk", {"level": "hard"}), key=lambda s: s.exact.value)
    ax.annotate(
        f"largest at $n$ = {peak.cell['n']}: {peak.exact.value:.3f}",
        (peak.cell["n"], peak.exact.value),
        xytext=(-6, 12),
        textcoords="offset points",
        ha="right",
        color=LOOK["hard"][1],
    )
    ax.set(
        title="(a)  on average: S = 100, A = 25",
        xlabel="sample size $n$",
        xscale="log",
        ylim=(-0.02, 1.04),
    )


def draw_path(ax, results, path=1):
    """Risks along one growing sample; steps up are marked."""
    for level, (_, colour) in LOOK.items():
        samples = results.samples(level, {"path": path})
        risk = np.array([float(s.values[0]) for s in samples])
        n = np.array([s.cell["n"] for s in samples])
        ax.step(n, risk, where="post", color=colour)
        up = np.flatnonzero(np.diff(risk) > 1e-12) + 1
        if up.size:
            ax.plot(n[up], risk[up], "^", color=colour, ms=2.8)
            ax.annotate(
                f"{up.size} of {n.size - 1} steps go up (marked)",
                (n[-1], risk[n.size // 3]),
                xytext=(0, 22),
                textcoords="offset points",
                ha="right",
                color=colour,
            )
    ax.set(title="(b)  one growing sample: S = 6, A = 5", xlabel="sample size $n$")
