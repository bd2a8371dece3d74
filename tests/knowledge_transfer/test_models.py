"""Teachers, priors and the sampling of counts."""

import numpy as np
import pytest
from scipy import stats

from tlstat.backend import Random
from tlstat.errors import InputError
from tlstat.knowledge_transfer import Prior, Teacher, digits, minimax, sample_counts, tv_risk


def test_a_row_that_does_not_sum_to_one_is_named():
    with pytest.raises(InputError, match="row 1 of pi sums to 0.9"):
        Teacher([0.5, 0.5], [[0.5, 0.5], [0.5, 0.4]])


@pytest.mark.parametrize(
    ("rho", "pi", "message"),
    [
        ([0.5, 0.4], [[1.0], [1.0]], "rho sums to 0.9"),
        ([0.5, 0.5], [[1.5, -0.5], [0.5, 0.5]], r"pi\[0, 1\] is -0.5"),
        ([0.5, 0.5], [[np.nan, 1], [0.5, 0.5]], "NaN"),
        ([0.5, 0.5], [[1.0]], "2 inputs and pi has 1 rows"),
        ([[1.0]], [[1.0]], "dimension"),
        ([], [[1.0]], "dimension"),
    ],
)
def test_bad_teachers_are_refused(rho, pi, message):
    with pytest.raises(InputError, match=message):
        Teacher(rho, pi)


def test_a_teacher_is_frozen_and_hashable():
    teacher = Teacher.instance0(3, 4)
    with pytest.raises(ValueError):
        teacher.pi[0, 0] = 1
    assert hash(teacher) == hash(Teacher.instance0(3, 4))
    assert teacher == Teacher.instance0(3, 4) != Teacher.instance0(4, 3)


def test_instance_formulas():
    zero = Teacher.instance0(3, 4)
    assert zero.pi[0] == pytest.approx([0.125, 0.625, 0.125, 0.125])  # label 1 mod 4 of input 1
    assert zero.pi[2] == pytest.approx([0.125, 0.125, 0.125, 0.625])
    one = Teacher.instance1(4, 4, 100)
    assert one.pi[0] == pytest.approx(np.array([1.1, 0.9, 1.1, 0.9]) / 4)
    odd = Teacher.instance1(4, 5, 100)
    assert odd.pi[0, 4] == 0 and odd.pi[0, :4] == pytest.approx(one.pi[0])
    two = Teacher.instance2(4, 5, 99)
    assert two.pi[0] == pytest.approx([0.04, 0, 0.04, 0, 0.92])
    assert Teacher.instance2(4, 6, 99).pi[0] == pytest.approx([0.04, 0, 0.04, 0, 0.92, 0])
    three = Teacher.instance3(4, 5, 99)
    assert three.rho == pytest.approx([0.01, 0.01, 0.01, 0.97])
    assert np.array_equal(three.pi, two.pi)


def test_spread_of_a_teacher():
    assert Teacher.diracs([0, 2, 1], 3).xi == 0
    assert Teacher([1.0, 0.0], [[0.7, 0.3], [0.5, 0.5]]).xi == pytest.approx(0.6)
    teacher = Teacher([0.25, 0.75], [[0.7, 0.2, 0.1], [0.4, 0.3, 0.3]])
    assert teacher.xi == pytest.approx(1.2)
    assert teacher.xi_tilde == pytest.approx(1.0)  # 0.3 + 0.2 + 0.1 and 0.4 + 0.3 + 0.3
    assert teacher.root_rho == pytest.approx(0.5 + np.sqrt(0.75))
    deviations = [np.sqrt(0.21) + 0.4 + 0.3, np.sqrt(0.24) + 2 * np.sqrt(0.21)]
    assert teacher.spread == pytest.approx(0.5 * deviations[0] + np.sqrt(0.75) * deviations[1])
    assert (teacher.c_S, teacher.c_A) == pytest.approx((0.25, 0.1))
    assert Teacher.diracs([0, 1], 3).xi_tilde == Teacher.diracs([0, 1], 3).spread == 0


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Teacher.instance1(100, 10, 10), "n >= S"),
        (lambda: Teacher.instance2(100, 10, 10), "too small"),
        (lambda: Teacher.instance3(100, 3, 10), "n >= S - 1"),
        (lambda: Teacher.instance0(0, 3), "S must be"),
        (lambda: Teacher.instance0(3, 2.5), "A must be"),
        (lambda: Teacher.dirichlet(2, 2, 0, -1.0), "concentration"),
        (lambda: Teacher.diracs([0, 5], 3), "labels must lie"),
        (lambda: Teacher.from_cell({"instance": "9"}), "instance must be"),
        (lambda: Prior.from_cell({"prior": "flat"}), "prior must be"),
        (lambda: Prior.pairs(2, 3, 100), "A must be even"),
        (lambda: Prior.buddies(2, 4, 100), "A must be odd"),
        (lambda: digits(0), "S must be"),
        (lambda: digits(10, 11), "A must lie"),
        (lambda: Prior.pairs(2, 4, 100, gap=1.5), "gap must lie"),
        (lambda: Prior.deterministic(2, 3, 9, rho=[0.5, 0.6]), "rho sums to 1.1"),
        (lambda: sample_counts(Teacher.instance0(2, 2), -1, Random(0), 3), "n must be"),
        (lambda: sample_counts(Teacher.instance0(2, 2), 2.5, Random(0), 3), "n must be"),
        (lambda: sample_counts(Teacher.instance0(2, 2), True, Random(0), 3), "n must be"),
        (lambda: sample_counts(Teacher.instance0(2, 2), "9", Random(0), 3), "n must be"),
        (lambda: sample_counts(Teacher.instance0(2, 2), 9, Random(0), -3), "size must be"),
        (lambda: sample_counts(Prior.pairs(2, 4, 100), 9, Random(0), 3), "pi is missing"),
        (
            lambda: sample_counts(
                Teacher.instance0(2, 2), 9, Random(0), 3, pi=np.full((2, 2, 2), 0.5)
            ),
            r"pi has shape \(2, 2, 2\)",
        ),
    ],
)
def test_bad_parameters_are_refused(build, message):
    with pytest.raises(InputError, match=message):
        build()


@pytest.mark.parametrize("rng", [Random(7), np.random.default_rng(7)], ids=["Random", "numpy"])
def test_counts_have_the_multinomial_law(rng):
    """Chi-squared test of all cells of a tiny problem; false alarm 1e-6."""
    teacher = Teacher([0.3, 0.7], [[0.2, 0.8, 0.0], [0.1, 0.3, 0.6]])
    counts = sample_counts(teacher, 3, rng, 40_000)
    assert counts.shape == (40_000, 2, 3)
    assert (counts.sum(axis=(1, 2)) == 3).all() and (counts[:, 0, 2] == 0).all()
    tables, seen = np.unique(counts.reshape(-1, 6), axis=0, return_counts=True)
    p = stats.multinomial.pmf(tables, 3, teacher.joint.ravel())
    assert p.sum() == pytest.approx(1, abs=1e-3)
    large = 40_000 * p >= 5
    chi = ((seen - 40_000 * p) ** 2 / (40_000 * p))[large].sum()
    assert chi < stats.chi2.isf(1e-6, large.sum())


@pytest.mark.parametrize("rng", [Random(1), np.random.default_rng(1)], ids=["Random", "numpy"])
def test_a_trillion_draws_never_give_an_impossible_label(rng):
    n = 10**12
    teacher = Teacher.instance1(10, 11, n)
    counts = sample_counts(teacher, n, rng, 200)
    assert (counts[..., teacher.pi == 0] == 0).all()
    assert (counts.sum(axis=(1, 2)) == n).all()
    shares = counts.mean(axis=0) / n
    z = stats.norm.isf(1e-6 / 220)
    assert (np.abs(shares - teacher.joint) <= z * np.sqrt(teacher.joint / (200 * n)) + 1e-15).all()


def test_no_draws_give_no_counts():
    assert sample_counts(Teacher.instance0(2, 3), 0, Random(0), 4).sum() == 0
    assert sample_counts(Teacher.instance0(2, 3), 0, Random(0), 4, poissonised=True).sum() == 0


@pytest.mark.parametrize("array", ["numpy", "torch"])
def test_poissonised_counts_are_independent_poisson(array):
    """Chi-squared test of each cell and of the correlation; false alarm 1e-6 in all."""
    if array == "torch":
        pytest.importorskip("torch")
    size, n = 20_000, 5
    teacher = Teacher([0.3, 0.7], [[0.2, 0.8, 0.0], [0.1, 0.3, 0.6]])
    counts = sample_counts(teacher, n, Random(3, array), size, poissonised=True)
    counts = np.asarray(counts).reshape(size, 6)
    assert (counts[:, 2] == 0).all()
    mean = n * teacher.joint.ravel()
    for cell in (0, 1, 3, 4, 5):
        top = int(stats.poisson.ppf(1 - 20 / size, mean[cell]))
        seen = np.bincount(np.minimum(counts[:, cell], top + 1), minlength=top + 2)
        law = stats.poisson.pmf(np.arange(top + 1), mean[cell])
        expected = size * np.append(law, 1 - law.sum())
        assert stats.chisquare(seen, expected).pvalue > 1e-7
    correlation = np.corrcoef(counts[:, [0, 1, 3, 4, 5]].T)
    off = correlation[np.triu_indices(5, 1)]
    assert np.abs(off).max() < stats.norm.isf(1e-7 / 20) / np.sqrt(size)


def test_poissonised_missing_mass_has_its_own_mean():
    """``sum x exp(-nx)``, below the multinomial's by a factor of order 1/n; false alarm 1e-6."""
    teacher, n, size = Teacher.instance0(4, 5), 30, 20_000
    counts = sample_counts(teacher, n, Random(2), size, poissonised=True)
    missing = np.where(counts > 0, 0, teacher.joint).sum(axis=(1, 2))
    mean = (teacher.joint * np.exp(-n * teacher.joint)).sum()
    assert abs(missing.mean() - mean) < 4.9 * missing.std() / np.sqrt(size)


@pytest.mark.parametrize("poissonised", [False, True])
def test_numpy_and_torch_draw_the_same_counts(poissonised):
    pytest.importorskip("torch")
    teacher = Teacher.instance1(4, 5, 100)
    ours, theirs = (
        sample_counts(teacher, 50, Random(7, array), 30, poissonised=poissonised)
        for array in ("numpy", "torch")
    )
    np.testing.assert_array_equal(theirs.numpy(), ours)


def test_one_teacher_a_replicate():
    rng = Random(0)
    prior = Prior.deterministic(3, 4, 9)
    pi = prior.draw(rng, 50)
    counts = sample_counts(prior, 20, rng, 50, pi=pi)
    assert (counts[pi == 0] == 0).all() and (counts.sum(axis=(1, 2)) == 20).all()


@pytest.mark.parametrize(
    ("prior", "A", "instance"),
    [("pairs", 6, "1"), ("buddies", 7, "2"), ("subsets", 7, "2*"), ("deterministic", 7, None)],
)
def test_priors_draw_relabelled_instances(prior, A, instance):
    n, size = 400, 600
    law = Prior.from_cell({"prior": prior, "S": 3, "A": A, "n": n})
    pi = law.draw(Random(2), size)
    assert pi.shape == (size, 3, A)
    np.testing.assert_allclose(pi.sum(axis=-1), 1, atol=1e-12)
    if instance is None:
        assert set(np.unique(pi)) == {0.0, 1.0}
        assert law.rho[0] == pytest.approx(1 / (n + 1))
        frequency = pi.mean(axis=0)
        z = stats.norm.isf(1e-6 / (2 * frequency.size))
        assert (np.abs(frequency - 1 / A) < z * np.sqrt((1 / A) * (1 - 1 / A) / size)).all()
        return
    vertex = Teacher.from_cell({"instance": instance, "S": 3, "A": A, "n": n}).pi
    np.testing.assert_allclose(np.sort(pi, axis=-1), np.sort(vertex, axis=-1)[None].repeat(size, 0))
    on = (pi > np.median(vertex)) if prior == "pairs" else pi[..., :-1] > 0
    expected = 0.5 if prior != "subsets" else (vertex[0, :-1] > 0).mean()
    z = stats.norm.isf(1e-6 / (2 * on[0].size))
    wide = z * np.sqrt(expected * (1 - expected) / size)
    assert (np.abs(on.mean(axis=0) - expected) < wide).all()


def test_priors_run_on_torch():
    pytest.importorskip("torch")
    names = ["pairs", "pairs*", "dirichlet", "buddies", "subsets", "deterministic"]
    for name, A in zip([*names, "deterministic*"], [6, 6, 5, 7, 7, 5, 5], strict=True):
        law = Prior.from_cell({"prior": name, "S": 3, "A": A, "n": 400})
        rng = Random(2, "torch")
        pi = law.draw(rng, 10)
        counts = sample_counts(law, 50, rng, 10, pi=pi)
        assert counts.shape == pi.shape and int(counts.sum()) == 500


def test_the_digits_teacher_is_a_real_classifier():
    teacher = digits(50)
    assert (teacher.S, teacher.A) == (50, 10)
    assert (teacher.pi > 0).all() and (teacher.rho > 0).all()
    # some cells are pure, some ambiguous: neither uniform nor deterministic
    assert teacher.pi.max(axis=1).max() > 0.9 and teacher.pi.max(axis=1).min() < 0.8
    assert 0.05 < tv_risk(np.full((50, 10), 0.1), teacher) < 0.9
    assert digits(50) is teacher and digits(20, 3).A == 3


def test_worst_priors():
    S, A, n, size = 3, 6, 400, 2_000
    pairs = Prior.from_cell({"prior": "pairs*", "S": S, "A": A, "n": n}).draw(Random(1), 5)
    gap = minimax.best_pair_gap(S, A, n)
    np.testing.assert_allclose(np.unique(pairs.round(12)), [(1 - gap) / A, (1 + gap) / A])
    diracs = Prior.from_cell({"prior": "deterministic*", "S": S, "A": A, "n": n})
    np.testing.assert_allclose(diracs.rho, minimax.worst_input_law(S, n))
    pi = Prior.from_cell({"prior": "dirichlet", "S": S, "A": A, "n": n}).draw(Random(2), size)
    alpha = minimax.best_concentration(A, n, S)
    law = stats.beta(alpha, (A - 1) * alpha)  # of each probability
    assert stats.kstest(pi[:, 0, 0], law.cdf).pvalue > 1e-6
    assert Prior.dirichlet(2, 3, 10, 1e6).draw(Random(3), 4) == pytest.approx(1 / 3, abs=1e-2)
