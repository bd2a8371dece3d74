"""The theory's own consistency, and its statements against the solver."""

import math

import numpy as np
import pytest

from tlstat.backend import Random
from tlstat.errors import InputError
from tlstat.transfer_lasso import theory
from tlstat.transfer_lasso.models import RegressionModel, autoregressive
from tlstat.transfer_lasso.moments import solve_moments
from tlstat.transfer_lasso.path import l1_max, l2_max
from tlstat.transfer_lasso.risk import l2_error

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


def scarce(at):
    return {"n": 2.0, "M": at["M"], "eta_exponent": at["eta_exponent"]}


@pytest.mark.parametrize("method", theory.METHODS)
@pytest.mark.parametrize("M", [0.3, 0.5, 0.9, 1.0, 2.0, 3.5])
def test_regions_partition_the_plane_where_the_error_vanishes(method, M):
    """Exactly one region off the boundaries, none where lambda alone drives to zero.

    With a source of fewer rows, the bias towards it is between the regions.
    """
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
        if not alone and theory.SCARCE_SOURCE_ERROR.is_valid(lambda_exponent=y, **scarce(at)):
            inside.append("scarce source")
        assert len(inside) == (0 if y > 1 and (alone or y > x) else 1), (y, x, inside)


# lambda and eta exponents of M = 1/2 (h = 3/4), where the source has the larger error
SCARCE = [
    ("transfer", "i", 0.25, 0.9),
    ("transfer", None, 0.25, 0.62),
    ("transfer", "ii", 0.25, 0.25),
    ("transfer", "iii", 0.75, 0.62),
    ("adaptive transfer", "i", -0.2, 1.3),
    ("adaptive transfer", "ii", 0.75, 0.9),
    ("adaptive transfer", None, 0.2, 0.62),
    ("adaptive transfer", "iii", -0.1, 0.25),
    ("adaptive transfer", "iv", 0.2, 0.87),
    ("adaptive transfer", "v", 0.37, 0.2),
    ("adaptive transfer", "vi", 0.75, 0.62),
]


@pytest.mark.parametrize(("method", "region", "y", "x"), SCARCE)
def test_slopes_with_a_source_of_fewer_rows(method, region, y, x):
    """Slope, selection and invariance at m = sqrt(n), where the source's error is the larger one.

    The Gram matrix is its limit: with ``p`` fixed, only the noise is random.
    """
    M = 0.5
    at = {"lambda_exponent": y, "eta_exponent": x, "M": M, "gamma1": 1, "gamma2": 1}
    regime = theory.regime_at(method, **at)
    assert (regime.region if regime else None) == region
    bound = regime.bound if regime else theory.SCARCE_SOURCE_ERROR
    errors = []
    for n in (1e14, 1e18):
        model = RegressionModel([3.0, 1.5, 0, 0, 2, 0], autoregressive(6, 0.3), m=n**M)
        b0 = model.draw_source(Random(1), 400)
        z = np.random.default_rng(0).normal(size=(400, 6))
        noise = z @ np.linalg.cholesky(model.covariance).T / math.sqrt(n)
        u, v = (1 / np.abs(b0), np.abs(b0)) if "adaptive" in method else (1.0, 1.0)
        moment = model.covariance @ model.beta + noise
        coef = solve_moments(model.covariance, moment, n ** (y - 1) * u, n ** (x - 1) * v, b0)
        errors.append(np.mean(l2_error(coef, model.beta)))
    slope = math.log(errors[1] / errors[0]) / math.log(1e4)
    expected = bound.exponent("n", at={k: v for k, v in at.items() if k in bound.symbols})
    assert slope == pytest.approx(float(expected), abs=0.03)
    S = model.support
    invariant = np.mean((coef == b0)[:, S])
    assert invariant > 0.98 if regime and regime.invariant else invariant < 0.02
    right = np.mean((coef != 0) == S)
    if regime:
        assert right > 0.98 if regime.active else right < 0.52


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


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.regime_at("nonsense", lambda_exponent=0), "method is 'nonsense'"),
        (lambda: theory.regime_at("lasso", lamda_exponent=0), "exponent is 'lamda_exponent'"),
        (lambda: theory.regime_at("adaptive", lambda_exponent=0, M=0, gamma1=1), "M is 0"),
        (lambda: theory.regime_bound("lasso", "ix"), "region of 'lasso' is 'ix'"),
        (lambda: theory.regime_bound("ridge", "i"), "method is 'ridge'"),
    ],
    ids=["method", "exponent", "M", "region", "method of a bound"],
)
def test_unknown_names(call, message):
    with pytest.raises(InputError, match=message):
        call()
