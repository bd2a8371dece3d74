"""`TransferLasso` and `AdaptiveTransferLasso` against cvxpy, scikit-learn and exact reductions."""

import doctest
import tracemalloc
import warnings

import cvxpy as cp
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import Lasso, LinearRegression

from tlstat.errors import InputError
from tlstat.transfer_lasso import AdaptiveTransferLasso, TransferLasso, duality_gap, estimators


def problem(seed, n=40, p=12):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * rng.uniform(0.3, 3, p) + rng.normal(size=p)
    beta = np.where(rng.random(p) < 0.5, rng.normal(size=p), 0)
    source = beta + np.where(rng.random(p) < 0.4, rng.normal(size=p), 0)
    return X, X @ beta + 2 + rng.normal(size=n), source


def conic(X, y, l1, l2, source, weight=None, u=1.0, v=1.0, ridge=0.0, source_ridge=0.0):
    """The optimal value by an interior-point solver, intercept included."""
    n, p = X.shape
    share = np.full(n, 1 / n) if weight is None else np.asarray(weight) / np.sum(weight)
    b, a = cp.Variable(p), cp.Variable()
    loss = 0.5 * cp.sum(cp.multiply(share, cp.square(y - X @ b - a)))
    shift = b - source
    penalty = l1 * cp.sum(cp.multiply(u * np.ones(p), cp.abs(b)))
    penalty += l2 * cp.sum(cp.multiply(v * np.ones(p), cp.abs(shift)))
    penalty += ridge / 2 * cp.sum_squares(b) + source_ridge / 2 * cp.sum_squares(shift)
    target = cp.Problem(cp.Minimize(loss + penalty))
    options = {"tol_gap_abs": 1e-11, "tol_gap_rel": 1e-11, "tol_feas": 1e-11}
    target.solve(solver=cp.CLARABEL, **options)
    return target.value


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.5, 0.75, 1.0])
def test_the_objective_is_that_of_a_conic_solver(seed, alpha):
    X, y, source = problem(seed)
    weight = np.random.default_rng(seed).uniform(0.2, 3, len(y)) if seed % 2 else None
    extra = {"ridge": 0.1, "source_ridge": 0.2} if seed > 1 else {}
    model = TransferLasso(0.3, alpha, source, tol=1e-10, **extra).fit(X, y, weight)
    best = conic(X, y, 0.3 * alpha, 0.3 * (1 - alpha), source, weight, **extra)
    assert model.objective_ == pytest.approx(best, rel=1e-8)
    assert 0 <= model.dual_gap_ <= 1e-10
    b = model.coef_
    share = np.full(len(y), 1 / len(y)) if weight is None else weight / weight.sum()
    written_out = share @ (y - X @ b - model.intercept_) ** 2 / 2
    written_out += 0.3 * (alpha * np.abs(b).sum() + (1 - alpha) * np.abs(b - source).sum())
    if extra:
        written_out += 0.05 * b @ b + 0.1 * (b - source) @ (b - source)
    assert model.objective_ == pytest.approx(written_out, rel=1e-12)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("lam", [0.05, 0.5])
def test_without_a_source_or_at_alpha_one_it_is_the_lasso(lam, fit_intercept):
    X, y, source = problem(7)
    options = {"fit_intercept": fit_intercept, "tol": 1e-12}
    lasso = Lasso(lam, fit_intercept=fit_intercept, tol=1e-12, max_iter=100_000).fit(X, y)
    for model in (
        TransferLasso(lam, **options),
        TransferLasso(lam, 0.3, **options),
        TransferLasso(lam, 1.0, source, **options),
        AdaptiveTransferLasso(lam, **options),
        AdaptiveTransferLasso(lam, 1.0, source, gamma1=0, **options),
    ):
        model.fit(X, y)
        np.testing.assert_allclose(model.coef_, lasso.coef_, atol=1e-8)
        assert model.intercept_ == pytest.approx(lasso.intercept_, abs=1e-8)
        np.testing.assert_allclose(model.predict(X), lasso.predict(X), atol=1e-8)


def test_alpha_zero_is_a_lasso_of_the_change():
    X, y, source = problem(3)
    model = TransferLasso(0.2, 0.0, source, tol=1e-12).fit(X, y)
    lasso = Lasso(0.2, tol=1e-12, max_iter=100_000).fit(X, y - X @ source)
    np.testing.assert_allclose(model.coef_, source + lasso.coef_, atol=1e-8)
    np.testing.assert_array_equal(model.unchanged_, lasso.coef_ == 0)
    assert 0 < model.unchanged_.sum() < len(source)


def test_unchanged_compares_exactly():
    X, y, source = problem(5)
    model = TransferLasso(0.4, 0.4, source, tol=1e-10).fit(X, y)
    np.testing.assert_array_equal(model.unchanged_, model.coef_ == source)
    # a source that differs in the last bit is another source
    nearby = np.nextafter(source, np.inf)
    moved = TransferLasso(0.4, 0.4, nearby, tol=1e-10).fit(X, y)
    kept = model.unchanged_ & (source != 0)
    assert kept.any()
    assert not np.any(moved.coef_[kept] == source[kept])
    assert np.all(moved.unchanged_[kept])
    assert model.df_ == np.sum((model.coef_ != 0) & (model.coef_ != source))


def test_a_large_penalty_gives_zero_or_the_source():
    X, y, source = problem(2)
    np.testing.assert_array_equal(TransferLasso(1e4, 0.6, source).fit(X, y).coef_, 0)
    model = TransferLasso(1e4, 0.4, source).fit(X, y)
    assert model.unchanged_.all() and model.df_ == 0
    assert model.intercept_ == pytest.approx(np.mean(y - X @ source))


def test_a_response_orthogonal_to_the_design_does_not_erase_a_small_source():
    X = np.eye(3) - 1 / 3
    model = TransferLasso(1.0, 0.2, [0.1, 0.0, -0.1]).fit(X, np.ones(3))
    np.testing.assert_array_equal(model.coef_, [0.1, 0.0, -0.1])


@pytest.mark.parametrize("cls", [TransferLasso, AdaptiveTransferLasso])
def test_the_intercept_takes_up_any_shift(cls):
    X, y, source = problem(4)
    model = cls(0.2, 0.6, source, tol=1e-12).fit(X, y)
    moved = cls(0.2, 0.6, source, tol=1e-12).fit(X + 5.0, y + 100.0)
    np.testing.assert_allclose(moved.coef_, model.coef_, atol=1e-9)
    assert moved.intercept_ == pytest.approx(model.intercept_ + 100 - 5 * model.coef_.sum())
    assert np.mean(y - model.predict(X)) == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("cls", [TransferLasso, AdaptiveTransferLasso])
def test_a_weight_is_a_number_of_rows(cls):
    X, y, source = problem(6)
    count = np.random.default_rng(0).integers(0, 4, len(y))
    weighted = cls(0.2, 0.6, source, tol=1e-12).fit(X, y, count)
    scaled = cls(0.2, 0.6, source, tol=1e-12).fit(X, y, 7.5 * count)
    repeated = cls(0.2, 0.6, source, tol=1e-12).fit(
        np.repeat(X, count, axis=0), np.repeat(y, count)
    )
    for model in (scaled, repeated):
        np.testing.assert_allclose(weighted.coef_, model.coef_, atol=1e-9)
        assert weighted.intercept_ == pytest.approx(model.intercept_, abs=1e-9)


@pytest.mark.parametrize("layout", [sparse.csr_matrix, sparse.csc_array, sparse.coo_array])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_sparse_designs_give_the_same(layout, fit_intercept):
    rng = np.random.default_rng(1)
    X = np.where(rng.random((60, 15)) < 0.3, rng.normal(size=(60, 15)), 0) + 0.0
    _, _, source = problem(1, p=15)
    y, weight = X @ source + 3 + rng.normal(size=60), rng.uniform(size=60)
    options = {"fit_intercept": fit_intercept, "tol": 1e-12}
    dense = TransferLasso(0.05, 0.6, source, **options).fit(X, y, weight)
    model = TransferLasso(0.05, 0.6, source, **options).fit(layout(X), y, weight)
    np.testing.assert_allclose(model.coef_, dense.coef_, atol=1e-9)
    np.testing.assert_allclose(model.predict(layout(X)), dense.predict(X), atol=1e-9)


def test_a_sparse_design_is_never_made_dense():
    """A design of 8 TB, were it dense."""
    rng = np.random.default_rng(0)
    n = p = 1_000_000
    rows, columns = rng.integers(n, size=2_000), np.repeat(np.arange(200), 10)
    X = sparse.csc_array((rng.normal(size=2_000), (rows, columns)), shape=(n, p))
    y, source = rng.normal(size=n), np.zeros(p)
    source[:100] = 1.0
    model = TransferLasso(1e-6, 0.5, source).fit(X, y)
    assert model.dual_gap_ <= 1e-6


def test_the_design_is_left_alone():
    X, y, source = problem(8)
    for order in "CF":
        given = np.array(X, order=order)
        before, kept, prior = given.copy(), y.copy(), source.copy()
        TransferLasso(0.1, 0.5, source).fit(given, y)
        np.testing.assert_array_equal(given, before)
        np.testing.assert_array_equal(y, kept)
        np.testing.assert_array_equal(source, prior)


# ------------------------------------------------------------------- sources by name


def test_named_sources_are_matched_with_the_columns():
    X, y, source = problem(9)
    names = [f"x{j}" for j in range(X.shape[1])]
    frame = pd.DataFrame(X, columns=names)
    series = pd.Series(source, index=names)
    expected = TransferLasso(0.2, 0.5, source).fit(X, y).coef_
    for given in (series, series.iloc[::-1], dict(series.iloc[::-1])):
        model = TransferLasso(0.2, 0.5, given).fit(frame, y)
        np.testing.assert_array_equal(model.coef_, expected)
        np.testing.assert_array_equal(model.source_coef_, source)
    assert list(model.feature_names_in_) == names
    unnamed = TransferLasso(0.2, 0.5, pd.Series(source)).fit(frame, y)
    np.testing.assert_array_equal(unnamed.coef_, expected)
    with pytest.raises(InputError, match="lacks 'x11'"):
        TransferLasso(0.2, 0.5, series.iloc[:-1]).fit(frame, y)
    with pytest.raises(InputError, match="has 'other', which X lacks"):
        TransferLasso(0.2, 0.5, {**series, "other": 1.0}).fit(frame, y)
    with pytest.raises(InputError, match="X has none"):
        TransferLasso(0.2, 0.5, series).fit(X, y)
    with pytest.raises(InputError, match="twice"):
        TransferLasso(0.2, 0.5, pd.concat([series, series.iloc[:1]])).fit(frame, y)


def test_series_are_matched_by_labels_that_are_numbers_too():
    X, y, source = problem(9)
    expected = TransferLasso(0.2, 0.5, source).fit(X, y).coef_
    series = pd.Series(source)
    for names in (range(12), range(100, 112)):
        frame = pd.DataFrame(X, columns=names)
        for given in (series.set_axis(names), series.set_axis(names)[::-1], series):
            found = TransferLasso(0.2, 0.5, given).fit(frame, y)
            np.testing.assert_array_equal(found.coef_, expected)
            np.testing.assert_array_equal(found.source_coef_, source)
    # the labels are the columns', in another order than the rows'
    turned = TransferLasso(0.2, 0.5, series).fit(pd.DataFrame(X)[range(11, -1, -1)], y)
    np.testing.assert_array_equal(turned.source_coef_, source[::-1])
    # the columns of an array have positions
    found = TransferLasso(0.2, 0.5, series[::-1]).fit(X, y)
    np.testing.assert_array_equal(found.source_coef_, source)
    with pytest.raises(InputError, match="lacks 0; expected"):
        TransferLasso(0.2, 0.5, series.set_axis(range(100, 112))).fit(pd.DataFrame(X), y)
    with pytest.raises(InputError, match="X has none"):
        TransferLasso(0.2, 0.5, series.set_axis(range(100, 112))).fit(X, y)
    with pytest.raises(InputError, match="source_coef is a DataFrame"):
        TransferLasso(0.2, 0.5, pd.DataFrame(source[None])).fit(pd.DataFrame(X), y)


@pytest.mark.parametrize("value", ["x", None, np.nan, 1 + 2j, np.complex128(1 + 2j), [1.0]])
def test_named_coefficients_that_are_no_numbers(value):
    X, y, _ = problem(9)
    names = [f"x{j}" for j in range(12)]
    source = {**dict.fromkeys(names, 1.0), "x3": value}
    with pytest.raises(InputError, match=r"source_coef\['x3'\] is .*; expected a finite number"):
        TransferLasso(0.2, 0.5, source).fit(pd.DataFrame(X, columns=names), y)


# ------------------------------------------------------------------- weights of columns


def columns_weights(p=12):
    rng = np.random.default_rng(1)
    u, v = rng.uniform(0.2, 3, p), rng.uniform(0.2, 3, p)
    u[[0, 1]], v[[0, 2]] = 0, 0  # one coefficient without any penalty
    return u, v


@pytest.mark.parametrize("alpha", [0.3, 0.5, 1.0])
def test_weights_of_columns_against_a_conic_solver(alpha):
    X, y, source = problem(16)
    u, v = columns_weights()
    model = TransferLasso(0.3, alpha, source, weights=u, source_weights=v, tol=1e-10).fit(X, y)
    best = conic(X, y, 0.3 * alpha, 0.3 * (1 - alpha), source, u=u, v=v)
    assert model.objective_ == pytest.approx(best, rel=1e-8)
    np.testing.assert_array_equal(model.weights_, u)
    np.testing.assert_array_equal(model.source_weights_, v)
    plain = TransferLasso(0.3, alpha, source).fit(X, y)
    assert np.max(np.abs(model.coef_ - plain.coef_)) > 0.01
    np.testing.assert_array_equal(plain.weights_, np.ones(12))


def test_named_weights_are_matched_with_the_columns():
    X, y, source = problem(16)
    u, v = columns_weights()
    expected = TransferLasso(0.2, 0.5, source, weights=u, source_weights=v).fit(X, y).coef_
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(12)])
    u, v = (pd.Series(w, index=frame.columns) for w in (u, v))
    model = TransferLasso(0.2, 0.5, source, weights=u[::-1], source_weights=dict(v)).fit(frame, y)
    np.testing.assert_array_equal(model.coef_, expected)


def test_the_adaptive_weights_of_a_fit_are_those_of_a_plain_one():
    X, y, source = problem(10)
    model = AdaptiveTransferLasso(0.2, 0.5, source, gamma2=0.5).fit(X, y)
    u, v = model.weights_, model.source_weights_
    inside = np.abs(source) > 1e-2
    np.testing.assert_allclose(u[inside], 1 / np.abs(source[inside]))
    np.testing.assert_allclose(v[inside], np.sqrt(np.abs(source[inside])))
    plain = TransferLasso(0.2, 0.5, source, weights=u, source_weights=v).fit(X, y)
    np.testing.assert_array_equal(plain.coef_, model.coef_)


# ------------------------------------------------------------------- adaptive weights


@pytest.mark.parametrize("gammas", [(1.0, 1.0), (2.0, 0.5), (0.0, 1.0)])
def test_adaptive_weights_against_a_conic_solver(gammas):
    X, y, source = problem(10)
    source[0] = 0.0
    model = AdaptiveTransferLasso(
        0.2, 0.5, source, gamma1=gammas[0], gamma2=gammas[1], weight_range=(0.01, 50), tol=1e-10
    ).fit(X, y)
    size = np.abs(source)
    u = np.array([50.0 if s == 0 and gammas[0] else s ** -gammas[0] if s else 1.0 for s in size])
    v = np.clip(size ** gammas[1], 0.01, 50)
    best = conic(X, y, 0.1, 0.1, source, u=np.clip(u, 0.01, 50), v=v)
    assert model.objective_ == pytest.approx(best, rel=1e-8)


def test_exponents_zero_are_the_transfer_lasso():
    X, y, source = problem(11)
    plain = TransferLasso(0.2, 0.4, source).fit(X, y)
    model = AdaptiveTransferLasso(0.2, 0.4, source, gamma1=0, gamma2=0).fit(X, y)
    np.testing.assert_array_equal(model.coef_, plain.coef_)


def test_selection_and_invariance_together():
    """Region ii of the paper: zeros are zero and large coefficients equal the source's."""
    rng = np.random.default_rng(12)
    beta = np.array([3, 1.5, 0, 0, 2, 0, 0, 0, 0, 0.0])
    X = rng.normal(size=(2000, 10))
    y = X @ beta + rng.normal(size=2000)
    source = beta + rng.normal(size=10) / 2000  # from 2000^2 rows
    l1, l2 = 2000**-0.5, 2000**0.5
    lam, alpha = l1 + l2, l1 / (l1 + l2)
    adaptive = AdaptiveTransferLasso(lam, alpha, source, weight_range=(1e-12, 1e12)).fit(X, y)
    np.testing.assert_array_equal(adaptive.coef_, np.where(beta != 0, source, 0))
    plain = TransferLasso(lam, alpha, source).fit(X, y)
    np.testing.assert_array_equal(plain.coef_, source)  # invariant, but selects nothing


# ------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"lam": -1}, "lam is -1; expected a finite number, 0 or above"),
        ({"lam": np.nan}, "lam is nan"),
        ({"lam": "large"}, "lam is 'large'"),
        ({"alpha": 1.01}, "alpha is 1.01; expected a number in"),
        ({"alpha": -0.1}, "alpha is -0.1"),
        ({"ridge": -1}, "ridge is -1"),
        ({"source_ridge": np.inf}, "source_ridge is inf"),
        ({"source_coef": [1.0]}, r"source_coef has shape \(1,\); expected \(12,\)"),
        ({"source_coef": np.full(12, np.nan)}, "source_coef is nan at index 0"),
        ({"source_coef": [np.inf] + [0] * 11}, "source_coef is inf at index 0"),
        ({"source_coef": ["a"] * 12}, "not real numbers"),
        ({"tol": 0.0}, "tol is 0.0"),
        ({"max_iter": 0}, "max_iter is 0"),
        ({"weights": [1.0]}, r"weights has shape \(1,\); expected \(12,\)"),
        ({"source_weights": -np.ones(12)}, "source_weights is -1 at its lowest"),
    ],
)
def test_bad_arguments(options, said):
    X, y, _ = problem(0)
    with pytest.raises(InputError, match=said):
        TransferLasso(**options).fit(X, y)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_bad_data(bad):
    X, y, source = problem(0)
    for spoiled in (np.where(np.arange(12) == 3, bad, X), sparse.csr_array(X * bad)):
        with pytest.raises(ValueError, match="Input X contains"):
            TransferLasso(1.0, 0.5, source).fit(spoiled, y)
    with pytest.raises(ValueError, match="Input y contains"):
        TransferLasso(1.0, 0.5, source).fit(X, y * bad)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        TransferLasso(1.0, 0.5, source).fit(X, y[1:])


@pytest.mark.parametrize(("weight", "said"), [(-1.0, "ranges from -1"), (0.0, "non-zero|ranges")])
def test_bad_weights(weight, said):
    X, y, source = problem(0)
    with pytest.raises(ValueError, match=said):
        TransferLasso(1.0, 0.5, source).fit(X, y, np.full(len(y), weight))


def test_one_row():
    X, y, source = problem(0, n=1)
    with pytest.raises(ValueError, match="minimum of 2 is required"):
        TransferLasso(0.1, 0.5, source).fit(X, y)
    model = TransferLasso(0.1, 0.5, source, fit_intercept=False).fit(X, y)
    assert model.dual_gap_ <= 1e-6


@pytest.mark.parametrize(
    ("range_", "said"), [((1, 0.5), "lower"), ((1,), "two"), ((0, np.inf), ""), ("ab", "two")]
)
def test_bad_weight_range(range_, said):
    X, y, source = problem(0)
    with pytest.raises(InputError, match=f"weight_range is .*{said}"):
        AdaptiveTransferLasso(1.0, 0.5, source, weight_range=range_).fit(X, y)


def test_a_constant_column_is_warned_of_only_where_the_source_speaks():
    X, y, source = problem(13)
    X[:, 2] = 4.0
    source[2] = 1.5
    for design in (X, sparse.csc_array(X)):
        with pytest.warns(UserWarning, match="column 2 of X is constant"):
            kept = TransferLasso(0.1, 0.3, source).fit(design, y)
        assert kept.coef_[2] == 1.5
        with pytest.warns(UserWarning, match="column 2 of X is constant"):
            dropped = TransferLasso(0.1, 0.7, source).fit(design, y)
        assert dropped.coef_[2] == 0.0
    source[2] = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        TransferLasso(0.1, 0.3, source).fit(X, y)


def test_a_column_is_constant_where_its_rows_have_weight():
    X, y, source = problem(13)
    source[2], weight = 1.5, np.ones(40)
    X[:30, 2], weight[30:] = 4.0, 0.0
    for design in (X, sparse.csc_array(X)):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            TransferLasso(0.1, 0.3, source).fit(design, y)
        with pytest.warns(UserWarning, match="column 2 of X is constant where sample_weight"):
            model = TransferLasso(0.1, 0.3, source).fit(design, y, weight)
        assert model.coef_[2] == 1.5


@pytest.mark.parametrize("name", ["X", "y", "sample_weight", "source_coef"])
def test_what_a_conversion_to_float_would_drop(name):
    X, y, source = problem(15)
    given = {"X": X, "y": y, "sample_weight": np.ones(40), "source_coef": source}

    def fit(changed):
        data = {**given, name: changed}
        return TransferLasso(0.1, 0.5, data.pop("source_coef")).fit(**data)

    with pytest.raises(ValueError, match="Complex data not supported|has complex entries"):
        fit(given[name] + 1j)
    masked = np.ma.array(given[name])
    expected = fit(masked).coef_  # nothing is masked
    np.testing.assert_array_equal(expected, TransferLasso(0.1, 0.5, source).fit(X, y).coef_)
    masked[3] = np.ma.masked
    with pytest.raises(InputError, match=f"{name} has masked entries"):
        fit(masked)


def test_attributes_before_a_fit():
    for name in ("df_", "unchanged_"):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            getattr(TransferLasso(), name)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_dense_design_is_never_copied(weighted):
    rng = np.random.default_rng(3)
    X = np.asfortranarray(rng.normal(size=(500, 2000)))
    y, source = rng.normal(size=500), rng.normal(size=2000)
    weight = (np.arange(500) > 3).astype(float) if weighted else None
    TransferLasso(1.0, 0.9, source).fit(X[:9], y[:9])  # compiled, imported
    tracemalloc.start()
    TransferLasso(1.0, 0.9, source).fit(X, y, weight)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.25 * X.nbytes


def test_no_convergence_is_told_with_its_remedy():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 400)) + 5 * rng.normal(size=(30, 1))
    y = rng.normal(size=30)
    with pytest.warns(ConvergenceWarning, match="relative duality gap .* raise max_iter"):
        model = TransferLasso(1e-4, 0.5, rng.normal(size=400), tol=1e-14, max_iter=1).fit(X, y)
    assert model.dual_gap_ > 1e-14


def test_not_unique_but_certified():
    """alpha = 1/2 with more columns than rows: the gap holds, two solutions need not agree."""
    rng = np.random.default_rng(5)
    X, source = rng.normal(size=(10, 40)), rng.normal(size=40)
    y = X @ source * 0.4
    options = {"source_coef": source, "fit_intercept": False}
    model = TransferLasso(1e-2, 0.5, source, fit_intercept=False, tol=1e-9).fit(X, y)
    gap = duality_gap(model.coef_, X, y, 5e-3, 5e-3, relative=True, **options)
    assert gap <= 1.1e-9


def test_no_penalty_is_least_squares():
    X, y, source = problem(14)
    model = TransferLasso(0.0, 0.5, source, tol=1e-12).fit(X, y)
    np.testing.assert_allclose(model.coef_, LinearRegression().fit(X, y).coef_, atol=1e-6)


def test_the_example():
    """The one of the documentation; by hand: the fit 1 is pulled back to the knot 0.9."""
    assert doctest.testmod(estimators) == doctest.TestResults(failed=0, attempted=3)
