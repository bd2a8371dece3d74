"""Symbols, sources and assumptions that the theorems of this room share.

==================  =========================================================================
``n_P``, ``n_Q``    source and target sample sizes
``rho``, ``C_rho``  transfer exponent: ``C_rho E_P(h) >= max(0, E_Q(h, h*_P))^rho``
``beta_P``, ...     Bernstein exponents: ``Q_X(h != h*_Q) <= C_beta_Q E_Q(h)^beta_Q``
``gamma``           marginal transfer exponent: ``C_gamma P_X(h != h*) >= Q_X(h != h*)^gamma``
``d``               VC dimension, ``d_H`` in the paper
``C``, ``c``        constants that the paper leaves free
``delta``           1 - confidence
==================  =========================================================================

Three neighbours use the same letters otherwise; `neighbours` says how.
"""

from __future__ import annotations

from typing import Any

from sympy import Max, log, symbols

from tlstat.theory.bound import Assumption

HANNEKE_KPOTUFE = "arXiv:2002.04747"

# Full texts were not at hand. What a note says is from memory was derived again, and is tested.
FROM_MEMORY = (
    "statement from memory and derived again here; the number of the theorem was not checked"
)
OURS = "derived for this package, not in the paper"

n_P, n_Q, rho, d, delta, eps = symbols("n_P n_Q rho d delta eps", positive=True)
beta_P, beta_Q = symbols("beta_P beta_Q", nonnegative=True)
gamma, C, c, B = symbols("gamma C c B", positive=True)


def A_n(n: Any) -> Any:
    """``(d/n) log(max(n, d)/d) + log(1/delta)/n``, what a uniform Bernstein event pays."""
    return d / n * log(Max(n, d) / d) + log(1 / delta) / n


TRANSFER = Assumption(
    "transfer exponent", "C_rho E_P(h) >= max(0, E_Q(h, h*_P))^rho for every h in the class"
)
BERNSTEIN_P = Assumption("source noise", "P_X(h != h*_P) <= C E_P(h)^beta_P for every h")
BERNSTEIN_Q = Assumption("target noise", "Q_X(h != h*_Q) <= C E_Q(h)^beta_Q for every h")
MARGINAL = Assumption(
    "marginal transfer exponent", "C P_X(h != h*) >= Q_X(h != h*)^gamma for every h"
)
SHARED = Assumption(
    "relaxed covariate shift",
    "one classifier of the class is best for source and target",
    check=lambda model, cell: getattr(model, "floor", 0.0) == 0.0,
)
SAMPLED = Assumption(
    "independent samples", "n_P draws from P and n_Q from Q, all of them independent"
)
