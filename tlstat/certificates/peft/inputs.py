"""What the package takes from its users: tensors, labels, tasks and whole numbers, checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tlstat.errors import InputError


def whole(value: Any, name: str, least: int = 1) -> int:
    """An integer of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(f"{name} is {value!r}; expected an integer of at least {least}")
    return int(value)


def positive(value: Any, name: str, *, zero: bool = False) -> float:
    """A finite number above 0, or of at least 0."""
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not np.isfinite(value) or value < 0 or (value == 0 and not zero):
        least = "of at least 0" if zero else "above 0"
        raise InputError(f"{name} is {value!r}; expected a finite number {least}")
    return float(value)


def examples(X: Any, name: str, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Inputs with the examples on the first axis; numbers with a fraction in ``dtype``."""
    try:
        x = X if isinstance(X, Tensor) else torch.as_tensor(np.asarray(X))
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} is no array of numbers: {error}") from error
    if x.ndim == 0 or x.shape[0] == 0:
        raise InputError(f"{name} has shape {tuple(x.shape)}; expected at least one example")
    if x.is_complex() or x.dtype == torch.bool:
        raise InputError(f"{name} has dtype {x.dtype}; expected real numbers")
    x = x.detach().to(device)
    x = x.to(dtype) if x.is_floating_point() else x.long()
    if x.is_floating_point() and not torch.isfinite(x).all():
        bad = int((~torch.isfinite(x)).flatten(1).any(1).nonzero()[0]) if x.ndim > 1 else 0
        raise InputError(f"{name} has a NaN or an infinite value (first in example {bad})")
    return x


def labels(y: Any, name: str, n: int | None = None) -> Tensor:
    """Class labels 0, 1, ... as int64 on the CPU."""
    if isinstance(y, Tensor):
        y = y.detach().cpu().numpy()
    values = np.asarray(y)
    if values.dtype.kind == "b":
        values = values.astype(np.int64)
    if values.dtype.kind == "f" and np.all(values == np.floor(values)):
        values = values.astype(np.int64)
    if values.dtype.kind not in "iu":
        raise InputError(f"{name} has dtype {values.dtype}; expected labels 0, 1, 2, ...")
    if n is not None and values.shape != (n,):
        raise InputError(f"{name} has shape {values.shape}; expected ({n},), a label an example")
    if values.size and values.min() < 0:
        raise InputError(
            f"{name} has the label {values.min()}; expected classes 0, 1, 2, ... "
            "(write -1 and 1 as 0 and 1)"
        )
    return torch.as_tensor(values.astype(np.int64))


def within(y: Tensor, n_classes: int, name: str) -> None:
    """Labels that the model can give."""
    if y.numel() and int(y.max()) >= n_classes:
        raise InputError(
            f"{name} has the label {int(y.max())}, but the model tells {n_classes} classes apart: "
            f"expected labels 0 to {n_classes - 1}"
        )


def vectors(thetas: Any, dim: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Vectors as (M, dim)."""
    t = thetas if isinstance(thetas, Tensor) else torch.as_tensor(np.array(thetas))
    if t.ndim == 1:
        t = t[None]
    if t.ndim != 2 or t.shape[0] == 0 or t.shape[1] != dim:
        raise InputError(
            f"thetas has shape {tuple(t.shape)}; expected (M, {dim}), a row a candidate, M >= 1"
        )
    if not t.is_floating_point():
        raise InputError(f"thetas has dtype {t.dtype}; expected floating point")
    # one pass over many vectors; a sum that overflows is looked at again
    if not torch.isfinite(t.sum()) and not torch.isfinite(t).all():
        raise InputError("thetas has a NaN or an infinite value")
    return t.to(device=device, dtype=dtype)


@dataclass(frozen=True)
class Tasks:
    """Labelled samples of several tasks, stacked.

    Attributes
    ----------
    X : Tensor, shape (T, n, ...), or (n, ...) if all tasks share their inputs
    y : Tensor of int64, shape (T, n)
    weight : Tensor, shape (T, n)
        0 where a smaller task was filled up.
    shared : bool
        Whether the inputs are shared.
    """

    X: Tensor
    y: Tensor
    weight: Tensor
    shared: bool

    def __len__(self) -> int:
        return self.y.shape[0]

    def part(self, here: slice) -> Tasks:
        """Some of the tasks."""
        X = self.X if self.shared else self.X[here]
        return Tasks(X, self.y[here], self.weight[here], self.shared)

    def inputs(self) -> Tensor:
        """All inputs, (N, ...)."""
        if self.shared:
            return self.X
        return self.X[self.weight > 0]


def stack_tasks(tasks: Any, dtype: torch.dtype, device: torch.device) -> Tasks:
    """Tasks from a list of pairs ``(X, y)``, or from one pair of arrays.

    A pair ``(X, y)`` with ``y`` of shape (T, n) holds T tasks, with ``X`` of shape (T, n, ...), or
    with the inputs of all tasks, (n, ...).
    """
    if isinstance(tasks, tuple) and len(tasks) == 2 and np.ndim(tasks[1]) == 2:
        return _arrays(*tasks, dtype, device)
    if isinstance(tasks, str) or not isinstance(tasks, Iterable):
        raise InputError(f"tasks is {type(tasks).__name__}; expected a list of pairs (X, y)")
    pairs: Sequence[Any] = list(tasks)
    if not pairs:
        raise InputError("tasks is empty; expected at least one pair (X, y)")
    X, y = [], []
    for i, pair in enumerate(pairs):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise InputError(f"tasks[{i}] is no pair (X, y)")
        X.append(examples(pair[0], f"X of tasks[{i}]", dtype, device))
        y.append(labels(pair[1], f"y of tasks[{i}]", len(X[-1])))
        if X[i].shape[1:] != X[0].shape[1:] or X[i].dtype != X[0].dtype:
            raise InputError(
                f"X of tasks[{i}] has shape {tuple(X[i].shape)}; expected inputs as in tasks[0], "
                f"(n, {', '.join(map(str, X[0].shape[1:]))})"
            )
    pad = torch.nn.utils.rnn.pad_sequence
    weight = pad([torch.ones(len(v), dtype=dtype) for v in y], batch_first=True)
    return Tasks(
        pad(X, batch_first=True), pad(y, batch_first=True).to(device), weight.to(device), False
    )


def _arrays(X: Any, y: Any, dtype: torch.dtype, device: torch.device) -> Tasks:
    inputs = examples(X, "X of tasks", dtype, device)
    t = labels(y, "y of tasks").to(device)
    if 0 in t.shape:
        raise InputError(f"y of tasks has shape {tuple(t.shape)}; expected at least one label")
    shared = inputs.shape[0] == t.shape[1] and inputs.shape[:2] != t.shape
    if not shared and inputs.shape[:2] != t.shape:
        raise InputError(
            f"X and y of tasks have shapes {tuple(inputs.shape)} and {tuple(t.shape)}; expected "
            "(T, n, ...) and (T, n), or (n, ...) and (T, n) if the tasks share their inputs"
        )
    return Tasks(inputs, t, torch.ones(t.shape, dtype=dtype, device=device), shared)
