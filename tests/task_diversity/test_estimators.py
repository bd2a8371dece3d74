"""Estimators of one problem against cvxpy, finite differences and brute force; their warnings."""

from __future__ import annotations

import warnings
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from scipy.optimize import check_grad

from tlstat.backend import Random
from tlstat.errors import InputError
from tlstat.task_diversity import batch, estimators
from tlstat.task_diversity.data import TaskWarning
from tlstat.task_diversity.estimators.factored import _Loss
from tlstat.task_diversity.models import LinearTasks, LogisticTasks
from tlstat.task_diversity.moments import from_data, sample_raw
from tlstat.task_diversity.subspace import largest_sine

Tasks = list[np.ndarray]
LEARN = (
    estimators.method_of_moments,
    estimators.u_statistic,
    estimators.split_half,
    lambda X, y, r: estimators.alternating_minimisation(X, y, r).B,
    lambda X, y, r: estimators.alternating_gradient(X, y, r, n_iter=500, tol=1e-6).B,
    lambda X, y, r: estimators.factored_descent(X, y, r).B,
)
NAMES = ("moments", "u", "split", "altmin", "altgrad", "factored")


def raw(tasks: Any, n: int, seed: int) -> tuple[Tasks, Tasks]:
    (block,) = sample_raw(tasks, n, Random(seed), 1)
    return list(block.X[0]), list(block.y[0])


def unequal(seed: int = 0) -> tuple[Tasks, Tasks]:
    X, y = raw(LinearTasks(6, 2, 8, sigma=0.3), 20, seed)
    sizes = [20, 5, 11, 4, 20, 7, 9, 3]
    return [x[:k] for x, k in zip(X, sizes, strict=True)], [
        v[:k] for v, k in zip(y, sizes, strict=True)
    ]


@pytest.mark.parametrize("learn", LEARN, ids=NAMES)
def test_each_finds_the_representation_of_many_tasks(learn: Any) -> None:
    tasks = LinearTasks(6, 2, 64, sigma=0.5)
    X, y = raw(tasks, 60, 1)
    B = learn(X, y, 2)
    np.testing.assert_allclose(B.T @ B, np.eye(2), atol=1e-12)
    assert largest_sine(B, tasks.basis) < 0.2


@pytest.mark.parametrize("learn", LEARN[1:3], ids=NAMES[1:3])
def test_pairs_find_it_for_other_covariates_and_labels(learn: Any) -> None:
    coins = LinearTasks(6, 2, 64, sigma=0.5, covariates="rademacher")
    assert largest_sine(learn(*raw(coins, 60, 2), 2), coins.basis) < 0.2
    labels = LogisticTasks(6, 2, 64, (4.0, 4.0))
    assert largest_sine(learn(*raw(labels, 60, 3), 2), labels.basis) < 0.3


def test_moments_do_not_find_it_for_rademacher_covariates() -> None:
    coins = LinearTasks(6, 2, 64, sigma=0.5, covariates="rademacher")
    assert largest_sine(estimators.method_of_moments(*raw(coins, 60, 2), 2), coins.basis) > 0.5


def test_u_statistic_is_the_mean_over_pairs() -> None:
    X, y = unequal()
    Q = np.zeros((6, 6))
    for x, v in zip(X, y, strict=True):
        for i in range(len(v)):
            for k in range(len(v)):
                if i != k:
                    Q += v[i] * v[k] * np.outer(x[i], x[k]) / (len(v) - 1)
    top = np.linalg.eigh(Q)[1][:, -2:]
    assert largest_sine(estimators.u_statistic(X, y, 2), top) < 1e-7


def test_alternation_minimises_the_pooled_loss() -> None:
    X, y = unequal()

    def loss(B: np.ndarray) -> float:
        fits = [np.linalg.lstsq(x @ B, v, rcond=None)[0] for x, v in zip(X, y, strict=True)]
        return sum(float(np.sum((v - x @ B @ w) ** 2)) for x, v, w in zip(X, y, fits, strict=True))

    fit = estimators.alternating_minimisation(X, y, 2, tol=1e-10, n_iter=2000)
    least = loss(fit.B)
    rng = np.random.default_rng(0)
    for size in (1e-3, 1e-2, 1e-1):
        for _ in range(10):
            near = np.linalg.qr(fit.B + size * rng.standard_normal((6, 2)))[0]
            assert loss(near) > least
    # from normal numbers L-BFGS ends in a bad optimum at times: the best of some starts
    published = [estimators.factored_descent(X, y, 2, seed=k, tol=1e-8) for k in range(6)]
    assert min(loss(found.B) for found in published) == pytest.approx(least, rel=1e-7)


def test_gradient_of_the_factored_loss() -> None:
    X, y = unequal()
    loss = _Loss(X, y, 2)
    x = np.random.default_rng(0).standard_normal((6 + 8) * 2)
    assert check_grad(lambda v: loss(v)[0], lambda v: loss(v)[1], x) < 1e-5


def test_factored_descent_is_reproducible_and_takes_a_start() -> None:
    X, y = raw(LinearTasks(6, 2, 8, sigma=0.3), 20, 5)
    a, b = (estimators.factored_descent(X, y, 2, seed=3) for _ in range(2))
    np.testing.assert_array_equal(a.B, b.B)
    rng = np.random.default_rng(3)
    x = rng.standard_normal(28)
    c = estimators.factored_descent(X, y, 2, start=(x[:12].reshape(6, 2), x[12:].reshape(8, 2)))
    np.testing.assert_array_equal(a.B, c.B)
    B, w = a.B, a.heads
    e = [v - x @ B @ h for x, v, h in zip(X, y, w, strict=True)]
    assert max(np.abs(B.T @ x.T @ r).max() for x, r in zip(X, e, strict=True)) < 1e-2


@pytest.mark.parametrize("share", [0.05, 0.4])
def test_nuclear_norm_against_cvxpy(share: float) -> None:
    X, y = unequal()
    total = sum(map(len, y))
    top = np.linalg.norm(np.stack([x.T @ v for x, v in zip(X, y, strict=True)]), 2) / total
    lam = share * top
    theta = cp.Variable((8, 6))
    squares = sum(
        cp.sum_squares(v - x @ theta[j]) for j, (x, v) in enumerate(zip(X, y, strict=True))
    )
    problem = cp.Problem(cp.Minimize(squares / (2 * total) + lam * cp.normNuc(theta)))
    value = problem.solve(solver="SCS", eps=1e-9, max_iters=50_000)
    fit = estimators.nuclear_norm(X, y, lam, tol=1e-10)
    assert fit.objective == pytest.approx(value, rel=1e-6)
    np.testing.assert_allclose(fit.theta, theta.value, atol=1e-4)
    assert fit.converged and fit.rank < 6


def test_nuclear_norm_of_nothing() -> None:
    fit = estimators.nuclear_norm([np.eye(3), np.eye(3)], [np.zeros(3), np.zeros(3)], 0.1)
    assert np.all(fit.theta == 0) and fit.rank == 0 and fit.converged


def test_target_fits() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((4, 6)), rng.standard_normal(4)
    alone = estimators.single_task(X, y)
    np.testing.assert_allclose(X @ alone, y, atol=1e-12)  # interpolates, and is the shortest:
    np.testing.assert_allclose(alone, X.T @ np.linalg.solve(X @ X.T, y), atol=1e-12)
    B = np.linalg.qr(rng.standard_normal((6, 2)))[0]
    on_B = estimators.fit_target(B, X, y)
    np.testing.assert_allclose(B.T @ X.T @ (y - X @ on_B), 0, atol=1e-12)
    np.testing.assert_allclose(B @ (B.T @ on_B), on_B, atol=1e-14)
    np.testing.assert_array_equal(estimators.oracle(B, X, y), on_B)
    with pytest.raises(InputError, match="B has shape"):
        estimators.fit_target(B[:5], X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # two samples may well agree in a column
        estimators.fit_target(B, np.ones((2, 6)), y[:2])
        estimators.single_task(np.ones((2, 6)), y[:2])


@pytest.mark.parametrize("learn", ["one problem", "batched alternation", "batched descent"])
@pytest.mark.parametrize("case", ["tiny", "huge", "responses", "columns", "zero"])
def test_erm_of_any_scale(learn: str, case: str) -> None:
    X, y = raw(LinearTasks(6, 2, 16, sigma=0.3), 12, 5)

    def fit(X: Tasks, y: Tasks) -> np.ndarray:
        if learn == "one problem":
            return np.asarray(estimators.alternating_minimisation(X, y, 2, n_iter=2000).B)
        m = from_data(X, y)
        start = batch.spectral_start(m.q, 2)
        if learn == "batched descent":
            return np.asarray(batch.factored_descent(m.S, m.q, start, tol=1e-9).B)
        return np.asarray(batch.alternating_minimisation(m.S, m.q, start, n_iter=2000).B)

    B = fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if case == "zero":
            assert np.all(np.isfinite(fit(X, [0 * v for v in y])))
            return
        scale = np.ones(6)
        if case == "responses":
            y = [1e-150 * v for v in y]
        else:
            scale = {"tiny": 1e-8, "huge": 1e8, "columns": 10.0 ** np.arange(-3, 3)}[case] * scale
        other = fit([x * scale for x in X], y)
    assert largest_sine(other, np.linalg.qr(B / scale[:, None])[0]) < 1e-6


# --- what cannot be learned ----------------------------------------------------------------------


@pytest.mark.parametrize("learn", LEARN[3:], ids=NAMES[3:])
def test_least_squares_refuses_tasks_that_any_representation_fits(learn: Any) -> None:
    X, y = raw(LinearTasks(6, 2, 8), 2, 0)
    with pytest.raises(InputError, match=r"any representation fits.*use the method of moments"):
        learn(X, y, 2)
    assert estimators.method_of_moments(X, y, 2).shape == (6, 2)
    assert estimators.u_statistic(X, y, 2).shape == (6, 2)


def test_published_figure_runs_where_nothing_is_identified() -> None:
    X, y = raw(LinearTasks(6, 2, 8), 2, 0)
    fit = estimators.factored_descent(X, y, 2, allow_unidentified=True)
    assert fit.B.shape == (6, 2)


def test_small_tasks_are_told_and_do_not_count() -> None:
    X, y = unequal()
    few = [*X, X[0][:2], X[1][:1]], [*y, y[0][:2], y[1][:1]]
    with pytest.warns(TaskWarning, match="2 of 10 tasks have at most r = 2 samples"):
        fit = estimators.alternating_minimisation(*few, 2)
    assert fit.heads.shape == (10, 2)
    assert largest_sine(fit.B, estimators.alternating_minimisation(X, y, 2).B) < 1e-6
    with pytest.raises(InputError, match="1 tasks have more than r = 2 samples"):
        estimators.alternating_minimisation([X[0], X[1][:2]], [y[0], y[1][:2]], 2)


def test_unfinished_iterations_are_told() -> None:
    X, y = unequal()
    with pytest.warns(TaskWarning, match="after 2 iterations"):
        fit = estimators.alternating_minimisation(X, y, 2, n_iter=2)
    assert not fit.converged
    with pytest.warns(TaskWarning, match="L-BFGS used its 3 iterations"):
        estimators.factored_descent(X, y, 2, n_iter=3)
    with pytest.warns(TaskWarning, match="duality gap"):
        estimators.nuclear_norm(X, y, 0.01, n_iter=2)


def test_columns_without_variance_do_not_stop_least_squares() -> None:
    X, y = unequal()
    wide = [np.column_stack([x, np.zeros(len(x))]) for x in X]
    with pytest.warns(TaskWarning, match="column 6 of X is constant"):
        fit = estimators.alternating_minimisation(wide, y, 2)
    assert np.abs(fit.B[6]).max() < 1e-8
    assert largest_sine(fit.B[:6], estimators.alternating_minimisation(X, y, 2).B) < 1e-6


@pytest.mark.parametrize("learn", LEARN, ids=NAMES)
@pytest.mark.parametrize(
    ("change", "r", "message"),
    [
        (lambda X, y: (X, y), 0, "r is 0; expected a rank from 1 to d = 6"),
        (lambda X, y: (X, y), 7, "r is 7"),
        (lambda X, y: (X[:2], y[:2]), 3, "2 tasks cannot span a representation of rank r = 3"),
        (lambda X, y: ([X[0], X[1][:, :5]], y[:2]), 1, r"X\[1\] has 5 columns and X\[0\] 6"),
        (lambda X, y: ([X[0] * np.nan, *X[1:]], y), 2, r"X\[0\] has nan at \(0, 0\)"),
    ],
    ids=["rank 0", "rank above d", "few tasks", "widths", "nan"],
)
def test_bad_input_is_named(learn: Any, change: Any, r: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        learn(*change(*unequal()), r)


def test_other_bad_input_is_named() -> None:
    X, y = unequal()
    ones = [x[:1] for x in X], [v[:1] for v in y]
    for pairs in (estimators.u_statistic, estimators.split_half):
        with pytest.raises(InputError, match="all tasks have one sample"):
            pairs(*ones, 2)
    with pytest.raises(InputError, match="start has shape"):
        estimators.alternating_minimisation(X, y, 2, start=np.eye(5, 2))
    with pytest.raises(InputError, match="start has shapes"):
        estimators.factored_descent(X, y, 2, start=(np.eye(6, 2), np.eye(3, 2)))
    with pytest.raises(InputError, match="n_iter is 0"):
        estimators.alternating_minimisation(X, y, 2, n_iter=0)
    with pytest.raises(InputError, match="lam is -1"):
        estimators.nuclear_norm(X, y, -1)


def test_good_data_raise_no_warnings() -> None:
    X, y = unequal()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for learn in LEARN:
            learn(X, y, 2)
