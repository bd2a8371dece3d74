"""Fourteen pairs of populations, fourteen pairs of exponents (arXiv:2002.04747, power families).

Every row is a family of power thresholds (gamma, q, a_P, a_Q) with its transfer and noise
exponents in closed form. Rows without noise are exact (no replicates), rows with a constant margin
are drawn by order statistics, noisy ones as label counts between thresholds: the sample size costs
nothing. Where the noise exponent is 1/2, the constant is a moment of Chernoff's law.
"""

import numpy as np

from tlstat import Exact, geometric, grid, study
from tlstat.minimax import theory
from tlstat.minimax.estimators import source_erm, target_erm
from tlstat.minimax.models import PowerThresholds
from tlstat.minimax.risk import exact_risk
from tlstat.minimax.sampling import sample_cells, sample_nearest
from tlstat.theory import equals, rate

NAMES = ("gamma", "q", "a_P", "a_Q")
NOISE_FREE = ((1, 1), (2, 1), (3, 1), (0.5, 1), (1, 2), (4, 2))
NOISY = (
    (1, 1, 1, 1),
    (2, 1, 1, 1),
    (1, 1, 1, 0),
    (2, 1, 0, 1),
    (1, 1, 2, 1),
    (2, 1, 1, 0),
    (1, 1, 2, 0),
)
LONG = geometric(10_000, 1_000_000_000_000, 5)
SOURCE = geometric(1_000, 1_000_000_000, 5)


def rows(which, **more):
    """One grid for each row of the table."""
    parts = [grid(**dict(zip(NAMES, map(float, row), strict=False)), **more) for row in which]
    return sum(parts[1:], parts[0])


@study(
    model=PowerThresholds.from_cell,
    design=rows(NOISE_FREE, n_P=LONG, c_P=1.0, c_Q=1.0),
    replicates=0,
    claims=[
        rate("risk", along="n_P", bound=theory.POWER_SOURCE_RATE, tolerance=0.01),
        equals("risk", theory.NOISE_FREE_SOURCE, rtol=1e-6),
    ],
)
def noise_free_source(cell, rng, size):
    """Source ERM without noise: a quadrature, checked against an incomplete beta function."""
    risk = exact_risk(PowerThresholds.from_cell(cell), cell.n_P, 0)
    return {"risk": Exact(risk, 1e-11 * risk)}


@study(
    model=PowerThresholds.from_cell,
    design=rows(((1, 1), (1, 2)), n_Q=LONG, c_P=1.0, c_Q=1.0),
    replicates=0,
    claims=[
        rate("risk", along="n_Q", bound=theory.POWER_TARGET_RATE, at={"a_Q": 0}, tolerance=0.01),
        equals("risk", theory.NOISE_FREE_TARGET, rtol=1e-6),
    ],
)
def noise_free_target(cell, rng, size):
    """Target ERM without noise: slope -1 whatever the power of the mass."""
    risk = exact_risk(PowerThresholds.from_cell(cell), 0, cell.n_Q)
    return {"risk": Exact(risk, 1e-11 * risk)}


def erm_risk(model, sample, procedure):
    """Exact target excess of what a procedure chose in every replicate."""
    return {"risk": model.excess_Q(sample.take(procedure(sample)))}


@study(
    model=PowerThresholds.from_cell,
    design=rows(((1, 1, 0, 0), (2, 1, 0, 0), (3, 1, 0, 0)), n_P=SOURCE, c_P=0.8, c_Q=0.8),
    replicates=3_000,
    block=250,
    ranges={"risk": (0.0, float("inf"))},
    profiles={"paper": {"replicates": 30_000}, "full": {"replicates": 300_000}},
    claims=[rate("risk", along="n_P", bound=theory.POWER_SOURCE_RATE, tolerance=0.02)],
)
def constant_margin(cell, rng, size):
    """A constant margin: the slopes of the noise-free rows, from the points nearest to 0."""
    model = PowerThresholds.from_cell(cell)
    return erm_risk(model, sample_nearest(model, cell.n_P, 0, rng, size), source_erm)


@study(
    model=PowerThresholds.from_cell,
    design=rows(NOISY, n_P=SOURCE, c_P=0.5, c_Q=0.5),
    replicates=3_000,
    block=250,
    ranges={"risk": (0.0, float("inf"))},
    profiles={"paper": {"replicates": 20_000}, "full": {"replicates": 200_000}},
    claims=[
        rate("risk", along="n_P", bound=theory.POWER_SOURCE_RATE, tolerance=0.02),
        rate(
            "risk",
            along="n_P",
            bound=theory.SOURCE_RATE,
            at={"d": 1.0},
            where={"gamma": 2.0},
            tolerance=0.02,
            name="the same from rho and beta_P of the model",
        ),
        rate(
            "risk",
            along="n_P",
            bound=theory.SOURCE_RATE,
            at={"d": 1.0, "rho": lambda cell, model: model.gamma_marginal / model.beta_P},
            where={"gamma": 2.0, "a_P": 1.0, "a_Q": 1.0},
            expect="refuted",
            name="rho is gamma / beta_P under a noisy target, too (false)",
        ),
    ],
)
def noisy_source(cell, rng, size):
    """Source ERM with noise that grows towards the boundary."""
    model = PowerThresholds.from_cell(cell)
    return erm_risk(model, sample_cells(model, cell.n_P, 0, rng, size), source_erm)


@study(
    model=PowerThresholds.from_cell,
    design=rows(((1, 1, 0, 1),), n_P=SOURCE, c_P=0.5, c_Q=0.5),
    replicates=10_000,
    block=500,
    ranges={"risk": (0.0, float("inf"))},
    profiles={"paper": {"replicates": 50_000}, "full": {"replicates": 500_000}},
    claims=[rate("risk", along="n_P", bound=theory.POWER_SOURCE_RATE, tolerance=0.02)],
)
def cleaner_source(cell, rng, size):
    """A source with less noise than the target: rho = 1/2 although the marginals are equal."""
    model = PowerThresholds.from_cell(cell)
    return erm_risk(model, sample_cells(model, cell.n_P, 0, rng, size), source_erm)


@study(
    model=PowerThresholds.from_cell,
    design=rows(((1, 1, 0, 0), (1, 1, 1, 1), (1, 1, 2, 2)), n_Q=SOURCE, c_P=0.5, c_Q=0.5),
    replicates=3_000,
    block=250,
    ranges={"risk": (0.0, float("inf"))},
    profiles={"paper": {"replicates": 20_000}, "full": {"replicates": 200_000}},
    claims=[
        rate("risk", along="n_Q", bound=theory.POWER_TARGET_RATE, tolerance=0.02),
        rate(
            "risk",
            along="n_Q",
            bound=theory.POWER_TARGET_RATE,
            at={"a_Q": 0.0},
            where={"a_Q": 1.0},
            expect="refuted",
            name="noise costs no rate (false)",
        ),
    ],
)
def noisy_target(cell, rng, size):
    """Target ERM: -1 where noise is bounded, -2/3 where it grows linearly, -3/5 quadratically."""
    model = PowerThresholds.from_cell(cell)
    return erm_risk(model, sample_cells(model, 0, cell.n_Q, rng, size), target_erm)


def chernoff_grid(model, n):
    """Thresholds evenly spaced over seven scales of the limit law: its grid error is below 1 %."""
    reach = (7.0 * (model.c_P**2 * n) ** (-1 / 3)) ** (1 / model.gamma)
    return np.concatenate([[-1.0], np.linspace(-reach, reach, 301), [1.0]])


@study(
    model=PowerThresholds.from_cell,
    design=rows(((1, 1, 1, 1), (1, 1, 1, 0)), n_P=10**12, c_P=0.5, c_Q=0.5),
    replicates=12_000,
    block=1_000,
    ranges={"risk": (0.0, float("inf"))},
    profiles={"paper": {"replicates": 100_000}, "full": {"replicates": 1_000_000}},
    claims=[equals("risk", theory.CHERNOFF_SOURCE, rtol=0.06)],
)
def chernoff_constant(cell, rng, size):
    """Noise exponent 1/2: not the slope alone but the constant, from Chernoff's law."""
    model = PowerThresholds.from_cell(cell)
    thresholds = chernoff_grid(model, cell.n_P)
    sample = sample_cells(model, cell.n_P, 0, rng, size, thresholds=thresholds)
    return erm_risk(model, sample, source_erm)
