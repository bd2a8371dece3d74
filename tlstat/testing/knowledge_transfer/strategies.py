"""Hypothesis strategies for finite teachers and for samples of labels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tlstat.errors import InputError
from tlstat.knowledge_transfer.models import Teacher, sample_counts

CONCENTRATIONS = (20.0, 1.0, 0.2, 0.02)
_SEEDS = st.integers(0, 2**32 - 1)
_COINS = st.booleans()
_FEW = 12


@dataclass(frozen=True)
class Sample:
    """A teacher with a table of counts, and a seed for what else a law draws.

    Its ``repr`` shows every number, so that a counterexample can be pasted into a test.
    """

    teacher: Teacher
    counts: np.ndarray
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "counts", np.asarray(self.counts))

    def __repr__(self) -> str:
        counts = self.counts.tolist()
        return f"Sample({_shown(self.teacher)}, counts={counts}, seed={self.seed})"

    @property
    def rng(self) -> np.random.Generator:
        """A fresh generator: the same numbers at every call."""
        return np.random.default_rng(self.seed)


@dataclass(frozen=True)
class Problem:
    """A teacher with a sample size, and a seed for what else a law draws."""

    teacher: Teacher
    n: int
    seed: int = 0

    @property
    def rng(self) -> np.random.Generator:
        """A fresh generator: the same numbers at every call."""
        return np.random.default_rng(self.seed)

    def __repr__(self) -> str:
        return f"Problem({_shown(self.teacher)}, n={self.n}, seed={self.seed})"


def _shown(teacher: Teacher) -> str:
    return f"Teacher(rho={teacher.rho.tolist()}, pi={teacher.pi.tolist()})"


def finite_teachers(
    *,
    min_inputs: int = 1,
    max_inputs: int = 5,
    min_labels: int = 2,
    max_labels: int = 6,
    max_cells: int | None = None,
) -> st.SearchStrategy[Teacher]:
    """Teachers of every shape: uniform rows, point masses, sparse to flat ones, exact zeros.

    Each row, and the law of the inputs, is uniform, a point mass, or a Dirichlet draw with
    concentration .02 to 20, some entries of which may be set to zero. So some inputs may have
    no mass. Shrinks towards few inputs and labels and uniform rows.

    Parameters
    ----------
    min_inputs, max_inputs, min_labels, max_labels : int
        Bounds of ``S`` and ``A``, inclusive.
    max_cells : int, optional
        Bound of ``S * A``, for what is enumerated.

    Returns
    -------
    strategy of Teacher

    Raises
    ------
    InputError
        If the bounds leave no size.
    """
    cells = max_inputs * max_labels if max_cells is None else max_cells
    if not (1 <= min_inputs <= max_inputs and 1 <= min_labels <= max_labels):
        raise InputError(
            f"bounds of sizes must be ordered and at least 1, got inputs {min_inputs}..{max_inputs}"
            f" and labels {min_labels}..{max_labels}"
        )
    if min_inputs * min_labels > cells:
        raise InputError(
            f"max_cells must be at least min_inputs * min_labels = {min_inputs * min_labels}, "
            f"got {max_cells}"
        )

    return _teachers(min_inputs, max_inputs, min_labels, max_labels, cells)


@st.composite
def _teachers(
    draw: Any, min_inputs: int, max_inputs: int, min_labels: int, max_labels: int, cells: int
) -> Teacher:
    S = draw(_integers(min_inputs, min(max_inputs, cells // min_labels)))
    A = draw(_integers(min_labels, min(max_labels, cells // S)))
    rho, *pi = [draw(_laws(size)) for size in (S, *[A] * S)]
    return Teacher(rho, np.stack(pi))


# strategies of numbers are cached: building one costs more than drawing from it
_integers = lru_cache(maxsize=1024)(st.integers)


@lru_cache(maxsize=64)
def _laws(size: int) -> st.SearchStrategy[np.ndarray]:
    """Laws on ``size`` points."""
    if size == 1:
        return st.just(np.ones(1))
    uniform = st.just(np.full(size, 1 / size))
    point = _integers(0, size - 1).map(lambda i: np.eye(size)[i])
    concentrations = st.sampled_from(CONCENTRATIONS)
    zeros = st.sampled_from([0.0, 0.4])
    return st.one_of(
        uniform, point, st.builds(_random_law, st.just(size), concentrations, zeros, _SEEDS)
    )


def _random_law(size: int, concentration: float, zeros: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    law = rng.dirichlet(np.full(size, concentration))
    kept = np.where(rng.random(size) < zeros, 0.0, law)
    law = kept if kept.sum() > 0 else law
    return law / law.sum()


def label_counts(
    teacher: Teacher, *, min_n: int = 0, max_n: int = 3_000
) -> st.SearchStrategy[np.ndarray]:
    """Counts of labels at each input that the teacher may produce.

    Half of them are drawn from the teacher; the others are any dozen labelled inputs of positive
    probability, however small.

    Parameters
    ----------
    teacher : Teacher
    min_n, max_n : int
        Bounds of the sample size, inclusive.

    Returns
    -------
    strategy of ndarray, shape (S, A), int64
    """
    if not 0 <= min_n <= max_n:
        raise InputError(f"0 <= min_n <= max_n must hold, got min_n={min_n} and max_n={max_n}")
    return _counts(teacher, min_n, max_n)


@st.composite
def _counts(draw: Any, teacher: Teacher, min_n: int, max_n: int) -> np.ndarray:
    if min_n <= _FEW and draw(_COINS):
        support = np.flatnonzero(teacher.joint)
        cells = support[draw(_lists_of_cells(support.size, min_n, min(max_n, _FEW)))]
        return np.bincount(cells, minlength=teacher.joint.size).reshape(teacher.pi.shape)
    n = min_n + draw(_sizes(max_n - min_n))
    return sample_counts(teacher, n, np.random.default_rng(draw(_SEEDS)), 1)[0]


@lru_cache(maxsize=256)
def _lists_of_cells(size: int, least: int, most: int) -> st.SearchStrategy[list[int]]:
    return st.lists(_integers(0, size - 1), min_size=least, max_size=most)


@st.composite
def samples(draw: Any, **sizes: Any) -> Sample:
    """A teacher, counts that it may produce, and a seed; ``sizes`` as in `finite_teachers`."""
    teacher = draw(finite_teachers(**sizes))
    return Sample(teacher, draw(label_counts(teacher)), draw(_SEEDS))


@st.composite
def problems(draw: Any, max_n: int, **sizes: Any) -> Problem:
    """A teacher, a sample size up to ``max_n`` (of any order of magnitude) and a seed."""
    teacher = draw(finite_teachers(**sizes))
    return Problem(teacher, draw(_sizes(max_n)), draw(_SEEDS))


@lru_cache(maxsize=64)
def _sizes(most: int) -> st.SearchStrategy[int]:
    """Integers up to ``most``, each order of magnitude as often as the next."""
    steps = [min(2**k, most) for k in range(2, most.bit_length() + 1)] or [most]
    return st.sampled_from(steps).flatmap(lambda top: _integers(top // 4 if top > 4 else 0, top))
