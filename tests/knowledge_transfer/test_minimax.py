"""Minimax values against linear programs over all tables, direct sums, quadrature and limits."""

import itertools
from math import factorial

import mpmath
import numpy as np
import pytest
from scipy import integrate, stats
from scipy.optimize import linprog, minimize

from tlstat.backend import Random
from tlstat.errors import InputError
from tlstat.knowledge_transfer import (
    Prior,
    Teacher,
    exact_risk,
    expected_missing_mass,
    minimax,
    sample_counts,
    simulate_risks,
)
from tlstat.knowledge_transfer.instances import on_off, paired_labels
from tlstat.knowledge_transfer.minimax import hard
from tlstat.knowledge_transfer.quadrature import gauss_beta_binomial, gauss_binomial


def tables(n, cells):
    """All tables of counts with total n, as tuples."""
    for bars in itertools.combinations(range(n + cells - 1), cells - 1):
        edges = (-1, *bars, n + cells - 1)
        yield tuple(b - a - 1 for a, b in itertools.pairwise(edges))


def best_mean_distance(weights, laws):
    """min over laws q of ``sum_i weights_i TV(q, laws_i)``: a linear program."""
    number, A = laws.shape
    # variables: q, then the positive part of laws_i - q; its sum is the total variation
    cost = np.concatenate([np.zeros(A), np.repeat(weights, A)])
    above = np.hstack([np.tile(-np.eye(A), (number, 1)), -np.eye(number * A)])
    total = np.concatenate([np.ones(A), np.zeros(number * A)])[None]
    found = linprog(cost, above, -laws.ravel(), total, [1.0])
    assert found.status == 0
    return found.fun


def bayes_risk_of_one_input(laws, n, seen):
    """Bayes risk over equally likely laws of one input, by a linear program for each message.

    ``seen(table, law)`` is what the student is told; None where the table is impossible.
    """
    messages = {}
    for table in tables(n, laws.shape[1]):
        ways = factorial(n)
        for count in table:
            ways //= factorial(count)
        for i, law in enumerate(laws):
            probability = ways * float(np.prod(law ** np.array(table))) / len(laws)
            if probability > 0:
                weights = messages.setdefault(seen(table, law), np.zeros(len(laws)))
                weights[i] += probability
    return sum(best_mean_distance(weights, laws) for weights in messages.values())


# ---------------------------------------------------------------- pairs


@pytest.mark.parametrize(("A", "n", "gap"), [(2, 4, 0.3), (2, 5, 1.0), (4, 3, 0.6), (4, 4, 0.9)])
def test_pairs_are_bayes_by_linear_programming(A, n, gap):
    base = paired_labels(1, A, n, gap)[0]
    laws = []
    for signs in itertools.product([0, 1], repeat=A // 2):
        order = [2 * j + (i ^ sign) for j, sign in enumerate(signs) for i in (0, 1)]
        laws.append(base[order])
    risk = bayes_risk_of_one_input(np.array(laws), n, lambda table, law: table)
    assert minimax.pair_bayes_risk(1, A, n, gap) == pytest.approx(risk, abs=1e-9)


@pytest.mark.parametrize(("S", "A", "n", "gap"), [(3, 4, 50, 0.4), (10, 6, 2_000, 0.05)])
def test_pair_risk_is_the_direct_double_sum(S, A, n, gap):
    draws = np.arange(n + 1)
    error = stats.binom.cdf(np.ceil(draws / 2) - 1, draws, 0.5 + gap / 2)
    error += 0.5 * np.where(draws % 2 == 0, stats.binom.pmf(draws // 2, draws, 0.5 + gap / 2), 0)
    direct = gap * stats.binom.pmf(draws, n, 2 / (S * A)) @ error
    assert minimax.pair_bayes_risk(S, A, n, gap) == pytest.approx(direct, rel=1e-11)


def test_pair_risk_of_an_odd_number_of_labels_leaves_the_last_out():
    assert minimax.pair_bayes_risk(2, 7, 30, 0.5) == minimax.pair_bayes_risk(2, 6, 30, 0.5)


def test_pair_risk_by_gauss_rules_is_the_sum(monkeypatch):
    by_rule = minimax.pair_bayes_risk(2, 4, 3_000_000, 0.001)
    monkeypatch.setattr(hard, "_DIRECT", 10**9)
    assert by_rule == pytest.approx(minimax.pair_bayes_risk(2, 4, 3_000_000, 0.001), rel=1e-12)


@pytest.mark.parametrize(("S", "A", "n"), [(1, 2, 0), (1, 2, 3), (5, 4, 7), (10, 10, 5_000)])
def test_the_best_gap_is_the_best_of_a_fine_grid(S, A, n):
    best = minimax.pair_bayes_risk(S, A, n)
    grid = minimax.pair_bayes_risk(S, A, n, np.linspace(0, 1, 2_001))
    assert best >= grid.max() - 1e-12
    assert best == pytest.approx(minimax.pair_bayes_risk(S, A, n, minimax.best_pair_gap(S, A, n)))


def test_limit_of_the_pairs():
    mpmath.mp.dps = 30
    x = mpmath.findroot(lambda x: mpmath.ncdf(-x) - x * mpmath.npdf(x), 0.75)
    assert float(x) == pytest.approx(0.7518, abs=5e-5)
    limit = float(x * mpmath.ncdf(-x) / mpmath.sqrt(2))
    assert minimax.pair_limit_constant() == pytest.approx(limit, rel=1e-12)
    assert limit == pytest.approx(0.1202, abs=5e-5)
    for n, close in [(10**6, 1e-5), (10**12, 1e-9)]:
        risk = minimax.pair_bayes_risk(10, 10, n) * np.sqrt(n / 100)
        assert risk == pytest.approx(limit, rel=close)
    assert minimax.best_pair_gap(10, 10, 10**12) * 10**5 == pytest.approx(2.1265 / 4, rel=1e-4)


def test_the_majority_of_each_pair_attains_the_pair_risk():
    """False alarm 1e-6."""
    S, A, n, size = 3, 6, 400, 4_000
    gap = minimax.best_pair_gap(S, A, n)
    prior = Prior.from_cell({"prior": "pairs*", "S": S, "A": A, "n": n})
    pi = prior.draw(Random(1), size)
    assert np.ptp(pi[0, 0]) == pytest.approx(2 * gap / A)
    counts = sample_counts(prior, n, Random(2), size, pi=pi).reshape(size, S, A // 2, 2)
    first = counts[..., 0] - counts[..., 1]
    wrong = first * (pi[..., ::2] - pi[..., 1::2]) < 0
    risk = (gap * (wrong + 0.5 * (first == 0)).mean(axis=(1, 2))).astype(float)
    z = stats.norm.isf(5e-7)
    expected = minimax.pair_bayes_risk(S, A, n)
    assert abs(risk.mean() - expected) < z * risk.std() / np.sqrt(size)


# ------------------------------------------------------------ Dirichlet


@pytest.mark.parametrize(("a", "b"), [(0.3, 4.0), (1.0, 1.0), (2.5, 0.7), (300.0, 2_000.0)])
def test_mean_absolute_deviation_by_quadrature(a, b):
    law = stats.beta(a, b)
    low, high = law.ppf([1e-14, 1 - 1e-14])
    value = integrate.quad(
        lambda x: abs(x - law.median()) * law.pdf(x), low, high, points=[law.median()], limit=200
    )[0]
    assert float(hard.mean_absolute_deviation(a, b)) == pytest.approx(value, rel=1e-7)


@pytest.mark.parametrize(("a", "b"), [(2e5, 3e5), (3e8, 2e10), (1e11, 9e11)])
def test_mean_absolute_deviation_of_concentrated_laws(a, b):
    """Near the normal limit, and the closed form with thirty digits."""
    found = float(hard.mean_absolute_deviation(a, b))
    mu = a / (a + b)
    sd = np.sqrt(mu * (1 - mu) / (a + b + 1))
    assert found == pytest.approx(sd * np.sqrt(2 / np.pi), rel=1 / min(a, b))
    mpmath.mp.dps = 30
    a, b = mpmath.mpf(a), mpmath.mpf(b)
    m = (a - mpmath.mpf(1) / 3) / (a + b - mpmath.mpf(2) / 3)
    log_beta = mpmath.loggamma(a) + mpmath.loggamma(b) - mpmath.loggamma(a + b)
    log_density = a * mpmath.log(m) + b * mpmath.log(1 - m) - log_beta
    assert found == pytest.approx(float(2 * mpmath.exp(log_density) / (a + b)), rel=1e-11)


@pytest.mark.parametrize(
    ("A", "n", "alpha"), [(2, 5, 1.0), (10, 1_000, 0.2), (10, 1_000, 5.0), (100, 3_000, 2.0)]
)
def test_dirichlet_bound_is_the_direct_sum(A, n, alpha):
    x = np.arange(n + 1)
    law = stats.betabinom.pmf(x, n, alpha, (A - 1) * alpha)
    direct = A / 2 * law @ hard.mean_absolute_deviation(alpha + x, (A - 1) * alpha + n - x)
    assert minimax.dirichlet_bayes_risk(A, n, alpha) == pytest.approx(direct, rel=1e-9)


def test_dirichlet_bound_over_several_inputs_is_a_mixture():
    S, A, n, alpha = 4, 5, 300, 1.5
    each = [minimax.dirichlet_bayes_risk(A, m, alpha) for m in range(n + 1)]
    direct = stats.binom.pmf(np.arange(n + 1), n, 1 / S) @ each
    assert minimax.dirichlet_bayes_risk(A, n, alpha, S) == pytest.approx(direct, rel=1e-9)
    many, rule = 40_000, minimax.dirichlet_bayes_risk(A, 40_000, 20.0, S)
    near = np.arange(8_500, 11_501, 1)
    weight = stats.binom.pmf(near, many, 1 / S)
    # 31 values and a cubic between them: the mixture needs no more
    knots = np.linspace(8_500, 11_500, 31).astype(int)
    values = [minimax.dirichlet_bayes_risk(A, int(m), 20.0) for m in knots]
    smooth = np.polynomial.Chebyshev.fit(knots, values, 8)
    assert rule == pytest.approx(weight @ smooth(near), rel=1e-9)


@pytest.mark.parametrize(
    ("A", "n", "ratio"),
    [(2, 10, 0.761), (2, 100, 0.909), (10, 100, 0.854), (10, 1_000, 0.950), (10, 10_000, 0.984),
     (100, 1_000, 0.858), (100, 10_000, 0.952)],
)  # fmt: skip
def test_dirichlet_bound_in_units_of_its_limit(A, n, ratio):
    bound = minimax.dirichlet_bayes_risk(A, n)
    assert bound / np.sqrt((A - 1) / (2 * np.pi * n)) == pytest.approx(ratio, abs=1.001e-3)
    for factor in (0.8, 1.25):
        alpha = factor * minimax.best_concentration(A, n)
        assert minimax.dirichlet_bayes_risk(A, n, alpha) < bound


@pytest.mark.parametrize(
    ("n", "low", "mle"), [(1_000, 0.10240, 0.12018), (10_000, 0.03593, 0.03786)]
)
def test_dirichlet_bound_with_ten_inputs(n, low, mle):
    assert minimax.dirichlet_bayes_risk(10, n, S=10) == pytest.approx(low, rel=6e-4)
    uniform = Teacher(np.full(10, 0.1), np.full((10, 10), 0.1))
    assert exact_risk(uniform, n, "hard") == pytest.approx(mle, rel=1e-3)


def test_dirichlet_bound_tends_to_the_constant_of_the_frequencies():
    A, n = 10, 10**10
    limit = np.sqrt((A - 1) / (2 * np.pi * n))
    assert limit * (1 - 1e-3) < minimax.dirichlet_bayes_risk(A, n) < limit


def test_no_draw_leaves_the_prior():
    """At n = 0 and alpha = 1 with two labels the best guess of a uniform law is 1/2: 1/4."""
    assert minimax.dirichlet_bayes_risk(2, 0, 1.0) == pytest.approx(0.25)
    assert minimax.pair_bayes_risk(3, 4, 0) == pytest.approx(0.5)


# --------------------------------------------------- partial and soft labels


@pytest.mark.parametrize(
    ("A", "labels_on", "n", "mass"), [(4, 1, 3, 0.2), (4, 2, 4, 0.3), (5, 2, 3, 0.25)]
)
def test_subsets_are_bayes_by_linear_programming(A, labels_on, n, mass):
    """What the student saw tells it which labels are on; counts tell it nothing more."""
    base = on_off(1, A, n, labels_on, mass)[0]
    laws = []
    for on in itertools.combinations(range(A - 1), labels_on):
        law = np.zeros(A)
        law[list(on)], law[-1] = mass, base[-1]
        laws.append(law)

    def told(table, law):
        # the mass of the common label is known beforehand
        return tuple(count > 0 for count in table[:-1])

    risk = bayes_risk_of_one_input(np.array(laws), n, told)
    ours = minimax.subset_bayes_risk(1, A, n, labels_on, mass * n)
    assert ours == pytest.approx(risk, abs=1e-9)


def test_the_partial_student_attains_the_subset_risk_with_any_number_on():
    S, A, n, on, c = 2, 8, 4_000, 3, 2.0
    teacher = Teacher(np.full(S, 1 / S), on_off(S, A, n, on, c * S / n))
    risk = exact_risk(teacher, n, "partial")
    assert minimax.subset_bayes_risk(S, A, n, on, c) == pytest.approx(risk, rel=1e-11)


def test_limit_of_the_subsets():
    found = minimize(
        lambda x: -minimax.subset_limit(x[0], x[1]), [0.5, 1.0], method="Nelder-Mead",
        options={"xatol": 1e-10, "fatol": 1e-14},
    )  # fmt: skip
    p, c = minimax.subset_limit_maximiser()
    assert (p, c) == pytest.approx((0.67674, 1.47767), abs=5e-6)
    assert found.x == pytest.approx([p, c], abs=1e-6)
    assert minimax.subset_limit_constant() == pytest.approx(-found.fun, rel=1e-12)
    assert minimax.subset_limit_constant() == pytest.approx(0.154411, abs=5e-7)
    assert minimax.subset_limit(p, c) == pytest.approx(minimax.subset_limit_constant(), rel=1e-14)


def test_subset_risk_approaches_its_limit():
    A, n = 4_001, 10**9
    scaled = minimax.subset_bayes_risk(1, A, n) * n / (A - 1)
    assert scaled == pytest.approx(minimax.subset_limit_constant(), rel=1e-3)


def test_upper_half_of_the_level_2_constant():
    """No law of scaled masses does worse than the limit: a linear program for each mean."""
    x = np.linspace(0, 20, 2_001)
    worst = 0.0
    for mu in np.linspace(0.1, 2, 39):
        weight = np.exp(-x)
        found = linprog(
            -0.5 * weight * np.abs(x - mu),
            A_eq=[np.ones_like(x), weight * (x - mu)],
            b_eq=[1, 0],
        )
        worst = max(worst, -found.fun)
    assert worst == pytest.approx(minimax.subset_limit_constant(), rel=1e-3)


@pytest.mark.parametrize(("k", "n"), [(1, 0), (1, 3), (2, 0), (5, 20), (30, 10), (100, 10**9)])
def test_worst_input_law_attains_the_largest_missing_mass(k, n):
    law = minimax.worst_input_law(k, n)
    assert law.sum() == pytest.approx(1, abs=1e-12)
    assert expected_missing_mass(law, n) == pytest.approx(
        minimax.largest_missing_mass(k, n), rel=1e-9, abs=1e-300
    )
    assert minimax.soft_label_minimax(k, 4, n) == 0.75 * minimax.largest_missing_mass(k, n)


def test_largest_missing_mass_keeps_its_digits_at_large_samples():
    """Against the limit (k-1)/(e n), to order 1/n."""
    value = minimax.largest_missing_mass(5, 10**12) * 10**12
    assert value == pytest.approx(4 / np.e, rel=1e-10)


def test_the_soft_student_attains_the_minimax_risk_over_the_worst_prior():
    """False alarm 1e-6."""
    S, A, n, size = 6, 3, 15, 20_000
    prior = Prior.from_cell({"prior": "deterministic*", "S": S, "A": A, "n": n})
    pi = prior.draw(Random(4), size)
    risk = simulate_risks(prior, n, Random(5), size, ("soft",), pi=pi)[:, 0]
    expected = minimax.soft_label_minimax(S, A, n)
    assert abs(risk.mean() - expected) < 4.9 * risk.std() / np.sqrt(size)


def test_deterministic_bayes_risk_is_the_sum():
    S, A, n = 4, 3, 9
    rho = np.array([0.1, 0.1, 0.1, 0.7])
    assert minimax.deterministic_bayes_risk(S, A, n) == pytest.approx(
        (2 / 3) * (rho * (1 - rho) ** n).sum(), rel=1e-14
    )


# ------------------------------------------------------------- conveniences


@pytest.mark.parametrize(
    ("points", "rule", "law"),
    [
        (6, gauss_binomial(5, 0.3, 6), stats.binom(5, 0.3)),
        (12, gauss_binomial(400, 0.02, 12), stats.binom(400, 0.02)),
        (6, gauss_beta_binomial(5, 0.4, 0.6, 6), stats.betabinom(5, 0.4, 0.6)),
        (12, gauss_beta_binomial(300, 2.5, 9.0, 12), stats.betabinom(300, 2.5, 9.0)),
    ],
    ids=["all atoms", "binomial", "all atoms of beta-binomial", "beta-binomial"],
)
def test_gauss_rules_are_exact_for_polynomials(points, rule, law):
    nodes, weights = rule
    x = np.arange(law.support()[1] + 1)
    scale = x.max() / 2
    for degree in range(2 * points):
        exact = law.pmf(x) @ (x / scale - 1) ** degree
        assert weights @ (nodes / scale - 1) ** degree == pytest.approx(exact, abs=1e-11)


def test_values_broadcast_over_arrays():
    n = np.array([10, 100, 1_000])
    assert minimax.largest_missing_mass(5, n).shape == (3,)
    assert minimax.pair_bayes_risk(np.array([[1], [2]]), 4, n).shape == (2, 3)
    assert minimax.dirichlet_bayes_risk(3, n, 1.0).shape == (3,)
    assert isinstance(minimax.l2_minimax(4, 9), float)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: minimax.largest_missing_mass(0, 5), "k must be an integer of at least 1"),
        (lambda: minimax.largest_missing_mass(3, -1), "n must be finite and at least 0"),
        (lambda: minimax.pair_bayes_risk(2, 4, 10.5), "n must be an integer"),
        (lambda: minimax.pair_bayes_risk(2, 4, 10, 1.5), "gap must lie"),
        (lambda: minimax.pair_bayes_risk(2, 1, 10), "A must be"),
        (lambda: minimax.dirichlet_bayes_risk(5, 10, -1.0), "alpha must be positive"),
        (lambda: minimax.subset_bayes_risk(2, 5, 2), "n=2 is too small"),
        (lambda: minimax.subset_bayes_risk(2, 2, 200), "A must be"),
        (lambda: minimax.subset_bayes_risk(2, 5, 200, 4), "labels to spare"),
        (lambda: minimax.deterministic_bayes_risk(9, 2, 4), "n must be at least S - 1"),
        (lambda: minimax.soft_label_minimax(2, 3, "many"), "n must be"),
    ],
)
def test_bad_sizes_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
