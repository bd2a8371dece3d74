"""Hard labels: lower bounds that are numbers, by two priors (both evaluations are ours).

*Pairs* (Theorem 3.1 of arXiv:2310.07838): the masses of each pair of labels are
``(1 + D)/A`` and ``(1 - D)/A`` in random order. The Bayes student picks the label of the pair
that was seen more often; Assouad's lemma bounds its error, here it is evaluated.

*Dirichlet*: the rows of the teacher are symmetric Dirichlet. The posterior median of each
probability is the best guess of it; medians need not sum to one, so their risk is a lower bound,
which is sharp to first order as ``n`` grows.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.special import betainc, betaincinv

from tlstat.errors import InputError
from tlstat.knowledge_transfer.binomial import binomial, window
from tlstat.knowledge_transfer.quadrature import gauss_beta_binomial, gauss_binomial
from tlstat.knowledge_transfer.vectorised import vectorised, whole

_DIRECT = 4_000  # windows up to this long are summed term by term
_NODES = 192  # enough for 15 digits at any sample size and concentration above 0.05
_ROUGH = 32  # enough to find the maximiser of a flat function

# ---------------------------------------------------------------- pairs


def _majority_error(m: Any, gap: float) -> np.ndarray:
    """Error of the majority of ``2m - 1`` or ``2m`` draws with bias ``gap``; m real, 1/2 at 0."""
    m = np.asarray(m, dtype=float)
    safe = np.where(m > 0, m, 1.0)
    return np.where(m > 0, betainc(safe, safe, (1 - gap) / 2), 0.5)


def _pair_error(n: int, p: float, gap: float) -> float:
    """``E`` of the majority's error, with Bin(n, p) draws of the pair."""
    lo, hi = window(n, p)
    if hi - lo <= _DIRECT:
        draws = np.arange(lo, hi + 1)
        return float(binomial(draws, n, p) @ _majority_error((draws + 1) // 2, gap))
    # even and odd numbers of draws are equally likely up to exp(-2np): average the two
    nodes, weights = gauss_binomial(n, p, _NODES)
    even, odd = _majority_error(nodes / 2, gap), _majority_error((nodes + 1) / 2, gap)
    return float(weights @ (even + odd) / 2)


@lru_cache(maxsize=4096)
def _best_gap(S: int, even: int, n: int) -> float:
    from scipy.optimize import minimize_scalar

    p = 2 / (S * even)
    guess = min(1.0, 0.7518 / math.sqrt(max(n * p, 1e-9)))
    found = minimize_scalar(
        lambda log_gap: -math.exp(log_gap) * _pair_error(n, p, math.exp(log_gap)),
        bounds=(math.log(guess) - 2, min(0.0, math.log(guess) + 2)),
        method="bounded",
        options={"xatol": 1e-8},
    )
    gap = math.exp(float(found.x))
    return max((gap, 1.0), key=lambda g: g * _pair_error(n, p, g))


def best_pair_gap(S: int, A: int, n: int) -> float:
    """The gap ``D`` in (0, 1] at which `pair_bayes_risk` is largest.

    About ``0.532 sqrt(SA/n)`` for large samples, 2.13 times that of Theorem 3.1.
    """
    S, A, n = whole("S", S, 1), whole("A", A, 2), whole("n", n, 0)
    return _best_gap(S, A - A % 2, n)


@vectorised
def pair_bayes_risk(S: Any, A: Any, n: Any, gap: Any = None) -> float:
    """Exact Bayes risk over the prior on pairs: a lower bound for every hard-label student.

    Parameters
    ----------
    S, A, n : int or array of int
        Numbers of inputs and of labels, sample size. Of an odd number of labels the last has
        no mass.
    gap : float, optional
        ``D`` in [0, 1]; by default the best one. Theorem 3.1 uses ``sqrt(SA/n)/4``.

    Returns
    -------
    float or ndarray
        ``D`` times the error of the majority of the draws of a pair; for the best gap about
        ``0.1202 sqrt(SA/n)``.
    """
    S, A, n = whole("S", S, 1), whole("A", A, 2), whole("n", n, 0)
    even = A - A % 2
    gap = _best_gap(S, even, n) if gap is None else float(gap)
    if not 0 <= gap <= 1:
        raise InputError(f"gap must lie in [0, 1], got {gap!r}")
    return gap * _pair_error(n, 2 / (S * even), gap)


@lru_cache(maxsize=1)
def pair_limit_constant() -> float:
    """Limit of ``sqrt(n/(SA))`` times the best `pair_bayes_risk`: 0.1202.

    ``max_x x Phi(-x) / sqrt(2)`` with the normal distribution function ``Phi``.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import ndtr

    found = minimize_scalar(
        lambda x: -x * float(ndtr(-x)), bounds=(0.1, 2), method="bounded", options={"xatol": 1e-12}
    )
    return -float(found.fun) / math.sqrt(2)


# ------------------------------------------------------------ Dirichlet


def mean_absolute_deviation(a: Any, b: Any) -> np.ndarray:
    """``E|T - median|`` of ``T ~ Beta(a, b)``.

    Notes
    -----
    ``2 m**a (1-m)**b / ((a+b) B(a,b))`` with the median ``m``, written as a binomial probability
    so that it keeps its digits where ``a`` and ``b`` are large.
    """
    a, b = np.broadcast_arrays(np.asarray(a, dtype=float), np.asarray(b, dtype=float))
    large = np.minimum(a, b) > 1e5
    # the classical approximation is off by a share 1/a**2 of the standard deviation
    median = (a - 1 / 3) / (a + b - 2 / 3)
    small_a, small_b = np.where(large, 1.0, a), np.where(large, 1.0, b)
    median = np.where(large, median, betaincinv(small_a, small_b, 0.5))
    return 2 * a * b / (a + b) ** 2 * binomial(a, a + b, median)


def _one_input(A: int, n: float, alpha: float, points: int) -> float:
    """The Dirichlet bound at one input that was seen ``n`` times."""
    rest = (A - 1) * alpha
    x, weight = gauss_beta_binomial(n, alpha, rest, min(int(n) + 1, points))
    return float(A / 2 * weight @ mean_absolute_deviation(alpha + x, rest + n - x))


@lru_cache(maxsize=4096)
def _several_inputs(S: int, A: int, n: int, alpha: float, points: int = _NODES) -> float:
    if S == 1 or n == 0:
        return _one_input(A, n, alpha, points)
    lo, hi = window(n, 1 / S)
    if hi - lo <= 256:
        visits = np.arange(lo, hi + 1)
        weights = binomial(visits, n, 1 / S)
    else:
        visits, weights = gauss_binomial(n, 1 / S, 32)
    return float(weights @ [_one_input(A, float(m), alpha, points) for m in visits])


@lru_cache(maxsize=4096)
def _best_alpha(A: int, n: int, S: int) -> float:
    from scipy.optimize import minimize_scalar

    guess = math.log(0.5 * math.sqrt(max(n, 1) / (S * (A - 1))))
    found = minimize_scalar(
        lambda log_alpha: -_several_inputs(S, A, n, math.exp(log_alpha), _ROUGH),
        bounds=(guess - 1.5, guess + 3),
        method="bounded",
        options={"xatol": 1e-4},
    )
    return math.exp(float(found.x))


def best_concentration(A: int, n: int, S: int = 1) -> float:
    """The parameter at which `dirichlet_bayes_risk` is largest, about ``sqrt(n/(S(A-1)))/2``."""
    return _best_alpha(whole("A", A, 2), whole("n", n, 0), whole("S", S, 1))


@vectorised
def dirichlet_bayes_risk(A: Any, n: Any, alpha: Any = None, S: Any = 1) -> float:
    """Lower bound for every hard-label student, by symmetric Dirichlet teachers.

    Parameters
    ----------
    A, n : int or array of int
        Number of labels (2 or more), sample size.
    alpha : float, optional
        Parameter of the Dirichlet law, above 0; by default the best one.
    S : int or array of int
        Number of inputs, equally likely.

    Returns
    -------
    float or ndarray
        Below the Bayes risk; tends to ``sqrt(S(A-1)/(2 pi n))``.
    """
    A, n, S = whole("A", A, 2), whole("n", n, 0), whole("S", S, 1)
    alpha = _best_alpha(A, n, S) if alpha is None else float(alpha)
    if not 0 < alpha < math.inf:
        raise InputError(f"alpha must be positive and finite, got {alpha!r}")
    return _several_inputs(S, A, n, alpha)
