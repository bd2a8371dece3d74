"""Inversions against 50 digits: accurate to 1e-12, and never below the exact value."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tlstat.certificates import (
    binomial_tail_inversion,
    clopper_pearson,
    kernels,
    kl_divergence,
    kl_inverse,
    kl_upper_inverse,
    log_binomial_cdf,
)
from tlstat.errors import InputError

LEVELS = [1e-12, 1e-6, 0.01, 0.3, 0.69, 0.6932, 1.0, 3.0, 15.0, 100.0, 700.0, 5000.0]
ACCURACY = 1e-12


@pytest.fixture(autouse=True, scope="module")
def fifty_digits():
    with mp.workdps(50):
        yield


def tails(k, n, p):
    """``(P(X <= k), P(X > k))`` for ``X ~ Bin(n, p)``, the far one summed term by term."""
    k, n, p = int(k), int(n), mp.mpf(p)
    q, lower = 1 - p, (k + 1) < (n + 1) * p
    start = k if lower else k + 1
    choose = mp.loggamma(n + 1) - mp.loggamma(start + 1) - mp.loggamma(n - start + 1)
    term = total = mp.exp(choose + start * mp.log(p) + (n - start) * mp.log(q))
    j = start
    while term > total * mp.mpf(10) ** -40:
        if lower:
            term *= j * q / ((n - j + 1) * p)
            j -= 1
        else:
            term *= (n - j) * p / ((j + 1) * q)
            j += 1
        total += term
    return (total, 1 - total) if lower else (1 - total, total)


def rejected(k, n, p, level):
    """``P(X <= k) <= exp(-level)``, that is: ``p`` is at least the exact limit."""
    if p >= 1:
        return True
    below, above = tails(k, n, p)
    return above >= -mp.expm1(-mp.mpf(level)) if level < 0.6 else mp.log(below) <= -mp.mpf(level)


def exact_kl(q, p):
    q, p = mp.mpf(q), mp.mpf(p)
    out = q * mp.log(q / p) if q > 0 else mp.mpf(0)
    if q < 1:
        out += (1 - q) * mp.log((1 - q) / (1 - p)) if p < 1 else mp.inf
    return out


def assert_tight(limit, is_upper):
    """``limit`` is an upper bound of the exact value, and within 1e-12 of it."""
    assert is_upper(mp.mpf(limit))
    # near 1 a relative step is one of the last digits
    assert not is_upper(mp.mpf(limit) * (1 - mp.mpf(ACCURACY)))


@pytest.mark.parametrize("n", [2, 3, 5, 16, 80, 1000])
def test_binomial_limits_against_fifty_digits(n):
    ks = {0, 1, 2, n // 10, n // 3, n // 2, 9 * n // 10, n - 2, n - 1}
    for k in sorted(k for k in ks if k < n):
        for level in LEVELS:
            limit = binomial_tail_inversion(k, n, log_inv_delta=level)
            assert rejected(k, n, limit, level), (k, level)
            below = mp.mpf(limit) * (1 - mp.mpf(ACCURACY))
            assert not rejected(k, n, below, level), (k, level)


@pytest.mark.parametrize(
    ("n", "k", "level"),
    [
        (10**5, 1, 1e-6),
        (10**5, 30_000, 0.1),
        (10**5, 50_000, 30.0),
        (10**7, 12, 0.7),
        (10**7, 10**5, 3.0),
        (10**9, 0, 700.0),
        (10**9, 1, 0.7),
        (10**9, 3, 1e-9),
        (10**9, 10**4, 700.0),
        (10**9, 10**9 - 1, 40.0),
        (10**9, 10**9 - 5, 0.1),
        (10**9, 10**6, 690.0),
    ],
)
def test_large_samples_against_fifty_digits(n, k, level):
    limit = binomial_tail_inversion(k, n, log_inv_delta=level)
    assert_tight(limit, lambda p: rejected(k, n, p, level))


@pytest.mark.parametrize(("n", "k", "level"), [(10**9, 10**8, 3.0), (10**9, 10**8, 0.3)])
def test_the_largest_samples_against_an_asymptotic_free_sum(n, k, level):
    # forty digits would take minutes: the sum is cut where its rest is below 1e-25
    limit = binomial_tail_inversion(k, n, log_inv_delta=level)
    p = np.longdouble(limit)
    j = np.arange(k, k - 400_000, -1, dtype=np.longdouble)
    ratios = (j * (1 - p)) / ((n - j + 1) * p)
    total = 1 + np.cumprod(ratios).sum()
    choose = mp.loggamma(n + 1) - mp.loggamma(k + 1) - mp.loggamma(n - k + 1)
    log_pmf = choose + k * mp.log(mp.mpf(limit)) + (n - k) * mp.log(1 - mp.mpf(limit))
    log_tail = log_pmf + mp.log(mp.mpf(float(total)))
    # d log P / d log p is 3e4 here, so 1e-12 in p is 3e-8 in the logarithm
    assert float(log_tail) == pytest.approx(-level, abs=1e-8)


@pytest.mark.parametrize("q", [0.0, 1e-300, 1e-12, 0.01, 0.25, 0.5, 0.9, 1 - 1e-9])
def test_kl_inverse_against_fifty_digits(q):
    for c in (1e-25, 1e-12, 1e-6, 0.01, 0.3, 1.0, 10.0, 30.0):
        limit = kl_upper_inverse(q, c)
        assert limit == 1 or exact_kl(q, limit) >= mp.mpf(c)
        below = mp.mpf(limit) * (1 - mp.mpf(ACCURACY))
        assert below <= q or exact_kl(q, below) < mp.mpf(c)


def test_kl_inverse_of_the_reference():
    cases = [
        (0, 0.1, 0.09516258196404043),
        (0.1, 0.05, 0.22007860110692465),
        (0.25, 0.5, 0.7306795763794288),
        (0.5, 0.001, 0.5223495040921878),
        (0.9, 0.2, 0.9944894893793106),
    ]
    for q, c, value in cases:
        assert kl_upper_inverse(q, c) == pytest.approx(value, rel=3e-14)


@given(st.floats(0, 1), st.floats(1e-8, 50))
def test_kl_round_trip_and_relaxations(q, c):
    p = kl_upper_inverse(q, c)
    assert q <= p <= 1
    if p < 1 - 1e-4:  # the derivative is (1-q)/(1-p)
        assert kl_divergence(q, p) == pytest.approx(c, rel=1e-9, abs=1e-9)
    slack = 1 + 1e-12
    assert p <= (q + np.sqrt(c / 2)) * slack
    assert p <= (q + np.sqrt(2 * q * c) + 2 * c) * slack


@given(st.floats(0, 1), st.floats(0.01, 5))
def test_kl_inverse_is_concave_in_the_budget(q, c):
    low, mid, high = (kl_upper_inverse(q, v) for v in (0.5 * c, c, 1.5 * c))
    assert mid >= (low + high) / 2 * (1 - 1e-12)


def test_kl_inverse_without_a_budget():
    np.testing.assert_array_equal(kl_upper_inverse([0.0, 0.3, 1.0], 0.0), [0.0, 0.3, 1.0])
    assert kl_upper_inverse(0.3, np.inf) == 1
    assert kl_upper_inverse(1.0, 0.1) == 1


def test_binomial_limits_agree_with_scipy_and_with_the_interval_module():
    k, n = np.arange(80), 80
    for alpha in (0.4, 0.05, 1e-5):
        ours = binomial_tail_inversion(k, n, delta=alpha)
        np.testing.assert_allclose(ours, clopper_pearson(k, n, alpha)[1], rtol=1e-12)
    for count in (0, 1, 17, 79):
        theirs = stats.binomtest(count, n, alternative="less").proportion_ci(0.95).high
        assert binomial_tail_inversion(count, n, delta=0.05) == pytest.approx(theirs, rel=1e-9)


@given(st.integers(1, 640), st.data())
def test_binomial_round_trip(n, data):
    k = data.draw(st.integers(0, n - 1))
    level = data.draw(st.floats(1e-3, 17))
    limit = binomial_tail_inversion(k, n, log_inv_delta=level)
    if limit < 1 - 1e-6:
        assert log_binomial_cdf(k, n, limit) == pytest.approx(-level, rel=1e-9)


def test_no_errors_have_a_closed_form():
    n, level = np.array([1, 5, 80, 10**9]), np.array([[0.1], [3.0], [700.0]])
    expected = -np.expm1(-level / n)
    np.testing.assert_allclose(
        binomial_tail_inversion(0, n, log_inv_delta=level), expected, rtol=3e-14
    )
    np.testing.assert_array_equal(
        binomial_tail_inversion(0, n, log_inv_delta=level), kl_inverse(0, n, log_inv_delta=level)
    )


@pytest.mark.parametrize("n", [1, 7, 80, 1000])
def test_log_binomial_cdf_against_scipy(n):
    k = np.unique(np.linspace(0, n, 23).astype(int))
    p = np.linspace(0, 1, 41)[:, None]
    with np.errstate(divide="ignore"):
        expected = stats.binom.logcdf(k, n, p)
    ours = log_binomial_cdf(k, n, p)
    shared = expected > -600  # below, scipy's underflows
    np.testing.assert_allclose(ours[shared], expected[shared], rtol=1e-9, atol=1e-13)
    assert np.all(ours[~shared] < -599)


def test_the_log_cdf_reaches_where_the_cdf_underflows():
    with mp.workdps(50):
        expected = float(mp.log(tails(100, 10_000, 0.5)[0]))
    assert log_binomial_cdf(100, 10_000, 0.5) == pytest.approx(expected, rel=1e-13)


def test_three_ways_to_the_same_tail():
    # sum, continued fraction and quadrature have different domains, which overlap
    for a, b, x in [(900, 120, 0.86), (5_000, 700, 0.86), (60, 900, 0.05), (3_000, 2_900, 0.49)]:
        y = 1 - x
        by_sum = kernels._tail_by_sum(a, b, x, y)
        assert kernels._tail_by_fraction(a, b, x, y) == pytest.approx(by_sum, rel=1e-12)
        if a > 500 and b > 100:
            assert kernels._tail_by_quadrature(a, b, x, y) == pytest.approx(by_sum, rel=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kl_upper_inverse(1.1, 0.1), r"q must be rates in \[0, 1\], got 1.1"),
        (lambda: kl_upper_inverse([0.1, np.nan], 0.1), "at index 1"),
        (lambda: kl_upper_inverse(0.1, -1), "c must be budgets"),
        (lambda: kl_divergence(0.1, 2.0), "p must be probabilities"),
        (lambda: log_binomial_cdf(1.5, 3, 0.1), "whole count"),
        (lambda: log_binomial_cdf(1, 3, -0.1), "p must be probabilities"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
