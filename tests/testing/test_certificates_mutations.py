"""Injected bugs, each with the law that must catch it; and no law that catches nothing."""

import math

import numpy as np
import pytest
from scipy.special import betaincinv, ndtri
from scipy.stats import beta, binom

from tlstat.certificates import CERTIFICATES, finite_class, weights
from tlstat.certificates.inversion import kl_upper_inverse
from tlstat.testing import check_laws
from tlstat.testing.certificates import (
    COUNT_LAWS,
    ROW_LAWS,
    as_subject,
    certificate_laws,
    check_certificate,
)
from tlstat.testing.finite_class import FINITE_CLASS_LAWS, check_finite_class

inversion = CERTIFICATES["binomial_tail_inversion"]
kl_inverse = CERTIFICATES["kl_inverse"]
hoeffding = CERTIFICATES["hoeffding"]


def level(delta, log_inv_delta):
    return -np.log(delta) if log_inv_delta is None else np.asarray(log_inv_delta, float)


# ---------------------------------------------------------------- bugs of counts


def delta_doubled(k, n, *, delta=None, log_inv_delta=None):
    """One half of a two-sided interval at the level of both halves together."""
    return inversion(
        k, n, log_inv_delta=np.maximum(level(delta, log_inv_delta) - math.log(2), 1e-9)
    )


def delta_halved(k, n, *, delta=None, log_inv_delta=None):
    return inversion(k, n, log_inv_delta=level(delta, log_inv_delta) + math.log(2))


def lower_limit(k, n, *, delta=None, log_inv_delta=None):
    return 1 - inversion(n - np.asarray(k), n, delta=delta, log_inv_delta=log_inv_delta)


def one_error_forgotten(k, n, *, delta=None, log_inv_delta=None):
    """P(K < k) for P(K <= k)."""
    return inversion(np.maximum(np.asarray(k) - 1, 0), n, delta=delta, log_inv_delta=log_inv_delta)


def one_error_too_many(k, n, *, delta=None, log_inv_delta=None):
    k = np.minimum(np.asarray(k) + 1, n)
    return inversion(k, n, delta=delta, log_inv_delta=log_inv_delta)


def one_minus_delta(k, n, *, delta=None, log_inv_delta=None):
    """The upper tail, after a subtraction that loses every digit of a small delta."""
    delta = np.exp(-level(delta, log_inv_delta))
    k = np.asarray(k)
    out = betaincinv(k + 1.0, np.maximum(n - k, 1), 1 - delta)
    return np.where(k < n, np.minimum(out * (1 + 1e-11), 1), 1.0)


def rounded_down(k, n, *, delta=None, log_inv_delta=None):
    out = inversion(k, n, delta=delta, log_inv_delta=log_inv_delta)
    return np.where(np.asarray(k) < n, out * (1 - 2e-13), 1.0)


def in_single_precision(k, n, *, delta=None, log_inv_delta=None):
    out = inversion(k, n, delta=delta, log_inv_delta=log_inv_delta)
    return np.asarray(out, np.float32).astype(float)


def not_clipped(k, n, *, delta=None, log_inv_delta=None):
    return hoeffding(k, n, delta=delta, log_inv_delta=log_inv_delta, clip=False)


def clipped_too_early(k, n, *, delta=None, log_inv_delta=None):
    out = inversion(k, n, delta=delta, log_inv_delta=log_inv_delta)
    return np.minimum(out, 1 - 1e-9)


def certain_after_a_full_house(k, n, *, delta=None, log_inv_delta=None):
    """The formula of k < n at k = n: betaincinv of a zero parameter."""
    out = np.asarray(inversion(k, n, delta=delta, log_inv_delta=log_inv_delta), float)
    return np.where(np.asarray(k) < n, out, np.nan)


def normal_approximation(k, n, *, delta=None, log_inv_delta=None):
    r = np.asarray(k) / n
    z = -ndtri(np.exp(-level(delta, log_inv_delta)))
    return np.clip(r + z * np.sqrt(r * (1 - r) / n), 0, 1)


def factor_two_forgotten(k, n, *, delta=None, log_inv_delta=None):
    """Pinsker with kl >= 4 (p - q)^2."""
    r = np.asarray(k) / n
    return np.minimum(r + np.sqrt(level(delta, log_inv_delta) / (4 * n)), 1)


def kl_the_wrong_way_round(k, n, *, delta=None, log_inv_delta=None):
    """sup{p: kl(p||r) <= c}: at k = 0 the risk would be known to be zero."""
    r, c = np.asarray(k, float) / n, level(delta, log_inv_delta) / n
    low, high = r + 0 * c, np.ones(np.broadcast_shapes(r.shape, np.shape(c)))
    for _ in range(60):
        p = (low + high) / 2
        with np.errstate(all="ignore"):
            kl = np.where(p > 0, p * np.log(p / r), 0) + np.where(
                p < 1, (1 - p) * np.log((1 - p) / (1 - r)), 0
            )
        low, high = np.where(kl <= c, p, low), np.where(kl <= c, high, p)
    return np.where(np.asarray(k) == n, 1.0, high)


def base_ten(k, n, *, delta=None, log_inv_delta=None):
    if delta is None:
        return inversion(k, n, log_inv_delta=np.asarray(log_inv_delta) / math.log(10))
    return inversion(k, n, delta=delta)


def one_example_too_many(k, n, *, delta=None, log_inv_delta=None):
    return inversion(k, n + 1, delta=delta, log_inv_delta=log_inv_delta)


def from_the_density(k, n, *, delta=None, log_inv_delta=None):
    """P(K = k) in the place of P(K <= k)."""
    k = np.asarray(k)
    delta = np.exp(-level(delta, log_inv_delta))
    p = np.linspace(0, 1, 4001)
    fits = binom.pmf(k[..., None], n, p) >= delta
    return np.where(k < n, np.max(np.where(fits, p, 0), axis=-1), 1.0)


def first_entry_for_all(k, n, *, delta=None, log_inv_delta=None):
    """A vectorised function that looks at one of its arguments only."""
    out = inversion(np.ravel(k)[-1], n, delta=delta, log_inv_delta=log_inv_delta)
    return np.broadcast_to(out, np.shape(k))


def floor_of_soft_losses(k, n, *, delta=None, log_inv_delta=None):
    return inversion(np.floor(k), n, delta=delta, log_inv_delta=log_inv_delta)


def ceiling_of_soft_losses(k, n, *, delta=None, log_inv_delta=None):
    """Not justified without Bentkus' factor e."""
    return inversion(np.ceil(k), n, delta=delta, log_inv_delta=log_inv_delta)


COUNT_BUGS = {
    delta_doubled: ("0/1", {"coverage", "never too small"}),
    delta_halved: ("0/1", {"sharp"}),
    lower_limit: ("0/1", {"range", "coverage"}),
    one_error_forgotten: ("0/1", {"coverage", "never too small"}),
    one_error_too_many: ("0/1", {"sharp"}),
    one_minus_delta: ("0/1", {"informative"}),
    rounded_down: ("0/1", {"never too small"}),
    in_single_precision: ("0/1", {"never too small"}),
    not_clipped: ("[0,1]", {"range", "all lost"}),
    clipped_too_early: ("0/1", {"all lost"}),
    certain_after_a_full_house: ("0/1", {"range", "all lost"}),
    normal_approximation: ("0/1", {"coverage", "never too small"}),
    factor_two_forgotten: ("[0,1]", {"never too small"}),
    kl_the_wrong_way_round: ("[0,1]", {"coverage", "never too small"}),
    base_ten: ("0/1", {"logarithms"}),
    one_example_too_many: ("0/1", {"coverage", "all lost"}),
    from_the_density: ("0/1", {"coverage"}),
    first_entry_for_all: ("0/1", {"element by element"}),
    floor_of_soft_losses: ("[0,1]", {"soft coverage"}),
    ceiling_of_soft_losses: ("[0,1]", {"soft coverage"}),
}


def laws_of_counts(losses):
    return certificate_laws("count", losses, exact=losses == "0/1", logarithms=True)


def subject_of(bug):
    """As for an object of the room: with logarithms of levels."""
    bug.losses = COUNT_BUGS[bug][0]
    return as_subject(bug)


@pytest.mark.parametrize("bug", COUNT_BUGS, ids=lambda bug: bug.__name__)
def test_bugs_of_counts_are_caught(bug):
    losses, expected = COUNT_BUGS[bug]
    wanted = [law for law in laws_of_counts(losses) if law.name in expected]
    assert len(wanted) == len(expected)
    for law in wanted:
        found = check_laws(subject_of(bug), [law], collect=True, shrink=False)
        assert found, f"{bug.__name__} passes {law.name!r}"


def test_every_law_of_counts_catches_something_or_says_why_not():
    caught = set().union(*(expected for _, expected in COUNT_BUGS.values()))
    names = {law.name for law in laws_of_counts("0/1")} | {law.name for law in COUNT_LAWS}
    assert names - caught == {"more errors", "more examples", "confidence"}
    wrong = {
        "more errors": lambda k, n, *, delta: 1 - np.asarray(k) / (2 * n),
        "more examples": lambda k, n, *, delta: np.asarray(k) * 0 + n / (n + 1),
        "confidence": lambda k, n, *, delta: np.asarray(k) * 0 + 0.5 + delta / 2,
    }
    for name, bug in wrong.items():
        (law,) = (law for law in COUNT_LAWS if law.name == name)
        assert check_laws(as_subject(bug), [law], collect=True, shrink=False), name


def test_the_correct_implementations_pass():
    check_certificate(inversion, exact=True, max_examples=30)
    check_certificate(kl_inverse, max_examples=30)


# --------------------------------------------------------- bugs of rows of losses

betting = CERTIFICATES["betting"]
empirical_bernstein = CERTIFICATES["empirical_bernstein"]


def variance_of_the_mean(losses, *, delta):
    """Empirical Bernstein with the variance divided by n twice."""
    x = np.asarray(losses)
    n, log_term = x.shape[-1], math.log(2 / delta)
    slack = np.sqrt(2 * x.var(axis=-1, ddof=1) * log_term / n**2)
    return np.clip(x.mean(axis=-1) + slack, 0, 1)


def bets_that_have_seen_the_example(losses, *, delta):
    """The bet on an example depends on that example."""
    x = np.asarray(losses, float)
    m = np.linspace(0.001, 1, 400)
    gain = m[:, None] * 0 + 1.0
    wealth = np.ones((*x.shape[:-1], len(m)))
    for i in range(x.shape[-1]):
        z = 1 - x[..., i, None]
        bet = np.where(z > m, 0.5 / m, 0)
        wealth = wealth * (1 + bet * (z - m))
    rejected = wealth >= 1 / delta
    return 1 - np.max(np.where(rejected, m, 0), axis=-1) + 0 * gain.sum()


def last_wealth_at_a_flexible_level(losses, *, delta):
    """Betting with 1/delta mistaken for 1/sqrt(delta)."""
    return betting(losses, delta=math.sqrt(delta))


def range_ignored(losses, *, delta):
    x = np.asarray(losses)
    half = np.sqrt(math.log(1 / delta) / (2 * x.shape[-1]))
    return x.mean(axis=-1) + half


def always_one(losses, *, delta):
    return np.ones(np.shape(losses)[:-1])


def less_confident(losses, *, delta):
    return np.clip(empirical_bernstein(losses, delta=1 - delta), 0, 1)


ROW_BUGS = {
    variance_of_the_mean: {"coverage"},
    bets_that_have_seen_the_example: {"coverage"},
    last_wealth_at_a_flexible_level: {"coverage"},
    range_ignored: {"range"},
    always_one: {"informative"},
    less_confident: {"confidence"},
}


@pytest.mark.parametrize("bug", ROW_BUGS, ids=lambda bug: bug.__name__)
def test_bugs_of_rows_are_caught(bug):
    wanted = [law for law in ROW_LAWS if law.name in ROW_BUGS[bug]]
    assert len(wanted) == len(ROW_BUGS[bug])
    for law in wanted:
        found = check_laws(as_subject(bug, "losses"), [law], collect=True, shrink=False)
        assert found, f"{bug.__name__} passes {law.name!r}"


class Rising:
    """Running limits that are not the minimum of what was said before."""

    anytime, input, losses, name = True, "losses", "[0,1]", "rising"

    def __call__(self, losses, *, delta=None, log_inv_delta=None):
        return betting(losses, delta=delta, log_inv_delta=log_inv_delta)

    def path(self, losses, *, delta):
        n = np.arange(1, np.shape(losses)[-1] + 1)
        return np.minimum(np.cumsum(losses) / n + np.sqrt(-math.log(delta) / (2 * n)), 1)


def test_running_limits_that_rise_are_caught():
    broken = check_certificate(Rising(), collect=True, max_examples=300)
    assert "path" in {found.law.name for found in broken}


# ----------------------------------------------------------- bugs of finite classes


def union_forgotten(k, n, *, delta, candidates=None, log_weights=None):
    return inversion(k, n, delta=delta)


def only_scored_candidates(k, n, *, delta, candidates=None, log_weights=None):
    """The candidates that were never scored cost nothing."""
    if log_weights is None:
        return finite_class(k, n, inversion, delta=delta, candidates=np.shape(k)[-1])
    return finite_class(k, n, inversion, delta=delta, log_weights=log_weights)


def square_root_of_the_class(k, n, *, delta, candidates=None, log_weights=None):
    if log_weights is None:
        return inversion(k, n, log_inv_delta=math.log(candidates) / 2 - math.log(delta))
    return finite_class(k, n, inversion, delta=delta, log_weights=log_weights)


def only_the_best_pays(k, n, *, delta, candidates=None, log_weights=None):
    """A union over those that have as few errors."""
    k = np.asarray(k)
    ties = np.sum(k == k.min(axis=-1, keepdims=True), axis=-1, keepdims=True)
    return inversion(k, n, log_inv_delta=np.log(ties) - math.log(delta))


def weights_inverted(k, n, *, delta, candidates=None, log_weights=None):
    if log_weights is not None:
        log_weights = np.asarray(log_weights)[::-1]
    return finite_class(
        k, n, inversion, delta=delta, candidates=candidates, log_weights=log_weights
    )


def dyadic_weights_for_everything(k, n, *, delta, candidates=None, log_weights=None):
    ranks = np.arange(1, np.shape(k)[-1] + 1)
    return finite_class(k, n, inversion, delta=delta, log_weights=weights.dyadic(ranks))


def quotient_underflows(k, n, *, delta, candidates=None, log_weights=None):
    """1 - delta/M, as in the upper tail."""
    if log_weights is not None or candidates < 1e12:
        return finite_class(
            k, n, inversion, delta=delta, candidates=candidates, log_weights=log_weights
        )
    k = np.asarray(k)
    return np.minimum(beta.ppf(1 - delta / candidates, k + 1, n - k), 1)


def nothing_is_checked(k, n, *, delta, candidates=None, log_weights=None):
    cost = math.log(max(candidates, 1)) if log_weights is None else -np.asarray(log_weights)
    return inversion(k, n, log_inv_delta=np.maximum(cost - math.log(delta), 1e-6))


CLASS_BUGS = {
    union_forgotten: {"union", "unscored", "weights", "refusals"},
    only_scored_candidates: {"unscored"},
    square_root_of_the_class: {"union", "unscored", "equal weights"},
    only_the_best_pays: {"unscored"},
    weights_inverted: {"weights"},
    dyadic_weights_for_everything: {"symmetry"},
    quotient_underflows: {"huge classes"},
    nothing_is_checked: {"refusals"},
}


@pytest.mark.parametrize("bug", CLASS_BUGS, ids=lambda bug: bug.__name__)
def test_bugs_of_classes_are_caught(bug):
    wanted = [law for law in FINITE_CLASS_LAWS if law.name in CLASS_BUGS[bug]]
    assert len(wanted) == len(CLASS_BUGS[bug])
    for law in wanted:
        found = check_finite_class(bug, laws=[law], collect=True)
        assert found, f"{bug.__name__} passes {law.name!r}"


def test_every_law_of_classes_catches_something():
    assert set().union(*CLASS_BUGS.values()) == {law.name for law in FINITE_CLASS_LAWS}


def test_the_kl_inverse_used_here_is_the_one_of_the_room():
    assert kl_inverse(2, 10, delta=0.1) == kl_upper_inverse(0.2, math.log(10) / 10)
