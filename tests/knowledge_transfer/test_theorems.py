"""The theorems beyond the three levels' main ones: lemmas, missing mass, leading terms."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tlstat.backend import Random
from tlstat.errors import InputError
from tlstat.knowledge_transfer import (
    Prior,
    Teacher,
    exact_risk,
    expected_missing_mass,
    hard_label_student,
    minimax,
    sample_counts,
    simulate_risks,
    theory,
    tv_risk,
    weighted_label_limit,
)
from tlstat.theory import Bound


def random_teachers(number, seed):
    rng = np.random.default_rng(seed)
    for _ in range(number):
        S, A, n = int(rng.integers(1, 12)), int(rng.integers(2, 12)), int(rng.integers(1, 2_000))
        concentration = rng.choice([0.02, 0.2, 1.0, 20.0])
        pi = rng.dirichlet(np.full(A, concentration), size=S)
        pi = np.where(rng.random(pi.shape) < 0.3, 0, pi)
        pi[:, 0] += pi.sum(axis=1) == 0
        rho = rng.dirichlet(np.full(S, concentration)) + 1e-300
        yield Teacher(rho / rho.sum(), pi / pi.sum(axis=1, keepdims=True)), n


# ----------------------------------------------------------- on random teachers


def test_upper_bounds_on_random_teachers():
    for teacher, n in random_teachers(60, 3):
        at = {"S": teacher.S, "A": teacher.A, "n": n}
        hard = exact_risk(teacher, n, "hard")
        finer = theory.HARD_LABEL_UPPER_INSTANCE_SHARP(**at, xi_tilde=teacher.xi_tilde)
        assert hard <= finer + 1e-12
        assert finer <= theory.HARD_LABEL_UPPER_INSTANCE(**at, xi=teacher.xi) + 1e-12
        by_inputs = theory.HARD_LABEL_UPPER_INPUTS(**at, root_rho=teacher.root_rho)
        assert hard <= by_inputs + 1e-12
        assert by_inputs <= theory.HARD_LABEL_UPPER_PAPER(**at) + 1e-12
        soft = exact_risk(teacher, n, "soft")
        assert soft <= theory.SOFT_LABEL_UPPER_SHARP(**at) + 1e-12
        assert soft <= theory.SOFT_LABEL_EXPONENTIAL(n=n, c_S=teacher.c_S) + 1e-12
        missing = expected_missing_mass(teacher, n)
        masses = {"n": n, "c_S": teacher.c_S, "c_A": teacher.c_A}
        assert exact_risk(teacher, n, "partial") <= missing + 1e-11
        assert missing <= theory.PARTIAL_LABEL_EXPONENTIAL(**masses) + 1e-12
        k = teacher.S * teacher.A
        assert missing <= theory.MISSING_MASS_UPPER(k=k, n=n) + 1e-12
        assert theory.MISSING_MASS_UPPER(k=k, n=n) < theory.MISSING_MASS_UPPER_PAPER(k=k, n=n)


def test_exponential_bounds_are_attained():
    """Equal inputs and labels, deterministic for soft: (1 - c)^n up to what a guess saves."""
    S, n = 4, 12
    teacher = Teacher.diracs(np.arange(S) % 3, 3)
    risk = exact_risk(teacher, n, "soft", fill="first-unseen")
    # the guess is label 0, right at inputs 0 and 3
    assert risk == pytest.approx(0.5 * theory.SOFT_LABEL_EXPONENTIAL(n=n, c_S=0.25), rel=1e-12)
    uniform = Teacher(np.full(S, 0.25), np.full((S, 2), 0.5))
    assert expected_missing_mass(uniform, n) == pytest.approx(
        theory.PARTIAL_LABEL_EXPONENTIAL(n=n, c_S=0.25, c_A=0.5), rel=1e-12
    )


def test_the_leading_term_on_a_fixed_teacher():
    teacher = Teacher.dirichlet(5, 4, 3, input_concentration=2.0)
    n = 10**8
    limit = theory.HARD_LABEL_LIMIT.shape(spread=teacher.spread, n=n)
    assert exact_risk(teacher, n, "hard") == pytest.approx(limit, rel=1e-4)


def test_the_uniform_teacher_attains_the_minimax_leading_term():
    S, A, n = 3, 7, 10**8
    uniform = Teacher(np.full(S, 1 / S), np.full((S, A), 1 / A))
    limit = theory.HARD_LABEL_MINIMAX_LIMIT.shape(S=S, A=A, n=n)
    assert exact_risk(uniform, n, "hard") == pytest.approx(limit, rel=1e-6)
    lower = theory.HARD_LABEL_LOWER_DIRICHLET(S=S, A=A, n=n)
    assert 0.995 * limit < lower < limit


@pytest.mark.parametrize(("S", "A", "n"), [(2, 4, 20), (4, 6, 100), (10, 10, 1_000)])
def test_lower_bounds_of_hard_labels_are_ordered(S, A, n):
    at = {"S": S, "A": A, "n": n}
    paper, same = theory.HARD_LABEL_LOWER(**at), theory.HARD_LABEL_BAYES_PAIRS(**at)
    widest = theory.HARD_LABEL_LOWER_PAIRS(**at)
    assert paper <= same <= widest <= theory.HARD_LABEL_UPPER(**at)
    assert widest <= theory.HARD_LABEL_LOWER_DIRICHLET(**at) <= theory.HARD_LABEL_UPPER(**at)
    assert widest > 2.5 * paper


def test_lower_bounds_of_hard_labels_are_below_the_student_on_their_priors():
    """The frequencies' average risk over the priors; false alarm below 1e-6."""
    S, A, n, size = 4, 6, 300, 3_000
    for name, bound in [
        ("pairs", theory.HARD_LABEL_BAYES_PAIRS),
        ("pairs*", theory.HARD_LABEL_LOWER_PAIRS),
        ("dirichlet", theory.HARD_LABEL_LOWER_DIRICHLET),
    ]:
        cell = {"prior": name, "S": S, "A": A, "n": n}
        prior = Prior.from_cell(cell)
        pi = prior.draw(Random(1), size)
        counts = sample_counts(prior, n, Random(2), size, pi=pi)
        risk = tv_risk(hard_label_student(counts), prior, pi)
        assert risk.mean() + 5 * risk.std() / np.sqrt(size) > bound(S=S, A=A, n=n)
        assert all(check.check(prior, cell) for check in bound.assumptions if check.check)


# --------------------------------------------------------------- on instances


def test_sharpened_instance_1():
    for S, A, n in [(1, 10, 50), (5, 6, 1_000)]:
        teacher = Teacher.instance1(S, A, n)
        assert theory.WEIGHTED_LABEL_BIAS_INSTANCE_1(S=S, A=A, n=n) == pytest.approx(
            weighted_label_limit(teacher)[1], rel=1e-12
        )


@pytest.mark.parametrize(
    ("bound", "instance", "level", "S", "A", "n", "close"),
    [
        (theory.HARD_ON_INSTANCE_2_LIMIT, "2", "hard", 1, 11, 10**8, 2e-3),
        (theory.HARD_ON_INSTANCE_2_LIMIT, "2", "hard", 1, 101, 10**8, 3e-3),
        (theory.PARTIAL_ON_INSTANCE_2_LIMIT, "2", "partial", 2, 11, 10**8, 1e-5),
        (theory.SOFT_ON_INSTANCE_3_LIMIT, "3", "soft", 10, 11, 10**8, 1e-5),
        (theory.HARD_ON_INSTANCE_1_LIMIT, "1", "hard", 2, 10, 10**8, 1e-4),
    ],
    ids=["hard on 2, A=11", "hard on 2, A=101", "partial on 2", "soft on 3", "hard on 1"],
)
def test_leading_terms_on_instances(bound, instance, level, S, A, n, close):
    teacher = Teacher.from_cell({"instance": instance, "S": S, "A": A, "n": n})
    limit = bound.shape(S=S, A=A, n=n)
    assert exact_risk(teacher, n, level) == pytest.approx(limit, rel=close)


def test_limits_with_many_labels():
    """1/(2(e+1)) for partial labels on Instance 2; the normal approximation for hard ones."""
    A, h = 2_001, 1_000
    scale = 1 / (A - 1)
    assert theory.PARTIAL_ON_INSTANCE_2_LIMIT.shape(S=1, A=A, n=1) * scale == pytest.approx(
        1 / (2 * (np.e + 1)), rel=1e-3
    )
    normal = (h / np.e + np.sqrt(h / (2 * np.pi))) / (2 * h)
    small = theory.HARD_ON_INSTANCE_2_LIMIT.shape(S=1, A=101, n=1) / 100
    assert small == pytest.approx((50 / np.e + np.sqrt(50 / (2 * np.pi))) / 100, rel=2e-3)
    assert normal < small


def test_the_weighted_student_on_instance_2_is_the_point_mass():
    S, A, n = 4, 11, 10**6
    risk = simulate_risks(Teacher.instance2(S, A, n), n, Random(0), 50, ("weighted",)).mean()
    assert risk == pytest.approx(theory.WEIGHTED_ON_INSTANCE_2_LIMIT.shape(S=S, A=A, n=n), rel=1e-3)


def test_functions_of_the_cells_teacher():
    teacher, cell = Teacher.dirichlet(4, 3, 1), {"n": 20}
    assert theory.mean_missing_mass()(cell, teacher) == expected_missing_mass(teacher, 20)
    assert theory.mean_missing_mass("soft")(cell, teacher) == expected_missing_mass(teacher.rho, 20)
    assert theory.exact("unnormalised")(cell, teacher) == exact_risk(teacher, 20, "unnormalised")


# --------------------------------------------------------------------- lemmas


@given(st.floats(0, 1), st.integers(1, 10**9))
def test_one_unseen_symbol(x, n):
    value = x * np.exp(n * np.log1p(-x)) if x < 1 else 0.0
    bounds = [b(n=n) for b in (theory.UNSEEN_TERM, theory.UNSEEN_TERM_SIMPLE)]
    bounds.append(theory.UNSEEN_TERM_PAPER(n=n))
    assert value <= bounds[0] * (1 + 1e-12)
    assert bounds[0] <= bounds[1] * (1 + 1e-12) and bounds[1] < bounds[2]


def test_one_unseen_symbol_is_attained():
    for n in (1, 7, 1_000):
        x = 1 / (n + 1)
        assert x * (1 - x) ** n == pytest.approx(theory.UNSEEN_TERM(n=n), rel=1e-12)


@given(st.integers(0, 2**32 - 1))
def test_bretagnolle_and_huber(seed):
    rng = np.random.default_rng(seed)
    p, q = rng.dirichlet(np.full(4, rng.choice([0.1, 1.0])), size=2) + 1e-12
    p, q = p / p.sum(), q / q.sum()
    kl = (p * np.log(p / q)).sum()
    assert 0.5 * np.abs(p - q).sum() <= theory.BRETAGNOLLE_HUBER(KL=max(kl, 0.0)) + 1e-12


@pytest.mark.parametrize(("n", "p"), [(0, 0.3), (1, 1.0), (7, 0.2), (50, 0.01), (400, 0.6)])
def test_inverse_counts(n, p):
    k = np.arange(n + 1)
    mean = stats.binom.pmf(k, n, p) @ (1 / (k + 1))
    assert theory.INVERSE_COUNT(n=n, p=p) == pytest.approx(mean, rel=1e-10)
    assert mean <= theory.INVERSE_COUNT_UPPER(n=n, p=p) * (1 + 1e-12)


@pytest.mark.parametrize(("n", "p"), [(40, 0.5), (500, 0.1), (3_000, 0.9)])
def test_binomial_tails(n, p):
    for eta in (0.1, 0.3, 0.7):
        exact = stats.binom.cdf(np.floor((1 - eta) * n * p), n, p)
        assert exact <= theory.BINOMIAL_LOWER_TAIL(n=n, p=p, eta=eta)
    for delta in (0.01, 0.3):
        limit = theory.INVERSE_COUNT_PROBABILITY(n=n, p=p, delta=delta)
        k = np.arange(n + 1)
        assert stats.binom.pmf(k, n, p)[1 / (k + 1) > limit].sum() <= delta


def test_bretagnolle_huber_and_carol_exactly():
    """Two symbols: the probability of a large distance, by sums."""
    for n, p in [(5, 0.5), (30, 0.2), (200, 0.5)]:
        k = np.arange(n + 1)
        law = stats.binom.pmf(k, n, p)
        for delta in (0.01, 0.3, 0.9):
            limit = theory.EMPIRICAL_TV_PROBABILITY(k=2, n=n, delta=delta)
            assert law[np.abs(k / n - p) > limit].sum() <= delta


# ------------------------------------------------------------------ constants


def test_constants_to_thirty_digits():
    mpmath.mp.dps = 30
    w = mpmath.lambertw(mpmath.exp(mpmath.mpf(-1) / 2) / 2)
    level_2 = 4 * w**2 / (1 + 2 * w)
    assert theory.PARTIAL_LABEL_MINIMAX_LIMIT.shape(S=1, A=1, n=1) == pytest.approx(
        float(level_2), rel=1e-14
    )
    assert minimax.subset_limit_constant() == pytest.approx(float(level_2), rel=1e-14)
    x = mpmath.findroot(lambda x: x - 2 * mpmath.exp(-x), 0.85)
    mse = mpmath.exp(-x) * (1 + x) - mpmath.exp(-2 * x)
    assert theory.GOOD_TURING_MSE_LIMIT.shape(n=1) == pytest.approx(float(mse), rel=1e-14)
    lower = mpmath.exp(mpmath.mpf(-1) / 2) / 16
    assert theory.HARD_LABEL_LOWER(S=1, A=2, n=2) == pytest.approx(float(lower), rel=1e-14)


@pytest.mark.parametrize(
    ("bound", "at"),
    [
        (theory.PARTIAL_LABEL_LOWER, {"S": 3, "A": 5, "n": [10, 1_000]}),
        (theory.PARTIAL_LABEL_EXPONENTIAL, {"c_S": 0.1, "c_A": 0.2, "n": [0, 10, 1_000]}),
        (theory.SOFT_LABEL_EXPONENTIAL, {"c_S": 0.1, "n": [0, 10, 1_000]}),
        (theory.UNSEEN_TERM, {"n": [1, 10, 1_000]}),
        (theory.INVERSE_COUNT, {"n": [0, 10, 1_000], "p": 0.3}),
        (theory.GOOD_TURING_BIAS, {"n": [2, 10, 1_000]}),
    ],
)
def test_both_forms_of_a_bound_agree(bound, at):
    at = {name: np.asarray(value) for name, value in at.items()}
    assert bound.agree(**at) < 1e-11
    torch = pytest.importorskip("torch")
    found = bound(**{name: torch.as_tensor(value) for name, value in at.items()})
    np.testing.assert_allclose(found.numpy(), bound(**at), rtol=1e-13)


def test_powers_keep_their_digits_at_a_trillion():
    n = 10**12
    lower = theory.PARTIAL_LABEL_LOWER(S=3, A=5, n=n)
    assert lower == pytest.approx(3 / (np.e * (n + 1)), rel=1e-11)
    assert theory.UNSEEN_TERM(n=n) == pytest.approx(1 / (np.e * n), rel=1e-11)


def test_simplified_lower_bound_is_below_the_exact_one():
    S, A, n = 3, 5, np.array([6, 20, 1_000, 10**6])
    exact = theory.PARTIAL_LABEL_LOWER(S=S, A=A, n=n)
    simple = theory.PARTIAL_LABEL_LOWER_SIMPLE(S=S, A=A, n=n)
    assert (simple < exact).all() and exact[-1] == pytest.approx(simple[-1], rel=1e-5)


@pytest.mark.parametrize(
    ("name", "symbol", "exponent"),
    [
        ("PARTIAL_LABEL_RATE_PROBABILITY", "n", -1),
        ("PARTIAL_LABEL_RATE_PROBABILITY_ONE_INPUT", "n", -1),
        ("HARD_LABEL_LIMIT", "n", -0.5),
        ("HARD_LABEL_RATE_PROBABILITY", "n", -0.5),
        ("MISSING_MASS_MSE_LOWER", "n", -1),
        ("IMITATION_UPPER_RATE", "n", -1),
        ("IMITATION_LOWER_RATE", "H", 2),
        ("HARD_LABEL_UPPER_INSTANCE_SHARP", "n", -0.5),
        ("PARTIAL_LABEL_MINIMAX_LIMIT", "n", -1),
        ("MISSING_MASS_DEVIATION_FREE", "n", -0.5),
        ("GOOD_TURING_CERTIFICATE", "n", -0.5),
        ("GOOD_TURING_MSE_LIMIT", "n", -1),
        ("L1_MINIMAX_LIMIT", "n", -0.5),
        ("L2_MINIMAX", "n", -1),
        ("KL_MINIMAX_LIMIT", "k", 1),
        ("KL_RATE_PROBABILITY_LOWER", "n", -1),
        ("KL_RATE_PROBABILITY_UPPER", "n", -1),
        ("TV_RATE_PROBABILITY", "n", -0.5),
        ("LOG_LINEAR_HARD_RATE", "n", -0.5),
        ("LOG_LINEAR_PARTIAL_RATE", "d", 1),
    ],
)
def test_exponents_are_derived(name, symbol, exponent):
    assert float(getattr(theory, name).exponent(symbol)) == exponent


@pytest.mark.parametrize(
    ("bound", "at", "exponent"),
    [
        (theory.HARD_LABEL_LOWER_PAIRS, {"S": 4, "A": 6, "n": 10**7}, -0.5),
        (theory.HARD_LABEL_LOWER_DIRICHLET, {"S": 1, "A": 6, "n": 10**8}, -0.5),
        (theory.PARTIAL_LABEL_LOWER_SHARP, {"S": 4, "A": 11, "n": 10**6}, -1),
        (theory.SOFT_LABEL_MINIMAX, {"S": 4, "A": 6, "n": 10**6}, -1),
    ],
    ids=["pairs", "Dirichlet", "subsets", "soft"],
)
def test_numeric_exponents(bound, at, exponent):
    assert float(bound.exponent("n", at=at)) == pytest.approx(exponent, abs=2e-3)


@pytest.mark.parametrize(
    ("bound", "at"),
    [
        (theory.PARTIAL_LABEL_LOWER_SHARP, {"S": 4, "A": 11, "n": 20}),
        (theory.PARTIAL_LABEL_EXPONENTIAL, {"n": 5, "c_S": 1.5, "c_A": 0.1}),
        (theory.MISSING_MASS_DEVIATION, {"k": 4, "n": 10, "delta": 0.2}),
        (theory.INVERSE_COUNT_PROBABILITY, {"n": 10, "p": 0.1, "delta": 0.01}),
        (theory.INVERSE_COUNT, {"n": 10, "p": 1.5}),
        (theory.GOOD_TURING_CERTIFICATE, {"n": 10, "delta": 1.5}),
        (theory.SOFT_ON_INSTANCE_3, {"S": 10, "A": 11, "n": 20}),
    ],
)
def test_outside_its_region_a_bound_says_no(bound, at):
    with pytest.raises(InputError):
        bound(**at)
    assert np.isnan(bound(**at, outside="nan"))


def test_every_public_bound_evaluates_and_shows_itself():
    at = {
        "S": 3, "A": 5, "n": 1_000, "k": 7, "delta": 0.05, "xi": 0.5, "xi_tilde": 0.4,
        "root_rho": 1.5, "spread": 2.0, "c_S": 0.1, "c_A": 0.1, "K_0": 2, "z_0": 0.0, "KL": 0.5,
        "p": 0.5, "eta": 0.3, "M": 1.0, "d": 4, "R": 1.0, "distance": 0.5, "H": 4,
    }  # fmt: skip
    bounds = [value for value in vars(theory).values() if isinstance(value, Bound)]
    assert len(bounds) >= 85
    assert len({bound.name for bound in bounds}) == len(bounds)
    for bound in bounds:
        value = bound.shape(**{name: at[name] for name in bound.symbols})
        assert np.isfinite(value) and value >= 0, bound.name
        assert bound.latex() and bound.mathml()
        assert bound.source.ref and bound.source.where
        if bound.source.ref != theory.PAPER:
            assert "paper" not in bound.source.where.lower()
