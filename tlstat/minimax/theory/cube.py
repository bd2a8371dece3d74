"""The hypercube: exact minimax risk of a sub-family, and what cheaper lower bounds lose.

One atom carries an unknown sign; a source point falls on it with probability p and votes for the
sign with margin ``delta_P``, a target point with q and ``delta_Q``. Its Bayes error is the kernel
`tlstat.minimax.vote_error`. With m such atoms the Bayes risk of the uniform prior is
``m q delta_Q`` times the kernel, and the vote that attains it has constant risk: this number is
the minimax risk over the cube, not a bound on it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sympy import And, Ge, Gt, Le, Lt, Max, Rational, exp, log, sqrt, symbols

from tlstat.minimax.theory.base import (
    HANNEKE_KPOTUFE,
    OURS,
    beta_P,
    beta_Q,
    eps,
    n_P,
    n_Q,
    rho,
)
from tlstat.theory.bound import Assumption, Bound, Source

p, q, m = symbols("p q m", positive=True)
delta_P, delta_Q = symbols("delta_P delta_Q", nonnegative=True)

_UNIT = And(Le(p, 1), Le(q, 1), Lt(delta_P, 1), Lt(delta_Q, 1))
_UNIFORM = Assumption("uniform prior", "the sign of every atom is a fair coin")
_VOTE = ("n_P", "p", "delta_P", "n_Q", "q", "delta_Q")

_affinity = (1 - p * (1 - sqrt(1 - delta_P**2))) ** n_P * (
    1 - q * (1 - sqrt(1 - delta_Q**2))
) ** n_Q
_kl = n_P * p * delta_P * log((1 + delta_P) / (1 - delta_P)) + n_Q * q * delta_Q * log(
    (1 + delta_Q) / (1 - delta_Q)
)


def _classical(name: str, expr: Any, where: str, kind: Any = "lower") -> Bound:
    return Bound(
        name=name,
        expr=expr,
        kind=kind,
        scope="all procedures" if kind == "lower" else "the likelihood-ratio vote",
        assumptions=(_UNIFORM,),
        source=Source("classical", where),
        valid=_UNIT,
    )


def _kernel(n_P: Any, p: Any, delta_P: Any, n_Q: Any, q: Any, delta_Q: Any) -> Any:
    from tlstat.minimax.vote import vote_error

    return vote_error(n_P, p, delta_P, n_Q, q, delta_Q)


VOTE_ERROR = Bound(
    name="Bayes error of one sign from two samples",
    value=_kernel,
    symbols=_VOTE,
    kind="exact",
    scope="all procedures",
    assumptions=(_UNIFORM,),
    source=Source("classical", "half of 1 - TV", note="evaluated by FFT here"),
    valid=And(Le(p, 1), Le(q, 1), Le(delta_P, 1), Le(delta_Q, 1)),
)
VOTE_HELLINGER = _classical(
    "Hellinger's lower bound on the error of one sign",
    (1 - sqrt(1 - _affinity**2)) / 2,
    "Le Cam's inequality between TV and Hellinger's distance",
)
VOTE_QUARTER = _classical(
    "a quarter of the squared affinity, lower bound on the error of one sign",
    _affinity**2 / 4,
    "from Le Cam's inequality",
)
VOTE_BRETAGNOLLE_HUBER = _classical(
    "Bretagnolle and Huber's lower bound on the error of one sign",
    exp(-_kl) / 4,
    "Bretagnolle and Huber (1979)",
)
VOTE_PINSKER = _classical(
    "Pinsker's lower bound on the error of one sign",
    Max(0, (1 - sqrt(_kl / 2)) / 2),
    "Pinsker's inequality",
)
VOTE_UPPER = _classical(
    "half of the affinity, upper bound on the error of one sign",
    _affinity / 2,
    "Bhattacharyya's bound",
    kind="upper",
)

# ------------------------------------------------- the cube of the lower bound, exactly

_CUBE_SOURCE = Source(
    HANNEKE_KPOTUFE, "construction of the lower bound", note=f"exact value on it: {OURS}"
)
# p = eps^(rho beta_P) / m and so on: masses and margins of the paper's construction, constants 1
_on_cube = {
    p: eps ** (rho * beta_P) / m,
    q: eps**beta_Q / m,
    delta_P: eps ** (rho * (1 - beta_P)),
    delta_Q: eps ** (1 - beta_Q),
}
CUBE_EXCESS_Q = Bound(
    name="target excess on the cube with every coordinate wrong",
    expr=m * _on_cube[q] * _on_cube[delta_Q],
    kind="exact",
    scope="the cube of the lower bound",
    source=_CUBE_SOURCE,
    valid=Lt(eps, 1),
)
CUBE_EXCESS_P = Bound(
    name="source excess on the cube with every coordinate wrong",
    expr=m * _on_cube[p] * _on_cube[delta_P],
    kind="exact",
    scope="the cube of the lower bound",
    source=_CUBE_SOURCE,
    valid=Lt(eps, 1),
)


def _cube_minimax(eps: Any, rho: Any, beta_P: Any, beta_Q: Any, m: Any, n_P: Any, n_Q: Any) -> Any:
    eps = np.asarray(eps, dtype=float)
    masses = eps ** (np.multiply(rho, beta_P)) / m, eps**beta_Q / m
    margins = eps ** (np.multiply(rho, np.subtract(1, beta_P))), eps ** np.subtract(1, beta_Q)
    return eps * _kernel(n_P, masses[0], margins[0], n_Q, masses[1], margins[1])


CUBE_MINIMAX = Bound(
    name="minimax risk over the cube at scale eps",
    value=_cube_minimax,
    symbols=("eps", "rho", "beta_P", "beta_Q", "m", "n_P", "n_Q"),
    kind="exact",
    scope="all procedures",
    assumptions=(_UNIFORM,),
    source=_CUBE_SOURCE,
    valid=And(Gt(eps, 0), Le(eps, Rational(1, 2)), Ge(m, 1), Ge(rho, 1), Le(beta_P, 1)),
)


@np.vectorize
def _cube_lower(
    rho: float, beta_P: float, beta_Q: float, m: float, n_P: float, n_Q: float
) -> float:
    from tlstat.minimax.cube import bayes_lower_bound

    exponents = {"rho": float(rho), "beta_P": float(beta_P), "beta_Q": float(beta_Q)}
    return float(bayes_lower_bound(n_P, n_Q, **exponents, d=int(m) + 1, m=int(m)))


CUBE_LOWER = Bound(
    name="lower bound for every procedure: the hardest cube",
    value=lambda rho, beta_P, beta_Q, m, n_P, n_Q: _cube_lower(rho, beta_P, beta_Q, m, n_P, n_Q),
    symbols=("rho", "beta_P", "beta_Q", "m", "n_P", "n_Q"),
    kind="lower",
    scope="all procedures",
    assumptions=(_UNIFORM,),
    source=_CUBE_SOURCE,
    valid=And(Ge(m, 1), Ge(rho, 1), Le(beta_P, 1), Le(beta_Q, 1)),
)
CUBE_C_RHO = Bound(
    name="constant of the transfer exponent on the cube, super-transfer",
    expr=m ** (1 - rho),
    kind="exact",
    scope="the cube of the lower bound, rho below 1",
    source=_CUBE_SOURCE,
    valid=And(Le(rho, 1), Ge(m, 1)),
)

__all__ = [name for name, value in list(globals().items()) if isinstance(value, Bound)]
