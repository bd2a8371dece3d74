"""Lower tails from draws: intervals that cover, estimates that are unbiased, published traps."""

import math

import numpy as np
import pytest
import scipy.special as sp
from scipy import stats

from tlstat.backend import Random
from tlstat.errors import InputError
from tlstat.inductive_bias import tails
from tlstat.inductive_bias.chi_squared import GeneralizedChiSquared
from tlstat.inductive_bias.tails.fits import sankaran_log_cdf
from tlstat.inductive_bias.tails.sampled import tilted_law
from tlstat.inductive_bias.tails.spectral import saddle

LAW = GeneralizedChiSquared(1 / np.arange(1, 21) ** 2, 5, 0.5)


def least_hits(coverage, runs, alarm=1e-6):
    """Fewest covering runs that a level of ``coverage`` gives but with probability ``alarm``."""
    return stats.binom(runs, coverage).ppf(alarm)


# --- plain Monte Carlo --------------------------------------------------------------------------


def test_counts_and_their_exact_interval():
    errors = np.arange(1.0, 101.0)
    found = tails.monte_carlo(errors, 3.0)
    assert found.probability == pytest.approx(0.03)
    low, high = stats.binomtest(3, 100).proportion_ci(0.95, "exact")
    assert (math.exp(found.lower), math.exp(found.upper)) == pytest.approx((low, high))
    none = tails.monte_carlo(errors, 0.5)
    assert none.nats == math.inf and none.lower == -math.inf and "one-sided" in none.statement
    assert math.exp(none.upper) == pytest.approx(1 - 0.025 ** (1 / 100))
    every = tails.monte_carlo(errors, 100.0)
    assert every.log_value == 0 and every.upper == 0


def test_the_binomial_interval_covers():
    rng, runs = np.random.default_rng(1), 400
    x = LAW.ppf(0.02)
    hits = 0
    for _ in range(runs):
        found = tails.monte_carlo(LAW.rvs(150, rng), x, level=0.8)
        hits += found.lower <= math.log(0.02) <= found.upper
    assert hits >= least_hits(0.8, runs)


# --- exponential tilting ------------------------------------------------------------------------


@pytest.mark.parametrize("law", [LAW, GeneralizedChiSquared([1, -1, 0.2], [3, 2, 9], normal_sd=1)])
def test_the_tilted_law_is_the_tilted_law(law):
    """Its generating function is that of the law, shifted; its mean is the target."""
    x = law.mean() - 1.5 * law.std()
    t = saddle(law, x).t
    tilt = tilted_law(law, t)
    s = np.array([-1.0, -0.1, 0.2])
    assert tilt.cgf(s) == pytest.approx(law.cgf(t + s) - law.cgf(t), rel=1e-10)
    assert tilt.mean() == pytest.approx(x, abs=1e-9)
    with pytest.raises(InputError, match="exponential moments"):
        tilted_law(law, 0.6)


@pytest.mark.parametrize("depth", [2.0, 50.0, 5000.0])
def test_tilted_draws_agree_with_the_exact_value_at_any_depth(depth):
    x = LAW.ilogcdf(-depth)
    found = tails.tilted(LAW, x, Random(3), 20_000)
    se = (found.upper - found.lower) / (2 * 1.96)
    assert abs(found.log_value + depth) < 5 * se and se < 0.06
    q = saddle(LAW, x).q
    assert se == pytest.approx(math.sqrt(math.sqrt(math.pi / 2) * q / 20_000), rel=0.5)


@pytest.mark.parametrize(("interval", "level"), [("normal", 0.9), ("bernstein", 0.9)])
def test_the_tilted_intervals_cover(interval, level):
    rng, runs = np.random.default_rng(2), 200
    x = LAW.ilogcdf(-40.0)
    found = [tails.tilted(LAW, x, rng, 600, level=level, interval=interval) for _ in range(runs)]
    hits = sum(f.lower <= -40 <= f.upper for f in found)
    # the normal interval is asymptotic: a point is granted at 600 draws
    assert hits >= least_hits(level - 0.01 * (interval == "normal"), runs)
    if interval == "normal":  # and it is no wider than it says
        assert hits < stats.binom(runs, level).ppf(1 - 1e-6)
    mean = np.mean([math.exp(f.log_value + 40) for f in found])
    assert mean == pytest.approx(1, abs=5 * 0.15 / math.sqrt(runs))


def test_above_the_mean_nothing_is_tilted():
    found = tails.tilted(LAW, LAW.mean() + 9 * LAW.std(), Random(1), 500)
    assert found.log_value == 0 and found.lower < 0 and found.method == "tilted"
    assert "no tilt" in found.statement
    assert tails.tilted(LAW, -1.0, Random(1), 500).nats == math.inf


def test_bad_sizes_and_levels_are_named():
    for options, message in (
        (dict(size=1), "size is 1"),
        (dict(level=1.0), "level is 1.0"),
        (dict(interval="t"), "interval is 't'"),
    ):
        with pytest.raises(InputError, match=message):
            tails.tilted(LAW, 1.0, Random(1), **options)
    with pytest.raises(InputError, match="errors has shape"):
        tails.monte_carlo([], 1.0)
    with pytest.raises(InputError, match="errors is nan"):
        tails.monte_carlo([1.0, math.nan], 1.0)


# --- splitting ----------------------------------------------------------------------------------


def angle(z):
    """Half-space error: the angle to the first axis over pi."""
    return np.arccos(z[:, 0] / np.linalg.norm(z, axis=1)) / np.pi


def log_cap(dim, share):
    """``log P(angle <= share)``: half a regularised incomplete beta function."""
    return math.log(sp.betainc((dim - 1) / 2, 0.5, math.sin(math.pi * share) ** 2) / 2)


def coins(z):
    return (z > 0).mean(axis=1)


def log_coins(n, k):
    return math.log(sum(math.comb(n, j) for j in range(k + 1))) - n * math.log(2)


@pytest.mark.parametrize(
    ("score", "dim", "x", "exact"),
    [
        (angle, 10, 0.05, log_cap(10, 0.05)),
        (angle, 20, 0.1, log_cap(20, 0.1)),
        (coins, 30, 2 / 30, log_coins(30, 2)),
        (coins, 12, 0.0, log_coins(12, 0)),
    ],
    ids=["cap", "cap in 20", "coins", "all coins"],
)
def test_splitting_finds_known_probabilities(score, dim, x, exact):
    assert exact == pytest.approx({10: -18.731, 20: -24.67}.get(dim, exact), abs=0.01)
    found = tails.splitting(score, dim, x, Random(11), 200, moves=15, level=1 - 1e-4)
    assert found.lower <= exact <= found.upper
    assert found.upper - found.lower < 6


@pytest.mark.parametrize(("score", "dim", "x"), [(angle, 5, 0.1), (coins, 12, 1 / 12)])
def test_killing_the_last_particle_agrees(score, dim, x):
    exact = log_cap(5, 0.1) if score is angle else log_coins(12, 1)
    found = tails.splitting(
        score, dim, x, Random(5), 40, moves=8, killed="last", level=1 - 1e-4, replicates=12
    )
    assert found.lower <= exact <= found.upper and found.upper - found.lower < 3


@pytest.mark.parametrize("score", [angle, coins], ids=["continuous", "ties"])
def test_the_interval_of_splitting_covers(score):
    dim, x = (6, 0.08) if score is angle else (14, 1 / 14)
    exact = log_cap(6, 0.08) if score is angle else log_coins(14, 1)
    rng, runs, hits = np.random.default_rng(4), 60, 0
    for _ in range(runs):
        found = tails.splitting(
            score, dim, x, rng, 80, moves=10, killed=0.75, replicates=6, level=0.9
        )
        hits += found.lower <= exact <= found.upper
    # Student's interval is asymptotic in the particles: two points are granted at 80
    assert hits >= least_hits(0.88, runs)


def test_splitting_agrees_with_the_exact_law_of_a_quadratic_form():
    w = 1 / np.arange(1, 16) ** 1.5
    law = GeneralizedChiSquared(w)
    x = law.ilogcdf(-20.0)
    found = tails.splitting(lambda z: z**2 @ w, 15, x, 3, 300, moves=15, level=1 - 1e-4)
    assert found.lower <= -20 <= found.upper and found.upper - found.lower < 4


def test_splitting_on_torch():
    torch = pytest.importorskip("torch")

    def score(z):
        return torch.linalg.norm(z, dim=1)

    exact = stats.chi2(8).logcdf(0.5**2)
    found = tails.splitting(score, 8, 0.5, Random(2, "torch"), 200, moves=10, level=1 - 1e-4)
    assert found.lower <= exact <= found.upper


def test_an_unreachable_event_is_given_up():
    found = tails.splitting(coins, 5, -0.1, 1, 20, moves=2, max_nats=30.0)
    assert found.nats == math.inf and -30.1 < found.upper < -25 and "given up" in found.statement
    sure = tails.splitting(coins, 5, 2.0, 1, 20)
    assert sure.log_value == 0 and sure.upper == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(dim=0), "dim is 0"),
        (dict(n_particles=5), "n_particles is 5"),
        (dict(moves=0), "moves is 0"),
        (dict(replicates=1), "replicates is 1"),
        (dict(killed=1.5), "killed is 1.5"),
        (dict(score=lambda z: z), "score returned shape"),
        (dict(score=lambda z: z[:, 0] * np.nan), "score returned NaN"),
    ],
)
def test_bad_arguments_of_splitting_are_named(options, message):
    arguments = dict(score=coins, dim=5, x=0.1, rng=1, n_particles=20) | options
    with pytest.raises(InputError, match=message):
        tails.splitting(**arguments)


# --- the published fit --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("df", "nc", "exact", "fallback"),
    [
        (
            10,
            0,
            (2.22, 8.67, 19.81, 42.79, 88.84, 3450.6),
            (0.76, 5.94, 13.08, 19.52, 21.42, 21.51),
        ),
        (
            1000,
            0,
            (99.91, 705.2, 1811.6, 4109.3, 8714.4, 344_892),
            (95.55, 645.5, 1384.2, 2045.0, 2239.3, 2249.0),
        ),
        (
            1000,
            500,
            (109.2, 741.3, 1857.6, 4156.5, 8761.6, 344_939),
            (104.6, 668.3, 1351.2, 1874.6, 1995.0, 1999.0),
        ),
    ],
)
def test_the_published_fallback_saturates(df, nc, exact, fallback):
    x = (df + nc) * np.array([0.5, 0.1, 1e-2, 1e-4, 1e-8, 1e-300])
    law = tails.PublishedFit(df, nc, 1.0).law()
    assert -law.logcdf(x) == pytest.approx(exact, rel=6e-4, abs=6e-3)
    assert tails.sankaran(x, df, nc) ** 2 / 2 == pytest.approx(fallback, rel=6e-4, abs=6e-3)


def test_the_published_reading_and_its_traps():
    fit = tails.PublishedFit(1000.0, 0.0, 1.0)
    # the logarithm of the library's function where it is positive
    assert fit.nats(500.0) == -np.log(stats.ncx2.cdf(500.0, 1000.0, 0.0))
    assert not fit.falls_back(500.0) and fit.falls_back([1e-3, 900.0]).tolist() == [True, False]
    # below, z^2/2: bounded by 9 df/4 while the truth is not
    assert fit.nats(1e-300) == pytest.approx(9 * 1000 / 4, rel=1e-3)
    assert -fit.law().logcdf(1e-300) > 3e5
    # the formula is positive above the mean, where the truth is 0; the reading does not use it
    assert tails.sankaran(1500.0, 1000, 0) ** 2 / 2 == pytest.approx(47.3, abs=0.05)
    assert fit.nats(1500.0) < 1e-10
    # a jump where it sets in
    grid = np.linspace(70.0, 130.0, 6001)
    nats = fit.nats(grid)
    assert (np.diff(nats) > 10).any() and fit.falls_back(grid).any()
    # the logarithm of the normal distribution function keeps what z^2/2 drops
    z = tails.sankaran(500.0, 1000, 0)
    dropped = -sankaran_log_cdf(500.0, 1000, 0) - z * z / 2
    assert dropped == pytest.approx(math.log(-z) + 0.5 * math.log(2 * math.pi), abs=0.01)
    found = fit.log_probability(500.0)
    assert found.nats == fit.nats(500.0) and found.level is None


def test_the_published_fit_on_draws_of_its_own_family():
    """Generic optimiser and default start: the fitted parameters are scipy's own."""
    errors = GeneralizedChiSquared([0.5], 20, 3).rvs(500, 1)
    fit = tails.published_fit(errors)
    with np.errstate(all="ignore"):
        df, nc, loc, scale = stats.ncx2.fit(errors, floc=0)
    assert loc == 0 and (fit.df, fit.nc, fit.scale) == (df, nc, scale)
    likelihood = stats.ncx2.logpdf(errors, df, nc, scale=scale).sum()
    assert fit.log_likelihood == pytest.approx(likelihood, rel=1e-9)
    assert fit.draws == 500


def test_the_profile_is_flat_where_the_tail_is_not():
    """Isotropic errors in the family: ratios of 0 and 1000 fit alike and differ at depth."""
    errors = GeneralizedChiSquared(np.full(400, 1 / 400)).rvs(2000, 3)
    profile = tails.profile_fit(errors, [0, 0.3, 3, 1000])
    assert profile.drop.max() == 0 and profile.drop.min() > -1.9
    nats = profile.nats(0.01)
    assert nats.max() > 2 * nats.min()
    found = profile.log_probability(0.01)
    assert found.nats in nats and found.interval == (nats.min(), nats.max())
    assert f"{errors.min():.4g}" in found.statement
    # each fit is a maximum over (df, scale) at its ratio
    for index in (0, 2):
        fit = profile.fit(index)
        for factor in (0.97, 1.03):
            df = fit.df * factor
            moved = tails.noncentral_logpdf(
                errors / fit.scale * factor, df, df * 0 + fit.nc * factor
            )
            assert moved.sum() + 2000 * math.log(factor / fit.scale) <= fit.log_likelihood + 1e-6


def test_the_profile_interval_misses_a_spread_spectrum():
    """The family is wrong for unequal weights: the interval lies below the exact bias."""
    law = GeneralizedChiSquared(1 / np.arange(1, 101) ** 0.7, 4)
    errors = law.rvs(3000, 5)
    x = 0.1 * law.mean()
    profile = tails.profile_fit(errors, [0, 1, 1000])
    assert profile.log_probability(x).interval[1] < 0.95 * -law.logcdf(x)


def test_bad_draws_are_named():
    with pytest.raises(InputError, match="location 0"):
        tails.published_fit([1.0, -1.0, 2.0])
    with pytest.raises(InputError, match="all equal"):
        tails.profile_fit([1.0, 1.0, 1.0])
    with pytest.raises(InputError, match="ratios"):
        tails.profile_fit([1.0, 2.0, 3.0], [-1])
