"""Soft labels in the wrong loss: weighted cross-entropy does not converge (Theorem 4.3, Fig. 1).

On the fixed Instance 0 the hard-label student converges slowly, the partial and soft ones almost
at once, and the student that weights its cross-entropy by the partial soft labels goes to the
teacher at half its temperature.
"""

from tlstat import geometric, grid, inner, study
from tlstat.knowledge_transfer import Teacher, simulate_risks, theory
from tlstat.theory import at_most, equals, ordered, rate

LEVELS = inner(["hard", "weighted", "partial", "soft"])
WIDE = [50, 250, 500, 750, 1_000, 1_500, 2_000, 2_500]
LONG = geometric(10_000, 1_000_000_000_000, 9)


@study(
    model=Teacher.from_cell,
    design=grid(instance="0", S=100, A=25, n=WIDE, level=LEVELS)
    + grid(instance="0", S=1, A=100, n=[10, *range(100, 1_001, 100)], level=LEVELS),
    replicates=6_000,
    block=250,
    ranges={
        "tv": (0, float("inf")),
        "soft_over_partial": (0, float("inf")),
        "partial_over_hard": (0, float("inf")),
        "partial_over_weighted": (0, float("inf")),
    },
    profiles={"paper": {"replicates": 10_000}, "full": {"replicates": 100_000}},
    claims=[
        equals("tv", theory.HARD_ON_INSTANCE_0, where={"level": "hard"}),
        equals(
            "tv",
            theory.PARTIAL_ON_INSTANCE_0,
            where={"level": "partial", "S": 100, "n": [50, 250]},
        ),
        equals("tv", theory.SOFT_ON_INSTANCE_0, where={"level": "soft", "S": 100, "n": 50}),
        ordered(
            "tv",
            along="level",
            increasing=["soft", "partial", "hard"],
            where={"level": ["soft", "partial", "hard"], "S": 100, "n": [50, 250, 500]},
        ),
        *(
            at_most(
                ratio,
                1,
                surely=True,
                where={"S": 100, "n": [50, 250]},
                name=f"{ratio} is at most 1, sample by sample",
            )
            for ratio in ("soft_over_partial", "partial_over_hard", "partial_over_weighted")
        ),
    ],
)
def instance_0(cell, rng, size):
    """The paper's first figure: a fixed teacher, half uniform and half a point mass.

    The ratios of risks are those of one sample: with equal guesses at unseen inputs they are
    ordered on every data set, not only on average (0 where both risks are 0).
    """
    xp = rng.xp
    tv = simulate_risks(Teacher.from_cell(cell), cell.n, rng, size, cell.level)
    risk = {level: tv[:, i] for i, level in enumerate(cell.level)}

    def ratio(a, b):
        below = xp.where(risk[b] > 0, risk[b], xp.ones_like(risk[b]))
        return xp.where(risk[b] > 0, risk[a] / below, risk[a])

    return {
        "tv": tv,
        "soft_over_partial": ratio("soft", "partial"),
        "partial_over_hard": ratio("partial", "hard"),
        "partial_over_weighted": ratio("partial", "weighted"),
    }


@study(
    model=Teacher.from_cell,
    design=grid(instance="0", S=20, A=10, n=LONG, level=LEVELS),
    replicates=2_000,
    block=500,
    ranges={"tv": (0, float("inf"))},
    profiles={"paper": {"replicates": 10_000}, "full": {"replicates": 100_000}},
    claims=[
        equals(
            "tv",
            theory.WEIGHTED_LABEL_BIAS,
            rtol=0.01,
            where={"level": "weighted", "n": [n for n in LONG if n >= 10**9]},
        ),
        rate(
            "tv", along="n", bound=theory.HARD_LABEL_RATE, tolerance=0.02, where={"level": "hard"}
        ),
        rate(
            "tv",
            along="n",
            bound=theory.WEIGHTED_LABEL_CONSISTENT,
            where={"level": "weighted"},
            expect="refuted",
            name="weighted labels are consistent at rate -1/2 (false)",
        ),
        at_most(
            "tv",
            theory.HARD_LABEL_UPPER,
            where={"level": "weighted"},
            expect="refuted",
            name="weighted labels obey the hard-label bound (false)",
        ),
    ],
)
def plateau(cell, rng, size):
    """Far beyond any data set: what is bias and what is noise."""
    return {"tv": simulate_risks(Teacher.from_cell(cell), cell.n, rng, size, cell.level)}
