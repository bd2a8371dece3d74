r"""How well S sampled hypotheses tell the inductive bias.

With ``P = exp(-I)`` the probability that is sought, three kinds of estimate:

* counting (T1): exact, and blind beyond ``log S`` nats;
* a parametric fit of the right family (T2): by the delta method the *relative* error is of order
  ``S^(-1/2)`` at any depth, with a constant that depends on the family;
* a parametric fit of a wrong family (T3): it converges to another number.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import digamma, erfcx, ndtri_exp, polygamma
from sympy import And, Ge, Gt, exp, log

from tlstat.inductive_bias.theory.base import DRAWN, EIB, LEVEL, OURS, UNREAD, S, delta, nats
from tlstat.inductive_bias.theory.chi_squared import gamma_log_cdf
from tlstat.theory.bound import Assumption, Bound, Source

__all__ = [
    "COUNT_BLIND",
    "COUNT_NONE_LOWER",
    "COUNT_RELATIVE_VARIANCE",
    "GAMMA_FIT_ERROR",
    "GAMMA_FIT_LIMIT",
    "NORMAL_FIT_ERROR",
]

_NOTE = Source(EIB, "abstract: error bounds in the number of hypotheses", f"{OURS}; {UNREAD}")

COUNT_RELATIVE_VARIANCE = Bound(
    name="relative variance of the share of S hypotheses that reach the error",
    expr=(1 - exp(-nats)) * exp(nats) / S,
    kind="exact",
    assumptions=(DRAWN,),
    source=_NOTE,
    valid=Ge(S, 1),
)
COUNT_BLIND = Bound(
    name="probability that none of S hypotheses reaches the error",
    value=lambda nats, S: np.exp(
        np.asarray(S, float) * np.log1p(-np.exp(-np.asarray(nats, float)))
    ),
    expr=(1 - exp(-nats)) ** S,
    kind="exact",
    assumptions=(DRAWN,),
    source=_NOTE,
    valid=And(Ge(S, 1), Gt(nats, 0)),
)
COUNT_NONE_LOWER = Bound(
    name="lower confidence limit for the bias where none of S hypotheses reaches the error",
    value=lambda S, delta: -np.log(-np.expm1(np.log(np.asarray(delta, float)) / S)),
    expr=-log(1 - delta ** (1 / S)),
    kind="lower",
    sense="probability",
    assumptions=(DRAWN,),
    source=_NOTE,
    valid=And(Ge(S, 1), LEVEL),
)

# ------------------------------------------------------------- fits of the right family

_RIGHT = Assumption("well specified", "the errors follow the fitted family")
_WRONG = Assumption("any law", "the errors have a mean and a mean logarithm")
_LEADING = "leading order as S grows"


def _normal_fit_error(nats: Any, S: Any) -> Any:
    z = -ndtri_exp(-np.asarray(nats, float))
    hazard = np.sqrt(2 / np.pi) / erfcx(z / np.sqrt(2))
    return hazard * np.sqrt(1 + z**2 / 2) / np.sqrt(S)


NORMAL_FIT_ERROR = Bound(
    name="standard deviation, in nats, of the bias read off a fitted normal law",
    value=_normal_fit_error,
    symbols=("nats", "S"),
    kind="rate",
    scope=_LEADING,
    assumptions=(DRAWN, _RIGHT),
    source=_NOTE,
    valid=And(Gt(nats, 0), Ge(S, 2)),
)


def _gamma_gradient(shape: Any, y: Any) -> tuple[Any, Any]:
    """Derivatives of the log CDF at ``y`` (unit scale) in the shape and in the log of the scale."""
    step = 1e-5 * np.maximum(shape, 1.0)
    up, down = gamma_log_cdf(shape + step, y), gamma_log_cdf(shape - step, y)
    log_density = (shape - 1) * np.log(y) - y - _log_gamma(shape)
    by_scale = -np.exp(np.log(y) + log_density - gamma_log_cdf(shape, y))
    return (up - down) / (2 * step), by_scale


def _log_gamma(a: Any) -> Any:
    from scipy.special import gammaln

    return gammaln(a)


def _gamma_fit_error(df: Any, x: Any, S: Any) -> Any:
    df, x, S = np.broadcast_arrays(*(np.asarray(v, float) for v in (df, x, S)))
    shape = df / 2
    g1, g2 = _gamma_gradient(shape, shape * x)
    # Fisher information of one error in (shape, log scale): [[psi'(a), 1], [1, a]]
    j11, j22 = polygamma(1, shape), shape
    determinant = j11 * j22 - 1
    variance = (j22 * g1**2 - 2 * g1 * g2 + j11 * g2**2) / determinant
    return np.sqrt(variance / S)


GAMMA_FIT_ERROR = Bound(
    name="standard deviation, in nats, of the bias at x times the mean, read off a fitted gamma",
    value=_gamma_fit_error,
    symbols=("df", "x", "S"),
    kind="rate",
    scope=_LEADING,
    assumptions=(DRAWN, _RIGHT),
    source=_NOTE,
)

# ------------------------------------------------------------- fits of a wrong family


def gamma_projection(mean: Any, mean_log: Any) -> Any:
    """Shape of the gamma law that is closest in Kullback-Leibler divergence.

    Parameters
    ----------
    mean, mean_log : array_like
        ``E e`` and ``E log e``, of a law or of a sample (then this is maximum likelihood).

    Returns
    -------
    ndarray
        The root ``a`` of ``log a - digamma(a) = log mean - mean_log``; the scale is ``mean / a``.
    """
    s = np.asarray(np.log(mean) - mean_log, float)
    a = (3 - s + np.sqrt((s - 3) ** 2 + 24 * s)) / (12 * s)
    for _ in range(8):  # Newton in 1/a, which is nearly linear (Minka 2002)
        slope = 1 / a + (np.log(a) - digamma(a) - s) / (a**2 * (1 / a - polygamma(1, a)))
        a = 1 / slope
    return a


def _gamma_fit_limit(mean: Any, mean_log: Any, x: Any) -> Any:
    shape = gamma_projection(mean, mean_log)
    return -gamma_log_cdf(shape, shape * np.asarray(x, float))


GAMMA_FIT_LIMIT = Bound(
    name="what a fitted gamma law tends to as the bias at x times the mean, however many are drawn",
    value=_gamma_fit_limit,
    symbols=("mean", "mean_log", "x"),
    kind="rate",
    scope=_LEADING,
    assumptions=(DRAWN, _WRONG),
    source=_NOTE,
)
