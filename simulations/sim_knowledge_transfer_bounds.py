"""Explicit bounds, each within its scope (Theorems 3.1 to 5.2 of arXiv:2310.07838, sharpened).

Upper bounds hold for every teacher: they are judged on random teachers and on the hard
instances. Lower bounds are for all procedures: they say nothing about one student on one
teacher, so they are judged on the average over the prior that proves them.
"""

from tlstat import geometric, grid, inner, study
from tlstat.knowledge_transfer import (
    Prior,
    Teacher,
    sample_counts,
    simulate_risks,
    students,
    theory,
    tv_risk,
)
from tlstat.theory import at_least, at_most, equals

LEVELS = inner(["hard", "partial", "soft"])
N = geometric(10, 1_000, 3)


def family(instance, **extra):
    """Teachers that share the parameters of one design."""
    parameters = {"concentration": 1.0, "seed": 0, "S": 10, "A": 8, "n": N} | extra
    return grid(instance=instance, **parameters, level=LEVELS)


@study(
    model=Teacher.from_cell,
    design=family("dirichlet", concentration=[0.1, 1.0], seed=[1, 2])
    + family("1", A=10, n=[100, 1_000])
    + family("2", A=11, n=[100, 1_000]),
    replicates=4_000,
    block=500,
    ranges={"tv": (0, 1), "missing": (0, 1)},
    profiles={"paper": {"replicates": 40_000}, "full": {"replicates": 400_000}},
    claims=[
        at_most("tv", theory.HARD_LABEL_UPPER, where={"level": "hard"}),
        at_most("tv", theory.HARD_LABEL_UPPER_PAPER, where={"level": "hard"}),
        at_most("tv", theory.HARD_LABEL_UPPER_INSTANCE, where={"level": "hard"}),
        at_most("tv", theory.HARD_LABEL_UPPER_INSTANCE_SHARP, where={"level": "hard"}),
        at_most("tv", theory.HARD_LABEL_UPPER_INPUTS, where={"level": "hard"}),
        at_most("tv", theory.PARTIAL_LABEL_UPPER, where={"level": "partial"}),
        at_most("tv", theory.PARTIAL_LABEL_UPPER_SHARP, where={"level": "partial"}),
        at_most("missing", theory.PARTIAL_LABEL_UPPER_SHARP, where={"level": "partial"}),
        at_most("tv", theory.SOFT_LABEL_UPPER, where={"level": "soft", "n": [10, 100]}),
        at_most("tv", theory.SOFT_LABEL_UPPER_SHARP, where={"level": "soft", "n": [10, 100]}),
        at_most("tv", theory.SOFT_LABEL_MINIMAX, where={"level": "soft", "n": [10, 100]}),
        at_most(
            "tv",
            theory.HARD_LABEL_UPPER_PROBABILITY,
            delta=0.05,
            at={"delta": 0.05},
            where={"level": "hard"},
        ),
        at_most(
            "tv",
            theory.PARTIAL_LABEL_UPPER_PROBABILITY,
            delta=0.05,
            at={"delta": 0.05},
            where={"level": "partial"},
        ),
        at_most(
            "tv",
            theory.SOFT_LABEL_UPPER_PROBABILITY,
            delta=0.05,
            at={"delta": 0.05},
            where={"level": "soft"},
        ),
    ],
)
def upper_bounds(cell, rng, size):
    """Risks, and the missing mass of inputs and labels together, which bounds two of them."""
    xp = rng.xp
    teacher = Teacher.from_cell(cell)
    counts = sample_counts(teacher, cell.n, rng, size)
    fitted = students(counts, teacher.pi, cell.level)
    joint = xp.asarray(teacher.joint)
    missing = xp.sum(xp.where(counts > 0, xp.zeros_like(joint), joint), axis=(-2, -1))
    return {
        "tv": xp.stack([tv_risk(fitted[level], teacher) for level in cell.level], axis=-1),
        "missing": xp.stack([missing] * len(cell.level), axis=-1),
    }


@study(
    model=Prior.from_cell,
    design=grid(prior="pairs", S=10, A=10, n=[1_000, 10_000, 100_000], level=LEVELS)
    + grid(prior=["buddies", "subsets"], S=10, A=11, n=[1_000, 10_000, 100_000], level=LEVELS)
    + grid(prior="deterministic", S=100, A=5, n=[1_000, 10_000, 100_000], level=LEVELS),
    replicates=4_000,
    block=250,
    ranges={"tv": (0, float("inf"))},
    profiles={"paper": {"replicates": 40_000}, "full": {"replicates": 400_000}},
    claims=[
        at_least(
            "tv", theory.HARD_LABEL_LOWER, over="prior", where={"prior": "pairs", "level": "hard"}
        ),
        at_least(
            "tv",
            theory.PARTIAL_LABEL_LOWER,
            over="prior",
            where={"prior": "buddies", "level": ["hard", "partial"]},
        ),
        at_least(
            "tv",
            theory.PARTIAL_LABEL_LOWER_SIMPLE,
            over="prior",
            where={"prior": "buddies", "level": ["hard", "partial"]},
        ),
        at_least(
            "tv",
            theory.PARTIAL_LABEL_LOWER_SHARP,
            over="prior",
            where={"prior": "subsets", "level": ["hard", "partial"]},
        ),
        equals(
            "tv",
            theory.PARTIAL_LABEL_LOWER_SHARP,
            where={"prior": "subsets", "level": "partial"},
            name="the partial-label student is Bayes on sets of living labels",
        ),
        at_least(
            "tv",
            theory.SOFT_LABEL_LOWER,
            over="prior",
            where={"prior": "deterministic", "level": ["hard", "partial", "soft"]},
        ),
        equals("tv", theory.SOFT_LABEL_BAYES, where={"prior": "deterministic", "level": "soft"}),
    ],
)
def lower_bounds(cell, rng, size):
    """A fresh teacher from the prior for every replicate."""
    prior = Prior.from_cell(cell)
    pi = prior.draw(rng, size)
    return {"tv": simulate_risks(prior, cell.n, rng, size, cell.level, pi=pi)}
