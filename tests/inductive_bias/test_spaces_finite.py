"""Finite spaces, counted: known counts, brute force, and identities of conditioning."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlstat.errors import InputError
from tlstat.inductive_bias import (
    AutomatonSpace,
    BooleanSpace,
    ConjunctionSpace,
    FiniteLaw,
    FiniteSpace,
    MonotoneSpace,
    ParitySpace,
    ThresholdSpace,
    TreeSpace,
)
from tlstat.inductive_bias.spaces import cube, strings_up_to

# ------------------------------------------------------------------ laws


def test_counts_of_any_size_keep_their_logarithms():
    law = FiniteLaw([0.5, 0.0], counts=[2**4000 - 1, 1])
    assert law.logcdf(0.0) == pytest.approx(-4000 * math.log(2), rel=1e-15)
    assert law.logcdf(0.5) == 0.0 and law.logcdf(-0.1) == -math.inf
    near = FiniteLaw([0.0, 1.0], counts=[10**30 - 1, 1])
    assert near.logcdf(0.5) == pytest.approx(-1e-30, rel=1e-12)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8).filter(any))
def test_counts_and_log_weights_give_one_law(counts):
    errors = np.linspace(0, 1, len(counts))
    with np.errstate(divide="ignore"):
        weighted = FiniteLaw(errors, log_weights=np.log(np.array(counts, dtype=float)) - 700)
    counted = FiniteLaw(errors, counts=counts)
    np.testing.assert_allclose(
        weighted.cdf(errors), np.cumsum(counts) / sum(counts), rtol=1e-9, atol=1e-300
    )
    np.testing.assert_allclose(weighted.logcdf(errors), counted.logcdf(errors), atol=1e-12)
    assert counted.mean() == pytest.approx(np.average(errors, weights=counts))
    assert counted.support() == weighted.support()


def test_draws_of_a_law_follow_it():
    law = FiniteLaw([0.0, 0.25, 1.0], counts=[1, 2, 5])
    drawn = law.rvs(8000, 0)
    for error, p in zip(law.errors, law.probabilities, strict=True):
        # 6 standard errors
        assert abs(np.mean(drawn == error) - p) < 6 * math.sqrt(p / 8000)
    assert law.std() == pytest.approx(drawn.std(), rel=0.05)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FiniteLaw([]), "errors is"),
        (lambda: FiniteLaw([0.0]), "one of counts and log_weights"),
        (lambda: FiniteLaw([0.0, 0.0], counts=[1, 1]), "twice"),
        (lambda: FiniteLaw([0.0], counts=[0]), "not all 0"),
        (lambda: FiniteLaw([0.0], counts=[-1]), "whole numbers"),
        (lambda: FiniteLaw([0.0, 1.0], counts=[1]), "2 values and 1 weights"),
        (lambda: FiniteLaw([0.0], log_weights=[-np.inf]), "only -inf"),
        (lambda: FiniteLaw([0.0], log_weights=[np.nan]), "NaN"),
    ],
)
def test_laws_refuse_bad_input(make, message):
    with pytest.raises(InputError, match=message):
        make()


# ------------------------------------------------------------------ Boolean functions

NO_FREE_LUNCH = {
    3: (2.7726, 1.1632, 0.3747),
    4: (5.5452, 3.3480, 1.9343),
    5: (11.0904, 8.2571, 6.1704),
}


@pytest.mark.parametrize("n", NO_FREE_LUNCH)
def test_no_free_lunch(n):
    X, half = cube(n), 1 << (n - 1)
    y = np.random.default_rng(n).integers(0, 2, 2 * half)
    law = BooleanSpace(n).condition(X[:half], y[:half]).error_law(X[half:], y[half:])
    for k, nats in enumerate(NO_FREE_LUNCH[n]):
        assert -law.logcdf(k / half) == pytest.approx(nats, abs=5e-5)
        exact = half * math.log(2) - math.log(sum(math.comb(half, j) for j in range(k + 1)))
        assert -law.logcdf(k / half) == pytest.approx(exact, abs=1e-13)


def test_no_free_lunch_on_many_bits_is_exact():
    rng = np.random.default_rng(0)
    X = np.unique(rng.integers(0, 2, size=(1000, 40)), axis=0)
    law = BooleanSpace(40).condition(X[:0], []).error_law(X, np.zeros(len(X), int))
    assert -law.logcdf(0.0) == pytest.approx(1000 * math.log(2), rel=1e-15)


@given(st.integers(0, 2**32 - 1))
def test_the_formula_is_the_enumeration(seed):
    rng = np.random.default_rng(seed)
    target = rng.integers(0, 2, 8)
    train, test = rng.integers(0, 8, rng.integers(0, 5)), rng.integers(0, 8, 6)
    X, labels = cube(3), rng.integers(0, 2, 6)
    formula = BooleanSpace(3).condition(X[train], target[train])
    table = BooleanSpace(3).enumerate().condition(X[train], target[train])
    a, b = formula.error_law(X[test], labels), table.error_law(X[test], labels)
    np.testing.assert_allclose(a.logcdf(np.arange(7) / 6), b.logcdf(np.arange(7) / 6), atol=1e-12)
    assert formula.describe()["train_nats"] == pytest.approx(table.describe()["train_nats"])


def test_weighted_boolean_laws_are_exact_where_they_are_binomial():
    X, y = cube(3), np.zeros(8, int)
    space, w = BooleanSpace(3), np.r_[0.5, np.ones(7)]
    known = space.condition(X[:1], y[:1])
    table = space.enumerate().condition(X[:1], y[:1])
    a, b = known.error_law(X, y, weights=w), table.error_law(X, y, weights=w)
    np.testing.assert_allclose(a.logcdf(b.errors), b.logcdf(b.errors), atol=1e-12)
    assert space.condition(X[:0], []).error_law(X, y, weights=w) is None
    drawn = space.condition(X[:0], []).sample_errors(X, y, 0, 20_000, weights=w)
    every = space.enumerate().condition(X[:0], []).error_law(X, y, weights=w)
    # 5 standard errors
    assert abs(drawn.mean() - every.mean()) < 5 * every.std() / math.sqrt(20_000)
    assert abs(np.mean(drawn <= 0.3) - every.cdf(0.3)) < 5 * math.sqrt(every.cdf(0.3) / 20_000)


def test_inputs_and_labels_may_be_signs():
    X, y = cube(3), cube(3)[:, 0]
    bits = ThresholdSpace(3).condition(X[:3], y[:3]).error_law(X, y)
    signs = ThresholdSpace(3).condition(2 * X[:3] - 1, 2 * y[:3] - 1)
    assert signs.error_law(2 * X - 1, 2 * y - 1).counts == bits.counts


# ------------------------------------------------------------------ thresholds


def test_there_are_4_14_104_1882_thresholds():
    assert [ThresholdSpace(n).size for n in (1, 2, 3, 4)] == [4, 14, 104, 1882]


HISTOGRAM = (1, 8, 16, 70, 90, 198, 152, 300, 212, 300, 152, 198, 90, 70, 16, 8, 1)


def majority():
    X = 2 * cube(4) - 1
    return X, X @ [3, 2, 1, 1] + 0.5 > 0


def test_the_errors_of_all_thresholds_of_four_bits():
    X, y = majority()
    law = ThresholdSpace(4).condition(X[:0], []).error_law(X, y)
    assert law.counts == HISTOGRAM
    nats = [-law.logcdf(k / 16) for k in range(4)]
    assert nats == pytest.approx([7.5401, 5.3429, 4.3212, 2.9862], abs=5e-5)


def test_every_threshold_is_one_by_linear_programming():
    from scipy.optimize import linprog

    X, table = 2 * cube(3) - 1, ThresholdSpace(3).table
    rng = np.random.default_rng(0)
    known = {row.tobytes() for row in table}

    def separable(f):
        A = -np.where(f, 1, -1)[:, None] * np.column_stack([X, np.ones(8)])
        found = linprog(np.zeros(4), A_ub=A, b_ub=-np.ones(8), bounds=(None, None))
        return found.status == 0

    for _ in range(60):
        f = rng.integers(0, 2, 8).astype(bool)
        assert separable(f) == (f.tobytes() in known)
    assert all(separable(f) for f in table[:20])


def test_gaussian_weights_prefer_simple_thresholds():
    # 2 10^6 draws gave 7.51e-4 for the target, with a standard error of 1.9e-5
    X, y = majority()
    space = ThresholdSpace(4, "gaussian")
    law = space.condition(X[:0], []).error_law(X, y)
    assert law.probabilities[0] == pytest.approx(7.51e-4, abs=5 * 1.9e-5)
    draws = np.random.default_rng(7).standard_normal((400_000, 5))
    values = draws[:, :4] @ X.T + draws[:, 4:] > 0
    for f in space.table[[0, 100, 700, 1500]]:
        row = space.condition(X, f)
        p, share = math.exp(row.log_mass()), np.mean((values == f).all(axis=1))
        # 5 standard errors, and what the prior's own error allows
        slack = 5 * math.sqrt(p / len(draws)) + space.log_error * p
        assert abs(share - p) < slack
    assert space.log_error < 0.02


def test_gaussian_thresholds_of_one_bit_are_all_alike():
    space = ThresholdSpace(1, "gaussian")
    np.testing.assert_allclose(np.exp(space.log_weights), 0.25, rtol=1e-4)


# ------------------------------------------------------------------ parities


@pytest.mark.parametrize("rank", [0, 3, 6])
def test_wrong_parities_err_on_half_of_the_cube(rank):
    secret = np.array([1, 0, 1, 1, 0, 1, 0, 1])
    X = np.eye(8, dtype=int)[:rank]
    space = ParitySpace(8).condition(X, X @ secret % 2)
    full = cube(8)
    law = space.error_law(full, full @ secret % 2)
    assert law.errors.tolist() == [0.0, 0.5] and law.counts == (1, 2 ** (8 - rank) - 1)
    assert space.population_law(secret).counts == law.counts
    for error in (0.0, 0.2, 0.49):
        assert -law.logcdf(error) == pytest.approx((8 - rank) * math.log(2), abs=1e-13)


@given(st.integers(0, 2**32 - 1))
def test_parities_are_counted_as_by_brute_force(seed):
    rng = np.random.default_rng(seed)
    n = 5
    secrets, secret = cube(n), rng.integers(0, 2, n)
    X, X_test = rng.integers(0, 2, (rng.integers(1, 6), n)), rng.integers(0, 2, (7, n))
    y, y_test = X @ secret % 2, rng.integers(0, 2, 7)
    fits = secrets[(y[:, None] == (X @ secrets.T) % 2).all(axis=0)]
    errors = ((X_test @ fits.T) % 2 != y_test[:, None]).mean(axis=0)
    space = ParitySpace(n).condition(X, y)
    law = space.error_law(X_test, y_test)
    values, counts = np.unique(np.round(errors, 12), return_counts=True)
    np.testing.assert_allclose(law.errors, values, atol=1e-12)
    np.testing.assert_allclose(law.probabilities, counts / counts.sum(), rtol=1e-12)
    assert space.rank == n - math.log2(len(fits))


def test_parities_beyond_listing_are_sampled():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2, (60, 40))
    space = ParitySpace(40).condition(X[:3], np.zeros(3, int))
    assert space.error_law(X[3:], np.zeros(57, int)) is None
    errors = space.sample_errors(X[3:], np.zeros(57, int), 0, 2000)
    # uniform over 2^37 parities: pairwise independent fair values, 5 standard errors
    assert abs(errors.mean() - 0.5) < 5 * 0.5 / math.sqrt(57 * 2000)
    with pytest.raises(InputError, match="no parity fits"):
        ParitySpace(2).condition([[1, 0], [1, 0]], [0, 1])


# ------------------------------------------------------------------ automata and trees


def test_two_and_three_states_have_26_and_1054_behaviours():
    for q, automata, behaviours in ((2, 64, 26), (3, 5832, 1054)):
        space = AutomatonSpace(q)
        assert (sum(space.counts), space.size) == (automata, behaviours)


def test_the_parity_of_ones_is_simple_for_automata():
    train, every = strings_up_to(2), strings_up_to(6)

    def odd(strings):
        return np.array([s.count("1") % 2 for s in strings])

    def nats(q, prior):
        conditioned = AutomatonSpace(q, prior=prior).condition(train, odd(train))
        law = conditioned.error_law(every, odd(every))
        return len(conditioned.rows), -law.logcdf(0.0)

    assert nats(2, "automata") == (1, 0.0)
    assert nats(3, "automata") == (15, pytest.approx(0.4308, abs=5e-5))
    assert nats(3, "behaviours") == (15, pytest.approx(math.log(15), abs=1e-12))


def test_automata_accept_what_they_accept():
    strings = strings_up_to(4)
    found = {}
    for delta in itertools.product(range(2), repeat=4):
        for accepting in itertools.product((0, 1), repeat=2):
            values = []
            for s in strings:
                state = 0
                for letter in s:
                    state = delta[2 * state + int(letter)]
                values.append(bool(accepting[state]))
            found[tuple(values)] = found.get(tuple(values), 0) + 1
    space = AutomatonSpace(2, max_length=4)
    assert {tuple(r.tolist()): c for r, c in zip(space.table, space.counts, strict=True)} == found


def test_trees_are_counted_as_by_brute_force():
    X = cube(2)

    def trees(depth):
        leaves = [np.zeros(4, bool), np.ones(4, bool)]
        if depth == 0:
            return leaves
        below = trees(depth - 1)
        return leaves + [
            np.where(X[:, i] == 1, g, f)
            for i in range(2)
            for f, g in itertools.product(below, repeat=2)
        ]

    found = {}
    for f in trees(2):
        found[tuple(f.tolist())] = found.get(tuple(f.tolist()), 0) + 1
    space = TreeSpace(2, 2)
    assert {tuple(r.tolist()): c for r, c in zip(space.table, space.counts, strict=True)} == found
    assert sum(space.counts) == 2 + 2 * (2 + 2 * 4) ** 2


def test_deep_trees_are_all_functions_and_shallow_ones_few():
    assert TreeSpace(3, 3).size == 256
    assert TreeSpace(4, 1).size == 2 + 8
    assert set(TreeSpace(3, 2, prior="functions").counts) == {1}


def test_monotone_functions_are_dedekinds_numbers_and_monotone():
    assert [MonotoneSpace(n).size for n in range(1, 6)] == [3, 6, 20, 168, 7581]
    X, table = cube(4), MonotoneSpace(4).table
    below = (X[:, None] <= X[None]).all(axis=2)
    for f in table:
        assert not np.any(below & f[:, None] & ~f[None])


def test_conjunctions_are_three_to_the_n_and_one():
    for n in (1, 2, 3, 5):
        space = ConjunctionSpace(n)
        assert space.size == 3**n + 1 == len(np.unique(space.table, axis=0))
    f = ConjunctionSpace(3)
    assert (cube(3)[:, 0] & (1 - cube(3)[:, 2])).astype(bool).tolist() in f.table.tolist()


# ------------------------------------------------------------------ any finite space


@st.composite
def finite_spaces(draw):
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    table = np.unique(rng.integers(0, 2, (draw(st.integers(2, 12)), 6)), axis=0).astype(bool)
    counts = rng.integers(1, 9, len(table))
    return FiniteSpace(list(range(6)), table, counts=counts), table[rng.integers(len(table))]


@given(finite_spaces(), st.integers(1, 4))
def test_conditioning_splits_the_probability_of_both(drawn, n):
    space, f = drawn
    points = list(range(6))
    train = space.condition(points[:n], f[:n])
    both = space.condition(points, f)
    law = train.error_law(points[n:], f[n:])
    assert -law.logcdf(0.0) == pytest.approx(train.log_mass() - both.log_mass(), abs=1e-12)


@given(finite_spaces())
def test_the_labelings_of_the_test_points_share_all_probability(drawn):
    space, f = drawn
    train = space.condition([0, 1], f[:2])
    total = 0.0
    for labels in itertools.product((False, True), repeat=4):
        total += math.exp(train.error_law([2, 3, 4, 5], labels).logcdf(0.0))
    assert total == pytest.approx(1.0, abs=1e-12)


def test_log_weights_and_squared_loss():
    space = FiniteSpace([0, 1], [[0.0, 0.5], [0.0, 2.0]], log_weights=[0.0, math.log(3)])
    law = space.condition([0], [0.0]).error_law([1], [1.0], loss="squared")
    assert law.errors.tolist() == [0.25, 1.0]
    assert law.probabilities == pytest.approx([0.25, 0.75])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FiniteSpace([0, 1], [[0]]), "table has shape"),
        (lambda: FiniteSpace([0, 0], [[0, 1]]), "domain has an input twice"),
        (lambda: FiniteSpace([0], [[0]], counts=[0]), "not all 0"),
        (lambda: FiniteSpace([0], [[0]], counts=[1, 2]), r"counts has shape \(2,\)"),
        (lambda: FiniteSpace([0], [[0]], counts=[1], log_weights=[0.0]), "not both"),
        (lambda: FiniteSpace([0], [[0]]).condition([1], [0]), "input 1 is not in the domain"),
        (lambda: FiniteSpace([0], [[0]]).condition([0], [1]), "no hypothesis of finite fits"),
        (lambda: FiniteSpace([0], [[0]]).condition([0], [0]).error_law([], []), "X_test is empty"),
        (lambda: FiniteSpace([0], [[0]]).condition([0], [0]).error_law([0], [0], loss="x"), "loss"),
        (lambda: BooleanSpace(0), "n is 0"),
        (lambda: BooleanSpace(5).enumerate(), "bits from 1 to 4"),
        (lambda: BooleanSpace(1).condition([[0], [0]], [0, 1]), "two labels for one input"),
        (lambda: BooleanSpace(2).condition([[0, 2]], [1]), "expected 0/1 or -1/1"),
        (lambda: BooleanSpace(2).condition([[0, 1, 1]], [1]), r"shape \(1, 3\); expected \(rows"),
        (lambda: ThresholdSpace(5), "bits from 1 to 4"),
        (lambda: ThresholdSpace(2, "cauchy"), "prior is 'cauchy'"),
        (lambda: ThresholdSpace(2).condition(cube(2), [0, 1, 1, 0]), "no hypothesis of linear"),
        (lambda: ThresholdSpace(2).condition(cube(2), [0, np.nan, 1, 0]), "y_train has values"),
        (lambda: AutomatonSpace(5), "q is 5"),
        (lambda: AutomatonSpace(2, 9), "max_length is 9"),
        (lambda: AutomatonSpace(2, prior="all"), "prior is 'all'"),
        (lambda: AutomatonSpace(2).condition(["2"], [1]), "input '2' is not in the domain"),
        (lambda: TreeSpace(3, -1), "depth is -1"),
        (lambda: TreeSpace(5, 4), "too many functions"),
        (lambda: TreeSpace(2, 1, "x"), "prior is 'x'"),
        (lambda: ParitySpace(3).condition([[0, 1, 1]], [[1]]), "y_train has shape"),
        (lambda: ParitySpace(2).condition([[0, 1]], [1]).population_law([1]), "secret has shape"),
    ],
)  # fmt: skip
def test_bad_input_is_named(make, message):
    with pytest.raises(InputError, match=message):
        make()
