"""More hypotheses do not help a fit of a wrong family: estimated over exact bias against S.

Left: a gamma law fitted to errors that are a form with 8 weights, which all are equal, or spread
over a factor of 10 or 100; means and 5 to 95 percent of the fits at one percent of the mean error.
Dashed: what the fit tends to. Right: the published fit on the digits, medians and ranges over
samples of S hypotheses, against the depth of the tail.
"""

import numpy as np

from tlstat.plotting import COLOURS, figure, style

STUDIES = {
    "wrong": "../simulations/sim_inductive_bias_estimators.py::wrong_family",
    "published": "../simulations/sim_inductive_bias_published.py::published",
}
SPREAD = {1.0: "equal weights", 0.1: "spread over 10", 0.01: "spread over 100"}


@style()
def draw(results):
    """Two panels with one scale."""
    fig, (left, right) = figure(8.4, 3.6, columns=2, sharey=True)
    draw_wrong(left, results["wrong"])
    draw_published(right, results["published"])
    for ax in (left, right):
        ax.axhline(1, color="0.5", lw=1)
    left.set(ylabel="estimated / exact nats", ylim=(0, 1.6))
    return fig


def draw_wrong(ax, results):
    for i, (ratio, label) in enumerate(SPREAD.items()):
        samples = results.samples("over_exact", {"ratio": ratio, "share": 0.01})
        S = [s.cell["S"] for s in samples]
        middle = np.array([np.mean(s.values) for s in samples])
        low, high = (np.array([np.quantile(s.values, q) for s in samples]) for q in (0.05, 0.95))
        ax.errorbar(S, middle, yerr=[middle - low, high - middle], color=COLOURS[i],
                    marker="os^"[i], capsize=3, label=label)  # fmt: skip
        ax.axhline(middle[-1], color=COLOURS[i], ls="--", lw=0.8)
    ax.set(xscale="log", xlabel="hypotheses $S$", title="gamma law fitted, 1 % of the mean")
    ax.legend(loc="upper right")


def draw_published(ax, results):
    sizes = sorted({s.cell["S"] for s in results.samples("over_exact")})
    for i, S in enumerate(sizes):
        samples = results.samples("over_exact", {"S": S})
        share = np.array([s.cell["share"] for s in samples]) * (1 + 0.06 * i)
        middle = np.array([np.median(s.values) for s in samples])
        low, high = (np.array([f(s.values) for s in samples]) for f in (np.min, np.max))
        ax.errorbar(share, middle, yerr=[middle - low, high - middle], color=COLOURS[i],
                    marker="os"[i], ls="-", capsize=3, label=f"$S = {S}$")  # fmt: skip
    ax.set(xscale="log", xlabel="error / mean error", title="published fit, digits, $\\sigma = 1$")
    ax.invert_xaxis()
    ax.legend(loc="upper right")
