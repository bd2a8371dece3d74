"""`LinearRepresentation` and `FewShotRegressor` on data where the truth is known."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.pipeline import make_pipeline

from tlstat.errors import InputError
from tlstat.task_diversity.data import TaskWarning
from tlstat.task_diversity.estimators import (
    alternating_minimisation,
    method_of_moments,
    u_statistic,
)
from tlstat.task_diversity.few_shot import FewShotRegressor, leave_one_out
from tlstat.task_diversity.representation import LinearRepresentation
from tlstat.task_diversity.subspace import squared_distance

Z = 4.89  # two-sided normal quantile of 1e-6


def draw(seed, d=10, r=2, t=30, n=25, sigma=0.3, root=None, shift=0.0):
    """Tasks with intercepts and covariates of any mean and covariance."""
    rng = np.random.default_rng(seed)
    B = np.linalg.qr(rng.normal(size=(d, r)))[0]
    root = np.eye(d) if root is None else root
    X = [rng.normal(size=(n, d)) @ root + shift * rng.normal(size=d) for _ in range(t)]
    heads = rng.normal(size=(t, r))
    y = [
        x @ B @ a + shift * rng.normal() + sigma * rng.normal(size=n)
        for x, a in zip(X, heads, strict=True)
    ]
    return X, y, B, heads


@pytest.mark.parametrize(
    ("method", "independent", "centred"),
    [
        ("alternating", lambda X, y, r: alternating_minimisation(X, y, r).B, False),
        ("u-statistic", u_statistic, False),
        ("moments", method_of_moments, False),
    ],
)
def test_without_options_it_is_the_published_estimator(method, independent, centred):
    X, y, _, _ = draw(1)
    model = LinearRepresentation(2, method=method, fit_intercept=centred, whiten=False, tol=1e-10)
    expected = independent(X, y, 2)
    assert squared_distance(model.fit(X, y).components_.T, expected) < 1e-12


@pytest.mark.parametrize(
    ("method", "allowed"),
    # the nuclear norm is in the units of the columns
    [("alternating", 0.003), ("nuclear", 0.15), ("u-statistic", 0.03), ("moments", 0.45)],
)
def test_covariates_of_any_mean_and_covariance(method, allowed):
    """Angles in the metric of the covariates, whose condition number is 100."""
    root = np.diag(np.geomspace(1, 10, 10))
    X, y, B, _ = draw(2, n=60, t=60, root=root, shift=3.0)
    found = LinearRepresentation(2, method=method).fit(X, y).components_.T
    metric = [np.linalg.qr(root @ basis)[0] for basis in (found, B)]
    assert squared_distance(*metric) < allowed


def test_whitening_is_what_saves_the_moments():
    root = np.diag(np.geomspace(1, 10, 10))
    X, y, B, _ = draw(3, n=100, t=60, root=root)
    raw = LinearRepresentation(2, method="u-statistic", whiten=False).fit(X, y)
    white = LinearRepresentation(2, method="u-statistic", whiten=True).fit(X, y)
    distances = [squared_distance(m.components_.T, B) for m in (raw, white)]
    assert distances[0] > 0.3 and distances[1] < 0.05


def test_alternating_is_least_squares():
    """Its objective is below that of the truth and of the other methods, and stationary."""
    X, y, B, _ = draw(4, shift=1.0)

    def loss(basis):
        total = 0.0
        for x, v in zip(X, y, strict=True):
            design = np.column_stack([x @ basis, np.ones(len(v))])
            rest = v - design @ np.linalg.lstsq(design, v, rcond=None)[0]
            total += float(rest @ rest)
        return total

    best = loss(LinearRepresentation(2, tol=1e-10).fit(X, y).components_.T)
    others = ("u-statistic", "moments", "nuclear")
    assert best < loss(B)
    for method in others:
        assert best <= loss(LinearRepresentation(2, method=method).fit(X, y).components_.T)
    fitted = LinearRepresentation(2, tol=1e-10).fit(X, y).components_.T
    rng = np.random.default_rng(0)
    for _ in range(10):
        near = fitted + 1e-3 * rng.normal(size=fitted.shape)
        assert loss(near) >= best * (1 - 1e-12)


def test_attributes_fit_together():
    X, y, B, heads = draw(5, shift=2.0)
    model = LinearRepresentation(2).fit(X, y)
    V = model.components_
    assert pytest.approx(np.eye(2), abs=1e-12) == V @ V.T
    assert np.all(V[np.arange(2), np.abs(V).argmax(axis=1)] > 0)
    assert model.task_coef_ == pytest.approx(model.task_heads_ @ V)
    assert model.spectrum_[0] >= model.spectrum_[1] == pytest.approx(model.diversity_)
    second = model.task_heads_.T @ model.task_heads_ / 30
    assert second == pytest.approx(np.diag(model.spectrum_), abs=1e-12)
    for x, v, theta, c in zip(X, y, model.task_coef_, model.task_intercept_, strict=True):
        design = x @ V.T
        expected = LinearRegression().fit(design, v)
        assert x @ theta + c == pytest.approx(expected.predict(design))
    assert model.noise_variance_ == pytest.approx(0.09, rel=0.15)
    true = heads @ B.T
    assert np.mean((model.task_coef_ - true) ** 2) < 0.02 * np.mean(true**2)


def test_the_ways_to_give_tasks():
    X, y, _, _ = draw(6, t=12, n=20)
    listed = LinearRepresentation(2).fit(X, y)
    stacked = LinearRepresentation(2).fit(np.stack(X), np.stack(y))
    order = np.random.default_rng(0).permutation(240)
    names = np.repeat([f"task {j:02}" for j in range(12)], 20)
    grouped = LinearRepresentation(2).fit(
        np.concatenate(X)[order], np.concatenate(y)[order], groups=names[order]
    )
    for other in (stacked, grouped):
        assert other.components_ == pytest.approx(listed.components_, abs=1e-6)
        assert other.task_coef_ == pytest.approx(listed.task_coef_, abs=1e-6)
    assert grouped.tasks_.tolist() == [f"task {j:02}" for j in range(12)]
    shared = LinearRepresentation(2).fit(
        X[0], np.stack([X[0] @ np.eye(10)[j % 2] for j in range(6)], 1)
    )
    assert squared_distance(shared.components_.T, np.eye(10)[:, :2]) < 1e-12
    together = listed.transform(X)
    assert together[3] == pytest.approx(X[3] @ listed.components_.T)
    features = listed.fit_transform(np.concatenate(X), np.concatenate(y), groups=names)
    assert features.shape == (240, 2)


def test_symmetries():
    X, y, _, _ = draw(7, t=10)
    rng = np.random.default_rng(0)
    base = LinearRepresentation(2, tol=1e-10).fit(X, y)
    order = rng.permutation(10)
    permuted = LinearRepresentation(2, tol=1e-10).fit([X[j] for j in order], [y[j] for j in order])
    assert squared_distance(permuted.components_.T, base.components_.T) < 1e-12
    signs = LinearRepresentation(2, tol=1e-10).fit(X, [(-1) ** j * v for j, v in enumerate(y)])
    assert squared_distance(signs.components_.T, base.components_.T) < 1e-12
    scaled = LinearRepresentation(2, tol=1e-10).fit(X, [5 * v - 2 for v in y])
    assert squared_distance(scaled.components_.T, base.components_.T) < 1e-12
    assert scaled.task_coef_ == pytest.approx(5 * base.task_coef_, abs=1e-6)
    Q = np.linalg.qr(rng.normal(size=(10, 10)))[0]
    turned = LinearRepresentation(2, tol=1e-10).fit([x @ Q for x in X], y)
    assert squared_distance(Q @ turned.components_.T, base.components_.T) < 1e-12


@pytest.mark.parametrize("rank", [1, 3])
@pytest.mark.parametrize("method", ["alternating", "nuclear"])
def test_the_rank_is_found(rank, method):
    X, y, _, _ = draw(8, r=rank, t=25, n=25, sigma=0.2)
    model = LinearRepresentation(method=method).fit(X, y)
    assert model.n_components_ == rank
    choice = model.rank_choice_
    assert choice.rank == rank == choice.ranks[np.argmin(choice.errors)]
    assert len(choice.errors) == len(choice.ranks) <= rank + 4


def test_rank_errors_are_those_of_refitting():
    """The closed form of leave-one-out against refits, at one rank."""
    X, y, _, _ = draw(9, t=4, n=12)
    model = LinearRepresentation(max_components=1).fit(X, y)
    errors = []
    for k in range(4):
        others = [j for j in range(4) if j != k]
        V = LinearRepresentation(1).fit([X[j] for j in others], [y[j] for j in others]).components_
        scores = cross_val_score(
            LinearRegression(), X[k] @ V.T, y[k], cv=LeaveOneOut(), scoring="neg_mean_squared_error"
        )
        errors.append(-scores.mean() / np.var(y[k]))
    assert model.rank_choice_.errors == pytest.approx([np.mean(errors)], rel=1e-3)
    with pytest.raises(AttributeError):
        LinearRepresentation().fit(X[0], y[0]).rank_choice_.missing  # noqa: B018
    assert LinearRepresentation().fit(X[0], y[0]).n_components_ == 1


def test_one_sample_a_task_is_enough_for_the_moments():
    rng = np.random.default_rng(10)
    B = np.eye(6)[:, :1]
    X = rng.normal(size=(3000, 6))
    y = (X @ B)[:, 0] * rng.choice([-1, 1], 3000) + 0.3 * rng.normal(size=3000)
    model = LinearRepresentation(1, method="moments", fit_intercept=False)
    assert squared_distance(model.fit(X, y, groups=np.arange(3000)).components_.T, B) < 0.05
    with pytest.raises(InputError, match="method='moments' and method='u-statistic' do"):
        LinearRepresentation(1, fit_intercept=False).fit(X, y, groups=np.arange(3000))
    with pytest.raises(InputError, match="needs pairs"):
        model.set_params(method="u-statistic").fit(X, y, groups=np.arange(3000))
    with pytest.raises(InputError, match="which its intercept takes"):
        model.set_params(fit_intercept=True).fit(X, y, groups=np.arange(3000))


def test_names_of_columns_and_features():
    X, y, _, _ = draw(11, d=4, t=5)
    frames = [pd.DataFrame(x, columns=list("abcd")) for x in X]
    model = LinearRepresentation(2).fit(frames, y)
    assert model.feature_names_in_.tolist() == list("abcd") and model.n_features_in_ == 4
    assert model.get_feature_names_out().tolist() == [
        "linearrepresentation0",
        "linearrepresentation1",
    ]
    wrong = [*frames[:4], frames[4].rename(columns={"a": "z"})]
    with pytest.raises(ValueError, match="feature names should match"):
        LinearRepresentation(2).fit(wrong, y)
    assert clone(model).get_params() == model.get_params()
    pipeline = make_pipeline(LinearRepresentation(1), LinearRegression()).fit(X[0], y[0])
    assert pipeline.predict(X[0]).shape == (25,)


# ------------------------------------------------------------------ the target


def test_few_shot_prediction_and_its_risk():
    """The estimated prediction risk is unbiased: bias, noise, intercept and all."""
    rng = np.random.default_rng(12)
    V, theta = np.eye(5)[:2], np.array([1.0, -1.0, 0.6, 0.0, 0.0])
    for intercept in (True, False):
        estimated, reached, variance = [], [], []
        for _ in range(1000):
            X = rng.normal(size=(9, 5))
            y = X @ theta + 2.0 * intercept + 0.5 * rng.normal(size=9)
            model = FewShotRegressor(V, fit_intercept=intercept).fit(X, y)
            estimated.append(model.prediction_risk_)
            off = model.intercept_ - 2.0 * intercept
            reached.append(0.25 + np.sum((model.coef_ - theta) ** 2) + off**2)
            variance.append(model.noise_variance_)
        apart = np.array(estimated) - np.array(reached)
        assert abs(apart.mean()) < Z * apart.std() / 1000**0.5
        assert abs(np.mean(variance) - (0.25 + 0.36)) < Z * np.std(variance) / 1000**0.5


def test_few_shot_regression_is_scikit_learns():
    X, y, _, _ = draw(13, t=8)
    model = LinearRepresentation(2).fit(X, y)
    target = model.fit_target(X[0], y[0])
    features = model.transform(X[0])
    plain = LinearRegression().fit(features, y[0])
    assert target.predict(X[1]) == pytest.approx(plain.predict(model.transform(X[1])))
    assert target.coef_ == pytest.approx(plain.coef_ @ model.components_)
    ridge = model.fit_target(X[0], y[0], ridge=3.0)
    assert ridge.head_ == pytest.approx(Ridge(alpha=3.0).fit(features, y[0]).coef_)
    for fitted, peer in ((target, LinearRegression()), (ridge, Ridge(alpha=3.0))):
        scores = cross_val_score(
            peer, features, y[0], cv=LeaveOneOut(), scoring="neg_mean_squared_error"
        )
        assert fitted.loo_risk_ == pytest.approx(-scores.mean())
    chosen = model.fit_target(X[0], y[0], ridge="loo")
    assert chosen.loo_risk_ <= min(
        ridge.loo_risk_, model.fit_target(X[0], y[0], ridge=1e4).loo_risk_
    )
    assert np.isnan(ridge.prediction_risk_) and not np.isnan(target.prediction_risk_)


def test_few_shots_fewer_than_components():
    X, y, _, _ = draw(14, t=8)
    model = LinearRepresentation(2).fit(X, y)
    tiny = model.fit_target(X[0][:2], y[0][:2])
    assert tiny.predict(X[0][:2]) == pytest.approx(y[0][:2])
    assert np.isnan(tiny.noise_variance_) and np.isnan(tiny.prediction_risk_)
    assert np.isnan(leave_one_out(np.eye(2), np.ones(2)))
    alone = FewShotRegressor(fit_intercept=False).fit(X[0][:4], y[0][:4])
    assert alone.coef_ == pytest.approx(np.linalg.pinv(X[0][:4]) @ y[0][:4])
    edge = FewShotRegressor(np.eye(10)[:2]).fit(X[0][:4], y[0][:4])
    assert np.isfinite(edge.noise_variance_) and np.isnan(edge.prediction_risk_)


def test_it_transfers():
    """With 6 samples a target gains from 30 others, as the closed form of the risk says."""
    from tlstat.task_diversity.risk import transfer_excess_risk

    X, y, B, _ = draw(15, d=20, r=2, t=40, n=30, sigma=0.5)
    model = LinearRepresentation(2, fit_intercept=False).fit(X, y)
    rng = np.random.default_rng(1)
    alpha = np.array([0.8, -0.6])
    risks = []
    for _ in range(1000):
        x = rng.normal(size=(9, 20))
        v = x @ B @ alpha + 0.5 * rng.normal(size=9)
        risks.append(np.sum((model.fit_target(x, v).coef_ - B @ alpha) ** 2))
    predicted = transfer_excess_risk(model.components_.T, B, alpha, 0.5, 9)
    assert abs(np.mean(risks) - predicted) < Z * np.std(risks) / 1000**0.5
    assert predicted < 0.2


# ------------------------------------------------------------------ bad input


def tasks_of(widths=(4, 4, 4), n=12, t=3):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, widths[j % len(widths)])) for j in range(t)]
    return X, [rng.normal(size=n) for _ in range(t)]


@pytest.mark.parametrize(
    ("options", "data", "message"),
    [
        ({}, tasks_of((4, 5)), r"X\[1\] has 5 columns and X\[0\] 4; expected one width"),
        ({"n_components": 4}, tasks_of(), "n_components is 4 with 3 tasks; expected at least as"),
        ({"n_components": 0}, tasks_of(), "n_components is 0; expected an integer from 1 to 4"),
        ({"n_components": 5}, tasks_of(), "n_components is 5; expected an integer from 1 to 4"),
        ({"n_components": 2.0}, tasks_of(), "n_components is 2.0"),
        ({"n_components": True}, tasks_of(), "n_components is True"),
        ({"n_components": "mle"}, tasks_of(), "n_components is 'mle'"),
        (
            {"n_components": 3},
            tasks_of(n=4),
            "0 tasks have more than n_components = 3 samples beyond the intercept",
        ),
        (
            {"n_components": 1, "method": "moments"},
            tasks_of((9,), n=3),
            "6 samples beyond the intercepts cannot whiten 9 columns",
        ),
        ({"method": "svd"}, tasks_of(), "method is 'svd'; expected one of alternating, u-stat"),
        ({"whiten": "no"}, tasks_of(), "whiten is 'no'"),
        ({"lam": -1.0}, tasks_of(), "lam is -1.0"),
        ({"method": "nuclear", "lam": 1e9, "n_components": 1}, tasks_of(), "lam is 1e.09, at"),
        ({"max_iter": 0}, tasks_of(), "max_iter is 0; expected a positive integer"),
        ({"max_components": 1.5}, tasks_of(), "max_components is 1.5"),
        ({}, ([np.eye(3)], [np.ones(2)]), r"X\[0\] has 3 rows and y\[0\] 2"),
        ({}, ([np.eye(3)], []), "1 matrices X and 0 responses y"),
        ({}, ([np.full((3, 2), np.nan)], [np.ones(3)]), r"X\[0\] has nan at \(0, 0\)"),
        ({}, ([np.eye(3)], [np.array([1, np.inf, 0])]), r"y\[0\] has inf at \(1,\)"),
        ({}, ([np.ones((3, 2))] * 2, [np.arange(3.0)] * 2), "X does not vary within any task"),
        ({}, ([np.eye(3)] * 2, [np.ones(3)] * 2), "y does not vary within any task"),
        ({"fit_intercept": False}, ([np.eye(3)] * 2, [np.zeros(3)] * 2), "y is 0 in all tasks"),
        ({}, ([np.eye(3)], None), "y is None; expected a list with the response"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
@pytest.mark.filterwarnings("ignore::tlstat.task_diversity.data.TaskWarning")
def test_bad_tasks(options, data, message):
    with pytest.raises(InputError, match=message):
        LinearRepresentation(**options).fit(*data)


def test_bad_groups_and_targets():
    X, y = tasks_of()
    with pytest.raises(InputError, match="groups are for one matrix X"):
        LinearRepresentation(1).fit(X, y, groups=[0, 1, 2])
    with pytest.raises(InputError, match=r"groups has shape \(3,\); expected \(12,\)"):
        LinearRepresentation(1).fit(X[0], y[0], groups=[0, 1, 2])
    with pytest.raises(InputError, match="expected either one column of y a task, or groups"):
        LinearRepresentation(1).fit(X[0], np.stack(y, axis=1), groups=np.arange(12))
    model = LinearRepresentation(1).fit(X, y)
    with pytest.raises(ValueError, match="X has 3 features, but FewShotRegressor|components has"):
        model.fit_target(X[0][:, :3], y[0])
    with pytest.raises(ValueError, match="X has 3 features, but LinearRepresentation"):
        model.transform(X[0][:, :3])
    for wrong, message in (
        (np.ones((2, 3)), r"components has shape \(2, 3\); expected \(r, 4\)"),
        ([["a"] * 4], "components has entries that are not real numbers"),
        (np.full((1, 4), np.nan), "components has NaN"),
    ):
        with pytest.raises(InputError, match=message):
            FewShotRegressor(wrong).fit(X[0], y[0])
    for ridge in (-1, "cv", np.nan):
        with pytest.raises(InputError, match="ridge is"):
            FewShotRegressor(ridge=ridge).fit(X[0], y[0])


def test_warnings_about_doubtful_tasks():
    X, y, _, _ = draw(16, t=8)
    constant = [np.column_stack([x, np.ones(len(x))]) for x in X]
    with pytest.warns(TaskWarning, match="column 10 of X is constant in all tasks"):
        model = LinearRepresentation(2).fit(constant, y)
    assert model.components_[:, 10] == pytest.approx(0, abs=1e-12)
    assert model.components_[:, :10] == pytest.approx(
        LinearRepresentation(2).fit(X, y).components_, abs=1e-6
    )
    with pytest.warns(TaskWarning, match="1 of 9 tasks have too few samples"):
        LinearRepresentation(2).fit([*X, X[0][:2]], [*y, y[0][:2]])
    with pytest.warns(ConvergenceWarning, match="alternating did not converge in 1 iterations"):
        LinearRepresentation(2, max_iter=1).fit(X, y)
    with pytest.warns(TaskWarning, match="the coefficients have rank 2, below"):
        LinearRepresentation(6, method="nuclear", lam=0.14, fit_intercept=False).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LinearRepresentation(2).fit(X, y)
