"""Estimates of the representation on simulated tasks, judged by their angles, for studies.

All methods see the same draws. Those that need no raw samples (ERM, the split-half U-statistic)
get sufficient statistics where these are cheaper, at a cost that does not depend on ``n``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tlstat.backend import to_numpy
from tlstat.errors import InputError
from tlstat.task_diversity.batch import (
    alternating_minimisation,
    cross_moment,
    factored_descent,
    method_of_moments,
    spectral_start,
    u_statistic,
)
from tlstat.task_diversity.models import LinearTasks, TaskFamily
from tlstat.task_diversity.moments import (
    Factored,
    Moments,
    in_chunks,
    sample_halves,
    sample_moments,
    sample_raw,
)
from tlstat.task_diversity.subspace import squared_sines, top_subspace

__all__ = ["METHODS", "estimate", "follows", "simulate_sines", "squared_distances"]

Array = Any
METHODS = ("moments", "u-statistic", "split-half", "erm", "spectral")
_RAW = ("moments", "u-statistic")
_MEMORY = 2**28
_BLOCK = 2**24  # raw samples in the processor's caches, nearly


def estimate(method: str, moments: Moments, r: int, *, tol: float = 1e-6) -> Array:
    """A representation from the statistics of all tasks, shape (..., d, r).

    Parameters
    ----------
    method : str
        One of `METHODS` but "split-half", which has statistics of its own.
    moments : Moments
        With ``M`` (raw draws) for "moments" and "u-statistic".
    r : int
    tol : float
        Of ERM's last iteration: sine between the representations before and after it.
    """
    if method == "moments":
        return method_of_moments(moments.M, r)
    if method == "u-statistic":
        return u_statistic(moments.q, moments.M, int(moments.n), r)
    start = spectral_start(moments.q, r)
    if method == "spectral":
        return start
    if method != "erm":
        raise InputError(f"method is {method!r}; expected one of {', '.join(METHODS)}")
    if isinstance(moments.S, Factored) or moments.q.shape[-1] * r > 200:
        return factored_descent(moments.S, moments.q, start, tol=tol).B
    return alternating_minimisation(moments.S, moments.q, start, tol=tol).B


def simulate_sines(
    model: TaskFamily, n: int, rng: Any, size: int, methods: Sequence[str], *, tol: float = 1e-6
) -> np.ndarray:
    """Squared sines of the principal angles to the truth, largest first.

    Parameters
    ----------
    model : LinearTasks or LogisticTasks
    n : int
        Samples of each task.
    rng : tlstat.backend.Random
    size : int
        Replicates, independent of each other.
    methods : sequence of str
        From `METHODS`; all but "split-half" share their draws.
    tol : float
        As in `estimate`.

    Returns
    -------
    array, shape (size, methods, r)
    """
    for method in methods:
        if method not in METHODS:
            raise InputError(f"method is {method!r}; expected one of {', '.join(METHODS)}")

    def work(part: Any, count: int) -> np.ndarray:
        truth = part.asarray(model.basis)
        found = {}
        if "split-half" in methods:
            first, second, _ = sample_halves(model, n, part.spawn("halves"), count)
            found["split-half"] = top_subspace(cross_moment(first, second), model.r)
        others = [m for m in methods if m != "split-half"]
        if others:
            moments = _moments(model, n, part.spawn("all"), count, others)
            found |= {m: estimate(m, moments, model.r, tol=tol) for m in others}
        sines = [to_numpy(squared_sines(found[m], truth)) for m in methods]
        return np.stack(sines, axis=1)

    if set(methods) <= {"split-half", *_RAW}:
        return np.asarray(work(rng, size))
    # S and, for ERM, its products with pairs of heads
    each = 8.0 * model.t * model.d * max(min(n, model.d), model.r**2) * 2
    return np.asarray(in_chunks(work, rng, size, each, _MEMORY))


def squared_distances(cell: Any, rng: Any, size: int) -> dict[str, np.ndarray]:
    """A study's function: ``|sin Theta|_F^2`` of the methods on the cell's inner axis.

    Parameters
    ----------
    cell : Cell
        As `LinearTasks.from_cell` reads it, with ``n`` and the inner axis ``method``.
    rng : tlstat.backend.Random
    size : int

    Returns
    -------
    dict
        ``squared_distance``, shape (size, methods).
    """
    model = LinearTasks.from_cell(cell)
    sines = simulate_sines(model, cell["n"], rng, size, cell["method"], tol=1e-5)
    return {"squared_distance": sines.sum(axis=-1)}


def _moments(model: TaskFamily, n: int, rng: Any, size: int, methods: Sequence[str]) -> Moments:
    """What the methods read, and no more: without ERM the ``S_j`` are not needed."""
    if not set(methods) <= set(_RAW):
        return sample_moments(model, n, rng, size, raw=any(m in _RAW for m in methods))
    q = rng.xp.zeros((size, model.t, model.d), dtype=rng.xp.float64, device=rng.device)
    M = rng.xp.zeros((size, model.d, model.d), dtype=rng.xp.float64, device=rng.device)
    for tasks, _, X, y in sample_raw(model, n, rng, size, max_bytes=_BLOCK):
        weighted = X * y[..., None]
        q[:, tasks] += weighted.sum(-2) / n
        flat = weighted.reshape(size, -1, model.d)
        M += flat.mT @ flat / (n * model.t)
    return Moments(None, q, n, None, None, M)


def follows(along: str, methods: Sequence[str]) -> list[Any]:
    """Claims that the squared distance depends on ``along`` as its leading term says.

    Parameters
    ----------
    along : str
        A parameter of the cells.
    methods : sequence of str
        Keys of `theory.SQUARED_DISTANCE`; the inner axis "method" of the study has them.
    """
    from tlstat.task_diversity import theory
    from tlstat.theory import rate

    return [
        rate(
            "squared_distance",
            along=along,
            bound=theory.SQUARED_DISTANCE[method],
            at=theory.TRACES,
            where={"method": method},
            asymptotic=False,
            name=f"{method}: the leading term's dependence on {along}",
        )
        for method in methods
    ]
