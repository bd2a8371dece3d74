"""Two neighbouring settings of nonparametric transfer, with lower bounds as numbers.

The same letters mean other things there than in the rest of the room: ``gamma`` is an exponent
that is *added* for marginal singularity (0 without shift) and one of the *signal* for posterior
drift (1 without drift); ``alpha`` and ``beta`` exchange their roles of smoothness and margin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tlstat.minimax.models.checks import (
    require,
    require_non_negative,
    require_positive,
    require_unit,
    set_count,
)

if TYPE_CHECKING:
    from tlstat.minimax.scale_search import ScaleBound


@dataclass(frozen=True)
class PosteriorDrift:
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
        set_count(self, "d", 1)
        product = self.alpha * self.beta
        require("alpha * beta", product, product <= self.d, f"at most d = {self.d}")

    @classmethod
    def from_cell(cls, cell: Any) -> PosteriorDrift:
        """The setting that a cell asks for: ``beta, alpha, gamma, d``."""
        return cls(cell["beta"], cell["alpha"], cell["gamma"], cell["d"])

    @property
    def source_slope(self) -> float:
        """Exponent of ``n_P`` without target data."""
        return -self.beta * (1 + self.alpha) / (2 * self.gamma * self.beta + self.d)

    @property
    def target_slope(self) -> float:
        """Exponent of ``n_Q`` without source data."""
        return -self.beta * (1 + self.alpha) / (2 * self.beta + self.d)

    def lower_bound(self, n_P: Any, n_Q: Any) -> ScaleBound:
        """Lower bound on the minimax excess risk, by the exact two-sample kernel.

        Parameters
        ----------
        n_P, n_Q : array_like of int
            Sample sizes, 0 or more.

        Returns
        -------
        ScaleBound
            ``value`` holds for every procedure, with all constants of the class set to 1;
            ``scale`` is the radius of the ball on which flipping the labels is hardest to see.
        """
        from tlstat.minimax.local_bounds import posterior_drift_bound

        return posterior_drift_bound(
            n_P, n_Q, smoothness=self.beta, margin=self.alpha, signal=self.gamma, dim=self.d
        )


@dataclass(frozen=True)
class MarginalSingularity:
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
        set_count(self, "d", 1)
        product = self.alpha * self.beta
        require("alpha * beta", product, product <= self.d, f"at most d = {self.d}")

    @classmethod
    def from_cell(cls, cell: Any) -> MarginalSingularity:
        """The setting that a cell asks for: ``alpha, beta, gamma, d``."""
        return cls(cell["alpha"], cell["beta"], cell["gamma"], cell["d"])

    @property
    def source_slope(self) -> float:
        """Exponent of ``n_P`` without target data."""
        return -self.alpha * (1 + self.beta) / (2 * self.alpha + self.d + self.gamma)

    @property
    def target_slope(self) -> float:
        """Exponent of ``n_Q`` without source data."""
        return -self.alpha * (1 + self.beta) / (2 * self.alpha + self.d)

    def lower_bound(self, n_P: Any, n_Q: Any) -> ScaleBound:
        """Lower bound on the minimax excess risk; see `PosteriorDrift.lower_bound`."""
        from tlstat.minimax.local_bounds import marginal_singularity_bound

        return marginal_singularity_bound(
            n_P, n_Q, smoothness=self.alpha, margin=self.beta, singularity=self.gamma, dim=self.d
        )
