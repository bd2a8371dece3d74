"""Excess risk at the target, exactly: of a head on a given representation, and of one task alone.

Model: ``y = theta'x + sigma noise`` with ``theta = B alpha_0``, Gaussian ``x`` and noise, ``m``
target samples, least squares (of minimum norm where it is not unique). Directions that a
representation ``B_hat`` misses act as more noise, independent of what it sees: with the squared
bias ``b^2 = alpha_0'Lambda alpha_0`` (`representation_gap`) ::

    E[excess risk | B_hat]  =  b^2 + (sigma^2 + b^2) r / (m - r - 1),    m > r + 1.

All risks are squared: ``E|B_hat alpha_hat - theta|^2`` for isotropic x. Laws, quantiles and means
of the norm itself, which published curves show, are in `risk_law`. Symbols of Tripuraneni, Jin and
Jordan (ICML 2021), whose ``n_2`` is ``m``; the formulas are ours.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tlstat.backend import namespace
from tlstat.errors import InputError
from tlstat.task_diversity.checks import (
    matrix,
    non_negative,
    positive,
    same_axis,
    symmetric,
    vector,
    whole,
)
from tlstat.task_diversity.diversity import task_averaged_difference, task_difference
from tlstat.task_diversity.gaps import representation_gap

__all__ = [
    "average_excess_risk",
    "crossover",
    "head_risk",
    "single_task_risk",
    "transfer_excess_risk",
    "transfer_wins",
]

Array = Any


def head_risk(r: Array, m: Array, sigma: Array = 1.0) -> Array:
    """``sigma^2 r / (m - r - 1)``: excess risk with the true representation, the oracle's.

    Parameters
    ----------
    r, m : array of int
        Dimension of the representation and number of target samples; broadcast.
    sigma : array
        Standard deviation of the noise.

    Returns
    -------
    array
        inf for ``m <= r + 1``.
    """
    whole(1, r=r)
    whole(0, m=m)
    non_negative(sigma=sigma)
    return _least_squares(np.asarray(r), np.asarray(m), np.asarray(sigma, dtype=float) ** 2)[()]


def single_task_risk(d: Array, m: Array, sigma: Array = 1.0, norm: Array = 1.0) -> Array:
    """Excess risk of least squares of minimum norm in ``d`` dimensions, for every ``m``.

    Parameters
    ----------
    d, m : array of int
        Dimension and number of target samples; broadcast.
    sigma : array
        Standard deviation of the noise.
    norm : array
        ``|theta|`` (not squared), which matters where ``m < d``.

    Returns
    -------
    array
        For isotropic Gaussian x: ``sigma^2 d / (m - d - 1)`` where ``m > d + 1``;
        ``(1 - m/d) norm^2 + sigma^2 m / (d - m - 1)`` where ``m < d - 1``; inf in between, unless
        ``sigma = 0``. The first does not need isotropy.
    """
    whole(1, d=d)
    whole(0, m=m)
    non_negative(sigma=sigma, norm=norm)
    d, m = np.asarray(d, dtype=float), np.asarray(m, dtype=float)
    return _minimum_norm(np, d, m, np.asarray(sigma, float) ** 2, np.asarray(norm, float) ** 2)[()]


def transfer_excess_risk(
    B_hat: Array,
    B: Array,
    alpha_0: Array,
    sigma: float,
    m: Array,
    *,
    covariance: Array | None = None,
) -> Array:
    """Excess risk of least squares on ``B_hat'x`` given the estimate, averaged over target samples.

    Parameters
    ----------
    B_hat : array, shape (..., d, r)
        Linearly independent columns; for ``m <= r`` orthonormal ones.
    B : array, shape (..., d, r0)
        The true representation.
    alpha_0 : array, shape (..., r0)
        Head of the target.
    sigma : float
        Standard deviation of the noise.
    m : int or array of int, shape (...)
        Number of target samples.
    covariance : array, shape (d, d), optional
        Of the Gaussian covariates (mean 0); the identity by default. Only with ``m > r``.

    Returns
    -------
    array, shape (...)
        ``b^2 + (sigma^2 + b^2) r / (m - r - 1)`` where ``m > r + 1``, inf for ``m`` in
        {r - 1, r, r + 1} (unless bias and noise are both 0), and
        ``b^2 + (1 - m/r) |B_hat'theta|^2 + (sigma^2 + b^2) m / (r - m - 1)`` for fewer samples.

    Raises
    ------
    InputError
        For shapes that do not fit, a negative ``sigma``, or few samples with a ``covariance``.
    """
    B_hat, B, alpha_0 = matrix(B_hat, "B_hat"), matrix(B, "B"), vector(alpha_0, "alpha_0")
    same_axis(B, "B", alpha_0, "alpha_0", (-1, -1))
    non_negative(sigma=sigma)
    whole(0, m=m)
    r = B_hat.shape[-1]
    if covariance is not None and np.any(np.asarray(m) <= r):
        raise InputError(
            f"m is {m!r} with a covariance; expected more than r = {r} samples, as the risk of a "
            "minimum-norm head depends on more than the gap"
        )
    xp = namespace(B_hat)
    bias = task_difference(representation_gap(B_hat, B, covariance), alpha_0)
    theta = B @ alpha_0[..., None]
    seen = xp.sum((xp.matrix_transpose(B_hat) @ theta) ** 2, axis=(-2, -1))
    m = xp.asarray(m, dtype=bias.dtype, device=B_hat.device)
    return bias + _minimum_norm(xp, float(r), m, sigma**2 + bias, seen)


def average_excess_risk(
    B_hat: Array,
    B: Array,
    Q: Array,
    sigma: float,
    m: Array,
    *,
    covariance: Array | None = None,
) -> Array:
    """Excess risk given the estimate, averaged over target heads with ``E alpha_0 alpha_0' = Q``.

    Parameters
    ----------
    B_hat, B, sigma, covariance
        As in `transfer_excess_risk`.
    Q : array, shape (..., r0, r0)
        Second moment of the target's head; no more of its law matters.
    m : int or array of int, shape (...)
        Above ``r + 1``.

    Returns
    -------
    array, shape (...)
        ``tr(Q Lambda) + (sigma^2 + tr(Q Lambda)) r / (m - r - 1)``.
    """
    B_hat, B = matrix(B_hat, "B_hat"), matrix(B, "B")
    Q = symmetric(Q, "Q", B.shape[-1])
    non_negative(sigma=sigma)
    r = B_hat.shape[-1]
    whole(r + 2, m=m)
    xp = namespace(B_hat)
    bias = task_averaged_difference(representation_gap(B_hat, B, covariance), Q)
    m = xp.asarray(m, dtype=bias.dtype, device=B_hat.device)
    return bias + (sigma**2 + bias) * r / (m - r - 1)


def _least_squares(k: Any, m: Any, variance: Any) -> Any:
    k, m, variance = np.broadcast_arrays(k, m, variance)
    room = m - k - 1.0
    return np.where(room > 0, variance * k / np.where(room > 0, room, 1), np.inf)


def _minimum_norm(xp: Any, k: Any, m: Any, variance: Any, squared_norm: Any) -> Any:
    """Least squares of minimum norm on ``k`` isotropic Gaussian regressors."""
    above, below = m - k - 1, k - m - 1
    safe_above = xp.where(above > 0, above, 1 + 0 * above)
    safe_below = xp.where(below > 0, below, 1 + 0 * below)
    many = variance * k / safe_above
    few = (1 - m / k) * squared_norm + variance * m / safe_below
    # at most one sample more or less than regressors: the inverse moment does not exist, and
    # without noise only what the rows do not span is missed
    missed = xp.where(m < k, (1 - m / k) * squared_norm, 0 * squared_norm)
    edge = xp.where(variance > 0, float("inf") + 0 * few, missed + 0 * few)
    edge = xp.where(m == 0, squared_norm + 0 * few, edge)
    return xp.where(above > 0, many + 0 * few, xp.where(below > 0, few, edge))


# ------------------------------------------------------------------ transfer against one task


def transfer_wins(
    d: Array, r: Array, m: Array, sigma: Array, bias: Array, norm: Array = 1.0
) -> Array:
    """Whether the representation beats learning the target alone, at each ``m > r + 1``.

    Parameters
    ----------
    d, r, m : array of int
        Dimension, dimension of the representation (below ``d``), target samples; broadcast.
    sigma, norm : array
        As in `single_task_risk`.
    bias : array
        ``b`` (not squared): what the representation misses of the target.

    Returns
    -------
    array of bool
        False where both risks are infinite.
    """
    _check_dimensions(d, r)
    positive(sigma=sigma)
    non_negative(bias=bias)
    squared = np.asarray(bias, dtype=float) ** 2
    variance = np.asarray(sigma, dtype=float) ** 2
    whole(0, m=m)
    transfer = squared + _least_squares(np.asarray(r), np.asarray(m), variance + squared)
    return transfer < single_task_risk(d, m, sigma, norm)


def crossover(
    d: int,
    r: int,
    sigma: float = 1.0,
    norm: float = 1.0,
    *,
    m: Array | None = None,
    bias: Array | None = None,
) -> Array:
    """Where transfer and learning the target alone tie: the bias at given m, or m at given bias.

    Parameters
    ----------
    d, r : int
        Dimensions of the covariates and of the representation, ``r < d``.
    sigma : float
        Standard deviation of the noise, above 0.
    norm : float
        ``|theta|``; used where ``m < d - 1``.
    m : array of int, optional
        Target samples, above ``r + 1``.
    bias : array, optional
        ``b`` (not squared), 0 or above.

    Returns
    -------
    array
        With ``m``: the bias ``b`` (not squared) below which transfer wins, inf where learning
        alone has infinite risk, nan where it wins even without bias. With ``bias``: the number of
        samples (real) above which learning alone wins, among ``m > d + 1``; inf without bias.
        There is exactly one there: cleared of denominators the difference is a concave quadratic
        that is positive at ``m = d + 1``.

    Raises
    ------
    InputError
        Unless exactly one of ``m`` and ``bias`` is given.
    """
    _check_dimensions(d, r)
    positive(sigma=sigma)
    non_negative(norm=norm)
    if (m is None) == (bias is None):
        raise InputError("expected one of m and bias: the other one is the answer")
    if m is not None:
        whole(r + 2, m=m)
        m = np.asarray(m, dtype=float)
        left = single_task_risk(d, m, sigma, norm) - head_risk(r, m, sigma)
        squared = left / (1 + r / (m - r - 1))
        return np.sqrt(np.where(squared >= 0, squared, np.nan))[()]
    non_negative(bias=bias)
    b2, s2 = np.asarray(bias, dtype=float) ** 2, float(sigma) ** 2
    # in u = m - d - 1 > 0, with k = d - r: s2 d (u + k) = (s2 + b2) r u + b2 u (u + k)
    k = d - r
    half = (b2 * k + (s2 + b2) * r - s2 * d) / 2
    root = np.sqrt(half**2 + b2 * s2 * d * k)
    # the stable form of the positive root, on either side of half = 0
    low = s2 * d * k / np.where(half >= 0, half + root, 1)
    high = (root - half) / np.where(b2 > 0, b2, 1)
    u = np.where(b2 > 0, np.where(half >= 0, low, high), np.inf)
    return (d + 1 + u)[()]


def _check_dimensions(d: Array, r: Array) -> None:
    whole(1, d=d, r=r)
    if np.any(np.asarray(r) >= np.asarray(d)):
        raise InputError(f"r is {r!r} and d is {d!r}; expected r below d")
