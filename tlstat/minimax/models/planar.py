"""Intervals and half-planes: classes with far hypotheses. All constants are the smallest."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.backend import namespace
from tlstat.minimax.models.power import PowerLaw, PowerPair, log_chart, power_parameters


@dataclass(frozen=True)
class Intervals(PowerPair):
    """Intervals ``h = 1[a <= x < b]`` on ``[-1, 1]``, the best of them ``[-1/2, 1/2)``.

    The half-lines on both sides of 0 carry mass 1/2 each, with the power laws of
    `PowerThresholds` around the end points -1/2 and 1/2 (half-width 1/2). The excess risk of
    every interval, overlapping the best one or not, is the sum of one term for each end.

    Parameters
    ----------
    gamma, q, a_P, a_Q, c_P, c_Q : float
        As for `PowerThresholds`.

    Notes
    -----
    Not from the paper. The worst interval for exponents above 1 misses the best one completely
    and covers one outer half (a factor ``1.5**(rho-1)`` on one threshold's constant); below 1 it
    has one end right (``2**(1-rho)``).
    """

    gamma: float
    q: float = 1.0
    a_P: float = 0.0
    a_Q: float = 0.0
    c_P: float = 0.5
    c_Q: float = 0.5

    @classmethod
    def from_cell(cls, cell: Any) -> Intervals:
        """The model that a cell asks for: as for `PowerThresholds`."""
        return cls(**power_parameters(cell))

    @property
    def vc_dimension(self) -> int:
        """VC dimension of the class."""
        return 2

    @property
    def C_rho(self) -> float:
        """Constant of the transfer exponent."""
        return float(self.A_Q**self.rho / self.A_P * _far_interval(self.rho))

    @property
    def C_gamma(self) -> float:
        """Constant of the marginal transfer exponent."""
        return float(2 ** (1 - self.gamma_marginal) * _far_interval(self.gamma_marginal))

    @property
    def C_beta_P(self) -> float:
        """Constant of the source's Bernstein condition."""
        return float(self.P.C_beta * 1.5 ** (1 - self.beta_P))

    @property
    def C_beta_Q(self) -> float:
        """Constant of the target's Bernstein condition."""
        return float(self.Q.C_beta * 1.5 ** (1 - self.beta_Q))

    def excess_P(self, ends: Any) -> Any:
        """Source excess risk of intervals, shape (..., 2), ``-1 <= a <= b <= 1``."""
        return _two_ends(self.P.A, self.P.excess_power, ends)

    def excess_Q(self, ends: Any) -> Any:
        """Target excess risk of intervals, shape (..., 2)."""
        return _two_ends(self.Q.A, self.Q.excess_power, ends)

    def disagreement_P(self, ends: Any) -> Any:
        """Source mass on which intervals differ from the best one."""
        return _two_ends(0.5, self.P.power, ends)

    def disagreement_Q(self, ends: Any) -> Any:
        """Target mass on which intervals differ from the best one."""
        return _two_ends(0.5, self.Q.power, ends)

    def cells_P(self, edges: Any) -> np.ndarray:
        """Source probabilities (H - 1, 2) of the labels in the cells between edges (one is 0)."""
        return _mirrored_cells(self.P, edges)

    def cells_Q(self, edges: Any) -> np.ndarray:
        """Target probabilities of the labels in the cells between edges (one of them 0)."""
        return _mirrored_cells(self.Q, edges)

    chart_dimension = 2

    def chart(self, u: Any) -> Any:
        """Intervals for points of the unit square, finer around the best end points."""
        u = np.asarray(u)
        side = np.where(u < 0.5, -0.5, 0.5)
        return np.sort(side + 0.5 * log_chart((2 * u) % 1.0), axis=-1)

    def draw_P(self, rng: Any, size: tuple[int, ...]) -> tuple[Any, Any]:
        """Raw source points and labels of shape ``size``."""
        return _fold_out(self.P, rng, size)

    def draw_Q(self, rng: Any, size: tuple[int, ...]) -> tuple[Any, Any]:
        """Raw target points and labels of shape ``size``."""
        return _fold_out(self.Q, rng, size)


def _far_interval(power: float) -> float:
    return 1.5 ** (power - 1) if power >= 1 else 2 ** (1 - power)


def _two_ends(scale: float, power: float, ends: Any) -> Any:
    """Excess of intervals: ``F(1/2) - F(b) + F(a) - F(-1/2)``, F the integral of 2 eta - 1."""
    xp = namespace(ends)
    z = 2 * abs(ends) - 1  # distance from the end point of the same side, in [-1, 1]
    loss = scale * abs(z) ** power / 2
    right = ends >= 0
    here = xp.where(right, loss, scale - loss)  # F falls from F(1/2), rises to F(1/2) from 0
    left = xp.where(right, scale - loss, loss)
    return here[..., 1] + left[..., 0]


def _mirrored_cells(law: PowerLaw, edges: Any) -> np.ndarray:
    edges = np.asarray(edges, dtype=float)
    left = law.cells(1 + 2 * edges[edges <= 0]) / 2
    right = law.cells((1 - 2 * edges[edges >= 0])[::-1]) / 2
    return np.concatenate([left, right[::-1]])


def _fold_out(law: PowerLaw, rng: Any, size: tuple[int, ...]) -> tuple[Any, Any]:
    z, y = law.draw(rng, size)
    side = 2.0 * (rng.uniform(0.0, 1.0, size) < 0.5) - 1
    # towards 0 the label is 1 more often, so z points inwards
    return side * (1 - z) / 2, y


@dataclass(frozen=True)
class HalfPlanes(PowerPair):
    """Homogeneous half-planes in the plane, angular densities of power type at the boundary.

    A hypothesis is its angle ``z`` to the best half-plane, in quarter turns, ``-2 <= z <= 2``.
    The direction of an input lies at a power-law distance from one of the two boundary rays,
    both equally likely. Folding the plane at the origin turns it into thresholds on ``[-1, 1]``
    of either orientation: ``|z| <= 1`` is `PowerThresholds`, beyond that its complement.

    Parameters
    ----------
    gamma, q, a_P, a_Q, c_P, c_Q : float
        As for `PowerThresholds`.
    """

    gamma: float
    q: float = 1.0
    a_P: float = 0.0
    a_Q: float = 0.0
    c_P: float = 0.5
    c_Q: float = 0.5

    @classmethod
    def from_cell(cls, cell: Any) -> HalfPlanes:
        """The model that a cell asks for: as for `PowerThresholds`."""
        return cls(**power_parameters(cell))

    @property
    def vc_dimension(self) -> int:
        """VC dimension of the class."""
        return 2

    @property
    def C_rho(self) -> float:
        """Constant of the transfer exponent: the opposite half-plane is the worst above 1."""
        return float(self.A_Q**self.rho / self.A_P * max(1.0, 2 ** (self.rho - 1)))

    @property
    def C_gamma(self) -> float:
        """Constant of the marginal transfer exponent."""
        g = self.gamma_marginal
        return float(max(2 ** (1 - g), 1.0))

    @property
    def C_beta_P(self) -> float:
        """Constant of the source's Bernstein condition."""
        return float(self.P.C_beta * 2 ** (1 - self.beta_P))

    @property
    def C_beta_Q(self) -> float:
        """Constant of the target's Bernstein condition."""
        return float(self.Q.C_beta * 2 ** (1 - self.beta_Q))

    def excess_P(self, z: Any) -> Any:
        """Source excess risk of half-planes at angle ``z`` (quarter turns)."""
        return _turned(self.P.A, self.P.excess_power, z)

    def excess_Q(self, z: Any) -> Any:
        """Target excess risk of half-planes at angle ``z``."""
        return _turned(self.Q.A, self.Q.excess_power, z)

    def disagreement_P(self, z: Any) -> Any:
        """Source mass on which half-planes at angle ``z`` differ from the best one."""
        return _turned(0.5, self.P.power, z)

    def disagreement_Q(self, z: Any) -> Any:
        """Target mass on which half-planes at angle ``z`` differ from the best one."""
        return _turned(0.5, self.Q.power, z)

    chart_dimension = 1

    def chart(self, u: Any) -> Any:
        """Angles for points of the unit interval: finer around 0 and the opposite."""
        u = 2 * np.asarray(u)[..., 0]
        near = log_chart(np.clip(u, 0, 1))
        far = log_chart(np.clip(u - 1, 0, 1))
        return np.where(u < 1, near, np.where(far > 0, 2 - far, -2 - far))

    def draw_P(self, rng: Any, size: tuple[int, ...]) -> tuple[Any, Any]:
        """Raw source inputs (``size + (2,)``, on the unit circle) and labels."""
        return _unfold(self.P, rng, size)

    def draw_Q(self, rng: Any, size: tuple[int, ...]) -> tuple[Any, Any]:
        """Raw target inputs (``size + (2,)``, on the unit circle) and labels."""
        return _unfold(self.Q, rng, size)


def _turned(scale: float, power: float, z: Any) -> Any:
    xp = namespace(z)
    size = abs(z)
    near = scale * xp.where(size <= 1, size, 2 - size) ** power
    return xp.where(size <= 1, near, 2 * scale - near)


def _unfold(law: PowerLaw, rng: Any, size: tuple[int, ...]) -> tuple[Any, Any]:
    """The best half-plane is ``x_2 >= 0``: rays at angle 0 (rising) and pi (its mirror image)."""
    z, y = law.draw(rng, size)
    mirrored = rng.uniform(0.0, 1.0, size) < 0.5
    sign = 1.0 - 2.0 * mirrored
    xp = namespace(z)
    angle = z * (math.pi / 2)
    x = xp.stack([sign * xp.cos(angle), sign * xp.sin(angle)], axis=-1)
    return x, xp.where(mirrored, 1 - y, y)
