"""Soft labels: the minimax risk, exactly.

On a deterministic teacher with uniformly random labels an unseen input costs at least
``1 - 1/A``, and a uniform guess never costs more than that. So the minimax risk is
``1 - 1/A`` times the largest expected missing mass of ``S`` symbols (ours; Theorem 5.1 of
arXiv:2310.07838 has 1/2 in place of ``1 - 1/A``, and Theorem 5.2 a bound of the missing mass).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.knowledge_transfer.vectorised import vectorised, whole


def _power(base: Any, n: float) -> Any:
    """``(1 - x)**n`` as ``exp(n log1p(-x))``, which keeps its digits at large ``n``."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(base < 1, np.exp(n * np.log1p(-np.minimum(base, 1.0))), float(n == 0))


@lru_cache(maxsize=4096)
def _worst_mass(k: int, n: float) -> tuple[float, float]:
    """The largest expected missing mass, and the common mass of all symbols but one there."""
    if k == 1:
        return float(n == 0), 0.0
    from scipy.optimize import minimize_scalar

    def missing(x: Any) -> Any:
        last = np.clip(1 - (k - 1) * x, 0.0, 1.0)
        return (k - 1) * x * _power(x, n) + last * _power(last, n)

    # x (1-x)^n is concave on [0, 2/(n+1)] and convex beyond: at the maximum at most one symbol
    # lies beyond, and the others are equal
    end = min(1 / (k - 1), 2 / (n + 1))
    points = np.linspace(0, end, 201)
    best = int(np.argmax(missing(points)))
    found = minimize_scalar(
        lambda x: -float(missing(x)),
        bounds=(points[max(best - 1, 0)], points[min(best + 1, 200)]),
        method="bounded",
        options={"xatol": 1e-13 * end},
    )
    candidates = [float(found.x), float(points[best]), 1 / k]
    return max((float(missing(x)), x) for x in candidates)


@vectorised
def largest_missing_mass(k: Any, n: Any) -> float:
    """``max_p sum_x p(x) (1 - p(x))**n`` over the laws of ``k`` symbols.

    Parameters
    ----------
    k : int or array of int
        Number of symbols, 1 or more.
    n : float or array
        Sample size, 0 or more.

    Returns
    -------
    float or ndarray
        At most ``k/(e n)``.

    Raises
    ------
    InputError
        If ``k`` is not a positive integer or ``n`` is negative or not finite.

    Notes
    -----
    The maximiser has ``k - 1`` equal masses and one other, so the search is in one dimension.
    """
    k = whole("k", k, 1)
    if isinstance(n, str) or not (n >= 0 and math.isfinite(n)):
        raise InputError(f"n must be finite and at least 0, got {n!r}")
    return _worst_mass(k, float(n))[0]


def worst_input_law(k: int, n: int) -> np.ndarray:
    """The law of ``k`` symbols with the largest expected missing mass, shape (k,).

    The odd symbol, which takes the rest, is the last.
    """
    k, n = whole("k", k, 1), whole("n", n, 0)
    x = _worst_mass(k, float(n))[1]
    law = np.full(k, x)
    law[-1] = 1 - (k - 1) * x
    return law


@vectorised
def soft_label_minimax(S: Any, A: Any, n: Any) -> float:
    """Minimax risk with whole soft labels: ``(1 - 1/A)`` times `largest_missing_mass`.

    Parameters
    ----------
    S, A, n : int or array of int
        Numbers of inputs and of labels, sample size.

    Returns
    -------
    float or ndarray
        Attained by the soft-label student with the uniform guess.
    """
    A = whole("A", A, 1)
    return (1 - 1 / A) * largest_missing_mass(S, n)


@vectorised
def deterministic_bayes_risk(S: Any, A: Any, n: Any) -> float:
    """Bayes risk over deterministic teachers on the rare inputs of Theorem 5.1.

    ``(1 - 1/A) sum_s rho(s) (1 - rho(s))**n`` with mass ``1/(n+1)`` on all inputs but one.
    """
    S, A, n = whole("S", S, 1), whole("A", A, 1), whole("n", n, 0)
    rare, common = 1 / (n + 1), 1 - (S - 1) / (n + 1)
    if common < 0:
        raise InputError(f"n must be at least S - 1 = {S - 1}, got {n}")
    unseen = (S - 1) * rare * _power(np.float64(rare), n) + common * _power(np.float64(common), n)
    return float((1 - 1 / A) * unseen)
