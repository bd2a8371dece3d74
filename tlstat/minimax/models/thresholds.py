"""Power thresholds: the family in which every exponent is attained with equality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tlstat.minimax.models.checks import (
    require_non_negative,
    require_positive,
    require_unit,
)


@dataclass(frozen=True)
class PowerThresholds:
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

    def __post_init__(self) -> None:
        require_positive(gamma=self.gamma, q=self.q)
        require_non_negative(a_P=self.a_P, a_Q=self.a_Q)
        require_unit(c_P=self.c_P, c_Q=self.c_Q)

    @classmethod
    def from_cell(cls, cell: Any) -> PowerThresholds:
        """The model that a cell asks for: its ``gamma``, and ``q, a_P, a_Q, c_P, c_Q`` if given."""
        given = {name: cell.get(name) for name in ("q", "a_P", "a_Q", "c_P", "c_Q")}
        return cls(cell["gamma"], **{k: v for k, v in given.items() if v is not None})

    # ------------------------------------------------------------------ exponents, constants

    @property
    def vc_dimension(self) -> int:
        """VC dimension of the class."""
        return 1

    @property
    def A_P(self) -> float:
        """Source excess risk of the thresholds at -1 and 1."""
        return self.c_P * self.gamma / (2 * (self.gamma + self.a_P))

    @property
    def A_Q(self) -> float:
        """Target excess risk of the thresholds at -1 and 1."""
        return self.c_Q * self.q / (2 * (self.q + self.a_Q))

    @property
    def rho(self) -> float:
        """Transfer exponent, ``gamma_marginal * beta_Q / beta_P``."""
        return (self.gamma + self.a_P) / (self.q + self.a_Q)

    @property
    def C_rho(self) -> float:
        """Constant of the transfer exponent."""
        return self.A_Q**self.rho / self.A_P

    @property
    def gamma_marginal(self) -> float:
        """Marginal transfer exponent."""
        return self.gamma / self.q

    @property
    def C_gamma(self) -> float:
        """Constant of the marginal transfer exponent."""
        return 2 ** (1 - self.gamma_marginal)

    @property
    def beta_P(self) -> float:
        """Bernstein exponent of the source."""
        return self.gamma / (self.gamma + self.a_P)

    @property
    def beta_Q(self) -> float:
        """Bernstein exponent of the target."""
        return self.q / (self.q + self.a_Q)

    @property
    def C_beta_P(self) -> float:
        """Constant of the source's Bernstein condition."""
        return 0.5 * self.A_P**-self.beta_P

    @property
    def C_beta_Q(self) -> float:
        """Constant of the target's Bernstein condition."""
        return 0.5 * self.A_Q**-self.beta_Q

    @property
    def noise_free(self) -> bool:
        """Whether labels are a function of the input under both laws."""
        return self.a_P == self.a_Q == 0 and self.c_P == self.c_Q == 1

    @property
    def constant_margin(self) -> bool:
        """Whether the labels' noise does not depend on the input under either law."""
        return self.a_P == self.a_Q == 0

    @property
    def covariate_shift(self) -> bool:
        """Whether both laws share the law of the label given the input."""
        return self.a_P == self.a_Q and self.c_P == self.c_Q

    # ------------------------------------------------------------------ rates

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

    # ------------------------------------------------------------------ closed forms

    def excess_P(self, t: Any) -> Any:
        """Source excess risk of the thresholds ``t`` (numpy or torch, any shape)."""
        return self.A_P * abs(t) ** (self.gamma + self.a_P)

    def excess_Q(self, t: Any) -> Any:
        """Target excess risk of the thresholds ``t``."""
        return self.A_Q * abs(t) ** (self.q + self.a_Q)

    def disagreement_P(self, t: Any) -> Any:
        """Source mass on which the thresholds ``t`` differ from the best one, 0."""
        return 0.5 * abs(t) ** self.gamma

    def disagreement_Q(self, t: Any) -> Any:
        """Target mass on which the thresholds ``t`` differ from the best one, 0."""
        return 0.5 * abs(t) ** self.q
