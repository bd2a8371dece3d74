"""Boolean functions, conjunctions and monotone functions of n bits."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.inductive_bias.data import as_random, sample_size, test_weights
from tlstat.inductive_bias.spaces.base import ConditionedSpace, HypothesisSpace
from tlstat.inductive_bias.spaces.finite import CubeSpace, as_bits, bit_inputs, cube
from tlstat.inductive_bias.spaces.finite_law import FiniteLaw

ENUMERATION_MAX = 4


@dataclass(frozen=True)
class BooleanSpace(HypothesisSpace):
    """All Boolean functions of `n` bits, uniformly: the space of no free lunch.

    Off the training inputs the values are independent fair coins, so the bias of at most k errors
    on T distinct test inputs is ``T log 2 - log sum_{j <= k} binom(T, j)``, whatever the target.

    Parameters
    ----------
    n : int
        Number of bits, from 1 to 60; inputs are rows of 0/1 or -1/1.
    """

    n: int

    def __post_init__(self) -> None:
        bits(self.n, 60)

    def condition(self, X_train: Any, y_train: Any) -> ConditionedBoolean:
        X, y = _examples(X_train, y_train, self.n, "train")
        known: dict[int, bool] = {}
        for place, label in zip(_codes(X), y.tolist(), strict=True):
            if known.setdefault(place, label) != label:
                raise InputError("y_train has two labels for one input; no function fits")
        return ConditionedBoolean(self.n, known)

    def enumerate(self) -> CubeSpace:
        """The same space as a table, for n <= 4 (2^(2^n) functions)."""
        size = 1 << bits(self.n, ENUMERATION_MAX)
        numbers = np.arange(1 << size)[:, None]
        table = ((numbers >> np.arange(size - 1, -1, -1)) & 1).astype(bool)
        return CubeSpace(cube(self.n), table, name=f"Boolean functions of {self.n} bits")


@dataclass(frozen=True)
class ConditionedBoolean(ConditionedSpace):
    """All Boolean functions that have the training labels."""

    n: int
    known: dict[int, bool]
    losses = ("zero_one",)

    def error_law(
        self, X_test: Any, y_test: Any, *, weights: Any = None, loss: str | None = None
    ) -> FiniteLaw | None:
        (wrong, seen), coins = self._parts(X_test, y_test, weights, loss)
        if weights is None:
            m = seen + int(sum(map(sum, coins)))
            polynomial = _convolve([(int(a), int(b)) for a, b in coins])
            values = np.array([k + wrong for k in polynomial], dtype=float) / m
            return FiniteLaw(values, counts=list(polynomial.values()))
        steps = {b - a for a, b in coins}
        if len(steps) > 1:
            return None
        # one weight for all that is free: binomial counts
        counts = [math.comb(len(coins), k) for k in range(len(coins) + 1)]
        base, step = wrong + sum(a for a, _ in coins), max(steps, default=0.0)
        if step == 0:
            return FiniteLaw([base], counts=[sum(counts)])
        return FiniteLaw(base + step * np.arange(len(counts)), counts=counts)

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
        (wrong, seen), coins = self._parts(X_test, y_test, weights, loss)
        m = seen + sum(map(sum, coins)) if weights is None else 1.0
        if not coins:
            return np.full(size, wrong / m)
        cost = np.array(coins, dtype=float)
        heads = np.asarray(rng.integers(0, 2, size=(size, len(coins))))
        return (wrong + cost[:, 0].sum() + heads @ (cost[:, 1] - cost[:, 0])) / m

    def _parts(
        self, X_test: Any, y_test: Any, weights: Any, loss: str | None
    ) -> tuple[tuple[float, int], list[tuple[float, float]]]:
        """Errors at training inputs (sum, points), and of the two values at each other input."""
        if loss not in (None, "zero_one"):
            raise InputError(f"loss is {loss!r}; expected zero_one for Boolean functions")
        X, y = _examples(X_test, y_test, self.n, "test")
        if not len(y):
            raise InputError("X_test is empty; expected at least one input")
        share = np.ones(len(y)) if weights is None else test_weights(weights, len(y))
        wrong, seen = 0.0, 0
        coins: dict[int, list[float]] = {}
        for code, label, part in zip(_codes(X), y.tolist(), share.tolist(), strict=True):
            if code in self.known:
                seen += 1
                wrong += part * (self.known[code] != label)
            else:
                # value 0 errs on label 1, value 1 errs on label 0
                coins.setdefault(code, [0.0, 0.0])[not label] += part
        return (wrong, seen), [(min(c), max(c)) for c in coins.values()]

    def describe(self) -> dict[str, Any]:
        known = len(self.known)
        return {
            "space": f"Boolean functions of {self.n} bits",
            "n": known,
            "C": 1,
            "train_nats": known * math.log(2),
        }


class ConjunctionSpace(CubeSpace):
    """All conjunctions of literals of `n` bits (n <= 9), and the constant false: 3^n + 1.

    Parameters
    ----------
    n : int
    """

    def __init__(self, n: int) -> None:
        bits(n, 9)
        X = cube(n)
        choices = (np.arange(3**n)[:, None] // 3 ** np.arange(n)) % 3
        missing = (choices == 1) @ (1 - X).T + (choices == 2) @ X.T
        table = np.vstack([missing == 0, np.zeros((1, len(X)), dtype=bool)])
        super().__init__(X, table, name=f"conjunctions of {n} bits")


class MonotoneSpace(CubeSpace):
    """All monotone Boolean functions of `n` bits: 3, 6, 20, 168, 7581 of them for n = 1..5.

    Parameters
    ----------
    n : int
    """

    def __init__(self, n: int) -> None:
        table = np.array([[False], [True]])
        for _ in range(bits(n, 5)):
            # a function is a pair (first bit 0, first bit 1), the first below the second
            below = (table[:, None, :] <= table[None, :, :]).all(axis=2)
            low, high = np.nonzero(below)
            table = np.hstack([table[low], table[high]])
        super().__init__(cube(n), table, name=f"monotone functions of {n} bits")


def bits(n: Any, most: int) -> int:
    """A number of bits."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or not 1 <= n <= most:
        raise InputError(f"n is {n!r}; expected a number of bits from 1 to {most}")
    return int(n)


def _examples(X: Any, y: Any, n: int, part: str) -> tuple[np.ndarray, np.ndarray]:
    if np.size(X) == 0 and np.size(y) == 0:
        return np.zeros((0, n), dtype=bool), np.zeros(0, dtype=bool)
    inputs, labels = bit_inputs(X, n, f"X_{part}"), as_bits(y, f"y_{part}")
    if labels.shape != (len(inputs),):
        raise InputError(f"y_{part} has shape {labels.shape}; expected ({len(inputs)},)")
    return inputs, labels


def _codes(X: np.ndarray) -> list[int]:
    n = X.shape[1]
    return np.asarray(X @ (1 << np.arange(n - 1, -1, -1, dtype=np.int64))).tolist()


def _convolve(coins: list[tuple[int, int]]) -> dict[int, int]:
    """Numbers of choices, one cost of each pair, by their sum; exact."""
    out = {0: 1}
    for (a, b), times in Counter(coins).items():
        factor = {a * (times - k) + b * k: math.comb(times, k) for k in range(times + 1)}
        if a == b:
            factor = {a * times: 1 << times}
        new: dict[int, int] = {}
        for x, p in out.items():
            for y, q in factor.items():
                new[x + y] = new.get(x + y, 0) + p * q
        out = new
    return out
