"""Three levels of information, three rates: -1/2, -1, -1 (Zhao and Zhu, arXiv:2310.07838, Fig. 2).

Each study follows one student on the teachers that are hardest for it; they move with the sample
size, so the decay is polynomial. Slopes are read where they are asymptotic: from n = 50 S on for
hard labels, from 50 SA on for the others. Counts are drawn whatever n at the same cost, so the
grid goes on to ten million where the paper stops at a hundred thousand.
"""

from tlstat import geometric, grid, inner, study
from tlstat.knowledge_transfer import Teacher, simulate_risks, theory
from tlstat.theory import equals, ordered, rate

N = geometric(1_000, 10_000_000, 9)
LEVELS = inner(["hard", "weighted", "partial", "soft"])
PROFILES = {"paper": {"replicates": 64_000}, "full": {"replicates": 640_000}}


def panel(level, S, A, per_cell):
    """Selects one student on one size, at sample sizes of at least ``per_cell``."""
    return {"level": level, "S": S, "A": A, "n": [n for n in N if n >= per_cell]}


def design(instance, sizes):
    """Both panels of a row of Figure 2."""
    (S1, A1), (S2, A2) = sizes
    common = {"instance": instance, "n": N, "level": LEVELS}
    return grid(S=S1, A=A1, **common) + grid(S=S2, A=A2, **common)


def decays(bound, level, S, A, per_cell):
    """Claims that the student's risk falls at the rate of ``bound``."""
    where = panel(level, S, A, per_cell)
    return rate("tv", along="n", bound=bound, tolerance=0.02, where=where)


@study(
    model=Teacher.from_cell,
    design=design("1", [(10, 10), (100, 10)]),
    replicates=800,
    block=200,
    ranges={"tv": (0, float("inf"))},
    profiles=PROFILES,
    claims=[
        decays(theory.HARD_LABEL_RATE, "hard", 10, 10, 1_000),
        decays(theory.HARD_LABEL_RATE, "hard", 100, 10, 5_000),
        decays(theory.HARD_LABEL_RATE, "weighted", 10, 10, 1_000),
        equals("tv", theory.HARD_ON_INSTANCE_1, where=panel("hard", 100, 10, 5_000)),
    ],
)
def instance_1(cell, rng, size):
    """Pairs of nearly equal labels: hard for hard labels."""
    return {"tv": simulate_risks(Teacher.from_cell(cell), cell.n, rng, size, cell.level)}


@study(
    model=Teacher.from_cell,
    design=design("2", [(10, 11), (10, 101)]),
    replicates=2_000,
    block=250,
    ranges={"tv": (0, float("inf"))},
    profiles=PROFILES,
    claims=[
        decays(theory.PARTIAL_LABEL_RATE, "partial", 10, 11, 5_500),
        decays(theory.PARTIAL_LABEL_RATE, "partial", 10, 101, 50_500),
        equals("tv", theory.PARTIAL_ON_INSTANCE_2, where=panel("partial", 10, 101, 50_500)),
        ordered(
            "tv",
            along="level",
            increasing=["partial", "hard"],
            where={"S": 10, "A": 101, "level": ["partial", "hard"]},
        ),
        ordered(
            "tv",
            along="level",
            increasing=["partial", "weighted"],
            where={"S": 10, "A": 101, "level": ["partial", "weighted"]},
        ),
    ],
)
def instance_2(cell, rng, size):
    """Half of the labels rare, half impossible: hard for partial soft labels."""
    return {"tv": simulate_risks(Teacher.from_cell(cell), cell.n, rng, size, cell.level)}


@study(
    model=Teacher.from_cell,
    design=design("3", [(10, 11), (100, 3)]),
    replicates=2_000,
    block=250,
    ranges={"tv": (0, float("inf"))},
    profiles=PROFILES,
    claims=[
        decays(theory.SOFT_LABEL_RATE, "soft", 10, 11, 5_500),
        decays(theory.SOFT_LABEL_RATE, "soft", 100, 3, 15_000),
        equals("tv", theory.SOFT_ON_INSTANCE_3, where=panel("soft", 100, 3, 15_000)),
        ordered(
            "tv",
            along="level",
            increasing=["soft", "hard"],
            where={"S": 10, "A": 11, "level": ["soft", "hard"]},
        ),
    ],
)
def instance_3(cell, rng, size):
    """Rare inputs on top of rare labels: hard even for whole soft labels."""
    return {"tv": simulate_risks(Teacher.from_cell(cell), cell.n, rng, size, cell.level)}
