"""Many networks at once: initialised from standard normals, trained by full-batch Adam.

All arrays carry a leading axis of networks, so that one step of all costs few kernel launches;
what one network becomes does not depend on the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from tlstat.errors import InputError

Parameters = dict[str, torch.Tensor]
ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU}
# activations and parameters held at once, in numbers
CHUNK = 1 << 22
# finished networks are taken out of the batch this often
SWEEP = 20
BETAS, EPSILON = (0.9, 0.999), 1e-8


def mlp(widths: Sequence[int], activation: str, d: int, C: int) -> nn.Sequential:
    """A multi-layer perceptron with these hidden widths and a linear output."""
    layers: list[nn.Module] = []
    sizes = [d, *widths]
    for a, b in zip(sizes[:-1], sizes[1:], strict=True):
        layers += [nn.Linear(a, b), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], C))


@dataclass(frozen=True)
class Slot:
    """A parameter tensor as a function of standard normals."""

    name: str
    shape: tuple[int, ...]
    start: int
    stop: int
    width: float


class Ensemble:
    """Networks of one architecture, as functions of stacked parameters.

    Parameters
    ----------
    module : torch.nn.Module
        Used in evaluation mode: no dropout, stored statistics of batch normalisation.
    init : {"uniform", "normal"}
        Weights and biases of linear and convolutional layers are uniform on
        ``+- scale / sqrt(fan-in)`` (torch's default) or normal with standard deviation
        ``scale / sqrt(fan-in)``; so is any other tensor with two axes or more. Other vectors
        (scales and shifts of normalisation layers) keep the module's values.
    scale : float
    device, dtype
        Where and how it is computed.
    """

    def __init__(
        self, module: nn.Module, init: str, scale: float, device: str, dtype: torch.dtype
    ) -> None:
        self.module = deepcopy(module).eval().to(device=device, dtype=dtype)
        self.init, self.device, self.dtype = init, device, dtype
        self.slots: list[Slot] = []
        self.fixed: Parameters = {}
        self.buffers = dict(self.module.named_buffers())
        self.dim = 0
        for name, tensor in self.module.named_parameters():
            fan_in = self._fan_in(name, tensor)
            if fan_in is None:
                self.fixed[name] = tensor.detach()
                continue
            stop = self.dim + tensor.numel()
            width = scale / math.sqrt(fan_in)
            self.slots.append(Slot(name, tuple(tensor.shape), self.dim, stop, width))
            self.dim = stop
        if not self.dim:
            raise InputError("network has no parameters to draw; expected weights")
        self._mapped: Callable[..., torch.Tensor] = torch.func.vmap(self._one, in_dims=(0, None))

    def _fan_in(self, name: str, tensor: torch.Tensor) -> int | None:
        owner = self.module.get_submodule(name.rpartition(".")[0])
        weight = getattr(owner, "weight", None)
        if isinstance(owner, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d):
            assert isinstance(weight, torch.Tensor)
            return weight[0].numel()
        return tensor[0].numel() if tensor.ndim >= 2 else None

    def parameters(self, z: Any) -> Parameters:
        """Initial parameters from standard normals (S, dim)."""
        normal = torch.as_tensor(z).to(device=self.device)
        if normal.ndim != 2 or normal.shape[1] != self.dim:
            raise InputError(f"z has shape {tuple(normal.shape)}; expected (networks, {self.dim})")
        unit = torch.erf(normal / math.sqrt(2)) if self.init == "uniform" else normal
        S = len(unit)
        out = {
            s.name: (unit[:, s.start : s.stop] * s.width).reshape(S, *s.shape).to(self.dtype)
            for s in self.slots
        }
        return out | {k: v.expand(S, *v.shape).clone() for k, v in self.fixed.items()}

    def __call__(self, parameters: Parameters, X: torch.Tensor) -> torch.Tensor:
        """Outputs (S, n, C)."""
        return self._mapped(parameters, X)

    def _one(self, parameters: Parameters, X: torch.Tensor) -> torch.Tensor:
        state = {**parameters, **self.buffers}
        out: torch.Tensor = torch.func.functional_call(self.module, state, (X,))
        return out

    def chunk(self, rows: int) -> int:
        """How many networks are trained at once."""
        return max(1, min(1024, CHUNK // (8 * self.dim + 4 * rows * self._width())))

    def _width(self) -> int:
        return max(s.shape[0] for s in self.slots)


def train(
    ensemble: Ensemble,
    parameters: Parameters,
    X: torch.Tensor,
    Y: torch.Tensor,
    *,
    epochs: int,
    learning_rate: float,
    stop: float | None,
    score: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> Parameters:
    """Minimise every network's mean squared training error by full-batch Adam.

    Parameters
    ----------
    ensemble : Ensemble
    parameters : dict of tensors (S, ...)
        Starting values.
    X, Y : tensors, shapes (n, d...) and (n, C)
    epochs : int
        Most steps.
    learning_rate : float
    stop : float, optional
        A network stops at the first step at which its training error is at most this.
    score : callable, optional
        Training error by which networks stop, from outputs (S, n, C); the squared one by default.
    """
    done = {k: v.clone() for k, v in parameters.items()}
    place = torch.arange(len(next(iter(done.values()))), device=X.device)
    names = list(parameters)
    now = [parameters[k].clone() for k in names]
    first = [torch.zeros_like(t) for t in now]
    second = [torch.zeros_like(t) for t in now]
    running = torch.ones(len(place), dtype=torch.bool, device=X.device)
    for step in range(1, epochs + 1):
        leaves = [t.requires_grad_() for t in now]
        outputs = ensemble(dict(zip(names, leaves, strict=True)), X)
        losses = ((outputs - Y) ** 2).mean(dim=(1, 2))
        gradients = torch.autograd.grad(losses.sum(), leaves)
        with torch.no_grad():
            now = [t.detach() for t in leaves]
            if stop is not None:
                reached = losses if score is None else score(outputs)
                running = running & ~(reached <= stop)
            _adam(now, list(gradients), first, second, step, learning_rate, running, stop)
            if stop is not None and step % SWEEP == 0 and not bool(running.all()):
                for k, t in zip(names, now, strict=True):
                    done[k][place] = t
                if not bool(running.any()):
                    return done
                place, rest = place[running], running
                now, first, second = ([t[rest] for t in ts] for ts in (now, first, second))
                running = running[rest]
    for k, t in zip(names, now, strict=True):
        done[k][place] = t
    return done


def _adam(
    now: list[torch.Tensor],
    gradients: list[torch.Tensor],
    first: list[torch.Tensor],
    second: list[torch.Tensor],
    step: int,
    learning_rate: float,
    running: torch.Tensor,
    stop: float | None,
) -> None:
    """One step of Adam in place; networks that have stopped stay where they are."""
    b1, b2 = BETAS
    torch._foreach_lerp_(first, gradients, 1 - b1)
    torch._foreach_mul_(second, b2)
    torch._foreach_addcmul_(second, gradients, gradients, 1 - b2)
    below = torch._foreach_sqrt(second)
    torch._foreach_div_(below, math.sqrt(1 - b2**step))
    torch._foreach_add_(below, EPSILON)
    rate = -learning_rate / (1 - b1**step)
    if stop is None:
        torch._foreach_addcdiv_(now, first, below, rate)
        return
    moves = torch._foreach_div(first, below)
    for t, move in zip(now, moves, strict=True):
        t.add_(move * running.to(t.dtype).view(-1, *[1] * (t.ndim - 1)), alpha=rate)
