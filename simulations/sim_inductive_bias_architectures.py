"""What architectures bring to the digits: the bias that a kernel space would need for their error.

Models are trained on the same rows and scored by the exact bias of a noise-free RBF space at their
mean squared test error on one-hot labels. The order linear < shallow < deep is the published one.
So is this: a model's bias is a function of its squared error alone (claims are about its
root, whose tails are light), and one nearest neighbour, whose outputs are 0 and 1, scores
above every network trained here.
"""

from functools import cache

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeRegressor

from tlstat import grid, inner, study
from tlstat.inductive_bias import KernelSpace, NetworkSpace
from tlstat.inductive_bias.kernels import rbf
from tlstat.theory import ordered

NETWORKS = {"MLP 8": (8,), "MLP 64": (64,), "MLP 64x64x64": (64, 64, 64)}
MODELS = ["linear", *NETWORKS, "1-NN"]
CLASSICAL = ["tree of depth 3", "full tree", "linear", "1-NN"]


@cache
def digits():
    """Inputs in [0, 1] and one-hot labels."""
    X, y = load_digits(return_X_y=True)
    return X / 16, np.eye(10)[y]


def split(rng, n, m):
    """Random training and test rows."""
    X, Y = digits()
    order = np.argsort(np.asarray(rng.uniform(0.0, 1.0, size=len(X))))
    train, test = order[:n], order[n : n + m]
    return X[train], Y[train], X[test], Y[test]


def predictions(name, data):
    """Real-valued outputs on the test rows."""
    X, Y, X_test, _ = data
    model = {
        "1-NN": KNeighborsRegressor(1),
        "linear": Ridge(0.1),  # a penalty, as some pixels are nearly constant
        "full tree": DecisionTreeRegressor(random_state=0),
        "tree of depth 3": DecisionTreeRegressor(max_depth=3, random_state=0),
    }[name]
    return model.fit(X, Y).predict(X_test)


def squared_error(name, data, rng):
    """Mean squared test error; for networks of one that is trained from a random start."""
    if name not in NETWORKS:
        return float(np.mean((predictions(name, data) - data[3]) ** 2))
    fitted = NetworkSpace(NETWORKS[name], epochs=50, learning_rate=0.01).condition(*data[:2])
    seed = int(rng.integers(0, 2**31))
    return float(np.mean(fitted.sample_errors(*data[2:], seed, 1)))


def nats_of(data, sigma, errors):
    """Exact bias of the kernel space at these errors; none at all counts as half a mistake."""
    law = KernelSpace(rbf(sigma)).condition(*data[:2]).error_law(*data[2:])
    return -law.logcdf(positive(data, errors))


def positive(data, errors):
    """Errors of at least half a mistake: a wrong 0/1 output costs two squares."""
    return np.maximum(errors, 1 / data[3].size)


@study(
    design=grid(n=250, m=200, sigma=2.0, model=inner(MODELS)),
    replicates=24,
    block=2,
    profiles={"paper": {"replicates": 100}},
    claims=[
        ordered(
            "rms",
            "model",
            ["MLP 64x64x64", "MLP 64", "linear"],
            name="linear, shallow, deep: the published order",
        ),
        ordered("rms", "model", ["MLP 64", "MLP 8"], name="wider networks bring more"),
        ordered(
            "rms",
            "model",
            ["1-NN", "MLP 64x64x64"],
            name="one nearest neighbour brings more than the deepest network",
        ),
    ],
)
def networks(cell, rng, size):
    """Trained networks between linear regression and one nearest neighbour."""
    out = {name: np.empty((size, len(cell.model))) for name in ("nats", "squared", "rms")}
    for i in range(size):
        data = split(rng, cell.n, cell.m)
        out["squared"][i] = [squared_error(name, data, rng) for name in cell.model]
        out["nats"][i] = nats_of(data, cell.sigma, out["squared"][i])
        out["rms"][i] = np.sqrt(out["squared"][i])
    return out


@study(
    design=grid(n=250, m=100, sigma=[1.0, 2.0], model=inner(CLASSICAL)),
    replicates=40,
    block=5,
    profiles={"paper": {"replicates": 400}},
    claims=[
        ordered(
            "rms",
            "model",
            ["1-NN", "linear", "full tree", "tree of depth 3"],
            name="one nearest neighbour, linear, full tree, small tree: by squared error",
        ),
        ordered(
            "wrong",
            "model",
            ["1-NN", "linear", "full tree", "tree of depth 3"],
            name="and by mistakes",
        ),
    ],
)
def squares_or_errors(cell, rng, size):
    """Bias by squared error, and the share of wrong classes."""
    names = ("nats", "squared", "rms", "wrong")
    out = {name: np.empty((size, len(cell.model))) for name in names}
    for i in range(size):
        data = split(rng, cell.n, cell.m)
        found = [predictions(name, data) for name in cell.model]
        out["squared"][i] = [np.mean((f - data[3]) ** 2) for f in found]
        out["wrong"][i] = [np.mean(f.argmax(1) != data[3].argmax(1)) for f in found]
        out["nats"][i] = nats_of(data, cell.sigma, out["squared"][i])
        out["rms"][i] = np.sqrt(out["squared"][i])
    return out
