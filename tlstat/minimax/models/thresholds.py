"""Power thresholds: the family in which every exponent is attained with equality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.minimax.models.checks import set_count
from tlstat.minimax.models.power import PowerLaw, PowerPair, log_chart, power_parameters


@dataclass(frozen=True)
class PowerThresholds(PowerPair):
    """One-sided thresholds with power densities and power noise around the threshold at 0.

    On ``[-1, 1]`` with hypotheses ``h_t = 1[x >= t]``, ``-1 <= t <= 1``: the source has density
    ``gamma/2 |x|**(gamma-1)`` and ``P(Y=1|x) = 1/2 + c_P/2 sign(x) |x|**a_P``, the target
    density ``q/2 |x|**(q-1)`` and ``1/2 + c_Q/2 sign(x) |x|**a_Q``. All conditions of the paper
    hold with equality for every ``t``, so that no constant can be lowered.

    Parameters
    ----------
    gamma, q : float
        Powers of the marginals, above 0. Large values leave few points near the threshold.
    a_P, a_Q : float
        Powers of the noise, 0 or above: 0 is a constant margin (no noise if also ``c = 1``).
        The two laws share their labels' law (covariate shift) only if ``a_P == a_Q`` and
        ``c_P == c_Q``.
    c_P, c_Q : float
        Margins at the ends, in (0, 1].

    Raises
    ------
    InputError
        A parameter outside its range.

    Notes
    -----
    Not from the paper: its Examples give the marginals; noise powers and constants are ours.
    """

    gamma: float
    q: float = 1.0
    a_P: float = 0.0
    a_Q: float = 0.0
    c_P: float = 0.5
    c_Q: float = 0.5

    @classmethod
    def from_cell(cls, cell: Any) -> PowerThresholds:
        """The model that a cell asks for: its ``gamma``, and ``q, a_P, a_Q, c_P, c_Q`` if given."""
        return cls(**power_parameters(cell))

    @property
    def vc_dimension(self) -> int:
        """VC dimension of the class."""
        return 1

    @property
    def C_rho(self) -> float:
        """Constant of the transfer exponent."""
        return self.A_Q**self.rho / self.A_P

    @property
    def C_gamma(self) -> float:
        """Constant of the marginal transfer exponent."""
        return 2 ** (1 - self.gamma_marginal)

    @property
    def C_beta_P(self) -> float:
        """Constant of the source's Bernstein condition."""
        return self.P.C_beta

    @property
    def C_beta_Q(self) -> float:
        """Constant of the target's Bernstein condition."""
        return self.Q.C_beta

    def excess_P(self, t: Any) -> Any:
        """Source excess risk of the thresholds ``t`` (numpy or torch, any shape)."""
        return self.P.excess(t)

    def excess_Q(self, t: Any) -> Any:
        """Target excess risk of the thresholds ``t``."""
        return self.Q.excess(t)

    def disagreement_P(self, t: Any) -> Any:
        """Source mass on which the thresholds ``t`` differ from the best one, 0."""
        return self.P.disagreement(t)

    def disagreement_Q(self, t: Any) -> Any:
        """Target mass on which the thresholds ``t`` differ from the best one, 0."""
        return self.Q.disagreement(t)

    chart_dimension = 1

    def chart(self, u: Any) -> Any:
        """Thresholds for points of the unit interval, on a logarithmic scale around 0."""
        return log_chart(np.asarray(u)[..., 0])

    def draw_P(self, rng: Any, size: tuple[int, ...]) -> tuple[Any, Any]:
        """Raw source points and labels of shape ``size``."""
        return self.P.draw(rng, size)

    def draw_Q(self, rng: Any, size: tuple[int, ...]) -> tuple[Any, Any]:
        """Raw target points and labels of shape ``size``."""
        return self.Q.draw(rng, size)


@dataclass(frozen=True)
class ParallelThresholds(PowerPair):
    """``d`` copies of `PowerThresholds` on parallel lines, one threshold for each.

    The input is ``(J, x)`` with ``J`` uniform on ``0..d-1`` and ``x`` as in `PowerThresholds`,
    so the class of thresholds ``t`` in ``[-1, 1]**d`` has VC dimension ``d``.

    Parameters
    ----------
    d : int
        Number of lines, 1 or more.
    gamma, q, a_P, a_Q, c_P, c_Q : float
        As for `PowerThresholds`.
    """

    d: int
    gamma: float
    q: float = 1.0
    a_P: float = 0.0
    a_Q: float = 0.0
    c_P: float = 0.5
    c_Q: float = 0.5

    def __post_init__(self) -> None:
        set_count(self, "d", 1)
        super().__post_init__()

    @classmethod
    def from_cell(cls, cell: Any) -> ParallelThresholds:
        """The model that a cell asks for: ``d``, ``gamma`` and what `PowerThresholds` takes."""
        return cls(cell["d"], **power_parameters(cell))

    @property
    def vc_dimension(self) -> int:
        """VC dimension of the class: one for each line."""
        return self.d

    @property
    def C_rho(self) -> float:
        """Constant of the transfer exponent: with ``rho < 1`` it grows as ``d**(1-rho)``.

        By Jensen's inequality for ``rho >= 1`` (all lines equally wrong), and because a single
        wrong line is the worst for ``rho < 1``.
        """
        return float(self.A_Q**self.rho / self.A_P * max(1.0, self.d ** (1 - self.rho)))

    @property
    def C_gamma(self) -> float:
        """Constant of the marginal transfer exponent."""
        g = self.gamma_marginal
        return float(2 ** (1 - g) * max(1.0, self.d ** (1 - g)))

    @property
    def C_beta_P(self) -> float:
        """Constant of the source's Bernstein condition (concave: as for one line)."""
        return self.P.C_beta

    @property
    def C_beta_Q(self) -> float:
        """Constant of the target's Bernstein condition."""
        return self.Q.C_beta

    def excess_P(self, t: Any) -> Any:
        """Source excess risk of thresholds ``t``, shape (..., d)."""
        return self.P.excess(t).mean(-1)

    def excess_Q(self, t: Any) -> Any:
        """Target excess risk of thresholds ``t``, shape (..., d)."""
        return self.Q.excess(t).mean(-1)

    def disagreement_P(self, t: Any) -> Any:
        """Source mass on which the thresholds ``t`` differ from 0."""
        return self.P.disagreement(t).mean(-1)

    def disagreement_Q(self, t: Any) -> Any:
        """Target mass on which the thresholds ``t`` differ from 0."""
        return self.Q.disagreement(t).mean(-1)

    @property
    def chart_dimension(self) -> int:
        """Dimension of the class."""
        return self.d

    def chart(self, u: Any) -> Any:
        """Thresholds for points of the unit cube, on a logarithmic scale around 0."""
        return log_chart(np.asarray(u))

    def draw_P(self, rng: Any, size: tuple[int, ...]) -> tuple[tuple[Any, Any], Any]:
        """Raw source points ``(line, x)`` and labels of shape ``size``."""
        return self._draw(self.P, rng, size)

    def draw_Q(self, rng: Any, size: tuple[int, ...]) -> tuple[tuple[Any, Any], Any]:
        """Raw target points ``(line, x)`` and labels of shape ``size``."""
        return self._draw(self.Q, rng, size)

    def _draw(self, law: PowerLaw, rng: Any, size: tuple[int, ...]) -> tuple[tuple[Any, Any], Any]:
        line = (self.d * rng.uniform(0.0, 1.0, size)) // 1
        x, y = law.draw(rng, size)
        return (line, x), y
