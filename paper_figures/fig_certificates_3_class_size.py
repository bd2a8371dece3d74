"""The certificate against the size of the class: Figure 5 of arXiv:2502.06970, on known truth.

Candidates are random linear classifiers; the best of the first M is selected on n examples and
certified. Its true risk falls with M, the price of the class grows, and the best M grows with n.
Means with intervals of two standard errors. Not the paper's experiment: that one has adapters
sampled from a diffusion model, and only Hoeffding's bound.
"""

import numpy as np

from tlstat.plotting import COLOURS, figure, style

STUDIES = {"size": "../simulations/sim_certificates_selection.py::class_size"}

LINES = {
    "hoeffding": ("Hoeffding (Eq. 3)", COLOURS[1], "s", ":"),
    "binomial": ("binomial tail inversion", COLOURS[0], "o", "-"),
    "risk": ("true risk of the selected", COLOURS[2], "^", "--"),
}


@style()
def draw(results):
    """A panel for each number of examples."""
    sizes = sorted({s.cell["n"] for s in results["size"].samples("risk", {})})
    fig, axes = figure(9.0, 3.2, columns=len(sizes), sharey=True)
    for ax, n in zip(axes, sizes, strict=True):
        for metric, (label, colour, marker, dash) in LINES.items():
            samples = results["size"].samples(metric, {"n": n})
            M = np.array([s.cell["M"] for s in samples])
            mean = np.array([np.mean(s.values) for s in samples])
            error = np.array([np.std(s.values) / np.sqrt(len(s.values)) for s in samples])
            ax.errorbar(
                M,
                mean,
                yerr=2 * error,
                color=colour,
                marker=marker,
                ls=dash,
                label=label,
                capsize=2,
            )
            if metric != "risk":
                best = int(mean.argmin())
                ax.plot(M[best], mean[best], marker="o", ms=11, mfc="none", color=colour, lw=0)
        ax.set(xscale="log", xlabel="candidates $M$", ylim=(0, 0.85), title=f"$n = {n}$ examples")
    axes[0].set_ylabel("risk")
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=3)
    return fig
