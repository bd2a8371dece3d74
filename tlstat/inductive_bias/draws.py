"""Draws of weighted sums of chi-squares, in chunks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tlstat.backend import Random, to_numpy
from tlstat.inductive_bias.contour import Modes

Floats = np.ndarray[Any, np.dtype[np.float64]]

_CHUNK = 1 << 22  # numbers at once


def draw_sums(modes: Modes, size: Any, random_state: Any) -> tuple[Floats, Any]:
    """Sums of the given shape, and the generator that drew them."""
    rng: Any = random_state
    ours = isinstance(rng, Random)
    if not ours:
        rng = np.random.default_rng(rng)
    shape = () if size is None else np.broadcast_shapes(size)
    count = math.prod(shape)
    w, df, nc = modes.w[0], modes.df[0], modes.nc[0]
    out = np.empty(count)
    step = max(1, _CHUNK // w.size)
    for first in range(0, count, step):
        n = min(step, count - first)
        shape_now = (n, w.size)
        if ours:
            terms = _with_random(rng, df, nc, shape_now)
        else:
            terms = _with_generator(rng, df, nc, shape_now)
        out[first : first + n] = terms @ w
    if modes.sd[0] > 0:
        out += modes.sd[0] * to_numpy(rng.normal(size=count))
    return out.reshape(shape), rng


def _with_generator(
    rng: np.random.Generator, df: Floats, nc: Floats, shape: tuple[int, int]
) -> Floats:
    if nc.any():
        return np.asarray(rng.noncentral_chisquare(df, nc, shape))
    return np.asarray(rng.chisquare(df, shape))


def _with_random(rng: Random, df: Floats, nc: Floats, shape: tuple[int, int]) -> Floats:
    """By the Poisson mixture of central laws."""
    extra = 2 * to_numpy(rng.poisson(nc / 2, shape)) if nc.any() else 0
    return np.asarray(to_numpy(rng.chi2(df + extra, shape)))
