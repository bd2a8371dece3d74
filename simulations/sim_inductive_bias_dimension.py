"""How the required bias depends on the dimension of the task: two stories.

A replicate is a data set: points on a sphere with a smooth target. For each the bias of a
noise-free RBF space is exact, so that all spread is between data sets. If the error to reach is
fixed, the bias grows with the dimension; if it is a fixed share of the mean error of a random
hypothesis that fits, it hardly does. Noise-free linear regression has both in closed form.
"""

import numpy as np

from tlstat import Exact, grid, inner, study
from tlstat.inductive_bias import KernelSpace, LinearSpace, theory
from tlstat.inductive_bias.kernels import rbf
from tlstat.theory import at_least, between, equals, ordered, rate

SHARES = [0.5, 0.1, 0.01]


def sphere(rng, d, n, m):
    """Uniform points on the unit sphere; target x_1 sqrt(d/2) + d x_1 x_2 / 2."""
    X = np.asarray(rng.normal(size=(n + m, d)))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    y = X[:, 0] * np.sqrt(d / 2) + d * X[:, 0] * X[:, 1] / 2
    return X[:n], y[:n], X[n:], y[n:]


def error_law(space, data):
    """Law of the test error of a random hypothesis that fits."""
    X, y, X_test, y_test = data
    return space.condition(X, y).error_law(X_test, y_test)


def nats(law, eps):
    return -np.asarray(law.logcdf(np.asarray(eps, float)))


# ---------------------------------------------------------------------------- dimension

DIMENSIONS = [6, 8, 10, 12, 15, 20]


@study(
    design=grid(d=DIMENSIONS, n=150, m=80, share=inner(SHARES)),
    replicates=36,
    block=6,
    ranges={name: (0, float("inf")) for name in ("at_share", "at_error", "mean_error")},
    profiles={"paper": {"replicates": 100}},
    claims=[
        ordered(
            "at_error",
            "d",
            DIMENSIONS,
            name="a fixed error needs more nats in higher dimension",
        ),
        at_least(
            "at_error",
            150.0,
            where={"d": 20},
            statistic="median",
            name="more than 150 nats for 0.001 in dimension 20",
        ),
        ordered(
            "mean_error",
            "d",
            DIMENSIONS,
            name="random hypotheses that fit err more in higher dimension",
        ),
        between(
            "at_share",
            120.0,
            155.0,
            statistic="median",
            where={"share": 0.01, "d": [8, 10, 12, 15, 20]},
            name="one percent of the mean error costs 120 to 155 nats in any dimension from 8",
        ),
    ],
)
def dimension(cell, rng, size):
    """Spheres of dimension d - 1, RBF of width 1; the error is 0.001, or a share of the mean."""
    out = {"at_share": np.empty((size, len(SHARES)))}
    out |= {name: np.empty(size) for name in ("at_error", "mean_error")}
    for i in range(size):
        law = error_law(KernelSpace(rbf(1.0)), sphere(rng, cell.d, cell.n, cell.m))
        found = nats(law, [*(s * law.mean() for s in SHARES), 1e-3])
        out["mean_error"][i] = law.mean()
        out["at_share"][i], out["at_error"][i] = found[:-1], found[-1]
    return out


# --------------------------------------------------------------- linear, in closed form


@study(
    design=grid(d=[20, 40, 80, 160, 320], n=10, tau=1.0, norm2=1.0, eps=[0.5, 1e-2, 1e-6]),
    replicates=0,
    claims=[
        equals("nats", theory.LINEAR_REGRESSION, rtol=1e-9),
        rate("nats", "d", theory.LINEAR_REGRESSION_GROWTH, where={"eps": 1e-6}, tolerance=0.005,
             name="the growth law: (d - n)/2 log((d - n) tau^2 / (e eps))"),
        rate("nats", "d", lambda cell, model: cell.d - cell.n, where={"eps": 1e-6},
             tolerance=0.03, asymptotic=False, expect="refuted",
             name="linear in the dimension without the logarithm (false)"),
    ],
)  # fmt: skip
def linear_regression(cell, rng, size):
    """The population error given n exact examples along the first axes; |theta*| = 1 beyond."""
    X = np.eye(cell.d)[: cell.n]
    truth = np.zeros(cell.d)
    truth[-1] = np.sqrt(cell.norm2)
    law = LinearSpace(cell.tau).population_law(X, X @ truth, truth)
    value = float(nats(law, cell.eps))
    return {"nats": Exact(value, 1e-10 * value + 1e-9)}
