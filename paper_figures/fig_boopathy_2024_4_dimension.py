"""Bias against the dimension of the task: two stories from the same data.

Left and middle: points on spheres, RBF of width 1, 150 training and 80 test points; means over
data sets, bars from the smallest to the largest. At a fixed error the bias grows with the
dimension; at a fixed share of the mean error it hardly does, because the mean error grows. Right:
noise-free linear regression from 10 examples, exact (markers) and the growth law (lines).
"""

import numpy as np

from tlstat.inductive_bias import theory
from tlstat.plotting import COLOURS, figure, style

SIMULATION = "../simulations/sim_inductive_bias_dimension.py"
STUDIES = {name: f"{SIMULATION}::{name}" for name in ("dimension", "linear_regression")}


@style()
def draw(results):
    """Three panels."""
    fig, (left, middle, right) = figure(9.6, 3.2, columns=3)
    bars(left, results["dimension"].samples("at_error", {"share": 0.01}), 0, "error 0.001")
    left.set(title="fixed error", ylabel="nats", xlabel="dimension $d$", ylim=(0, 215))
    left.legend(loc="upper left")
    for i, share in enumerate((0.01, 0.1, 0.5)):
        samples = results["dimension"].samples("at_share", {"share": share})
        bars(middle, samples, i, f"{100 * share:g} % of the mean")
    middle.set(title="fixed share of the mean error", xlabel="dimension $d$", ylim=(0, 215))
    middle.legend(loc="upper left")
    draw_linear(right, results["linear_regression"])
    return fig


def bars(ax, samples, i, label):
    d = [s.cell["d"] for s in samples]
    mean, low, high = (np.array([f(s.values) for s in samples]) for f in (np.mean, np.min, np.max))
    ax.errorbar(d, mean, yerr=[mean - low, high - mean], color=COLOURS[i], marker="os^"[i],
                capsize=3, label=label)  # fmt: skip


def draw_linear(ax, results):
    for i, eps in enumerate((1e-6, 1e-2, 0.5)):
        samples = results.samples("nats", {"eps": eps})
        d = np.array([s.cell["d"] for s in samples])
        ax.plot(d, [float(s.exact.value) for s in samples], "os^"[i], color=COLOURS[i],
                label=f"error {eps:g}")  # fmt: skip
        line = np.geomspace(d.min(), d.max(), 60)
        law = theory.LINEAR_REGRESSION_GROWTH(d=line, n=10, eps=eps, tau=1.0, norm2=1.0)
        ax.plot(line, law, color=COLOURS[i], lw=1)
    ax.set(title="linear regression", xlabel="dimension $d$", xscale="log", yscale="log")
    ax.set_xticks([20, 40, 80, 160, 320], ["20", "40", "80", "160", "320"])
    ax.set_xticks([], minor=True)
    ax.legend(loc="upper left")
