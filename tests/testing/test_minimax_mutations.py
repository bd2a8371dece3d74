"""Injected bugs, each with a law that must catch it."""

import math
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest

from tlstat.minimax.cost import cost_optimal, rate_optimal
from tlstat.minimax.cube import bayes_lower_bound
from tlstat.minimax.estimators import (
    confidence_set_erm,
    pooled_erm,
    select,
    source_erm,
    target_erm,
)
from tlstat.minimax.models import PowerThresholds
from tlstat.minimax.sampling.statistics import pick
from tlstat.minimax.vote import vote_bounds, vote_error
from tlstat.testing import find_counterexample
from tlstat.testing.minimax import (
    LOWER_BOUND_LAWS,
    MODEL_LAWS,
    PURCHASE_LAWS,
    VOTE_LAWS,
    rule_laws,
)


def caught(subject, laws, name):
    """Whether a law finds a case that breaks it.

    What hypothesis draws depends on the modules that are loaded, so the search is long enough
    for any draws; it ends at the first case.
    """
    (law,) = [law for law in laws if law.name == name]
    found = find_counterexample(law, subject, max_examples=1_000, shrink=False)
    return found is not None


# ------------------------------------------------------------------------ the kernel


def normal_approximation(n_P, p, delta_P, n_Q, q, delta_Q, *, weights=None):
    """A central limit theorem where counts are small."""
    w_P, w_Q = weights or (2 * math.atanh(delta_P), 2 * math.atanh(delta_Q))
    mean = w_P * n_P * p * delta_P + w_Q * n_Q * q * delta_Q
    variance = w_P**2 * n_P * p + w_Q**2 * n_Q * q
    return 0.5 * math.erfc(mean / math.sqrt(2 * variance)) if variance else 0.5


def ties_lose(n_P, p, delta_P, n_Q, q, delta_Q, *, weights=None):
    return min(0.5, 1.02 * vote_error(n_P, p, delta_P, n_Q, q, delta_Q, weights=weights))


def hellinger_instead(n_P, p, delta_P, n_Q, q, delta_Q, *, weights=None):
    return vote_bounds(n_P, p, delta_P, n_Q, q, delta_Q).hellinger


def half_a_signal(n_P, p, delta_P, n_Q, q, delta_Q, *, weights=None):
    return vote_error(n_P, p, delta_P / 2, n_Q, q, delta_Q / 2, weights=weights)


def forgets_the_target(n_P, p, delta_P, n_Q, q, delta_Q, *, weights=None):
    return vote_error(n_P, p, delta_P, 0, q, delta_Q, weights=weights)


def margins_as_weights(n_P, p, delta_P, n_Q, q, delta_Q, *, weights=None):
    """delta instead of log((1 + delta)/(1 - delta)): right for weak signals only."""
    weights = weights or (delta_P, delta_Q)
    return vote_error(n_P, p, delta_P, n_Q, q, delta_Q, weights=weights)


def one_minus(n_P, p, delta_P, n_Q, q, delta_Q, *, weights=None):
    return 1 - vote_error(n_P, p, delta_P, n_Q, q, delta_Q, weights=weights)


def one_more_point(n_P, p, delta_P, n_Q, q, delta_Q, *, weights=None):
    return vote_error(n_P + 1, p, delta_P, n_Q, q, delta_Q, weights=weights)


def imaginary_target(n_P, p, delta_P, n_Q, q, delta_Q, *, weights=None):
    return vote_error(n_P, p, delta_P, max(n_Q, 1), q, delta_Q, weights=weights)


def noise_helps(n_P, p, delta_P, n_Q, q, delta_Q, *, weights=None):
    return vote_error(n_P, p, 1 - delta_P, n_Q, q, delta_Q, weights=weights)


VOTES = [
    (one_more_point, "ignorance"),
    (imaginary_target, "alone"),
    (noise_helps, "monotone"),
    (half_a_signal, "Hellinger"),
    (normal_approximation, "enumeration"),
    (ties_lose, "enumeration"),
    (hellinger_instead, "enumeration"),
    (half_a_signal, "enumeration"),
    (forgets_the_target, "symmetry"),
    (margins_as_weights, "weights"),
    (margins_as_weights, "enumeration"),
    (one_minus, "range"),
]


@pytest.mark.parametrize(("bug", "law"), VOTES, ids=lambda v: getattr(v, "__name__", v))
def test_bugs_of_the_kernel_are_caught(bug, law):
    assert caught(bug, VOTE_LAWS, law)


# ------------------------------------------------------------------------ lower bounds


def too_large(n_P, n_Q, **known):
    return 3 * bayes_lower_bound(n_P, n_Q, **known)


def too_small(n_P, n_Q, **known):
    return 0.9 * bayes_lower_bound(n_P, n_Q, **known)


def one_atom(n_P, n_Q, *, d, **known):
    """Le Cam where Assouad is possible."""
    return bayes_lower_bound(n_P, n_Q, d=2, **known)


def source_noise_only(n_P, n_Q, *, beta_P, beta_Q, **known):
    return bayes_lower_bound(n_P, n_Q, beta_P=beta_P, beta_Q=beta_P, **known)


def without_target(n_P, n_Q, **known):
    return bayes_lower_bound(n_P, 0, **known)


def rate_as_a_bound(n_P, n_Q, *, rho, beta_P, beta_Q, d):
    source = (d / max(n_P, d)) ** (1 / ((2 - beta_P) * rho))
    return 0.5 * min(source, (d / max(n_Q, d)) ** (1 / (2 - beta_Q)))


def grows_with_data(n_P, n_Q, **known):
    return (1 + 0.1 * math.log1p(n_P)) * bayes_lower_bound(n_P, n_Q, **known)


def exponent_inverted(n_P, n_Q, *, rho, **known):
    return bayes_lower_bound(n_P, n_Q, rho=4.5 - rho, **known)


BOUNDS = [
    (grows_with_data, "data"),
    (exponent_inverted, "class"),
    (too_large, "attainable"),
    (too_small, "cubes"),
    (one_atom, "cubes"),
    (source_noise_only, "cubes"),
    (without_target, "attainable"),
    (rate_as_a_bound, "no data"),
]


@pytest.mark.parametrize(("bug", "law"), BOUNDS, ids=lambda v: getattr(v, "__name__", v))
def test_bugs_of_lower_bounds_are_caught(bug, law):
    assert caught(bug, LOWER_BOUND_LAWS, law)


# ------------------------------------------------------------------------ purchases


def source_price_twice(risk, eps, *, price_P, price_Q):
    return cost_optimal(risk, eps, price_P=price_P, price_Q=price_P)


def single_samples_only(risk, eps, *, price_P, price_Q):
    found = cost_optimal(risk, eps, price_P=price_P, price_Q=price_Q)
    source = price_P * found.source_only <= price_Q * found.target_only
    n_P, n_Q = (found.source_only, 0) if source else (0, found.target_only)
    return SimpleNamespace(n_P=n_P, n_Q=n_Q)


def one_short(risk, eps, *, price_P, price_Q):
    found = cost_optimal(risk, eps, price_P=price_P, price_Q=price_Q)
    return SimpleNamespace(n_P=max(found.n_P - 1, 0), n_Q=max(found.n_Q - 1, 0))


def by_the_rate(risk, eps, *, price_P, price_Q):
    return rate_optimal(eps, rho=1, beta_P=1, beta_Q=1, price_P=price_P, price_Q=price_Q)


def stingy_when_loose(risk, eps, *, price_P, price_Q):
    """Buys too much where the goal is easy."""
    found = cost_optimal(risk, eps, price_P=price_P, price_Q=price_Q)
    more = 3 if eps > 0.3 else 1
    return SimpleNamespace(n_P=more * found.n_P + more, n_Q=more * found.n_Q + more)


PURCHASES = [
    (stingy_when_loose, "looser"),
    (source_price_twice, "cheapest"),
    (single_samples_only, "cheapest"),
    (one_short, "feasible"),
    (by_the_rate, "feasible"),
]


@pytest.mark.parametrize(("bug", "law"), PURCHASES, ids=lambda v: getattr(v, "__name__", v))
def test_bugs_of_purchases_are_caught(bug, law):
    assert caught(bug, PURCHASE_LAWS, law)


# ------------------------------------------------------------------------ rules


def first_minimiser(sample):
    """The right set of errors, the wrong sample where the source is empty."""
    return np.argmin(sample.errors_P, axis=-1)


def sees_the_batch(sample):
    return np.full(3, np.argmin(sample.errors_P.sum(axis=0) + sample.errors_Q.sum(axis=0)))


def unconstrained(sample):
    return source_erm(sample) if sample.n_P else target_erm(sample)


def inverted(sample):
    """Selection that keeps what it should reject."""
    if sample.n_P == 0 or sample.n_Q == 0:
        return target_erm(sample) if sample.n_P == 0 else source_erm(sample)
    kept, of_P, of_Q = select(sample), source_erm(sample), target_erm(sample)
    return np.where(kept == of_P, of_Q, of_P)


def no_square_root(sample):
    """A radius c A without the term of the disagreement."""
    of_P, of_Q = source_erm(sample), target_erm(sample)
    if sample.n_P == 0 or sample.n_Q == 0:
        return of_Q if sample.n_P == 0 else of_P
    gap = pick(sample.errors_Q, of_P) - pick(sample.errors_Q, of_Q)
    return np.where(gap <= math.log(sample.n_Q), of_P, of_Q)


def twice_the_radius(sample):
    return confidence_set_erm(sample, c=2.0)


def thresholds_not_indices(sample):
    return sample.take(pooled_erm(sample))


@cache
def laws_of(kind):
    """The laws of a kind; confidence sets are narrow, so that few hypotheses are in them."""
    return rule_laws(kind, 0.3 if kind == "confidence-set" else 1.0)


RULES = [
    (first_minimiser, "any", "alone"),
    (sees_the_batch, "any", "batch"),
    (thresholds_not_indices, "any", "valid"),
    (unconstrained, "confidence-set", "constraint"),
    (pooled_erm, "confidence-set", "constraint"),
    (twice_the_radius, "confidence-set", "constraint"),
    (inverted, "select", "constraint"),
    (no_square_root, "select", "constraint"),
]


@pytest.mark.parametrize(
    ("bug", "kind", "law"), RULES, ids=lambda v: getattr(v, "__name__", str(v))
)
def test_bugs_of_rules_are_caught(bug, kind, law):
    assert caught(bug, laws_of(kind), law)


# ------------------------------------------------------------------------ populations


def changed(**wrong):
    """Power thresholds with some declared constants or exponents replaced."""

    class Wrong(PowerThresholds):
        pass

    for name, value in wrong.items():
        setattr(Wrong, name, property(lambda self, value=value: value))
    return Wrong(2.0, 1.0, 1.0, 1.0)


MODELS = [
    (changed(rho=1.0), "transfer"),
    (changed(C_rho=0.9 * PowerThresholds(2.0, 1.0, 1.0, 1.0).C_rho), "transfer"),
    (changed(beta_P=0.9), "noise"),
    (changed(C_beta_Q=0.5 * PowerThresholds(2.0, 1.0, 1.0, 1.0).C_beta_Q), "noise"),
    (changed(gamma_marginal=1.0), "marginal"),
    (changed(excess_Q=lambda t: t), "excess"),
]


@pytest.mark.parametrize(
    ("model", "law"),
    MODELS,
    ids=["rho", "C_rho", "beta_P", "C_beta_Q", "gamma", "excess_Q"],
)
def test_bugs_of_populations_are_caught(model, law):
    assert caught(model, MODEL_LAWS, law)


def test_no_law_is_idle():
    """Every law of the room catches a bug of the tables above."""
    caught = {law for table in (VOTES, BOUNDS, PURCHASES, MODELS, RULES) for *_, law in table}
    laws = (*VOTE_LAWS, *LOWER_BOUND_LAWS, *PURCHASE_LAWS, *MODEL_LAWS)
    idle = {law.name for law in (*laws, *laws_of("select"))} - caught
    assert not idle
