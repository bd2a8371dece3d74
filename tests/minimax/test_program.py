"""Minimax risk as a linear program: known answers, laws, certificates, bad input."""

import itertools
import math

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse, stats

from tlstat.errors import InputError
from tlstat.knowledge_transfer.theory import SOFT_LABEL_MINIMAX
from tlstat.minimax import program_input
from tlstat.minimax.cube import cube_minimax
from tlstat.minimax.program import bayes_risk, minimax_risk, rule_risks

METHODS = ("program", "cutting-planes")


def random_game(seed, parameters=4, outcomes=6, actions=3):
    rng = np.random.default_rng(seed)
    likelihood = rng.dirichlet(np.full(outcomes, 0.6), size=parameters)
    return rng.normal(size=(parameters, actions)), likelihood


def by_cvxpy(loss, likelihood):
    """The primal program, written down by somebody else's modelling language and solver."""
    outcomes, actions = likelihood.shape[1], loss.shape[1]
    rule = cp.Variable((outcomes, actions), nonneg=True)
    risks = cp.sum(cp.multiply(likelihood @ rule, loss), axis=1)
    problem = cp.Problem(cp.Minimize(cp.max(risks)), [cp.sum(rule, axis=1) == 1])
    return problem.solve(solver=cp.CLARABEL)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(6))
def test_random_games_agree_with_cvxpy(seed, method):
    loss, likelihood = random_game(seed, 3 + seed, 8, 2 + seed)
    game = minimax_risk(loss, likelihood, tol=1e-7, method=method)
    reference = by_cvxpy(loss, likelihood)
    assert game.value == pytest.approx(reference, abs=1e-6)
    assert game.lower - 1e-7 <= reference <= game.upper + 1e-7
    assert game.converged


@pytest.mark.parametrize("method", METHODS)
def test_the_certificate_is_what_prior_and_rule_give(method):
    loss, likelihood = random_game(7, 6, 40, 5)
    game = minimax_risk(loss, likelihood, method=method)
    assert game.prior.shape == (6,)
    assert game.rule.shape == (40, 5)
    assert (game.prior >= 0).all()
    assert game.prior.sum() == pytest.approx(1, abs=1e-12)
    assert (game.rule >= 0).all()
    np.testing.assert_allclose(game.rule.sum(axis=1), 1, atol=1e-12)
    # by plain sums, outside the package
    scores = np.einsum("i,ix,ia->xa", game.prior, likelihood, loss)
    risks = np.einsum("ix,xa,ia->i", likelihood, game.rule, loss)
    assert game.lower == pytest.approx(scores.min(axis=1).sum(), abs=1e-12)
    assert game.lower <= scores.min(axis=1).sum()
    assert game.upper == pytest.approx(risks.max(), abs=1e-12)
    assert game.upper >= risks.max()
    np.testing.assert_allclose(game.risks, risks, atol=1e-12)
    assert bayes_risk(loss, likelihood, game.prior) == pytest.approx(game.lower, abs=1e-12)
    np.testing.assert_allclose(rule_risks(loss, likelihood, game.rule), risks, atol=1e-12)


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from(METHODS))
def test_the_interval_holds_the_value_of_any_rule_and_prior(seed, method):
    """No prior gives more than upper, no rule less than lower."""
    loss, likelihood = random_game(seed)
    game = minimax_risk(loss, likelihood, method=method, tol=1e-3)
    rng = np.random.default_rng(seed + 1)
    prior = rng.dirichlet(np.full(4, 0.5))
    rule = rng.dirichlet(np.full(3, 0.3), size=6)
    assert game.lower <= game.upper
    assert bayes_risk(loss, likelihood, prior) <= game.upper + 1e-12
    assert rule_risks(loss, likelihood, rule).max() >= game.lower - 1e-12


@pytest.mark.parametrize("n", [1, 4, 9])
def test_binomial_squared_error_is_the_root_n_rule(n):
    """The rule (k + sqrt(n)/2)/(n + sqrt(n)) has constant risk 1/(4 (1 + sqrt n)^2)."""
    theta = np.linspace(0, 1, 81)
    root = math.sqrt(n)
    rule_values = (np.arange(n + 1) + root / 2) / (n + root)
    actions = np.concatenate([np.linspace(0, 1, 41), rule_values])
    likelihood = stats.binom.pmf(np.arange(n + 1), n, theta[:, None])
    game = minimax_risk((theta[:, None] - actions) ** 2, likelihood)
    known = 1 / (4 * (1 + root) ** 2)
    # the rule is available, so the value is at most the known one; the grid of theta costs little
    assert game.upper <= known + 1e-9
    assert game.lower == pytest.approx(known, rel=2e-3)


@pytest.mark.parametrize("bound", [0.5, 1.0])
def test_a_bounded_normal_mean_has_the_two_point_prior(bound):
    """For |theta| <= 1.05 the least-favourable prior sits at both ends (Casella & Strawderman)."""
    edges = np.concatenate([[-np.inf], np.linspace(-6, 6, 241), [np.inf]])
    theta = np.linspace(-bound, bound, 9)
    likelihood = np.diff(stats.norm.cdf(edges - theta[:, None]), axis=1)
    actions = np.linspace(-bound, bound, 161)
    game = minimax_risk((theta[:, None] - actions) ** 2, likelihood, tol=1e-5)
    x = np.linspace(-bound - 10, bound + 10, 200_001)
    # Bayes risk of the two-point prior: bound^2 E[1 - tanh^2(bound X)] under theta = bound
    density = stats.norm.pdf(x - bound) * (1 - np.tanh(bound * x) ** 2)
    known = bound**2 * np.trapezoid(density, x)
    assert game.value == pytest.approx(known, rel=1e-3)
    assert game.prior[0] + game.prior[-1] == pytest.approx(1, abs=1e-3)
    # discretised outcomes are a garbling, and actions a restriction: neither can lower the risk
    assert game.upper >= known - 1e-6


def soft_label_game(S, A, n, supports):
    """Finite domain, level 3: a teacher is a deterministic labelling, its row seen with the input.

    Parameters: input law (a point of ``supports``) and labelling. Outcomes: the sequence of inputs
    with the labels of those seen. Actions: a label for each input, or none (uniform). Loss: mass of
    inputs whose label is not given, times (1 - 1/A), or 1 on a wrong label.
    """
    labellings = list(itertools.product(range(A), repeat=S))
    parameters = [(rho, f) for rho in supports for f in labellings]
    outcomes = {}
    rows = []
    for rho, f in parameters:
        row = {}
        for seen in itertools.product(range(S), repeat=n):
            mass = math.prod(rho[s] for s in seen)
            key = tuple((s, f[s]) for s in sorted(set(seen)))
            row[key] = row.get(key, 0.0) + mass
            outcomes.setdefault(key, len(outcomes))
        rows.append(row)
    likelihood = np.zeros((len(parameters), len(outcomes)))
    for i, row in enumerate(rows):
        for key, mass in row.items():
            likelihood[i, outcomes[key]] = mass
    actions = list(itertools.product([*range(A), None], repeat=S))
    loss = np.array(
        [
            [
                sum(
                    rho[s] * ((1 - 1 / A) if a[s] is None else float(a[s] != f[s]))
                    for s in range(S)
                )
                for a in actions
            ]
            for rho, f in parameters
        ]
    )
    return loss, likelihood


@pytest.mark.parametrize(("S", "A", "n"), [(2, 2, 2), (2, 3, 3)])
def test_finite_domain_soft_labels(S, A, n):
    """(1 - 1/A) M*(S, n): the largest missing mass, times the loss of a blind guess."""
    grid = np.linspace(0, 1, 41)
    supports = [(x, 1 - x) for x in grid]
    loss, likelihood = soft_label_game(S, A, n, supports)
    game = minimax_risk(loss, likelihood, tol=1e-5)
    assert game.value == pytest.approx(float(SOFT_LABEL_MINIMAX(S=S, A=A, n=n)), rel=2e-3)


def cube_game(m, n_P, p, delta_P, n_Q, q, delta_Q):
    """The cube as a game: outcomes are whole samples, reduced to counts per atom and label."""

    def law(n, mass, delta, sign):
        # cells: (atom, +), (atom, -), ..., rest
        cells = []
        for s in sign:
            cells += [mass * (1 + s * delta) / 2, mass * (1 - s * delta) / 2]
        cells.append(1 - m * mass)
        out = {}
        for draws in itertools.product(range(2 * m + 1), repeat=n):
            key = tuple(np.bincount(draws, minlength=2 * m + 1)) if n else (0,) * (2 * m + 1)
            out[key] = out.get(key, 0.0) + math.prod(cells[d] for d in draws)
        return out

    signs = list(itertools.product([1, -1], repeat=m))
    laws = [(law(n_P, p, delta_P, s), law(n_Q, q, delta_Q, s)) for s in signs]
    keys = [(a, b) for a in laws[0][0] for b in laws[0][1]]
    likelihood = np.array([[P[a] * Q[b] for a, b in keys] for P, Q in laws])
    wrong = np.array(
        [[sum(x != y for x, y in zip(s, t, strict=True)) for t in signs] for s in signs]
    )
    return q * delta_Q * wrong, likelihood


@pytest.mark.parametrize(
    "case",
    [
        (1, 4, 0.5, 0.3, 3, 0.4, 0.6),
        (2, 3, 0.3, 0.4, 2, 0.4, 0.6),
        (3, 2, 0.2, 0.5, 2, 0.3, 0.4),
        (2, 3, 0.4, 1.0, 2, 0.4, 0.6),
        (2, 0, 0.4, 0.3, 3, 0.4, 0.6),
    ],
)
def test_the_cube_is_an_equality(case):
    """Assouad (m = 1: Le Cam) with equality: the program finds the same number."""
    loss, likelihood = cube_game(*case)
    game = minimax_risk(loss, likelihood, tol=1e-7)
    assert game.value == pytest.approx(cube_minimax(*case), rel=1e-6)
    np.testing.assert_allclose(game.risks, game.upper, rtol=1e-5)  # an equaliser


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=15)
@given(seed=st.integers(0, 10**6))
def test_laws_of_the_minimax_risk(method, seed):
    loss, likelihood = random_game(seed, 4, 6, 3)
    rng = np.random.default_rng(seed)

    def value(loss, likelihood):
        return minimax_risk(loss, likelihood, tol=1e-9, method=method, max_rounds=60)

    base = value(loss, likelihood)
    slack = 1e-7 + (base.upper - base.lower)
    more_actions = value(np.column_stack([loss, rng.normal(size=4)]), likelihood)
    assert more_actions.lower <= base.upper + slack
    garbled = value(loss, likelihood @ rng.dirichlet(np.ones(5), size=6))
    assert garbled.upper >= base.lower - slack
    larger = value(
        np.vstack([loss, rng.normal(size=3)]),
        np.vstack([likelihood, rng.dirichlet(np.ones(6))]),
    )
    assert larger.upper >= base.lower - slack
    scaled = value(2.5 * loss - 3, likelihood)
    assert scaled.value == pytest.approx(2.5 * base.value - 3, abs=1e-6)
    order = rng.permutation(6)
    assert value(loss, likelihood[:, order]).value == pytest.approx(base.value, abs=1e-6)


def test_degenerate_games():
    one = minimax_risk([[3.0]], [[1.0]])
    assert (one.lower, one.value, one.upper) == (3.0, 3.0, 3.0)
    assert one.gap == 0
    # nothing is observed: a matrix game, matching pennies
    pennies = minimax_risk([[1, -1], [-1, 1]], [[1.0], [1.0]])
    assert pennies.value == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(pennies.rule, 0.5, atol=1e-7)
    # everything is observed
    clear = minimax_risk([[0, 1], [1, 0]], [[1, 0], [0, 1]])
    assert clear.upper == pytest.approx(0, abs=1e-9)
    assert clear.converged
    # an outcome that no parameter gives
    unused = minimax_risk([[0, 1], [1, 0]], [[0.5, 0, 0.5], [1, 0, 0]])
    assert unused.value == pytest.approx(1 / 3, abs=1e-9)


def test_a_sparse_likelihood_gives_the_same_game():
    loss, likelihood = random_game(11, 5, 60, 4)
    likelihood = np.where(likelihood < 0.01, 0, likelihood)
    likelihood /= likelihood.sum(axis=1, keepdims=True)
    for method in METHODS:
        dense = minimax_risk(loss, likelihood, tol=1e-6, method=method)
        stored = minimax_risk(loss, sparse.coo_array(likelihood), tol=1e-6, method=method)
        assert stored.value == pytest.approx(dense.value, rel=2e-6)


def test_the_display_says_what_is_certified():
    loss, likelihood = random_game(3, 5, 30, 4)
    shown = repr(minimax_risk(np.abs(loss), likelihood))
    assert "certified in [" in shown
    assert "as asked for" in shown
    assert "NOT" not in shown
    stopped = minimax_risk(
        np.abs(loss), likelihood, tol=1e-12, method="cutting-planes", max_rounds=2
    )
    assert not stopped.converged
    assert stopped.lower < stopped.upper
    assert "NOT 1e-12 as asked for" in repr(stopped)


HALF = [[0.5, 0.5], [0.5, 0.5]]


@pytest.mark.parametrize(
    ("loss", "likelihood", "message"),
    [
        ([[0, 1], [1, 0]], [[0.5, 0.4], [0.5, 0.5]], "row 0 of likelihood sums to 0.9, expected 1"),
        ([[0, 1], [1, 0]], [[1.5, -0.5], [0.5, 0.5]], "negative entry, -0.5"),
        ([[0, 1], [1, 0]], [[np.nan, 1], [0.5, 0.5]], "likelihood holds NaN"),
        ([[0, np.nan], [1, 0]], HALF, "loss holds NaN"),
        ([[0, np.inf], [1, 0]], HALF, "loss holds inf"),
        ([[0, -np.inf], [1, np.inf]], HALF, "loss holds inf"),
        ([[0, 1]], HALF, r"loss has 1 parameters \(rows\) and likelihood has 2"),
        ([0, 1], HALF, r"loss must be a non-empty array, parameters x actions; got shape \(2,\)"),
        ([[], []], HALF, "non-empty"),
        ([["a", 1], [1, 0]], HALF, "loss must be an array of numbers"),
        ([[0, 1], [1, 0]], [0.5, 0.5], "likelihood must be a non-empty array"),
        ([[0, 1], [1, 0]], sparse.coo_array([[0.5, 0.4], [0.5, 0.5]]), "row 0 of likelihood"),
    ],
)
def test_bad_games_are_refused(loss, likelihood, message):
    with pytest.raises(InputError, match=message):
        minimax_risk(loss, likelihood)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tol": 0}, "tol must be a positive number"),
        ({"tol": np.nan}, "tol must be a positive number"),
        ({"memory": 0}, "memory must be a positive number"),
        ({"method": "simplex"}, "method must be one of auto, program, cutting-planes"),
        ({"max_rounds": 0}, "max_rounds must be 1 or more"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        minimax_risk([[0, 1], [1, 0]], HALF, **options)


def test_a_problem_too_large_is_refused_before_it_is_allocated():
    # broadcasting gives the shape of 50 GB without its memory
    likelihood = np.broadcast_to(np.float64(1e-7), (600, 10**7))
    with pytest.raises(InputError, match="need about .* GB, memory allows 2 GB"):
        program_input.refuse_too_large(np.zeros((600, 4)), likelihood, "cutting-planes", 2e9)
    loss, small = random_game(0)
    with pytest.raises(InputError, match="memory allows 1e-06 GB"):
        minimax_risk(loss, small, memory=1e3)


def test_priors_and_rules_are_checked():
    loss, likelihood = random_game(0)
    with pytest.raises(InputError, match="prior must hold 4"):
        bayes_risk(loss, likelihood, [0.5, 0.5])
    with pytest.raises(InputError, match="sum 0.9"):
        bayes_risk(loss, likelihood, [0.3, 0.2, 0.2, 0.2])
    with pytest.raises(InputError, match=r"expected \(outcomes, actions\) = \(6, 3\)"):
        rule_risks(loss, likelihood, np.ones((3, 6)) / 6)
    with pytest.raises(InputError, match="rows of rule"):
        rule_risks(loss, likelihood, np.ones((6, 3)))
