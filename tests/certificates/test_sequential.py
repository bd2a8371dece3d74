"""Betting and empirical Bernstein: brute force, exact coverage over all sequences, stopping."""

import itertools

import mpmath as mp
import numpy as np
import pytest
from scipy import optimize, stats

from tlstat.certificates import (
    betting,
    betting_anytime,
    binomial_tail_inversion,
    empirical_bernstein,
    hoeffding,
)
from tlstat.errors import InputError
from tlstat.theory import intervals

DELTA = 0.05
BETTERS = [betting, betting_anytime]
ids = [c.name for c in BETTERS]


def wealth_path(x, m, level, horizon, cap):
    """``log K_t(1 - m')`` for every t, written as in the paper, one example after the other."""
    z, total, mean_sum, squares, out = 1 - x, 0.0, 0.5, 0.25, []
    variance = 0.25
    for i, zi in enumerate(z, start=1):
        h = i * np.log(1 + i) if horizon is None else horizon
        bet = min(np.sqrt(2 * level / (h * variance)), cap / m)
        total += np.log1p(bet * (zi - m))
        out.append(total)
        mean_sum += zi
        squares += (zi - mean_sum / (i + 1)) ** 2
        variance = squares / (i + 1)
    return np.array(out)


def brute_force(x, level, horizon, cap=0.5):
    """The limit by a root of the running maximum."""

    def gap(m):
        return wealth_path(x, m, level, horizon, cap).max() - level

    if gap(1e-9) < 0:
        return 1.0
    return 1 - optimize.brentq(gap, 1e-9, 1 - 1e-12, xtol=1e-15)


@pytest.mark.parametrize("law", [stats.beta(1, 9), stats.beta(2, 2), stats.bernoulli(0.1)])
@pytest.mark.parametrize("level", [0.5, 3.0, 40.0])
def test_betting_against_brute_force(law, level):
    rng = np.random.default_rng(1)
    for n in (3, 17, 120):
        x = law.rvs(n, random_state=rng).astype(float)
        expected = brute_force(x, level, n)
        assert betting(x, log_inv_delta=level) == pytest.approx(expected, abs=1e-12)
        expected = brute_force(x, level, None, cap=0.3)
        ours = betting_anytime(x, log_inv_delta=level, cap=0.3)
        assert ours == pytest.approx(expected, abs=1e-12)
        later = brute_force(x, level, 2 * n)
        assert betting(x, log_inv_delta=level, horizon=2 * n) == pytest.approx(later, abs=1e-12)


def test_the_wealth_at_the_limit_to_fifty_digits():
    # never below the exact limit: the exact wealth there has crossed
    rng = np.random.default_rng(2)
    for n in (5, 50, 400):
        x = rng.beta(1, 6, n)
        limit = betting(x, delta=DELTA)
        z = 1 - x
        t = np.arange(1.0, n + 1)
        mean = (0.5 + np.cumsum(z)) / (t + 1)
        variance = np.r_[0.25, (0.25 + np.cumsum((z - mean) ** 2)) / (t + 1)][:-1]
        bets = np.sqrt(-2 * np.log(DELTA) / (n * variance))
        with mp.workdps(50):

            def top(m, z=z, bets=bets):
                wealth, best = mp.mpf(1), mp.mpf(0)
                for zi, bet in zip(z, bets, strict=True):
                    wealth *= 1 + min(mp.mpf(bet), mp.mpf(0.5) / m) * (mp.mpf(zi) - m)
                    best = max(best, wealth)
                return best

            goal = 1 / mp.mpf(DELTA)
            assert top(1 - mp.mpf(limit)) >= goal
            assert top(1 - mp.mpf(limit) * (1 - mp.mpf(10) ** -11)) < goal


@pytest.mark.parametrize("certificate", BETTERS, ids=ids)
def test_the_path_is_the_limit_of_every_prefix(certificate):
    rng = np.random.default_rng(3)
    x = rng.beta(1, 4, (4, 150))
    options = {"horizon": 150} if certificate is betting else {}
    for resolution in (1e-2, 1e-4):
        path = certificate.path(x, delta=DELTA, resolution=resolution)
        assert path.shape == x.shape
        assert np.all(np.diff(path) <= 0)
        exact = [certificate(x[:, : t + 1], delta=DELTA, **options) for t in range(150)]
        lag = path - np.transpose(exact)
        assert np.all(lag >= -1e-13)
        assert np.all(lag < 2 * resolution)
        np.testing.assert_allclose(path[:, -1], certificate(x, delta=DELTA), rtol=1e-12)


def test_limits_only_fall_as_examples_come():
    # the running intersection: no later example can take a rejection back
    x = np.r_[np.zeros(60), np.ones(60)]
    path = betting.path(x, delta=DELTA)
    assert np.all(np.diff(path) <= 0)
    assert path[-1] <= path[59] < 0.2 < x.mean()


@pytest.mark.parametrize("certificate", BETTERS, ids=ids)
def test_rows_and_levels_broadcast(certificate):
    rng = np.random.default_rng(4)
    x = rng.random((2, 3, 20))
    level = np.array([1.0, 3.0, 9.0])
    out = certificate(x, log_inv_delta=level)
    assert out.shape == (2, 3)
    assert out[1, 2] == certificate(x[1, 2], log_inv_delta=9.0)
    wide = certificate(x[0, 0], log_inv_delta=level)
    assert np.all(np.diff(wide) > 0)
    assert certificate.path(x, log_inv_delta=level).shape == (2, 3, 20)


@pytest.mark.parametrize("certificate", BETTERS, ids=ids)
@pytest.mark.parametrize("delta", [0.3, 0.05])
def test_coverage_over_all_sequences_of_errors(certificate, delta):
    # 0/1 losses: every sequence of 12, its last limit (the smallest), every risk
    n = 12
    x = np.array(list(itertools.product([0.0, 1.0], repeat=n)))
    limits, k = certificate(x, delta=delta), x.sum(axis=1)
    for p in np.linspace(0.01, 0.99, 99):
        law = p**k * (1 - p) ** (n - k)
        assert law.sum() == pytest.approx(1)
        assert law[limits < p].sum() <= delta
    # not empty: some sequence is certified well below 1
    assert limits.min() < 0.5


def test_coverage_over_all_sequences_of_three_losses():
    n, values = 8, np.array([0.0, 0.4, 1.0])
    codes = np.array(list(itertools.product(range(3), repeat=n)))
    limits = betting(values[codes], delta=0.2)
    rng = np.random.default_rng(5)
    worst = 0.0
    for law in rng.dirichlet([0.5, 0.5, 0.5], 200):
        miss = np.prod(law[codes], axis=1)[limits < law @ values].sum()
        worst = max(worst, miss)
    assert 0 < worst <= 0.2


def test_coverage_under_continuous_monitoring():
    # any stopping rule: the limits never rise, so the last one is the worst case
    rng = np.random.default_rng(6)
    size, n = 1500, 300
    for draw, risk in [(rng.beta(1, 9, (size, n)), 0.1), (rng.random((size, n)) < 0.2, 0.2)]:
        for certificate in BETTERS:
            misses = int(np.sum(certificate(draw.astype(float), delta=DELTA) < risk))
            assert stats.binomtest(misses, size, DELTA, "greater").pvalue > 1e-6
    # a certificate for a fixed n, looked at after every example, fails: the negative control
    k = np.cumsum(rng.random((size, n)) < 0.2, axis=1)
    peeked = binomial_tail_inversion(k, np.arange(1, n + 1), delta=DELTA).min(axis=1)
    misses = int(np.sum(peeked < 0.2))
    assert stats.binomtest(misses, size, 2 * DELTA, "less").pvalue > 1 - 1e-6


@pytest.mark.parametrize(
    ("a", "b", "n", "bet", "bernstein", "simple"),
    [
        (1, 9, 64, 0.180, 0.266, 0.252),
        (1, 9, 256, 0.123, 0.149, 0.177),
        (1, 9, 1000, 0.1075, 0.1164, 0.1388),
        (2, 2, 64, 0.563, 0.713, 0.653),
        (2, 2, 256, 0.529, 0.572, 0.576),
    ],
)
def test_mean_limits_of_the_reference(a, b, n, bet, bernstein, simple):
    # printed from 500 replicates; both means have an error
    rng = np.random.default_rng(8)
    x = rng.beta(a, b, (500, n))
    printed_digit = 5.1e-5 if n == 1000 else 5.1e-4
    for values, printed in [
        (betting(x, delta=DELTA), bet),
        (empirical_bernstein(x, delta=DELTA), bernstein),
        (hoeffding(x.sum(axis=1), n, delta=DELTA), simple),
    ]:
        error = np.sqrt(2) * values.std(ddof=1) / np.sqrt(500)
        assert abs(values.mean() - printed) < 5 * error + printed_digit


@pytest.mark.parametrize(("n", "binomial", "bet"), [(64, 0.184, 0.205), (256, 0.1354, 0.1441)])
def test_binomial_inversion_is_better_on_errors(n, binomial, bet):
    rng = np.random.default_rng(9)
    x = (rng.random((500, n)) < 0.1).astype(float)
    for values, printed in [
        (binomial_tail_inversion(x.sum(axis=1).astype(int), n, delta=DELTA), binomial),
        (betting(x, delta=DELTA), bet),
    ]:
        error = np.sqrt(2) * values.std(ddof=1) / np.sqrt(500)
        assert abs(values.mean() - printed) < 5 * error + 5.1e-4


# --- empirical Bernstein -----------------------------------------------------------------------


def test_empirical_bernstein_to_fifty_digits():
    rng = np.random.default_rng(10)
    for n in (2, 80, 5000):
        for x in (rng.random(n), np.r_[np.ones(n // 8), np.zeros(n - n // 8)], np.full(n, 0.3)):
            for level in (1e-3, 3.0, 300.0):
                with mp.workdps(50):
                    values = [mp.mpf(v) for v in x]
                    mean = mp.fsum(values) / n
                    variance = mp.fsum((v - mean) ** 2 for v in values) / (n - 1)
                    log_term = mp.log(2) + mp.mpf(level)
                    exact = mean + mp.sqrt(2 * variance * log_term / n)
                    exact += 7 * log_term / (3 * (n - 1))
                    ours = empirical_bernstein(x, log_inv_delta=level, clip=False)
                    assert exact <= mp.mpf(ours) <= exact * (1 + mp.mpf(10) ** -12)


def test_empirical_bernstein_agrees_with_the_interval_module():
    rng = np.random.default_rng(11)
    x = rng.random((5, 40))
    upper = intervals.maurer_pontil(x.mean(axis=1), x.var(axis=1, ddof=1), 40, 0.4)[1]
    np.testing.assert_allclose(empirical_bernstein(x, delta=0.4), upper, rtol=1e-12)


def test_coverage_of_empirical_bernstein_on_errors():
    n, k = 200, np.arange(201)
    x = (np.arange(n) < k[:, None]).astype(float)
    limits = empirical_bernstein(x, delta=DELTA)
    useful = limits < 1
    for p in np.r_[limits[useful] * (1 + 1e-9), 0.01, 0.5]:
        assert stats.binom.pmf(k, n, p)[limits < p].sum() <= DELTA


# --- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize("certificate", [*BETTERS, empirical_bernstein])
@pytest.mark.parametrize(
    ("losses", "message"),
    [
        ([0.1, 1.2], r"losses must be in \[0, 1\], got 1.2 at index 1"),
        ([0.1, np.nan], r"losses must be in \[0, 1\], got nan at index 1"),
        ([-1e-9, 0.2], "at index 0"),
        ([], "examples on the last axis"),
        (0.3, "examples on the last axis"),
        (["a", "b"], "losses must be numbers"),
    ],
)
def test_bad_losses(certificate, losses, message):
    with pytest.raises(InputError, match=message):
        certificate(losses, delta=DELTA)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: betting(x), "exactly one of"),
        (lambda x: betting(x, delta=2.0), "delta must be strictly"),
        (lambda x: betting(x, delta=DELTA, horizon=3), "horizon must be at least the 10 examples"),
        (lambda x: betting(x, delta=DELTA, cap=1.0), "cap must lie strictly"),
        (lambda x: betting.path(x, delta=DELTA, resolution=0.0), "resolution must lie strictly"),
        (lambda x: empirical_bernstein(x[:1], delta=DELTA), "at least 2 examples"),
    ],
)
def test_bad_options(call, message):
    with pytest.raises(InputError, match=message):
        call(np.linspace(0, 1, 10))
