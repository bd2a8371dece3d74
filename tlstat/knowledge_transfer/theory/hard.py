"""Hard labels (Section 3 of the paper): the rate is the square root of SA/n."""

from __future__ import annotations

from sympy import And, E, Ge, Gt, Lt, Rational, exp, log, pi, sqrt

from tlstat.knowledge_transfer import minimax
from tlstat.knowledge_transfer.theory.base import (
    BASE,
    OURS,
    OVER_DIRICHLET,
    OVER_PAIRS,
    OVER_WIDEST_PAIRS,
    PAPER,
    A,
    C,
    S,
    delta,
    n,
    numeric,
    root_rho,
    spread,
    xi,
    xi_tilde,
)
from tlstat.theory.bound import Bound, Source

HARD_LABEL_RATE = Bound(
    name="hard labels: minimax rate",
    expr=C * sqrt(S * A / n),
    kind="rate",
    scope="worst case over the class",
    assumptions=BASE,
    source=Source(PAPER, "Theorems 3.1 and 3.2"),
    free=("C",),
)

# ---------------------------------------------------------------- upper bounds

HARD_LABEL_UPPER = Bound(
    name="hard labels: risk of the maximum-likelihood student",
    expr=sqrt(S * (A - 1) / (2 * (n + 1))) + S / (E * n),
    kind="upper",
    assumptions=BASE,
    source=Source(PAPER, "Theorem 3.2", note="constants sharpened here"),
    valid=Ge(n, 1),
)
HARD_LABEL_UPPER_PAPER = Bound(
    name="hard labels: risk of the maximum-likelihood student, the paper's constants",
    expr=sqrt(S * A / n) / 2 + sqrt(S / n),
    kind="upper",
    assumptions=BASE,
    source=Source(PAPER, "Theorem 3.2, proof (D.9)-(D.11)"),
    valid=Ge(n, 1),
)
HARD_LABEL_UPPER_INPUTS = Bound(
    name="hard labels: risk of the maximum-likelihood student, by the law of the inputs",
    expr=sqrt(A / n) * root_rho / 2 + sqrt(S / n),
    kind="upper",
    assumptions=BASE,
    source=Source(PAPER, "Theorem 3.2, proof (D.9)-(D.11)"),
    valid=Ge(n, 1),
)
HARD_LABEL_UPPER_INSTANCE = Bound(
    name="hard labels: risk of the maximum-likelihood student, by the teacher's spread",
    expr=sqrt(xi * S * A / (2 * (n + 1))) + Rational(4, 9) * S / n,
    kind="upper",
    assumptions=BASE,
    source=Source(PAPER, "Theorem 3.2, (3.5)", note="xi with the erratum of its factor 2"),
    valid=Ge(n, 1),
)
HARD_LABEL_UPPER_INSTANCE_SHARP = Bound(
    name="hard labels: risk of the maximum-likelihood student, by a finer spread",
    expr=sqrt(xi_tilde * S * A / (2 * (n + 1))) + S / (E * n),
    kind="upper",
    assumptions=BASE,
    source=Source(
        PAPER, "Theorem 3.2, (3.5), proof", note=f"xi_tilde <= xi in place of xi is {OURS}"
    ),
    valid=Ge(n, 1),
)
HARD_LABEL_UPPER_PROBABILITY = Bound(
    name="hard labels: risk of the maximum-likelihood student, with high probability",
    expr=sqrt((A * log(2) + log((S + 1) / delta)) / 2) * sqrt(S / n)
    + sqrt(2 / n * (S * log(2) + log((S + 1) / delta))),
    kind="upper",
    sense="probability",
    assumptions=BASE,
    source=Source(PAPER, "Theorem 3.2, proof", note="constants read off the proof"),
    valid=And(Ge(n, 1), Gt(delta, 0), Lt(delta, 1)),
)

HARD_LABEL_RATE_PROBABILITY = Bound(
    name="hard labels: rate with high probability",
    expr=C * sqrt(S * (A + log(S / delta)) / n),
    kind="rate",
    sense="probability",
    assumptions=BASE,
    source=Source(PAPER, "Theorem 3.2"),
    valid=And(Gt(delta, 0), Lt(delta, 1)),
    free=("C",),
)

# ---------------------------------------------------------------- lower bounds

HARD_LABEL_LOWER = Bound(
    name="hard labels: lower bound for every procedure",
    expr=exp(-Rational(1, 2)) / 16 * sqrt(S * A / n),
    kind="lower",
    scope="all procedures",
    assumptions=(*BASE, OVER_PAIRS),
    source=Source(PAPER, "Theorem 3.1"),
    valid=And(Gt(A, 1), Ge(n, S * A / 4)),
)
_pairs = numeric(minimax.pair_bayes_risk)
HARD_LABEL_LOWER_PAIRS = Bound(
    name="hard labels: Bayes risk on pairs with the worst gap",
    value=lambda S, A, n: _pairs(S, A, n),
    symbols=("S", "A", "n"),
    kind="lower",
    scope="all procedures",
    assumptions=(*BASE, OVER_WIDEST_PAIRS),
    source=Source(PAPER, "Theorem 3.1", note=f"prior of the paper, exact risk and gap {OURS}"),
    valid=And(Gt(A, 1), Ge(n, 0)),
)
_paper_pairs = numeric(
    lambda S, A, n: minimax.pair_bayes_risk(S, A, n, ((S * (A - A % 2) / n) ** 0.5) / 4)
)
HARD_LABEL_BAYES_PAIRS = Bound(
    name="hard labels: Bayes risk on the paper's pairs",
    value=lambda S, A, n: _paper_pairs(S, A, n),
    symbols=("S", "A", "n"),
    kind="exact",
    scope="all procedures",
    assumptions=(*BASE, OVER_PAIRS),
    source=Source(PAPER, "Theorem 3.1", note=f"prior of the paper, exact value {OURS}"),
    valid=And(Gt(A, 1), Ge(n, S * A / 16)),
)
_dirichlet = numeric(lambda S, A, n: minimax.dirichlet_bayes_risk(A, n, S=S))
HARD_LABEL_LOWER_DIRICHLET = Bound(
    name="hard labels: lower bound by Dirichlet teachers",
    value=lambda S, A, n: _dirichlet(S, A, n),
    symbols=("S", "A", "n"),
    kind="lower",
    scope="all procedures",
    assumptions=(*BASE, OVER_DIRICHLET),
    source=Source(PAPER, "Theorem 3.1", note=f"prior and value are {OURS}"),
    valid=And(Gt(A, 1), Ge(n, 0)),
)

# ---------------------------------------------------------------- leading terms

HARD_LABEL_MINIMAX_LIMIT = Bound(
    name="hard labels: leading term of the minimax risk",
    expr=sqrt(S * (A - 1) / (2 * pi * n)),
    kind="rate",
    scope="worst case over the class",
    assumptions=BASE,
    source=Source(
        "Kamath, Orlitsky, Pichapati and Suresh, COLT 2015",
        "Theorem on L1 loss",
        note="half of it, at each input; as n/(SA) grows",
    ),
)
HARD_LABEL_LIMIT = Bound(
    name="hard labels: leading term of the risk on a fixed teacher",
    expr=spread / sqrt(2 * pi * n),
    kind="rate",
    scope="every instance, as n grows",
    assumptions=BASE,
    source=Source(PAPER, "Theorem 3.2", note=f"constant by the central limit theorem: {OURS}"),
)
