"""Fano, Tsybakov and the other inequalities beside the exact risk of the cube."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlstat.errors import InputError
from tlstat.minimax.cube import cube_at_scale
from tlstat.minimax.fano import (
    ball_fano,
    best_over_scales,
    cube_bounds,
    mutual_information,
    varshamov_gilbert,
)
from tlstat.minimax.vote import vote_bounds


def enumerated_information(n, p, delta):
    """Information from the three-cell multinomial of one sample, label by label."""
    plus, minus, rest = p * (1 + delta) / 2, p * (1 - delta) / 2, 1 - p
    total = 0.0
    for i in range(n + 1):
        for j in range(n - i + 1):
            ways = math.comb(n, i) * math.comb(n - i, j) * rest ** (n - i - j)
            up, down = ways * plus**i * minus**j, ways * minus**i * plus**j
            mean = 0.5 * (up + down)
            total += sum(0.5 * x * math.log(x / mean) for x in (up, down) if x > 0)
    return total


@pytest.mark.parametrize(
    ("n", "p", "delta"), [(12, 0.3, 0.4), (5, 1, 0.2), (8, 0.5, 1.0), (0, 0.5, 0.5)]
)
def test_information_of_one_sample_agrees_with_enumeration(n, p, delta):
    exact = enumerated_information(n, p, delta)
    assert mutual_information(n, p, delta, 0, 0, 0) == pytest.approx(exact, abs=1e-12)
    assert mutual_information(0, 0, 0, n, p, delta) == pytest.approx(exact, abs=1e-12)


def test_two_samples_of_one_kind_are_one_larger_sample():
    split = mutual_information(7, 0.4, 0.3, 5, 0.4, 0.3)
    assert split == pytest.approx(enumerated_information(12, 0.4, 0.3), abs=1e-12)


@settings(max_examples=40)
@given(
    st.integers(0, 400), st.floats(0, 1), st.floats(0, 0.99), st.integers(0, 40), st.floats(0, 1)
)
def test_information_is_at_most_half_the_divergence(n_P, p, delta, n_Q, q):
    case = (n_P, p, delta, n_Q, q, delta / 2)
    information = mutual_information(*case)
    assert information <= vote_bounds(*case).kl / 2 + 1e-12
    assert 0 <= information <= math.log(2)


def test_weak_signals_carry_a_quarter_of_the_divergence():
    case = (50, 0.5, 0.001, 30, 0.4, 0.001)
    assert mutual_information(*case) == pytest.approx(vote_bounds(*case).kl / 4, rel=1e-3)


@settings(max_examples=30)
@given(
    st.integers(1, 24),
    st.floats(0.001, 0.5),
    st.floats(1, 3),
    st.floats(0, 1),
    st.floats(0, 1),
    st.integers(0, 500),
    st.integers(0, 100),
)
def test_every_inequality_is_below_the_exact_risk(m, eps, rho, beta_P, beta_Q, n_P, n_Q):
    atom = cube_at_scale(eps, m, rho=rho, beta_P=beta_P, beta_Q=beta_Q)
    p, delta_P, q, delta_Q = (float(a) for a in atom)
    bounds = cube_bounds(m, n_P, p, delta_P, n_Q, q, delta_Q)
    for name, value in bounds.items():
        assert 0 <= value <= bounds.exact + 1e-12, name


def test_the_measured_comparison():
    """m = 8, rho = 2, beta = 1/2, n_P = 10^4, n_Q = 100; each bound at its best scale."""
    best = best_over_scales(10_000, 100, 8, rho=2, beta_P=0.5, beta_Q=0.5, points=120)
    measured = {
        "exact": 0.0150,
        "hellinger": 0.0123,
        "pinsker": 0.0116,
        "quarter_affinity": 0.0095,
        "bretagnolle_huber": 0.0070,
        "fano_information": 0.0061,
        "fano_kl": 0.0042,
        "varshamov_gilbert": 5.9e-5,
    }
    for name, value in best.items():
        digits = 5e-5 if name != "varshamov_gilbert" else 1e-6
        assert value == pytest.approx(measured[name], abs=1.2 * digits), name


def test_fano_without_information_counts_the_signs():
    """No data: the exact number of wrong signs is m/2; Fano gives less, and never a negative."""
    for m in (1, 2, 8, 40):
        assert 0 <= ball_fano(m, 0.0) <= m / 2
        assert ball_fano(m, m * math.log(2)) == 0
    assert ball_fano(40, 0.0) > 10


def test_the_packing_bound_needs_eight_atoms_and_little_information():
    assert varshamov_gilbert(7, 0.0) == 0
    assert varshamov_gilbert(8, 1.0) == 0
    root = math.sqrt(2)
    assert varshamov_gilbert(8, 0.0) == pytest.approx(0.5 * root / (1 + root))


def test_an_information_sum_too_large_is_refused():
    with pytest.raises(InputError, match="reduce n p"):
        mutual_information(10**9, 0.9, 0.1, 10**8, 0.9, 0.1)
    assert np.isfinite(mutual_information(10**9, 1e-6, 0.1, 100, 0.5, 0.1))
