"""`TransLasso` step by step from other libraries, and Q-aggregation against cvxpy."""

import cvxpy as cp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso, LassoCV

from tlstat.errors import InputError
from tlstat.transfer_lasso import TransLasso, q_aggregate


def world(seed, n=80, p=60, shifts=(0.0, 0.1, 3.0), n_source=150):
    """A target, and sources whose coefficients are shifted by more and more."""
    rng = np.random.default_rng(seed)
    beta = np.where(np.arange(p) < 6, 0.8, 0)

    def sample(size, shift, level):
        coefficients = beta + shift * (np.arange(p) % 7 == 3)
        X = rng.normal(size=(size, p))
        return X, X @ coefficients + level + rng.normal(size=size)

    X, y = sample(n, 0.0, 1.0)
    return X, y, [sample(n_source, shift, 10.0 * k) for k, shift in enumerate(shifts)], beta


def lasso(X, y, level, fit_intercept=True):
    return Lasso(level, fit_intercept=fit_intercept, tol=1e-12, max_iter=100_000).fit(X, y)


def by_hand(X, y, sources, c):
    """The oracle method: two lassos, with the samples centred."""
    p = X.shape[1]
    samples = [(X, y), *sources]
    pooled = np.vstack([A - A.mean(axis=0) for A, _ in samples])
    response = np.concatenate([b - b.mean() for _, b in samples])
    w = lasso(pooled, response, c * np.sqrt(2 * np.log(p) / len(response)), False).coef_
    delta = lasso(X, y - X @ w, c * np.sqrt(2 * np.log(p) / len(y)))
    return w, w + delta.coef_, delta.intercept_


@pytest.mark.parametrize("thin", [False, True])
def test_the_oracle_is_two_lassos(thin):
    X, y, sources, _ = world(0)
    w, coef, intercept = by_hand(X, y, sources, 0.7)
    layout = sparse.csr_array if thin else np.asarray
    model = TransLasso("oracle", constant=0.7, tol=1e-12)
    model.fit(layout(X), y, sources=[(layout(A), b) for A, b in sources])
    np.testing.assert_allclose(model.coef_, coef, atol=1e-7)
    np.testing.assert_allclose(model.source_coef_, w, atol=1e-7)
    assert model.intercept_ == pytest.approx(intercept, abs=1e-6)
    np.testing.assert_array_equal(model.unchanged_, model.coef_ == model.source_coef_)
    assert 0 < model.unchanged_.sum() < X.shape[1]
    assert model.dual_gap_ <= 1e-12


def test_without_sources_it_is_the_lasso():
    X, y, _, _ = world(1, p=20)
    peer = LassoCV(alphas=50, eps=1e-3, cv=5, tol=1e-10, max_iter=100_000).fit(X, y)
    for method, sources in (("oracle", None), ("aggregated", [])):
        model = TransLasso(method, tol=1e-8).fit(X, y, sources=sources)
        np.testing.assert_allclose(model.coef_, peer.coef_, atol=1e-4)
        assert model.constant_ * np.sqrt(2 * np.log(20) / 80) == pytest.approx(peer.alpha_)


def test_the_aggregated_method_step_by_step():
    X, y, sources, _ = world(2)
    model = TransLasso(constant=0.7, random_state=3, tol=1e-12).fit(X, y, sources=sources)
    order = np.random.RandomState(3).permutation(80)
    held, kept = order[:27], order[27:]
    marginal = X[kept].T @ (y[kept] - y[kept].mean()) / len(kept)
    ranks = []
    for A, b in sources:
        squares = (A.T @ (b - b.mean()) / len(b) - marginal) ** 2
        ranks.append(sorted(squares, reverse=True)[: round(len(kept) / 3)])
    np.testing.assert_allclose(model.ranks_, np.sum(ranks, axis=1))
    nearest = np.argsort(model.ranks_)
    assert model.candidates_ == [tuple(nearest[:size]) for size in range(4)]
    fits = np.empty((27, 4))
    for index, group in enumerate(model.candidates_):
        if group:
            _, coef, level = by_hand(X[kept], y[kept], [sources[k] for k in group], 0.7)
        else:
            plain = lasso(X[kept], y[kept], 0.7 * np.sqrt(2 * np.log(60) / len(kept)))
            coef, level = plain.coef_, plain.intercept_
        np.testing.assert_allclose(model.candidate_coefs_[index], coef, atol=1e-7)
        fits[:, index] = X[held] @ coef + level
    weights, value = conic_aggregate(fits, y[held])
    np.testing.assert_allclose(model.weights_, weights, atol=1e-4)
    np.testing.assert_allclose(model.coef_, weights @ model.candidate_coefs_, atol=1e-4)
    assert criterion(model.weights_, fits, y[held]) <= value * (1 + 1e-6)


def test_what_the_target_left_unchanged():
    """Of a combination: what every candidate in use leaves as its own pooled fit has it."""
    X, y, sources, _ = world(10)
    model = TransLasso(constant=0.7, random_state=3).fit(X, y, sources=sources)
    used = model.weights_ > 0
    assert used.sum() > 1
    kept = model.candidate_coefs_ == model.candidate_sources_
    np.testing.assert_array_equal(model.unchanged_, np.all(kept[used], axis=0))
    assert np.any(kept[used].any(axis=0) & ~model.unchanged_)
    assert np.any(model.unchanged_ & (model.coef_ != 0))
    np.testing.assert_allclose(model.source_coef_, model.weights_ @ model.candidate_sources_)
    assert model.df_ == np.sum((model.coef_ != 0) & ~model.unchanged_)
    for k, group in enumerate(model.candidates_):
        alone = TransLasso("oracle", constant=model.constant_)
        rows = np.sort(np.random.RandomState(3).permutation(80)[27:])
        alone.fit(X[rows], y[rows], sources=[sources[i] for i in group])
        np.testing.assert_allclose(model.candidate_coefs_[k], alone.coef_, atol=1e-6)
        np.testing.assert_allclose(model.candidate_sources_[k], alone.source_coef_, atol=1e-6)
    assert not hasattr(model, "objective_")  # no one objective


def weights_and_copies(seed, *samples):
    """Weights of rows from 0 to 3, and the rows so often."""
    rng = np.random.default_rng(seed)
    counts = [rng.integers(0, 4, len(y)) for _, y in samples]
    copies = [
        (np.repeat(X, count, axis=0), np.repeat(y, count))
        for (X, y), count in zip(samples, counts, strict=True)
    ]
    return counts, copies


@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_a_weight_is_a_number_of_rows(thin, fit_intercept):
    X, y, sources, _ = world(3, p=30)
    counts, copies = weights_and_copies(0, (X, y), *sources)
    layout = sparse.csr_array if thin else np.asarray
    options = {"constant": 0.7, "fit_intercept": fit_intercept, "tol": 1e-12}
    weighted = TransLasso("oracle", **options).fit(
        layout(X),
        y,
        counts[0],
        sources=[(layout(A), b, c) for (A, b), c in zip(sources, counts[1:], strict=True)],
    )
    repeated = TransLasso("oracle", **options).fit(*copies[0], sources=copies[1:])
    for name in ("coef_", "source_coef_", "intercept_", "objective_"):
        np.testing.assert_allclose(getattr(weighted, name), getattr(repeated, name), atol=1e-7)
    # the sum of the weights counts: half the weight is half the rows
    half = TransLasso("oracle", **options).fit(layout(X), y, counts[0] / 2, sources=sources)
    plain = TransLasso("oracle", **options).fit(layout(X), y, counts[0], sources=sources)
    assert np.max(np.abs(half.coef_ - plain.coef_)) > 1e-3


def test_weights_in_every_step_of_the_aggregated_method():
    X, y, sources, _ = world(2)
    (count, *source_counts), (_, *copies) = weights_and_copies(1, (X, y), *sources)
    model = TransLasso(constant=0.7, random_state=3, tol=1e-12).fit(
        X,
        y,
        count,
        sources=[(A, b, c) for (A, b), c in zip(sources, source_counts, strict=True)],
    )
    rows = np.flatnonzero(count)
    order = rows[np.random.RandomState(3).permutation(len(rows))]
    size = round(len(rows) / 3)
    (X_held, y_held), (X_kept, y_kept) = (
        (np.repeat(X[part], count[part], axis=0), np.repeat(y[part], count[part]))
        for part in (order[:size], order[size:])
    )
    marginal = X_kept.T @ (y_kept - y_kept.mean()) / len(y_kept)
    ranks = []
    for A, b in copies:
        squares = (A.T @ (b - b.mean()) / len(b) - marginal) ** 2
        ranks.append(sum(sorted(squares, reverse=True)[: round(len(y_kept) / 3)]))
    np.testing.assert_allclose(model.ranks_, ranks)
    fits = np.empty((len(y_held), 4))
    for index, group in enumerate(model.candidates_):
        if group:
            _, coef, level = by_hand(X_kept, y_kept, [copies[k] for k in group], 0.7)
        else:
            plain = lasso(X_kept, y_kept, 0.7 * np.sqrt(2 * np.log(60) / len(y_kept)))
            coef, level = plain.coef_, plain.intercept_
        np.testing.assert_allclose(model.candidate_coefs_[index], coef, atol=1e-7)
        fits[:, index] = X_held @ coef + level
    weights, _ = conic_aggregate(fits, y_held)
    np.testing.assert_allclose(model.weights_, weights, atol=1e-4)


def test_informative_sources_help_and_others_do_not_hurt_much():
    errors = {"lasso": [], "good": [], "bad": [], "trusted": []}
    for seed in range(20):
        X, y, sources, beta = world(10 + seed, n=60, shifts=(0.0, 0.05, 4.0, 5.0))
        for name, method, used in [
            ("lasso", "oracle", []),
            ("good", "aggregated", sources),
            ("bad", "aggregated", sources[2:]),
            ("trusted", "oracle", sources[2:]),
        ]:
            # the noise has deviation 1
            model = TransLasso(method, constant=1.0, random_state=0).fit(X, y, sources=used)
            errors[name].append(np.sum((model.coef_ - beta) ** 2))
    mean = {name: np.mean(values) for name, values in errors.items()}
    assert mean["good"] < 0.6 * mean["lasso"]
    assert mean["bad"] < 2.5 * mean["lasso"] < mean["trusted"] * 2.5


def test_a_source_without_any_relation_is_ranked_last():
    X, y, sources, _ = world(4, shifts=(4.0, 0.0, 0.1))
    model = TransLasso(constant=1.0, random_state=0).fit(X, y, sources=sources)
    assert np.argmax(model.ranks_) == 0 and model.candidates_[-1][-1] == 0


def test_all_candidates_zero():
    """The authors' script returns another type here, and fails."""
    X, y, sources, _ = world(5)
    model = TransLasso(constant=100.0, random_state=0).fit(X, y, sources=sources)
    np.testing.assert_array_equal(model.coef_, 0)
    assert model.weights_.sum() == pytest.approx(1) and model.weights_.shape == (4,)
    assert np.all(np.isfinite(model.predict(X)))


def test_units_of_the_response_do_not_matter():
    X, y, sources, _ = world(6, p=20)
    model = TransLasso(random_state=0, tol=1e-8).fit(X, y, sources=sources)
    scaled = TransLasso(random_state=0, tol=1e-8).fit(
        X, 1e3 * y, sources=[(A, 1e3 * b) for A, b in sources]
    )
    np.testing.assert_allclose(scaled.coef_, 1e3 * model.coef_, rtol=1e-3, atol=1e-2)


def test_refitting_forgets():
    X, y, sources, _ = world(7)
    model = TransLasso("oracle", constant=0.5).fit(X, y, sources=sources)
    model.set_params(method="aggregated").fit(X, y, sources=sources)
    assert not hasattr(model, "objective_") and len(model.candidates_) == 4
    model.fit(X, y)
    assert not hasattr(model, "ranks_") and model.candidates_ == [()]


def test_bad_sources():
    X, y, sources, _ = world(8)
    model = TransLasso(constant=0.5)
    for given_, said in [
        (5, "sources is not a sequence"),
        ([sources[0], (sources[1][0],)], r"sources\[1\] is not a pair"),
        ([(sources[0][0][:, :5], sources[0][1])], r"sources\[0\]: X has 5 features"),
        ([(sources[0][0], sources[0][1][1:])], r"sources\[0\]: .*inconsistent numbers"),
        ([(np.full((5, 60), np.nan), np.ones(5))], r"sources\[0\]: Input X contains NaN"),
        ([(*sources[0], -np.ones(150))], r"sources\[0\]: sample_weight ranges from -1"),
        ([(np.ma.masked_less(sources[0][0], 0), sources[0][1])], r"sources\[0\]: X has masked"),
    ]:
        with pytest.raises(InputError, match=said):
            model.fit(X, y, sources=given_)
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(60)])
    with pytest.raises(InputError, match="feature names should match"):
        model.fit(frame, y, sources=[(frame[frame.columns[::-1]], y)])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "best"}, "method is 'best'"),
        ({"held_out": 1.0}, "held_out is 1.0"),
        ({"held_out": "a"}, "held_out is 'a'; expected a number above 0 and below 1"),
        ({"held_out": 0.001}, "held_out is 0.001 of 80 target rows"),
        ({"screened": 0}, "screened is 0"),
        ({"constant": -1.0}, "constant is -1.0"),
    ],
)
def test_bad_arguments(options, said):
    X, y, sources, _ = world(9)
    with pytest.raises(InputError, match=said):
        TransLasso(**options).fit(X, y, sources=sources)


# ------------------------------------------------------------------- Q-aggregation


def criterion(w, fits, y, nu=0.5):
    whole = np.sum((y - fits @ w) ** 2)
    return (1 - nu) * whole + nu * w @ np.sum((y[:, None] - fits) ** 2, axis=0)


def conic_aggregate(fits, y, nu=0.5):
    w = cp.Variable(fits.shape[1])
    own = np.sum((y[:, None] - fits) ** 2, axis=0)
    value = (1 - nu) * cp.sum_squares(y - fits @ w) + nu * own @ w
    target = cp.Problem(cp.Minimize(value), [w >= 0, cp.sum(w) == 1])
    target.solve(solver=cp.CLARABEL, tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11)
    return w.value, target.value


@given(st.integers(0, 10_000), st.integers(1, 8), st.sampled_from([0.0, 0.3, 0.5, 1.0]))
def test_q_aggregation_is_optimal(seed, models, nu):
    rng = np.random.default_rng(seed)
    fits = rng.normal(size=(15, models)) + rng.normal(size=(15, 1))
    y = fits @ rng.dirichlet(np.ones(models)) + rng.normal(size=15)
    w, gap = q_aggregate(fits, y, nu=nu)
    assert gap <= 1e-10 and np.all(w >= 0) and w.sum() == pytest.approx(1, abs=1e-12)
    assert criterion(w, fits, y, nu) <= conic_aggregate(fits, y, nu)[1] * (1 + 1e-7) + 1e-9


def test_q_aggregation_of_equal_and_of_perfect_models():
    y = np.arange(5.0)
    same, gap = q_aggregate(np.column_stack([y + 1, y + 1]), y)
    assert same.sum() == 1 and gap == 0
    perfect, gap = q_aggregate(np.column_stack([y + 1, y, y - 2]), y)
    np.testing.assert_array_equal(perfect, [0, 1, 0])
    best, _ = q_aggregate(np.column_stack([y + 1, y - 2, y + 3]), y, nu=1.0)
    np.testing.assert_array_equal(best, [1, 0, 0])


def test_q_aggregation_with_weights_of_rows():
    rng = np.random.default_rng(0)
    fits, count = rng.normal(size=(12, 3)), rng.integers(0, 4, 12)
    y = fits @ [0.5, 0.3, 0.2] + rng.normal(size=12)
    weighted, gap = q_aggregate(fits, y, sample_weight=0.7 * count)
    repeated, same = q_aggregate(np.repeat(fits, count, axis=0), np.repeat(y, count))
    np.testing.assert_allclose(weighted, repeated, atol=1e-9)
    assert max(gap, same) <= 1e-10
    assert np.max(np.abs(weighted - q_aggregate(fits, y)[0])) > 0.01
    for wrong in (np.ones(11), -np.ones(12), np.zeros(12)):
        with pytest.raises(InputError, match="sample_weight has shape"):
            q_aggregate(fits, y, sample_weight=wrong)


def test_an_aggregation_that_is_not_finished_is_told_with_its_gap():
    fits = np.random.default_rng(1).normal(size=(30, 10))
    y = fits.mean(axis=1)
    with pytest.warns(ConvergenceWarning, match="after max_iter=2 steps"):
        w, gap = q_aggregate(fits, y, max_iter=2)
    value = criterion(w, fits, y)
    assert gap > 0.01
    # the certificate is about the weights that are returned
    assert value - conic_aggregate(fits, y)[1] <= gap * value


@pytest.mark.parametrize(
    ("fits", "y", "nu", "said"),
    [
        (np.ones((3, 2)), np.ones(3), "a", r"nu is 'a'; expected a number in \[0, 1\]"),
        ("ab", np.ones(3), 0.5, "fits has entries that are not real"),
        (np.ones((3, 2)), 1j * np.ones(3), 0.5, "y has complex"),
        (np.ones((3, 2)), np.ones(4), 0.5, "fits has shape"),
        (np.ones((3, 0)), np.ones(3), 0.5, "not empty"),
        (np.full((3, 2), np.nan), np.ones(3), 0.5, "NaN or infinite"),
        (np.ones((3, 2)), np.ones(3), 1.5, "nu is 1.5"),
    ],
)
def test_q_aggregation_of_bad_input(fits, y, nu, said):
    with pytest.raises(InputError, match=said):
        q_aggregate(fits, y, nu=nu)
