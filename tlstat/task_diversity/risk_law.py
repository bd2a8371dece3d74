"""The whole law of the excess risk given the representation, not only its mean.

With Gaussian covariates and noise the excess risk of least squares on ``k`` regressors is in law ::

    v chi2_k / chi2_{m-k+1}                               for m >= k samples,
    |theta|^2 Beta((k-m)/2, m/2) + v chi2_m / chi2_{k-m+1}  for m < k (minimum norm, isotropic x)

with independent terms, where ``v`` is the variance of the noise and of what the representation
misses; the squared bias is added. Reasons: the Gram matrix is Wishart, ``g'W^{-1}g`` is
``|g|^2 / chi2``, and the row space of a Gaussian design is independent of its Gram matrix. So
quantiles, and means of the norm that published curves show (not squared), need no simulation.
Derived here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.task_diversity.checks import count, non_negative
from tlstat.task_diversity.risk import single_task_risk

__all__ = ["ExcessRiskLaw"]

# half the number of steps of the two quadratures; errors are far below 1e-10 (tested)
_STEPS = 60


@dataclass(frozen=True)
class ExcessRiskLaw:
    """Law of the excess risk ``|B_hat alpha_hat - theta|^2`` over target samples.

    Parameters
    ----------
    k : int
        Number of regressors: r on a representation, d for a task alone.
    m : int
        Number of target samples.
    sigma : float
        Standard deviation of the noise.
    bias : float
        ``b`` (not squared): what the representation misses; 0 for a task alone.
    norm : float
        Norm of the part of ``theta`` that it sees; matters for ``m < k`` only.

    Examples
    --------
    >>> law = ExcessRiskLaw(5, 25, bias=0.3)
    >>> round(law.mean, 4), round(law.mean_norm, 4), round(law.quantile(0.95), 4)
    (0.3768, 0.5933, 0.7868)
    """

    k: int
    m: int
    sigma: float = 1.0
    bias: float = 0.0
    norm: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", count("k", self.k, 1))
        object.__setattr__(self, "m", count("m", self.m, 0))
        non_negative(sigma=self.sigma, bias=self.bias, norm=self.norm)

    @property
    def variance(self) -> float:
        """Variance of the noise and of what is missed: ``sigma^2 + b^2``."""
        return self.sigma**2 + self.bias**2

    @property
    def mean(self) -> float:
        """``E`` of the excess risk: the closed form of `risk`."""
        noise = self.variance**0.5
        return self.bias**2 + float(single_task_risk(self.k, self.m, noise, self.norm))

    @property
    def mean_norm(self) -> float:
        """``E|B_hat alpha_hat - theta|``, not squared: what the curves of the ICML paper show.

        inf where ``m = k``, whose law has no mean of the norm.
        """
        if self.m == 0:
            return float(np.hypot(self.bias, self.norm))
        above, below = self._degrees
        if below == 1 and self.variance > 0:
            return float("inf")
        log_ratio, weights = _log_chi2_ratio(above, below)
        squares = self.bias**2 + self.variance * np.exp(log_ratio)
        if self._free == 0:
            return float(np.sqrt(squares) @ weights)
        log_odds, shares = _log_chi2_ratio(self.k - self.m, self.m)
        free = self._free / (1 + np.exp(-log_odds))
        return float(shares @ np.sqrt(squares + free[:, None]) @ weights)

    def cdf(self, x: Any) -> Any:
        """``P(excess risk <= x)``, for every entry of ``x``."""
        room = np.asarray(x, dtype=float) - self.bias**2
        if self._free == 0:
            return self._ratio_cdf(room - (self.norm**2 if self.m == 0 else 0.0))[()]
        # over the share of theta outside the rows, up to the largest that leaves room
        most = np.clip(room / self._free, 0, 1)[..., None]
        inner, outer, weights = _tanh_sinh()
        share = most * inner
        rest = np.where(most < 1, 1 - share, outer)
        density = _beta_density(share, rest, (self.k - self.m) / 2, self.m / 2)
        values = density * self._ratio_cdf(room[..., None] - self._free * share)
        return np.clip(most[..., 0] * (values @ weights), 0, 1)[()]

    def quantile(self, p: float) -> float:
        """The excess risk is at most this with probability ``p`` in (0, 1)."""
        from scipy.optimize import brentq

        if not 0 < p < 1:
            raise InputError(f"p is {p!r}; expected a number in (0, 1)")
        low = self.bias**2
        high = low + max(self.variance + self._free, 1e-300)
        while self.cdf(high) < p:
            high = low + 4 * (high - low)
        if self.cdf(low) >= p:
            return float(low)
        return float(brentq(lambda x: self.cdf(x) - p, low, high, xtol=1e-14, rtol=1e-13))

    def rvs(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """Independent draws, shape (size,)."""
        above, below = self._degrees
        draws = np.full(size, self.bias**2)
        if above:
            draws += self.variance * rng.chisquare(above, size) / rng.chisquare(below, size)
        if self._free:
            draws += self._free * rng.beta((self.k - self.m) / 2, self.m / 2, size)
        return draws + (self.norm**2 if self.m == 0 else 0.0)

    @property
    def _degrees(self) -> tuple[int, int]:
        return min(self.k, self.m), abs(self.m - self.k) + 1

    @property
    def _free(self) -> float:
        """What multiplies the Beta variable."""
        return self.norm**2 if 0 < self.m < self.k else 0.0

    def _ratio_cdf(self, x: np.ndarray) -> np.ndarray:
        """``P(v chi2 / chi2 <= x)``; without samples or noise the ratio is 0."""
        from scipy.special import fdtr

        above, below = self._degrees
        if self.m == 0 or self.variance == 0:
            return np.where(x >= 0, 1.0, 0.0)
        return np.asarray(fdtr(above, below, np.maximum(x, 0) * below / (above * self.variance)))


def _log_chi2_ratio(above: int, below: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights for the logarithm of ``chi2_above / chi2_below``.

    The trapezoidal rule: its density is analytic in a strip and decays exponentially; the range
    leaves room for an integrand that grows like the square root.
    """
    from scipy.special import betaln, digamma, polygamma

    mean = digamma(above / 2) - digamma(below / 2)
    sd = float(np.sqrt(polygamma(1, above / 2) + polygamma(1, below / 2)))
    step = min(sd / 6, 0.25)
    low = mean - 12 * sd - 80 / above
    high = mean + 12 * sd + 80 / (below - 0.99)
    s = np.arange(low, high, step)
    log_density = above / 2 * s - (above + below) / 2 * np.logaddexp(0, s)
    return s, step * np.exp(log_density - betaln(above / 2, below / 2))


def _tanh_sinh() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nodes in (0, 1), one minus them, and weights, for singular ends."""
    s = np.linspace(-4.3, 4.3, 2 * _STEPS + 1)
    inner = 1 / (1 + np.exp(-np.pi * np.sinh(s)))
    outer = 1 / (1 + np.exp(np.pi * np.sinh(s)))
    return inner, outer, np.pi * np.cosh(s) * inner * outer * (s[1] - s[0])


def _beta_density(x: np.ndarray, rest: np.ndarray, a: float, b: float) -> np.ndarray:
    """Density of Beta(a, b) at ``x = 1 - rest``; 0 where ``x`` is."""
    from scipy.special import betaln

    usable = (x > 0) & (rest > 0)
    log_x, log_rest = (np.log(np.where(usable, v, 1.0)) for v in (x, rest))
    density = np.exp((a - 1) * log_x + (b - 1) * log_rest - betaln(a, b))
    return np.where(usable, density, 0.0)
