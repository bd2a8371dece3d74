"""The transfer penalty of one coordinate, in plain numpy::

    g(b) = a |b| + c |b - b0| + nu/2 b^2 + mu/2 (b - b0)^2,      a, c, nu, mu >= 0

The symbols of the reference: ``a = l1 u``, ``c = l2 v``, ``A = a + c``, knots
``k1 = min(0, b0) <= k2 = max(0, b0)``, middle slope ``m = sign(b0) (a - c)``. Every function is
vectorised over all its arguments. The solver has its own compiled prox: what is here checks it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["conjugate", "prox", "subdifferential", "subgradient_distance", "value"]

Array = Any


def value(b: Array, a: Array, c: Array, b0: Array, nu: Array = 0.0, mu: Array = 0.0) -> Array:
    """The penalty ``g(b)``, elementwise."""
    b, shift = np.asarray(b, dtype=float), np.asarray(b, dtype=float) - b0
    return a * np.abs(b) + c * np.abs(shift) + nu / 2 * b**2 + mu / 2 * shift**2


def prox(
    z: Array, a: Array, c: Array, b0: Array, tau: Array = 1.0, nu: Array = 0.0, mu: Array = 0.0
) -> Array:
    """The minimiser of ``(b - z)^2 / (2 tau) + g(b)``: the median of five numbers.

    Parameters
    ----------
    z, a, c, b0 : array
        The point, the two weights and the source coefficient; broadcast.
    tau : array
        Step length, above 0 (``1/H_j`` in coordinate descent).
    nu, mu : array
        Elastic-net terms towards 0 and towards ``b0``.

    Returns
    -------
    array
        Exactly ``0`` or exactly ``b0`` where the minimiser is a knot.
    """
    z, a, c, b0, tau, nu, mu = (np.asarray(x, dtype=float) for x in (z, a, c, b0, tau, nu, mu))
    shrink = 1 / (1 + tau * (nu + mu))
    z, tau = (z + tau * mu * b0) * shrink, tau * shrink
    upper, middle = tau * (a + c), tau * np.sign(b0) * (a - c)
    k1, k2 = np.minimum(b0, 0.0), np.maximum(b0, 0.0)
    five = np.stack(np.broadcast_arrays(k1, k2, z + upper, z - middle, z - upper))
    return np.median(five, axis=0) + 0.0  # no negative zero


def subdifferential(
    b: Array, a: Array, c: Array, b0: Array, nu: Array = 0.0, mu: Array = 0.0
) -> tuple[Array, Array]:
    """Lower and upper end of the subdifferential of ``g`` at ``b`` (knots compared exactly)."""
    b, b0 = np.asarray(b, dtype=float), np.asarray(b0, dtype=float)
    smooth = nu * b + mu * (b - b0)
    low = a * np.where(b > 0, 1.0, -1.0) + c * np.where(b > b0, 1.0, -1.0)
    high = a * np.where(b < 0, -1.0, 1.0) + c * np.where(b < b0, -1.0, 1.0)
    return smooth + low, smooth + high


def subgradient_distance(
    w: Array, b: Array, a: Array, c: Array, b0: Array, nu: Array = 0.0, mu: Array = 0.0
) -> Array:
    """Distance of ``w`` to the subdifferential of ``g`` at ``b``."""
    low, high = subdifferential(b, a, c, b0, nu, mu)
    return np.maximum(0.0, np.maximum(low - w, w - high))


def conjugate(w: Array, a: Array, c: Array, b0: Array, nu: Array = 0.0, mu: Array = 0.0) -> Array:
    """``sup_b w b - g(b)``, as the largest value at the knots and at the stationary points.

    Infinite where ``nu + mu = 0`` and ``|w| > a + c``.
    """
    w, a, c, b0, nu, mu = np.broadcast_arrays(
        *(np.asarray(x, dtype=float) for x in (w, a, c, b0, nu, mu))
    )
    k1, k2 = np.minimum(b0, 0.0), np.maximum(b0, 0.0)
    points = [k1, k2]
    curve = nu + mu
    bent = curve > 0
    for slope, low, high in (
        (-(a + c), -np.inf, k1),
        (np.sign(b0) * (a - c), k1, k2),
        (a + c, k2, np.inf),
    ):
        stationary = (w + mu * b0 - slope) / np.where(bent, curve, 1.0)
        points.append(np.where(bent, np.clip(stationary, low, high), k1))
    best = np.max([w * b - value(b, a, c, b0, nu, mu) for b in points], axis=0)
    return np.where(bent | (np.abs(w) <= a + c), best, np.inf)
