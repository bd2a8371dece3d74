"""Problems given by second moments: by the gap on raw rows, and by their own certificate."""

import numpy as np
import pytest

from tlstat.errors import InputError
from tlstat.transfer_lasso import problem
from tlstat.transfer_lasso.moments import moments_kkt, solve_moments


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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": -1.0}, "a is -1"),
        ({"c": np.nan}, "c has NaN"),
        ({"moment": np.ones(5)}, "gram has shape"),
        ({"max_iter": 1}, "did not converge in 1"),
    ],
)
def test_bad_input(change, message):
    X, y, b0 = raw(2)
    given = {"gram": X.T @ X / 20, "moment": X.T @ y / 20, "a": 0.1, "c": 0.1, "source_coef": b0}
    with pytest.raises(InputError, match=message):
        solve_moments(**{**given, **change})
