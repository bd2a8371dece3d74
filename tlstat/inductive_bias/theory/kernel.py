r"""Kernel and linear spaces: the error is a quadratic form in normals, and its tail is known.

The test error of a hypothesis that fits is ``e = e_0 + sum_j w_j chi^2_C(nu_j)`` over the
``m`` test points; ``N = m C`` counts its squared normals. Scalars that the closed forms need:

=========  =========================================================================
``gap``    ``eps - e_0``, above the smallest attainable error
``log_w``  sum of the logarithms of the weights, each as often as it occurs (N terms)
``nu``     sum of the non-centralities
``w_min``  smallest weight
``x``      the error as a share of its mean, where all weights are equal
=========  =========================================================================
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import betaln
from sympy import And, Ge, Gt, Le, Lt, Rational, log, loggamma, pi

from tlstat.inductive_bias.theory.base import (
    CENTRED,
    EIB,
    MEMORY,
    OURS,
    QUADRATIC,
    C,
    N,
    d,
    eps,
    gap,
    log_w,
    m,
    n,
    norm2,
    nu,
    tau,
    w_min,
    x,
)
from tlstat.inductive_bias.theory.chi_squared import gamma_log_cdf, noncentral_log_cdf
from tlstat.theory.bound import Assumption, Bound, Source

__all__ = [
    "CHERNOFF_GAP",
    "HALF_SPACE",
    "HALF_SPACE_LOWER",
    "HALF_SPACE_UPPER",
    "ISOTROPIC",
    "ISOTROPIC_LEADING",
    "LINEAR_REGRESSION",
    "LINEAR_REGRESSION_GROWTH",
    "SMALL_BALL",
    "SMALL_BALL_LOWER",
    "SMALL_BALL_SLOPE",
    "SMALL_BALL_UPPER",
    "TEST_SIZE",
    "TEST_SIZE_SLOPE",
]

_SPACE = Source(EIB, "kernel hypothesis space", f"the law of the error and its tail: {OURS}")

# ------------------------------------------------------------------------ small balls

_ball = log_w / 2 + N / 2 * log(2) + loggamma(N / 2 + 1) - N / 2 * log(gap)

SMALL_BALL = Bound(
    name="bias near the smallest attainable error",
    expr=_ball + nu / 2,
    kind="rate",
    scope="to o(1) nats as eps falls to e_0",
    assumptions=(QUADRATIC,),
    source=_SPACE,
)
SMALL_BALL_LOWER = Bound(
    name="bias of a centred form, lower bound",
    expr=_ball,
    kind="lower",
    assumptions=(QUADRATIC, CENTRED),
    source=Source(EIB, "kernel hypothesis space", f"volume times the largest density: {OURS}"),
)
SMALL_BALL_UPPER = Bound(
    name="bias of a centred form, upper bound",
    expr=_ball + gap / (2 * w_min),
    kind="upper",
    assumptions=(QUADRATIC, CENTRED),
    source=Source(EIB, "kernel hypothesis space", f"volume times the smallest density: {OURS}"),
)
SMALL_BALL_SLOPE = Bound(
    name="growth of the bias with log(1/(eps - e_0)), in nats, near the smallest attainable error",
    expr=m * C / 2,
    kind="rate",
    scope="limit as eps falls to e_0",
    assumptions=(QUADRATIC,),
    source=_SPACE,
)

# ------------------------------------------------------------- equal weights, test size

ISOTROPIC = Bound(
    name="bias at x times the mean error, N equal weights and no offset",
    value=lambda N, x: -gamma_log_cdf(np.asarray(N, float) / 2, np.asarray(N, float) * x / 2),
    symbols=("N", "x"),
    kind="exact",
    assumptions=(QUADRATIC, CENTRED),
    source=_SPACE,
)
ISOTROPIC_LEADING = Bound(
    name="bias at x times the mean error, N equal weights, leading terms",
    expr=N / 2 * (x - 1 - log(x)) + log(pi * N) / 2 + log(1 - x),
    kind="rate",
    scope="to O(1/N) nats",
    assumptions=(QUADRATIC, CENTRED),
    source=Source("classical", "Lugannani and Rice (1980)", f"for this law: {OURS}"),
    valid=Lt(x, 1),
)
TEST_SIZE = Bound(
    name="bias at a fixed share of the mean error grows like the number of test outputs",
    expr=m * C / 2 * (x - 1 - log(x)),
    kind="lower",
    scope="equal weights, no offset",
    assumptions=(QUADRATIC, CENTRED),
    source=Source("classical", "Chernoff (1952)", f"for this law: {OURS}"),
    valid=Lt(x, 1),
)
TEST_SIZE_SLOPE = Bound(
    name="deep in the tail the bias grows like (m C / 2) log(1/eps)",
    expr=m * C / 2 * log(1 / eps),
    kind="rate",
    scope="eps far below every weight",
    assumptions=(QUADRATIC,),
    source=_SPACE,
    valid=Lt(eps, 1),
)
CHERNOFF_GAP = Bound(
    name="bias above its Chernoff bound at the small-ball end, in nats",
    expr=log(pi * N) / 2,
    kind="rate",
    scope="limit as eps falls to e_0, to O(1/N) nats",
    assumptions=(QUADRATIC,),
    source=Source("classical", "Stirling's formula", f"for this law: {OURS}"),
)

# ------------------------------------------------------------- noise-free linear regression

_LINEAR = Assumption(
    "isotropic linear regression",
    "n < d noise-free examples; theta is N(0, tau^2 I), the error |theta - theta*|^2 outside "
    "the examples' span, where theta* has squared length norm2",
)


def _linear_regression(d: Any, n: Any, eps: Any, tau: Any, norm2: Any) -> Any:
    grids = np.broadcast_arrays(*(np.asarray(v, float) for v in (d, n, eps, tau, norm2)))
    out = np.empty(grids[0].shape)
    for at in np.ndindex(out.shape):
        dim, used, error, scale, length = (float(g[at]) for g in grids)
        out[at] = -noncentral_log_cdf(error / scale**2, dim - used, length / scale**2)
    return out


LINEAR_REGRESSION = Bound(
    name="bias of noise-free isotropic linear regression, population error",
    value=_linear_regression,
    symbols=("d", "n", "eps", "tau", "norm2"),
    kind="exact",
    assumptions=(_LINEAR,),
    source=Source("classical", "non-central chi-squared law", f"as a bias: {OURS}"),
    valid=Gt(d, n),
)
_free = d - n
LINEAR_REGRESSION_GROWTH = Bound(
    name="bias of noise-free isotropic linear regression, small eps: linear in d - n",
    expr=_free / 2 * log(_free * tau**2 / eps)
    - _free / 2
    + log(pi * _free) / 2
    + norm2 / (2 * tau**2),
    kind="rate",
    scope="to O(1/(d - n)) nats as eps falls to 0",
    assumptions=(_LINEAR,),
    source=Source("classical", "small balls and Stirling's formula", f"as a bias: {OURS}"),
    valid=Gt(d, n),
)

# -------------------------------------------------------------------------- half-spaces

_DIRECTION = Assumption(
    "random direction", "a half-space through 0 with a normal direction; inputs rotation invariant"
)
_HALF = And(Gt(eps, 0), Le(eps, Rational(1, 2)), Ge(d, 2))


def _cap(d: Any, eps: Any) -> tuple[Any, Any, Any]:
    """Exponent, squared sine, and log of the leading term of the incomplete beta function."""
    a = (np.asarray(d, float) - 1) / 2
    squared = np.sin(np.pi * np.asarray(eps, float)) ** 2
    return a, squared, a * np.log(squared) - np.log(a) - betaln(a, 0.5)


def _half_space(d: Any, eps: Any) -> Any:
    from scipy.special import betainc, hyp2f1

    a, squared, leading = np.broadcast_arrays(*_cap(d, eps))
    with np.errstate(divide="ignore"):
        out = np.array(np.log(betainc(a, 0.5, squared)))
    deep = out < -600
    # I_s(a, 1/2) = s^a / (a B(a, 1/2)) 2F1(a, 1/2; a + 1; s)
    out[deep] = leading[deep] + np.log(hyp2f1(a[deep], 0.5, a[deep] + 1, squared[deep]))
    return np.log(2) - out


HALF_SPACE = Bound(
    name="bias of a random half-space towards a target direction",
    value=_half_space,
    symbols=("d", "eps"),
    kind="exact",
    assumptions=(_DIRECTION,),
    source=Source("classical", "area of a spherical cap", MEMORY),
    valid=_HALF,
)
HALF_SPACE_LOWER = Bound(
    name="bias of a random half-space, lower bound",
    value=lambda d, eps: np.log(2) - _cap(d, eps)[2] + np.log(np.cos(np.pi * np.asarray(eps))),
    symbols=("d", "eps"),
    kind="lower",
    assumptions=(_DIRECTION,),
    source=Source("classical", "area of a spherical cap", OURS),
    valid=And(_HALF, Lt(eps, Rational(1, 2))),
)
HALF_SPACE_UPPER = Bound(
    name="bias of a random half-space, upper bound",
    value=lambda d, eps: np.log(2) - _cap(d, eps)[2],
    symbols=("d", "eps"),
    kind="upper",
    assumptions=(_DIRECTION,),
    source=Source("classical", "area of a spherical cap", OURS),
    valid=_HALF,
)
