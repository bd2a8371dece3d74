"""Chen, Du and Jamieson (ICML 2022): allocations of source samples (optimum and settings ours).

Left: samples of eight source tasks under four rules; the angle is that of the task's head, the
target is at 100 degrees. Right: squared bias that ERM's representation leaves at the target, with
two standard errors; black dashes are first-order values, the line is Elfving's optimum.
"""

import numpy as np

from tlstat.plotting import COLOURS, figure, style
from tlstat.task_diversity import theory
from tlstat.task_diversity.allocation import (
    allocation_value,
    efficient_rounding,
    optimal_allocation,
)

STUDIES = {"rules": "../simulations/sim_task_diversity_allocation.py::rules"}
ANGLES = np.array([0, 12, 24, 36, 48, 60, 72, 140])
LABELS = {
    "uniform": "alike",
    "absolute l2": "$|w_j|$, least $\\ell_2$",
    "squared l2": "$w_j^2$, least $\\ell_2$\n(Chen et al.)",
    "optimal": "$|w_j|$, least $\\ell_1$\n(optimal)",
}


@style()
def draw(results):
    """Allocations and what they leave."""
    fig, (left, right) = figure(9.0, 3.6, columns=2)
    radians = np.radians(ANGLES)
    heads = np.column_stack([np.cos(radians), np.sin(radians)])
    target = np.array([np.cos(np.radians(100)), np.sin(np.radians(100))])
    samples = {s.cell["rule"]: s for s in results["rules"].samples("bias", {})}
    cell = samples["uniform"].cell
    w = np.linalg.pinv(heads.T) @ target
    best = optimal_allocation(heads, cell["N"], target=target)
    shares = {"uniform": np.ones(8), "absolute l2": np.abs(w), "squared l2": w**2}
    counts = {rule: efficient_rounding(share, cell["N"]) for rule, share in shares.items()}
    counts["optimal"] = best.counts
    scale = cell["sigma"] ** 2 * (cell["d"] - cell["r"])
    for k, (rule, label) in enumerate(LABELS.items()):
        x = np.arange(8) + 0.2 * (k - 1.5)
        left.bar(x, counts[rule], 0.19, color=COLOURS[k], label=label.replace("\n", " "))
        values = np.asarray(samples[rule].values)
        bar = 2 * values.std(ddof=1) / np.sqrt(len(values))
        right.bar(k, values.mean(), 0.6, yerr=bar, color=COLOURS[k], ecolor="0.3", capsize=3)
        value = scale * allocation_value(heads, counts[rule], target=target, cost=cell["r"])
        right.plot([k - 0.36, k + 0.36], [value, value], "k--", lw=1.2)
    floor = theory.ELFVING_BIAS(
        l1=np.sqrt(best.value), N=cell["N"], d=cell["d"], r=cell["r"], sigma=cell["sigma"]
    )
    right.axhline(floor, color="0.25", lw=1)
    right.text(0.5, floor * 1.03, "Elfving", fontsize=8, color="0.25", ha="center")
    left.set(xlabel="angle of the source task's head", ylabel="samples")
    left.set_xticks(range(8), [f"{a}°" for a in ANGLES])
    left.legend(loc="upper left")
    right.set_xticks(range(4), list(LABELS.values()), fontsize=8)
    right.set(ylabel="squared bias at the target")
    for ax in (left, right):
        ax.grid(axis="x", visible=False)
    return fig
