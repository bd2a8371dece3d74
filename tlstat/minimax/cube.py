"""Exact minimax risk over a cube of signs, and the lower bounds that it gives over classes.

``m`` atoms carry independent unknown signs; each has mass ``p`` under the source and ``q`` under
the target, with signals ``delta_P`` and ``delta_Q``. Given the counts the atoms decouple, the
weighted vote is Bayes for uniform signs, and its risk is the same for all signs. Hence

    minimax excess risk over the cube  =  m q delta_Q e(n_P, p, delta_P; n_Q, q, delta_Q),

improper rules included: Assouad's lemma (for ``m = 1``, Le Cam's) with equality. Maximised over
cubes inside a class this is a lower bound, in expectation, at every sample size.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.minimax.scale_search import ScaleBound, largest_over_scales
from tlstat.minimax.vote import vote_error

_MAX_TRIED = 12
_MIXTURES = 9


def cube_minimax(
    m: Any,
    n_P: Any,
    p: Any,
    delta_P: Any,
    n_Q: Any,
    q: Any,
    delta_Q: Any,
    *,
    poissonised: bool = False,
) -> Any:
    """Exact minimax excess target risk over the cube, its parameters known.

    Parameters
    ----------
    m : array_like
        Number of atoms; ``m p`` and ``m q`` are at most 1.
    n_P, p, delta_P, n_Q, q, delta_Q, poissonised
        As in `vote_error`; all broadcast.

    Returns
    -------
    float or ndarray
    """
    m = np.asarray(m, dtype=float)
    if not ((m >= 1) & (m == np.floor(m))).all():
        raise InputError(f"m must be a whole number, 1 or more, got {m!r}")
    for name, mass in (("p", p), ("q", q)):
        if (m * np.asarray(mass) > 1 + 1e-12).any():
            raise InputError(f"{name} must be at most 1/m: the m atoms' masses add up")
    value = (
        m
        * q
        * np.asarray(delta_Q)
        * vote_error(n_P, p, delta_P, n_Q, q, delta_Q, poissonised=poissonised)
    )
    return value if np.ndim(value) else float(value)


def cube_at_scale(
    eps: Any, m: Any, *, rho: float, beta_P: float, beta_Q: float, constant: float = 1.0
) -> tuple[Any, Any, Any, Any]:
    """Atoms of the largest masses and weakest signals that the class allows at excess ``eps``.

    Parameters
    ----------
    eps : array_like
        Target excess of the rule that is wrong everywhere, in (0, 1].
    m : array_like
        Number of atoms.
    rho, beta_P, beta_Q : float
        Transfer exponent (> 0) and Bernstein exponents (in [0, 1]).
    constant : float
        All constants of the class, 1 or more.

    Returns
    -------
    p, delta_P, q, delta_Q : ndarray

    Notes
    -----
    With ``constant = 1`` and ``rho >= 1`` this is the construction behind the lower bound of
    Hanneke & Kpotufe (arXiv:2002.04747). The transfer inequality must hold for every number of
    wrong atoms; for ``rho < 1`` one wrong atom is the hardest, so the source signals are stronger.
    """
    eps = np.asarray(eps, dtype=float)
    m = np.asarray(m, dtype=float)
    excess_P = np.minimum(1.0, np.maximum(1.0, m ** (1 - rho)) * eps**rho / constant)
    mass_P = np.minimum(1.0, constant * excess_P**beta_P)
    mass_Q = np.minimum(1.0, constant * eps**beta_Q)
    # excess over mass, where neither may have underflowed
    delta_P = np.maximum(excess_P, excess_P ** (1 - beta_P) / constant)
    delta_Q = np.maximum(eps, eps ** (1 - beta_Q) / constant)
    return mass_P / m, delta_P, mass_Q / m, delta_Q


def least_favourable_cube(
    n_P: Any,
    n_Q: Any,
    *,
    rho: float,
    beta_P: float,
    beta_Q: float,
    d: int,
    constant: float = 1.0,
    m: int | None = None,
) -> ScaleBound:
    """The hardest cube in the class with transfer and Bernstein exponents.

    Parameters
    ----------
    n_P, n_Q : array_like
        Sample sizes.
    rho, beta_P, beta_Q, constant
        As in `cube_at_scale`.
    d : int
        VC dimension of the class of rules, 2 or more: cubes have ``m <= d - 1`` atoms (one more
        point carries the rest of the mass).
    m : int, optional
        This number of atoms only.

    Returns
    -------
    ScaleBound
        ``value`` is a lower bound on the minimax expected excess risk, ``scale`` the cube's
        ``eps`` (at most 1/2), and the atom's parameters are ``p, delta_P, q, delta_Q``.
    """
    _require_class(rho, beta_P, beta_Q, d, constant)
    if m is not None and not 1 <= m <= d - 1:
        raise InputError(f"m must lie between 1 and d - 1 = {d - 1}, got {m}")
    tried = _sizes(d - 1) if m is None else [m]
    atoms = np.array(tried)[:, None]

    def problem(eps: np.ndarray) -> tuple[np.ndarray, ...]:
        atom = cube_at_scale(eps, atoms, rho=rho, beta_P=beta_P, beta_Q=beta_Q, constant=constant)
        return (eps, *atom)

    return largest_over_scales(n_P, n_Q, problem, largest=0.5, m=tried)


def bayes_lower_bound(
    n_P: Any,
    n_Q: Any,
    *,
    rho: float,
    beta_P: float,
    beta_Q: float,
    d: int,
    constant: float = 1.0,
    m: int | None = None,
) -> Any:
    """Lower bound on the minimax excess risk over the class, optimised over its cubes.

    Parameters and details as in `least_favourable_cube`, whose ``value`` this is: a number for
    each pair of sample sizes, valid in expectation for every procedure, improper ones included.

    Examples
    --------
    >>> from tlstat.minimax.cube import bayes_lower_bound
    >>> round(bayes_lower_bound(10_000, 100, rho=2, beta_P=0.5, beta_Q=0.5, d=9), 4)
    0.015
    """
    return least_favourable_cube(
        n_P, n_Q, rho=rho, beta_P=beta_P, beta_Q=beta_Q, d=d, constant=constant, m=m
    ).value


def gamma_lower_bound(
    n_P: Any, n_Q: Any, *, gamma: float, beta_P: float, beta_Q: float, d: int, m: int | None = None
) -> ScaleBound:
    """Lower bound over the class with a *marginal* transfer exponent, optimised over its cubes.

    Parameters
    ----------
    n_P, n_Q : array_like
        Sample sizes.
    gamma : float
        Marginal transfer exponent, > 0 (constant 1).
    beta_P, beta_Q : float
        Bernstein exponents in [0, 1] (constants 1).
    d : int
        VC dimension, 2 or more.
    m : int, optional
        This number of atoms only.

    Returns
    -------
    ScaleBound

    Notes
    -----
    A cube whose target mass is ``eps^b`` lies in the class for every ``b`` in ``[beta_Q, 1]``; its
    transfer exponent is ``gamma b / beta_P``. The paper's two terms are the ends ``b = 1`` and
    ``b = beta_Q``; maximising over ``b`` is this package's own.
    """
    _require_class(gamma, beta_P, beta_Q, d, 1.0)
    shares = np.linspace(beta_Q, 1, _MIXTURES) if beta_Q < 1 else np.ones(1)
    tried = [k for k in (_sizes(d - 1) if m is None else [m]) for _ in shares]
    atoms = np.array(tried, dtype=float)[:, None]
    b = np.resize(shares, len(tried))[:, None]
    # for gamma < 1 a single wrong atom is the hardest for the marginal inequality
    one_wrong = np.maximum(1.0, atoms ** (1 - gamma))
    # without a Bernstein condition (beta_P = 0) source labels may be pure noise
    power = (1 - beta_P) / beta_P if beta_P > 0 else np.inf

    def problem(eps: np.ndarray) -> tuple[np.ndarray, ...]:
        mass_Q = eps**b
        mass_P = np.minimum(1.0, one_wrong * mass_Q**gamma)
        delta_P = np.where(mass_P < 1, mass_P**power, float(power < np.inf))
        return eps, mass_P / atoms, delta_P, mass_Q / atoms, eps ** (1 - b)

    return largest_over_scales(n_P, n_Q, problem, largest=0.5, m=tried)


def _sizes(largest: int) -> list[int]:
    """Numbers of atoms to try: all of them while few, else a geometric selection."""
    if largest <= _MAX_TRIED:
        return list(range(1, largest + 1))
    return sorted({int(k) for k in np.geomspace(1, largest, _MAX_TRIED).round()})


def _require_class(exponent: float, beta_P: float, beta_Q: float, d: int, constant: float) -> None:
    if not (np.isfinite(exponent) and exponent > 0):
        raise InputError(f"the transfer exponent must be a positive number, got {exponent!r}")
    for name, beta in (("beta_P", beta_P), ("beta_Q", beta_Q)):
        if not 0 <= beta <= 1:
            raise InputError(f"{name} must lie in [0, 1], got {beta!r}")
    if d < 2 or d != int(d):
        raise InputError(f"d must be a whole number, 2 or more, got {d!r}")
    if not constant >= 1:
        raise InputError(f"constant must be 1 or more, got {constant!r}")
