"""Symbols, sources and assumptions that the theorems share."""

from __future__ import annotations

from typing import Any

import numpy as np
from sympy import symbols

from tlstat.task_diversity.theory.limit import unit_row_variances
from tlstat.theory.bound import Assumption

PAPER_2020 = "arXiv:2006.11650"
PAPER_2021 = "arXiv:2002.11684"
OURS = "derived for this package, not in the paper"
FROM_MEMORY = "structure as later papers restate it; constants are left open"
NEAR = 0.15

d, r, t, n, m, N = symbols("d r t n m N", positive=True)
sigma, nu, kappa_bar, delta = symbols("sigma nu kappa_bar delta", positive=True)
C, C1, C2, C3 = symbols("C C1 C2 C3", positive=True)
trace_inverse, trace_inverse_squared = symbols("trace_inverse trace_inverse_squared", positive=True)


def _gaussian(model: Any, cell: Any) -> bool:
    return bool(model.covariates == "gaussian")


def _unit(model: Any, cell: Any) -> bool:
    return model.heads == "hadamard" and abs(np.trace(model.C) - 1) < 1e-9


def _equal(model: Any, cell: Any) -> bool:
    return bool(np.ptp(np.diag(model.C)) < 1e-9 and abs(np.trace(model.C) - 1) < 1e-9)


def _random(model: Any, cell: Any) -> bool:
    return model.heads == "gaussian" and not model.homogeneity and _equal(model, cell)


def predicted_worst(method: str, model: Any, n: int) -> float:
    """Squared sine of the worst direction to first order, ``(d - r) max_i V_ii``."""
    variances = unit_row_variances(method, np.diag(model.C), model.t, n, model.sigma)
    return float((model.d - model.r) * variances.max())


def near(method: str) -> Assumption:
    """The leading term is the whole: predicted squared sine of the worst direction <= 0.15."""

    def check(model: Any, cell: Any) -> bool:
        return predicted_worst(method, model, cell["n"]) <= NEAR

    return Assumption(
        f"{method} in its linear regime",
        f"the worst direction's squared sine is predicted to be at most {NEAR:g}",
        check=check,
    )


GAUSSIAN = Assumption("standard normal covariates", "x ~ N(0, I_d)", check=_gaussian)
MANY_TASKS = Assumption("many tasks", "leading term as t -> infinity with d, r and n fixed")
NORMAL_NOISE = Assumption("normal noise", "e ~ N(0, sigma^2), independent of x")
UNIT_HEADS = Assumption("unit heads", "|alpha_j| = 1 and A'A/t is diagonal, exactly", check=_unit)
EQUAL = Assumption("equal spectrum", "A'A/t = I/r", check=_equal)
RANDOM_HEADS = Assumption("random heads", "alpha_j ~ N(0, I_r/r), independent", check=_random)
