"""Problems at which descent stalled once: nearly equal columns, separable classes."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_digits

from tlstat.transfer_lasso import duality_gap, objective, solve, solve_batch, transfer_lasso_path
from tlstat.transfer_lasso.polish import MOST_FREE, polish
from tlstat.transfer_lasso.problem import prepare
from tlstat.transfer_lasso.solver import best_intercept


def nearly_equal(seed, closeness=1e-8):
    """Few rows, columns that are copies of each other but for noise, knots that are in the way."""
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(1, 7)), int(rng.integers(3, 9))
    X = rng.normal(size=(n, p))[:, rng.integers(p, size=p)] + closeness * rng.normal(size=(n, p))
    b0 = np.round(rng.normal(size=p), 1) * (rng.random(p) < 0.7)
    l1, l2 = 10 ** rng.uniform(-3, 0, 2)
    return X, rng.normal(size=n), l1, l1 if seed % 2 else l2, b0


@pytest.mark.parametrize("closeness", [1e-4, 1e-6, 1e-8])
def test_nearly_equal_columns_do_not_stall_the_solver(closeness):
    """About one in thirty of these took a hundred rounds without reaching the gap."""
    for seed in range(150):
        X, y, l1, l2, b0 = nearly_equal(seed, closeness)
        found = solve(X, y, l1, l2, source_coef=b0, tol=1e-10)
        assert found.converged, seed
        # the plain certificate is a difference of numbers: rounded at 1e-16 of the first
        at_zero = objective(np.zeros_like(b0), X, y, l1, l2, source_coef=b0)
        gap = duality_gap(found.coef, X, y, l1, l2, source_coef=b0)
        assert gap <= 1.1e-10 * found.primal + 1e-14 * at_zero, seed


def test_paths_and_batches_do_not_stall_either():
    for seed in range(20):
        X, y, l1, _, b0 = nearly_equal(seed)
        path = transfer_lasso_path(X, y, n_lams=8, alpha=0.75, source_coef=b0, tol=1e-10)
        assert np.all(path.converged)
        both = np.stack([X, X]), np.stack([y, -y]), np.array([l1, 2 * l1])
        assert np.all(solve_batch(*both, l1, source_coef=b0, tol=1e-10).converged)


OPTIONS = {
    "plain": {},
    "equal levels": {"l1": 0.1, "l2": 0.1},
    "lasso": {"l2": 0.0},
    "change alone": {"l1": 0.0},
    "ridges": {"nu": 0.3, "mu": 0.2},
    "intercept": {"fit_intercept": True},
    "rows": {"sample_weight": True, "fit_intercept": True},
    "unpenalised": {"weights": True, "source_weights": True, "fit_intercept": True},
    "wide": {"shape": (15, 30)},
    "sparse": {"sparse": True, "fit_intercept": True},
    "logistic": {"loss": "logistic", "fit_intercept": True, "l1": 0.02, "l2": 0.03},
    "logistic, weights": {"loss": "logistic", "sample_weight": True, "l1": 0.02, "l2": 0.01},
}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_coordinate_descent_from_any_start(name, seed):
    case = dict(OPTIONS[name])
    n, p = case.pop("shape", (40, 15))
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * rng.uniform(0.3, 3, p)
    b0 = np.where(rng.random(p) < 0.6, rng.normal(size=p), 0.0)
    y = X @ b0 + X[:, 0] + rng.normal(size=n)
    if case.get("loss") == "logistic":
        y = (y + 2 * rng.normal(size=n) > 0).astype(float)
    if case.pop("sparse", False):
        X = X * (rng.random(X.shape) < 0.4)
    if case.pop("sample_weight", False):
        case["sample_weight"] = rng.uniform(0, 2, n) * (rng.random(n) < 0.9)
    if case.pop("weights", False):
        case.pop("source_weights")
        case["weights"], case["source_weights"] = rng.uniform(0, 2, (2, p)) * (np.arange(p) > 1)
    l1, l2 = case.pop("l1", 0.15), case.pop("l2", 0.08)
    reference = solve(X, y, l1, l2, source_coef=b0, tol=1e-13, **case)
    design = sparse.csc_array(X) if name == "sparse" else X
    problem = prepare(design, y, l1, l2, source_coef=b0, **case)
    for start in (np.zeros(p), b0, rng.normal(size=p)):
        found = polish(problem, start)
        offset = best_intercept(problem, problem.linear(found)) if problem.fit_intercept else 0.0
        assert problem.primal(found, offset) == pytest.approx(reference.primal, rel=1e-12)
        assert np.array_equal(found == 0, reference.coef == 0)
        assert np.array_equal(found == b0, reference.coef == b0)


def test_too_many_free_coordinates_are_left_alone():
    rng = np.random.default_rng(0)
    p = MOST_FREE + 1
    X, y, coef = rng.normal(size=(5, p)), rng.normal(size=5), rng.normal(size=p)
    assert polish(prepare(X, y, 0.1, 0.1), coef) is coef


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_separable_classes_and_a_far_source_do_not_stall_newton(alpha):
    """Steps are halved here, and coordinates leave a knot and come back within an extrapolation."""
    X, y = load_digits(return_X_y=True)
    X, y = X[np.isin(y, (1, 2))] / 16, y[np.isin(y, (1, 2))] - 1.0
    source = np.random.default_rng(0).normal(size=64)
    for seed in range(12):
        rows = np.random.default_rng(seed).permutation(len(y))[: 8 + 3 * seed]
        path = transfer_lasso_path(
            X[rows], y[rows], lams=np.geomspace(0.2, 0.004, 8), alpha=alpha, source_coef=source,
            loss="logistic", fit_intercept=True, tol=1e-6,
        )  # fmt: skip
        assert np.all(path.converged)
        for lam, coef, intercept in zip(path.lams, path.coefs, path.intercepts, strict=True):
            gap = duality_gap(
                coef, X[rows], y[rows], lam * alpha, lam * (1 - alpha), source_coef=source,
                loss="logistic", fit_intercept=True, intercept=intercept, relative=True,
            )  # fmt: skip
            assert gap <= 2e-6


def test_a_sparse_design_stays_sparse_where_descent_stalls():
    rng = np.random.default_rng(0)
    n, p = 2000, 4000
    base = sparse.random_array((n, p - 12), density=1e-4, format="csc", rng=rng)
    near = 1 / (np.arange(n)[:, None] % 40 + np.arange(12) + 1.0)  # the columns of Hilbert's matrix
    X = sparse.hstack([base, sparse.csc_array(near)], format="csc")
    y = near @ np.ones(12) + rng.normal(size=n)
    problem = prepare(X, y, 1e-9, 1e-9, fit_intercept=True)
    start = np.where(np.arange(p) >= p - 12, 1.0, 0.0)
    tracemalloc.start()
    found = polish(problem, start)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert problem.primal(found) < problem.primal(start)
    assert peak < 8 * n * p / 4  # bytes; all columns dense would be 8 n p
