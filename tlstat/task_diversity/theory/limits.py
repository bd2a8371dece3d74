"""Where no number of samples helps: directions that no task shows, and a start at random (ours).

If ``k`` of the ``r`` directions have no share in any head, their estimates are a uniform
``k``-subspace of the ``d - r + k`` dimensions that are left, by rotation invariance; the truth is
another one. Then ``E F^2 = k (1 - k/(d - r + k))``. With ``k = r`` nothing was learned.

ERM with ``n <= r`` samples a task is such a case whatever the tasks: every representation
interpolates, the profile loss is zero everywhere, and a search stays where it began.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sympy import And, Ge, Le, symbols

from tlstat.task_diversity.theory.base import GAUSSIAN, MANY_TASKS, OURS, PAPER_2021, d, r
from tlstat.theory.bound import Assumption, Bound, Source

__all__ = ["MISSING_DIRECTIONS_LIMIT", "RANDOM_SUBSPACE"]

k = symbols("k", positive=True)


def _missing(model: Any, cell: Any) -> bool:
    values = np.diag(model.C)
    return bool(values.min() == 0 < values.max())


DEFICIENT = Assumption("rank-deficient tasks", "sigma_r(A'A/t) = 0", check=_missing)
MISSING_DIRECTIONS_LIMIT = Bound(
    name="squared distance if k of r directions are in no task: limit",
    expr=k * (d - r) / (d - r + k),
    kind="exact",
    assumptions=(
        GAUSSIAN,
        MANY_TASKS,
        DEFICIENT,
    ),
    source=Source(PAPER_2021, "nu = 0", note=OURS),
    valid=And(Ge(k, 1), Le(k, r), Le(r, d)),
)
RANDOM_SUBSPACE = Bound(
    name="squared distance of a uniformly random subspace",
    expr=r * (d - r) / d,
    kind="exact",
    source=Source("textbook", "mean of a uniform projection"),
    valid=Le(r, d),
)
