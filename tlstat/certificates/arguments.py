"""The arguments of `certify`, checked before any work."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tlstat.certificates import weights as weight_laws
from tlstat.errors import InputError

LAWS = ("uniform", "rank", "dyadic")


def loss_table(losses: ArrayLike) -> tuple[np.ndarray, bool]:
    """The losses as (n, columns), and whether all are 0 or 1."""
    try:
        table = np.asarray(losses)
    except ValueError as error:
        raise InputError(f"losses is no table of numbers: {error}") from error
    if table.dtype.kind not in "biuf":
        raise InputError(f"losses has dtype {table.dtype}; expected numbers in [0, 1]")
    if table.ndim == 1:
        table = table[:, None]
    if table.ndim != 2 or 0 in table.shape:
        raise InputError(
            f"losses has shape {np.shape(losses)}; expected (n,) or (n, columns), neither empty"
        )
    if table.dtype.kind == "f":
        table = table.astype(np.float64, copy=False)
    bad = ~((table >= 0) & (table <= 1))
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise InputError(
            f"losses[{row}, {column}] is {table[row, column]}; expected numbers in [0, 1] "
            "(a loss with another range must be scaled, and its certificate scaled back)"
        )
    return table, bool(np.all((table == 0) | (table == 1)))


def labels(names: Sequence[str] | None, columns: int) -> tuple[str, ...]:
    """Names of the columns."""
    if names is None:
        return tuple(f"candidate {j + 1}" for j in range(columns))
    if isinstance(names, str) or len(names) != columns:
        raise InputError(f"names is {names!r}; expected {columns} names, one a column of losses")
    return tuple(str(name) for name in names)


def level_of(delta: Any) -> float:
    """The failure probability."""
    if isinstance(delta, bool) or not isinstance(delta, int | float | np.number):
        raise InputError(f"delta is {delta!r}; expected a number in (0, 1)")
    if not 0 < delta < 1:
        raise InputError(f"delta is {delta}; expected a number in (0, 1)")
    return float(delta)


def shares(
    weights: Any, ranks: ArrayLike | None, candidates: Any, columns: int
) -> tuple[np.ndarray, str, float]:
    """Log weight of every column, the name of their law, and the size of the class."""
    named = isinstance(weights, str)
    if named and weights not in LAWS:
        raise InputError(f"weights is {weights!r}; expected one of {', '.join(LAWS)}, or numbers")
    if ranks is not None and (not named or weights == "uniform"):
        raise InputError("ranks is given, but only rank and dyadic weights have an order")
    size = _size(candidates, columns, needed=named and weights == "uniform")
    if not named:
        return _given(weights, columns), "given", size
    if weights == "uniform":
        return np.full(columns, weight_laws.uniform(size)), "uniform", size
    order = _order(ranks, columns, size)
    law = weight_laws.rank(order) if weights == "rank" else weight_laws.dyadic(order)
    return np.asarray(law, dtype=float), str(weights), size


def _size(candidates: Any, columns: int, needed: bool) -> float:
    if candidates is None:
        if needed:
            raise InputError(
                "candidates is None; uniform weights need the size of the class, every candidate "
                "counted that could have been selected"
            )
        return math.inf
    number = isinstance(candidates, int | float | np.number) and not isinstance(candidates, bool)
    if not number or not candidates >= 1:
        raise InputError(f"candidates is {candidates!r}; expected a number of at least 1")
    size = float(candidates) if candidates < 1e308 else math.inf
    if needed and math.isinf(size):
        raise InputError(f"candidates is {candidates!r}; expected a finite number below 1e308")
    if size < columns:
        raise InputError(
            f"candidates is {candidates:g}, fewer than the {columns} columns of losses: the class "
            "has every candidate that could have been selected"
        )
    return size


def _order(ranks: ArrayLike | None, columns: int, size: float) -> np.ndarray:
    order = np.arange(1, columns + 1) if ranks is None else np.asarray(ranks)
    fits = order.shape == (columns,) and order.dtype.kind in "iu" and np.all(order >= 1)
    if not fits or len(np.unique(order)) < columns or order.max() > size:
        raise InputError(
            f"ranks is {ranks!r}; expected {columns} distinct positions from 1 to candidates"
        )
    return order


def _given(weights: Any, columns: int) -> np.ndarray:
    given = np.asarray(weights)
    if given.dtype.kind not in "iuf" or given.shape != (columns,):
        raise InputError(
            f"weights has dtype {given.dtype} and shape {given.shape}; expected {columns} numbers"
        )
    if not np.all(given > 0):
        raise InputError("weights must be positive: a candidate of weight 0 has no certificate")
    return np.asarray(weight_laws.from_weights(given), dtype=float)
