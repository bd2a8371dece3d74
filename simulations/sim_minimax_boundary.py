"""Where target data overtake source data: exponent and constant of the phase boundary.

Without noise the risk of right-end ERM from both samples is one quadrature, so the boundary (source
alone equals target alone), the slopes on both sides of it and the gain in between are exact.
"""

import math

import numpy as np
from scipy.optimize import brentq

from tlstat import Exact, geometric, grid, inner, study
from tlstat.minimax import theory
from tlstat.minimax.models import PowerThresholds
from tlstat.minimax.risk import exact_risk, exact_slope
from tlstat.minimax.sampling import sample_extremes
from tlstat.theory import at_least, at_most, between, equals, rate

POWERS = [0.5, 2.0, 3.0]
FREE = {"a_P": 0.0, "a_Q": 0.0, "c_P": 1.0, "c_Q": 1.0}
N = geometric(10_000, 1_000_000_000_000, 5)


def times(factor):
    """The asymptotic boundary times `factor`."""

    def edge(cell, model):
        at = {"gamma": cell.gamma, "q": cell.q, "n_P": cell.n_P}
        return factor * float(theory.NOISE_FREE_CROSSOVER(**at))

    edge.__name__ = f"{factor:g} times the boundary"
    return edge


@study(
    model=PowerThresholds.from_cell,
    design=grid(gamma=[2.0, 3.0], q=1.0, n_P=N, **FREE)
    + grid(gamma=0.5, q=1.0, n_P=geometric(100, 1_000_000, 5), **FREE),
    replicates=0,
    claims=[
        rate("crossing", along="n_P", bound=theory.POWER_CROSSOVER, tolerance=0.01),
        between(
            "crossing",
            times(0.995),
            times(1.005),
            tolerance=0.0,
            where={"n_P": lambda n: n >= 10**8, "gamma": [2.0, 3.0]},
            name="the boundary's constant is 2^(1 - x) / Gamma(1 + x), within 0.5 %",
        ),
        between(
            "crossing",
            times(0.995),
            times(1.005),
            tolerance=0.0,
            where={"gamma": 0.5, "n_P": lambda n: n >= 1_000},
            name="super-transfer: n_P source points are worth n_P^2 / 4 target points",
        ),
        equals(
            "naive",
            lambda cell, model: model.crossover_exponent,
            rtol=0.005,
            where={"gamma": [2.0, 3.0]},
            expect="refuted",
            name="log n_Q / log n_P there is the exponent (false: the constant biases it)",
        ),
    ],
)
def boundary(cell, rng, size):
    """The target sample that is worth as much as n_P source points, solved for."""
    risk = float(theory.NOISE_FREE_SOURCE(gamma=cell.gamma, q=cell.q, n_P=cell.n_P))
    log_n = brentq(
        lambda x: math.log(float(theory.NOISE_FREE_TARGET(gamma=1, q=1, n_Q=math.exp(x))) / risk),
        0.0,
        40.0,
        xtol=1e-13,
    )
    crossing = math.exp(log_n)
    return {
        "crossing": Exact(crossing, 1e-9 * crossing),
        "naive": Exact(log_n / math.log(cell.n_P), 1e-9),
    }


def single(model, n_P, n_Q):
    """The smaller of both single-sample risks."""
    return min(exact_risk(model, n_P, 0), exact_risk(model, 0, n_Q))


@study(
    model=PowerThresholds.from_cell,
    design=grid(
        gamma=POWERS,
        q=1.0,
        n_P=geometric(100, 100_000_000, 7),
        n_Q=geometric(10, 1_000_000, 6),
        **FREE,
    ),
    replicates=0,
    claims=[
        at_most("of_smaller", 1.0, name="both samples are at least as good as the better one"),
        at_least("of_smaller", 0.45, name="and at most a factor 2.2 better"),
        between("of_smaller", 0.45, 1.0, name="the risk is the smaller one up to 2.2"),
        at_least("of_smaller", 0.9, expect="refuted", name="only one sample counts (false)"),
    ],
)
def smaller_of_two(cell, rng, size):
    """Risk from both samples over the smaller single-sample risk."""
    model = PowerThresholds.from_cell(cell)
    risk = exact_risk(model, cell.n_P, cell.n_Q)
    ratio = risk / single(model, cell.n_P, cell.n_Q)
    return {"of_smaller": Exact(ratio, 1e-10), "risk": Exact(risk, 1e-11 * risk)}


@study(
    model=PowerThresholds.from_cell,
    design=grid(gamma=[2.0, 3.0], q=1.0, n_P=10**12, away=[1e-3, 1e-2, 1e2, 1e3], **FREE),
    replicates=0,
    claims=[
        between(
            "slope_P",
            lambda cell, model: model.source_slope - 0.01,
            lambda cell, model: model.source_slope + 0.01,
            tolerance=0.0,
            where={"away": [1e-3, 1e-2]},
            name="far below the boundary the risk falls in n_P at the source's exponent",
        ),
        between(
            "slope_Q",
            -1.01,
            -0.99,
            tolerance=0.0,
            where={"away": [1e2, 1e3]},
            name="far above it falls in n_Q at the target's exponent",
        ),
        between(
            "slope_P",
            -0.01,
            0.0,
            tolerance=0.0,
            where={"away": [1e2, 1e3]},
            name="and source data are worth nothing",
        ),
    ],
)
def slopes(cell, rng, size):
    """Exact local slopes at a distance from the boundary n_Q = kappa n_P^x."""
    model = PowerThresholds.from_cell(cell)
    kappa = theory.NOISE_FREE_CROSSOVER(gamma=cell.gamma, q=cell.q, n_P=cell.n_P)
    n_Q = int(cell.away * float(kappa))
    return {
        "slope_P": Exact(exact_slope(model, cell.n_P, n_Q), 1e-9),
        "slope_Q": Exact(exact_slope(model, cell.n_P, n_Q, along="n_Q"), 1e-9),
    }


@study(
    model=PowerThresholds.from_cell,
    design=grid(
        gamma=[2.0, 3.0],
        q=1.0,
        sizes=["10^4, 50", "10^8, 10^3", "10^12, 10^4"],
        rule=inner(["right", "middle"]),
        **FREE,
    ),
    replicates=60_000,
    block=2_000,
    ranges={"risk": (0.0, float("inf"))},
    profiles={"paper": {"replicates": 300_000}, "full": {"replicates": 1_000_000}},
    claims=[
        equals(
            "risk",
            lambda cell, model: exact_risk(model, *SIZES[cell.sizes], rule=cell.rule),
            rtol=0.04,
            name="simulated risk is the quadrature's, right end and middle",
        )
    ],
)
def simulated(cell, rng, size):
    """Order statistics of both samples together against the quadrature."""
    model = PowerThresholds.from_cell(cell)
    left, right = sample_extremes(model, *SIZES[cell.sizes], rng, size)
    rules = {"right": right, "middle": (right - left) / 2}
    return {"risk": np.stack([model.excess_Q(rules[rule]) for rule in cell.rule], axis=-1)}


SIZES = {"10^4, 50": (10**4, 50), "10^8, 10^3": (10**8, 10**3), "10^12, 10^4": (10**12, 10**4)}
