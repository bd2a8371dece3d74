"""Binomial probabilities that stay accurate at any sample size, and what follows from them.

Differences of ``gammaln`` lose all digits by ``n = 10^12``; the saddle-point form used here
(Loader, 2000) keeps about twelve.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy.special import gammaln

_HALF_LOG_2PI = 0.5 * np.log(2 * np.pi)
_CHUNK = 1 << 18


def _stirling_error(n: np.ndarray) -> np.ndarray:
    """``log n!`` minus Stirling's formula, for ``n >= 1``."""
    series = (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680) / n**2) / n**2) / n**2) / n
    direct = gammaln(n + 1) - (n + 0.5) * np.log(n) + n - _HALF_LOG_2PI
    return np.where(n > 30, series, direct)


def _deviance(k: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """``k log(k/mean) + mean - k``, without cancellation near ``k = mean``; ``k >= 1``."""
    u = (mean - k) / k
    return k * (u - np.log1p(u))


def log_binomial(k: Any, n: Any, p: Any) -> np.ndarray:
    """Logarithm of P(Bin(n, p) = k).

    Parameters
    ----------
    k, n : array_like
        Integers with ``0 <= k <= n`` (broadcast together).
    p : array_like
        Probabilities in [0, 1].

    Returns
    -------
    ndarray
        ``-inf`` where the probability is zero.
    """
    k, n, p = np.broadcast_arrays(
        np.asarray(k, dtype=float), np.asarray(n, dtype=float), np.asarray(p, dtype=float)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = (
            _stirling_error(n)
            - _stirling_error(k)
            - _stirling_error(n - k)
            - _deviance(k, n * p)
            - _deviance(n - k, n * (1 - p))
            + 0.5 * (np.log(n) - np.log(k) - np.log(n - k))
            - _HALF_LOG_2PI
        )
        none = np.where(n == 0, 0.0, n * np.log1p(-p))
        every = np.where(n == 0, 0.0, n * np.log(p))
    out = np.where(k == 0, none, np.where(k == n, every, inside))
    degenerate = (p == 0) | (p == 1)
    return np.where(degenerate, np.where(k == n * p, 0.0, -np.inf), out)


def binomial(k: Any, n: Any, p: Any) -> np.ndarray:
    """P(Bin(n, p) = k); see `log_binomial`."""
    return np.exp(log_binomial(k, n, p))


def window(n: int, p: float, log_tail: float = 38.0) -> tuple[int, int]:
    """Integers outside which Bin(n, p) has mass below ``2 exp(-log_tail)`` (Bernstein)."""
    half = np.sqrt(2 * n * p * (1 - p) * log_tail) + 2 * log_tail / 3
    return max(0, int(np.floor(n * p - half))), min(n, int(np.ceil(n * p + half)))


def average(f: Callable[[np.ndarray], np.ndarray], n: int, p: float) -> np.ndarray:
    """``E f(Bin(n, p))`` up to the mass outside `window`.

    Parameters
    ----------
    f : callable
        Takes a vector of m integers, gives an array of shape (m, ...).
    """
    parts = [np.tensordot(binomial(m, n, p), f(m), axes=1) for m in _chunks(*window(n, p))]
    return np.sum(parts, axis=0)


def _chunks(lo: int, hi: int) -> Iterator[np.ndarray]:
    for start in range(lo, hi + 1, _CHUNK):
        yield np.arange(start, min(hi + 1, start + _CHUNK), dtype=float)


def half_mean_deviation(m: Any, p: Any) -> np.ndarray:
    """``E|Bin(m, p)/m - p| / 2`` by de Moivre's closed form; zero trials give ``nan``.

    Notes
    -----
    ``E|X - mp| = 2 k P(X = k) (1 - p)`` with ``k = floor(mp) + 1``.
    """
    m, p = np.broadcast_arrays(np.asarray(m, dtype=float), np.asarray(p, dtype=float))
    proper = (p > 0) & (p < 1)
    k = np.minimum(np.floor(m * p) + 1, m)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = k / m * (1 - p) * binomial(k, m, p)
    return np.where(m > 0, np.where(proper, value, 0.0), np.nan)
