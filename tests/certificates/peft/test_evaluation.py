"""Evaluation in bulk, against a loop over models; its limit of memory; finding the last layer."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tlstat.certificates.peft import (
    BottleneckAdapter,
    LinearHead,
    LoRA,
    LoRAXS,
    PredictionMatrix,
    Subspace,
    errors,
    evaluation,
    logits,
    prediction_matrix,
    predictions,
)
from tlstat.certificates.peft.checks import check_pointwise
from tlstat.errors import InputError

ADAPTERS = {"last": LoRAXS("4", rank=2), "head": LinearHead(), "middle": LoRAXS("2", rank=3),
            "lora": LoRA(rank=1), "bottleneck": BottleneckAdapter("2", bottleneck=2)}  # fmt: skip


def network(outputs=4):
    torch.manual_seed(5)
    layers = (nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 10), nn.Tanh(), nn.Linear(10, outputs))
    return nn.Sequential(*layers)


def by_loop(model, thetas, X):
    return np.stack([model.apply(t)(X).detach().numpy() for t in thetas])


@pytest.mark.parametrize("memory", [None, 3_000, 1], ids=["default", "small", "one"])
@pytest.mark.parametrize("name", ADAPTERS)
def test_predictions_and_errors_are_those_of_the_models(name, memory):
    model, rng = ADAPTERS[name].attach(network()), np.random.default_rng(0)
    M, n = (3, 4) if memory == 1 else (23, 31)
    thetas = rng.standard_normal((M, model.dim)).astype(np.float32)
    X, y = torch.randn(n, 6), rng.integers(0, 4, n)
    expected = by_loop(model, thetas, X)
    np.testing.assert_allclose(logits(model, thetas, X, memory=memory), expected, atol=2e-5)
    found = predictions(model, thetas, X, memory=memory)
    assert found.dtype == np.int8
    np.testing.assert_array_equal(found, expected.argmax(2))
    wrong = (expected.argmax(2) != y).sum(1)
    np.testing.assert_array_equal(errors(model, thetas, X, y, memory=memory), wrong)
    matrix = prediction_matrix(model, thetas, X, memory=memory)
    np.testing.assert_array_equal(matrix.errors(y), wrong)
    assert (model.head_features(X) is not None) == (name in ("last", "head"))


def test_many_candidates_come_in_several_pieces():
    model = LinearHead().attach(network())
    thetas, X = torch.randn(3_000, model.dim), torch.randn(700, 6)
    expected = logits(model, thetas, X).argmax(2)
    np.testing.assert_array_equal(predictions(model, thetas, X), expected)
    np.testing.assert_array_equal(predictions(model, thetas, X, memory=100_000), expected)


@pytest.mark.parametrize("memory", [2_000, 20_000, 200_000])
def test_pieces_stay_below_the_limit(memory, monkeypatch):
    model = LoRAXS("2", rank=3).attach(network())
    thetas, X = torch.randn(50, model.dim), torch.randn(40, 6)
    fixed, each = evaluation.footprint(model, X[:1])
    # the largest activation has 12 units; two copies of A R (10 x 3)
    assert (fixed, each) == (2 * 4 * 30, 3 * 4 * 12)
    seen, forward = [], model.forward
    monkeypatch.setattr(model, "forward", lambda t, x: seen.append((len(t), len(x)))
                        or forward(t, x))  # fmt: skip
    predictions(model, thetas, X, memory=memory)
    assert sum(m * n for m, n in seen) == 50 * 40
    assert all(m * (fixed + each * n) <= memory for m, n in seen)
    assert max(m * (fixed + each * n) for m, n in seen) > memory / 3 or len(seen) == 1


def test_a_single_output_tells_two_classes():
    model, X = LinearHead().attach(network(1)), torch.randn(20, 6)
    thetas = torch.randn(7, model.dim)
    expected = (by_loop(model, thetas, X)[..., 0] > 0).astype(np.int8)
    np.testing.assert_array_equal(predictions(model, thetas, X), expected)
    flat = Subspace("0.0", dim=2).attach(nn.Sequential(network(1), nn.Flatten(0)))
    assert logits(flat, torch.zeros(1, 2), X).shape == (1, 20, 1)


@pytest.mark.parametrize("adapter", [LinearHead(), LoRAXS(rank=2)], ids=["matmul", "vmap"])
def test_equal_logits_give_the_first_class(adapter):
    net = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 5))
    for value in net.parameters():
        nn.init.zeros_(value)
    model = adapter.attach(net)
    assert (predictions(model, torch.zeros(2, model.dim), torch.randn(6, 3)) == 0).all()


@given(st.integers(1, 6), st.integers(1, 9), st.integers(0, 2**31))
def test_the_prediction_matrix_counts(classes, M, seed):
    rng = np.random.default_rng(seed)
    table = rng.integers(0, classes, (12, M)).astype(np.int8)
    matrix, index = PredictionMatrix(table, classes), rng.integers(0, 12, 30)
    y = rng.integers(0, classes, 30)
    np.testing.assert_array_equal(matrix.errors(y, index), (table[index] != y[:, None]).sum(0))
    groups = rng.integers(0, 3, 12)
    counts = matrix.counts(groups)
    for g in range(counts.shape[1]):
        for c in range(classes):
            np.testing.assert_array_equal(counts[:, g, c], (table[groups == g] == c).sum(0))


class Branch(nn.Module):
    """Control flow that depends on the data: no vmap."""

    def __init__(self, doubles):
        super().__init__()
        self.layer, self.doubles = nn.Linear(6, 3), doubles

    def forward(self, x):
        out = self.layer(x)
        if float(out.detach().sum()) > 0:
            return out
        return -out if self.doubles else torch.relu(out)


@pytest.mark.parametrize("doubles", [True, False])
def test_a_network_that_vmap_cannot_handle_is_evaluated_in_a_loop(doubles):
    torch.manual_seed(0)
    model, X = LinearHead().attach(Branch(doubles)), torch.randn(9, 6)
    thetas = 2 * torch.randn(8, model.dim)
    expected = by_loop(model, thetas, X)
    np.testing.assert_allclose(logits(model, thetas, X), expected, atol=1e-6)
    assert not model.vectorised


def test_a_network_that_does_more_with_its_last_layer_is_not_a_product():
    """At theta = 0 its output is the layer's own; at other vectors it is not."""
    torch.manual_seed(0)
    net, X = Branch(True), torch.randn(9, 6)
    net.layer.bias.data += 5
    model = LinearHead().attach(net)
    assert model.head_features(X) is not None
    thetas = -torch.ones(3, model.dim) * 10
    np.testing.assert_array_equal(
        predictions(model, thetas, X), by_loop(model, thetas, X).argmax(2)
    )


class Object:
    def __init__(self, logits):
        self.logits = logits


class Wrapped(nn.Module):
    def __init__(self, wrap):
        super().__init__()
        self.layer, self.wrap = nn.Linear(6, 3), wrap

    def forward(self, x):
        return self.wrap(self.layer(x))


def test_outputs_of_other_kinds():
    X = torch.randn(4, 6)
    model = LinearHead().attach(Wrapped(Object))
    assert logits(model, torch.zeros(2, model.dim), X).shape == (2, 4, 3)
    for wrap, text in (
        (lambda z: {"a": z}, "returns dict"),
        (lambda z: z[None], "shape (1, 1, 3)"),
    ):
        with pytest.raises(InputError) as error:
            logits(LinearHead().attach(Wrapped(wrap)), torch.zeros(1, 21), X)
        assert text in str(error.value)


class Drops(nn.Module):
    def __init__(self, centred):
        super().__init__()
        self.layer, self.centred = nn.Linear(6, 3), centred

    def forward(self, x):
        if self.centred:
            return self.layer(x - x.mean(0))
        return self.layer(nn.functional.dropout(x))  # forgot training=self.training


@pytest.mark.parametrize("centred, text", [(True, "other inputs of its batch"), (False, "random")])
def test_a_network_that_is_no_function_of_one_input_is_found(centred, text):
    model, X = LinearHead().attach(Drops(centred)), torch.randn(8, 6)
    with pytest.raises(InputError, match=text):
        check_pointwise(model, X)
    check_pointwise(LinearHead().attach(network()), X)


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda m: errors(m, np.zeros((0, m.dim)), np.ones((2, 6)), [0, 1]), "M >= 1"),
        (lambda m: errors(m, np.zeros((1, 3)), np.ones((2, 6)), [0, 1]), "expected (M, 44)"),
        (lambda m: errors(m, np.zeros((1, 44)), np.ones((0, 6)), []), "at least one example"),
        (lambda m: errors(m, np.zeros((1, 44)), np.full((2, 6), np.nan), [0, 1]), "NaN"),
        (lambda m: errors(m, np.full((1, 44), np.inf), np.ones((2, 6)), [0, 1]), "infinite"),
        (lambda m: errors(m, np.zeros((1, 44)), np.ones((2, 6)), [0, 4]), "labels 0 to 3"),
        (lambda m: errors(m, np.zeros((1, 44)), np.ones((2, 6)), [0, -1]), "the label -1"),
        (lambda m: errors(m, np.zeros((1, 44)), np.ones((2, 6)), [0.5, 1]), "labels 0, 1, 2"),
        (lambda m: errors(m, np.zeros((1, 44)), np.ones((2, 6)), [0]), "a label an example"),
        (lambda m: errors(m, np.zeros((1, 44)), np.ones((2, 6)), [0, 1], memory=0), "memory is 0"),
        (lambda m: predictions(m, np.zeros((1, 44)), "abc"), "X is no array of numbers"),
        (lambda m: PredictionMatrix(np.zeros((2, 3), np.int8), 2).errors([0], [5]), "position 5"),
    ],
    ids=range(12),
)
def test_bad_input(call, text):
    with pytest.raises(InputError) as error:
        call(LinearHead().attach(network()))
    assert text in str(error.value)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", ADAPTERS)
def test_on_a_device(name):
    net = network()
    cpu, gpu = ADAPTERS[name].attach(net), ADAPTERS[name].attach(net.to("cuda"))
    thetas, X = 0.3 * torch.randn(500, cpu.dim), torch.randn(40, 6)
    np.testing.assert_allclose(logits(gpu, thetas, X), logits(cpu, thetas, X), atol=1e-2)
    agree = predictions(gpu, thetas, X) == predictions(cpu, thetas, X)
    assert agree.mean() > 0.999
