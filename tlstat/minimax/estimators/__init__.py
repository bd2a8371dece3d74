"""Procedures on sufficient statistics, for all replicates at once (numpy or torch).

Each takes a `Sample` and returns indices of hypotheses; ``sample.take`` makes hypotheses of
them, and the model's ``excess_Q`` their exact risk.

=======================  ========================================================
procedure                what it minimises
=======================  ========================================================
`source_erm`             source errors
`target_erm`             target errors
`pooled_erm`             errors on both samples together
`equal_erm`              the sum of both error rates
`weighted_erm`           weighted errors, any weight from 0 to inf
`importance_weighted_erm`  source errors, reweighted towards the target's marginal
`confidence_set_erm`     source errors within the target's confidence set (I)
`mirrored_erm`           target errors within the source's confidence set
`select`                 one of the first two, as the target sample decides (II)
`adaptive_cost`          buys labels until a certificate holds
`interval_erm`           weighted errors over all intervals
=======================  ========================================================
"""

from tlstat.minimax.estimators.adaptive import AdaptivePurchase, adaptive_cost
from tlstat.minimax.estimators.confidence import (
    confidence_set,
    confidence_set_erm,
    deviation,
    mirrored_erm,
    select,
)
from tlstat.minimax.estimators.erm import (
    admissible_weights,
    equal_erm,
    importance_weighted_erm,
    minimiser,
    pooled_erm,
    source_erm,
    target_erm,
    truncated_weights,
    weighted_erm,
)
from tlstat.minimax.estimators.intervals import interval_erm

__all__ = [
    "AdaptivePurchase",
    "adaptive_cost",
    "admissible_weights",
    "confidence_set",
    "confidence_set_erm",
    "deviation",
    "equal_erm",
    "importance_weighted_erm",
    "interval_erm",
    "minimiser",
    "mirrored_erm",
    "pooled_erm",
    "select",
    "source_erm",
    "target_erm",
    "truncated_weights",
    "weighted_erm",
]
