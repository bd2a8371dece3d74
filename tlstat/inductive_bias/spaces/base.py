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

from tlstat.errors import InputError
from tlstat.inductive_bias.data import as_random, sample_size

# latent variables held at once, and hypotheses tried in all
CHUNK = 1 << 22
DRAWS_MAX = 20_000_000


@dataclass(frozen=True)
class Latent:
    """The test error as a function of independent standard normal variables.

    Parameters
    ----------
    dim : int
    losses : callable
        (N, dim) -> (N, m): loss of each row's hypothesis at every test point.
    share : ndarray, shape (m,)
        Weights of the test points, summing to 1.
    fit_score : callable, optional
        (N, dim) -> (N,): training error, where the variables are not conditioned on the training
        data; a hypothesis fits if it is at most `fit_level`.
    fit_level : float
    """

    dim: int
    losses: Callable[[np.ndarray], np.ndarray]
    share: np.ndarray
    fit_score: Callable[[np.ndarray], np.ndarray] | None = None
    fit_level: float = 0.0

    def score(self, z: np.ndarray) -> np.ndarray:
        """Test errors (N,) of the hypotheses with latent variables z (N, dim)."""
        return np.asarray(self.losses(z) @ self.share)


@dataclass(frozen=True)
class Draws:
    """Test errors of sampled hypotheses.

    Parameters
    ----------
    errors : ndarray, shape (size,), or (size, m) for losses at every test point
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
        pointwise: bool = False,
    ) -> Draws:
        """As `sample_errors`, with the number of hypotheses that did not fit.

        With ``pointwise`` the losses at every test point, for spaces with latent variables.
        """
        if not pointwise:
            errors = self.sample_errors(X_test, y_test, rng, size, weights=weights, loss=loss)
            return Draws(np.asarray(errors), size)
        latent = self.latent(X_test, y_test, loss=loss)
        if latent is None:
            raise InputError(f"{type(self).__name__} samples errors, not losses of test points")
        return reject(latent, rng, size, pointwise=True)

    def error_law(
        self, X_test: Any, y_test: Any, *, weights: Any = None, loss: str | None = None
    ) -> Any:
        """Exact law of the test error, or None where none is known.

        Returns
        -------
        GeneralizedChiSquared, FiniteLaw or None
        """
        return None

    def error_laws(
        self, X_test: Any, y_test: Any, weights: Any, *, loss: str | None = None
    ) -> list[Any] | None:
        """The law for each row of weights (B, m), or None where none is known."""
        laws = []
        for row in weights:
            kept = np.flatnonzero(row)
            equal = None if np.ptp(row[kept]) == 0 else row[kept]
            X, y = [X_test[i] for i in kept], np.asarray(y_test)[kept]
            law = self.error_law(X, y, weights=equal, loss=loss)
            if law is None:
                return None
            laws.append(law)
        return laws

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


def reject(
    latent: Latent, rng: Any, size: int, *, pointwise: bool = False, draws_max: int = DRAWS_MAX
) -> Draws:
    """Draw latent variables until `size` of them fit the training data.

    Raises
    ------
    InputError
        If too few fit; it says how many did.
    """
    size, rng = sample_size(size), as_random(rng)
    measure = latent.losses if pointwise else latent.score
    step = max(1, min(CHUNK // max(latent.dim, 1), draws_max))
    kept: list[np.ndarray] = []
    found = drawn = 0
    while found < size:
        if drawn >= draws_max:
            raise InputError(
                f"only {found} of {drawn} random hypotheses fit the training data, and "
                f"{size} are wanted; expected method='splitting', or fewer training examples"
            )
        unfiltered = latent.fit_score is None
        z = np.asarray(
            rng.normal(size=(min(step, size - found) if unfiltered else step, latent.dim))
        )
        if latent.fit_score is None:
            fits = np.arange(len(z))
        else:
            fits = np.flatnonzero(latent.fit_score(z) <= latent.fit_level)[: size - found]
        # the draw that completes the sample ends the count
        complete = len(fits) == size - found
        drawn += int(fits[-1]) + 1 if complete else len(z)
        found += len(fits)
        kept.append(np.asarray(measure(z[fits])))
    return Draws(np.concatenate(kept), drawn)
