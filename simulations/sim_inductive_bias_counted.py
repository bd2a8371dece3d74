"""No simulation: the inductive bias of classes that are counted, under several priors.

The prior decides. Drawn as functions, as weights, or as machines, the same class gives the same
task another number of nats: a parameter-function map that prefers simple functions needs less for
a simple target, and more for others.
"""

from functools import cache

import numpy as np

from tlstat import Exact, grid, inner, study
from tlstat.inductive_bias import (
    AutomatonSpace,
    BooleanSpace,
    HalfspaceSpace,
    ParitySpace,
    ThresholdSpace,
    TreeSpace,
    theory,
)
from tlstat.inductive_bias.spaces import cube, strings_up_to
from tlstat.theory import at_least, between, equals, ordered, rate

AUTOMATA, TREES, THRESHOLDS = "automata, 3 states", "trees, depth 2", "thresholds, 4 bits"
PLAIN = {AUTOMATA: "behaviours", TREES: "functions", THRESHOLDS: "uniform"}
INDUCED = {AUTOMATA: "automata", TREES: "trees", THRESHOLDS: "gaussian"}


def nats(space, X, y, train, eps=0.0):
    """Bias of reaching the error on all inputs outside the training set."""
    test = np.setdiff1d(np.arange(len(X)), train)
    fitted = space.condition([X[i] for i in train], y[train])
    return float(-fitted.error_law([X[i] for i in test], y[test]).logcdf(eps))


# ------------------------------------------------------------- all functions, all parities


def labels_of(target, X):
    """Three targets of different complexity."""
    ones = X.sum(axis=1)
    if target == "constant":
        return np.zeros(len(X), dtype=int)
    return (ones % 2 if target == "parity" else ones > X.shape[1] / 2).astype(int)


@study(
    design=grid(
        n=[3, 4], target=["constant", "majority", "parity"], k=[0, 1, 2], share=[0.25, 0.5]
    ),
    replicates=0,
    claims=[
        equals("nats", lambda cell, model: unseen(cell), rtol=1e-12,
               name="no free lunch: the same for every target"),
        at_least("nats", lambda cell, model: 1.5 * unseen(cell),
                 where={"target": "parity", "k": 0}, expect="refuted",
                 name="parity needs half as many nats again (false)"),
    ],
)  # fmt: skip
def boolean(cell, rng, size):
    """All Boolean functions; training inputs are the first in binary order."""
    X = cube(cell.n)
    y, train = labels_of(cell.target, X), np.arange(int(cell.share * len(X)))
    eps = cell.k / (len(X) - len(train))
    value = nats(BooleanSpace(cell.n), X, y, train, eps)
    return {"nats": Exact(value, 1e-13)}


def unseen(cell):
    """The closed form, T the number of inputs outside the training set."""
    points = 2**cell.n
    return float(theory.BOOLEAN(T=points - int(cell.share * points), k=cell.k))


@study(
    design=grid(n=8, rank=[0, 1, 3, 6, 7], eps=[0.0, 0.3]),
    replicates=0,
    claims=[
        equals("nats", theory.PARITY, rtol=1e-12),
        equals("nats", lambda cell, model: theory.PARITY(n=8, rank=0), rtol=1e-12,
               expect="refuted", name="examples do not matter (false)"),
    ],
)  # fmt: skip
def parity(cell, rng, size):
    """Parities of eight bits after examples of a given rank, and twice as many in all."""
    X = cube(cell.n)
    units = [1 << i for i in range(cell.rank)]
    # sums of units add examples and no rank
    train = sorted({*units, *(a ^ b for a, b in zip(units, units[1:], strict=False))})
    y = X @ np.array([1, 0, 1, 1, 0, 0, 1, 0]) % 2
    value = nats(ParitySpace(cell.n), X, y, np.array(train, dtype=int), cell.eps)
    return {"nats": Exact(value, 1e-12)}


# ------------------------------------------------------------------------- two priors


@cache
def space(family, prior):
    """A class under one of its priors."""
    if family == AUTOMATA:
        return AutomatonSpace(3, 6, prior=prior)
    return TreeSpace(4, 2, prior=prior) if family == TREES else ThresholdSpace(4, prior=prior)


def task(family, target):
    """Inputs, and the labels of a simple or a complex target of the class."""
    if family == AUTOMATA:
        X = strings_up_to(6)
        # an odd number of ones; or a number of ones that is a multiple of 3
        ones = np.array([s.count("1") for s in X])
        return X, (ones % 2 if target == "simple" else ones % 3 == 0).astype(int)
    X = cube(4)
    if family == TREES:
        other = np.where(X[:, 0] == 1, X[:, 1], 1 - X[:, 2])
    else:
        gaussian = space(family, INDUCED[family])
        other = gaussian.table[np.argmin(gaussian.log_weights)]  # the rarest under its weights
    return X, (X[:, 0] if target == "simple" else other).astype(int)


def training_set(family, number):
    """Short strings first; corners of the cube in an order fixed by chance."""
    if family == AUTOMATA:
        return np.arange(number)
    return np.random.default_rng(1).permutation(16)[:number]


@study(
    design=grid(
        family=[AUTOMATA, TREES, THRESHOLDS],
        target=["simple", "complex"],
        number=[0, 4, 7, 10],
        prior=inner(["plain", "induced"]),
    ),
    replicates=0,
    claims=[
        ordered(
            "nats",
            "prior",
            ["induced", "plain"],
            where={"target": "simple"},
            tolerance=1e-9,
            name="the induced prior needs fewer nats for a simple target",
        ),
        ordered(
            "nats",
            "prior",
            ["plain", "induced"],
            where={"target": "complex", "number": 0},
            tolerance=1e-9,
            name="and more for a complex one",
        ),
        equals(
            "identity",
            lambda cell, model: 1.0,
            rtol=1e-9,
            name="code length of all labels = of the training labels + bias at 0",
        ),
    ],
)
def priors(cell, rng, size):
    """Bias of exact learning, under the plain and under the induced prior."""
    X, y = task(cell.family, cell.target)
    train = training_set(cell.family, cell.number)
    values, errors, identity = [], [], []
    for names in (PLAIN, INDUCED):
        one = space(cell.family, names[cell.family])
        value = nats(one, X, y, train)
        fitted = one.condition([X[i] for i in train], y[train])
        whole = -one.condition(X, y).log_mass()
        values.append(value)
        errors.append(2 * one.log_error + 1e-12)
        identity.append((value - fitted.log_mass()) / whole)
    return {
        "nats": Exact(np.array(values), np.array(errors)),
        "identity": Exact(np.array(identity), 1e-12),
    }


# ------------------------------------------------------------------------- half-spaces


@study(
    design=grid(d=[2, 3, 10, 30, 100, 300, 1000], eps=[0.2, 0.05, 0.01, 1e-3, 1e-6]),
    replicates=0,
    claims=[
        equals("nats", theory.HALF_SPACE, rtol=1e-10),
        between("nats", theory.HALF_SPACE_LOWER, theory.HALF_SPACE_UPPER, tolerance=1e-9,
                where={"eps": [0.2, 0.05, 0.01]}),
        rate("nats", "d", lambda cell, model: cell.d - 1.0, tolerance=0.05,
             where={"d": [30, 100, 300, 1000], "eps": [1e-3, 1e-6]}, asymptotic=False,
             name="linear in the dimension"),
    ],
)  # fmt: skip
def half_space(cell, rng, size):
    """Population error of a random half-space, by the room's own series."""
    law = HalfspaceSpace(cell.d).condition(np.zeros((0, cell.d)), np.zeros(0)).population_law()
    value = float(-law.logcdf(cell.eps))
    return {"nats": Exact(value, 1e-12 * value)}
