"""Scalar formulas as functions of numbers or arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from tlstat.errors import InputError


def vectorised(formula: Callable[..., float]) -> Callable[..., Any]:
    """``formula`` over arrays that broadcast; numbers give a float."""
    many = np.vectorize(formula, otypes=[float])

    @wraps(formula)
    def function(*args: Any, **kwargs: Any) -> Any:
        out = many(*args, **kwargs)
        return out if out.ndim else float(out)

    return function


def whole(name: str, value: Any, least: int) -> int:
    """``value`` as an integer of at least ``least``; floats like ``1e6`` are accepted."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = least - 1
    if isinstance(value, (bool, str)) or number != value or number < least:
        raise InputError(f"{name} must be an integer of at least {least}, got {value!r}")
    return number
