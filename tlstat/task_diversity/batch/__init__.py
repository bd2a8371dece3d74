"""Estimators of the representation for many replicates at once, from the moments of the tasks.

``S`` is an array (..., t, d, d) or a `moments.Factored`, ``q`` an array (..., t, d); leading axes
are replicates. numpy arrays, torch tensors and CUDA tensors are taken alike, and what comes out is
of the same kind. For one problem from raw data see `tlstat.task_diversity.estimators`.
"""

from tlstat.task_diversity.batch.alternating import (
    Fit,
    alternating_gradient,
    alternating_minimisation,
)
from tlstat.task_diversity.batch.descent import balanced, factored_descent, factored_loss
from tlstat.task_diversity.batch.federated import FederatedPath, federated_descent, federated_global
from tlstat.task_diversity.batch.nuclear import NuclearFit, lambda_max, nuclear_norm
from tlstat.task_diversity.batch.regression import (
    fit_heads,
    fit_target,
    oracle,
    profile_loss,
    single_task,
)
from tlstat.task_diversity.batch.spectral import (
    cross_moment,
    method_of_moments,
    pair_moment,
    spectral_start,
    split_half,
    u_statistic,
)

__all__ = [
    "FederatedPath",
    "Fit",
    "NuclearFit",
    "alternating_gradient",
    "alternating_minimisation",
    "balanced",
    "cross_moment",
    "factored_descent",
    "factored_loss",
    "federated_descent",
    "federated_global",
    "fit_heads",
    "fit_target",
    "lambda_max",
    "method_of_moments",
    "nuclear_norm",
    "oracle",
    "pair_moment",
    "profile_loss",
    "single_task",
    "spectral_start",
    "split_half",
    "u_statistic",
]
