"""Logistic differences against mpmath, a general optimiser and the inequality of diversity."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from tlstat.errors import InputError
from tlstat.task_diversity.diversity import diversity
from tlstat.task_diversity.logistic import (
    log_loss_bracket,
    log_loss_difference,
    logistic_difference,
    logistic_diversity,
    logistic_factor,
)


def test_the_factor():
    assert logistic_factor(0) == 1
    s = 1 / (1 + np.exp(-3.0))
    assert logistic_factor([3.0]) == pytest.approx([4 * s * (1 - s)])
    assert logistic_factor(700.0) == pytest.approx(4 * np.exp(-700.0))
    A = np.diag([2.0, 1.0])
    assert logistic_diversity(A, 3.0, 2.0) == pytest.approx(s * (1 - s) * diversity(A))


@pytest.mark.parametrize(
    ("eta", "eta_hat"), [(0.3, 0.3 + 1e-7), (2, -2), (30, -40), (-700, 700), (5, 5.9), (1, 1)]
)
def test_divergences_against_mpmath(eta, eta_hat):
    with mp.workdps(700):
        a, b = mp.mpf(eta), mp.mpf(eta_hat)
        p, q = 1 / (1 + mp.exp(-a)), 1 / (1 + mp.exp(-b))
        value = float(p * mp.log(p / q) + (1 - p) * mp.log((1 - p) / (1 - q)))
    assert log_loss_difference(eta, eta_hat) == pytest.approx(value, rel=1e-8, abs=1e-300)


def test_the_range_of_the_reference():
    """On |eta| <= 3 the ratio runs from .02275 to .12500, against s'(3)/2 = .02259 and 1/8."""
    grid = np.linspace(-3, 3, 241)
    eta, eta_hat = (g.ravel() for g in np.meshgrid(grid, grid))
    apart = eta != eta_hat
    lower, value, upper = log_loss_bracket(eta[apart], eta_hat[apart])
    assert np.all(lower <= value * (1 + 1e-9)) and np.all(value <= upper * (1 + 1e-9))
    ratio = value / (eta[apart] - eta_hat[apart]) ** 2
    assert logistic_factor(3.0) / 8 == pytest.approx(0.02259, abs=5e-6)
    assert 0.02259 < np.min(ratio) < 0.0230 and np.max(ratio) == pytest.approx(0.125, abs=1e-4)


def test_differences_against_a_general_optimiser():
    rng = np.random.default_rng(1)
    X, p = rng.normal(size=(60, 5)), rng.dirichlet(np.ones(60))
    H, H_hat, heads = X[:, :3], X[:, 1:4], rng.normal(size=(4, 3))
    found = logistic_difference(H_hat, H, heads, p)

    def risk(head, alpha):
        return p @ log_loss_difference(H @ alpha, H_hat @ head)

    for alpha, value, lower, head in zip(heads, found.value, found.lower, found.heads, strict=True):
        best = minimize(risk, np.zeros(3), args=(alpha,), method="BFGS", tol=1e-12)
        assert value == pytest.approx(best.fun, rel=1e-6)
        assert value == pytest.approx(risk(head, alpha), rel=1e-12)
        assert lower <= value and value - lower < 1e-12
    assert found.range == pytest.approx(
        max(np.abs(heads @ H.T).max(), np.abs(found.heads @ H_hat.T).max())
    )


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 3.0))
def test_logistic_tasks_are_diverse_within_their_range(seed, scale):
    """The inequality for all targets in a ball, exactly, on a finite law of x."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, size=(25, 5))
    B, B_hat = (np.linalg.qr(rng.normal(size=(5, 2)))[0] for _ in range(2))
    A = scale * rng.normal(size=(6, 2))
    angles = np.linspace(0, np.pi, 24, endpoint=False)
    targets = scale * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    source = logistic_difference(X @ B_hat, X @ B, A)
    target = logistic_difference(X @ B_hat, X @ B, targets)
    nu = logistic_diversity(A, max(source.range, target.range), scale)
    assert np.max(target.value) <= np.mean(source.value) / nu * (1 + 1e-9)


def test_degenerate_representations():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(30, 3))
    same = logistic_difference(X, X, np.eye(3))
    assert same.value == pytest.approx(np.zeros(3), abs=1e-15)
    # dependent features, and points of probability 0
    twice = logistic_difference(np.hstack([X, X]), X, np.eye(3), np.r_[np.ones(20), np.zeros(10)])
    assert twice.value == pytest.approx(np.zeros(3), abs=1e-15)
    steep = logistic_difference(X[:, :1], X, 40 * np.eye(3))
    assert np.all(np.isfinite(steep.value)) and np.all(steep.value - steep.lower < 1e-10)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: logistic_factor(-1), "M is -1"),
        (lambda: log_loss_bracket([1.0, 4.0], [0.0, 0.0], 3.0), r"predictor of 4 is outside"),
        (lambda: logistic_diversity(np.eye(2), 1.0, 0.0), "radius is 0.0"),
        (
            lambda: logistic_difference(np.eye(3), np.eye(2), np.ones((1, 2))),
            "H_hat has shape",
        ),
        (
            lambda: logistic_difference(np.eye(2), np.eye(2), np.ones((1, 2)), [0.0, 0.0]),
            "weights must be 0 or above",
        ),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
