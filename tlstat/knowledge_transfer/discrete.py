"""Classical estimation of a discrete law from counts: other losses than total variation.

The hard-label problem at one input, with its classical answers: the minimax estimator in squared
L2 distance, and the estimators that add a constant to every count, which keep the chi-squared
and Kullback-Leibler risks finite. Students act on the last axis of ``counts`` like the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.knowledge_transfer.binomial import average
from tlstat.knowledge_transfer.estimators import checked_counts
from tlstat.knowledge_transfer.models import checked_law
from tlstat.knowledge_transfer.vectorised import vectorised, whole

BRAESS_SAUER = (0.5, 1.0, 0.75)  # added to a count of 0, of 1, and of 2 or more
_MAX_FOURIER = 1 << 18


@vectorised
def l1_minimax(k: Any, n: Any) -> float:
    """Leading term ``sqrt(2(k-1)/(pi n))`` of the minimax risk in L1 distance.

    Parameters
    ----------
    k, n : int or array of int
        Number of symbols, sample size (1 or more).

    Returns
    -------
    float or ndarray
        Up to ``O(n**(-3/4))``; twice the risk in total variation. S. Kamath, A. Orlitsky,
        D. Pichapati and A. T. Suresh, "On learning distributions from their samples", COLT 2015.
    """
    k, n = whole("k", k, 1), whole("n", n, 1)
    return math.sqrt(2 * (k - 1) / (math.pi * n))


@vectorised
def l2_minimax(k: Any, n: Any) -> float:
    """Minimax risk in squared L2 distance, exactly ``(1 - 1/k) / (sqrt(n) + 1)**2``.

    Parameters
    ----------
    k, n : int or array of int
        Number of symbols, sample size (0 or more).

    Returns
    -------
    float or ndarray
        Attained by `l2_minimax_student` for every law.
    """
    k, n = whole("k", k, 1), whole("n", n, 0)
    return (1 - 1 / k) / (math.sqrt(n) + 1) ** 2


def l2_minimax_student(counts: Any, teacher_probs: Any = None) -> Any:
    """``(N_a + sqrt(n)/A) / (n + sqrt(n))`` with ``n`` the row's total; uniform where it is 0.

    Parameters
    ----------
    counts : array, shape (..., S, A)
    teacher_probs : array, optional
        Ignored; accepted so that all students are called alike.

    Returns
    -------
    array, shape (..., S, A)

    Notes
    -----
    Minimax in squared L2 distance at each input (Trybula, 1958; Kamath et al., COLT 2015).
    """
    counts, xp = checked_counts(counts)
    A = counts.shape[-1]
    total = xp.sum(counts, axis=-1, keepdims=True)
    seen = total > 0
    root = xp.sqrt(total)
    scale = xp.where(seen, total + root, xp.ones_like(total))
    return xp.where(seen, (counts + root / A) / scale, xp.full_like(counts, 1 / A))


def add_constant_student(counts: Any, teacher_probs: Any = None, *, beta: float = 1.0) -> Any:
    """``(N_a + beta) / (n + A beta)``: Laplace's rule for 1, Krichevsky and Trofimov's for 1/2.

    Parameters
    ----------
    counts : array, shape (..., S, A)
    teacher_probs : array, optional
        Ignored; accepted so that all students are called alike.
    beta : float
        Added to every count, above 0.

    Returns
    -------
    array, shape (..., S, A)
    """
    return _smoothed(counts, (_positive("beta", beta),) * 3)


def braess_sauer_student(counts: Any, teacher_probs: Any = None) -> Any:
    """Adds 1/2, 1 or 3/4 to counts of 0, 1 and more: minimax in KL to first order.

    Parameters
    ----------
    counts : array, shape (..., S, A)
    teacher_probs : array, optional
        Ignored; accepted so that all students are called alike.

    Returns
    -------
    array, shape (..., S, A)

    Notes
    -----
    D. Braess and T. Sauer, "Bernstein polynomials and learning theory", J. Approx. Theory 128
    (2004).
    """
    return _smoothed(counts, BRAESS_SAUER)


def chi2_risk(law: Any, n: int, beta: float = 1.0) -> float:
    """Expected chi-squared divergence ``sum p**2/q - 1`` of `add_constant_student`, exactly.

    Parameters
    ----------
    law : array_like, shape (k,)
        The true law.
    n : int
        Sample size, 0 or more.
    beta : float
        Added to every count, above 0.

    Returns
    -------
    float
        For ``beta=1`` equal to ``(n+k)/(n+1) (1 - sum p (1-p)**(n+1)) - 1``, at most
        ``(k-1)/(n+1)``.
    """
    p, n, beta = checked_law("law", law, 1), whole("n", n, 0), _positive("beta", beta)
    inverse = _symbol_means(p, n, lambda count: 1 / (count + beta))
    return float((n + p.size * beta) * (p**2 @ inverse) - 1)


def kl_risk(law: Any, n: int, beta: float | tuple[float, float, float] = BRAESS_SAUER) -> float:
    """Expected KL divergence ``sum p log(p/q)`` of a rule that adds to the counts, exactly.

    Parameters
    ----------
    law : array_like, shape (k,)
        The true law.
    n : int
        Sample size, 0 or more.
    beta : float or three floats
        What is added to every count, or to counts of 0, of 1, and of 2 or more (by default
        Braess and Sauer's).

    Returns
    -------
    float
        In nats.

    Raises
    ------
    InputError
        If three different numbers are added and the sample is too large (above about 10**5)
        for the law of the normalising constant.
    """
    p, n = checked_law("law", law, 1), whole("n", n, 0)
    added = (beta,) * 3 if isinstance(beta, (int, float)) else tuple(beta)
    zero, one, more = (_positive("beta", b) for b in added)

    def log_count(count: np.ndarray) -> np.ndarray:
        return np.log(count + np.where(count == 0, zero, np.where(count == 1, one, more)))

    positive = p[p > 0]
    expected = positive @ (np.log(positive) - _symbol_means(positive, n, log_count))
    if zero == one == more:
        return float(expected + math.log(n + p.size * more))
    zeros, ones, probability = _law_of_rare_counts(p, n)
    total = n + p.size * more + zeros * (zero - more) + ones * (one - more)
    return float(expected + (probability * np.log(np.maximum(total, 1e-300))).sum())


def _symbol_means(p: np.ndarray, n: int, f: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    values, index = np.unique(p, return_inverse=True)
    means = [float(average(f, n, float(v))) for v in values]
    return np.array(means)[index]


def _law_of_rare_counts(p: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The joint law of the numbers of symbols seen never and seen once.

    Poisson counts with their total fixed: the total's Fourier transform is a product over
    symbols of a polynomial in two variables.

    Returns
    -------
    zeros, ones, probability : ndarray, broadcastable to (k+1, k+1)
    """
    k = p.size
    length = 1 << max(6, math.ceil(math.log2(2 * n + 40 * math.sqrt(n + 1) + 40)))
    if length * (k + 1) ** 2 > _MAX_FOURIER * 64:
        raise InputError(f"{k} symbols and n={n} are too many for the exact risk of this rule")
    z = np.exp(-2j * np.pi * np.arange(length) / length)
    product = np.zeros((k + 1, k + 1, length), dtype=complex)
    product[0, 0] = 1
    for mean in n * p:
        none, once = math.exp(-mean), mean * math.exp(-mean) * z
        rest = np.exp(mean * (z - 1)) - none - once
        moved = rest * product
        moved[1:] += none * product[:-1]
        moved[:, 1:] += once * product[:, :-1]
        product = moved
    joint = (product * np.exp(2j * np.pi * np.arange(length) * n / length)).mean(axis=-1).real
    joint = np.maximum(joint, 0)
    return np.arange(k + 1)[:, None], np.arange(k + 1)[None, :], joint / joint.sum()


def _smoothed(counts: Any, beta: tuple[float, float, float]) -> Any:
    counts, xp = checked_counts(counts)
    zero, one, more = (xp.full_like(counts, b) for b in beta)
    weights = counts + xp.where(counts == 0, zero, xp.where(counts == 1, one, more))
    return weights / xp.sum(weights, axis=-1, keepdims=True)


def _positive(name: str, value: Any) -> float:
    if isinstance(value, (int, float)) and 0 < value < math.inf:
        return float(value)
    raise InputError(f"{name} must be positive and finite, got {value!r}")
