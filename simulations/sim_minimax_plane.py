"""The plane of sample sizes: five procedures, the exact lower bound, and where each fails.

Noise-free the two rates are all there is; here the source is noisy where it matters (power
thresholds with rho = 3, beta_P = 1/3, beta_Q = 1), the case in which pooling is worst, and a
covariate shift (rho = 3/2). The lower bound is that of the class of VC dimension 2 with the
family's exponents and constants; the family is one member, so that a ratio below 1 is possible.
"""

import math

from tlstat import Exact, geometric, grid, inner, study
from tlstat.minimax.cube import bayes_lower_bound
from tlstat.minimax.models import PowerThresholds
from tlstat.minimax.risk import simulate_risks
from tlstat.theory import at_most, between

NAMES = ("gamma", "q", "a_P", "a_Q")
PROCEDURES = ("source", "target", "pooled", "select", "confidence-set", "equal")
SIZES = {"n_P": geometric(100, 10**10, 9), "n_Q": geometric(10, 100_000, 9)}
COARSE = {"n_P": geometric(100, 10**10, 5), "n_Q": geometric(100, 1_000_000, 3)}


def family(*powers, **more):
    """A grid on one power family."""
    return grid(**dict(zip(NAMES, map(float, powers), strict=True)), c_P=0.5, c_Q=0.5, **more)


def logarithmic(n, exponent):
    """``A_n^exponent`` with ``A_n = log(n)/n``: a rate with its logarithm."""
    return (math.log(n) / n) ** exponent


def within_logs(factor):
    """`factor` times the smaller of both rates, each with its logarithm."""

    def bound(cell, model):
        source = logarithmic(cell.n_P, -model.source_slope)
        return factor * min(source, logarithmic(cell.n_Q, -model.target_slope))

    bound.__name__ = f"{factor:g} times the smaller rate with its logarithm"
    return bound


@study(
    model=PowerThresholds.from_cell,
    design=family(1, 1, 2, 0, **SIZES, procedure=inner(PROCEDURES))
    + family(2, 1, 1, 1, **COARSE, procedure=inner(PROCEDURES)),
    replicates=400,
    block=200,
    ranges={"risk": (0.0, float("inf"))},
    profiles={"paper": {"replicates": 4_000}, "full": {"replicates": 40_000}},
    claims=[
        at_most("risk", within_logs(8.0), where={"procedure": "confidence-set"}, statistic=0.9),
        at_most("risk", within_logs(8.0), where={"procedure": "select"}, statistic=0.9),
        *(
            at_most(
                "risk",
                within_logs(8.0),
                statistic="median",
                where={"procedure": name, **where},
                expect="refuted",
                name=f"{name} ERM is within a logarithm of the smaller rate (false)",
            )
            for name, where in (
                ("source", {}),
                ("pooled", {"gamma": 1.0}),
            )
        ),
    ],
)
def plane(cell, rng, size):
    """All procedures on the same samples, over the plane of sample sizes."""
    model = PowerThresholds.from_cell(cell)
    return {"risk": simulate_risks(model, cell.n_P, cell.n_Q, rng, size, cell.procedure)}


def class_bound(model, n_P, n_Q):
    """The exact lower bound over the model's class, its constants included."""
    constants = (model.C_rho, model.C_beta_P, model.C_beta_Q, 1.0)
    exponents = {"rho": model.rho, "beta_P": model.beta_P, "beta_Q": model.beta_Q}
    return float(bayes_lower_bound(n_P, n_Q, **exponents, constant=max(constants), d=2))


@study(
    model=PowerThresholds.from_cell,
    design=family(1, 1, 2, 0, **SIZES),
    replicates=0,
    claims=[
        between(
            "bound",
            lambda cell, model: 0.02 * rate(cell, model),
            lambda cell, model: 2.0 * rate(cell, model),
            name="the class's lower bound is of the order of the smaller rate",
        ),
    ],
)
def lower_bound(cell, rng, size):
    """Exact lower bound for every procedure, over the whole class."""
    return {"bound": Exact(class_bound(PowerThresholds.from_cell(cell), cell.n_P, cell.n_Q), 1e-12)}


def rate(cell, model):
    """The smaller of both rates, constants 1."""
    return min(cell.n_P**model.source_slope, cell.n_Q**model.target_slope)
