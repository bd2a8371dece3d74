"""Do declared exponents hold? Every hypothesis of a finite class, or a search over the class.

Each condition is an inequality ``left(h) <= C * right(h)`` over the class, so the smallest
constant is the largest ratio. On a finite class it is found by looking at all hypotheses; on a
parametric one by a search (Sobol points in the model's chart, then local refinement), which can
refute a declared constant but confirm it only as far as it has looked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.minimax.models.checks import require, require_positive

_STARTS = 2**12
_REFINED = 6
# what rounding may add to a constant attained with equality, relative; a search also looks where
# differences of nearly equal risks cancel
_SLACK = {"enumeration": 1e-9, "search": 1e-6}


@dataclass(frozen=True)
class ExponentCheck:
    """The outcome of checking one condition.

    Attributes
    ----------
    condition : str
        Which inequality.
    exponent : float
        As declared.
    constant : float or None
        As declared; None asks only whether there is one.
    smallest_constant : float
        The smallest constant that works (inf if none does).
    worst : object
        The hypothesis that needs it: an index, or a parameter of the model.
    holds : bool
        Whether the declared constant is large enough; without one, whether any is.
    method : {"enumeration", "search"}
        Whether every hypothesis was looked at.
    """

    condition: str
    exponent: float
    constant: float | None
    smallest_constant: float
    worst: Any
    holds: bool
    method: str

    @property
    def sharp(self) -> bool:
        """Whether the declared constant holds and cannot be lowered by 0.1 %."""
        declared = np.inf if self.constant is None else self.constant
        return self.holds and declared <= (1 + 1e-3) * self.smallest_constant

    @property
    def statement(self) -> str:
        """The outcome as a sentence."""
        looked = "every hypothesis" if self.method == "enumeration" else "a search over the class"
        declared = "" if self.constant is None else f" with constant {self.constant:.6g}"
        verdict = "holds" if self.holds else "fails"
        return (
            f"{self.condition} {self.exponent:.6g}{declared} {verdict}: by {looked} the smallest "
            f"constant is {self.smallest_constant:.6g}, needed by hypothesis {self.worst}"
        )


@dataclass(frozen=True)
class Largest:
    """The largest value that was found, where, and by which method."""

    value: float
    where: Any
    method: str


def largest(model: Any, function: Callable[[Any], Any]) -> Largest:
    """Largest value of a function over a model's class.

    Parameters
    ----------
    model : model
        With ``hypotheses()`` (enumerated), or ``chart`` and ``chart_dimension`` (searched).
    function : callable
        From an array of hypotheses to an array of values.
    """
    if not hasattr(model, "hypotheses"):
        return _search(model, function)
    hypotheses = model.hypotheses()
    values = np.asarray(function(hypotheses), dtype=float)
    best = int(np.argmax(values))
    return Largest(float(values[best]), hypotheses[best], "enumeration")


def _search(model: Any, function: Callable[[Any], Any]) -> Largest:
    from scipy.optimize import minimize
    from scipy.stats import qmc

    dimension = model.chart_dimension

    def negative(u: np.ndarray) -> float:
        return -float(function(model.chart(np.clip(u, 0, 1)[None]))[0])

    points = qmc.Sobol(dimension, scramble=False).random(_STARTS)
    if dimension <= 6:
        axes = [[0.0, 0.25, 0.5, 0.75, 1.0]] * dimension
        points = np.concatenate([points, np.stack(np.meshgrid(*axes), -1).reshape(-1, dimension)])
    values = np.asarray(function(model.chart(points)), dtype=float)
    best = int(np.argmax(values))
    value, where = float(values[best]), points[best]
    if not np.isfinite(value):
        return Largest(value, model.chart(where), "search")
    for start in points[np.argsort(values, kind="stable")[-_REFINED:]]:
        found = minimize(negative, start, method="Nelder-Mead", tol=1e-12)
        if -found.fun > value:
            value, where = float(-found.fun), np.clip(found.x, 0, 1)
    return Largest(value, model.chart(where), "search")


def check_transfer_exponent(
    subject: Any, rho: float | None = None, C_rho: float | None = None
) -> ExponentCheck:
    """Check ``max(0, E_Q(h) - E_Q(h*_P))**rho <= C_rho E_P(h)`` over a class.

    Parameters
    ----------
    subject : model or ExcessTable
        A model of this room (a `FiniteClass` of your own, say), or a table of excess risks.
    rho, C_rho : float, optional
        The declaration; by default that of the model. With ``rho`` alone the smallest constant
        is found.

    Returns
    -------
    ExponentCheck
        With the worst hypothesis and the smallest constant.
    """
    rho, C_rho = _declared(subject, "rho", rho, "C_rho", C_rho)
    require_positive(rho=rho)
    floor = getattr(subject, "floor", 0.0)

    def ratio(h: Any) -> np.ndarray:
        return _ratio(_excess(subject.excess_Q(h), floor) ** rho, subject.excess_P(h))

    return _check("the transfer exponent rho =", subject, rho, C_rho, ratio)


def check_marginal_exponent(
    subject: Any, gamma: float | None = None, C_gamma: float | None = None
) -> ExponentCheck:
    """Check ``Q_X(h != h*_P)**gamma <= C_gamma P_X(h != h*_P)`` over a class.

    Parameters and result as for `check_transfer_exponent`.
    """
    gamma, C_gamma = _declared(subject, "gamma_marginal", gamma, "C_gamma", C_gamma)
    require_positive(gamma=gamma)
    differs = getattr(subject, "disagreement_Q_from_source", subject.disagreement_Q)

    def ratio(h: Any) -> np.ndarray:
        return _ratio(differs(h) ** gamma, subject.disagreement_P(h))

    return _check("the marginal exponent gamma =", subject, gamma, C_gamma, ratio)


def check_bernstein(
    subject: Any, law: str, beta: float | None = None, C_beta: float | None = None
) -> ExponentCheck:
    """Check ``P_X(h != h*_P) <= C_beta E_P(h)**beta`` over a class, or the same for Q.

    Parameters
    ----------
    subject : model or ExcessTable
    law : {"P", "Q"}
        Source or target.
    beta, C_beta : float, optional
        As for `check_transfer_exponent`; ``beta`` in [0, 1].
    """
    require("law", law, law in ("P", "Q"), '"P" or "Q"')
    beta, C_beta = _declared(subject, f"beta_{law}", beta, f"C_beta_{law}", C_beta)
    require("beta", beta, 0 <= beta <= 1, "a Bernstein exponent in [0, 1]")
    differs = getattr(subject, f"disagreement_{law}")
    excess = getattr(subject, f"excess_{law}")

    def ratio(h: Any) -> np.ndarray:
        return _ratio(differs(h), excess(h) ** beta)

    return _check(f"the Bernstein exponent beta_{law} =", subject, beta, C_beta, ratio)


def check_exponents(model: Any) -> tuple[ExponentCheck, ...]:
    """Check everything that a model declares: transfer, marginal and both Bernstein exponents."""
    return (
        check_transfer_exponent(model),
        check_marginal_exponent(model),
        check_bernstein(model, "P"),
        check_bernstein(model, "Q"),
    )


def smallest_transfer_exponent(subject: Any, C_rho: float = 1.0) -> Largest:
    """The smallest ``rho`` that holds with a given constant, and the hypothesis that needs it.

    Parameters
    ----------
    subject : model or ExcessTable
    C_rho : float
        Constant, above 0.

    Returns
    -------
    Largest
        Its value is inf where some hypothesis is perfect for the source and bad for the target.
    """
    require_positive(C_rho=C_rho)
    floor = getattr(subject, "floor", 0.0)

    def needed(h: Any) -> np.ndarray:
        of_Q = _excess(subject.excess_Q(h), floor)
        of_P = C_rho * np.asarray(subject.excess_P(h), dtype=float)
        hard = (of_Q > 0) & (of_P < 1)
        log_P = np.log(np.where(hard & (of_P > 0), of_P, 1.0))
        log_Q = np.log(np.where(hard & (of_Q < 1), of_Q, 0.5))
        value = np.where(of_P > 0, log_P / log_Q, np.inf)
        return np.where(hard, np.where(of_Q < 1, value, np.inf), 0.0)

    return largest(subject, needed)


def _declared(
    subject: Any, exponent_name: str, exponent: Any, constant_name: str, constant: Any
) -> tuple[float, float | None]:
    if exponent is not None:
        return exponent, constant
    if not hasattr(subject, exponent_name):
        raise InputError(f"{exponent_name} is None and the class declares none; give the exponent")
    own = getattr(subject, exponent_name)
    return own, getattr(subject, constant_name) if constant is None else constant


def _excess(of_Q: Any, floor: float) -> np.ndarray:
    return np.maximum(np.asarray(of_Q, dtype=float) - floor, 0.0)


def _ratio(above: Any, below: Any) -> np.ndarray:
    """``above / below`` with 0/0 = 0 and x/0 = inf."""
    above, below = np.asarray(above, dtype=float), np.asarray(below, dtype=float)
    value = above / np.where(below > 0, below, 1.0)
    return np.where(below > 0, value, np.where(above > 0, np.inf, 0.0))


def _check(
    condition: str, model: Any, exponent: float, constant: float | None, ratio: Callable[[Any], Any]
) -> ExponentCheck:
    if constant is not None:
        require("constant", constant, constant > 0, "a number above 0")
    worst = largest(model, ratio)
    bound = np.inf if constant is None else constant * (1 + _SLACK[worst.method])
    holds = worst.value < np.inf if constant is None else worst.value <= bound
    return ExponentCheck(
        condition, float(exponent), constant, worst.value, worst.where, bool(holds), worst.method
    )
