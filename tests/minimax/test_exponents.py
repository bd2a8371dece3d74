"""The checker of declared exponents: sharp on every model, and not fooled."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlstat.errors import InputError
from tlstat.minimax import (
    ExcessTable,
    FiniteClass,
    GaussianHalfSpaces,
    HalfPlanes,
    Hypercube,
    Intervals,
    ParallelThresholds,
    PowerThresholds,
    ShiftedCentre,
    Stumps,
    check_bernstein,
    check_exponents,
    check_marginal_exponent,
    check_transfer_exponent,
    smallest_transfer_exponent,
)

MODELS = [
    PowerThresholds(2, 1, 1, 1),
    PowerThresholds(0.5, 2, 0.3, 2, 0.9, 0.2),
    ParallelThresholds(2, 0.5, 1, 1, 2),
    ParallelThresholds(3, 2),
    Intervals(2, 1, 1, 0.5),
    Intervals(0.5, 1, 0.2, 1),
    HalfPlanes(2, 1, 1, 1),
    HalfPlanes(0.5, 1, 0.5, 1),
    Stumps(3, 2, 1, split=0.3),
    Stumps(2, 0.5, 1, 0.4, 0.7, 0.3),
    ShiftedCentre(0.3, 2, 1, 1, 1),
    ShiftedCentre(-0.6, 0.5, 0.5, 0.2, 0.1),
    ShiftedCentre(0.8, 1, 0.3, 1, 0),
    Hypercube.at_scale(8, 0.1, rho=2, beta_P=0.5, beta_Q=0.5),
    Hypercube.at_scale(8, 0.1, rho=0.5, beta_P=0.5, beta_Q=0.5),
    GaussianHalfSpaces([[2.0, 0.9], [0.9, 1.0]], np.eye(2), [1.0, -1.0], 0.5, 0.8),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: f"{type(m).__name__}-{MODELS.index(m)}")
def test_declared_constants_are_the_smallest(model):
    for check in check_exponents(model):
        assert check.holds, check.statement
        assert check.sharp, check.statement
        assert check.statement.count("holds") == 1


@pytest.mark.parametrize("model", [MODELS[0], MODELS[4], MODELS[13]], ids=["T", "I", "H"])
def test_smaller_constants_and_exponents_are_refuted(model):
    assert not check_transfer_exponent(model, model.rho, 0.9 * model.C_rho).holds
    assert not check_marginal_exponent(model, model.gamma_marginal, 0.9 * model.C_gamma).holds
    assert not check_bernstein(model, "P", model.beta_P, 0.9 * model.C_beta_P).holds
    assert not check_bernstein(model, "Q", model.beta_Q, 0.9 * model.C_beta_Q).holds


def test_a_smaller_transfer_exponent_needs_an_absurd_constant():
    model = PowerThresholds(2, 1, 1, 1)
    declared = check_transfer_exponent(model, model.rho)
    smaller = check_transfer_exponent(model, model.rho - 0.5)
    assert declared.smallest_constant == pytest.approx(model.C_rho)
    assert smaller.smallest_constant > 1e6 * declared.smallest_constant


def table(rows):
    """Excesses and disagreements of a random class with a best hypothesis."""
    values = np.asarray(rows, dtype=float)
    values[0] = 0
    return values


@given(
    st.lists(
        st.tuples(*[st.floats(0.01, 1) for _ in range(4)]),
        min_size=2,
        max_size=12,
    ),
    st.floats(0.2, 3),
    st.floats(0, 1),
)
def test_enumeration_finds_the_smallest_constant(rows, rho, beta):
    values = table(rows)
    given_class = ExcessTable(*values.T)
    found = check_transfer_exponent(given_class, rho)
    brute = max((q**rho / p, h) for h, (p, q, _, _) in enumerate(values) if p > 0)
    assert found.smallest_constant == pytest.approx(brute[0])
    assert values[found.worst][1] ** rho / values[found.worst][0] == pytest.approx(brute[0])
    assert found.method == "enumeration"
    assert check_transfer_exponent(given_class, rho, brute[0]).holds
    assert not check_transfer_exponent(given_class, rho, brute[0] * 0.999).holds
    bernstein = check_bernstein(given_class, "P", beta)
    brute = max(d / e**beta for e, _, d, _ in values[1:])
    assert bernstein.smallest_constant == pytest.approx(brute)
    marginal = check_marginal_exponent(given_class, rho)
    assert marginal.smallest_constant == pytest.approx(max(q**rho / p for _, _, p, q in values[1:]))


def test_a_source_that_cannot_tell_has_no_constant():
    blind = ExcessTable([0, 0, 0.1], [0, 0.2, 0.1])
    check = check_transfer_exponent(blind, 1)
    assert not check.holds
    assert check.smallest_constant == np.inf
    assert check.worst == 1
    assert smallest_transfer_exponent(blind).value == np.inf


def test_the_floor_of_another_best_hypothesis_is_subtracted():
    shifted = ExcessTable([0, 0.1, 0.2], [0.3, 0.0, 0.5])
    assert check_transfer_exponent(shifted, 1).smallest_constant == pytest.approx(1)


def test_a_finite_class_of_ones_own():
    # two atoms, all four labellings; the target lives on one atom, the source mostly elsewhere
    predictions = [[0, 0], [0, 1], [1, 0], [1, 1]]
    mine = FiniteClass(predictions, [0.9, 0.1], [0.2, 0.8], [0.1, 0.8], [0.1, 0.8])
    check = check_transfer_exponent(mine, 1)
    # only the second atom wrong: 0.8 * 0.6 on the target against 0.1 * 0.6 on the source
    assert check.smallest_constant == pytest.approx(8)
    assert check.worst == 0
    marginal = check_marginal_exponent(mine, 1)
    assert marginal.smallest_constant == pytest.approx(8)
    assert check_bernstein(mine, "Q", 1).smallest_constant == pytest.approx(1 / 0.6)


@given(st.floats(0.5, 4), st.floats(0, 2), st.floats(0, 2))
def test_smallest_transfer_exponent_of_a_grid_of_thresholds(gamma, a_P, a_Q):
    model = PowerThresholds(gamma, 1, a_P, a_Q)
    t = np.concatenate([[0], np.geomspace(1e-4, 0.5, 60)])
    listed = ExcessTable(model.excess_P(t), model.excess_Q(t))
    found = smallest_transfer_exponent(listed, model.C_rho)
    assert found.value == pytest.approx(model.rho, rel=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ExcessTable([0, 0.1], [0.1]), "excess_Q has shape"),
        (lambda: ExcessTable([0, -0.1], [0.1, 0]), "excess_P has an entry"),
        (lambda: ExcessTable([0, np.nan], [0.1, 0]), "excess_P has an entry"),
        (lambda: ExcessTable([0.2, 0.1], [0.1, 0]), "smallest excess_P is 0.1"),
        (lambda: check_transfer_exponent(ExcessTable([0, 1], [0, 1])), "rho is None"),
        (lambda: check_transfer_exponent(ExcessTable([0, 1], [0, 1]), -1), "rho is -1"),
        (lambda: check_transfer_exponent(ExcessTable([0, 1], [0, 1]), 1, 0), "constant is 0"),
        (lambda: check_bernstein(ExcessTable([0, 1], [0, 1]), "P", 0.5), "disagreement_P"),
        (lambda: check_bernstein(MODELS[0], "R"), "law is 'R'"),
        (lambda: check_bernstein(MODELS[0], "P", 1.5), "beta is 1.5"),
    ],
)
def test_bad_declarations_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
