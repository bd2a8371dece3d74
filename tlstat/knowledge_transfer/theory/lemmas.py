"""Lemmas that the proofs rest on: divergences, one unseen symbol, binomial counts."""

from __future__ import annotations

from sympy import And, E, Ge, Gt, Le, Lt, Rational, exp, log, sqrt, symbols

from tlstat.knowledge_transfer.theory.base import PAPER, complement_power, delta, double, n
from tlstat.theory.bound import Bound, Source

p, eta = symbols("p eta", positive=True)
KL = symbols("KL", nonnegative=True)
_PROBABILITY = And(Ge(n, 0), Gt(p, 0), Le(p, 1))

BRETAGNOLLE_HUBER = Bound(
    name="total variation by the Kullback-Leibler divergence",
    expr=1 - exp(-KL) / 2,
    kind="upper",
    source=Source(PAPER, "Bretagnolle and Huber's inequality"),
    valid=Ge(KL, 0),
)
UNSEEN_TERM = Bound(
    name="x (1-x)^n, largest at x = 1/(n+1)",
    expr=(n / (n + 1)) ** (n + 1) / n,
    value=double(lambda n: complement_power(1 / (n + 1), n + 1) / n),
    kind="upper",
    source=Source(PAPER, "Lemma E.5"),
    valid=Gt(n, 0),
)
UNSEEN_TERM_SIMPLE = Bound(
    name="x (1-x)^n",
    expr=1 / (E * n),
    kind="upper",
    source=Source(PAPER, "Lemma E.5"),
    valid=Gt(n, 0),
)
UNSEEN_TERM_PAPER = Bound(
    name="x (1-x)^n, the paper's constant",
    expr=Rational(4, 9) / n,
    kind="upper",
    source=Source(PAPER, "Lemma E.5", note="printed with >= in place of <="),
    valid=Gt(n, 0),
)
INVERSE_COUNT = Bound(
    name="mean of 1/(X+1) for a binomial X",
    expr=(1 - (1 - p) ** (n + 1)) / (p * (n + 1)),
    value=double(lambda n, p: (1 - complement_power(p, n + 1)) / (p * (n + 1))),
    kind="exact",
    source=Source(PAPER, "Appendix E, binomial lemma"),
    valid=_PROBABILITY,
)
INVERSE_COUNT_UPPER = Bound(
    name="mean of 1/(X+1) for a binomial X, simplified",
    expr=1 / (p * (n + 1)),
    kind="upper",
    source=Source(PAPER, "Appendix E, binomial lemma"),
    valid=_PROBABILITY,
)
BINOMIAL_LOWER_TAIL = Bound(
    name="probability that a binomial X is at most (1-eta)np",
    expr=exp(-(eta**2) * n * p / 2),
    kind="upper",
    source=Source(PAPER, "Appendix E, Chernoff's inequality"),
    valid=And(_PROBABILITY, Gt(eta, 0), Lt(eta, 1)),
)
_deviation = sqrt(2 * log(1 / delta) / (n * p))
INVERSE_COUNT_PROBABILITY = Bound(
    name="1/(X+1) for a binomial X, with high probability",
    expr=1 / ((1 - _deviation) * n * p + 1),
    kind="upper",
    sense="probability",
    source=Source(PAPER, "Appendix E, Chernoff's inequality"),
    valid=And(_PROBABILITY, Gt(delta, 0), Lt(delta, 1), Lt(_deviation, 1)),
)
