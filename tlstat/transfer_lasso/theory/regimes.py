"""Fourteen asymptotic regimes of lasso, adaptive lasso, transfer lasso and their combination.

Fixed ``p``, ``n -> infinity``, ``m = n^M`` source rows, ``lambda_n = n^y`` on ``|b|`` and
``eta_n = n^x`` on ``|b - b0|`` (``l1 = lambda_n/n``, ``l2 = eta_n/n``). A coordinate of ``S`` feels
the forces ``n^y`` and ``n^x``; one outside feels ``n^y m^(gamma1/2)`` and ``n^x m^(-gamma2/2)``
where weights ``1/|b0|^gamma1`` and ``|b0|^gamma2`` are in use; the data answer with
``sqrt(n)``. Whichever is strongest decides, and boundaries are where two are equal. They coincide
with the lines that the authors' scripts draw for ``M = 2``, ``gamma = 1``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import And, Gt, Lt, Rational, true

from tlstat.theory.bound import Assumption, Bound, Source
from tlstat.transfer_lasso.theory.base import (
    FIXED_P,
    IRREPRESENTABLE,
    PAPER_2023,
    C,
    M,
    eta_exponent,
    gamma1,
    gamma2,
    lambda_exponent,
    n,
)

__all__ = ["METHODS", "REGIMES", "Regime", "regime_at", "regime_bound"]

METHODS = ("lasso", "adaptive", "transfer", "adaptive transfer")
_NOTE = "boundaries and rates derived here from the balance of forces; not compared with print"

x, y = eta_exponent, lambda_exponent
_half = Rational(1, 2)
# exponents at which the forces outside S pass the noise
_zeroed = (1 - M * gamma1) / 2
_held = (1 + M * gamma2) / 2
_contest = x - M * (gamma1 + gamma2) / 2

# the three rates of the l2 error
_ROOT_N, _ROOT_M, _BIAS = n**-_half, n ** (-M / 2), n ** (y - 1)


@dataclass(frozen=True, eq=False)
class Regime:
    """One row of the table.

    Attributes
    ----------
    method, region : str
        As "transfer" and "ii".
    bound : Bound
        The l2 error up to a constant; ``bound.valid`` is the region.
    active : bool
        Whether zero and non-zero coefficients are told apart in the limit.
    invariant : bool
        Whether coefficients of ``S`` equal the source's with probability going to 1.
    point : (float, float)
        ``(lambda_exponent, eta_exponent)`` of the authors' scripts; NaN for no ``eta``.
    """

    method: str
    region: str
    bound: Bound
    active: bool
    invariant: bool
    point: tuple[float, float]

    @property
    def name(self) -> str:
        """As "transfer ii"."""
        return f"{self.method} {self.region}"


def _regime(
    method: str,
    region: str,
    valid: Any,
    error: Any,
    *,
    active: bool,
    invariant: bool = False,
    point: tuple[float, float],
    selects: bool = False,
) -> Regime:
    needs: tuple[Assumption, ...] = (FIXED_P, IRREPRESENTABLE) if selects else (FIXED_P,)
    bound = Bound(
        name=f"l2 error of the {method} lasso, region {region}".replace("lasso lasso", "lasso"),
        expr=C * error,
        kind="rate",
        assumptions=needs,
        source=Source(PAPER_2023, f"regime {region} of the {method} method", note=_NOTE),
        valid=valid,
        free=("C",),
    )
    return Regime(method, region, bound, active, invariant, point)


_NONE = float("nan")
REGIMES: tuple[Regime, ...] = (
    _regime("lasso", "i", Lt(y, _half), _ROOT_N, active=False, point=(0.25, _NONE)),
    _regime(
        "lasso",
        "ii",
        And(Gt(y, _half), Lt(y, 1)),
        _BIAS,
        active=True,
        selects=True,
        point=(0.75, _NONE),
    ),
    _regime("adaptive", "i", Lt(y, _zeroed), _ROOT_N, active=False, point=(-1, _NONE)),
    _regime(
        "adaptive",
        "ii",
        And(Gt(y, _zeroed), Lt(y, _half)),
        _ROOT_N,
        active=True,
        point=(0.25, _NONE),
    ),
    _regime(
        "adaptive", "iii", And(Gt(y, _half), Lt(y, 1)), _BIAS, active=True, point=(0.75, _NONE)
    ),
    _regime(
        "transfer",
        "i",
        And(Gt(x, _half), Lt(y, x)),
        _ROOT_M,
        active=False,
        invariant=True,
        point=(0.5, 0.75),
    ),
    _regime(
        "transfer",
        "ii",
        And(Lt(x, _half), Lt(y, _half)),
        _ROOT_N,
        active=False,
        point=(0.25, 0.25),
    ),
    _regime(
        "transfer",
        "iii",
        And(Gt(y, _half), Gt(y, x), Lt(y, 1)),
        _BIAS,
        active=True,
        selects=True,
        point=(0.75, 0.5),
    ),
    _regime(
        "adaptive transfer",
        "i",
        And(Gt(x, _held), Lt(y, _contest)),
        _ROOT_M,
        active=False,
        invariant=True,
        point=(-0.5, 2),
    ),
    _regime(
        "adaptive transfer",
        "ii",
        And(Gt(x, _half), Lt(y, x), Gt(y, _zeroed), Gt(y, _contest)),
        _ROOT_M,
        active=True,
        invariant=True,
        point=(0.5, 1.5),
    ),
    _regime(
        "adaptive transfer",
        "iii",
        And(Lt(x, _half), Lt(y, _zeroed)),
        _ROOT_N,
        active=False,
        point=(-1, 0.25),
    ),
    _regime(
        "adaptive transfer",
        "iv",
        And(Gt(x, _half), Lt(x, _held), Lt(y, _zeroed)),
        _ROOT_N,
        active=False,
        invariant=True,
        point=(-1, 1),
    ),
    _regime(
        "adaptive transfer",
        "v",
        And(Lt(x, _half), Gt(y, _zeroed), Lt(y, _half)),
        _ROOT_N,
        active=True,
        point=(0, 0.25),
    ),
    _regime(
        "adaptive transfer",
        "vi",
        And(Gt(y, _half), Gt(y, x), Lt(y, 1)),
        _BIAS,
        active=True,
        point=(0.75, 0.5),
    ),
)


def regime_at(method: str, **exponents: float) -> Regime | None:
    """The regime of a method at a point; None on a boundary, or where the error does not vanish.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    **exponents
        ``lambda_exponent`` and, where the method has them, ``eta_exponent``, ``M``, ``gamma1``,
        ``gamma2``. What a region does not depend on may be given or not.
    """
    for regime in REGIMES:
        if regime.method == method:
            names = regime.bound.symbols
            inside = {k: v for k, v in exponents.items() if k in names} | (
                {"n": 2.0} if "n" in names else {}
            )
            if regime.bound.valid is true or regime.bound.is_valid(**inside):
                return regime
    return None


def regime_bound(method: str, region: str) -> Bound:
    """The bound of one row, by its names."""
    return next(r.bound for r in REGIMES if (r.method, r.region) == (method, region))
