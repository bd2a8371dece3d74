"""Federated learning of a representation: FedRep of arXiv:2102.07078 and its peers.

In every round some clients (tasks) fit their heads and the server makes one gradient step on the
mean over them of ``(1/2n) |y_j - X_j B w_j|^2``, and orthonormalises. FedRep fits the heads
exactly; GD-GD and 10GD-GD make 1 and 10 gradient steps on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.backend import namespace, to_numpy
from tlstat.errors import InputError
from tlstat.task_diversity.batch.regression import Problem
from tlstat.task_diversity.subspace import orthonormalise

__all__ = ["FederatedPath", "federated_descent", "federated_global"]

Array = Any


@dataclass(frozen=True, eq=False)
class FederatedPath:
    """Representations by round.

    Attributes
    ----------
    B : array, shape (rounds + 1, ..., d, r)
        From the start on.
    heads : array, shape (..., t, r)
        Heads as the clients hold them after the last round in which each took part (exact heads
        on the last representation come from `fit_heads`).
    """

    B: Array
    heads: Array


def federated_descent(
    S: Any,
    q: Array,
    start: Array,
    *,
    rounds: int,
    step: float,
    participation: float = 1.0,
    rng: Any = None,
    head_steps: int | None = None,
    head_step: float | None = None,
) -> FederatedPath:
    """FedRep (exact heads), or its peers with gradient steps on the heads.

    Parameters
    ----------
    S : array, shape (..., t, d, d), or Factored
    q : array, shape (..., t, d)
    start : array, shape (..., d, r)
    rounds : int
    step : float
        Step ``eta`` on the representation.
    participation : float
        Share of the clients that take part in a round, in (0, 1]; at least one does.
    rng : tlstat.backend.Random, optional
        Needed for ``participation`` below 1. All replicates share the clients of a round.
    head_steps : int, optional
        Gradient steps on the heads a round; exact heads by default.
    head_step : float, optional
        Their length; ``step`` by default. Heads start at zero.

    Raises
    ------
    InputError
        For shapes that do not fit, numbers out of range, or clients to draw without ``rng``.
    """
    problem = Problem(S, q)
    problem.check(start)
    _check(rounds, step, participation, rng, head_steps)
    xp = namespace(q)
    lead, r = tuple(q.shape[:-2]), start.shape[-1]
    B = orthonormalise(start) + xp.zeros((*lead, 1, 1), dtype=q.dtype, device=q.device)
    W = xp.zeros((*lead, problem.t, r), dtype=q.dtype, device=q.device)
    count = max(1, round(participation * problem.t))
    inner = step if head_step is None else head_step
    path = [B]
    for _ in range(int(rounds)):
        part, clients = problem, None
        if count < problem.t:
            clients = np.sort(to_numpy(rng.permutation(problem.t))[:count])
            part = _restricted(problem, clients)
        w = W if clients is None else W[..., clients, :]
        Z = part.apply(B)
        if head_steps is None:
            w, _ = part.heads(B, Z)
        else:
            gram, b = part.gram(B, Z), part.q @ B
            for _ in range(head_steps):
                w = w - inner * ((gram @ w[..., None])[..., 0] - b)
        B = orthonormalise(B - step * (part.gather(Z, w, w) - part.q.mT @ w) / part.t)
        path.append(B)
        if clients is None:
            W = w
        else:
            W[..., clients, :] = w
    return FederatedPath(xp.stack(path), W)


def federated_global(S: Any, q: Array, *, rounds: int, step: float) -> Array:
    """FedSGD with one model for all clients: gradient descent from zero, shape (..., d).

    Each round is one step on the mean over the clients of ``(1/2n) |y_j - X_j theta|^2``.

    Parameters
    ----------
    S, q : as in `federated_descent`
    rounds : int
    step : float
    """
    problem = Problem(S, q)
    _check(rounds, step, 1.0, None, None)
    mean, target = problem.mean(), q.sum(-2)[..., None] / problem.t
    theta = 0 * target
    for _ in range(int(rounds)):
        theta = theta - step * (mean @ theta - target)
    return theta[..., 0]


def _restricted(problem: Problem, clients: Any) -> Problem:
    """The problem of some clients."""
    from tlstat.task_diversity.moments import Factored

    rows = problem.rows[..., clients, :, :]
    return Problem(Factored(rows) if problem.factored else rows, problem.q[..., clients, :])


def _check(rounds: int, step: float, participation: float, rng: Any, inner: int | None) -> None:
    if isinstance(rounds, bool) or not rounds >= 1:
        raise InputError(f"rounds is {rounds!r}; expected a positive integer")
    if not 0 < step < float("inf"):
        raise InputError(f"step is {step!r}; expected a finite number above 0")
    if not 0 < participation <= 1:
        raise InputError(f"participation is {participation!r}; expected a share in (0, 1]")
    if participation < 1 and rng is None:
        raise InputError("participation is below 1 without rng; expected a source of randomness")
    if inner is not None and not inner >= 1:
        raise InputError(f"head_steps is {inner!r}; expected a positive integer, or None for exact")
