"""`TransferLassoCV` against a plain loop, scikit-learn's `LassoCV` and row duplication."""

import os
import tracemalloc
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LassoCV
from sklearn.model_selection import GroupKFold, KFold
from threadpoolctl import threadpool_info

from tlstat.errors import InputError
from tlstat.transfer_lasso import TransferLasso, TransferLassoCV, cv


def problem(seed, n=60, p=20, error=0.1):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    beta = np.where(np.arange(p) < 8, 1.0, 0)
    source = beta + error * rng.normal(size=p)
    return X, X @ beta + 1 + rng.normal(size=n), source


def test_it_is_the_plain_loop():
    X, y, source = problem(0)
    alphas, lams = [0.2, 0.5, 1.0], [0.5, 0.1, 0.02]
    folds = KFold(4, shuffle=True, random_state=1)
    model = TransferLassoCV(source, alphas=alphas, lams=lams, cv=folds, tol=1e-10).fit(X, y)
    errors = np.empty((3, 3, 4))
    for i, alpha in enumerate(alphas):
        for j, lam in enumerate(lams):
            for k, (train, test) in enumerate(folds.split(X)):
                one = TransferLasso(lam, alpha, source, tol=1e-10).fit(X[train], y[train])
                errors[i, j, k] = np.mean((y[test] - one.predict(X[test])) ** 2)
    np.testing.assert_allclose(model.mse_path_, errors, rtol=1e-6)
    i, j = np.unravel_index(np.argmin(errors.mean(axis=2)), (3, 3))
    assert (model.alpha_, model.lam_) == (alphas[i], lams[j])
    best = TransferLasso(model.lam_, model.alpha_, source).fit(X, y)
    np.testing.assert_allclose(model.coef_, best.coef_, atol=1e-5)
    np.testing.assert_array_equal(model.unchanged_, model.coef_ == source)


def test_without_a_source_it_is_the_cross_validated_lasso():
    X, y, _ = problem(1)
    peer = LassoCV(alphas=50, eps=1e-3, cv=5, tol=1e-10, max_iter=100_000).fit(X, y)
    model = TransferLassoCV(tol=1e-10).fit(X, y)
    np.testing.assert_allclose(model.lams_[0], peer.alphas_, rtol=1e-9)
    np.testing.assert_allclose(model.mse_path_[0], peer.mse_path_, rtol=1e-6)
    assert model.lam_ == pytest.approx(peer.alpha_)
    np.testing.assert_allclose(model.coef_, peer.coef_, atol=1e-6)
    assert len(model.alphas_) == 1  # all alphas are the same


def test_every_grid_starts_at_its_limit():
    X, y, source = problem(2)
    model = TransferLassoCV(source, lams=10).fit(X, y)
    assert model.lams_.shape == (5, 10) and np.all(np.diff(model.lams_) < 0)
    for alpha, lams in zip(model.alphas_, model.lams_, strict=True):
        above = TransferLasso(lams[0] * 1.0001, alpha, source).fit(X, y)
        below = TransferLasso(lams[0] * 0.98, alpha, source, tol=1e-9).fit(X, y)
        limit = {True: np.zeros(20), False: source}[alpha > 0.5] if alpha != 0.5 else above.coef_
        np.testing.assert_allclose(above.coef_, limit, atol=1e-12)
        assert np.abs(below.coef_ - above.coef_).max() > 1e-4


def test_it_finds_out_good_and_useless_sources():
    X, y, source = problem(3, error=0.02)
    good = TransferLassoCV(source).fit(X, y)
    assert good.alpha_ < 1 and good.unchanged_.sum() > 3
    plain = TransferLassoCV().fit(X, y)
    beta = np.where(np.arange(20) < 8, 1.0, 0)
    assert np.sum((good.coef_ - beta) ** 2) < 0.5 * np.sum((plain.coef_ - beta) ** 2)
    useless = TransferLassoCV(10 * np.random.default_rng(0).normal(size=20)).fit(X, y)
    assert useless.alpha_ == 1.0
    np.testing.assert_allclose(useless.coef_, plain.coef_, atol=1e-4)


def test_jobs_and_sparse_designs_change_nothing():
    X, y, source = problem(4)
    X = np.where(np.abs(X) > 0.8, X, 0)
    one = TransferLassoCV(source, lams=8, tol=1e-10).fit(X, y)
    for jobs in (2, 3, -1):
        more = TransferLassoCV(source, lams=8, tol=1e-10, n_jobs=jobs).fit(X, y)
        np.testing.assert_array_equal(one.mse_path_, more.mse_path_)
        np.testing.assert_array_equal(one.coef_, more.coef_)
    thin = TransferLassoCV(source, lams=8, tol=1e-10).fit(sparse.csr_array(X), y)
    np.testing.assert_allclose(one.mse_path_, thin.mse_path_, rtol=1e-6)
    assert one.alpha_ == thin.alpha_ and one.lam_ == pytest.approx(thin.lam_)


def test_jobs_are_threads(monkeypatch):
    """A new process would import and load compiled code: seconds for milliseconds of work."""
    X, y, source = problem(4)
    where = []

    def blas():
        libraries = threadpool_info()
        return [one["num_threads"] for one in libraries if one["user_api"] == "blas"]

    def noted(*args, _fold_errors=cv.fold_errors):
        result = _fold_errors(*args)
        where.append((os.getpid(), set(blas())))
        return result

    monkeypatch.setattr(cv, "fold_errors", noted)
    TransferLassoCV(source, lams=3, cv=4, n_jobs=2).fit(X, y)  # what it imports has its threads
    before = blas()
    where.clear()
    TransferLassoCV(source, lams=3, cv=4, n_jobs=2).fit(X, y)
    # those of BLAS would only wait for each other, and all threads share their number
    assert where == 4 * [(os.getpid(), {1})]
    assert blas() == before


def test_groups():
    X, y, source = problem(4)
    groups = np.random.default_rng(0).integers(0, 12, len(y))
    folds = list(GroupKFold(4).split(X, y, groups))
    listed = TransferLassoCV(source, lams=5, cv=folds).fit(X, y)
    model = TransferLassoCV(source, lams=5, cv=GroupKFold(4)).fit(X, y, groups=groups)
    np.testing.assert_array_equal(model.mse_path_, listed.mse_path_)
    np.testing.assert_array_equal(model.coef_, listed.coef_)
    with pytest.raises(ValueError, match="'groups' parameter should not be None"):
        TransferLassoCV(source, lams=5, cv=GroupKFold(4)).fit(X, y)


def test_a_fold_holds_one_copy_of_its_rows():
    rng = np.random.default_rng(3)
    X = np.asfortranarray(rng.normal(size=(500, 2000)))
    y, source = rng.normal(size=500), rng.normal(size=2000)
    model = TransferLassoCV(source, lams=[2.0, 1.0], alphas=[0.9, 1.0])
    tracemalloc.start()
    model.fit(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.25 * X.nbytes  # training and test rows of one fold


def test_a_weight_is_a_number_of_rows():
    X, y, source = problem(5)
    rng = np.random.default_rng(0)
    count, group = rng.integers(0, 3, len(y)), np.arange(len(y)) % 4

    def splits(groups):
        return [(np.flatnonzero(groups != g), np.flatnonzero(groups == g)) for g in range(4)]

    options = {"lams": 10, "tol": 1e-11}
    weighted = TransferLassoCV(source, cv=splits(group), **options).fit(X, y, count)
    again = np.repeat(group, count)
    repeated = TransferLassoCV(source, cv=splits(again), **options).fit(
        np.repeat(X, count, axis=0), np.repeat(y, count)
    )
    np.testing.assert_allclose(weighted.mse_path_, repeated.mse_path_, rtol=1e-6)
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-6)


def test_weights_of_columns():
    X, y, source = problem(8)
    u, v = np.random.default_rng(0).uniform(0.3, 3, (2, 20))
    folds = [(np.arange(60) % 3 != k, np.arange(60) % 3 == k) for k in range(3)]  # masks
    options = {"weights": u, "source_weights": v, "tol": 1e-10}
    grid = {"alphas": [0.4, 0.8], "lams": [0.3, 0.1], "cv": folds}
    for given in (source, None):  # without a source the weights still tell the alphas apart
        model = TransferLassoCV(given, **grid, **options).fit(X, y)
        errors = np.empty((2, 2, 3))
        for index in np.ndindex(errors.shape):
            train, test = folds[index[2]]
            alpha, lam = grid["alphas"][index[0]], grid["lams"][index[1]]
            one = TransferLasso(lam, alpha, given, **options).fit(X[train], y[train])
            errors[index] = np.mean((y[test] - one.predict(X[test])) ** 2)
        np.testing.assert_allclose(model.mse_path_, errors, rtol=1e-6)
        best = TransferLasso(model.lam_, model.alpha_, given, **options).fit(X, y)
        np.testing.assert_allclose(model.coef_, best.coef_, atol=1e-5)


def test_a_perfect_source():
    """The residual is zero but for rounding, so that every penalty keeps the source."""
    X, _, source = problem(6)
    model = TransferLassoCV(source, alphas=[0.0]).fit(X, X @ source)
    np.testing.assert_allclose(model.coef_, source, atol=1e-8)
    exact = TransferLassoCV(np.zeros(20)).fit(X, np.zeros(60))  # no grid has an end above 0
    np.testing.assert_array_equal(exact.coef_, 0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"alphas": []}, "alphas is"),
        ({"alphas": [0.5, 1.5]}, "alphas is 1.5"),
        ({"alphas": "x"}, r"alphas is 'x'; expected a number in \[0, 1\]"),
        ({"lam_ratio": "a"}, "lam_ratio is 'a'; expected a number above 0 and below 1"),
        ({"tol": -1.0}, "tol is -1.0"),
        ({"lams": 0}, "lams is 0"),
        ({"lams": [0.1, -1]}, "lams is -1"),
        ({"lams": 2.5}, "lams is 2.5"),
        ({"lam_ratio": 1.0}, "lam_ratio is 1.0"),
        ({"source_coef": [1, 2]}, "source_coef has shape"),
        ({"ridge": -1}, "ridge is -1"),
    ],
)
def test_bad_arguments(options, said):
    X, y, _ = problem(0)
    with pytest.raises(InputError, match=said):
        TransferLassoCV(**options).fit(X, y)


def test_weights_that_empty_a_fold():
    X, y, source = problem(0)
    weight = (np.arange(len(y)) < 12).astype(float)
    with pytest.raises(InputError, match="whole training fold"):
        TransferLassoCV(source, cv=5).fit(X, y, weight)


@pytest.mark.parametrize("jobs", [1, 2])
def test_no_convergence_is_told_once(jobs):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 300)) + 5 * rng.normal(size=(30, 1))
    y, source = rng.normal(size=30), rng.normal(size=300)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        filters = list(warnings.filters)
        TransferLassoCV(source, lams=[1e-4], tol=1e-14, max_iter=1, n_jobs=jobs).fit(X, y)
        assert warnings.filters == filters  # which all threads share
    said = [str(w.message) for w in told if issubclass(w.category, ConvergenceWarning)]
    assert sum("fits in the folds" in message for message in said) == 1
    assert len(said) <= 2  # and one for the fit on all rows
