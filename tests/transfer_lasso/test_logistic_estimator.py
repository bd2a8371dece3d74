"""`TransferLogisticRegression` against cvxpy, scikit-learn and its own reductions."""

import cvxpy as cp
import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from tlstat.errors import InputError
from tlstat.transfer_lasso import TransferLogisticRegression


def problem(seed, n=80, p=8):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * rng.uniform(0.5, 2, p)
    beta = np.where(rng.random(p) < 0.5, rng.normal(size=p), 0)
    source = beta + np.where(rng.random(p) < 0.4, rng.normal(size=p), 0)
    y = rng.random(n) < 1 / (1 + np.exp(-X @ beta - 0.5))
    return X, np.where(y, "yes", "no"), source


@pytest.mark.parametrize("alpha", [0.0, 0.4, 0.75, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_objective_is_that_of_a_conic_solver(alpha, weighted):
    X, y, source = problem(1)
    weight = np.random.default_rng(2).uniform(0.2, 2, len(y)) if weighted else np.ones(len(y))
    model = TransferLogisticRegression(0.03, alpha, source, tol=1e-9).fit(X, y, weight)
    b, a = cp.Variable(8), cp.Variable()
    sign = np.where(y == "yes", 1.0, -1.0)
    loss = cp.sum(cp.multiply(weight / weight.sum(), cp.logistic(-cp.multiply(sign, X @ b + a))))
    loss += 0.03 * (alpha * cp.norm1(b) + (1 - alpha) * cp.norm1(b - source))
    conic = cp.Problem(cp.Minimize(loss))
    conic.solve(solver=cp.CLARABEL)
    assert model.objective_ == pytest.approx(conic.value, rel=1e-7)
    assert 0 <= model.dual_gap_ <= 1e-9


def test_without_a_source_it_is_l1_logistic_regression():
    X, y, _ = problem(3)
    model = TransferLogisticRegression(0.02, tol=1e-10).fit(X, y)
    peer = LogisticRegression(
        l1_ratio=1, C=1 / (0.02 * len(y)), solver="saga", tol=1e-10, max_iter=100_000
    ).fit(X, y)
    np.testing.assert_allclose(model.coef_, peer.coef_, atol=1e-6)
    np.testing.assert_allclose(model.intercept_, peer.intercept_, atol=1e-6)
    np.testing.assert_allclose(model.predict_proba(X), peer.predict_proba(X), atol=1e-6)
    np.testing.assert_allclose(model.decision_function(X), peer.decision_function(X), atol=1e-5)
    np.testing.assert_array_equal(model.predict(X), peer.predict(X))
    assert list(model.classes_) == ["no", "yes"]


def test_probabilities_far_out():
    X, y, source = problem(4)
    model = TransferLogisticRegression(0.02, 0.5, source).fit(X, y)
    far = 1e4 * X[:5]
    log = model.predict_log_proba(far)
    assert np.all(np.isfinite(log)) and np.min(log) < -100
    np.testing.assert_allclose(model.predict_proba(far).sum(axis=1), 1)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), model.predict_proba(X))


def test_a_weight_is_a_number_of_rows():
    X, y, source = problem(5)
    count = np.random.default_rng(0).integers(0, 4, len(y))
    weighted = TransferLogisticRegression(0.02, 0.5, source, tol=1e-11).fit(X, y, count)
    repeated = TransferLogisticRegression(0.02, 0.5, source, tol=1e-11).fit(
        np.repeat(X, count, axis=0), np.repeat(y, count)
    )
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-6)
    np.testing.assert_allclose(weighted.intercept_, repeated.intercept_, atol=1e-6)


def test_swapping_the_classes_turns_all_signs():
    X, y, source = problem(6)
    model = TransferLogisticRegression(0.02, 0.5, source, tol=1e-11).fit(X, y)
    turned = TransferLogisticRegression(0.02, 0.5, -source, tol=1e-11).fit(
        X, np.where(y == "yes", "a", "b")
    )
    np.testing.assert_allclose(turned.coef_, -model.coef_, atol=1e-6)
    np.testing.assert_array_equal(turned.unchanged_, model.unchanged_)


def test_the_source_can_be_a_fitted_models_coefficients():
    X, y, _ = problem(7)
    X_P, y_P, _ = problem(7, n=400)
    source = LogisticRegression().fit(X_P, y_P)
    model = TransferLogisticRegression(10.0, 0.3, source.coef_).fit(X, y)
    np.testing.assert_array_equal(model.coef_, source.coef_)
    assert model.unchanged_.shape == (8,) and model.unchanged_.all() and model.df_ == 0


def test_sparse_designs_give_the_same():
    X, y, source = problem(8)
    X = np.where(np.abs(X) > 1, X, 0)
    dense = TransferLogisticRegression(0.02, 0.5, source, tol=1e-10).fit(X, y)
    model = TransferLogisticRegression(0.02, 0.5, source, tol=1e-10).fit(sparse.csr_array(X), y)
    np.testing.assert_allclose(model.coef_, dense.coef_, atol=1e-5)
    np.testing.assert_allclose(model.predict_proba(sparse.csr_array(X)), dense.predict_proba(X),
                               atol=1e-5)  # fmt: skip


def test_bad_labels():
    X, y, source = problem(9)
    with pytest.raises(InputError, match="one class"):
        TransferLogisticRegression(0.1, 0.5, source).fit(X, np.zeros(len(y)))
    with pytest.raises(InputError, match="one class with positive weight"):
        TransferLogisticRegression(0.1, 0.5, source).fit(X, y, (y == "yes").astype(float))
    with pytest.raises(ValueError, match="Only binary classification is supported"):
        TransferLogisticRegression(0.1, 0.5, source).fit(X, np.arange(len(y)) % 3)


@pytest.mark.parametrize("shape", [(2, 8), (2, 4), (8, 1), (4, 2), (1, 1, 8)])
def test_sources_of_another_shape(shape):
    """Eight numbers are not enough: a table of them is in no order that is known."""
    X, y, _ = problem(9)
    with pytest.raises(InputError, match=rf"source_coef has shape \({shape[0]},"):
        TransferLogisticRegression(0.1, 0.5, np.zeros(shape)).fit(X, y)


def test_one_row_of_source_coefficients():
    X, y, source = problem(9)
    expected = TransferLogisticRegression(0.1, 0.5, source).fit(X, y).coef_
    for given in (source[None], source[None].tolist(), source.tolist()):
        found = TransferLogisticRegression(0.1, 0.5, given).fit(X, y).coef_
        np.testing.assert_array_equal(found, expected)
    one = TransferLogisticRegression(0.1, 0.5, [[1.0]]).fit(X[:, :1], y)
    assert one.source_coef_.shape == (1,)
