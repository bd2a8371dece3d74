"""Certificates under covariate shift: reductions, exact coverage, refusals."""

import itertools

import numpy as np
import pytest
from scipy import stats

from tlstat.certificates import (
    betting,
    empirical_bernstein,
    weighted_betting,
    weighted_empirical_bernstein,
)
from tlstat.errors import InputError

DELTA = 0.05
PAIRS = [(weighted_betting, betting), (weighted_empirical_bernstein, empirical_bernstein)]


@pytest.mark.parametrize(("weighted", "plain"), PAIRS)
def test_without_shift_they_are_the_plain_certificates(weighted, plain):
    x = np.random.default_rng(0).random((3, 50))
    ours = weighted(x, np.ones((3, 50)), ratio_max=1.0, delta=DELTA)
    np.testing.assert_allclose(ours, plain(x, delta=DELTA), rtol=1e-13)


@pytest.mark.parametrize(("weighted", "plain"), PAIRS)
def test_they_are_the_plain_certificates_of_the_scaled_losses(weighted, plain):
    rng = np.random.default_rng(1)
    x, w, top = rng.random(60), rng.choice([0.5, 1.5], 60), 4.0
    ours = weighted(x, w, ratio_max=top, delta=DELTA, clip=False)
    assert ours == pytest.approx(top * plain(w * x / top, delta=DELTA, clip=False), rel=1e-12)


def shifted(n):
    """All samples of ``n`` from three kinds of (ratio, loss): codes, ratios, losses, P-law."""
    # covariate a with w = 1.6, covariate b with w = 0.4; P(a) = P(b) = 1/2, so E w = 1
    ratios, losses = np.array([1.6, 1.6, 0.4]), np.array([0.0, 1.0, 0.7])
    codes = np.array(list(itertools.product(range(3), repeat=n)))
    return codes, ratios, losses


@pytest.mark.parametrize("weighted", [weighted_betting, weighted_empirical_bernstein])
@pytest.mark.parametrize("delta", [0.4, 0.1])
def test_coverage_over_all_samples(weighted, delta):
    codes, ratios, losses = shifted(8)
    limits = weighted(losses[codes], ratios[codes], ratio_max=1.6, delta=delta)
    for error in np.linspace(0.02, 0.98, 25):  # probability of a loss of 1 at the covariate a
        law = np.array([0.5 * (1 - error), 0.5 * error, 0.5])
        risk = law @ (ratios * losses)
        assert risk == pytest.approx(0.8 * error + 0.2 * 0.7)
        assert np.prod(law[codes], axis=1)[limits < risk].sum() <= delta


def test_ignoring_the_shift_fails():
    # errors only where the target lives: the source risk says little about the target's
    rng = np.random.default_rng(2)
    size, n, top = 1000, 400, 3.0
    in_target = rng.random((size, n)) < 0.25
    losses = (in_target & (rng.random((size, n)) < 0.4)).astype(float)
    ratios = np.where(in_target, top, (1 - 0.25 * top) / 0.75)
    risk = 0.75 * 0.4
    for weighted in (weighted_betting, weighted_empirical_bernstein):
        limits = weighted(losses, ratios, ratio_max=top, delta=DELTA)
        misses = int(np.sum(limits < risk))
        assert stats.binomtest(misses, size, DELTA, "greater").pvalue > 1e-6
        assert np.mean(limits) < 0.6  # and it says something
    assert np.mean(betting(losses, delta=DELTA) < risk) > 0.9


def test_monitoring_under_shift():
    rng = np.random.default_rng(3)
    in_target = rng.random((5, 200)) < 0.25
    losses = (rng.random((5, 200)) < 0.3).astype(float)
    ratios = np.where(in_target, 3.0, 1 / 3)
    path = weighted_betting.path(losses, ratios, ratio_max=3.0, delta=DELTA)
    assert np.all(np.diff(path) <= 0)
    last = weighted_betting(losses, ratios, ratio_max=3.0, delta=DELTA)
    np.testing.assert_allclose(path[:, -1], last, rtol=1e-12)
    part = weighted_betting(losses[:, :90], ratios[:, :90], ratio_max=3.0, delta=DELTA, horizon=200)
    assert np.all(path[:, 89] >= part - 1e-12)
    assert np.all(path[:, 89] <= part + 3.0 * 2e-4)


@pytest.mark.parametrize("weighted", [weighted_betting, weighted_empirical_bernstein])
@pytest.mark.parametrize(
    ("ratios", "top", "message"),
    [
        (np.full(50, 1.0), 0.9, "ratio_max must be a finite bound of at least 1"),
        (np.full(50, 1.0), np.inf, "ratio_max must be a finite bound of at least 1"),
        (np.r_[np.ones(49), 2.5], 2.0, "ratios must be at most ratio_max = 2, got 2.5 at index 49"),
        (np.r_[np.ones(49), -0.1], 2.0, "finite and at least 0, got -0.1"),
        (np.r_[np.ones(49), np.nan], 2.0, "finite and at least 0, got nan"),
        (np.ones(40), 2.0, "one entry an example"),
        (np.full(50, 0.01), 1.0, "ratios must average 1 up to chance"),
    ],
)
def test_ratios_are_checked(weighted, ratios, top, message):
    with pytest.raises(InputError, match=message):
        weighted(np.zeros(50), ratios, ratio_max=top, delta=DELTA)


@pytest.mark.parametrize("weighted", [weighted_betting, weighted_empirical_bernstein])
def test_losses_are_checked(weighted):
    with pytest.raises(InputError, match=r"losses must be in \[0, 1\]"):
        weighted(np.full(5, 1.5), np.ones(5), ratio_max=1.0, delta=DELTA)
