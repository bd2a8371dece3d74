"""Cubes: exact minimax risk, bounds over classes, and the reference's measured numbers."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlstat.errors import InputError
from tlstat.minimax.cube import (
    bayes_lower_bound,
    cube_at_scale,
    cube_minimax,
    gamma_lower_bound,
    least_favourable_cube,
)
from tlstat.minimax.vote import vote_error


def constants(n_P, n_Q, m=8, **exponents):
    """Lower bound over (m/n)^rate, on one side."""
    value = bayes_lower_bound(n_P, n_Q, d=m + 1, m=m, **exponents)
    if np.any(n_Q):
        return value / (m / n_Q) ** (1 / (2 - exponents["beta_Q"]))
    return value / (m / n_P) ** (1 / ((2 - exponents["beta_P"]) * exponents["rho"]))


@pytest.mark.parametrize(
    ("rho", "beta_P", "first", "last"),
    [(2, 0.5, 0.1961, 0.1955), (2, 0.75, 0.1858, 0.1828), (3, 0.9, 0.225, 0.206),
     (1, 0, 0.1700, 0.1700)],
)  # fmt: skip
def test_source_side_constants(rho, beta_P, first, last):
    value = constants(np.array([1e3, 1e7]), 0, rho=rho, beta_P=beta_P, beta_Q=0.5)
    assert value == pytest.approx([first, last], abs=5.1e-4 if rho == 3 else 5.1e-5)


@pytest.mark.parametrize(("beta_Q", "first", "last"), [(0.5, 0.1601, 0.1600), (0, 0.17, 0.17)])
def test_target_side_constants(beta_Q, first, last):
    value = constants(0, np.array([1e3, 1e7]), rho=1, beta_P=0.5, beta_Q=beta_Q)
    assert value == pytest.approx([first, last], abs=5.1e-5)


@pytest.mark.parametrize(
    ("rho", "beta_P", "beta_Q", "side", "slope"),
    [(1, 0.5, 0.5, "Q", -0.6667), (2, 0.5, 0.5, "P", -0.3333), (2, 0.75, 0.5, "P", -0.4002),
     (1, 0, 0.5, "P", -0.5000), (3, 0.9, 0.5, "P", -0.3069)],
)  # fmt: skip
def test_measured_slopes(rho, beta_P, beta_Q, side, slope):
    n = np.array([1e6, 1e7])
    sizes = (n, 0) if side == "P" else (0, n)
    value = bayes_lower_bound(*sizes, rho=rho, beta_P=beta_P, beta_Q=beta_Q, d=9, m=8)
    # the slowly converging one was given at one size, here over a decade
    tolerance = 1.5e-3 if rho == 3 else 2e-4
    assert np.diff(np.log10(value))[0] == pytest.approx(slope, abs=tolerance)


def test_the_joint_grid_stays_between_its_constants():
    n_P, n_Q = 10.0 ** np.arange(3, 8)[:, None], 10.0 ** np.arange(2, 6)
    value = bayes_lower_bound(n_P, n_Q, rho=2, beta_P=0.5, beta_Q=0.5, d=9, m=8)
    ratio = value / np.minimum((8 / n_P) ** (1 / 3), (8 / n_Q) ** (2 / 3))
    assert ratio.min() == pytest.approx(0.127, abs=5e-4)
    assert ratio.max() == pytest.approx(0.194, abs=5e-4)


def exact_bayes_risk(m, n_P, p, delta_P, n_Q, q, delta_Q):
    """Bayes risk of uniform signs over whole samples; no vote, no decoupling."""
    signs = list(itertools.product([1, -1], repeat=m))

    def likelihood(sign, sample, mass, delta):
        value = 1.0
        for atom, label in sample:
            if atom == m:
                value *= (1 - m * mass) * (label == 1)
            else:
                value *= mass * (1 + label * sign[atom] * delta) / 2
        return value

    points = list(itertools.product(range(m + 1), [1, -1]))
    risk = 0.0
    for source in itertools.product(points, repeat=n_P):
        for target in itertools.product(points, repeat=n_Q):
            joint = np.array(
                [
                    likelihood(s, source, p, delta_P) * likelihood(s, target, q, delta_Q)
                    for s in signs
                ]
            )
            for atom in range(m):
                plus = np.array([s[atom] == 1 for s in signs])
                risk += min(joint[plus].sum(), joint[~plus].sum()) / len(signs)
    return q * delta_Q * risk


@pytest.mark.parametrize(
    "case",
    [(1, 2, 0.6, 0.3, 2, 0.5, 0.7), (2, 2, 0.3, 0.5, 1, 0.4, 0.6), (3, 1, 0.2, 1, 1, 0.3, 0.4)],
)
def test_assouad_is_an_equality(case):
    assert cube_minimax(*case) == pytest.approx(exact_bayes_risk(*case), rel=1e-12)


exponents = st.tuples(st.floats(0.3, 4), st.floats(0, 1), st.floats(0, 1))


@given(exponents, st.integers(1, 20), st.floats(1e-6, 0.5), st.floats(1, 5))
def test_cubes_belong_to_their_class(exponent, m, eps, constant):
    """All three inequalities, for every number of wrong atoms."""
    rho, beta_P, beta_Q = exponent
    p, delta_P, q, delta_Q = cube_at_scale(
        eps, m, rho=rho, beta_P=beta_P, beta_Q=beta_Q, constant=constant
    )
    k = np.arange(1, m + 1)
    E_P, E_Q, slack = k * p * delta_P, k * q * delta_Q, 1 + 1e-9
    assert m * q * delta_Q == pytest.approx(eps)
    assert 0 < delta_P <= slack
    assert 0 < delta_Q <= slack
    assert m * p <= slack
    assert m * q <= slack
    if m ** (1 - rho) * eps**rho <= constant:  # else no cube of this size is in the class
        assert (E_Q**rho <= constant * E_P * slack).all()
    assert (k * q <= constant * E_Q**beta_Q * slack).all()
    assert (k * p <= constant * E_P**beta_P * slack).all()


@settings(max_examples=12)
@given(exponents, st.integers(2, 12), st.integers(0, 3_000), st.integers(0, 3_000))
def test_the_bound_is_the_exact_risk_of_its_cube_and_monotone(exponent, d, n_P, n_Q):
    rho, beta_P, beta_Q = exponent
    model = {"rho": rho, "beta_P": beta_P, "beta_Q": beta_Q}
    best = least_favourable_cube(n_P, n_Q, d=d, **model)
    risk = cube_minimax(best.m, n_P, best.p, best.delta_P, n_Q, best.q, best.delta_Q)
    assert best.value == pytest.approx(risk, rel=1e-9)
    assert best.value == bayes_lower_bound(n_P, n_Q, d=d, **model)
    assert 0 <= best.value <= 0.25 + 1e-12
    fewer = bayes_lower_bound(n_P // 2, n_Q, d=d, **model)
    assert best.value <= fewer * (1 + 1e-4)
    larger = bayes_lower_bound(n_P, n_Q, d=d, constant=2.0, **model)
    assert best.value <= larger * (1 + 1e-4)


def test_the_scale_search_beats_a_fine_grid():
    eps = np.geomspace(1e-4, 0.5, 1_500)
    atoms = cube_at_scale(eps, 5, rho=1.5, beta_P=0.4, beta_Q=0.6)
    p, delta_P, q, delta_Q = atoms
    curve = eps * vote_error(3_000, p, delta_P, 80, q, delta_Q)
    best = bayes_lower_bound(3_000, 80, rho=1.5, beta_P=0.4, beta_Q=0.6, d=6, m=5)
    assert curve.max() * (1 - 1e-7) <= best <= curve.max() * (1 + 1e-4)


def test_no_procedure_beats_the_bound_on_its_cube():
    """Any fixed vote is a procedure: its risk on the least-favourable cube is above the bound."""
    best = least_favourable_cube(2_000, 50, rho=2, beta_P=0.5, beta_Q=0.5, d=6)
    atom = (2_000, best.p, best.delta_P, 50, best.q, best.delta_Q)
    for weights in [(1, 0), (0, 1), (1, 1), (1, 3), (1, 5), (np.inf, 1)]:
        risk = best.m * best.q * best.delta_Q * vote_error(*atom, weights=weights)
        assert risk >= best.value - 1e-13


def test_gamma_form_is_at_least_both_ends_and_one_end_where_beta_is_one():
    model = {"beta_P": 0.5, "beta_Q": 0.4, "d": 7}
    n_P, n_Q = 20_000, 60
    best = gamma_lower_bound(n_P, n_Q, gamma=2, **model).value
    # rho = gamma b/beta_P with target mass eps^b: the ends b = beta_Q and b = 1
    low = bayes_lower_bound(n_P, n_Q, rho=2 * 0.4 / 0.5, **model)
    high = bayes_lower_bound(n_P, n_Q, rho=2 / 0.5, beta_P=0.5, beta_Q=1, d=7)
    assert best >= max(low, high) * (1 - 1e-6)
    noise_free = gamma_lower_bound(n_P, n_Q, gamma=2, beta_P=0.5, beta_Q=1, d=7).value
    assert noise_free == pytest.approx(high, rel=1e-6)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_gamma_cubes_satisfy_the_marginal_inequality(gamma):
    best = gamma_lower_bound(500, 40, gamma=gamma, beta_P=0.6, beta_Q=0.3, d=9)
    k = np.arange(1, best.m + 1)
    slack = 1 + 1e-9
    assert (k * best.q * 1.0 <= (k * best.q * best.delta_Q) ** 0.3 * slack).all()
    assert (k * best.p <= (k * best.p * best.delta_P) ** 0.6 * slack).all()
    assert ((k * best.q) ** gamma <= k * best.p * slack).all()


def test_without_a_bernstein_condition_source_labels_are_worthless_in_gamma_form():
    alone = gamma_lower_bound(0, 50, gamma=1, beta_P=0, beta_Q=0.5, d=5).value
    with_source = gamma_lower_bound(10**6, 50, gamma=1, beta_P=0, beta_Q=0.5, d=5).value
    assert with_source == pytest.approx(alone, rel=1e-12)


def test_many_atoms_are_searched_over_a_selection():
    best = least_favourable_cube(10**6, 10**4, rho=1, beta_P=0.5, beta_Q=0.5, d=200)
    assert best.m == 199
    assert best.value > bayes_lower_bound(10**6, 10**4, rho=1, beta_P=0.5, beta_Q=0.5, d=20)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rho": 0}, "transfer exponent must be a positive number"),
        ({"beta_P": 1.5}, r"beta_P must lie in \[0, 1\], got 1.5"),
        ({"beta_Q": -0.1}, "beta_Q must lie"),
        ({"d": 1}, "d must be a whole number, 2 or more"),
        ({"constant": 0.5}, "constant must be 1 or more"),
        ({"m": 9}, "m must lie between 1 and d - 1 = 4"),
        ({"n_P": -3}, "n_P"),
    ],
)
def test_bad_input_is_named(change, message):
    good = {"n_P": 10, "n_Q": 10, "rho": 1, "beta_P": 0.5, "beta_Q": 0.5, "d": 5}
    with pytest.raises(InputError, match=message):
        bayes_lower_bound(**{**good, **change})


def test_masses_above_one_over_m_are_refused():
    with pytest.raises(InputError, match="q must be at most 1/m"):
        cube_minimax(4, 10, 0.2, 0.1, 10, 0.3, 0.1)
    with pytest.raises(InputError, match="m must be a whole number"):
        cube_minimax(1.5, 10, 0.2, 0.1, 10, 0.3, 0.1)
