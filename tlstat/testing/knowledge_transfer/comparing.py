"""What the checks share: comparisons that say what was found, and what a sample shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Student = Callable[[Any, Any], Any]

# rounding of probabilities; of sums over a few hundred tables
EPS = 1e-12
SUM_EPS = 1e-10


def close(found: Any, expected: Any, what: str, tolerance: Any = EPS) -> None:
    found, expected = np.asarray(found), np.asarray(expected)
    gap = np.abs(found - expected) - tolerance
    if found.shape != np.broadcast_shapes(found.shape, expected.shape) or not (gap <= 0).all():
        raise AssertionError(f"{what}: {found.tolist()}, expected {expected.tolist()}")


def at_most(small: Any, large: Any, what: str, tolerance: float = EPS) -> None:
    if not (np.asarray(small) <= np.asarray(large) + tolerance).all():
        raise AssertionError(f"{what}: {np.asarray(small).tolist()}, {np.asarray(large).tolist()}")


def seen(sample: Any) -> np.ndarray:
    """Inputs that occur in the sample, shape (S,)."""
    return sample.counts.sum(axis=1) > 0


def missing(sample: Any) -> np.ndarray:
    """Teacher's mass on labels that were not seen at each input, shape (S,)."""
    return np.where(sample.counts > 0, 0.0, sample.teacher.pi).sum(axis=1)


def ask(student: Student, sample: Any) -> np.ndarray:
    return np.asarray(student(sample.counts, sample.teacher.pi))
