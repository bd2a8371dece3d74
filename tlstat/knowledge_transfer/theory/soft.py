"""Whole soft labels (Section 5 of the paper): the rate is S/n, and the minimax risk is known."""

from __future__ import annotations

from sympy import And, E, Ge, Gt, Le, Rational, log, sqrt

from tlstat.knowledge_transfer import minimax
from tlstat.knowledge_transfer.theory.base import (
    BASE,
    OURS,
    OVER_DIRACS,
    OVER_WORST_DIRACS,
    PAPER,
    A,
    C,
    S,
    c_S,
    complement_power,
    delta,
    double,
    n,
    numeric,
)
from tlstat.theory.bound import Bound, Source

SOFT_LABEL_RATE = Bound(
    name="soft labels: minimax rate",
    expr=C * S / n,
    kind="rate",
    scope="worst case over the class",
    assumptions=BASE,
    source=Source(PAPER, "Theorems 5.1 and 5.2"),
    free=("C",),
)

# ---------------------------------------------------------------- upper bounds

SOFT_LABEL_UPPER = Bound(
    name="soft labels: risk of the cross-entropy student",
    expr=Rational(4, 9) * S / n,
    kind="upper",
    assumptions=BASE,
    source=Source(PAPER, "Theorem 5.2"),
    valid=Ge(n, 1),
)
SOFT_LABEL_UPPER_SHARP = Bound(
    name="soft labels: risk of the cross-entropy student with the uniform guess",
    expr=(1 - 1 / A) * S / (E * n),
    kind="upper",
    assumptions=BASE,
    source=Source(PAPER, "Theorem 5.2", note=f"constant (1 - 1/A)/e is {OURS}"),
    valid=Ge(n, 1),
)
SOFT_LABEL_UPPER_PROBABILITY = Bound(
    name="soft labels: risk with high probability",
    expr=Rational(4, 9) * S / n + 3 * sqrt(S) * log(1 / delta) / n,
    kind="upper",
    sense="probability",
    assumptions=BASE,
    source=Source(PAPER, "Theorem 5.2"),
    valid=And(Ge(n, 1), Gt(delta, 0), Le(delta, Rational(1, 10))),
)
SOFT_LABEL_EXPONENTIAL = Bound(
    name="soft labels: risk where every input has mass of at least c_S",
    expr=(1 - c_S) ** n,
    value=double(lambda c_S, n: complement_power(c_S, n)),
    kind="upper",
    scope="every instance of at least this mass",
    assumptions=BASE,
    source=Source(PAPER, "Remark 6.1"),
    valid=And(Ge(n, 0), Ge(c_S, 0), Le(c_S, 1)),
)

# ---------------------------------------------------------------- lower bounds

SOFT_LABEL_LOWER = Bound(
    name="soft labels: lower bound for every procedure",
    expr=(S - 1) / (2 * E * (n + 1)),
    kind="lower",
    scope="all procedures",
    assumptions=(*BASE, OVER_DIRACS),
    source=Source(PAPER, "Theorem 5.1"),
    valid=And(Gt(S, 1), Gt(A, 1), Gt(n, S - 1)),
)
_bayes = numeric(minimax.deterministic_bayes_risk)
SOFT_LABEL_BAYES = Bound(
    name="soft labels: Bayes risk over deterministic teachers on rare inputs",
    value=lambda S, A, n: _bayes(S, A, n),
    symbols=("S", "A", "n"),
    kind="exact",
    scope="all procedures",
    assumptions=(*BASE, OVER_DIRACS),
    source=Source(PAPER, "Theorem 5.1", note=f"1 - 1/A in place of 1/2 is {OURS}"),
    valid=And(Gt(S, 1), Gt(A, 1), Ge(n, S - 1)),
)

# ---------------------------------------------------------------- they meet

_minimax = numeric(minimax.soft_label_minimax)
SOFT_LABEL_MINIMAX = Bound(
    name="soft labels: the minimax risk",
    value=lambda S, A, n: _minimax(S, A, n),
    symbols=("S", "A", "n"),
    kind="upper",
    assumptions=BASE,
    source=Source(PAPER, "Theorems 5.1 and 5.2", note=f"upper and lower bound meet: {OURS}"),
    valid=Ge(n, 0),
)
SOFT_LABEL_MINIMAX_LOWER = Bound(
    name="soft labels: the minimax risk, as a lower bound for every procedure",
    value=lambda S, A, n: _minimax(S, A, n),
    symbols=("S", "A", "n"),
    kind="lower",
    scope="all procedures",
    assumptions=(*BASE, OVER_WORST_DIRACS),
    source=Source(PAPER, "Theorems 5.1 and 5.2", note=f"upper and lower bound meet: {OURS}"),
    valid=Ge(n, 0),
)
