"""Families with known risks: the risks by simulation and by enumeration, the reference's table."""

import numpy as np
import pytest
import torch
from scipy import stats

from tlstat.certificates import binomial_tail_inversion, finite_class, hoeffding, quantised_class
from tlstat.certificates.peft import (
    DigitsFamily,
    Gaussian,
    SignFamily,
    errors_of_each,
    fit_adapters,
    gradient_descent,
    gradient_descent_split,
    linear_pac_bayes,
)
from tlstat.errors import InputError

ALARM = 1e-7


@pytest.fixture(scope="module")
def sign():
    return SignFamily()


@pytest.fixture(scope="module")
def zoo(sign):
    return sign.upstream(400, 400, seed=1, steps=100, batch=100)


def test_the_frame_is_orthonormal_and_the_model_is_its_function(sign):
    np.testing.assert_allclose(sign.frame.T @ sign.frame, np.eye(17), atol=1e-12)
    theta = sign.tasks(3, 0).astype(np.float32)
    X = torch.randn(5, 32)
    for t in theta:
        np.testing.assert_allclose(
            sign.model.apply(t)(X)[:, 0], X.numpy() @ sign.weights(t), atol=1e-4
        )


def test_the_risk_is_an_angle(sign):
    """Against 4e5 fresh examples; the true task has the risk eta, its opposite 1 - eta."""
    tasks, thetas = sign.tasks(1, 3), sign.tasks(6, 4)
    n, rng = 400_000, np.random.default_rng(5)
    X = rng.standard_normal((n, 32), dtype=np.float32)
    y = (X @ sign.weights(tasks)[0] > 0) ^ (rng.random(n) < 0.05)
    wrong = ((X @ sign.weights(thetas).T.astype(np.float32) > 0) != y[:, None]).sum(0)
    risks = sign.risks(thetas, tasks)[0]
    for k, r in zip(wrong, risks, strict=True):
        assert stats.binomtest(int(k), n, r).pvalue > ALARM
    assert sign.risks(tasks, tasks)[0, 0] == pytest.approx(0.05)
    W = sign.weights(thetas)
    np.testing.assert_allclose(sign.weight_risks(-W, tasks), 1 - sign.weight_risks(W, tasks))


def test_the_curve_has_no_information_in_its_first_two_moments(sign):
    tasks = SignFamily(spread=0).tasks(20_000, 1)
    np.testing.assert_allclose(np.linalg.norm(tasks, axis=1), 3.0)
    np.testing.assert_allclose(tasks.mean(0), 0, atol=5 * np.sqrt(9 / 16 / 20_000))
    np.testing.assert_allclose(np.cov(tasks.T), 9 / 16 * np.eye(16), atol=0.03)


def test_the_rotation_interpolates_from_the_identity(sign):
    np.testing.assert_allclose(sign.rotation(0), np.eye(16), atol=1e-12)
    Q = sign.rotation(0.7)
    np.testing.assert_allclose(Q @ Q.T, np.eye(16), atol=1e-12)
    t = np.random.default_rng(0).standard_normal(16)
    assert t @ Q @ t == pytest.approx(np.cos(0.7) * (t @ t))
    np.testing.assert_allclose(sign.tasks(4, 1, rotation=0.7), sign.tasks(4, 1) @ Q.T)


def test_errors_and_episodes(sign):
    episodes = sign.episodes(sign.tasks(5, 1), 40, 2)
    assert episodes.X.shape == (5, 40, 32) and set(np.unique(episodes.y)) == {0, 1}
    thetas = sign.tasks(30, 9)
    margin = np.einsum("enp,mp->emn", episodes.X, sign.weights(thetas))
    expected = ((margin > 0) != episodes.y[:, None]).sum(2)
    np.testing.assert_array_equal(sign.errors(thetas, episodes), expected)
    own = errors_of_each(sign.model, thetas[:5], episodes.X, episodes.y)
    np.testing.assert_array_equal(own, np.diag(expected[:, :5]))


def test_the_zoo_has_the_certificates_of_the_reference(sign, zoo):
    """Zoo of 400, 400 episodes: .502/.581/.151 at n = 16, .266/.342/.112 at n = 64.

    Standard errors are .0034/.0025/.005 and .0024/.0016/.001 here and there; the zoos differ too.
    """
    upstream = np.diag(sign.risks(zoo, sign.tasks(400, 1))).mean()
    assert upstream == pytest.approx(0.0975, abs=0.002)
    for n, expected, tolerance in ((16, (0.502, 0.581, 0.151), (0.022, 0.016, 0.03)),
                                   (64, (0.266, 0.342, 0.112), (0.015, 0.010, 0.008))):  # fmt: skip
        episodes = sign.episodes(sign.tasks(400, 2 + n), n, 3 + n)
        k, risks = sign.errors(zoo, episodes), sign.risks(zoo, episodes.tasks)
        found = []
        for bound in (binomial_tail_inversion, hoeffding):
            found.append(finite_class(k, n, bound, delta=0.05, candidates=400, clip=False).min(1))
        true = np.take_along_axis(risks, k.argmin(1)[:, None], 1)[:, 0]
        means = [v.mean() for v in (*found, true)]
        assert np.all(np.abs(np.array(means) - expected) < tolerance), means
        # validity, at a false alarm of 1e-6
        assert np.sum(true > found[0]) <= stats.binom.isf(1e-6, 400, 0.05)


def test_the_normal_prior_is_no_better_than_noise(sign, zoo):
    """The normal law has .423/.284 at n = 64 and M = 1e4 in the reference."""
    thetas = Gaussian().fit(zoo).sample(10_000, 1)
    episodes = sign.episodes(sign.tasks(60, 11), 64, 12)
    k, risks = sign.errors(thetas, episodes), sign.risks(thetas, episodes.tasks)
    limit = finite_class(k, 64, binomial_tail_inversion, delta=0.05, candidates=10_000).min(1)
    true = np.take_along_axis(risks, k.argmin(1)[:, None], 1)[:, 0]
    assert limit.mean() == pytest.approx(0.423, abs=0.025)
    assert true.mean() == pytest.approx(0.284, abs=0.04)


def test_gradient_descent_has_the_certificates_of_the_reference(sign):
    """Eq. 7 with d = 16 on 60 episodes: .501, true .215, at n = 64; split .390, true .259."""
    episodes = sign.episodes(sign.tasks(60, 21), 64, 22)
    trained = gradient_descent(sign.model, episodes.X, episodes.y, steps=150)
    risks = np.diag(sign.risks(trained.thetas, episodes.tasks))
    np.testing.assert_allclose(
        trained.limit, quantised_class(trained.k, 64, 16, delta=0.05, clip=False)
    )
    assert trained.limit.mean() == pytest.approx(0.501, abs=0.02)
    assert risks.mean() == pytest.approx(0.215, abs=0.035)
    split = gradient_descent_split(sign.model, episodes.X, episodes.y, steps=150)
    assert split.n == 32
    np.testing.assert_array_equal(split.limit, binomial_tail_inversion(split.k, 32, delta=0.05))
    risks = np.diag(sign.risks(split.thetas, episodes.tasks))
    assert risks.mean() == pytest.approx(0.259, abs=0.04)
    assert np.sum(risks > split.limit) <= stats.binom.isf(1e-6, 60, 0.05)


def test_linear_pac_bayes_certifies_the_randomised_classifier(sign):
    episodes = sign.episodes(sign.tasks(40, 31), 64, 32)
    found = linear_pac_bayes(episodes.X, episodes.y, steps=100)
    assert 0.5 < found.limit.mean() < 0.7
    rng, violations = np.random.default_rng(0), 0
    for w, scale, limit, task in zip(*found, episodes.tasks, strict=True):
        draws = scale * w + rng.standard_normal((500, 32))
        violations += sign.weight_risks(draws, task[None]).mean() > limit
    assert violations <= stats.binom.isf(1e-6, 40, 0.05)


# ------------------------------------------------------------------------ digits


@pytest.fixture(scope="module", params=["rand", "perm"])
def digits(request):
    return DigitsFamily(request.param)


def test_the_images_are_split_and_the_classifier_reads_them(digits):
    (X, d), (P, e) = digits.upstream_images, digits.pool
    assert X.shape == (900, 64) and P.shape == (897, 64) and P.max() <= 1
    together = np.unique(np.vstack([X, P]), axis=0)
    assert len(together) == 1797 and np.bincount(np.concatenate([d, e])).min() > 170
    right = digits.classifier(torch.as_tensor(P)).argmax(1).numpy() == e
    assert right.mean() > 0.95
    readout = digits.backbone[-1].weight
    torch.testing.assert_close(readout @ readout.T, 4 * torch.eye(5), rtol=1e-5, atol=1e-5)
    assert digits.model.dim == 64


def test_tasks_have_two_digits_a_class_and_parities_are_halves(digits):
    tasks = digits.tasks(200, 1)
    assert np.all([np.bincount(t, minlength=5) == 2 for t in tasks])
    even = {tuple(t) for t in digits.tasks(150, 2, "even")}
    odd = {tuple(t) for t in digits.tasks(150, 3, "odd")}
    assert not even & odd
    if digits.kind == "perm":
        every, half = digits.every_task(), digits.every_task("odd")
        assert len({tuple(t) for t in every}) == digits.size == 120 and len(half) == 60
        assert odd <= {tuple(t) for t in half} and not even & {tuple(t) for t in half}
    else:
        assert digits.size == 113_400
        with pytest.raises(InputError, match="expected perm"):
            digits.every_task()
    # a swap of the digits of one class is the same task; a swap of two classes is another parity
    with pytest.raises(InputError, match="expected all, even or odd"):
        digits.tasks(1, 0, "half")


def test_risks_and_errors_are_counts(digits):
    thetas = 0.7 * np.random.default_rng(0).standard_normal((25, 64)).astype(np.float32)
    tasks = digits.tasks(6, 1)
    predicted, (X, d) = digits.predictions(thetas), digits.pool
    table = np.stack([digits.model.apply(t)(torch.as_tensor(X)).argmax(1) for t in thetas])
    assert np.mean(table == predicted.labels.T) > 0.9999  # equal up to rounding at ties
    expected = (predicted.labels.T[None] != tasks[:, d][:, None]).mean(2)
    np.testing.assert_allclose(digits.risks(predicted, tasks), expected, atol=1e-12)
    episodes = digits.episodes(tasks, 50, 2)
    np.testing.assert_array_equal(episodes.y, tasks[np.arange(6)[:, None], d[episodes.at]])
    wrong = predicted.labels.T[None, :, :][:, :, episodes.at[0]] != episodes.y[0]
    np.testing.assert_array_equal(digits.errors(predicted, episodes)[0], wrong[0].sum(1))


def test_upstream_fits_solve_their_tasks():
    family = DigitsFamily("perm")
    tasks = family.tasks(12, 1)
    zoo = family.upstream(tasks, steps=120)
    risks = np.diag(family.risks(family.predictions(zoo), tasks))
    assert risks.mean() < 0.15 and zoo.shape == (12, 64)
    np.testing.assert_array_equal(family.upstream(tasks, steps=120), zoo)


# ---------------------------------------------------------------------------- fits


def test_fits_reach_the_minimum_of_a_convex_loss(sign):
    """Newton's method on the same penalised logistic loss, task by task."""
    episodes = sign.episodes(sign.tasks(3, 1), 80, 2)
    ridge = 0.01
    fits = fit_adapters(sign.model, (episodes.X, episodes.y), steps=600, ridge=ridge)
    base, basis = sign.frame[:, 0], sign.frame[:, 1:]
    for X, y, found in zip(episodes.X.astype(float), episodes.y, fits.thetas, strict=True):
        t, Z = np.zeros(16), X @ basis
        for _ in range(50):
            p = 1 / (1 + np.exp(-(X @ base + Z @ t)))
            g = Z.T @ (p - y) / 80 + 2 * ridge * t
            t -= np.linalg.solve(
                Z.T @ ((p * (1 - p))[:, None] * Z) / 80 + 2 * ridge * np.eye(16), g
            )
        np.testing.assert_allclose(found, t, atol=2e-3)
    wrong = errors_of_each(sign.model, fits.thetas, episodes.X, episodes.y)
    np.testing.assert_allclose(fits.error_rates, wrong / 80, rtol=1e-6)


def test_tasks_of_different_sizes_are_fitted_as_if_alone(sign):
    episodes = sign.episodes(sign.tasks(3, 1), 30, 2)
    pairs = [(episodes.X[i, :n], episodes.y[i, :n]) for i, n in enumerate((30, 12, 21))]
    together = fit_adapters(sign.model, pairs, steps=40, memory=1)
    for i, pair in enumerate(pairs):
        alone = fit_adapters(sign.model, [pair], steps=40)
        torch.testing.assert_close(together.thetas[i], alone.thetas[0], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(together.error_rates[i], alone.error_rates[0])


def test_shared_inputs_are_the_same_as_repeated_ones(digits):
    X, d = digits.upstream_images
    y = digits.tasks(2, 1)[:, d[:40]]
    shared = fit_adapters(digits.model, (X[:40], y), steps=10)
    repeated = fit_adapters(digits.model, [(X[:40], t) for t in y], steps=10)
    torch.testing.assert_close(shared.thetas, repeated.thetas, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "tasks, text",
    [
        ([], "tasks is empty"),
        ("abc", "expected a list of pairs"),
        ([1], "tasks[0] is no pair"),
        ([(np.ones((2, 32)), [0, 1]), (np.ones((2, 31)), [0, 1])], "inputs as in tasks[0]"),
        ([(np.ones((2, 32)), [0, 2])], "labels 0 to 1"),
        ([(np.ones((2, 32)), [0])], "y of tasks[0] has shape (1,)"),
        ((np.ones((3, 2, 32)), np.zeros((2, 2))), "(T, n, ...) and (T, n)"),
        ([(np.full((2, 32), np.inf), [0, 1])], "X of tasks[0] has a NaN or an infinite value"),
    ],
    ids=range(8),
)
def test_bad_tasks(sign, tasks, text):
    with pytest.raises(InputError) as error:
        fit_adapters(sign.model, tasks)
    assert text in str(error.value)


@pytest.mark.parametrize(
    "make, text",
    [
        (lambda: SignFamily(dim=15), "an even number below 32"),
        (lambda: SignFamily(noise=0.5), "a probability in [0, 1/2)"),
        (lambda: SignFamily(radius=0), "radius is 0"),
        (lambda: DigitsFamily("pairs"), "expected rand or perm"),
        (lambda: gradient_descent_split(SignFamily().model, np.ones((1, 1, 32)), [[1]]), "n >= 2"),
        (lambda: linear_pac_bayes(np.ones((2, 3)), np.ones(2)), "expected (E, n, p) and (E, n)"),
    ],
    ids=range(6),
)
def test_bad_settings(make, text):
    with pytest.raises(InputError) as error:
        make()
    assert text in str(error.value)
