"""The limit law against raw simulation that uses none of its formulas."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import norm

from tlstat.errors import InputError
from tlstat.task_diversity import theory

Z = float(norm.isf(5e-7))  # two-sided false alarm of 1e-6 for each number


def unequal_heads(seed, t, r):
    """Heads of different lengths, correlated."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(t, r)) @ (np.eye(r) + 0.4 * rng.normal(size=(r, r)))


def circle(t):
    """Heads around a circle, of lengths 0.7 to 1.3."""
    angle = 2 * np.pi * np.arange(t) / t + 0.3
    return np.linspace(0.7, 1.3, t)[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])


def sample(rng, heads, n, d, sigma):
    """X (t, n, d) and y (t, n) with B the first coordinates."""
    t, r = heads.shape
    X = rng.normal(size=(t, n, d))
    y = np.einsum("tnr,tr->tn", X[..., :r], heads) + sigma * rng.normal(size=(t, n))
    return X, y


def moment_matrix(method, X, y):
    t, n, d = X.shape
    u = y[..., None] * X
    if method == "moments":
        return np.einsum("tni,tnk->ik", u, u) / (n * t)
    if method == "u-statistic":
        total = u.sum(axis=1)
        pairs = np.einsum("ti,tk->ik", total, total) - np.einsum("tni,tnk->ik", u, u)
        return pairs / (t * n * (n - 1))
    a, b = u[:, : n // 2].mean(axis=1), u[:, n // 2 :].mean(axis=1)
    return (a.T @ b + b.T @ a) / (2 * t)


def agrees(values, expected):
    """A mean of independent values against a number."""
    values = np.asarray(values)
    error = values.std(ddof=1) / math.sqrt(len(values))
    assert abs(values.mean() - expected) < Z * error, (values.mean(), expected, error)


@pytest.mark.parametrize("method, n, gap", [
    ("moments", 1, 2), ("moments", 5, 2), ("u-statistic", 2, 1), ("u-statistic", 5, 1),
    ("split-half", 2, 1), ("split-half", 6, 1),
])  # fmt: skip
def test_covariance_of_the_matrix_entries(method, n, gap):
    """Rows outside of B: mean zero and gap C V C gap, exactly at any sample size."""
    sigma, r, d, t = 0.7, 2, 5, 3
    heads = unequal_heads(1, t, r)
    C = heads.T @ heads / t
    rng = np.random.default_rng(2)
    rows = np.concatenate(
        [moment_matrix(method, *sample(rng, heads, n, d, sigma))[r:, :r] for _ in range(8_000)]
    )
    V = theory.row_covariance(method, heads, n, sigma)
    expected = gap**2 * C @ V @ C
    for i in range(r):
        agrees(rows[:, i], 0)
        for k in range(i + 1):
            agrees(rows[:, i] * rows[:, k], expected[i, k])


def test_gap_of_the_moment_matrices():
    """Their means: 2 C above a multiple of the identity, and C."""
    sigma, r, d, t, n = 0.7, 2, 4, 3, 4
    heads = unequal_heads(3, t, r)
    C = heads.T @ heads / t
    level = float(np.trace(C)) + sigma**2
    rng = np.random.default_rng(4)
    samples = [sample(rng, heads, n, d, sigma) for _ in range(8_000)]
    for method, factor, floor in (
        ("moments", 2, level),
        ("u-statistic", 1, 0),
        ("split-half", 1, 0),
    ):
        M = np.array([moment_matrix(method, *s) for s in samples])
        expected = floor * np.eye(d)
        expected[:r, :r] += factor * C
        for i in range(d):
            for k in range(i + 1):
                agrees(M[:, i, k], expected[i, k])


def test_score_and_hessian_of_erm():
    """Score W'e beta' at the truth, and curvature of the profile loss: what V is made of."""
    sigma, r, d, t, n = 0.8, 2, 4, 3, 6
    heads = unequal_heads(5, t, r)
    C = heads.T @ heads / t
    rng = np.random.default_rng(6)
    tilt = rng.normal(size=(d - r, r))
    scores, curvatures = [], []
    for _ in range(5_000):
        X, y = sample(rng, heads, n, d, sigma)
        score = np.zeros((d - r, r))
        for Xj, yj in zip(X, y, strict=True):
            beta, *_ = np.linalg.lstsq(Xj[:, :r], yj, rcond=None)
            score += np.outer(Xj[:, r:].T @ (yj - Xj[:, :r] @ beta), beta)
        scores.append(score)
        curvatures.append(profile(X, y, tilt, r) - profile(X, y, np.zeros_like(tilt), r))
    rows = np.concatenate(scores)
    V = theory.row_covariance("erm", heads, n, sigma)
    hessian = t * (n - r) * C
    expected = hessian @ V @ hessian
    for i in range(r):
        agrees(rows[:, i], 0)
        for k in range(i + 1):
            agrees(rows[:, i] * rows[:, k], expected[i, k])
    # the loss at a tilt: (n - r) sum_j alpha' [I - (I + Delta'Delta)^-1] alpha, for any Delta
    rise = np.eye(r) - np.linalg.inv(np.eye(r) + tilt.T @ tilt)
    agrees(curvatures, t * (n - r) * float(np.trace(rise @ C)))


def profile(X, y, tilt, r):
    """Residual sum of squares with heads re-fitted on the tilted features."""
    total = 0.0
    for Xj, yj in zip(X, y, strict=True):
        Z_j = Xj[:, :r] + Xj[:, r:] @ tilt
        beta, *_ = np.linalg.lstsq(Z_j, yj, rcond=None)
        total += float(np.sum((yj - Z_j @ beta) ** 2))
    return total


def distance(span, r):
    Q = np.linalg.qr(span)[0]
    return float(np.sum(Q[r:] ** 2))


@pytest.mark.parametrize("method, n", [("moments", 40), ("u-statistic", 4), ("split-half", 4)])
def test_distance_of_eigenvectors(method, n):
    """The whole chain for many tasks: within noise and 3 % of the leading term."""
    r, d, sigma, t = 2, 5, 0.5, 1_000
    heads = np.tile(circle(10), (t // 10, 1))
    rng = np.random.default_rng(8)
    found = []
    for _ in range(60):
        M = moment_matrix(method, *sample(rng, heads, n, d, sigma))
        found.append(distance(np.linalg.eigh(M)[1][:, -r:], r))
    expected = theory.expected_squared_distance(method, heads, d, n, sigma)
    error = np.std(found, ddof=1) / math.sqrt(len(found))
    assert expected < 0.1
    assert abs(np.mean(found) - expected) < Z * error + 0.03 * expected


def test_distance_of_erm_by_a_general_optimiser():
    """BFGS on the profile loss of raw data, no formula of ours inside."""
    r, d, n, sigma, t = 2, 4, 6, 0.5, 200
    heads = np.tile(circle(10), (t // 10, 1))
    rng = np.random.default_rng(10)
    found = []
    for _ in range(60):
        X, y = sample(rng, heads, n, d, sigma)
        best = minimize(profile_and_slope, np.zeros((d - r) * r), args=(X, y, r), jac=True)
        found.append(distance(np.vstack([np.eye(r), best.x.reshape(d - r, r)]), r))
    expected = theory.expected_squared_distance("erm", heads, d, n, sigma)
    error = np.std(found, ddof=1) / math.sqrt(len(found))
    assert abs(np.mean(found) - expected) < Z * error + 0.03 * expected


def profile_and_slope(flat, X, y, r):
    tilt = flat.reshape(-1, r)
    features = X[..., :r] + X[..., r:] @ tilt
    gram = np.einsum("tni,tnk->tik", features, features)
    beta = np.linalg.solve(gram, np.einsum("tni,tn->ti", features, y)[..., None])[..., 0]
    rest = y - np.einsum("tni,ti->tn", features, beta)
    slope = -2 * np.einsum("tnk,tn,ti->ki", X[..., r:], rest, beta)
    return float(np.sum(rest**2)), slope.ravel()


@pytest.mark.parametrize("method", theory.METHODS)
def test_unit_heads_are_a_case(method):
    """Hadamard heads: the diagonal form agrees with the general one."""
    nu = np.array([0.5, 0.3, 0.2])
    signs = np.array([[1 - 2 * (bin(i & k).count("1") % 2) for k in (1, 2, 3)] for i in range(4)])
    heads = np.tile(signs * np.sqrt(nu), (4, 1))
    V = theory.row_covariance(method, heads, 9, 0.6)
    diagonal = theory.unit_row_variances(method, nu, 16, 9, 0.6)
    np.testing.assert_allclose(V, np.diag(diagonal), atol=1e-14)
    bound = {
        "moments": theory.MOMENTS_ERROR,
        "u-statistic": theory.U_STATISTIC_ERROR,
        "split-half": theory.SPLIT_HALF_ERROR,
        "erm": theory.ERM_ERROR,
    }[method]
    T1, T2 = theory.inverse_traces(nu)
    value = bound(d=20, r=3, t=16, n=9, sigma=0.6, trace_inverse=T1, trace_inverse_squared=T2)
    assert value == pytest.approx(17 * diagonal.sum(), rel=1e-13)
    assert value == pytest.approx(theory.expected_squared_distance(method, heads, 20, 9, 0.6))


def test_leading_axes_are_replicates():
    heads = np.stack([unequal_heads(s, 12, 3) for s in range(4)]).reshape(2, 2, 12, 3)
    V = theory.row_covariance("erm", heads, 9, 0.7)
    np.testing.assert_allclose(V[1, 0], theory.row_covariance("erm", heads[1, 0], 9, 0.7))
    assert theory.expected_squared_distance("moments", heads, 8, 9).shape == (2, 2)


def test_draws_are_the_law_for_small_tilts_and_saturate_for_large_ones():
    V = np.array([[2.0, 0.5], [0.5, 1.0]]) * 1e-6
    rng = np.random.default_rng(11)
    sines = theory.draw_squared_sines(V, 12, rng, 4_000)
    assert np.all(np.diff(sines, axis=-1) >= 0)
    agrees(sines.sum(axis=-1) / 1e-6, 10 * 3.0)
    assert theory.draw_squared_sines(V * 1e12, 12, rng, 100).min() > 0.999
    per_draw = theory.draw_squared_sines(np.tile(V, (7, 1, 1)), 12, rng)
    assert per_draw.shape == (7, 2)
    # fewer directions outside than inside: the others cannot tilt
    narrow = theory.draw_squared_sines(np.eye(3), 4, rng, 50)
    assert narrow.shape == (50, 3) and np.all(narrow[:, :2] == 0)


@pytest.mark.parametrize("call, words", [
    (lambda: theory.row_covariance("pca", np.eye(2), 5), "expected one of"),
    (lambda: theory.row_covariance("erm", np.eye(2), 3), "needs at least 4 samples"),
    (lambda: theory.row_covariance("u-statistic", np.eye(2), 1), "needs at least 2 samples"),
    (lambda: theory.draw_squared_sines(np.eye(2), 5, np.random.default_rng(0)), "must be given"),
    (lambda: theory.draw_squared_sines(np.eye(2), 2, None, 5), "expected more than r = 2"),
])  # fmt: skip
def test_bad_input(call, words):
    with pytest.raises(InputError, match=words):
        call()
