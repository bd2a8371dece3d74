"""Finite classes: sums over sets against plain enumeration of samples, and the bounds on them."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlstat.errors import InputError
from tlstat.inductive_bias import theory
from tlstat.inductive_bias.theory.enumerated import subset_sums, superset_sums


def thresholds(n, largest):
    """Linear threshold functions of n bits, from integer weights; and the corners."""
    corners = 2 * ((np.arange(1 << n)[:, None] >> np.arange(n)) & 1) - 1
    weights = np.array(list(itertools.product(range(-largest, largest + 1), repeat=n)))
    offsets = np.arange(-n * largest - 0.5, n * largest + 1)
    labels = (weights @ corners.T)[:, None, :] + offsets[:, None] > 0
    return np.unique(labels.reshape(-1, 1 << n), axis=0).astype(int), corners


@st.composite
def classes(draw, inputs=4):
    """A class with distinct rows, a prior, and a target that it contains."""
    rows = draw(
        st.lists(st.integers(0, 2**inputs - 1), min_size=2, max_size=2**inputs, unique=True)
    )
    prior = draw(st.lists(st.floats(0.01, 1.0), min_size=len(rows), max_size=len(rows)))
    labels = (np.array(rows)[:, None] >> np.arange(inputs)) & 1
    target = draw(st.integers(0, len(rows) - 1))
    return theory.EnumeratedClass(labels, prior), target


def posteriors(one, target, n):
    """The learner's law for every sequence of n inputs, shape (X^n, H), and the masses."""
    laws, masses = [], []
    for sample in itertools.product(range(one.inputs), repeat=n):
        fits = (one.labels[:, sample] == one.labels[target, sample]).all(axis=1)
        masses.append(float(one.prior @ fits))
        laws.append(one.prior * fits / masses[-1])
    return np.array(laws), np.array(masses)


def divergence(law, base):
    on = law > 0
    return float(np.sum(law[on] * np.log(law[on] / base[on])))


def test_set_sums_by_definition():
    values = np.random.default_rng(0).normal(size=16)
    sets = np.arange(16)
    contains = (sets[:, None] & sets) == sets[:, None]  # [a, b]: a is a subset of b
    np.testing.assert_allclose(superset_sums(values), contains @ values, atol=1e-12)
    np.testing.assert_allclose(subset_sums(values), contains.T @ values, atol=1e-12)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5])
def test_sets_of_distinct_inputs(n):
    one = theory.EnumeratedClass([[0, 1, 1]])
    counts = np.zeros(8)
    for sample in itertools.product(range(3), repeat=n):
        counts[sum(1 << x for x in set(sample))] += 1
    np.testing.assert_allclose(one.set_probabilities(n), counts / 3**n, atol=1e-14)


@settings(max_examples=25)
@given(classes(), st.integers(1, 3))
def test_the_learner_is_that_of_the_definition(case, n):
    one, target = case
    laws, masses = posteriors(one, target, n)
    marginal = laws.mean(axis=0)
    found = one.learner(target, n)
    assert found.error == pytest.approx(np.mean(laws @ one.errors(target)), abs=1e-12)
    assert found.code_length == pytest.approx(-np.mean(np.log(masses)), abs=1e-12)
    mutual = np.mean([divergence(law, marginal) for law in laws])
    assert found.mutual == pytest.approx(mutual, abs=1e-10)
    first = laws.reshape(one.inputs, -1, laws.shape[1]).mean(axis=1)
    single = np.mean([divergence(law, marginal) for law in first])
    assert found.single == pytest.approx(single, abs=1e-10)


@settings(max_examples=20)
@given(classes(inputs=3), st.integers(1, 2))
def test_conditional_information_is_that_of_the_definition(case, n):
    one, target = case
    total = 0.0
    for pairs in itertools.product(range(3), repeat=2 * n):
        table = np.array(pairs).reshape(n, 2)
        laws = []
        for side in itertools.product((0, 1), repeat=n):
            sample = table[np.arange(n), list(side)]
            fits = (one.labels[:, sample] == one.labels[target, sample]).all(axis=1)
            laws.append(one.prior * fits / (one.prior @ fits))
        mixture = np.mean(laws, axis=0)
        total += np.mean([divergence(law, mixture) for law in laws])
    expected = total / 3 ** (2 * n)
    assert one.conditional_information(target, n) == pytest.approx(expected, abs=1e-10)


@settings(max_examples=20)
@given(classes(), st.integers(0, 3))
def test_the_learning_curve_is_that_of_the_definition(case, n):
    one, _ = case
    expected = np.zeros(4)
    for target, weight in enumerate(one.prior):
        laws, masses = posteriors(one, target, n)
        right = laws @ (one.labels == one.labels[target])
        bayes = np.where(np.isclose(right, 0.5), 0.5, right < 0.5).mean()
        gibbs, information = (1 - right).mean(), -np.log(right).mean()
        expected += weight * np.array([bayes, gibbs, information, -np.log(masses).mean()])
    np.testing.assert_allclose(one.learning_curve([n])[0], expected, atol=1e-10)


def test_counts_and_histogram_of_threshold_functions():
    """4, 14, 104, 1882; and the errors against sign(3 x1 + 2 x2 + x3 + x4 + 1/2)."""
    assert [len(thresholds(n, w)[0]) for n, w in ((1, 1), (2, 1), (3, 2))] == [4, 14, 104]
    labels, corners = thresholds(4, 3)
    assert len(labels) == 1882
    truth = corners @ [3, 2, 1, 1] + 0.5 > 0
    target = int(np.flatnonzero((labels == truth).all(axis=1))[0])
    errors = np.round(16 * theory.EnumeratedClass(labels).errors(target)).astype(int)
    known = [1, 8, 16, 70, 90, 198, 152, 300, 212]
    assert np.bincount(errors).tolist() == known + known[-2::-1]
    nats = -np.log(np.cumsum(known[:4]) / 1882)
    assert nats == pytest.approx([7.5401, 5.3429, 4.3212, 2.9862], abs=5e-5)


def test_symmetry_classes_give_the_same_curve():
    labels, _ = thresholds(3, 2)
    one = theory.EnumeratedClass(labels)
    rows, masses = theory.cube_classes(labels)
    assert len(rows) < 20 and sum(masses) == pytest.approx(1)
    by_class = one.learning_curve([1, 4, 9], (rows, masses))
    np.testing.assert_allclose(by_class, one.learning_curve([1, 4, 9]), atol=1e-12)


# ------------------------------------------------------------------------ the bounds

SIZES = (1, 2, 4, 7)


@settings(max_examples=40)
@given(classes())
def test_learning_curves_obey_haussler_kearns_and_schapire(case):
    one, _ = case
    for bayes, gibbs, information, _ in one.learning_curve(SIZES):
        assert bayes <= theory.BAYES_FROM_GIBBS(gibbs=gibbs) + 1e-12
        assert gibbs <= theory.GIBBS_FROM_BAYES(bayes=bayes) + 1e-12
        assert gibbs <= theory.GIBBS_FROM_INFORMATION(information=information) + 1e-12


@settings(max_examples=30)
@given(classes())
def test_information_adds_up_to_the_code_length(case):
    """The chain rule: the surprises of the examples sum to that of the sample."""
    one, _ = case
    curve = one.learning_curve(range(5))
    for n, after in enumerate(curve):
        assert after.code_length == pytest.approx(sum(c.information for c in curve[:n]), abs=1e-10)


@pytest.mark.parametrize(("n", "largest", "d"), [(2, 1, 3), (3, 2, 4)])
def test_sauers_lemma_on_threshold_functions(n, largest, d):
    """d = n + 1 is the dimension of half-spaces with an offset."""
    one = theory.EnumeratedClass(thresholds(n, largest)[0])
    curve = one.learning_curve(range(31))
    for size in range(d, 31):
        gibbs = np.mean([c.gibbs for c in curve[:size]])
        assert gibbs <= theory.LEARNING_CURVE_VC(n=size, d=d)
        assert curve[size].code_length <= theory.INFORMATION_VC(n=size, d=d)


@settings(max_examples=40)
@given(classes(), st.sampled_from([0.1, 0.3, 0.6]))
def test_guess_and_check(case, eps):
    one, target = case
    p_tilde = float(one.prior[target])
    for n in SIZES:
        found = float(one.set_probabilities(n) @ one.share_above(target, eps))
        at = dict(eps=eps, n=n, p_tilde=p_tilde)
        sharp, plain = theory.GUESS_AND_CHECK_SHARP(**at), theory.GUESS_AND_CHECK(**at)
        assert found <= sharp * (1 + 1e-12) and sharp <= plain
    enough = math.ceil(theory.GUESS_AND_CHECK_EXAMPLES(eps=eps, p_tilde=p_tilde, delta=0.05))
    assert theory.GUESS_AND_CHECK(eps=eps, n=enough, p_tilde=p_tilde) <= 0.05


@settings(max_examples=40)
@given(classes(), st.floats(0.02, 0.5))
def test_the_marginal_likelihood_bounds_the_gibbs_error(case, delta):
    one, target = case
    error, mass = one.gibbs_error(target), one.mass(target)
    for n in SIZES:
        chances = one.set_probabilities(n)
        # the equality of which the bound is a consequence
        weights = np.where(one.errors(target) < 1, 1 - one.errors(target), np.inf) ** -float(n)
        mean = float(chances @ one.mass(target, weights))
        assert mean == pytest.approx(one.prior[one.errors(target) < 1].sum(), rel=1e-10)
        limit = theory.MARGINAL_LIKELIHOOD(mass=mass, n=float(n), delta=delta)
        assert float(chances @ (error > limit + 1e-12)) <= delta
        maurer = theory.MARGINAL_LIKELIHOOD_MAURER(mass=mass, n=float(n), delta=delta)
        assert np.all(limit <= maurer)


@settings(max_examples=30)
@given(classes(inputs=3))
def test_information_bounds(case):
    one, target = case
    for n in (1, 2, 3):
        learner = one.learner(target, n)
        conditional = one.conditional_information(target, n)
        bounds = [
            theory.MUTUAL_INFORMATION(mutual=learner.mutual, n=n),
            theory.SINGLE_EXAMPLE_INFORMATION(single=learner.single),
            theory.CONDITIONAL_INFORMATION(conditional=conditional, n=n),
            theory.CONDITIONAL_INFORMATION_ZERO(conditional=conditional, n=n),
        ]
        assert learner.error <= min(bounds) + 1e-12
        # independent examples: the parts say less than the whole; the pairs hide at most it
        assert n * learner.single <= learner.mutual + 1e-12
        assert conditional <= min(learner.mutual, n * math.log(2)) + 1e-12
        limit = theory.VERSION_SPACE_INFORMATION(code_length=learner.code_length)
        assert learner.mutual <= limit + 1e-12


def test_no_free_lunch_for_every_target():
    labels = (np.arange(16)[:, None] >> np.arange(4)) & 1
    one = theory.EnumeratedClass(labels)
    for target in range(16):
        errors = np.round(4 * one.errors(target)).astype(int)
        mass = one.mass(target)
        for k in range(3):
            # trained on the inputs 0 and 1, so that T = 2
            below = one.mass(target, errors <= k)[0b11] / mass[0b11]
            assert -math.log(below) == pytest.approx(theory.BOOLEAN(T=2, k=k), abs=1e-12)


@pytest.mark.parametrize("target", [0, 5, 7])
def test_parities(target):
    """n = 3 bits: I(eps) = (n - rank) log 2 for every eps below 1/2."""
    points = np.arange(8)
    one = theory.EnumeratedClass([[(int(s & x)).bit_count() % 2 for x in points] for s in range(8)])
    for vectors, rank in (((), 0), ((3,), 1), ((3, 5), 2), ((3, 5, 6), 2), ((1, 2, 4), 3)):
        sample = sum(1 << x for x in vectors)
        for eps in (0.0, 0.49):
            share = 1 - one.share_above(target, eps)[sample]
            assert -math.log(share) == pytest.approx(theory.PARITY(n=3, rank=rank), abs=1e-12)


@pytest.mark.parametrize(
    ("labels", "prior", "match"),
    [
        ([[0, 2]], None, "table of 0 and 1"),
        ([0, 1], None, "table of 0 and 1"),
        (np.zeros((1, 17)), None, "17 inputs"),
        ([[0, 1]], [0.0], "not all zero"),
        ([[0, 1]], [1.0, 1.0], "1 non-negative weights"),
        ([[0, 1]], [math.nan], "non-negative"),
    ],
)
def test_bad_classes(labels, prior, match):
    with pytest.raises(InputError, match=match):
        theory.EnumeratedClass(labels, prior)
