"""Networks in batches against one at a time, and against an exactly counted space."""

import copy
import math

import numpy as np
import pytest
import torch
from scipy.stats import kstest
from torch import nn

from tlstat.errors import InputError
from tlstat.inductive_bias import NetworkSpace, ThresholdSpace, inductive_bias
from tlstat.inductive_bias.spaces import cube

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((15, 3)), RNG.standard_normal((15, 2))
X_TEST, Y_TEST = RNG.standard_normal((8, 3)), RNG.standard_normal((8, 2))


def one_by_one(module, ensemble, z, epochs, rate, stop=None):
    """The same networks, trained by torch's own Adam."""
    start = ensemble.parameters(z)
    inputs, labels = torch.as_tensor(X), torch.as_tensor(Y)
    out = []
    for s in range(len(z)):
        net = copy.deepcopy(module).double().eval()
        net.load_state_dict({**net.state_dict(), **{k: v[s] for k, v in start.items()}})
        adam = torch.optim.Adam(net.parameters(), rate)
        for _ in range(epochs):
            adam.zero_grad()
            loss = ((net(inputs) - labels) ** 2).mean()
            if stop is not None and loss.item() <= stop:
                break
            loss.backward()
            adam.step()
        out.append(net(torch.as_tensor(X_TEST)).detach().numpy())
    return np.stack(out)


class Gated(nn.Module):
    """Something that is no plain perceptron."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(3, 6), nn.Linear(6, 2, bias=False)
        self.norm = nn.LayerNorm(6)

    def forward(self, x):
        h = self.norm(self.first(x))
        return self.second(torch.tanh(h) * h)


PERCEPTRON = nn.Sequential(nn.Linear(3, 7), nn.ReLU(), nn.Linear(7, 2))


@pytest.mark.parametrize("stop", [None, 0.75])
@pytest.mark.parametrize("module", [PERCEPTRON, Gated()], ids=["mlp", "gated"])
def test_training_many_is_training_each(module, stop):
    space = NetworkSpace(
        module, epochs=60, learning_rate=0.01, fit_tolerance=stop, dtype="float64"
    ).condition(X, Y)
    z = np.random.default_rng(1).standard_normal((5, space.ensemble.dim))
    expected = one_by_one(module, space.ensemble, z, 60, 0.01, stop)
    np.testing.assert_allclose(space.outputs(z, X_TEST), expected, atol=1e-9)
    # what one becomes does not depend on the others
    np.testing.assert_allclose(space.outputs(z[2:3], X_TEST)[0], expected[2], atol=1e-9)


def test_widths_are_the_perceptron_of_that_shape():
    widths = NetworkSpace((7,), epochs=20, dtype="float64").condition(X, Y)
    module = NetworkSpace(PERCEPTRON, epochs=20, dtype="float64").condition(X, Y)
    z = np.random.default_rng(1).standard_normal((3, widths.ensemble.dim))
    np.testing.assert_array_equal(widths.outputs(z, X_TEST), module.outputs(z, X_TEST))
    assert widths.ensemble.dim == 3 * 7 + 7 + 7 * 2 + 2


@pytest.mark.parametrize("init", ["uniform", "normal"])
def test_the_initial_law_is_of_width_one_over_the_root_of_fan_in(init):
    space = NetworkSpace((50,), init=init, scale=2.0).condition(X, Y)
    z = np.random.default_rng(2).standard_normal((40, space.ensemble.dim))
    start = space.ensemble.parameters(z)
    for layer, fan_in in (("0", 3), ("2", 50)):
        for part in ("weight", "bias"):
            w = start[f"{layer}.{part}"].numpy().ravel() * math.sqrt(fan_in) / 2
            if init == "uniform":
                assert kstest((w + 1) / 2, "uniform").pvalue > 1e-6
            else:
                assert kstest(w, "norm").pvalue > 1e-6


def test_normalisation_layers_keep_their_values():
    space = NetworkSpace(Gated()).condition(X, Y)
    start = space.ensemble.parameters(np.ones((2, space.ensemble.dim)))
    assert torch.all(start["norm.weight"] == 1) and torch.all(start["norm.bias"] == 0)


def test_a_network_that_is_given_is_left_alone():
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 2))
    before = copy.deepcopy(module.state_dict())
    NetworkSpace(module, epochs=5).condition(X, Y).sample_errors(X_TEST, Y_TEST, 0, 3)
    assert module.training
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name])


def test_images_go_through_convolutions():
    images = RNG.standard_normal((10, 1, 6, 6))
    net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 2))
    space = NetworkSpace(net, epochs=30).condition(images, Y[:10])
    errors = space.sample_errors(images, Y[:10], 0, 6)
    assert errors.shape == (6,) and np.all(errors < 1.5)
    with pytest.raises(InputError, match=r"X_test has inputs of shape \(6, 6\)"):
        space.sample_errors(images[:, 0], Y[:10], 0, 6)


def test_seeds_and_chunks(monkeypatch):
    from tlstat.inductive_bias.spaces.training import Ensemble

    space = NetworkSpace((5,), epochs=10, dtype="float64").condition(X, Y)
    errors = space.sample_errors(X_TEST, Y_TEST, 0, 9)
    np.testing.assert_array_equal(space.sample_errors(X_TEST, Y_TEST, 0, 9), errors)
    assert not np.array_equal(space.sample_errors(X_TEST, Y_TEST, 1, 9), errors)
    monkeypatch.setattr(Ensemble, "chunk", lambda self, rows: 2)
    np.testing.assert_allclose(space.sample_errors(X_TEST, Y_TEST, 0, 9), errors, rtol=1e-12)


def test_only_networks_that_fit_are_kept():
    settings = {"epochs": 150, "learning_rate": 0.02, "dtype": "float64"}
    every = NetworkSpace((3,), **settings).condition(X, Y)
    z = np.random.default_rng(3).standard_normal((60, every.ensemble.dim))
    train = ((every.outputs(z, X) - Y) ** 2).mean(axis=(1, 2))
    tolerance = float(np.quantile(train, 0.3))
    some = NetworkSpace((3,), fit_tolerance=tolerance, **settings).condition(X, Y)
    draws = some.draw(X_TEST, Y_TEST, 0, 30)
    assert len(draws.errors) >= 30
    # about a third of them: the share of 60 others, 5 standard errors
    assert abs(draws.kept_share - 0.3) < 5 * math.sqrt(0.21 / 30)
    latent = some.latent(X_TEST, Y_TEST)
    fits = latent.fit_score(z) <= tolerance
    # they stop when they fit; the others have trained to the end
    np.testing.assert_array_equal(fits, train <= tolerance)
    never = NetworkSpace((1,), fit_tolerance=0.0, epochs=3).condition(X, Y)
    with pytest.raises(InputError, match="only 0 of .* trained networks reach"):
        never.draw(X_TEST, Y_TEST, 0, 4)


def test_guessed_linear_classifiers_are_gaussian_thresholds():
    signs = 2.0 * cube(3) - 1
    y = (signs @ [2, 1, 1] > 0) * 2.0 - 1
    space = NetworkSpace(
        (), sampler="weights", fit_tolerance=0.0, fit_loss="zero_one", init="normal"
    )
    known = [0, 3, 7]
    counted = ThresholdSpace(3, "gaussian").condition(cube(3)[known], y[known])
    law = counted.error_law(cube(3), y)
    draws = space.condition(signs[known], y[known]).draw(signs, y, 0, 8_000, loss="zero_one")
    for error, p in zip(law.errors, law.probabilities, strict=True):
        assert abs(np.mean(np.isclose(draws.errors, error)) - p) < 6 * math.sqrt(p / 8_000) + 0.005
    mass = math.exp(counted.log_mass())
    assert abs(draws.kept_share - mass) < 6 * mass / math.sqrt(8_000) + 0.01 * mass


def test_guess_and_check_and_splitting_agree():
    rng = np.random.default_rng(6)
    A, B = rng.uniform(-1, 1, (5, 2)), rng.uniform(-1, 1, (20, 2))
    a, b = (A[:, 0] > 0).astype(float), (B[:, 0] > 0).astype(float)
    space = NetworkSpace(
        (3,), sampler="weights", fit_tolerance=0.0, fit_loss="zero_one", init="normal", scale=2.0
    )
    given = (space, A, a, B, b, 0.1)
    options = {"loss": "zero_one", "level": 1 - 1e-6}
    guessed = inductive_bias(*given, method="monte_carlo", size=3000, **options)
    split = inductive_bias(*given, method="splitting", size=150, **options)
    assert guessed.interval[0] < split.interval[1] and split.interval[0] < guessed.interval[1]
    assert abs(guessed.nats - split.nats) < 0.6
    assert split.kept_share == pytest.approx(guessed.kept_share, rel=0.4)


def test_the_published_rule_reads_trained_networks_too():
    space = NetworkSpace((4,), epochs=40)
    bias = inductive_bias(space, X, Y, X_TEST, Y_TEST, 0.5, size=40, method="published")
    errors = space.condition(X, Y).sample_errors(X_TEST, Y_TEST, 0, 40)
    assert bias.method == "published" and bias.nats > 0
    assert bias.details["scale"] * (bias.details["df"] + bias.details["nc"]) == pytest.approx(
        errors.mean(), rel=0.2
    )


def test_few_trained_networks_give_a_one_sided_interval():
    space = NetworkSpace((4,), epochs=40)
    bias = inductive_bias(space, X, Y, X_TEST, Y_TEST, 1e-3, size=20)
    assert bias.method == "monte_carlo" and bias.nats == math.inf
    # none of 20: the exact binomial limit at 97.5 %
    assert bias.interval == (pytest.approx(-math.log(1 - 0.025 ** (1 / 20))), math.inf)
    assert "only the lower end" in bias.notes[0]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_trains_the_same_networks():
    settings = {"epochs": 30, "dtype": "float64"}
    host = NetworkSpace((6,), **settings).condition(X, Y)
    device = NetworkSpace((6,), device="cuda", **settings).condition(X, Y)
    z = np.random.default_rng(5).standard_normal((4, host.ensemble.dim))
    np.testing.assert_allclose(device.outputs(z, X_TEST), host.outputs(z, X_TEST), atol=1e-8)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NetworkSpace("64"), "network is '64'; expected hidden widths"),
        (lambda: NetworkSpace((0,)), r"network is \(0,\)"),
        (lambda: NetworkSpace(activation="sin"), "activation is 'sin'; expected one of relu"),
        (lambda: NetworkSpace(sampler="weights"), "fit_tolerance is None"),
        (lambda: NetworkSpace(fit_tolerance=-1), "fit_tolerance is -1"),
        (lambda: NetworkSpace(learning_rate=0), "learning_rate is 0"),
        (lambda: NetworkSpace(epochs=0), "size is 0|epochs"),
        (lambda: NetworkSpace().condition(X, Y[:3]), r"y_train has shape \(3, 2\)"),
        (lambda: NetworkSpace().condition(X * math.nan, Y), "X_train has shape.*finite"),
        (lambda: NetworkSpace(nn.Linear(3, 5)).condition(X, Y).ensemble, "outputs of shape"),
        (lambda: one_class().latent(X_TEST, Y_TEST[:, 0], loss="zero_one"), "single value 1"),
        (lambda: NetworkSpace(nn.ReLU()).condition(X, Y).ensemble, "no parameters to draw"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(InputError, match=message):
        make()


def one_class():
    return NetworkSpace().condition(X, np.ones(15))
