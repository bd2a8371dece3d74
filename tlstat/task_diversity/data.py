"""A user's tasks, checked before any work: a list of matrices and a list of responses."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.task_diversity.subspace import check_rank

__all__ = ["TaskWarning", "check_identifiable", "check_tasks"]


class TaskWarning(UserWarning):
    """Something about the tasks that makes a learned representation doubtful."""


def check_tasks(
    X: Sequence[Any], y: Sequence[Any], r: int | None = None, *, constant: bool = False
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Matrices and responses as floats.

    Parameters
    ----------
    X : sequence of array_like, shapes (n_j, d)
    y : sequence of array_like, shapes (n_j,)
    r : int, optional
        Rank that will be fitted.
    constant : bool
        Take constant columns without a warning, as a small target sample may have them.

    Raises
    ------
    InputError
        For no tasks, other numbers of matrices than of responses, tasks of different width,
        lengths that do not fit, no rows, entries that are not finite numbers, a rank outside of
        1..d, or fewer tasks than the rank.

    Warns
    -----
    TaskWarning
        A column that is constant in all tasks.
    """
    if len(X) != len(y) or len(X) == 0:
        raise InputError(
            f"{len(X)} matrices X and {len(y)} responses y; expected one of each a task"
        )
    rows = [_floats(x, f"X[{j}]", 2) for j, x in enumerate(X)]
    out = [_floats(v, f"y[{j}]", 1) for j, v in enumerate(y)]
    d = rows[0].shape[1]
    for j, (x, v) in enumerate(zip(rows, out, strict=True)):
        if x.shape[1] != d:
            raise InputError(f"X[{j}] has {x.shape[1]} columns and X[0] {d}; expected one width")
        if len(x) != len(v) or len(v) == 0:
            raise InputError(
                f"X[{j}] has {len(x)} rows and y[{j}] {len(v)}; expected as many, >= 1"
            )
    if d == 0:
        raise InputError("X[0] has no columns; expected at least one")
    if r is not None:
        check_rank(r, d)
        if len(rows) < r:
            raise InputError(
                f"{len(rows)} tasks cannot span a representation of rank r = {r}; "
                "expected at least r tasks"
            )
    if not constant:
        _warn_constant(rows)
    return rows, out


def check_identifiable(n: Any, r: int) -> None:
    """Raise where tasks with too few samples leave least squares without information on ``B``.

    A task with ``n_j <= r`` is fitted exactly whatever ``B`` is.

    Raises
    ------
    InputError
        If no task has more than ``r`` samples.
    """
    most = int(np.max(n))
    if most <= r:
        raise InputError(
            f"at most {most} samples a task with r = {r}: any representation fits them exactly, so "
            "least squares cannot identify it; expected n > r, or use the method of moments "
            "(method_of_moments, or u_statistic from n = 2), which can"
        )


def _floats(value: Any, name: str, ndim: int) -> np.ndarray:
    try:
        x = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"{name} holds something other than numbers; expected floats") from None
    if x.ndim != ndim:
        raise InputError(f"{name} has shape {x.shape}; expected {ndim} dimension(s)")
    if not np.all(np.isfinite(x)):
        at = tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])
        raise InputError(f"{name} has {x[at]} at {at}; expected finite numbers")
    return x


def _warn_constant(rows: list[np.ndarray]) -> None:
    first = rows[0][0]
    if sum(map(len, rows)) < 2:
        return
    constant = np.all([np.all(x == first, axis=0) for x in rows], axis=0)
    if constant.any():
        at = ", ".join(map(str, np.flatnonzero(constant)[:5]))
        warnings.warn(
            f"column {at} of X is constant in all tasks: it carries no information on the "
            "representation (or acts as an intercept that all tasks share); drop it",
            TaskWarning,
            stacklevel=3,
        )
