"""Checks of arguments, and what else all models need."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tlstat.errors import InputError


def require(name: str, value: Any, ok: bool, expected: str) -> None:
    """Refuse ``value`` unless ``ok``, naming the argument."""
    if not ok:
        raise InputError(f"{name} is {value!r}; expected {expected}")


def _is_real(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except TypeError:
        return False


def require_positive(**values: Any) -> None:
    """Each value a finite number above 0."""
    for name, value in values.items():
        require(name, value, _is_real(value) and value > 0, "a finite number above 0")


def require_non_negative(**values: Any) -> None:
    """Each value a finite number, 0 or above."""
    for name, value in values.items():
        require(name, value, _is_real(value) and value >= 0, "a finite number, 0 or above")


def require_unit(**values: Any) -> None:
    """Each value in (0, 1]."""
    for name, value in values.items():
        require(name, value, _is_real(value) and 0 < value <= 1, "a number in (0, 1]")


def require_count(minimum: int = 0, **values: Any) -> None:
    """Each value an integer, at least ``minimum`` (a float without fraction counts as one)."""
    for name, value in values.items():
        ok = _is_real(value) and value == int(value) and minimum <= value < 2**63
        require(name, value, ok, f"an integer, {minimum} or above and below 2**63")


def set_count(model: Any, name: str, minimum: int) -> None:
    """Check the field of a frozen model that counts something, and make it an int."""
    value = getattr(model, name)
    require_count(minimum, **{name: value})
    object.__setattr__(model, name, int(value))


def as_array(rng: Any, values: np.ndarray) -> Any:
    """``values`` in the generator's back end."""
    return values if isinstance(rng, np.random.Generator) else rng.asarray(values)
