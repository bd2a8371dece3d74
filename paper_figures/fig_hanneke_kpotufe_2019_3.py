"""Hanneke and Kpotufe (2019), sampling cost: mixtures against the bang-bang oracle.

Noise-free power thresholds, excess risk 0.001, everything exact. Left: pairs of sample sizes that
reach it, in units of what either sample needs alone; a corner is the min of two rates, the straight
line is what the same money buys at the tie. Right: what the cheapest mixture saves over the cheaper
single sample, against the source's price in units of the tie's.
"""

import numpy as np

from tlstat.minimax.cost import cost_optimal, samples_needed
from tlstat.minimax.models import PowerThresholds
from tlstat.minimax.risk import exact_risk
from tlstat.plotting import COLOURS, figure, style

STUDIES = {"mixtures": "../simulations/sim_minimax_cost.py::mixtures"}

GAMMAS = (0.5, 2.0, 3.0)
EPS = 1e-3


@style()
def draw(results):
    """Iso-risk curves, and savings."""
    fig, (left, right) = figure(9.0, 3.7, columns=2)
    for colour, marker, gamma in zip(COLOURS, "osD", GAMMAS, strict=False):
        model = PowerThresholds(gamma, 1.0, c_P=1.0, c_Q=1.0)
        label = f"$\\gamma = {gamma:g}$"
        left.plot(*iso_risk(model), color=colour, label=label)
        kappa, saving = savings(model)
        right.plot(kappa, 100 * saving, color=colour)
        samples = results["mixtures"].samples("saving", {"gamma": gamma})
        right.plot(
            [s.cell["kappa"] for s in samples],
            [100 * s.exact.value for s in samples],
            marker,
            color=colour,
            ms=4.5,
            label=label,
        )
    left.plot([0, 1, 1], [1, 1, 0], color="0.4", ls="--", lw=1, label="min of two rates")
    left.plot([0, 1], [1, 0], color="0.4", ls=":", lw=1, label="equal cost at the tie")
    left.set(
        xlabel="$n_P$ / source points needed alone",
        ylabel="$n_Q$ / target points needed alone",
        xlim=(0, 1.05),
        ylim=(0, 1.05),
    )
    left.legend(loc="lower left")
    ticks = [0.25, 0.5, 1, 2, 4]
    right.set(
        xscale="log",
        xlabel="source price / price at the tie",
        ylabel="saved by a mixture, %",
        ylim=(-0.5, 19),
    )
    right.set_xticks(ticks, [f"{t:g}" for t in ticks], minor=False)
    right.minorticks_off()
    right.legend(loc="upper left")
    return fig


def iso_risk(model):
    """Shares of the single-sample sizes along the curve of equal risk."""
    alone = samples_needed(lambda n: exact_risk(model, n, 0), EPS)
    target = samples_needed(lambda n: exact_risk(model, 0, n), EPS)
    shares = np.linspace(0, 1, 41)
    n_P = np.round(shares * alone).astype(int)
    n_Q = [samples_needed(lambda m, n=int(n): exact_risk(model, n, m), EPS) for n in n_P]
    return n_P / alone, np.array(n_Q) / target


def savings(model):
    """What the cheapest purchase saves, at prices around the tie."""
    kappas = np.geomspace(0.25, 4, 33)

    def risk(n_P, n_Q):
        return exact_risk(model, n_P, n_Q)

    tie = cost_optimal(risk, EPS, rtol=0.5).tie_ratio
    found = [cost_optimal(risk, EPS, price_P=k, price_Q=tie, rtol=1e-3) for k in kappas]
    return kappas, np.array([one.saving for one in found])
