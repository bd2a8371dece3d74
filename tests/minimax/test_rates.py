"""Rates and crossover: exact fractions, the table of power families, bad input."""

import re
from fractions import Fraction as F

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from tlstat.errors import InputError
from tlstat.minimax import rates

# (gamma, q, a_P, a_Q), then slope in n_P, slope in n_Q, crossover exponent: powers of |x|
TABLE = [
    ((1, 1, 0, 0), 1, 1, 1),
    ((2, 1, 0, 0), F(1, 2), 1, F(1, 2)),
    ((3, 1, 0, 0), F(1, 3), 1, F(1, 3)),
    ((F(1, 2), 1, 0, 0), 2, 1, 2),
    ((1, 2, 0, 0), 2, 1, 2),
    ((4, 2, 0, 0), F(1, 2), 1, F(1, 2)),
    ((1, 1, 1, 1), F(2, 3), F(2, 3), 1),
    ((2, 1, 1, 1), F(1, 2), F(2, 3), F(3, 4)),
    ((1, 1, 1, 0), F(1, 3), 1, F(1, 3)),
    ((1, 1, 0, 1), 2, F(2, 3), 3),
    ((2, 1, 0, 1), 1, F(2, 3), F(3, 2)),
    ((1, 1, 2, 1), F(2, 5), F(2, 3), F(3, 5)),
    ((2, 1, 1, 0), F(1, 4), 1, F(1, 4)),
    ((1, 1, 2, 0), F(1, 5), 1, F(1, 5)),
]
powers = st.fractions(F(1, 5), 5, max_denominator=12)
noises = st.fractions(0, 4, max_denominator=12)


def family(gamma, q, a_P, a_Q):
    """Exponents of power thresholds, from the powers of mass and margin."""
    gamma, q = F(gamma), F(q)
    rho, beta_P, beta_Q = (gamma + a_P) / (q + a_Q), gamma / (gamma + a_P), q / (q + a_Q)
    return rho, beta_P, beta_Q


@pytest.mark.parametrize(("powers", "source", "target", "cross"), TABLE)
def test_table_of_power_families(powers, source, target, cross):
    rho, beta_P, beta_Q = family(*powers)
    assert rates.source_exponent(rho, beta_P) == source
    assert rates.target_exponent(beta_Q) == target
    assert rates.crossover_exponent(rho, beta_P, beta_Q) == cross


@given(powers, powers, noises, noises)
def test_exponents_solve_the_balance_of_drift_and_noise(gamma, q, a_P, a_Q):
    """Localisation: n t^(gamma + a) against sqrt(n t^gamma) gives t = n^(-1 / (gamma + 2a))."""
    rho, beta_P, beta_Q = family(gamma, q, a_P, a_Q)
    assert rates.source_exponent(rho, beta_P) == (q + a_Q) / (gamma + 2 * a_P)
    assert rates.target_exponent(beta_Q) == (q + a_Q) / (q + 2 * a_Q)
    marginal = gamma / q
    assert rates.rho_of_power_family(marginal, beta_P, beta_Q) == rho
    assert rho <= rates.rho_at_most(marginal, beta_P)
    assert (rho == rates.rho_at_most(marginal, beta_P)) == (beta_Q == 1)


def test_fractions_stay_fractions_and_floats_work():
    assert rates.source_exponent(F(3, 2), F(2, 3)) == F(1, 2)
    assert isinstance(rates.source_exponent(3, 1), F)
    assert rates.source_exponent(1.5, 2 / 3) == pytest.approx(0.5)
    assert rates.crossover_exponent(F(3, 2), F(2, 3), F(1, 2)) == F(3, 4)
    assert rates.rho_at_most(3, 1) == F(3)


@given(st.floats(1, 1e15), st.floats(0.2, 5), st.floats(0, 1), st.floats(0, 1), st.floats(1, 50))
def test_the_rates_are_equal_at_the_crossover(n_P, rho, beta_P, beta_Q, dim):
    known = {"rho": rho, "beta_P": beta_P, "beta_Q": beta_Q, "dim": dim}
    constants = (0.3, 0.7)
    n_Q = rates.crossover(n_P, **known, constants=constants)
    source = rates.source_rate(n_P, rho=rho, beta_P=beta_P, dim=dim, constant=0.3)
    if source < 1:
        assert rates.target_rate(n_Q, beta_Q=beta_Q, dim=dim, constant=0.7) == pytest.approx(source)
        worse = rates.minimax_rate(n_P, n_Q / 2, **known, constants=constants)
        better = rates.minimax_rate(n_P, n_Q * 2, **known, constants=constants)
        assert worse == pytest.approx(source)
        assert better < source


def test_rates_are_vectorised_and_at_most_one():
    n = np.array([0, 1, 4, 100])
    found = rates.source_rate(n, rho=1, beta_P=1, dim=2)
    assert found.tolist() == pytest.approx([1, 1, 0.5, 0.02])
    grid = rates.minimax_rate(n[:, None], n[None, :], rho=2, beta_P=1, beta_Q=1)
    assert grid.shape == (4, 4)
    assert grid[0].tolist() == pytest.approx(rates.target_rate(n, beta_Q=1).tolist())
    assert grid[0, 0] == 1
    assert rates.source_rate(1e300, rho=1e-6, beta_P=0) == 0


def test_samples_for_inverts_the_rate():
    exponent = rates.source_exponent(F(3, 2), F(2, 3))
    n = rates.samples_for([0.1, 0.001], exponent, dim=3, constant=0.4)
    back = rates.source_rate(n, rho=1.5, beta_P=2 / 3, dim=3, constant=0.4)
    assert back == pytest.approx([0.1, 0.001])


@pytest.mark.parametrize(("gamma", "q"), [(2, 1), (3, 1), (0.5, 1), (1, 2), (4, 2)])
def test_noise_free_constants_are_limits_of_the_exact_risk(gamma, q):
    """Right-end ERM errs by the distance to the nearest positive point: a quadrature."""
    source, target = rates.noise_free_constants(gamma, q)
    n = 10**6

    def risk(power):
        # r = u^(1/q), then u = v / n^(q/power): the integrand lives where n r^power is of order 1
        scale = n ** (-q / power)
        value, _ = quad(
            lambda v: np.exp(n * np.log1p(-((v * scale) ** (power / q)) / 2)),
            0,
            min(80 ** max(q / power, 1), 1 / scale),
            limit=400,
        )
        return scale * value / 2

    assert risk(gamma) * n ** (q / gamma) == pytest.approx(source, rel=2e-3)
    assert risk(q) * n == pytest.approx(target, rel=1e-4)
    # the boundary's constant: 2^(1 - q/gamma) / Gamma(1 + q/gamma)
    n_Q = rates.crossover(n, rho=gamma / q, beta_P=1, beta_Q=1, constants=(source, target))
    assert n_Q == pytest.approx(n ** (q / gamma) / source)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rates.source_exponent(0, 1), "rho is 0; expected a positive number"),
        (lambda: rates.source_exponent(float("nan"), 1), "rho is nan"),
        (lambda: rates.source_exponent("2", 1), "rho is '2'"),
        (lambda: rates.source_exponent(2, 1.5), "beta_P is 1.5; expected a Bernstein exponent"),
        (lambda: rates.target_exponent(-0.1), "beta_Q is -0.1"),
        (lambda: rates.rho_at_most(2, 0), "beta_P is 0; expected a Bernstein exponent in (0, 1]"),
        (lambda: rates.rho_of_power_family(-1, 1, 1), "gamma is -1"),
        (lambda: rates.source_rate(-5, rho=1, beta_P=1), "n_P is -5; expected sample sizes"),
        (lambda: rates.target_rate([1, np.nan], beta_Q=1), "n_Q is [1, nan]"),
        (lambda: rates.target_rate(1, beta_Q=1, dim=0), "dim is 0"),
        (lambda: rates.target_rate(1, beta_Q=1, constant=-1), "constant is -1"),
        (lambda: rates.samples_for(1.0, 1), "eps is 1.0; expected excess risks strictly between"),
        (lambda: rates.samples_for(0.1, 0), "exponent is 0"),
        (lambda: rates.source_exponent(True, 1), "rho is True"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(InputError, match=re.escape(message)):
        call()
