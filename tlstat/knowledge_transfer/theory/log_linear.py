"""Log-linear teachers and students (Appendix H of the paper).

``distance`` is the Euclidean distance of two parameters, ``M`` the largest norm of a feature,
``R`` the range over labels of ``<phi(s, a), theta - theta'>`` and ``d`` the dimension.
"""

from __future__ import annotations

from sympy import Ge, sqrt, symbols, tanh

from tlstat.knowledge_transfer.theory.base import OURS, PAPER, C, n
from tlstat.theory.bound import Assumption, Bound, Source

M, d = symbols("M d", positive=True)
R, distance = symbols("R distance", nonnegative=True)

LOG_LINEAR = Assumption(
    "log-linear", "teacher and student are proportional to exp <phi(s, a), theta>"
)

LOG_LINEAR_UPPER = Bound(
    name="log-linear laws: total variation by the distance of parameters",
    expr=M * distance,
    kind="upper",
    assumptions=(LOG_LINEAR,),
    source=Source(PAPER, "Proposition H.2"),
    valid=Ge(distance, 0),
)
LOG_LINEAR_UPPER_SHARP = Bound(
    name="log-linear laws: total variation by the distance of parameters, best constant",
    expr=M * distance / 2,
    kind="upper",
    assumptions=(LOG_LINEAR,),
    source=Source(PAPER, "Proposition H.2", note=f"1/2 of it, which is best possible: {OURS}"),
    valid=Ge(distance, 0),
)
LOG_LINEAR_UPPER_RANGE = Bound(
    name="log-linear laws: total variation by the range of the logits' difference",
    expr=tanh(R / 4),
    kind="upper",
    assumptions=(LOG_LINEAR,),
    source=Source(PAPER, "Proposition H.2", note=f"{OURS}; attained with two labels"),
    valid=Ge(R, 0),
)
LOG_LINEAR_HARD_RATE = Bound(
    name="log-linear laws: conjectured rate of parameters from hard labels",
    expr=C * sqrt(d / n),
    kind="rate",
    scope="worst case over the class",
    assumptions=(LOG_LINEAR,),
    source=Source(PAPER, "Appendix H, conjecture", note="not proved"),
    free=("C",),
)
LOG_LINEAR_PARTIAL_RATE = Bound(
    name="log-linear laws: conjectured rate of parameters from partial soft labels",
    expr=C * d / n,
    kind="rate",
    scope="worst case over the class",
    assumptions=(LOG_LINEAR,),
    source=Source(
        PAPER,
        "Appendix H, conjecture",
        note="not proved; with generic features recovery is exact after about d cells",
    ),
    free=("C",),
)
