r"""Learning curves from masses of version spaces, and the guess-and-check bound.

A learner draws from the prior until a hypothesis fits (guess and check): its law is the prior
restricted to the version space. ``p_tilde`` is the prior mass of the target, ``d`` the
Vapnik-Chervonenkis dimension, ``mass`` that of the version space.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln, logsumexp
from sympy import And, Ge, Gt, Le, Lt, exp, log, symbols

from tlstat.inductive_bias.theory.base import (
    FROM_PRIOR,
    IID,
    LEVEL,
    MEMORY,
    OURS,
    REALISABLE,
    d,
    delta,
    eps,
    n,
    p_tilde,
)
from tlstat.theory.bound import Assumption, Bound, Source

__all__ = [
    "BAYES_FROM_GIBBS",
    "BOOLEAN",
    "GIBBS_FROM_BAYES",
    "GIBBS_FROM_INFORMATION",
    "GUESS_AND_CHECK",
    "GUESS_AND_CHECK_EXAMPLES",
    "GUESS_AND_CHECK_SHARP",
    "INFORMATION_VC",
    "LEARNING_CURVE_VC",
    "PARITY",
]

_HKS = "Haussler, Kearns and Schapire, Machine Learning 14 (1994)"
gibbs, bayes, information = symbols("gibbs bayes information", nonnegative=True)

BAYES_FROM_GIBBS = Bound(
    name="error of the Bayes vote, at most that of a hypothesis drawn from the version space",
    expr=gibbs,
    kind="upper",
    assumptions=(FROM_PRIOR,),
    source=Source(_HKS, "learning curves", MEMORY),
)
GIBBS_FROM_BAYES = Bound(
    name="error of a hypothesis drawn from the version space, at most twice the Bayes vote's",
    expr=2 * bayes,
    kind="upper",
    assumptions=(FROM_PRIOR,),
    source=Source(_HKS, "learning curves", MEMORY),
)
GIBBS_FROM_INFORMATION = Bound(
    name="error of a hypothesis drawn from the version space, at most half the bits of a label",
    expr=information / (2 * log(2)),
    kind="upper",
    assumptions=(FROM_PRIOR,),
    source=Source(_HKS, "learning curves", f"{MEMORY}; information in nats"),
)
_GROWTH = And(Ge(n, d), Ge(d, 1))
INFORMATION_VC = Bound(
    name="mean of -log(mass of the version space), in nats",
    expr=d * log(exp(1) * n / d),
    kind="upper",
    assumptions=(FROM_PRIOR,),
    source=Source(_HKS, "by Sauer's lemma", MEMORY),
    valid=_GROWTH,
)
LEARNING_CURVE_VC = Bound(
    name="error of a hypothesis drawn from the version space, averaged over the first n examples",
    expr=d / (2 * n) * log(exp(1) * n / d) / log(2),
    kind="upper",
    assumptions=(FROM_PRIOR,),
    source=Source(_HKS, "by Sauer's lemma", MEMORY),
    valid=_GROWTH,
)

# ------------------------------------------------------------------- guess and check

_CHIANG = "Chiang et al., ICLR 2023"
_BAD = (1 - eps) ** n * (1 - p_tilde)
_PRIOR_MASS = And(Gt(p_tilde, 0), Le(p_tilde, 1), Gt(eps, 0), Lt(eps, 1), Ge(n, 0))

GUESS_AND_CHECK = Bound(
    name="mean probability that a random hypothesis that fits errs more often than eps",
    expr=(1 - eps) ** n / p_tilde,
    kind="upper",
    assumptions=(IID, REALISABLE),
    source=Source(_CHIANG, "guess and check; also Buzaglo et al., arXiv:2402.06323", OURS),
    valid=_PRIOR_MASS,
)
GUESS_AND_CHECK_SHARP = Bound(
    name="mean probability that a random hypothesis that fits errs more often than eps, sharper",
    expr=_BAD / (p_tilde + _BAD),
    kind="upper",
    assumptions=(IID, REALISABLE),
    source=Source(_CHIANG, "guess and check", f"by Jensen's inequality, below 1: {OURS}"),
    valid=_PRIOR_MASS,
)
GUESS_AND_CHECK_EXAMPLES = Bound(
    name="examples after which that mean probability is at most delta",
    expr=(log(1 / p_tilde) + log(1 / delta)) / eps,
    kind="upper",
    assumptions=(IID, REALISABLE),
    source=Source(_CHIANG, "guess and check", OURS),
    valid=And(Gt(p_tilde, 0), Le(p_tilde, 1), Gt(eps, 0), Lt(eps, 1), LEVEL),
)

# ---------------------------------------------------------------- classes that are counted

T, k, rank = symbols("T k rank", nonnegative=True)
_UNIFORM = Assumption("uniform prior", "all functions of the class are equally likely")


def _boolean(T: Any, k: Any) -> Any:
    T, k = np.broadcast_arrays(np.asarray(T, float), np.asarray(k, float))
    out = np.empty(T.shape)
    for at in np.ndindex(out.shape):
        j = np.arange(int(k[at]) + 1)
        ways = gammaln(T[at] + 1) - gammaln(j + 1) - gammaln(T[at] - j + 1)
        out[at] = T[at] * np.log(2) - logsumexp(ways)
    return out


BOOLEAN = Bound(
    name="bias of all Boolean functions: at most k errors on the T inputs outside the training set",
    value=_boolean,
    symbols=("T", "k"),
    kind="exact",
    scope="every target: no free lunch",
    assumptions=(_UNIFORM,),
    source=Source("classical", "Wolpert (1996)", OURS),
    valid=And(Ge(T, 1), Ge(k, 0), Le(k, T)),
)
PARITY = Bound(
    name="bias of parities of n bits, any error below 1/2, after examples of that rank",
    expr=(n - rank) * log(2),
    kind="exact",
    scope="every target",
    assumptions=(_UNIFORM,),
    source=Source("classical", "linear algebra over GF(2)", OURS),
    valid=And(Ge(rank, 0), Le(rank, n)),
)
