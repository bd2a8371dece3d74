"""Problems given by second moments: by the gap on raw rows, and by their own certificate."""

import numpy as np
import pytest

from tlstat.backend import Random
from tlstat.errors import InputError
from tlstat.transfer_lasso import TransferLassoCV, penalty, problem, solve
from tlstat.transfer_lasso.models import RegressionModel, autoregressive
from tlstat.transfer_lasso.moments import (
    Folds,
    cross_validated,
    draw_folds,
    moments_kkt,
    solve_moments,
)


def raw(seed, n=20, p=6):
    r = np.random.default_rng(seed)
    X = r.normal(size=(n, p)) * r.exponential(size=p)
    b0 = r.normal(size=p) * (r.random(p) < 0.7)
    return X, X @ b0 + r.normal(size=n), b0


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("l1", "l2"), [(0.2, 0.05), (0.05, 0.2), (0.3, 0.0), (0.0, 0.3), (0, 0)])
def test_the_duality_gap_on_raw_rows_is_zero(seed, l1, l2):
    X, y, b0 = raw(seed)
    n, p = X.shape
    a, c = np.full(p, l1), np.full(p, l2)
    coef = solve_moments(X.T @ X / n, X.T @ y / n, a, c, b0)
    assert problem.duality_gap(coef, X, y, l1, l2, source_coef=b0, relative=True) < 1e-11
    assert moments_kkt(coef, X.T @ X / n, X.T @ y / n, a, c, b0) < 1e-12


def test_weights_and_broadcasting():
    problems = [raw(seed) for seed in range(3)]
    gram = np.stack([X.T @ X / len(X) for X, _, _ in problems])
    moment = np.stack([X.T @ y / len(X) for X, y, _ in problems])
    b0 = np.stack([b for _, _, b in problems])
    u = np.array([0, 1, 2, 1e12, 1, 1.0])
    together = solve_moments(gram, moment, 0.1 * u, 0.05, b0)
    assert together.shape == (3, 6)
    for r, (X, y, source) in enumerate(problems):
        alone = solve_moments(gram[r], moment[r], 0.1 * u, np.full(6, 0.05), source)
        np.testing.assert_array_equal(alone, together[r])
        gap = problem.duality_gap(
            alone, X, y, 0.1, 0.05, source_coef=source, weights=u, relative=True
        )
        assert gap < 1e-11
    assert np.all(together[:, 3] == 0)


def test_knots_are_exact():
    X, y, b0 = raw(1)
    gram, moment = X.T @ X / len(X), X.T @ y / len(X)
    np.testing.assert_array_equal(solve_moments(gram, moment, 0.0, 1e3, b0), b0)
    np.testing.assert_array_equal(solve_moments(gram, moment, 1e3, 0.0, b0), np.zeros(6))


def test_a_response_that_tells_nothing():
    """All moments are 0, coefficients are not: the source pulls."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X, b0 = rng.normal(size=(8, 6)), np.round(rng.normal(size=6), 1)
        found = solve_moments(X.T @ X / 8, np.zeros(6), np.full(6, 0.0125), 0.0375, b0)
        gap = problem.duality_gap(
            found, X, np.zeros(8), 0.0125, 0.0375, source_coef=b0, relative=True
        )
        assert np.any(found != 0) and gap <= 1e-10


@pytest.mark.parametrize("b0", [1.0, -2.0, 0.0])
@pytest.mark.parametrize(("a", "c"), [(0.1, 0.3), (0.3, 0.1), (0.2, 0.2), (0.0, 0.0), (0.0, 0.2)])
@pytest.mark.parametrize("share", [0.0, -0.7, 0.7, 1.0])
def test_the_penalty_alone_decides_about_a_zero_column(a, c, b0, share):
    """A moment there (which no data give) may be as large as the penalty's slope."""
    moment = np.array([1.0, share * (a + c)])
    coef = solve_moments(np.diag([1.0, 0.0]), moment, a, c, np.array([1.0, b0]))
    # a piecewise linear function is least at one of its knots
    costs = [float(penalty.value(b, a, c, b0)) - moment[1] * b for b in (coef[1], 0.0, b0)]
    assert costs[0] <= min(costs) + 1e-15 and coef[1] in (0.0, b0)
    assert moments_kkt(coef, np.diag([1.0, 0.0]), moment, a, c, np.array([1.0, b0])) < 1e-15


def test_a_zero_column_without_a_minimiser():
    with pytest.raises(InputError, match=r"moment is 1 at a column .* nothing bounds"):
        solve_moments(np.diag([1.0, 0.0]), [1.0, 1.0], 0.1, 0.3, np.ones(2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": -1.0}, "a is -1"),
        ({"c": np.nan}, "c has NaN"),
        ({"moment": np.ones(5)}, "gram has shape"),
        ({"a": np.ones(5)}, r"with a \(5,\), .*expected shapes that broadcast"),
        ({"max_iter": 1}, "did not converge in 1"),
    ],
)
def test_bad_input(change, message):
    X, y, b0 = raw(2)
    given = {"gram": X.T @ X / 20, "moment": X.T @ y / 20, "a": 0.1, "c": 0.1, "source_coef": b0}
    with pytest.raises(InputError, match=message):
        solve_moments(**{**given, **change})


def test_folds_hold_all_rows_and_leave_one_part_out():
    model = RegressionModel(np.array([1.0, 0, -1]), autoregressive(3, 0.5), 1.0)
    folds = draw_folds(model, 23, 4, Random(0), 5)
    assert list(folds.n) == [6, 6, 6, 5]
    gram, moment = folds.without_one()
    total, products = folds.whole
    for k, n in enumerate(folds.n):
        both = (23 - n) * gram[:, k] + n * folds.gram[:, k]
        np.testing.assert_allclose(both, 23 * total, rtol=1e-12)
        both = (23 - n) * moment[:, k] + n * folds.moment[:, k]
        np.testing.assert_allclose(both, 23 * products, rtol=1e-12, atol=1e-12)
    with pytest.raises(InputError, match="k is 24"):
        draw_folds(model, 23, 24, Random(0), 5)


@pytest.mark.parametrize("alpha", [1.0, 0.5])
def test_cross_validation_on_moments_is_that_on_rows(alpha):
    """The estimator with the same parts, levels and source makes the same choice."""
    rng = np.random.default_rng(3)
    n, p, size = 42, 6, 8
    beta, b0 = np.array([2.0, 1, 0, 0, -1, 0]), np.array([2.0, 0.5, 0, 0, -1, 1])
    levels = np.geomspace(0.01, 1, 7)
    parts = np.array_split(np.arange(n), 5)
    splits = [(np.setdiff1d(np.arange(n), part), part) for part in parts]
    X = rng.normal(size=(size, n, p))
    y = X @ beta + 2 * rng.normal(size=(size, n))
    folds = Folds(
        np.stack([np.swapaxes(X[:, q], 1, 2) @ X[:, q] / len(q) for q in parts], axis=1),
        np.stack([np.einsum("rij,ri->rj", X[:, q], y[:, q]) / len(q) for q in parts], axis=1),
        np.array([len(q) for q in parts]),
    )
    ones = np.ones((size, 1, p))
    a, c = alpha * levels[:, None] * ones, (1 - alpha) * levels[:, None] * ones
    coef, chosen = cross_validated(folds, a, c, np.tile(b0, (size, 1)), tol=1e-12)
    for r in range(size):
        model = TransferLassoCV(
            b0, alphas=(alpha,), lams=levels, cv=splits, fit_intercept=False, tol=1e-12
        ).fit(X[r], y[r])
        # the estimator averages over parts, which may differ by a row
        errors = model.mse_path_[0] @ np.array([len(q) for q in parts])
        assert levels[chosen[r]] == pytest.approx(model.lams_[0, np.argmin(errors)])
        level = levels[chosen[r]]
        fit = solve(X[r], y[r], alpha * level, (1 - alpha) * level, source_coef=b0, tol=1e-13)
        np.testing.assert_allclose(coef[r], fit.coef, atol=1e-6)
