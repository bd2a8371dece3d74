"""Laws and strategies for the required inductive bias.

* `tails`: lower tails of quadratic forms;
* `classes`: finite classes, counted;
* `spaces`: kernel spaces on data, and estimates with an interval.
"""

from tlstat.testing.inductive_bias.classes import (
    CLASS_LAWS,
    check_finite_bias,
    finite_classes,
)
from tlstat.testing.inductive_bias.spaces import (
    BIAS_LAWS,
    ESTIMATE_LAWS,
    check_bias_estimate,
    check_inductive_bias,
    regression_tasks,
    shallow_forms,
)
from tlstat.testing.inductive_bias.tails import (
    TAIL_LAWS,
    check_error_tail,
    chernoff,
    quadratic_forms,
)

__all__ = [
    "BIAS_LAWS",
    "CLASS_LAWS",
    "ESTIMATE_LAWS",
    "TAIL_LAWS",
    "check_bias_estimate",
    "check_error_tail",
    "check_finite_bias",
    "check_inductive_bias",
    "chernoff",
    "finite_classes",
    "quadratic_forms",
    "regression_tasks",
    "shallow_forms",
]
