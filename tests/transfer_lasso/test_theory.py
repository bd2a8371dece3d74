"""The theory's own consistency, and its statements against the solver."""

import math

import numpy as np
import pytest

from tlstat.errors import InputError
from tlstat.transfer_lasso import theory
from tlstat.transfer_lasso.moments import solve_moments
from tlstat.transfer_lasso.path import l1_max, l2_max

M2 = {"M": 2, "gamma1": 1, "gamma2": 1}


def fit(X, y, l1, l2, b0):
    n = len(y)
    return solve_moments(X.T @ X / n, X.T @ y / n, l1, l2, b0)


def problem(seed, n=15, p=6):
    r = np.random.default_rng(seed)
    X = r.normal(size=(n, p)) * r.exponential(size=p)
    b0 = r.normal(size=p) * (r.random(p) < 0.6)
    return X, X @ (b0 + 0.3 * r.normal(size=p)) + r.normal(size=n), b0


def test_there_are_fourteen_regimes():
    names = [r.name for r in theory.REGIMES]
    assert len(names) == len(set(names)) == 14
    assert [sum(r.method == m for r in theory.REGIMES) for m in theory.METHODS] == [2, 3, 3, 6]


@pytest.mark.parametrize("regime", theory.REGIMES, ids=lambda r: r.name)
def test_the_authors_points_lie_in_their_regions(regime):
    y, x = regime.point
    found = theory.regime_at(regime.method, lambda_exponent=y, eta_exponent=x, **M2)
    assert found is regime


@pytest.mark.parametrize("method", theory.METHODS)
@pytest.mark.parametrize("M", [1.0, 2.0, 3.5])
def test_regions_partition_the_plane_where_the_error_vanishes(method, M):
    """Exactly one region off the boundaries, none where lambda alone drives to zero."""
    r = np.random.default_rng(0)
    for y, x in r.uniform(-3, 3, size=(500, 2)):
        at = dict(lambda_exponent=y, eta_exponent=x, M=M, gamma1=1.3, gamma2=0.7)
        inside = [
            regime.name
            for regime in theory.REGIMES
            if regime.method == method
            and regime.bound.is_valid(
                **{k: v for k, v in {**at, "n": 2.0}.items() if k in regime.bound.symbols}
            )
        ]
        alone = method in ("lasso", "adaptive")
        assert len(inside) == (0 if y > 1 and (alone or y > x) else 1), (y, x, inside)


def test_exponents_of_the_table():
    """Predicted l2 rates at the authors' points (m = n^2)."""
    expected = [0.5, 0.25, 0.5, 0.5, 0.25, 1, 0.5, 0.25, 1, 1, 0.5, 0.5, 0.5, 0.25]
    for regime, value in zip(theory.REGIMES, expected, strict=True):
        at = {"M": 2, "lambda_exponent": regime.point[0]}
        at = {k: v for k, v in at.items() if k in regime.bound.symbols}
        assert float(regime.bound.exponent("n", at=at)) == -value


def test_one_region_has_all_three():
    """Rate of the source, selection and invariance together: adaptive transfer ii alone."""
    best = [r.name for r in theory.REGIMES if r.active and r.invariant]
    assert theory.regime_bound("adaptive transfer", "ii").exponent("n", at={"M": 2}) == -1
    assert best == ["adaptive transfer ii"]


def test_error_bound_reduces_to_the_lasso():
    at = dict(c=0.3, lam=0.2, s=3, phi2=0.7, delta=0.05)
    lasso = theory.LASSO_ERROR_BOUND(**at)
    assert theory.ERROR_BOUND(alpha=1.0, drift_l1=2.0, **at) == pytest.approx(lasso)
    assert lasso == pytest.approx(4 * 1.3**2 * 0.04 * 3 / 0.49)


def test_error_bound_is_the_root_of_its_quadratic():
    at = dict(alpha=0.6, c=0.3, lam=0.2, s=3, phi2=0.7, drift_l1=1.1)
    v = math.sqrt(theory.ERROR_BOUND(delta=0.05, **at))
    assert 0.35 * v**2 == pytest.approx(0.2 * (0.9 * math.sqrt(3) * v + 0.4 * 1.1))
    assert theory.SCREENING_LEVEL(**at) == pytest.approx(v)


def test_noise_level_inverts_the_noise_probability():
    lam = theory.NOISE_LEVEL(n=100, p=7, sigma=2.0, c=0.3, delta=0.05)
    assert theory.NOISE_PROBABILITY(n=100, p=7, sigma=2.0, c=0.3, lam=lam) == pytest.approx(0.05)


def test_c_above_alpha_is_outside():
    at = dict(lam=0.2, s=3, phi2=0.7, drift_l1=1.1, delta=0.05)
    with pytest.raises(InputError, match="holds only where"):
        theory.ERROR_BOUND(alpha=0.2, c=0.3, **at)


@pytest.mark.parametrize("seed", range(10))
def test_source_and_zero_levels_are_sharp_on_both_sides(seed):
    X, y, b0 = problem(seed)
    for other in (0.0, 0.1, 0.5):
        level = theory.source_level(X, y, b0, l1=other)
        assert np.all(fit(X, y, other, level * (1 + 1e-6), b0) == b0)
        if level > 0:
            assert np.any(fit(X, y, other, level * (1 - 1e-3), b0) != b0)
        assert level == pytest.approx(l2_max(X, y, other, b0), abs=1e-12)
        level = theory.zero_level(X, y, b0, l2=other)
        assert level == pytest.approx(l1_max(X, y, other, b0), abs=1e-12)
        assert np.all(fit(X, y, level * (1 + 1e-6), other, b0) == 0)
        if level > 0:
            assert np.any(fit(X, y, level * (1 - 1e-3), other, b0) != 0)


def test_conditions_are_if_and_only_if():
    """Over random weights: the condition and the solver agree in every case, both outcomes seen."""
    seen = set()
    for seed in range(300):
        X, y, b0 = problem(seed, p=3)
        r = np.random.default_rng(seed)
        scale = 10.0 ** r.uniform(-2, 1)
        a, c = scale * r.exponential(size=(2, 3)) * r.choice([0.1, 1, 3], size=(2, 1))
        b = fit(X, y, a, c, b0)
        assert theory.is_unchanged(X, y, b0, a, c) == bool(np.all(b == b0))
        assert theory.is_zero(X, y, b0, a, c) == bool(np.all(b == 0))
        seen |= {(bool(np.all(b == b0)), bool(np.all(b == 0)))}
    assert {(True, False), (False, True), (False, False)} <= seen


def test_zero_is_optimal_on_an_interval_only():
    """X = 1, y = 1, b0 = -1, alpha = .3: exactly 1 <= lam <= 2.5."""
    X, y, b0 = np.ones((1, 1)), np.ones(1), np.array([-1.0])
    for lam, zero in [(0.99, False), (1.0, True), (2.5, True), (2.51, False), (9.0, False)]:
        assert theory.is_zero(X, y, b0, 0.3 * lam, 0.7 * lam) is zero
    assert theory.is_unchanged(X, y, b0, 2.7, 6.3)


@pytest.mark.parametrize("seed", range(20))
def test_self_source_identity(seed):
    X, y, _ = problem(seed)
    zero = np.zeros(X.shape[1])
    l0 = 0.3 * theory.zero_level(X, y, zero, l2=0.0)
    source = fit(X, y, l0, 0.0, zero)
    assert np.any(source != 0)
    r = np.random.default_rng(seed)
    l1, l2 = l0 * r.uniform(0, 3), l0 * r.uniform(0, 2)
    b = fit(X, y, l1, l2, source)
    same = np.max(np.abs(b - source)) < 1e-9
    assert same == theory.self_source_unchanged(l0, l1, l2)


def test_bad_shapes():
    X, y, b0 = problem(0)
    with pytest.raises(InputError, match="X has shape"):
        theory.source_level(X, y[1:], b0, 0.1)
