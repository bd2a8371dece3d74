"""Certifying many candidates at once: the union bound and Occam's weights.

Candidate ``j`` is certified at the level ``delta w_j``, where the weights ``w_j`` were fixed before
the data and sum to at most 1; then all certificates hold together with probability ``1 - delta``,
and the candidate may be chosen in any way. Weights are natural logarithms throughout, so that
``M = 1e300`` candidates are no problem.

Choose the candidate with the smallest certificate, not the one with the fewest errors: under
unequal weights the two differ.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp

from tlstat.certificates.base import CountCertificate, log_level
from tlstat.certificates.inversion import Floats, numbers, require, scalar
from tlstat.errors import InputError

# a sum of weights may exceed 1 by rounding, not by more
SUM_GUARD = 1e-12


def uniform(M: ArrayLike) -> Any:
    """``log(1/M)``: the union bound over ``M`` candidates, scored or not.

    Raises
    ------
    InputError
        If M is below 1 or infinite.
    """
    M = numbers(M, "M")
    require((M >= 1) & np.isfinite(M), M, "M", "a number of candidates of at least 1")
    return scalar(-np.log(M))


def rank(j: ArrayLike) -> Any:
    """``log(1/(j (j+1)))`` for the candidate generated as number ``j = 1, 2, ...``: sum 1."""
    j = _ranks(j)
    return scalar(-np.log(j) - np.log1p(j))


def dyadic(j: ArrayLike) -> Any:
    """``-log(b (b+1) 2^(b-1))`` with ``b = floor(log2 j) + 1``: sum 1.

    Block ``b`` holds the ``2^(b-1)`` ranks with ``b`` binary digits and has the mass
    ``1/(b (b+1))``; the cost over ``log j`` is only ``O(log log j)``.
    """
    b = np.frexp(_ranks(j))[1].astype(float)  # j = m 2^b with m in [1/2, 1)
    return scalar(-np.log(b * (b + 1)) - (b - 1) * math.log(2))


def from_bits(bits: ArrayLike, slack: float = 0.0) -> Any:
    """``-(bits + slack) log 2``: Occam's weights of a prefix-free code.

    Parameters
    ----------
    bits : array_like
        Code lengths of the candidates, in bits; Kraft's inequality is checked.
    slack : float
        Further bits, as for the length of the code itself.

    Raises
    ------
    InputError
        If a length is negative or not finite, or no prefix-free code has these lengths.
    """
    bits = numbers(bits, "bits")
    require((bits >= 0) & np.isfinite(bits), bits, "bits", "finite code lengths of at least 0")
    if not slack >= 0:
        raise InputError(f"slack must be at least 0 bits, got {slack!r}")
    log_weights = -(bits + slack) * math.log(2)
    _sum_to_one(np.atleast_1d(log_weights), "the weights 2**-bits")
    return scalar(log_weights)


def from_weights(weights: ArrayLike) -> Any:
    """Logarithms of given weights, checked to be non-negative and to sum to at most 1."""
    w = numbers(weights, "weights")
    require(w >= 0, w, "weights", "0 or above")
    with np.errstate(divide="ignore"):
        log_weights = np.log(w)
    _sum_to_one(np.atleast_1d(log_weights), "the weights")
    return scalar(log_weights)


def finite_class(
    k: ArrayLike,
    n: ArrayLike,
    certificate: CountCertificate,
    *,
    delta: ArrayLike | None = None,
    log_inv_delta: ArrayLike | None = None,
    candidates: float | None = None,
    log_weights: ArrayLike | None = None,
    clip: bool = True,
) -> Any:
    """Certificates that hold for all candidates together with probability ``1 - delta``.

    Parameters
    ----------
    k : array_like, shape (..., m)
        Errors (or sums of losses) of the candidates that were scored, along the last axis.
    n : array_like
        Number of examples.
    certificate : CountCertificate
        Such as ``binomial_tail_inversion``.
    delta, log_inv_delta : float
        Exactly one of the two: the probability that any certificate fails, or ``log(1/delta)``.
    candidates, log_weights
        Exactly one of the two. ``candidates``: how many candidates there were, unscored ones
        included, at most 1e300 or so; the union bound. ``log_weights``, shape (m,): natural
        logarithms of weights fixed before the data, such as ``dyadic(j)``.
    clip : bool
        Return at most 1.

    Returns
    -------
    float, ndarray or tensor, shape of ``k``

    Raises
    ------
    InputError
        If there are fewer candidates than columns, or the weights sum to more than 1.
    """
    if (candidates is None) == (log_weights is None):
        raise InputError("give exactly one of candidates and log_weights")
    level = log_level(delta, log_inv_delta)
    m = np.shape(k)[-1] if np.ndim(k) else 1
    if candidates is not None:
        cost: Floats = -np.asarray(uniform(candidates))
        if candidates < m:
            raise InputError(f"candidates must be at least the {m} scored ones, got {candidates}")
    else:
        cost = -checked_log_weights(log_weights, m)
    # a candidate of weight 0 is not certified: 1 is always true
    out_of_prior = np.isinf(cost)
    total = np.where(out_of_prior, 1.0, level + cost)
    limit = certificate(k, n, log_inv_delta=total, clip=clip)
    if not out_of_prior.any():
        return limit
    keep = np.broadcast_to(~out_of_prior, np.shape(limit))
    limit = limit * 1.0
    limit[~keep] = 1.0
    return limit


def _ranks(j: ArrayLike) -> Floats:
    j = numbers(j, "j")
    require((j >= 1) & (j == np.floor(j)) & np.isfinite(j), j, "j", "a rank 1, 2, 3, ...")
    return j


def checked_log_weights(log_weights: Any, m: int) -> Floats:
    """Log weights of ``m`` candidates; InputError if they sum to more than 1."""
    out = np.asarray(numbers(log_weights, "log_weights"))
    require(out <= 0, out, "log_weights", "logarithms of weights of at most 1")
    if np.shape(out) not in ((), (m,)):
        raise InputError(f"log_weights must have one entry a candidate ({m}), got {out.shape}")
    _sum_to_one(np.broadcast_to(out, (m,)), "the weights")
    return out


def _sum_to_one(log_weights: Floats, name: str) -> None:
    total = float(logsumexp(log_weights))
    if total > SUM_GUARD:
        raise InputError(f"{name} must sum to at most 1, got {math.exp(min(total, 700.0)):.6g}")
