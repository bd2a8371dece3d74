"""Classical estimation of a law of k symbols from n draws: hard labels at one input."""

from __future__ import annotations

from sympy import And, Ge, Gt, Lt, log, pi, sqrt

from tlstat.knowledge_transfer.theory.base import OURS, PAPER, C, delta, k, n
from tlstat.theory.bound import Assumption, Bound, Source

KAMATH = "Kamath, Orlitsky, Pichapati and Suresh, COLT 2015"
BRAESS_SAUER_2004 = "Braess and Sauer, J. Approx. Theory 128 (2004)"
KL_2025 = "arXiv:2507.17316"

_DRAWS = (Assumption("independent draws", "the n symbols are independent draws from the law"),)

# ---------------------------------------------------------------- total variation

EMPIRICAL_TV_UPPER = Bound(
    name="total variation of the frequencies",
    expr=sqrt((k - 1) / n) / 2,
    kind="upper",
    assumptions=_DRAWS,
    source=Source(PAPER, "Appendix E", note=f"k - 1 in place of k is {OURS}"),
    valid=Ge(n, 1),
)
EMPIRICAL_TV_UPPER_PAPER = Bound(
    name="total variation of the frequencies, the paper's constant",
    expr=sqrt(k / n) / 2,
    kind="upper",
    assumptions=_DRAWS,
    source=Source(PAPER, "Appendix E"),
    valid=Ge(n, 1),
)
EMPIRICAL_TV_PROBABILITY = Bound(
    name="total variation of the frequencies, with high probability",
    expr=sqrt((k * log(2) + log(1 / delta)) / (2 * n)),
    kind="upper",
    sense="probability",
    assumptions=_DRAWS,
    source=Source(PAPER, "Appendix E, Bretagnolle, Huber and Carol's inequality"),
    valid=And(Ge(n, 1), Gt(delta, 0), Lt(delta, 1)),
)
TV_RATE_PROBABILITY = Bound(
    name="total variation with high probability: minimax rate",
    expr=C * sqrt((k + log(1 / delta)) / n),
    kind="rate",
    scope="worst case over the class",
    sense="probability",
    assumptions=_DRAWS,
    source=Source("arXiv:2002.11457", "Theorem 1", note="Canonne's note; sample size there"),
    free=("C",),
)
L1_MINIMAX_LIMIT = Bound(
    name="L1 distance: leading term of the minimax risk",
    expr=sqrt(2 * (k - 1) / (pi * n)),
    kind="rate",
    scope="worst case over the class",
    assumptions=_DRAWS,
    source=Source(KAMATH, "Theorem on L1 loss", note="up to O(n^(-3/4))"),
)

# ---------------------------------------------------------------- other losses

L2_MINIMAX = Bound(
    name="squared L2 distance: the minimax risk, constant over laws",
    expr=(1 - 1 / k) / (sqrt(n) + 1) ** 2,
    kind="exact",
    scope="worst case over the class",
    assumptions=_DRAWS,
    source=Source(KAMATH, "Theorem on L2 loss"),
    valid=Ge(n, 0),
)
CHI2_LAPLACE_UPPER = Bound(
    name="chi-squared divergence: risk of Laplace's rule",
    expr=(k - 1) / (n + 1),
    kind="upper",
    assumptions=_DRAWS,
    source=Source(KAMATH, "chi-squared loss"),
    valid=Ge(n, 0),
)
KL_LAPLACE_UPPER = Bound(
    name="Kullback-Leibler divergence: risk of Laplace's rule",
    expr=log(1 + (k - 1) / (n + 1)),
    kind="upper",
    assumptions=_DRAWS,
    source=Source(KAMATH, "chi-squared loss", note=f"by Jensen's inequality: {OURS}"),
    valid=Ge(n, 0),
)
KL_MINIMAX_LIMIT = Bound(
    name="Kullback-Leibler divergence: leading term of the minimax risk",
    expr=(k - 1) / (2 * n),
    kind="rate",
    scope="worst case over the class",
    assumptions=_DRAWS,
    source=Source(BRAESS_SAUER_2004, "Theorem"),
)
KL_RATE_PROBABILITY_LOWER = Bound(
    name="Kullback-Leibler divergence with high probability: rate of the lower bound",
    expr=C * (k + log(k) * log(1 / delta)) / n,
    kind="rate",
    scope="all procedures",
    sense="probability",
    assumptions=_DRAWS,
    source=Source(KL_2025, "Abstract"),
    free=("C",),
)
KL_RATE_PROBABILITY_UPPER = Bound(
    name="Kullback-Leibler divergence with high probability: rate of the upper bound",
    expr=C * (k * log(log(k)) + log(k) * log(1 / delta)) / n,
    kind="rate",
    scope="worst case over the class",
    sense="probability",
    assumptions=_DRAWS,
    source=Source(KL_2025, "Abstract"),
    valid=Gt(k, 3),
    free=("C",),
)
