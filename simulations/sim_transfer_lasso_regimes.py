"""Fourteen asymptotic regimes of transfer and adaptive transfer lassos (arXiv:2308.15838).

Each row of the table is a method at the (lambda, eta) of the authors' scripts with m = n^2 source
rows. Samples are drawn as second moments (Bartlett), so the number of rows costs nothing. Slopes
are those of the mean l2 error, judged where they have settled; mean squared errors are compared
with their leading terms, constants included (ours). Invariance in region vi is a tie with the
authors' truth and correlation: it never decays there, and does at any other correlation.
"""

import math

import numpy as np

from tlstat import geometric, grid, study
from tlstat.theory import at_least, at_most, between, equals, rate
from tlstat.transfer_lasso import theory
from tlstat.transfer_lasso.models import RegressionModel
from tlstat.transfer_lasso.moments import solve_moments
from tlstat.transfer_lasso.risk import l2_error

BASE = {"p": 10, "rho": 0.5, "sigma": 1.0, "M": 2, "gamma1": 1, "gamma2": 1}
N = geometric(100_000, 10**12, 8)
LARGE = 10**8
# forces that differ by n^(1/4) only, or with n^(1/4) > 9 before the last coordinate counts
SLOW = ("lasso i", "transfer ii", "adaptive transfer v", "adaptive transfer vi")


def levels(cell, b0, n):
    """``a`` and ``c`` of a method; weights are clipped as in the authors' scripts."""
    lam = n ** (cell["lambda_exponent"] - 1)
    eta = n ** (cell["eta_exponent"] - 1) if "transfer" in cell["method"] else 0.0
    if "adaptive" not in cell["method"]:
        return lam, eta
    u = np.clip(np.abs(b0) ** -float(cell["gamma1"]), 1e-12, 1e12)
    v = np.clip(np.abs(b0) ** float(cell["gamma2"]), 1e-12, 1e12)
    return lam * u, eta * v


def measures(cell, model, n, rng, size):
    """l2 error, its square, shares: right zero status; of the support, unchanged and moved."""
    moments, b0 = model.draw_moments(n, rng, size), model.draw_source(rng, size)
    coef = solve_moments(*moments, *levels(cell, b0, float(n)), b0)
    S = model.support
    error = l2_error(coef, model.beta)
    return {
        "error": error,
        "squared": error**2,
        "active": np.mean((coef != 0) == S, axis=-1),
        "invariant": np.mean((coef == b0)[:, S], axis=-1),
        "moved": np.mean((coef != b0)[:, S], axis=-1),
    }


def at_point(regime, **more):
    """The cells of one row of the table, at the authors' point."""
    y, x = regime.point
    given = {"method": regime.method, "region": regime.region, "lambda_exponent": float(y)}
    given["eta_exponent"] = 0.0 if math.isnan(x) else float(x)
    return grid(**given, **{**BASE, "n": N, **more})


def cells_of(name, low, high):
    method, region = name.rsplit(" ", 1)
    return {"method": method, "region": region, "n": [n for n in N if low <= n <= high]}


def slope_of(regime):
    """The settled part of the grid; source errors below 1e-8 would be rounding."""
    slow = regime.name in SLOW
    low, high = (LARGE, N[-1]) if slow else (N[0], LARGE)
    return rate(
        "error",
        along="n",
        bound=regime.bound,
        tolerance=0.01 if slow else 0.015,
        where=cells_of(regime.name, low, high),
        name=f"{regime.name}: slope of the l2 error",
    )


def limit_of(name, bound):
    """A sample has the leading term up to what is left at this n."""
    method, region = name.rsplit(" ", 1)

    def times(factor):
        def value(cell, model):
            at = {"l1": cell["n"] ** (cell["lambda_exponent"] - 1)} if "l1" in bound.symbols else {}
            return factor * bound.at(cell, model, **at)

        return value

    return between(
        "squared",
        times(0.97),
        times(1.03),
        tolerance=0.005,
        where={"method": method, "region": region},
        name=f"{name}: {bound.name}",
    )


LIMITS = {
    "adaptive ii": theory.ORACLE_LIMIT,
    "adaptive transfer iv": theory.INACTIVE_LEAST_SQUARES_LIMIT,
    "transfer i": theory.SOURCE_LIMIT,
    "adaptive transfer i": theory.SOURCE_LIMIT,
    "adaptive transfer ii": theory.SOURCE_ORACLE_LIMIT,
    "lasso ii": theory.BIAS_LIMIT,
}


def shares(regime):
    """What is told apart, and what is kept, at the largest n."""
    here = cells_of(regime.name, LARGE, LARGE)
    right = at_least if regime.active else at_most
    out = [
        right(
            "active",
            0.95 if regime.active else 0.35,
            where=here,
            name=f"{regime.name}: zeros are {'' if regime.active else 'not '}told apart",
        )
    ]
    if regime.invariant:
        out.append(at_least("invariant", 0.95, where=here, name=f"{regime.name}: source kept"))
    elif "transfer" in regime.method and regime.name != "adaptive transfer vi":
        out.append(at_least("moved", 0.95, where=here, name=f"{regime.name}: source not kept"))
    return out


@study(
    model=RegressionModel.from_cell,
    design=sum((at_point(r) for r in theory.REGIMES[1:]), at_point(theory.REGIMES[0])),
    replicates=2_000,
    block=1_000,
    ranges={
        "error": (0, float("inf")),
        "squared": (0, float("inf")),
        "active": (0, 1),
        "invariant": (0, 1),
        "moved": (0, 1),
    },
    profiles={"paper": {"replicates": 20_000}, "full": {"replicates": 200_000}},
    claims=[
        *(slope_of(regime) for regime in theory.REGIMES),
        *(claim for regime in theory.REGIMES for claim in shares(regime)),
        rate(
            "error",
            along="n",
            bound=theory.regime_bound("adaptive transfer", "ii"),
            tolerance=0.015,
            where=cells_of("adaptive ii", N[0], LARGE),
            at={"eta_exponent": 1.5, "lambda_exponent": 0.5},
            expect="refuted",
            name="the adaptive lasso alone has the source's rate (false)",
        ),
    ],
)
def table(cell, rng, size):
    """Fourteen methods and points, each on samples of any size."""
    return measures(cell, RegressionModel.from_cell(cell), cell.n, rng, size)


LIMIT_ROWS = [regime for regime in theory.REGIMES if regime.name in LIMITS]


@study(
    model=RegressionModel.from_cell,
    design=sum(
        (at_point(r, n=LARGE) for r in LIMIT_ROWS[1:]),
        at_point(LIMIT_ROWS[0], n=LARGE),
    ),
    replicates=30_000,
    block=2_000,
    ranges={"squared": (0, float("inf"))},
    profiles={"paper": {"replicates": 60_000}, "full": {"replicates": 600_000}},
    claims=[limit_of(name, bound) for name, bound in LIMITS.items()],
)
def constants(cell, rng, size):
    """Mean squared errors where the leading term is all there is."""
    found = measures(cell, RegressionModel.from_cell(cell), cell.n, rng, size)
    return {"squared": found["squared"]}


SIXTH = theory.REGIMES[-1]


@study(
    model=RegressionModel.from_cell,
    design=at_point(SIXTH, n=geometric(1_000, 10**12, 10)),
    replicates=1_000,
    block=500,
    ranges={"error": (0, float("inf"))},
    claims=[
        rate(
            "error",
            along="n",
            bound=SIXTH.bound,
            tolerance=0.01,
            where={"n": geometric(10**9, 10**12, 4)},
            name="region vi: the slope far out",
        )
    ],
)
def crossover(cell, rng, size):
    """Region vi before it has settled: coordinate 1 needs n^(1/4) > 9 (for the figure)."""
    found = measures(cell, RegressionModel.from_cell(cell), cell.n, rng, size)
    return {"error": found["error"]}


@study(
    model=RegressionModel.from_cell,
    design=at_point(SIXTH, rho=[0.3, 0.5, 0.7], n=LARGE),
    replicates=4_000,
    block=1_000,
    ranges={"invariant": (0, 1), "moved": (0, 1)},
    profiles={"paper": {"replicates": 20_000}, "full": {"replicates": 200_000}},
    claims=[
        equals(
            "invariant",
            1 / 3,
            where={"rho": 0.5},
            name="region vi: a coefficient of three stays, at the authors' correlation",
        ),
        at_least(
            "moved",
            0.99,
            where={"rho": [0.3, 0.7]},
            name="region vi: none stays at other correlations",
        ),
    ],
)
def tie(cell, rng, size):
    """Pull on the first coefficient: rho/1.5, its own weight: 1/3. Equal at rho = 1/2."""
    found = measures(cell, RegressionModel.from_cell(cell), cell.n, rng, size)
    return {"invariant": found["invariant"], "moved": found["moved"]}
