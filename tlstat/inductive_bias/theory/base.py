"""Symbols, assumptions and sources that the bounds share.

Everything is in nats unless a name says bits.
"""

from __future__ import annotations

from sympy import And, Gt, Lt, symbols

from tlstat.theory.bound import Assumption

EIB = "arXiv:2406.15941"
MGD = "arXiv:2305.01034"
OURS = "derived here"
MEMORY = "from memory, derived again here"
UNREAD = (
    "the paper's own theorem on the number of sampled hypotheses could not be read; this is not it"
)

S, nats, eps, n, m, C, N, d = symbols("S nats eps n m C N d", positive=True)
delta, p_tilde, mass, tau = symbols("delta p_tilde mass tau", positive=True)
x, gap, w_min = symbols("x gap w_min", positive=True)
nu, norm2 = symbols("nu norm2", nonnegative=True)
log_w = symbols("log_w", real=True)

LEVEL = And(Gt(delta, 0), Lt(delta, 1))

DRAWN = Assumption("independent hypotheses", "the S hypotheses are independent draws from the base")
IID = Assumption("independent examples", "training inputs are independent draws from one law")
REALISABLE = Assumption(
    "realisable", "labels are those of a target, and the learner draws from the prior given them"
)
FROM_PRIOR = Assumption("prior", "the target is a draw from the prior that the learner uses")
QUADRATIC = Assumption(
    "quadratic form", "the test error is a positive quadratic form in independent normals"
)
CENTRED = Assumption("centred", "every non-centrality is zero: the mean hypothesis has no error")
