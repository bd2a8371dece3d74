"""Intervals: reference numbers, exact levels by enumeration, coverage by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from tlstat.errors import InputError
from tlstat.theory import intervals
from tlstat.theory.intervals import betting_interval, betting_p, hall_interval, hall_statistic

X = np.tile([0.1, 0.4, 0.35, 0.8, 0.2, 0.55, 0.6, 0.15, 0.3, 0.05], 20)
ZEROS_FIRST = np.tile([0, 0, 0, 1, 0, 0, 0, 0, 1, 0], 10)
SKEWED = np.exp(np.linspace(-2, 2, 401))
L = math.log(100)

samples = st.lists(st.integers(0, 1000), min_size=2, max_size=60).map(lambda v: np.array(v) / 1000)
means = st.floats(1e-3, 1.0)


def test_binomial_reference_numbers() -> None:
    lo, hi = intervals.clopper_pearson(np.array([0, 3, 50]), 1000, 0.01)
    assert_allclose(hi, [0.0045946, 0.0100098, 0.0684049], atol=5e-8)
    assert_allclose(lo, [0, 0.00043639, 0.0352815], atol=5e-8)
    assert_allclose(intervals.binomial_p_greater(70, 1000, 0.05), 0.00347436, atol=5e-9)
    assert_allclose(intervals.binomial_p_less(30, 1000, 0.05), 0.00127707, atol=5e-9)


def test_hoeffding_and_maurer_pontil_reference_numbers() -> None:
    assert_allclose(intervals.hoeffding(0.5, 1000, 0.01)[1] - 0.5, 0.0479853, atol=5e-8)
    assert_allclose(intervals.maurer_pontil(0.5, 0.01, 1000, 0.01)[1] - 0.5, 0.0226691, atol=5e-8)
    assert intervals.hoeffding(0.01, 10, 0.01) == (0.0, pytest.approx(0.01 + math.sqrt(L / 20)))


def test_betting_reference_numbers() -> None:
    assert_allclose(betting_p(X, [0.25, 0.3, 0.35], L), [1.62270e-8, 0.00388768, 0.629458], 4e-6)
    assert_allclose(betting_p(-X, [-0.4, -0.45], L, lo=-1), [0.0153679, 7.50730e-7], 4e-6)
    assert_allclose(betting_interval(X, 0.01), (0.304457, 0.402355), atol=5e-7)
    assert_allclose(betting_p(ZEROS_FIRST, [0.1, 0.05], L), [0.0357220, 2.07494e-6], 4e-6)


def test_hall_reference_numbers() -> None:
    n, mean, sd, skew = intervals.moments(SKEWED)
    assert n == 401
    assert_allclose([mean, sd, skew], [1.818305, 1.891158, 1.271532], atol=5e-7)
    assert_allclose(hall_statistic(SKEWED, [2, 1.6]), [-1.836057, 2.437100], atol=5e-7)
    assert_allclose(hall_interval(SKEWED, 0.01, "normal"), (1.609526, 2.050921), atol=5e-7)


def test_hall_interval_inverts_the_statistic() -> None:
    low, high = hall_interval(SKEWED, 0.01)
    t = stats.t(400).ppf(0.99)
    assert_allclose(hall_statistic(SKEWED, [low, high]), [t, -t], rtol=1e-9)


@pytest.mark.parametrize("n", [1, 5, 40, 300])
@pytest.mark.parametrize("p", [0.001, 0.05, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("alpha", [0.1, 0.01, 1e-4])
def test_binomial_level_is_exact_by_enumeration(n: int, p: float, alpha: float) -> None:
    """A proof, not a simulation: every outcome is weighed with its probability."""
    k = np.arange(n + 1)
    pmf = stats.binom.pmf(k, n, p)
    lo, hi = intervals.clopper_pearson(k, n, alpha)
    rounding = 1 + 1e-9
    for miss in (
        intervals.binomial_p_greater(k, n, p) <= alpha,
        intervals.binomial_p_less(k, n, p) <= alpha,
        lo > p * rounding,
        hi < p / rounding,
    ):
        assert pmf[miss].sum() <= alpha * rounding


@given(x=samples, m=means, factor=st.floats(1.0, 3.0))
def test_betting_p_increases_in_the_mean(x: np.ndarray, m: float, factor: float) -> None:
    small, large = betting_p(x, [m, m * factor], L)
    assert 0 <= small <= large * (1 + 1e-12) <= 1 + 1e-12


@given(x=samples, m=means, power=st.integers(-900, 900), factor=st.floats(1e-3, 1e3))
def test_betting_p_has_no_unit(x: np.ndarray, m: float, power: int, factor: float) -> None:
    p = betting_p(x, m, L)
    assert betting_p(x * 2.0**power, m * 2.0**power, L) == p
    assert_allclose(betting_p(x * factor, m * factor, L), p, rtol=1e-9)


@given(x=samples, m=means, lo=st.floats(-10, 10))
def test_betting_p_moves_with_the_origin(x: np.ndarray, m: float, lo: float) -> None:
    assert_allclose(betting_p(x + lo, m + lo, L, lo=lo), betting_p(x, m, L), rtol=1e-6)


@given(x=samples, alpha=st.floats(1e-4, 0.3))
def test_betting_interval_inverts_the_p_value(x: np.ndarray, alpha: float) -> None:
    low, high = betting_interval(x, alpha)
    assert 0 <= low <= x.mean() + 1 and 0 <= high <= 1
    if low > 0:
        assert betting_p(x, low, -math.log(alpha)) <= alpha * (1 + 1e-6)
        assert betting_p(x, low * (1 + 1e-6), -math.log(alpha)) >= alpha * (1 - 1e-3)
    if high < 1:
        assert betting_p(-x, -high, -math.log(alpha), lo=-1) <= alpha * (1 + 1e-6)


@given(x=samples, m=means, cut=st.integers(1, 60))
def test_bets_look_at_the_past_only(x: np.ndarray, m: float, cut: int) -> None:
    """With the bets fixed by the planned size, changing the future changes no earlier bet."""
    other = x.copy()
    other[cut:] = 1.0 - other[cut:]
    assert_allclose(
        intervals._bets(x, L)[: cut + 1], intervals._bets(other, L)[: cut + 1], rtol=1e-12
    )


def _reference_p(x: np.ndarray, m: float) -> float:
    """The definition, term by term."""
    wealth, best = 0.0, 0.0
    for i, value in enumerate(x):
        past = x[:i]
        if i == 0:
            ratio = 1.0
        else:
            mean = past.mean()
            spread = math.sqrt((mean**2 + ((past - mean) ** 2).sum()) / (i + 1))
            ratio = mean / spread if spread > 0 else 1 / math.sqrt(i + 1)
        bet = min(math.sqrt(2 * L / x.size) * ratio, 0.75)
        wealth += math.log1p(bet * (value / m - 1))
        best = max(best, wealth)
    return math.exp(-best)


@given(x=samples, m=means)
def test_betting_p_is_its_definition(x: np.ndarray, m: float) -> None:
    assert_allclose(betting_p(x, m, L), _reference_p(x, m), rtol=1e-8)


@pytest.mark.parametrize("side", ["lower", "upper"])
@pytest.mark.parametrize("law", ["bernoulli .02", "beta", "rare", "exponential"])
def test_betting_coverage(law: str, side: str) -> None:
    """Misses below the binomial .9999 quantile: a false alarm in 10^4 runs of each case."""
    runs, size, alpha = 400, 150, 0.05
    rng = np.random.default_rng([11, len(law), len(side)])
    draw, mean, hi = {
        "bernoulli .02": (lambda: rng.random(size) < 0.02, 0.02, 1.0),
        "beta": (lambda: rng.beta(2, 8, size), 0.2, 1.0),
        "rare": (lambda: 100.0 * (rng.random(size) < 0.05), 5.0, 100.0),
        "exponential": (lambda: rng.exponential(size=size), 1.0, math.inf),
    }[law]
    misses = 0
    for _ in range(runs):
        x = draw().astype(float)
        if side == "lower":
            misses += betting_p(x, mean, -math.log(alpha)) <= alpha
        elif hi < math.inf:
            misses += betting_p(-x, -mean, -math.log(alpha), lo=-hi) <= alpha
    assert misses <= stats.binom.ppf(0.9999, runs, alpha)


def test_hall_coverage_within_its_promise() -> None:
    """Asymptotic: within 1.5 times the level on exponential samples that pass the check."""
    runs, alpha = 4000, 0.01
    rng = np.random.default_rng(12)
    x = rng.exponential(size=(runs, 400))
    valid = np.array([intervals.hall_valid(row, alpha, True) for row in x])
    assert valid.mean() > 0.99
    upper = np.array([hall_interval(row, alpha)[1] for row in x[valid]])
    assert np.sum(upper < 1) <= stats.binom.ppf(0.9999, valid.sum(), 1.5 * alpha)


def test_tail_check_stops_what_the_t_interval_gets_wrong() -> None:
    rng = np.random.default_rng(13)
    assert not intervals.hall_valid(rng.lognormal(0, 2, 400), 0.01, True)
    assert intervals.hall_valid(rng.normal(5, 1, 400), 0.01, True)
    assert not intervals.hall_valid(np.ones(50), 0.01, True)


@given(x=samples)
def test_hall_statistic_decreases_in_the_value(x: np.ndarray) -> None:
    t = hall_statistic(x, np.linspace(-1, 2, 50))
    slack = 1e-9 * np.abs(t[:-1]) if np.ptp(x) > 0 else 0.0
    assert np.all(t[1:] <= t[:-1] + slack)


def test_constant_and_zero_samples() -> None:
    low, high = betting_interval(np.full(100, 0.3), 0.01)
    assert 0.2 < low < 0.3 < high < 0.5
    assert betting_interval(np.zeros(50), 0.01)[0] == 0.0
    assert betting_p(np.zeros(50), [-0.1, 0.0, 0.1], L).tolist() == [0.0, 1.0, 1.0]
    assert betting_p(np.ones(3), 0.0, L) == 0.0
    assert_allclose(hall_statistic(np.full(5, 0.1), [0.0, 0.1, 0.2]), [math.inf, 0, -math.inf])


def test_tiny_spread_does_not_cancel() -> None:
    x = 1 + 1e-9 * np.tile([0.0, 1.0], 500)
    assert_allclose(intervals.moments(x)[2], 1e-9 * np.std(np.tile([0.0, 1.0], 500), ddof=1), 1e-6)
    low, _ = betting_interval(x, 0.01, hi=2.0)
    assert low < x.mean()


def test_one_sided_range_gives_one_bound() -> None:
    low, high = betting_interval(SKEWED, 0.01, 0.0, math.inf)
    assert 0 < low < SKEWED.mean() and high == math.inf
    low, high = betting_interval(-SKEWED, 0.01, -math.inf, 0.0)
    assert low == -math.inf and -SKEWED.mean() < high < 0


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: betting_p([0.5, math.nan], 0.5, L), "finite"),
        (lambda: betting_interval([0.5, 1.5], 0.01), "range"),
        (lambda: betting_interval([-0.5, 0.5], 0.01), "range"),
        (lambda: betting_interval([], 0.01), "non-empty"),
        (lambda: betting_interval([0.5], 1.5), "alpha"),
        (lambda: betting_p([0.5], 0.5, -1.0), "log_inv_alpha"),
        (lambda: betting_p([0.5], math.nan, L), "m must"),
        (lambda: intervals.clopper_pearson(5, 3, 0.01), "counts"),
        (lambda: intervals.clopper_pearson(0.5, 3, 0.01), "whole"),
        (lambda: hall_statistic([1.0], 0.0), "at least 2"),
        (lambda: hall_interval(SKEWED, 0.01, "cauchy"), "reference"),
        (lambda: intervals.maurer_pontil(0.5, -1, 10, 0.01), "variance"),
        (lambda: intervals.hoeffding(0.5, 0, 0.01), "n must"),
    ],
)
def test_bad_input_is_named(call, word: str) -> None:
    with pytest.raises(InputError, match=word):
        call()


def test_dkw_radius() -> None:
    assert_allclose(intervals.dkw(6623, 0.01), 0.02, rtol=1e-4)
