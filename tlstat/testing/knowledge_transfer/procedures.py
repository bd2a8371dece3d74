"""Checks of every procedure of a level, and of those that treat labels alike."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tlstat.testing.knowledge_transfer import enumeration as exact
from tlstat.testing.knowledge_transfer.comparing import (
    SUM_EPS,
    Student,
    ask,
    at_most,
    close,
    seen,
)

# ------------------------------------------------- every procedure, whatever it minimises


def gives_laws(level: str, student: Student, sample: Any) -> None:
    answer = ask(student, sample)
    assert answer.shape == sample.counts.shape, (
        f"shape {answer.shape} for counts of shape {sample.counts.shape}"
    )
    assert np.isfinite(answer).all() and (answer >= 0).all(), f"not all >= 0: {answer.tolist()}"
    close(answer.sum(axis=-1), 1.0, "rows sum to")


def answers_each_sample_alone(level: str, student: Student, sample: Any) -> None:
    pi, support = sample.teacher.pi, np.flatnonzero(sample.teacher.joint)
    drawn = sample.rng.choice(support, (2, 3))
    others = [np.bincount(cells, minlength=pi.size).reshape(pi.shape) for cells in drawn]
    batch = np.stack([sample.counts, *others])
    close(student(batch, pi), np.stack([student(c, pi) for c in batch]), "batch against one by one")


def leaves_its_arguments(level: str, student: Student, sample: Any) -> None:
    counts, pi = sample.counts.astype(float), sample.teacher.pi.copy()
    student(counts, pi)
    assert np.array_equal(counts, sample.counts), "counts were changed in place"
    assert np.array_equal(pi, sample.teacher.pi), "teacher_probs were changed in place"


def uses_what_its_level_shows(level: str, student: Student, sample: Any) -> None:
    counts, pi = sample.counts, sample.teacher.pi
    rng = sample.rng
    hidden = {
        "hard": np.ones(pi.shape, dtype=bool),
        "soft": np.broadcast_to(~seen(sample)[:, None], pi.shape),
    }.get(level, counts == 0)
    mass = np.where(hidden, pi, 0.0).sum(axis=1, keepdims=True)
    # random weights, positive on everything hidden: labels in the sample stay possible
    weight = np.where(hidden, rng.gamma(0.5, size=pi.shape) + 1e-3, 0.0)
    share = weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)
    other = np.where(hidden, mass * share, pi)
    close(
        student(counts, other), student(counts, pi), f"with other hidden entries {other.tolist()}"
    )


def pays_the_bayes_risk(level: str, student: Student, case: Any) -> None:
    found = exact.average_risk(student, case.rho, case.teachers, case.n)
    at_most(case.bayes_risk, found, "Bayes risk and average risk", SUM_EPS)


class AveragedProblem(NamedTuple):
    """Equally likely teachers, shape (V, S, A), with common inputs, and their Bayes risk."""

    rho: np.ndarray
    teachers: np.ndarray
    n: int
    bayes_risk: float


def priors(level: str) -> Any:
    """Tiny least favourable priors with their exact Bayes risk (Theorems 3.1, 4.1, 5.1)."""
    from hypothesis import strategies as st

    def pairs(size: tuple[int, int], n: int, gap: float) -> AveragedProblem:
        S, A = size
        value = exact.paired_bayes(S, A, n, gap)
        return AveragedProblem(np.full(S, 1 / S), exact.paired_vertices(S, A, gap), n, value)

    def subsets(size: tuple[int, int, int], n: int, share: float) -> AveragedProblem:
        S, A, on = size
        teachers = exact.subset_vertices(S, A, on, share / on)
        value = exact.subset_bayes(S, A, n, on, share / on)
        return AveragedProblem(np.full(S, 1 / S), teachers, n, value)

    def diracs(size: tuple[int, int], n: int, share: float) -> AveragedProblem:
        S, A = size
        rho = np.array([share, *np.full(S - 1, (1 - share) / max(S - 1, 1))])
        rho /= rho.sum()
        return AveragedProblem(rho, exact.dirac_vertices(S, A), n, exact.dirac_bayes(rho, A, n))

    n, share = st.integers(0, 5), st.floats(0.05, 0.95)
    if level == "hard":
        return st.builds(pairs, st.sampled_from([(1, 2), (2, 2), (1, 4)]), n, share)
    if level == "soft":
        return st.builds(diracs, st.sampled_from([(1, 2), (2, 2), (2, 3), (3, 2)]), n, share)
    sizes = [(1, 3, 1), (2, 3, 1), (1, 4, 1), (1, 4, 2), (1, 5, 2)]
    return st.builds(subsets, st.sampled_from(sizes), n, share)


# --------------------------------------------------- students that treat labels alike


def follows_relabelling(level: str, student: Student, sample: Any) -> None:
    rng, pi = sample.rng, sample.teacher.pi
    labels = np.argsort(rng.random(pi.shape), axis=1)
    inputs = rng.permutation(pi.shape[0])

    def moved(table: np.ndarray) -> np.ndarray:
        return np.take_along_axis(table, labels, axis=1)[inputs]

    close(student(moved(sample.counts), moved(pi)), moved(ask(student, sample)), "relabelled")


def guesses_uniformly(level: str, student: Student, sample: Any) -> None:
    guess = ask(student, sample)[~seen(sample)]
    close(guess, 1 / sample.teacher.A, "guess at inputs that were not seen")
    nothing = np.zeros_like(sample.counts)
    close(student(nothing, sample.teacher.pi), 1 / sample.teacher.A, "guess without a sample")
