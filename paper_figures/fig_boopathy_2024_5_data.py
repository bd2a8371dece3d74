"""Bias against training points, test points, and the user's own choices (digits, exact).

Left: a fixed error needs fewer nats after more training points; one percent of the mean error
(dashed) as many as ever. Middle: nats per test point at fixed shares of the mean error: the bias
counts test outputs; dotted lines are half of the ten outputs times log(1/share). Right: an error
of 0.02 under kernels of four widths and three prior variances. Means; bars from the smallest to
the largest split.
"""

import numpy as np

from tlstat.plotting import COLOURS, figure, style

SIMULATION = "../simulations/sim_inductive_bias_samples.py"
WIDTHS = (0.3, 1.0, 2.0, 4.0)
STUDIES = {name: f"{SIMULATION}::{name}" for name in ("training_points", "test_points", "choices")}


@style()
def draw(results):
    """Three panels."""
    fig, (left, middle, right) = figure(9.8, 3.4, columns=3)
    for i, error in enumerate((0.01, 0.02, 0.05)):
        samples = results["training_points"].samples("at_error", {"error": error})
        bars(left, samples, "n", i, f"error {error:g}")
    samples = results["training_points"].samples("at_share", {"error": 0.01})
    bars(left, samples, "n", 3, "1 % of the mean", ls="--")
    left.set(xscale="log", xlabel="training points $n$", ylabel="nats", ylim=(0, 1_250))
    left.legend(loc="upper right", ncols=2)
    for i, share in enumerate((1e-8, 1e-4, 1e-2, 1e-1)):
        samples = results["test_points"].samples("nats", {"share": share})
        exponent = int(np.log10(share))
        bars(middle, samples, "m", i, f"$10^{{{exponent}}}$", per="m")
        middle.axhline(5 * np.log(1 / share), color=COLOURS[i], ls=":", lw=1)
    middle.set(xscale="log", xlabel="test points $m$", ylabel="nats per test point", ylim=(0, 128))
    middle.legend(loc="upper right", ncols=4, title="share of the mean error", columnspacing=1)
    for i, variance in enumerate((4.0, 1.0, 0.25)):
        samples = results["choices"].samples("nats", {"variance": variance})
        bars(right, samples, "sigma", i, f"variance {variance:g}")
    right.set(xscale="log", xlabel="width of the kernel", ylabel="nats", ylim=(0, 850))
    right.legend(loc="upper right")
    for ax, at in ((left, (25, 50, 100, 200, 400)), (middle, (5, 10, 20, 40, 80)), (right, WIDTHS)):
        ax.set_xticks(at, [f"{x:g}" for x in at])
        ax.set_xticks([], minor=True)
    return fig


def bars(ax, samples, name, i, label, per=None, ls="-"):
    x = np.array([s.cell[name] for s in samples], dtype=float)
    scale = x if per else np.ones_like(x)
    mean, low, high = (
        np.array([f(s.values) for s in samples]) / scale for f in (np.mean, np.min, np.max)
    )
    ax.errorbar(x, mean, yerr=[mean - low, high - mean], color=COLOURS[i], marker="os^D"[i],
                capsize=2.5, ls=ls, label=label)  # fmt: skip
