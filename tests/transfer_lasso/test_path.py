"""Paths, and the exact thresholds at their ends on both sides."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from tlstat.errors import InputError
from tlstat.transfer_lasso import (
    alpha_path,
    duality_gap,
    l1_max,
    l2_max,
    lambda_max,
    solve,
    transfer_lasso_path,
)

ALPHAS = (0.0, 0.2, 0.45, 0.5, 0.6, 0.75, 1.0)


def draw(seed, n=30, p=20, loss="squared"):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * rng.uniform(0.3, 3, p)
    b0 = np.where(rng.random(p) < 0.5, rng.normal(size=p), 0.0)
    y = X @ (b0 * (rng.random(p) < 0.8)) + rng.normal(size=n)
    return X, (y > 0).astype(float) if loss == "logistic" else y, b0, rng


def at_limit(coef, b0, alpha):
    if alpha > 0.5:
        return not np.any(coef)
    if alpha < 0.5:
        return np.array_equal(coef, b0)
    return bool(np.all((np.minimum(b0, 0) <= coef) & (coef <= np.maximum(b0, 0))))


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize(
    "options",
    [{}, {"fit_intercept": True}, {"nu": 0.1, "mu": 0.2}, {"loss": "logistic"}],
    ids=["plain", "intercept", "ridges", "logistic"],
)
def test_lambda_max_is_exact_on_both_sides(alpha, options):
    for seed in range(6):
        X, y, b0, _ = draw(seed, loss=options.get("loss", "squared"))
        largest = lambda_max(X, y, alpha, b0, **options)
        for factor, expected in ((1 + 1e-6, True), (3.0, True), (1 - 1e-3, False)):
            lam = factor * largest
            found = solve(
                X,
                y,
                lam * alpha,
                lam * (1 - alpha),
                source_coef=b0,
                tol=1e-14,
                max_iter=200,
                **options,
            )
            assert at_limit(found.coef, b0, alpha) is expected, (seed, factor)


def test_lambda_max_with_weights():
    """Per coordinate the limit is 0, the source, or in between; unpenalised ones are fitted."""
    for seed in range(6):
        X, y, b0, rng = draw(seed)
        u, v = rng.uniform(0.2, 2, (2, 20))
        u[:4], v[:4] = 1.0, 1.5  # equal pulls at alpha = 0.6
        u[4] = v[4] = 0.0
        options = {"weights": u, "source_weights": v, "source_coef": b0}
        largest = lambda_max(X, y, 0.6, **options)
        zero, kept = 0.6 * u > 0.4 * v + 1e-12, 0.6 * u < 0.4 * v - 1e-12
        between = ~zero & ~kept
        between[4] = False

        def holds(lam, zero=zero, kept=kept, between=between, b0=b0, X=X, y=y, options=options):
            coef = solve(X, y, 0.6 * lam, 0.4 * lam, tol=1e-14, max_iter=200, **options).coef
            box = (np.minimum(b0, 0) <= coef) & (coef <= np.maximum(b0, 0))
            return bool(
                not np.any(coef[zero]) and np.all(coef[kept] == b0[kept]) and np.all(box[between])
            )

        assert holds(largest * (1 + 1e-5)) and not holds(largest * (1 - 1e-3))


def test_the_zero_region_is_not_an_up_set():
    """X = 1, y = 1, b0 = -1, alpha = 0.3: zero exactly for 1 <= lam <= 2.5, then the source."""
    X, y, b0 = np.ones((1, 1)), np.ones(1), -np.ones(1)

    def coef(lam):
        return solve(X, y, 0.3 * lam, 0.7 * lam, source_coef=b0, tol=1e-13).coef[0]

    assert coef(0.999) > 0 and coef(1.001) == 0 and coef(2.499) == 0 and coef(2.501) < 0
    largest = lambda_max(X, y, 0.3, b0)
    assert largest == pytest.approx(2 / 0.4) and coef(largest * 1.001) == -1


@pytest.mark.parametrize("seed", range(10))
def test_two_parameter_thresholds(seed):
    X, y, b0, _ = draw(seed)
    for level in (0.0, 0.1, 1.0):
        largest = l1_max(X, y, level, b0)
        assert not np.any(solve(X, y, largest * (1 + 1e-6), level, source_coef=b0, tol=1e-14).coef)
        if largest > 0:
            assert np.any(solve(X, y, largest * (1 - 1e-3), level, source_coef=b0, tol=1e-14).coef)
        largest = l2_max(X, y, level, b0)
        at = solve(X, y, level, largest * (1 + 1e-6), source_coef=b0, tol=1e-14).coef
        assert np.array_equal(at, b0)
        if largest > 0:
            off = solve(X, y, level, largest * (1 - 1e-3), source_coef=b0, tol=1e-14).coef
            assert not np.array_equal(off, b0)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.5, 0.75, 1.0])
@pytest.mark.parametrize("layout", ["dense", "sparse"])
def test_every_point_of_a_path_is_certified(alpha, loss, layout):
    X, y, b0, rng = draw(11, 40, 60, loss)
    if layout == "sparse":
        X = sparse.csc_array(X * (rng.random(X.shape) < 0.3))
    path = transfer_lasso_path(
        X, y, alpha=alpha, source_coef=b0, tol=1e-8, n_lams=15, loss=loss, fit_intercept=True
    )
    assert path.coefs.shape == (15, 60) and np.all(path.converged) and np.all(path.gaps <= 1e-8)
    assert path.lams[0] == pytest.approx(100 * path.lams[-1])
    # the limit, but for the rounding of a threshold that holds with equality
    if alpha != 0.5:
        limit = b0 if alpha < 0.5 else np.zeros(60)
        np.testing.assert_allclose(path.coefs[0], limit, atol=1e-7)
    for k in range(0, 15, 4):
        lam = path.lams[k]
        gap = duality_gap(
            path.coefs[k],
            X,
            y,
            lam * alpha,
            lam * (1 - alpha),
            intercept=path.intercepts[k],
            relative=True,
            source_coef=b0,
            loss=loss,
            fit_intercept=True,
        )
        assert gap <= 1.1e-8


def test_wide_paths_with_more_columns_than_the_gram_matrix_takes():
    """Ridge terms and a tiny penalty: nearly all columns are active, more than twice the rows."""
    X, y, b0, _ = draw(5, 12, 90)
    path = transfer_lasso_path(
        X, y, alpha=0.7, source_coef=b0, nu=0.05, tol=1e-9, lam_ratio=1e-6, n_lams=12
    )
    assert np.sum(path.coefs[-1] != 0) > 64
    lam = path.lams[-1]
    assert (
        duality_gap(
            path.coefs[-1], X, y, 0.7 * lam, 0.3 * lam, relative=True, source_coef=b0, nu=0.05
        )
        <= 1.1e-9
    )


def test_given_lams_are_sorted_and_any_start_is_good():
    X, y, b0, _ = draw(3)
    path = transfer_lasso_path(X, y, lams=[0.1, 1.0, 0.3], source_coef=b0, coef_init=b0, tol=1e-11)
    np.testing.assert_array_equal(path.lams, [1.0, 0.3, 0.1])
    alone = solve(X, y, 0.3 * 0.75, 0.3 * 0.25, source_coef=b0, tol=1e-11)
    np.testing.assert_allclose(path.coefs[1], alone.coef, atol=1e-5)


def test_path_over_alpha():
    X, y, b0, _ = draw(4)
    path = alpha_path(X, y, lam=0.3, source_coef=b0, tol=1e-10)
    assert path.alphas[0] == 1 and path.alphas[-1] == 0 and np.all(path.converged)
    lasso = solve(X, y, 0.3, 0.0, tol=1e-10)
    assert path.primals[0] == pytest.approx(lasso.primal, rel=1e-9)
    change = solve(X, y, 0.0, 0.3, source_coef=b0, tol=1e-10)
    assert path.primals[-1] == pytest.approx(change.primal, rel=1e-9)
    # |b|_1 grows as its weight falls, |b - b0|_1 shrinks
    assert np.sum(np.abs(path.coefs[-1] - b0)) <= np.sum(np.abs(path.coefs[0] - b0))


def test_small_lam_gives_least_squares():
    X, y, b0, _ = draw(6)
    found = solve(X, y, 1e-9, 1e-9, source_coef=b0, tol=1e-13)
    np.testing.assert_allclose(found.coef, np.linalg.lstsq(X, y, rcond=None)[0], atol=1e-6)


@pytest.mark.parametrize(
    ("message", "options"),
    [
        ("alpha is 1.5", {"alpha": 1.5}),
        ("alpha is nan", {"alpha": np.nan}),
        ("alpha is 'x'", {"alpha": "x"}),
        ("lams is", {"lams": [-1.0]}),
        ("lams is", {"lams": []}),
        ("n_lams is 0", {"n_lams": 0}),
        ("lam_ratio is 2", {"lam_ratio": 2}),
        ("lam_ratio is 'a'", {"lam_ratio": "a"}),
        ("source_coef has shape", {"source_coef": np.ones(3)}),
    ],
)
def test_bad_input(message, options):
    X, y, _, _ = draw(0)
    with pytest.raises(InputError, match=message):
        transfer_lasso_path(X, y, **options)


@pytest.mark.parametrize(
    ("message", "options"),
    [
        (r"lam is array\(\[1\., 2\.\]\); expected a finite number", {"lam": np.array([1.0, 2.0])}),
        (r"lam is -0\.1; expected", {"lam": -0.1}),
        ("lam is 'x'", {"lam": "x"}),
        (r"alphas is \[\]; expected numbers", {"alphas": []}),
        ("alphas is 1.5", {"alphas": [0.5, 1.5]}),
        ("alphas is 'x'", {"alphas": "x"}),
        (r"alphas is \[\[0\.5\]\]", {"alphas": [[0.5]]}),
    ],
)
def test_bad_input_for_a_path_over_alpha(message, options):
    X, y, _, _ = draw(0)
    with pytest.raises(InputError, match=message):
        alpha_path(X, y, **{"lam": 0.1, **options})


def test_the_limit_at_every_lam_is_one_point():
    """The response does not pull at any coefficient."""
    X, _, b0, _ = draw(2, 20, 8)
    path = transfer_lasso_path(X, np.zeros(20), source_coef=b0, alpha=1.0)
    np.testing.assert_array_equal(path.lams, [0.0])
    np.testing.assert_allclose(path.coefs, np.zeros((1, 8)), atol=1e-12)


def test_a_path_of_noise_ends_next_to_interpolation():
    """As many coordinates move as there are rows: their Gram matrix is singular on the way."""
    rng = np.random.default_rng(0)
    X, _, y = rng.normal(size=(320, 400)), rng.random(400), rng.normal(size=720)[400:]
    path = transfer_lasso_path(X, y, n_lams=20, lam_ratio=1e-3, alpha=1.0)
    assert np.all(path.converged)
    assert np.count_nonzero(path.coefs[-1]) > 300
