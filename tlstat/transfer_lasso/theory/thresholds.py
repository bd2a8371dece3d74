"""When the estimate is exactly the source, or exactly zero: conditions that are if and only if.

With ``e_j = sign(b0_j) X_j'r`` for the residual ``r`` of the point in question (share ``1/n``):

    b = b0  <=>  a_j - c_j <= e_j <= a_j + c_j     (b0_j != 0),   |X_j'r| <= a_j + c_j   (b0_j = 0)
    b = 0   <=>  -(a_j + c_j) <= e_j <= a_j - c_j  (b0_j != 0),   |X_j'r| <= a_j + c_j   (b0_j = 0)

In ``(l1, l2)`` both are half-lines, without a division: `source_level`, `zero_level`. In ``lam`` at
fixed ``alpha`` they are intervals, possibly bounded: do not bisect.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tlstat.errors import InputError

__all__ = ["is_unchanged", "is_zero", "self_source_unchanged", "source_level", "zero_level"]

Array = Any


def _correlation(X: Array, y: Array, source_coef: Array, at_source: bool) -> tuple[Array, Array]:
    X, y, b0 = (np.asarray(v, dtype=float) for v in (X, y, source_coef))
    if X.ndim != 2 or y.shape != X.shape[:1] or b0.shape != X.shape[1:]:
        raise InputError(
            f"X has shape {X.shape}, y {y.shape} and source_coef {b0.shape}; "
            "expected (n, p), (n,) and (p,)"
        )
    residual = y - X @ b0 if at_source else y
    return X.T @ residual / len(y), b0


def source_level(X: Array, y: Array, source_coef: Array, l1: float) -> float:
    """The smallest ``l2`` at which the estimate is ``source_coef``, given ``l1``.

    Parameters
    ----------
    X : array, shape (n, p)
    y : array, shape (n,)
    source_coef : array, shape (p,)
    l1 : float

    Returns
    -------
    float
        Every larger ``l2`` leaves the source unchanged, too.
    """
    w, b0 = _correlation(X, y, source_coef, at_source=True)
    moved = np.where(b0 != 0, np.abs(np.sign(b0) * w - l1), np.abs(w) - l1)
    return float(max(0.0, np.max(moved)))


def zero_level(X: Array, y: Array, source_coef: Array, l2: float) -> float:
    """The smallest ``l1`` at which the estimate is zero, given ``l2`` (see `source_level`)."""
    w, b0 = _correlation(X, y, source_coef, at_source=False)
    moved = np.where(b0 != 0, np.abs(np.sign(b0) * w + l2), np.abs(w) - l2)
    return float(max(0.0, np.max(moved)))


def is_unchanged(X: Array, y: Array, source_coef: Array, a: Array, c: Array) -> bool:
    """Whether ``source_coef`` is optimal, for weights ``a = l1 u`` and ``c = l2 v``."""
    w, b0 = _correlation(X, y, source_coef, at_source=True)
    e = np.sign(b0) * w
    held = (a - c <= e) & (e <= np.asarray(a) + c)
    return bool(np.all(np.where(b0 != 0, held, np.abs(w) <= np.asarray(a) + c)))


def is_zero(X: Array, y: Array, source_coef: Array, a: Array, c: Array) -> bool:
    """Whether zero is optimal, for weights ``a = l1 u`` and ``c = l2 v``."""
    w, b0 = _correlation(X, y, source_coef, at_source=False)
    e = np.sign(b0) * w
    held = (-(np.asarray(a) + c) <= e) & (e <= np.asarray(a) - c)
    return bool(np.all(np.where(b0 != 0, held, np.abs(w) <= np.asarray(a) + c)))


def self_source_unchanged(l0: Array, l1: Array, l2: Array) -> Array:
    """Whether a source that is the lasso at ``l0`` on the same data (and not zero) stays."""
    return np.abs(np.asarray(l0) - l1) <= l2
