"""Raw samples block by block and replicates part by part: nothing large is held together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tlstat.backend import namespace
from tlstat.errors import InputError
from tlstat.task_diversity.models import TaskFamily

__all__ = ["Block", "in_chunks", "sample_raw"]

Array = Any
# of a block by default: small enough to stay near the cache
MAX_BYTES = 2**24


class Block(NamedTuple):
    """Raw samples of some tasks: ``X`` (size, tasks, rows, d) and ``y`` (size, tasks, rows)."""

    tasks: slice
    rows: slice
    X: Array
    y: Array


def sample_raw(
    model: TaskFamily,
    n: int,
    rng: Any,
    size: int = 1,
    *,
    heads: Array | None = None,
    max_bytes: int = MAX_BYTES,
) -> Iterator[Block]:
    """Raw samples, block by block; a block takes at most about ``max_bytes``.

    Parameters
    ----------
    model : LinearTasks or LogisticTasks
    n : int
        Samples a task.
    rng : tlstat.backend.Random
    size : int
        Replicates.
    heads : array, shape (size, t, r), optional
        Drawn from the model by default; any number of tasks is taken.
    max_bytes : int
        Bound on the bytes of a block's ``X``; a single row of all replicates is the least.

    Yields
    ------
    Block
        Tasks in order, and rows in order within them.

    Raises
    ------
    InputError
        If ``n``, ``size`` or ``max_bytes`` is not a positive integer, or ``heads`` has another
        shape.
    """
    n, size = positive("n", n), positive("size", size)
    positive("max_bytes", max_bytes)
    heads = heads_of(model, heads, rng, size)
    return blocks(model, n, rng, size, heads, max_bytes)


def blocks(
    model: TaskFamily, n: int, rng: Any, size: int, heads: Array, max_bytes: int
) -> Iterator[Block]:
    theta = heads @ rng.asarray(model.basis.T)
    row = 8 * size * model.d
    rows = max(1, min(n, max_bytes // row))
    tasks = max(1, min(heads.shape[1], max_bytes // (row * n)))
    for j in parts(heads.shape[1], tasks):
        for i in parts(n, rows):
            shape = (size, j.stop - j.start, i.stop - i.start, model.d)
            X = model.draw_covariates(rng, shape)
            predictor = (X @ theta[:, j, :, None])[..., 0]
            yield Block(j, i, X, model.draw_responses(predictor, rng))


def in_chunks(
    work: Callable[[Any, int], Any],
    rng: Any,
    size: int,
    bytes_each: float,
    max_bytes: int = 2**30,
) -> Any:
    """Run ``work(rng, size)`` on parts of the replicates and join what it returns.

    The parts, and with them the draws, are a function of ``size``, ``bytes_each``, ``max_bytes``.

    Parameters
    ----------
    work : callable
        ``work(rng, size)`` gives an array, or a dictionary of them, with replicates first.
    rng : tlstat.backend.Random
        Part i works with ``rng.spawn(i)``.
    size : int
        Replicates in all.
    bytes_each : float
        What one replicate needs at its peak.
    max_bytes : int
        Bound on what a part needs; a part has at least one replicate.
    """
    most = max(1, int(max_bytes // max(float(bytes_each), 1.0)))
    done = [
        work(rng.spawn(i), part.stop - part.start)
        for i, part in enumerate(parts(positive("size", size), most))
    ]
    if isinstance(done[0], dict):
        return {key: _join([part[key] for part in done]) for key in done[0]}
    return _join(done)


def _join(done: list[Array]) -> Array:
    return namespace(done[0]).concat(done, axis=0) if len(done) > 1 else done[0]


def parts(total: int, most: int) -> list[slice]:
    """Consecutive parts of nearly one size, none above ``most``."""
    count = -(-total // most)
    edges = [total * i // count for i in range(count + 1)]
    return [slice(a, b) for a, b in zip(edges, edges[1:], strict=False)]


def positive(name: str, value: Any) -> int:
    if isinstance(value, bool) or not (value >= 1 and float(value).is_integer()):
        raise InputError(f"{name} is {value!r}; expected a positive integer")
    return int(value)


def heads_of(model: TaskFamily, heads: Array | None, rng: Any, size: int) -> Array:
    if heads is None:
        return model.draw_heads(rng, size)
    heads = rng.asarray(heads)
    if heads.ndim != 3 or heads.shape[0] != size or heads.shape[-1] != model.r:
        raise InputError(
            f"heads has shape {tuple(heads.shape)}; expected ({size}, tasks, {model.r})"
        )
    return heads
