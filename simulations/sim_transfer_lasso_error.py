"""The error bound with each way to its GRE constant, and exact conditions for staying at a knot.

Designs are fixed, so that their constant is computed once: by enumeration, by a semidefinite
program or by the smallest eigenvalue, which is nothing where there are more columns than rows.
Noise is drawn. The bound holds with probability 1 - delta at the level that the noise event asks
for. Settings are ours.
"""

from functools import lru_cache

import numpy as np

from tlstat import Exact, geometric, grid, study
from tlstat.backend import Random, to_numpy
from tlstat.theory import at_least, at_most, equals, rate
from tlstat.transfer_lasso import theory
from tlstat.transfer_lasso.models import RegressionModel, autoregressive, padded
from tlstat.transfer_lasso.moments import solve_moments
from tlstat.transfer_lasso.restricted_eigenvalue import restricted_eigenvalue
from tlstat.transfer_lasso.risk import orthonormal_risk, prediction_risk

ROUTES = {"enumeration": "exact", "semidefinite": "sdp", "smallest eigenvalue": "smallest"}
WAYS = {
    "enumeration": "enumeration",
    "semidefinite": "a semidefinite program",
    "smallest eigenvalue": "the smallest eigenvalue",
}
MOVED = [0.5, 0, 0, 0.5]  # where the source is off; its l1 norm is 1


@lru_cache(maxsize=256)
def fixed_gram(n, p, rho):
    """The population and ``X'X/n`` of columns of squared length n."""
    population = RegressionModel(padded([2.0, -1.0], p), autoregressive(p, rho))
    X = population.draw(n, Random(n), 1)[0][0]
    X = X / np.sqrt(np.mean(X**2, axis=0))
    return population, X.T @ X / n


@lru_cache(maxsize=256)
def constant(n, p, rho, alpha, c, drifts, route):
    """What a route certifies of the GRE constant (which depends on the signs of a drift)."""
    population, gram = fixed_gram(n, p, rho)
    return restricted_eigenvalue(
        gram,
        population.support,
        alpha=alpha,
        c=c,
        drift=padded(MOVED, p) if drifts else None,
        method=ROUTES[route],
    ).lower


class FixedDesign:
    """What the bounds ask of a model."""

    def __init__(self, cell):
        n, self.p, rho = cell["n"], cell["p"], cell["rho"]
        population, self.gram = fixed_gram(n, self.p, rho)
        self.phi2 = constant(
            n, self.p, rho, cell["alpha"], cell["c"], cell["drift"] > 0, cell["route"]
        )
        drift = cell["drift"] * padded(MOVED, self.p)
        self.model = RegressionModel(population.beta, population.covariance, cell["sigma"], drift)
        self.s, self.sigma = self.model.s, self.model.sigma
        self.drift_l1 = self.model.drift_l1
        self.lam = theory.NOISE_LEVEL(
            n=n, p=self.p, sigma=self.sigma, c=cell["c"], delta=cell["delta"]
        )

    def draw(self, cell, rng, size):
        """``X'e/n`` and the estimates, shape (size, p) each.

        The former is normal with covariance ``sigma^2 G/n``: rows need not be drawn.
        """
        values, vectors = np.linalg.eigh(self.gram)
        root = vectors * np.sqrt(np.maximum(values, 0)) * self.sigma / np.sqrt(cell["n"])
        noise = to_numpy(rng.normal(size=(size, self.p))) @ root.T
        moment = self.gram @ self.model.beta + noise
        l1, l2 = cell["alpha"] * self.lam, (1 - cell["alpha"]) * self.lam
        return noise, solve_moments(self.gram, moment, l1, l2, self.model.source, tol=1e-10)


DELTA = 0.05


def at_six(alpha, drift):
    fixed = {"p": 6, "route": "enumeration", "sigma": 1.0, "rho": 0.5, "c": 0.25, "delta": DELTA}
    return grid(n=geometric(100, 1_000_000, 5), alpha=alpha, drift=drift, **fixed)


@study(
    model=FixedDesign,
    design=at_six(0.5, [0.0, 0.2, 2.0]) + at_six(1.0, 0.0),
    replicates=6_000,
    block=2_000,
    ranges={"error": (0, float("inf")), "prediction": (0, float("inf"))},
    profiles={"paper": {"replicates": 30_000}, "full": {"replicates": 200_000}},
    claims=[
        at_most("error", theory.ERROR_BOUND),
        at_most("error", theory.LASSO_ERROR_BOUND, where={"alpha": 1.0, "drift": 0.0}),
        at_most("prediction", theory.PREDICTION_BOUND),
        at_most("noise", 1, delta=DELTA, name="the noise stays below c lam"),
        rate(
            "error",
            along="n",
            bound=theory.ERROR_RATE,
            at={"drift_l1": 0, "s": 2},
            side="upper",
            tolerance=0.05,
            where={"drift": [0.0, 2.0], "n": lambda n: n >= 10_000},
            name="the lasso's rate 1/n holds at a fixed design, whatever the drift",
        ),
    ],
)
def bound(cell, rng, size):
    """Squared l2 error, prediction error and noise over c lam, on one fixed design a cell."""
    fixed = FixedDesign(cell)
    noise, coef = fixed.draw(cell, rng, size)
    return {
        "error": np.sum((coef - fixed.model.beta) ** 2, axis=-1),
        "prediction": prediction_risk(coef, fixed.model.beta, fixed.gram),
        "limit": np.full(size, theory.ERROR_BOUND.at(cell, fixed)),
        "noise": np.max(np.abs(noise), axis=-1) / (cell.c * fixed.lam),
    }


def columns(p, rows, routes):
    return grid(
        n=rows, p=p, route=routes, sigma=0.1, rho=0.5, alpha=0.75, c=0.25, drift=0.2, delta=DELTA
    )


BOTH = ["enumeration", "semidefinite"]
# more columns than rows; then 3 and 30 rows a column
DESIGNS = (
    columns(10, 8, BOTH)
    + columns(10, [30, 300], list(ROUTES))
    + columns(30, 24, "semidefinite")
    + columns(30, [90, 900], list(ROUTES)[1:])
)
WIDE = [8, 24]


@study(
    model=FixedDesign,
    design=DESIGNS,
    replicates=2_000,
    block=1_000,
    ranges={"error": (0, float("inf"))},
    profiles={"paper": {"replicates": 20_000}, "full": {"replicates": 200_000}},
    claims=[
        *(
            at_most(
                "error",
                theory.ERROR_BOUND,
                where={"route": route, "n": lambda n: n not in WIDE},
                name=f"squared error below the bound by {way}, more rows than columns",
            )
            for route, way in WAYS.items()
        ),
        at_most(
            "error",
            theory.ERROR_BOUND,
            where={"route": BOTH, "n": WIDE},
            name="squared error below the bound, more columns than rows",
        ),
    ],
)
def routes(cell, rng, size):
    """Squared l2 error and its bound by each way to the constant."""
    fixed = FixedDesign(cell)
    coef = fixed.draw(cell, rng, size)[1]
    return {
        "error": np.sum((coef - fixed.model.beta) ** 2, axis=-1),
        "limit": np.full(size, theory.ERROR_BOUND.at(cell, fixed)),
    }


@study(
    model=FixedDesign,
    design=DESIGNS,
    replicates=0,
    claims=[
        at_least(
            "share",
            0.99,
            where={"route": "semidefinite", "p": 10},
            name="ten columns: the semidefinite program gives the constant itself",
        ),
        at_least(
            "constant",
            0.05,
            where={"route": BOTH, "n": WIDE},
            name="more columns than rows: a positive constant is certified",
        ),
        at_most(
            "share",
            0.55,
            where={"route": "smallest eigenvalue", "n": [30, 90]},
            name="three rows a column: the smallest eigenvalue is about half of the constant",
        ),
        at_least(
            "share",
            0.75,
            where={"route": "smallest eigenvalue", "n": [300, 900]},
            name="30 rows a column: the smallest eigenvalue is at least three quarters of it",
        ),
    ],
)
def constants(cell, rng, size):
    """The certified constant, and its share of the best one that is certified."""
    at = tuple(cell[k] for k in ("n", "p", "rho", "alpha", "c")) + (cell.drift > 0,)
    best = constant(*at, "enumeration" if cell.p <= 15 else "semidefinite")
    found = constant(*at, cell.route)
    return {"constant": Exact(found, 1e-8), "share": Exact(found / best, 1e-7)}


FACTORS = (1 + 1e-6, 1 - 1e-3)


def population(cell):
    return RegressionModel([2.0, -1.0, 0.5, 0, 0, 0], autoregressive(6, cell["rho"]), 1.0)


@study(
    model=population,
    design=grid(n=[5, 40], rho=0.7, other=[0.0, 0.1, 0.5]),
    replicates=1_000,
    block=500,
    ranges={"held": (0, 1), "left": (0, 1)},
    profiles={"paper": {"replicates": 6_000}, "full": {"replicates": 60_000}},
    claims=[
        at_least("held", 1, surely=True, name="just above the thresholds the knots hold"),
        at_least("left", 1, surely=True, name="just below them they do not"),
    ],
)
def thresholds(cell, rng, size):
    """Source and zero, at 1 + 1e-6 and 1 - 1e-3 of the exact levels; both must agree."""
    model = population(cell)
    X, y = model.draw(cell.n, rng, size)
    sources = model.beta + to_numpy(rng.normal(size=(size, 6))) * (model.beta != 0)
    gram = np.swapaxes(X, 1, 2) @ X / cell.n
    moment = np.einsum("rij,ri->rj", X, y) / cell.n

    def levels(exact):
        return np.array([[exact(*row, cell.other)] for row in zip(X, y, sources, strict=True)])

    to_source, to_zero = levels(theory.source_level), levels(theory.zero_level)
    above, below = (
        solve_moments(gram, moment, cell.other, to_source * f, sources) for f in FACTORS
    )
    on, off = (solve_moments(gram, moment, to_zero * f, cell.other, sources) for f in FACTORS)
    held = np.all(above == sources, axis=1) & np.all(on == 0, axis=1)
    left = np.any(below != sources, axis=1) & np.any(off != 0, axis=1)
    return {"held": held.astype(float), "left": left.astype(float)}


def probability(cell, model):
    """Of staying at the source, with orthonormal columns: a product over coordinates."""
    beta, b0 = np.array([1.0, -0.5, 0, 0]), np.array([1.2, -0.4, 0, 0])
    levels = cell["alpha"] * cell["lam"], (1 - cell["alpha"]) * cell["lam"]
    risk = orthonormal_risk(beta, *levels, b0, cell["n"] ** -0.5)
    return float(np.prod(risk.unchanged))


@study(
    design=grid(n=50, alpha=[0.0, 0.25, 0.4], lam=[0.3, 0.5]),
    replicates=300_000,
    block=50_000,
    ranges={"unchanged": (0, 1)},
    profiles={"paper": {"replicates": 600_000}, "full": {"replicates": 3_000_000}},
    claims=[equals("unchanged", probability, rtol=0.03, name="probability of b = b0, exactly")],
)
def unchanged(cell, rng, size):
    """How often the whole estimate is the source."""
    b0 = np.array([1.2, -0.4, 0, 0])
    noise = to_numpy(rng.normal(size=(size, 4))) / np.sqrt(cell.n)
    moment = np.array([1.0, -0.5, 0, 0]) + noise
    levels = cell.alpha * cell.lam, (1 - cell.alpha) * cell.lam
    coef = solve_moments(np.eye(4), moment, *levels, b0)
    return {"unchanged": np.all(coef == b0, axis=-1).astype(float)}
