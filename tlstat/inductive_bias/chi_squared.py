"""Weighted sums of chi-squares as a distribution, exact in both tails and in the log domain."""

from __future__ import annotations

import math
import warnings
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tlstat.backend import Random
from tlstat.errors import InputError
from tlstat.inductive_bias.checks import (
    complement,
    logarithms,
    numbers,
    one_a_mode,
    one_number,
    plain,
    probabilities,
)
from tlstat.inductive_bias.contour import Modes, log_tail
from tlstat.inductive_bias.draws import draw_sums
from tlstat.inductive_bias.quantiles import upper_quantile

__all__ = ["AccuracyWarning", "GeneralizedChiSquared"]

Floats = np.ndarray[Any, np.dtype[np.float64]]

ABSOLUTE, RELATIVE = 1e-9, 1e-10  # nats: what is promised of every value
_EDGE = 1e-100  # distance from an end of the support, in units of the largest weight
_SMALLEST = 1e-60  # smallest weight, in the same units


class AccuracyWarning(UserWarning):
    """A value whose estimated error is above 1e-9 nats and 1e-10 of the value."""


class GeneralizedChiSquared:
    """``sum_j weights_j chi'^2_{df_j}(nc_j) + shift + normal_sd N(0, 1)``, all independent.

    The law of a quadratic form in normal variables, and so of the squared test error in a
    Gaussian hypothesis space. Log-probabilities come from a contour integral through the
    saddlepoint (`tlstat.inductive_bias.contour`), which keeps its relative precision in both
    tails: the error is at most 1e-9 nats, or 1e-10 of the value where that is more, and an
    `AccuracyWarning` is given where its estimate is above that.

    Parameters
    ----------
    weights : array_like, shape (modes,)
        Any sign. Zeros contribute nothing and are dropped; if all are zero and ``normal_sd`` is
        0, the law is a point mass at ``shift``.
    df : array_like
        Degrees of freedom, any number above 0; one for all modes or one a mode.
    nc : array_like
        Non-centralities, 0 or above, likewise.
    shift, normal_sd : float
        A constant, and the standard deviation (0 or above) of a normal summand.

    Raises
    ------
    InputError
        If an argument is out of range, shapes disagree, or non-zero weights differ by more than
        a factor of 1e60.

    Notes
    -----
    In scipy's style: ``cdf, sf, logcdf, logsf, pdf, logpdf, ppf, isf, rvs, mean, var, std``;
    ``ilogcdf`` and ``ilogsf`` invert the logarithms at any depth.
    """

    def __init__(
        self,
        weights: ArrayLike,
        df: ArrayLike = 1,
        nc: ArrayLike = 0,
        shift: float = 0,
        normal_sd: float = 0,
    ) -> None:
        w = numbers(weights, "weights")
        if w.ndim != 1:
            raise InputError(f"weights has shape {w.shape}; expected one number a mode, (modes,)")
        self.weights = w
        self.df = one_a_mode(df, "df", w, lambda v: v > 0, "above 0")
        self.nc = one_a_mode(nc, "nc", w, lambda v: v >= 0, "0 or above")
        self.shift = float(one_number(shift, "shift"))
        self.normal_sd = float(one_number(normal_sd, "normal_sd"))
        if self.normal_sd < 0:
            raise InputError(f"normal_sd is {self.normal_sd}; expected 0 or above")
        for array in (self.weights, self.df, self.nc):
            array.flags.writeable = False
        size = np.abs(w[w != 0])
        if size.size and size.min() < _SMALLEST * size.max():
            raise InputError(
                f"weights range from {size.min():.3g} to {size.max():.3g} in size; expected a "
                f"ratio of at most {1 / _SMALLEST:.0e} (set those to 0 that are rounding errors)"
            )

    def __repr__(self) -> str:
        return (
            f"GeneralizedChiSquared({self.weights.size} modes, df={self.df.sum():g}, "
            f"mean={self.mean():.6g}, std={self.std():.6g})"
        )

    # --- what the law is made of ----------------------------------------------------------------

    @cached_property
    def scale(self) -> float:
        """The largest of the weights' sizes and the normal standard deviation; 0 for a point."""
        return float(max(np.abs(self.weights).max(initial=0.0), self.normal_sd))

    @cached_property
    def modes(self) -> Modes:
        """Distinct weights over ``scale``, with the sums of their ``df`` and ``nc``."""
        used = self.weights != 0
        distinct, where = np.unique(self.weights[used], return_inverse=True)
        w = np.array(distinct, dtype=float)
        df = np.bincount(where, self.df[used], w.size).astype(float)
        nc = np.bincount(where, self.nc[used], w.size).astype(float)
        if not w.size:  # padding
            w, df, nc = np.zeros(1), np.ones(1), np.zeros(1)
        one_sided = bool(np.all(w > 0) or np.all(w < 0)) and self.normal_sd == 0
        scale = self.scale or 1.0
        sd = np.array([self.normal_sd / scale])
        return Modes(w[None] / scale, df[None], nc[None], sd, bool(nc.any()), one_sided)

    def support(self) -> tuple[float, float]:
        """Essential infimum and supremum."""
        free = self.normal_sd > 0
        low = -math.inf if free or (self.weights < 0).any() else self.shift
        return low, math.inf if free or (self.weights > 0).any() else self.shift

    def cumulants(self, order: int) -> Floats:
        """The first ``order`` cumulants, shape (order,).

        ``kappa_r = 2^(r-1) (r-1)! sum_j w_j^r (df_j + r nc_j)``, plus ``shift`` for r = 1 and
        ``normal_sd^2`` for r = 2.
        """
        if isinstance(order, bool) or not isinstance(order, int | np.integer) or order < 1:
            raise InputError(f"order is {order!r}; expected a whole number of at least 1")
        r = np.arange(1, int(order) + 1)
        factor = 2.0 ** (r - 1) * np.array([float(math.factorial(k - 1)) for k in r])
        powers = self.weights[:, None] ** r
        out = factor * (powers * (self.df[:, None] + r * self.nc[:, None])).sum(axis=0)
        out[0] += self.shift
        if order > 1:
            out[1] += self.normal_sd**2
        return np.asarray(out)

    def mean(self) -> float:
        return float(self.cumulants(1)[0])

    def var(self) -> float:
        return float(self.cumulants(2)[1])

    def std(self) -> float:
        return math.sqrt(self.var())

    def median(self) -> float:
        return float(self.ppf(0.5))

    def cgf(self, t: ArrayLike) -> Any:
        """``log E exp(t X)``; infinite from ``1/(2 max w)`` up and from ``1/(2 min w)`` down."""
        return self._cgf(t, 0)

    def cgf_slope(self, t: ArrayLike) -> Any:
        """First derivative of the cumulant generating function: the mean under the tilt by t."""
        return self._cgf(t, 1)

    def cgf_curvature(self, t: ArrayLike) -> Any:
        """Second derivative: the variance under the tilt by t."""
        return self._cgf(t, 2)

    def _cgf(self, t: ArrayLike, order: int) -> Any:
        t = np.asarray(t, dtype=float)
        w, df, nc = self.weights, self.df, self.nc
        y = 2 * w * t[..., None]
        inside = (y < 1).all(axis=-1)
        y = np.where(inside[..., None], y, 0.0)
        a = 1 - y
        if order == 0:
            terms = -df / 2 * np.log1p(-y) + nc / 2 * (y / a)
            other = self.shift * t + self.normal_sd**2 * t**2 / 2
        elif order == 1:
            terms = df * w / a + nc * w / a**2
            other = self.shift + self.normal_sd**2 * t
        else:
            terms = 2 * df * w**2 / a**2 + 4 * nc * w**2 / a**3
            other = self.normal_sd**2 + 0 * t
        return plain(np.where(inside, terms.sum(axis=-1) + other, math.inf))

    # --- probabilities --------------------------------------------------------------------------

    def logcdf(self, x: ArrayLike) -> Any:
        """``log P(X <= x)``."""
        return self._checked(x, *self.log_probabilities(x)[:2])

    def logsf(self, x: ArrayLike) -> Any:
        """``log P(X > x)``."""
        return self._checked(x, *self.log_probabilities(x)[2:])

    def cdf(self, x: ArrayLike) -> Any:
        return plain(np.exp(self.logcdf(x)))

    def sf(self, x: ArrayLike) -> Any:
        return plain(np.exp(self.logsf(x)))

    def logpdf(self, x: ArrayLike) -> Any:
        """Log density; the point mass has none."""
        if self.scale == 0:
            raise InputError("the law is a point mass (all weights are 0): it has no density")
        q = self._standard(x)
        out, error = np.full(q.shape, -math.inf), np.zeros(q.shape)
        low, high = ((end - self.shift) / self.scale for end in self.support())
        out[np.isnan(q)] = math.nan
        inside = (q > low) & (q < high)
        out[inside], error[inside] = self._by_contour(q[inside], density=True)
        edge = (q == 0) & np.isfinite(q) & (self.normal_sd == 0)
        if edge.any() and (not inside[edge].all() or self.df[self.weights != 0].sum() <= 2):
            out[edge] = self._density_at_shift()
            error[edge] = 0
        return self._checked(x, out - math.log(self.scale), error)

    def pdf(self, x: ArrayLike) -> Any:
        return plain(np.exp(self.logpdf(x)))

    def log_probabilities(self, x: ArrayLike) -> tuple[Floats, Floats, Floats, Floats]:
        """``logcdf``, its error, ``logsf``, its error: in nats, each in the shape of ``x``.

        The smaller of the two is integrated, and the other is its complement.
        """
        q = self._standard(x)
        low, high = ((end - self.shift) / (self.scale or 1.0) for end in self.support())
        below = q < low if low < high else q < 0
        if self.scale and math.isfinite(low):
            below = q <= low
        above = (q >= high) & ~below
        cdf, sf = np.zeros(q.shape), np.zeros(q.shape)
        cdf[below], sf[above] = -math.inf, -math.inf
        errors = [np.zeros(q.shape), np.zeros(q.shape)]
        missing = np.isnan(q)
        cdf[missing] = sf[missing] = math.nan
        rest = ~(below | above | missing)
        lower = rest & (q < self._centre)
        upper = rest & ~lower
        for side, (small, large), (error, other) in (
            (lower, (cdf, sf), errors),
            (upper, (sf, cdf), errors[::-1]),
        ):
            at = np.flatnonzero(side)
            if at.size:
                reflect = side is lower
                small[at], error[at] = self._by_contour(q[at], lower=reflect)
                # where the mean is far from the median the complement loses digits
                again = at[small[at] > math.log(0.7)]
                if again.size:
                    large[again], other[again] = self._by_contour(q[again], lower=not reflect)
                    small[again], error[again] = complement(large[again], other[again])
                rest_at = np.setdiff1d(at, again)
                large[rest_at], other[rest_at] = complement(small[rest_at], error[rest_at])
        shape = np.shape(x)
        return tuple(v.reshape(shape) for v in (cdf, errors[0], sf, errors[1]))  # type: ignore[return-value]

    @property
    def _centre(self) -> float:
        """The mean without shift, in units of the scale."""
        modes = self.modes
        return float((modes.w * (modes.df + modes.nc)).sum())

    def _standard(self, x: ArrayLike) -> Floats:
        return (numbers(x, "x", finite=False).reshape(-1) - self.shift) / (self.scale or 1.0)

    def _by_contour(
        self, q: Floats, *, lower: bool = False, density: bool = False
    ) -> tuple[Floats, Floats]:
        """Integrals at points inside the support; close to its end by the small-ball power."""
        modes = self.modes
        beyond = np.zeros(q.shape)
        near = np.abs(q) < _EDGE
        if modes.one_sided and near.any():
            power = modes.df.sum() / 2 - density
            # all weights exceed 1e40 times the distance: the law is a power of it up to rounding
            beyond[near] = power * np.log(np.abs(q[near]) / _EDGE)
            q = np.where(near, np.copysign(_EDGE, modes.w[0, 0]), q)
        flip = (q < self._centre) if density else np.full(q.shape, lower)
        value, error = np.empty(q.shape), np.empty(q.shape)
        with np.errstate(all="ignore"):  # what is not finite in the end has an infinite error
            for part, side, sign in ((flip, modes.reflected(), -1.0), (~flip, modes, 1.0)):
                if part.any():
                    value[part], error[part] = log_tail(side, sign * q[part], density=density)
        error = np.where(np.isfinite(value) & np.isfinite(error), error, math.inf)
        return value + beyond, error + 1e-15 * np.abs(beyond)

    def _density_at_shift(self) -> float:
        """Log density at the only point where it may be infinite, times the scale."""
        modes = self.modes
        total = float(modes.df.sum())
        if total < 2 or not modes.one_sided:
            return math.inf
        if total > 2:
            return -math.inf
        return float(-0.5 * modes.nc.sum() - (modes.df / 2 * np.log(2 * np.abs(modes.w))).sum())

    def _checked(self, x: ArrayLike, value: Floats, error: Floats) -> Any:
        allowed = np.maximum(ABSOLUTE, RELATIVE * np.abs(value))
        bad = np.isinf(error) | (error > allowed)
        if bad.any():
            at = int(np.flatnonzero(bad)[0])
            warnings.warn(
                f"the value at x = {np.ravel(np.asarray(x))[at]:.6g} has an estimated error of "
                f"{np.ravel(error)[at]:.1g} nats",
                AccuracyWarning,
                stacklevel=3,
            )
        return plain(np.reshape(value, np.shape(x)))

    # --- quantiles and draws --------------------------------------------------------------------

    def ppf(self, p: ArrayLike) -> Any:
        """Quantiles: the smallest x with ``P(X <= x) >= p``."""
        p = probabilities(p)
        with np.errstate(divide="ignore"):
            return self._quantile(np.log(p), np.log1p(-p))

    def isf(self, p: ArrayLike) -> Any:
        """Upper quantiles: ``ppf(1 - p)`` without the cancellation."""
        p = probabilities(p)
        with np.errstate(divide="ignore"):
            return self._quantile(np.log1p(-p), np.log(p))

    def ilogcdf(self, log_p: ArrayLike) -> Any:
        """The x with ``logcdf(x) = log_p``, at any depth."""
        log_p = logarithms(log_p)
        return self._quantile(log_p, complement(log_p, 0 * log_p)[0])

    def ilogsf(self, log_p: ArrayLike) -> Any:
        """The x with ``logsf(x) = log_p``, at any depth."""
        log_p = logarithms(log_p)
        return self._quantile(complement(log_p, 0 * log_p)[0], log_p)

    def _quantile(self, log_cdf: Floats, log_sf: Floats) -> Any:
        shape, modes = np.shape(log_cdf), self.modes
        left, right = np.ravel(log_cdf), np.ravel(log_sf)
        low, high = self.support()
        out = np.where(left == -math.inf, low, np.where(right == -math.inf, high, math.nan))
        if self.scale == 0:
            return plain(np.where(np.isnan(left), math.nan, self.shift).reshape(shape))
        inside = np.isfinite(left) & np.isfinite(right)
        for part, side, goal, sign in (
            (inside & (left < right), modes.reflected(), left, -1.0),
            (inside & (left >= right), modes, right, 1.0),
        ):
            if part.any():

                def tail(q: Floats, lower: bool = sign < 0) -> Floats:
                    return self._by_contour(-q if lower else q, lower=lower)[0]

                def density(q: Floats, sign: float = sign) -> Floats:
                    return self._by_contour(sign * q, density=True)[0]

                root = upper_quantile(side, goal[part], tail, density)
                out[part] = self.shift + self.scale * sign * root
        return plain(out.reshape(shape))

    def rvs(self, size: Any = None, random_state: Any = None) -> Any:
        """Draws, in chunks that bound the memory by about 100 MB.

        Parameters
        ----------
        size : int or tuple, optional
            Shape; a single number by default.
        random_state : int, numpy Generator, or tlstat.backend.Random, optional
            With a `Random` the draws come in its array library.
        """
        sums, rng = draw_sums(self.modes, size, random_state)
        out = self.shift + self.scale * sums
        if isinstance(rng, Random):
            return rng.asarray(out)
        return float(out) if size is None else out
