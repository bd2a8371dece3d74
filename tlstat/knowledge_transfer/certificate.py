"""How good is my student? A certificate from the sample alone, without the teacher's law.

The partial-label student errs by at most the missing mass of the pairs (input, label), and the
soft-label student by at most that of the inputs, on every sample and for every guess. Missing
mass is estimated by Good-Turing: the share ``G`` of the sample that was seen once. With
probability at least ``1 - delta``, whatever the law,

    m_0 <= G + (1 + sqrt(2)) sqrt(log(2/delta) / n).

Proof. ``E m_0 <= E G``. By McAllester and Ortiz (2003) ``m_0`` exceeds its mean by ``e`` with
probability at most ``exp(-n e**2)``. One draw moves ``G`` by at most ``2/n``, so by McDiarmid's
inequality it falls short of its mean by ``t`` with probability at most ``exp(-n t**2/2)``. Give
each half of ``delta``.

``method="sub-gaussian"`` has ``log(1/delta)`` in place of ``log(2/delta)``: both tails come from
moment generating functions, ``log E exp(u (m_0 - E m_0)) <= u**2/(4n)`` (Berend and Kontorovich,
2013) and ``log E exp(u (E G - G)) <= u**2/(2n)``, and by Hölder's inequality the standard
deviations ``1/sqrt(2n)`` and ``1/sqrt(n)`` add, so no union bound is needed.

``method="held-out"`` hides a random half of the sample and counts what it has of symbols that
the other half lacks; the exact binomial upper limit for that probability also bounds the missing
mass of the whole sample, which is smaller. Of order ``log(1/delta)/n`` where little is missing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.backend import to_numpy
from tlstat.errors import InputError
from tlstat.knowledge_transfer.estimators import checked_counts
from tlstat.theory.intervals import clopper_pearson

METHODS = ("good-turing", "sub-gaussian", "held-out")
_REFUSED = {
    "hard": "the hard-label student errs by at least the missing mass, also on what it has seen",
    "weighted": "the weighted student is inconsistent: its error remains when nothing is missing",
}
_POOLED = {"partial": "pairs (input, label)", "soft": "inputs"}


@dataclass(frozen=True)
class TransferCertificate:
    """An upper confidence limit for the risk of a student.

    Attributes
    ----------
    level : {"partial", "soft"}
        Whose risk.
    n : int
        Sample size.
    good_turing : float
        Share of the sample that was seen once, an estimate of the limit without confidence.
    bound : float
        With probability at least ``1 - delta`` the risk is at most this.
    delta : float
    method : str
        How the bound was found.
    statement : str
        The same in a sentence.
    """

    level: str
    n: int
    good_turing: float
    bound: float
    delta: float
    method: str
    statement: str

    def __str__(self) -> str:
        return self.statement


def good_turing(counts: Any) -> Any:
    """Share of a sample that was seen once: Good and Turing's estimate of the missing mass.

    Parameters
    ----------
    counts : array, shape (..., k)
        Non-negative integers, how often each of ``k`` symbols was seen.

    Returns
    -------
    array, shape (...)
        One where nothing was seen: all the mass is missing.
    """
    counts, xp = _whole_counts(counts, "k")
    n = xp.sum(counts, axis=-1)
    single = xp.sum(xp.astype(counts == 1, counts.dtype), axis=-1)
    one = xp.ones_like(n)
    return xp.where(n > 0, single / xp.where(n > 0, n, one), one)


def missing_mass_upper(
    counts: Any,
    level: str,
    delta: float = 0.05,
    *,
    method: str = "good-turing",
    rng: Any = None,
) -> Any:
    """Upper confidence limits for the missing mass, hence for the risk of a student.

    Parameters
    ----------
    counts : array, shape (..., S, A)
        Counts of independent samples, one a leading index.
    level : {"partial", "soft"}
        Missing mass of pairs (input, label), or of inputs.
    delta : float
        In (0, 1): each limit fails with at most this probability.
    method : {"good-turing", "sub-gaussian", "held-out"}
        See the module.
    rng : Random or numpy Generator
        For "held-out", which splits the sample at random.

    Returns
    -------
    array, shape (...)
        At most 1.

    Raises
    ------
    InputError
        For levels "hard" and "weighted", with the reason; for counts that are not integers.
    """
    symbols, xp = _pooled(counts, level)
    if not 0 < delta < 1:
        raise InputError(f"delta must lie in (0, 1), got {delta!r}")
    if method not in METHODS:
        raise InputError(f"method must be one of {', '.join(METHODS)}; got {method!r}")
    if method == "held-out":
        limit = _held_out(symbols, delta, rng)
        return limit if xp is np else xp.asarray(limit, device=symbols.device)
    n = xp.sum(symbols, axis=-1)
    logarithm = math.log((2 if method == "good-turing" else 1) / delta)
    one = xp.ones_like(n)
    width = (1 + math.sqrt(2)) * xp.sqrt(logarithm / xp.where(n > 0, n, one))
    return xp.minimum(good_turing(symbols) + width, one)


def missing_mass_certificate(
    counts: Any,
    level: str,
    delta: float = 0.05,
    *,
    method: str = "good-turing",
    rng: Any = None,
) -> TransferCertificate:
    """What one sample says of the risk of its student, without knowing the teacher.

    Parameters
    ----------
    counts : array, shape (S, A)
    level : {"partial", "soft"}
        The student.
    delta, method, rng
        As for `missing_mass_upper`.

    Returns
    -------
    TransferCertificate

    Raises
    ------
    InputError
        For levels "hard" and "weighted", with the reason.
    """
    symbols, _ = _pooled(counts, level)
    if symbols.ndim != 1:
        raise InputError(
            f"counts must have shape (S, A), got {tuple(np.shape(counts))}: "
            "missing_mass_upper takes many samples"
        )
    bound = float(missing_mass_upper(counts, level, delta, method=method, rng=rng))
    n, share = int(symbols.sum()), float(good_turing(symbols))
    statement = (
        f"With confidence {1 - delta:g} the risk of the {level}-label student is at most "
        f"{bound:.4g}: of {n} draws of {_POOLED[level]} a share of {share:.4g} was seen once."
    )
    return TransferCertificate(level, n, share, bound, delta, method, statement)


def expected_good_turing(law: Any, n: int) -> float:
    """``E G = sum p (1-p)**(n-1)`` for a sample of ``n >= 1`` from a law, shape (k,)."""
    from tlstat.knowledge_transfer.risk import expected_missing_mass

    if n < 1:
        raise InputError(f"n must be at least 1, got {n!r}")
    return float(expected_missing_mass(law, n - 1))


def good_turing_mse(law: Any, n: int) -> float:
    """``E (G - m_0)**2`` for a sample of ``n >= 2`` from a law, exactly.

    Parameters
    ----------
    law : array_like, shape (k,)
    n : int

    Returns
    -------
    float
        Cost quadratic in the number of different probabilities.
    """
    from tlstat.knowledge_transfer.models import checked_law

    if n < 2:
        raise InputError(f"n must be at least 2, got {n!r}")
    p, times = np.unique(checked_law("law", law, 1), return_counts=True)
    both = p[:, None] + p
    left = np.maximum(1 - both, 0.0)
    pairs = times[:, None] * times - np.diag(times)
    product = pairs * p[:, None] * p * left ** (n - 2)
    # pairs of symbols: both single, one single and one unseen (twice), both unseen
    crossed = product * ((n - 1) / n - 2 * left + left**2)
    alone = times * p * ((1 - p) ** (n - 1) / n + p * (1 - p) ** n)
    return float(crossed.sum() + alone.sum())


def _pooled(counts: Any, level: str) -> tuple[Any, Any]:
    """Counts of the symbols that can be missing at a level, shape (..., k)."""
    if level in _REFUSED:
        raise InputError(f'there is no certificate for level "{level}": {_REFUSED[level]}')
    if level not in _POOLED:
        raise InputError(f'level must be "partial" or "soft", got {level!r}')
    counts, xp = checked_counts(counts)
    _whole_counts(counts, "S, A")
    if level == "soft":
        return xp.sum(counts, axis=-1), xp
    return xp.reshape(counts, (*counts.shape[:-2], -1)), xp


def _whole_counts(counts: Any, axes: str) -> tuple[Any, Any]:
    if np.ndim(counts) < 1:
        raise InputError(f"counts must have shape (..., {axes}), got a number")
    flat, xp = checked_counts(counts if np.ndim(counts) > 1 else counts[None])
    if not bool(xp.all(xp.floor(flat) == flat)):
        raise InputError("counts must be integers: singletons are counted; got a fraction")
    return (flat if np.ndim(counts) > 1 else flat[0]), xp


def _held_out(symbols: Any, delta: float, rng: Any) -> np.ndarray:
    """Exact binomial limits for the second half's share of symbols that the first half lacks."""
    if rng is None:
        raise InputError('rng is missing: method "held-out" splits the sample at random')
    counts = to_numpy(symbols).astype(np.int64)
    n = counts.sum(axis=-1)
    if (n >= 10**9).any():
        raise InputError(f'method "held-out" takes samples below 10**9, got n={int(n.max())}')
    hidden = n // 2
    new = np.zeros(n.shape, dtype=np.int64)
    left, pool = hidden.copy(), n.copy()
    for x in range(counts.shape[-1]):
        count = counts[..., x]
        drawn = to_numpy(rng.hypergeometric(count, pool - count, left))
        new += np.where(drawn == count, drawn, 0)
        left, pool = left - drawn, pool - count
    _, limit = clopper_pearson(new, np.maximum(hidden, 1), delta)
    return np.where(hidden == 0, 1.0, limit)
