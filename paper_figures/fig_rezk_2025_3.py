"""How often certificates of the selected candidate fail, with the union and without it.

Left: diffusion candidates of the sign family (closed-form risks, 64 examples). Right: the digits
(exact risks on a finite population, 64 examples), by generator and kind of tasks. Exact 99 percent
intervals over support sets; worlds are pooled. The dashed line is the promise.
"""

import numpy as np

from tlstat.plotting import COLOURS, figure, style
from tlstat.theory.intervals import clopper_pearson

STUDIES = {
    "sign": "../simulations/sim_peft_sign.py::coverage",
    "digits": "../simulations/sim_peft_digits.py::coverage",
}
METRICS = {
    "ratio": (r"certified at $\delta/M$", COLOURS[0], "o", -0.08),
    "unpaid": (r"certified at $\delta$ (invalid)", COLOURS[1], "s", 0.08),
}
FLOOR = 3e-4


@style()
def draw(results):
    """Two panels with one scale."""
    fig, (left, right) = figure(9.0, 4.2, columns=2, sharey=True, width_ratios=[2, 3])
    panel(left, results["sign"], lambda cell: f"{cell['M']:,}", "sign family")
    left.set_xlabel("candidates $M$")
    panel(right, results["digits"], lambda cell: f"{cell['tasks']}: {cell['method']}", "digits")
    right.set_xticks(right.get_xticks(), [t.get_text() for t in right.get_xticklabels()],
                     rotation=40, ha="right", fontsize=7)  # fmt: skip
    left.set_ylabel("probability of failure")
    handles, labels = left.get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=3)
    return fig


def panel(ax, results, name_of, title):
    """Failures of each kind at each cell."""
    for metric, (label, colour, marker, shift) in METRICS.items():
        groups = {}
        for s in results.samples(metric, {"n": 64}):
            groups.setdefault(name_of(s.cell), []).append(np.asarray(s.values) > 1)
        failed = [np.concatenate(v) for v in groups.values()]
        share = np.array([v.mean() for v in failed])
        low, high = np.array([clopper_pearson(int(v.sum()), v.size, 0.005) for v in failed]).T
        at = np.arange(len(groups)) + shift
        shown = np.maximum(share, FLOOR)
        bars = [shown - np.maximum(low, FLOOR), high - shown]
        ax.errorbar(at, shown, yerr=bars, fmt=marker, color=colour, capsize=2, label=label)
        ax.set_xticks(range(len(groups)), groups)
    ax.axhline(0.05, color="black", lw=1, ls="--", label=r"$\delta = .05$")
    ax.set(yscale="log", ylim=(FLOOR, 1), title=title)
