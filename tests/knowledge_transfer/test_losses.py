"""The losses: values by hand, zero conventions, and which student minimises which."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlstat.errors import InputError
from tlstat.knowledge_transfer import Teacher, loss, sample_counts, soft_label_student, students

COUNTS = np.array([[2, 1, 0], [0, 0, 0]])
PI = np.array([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]])
Q = np.array([[0.6, 0.1, 0.3], [1.0, 0.0, 0.0]])


def test_values_by_hand():
    log = np.log
    ratio = log(Q[0]) - log(PI[0])
    expected = {
        "hard": -2 * log(0.6) - log(0.1),
        "weighted": -2 * 0.5 * log(0.6) - 0.3 * log(0.1),
        "partial": 0.5 * (2 * ratio[0] ** 2 + ratio[1] ** 2),
        "soft": -3 * PI[0] @ ratio,
        "reverse": 3 * Q[0] @ ratio,
        "vanilla": 1.5 * (ratio**2).sum(),
    }
    for level, value in expected.items():
        assert loss(level, COUNTS, PI, Q) == pytest.approx(value, rel=1e-14), level
    assert loss("weighted", COUNTS, PI, Q, gamma=0) == pytest.approx(expected["hard"])


def test_zero_matches_zero_and_nothing_else():
    counts, pi = [[3, 0]], [[1.0, 0.0]]
    right, wrong = np.array([[1.0, 0.0]]), np.array([[0.9, 0.1]])
    for level in ("partial", "soft", "reverse", "vanilla"):
        assert loss(level, counts, pi, right) == 0
    assert loss("vanilla", counts, pi, wrong) == np.inf
    assert loss("reverse", counts, pi, wrong) == np.inf
    assert loss("soft", counts, pi, wrong) == pytest.approx(-3 * np.log(0.9))
    for level in ("hard", "soft", "vanilla"):
        assert loss(level, [[3, 1]], [[0.5, 0.5]], right) == np.inf


@given(st.integers(0, 2**32 - 1))
def test_whole_rows_have_one_minimiser_in_three_losses(seed):
    rng = np.random.default_rng(seed)
    pi = rng.dirichlet(np.full(4, 0.5), size=3)
    pi = np.where(rng.random(pi.shape) < 0.2, 0, pi)
    pi[:, 0] += pi.sum(axis=1) == 0
    teacher = Teacher(np.full(3, 1 / 3), pi / pi.sum(axis=1, keepdims=True))
    counts = sample_counts(teacher, 20, rng, 2)
    student = soft_label_student(counts, teacher.pi)
    rivals = rng.dirichlet(np.ones(4), size=(30, 1, 3))
    for level in ("soft", "reverse", "vanilla"):
        assert loss(level, counts, teacher.pi, student) == pytest.approx(0, abs=1e-12)
        assert (loss(level, counts, teacher.pi, rivals) >= 0).all()


def test_students_of_all_levels_minimise_their_loss():
    teacher = Teacher.dirichlet(4, 5, 2)
    counts = sample_counts(teacher, 40, np.random.default_rng(0), 3)
    rivals = np.random.default_rng(1).dirichlet(np.ones(5), size=(200, 1, 4))
    for level, student in students(counts, teacher.pi).items():
        mine = loss(level, counts, teacher.pi, student)
        assert mine.shape == (3,)
        assert (loss(level, counts, teacher.pi, rivals) >= mine - 1e-9).all(), level


def test_numpy_and_torch_agree():
    torch = pytest.importorskip("torch")
    for level in ("hard", "weighted", "partial", "soft", "reverse", "vanilla"):
        found = loss(level, torch.asarray(COUNTS), PI, torch.asarray(Q))
        assert isinstance(found, torch.Tensor)
        assert float(found) == pytest.approx(float(loss(level, COUNTS, PI, Q)), rel=1e-14)


def test_an_unknown_level_is_refused():
    with pytest.raises(InputError, match="level must be one of hard, weighted"):
        loss("firm", COUNTS, PI, Q)
