"""Pooling can hurt sixty-fold; adaptive procedures stay within a logarithm (arXiv:2002.04747).

Five ways to use both samples on power thresholds, where every excess risk is exact. Pooling and
fixed weights fail in one corner or another of the plane of sample sizes; confidence-set ERM and
selection follow the smaller of the two rates everywhere, with the logarithm that they pay.
"""

import math

from tlstat import geometric, grid, inner, study
from tlstat.minimax import rates, theory
from tlstat.minimax.estimators import weighted_erm
from tlstat.minimax.models import Hypercube, PowerThresholds
from tlstat.minimax.risk import simulate_risks
from tlstat.minimax.sampling import sample_cells
from tlstat.theory import at_least, between, ordered, rate

NAMES = ("gamma", "q", "a_P", "a_Q")
PROCEDURES = ("source", "target", "pooled", "equal", "select", "confidence-set")
NON_NEGATIVE = (0.0, float("inf"))
PROFILES = {"paper": {"replicates": 10_000}, "full": {"replicates": 100_000}}


def family(*powers, **more):
    """A grid on one power family."""
    return grid(**dict(zip(NAMES, map(float, powers), strict=True)), c_P=0.5, c_Q=0.5, **more)


def logarithmic(n, exponent):
    """``A_n^exponent`` with ``A_n = log(n)/n``: a rate with its logarithm."""
    return (math.log(n) / n) ** exponent


def against(factors):
    """Risks times factors, so that an order says "at least so many times as large"."""

    def measure(cell, rng, size):
        model = PowerThresholds.from_cell(cell)
        risk = simulate_risks(model, cell.n_P, cell.n_Q, rng, size, cell.procedure)
        return {"scaled": risk * rng.asarray([float(factors.get(p, 1)) for p in cell.procedure])}

    return measure


@study(
    model=PowerThresholds.from_cell,
    design=family(1, 1, 2, 0, n_P=1_000_000, n_Q=10_000, procedure=inner(["target", "pooled"])),
    replicates=4_000,
    block=500,
    ranges={"scaled": NON_NEGATIVE},
    profiles=PROFILES,
    claims=[
        ordered(
            "scaled",
            along="procedure",
            increasing=["target", "pooled"],
            name="pooling is at least 50 times worse than the target alone",
        ),
    ],
)
def pooling_hurts(cell, rng, size):
    """A hundred times as many source points, noisy where it matters: 50 target risks."""
    return against({"target": 50})(cell, rng, size)


@study(
    model=PowerThresholds.from_cell,
    design=family(
        2, 1, 1, 1, n_P=10_000_000_000, n_Q=100, procedure=inner(["source", "pooled", "equal"])
    ),
    replicates=4_000,
    block=500,
    ranges={"scaled": NON_NEGATIVE},
    profiles=PROFILES,
    claims=[
        ordered(
            "scaled",
            along="procedure",
            increasing=["source", "equal"],
            name="equal averaging is at least 1000 times worse than the source alone",
        ),
    ],
)
def averaging_hurts(cell, rng, size):
    """The opposite corner: a hundred target points get half of the say."""
    return against({"source": 1_000})(cell, rng, size)


@study(
    model=PowerThresholds.from_cell,
    design=family(
        2,
        1,
        0,
        0,
        n_P=[10_000, 1_000_000],
        n_Q=[100, 10_000],
        procedure=inner(["pooled", "target", "source"]),
    ),
    replicates=6_000,
    block=250,
    ranges={"scaled": NON_NEGATIVE},
    profiles=PROFILES,
    claims=[
        ordered("scaled", along="procedure", increasing=["pooled", "target"], tolerance=0.05),
        ordered("scaled", along="procedure", increasing=["pooled", "source"], tolerance=0.05),
    ],
)
def pooling_is_fine(cell, rng, size):
    """Bounded noise in both samples: pooling is at most 1.3 times the better of the two."""
    return against({"target": 1.3, "source": 1.3})(cell, rng, size)


@study(
    model=PowerThresholds.from_cell,
    design=family(1, 1, 2, 0, n_P=geometric(10**10, 10**12, 5), n_Q=10**8),
    replicates=1_500,
    block=250,
    ranges={"risk": NON_NEGATIVE, "over_drift": NON_NEGATIVE},
    profiles=PROFILES,
    claims=[
        between("over_drift", 0.5, 1.6, name="the pooled risk is of order n_P / n_Q^2"),
        rate(
            "risk",
            along="n_P",
            bound=1.0,
            expect="refuted",
            name="more source data do not hurt the pooled ERM (false)",
        ),
    ],
)
def pooled_drift(cell, rng, size):
    """Between n_Q and n_Q^(5/3) the pooled risk grows with n_P: more data, more harm."""
    model = PowerThresholds.from_cell(cell)
    risk = simulate_risks(model, cell.n_P, cell.n_Q, rng, size, ["pooled"])[:, 0]
    drift = theory.POOLED_DRIFT.shape(n_P=cell.n_P, n_Q=cell.n_Q)
    return {"risk": risk, "over_drift": risk / drift}


@study(
    model=PowerThresholds.from_cell,
    design=family(1, 1, 2, 0, n_Q=geometric(1_000, 10_000_000, 5)),
    replicates=4_000,
    block=500,
    ranges={"risk": NON_NEGATIVE},
    profiles=PROFILES,
    claims=[
        rate(
            "risk",
            along="n_Q",
            bound=lambda cell, model: logarithmic(cell.n_Q, 1.0),
            tolerance=0.02,
            name="confidence-set ERM pays exactly one logarithm",
        ),
    ],
)
def price_of_adaptation(cell, rng, size):
    """A large and useless source: it chooses at random in a set as wide as its radius."""
    model = PowerThresholds.from_cell(cell)
    n_P = int(cell.n_Q**1.2)
    return {"risk": simulate_risks(model, n_P, cell.n_Q, rng, size, ["confidence-set"])[:, 0]}


PLACES = {"source decides": (10**10, 100), "target decides": (100, 10**6)}
SHARES = [0.01, 0.1, 0.5, 0.9, 0.99, 0.999]


@study(
    model=PowerThresholds.from_cell,
    design=family(2, 1, 1, 1, place=list(PLACES), share=inner(SHARES)),
    replicates=1_000,
    block=250,
    ranges={"over_rate": NON_NEGATIVE},
    profiles=PROFILES,
    claims=[
        at_least(
            "over_rate",
            10.0,
            over="family",
            along="place",
            name="no fixed share of the source's error rate is minimax",
        ),
    ],
)
def fixed_shares(cell, rng, size):
    """Weighted error rates, share for the source: every share fails at one place or the other."""
    model = PowerThresholds.from_cell(cell)
    n_P, n_Q = PLACES[cell.place]
    weights = [share / (1 - share) * n_Q / n_P for share in cell.share]
    sample = sample_cells(model, n_P, n_Q, rng, size)
    risk = model.excess_Q(sample.take(weighted_erm(sample, weights)))
    exponents = {"rho": model.rho, "beta_P": model.beta_P, "beta_Q": model.beta_Q}
    return {"over_rate": risk / rates.minimax_rate(n_P, n_Q, **exponents)}


@study(
    model=Hypercube.from_cell,
    design=grid(
        eps=0.15,
        n_P=[1_000, 100_000],
        n_Q=[50, 500],
        rho=2.0,
        beta_P=0.5,
        beta_Q=0.5,
        m=6,
        procedure=inner(PROCEDURES),
    ),
    replicates=2_000,
    block=250,
    ranges={"risk": NON_NEGATIVE},
    profiles=PROFILES,
    claims=[
        at_least(
            "risk",
            theory.CUBE_MINIMAX,
            over="prior",
            where={"n_P": 1_000, "n_Q": 50},
            tolerance=0.05,
            name="no procedure beats the minimax risk over the cube",
        ),
    ],
)
def on_the_cube(cell, rng, size):
    """The same procedures where the lower bound lives, over all 64 sign vectors."""
    model = Hypercube.from_cell(cell).finite_class()
    return {"risk": simulate_risks(model, cell.n_P, cell.n_Q, rng, size, cell.procedure)}
