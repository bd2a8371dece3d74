"""Exact risks against enumeration, double quadrature, simulation and closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from tlstat.backend import Random
from tlstat.errors import InputError
from tlstat.minimax import (
    Hypercube,
    ParallelThresholds,
    PowerThresholds,
    exact_risk,
    exact_slope,
    excess_risk,
    sample_atoms,
    sample_extremes,
    simulate_risks,
    source_erm,
)

FALSE_ALARM = 1e-6
powers = st.floats(0.3, 4)
sizes = st.integers(0, 10**6)


def clean(gamma, q=1.0):
    return PowerThresholds(gamma, q, c_P=1, c_Q=1)


@settings(max_examples=30)
@given(powers, powers, sizes, sizes)
def test_quadrature_agrees_with_scipy(gamma, q, n_P, n_Q):
    def survival(r):
        return (1 - r**gamma / 2) ** n_P * (1 - r**q / 2) ** n_Q

    # in u = r**q; breaks where the integrand falls, without which a general routine misses it
    scale = min(max(n_P, 1) ** (-q / gamma), 1 / max(n_Q, 1))
    breaks = np.unique(np.minimum(scale * 4.0 ** np.arange(-4, 14), 1))
    value = sum(
        integrate.quad(lambda u: survival(u ** (1 / q)), a, b, epsabs=1e-12 * scale)[0]
        for a, b in zip([0, *breaks], [*breaks, 1], strict=True)
    )
    assert exact_risk(clean(gamma, q), n_P, n_Q) == pytest.approx(value / 2, rel=1e-6)


@given(st.integers(0, 2000))
def test_closed_form_without_source(n):
    assert exact_risk(clean(3), 0, n) == pytest.approx((1 - 2.0 ** -(n + 1)) / (n + 1), rel=1e-12)


@pytest.mark.parametrize(("gamma", "q"), [(1, 1), (2, 1), (3, 1), (0.5, 1), (1, 2), (4, 2)])
def test_large_samples_reach_the_limit(gamma, q):
    n = 10**12
    limit = 0.5 * 2 ** (q / gamma) * special.gamma(1 + q / gamma) * n ** (-q / gamma)
    assert exact_risk(clean(gamma, q), n, 0) == pytest.approx(limit, rel=1e-9)
    assert exact_slope(clean(gamma, q), n, 0) == pytest.approx(-q / gamma, abs=1e-9)


def test_slopes_of_the_reference():
    risk = exact_risk(clean(2), [10**2, 10**3], 0)
    assert math.log10(risk[1] / risk[0]) == pytest.approx(-0.4985, abs=2e-4)
    scaled = exact_risk(ParallelThresholds(64, 3, c_P=1, c_Q=1), 10**7, 0) / (64 / 1e7) ** (1 / 3)
    assert 0.561 <= scaled <= 0.563


@pytest.mark.parametrize(
    ("gamma", "n_P", "constant"),
    [
        (2, 10**4, 1.586),
        (2, 10**6, 1.595),
        (2, 10**8, 1.596),
        (3, 10**4, 1.731),
        (3, 10**6, 1.768),
        (3, 10**8, 1.776),
    ],
)
def test_crossover_constants_of_the_reference(gamma, n_P, constant):
    """Where source-only and target-only risks are equal; target alone is (1 - 2**-(n+1))/(n+1)."""
    n_Q = 1 / exact_risk(clean(gamma), n_P, 0) - 1
    assert n_Q / n_P ** (1 / gamma) == pytest.approx(constant, abs=6e-4)


@settings(max_examples=30)
@given(powers, powers, sizes, sizes)
def test_laws_of_the_exact_risk(gamma, q, n_P, n_Q):
    model = clean(gamma, q)
    risk = exact_risk(model, n_P, n_Q)
    assert 0 < risk <= 0.5 * (1 + 1e-12)
    assert exact_risk(model, n_P + 1, n_Q) <= risk * (1 + 1e-12)
    assert exact_risk(model, n_P, n_Q + 1) <= risk * (1 + 1e-12)
    assert exact_risk(model, 2 * n_P + 1, 2 * n_Q + 1) < risk
    # more of the same law is the same
    same = clean(q, q)
    assert exact_risk(same, n_P, n_Q) == pytest.approx(exact_risk(same, n_P + n_Q, 0), rel=1e-9)
    if n_P:
        assert exact_slope(model, n_P, n_Q) < 0


@settings(max_examples=20)
@given(powers, powers, st.integers(1, 10**5), st.integers(1, 10**5))
def test_slope_is_the_derivative(gamma, q, n_P, n_Q):
    from tlstat.minimax.risk import _integral

    model, h = clean(gamma, q), 1e-4
    for along, step in (("n_P", (h, 0)), ("n_Q", (0, h))):
        up, down = (
            _integral(model, n_P * math.exp(s * step[0]), n_Q * math.exp(s * step[1]), "right")[0]
            for s in (1, -1)
        )
        numeric = math.log(up / down) / (2 * h)
        assert exact_slope(model, n_P, n_Q, along=along) == pytest.approx(numeric, abs=1e-6)


@pytest.mark.parametrize(("n_P", "n_Q"), [(10**4, 50), (10**8, 10**3), (10**12, 10**4), (3, 2)])
@pytest.mark.parametrize("rule", ["right", "middle"])
def test_quadrature_agrees_with_simulation(n_P, n_Q, rule):
    model, size = clean(2), 200_000
    left, right = sample_extremes(model, n_P, n_Q, Random(9), size)
    risk = excess_risk(model, right if rule == "right" else (right - left) / 2)
    z = stats.norm.isf(FALSE_ALARM)
    error = risk.std() / math.sqrt(size)
    assert abs(risk.mean() - exact_risk(model, n_P, n_Q, rule=rule)) <= z * error


@pytest.mark.parametrize("rule", ["right", "middle"])
def test_quadrature_agrees_with_simulation_on_parallel_lines(rule):
    model, size = ParallelThresholds(3, 2, c_P=1, c_Q=1), 50_000
    left, right = sample_extremes(model, 200, 12, Random(9), size)
    risk = excess_risk(model, right if rule == "right" else (right - left) / 2)
    exact = exact_risk(model, 200, 12, rule=rule)
    assert abs(risk.mean() - exact) <= stats.norm.isf(FALSE_ALARM) * risk.std() / math.sqrt(size)


def test_middle_rule_by_a_double_integral():
    gamma, n_P, n_Q = 2.0, 5, 3

    def survival(left, right):
        miss_P = 1 - (left**gamma + right**gamma) / 2
        return miss_P**n_P * (1 - (left + right) / 2) ** n_Q

    both, _ = integrate.dblquad(
        lambda b, a: abs(a - b) * _mixed(survival, a, b), 0, 1, 0, 1, epsabs=1e-5
    )
    # no point on one side: that side's extreme is 1
    left_empty, _ = integrate.quad(lambda a: (1 - a) * -_slope(survival, a), 0, 1)
    expected = (both + 2 * left_empty) / 4
    assert exact_risk(clean(gamma), n_P, n_Q, rule="middle") == pytest.approx(expected, rel=1e-3)


def _mixed(f, a, b, h=1e-3):
    """Second mixed derivative, the joint density of both extremes."""
    a, b = min(max(a, h), 1 - h), min(max(b, h), 1 - h)
    return (f(a + h, b + h) - f(a + h, b - h) - f(a - h, b + h) + f(a - h, b - h)) / (4 * h * h)


def _slope(f, a, h=1e-4):
    a = min(max(a, h), 1 - h)
    return (f(a + h, 1) - f(a - h, 1)) / (2 * h)


def brute_cube_risk(cube, n_P, n_Q, weights):
    """Expected excess by summing over all counts of one atom."""
    wrong = 0.0
    for law in _count_law(n_P, cube.p, cube.delta_P):
        for other in _count_law(n_Q, cube.q, cube.delta_Q):
            vote = weights[0] * law[0] + weights[1] * other[0]
            share = 0.5 if abs(vote) < 1e-12 else float(vote < 0)
            wrong += share * law[1] * other[1]
    return cube.m * cube.q * cube.delta_Q * wrong


def _count_law(n, mass, margin):
    for agree in range(n + 1):
        for against in range(n + 1 - agree):
            p = [mass * (1 + margin) / 2, mass * (1 - margin) / 2, 1 - mass]
            yield (
                agree - against,
                stats.multinomial.pmf([agree, against, n - agree - against], n, p),
            )


@pytest.mark.parametrize(("n_P", "n_Q"), [(6, 4), (0, 5), (7, 0), (0, 0)])
@pytest.mark.parametrize("weights", [(1.0, 1.0), (1.0, 0.0), None])
def test_cube_risk_by_enumeration(n_P, n_Q, weights):
    cube = Hypercube(3, 0.25, 0.3, 0.4, 0.7)
    log_odds = [math.log((1 + d) / (1 - d)) for d in (cube.delta_P, cube.delta_Q)]
    brute = brute_cube_risk(cube, n_P, n_Q, weights or log_odds)
    assert exact_risk(cube, n_P, n_Q, weights=weights) == pytest.approx(brute, abs=1e-12)


@pytest.mark.parametrize("weights", [(1.0, 2.0), (math.inf, 1.0), (0.0, 1.0)])
def test_cube_risk_agrees_with_simulated_votes(weights):
    cube = Hypercube.at_scale(5, 0.2, rho=2, beta_P=0.5, beta_Q=0.5)
    sample = sample_atoms(cube, 2000, 50, Random(3), 20_000)
    risk = excess_risk(cube, sample.wrong(*weights))
    exact = exact_risk(cube, 2000, 50, weights=weights)
    error = risk.std() / math.sqrt(risk.size)
    assert abs(risk.mean() - exact) <= stats.norm.isf(FALSE_ALARM) * error


def test_cube_slope_is_that_between_two_sizes():
    cube = Hypercube.at_scale(8, 0.1, rho=2, beta_P=0.5, beta_Q=0.5)
    slope = exact_slope(cube, 1000, 50, along="n_Q", ratio=2)
    risks = exact_risk(cube, 1000, [50, 100])
    assert slope == pytest.approx(math.log2(risks[1] / risks[0]))


def test_voting_is_empirical_risk_minimisation_on_the_cube():
    """On all sign vectors listed, the source ERM errs as often as the source's vote."""
    cube = Hypercube(3, 0.2, 0.2, 0.3, 0.3)
    listed = cube.finite_class()
    sample = sample_atoms(listed, 60, 0, Random(1), 20_000)
    risk = listed.excess_Q(source_erm(sample))
    exact = exact_risk(cube, 60, 0)
    error = risk.std() / math.sqrt(risk.size)
    assert abs(risk.mean() - exact) <= stats.norm.isf(FALSE_ALARM) * error


@pytest.mark.parametrize(
    ("parameters", "slope", "along"),
    [((1, 1, 1, 1), -2 / 3, "n_P"), ((2, 1, 1, 1), -1 / 2, "n_P"), ((1, 1, 0, 1), -2 / 3, "n_Q")],
)
def test_noisy_slopes(parameters, slope, along):
    model, size = PowerThresholds(*parameters), 3000
    name = "source" if along == "n_P" else "target"
    risks = []
    for k, n in enumerate((10**6, 10**9)):
        n_P, n_Q = (n, 0) if along == "n_P" else (0, n)
        risks.append(simulate_risks(model, n_P, n_Q, Random(k), size, (name,), per_octave=6))
    found = math.log10(risks[1].mean() / risks[0].mean()) / 3
    error = math.hypot(*(r.std() / r.mean() / math.sqrt(size) for r in risks)) / math.log(1e3)
    assert abs(found - slope) <= 5 * error


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: exact_risk(PowerThresholds(2), 5, 5), "without noise"),
        (lambda: exact_risk(clean(2, 2), 5, 5, rule="middle"), "q = 2"),
        (lambda: exact_risk(clean(2), 5, 5, rule="left"), "rule is 'left'"),
        (lambda: exact_risk(clean(2), -1, 5), "n_P is -1"),
        (lambda: exact_risk(clean(2), 5, [3, 2.5]), "n_Q is 2.5"),
        (lambda: exact_risk(clean(2), math.nan, 5), "n_P is nan"),
        (lambda: exact_slope(clean(2), 5, 5, along="n"), "along is 'n'"),
        (lambda: exact_slope(Hypercube(1, 1, 1, 1, 1), 5, 5, ratio=1), "ratio is 1"),
        (lambda: exact_slope(Hypercube(1, 1, 1, 1, 1), 0, 5), "above 0 for a slope"),
    ],
)
def test_bad_requests_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_no_points_at_all():
    assert exact_risk(clean(2), 0, 0) == pytest.approx(0.5)
    assert exact_risk(Hypercube(2, 0.1, 0.2, 1, 0.5), 0, 0) == pytest.approx(0.1)
