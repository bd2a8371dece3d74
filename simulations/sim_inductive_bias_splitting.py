"""Multilevel splitting against closed forms: half-spaces, whose errors no formula needs.

Splitting asks for nothing but a score of standard normal variables. For the angle between a
random and a fixed direction the probability is an incomplete beta function.
"""

import numpy as np

from tlstat import grid, study
from tlstat.inductive_bias import HalfspaceSpace, theory
from tlstat.inductive_bias.tails import splitting
from tlstat.theory import equals

PARTICLES, GROUPS, KEPT = 100, 8, 0.1


def exact(cell):
    return float(theory.HALF_SPACE(d=cell.d, eps=cell.eps))


def ideal_sd(cell):
    """Of the mean over groups, if particles were independent at every level (Au and Beck 2001)."""
    levels = exact(cell) / np.log(1 / KEPT)
    return np.sqrt(levels * (1 - KEPT) / (KEPT * PARTICLES * GROUPS))


@study(
    design=grid(d=5, eps=0.1) + grid(d=10, eps=0.05) + grid(d=15, eps=0.05),
    replicates=30,
    block=5,
    profiles={"paper": {"replicates": 400}},
    claims=[
        equals("over_exact", 1.0, rtol=0.04, name="right from 6 to 29 nats"),
    ],
)  # fmt: skip
def half_spaces(cell, rng, size):
    """Eight groups of a hundred particles, ten moves a level."""
    space = HalfspaceSpace(cell.d).condition(np.zeros((0, cell.d)), np.zeros(0))
    score = space.population_latent(np.eye(cell.d)[0]).score
    found = np.array(
        [splitting(score, cell.d, cell.eps, rng, PARTICLES, 10, replicates=GROUPS).nats
         for _ in range(size)]
    )  # fmt: skip
    return {"over_exact": found / exact(cell), "ideal": (found - exact(cell)) / ideal_sd(cell)}
