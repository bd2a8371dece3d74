"""The students: what a learner makes of labels and of what it was told about them.

Each takes ``counts`` (``counts[..., s, a]``: how often input ``s`` came with label ``a``) and the
teacher's probabilities, and returns label laws of the same shape. They work on numpy and torch
arrays alike, with any number of leading axes.

==========  ===============================  ==================================================
level       student                          at an input that was seen
==========  ===============================  ==================================================
hard        `hard_label_student`             frequencies, ``N_sa / N_s``: maximum likelihood
weighted    `weighted_label_student`         proportional to ``N_sa pi(a|s)``: cross-entropy
                                             weighted by the partial soft labels; inconsistent
partial     `partial_label_student`          ``pi(a|s)`` on the labels seen, the missing mass by
                                             the fill-in rule: squared error in log-probability
soft        `soft_label_student`             ``pi(.|s)``: cross-entropy with whole rows
(partial)   `unnormalised_label_student`     softmax of free logits fitted to the log of
                                             ``pi(a|s)`` on the labels seen
==========  ===============================  ==================================================

At an input that was never seen a student must guess. ``fill`` says how: ``"uniform"`` (as in
the paper's experiments), ``"first-unseen"`` (everything on the first label not seen, the
unluckiest simple choice) or a prior law, shape ``(A,)`` or ``(S, A)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tlstat.backend import namespace, to_numpy
from tlstat.errors import InputError

LEVELS = ("hard", "weighted", "partial", "soft")


def hard_label_student(counts: Any, teacher_probs: Any = None, *, fill: Any = "uniform") -> Any:
    """Frequencies of the labels at each input: the maximum-likelihood student.

    Parameters
    ----------
    counts : array, shape (..., S, A)
        Non-negative counts.
    teacher_probs : array, optional
        Ignored; accepted so that all students are called alike.
    fill : {"uniform", "first-unseen"} or array, shape (A,) or (S, A)
        Guess at inputs that were not seen.

    Returns
    -------
    array, shape (..., S, A)
        Rows sum to one.

    Raises
    ------
    InputError
        If counts are negative or not finite, or shapes do not fit.
    """
    counts, xp = checked_counts(counts)
    return _normalised(counts, _guess(fill, counts, xp), xp)


def weighted_label_student(
    counts: Any, teacher_probs: Any, *, gamma: float = 1.0, fill: Any = "uniform"
) -> Any:
    """Cross-entropy weighted by the teacher's probability of the sampled label.

    Its limit is proportional to ``pi**(1 + gamma)``, so it is consistent only for ``gamma=0``
    (the hard-label student) or where each row is uniform on its support.

    Parameters
    ----------
    counts : array, shape (..., S, A)
    teacher_probs : array, shape (S, A) or (..., S, A)
        The teacher's probabilities; only those of sampled labels matter.
    gamma : float
        Exponent of the weight, at least 0; 1 is the paper's ``CE_ptl``.
    fill : {"uniform", "first-unseen"} or array
        Guess at inputs that were not seen.

    Returns
    -------
    array, shape (..., S, A)
    """
    if not 0 <= gamma < np.inf:
        raise InputError(f"gamma must be finite and at least 0, got {gamma!r}")
    counts, xp = checked_counts(counts)
    probs = checked_probs(teacher_probs, counts, xp)
    # relative to the largest of the row: tiny probabilities to a power must not underflow
    probs = xp.where(counts > 0, probs, xp.zeros_like(counts))
    largest = xp.max(probs, axis=-1, keepdims=True)
    relative = probs / xp.where(largest > 0, largest, xp.ones_like(largest))
    return _normalised(counts * relative**gamma, _guess(fill, counts, xp), xp)


def partial_label_student(counts: Any, teacher_probs: Any, *, fill: Any = "uniform") -> Any:
    """The teacher's probability on labels that were seen; the rest is shared by the rule.

    Minimises the squared error of log-probabilities on the sample (its loss is zero).

    Parameters
    ----------
    counts : array, shape (..., S, A)
        Only whether a count is positive matters.
    teacher_probs : array, shape (S, A) or (..., S, A)
        Entries at labels that were not seen enter through the missing mass alone, which the
        student knows because probabilities sum to one.
    fill : {"uniform", "first-unseen"} or array
        How the missing mass is shared among the labels not seen; a prior law is restricted to
        them (uniform where it has no mass there).

    Returns
    -------
    array, shape (..., S, A)
    """
    counts, xp = checked_counts(counts)
    probs = checked_probs(teacher_probs, counts, xp)
    seen = counts > 0
    zero = xp.zeros_like(counts)
    # a sum over the unseen, not one minus the seen: exactly zero when nothing is missing
    missing = xp.sum(xp.where(seen, zero, probs), axis=-1, keepdims=True)
    share = _share(fill, seen, counts, xp)
    return xp.where(seen, probs, missing * share)


def unnormalised_label_student(
    counts: Any, teacher_probs: Any, *, z0: float = -float("inf"), fill: Any = "uniform"
) -> Any:
    """Squared error of free logits against log-probabilities: what normalisation is worth.

    The logits of labels that were seen equal the teacher's log-probability, the others stay at
    ``z0``, and the student is their softmax.

    Parameters
    ----------
    counts : array, shape (..., S, A)
        Only whether a count is positive matters.
    teacher_probs : array, shape (S, A) or (..., S, A)
        Only those of labels that were seen matter.
    z0 : float
        Where logits start. With ``-inf`` the labels seen share all the mass, and the distance at
        an input is its missing mass exactly. With a finite value the student is inconsistent
        wherever a label is impossible.
    fill : {"uniform", "first-unseen"} or array
        Guess at inputs that were not seen.

    Returns
    -------
    array, shape (..., S, A)
    """
    if not z0 < float("inf"):
        raise InputError(f"z0 must be a number below infinity, got {z0!r}")
    counts, xp = checked_counts(counts)
    probs = checked_probs(teacher_probs, counts, xp)
    # relative to the larger of 0 and z0, so that nothing overflows
    shift = max(float(z0), 0.0)
    unseen = xp.full_like(counts, math.exp(z0 - shift))
    weights = xp.where(counts > 0, probs * math.exp(-shift), unseen)
    seen = xp.sum(counts, axis=-1, keepdims=True) > 0
    # guessed where nothing was seen, whatever the softmax of equal logits would be
    return _normalised(
        xp.where(seen, weights, xp.zeros_like(weights)), _guess(fill, counts, xp), xp
    )


def soft_label_student(counts: Any, teacher_probs: Any, *, fill: Any = "uniform") -> Any:
    """The teacher's whole row at inputs that were seen, the guess elsewhere.

    Minimises the cross-entropy with whole rows, the reverse divergence, and the squared error of
    all log-probabilities (Ba and Caruana, 2014) with the convention that 0 matches 0.

    Parameters
    ----------
    counts : array, shape (..., S, A)
        Only whether an input was seen matters.
    teacher_probs : array, shape (S, A) or (..., S, A)
    fill : {"uniform", "first-unseen"} or array
        Guess at inputs that were not seen.

    Returns
    -------
    array, shape (..., S, A)
    """
    counts, xp = checked_counts(counts)
    probs = checked_probs(teacher_probs, counts, xp)
    seen = xp.sum(counts, axis=-1, keepdims=True) > 0
    return xp.where(seen, probs, _guess(fill, counts, xp))


STUDENTS: dict[str, Callable[..., Any]] = {
    "hard": hard_label_student,
    "weighted": weighted_label_student,
    "partial": partial_label_student,
    "soft": soft_label_student,
    "unnormalised": unnormalised_label_student,
}


def students(
    counts: Any, teacher_probs: Any, levels: tuple[str, ...] = LEVELS, *, fill: Any = "uniform"
) -> dict[str, Any]:
    """Several students of the same sample.

    Parameters
    ----------
    counts, teacher_probs : array
        As for each student.
    levels : tuple of str
        Out of "hard", "weighted", "partial", "soft" and "unnormalised".

    Returns
    -------
    dict of array
        By level, in the order asked for.
    """
    unknown = [level for level in levels if level not in STUDENTS]
    if unknown:
        raise InputError(f"levels must be among {', '.join(STUDENTS)}; got {unknown[0]!r}")
    return {level: STUDENTS[level](counts, teacher_probs, fill=fill) for level in levels}


def checked_counts(counts: Any) -> tuple[Any, Any]:
    if isinstance(counts, (list, tuple)):
        counts = np.asarray(counts)
    xp = namespace(counts)
    if counts.ndim < 2 or 0 in counts.shape[-2:]:
        raise InputError(f"counts must have shape (..., S, A), got {tuple(counts.shape)}")
    counts = xp.astype(counts, xp.float64)
    # one comparison catches negative, NaN and infinite entries
    fine = (counts >= 0) & (counts < float("inf"))
    if not bool(xp.all(fine)):
        at = _first(~fine)
        got = float(counts[tuple(at)])
        raise InputError(f"counts must be finite and non-negative, got {got:g} at {at}")
    return counts, xp


def checked_probs(probs: Any, counts: Any, xp: Any) -> Any:
    if probs is None:
        raise InputError("teacher_probs is missing; this student learns from them")
    probs = _as_like(probs, counts, xp)
    _check_shape("teacher_probs", probs, counts)
    _check_rows("teacher_probs", probs, xp)
    impossible = probs == 0
    if bool(xp.any(impossible)) and bool(xp.any(impossible & (counts > 0))):
        at = _first(impossible & (counts > 0))
        raise InputError(
            f"counts{at} is positive, but teacher_probs gives that label probability zero"
        )
    return probs


def _check_shape(name: str, values: Any, counts: Any) -> None:
    try:
        fits = np.broadcast_shapes(tuple(values.shape), tuple(counts.shape)) == tuple(counts.shape)
    except ValueError:
        fits = False
    if not fits or values.shape[-1] != counts.shape[-1]:
        raise InputError(
            f"{name} has shape {tuple(values.shape)}, which does not fit counts of shape "
            f"{tuple(counts.shape)}"
        )


def _check_rows(name: str, laws: Any, xp: Any) -> None:
    """Raise unless every row is a law; the message names the first entry or row that is not."""
    fine = laws >= 0  # false for NaN too
    if not bool(xp.all(fine)):
        at = _first(~fine)
        got = float(laws[tuple(at)])
        raise InputError(f"{name} must be non-negative, got {got:g} at {at}")
    total = xp.sum(laws, axis=-1)
    fine = xp.abs(total - 1) <= 1e-9
    if not bool(xp.all(fine)):
        at = _first(~fine)
        row = f"row {at[0] if len(at) == 1 else at}" if at else "it"
        got = float(total[tuple(at)])
        raise InputError(f"every row of {name} must sum to 1; {row} sums to {got:.12g}")


def _first(bad: Any) -> list[int]:
    """Indices of the first offending entry."""
    return [int(i) for i in np.argwhere(to_numpy(bad))[0]]


def _as_like(values: Any, counts: Any, xp: Any) -> Any:
    if isinstance(values, (list, tuple)):
        values = np.asarray(values, dtype=np.float64)
    if isinstance(counts, np.ndarray):
        return np.asarray(values, dtype=np.float64)
    if isinstance(values, np.ndarray) and not values.flags.writeable:
        values = values.copy()  # torch shares the memory of an array and must be able to write
    return xp.asarray(values, dtype=xp.float64, device=counts.device)


def _normalised(weights: Any, guess: Any, xp: Any) -> Any:
    total = xp.sum(weights, axis=-1, keepdims=True)
    seen = total > 0
    return xp.where(seen, weights / xp.where(seen, total, xp.ones_like(total)), guess)


def _guess(fill: Any, counts: Any, xp: Any) -> Any:
    """The law at an input that was not seen, broadcastable to the shape of the counts."""
    A = counts.shape[-1]
    if isinstance(fill, str):
        if fill == "uniform":
            return xp.full_like(counts[..., :1, :], 1 / A)
        if fill == "first-unseen":
            return _as_like(np.eye(A)[:1], counts, xp)
        raise InputError(f'fill must be "uniform", "first-unseen" or a law, got {fill!r}')
    law = _as_like(fill, counts, xp)
    _check_shape("fill", law, counts)
    _check_rows("fill", law, xp)
    return law


def _share(fill: Any, seen: Any, counts: Any, xp: Any) -> Any:
    """How one unit of missing mass is shared among the labels not seen."""
    unseen = xp.astype(~seen, counts.dtype)
    number = xp.sum(unseen, axis=-1, keepdims=True)
    uniform = unseen / xp.where(number > 0, number, xp.ones_like(number))
    guess = _guess(fill, counts, xp)
    if isinstance(fill, str):
        if fill == "uniform":
            return uniform
        return unseen * xp.astype(xp.cumulative_sum(unseen, axis=-1) == 1, counts.dtype)
    law = unseen * guess
    total = xp.sum(law, axis=-1, keepdims=True)
    return xp.where(total > 0, law / xp.where(total > 0, total, xp.ones_like(total)), uniform)
