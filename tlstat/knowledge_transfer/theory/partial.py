"""Partial soft labels (Section 4 of the paper): the rate is SA/n."""

from __future__ import annotations

from sympy import And, E, Ge, Gt, LambertW, Le, Lt, Rational, exp, log, sqrt

from tlstat.knowledge_transfer import minimax
from tlstat.knowledge_transfer.theory.base import (
    BASE,
    OURS,
    OVER_BUDDIES,
    OVER_SUBSETS,
    PAPER,
    A,
    C,
    S,
    c_A,
    c_S,
    complement_power,
    delta,
    double,
    n,
    numeric,
)
from tlstat.theory.bound import Bound, Source

PARTIAL_LABEL_RATE = Bound(
    name="partial soft labels: minimax rate",
    expr=C * S * A / n,
    kind="rate",
    scope="worst case over the class",
    assumptions=BASE,
    source=Source(PAPER, "Theorems 4.1 and 4.4"),
    free=("C",),
)

# ---------------------------------------------------------------- upper bounds

PARTIAL_LABEL_UPPER = Bound(
    name="partial soft labels: risk of the squared-log-error student",
    expr=S * A / (E * n),
    kind="upper",
    assumptions=BASE,
    source=Source(PAPER, "Theorem 4.4", note=f"the constant 1/e is {OURS}: joint missing mass"),
    valid=Ge(n, 1),
)
_largest = numeric(lambda S, A, n: minimax.largest_missing_mass(S * A, n))
PARTIAL_LABEL_UPPER_SHARP = Bound(
    name="partial soft labels: largest missing mass of inputs and labels together",
    value=lambda S, A, n: _largest(S, A, n),
    symbols=("S", "A", "n"),
    kind="upper",
    assumptions=BASE,
    source=Source(PAPER, "Theorem 4.4", note=OURS),
    valid=Ge(n, 0),
)
PARTIAL_LABEL_UPPER_PROBABILITY = Bound(
    name="partial soft labels: risk with high probability",
    expr=Rational(4, 9) * S * A / n + 3 * sqrt(S * A) * log(1 / delta) / n,
    kind="upper",
    sense="probability",
    assumptions=BASE,
    source=Source(PAPER, "Theorem 4.4", note=f"without its logarithmic factor: {OURS}"),
    valid=And(Ge(n, 1), Gt(delta, 0), Le(delta, Rational(1, 10))),
)
PARTIAL_LABEL_RATE_PROBABILITY = Bound(
    name="partial soft labels: rate with high probability, several inputs",
    expr=C * S / n * (A + sqrt(A * log(S / delta))) * log(S / delta),
    kind="rate",
    sense="probability",
    assumptions=BASE,
    source=Source(PAPER, "Theorem 4.4, (4.8)"),
    valid=And(Gt(S, 1), Gt(delta, 0), Lt(delta, (S + 2) / 10), Lt(delta, 1)),
    free=("C",),
)
PARTIAL_LABEL_RATE_PROBABILITY_ONE_INPUT = Bound(
    name="partial soft labels: rate with high probability, one input",
    expr=C * (A / n + sqrt(A) / n * log(1 / delta)),
    kind="rate",
    sense="probability",
    assumptions=BASE,
    source=Source(PAPER, "Theorem 4.4"),
    valid=And(Gt(delta, 0), Le(delta, Rational(1, 10))),
    free=("C",),
)
PARTIAL_LABEL_EXPONENTIAL = Bound(
    name="partial soft labels: risk where every label has mass of at least c_S c_A",
    expr=(1 - c_S * c_A) ** n,
    value=double(lambda c_S, c_A, n: complement_power(c_S * c_A, n)),
    kind="upper",
    scope="every instance of at least this mass",
    assumptions=BASE,
    source=Source(PAPER, "Remark 6.1"),
    valid=And(Ge(n, 0), Ge(c_S, 0), Le(c_S, 1), Ge(c_A, 0), Le(c_A, 1)),
)

# ---------------------------------------------------------------- lower bounds

PARTIAL_LABEL_LOWER = Bound(
    name="partial soft labels: lower bound for every procedure",
    expr=S * (A - 1) / (4 * (n + 1)) * (1 - 1 / (n + 1)) ** n,
    value=double(lambda S, A, n: S * (A - 1) / (4 * (n + 1)) * complement_power(1 / (n + 1), n)),
    kind="lower",
    scope="all procedures",
    assumptions=(*BASE, OVER_BUDDIES),
    source=Source(PAPER, "Theorem 4.1"),
    valid=And(Gt(A, 2), Ge(n, S * (A - 1) / 2 - 1)),
)
PARTIAL_LABEL_LOWER_SIMPLE = Bound(
    name="partial soft labels: lower bound for every procedure, simplified",
    expr=S * (A - 1) / (4 * E * (n + 1)),
    kind="lower",
    scope="all procedures",
    assumptions=(*BASE, OVER_BUDDIES),
    source=Source(PAPER, "Theorem 4.1"),
    valid=And(Gt(A, 2), Ge(n, S * (A - 1) / 2 - 1)),
)
_subsets = numeric(minimax.subset_bayes_risk)
PARTIAL_LABEL_LOWER_SHARP = Bound(
    name="partial soft labels: Bayes risk over sets of living labels",
    value=lambda S, A, n: _subsets(S, A, n),
    symbols=("S", "A", "n"),
    kind="lower",
    scope="all procedures",
    assumptions=(*BASE, OVER_SUBSETS),
    source=Source(PAPER, "Theorem 4.1", note=f"prior and exact value are {OURS}"),
    valid=And(Gt(A, 2), Ge(n, 2 * S * A)),
)
_W = LambertW(exp(-Rational(1, 2)) / 2)
PARTIAL_LABEL_MINIMAX_LIMIT = Bound(
    name="partial soft labels: leading term of the minimax risk",
    expr=4 * _W**2 / (1 + 2 * _W) * S * A / n,
    kind="rate",
    scope="worst case over the class",
    assumptions=BASE,
    source=Source(
        PAPER,
        "Theorems 4.1 and 4.4",
        note=f"constant 0.1544 for many labels, a proved lower bound, is {OURS}",
    ),
)
