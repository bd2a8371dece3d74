"""Populations of candidates whose true risks are known in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tlstat.backend import to_numpy
from tlstat.errors import InputError


@dataclass(frozen=True, eq=False)
class Directions:
    """Linear classifiers ``sign(w . x)`` of standard normal inputs with noisy labels.

    Labels are ``sign(truth . x)``, flipped with probability ``noise``. All candidates are wrong
    on the same inputs, so their errors are as dependent as those of models that were selected
    from one zoo. The risk of a candidate is ``noise + (1 - 2 noise) angle(w, truth) / pi``.

    Parameters
    ----------
    truth : ndarray, shape (d,)
    candidates : ndarray, shape (M, d)
        In the order of generation, fixed before any example is drawn.
    noise : float
        Probability of a flipped label, in [0, 1/2).

    Raises
    ------
    InputError
        If shapes do not fit or the noise is not in [0, 1/2).
    """

    truth: np.ndarray
    candidates: np.ndarray
    noise: float

    def __post_init__(self) -> None:
        truth, candidates = np.asarray(self.truth, float), np.asarray(self.candidates, float)
        if truth.ndim != 1 or candidates.ndim != 2 or candidates.shape[1:] != truth.shape:
            raise InputError(
                f"candidates have shape {candidates.shape} and truth {truth.shape}; expected "
                "(M, d) and (d,)"
            )
        if not 0 <= self.noise < 0.5:
            raise InputError(f"noise is {self.noise}; expected a probability below 1/2")
        object.__setattr__(self, "truth", truth)
        object.__setattr__(self, "candidates", candidates)

    @classmethod
    def from_cell(cls, cell: Any) -> Directions:
        """``M`` candidates at random around the truth, from the cell's own seed.

        Parameters
        ----------
        cell : mapping
            ``M``, ``d``, ``noise``, ``seed``, and ``spread``: the standard deviation of a
            candidate's coordinates around those of the truth, a unit vector, times ``sqrt(d)``.
        """
        d = int(cell["d"])
        rng = np.random.default_rng(int(cell["seed"]))
        truth = np.eye(d)[0]
        step = rng.normal(size=(int(cell["M"]), d)) * (cell["spread"] / math.sqrt(d))
        return cls(truth, truth + step, float(cell["noise"]))

    @property
    def M(self) -> int:
        """Number of candidates."""
        return len(self.candidates)

    @cached_property
    def risks(self) -> np.ndarray:
        """True risk of every candidate, shape (M,)."""
        return np.asarray(direction_risks(self.truth, self.candidates, self.noise))

    def losses(self, n: int, rng: Any, size: int) -> Any:
        """0/1 losses of all candidates on ``n`` fresh examples, shape (size, n, M), boolean."""
        x = rng.normal(size=(size, n, len(self.truth)))
        clean = x @ rng.asarray(self.truth) > 0
        label = clean ^ (rng.uniform(size=(size, n)) < self.noise)
        return (x @ rng.asarray(self.candidates.T) > 0) != label[..., None]


def direction_risks(truth: np.ndarray, candidates: Any, noise: float) -> Any:
    """``noise + (1 - 2 noise) angle / pi`` for candidates of shape (..., d)."""
    lengths = np.linalg.norm(candidates, axis=-1) * np.linalg.norm(truth)
    angle = np.arccos(np.clip(candidates @ truth / lengths, -1, 1))
    return noise + (1 - 2 * noise) * angle / math.pi


def fresh_directions(cell: Any, n: int, rng: Any, size: int) -> tuple[Any, np.ndarray]:
    """Losses when the candidates, too, are drawn anew in every replicate, from one prior.

    Parameters
    ----------
    cell : mapping
        ``M``, ``d``, ``noise`` and ``spread`` as in `Directions.from_cell`.
    n : int
        Number of examples.
    rng : Random
    size : int

    Returns
    -------
    losses : array, shape (size, n, M)
    risks : ndarray, shape (size, M)
    """
    d = int(cell["d"])
    truth = np.eye(d)[0]
    step = to_numpy(rng.normal(size=(size, int(cell["M"]), d)))
    candidates = truth + step * (cell["spread"] / math.sqrt(d))
    x = to_numpy(rng.normal(size=(size, n, d)))
    label = (x @ truth > 0) ^ (to_numpy(rng.uniform(size=(size, n))) < cell["noise"])
    losses = (x @ candidates.swapaxes(1, 2) > 0) != label[..., None]
    return losses, direction_risks(truth, candidates, cell["noise"])
