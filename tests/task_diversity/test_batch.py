"""Batched estimators: against those of one problem, on both back ends, and by their own laws."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch

from tlstat.backend import Random, to_numpy
from tlstat.errors import InputError
from tlstat.task_diversity import batch, estimators
from tlstat.task_diversity.models import LinearTasks
from tlstat.task_diversity.moments import Factored, Moments, from_data, sample_moments, sample_raw
from tlstat.task_diversity.subspace import largest_sine, orthonormalise, squared_distance

SMALL = LinearTasks(12, 2, 16, (0.6, 0.4), sigma=0.2)


def raw(tasks: LinearTasks, n: int, seed: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    (block,) = sample_raw(tasks, n, Random(seed), 1)
    return list(block.X[0]), list(block.y[0])


def moments(n: int, seed: int = 0, size: int = 3, array: str = "numpy", **kw: Any) -> Moments:
    return sample_moments(SMALL, n, Random(seed, array), size, **kw)


def same(A: Any, B: Any, tol: float = 1e-9) -> bool:
    return bool(np.all(to_numpy(largest_sine(A, B)) < tol))


# --- against one problem on raw data -------------------------------------------------------------


@pytest.mark.parametrize("n", [5, 10, 30])  # 5 < d/2: factors
def test_every_estimator_is_that_of_one_problem(n: int) -> None:
    X, y = raw(SMALL, n, n)
    m = from_data(X, y)
    S = Factored(np.stack(X) / np.sqrt(n)) if 2 * n < 12 else m.S
    start = estimators.u_statistic(X, y, 2)
    assert same(batch.method_of_moments(m.M, 2), estimators.method_of_moments(X, y, 2))
    assert same(batch.u_statistic(m.q, m.M, n, 2), start)
    half = n // 2
    first = np.stack([x[:half].T @ v[:half] / half for x, v in zip(X, y, strict=True)])
    second = np.stack([x[half:].T @ v[half:] / (n - half) for x, v in zip(X, y, strict=True)])
    assert same(batch.split_half(first, second, 2), estimators.split_half(X, y, 2))
    one = estimators.alternating_minimisation(X, y, 2, n_iter=600)
    many = batch.alternating_minimisation(S, m.q, start, n_iter=600)
    assert same(one.B, many.B, 1e-6)
    np.testing.assert_allclose(one.B @ one.heads.T, many.B @ many.heads.T, atol=1e-5)
    newton = batch.factored_descent(S, m.q, start, tol=1e-9)
    assert same(one.B, newton.B, 1e-5)
    assert bool(newton.converged) and newton.n_iter < many.n_iter + 10


def test_gradient_steps_are_those_of_one_problem() -> None:
    X, y = raw(SMALL, 30, 1)
    m = from_data(X, y)
    start = estimators.method_of_moments(X, y, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # five steps do not converge
        one = estimators.alternating_gradient(X, y, 2, start=start, n_iter=5)
    many = batch.alternating_gradient(m.S, m.q, start, n_iter=5)
    assert same(one.B, many.B, 1e-12)
    long = batch.alternating_gradient(m.S, m.q, start, n_iter=500, tol=1e-10)
    assert same(long.B, batch.factored_descent(m.S, m.q, start, tol=1e-9).B, 1e-7)


def test_nuclear_norm_is_that_of_one_problem() -> None:
    X, y = raw(SMALL, 10, 2)
    m = from_data(X, y)
    for lam in (0.5 * float(batch.lambda_max(m.q)), 0.1 * float(batch.lambda_max(m.q))):
        one = estimators.nuclear_norm(X, y, lam, tol=1e-12)
        many = batch.nuclear_norm(m.S, m.q, lam, m.y2, tol=1e-12)
        np.testing.assert_allclose(one.theta, many.theta, atol=1e-6)
        assert one.rank == many.rank and many.objective == pytest.approx(one.objective, rel=1e-10)


# --- both back ends ------------------------------------------------------------------------------


def everything(m: Moments, rng: Random) -> dict[str, Any]:
    start = batch.spectral_start(m.q, 2)
    return {
        "mom": batch.method_of_moments(m.M, 2),
        "u": batch.u_statistic(m.q, m.M, m.n, 2),
        "altmin": batch.alternating_minimisation(m.S, m.q, start).B,
        "altgrad": batch.alternating_gradient(m.S, m.q, start).B,
        "descent": batch.factored_descent(m.S, m.q, start, tol=1e-9).B,
        "nuclear": batch.nuclear_norm(m.S, m.q, 0.02, m.y2).basis(2),
        "federated": batch.federated_descent(
            m.S, m.q, start, rounds=4, step=0.3, participation=0.5, rng=rng
        ).B[-1],
        "gd": batch.federated_descent(m.S, m.q, start, rounds=4, step=0.3, head_steps=2).B[-1],
    }


@pytest.mark.parametrize("n", [5, 30])
def test_tensors_give_what_arrays_give(n: int) -> None:
    a, b = moments(n, raw=True), moments(n, array="torch", raw=True)
    of_arrays = everything(a, Random(7))
    for name, B in everything(b, Random(7, "torch")).items():
        assert torch.is_tensor(B) and B.dtype == torch.float64
        assert same(B.numpy(), of_arrays[name], 1e-7), name
    np.testing.assert_allclose(
        batch.single_task(a.S, a.q), batch.single_task(b.S, b.q).numpy(), atol=1e-9
    )
    np.testing.assert_allclose(
        batch.profile_loss(a.S, a.q, of_arrays["u"], a.y2),
        batch.profile_loss(b.S, b.q, torch.from_numpy(of_arrays["u"].copy()), b.y2).numpy(),
        rtol=1e-10,
    )


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_device_gives_what_the_host_gives() -> None:
    a = moments(30)
    start = torch.from_numpy(batch.spectral_start(a.q, 2).copy())
    on_host = batch.factored_descent(a.S, a.q, start.numpy(), tol=1e-9)
    S, q = torch.from_numpy(a.S).cuda(), torch.from_numpy(a.q).cuda()
    on_device = batch.factored_descent(S, q, start.cuda(), tol=1e-9)
    assert same(on_device.B.cpu().numpy(), on_host.B, 1e-7)
    drawn = sample_moments(SMALL, 30, Random(1, "torch", "cuda"), 2, raw=True)
    assert drawn.M.is_cuda and drawn.S.is_cuda


@pytest.mark.parametrize("n", [5, 30])
def test_replicates_do_not_touch_each_other(n: int) -> None:
    m = moments(n, size=4)
    start = batch.spectral_start(m.q, 2)
    together = batch.factored_descent(m.S, m.q, start, tol=1e-9)
    lone = Factored(m.S.root[2:3]) if isinstance(m.S, Factored) else m.S[2:3]
    alone = batch.factored_descent(lone, m.q[2:3], start[2:3], tol=1e-9)
    assert same(together.B[2:3], alone.B, 1e-8)
    one = Factored(m.S.root[2]) if isinstance(m.S, Factored) else m.S[2]
    slow = batch.alternating_minimisation(one, m.q[2], start[2], n_iter=2000)
    assert same(slow.B, alone.B[0], 1e-5)


# --- laws ----------------------------------------------------------------------------------------


def test_factors_and_matrices_are_one_problem() -> None:
    m = moments(5)
    dense = m.S.dense()
    start = batch.spectral_start(m.q, 2)
    for fit in (batch.alternating_minimisation, batch.alternating_gradient, batch.factored_descent):
        assert same(fit(m.S, m.q, start).B, fit(dense, m.q, start).B, 1e-5), fit.__name__
    np.testing.assert_allclose(
        batch.single_task(m.S, m.q), batch.single_task(dense, m.q), atol=1e-8
    )
    a, b = (batch.nuclear_norm(S, m.q, 0.02, m.y2, tol=1e-10) for S in (m.S, dense))
    np.testing.assert_allclose(a.theta, b.theta, atol=1e-5)


def test_order_and_signs_of_tasks_do_not_matter() -> None:
    m = moments(30)
    start = batch.spectral_start(m.q, 2)
    order = np.random.default_rng(0).permutation(16)
    sign = np.where(np.arange(16) % 3, 1.0, -1.0)[:, None]
    S, q = m.S[:, order], (sign * m.q)[:, order]
    assert same(batch.spectral_start(q, 2), start)
    for fit in (batch.alternating_minimisation, batch.factored_descent):
        assert same(fit(S, q, start).B, fit(m.S, m.q, start).B, 1e-8)
        assert same(fit(S, 7 * q, start).B, fit(m.S, m.q, start).B, 1e-8)


def test_estimates_turn_with_the_covariates() -> None:
    m = moments(30)
    turn = Random(3).orthogonal(12)
    S, q = turn @ m.S @ turn.T, m.q @ turn.T
    start = batch.spectral_start(m.q, 2)
    for fit in (batch.alternating_minimisation, batch.factored_descent, batch.alternating_gradient):
        assert same(fit(S, q, turn @ start).B, turn @ fit(m.S, m.q, start).B, 1e-7)


def test_descent_ends_where_the_gradient_vanishes() -> None:
    m = moments(30)
    fit = batch.factored_descent(m.S, m.q, batch.spectral_start(m.q, 2), tol=1e-9)
    lost = batch.profile_loss(m.S, m.q, fit.B, m.y2)
    rng = np.random.default_rng(1)
    for _ in range(20):
        near = orthonormalise(fit.B + 1e-3 * rng.standard_normal(fit.B.shape))
        assert np.all(batch.profile_loss(m.S, m.q, near, m.y2) > lost)


def test_random_starts_reach_the_same_optimum() -> None:
    m = moments(30, size=1)
    best = batch.factored_descent(m.S, m.q, batch.spectral_start(m.q, 2), tol=1e-8)
    for seed in range(8):
        start = Random(seed).normal(size=(1, 12, 2))
        assert same(batch.factored_descent(m.S, m.q, start, tol=1e-8).B, best.B, 1e-6)


def test_noiseless_tasks_are_recovered_to_rounding() -> None:
    exact = LinearTasks(12, 2, 16, (0.9, 0.1), sigma=0.0)
    m = sample_moments(exact, 30, Random(0), 3)
    start = batch.spectral_start(m.q, 2)
    fit = batch.factored_descent(m.S, m.q, start, tol=1e-12)
    assert np.all(largest_sine(fit.B, exact.basis) < 1e-11) and fit.converged.all()
    fit = batch.alternating_minimisation(m.S, m.q, start, tol=1e-12)
    assert np.all(largest_sine(fit.B, exact.basis) < 1e-11)


def test_rank_deficient_tasks_leave_a_direction_open() -> None:
    flat = LinearTasks(12, 2, 16, (1.0, 0.0), sigma=0.0)
    m = sample_moments(flat, 30, Random(0), 3)
    for fit in (batch.alternating_minimisation, batch.factored_descent):
        B = fit(m.S, m.q, batch.spectral_start(m.q, 2)).B
        assert np.all(np.isfinite(B))
        assert np.all(largest_sine(B, flat.basis[:, :1]) < 1e-6)


def test_losses_agree() -> None:
    X, y = raw(SMALL, 10, 4)
    m = from_data(X, y)
    U, V = Random(5).normal(size=(12, 2)), Random(6).normal(size=(16, 2))
    value = batch.factored_loss(m.S, m.q, m.y2, U, V)
    assert value == pytest.approx(estimators.factored_loss(X, y, U, V), rel=1e-12)
    B = orthonormalise(U)
    heads = batch.fit_heads(m.S, m.q, B)
    U, V = batch.balanced(B, heads)
    np.testing.assert_allclose(U @ V.T, B @ heads.T, atol=1e-12)
    np.testing.assert_allclose(U.T @ U, V.T @ V, atol=1e-12)
    profile = batch.profile_loss(m.S, m.q, B, m.y2)
    assert profile == pytest.approx(float(batch.factored_loss(m.S, m.q, m.y2, U, V)), rel=1e-12)
    rest = sum(np.linalg.lstsq(x @ B, v, rcond=None)[1][0] for x, v in zip(X, y, strict=True))
    assert profile == pytest.approx(rest / (2 * 160), rel=1e-12)


# --- identifiability and bad input ---------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 8])
def test_as_many_samples_as_the_rank_leave_the_start(n: int) -> None:
    tasks = LinearTasks(12, n, 16)
    m = sample_moments(tasks, n, Random(0), 2)
    start = Random(1).normal(size=(2, 12, n))
    for fit in (batch.alternating_minimisation, batch.factored_descent):
        assert same(fit(m.S, m.q, start, n_iter=5).B, orthonormalise(start), 1e-4)
    np.testing.assert_allclose(batch.profile_loss(m.S, m.q, start, m.y2), 0, atol=1e-8)


def test_fewer_samples_than_the_rank() -> None:
    m = moments(2)
    start = np.eye(12, 3)
    for fit in (batch.alternating_minimisation, batch.factored_descent):
        with pytest.raises(InputError, match="2 samples a task cannot fit heads of r = 3"):
            fit(m.S, m.q, start)


def test_fewer_tasks_than_the_rank() -> None:
    m = sample_moments(LinearTasks(12, 1, 2), 30, Random(0))
    with pytest.raises(InputError, match="2 tasks cannot span a representation of rank r = 3"):
        batch.alternating_minimisation(m.S, m.q, np.eye(12, 3))


def test_bad_arguments_are_named() -> None:
    m = moments(30)
    start = batch.spectral_start(m.q, 2)
    cases = [
        (lambda: batch.alternating_minimisation(m.S, m.q[:, :4], start), "expected one t"),
        (lambda: batch.alternating_minimisation(m.S, m.q, start[:, :5]), "start has shape"),
        (lambda: batch.factored_descent(m.S, m.q, start, n_iter=0), "n_iter is 0"),
        (lambda: batch.method_of_moments(m.M, 2), "expected moments from raw draws"),
        (lambda: batch.u_statistic(m.q, m.M, 30, 2), "expected moments from raw draws"),
        (lambda: batch.u_statistic(m.q, m.S[:, 0], 1, 2), "at least 2 samples a task"),
        (lambda: batch.spectral_start(m.q, 0), "r is 0; expected a rank from 1 to d = 12"),
        (lambda: batch.spectral_start(m.q, 13), "r is 13"),
        (lambda: batch.nuclear_norm(m.S, m.q, 0.0, m.y2), "lam is 0.0; expected finite"),
        (lambda: batch.nuclear_norm(m.S, m.q, 0.1, m.y2[:, :3]), "y2 has shape"),
        (lambda: batch.nuclear_norm(m.S, m.q, 0.1, m.y2).basis(99), "r is 99"),
    ]
    for call, message in cases:
        with pytest.raises(InputError, match=message):
            call()


# --- target fits ---------------------------------------------------------------------------------


@pytest.mark.parametrize("m", [5, 10, 11, 12, 40])
def test_target_fits_are_least_squares(m: int) -> None:
    X, y = raw(SMALL, m, 10 + m)
    data = from_data(X, y)
    S = Factored(np.stack(X) / np.sqrt(m)) if 2 * m < 12 else data.S
    B = Random(0).orthogonal(12, 2)
    alone, on_B = batch.single_task(S, data.q), batch.fit_target(B, S, data.q)
    for j in (0, 7):
        np.testing.assert_allclose(alone[j], estimators.single_task(X[j], y[j]), atol=1e-7)
        np.testing.assert_allclose(on_B[j], estimators.fit_target(B, X[j], y[j]), atol=1e-9)
    np.testing.assert_array_equal(batch.oracle(S, data.q, B), on_B)


def test_nuclear_norm_certificates_hold() -> None:
    m = moments(10)
    lam = 0.2 * batch.lambda_max(m.q)
    best = batch.nuclear_norm(m.S, m.q, lam, m.y2, tol=1e-13)
    at_zero = m.y2.mean(-1) / 2
    for n_iter in (1, 5, 15, 40):
        fit = batch.nuclear_norm(m.S, m.q, lam, m.y2, n_iter=n_iter, tol=1e-13)
        above = (fit.objective - best.objective) / at_zero
        assert np.all(above <= fit.gap + 1e-13)
    assert best.converged.all() and np.all(best.gap <= 1e-13)
    zero = batch.nuclear_norm(m.S, m.q, 1.0001 * batch.lambda_max(m.q), m.y2)
    assert np.all(zero.theta == 0) and np.all(zero.rank == 0)
    some = batch.nuclear_norm(m.S, m.q, 0.999 * batch.lambda_max(m.q), m.y2, tol=1e-12)
    assert np.all(some.rank == 1)


def test_distance_of_estimates_falls_with_the_number_of_tasks() -> None:
    distances = []
    for t in (16, 256):
        tasks = LinearTasks(12, 2, t)
        m = sample_moments(tasks, 30, Random(2), 20)
        B = batch.factored_descent(m.S, m.q, batch.spectral_start(m.q, 2)).B
        distances.append(squared_distance(B, tasks.basis).mean())
    assert 10 < distances[0] / distances[1] < 25
