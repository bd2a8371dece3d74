"""Laws and strategies for representation learning across tasks.

* `subspaces`: angles between column spaces;
* `learners`: estimators of a representation from many tasks;
* `diversity`: diversity of heads, and gaps between representations;
* `transfer`: excess risk at a target, allocation of source samples;
* `complexity`: Gaussian complexities of heads, and the chain rule.

To test your own learner, put this into a test file::

    from tlstat.testing import check_representation_learner

    def my_learner(X, y, r):
        '''Lists of matrices (n_j, d) and responses (n_j,) in, (d, r) orthonormal columns out.'''
        ...

    def test_my_learner():
        check_representation_learner(my_learner)
"""

from tlstat.testing.task_diversity.complexity import (
    CHAIN_LAWS,
    COMPLEXITY_LAWS,
    check_chain_rule,
    check_head_complexity,
)
from tlstat.testing.task_diversity.diversity import (
    DIVERSITY_LAWS,
    GAP_LAWS,
    check_diversity_measure,
    check_representation_gap,
)
from tlstat.testing.task_diversity.learners import check_representation_learner, learner_laws
from tlstat.testing.task_diversity.strategies import (
    Heads,
    MultiTask,
    Subspaces,
    multitask_problems,
    subspace_pairs,
    task_heads,
)
from tlstat.testing.task_diversity.subspaces import SUBSPACE_LAWS, check_subspace_distance
from tlstat.testing.task_diversity.transfer import (
    ALLOCATION_LAWS,
    RISK_LAWS,
    check_allocation,
    check_transfer_risk,
)

__all__ = [
    "ALLOCATION_LAWS",
    "CHAIN_LAWS",
    "COMPLEXITY_LAWS",
    "DIVERSITY_LAWS",
    "GAP_LAWS",
    "RISK_LAWS",
    "SUBSPACE_LAWS",
    "Heads",
    "MultiTask",
    "Subspaces",
    "check_allocation",
    "check_chain_rule",
    "check_diversity_measure",
    "check_head_complexity",
    "check_representation_gap",
    "check_representation_learner",
    "check_subspace_distance",
    "check_transfer_risk",
    "learner_laws",
    "multitask_problems",
    "subspace_pairs",
    "task_heads",
]
