"""The four students: closed forms, invariances, orderings, errors, numpy against torch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlstat.backend import Random
from tlstat.errors import InputError
from tlstat.knowledge_transfer import (
    Teacher,
    hard_label_student,
    partial_label_student,
    sample_counts,
    soft_label_student,
    students,
    theory,
    tv_risk,
    unnormalised_label_student,
    weighted_label_limit,
    weighted_label_student,
)
from tlstat.knowledge_transfer.estimators import LEVELS, STUDENTS

EPS = 1e-12


@st.composite
def problems(draw):
    """A random teacher (sparse to flat, with exact zeros) and a sample of counts."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    S, A = draw(st.integers(1, 6)), draw(st.integers(2, 8))
    n = draw(st.sampled_from([0, 1, 2, 5, 20, 100, 3_000]))
    concentration = draw(st.sampled_from([0.02, 0.2, 1.0, 20.0]))
    pi = rng.dirichlet(np.full(A, concentration), size=S)
    pi = np.where(rng.random(pi.shape) < draw(st.sampled_from([0, 0.4])), 0, pi)
    pi[:, 0] += pi.sum(axis=1) == 0
    rho = rng.dirichlet(np.full(S, concentration)) + 1e-300
    teacher = Teacher(rho / rho.sum(), pi / pi.sum(axis=1, keepdims=True))
    return teacher, n, sample_counts(teacher, n, rng, 20)


@given(problems())
def test_students_are_laws_and_keep_what_they_know(problem):
    teacher, _, counts = problem
    for level, student in students(counts, teacher.pi).items():
        assert student.shape == counts.shape
        assert (student >= 0).all()
        np.testing.assert_allclose(student.sum(axis=-1), 1, atol=1e-9, err_msg=level)
    seen = counts > 0
    partial = partial_label_student(counts, teacher.pi)
    assert np.array_equal(partial[seen], np.broadcast_to(teacher.pi, counts.shape)[seen])


@given(problems())
def test_risks_are_ordered_sample_by_sample(problem):
    teacher, _, counts = problem
    risk = {k: tv_risk(v, teacher) for k, v in students(counts, teacher.pi).items()}
    missing = np.where(counts > 0, 0, teacher.joint).sum(axis=(1, 2))
    assert (risk["soft"] <= risk["partial"] + EPS).all()
    assert (risk["partial"] <= risk["hard"] + EPS).all()
    assert (risk["partial"] <= risk["weighted"] + EPS).all()
    assert (risk["partial"] <= missing + EPS).all()
    assert all(((value >= 0) & (value <= 1 + EPS)).all() for value in risk.values())


@given(problems(), st.integers(0, 2**32 - 1))
def test_relabelling_changes_nothing(problem, seed):
    teacher, _, counts = problem
    rng = np.random.default_rng(seed)
    labels = np.argsort(rng.random(teacher.pi.shape), axis=1)
    inputs = rng.permutation(teacher.S)

    def moved(x):
        order = np.broadcast_to(labels, x.shape)
        return np.take_along_axis(x, order, axis=-1)[..., inputs, :]

    other = Teacher(teacher.rho[inputs], moved(teacher.pi))
    for level in LEVELS:
        before = students(counts, teacher.pi, (level,))[level]
        after = students(moved(counts), other.pi, (level,))[level]
        np.testing.assert_allclose(after, moved(before), atol=EPS)
        np.testing.assert_allclose(tv_risk(after, other), tv_risk(before, teacher), atol=EPS)


@given(problems())
def test_doubling_the_sample_changes_no_student(problem):
    teacher, _, counts = problem
    for level in LEVELS:
        once, twice = (students(c, teacher.pi, (level,))[level] for c in (counts, 2 * counts))
        np.testing.assert_allclose(once, twice, atol=EPS)


@given(problems())
def test_one_more_draw_never_hurts_soft_and_partial(problem):
    teacher, _, counts = problem
    s, a = np.unravel_index(np.argmax(teacher.joint), teacher.pi.shape)
    more = counts.copy()
    more[:, s, a] += 1
    for student in (soft_label_student, partial_label_student):
        before, after = (tv_risk(student(c, teacher.pi), teacher) for c in (counts, more))
        assert (after <= before + EPS).all()


@given(problems(), st.integers(0, 2**32 - 1))
def test_students_minimise_their_losses(problem, seed):
    """No random law has a smaller loss at an input that was seen; squared log error is zero."""
    teacher, _, counts = problem
    counts, pi = counts[0], teacher.pi
    rivals = np.random.default_rng(seed).dirichlet(np.ones(teacher.A), size=(50, teacher.S))
    weights = {
        "hard": counts,
        "weighted": counts * pi,
        "soft": pi * (counts.sum(axis=1, keepdims=True) > 0),
    }
    for level, weight in weights.items():
        fitted = students(counts, pi, (level,))[level]

        def loss(law, weight=weight):
            safe = np.where(weight > 0, law, 1)
            with np.errstate(divide="ignore"):
                return -(weight * np.log(safe)).sum(axis=(-2, -1))

        assert (loss(rivals) >= loss(fitted) - 1e-9).all(), level
    partial = partial_label_student(counts, pi)
    assert (np.log(partial[counts > 0]) == np.log(pi[counts > 0])).all()


@given(problems())
def test_without_normalisation_the_distance_is_the_missing_mass(problem):
    """Logits that start at minus infinity: all mass on the labels seen, at a seen input."""
    teacher, _, counts = problem
    student = unnormalised_label_student(counts, teacher.pi)
    missing = np.where(counts > 0, 0, teacher.pi).sum(axis=-1)
    distance = 0.5 * np.abs(student - teacher.pi).sum(axis=-1)
    seen = counts.sum(axis=-1) > 0
    np.testing.assert_allclose(distance[seen], missing[seen], atol=EPS)
    np.testing.assert_allclose(student[~seen], 1 / teacher.A)
    assert (
        tv_risk(partial_label_student(counts, teacher.pi), teacher)
        <= (tv_risk(student, teacher) + EPS)
    ).all()


@pytest.mark.parametrize("z0", [-3.0, 0.0, 2.0, 800.0])
def test_a_finite_start_is_biased_where_labels_are_impossible(z0):
    """The softmax by hand, and what is left when all possible labels were seen."""
    counts, pi = np.array([[2, 1, 0, 0]]), np.array([[0.7, 0.3, 0.0, 0.0]])
    student = unnormalised_label_student(counts, pi, z0=z0)[0]
    extra = np.exp(min(z0, 700.0))
    weights = np.array([0.7, 0.3, extra, extra])
    assert student == pytest.approx(weights / weights.sum(), rel=1e-12, abs=1e-300)
    bias = 0.5 * np.abs(student - pi[0]).sum()
    assert bias == pytest.approx(theory.UNNORMALISED_LABEL_BIAS(K_0=2, z_0=min(z0, 700)))
    assert unnormalised_label_student([[0, 0]], [[0.9, 0.1]], z0=z0).tolist() == [[0.5, 0.5]]


def test_a_finite_start_does_no_lasting_harm_where_all_labels_are_possible():
    teacher = Teacher.dirichlet(3, 4, 5, 3.0)
    counts = sample_counts(teacher, 10**6, Random(1), 1)
    assert (counts > 0).all()
    student = unnormalised_label_student(counts, teacher.pi, z0=1.0)
    np.testing.assert_allclose(student[0], teacher.pi, rtol=1e-14)


def test_raw_logits_lose_the_share_of_the_unseen():
    """Teacher logits off by a constant: harmless once all labels of an input were seen."""
    pi = np.array([[0.5, 0.3, 0.2]])
    shifted = np.log(pi) + 1.5
    for counts, same in [([[1, 2, 1]], True), ([[1, 2, 0]], False)]:
        seen = np.array(counts) > 0
        law = np.exp(np.where(seen, shifted, -1.0))
        from_raw = law / law.sum()
        ours = unnormalised_label_student(counts, pi, z0=-1.0)
        assert np.allclose(from_raw, ours) == same


def test_nothing_seen_gives_the_guess():
    counts = np.zeros((2, 3, 4))
    pi = Teacher.dirichlet(3, 4, 0).pi
    law = np.array([0.1, 0.2, 0.3, 0.4])
    guesses = {"uniform": np.full(4, 0.25), "first-unseen": np.eye(4)[0]}
    for level in STUDENTS:
        for fill, guess in guesses.items():
            student = students(counts, pi, (level,), fill=fill)[level]
            np.testing.assert_allclose(student, np.broadcast_to(guess, counts.shape), atol=EPS)
        student = students(counts, pi, (level,), fill=law)[level]
        np.testing.assert_allclose(student, np.broadcast_to(law, counts.shape), atol=EPS)


def test_fill_rules_share_the_missing_mass():
    counts = np.array([[3, 0, 0, 0]])
    pi = np.array([[0.4, 0.3, 0.2, 0.1]])
    assert partial_label_student(counts, pi)[0] == pytest.approx([0.4, 0.2, 0.2, 0.2])
    first = partial_label_student(counts, pi, fill="first-unseen")
    assert first[0] == pytest.approx([0.4, 0.6, 0, 0])
    prior = partial_label_student(counts, pi, fill=[0.7, 0.1, 0.2, 0.0])
    assert prior[0] == pytest.approx([0.4, 0.2, 0.4, 0.0])
    no_mass = partial_label_student(counts, pi, fill=[1.0, 0, 0, 0])
    assert no_mass[0] == pytest.approx([0.4, 0.2, 0.2, 0.2])


def test_weighted_student_is_the_hard_one_where_it_is_consistent():
    counts = np.array([[4, 2, 0], [0, 7, 0]])
    pi = np.array([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0]])
    np.testing.assert_allclose(weighted_label_student(counts, pi), hard_label_student(counts))
    other = Teacher.dirichlet(2, 3, 1).pi
    np.testing.assert_allclose(
        weighted_label_student(counts, other, gamma=0), hard_label_student(counts)
    )


@pytest.mark.parametrize("gamma", [0.5, 1.0, 3.0])
def test_weighted_student_goes_to_a_power_of_the_teacher(gamma):
    teacher = Teacher.dirichlet(4, 5, 2)
    n = 10**12
    counts = sample_counts(teacher, n, Random(3), 1)
    student = weighted_label_student(counts, teacher.pi, gamma=gamma)[0]
    limit, bias = weighted_label_limit(teacher, gamma)
    np.testing.assert_allclose(student, limit, atol=1e-4)
    assert bias > 0.01


def test_tiny_probabilities_do_not_underflow():
    counts = np.array([[5, 3]])
    pi = np.array([[1e-200, 1 - 1e-200]])
    assert np.isfinite(weighted_label_student(counts, pi, gamma=4.0)).all()
    only_rare = weighted_label_student(np.array([[5, 0]]), pi, gamma=4.0)
    assert only_rare[0] == pytest.approx([1, 0])


def test_numpy_and_torch_students_agree():
    torch = pytest.importorskip("torch")
    teacher = Teacher.instance1(6, 9, 500)
    counts = sample_counts(teacher, 60, Random(5), 40)
    fills = ["uniform", "first-unseen", np.full(9, 1 / 9)]
    for fill in fills:
        for level in STUDENTS:
            ours = students(counts, teacher.pi, (level,), fill=fill)[level]
            theirs = students(torch.asarray(counts), teacher.pi, (level,), fill=fill)[level]
            assert isinstance(theirs, torch.Tensor)
            np.testing.assert_allclose(theirs.numpy(), ours, rtol=1e-14, atol=1e-16)
            np.testing.assert_allclose(
                tv_risk(theirs, teacher).numpy(), tv_risk(ours, teacher), rtol=1e-13
            )


def test_lists_and_integers_are_accepted():
    student = hard_label_student([[1, 3], [0, 0]])
    assert student.tolist() == [[0.25, 0.75], [0.5, 0.5]]


@pytest.mark.parametrize(
    ("counts", "probs", "message"),
    [
        ([[1, -1]], [[0.5, 0.5]], "counts must be finite and non-negative"),
        ([[1, np.nan]], [[0.5, 0.5]], "counts must be finite and non-negative"),
        ([1, 2], [[0.5, 0.5]], r"counts must have shape \(\.\.\., S, A\)"),
        ([[1, 2]], [[0.5, 0.3, 0.2]], "teacher_probs has shape"),
        ([[1, np.inf]], [[0.5, 0.5]], "counts must be finite"),
        ([[1, 2]], [[0.5, 0.6]], "row 0 sums to 1.1"),
        ([[1, 2], [0, 1]], [[0.5, 0.5], [0.5, 0.4]], "row 1 sums to 0.9"),
        ([[1, 2]], [[1.5, -0.5]], r"non-negative, got -0.5 at \[0, 1\]"),
        ([[1, 2]], [[np.nan, 1.0]], r"non-negative, got nan at \[0, 0\]"),
        ([[1, 2]], [[1.0, 0.0]], r"counts\[0, 1\] is positive.*probability zero"),
        ([[1, 2]], None, "teacher_probs is missing"),
        ([[1, 2]], [0.5, 0.25, 0.25], "teacher_probs has shape"),
        ([[[1, 2], [3, 4]]], [[0.5, 0.5]] * 3, "teacher_probs has shape"),
    ],
)
def test_bad_samples_are_refused(counts, probs, message):
    told = (
        weighted_label_student,
        partial_label_student,
        soft_label_student,
        unnormalised_label_student,
    )
    for student in told:
        with pytest.raises(InputError, match=message):
            student(counts, probs)


def test_bad_samples_are_refused_on_torch():
    torch = pytest.importorskip("torch")
    counts = torch.tensor([[1, 2], [0, 1]])
    with pytest.raises(InputError, match="row 1 sums to 0.9"):
        soft_label_student(counts, np.array([[0.5, 0.5], [0.5, 0.4]]))
    with pytest.raises(InputError, match="got nan"):
        soft_label_student(counts, torch.tensor([[0.5, 0.5], [0.5, float("nan")]]))
    with pytest.raises(InputError, match="counts must be finite and non-negative, got -1"):
        hard_label_student(torch.tensor([[1, -1]]))


def test_bad_options_are_refused():
    counts, pi = [[1, 2]], [[0.5, 0.5]]
    with pytest.raises(InputError, match="fill must be"):
        hard_label_student(counts, fill="nearest")
    with pytest.raises(InputError, match="row of fill must sum to 1; it sums to 1.4"):
        hard_label_student(counts, fill=[0.7, 0.7])
    with pytest.raises(InputError, match="fill has shape"):
        hard_label_student(counts, fill=[0.5, 0.25, 0.25])
    with pytest.raises(InputError, match="gamma"):
        weighted_label_student(counts, pi, gamma=-1)
    with pytest.raises(InputError, match="z0 must be"):
        unnormalised_label_student(counts, pi, z0=np.inf)
    with pytest.raises(InputError, match="z0 must be"):
        unnormalised_label_student(counts, pi, z0=np.nan)
    with pytest.raises(InputError, match="levels"):
        students(counts, pi, ("firm",))
    with pytest.raises(InputError, match="last two axes"):
        tv_risk(np.ones((2, 3)) / 3, Teacher([1.0], [[0.5, 0.5]]))
