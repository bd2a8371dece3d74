"""Half-spaces: the closed form, and conditioning by rejection and by splitting."""

import math

import mpmath
import numpy as np
import pytest
from scipy.stats import kstest

from tlstat.errors import InputError
from tlstat.inductive_bias import HalfspaceSpace, ThresholdSpace, inductive_bias
from tlstat.inductive_bias.spaces import AngleLaw, cube
from tlstat.inductive_bias.two_phase import two_phase_splitting

DEEP = {(10, 0.05): -18.73, (20, 0.02): -54.99, (50, 0.01): -172.44, (100, 0.001): -573.76}


@pytest.mark.parametrize(("d", "error"), DEEP)
def test_the_angle_to_a_target_has_the_known_law(d, error):
    found = AngleLaw(d).logcdf(error)
    assert found == pytest.approx(DEEP[d, error], abs=5e-3)
    with mpmath.workdps(40):
        x = mpmath.sin(mpmath.pi * mpmath.mpf(error)) ** 2
        exact = mpmath.log(mpmath.betainc((d - 1) / 2, 0.5, 0, x, regularized=True) / 2)
    assert found == pytest.approx(float(exact), rel=1e-12)


def test_the_law_is_symmetric_and_that_of_its_draws():
    law = AngleLaw(4)
    assert law.cdf(0.3) + law.cdf(0.7) == pytest.approx(1, abs=1e-14)
    assert (law.logcdf(0.0), law.logcdf(1.0), law.cdf(0.5)) == (-math.inf, 0.0, 0.5)
    assert kstest(law.rvs(4000, 0), law.cdf).pvalue > 1e-6


def test_one_example_halves_the_circle():
    # given w.x > 0 the angle to x is uniform on (-pi/2, pi/2)
    space = HalfspaceSpace(2).condition([[1.0, 0.0]], [1])
    latent = space.population_latent([2.0, 0.0])
    w = np.random.default_rng(0).standard_normal((40_000, 2))
    fits = latent.fit_score(w) <= latent.fit_level
    errors = latent.score(w[fits])
    assert kstest(2 * errors, "uniform").pvalue > 1e-6
    assert abs(fits.mean() - 0.5) < 5 * 0.5 / 200


def test_two_phase_splitting_finds_a_small_conditional_probability():
    # the same circle: P(error <= x | fits) = 2 x
    space = HalfspaceSpace(2).condition([[1.0, 0.0]], [1])
    latent = space.population_latent([1.0, 0.0])
    from tlstat.backend import Random

    found = two_phase_splitting(latent, 1e-4, Random(5), n_particles=500, level=1 - 1e-6)
    low, high = found.interval
    assert low < -math.log(2e-4) < high and high - low < 6
    assert found.train_nats == pytest.approx(math.log(2), abs=0.2)


def test_halfspaces_with_a_constant_feature_are_gaussian_thresholds():
    X = np.column_stack([2 * cube(3) - 1, np.ones(8)])
    y = (X[:, 0] > 0).astype(int)
    counted = ThresholdSpace(3, "gaussian").condition(cube(3)[:3], y[:3])
    exact = -counted.error_law(cube(3), y).logcdf(0.125)
    kinds = {"monte_carlo": 20_000, "splitting": 1500}
    for method, size in kinds.items():
        bias = inductive_bias(
            HalfspaceSpace(4), X[:3], y[:3], X, y, 0.125, method=method, size=size, level=1 - 1e-6
        )
        assert bias.interval[0] - 0.01 < exact < bias.interval[1] + 0.01
        assert bias.interval[1] - bias.interval[0] < 1.2
        assert bias.method == method
        share = math.exp(counted.log_mass())
        assert bias.kept_share == pytest.approx(share, rel=0.15)


def test_where_few_fit_splitting_is_chosen():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 6))
    y = (X[:, 0] > 0).astype(int)
    bias = inductive_bias(HalfspaceSpace(6), X[:30], y[:30], X[30:], y[30:], 0.2, size=100)
    assert bias.method == "splitting" and bias.kept_share < 1e-3
    assert "two phases" in bias.notes[0]
    assert bias.details["train_nats"] == pytest.approx(-math.log(bias.kept_share))


def test_rejection_gives_up_with_the_share(monkeypatch):
    from tlstat.inductive_bias.spaces import base

    monkeypatch.setattr(base.reject, "__kwdefaults__", {"pointwise": False, "draws_max": 5000})
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 8))
    y = (X[:, 0] > 0).astype(int)
    space = HalfspaceSpace(8).condition(X[:50], y[:50])
    with pytest.raises(InputError, match=r"only \d+ of 5\d* random.*method='splitting'"):
        space.sample_errors(X[50:], y[50:], 0, 100)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: HalfspaceSpace(1), "d is 1"),
        (lambda: HalfspaceSpace(2).condition([[1.0, 0], [-1, 0]], [1, 1]), "no half-space"),
        (lambda: HalfspaceSpace(2).condition([[1.0, 0]], [1, 1]), r"y_train has shape \(2,\)"),
        (lambda: HalfspaceSpace(2).condition([[1.0, 0]], [3]), "expected 0/1 or -1/1"),
        (lambda: HalfspaceSpace(2).condition([[1.0, 0]], [1]).population_law(), "without training"),
        (lambda: HalfspaceSpace(2).condition([], []).population_latent([0, 0]), "direction"),
        (lambda: HalfspaceSpace(2).condition([], []).latent([[1, 1]], [1], loss="squared"), "loss"),
    ],
)  # fmt: skip
def test_bad_input_is_named(make, message):
    with pytest.raises(InputError, match=message):
        make()
