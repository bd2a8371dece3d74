"""Exact risks and selection: of any estimate; of the transfer lasso where columns are orthonormal.

With ``X'X/n = I`` the estimate is the prox of ``z_j ~ N(beta_j, sigma^2/n)``, coordinate by
coordinate. It is piecewise linear in ``z_j`` with five pieces, so its mean squared error and the
probabilities of its two knots are sums of truncated normal moments: no simulation.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr

from tlstat.errors import InputError

__all__ = [
    "OrthonormalRisk",
    "Selection",
    "l2_error",
    "orthonormal_risk",
    "prediction_risk",
    "selection",
    "unchanged_share",
]

Array = Any


def l2_error(coef: Array, beta: Array) -> Array:
    """``|b - beta|_2`` over the last axis."""
    return np.linalg.norm(np.asarray(coef, dtype=float) - beta, axis=-1)


def prediction_risk(coef: Array, beta: Array, covariance: Array) -> Array:
    """``(b - beta)'C(b - beta)``: excess risk at a new row (at the old ones: ``X'X/n``).

    Parameters
    ----------
    coef : array, shape (..., p)
    beta : array, shape (p,)
    covariance : array, shape (p, p) or (..., p, p)

    Returns
    -------
    array, shape (...)
    """
    v = np.asarray(coef, dtype=float) - beta
    return np.einsum("...j,...jk,...k->...", v, np.asarray(covariance), v)


class Selection(NamedTuple):
    """How well the nonzero coefficients are found; each a share, shape (...).

    ``sensitivity`` is the share of ``S`` that is found, ``specificity`` that of its complement
    that is left out, ``precision`` (PPV) the share of what is found that is in ``S``, ``f1`` the
    harmonic mean of sensitivity and precision, ``accuracy`` the share of all coefficients with the
    right zero status. What has no cases is perfect: ``precision`` where nothing is found,
    ``specificity`` where ``S`` is everything.
    """

    sensitivity: Array
    specificity: Array
    precision: Array
    f1: Array
    accuracy: Array


def selection(coef: Array, beta: Array) -> Selection:
    """Compare the support of estimates with that of the truth, which is not empty.

    Parameters
    ----------
    coef : array, shape (..., p)
    beta : array, shape (p,)

    Returns
    -------
    Selection

    Raises
    ------
    InputError
        If ``beta`` is zero.
    """
    found, there = np.asarray(coef) != 0, np.asarray(beta) != 0
    if not np.any(there):
        raise InputError("beta is 0 everywhere; expected a support to be found")
    hits, number = np.sum(found & there, axis=-1), np.sum(found, axis=-1)
    s, p = np.sum(there), there.size
    false = number - hits
    precision = np.where(number > 0, hits / np.maximum(number, 1), 1.0)
    return Selection(
        hits / s,
        1 - false / max(p - s, 1),
        precision,
        2 * hits / (number + s),
        (hits + p - s - false) / p,
    )


def unchanged_share(coef: Array, source_coef: Array, beta: Array) -> Array:
    """Share of the support of ``beta`` where an estimate is exactly the source, shape (...)."""
    there = np.asarray(beta) != 0
    same = np.asarray(coef) == np.asarray(source_coef)
    return np.mean(same[..., there], axis=-1)


class OrthonormalRisk(NamedTuple):
    """One entry a coordinate (broadcast shape of the parameters).

    ``error`` is ``E (b_j - beta_j)^2``, ``zero`` and ``unchanged`` the probabilities of ``b_j = 0``
    and of ``b_j = b0_j``, ``free`` that of neither: summed, the degrees of freedom.
    """

    error: Array
    zero: Array
    unchanged: Array
    free: Array


def orthonormal_risk(
    beta: Array, l1: Array, l2: Array, source_coef: Array, noise: Array
) -> OrthonormalRisk:
    """Exact risk of the transfer lasso of orthonormal columns, ``X'X/n = I``.

    Parameters
    ----------
    beta, source_coef : array
        Coefficients of target and (fixed) source; all parameters are broadcast.
    l1, l2 : array
        Levels of ``|b|`` and ``|b - b0|``, 0 or above.
    noise : array
        ``sigma / sqrt(n)``, above 0: the standard deviation of ``X_j'y/n``.

    Returns
    -------
    OrthonormalRisk

    Raises
    ------
    InputError
        For negative levels or noise that is not positive.
    """
    beta, l1, l2, b0, noise = np.broadcast_arrays(
        *(np.asarray(x, dtype=float) for x in (beta, l1, l2, source_coef, noise))
    )
    for name, value in (("l1", l1), ("l2", l2)):
        if not np.all(value >= 0):
            raise InputError(f"{name} is {np.min(value):g} at its lowest; expected 0 or above")
    if not np.all(noise > 0):
        raise InputError(f"noise is {np.min(noise):g} at its lowest; expected a positive number")
    # a reflection makes every source coefficient non-negative: knots 0 <= b0
    sign = np.where(b0 < 0, -1.0, 1.0)
    b0, beta = np.abs(b0), sign * beta
    outer, middle = l1 + l2, l1 - l2
    # z between consecutive edges: slope 1 with an offset, a knot, slope 1, a knot, slope 1;
    # where b0 = 0 the two knots are one
    merged = b0 == 0
    middle = np.where(merged, outer, middle)
    edges = [-outer, middle, middle + b0, outer + b0]
    edges = [(e - beta) / noise for e in edges]
    low, first, second, high = edges
    error = (
        _linear(-np.inf, low, outer, noise)
        + _constant(low, first, beta)
        + _linear(first, second, -middle, noise)
        + _constant(second, high, b0 - beta)
        + _linear(high, np.inf, -outer, noise)
    )
    zero = _mass(low, first)
    unchanged = np.where(merged, zero, _mass(second, high))
    free = 1 - zero - np.where(merged, 0.0, unchanged)
    return OrthonormalRisk(error, zero, unchanged, np.maximum(free, 0.0))


def _mass(low: Array, high: Array) -> Array:
    """``P(low < Z < high)``, by the tail that does not cancel."""
    flip = np.asarray(low) > 0
    return np.where(flip, ndtr(-np.asarray(low)) - ndtr(-np.asarray(high)), ndtr(high) - ndtr(low))


def _constant(low: Array, high: Array, gap: Array) -> Array:
    return _mass(low, high) * gap**2


def _linear(low: Array, high: Array, offset: Array, noise: Array) -> Array:
    """``E (noise Z + offset)^2`` on ``low < Z < high``."""
    mass = _mass(low, high)
    at_low, at_high = _density(low), _density(high)
    first = at_low - at_high
    second = mass + _times(low, at_low) - _times(high, at_high)
    return noise**2 * second + 2 * noise * offset * first + offset**2 * mass


def _density(x: Array) -> Array:
    return np.exp(-np.square(x) / 2) / np.sqrt(2 * np.pi)


def _times(x: Array, density: Array) -> Array:
    """``x density``, which is 0 at infinity."""
    return np.where(np.isinf(x), 0.0, x) * density
