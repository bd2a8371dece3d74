"""Task diversity: learning a linear representation from many tasks, and few-shot transfer::

    y = x'B alpha_j + e   for tasks j = 1..t,       nu = sigma_r(A'A/t)

Tasks whose diversity ``nu`` is set exactly, estimators of ``B`` (one problem from data, or many
replicates at once on numpy, torch and CUDA), and their errors by theorem and by simulation.

Motivated by Tripuraneni, Jordan and Jin, "On the Theory of Transfer Learning: The Importance of
Task Diversity" (NeurIPS 2020), and "Provable Meta-Learning of Linear Representations" (ICML 2021).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlstat._lazy import lazy_names

_MODULES = {
    ".allocation": ("Allocation", "optimal_allocation"),
    ".diversity": ("check_diversity", "target_diversity"),
    ".few_shot": ("FewShotRegressor",),
    ".gaps": ("representation_gap",),
    ".hull": ("hull_diversity",),
    ".models": ("LinearTasks", "LogisticTasks"),
    ".moments": (
        "Factored",
        "Halves",
        "Moments",
        "from_data",
        "sample_halves",
        "sample_moments",
        "sample_raw",
    ),
    ".representation": ("LinearRepresentation",),
    ".risk": ("crossover", "head_risk", "single_task_risk", "transfer_excess_risk"),
    ".risk_law": ("ExcessRiskLaw",),
    ".subspace": ("largest_sine", "squared_distance", "squared_sines", "top_subspace"),
}

__all__ = [
    "Allocation",
    "ExcessRiskLaw",
    "Factored",
    "FewShotRegressor",
    "Halves",
    "LinearRepresentation",
    "LinearTasks",
    "LogisticTasks",
    "Moments",
    "check_diversity",
    "crossover",
    "from_data",
    "head_risk",
    "hull_diversity",
    "largest_sine",
    "optimal_allocation",
    "representation_gap",
    "sample_halves",
    "sample_moments",
    "sample_raw",
    "single_task_risk",
    "squared_distance",
    "squared_sines",
    "target_diversity",
    "top_subspace",
    "transfer_excess_risk",
]

if TYPE_CHECKING:
    from tlstat.task_diversity.allocation import Allocation, optimal_allocation
    from tlstat.task_diversity.diversity import check_diversity, target_diversity
    from tlstat.task_diversity.few_shot import FewShotRegressor
    from tlstat.task_diversity.gaps import representation_gap
    from tlstat.task_diversity.hull import hull_diversity
    from tlstat.task_diversity.models import LinearTasks, LogisticTasks
    from tlstat.task_diversity.moments import (
        Factored,
        Halves,
        Moments,
        from_data,
        sample_halves,
        sample_moments,
        sample_raw,
    )
    from tlstat.task_diversity.representation import LinearRepresentation
    from tlstat.task_diversity.risk import (
        crossover,
        head_risk,
        single_task_risk,
        transfer_excess_risk,
    )
    from tlstat.task_diversity.risk_law import ExcessRiskLaw
    from tlstat.task_diversity.subspace import (
        largest_sine,
        squared_distance,
        squared_sines,
        top_subspace,
    )
else:
    __getattr__, __dir__ = lazy_names(__name__, _MODULES)
