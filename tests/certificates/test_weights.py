"""Occam's weights, and coverage of many certificates at once."""

import numpy as np
import pytest
from scipy import stats

from tlstat.certificates import (
    binomial_tail_inversion,
    finite_class,
    hoeffding,
    kl_inverse,
    weights,
)
from tlstat.errors import InputError

DELTA = 0.05


def test_weights_of_the_reference():
    j = np.array([1, 10, 100, 1000, 20_000, 10**6])
    dyadic = [0.693, 5.075, 8.184, 10.939, 15.185, 19.210]
    rank = [0.693, 4.700, 9.220, 13.817, 19.807, 27.631]
    np.testing.assert_allclose(-weights.dyadic(j), dyadic, atol=5.1e-4)
    np.testing.assert_allclose(-weights.rank(j), rank, atol=5.1e-4)
    np.testing.assert_allclose(-weights.uniform(j), np.log(j), rtol=1e-14)


def test_weights_sum_to_one():
    j = np.arange(1, 2**16)
    # what is left after rank J is 1/(J+1), after block B it is 1/(B+1): both telescope
    assert np.exp(weights.rank(j)).sum() == pytest.approx(1 - 1 / 2**16, abs=1e-12)
    assert np.exp(weights.dyadic(j)).sum() == pytest.approx(1 - 1 / 17, abs=1e-12)
    assert np.exp(weights.uniform(100.0)) * 100 == pytest.approx(1)


def test_dyadic_blocks_are_even():
    j = np.arange(1, 65)
    blocks = [len(bin(v)) - 2 for v in j]
    assert len(set(zip(blocks, weights.dyadic(j), strict=True))) == len(set(blocks)) == 7


def test_the_price_of_the_order_of_the_reference():
    def certificate(j):
        level = np.log(1 / DELTA) - weights.dyadic(j)
        return binomial_tail_inversion(2, 80, log_inv_delta=level)

    assert certificate(100) == pytest.approx(0.1852, abs=5e-5)
    assert certificate(1000) == pytest.approx(0.2164, abs=5e-5)


@pytest.mark.parametrize("certificate", [hoeffding, kl_inverse, binomial_tail_inversion])
def test_uniform_weights_are_the_union_bound(certificate):
    k = np.array([2, 5, 0, 17])
    expected = certificate(k, 80, delta=DELTA / 4)
    union = finite_class(k, 80, certificate, delta=DELTA, candidates=4)
    np.testing.assert_allclose(union, expected, rtol=1e-13)
    same = finite_class(k, 80, certificate, delta=DELTA, log_weights=np.full(4, -np.log(4)))
    np.testing.assert_allclose(same, expected, rtol=1e-13)
    order = [2, 0, 3, 1]
    np.testing.assert_array_equal(
        finite_class(k[order], 80, certificate, delta=DELTA, candidates=4), union[order]
    )


def test_unscored_candidates_are_paid_for():
    few = finite_class([3], 80, hoeffding, delta=DELTA, candidates=1)
    many = finite_class([3], 80, hoeffding, delta=DELTA, candidates=1e300)
    np.testing.assert_allclose(
        many, hoeffding(3, 80, log_inv_delta=300 * np.log(10) - np.log(DELTA))
    )
    assert many > few


def test_a_candidate_outside_the_prior_is_not_certified():
    out = finite_class([0, 0], 80, hoeffding, delta=DELTA, log_weights=[0.0, -np.inf])
    assert out[0] == hoeffding(0, 80, delta=DELTA)
    assert out[1] == 1


def test_bits_are_a_code():
    np.testing.assert_allclose(np.exp(weights.from_bits([1, 2, 3, 3])), [0.5, 0.25, 0.125, 0.125])
    assert weights.from_bits(1024, slack=3) == pytest.approx(-1027 * np.log(2))
    with pytest.raises(InputError, match=r"2\*\*-bits must sum to at most 1, got 1.25"):
        weights.from_bits([1, 1, 2])
    np.testing.assert_allclose(weights.from_weights([0.5, 0.2]), np.log([0.5, 0.2]))


def test_coverage_over_independent_candidates_is_exact():
    # all risks are .3: the numbers of the reference, and the negative control without a union
    n, risk = 64, 0.3
    k = np.arange(n + 1)
    printed = {10: (0.0250, 0.2618), 100: (0.0271, 0.9519), 1000: (0.0164, 1.0000)}
    for M, (with_union, without) in printed.items():
        for level, value in [(DELTA / M, with_union), (DELTA, without)]:
            top = k[binomial_tail_inversion(k, n, delta=level) < risk].max()
            miss = -np.expm1(M * np.log1p(-stats.binom.cdf(top, n, risk)))
            assert miss == pytest.approx(value, abs=5.1e-5)
        assert with_union <= DELTA < without


def test_coverage_under_selection_and_unequal_weights():
    # the candidate with the smallest certificate, among 30 of different risks
    rng = np.random.default_rng(5)
    n, size, risks = 64, 4000, np.linspace(0.2, 0.45, 30)
    k = rng.binomial(n, risks, (size, 30))
    for log_weights in (weights.dyadic(np.arange(1, 31)), weights.rank(np.arange(1, 31))):
        limits = finite_class(k, n, binomial_tail_inversion, delta=DELTA, log_weights=log_weights)
        chosen = np.argmin(limits, axis=1)
        misses = int(np.sum(limits[np.arange(size), chosen] < risks[chosen]))
        assert stats.binomtest(misses, size, DELTA, "greater").pvalue > 1e-6
        # without weights the same selection fails: the test has power
        naive = binomial_tail_inversion(k, n, delta=DELTA)
        best = np.argmin(naive, axis=1)
        assert np.mean(naive[np.arange(size), best] < risks[best]) > 2 * DELTA


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: weights.uniform(0.5), "M must be a number of candidates of at least 1, got 0.5"),
        (lambda: weights.uniform(np.inf), "at least 1, got inf"),
        (lambda: weights.rank(0), "j must be a rank 1, 2, 3, ..., got 0"),
        (lambda: weights.dyadic([1, 2.5]), "at index 1"),
        (lambda: weights.from_bits([-1.0]), "finite code lengths"),
        (lambda: weights.from_bits([1.0], slack=-1), "slack must be at least 0 bits"),
        (lambda: weights.from_weights([0.5, 0.6]), "weights must sum to at most 1, got 1.1"),
        (lambda: weights.from_weights([-0.1]), "weights must be 0 or above"),
        (
            lambda: finite_class([1, 2], 9, hoeffding, delta=0.1, candidates=1),
            "at least the 2 scored ones, got 1",
        ),
        (lambda: finite_class([1], 9, hoeffding, delta=0.1), "exactly one of candidates and"),
        (
            lambda: finite_class([1, 2], 9, hoeffding, delta=0.1, log_weights=[0.0, 0.0]),
            "sum to at most 1, got 2",
        ),
        (
            lambda: finite_class([1, 2], 9, hoeffding, delta=0.1, log_weights=[-1.0] * 3),
            "one entry a candidate",
        ),
        (
            lambda: finite_class([1], 9, hoeffding, delta=0.1, log_weights=[0.5]),
            "logarithms of weights",
        ),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
