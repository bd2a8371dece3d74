"""Loops over predictions that numpy has no pass for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

BLOCK = 4096


@njit(cache=True)
def argmax_planes(planes: Any, best: Any, out: Any) -> None:  # pragma: no cover - compiled
    """``out[i, j]``: the first ``c`` with the largest ``planes[c, i, j]``; ``best`` is a row."""
    C, n, m = planes.shape
    for i in range(n):
        row = out[i]
        first = planes[0, i]
        for j in range(m):
            best[j] = first[j]
            row[j] = 0
        for c in range(1, C):
            here = planes[c, i]
            label = np.int8(c)
            for j in range(m):
                larger = here[j] > best[j]
                best[j] = here[j] if larger else best[j]
                row[j] = label if larger else row[j]


@njit(cache=True)
def signs(plane: Any, out: Any) -> None:  # pragma: no cover - compiled
    """1 where a single output is above 0."""
    n, m = plane.shape
    for i in range(n):
        for j in range(m):
            out[i, j] = 1 if plane[i, j] > 0 else 0


@njit(cache=True)
def count_errors(predicted: Any, index: Any, y: Any, errors: Any) -> None:  # pragma: no cover
    """Add to ``errors[j]`` how often ``predicted[index[i], j]`` is not ``y[i]``."""
    m = predicted.shape[1]
    for start in range(0, m, BLOCK):
        stop = min(start + BLOCK, m)
        tally = errors[start:stop]
        for i in range(index.size):
            row = predicted[index[i], start:stop]
            label = y[i]
            for j in range(stop - start):
                tally[j] += row[j] != label
