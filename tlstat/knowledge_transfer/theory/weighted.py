"""Partial soft labels in the wrong loss (Theorem 4.3 of the paper): no consistency.

Also the squared error in log-probability over unnormalised logits, which has the same flaw as
soon as unseen labels keep a finite logit and some labels are impossible.
"""

from __future__ import annotations

from typing import Any

from sympy import And, Ge, Le, exp, sqrt, symbols

from tlstat.knowledge_transfer.models import Teacher
from tlstat.knowledge_transfer.risk import weighted_label_limit
from tlstat.knowledge_transfer.theory.base import (
    BASE,
    ON_INSTANCE_0,
    ON_INSTANCE_1,
    OURS,
    PAPER,
    A,
    C,
    S,
    n,
)
from tlstat.theory.bound import Bound, Source

K_0 = symbols("K_0", nonnegative=True)
z_0 = symbols("z_0", real=True)

WEIGHTED_LABEL_BIAS = Bound(
    name="weighted labels: what is left of the risk on Instance 0 as n grows",
    expr=(A**2 - 1) / (2 * A * (A + 3)),
    kind="exact",
    scope="Instance 0, n to infinity",
    assumptions=(*BASE, ON_INSTANCE_0),
    source=Source(PAPER, "Theorem 4.3 and Lemma 4.2", note=f"closed form {OURS}"),
)
_gap = sqrt(S * A / n) / 4
WEIGHTED_LABEL_BIAS_INSTANCE_1 = Bound(
    name="weighted labels: distance of the sharpened teacher from Instance 1, even A",
    expr=_gap / 2 * (1 - _gap**2) / (1 + _gap**2),
    kind="exact",
    scope="Instance 1, infinitely many draws from it",
    assumptions=(*BASE, ON_INSTANCE_1),
    source=Source(PAPER, "Theorem 4.3 and Lemma 4.2", note=f"closed form {OURS}"),
    valid=Ge(n, S * A / 16),
)
WEIGHTED_LABEL_CONSISTENT = Bound(
    name="weighted labels at the hard-label rate (false)",
    expr=C * sqrt(S * A / n),
    kind="rate",
    scope="Instance 0",
    assumptions=BASE,
    source=Source(PAPER, "Theorem 4.3", note="its negation, as a negative control"),
    free=("C",),
)
UNNORMALISED_LABEL_BIAS = Bound(
    name="unnormalised logits: what is left of the distance at one input as n grows",
    expr=K_0 * exp(z_0) / (1 + K_0 * exp(z_0)),
    kind="exact",
    scope="every instance, n to infinity",
    assumptions=BASE,
    source=Source(PAPER, "Remark D.1", note=f"K_0 impossible labels with the logit z_0 are {OURS}"),
    valid=And(Ge(K_0, 0), Le(z_0, 700)),
)


def weighted_limit(cell: Any, model: Teacher) -> float:
    """Limit of the weighted student's risk on the cell's own teacher, for claims of equality."""
    return weighted_label_limit(model)[1]
