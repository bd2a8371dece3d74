"""Evaluating many candidates: predictions and errors of M models on n examples.

If the adapted layer is the last one, all candidates are one matrix product over shared features;
otherwise the network runs under ``torch.vmap``. Either way the work is cut into pieces that stay
below a limit of memory; on the CPU that also keeps them in the cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tlstat.certificates.peft.adapted import AdaptedModel, as_logits, plain_attention
from tlstat.certificates.peft.inputs import labels, whole, within
from tlstat.certificates.peft.kernels import argmax_planes, argmax_rows, count_errors, signs
from tlstat.errors import InputError

MIB = 2**20
DEFAULT_MEMORY = {"cpu": 32 * MIB, "cuda": 1024 * MIB}
CACHED = 2 * MIB  # pieces of a matrix product on the CPU: logits that fit into the cache
CHECKED = 32  # examples on which a product is compared with the network
MOST = 127  # classes that int8 can name


class PredictionMatrix:
    """Labels that M candidates give to a pool of examples, one byte each.

    Attributes
    ----------
    labels : ndarray of int8, shape (n, M)
        A row an example, so that an episode reads whole rows.
    n_classes : int
    """

    def __init__(self, labels: np.ndarray, n_classes: int) -> None:
        self.labels, self.n_classes = labels, n_classes
        labels.setflags(write=False)

    def __len__(self) -> int:
        return self.labels.shape[1]

    def errors(self, y: Any, index: Any = None) -> np.ndarray:
        """Errors of every candidate on a sample from the pool.

        Parameters
        ----------
        y : array_like of int, shape (n,)
            Labels of the sample.
        index : array_like of int, shape (n,), optional
            Its positions in the pool, repeated ones included; by default the whole pool.

        Returns
        -------
        ndarray of int32, shape (M,)
        """
        pool, size = self.labels.shape
        at = np.arange(pool) if index is None else np.asarray(index)
        if at.ndim != 1 or at.dtype.kind not in "iu" or at.size == 0:
            raise InputError(f"index has shape {at.shape}; expected positions in the pool")
        if at.min() < 0 or at.max() >= pool:
            raise InputError(f"index has the position {at.max()}; the pool has {pool} examples")
        truth = labels(y, "y", at.size)
        within(truth, self.n_classes, "y")
        out = np.zeros(size, dtype=np.int32)
        count_errors(self.labels, at.astype(np.int64), truth.numpy().astype(np.int8), out)
        return out

    def counts(self, groups: Any) -> np.ndarray:
        """How often every candidate gives label c to examples of group g, (M, groups, classes).

        With these the errors under every labelling of the groups are sums.
        """
        g = labels(groups, "groups", self.labels.shape[0]).numpy()
        out = np.empty((len(self), g.max() + 1, self.n_classes), dtype=np.int32)
        for group in range(g.max() + 1):
            rows = np.flatnonzero(g == group)
            for c in range(self.n_classes):
                wrong = np.zeros(len(self), dtype=np.int32)
                count_errors(self.labels, rows, np.full(rows.size, c, dtype=np.int8), wrong)
                out[:, group, c] = rows.size - wrong
        return out


def logits(model: AdaptedModel, thetas: Any, X: Any, *, memory: int | None = None) -> np.ndarray:
    """Logits (M, n, C) of the models of M vectors; `predictions` needs far less memory."""
    t, x = model.check(thetas), model.inputs(X)
    with torch.no_grad():
        pieces = [
            torch.cat([model.forward(t[rows], x[part]) for part in parts], dim=1).cpu()
            for rows, parts in _pieces(model, t, x, memory)
        ]
    return torch.cat(pieces).numpy()


def predictions(
    model: AdaptedModel, thetas: Any, X: Any, *, memory: int | None = None
) -> np.ndarray:
    """Labels (M, n) of the models of M vectors, as int8; see `prediction_matrix`."""
    return np.ascontiguousarray(prediction_matrix(model, thetas, X, memory=memory).labels.T)


def prediction_matrix(
    model: AdaptedModel, thetas: Any, X: Any, *, memory: int | None = None
) -> PredictionMatrix:
    """Labels that the models of M vectors give to n examples.

    Parameters
    ----------
    model : AdaptedModel
    thetas : array_like, shape (M, dim)
    X : array_like, shape (n, ...)
    memory : int, optional
        Bytes that the evaluation may use for activations and weights, beside the n M bytes of
        the result. By default 32 MiB on the CPU, 1 GiB on a device. One candidate on one example
        is always evaluated.

    Returns
    -------
    PredictionMatrix
        The class of the largest logit, the first one if several are; of a single output, whether
        it is above 0.

    Raises
    ------
    InputError
        For vectors of another length, NaN, no examples, or more than 127 classes.
    """
    t, x = model.check(thetas), model.inputs(X)
    out = np.empty((x.shape[0], t.shape[0]), dtype=np.int8)
    n_classes = 0
    for rows, part, block, n_classes in _labelled(model, t, x, memory):  # noqa: B007
        out[part, rows] = block
    return PredictionMatrix(out, n_classes)


def errors(
    model: AdaptedModel, thetas: Any, X: Any, y: Any, *, memory: int | None = None
) -> np.ndarray:
    """Errors of the models of M vectors on labelled examples, without storing predictions.

    Parameters
    ----------
    model, thetas, X, memory
        As in `prediction_matrix`.
    y : array_like of int, shape (n,)
        Labels 0, 1, ...

    Returns
    -------
    ndarray of int32, shape (M,)
    """
    t, x = model.check(thetas), model.inputs(X)
    truth = labels(y, "y", x.shape[0])
    small = truth.clamp(max=MOST).numpy().astype(np.int8)
    out = np.zeros(t.shape[0], dtype=np.int32)
    checked = False
    for rows, part, block, n_classes in _labelled(model, t, x, memory):
        if not checked:
            within(truth, n_classes, "y")
            checked = True
        here = np.zeros(block.shape[1], dtype=np.int32)
        count_errors(block, np.arange(block.shape[0]), small[part], here)
        out[rows] += here
    return out


# ----------------------------------------------------------------------- pieces

Piece = tuple[slice, slice, np.ndarray, int]


def _labelled(model: AdaptedModel, t: Tensor, x: Tensor, memory: int | None) -> Iterator[Piece]:
    """Candidates, examples, their labels (examples, candidates) and the number of classes.

    A block is overwritten by the next one.
    """
    limit = _limit(model, memory)
    with torch.no_grad():
        features = model.head_features(x)
        if features is not None and _agrees(model, t[-1:], x, features):
            yield from _by_matmul(model, t, features, limit)
            return
        for rows, parts in _pieces(model, t, x, memory):
            for part in parts:
                out = model.forward(t[rows], x[part])
                block = np.empty((out.shape[1], out.shape[0]), dtype=np.int8)
                if out.device.type == "cpu":
                    argmax_rows(out.contiguous().numpy(), block)
                else:
                    block[:] = labels_of(out).T.cpu().numpy()
                yield rows, part, block, classes(out)


def _by_matmul(model: AdaptedModel, t: Tensor, z: Tensor, limit: int) -> Iterator[Piece]:
    C = model.head_weights(t[:1])[0].shape[1]
    _few(C)
    n, size = z.shape[0], z.element_size()
    cpu = z.device.type == "cpu"
    room = min(limit, CACHED) if cpu else limit
    width = min(t.shape[0], max(64, room // (C * size * min(n, 128))))
    height = min(n, max(1, room // (C * size * width)))
    planes = z.new_empty(C, height, width)
    best, label = np.empty(width, planes[:0].cpu().numpy().dtype), np.empty(width, np.int32)
    block = np.empty((height, width), dtype=np.int8)
    for start in range(0, t.shape[0], width):
        rows = slice(start, min(start + width, t.shape[0]))
        m = rows.stop - start
        weight, shift = model.head_weights(t[rows])
        by_class = weight.permute(1, 2, 0).contiguous()  # (C, p, m)
        bias = z.new_zeros(C, m) if shift is None else shift.mT.contiguous()
        for top in range(0, n, height):
            part = slice(top, min(top + height, n))
            h = part.stop - top
            here = planes.view(-1)[: C * h * m].view(C, h, m)
            for c in range(C):
                torch.mm(z[part], by_class[c], out=here[c])
            if not cpu:
                out = labels_of((here + bias[:, None]).movedim(0, -1)).cpu().numpy()
            else:
                out = block.reshape(-1)[: h * m].reshape(h, m)
                if C == 1:
                    signs(here[0].numpy(), bias[0].numpy(), out)
                else:
                    argmax_planes(here.numpy(), bias.numpy(), best[:m], label[:m], out)
            yield rows, part, out, max(C, 2)


def _agrees(model: AdaptedModel, t: Tensor, x: Tensor, z: Tensor) -> bool:
    """Whether the product gives the network's own logits: it may do something else with them."""
    weight, bias = model.head_weights(t)
    out = z[:CHECKED] @ weight[0].mT
    own = model.forward(t, x[:CHECKED])[0]
    product = out if bias is None else out + bias
    return bool(torch.allclose(product, own, rtol=1e-3, atol=1e-4 * float(own.abs().max())))


def classes(out: Tensor) -> int:
    """How many classes logits (..., C) tell apart: a single output tells two."""
    _few(out.shape[-1])
    return max(out.shape[-1], 2)


def _few(C: int) -> None:
    if C > MOST + 1:
        raise InputError(f"backbone has {C} outputs; expected at most {MOST + 1} classes")


def labels_of(out: Tensor) -> Tensor:
    """Labels of logits (..., C): the largest one, or whether a single output is above 0."""
    return (out[..., 0] > 0 if out.shape[-1] == 1 else out.argmax(-1)).to(torch.int8)


def _limit(model: AdaptedModel, memory: int | None) -> int:
    if memory is not None:
        return whole(memory, "memory")
    return DEFAULT_MEMORY["cpu" if model.device.type == "cpu" else "cuda"]


def _pieces(
    model: AdaptedModel, t: Tensor, x: Tensor, memory: int | None
) -> Iterator[tuple[slice, list[slice]]]:
    """Blocks of candidates, each with the blocks of examples that fit into the memory."""
    fixed, each = footprint(model, x[:1])
    limit = _limit(model, memory)
    n = min(x.shape[0], max(1, (limit - fixed) // each))
    m = min(t.shape[0], max(1, limit // (fixed + each * n)))
    parts = [slice(i, min(i + n, x.shape[0])) for i in range(0, x.shape[0], n)]
    for start in range(0, t.shape[0], m):
        yield slice(start, min(start + m, t.shape[0])), parts


def footprint(model: AdaptedModel, x: Tensor) -> tuple[int, int]:
    """Bytes of one candidate, and of one candidate on one example, from a run of the network.

    Of the activations, three of the largest are counted at once: an input, an output and what a
    module keeps between them; all weights that the vector replaces are.
    """
    largest = [0]

    def note(_: Any, args: Any, out: Any) -> None:
        tensors = [v for v in (*args, getattr(out, "logits", out)) if isinstance(v, Tensor)]
        largest.append(max((v.numel() * v.element_size() for v in tensors), default=0))

    hooks = [m.register_forward_hook(note) for m in model.module.modules()]
    try:
        with torch.no_grad(), plain_attention():
            as_logits(model.module(x))
            zero = torch.zeros(model.dim, dtype=model.dtype, device=model.device)
            replaced = sum(v.numel() * v.element_size() for v in model.parameters(zero).values())
    finally:
        for hook in hooks:
            hook.remove()
    return 2 * replaced, 3 * max(largest)
