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
from tlstat.knowledge_transfer.models import Teacher, sample_counts

_MAX_SUBSET_LABELS = 12
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
    level : {"hard", "partial", "soft"}
        The student; the weighted one has no closed form (see `weighted_label_limit`).
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
        unseen = np.exp(n * _log1m(teacher.rho))
        return float(teacher.rho * unseen @ _guess_distance(soft_label_student, teacher, fill))
    if level == "partial":
        if not (isinstance(fill, str) and fill == "uniform"):
            raise InputError('exact_risk at level "partial" is known for fill="uniform" only')
        return _exact_partial(teacher, n)
    raise InputError(f'level must be "hard", "partial" or "soft", got {level!r}')


def _log1m(p: np.ndarray) -> np.ndarray:
    """``log(1 - p)``, very negative instead of infinite at 1 so that 0 times it is 0."""
    return (
        np.log1p(-np.minimum(p, 1 - 1e-300))
        if np.all(p < 1)
        else np.where(p < 1, np.log1p(-np.where(p < 1, p, 0.0)), -1e300)
    )


def _guess_distance(student: Callable[..., Any], teacher: Teacher, fill: Any) -> np.ndarray:
    """Total variation of the guess at each input when nothing was seen, shape (S,)."""
    nothing = np.zeros(teacher.pi.shape)
    return 0.5 * np.abs(student(nothing, teacher.pi, fill=fill) - teacher.pi).sum(axis=1)


def _exact_hard(teacher: Teacher, n: int, fill: Any) -> float:
    guess = _guess_distance(hard_label_student, teacher, fill)
    total = float(teacher.rho * np.exp(n * _log1m(teacher.rho)) @ guess)
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
            total += times * rho * _partial_row(row, float(rho), n)
    return float(total)


def _partial_row(row: np.ndarray, rho: float, n: int) -> float:
    """Expected distance at one input, for its sorted law ``row``."""
    positive = row[row > 0]
    small = positive[:-1]
    if small.size == 0 or small[-1] - small[0] <= 1e-12 * small[-1]:
        return _one_big_row(row, rho, n)
    if positive.size <= _MAX_SUBSET_LABELS:
        return _subset_row(positive, row.size - positive.size, rho, n)
    raise InputError(
        f"a row has {positive.size} different positive labels; the closed form for partial soft "
        f"labels needs at most {_MAX_SUBSET_LABELS}, or all but the largest to be equal"
    )


def _one_big_row(row: np.ndarray, rho: float, n: int) -> float:
    """One big label, ``h`` of equal mass ``e``, the others of none: a sum over occupancies."""
    positive = row[row > 0]
    big, h = positive[-1], positive.size - 1
    e = positive[:-1].mean() if h else 0.0
    off = row.size - positive.size
    distinct = np.arange(h + 1)
    without_big = _shared_distance(h - distinct, e, off, big)
    with_big = _shared_distance(h - distinct, e, off, None)
    hit = rho * h * e  # probability that a draw lands on one of the small labels here
    # P(m hits, big label unseen) = C(n, m) hit^m (1 - rho)^(n - m)
    scale = 1 - rho * big
    unseen_big = np.exp(n * _log1m(np.array(rho * big)))
    inside = min(hit / scale, 1.0) if scale > 0 else 0.0
    joint = occupancy_mean(without_big, n, inside)
    joint_with = occupancy_mean(with_big, n, inside)
    return float(occupancy_mean(with_big, n, hit) + unseen_big * (joint - joint_with))


def _shared_distance(unseen: np.ndarray, e: float, off: int, big: float | None) -> np.ndarray:
    """Total variation when the mass of the unseen labels is shared equally among them."""
    extra = 0.0 if big is None else 1.0
    mass = unseen * e + (big or 0.0)
    share = mass / np.maximum(unseen + off + extra, 1)
    return 0.5 * (unseen * np.abs(e - share) + off * share + extra * np.abs((big or 0.0) - share))


def occupancy_mean(value: np.ndarray, n: int, p: float) -> float:
    """``E value[distinct]`` when Bin(n, p) balls fall uniformly into ``len(value) - 1`` boxes."""
    h = value.size - 1
    if h == 0 or n == 0 or p == 0:
        return float(value[0])
    boxes = np.arange(h + 1)
    # beyond this many balls some box is empty with probability below 1e-18
    enough = int(np.ceil((np.log(h) + 41.5) * h)) + 1
    law = np.zeros(h + 1)
    law[0] = 1.0
    means = np.empty(enough + 1)
    for m in range(enough + 1):
        means[m] = law @ value
        moved = law * (h - boxes) / h
        law = law * boxes / h
        law[1:] += moved[:-1]
    return float(average(lambda m: means[np.minimum(m, enough).astype(int)], n, p))


def _subset_row(positive: np.ndarray, off: int, rho: float, n: int) -> float:
    """Any row: the law of the set of labels seen, by inclusion and exclusion over subsets."""
    k = positive.size
    member = (np.arange(1 << k)[:, None] >> np.arange(k)) & 1
    # P(no label outside the subset was drawn at this input), then a Moebius transform
    within = np.exp(n * _log1m(rho * (1 - np.minimum(member @ positive, 1.0))))
    for bit in range(k):
        cube = within.reshape(-1, 2, 1 << bit)
        cube[:, 1] -= cube[:, 0]
    unseen = 1 - member
    mass = unseen @ positive
    share = mass / np.maximum(unseen.sum(axis=1) + off, 1)
    distance = 0.5 * ((unseen * np.abs(positive - share[:, None])).sum(axis=1) + off * share)
    return float(within @ distance)


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
    p = law.joint.ravel() if isinstance(law, Teacher) else np.asarray(law, dtype=float)
    n = np.asarray(n, dtype=float)
    if (n < 0).any():
        raise InputError(f"n must be at least 0, got {n.min():g}")
    value = np.exp(n[..., None] * _log1m(p)) @ p
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
