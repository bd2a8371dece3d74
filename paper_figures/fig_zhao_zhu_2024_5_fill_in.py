"""How partial labels fill in what they have not seen (ours, on section 4 of Zhao and Zhu, 2024).

Instance 0 with equal small labels, and the same with small labels that differ. The theorems hold
for every rule; the paper's simulations use the uniform one, which on Instance 0 is exact as soon
as the big label is seen. Lines are exact risks (sums over the sets of unseen labels), markers means
of simulated samples with intervals of two standard errors.
"""

import numpy as np

from tlstat.plotting import COLOURS, figure, style

SIMULATION = "../simulations/sim_knowledge_transfer_fill_in.py"
STUDIES = {"simulated": f"{SIMULATION}::fill_in", "exact": f"{SIMULATION}::fill_in_exact"}

LOOK = {
    "renormalised": ("renormalised: the risk is the missing mass", COLOURS[0], "o"),
    "first-unseen": ("everything on the first unseen label", COLOURS[1], "s"),
    "uniform": ("uniform over the unseen labels (the paper's)", COLOURS[2], "^"),
}
PANELS = {"equal": "(a)  Instance 0", "different": "(b)  small labels in the ratio 1 : 2 : … : 8"}


@style()
def draw(results):
    """Risk on a logarithmic axis: exponential decay is a straight line."""
    fig, axes = figure(9.0, 3.9, columns=2, sharey=True)
    for ax, (small, title) in zip(axes, PANELS.items(), strict=True):
        for rule, (label, colour, marker) in LOOK.items():
            where = {"small": small, "rule": rule}
            n, risk = exact_curve(results["exact"], where)
            ax.plot(n, risk, color=colour)
            samples = results["simulated"].samples("tv", where)
            x = [s.cell["n"] for s in samples]
            y = np.array([s.values.mean() for s in samples])
            error = np.array([s.values.std(ddof=1) / np.sqrt(len(s.values)) for s in samples])
            shown = y > 2 * error
            ax.errorbar(
                np.array(x)[shown],
                y[shown],
                yerr=2 * error[shown],
                fmt=marker,
                color=colour,
                ms=4.5,
                capsize=2,
                lw=1,
                label=label,
                zorder=3,
            )
        ax.set(title=title, xlabel="sample size $n$", yscale="log", ylim=(1e-6, 1), xlim=(0, 1_620))
    axes[0].set_ylabel("total-variation risk")
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    return fig


def exact_curve(results, where):
    """Sample sizes and exact risks, without those that have vanished."""
    found = [(s.cell["n"], s.exact.value) for s in results.samples("risk", where)]
    return np.array(sorted(point for point in found if point[1] > 1e-12)).T
