"""Principal angles against planes of known angle, scipy's, and their own laws."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import subspace_angles

from tlstat.backend import Random
from tlstat.errors import InputError
from tlstat.task_diversity import subspace as sub


def tilted(d: int, angles: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Two bases whose principal angles are those given."""
    r = len(angles)
    B = np.eye(d, r)
    tilt = np.zeros((d, r))
    for i, angle in enumerate(angles):
        tilt[i, i], tilt[r + i, i] = np.cos(angle), np.sin(angle)
    return tilt, B


def haar(seed: int, d: int, r: int, size: int = 1) -> np.ndarray:
    return Random(seed).orthogonal(d, r, size)


@pytest.mark.parametrize("scale", [1.0, 1e-4, 1e-8, 1e-12])
def test_angles_keep_their_digits_however_small(scale: float) -> None:
    angles = [1.2 * scale, 0.5 * scale, 0.1 * scale]
    B_hat, B = tilted(9, angles)
    turn = haar(3, 9, 9)[0]
    R = haar(4, 3, 3)[0]
    want = np.array([float(mpmath.sin(a) ** 2) for a in angles])
    got = sub.squared_sines(turn @ B_hat @ R, turn @ B)
    # rounding of the bases themselves is an angle of about 1e-16
    slack = 4e-15 * np.array(angles) + 1e-30
    np.testing.assert_array_less(np.abs(got - want), 1e-12 * want + 20 * slack)
    assert sub.largest_sine(turn @ B_hat, turn @ B) == pytest.approx(np.sin(angles[0]), rel=1e-3)
    assert sub.squared_distance(turn @ B_hat, turn @ B) == pytest.approx(want.sum(), rel=2e-3)


def test_cosines_would_lose_the_angle() -> None:
    B_hat, B = tilted(6, [1e-9, 1e-9])
    cosines = np.linalg.svd(B_hat.T @ B, compute_uv=False)
    assert np.sqrt(1 - cosines.min() ** 2) == 0.0
    assert sub.largest_sine(B_hat, B) == pytest.approx(1e-9, rel=1e-12)


def test_agrees_with_scipy() -> None:
    A, B = haar(1, 12, 4)[0], haar(2, 12, 4)[0]
    np.testing.assert_allclose(
        sub.squared_sines(A, B), np.sin(subspace_angles(A, B)) ** 2, atol=1e-14
    )


@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(0, 5))
def test_laws_of_the_distance(seed: int, r: int, more: int) -> None:
    d = 2 * r + more
    A, B = haar(seed, d, r)[0], haar(seed + 1, d, r)[0]
    turn, R = haar(seed + 2, d, d)[0], haar(seed + 3, r, r)[0]
    s = sub.squared_sines(A, B)
    assert np.all((s >= 0) & (s <= 1)) and np.all(np.diff(s) <= 0)
    np.testing.assert_allclose(s, sub.squared_sines(B, A), atol=1e-12)
    np.testing.assert_allclose(s, sub.squared_sines(turn @ A @ R, turn @ B), atol=1e-12)
    P = A @ A.T - B @ B.T
    assert sub.squared_distance(A, B) == pytest.approx(np.sum(P**2) / 2, abs=1e-12)
    assert sub.squared_distance(A, B) == pytest.approx(r - np.sum((A.T @ B) ** 2), abs=1e-12)
    assert sub.largest_sine(A, B) == pytest.approx(np.linalg.norm(P, 2), abs=1e-12)
    assert sub.squared_distance(A, A @ R) < 1e-28


@given(st.integers(0, 10_000))
def test_largest_sine_is_a_metric(seed: int) -> None:
    A, B, C = haar(seed, 7, 3, 3)
    assert sub.largest_sine(A, C) <= sub.largest_sine(A, B) + sub.largest_sine(B, C) + 1e-12


def test_bases_of_other_rank_are_measured_on_the_second_one() -> None:
    B = np.eye(6, 2)
    assert sub.squared_distance(np.eye(6, 4), B) == 0
    np.testing.assert_allclose(sub.squared_sines(np.eye(6, 1), B), [1, 0], atol=1e-15)


def test_broadcasts_and_takes_tensors() -> None:
    A, B = haar(5, 8, 3, 4), np.eye(8, 3)
    s = sub.squared_sines(A, B)
    assert s.shape == (4, 3)
    tensors = torch.from_numpy(A), torch.from_numpy(B)
    np.testing.assert_allclose(sub.squared_sines(*tensors).numpy(), s, atol=1e-14)
    np.testing.assert_allclose(sub.squared_distance(*tensors).numpy(), s.sum(-1), atol=1e-13)


def test_top_subspace_takes_the_largest_eigenvalues() -> None:
    turn = haar(6, 6, 6)[0]
    M = turn @ np.diag([1.0, 7.0, 3.0, -9.0, 0.5, 2.0]) @ turn.T
    top = sub.top_subspace(M, 2)
    np.testing.assert_allclose(np.abs(top.T @ turn[:, [1, 2]]), np.eye(2), atol=1e-12)


@pytest.mark.parametrize("r", [0, -1, 7, 1.5, True])
def test_ranks_that_are_none(r: float) -> None:
    with pytest.raises(InputError, match="r is .*; expected a rank from 1 to d = 6"):
        sub.top_subspace(np.eye(6), r)  # type: ignore[arg-type]


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(InputError, match="B_hat has shape"):
        sub.squared_sines(np.eye(5, 2), np.eye(6, 2))
    with pytest.raises(InputError, match="M has shape"):
        sub.top_subspace(np.ones((3, 4)), 2)
