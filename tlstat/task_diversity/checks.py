"""Checks of array arguments, numpy or torch, with leading axes for replicates."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tlstat.backend import namespace
from tlstat.errors import InputError

Array = Any


def matrix(value: Any, name: str, expected: str = "(..., d, r)") -> Any:
    """A floating-point array of two axes or more, finite and with no empty matrix."""
    return _floating(value, name, expected, 2)


def vector(value: Any, name: str, expected: str = "(..., r)") -> Any:
    """A floating-point array of one axis or more, finite."""
    return _floating(value, name, expected, 1)


def _floating(value: Any, name: str, expected: str, axes: int) -> Any:
    xp = namespace(value)
    if xp is np:
        try:
            value = np.asarray(value)
        except ValueError as error:
            raise InputError(f"{name} is no array of numbers: {error}") from error
        if value.dtype.kind not in "fiub":
            raise InputError(f"{name} has dtype {value.dtype}; expected real numbers")
        if value.dtype.kind != "f":
            value = value.astype(np.float64)
    if value.ndim < axes or 0 in tuple(value.shape)[-axes:]:
        raise InputError(f"{name} has shape {tuple(value.shape)}; expected {expected}, not empty")
    if not bool(xp.all(xp.isfinite(value))):
        raise InputError(f"{name} has NaN or infinite entries; expected finite numbers")
    return value


def same_axis(
    first: Any, first_name: str, second: Any, second_name: str, axes: tuple[int, int]
) -> None:
    """Axis ``axes[0]`` of the first as long as ``axes[1]`` of the second."""
    if first.shape[axes[0]] != second.shape[axes[1]]:
        raise InputError(
            f"{first_name} has shape {tuple(first.shape)} and {second_name} "
            f"{tuple(second.shape)}; expected axis {axes[0]} of the one as long as axis "
            f"{axes[1]} of the other"
        )


def symmetric(value: Any, name: str, size: int) -> Any:
    """A symmetric matrix (or a stack of them) of a given size."""
    value = matrix(value, name, f"(..., {size}, {size})")
    if tuple(value.shape)[-2:] != (size, size):
        raise InputError(f"{name} has shape {tuple(value.shape)}; expected (..., {size}, {size})")
    xp = namespace(value)
    off = float(xp.max(xp.abs(value - xp.matrix_transpose(value))))
    if off > 1e-8 * float(xp.max(xp.abs(value))):
        raise InputError(f"{name} differs from its transpose by up to {off:.3g}; expected symmetry")
    return value


def require_number(name: str, value: Any, ok: Any, expected: str) -> None:
    """Refuse unless every entry is finite and ``ok``, naming the argument."""
    try:
        numbers = np.asarray(value, dtype=float)
        fine = bool(np.all(np.isfinite(numbers)) and np.all(ok(numbers)))
    except (TypeError, ValueError):
        fine = False
    if not fine:
        raise InputError(f"{name} is {value!r}; expected {expected}")


def positive(**values: Any) -> None:
    """Finite numbers above 0."""
    for name, value in values.items():
        require_number(name, value, lambda x: x > 0, "finite numbers above 0")


def non_negative(**values: Any) -> None:
    """Finite numbers, 0 or above."""
    for name, value in values.items():
        require_number(name, value, lambda x: x >= 0, "finite numbers, 0 or above")


def whole(minimum: int = 0, **values: Any) -> None:
    """Integers (floats without fraction count), at least ``minimum``."""
    for name, value in values.items():
        require_number(
            name,
            value,
            lambda x: (x == np.floor(x)) & (x >= minimum),
            f"integers, {minimum} or above",
        )


def count(name: str, value: Any, minimum: int = 1) -> int:
    """One integer, at least ``minimum``."""
    whole(minimum, **{name: value})
    if np.ndim(value) != 0 or isinstance(value, bool) or not math.isfinite(float(value)):
        raise InputError(f"{name} is {value!r}; expected one integer, {minimum} or above")
    return int(value)
