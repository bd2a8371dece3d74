"""Rates of the literature on linear representations, up to constants and logarithms.

All in the symbols here: ``n`` samples for each of ``t`` tasks, ``N = nt``, ``m`` for the target,
heads of norm about 1, ``nu = sigma_r(A'A/t)``. (arXiv:2002.11684 writes ``n`` for ``N``; Du et al.
write ``k`` for ``r``, ``T`` for ``t``, ``n_1`` and ``n_2`` for ``n`` and ``m``.) The lower bound
is about the worst instance: ERM attains it up to constants (`first_order`), the method of moments
misses it by a root of ``r``.
"""

from __future__ import annotations

from typing import Any

from sympy import Max, sqrt, symbols

from tlstat.task_diversity.theory.base import (
    FROM_MEMORY,
    PAPER_2021,
    C,
    d,
    kappa_bar,
    m,
    n,
    nu,
    r,
    sigma,
    t,
)
from tlstat.theory.bound import Bound, Source

__all__ = [
    "ALTERNATING_RATE",
    "DU_HIGH_DIMENSIONAL_RATE",
    "DU_LINEAR_RATE",
    "FIRST_ORDER_METHOD_RATE",
    "LOWER_BOUND_2021",
    "MOMENTS_RATE",
]

_N = n * t
norm_bar, trace_sigma, top_sigma = symbols("norm_bar trace_sigma top_sigma", positive=True)


def _rate(name: str, expr: Any, ref: str, where: str, **more: Any) -> Bound:
    return Bound(
        name=f"{name}: rate, up to logarithms",
        expr=C * expr,
        kind="rate",
        source=Source(ref, where, note=FROM_MEMORY),
        free=("C",),
        **more,
    )


MOMENTS_RATE = _rate(
    "largest sine of the method of moments",
    sqrt(kappa_bar * d * r / (nu * _N)),
    PAPER_2021,
    "method of moments",
)
FIRST_ORDER_METHOD_RATE = _rate(
    "largest sine of the first-order method (LF-FO)",
    sqrt(Max(d, t) * r / (nu * _N)),
    PAPER_2021,
    "local minima of the factored loss",
)
LOWER_BOUND_2021 = _rate(
    "largest sine of any estimate",
    Max(sqrt(1 / (nu * _N)), sqrt(d * r / _N)),
    PAPER_2021,
    "lower bound",
    scope="all procedures, worst instance",
)
DU_LINEAR_RATE = _rate(
    "excess risk of the target after joint least squares",
    sigma**2 * (d * r / _N + r / m),
    "arXiv:2002.09434",
    "linear representations",
)
DU_HIGH_DIMENSIONAL_RATE = _rate(
    "excess risk of the target after nuclear-norm regularisation",
    norm_bar * (sqrt(trace_sigma / _N) + sqrt(top_sigma / m)),
    "arXiv:2002.09434",
    "high-dimensional representations",
)
ALTERNATING_RATE = _rate(
    "prediction error of alternating minimisation",
    sqrt(d * r / _N) + sqrt(r / m),
    "arXiv:2105.08306",
    "alternating minimisation",
)
