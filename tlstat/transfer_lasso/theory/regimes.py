"""Fourteen asymptotic regimes of lasso, adaptive lasso, transfer lasso and their combination.

Fixed ``p``, ``n -> infinity``, ``m = n^M`` source rows, ``lambda_n = n^y`` on ``|b|`` and
``eta_n = n^x`` on ``|b - b0|`` (``l1 = lambda_n/n``, ``l2 = eta_n/n``). A coordinate of ``S`` feels
the forces ``n^y`` and ``n^x``; one outside feels ``n^y m^(gamma1/2)`` and ``n^x m^(-gamma2/2)``
where weights ``1/|b0|^gamma1`` and ``|b0|^gamma2`` are in use; the data answer with
``sqrt(n)``. Whichever is strongest decides, and boundaries are where two are equal. They coincide
with the lines that the authors' scripts draw for ``M = 2``, ``gamma = 1``.

The source's own error is ``n^(-M/2)``: to hold a coefficient there takes ``n^(1-M/2)``, which is
more than ``sqrt(n)`` where the source has fewer rows than the target (``M < 1``, which the authors'
figures leave out). So whatever holds ``S`` at the source has to pass ``n^h``, ``h = max(1/2,
1-M/2)``. For ``M < 1`` this opens a strip ``1/2 < x < h``, ``y < x`` in which the source is neither
kept nor harmless: its pull is a bias, `SCARCE_SOURCE_ERROR`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import And, Gt, Lt, Max, Min, Rational

from tlstat.errors import InputError
from tlstat.theory.bound import Assumption, Bound, Source
from tlstat.transfer_lasso.theory.base import (
    FIXED_P,
    IRREPRESENTABLE,
    OURS,
    PAPER_2023,
    C,
    M,
    eta_exponent,
    gamma1,
    gamma2,
    lambda_exponent,
    n,
)

__all__ = [
    "METHODS",
    "REGIMES",
    "SCARCE_SOURCE_ERROR",
    "Regime",
    "regime_at",
    "regime_bound",
]

METHODS = ("lasso", "adaptive", "transfer", "adaptive transfer")
_NOTE = "boundaries and rates derived here from the balance of forces; not compared with print"

x, y = eta_exponent, lambda_exponent
_half = Rational(1, 2)
# exponents at which forces on S hold it at the source; those outside S, while it is held there
_keeps = Max(_half, 1 - M / 2)
_held = _keeps + M * gamma2 / 2
_zeroed_kept = _keeps - M * gamma1 / 2
# exponents at which the forces outside S pass the noise, and each other
_zeroed = (1 - M * gamma1) / 2
_contest = x - M * (gamma1 + gamma2) / 2

# the rates of the l2 error: target, source, the larger of the two, and bias
_ROOT_N, _ROOT_M, _ROOT_FEWER = n**-_half, n ** (-M / 2), n ** -Min(_half, M / 2)
_BIAS = n ** (y - 1)


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
        And(Gt(x, _keeps), Lt(y, x)),
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
        And(Gt(x, _keeps), Lt(y, x), Gt(y, _zeroed_kept), Gt(y, _contest)),
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
        And(Gt(x, _keeps), Lt(x, _held), Lt(y, _zeroed_kept)),
        _ROOT_FEWER,
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


SCARCE_SOURCE_ERROR = Bound(
    name="l2 error of both transfer lassos with a source of fewer rows: bias towards it",
    expr=C * n ** (x - 1),
    kind="rate",
    assumptions=(FIXED_P,),
    source=Source(PAPER_2023, "between the regions, for M < 1", note=OURS),
    valid=And(Gt(x, _half), Lt(x, 1 - M / 2), Lt(y, x)),
    free=("C",),
)

_EXPONENTS = ("lambda_exponent", "eta_exponent", "M", "gamma1", "gamma2")


def regime_at(method: str, **exponents: float) -> Regime | None:
    """The regime of a method at a point.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    **exponents
        ``lambda_exponent`` and, where the method has them, ``eta_exponent``, ``M``, ``gamma1``,
        ``gamma2``. What a region does not depend on may be given or not.

    Returns
    -------
    Regime or None
        None on a boundary, where the error does not vanish, and where `SCARCE_SOURCE_ERROR` is
        what holds (``M < 1``).

    Raises
    ------
    InputError
        For an unknown method or exponent, one that is missing, or ``M``, ``gamma1`` or ``gamma2``
        that is not positive.
    """
    _known("method", method, METHODS)
    for name, value in exponents.items():
        _known("exponent", name, _EXPONENTS)
        if name in ("M", "gamma1", "gamma2") and not value > 0:
            raise InputError(f"{name} is {value!r}; expected a positive number")
    given = {**exponents, "n": 2.0}
    for regime in (r for r in REGIMES if r.method == method):
        names = regime.bound.symbols
        if regime.bound.is_valid(**{k: v for k, v in given.items() if k in names}):
            return regime
    return None


def regime_bound(method: str, region: str) -> Bound:
    """The bound of one row, by its names.

    Raises
    ------
    InputError
        For an unknown method, or a region that it does not have.
    """
    _known("method", method, METHODS)
    rows = {r.region: r.bound for r in REGIMES if r.method == method}
    _known(f"region of {method!r}", region, tuple(rows))
    return rows[region]


def _known(argument: str, value: str, expected: tuple[str, ...]) -> None:
    if value not in expected:
        raise InputError(f"{argument} is {value!r}; expected one of {', '.join(expected)}")
