"""No simulation: bounds for a learner that draws a hypothesis that fits, on counted classes.

Linear threshold functions of three or four signs, with an offset: 104 and 1,882 of them. Inputs
are independent uniform draws from the cube. Two priors: all functions equally likely ("functions"),
or all integer weight vectors that compute them ("weights": entries up to 2 or 3 in size), which
prefers simple functions. All expectations are sums over training sets.
"""

import itertools
from functools import cache

import numpy as np

from tlstat import Exact, grid, inner, study
from tlstat.inductive_bias import theory
from tlstat.theory import at_most, equals, ordered

PRIORS = ["functions", "weights"]


@cache
def thresholds(n, prior):
    """The class, and the corners of the cube."""
    largest = {3: 2, 4: 3}[n]
    corners = 2 * ((np.arange(1 << n)[:, None] >> np.arange(n)) & 1) - 1
    weights = np.array(list(itertools.product(range(-largest, largest + 1), repeat=n)))
    offsets = np.arange(-n * largest - 0.5, n * largest + 1)
    labels = ((weights @ corners.T)[:, None, :] + offsets[:, None] > 0).reshape(-1, 1 << n)
    rows, counts = np.unique(labels, axis=0, return_counts=True)
    return theory.EnumeratedClass(rows, counts if prior == "weights" else None), corners


@cache
def row_of(n, prior, weights, offset):
    """The row of a threshold function."""
    one, corners = thresholds(n, prior)
    truth = corners @ np.array(weights) + offset > 0
    return int(np.flatnonzero((one.labels == truth).all(axis=1))[0])


TARGETS = {"one sign": ((1, 0, 0, 0), 0.5), "3, 2, 1, 1": ((3, 2, 1, 1), 0.5)}
SIZES = (*range(13), 16, 20, 30, 40)


# ------------------------------------------------------- Haussler, Kearns and Schapire


@cache
def curve(prior):
    """Bayes error, Gibbs error, information and code length after 0 to 40 examples."""
    one, _ = thresholds(4, prior)
    found = one.learning_curve(range(41), theory.cube_classes(one.labels, one.prior))
    return np.array(found)


QUANTITIES = ["bayes", "gibbs", "half the bits", "twice bayes"]


@study(
    design=grid(prior=PRIORS, n=SIZES, d=5, quantity=inner(QUANTITIES)),
    replicates=0,
    claims=[
        ordered(
            "value",
            "quantity",
            QUANTITIES[:3],
            tolerance=1e-9,
            name="Bayes, Gibbs, half the bits of a label",
        ),
        ordered("value", "quantity", ["gibbs", "twice bayes"], tolerance=0),
        ordered(
            "value",
            "quantity",
            ["twice bayes", "half the bits"],
            expect="refuted",
            name="half the bits exceed twice the Bayes error (false)",
        ),
        at_most("average", theory.LEARNING_CURVE_VC, where={"n": [n for n in SIZES if n >= 5]}),
        at_most("code_length", theory.INFORMATION_VC, where={"n": [n for n in SIZES if n >= 5]}),
        equals(
            "code_length",
            lambda cell, model: float(curve(cell.prior)[: cell.n, 2].sum()),
            where={"n": [n for n in SIZES if n]},
            rtol=1e-9,
            name="surprises of the examples add up to the code length",
        ),
        ordered(
            "code_length",
            "prior",
            ["weights", "functions"],
            tolerance=0,
            where={"n": [n for n in SIZES if n >= 2]},
            name="data of simple functions have shorter codes",
        ),
    ],
)
def learning_curve(cell, rng, size):
    """After n examples of a target drawn from the prior, on the next example."""
    past = curve(cell.prior)
    bayes, gibbs, information, code_length = past[cell.n]
    values = np.array([bayes, gibbs, information / (2 * np.log(2)), 2 * bayes])
    average = float(past[: cell.n, 1].mean()) if cell.n else gibbs
    return {
        "value": Exact(values, 1e-12),
        "average": Exact(average, 1e-12),
        "code_length": Exact(code_length, 1e-11),
    }


# --------------------------------------------------------------------- guess and check


def prior_mass(cell, model=None):
    """The target's own prior mass."""
    one, _ = thresholds(4, cell.prior)
    return float(one.prior[row_of(4, cell.prior, *TARGETS[cell.target])])


def on(bound):
    """A bound at the cell's prior mass of the target."""
    return lambda cell, model: float(bound(eps=cell.eps, n=cell.n, p_tilde=prior_mass(cell)))


@study(
    design=grid(
        prior=PRIORS, target=list(TARGETS), n=[0, 2, 5, 10, 20, 30, 40, 60], eps=[0.05, 0.15, 0.3]
    ),
    replicates=0,
    claims=[
        at_most("share", on(theory.GUESS_AND_CHECK_SHARP), name="below the sharper bound"),
        at_most("share", on(theory.GUESS_AND_CHECK), name="below (1 - eps)^n / p"),
        at_most(
            "share",
            lambda cell, model: (1 - cell.eps) ** cell.n,
            expect="refuted",
            name="the target's prior mass does not matter (false)",
        ),
    ],
)
def guess_and_check(cell, rng, size):
    """Mean share of the version space that errs more often than eps."""
    one, _ = thresholds(4, cell.prior)
    target = row_of(4, cell.prior, *TARGETS[cell.target])
    share = float(one.set_probabilities(cell.n) @ one.share_above(target, cell.eps))
    return {"share": Exact(share, 1e-13)}


# ------------------------------------------------------------- PAC-Bayes, information


@study(
    design=grid(
        prior=PRIORS,
        target=list(TARGETS),
        n=[2, 4, 8, 16, 32, 64],
        delta=[0.05, 0.3],
        bound=inner(["gibbs error", "marginal likelihood", "Maurer", "Valle-Perez"]),
    ),
    replicates=0,
    claims=[
        equals("moment", 1.0, rtol=1e-9, where={"target": "3, 2, 1, 1", "prior": "functions"},
               name="E P(U) E_U (1 - error)^-n = P(error < 1)"),
        at_most("failure", lambda cell, model: cell.delta, name="the bound holds with 1 - delta"),
        ordered(
            "value",
            "bound",
            ["gibbs error", "marginal likelihood", "Maurer", "Valle-Perez"],
            tolerance=0,
            name="no union term: sharper than Maurer's, and that than Valle-Perez et al.'s",
        ),
    ],
)  # fmt: skip
def marginal_likelihood(cell, rng, size):
    """Gibbs error and bounds on it, means over training sets; and how often ours fails."""
    one, _ = thresholds(4, cell.prior)
    target = row_of(4, cell.prior, *TARGETS[cell.target])
    chances, mass, error = one.set_probabilities(cell.n), one.mass(target), one.gibbs_error(target)
    at = {"mass": mass, "n": float(cell.n), "delta": cell.delta}
    limits = [
        theory.MARGINAL_LIKELIHOOD(**at),
        theory.MARGINAL_LIKELIHOOD_MAURER(**at),
        theory.MARGINAL_LIKELIHOOD_VALLE_PEREZ(**at),
    ]
    wrong = one.errors(target)
    possible = wrong < 1
    powers = np.where(possible, 1 - wrong, np.inf) ** -float(cell.n)
    moment = chances @ one.mass(target, powers) / one.prior[possible].sum()
    return {
        "value": Exact(np.array([error, *limits]) @ chances, 1e-12),
        "failure": Exact(float(chances @ (error > limits[0] + 1e-12)), 1e-13),
        "moment": Exact(float(moment), 1e-11),
    }


@cache
def learner(prior, weights, n):
    """The Gibbs learner of a target, and its conditional information."""
    one, _ = thresholds(3, prior)
    target = row_of(3, prior, weights, 0.5)
    return one.learner(target, n), one.conditional_information(target, n)


def setting(cell):
    return learner(cell.prior, tuple(cell.weights), cell.n)


BOUNDS = ["gap", "CMI, no training errors", "one example", "sample", "CMI"]


@study(
    design=grid(prior=PRIORS, weights=[(1, 0, 0), (2, 1, 1)], n=[1, 2, 3], bound=inner(BOUNDS)),
    replicates=0,
    claims=[
        ordered("value", "bound", BOUNDS, tolerance=1e-9, name="information bounds in order"),
        equals(
            "conditional",
            lambda cell, model: float(setting(cell)[0].error * np.log(2)),
            where={"n": 1},
            rtol=1e-9,
            name="with one example the interpolating bound is attained",
        ),
        at_most(
            "mutual",
            lambda cell, model: setting(cell)[0].code_length,
            name="information is at most the mean code length",
        ),
    ],
)
def information(cell, rng, size):
    """Mean generalisation gap of the Gibbs learner, and the bounds of information theory."""
    found, conditional = setting(cell)
    n = cell.n
    values = [
        found.error,
        theory.CONDITIONAL_INFORMATION_ZERO(conditional=conditional, n=n),
        theory.SINGLE_EXAMPLE_INFORMATION(single=found.single),
        theory.MUTUAL_INFORMATION(mutual=found.mutual, n=n),
        theory.CONDITIONAL_INFORMATION(conditional=conditional, n=n),
    ]
    return {
        "value": Exact(np.array(values), 1e-11),
        "conditional": Exact(conditional, 1e-11),
        "mutual": Exact(found.mutual, 1e-11),
    }
