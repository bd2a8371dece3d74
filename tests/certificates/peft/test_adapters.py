"""Adapters: what a vector does to a network, against the formulas written out by hand."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tlstat.certificates.peft import (
    BottleneckAdapter,
    LinearHead,
    LoRA,
    LoRAXS,
    Subspace,
    logits,
)
from tlstat.errors import InputError


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.out = nn.Linear(8, 3)

    def forward(self, x):
        return self.out(self.layer(x).mean(1))


class Twice(nn.Module):
    """One layer used twice, and its weight in another layer too."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(6, 6), nn.Linear(6, 6)
        self.again = self.a
        self.b.weight = self.a.weight

    def forward(self, x):
        return self.b(torch.tanh(self.again(torch.tanh(self.a(x)))))


def network(kind):
    torch.manual_seed(0)
    if kind == "attention":
        return Attention(), torch.randn(7, 4, 8)
    if kind == "convolution":
        layers = (nn.Conv2d(1, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), nn.Dropout(), nn.Flatten())
        return nn.Sequential(*layers, nn.Linear(5 * 16, 4)), torch.randn(6, 1, 6, 6)
    layers = (nn.Linear(7, 9), nn.ReLU(), nn.LayerNorm(9), nn.Linear(9, 8), nn.GELU())
    return nn.Sequential(*layers, nn.Linear(8, 3)), torch.randn(11, 7)


KINDS = ("dense", "convolution", "attention")
ADAPTERS = {
    "xs": LoRAXS(rank=2),
    "xs-bottom": LoRAXS(rank=2, directions="bottom"),
    "xs-random": LoRAXS(rank=2, directions="random", seed=3),
    "lora": LoRA(rank=2, scale=0.7),
    "bottleneck": BottleneckAdapter(bottleneck=3, activation="tanh"),
    "head": LinearHead(),
    "subspace": Subspace(dim=5),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ADAPTERS)
def test_zero_is_the_network_and_the_batched_form_is_the_model(kind, name):
    net, X = network(kind)
    reference = copy.deepcopy(net).eval()(X).detach()
    model = ADAPTERS[name].attach(net)
    torch.testing.assert_close(model.apply(np.zeros(model.dim, np.float32))(X), reference)
    thetas = 0.5 * torch.randn(4, model.dim)
    one_by_one = torch.stack([model.apply(t)(X) for t in thetas])
    together = torch.as_tensor(logits(model, thetas, X))
    torch.testing.assert_close(together, one_by_one, rtol=1e-4, atol=1e-5)
    assert model.vectorised
    assert (one_by_one - reference).abs().max() > 1e-3


def low_rank_change(W, theta, r, keep):
    U, S, Vt = np.linalg.svd(W)
    return U[:, keep] @ np.diag(S[keep]) @ theta.reshape(r, r) @ Vt[keep]


@pytest.mark.parametrize("directions", ["top", "bottom"])
def test_lora_xs_is_w_plus_u_s_r_v(directions):
    net = nn.Sequential(nn.Linear(6, 5)).double()
    r, X, rng = 2, torch.randn(4, 6, dtype=torch.float64), np.random.default_rng(0)
    theta = rng.standard_normal(r * r)
    model = LoRAXS(rank=r, directions=directions).attach(net)
    W, b = net[0].weight.detach().numpy(), net[0].bias.detach().numpy()
    keep = np.arange(r) if directions == "top" else np.arange(5 - r, 5)
    changed = W + low_rank_change(W, theta, r, keep)
    np.testing.assert_allclose(model.apply(theta)(X), X.numpy() @ changed.T + b, atol=1e-12)
    np.testing.assert_allclose(model.apply(theta)[0].weight, changed, atol=1e-12)


@pytest.mark.parametrize("rank", [1, 3])
def test_lora_xs_approximates_a_gradient_as_well_as_its_directions_allow(rank):
    """argmin_R |G - A R B| is S^-1 U'G V, and leaves |G|^2 - |U'G V|^2."""
    net, rng = nn.Linear(7, 5).double(), np.random.default_rng(1)
    model, G = LoRAXS(rank=rank).attach(net), rng.standard_normal((5, 7))
    A, B = (v.numpy() for v in LoRAXS(rank=rank).factors(net.weight))
    design = np.stack([np.outer(A[:, i], B[j]).ravel() for i in range(rank) for j in range(rank)])
    best, rest = np.linalg.lstsq(design.T, G.ravel(), rcond=None)[:2]
    U, S, Vt = np.linalg.svd(net.weight.detach().numpy())
    core = U[:, :rank].T @ G @ Vt[:rank].T
    np.testing.assert_allclose(best.reshape(rank, rank), core / S[:rank, None], atol=1e-10)
    np.testing.assert_allclose(rest[0], (G**2).sum() - (core**2).sum(), rtol=1e-10)
    change = model.apply(best).weight - net.weight
    np.testing.assert_allclose(((G - change.detach().numpy()) ** 2).sum(), rest[0], rtol=1e-10)


def test_before_one_linear_output_only_r_coordinates_matter():
    net = nn.Sequential(nn.Linear(8, 6, bias=False), nn.Linear(6, 1, bias=False)).double()
    model, X = LoRAXS("0", rank=3).attach(net), torch.randn(40, 8, dtype=torch.float64)
    jacobian = torch.func.jacrev(lambda t: model.forward(t[None], X)[0, :, 0])(
        torch.zeros(model.dim, dtype=torch.float64)
    )
    assert model.dim == 9 and torch.linalg.matrix_rank(jacobian) == 3


def test_lora_head_and_subspace_by_hand():
    net = nn.Sequential(nn.Linear(4, 3)).double()
    W, b = net[0].weight.detach().numpy(), net[0].bias.detach().numpy()
    rng, X = np.random.default_rng(2), np.random.default_rng(3).standard_normal((5, 4))
    t = rng.standard_normal(2 * (3 + 4))
    down, up = t[:8].reshape(2, 4), t[8:].reshape(3, 2)
    out = LoRA(rank=2, scale=0.5).apply(net, t)(torch.as_tensor(X))
    np.testing.assert_allclose(out, X @ (W + 0.5 * up @ down).T + b)
    t = rng.standard_normal(15)
    out = LinearHead().apply(net, t)(torch.as_tensor(X))
    np.testing.assert_allclose(out, X @ (W + t[:12].reshape(3, 4)).T + b + t[12:])
    P, t = rng.standard_normal((12, 2)), rng.standard_normal(2)
    out = Subspace(dim=2, basis=P).apply(net, t)(torch.as_tensor(X))
    np.testing.assert_allclose(out, X @ (W + (P @ t).reshape(3, 4)).T + b)


def test_bottleneck_by_hand():
    net, t = nn.Sequential(nn.Linear(4, 3)).double(), torch.randn(6 + 2 + 6 + 3).double()
    X = torch.randn(5, 4, dtype=torch.float64)
    model = BottleneckAdapter(bottleneck=2, activation="silu").attach(net)
    assert model.dim == len(t)
    h = net(X)
    down = F.silu(h @ t[:6].view(2, 3).T + t[6:8])
    torch.testing.assert_close(model.apply(t)(X), h + down @ t[8:14].view(3, 2).T + t[14:])


def test_a_new_head_replaces_the_last_layer_or_comes_on_top():
    net, X = network("dense")
    replaced, top = LinearHead(5).attach(net), LinearHead(5, in_features=3).attach(net)
    assert (replaced.dim, top.dim) == (5 * 8 + 5, 5 * 3 + 5)
    assert replaced.apply(torch.zeros(45))(X).abs().max() == 0
    t = torch.randn(20)
    torch.testing.assert_close(top.apply(t)(X), net(X) @ t[:15].view(5, 3).T + t[15:])


def test_lengths_and_ranks():
    net, _ = network("dense")
    assert LoRAXS(rank=3).attach(net).dim == 3 * 9
    assert LoRAXS(["0", "5"], rank=3).attach(net).dim == 2 * 9
    assert LoRA(rank=2).attach(net).dim == 2 * (7 + 9 + 9 + 8 + 8 + 3)
    model = LoRA("3", rank=2).attach(net)
    change = model.apply(torch.randn(model.dim))[3].weight - net[3].weight
    assert torch.linalg.matrix_rank(change, rtol=1e-4) == 2


@pytest.mark.parametrize(
    "targets",
    ["layer.linear*", nn.Linear, lambda n, m: n.startswith("layer.lin"), ["out", "layer.linear1"]],
    ids=["name", "class", "function", "list"],
)
def test_targets(targets):
    net, X = network("attention")
    model = LoRAXS(targets, rank=2).attach(net)
    changed = model.apply(torch.ones(model.dim)).state_dict()
    touched = {k for k, v in net.state_dict().items() if not torch.equal(v, changed[k])}
    expected = {
        "layer.linear*": {"layer.linear1.weight", "layer.linear2.weight"},
        nn.Linear: {"layer.linear1.weight", "layer.linear2.weight", "out.weight",
                    "layer.self_attn.out_proj.weight"},
    }  # fmt: skip
    if isinstance(targets, list):
        expected[str(targets)] = {"out.weight", "layer.linear1.weight"}
    key = str(targets) if isinstance(targets, list) else targets
    assert touched == expected.get(key, expected["layer.linear*"])


def test_all_projections_of_attention_can_be_adapted():
    net, X = network("attention")
    model = LoRAXS("layer.self_attn", rank=2).attach(net)
    theta = torch.randn(3, model.dim)
    changed = model.apply(theta[0]).layer.self_attn.in_proj_weight
    assert not torch.equal(changed, net.layer.self_attn.in_proj_weight)
    expected = torch.stack([model.apply(t)(X) for t in theta])
    np.testing.assert_allclose(logits(model, theta, X), expected, atol=1e-5)


@pytest.mark.parametrize("adapter", [LoRAXS(rank=2), LoRA(rank=1), Subspace(dim=3)],
                         ids=["xs", "lora", "subspace"])  # fmt: skip
def test_a_tied_weight_changes_wherever_it_is_used(adapter):
    torch.manual_seed(1)
    net, X = Twice(), torch.randn(5, 6)
    model = adapter.attach(net)
    theta = torch.randn(2, model.dim)
    one = model.apply(theta[0])
    assert one.a.weight is one.b.weight
    W = one.a.weight
    expected = F.linear(torch.tanh(F.linear(torch.tanh(F.linear(X, W, net.a.bias)), W,
                        net.a.bias)), W, net.b.bias)  # fmt: skip
    assert not torch.equal(W, net.a.weight)
    np.testing.assert_allclose(logits(model, theta, X)[0], expected.detach(), atol=1e-5)


def test_the_users_network_stays_and_may_change_afterwards():
    net, X = network("convolution")
    net.train()
    before = copy.deepcopy(net.state_dict())
    model = LoRAXS(rank=2).attach(net)
    theta = torch.randn(model.dim)
    first = logits(model, theta, X)
    assert net.training and all(p.requires_grad for p in net.parameters())
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    with torch.no_grad():
        net[0].weight.fill_(7.0)
    np.testing.assert_array_equal(logits(model, theta, X), first)


@pytest.mark.parametrize(
    "make, adapter, text",
    [
        (lambda: "net", LoRAXS(), "backbone is str; expected a torch.nn.Module"),
        (lambda: nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4, track_running_stats=False)),
         LoRAXS(rank=1), "depend on the other examples"),
        (lambda: nn.LazyLinear(3), LoRAXS(rank=1), "uninitialised 'weight'"),
        (lambda: torch.jit.script(nn.Linear(3, 3)), LoRAXS(rank=1), "scripted module"),
        (lambda: nn.Linear(3, 2), LoRAXS(rank=3), "rank is 3; the weight of '' is 2 x 3"),
        (lambda: nn.Sequential(nn.Linear(3, 3)), LoRAXS("1"), "no module is '1'; the backbone"),
        (lambda: nn.Sequential(nn.Linear(3, 3)), LoRAXS(7), "targets has 7; expected a name"),
        (lambda: nn.Sequential(nn.ReLU()), LoRAXS(), "no module is <class"),
        (lambda: nn.Sequential(nn.ReLU()), LoRAXS("0"), "without a weight matrix"),
        (lambda: nn.Sequential(nn.ReLU()), BottleneckAdapter("0"), "give width"),
        (lambda: nn.Linear(3, 3, bias=False), LinearHead(), "has no bias; give bias=False"),
        (lambda: nn.Linear(3, 2), Subspace(dim=7), "dim is 7; the targets have only 6 weights"),
        (lambda: nn.Linear(3, 2), Subspace(dim=2, basis=np.ones((5, 2))), "expected (6, 2)"),
    ],
    ids=["text", "batchnorm", "lazy", "script", "rank", "name", "number", "none", "weight", "width",
         "bias", "dim", "basis"],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")
def test_what_cannot_be_adapted(make, adapter, text):
    with pytest.raises(InputError) as error:
        adapter.attach(make())
    assert text in str(error.value)


def test_an_adapter_that_would_be_passed_by_is_refused():
    net, X = network("attention")
    model = BottleneckAdapter("layer.self_attn.out_proj").attach(net)
    with pytest.raises(InputError, match="reads the weight of a target instead of calling it"):
        logits(model, torch.zeros(1, model.dim), X)


@pytest.mark.parametrize(
    "make, text",
    [
        (lambda: LoRAXS(rank=0), "rank is 0; expected an integer of at least 1"),
        (lambda: LoRAXS(directions="left"), "directions is 'left'"),
        (lambda: LoRA(scale=0), "scale is 0; expected a finite number above 0"),
        (lambda: BottleneckAdapter(activation="x"), "activation is 'x'"),
        (lambda: LinearHead(in_features=3), "give n_outputs and no target"),
        (lambda: LoRAXS(rank=1).apply(nn.Linear(3, 3), [0.0, 1.0]), "expected (M, 1)"),
        (lambda: LoRAXS(rank=1).apply(nn.Linear(3, 3), [np.nan]), "NaN"),
    ],
    ids=["rank", "directions", "scale", "activation", "head", "length", "nan"],
)
def test_bad_settings(make, text):
    with pytest.raises(InputError) as error:
        make()
    assert text in str(error.value)


def test_the_digest_tells_networks_and_settings_apart():
    net, _ = network("dense")
    models = [LoRAXS(rank=2), LoRAXS(rank=1), LoRAXS(["0", "3"], rank=2), Subspace(dim=3),
              Subspace(dim=3, basis=np.eye(63 + 72 + 24)[:, :3])]  # fmt: skip
    digests = [m.attach(net).digest for m in models]
    assert len(set(digests)) == 5 and LoRAXS(rank=2).attach(net).digest == digests[0]
    with torch.no_grad():
        net[5].bias[0] += 1e-6
    assert LoRAXS(rank=2).attach(net).digest != digests[0]
