"""Posterior drift and singular marginals: slopes of the exact bounds, limits, bad input."""

import numpy as np
import pytest

from tlstat.errors import InputError
from tlstat.minimax.local_bounds import marginal_singularity_bound, posterior_drift_bound
from tlstat.minimax.vote import vote_error

SINGULAR = [(1, 1, 1, 1), (1, 1, 2, 1), (0.5, 1, 0.5, 1)]  # alpha, beta, gamma, d
DRIFT = [(1, 1, 0.5, 1), (1, 1, 2, 1), (0.5, 1, 1, 1), (1, 0.5, 1.5, 2)]  # beta, alpha, gamma, d


def slopes(bound, n, **model):
    """Local slopes in n_P alone and in n_Q alone."""
    sizes = np.array([n, 1.01 * n]).round()
    step = np.log(sizes[1] / sizes[0])
    return [
        np.diff(np.log(value))[0] / step
        for value in (bound(sizes, 0, **model).value, bound(0, sizes, **model).value)
    ]


@pytest.mark.parametrize(("alpha", "beta", "gamma", "d"), SINGULAR)
def test_singular_marginals_have_the_published_rate(alpha, beta, gamma, d):
    model = {"smoothness": alpha, "margin": beta, "singularity": gamma, "dim": d}
    source, target = slopes(marginal_singularity_bound, 1e8, **model)
    d_0 = 2 + d / alpha
    assert source == pytest.approx(-(1 + beta) / (d_0 + gamma / alpha), abs=2e-4)
    assert target == pytest.approx(-(1 + beta) / d_0, abs=2e-4)


@pytest.mark.parametrize(("beta", "alpha", "gamma", "d"), DRIFT)
def test_posterior_drift_has_the_published_rate(beta, alpha, gamma, d):
    model = {"smoothness": beta, "margin": alpha, "signal": gamma, "dim": d}
    source, target = slopes(posterior_drift_bound, 1e8, **model)
    assert source == pytest.approx(-beta * (1 + alpha) / (2 * gamma * beta + d), abs=2e-4)
    assert target == pytest.approx(-beta * (1 + alpha) / (2 * beta + d), abs=2e-4)


@pytest.mark.parametrize(
    ("bound", "model", "source", "target"),
    [
        (marginal_singularity_bound, (1, 1, 1, 1), -0.5001, -0.6667),
        (marginal_singularity_bound, (1, 1, 2, 1), -0.4003, -0.6667),
        (marginal_singularity_bound, (0.5, 1, 0.5, 1), -0.4003, -0.5001),
        (posterior_drift_bound, (1, 1, 0.5, 1), -0.9999, -0.6667),
        (posterior_drift_bound, (1, 1, 2, 1), -0.4000, -0.6667),
        (posterior_drift_bound, (0.5, 1, 1, 1), -0.5001, -0.5001),
        (posterior_drift_bound, (1, 0.5, 1.5, 2), -0.3000, -0.3751),
    ],
)
def test_measured_slopes_of_the_reference(bound, model, source, target):
    third = "singularity" if bound is marginal_singularity_bound else "signal"
    names = ("smoothness", "margin", third, "dim")
    measured = slopes(bound, 1e6, **dict(zip(names, model, strict=True)))
    assert measured == pytest.approx([source, target], abs=4e-4)


def test_the_bound_is_the_vote_at_its_scale_and_beats_a_fine_grid():
    best = posterior_drift_bound(5_000, 300, smoothness=0.7, margin=0.8, signal=1.3, dim=2)
    r = np.geomspace(1e-3, 1, 2_000)
    curve = r ** (0.7 * 1.8) * vote_error(5_000, r**2, r ** (0.7 * 1.3), 300, r**2, r**0.7)
    assert best.value >= curve.max() * (1 - 1e-9)
    assert best.value <= curve.max() * (1 + 1e-4)
    again = best.weight * vote_error(5_000, best.p, best.delta_P, 300, best.q, best.delta_Q)
    assert best.value == pytest.approx(again, rel=1e-12)
    assert best.weight == pytest.approx(best.scale ** (0.7 * 1.8), rel=1e-12)


def test_more_data_never_raise_the_bound_and_none_is_a_coin():
    n = np.array([0, 1, 10, 100, 10_000])
    model = {"smoothness": 1, "margin": 1, "singularity": 0.5, "dim": 1}
    table = marginal_singularity_bound(n[:, None], n, **model).value
    assert table.shape == (5, 5)
    assert (np.diff(table, axis=0) <= 1e-9).all()
    assert (np.diff(table, axis=1) <= 1e-9).all()
    assert table[0, 0] == pytest.approx(0.5)


def test_no_shift_makes_samples_exchangeable():
    shared = {"smoothness": 0.8, "margin": 1, "dim": 2}
    pooled = marginal_singularity_bound(0, 900, singularity=0, **shared).value
    split = marginal_singularity_bound(500, 400, singularity=0, **shared).value
    assert split == pytest.approx(pooled, rel=1e-9)
    drift = posterior_drift_bound(500, 400, signal=1, **shared).value
    assert drift == pytest.approx(pooled, rel=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"smoothness": 1.5}, r"smoothness must be in \(0, 1\], got 1.5"),
        ({"smoothness": 0}, "smoothness"),
        ({"margin": -1}, "margin"),
        ({"margin": 2.5}, "0 <= alpha <= dim/beta"),
        ({"signal": 0}, "signal must be positive"),
        ({"dim": 0, "margin": 0}, "dim must be 1 or more"),
        ({"n_P": -1}, "n_P"),
        ({"n_P": [1, 2], "n_Q": [1, 2, 3]}, "do not broadcast"),
    ],
)
def test_bad_input_is_named(change, message):
    good = {"n_P": 10, "n_Q": 10, "smoothness": 1, "margin": 1, "signal": 1, "dim": 1}
    with pytest.raises(InputError, match=message):
        posterior_drift_bound(**{**good, **change})


def test_a_negative_singularity_is_refused():
    with pytest.raises(InputError, match="singularity must be 0 or more"):
        marginal_singularity_bound(1, 1, smoothness=1, margin=1, singularity=-0.5, dim=1)
