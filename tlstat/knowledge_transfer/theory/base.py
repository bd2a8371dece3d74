"""Symbols, assumptions and sources that the theorems share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sympy import symbols

from tlstat.backend import namespace
from tlstat.errors import InputError
from tlstat.knowledge_transfer.models import Teacher
from tlstat.knowledge_transfer.priors import Prior
from tlstat.theory.bound import Assumption

PAPER = "arXiv:2310.07838"
OURS = "derived here, not in the paper"

S, A, n, delta, k, C = symbols("S A n delta k C", positive=True)
xi, xi_tilde, root_rho, spread, c_S, c_A = symbols(
    "xi xi_tilde root_rho spread c_S c_A", nonnegative=True
)


def double(function: Callable[..., Any]) -> Callable[..., Any]:
    """A closed form whose parameters arrive as float64 arrays, numpy's or torch's."""

    def value(**params: Any) -> Any:
        tensor = next((v for v in params.values() if hasattr(v, "detach")), 0)
        xp = namespace(tensor)
        given = {name: xp.asarray(v, dtype=xp.float64) for name, v in params.items()}
        with np.errstate(divide="ignore", invalid="ignore"):
            return function(**given)

    return value


def complement_power(x: Any, n: Any) -> Any:
    """``(1 - x)**n`` without the loss of digits that ``1 - x`` has where ``n`` is large."""
    xp = namespace(x)
    power = xp.exp(n * xp.log1p(-x))
    return xp.where(n == 0, xp.ones_like(power), power)


def numeric(function: Callable[..., float]) -> Callable[..., Any]:
    """A formula of integers as the value of a bound: arrays, rounding, NaN where undefined.

    Slopes are measured between integers and cells hold them as floats, hence the rounding.
    """

    def one(*args: float) -> float:
        try:
            return float(function(*(int(round(x)) for x in args)))
        except (InputError, ValueError, OverflowError):
            return float("nan")

    return np.vectorize(one, otypes=[float])


def _same_size(model: Any, cell: Any) -> bool:
    sizes = {name: cell[name] for name in ("S", "A") if name in cell}
    return model is not None and all(getattr(model, name) == sizes[name] for name in sizes)


def _instance(name: str) -> Callable[[Any, Any], bool]:
    def check(model: Any, cell: Any) -> bool:
        wanted = {"instance": name, "S": cell["S"], "A": cell["A"], "n": cell["n"]}
        return isinstance(model, Teacher) and model == Teacher.from_cell(wanted)

    return check


def _prior(*names: str) -> Callable[[Any, Any], bool]:
    def check(model: Any, cell: Any) -> bool:
        return isinstance(model, Prior) and "prior" in cell and cell["prior"] in names

    return check


TABULAR = Assumption(
    "tabular",
    "inputs and labels are finite, as many as S and A say, and the teacher is the truth",
    check=_same_size,
)
SAMPLED = Assumption(
    "independent sample", "the n labelled inputs are independent draws from rho times pi"
)
ON_INSTANCE_0 = Assumption("instance 0", "the teacher is Instance 0", check=_instance("0"))
ON_INSTANCE_1 = Assumption("instance 1", "the teacher is Instance 1 at this n", _instance("1"))
ON_INSTANCE_2 = Assumption("instance 2", "the teacher is Instance 2 at this n", _instance("2"))
ON_INSTANCE_2STAR = Assumption(
    "instance 2*", "the teacher is Instance 2* at this n", _instance("2*")
)
ON_INSTANCE_3 = Assumption("instance 3", "the teacher is Instance 3 at this n", _instance("3"))
OVER_PAIRS = Assumption("prior on pairs", "teachers are drawn from the pairs", _prior("pairs"))
OVER_WIDEST_PAIRS = Assumption(
    "prior on pairs with the worst gap",
    "teachers are drawn from the pairs with the gap that is worst at this n",
    _prior("pairs*"),
)
OVER_DIRICHLET = Assumption(
    "Dirichlet prior",
    "rows are symmetric Dirichlet with the concentration that is worst at this n",
    _prior("dirichlet"),
)
OVER_BUDDIES = Assumption(
    "prior on living labels", "teachers are drawn with one living label a pair", _prior("buddies")
)
OVER_SUBSETS = Assumption(
    "prior on subsets", "teachers are drawn with a random set of living labels", _prior("subsets")
)
OVER_DIRACS = Assumption(
    "prior on deterministic teachers",
    "teachers are deterministic with uniform labels, inputs rare",
    _prior("deterministic"),
)
OVER_WORST_DIRACS = Assumption(
    "prior on deterministic teachers, worst inputs",
    "teachers are deterministic with uniform labels, inputs have the largest missing mass",
    _prior("deterministic*"),
)
BASE = (TABULAR, SAMPLED)
