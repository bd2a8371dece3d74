"""How far the estimated representation is from the truth, with constants (ours).

``F^2 = |sin Theta(B_hat, B)|_F^2`` in expectation, for unit heads with ``C = A'A/t`` diagonal:
the general covariances and their derivation stand in `limit`. Write ``T1 = tr C^-1`` and
``T2 = tr C^-2`` (``trace_inverse``, ``trace_inverse_squared``; `TRACES` gives them to a claim).

* The method of moments does not become exact as ``sigma -> 0``: ``1 + sigma^2`` is all it sees.
* ERM pays ``r`` of the ``n`` samples of each task for its head, and nothing is left at ``n = r``.
  Its first term is the Cramer-Rao bound; the second is what estimated heads cost.
* With equal eigenvalues ``1/r``: order ``d r^3/N`` for moments, ``d r^2/N`` for the other two.

These are leading terms. Simulation shows them within some percent as long as the squared sine of
the worst direction is predicted to be at most 0.15, which every bound here assumes.
"""

from __future__ import annotations

from typing import Any

from sympy import Gt, sqrt

from tlstat.task_diversity.theory.base import (
    EQUAL,
    GAUSSIAN,
    MANY_TASKS,
    NORMAL_NOISE,
    OURS,
    PAPER_2021,
    RANDOM_HEADS,
    UNIT_HEADS,
    d,
    n,
    near,
    r,
    sigma,
    t,
    trace_inverse,
    trace_inverse_squared,
)
from tlstat.theory.bound import Assumption, Bound, Source

__all__ = [
    "ERM_ERROR",
    "ERM_ERROR_EQUAL",
    "ERM_ERROR_LARGEST",
    "ERM_ERROR_RANDOM_HEADS",
    "MOMENTS_ERROR",
    "MOMENTS_ERROR_EQUAL",
    "MOMENTS_ERROR_LARGEST",
    "MOMENTS_ERROR_RANDOM_HEADS",
    "SQUARED_DISTANCE",
    "SPLIT_HALF_ERROR",
    "U_STATISTIC_ERROR",
    "U_STATISTIC_ERROR_EQUAL",
    "U_STATISTIC_ERROR_LARGEST",
]

_s2 = 1 + sigma**2
_T1, _T2 = trace_inverse, trace_inverse_squared
_WORDS = {
    "moments": "the method of moments",
    "u-statistic": "the U-statistic",
    "split-half": "the split-half U-statistic",
    "erm": "ERM",
}


def _law(method: str, expr: Any, *needs: Assumption, what: str = "", valid: Any = None) -> Bound:
    name = f"{what or 'squared distance'} of {_WORDS[method]}, leading term"
    linear = (near(method),) if RANDOM_HEADS not in needs else ()
    return Bound(
        name=name,
        expr=expr,
        kind="exact",
        assumptions=(GAUSSIAN, NORMAL_NOISE, MANY_TASKS, *needs, *linear),
        source=Source(PAPER_2021, "its model and estimators", note=OURS),
        valid=valid,
    )


_moments = (d - r) / (4 * n * t) * (3 * _s2**2 * _T2 + 12 * _s2 * _T1)
_pairs = (d - r) / (n * t) * (_s2 * _T1 + _s2 / (n - 1) * (_s2 * _T2 + _T1))
_halves = (d - r) / (n * t) * (_s2 * _T1 + 2 * _s2 / n * (_s2 * _T2 + _T1))
_erm = sigma**2 * (d - r) / (t * (n - r)) * (_T1 + sigma**2 / (n - r - 1) * _T2)

MOMENTS_ERROR = _law("moments", _moments, UNIT_HEADS)
U_STATISTIC_ERROR = _law("u-statistic", _pairs, UNIT_HEADS, valid=Gt(n, 1))
SPLIT_HALF_ERROR = _law("split-half", _halves, UNIT_HEADS, valid=Gt(n, 1))
ERM_ERROR = _law("erm", _erm, UNIT_HEADS, valid=Gt(n, r + 1))
SQUARED_DISTANCE = {
    "moments": MOMENTS_ERROR,
    "u-statistic": U_STATISTIC_ERROR,
    "split-half": SPLIT_HALF_ERROR,
    "erm": ERM_ERROR,
}

_equal = {_T1: r**2, _T2: r**3}
MOMENTS_ERROR_EQUAL = _law("moments", _moments.subs(_equal), EQUAL)
U_STATISTIC_ERROR_EQUAL = _law("u-statistic", _pairs.subs(_equal), EQUAL, valid=Gt(n, 1))
ERM_ERROR_EQUAL = _law("erm", _erm.subs(_equal), EQUAL, valid=Gt(n, r + 1))

# r equal directions: squared norm of a normal (d - r) x r matrix, at its edge
_edge = (1 + sqrt(r / (d - r))) ** 2 / r
_WORST = "squared sine of the worst direction (edge of the limit law)"
MOMENTS_ERROR_LARGEST = _law("moments", _moments.subs(_equal) * _edge, EQUAL, what=_WORST)
U_STATISTIC_ERROR_LARGEST = _law(
    "u-statistic", _pairs.subs(_equal) * _edge, EQUAL, what=_WORST, valid=Gt(n, 1)
)
ERM_ERROR_LARGEST = _law("erm", _erm.subs(_equal) * _edge, EQUAL, what=_WORST, valid=Gt(n, r + 1))

# inverse Wishart moments: E tr C^-1 and E tr C^-2 for heads N(0, I_r/r)
_random = {
    _T1: t * r**2 / (t - r - 1),
    _T2: t**2 * r**3 * (t - 1) / ((t - r) * (t - r - 1) * (t - r - 3)),
}
ERM_ERROR_RANDOM_HEADS = _law(
    "erm", _erm.subs(_random), RANDOM_HEADS, valid=Gt(n, r + 1) & Gt(t, r + 3)
)
_fourth = _s2**2 + 2 / r
MOMENTS_ERROR_RANDOM_HEADS = _law(
    "moments",
    (d - r) * r**3 / (4 * n * t) * (3 * _fourth + 12 * (_s2 + 2 / r) / r),
    RANDOM_HEADS,
)
