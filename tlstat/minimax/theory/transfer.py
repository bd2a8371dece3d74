"""Source and target rates, adaptation and sampling cost (Hanneke and Kpotufe, arXiv:2002.04747)."""

from __future__ import annotations

from sympy import And, Ge, Gt, Le, Lt, Max, Min, log, sqrt, symbols

from tlstat.minimax.theory.base import (
    BERNSTEIN_P,
    BERNSTEIN_Q,
    FROM_MEMORY,
    HANNEKE_KPOTUFE,
    MARGINAL,
    OURS,
    SAMPLED,
    SHARED,
    TRANSFER,
    A_n,
    B,
    C,
    beta_P,
    beta_Q,
    d,
    delta,
    eps,
    gamma,
    n_P,
    n_Q,
    rho,
)
from tlstat.theory.bound import Bound, Source

_CLASS = (TRANSFER, BERNSTEIN_P, BERNSTEIN_Q, SHARED, SAMPLED)
_MARGINAL_CLASS = (MARGINAL, BERNSTEIN_P, BERNSTEIN_Q, SHARED, SAMPLED)
_NOISE = And(Ge(beta_P, 0), Le(beta_P, 1), Ge(beta_Q, 0), Le(beta_Q, 1))
_CONFIDENCE = And(Gt(delta, 0), Lt(delta, 1))

_source_power = 1 / ((2 - beta_P) * rho)
_target_power = 1 / (2 - beta_Q)

# ---------------------------------------------------------------- both rates

SOURCE_RATE = Bound(
    name="source rate",
    expr=C * (d / n_P) ** _source_power,
    kind="rate",
    scope="worst case over the class",
    assumptions=(TRANSFER, BERNSTEIN_P, SHARED, SAMPLED),
    source=Source(HANNEKE_KPOTUFE, "minimax rate in n_P", note=FROM_MEMORY),
    valid=And(Ge(beta_P, 0), Le(beta_P, 1)),
    free=("C",),
)
TARGET_RATE = Bound(
    name="target rate",
    expr=C * (d / n_Q) ** _target_power,
    kind="rate",
    scope="worst case over the class",
    assumptions=(BERNSTEIN_Q, SAMPLED),
    source=Source(HANNEKE_KPOTUFE, "minimax rate in n_Q", note=FROM_MEMORY),
    valid=And(Ge(beta_Q, 0), Le(beta_Q, 1)),
    free=("C",),
)
MINIMAX_RATE = Bound(
    name="the smaller of the source and the target rate",
    expr=C * Min((d / n_P) ** _source_power, (d / n_Q) ** _target_power),
    kind="rate",
    scope="worst case over the class",
    assumptions=_CLASS,
    source=Source(HANNEKE_KPOTUFE, "minimax rate, upper and lower bound", note=FROM_MEMORY),
    valid=_NOISE,
    free=("C",),
)
CROSSOVER = Bound(
    name="target samples that n_P source samples are worth",
    expr=C * d * (n_P / d) ** (_source_power / _target_power),
    kind="rate",
    scope="worst case over the class",
    assumptions=_CLASS,
    source=Source(HANNEKE_KPOTUFE, "where both rates are equal", note=FROM_MEMORY),
    valid=_NOISE,
    free=("C",),
)
# The cube needs rho >= 1 for constants of 1; below, its constant C_rho is m^(1 - rho).
LOWER_RATE = Bound(
    name="lower bound for every procedure: the smaller of both rates",
    expr=C * Min((d / n_P) ** _source_power, (d / n_Q) ** _target_power),
    kind="rate",
    scope="all procedures",
    assumptions=_CLASS,
    source=Source(
        HANNEKE_KPOTUFE,
        "minimax lower bound",
        note=f"{FROM_MEMORY}; a finite-sample form with its constant is in `cube`",
    ),
    valid=And(_NOISE, Ge(rho, 1)),
    free=("C",),
)
LOWER_PROBABILITY = Bound(
    name="probability with which every procedure misses the lower rate, on one pair at least",
    expr=(3 - 2 * sqrt(2)) / 8,
    kind="lower",
    scope="all procedures",
    assumptions=_CLASS,
    source=Source(
        HANNEKE_KPOTUFE,
        "minimax lower bound",
        note="(3 - 2 sqrt 2)/8 from memory; implied by Tsybakov's Theorem 2.5, which gives more",
    ),
)

# ------------------------------------------- from the marginals' exponent gamma

RHO_AT_MOST = Bound(
    name="transfer exponent implied by the marginals",
    expr=gamma / beta_P,
    kind="upper",
    scope="worst case over the class",
    assumptions=(MARGINAL, BERNSTEIN_P, SHARED),
    source=Source(HANNEKE_KPOTUFE, "gamma implies rho", note=FROM_MEMORY),
    valid=And(Gt(beta_P, 0), Le(beta_P, 1)),
)
_C_gamma, _C_beta_P = symbols("C_gamma C_beta_P", positive=True)
C_RHO_AT_MOST = Bound(
    name="constant of the transfer exponent implied by the marginals",
    expr=(_C_gamma * _C_beta_P) ** (1 / beta_P),
    kind="upper",
    scope="worst case over the class",
    assumptions=(MARGINAL, BERNSTEIN_P, SHARED),
    source=Source(HANNEKE_KPOTUFE, "gamma implies rho", note=FROM_MEMORY),
    valid=And(Gt(beta_P, 0), Le(beta_P, 1)),
)
_marginal_power = beta_P / ((2 - beta_P) * gamma)
MARGINAL_LOWER_RATE = Bound(
    name="lower bound for every procedure, from gamma: two constructions",
    expr=C
    * Max(
        Min((d / n_P) ** _marginal_power, d / n_Q),
        Min((d / n_P) ** (_marginal_power / beta_Q), (d / n_Q) ** _target_power),
    ),
    kind="rate",
    scope="all procedures",
    assumptions=_MARGINAL_CLASS,
    source=Source(
        HANNEKE_KPOTUFE,
        "lower bound from the marginal transfer exponent",
        note=f"{FROM_MEMORY}; exponents between the two constructions may do better",
    ),
    valid=And(Ge(gamma, 1), Gt(beta_P, 0), Le(beta_P, 1), Gt(beta_Q, 0), Le(beta_Q, 1)),
    free=("C",),
)

# ------------------------------------------------------- procedures, with logs

ADAPTIVE_RATE = Bound(
    name="confidence-set ERM, with its logarithms",
    expr=C * Min(A_n(n_P) ** _source_power, A_n(n_Q) ** _target_power),
    kind="rate",
    scope="worst case over the class",
    sense="probability",
    assumptions=_CLASS,
    source=Source(HANNEKE_KPOTUFE, "adaptive upper bound", note=FROM_MEMORY),
    valid=And(_NOISE, _CONFIDENCE, Ge(n_P, d), Ge(n_Q, d)),
    free=("C",),
)
_floor = symbols("floor", nonnegative=True)
SELECT_RATE = Bound(
    name="selection between source and target ERM, with the source's own floor",
    expr=C * Min(_floor + A_n(n_P) ** _source_power, A_n(n_Q) ** _target_power),
    kind="rate",
    scope="worst case over the class",
    sense="probability",
    assumptions=(TRANSFER, BERNSTEIN_P, BERNSTEIN_Q, SAMPLED),
    source=Source(
        HANNEKE_KPOTUFE,
        "adaptive upper bound without a shared best classifier",
        note=f"{FROM_MEMORY}; floor is E_Q(h*_P)",
    ),
    valid=And(_NOISE, _CONFIDENCE, Ge(n_P, d), Ge(n_Q, d)),
    free=("C",),
)
REWEIGHTED_RATE = Bound(
    name="source ERM with weights bounded by B: the effective sample is n_P / B",
    expr=C * (B * A_n(n_P)) ** _source_power,
    kind="rate",
    scope="worst case over the class",
    sense="probability",
    assumptions=(TRANSFER, BERNSTEIN_P, SHARED, SAMPLED),
    source=Source(
        HANNEKE_KPOTUFE,
        "reweighting the source",
        note=f"{FROM_MEMORY}; rho and beta_P are those of the reweighted source",
    ),
    valid=And(Ge(beta_P, 0), Le(beta_P, 1), _CONFIDENCE, Ge(n_P, d), Ge(B, 1)),
    free=("C",),
)
WEAK_MODULUS = Bound(
    name="largest target excess of a classifier with source excess eps",
    expr=(symbols("C_rho", positive=True) * eps) ** (1 / rho),
    kind="upper",
    scope="worst case over the class",
    assumptions=(TRANSFER, SHARED),
    source=Source(
        "arXiv:2408.16189", "weak modulus of transfer", note="definition from memory; bound ours"
    ),
)

# -------------------------------------------------------------- sampling cost

_effort = d * log(1 / eps) + log(1 / delta)
TARGET_NEED = Bound(
    name="target labels for excess eps",
    expr=C * eps ** (-(2 - beta_Q)) * _effort,
    kind="rate",
    scope="worst case over the class",
    sense="probability",
    assumptions=(BERNSTEIN_Q, SAMPLED),
    source=Source(HANNEKE_KPOTUFE, "sampling cost", note=FROM_MEMORY),
    valid=And(Lt(eps, 1), _CONFIDENCE),
    free=("C",),
)
SOURCE_NEED = Bound(
    name="source labels for excess eps, where rho is known",
    expr=C * eps ** (-(2 - beta_P) * rho) * _effort,
    kind="rate",
    scope="worst case over the class",
    sense="probability",
    assumptions=(TRANSFER, BERNSTEIN_P, SHARED, SAMPLED),
    source=Source(HANNEKE_KPOTUFE, "sampling cost", note=FROM_MEMORY),
    valid=And(Lt(eps, 1), _CONFIDENCE),
    free=("C",),
)
SOURCE_NEED_CERTIFIED = Bound(
    name="source labels until unlabelled target data certify excess eps",
    expr=C * eps ** (-(2 - beta_P) * gamma / beta_P) * _effort,
    kind="rate",
    scope="worst case over the class",
    sense="probability",
    assumptions=(MARGINAL, BERNSTEIN_P, SHARED, SAMPLED),
    source=Source(
        HANNEKE_KPOTUFE,
        "sampling cost, adaptive",
        note=f"{FROM_MEMORY}; a diameter is certified, so gamma and not rho decides",
    ),
    valid=And(Lt(eps, 1), Gt(beta_P, 0), Le(beta_P, 1), _CONFIDENCE),
    free=("C",),
)
UNLABELLED_NEED = Bound(
    name="unlabelled target points for certificates at scale eps",
    expr=C * _effort / eps,
    kind="rate",
    scope="worst case over the class",
    sense="probability",
    assumptions=(SAMPLED,),
    source=Source(HANNEKE_KPOTUFE, "sampling cost, adaptive", note=FROM_MEMORY),
    valid=And(Lt(eps, 1), _CONFIDENCE),
    free=("C",),
)
_price_P, _price_Q, _C_P, _C_Q = symbols("price_P price_Q C_P C_Q", positive=True)
ORACLE_COST = Bound(
    name="cost of the cheaper single sample, linear prices",
    expr=Min(
        _price_P * d * (_C_P / eps) ** (1 / _source_power),
        _price_Q * d * (_C_Q / eps) ** (1 / _target_power),
    ),
    kind="exact",
    scope="the min of two rates with constants C_P and C_Q",
    source=Source(HANNEKE_KPOTUFE, "sampling cost", note=f"without logarithms: {OURS}"),
    valid=And(_NOISE, Lt(eps, 1)),
)

__all__ = [name for name, value in list(globals().items()) if isinstance(value, Bound)]
