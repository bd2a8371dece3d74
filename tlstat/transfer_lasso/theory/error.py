"""Error bound, rate and screening of the transfer lasso with a fixed number of rows.

On the event ``|X'e/n|_inf <= c lam``, optimality of ``b`` puts ``v = b - beta`` into the set of
`restricted_eigenvalue` and gives, with ``s`` the size of the support,

    phi^2 |v|_2^2 / 2 <= lam ( (alpha + c) sqrt(s) |v|_2 + (1 - alpha) |Delta|_1 ):

the bound is the larger root. Where ``Delta`` is not known, its l1 norm is an assumption.
"""

from __future__ import annotations

from sympy import And, Ge, Gt, Le, Lt, Min, exp, log, sqrt

from tlstat.theory.bound import Assumption, Bound, Source
from tlstat.transfer_lasso.theory.base import (
    DERIVED,
    LINEAR,
    OURS,
    PAPER_2020,
    C,
    alpha,
    c,
    delta,
    drift_l1,
    lam,
    n,
    p,
    phi2,
    s,
    sigma,
)

__all__ = [
    "ERROR_BOUND",
    "ERROR_RATE",
    "LASSO_ERROR_BOUND",
    "NOISE_LEVEL",
    "NOISE_PROBABILITY",
    "PREDICTION_BOUND",
    "SCREENING_LEVEL",
    "TOLERABLE_DRIFT",
]

_EVENT = Assumption("noise event", "|X'e/n|_inf <= c lam, which NOISE_PROBABILITY bounds")
_BASE = (LINEAR, _EVENT)
_SHARE = And(Ge(alpha, c), Le(alpha, 1), Gt(c, 0))

NOISE_PROBABILITY = Bound(
    name="probability that the noise exceeds c lam",
    expr=Min(1, 2 * p * exp(-n * c**2 * lam**2 / (2 * sigma**2))),
    kind="upper",
    assumptions=(LINEAR,),
    source=Source(PAPER_2020, "noise event", note=DERIVED),
    valid=Gt(c, 0),
)
NOISE_LEVEL = Bound(
    name="level lam at which the noise exceeds c lam with probability at most delta",
    expr=sigma / c * sqrt(2 * log(2 * p / delta) / n),
    kind="upper",
    assumptions=(LINEAR,),
    source=Source(PAPER_2020, "noise event", note=DERIVED),
    valid=And(Gt(c, 0), Gt(delta, 0), Lt(delta, 1)),
)

_root = (
    (alpha + c) * lam * sqrt(s)
    + sqrt((alpha + c) ** 2 * lam**2 * s + 2 * (1 - alpha) * lam * phi2 * drift_l1)
) / phi2
ERROR_BOUND = Bound(
    name="squared l2 error of the transfer lasso",
    expr=_root**2,
    kind="upper",
    sense="probability",
    assumptions=_BASE,
    source=Source(PAPER_2020, "error bound with the GRE constant", note=DERIVED),
    valid=And(_SHARE, Gt(delta, 0), Lt(delta, 1)),
    symbols=("delta",),
)
LASSO_ERROR_BOUND = Bound(
    name="squared l2 error of the lasso (alpha = 1)",
    expr=4 * (1 + c) ** 2 * lam**2 * s / phi2**2,
    kind="upper",
    sense="probability",
    assumptions=_BASE,
    source=Source(PAPER_2020, "error bound at alpha = 1", note=DERIVED),
    valid=And(Gt(c, 0), Le(c, 1), Gt(delta, 0), Lt(delta, 1)),
    symbols=("delta",),
)
PREDICTION_BOUND = Bound(
    name="in-sample prediction error |X(b - beta)|_2^2 / n of the transfer lasso",
    expr=(
        (alpha + c) * lam * sqrt(s / phi2)
        + sqrt((alpha + c) ** 2 * lam**2 * s / phi2 + 2 * (1 - alpha) * lam * drift_l1)
    )
    ** 2,
    kind="upper",
    sense="probability",
    assumptions=_BASE,
    source=Source(PAPER_2020, "proof of the error bound", note=f"this form {OURS}"),
    valid=And(_SHARE, Gt(delta, 0), Lt(delta, 1)),
    symbols=("delta",),
)
SCREENING_LEVEL = Bound(
    name="smallest |beta_j| that is certainly selected",
    expr=_root,
    kind="upper",
    assumptions=_BASE,
    source=Source(PAPER_2020, "screening", note=DERIVED),
    valid=_SHARE,
)
ERROR_RATE = Bound(
    name="squared l2 error of the transfer lasso: rate at lam of order sqrt(log p / n)",
    expr=C * (s * log(p) / n + drift_l1 * sqrt(log(p) / n)),
    kind="rate",
    assumptions=(LINEAR,),
    source=Source(PAPER_2020, "rate", note=DERIVED),
    valid=Gt(p, 1),
    free=("C",),
)
TOLERABLE_DRIFT = Bound(
    name="|Delta|_1 up to which the lasso's rate survives",
    expr=C * s * sqrt(log(p) / n),
    kind="rate",
    assumptions=(LINEAR,),
    source=Source(PAPER_2020, "rate", note=DERIVED),
    valid=Gt(p, 1),
    free=("C",),
)
