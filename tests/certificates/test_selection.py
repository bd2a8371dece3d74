"""Splits, Learn-then-Test and conformal risk control."""

import numpy as np
import pytest
from scipy import stats

from tlstat.certificates import (
    binomial_tail_inversion,
    conformal_risk_control,
    finite_class,
    hoeffding_bentkus,
    kl_inverse,
    learn_then_test,
    split_certificate,
)
from tlstat.errors import InputError

DELTA = 0.05


def p_values(k, n, alpha):
    return stats.binom.cdf(k, n, alpha)


# --- splitting ---------------------------------------------------------------------------------


def test_a_split_certifies_one_candidate_at_the_full_level():
    first, second = [5, 3, 3, 9], [4, 6, 2, 0]
    out = split_certificate(first, second, 40, delta=DELTA)
    assert out.selected == 1  # ties by index
    assert out.limit == binomial_tail_inversion(6, 40, delta=DELTA)


def test_a_shortlist_pays_for_itself_only():
    first, second = np.array([[5, 3, 3, 9], [1, 0, 2, 0]]), np.array([[4, 6, 2, 0], [3, 4, 5, 1]])
    out = split_certificate(first, second, 40, delta=DELTA, shortlist=2)
    np.testing.assert_array_equal(out.selected, [2, 3])
    expected = finite_class([2, 1], 40, binomial_tail_inversion, delta=DELTA, candidates=2)
    np.testing.assert_array_equal(out.limit, expected)


def test_coverage_of_the_split():
    rng = np.random.default_rng(0)
    risks, size = np.linspace(0.2, 0.5, 20), 4000
    first, second = (rng.binomial(32, risks, (size, 20)) for _ in range(2))
    for shortlist in (1, 5):
        out = split_certificate(first, second, 32, delta=DELTA, shortlist=shortlist)
        misses = int(np.sum(out.limit < risks[out.selected]))
        assert stats.binomtest(misses, size, DELTA, "greater").pvalue > 1e-6
    # certifying on the part that selected is the mistake
    reused = split_certificate(first, first, 32, delta=DELTA)
    assert np.mean(reused.limit < risks[reused.selected]) > 2 * DELTA


# --- Learn then Test ---------------------------------------------------------------------------


def test_bonferroni_is_dual_to_the_union_bound():
    rng = np.random.default_rng(1)
    k, n, alpha = rng.integers(0, 40, (50, 8)), 100, 0.2
    passed = learn_then_test(k, n, alpha, delta=DELTA)
    np.testing.assert_array_equal(passed, p_values(k, n, alpha) <= DELTA / 8)
    union = finite_class(k, n, binomial_tail_inversion, delta=DELTA, candidates=8)
    np.testing.assert_array_equal(passed, union <= alpha)
    assert 0 < passed.mean() < 1


def holm(p, delta, size):
    """Step-down, from its definition."""
    passed = np.zeros(p.size, bool)
    for step, j in enumerate(np.argsort(p)):
        if p[j] > delta / (size - step):
            break
        passed[j] = True
    return passed


def test_holm_is_the_step_down_procedure():
    rng = np.random.default_rng(2)
    k, n, alpha = rng.integers(5, 20, (200, 6)), 100, 0.2
    for size in (6, 50):
        passed = learn_then_test(k, n, alpha, delta=DELTA, procedure="holm", candidates=size)
        expected = [holm(p, DELTA, size) for p in p_values(k, n, alpha)]
        np.testing.assert_array_equal(passed, expected)
    bonferroni = learn_then_test(k, n, alpha, delta=DELTA)
    more = learn_then_test(k, n, alpha, delta=DELTA, procedure="holm")
    assert np.all(more >= bonferroni)
    assert more.sum() > bonferroni.sum()


def test_a_fixed_sequence_stops_at_the_first_failure():
    k, n, alpha = np.array([2, 5, 40, 1]), 100, 0.2
    passed = learn_then_test(k, n, alpha, delta=DELTA, procedure="fixed_sequence")
    np.testing.assert_array_equal(passed, [True, True, False, False])
    single = binomial_tail_inversion(k, n, delta=DELTA) <= alpha
    np.testing.assert_array_equal(single, [True, True, False, True])


@pytest.mark.parametrize("procedure", ["bonferroni", "holm", "fixed_sequence"])
def test_family_wise_error(procedure):
    rng = np.random.default_rng(3)
    risks, size, alpha = np.r_[0.1, 0.12, 0.15, np.full(9, 0.205)], 4000, 0.2
    k = rng.binomial(100, risks, (size, 12))
    passed = learn_then_test(k, 100, alpha, delta=DELTA, procedure=procedure)
    false = int(np.sum(np.any(passed & (risks > alpha), axis=1)))
    assert stats.binomtest(false, size, DELTA, "greater").pvalue > 1e-6
    # testing each at the full level is the negative control
    naive = binomial_tail_inversion(k, 100, delta=DELTA) <= alpha
    assert np.mean(np.any(naive & (risks > alpha), axis=1)) > 2 * DELTA


def test_other_certificates_test_soft_losses():
    k = np.array([2.5, 14.25])
    for certificate in (kl_inverse, hoeffding_bentkus):
        passed = learn_then_test(k, 100, 0.2, delta=DELTA, certificate=certificate)
        limits = certificate(k, 100, delta=DELTA / 2)
        np.testing.assert_array_equal(passed, limits <= 0.2)
    with pytest.raises(InputError, match="whole count"):
        learn_then_test(k, 100, 0.2, delta=DELTA)


# --- conformal risk control --------------------------------------------------------------------


def test_conformal_risk_control_spends_exact_ties():
    """Of 99 examples at alpha = 0.1 nine may be lost: (9 + 1)/100 is 0.1."""
    losses = (np.arange(99)[:, None] < [20, 10, 9, 0]).astype(float)
    out = conformal_risk_control(losses, [0.0, 1.0, 2.0, 3.0], 0.1)
    assert out.threshold == 2.0


def test_conformal_risk_control_from_its_definition():
    rng = np.random.default_rng(4)
    lam = np.linspace(0, 1, 101)
    losses = (rng.random((50, 1)) > lam).astype(float)
    out = conformal_risk_control(losses, lam, 0.1)
    risk = losses.mean(axis=0)
    met = [50 / 51 * r + 1 / 51 <= 0.1 for r in risk]
    assert out.position == met.index(True)
    assert out.threshold == lam[out.position]


@pytest.mark.parametrize("bound", [1.0, 2.5])
def test_the_expected_loss_is_controlled(bound):
    # loss B 1{u > lambda}, u uniform: the expected loss at the threshold is B (1 - lambda)
    rng = np.random.default_rng(5)
    lam, alpha, n, size = np.linspace(0, 1, 401), 0.2, 30, 3000
    found = np.empty(size)
    for i in range(size):
        losses = bound * (rng.random((n, 1)) > lam)
        found[i] = conformal_risk_control(losses, lam, alpha, bound=bound).threshold
    excess = bound * (1 - found) - alpha
    error = excess.std() / np.sqrt(size)
    assert excess.mean() < 4.8 * error
    # tight: the expectation is above alpha - 2B/(n+1) (their Theorem 2) less the grid's step
    assert excess.mean() > -2 * bound / (n + 1) - bound / 400 - 4.8 * error


def test_the_largest_threshold_where_none_is_met():
    losses = np.array([[1.0, 0.05]])
    out = conformal_risk_control(losses, [0.0, 1.0], 0.1)
    assert out == (1.0, 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: split_certificate([1, 2], [1], 9, delta=0.1), "same shape"),
        (lambda: split_certificate([1, 2], [1, 2], 9, delta=0.1, shortlist=3), "within 1..2"),
        (lambda: split_certificate([-1, 2], [1, 2], 9, delta=0.1), "k_select"),
        (lambda: learn_then_test([1], 9, 0.0, delta=0.1), "alpha must lie strictly"),
        (lambda: learn_then_test([1], 9, 0.1, delta=0.1, procedure="none"), "procedure must be"),
        (lambda: learn_then_test([1, 2], 9, 0.1, delta=0.1, candidates=1), "at least the 2"),
        (lambda: learn_then_test(1, 9, 0.1, delta=0.1), "candidates on its last axis"),
        (
            lambda: learn_then_test(
                [1], 9, 0.1, delta=0.1, procedure="fixed_sequence", candidates=3
            ),
            "no candidates beyond",
        ),
        (lambda: conformal_risk_control([[0.0, 0.5]], [0, 1], 0.1), "must not increase"),
        (lambda: conformal_risk_control([[0.5, 0.5]], [0, 1], 0.1), "largest threshold"),
        (lambda: conformal_risk_control([[0.5, 0.0]], [1, 0], 0.1), "increase strictly"),
        (lambda: conformal_risk_control([[0.5, 0.0]], [0, 1], 2.0), "alpha must lie strictly"),
        (lambda: conformal_risk_control([[1.5, 0.0]], [0, 1], 0.1), r"in \[0, 1\]"),
        (lambda: conformal_risk_control([0.5, 0.0], [0, 1], 0.1), "shape"),
        (lambda: conformal_risk_control([[0.5, 0.0]], [0, 1], 0.1, bound=0), "bound must be"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
