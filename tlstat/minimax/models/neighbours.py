"""Two neighbouring settings of nonparametric transfer, with lower bounds as numbers.

The same letters mean other things there than in the rest of the room: ``gamma`` is an exponent
that is *added* for marginal singularity (0 without shift) and one of the *signal* for posterior
drift (1 without drift); ``alpha`` and ``beta`` exchange their roles of smoothness and margin.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.minimax.models.checks import (
    require,
    require_count,
    require_non_negative,
    require_positive,
    require_unit,
)

_SCALES = 17
_ROUNDS = 4
_DECIDED = 40.0


@dataclass(frozen=True)
class LocalFlip:
    """A lower bound by flipping all labels in one ball, and the radius that is hardest.

    Attributes
    ----------
    value : float
        ``radius**loss`` times the exact error of telling the two signs apart.
    radius : float
    """

    value: float
    radius: float


class _Local(ABC):
    """Lower bound ``sup_r r**loss e(n_P, r**source; n_Q, r**target)``."""

    @property
    @abstractmethod
    def _powers(self) -> tuple[float, tuple[float, float], tuple[float, float]]:
        """Powers of the radius: of the loss, and of (mass, margin) under both laws."""

    def lower_bound(self, n_P: int, n_Q: int) -> LocalFlip:
        """Lower bound on the minimax excess risk, by the exact two-sample kernel.

        Parameters
        ----------
        n_P, n_Q : int
            Sample sizes, 0 or more.

        Returns
        -------
        LocalFlip
            Its value holds for every procedure, up to the constants of the class (all of them
            are set to 1). Any radius gives a valid bound; the best is searched for.
        """
        from tlstat.minimax.vote import vote_error

        require_count(0, n_P=n_P, n_Q=n_Q)
        loss, source, target = self._powers

        def values(r: np.ndarray) -> np.ndarray:
            p, delta_P, q, delta_Q = (r**power for power in (*source, *target))
            return np.asarray(r**loss * vote_error(n_P, p, delta_P, n_Q, q, delta_Q))

        high = min(1.0, _decided(n_P, source), _decided(n_Q, target))
        low, best = high * 1e-4, LocalFlip(0.0, high)
        for _ in range(_ROUNDS):
            radii = np.geomspace(low, high, _SCALES)
            found = values(radii)
            at = int(np.argmax(found))
            if found[at] > best.value:
                best = LocalFlip(float(found[at]), float(radii[at]))
            low, high = radii[max(at - 1, 0)], radii[min(at + 1, _SCALES - 1)]
        return best


def _decided(n: int, powers: tuple[float, float]) -> float:
    """The radius at which one sample carries so much information that no error is left."""
    mass, margin = powers
    return (_DECIDED / n) ** (1 / (mass + 2 * margin)) if n > 0 else math.inf


@dataclass(frozen=True)
class PosteriorDrift(_Local):
    """Posterior drift (arXiv:1906.02903): the same inputs, a signal that is a power of the other's.

    Parameters
    ----------
    beta : float
        Hoelder smoothness of the target's regression function, in (0, 1].
    alpha : float
        Margin exponent, 0 or above, with ``alpha * beta <= d``.
    gamma : float
        Relative signal exponent, above 0: ``|eta_P - 1/2| >= |eta_Q - 1/2|**gamma``.
    d : int
        Dimension of the inputs.
    """

    beta: float
    alpha: float
    gamma: float
    d: int

    def __post_init__(self) -> None:
        require_unit(beta=self.beta)
        require_non_negative(alpha=self.alpha)
        require_positive(gamma=self.gamma)
        require_count(1, d=self.d)
        product = self.alpha * self.beta
        require("alpha * beta", product, product <= self.d, f"at most d = {self.d}")

    @classmethod
    def from_cell(cls, cell: Any) -> PosteriorDrift:
        """The setting that a cell asks for: ``beta, alpha, gamma, d``."""
        return cls(cell["beta"], cell["alpha"], cell["gamma"], int(cell["d"]))

    @property
    def source_slope(self) -> float:
        """Exponent of ``n_P`` without target data."""
        return -self.beta * (1 + self.alpha) / (2 * self.gamma * self.beta + self.d)

    @property
    def target_slope(self) -> float:
        """Exponent of ``n_Q`` without source data."""
        return -self.beta * (1 + self.alpha) / (2 * self.beta + self.d)

    @property
    def _powers(self) -> tuple[float, tuple[float, float], tuple[float, float]]:
        signal = self.gamma * self.beta
        return self.beta * (1 + self.alpha), (self.d, signal), (self.d, self.beta)


@dataclass(frozen=True)
class MarginalSingularity(_Local):
    """Covariate shift with a marginal that thins out (arXiv:1803.01833), mass condition (DM).

    Parameters
    ----------
    alpha : float
        Hoelder smoothness of the regression function, in (0, 1].
    beta : float
        Margin exponent, 0 or above, with ``alpha * beta <= d``.
    gamma : float
        Singularity, 0 or above: ``P_X(B(x,r)) >= r**gamma Q_X(B(x,r))``; 0 without shift.
    d : int
        Dimension of the inputs.
    """

    alpha: float
    beta: float
    gamma: float
    d: int

    def __post_init__(self) -> None:
        require_unit(alpha=self.alpha)
        require_non_negative(beta=self.beta, gamma=self.gamma)
        require_count(1, d=self.d)
        product = self.alpha * self.beta
        require("alpha * beta", product, product <= self.d, f"at most d = {self.d}")

    @classmethod
    def from_cell(cls, cell: Any) -> MarginalSingularity:
        """The setting that a cell asks for: ``alpha, beta, gamma, d``."""
        return cls(cell["alpha"], cell["beta"], cell["gamma"], int(cell["d"]))

    @property
    def source_slope(self) -> float:
        """Exponent of ``n_P`` without target data."""
        return -self.alpha * (1 + self.beta) / (2 * self.alpha + self.d + self.gamma)

    @property
    def target_slope(self) -> float:
        """Exponent of ``n_Q`` without source data."""
        return -self.alpha * (1 + self.beta) / (2 * self.alpha + self.d)

    @property
    def _powers(self) -> tuple[float, tuple[float, float], tuple[float, float]]:
        thinned = self.d + self.gamma
        return self.alpha * (1 + self.beta), (thinned, self.alpha), (self.d, self.alpha)
