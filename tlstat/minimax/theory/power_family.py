"""Power thresholds: every exponent, and the constants that are known exactly.

Thresholds ``h_t = 1[x >= t]`` on [-1, 1] with truth 0; source density ``(gamma/2)|x|^(gamma-1)``
and margin ``c_P |x|^a_P``, target density ``(q/2)|x|^(q-1)`` and margin ``c_Q |x|^a_Q``. Here
``gamma`` is the power of the source's mass; the marginal transfer exponent is ``gamma / q``.
All conditions hold with equality for every t, so no constant is lost.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from sympy import And, Ge, Gt, Integer, Le, Rational, exp, loggamma, symbols

from tlstat.minimax.theory.base import HANNEKE_KPOTUFE, OURS, C, gamma, n_P, n_Q
from tlstat.theory.bound import Assumption, Bound, Source

q, c_P, c_Q, t = symbols("q c_P c_Q t", positive=True)
a_P, a_Q = symbols("a_P a_Q", nonnegative=True)

_SCOPE = "power thresholds"
_A_P = c_P * gamma / (2 * (gamma + a_P))
_A_Q = c_Q * q / (2 * (q + a_Q))
_BELONGS = Assumption(
    "power thresholds",
    "masses and margins are powers of the distance to the boundary",
    check=lambda model, cell: type(model).__name__ == "PowerThresholds",
)
_NOISE_FREE = Assumption(
    "no noise",
    "labels are those of the true threshold",
    check=lambda model, cell: (model.a_P, model.a_Q, model.c_P, model.c_Q) == (0, 0, 1, 1),
)
_HALF = Rational(1, 2)


def _ours(where: str) -> Source:
    return Source(HANNEKE_KPOTUFE, where, note=OURS)


def _closed(name: str, expr: Any, where: str, **more: Any) -> Bound:
    return Bound(
        name=name,
        expr=expr,
        kind="exact",
        scope=_SCOPE,
        assumptions=(_BELONGS,),
        source=_ours(where),
        **more,
    )


# ----------------------------------------------------- masses, excess, exponents

POWER_EXCESS_Q = _closed(
    "target excess of the threshold t", _A_Q * t ** (q + a_Q), "definition of E_Q", valid=Le(t, 1)
)
POWER_EXCESS_P = _closed(
    "source excess of the threshold t",
    _A_P * t ** (gamma + a_P),
    "definition of E_P",
    valid=Le(t, 1),
)
POWER_RHO = _closed(
    "transfer exponent of power thresholds",
    (gamma + a_P) / (q + a_Q),
    "definition of the transfer exponent",
)
POWER_C_RHO = _closed(
    "constant of the transfer exponent of power thresholds",
    _A_Q ** ((gamma + a_P) / (q + a_Q)) / _A_P,
    "definition of the transfer exponent",
)
POWER_BETA_P = _closed(
    "Bernstein exponent of the source", gamma / (gamma + a_P), "definition of the noise condition"
)
POWER_BETA_Q = _closed(
    "Bernstein exponent of the target", q / (q + a_Q), "definition of the noise condition"
)
POWER_C_BETA_P = _closed(
    "Bernstein constant of the source",
    _HALF * _A_P ** (-gamma / (gamma + a_P)),
    "definition of the noise condition",
)
POWER_C_BETA_Q = _closed(
    "Bernstein constant of the target",
    _HALF * _A_Q ** (-q / (q + a_Q)),
    "definition of the noise condition",
)
POWER_GAMMA = _closed(
    "marginal transfer exponent of power thresholds",
    gamma / q,
    "definition of the marginal transfer exponent",
)
POWER_C_GAMMA = _closed(
    "constant of the marginal transfer exponent",
    2 ** (1 - gamma / q),
    "definition of the marginal transfer exponent",
)

# ---------------------------------------------------------------------- rates

POWER_SOURCE_RATE = Bound(
    name="source ERM on power thresholds",
    expr=C * n_P ** (-(q + a_Q) / (gamma + 2 * a_P)),
    kind="rate",
    scope=_SCOPE,
    assumptions=(_BELONGS,),
    source=_ours("source rate"),
    free=("C",),
)
POWER_TARGET_RATE = Bound(
    name="target ERM on power thresholds",
    expr=C * n_Q ** (-(q + a_Q) / (q + 2 * a_Q)),
    kind="rate",
    scope=_SCOPE,
    assumptions=(_BELONGS,),
    source=_ours("target rate"),
    free=("C",),
)
POWER_CROSSOVER = Bound(
    name="target samples that n_P source samples are worth, power thresholds",
    expr=C * n_P ** ((q + 2 * a_Q) / (gamma + 2 * a_P)),
    kind="rate",
    scope=_SCOPE,
    assumptions=(_BELONGS,),
    source=_ours("where both rates are equal"),
    free=("C",),
)
# Pooled ERM settles where n_P D^(gamma + a_P) outweighs the target's drift: the fraction of
# target points decides. With masses linear and a clean target, D is of order n_P / n_Q^2.
POOLED_DRIFT = Bound(
    name="pooled ERM between n_Q and the source's take-over (gamma = q = 1, a_Q = 0)",
    expr=C * n_P / n_Q**2,
    kind="rate",
    scope=_SCOPE,
    assumptions=(_BELONGS,),
    source=_ours("pooling"),
    valid=Ge(n_P, n_Q),
    free=("C",),
)

# -------------------------------------------------------- noise-free: closed forms


def _nearest_positive(power: Any, n: Any) -> Any:
    """``(1/2) E[R^q]`` for the nearest positive point R: an incomplete beta function.

    ``power`` is q over the power of the sample's mass.
    """
    from scipy.special import betainc, betaln

    power, n = np.asarray(power, dtype=float), np.asarray(n, dtype=float)
    log_beta = betaln(power, n + 1) + np.log(betainc(power, n + 1, 0.5))
    return 0.5 * power * np.exp(power * np.log(2.0) + log_beta)


def _noise_free(name: str, value: Any, symbol: str, where: str) -> Bound:
    return Bound(
        name=name,
        value=value,
        symbols=("gamma", "q", symbol),
        kind="exact",
        scope="noise-free power thresholds",
        assumptions=(_BELONGS, _NOISE_FREE),
        source=_ours(where),
        valid=Ge(n_P if symbol == "n_P" else n_Q, 0),
    )


NOISE_FREE_SOURCE = _noise_free(
    "risk of the right-end source ERM, no noise",
    lambda gamma, q, n_P: _nearest_positive(np.divide(q, gamma), n_P),
    "n_P",
    "source rate",
)
NOISE_FREE_TARGET = _noise_free(
    "risk of the right-end target ERM, no noise",
    lambda gamma, q, n_Q: _nearest_positive(np.ones_like(np.divide(q, gamma)), n_Q),
    "n_Q",
    "target rate",
)
NOISE_FREE_SOURCE_LIMIT = Bound(
    name="leading term of the right-end source ERM's risk, no noise",
    expr=_HALF * 2 ** (q / gamma) * exp(loggamma(1 + q / gamma)) * n_P ** (-q / gamma),
    kind="rate",
    scope="noise-free power thresholds",
    assumptions=(_BELONGS, _NOISE_FREE),
    source=_ours("source rate"),
)
NOISE_FREE_CROSSOVER = Bound(
    name="target samples that n_P source samples are worth, no noise, as n_P grows",
    expr=2 ** (1 - q / gamma) * exp(-loggamma(1 + q / gamma)) * n_P ** (q / gamma),
    kind="rate",
    scope="noise-free power thresholds",
    assumptions=(_BELONGS, _NOISE_FREE),
    source=_ours("where both rates are equal"),
)

# ------------------------------------------- Bernstein exponent 1/2: Chernoff's law


@lru_cache(maxsize=64)
def chernoff_moment(power: float) -> float:
    """``E|Z|^power`` for Chernoff's law, where a two-sided Brownian motion plus ``s^2`` is least.

    By Groeneboom's formula the density is ``g(z) g(-z) / 2`` with Fourier transform
    ``2^(1/3) / Ai(i 2^(-1/3) s)`` of g.
    """
    from scipy.integrate import simpson
    from scipy.special import airy

    s = np.linspace(0.0, 30.0, 601)  # the transform is below 1e-20 beyond
    transform = 2 ** (1 / 3) / airy(1j * 2 ** (-1 / 3) * s)[0]
    transform[0] /= 2  # trapezoid; the integrand is even in its real part
    # at z the density is below exp(-z^3 / 1.5): nothing is left beyond 4.5
    z = np.linspace(0.0, 4.5, 901)
    forward, backward = (
        np.array([(np.exp(sign * 1j * s * x) * transform).real.sum() for x in z]) * s[1] / np.pi
        for sign in (-1, 1)
    )
    return float(simpson(z**power * forward * backward, x=z))


def _brownian_limit(n: Any, c: Any, mass: Any, A_Q: Any, excess: Any) -> Any:
    """Limit of ``A_Q E|t|^excess`` for the ERM of one sample whose noise has the power of its mass.

    In mass ``v = |t|^mass / 2`` the empirical excess, times n, is Brownian motion with variance
    ``n v`` and drift ``n c v^2``; it is least at ``v = (c^2 n)^(-1/3) |Z|``.
    """
    n, c, A_Q = (np.asarray(x, dtype=float) for x in (n, c, A_Q))
    power = np.divide(excess, mass)
    moment = np.vectorize(lambda p: chernoff_moment(float(p)))(power)
    return A_Q * (2 * (c**2 * n) ** (-1 / 3)) ** power * moment


def _target_constant(c_Q: Any, q: Any, a_Q: Any) -> Any:
    return np.multiply(c_Q, q) / (2 * np.add(q, a_Q))


CHERNOFF_SOURCE = Bound(
    name="leading term of the source ERM's risk where beta_P = 1/2",
    value=lambda gamma, q, a_Q, c_P, c_Q, n_P: _brownian_limit(
        n_P, c_P, gamma, _target_constant(c_Q, q, a_Q), np.add(q, a_Q)
    ),
    symbols=("gamma", "q", "a_Q", "c_P", "c_Q", "n_P"),
    kind="rate",
    scope="power thresholds with a_P = gamma",
    assumptions=(
        _BELONGS,
        Assumption("beta_P = 1/2", "a_P = gamma", check=lambda m, cell: m.a_P == m.gamma),
    ),
    source=_ours("source rate"),
)
CHERNOFF_TARGET = Bound(
    name="leading term of the target ERM's risk where beta_Q = 1/2",
    value=lambda q, c_Q, n_Q: _brownian_limit(n_Q, c_Q, q, np.divide(c_Q, 4), 2 * np.asarray(q)),
    symbols=("q", "c_Q", "n_Q"),
    kind="rate",
    scope="power thresholds with a_Q = q",
    assumptions=(
        _BELONGS,
        Assumption("beta_Q = 1/2", "a_Q = q", check=lambda m, cell: m.a_Q == m.q),
    ),
    source=_ours("target rate"),
)

# ---------------------------------------------------------------- reweighting

REWEIGHTED_SINGULARITY = Bound(
    name="source ERM with truncated importance weights, on power thresholds",
    expr=C * n_P ** (-Integer(1) / (gamma + 2 * a_P)),
    kind="rate",
    scope="power thresholds with q = 1, the best truncation at every n_P",
    assumptions=(_BELONGS,),
    source=_ours("reweighting the source"),
    valid=And(Gt(gamma, 1)),
    free=("C",),
)

__all__ = ["chernoff_moment"]
__all__ += [name for name, value in list(globals().items()) if isinstance(value, Bound)]
