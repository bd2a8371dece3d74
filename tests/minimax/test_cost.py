"""Cost-optimal purchases: against brute force, known savings, and their own certificate."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlstat.errors import InputError
from tlstat.minimax import rates
from tlstat.minimax.cost import cost_optimal, rate_optimal, samples_needed


def noise_free(gamma, q=1.0):
    """Risk of right-end ERM on noise-free power thresholds, by Gauss-Legendre in log r."""
    nodes, weights = np.polynomial.legendre.leggauss(300)
    reach = 36.0 * max(1.0, 1 / q)
    r = np.exp((nodes - 1) / 2 * reach)
    base = weights * reach / 4 * q * r**q
    source, target = np.log1p(-(r**gamma) / 2), np.log1p(-(r**q) / 2)
    return lambda n_P, n_Q: float(base @ np.exp(n_P * source + n_Q * target))


@settings(max_examples=40)
@given(
    st.floats(0.3, 3), st.floats(0.3, 3), st.floats(0.05, 0.4), st.floats(0.1, 10), st.booleans()
)
def test_against_brute_force(s, t, eps, price_Q, both_help):
    """Every pair below 60 x 60 is tried; the search must find the same cost."""

    def risk(n_P, n_Q):
        a, b = (1 + n_P) ** -s, (1 + n_Q) ** -t
        return a * b if both_help else min(a, b)

    found = cost_optimal(risk, eps, price_Q=price_Q, rtol=1e-12)
    pairs = itertools.product(range(61), repeat=2)
    costs = [i + price_Q * j for i, j in pairs if risk(i, j) <= eps]
    assert risk(found.n_P, found.n_Q) <= eps
    assert found.lower <= found.cost * (1 + 1e-12)
    if costs and min(costs) <= 60 * min(1, price_Q):  # else the cheapest may lie outside the grid
        assert found.cost == pytest.approx(min(costs))
    if not both_help:
        assert found.bang_bang
        assert found.saving == 0


@pytest.mark.parametrize(
    ("gamma", "eps", "n_P", "n_Q"), [(2, 1e-2, 3926, 99), (2, 1e-3, 392_698, 999)]
)
def test_single_source_purchases(gamma, eps, n_P, n_Q):
    found = cost_optimal(noise_free(gamma), eps * (1 + 1e-12))
    assert abs(found.source_only - n_P) <= 1
    assert found.target_only == n_Q


@pytest.mark.parametrize(
    ("gamma", "eps", "kappa", "saving", "slack"),
    [
        # at the tie both kinds help
        (2, 1e-3, 1, 0.075, 0.002),
        (3, 1e-3, 1, 0.175, 0.002),
        (0.5, 1e-2, 1, 0.059, 0.016),  # 19 and 99 samples: whole numbers matter
        (0.5, 1e-3, 1, 0.066, 0.004),
        (0.5, 1e-4, 1, 0.069, 0.002),
        # beside it bang-bang is optimal, for gamma = 3 slowly
        (2, 1e-3, 2 / 3, 0, 0.001),
        (2, 1e-4, 1.5, 0, 0.001),
        (0.5, 1e-4, 1.5, 0, 0.001),
        (0.5, 1e-4, 2 / 3, 0, 0.003),
        (3, 1e-4, 2 / 3, 0.014, 0.001),
        (3, 1e-4, 0.5, 0, 0.001),
        (3, 1e-4, 1.5, 0.075, 0.001),
        (3, 1e-4, 2, 0.034, 0.001),
        (3, 1e-4, 2.5, 0.015, 0.001),
        (3, 1e-4, 3, 0.006, 0.001),
        (3, 1e-4, 4, 0.0001, 0.0003),
    ],
)
def test_what_a_mixture_saves(gamma, eps, kappa, saving, slack):
    """kappa: the price of source samples over the one at which both kinds cost the same."""
    risk = noise_free(gamma)
    tie = cost_optimal(risk, eps, rtol=1).tie_ratio
    found = cost_optimal(risk, eps, price_P=kappa, price_Q=tie, rtol=1e-5)
    assert found.saving == pytest.approx(saving, abs=slack)
    assert found.cost * (1 - 1e-5) <= found.lower <= found.cost
    assert risk(found.n_P, found.n_Q) <= eps


@pytest.mark.parametrize("gamma", [0.5, 1, 2, 3])
def test_bang_bang_costs_at_most_twice_the_optimum_and_cost_falls_with_eps(gamma):
    risk = noise_free(gamma)
    costs = []
    for eps in (0.1, 0.03, 0.01, 0.003):
        found = cost_optimal(risk, eps, price_Q=20)
        assert found.cost <= found.single_cost <= 2 * found.lower
        costs.append(found.cost)
    assert costs == sorted(costs)


def test_the_rate_model_is_bang_bang_and_agrees_with_the_search():
    known = {"rho": 1.5, "beta_P": 2 / 3, "beta_Q": 0.5}

    def risk(n_P, n_Q):
        return float(rates.minimax_rate(n_P, n_Q, **known))

    for ratio in (1.0, 20.0, 1e4):
        closed = rate_optimal(0.0099, **known, price_Q=ratio)
        searched = cost_optimal(risk, 0.0099, price_Q=ratio)
        assert closed.bang_bang
        assert (closed.source_only, closed.target_only) == (
            searched.source_only,
            searched.target_only,
        )
        assert closed.cost == searched.cost
    assert rate_optimal(0.0099, **known, price_Q=1.0).n_P == 0
    assert rate_optimal(0.0099, **known, price_Q=1e4).n_Q == 0


def test_one_sample_alone_may_never_suffice():
    found = cost_optimal(lambda n_P, n_Q: 0.2 + 1 / (1 + n_Q), 0.25)
    assert (found.source_only, found.n_P, found.n_Q) == (None, 0, 19)
    assert found.tie_ratio is None


def test_where_both_are_needed():
    found = cost_optimal(lambda n_P, n_Q: max(2 / (1 + n_P), 1 / (1 + n_Q)), 0.1, rtol=1e-9)
    assert (found.source_only, found.target_only) == (None, None)
    assert (found.n_P, found.n_Q) == (19, 9)
    assert found.lower == found.cost


def test_nothing_to_buy():
    found = cost_optimal(lambda n_P, n_Q: 0.1, 0.2)
    assert (found.n_P, found.n_Q, found.cost, found.saving) == (0, 0, 0.0, 0.0)


@given(st.integers(0, 10**15))
def test_samples_needed_is_the_smallest(n):
    assert samples_needed(lambda m: 0.0 if m >= n else 1.0, 0.5) == n


def test_samples_needed_says_when_there_is_no_end():
    assert samples_needed(lambda m: 1.0, 0.5, n_max=1000) is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cost_optimal(lambda a, b: 1.0, 0.0), "eps is 0.0; expected a positive number"),
        (lambda: cost_optimal(lambda a, b: 1.0, 0.1, price_P=-1), "price_P is -1"),
        (lambda: cost_optimal(lambda a, b: 1.0, 0.1, price_Q=float("inf")), "price_Q is inf"),
        (
            lambda: cost_optimal(lambda a, b: 1.0, 0.1, n_max=100),
            "not even 100 samples of each kind",
        ),
        (lambda: cost_optimal(lambda a, b: float("nan"), 0.1), "risk is nan at n = 0"),
        (lambda: rate_optimal(0.1, rho=1, beta_P=1, beta_Q=1, price_Q=0), "price_Q is 0"),
        (lambda: rate_optimal(2, rho=1, beta_P=1, beta_Q=1), "eps is 2"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(InputError, match=re.escape(message)):
        call()
