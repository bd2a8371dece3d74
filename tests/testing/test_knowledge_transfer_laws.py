"""Correct students, risks and bounds pass every law; strategies give what they promise."""

import itertools
import math
from functools import partial

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from tlstat.errors import InputError
from tlstat.knowledge_transfer import (
    Teacher,
    enumerate_risk,
    exact_risk,
    expected_missing_mass,
    hard_label_student,
    partial_label_student,
    soft_label_student,
    theory,
    tv_risk,
    weighted_label_student,
)
from tlstat.knowledge_transfer.estimators import LEVELS, STUDENTS, unnormalised_label_student
from tlstat.testing import BrokenLaw, check_laws, check_student, finite_teachers, label_counts
from tlstat.testing.knowledge_transfer import (
    Sample,
    check_exact_risk,
    check_lower_bound,
    check_risk,
    check_upper_bound,
    enumeration,
    exact_risk_laws,
    lower_bound_laws,
    risk_laws,
    student_laws,
    upper_bound_laws,
)
from tlstat.testing.knowledge_transfer.strategies import problems

EXAMPLES = 20
TINY = Teacher([0.3, 0.7], [[0.2, 0.8, 0.0], [0.1, 0.3, 0.6]])


def at(bound, *names):
    """A bound as a function of teacher and sample size."""
    return lambda teacher, n: bound(
        **{name: getattr(teacher, name) for name in names}, n=n, outside="nan"
    )


# ---------------------------------------------------------------- what is correct passes


@pytest.mark.parametrize(
    ("level", "law"),
    [pytest.param(level, law, id=f"{level}-{law.name}") for level in LEVELS
     for law in student_laws(level)],
)  # fmt: skip
def test_students_obey_every_law(level, law):
    assert check_student(STUDENTS[level], level, laws=[law], max_examples=EXAMPLES) == []


@pytest.mark.parametrize("level", LEVELS)
def test_another_guess_keeps_the_laws_that_need_no_symmetry(level):
    student = partial(STUDENTS[level], fill="first-unseen")
    check_student(student, level, symmetric=False, max_examples=20)
    broken = check_laws(student, student_laws(level), max_examples=20, collect=True, shrink=False)
    assert {"relabelling", "guess"} <= {found.law.name for found in broken}


@pytest.mark.parametrize("level", LEVELS)
def test_a_procedure_need_not_minimise_anything(level):
    def smoothed(counts, teacher_probs):
        return (counts + 0.5) / (counts.sum(axis=-1, keepdims=True) + 0.5 * counts.shape[-1])

    check_student(smoothed, level, minimiser=False, max_examples=20)
    doubling = [law for law in student_laws(level) if law.name == "doubling"]
    with pytest.raises(BrokenLaw, match="the law 'doubling' is broken"):
        check_student(smoothed, level, laws=doubling)


def test_without_weights_the_weighted_student_is_the_hard_one():
    check_student(partial(weighted_label_student, gamma=0), "hard", max_examples=20)


@pytest.mark.parametrize("z0", [-np.inf, 0.0])
def test_unnormalised_logits_are_a_procedure_but_no_minimiser(z0):
    student = partial(unnormalised_label_student, z0=z0)
    check_student(student, "partial", minimiser=False, max_examples=10)
    exact = [law for law in student_laws("partial") if law.name == "squared log error"]
    with pytest.raises(BrokenLaw, match="squared log error [0-9.e-]+ on a label"):
        check_laws(student, exact, shrink=False)


@given(finite_teachers(), st.integers(0, 50), st.floats(0.01, 0.99))
def test_splitting_an_input_is_no_invariance(teacher, n, share):
    """Two inputs with the same row instead of one: more may be missed, never less."""
    rho = np.append(teacher.rho, (1 - share) * teacher.rho[0])
    rho[0] *= share
    split = Teacher(rho, np.vstack([teacher.pi, teacher.pi[:1]]))
    assert exact_risk(split, n, "soft") >= exact_risk(teacher, n, "soft") - 1e-12


def test_a_student_of_single_samples_is_checked_through_vectorize():
    def one(counts, probs):
        seen = counts.sum(axis=1) > 0
        return np.where(seen[:, None], probs, 1 / counts.shape[1])

    check_student(np.vectorize(one, signature="(s,a),(s,a)->(s,a)"), "soft", max_examples=20)


def test_the_risk_obeys_every_law():
    assert check_risk(tv_risk, max_examples=EXAMPLES) == []


@pytest.mark.parametrize("level", ["hard", "partial", "soft"])
def test_closed_forms_obey_every_law(level):
    check_exact_risk(partial(exact_risk, level=level), level, max_examples=EXAMPLES)


UPPER_BOUNDS = [
    ("hard", at(theory.HARD_LABEL_UPPER, "S", "A")),
    ("hard", at(theory.HARD_LABEL_UPPER_PAPER, "S", "A")),
    ("partial", at(theory.PARTIAL_LABEL_UPPER, "S", "A")),
    ("partial", at(theory.PARTIAL_LABEL_UPPER_SHARP, "S", "A")),
    ("partial", expected_missing_mass),
    ("soft", at(theory.SOFT_LABEL_UPPER, "S")),
    ("soft", at(theory.SOFT_LABEL_MINIMAX, "S", "A")),
    ("weighted", lambda teacher, n: 1.0),
]


@pytest.mark.parametrize(("level", "bound"), UPPER_BOUNDS, ids=range(len(UPPER_BOUNDS)))
def test_upper_bounds_hold(level, bound):
    check_upper_bound(bound, level, max_examples=EXAMPLES)


LOWER_BOUNDS = [
    ("hard", theory.HARD_LABEL_LOWER),
    ("partial", theory.PARTIAL_LABEL_LOWER),
    ("weighted", theory.PARTIAL_LABEL_LOWER),
    ("soft", theory.SOFT_LABEL_LOWER),
]


@pytest.mark.parametrize(("level", "bound"), LOWER_BOUNDS, ids=[row[0] for row in LOWER_BOUNDS])
def test_lower_bounds_hold(level, bound):
    def value(S, A, n):
        return bound(S=S, A=A, n=n, outside="nan")

    check_lower_bound(value, level, max_examples=EXAMPLES)


# ------------------------------------------------------------------------- messages


def test_a_failure_can_be_pasted_into_a_test():
    def forgets(counts, teacher_probs):
        return np.where(counts > 0, teacher_probs, 0.0)

    with pytest.raises(BrokenLaw) as caught:
        check_student(forgets, "partial")
    lines = str(caught.value).splitlines()
    assert lines[0] == "the law 'laws' is broken: rows are probabilities that sum to one."
    assert lines[1].startswith("rows sum to: [")
    head, _, pasted = lines[2].partition("counterexample: ")
    sample = eval(pasted, {"Sample": Sample, "Teacher": Teacher})
    assert not head and len(lines) == 3
    assert (sample.teacher.S, sample.teacher.A) == (1, 2)
    with pytest.raises(AssertionError, match="rows sum to"):
        student_laws("partial")[0].check(forgets, sample)


def test_what_the_student_raises_is_shown():
    def refuses(counts, teacher_probs):
        raise KeyError("of its own")

    with pytest.raises(BrokenLaw, match=r"raised KeyError\('of its own'\)"):
        check_student(refuses, "hard")


@pytest.mark.parametrize(
    "laws_of",
    [student_laws, exact_risk_laws, upper_bound_laws, lower_bound_laws],
    ids=lambda f: f.__name__,
)
def test_an_unknown_level_is_refused(laws_of):
    with pytest.raises(InputError, match="level must be one of hard, weighted, partial, soft"):
        laws_of("firm")


def test_names_of_laws_are_unique():
    lists = [student_laws(level) for level in LEVELS] + [risk_laws()]
    lists += [upper_bound_laws(level) for level in LEVELS]
    for laws in lists:
        assert len({law.name for law in laws}) == len(laws)


def test_fewer_promises_mean_fewer_laws():
    for level in LEVELS:
        every = {law.name for law in student_laws(level)}
        least = {law.name for law in student_laws(level, minimiser=False, symmetric=False)}
        assert least == {"laws", "batch", "arguments", "information", "Bayes risk"}
        assert least < {law.name for law in student_laws(level, minimiser=False)} < every


# ----------------------------------------------------------------------- strategies


@given(finite_teachers(min_inputs=2, max_inputs=4, min_labels=3, max_labels=5))
def test_teachers_have_the_sizes_asked_for(teacher):
    assert isinstance(teacher, Teacher)
    assert 2 <= teacher.S <= 4 and 3 <= teacher.A <= 5


@given(finite_teachers(max_cells=6))
def test_the_number_of_cells_is_bounded(teacher):
    assert teacher.S * teacher.A <= 6


KINDS = {
    "point mass": lambda t: (t.pi == 1).any(),
    "uniform row": lambda t: t.A > 1 and (t.pi == 1 / t.A).all(axis=1).any(),
    "exact zero beside others": lambda t: ((t.pi == 0).any(axis=1) & (t.pi.max(axis=1) < 1)).any(),
    "input without mass": lambda t: (t.rho == 0).any() and (t.rho > 0).sum() > 1,
    "tiny probability": lambda t: ((t.pi > 0) & (t.pi < 1e-12)).any(),
    "flat but not uniform": lambda t: (np.ptp(t.pi, axis=1) < 0.3).any() and np.ptp(t.pi) > 0,
    "uniform inputs": lambda t: t.S > 2 and t.has_uniform_inputs,
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_teacher_is_drawn(kind):
    found = find(finite_teachers(), KINDS[kind], settings=settings(max_examples=2_000))
    assert KINDS[kind](found)


@given(st.data())
def test_counts_are_possible_under_the_teacher(data):
    teacher = data.draw(finite_teachers())
    counts = data.draw(label_counts(teacher, min_n=2, max_n=40))
    assert counts.shape == teacher.pi.shape and counts.dtype == np.int64
    assert 2 <= counts.sum() <= 40 and (counts >= 0).all()
    assert (counts[teacher.joint == 0] == 0).all()


def test_sample_sizes_of_all_magnitudes_are_drawn():
    for size in (lambda n: n == 0, lambda n: n == 1, lambda n: 50 < n < 500, lambda n: n > 10**5):
        assert size(find(problems(10**6), lambda p, size=size: size(p.n)).n)
    assert find(problems(0), lambda p: True).n == 0


@pytest.mark.parametrize("n", [0, 1, 3_000])
def test_every_sample_size_is_drawn(n):
    assert find(label_counts(TINY), lambda c: c.sum() == n).sum() == n


def test_a_rare_label_is_drawn_however_rare():
    teacher = Teacher([1.0], [[1e-200, 1 - 1e-200]])
    assert find(label_counts(teacher), lambda c: c[0, 0] > 0)[0, 0] > 0


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({"min_inputs": 0}, "bounds of sizes"),
        ({"min_inputs": 4, "max_inputs": 3}, "bounds of sizes"),
        ({"min_labels": 7}, "bounds of sizes"),
        ({"min_inputs": 2, "min_labels": 4, "max_cells": 7}, "max_cells must be at least"),
    ],
)
def test_impossible_sizes_are_refused(bounds, message):
    with pytest.raises(InputError, match=message):
        finite_teachers(**bounds)


@pytest.mark.parametrize("bounds", [{"min_n": -1}, {"min_n": 3, "max_n": 2}])
def test_impossible_sample_sizes_are_refused(bounds):
    with pytest.raises(InputError, match="0 <= min_n <= max_n must hold"):
        label_counts(TINY, **bounds)


# ---------------------------------------------------------------------- enumeration


def by_sequences(student, teacher, n):
    """Expected risk as a sum over all sequences of labelled inputs: nothing clever."""
    cells = [cell for cell in np.ndindex(teacher.pi.shape) if teacher.joint[cell] > 0]
    total = 0.0
    for sequence in itertools.product(cells, repeat=n):
        counts = np.zeros(teacher.pi.shape)
        for cell in sequence:
            counts[cell] += 1
        weight = math.prod(teacher.joint[cell] for cell in sequence)
        estimate = student(counts, teacher.pi)
        total += weight * 0.5 * (teacher.rho @ np.abs(estimate - teacher.pi).sum(axis=1))
    return total


@pytest.mark.parametrize("level", LEVELS)
def test_enumeration_is_the_sum_over_all_sequences(level):
    for n in range(5):
        found = enumeration.expected_risk(STUDENTS[level], TINY.rho, TINY.pi, n)
        assert found == pytest.approx(by_sequences(STUDENTS[level], TINY, n), abs=1e-13)
        assert found == pytest.approx(enumerate_risk(TINY, n, level), abs=1e-13)


def best_response_risk(rho, teachers, n, shows):
    """Bayes risk by brute force: one linear program for everything a sample may show."""
    import cvxpy as cp

    posterior = {}
    for index, pi in enumerate(teachers):
        joint = (rho[:, None] * pi).ravel()
        for sequence in itertools.product(np.flatnonzero(joint), repeat=n):
            key = shows(sequence, pi)
            weights = posterior.setdefault(key, np.zeros(len(teachers)))
            weights[index] += math.prod(joint[list(sequence)]) / len(teachers)
    total = 0.0
    for weights in posterior.values():
        student = cp.Variable(teachers.shape[1:], nonneg=True)
        loss = sum(
            w * 0.5 * cp.sum(cp.multiply(rho[:, None], cp.abs(student - pi)))
            for w, pi in zip(weights, teachers, strict=True)
            if w > 0
        )
        problem = cp.Problem(cp.Minimize(loss), [cp.sum(student, axis=1) == 1])
        total += problem.solve(solver=cp.CLARABEL)
    return total


def shows_labels(sequence, pi):
    return tuple(sorted(sequence))


def shows_partial(sequence, pi):
    return tuple(sorted((cell, pi.ravel()[cell]) for cell in sequence))


def shows_rows(sequence, pi):
    A = pi.shape[1]
    return tuple(sorted((cell // A, *pi[cell // A]) for cell in sequence))


@pytest.mark.parametrize("n", [1, 3])
def test_bayes_risks_are_those_of_the_best_response(n):
    """Each prior's Bayes risk against a linear program a sample, over all students."""
    one, two = np.ones(1), np.array([0.3, 0.7])
    pairs = enumeration.paired_vertices(1, 4, 0.6)
    subsets = enumeration.subset_vertices(1, 4, 2, 0.3)
    diracs = enumeration.dirac_vertices(2, 3)
    cases = [
        (one, pairs, shows_labels, enumeration.paired_bayes(1, 4, n, 0.6)),
        (one, subsets, shows_partial, enumeration.subset_bayes(1, 4, n, 2, 0.3)),
        (two, diracs, shows_rows, enumeration.dirac_bayes(two, 3, n)),
    ]
    for rho, teachers, shows, value in cases:
        assert best_response_risk(rho, teachers, n, shows) == pytest.approx(value, abs=1e-7)


def test_the_bayes_risk_is_attained_where_nothing_else_is_unknown():
    """The soft student is Bayes over deterministic teachers; the partial one where the common
    label is always seen; the hard one nowhere."""
    rho = np.array([0.3, 0.7])
    diracs = enumeration.dirac_vertices(2, 3)
    found = enumeration.average_risk(soft_label_student, rho, diracs, 3)
    assert found == pytest.approx(enumeration.dirac_bayes(rho, 3, 3), abs=1e-13)
    subsets = enumeration.subset_vertices(1, 4, 2, 0.01)
    found = enumeration.average_risk(partial_label_student, np.ones(1), subsets, 5)
    assert found == pytest.approx(enumeration.subset_bayes(1, 4, 5, 2, 0.01), abs=1e-6)
    pairs = enumeration.paired_vertices(1, 4, 0.6)
    for student in (hard_label_student, weighted_label_student):
        found = enumeration.average_risk(student, np.ones(1), pairs, 5)
        assert found > enumeration.paired_bayes(1, 4, 5, 0.6) + 0.01
