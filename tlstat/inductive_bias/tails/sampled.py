"""Lower tails from draws: plain Monte Carlo, and draws under an exponential tilt."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from tlstat.backend import to_numpy
from tlstat.errors import InputError
from tlstat.inductive_bias.checks import numbers
from tlstat.inductive_bias.chi_squared import GeneralizedChiSquared
from tlstat.inductive_bias.tails.base import LogProbability, level_of, target_of
from tlstat.inductive_bias.tails.spectral import saddle
from tlstat.theory.intervals import clopper_pearson, maurer_pontil


def monte_carlo(errors: ArrayLike, x: float, level: float = 0.95) -> LogProbability:
    """Share of draws at or below ``x``, with Clopper and Pearson's interval.

    Parameters
    ----------
    errors : array_like, shape (draws,)
        Independent draws of the error.
    x : float
    level : float
        Confidence; half of what is left is spent on each side, also where no draw is at or below
        ``x`` and the interval is one-sided.

    Returns
    -------
    LogProbability
    """
    drawn = draws_of(errors)
    x, level = target_of(x), level_of(level)
    n, k = drawn.size, int((drawn <= x).sum())
    low, high = clopper_pearson(k, n, (1 - level) / 2)
    statement = f"{k} of {n} draws; exact binomial interval at level {level:g}"
    if k == 0:
        statement += ", one-sided: no draw is that small"
    return LogProbability(_log(k / n), _log(low), _log(high), "monte carlo", statement, level)


def tilted(
    law: GeneralizedChiSquared,
    x: float,
    rng: Any,
    size: int = 10_000,
    *,
    level: float = 0.95,
    interval: str = "normal",
) -> LogProbability:
    """Importance sampling under the exponential tilt whose mean is ``x``: unbiased at any depth.

    Under the tilt by ``t`` a mode ``w chi'^2_df(nc)`` becomes ``(w/a) chi'^2_df(nc/a)`` with
    ``a = 1 - 2 w t``. The probability is ``exp(K(t) - t x)`` times the mean of
    ``exp(-t (e - x)) 1{e <= x}``, which lies in [0, 1]; its relative standard error is about
    ``sqrt(sqrt(pi/2) |q| / size)`` with ``q = t sqrt(K''(t))``, at most ``sqrt(N/2)`` for ``N``
    degrees of freedom. At and above the mean there is no tilt.

    Parameters
    ----------
    law, x
    rng : Random, Generator or int
    size : int
    level : float
    interval : {"normal", "bernstein"}
        Normal approximation of the mean of the weights, or Maurer and Pontil's empirical
        Bernstein bounds, which hold at any size and are wider.

    Returns
    -------
    LogProbability
    """
    x, level = target_of(x), level_of(level)
    size = _size(size)
    if interval not in ("normal", "bernstein"):
        raise InputError(f"interval is {interval!r}; expected 'normal' or 'bernstein'")
    low, high = law.support()
    if x <= low or x >= high:
        value = 0.0 if x >= high else -math.inf
        return LogProbability(value, value, value, "tilted", "outside the support", 1.0)
    if x >= law.mean():
        plain = monte_carlo(law.rvs(size, rng), x, level)
        return replace(plain, method="tilted", statement=f"no tilt; {plain.statement}")
    point = saddle(law, x)
    exponent, t = point.exponent, point.t
    errors = to_numpy(tilted_law(law, t).rvs(size, rng))
    weights = np.where(errors <= x, np.exp(np.minimum(-t * (errors - x), 0.0)), 0.0)
    mean = float(weights.mean())
    below, above = _mean_interval(weights, level, interval)
    kind = "asymptotic" if interval == "normal" else "finite-sample"
    statement = f"{size} draws under the tilt; {kind} interval at level {level:g}"
    return LogProbability(
        exponent + _log(mean),
        exponent + _log(below),
        min(exponent + _log(above), 0.0),
        "tilted",
        statement,
        level,
    )


def tilted_law(law: GeneralizedChiSquared, t: float) -> GeneralizedChiSquared:
    """The law with density proportional to ``exp(t e)`` times the density of ``law``.

    Its draws are hypotheses that reach ``K'(t)`` on average.
    """
    a = 1 - 2 * law.weights * t
    if (a <= 0).any():
        raise InputError(f"t is {t}; expected a number at which the law has exponential moments")
    return GeneralizedChiSquared(
        law.weights / a, law.df, law.nc / a, law.shift + law.normal_sd**2 * t, law.normal_sd
    )


def _mean_interval(weights: np.ndarray, level: float, interval: str) -> tuple[float, float]:
    n, mean = weights.size, float(weights.mean())
    alpha = (1 - level) / 2
    if interval == "bernstein":
        low, high = maurer_pontil(mean, float(weights.var(ddof=1)), n, alpha)
        return float(low), float(high)
    if mean == 0:
        return 0.0, float(clopper_pearson(0, n, alpha)[1])  # each weight is at most 1
    # on the scale of the logarithm, where the interval is used
    spread = float(-ndtri(alpha)) * float(weights.std(ddof=1)) / math.sqrt(n) / mean
    return mean * math.exp(-spread), mean * math.exp(spread)


def draws_of(errors: ArrayLike) -> np.ndarray:
    """Draws of an error as a checked array."""
    drawn = numbers(to_numpy(errors), "errors")
    if drawn.ndim != 1 or drawn.size == 0:
        raise InputError(f"errors has shape {drawn.shape}; expected one error a draw, (draws,)")
    return drawn


def _size(size: Any) -> int:
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 2:
        raise InputError(f"size is {size!r}; expected a whole number of at least 2")
    return int(size)


def _log(p: float) -> float:
    return math.log(p) if p > 0 else -math.inf
