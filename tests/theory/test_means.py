"""Which test applies to a mean, and that each pair of tests and its interval agree."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from tlstat.errors import InputError
from tlstat.theory import means

# betting depends on the order, and sorted values are no sample: shuffle
SHUFFLE = np.random.default_rng(3).permutation
SKEWED = SHUFFLE(np.exp(np.linspace(-2, 2, 401)))
HALF_LINE = (0.0, math.inf)


@pytest.mark.parametrize(
    ("x", "range_", "greater", "less"),
    [
        (np.array([True, False] * 20), (0.0, 1.0), "exact binomial", "exact binomial"),
        (np.array([1, 0] * 20), (0.0, 1.0), "exact binomial", "exact binomial"),
        (np.array([1.0, 0.0] * 20), (0.0, 1.0), "finite-sample", "finite-sample"),
        (SKEWED, HALF_LINE, "finite-sample, range [0, inf)", "asymptotic, N_eff"),
        (-SKEWED, (-math.inf, 0.0), "asymptotic, N_eff", "finite-sample, range (-inf, 0]"),
        (SKEWED - 1, (-math.inf, math.inf), "asymptotic", "asymptotic"),
    ],
)
def test_the_declaration_chooses_the_test(x, range_, greater: str, less: str) -> None:
    assert means.test_greater(x, 0.1, range=range_, level=0.01).method.startswith(greater)
    assert means.test_less(x, 0.1, range=range_, level=0.01).method.startswith(less)


@pytest.mark.parametrize(
    ("x", "range_"),
    [
        (np.array([True, False, False] * 30), (0.0, 1.0)),
        (SHUFFLE(np.linspace(0, 1, 101) ** 2), (0.0, 1.0)),
        (SKEWED, HALF_LINE),
        (-SKEWED, (-math.inf, 0.0)),
        (SKEWED - 1, (-math.inf, math.inf)),
    ],
)
def test_interval_inverts_the_tests(x, range_) -> None:
    level = 0.01
    low, high, _ = means.mean_interval(x, range=range_, level=level)
    assert low < x.mean() < high
    p_low = means.test_greater(x, low, range=range_, level=level).p
    p_high = means.test_less(x, high, range=range_, level=level).p
    assert_allclose([p_low, p_high], level, rtol=1e-5)


def test_a_heavy_tail_blocks_its_own_direction_only() -> None:
    x = np.random.default_rng(1).lognormal(0, 2, 400)
    less = means.test_less(x, 100.0, range=HALF_LINE, level=0.01)
    assert math.isnan(less.p) and less.reason == "TAIL"
    greater = means.test_greater(x, 0.5, range=HALF_LINE, level=0.01)
    assert greater.p < 1e-6 and greater.reason is None
    low, high, method = means.mean_interval(x, range=HALF_LINE, level=0.01)
    assert low > 0.5 and high == math.inf and "finite-sample below" in method


def test_no_spread_is_degenerate_without_a_range_and_decided_with_one() -> None:
    x = np.full(2000, 0.5)
    free = means.test_less(x, 0.6, level=0.01)
    assert math.isnan(free.p) and free.reason == "DEGENERATE"
    assert means.test_less(x, 0.6, range=(0, 1), level=0.01).p < 1e-6
    assert means.mean_interval(x, level=0.01)[:2] == (-math.inf, math.inf)
    one = means.test_greater(np.array([3.0]), 1.0, level=0.01)
    assert one.reason == "DEGENERATE"


@given(
    k=st.integers(0, 40),
    b=st.floats(-0.5, 1.5),
)
def test_binomial_p_values_overlap(k: int, b: float) -> None:
    x = np.arange(40) < k
    p = [t(x, b, range=(0, 1), level=0.01).p for t in (means.test_greater, means.test_less)]
    assert sum(p) >= 1 - 1e-12 and all(0 <= v <= 1 for v in p)


@given(b=st.floats(-3, 3), seed=st.integers(0, 50))
def test_hall_p_values_sum_to_one(b: float, seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=60)
    greater, less = (t(x, b, level=0.01) for t in (means.test_greater, means.test_less))
    assert_allclose(greater.p + less.p, 1.0, rtol=1e-12)


@given(seed=st.integers(0, 100), b=st.floats(0.01, 1.0), factor=st.floats(1.0, 2.0))
def test_p_values_are_monotone_in_the_value(seed: int, b: float, factor: float) -> None:
    x = np.random.default_rng(seed).beta(2, 3, 80)
    low, high = (means.test_greater(x, v, range=(0, 1), level=0.01).p for v in (b, b * factor))
    assert low <= high * (1 + 1e-12)
    low, high = (means.test_less(x, v, range=(0, 1), level=0.01).p for v in (b, b * factor))
    assert high <= low * (1 + 1e-12)


def test_range_violation_is_an_error_not_a_verdict() -> None:
    with pytest.raises(InputError, match="range"):
        means.test_less(np.array([0.5, 1.1]), 0.7, range=(0, 1), level=0.01)
    with pytest.raises(InputError, match="range"):
        means.test_less(np.array([0.5, 0.7]), 0.7, range=(1, 0), level=0.01)
    with pytest.raises(InputError, match="finite"):
        means.test_less(np.array([0.5, math.inf]), 0.7, level=0.01)
    with pytest.raises(InputError, match="level"):
        means.test_less(np.array([0.5, 0.7]), 0.7, level=0.0)
    with pytest.raises(InputError, match="b must"):
        means.test_less(np.array([0.5, 0.7]), math.nan, level=0.1)


def test_a_rounding_error_beyond_the_range_is_forgiven() -> None:
    x = np.array([0.5, 1.0 + 1e-15])
    assert means.test_less(x, 1.5, range=(0, 1), level=0.01).p == 0.0


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("n", [1, 7, 60])
def test_quantile_bounds_have_their_level_exactly(n: int, q: float) -> None:
    """By enumeration of how many of n uniform values fall below the quantile."""
    alpha = 0.05
    ranks = np.arange(1.0, n + 1)
    low, high = means.quantile_interval(ranks, q, alpha)
    below = stats.binom(n, q)
    # the j-th order statistic exceeds the quantile iff fewer than j values lie below it
    miss_low = below.cdf(low - 1) if low > -math.inf else 0.0
    miss_high = below.sf(high - 1) if high < math.inf else 0.0
    assert miss_low <= alpha and miss_high <= alpha
    if low > -math.inf:
        assert below.cdf(low) > alpha  # the next order statistic would be too bold
    if high < math.inf:
        assert below.sf(high - 2) > alpha


@given(st.lists(st.integers(0, 20), min_size=1, max_size=60), st.floats(0.05, 0.95))
def test_quantile_p_values_match_the_interval(values: list[int], q: float) -> None:
    low, high = means.quantile_interval(values, q, 0.05)
    if low > -math.inf:
        assert means.quantile_p_greater(values, q, low - 0.5) <= 0.05
    if high < math.inf:
        assert means.quantile_p_less(values, q, high + 0.5) <= 0.05
    assert means.quantile_p_less(values, q, low) > 0.05 or low == -math.inf
