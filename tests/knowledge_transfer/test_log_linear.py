"""Log-linear students: certified fits against cvxpy and closed forms, and Proposition H.2."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import approx_fprime, minimize

from tlstat.errors import InputError
from tlstat.knowledge_transfer import LogLinear, Teacher, sample_counts, students, theory, tv_bound
from tlstat.knowledge_transfer.losses import loss


def problem(seed, S=6, A=4, d=3):
    rng = np.random.default_rng(seed)
    model = LogLinear(rng.normal(size=(S, A, d)))
    theta = rng.normal(size=d)
    return model, theta, Teacher(rng.dirichlet(np.full(S, 3.0)), model.probs(theta)), rng


def distance(p, q):
    return 0.5 * np.abs(p - q).sum(axis=-1)


def test_probabilities_are_a_softmax():
    model, theta, _, rng = problem(0)
    logits = model.features @ theta
    weights = np.exp(logits)
    assert model.probs(theta) == pytest.approx(weights / weights.sum(axis=1, keepdims=True))
    many = rng.normal(size=(2, 5, 3))
    assert model.probs(many).shape == (2, 5, 6, 4)
    assert model.probs(many)[1, 3] == pytest.approx(model.probs(many[1, 3]))
    assert model.radius == pytest.approx(np.linalg.norm(model.features, axis=2).max())
    assert np.isfinite(model.log_probs(1e6 * theta)).all()


@pytest.mark.parametrize("level", ["hard", "weighted", "soft"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cross_entropies_against_cvxpy(level, seed):
    import cvxpy as cp

    model, _, teacher, rng = problem(seed)
    counts = sample_counts(teacher, 60, rng, 1)[0]
    weights = {
        "hard": counts,
        "weighted": counts * teacher.pi,
        "soft": counts.sum(axis=1, keepdims=True) * teacher.pi,
    }[level]
    theta = cp.Variable(3)
    terms = []
    for s in range(6):
        logits = model.features[s] @ theta
        terms.append(weights[s].sum() * cp.log_sum_exp(logits) - weights[s] @ logits)
    optimum = cp.Problem(cp.Minimize(sum(terms) / weights.sum())).solve(solver=cp.CLARABEL)
    fit = model.solve(counts, teacher.pi, level)
    assert fit.is_global and fit.gradient < 1e-8
    assert fit.loss == pytest.approx(optimum, abs=1e-7)
    assert fit.theta == pytest.approx(theta.value, abs=3e-3)


@pytest.mark.parametrize("level", ["hard", "weighted", "partial", "soft"])
def test_fits_are_stationary_points_of_the_losses(level):
    """The gradient by finite differences of `loss`, which knows nothing of the class."""
    model, _, _, rng = problem(4)
    teacher = Teacher.dirichlet(6, 4, 8)  # not in the class
    counts = sample_counts(teacher, 200, rng, 1)[0]
    fit = model.solve(counts, teacher.pi, level)

    def total(theta):
        return loss(level, counts, teacher.pi, model.probs(theta)) / 200

    assert np.abs(approx_fprime(fit.theta, total, 1e-6)).max() < 1e-4
    nearby = fit.theta + 0.01 * rng.normal(size=(50, 3))
    assert all(total(theta) >= total(fit.theta) for theta in nearby)
    if level == "partial":
        assert not fit.is_global and fit.loss == pytest.approx(total(fit.theta), rel=1e-9)


def test_the_weighted_loss_doubles_the_parameter():
    """In the class the population's minimiser is (1 + gamma) theta, whatever the inputs' law."""
    for seed in (5, 6):
        model, theta, teacher, _ = problem(seed)
        for gamma in (0.0, 0.5, 1.0, 2.0):
            fit = model.solve(teacher.joint, teacher.pi, "weighted", gamma=gamma)
            assert fit.theta == pytest.approx((1 + gamma) * theta, abs=1e-6)
    assert model.solve(teacher.joint, level="hard").theta == pytest.approx(theta, abs=1e-6)
    assert model.solve(teacher.joint, teacher.pi, "soft").theta == pytest.approx(theta, abs=1e-6)
    assert model.solve(teacher.joint, teacher.pi, "partial").theta == pytest.approx(theta, abs=1e-6)


def test_partial_labels_are_noiseless_equations():
    """Generic features: exact recovery with a few more different pairs than coordinates."""
    S, A, d = 100, 5, 8
    model, theta, teacher, rng = problem(7, S, A, d)
    for pairs, exact in [(4, False), (12, True)]:
        for _ in range(10):
            counts = np.zeros((S, A))
            counts[rng.permutation(S)[:pairs], rng.integers(0, A, size=pairs)] = 1
            fit = model.solve(counts, teacher.pi, "partial")
            assert fit.is_global  # the equations hold, of which there may be too few
            error = distance(model.probs(fit.theta), teacher.pi).mean()
            assert (error < 1e-9) == exact


def test_without_a_class_the_fits_are_the_students():
    model = LogLinear.tabular(2, 3)
    counts = np.array([[4, 2, 1], [1, 3, 5]])
    pi = Teacher.dirichlet(2, 3, 1, 3.0).pi
    for level, law in students(counts, pi).items():
        assert model.probs(model.fit(counts, pi, level)) == pytest.approx(law, abs=1e-7)


def test_what_is_wrong_shows_in_different_limits():
    """Misspecified: cross-entropy goes to the closest law in KL, squared errors elsewhere."""
    model, _, _, _ = problem(9)
    teacher = Teacher.dirichlet(6, 4, 3)

    def divergence(theta):
        log_ratio = np.log(teacher.pi) - model.log_probs(theta)
        return (teacher.joint * log_ratio).sum()

    projection = minimize(divergence, np.zeros(3), method="BFGS", options={"gtol": 1e-9}).x
    hard = model.solve(teacher.joint, level="hard").theta
    squared = model.solve(teacher.joint, teacher.pi, "partial").theta
    assert hard == pytest.approx(projection, abs=1e-5)
    assert divergence(squared) > divergence(hard) + 1e-3


def test_batches_are_fitted_one_by_one():
    model, _, teacher, rng = problem(10)
    counts = sample_counts(teacher, 80, rng, 6).reshape(2, 3, 6, 4)
    for level in ("hard", "partial"):
        theta = model.fit(counts, teacher.pi, level)
        assert theta.shape == (2, 3, 3)
        assert theta[1, 2] == pytest.approx(model.fit(counts[1, 2], teacher.pi, level))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LogLinear(np.zeros((2, 3))), "features must have shape"),
        (lambda: LogLinear(np.full((1, 2, 1), np.nan)), "features must be finite"),
        (lambda: LogLinear.tabular(1, 2).probs([1.0]), r"theta must have shape \(..., 2\)"),
        (lambda: LogLinear.tabular(1, 2).solve([[0, 0]]), "nothing to fit"),
        (lambda: LogLinear.tabular(1, 2).solve([[1, 2, 3]]), "counts has shape"),
        (lambda: LogLinear.tabular(1, 2).solve([[1, 2]], level="firm"), "level must be"),
        (lambda: LogLinear.tabular(1, 2).solve([[1, 2]], level="soft"), "teacher_probs is missing"),
        (lambda: LogLinear.tabular(1, 2).solve([[5, 0]]), "no minimiser"),
        (lambda: LogLinear.tabular(2, 2).solve([[5, 3], [0, 2]]), "no minimiser"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_almost_separable_labels_have_a_fit():
    fit = LogLinear.tabular(1, 2).solve([[10**9, 1]])
    assert fit.theta[0] - fit.theta[1] == pytest.approx(np.log(1e9), rel=1e-7)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.01, 0.3, 2.0, 20.0]))
def test_total_variation_of_log_linear_laws(seed, size):
    model, theta, _, rng = problem(seed, A=int(seed % 5) + 2)
    change = size * rng.normal(size=3)
    tv = distance(model.probs(theta), model.probs(theta + change))
    sharp = tv_bound(model, change)
    assert (tv <= sharp + 1e-12).all()
    assert sharp.max() <= theory.LOG_LINEAR_UPPER_SHARP(
        M=model.radius, distance=np.linalg.norm(change)
    )
    assert np.array_equal(sharp, tv_bound(model.features, change))


def test_the_range_bound_is_attained_with_two_labels():
    features = np.array([[[0.5], [-0.5]]])
    model = LogLinear(features)
    for R in (0.1, 1.0, 5.0):
        tv = distance(model.probs([-R / 2]), model.probs([R / 2]))
        assert tv == pytest.approx(tv_bound(features, [R]), rel=1e-13)
        assert tv == pytest.approx(theory.LOG_LINEAR_UPPER_RANGE(R=R), rel=1e-13)


def test_half_the_constant_of_the_proposition_is_best_possible():
    model, change = LogLinear([[[1.0], [-1.0]]]), 1e-4
    tv = distance(model.probs([-change / 2]), model.probs([change / 2]))[0]
    ratio = tv / theory.LOG_LINEAR_UPPER(M=1.0, distance=change)
    assert ratio == pytest.approx(0.5, rel=1e-6)
