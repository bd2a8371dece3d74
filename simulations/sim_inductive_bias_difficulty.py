"""No simulation: the generalisation difficulty of the predecessor paper (Boopathy et al. 2023).

An upper bound in bits from intrinsic dimension, radius, classes and resolution. The published
constants give the published values; the dependence on each is what the formula says: about
exponential in the intrinsic dimension, logarithmic in the target error and in the training points.
"""

import numpy as np

from tlstat import Exact, grid, study
from tlstat.inductive_bias import theory
from tlstat.theory import at_least, at_most, between, ordered

TASKS = list(theory.PUBLISHED_CLASSIFICATION)


def published(cell):
    return theory.PUBLISHED_CLASSIFICATION[cell.task][1]


@study(
    design=grid(task=TASKS),
    replicates=0,
    claims=[
        between("bits", lambda cell, model: 0.996 * published(cell),
                lambda cell, model: 1.004 * published(cell), tolerance=1e-3,
                name="the published values, to three digits"),
        ordered("bits", "task", TASKS, tolerance=0, name="MNIST, SVHN, CIFAR-10, ImageNet"),
    ],
)  # fmt: skip
def tasks(cell, rng, size):
    """The authors' constants."""
    value = float(theory.DIFFICULTY(**theory.PUBLISHED_CLASSIFICATION[cell.task][0]))
    return {"bits": Exact(value, 1e-10 * value)}


DIMENSIONS = [8, 10, 12, 14, 17, 20]
CHANGES = (
    grid(changed="m", factor=[d / 14 for d in DIMENSIONS])
    + grid(changed="n", factor=[0.01, 0.1, 1.0, 10.0, 100.0])
    + grid(changed="eps", factor=[0.01, 0.1, 1.0, 10.0, 100.0])
)


@study(
    design=CHANGES,
    replicates=0,
    claims=[
        at_least("over_published", 300.0, where={"changed": "m", "factor": 20 / 14},
                 name="six dimensions more cost a factor of 300 and more"),
        between("over_published", 0.5, 2.0, where={"changed": ["n", "eps"]}, tolerance=0.01,
                name="a hundred times the points, or error, less than a factor of two"),
        at_most("over_published", 1.0, where={"changed": ["n", "eps"], "factor": [10.0, 100.0]},
                name="and never more bits"),
    ],
)  # fmt: skip
def dependence(cell, rng, size):
    """MNIST's constants with one of them multiplied."""
    constants, _ = theory.PUBLISHED_CLASSIFICATION["MNIST"]
    changed = {**constants, cell.changed: constants[cell.changed] * cell.factor}
    value = float(theory.DIFFICULTY(**changed) / theory.DIFFICULTY(**constants))
    return {"over_published": Exact(value, 1e-10 * np.abs(value))}
