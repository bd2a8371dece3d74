"""Decision stumps: one coordinate carries the labels, the others may be mistaken for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.backend import namespace
from tlstat.minimax.models.checks import require, require_positive, require_unit, set_count
from tlstat.minimax.models.power import log_chart


@dataclass(frozen=True)
class Stumps:
    """Decision stumps ``1[x_j >= t]`` or ``1[x_j < t]`` in d coordinates, constant margin.

    The label depends on the first coordinate alone, which is at a power-law distance from the
    best threshold 0: ``P(x_1 < t) = split (1 - |t|**gamma)`` for ``t < 0`` and
    ``split + (1 - split) t**gamma`` above (the target with ``q``). The other coordinates are
    uniform on ``[-1, 1]`` under both laws, all coordinates independent.

    Parameters
    ----------
    d : int
        Number of coordinates, 1 or more.
    gamma, q : float
        Powers of the first coordinate's marginals.
    c_P, c_Q : float
        Margins in (0, 1]; 1 means no noise.
    split : float
        Mass below the best threshold, in (0, 1).
    """

    d: int
    gamma: float = 1.0
    q: float = 1.0
    c_P: float = 0.5
    c_Q: float = 0.5
    split: float = 0.5

    def __post_init__(self) -> None:
        set_count(self, "d", 1)
        require_positive(gamma=self.gamma, q=self.q)
        require_unit(c_P=self.c_P, c_Q=self.c_Q)
        require("split", self.split, 0 < self.split < 1, "a number in (0, 1)")

    @classmethod
    def from_cell(cls, cell: Any) -> Stumps:
        """The model that a cell asks for: ``d``, and ``gamma, q, c_P, c_Q, split`` if given."""
        given = {k: cell.get(k) for k in ("gamma", "q", "c_P", "c_Q", "split")}
        return cls(cell["d"], **{k: v for k, v in given.items() if v is not None})

    @property
    def gamma_marginal(self) -> float:
        """Marginal transfer exponent."""
        return self.gamma / self.q

    @property
    def C_gamma(self) -> float:
        """Constant of the marginal exponent: above 1 the opposite stump is the worst."""
        return max(1.0, min(self.split, 1 - self.split) ** (self.gamma_marginal - 1))

    @property
    def rho(self) -> float:
        """Transfer exponent."""
        return self.gamma_marginal

    @property
    def C_rho(self) -> float:
        """Constant of the transfer exponent."""
        return self.C_gamma * self.c_Q**self.rho / self.c_P

    beta_P = 1.0
    beta_Q = 1.0

    @property
    def C_beta_P(self) -> float:
        """Constant of the source's Bernstein condition."""
        return 1 / self.c_P

    @property
    def C_beta_Q(self) -> float:
        """Constant of the target's Bernstein condition."""
        return 1 / self.c_Q

    def disagreement_P(self, stump: Any) -> Any:
        """Source mass on which stumps (..., 3): coordinate, t, sign +-1, differ from the best."""
        return self._disagreement(self.gamma, stump)

    def disagreement_Q(self, stump: Any) -> Any:
        """Target mass on which stumps differ from the best one."""
        return self._disagreement(self.q, stump)

    def excess_P(self, stump: Any) -> Any:
        """Source excess risk of stumps (..., 3): coordinate (0 to d-1), threshold, sign +-1."""
        return self.c_P * self.disagreement_P(stump)

    def excess_Q(self, stump: Any) -> Any:
        """Target excess risk of stumps."""
        return self.c_Q * self.disagreement_Q(stump)

    def _disagreement(self, power: float, stump: Any) -> Any:
        xp = namespace(stump)
        coordinate, t, sign = stump[..., 0], stump[..., 1], stump[..., 2]
        below = self.split
        first = xp.where(t < 0, below + 0 * t, 1 - below + 0 * t) * abs(t) ** power
        cdf = (1 + t) / 2
        other = cdf * (1 - below) + (1 - cdf) * below
        positive = xp.where(coordinate == 0, first, other)
        return xp.where(sign > 0, positive, 1 - positive)

    @property
    def chart_dimension(self) -> int:
        """Which coordinate, which threshold, which sign."""
        return 3

    def chart(self, u: Any) -> Any:
        """Stumps for points of the unit cube."""
        u = np.asarray(u)
        coordinate = np.minimum(np.floor(u[..., 0] * self.d), self.d - 1)
        sign = np.where(u[..., 2] < 0.5, -1.0, 1.0)
        return np.stack([coordinate, log_chart(u[..., 1]), sign], axis=-1)

    def draw_P(self, rng: Any, size: tuple[int, ...]) -> tuple[Any, Any]:
        """Raw source inputs (``size + (d,)``) and labels."""
        return self._draw(self.gamma, self.c_P, rng, size)

    def draw_Q(self, rng: Any, size: tuple[int, ...]) -> tuple[Any, Any]:
        """Raw target inputs (``size + (d,)``) and labels."""
        return self._draw(self.q, self.c_Q, rng, size)

    def _draw(self, power: float, margin: float, rng: Any, size: tuple[int, ...]) -> Any:
        x = rng.uniform(-1.0, 1.0, (*size, self.d))
        above = rng.uniform(0.0, 1.0, size) >= self.split
        x[..., 0] = abs(x[..., 0]) ** (1 / power) * (2.0 * above - 1)
        agrees = rng.uniform(0.0, 1.0, size) < (1 + margin) / 2
        return x, 1 * (above == agrees)
