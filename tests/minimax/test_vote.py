"""The two-sample vote kernel against enumeration, closed forms and its own bounds."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tlstat.errors import InputError
from tlstat.minimax.vote import signed_sum, vote_bounds, vote_error


def law(n, p, delta):
    """Law of the signed sum by enumerating agreements and disagreements."""
    agree, disagree = p * (1 + delta) / 2, p * (1 - delta) / 2
    out = {}
    for i in range(n + 1):
        for j in range(n - i + 1):
            ways = math.comb(n, i) * math.comb(n - i, j)
            out[i - j] = out.get(i - j, 0.0) + ways * agree**i * disagree**j * (1 - p) ** (
                n - i - j
            )
    return out


def bayes_error(n_P, p, delta_P, n_Q, q, delta_Q):
    """Half the overlap of the laws of the pair under the two signs; no vote in sight."""
    P, Q = law(n_P, p, delta_P), law(n_Q, q, delta_Q)
    return 0.5 * sum(min(P[s] * Q[t], P[-s] * Q[-t]) for s in P for t in Q)


def weighted_error(n_P, p, delta_P, n_Q, q, delta_Q, w_P, w_Q):
    P, Q = law(n_P, p, delta_P), law(n_Q, q, delta_Q)
    error = 0.0
    for s in P:
        for t in Q:
            vote = round(w_P * s + w_Q * t, 12)
            error += P[s] * Q[t] * ((vote < 0) + 0.5 * (vote == 0))
    return error


sizes = st.integers(0, 25)
unit = st.one_of(st.sampled_from([0.0, 1.0, 0.5, 1e-9]), st.floats(0, 1))
samples = st.tuples(sizes, unit, unit, sizes, unit, unit)


@given(samples)
def test_the_default_vote_has_the_bayes_error(case):
    assert vote_error(*case) == pytest.approx(bayes_error(*case), abs=1e-13)


@given(samples, st.sampled_from([0.0, 0.5, 1.0, 1 / 3, 3.222]), st.sampled_from([0.0, 1.0, 2.0]))
def test_fixed_weights_agree_with_enumeration(case, w_P, w_Q):
    exact = weighted_error(*case, w_P, w_Q)
    error = vote_error(*case, weights=(w_P, w_Q))
    assert error == pytest.approx(exact, abs=1e-13)
    assert error >= vote_error(*case) - 1e-13


@given(samples)
def test_an_infinite_weight_decides_first(case):
    huge = 1e6  # above any sum of the other sample
    for weights, finite in [((np.inf, 1.0), (huge, 1.0)), ((0.3, np.inf), (1.0, huge))]:
        exact = weighted_error(*case, *finite)
        assert vote_error(*case, weights=weights) == pytest.approx(exact, abs=1e-13)


@given(samples)
def test_the_kernel_is_symmetric_in_the_samples(case):
    assert vote_error(*case) == pytest.approx(vote_error(*case[3:], *case[:3]), abs=1e-14)


@given(samples, st.integers(0, 2), st.floats(0, 1), st.booleans())
def test_more_information_never_hurts_the_bayes_vote(case, which, share, second):
    less = list(case)
    position = which + 3 * second
    less[position] = int(share * case[position]) if which == 0 else share * case[position]
    assert vote_error(*case) <= vote_error(*less) + 1e-13


@given(samples, st.booleans())
def test_the_closed_form_bounds_hold(case, poissonised):
    error = vote_error(*case, poissonised=poissonised)
    bounds = vote_bounds(*case, poissonised=poissonised)
    for name in ("hellinger", "quarter_affinity", "bretagnolle_huber", "pinsker"):
        assert getattr(bounds, name) <= error + 1e-13, name
    assert error <= bounds.upper + 1e-13
    assert bounds.hellinger >= bounds.quarter_affinity - 1e-16


@given(samples)
def test_affinity_and_divergence_agree_with_enumeration(case):
    n_P, p, delta_P, n_Q, q, delta_Q = case
    bounds = vote_bounds(*case)
    P, Q = law(n_P, p, delta_P), law(n_Q, q, delta_Q)
    affinity = sum(math.sqrt(P[s] * P[-s]) for s in P) * sum(math.sqrt(Q[t] * Q[-t]) for t in Q)
    assert bounds.affinity == pytest.approx(affinity, rel=1e-7, abs=1e-12)


def test_divergence_on_one_draw_and_its_additivity():
    p, delta = 0.3, 0.4
    plus, minus = p * (1 + delta) / 2, p * (1 - delta) / 2
    one = plus * math.log(plus / minus) + minus * math.log(minus / plus)
    assert vote_bounds(7, p, delta, 5, p, delta).kl == pytest.approx(12 * one, rel=1e-14)
    assert vote_bounds(7, p, 1.0, 0, p, 0.1).kl == np.inf
    assert vote_bounds(0, p, 1.0, 0, p, 1.0).kl == 0


@pytest.mark.parametrize(("n", "p", "delta"), [(800, 0.07, 0.2), (900, 0.98, 0.1), (400, 1, 0.9)])
def test_the_law_of_the_sum_agrees_with_high_precision(n, p, delta):
    """The characteristic function's Fourier coefficients, from 40-digit arithmetic."""
    support, probabilities = signed_sum(n, p, delta)
    with mpmath.workdps(40):
        p_, delta_ = mpmath.mpf(p), mpmath.mpf(delta)
        a, b, c = p_ * (1 + delta_) / 2, p_ * (1 - delta_) / 2, 1 - p_

        def exact(s):
            total = mpmath.mpf(0)
            for j in range(max(0, -s), (n - s) // 2 + 1):  # j disagreements, j + s agreements
                if c or 2 * j + s == n:
                    ways = mpmath.binomial(n, j) * mpmath.binomial(n - j, j + s)
                    total += ways * a ** (j + s) * b**j * c ** (n - 2 * j - s)
            return float(total)

        for s in np.unique(np.linspace(support[0], support[-1], 12).astype(int)):
            index = int(s - support[0])
            assert probabilities[index] == pytest.approx(exact(int(s)), abs=2e-16)
    assert probabilities.sum() == pytest.approx(1, abs=1e-14)


@pytest.mark.parametrize("exponent", [3, 5, 7, 9])
@pytest.mark.parametrize("z", [0.5, 3.0])
def test_large_samples_agree_with_the_beta_function(exponent, z):
    """With p = 1 a majority vote over an odd sample is a binomial tail."""
    n = 10**exponent + 1
    delta = round(z / math.sqrt(n) * 2**50) / 2**50  # (1 + delta)/2 is then exact as well
    tail = stats.beta.sf((1 + delta) / 2, (n - 1) // 2 + 1, n - (n - 1) // 2)
    assert vote_error(n, 1, delta, 0, 0, 0) == pytest.approx(tail, abs=1e-13)


def test_huge_samples_on_a_rare_atom_approach_the_poisson_limit():
    """n = 10^15: only n p matters, and the cost is that of n p."""
    thin = vote_error(10**15, 30e-15, 0.3, 10**15, 10e-15, 0.5)
    assert thin == pytest.approx(vote_error(30, 1, 0.3, 10, 1, 0.5, poissonised=True), abs=1e-12)


@given(st.floats(0, 40), st.floats(0, 1), st.floats(0, 40), st.floats(0, 1))
def test_the_poissonised_sum_is_skellam(mean_P, delta_P, mean_Q, delta_Q):
    case = (mean_P, 1, delta_P, mean_Q, 1, delta_Q)
    grid = np.arange(200)
    with np.errstate(all="ignore"):
        plus_P, minus_P = (stats.poisson.pmf(grid, mean_P * (1 + s * delta_P) / 2) for s in (1, -1))
    law_P = np.convolve(plus_P, minus_P[::-1])
    plus_Q, minus_Q = (stats.poisson.pmf(grid, mean_Q * (1 + s * delta_Q) / 2) for s in (1, -1))
    law_Q = np.convolve(plus_Q, minus_Q[::-1])
    joint = np.outer(law_P, law_Q)
    overlap = 0.5 * np.minimum(joint, joint[::-1, ::-1]).sum()
    assert vote_error(*case, poissonised=True) == pytest.approx(overlap, abs=1e-12)


def test_deterministic_labels_are_exact():
    assert vote_error(50, 0.1, 1, 0, 0, 0) == pytest.approx(0.5 * 0.9**50, rel=1e-14)
    assert vote_error(50, 0.1, 1, 7, 0.2, 1) == pytest.approx(0.5 * 0.9**50 * 0.8**7, rel=1e-13)
    alone = vote_error(0, 0, 0, 20, 0.3, 0.4)
    assert vote_error(50, 0.1, 1, 20, 0.3, 0.4) == pytest.approx(0.9**50 * alone, rel=1e-13)
    assert vote_error(10**9, 0.5, 1, 10, 0.5, 0.1) == 0
    assert vote_error(5, 1, 1, 0, 1, 1) == 0
    poisson = vote_error(3, 0.5, 1, 0, 0, 0, poissonised=True)
    assert poisson == pytest.approx(0.5 * math.exp(-1.5), rel=1e-14)


def test_nothing_seen_or_no_signal_is_a_coin():
    assert vote_error(0, 0.5, 0.5, 0, 0.5, 0.5) == 0.5
    assert vote_error(100, 0.5, 0, 100, 0.5, 0) == 0.5
    assert vote_error(100, 0, 0.5, 100, 0, 0.5) == pytest.approx(0.5, abs=1e-15)
    assert vote_error(10, 0.5, 0.5, 10, 0.5, 0.5, weights=(0, 0)) == 0.5


@given(samples, st.floats(0.1, 10))
def test_one_sample_alone_is_a_majority_vote(case, weight):
    n_P, p, delta_P, _, q, delta_Q = case
    alone = vote_error(n_P, p, delta_P, 0, q, delta_Q)
    for weights in [(1, 0), (1, weight), (weight, 1)]:
        voted = vote_error(n_P, p, delta_P, 0, q, delta_Q, weights=weights)
        assert voted == pytest.approx(alone, abs=1e-14)


def test_batches_agree_with_single_calls():
    rng = np.random.default_rng(5)
    n_P = rng.integers(0, 5_000, (7, 1))
    p, q, delta_P, delta_Q = rng.random((4, 7, 9))
    n_Q = rng.integers(0, 60, 9)
    delta_P[0] = 1
    batch = vote_error(n_P, p, delta_P, n_Q, q, delta_Q)
    assert batch.shape == (7, 9)
    for i, j in np.ndindex(batch.shape):
        one = vote_error(n_P[i, 0], p[i, j], delta_P[i, j], n_Q[j], q[i, j], delta_Q[i, j])
        assert isinstance(one, float)
        assert batch[i, j] == pytest.approx(one, abs=1e-15)
    assert vote_error(np.zeros((0, 3)), 0.5, 0.5, 1, 0.5, 0.5).shape == (0, 3)


def test_the_error_is_that_of_simulated_votes():
    rng = np.random.default_rng(0)
    n_P, p, delta_P, n_Q, q, delta_Q = 400, 0.05, 0.2, 60, 0.1, 0.4
    draws = 400_000
    sums = []
    for n, mass, delta in [(n_P, p, delta_P), (n_Q, q, delta_Q)]:
        seen = rng.binomial(n, mass, draws)
        sums.append(2 * rng.binomial(seen, (1 + delta) / 2) - seen)
    vote = math.atanh(delta_P) * sums[0] + math.atanh(delta_Q) * sums[1]
    wrong = (vote < -1e-12) + 0.5 * (np.abs(vote) <= 1e-12)
    exact = vote_error(n_P, p, delta_P, n_Q, q, delta_Q)
    # two-sided normal quantile at 1e-6
    assert abs(wrong.mean() - exact) < 4.9 * wrong.std() / math.sqrt(draws)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_P": -1}, "n_P must be whole numbers, 0 or more; got -1"),
        ({"n_Q": 1.5}, "n_Q must be whole numbers"),
        ({"n_Q": np.inf}, "n_Q must be whole numbers"),
        ({"p": 1.2}, r"p must be numbers in \[0, 1\]; got 1.2"),
        ({"delta_Q": np.nan}, "delta_Q must be numbers"),
        ({"q": "half"}, "q must be a number"),
        ({"p": [0.1, 0.2], "q": [0.1, 0.2, 0.3]}, "do not broadcast"),
        ({"weights": (1, -2)}, "weights must be 0 or more, got -2"),
        ({"weights": (np.inf, np.inf)}, "not both be inf"),
        ({"weights": 3}, "weights must be a pair"),
        ({"n_P": 10**18, "p": 0.5}, "window"),
    ],
)
def test_bad_input_is_named(change, message):
    good = {"n_P": 5, "p": 0.5, "delta_P": 0.1, "n_Q": 5, "q": 0.5, "delta_Q": 0.1}
    with pytest.raises(InputError, match=message):
        vote_error(**{**good, **change})
