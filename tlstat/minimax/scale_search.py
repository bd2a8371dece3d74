"""Suprema over a scale: the size of the perturbation that is hardest to see.

A family of two-point problems is indexed by a scale ``r``; at each, the lower bound is a weight
times the error of the two-sample vote. Every scale gives a valid bound, so a search that misses
the maximum loses sharpness, never validity.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.minimax.vote import vote_error

Problem = Callable[[np.ndarray], tuple[np.ndarray, ...]]

_LOG_SMALLEST = -690.0
_INFORMATION = (1e-3, 60.0)  # n p delta^2 between which the best scale lies
_GRID, _ZOOM, _ZOOMS = 33, 9, 4


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
    n_P: Any, n_Q: Any, problem: Problem, *, largest: float = 1.0, m: int = 1
) -> ScaleBound:
    """Maximise ``weight(r) * vote_error(n_P, p(r), delta_P(r), n_Q, q(r), delta_Q(r))``.

    Parameters
    ----------
    n_P, n_Q : array_like
        Sample sizes.
    problem : callable
        Takes an array of scales, gives ``weight, p, delta_P, q, delta_Q`` of its shape; the
        information ``n p delta^2`` must grow with the scale.
    largest : float
        Upper end of the scales.
    m : int
        Passed on to the result.
    """
    try:
        n_P, n_Q = np.broadcast_arrays(np.asarray(n_P, dtype=float), np.asarray(n_Q, dtype=float))
    except (TypeError, ValueError):
        raise InputError(f"n_P and n_Q do not broadcast: {n_P!r}, {n_Q!r}") from None
    shape = n_P.shape
    flat = (n_P.ravel()[:, None], n_Q.ravel()[:, None])
    low, high = (_log_scale(*flat, problem, np.log(largest), level) for level in _INFORMATION)
    low = np.minimum(low, high - 1.0)
    points = _GRID
    for _ in range(_ZOOMS):
        logs = low + (high - low) * np.linspace(0, 1, points)
        weight, p, delta_P, q, delta_Q = problem(np.exp(logs))
        values = weight * vote_error(flat[0], p, delta_P, flat[1], q, delta_Q)
        best = values.argmax(axis=1)[:, None]
        width = (high - low) / (points - 1)
        at = np.take_along_axis(logs, best, axis=1)
        low, high = at - width, np.minimum(at + width, np.log(largest))
        points = _ZOOM
    chosen = (np.take_along_axis(a, best, axis=1) for a in _full(values, logs, problem))
    parts = [c.reshape(shape) if shape else float(c[0, 0]) for c in chosen]
    return ScaleBound(*parts, np.full(shape, m) if shape else m)


def _full(values: np.ndarray, logs: np.ndarray, problem: Problem) -> list[np.ndarray]:
    scales = np.exp(logs)
    return [values, scales, *(np.broadcast_to(a, scales.shape) for a in problem(scales))]


def _log_scale(
    n_P: np.ndarray, n_Q: np.ndarray, problem: Problem, log_largest: float, level: float
) -> np.ndarray:
    """Log of the scale at which the information reaches a level, by bisection."""
    low, high = np.full(n_P.shape, _LOG_SMALLEST), np.full(n_P.shape, log_largest)
    for _ in range(60):
        middle = 0.5 * (low + high)
        _, p, delta_P, q, delta_Q = problem(np.exp(middle))
        enough = n_P * p * delta_P**2 + n_Q * q * delta_Q**2 >= level
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return high


def better(first: ScaleBound, second: ScaleBound) -> ScaleBound:
    """Point by point the larger of two bounds."""
    wins = np.asarray(second.value) > np.asarray(first.value)
    names = ("value", "scale", "weight", "p", "delta_P", "q", "delta_Q", "m")
    merged = [np.where(wins, getattr(second, k), getattr(first, k)) for k in names]
    return ScaleBound(*(v if v.ndim else v.item() for v in merged))
