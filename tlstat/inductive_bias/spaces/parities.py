"""Parities: linear functions over the field with two elements."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.inductive_bias.data import as_random, sample_size, test_weights
from tlstat.inductive_bias.spaces.base import ConditionedSpace, HypothesisSpace
from tlstat.inductive_bias.spaces.boolean import bits
from tlstat.inductive_bias.spaces.finite import as_bits, bit_inputs
from tlstat.inductive_bias.spaces.finite_law import FiniteLaw, law_of

# patterns of test errors that are listed
LISTED = 20


@dataclass(frozen=True)
class ParitySpace(HypothesisSpace):
    """The 2^n parities ``x -> <s, x> mod 2`` of n bits, uniformly.

    Parameters
    ----------
    n : int
        Number of bits, at most 60. Inputs are 0/1 or -1/1, where -1 stands for 0.

    Notes
    -----
    The version space has ``2^(n - rank)`` parities, and two parities differ on half of the cube.
    """

    n: int

    def __post_init__(self) -> None:
        bits(self.n, 60)

    def condition(self, X_train: Any, y_train: Any) -> ConditionedParity:
        if np.size(X_train) == 0:
            X, y = np.zeros((0, self.n), dtype=bool), np.zeros(0, dtype=bool)
        else:
            X, y = bit_inputs(X_train, self.n, "X_train"), as_bits(y_train, "y_train")
        if y.shape != (len(X),):
            raise InputError(f"y_train has shape {y.shape}; expected ({len(X)},)")
        reduced, pivots = row_reduce(np.column_stack([X, y]), self.n)
        rank = len(pivots)
        if reduced[rank:, self.n].any():
            raise InputError("no parity fits the training examples; expected consistent labels")
        particular = np.zeros(self.n, dtype=bool)
        particular[pivots] = reduced[:rank, self.n]
        free = [j for j in range(self.n) if j not in set(pivots)]
        kernel = np.zeros((len(free), self.n), dtype=bool)
        for row, j in enumerate(free):
            kernel[row, j] = True
            kernel[row, pivots] = reduced[:rank, j]
        return ConditionedParity(self.n, particular, kernel, len(X))


@dataclass(frozen=True, eq=False)
class ConditionedParity(ConditionedSpace):
    """The parities that agree with the training data: ``particular + span(kernel)``."""

    n: int
    particular: np.ndarray
    kernel: np.ndarray
    examples: int
    losses = ("zero_one",)

    @property
    def rank(self) -> int:
        """Rank of the training inputs."""
        return self.n - len(self.kernel)

    def error_law(
        self, X_test: Any, y_test: Any, *, weights: Any = None, loss: str | None = None
    ) -> FiniteLaw | None:
        """Counted by the patterns of values on the test inputs; None beyond 2^20 patterns."""
        base, generators, w = self._patterns(X_test, y_test, weights, loss)
        if len(generators) > LISTED:
            return None
        patterns = base[None]
        for row in generators:
            patterns = np.concatenate([patterns, patterns ^ row])
        each = 1 << (len(self.kernel) - len(generators))
        return law_of(patterns @ w, [each] * len(patterns), None)

    def population_law(self, secret: Any) -> FiniteLaw:
        """Law of the error under uniform inputs, for the parity `secret` (n bits)."""
        goal = as_bits(secret, "secret")
        if goal.shape != (self.n,):
            raise InputError(f"secret has shape {goal.shape}; expected ({self.n},)")
        away = goal ^ self.particular
        inside = len(row_reduce(np.vstack([self.kernel, away]), self.n)[1]) == len(self.kernel)
        count = 1 << len(self.kernel)
        return FiniteLaw([0.0, 0.5], counts=[int(inside), count - int(inside)])

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
        size, rng = sample_size(size), as_random(rng)
        base, generators, w = self._patterns(X_test, y_test, weights, loss)
        coins = np.asarray(rng.integers(0, 2, size=(size, len(generators))))
        return (((coins @ generators.astype(int)) & 1) ^ base) @ w

    def _patterns(
        self, X_test: Any, y_test: Any, weights: Any, loss: str | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Errors of one hypothesis, a basis of how the others differ, and the weights."""
        if loss not in (None, "zero_one"):
            raise InputError(f"loss is {loss!r}; expected zero_one for parities")
        X, y = bit_inputs(X_test, self.n, "X_test"), as_bits(y_test, "y_test")
        if y.shape != (len(X),):
            raise InputError(f"y_test has shape {y.shape}; expected ({len(X)},)")
        w = test_weights(weights, len(X))
        base = ((X.astype(int) @ self.particular) & 1).astype(bool) ^ y
        moves = ((self.kernel.astype(int) @ X.T) & 1).astype(bool)
        reduced, pivots = row_reduce(moves, len(X))
        return base, reduced[: len(pivots)], w

    def describe(self) -> dict[str, Any]:
        return {
            "space": f"parities of {self.n} bits",
            "n": self.examples,
            "rank": self.rank,
            "C": 1,
            "train_nats": self.rank * math.log(2),
        }


def row_reduce(matrix: np.ndarray, columns: int) -> tuple[np.ndarray, list[int]]:
    """Reduced row echelon form over two elements, with pivots in the first `columns`."""
    A = matrix.astype(bool).copy()
    pivots: list[int] = []
    for j in range(columns):
        rank = len(pivots)
        rows = np.flatnonzero(A[rank:, j])
        if not len(rows):
            continue
        A[[rank, rank + rows[0]]] = A[[rank + rows[0], rank]]
        others = A[:, j].copy()
        others[rank] = False
        A[others] ^= A[rank]
        pivots.append(j)
        if len(pivots) == len(A):
            break
    return A, pivots
