"""Log-linear students: from partial soft labels all at once, from hard labels never (ours).

Two hundred inputs, five labels, ten parameters, Gaussian features; appendix H of Zhao and Zhu
(2024) conjectures the rates ``sqrt(d/n)`` and ``d/n`` for the parameter. Left: risks against the
number of samples for each parameter; lines join medians, the dashed one is where the weighted
student stays, at the risk of twice the parameter. Right: share of the samples from which the
partial-label student recovers the teacher to rounding, with 95 % intervals.
"""

import numpy as np
from scipy.special import betaincinv

from tlstat.plotting import COLOURS, figure, style

SIMULATION = "../simulations/sim_knowledge_transfer_log_linear.py"
STUDIES = {"recovery": f"{SIMULATION}::recovery", "noisy": f"{SIMULATION}::noisy"}

LOOK = {
    "hard": ("hard labels (CE$_{sgl}$)", COLOURS[0], "o"),
    "weighted": ("weighted labels (CE$_{ptl}$)", COLOURS[1], "s"),
    "partial": ("partial soft labels (SEL$_{ptl}$)", COLOURS[2], "^"),
}


@style()
def draw(results):
    """The cliff on the left, its edge on the right."""
    fig, (left, right) = figure(9.0, 3.7, columns=2, width_ratios=[3, 2])
    draw_risks(left, results)
    draw_recovered(right, results["recovery"])
    return fig


def draw_risks(ax, results):
    """Quartiles of the risk of each student."""
    d = results["recovery"].cells[0]["d"]
    curves = {"partial": results["recovery"].samples("tv")}
    for level in ("hard", "weighted"):
        curves[level] = results["noisy"].samples("tv", {"level": level})
    for level, (label, colour, marker) in LOOK.items():
        x = np.array([s.cell["n"] for s in curves[level]]) / d
        low, middle, high = np.array(
            [np.quantile(s.values, [0.25, 0.5, 0.75]) for s in curves[level]]
        ).T
        ax.fill_between(x, low, high, color=colour, alpha=0.25, lw=0)
        ax.plot(x, middle, color=colour, marker=marker, ms=4.5, label=label)
    limit = np.mean(curves["weighted"][-1].values)
    ax.axhline(limit, color=LOOK["weighted"][1], ls="--", lw=1)
    ax.annotate(
        "slope −1/2",
        (x_at(curves["hard"], 4) / d, np.median(curves["hard"][4].values)),
        xytext=(6, 6),
        textcoords="offset points",
        color=LOOK["hard"][1],
    )
    ax.annotate(
        "to rounding error: $10^{-16}$",
        (1.35, 1.5e-3),
        color=LOOK["partial"][1],
    )
    ax.set(
        title="(a)  risk: median and quartiles",
        xlabel="samples for each parameter, $n/d$",
        ylabel="total-variation risk",
        xscale="log",
        yscale="log",
        ylim=(1e-3, 1),
    )
    ax.legend(loc="upper right", frameon=False)


def x_at(samples, index):
    """Sample size of one point of a curve."""
    return samples[index].cell["n"]


def draw_recovered(ax, results):
    """Share of exact recoveries, with Clopper and Pearson's intervals."""
    samples = results.samples("recovered")
    x = np.array([s.cell["n"] / s.cell["d"] for s in samples])
    size = np.array([len(s.values) for s in samples])
    hits = np.array([np.sum(s.values) for s in samples])
    share = hits / size
    low = np.where(hits > 0, betaincinv(np.maximum(hits, 1), size - hits + 1, 0.025), 0)
    high = np.where(hits < size, betaincinv(hits + 1, np.maximum(size - hits, 1), 0.975), 1)
    colour, marker = LOOK["partial"][1:]
    ax.errorbar(
        x,
        share,
        yerr=np.abs([share - low, high - share]),
        fmt=f"{marker}-",
        color=colour,
        ms=4.5,
        capsize=2,
        lw=1,
    )
    ax.axvline(1, color="0.5", ls=":", lw=1)
    ax.annotate("$n = d$", (1, 0.05), xytext=(4, 0), textcoords="offset points", color="0.35")
    ax.set(
        title="(b)  the teacher recovered exactly",
        xlabel="samples for each parameter, $n/d$",
        ylabel="share of the samples",
        ylim=(-0.04, 1.06),
    )
