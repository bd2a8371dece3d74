"""Kernel and linear spaces: exact values of the reference run, closed forms, other libraries."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest, ncx2, ortho_group
from sklearn.datasets import load_digits
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF

from tlstat.errors import InputError
from tlstat.inductive_bias import FiniteLaw, KernelSpace, LinearSpace, kernels


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    train, test = order[:500], order[500:700]
    Y = np.eye(10)[y]
    return X[train] / 16, Y[train], X[test] / 16, Y[test]


# 500 training and 200 test digits, one-hot, noise-free RBF: condition number, mean squared error
# of the posterior mean, mean and standard deviation of the error
DIGITS = {
    0.3: (1.4, 0.0982, 1.0976, 0.0346),
    1.0: (1.6e2, 0.0131, 0.5845, 0.0203),
    2.0: (1.8e4, 0.0106, 0.0983, 0.0040),
    4.0: (8.5e5, 0.0138, 0.0192, 0.00057),
}
# nats at fractions of the mean error
EXACT = {
    1.0: {0.95: 2.627, 0.8: 22.401, 0.6: 99.925, 0.4: 286.49, 0.2: 750.44, 0.1: 1324.2,
          0.05: 1956.2, 0.01: 3515.9, 1e-10: 21924.062, 1e-40: 91001.615},
    2.0: {0.9: 5.36, 0.8: 17.77, 0.4: 239.6, 0.1: 1200.3, 0.01: 3354.7},
    0.3: {0.01: 3623.7},
}  # fmt: skip


@pytest.mark.parametrize("sigma", DIGITS)
def test_digits_have_the_moments_of_the_reference_run(digits, sigma):
    X, Y, X_test, Y_test = digits
    space = KernelSpace(kernels.rbf(sigma)).condition(X, Y)
    condition, mse, mean, std = DIGITS[sigma]
    posterior, _ = space.posterior(X_test)
    law = space.error_law(X_test, Y_test)
    assert space.describe()["condition_number"] == pytest.approx(condition, rel=0.05)
    assert np.mean((posterior - Y_test) ** 2) == pytest.approx(mse, abs=6e-5)
    assert law.mean() == pytest.approx(mean, abs=6e-5)
    assert law.std() == pytest.approx(std, rel=0.02)


@pytest.mark.parametrize("sigma", EXACT)
def test_digits_have_the_bias_of_the_reference_run(digits, sigma):
    X, Y, X_test, Y_test = digits
    law = KernelSpace(kernels.rbf(sigma)).condition(X, Y).error_law(X_test, Y_test)
    for fraction, nats in EXACT[sigma].items():
        # as many digits as were printed
        places = len(str(nats).partition(".")[2])
        assert -law.logcdf(fraction * law.mean()) == pytest.approx(nats, abs=0.51 * 10.0**-places)


# unit sphere, 200 training and 200 test points, scalar target: E e, nats at 0.01 and 0.001,
# and at a hundredth of the mean
SPHERE = {5: (6.6e-4, 0, 0, 192), 8: (0.0238, 16.1, 164.6, 298), 12: (0.0955, 105.5, 315.8, 320)}


def sphere(d):
    Z = np.random.default_rng(0).standard_normal((400, d))
    Z /= np.linalg.norm(Z, axis=1)[:, None]
    y = Z[:, 0] * math.sqrt(d) / 2 + d * Z[:, 0] * Z[:, 1] / 2
    return Z[:200], y[:200] / y.std(), Z[200:], y[200:] / y.std()


@pytest.mark.parametrize("d", SPHERE)
def test_spheres_have_the_bias_of_the_reference_run(d):
    X, y, X_test, y_test = sphere(d)
    law = KernelSpace(kernels.rbf(1.0), jitter=1e-8).condition(X, y).error_law(X_test, y_test)
    mean, at_2, at_3, relative = SPHERE[d]
    assert law.mean() == pytest.approx(mean, rel=0.1)
    # that run had other draws of the sphere
    assert -law.logcdf(0.01) == pytest.approx(at_2, rel=0.2, abs=0.1)
    assert -law.logcdf(0.001) == pytest.approx(at_3, rel=0.1, abs=0.1)
    assert -law.logcdf(0.01 * law.mean()) == pytest.approx(relative, rel=0.05)


# ------------------------------------------------------------------ independent computations


def problem(n=12, m=9, C=2, seed=0):
    rng = np.random.default_rng(seed)
    return (
        rng.standard_normal((n, 3)),
        rng.standard_normal((n, C)),
        rng.standard_normal((m, 3)),
        rng.standard_normal((m, C)),
    )


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_the_posterior_is_that_of_scikit_learn(noise):
    X, Y, X_test, _ = problem()
    ours = KernelSpace(kernels.rbf(0.8), noise=noise).condition(X, Y).posterior(X_test)
    other = GaussianProcessRegressor(RBF(0.8), alpha=max(noise, 1e-15), optimizer=None)
    mean, covariance = other.fit(X, Y).predict(X_test, return_cov=True)
    np.testing.assert_allclose(ours[0], mean, atol=1e-9)
    np.testing.assert_allclose(ours[1], covariance[..., 0], atol=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_law_has_the_moments_of_the_quadratic_form(weighted):
    X, Y, X_test, Y_test = problem()
    space = KernelSpace(kernels.rbf(0.8)).condition(X, Y)
    w = np.random.default_rng(1).dirichlet(np.ones(9)) if weighted else np.full(9, 1 / 9)
    law = space.error_law(X_test, Y_test, weights=w if weighted else None)
    mean, S = space.posterior(X_test)
    gap, D = mean - Y_test, np.diag(w) / 2
    assert law.mean() == pytest.approx(np.sum(w @ gap**2) / 2 + 2 * np.trace(D @ S), rel=1e-10)
    variance = 2 * 2 * np.trace(D @ S @ D @ S) + 4 * np.trace(gap.T @ D @ S @ D @ gap)
    assert law.var() == pytest.approx(variance, rel=1e-10)


def test_sampled_functions_and_errors_follow_the_law():
    X, Y, X_test, Y_test = problem()
    space = KernelSpace(kernels.rbf(0.8)).condition(X, Y)
    law = space.error_law(X_test, Y_test)
    f = space.sample_functions(X_test, 0, 4000)
    for errors in (
        ((f - Y_test) ** 2).mean(axis=(1, 2)),
        space.sample_errors(X_test, Y_test, 1, 4000),
        space.draw(X_test, Y_test, 2, 4000, pointwise=True).errors.mean(axis=1),
        space.latent(X_test, Y_test).score(np.random.default_rng(3).standard_normal((4000, 18))),
    ):
        assert kstest(errors, law.cdf).pvalue > 1e-6


def test_sampling_is_chunked_without_effect_on_the_law(monkeypatch):
    from tlstat.inductive_bias.spaces import gaussian

    X, Y, X_test, Y_test = problem()
    space = KernelSpace("rbf").condition(X, Y)
    monkeypatch.setattr(gaussian, "CHUNK", 100)
    errors = space.sample_errors(X_test, Y_test, 0, 3001)
    assert errors.shape == (3001,)
    assert kstest(errors, space.error_law(X_test, Y_test).cdf).pvalue > 1e-6


def test_torch_samples_the_same_law():
    from tlstat.backend import Random

    X, Y, X_test, Y_test = problem()
    space = KernelSpace("rbf").condition(X, Y)
    host = space.sample_errors(X_test, Y_test, Random(1), 500)
    tensor = space.sample_errors(X_test, Y_test, Random(1, "torch"), 500)
    np.testing.assert_allclose(tensor.numpy(), host, rtol=1e-12)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_samples_the_same_law():
    from tlstat.backend import Random

    X, Y, X_test, Y_test = problem()
    space = KernelSpace("rbf").condition(X, Y)
    drawn = space.sample_errors(X_test, Y_test, Random(1, "torch", "cuda"), 20_000)
    assert drawn.device.type == "cuda"
    law = space.error_law(X_test, Y_test)
    assert kstest(drawn.cpu().numpy(), law.cdf).pvalue > 1e-6


def test_a_repeated_test_point_is_a_weight_of_two():
    X, Y, X_test, Y_test = problem()
    space = KernelSpace("rbf").condition(X, Y)
    again = np.r_[0, np.arange(9)]
    spectrum = space.spectrum(X_test[again], Y_test[again])
    w = np.r_[2.0, np.ones(8)]
    x = 0.3 * spectrum.law().mean()
    assert spectrum.clipped == 1
    expected = space.error_law(X_test, Y_test, weights=w).logcdf(x)
    assert spectrum.law().logcdf(x) == pytest.approx(expected, abs=1e-8)


def test_rotated_outputs_leave_the_law_alone():
    X, Y, X_test, Y_test = problem(C=3)
    turn = ortho_group.rvs(3, random_state=0)
    a = KernelSpace("rbf").condition(X, Y).error_law(X_test, Y_test)
    b = KernelSpace("rbf").condition(X, Y @ turn).error_law(X_test, Y_test @ turn)
    assert b.logcdf(0.2 * a.mean()) == pytest.approx(a.logcdf(0.2 * a.mean()), abs=1e-9)


def test_fresh_label_noise_is_part_of_the_error():
    X, Y, X_test, Y_test = problem()
    space = KernelSpace("rbf").condition(X, Y)
    law = space.spectrum(X_test, Y_test, label_noise=0.5).law()
    f = space.sample_functions(X_test, 0, 4000)
    labels = Y_test + math.sqrt(0.5) * np.random.default_rng(1).standard_normal(f.shape)
    assert kstest(((f - labels) ** 2).mean(axis=(1, 2)), law.cdf).pvalue > 1e-6


def test_on_a_fine_grid_the_error_is_that_in_L2():
    # Brownian motion tied down at 1 is the bridge; its integrated square is the limit of the
    # Cramer-von Mises statistic, whose quantiles Anderson and Darling (1952) tabulate
    def brownian(X, Z):
        return np.minimum(X, Z.T)

    bridge = KernelSpace(brownian).condition([[1.0]], [0.0])
    grid = (np.arange(600) + 0.5)[:, None] / 600
    spectrum = bridge.spectrum(grid, np.zeros(600))
    np.testing.assert_allclose(
        spectrum.weights[::-1][:5], 1 / (math.pi * np.arange(1, 6)) ** 2, rtol=1e-4
    )
    law = spectrum.law()
    for p, quantile in ((0.9, 0.34730), (0.95, 0.46136), (0.99, 0.74346)):
        assert law.cdf(quantile) == pytest.approx(p, abs=3e-5)


def test_weights_of_a_grid_are_a_quadrature():
    def brownian(X, Z):
        return np.minimum(X, Z.T)

    nodes, weights = np.polynomial.legendre.leggauss(60)
    space = KernelSpace(brownian).condition([[1.0]], [0.0])
    X = (nodes[:, None] + 1) / 2
    law = space.error_law(X, np.zeros(60), weights=weights)
    assert law.mean() == pytest.approx(1 / 6, rel=1e-10)


# ------------------------------------------------------------------ numerically hard kernels


def test_repeated_training_points_change_nothing():
    X, Y, X_test, Y_test = problem()
    once = KernelSpace("rbf").condition(X, Y)
    twice = KernelSpace("rbf").condition(np.vstack([X, X[:4]]), np.vstack([Y, Y[:4]]))
    told = twice.describe()
    assert told["rank"] == 12 and told["n"] == 16 and told["jitter"] == 0
    assert told["condition_number"] > 1e15 and told["train_residual"] < 1e-12
    x = 0.2 * once.error_law(X_test, Y_test).mean()
    expected = once.error_law(X_test, Y_test).logcdf(x)
    assert twice.error_law(X_test, Y_test).logcdf(x) == pytest.approx(expected, abs=1e-7)


def test_conflicting_labels_are_refused_with_the_condition_number():
    X, Y, _, _ = problem()
    with pytest.raises(InputError, match=r"no hypothesis fits.*rank 12 of 13.*condition number"):
        KernelSpace("rbf").condition(np.vstack([X, X[:1]]), np.vstack([Y, Y[:1] + 1]))
    fits = KernelSpace("rbf", noise=0.1).condition(np.vstack([X, X[:1]]), np.vstack([Y, Y[:1] + 1]))
    assert fits.describe()["train_residual"] > 0.01


def test_an_indefinite_kernel_is_refused_unless_jitter_lifts_it():
    def distance(X, Z):
        return 2.0 - np.abs(X - Z.T) ** 2

    X, y = np.linspace(0, 2, 6)[:, None], np.arange(6.0)
    with pytest.raises(InputError, match=r"indefinite.*eigenvalue -.*jitter above"):
        KernelSpace(distance).condition(X, y)
    lifted = KernelSpace(distance, jitter=20.0).condition(X, y).describe()
    assert lifted["jitter"] == 40.0 and lifted["smallest_eigenvalue"] < 0


def test_too_little_jitter_is_refused():
    X, y = np.zeros((3, 1)), np.ones(3)
    with pytest.raises(InputError, match="jitter 0 leaves a singular matrix: rank 1 of 3"):
        KernelSpace("rbf", jitter=0.0).condition(X, y)


@pytest.mark.parametrize("jitter", [1e-8, 1e-4, 1e-2])
def test_jitter_is_noise_relative_to_the_mean_diagonal(jitter):
    X, Y, X_test, Y_test = problem()
    a = KernelSpace("rbf", jitter=jitter, variance=3.0).condition(X, Y)
    b = KernelSpace("rbf", noise=3.0 * jitter, variance=3.0).condition(X, Y)
    x = 0.2 * a.error_law(X_test, Y_test).mean()
    found = a.error_law(X_test, Y_test).logcdf(x)
    assert found == pytest.approx(b.error_law(X_test, Y_test).logcdf(x), rel=1e-9)
    assert a.describe()["jitter"] == pytest.approx(3 * jitter)


def test_ill_conditioned_kernels_agree_with_high_precision():
    import mpmath

    X, x_test = np.linspace(0, 1, 9), 0.43
    with mpmath.workdps(60):
        K = mpmath.matrix(
            [[mpmath.exp(-(mpmath.mpf(float(a - b)) ** 2) / 2) for b in X] for a in X]
        )
        k = mpmath.matrix([mpmath.exp(-(mpmath.mpf(float(a - x_test)) ** 2) / 2) for a in X])
        y = mpmath.matrix([mpmath.sin(float(a)) for a in X])
        mean = (k.T * mpmath.lu_solve(K, y))[0]
        variance = 1 - (k.T * mpmath.lu_solve(K, k))[0]
    space = KernelSpace("rbf").condition(X, np.sin(X))
    told = space.describe()
    assert told["condition_number"] > 1e12
    found = space.posterior([[x_test]])
    assert found[0][0, 0] == pytest.approx(float(mean), abs=1e-7)
    # the true variance is below what rounding leaves, and is not taken for more than that
    assert float(variance) < 1e-15
    assert abs(found[1][0, 0]) < 9 * 2.3e-16 * 2
    assert space.spectrum([[x_test]], [math.sin(x_test)]).clipped == 1


def test_where_nothing_is_left_to_vary_the_law_is_a_point():
    rng = np.random.default_rng(0)
    X, X_test = rng.standard_normal((8, 3)), rng.standard_normal((4, 3))
    theta = np.array([1.0, -2.0, 0.5])
    space = KernelSpace(kernels.polynomial(1, offset=0.0)).condition(X, X @ theta)
    law = space.error_law(X_test, X_test @ theta + 1.0)
    assert isinstance(law, FiniteLaw)
    assert law.mean() == pytest.approx(1.0, rel=1e-10)
    assert space.describe()["rank"] == 3


# ------------------------------------------------------------------ linear spaces


def test_linear_regression_is_a_scaled_noncentral_chi_square():
    rng = np.random.default_rng(0)
    X, theta = rng.standard_normal((10, 30)), 0.3 * rng.standard_normal(30)
    tau = 0.7
    law = LinearSpace(tau).population_law(X, X @ theta, theta)
    seen = np.linalg.svd(X, full_matrices=False)[2]
    free = theta - seen.T @ (seen @ theta)
    for q in (1e-3, 0.5, 0.99):
        x = tau**2 * ncx2.ppf(q, 20, free @ free / tau**2)
        assert law.cdf(x) == pytest.approx(q, rel=1e-9)


def test_the_growth_law_of_linear_regression():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((10, 30))
    basis = np.linalg.svd(X)[2]
    theta = math.sqrt(3) * basis[-1] + 2.0 * basis[0]
    law = LinearSpace().population_law(X, X @ theta, theta)
    exact = -law.logcdf(0.5)
    growth = 10 * math.log(20 / (math.e * 0.5)) + 0.5 * math.log(20 * math.pi) + 1.5
    assert exact == pytest.approx(30.66, abs=0.005)
    assert growth == pytest.approx(30.46, abs=0.005)


def test_a_linear_space_on_many_test_points_tends_to_its_population_law():
    rng = np.random.default_rng(2)
    X, theta = rng.standard_normal((5, 8)), 0.4 * rng.standard_normal(8)
    S = np.diag(np.linspace(0.5, 2, 8))
    space = LinearSpace(1.2, noise=0.1)
    y = X @ theta + 0.3 * rng.standard_normal(5)
    law = space.population_law(X, y, theta, covariance=S)
    # points and weights that have exactly these second moments
    points = np.sqrt(8 * np.diag(S)) * np.eye(8)
    finite = space.condition(X, y).error_law(points, points @ theta)
    for x in (0.3 * law.mean(), law.mean()):
        assert finite.logcdf(x) == pytest.approx(law.logcdf(x), abs=1e-8)


@settings(max_examples=25)
@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_any_orthonormal_frame_of_inputs_is_the_population(n, seed):
    rng = np.random.default_rng(seed)
    X, theta = rng.standard_normal((n, 6)), rng.standard_normal(6)
    law = LinearSpace().population_law(X, X @ theta, theta)
    frame = math.sqrt(6) * ortho_group.rvs(6, random_state=seed % 2**31)
    finite = LinearSpace().condition(X, X @ theta).error_law(frame, frame @ theta)
    x = 0.5 * law.mean()
    assert finite.logcdf(x) == pytest.approx(law.logcdf(x), abs=1e-5)


def test_labels_that_no_linear_function_has_are_refused():
    X = np.ones((3, 2)) * [[1.0], [2.0], [3.0]]
    with pytest.raises(InputError, match="no hypothesis fits"):
        LinearSpace().condition(X, [1.0, 2.0, 4.0])
    with pytest.raises(InputError, match="no linear function fits"):
        LinearSpace().population_law(X, [1.0, 2.0, 4.0], [1.0, 1.0])


# ------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: KernelSpace("rbf", noise=-1), "noise is -1"),
        (lambda: KernelSpace("rbf", jitter="some"), "jitter is 'some'.*or 'auto'"),
        (lambda: KernelSpace("rbf", variance=0), "variance is 0; expected a number above 0"),
        (lambda: LinearSpace(0), "tau is 0"),
        (lambda: LinearSpace(noise=math.inf), "noise is inf"),
        (lambda: KernelSpace().condition([[0.0]], [math.nan]), r"y_train\[0\] is nan"),
        (lambda: KernelSpace().condition([[0.0], [math.inf]], [0, 1]), r"X_train\[1, 0\] is inf"),
        (lambda: KernelSpace().condition([[0.0], [1.0]], [0, 1, 2]), r"y_train has shape \(3,\)"),
        (lambda: KernelSpace().condition([[0.0], [1.0]], ["a", "b"]), "one_hot"),
        (lambda: KernelSpace().condition([["a"]], [1]), "X_train is no array of numbers"),
        (lambda: KernelSpace(lambda X, Z: np.ones(3)).condition([[0.0]], [1]), "gave shape"),
        (lambda: KernelSpace(lambda X, Z: np.nan * (X @ Z.T)).condition([[1.0]], [1]), "NaN"),
        (lambda: fitted().error_law([[0.0, 1.0]], [1]), "X_test has 2 features; expected 1"),
        (lambda: fitted().error_law([[0.0]], [[1, 2]]), "y_test has 2 outputs; expected 1"),
        (lambda: fitted().error_law([[0.0]], [1], weights=[0.0]), "weights must be"),
        (lambda: fitted().error_law([[0.0]], [1], weights=[1, 1]), "weights has shape"),
        (lambda: fitted().error_law([[0.0]], [1], loss="hinge"), "loss is 'hinge'"),
        (lambda: fitted().spectrum([[0.0]], [1], label_noise=-1), "label_noise is -1"),
        (lambda: KernelSpace().condition([[0.0]], [1]).latent([[1.0]], [1], loss="zero_one"),
         "single value 1"),
        (lambda: fitted().sample_errors([[0.0]], [1], "seed", 3), "rng is 'seed'"),
        (lambda: fitted().sample_errors([[0.0]], [1], 0, 0), "size is 0"),
    ],
)  # fmt: skip
def test_bad_input_is_named(make, message):
    with pytest.raises(InputError, match=message):
        make()


def fitted():
    return KernelSpace().condition([[0.0], [1.0]], [0.0, 1.0])
