"""Method of moments and U-statistics of one problem."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.task_diversity.data import check_tasks

__all__ = ["method_of_moments", "split_half", "u_statistic"]


def method_of_moments(X: Sequence[Any], y: Sequence[Any], r: int) -> np.ndarray:
    """Top eigenvectors of ``(1/N) sum y^2 xx'``, shape (d, r): LF-MoM of arXiv:2002.11684.

    Consistent for Gaussian covariates with covariance I, at any number of samples a task.

    Parameters
    ----------
    X : sequence of array_like, shapes (n_j, d)
    y : sequence of array_like, shapes (n_j,)
    r : int

    Raises
    ------
    InputError
        As `data.check_tasks`.
    """
    X, y = check_tasks(X, y, r)
    rows, out = np.concatenate(X), np.concatenate(y)
    return _top((rows * out[:, None] ** 2).T @ rows / len(rows), r)


def u_statistic(X: Sequence[Any], y: Sequence[Any], r: int) -> np.ndarray:
    """Top eigenvectors of the mean of ``y_i y_k x_i x_k'`` over pairs within tasks, shape (d, r).

    Tasks weigh in proportion to their samples; those with one sample have no pairs. Consistent for
    covariates with mean 0 and covariance I, Gaussian or not.

    Parameters
    ----------
    X, y, r : as in `method_of_moments`

    Raises
    ------
    InputError
        As `data.check_tasks`, and if no task has 2 samples.
    """
    X, y = check_tasks(X, y, r)
    d = X[0].shape[1]
    Q = np.zeros((d, d))
    for rows, out in zip(X, y, strict=True):
        if len(out) < 2:
            continue
        weighted = rows * out[:, None]
        total = weighted.sum(axis=0)
        Q += (np.outer(total, total) - weighted.T @ weighted) / (len(out) - 1)
    _check_pairs(y)
    return _top(Q, r)


def split_half(X: Sequence[Any], y: Sequence[Any], r: int) -> np.ndarray:
    """Top eigenvectors of the symmetrised ``sum_j n_j q_j^(1) q_j^(2)'``, shape (d, r).

    The halves are the first ``n_j // 2`` rows of a task and the others: shuffle rows that are
    ordered.

    Parameters
    ----------
    X, y, r : as in `method_of_moments`

    Raises
    ------
    InputError
        As `u_statistic`.
    """
    X, y = check_tasks(X, y, r)
    _check_pairs(y)
    d = X[0].shape[1]
    Q = np.zeros((d, d))
    for rows, out in zip(X, y, strict=True):
        half = len(out) // 2
        if half:
            first = rows[:half].T @ out[:half] / half
            second = rows[half:].T @ out[half:] / (len(out) - half)
            Q += len(out) * np.outer(first, second)
    return _top(Q + Q.T, r)


def _check_pairs(y: list[np.ndarray]) -> None:
    if max(map(len, y)) < 2:
        raise InputError("all tasks have one sample; pairs need 2: use method_of_moments")


def _top(M: np.ndarray, r: int) -> np.ndarray:
    return np.asarray(np.linalg.eigh(M)[1][:, : -r - 1 : -1])
