"""The theorems as bounds: values, exponents, validity, and that they hold on random teachers."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import softmax

from tlstat.backend import Random
from tlstat.errors import InputError
from tlstat.knowledge_transfer import (
    Prior,
    Teacher,
    exact_risk,
    expected_missing_mass,
    simulate_risks,
    theory,
)
from tlstat.theory import Bound


def random_cases(number, seed):
    rng = np.random.default_rng(seed)
    for _ in range(number):
        S, A, n = int(rng.integers(1, 12)), int(rng.integers(2, 12)), int(rng.integers(1, 3_000))
        concentration = rng.choice([0.02, 0.2, 1.0, 20.0])
        pi = rng.dirichlet(np.full(A, concentration), size=S)
        pi = np.where(rng.random(pi.shape) < 0.3, 0, pi)
        pi[:, 0] += pi.sum(axis=1) == 0
        rho = rng.dirichlet(np.full(S, concentration)) + 1e-300
        yield Teacher(rho / rho.sum(), pi / pi.sum(axis=1, keepdims=True)), n


@pytest.mark.parametrize(
    ("k", "n", "value"),
    [(2, 2, 0.25), (3, 2, 0.444444), (4, 3, 0.421875), (5, 20, 0.0717885),
     (10, 10, 0.348678), (10, 100, 0.032945), (100, 1000, 0.036402)],
)  # fmt: skip
def test_largest_missing_mass(k, n, value):
    assert theory.MISSING_MASS_MAX(k=k, n=n) == pytest.approx(value, rel=2e-5)


@pytest.mark.parametrize(("k", "n"), [(2, 5), (4, 3), (4, 30)])
def test_largest_missing_mass_is_the_maximum_over_the_simplex(k, n):
    def negative(logits):
        return -expected_missing_mass(softmax(logits), n)

    rng = np.random.default_rng(0)
    best = max(-minimize(negative, rng.normal(size=k) * 2, method="BFGS").fun for _ in range(12))
    assert theory.MISSING_MASS_MAX(k=k, n=n) == pytest.approx(best, rel=1e-6)


def test_largest_missing_mass_is_monotone_and_below_its_bound():
    k, n = np.meshgrid(np.arange(1, 30), np.arange(1, 60, 7), indexing="ij")
    values = theory.MISSING_MASS_MAX(k=k, n=n)
    assert (np.diff(values, axis=0) >= -1e-12).all()
    assert (np.diff(values, axis=1) <= 1e-12).all()
    assert (values <= k / (np.e * n) + 1e-12).all()


def test_expected_risks_obey_the_upper_bounds():
    for teacher, n in random_cases(80, 4):
        at = {"S": teacher.S, "A": teacher.A, "n": n}
        hard = exact_risk(teacher, n, "hard")
        assert hard <= theory.HARD_LABEL_UPPER(**at) + 1e-12
        assert hard <= theory.HARD_LABEL_UPPER_PAPER(**at) + 1e-12
        assert hard <= theory.HARD_LABEL_UPPER_INSTANCE(**at, xi=max(teacher.xi, 1e-300)) + 1e-12
        missing = expected_missing_mass(teacher, n)
        partial = exact_risk(teacher, n, "partial")
        sharp = theory.PARTIAL_LABEL_UPPER_SHARP(**at)
        assert partial <= missing + 1e-11
        assert missing <= sharp + 1e-12
        assert sharp <= theory.PARTIAL_LABEL_UPPER(**at) + 1e-12
        soft = exact_risk(teacher, n, "soft")
        assert soft <= theory.SOFT_LABEL_MINIMAX(**at) + 1e-12
        assert soft <= theory.SOFT_LABEL_UPPER(S=teacher.S, n=n) + 1e-12
        assert soft <= partial + 1e-11 <= hard + 2e-11


def test_high_probability_bounds_are_never_exceeded_in_a_thousand_samples():
    """They are loose: at delta = 0.1 a violation would have to be far rarer than promised."""
    for seed, (teacher, n) in enumerate(random_cases(20, 5)):
        hard, partial, soft = simulate_risks(
            teacher, n, Random(seed), 50, ("hard", "partial", "soft")
        ).T
        at = {"S": teacher.S, "A": teacher.A, "n": n, "delta": 0.1}
        assert (hard <= theory.HARD_LABEL_UPPER_PROBABILITY(**at)).all()
        assert (partial <= theory.PARTIAL_LABEL_UPPER_PROBABILITY(**at)).all()
        del at["A"]
        assert (soft <= theory.SOFT_LABEL_UPPER_PROBABILITY(**at)).all()


@pytest.mark.parametrize(("S", "A", "n"), [(4, 6, 100), (10, 10, 1_000), (2, 2, 50)])
def test_lower_bounds_are_below_the_upper_ones(S, A, n):
    at = {"S": S, "A": A, "n": n}
    assert theory.HARD_LABEL_LOWER(**at) <= theory.HARD_LABEL_UPPER(**at)
    assert theory.SOFT_LABEL_LOWER(**at) <= theory.SOFT_LABEL_BAYES(**at)
    assert theory.SOFT_LABEL_BAYES(**at) <= theory.SOFT_LABEL_MINIMAX(**at) + 1e-15
    odd = at | {"A": A + 1}
    assert theory.PARTIAL_LABEL_LOWER(**odd) <= theory.PARTIAL_LABEL_LOWER_SHARP(**odd) * 1.01
    assert theory.PARTIAL_LABEL_LOWER_SHARP(**odd) <= theory.PARTIAL_LABEL_UPPER_SHARP(**odd)


def test_sharp_lower_bound_is_the_risk_of_the_bayes_student():
    """Where the common label is always seen, the partial student attains it exactly."""
    S, A, n = 5, 11, 5_000
    risk = exact_risk(Teacher.instance2star(S, A, n), n, "partial")
    assert theory.PARTIAL_LABEL_LOWER_SHARP(S=S, A=A, n=n) == pytest.approx(risk, rel=1e-10)
    prior = Prior.subsets(S, A, n)
    simulated = simulate_risks(
        prior, n, Random(8), 4_000, ("partial",), pi=prior.draw(Random(9), 4_000)
    )
    z = 4.9  # two-sided 1e-6
    assert abs(simulated.mean() - risk) < z * simulated.std() / np.sqrt(4_000)


@pytest.mark.parametrize(
    ("bound", "exponent"),
    [
        (theory.HARD_LABEL_RATE, -0.5),
        (theory.HARD_LABEL_UPPER, -0.5),
        (theory.HARD_LABEL_LOWER, -0.5),
        (theory.PARTIAL_LABEL_RATE, -1),
        (theory.PARTIAL_LABEL_UPPER, -1),
        (theory.PARTIAL_LABEL_LOWER, -1),
        (theory.SOFT_LABEL_RATE, -1),
        (theory.SOFT_LABEL_UPPER, -1),
        (theory.SOFT_LABEL_LOWER, -1),
    ],
    ids=lambda b: getattr(b, "name", str(b)),
)
def test_exponents_are_derived(bound, exponent):
    assert float(bound.exponent("n")) == exponent


def test_e_is_eulers():
    found = theory.HARD_LABEL_UPPER(S=10, A=8, n=10_000)
    assert found == pytest.approx(np.sqrt(70 / 20_002) + 10 / (np.e * 10_000), rel=1e-12)


@pytest.mark.parametrize(
    ("bound", "at"),
    [
        (theory.HARD_LABEL_LOWER, {"S": 10, "A": 10, "n": 24}),
        (theory.PARTIAL_LABEL_LOWER, {"S": 10, "A": 11, "n": 40}),
        (theory.PARTIAL_LABEL_LOWER, {"S": 10, "A": 2, "n": 400}),
        (theory.SOFT_LABEL_LOWER, {"S": 10, "A": 3, "n": 9}),
        (theory.SOFT_LABEL_UPPER_PROBABILITY, {"S": 10, "n": 9, "delta": 0.2}),
    ],
)
def test_outside_its_region_a_bound_says_no(bound, at):
    with pytest.raises(InputError):
        bound(**at)
    assert np.isnan(bound(**at, outside="nan"))


def test_assumptions_are_checked_on_the_model():
    cell = {"instance": "1", "S": 4, "A": 6, "n": 500}
    teacher = Teacher.from_cell(cell)
    assert theory.TABULAR.check(teacher, cell)
    assert not theory.TABULAR.check(teacher, cell | {"S": 5})
    assert theory.ON_INSTANCE_1.check(teacher, cell)
    assert not theory.ON_INSTANCE_1.check(teacher, cell | {"n": 600})
    assert not theory.ON_INSTANCE_2.check(teacher, cell)
    prior = {"prior": "pairs", "S": 4, "A": 6, "n": 500}
    assert theory.OVER_PAIRS.check(Prior.from_cell(prior), prior)
    assert not theory.OVER_PAIRS.check(teacher, cell)
    assert not theory.OVER_BUDDIES.check(Prior.from_cell(prior), prior)


def test_every_bound_names_its_source_and_has_a_formula_or_a_value():
    bounds = [value for value in vars(theory).values() if isinstance(value, Bound)]
    assert len(bounds) >= 25
    assert len({bound.name for bound in bounds}) == len(bounds)
    assert all(bound.source.ref and bound.source.where for bound in bounds)
