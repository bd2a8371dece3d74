"""One law of the power family: the building block of all threshold-like models."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tlstat.minimax.models.checks import require_non_negative, require_positive, require_unit


@dataclass(frozen=True)
class PowerLaw:
    """A law on ``[-1, 1] x {0, 1}`` whose mass and noise are powers of the distance from 0.

    Density ``power/2 |x|**(power-1)``, ``P(Y=1|x) = 1/2 + margin/2 sign(x) |x|**noise``.

    Parameters
    ----------
    power : float
        Above 0.
    noise : float
        0 or above.
    margin : float
        In (0, 1].
    """

    power: float
    noise: float = 0.0
    margin: float = 0.5

    def __post_init__(self) -> None:
        require_positive(power=self.power)
        require_non_negative(noise=self.noise)
        require_unit(margin=self.margin)

    @property
    def excess_power(self) -> float:
        """Power of ``|t|`` in the excess risk of the threshold ``t``."""
        return self.power + self.noise

    @property
    def A(self) -> float:
        """Excess risk of the thresholds at -1 and 1."""
        return self.margin * self.power / (2 * self.excess_power)

    @property
    def beta(self) -> float:
        """Bernstein exponent of the thresholds."""
        return self.power / self.excess_power

    @property
    def C_beta(self) -> float:
        """Constant of the thresholds' Bernstein condition."""
        return 0.5 * self.A**-self.beta

    def excess(self, t: Any) -> Any:
        """Excess risk of the thresholds ``t`` in [-1, 1]."""
        return self.A * abs(t) ** self.excess_power

    def disagreement(self, t: Any) -> Any:
        """Mass between 0 and ``t``."""
        return 0.5 * abs(t) ** self.power

    def localisation(self, n: int) -> float:
        """Order of magnitude of ``|t|`` that ``n`` points resolve, at most 1."""
        return float(n) ** (-1 / (self.power + 2 * self.noise)) if n > 0 else 1.0

    def cells(self, edges: Any, centre: float = 0.0) -> np.ndarray:
        """Probabilities of label 0 and of label 1 in the cells between sorted edges.

        Parameters
        ----------
        edges : array_like, shape (H,)
            Increasing; what lies outside [-1, 1] (about the centre) has no mass.
        centre : float
            Where the threshold of this law is.

        Returns
        -------
        ndarray, shape (H - 1, 2)
        """
        x = np.clip(np.asarray(edges, dtype=float) - centre, -1.0, 1.0)
        left, right = x[:-1], x[1:]
        size_l, size_r = np.abs(left), np.abs(right)
        # the integral of 2 eta - 1 over a cell; the same formula on both sides and across 0
        signed = self.A * _power_gap(size_r, size_l, self.excess_power)
        one_side = left * right >= 0
        mass = 0.5 * np.where(
            one_side,
            np.abs(_power_gap(size_r, size_l, self.power)),
            size_r**self.power + size_l**self.power,
        )
        # at zero noise the two integrals are equal; rounding must not make a negative
        return np.maximum(np.stack([mass - signed, mass + signed], axis=-1) / 2, 0.0)

    def draw(self, rng: Any, size: tuple[int, ...]) -> tuple[Any, Any]:
        """Raw points and labels (int64) of shape ``size``; ``rng`` is a Random or a Generator."""
        u = rng.uniform(-1.0, 1.0, size)
        side = 1.0 * (u >= 0)
        distance = abs(u) ** (1 / self.power)
        x = distance * (2 * side - 1)
        agrees = 1 * (rng.uniform(0.0, 1.0, size) < 0.5 + 0.5 * self.margin * distance**self.noise)
        y = agrees * (u >= 0) + (1 - agrees) * (u < 0)
        return x, y


def _power_gap(a: np.ndarray, b: np.ndarray, power: float) -> np.ndarray:
    """``a**power - b**power`` without cancellation, for non-negative a and b."""
    big, small = np.maximum(a, b), np.minimum(a, b)
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = np.where(big > 0, -np.expm1(power * np.log(small / big)), 0.0)
    return np.sign(a - b) * big**power * gap


def power_parameters(cell: Any) -> dict[str, float]:
    """``gamma`` of a cell, and those of ``q, a_P, a_Q, c_P, c_Q`` that it has."""
    given = {name: cell.get(name) for name in ("q", "a_P", "a_Q", "c_P", "c_Q")}
    return {"gamma": cell["gamma"], **{k: v for k, v in given.items() if v is not None}}


def log_chart(u: np.ndarray) -> np.ndarray:
    """From the unit interval onto ``[-1, 1]``: sign and 8 decades of magnitude, 0 in the middle."""
    v = 2 * u - 1
    return np.sign(v) * np.where(v == 0, 0.0, 10.0 ** (8 * (np.abs(v) - 1)))


class PowerPair:
    """What models built of one source and one target `PowerLaw` share: parameters and exponents."""

    gamma: float
    q: float
    a_P: float
    a_Q: float
    c_P: float
    c_Q: float

    def __post_init__(self) -> None:
        require_positive(gamma=self.gamma, q=self.q)
        require_non_negative(a_P=self.a_P, a_Q=self.a_Q)
        require_unit(c_P=self.c_P, c_Q=self.c_Q)

    @cached_property
    def P(self) -> PowerLaw:
        """The source's law, centred."""
        return PowerLaw(self.gamma, self.a_P, self.c_P)

    @cached_property
    def Q(self) -> PowerLaw:
        """The target's law."""
        return PowerLaw(self.q, self.a_Q, self.c_Q)

    @property
    def A_P(self) -> float:
        """Source excess risk of the power threshold at -1 or 1."""
        return self.P.A

    @property
    def A_Q(self) -> float:
        """Target excess risk of the power threshold at -1 or 1."""
        return self.Q.A

    @property
    def rho(self) -> float:
        """Transfer exponent, ``gamma_marginal * beta_Q / beta_P``."""
        return (self.gamma + self.a_P) / (self.q + self.a_Q)

    @property
    def gamma_marginal(self) -> float:
        """Marginal transfer exponent."""
        return self.gamma / self.q

    @property
    def beta_P(self) -> float:
        """Bernstein exponent of the source."""
        return self.P.beta

    @property
    def beta_Q(self) -> float:
        """Bernstein exponent of the target."""
        return self.Q.beta

    def cells_P(self, edges: Any) -> np.ndarray:
        """Source probabilities (H - 1, 2) of label 0 and label 1 in the cells between edges."""
        return self.P.cells(edges)

    def cells_Q(self, edges: Any) -> np.ndarray:
        """Target probabilities of the labels in the cells between edges."""
        return self.Q.cells(edges)

    @property
    def noise_free(self) -> bool:
        """Whether labels are a function of the input under both laws."""
        return self.constant_margin and self.c_P == self.c_Q == 1

    @property
    def constant_margin(self) -> bool:
        """Whether the labels' noise does not depend on the input under either law."""
        return self.a_P == self.a_Q == 0

    @property
    def covariate_shift(self) -> bool:
        """Whether both laws share the law of the label given the input."""
        return self.a_P == self.a_Q and self.c_P == self.c_Q

    @property
    def source_slope(self) -> float:
        """Exponent of ``n_P`` in the risk of source-only learning, ``-1/((2-beta_P) rho)``."""
        return -(self.q + self.a_Q) / (self.gamma + 2 * self.a_P)

    @property
    def target_slope(self) -> float:
        """Exponent of ``n_Q`` in the risk of target-only learning, ``-1/(2-beta_Q)``."""
        return -(self.q + self.a_Q) / (self.q + 2 * self.a_Q)

    @property
    def crossover_exponent(self) -> float:
        """The ``x`` of ``n_Q ~ n_P**x`` where the two rates meet."""
        return self.source_slope / self.target_slope
