"""Candidates a second, and diffusion models of equal quality: tlstat against the usual ways.

Evaluation: M candidates on 640 examples, errors of each. The yardstick is the matrix product that
any method needs, into memory that is there already, measured in turn with the methods; a plain
``torch.vmap`` over functional calls and a Python loop over candidates run on fewer candidates.

Diffusion: training and sampling against a plain implementation (modules, autograd, an optimiser,
a loop over parameters for the average, all samples at once) with the same network. Quality: mean
certificate of the selected candidate on family A, and the energy distance of samples to fitted
vectors of fresh tasks; both with standard errors. Nothing is asserted. On an idle machine::

    OMP_NUM_THREADS=1 python benchmarks/peft.py [--quick] [--cpu-time] [--threads 1]
"""

import argparse
import copy
import math
import time

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import nn
from torch.func import functional_call, vmap
from torch.nn import functional as F

from tlstat.certificates import binomial_tail_inversion, finite_class
from tlstat.certificates.peft import (
    Diffusion,
    LinearHead,
    LoRAXS,
    Schedule,
    SignFamily,
    energy_distance,
    errors,
)

N = 640
clock = time.perf_counter


def timed(function, device="cpu"):
    """Seconds of one call."""
    if device != "cpu":
        torch.cuda.synchronize()
    start = clock()
    out = function()
    if device != "cpu":
        torch.cuda.synchronize()
    return clock() - start, out


# --- evaluation --------------------------------------------------------------------------------


def matrix_product(X, columns, out):
    """All logits and nothing else: products in blocks that stay in the cache."""
    width = out.shape[1]
    for i in range(0, columns.shape[1] // width * width, width):
        torch.mm(X, columns[:, i : i + width], out=out)


def plain_vmap(model, thetas, X, y, chunk):
    """functional_call under vmap, merged weights, chunk by chunk."""
    net = model.apply(np.zeros(model.dim, np.float32))
    wrong = []

    def one(theta):
        merged = {k: v for k, v in full_weights(model, theta).items()}
        return (functional_call(net, merged, (X,)).argmax(-1) != y).sum()

    with torch.no_grad():
        for i in range(0, len(thetas), chunk):
            wrong.append(vmap(one)(thetas[i : i + chunk]))
    return torch.cat(wrong).cpu().numpy()


def loop(model, thetas, X, y):
    """One module after the other."""
    with torch.no_grad():
        return np.array([int((model.apply(t)(X).argmax(-1) != y).sum()) for t in thetas])


def full_weights(model, theta):
    """The parameters of the user's network that one vector changes."""
    parts = model.parameters(theta)
    out = {k: v for k, v in parts.items() if not k.endswith(("left", "right"))}
    for name, left in parts.items():
        if name.endswith("left"):
            layer = model.module.get_submodule(name[:-5])
            out[name[:-4] + "weight"] = layer.inner.weight + left @ layer.right
    return out


def cases():
    torch.manual_seed(0)
    yield "linear head, 64 features, 5 classes", nn.Linear(64, 5), LinearHead(), 64, 64, 5
    yield "linear head, 512 features, 5 classes", nn.Linear(512, 5), LinearHead(), 512, 512, 5
    layers = (nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 5))
    yield "LoRA-XS r=5 on the last layer", nn.Sequential(*layers), LoRAXS("2", rank=5), 64, 128, 5
    layers = (nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 5))
    yield "LoRA-XS r=8 on a middle layer", nn.Sequential(*layers), LoRAXS("2", rank=8), 64, 0, 5


def contest(model, inputs, p, M, repeats, device):
    """Seconds that every method needs for M candidates; their counts agree up to rounding."""
    thetas = torch.randn(M, model.dim).to(device) * 0.3
    X, y = torch.randn(N, inputs).to(device), torch.randint(0, 5, (N,))
    y_device, few = y.to(device), max(1, M // 100)
    errors(model, thetas[:2000], X, y)
    best, k = {"matrix product": math.inf, "tlstat": math.inf}, None
    if p:
        weights, features = model.head_weights(thetas[:10_240])[0], model.head_features(X)
        columns = weights.reshape(-1, features.shape[1]).mT.contiguous()
        out = torch.empty(N, 1024 if device == "cpu" else columns.shape[1], device=device)
    for _ in range(repeats):
        if p:
            spent, _ = timed(lambda: matrix_product(features, columns, out), device)
            best["matrix product"] = min(best["matrix product"], spent * M / len(weights))
        spent, k = timed(lambda: errors(model, thetas, X, y), device)
        best["tlstat"] = min(best["tlstat"], spent)
    some = thetas[: 10 * few]
    spent, other = timed(lambda: plain_vmap(model, some, X, y_device, 250), device)
    best["torch.vmap"] = spent * M / len(some)
    spent, looped = timed(lambda: loop(model, thetas[:few], X, y_device), device)
    best["Python loop"] = spent * M / few
    for counts in (other, looped):
        assert np.mean(k[: len(counts)] == counts) > 0.98, "methods differ by more than rounding"
    return best


def evaluation(M, repeats, device):
    table = Table(title=f"errors of {M:,} candidates on {N} examples, {device}")
    for column in ("model", "method", "s", "GFLOP/s", "of the product", "tlstat faster by"):
        table.add_column(column, justify="left" if column in ("model", "method") else "right")
    for title, net, adapter, inputs, p, C in cases():
        best = contest(adapter.attach(net.to(device)), inputs, p, M, repeats, device)
        for method, spent in best.items():
            if math.isinf(spent):
                continue
            rate, share = f"{2 * M * N * p * C / 1e9 / spent:.1f}", best["matrix product"] / spent
            table.add_row(title, method, f"{spent:.2f}", rate if p else "",
                          f"{share:.0%}" if p else "", f"{spent / best['tlstat']:.1f}")  # fmt: skip
            title = ""
        table.add_section()
    return table


# --- a plain diffusion -------------------------------------------------------------------------


class PlainNetwork(nn.Module):
    """The same network as a module: 3 residual layers of 128 units, 16 features of the time."""

    def __init__(self, dim, T, width=128, depth=3, features=16):
        super().__init__()
        self.first = nn.Linear(dim + features, width)
        self.middle = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.last = nn.Linear(width, dim)
        self.T, self.features = T, features

    def forward(self, x, t):
        half = self.features // 2
        frequency = torch.exp(-math.log(10_000) * torch.arange(half, device=x.device) / half)
        angle = t[:, None].float() * 1000 / self.T * frequency
        h = F.silu(self.first(torch.cat([x, angle.sin(), angle.cos()], dim=1)))
        for layer in self.middle:
            h = h + F.silu(layer(h))
        return self.last(h)


class PlainDiffusion:
    """DDPM as it is usually written."""

    def __init__(self, iterations, T=100, batch=256, device="cpu"):
        self.iterations, self.T, self.batch, self.device = iterations, T, batch, device
        self.abar = torch.tensor(Schedule(T).abar, dtype=torch.float32, device=device)
        self.beta = torch.tensor(Schedule(T).beta, dtype=torch.float32, device=device)

    def fit(self, zoo, seed=0):
        torch.manual_seed(seed)
        x = torch.tensor(zoo, dtype=torch.float32, device=self.device)
        self.mean, self.sd = x.mean(0), x.std(0)
        x = (x - self.mean) / self.sd
        net = PlainNetwork(x.shape[1], self.T).to(self.device)
        self.net = copy.deepcopy(net)
        optimiser = torch.optim.Adam(net.parameters(), lr=2e-3)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, self.iterations)
        for _ in range(self.iterations):
            x0 = x[torch.randint(len(x), (self.batch,), device=self.device)]
            t = torch.randint(1, self.T + 1, (self.batch,), device=self.device)
            eps, a = torch.randn_like(x0), self.abar[t][:, None]
            loss = F.mse_loss(net(a.sqrt() * x0 + (1 - a).sqrt() * eps, t), eps)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            with torch.no_grad():
                for average, value in zip(self.net.parameters(), net.parameters(), strict=True):
                    average.mul_(0.995).add_(value, alpha=0.005)
        return self

    @torch.no_grad()
    def sample(self, M, seed=0):
        torch.manual_seed(seed)
        x = torch.randn(M, len(self.mean), device=self.device)
        for t in range(self.T, 0, -1):
            a, before, beta = self.abar[t], self.abar[t - 1], self.beta[t]
            eps = self.net(x, torch.full((M,), t, device=self.device))
            x0 = ((x - (1 - a).sqrt() * eps) / a.sqrt()).clamp(-4, 4)
            mean = before.sqrt() * beta * x0 + (1 - beta).sqrt() * (1 - before) * x
            x = mean / (1 - a)
            if t > 1:
                x = x + (beta * (1 - before) / (1 - a)).sqrt() * torch.randn_like(x)
        return (x * self.sd + self.mean).cpu().numpy()


def quality(family, fresh, thetas, episodes):
    """Mean certificate with its standard error at n = 64, and the energy distance to fresh fits."""
    k = family.errors(thetas[:1000], episodes)
    n = episodes.y.shape[1]
    limit = finite_class(k, n, binomial_tail_inversion, delta=0.05, candidates=1000).min(1)
    distance = energy_distance(thetas[:2000], fresh)
    return f"{limit.mean():.4f} ± {limit.std() / len(limit) ** 0.5:.4f}", f"{distance:.4f}"


def diffusions(quick, device):
    family = SignFamily()
    zoo = family.upstream(400, 400, seed=1, steps=100, batch=100)
    fresh = family.upstream(400, 400, seed=2, steps=100, batch=100)
    episodes = family.episodes(family.tasks(100 if quick else 400, 3), 64, 4)
    full, M = (800, 5_000) if quick else (4000, 100_000)
    runs = {f"plain, {full} iterations": lambda: PlainDiffusion(full, device=device)}
    for count in (full, full * 3 // 4):
        name = f"tlstat, {count} iterations"
        runs[name] = lambda count=count: Diffusion(iterations=count, device=device)
    training = Table(title=f"training on a zoo of 400 vectors in 16 dimensions, {device}")
    for column in ("method", "seed", "s", "faster by", "certificate, n = 64", "energy distance"):
        training.add_column(column, justify="left" if column == "method" else "right")
    models, baseline = {}, {}
    for name, make in runs.items():
        for seed in range(1 if quick else 3):
            model = make()
            spent, _ = timed(lambda m=model, s=seed: m.fit(zoo, s), device)
            models.setdefault(name, model)
            first = baseline.setdefault(seed, spent)
            training.add_row(name, str(seed), f"{spent:.1f}", f"{first / spent:.2f}",
                             *quality(family, fresh, model.sample(2000, 1), episodes))  # fmt: skip
        training.add_section()
    ours = models[f"tlstat, {full} iterations"]
    samplers = {"plain": models[f"plain, {full} iterations"], "tlstat, ddpm": ours}
    for sampler, steps in (("ddpm", 50), ("ddpm", 33), ("dpm", 25)):
        other = Diffusion(iterations=full, sampler=sampler, sampling_steps=steps, device=device)
        other._keep(dict(ours._state), ours.dim)
        samplers[f"tlstat, {sampler}, {steps} steps"] = other
    sampling = Table(title=f"{M:,} samples, {device}")
    for column in ("method", "s", "faster by", "certificate, n = 64", "energy distance"):
        sampling.add_column(column, justify="left" if column == "method" else "right")
    first = None
    for name, model in samplers.items():
        model.sample(2000, 0)
        spent, thetas = timed(lambda m=model: m.sample(M, 1), device)
        first = first or spent
        sampling.add_row(name, f"{spent:.1f}", f"{first / spent:.2f}",
                         *quality(family, fresh, thetas, episodes))  # fmt: skip
    return training, sampling


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer candidates, shorter training")
    parser.add_argument("--cpu-time", action="store_true", help="seconds of the processor instead")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.cpu_time:
        clock = time.process_time
    console = Console(width=120)
    devices = ["cpu"] + (["cuda"] if torch.cuda.is_available() else [])
    for device in devices:
        console.print(evaluation(20_000 if options.quick else 100_000, 2 if options.quick else 3,
                                 device))  # fmt: skip
        for table in diffusions(options.quick, device):
            console.print(table)
