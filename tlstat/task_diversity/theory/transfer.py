"""What the target pays for an estimated representation: exact for Gaussian covariates (ours).

Given ``B_hat`` the target is a linear model in ``z = B_hat'x`` whose noise, independent of ``z``,
has variance ``sigma^2 + b^2``: what ``B_hat`` misses of ``theta = B alpha_0``, of squared norm
``b^2`` (``squared_bias``), acts as noise. So least squares on ``m`` samples has a closed form, and
no test set is needed. Averaged over targets with ``E alpha_0 alpha_0' = I/r`` the squared bias is
``F^2 / r``.

Risks are ``E |theta_hat - theta|^2``, the excess prediction error for ``x ~ N(0, I_d)``; the
figures of arXiv:2002.11684 show the norm, not its square.
"""

from __future__ import annotations

from typing import Any

from sympy import And, Ge, Gt, Lt, symbols

from tlstat.task_diversity.theory.base import (
    EQUAL,
    GAUSSIAN,
    MANY_TASKS,
    NORMAL_NOISE,
    OURS,
    PAPER_2021,
    C,
    d,
    m,
    n,
    near,
    r,
    sigma,
    t,
)
from tlstat.task_diversity.theory.first_order import (
    ERM_ERROR_EQUAL,
    MOMENTS_ERROR_EQUAL,
    U_STATISTIC_ERROR_EQUAL,
)
from tlstat.theory.bound import Assumption, Bound, Source

__all__ = [
    "ERM_TRANSFER_RISK",
    "LARGEST_USEFUL_BIAS",
    "MINIMUM_NORM_RISK",
    "MOMENTS_TRANSFER_RISK",
    "ORACLE_RISK",
    "SINGLE_TASK_RISK",
    "TRANSFER_RATE_2021",
    "TRANSFER_RISK",
    "U_STATISTIC_TRANSFER_RISK",
]

squared_bias, squared_norm = symbols("squared_bias squared_norm", nonnegative=True)
_SAMPLED = (GAUSSIAN, NORMAL_NOISE)
_AVERAGE = Assumption("average target", "E alpha_0 alpha_0' = I_r/r, independent of the sources")


def _after(bias: Any) -> Any:
    """Least squares of ``m`` samples on ``r`` features that miss ``bias``."""
    return bias + (sigma**2 + bias) * r / (m - r - 1)


def _risk(name: str, expr: Any, valid: Any, where: str = "the new task") -> Bound:
    return Bound(
        name=f"excess risk {name}",
        expr=expr,
        kind="exact",
        assumptions=_SAMPLED,
        source=Source(PAPER_2021, where, note=OURS),
        valid=valid,
    )


TRANSFER_RISK = _risk("of the target, given the representation", _after(squared_bias), Gt(m, r + 1))
ORACLE_RISK = _risk("with the true representation", _after(0), Gt(m, r + 1))
SINGLE_TASK_RISK = _risk(
    "of least squares without transfer", sigma**2 * d / (m - d - 1), Gt(m, d + 1)
)
MINIMUM_NORM_RISK = _risk(
    "of the least-norm interpolator without transfer",
    (1 - m / d) * squared_norm + sigma**2 * m / (d - m - 1),
    Lt(m, d - 1),
)
LARGEST_USEFUL_BIAS = Bound(
    name="squared bias below which transfer beats least squares without it",
    expr=sigma**2 * (d / (m - d - 1) - r / (m - r - 1)) * (m - r - 1) / (m - 1),
    kind="exact",
    assumptions=_SAMPLED,
    source=Source(PAPER_2021, "the new task", note=OURS),
    valid=Gt(m, d + 1),
)


def _average(method: str, words: str, error: Bound, valid: Any) -> Bound:
    return Bound(
        name=f"excess risk of an average target after {words}, leading term",
        expr=_after(error.expr / r),
        kind="exact",
        assumptions=(*_SAMPLED, MANY_TASKS, EQUAL, _AVERAGE, near(method)),
        source=Source(PAPER_2021, "meta-learning", note=OURS),
        valid=And(Gt(m, r + 1), valid),
    )


ERM_TRANSFER_RISK = _average("erm", "ERM", ERM_ERROR_EQUAL, Gt(n, r + 1))
MOMENTS_TRANSFER_RISK = _average("moments", "the method of moments", MOMENTS_ERROR_EQUAL, Ge(n, 1))
U_STATISTIC_TRANSFER_RISK = _average(
    "u-statistic", "the U-statistic", U_STATISTIC_ERROR_EQUAL, Gt(n, 1)
)
TRANSFER_RATE_2021 = Bound(
    name="excess risk of the target after the method of moments: rate, up to logarithms",
    expr=C * (d * r**2 / (n * t) + r / m),
    kind="rate",
    assumptions=(GAUSSIAN,),
    source=Source(PAPER_2021, "informal Theorem 1"),
    free=("C",),
)
