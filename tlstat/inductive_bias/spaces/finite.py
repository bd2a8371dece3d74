"""Finite hypothesis spaces, counted: every hypothesis is a row of a table of values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.inductive_bias.data import as_random, sample_size, test_weights
from tlstat.inductive_bias.spaces.base import ConditionedSpace, HypothesisSpace
from tlstat.inductive_bias.spaces.finite_law import FiniteLaw, law_of


@dataclass(frozen=True, eq=False, repr=False)
class FiniteSpace(HypothesisSpace):
    """Finitely many functions on finitely many inputs, with prior weights.

    Parameters
    ----------
    domain : array_like, shape (N, d), or list of N hashable inputs
    table : array_like, shape (H, N)
        Value of every hypothesis at every input; numbers or classes.
    counts : array_like of int, shape (H,), optional
        Prior weights as integers; 1 each by default.
    log_weights : array_like, shape (H,), optional
        Prior weights as logarithms, instead of counts.
    name : str
    log_error : float
        Bound on the error of a log-weight, where they are estimates.
    """

    domain: Any
    table: Any
    counts: Any = None
    log_weights: Any = None
    name: str = "finite"
    log_error: float = 0.0
    _places: dict[Any, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        table = np.asarray(self.table)
        keys = [_key(x) for x in self.domain]
        if table.ndim != 2 or 0 in table.shape or table.shape[1] != len(keys):
            raise InputError(
                f"table has shape {table.shape} for {len(keys)} inputs; expected (hypotheses, "
                f"{len(keys)})"
            )
        if len(set(keys)) < len(keys):
            raise InputError("domain has an input twice; expected distinct ones")
        if self.counts is not None and self.log_weights is not None:
            raise InputError("give counts or log_weights, not both")
        for name in ("counts", "log_weights"):
            given = getattr(self, name)
            if given is not None and np.shape(given) != (len(table),):
                raise InputError(f"{name} has shape {np.shape(given)}; expected ({len(table)},)")
        object.__setattr__(self, "table", table)
        object.__setattr__(self, "_places", {k: i for i, k in enumerate(keys)})
        if self.log_weights is not None:
            object.__setattr__(self, "log_weights", np.asarray(self.log_weights, dtype=float))
        else:
            given = np.ones(len(table), dtype=np.int64) if self.counts is None else self.counts
            object.__setattr__(self, "counts", _whole(given))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name}: {self.size} functions)"

    @property
    def size(self) -> int:
        """Number of functions."""
        return len(self.table)

    def places(self, X: Any) -> np.ndarray:
        """Positions of inputs in the domain."""
        try:
            return np.array([self._places[_key(x)] for x in X], dtype=np.intp)
        except KeyError as error:
            raise InputError(f"input {error.args[0]!r} is not in the domain") from None

    def condition(self, X_train: Any, y_train: Any) -> ConditionedFinite:
        at, y = self.places(X_train), self.labels(y_train, len(X_train), "y_train")
        rows = np.flatnonzero((self.table[:, at] == y).all(axis=1))
        if self.log_weights is not None:
            rows = rows[self.log_weights[rows] > -np.inf]
        else:
            rows = rows[[self.counts[i] > 0 for i in rows]] if len(rows) else rows
        if not len(rows):
            raise InputError(
                f"no hypothesis of {self.name} fits the {len(at)} training examples; expected "
                "labels that some function of the space has"
            )
        return ConditionedFinite(self, rows, len(at))

    def labels(self, y: Any, rows: int, name: str) -> np.ndarray:
        """Labels in the type of the table; Boolean ones may be 0/1 or -1/1."""
        given = np.asarray(y)
        if given.shape != (rows,):
            raise InputError(f"{name} has shape {given.shape}; expected ({rows},)")
        return as_bits(given, name) if self.table.dtype == bool else given


@dataclass(frozen=True, eq=False, repr=False)
class ConditionedFinite(ConditionedSpace):
    """The version space: the hypotheses of a finite space that agree with the training data."""

    space: FiniteSpace
    rows: np.ndarray
    n: int
    losses = ("zero_one", "squared")

    def errors(
        self, X_test: Any, y_test: Any, *, weights: Any = None, loss: str | None = None
    ) -> np.ndarray:
        """Test error of every hypothesis of the version space."""
        at = self.space.places(X_test)
        y = self.space.labels(y_test, len(at), "y_test")
        if not len(at):
            raise InputError("X_test is empty; expected at least one input")
        table = self.space.table[np.ix_(self.rows, at)]
        loss = loss or self.losses[0]
        if loss == "squared":
            wrong = (table.astype(float) - y) ** 2
        elif loss == "zero_one":
            wrong = table != y
        else:
            raise InputError(f"loss is {loss!r}; expected one of {', '.join(self.losses)}")
        # a mean of whole numbers is rounded once, a weighted sum often
        w = None if weights is None else test_weights(weights, len(at))
        return np.asarray(wrong.mean(axis=1) if w is None else wrong @ w)

    def error_law(
        self, X_test: Any, y_test: Any, *, weights: Any = None, loss: str | None = None
    ) -> FiniteLaw:
        errors = self.errors(X_test, y_test, weights=weights, loss=loss)
        if self.space.log_weights is not None:
            chosen = self.space.log_weights[self.rows]
            return law_of(errors, None, chosen, log_error=self.space.log_error)
        return law_of(errors, [self.space.counts[i] for i in self.rows], None)

    def sample_errors(
        self,
        X_test: Any,
        y_test: Any,
        rng: Any,
        size: int,
        *,
        weights: Any = None,
        loss: str | None = None,
    ) -> np.ndarray:
        law = self.error_law(X_test, y_test, weights=weights, loss=loss)
        return law.rvs(sample_size(size), as_random(rng))

    def log_mass(self) -> float:
        """``log P(fits the training data)`` under the prior."""
        law = self._mass_law()
        return float(law.logcdf(0.0))

    def _mass_law(self) -> FiniteLaw:
        fits = np.ones(self.space.size)
        fits[self.rows] = 0.0
        if self.space.log_weights is not None:
            return law_of(fits, None, self.space.log_weights)
        return law_of(fits, self.space.counts, None)

    def describe(self) -> dict[str, Any]:
        return {
            "space": self.space.name,
            "hypotheses": self.space.size,
            "version_space": len(self.rows),
            "n": self.n,
            "C": 1,
            "train_nats": -self.log_mass(),
        }


def cube(n: int) -> np.ndarray:
    """All inputs {0, 1}^n as rows, the first column changing slowest."""
    return (np.arange(1 << n)[:, None] >> np.arange(n - 1, -1, -1)) & 1


def as_bits(values: Any, name: str) -> np.ndarray:
    """Booleans from 0/1 or -1/1."""
    given = np.asarray(values)
    found = set(np.unique(given).tolist()) if given.dtype.kind in "biuf" else {None}
    if not (found <= {0, 1} or found <= {-1, 1}):
        raise InputError(f"{name} has values {sorted(map(str, found))[:4]}; expected 0/1 or -1/1")
    return given > 0


def bit_inputs(X: Any, n: int, name: str) -> np.ndarray:
    """Boolean inputs (rows, n) from 0/1 or -1/1."""
    bits = as_bits(X, name)
    if bits.ndim != 2 or bits.shape[1] != n:
        raise InputError(f"{name} has shape {bits.shape}; expected (rows, {n})")
    return bits


class CubeSpace(FiniteSpace):
    """A finite space of Boolean functions on n bits; inputs are 0/1 or -1/1."""

    def places(self, X: Any) -> np.ndarray:
        n = int(np.shape(self.domain)[1])
        if np.size(X) == 0:
            return np.zeros(0, dtype=np.intp)
        bits = bit_inputs(X, n, "X")
        return np.asarray(bits @ (1 << np.arange(n - 1, -1, -1)), dtype=np.intp)


def _key(x: Any) -> Any:
    return tuple(np.asarray(x).tolist()) if not isinstance(x, str) and np.ndim(x) else x


def _whole(counts: Any) -> tuple[int, ...]:
    numbers = np.asarray(counts, dtype=object).tolist()
    if any(c != int(c) or c < 0 for c in numbers) or not sum(numbers):
        raise InputError("counts must be whole numbers of at least 0, and not all 0")
    return tuple(int(c) for c in numbers)
