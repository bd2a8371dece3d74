"""When does transfer hurt? Exact risks with orthonormal columns, simulated with correlated ones.

A target with s non-zero coefficients, a source that is off by the same amount in each of them,
upwards (direction 1) or downwards (-1), and in k others: ``delta = |Delta|_1`` is s + k times that
amount. Transfer lasso and lasso at the same universal level, the transfer lasso with a share
1 - alpha of it on the change. Settings are ours.
"""

import numpy as np

from tlstat import Exact, geometric, grid, inner, study
from tlstat.theory import at_least, at_most, equals, ordered, rate
from tlstat.transfer_lasso.models import RegressionModel, autoregressive
from tlstat.transfer_lasso.moments import solve_moments
from tlstat.transfer_lasso.risk import orthonormal_risk

P, S_SIZE, WRONG = 100, 10, 5
ALPHAS = [0.25, 0.5, 0.75]
N = geometric(100, 10**6, 17)
DELTA = [0.0, *geometric(0.01, 100, 33)]
SETTING = {"p": P, "s": S_SIZE, "k": WRONG, "size": 1.0, "direction": -1, "sigma": 1.0}


def level_of(cell, n):
    """The universal level of the lasso."""
    return cell["sigma"] * np.sqrt(2 * np.log(2 * cell["p"]) / n)


def risks(cell, delta, n, alpha):
    """Squared error of all coordinates for an array of ``|Delta|_1``, ``alpha`` and n."""
    drift = np.asarray(delta, float) / (cell["s"] + cell["k"])
    drift, n, alpha = np.broadcast_arrays(drift, float(n), alpha)
    lam, noise = level_of(cell, n), cell["sigma"] / np.sqrt(n)
    groups = [(cell["s"], cell["size"], True), (cell["k"], 0.0, True)]
    groups.append((cell["p"] - cell["s"] - cell["k"], 0.0, False))
    total = np.zeros(drift.shape)
    for count, beta, drifts in groups:
        shift = cell["direction"] * drift if beta else drift
        b0 = beta + shift if drifts else beta
        total += count * orthonormal_risk(beta, alpha * lam, (1 - alpha) * lam, b0, noise).error
    return total


def break_even(cell, n, alpha):
    """``|Delta|_1`` at which transfer lasso and lasso are equally good."""
    lasso = risks(cell, 0.0, n, 1.0)
    low, high = 0.0, 10.0 * (cell["s"] + cell["k"]) * float(level_of(cell, n))
    for _ in range(80):
        middle = (low + high) / 2
        better = risks(cell, middle, n, alpha) < lasso
        low, high = (middle, high) if better else (low, middle)
    return (low + high) / 2


@study(
    design=grid(**{**SETTING, "direction": [-1, 1]}, n=N, alpha=ALPHAS, delta=inner(DELTA)),
    replicates=0,
    claims=[
        at_most(
            "ratio",
            0.5,
            where={"delta": 0.0, "alpha": [0.25, 0.5]},
            name="a perfect source halves the lasso's risk at least, alpha up to 1/2",
        ),
        at_least(
            "ratio",
            1,
            where={"direction": -1, "delta": lambda delta: delta >= 15},
            name="a source that misses every coefficient never helps",
        ),
        at_most(
            "ratio",
            1.2,
            where={"direction": -1},
            name="nor does it hurt by more than 20 %, however wrong: the penalty is of l1 type",
        ),
        at_most(
            "ratio",
            0.5,
            where={"direction": 1},
            name="a source that overshoots halves the risk: it undoes the lasso's shrinkage",
        ),
        at_most(
            "ratio",
            1,
            where={"direction": -1, "alpha": 0.25, "delta": 10.0},
            expect="refuted",
            name="a source never hurts (false)",
        ),
    ],
)
def sign(cell, rng, size):
    """Risk of the transfer lasso over that of the lasso: above 1 the source hurts."""
    ratio = risks(cell, np.array(cell.delta), cell.n, cell.alpha) / risks(cell, 0.0, cell.n, 1.0)
    return {"ratio": Exact(ratio, 1e-9 * ratio)}


@study(
    design=grid(**SETTING, n=geometric(10_000, 10**8, 5), alpha=inner(ALPHAS)),
    replicates=0,
    claims=[
        rate(
            "delta",
            along="n",
            bound=lambda cell, model: cell["n"] ** -0.5,
            tolerance=0.005,
            name="what can be afforded falls as n^(-1/2), as the theory's",
        ),
        ordered(
            "share",
            along="alpha",
            increasing=[0.25, 0.5, 0.75],
            tolerance=1e-6,
            name="the less the source is trusted, the more is afforded",
        ),
    ],
)
def afforded(cell, rng, size):
    """Largest ``|Delta|_1`` with which the source still helps, and as a share of s times level."""
    delta = np.array([break_even(cell, cell.n, alpha) for alpha in cell.alpha])
    return {
        "delta": Exact(delta, 1e-9 * delta),
        "share": Exact(delta / (cell.s * level_of(cell, cell.n)), 1e-8),
    }


def helps(n, delta, alpha):
    """The claim that the source helps, in mean squared error on the same samples."""
    where = {"n": n, "delta": lambda x: x <= delta, "alpha": [alpha, 1.0]}
    name = f"{n} rows: |Delta|_1 up to {delta} helps, alpha = {alpha}"
    return ordered("error", along="alpha", increasing=[alpha, 1.0], where=where, name=name)


def hurts(n, delta):
    """The claim that it hurts, the more the more it is trusted (the lasso has alpha = 1)."""
    where = {"n": n, "delta": lambda x: x >= delta, "alpha": [1.0, 0.5, 0.25]}
    name = f"{n} rows: |Delta|_1 from {delta} on hurts, the more the smaller alpha"
    return ordered("error", along="alpha", increasing=[1.0, 0.5, 0.25], where=where, name=name)


@study(
    design=grid(
        **SETTING,
        rho=0.5,
        n=[80, 400],
        delta=[0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0],
        alpha=inner([*ALPHAS, 1.0]),
    ),
    replicates=384,
    block=64,
    ranges={"error": (0, float("inf")), "ratio": (0, float("inf"))},
    profiles={"paper": {"replicates": 1_024}, "full": {"replicates": 10_000}},
    claims=[
        helps(80, 4, 0.5),
        helps(80, 4, 0.25),
        helps(400, 1, 0.5),
        helps(400, 1, 0.25),
        hurts(400, 4),
        hurts(80, 16),
        at_most(
            "ratio",
            1.2,
            where={"n": 400, "delta": 16.0, "alpha": 0.25},
            expect="refuted",
            name="nor by more than 20 % with correlated columns (false)",
        ),
    ],
)
def correlated(cell, rng, size):
    """Squared errors with columns AR(rho), more rows than columns and fewer; and over the lasso's.

    The coefficients that are not zero, and those in which the source is wrong, are neighbours.
    """
    kind = np.repeat([1, 2, 0], [cell.s, cell.k, cell.p - cell.s - cell.k])
    beta = cell.size * (kind == 1)
    drift = cell.delta / (cell.s + cell.k) * np.array([0, cell.direction, 1])[kind]
    model = RegressionModel(beta, autoregressive(cell.p, cell.rho), cell.sigma)
    gram, moment = model.draw_moments(cell.n, rng, size)
    level, alpha = level_of(cell, cell.n), np.array(cell.alpha)[:, None]
    coef = solve_moments(
        gram[:, None],
        moment[:, None],
        level * alpha,
        level * (1 - alpha),
        beta + drift,
        tol=1e-8,
    )
    error = np.sum((coef - beta) ** 2, axis=-1)
    return {"error": error, "ratio": error / error[:, [cell.alpha.index(1.0)]]}


@study(
    design=grid(
        beta=1.0,
        drift=[0.05, 0.3, -1.4],
        n=[100, 1_000],
        alpha=inner([0.25, 0.5, 0.75, 1.0]),
        p=P,
        sigma=1.0,
    ),
    replicates=400_000,
    block=20_000,
    profiles={"paper": {"replicates": 1_000_000}, "full": {"replicates": 4_000_000}},
    claims=[
        equals(
            "error",
            lambda cell, model: float(formula(cell, cell["alpha"]).error),
            name="the exact risk is that of a sample",
        ),
        equals(
            "free",
            lambda cell, model: float(formula(cell, cell["alpha"]).free),
            where={"drift": 0.05, "alpha": [0.5, 0.75]},
            name="degrees of freedom: the exact probability that a coefficient is free",
        ),
    ],
)
def formulas(cell, rng, size):
    """One coordinate, by its brute-force minimiser: what the exact risks are checked against."""
    z = cell.beta + cell.sigma / np.sqrt(cell.n) * rng.normal(size=size)
    z, b0, lam = np.asarray(z), cell.beta + cell.drift, float(level_of(cell, cell.n))
    error, free = [], []
    for alpha in cell.alpha:
        points = [np.zeros(size), np.full(size, b0), z - lam, z + lam]
        points += [z + sign * lam * (2 * alpha - 1) for sign in (-1, 1)]
        b = np.stack(points)
        cost = (b - z) ** 2 / 2 + lam * (alpha * np.abs(b) + (1 - alpha) * np.abs(b - b0))
        best = np.take_along_axis(b, cost.argmin(axis=0)[None], axis=0)[0]
        error.append((best - cell.beta) ** 2)
        free.append(((best != 0) & (best != b0)).astype(float))
    return {"error": np.stack(error, axis=-1), "free": np.stack(free, axis=-1)}


def formula(cell, alpha):
    lam = level_of(cell, cell["n"])
    noise = cell["sigma"] / np.sqrt(cell["n"])
    b0 = cell["beta"] + cell["drift"]
    return orthonormal_risk(cell["beta"], alpha * lam, (1 - alpha) * lam, b0, noise)
