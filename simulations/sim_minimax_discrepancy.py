"""Discrepancy bounds are valid, and say nothing: H-divergence and its relatives against the truth.

One-sided thresholds without noise. Source ERM transfers at the rate of its exponent while every
bound that adds a distance between the marginals stays where it is, localised or not (the examples
of arXiv:2002.04747; the bound of Ben-David et al., 2010, in its population form).
"""

import numpy as np
from scipy.optimize import minimize_scalar

from tlstat import Exact, geometric, grid, study
from tlstat.minimax import theory
from tlstat.theory import at_least, at_most, equals, rate

N = geometric(100, 100_000_000, 7)


def ben_david(cell, model):
    """Source risk plus half of the divergence; the best joint risk is 0 here."""
    divergence = theory.POWER_DIVERGENCE(gamma=cell.gamma, q=1.0)
    # the source risk of source ERM is that of target ERM where both marginals are equal
    source = theory.NOISE_FREE_TARGET(gamma=1.0, q=1.0, n_Q=cell.n_P)
    return float(
        theory.BEN_DAVID_BOUND(epsilon_P=source, divergence=divergence, **{"lambda": 1e-300})
    )


@study(
    design=grid(gamma=[0.5, 2.0, 3.0], n_P=N),
    replicates=0,
    claims=[
        at_most("risk", ben_david, name="the divergence bound is valid"),
        rate(
            "risk",
            along="n_P",
            bound=theory.NOISE_FREE_SOURCE_LIMIT,
            at={"q": 1.0},
            tolerance=0.01,
            where={"n_P": [n for n in N if n >= 10_000]},
        ),
        rate("bound", along="n_P", bound=1.0, where={"n_P": [n for n in N if n >= 10_000]},
             tolerance=0.01, name="the divergence bound does not fall"),
        rate(
            "bound",
            along="n_P",
            bound=theory.NOISE_FREE_SOURCE_LIMIT,
            at={"q": 1.0},
            expect="refuted",
            name="the divergence bound falls like the risk (false)",
        ),
        at_least(
            "times_too_large",
            lambda cell, model: 1_000.0,
            where={"gamma": 2.0, "n_P": N[-1]},
            name="at 10^8 the bound is a thousand times the risk",
        ),
    ],
)  # fmt: skip
def powers(cell, rng, size):
    """Power marginals: exact risk of right-end source ERM beside the bound on it."""
    risk = float(theory.NOISE_FREE_SOURCE(gamma=cell.gamma, q=1.0, n_P=cell.n_P))
    bound = ben_david(cell, None)
    return {
        "risk": Exact(risk, 1e-14 * risk),
        "bound": Exact(bound, 1e-14),
        "times_too_large": Exact(bound / risk, 1e-12 * bound / risk),
    }


@study(
    design=grid(theta=[0.1, 0.2, 0.35, 0.6, 0.8]),
    replicates=0,
    claims=[
        equals("discrepancy", theory.UNIFORM_DISCREPANCY, rtol=1e-6),
        at_least("discrepancy", 0.25, tolerance=1e-6),
        at_most(
            "constant", 2.0, tolerance=1e-6, name="the transfer exponent is 1, with constant 2"
        ),
    ],
)
def uniform(cell, rng, size):
    """Source U[0, 2], target U[0, 1]: a large discrepancy and yet an easy transfer."""

    def excess(t):
        source, target = np.abs(t - cell.theta) / 2, np.abs(np.minimum(t, 1.0) - cell.theta)
        return source, target

    t = np.linspace(0, 2, 4_001)
    source, target = excess(t)
    best = int(np.argmax(np.abs(source - target)))
    found = minimize_scalar(
        lambda x: -abs(float(np.subtract(*excess(x)))),
        bounds=(t[max(best - 1, 0)], t[min(best + 1, 4_000)]),
        method="bounded",
        options={"xatol": 1e-12},
    )
    away = source > 1e-9
    return {
        "discrepancy": Exact(max(-float(found.fun), float(abs(source - target)[best])), 1e-10),
        "constant": Exact(float((target[away] / source[away]).max()), 1e-10),
    }


@study(
    design=grid(gamma=[1.5, 2.0, 4.0], r=geometric(1e-6, 1e-2, 5)),
    replicates=0,
    claims=[
        equals("gap", theory.LOCAL_DISCREPANCY, rtol=1e-6),
        rate(
            "gap",
            along="r",
            bound=lambda cell, model: cell.r,
            tolerance=0.01,
            where={"gamma": [2.0, 4.0]},
            name="localised to excess r, the discrepancy is of order r",
        ),
    ],
)
def localised(cell, rng, size):
    """Among hypotheses with target excess at most r: masses still differ by about r."""
    found = minimize_scalar(
        lambda u: -abs(u * cell.r - (2 * u * cell.r) ** cell.gamma / 2) / cell.r,
        bounds=(0.0, 1.0),
        method="bounded",
        options={"xatol": 1e-13},
    )
    ends = abs(cell.r - (2 * cell.r) ** cell.gamma / 2)
    return {"gap": Exact(max(-float(found.fun) * cell.r, ends), 1e-9 * cell.r)}


@study(
    design=grid(gamma=2.0, n_P=[1_000, 1_000_000], m=geometric(100, 1_000_000, 5), delta=0.05),
    replicates=0,
    claims=[
        at_least(
            "bound",
            lambda cell, model: 0.5,
            where={"m": [100, 1_000]},
            name="estimating the divergence from 1000 points alone costs more than guessing",
        ),
    ],
)
def estimated(cell, rng, size):
    """With the divergence estimated from m unlabelled points of each kind (VC dimension 2)."""
    extra = theory.BEN_DAVID_ESTIMATION(d=2, m=cell.m, delta=cell.delta)
    return {"bound": Exact(ben_david(cell, None) + float(extra), 1e-12)}
