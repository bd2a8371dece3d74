"""Loops over predictions that numpy has no pass for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

BLOCK = 4096


@njit(cache=True)
def argmax_planes(  # pragma: no cover - compiled
    planes: Any, bias: Any, best: Any, label: Any, out: Any
) -> None:
    """``out[i, j]``: the first ``c`` with the largest ``planes[c, i, j] + bias[c, j]``.

    ``best`` and ``label`` are rows to work in; labels are int32 until the end, as wide as the
    numbers that are compared, so that the loops vectorise.
    """
    C, n, m = planes.shape
    for i in range(n):
        for j in range(m):
            best[j] = planes[0, i, j] + bias[0, j]
            label[j] = 0
        for c in range(1, C):
            here = np.int32(c)
            for j in range(m):
                value, largest = planes[c, i, j] + bias[c, j], best[j]
                label[j] = here if value > largest else label[j]
                best[j] = value if value > largest else largest
        for j in range(m):
            out[i, j] = np.int8(label[j])


@njit(cache=True)
def argmax_rows(rows: Any, out: Any) -> None:  # pragma: no cover - compiled
    """``out[i, j]``: the first ``c`` with the largest ``rows[j, i, c]``, or its sign for one."""
    m, n, C = rows.shape
    for j in range(m):
        for i in range(n):
            best, label = rows[j, i, 0], 0
            if C == 1:
                label = 1 if best > 0 else 0
            for c in range(1, C):
                if rows[j, i, c] > best:
                    best, label = rows[j, i, c], c
            out[i, j] = label


@njit(cache=True)
def signs(plane: Any, bias: Any, out: Any) -> None:  # pragma: no cover - compiled
    """1 where a single output ``plane[i, j] + bias[j]`` is above 0."""
    n, m = plane.shape
    for i in range(n):
        for j in range(m):
            out[i, j] = 1 if plane[i, j] + bias[j] > 0 else 0


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
