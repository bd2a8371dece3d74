"""Checks of students that minimise the loss of their level, and of those that guess uniformly."""

from __future__ import annotations

from typing import Any

import numpy as np

from tlstat.knowledge_transfer.estimators import LEVELS, STUDENTS
from tlstat.knowledge_transfer.models import Teacher
from tlstat.knowledge_transfer.risk import exact_risk
from tlstat.testing.knowledge_transfer import enumeration as exact
from tlstat.testing.knowledge_transfer.comparing import (
    EPS,
    SUM_EPS,
    Student,
    ask,
    at_most,
    close,
    missing,
    seen,
)

# ------------------------------------------------------- minimisers of the level's loss


def _weights(level: str, sample: Any) -> np.ndarray:
    """Weight of each ``-log student(a|s)`` in the loss, summing to one at inputs seen."""
    pi = sample.teacher.pi
    weight = {"hard": sample.counts, "weighted": sample.counts * pi, "soft": pi}[level]
    weight = weight[seen(sample)].astype(float)
    # twice: the sum of a row may be too small to divide by
    weight = weight / weight.max(axis=1, keepdims=True)
    return weight / weight.sum(axis=1, keepdims=True)


def _cross_entropy(weight: np.ndarray, law: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return -np.where(weight > 0, weight * np.log(np.where(weight > 0, law, 1.0)), 0.0).sum(-1)


def beats_its_rivals(level: str, student: Student, sample: Any) -> None:
    weight, fitted = _weights(level, sample), ask(student, sample)[seen(sample)]
    rng = sample.rng
    steps = np.repeat([1.0, 0.1, 0.01, 0.001], 25)[:, None, None]
    rivals = rng.dirichlet(np.full(fitted.shape[-1], 0.5), size=(100, len(fitted)))
    rivals = (1 - steps) * fitted + steps * rivals
    loss, best = _cross_entropy(weight, fitted), _cross_entropy(weight, rivals).min(axis=0)
    at_most(loss, best, "loss at each input seen, and that of the best of 100 rivals")


def attains_the_entropy(level: str, student: Student, sample: Any) -> None:
    weight, fitted = _weights(level, sample), ask(student, sample)[seen(sample)]
    close(_cross_entropy(weight, fitted), _cross_entropy(weight, weight), "loss at each input seen")


def has_no_squared_log_error(level: str, student: Student, sample: Any) -> None:
    told = sample.counts > 0
    with np.errstate(divide="ignore"):
        error = np.log(ask(student, sample)[told]) - np.log(sample.teacher.pi[told])
    worst = 0.5 * np.max(error**2, initial=0.0)
    assert worst <= 1e-24, f"squared log error {worst:g} on a label that was seen"


def ignores_doubling(level: str, student: Student, sample: Any) -> None:
    twice = student(2 * sample.counts, sample.teacher.pi)
    close(twice, ask(student, sample), "every draw counted twice")


def keeps_to_the_missing_mass(level: str, student: Student, sample: Any) -> None:
    told = seen(sample)
    loss = exact.distance(ask(student, sample), sample.teacher.pi)[told]
    unseen = missing(sample)[told]
    if level == "soft":
        close(loss, 0.0, "distance at inputs seen")
    elif level == "partial":
        at_most(loss, unseen, "distance and missing mass at inputs seen")
    else:
        at_most(unseen, loss, "missing mass and distance at inputs seen")


def has_its_limit(level: str, student: Student, sample: Any) -> None:
    """Counts ``round(n rho pi)``: rounding moves a ratio by at most A/2 over the total weight."""
    teacher = sample.teacher
    power = {"hard": 1, "weighted": 2}.get(level, 1)
    limit = teacher.pi**power / (teacher.pi**power).sum(axis=1, keepdims=True)
    for n in (10**4, 10**8, 10**12):
        counts = np.rint(n * teacher.joint)
        answer = np.asarray(student(counts, teacher.pi))
        if level == "hard":
            slack = teacher.A / np.maximum(counts.sum(axis=1), 1e-300)
        elif level == "weighted":
            slack = 1 / np.maximum((counts * teacher.pi).sum(axis=1), 1e-300)
        else:
            slack = np.zeros(teacher.S)
        whole = counts > 0 if level == "partial" else counts.sum(axis=1, keepdims=True) > 0
        told = (whole | (teacher.pi == 0)).all(axis=1)
        close(answer[told], limit[told], f"student at n = {n:g}", slack[told, None] + EPS)


def weighted_is_hard_on_flat_rows(level: str, student: Student, sample: Any) -> None:
    """Theorem 4.3: consistent where each row is uniform on its support."""
    support = sample.teacher.pi > 0
    flat = support / support.sum(axis=1, keepdims=True)
    told = seen(sample)
    frequencies = sample.counts[told] / sample.counts[told].sum(axis=1, keepdims=True)
    close(student(sample.counts, flat)[told], frequencies, "student of a flat teacher")


def weighted_ignores_scale(level: str, student: Student, sample: Any) -> None:
    """Half the probability of each label seen, the other half to labels that were not."""
    counts, pi = sample.counts, sample.teacher.pi
    open_rows = seen(sample) & (counts == 0).any(axis=1)
    unseen = counts == 0
    missing = 1 - np.where(unseen, 0.0, pi / 2).sum(axis=1, keepdims=True)
    share = unseen / np.maximum(unseen.sum(axis=1, keepdims=True), 1)
    halved = np.where(open_rows[:, None], np.where(unseen, missing * share, pi / 2), pi)
    close(student(counts, halved), ask(student, sample), "probabilities halved where seen")


# ----------------------------------------------- minimisers that treat labels alike


def keeps_the_order(level: str, student: Student, sample: Any) -> None:
    counts, pi = sample.counts, sample.teacher.pi
    loss = {k: exact.distance(f(counts, pi), pi) for k, f in STUDENTS.items() if k != level}
    loss[level] = exact.distance(ask(student, sample), pi)
    for small, large in (("soft", "partial"), ("partial", "hard"), ("partial", "weighted")):
        if level in (small, large):
            at_most(loss[small], loss[large], f"distances of {small} and {large} at each input")
    blind = ~seen(sample)
    for other in LEVELS:
        close(loss[level][blind], loss[other][blind], f"{level} and {other} at inputs not seen")


def never_loses_by_a_draw(level: str, student: Student, sample: Any) -> None:
    counts, teacher, rng = sample.counts.copy(), sample.teacher, sample.rng
    support = np.flatnonzero(teacher.joint)
    risk = teacher.rho @ exact.distance(student(counts, teacher.pi), teacher.pi)
    for cell in rng.choice(support, 5):
        counts.ravel()[cell] += 1
        after = teacher.rho @ exact.distance(student(counts, teacher.pi), teacher.pi)
        at_most(after, risk, f"risk after and before a draw that gives {counts.tolist()}")
        risk = after


def has_the_exact_risk(level: str, student: Student, problem: Any) -> None:
    teacher: Teacher = problem.teacher
    found = exact.expected_risk(student, teacher.rho, teacher.pi, problem.n)
    close(found, exact_risk(teacher, problem.n, level), "expected risk", SUM_EPS)
