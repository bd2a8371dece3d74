"""The limit law of an estimated subspace: normal tilts of known covariance (ours).

With ``B = [I_r; 0]`` an estimate spans ``[I_r; Delta]`` for a tilt ``Delta`` of shape
``(d - r, r)``, and its squared sines are ``l / (1 + l)`` for the eigenvalues ``l`` of
``Delta' Delta``. For standard normal covariates the rows of ``Delta`` are exchangeable, of mean
zero, and normal as ``t -> infinity`` with ``d``, ``r`` and ``n`` fixed. Their covariance is

    V = C^-1 G C^-1,    C = A'A/t,    a_j = |alpha_j|^2 + sigma^2,   N = n t,

=============  ===============================================================================
method         ``G``
=============  ===============================================================================
moments        ``avg_j (3 a_j^2 I + 12 a_j alpha_j alpha_j') / (4 N)``
u-statistic    ``avg_j (a_j alpha_j alpha_j' + (a_j^2 I + a_j alpha_j alpha_j')/(n - 1)) / N``
split-half     as u-statistic with ``n / 2`` for ``n - 1``
erm            ``sigma^2 (C + sigma^2 I/(n - r - 1)) / (t (n - r))``
=============  ===============================================================================

The first three are variances of entries of a matrix whose eigenvectors are taken (Isserlis), with
gap ``2 C`` or ``C``; the last is a sandwich: score of the heads' profile likelihood, Hessian
``t (n - r) C``. So ``E |sin Theta|_F^2 = (d - r) tr V`` to first order. A family of tasks enters
through its heads alone, of any lengths.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tlstat.errors import InputError

__all__ = [
    "METHODS",
    "TRACES",
    "draw_squared_sines",
    "expected_squared_distance",
    "inverse_traces",
    "row_covariance",
    "unit_row_variances",
]

Array = Any
METHODS = ("moments", "u-statistic", "split-half", "erm")


def row_covariance(method: str, heads: Array, n: int, sigma: float = 1.0) -> Array:
    """Covariance ``V`` of a row of the tilt.

    Parameters
    ----------
    method : {"moments", "u-statistic", "split-half", "erm"}
    heads : array, shape (..., t, r)
        Of full rank.
    n : int
        Samples of each task; "erm" needs ``n > r + 1``, the U-statistics two samples.
    sigma : float
        Standard deviation of the noise.

    Returns
    -------
    array, shape (..., r, r)

    Raises
    ------
    InputError
        For an unknown method, or too few samples.
    """
    A = np.asarray(heads, float)
    t, r = A.shape[-2:]
    _require(method, n, r)
    eye = np.eye(r)
    C = np.swapaxes(A, -1, -2) @ A / t
    a = (A**2).sum(axis=-1, keepdims=True) + sigma**2
    weighted = np.swapaxes(A, -1, -2) @ (a * A) / t
    fourth = (a**2).mean(axis=-2, keepdims=True) * eye
    if method == "moments":
        G = (3 * fourth + 12 * weighted) / (4 * n * t)
    elif method == "erm":
        G = sigma**2 * (C + sigma**2 / (n - r - 1) * eye) / (t * (n - r))
    else:
        pairs = n - 1 if method == "u-statistic" else n / 2
        G = (weighted + (fourth + weighted) / pairs) / (n * t)
    half = np.linalg.solve(C, G)
    return np.swapaxes(np.linalg.solve(C, np.swapaxes(half, -1, -2)), -1, -2)


def _require(method: str, n: int, r: int) -> None:
    if method not in METHODS:
        raise InputError(f"method is {method!r}; expected one of {', '.join(METHODS)}")
    least = {"moments": 1, "u-statistic": 2, "split-half": 2, "erm": r + 2}[method]
    if n < least:
        raise InputError(f"n is {n!r}; {method} needs at least {least} samples of each task")


def unit_row_variances(method: str, spectrum: Array, t: int, n: int, sigma: float = 1.0) -> Array:
    """Diagonal of ``V`` for unit heads with ``C = diag(spectrum)``, shape (r,)."""
    nu = np.asarray(spectrum, float)
    _require(method, n, len(nu))
    s2 = 1 + sigma**2
    if method == "moments":
        return (3 * s2**2 + 12 * s2 * nu) / (4 * n * t * nu**2)
    if method == "erm":
        left = n - len(nu)
        return sigma**2 * (1 / nu + sigma**2 / (left - 1) / nu**2) / (t * left)
    pairs = n - 1 if method == "u-statistic" else n / 2
    return (s2 * nu + s2 * (s2 + nu) / pairs) / (n * t * nu**2)


def expected_squared_distance(
    method: str, heads: Array, d: int, n: int, sigma: float = 1.0
) -> Array:
    """``E |sin Theta|_F^2`` to first order, ``(d - r) tr V``; leading axes as `heads`."""
    V = row_covariance(method, heads, n, sigma)
    return (d - V.shape[-1]) * np.trace(V, axis1=-2, axis2=-1)


def draw_squared_sines(V: Array, d: int, rng: Any, size: int | None = None) -> Array:
    """Squared sines under the limit law, the largest last.

    Saturates at 1 where tilts are large, unlike its expectation to first order.

    Parameters
    ----------
    V : array, shape (r, r), or (size, r, r)
        From `row_covariance`: one covariance, or one for each draw.
    d : int
    rng : numpy Generator
    size : int, optional
        Number of draws; needed for one covariance.

    Returns
    -------
    array, shape (size, r)
    """
    V = np.asarray(V, float)
    if V.ndim == 2:
        if size is None:
            raise InputError("size is None; with one covariance V it must be given")
        V = np.broadcast_to(V, (size, *V.shape))
    r = V.shape[-1]
    if not d > r:
        raise InputError(f"d is {d!r}; expected more than r = {r}")
    # nearly singular heads give a covariance that rounding makes indefinite
    values, vectors = np.linalg.eigh(V)
    root = np.sqrt(np.maximum(values, 0))[..., None, :] * vectors
    tilt = rng.standard_normal((len(V), d - r, r)) @ np.swapaxes(root, -1, -2)
    squared = np.linalg.svd(tilt, compute_uv=False)[..., ::-1] ** 2
    sines = squared / (1 + squared)
    if d - r < r:
        sines = np.concatenate([np.zeros((len(V), 2 * r - d)), sines], axis=-1)
    return sines


def inverse_traces(spectrum: Array) -> tuple[float, float]:
    """``tr C^-1`` and ``tr C^-2`` from the eigenvalues of ``C``."""
    nu = np.asarray(spectrum, float)
    return float(np.sum(1 / nu)), float(np.sum(1 / nu**2))


def _trace(power: int) -> Any:
    def value(cell: Mapping[str, Any], model: Any) -> float:
        return inverse_traces(np.diag(model.C))[power - 1]

    return value


# for a claim's at=: what the bounds ask beside d, r, t, n and sigma
TRACES: dict[str, Any] = {"trace_inverse": _trace(1), "trace_inverse_squared": _trace(2)}
