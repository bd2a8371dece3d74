"""Laws and strategies for transfer learning's minimax theory.

* `votes`: the error probability of the two-sample vote;
* `bounds`: lower bounds over transfer classes, and cost-optimal purchases;
* `rules`: rules that choose from a source and a target sample, and populations with exponents.
"""

from tlstat.testing.minimax.bounds import (
    LOWER_BOUND_LAWS,
    PURCHASE_LAWS,
    check_lower_bound,
    check_purchase,
    price_settings,
    transfer_classes,
)
from tlstat.testing.minimax.rules import (
    MODEL_LAWS,
    RULE_LAWS,
    check_transfer_model,
    check_transfer_rule,
    rule_laws,
    threshold_samples,
)
from tlstat.testing.minimax.votes import (
    VOTE_LAWS,
    check_vote_error,
    enumerated_error,
    vote_settings,
)

__all__ = [
    "LOWER_BOUND_LAWS",
    "MODEL_LAWS",
    "PURCHASE_LAWS",
    "RULE_LAWS",
    "VOTE_LAWS",
    "check_lower_bound",
    "check_purchase",
    "check_transfer_model",
    "check_transfer_rule",
    "check_vote_error",
    "enumerated_error",
    "price_settings",
    "rule_laws",
    "threshold_samples",
    "transfer_classes",
    "vote_settings",
]
