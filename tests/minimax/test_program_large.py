"""Cutting planes: agreement with the whole program, memory, and programs that do not solve."""

import tracemalloc

import numpy as np
import pytest
from scipy import stats

from tlstat.errors import InputError
from tlstat.minimax.program import minimax_risk
from tlstat.minimax.program_input import memory_needed
from tlstat.minimax.program_large import bayes_actions, block_risks, require_optimal


def smooth_game(parameters, outcomes, actions):
    """A bounded normal mean with absolute loss, finely binned."""
    theta = np.linspace(-3, 3, parameters)
    edges = np.concatenate([[-np.inf], np.linspace(-7, 7, outcomes - 1), [np.inf]])
    likelihood = np.diff(stats.norm.cdf(edges - theta[:, None]), axis=1)
    return np.abs(theta[:, None] - np.linspace(-3, 3, actions)), likelihood


def rough_game(parameters, outcomes, actions, seed=0):
    rng = np.random.default_rng(seed)
    likelihood = rng.gamma(0.3, size=(parameters, outcomes))
    likelihood /= likelihood.sum(axis=1, keepdims=True)
    return rng.random((parameters, actions)), likelihood


@pytest.mark.parametrize("game", [smooth_game, rough_game])
def test_both_methods_find_the_same_value(game):
    loss, likelihood = game(12, 300, 7)
    whole = minimax_risk(loss, likelihood, method="program")
    cuts = minimax_risk(loss, likelihood, method="cutting-planes", tol=1e-6)
    assert whole.gap < 1e-6
    assert cuts.converged
    assert cuts.lower <= whole.upper
    assert whole.lower <= cuts.upper
    assert cuts.value == pytest.approx(whole.value, rel=2e-6)


@pytest.mark.parametrize("game", [smooth_game, rough_game])
def test_larger_problems_close_the_gap_within_their_memory(game):
    sizes = (40, 8_000, 16)
    loss, likelihood = game(*sizes)
    allowed = memory_needed(*sizes, method="cutting-planes")
    tracemalloc.start()
    result = minimax_risk(loss, likelihood, tol=1e-3, memory=allowed)
    peak = tracemalloc.get_traced_memory()[1] + likelihood.nbytes
    tracemalloc.stop()
    assert result.method == "cutting-planes"
    assert result.gap <= 1e-3
    # the master lives inside HiGHS, which is not traced; it is the smallest part
    assert peak <= allowed


def test_a_hundred_thousand_outcomes_fit_the_ceiling():
    assert memory_needed(200, 100_000, 64, method="cutting-planes") < 1e9


def test_bayes_actions_and_block_risks_agree_with_plain_sums():
    loss, likelihood = rough_game(5, 40, 4)
    prior = np.random.default_rng(1).dirichlet(np.ones(5))
    outcomes = np.ascontiguousarray(likelihood.T)
    value, actions = bayes_actions(prior[:, None] * loss, outcomes)
    scores = np.einsum("i,ix,ia->xa", prior, likelihood, loss)
    assert value == pytest.approx(scores.min(axis=1).sum(), rel=1e-14)
    np.testing.assert_array_equal(actions, scores.argmin(axis=1))
    bounds = np.array([0, 10, 11, 40])
    risks = block_risks(loss, outcomes, actions, bounds)
    for k in range(3):
        inside = slice(bounds[k], bounds[k + 1])
        direct = (likelihood[:, inside] * loss[:, actions[inside]]).sum(axis=1)
        np.testing.assert_allclose(risks[k], direct, rtol=1e-13)
    assert prior @ risks.sum(axis=0) == pytest.approx(value, rel=1e-13)


@pytest.mark.parametrize("status", ["Infeasible", "Unbounded", "Time limit reached"])
def test_an_unsolved_program_is_an_error(status):
    with pytest.raises(InputError, match=f"ended as '{status}' instead of 'Optimal'"):
        require_optimal(status)
    require_optimal("Optimal")


def test_losses_of_any_scale_and_sign():
    loss, likelihood = rough_game(8, 500, 5)
    base = minimax_risk(loss, likelihood, method="cutting-planes", tol=1e-6)
    for scale, shift in [(1e-9, 0), (1e9, 0), (1, -100), (1, 1e6), (1e3, -418.0)]:
        moved = minimax_risk(scale * loss + shift, likelihood, method="cutting-planes", tol=1e-6)
        expected = scale * base.value + shift
        assert moved.lower <= expected + 2e-6 * abs(expected)
        assert moved.upper >= expected - 2e-6 * abs(expected)
        assert moved.converged
