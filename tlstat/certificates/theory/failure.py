"""Exact probabilities with which certificates fail, and levels that are controlled."""

from __future__ import annotations

from typing import Any

import numpy as np
from sympy import And, Ge, Gt, Le, Lt

from tlstat.certificates.base import FIXED, INDEPENDENT
from tlstat.certificates.inversion import log_binomial_cdf
from tlstat.certificates.point import binomial_tail_inversion
from tlstat.certificates.sequential import betting_anytime
from tlstat.certificates.theory.common import LEVELS, OURS, PAPER, M, alpha, delta, k, log_inv, n, p
from tlstat.theory.bound import Assumption, Bound, Source

# -------------------------------------------------- exact probabilities of failure

LEVEL = Bound(
    name="the promised probability of failure",
    expr=delta,
    kind="exact",
    scope="every instance",
    source=Source("Clopper and Pearson, Biometrika 26 (1934)", "definition of the limits"),
    valid=LEVELS,
)
ANYTIME_LEVEL = Bound(
    name="the promised probability of ever failing, at any stopping time",
    expr=delta,
    kind="exact",
    scope="every stopping time",
    assumptions=betting_anytime.assumptions,
    source=betting_anytime.source,
    valid=LEVELS,
)
FAMILYWISE_LEVEL = Bound(
    name="the promised probability that any certified candidate exceeds the level",
    expr=delta,
    kind="exact",
    scope="every set of candidates",
    assumptions=(FIXED, INDEPENDENT),
    source=Source("arXiv:2110.01052", "Theorem 1"),
    valid=LEVELS,
)


def _critical(p: Any, n: Any, M: Any, delta: Any) -> Any:
    """The largest count whose certificate fails at risk p, -1 if there is none."""
    p, n, M, delta = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (p, n, M, delta)))
    out = np.empty(p.shape)
    for at in np.ndindex(p.shape):
        counts = np.arange(n[at] + 1)
        limits = binomial_tail_inversion(counts, n[at], log_inv_delta=log_inv(M[at], delta[at]))
        out[at] = np.count_nonzero(limits < p[at]) - 1
    return out


def _one_fails(p: Any, n: Any, M: Any, delta: Any) -> Any:
    """P(the certificate at delta/M of one candidate fails)."""
    k = _critical(p, n, M, delta)
    tail = np.exp(log_binomial_cdf(np.maximum(k, 0), n, p))
    return np.where(k < 0, 0.0, tail)


def _smallest_fails(p: Any, n: Any, M: Any, delta: Any) -> Any:
    return -np.expm1(np.asarray(M, float) * np.log1p(-_one_fails(p, n, M, delta)))


def _unpaid_fails(p: Any, n: Any, M: Any, delta: Any) -> Any:
    return -np.expm1(np.asarray(M, float) * np.log1p(-_one_fails(p, n, 1.0, delta)))


_INDEPENDENT = Assumption(
    "independent candidates", "M candidates of equal risk p make their errors independently"
)
_AT_RISK = And(LEVELS, Ge(n, 1), Ge(M, 1), Gt(p, 0), Lt(p, 1))
UNION_FAILURE = Bound(
    name="binomial inversion with the union bound fails on the best of M",
    value=lambda p, n, M, delta: _smallest_fails(p, n, M, delta),
    symbols=("p", "n", "M", "delta"),
    kind="exact",
    scope="independent candidates of equal risk",
    assumptions=(_INDEPENDENT,),
    source=Source(PAPER, "Eq. 3 with binomial inversion", OURS),
    valid=_AT_RISK,
)
NO_UNION_FAILURE = Bound(
    name="binomial inversion without the union bound fails on the best of M",
    value=lambda p, n, M, delta: _unpaid_fails(p, n, M, delta),
    symbols=("p", "n", "M", "delta"),
    kind="exact",
    scope="independent candidates of equal risk",
    assumptions=(_INDEPENDENT,),
    source=Source(PAPER, "Eq. 3 with binomial inversion", OURS),
    valid=_AT_RISK,
)
STRATIFIED_TAIL = Bound(
    name="lower tail of a sum of unequal Bernoullis with mean risk p, at k <= n p - 1",
    value=lambda k, n, p: np.exp(log_binomial_cdf(k, n, p)),
    symbols=("k", "n", "p"),
    kind="upper",
    assumptions=(INDEPENDENT,),
    source=Source("Hoeffding, Ann. Math. Statist. 27 (1956)", "Theorem 5"),
    valid=And(Ge(n, 1), Ge(k, 0), Gt(p, 0), Le(p, 1), Le(k, n * p - 1)),
)

# --------------------------------------------------------------- control of a risk

CONTROLLED = Bound(
    name="the level at which the risk is controlled",
    expr=alpha,
    kind="upper",
    scope="every instance",
    assumptions=(Assumption("exchangeable", "the examples and the next one are exchangeable"),),
    source=Source("arXiv:2208.02814", "Theorem 1"),
    valid=And(Gt(alpha, 0), Lt(alpha, 1)),
)


def failure(limits: Any) -> tuple[float, float]:
    """How often limits of an error count lie below the risk: at the worst risk, and on average.

    Parameters
    ----------
    limits : array_like, shape (n + 1,)
        The upper limit for ``k = 0, ..., n`` errors.

    Returns
    -------
    worst : float
        ``sup_p P(limit(K) < p)`` for ``K ~ Bin(n, p)``; the supremum is approached from above at
        one of the limits.
    mean : float
        Its integral over ``p`` in (0, 1).
    """
    from scipy.special import betaincc
    from scipy.stats import binom

    limits = np.asarray(limits, dtype=float)
    n = len(limits) - 1
    k = np.arange(n + 1)
    risks = np.unique(limits[(limits > 0) & (limits < 1)])
    wrong = limits <= risks[:, None]
    worst = np.sum(binom.pmf(k, n, risks[:, None]) * wrong, axis=1)
    # limits of 0 fail at every risk above 0
    certain = float(np.max(limits <= 0))
    below = np.clip(limits, 0, 1)
    mean = float(np.sum(betaincc(k + 1, n - k + 1, below)) / (n + 1))
    return max([certain, *map(float, worst)]), mean
