"""How often certificates fail: at every risk for one candidate, and on the best of many.

Left: exact probabilities that the limit from 64 examples lies below the risk; the sawteeth come
from the discreteness of the count. Right: independent candidates of risk .3, of which the best is
certified by binomial tail inversion; points are simulated with exact 99 percent intervals, lines
are exact.
"""

import numpy as np

from tlstat.certificates import CERTIFICATES, theory
from tlstat.plotting import COLOURS, figure, style
from tlstat.theory.intervals import clopper_pearson

STUDIES = {"many": "../simulations/sim_certificates_coverage.py::many_candidates"}

N, DELTA = 64, 0.05
ONE = {
    "binomial_tail_inversion": "binomial tail inversion",
    "kl_inverse": "Chernoff (kl)",
    "hoeffding": "Hoeffding",
}


@style()
def draw(results):
    """Two panels with the promised level as a line."""
    fig, (left, right) = figure(9.0, 3.4, columns=2)
    one_candidate(left)
    many_candidates(right, results["many"])
    for ax, letter in ((left, "a"), (right, "b")):
        ax.axhline(DELTA, color="black", lw=1, ls="--")
        ax.set_ylabel("probability of failure")
        ax.set_title(f"({letter})  " + ax.get_title())
    return fig


def one_candidate(ax):
    """Exact failure of each certificate along the risk."""
    from scipy.stats import binom

    k = np.arange(N + 1)
    p = np.linspace(0.001, 0.999, 3_000)
    law = binom.pmf(k, N, p[:, None])
    for colour, (name, label) in zip(COLOURS, ONE.items(), strict=False):
        limits = CERTIFICATES[name](k, N, delta=DELTA)
        ax.plot(p, np.sum(law * (limits < p[:, None]), axis=1), color=colour, lw=1, label=label)
    ax.set(xlabel="risk", xlim=(0, 1), ylim=(0, 0.072), title=f"one candidate, $n = {N}$")
    ax.legend(loc="upper center", ncols=3, columnspacing=1.0, handlelength=1.4, fontsize=7.5)


def many_candidates(ax, results):
    """Simulated and exact failure, with and without the union bound."""
    M = np.unique(np.round(np.geomspace(1, 1_000, 60)))
    for union, bound, colour, label in (
        (True, theory.UNION_FAILURE, COLOURS[0], r"certified at $\delta/M$"),
        (False, theory.NO_UNION_FAILURE, COLOURS[1], r"certified at $\delta$ (invalid)"),
    ):
        ax.plot(M, bound(p=0.3, n=N, M=M, delta=DELTA), color=colour, label=label)
        for sample in results.samples("failed", {"union": union}):
            values = np.asarray(sample.values)
            low, high = clopper_pearson(int(values.sum()), len(values), 0.005)
            ax.errorbar(
                sample.cell["M"],
                values.mean(),
                yerr=[[values.mean() - low], [high - values.mean()]],
                fmt="o" if union else "s",
                color=colour,
                capsize=3,
            )
    ax.set(xscale="log", yscale="log", ylim=(0.01, 1.3), xlabel="number of candidates $M$")
    ax.set_title(f"best of $M$ candidates of risk .3, $n = {N}$")
    ax.legend(loc="center right")
