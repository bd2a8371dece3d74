"""Closed forms on the paper's instances (its Appendix F), and on any teacher of a cell."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from sympy import E, Ge, factorial, pi, sqrt

from tlstat.knowledge_transfer.instances import on_off_constant
from tlstat.knowledge_transfer.models import Teacher
from tlstat.knowledge_transfer.risk import exact_risk, expected_missing_mass
from tlstat.knowledge_transfer.theory.base import (
    BASE,
    ON_INSTANCE_0,
    ON_INSTANCE_1,
    ON_INSTANCE_2,
    ON_INSTANCE_2STAR,
    ON_INSTANCE_3,
    OURS,
    PAPER,
    A,
    S,
    n,
    numeric,
)
from tlstat.theory.bound import Assumption, Bound, Source


@lru_cache(maxsize=4096)
def _on_instance(name: str, level: str, S: int, A: int, n: int) -> float:
    cell = {"instance": name, "S": S, "A": A, "n": n}
    return exact_risk(Teacher.from_cell(cell), n, level)


def _exact_on(name: str, level: str, assumption: Assumption, valid: Any) -> Bound:
    one = numeric(lambda S, A, n: _on_instance(name, level, S, A, n))
    return Bound(
        name=f"{level} labels: exact risk on Instance {name}",
        value=lambda S, A, n: one(S, A, n),
        symbols=("S", "A", "n"),
        kind="exact",
        scope=f"Instance {name}",
        assumptions=(*BASE, assumption),
        source=Source(PAPER, "Appendix F", note=f"closed form {OURS}"),
        valid=valid,
    )


HARD_ON_INSTANCE_0 = _exact_on("0", "hard", ON_INSTANCE_0, Ge(n, 0))
PARTIAL_ON_INSTANCE_0 = _exact_on("0", "partial", ON_INSTANCE_0, Ge(n, 0))
SOFT_ON_INSTANCE_0 = _exact_on("0", "soft", ON_INSTANCE_0, Ge(n, 0))
HARD_ON_INSTANCE_1 = _exact_on("1", "hard", ON_INSTANCE_1, Ge(n, S * A / 16))
SOFT_ON_INSTANCE_1 = _exact_on("1", "soft", ON_INSTANCE_1, Ge(n, S * A / 16))
HARD_ON_INSTANCE_2 = _exact_on("2", "hard", ON_INSTANCE_2, Ge(n, S * A / 2))
PARTIAL_ON_INSTANCE_2 = _exact_on("2", "partial", ON_INSTANCE_2, Ge(n, S * A / 2))
SOFT_ON_INSTANCE_2 = _exact_on("2", "soft", ON_INSTANCE_2, Ge(n, S * A / 2))
HARD_ON_INSTANCE_2STAR = _exact_on("2*", "hard", ON_INSTANCE_2STAR, Ge(n, 2 * S * A))
PARTIAL_ON_INSTANCE_2STAR = _exact_on("2*", "partial", ON_INSTANCE_2STAR, Ge(n, 2 * S * A))
HARD_ON_INSTANCE_3 = _exact_on("3", "hard", ON_INSTANCE_3, Ge(n, S * A / 2))
PARTIAL_ON_INSTANCE_3 = _exact_on("3", "partial", ON_INSTANCE_3, Ge(n, S * A / 2))
SOFT_ON_INSTANCE_3 = _exact_on("3", "soft", ON_INSTANCE_3, Ge(n, S * A / 2))


def _limit_on(name: str, level: str, assumption: Assumption, note: str, **form: Any) -> Bound:
    return Bound(
        name=f"{level} labels: leading term of the risk on Instance {name}",
        kind="rate",
        scope=f"Instance {name}",
        assumptions=(*BASE, assumption),
        source=Source(PAPER, "Appendix F", note=f"{note} {OURS}"),
        **form,
    )


_h = (A - 1) / 2
_GROWS = "constant, as n/(SA) grows,"
HARD_ON_INSTANCE_1_LIMIT = _limit_on(
    "1", "hard", ON_INSTANCE_1, _GROWS, expr=sqrt(S * (A - 1) / (2 * pi * n))
)
HARD_ON_INSTANCE_2_LIMIT = _limit_on(
    "2",
    "hard",
    ON_INSTANCE_2,
    "for odd A the Poisson limit",
    expr=S / n * (_h / E + _h ** (_h + 1) * E ** (-_h) / factorial(_h)),
)
_shared = numeric(lambda A: on_off_constant(A, (A - 1) // 2, 1.0) * (A - 1))
PARTIAL_ON_INSTANCE_2_LIMIT = _limit_on(
    "2",
    "partial",
    ON_INSTANCE_2,
    "for odd A the Poisson limit",
    value=lambda S, A, n: S * _shared(A) / n,
    symbols=("S", "A", "n"),
)
WEIGHTED_ON_INSTANCE_2_LIMIT = _limit_on(
    "2", "weighted", ON_INSTANCE_2, "for odd A the student is the point mass:", expr=S * _h / n
)
SOFT_ON_INSTANCE_3_LIMIT = _limit_on(
    "3", "soft", ON_INSTANCE_3, _GROWS, expr=(1 - 1 / A) * (S - 1) / (E * n)
)


@lru_cache(maxsize=4096)
def _exact_of_teacher(teacher: Teacher, n: int, level: str) -> float:
    return exact_risk(teacher, n, level)


def exact(level: str) -> Callable[[Any, Any], float]:
    """Exact risk of a student on the cell's own teacher, for claims of equality.

    Parameters
    ----------
    level : {"hard", "partial", "soft", "unnormalised"}

    Returns
    -------
    callable
        ``(cell, model) -> float``.
    """

    def exact_of_cell(cell: Any, model: Teacher) -> float:
        return _exact_of_teacher(model, cell["n"], level)

    exact_of_cell.__name__ = f"exact risk of the {level}-label student"
    return exact_of_cell


def mean_missing_mass(level: str = "partial") -> Callable[[Any, Any], float]:
    """Expected missing mass on the cell's own teacher, which bounds the risk of a student.

    Parameters
    ----------
    level : {"partial", "soft"}
        Of inputs and labels together, or of the inputs.

    Returns
    -------
    callable
        ``(cell, model) -> float``.
    """

    def mean_of_cell(cell: Any, model: Teacher) -> float:
        law = model.rho if level == "soft" else model
        return float(expected_missing_mass(law, cell["n"]))

    mean_of_cell.__name__ = f"expected missing mass at level {level}"
    return mean_of_cell
