"""Fits of a target task: on a representation, or on nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.task_diversity.data import check_tasks

__all__ = ["fit_target", "oracle", "single_task"]


def fit_target(B: Any, X: Any, y: Any) -> np.ndarray:
    """Coefficients ``B alpha`` of least squares on ``X B``, shape (d,).

    Parameters
    ----------
    B : array_like, shape (d, r)
    X : array_like, shape (m, d)
    y : array_like, shape (m,)

    Raises
    ------
    InputError
        For shapes that do not fit, or entries that are not finite.

    Notes
    -----
    With fewer samples than ``r`` the head of minimum norm is taken.
    """
    rows, out = check_tasks([X], [y], constant=True)
    basis = np.asarray(B, dtype=float)
    if basis.ndim != 2 or basis.shape[0] != rows[0].shape[1]:
        raise InputError(f"B has shape {basis.shape}; expected ({rows[0].shape[1]}, r)")
    return np.asarray(basis @ np.linalg.lstsq(rows[0] @ basis, out[0], rcond=None)[0])


def oracle(B: Any, X: Any, y: Any) -> np.ndarray:
    """`fit_target` on the true representation."""
    return fit_target(B, X, y)


def single_task(X: Any, y: Any) -> np.ndarray:
    """Least squares on the target alone, of minimum norm where m < d; shape (d,).

    Parameters
    ----------
    X : array_like, shape (m, d)
    y : array_like, shape (m,)

    Raises
    ------
    InputError
        As `fit_target`.
    """
    rows, out = check_tasks([X], [y], constant=True)
    return np.asarray(np.linalg.lstsq(rows[0], out[0], rcond=None)[0])
