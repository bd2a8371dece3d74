"""A real teacher: logistic regression on handwritten digits, quantised to 50 inputs.

No formula was made for this teacher. The closed forms, the ordering and the limit of the weighted
student hold all the same; what the minimax rates say of the worst case, this fixed teacher beats.
"""

from tlstat import geometric, grid, inner, study
from tlstat.knowledge_transfer import Teacher, simulate_risks, theory
from tlstat.theory import at_most, equals, ordered, rate

LEVELS = inner(["hard", "weighted", "partial", "soft"])
N = geometric(100, 10_000_000_000, 9)


@study(
    model=Teacher.from_cell,
    design=grid(instance="digits", S=50, A=10, n=N, level=LEVELS),
    replicates=10_000,
    block=250,
    ranges={"tv": (0, float("inf"))},
    profiles={"paper": {"replicates": 40_000}, "full": {"replicates": 400_000}},
    claims=[
        equals(
            "tv",
            theory.exact("hard"),
            where={"level": "hard", "n": [n for n in N if n <= 1_000_000]},
        ),
        equals("tv", theory.exact("partial"), where={"level": "partial", "n": N[:2]}),
        equals("tv", theory.exact("soft"), where={"level": "soft", "n": N[0]}),
        equals("tv", theory.weighted_limit, rtol=0.01, where={"level": "weighted", "n": N[-1]}),
        rate(
            "tv",
            along="n",
            bound=theory.HARD_LABEL_RATE,
            tolerance=0.02,
            where={"level": "hard", "n": [n for n in N if n >= 1_000_000]},
        ),
        at_most("tv", theory.HARD_LABEL_UPPER, where={"level": "hard"}),
        ordered(
            "tv",
            along="level",
            increasing=["soft", "partial", "hard"],
            where={"level": ["soft", "partial", "hard"], "n": N[0]},
        ),
        ordered(
            "tv",
            along="level",
            increasing=["partial", "weighted"],
            where={"level": ["partial", "weighted"]},
        ),
    ],
)
def digits(cell, rng, size):
    """Total-variation risk of every student on the same ``size`` samples."""
    return {"tv": simulate_risks(Teacher.from_cell(cell), cell.n, rng, size, cell.level)}
