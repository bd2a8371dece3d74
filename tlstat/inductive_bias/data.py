"""Inputs, labels and weights of hypothesis spaces, checked before any work."""

from __future__ import annotations

from typing import Any

import numpy as np

from tlstat.backend import Random
from tlstat.errors import InputError

LOSSES = ("squared", "zero_one")
# squares of what is larger, divided by small variances, overflow
LARGEST = 1e100


def inputs(X: Any, name: str = "X", features: int | None = None) -> np.ndarray:
    """Inputs as float64 (n, d); one-dimensional ones are a single feature.

    Raises
    ------
    InputError
        For text, NaN or infinite entries, no rows, or a number of features that does not fit.
    """
    table = _numbers(X, name)
    if table.ndim == 1:
        table = table[:, None]
    if table.ndim != 2 or table.shape[1] == 0:
        raise InputError(f"{name} has shape {table.shape}; expected (n, features)")
    if features is not None and table.shape[1] != features:
        raise InputError(f"{name} has {table.shape[1]} features; expected {features}")
    return table


def targets(y: Any, rows: int, name: str = "y", outputs: int | None = None) -> np.ndarray:
    """Real-valued labels as float64 (n, C); class labels must be one-hot (see `one_hot`)."""
    if np.asarray(y).dtype.kind in "OUS":
        raise InputError(
            f"{name} has dtype {np.asarray(y).dtype}; expected numbers (one_hot turns class "
            "labels into them)"
        )
    table = _numbers(y, name)
    if table.ndim == 1:
        table = table[:, None]
    if table.ndim != 2 or table.shape[0] != rows or table.shape[1] == 0:
        raise InputError(
            f"{name} has shape {np.shape(y)}; expected ({rows},) or ({rows}, C), a row an input"
        )
    if outputs is not None and table.shape[1] != outputs:
        raise InputError(
            f"{name} has {table.shape[1]} outputs; expected {outputs}, as the training labels"
        )
    return table


def one_hot(y_train: Any, y_test: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Class labels as 0/1 indicators, one column a class.

    Parameters
    ----------
    y_train, y_test : array_like, shape (n,) and (m,)

    Returns
    -------
    Y_train : ndarray, shape (n, C)
    Y_test : ndarray, shape (m, C)
    classes : ndarray, shape (C,)

    Raises
    ------
    InputError
        If the training labels have a single class, or the test labels one that is not among them.
    """
    train, test = _labels(y_train, "y_train"), _labels(y_test, "y_test")
    classes = np.unique(train)
    if len(classes) < 2:
        raise InputError(
            f"y_train has the single class {classes[0]!r}; expected at least two (for real-valued "
            "labels: task='regression')"
        )
    unseen = np.setdiff1d(test, classes)
    if len(unseen):
        raise InputError(
            f"y_test has the class {unseen[0]!r}, which y_train has not; expected a training "
            "example of every class"
        )
    hot = np.eye(len(classes))
    return hot[np.searchsorted(classes, train)], hot[np.searchsorted(classes, test)], classes


def test_weights(weights: Any, m: int) -> np.ndarray:
    """Weights of `m` test points, summing to 1; equal ones for None."""
    if weights is None:
        return np.full(m, 1 / m)
    w = _numbers(weights, "weights")
    if w.shape != (m,):
        raise InputError(f"weights has shape {w.shape}; expected ({m},), one a test point")
    if np.any(w < 0) or not w.sum() > 0:
        raise InputError("weights must be at least 0, and not all 0")
    return w / w.sum()


test_weights.__test__ = False  # type: ignore[attr-defined]


def middle_of(Y: np.ndarray) -> float:
    """Middle of the labels' range, where a single output (n, 1) changes its class.

    Raises
    ------
    InputError
        If a single output has a single value.
    """
    low, high = float(Y.min()), float(Y.max())
    if Y.shape[1] == 1 and low == high:
        raise InputError(
            f"y_train has the single value {low:g}; the zero_one loss of one output needs two "
            "(or one-hot labels)"
        )
    return (low + high) / 2


def classes_of(f: Any, middle: float) -> Any:
    """Predicted classes of outputs (..., C): the largest, or the side of the middle for C = 1."""
    return f.argmax(-1) if f.shape[-1] > 1 else f[..., 0] > middle


def loss_name(loss: Any) -> str:
    """The name of a loss."""
    if loss not in LOSSES:
        raise InputError(f"loss is {loss!r}; expected one of {', '.join(LOSSES)}")
    return str(loss)


def as_random(rng: Any) -> Random:
    """A source of randomness from a seed, a numpy generator or a `tlstat.backend.Random`."""
    if isinstance(rng, Random):
        return rng
    if isinstance(rng, np.random.Generator):
        return Random(key=int(rng.integers(0, 2**63)))
    if isinstance(rng, int | np.integer) and not isinstance(rng, bool) and rng >= 0:
        return Random(key=int(rng))
    raise InputError(
        f"rng is {rng!r}; expected a seed of at least 0, a numpy Generator or a Random"
    )


def sample_size(size: Any) -> int:
    """A number of hypotheses."""
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
        raise InputError(f"size is {size!r}; expected a whole number of at least 1")
    return int(size)


def _numbers(values: Any, name: str) -> np.ndarray:
    if np.iscomplexobj(values):
        raise InputError(f"{name} has complex entries; expected real numbers")
    try:
        table = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} is no array of numbers: {error}") from error
    if table.ndim == 0 or table.shape[0] == 0:
        raise InputError(f"{name} has shape {table.shape}; expected at least one row")
    bad = ~(np.abs(table) <= LARGEST)
    if bad.any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        wanted = "finite numbers" if not np.isfinite(table[at]) else f"numbers up to {LARGEST:g}"
        raise InputError(f"{name}{list(at)} is {table[at]}; expected {wanted}")
    return table


def _labels(y: Any, name: str) -> np.ndarray:
    labels = np.asarray(y)
    if labels.ndim != 1 or labels.size == 0:
        raise InputError(f"{name} has shape {labels.shape}; expected (n,), one class an input")
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise InputError(f"{name} has NaN or infinite labels; expected classes")
    if labels.dtype.kind == "O":
        if any(v is None or v != v for v in labels):
            raise InputError(f"{name} has missing labels; expected classes")
        labels = labels.astype(str)
    return labels
