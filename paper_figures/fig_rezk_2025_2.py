"""The certificate against the number of sampled candidates: Figure 5 of arXiv:2502.06970.

Candidates are samples of a diffusion model on the sign family; means over new tasks and upstream
worlds, bands of two standard errors over tasks. Circles mark the smallest mean: it moves to the
right with more examples. Dyadic weights need no size in advance.
"""

import numpy as np

from tlstat.plotting import COLOURS, figure, style

STUDIES = {"size": "../simulations/sim_peft_sign.py::class_size"}

LINES = {
    "hoeffding": ("union, Eq. 3", COLOURS[1], "s", ":"),
    "binomial": ("union, binomial", COLOURS[0], "o", "-"),
    "dyadic": ("dyadic weights, binomial", COLOURS[3], "D", "-."),
    "risk": ("true risk of the selected", COLOURS[2], "^", "--"),
    "oracle": ("smallest true risk", "0.5", "v", "--"),
}


@style()
def draw(results):
    """A panel for each number of examples."""
    size = results["size"]
    sizes = sorted({s.cell["n"] for s in size.samples("risk", {})})
    fig, axes = figure(9.0, 3.6, columns=len(sizes), sharey=True)
    for ax, n in zip(axes, sizes, strict=True):
        for metric, (label, colour, marker, dash) in LINES.items():
            M, mean, error = curve(size, metric, n)
            ax.plot(M, mean, color=colour, marker=marker, ms=4, ls=dash, label=label)
            ax.fill_between(M, mean - 2 * error, mean + 2 * error, color=colour, alpha=0.15, lw=0)
            if metric in ("hoeffding", "binomial"):
                best = int(mean.argmin())
                ax.plot(M[best], mean[best], marker="o", ms=11, mfc="none", color=colour, lw=0)
        ax.set(xscale="log", xlabel="candidates $M$", ylim=(0, 0.75), title=f"$n = {n}$ examples")
    axes[0].set_ylabel("risk")
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=len(LINES))
    return fig


def curve(results, metric, n):
    """Sizes, means and standard errors, over worlds and tasks."""
    groups = {}
    for s in results.samples(metric, {"n": n}):
        groups.setdefault(s.cell["M"], []).append(np.asarray(s.values))
    M = np.array(sorted(groups))
    values = [np.concatenate(groups[m]) for m in M]
    error = np.array([v.std(ddof=1) / np.sqrt(v.size) for v in values])
    return M, np.array([v.mean() for v in values]), error
