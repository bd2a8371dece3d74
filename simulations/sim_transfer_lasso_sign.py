"""When does transfer hurt? Exact risks with orthonormal columns.

A target with s non-zero coefficients, a source that is off by the same amount in each of them,
upwards (direction 1) or downwards (-1), and in k others. Transfer lasso and lasso at the same
universal level, the transfer lasso with a share 1 - alpha of it on the change. Settings are ours.
"""

import numpy as np

from tlstat import Exact, geometric, grid, inner, study
from tlstat.theory import at_least, at_most, equals, ordered, rate
from tlstat.transfer_lasso.risk import orthonormal_risk

P, S_SIZE, WRONG = 100, 10, 5
ALPHAS = [0.25, 0.5, 0.75]
N = geometric(100, 10**6, 9)
DRIFT = [0.0, *geometric(0.001, 10, 33)]
SETTING = {"p": P, "s": S_SIZE, "k": WRONG, "size": 1.0, "direction": -1, "sigma": 1.0}


def level_of(cell, n):
    """The universal level of the lasso."""
    return cell["sigma"] * np.sqrt(2 * np.log(2 * cell["p"]) / n)


def risks(cell, drift, n, alpha):
    """Squared error of all coordinates for an array of drifts (a coordinate), ``alpha`` and n."""
    drift, n, alpha = np.broadcast_arrays(np.asarray(drift, float), float(n), alpha)
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
    """The drift (a coordinate) at which transfer lasso and lasso are equally good."""
    lasso = risks(cell, 0.0, n, 1.0)
    low, high = 0.0, 10.0 * float(level_of(cell, n))
    for _ in range(80):
        middle = (low + high) / 2
        better = risks(cell, middle, n, alpha) < lasso
        low, high = (middle, high) if better else (low, middle)
    return (low + high) / 2


@study(
    design=grid(**{**SETTING, "direction": [-1, 1]}, n=N, alpha=ALPHAS, drift=inner(DRIFT)),
    replicates=0,
    claims=[
        at_most(
            "ratio",
            0.5,
            where={"drift": 0.0, "alpha": [0.25, 0.5]},
            name="a perfect source halves the lasso's risk at least, alpha up to 1/2",
        ),
        at_least(
            "ratio",
            1,
            where={"direction": -1, "drift": lambda d: d >= 1},
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
            where={"direction": -1, "alpha": 0.25, "drift": 1.0},
            expect="refuted",
            name="a source never hurts (false)",
        ),
    ],
)
def sign(cell, rng, size):
    """Risk of the transfer lasso over that of the lasso: above 1 the source hurts."""
    ratio = risks(cell, np.array(cell.drift), cell.n, cell.alpha) / risks(cell, 0.0, cell.n, 1.0)
    return {"ratio": Exact(ratio, 1e-9 * ratio)}


@study(
    design=grid(**SETTING, n=geometric(10_000, 10**8, 5), alpha=inner(ALPHAS)),
    replicates=0,
    claims=[
        rate(
            "drift",
            along="n",
            bound=lambda cell, model: cell["n"] ** -0.5,
            tolerance=0.005,
            name="the drift that can be afforded falls as n^(-1/2), as the theory's",
        ),
        ordered(
            "share",
            along="alpha",
            increasing=[0.25, 0.5, 0.75],
            tolerance=1e-6,
            name="the less the source is trusted, the more drift is afforded",
        ),
    ],
)
def afforded(cell, rng, size):
    """Largest drift a coordinate at which the source still helps, and as a share of the level."""
    drift = np.array([break_even(cell, cell.n, alpha) for alpha in cell.alpha])
    return {
        "drift": Exact(drift, 1e-9 * drift),
        "share": Exact(drift / level_of(cell, cell.n), 1e-8),
    }


@study(
    design=grid(
        beta=1.0,
        drift=[0.05, 0.3, -1.4],
        n=[100, 1_000],
        alpha=inner([0.25, 0.5, 0.75, 1.0]),
        p=P,
        sigma=1.0,
    ),
    replicates=100_000,
    block=20_000,
    profiles={"paper": {"replicates": 400_000}, "full": {"replicates": 4_000_000}},
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
