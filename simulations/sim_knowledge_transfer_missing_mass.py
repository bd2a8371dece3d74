"""How far the missing mass strays from its mean, and how well Good and Turing estimate it.

Both partial and soft labels leave an error that is at most a missing mass, so its deviations are
theirs. The classical inequalities hold for every law; they are judged on uniform, Zipf and
geometric laws with more, as many and fewer symbols than samples.
"""

import numpy as np

from tlstat import Exact, geometric, grid, study
from tlstat.knowledge_transfer import expected_missing_mass, theory
from tlstat.knowledge_transfer.certificate import (
    expected_good_turing,
    good_turing,
    good_turing_mse,
)
from tlstat.theory import at_least, at_most, between, equals, rate

LAWS = ["uniform", "zipf", "geometric"]
DELTAS = [0.05, 0.1]
LAMBDA = 0.852606  # root of x = 2 exp(-x): samples per symbol of the worst uniform law


def law_of(cell):
    """One of three laws of ``k`` symbols."""
    rank = np.arange(1, cell["k"] + 1)
    weight = {"uniform": rank**0.0, "zipf": 1.0 / rank, "geometric": 0.9**rank}[cell["law"]]
    return weight / weight.sum()


@study(
    design=grid(law=LAWS, k=[10, 100, 1_000], n=100),
    replicates=10_000,
    block=1_000,
    profiles={"paper": {"replicates": 100_000}, "full": {"replicates": 1_000_000}},
    claims=[
        equals(
            "missing",
            lambda cell, model: expected_missing_mass(law_of(cell), cell["n"]),
            where={"k": [100, 1_000]},
            name="the mean is the sum over symbols",
        ),
        *(
            at_most("above", bound, delta=delta, at={"delta": delta})
            for delta in DELTAS
            for bound in (theory.MISSING_MASS_DEVIATION, theory.MISSING_MASS_DEVIATION_FREE)
        ),
        *(
            at_most("below", bound, delta=0.05, at={"delta": 0.05}, where={"k": [100, 1_000]})
            for bound in (theory.MISSING_MASS_SHORTFALL, theory.MISSING_MASS_SHORTFALL_SHARP)
        ),
        at_most(
            "missing",
            theory.MISSING_MASS_UPPER_PROBABILITY,
            delta=0.05,
            at={"delta": 0.05},
        ),
        *(
            at_most(
                "above_estimate", bound, delta=0.05, at={"delta": 0.05}, where={"k": [100, 1_000]}
            )
            for bound in (
                theory.GOOD_TURING_CERTIFICATE,
                theory.GOOD_TURING_CERTIFICATE_SHARP,
                theory.GOOD_TURING_CERTIFICATE_CLASSICAL,
            )
        ),
        at_most(
            "above_estimate",
            theory.GOOD_TURING_CERTIFICATE.scaled(0.2),
            delta=0.05,
            at={"delta": 0.05},
            where={"law": "uniform", "k": 100},
            expect="refuted",
            name="a fifth of the certificate's width would do (false)",
        ),
    ],
)
def deviations(cell, rng, size):
    """Missing mass of a sample, its distance from its mean, and from Good-Turing."""
    xp = rng.xp
    p = law_of(cell)
    counts = rng.multinomial(cell.n, p, size=size)
    weight = rng.asarray(p)
    missing = xp.sum(xp.where(counts > 0, xp.zeros_like(weight), weight), axis=-1)
    mean = expected_missing_mass(p, cell.n)
    return {
        "missing": missing,
        "above": missing - mean,
        "below": mean - missing,
        "above_estimate": missing - good_turing(counts),
    }


@study(
    design=grid(law=LAWS, k=[2, 10, 100, 1_000], n=[10, 100, 1_000, 10_000]),
    replicates=0,
    claims=[
        at_most("mean", theory.MISSING_MASS_MAX, tolerance=1e-9),
        at_most("mean", theory.MISSING_MASS_UPPER),
        at_most("mean", theory.MISSING_MASS_UPPER_PAPER),
        at_most("bias", theory.GOOD_TURING_BIAS, tolerance=1e-9),
        at_least("bias", -1e-15, name="Good-Turing never underestimates on average"),
    ],
)
def means(cell, rng, size):
    """Expected missing mass and the bias of Good-Turing, exactly."""
    p = law_of(cell)
    mean = expected_missing_mass(p, cell.n)
    bias = expected_good_turing(p, cell.n) - mean
    return {"mean": Exact(mean, 1e-13 * mean), "bias": Exact(bias, 1e-15)}


SIZES = geometric(100, 100_000, 4)


@study(
    design=grid(samples_per_symbol=[0.25, 0.5, LAMBDA, 1.25, 2.0, 4.0], n=SIZES),
    replicates=0,
    claims=[
        between(
            "scaled_mse",
            0.999 * 0.60804,
            1.001 * 0.60804,
            tolerance=0,
            where={"samples_per_symbol": LAMBDA, "n": [n for n in SIZES if n >= 10_000]},
            name="n MSE of Good-Turing on its worst uniform law is 0.6080",
        ),
        at_most("scaled_mse", 0.6179, name="and at most 0.6179 on every uniform law"),
        at_least(
            "scaled_mse",
            0.25,
            where={"samples_per_symbol": [0.5, LAMBDA, 1.25, 2.0]},
            name="uniform laws make it worse than the minimax bound 0.25 over a wide range",
        ),
        rate(
            "mse",
            along="n",
            bound=theory.GOOD_TURING_MSE_LIMIT,
            tolerance=0.02,
            where={"samples_per_symbol": LAMBDA},
        ),
    ],
)
def good_turing_exact(cell, rng, size):
    """Mean squared error of Good-Turing on uniform laws, by a sum over pairs of symbols."""
    k = round(cell.n / cell.samples_per_symbol)
    mse = good_turing_mse(np.full(k, 1 / k), cell.n)
    return {"mse": Exact(mse, 1e-10 * mse), "scaled_mse": Exact(cell.n * mse, 1e-10)}


@study(
    design=grid(law=LAWS[:2], k=150, n=200),
    replicates=120_000,
    block=10_000,
    profiles={"paper": {"replicates": 240_000}, "full": {"replicates": 2_400_000}},
    claims=[
        equals(
            "squared_error",
            lambda cell, model: good_turing_mse(law_of(cell), cell["n"]),
            rtol=0.03,
            name="simulated squared errors have the mean of the sum over pairs",
        ),
    ],
)
def good_turing_simulated(cell, rng, size):
    """Squared error of Good-Turing, sample by sample."""
    xp = rng.xp
    p = law_of(cell)
    counts = rng.multinomial(cell.n, p, size=size)
    weight = rng.asarray(p)
    missing = xp.sum(xp.where(counts > 0, xp.zeros_like(weight), weight), axis=-1)
    return {"squared_error": (good_turing(counts) - missing) ** 2}
