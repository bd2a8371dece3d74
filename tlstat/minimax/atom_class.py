"""The class of one-atom problems with given exponents, and search over it.

A member has masses ``p, q`` and signals ``delta_P, delta_Q``; with ``m`` equal atoms the totals are
``m p`` and so on. Membership (constants ``C``; ``k`` wrong atoms out of ``m``, the worst ``k``):

    E_Q = m q delta_Q,   E_P = m p delta_P >= max(1, m^(1 - rho)) E_Q^rho / C,
    m q <= C E_Q^beta_Q,   m p <= C E_P^beta_P.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.minimax.cube import least_favourable_cube

_LOG_FLOOR = -80.0  # logs of excesses and masses are searched down to here


@dataclass(frozen=True)
class Atom:
    """One atom (or ``m`` equal ones): masses and signals, arguments of `vote_error`."""

    p: Any
    delta_P: Any
    q: Any
    delta_Q: Any
    m: int = 1


@dataclass(frozen=True)
class AtomClass:
    """Atoms whose exponents are at most as bad as these.

    Parameters
    ----------
    rho : float
        Transfer exponent, > 0.
    beta_P, beta_Q : float
        Bernstein exponents in [0, 1].
    constant : float
        All constants, 1 or more.
    m : int
        Number of equal atoms.
    """

    rho: float
    beta_P: float
    beta_Q: float
    constant: float = 1.0
    m: int = 1

    def __post_init__(self) -> None:
        if not (np.isfinite(self.rho) and self.rho > 0):
            raise InputError(f"rho must be a positive number, got {self.rho!r}")
        for name in ("beta_P", "beta_Q"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} must lie in [0, 1], got {getattr(self, name)!r}")
        if not self.constant >= 1:
            raise InputError(f"constant must be 1 or more, got {self.constant!r}")
        if self.m < 1 or self.m != int(self.m):
            raise InputError(f"m must be a whole number, 1 or more, got {self.m!r}")

    def least_source_excess(self, log_excess_Q: Any) -> Any:
        """Log of the smallest ``E_P`` that the transfer exponent allows."""
        one_wrong = max(0.0, (1 - self.rho) * np.log(self.m))
        return self.rho * log_excess_Q + one_wrong - np.log(self.constant)

    def contains(self, atom: Atom, *, rtol: float = 1e-9) -> Any:
        """Whether an atom is a member, up to rounding."""
        E_P, E_Q = atom.m * atom.p * atom.delta_P, atom.m * atom.q * atom.delta_Q
        slack = 1 + rtol
        one_wrong = max(1.0, self.m ** (1 - self.rho))
        return (
            (one_wrong * E_Q**self.rho <= self.constant * E_P * slack)
            & (atom.m * atom.q <= slack)
            & (atom.m * atom.p <= slack)
            & (atom.m * atom.q <= self.constant * E_Q**self.beta_Q * slack)
            & (atom.m * atom.p <= self.constant * E_P**self.beta_P * slack)
        )

    def from_chart(self, u: np.ndarray) -> Atom:
        """The member at coordinates in the unit cube, shape (..., 4).

        They place, in logs, ``E_Q`` below 1, ``E_P`` between its least value and 1, and each mass
        between its excess and what the Bernstein exponent allows.
        """
        log_E_Q = self._largest_log_excess() + _LOG_FLOOR * (1 - u[..., 0])
        least = np.minimum(0.0, self.least_source_excess(log_E_Q))
        log_E_P = least * (1 - u[..., 1])
        log_q = _between(log_E_Q, self.beta_Q, self.constant, u[..., 2])
        log_p = _between(log_E_P, self.beta_P, self.constant, u[..., 3])
        p, delta_P = np.exp(log_p) / self.m, np.exp(np.minimum(log_E_P - log_p, 0.0))
        q, delta_Q = np.exp(log_q) / self.m, np.exp(np.minimum(log_E_Q - log_q, 0.0))
        return Atom(p, delta_P, q, delta_Q, self.m)

    def coordinate(self, excess_Q: Any) -> Any:
        """First coordinate of `from_chart` at which ``E_Q`` has this value."""
        return np.clip(1 - (np.log(excess_Q) - self._largest_log_excess()) / _LOG_FLOOR, 0, 1)

    def _largest_log_excess(self) -> float:
        """``E_P <= 1`` limits ``E_Q`` where ``rho < 1`` and ``m > 1``."""
        return min(0.0, -float(self.least_source_excess(0.0)) / self.rho)


def _between(log_excess: Any, beta: float, constant: float, share: Any) -> Any:
    largest = np.minimum(0.0, beta * log_excess + np.log(constant))
    return log_excess + share * (largest - log_excess)


def maximise(
    risk: Callable[[Atom], Any],
    atoms: AtomClass,
    n_P: float,
    n_Q: float,
    *,
    starts: int = 12,
    seed: int = 0,
    rounds: int = 40,
) -> tuple[float, Atom]:
    """Largest value of a batched function over the class that a search finds.

    Parameters
    ----------
    risk : callable
        Takes an `Atom` of arrays.
    atoms : AtomClass
    n_P, n_Q : float
        Sample sizes; the search starts around the hardest cube at these.
    starts, seed, rounds : int
        Parallel searches, their seed, and rounds of shrinking Gaussian steps of each.

    Returns
    -------
    value : float
    atom : Atom
        Of numbers.

    Notes
    -----
    Every start is a random search with a step that grows on success and shrinks on failure; all
    starts share their kernel calls. Steps are clipped to the chart, whose walls hold many maxima.
    """
    rng = np.random.default_rng(seed)
    u = _starting_points(atoms, n_P, n_Q, starts, rng)
    value = np.asarray(risk(atoms.from_chart(u)))
    scale = np.full(starts, 0.1)
    tries = 16
    for _ in range(rounds):
        steps = rng.standard_normal((starts, tries, 4)) * scale[:, None, None]
        # half of the steps move a single coordinate: along walls the others are stuck
        single = rng.integers(0, 4, (starts, tries // 2))
        steps[:, : tries // 2] *= np.eye(4)[single]
        trial = np.clip(u[:, None] + steps, 0.0, 1.0)
        values = np.asarray(risk(atoms.from_chart(trial)))
        best = values.argmax(axis=1)
        top = values[np.arange(starts), best]
        won = top > value
        u[won], value[won] = trial[won, best[won]], top[won]
        scale = np.where(won, np.minimum(1.5 * scale, 0.3), 0.6 * scale)
        if scale.max() < 1e-9:
            break
    chosen = int(value.argmax())
    atom = atoms.from_chart(u[chosen])
    return float(value[chosen]), Atom(
        float(atom.p), float(atom.delta_P), float(atom.q), float(atom.delta_Q), atoms.m
    )


def _starting_points(
    atoms: AtomClass, n_P: float, n_Q: float, starts: int, rng: np.random.Generator
) -> np.ndarray:
    """Around the hardest cube (``E_Q`` there, other coordinates at random), and at random."""
    cube = least_favourable_cube(
        n_P,
        n_Q,
        rho=atoms.rho,
        beta_P=atoms.beta_P,
        beta_Q=atoms.beta_Q,
        d=atoms.m + 1,
        m=atoms.m,
        constant=atoms.constant,
    )
    u = rng.random((starts, 4))
    height = atoms.coordinate(cube.scale)
    u[:, 0] = np.clip(height + rng.normal(0, 0.02, starts), 0, 1)
    u[0] = (height, 0.0, 1.0, 1.0)  # the cube itself
    u[1, 1:] = (1.0, 1.0, 1.0)
    return u
