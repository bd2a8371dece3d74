"""Source and target rates, and where one overtakes the other (arXiv:2002.04747).

Symbols, here and in the paper: ``rho`` the transfer exponent, ``beta_P`` and ``beta_Q`` the
Bernstein exponents of source and target, ``gamma`` the marginal transfer exponent, ``dim`` the VC
dimension ``d_H``. Up to constants and logarithms the best excess risk from ``n_P`` source and
``n_Q`` target samples is

    min{ (dim / n_P)^(1 / ((2 - beta_P) rho)), (dim / n_Q)^(1 / (2 - beta_Q)) }.

Exponents are returned positive (a risk of order ``n^-exponent``) and exact: fractions in, fractions
out. Constants multiply the two rates where they are known, as for noise-free power thresholds.
"""

from __future__ import annotations

import math
from numbers import Rational, Real
from typing import Any

import numpy as np

from tlstat.errors import InputError

__all__ = [
    "crossover",
    "crossover_exponent",
    "minimax_rate",
    "noise_free_constants",
    "rho_at_most",
    "rho_of_power_family",
    "samples_for",
    "source_exponent",
    "source_rate",
    "target_exponent",
    "target_rate",
]


def source_exponent(rho: Any, beta_P: Any) -> Any:
    """``1 / ((2 - beta_P) rho)``: how fast source data alone lower the target's excess risk.

    Parameters
    ----------
    rho : positive number
        Transfer exponent.
    beta_P : number in [0, 1]
        Bernstein exponent of the source.

    Returns
    -------
    Fraction or float
        A fraction if both arguments are (integers are).

    Raises
    ------
    InputError
        If an exponent is out of range.
    """
    rho, beta_P = _positive("rho", rho), _bernstein("beta_P", beta_P)
    return _one(rho, beta_P) / ((2 - beta_P) * rho)


def target_exponent(beta_Q: Any) -> Any:
    """``1 / (2 - beta_Q)``: how fast target data alone lower the excess risk."""
    beta_Q = _bernstein("beta_Q", beta_Q)
    return _one(beta_Q) / (2 - beta_Q)


def crossover_exponent(rho: Any, beta_P: Any, beta_Q: Any) -> Any:
    """The ``x`` in "``n_P`` source samples are worth about ``n_P^x`` target samples"."""
    return source_exponent(rho, beta_P) / target_exponent(beta_Q)


def rho_of_power_family(gamma: Any, beta_P: Any, beta_Q: Any) -> Any:
    """``gamma beta_Q / beta_P``: the transfer exponent in families where all laws are powers."""
    gamma, beta_P = _positive("gamma", gamma), _noisy("beta_P", beta_P)
    return gamma * _noisy("beta_Q", beta_Q) / (_one(gamma, beta_P) * beta_P)


def rho_at_most(gamma: Any, beta_P: Any) -> Any:
    """``gamma / beta_P``: at most this is rho, whatever the family, if source and target share h*.

    With constant ``(C_gamma C_beta_P)^(1 / beta_P)``, for ``C_gamma`` and ``C_beta_P`` those of
    the marginal transfer exponent and of the source's Bernstein condition.
    """
    gamma, beta_P = _positive("gamma", gamma), _noisy("beta_P", beta_P)
    return gamma / (_one(gamma, beta_P) * beta_P)


def source_rate(n_P: Any, *, rho: Any, beta_P: Any, dim: float = 1, constant: float = 1) -> Any:
    """``constant (dim / n_P)^source_exponent``, at most 1 (so 1 without any sample).

    Parameters
    ----------
    n_P : array_like of non-negative numbers
        Source sample sizes.
    rho, beta_P : numbers
        As in `source_exponent`.
    dim : positive float
        VC dimension.
    constant : positive float

    Returns
    -------
    float or array
        The shape of `n_P`.
    """
    return _rate("n_P", n_P, source_exponent(rho, beta_P), dim, constant)


def target_rate(n_Q: Any, *, beta_Q: Any, dim: float = 1, constant: float = 1) -> Any:
    """``constant (dim / n_Q)^target_exponent``, at most 1; see `source_rate`."""
    return _rate("n_Q", n_Q, target_exponent(beta_Q), dim, constant)


def minimax_rate(
    n_P: Any,
    n_Q: Any,
    *,
    rho: Any,
    beta_P: Any,
    beta_Q: Any,
    dim: float = 1,
    constants: tuple[float, float] = (1, 1),
) -> Any:
    """The smaller of the two rates: the best of both samples, up to constants.

    Parameters
    ----------
    n_P, n_Q : array_like of non-negative numbers
        Broadcast against each other.
    rho, beta_P, beta_Q, dim : numbers
    constants : pair of positive floats
        Of the source's and of the target's rate.
    """
    source = source_rate(n_P, rho=rho, beta_P=beta_P, dim=dim, constant=constants[0])
    return np.minimum(source, target_rate(n_Q, beta_Q=beta_Q, dim=dim, constant=constants[1]))[()]


def crossover(
    n_P: Any,
    *,
    rho: Any,
    beta_P: Any,
    beta_Q: Any,
    dim: float = 1,
    constants: tuple[float, float] = (1, 1),
) -> Any:
    """The target sample size at which the two rates are equal: what ``n_P`` is worth.

    With fewer target samples the source decides the rate, with more the target does. With the
    default constants the exponent is exact and the number an order of magnitude; with exact
    constants it is the boundary itself.

    Parameters
    ----------
    n_P : array_like of positive numbers
    rho, beta_P, beta_Q, dim, constants
        As in `minimax_rate`.

    Returns
    -------
    float or array
        Not rounded.
    """
    sizes = _sizes("n_P", n_P)
    source, target = float(source_exponent(rho, beta_P)), float(target_exponent(beta_Q))
    dim, (of_P, of_Q) = _dim(dim), map(_constant, constants)
    return (dim * (of_Q / of_P) ** (1 / target) * (sizes / dim) ** (source / target))[()]


def samples_for(eps: Any, exponent: Any, *, dim: float = 1, constant: float = 1) -> Any:
    """How many samples bring ``constant (dim / n)^exponent`` down to ``eps``; not rounded.

    Parameters
    ----------
    eps : array_like in (0, 1)
        Excess risk to reach.
    exponent : positive number
        From `source_exponent` or `target_exponent`.
    """
    values = np.asarray(eps, dtype=float)
    if not np.all((values > 0) & (values < 1)):
        raise InputError(f"eps is {eps!r}; expected excess risks strictly between 0 and 1")
    power = 1 / float(_positive("exponent", exponent))
    return (_dim(dim) * (_constant(constant) / values) ** power)[()]


def noise_free_constants(gamma: Any, q: Any = 1) -> tuple[float, float]:
    """Constants of both rates for right-end ERM on noise-free power thresholds, as n grows.

    There ``P_X(h_t != h_0) = |t|^gamma / 2`` and ``Q_X(h_t != h_0) = |t|^q / 2``; the source-only
    risk is ``2^(q/gamma - 1) Gamma(1 + q/gamma) n_P^(-q/gamma)``, the target-only risk ``1 / n_Q``.

    Returns
    -------
    (float, float)
        To be passed on as `constants` with ``beta_P = beta_Q = 1`` and ``rho = gamma / q``.
    """
    ratio = float(_positive("q", q)) / float(_positive("gamma", gamma))
    return 2 ** (ratio - 1) * math.gamma(1 + ratio), 1.0


# --- checks ------------------------------------------------------------------------------------


def _one(*numbers: Any) -> Any:
    """1, as a fraction if all others are exact: so that integers do not divide to floats."""
    from fractions import Fraction

    return Fraction(1) if all(isinstance(x, Rational) for x in numbers) else 1.0


def _real(name: str, value: Any, expected: str, within: Any) -> Any:
    real = isinstance(value, Real) and not isinstance(value, bool)
    if not real or not math.isfinite(value) or not within(value):
        raise InputError(f"{name} is {value!r}; expected {expected}")
    return value


def _positive(name: str, value: Any) -> Any:
    return _real(name, value, "a positive number", lambda x: x > 0)


def _bernstein(name: str, value: Any) -> Any:
    return _real(name, value, "a Bernstein exponent, in [0, 1]", lambda x: 0 <= x <= 1)


def _noisy(name: str, value: Any) -> Any:
    expected = "a Bernstein exponent in (0, 1]: with 0, gamma says nothing of rho"
    return _real(name, value, expected, lambda x: 0 < x <= 1)


def _dim(value: Any) -> float:
    return float(_positive("dim", value))


def _constant(value: Any) -> float:
    return float(_positive("constant", value))


def _sizes(name: str, n: Any) -> np.ndarray:
    sizes = np.asarray(n, dtype=float)
    if not np.all(np.isfinite(sizes) & (sizes >= 0)):
        raise InputError(f"{name} is {n!r}; expected sample sizes, numbers of at least 0")
    return sizes


def _rate(name: str, n: Any, exponent: Any, dim: float, constant: float) -> Any:
    sizes, scale = _sizes(name, n), math.log(_constant(constant))
    logs = np.log(_dim(dim)) - np.log(np.where(sizes > 0, sizes, 1.0))
    # the excess risk never exceeds 1; in logarithms nothing overflows on the way there
    rate = np.exp(np.minimum(0.0, scale + float(exponent) * logs))
    return np.where(sizes > 0, rate, 1.0)[()]
