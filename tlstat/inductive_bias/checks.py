"""Checks of numbers, and logarithms of complements, for the laws and tails of this room."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tlstat.errors import InputError

Floats = np.ndarray[Any, np.dtype[np.float64]]


def numbers(value: ArrayLike, name: str, finite: bool = True) -> Floats:
    try:
        out = np.array(value, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} is not an array of numbers: {error}") from error
    if finite and not np.isfinite(out).all():
        at = tuple(int(i) for i in np.argwhere(~np.isfinite(out))[0])
        where = f" at index {at[0] if len(at) == 1 else at}" if at else ""
        raise InputError(f"{name} is {out[at]}{where}; expected finite numbers")
    return out


def one_number(value: Any, name: str) -> float:
    out = numbers(value, name)
    if out.ndim:
        raise InputError(f"{name} has shape {out.shape}; expected one number")
    return float(out)


def one_a_mode(
    value: ArrayLike, name: str, w: Floats, ok: Callable[[Floats], Any], expected: str
) -> Floats:
    out = numbers(value, name)
    if out.ndim and out.shape != w.shape:
        raise InputError(f"{name} has shape {out.shape}; expected one number or {w.shape}")
    if not np.all(ok(out)):
        bad = float(out[~ok(out)].flat[0]) if out.ndim else float(out)
        raise InputError(f"{name} has the value {bad}; expected numbers {expected}")
    return np.array(np.broadcast_to(out, w.shape))


def probabilities(p: ArrayLike) -> Floats:
    out = numbers(p, "p", finite=False)
    if ((out < 0) | (out > 1)).any():
        raise InputError("p has values outside [0, 1]; expected probabilities")
    return out


def logarithms(log_p: ArrayLike) -> Floats:
    out = numbers(log_p, "log_p", finite=False)
    if (out > 0).any():
        raise InputError("log_p has values above 0; expected logarithms of probabilities")
    return out


def complement(log_p: Floats, error: Floats) -> tuple[Floats, Floats]:
    """``log(1 - exp(log_p))`` and what an error of ``log_p`` makes of it."""
    log_p = np.minimum(log_p, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.exp(log_p)
        out = np.where(log_p > -math.log(2), np.log(-np.expm1(log_p)), np.log1p(-p))
        return out, np.where(p < 1, error * p / -np.expm1(log_p), math.inf)


def plain(x: Any) -> Any:
    return float(x) if np.ndim(x) == 0 else x
