"""Symbols, assumptions and sources that the theorems share."""

from __future__ import annotations

from typing import Any

from sympy import symbols

from tlstat.theory.bound import Assumption

PAPER_2020 = "arXiv:2006.14845"
PAPER_2023 = "arXiv:2308.15838"
DERIVED = "derived here; number and constants not compared with the paper"
OURS = "derived here, not in the paper"

n, p, s, sigma, lam, phi2, delta, m, M, C = symbols(
    "n p s sigma lam phi2 delta m M C", positive=True
)
alpha, c, drift_l1, l1, l2 = symbols("alpha c drift_l1 l1 l2", nonnegative=True)
gamma1, gamma2 = symbols("gamma1 gamma2", positive=True)
lambda_exponent, eta_exponent = symbols("lambda_exponent eta_exponent", real=True)


def _consistent(model: Any, cell: Any) -> bool:
    return model is not None and model.p == cell.get("p", model.p)


def _selectable(model: Any, cell: Any) -> bool:
    return _consistent(model, cell) and model.irrepresentable < 1


LINEAR = Assumption(
    "linear model", "y = X beta + e with independent sigma-sub-Gaussian noise and |X_j|^2 <= n"
)
FIXED_P = Assumption(
    "fixed p",
    "p is fixed, X'X/n converges to a positive definite C, and b0 is sqrt(m)-consistent",
    check=_consistent,
)
IRREPRESENTABLE = Assumption(
    "irrepresentable", "|C_NS (C_SS)^-1 sign(beta_S)|_inf < 1", check=_selectable
)
