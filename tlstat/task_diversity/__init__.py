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
    ".subspace": ("largest_sine", "squared_distance", "squared_sines", "top_subspace"),
}

__all__ = [
    "Factored",
    "Halves",
    "LinearTasks",
    "LogisticTasks",
    "Moments",
    "from_data",
    "largest_sine",
    "sample_halves",
    "sample_moments",
    "sample_raw",
    "squared_distance",
    "squared_sines",
    "top_subspace",
]

if TYPE_CHECKING:
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
    from tlstat.task_diversity.subspace import (
        largest_sine,
        squared_distance,
        squared_sines,
        top_subspace,
    )
else:
    __getattr__, __dir__ = lazy_names(__name__, _MODULES)
