"""Estimators of the representation by the eigenvectors of one moment matrix.

All need Gaussian covariates with covariance I in some way: ``E M = (tr C + sigma^2) I + 2BCB'``
rests on their fourth moments (see `LinearTasks.fourth_moment` for others), the U-statistic and
its relatives on ``E q_j = B alpha_j`` alone, which holds for any isotropic covariates.
"""

from __future__ import annotations

from typing import Any

from tlstat.errors import InputError
from tlstat.task_diversity.subspace import top_subspace

__all__ = [
    "cross_moment",
    "method_of_moments",
    "pair_moment",
    "spectral_start",
    "split_half",
    "u_statistic",
]

Array = Any


def method_of_moments(M: Array, r: int) -> Array:
    """Top eigenvectors of ``M = (1/N) sum y^2 xx'``: LF-MoM of arXiv:2002.11684, Algorithm 1.

    Works at any number of samples a task, also one. It does not improve as sigma -> 0.

    Parameters
    ----------
    M : array, shape (..., d, d)
    r : int

    Returns
    -------
    array, shape (..., d, r)
    """
    if M is None:
        raise InputError(
            "M is None; expected moments from raw draws: sample_moments(..., raw=True)"
        )
    return top_subspace(M, r)


def u_statistic(q: Array, M: Array, n: int, r: int) -> Array:
    """Top eigenvectors of the U-statistic, whose mean is ``BCB'`` for isotropic covariates.

    ``(1/t) sum_j (1/(n(n-1))) sum_{i != k} y_i y_k x_i x_k'``, equal to
    ``[n (1/t) sum_j q_j q_j' - M] / (n - 1)``.

    Parameters
    ----------
    q : array, shape (..., t, d)
    M : array, shape (..., d, d)
    n : int
        Samples a task, the same for all tasks, at least 2.
    r : int

    Returns
    -------
    array, shape (..., d, r)

    Raises
    ------
    InputError
        For ``n`` below 2.
    """
    return top_subspace(pair_moment(q, M, n), r)


def pair_moment(q: Array, M: Array, n: int) -> Array:
    """The matrix of the U-statistic, shape (..., d, d); its eigenvalues estimate those of ``C``.

    Entries (i, k) with i outside and k inside of the span have variance
    ``(s^2/N) (nu_k + (s^2 + nu_k)/(n - 1))`` for heads of one norm, ``s^2 = |alpha|^2 + sigma^2``.

    Parameters
    ----------
    q, M, n : as in `u_statistic`
    """
    if not n >= 2:
        raise InputError(f"n is {n!r}; the U-statistic needs at least 2 samples a task")
    if M is None:
        raise InputError(
            "M is None; expected moments from raw draws: sample_moments(..., raw=True)"
        )
    return (n * _second_moment(q) - M) / (n - 1)


def split_half(first: Array, second: Array, r: int) -> Array:
    """Top eigenvectors of the symmetrised ``(1/t) sum_j q_j^(1) q_j^(2)'``.

    Parameters
    ----------
    first, second : array, shape (..., t, d)
        ``X'y/n`` of two independent halves of every task (`sample_halves`).
    r : int

    Returns
    -------
    array, shape (..., d, r)
    """
    return top_subspace(cross_moment(first, second), r)


def cross_moment(first: Array, second: Array) -> Array:
    """``sym((1/t) sum_j q_j^(1) q_j^(2)')``, shape (..., d, d)."""
    Q = first.mT @ second / first.shape[-2]
    return (Q + Q.mT) / 2


def spectral_start(q: Array, r: int) -> Array:
    """Top eigenvectors of ``(1/t) sum_j q_j q_j'``: a start for the iterative estimators.

    For Gaussian isotropic covariates its mean is ``(1 + 1/n) BCB' + c I``, so the span is right
    for any n. It needs nothing but ``q``.
    """
    return top_subspace(_second_moment(q), r)


def _second_moment(q: Array) -> Array:
    return q.mT @ q / q.shape[-2]
