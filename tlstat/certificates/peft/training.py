"""Training the network of a diffusion: one flat vector of weights, resumable, reproducible."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from tlstat.certificates.peft.candidates import array_digest
from tlstat.certificates.peft.inputs import whole
from tlstat.certificates.peft.progress import progress_bar
from tlstat.errors import InputError

if TYPE_CHECKING:
    from tlstat.certificates.peft.diffusion import Diffusion

FORMAT = "tlstat-training-1"
DRAWN = 64  # iterations whose randomness is drawn at once
FIRST = 1 << 40  # streams below are those of the sampler
BETAS, GUARD = (0.9, 0.999), 1e-8  # Adam's usual ones


@dataclass
class Training:
    """What a training run is about, and where it leaves its checkpoint."""

    model: Diffusion
    data: Tensor
    seed: int
    checkpoint: Path | None
    every: int

    @property
    def identity(self) -> str:
        """Settings, seed and data: a checkpoint of another run is refused."""
        settings = {k: v for k, v in self.model._settings().items() if "sampl" not in k}
        return json.dumps([FORMAT, settings, self.seed, array_digest(self.data.cpu().numpy())])


def shapes(model: Diffusion, dim: int) -> list[tuple[int, ...]]:
    """Weights (inputs x outputs) and biases, layer by layer."""
    w = model.width
    rows = [(dim + model.time_features, w), *[(w, w)] * model.depth, (w, dim)]
    return [s for row in rows for s in (row, row[1:])]


def train(run: Training, progress: bool) -> tuple[Tensor, float]:
    """The averaged weights after all iterations, and the mean loss over the last tenth."""
    from tlstat.certificates.peft.diffusion import time_table

    model, data = run.model, run.data
    whole(run.every, "every")
    state = _resumed(run) or _fresh(run)
    weights, total = state["weights"], model.iterations
    table = time_table(model).to(data)
    abar = torch.as_tensor(model.schedule.abar, dtype=data.dtype, device=data.device)
    signal, noise = abar.sqrt()[:, None], (1 - abar).sqrt()[:, None]
    loss = Loss(weights, shapes(model, data.shape[1]), model.batch)
    draws: Any = None
    with progress_bar("diffusion", total, progress, state["done"]) as tick:
        for i in range(state["done"], total):
            if draws is None or i % DRAWN == 0:
                draws = _draws(run, i // DRAWN)
            which, t, eps = (v[i % DRAWN] for v in draws)
            x = signal[t] * data[which] + noise[t] * eps
            value = loss(torch.cat([x, table[t]], dim=1), eps)
            _step(state, weights, loss.gradient, i, model)
            if i >= total - max(1, total // 10):
                state["loss"] += float(value)
            tick()
            if run.checkpoint is not None and (i + 1) % run.every == 0:
                _store(run, state, i + 1)
    return state["average"], state["loss"] / max(1, total // 10)


class Loss:
    """Mean squared error of the network and its gradient, by hand: no graph, no new memory.

    The network: ``h = silu(x W + b)``, then ``h + silu(h W + b)`` layer by layer, then ``h W + b``.
    """

    def __init__(self, weights: Tensor, layout: list[tuple[int, ...]], batch: int) -> None:
        sizes = [int(np.prod(s)) for s in layout]
        self.gradient = torch.zeros_like(weights)
        tensors, slopes = (
            [p.view(s) for p, s in zip(flat.split(sizes), layout, strict=True)]
            for flat in (weights, self.gradient)
        )
        self._layers = list(zip(tensors[::2], tensors[1::2], strict=True))
        self._slopes = list(zip(slopes[::2], slopes[1::2], strict=True))
        new = weights.new_empty
        width, dim = layout[-2]
        self._z = [new(batch, width) for _ in self._layers[:-1]]
        self._h = [new(batch, width) for _ in self._layers[:-1]]
        self._out, self._gz, self._gh = new(batch, dim), new(batch, width), new(batch, width)

    def forward(self, x: Tensor) -> Tensor:
        """The network's output for a batch; overwritten by the next one."""
        before = x
        for i, (W, b) in enumerate(self._layers[:-1]):
            z, h = self._z[i], self._h[i]
            torch.addmm(b, before, W, out=z)
            torch.ops.aten.silu.out(z, out=h)
            before = h if i == 0 else h.add_(before)
        W, b = self._layers[-1]
        return torch.addmm(b, before, W, out=self._out)

    def __call__(self, x: Tensor, target: Tensor) -> Tensor:
        """The loss; the gradient goes to ``gradient``."""
        g = self.forward(x).sub_(target)
        value = g.square().mean()
        g.mul_(2 / g.numel())
        (W, _), (gW, gb) = self._layers[-1], self._slopes[-1]
        torch.mm(self._h[-1].mT, g, out=gW)
        torch.sum(g, 0, out=gb)
        gh = torch.mm(g, W.mT, out=self._gh)
        for i in range(len(self._z) - 1, -1, -1):
            gz = torch.ops.aten.silu_backward.grad_input(gh, self._z[i], grad_input=self._gz)
            gW, gb = self._slopes[i]
            torch.mm((self._h[i - 1] if i else x).mT, gz, out=gW)
            torch.sum(gz, 0, out=gb)
            if i:  # the layer's own path beside the skip
                gh.addmm_(gz, self._layers[i][0].mT)
        return value


def _step(state: Any, weights: Tensor, gradient: Tensor, i: int, model: Diffusion) -> None:
    """Adam with a cosine rate, and the moving average."""
    rate = model.learning_rate * (1 + np.cos(np.pi * i / model.iterations)) / 2
    b1, b2 = BETAS
    state["first"].lerp_(gradient, 1 - b1)
    state["second"].mul_(b2).addcmul_(gradient, gradient, value=1 - b2)
    # both corrections of the bias are in the rate and in the guard
    root = float(np.sqrt(1 - b2 ** (i + 1)))
    scale = torch.sqrt(state["second"], out=gradient).add_(GUARD * root)
    weights.addcdiv_(state["first"], scale, value=float(-rate * root / (1 - b1 ** (i + 1))))
    state["average"].lerp_(weights, 1 - model.decay)


def _draws(run: Training, block: int) -> tuple[Tensor, Tensor, Tensor]:
    """Vectors, times and noise of the iterations of a block: a function of seed and block."""
    from tlstat.certificates.peft.diffusion import seeded

    generator = seeded(run.seed, FIRST + 1 + block)
    (Z, d), (T, B) = run.data.shape, (run.model.timesteps, run.model.batch)
    which = torch.randint(Z, (DRAWN, B), generator=generator)
    # one time from each of B equal parts of 1..T: the same law, less variance
    u = torch.rand(DRAWN, B, generator=generator)
    t = 1 + ((torch.arange(B) + u) * (T / B)).long().clamp_(max=T - 1)
    eps = torch.randn(DRAWN, B, d, generator=generator)
    return which.to(run.data.device), t.to(run.data.device), eps.to(run.data.device)


def _fresh(run: Training) -> dict[str, Any]:
    """Uniform weights with the usual limits 1/sqrt(inputs); the last layer starts at 0."""
    from tlstat.certificates.peft.diffusion import seeded

    generator, parts = seeded(run.seed, FIRST), []
    layout = shapes(run.model, run.data.shape[1])
    for W, b in zip(layout[::2], layout[1::2], strict=True):
        for shape in (W, b):
            u = 2 * torch.rand(shape, generator=generator) - 1
            parts.append((u / W[0] ** 0.5).flatten())
    last = layout[-2][0] * layout[-2][1] + layout[-1][0]
    weights = torch.cat(parts)
    weights[-last:] = 0
    weights = weights.to(run.data.device)
    zero = torch.zeros_like(weights)
    return {"weights": weights, "average": weights.clone(), "first": zero, "second": zero.clone(),
            "loss": 0.0, "done": 0}  # fmt: skip


def _store(run: Training, state: dict[str, Any], done: int) -> None:
    assert run.checkpoint is not None
    arrays = {k: state[k].detach().cpu().numpy() for k in ("weights", "average", "first", "second")}
    head = {"identity": run.identity, "done": done, "loss": state["loss"]}
    partial = run.checkpoint.with_name(run.checkpoint.name + ".partial")
    with open(partial, "wb") as file:
        np.savez(file, head=np.array(json.dumps(head)), **arrays)
    partial.replace(run.checkpoint)


def _resumed(run: Training) -> dict[str, Any] | None:
    if run.checkpoint is None or not run.checkpoint.exists():
        return None
    try:
        with np.load(run.checkpoint, allow_pickle=False) as stored:
            head = json.loads(str(stored["head"]))
            state: dict[str, Any] = {
                k: torch.as_tensor(stored[k], device=run.data.device)
                for k in ("weights", "average", "first", "second")
            }
    except (ValueError, KeyError, EOFError, OSError) as error:
        raise InputError(f"checkpoint {run.checkpoint} cannot be read: {error}") from error
    if head["identity"] != run.identity:
        raise InputError(
            f"checkpoint {run.checkpoint} belongs to another run (settings, seed or zoo differ); "
            "give another path, or delete it"
        )
    return {**state, "loss": head["loss"], "done": head["done"]}
