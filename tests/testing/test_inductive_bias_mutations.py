"""Injected bugs, each with a law that must catch it."""

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import erfcx
from scipy.stats import chi2, norm

from tlstat.inductive_bias import GeneralizedChiSquared, KernelSpace, inductive_bias
from tlstat.testing import find_counterexample
from tlstat.testing.inductive_bias import (
    BIAS_LAWS,
    CLASS_LAWS,
    ESTIMATE_LAWS,
    TAIL_LAWS,
    chernoff,
)


def caught(subject, laws, name):
    """Whether a law finds a case that breaks it; the search is long enough for any draws."""
    (law,) = [law for law in laws if law.name == name]
    return find_counterexample(law, subject, max_examples=1_000, shrink=False) is not None


def exact(weights, eps, *, df, nc, shift):
    return -float(GeneralizedChiSquared(weights, df, nc, shift).logcdf(eps))


# ---------------------------------------------------------------------------- tails


def moments(weights, df, nc):
    return float(np.sum(weights * (df + nc))), 2 * float(np.sum(weights**2 * (df + 2 * nc)))


def normal_fit(weights, eps, *, df, nc, shift):
    mean, variance = moments(weights, df, nc)
    return -float(norm.logcdf((eps - shift - mean) / math.sqrt(variance)))


def gamma_fit(weights, eps, *, df, nc, shift):
    """The scaled chi-squared law of the same mean and variance."""
    mean, variance = moments(weights, df, nc)
    freedom = 2 * mean**2 / variance
    return -float(chi2.logcdf(max(eps - shift, 0) * freedom / mean, freedom))


def saturating(weights, eps, *, df, nc, shift):
    """The published fallback z^2/2, sign of z dropped, on the fitted law without offsets."""
    mean, variance = moments(weights, df, nc)
    freedom = 2 * mean**2 / variance
    x = max(eps - shift, 0.0) / mean
    h, p = 1 / 3, 1 / freedom
    m = (h - 1) * (1 - 3 * h)
    z = (x**h - (1 + h * p * (h - 1 - (2 - h) * m * p / 2))) / (h * math.sqrt(2 * p))
    return z**2 / 2


def absolute_accuracy(weights, eps, *, df, nc, shift):
    """A library's CDF, and 0 below 1e-14."""
    p = math.exp(-exact(weights, eps, df=df, nc=nc, shift=shift))
    return -math.log(p) if p > 1e-14 else math.inf


def chernoff_only(weights, eps, *, df, nc, shift):
    if eps <= shift:
        return math.inf
    case = {"weights": weights, "df": df, "nc": nc, "shift": shift, "eps": eps}
    mean, _ = moments(weights, df, nc)
    return chernoff(case) if eps < shift + mean else 0.0


def saddlepoint_term(weights, eps, *, df, nc, shift):
    """Chernoff's exponent and only the first factor of the correction, 1/2 for all depths."""
    found = chernoff_only(weights, eps, df=df, nc=nc, shift=shift)
    if not 0 < found < math.inf:
        return found
    r = math.sqrt(2 * found)
    return found - math.log(erfcx(r / math.sqrt(2)) / 2)


def optimistic(weights, eps, *, df, nc, shift):
    return 0.97 * exact(weights, eps, df=df, nc=nc, shift=shift)


def forgets_offsets(weights, eps, *, df, nc, shift):
    return exact(weights, eps, df=df, nc=np.zeros_like(nc), shift=shift)


def forgets_shift(weights, eps, *, df, nc, shift):
    return exact(weights, eps, df=df, nc=nc, shift=0.0)


def one_degree(weights, eps, *, df, nc, shift):
    return exact(weights, eps, df=np.ones_like(df), nc=nc, shift=shift)


def unit_floor(weights, eps, *, df, nc, shift):
    """Small weights count as zero, on an absolute scale."""
    kept = weights > 0.5
    if not kept.any():
        return 0.0 if eps > shift else math.inf
    return exact(weights[kept], eps, df=df[kept], nc=nc[kept], shift=shift)


def relative_floor(weights, eps, *, df, nc, shift):
    """Weights below a fifth of the largest are dropped: they matter at depth."""
    kept = weights > 0.2 * weights.max()
    return exact(weights[kept], eps, df=df[kept], nc=nc[kept], shift=shift)


def first_weight_twice(weights, eps, *, df, nc, shift):
    moved = weights.copy()
    moved[0] *= 1.001
    return exact(moved, eps, df=df, nc=nc, shift=shift)


def upper_tail(weights, eps, *, df, nc, shift):
    return -float(GeneralizedChiSquared(weights, df, nc, shift).logsf(eps))


def two_for_one(weights, eps, *, df, nc, shift):
    """Adds a constant: too many nats."""
    found = exact(weights, eps, df=df, nc=nc, shift=shift)
    return found + 1.0 if found > 0.5 else found


def too_heavy(weights, eps, *, df, nc, shift):
    """Nats that grow faster than they should."""
    found = exact(weights, eps, df=df, nc=nc, shift=shift)
    return found * (1 + 0.2 * math.log1p(len(weights)))


def rounds_up(weights, eps, *, df, nc, shift):
    found = exact(weights, eps, df=df, nc=nc, shift=shift)
    return math.ceil(4 * found) / 4 if math.isfinite(found) else found


def rounds_degrees(weights, eps, *, df, nc, shift):
    return exact(weights, eps, df=np.ceil(df), nc=nc, shift=shift)


TAILS = [
    (upper_tail, "monotone"),
    (saturating, "support"),
    (saturating, "monotone"),
    (normal_fit, "support"),
    (forgets_shift, "support"),
    (unit_floor, "scale"),
    (first_weight_twice, "order"),
    (rounds_degrees, "order"),
    (one_degree, "one scale"),
    (forgets_offsets, "one scale"),
    (absolute_accuracy, "one scale"),
    (gamma_fit, "exponentials"),
    (saddlepoint_term, "exponentials"),
    (saddlepoint_term, "one scale"),
    (gamma_fit, "Chernoff"),
    (optimistic, "Chernoff"),
    (forgets_offsets, "dominance"),
    (rounds_up, "dominance"),
    (relative_floor, "small ball"),
    (chernoff_only, "small ball"),
    (gamma_fit, "small ball"),
    (two_for_one, "small ball"),
    (too_heavy, "parts"),
]


@pytest.mark.parametrize(("bug", "law"), TAILS, ids=lambda v: getattr(v, "__name__", v))
def test_bugs_of_tails_are_caught(bug, law):
    assert caught(bug, TAIL_LAWS, law)


# -------------------------------------------------------------------------- classes


def shares(labels, prior, target, train, test, errors):
    """Masses of the fitting hypotheses and of those of them that reach the error."""
    truth = labels[target]
    fits = (labels[:, train] == truth[train]).all(axis=1)
    wrong = (labels[:, test] != truth[test]).sum(axis=1)
    return prior[fits].sum(), prior[fits & (wrong <= errors)].sum(), fits, wrong


def ignores_the_prior(labels, prior, target, train, test, errors):
    fitting, good, *_ = shares(labels, np.ones(len(prior)), target, train, test, errors)
    return -math.log(good / fitting)


def forgets_to_condition(labels, prior, target, train, test, errors):
    _, good, *_ = shares(labels, prior, target, train, test, errors)
    return -math.log(good / prior.sum())


def strict_inequality(labels, prior, target, train, test, errors):
    fitting, good, *_ = shares(labels, prior, target, train, test, max(errors - 1, 0))
    return -math.log(good / fitting)


def counts_training_errors(labels, prior, target, train, test, errors):
    """Tests on all inputs and does not condition."""
    wrong = (labels != labels[target]).sum(axis=1)
    return -math.log(prior[wrong <= errors].sum() / prior.sum())


def as_many_errors(labels, prior, target, train, test, errors):
    """Exactly, instead of at most."""
    fitting, _, fits, wrong = shares(labels, prior, target, train, test, errors)
    good = prior[fits & (wrong == errors)].sum()
    return -math.log(good / fitting) if good else math.inf


def not_normalised(labels, prior, target, train, test, errors):
    fitting, good, *_ = shares(labels, prior, target, train, test, errors)
    return -math.log(good) + math.log(max(fitting, 1.0))


def prefers_zeros(labels, prior, target, train, test, errors):
    weights = prior * np.exp(-0.3 * labels.sum(axis=1))
    fitting, good, *_ = shares(labels, weights, target, train, test, errors)
    return -math.log(good / fitting)


def bits(labels, prior, target, train, test, errors):
    fitting, good, *_ = shares(labels, prior, target, train, test, errors)
    return -math.log2(good / fitting)


CLASSES = [
    (ignores_the_prior, "divergence"),
    (bits, "divergence"),
    (strict_inequality, "divergence"),
    (as_many_errors, "errors"),
    (forgets_to_condition, "code length"),
    (counts_training_errors, "code length"),
    (bits, "labelings"),
    (forgets_to_condition, "labelings"),
    (not_normalised, "symmetry"),
    (prefers_zeros, "symmetry"),
]


@pytest.mark.parametrize(("bug", "law"), CLASSES, ids=lambda v: getattr(v, "__name__", v))
def test_bugs_of_counted_classes_are_caught(bug, law):
    assert caught(bug, CLASS_LAWS, law)


# --------------------------------------------------------------------- kernel spaces


def changed(**kinds):
    """`inductive_bias` on changed data."""

    def function(space, X_train, y_train, X_test, y_test, target_error):
        data = {"X_train": X_train, "y_train": y_train, "X_test": X_test, "y_test": y_test}
        for name, change in kinds.items():
            data[name] = change(data[name])
        return inductive_bias(space, **data, target_error=target_error)

    return function


def outputs_apart(space, X_train, y_train, X_test, y_test, target_error):
    """The sum over outputs of biases: each output must reach the error alone."""
    total = sum(
        inductive_bias(
            space, X_train, y_train[:, [c]], X_test, y_test[:, [c]], target_error=target_error
        ).nats
        for c in range(y_train.shape[1])
    )
    return SimpleNamespace(nats=total)


def fixed_scale(space, **task):
    """The prior's variance is set to 1, whatever the user asked for."""
    return inductive_bias(KernelSpace(space.kernel), **task)


def per_test_point(space, **task):
    found = inductive_bias(space, **task).nats
    return SimpleNamespace(nats=found / len(task["X_test"]))


def total_error(space, *, target_error, X_test, **task):
    """The sum of squares over test points instead of the mean."""
    found = inductive_bias(space, X_test=X_test, **task, target_error=target_error / len(X_test))
    return SimpleNamespace(nats=found.nats)


def training_error(space, **task):
    """Success is measured on half of the test points."""
    half = max(1, len(task["X_test"]) // 2)
    task = {**task, "X_test": task["X_test"][:half], "y_test": task["y_test"][:half]}
    return inductive_bias(space, **task)


def above(space, **task):
    found = inductive_bias(space, **task).nats
    return SimpleNamespace(nats=-math.log(max(-math.expm1(-found), 1e-300)))


SPACES = [
    (outputs_apart, "rotation"),
    (training_error, "order"),
    (fixed_scale, "units"),
    (per_test_point, "twice"),
    (total_error, "twice"),
    (above, "target error"),
    (changed(y_train=np.zeros_like), "draws"),
    (changed(X_train=lambda X: X + 1.0), "draws"),
    (per_test_point, "draws"),
]
NAMES = ["outputs apart", "half of the points", "fixed scale", "per test point", "sum of squares",
         "above", "without labels", "moved inputs", "per test point, draws"]  # fmt: skip


@pytest.mark.parametrize(("bug", "law"), SPACES, ids=NAMES)
def test_bugs_of_kernel_spaces_are_caught(bug, law):
    assert caught(bug, BIAS_LAWS, law)


# -------------------------------------------------------------------------- estimates


def fitted(weights, eps, *, df, nc, shift, seed):
    """A normal law fitted to draws, with the interval of the delta method."""
    draws = np.asarray(GeneralizedChiSquared(weights, df, nc, shift).rvs(2_000, random_state=seed))
    z = (draws.mean() - eps) / draws.std()
    nats = -float(norm.logcdf(-z))
    hazard = math.exp(norm.logpdf(z) - norm.logcdf(-z))
    half = 1.96 * hazard * math.sqrt((1 + z**2 / 2) / 2_000)
    return nats, max(0.0, nats - half), nats + half


def without_interval(weights, eps, *, df, nc, shift, seed):
    draws = np.asarray(GeneralizedChiSquared(weights, df, nc, shift).rvs(500, random_state=seed))
    nats = -math.log(max(np.mean(draws <= eps), 1e-3))
    return nats, nats, nats


def backwards(weights, eps, *, df, nc, shift, seed):
    nats, lower, upper = fitted(weights, eps, df=df, nc=nc, shift=shift, seed=seed)
    return nats, upper, lower


SEEDS = itertools.count()


def own_seed(weights, eps, *, df, nc, shift, seed):
    """Ignores the seed."""
    seed = next(SEEDS)
    return without_interval(weights, eps, df=df, nc=nc, shift=shift, seed=seed)


ESTIMATES = [
    (backwards, "interval"),
    (own_seed, "again"),
    (fitted, "covers"),
    (without_interval, "covers"),
]


@pytest.mark.parametrize(("bug", "law"), ESTIMATES, ids=lambda v: getattr(v, "__name__", v))
def test_bugs_of_estimates_are_caught(bug, law):
    assert caught(bug, ESTIMATE_LAWS, law)


def test_no_law_is_idle():
    """Every law of the room catches a bug of the tables above."""
    for table, laws in (
        (TAILS, TAIL_LAWS),
        (CLASSES, CLASS_LAWS),
        (SPACES, BIAS_LAWS),
        (ESTIMATES, ESTIMATE_LAWS),
    ):
        assert {law.name for law in laws} == {law for _, law in table}
