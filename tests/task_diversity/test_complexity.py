"""Complexities against simulation, brute force over representations, and semidefinite programs."""

import cvxpy as cp
import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlstat.errors import InputError
from tlstat.task_diversity.complexity import (
    chain_rule,
    composite_complexity,
    composite_supremum,
    expected_norm,
    head_complexity,
    representation_complexity,
    worst_head_complexity,
)

Z = 4.89  # two-sided normal quantile of 1e-6


def unit_points(rng, *shape):
    X = rng.normal(size=shape)
    return X / np.linalg.norm(X, axis=-1, keepdims=True)


def test_expected_norms():
    assert expected_norm([4.0]) == pytest.approx(2 * np.sqrt(2 / np.pi), rel=1e-12)
    for k in (2, 3, 50):  # means of chi laws
        mean = float(mp.sqrt(2) * mp.gamma(mp.mpf(k + 1) / 2) / mp.gamma(mp.mpf(k) / 2))
        assert expected_norm(np.ones(k)) == pytest.approx(mean, rel=1e-12)
    # an ellipse: the mean is a complete elliptic integral
    a, b = 3.0, 1.0
    elliptic = float(mp.sqrt(2 / mp.pi) * a * mp.ellipe(1 - mp.mpf(b) ** 2 / a**2))
    assert expected_norm([a**2, b**2]) == pytest.approx(elliptic, rel=1e-12)
    assert expected_norm([1e12, 1e-12]) == pytest.approx(1e6 * np.sqrt(2 / np.pi), rel=1e-10)
    assert expected_norm([0.0, 0.0]) == 0


def test_heads_on_fixed_features():
    rng = np.random.default_rng(1)
    features = rng.normal(size=(7, 3))
    found = head_complexity(features, 2.0)
    draws = 2 * np.linalg.norm(rng.normal(size=(200_000, 7)) @ features, axis=1) / 7
    assert abs(found.value - draws.mean()) < Z * draws.std() / 200_000**0.5
    assert found.lower == found.value <= found.upper and found.exact


@pytest.mark.parametrize(("n", "r"), [(6, 2), (2, 5), (4, 4), (1, 1)])
def test_the_worst_features(n, r):
    """Attained by a tight frame, beaten by no features that a search finds."""
    worst = worst_head_complexity(n, r, radius=1.5, bound=2.0)
    rng = np.random.default_rng(2)
    for _ in range(100):
        features = 2 * unit_points(rng, n, r)
        assert head_complexity(features, 1.5).value <= worst * (1 + 1e-9)
    if r == 2:  # the regular hexagon
        angles = 2 * np.pi * np.arange(n) / n
        frame = 2 * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        assert head_complexity(frame, 1.5).value == pytest.approx(worst)
    assert worst <= 1.5 * 2 / np.sqrt(n)


def test_representations_against_a_semidefinite_program():
    """The supremum over orthonormal columns is the nuclear norm."""
    rng = np.random.default_rng(3)
    X, G = rng.normal(size=(9, 4)), rng.normal(size=(9, 2))
    M = X.T @ G
    B = cp.Variable((4, 2))
    convex = cp.Problem(cp.Maximize(cp.trace(B.T @ M)), [cp.sigma_max(B) <= 1]).solve()
    assert np.linalg.norm(M, "nuc") == pytest.approx(convex, rel=1e-5)
    found = representation_complexity(X, 2, rng, draws=4000)
    direct = [np.linalg.norm(X.T @ rng.normal(size=(9, 2)), "nuc") / 9 for _ in range(4000)]
    error = np.hypot(found.standard_error, np.std(direct) / 4000**0.5)
    assert abs(found.value - np.mean(direct)) < Z * error
    assert found.lower <= found.value <= found.upper
    assert found.upper == pytest.approx(2 * np.sqrt(np.trace(X.T @ X) / 9 / 9))


def test_one_dimensional_representations_are_heads():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(8, 3))
    found = representation_complexity(X, 1, rng, draws=20_000)
    assert abs(found.value - head_complexity(X).value) < Z * found.standard_error
    assert found.lower == pytest.approx(head_complexity(X).value)


def test_the_composite_supremum_against_brute_force():
    """In the plane a representation of one dimension is an angle."""
    rng = np.random.default_rng(5)
    z = rng.normal(size=(30, 5, 2))
    angles = np.linspace(0, np.pi, 20_001)
    directions = np.stack([np.cos(angles), np.sin(angles)])
    brute = np.max(np.sum(np.abs(z @ directions), axis=1), axis=-1)
    lower, upper = composite_supremum(z, 1, restarts=10)
    assert np.all(lower <= brute * (1 + 1e-6)) and np.all(brute <= upper * (1 + 1e-9))
    assert lower == pytest.approx(brute, rel=1e-6)


@pytest.mark.parametrize("r", [1, 2, 4])
def test_the_bracket_contains_the_relaxation_and_any_representation(r):
    rng = np.random.default_rng(6)
    z = rng.normal(size=(6, 4))
    lower, upper = composite_supremum(z, r)
    B = np.linalg.qr(rng.normal(size=(2000, 4, r)))[0]
    assert np.max(np.sum(np.linalg.norm(z @ B, axis=-1), axis=-1)) <= lower * (1 + 1e-6)
    P = cp.Variable((4, 4), PSD=True)
    heights = [cp.sqrt(cp.trace(P @ np.outer(v, v))) for v in z]
    relaxed = cp.Problem(
        cp.Maximize(cp.sum(cp.hstack(heights))), [cp.trace(P) == r, P << np.eye(4)]
    ).solve(solver=cp.CLARABEL)
    assert lower <= relaxed * (1 + 1e-6) and relaxed <= upper * (1 + 1e-6)
    assert upper <= 1.02 * relaxed
    if r == 4:
        assert lower == pytest.approx(np.sum(np.linalg.norm(z, axis=-1)))


def test_the_chain_rule_at_the_setting_of_the_reference():
    """d = 10, r = 2, t = 4, n = 6, unit points: .336, .390, 1/sqrt 6 and about 325 there."""
    rng = np.random.default_rng(7)
    X = unit_points(rng, 4, 6, 10)
    both = composite_complexity(X, 2, rng, draws=300)
    of_H, of_F = representation_complexity(X, 2, rng, draws=1000), worst_head_complexity(6, 2)
    assert both.value == pytest.approx(0.336, abs=0.02)
    assert of_H.value == pytest.approx(0.390, abs=0.01)
    assert both.upper <= 1.001 * both.value
    rule = chain_rule(of_H.value, of_F, 6, 4)
    assert both.upper + Z * both.standard_error < rule.constant_free < rule.infimum < rule.stated
    assert rule.infimum == 4 and rule.delta == 1
    assert chain_rule(of_H.value, 6**-0.5, 6, 4).stated == pytest.approx(325, rel=0.02)


@given(st.floats(1e-4, 1), st.floats(1e-4, 1), st.integers(1, 1000), st.integers(1, 100))
def test_both_forms_of_the_chain_rule(of_H, of_F, n, t):
    rule = chain_rule(of_H, of_F, n, t, lipschitz=2.0, bound=3.0)
    total = 2 * of_H + of_F
    assert rule.constant_free == pytest.approx(total)
    deltas = np.geomspace(1e-8, 3.0, 4001)
    values = 4 * deltas + 64 * total * np.log(3.0 / deltas)
    assert rule.infimum <= np.min(values) * (1 + 1e-12)
    assert rule.infimum == pytest.approx(np.min(values), rel=1e-4)
    at_stated = 3.0 / (n * t) ** 2
    assert rule.stated == pytest.approx(4 * at_stated + 64 * total * np.log(3.0 / at_stated))
    assert rule.infimum <= rule.stated * (1 + 1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: expected_norm([-1.0]), "variances is"),
        (lambda: head_complexity(np.ones((3, 2)), 0.0), "radius is 0.0"),
        (lambda: head_complexity(np.ones(3)), r"Z has shape \(3,\); expected \(n, r\)"),
        (
            lambda: representation_complexity(np.ones((3, 2)), 3, np.random.default_rng(0)),
            "r is 3; expected at most 2",
        ),
        (lambda: composite_supremum(np.ones((3, 2)), 0), "r is 0"),
        (
            lambda: composite_complexity(np.ones((3, 2)), 1, np.random.default_rng(0)),
            r"expected \(t, n, d\)",
        ),
        (lambda: chain_rule(0.0, 1.0, 2, 2), "of_representations is 0.0"),
        (lambda: chain_rule(1.0, 1.0, 0, 2), "n is 0"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
