"""Two-stage ERM for general classes: Tripuraneni, Jordan and Jin (NeurIPS 2020).

Only the structure of these theorems was at hand: their constants are free symbols here, so that
they refuse to give a number. With constants that we can prove, for the same first stage:

* ``R(f_hat, h_hat) - R(f*, h*) <= sup (R - R_hat) + R_hat(f*, h*) - R(f*, h*)``, whose mean is at
  most ``2 L Rad <= sqrt(2 pi) L G`` (symmetrisation, contraction, ``Rad <= sqrt(pi/2) G``); with
  McDiarmid and Hoeffding, another ``B sqrt(2 log(2/delta)/(nt))`` at confidence ``1 - delta``.
* For linear heads of norm at most ``c1`` on ``B'x``, ``x ~ N(0, I_d)``, the composite class has
  ``G <= c1 [ sqrt(r/n) + sqrt(d r/(nt)) (1 + sqrt(2 log(t)/n)) ]``: Cauchy-Schwarz over the tasks,
  then Chevet's inequality. ``d r``, not the ``d r^2`` that the chain rule gives.

====================  =====================================================================
``L, B, D``           Lipschitz constant and range of the loss, range of the predictions
``L_F``               Lipschitz constant of the heads
``G_H, G_F, G_F0``    Gaussian complexities of representations, heads and target heads
``G``                 that of the composite class, ``F^t o H``
``eps``               slack of ``(nu, eps)``-diversity
``c1``                largest norm of a head
====================  =====================================================================

The truth falls as ``1/n`` where the loss is smooth and curved; these bounds fall as
``n^(-1/2)``. `OPTIMISTIC_RISK` interpolates.
"""

from __future__ import annotations

from typing import Any

from sympy import And, Ge, Gt, Lt, log, pi, sqrt, symbols

from tlstat.task_diversity.theory.base import (
    C1,
    C2,
    FROM_MEMORY,
    OURS,
    PAPER_2020,
    C,
    d,
    delta,
    m,
    n,
    nu,
    r,
    t,
)
from tlstat.theory.bound import Assumption, Bound, Source

__all__ = [
    "CHAIN_RULE",
    "EXPECTED_REPRESENTATION_RISK",
    "LINEAR_CLASS_COMPLEXITY",
    "LINEAR_REPRESENTATION_RISK",
    "LOGISTIC_RATE_2020",
    "NEW_TASK_RISK_2020",
    "OPTIMISTIC_RISK",
    "REPRESENTATION_RISK",
    "REPRESENTATION_RISK_2020",
    "TRANSFER_RISK_2020",
]

L, B, D, L_F, G, G_H, G_F, G_F0 = symbols("L B D L_F G G_H G_F G_F0", positive=True)
gap, eps = symbols("gap eps", nonnegative=True)
c1 = symbols("c1", positive=True)

LIPSCHITZ = Assumption("Lipschitz loss", "the loss is L-Lipschitz in the prediction")
BOUNDED = Assumption("bounded loss", "the loss lies in an interval of length B")
REALISED = Assumption("well specified", "y depends on x through f_j(h*(x)), f_j in F, h* in H")
FITTED = Assumption(
    "empirical minimiser", "the estimate fits the sample at least as well as the truth"
)
DIVERSE = Assumption(
    "task diversity", "d(h'; h*) <= d-bar(h'; h*)/nu + eps for every h', over the target heads"
)
NORMAL = Assumption("standard normal covariates", "x ~ N(0, I_d)")
_BASE = (LIPSCHITZ, REALISED, FITTED)
_STAGE = (*_BASE, BOUNDED)
_CONFIDENT = And(Gt(delta, 0), Lt(delta, 1))


def _deviation(samples: Any) -> Any:
    return B * sqrt(log(2 / delta) / samples)


def _theorem(name: str, expr: Any, where: str, *needs: Assumption, free: tuple[str, ...]) -> Bound:
    return Bound(
        name=name,
        expr=expr,
        kind="rate",
        sense="probability",
        assumptions=(*_STAGE, *needs),
        source=Source(PAPER_2020, where, note=FROM_MEMORY),
        valid=_CONFIDENT,
        free=free,
    )


_chained = log(n * t) * (L_F * G_H + G_F) + D / (n * t) ** 2
CHAIN_RULE = Bound(
    name="Gaussian complexity of the composite class",
    expr=C * _chained,
    kind="rate",
    source=Source(PAPER_2020, "chain rule", note=FROM_MEMORY),
    free=("C",),
)
REPRESENTATION_RISK_2020 = _theorem(
    "task-averaged representation difference of the first stage",
    C1 * L * _chained + C2 * _deviation(n * t),
    "representation learning",
    free=("C1", "C2"),
)
NEW_TASK_RISK_2020 = _theorem(
    "excess risk of the target, given the representation",
    gap + C1 * L * G_F0 + C2 * _deviation(m),
    "new task",
    free=("C1", "C2"),
)
TRANSFER_RISK_2020 = _theorem(
    "excess risk of the target after both stages",
    C1 * (L * _chained / nu + L * G_F0) + C2 * (_deviation(n * t) / nu + _deviation(m)) + eps,
    "transfer risk",
    DIVERSE,
    free=("C1", "C2"),
)
LOGISTIC_RATE_2020 = Bound(
    name="excess risk of multi-task logistic regression: rate, up to logarithms",
    expr=C * ((sqrt(d * r**2 / (n * t)) + sqrt(r / n)) / nu + sqrt(r / m)),
    kind="rate",
    assumptions=(DIVERSE,),
    source=Source(PAPER_2020, "multi-task logistic regression", note=FROM_MEMORY),
    free=("C",),
)

# --- with constants --------------------------------------------------------------------------

EXPECTED_REPRESENTATION_RISK = Bound(
    name="mean excess risk of the source tasks",
    expr=sqrt(2 * pi) * L * G,
    kind="upper",
    assumptions=_BASE,
    source=Source(PAPER_2020, "representation learning", note=f"these constants {OURS}"),
)
REPRESENTATION_RISK = Bound(
    name="excess risk of the source tasks",
    expr=sqrt(2 * pi) * L * G + sqrt(2) * _deviation(n * t),
    kind="upper",
    sense="probability",
    assumptions=_STAGE,
    source=Source(PAPER_2020, "representation learning", note=f"these constants {OURS}"),
    valid=_CONFIDENT,
)
_linear = c1 * (sqrt(r / n) + sqrt(d * r / (n * t)) * (1 + sqrt(2 * log(t) / n)))
LINEAR_CLASS_COMPLEXITY = Bound(
    name="Gaussian complexity of linear heads on a linear representation",
    expr=_linear,
    kind="upper",
    assumptions=(NORMAL,),
    source=Source(PAPER_2020, "multi-task logistic regression", note=OURS),
    valid=Ge(t, 1),
)
LINEAR_REPRESENTATION_RISK = Bound(
    name="mean excess risk of the source tasks, linear heads on a linear representation",
    expr=sqrt(2 * pi) * L * _linear,
    kind="upper",
    assumptions=(*_BASE, NORMAL),
    source=Source(PAPER_2020, "multi-task logistic regression", note=OURS),
    valid=Ge(t, 1),
)

# --- optimistic rates ------------------------------------------------------------------------

risk_s, risk_t, fixed_s, fixed_t, b = symbols("risk_s risk_t fixed_s fixed_t b", nonnegative=True)


def _local(risk: Any, samples: Any, fixed: Any) -> Any:
    """``sqrt(risk)`` times the slow rate, plus the fast one."""
    level = log(4 / delta)
    slow = sqrt(b * level / samples) + sqrt(fixed / b)
    return sqrt(risk) * slow + b * level / samples + fixed / b


OPTIMISTIC_RISK = Bound(
    name="excess risk of the target for a smooth loss: slow rate times root of the best risks",
    expr=C1 * _local(risk_t, m, fixed_t) + C2 / nu * _local(risk_s, n * t, fixed_s) + eps,
    kind="rate",
    sense="probability",
    assumptions=(*_STAGE, DIVERSE, Assumption("smooth loss", "the loss is smooth")),
    source=Source(
        "Watkins et al. (NeurIPS 2023)",
        "main theorem",
        note="b: range of the loss; "
        "fixed_s, fixed_t: fixed points of the local complexities; constants are left open",
    ),
    valid=_CONFIDENT,
    free=("C1", "C2"),
)
