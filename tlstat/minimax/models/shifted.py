"""A source whose best threshold is not the target's: the floor of source-only learning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.backend import namespace
from tlstat.minimax.models.checks import require
from tlstat.minimax.models.power import PowerPair, log_chart, power_parameters


@dataclass(frozen=True)
class ShiftedCentre(PowerPair):
    """`PowerThresholds` with the source moved by ``b``: its best threshold is ``b``, not 0.

    Source-only learning comes down to the floor ``A_Q |b|**(q + a_Q)`` and no further. Relative
    to ``h*_P`` the transfer exponent is ``gamma + a_P`` whatever ``q`` and ``a_Q`` are: away from
    0 the target risk is locally linear in the threshold.

    Parameters
    ----------
    b : float
        The source's threshold, with ``0 < |b| < 1``. The source lives on ``[b-1, b+1]``.
    gamma, q, a_P, a_Q, c_P, c_Q : float
        As for `PowerThresholds`.

    Notes
    -----
    Not from the paper. All constants are the smallest possible.
    """

    b: float
    gamma: float
    q: float = 1.0
    a_P: float = 0.0
    a_Q: float = 0.0
    c_P: float = 0.5
    c_Q: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        require("b", self.b, 0 < abs(self.b) < 1, "a number with 0 < |b| < 1")

    @classmethod
    def from_cell(cls, cell: Any) -> ShiftedCentre:
        """The model that a cell asks for: ``b``, ``gamma`` and what `PowerThresholds` takes."""
        return cls(cell["b"], **power_parameters(cell))

    @property
    def vc_dimension(self) -> int:
        """VC dimension of the class."""
        return 1

    @property
    def floor(self) -> float:
        """Target excess risk of the source's best threshold."""
        return float(self.Q.excess(self.b))

    @property
    def rho(self) -> float:
        """Transfer exponent relative to the source's best threshold."""
        return self.gamma + self.a_P

    @property
    def C_rho(self) -> float:
        """Constant of the transfer exponent, from the steepest chord of ``|t|**(q+a_Q)`` at b."""
        s, b = self.Q.excess_power, abs(self.b)
        chord = (1 - b**s) / (1 - b) if s >= 1 else s * b ** (s - 1)
        return float((self.A_Q * chord) ** self.rho / self.A_P)

    @property
    def gamma_marginal(self) -> float:
        """Marginal exponent relative to ``h*_P``: there the target's mass is locally linear."""
        return self.gamma

    @property
    def C_gamma(self) -> float:
        """Constant of the marginal exponent, from the steepest chord of the target's cdf at b."""
        b, q = abs(self.b), self.q
        # the far end -1 costs the source no more than 1/2, its mass outside [b-1, b+1] being 0
        if q >= 1:
            chord = max((1 - b**q) / (1 - b), 1 + b**q)
        else:
            from scipy.optimize import brentq

            # below 0 the chord to -x b peaks where q x**(q-1) (1+x) = 1 + x**q
            peak = brentq(lambda x: q * x ** (q - 1) * (1 + x) - 1 - x**q, 1e-300, 1.0)
            tau = min(peak * b, 1 - b)
            chord = max((b**q + tau**q) / (b + tau), 1 + b**q, q * b ** (q - 1))
        return float((chord / 2) ** self.gamma * 2)

    @property
    def C_beta_P(self) -> float:
        """Constant of the source's Bernstein condition, relative to its own best threshold."""
        return self.P.C_beta

    @property
    def C_beta_Q(self) -> float:
        """Constant of the target's Bernstein condition."""
        return self.Q.C_beta

    @property
    def source_slope(self) -> float:
        """Exponent of ``n_P`` in what source-only learning has above its floor."""
        return -1 / (self.gamma + 2 * self.a_P)

    def excess_P(self, t: Any) -> Any:
        """Source excess risk of the thresholds ``t``."""
        return self.P.excess(_clip(t - self.b))

    def excess_Q(self, t: Any) -> Any:
        """Target excess risk of the thresholds ``t``."""
        return self.Q.excess(_clip(t))

    def disagreement_P(self, t: Any) -> Any:
        """Source mass on which the thresholds ``t`` differ from the source's best, ``b``."""
        return self.P.disagreement(_clip(t - self.b))

    def disagreement_Q(self, t: Any) -> Any:
        """Target mass on which the thresholds ``t`` differ from the target's best, 0."""
        return self.Q.disagreement(_clip(t))

    def disagreement_Q_from_source(self, t: Any) -> Any:
        """Target mass on which the thresholds ``t`` differ from the source's best, ``b``."""
        t = _clip(t)
        cdf = namespace(t).sign(t) * self.Q.disagreement(t)
        return abs(cdf - np.sign(self.b) * self.Q.disagreement(self.b))

    def cells_P(self, edges: Any) -> np.ndarray:
        """Source probabilities (H - 1, 2) of label 0 and label 1 in the cells between edges."""
        return self.P.cells(edges, centre=self.b)

    chart_dimension = 1

    def chart(self, u: Any) -> Any:
        """Thresholds for points of the unit interval: half around 0, half around ``b``."""
        u = 2 * np.asarray(u)[..., 0]
        around_b = self.b + log_chart(np.clip(u - 1, 0, 1))
        return np.where(u < 1, log_chart(np.clip(u, 0, 1)), around_b)

    def draw_P(self, rng: Any, size: tuple[int, ...]) -> tuple[Any, Any]:
        """Raw source points and labels of shape ``size``."""
        x, y = self.P.draw(rng, size)
        return x + self.b, y

    def draw_Q(self, rng: Any, size: tuple[int, ...]) -> tuple[Any, Any]:
        """Raw target points and labels of shape ``size``."""
        return self.Q.draw(rng, size)


def _clip(t: Any) -> Any:
    return namespace(t).clip(t, -1.0, 1.0)
