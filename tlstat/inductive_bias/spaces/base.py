"""What every hypothesis space offers, whatever its functions are.

A hypothesis space is a law on functions. `condition` restricts it to the functions that fit the
training data; the conditioned space says how their test errors are distributed: as a law where one
is known, as a score of standard normal variables where one exists, and by sampling always.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Latent:
    """The test error as a function of independent standard normal variables.

    Parameters
    ----------
    dim : int
    score : callable
        (N, dim) -> (N,): test error of each row's hypothesis.
    fit_score : callable, optional
        (N, dim) -> (N,): training error, where the variables are not conditioned on the training
        data; a hypothesis fits if it is at most `fit_level`.
    fit_level : float
    """

    dim: int
    score: Callable[[np.ndarray], np.ndarray]
    fit_score: Callable[[np.ndarray], np.ndarray] | None = None
    fit_level: float = 0.0


@dataclass(frozen=True)
class Draws:
    """Test errors of sampled hypotheses.

    Parameters
    ----------
    errors : ndarray, shape (size,)
    drawn : int
        Hypotheses that were drawn; those that do not fit the training data were dropped.
    """

    errors: np.ndarray
    drawn: int

    @property
    def kept_share(self) -> float:
        """Share of the drawn hypotheses that fit the training data."""
        return len(self.errors) / self.drawn


class ConditionedSpace(ABC):
    """The hypotheses of a space that fit the training data."""

    losses: tuple[str, ...] = ("squared", "zero_one")

    @abstractmethod
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
        """Test errors of independent hypotheses.

        Parameters
        ----------
        X_test, y_test : array_like, m rows
        rng : Random, Generator or int
        size : int
        weights : array_like, shape (m,), optional
            Weights of the test points, scaled to sum 1; equal ones by default.
        loss : {"squared", "zero_one"}, optional
            Mean over points and outputs of the squared difference, or share of wrong classes. By
            default the first of ``losses``.

        Returns
        -------
        ndarray, shape (size,)
        """

    def draw(
        self,
        X_test: Any,
        y_test: Any,
        rng: Any,
        size: int,
        *,
        weights: Any = None,
        loss: str | None = None,
    ) -> Draws:
        """As `sample_errors`, with the number of hypotheses that did not fit."""
        errors = self.sample_errors(X_test, y_test, rng, size, weights=weights, loss=loss)
        return Draws(np.asarray(errors), size)

    def error_law(
        self, X_test: Any, y_test: Any, *, weights: Any = None, loss: str | None = None
    ) -> Any:
        """Exact law of the test error, or None where none is known.

        Returns
        -------
        GeneralizedChiSquared, FiniteLaw or None
        """
        return None

    def latent(
        self, X_test: Any, y_test: Any, *, weights: Any = None, loss: str | None = None
    ) -> Latent | None:
        """The test error as a score of standard normals, or None."""
        return None

    def describe(self) -> dict[str, Any]:
        """Settings and numerical diagnostics."""
        return {}


class HypothesisSpace(ABC):
    """A law on functions."""

    task: str = "any"

    @abstractmethod
    def condition(self, X_train: Any, y_train: Any) -> ConditionedSpace:
        """The space restricted to the functions that fit the training data.

        Parameters
        ----------
        X_train : array_like, shape (n, d)
        y_train : array_like, shape (n,) or (n, C)

        Raises
        ------
        InputError
            If no function of the space fits, or the data do not belong to the space.
        """
