"""One more sample can hurt maximum likelihood, and never hurts the others.

On Instance 0 the exact risk of the hard-label student grows with the sample size at first: a few
labels at an input are worse than the uniform guess. The partial student with its uniform fill-in,
the soft one and the missing mass never get worse, on any path of samples; and the risks of soft,
partial and hard labels are in this order on every sample. Ours, not the paper's.
"""

import numpy as np

from tlstat import Exact, grid, inner, study
from tlstat.knowledge_transfer import (
    Teacher,
    exact_risk,
    expected_missing_mass,
    students,
    tv_risk,
)
from tlstat.theory import at_most, ordered

RISING = [1, 10, 50, 100, 150]
FALLING = [150, 200, 250, 400, 700, 1_000, 1_700, 2_500]
N = [*RISING, *FALLING[1:]]
NOT_HARD = ["soft", "partial", "missing"]
STEPS = 120
ROUNDING = 1e-15
ORDERED = [
    ("soft", "partial"),
    ("partial", "missing"),
    ("partial", "hard"),
    ("partial", "weighted"),
]


@study(
    model=Teacher.from_cell,
    design=grid(instance="0", S=100, A=25, n=N, level=inner(["hard", *NOT_HARD])),
    replicates=0,
    claims=[
        ordered(
            "risk",
            along="n",
            increasing=RISING,
            tolerance=0,
            where={"level": "hard"},
            name="the hard-label risk rises up to n = 150",
        ),
        ordered(
            "risk",
            along="n",
            increasing=FALLING[::-1],
            tolerance=0,
            where={"level": "hard"},
            name="and falls from there on",
        ),
        ordered(
            "risk",
            along="n",
            increasing=N[::-1],
            tolerance=0,
            where={"level": "hard"},
            expect="refuted",
            name="more samples never hurt the hard-label student (false)",
        ),
        ordered(
            "risk",
            along="n",
            increasing=[n for n in N[::-1] if n <= 1_000],
            tolerance=0,
            where={"level": NOT_HARD},
            name="more samples never hurt the others on average",
        ),
    ],
)
def expectations(cell, rng, size):
    """Exact risks along n, and the missing mass of inputs and labels together."""
    teacher = Teacher.from_cell(cell)
    values = [
        expected_missing_mass(teacher, cell.n)
        if level == "missing"
        else exact_risk(teacher, cell.n, level)
        for level in cell.level
    ]
    return {"risk": Exact(np.array(values), 1e-13)}


def family(instance, **extra):
    """Small teachers, so that whole paths can be followed."""
    parameters = {"S": 6, "A": 5, "seed": 0, "concentration": 1.0} | extra
    levels = inner(["hard", "weighted", *NOT_HARD])
    return grid(instance=instance, steps=STEPS, **parameters, level=levels)


@study(
    model=Teacher.from_cell,
    design=family("0") + family("dirichlet", concentration=[0.2, 2.0], seed=[1, 2]),
    replicates=1_000,
    block=100,
    ranges={"worst_step": (0, float("inf"))},
    profiles={"paper": {"replicates": 10_000}, "full": {"replicates": 100_000}},
    claims=[
        *(
            at_most(
                "worst_step",
                1,
                surely=True,
                where={"level": level},
                name=f"{label}: one more sample never raises the risk",
            )
            for level, label in [
                ("soft", "soft labels"),
                ("partial", "partial labels"),
                ("missing", "missing mass"),
            ]
        ),
        *(
            at_most(
                "worst_step",
                1,
                surely=True,
                where={"level": level},
                expect="refuted",
                name=f"{label}: one more sample never raises the risk (false)",
            )
            for level, label in [("hard", "hard labels"), ("weighted", "weighted labels")]
        ),
        *(
            at_most(
                f"{better}_over_{worse}",
                1,
                surely=True,
                where={"level": "hard"},
                name=f"{better} at most {worse}, on every sample of every size",
            )
            for better, worse in ORDERED
        ),
        at_most(
            "weighted_over_hard",
            1,
            surely=True,
            where={"level": "hard"},
            expect="refuted",
            name="weighted at most hard, on every sample (false)",
        ),
    ],
)
def paths(cell, rng, size):
    """Along one growing sample, the largest ratio of the risk after a step to that before it."""
    xp = rng.xp
    teacher = Teacher.from_cell(cell)
    counts = growing_samples(teacher, rng, size, cell.steps)
    risk = risks_and_missing_mass(teacher, counts, cell.level, xp)
    # a risk is a sum with rounding errors of about 1e-16
    steps = xp.max(risk[:, 1:] / (risk[:, :-1] + ROUNDING), axis=1)
    of = {level: risk[..., i] for i, level in enumerate(cell.level)}
    ratios = {
        f"{better}_over_{worse}": xp.max(of[better] / (of[worse] + ROUNDING), axis=1)
        for better, worse in [*ORDERED, ("weighted", "hard")]
    }
    return {"worst_step": steps, **ratios}


def growing_samples(teacher, rng, size, steps):
    """Counts after 0, 1, 2, ... samples, shape (size, steps + 1, S, A)."""
    xp = rng.xp
    label = rng.choice(teacher.S * teacher.A, size=(size, steps), p=teacher.joint.ravel())
    cells = xp.arange(teacher.S * teacher.A)
    drawn = xp.astype(label[..., None] == cells, xp.float64)
    counts = xp.concat([xp.zeros_like(drawn[:, :1]), xp.cumulative_sum(drawn, axis=1)], axis=1)
    return xp.reshape(counts, (size, steps + 1, teacher.S, teacher.A))


def risks_and_missing_mass(teacher, counts, levels, xp):
    """Risks of students, and the missing mass for the level of that name; last axis levels."""
    named = tuple(level for level in levels if level != "missing")
    risk = {k: tv_risk(v, teacher) for k, v in students(counts, teacher.pi, named).items()}
    joint = xp.asarray(teacher.joint.copy())
    unseen = xp.where(counts > 0, xp.zeros_like(counts), joint)
    risk["missing"] = xp.sum(unseen, axis=(-2, -1))
    return xp.stack([risk[level] for level in levels], axis=-1)


@study(
    model=Teacher.from_cell,
    design=grid(instance="0", S=6, A=5, path=[1, 2, 3], n=inner(list(range(STEPS + 1)))),
    replicates=1,
    block=1,
)
def single_paths(cell, rng, size):
    """Growing samples, step by step, for the figure."""
    teacher = Teacher.from_cell(cell)
    counts = growing_samples(teacher, rng, size, STEPS)
    levels = ["hard", *NOT_HARD]
    risk = risks_and_missing_mass(teacher, counts, levels, rng.xp)
    return {level: risk[..., i] for i, level in enumerate(levels)}
