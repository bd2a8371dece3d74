"""Leading terms of the mean squared error in the regimes, with their constants (ours).

In every regime the estimate is, to leading order, a linear function of the two independent normal
errors of source and target, or a fixed bias: so ``E |b - beta|_2^2`` has a constant, not a rate
alone. Traces are attributes of `models.RegressionModel`:

=================  =============================================================
``trace_all``      ``tr C^-1``
``trace_active``   ``tr (C_SS)^-1``
``trace_inactive`` ``tr (C_NN)^-1``, ``N`` the complement of ``S``
``trace_source``   ``tr (C^-1)_SS``
``shrinkage``      ``|(C_SS)^-1 sign(beta_S)|_2``
=================  =============================================================
"""

from __future__ import annotations

from sympy import Gt, symbols

from tlstat.theory.bound import Assumption, Bound, Source
from tlstat.transfer_lasso.theory.base import (
    FIXED_P,
    IRREPRESENTABLE,
    OURS,
    PAPER_2023,
    l1,
    m,
    n,
    p,
    sigma,
)

__all__ = [
    "BIAS_LIMIT",
    "INACTIVE_LEAST_SQUARES_LIMIT",
    "LEAST_SQUARES_RISK",
    "ORACLE_LIMIT",
    "SOURCE_LIMIT",
    "SOURCE_ORACLE_LIMIT",
]

trace_all, trace_active, trace_inactive, trace_source, shrinkage = symbols(
    "trace_all trace_active trace_inactive trace_source shrinkage", positive=True
)


def _limit(name: str, expr: object, where: str, *needs: Assumption) -> Bound:
    return Bound(
        name=f"mean squared l2 error, leading term: {name}",
        expr=expr,
        kind="rate",
        assumptions=(FIXED_P, *needs),
        source=Source(PAPER_2023, where, note=f"the constant is {OURS}"),
    )


LEAST_SQUARES_RISK = Bound(
    name="mean squared l2 error of least squares with normal columns",
    expr=sigma**2 * trace_all / (n - p - 1),
    kind="exact",
    assumptions=(Assumption("normal rows", "rows are independent N(0, C), noise is normal"),),
    source=Source("textbook", "mean of an inverse Wishart matrix"),
    valid=Gt(n, p + 1),
)
ORACLE_LIMIT = _limit(
    "least squares on S", sigma**2 * trace_active / n, "adaptive ii, adaptive transfer v"
)
INACTIVE_LEAST_SQUARES_LIMIT = _limit(
    "S held at the source, least squares outside",
    sigma**2 * trace_inactive / n,
    "adaptive transfer iv",
    Assumption("larger source", "n/m -> 0: else the source's error on S counts as well"),
)
SOURCE_LIMIT = _limit(
    "the source unchanged", sigma**2 * trace_all / m, "transfer i, adaptive transfer i"
)
SOURCE_ORACLE_LIMIT = _limit(
    "the source on S, zero outside", sigma**2 * trace_source / m, "adaptive transfer ii"
)
BIAS_LIMIT = _limit(
    "bias of the lasso", (l1 * shrinkage) ** 2, "lasso ii, transfer iii", IRREPRESENTABLE
)
