"""Fitting the vectors of many tasks at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from tlstat.certificates.peft.adapted import AdaptedModel
from tlstat.certificates.peft.checks import n_classes
from tlstat.certificates.peft.evaluation import MIB, footprint, labels_of
from tlstat.certificates.peft.inputs import Tasks, positive, stack_tasks, whole, within
from tlstat.certificates.peft.progress import progress_bar


class Fits(NamedTuple):
    """Fitted vectors (T, dim) and their errors on the tasks they were fitted to, as rates (T,)."""

    thetas: Tensor
    error_rates: Tensor


def fit_adapters(
    model: AdaptedModel,
    tasks: Any,
    *,
    steps: int = 300,
    learning_rate: float = 0.1,
    ridge: float = 1e-3,
    batch: int | None = None,
    seed: int = 0,
    memory: int = 512 * MIB,
    progress: bool = False,
) -> Fits:
    """Minimise ``cross-entropy + ridge |theta|^2`` for every task by gradient descent (Adam).

    The tasks share nothing: each is fitted as if alone, and many of them in one batch.

    Parameters
    ----------
    model : AdaptedModel
    tasks : list of (X, y), or (X, y)
        A pair a task; or arrays X (T, n, ...) and y (T, n); or X (n, ...) and y (T, n) if tasks
        share their inputs. Labels are 0, 1, ...
    steps : int
    learning_rate : float
        Its largest value; it falls to 0 as a cosine.
    ridge : float
        Weight of the squared norm.
    batch : int, optional
        Examples of every task in each step, in random order; by default all.
    seed : int
        Of the starts, for adapters that cannot start at 0, and of the batches.
    memory : int
        Bytes for the activations of the tasks that are fitted together.
    progress : bool
        Show a bar.

    Returns
    -------
    Fits

    Raises
    ------
    InputError
        For labels outside the classes of the network, NaN, or tasks of different shapes.
    """
    whole(steps, "steps")
    rate, penalty = positive(learning_rate, "learning_rate"), positive(ridge, "ridge", zero=True)
    stack = stack_tasks(tasks, model.dtype, model.device)
    n = stack.y.shape[1]
    plan = Plan(steps, rate, penalty, n if batch is None else min(whole(batch, "batch"), n), seed)
    within(stack.y, n_classes(model, stack.inputs()[:1]), "y of tasks")
    start = model.start(len(stack), seed)
    parts = blocks(model, stack, plan.batch, memory)
    thetas, rates = [], []
    with progress_bar("upstream fits", steps * len(parts), progress) as tick:
        for here in parts:
            theta, rate_of = _fit(model, stack.part(here), start[here], plan, tick)
            thetas.append(theta)
            rates.append(rate_of)
    return Fits(torch.cat(thetas), torch.cat(rates))


def blocks(
    model: AdaptedModel, tasks: Tasks, batch: int | None = None, memory: int = 512 * MIB
) -> list[slice]:
    """Tasks that are worked on together: their activations stay below a limit of memory."""
    fixed, each = footprint(model, tasks.inputs()[:1])
    # the graph of a fit keeps every activation, not the three largest only
    size = max(1, memory // (8 * (fixed + each * (batch or tasks.y.shape[1]))))
    return [slice(i, min(i + size, len(tasks))) for i in range(0, len(tasks), size)]


@dataclass(frozen=True)
class Plan:
    """How to descend."""

    steps: int
    rate: float
    ridge: float
    batch: int
    seed: int

    def batches(self, n: int) -> Iterator[Tensor | None]:
        """Positions of the examples of each step; None for all."""
        if self.batch >= n:
            yield from [None] * self.steps
            return
        generator = torch.Generator().manual_seed(self.seed)
        order = torch.empty(0, dtype=torch.long)
        for _ in range(self.steps):
            if len(order) < self.batch:
                order = torch.randperm(n, generator=generator)
            yield order[: self.batch]
            order = order[self.batch :]


def _fit(
    model: AdaptedModel, tasks: Tasks, start: Tensor, plan: Plan, tick: Any
) -> tuple[Tensor, Tensor]:
    theta = start.clone().requires_grad_(True)
    forward = _forward(model, tasks)
    weight = tasks.weight / tasks.weight.sum(1, keepdim=True)
    optimiser = torch.optim.Adam([theta], lr=plan.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, plan.steps)
    n = tasks.y.shape[1]
    for at in plan.batches(n):
        y, w = tasks.y, weight
        if at is not None:
            y, w = y[:, at], weight[:, at] * (n / len(at))
        optimiser.zero_grad()
        loss = (_cross_entropy(forward(theta, at), y) * w).sum()
        (loss + plan.ridge * theta.square().sum()).backward()
        optimiser.step()
        schedule.step()
        tick()
    with torch.no_grad():
        out = forward(theta, None)
        rates = ((labels_of(out) != tasks.y) * weight).sum(1)
    return theta.detach(), rates


def _forward(model: AdaptedModel, tasks: Tasks) -> Callable[[Tensor, Tensor | None], Tensor]:
    """Vectors (T, dim) -> logits (T, n, C); features of an adapted last layer are kept."""
    X, shared = tasks.X, tasks.shared
    z = model.head_features(X if shared else X.flatten(0, 1))
    features = z if z is None or shared else z.unflatten(0, X.shape[:2])

    def pick(x: Tensor, at: Tensor | None) -> Tensor:
        return x if at is None else x[at] if shared else x[:, at]

    def through(t: Tensor, at: Tensor | None) -> Tensor:
        x = pick(X, at)
        return model.forward(t, x) if shared else model.forward_each(t, x)

    def last_layer(t: Tensor, at: Tensor | None) -> Tensor:
        assert features is not None
        weight, bias = model.head_weights(t)
        out = pick(features, at) @ weight.mT
        return out if bias is None else out + bias[:, None]

    return through if features is None else last_layer


def _cross_entropy(out: Tensor, y: Tensor) -> Tensor:
    if out.shape[-1] == 1:
        return F.binary_cross_entropy_with_logits(out[..., 0], y.to(out.dtype), reduction="none")
    return F.cross_entropy(out.flatten(0, 1), y.flatten(), reduction="none").view(y.shape)
