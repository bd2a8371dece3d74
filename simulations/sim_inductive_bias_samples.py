"""How the required bias depends on training points, test points, and on what the user chooses.

A replicate is a random split of the handwritten digits (8 x 8, scaled to [0, 1], one-hot labels).
For each the bias of a noise-free RBF space is exact, so that all spread is between splits.
"""

from functools import cache

import numpy as np
from sklearn.datasets import load_digits

from tlstat import grid, inner, study
from tlstat.inductive_bias import KernelSpace, theory
from tlstat.inductive_bias.kernels import rbf
from tlstat.theory import at_least, at_most, between, ordered, rate


@cache
def digits():
    """Inputs in [0, 1] and one-hot labels."""
    X, y = load_digits(return_X_y=True)
    return X / 16, np.eye(10)[y]


def some_digits(rng, n, m):
    """A random split."""
    X, Y = digits()
    order = np.argsort(np.asarray(rng.uniform(0.0, 1.0, size=len(X))))
    train, test = order[:n], order[n : n + m]
    return X[train], Y[train], X[test], Y[test]


def error_law(space, data):
    """Law of the test error of a random hypothesis that fits."""
    X, y, X_test, y_test = data
    return space.condition(X, y).error_law(X_test, y_test)


def nats(law, eps):
    return -np.asarray(law.logcdf(np.asarray(eps, float)))


# ------------------------------------------------------------------------ training points

ERRORS = [0.05, 0.02, 0.01]


@study(
    design=grid(n=[25, 50, 100, 200, 400], m=50, sigma=2.0, error=inner(ERRORS)),
    replicates=36,
    block=6,
    ranges={name: (0, float("inf")) for name in ("at_error", "at_share", "mean_error")},
    profiles={"paper": {"replicates": 60}},
    claims=[
        ordered(
            "at_error",
            "n",
            [400, 200, 100, 50, 25],
            name="a fixed error needs fewer nats after more training points",
        ),
        ordered(
            "at_share",
            "n",
            [25, 400],
            where={"n": [25, 400]},
            name="a share of the mean error needs more: what is left is less structured",
        ),
        between(
            "at_share",
            780.0,
            900.0,
            statistic="median",
            name="one percent of the mean error costs 780 to 900 nats for any n",
        ),
    ],
)
def training_points(cell, rng, size):
    """Digits, RBF; 50 test points; fixed errors, and one percent of the mean."""
    out = {"at_error": np.empty((size, len(ERRORS)))}
    out |= {name: np.empty(size) for name in ("at_share", "mean_error")}
    for i in range(size):
        law = error_law(KernelSpace(rbf(cell.sigma)), some_digits(rng, cell.n, cell.m))
        found = nats(law, [*ERRORS, 0.01 * law.mean()])
        out["mean_error"][i] = law.mean()
        out["at_error"][i], out["at_share"][i] = found[:-1], found[-1]
    return out


# --------------------------------------------------------------------------- test points

PER_OUTPUT = [0.5, 0.1, 0.01, 1e-4, 1e-8]


@study(
    design=grid(m=[5, 10, 20, 40, 80], C=10, n=100, sigma=2.0, share=inner(PER_OUTPUT)),
    replicates=36,
    block=6,
    ranges={"nats": (0, float("inf")), "slope": (0, float("inf"))},
    profiles={"paper": {"replicates": 100}},
    claims=[
        rate(
            "nats",
            "m",
            theory.TEST_SIZE,
            at={"x": 0.01},
            where={"share": 0.01},
            asymptotic=False,
            name="nats grow like the number of test points",
        ),
        between(
            "slope",
            lambda cell, model: 0.999 * cell.m * cell.C / 2,
            theory.SMALL_BALL_SLOPE,
            where={"share": 1e-8},
            statistic="median",
            tolerance=1e-3,
            name="deep in the tail a factor e costs m C / 2 nats",
        ),
        at_most(
            "slope",
            theory.SMALL_BALL_SLOPE,
            where={"share": [0.1, 0.01]},
            statistic="median",
            name="and less than that before",
        ),
    ],
)
def test_points(cell, rng, size):
    """Digits after 100 training points; the error is a share of the mean."""
    out = {name: np.empty((size, len(PER_OUTPUT))) for name in ("nats", "slope")}
    step = 0.05
    for i in range(size):
        law = error_law(KernelSpace(rbf(cell.sigma)), some_digits(rng, cell.n, cell.m))
        gap = np.array(PER_OUTPUT) * (law.mean() - law.shift)
        shifted = law.shift + gap * np.exp(-step * np.array([[0.0], [1.0]]))
        found = nats(law, shifted.ravel()).reshape(shifted.shape)
        out["nats"][i] = found[0]
        out["slope"][i] = (found[1] - found[0]) / step
    return out


# ---------------------------------------------------------- what the user chooses himself

WIDTHS = [0.3, 1.0, 2.0, 4.0]
VARIANCES = [0.25, 1.0, 4.0]


@study(
    design=grid(sigma=WIDTHS, n=100, m=30, error=0.02, variance=inner(VARIANCES)),
    replicates=36,
    block=6,
    ranges={"nats": (0, float("inf")), "per_output": (0, float("inf"))},
    profiles={"paper": {"replicates": 60}},
    claims=[
        ordered(
            "nats",
            "variance",
            VARIANCES,
            where={"sigma": [1.0, 2.0]},
            name="the prior's variance, which fitting does not tell, changes the answer",
        ),
        ordered(
            "nats",
            "sigma",
            [4.0, 2.0, 1.0, 0.3],
            where={"variance": 1.0},
            name="and so does the width: the narrower, the more nats",
        ),
        at_least(
            "nats",
            350.0,
            statistic="median",
            where={"sigma": 0.3, "variance": 1.0},
            name="more than 350 nats with the narrowest kernel",
        ),
        at_most(
            "nats",
            80.0,
            statistic="median",
            where={"sigma": 4.0, "variance": 1.0},
            name="less than 80 with the widest, for the same error",
        ),
    ],
)
def choices(cell, rng, size):
    """Digits, an error of 0.02: the same data under other kernels."""
    out = np.empty((size, len(VARIANCES)))
    for i in range(size):
        data = some_digits(rng, cell.n, cell.m)
        for j, variance in enumerate(VARIANCES):
            law = error_law(KernelSpace(rbf(cell.sigma), variance=variance), data)
            out[i, j] = nats(law, [cell.error])[0]
    return {"nats": out, "per_output": out / (cell.m * 10)}
