"""The source's best classifier is not the target's: plateaus, and who notices (arXiv:2002.04747).

The source's threshold is shifted by b. Source ERM and pooling stay at the excess of the source's
best classifier; selection (Algorithm II) takes the better of this floor and the target's rate;
the mirrored rule, which trusts the source's confidence set, needs a common best classifier.
"""

import math

from tlstat import geometric, grid, inner, study
from tlstat.minimax.models import ShiftedCentre
from tlstat.minimax.risk import simulate_risks
from tlstat.theory import at_least, at_most, equals, rate

PROCEDURES = ("source", "target", "pooled", "select", "confidence-set", "mirrored")
NON_NEGATIVE = (0.0, float("inf"))
PROFILES = {"paper": {"replicates": 10_000}, "full": {"replicates": 100_000}}


def floor(cell, model):
    """Target excess of the source's best classifier."""
    return model.floor


def smaller(factor):
    """`factor` times the smaller of floor plus source rate, and target rate with its logarithm."""

    def bound(cell, model):
        source = model.floor + cell.n_P**-1.0
        return factor * min(source, math.log(cell.n_Q) / cell.n_Q)

    bound.__name__ = f"{factor:g} times the smaller of floor and target rate with its logarithm"
    return bound


@study(
    model=ShiftedCentre.from_cell,
    design=grid(
        gamma=1.0,
        q=1.0,
        b=[0.3, 0.03, 0.003, 0.0003],
        n_P=10**8,
        n_Q=[100, 10_000, 1_000_000],
        procedure=inner(PROCEDURES),
    ),
    replicates=600,
    block=200,
    ranges={"risk": NON_NEGATIVE},
    profiles=PROFILES,
    claims=[
        at_most("risk", smaller(12.0), where={"procedure": "select"}, statistic=0.9),
        at_most("risk", smaller(12.0), where={"procedure": "confidence-set"}, statistic=0.9),
        at_most(
            "risk",
            smaller(12.0),
            where={"procedure": "pooled"},
            expect="refuted",
            name="pooling notices the shift (false)",
        ),
        at_most(
            "risk",
            smaller(12.0),
            where={"procedure": "mirrored"},
            expect="refuted",
            name="the mirrored rule needs no common best classifier (false)",
        ),
        at_least(
            "risk",
            lambda cell, model: 0.99 * model.floor,
            where={"procedure": "mirrored", "b": [0.3, 0.03]},
            name="the mirrored rule stays at the floor, whatever the target says",
        ),
    ],
)
def shifts(cell, rng, size):
    """Large and small shifts: rejected, hidden, harmless."""
    model = ShiftedCentre.from_cell(cell)
    return {"risk": simulate_risks(model, cell.n_P, cell.n_Q, rng, size, cell.procedure)}


@study(
    model=ShiftedCentre.from_cell,
    design=grid(gamma=[1.0, 2.0], q=1.0, b=0.1, n_P=geometric(100_000, 1_000_000_000_000, 4)),
    replicates=600,
    block=200,
    ranges={"risk": NON_NEGATIVE},
    profiles=PROFILES,
    claims=[
        equals("risk", floor, where={"n_P": lambda n: n >= 10**7}),
        rate(
            "risk",
            along="n_P",
            bound=lambda cell, model: cell.n_P**model.source_slope,
            expect="refuted",
            name="source ERM reaches the target's best classifier (false)",
        ),
    ],
)
def plateau(cell, rng, size):
    """Source ERM ends at the floor, with no rate at all."""
    model = ShiftedCentre.from_cell(cell)
    return {"risk": simulate_risks(model, cell.n_P, 0, rng, size, ["source"])[:, 0]}


@study(
    model=ShiftedCentre.from_cell,
    design=grid(gamma=[1.0, 2.0], q=1.0, a_P=[0.0, 1.0], b=0.25, n_P=geometric(10**6, 10**12, 5)),
    replicates=2_000,
    block=250,
    ranges={"beyond": NON_NEGATIVE},
    profiles=PROFILES,
    claims=[
        rate(
            "beyond",
            along="n_P",
            bound=lambda cell, model: cell.n_P**model.source_slope,
            tolerance=0.02,
            name="beyond the floor, rho is that of a locally linear target: gamma + a_P",
        ),
        rate(
            "beyond",
            along="n_P",
            bound=lambda cell, model: cell.n_P ** (-2 / (cell.gamma + 2 * cell.a_P)),
            where={"a_P": 1.0},
            expect="refuted",
            name="rho is that of the common centre (false)",
        ),
    ],
)
def beyond_the_floor(cell, rng, size):
    """How far target excess is from the floor, on either side of it."""
    model = ShiftedCentre.from_cell({**cell, "a_Q": 1.0})
    risk = simulate_risks(model, cell.n_P, 0, rng, size, ["source"])[:, 0]
    return {"beyond": abs(risk - model.floor)}
