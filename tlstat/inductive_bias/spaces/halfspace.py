"""Half-spaces through the origin with a random normal vector."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import betainc, betaln

from tlstat.errors import InputError
from tlstat.inductive_bias.data import as_random, inputs, test_weights
from tlstat.inductive_bias.spaces.base import (
    ConditionedSpace,
    Draws,
    HypothesisSpace,
    Latent,
    reject,
)
from tlstat.inductive_bias.spaces.finite import as_bits


@dataclass(frozen=True)
class AngleLaw:
    """Law of angle / pi between a uniform direction in d dimensions and a fixed one.

    This is the population error of a random half-space under inputs of spherical symmetry:
    ``P(error <= e) = I_{sin^2(pi e)}((d-1)/2, 1/2) / 2`` for ``e <= 1/2``.
    """

    d: int

    def logcdf(self, x: Any) -> Any:
        """``log P(error <= x)``, at any depth."""
        out = np.vectorize(self._log_one, otypes=[float])(x)
        return float(out) if np.ndim(x) == 0 else out

    def _log_one(self, x: float) -> float:
        if not x > 0:
            return -math.inf
        if x >= 1:
            return 0.0
        if x > 0.5:
            return math.log1p(-math.exp(self._log_one(1 - x)))
        return _log_betainc((self.d - 1) / 2, 0.5, math.sin(math.pi * x) ** 2) - math.log(2)

    def cdf(self, x: Any) -> Any:
        """``P(error <= x)``."""
        return np.exp(self.logcdf(x))

    def mean(self) -> float:
        """Expected error."""
        return 0.5

    def support(self) -> tuple[float, float]:
        """The interval of possible errors."""
        return 0.0, 1.0

    def rvs(self, size: int = 1, random_state: Any = 0) -> np.ndarray:
        """Independent draws."""
        z = np.asarray(as_random(random_state).normal(size=(size, self.d)))
        return np.arctan2(np.linalg.norm(z[:, 1:], axis=1), z[:, 0]) / math.pi


@dataclass(frozen=True)
class HalfspaceSpace(HypothesisSpace):
    """Classifiers ``x -> 1{w.x > 0}`` with ``w ~ N(0, I_d)``.

    Parameters
    ----------
    d : int
        Dimension, at least 2.
    """

    d: int

    def __post_init__(self) -> None:
        if isinstance(self.d, bool) or not isinstance(self.d, int | np.integer) or self.d < 2:
            raise InputError(f"d is {self.d!r}; expected a dimension of at least 2")

    def condition(self, X_train: Any, y_train: Any) -> ConditionedHalfspace:
        """Labels are 0/1 or -1/1; no rows at all mean no training data."""
        if np.size(X_train) == 0:
            return ConditionedHalfspace(self.d, np.zeros((0, self.d)), np.zeros(0))
        X = inputs(X_train, "X_train", self.d)
        signs = _signs(y_train, len(X), "y_train")
        if not _separable(X * signs[:, None]):
            raise InputError(
                "no half-space through the origin separates the training labels; expected "
                "separable ones"
            )
        return ConditionedHalfspace(self.d, X, signs)


@dataclass(frozen=True, eq=False)
class ConditionedHalfspace(ConditionedSpace):
    """Half-spaces that classify the training data correctly."""

    d: int
    X: np.ndarray
    signs: np.ndarray
    losses = ("zero_one",)

    def population_law(self) -> AngleLaw:
        """Law of angle / pi to any fixed direction; only without training data.

        Raises
        ------
        InputError
            With training data: `population_latent` serves splitting then.
        """
        if len(self.X):
            raise InputError("population_law needs a space without training data")
        return AngleLaw(self.d)

    def population_latent(self, direction: Any) -> Latent:
        """Angle / pi to a target direction, the error under inputs of spherical symmetry."""
        u = np.asarray(direction, dtype=float)
        if u.shape != (self.d,) or not np.linalg.norm(u) > 0:
            raise InputError(f"direction has shape {u.shape}; expected ({self.d},), not all 0")
        u = u / np.linalg.norm(u)

        def angle(w: np.ndarray) -> np.ndarray:
            along = w @ u
            across = np.linalg.norm(w - along[:, None] * u, axis=1)
            return np.arctan2(across, along)[:, None] / math.pi

        return Latent(self.d, angle, np.ones(1), self._fit_score() if len(self.X) else None)

    def latent(
        self, X_test: Any, y_test: Any, *, weights: Any = None, loss: str | None = None
    ) -> Latent:
        if loss not in (None, "zero_one"):
            raise InputError(f"loss is {loss!r}; expected zero_one for half-spaces")
        X = inputs(X_test, "X_test", self.d)
        signed = X * _signs(y_test, len(X), "y_test")[:, None]
        share = test_weights(weights, len(X))
        fit = self._fit_score() if len(self.X) else None
        return Latent(self.d, lambda w: w @ signed.T <= 0, share, fit)

    def _fit_score(self) -> Any:
        signed = self.X * self.signs[:, None]
        return lambda w: (w @ signed.T <= 0).mean(axis=1)

    def draw(
        self,
        X_test: Any,
        y_test: Any,
        rng: Any,
        size: int,
        *,
        weights: Any = None,
        loss: str | None = None,
        pointwise: bool = False,
    ) -> Draws:
        latent = self.latent(X_test, y_test, weights=weights, loss=loss)
        return reject(latent, rng, size, pointwise=pointwise)

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
        return self.draw(X_test, y_test, rng, size, weights=weights, loss=loss).errors

    def describe(self) -> dict[str, Any]:
        return {"space": f"half-spaces in dimension {self.d}", "n": len(self.X), "C": 1}


def _signs(y: Any, rows: int, name: str) -> np.ndarray:
    labels = as_bits(y, name)
    if labels.shape != (rows,):
        raise InputError(f"{name} has shape {labels.shape}; expected ({rows},)")
    return np.where(labels, 1.0, -1.0)


def _separable(signed: np.ndarray) -> bool:
    """Whether ``signed @ w >= 1`` for some w, by linear programming."""
    from scipy.optimize import linprog

    d = signed.shape[1]
    found = linprog(np.zeros(d), A_ub=-signed, b_ub=-np.ones(len(signed)), bounds=(None, None))
    return bool(found.status == 0)


def _log_betainc(a: float, b: float, x: float) -> float:
    """``log I_x(a, b)``, by its series where the function underflows."""
    value = float(betainc(a, b, x))
    if value > 1e-280:
        return math.log(value)
    if x == 0:
        return -math.inf
    total = term = 1.0
    k = 0
    while term > 1e-17 * total:
        term *= x * (a + b + k) / (a + 1 + k)
        total += term
        k += 1
    return float(
        a * math.log(x) + b * math.log1p(-x) - math.log(a) - betaln(a, b) + math.log(total)
    )
