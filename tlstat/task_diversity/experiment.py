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
from tlstat.task_diversity.models import TaskFamily
from tlstat.task_diversity.moments import (
    Factored,
    Moments,
    in_chunks,
    sample_halves,
    sample_moments,
)
from tlstat.task_diversity.subspace import squared_sines, top_subspace

__all__ = ["METHODS", "estimate", "simulate_sines"]

Array = Any
METHODS = ("moments", "u-statistic", "split-half", "erm", "spectral")
_RAW = ("moments", "u-statistic")
_MEMORY = 2**28


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
            raw = any(m in _RAW for m in others)
            moments = sample_moments(model, n, part.spawn("all"), count, raw=raw)
            found |= {m: estimate(m, moments, model.r, tol=tol) for m in others}
        sines = [to_numpy(squared_sines(found[m], truth)) for m in methods]
        return np.stack(sines, axis=1)

    # S and, for ERM, its products with pairs of heads
    each = 8.0 * model.t * model.d * max(min(n, model.d), model.r**2) * 2
    return np.asarray(in_chunks(work, rng, size, each, _MEMORY))
