"""The two-sample vote: the exact Bayes error of one sign seen through two samples.

One atom carries an unknown sign. Each of ``n_P`` source points falls on it with probability ``p``
and then agrees with the sign with probability ``(1 + delta_P)/2``; each of ``n_Q`` target points
with ``q`` and ``delta_Q``. Agreements minus disagreements, ``S_P`` and ``S_Q``, decide: the
likelihood-ratio vote is the sign of ``w_P S_P + w_Q S_Q`` where each weight is
``log((1 + delta)/(1 - delta))``. The laws of both sums come from `vote_law`; the cost grows as
``sqrt(n p)``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.minimax.vote_law import SignedSums

_CHUNK = 1 << 18  # lattice points handled at a time
_EPS = float(np.finfo(float).eps)


def vote_error(
    n_P: Any,
    p: Any,
    delta_P: Any,
    n_Q: Any,
    q: Any,
    delta_Q: Any,
    *,
    weights: tuple[Any, Any] | None = None,
    poissonised: bool = False,
) -> Any:
    """Error probability of the two-sample vote on one sign.

    Parameters
    ----------
    n_P, n_Q : array_like
        Sample sizes, whole numbers 0 or more (any non-negative number if ``poissonised``).
    p, q : array_like
        Mass of the atom under each marginal, in [0, 1].
    delta_P, delta_Q : array_like
        Signals in [0, 1]: a label agrees with the sign with probability ``(1 + delta)/2``.
    weights : (w_P, w_Q), optional
        Votes ``w_P S_P + w_Q S_Q`` with these weights (0 or more; one may be ``inf``: that sample
        decides, the other one breaks its ties). By default the likelihood-ratio weights, for which
        the error is the Bayes error of the uniform prior on the sign, ``(1 - TV)/2``.
    poissonised : bool
        Poisson sample sizes with means ``n_P`` and ``n_Q``: ``S_P`` and ``S_Q`` are Skellam.

    Returns
    -------
    float or ndarray
        ``P(vote < 0) + P(vote = 0)/2`` under the positive sign, with an absolute error below
        1e-13; all arguments broadcast. Smaller values than that are noise.

    Raises
    ------
    InputError
        For arguments out of range, and for windows of more than 2^26 points (``n p`` above about
        10^13), which are refused before they are allocated.

    Notes
    -----
    Votes within eight units of rounding of zero count as ties. Deterministic labels (``delta = 1``)
    are exact: one of them settles the sign.

    Source: the two-point problem under the lower bounds of arXiv:2002.04747; its exact evaluation
    is this package's own.

    Examples
    --------
    >>> from tlstat.minimax.vote import vote_error
    >>> round(vote_error(10_000, 0.001, 0.2, 100, 0.05, 0.3), 6)
    0.177062
    """
    arguments = _validated(n_P, p, delta_P, n_Q, q, delta_Q, poissonised)
    w_P, w_Q = _weights(weights, arguments[2], arguments[5])
    *arguments, w_P, w_Q = np.broadcast_arrays(*arguments, w_P, w_Q)
    shape = w_P.shape
    source = SignedSums(*[a.ravel() for a in arguments[:3]], poissonised=poissonised)
    target = SignedSums(*[a.ravel() for a in arguments[3:]], poissonised=poissonised)
    error = weighted_error(source, target, w_P.ravel(), w_Q.ravel())
    return error.reshape(shape) if shape else float(error[0])


def signed_sum(
    n: float, p: float, delta: float, *, poissonised: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Law of ``S``, agreements minus disagreements in one sample, on the window that matters.

    Parameters
    ----------
    n, p, delta : float
        As in `vote_error`.

    Returns
    -------
    support, probabilities : ndarray
        Consecutive integers, and their probabilities up to an absolute error of about 1e-16.
    """
    arrays = _validated(n, p, delta, 0, 0, 0, poissonised)[:3]
    walk = SignedSums(*[a.ravel() for a in arrays], poissonised=poissonised)
    start = float(walk.start[0])
    pmf = np.maximum(walk.pmf(np.array([0]))[0], 0.0)
    support = start + np.arange(pmf.size)
    possible = np.ones(pmf.size, bool) if poissonised else np.abs(support) <= float(n)
    if delta == 1:
        possible &= support >= 0
    return support[possible], pmf[possible]


@dataclass(frozen=True)
class VoteBounds:
    """Closed-form bounds on the Bayes error of the vote; see `vote_bounds`."""

    affinity: Any
    kl: Any
    hellinger: Any
    quarter_affinity: Any
    bretagnolle_huber: Any
    pinsker: Any
    upper: Any


def vote_bounds(
    n_P: Any, p: Any, delta_P: Any, n_Q: Any, q: Any, delta_Q: Any, *, poissonised: bool = False
) -> VoteBounds:
    """Closed-form bounds on the Bayes error ``e`` of the two-sample vote.

    Parameters
    ----------
    n_P, p, delta_P, n_Q, q, delta_Q, poissonised
        As in `vote_error`.

    Returns
    -------
    VoteBounds
        ``affinity`` a (Bhattacharyya) and ``kl`` between the two signs, the lower bounds
        ``hellinger = (1 - sqrt(1 - a^2))/2``, ``quarter_affinity = a^2/4``,
        ``bretagnolle_huber = exp(-kl)/4``, ``pinsker = max(0, (1 - sqrt(kl/2))/2)``, and the upper
        bound ``upper = a/2``.
    """
    n_P, p, delta_P, n_Q, q, delta_Q = _validated(n_P, p, delta_P, n_Q, q, delta_Q, poissonised)
    log_affinity = _log_affinity(n_P, p, delta_P, poissonised)
    log_affinity = log_affinity + _log_affinity(n_Q, q, delta_Q, poissonised)
    kl = _kl(n_P, p, delta_P) + _kl(n_Q, q, delta_Q)
    a = np.exp(log_affinity)
    # 1 - sqrt(1 - a^2), without cancellation where a is small
    hellinger = 0.5 * a**2 / (1 + np.sqrt(-np.expm1(2 * log_affinity)))
    pinsker = np.maximum(0.0, 0.5 * (1 - np.sqrt(kl / 2)))
    values = (a, kl, hellinger, 0.25 * a**2, 0.25 * np.exp(-kl), pinsker, 0.5 * a)
    return VoteBounds(*(v if np.ndim(v) else float(v) for v in values))


def _log_affinity(n: np.ndarray, p: np.ndarray, delta: np.ndarray, poissonised: bool) -> Any:
    root = np.sqrt((1 - delta) * (1 + delta))
    lost = p * delta**2 / (1 + root)  # p (1 - sqrt(1 - delta^2))
    with np.errstate(divide="ignore", invalid="ignore"):
        single = -lost if poissonised else np.log1p(-lost)
        return np.where(n == 0, 0.0, n * single)


def _kl(n: np.ndarray, p: np.ndarray, delta: np.ndarray) -> Any:
    signal = n * p * delta
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(signal == 0, 0.0, signal * 2 * np.arctanh(delta))


def _validated(
    n_P: Any, p: Any, delta_P: Any, n_Q: Any, q: Any, delta_Q: Any, poissonised: bool
) -> list[np.ndarray]:
    names = ("n_P", "p", "delta_P", "n_Q", "q", "delta_Q")
    arrays = []
    for name, value in zip(names, (n_P, p, delta_P, n_Q, q, delta_Q), strict=True):
        array = _numeric(name, value)
        size = name.startswith("n_")
        ok = np.isfinite(array) & (array >= 0)
        if not size:
            ok &= array <= 1
        elif not poissonised:
            ok &= array == np.floor(array)
        if not ok.all():
            expected = "whole numbers, 0 or more" if size else "numbers in [0, 1]"
            if size and poissonised:
                expected = "finite numbers, 0 or more"
            raise InputError(f"{name} must be {expected}; got {array[~ok].flat[0]:g}")
        arrays.append(array)
    try:
        return list(np.broadcast_arrays(*arrays))
    except ValueError:
        shapes = ", ".join(f"{k} {a.shape}" for k, a in zip(names, arrays, strict=True))
        raise InputError(f"the shapes do not broadcast: {shapes}") from None


def _numeric(name: str, value: Any) -> np.ndarray:
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be a number or an array of numbers, got {value!r}") from None


def _weights(weights: Any, delta_P: np.ndarray, delta_Q: np.ndarray) -> tuple[Any, Any]:
    if weights is None:
        with np.errstate(divide="ignore"):
            return 2 * np.arctanh(delta_P), 2 * np.arctanh(delta_Q)
    try:
        w_P, w_Q = weights
    except (TypeError, ValueError):
        raise InputError(f"weights must be a pair (w_P, w_Q), got {weights!r}") from None
    w_P, w_Q = _numeric("weights", w_P), _numeric("weights", w_Q)
    for w in (w_P, w_Q):
        if not (w >= 0).all():
            raise InputError(f"weights must be 0 or more, got {w[~(w >= 0)].flat[0]:g}")
    if np.any(np.isinf(w_P) & np.isinf(w_Q)):
        raise InputError("weights must not both be inf; give the ratio as finite weights")
    return w_P, w_Q


def weighted_error(source: SignedSums, target: SignedSums, w_P: Any, w_Q: Any) -> np.ndarray:
    """Error of weighted votes between given walks, without checks; vectors of one length."""
    error = np.empty(w_P.shape)
    source_leads = w_P > w_Q
    for lead, other, rows in ((source, target, source_leads), (target, source, ~source_leads)):
        w_lead = np.where(rows, np.maximum(w_P, w_Q), 1.0)
        w_other = np.where(rows, np.minimum(w_P, w_Q), 0.0)
        for block in _blocks(lead, other, np.flatnonzero(rows)):
            error[block] = _block_error(lead, other, w_lead[block], w_other[block], block)
    return np.clip(error, 0.0, 0.5)


def _blocks(lead: SignedSums, other: SignedSums, rows: np.ndarray) -> Iterator[np.ndarray]:
    """Groups of rows that share both window lengths, and whether few angles do, in bounded size."""
    if rows.size == 0:
        return
    kinds = [a[rows] for w in (lead, other) for a in (w.length, w.reach < np.pi)]
    groups, inverse = np.unique(np.stack(kinds, axis=1), axis=0, return_inverse=True)
    for group, kind in enumerate(groups):
        members = rows[inverse.ravel() == group]
        step = max(1, int(_CHUNK // kind.max()))
        for start in range(0, members.size, step):
            yield members[start : start + step]


def _block_error(
    lead: SignedSums, other: SignedSums, w_lead: np.ndarray, w_other: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    below = _cumulative(lead.pmf(rows))
    other_pmf = other.pmf(rows)
    s = other.start[rows, None] + np.arange(other_pmf.shape[1])
    undecided = w_lead == 0
    both = np.isinf(w_lead) & np.isinf(w_other)
    with np.errstate(invalid="ignore"):
        ratio = np.where(both, 1.0, w_other / np.where(undecided, 1.0, w_lead))
    crossing = -ratio[:, None] * s  # the lead's vote must be below this to lose
    nearest = np.round(crossing)
    tied = np.abs(crossing - nearest) <= 8 * _EPS * np.abs(crossing)
    crossing = np.where(tied, nearest, crossing) - lead.start[rows, None]
    # below[:, k] is P(S < start + k); a tie counts half
    limit = below.shape[1] - 1
    first = np.clip(np.ceil(crossing), 0, limit).astype(np.intp)
    last = np.clip(np.floor(crossing) + 1, 0, limit).astype(np.intp)
    loses = np.take_along_axis(below, first, axis=1) + np.take_along_axis(below, last, axis=1)
    error = 0.5 * np.sum(other_pmf * loses, axis=1)
    error = np.where(undecided, 0.5, error)
    return _lexicographic(error, lead, other_pmf, below, np.isinf(w_lead) & ~both, rows, s)


def _lexicographic(
    error: np.ndarray,
    lead: SignedSums,
    other_pmf: np.ndarray,
    below: np.ndarray,
    infinite: np.ndarray,
    rows: np.ndarray,
    s: np.ndarray,
) -> np.ndarray:
    """Where the lead's weight is infinite: the other sample decides the lead's ties."""
    if not infinite.any():
        return error
    limit = below.shape[1] - 1
    zero = np.clip(-lead.start[rows], 0, limit).astype(np.intp)
    after = np.minimum(zero + 1, limit)
    every = np.arange(rows.size)
    negative, tie = below[every, zero], below[every, after] - below[every, zero]
    certain = lead.delta[rows] == 1  # then S >= 0, and S = 0 only where nothing was seen
    n, p = lead.n[rows], lead.p[rows]
    with np.errstate(divide="ignore", invalid="ignore"):
        nothing = np.exp(np.where(n == 0, 0.0, -n * p if lead.poissonised else n * np.log1p(-p)))
    negative, tie = np.where(certain, 0.0, negative), np.where(certain, nothing, tie)
    minority = np.sum(other_pmf * ((s < 0) + 0.5 * (s == 0)), axis=1)
    return np.where(infinite, negative + tie * minority, error)


def _cumulative(pmf: np.ndarray) -> np.ndarray:
    """Running sums with a leading zero, in two levels so that rounding does not build up."""
    rows, length = pmf.shape
    width = 1 << (max(int(length).bit_length() - 1, 0) // 2)
    width = width if length % width == 0 else 1
    inner = np.cumsum(pmf.reshape(rows, length // width, width), axis=2)
    offsets = np.cumsum(inner[:, :, -1], axis=1) - inner[:, :, -1]
    out = np.zeros((rows, length + 1))
    out[:, 1:] = (inner + offsets[:, :, None]).reshape(rows, length)
    return out
