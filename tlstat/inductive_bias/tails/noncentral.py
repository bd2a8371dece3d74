"""The non-central chi-squared law without underflow: log density and log distribution function.

``scipy.stats.ncx2`` has a log density of ``-inf`` where ``nc`` is far below ``df`` (the Bessel
function underflows) and a log distribution function of ``-inf`` beyond about 700 nats.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import ArrayLike
from scipy.special import gammainc, gammaln, hyp1f1, ive

from tlstat.errors import InputError
from tlstat.inductive_bias.checks import numbers, plain

Floats = np.ndarray[Any, np.dtype[np.float64]]

_LARGE_ORDER = 30.0
_TERMS = 12
_SMALL_ARGUMENT = 1e-3
_UNDERFLOW = 1e-280
_MOST_TERMS = 10**7


def noncentral_logpdf(x: ArrayLike, df: float, nc: float) -> Any:
    """Log density of ``chi'^2_df(nc)``.

    ``f = 1/2 exp(-(x + nc)/2) (x/nc)^(df/4 - 1/2) I_{df/2 - 1}(sqrt(nc x))``; the Bessel function
    from the library below order 30 and from Debye's expansion above (relative error 1e-13).

    Parameters
    ----------
    x : array_like
    df : float
        Above 0.
    nc : float
        0 or above.

    Returns
    -------
    float or ndarray
        ``-inf`` below 0; at 0 the limit.
    """
    points = numbers(x, "x", finite=False)
    _check(df, nc)
    order = df / 2 - 1
    out = np.full(points.shape, -math.inf)
    out[np.isnan(points)] = math.nan
    if df <= 2:
        out[points == 0] = math.inf if df < 2 else -math.log(2) - nc / 2
    inside = (points > 0) & np.isfinite(points)
    y = points[inside]
    # (x/nc)^(order/2) I_order(z) = (x/2)^order/Gamma(order + 1) times the series from 1 on
    z = np.sqrt(nc * y)
    start = order * np.log(y / 2) - gammaln(order + 1) - math.log(2)
    out[inside] = start - (y + nc) / 2 + _log_series(order, z)
    return plain(out)


def noncentral_logcdf(x: ArrayLike, df: float, nc: float) -> Any:
    """Log distribution function of ``chi'^2_df(nc)``: a Poisson mixture of central ones.

    Independent of the contour integral, which it checks.

    Parameters
    ----------
    x : array_like
    df : float
        Above 0.
    nc : float
        In [0, 1e7].
    """
    points = numbers(x, "x", finite=False)
    _check(df, nc)
    if nc > _MOST_TERMS:
        raise InputError(f"nc is {nc}; expected at most {_MOST_TERMS:.0e} (take the contour)")
    half = nc / 2
    j = np.arange(int(half + 12 * math.sqrt(half)) + 100 if nc else 1, dtype=float)
    log_weights = -half + (j * math.log(half) if nc else 0.0) - gammaln(j + 1)
    flat = points.reshape(-1)
    out = np.array([_log_mixture(float(p), df, j, log_weights) for p in flat])
    return plain(out.reshape(points.shape))


def _log_mixture(x: float, df: float, j: Floats, log_weights: Floats) -> float:
    if math.isnan(x):
        return math.nan
    if x <= 0:
        return -math.inf
    if math.isinf(x):
        return 0.0
    terms = log_weights + log_gamma_cdf(df / 2 + j, x / 2)
    top = terms.max()
    return float(top + np.log(np.exp(terms - top).sum()))


def log_gamma_cdf(a: ArrayLike, y: ArrayLike) -> Floats:
    """Log of the regularised lower incomplete gamma function, at any depth."""
    a, y = np.broadcast_arrays(np.asarray(a, float), np.asarray(y, float))
    value = gammainc(a, y)
    with np.errstate(divide="ignore"):
        out = np.array(np.log(value))
    deep = (value < _UNDERFLOW) & (y < a)
    s, v = a[deep], y[deep]
    out[deep] = s * np.log(v) - v - gammaln(s + 1) + np.log(hyp1f1(1.0, s + 1, v))
    return out


def _log_series(order: float, z: Floats) -> Floats:
    """``log(Gamma(order + 1) (2/z)^order I_order(z))``, which is 0 at ``z = 0``."""
    out = np.log1p(z * z / 4 / (order + 1) * (1 + z * z / 8 / (order + 2)))
    large = z > _SMALL_ARGUMENT
    v = z[large]
    if order >= _LARGE_ORDER:
        out[large] = _debye(order, v) - order * np.log(v / 2) + gammaln(order + 1)
    else:
        out[large] = np.log(ive(order, v)) + v - order * np.log(v / 2) + gammaln(order + 1)
    return out


def _debye(order: float, z: Floats) -> Floats:
    """``log I_order(z)`` by the expansion that is uniform in ``z`` (DLMF 10.41.3)."""
    ratio = z / order
    root = np.sqrt(1 + ratio * ratio)
    p = 1 / root
    series = sum(u(p) / order**k for k, u in enumerate(_debye_polynomials()))
    grow = order * (root + np.log(ratio / (1 + root)))
    return np.asarray(grow - 0.5 * np.log(2 * math.pi * order * root) + np.log(series))


@functools.cache
def _debye_polynomials() -> tuple[Polynomial, ...]:
    """``u_{k+1} = p^2 (1 - p^2) u_k'/2 + 1/8 int_0^p (1 - 5 s^2) u_k(s) ds`` (DLMF 10.41.9)."""
    square = Polynomial([0, 0, 1])
    found = [Polynomial([1.0])]
    for _ in range(_TERMS):
        u = found[-1]
        found.append(square * (1 - square) * u.deriv() / 2 + ((1 - 5 * square) * u).integ() / 8)
    return tuple(found)


def _check(df: float, nc: float) -> None:
    if not (df > 0 and math.isfinite(df)):
        raise InputError(f"df is {df}; expected a finite number above 0")
    if not (nc >= 0 and math.isfinite(nc)):
        raise InputError(f"nc is {nc}; expected a finite number, 0 or above")
