"""Kernels against scikit-learn, Monte Carlo over random features, and networks of great width."""

import math

import numpy as np
import pytest
from sklearn.gaussian_process import kernels as sk

from tlstat.errors import InputError
from tlstat.inductive_bias import KernelSpace, kernels

RNG = np.random.default_rng(0)
X, Z = RNG.standard_normal((6, 3)), RNG.standard_normal((5, 3))


@pytest.mark.parametrize("nu", [0.5, 0.8, 1.5, 2.5, 4.0])
def test_matern_is_that_of_scikit_learn(nu):
    ours = kernels.matern(0.7, nu)(X, Z)
    np.testing.assert_allclose(ours, sk.Matern(0.7, nu=nu)(X, Z), rtol=1e-10)
    assert np.all(kernels.matern(0.7, nu)(X).diagonal() == 1)


def test_rbf_and_matern_of_infinite_smoothness_are_that_of_scikit_learn():
    expected = sk.RBF(1.3)(X, Z)
    np.testing.assert_allclose(kernels.rbf(1.3)(X, Z), expected, rtol=1e-12)
    np.testing.assert_allclose(kernels.matern(1.3, math.inf)(X, Z), expected, rtol=1e-12)


def test_nearly_equal_inputs_keep_their_distance():
    near = np.array([[1.0, 1.0], [1.0, 1.0 + 1e-7]])
    assert 1 - kernels.matern(1.0, 0.5)(near)[0, 1] == pytest.approx(1e-7, rel=1e-6)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_arc_cosine_is_twice_the_mean_product_of_activations(order):
    w = np.random.default_rng(1).standard_normal((200_000, 3))

    def phi(A):
        return (A > 0) * A**order

    for i, j in ((0, 0), (0, 1), (2, 4)):
        products = 2 * phi(w @ X[i]) * phi(w @ Z[j])
        error = products.std() / math.sqrt(len(w))
        # 6 standard errors: a false alarm has probability 2e-9
        assert abs(products.mean() - kernels.arc_cosine(order)(X, Z)[i, j]) < 6 * error


def test_a_deep_arc_cosine_kernel_is_a_kernel_of_the_features_of_the_last_layer():
    # Gauss-Hermite over the pair of pre-activations of the second layer
    inner = kernels.arc_cosine(1)(np.vstack([X[:1], Z[:1]]))
    nodes, weights = np.polynomial.hermite_e.hermegauss(200)
    L = np.linalg.cholesky(inner)
    u = L[0, 0] * nodes[:, None]
    v = L[1, 0] * nodes[:, None] + L[1, 1] * nodes[None, :]
    mass = np.outer(weights, weights) / (2 * math.pi)
    expected = 2 * np.sum(mass * np.maximum(u, 0) * np.maximum(v, 0))
    assert kernels.arc_cosine(1, depth=2)(X[:1], Z[:1])[0, 0] == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("depth", [1, 2])
def test_ntk_is_the_limit_of_gradients_of_wide_networks(depth):
    import torch

    width, pair = 1500, torch.as_tensor(X[:2])
    found = []
    for seed in range(6):
        torch.manual_seed(seed)
        sizes = [3] + [width] * depth + [1]
        layers = [
            torch.randn(b, a, dtype=torch.float64, requires_grad=True)
            for a, b in zip(sizes[:-1], sizes[1:], strict=True)
        ]
        gradients = []
        for x in pair:
            h = x
            for j, W in enumerate(layers):
                h = W @ h
                if j < depth:
                    h = torch.relu(h) * math.sqrt(2 / width)
            gradients.append(torch.autograd.grad(h.sum(), layers))
        found.append(
            [
                sum((a * b).sum() for a, b in zip(gradients[0], g, strict=True)).item()
                for g in gradients
            ]
        )
    found = np.array(found)
    expected = kernels.ntk(depth)(X[:1], X[:2])[0]
    error = found.std(axis=0, ddof=1) / math.sqrt(len(found))
    assert np.all(np.abs(found.mean(axis=0) - expected) < 12 * error + 0.01 * np.abs(expected))
    assert np.all(error < 0.05 * expected[0])


@pytest.mark.parametrize("make", [kernels.ntk, kernels.arc_cosine], ids=["ntk", "arc_cosine"])
@pytest.mark.parametrize("depth", [1, 3])
def test_nearly_parallel_inputs_do_not_spoil_positivity(make, depth):
    line = np.linspace(1, 2, 20)[:, None] * [[1.0, 2.0, 3.0]]
    kernel = make(depth=depth)
    K = kernel(line)
    assert np.linalg.eigvalsh(K)[0] > -1e-13 * np.trace(K)
    # along a ray these kernels are linear
    np.testing.assert_allclose(K, K[0, 0] * np.outer(line[:, 0], line[:, 0]), rtol=1e-12)


def test_random_features_approach_their_kernels_and_have_their_rank():
    wide = kernels.random_features(200_000, "cos", sigma=1.5, seed=3)
    np.testing.assert_allclose(wide(X, Z), kernels.rbf(1.5)(X, Z), atol=6 / math.sqrt(200_000))
    relu = kernels.random_features(7, seed=1)
    many = RNG.standard_normal((30, 3))
    assert np.linalg.matrix_rank(relu(many)) == 7
    # one draw of features, whatever it is evaluated on
    np.testing.assert_array_equal(relu(many)[:4, :4], relu(many[:4]))


@pytest.mark.parametrize(
    "kernel",
    [kernels.rbf(), kernels.matern(), kernels.polynomial(3), kernels.arc_cosine(0),
     kernels.arc_cosine(1, depth=3, bias=0.5), kernels.ntk(2, bias=0.1),
     kernels.random_features(20, "step")],
    ids=str,
)  # fmt: skip
def test_every_kernel_is_symmetric_and_positive(kernel):
    K = kernel(np.vstack([X, np.zeros((1, 3))]))
    np.testing.assert_allclose(K, K.T, atol=1e-12)
    assert np.linalg.eigvalsh(K)[0] > -1e-10


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: kernels.rbf(0), "sigma is 0; expected a number above 0"),
        (lambda: kernels.matern(1, -1), "nu is -1"),
        (lambda: kernels.polynomial(0), "degree is 0"),
        (lambda: kernels.polynomial(2, offset=-1), "offset is -1"),
        (lambda: kernels.arc_cosine(3), "order is 3; expected 0, 1 or 2"),
        (lambda: kernels.ntk(0), "depth is 0"),
        (lambda: kernels.random_features(activation="tanh"), "activation is 'tanh'"),
        (lambda: kernels.as_kernel("gauss"), "kernel is 'gauss'; expected one of rbf"),
        (lambda: kernels.as_kernel(3), "kernel is 3; expected a name"),
    ],
)
def test_bad_settings_are_named(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_white_noise_hidden_in_a_kernel_is_refused():
    hidden = KernelSpace(sk.RBF() + sk.WhiteKernel(0.1))
    with pytest.raises(InputError, match=r"white-noise term of variance 0\.1.*noise=0\.1"):
        hidden.condition(X, X[:, 0])


def test_median_distance_ignores_equal_points():
    assert kernels.median_distance(np.array([[0.0], [0.0], [3.0]])) == 3.0
    assert math.isnan(kernels.median_distance(np.zeros((3, 1))))
