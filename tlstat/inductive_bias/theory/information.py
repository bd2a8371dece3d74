r"""PAC-Bayes and information bounds for a learner that draws from the version space.

``mass`` is the marginal likelihood: the prior probability of fitting all n labels. ``mutual`` is
the mutual information of hypothesis and sample, ``conditional`` that of hypothesis and selection
given a sample of n pairs, in nats. Losses are 0 or 1, hence (1/2)-sub-Gaussian.

The bound on the Gibbs error with ``log(1/delta)`` and ``n`` follows from an equality: given the
sample, a fixed hypothesis of error ``e`` fits with probability ``(1 - e)^n``, so that

    E_S [ P(U_S) E_{h | U_S} (1 - e(h))^(-n) ] = P(e < 1) <= 1

and Markov's and Jensen's inequalities do the rest. No union over sample splits or values of the
empirical error is needed, which is what the term ``log(2 sqrt(n))`` of the general bound pays for.

Without training errors a mistake on the unused half of a pair tells which half was used: each
pair carries at least ``log 2`` times its probability of a mistake, and the pairs are independent.
"""

from __future__ import annotations

from typing import Any

from sympy import And, Ge, Gt, Le, exp, log, sqrt, symbols

from tlstat.inductive_bias.theory.base import (
    IID,
    LEVEL,
    MEMORY,
    OURS,
    REALISABLE,
    delta,
    mass,
    n,
)
from tlstat.theory.bound import Bound, Source

__all__ = [
    "CONDITIONAL_INFORMATION",
    "CONDITIONAL_INFORMATION_ZERO",
    "MARGINAL_LIKELIHOOD",
    "MARGINAL_LIKELIHOOD_MAURER",
    "MARGINAL_LIKELIHOOD_VALLE_PEREZ",
    "MUTUAL_INFORMATION",
    "SINGLE_EXAMPLE_INFORMATION",
    "VERSION_SPACE_INFORMATION",
]

mutual, conditional, single, code_length = symbols(
    "mutual conditional single code_length", nonnegative=True
)
_MASS = And(LEVEL, Gt(mass, 0), Le(mass, 1), Ge(n, 1))
_VALLE_PEREZ = "arXiv:1805.08522"


def _gibbs(name: str, budget: Any, source: Source, valid: Any = _MASS) -> Bound:
    return Bound(
        name=f"error of a hypothesis drawn from the version space, {name}",
        expr=1 - exp(-budget),
        kind="upper",
        sense="probability",
        assumptions=(IID, REALISABLE),
        source=source,
        valid=valid,
    )


MARGINAL_LIKELIHOOD = _gibbs(
    "by the marginal likelihood",
    (log(1 / mass) + log(1 / delta)) / n,
    Source(_VALLE_PEREZ, "marginal-likelihood bound", f"constants {OURS}: sharper"),
)
MARGINAL_LIKELIHOOD_MAURER = _gibbs(
    "by PAC-Bayes-kl with Maurer's constant",
    (log(1 / mass) + log(2 * sqrt(n) / delta)) / n,
    Source("arXiv:cs/0411099", "Theorem 5 at empirical risk 0", "number from memory"),
)
MARGINAL_LIKELIHOOD_VALLE_PEREZ = _gibbs(
    "by the marginal likelihood, constants of Valle-Perez et al.",
    (log(1 / mass) + log(2 * n / delta)) / (n - 1),
    Source(_VALLE_PEREZ, "marginal-likelihood bound", "from memory, not compared with the paper"),
    And(_MASS, Ge(n, 2)),
)

# ----------------------------------------------------------------- information bounds

_SURVEY = "arXiv:2309.04381"


_RECALLED = "statement from memory, tested by enumeration"


def _gap(name: str, expr: Any, ref: str, where: str, note: str = _RECALLED) -> Bound:
    return Bound(
        name=f"mean generalisation gap, {name}",
        expr=expr,
        kind="upper",
        assumptions=(IID,),
        source=Source(ref, where, note),
    )


MUTUAL_INFORMATION = _gap(
    "by the information in the hypothesis about the sample",
    sqrt(mutual / (2 * n)),
    "arXiv:1705.07809",
    "Theorem 1, loss in [0, 1]",
)
SINGLE_EXAMPLE_INFORMATION = _gap(
    "by the information in the hypothesis about one example",
    sqrt(single / 2),
    "arXiv:1901.04609",
    "Theorem 2, loss in [0, 1], identically distributed examples",
)
CONDITIONAL_INFORMATION = _gap(
    "by the conditional mutual information",
    sqrt(2 * conditional / n),
    "arXiv:2001.09122",
    "Theorem 2, loss in [0, 1]",
)
CONDITIONAL_INFORMATION_ZERO = _gap(
    "by the conditional mutual information, no training errors",
    conditional / (n * log(2)),
    "arXiv:2001.09122",
    "interpolating case, 0/1 loss",
    note=f"constant {OURS}, tested by enumeration; attained for one example",
)
VERSION_SPACE_INFORMATION = Bound(
    name="information in the hypothesis about the sample, at most the mean code length of the data",
    expr=code_length,
    kind="upper",
    assumptions=(IID, REALISABLE),
    source=Source(_SURVEY, "golden formula", f"{MEMORY}; equality where the marginal is the prior"),
)
