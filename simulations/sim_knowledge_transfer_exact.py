"""No simulation: closed forms against each other (missing mass, minimax risk, exact slopes).

A study with 0 replicates returns exact values with their numerical error; the verdict compares
that error with the margin.
"""

import numpy as np
from scipy.optimize import minimize
from scipy.special import softmax

from tlstat import Exact, geometric, grid, inner, study
from tlstat.knowledge_transfer import Teacher, exact_risk, expected_missing_mass, theory
from tlstat.theory import at_most, equals, ordered, rate

LEVELS = ["soft", "partial", "missing", "hard"]


@study(
    model=Teacher.from_cell,
    design=grid(
        instance=["0", "2"], S=10, A=11, n=geometric(100, 1_000_000, 9), level=inner(LEVELS)
    )
    + grid(instance="1", S=10, A=10, n=geometric(100, 1_000_000, 9), level=inner(LEVELS)),
    replicates=0,
    claims=[
        ordered(
            "risk",
            along="level",
            increasing=LEVELS,
            tolerance=1e-6,
            where={"instance": ["0", "2"], "n": 100},
        ),
        at_most("risk", theory.PARTIAL_LABEL_UPPER_SHARP, where={"level": "missing"}),
        at_most("risk", theory.HARD_LABEL_UPPER, where={"level": "hard"}),
        rate(
            "risk",
            along="n",
            bound=theory.HARD_LABEL_RATE,
            tolerance=0.005,
            where={"instance": "1", "level": "hard", "n": geometric(1_000, 1_000_000, 7)},
        ),
        rate(
            "risk",
            along="n",
            bound=theory.PARTIAL_LABEL_RATE,
            tolerance=0.005,
            where={
                "instance": "2",
                "level": ["partial", "missing"],
                "n": geometric(10_000, 1_000_000, 5),
            },
        ),
    ],
)
def closed_forms(cell, rng, size):
    """Exact risks beside the missing mass of inputs and labels together."""
    teacher = Teacher.from_cell(cell)
    values = [
        expected_missing_mass(teacher, cell.n)
        if level == "missing"
        else exact_risk(teacher, cell.n, level)
        for level in cell.level
    ]
    return {"risk": Exact(np.array(values), 1e-12)}


@study(
    design=grid(S=[2, 5, 10], A=4, n=[0, 3, 10, 100]),
    replicates=0,
    claims=[
        equals("worst", theory.SOFT_LABEL_MINIMAX, rtol=1e-6),
        at_most("worst", theory.SOFT_LABEL_MINIMAX, tolerance=1e-9),
    ],
)
def soft_label_worst_case(cell, rng, size):
    """The worst teacher for soft labels, found by search over all input laws.

    Labels are deterministic there, the least favourable for a uniform guess. The closed form of
    the minimax risk comes from an argument about the shape of the optimum, the search does not.
    """
    labels = np.arange(cell.S) % cell.A

    def risk(logits):
        rho = softmax(logits)
        return exact_risk(Teacher.diracs(labels, cell.A, rho / rho.sum()), cell.n, "soft")

    starts = [np.zeros(cell.S), np.log(np.append(np.full(cell.S - 1, 1 / (cell.n + cell.S)), 1))]
    starts += [rng.normal(size=cell.S) for _ in range(2)]
    found = [minimize(lambda x: -risk(x), x, method="BFGS", options={"gtol": 1e-9}) for x in starts]
    return {"worst": Exact(max(-float(f.fun) for f in found), 1e-12)}
