"""Estimators of the representation for one problem, from a list of matrices and of responses.

Written with numpy and scipy on the raw data, independently of `tlstat.task_diversity.batch`,
against which they are tested. Tasks may differ in their numbers of samples.
"""

from tlstat.task_diversity.estimators.alternating import (
    alternating_gradient,
    alternating_minimisation,
)
from tlstat.task_diversity.estimators.factored import factored_descent, factored_loss
from tlstat.task_diversity.estimators.nuclear import nuclear_norm
from tlstat.task_diversity.estimators.spectral import method_of_moments, split_half, u_statistic
from tlstat.task_diversity.estimators.target import fit_target, oracle, single_task

__all__ = [
    "alternating_gradient",
    "alternating_minimisation",
    "factored_descent",
    "factored_loss",
    "fit_target",
    "method_of_moments",
    "nuclear_norm",
    "oracle",
    "single_task",
    "split_half",
    "u_statistic",
]
