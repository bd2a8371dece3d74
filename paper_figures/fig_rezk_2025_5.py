"""Generators against the zoo itself: certificate and true risk, minus those of the zoo.

Sign family; generators draw 2,000 candidates, the zoo has as many as upstream tasks. A point is a
mean over worlds, a bar two standard errors over worlds (dots: the worlds). Below zero the
generator is better. The normal law is left out: it is far above.
"""

import numpy as np

from tlstat.plotting import COLOURS, figure, style

STUDIES = {"zoo": "../simulations/sim_peft_zoo.py::generators"}

LINES = {
    "diffusion": (COLOURS[0], "o"),
    "mixup": (COLOURS[1], "s"),
    "kde": (COLOURS[2], "^"),
}
SIZES = [16, 64, 256]


@style()
def draw(results):
    """Rows certificate and true risk, a column for each number of examples."""
    fig, axes = figure(9.0, 5.2, rows=2, columns=len(SIZES), sharex=True, sharey="row")
    for row, (metric, title) in enumerate((("certificate", "certificate"), ("risk", "true risk"))):
        for ax, n in zip(axes[row], SIZES, strict=True):
            panel(ax, results["zoo"], f"{metric}_{n}")
            if row == 0:
                ax.set_title(f"$n = {n}$ examples")
        axes[row, 0].set_ylabel(f"{title}, minus the zoo's")
    for ax in axes[1]:
        ax.set_xlabel("size of the zoo")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=3)
    return fig


def panel(ax, results, metric):
    """Differences in every world, and their means."""
    base = worlds(results, metric, "zoo")
    sizes = sorted({size for size, _ in base})
    for i, (name, (colour, marker)) in enumerate(LINES.items()):
        found = worlds(results, metric, name)
        for position, size in enumerate(sizes):
            gaps = np.array([found[key] - base[key] for key in found if key[0] == size])
            at = position + 0.15 * (i - 1)
            error = 2 * gaps.std(ddof=1) / np.sqrt(gaps.size) if gaps.size > 1 else 0
            ax.plot(np.full(gaps.size, at + 0.05), gaps, ".", ms=3, color=colour, alpha=0.5)
            ax.errorbar(at, gaps.mean(), yerr=error, fmt=marker, color=colour, capsize=2,
                        label=name if position == 0 else None)  # fmt: skip
    ax.axhline(0, color="black", lw=0.8)
    ax.set_xticks(range(len(sizes)), sizes)
    ax.set_xlim(-0.6, len(sizes) - 0.4)


def worlds(results, metric, name):
    """Mean over tasks in every world."""
    return {
        (s.cell["size"], s.cell["seed"]): float(np.mean(s.values))
        for s in results.samples(metric, {"candidates": name})
    }
