"""Classical discrete estimation against enumeration and published constants."""

import itertools
from math import factorial

import numpy as np
import pytest

from tlstat.errors import InputError
from tlstat.knowledge_transfer.discrete import (
    BRAESS_SAUER,
    _law_of_rare_counts,
    add_constant_student,
    braess_sauer_student,
    chi2_risk,
    kl_risk,
    l1_minimax,
    l2_minimax,
    l2_minimax_student,
)
from tlstat.knowledge_transfer.minimax import l1_minimax as same_l1
from tlstat.knowledge_transfer.theory import (
    CHI2_LAPLACE_UPPER,
    EMPIRICAL_TV_UPPER,
    KL_LAPLACE_UPPER,
    KL_MINIMAX_LIMIT,
    L1_MINIMAX_LIMIT,
    L2_MINIMAX,
)

LAWS = [[1.0], [0.5, 0.5], [0.1, 0.9], [0.2, 0.3, 0.5], [0.7, 0.3, 0.0], [0.25] * 4]


def all_tables(law, n):
    """Tables of counts, shape (m, k), with their probabilities."""
    law = np.asarray(law)
    k = law.size
    rows, weights = [], []
    for bars in itertools.combinations(range(n + k - 1), k - 1):
        edges = (-1, *bars, n + k - 1)
        row = [b - a - 1 for a, b in itertools.pairwise(edges)]
        ways = factorial(n)
        for count in row:
            ways //= factorial(count)
        rows.append(row)
        weights.append(ways * float(np.prod(law ** np.array(row))))
    return np.array(rows), np.array(weights)


def expected(loss, student, law, n):
    rows, weights = all_tables(law, n)
    q = student(rows[:, None, :])[:, 0, :]
    return float(weights @ [loss(np.asarray(law), row) for row in q])


def squared(p, q):
    return ((p - q) ** 2).sum()


def chi2(p, q):
    return (p[p > 0] ** 2 / q[p > 0]).sum() - 1


def kl(p, q):
    return (p[p > 0] * np.log(p[p > 0] / q[p > 0])).sum()


@pytest.mark.parametrize("law", LAWS, ids=str)
@pytest.mark.parametrize("n", [0, 1, 4, 7])
def test_l2_risk_is_constant(law, n):
    if n == 0 and len(law) > 1 and max(law) != min(law):
        return  # without draws the guess is uniform and only the worst case is the minimax risk
    risk = expected(squared, l2_minimax_student, law, n)
    value = l2_minimax(len(law), n) if n else 0.0
    assert risk == pytest.approx(value, abs=1e-14)
    if n:
        assert L2_MINIMAX(k=len(law), n=n) == pytest.approx(value, rel=1e-14, abs=1e-300)


def test_l2_minimax_without_draws_is_the_distance_of_a_point_mass_from_the_middle():
    assert l2_minimax(4, 0) == squared(np.eye(4)[0], np.full(4, 0.25))


def test_l2_minimax_is_the_bayes_risk_of_its_dirichlet_prior():
    """Posterior means under Dirichlet(sqrt(n)/k): the estimator, of constant risk."""
    counts = np.array([[5, 3, 1]])
    alpha = np.sqrt(9) / 3
    assert l2_minimax_student(counts)[0] == pytest.approx((counts[0] + alpha) / (9 + 3 * alpha))


@pytest.mark.parametrize("law", LAWS, ids=str)
@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
def test_chi2_and_kl_of_add_constant_by_enumeration(law, beta):
    def student(counts):
        return add_constant_student(counts, beta=beta)

    for n in (0, 1, 5):
        assert chi2_risk(law, n, beta) == pytest.approx(expected(chi2, student, law, n), abs=1e-13)
        assert kl_risk(law, n, beta) == pytest.approx(expected(kl, student, law, n), abs=1e-13)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_kl_of_braess_and_sauer_by_enumeration(law):
    for n in (0, 1, 2, 6):
        risk = expected(kl, braess_sauer_student, law, n)
        assert kl_risk(law, n) == pytest.approx(risk, abs=1e-12)


def test_law_of_rare_counts_by_enumeration():
    law, n = np.array([0.1, 0.2, 0.3, 0.4]), 6
    rows, weights = all_tables(law, n)
    direct = np.zeros((5, 5))
    np.add.at(direct, ((rows == 0).sum(axis=1), (rows == 1).sum(axis=1)), weights)
    _, _, joint = _law_of_rare_counts(law, n)
    assert joint == pytest.approx(direct, abs=1e-13)


@pytest.mark.parametrize("law", [law for law in LAWS if len(law) > 1], ids=str)
@pytest.mark.parametrize("n", [0, 3, 100, 10**6])
def test_laplace_closed_form_and_bounds(law, n):
    p, k = np.array(law), len(law)
    closed = (n + k) / (n + 1) * (1 - (p * (1 - p) ** (n + 1)).sum()) - 1
    assert chi2_risk(law, n) == pytest.approx(closed, rel=1e-7, abs=1e-13)
    assert chi2_risk(law, n) <= CHI2_LAPLACE_UPPER(k=k, n=n) + 1e-13
    assert kl_risk(law, n, 1.0) <= KL_LAPLACE_UPPER(k=k, n=n) + 1e-13


def worst_kl(n, beta, least=0.0):
    grid = np.concatenate([[least], np.geomspace(1e-4, 0.5, 200)])
    return max(kl_risk([p, 1 - p], n, beta) for p in grid)


@pytest.mark.parametrize(
    ("beta", "at_100", "at_1000"),
    [(BRAESS_SAUER, 0.985, 0.9985), (0.5, 1.014, 1.020), (1.0, 1.88, None), (0.75, 1.40, None)],
    ids=["Braess-Sauer", "add-1/2", "add-1", "add-3/4"],
)
def test_worst_kl_risks_of_two_symbols(beta, at_100, at_1000):
    """Known to three digits for masses of 1e-4 or more, in units of the leading term."""
    for n, scaled in [(100, at_100), (1_000, at_1000)]:
        unit = KL_MINIMAX_LIMIT.shape(k=2, n=n)
        if scaled is not None:
            assert worst_kl(n, beta, 1e-4) / unit == pytest.approx(scaled, rel=3e-3)


def test_braess_and_sauer_are_worst_on_a_point_mass_and_still_minimax():
    for n in (100, 1_000):
        unit = KL_MINIMAX_LIMIT.shape(k=2, n=n)
        assert worst_kl(n, BRAESS_SAUER) == pytest.approx(np.log((n + 1.25) / (n + 0.75)))
        assert worst_kl(n, BRAESS_SAUER) < unit


@pytest.mark.parametrize("beta", [0.75, 1.0])
@pytest.mark.parametrize("n", [100, 1_000])
def test_adding_more_than_a_half_is_worst_on_a_point_mass(beta, n):
    """There the risk is ``log((n + 2 beta)/(n + beta))``: 2 beta in units of the leading term."""
    worst = worst_kl(n, beta)
    assert worst == pytest.approx(np.log((n + 2 * beta) / (n + beta)), rel=1e-12)
    assert worst * 2 * n == pytest.approx(2 * beta, rel=0.02)


def test_rules_that_add_differ_from_counts_of_two_on():
    counts = np.array([[0, 1, 2]])
    assert braess_sauer_student(counts)[0] == pytest.approx(np.array([0.5, 2, 2.75]) / 5.25)
    assert add_constant_student(counts)[0] == pytest.approx(np.array([1, 2, 3]) / 6)


def test_l1_leading_term():
    assert l1_minimax(5, 1_000) == pytest.approx(np.sqrt(8 / (np.pi * 1_000)))
    assert same_l1 is l1_minimax
    assert L1_MINIMAX_LIMIT.shape(k=5, n=1_000) == pytest.approx(l1_minimax(5, 1_000))


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_total_variation_of_the_frequencies(law):
    for n in (1, 3, 8):
        rows, weights = all_tables(law, n)
        risk = weights @ np.abs(rows / n - law).sum(axis=1) / 2
        assert risk <= EMPIRICAL_TV_UPPER(k=len(law), n=n) + 1e-14


def test_students_run_on_torch():
    torch = pytest.importorskip("torch")
    counts = np.array([[[3, 0, 1], [0, 0, 0]]])
    for student in (l2_minimax_student, add_constant_student, braess_sauer_student):
        found = student(torch.asarray(counts))
        assert isinstance(found, torch.Tensor)
        np.testing.assert_allclose(found.numpy(), student(counts), rtol=1e-14)
        np.testing.assert_allclose(student(counts)[0, 1], 1 / 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: chi2_risk([0.5, 0.6], 5), "law sums to 1.1"),
        (lambda: chi2_risk([0.5, 0.5], -1), "n must be"),
        (lambda: chi2_risk([0.5, 0.5], 5, 0.0), "beta must be positive"),
        (lambda: kl_risk([0.5, 0.5], 5, (0.5, -1.0, 1.0)), "beta must be positive"),
        (lambda: kl_risk([0.5, 0.5], 10**9), "too many"),
        (lambda: add_constant_student([[1, 2]], beta=-1.0), "beta must be positive"),
        (lambda: l2_minimax_student([[1, -2]]), "counts must be finite and non-negative"),
        (lambda: l1_minimax(3, 0), "n must be"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
