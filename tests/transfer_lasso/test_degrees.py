"""Degrees of freedom by finite differences (Stein), and the criteria against scikit-learn's."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.linear_model import LassoLarsIC

from tlstat.errors import InputError
from tlstat.transfer_lasso import (
    AdaptiveTransferLasso,
    TransferLasso,
    TransferLassoCV,
    TransferLogisticRegression,
    TransLasso,
    degrees_of_freedom,
    information_criteria,
    objective,
)

TIGHT = {"tol": 1e-13, "max_iter": 1000}


def problem(seed, n=30, p=8):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) @ np.diag(rng.uniform(0.5, 2, p))
    beta = np.where(rng.random(p) < 0.6, rng.normal(size=p), 0)
    source = beta + np.where(rng.random(p) < 0.5, 0.7 * rng.normal(size=p), 0)
    return X, X @ beta + 1 + rng.normal(size=n), source


def divergence(fit, y, step=1e-4):
    """Trace of the derivative of the fitted values, by central differences."""
    total = 0.0
    for i in range(len(y)):
        up, down = y.copy(), y.copy()
        up[i] += step
        down[i] -= step
        total += (fit(up)[i] - fit(down)[i]) / (2 * step)
    return total


@pytest.mark.parametrize("alpha", [0.2, 0.5, 0.75])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("cls", [TransferLasso, AdaptiveTransferLasso])
def test_the_count_is_the_divergence(alpha, fit_intercept, cls):
    X, y, source = problem(int(10 * alpha))
    options = {"fit_intercept": fit_intercept, **TIGHT}
    model = cls(0.2, alpha, source, **options).fit(X, y)
    moved = divergence(lambda r: cls(0.2, alpha, source, **options).fit(X, r).predict(X), y)
    df = degrees_of_freedom(X, model.coef_, source, fit_intercept=fit_intercept)
    assert moved == pytest.approx(df, abs=1e-4)
    assert df == model.df_ + fit_intercept
    assert model.df_ > 0
    if (cls, alpha) == (TransferLasso, 0.2):
        assert model.df_ < np.sum(model.coef_ != 0)  # the non-zeros are another number


def test_dependent_columns_count_by_their_rank():
    """Two copies of every column: half of the coefficient each is a minimiser too."""
    X, y, _ = problem(1)
    model = TransferLasso(0.1, **TIGHT).fit(X, y)
    twice, halves = np.hstack([X, X]), np.tile(model.coef_ / 2, 2)
    value = objective(halves, twice, y, 0.1, 0.0, intercept=model.intercept_, fit_intercept=True)
    assert value == pytest.approx(model.objective_, rel=1e-12)
    moved = divergence(lambda r: TransferLasso(0.1, **TIGHT).fit(X, r).predict(X), y)
    df = degrees_of_freedom(twice, halves, fit_intercept=True)
    assert moved == pytest.approx(df, abs=1e-4)
    assert df == model.df_ + 1 < np.sum(halves != 0) + 1
    assert degrees_of_freedom(sparse.csc_array(twice), halves, fit_intercept=True) == df


@pytest.mark.parametrize("weighted", [False, True])
def test_ridge_terms_shrink_the_degrees(weighted):
    X, y, source = problem(2)
    weight = np.random.default_rng(0).uniform(0.2, 3, len(y)) if weighted else None
    options = {"ridge": 0.3, "source_ridge": 0.2, **TIGHT}

    def fit(response):
        return TransferLasso(0.1, 0.6, source, **options).fit(X, response, weight)

    moved = divergence(lambda r: fit(r).predict(X), y)
    extra = {"ridge": 0.5, "sample_weight": weight, "fit_intercept": True}
    df = degrees_of_freedom(X, fit(y).coef_, source, **extra)
    assert moved == pytest.approx(df, abs=1e-4)
    thin = degrees_of_freedom(sparse.csc_array(X), fit(y).coef_, source, **extra)
    assert thin == pytest.approx(df, rel=1e-9)


def test_designs_of_any_kind():
    X, y, source = problem(2)
    model = TransferLasso(0.1, 0.6, source).fit(X, y)
    count = degrees_of_freedom(X, model.coef_, source)
    for given in (X.tolist(), pd.DataFrame(X), np.asfortranarray(X), sparse.coo_array(X)):
        assert degrees_of_freedom(given, model.coef_.tolist(), source.tolist()) == count


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ridge": -1}, "ridge is -1"),
        ({"coef": np.full(8, np.nan)}, "coef is nan at index 0"),
        ({"coef": np.ones(7)}, r"coef has shape \(7,\)"),
        ({"source_coef": np.ones(7)}, r"source_coef has shape \(7,\)"),
        ({"sample_weight": -np.ones(30)}, "sample_weight must be 0 or above"),
        ({"X": np.ones(30)}, "X has shape"),
    ],
)
def test_bad_input_for_the_count(change, said):
    X, _, source = problem(2)
    with pytest.raises(InputError, match=said):
        degrees_of_freedom(**{"X": X, "coef": source, **change})


def test_criteria_of_data_frames_come_without_warnings():
    X, y, source = problem(5)
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(8)])
    model = TransferLasso(0.1, 0.6, source).fit(frame, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = information_criteria(model, frame, y, independent_source=True)
    plain = TransferLasso(0.1, 0.6, source).fit(X, y)
    assert found == information_criteria(plain, X, y, independent_source=True)
    assert found.rss == pytest.approx(np.sum((y - model.predict(frame)) ** 2))


def test_nothing_off_the_knots():
    X, _, source = problem(3)
    assert degrees_of_freedom(X, source, source) == 0
    assert degrees_of_freedom(X, np.zeros(8), source, fit_intercept=True) == 1


def test_the_estimate_is_unbiased():
    """Cp estimates the error at the same design without bias, over 1,000 responses."""
    rng = np.random.default_rng(4)
    X, _, source = problem(4)
    mean = X @ (source + np.where(np.arange(8) < 3, 0.5, 0))
    difference, non_zero = [], []
    for _ in range(1_000):
        y = mean + rng.normal(size=len(mean))
        model = TransferLasso(0.3, 0.4, source, fit_intercept=False, tol=1e-9).fit(X, y)
        found = information_criteria(model, X, y, independent_source=True, noise_variance=1.0)
        difference.append(found.cp - np.sum((model.predict(X) - mean) ** 2))
        non_zero.append(2 * (np.sum(model.coef_ != 0) - found.df))
    error = np.std(difference) / np.sqrt(len(difference))
    z = np.mean(difference) / error
    assert abs(z) < 4.9  # false alarm 1e-6
    # counting all non-zero coefficients instead is found out
    assert np.mean(non_zero) > 10 * error


def test_without_a_source_the_criteria_are_those_of_scikit_learn():
    X, y, _ = problem(5)
    for criterion in ("aic", "bic"):
        peer = LassoLarsIC(criterion).fit(X, y)
        for lam, value in list(zip(peer.alphas_, peer.criterion_, strict=True))[1:-1:2]:
            # just off the knots of the path, where columns enter
            model = TransferLasso(float(lam) * 0.999999, **TIGHT).fit(X, y)
            found = information_criteria(model, X, y)
            # theirs leaves out the intercept's degree, and at a knot the column that enters there
            factor = 2 if criterion == "aic" else np.log(len(y))
            assert found.noise_variance == pytest.approx(peer.noise_variance_)
            gap = (getattr(found, criterion) - value) / factor
            assert min(abs(gap - 1), abs(gap - 2)) < 1e-3, (lam, gap)


def test_weights_of_columns_do_not_matter_for_the_count():
    X, y, source = problem(6)
    u, v = np.random.default_rng(0).uniform(0.3, 3, (2, 8))
    options = {"weights": u, "source_weights": v, **TIGHT}
    model = TransferLasso(0.1, 0.5, source, **options).fit(X, y)
    moved = divergence(lambda r: TransferLasso(0.1, 0.5, source, **options).fit(X, r).predict(X), y)
    found = information_criteria(model, X, y, independent_source=True)
    assert moved == pytest.approx(found.df, abs=1e-4)
    assert found.df == model.df_ + 1


def test_where_the_count_is_not_valid_it_is_refused():
    X, y, source = problem(6)
    model = TransferLasso(0.1, 0.5, source).fit(X, y)
    with pytest.raises(InputError, match="independent_source is not given"):
        information_criteria(model, X, y)
    with pytest.raises(InputError, match="moves with y"):
        information_criteria(model, X, y, independent_source=False)
    with pytest.raises(InputError, match="expected the data that the estimator was fitted on"):
        information_criteria(model, X, y + 0.01 * np.arange(len(y)), independent_source=True)
    weighted = TransferLasso(0.1, 0.5, source).fit(X, y, np.arange(1, len(y) + 1))
    with pytest.raises(InputError, match="sample weights"):
        information_criteria(weighted, X, y, independent_source=True)
    for other in (
        TransferLassoCV(source).fit(X, y),
        TransLasso(constant=0.5).fit(X, y),
        TransferLogisticRegression(0.1, 0.5, source).fit(X, y > y.mean()),
    ):
        with pytest.raises(InputError, match=type(other).__name__):
            information_criteria(other, X, y, independent_source=True)


def test_a_source_from_the_same_response_breaks_the_count():
    """Why independence is asked for: the divergence is not the count then."""
    X, y, _ = problem(7, p=8)

    def fit(response):
        # loosely regularised, then halfway back: knots that move with the response
        source = TransferLasso(0.15, **TIGHT).fit(X, response).coef_
        return TransferLasso(0.3, 0.6, source, **TIGHT).fit(X, response)

    model = fit(y)
    moved = divergence(lambda r: fit(r).predict(X), y, 1e-5)
    assert abs(moved - (model.df_ + 1)) > 0.5


def test_the_noise_variance():
    X, y, source = problem(8, n=9)
    model = TransferLasso(0.1, 0.5, source).fit(X, y)
    with pytest.raises(InputError, match="noise_variance is not given and X has 9 rows"):
        information_criteria(model, X, y, independent_source=True)
    found = information_criteria(model, X, y, independent_source=True, noise_variance=2.0)
    assert found.cp == pytest.approx(found.rss / 2 - 9 + 2 * found.df)
    assert found.bic - found.aic == pytest.approx((np.log(9) - 2) * found.df)
    with pytest.raises(InputError, match="noise_variance is -1"):
        information_criteria(model, X, y, independent_source=True, noise_variance=-1)
