"""Fitting the vectors of many tasks at once."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from tlstat.certificates.peft.adapted import AdaptedModel
from tlstat.certificates.peft.evaluation import MIB, classes, footprint
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
    seed: int = 0,
    memory: int = 512 * MIB,
    progress: bool = False,
) -> Fits:
    """Minimise ``cross-entropy + ridge |theta|^2`` for every task by gradient descent (Adam).

    The tasks share nothing: each is fitted as if alone, and all of them in one batch.

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
    seed : int
        Of the starts, for adapters that cannot start at 0.
    memory : int
        Bytes for one batch of tasks.
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
    C = _check_labels(model, stack)
    start = model.start(len(stack), seed)
    fixed, each = footprint(model, stack.inputs()[:1])
    # the graph keeps every activation, not the three largest only
    size = max(1, memory // (8 * (fixed + each * stack.y.shape[1])))
    blocks = [slice(i, min(i + size, len(stack))) for i in range(0, len(stack), size)]
    thetas, rates = [], []
    with progress_bar("upstream fits", steps * len(blocks), progress) as tick:
        for block in blocks:
            part = Tasks(stack.X if stack.shared else stack.X[block], stack.y[block],
                         stack.weight[block], stack.shared)  # fmt: skip
            theta, rate_of = _fit(model, part, start[block], C, steps, rate, penalty, tick)
            thetas.append(theta)
            rates.append(rate_of)
    return Fits(torch.cat(thetas), torch.cat(rates))


def _fit(
    model: AdaptedModel,
    tasks: Tasks,
    start: Tensor,
    C: int,
    steps: int,
    rate: float,
    ridge: float,
    tick: Any,
) -> tuple[Tensor, Tensor]:
    theta = start.clone().requires_grad_(True)
    forward = _forward(model, tasks)
    total = tasks.weight.sum(1, keepdim=True)
    weight = tasks.weight / total
    optimiser = torch.optim.Adam([theta], lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        optimiser.zero_grad()
        loss = (_cross_entropy(forward(theta), tasks.y) * weight).sum()
        (loss + ridge * theta.square().sum()).backward()
        optimiser.step()
        schedule.step()
        tick()
    with torch.no_grad():
        out = forward(theta)
        predicted = (out[..., 0] > 0).long() if out.shape[-1] == 1 else out.argmax(-1)
        rates = ((predicted != tasks.y) * weight).sum(1)
    return theta.detach(), rates


def _forward(model: AdaptedModel, tasks: Tasks) -> Any:
    """Vectors (T, dim) -> logits (T, n, C); features of an adapted last layer are kept."""
    X, shared = tasks.X, tasks.shared
    flat = X if shared else X.flatten(0, 1)
    z = model.head_features(flat)
    if z is None:
        return (lambda t: model.forward(t, X)) if shared else (lambda t: model.forward_each(t, X))
    features = z if shared else z.unflatten(0, X.shape[:2])

    def last_layer(t: Tensor) -> Tensor:
        weight, bias = model.head_weights(t)
        out = features @ weight.mT
        return out if bias is None else out + bias[:, None]

    return last_layer


def _cross_entropy(out: Tensor, y: Tensor) -> Tensor:
    if out.shape[-1] == 1:
        return F.binary_cross_entropy_with_logits(out[..., 0], y.to(out.dtype), reduction="none")
    return F.cross_entropy(out.flatten(0, 1), y.flatten(), reduction="none").view(y.shape)


def _check_labels(model: AdaptedModel, tasks: Tasks) -> int:
    with torch.no_grad():
        one = model.forward(model.start(1), tasks.inputs()[:1])
    within(tasks.y, classes(one), "y of tasks")
    return one.shape[-1]
