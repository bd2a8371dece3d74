"""Suprema over a scale: the size of the perturbation that is hardest to see.

A family of two-point problems is indexed by a scale ``r``; at each, the lower bound is a weight
times the error of the two-sample vote. Every scale gives a valid bound, so a search that misses
the maximum loses sharpness, never validity.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.minimax.vote import vote_error

Problem = Callable[[np.ndarray], tuple[np.ndarray, ...]]

_LOG_SMALLEST = -690.0
_INFORMATION = (1e-4, 40.0)  # n p delta^2 between which the best scale lies
_GRID = 17
_ZOOMS = 4
_SHRINK = 6.0


@dataclass(frozen=True, eq=False)
class ScaleBound:
    """A lower bound optimised over the scale; all fields have the shape of the sample sizes.

    Attributes
    ----------
    value : the bound.
    scale : the scale that attains it.
    weight : what the vote's error is multiplied by there.
    p, delta_P, q, delta_Q : the atom there, arguments of `vote_error`.
    m : number of atoms.
    """

    value: Any
    scale: Any
    weight: Any
    p: Any
    delta_P: Any
    q: Any
    delta_Q: Any
    m: Any


def largest_over_scales(
    n_P: Any, n_Q: Any, problem: Problem, *, largest: float = 1.0, m: Sequence[int] = (1,)
) -> ScaleBound:
    """Maximise ``weight(r) * vote_error(n_P, p(r), delta_P(r), n_Q, q(r), delta_Q(r))``.

    Parameters
    ----------
    n_P, n_Q : array_like
        Sample sizes.
    problem : callable
        Takes scales of shape (cells, families, points), gives ``weight, p, delta_P, q, delta_Q``
        that broadcast with it, one family of problems for each entry of ``m``; the information
        ``n p delta^2`` must grow with the scale.
    largest : float
        Upper end of the scales.
    m : sequence of int
        Number of atoms of each family; the best family wins.
    """
    try:
        n_P, n_Q = np.broadcast_arrays(np.asarray(n_P, dtype=float), np.asarray(n_Q, dtype=float))
    except (TypeError, ValueError):
        raise InputError(f"n_P and n_Q do not broadcast: {n_P!r}, {n_Q!r}") from None
    shape = n_P.shape
    sizes = (n_P.ravel()[:, None, None], n_Q.ravel()[:, None, None])
    ends = [_log_scale(*sizes, problem, len(m), np.log(largest), x) for x in _INFORMATION]
    low, high = np.minimum(ends[0], ends[1] - 1.0), ends[1]

    def evaluate(logs: np.ndarray) -> list[np.ndarray]:
        atoms = np.broadcast_arrays(*problem(np.exp(logs)), logs)[:-1]
        weight, p, delta_P, q, delta_Q = atoms
        value = weight * vote_error(sizes[0], p, delta_P, sizes[1], q, delta_Q)
        return [value, np.exp(logs), *atoms]

    fields = _climb(evaluate, low, high, np.log(largest))
    family = fields[0].argmax(axis=1)
    chosen = [a[np.arange(family.size), family] for a in fields] + [np.asarray(m)[family]]
    return ScaleBound(*(c.reshape(shape) if shape else c[0].item() for c in chosen))


def _climb(
    evaluate: Callable[[np.ndarray], list[np.ndarray]],
    low: np.ndarray,
    high: np.ndarray,
    ceiling: float,
) -> list[np.ndarray]:
    """What ``evaluate`` gives at the best log-scale: a grid, then parabolas through three points.

    Only values that were evaluated are compared, so the result is never below the grid's best.
    """
    logs = low + (high - low) * np.linspace(0, 1, _GRID)
    step = (high - low) / (_GRID - 1)
    best = _pick(evaluate(logs))
    for _ in range(_ZOOMS):
        at = np.log(best[1])[:, :, None]
        around = np.minimum(at + step * np.array([-1.0, 0.0, 1.0]), ceiling)
        left, middle, right = np.moveaxis(evaluate(around)[0], 2, 0)
        bend = left - 2 * middle + right
        with np.errstate(divide="ignore", invalid="ignore"):
            vertex = np.where(bend < 0, 0.5 * (left - right) / bend, 0.0)
        centre = at + step * np.clip(vertex, -1, 1)[:, :, None]
        step = step / _SHRINK
        trial = _pick(evaluate(np.minimum(centre, ceiling)))
        wins = trial[0] > best[0]
        best = [np.where(wins, new, old) for new, old in zip(trial, best, strict=True)]
    return best


def _pick(fields: list[np.ndarray]) -> list[np.ndarray]:
    """Every field at the point of the largest value."""
    best = fields[0].argmax(axis=2)[:, :, None]
    return [np.take_along_axis(a, best, axis=2)[:, :, 0] for a in fields]


def _log_scale(
    n_P: np.ndarray,
    n_Q: np.ndarray,
    problem: Problem,
    families: int,
    log_largest: float,
    level: float,
) -> np.ndarray:
    """Log of the scale at which the information reaches a level, by bisection."""
    low = np.full((n_P.size, families, 1), _LOG_SMALLEST)
    high = np.full(low.shape, log_largest)
    for _ in range(40):
        middle = 0.5 * (low + high)
        _, p, delta_P, q, delta_Q = problem(np.exp(middle))
        enough = n_P * p * delta_P**2 + n_Q * q * delta_Q**2 >= level
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return high
