"""Sampling without replacement, merged candidates, covers."""

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from tlstat.certificates import (
    binomial_tail_inversion,
    distinct,
    hypergeometric_inversion,
    kernels,
    kl_inverse,
    through_cover,
)
from tlstat.errors import InputError

DELTA = 0.05


@pytest.mark.parametrize(("n", "pool"), [(1, 1), (1, 9), (5, 12), (20, 50), (50, 50), (64, 897)])
@pytest.mark.parametrize("delta", [0.5, 0.05, 1e-7])
def test_inversion_by_enumeration(n, pool, delta):
    subsets = math.comb(pool, n)
    for k in range(0, n + 1, max(1, n // 9)):
        kept = []
        for bad in range(k, pool - (n - k) + 1):
            ways = sum(math.comb(bad, j) * math.comb(pool - bad, n - j) for j in range(k + 1))
            # in whole numbers: there are ties at delta = 1/2
            if Fraction(ways, subsets) >= Fraction(delta):
                kept.append(bad)
        ours = hypergeometric_inversion(k, n, pool, delta=delta)
        assert ours == pytest.approx(max(kept) / pool, rel=3e-14)
        assert Fraction(ours) >= Fraction(max(kept), pool)


def test_the_log_cdf_against_scipy():
    for bad, n, pool in [(30, 20, 100), (5, 64, 897), (896, 10, 897), (4000, 300, 10_000)]:
        k = np.arange(n + 1)
        with np.errstate(divide="ignore"):
            theirs = np.log(stats.hypergeom.cdf(k, pool, bad, n))
        ours = [
            kernels.log_hypergeometric_cdf(float(v), float(bad), float(n), float(pool)) for v in k
        ]
        shown = theirs > -300
        np.testing.assert_allclose(np.array(ours)[shown], theirs[shown], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("delta", [0.4, 0.05])
def test_coverage_over_all_pools(delta):
    n, pool = 30, 80
    limits = hypergeometric_inversion(np.arange(n + 1), n, pool, delta=delta)
    assert np.all(np.diff(limits) >= 0)
    for bad in range(pool + 1):
        law = stats.hypergeom.pmf(np.arange(n + 1), pool, bad, n)
        assert law[limits < bad / pool].sum() <= delta * (1 + 1e-10)


def test_it_is_tighter_than_the_binomial_and_tends_to_it():
    k = np.arange(0, 60, 7)
    exact = hypergeometric_inversion(k, 64, 897, delta=DELTA)
    assert np.all(exact <= binomial_tail_inversion(k, 64, delta=DELTA) + 1 / 897)
    assert np.all(exact < kl_inverse(k, 64, delta=DELTA))
    large = hypergeometric_inversion(k, 64, 10**9, delta=DELTA)
    np.testing.assert_allclose(large, binomial_tail_inversion(k, 64, delta=DELTA), rtol=1e-6)
    assert hypergeometric_inversion(7, 64, 64, delta=DELTA) == pytest.approx(7 / 64, rel=1e-13)


def test_merging_counts_functions():
    predictions = np.array([[1, 0, 2], [0, 0, 1], [1, 0, 2], [0, 0, 1], [2, 2, 2]])
    out = distinct(predictions)
    np.testing.assert_array_equal(out.first, [0, 1, 4])
    np.testing.assert_array_equal(out.group, [0, 1, 0, 1, 2])
    np.testing.assert_array_equal(predictions[out.first][out.group], predictions)


def test_a_cover_adds_the_disagreement():
    limit = through_cover(0.2, 3, 1000, delta=0.01)
    expected = 0.2 + binomial_tail_inversion(3, 1000, delta=0.01)
    assert limit == pytest.approx(expected, rel=1e-12)
    np.testing.assert_array_equal(through_cover([0.9, 0.99], 90, 100, delta=0.01), [1, 1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hypergeometric_inversion(1, 5, delta=0.1), r"takes \(k, n, pool\), got 2"),
        (lambda: hypergeometric_inversion(1, 5, 4, delta=0.1), "pool must be a whole number"),
        (lambda: hypergeometric_inversion(1, 5, 7.5, delta=0.1), "pool must be a whole number"),
        (lambda: hypergeometric_inversion(0.5, 5, 7, delta=0.1), "whole count"),
        (lambda: distinct([1, 2]), r"shape \(candidates, pool\)"),
        (lambda: through_cover(0.2, 5, 3, delta=0.1), "between 0 and n"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
