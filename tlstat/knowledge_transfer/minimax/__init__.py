"""Minimax risks and lower bounds as numbers, one module a level of information.

============  =========================================================================
`soft`        whole soft labels: the minimax risk, exactly
`partial`     partial soft labels: Bayes risk over sets of living labels, and its limit
`hard`        hard labels: Bayes risk on pairs, and by Dirichlet teachers
`discrete`    classical estimation of a discrete law, in L1 and L2
============  =========================================================================

All take numbers or arrays that broadcast. The risk of the first three is the total variation
averaged over inputs; `tlstat.knowledge_transfer.theory` carries them as bounds.
"""

from tlstat.knowledge_transfer.discrete import l1_minimax, l2_minimax, l2_minimax_student
from tlstat.knowledge_transfer.minimax.hard import (
    best_concentration,
    best_pair_gap,
    dirichlet_bayes_risk,
    pair_bayes_risk,
    pair_limit_constant,
)
from tlstat.knowledge_transfer.minimax.partial import (
    subset_bayes_risk,
    subset_limit,
    subset_limit_constant,
    subset_limit_maximiser,
)
from tlstat.knowledge_transfer.minimax.soft import (
    deterministic_bayes_risk,
    largest_missing_mass,
    soft_label_minimax,
    worst_input_law,
)

__all__ = [
    "best_concentration",
    "best_pair_gap",
    "deterministic_bayes_risk",
    "dirichlet_bayes_risk",
    "l1_minimax",
    "l2_minimax",
    "l2_minimax_student",
    "largest_missing_mass",
    "pair_bayes_risk",
    "pair_limit_constant",
    "soft_label_minimax",
    "subset_bayes_risk",
    "subset_limit",
    "subset_limit_constant",
    "subset_limit_maximiser",
    "worst_input_law",
]
