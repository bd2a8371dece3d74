"""Certificates of other classes: the published arithmetic, brute force, formulas."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from tlstat.certificates import (
    binomial_tail_inversion,
    empirical_rademacher,
    hoeffding,
    log_growth,
    massart,
    quantised_class,
    rademacher,
    rademacher_empirical,
    sample_compression,
    vc,
)
from tlstat.errors import InputError

DELTA = 0.05


def test_the_published_arithmetic():
    # the reported minimum over episodes at 16 shots, 5 ways: no error, n = 80
    assert quantised_class(0, 80, 1024, delta=DELTA, clip=False) == pytest.approx(2.5506, abs=5e-5)
    assert round(quantised_class(0, 80, 1024, delta=DELTA, clip=False), 2) == 2.55
    assert quantised_class(0, 80, 1000, delta=DELTA, clip=False) == pytest.approx(2.5209, abs=5e-5)
    assert quantised_class(0, 80, 2600, delta=DELTA, clip=False) == pytest.approx(4.046, abs=5e-4)
    bits = quantised_class(0, 80, 1024, delta=DELTA, unit="bits", clip=False)
    assert bits == pytest.approx(2.131, abs=5e-4)
    assert quantised_class(0, 80, 1024, delta=DELTA) == 1


def test_a_quantised_class_is_a_finite_one():
    level = np.log(1 / DELTA) + 64 * np.log(2) + 2 * np.log(64)
    ours = quantised_class(3, 500, 64, delta=DELTA, unit="bits")
    assert ours == pytest.approx(hoeffding(3, 500, log_inv_delta=level), rel=1e-13)


def test_rademacher_of_the_reference():
    assert 2 * massart(20_000, 80) == pytest.approx(np.sqrt(2 * np.log(20_000) / 80), rel=1e-13)
    ours = rademacher(0, 80, massart(20_000, 80), delta=DELTA, clip=False)
    assert ours == pytest.approx(0.634, abs=5.1e-4)
    assert hoeffding(0, 80, log_inv_delta=np.log(20_000 / DELTA)) == pytest.approx(0.284, abs=5e-4)


def test_empirical_rademacher_against_all_signs():
    rng = np.random.default_rng(0)
    losses = (rng.random((5, 10)) < 0.4).astype(float)
    signs = np.array(list(itertools.product([-1, 1], repeat=10)))
    exact = (signs @ losses.T).max(axis=1).mean() / 10
    centred = (signs @ (losses - 0.5).T).max(axis=1).mean() / 10
    assert centred == pytest.approx(exact)
    draws = 20_000
    slack = np.sqrt(np.log(1 / 1e-3) / (2 * draws))
    ours = empirical_rademacher(losses, draws, np.random.default_rng(1), delta=1e-3)
    assert exact < ours < exact + 2 * slack
    assert exact <= massart(5, 10)
    limit = rademacher_empirical(4, 10, ours, delta=DELTA, clip=False)
    assert limit == pytest.approx(0.4 + 2 * ours + 3 * np.sqrt(np.log(2 / DELTA) / 20), rel=1e-12)


def test_the_growth_function():
    for m, h in [(1, 0), (5, 2), (40, 3), (10, 10), (4, 9)]:
        expected = sum(math.comb(m, i) for i in range(h + 1))
        assert log_growth(m, h) == pytest.approx(math.log(expected), rel=1e-12)
    assert log_growth(1000, 7) < 7 * np.log(np.e * 1000 / 7)
    ours = vc(3, 10_000, 2, delta=DELTA)
    growth = np.log(1 + 20_000 + 20_000 * 19_999 / 2)
    expected = 3e-4 + np.sqrt(8 * (growth + np.log(4 / DELTA)) / 10_000)
    assert ours == pytest.approx(expected, rel=1e-12)
    assert vc(0, 80, 2, delta=DELTA) == 1


def test_sample_compression():
    for k, n, m in [(0, 40, 3), (4, 100, 10), (2, 100, 0)]:
        level = np.log(n * math.comb(n, m) / DELTA)
        ours = sample_compression(k, n, m, delta=DELTA)
        expected = binomial_tail_inversion(k, n - m, log_inv_delta=level)
        assert ours == pytest.approx(expected, rel=1e-12)
        assert ours >= expected


def test_sample_compression_covers_nearest_neighbours():
    # one support point a class, chosen to minimise the errors on the rest; x uniform, y = x > 1/2
    rng = np.random.default_rng(2)
    n, size, noise, misses, delta = 15, 400, 0.3, 0, 0.3
    for _ in range(size):
        x = rng.random(n)
        y = (x > 0.5) ^ (rng.random(n) < noise)
        limits = []
        for i, j in itertools.combinations(range(n), 2):
            low, high = sorted((x[i], x[j]))
            cut = (low + high) / 2
            wrong = (x > cut) != y
            k = int(wrong.sum() - wrong[i] - wrong[j])
            limits.append((k, cut))
        k, cut = min(limits)
        risk = noise + (1 - 2 * noise) * abs(cut - 0.5)
        misses += sample_compression(k, n, 2, delta=delta) < risk
    assert stats.binomtest(misses, size, delta, "greater").pvalue > 1e-6


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: quantised_class(0, 80, 0.5, delta=0.1), "dimension must be at least 1"),
        (lambda: quantised_class(0, 80, 5, delta=0.1, unit="bytes"), "unit must be"),
        (lambda: quantised_class(0, 80, delta=0.1), r"takes \(k, n, dimension\)"),
        (lambda: rademacher(0, 80, -1.0, delta=0.1), "complexity must be at least 0"),
        (lambda: massart(0, 80), "M must be a number of candidates"),
        (lambda: vc(0, 80, 1.5, delta=0.1), "dimension must be a whole number"),
        (lambda: sample_compression(0, 80, 80, delta=0.1), "size must be below n"),
        (lambda: sample_compression(70, 80, 20, delta=0.1), "k must be at most the n - size"),
        (lambda: empirical_rademacher([0.1, 0.2], 5, None, delta=0.1), r"shape \(M, n\)"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
