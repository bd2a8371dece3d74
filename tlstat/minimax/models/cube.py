"""The hypercube of the lower bounds: m atoms whose labels' signs are unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.minimax.models.checks import (
    require,
    require_count,
    require_non_negative,
    require_positive,
    require_unit,
    set_count,
)
from tlstat.minimax.models.finite import FiniteClass

_ROUNDING = 1e-12


@dataclass(frozen=True)
class Hypercube:
    """``m`` atoms of source mass ``p`` and target mass ``q``, labelled by a sign vector.

    Atom ``i`` has ``P(Y=1) = 1/2 + sigma_i delta_P / 2`` under the source and ``delta_Q`` under
    the target; what mass is left lies at one more atom, where the label is surely 1. By symmetry
    nothing depends on ``sigma``; samples are drawn for ``sigma = (1, ..., 1)``.

    A fixed cube has every exponent, with a constant that depends on it. The exponents are
    therefore parameters, and the constants follow in closed form.

    Parameters
    ----------
    m : int
        Number of atoms, 1 or more.
    p, q : float
        Mass of one atom, in (0, 1/m].
    delta_P, delta_Q : float
        Margins in (0, 1].
    rho, gamma_marginal : float
        Declared transfer and marginal exponents, above 0.
    beta_P, beta_Q : float
        Declared Bernstein exponents, in [0, 1].

    Notes
    -----
    The construction in the proof of the paper's lower bound; see `at_scale`.
    """

    m: int
    p: float
    q: float
    delta_P: float
    delta_Q: float
    rho: float = 1.0
    gamma_marginal: float = 1.0
    beta_P: float = 1.0
    beta_Q: float = 1.0

    def __post_init__(self) -> None:
        set_count(self, "m", 1)
        for name, mass in (("p", self.p), ("q", self.q)):
            ok = 0 < mass <= (1 + _ROUNDING) / self.m
            require(name, mass, ok, f"a mass in (0, 1/m] = (0, {1 / self.m:.6g}]")
        require_unit(delta_P=self.delta_P, delta_Q=self.delta_Q)
        require_positive(rho=self.rho, gamma_marginal=self.gamma_marginal)
        require_bernstein(beta_P=self.beta_P, beta_Q=self.beta_Q)

    @classmethod
    def at_scale(
        cls, m: int, eps: float, *, rho: float, beta_P: float, beta_Q: float, c_1: float = 1.0
    ) -> Hypercube:
        """The cube that the paper's lower bound uses at target excess ``eps`` (times ``c_1``).

        Parameters
        ----------
        m : int
            Number of atoms (the paper's ``d - 1``).
        eps : float
            In (0, 1].
        rho : float
            Transfer exponent, above 0. With ``c_1 = 1`` and ``rho >= 1`` all constants are at
            most 1; with ``rho < 1`` the transfer constant is ``m**(1-rho)``.
        beta_P, beta_Q : float
            Bernstein exponents in [0, 1].
        c_1 : float
            Factor of the target margin, in (0, 1].
        """
        require_count(1, m=m)
        require_unit(eps=eps, c_1=c_1)
        require_positive(rho=rho)
        require_bernstein(beta_P=beta_P, beta_Q=beta_Q)
        return cls(
            m,
            p=eps ** (rho * beta_P) / m,
            q=eps**beta_Q / m,
            delta_P=eps ** (rho * (1 - beta_P)),
            delta_Q=c_1 * eps ** (1 - beta_Q),
            rho=rho,
            gamma_marginal=rho * beta_P / beta_Q if min(beta_P, beta_Q) > 1e-9 else 1.0,
            beta_P=beta_P,
            beta_Q=beta_Q,
        )

    @classmethod
    def from_cell(cls, cell: Any) -> Hypercube:
        """The cube that a cell asks for, by its masses or (with ``eps``) at a scale."""
        if cell.get("eps") is not None:
            exponents = {k: cell[k] for k in ("rho", "beta_P", "beta_Q")}
            return cls.at_scale(cell["m"], cell["eps"], **exponents, c_1=cell.get("c_1", 1.0))
        names = ("p", "q", "delta_P", "delta_Q")
        given = {k: cell.get(k) for k in ("rho", "gamma_marginal", "beta_P", "beta_Q")}
        declared = {k: v for k, v in given.items() if v is not None}
        return cls(cell["m"], *(cell[k] for k in names), **declared)

    @property
    def vc_dimension(self) -> int:
        """VC dimension of the class of all sign vectors."""
        return self.m

    @property
    def C_rho(self) -> float:
        """Smallest constant for the declared ``rho``: one wrong atom, or all of them."""
        return self._worst(self.q * self.delta_Q, self.p * self.delta_P, self.rho)

    @property
    def C_gamma(self) -> float:
        """Smallest constant for the declared ``gamma_marginal``."""
        return self._worst(self.q, self.p, self.gamma_marginal)

    @property
    def C_beta_P(self) -> float:
        """Smallest constant for the declared ``beta_P``: all atoms wrong are the worst."""
        return self.m * self.p / (self.m * self.p * self.delta_P) ** self.beta_P

    @property
    def C_beta_Q(self) -> float:
        """Smallest constant for the declared ``beta_Q``."""
        return self.m * self.q / (self.m * self.q * self.delta_Q) ** self.beta_Q

    def _worst(self, of_Q: float, of_P: float, power: float) -> float:
        return max((k * of_Q) ** power / (k * of_P) for k in (1, self.m))

    def excess_P(self, wrong: Any) -> Any:
        """Source excess risk with ``wrong`` of the ``m`` atoms labelled wrongly."""
        return wrong * (self.p * self.delta_P)

    def excess_Q(self, wrong: Any) -> Any:
        """Target excess risk with ``wrong`` atoms labelled wrongly."""
        return wrong * (self.q * self.delta_Q)

    def disagreement_P(self, wrong: Any) -> Any:
        """Source mass of ``wrong`` atoms."""
        return wrong * self.p

    def disagreement_Q(self, wrong: Any) -> Any:
        """Target mass of ``wrong`` atoms."""
        return wrong * self.q

    def hypotheses(self) -> np.ndarray:
        """All distinguishable hypotheses: the numbers of wrong atoms, 0 to m."""
        require("m", self.m, self.m <= 10**7, "at most 10**7 atoms, to list their numbers")
        return np.arange(self.m + 1)

    def finite_class(self) -> FiniteClass:
        """All ``2**m`` sign vectors on ``m + 1`` atoms, for ``m`` up to 16."""
        require("m", self.m, self.m <= 16, "at most 16 atoms, as the class has 2**m hypotheses")
        predictions = 1 - ((np.arange(2**self.m)[:, None] >> np.arange(self.m)) & 1)
        rest = np.ones((2**self.m, 1), dtype=int)
        masses = [np.append(np.full(self.m, x), max(0.0, 1 - self.m * x)) for x in (self.p, self.q)]
        etas = [np.append(np.full(self.m, (1 + d) / 2), 1.0) for d in (self.delta_P, self.delta_Q)]
        return FiniteClass(np.concatenate([predictions, rest], axis=1), *masses, *etas)

    def draw_P(self, rng: Any, size: tuple[int, ...]) -> tuple[Any, Any]:
        """Raw source points (atom number, ``m`` is the heavy atom) and labels."""
        return self._draw(self.p, self.delta_P, rng, size)

    def draw_Q(self, rng: Any, size: tuple[int, ...]) -> tuple[Any, Any]:
        """Raw target points (atom number, ``m`` is the heavy atom) and labels."""
        return self._draw(self.q, self.delta_Q, rng, size)

    def _draw(self, mass: float, margin: float, rng: Any, size: tuple[int, ...]) -> Any:
        u = rng.uniform(0.0, 1.0, size) / mass
        light = 1.0 * (u < self.m)
        atom = (u * light) // 1 + self.m * (1.0 - light)
        agrees = rng.uniform(0.0, 1.0, size) < (1 + margin) / 2
        return atom, 1 * (agrees | (atom == self.m))


def require_bernstein(**values: float) -> None:
    """Each value a number in [0, 1]."""
    require_non_negative(**values)
    for name, value in values.items():
        require(name, value, value <= 1, "a Bernstein exponent in [0, 1]")
