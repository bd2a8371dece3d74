"""The Gaussian transfer benchmark: two noisy vectors whose means are at most Delta apart.

A sequence model of linear regression with a source and a target (arXiv:2006.10581 bounds its
minimax risk up to constants). Here it comes within 25 %, or exactly for small ``Delta``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.minimax.models.checks import (
    require,
    require_count,
    require_non_negative,
    require_positive,
    set_count,
)

_ORTHOSYMMETRIC = 1.25  # linear against all estimators over a ball (Donoho, Liu, MacGibbon 1990)
_SPREAD = 12.0  # standard deviations over which a law is integrated
_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(160)
_SMALL, _LARGE = 1e-3, 200


@dataclass(frozen=True)
class GaussianTransfer:
    """``W_S^ ~ N(W_S, sigma^2/n_S I)``, ``W_T^ ~ N(W_T, sigma^2/n_T I)``, ``|W_S - W_T| <= Delta``.

    The loss is ``|estimate - W_T|**2``, and ``W_T`` itself is free.

    Parameters
    ----------
    D : int
        Dimension of the vectors, 1 or more.
    Delta : float
        Distance that the means may have, 0 or above.
    n_S, n_T : int
        Sample sizes, 0 or more, not both 0.
    sigma : float
        Standard deviation of the noise, above 0.

    Notes
    -----
    Derived here: with ``Z`` the difference of the two vectors and ``s`` its variance, the
    precision-weighted mean is independent of ``Z``, so the minimax risk is
    ``D v_S v_T / s + (v_T / s)**2 R(Delta; s, D)`` with R that of a normal mean in a ball.
    """

    D: int
    Delta: float
    n_S: int
    n_T: int
    sigma: float = 1.0

    def __post_init__(self) -> None:
        set_count(self, "D", 1)
        set_count(self, "n_S", 0)
        set_count(self, "n_T", 0)
        require_non_negative(Delta=self.Delta)
        require_positive(sigma=self.sigma)
        require("n_S + n_T", self.n_S + self.n_T, self.n_S + self.n_T > 0, "at least one point")

    @classmethod
    def from_cell(cls, cell: Any) -> GaussianTransfer:
        """The benchmark that a cell asks for: ``D, Delta, n_S, n_T`` and ``sigma`` if given."""
        sizes = (cell["n_S"], cell["n_T"])
        return cls(cell["D"], cell["Delta"], *sizes, cell.get("sigma", 1.0))

    @property
    def _pooled(self) -> float:
        """Risk at ``Delta = 0``: all points are alike."""
        return self.D * self.sigma**2 / (self.n_S + self.n_T)

    @property
    def _source_share(self) -> float:
        return self.n_S / (self.n_S + self.n_T)

    @property
    def radius(self) -> float:
        """``Delta`` in standard deviations of the difference of the two vectors."""
        if self.n_S == 0 or self.n_T == 0:
            return 0.0
        return self.Delta / self.sigma / math.sqrt(1 / self.n_S + 1 / self.n_T)

    def _total(self, ball: float) -> float:
        """The transfer risk, from that of a normal mean in the ball (variance 1)."""
        if self.n_S == 0:
            return self._pooled
        if self.n_T == 0:
            return self._pooled + self.Delta**2
        variance = self.sigma**2 * (1 / self.n_S + 1 / self.n_T)
        return self._pooled + self._source_share**2 * variance * ball

    @property
    def linear_risk(self) -> float:
        """Minimax risk over linear estimators."""
        m = self.radius
        return self._total(self.D * m**2 / (m**2 + self.D))

    @property
    def shrinkage(self) -> float:
        """The ``lambda`` of the linear estimator: weight of the observed difference removed."""
        return self.D / (self.radius**2 + self.D)

    @cached_property
    def minimax_interval(self) -> tuple[float, float]:
        """Bounds on the minimax risk over all estimators, at most 25 % apart.

        Below: the Bayes risk of a uniform prior on a sphere, and the linear risk over 1.25.
        Above: the linear risk, and the largest risk of the Bayes rule of the sphere of radius
        ``Delta``; the two meet for small radii (Berry 1990).
        """
        lower, upper = ball_minimax(self.radius, self.D)
        return self._total(lower), self._total(upper)

    def estimate(self, W_S: Any, W_T: Any) -> Any:
        """The linear minimax estimator, for vectors of shape (..., D)."""
        if self.n_S == 0:
            return W_T
        if self.n_T == 0:
            return W_S
        share = self._source_share
        return W_T + share * self.shrinkage * (W_S - W_T)

    def linear_estimator_risk(self, distance: float | None = None) -> float:
        """Exact risk of `estimate` where ``|W_S - W_T|`` is ``distance`` (default ``Delta``)."""
        distance = self.Delta if distance is None else distance
        if self.n_S == 0 or self.n_T == 0:
            return self._pooled + (distance**2 if self.n_T == 0 else 0.0)
        weight = self._source_share * self.shrinkage
        noise = weight**2 / self.n_S + (1 - weight) ** 2 / self.n_T
        return self.D * self.sigma**2 * noise + weight**2 * distance**2

    def sample(self, rng: Any, size: int, distance: float | None = None) -> tuple[Any, Any]:
        """Vectors ``W_S^, W_T^`` of shape (size, D), for ``W_T = 0`` and ``W_S`` at a distance."""
        if self.n_S == 0 or self.n_T == 0:
            raise InputError("sample needs n_S and n_T above 0: an empty sample has no vector")
        W_S = rng.normal(0.0, self.sigma / math.sqrt(self.n_S), (size, self.D))
        W_T = rng.normal(0.0, self.sigma / math.sqrt(self.n_T), (size, self.D))
        W_S[:, 0] += self.Delta if distance is None else distance
        return W_S, W_T


def ball_minimax(radius: float, D: int) -> tuple[float, float]:
    """Bounds on the minimax squared-error risk of a normal mean in a ball of R^D, variance 1.

    Parameters
    ----------
    radius : float
        0 or above.
    D : int
        Dimension, 1 or more.

    Returns
    -------
    lower, upper : float
        By the uniform prior on a sphere of at most this radius and its Bayes rule, and by
        linear estimators (at most 1.25 times the minimax risk). Radii below 1e-3 and dimensions
        above 200 have the linear bounds alone.
    """
    require_non_negative(radius=radius)
    require_count(1, D=D)
    linear = D * radius**2 / (radius**2 + D)
    lower, upper = linear / _ORTHOSYMMETRIC, linear
    if radius < _SMALL or D > _LARGE:
        return lower, upper
    spheres = min(radius, 1.5 * math.sqrt(D)) * np.array([0.7, 0.8, 0.9, 1.0])
    lower = max(lower, *(sphere_risk(m, m, D) for m in spheres))
    if radius <= 2 * math.sqrt(D):
        upper = min(upper, _largest_sphere_risk(radius, D))
    return lower, max(lower, upper)


def _largest_sphere_risk(m: float, D: int) -> float:
    """Largest risk in the ball of the Bayes rule for its sphere: at an end, or in between."""
    from scipy.optimize import minimize_scalar

    radii = m * np.linspace(0, 1, 13)
    risks = [sphere_risk(m, r, D) for r in radii]
    at = int(np.argmax(risks))
    if at in (0, 12):
        return risks[at]
    between = (radii[at - 1], radii[at + 1])
    found = minimize_scalar(lambda r: -sphere_risk(m, r, D), bounds=between, method="bounded")
    return max(risks[at], -float(found.fun))


def sphere_risk(m: float, r: float, D: int) -> float:
    """Risk at ``|theta| = r`` of the Bayes rule for the uniform prior on the sphere of radius m.

    At ``r = m`` it is that prior's Bayes risk. By a quadrature over ``|X|``.
    """
    from scipy.special import gammaln

    order = D / 2 - 1
    centre = math.sqrt(r**2 + D)
    low, high = max(0.0, centre - _SPREAD), centre + _SPREAD
    x = low + (high - low) * (_NODES + 1) / 2
    w = _NODE_WEIGHTS * (high - low) / 2
    if r > 0:
        log_bessel, cosine = _bessel(order, r * x)
        log_density = (order + 1) * np.log(x) - order * math.log(r) - (x - r) ** 2 / 2 + log_bessel
    else:
        cosine = np.zeros_like(x)
        log_density = (D - 1) * np.log(x) - x**2 / 2 - order * math.log(2) - gammaln(D / 2)
    size = m * _bessel(order, m * x)[1]
    return float(w @ (np.exp(log_density) * (size**2 - 2 * size * r * cosine + r**2)))


def _bessel(order: float, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``log(exp(-z) I_order(z))`` and ``I_{order+1}(z) / I_order(z)``, also where I underflows."""
    from scipy.special import gammaln, ive

    value, following = ive(order, z), ive(order + 1, z)
    ok = value > 1e-280
    safe = np.where(ok, value, 1.0)
    # the first terms of the power series
    small = order * np.log(z / 2) - gammaln(order + 1) + z**2 / (4 * (order + 1)) - z
    ratio = np.where(ok, following / safe, z / (2 * (order + 1)))
    return np.where(ok, np.log(safe), small), ratio
