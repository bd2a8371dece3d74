"""The risk of a student: of one estimate, and exactly in expectation where a formula exists.

The risk is the average total variation ``sum_s rho(s) |student(.|s) - pi(.|s)|_1 / 2``, in [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import comb, factorial
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.knowledge_transfer.binomial import average, half_mean_deviation
from tlstat.knowledge_transfer.estimators import (
    LEVELS,
    STUDENTS,
    hard_label_student,
    soft_label_student,
    students,
)
from tlstat.knowledge_transfer.instances import require_size
from tlstat.knowledge_transfer.models import Teacher, checked_law, sample_counts
from tlstat.knowledge_transfer.occupancy import log1m, partial_row

_MAX_ENUMERATION = 200_000


def tv_risk(student: Any, teacher: Any, pi: Any | None = None) -> Any:
    """Total-variation risk of label laws, averaged over the teacher's inputs.

    Parameters
    ----------
    student : array, shape (..., S, A)
        Label laws.
    teacher : Teacher or Prior
        Truth; of a prior only the input law is used, and ``pi`` must be given.
    pi : array, shape (..., S, A), optional
        The true label laws, if not ``teacher.pi``.

    Returns
    -------
    array, shape (...)
    """
    from tlstat.backend import namespace

    xp = namespace(student)
    truth = teacher.pi if pi is None else pi
    if tuple(student.shape[-2:]) != tuple(truth.shape[-2:]):
        raise InputError(
            f"student has shape {tuple(student.shape)}; its last two axes must be "
            f"{tuple(truth.shape[-2:])}, inputs and labels of the teacher"
        )
    truth, rho = _beside(student, truth, xp), _beside(student, teacher.rho, xp)
    return 0.5 * xp.sum(rho * xp.sum(xp.abs(student - truth), axis=-1), axis=-1)


def simulate_risks(
    teacher: Any,
    n: int,
    rng: Any,
    size: int,
    levels: tuple[str, ...] = LEVELS,
    *,
    pi: Any | None = None,
    fill: Any = "uniform",
) -> Any:
    """Risks of several students on the same simulated samples.

    Parameters
    ----------
    teacher : Teacher or Prior
        Of a prior only the input law is used, and ``pi`` must be given.
    n : int
        Sample size.
    rng : Random or numpy Generator
    size : int
        Number of replicates.
    levels : tuple of str
        Students, out of "hard", "weighted", "partial" and "soft".
    pi : array, shape (size, S, A), optional
        One teacher for each replicate.
    fill : {"uniform", "first-unseen"} or array
        Guess at what was not seen.

    Returns
    -------
    array, shape (size, len(levels))
    """
    from tlstat.backend import namespace

    counts = sample_counts(teacher, n, rng, size, pi=pi)
    truth = teacher.pi if pi is None else pi
    fitted = students(counts, truth, levels, fill=fill)
    risks = [tv_risk(fitted[level], teacher, pi) for level in levels]
    return namespace(counts).stack(risks, axis=-1)


def _beside(reference: Any, values: Any, xp: Any) -> Any:
    """``values`` in the namespace and on the device of ``reference``."""
    if isinstance(reference, np.ndarray) or not isinstance(values, np.ndarray):
        return values
    return xp.asarray(values.copy(), device=reference.device)


def exact_risk(teacher: Teacher, n: int, level: str, *, fill: Any = "uniform") -> float:
    """Expected risk of a student by its closed form: no simulation, any ``n``.

    Parameters
    ----------
    teacher : Teacher
    n : int
        Sample size, 0 or more.
    level : {"hard", "partial", "soft", "unnormalised"}
        The student; the weighted one has no closed form (see `weighted_label_limit`), the
        unnormalised one has logits that start at minus infinity.
    fill : {"uniform", "first-unseen"} or array
        Guess at inputs that were not seen. For "partial" only "uniform" has a closed form.

    Returns
    -------
    float
        Accurate to about 1e-11.

    Raises
    ------
    InputError
        For another level, and for "partial" where a row has neither at most twelve positive
        labels nor one big and otherwise equal ones.
    """
    require_size("n", n, 0)
    if level == "hard":
        return _exact_hard(teacher, n, fill)
    if level == "soft":
        unseen = np.exp(n * log1m(teacher.rho))
        return float(teacher.rho * unseen @ _guess_distance(soft_label_student, teacher, fill))
    if level == "partial":
        if not (isinstance(fill, str) and fill == "uniform"):
            raise InputError('exact_risk at level "partial" is known for fill="uniform" only')
        return _exact_partial(teacher, n)
    if level == "unnormalised":
        # at an input that was seen its distance is the missing mass of the labels
        missed = expected_missing_mass(teacher, n) - teacher.rho @ np.exp(n * log1m(teacher.rho))
        return float(missed) + exact_risk(teacher, n, "soft", fill=fill)
    raise InputError(f'level must be "hard", "partial", "soft" or "unnormalised", got {level!r}')


def _guess_distance(student: Callable[..., Any], teacher: Teacher, fill: Any) -> np.ndarray:
    """Total variation of the guess at each input when nothing was seen, shape (S,)."""
    nothing = np.zeros(teacher.pi.shape)
    return 0.5 * np.abs(student(nothing, teacher.pi, fill=fill) - teacher.pi).sum(axis=1)


def _exact_hard(teacher: Teacher, n: int, fill: Any) -> float:
    guess = _guess_distance(hard_label_student, teacher, fill)
    total = float(teacher.rho * np.exp(n * log1m(teacher.rho)) @ guess)
    for rho in np.unique(teacher.rho[teacher.rho > 0]):
        values, times = np.unique(teacher.pi[teacher.rho == rho], return_counts=True)

        def mean_loss(
            m: np.ndarray, values: np.ndarray = values, times: np.ndarray = times
        ) -> np.ndarray:
            loss = np.zeros(m.shape)
            seen = m > 0
            for value, count in zip(values, times, strict=True):
                if 0 < value < 1:
                    loss[seen] += count * half_mean_deviation(m[seen], value)
            return loss

        total += float(rho * average(mean_loss, n, float(rho)))
    return total


def _exact_partial(teacher: Teacher, n: int) -> float:
    total = 0.0
    rows, inverse = np.unique(
        np.column_stack([teacher.rho, np.sort(teacher.pi, axis=1)]), axis=0, return_inverse=True
    )
    for index, times in enumerate(np.bincount(inverse.ravel())):
        rho, row = rows[index, 0], rows[index, 1:]
        if rho > 0:
            total += times * rho * partial_row(row, float(rho), n)
    return float(total)


def expected_missing_mass(law: Any, n: Any) -> Any:
    """Expected probability of what a sample of size ``n`` did not show.

    Parameters
    ----------
    law : Teacher or array, shape (k,)
        A law, or a teacher (then that of input and label together).
    n : array_like
        Sample sizes.

    Returns
    -------
    float or ndarray
        ``sum_x p(x) (1 - p(x))**n``.
    """
    p = law.joint.ravel() if isinstance(law, Teacher) else checked_law("law", law, 1)
    n = np.asarray(n, dtype=float)
    if (n < 0).any():
        raise InputError(f"n must be at least 0, got {n.min():g}")
    value = np.exp(n[..., None] * log1m(p)) @ p
    return float(value) if value.ndim == 0 else value


def weighted_label_limit(teacher: Teacher, gamma: float = 1.0) -> tuple[np.ndarray, float]:
    """Where the weighted student converges, and its distance from the teacher.

    Parameters
    ----------
    teacher : Teacher
    gamma : float
        Exponent of the weight; 1 is the paper's.

    Returns
    -------
    limit : ndarray, shape (S, A)
        ``pi**(1 + gamma)``, normalised: the teacher at temperature ``1 / (1 + gamma)``.
    bias : float
        Its total-variation risk, which no sample size reduces.
    """
    power = (teacher.pi / teacher.pi.max(axis=1, keepdims=True)) ** (1 + gamma)
    limit = power / power.sum(axis=1, keepdims=True)
    return limit, float(tv_risk(limit, teacher))


def enumerate_risk(
    teacher: Teacher, n: int, student: str | Callable[..., Any], *, fill: Any = "uniform"
) -> float:
    """Expected risk by summing over every possible table of counts (tiny problems only).

    Parameters
    ----------
    teacher : Teacher
    n : int
    student : str or callable
        A level, or any ``(counts, teacher_probs, fill=...) -> label laws``.

    Raises
    ------
    InputError
        If there are more than 200,000 tables.
    """
    require_size("n", n, 0)
    rule = STUDENTS[student] if isinstance(student, str) else student
    p = teacher.joint.ravel()
    support = np.flatnonzero(p)
    if comb(n + support.size - 1, support.size - 1) > _MAX_ENUMERATION:
        raise InputError(f"{support.size} cells and n={n} give too many tables to enumerate")
    total = 0.0
    for table in _compositions(n, support.size):
        counts = np.zeros(p.size)
        counts[support] = table
        ways = factorial(n)
        for count in table:
            ways //= factorial(count)
        weight = ways * float(np.prod(p[support] ** np.array(table)))
        estimate = rule(counts.reshape(teacher.pi.shape), teacher.pi, fill=fill)
        total += weight * float(tv_risk(estimate, teacher))
    return total


def _compositions(n: int, parts: int) -> Iterator[tuple[int, ...]]:
    if parts == 1:
        yield (n,)
        return
    for first in range(n + 1):
        for rest in _compositions(n - first, parts - 1):
            yield (first, *rest)
