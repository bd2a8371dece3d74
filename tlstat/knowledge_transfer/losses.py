"""The losses that the students minimise, of any label laws on a sample.

========  ===============================================================================
hard      ``-log q(a|s)``, summed over the sample: cross-entropy
weighted  the same, each label weighted by ``pi(a|s)**gamma``
partial   ``(log q(a|s) - log pi(a|s))**2 / 2``: squared error in log-probability
soft      ``KL(pi(.|s) || q(.|s))``: cross-entropy with whole rows, less its minimum
reverse   ``KL(q(.|s) || pi(.|s))``
vanilla   ``sum_a (log q(a|s) - log pi(a|s))**2 / 2`` (Ba and Caruana, 2014)
========  ===============================================================================

Where the teacher's probability is zero a student of probability zero matches it at no loss, and
any other at an infinite one (for "soft" at none, as in ``0 log 0 = 0``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tlstat.errors import InputError
from tlstat.knowledge_transfer.estimators import checked_counts, checked_probs


def loss(level: str, counts: Any, teacher_probs: Any, student: Any, *, gamma: float = 1.0) -> Any:
    """Total loss of label laws on a sample.

    Parameters
    ----------
    level : {"hard", "weighted", "partial", "soft", "reverse", "vanilla"}
    counts : array, shape (..., S, A)
    teacher_probs : array, shape (S, A) or (..., S, A)
    student : array, shape (S, A) or (..., S, A)
        Label laws, of the students' shape or any that broadcasts.
    gamma : float
        Exponent of the weight at level "weighted".

    Returns
    -------
    array, shape (...)
        Possibly infinite. Inputs that were not seen contribute nothing.
    """
    counts, xp = checked_counts(counts)
    probs = checked_probs(teacher_probs, counts, xp)
    rules: dict[str, Callable[[], Any]] = {
        "hard": lambda: -_times(counts, _log(student, xp), xp),
        "weighted": lambda: -_times(counts * probs**gamma, _log(student, xp), xp),
        "partial": lambda: _times(counts, _squared(student, probs, xp), xp),
        "soft": lambda: _times(_visits(counts, xp) * probs, _ratio(probs, student, xp), xp),
        "reverse": lambda: _times(_visits(counts, xp) * student, _ratio(student, probs, xp), xp),
        "vanilla": lambda: _times(_visits(counts, xp), _squared(student, probs, xp), xp),
    }
    if level not in rules:
        raise InputError(f"level must be one of {', '.join(rules)}; got {level!r}")
    return xp.sum(rules[level](), axis=(-2, -1))


def _log(p: Any, xp: Any) -> Any:
    positive = p > 0
    log = xp.log(xp.where(positive, p, xp.ones_like(p)))
    return xp.where(positive, log, xp.full_like(log, -float("inf")))


def _ratio(p: Any, q: Any, xp: Any) -> Any:
    """``log p - log q``, 0 where both are zero."""
    p, q = p + 0 * q, q + 0 * p
    both = (p == 0) & (q == 0)
    one = xp.ones_like(p)
    return _log(xp.where(both, one, p), xp) - _log(xp.where(both, one, q), xp)


def _squared(p: Any, q: Any, xp: Any) -> Any:
    return 0.5 * _ratio(p, q, xp) ** 2


def _times(weight: Any, value: Any, xp: Any) -> Any:
    """The product, 0 where the weight is (also times infinity)."""
    weight, value = weight + xp.zeros_like(value), value + xp.zeros_like(weight)
    nothing = weight == 0
    return xp.where(nothing, xp.zeros_like(weight), weight * xp.where(nothing, weight, value))


def _visits(counts: Any, xp: Any) -> Any:
    return xp.sum(counts, axis=-1, keepdims=True)
