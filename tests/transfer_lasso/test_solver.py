"""The solver against a conic solver, its own certificate, and the laws it must obey."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
import threadpoolctl
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from tlstat.errors import InputError
from tlstat.transfer_lasso import (
    alpha_path,
    duality_gap,
    kernels_entry,
    kkt_residual,
    objective,
    solve,
    solve_batch,
    transfer_lasso_path,
)


def draw(seed: int, n: int = 40, p: int = 25, rho: float = 0.5) -> tuple[Any, ...]:
    """A regression problem with unequal columns and a source of every sign, zeros included."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    for j in range(1, p):
        X[:, j] = rho * X[:, j - 1] + np.sqrt(1 - rho**2) * X[:, j]
    X *= rng.uniform(0.3, 3, p)
    b0 = np.where(rng.random(p) < 0.5, rng.normal(size=p), 0.0)
    beta = b0 + np.where(rng.random(p) < 0.2, rng.normal(size=p), 0.0)
    y = X @ beta + rng.normal(size=n)
    return X, y, b0, rng


def conic(X, y, l1, l2, b0, *, nu=0.0, mu=0.0, loss="squared", w=None, u=1.0, v=1.0, icpt=False):
    n, p = X.shape
    b, t = cp.Variable(p), cp.Variable()
    w = np.ones(n) if w is None else w
    eta = X @ b + (t if icpt else 0)
    if loss == "squared":
        fit = cp.sum(cp.multiply(w, cp.square(y - eta))) / 2
    else:
        fit = cp.sum(cp.multiply(w, cp.logistic(eta) - cp.multiply(y, eta)))
    terms = l1 * cp.norm1(cp.multiply(u * np.ones(p), b))
    terms += l2 * cp.norm1(cp.multiply(v * np.ones(p), b - b0))
    terms += nu / 2 * cp.sum_squares(b) + mu / 2 * cp.sum_squares(b - b0)
    problem = cp.Problem(cp.Minimize(fit / w.sum() + terms))
    tight = dict(tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11)
    problem.solve(solver=cp.CLARABEL, **tight)
    return problem.value, b.value


CASES: list[tuple[str, dict[str, Any]]] = [
    ("plain", {}),
    ("wide", {"shape": (30, 60)}),
    ("lasso", {"l2": 0.0}),
    ("change alone", {"l1": 0.0}),
    ("equal", {"l1": 0.1, "l2": 0.1}),
    ("ridges", {"nu": 0.3, "mu": 0.2}),
    ("ridge alone", {"l1": 0.0, "l2": 0.0, "nu": 0.1}),
    ("intercept", {"fit_intercept": True}),
    ("row weights", {"rows": True, "fit_intercept": True}),
    ("column weights", {"columns": True}),
    ("unpenalised", {"columns": "free", "fit_intercept": True}),
    ("logistic", {"loss": "logistic", "l1": 0.02, "l2": 0.01}),
    (
        "logistic, all",
        {
            "loss": "logistic",
            "l1": 0.02,
            "l2": 0.03,
            "fit_intercept": True,
            "rows": True,
            "mu": 0.1,
        },
    ),
    ("logistic, free", {"loss": "logistic", "columns": "free", "l1": 0.05, "l2": 0.01}),
]


@pytest.mark.parametrize("layout", ["F", "C", "csc"])
@pytest.mark.parametrize(("name", "case"), CASES, ids=[name for name, _ in CASES])
def test_against_a_conic_solver(name, case, layout):
    case = dict(case)
    X, y, b0, rng = draw(3, *case.pop("shape", (40, 25)))
    if layout == "csc":
        X = X * (rng.random(X.shape) < 0.4)
    l1, l2 = case.pop("l1", 0.15), case.pop("l2", 0.08)
    rows, columns = case.pop("rows", False), case.pop("columns", False)
    options, mirror = dict(case), dict(case)
    mirror["icpt"] = mirror.pop("fit_intercept", False)
    if case.get("loss") == "logistic":
        y = (y > np.median(y)).astype(float)
    if rows:
        options["sample_weight"] = mirror["w"] = rng.uniform(0, 2, len(y)) * (
            rng.random(len(y)) < 0.9
        )
    if columns:
        u, v = rng.uniform(0, 2, (2, X.shape[1]))
        if columns == "free":
            u[:3] = v[:3] = 0
        options["weights"], options["source_weights"] = u, v
        mirror["u"], mirror["v"] = u, v
    value, _ = conic(X, y, l1, l2, b0, **mirror)
    design = {"F": np.asfortranarray, "C": np.ascontiguousarray, "csc": sparse.csc_array}[layout](X)
    found = solve(design, y, l1, l2, source_coef=b0, tol=1e-10, **options)
    assert found.converged and 0 <= found.gap <= 1e-10
    check = dict(intercept=found.intercept, source_coef=b0, **options)
    assert found.primal == pytest.approx(objective(found.coef, X, y, l1, l2, **check), rel=1e-12)
    assert found.primal == pytest.approx(value, rel=2e-8, abs=1e-9)
    # the plain certificate shares no code with the compiled one
    assert duality_gap(found.coef, X, y, l1, l2, relative=True, **check) <= 2e-10
    assert kkt_residual(found.coef, X, y, l1, l2, **check) <= 1e-4


@pytest.mark.parametrize("seed", range(20))
def test_the_gap_is_never_smaller_than_the_distance_to_the_minimum(seed):
    X, y, b0, rng = draw(seed)
    l1, l2 = rng.uniform(0.01, 0.4, 2)
    best = solve(X, y, l1, l2, source_coef=b0, tol=1e-13).primal
    for _ in range(5):
        coef = b0 * (rng.random(25) < 0.7) + rng.normal(size=25) * rng.choice([0, 0.01, 1])
        away = objective(coef, X, y, l1, l2, source_coef=b0) - best
        assert duality_gap(coef, X, y, l1, l2, source_coef=b0) >= away - 1e-12
    loose = solve(X, y, l1, l2, source_coef=b0, tol=1e-2)
    assert loose.primal - best <= loose.gap * loose.primal + 1e-12


@pytest.mark.parametrize("seed", range(6))
def test_reductions(seed):
    X, y, b0, _ = draw(seed)
    tight = dict(tol=1e-13)

    def coef(*args, **options):
        return solve(*args, **tight, **options).coef

    lasso = coef(X, y, 0.2, 0.0)
    np.testing.assert_allclose(coef(X, y, 0.12, 0.08), lasso, atol=1e-6)
    np.testing.assert_allclose(coef(X, y, 0.2, 0.0, source_coef=b0), lasso, atol=1e-6)
    change = b0 + coef(X, y - X @ b0, 0.2, 0.0)
    np.testing.assert_allclose(coef(X, y, 0.0, 0.2, source_coef=b0), change, atol=1e-6)
    ours = coef(X, y, 0.15, 0.07, source_coef=b0)
    swapped = b0 - coef(X, X @ b0 - y, 0.07, 0.15, source_coef=b0)
    np.testing.assert_allclose(ours, swapped, atol=1e-6)
    # elastic net: ridge terms are rows of the design
    n, p = X.shape
    nu, mu = 0.2, 0.3
    tall = np.vstack([X, np.sqrt(n * nu) * np.eye(p), np.sqrt(n * mu) * np.eye(p)])
    long = np.concatenate([y, np.zeros(p), np.sqrt(n * mu) * b0])
    share = n / len(long)
    np.testing.assert_allclose(
        coef(X, y, 0.1, 0.05, source_coef=b0, nu=nu, mu=mu),
        coef(tall, long, 0.1 * share, 0.05 * share, source_coef=b0),
        atol=1e-6,
    )


def test_a_zero_correlation_does_not_mean_zero():
    # y orthogonal to X, l2 > l1, small source: the coefficient is kept
    X, y = np.array([[1.0], [1.0]]), np.array([1.0, -1.0])
    assert solve(X, y, 0.2, 0.8, source_coef=[0.1], tol=1e-12).coef[0] == 0.1


@pytest.mark.parametrize("seed", range(8))
def test_source_fitted_on_the_same_data_stays_exactly_while_it_should(seed):
    X, y, _, _ = draw(seed)
    level = 0.3
    source = solve(X, y, level, 0.0, tol=1e-14).coef
    assert np.any(source)
    for l1, l2, stays in ((0.25, 0.06, True), (0.35, 0.06, True), (0.2, 0.05, False)):
        assert stays == (abs(level - l1) <= l2)
        coef = solve(X, y, l1, l2, source_coef=source, coef_init=source, tol=1e-13).coef
        assert np.array_equal(coef, source) is stays


def test_more_columns_than_rows_and_equal_levels():
    """Not unique: the objective is certified, the coefficients are one of many."""
    X, y, b0, _ = draw(1, 15, 60)
    first = solve(X, y, 0.05, 0.05, source_coef=b0, tol=1e-11)
    second = solve(X, y, 0.05, 0.05, source_coef=b0, tol=1e-11, coef_init=b0)
    assert first.primal == pytest.approx(second.primal, rel=1e-10)


def test_constant_columns_and_single_rows():
    X, y, b0, _ = draw(2)
    X[:, 3], X[:, 4] = 0.0, 0.0
    b0[3] = b0[4] = 1.5
    to_source = solve(X, y, 0.05, 0.1, source_coef=b0, tol=1e-11)
    to_zero = solve(X, y, 0.1, 0.05, source_coef=b0, tol=1e-11)
    assert to_source.coef[3] == 1.5 and to_zero.coef[3] == 0.0
    one = solve(np.array([[2.0]]), [3.0], 0.5, 0.0, tol=1e-12)
    assert one.coef[0] == pytest.approx((2 * 3 - 0.5) / 4)


def test_a_design_that_may_not_be_written_to():
    X, y, b0, _ = draw(4)
    X = np.asfortranarray(X)
    X.flags.writeable = y.flags.writeable = b0.flags.writeable = False
    assert solve(X, y, 0.1, 0.1, source_coef=b0).converged


def test_a_fortran_design_is_not_copied():
    from tlstat.transfer_lasso.problem import check_design
    from tlstat.transfer_lasso.solver import compiled_design

    X = np.asfortranarray(np.ones((30, 20)))
    assert np.shares_memory(compiled_design(check_design(X)).dense, X)


def test_more_equal_columns_than_a_working_set_takes():
    x = np.random.default_rng(0).normal(size=(30, 1))
    found = solve(np.tile(x, 80), x[:, 0] + 1, 0.05, 0.02, tol=1e-10)
    alone = solve(x, x[:, 0] + 1, 0.05, 0.02, tol=1e-10)
    assert found.converged
    assert found.coef.sum() == pytest.approx(alone.coef[0], rel=1e-8)


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("made", [np.asarray, sparse.csc_array])
def test_a_path_may_end_without_penalty(made, intercept):
    X, y, b0, _ = draw(3)
    u = np.where(np.arange(X.shape[1]) < 3, 0.0, 1.0)  # free where alpha is 1 and u counts alone
    lams = np.array([0.3, 0.1, 0.0])
    path = transfer_lasso_path(
        made(X), y, lams=lams, alpha=0.75, source_coef=b0, fit_intercept=intercept, tol=1e-12
    )
    assert np.all(path.converged)
    design = np.column_stack([np.ones(len(y)), X]) if intercept else X
    least = np.linalg.lstsq(design, y, rcond=None)[0][int(intercept) :]
    np.testing.assert_allclose(path.coefs[-1], least, atol=1e-7)
    ends = alpha_path(
        made(X), y, lam=0.2, alphas=[0.5, 1.0], source_coef=b0, weights=u, tol=1e-12,
        fit_intercept=intercept,
    )  # fmt: skip
    for coef, offset, alpha in zip(ends.coefs, ends.intercepts, ends.alphas, strict=True):
        gap = duality_gap(
            coef, X, y, 0.2 * alpha, 0.2 * (1 - alpha), source_coef=b0, weights=u,
            fit_intercept=intercept, intercept=offset, relative=True,
        )  # fmt: skip
        assert gap <= 1e-10


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_entries_of_a_sparse_design_that_are_given_twice_are_added(loss):
    rng = np.random.default_rng(0)
    X = sparse.random_array((20, 15), density=0.3, format="csc", rng=rng)
    parts = np.repeat(X.data / 6, 6), np.repeat(X.indices, 6), X.indptr * 6
    twice = sparse.csc_array(parts, shape=X.shape)
    y = rng.integers(2, size=20).astype(float)
    given = twice.data.copy()
    found = solve(twice, y, 0.001, 0.0005, loss=loss, tol=1e-10)
    expected = solve(X, y, 0.001, 0.0005, loss=loss, tol=1e-10)
    assert found.converged
    np.testing.assert_allclose(found.coef, expected.coef, atol=1e-4)
    assert found.primal == pytest.approx(expected.primal, rel=1e-9)
    np.testing.assert_array_equal(twice.data, given)


@pytest.mark.parametrize("scale", [30, 100, 300])
def test_probabilities_that_round_to_zero_and_one_are_certified(scale):
    """A good source that separates the target's classes: the logit is hundreds at its rows."""
    for seed in range(15):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(30, 8))
        b0 = np.where(rng.random(8) < 0.5, rng.normal(size=8), 0.0)
        y = (X @ b0 + rng.normal(size=30) > 0).astype(float)
        source = scale * b0
        options = {"source_coef": source, "loss": "logistic", "fit_intercept": True}
        found = solve(X, y, 0.0, 0.5, tol=1e-6, **options)
        assert found.converged, seed
        gap = duality_gap(
            found.coef, X, y, 0.0, 0.5, intercept=found.intercept, relative=True, **options
        )
        assert gap <= 2e-6


def test_layouts_and_types_of_the_input_compile_nothing_new():
    """Another signature takes the compiler a minute."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(20, 6)), rng.normal(size=(20, 3))
    solve(X, Y[:, 0].copy(), 0.1, 0.1)
    before = len(kernels_entry.walk.signatures)
    solve(X[::2], Y[::-2, 1], 0.1, 0.1, source_coef=rng.normal(size=12)[::2])
    solve(X, Y[:, 1], np.float32(0.1), 1, tol=np.float32(1e-4), max_iter=np.int32(50))
    solve(sparse.csr_array(X).astype(np.float32), Y[:, 1] > 0, 0.1, 0.1, sample_weight=Y[:, 2] ** 2)
    many = {"source_coef": np.asfortranarray(rng.normal(size=(3, 6)))}
    many["weights"] = np.asfortranarray(rng.random((3, 6)))
    solve_batch(X, np.asfortranarray(Y.T), 0.1, 0.1, **many, tol=np.float64(1e-5))
    solve_batch(np.stack([X] * 3), Y.T[:, :], 0.1, np.ones(6)[::2], **many)
    assert len(kernels_entry.walk.signatures) == before


def test_solves_in_threads_leave_the_threads_of_blas_as_they_were():
    X, y, b0, _ = draw(0)
    solve(X, y, 0.1, 0.1)

    def threads():
        libraries = threadpoolctl.threadpool_info()
        return [one["num_threads"] for one in libraries if one["user_api"] == "blas"]

    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        before = threads()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda k: solve(X, y, 0.1 / k, 0.1, source_coef=b0), range(1, 200)))
        assert threads() == before


def test_what_overflows_is_an_error_and_not_a_gap_of_zero():
    X, y, _, _ = draw(0)
    for design, response in ((X * 1e160, y), (X, y * 1e160)):
        with pytest.raises(InputError, match="overflow"):
            solve(design, response, 0.1, 0.1)
        with pytest.raises(InputError, match="overflow"):
            solve_batch(design, response[None], 0.1, 0.1)


def test_warning_says_what_to_do():
    X, y, b0, _ = draw(5, 60, 200, 0.95)
    with pytest.warns(ConvergenceWarning, match="raise max_iter"):
        rough = solve(X, y, 1e-3, 1e-3, source_coef=b0, tol=1e-12, max_iter=1)
    assert not rough.converged and rough.gap > 1e-12
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        solve(X, y, 1e-3, 1e-3, source_coef=b0)


GOOD: dict[str, Any] = {"X": np.eye(3), "y": np.ones(3), "l1": 0.1, "l2": 0.1}
BAD: list[tuple[str, dict[str, Any]]] = [
    ("X has NaN", {"X": np.diag([1.0, np.nan, 1.0])}),
    ("X has NaN", {"X": sparse.csc_array(np.diag([1.0, np.inf, 1.0]))}),
    ("X has shape", {"X": np.ones(3)}),
    ("y is nan", {"y": [1.0, np.nan, 1.0]}),
    ("y has shape", {"y": np.ones(4)}),
    ("X has complex", {"X": np.eye(3) * 1j}),
    ("y has masked", {"y": np.ma.masked_less(np.arange(3.0), 1)}),
    ("source_coef has complex", {"source_coef": np.ones(3) * 1j}),
    ("l1 is -1", {"l1": -1}),
    ("l2 is nan", {"l2": np.nan}),
    ("nu is -1", {"nu": -1}),
    ("source_coef has shape", {"source_coef": np.ones(2)}),
    ("source_coef is inf", {"source_coef": [0, 0, np.inf]}),
    ("weights is -1", {"weights": [-1, 1, 1]}),
    ("sample_weight must", {"sample_weight": np.zeros(3)}),
    ("y has the value 2", {"loss": "logistic", "y": [0, 1, 2]}),
    ("loss is", {"loss": "hinge"}),
    ("tol is 0", {"tol": 0}),
    ("max_iter is 0", {"max_iter": 0}),
    ("coef_init has shape", {"coef_init": np.ones(2)}),
]


@pytest.mark.parametrize(("message", "change"), BAD, ids=[m for m, _ in BAD])
def test_bad_input(message, change):
    arguments = {**GOOD, **change}
    positional = [arguments.pop(k) for k in ("X", "y", "l1", "l2")]
    with pytest.raises(InputError, match=message):
        solve(*positional, **arguments)
