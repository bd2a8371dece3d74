"""Many labels and few samples: where whole rows help, and where nothing does (Fig. 1 c and d).

The paper's panels (c) and (d) show Instance 0 with many labels, and with so many cells that the
polynomial rate of partial soft labels stays invisible. Their sizes are not printed in its text;
these are ours.
"""

from tlstat import grid, inner, study
from tlstat.knowledge_transfer import Teacher, simulate_risks, theory
from tlstat.theory import equals, ordered

LEVELS = ["hard", "weighted", "partial", "soft"]
# n: few samples for an input in the first panel, up to a hundred in the second
PANELS = {
    (10, 1_000): [1, 5, 10, 20, 35, 50, 75, 100, 200, 500, 1_000, 2_000],
    (300, 100): [10, 100, 300, 600, 1_000, 2_000, 3_000, 6_000, 12_000, 20_000, 30_000],
}


def panel(S, A):
    """One panel of the figure."""
    return grid(instance="0", S=S, A=A, n=PANELS[S, A], level=inner(LEVELS))


@study(
    model=Teacher.from_cell,
    design=panel(10, 1_000) + panel(300, 100),
    replicates=150,
    block=50,
    profiles={"paper": {"replicates": 1_000}, "full": {"replicates": 10_000}},
    claims=[
        equals(
            "tv",
            theory.HARD_ON_INSTANCE_0,
            where={"level": "hard", "S": 300, "n": PANELS[300, 100]},
        ),
        equals(
            "tv",
            theory.PARTIAL_ON_INSTANCE_0,
            where={"level": "partial", "S": 300, "n": [10, 100, 300]},
        ),
        ordered(
            "tv",
            along="level",
            increasing=["soft", "partial", "hard"],
            where={"level": ["soft", "partial", "hard"], "S": 10, "n": [10, 20, 35]},
            name="with 1000 labels, whole rows beat partial labels from the first samples on",
        ),
        ordered(
            "tv",
            along="level",
            increasing=["weighted", "hard"],
            where={"level": ["weighted", "hard"], "S": 300, "n": [300, 600, 1_000, 2_000, 3_000]},
            name="sharpening helps while samples are scarce",
        ),
        ordered(
            "tv",
            along="level",
            increasing=["hard", "weighted"],
            where={"level": ["weighted", "hard"], "S": 300, "n": [20_000, 30_000]},
            name="and hurts once they are not",
        ),
    ],
)
def crowded(cell, rng, size):
    """Risks of the four students on the same samples."""
    return {"tv": simulate_risks(Teacher.from_cell(cell), cell.n, rng, size, cell.level)}
