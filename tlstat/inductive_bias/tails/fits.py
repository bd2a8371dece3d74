"""The published estimator, with its traps, and the interval that it should have come with.

EIB (arXiv:2406.15941), section 3.3 and the authors' code: fit ``scale chi'^2_df(nc)`` to sampled
errors by maximum likelihood, and read off the logarithm of its distribution function.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import chdtri, log_ndtr

from tlstat.errors import InputError
from tlstat.inductive_bias.checks import numbers, plain
from tlstat.inductive_bias.chi_squared import GeneralizedChiSquared
from tlstat.inductive_bias.tails.base import LogProbability, level_of, target_of
from tlstat.inductive_bias.tails.noncentral import noncentral_logpdf
from tlstat.inductive_bias.tails.sampled import draws_of

RATIOS = (0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0, 1000.0)


@dataclass(frozen=True)
class PublishedFit:
    """A fitted ``scale chi'^2_df(nc)`` and the published way to read it.

    Attributes
    ----------
    df, nc, scale : float
    log_likelihood : float
        Of all draws, by the density without underflow.
    draws : int
    """

    df: float
    nc: float
    scale: float
    log_likelihood: float = math.nan
    draws: int = 0

    def nats(self, x: ArrayLike) -> Any:
        """``-log CDF(x)`` as published: the logarithm of the CDF, and a fallback where it is 0.

        The fallback is ``z^2/2`` with Sankaran's ``z``: it drops ``log|z| + log(2 pi)/2`` and the
        sign of ``z``, so it jumps where it sets in, is positive above the mean, and tends to a
        constant as ``x`` tends to 0 (for ``nc = 0`` about ``9 df/4``), where the truth diverges.
        """
        from scipy.stats import ncx2

        x = numbers(x, "x")
        with np.errstate(all="ignore"):
            direct = -np.log(ncx2.cdf(x, self.df, self.nc, loc=0, scale=self.scale))
            z = sankaran(x / self.scale, self.df, self.nc)
            return plain(np.where(np.isinf(direct), z * z / 2, direct))

    def falls_back(self, x: ArrayLike) -> Any:
        """Where `nats` is the fallback's."""
        from scipy.stats import ncx2

        with np.errstate(all="ignore"):
            value = ncx2.cdf(numbers(x, "x"), self.df, self.nc, loc=0, scale=self.scale)
        out = value == 0
        return bool(out) if np.ndim(out) == 0 else out

    def law(self) -> GeneralizedChiSquared:
        """The fitted law, whose ``logcdf`` needs no fallback."""
        return GeneralizedChiSquared([self.scale], self.df, self.nc)

    def log_probability(self, x: float) -> LogProbability:
        """The published reading in the form of the other estimators; it promises nothing."""
        value = -float(self.nats(target_of(x)))
        statement = "published reading of a fitted law; no interval comes with it"
        return LogProbability(value, -math.inf, 0.0, "published fit", statement, None)


def published_fit(errors: ArrayLike) -> PublishedFit:
    """Maximum likelihood as published: generic optimiser, default start, location 0.

    Where the Bessel function of ``scipy.stats.ncx2`` underflows the likelihood is 0, and the
    optimiser often stops far from the maximum. `profile_fit` searches properly.

    Parameters
    ----------
    errors : array_like, shape (draws,)
        Positive draws of the error, at least 3.

    Returns
    -------
    PublishedFit
    """
    from scipy.stats import ncx2

    drawn = _positive_draws(errors)
    with np.errstate(all="ignore"):
        df, nc, _, scale = ncx2.fit(drawn, floc=0)
    df, nc, scale = float(df), float(nc), float(scale)
    likelihood = math.nan
    if df > 0 and nc >= 0 and scale > 0:
        likelihood = float(noncentral_logpdf(drawn / scale, df, nc).sum())
        likelihood -= drawn.size * math.log(scale)
    return PublishedFit(df, nc, scale, likelihood, drawn.size)


def sankaran(x: ArrayLike, df: float, nc: float) -> Any:
    """Sankaran's normal deviate of ``P(chi'^2_df(nc) <= x)``, as in the published fallback.

    M. Sankaran, Biometrika 50 (1963) 199. ``log_ndtr`` of it is the approximation; the published
    code takes ``-z^2/2`` instead.
    """
    x = np.asarray(x, dtype=float)
    h = 1 - (2 / 3) * (df + nc) * (df + 3 * nc) / (df + 2 * nc) ** 2
    p = (df + 2 * nc) / (df + nc) ** 2
    m = (h - 1) * (1 - 3 * h)
    centre = 1 + h * p * (h - 1 - 0.5 * (2 - h) * m * p)
    z = ((x / (df + nc)) ** h - centre) / (h * math.sqrt(2 * p) * (1 + 0.5 * m * p))
    return plain(z)


def sankaran_log_cdf(x: ArrayLike, df: float, nc: float) -> Any:
    """Log of Sankaran's approximation, without the published shortcut."""
    return plain(log_ndtr(sankaran(x, df, nc)))


@dataclass(frozen=True)
class ProfileFit:
    """Maximum likelihood at fixed ratios ``nc/df``: nearly flat, while the tail is not.

    Attributes
    ----------
    ratios, df, nc, scale, log_likelihood : ndarray, shape (ratios,)
        The fit at each ratio, and the likelihood of all draws there.
    draws : int
    smallest : float
        The smallest draw: below it everything is extrapolation.
    """

    ratios: np.ndarray
    df: np.ndarray
    nc: np.ndarray
    scale: np.ndarray
    log_likelihood: np.ndarray
    draws: int
    smallest: float

    @property
    def drop(self) -> np.ndarray:
        """Log-likelihood minus its largest value, in nats of all draws together."""
        return np.asarray(self.log_likelihood - self.log_likelihood.max())

    def fit(self, index: int) -> PublishedFit:
        """The fit at one ratio."""
        return PublishedFit(
            float(self.df[index]),
            float(self.nc[index]),
            float(self.scale[index]),
            float(self.log_likelihood[index]),
            self.draws,
        )

    def nats(self, x: float) -> np.ndarray:
        """``-log CDF(x)`` of every fit, without underflow."""
        laws = (self.fit(i).law() for i in range(len(self.ratios)))
        return np.array([-law.logcdf(target_of(x)) for law in laws])

    def log_probability(self, x: float, level: float = 0.95) -> LogProbability:
        """The best fit's value, and the range over all ratios that the likelihood admits.

        The interval is right if the errors follow a scaled non-central chi-squared law; that of a
        kernel space does not unless all weights are equal.
        """
        level = level_of(level)
        nats = self.nats(x)
        admitted = self.drop >= -float(chdtri(1, 1 - level)) / 2
        value = -float(nats[int(np.argmax(self.log_likelihood))])
        statement = (
            f"profile likelihood over nc/df at level {level:g}, right if the family is; "
            f"the smallest of {self.draws} draws is {self.smallest:.4g}"
        )
        low, high = -float(nats[admitted].max()), -float(nats[admitted].min())
        return LogProbability(value, low, high, "profile fit", statement, level)


def profile_fit(errors: ArrayLike, ratios: ArrayLike = RATIOS) -> ProfileFit:
    """Maximum likelihood over ``(df, scale)`` at each ratio ``nc/df``, from the moments.

    Parameters
    ----------
    errors : array_like, shape (draws,)
        Positive draws of the error, at least 3.
    ratios : array_like
        Values of ``nc/df``, 0 or above.

    Returns
    -------
    ProfileFit
    """
    drawn = _positive_draws(errors)
    rho = np.atleast_1d(numbers(ratios, "ratios"))
    if rho.ndim != 1 or (rho < 0).any():
        raise InputError("ratios has negative entries or more than one axis; expected 0 or above")
    mean, variance = float(drawn.mean()), float(drawn.var())
    if variance == 0:
        raise InputError("errors are all equal; expected draws of a continuous law")
    fits = np.array([_fit_at(drawn, mean, variance, float(r)) for r in rho])
    df, scale, likelihood = fits.T
    return ProfileFit(rho, df, rho * df, scale, likelihood, drawn.size, float(drawn.min()))


def _fit_at(drawn: np.ndarray, mean: float, variance: float, rho: float) -> tuple[float, ...]:
    scale = variance * (1 + rho) / (2 * mean * (1 + 2 * rho))
    start = np.log([mean / (scale * (1 + rho)), mean])

    def cost(point: np.ndarray) -> float:
        # (df, mean) are nearly orthogonal, (df, scale) are not
        df, centre = np.exp(np.clip(point, -700, 700))
        s = centre / (df * (1 + rho))
        value = noncentral_logpdf(drawn / s, float(df), float(rho * df))
        return float(math.log(s) - value.mean())

    found = minimize(
        cost, start, method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-10, "maxiter": 400}
    )
    df, centre = np.exp(found.x)
    return float(df), float(centre / (df * (1 + rho))), -float(found.fun) * drawn.size


def _positive_draws(errors: ArrayLike) -> np.ndarray:
    drawn = draws_of(errors)
    if drawn.size < 3 or not (drawn > 0).all():
        raise InputError(
            f"errors has {drawn.size} draws, the smallest {drawn.min():.6g}; expected at least 3, "
            "all positive (the fitted law has location 0)"
        )
    return drawn
