"""Neighbouring theories: other exponents, several sources, Gaussian transfer, discrepancies.

The same letters, other meanings: ``gamma`` multiplies exponents in Hanneke and Kpotufe (no shift
is 1), is *added* to the dimension in Kpotufe and Martinet (no shift is 0), and is a power of the
*signal* in Cai and Wei. ``alpha`` is smoothness and ``beta`` the margin in Kpotufe and Martinet,
the other way round in Cai and Wei. Here ``d`` is the dimension of the inputs, but the VC dimension
in the bounds on several sources.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sympy import Abs, And, Ge, Gt, Le, Lt, Min, Ne, Piecewise, Rational, log, sqrt, symbols

from tlstat.minimax.theory.base import FROM_MEMORY, OURS, C, d, delta, gamma, n_P, n_Q
from tlstat.theory.bound import Bound, Source

KPOTUFE_MARTINET = "arXiv:1803.01833"
CAI_WEI = "arXiv:1906.02903"
MULTITASK = "arXiv:2006.15785"
GAUSSIAN = "arXiv:2006.10581"
BEN_DAVID = "doi:10.1007/s10994-009-5152-4"

alpha, beta = symbols("alpha beta", nonnegative=True)
_CLASS = "worst case over the class"

# ------------------------------------------------- Kpotufe and Martinet: marginal singularity


def _singularity(name: str, d_0: Any, note: str) -> Bound:
    effective = n_P ** (d_0 / (d_0 + gamma / alpha)) + n_Q
    return Bound(
        name=name,
        expr=C * effective ** (-(1 + beta) / d_0),
        kind="rate",
        scope=_CLASS,
        source=Source(KPOTUFE_MARTINET, "minimax rate", note=note),
        valid=And(Gt(alpha, 0), Le(alpha, 1)),
        free=("C",),
    )


SINGULARITY_RATE = _singularity(
    "marginal singularity: minimax rate, doubling measures", 2 + d / alpha, FROM_MEMORY
)
SINGULARITY_RATE_COVERING = _singularity(
    "marginal singularity: minimax rate, bounded covering numbers",
    2 + beta + d / alpha,
    "from memory, not derived again",
)
SINGULARITY_SOURCE_RATE = Bound(
    name="marginal singularity: source alone",
    expr=C * n_P ** (-alpha * (1 + beta) / (2 * alpha + d + gamma)),
    kind="rate",
    scope=_CLASS,
    source=Source(KPOTUFE_MARTINET, "minimax rate at n_Q = 0", note=FROM_MEMORY),
    valid=And(Gt(alpha, 0), Le(alpha, 1)),
    free=("C",),
)
SINGULARITY_CROSSOVER = Bound(
    name="marginal singularity: target samples that n_P source samples are worth",
    expr=C * n_P ** ((2 * alpha + d) / (2 * alpha + d + gamma)),
    kind="rate",
    scope=_CLASS,
    source=Source(KPOTUFE_MARTINET, "where both terms are equal", note=FROM_MEMORY),
    valid=And(Gt(alpha, 0), Le(alpha, 1)),
    free=("C",),
)

# --------------------------------------------------------- Cai and Wei: posterior drift

DRIFT_RATE = Bound(
    name="posterior drift: minimax rate",
    expr=C
    * (n_P ** ((2 * beta + d) / (2 * gamma * beta + d)) + n_Q)
    ** (-beta * (1 + alpha) / (2 * beta + d)),
    kind="rate",
    scope=_CLASS,
    source=Source(CAI_WEI, "minimax rate", note=FROM_MEMORY),
    valid=And(Gt(beta, 0), Le(beta, 1), Le(alpha * beta, d)),
    free=("C",),
)
DRIFT_SOURCE_RATE = Bound(
    name="posterior drift: source alone",
    expr=C * n_P ** (-beta * (1 + alpha) / (2 * gamma * beta + d)),
    kind="rate",
    scope=_CLASS,
    source=Source(CAI_WEI, "minimax rate at n_Q = 0", note=FROM_MEMORY),
    valid=And(Gt(beta, 0), Le(beta, 1), Le(alpha * beta, d)),
    free=("C",),
)
DRIFT_CROSSOVER = Bound(
    name="posterior drift: target samples that n_P source samples are worth",
    expr=C * n_P ** ((2 * beta + d) / (2 * gamma * beta + d)),
    kind="rate",
    scope=_CLASS,
    source=Source(CAI_WEI, "where both terms are equal", note=FROM_MEMORY),
    valid=And(Gt(beta, 0), Le(beta, 1), Le(alpha * beta, d)),
    free=("C",),
)


# -------------------------- both, as numbers: local label flips on one ball of radius r


@np.vectorize
def _singularity_lower(
    alpha: float, beta: float, gamma: float, d: float, n_P: float, n_Q: float
) -> float:
    from tlstat.minimax.local_bounds import marginal_singularity_bound

    classes = {"smoothness": float(alpha), "margin": float(beta), "singularity": float(gamma)}
    return float(marginal_singularity_bound(n_P, n_Q, **classes, dim=int(d)).value)


@np.vectorize
def _drift_lower(
    alpha: float, beta: float, gamma: float, d: float, n_P: float, n_Q: float
) -> float:
    from tlstat.minimax.local_bounds import posterior_drift_bound

    classes = {"smoothness": float(beta), "margin": float(alpha), "signal": float(gamma)}
    return float(posterior_drift_bound(n_P, n_Q, **classes, dim=int(d)).value)


def _exact(name: str, value: Any, ref: str) -> Bound:
    return Bound(
        name=name,
        value=lambda **at: value(*(at[s] for s in ("alpha", "beta", "gamma", "d", "n_P", "n_Q"))),
        symbols=("alpha", "beta", "gamma", "d", "n_P", "n_Q"),
        kind="lower",
        scope="all procedures",
        source=Source(
            ref, "lower bound", note=f"up to the class's constants; exact kernel: {OURS}"
        ),
    )


SINGULARITY_LOWER = _exact(
    "marginal singularity: label flips on one ball", _singularity_lower, KPOTUFE_MARTINET
)
DRIFT_LOWER = _exact("posterior drift: label flips on one ball", _drift_lower, CAI_WEI)

# ------------------------------------------------------------------ several sources

n_1, n_2, rho_1, rho_2 = symbols("n_1 n_2 rho_1 rho_2", positive=True)
_both = n_1 + n_2
_pooled_rho = (n_1 * rho_1 + n_2 * rho_2) / _both
POOLED_RHO = Bound(
    name="transfer exponent of two pooled sources",
    expr=_pooled_rho,
    kind="upper",
    scope=_CLASS,
    source=Source(MULTITASK, "pooling", note=f"{FROM_MEMORY}: Jensen's inequality"),
)
TWO_SOURCES_RATE = Bound(
    name="oracle rate of two sources with a common best classifier, rho_1 <= rho_2",
    expr=C
    * Min(
        (d / n_1) ** (1 / ((2 - beta) * rho_1)),
        (d / _both) ** (1 / ((2 - beta) * _pooled_rho)),
    ),
    kind="rate",
    scope=_CLASS,
    source=Source(MULTITASK, "oracle rate", note=FROM_MEMORY),
    valid=And(Le(beta, 1), Le(rho_1, rho_2)),
    free=("C",),
)

# --------------------------------------------------------- Gaussian transfer, exact up to 1.25
# n_S and n_T points of noise sigma about two vectors of R^D that are at most Delta apart

D, n_S, n_T, sigma = symbols("D n_S n_T sigma", positive=True)
Delta = symbols("Delta", nonnegative=True)
_v_T, _s = sigma**2 / n_T, sigma**2 / n_S + sigma**2 / n_T
_shared = D * sigma**2 / (n_S + n_T)
_ball = D * _s * Delta**2 / (Delta**2 + D * _s)


def _gaussian(name: str, expr: Any, kind: Any, note: str, **more: Any) -> Bound:
    return Bound(
        name=name,
        expr=expr,
        kind=kind,
        scope=_CLASS if kind != "lower" else "all procedures",
        source=Source(GAUSSIAN, "linear regression, as a sequence model", note=note),
        **more,
    )


GAUSSIAN_UPPER = _gaussian(
    "Gaussian transfer: the best linear estimator",
    _shared + (_v_T / _s) ** 2 * _ball,
    "upper",
    OURS,
)
GAUSSIAN_LOWER = _gaussian(
    "Gaussian transfer: lower bound for every procedure",
    _shared + (_v_T / _s) ** 2 * _ball / Rational(5, 4),
    "lower",
    f"{OURS}; the factor 1.25 between linear and minimax risk on a ball is classical",
)
GAUSSIAN_REGIMES = _gaussian(
    "Gaussian transfer: three regimes of the distance",
    C * Min(D * _v_T, Delta**2 + _shared),
    "rate",
    f"{FROM_MEMORY}; the paper's constants were not checked",
    free=("C",),
)

# ------------------------------------------------- discrepancies: valid, and vacuous

q, theta, r, m, epsilon_P, divergence, lam = symbols(
    "q theta r m epsilon_P divergence lambda", positive=True
)
BEN_DAVID_BOUND = Bound(
    name="target risk by source risk and H-divergence",
    expr=epsilon_P + divergence / 2 + lam,
    kind="upper",
    scope="every instance",
    source=Source(BEN_DAVID, "Theorem 2", note="population form; number from memory"),
)
BEN_DAVID_ESTIMATION = Bound(
    name="what estimating the H-divergence from m points of each marginal adds",
    expr=4 * sqrt((2 * d * log(2 * m) + log(2 / delta)) / m),
    kind="upper",
    scope="every instance",
    sense="probability",
    source=Source(BEN_DAVID, "Lemma 1", note="from memory, not derived again"),
    valid=And(Gt(delta, 0), Lt(delta, 1)),
)
POWER_DIVERGENCE = Bound(
    name="H-divergence of two power marginals, one-sided thresholds",
    expr=2 * Abs((gamma / q) ** (gamma / (q - gamma)) - (gamma / q) ** (q / (q - gamma))),
    kind="exact",
    scope="power thresholds",
    source=Source(BEN_DAVID, "definition of the divergence", note=OURS),
    valid=Ne(gamma, q),
)
UNIFORM_DISCREPANCY = Bound(
    name="largest gap between source and target excess: U[0,2] and U[0,1], threshold theta",
    expr=(1 + Abs(2 * theta - 1)) / 4,
    kind="exact",
    scope="one-sided thresholds without noise",
    source=Source("arXiv:2002.04747", "example: large discrepancy, easy transfer", note=OURS),
    valid=And(Gt(theta, 0), Lt(theta, 1)),
)
LOCAL_DISCREPANCY = Bound(
    name="gap between source and target mass within target excess r, singular source",
    expr=r - (2 * r) ** gamma / 2,
    kind="exact",
    scope="noise-free power thresholds with q = 1, gamma above 1, small r",
    source=Source("arXiv:2002.04747", "localised discrepancies", note=OURS),
    valid=And(Gt(gamma, 1), Le(2 * r, gamma ** (-1 / (gamma - 1)))),
)
_B, _D, m_Q, m_P, a = symbols("B D m_Q m_P a", nonnegative=True)
_total = m_P + m_Q
BEN_DAVID_OBJECTIVE = Bound(
    name="bound on weighted ERM as a function of the target's weight a, up to constants",
    expr=2 * _B * sqrt(a**2 * _total / m_Q + (1 - a) ** 2 * _total / m_P)
    + 2 * (1 - a) * symbols("A", nonnegative=True),
    kind="upper",
    scope="every instance",
    source=Source(BEN_DAVID, "learning from several domains", note="from memory"),
    valid=And(Gt(m_P, 0), Gt(m_Q, 0), Ge(a, 0), Le(a, 1)),
)
BEN_DAVID_WEIGHT = Bound(
    name="weight of the target that minimises the bound on weighted ERM",
    expr=Piecewise(
        (1, m_Q >= _D**2),
        (Min(1, m_Q / _total * (1 + m_P / sqrt(_D**2 * _total - m_P * m_Q))), True),
    ),
    kind="exact",
    scope="the bound, not the risk",
    source=Source(BEN_DAVID, "optimal weight", note=FROM_MEMORY),
    valid=And(Gt(m_P, 0), Gt(m_Q, 0), Gt(_D, 0)),
)

__all__ = [name for name, value in list(globals().items()) if isinstance(value, Bound)]
