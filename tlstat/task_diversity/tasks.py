"""A user's multi-task data: gathered, centred within tasks, and put into a basis for learning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.errors import InputError

__all__ = ["Prepared", "gather", "is_many", "prepare"]

Array = Any

# directions of the pooled covariates with a smaller share of the largest variance have none
_NO_VARIANCE = 1e-10


def is_many(X: Any) -> bool:
    """Whether ``X`` holds one matrix a task, rather than one matrix."""
    if isinstance(X, list | tuple):
        return len(X) > 0 and (np.ndim(X[0]) == 2 or len(getattr(X[0], "shape", ())) == 2)
    return isinstance(X, np.ndarray) and X.ndim == 3


def gather(X: np.ndarray, y: np.ndarray, groups: Any) -> tuple[list[Any], list[Any], np.ndarray]:
    """Tasks of one matrix: its rows by ``groups``, or all of them for every column of ``y``."""
    if y.ndim == 2 and y.shape[1] > 1:
        if groups is not None:
            raise InputError(
                f"y has shape {y.shape} and there are groups; expected either one column of y a "
                "task, or groups of rows"
            )
        tasks = y.shape[1]
        return [X] * tasks, list(y.T), np.arange(tasks)
    y = np.ravel(y)
    if groups is None:
        return [X], [y], np.arange(1)
    labels = np.asarray(groups)
    if labels.shape != (len(y),):
        raise InputError(
            f"groups has shape {labels.shape}; expected ({len(y)},), one label a row of X"
        )
    names, which = np.unique(labels, return_inverse=True)
    rows = [np.flatnonzero(which == j) for j in range(len(names))]
    return [X[part] for part in rows], [y[part] for part in rows], names


@dataclass(frozen=True, eq=False)
class Prepared:
    """Tasks in the coordinates in which a representation is learned.

    ``theta = basis theta_tilde`` takes coefficients back to the columns of ``X``; rows of ``X`` are
    centred by task where there are intercepts.
    """

    X: list[np.ndarray]
    y: list[np.ndarray]
    basis: np.ndarray
    intercepts: bool

    @property
    def n(self) -> np.ndarray:
        """Samples of each task that inform its head: one less where there is an intercept."""
        return np.array([len(out) for out in self.y]) - self.intercepts

    @property
    def in_basis(self) -> list[np.ndarray]:
        """The rows in the coordinates of ``basis``."""
        return [rows @ self.basis for rows in self.X]

    def take(self, tasks: np.ndarray) -> Prepared:
        """Some of the tasks, in the same basis."""
        return Prepared(
            [self.X[j] for j in tasks], [self.y[j] for j in tasks], self.basis, self.intercepts
        )


def prepare(X: list[Any], y: list[Any], *, intercepts: bool, whiten: bool | None) -> Prepared:
    """Centre the tasks and choose the basis.

    Parameters
    ----------
    X, y : list of array
        Checked.
    intercepts : bool
    whiten : bool or None
        Whether covariates get the identity as pooled covariance; None for a basis in which nothing
        depends on the answer: whitened within the span of the rows.

    Raises
    ------
    InputError
        If there are too few rows to whiten, or no column varies.
    """
    if intercepts:
        X = [rows - rows.mean(axis=0) for rows in X]
        y = [out - out.mean() for out in y]
    free = sum(len(out) for out in y) - intercepts * len(y)
    d = X[0].shape[1]
    if free < 1:
        raise InputError(
            "every task has one sample, which its intercept takes; expected more, or "
            "fit_intercept=False"
        )
    if not any(np.any(out) for out in y):
        flat = "does not vary within any task" if intercepts else "is 0 in all tasks"
        raise InputError(f"y {flat}; expected responses to learn from")
    if whiten is False:
        return Prepared(X, y, np.eye(d), intercepts)
    second = sum(rows.T @ rows for rows in X) / free
    scale = np.sqrt(np.diag(second))
    largest = float(np.max(scale))
    if largest == 0:
        raise InputError("X does not vary within any task; expected columns that do")
    varies = scale > 1e-12 * largest
    if whiten and free < np.sum(varies):
        raise InputError(
            f"{free} samples beyond the intercepts cannot whiten {int(np.sum(varies))} columns; "
            "expected at least as many, or whiten=False (for columns of covariance near I), or "
            "method='alternating'"
        )
    inverse = np.where(varies, 1 / np.where(varies, scale, 1), 0)
    values, vectors = np.linalg.eigh(inverse[:, None] * second * inverse)
    keep = values > _NO_VARIANCE * values[-1]
    basis = inverse[:, None] * vectors[:, keep] / np.sqrt(values[keep])
    return Prepared(X, y, basis, intercepts)
