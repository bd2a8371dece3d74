"""Samples of many tasks, reduced to what the estimators read::

    S_j = X_j'X_j / n   (d, d),     q_j = X_j'y_j / n   (d,),     M = (1/N) sum y^2 xx'   (d, d)

Least squares in any form needs ``S`` and ``q`` alone. For Gaussian covariates they are drawn
without drawing samples (Bartlett's decomposition of the Wishart law), at a cost that does not
depend on n, and the two halves of the split U-statistic at d numbers a task. ``M`` is no function
of them: the method of moments and the whole U-statistic need raw draws.

Leading axes are replicates. Where ``n < d/2`` the rows take less room than the ``S_j``, which
then come as a `Factored`. Working memory is bounded by ``max_bytes``; the draws are a function of
the model, ``n``, the random source, ``size`` and ``max_bytes``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tlstat.errors import InputError
from tlstat.task_diversity.data import check_tasks
from tlstat.task_diversity.models import LinearTasks, TaskFamily
from tlstat.task_diversity.raw import (
    MAX_BYTES,
    Block,
    blocks,
    heads_of,
    in_chunks,
    parts,
    positive,
    sample_raw,
)

__all__ = [
    "Block",
    "Factored",
    "Halves",
    "Moments",
    "from_data",
    "in_chunks",
    "sample_halves",
    "sample_moments",
    "sample_raw",
]

Array = Any


@dataclass(frozen=True, eq=False)
class Factored:
    """Matrices ``S_j = F_j'F_j`` by their factors ``F`` (..., t, k, d), for ``k`` below ``d/2``."""

    root: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the ``S`` that it stands for, (..., t, d, d)."""
        *lead, _, d = self.root.shape
        return (*lead, d, d)

    def dense(self) -> Array:
        """``S`` as an array."""
        return self.root.mT @ self.root


@dataclass(frozen=True, eq=False)
class Moments:
    """Statistics of the samples of t tasks.

    Attributes
    ----------
    S : array, shape (..., t, d, d), or Factored
        ``X_j'X_j/n``.
    q : array, shape (..., t, d)
        ``X_j'y_j/n``.
    n : int or array, shape (t,)
        Samples a task. Where they differ, ``S``, ``q`` and ``y2`` are divided by the mean of
        ``n``, so that sums over tasks weigh samples alike.
    y2 : array, shape (..., t)
        ``|y_j|^2/n``.
    heads : array, shape (..., t, r), or None
        True heads, where they are known.
    M : array, shape (..., d, d), or None
        ``(1/N) sum y^2 xx'``, from raw draws only.
    """

    S: Any
    q: Array
    n: Any
    y2: Array
    heads: Array = None
    M: Array = None


class Halves(NamedTuple):
    """``X'y/n`` of two independent halves of every task, each (size, t, d)."""

    first: Array
    second: Array
    heads: Array


def sample_moments(
    model: TaskFamily,
    n: int,
    rng: Any,
    size: int = 1,
    *,
    heads: Array | None = None,
    raw: bool = False,
    max_bytes: int = MAX_BYTES,
) -> Moments:
    """``S``, ``q`` and ``y2`` of all tasks in ``size`` replicates.

    Bartlett's decomposition for linear tasks with Gaussian covariates and n >= d; raw draws
    otherwise, or where asked for.

    Parameters
    ----------
    model, n, rng, size, heads
        As in `sample_raw`.
    raw : bool
        Draw the samples, and return ``M`` as well.
    max_bytes : int
        Bound on what is needed beyond the result, whose ``S`` takes ``8 size t d min(d, n)``
        bytes; `in_chunks` bounds that.

    Returns
    -------
    Moments
        ``S`` is `Factored` for n < d/2.

    Raises
    ------
    InputError
        As in `sample_raw`.
    """
    n, size = positive("n", n), positive("size", size)
    positive("max_bytes", max_bytes)
    heads = heads_of(model, heads, rng, size)
    linear = isinstance(model, LinearTasks) and model.covariates == "gaussian"
    if isinstance(model, LinearTasks) and linear and n >= model.d and not raw:
        return _bartlett(model, n, rng, size, heads, max_bytes)
    return _accumulate(model, n, rng, size, heads, max_bytes, raw)


def _bartlett(
    model: LinearTasks, n: int, rng: Any, size: int, heads: Array, max_bytes: int
) -> Moments:
    """``nS = LL'`` and ``X'e = sigma L z``, with what is left of ``|e|^2`` a chi-square."""
    xp, d, t = rng.xp, model.d, heads.shape[1]
    S, q, y2 = (_empty(rng, (size, t, *tail)) for tail in ((d, d), (d,), ()))
    theta = heads @ rng.asarray(model.basis.T)
    diagonal = xp.arange(d, device=rng.device)
    degrees = n - np.arange(d, dtype=float)
    for j in parts(t, max(1, max_bytes // (3 * 8 * size * d * d))):
        shape = (size, j.stop - j.start, d)
        L = xp.tril(rng.normal(size=(*shape, d)), k=-1)
        L[..., diagonal, diagonal] = rng.chi2(degrees, size=shape) ** 0.5
        L /= math.sqrt(n)
        S[:, j] = L @ L.mT
        signal = (S[:, j] @ theta[:, j, :, None])[..., 0]
        z = rng.normal(size=shape)
        noise = model.sigma / math.sqrt(n) * (L @ z[..., None])[..., 0]
        q[:, j] = signal + noise
        left = (z**2).sum(-1)
        if n > d:
            left = left + rng.chi2(float(n - d), size=shape[:-1])
        y2[:, j] = (theta[:, j] * (signal + 2 * noise)).sum(-1) + model.sigma**2 * left / n
    return Moments(S, q, n, y2, heads)


def _accumulate(
    model: TaskFamily, n: int, rng: Any, size: int, heads: Array, max_bytes: int, fourth: bool
) -> Moments:
    d, t = model.d, heads.shape[1]
    factored = 2 * n < d
    S = _zeros(rng, (size, t, n if factored else d, d))
    q, y2 = _zeros(rng, (size, t, d)), _zeros(rng, (size, t))
    M = _zeros(rng, (size, d, d)) if fourth else None
    # with X there are its noise, its products and one weighted copy
    for j, i, X, y in blocks(model, n, rng, size, heads, max_bytes // 3):
        q[:, j] += (y[..., None, :] @ X)[..., 0, :] / n
        y2[:, j] += (y**2).sum(-1) / n
        if factored:
            S[:, j, i] = X / math.sqrt(n)
        else:
            S[:, j] += X.mT @ X / n
        if M is not None:
            weighted = (X * y[..., None]).reshape(size, -1, d)
            M += weighted.mT @ weighted / (n * t)
    return Moments(Factored(S) if factored else S, q, n, y2, heads, M)


def sample_halves(
    model: TaskFamily,
    n: int,
    rng: Any,
    size: int = 1,
    *,
    heads: Array | None = None,
    max_bytes: int = MAX_BYTES,
) -> Halves:
    """``X'y`` over the number of rows, for two independent halves of every task.

    For linear tasks with Gaussian covariates it takes d normal numbers and a chi-square a task
    and half: given ``y``, ``X'y = theta |y|^2/s^2 + |y| g`` with ``s^2 = |theta|^2 + sigma^2`` and
    ``g ~ N(0, I - theta theta'/s^2)``.

    Parameters
    ----------
    n : int
        Samples a task, 2 or more; the halves have ``n // 2`` and ``n - n // 2``.
    model, rng, size, heads, max_bytes
        As in `sample_moments`.

    Raises
    ------
    InputError
        If ``n`` is below 2, and as in `sample_moments`.
    """
    if positive("n", n) < 2:
        raise InputError(f"n is {n!r}; two halves need at least 2 samples a task")
    heads = heads_of(model, heads, rng, positive("size", size))
    halves = []
    for rows in (n // 2, n - n // 2):
        if isinstance(model, LinearTasks) and model.covariates == "gaussian":
            halves.append(_cross_moment(model, rows, rng, heads))
        else:
            q = _zeros(rng, (size, heads.shape[1], model.d))
            for block in blocks(model, rows, rng, size, heads, max_bytes // 3):
                q[:, block.tasks] += (block.y[..., None, :] @ block.X)[..., 0, :] / rows
            halves.append(q)
    return Halves(halves[0], halves[1], heads)


def _cross_moment(model: LinearTasks, n: int, rng: Any, heads: Array) -> Array:
    theta = heads @ rng.asarray(model.basis.T)
    norm2 = (theta**2).sum(-1, keepdims=True)
    s2 = norm2 + model.sigma**2
    safe = rng.xp.where(s2 > 0, s2, 1.0)
    y2 = s2 * rng.chi2(float(n), size=tuple(s2.shape))
    g = rng.normal(size=tuple(theta.shape))
    # I - theta theta'/s^2 = (I - c theta theta')^2 with c below
    root = (1 - (model.sigma**2 / safe) ** 0.5) / rng.xp.where(norm2 > 0, norm2, 1.0)
    g = g - root * theta * (theta * g).sum(-1, keepdims=True)
    return (theta * y2 / safe + y2**0.5 * g) / n


def from_data(X: Sequence[Any], y: Sequence[Any]) -> Moments:
    """Moments of a user's tasks, without a replicate axis.

    Parameters
    ----------
    X : sequence of array_like, shapes (n_j, d)
        One matrix a task; no intercept is added, so centre the columns if they are not.
    y : sequence of array_like, shapes (n_j,)

    Returns
    -------
    Moments
        numpy arrays ``S`` (t, d, d), ``q`` (t, d), ``n`` (t,), ``y2`` (t,) and ``M`` (d, d).

    Raises
    ------
    InputError
        As `data.check_tasks`.
    """
    X, y = check_tasks(X, y)
    n = np.array([len(rows) for rows in X])
    S = np.stack([rows.T @ rows for rows in X]) / n.mean()
    q = np.stack([rows.T @ out for rows, out in zip(X, y, strict=True)]) / n.mean()
    y2 = np.array([out @ out for out in y]) / n.mean()
    weighted = [rows * out[:, None] for rows, out in zip(X, y, strict=True)]
    M = sum(w.T @ w for w in weighted) / n.sum()
    return Moments(S, q, n, y2, None, M)


# ---------------------------------------------------------------------- plumbing


def _empty(rng: Any, shape: tuple[int, ...]) -> Array:
    return rng.xp.empty(shape, dtype=rng.xp.float64, device=rng.device)


def _zeros(rng: Any, shape: tuple[int, ...]) -> Array:
    return rng.xp.zeros(shape, dtype=rng.xp.float64, device=rng.device)
