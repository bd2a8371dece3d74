"""Diversity and differences against minimisation, enumeration and quadrature."""

import cvxpy as cp
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from tlstat.errors import InputError
from tlstat.task_diversity.diversity import (
    check_diversity,
    check_gap,
    diversity,
    gap_of_features,
    gap_of_moments,
    representation_gap,
    second_moment,
    target_diversity,
    task_averaged_difference,
    task_difference,
    tilted_representation,
    worst_case_difference,
)

C_REFERENCE = np.diag([0.6, 0.3, 0.1])
HEADS = np.sqrt(3) * np.sqrt(C_REFERENCE)  # A'A/3 = C


def orthonormal(rng, *shape):
    return np.linalg.qr(rng.normal(size=shape))[0]


def covariance(rng, d):
    K = rng.normal(size=(d, d))
    return K @ K.T + 0.1 * np.eye(d)


@pytest.mark.parametrize("isotropic", [True, False])
def test_the_gap_is_the_excess_risk_of_the_best_head(isotropic):
    rng = np.random.default_rng(1)
    B, B_hat, alpha = orthonormal(rng, 7, 3), rng.normal(size=(7, 4)), rng.normal(size=3)
    Sigma = np.eye(7) if isotropic else covariance(rng, 7)
    Lambda = representation_gap(B_hat, B, None if isotropic else Sigma)
    head = cp.Variable(4)
    root = np.linalg.cholesky(Sigma).T
    best = cp.Problem(cp.Minimize(cp.sum_squares(root @ (B_hat @ head - B @ alpha)))).solve()
    assert task_difference(Lambda, alpha) == pytest.approx(best, rel=1e-6)


def test_isotropic_gaps_are_squared_sines():
    rng = np.random.default_rng(2)
    B, B_hat = orthonormal(rng, 8, 3), orthonormal(rng, 8, 3)
    from scipy.linalg import subspace_angles

    sines = np.sort(np.sin(subspace_angles(B, B_hat)) ** 2)
    assert np.linalg.eigvalsh(representation_gap(B_hat, B)) == pytest.approx(sines, abs=1e-12)


def test_tiny_angles_keep_their_relative_accuracy():
    B = np.eye(6)[:, :2]
    B_hat = tilted_representation(B, np.array([1.0, 0.0]), 1e-9)
    assert worst_case_difference(representation_gap(B_hat, B)) == pytest.approx(1e-18, rel=1e-6)


def test_only_the_span_of_the_other_representation_counts():
    rng = np.random.default_rng(3)
    B, B_hat, Sigma = orthonormal(rng, 6, 2), rng.normal(size=(6, 3)), covariance(rng, 6)
    more = np.hstack([B_hat @ rng.normal(size=(3, 3)), B_hat])
    assert representation_gap(more, B, Sigma) == pytest.approx(representation_gap(B_hat, B, Sigma))


def test_gaps_of_nonlinear_features_from_values_and_from_moments():
    rng = np.random.default_rng(4)
    X, p = rng.normal(size=(40, 3)), rng.dirichlet(np.ones(40))
    H, H_hat = np.tanh(X @ rng.normal(size=(3, 3))), np.abs(X[:, :2])
    Lambda = gap_of_features(H_hat, H, p)
    moments = (H.T * p) @ H, (H.T * p) @ H_hat, (H_hat.T * p) @ H_hat
    assert gap_of_moments(*moments) == pytest.approx(Lambda, abs=1e-12)
    alpha = rng.normal(size=3)

    def risk(head):
        return p @ (H_hat @ head - H @ alpha) ** 2

    found = minimize(risk, np.zeros(2), method="BFGS", options={"gtol": 1e-12}).fun
    assert task_difference(Lambda, alpha) == pytest.approx(found, rel=1e-8)
    assert gap_of_features(H_hat, H) == pytest.approx(gap_of_features(H_hat, H, np.ones(40)))


def test_a_singular_covariance_hides_what_it_does_not_see():
    B, B_hat = np.eye(3)[:, :1], np.eye(3)[:, 1:2]
    assert representation_gap(B_hat, B, np.diag([0.0, 1.0, 1.0])) == pytest.approx(0)
    assert representation_gap(B_hat, B, np.diag([2.0, 0.0, 1.0])) == pytest.approx(2)


def test_differences_are_the_definition_over_heads():
    rng = np.random.default_rng(5)
    Lambda = representation_gap(orthonormal(rng, 6, 2), orthonormal(rng, 6, 2))
    A = rng.normal(size=(5, 2))
    one_by_one = np.mean([task_difference(Lambda, alpha) for alpha in A])
    assert task_averaged_difference(Lambda, second_moment(A)) == pytest.approx(one_by_one)
    angles = np.linspace(0, np.pi, 20_001)
    circle = 1.7 * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    worst = np.max(task_difference(Lambda, circle))
    assert worst_case_difference(Lambda, 1.7) == pytest.approx(worst, rel=1e-6)


def test_diversity_and_its_special_values():
    assert diversity(HEADS) == pytest.approx(0.1)
    signs = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]]) / np.sqrt(2)
    assert diversity(signs) == pytest.approx(1 / 2)  # unit norm: 1/r, not 1
    assert diversity(np.ones((1, 2))) == 0
    assert diversity(np.ones((9, 2))) == pytest.approx(0, abs=1e-15)
    rng = np.random.default_rng(6)
    stack = rng.normal(size=(4, 7, 3))
    expected = [np.linalg.eigvalsh(A.T @ A / 7)[0] for A in stack]
    assert diversity(stack) == pytest.approx(expected)


def test_the_diversity_of_a_target_is_the_best_constant():
    """Maximised over gaps, by a semidefinite program."""
    rng = np.random.default_rng(7)
    A, alpha = rng.normal(size=(6, 3)), rng.normal(size=3)
    C = second_moment(A)
    gap = cp.Variable((3, 3), PSD=True)
    largest = cp.Maximize(alpha @ gap @ alpha)
    value = cp.Problem(largest, [cp.trace(gap @ C) == 1]).solve()
    assert target_diversity(A, alpha) == pytest.approx(1 / value, rel=1e-5)
    assert target_diversity(A, alpha) == pytest.approx(1 / (alpha @ np.linalg.solve(C, alpha)))


def test_targets_that_tasks_do_not_span():
    A = np.array([[1.0, 0, 0], [0, 2.0, 0]])
    targets = np.array([[1, 1, 0.0], [0, 0, 1.0], [0, 0, 0.0], [1, 0, 1e-3]])
    assert target_diversity(A, targets).tolist() == [pytest.approx(0.4), 0.0, np.inf, 0.0]
    # a hair outside by rounding is inside
    assert target_diversity(A, np.array([1, 1, 1e-12])) == pytest.approx(0.4)


def test_the_number_of_the_reference():
    """C = diag(.6, .3, .1): random gaps stay above 0.1, the tilted one attains it."""
    rng = np.random.default_rng(8)
    B = np.eye(8)[:, :3]
    found = check_diversity(orthonormal(rng, 500, 8, 3), B, HEADS)
    assert np.all(found.holds) and np.max(found.ratio) < 1
    tilted = check_diversity(tilted_representation(B, np.array([0, 0, 1.0]), 0.4), B, HEADS)
    assert tilted.holds and tilted.ratio == pytest.approx(1, abs=1e-12)
    wrong = check_diversity(
        tilted_representation(B, np.array([0, 0, 1.0]), 0.4), B, HEADS, nu=0.101
    )
    assert not wrong.holds


def test_one_target_has_its_own_worst_representation():
    rng = np.random.default_rng(9)
    A, alpha, B = rng.normal(size=(6, 3)), rng.normal(size=3), orthonormal(rng, 7, 3)
    worst = np.linalg.solve(second_moment(A), alpha)
    found = check_diversity(tilted_representation(B, worst, 0.7), B, A, target=alpha)
    assert found.holds and found.ratio == pytest.approx(1, abs=1e-12)
    others = check_diversity(orthonormal(rng, 300, 7, 3), B, A, target=alpha)
    assert np.all(others.holds) and np.all(others.ratio < 1)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 4), st.booleans())
def test_the_inequality_for_any_pair(seed, r, width, isotropic):
    rng = np.random.default_rng(seed)
    d = 6
    Sigma = None if isotropic else covariance(rng, d)
    A, radius = rng.normal(size=(5, r)), float(rng.uniform(0.3, 3))
    found = check_diversity(
        rng.normal(size=(d, width)), rng.normal(size=(d, r)), A, radius=radius, covariance=Sigma
    )
    assert found.holds
    # eps is subtracted
    looser = check_diversity(
        np.zeros((d, 1)) + 1.0, rng.normal(size=(d, r)), A, nu=1e6, eps=1e6, covariance=Sigma
    )
    assert looser.holds


def test_the_inequality_for_nonlinear_features():
    rng = np.random.default_rng(12)
    X, A = rng.normal(size=(200, 4)), rng.normal(size=(5, 3))
    H = np.tanh(X @ rng.normal(size=(4, 3)))
    for _ in range(50):
        H_hat = np.maximum(X @ rng.normal(size=(4, 3)), 0)
        found = check_gap(gap_of_features(H_hat, H), A, radius=2.0)
        assert found.holds and 0 < found.ratio < 1
    assert not check_gap(np.diag([1.0, 0, 0]), np.diag([0.1, 2, 2]), nu=0.1).holds


def test_equal_representations_have_no_difference():
    B = np.eye(5)[:, :2]
    found = check_diversity(B, B, np.eye(2))
    assert found.holds and np.isnan(found.ratio)
    missing = check_diversity(np.eye(5)[:, 2:4], B, np.array([[1.0, 0.0]]))
    assert missing.nu == 0 and missing.holds


def test_torch_gives_the_same_numbers():
    rng = np.random.default_rng(10)
    B_hat, B, A = rng.normal(size=(4, 6, 2)), orthonormal(rng, 6, 2), rng.normal(size=(4, 5, 2))
    Sigma, alpha = covariance(rng, 6), rng.normal(size=(4, 2))
    t = torch.asarray
    for on_numpy, on_torch in [
        (representation_gap(B_hat, B, Sigma), representation_gap(t(B_hat), t(B), t(Sigma))),
        (diversity(A), diversity(t(A))),
        (target_diversity(A, alpha), target_diversity(t(A), t(alpha))),
        (check_diversity(B_hat, B, A).ratio, check_diversity(t(B_hat), t(B), t(A)).ratio),
        (
            tilted_representation(B, alpha[0], 0.3) ** 2,
            tilted_representation(t(B), t(alpha[0]), 0.3) ** 2,
        ),
    ]:
        assert isinstance(on_torch, torch.Tensor)
        assert np.asarray(on_torch) == pytest.approx(on_numpy, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: diversity(np.zeros((0, 2))), r"A has shape \(0, 2\); expected \(..., t, r\)"),
        (lambda: diversity([[np.nan, 1.0]]), "A has NaN or infinite entries"),
        (lambda: diversity([["a"]]), "A has dtype <U1; expected real numbers"),
        (lambda: target_diversity(np.eye(3), np.ones(2)), r"A has shape \(3, 3\) and alpha_0"),
        (lambda: representation_gap(np.eye(3), np.eye(4)), "B_hat has shape .* and B"),
        (
            lambda: representation_gap(np.eye(2), np.eye(2), np.diag([1.0, -1.0])),
            "covariance has the eigenvalue -1; expected a positive semidefinite matrix",
        ),
        (
            lambda: representation_gap(np.eye(2), np.eye(2), np.array([[1.0, 2.0], [0, 1.0]])),
            "covariance differs from its transpose by up to 2",
        ),
        (
            lambda: gap_of_moments(np.eye(2), 2 * np.eye(2), np.eye(2)),
            "the Schur complement of the moments has the eigenvalue -3",
        ),
        (lambda: gap_of_features(np.ones((3, 1)), np.ones((3, 1)), -np.ones(3)), "weights must"),
        (lambda: worst_case_difference(np.eye(2), 0.0), "radius is 0.0; expected finite numbers"),
        (lambda: tilted_representation(np.eye(2), np.ones(2), 0.1), "fewer columns than rows"),
        (lambda: tilted_representation(np.eye(3)[:, :2], np.zeros(2), 0.1), "direction is 0.0"),
        (lambda: check_diversity(np.eye(3), np.eye(3), np.eye(3), eps=-1), "eps is -1"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
