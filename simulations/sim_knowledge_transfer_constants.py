"""The constants in front of the rates, on the paper's instances and on a harder one.

Leading terms of exact risks as ``n`` grows, and the constant of partial soft labels against the
number of labels: Theorem 4.1 has ``1/(4e)`` whatever their number, its Instance 2 reaches
``1/(2(e+1))``, Instance 2* (ours) 0.1544, and no student can fall below that on its prior.
"""

import numpy as np

from tlstat import Exact, grid, inner, study
from tlstat.knowledge_transfer import Teacher, exact_risk, minimax, simulate_risks, theory
from tlstat.theory import at_least, between, equals, ordered, rate

HUGE = 10**10
LABELS = [3, 5, 7, 11, 21, 51, 101, 201, 401, 1_001]
CURVES = ["theorem 4.1", "Instance 2", "Instance 2*", "largest missing mass", "SA/(en)"]


def within(value, share):
    """Both ends of an interval around a limit that a finite sample does not attain exactly."""
    return {"lower": (1 - share) * value, "upper": (1 + share) * value, "tolerance": 0}


@study(
    design=grid(S=10, A=LABELS, n=HUGE, curve=inner(CURVES)),
    replicates=0,
    claims=[
        ordered("constant", along="curve", increasing=CURVES, tolerance=1e-6),
        ordered(
            "constant",
            along="A",
            increasing=LABELS,
            tolerance=0,
            where={"curve": ["Instance 2", "Instance 2*"]},
            name="the constants grow with the number of labels",
        ),
        between(
            "constant",
            **within(1 / (4 * np.e), 1e-6),
            where={"curve": CURVES[:3], "A": 3},
            name="with three labels all are 1/(4e): Theorem 4.1 is sharp there",
        ),
        between(
            "constant",
            **within(1 / (2 * (np.e + 1)), 2e-3),
            where={"curve": "Instance 2", "A": 1_001},
            name="Instance 2 goes to 1/(2(e+1))",
        ),
        between(
            "constant",
            **within(minimax.subset_limit_constant(), 2e-3),
            where={"curve": "Instance 2*", "A": 1_001},
            name="Instance 2* goes to 0.1544",
        ),
        at_least(
            "constant",
            0.15,
            where={"curve": "Instance 2", "A": LABELS[-3:]},
            expect="refuted",
            name="Instance 2 is as hard as Instance 2* (false)",
        ),
    ],
)
def level_two(cell, rng, size):
    """``n / (S (A - 1))`` times the exact risk of the partial-label student."""
    S, A, n = cell.S, cell.A, cell.n
    values = [
        theory.PARTIAL_LABEL_LOWER(S=S, A=A, n=n),
        exact_risk(Teacher.instance2(S, A, n), n, "partial"),
        exact_risk(Teacher.instance2star(S, A, n), n, "partial"),
        minimax.largest_missing_mass(S * A, n),
        theory.PARTIAL_LABEL_UPPER(S=S, A=A, n=n),
    ]
    constants = np.array(values) * n / (S * (A - 1))
    return {"constant": Exact(constants, 1e-9)}


def around(bound, share, **changed):
    """Functions of the cell that enclose a leading term."""

    def times(factor):
        return lambda cell, model: factor * bound.at(cell.replace(**changed), model)

    return times(1 - share), times(1 + share)


LEADING = {
    "2 hard": theory.HARD_ON_INSTANCE_2_LIMIT,
    "2 partial": theory.PARTIAL_ON_INSTANCE_2_LIMIT,
    "3 soft": theory.SOFT_ON_INSTANCE_3_LIMIT,
}


@study(
    model=Teacher.from_cell,
    design=grid(
        instance=["1", "2", "3"],
        S=[10, 100],
        A=11,
        n=[10**5, 10**6, 10**7],
        level=inner(["hard", "partial", "soft"]),
    ),
    replicates=0,
    claims=[
        *(
            between(
                "risk",
                *around(bound, 1e-3),
                tolerance=0,
                where={"instance": key[0], "level": key[2:], "n": 10**7, "S": 10},
                name=f"{key[2:]} labels on Instance {key[0]}: leading term to 0.1 %",
            )
            for key, bound in LEADING.items()
        ),
        between(
            "risk",
            *around(theory.HARD_ON_INSTANCE_1_LIMIT, 1e-3, A=10),
            tolerance=0,
            where={"instance": "1", "level": "hard", "n": 10**7, "S": 10},
            name="hard labels on Instance 1: leading term to 0.1 % (the eleventh label is idle)",
        ),
        rate(
            "risk",
            along="n",
            bound=theory.PARTIAL_LABEL_RATE,
            tolerance=0.02,
            where={"instance": ["2", "3"], "level": "hard", "S": 10},
            name="hard labels fall at rate -1 where teachers are nearly deterministic (3.5)",
        ),
    ],
)
def leading_terms(cell, rng, size):
    """Exact risks at sample sizes where the leading term is all there is."""
    teacher = Teacher.from_cell(cell)
    values = np.array([exact_risk(teacher, cell.n, level) for level in cell.level])
    return {"risk": Exact(values, 1e-10)}


@study(
    model=Teacher.from_cell,
    design=grid(
        instance=["2", "2*"], S=10, A=101, n=[100_000, 1_000_000], level=inner(["hard", "partial"])
    ),
    replicates=3_000,
    block=250,
    profiles={"paper": {"replicates": 20_000}, "full": {"replicates": 200_000}},
    claims=[
        equals(
            "tv", theory.PARTIAL_ON_INSTANCE_2STAR, where={"instance": "2*", "level": "partial"}
        ),
        equals("tv", theory.HARD_ON_INSTANCE_2STAR, where={"instance": "2*", "level": "hard"}),
        ordered(
            "tv",
            along="instance",
            increasing=["2", "2*"],
            tolerance=0,
            where={"level": "partial"},
            name="Instance 2* is harder than Instance 2",
        ),
    ],
)
def instance_2star(cell, rng, size):
    """The partial-label student on its two hard instances."""
    return {"tv": simulate_risks(Teacher.from_cell(cell), cell.n, rng, size, cell.level)}
