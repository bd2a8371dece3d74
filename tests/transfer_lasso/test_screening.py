"""No certificate may be false: checked against tight solutions of many random problems."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from tlstat.transfer_lasso import gap_safe, solve


def draw(seed, rho):
    rng = np.random.default_rng(seed)
    n, p = 40, 60
    X = rng.normal(size=(n, p))
    for j in range(1, p):
        X[:, j] = rho * X[:, j - 1] + np.sqrt(1 - rho**2) * X[:, j]
    X *= rng.uniform(0.5, 2, p)
    b0 = np.where(rng.random(p) < 0.4, rng.normal(size=p), 0.0)
    y = X @ (b0 * (rng.random(p) < 0.8)) + rng.normal(size=n)
    return X, y, b0, rng


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("rho", [0.0, 0.7, 0.95])
def test_no_certificate_is_false(rho, loss):
    made = 0
    for seed in range(25):
        X, y, b0, rng = draw(seed, rho)
        l1, l2 = rng.uniform(0.05, 0.6, 2) * (0.2 if loss == "logistic" else 1)
        y = (y > 0).astype(float) if loss == "logistic" else y
        options = dict(source_coef=b0, loss=loss)
        best = solve(X, y, l1, l2, tol=1e-14, **options).coef
        k1, k2 = np.minimum(b0, 0), np.maximum(b0, 0)
        # from far away to convergence, where the computed gap is mere rounding
        for tol in (0.5, 1e-2, 1e-4, 1e-8, 1e-14):
            rough = solve(X, y, l1, l2, tol=tol, **options).coef
            sure = gap_safe(rough, X, y, l1, l2, **options)
            near = 1e-7
            assert np.all(np.abs(best - k1)[sure.at_lower] <= near)
            assert np.all(np.abs(best - k2)[sure.at_upper] <= near)
            assert np.all((k1 - near <= best)[sure.between] & (best <= k2 + near)[sure.between])
            assert np.all((best <= k1 + near)[sure.below])
            assert np.all((best >= k2 - near)[sure.above])
            assert np.all(np.abs(best)[sure.zero] <= near)
            assert np.all(np.abs(best - b0)[sure.unchanged] <= near)
            made += int(np.sum(sure.at_lower | sure.at_upper))
        knots = (best == 0) | (best == b0)
        # at convergence nearly everything that is at a knot is certified
        assert np.mean((sure.at_lower | sure.at_upper)[knots]) > 0.8
    assert made > 1000


def test_the_exact_solution_has_an_inflated_gap():
    X, y, b0, _ = draw(0, 0.0)
    best = solve(X, y, 0.2, 0.1, source_coef=b0, tol=1e-14).coef
    assert gap_safe(best, X, y, 0.2, 0.1, source_coef=b0).gap > 0


def test_sparse_designs_are_screened_alike():
    X, y, b0, rng = draw(1, 0.0)
    X = X * (rng.random(X.shape) < 0.5)
    dense = gap_safe(b0, X, y, 0.5, 0.3, source_coef=b0)
    thin = gap_safe(b0, sparse.csc_array(X), y, 0.5, 0.3, source_coef=b0)
    np.testing.assert_array_equal(dense.at_lower, thin.at_lower)
    assert dense.gap == pytest.approx(thin.gap)
