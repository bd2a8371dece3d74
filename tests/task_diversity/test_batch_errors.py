"""Errors of the estimators against closed forms: sampling and estimation together.

Exact laws (entries of the moment matrices, risks of the target fits) are held to a normal deviate
of 5.5. First-order laws of the subspace error hold up to the relative bias written beside each,
measured by others at the same points; the replicates make a constant that is 20 % off fail.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tlstat.backend import Random
from tlstat.task_diversity import batch
from tlstat.task_diversity.models import LinearTasks
from tlstat.task_diversity.moments import (
    Factored,
    sample_halves,
    sample_moments,
)
from tlstat.task_diversity.subspace import squared_distance, squared_sines

Z = 5.5


def erm_law(d: int, t: int, n: int, nu: Any, sigma: float = 1.0) -> float:
    """``sigma^2 (d-r)/(t(n-r)) [tr C^-1 + sigma^2/(n-r-1) tr C^-2]``."""
    nu = np.asarray(nu)
    r = nu.size
    second = sigma**2 / (n - r - 1) * np.sum(nu**-2.0)
    return sigma**2 * (d - r) / (t * (n - r)) * float(np.sum(1 / nu) + second)


def u_law(d: int, t: int, n: int, nu: Any, sigma: float = 1.0) -> float:
    nu = np.asarray(nu)
    s2 = nu.sum() + sigma**2
    entry = s2 * nu + s2 * (s2 + nu) / (n - 1)
    return float((d - nu.size) / (n * t) * np.sum(entry / nu**2))


def moments_law(d: int, t: int, n: int, nu: Any, sigma: float = 1.0) -> float:
    nu = np.asarray(nu)
    s2 = nu.sum() + sigma**2
    return float((d - nu.size) / (4 * n * t) * np.sum((3 * s2**2 + 12 * s2 * nu) / nu**2))


def agrees(values: np.ndarray, law: float, bias: float) -> bool:
    """Mean within 5.5 standard errors and ``bias`` of the law; precise enough to tell 20 %."""
    error = values.std(ddof=1) / np.sqrt(values.size)
    assert Z * error + bias * law < 0.2 * law, "too few replicates to have power"
    return bool(abs(values.mean() - law) < Z * error + bias * law)


EQUAL = (1 / 3, 1 / 3, 1 / 3)
SKEW = (0.6, 0.3, 0.1)


@pytest.mark.parametrize(
    ("t", "n", "nu", "replicates", "bias"),
    [
        (256, 40, EQUAL, 120, 0.03),
        (128, 200, SKEW, 160, 0.03),
        (512, 12, EQUAL, 100, 0.06),
    ],
)
def test_error_of_erm(t: int, n: int, nu: tuple[float, ...], replicates: int, bias: float) -> None:
    tasks = LinearTasks(24, 3, t, nu)
    m = sample_moments(tasks, n, Random(11), replicates)
    B = batch.factored_descent(m.S, m.q, batch.spectral_start(m.q, 3), tol=1e-4).B
    assert agrees(squared_distance(B, tasks.basis), erm_law(24, t, n, nu), bias)


def test_error_of_erm_for_a_haar_basis() -> None:
    tasks = LinearTasks(24, 3, 128, basis=Random(4).orthogonal(24, 3))
    m = sample_moments(tasks, 40, Random(12), 100)
    B = batch.factored_descent(m.S, m.q, batch.spectral_start(m.q, 3), tol=1e-4).B
    assert agrees(squared_distance(B, tasks.basis), erm_law(24, 128, 40, EQUAL), 0.04)


def test_gradient_steps_reach_the_error_of_erm() -> None:
    tasks = LinearTasks(24, 3, 64)
    m = sample_moments(tasks, 40, Random(13), 60)
    start = batch.spectral_start(m.q, 3)
    steps = squared_distance(batch.alternating_gradient(m.S, m.q, start).B, tasks.basis)
    exact = squared_distance(batch.factored_descent(m.S, m.q, start).B, tasks.basis)
    assert abs(steps.mean() / exact.mean() - 1) < 2e-3


def test_error_of_erm_with_fewer_samples_than_dimensions() -> None:
    tasks = LinearTasks(40, 2, 128)
    m = sample_moments(tasks, 15, Random(14), 110)
    assert isinstance(m.S, Factored)
    B = batch.factored_descent(m.S, m.q, batch.spectral_start(m.q, 2), tol=1e-4).B
    assert agrees(squared_distance(B, tasks.basis), erm_law(40, 128, 15, (0.5, 0.5)), 0.04)


@pytest.mark.parametrize(
    ("nu", "bias"), [(EQUAL, 0.03), (SKEW, 0.06)], ids=["equal", "one weak direction"]
)
def test_error_of_the_u_statistics(nu: tuple[float, ...], bias: float) -> None:
    tasks = LinearTasks(24, 3, 128, nu)
    m = sample_moments(tasks, 200, Random(15), 110, raw=True)
    whole = squared_distance(batch.u_statistic(m.q, m.M, 200, 3), tasks.basis)
    assert agrees(whole, u_law(24, 128, 200, nu), bias)
    halves = sample_halves(tasks, 200, Random(16), 400)
    split = squared_distance(batch.split_half(halves.first, halves.second, 3), tasks.basis)
    # two halves lose no more than the term in 1/(n-1), doubled
    assert 0.98 < split.mean() / whole.mean() < 1.15
    moments = squared_distance(batch.method_of_moments(m.M, 3), tasks.basis)
    assert moments.mean() > 5 * whole.mean()


def test_error_of_the_method_of_moments() -> None:
    # one replicate costs N d^2, so one direction that is strong: s^2 = 1.25
    tasks = LinearTasks(24, 2, 64, sigma=0.5)
    m = sample_moments(tasks, 300, Random(17), 120, raw=True)
    values = squared_distance(batch.method_of_moments(m.M, 2), tasks.basis)
    assert agrees(values, moments_law(24, 64, 300, (0.5, 0.5), 0.5), 0.06)


@pytest.mark.parametrize("n", [2, 3, 9])
def test_entries_of_the_moment_matrices(n: int) -> None:
    nu, sigma = (0.6, 0.2), 0.7
    tasks = LinearTasks(5, 2, 8, nu, sigma=sigma)
    m = sample_moments(tasks, n, Random(18), 20_000, raw=True)
    Q = batch.pair_moment(m.q, m.M, n)
    want = np.diag([*nu, 0, 0, 0])
    assert np.all(np.abs(Q.mean(0) - want) < Z * Q.std(0) / np.sqrt(20_000))
    s2 = sum(nu) + sigma**2
    for k in (0, 1):
        for values, law in (
            (Q[:, 2:, k] ** 2, s2 * nu[k] + s2 * (s2 + nu[k]) / (n - 1)),
            (m.M[:, 2:, k] ** 2, 3 * s2**2 + 12 * s2 * nu[k]),
        ):
            each = values.mean(1)
            slack = Z * each.std() / np.sqrt(20_000)
            assert abs(each.mean() - law / (8 * n)) < slack < 0.25 * law / (8 * n)
    mean = tasks.fourth_moment()
    assert np.all(np.abs(m.M.mean(0) - mean) < Z * m.M.std(0) / np.sqrt(20_000))


def test_rank_deficient_tasks_leave_a_random_direction() -> None:
    tasks = LinearTasks(24, 3, 64, (0.5, 0.5, 0.0))
    m = sample_moments(tasks, 200, Random(19), 150)
    start = batch.spectral_start(m.q, 3)
    worst = squared_sines(batch.factored_descent(m.S, m.q, start).B, tasks.basis)[:, 0]
    error = worst.std(ddof=1) / np.sqrt(150)
    assert abs(worst.mean() - (1 - 1 / 22)) < Z * error + 0.005


@pytest.mark.parametrize("m", [8, 15, 40])
def test_risk_of_the_oracle_and_of_single_tasks(m: int) -> None:
    d, r, sigma = 12, 3, 0.8
    tasks = LinearTasks(d, r, 4, sigma=sigma)
    size = 3000
    alpha = tasks.draw_heads(Random(20), size)[:, :1]
    target = sample_moments(tasks, m, Random(21), size, heads=alpha)
    theta = alpha @ tasks.basis.T
    known = ((batch.oracle(target.S, target.q, tasks.basis) - theta) ** 2).sum((1, 2))
    law = sigma**2 * r / (m - r - 1)
    assert abs(known.mean() - law) < Z * known.std() / np.sqrt(size) < 0.2 * law
    alone = ((batch.single_task(target.S, target.q) - theta) ** 2).sum((1, 2))
    if m in (15, 40):
        law = sigma**2 * d / (m - d - 1)
    else:
        law = (1 - m / d) + sigma**2 * m / (d - m - 1)
    assert abs(alone.mean() - law) < Z * alone.std() / np.sqrt(size) < 0.3 * law


def test_transfer_risk_given_the_estimate() -> None:
    """Exactly ``b^2 + (sigma^2 + b^2) r/(m-r-1)`` with ``b^2 = |(I - BB')theta|^2``."""
    d, r, m, size = 12, 2, 10, 20_000
    tasks = LinearTasks(d, r, 4)
    theta = np.zeros(d)
    theta[0] = 1.0
    B = np.linalg.qr(np.eye(d, r) + 0.4 * Random(1).normal(size=(d, r)))[0]
    heads = np.tile([[[1.0, 0.0]]], (size, 1, 1))
    target = sample_moments(tasks, m, Random(22), size, heads=heads)
    error = ((batch.fit_target(B, target.S, target.q)[:, 0] - theta) ** 2).sum(1)
    b2 = 1 - np.sum((B.T @ theta) ** 2)
    law = b2 + (1 + b2) * r / (m - r - 1)
    assert abs(error.mean() - law) < Z * error.std() / np.sqrt(size) < 0.05 * law
