"""A finite class on finitely many atoms: the user's own problem, with its truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tlstat.backend import to_numpy
from tlstat.errors import InputError
from tlstat.minimax.models.checks import as_array, require

_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class FiniteClass:
    """``H`` hypotheses on ``K`` atoms, with the two laws they are judged by.

    Parameters
    ----------
    predictions : array_like of 0/1, shape (H, K)
        Row ``h`` holds the labels that hypothesis ``h`` gives to the atoms.
    P_X, Q_X : array_like, shape (K,)
        Source and target masses of the atoms; each sums to 1.
    eta_P, eta_Q : array_like, shape (K,)
        Probability of label 1 at each atom.

    Raises
    ------
    InputError
        Labels other than 0 and 1, masses that do not sum to 1, probabilities outside [0, 1].
    """

    predictions: np.ndarray
    P_X: np.ndarray
    Q_X: np.ndarray
    eta_P: np.ndarray
    eta_Q: np.ndarray

    def __post_init__(self) -> None:
        predictions = np.asarray(self.predictions)
        if predictions.ndim != 2 or predictions.size == 0:
            raise InputError(f"predictions has shape {predictions.shape}; expected (H, K)")
        if not np.isin(predictions, (0, 1)).all():
            raise InputError("predictions holds values other than 0 and 1; expected labels 0/1")
        object.__setattr__(self, "predictions", _frozen(predictions.astype(np.int64)))
        atoms = predictions.shape[1]
        for name in ("P_X", "Q_X", "eta_P", "eta_Q"):
            values = np.array(getattr(self, name), dtype=np.float64)
            if values.shape != (atoms,):
                raise InputError(f"{name} has shape {values.shape}; expected ({atoms},), the atoms")
            if not ((values >= 0) & (values <= 1)).all():
                raise InputError(f"{name} has an entry outside [0, 1]; expected probabilities")
            if name.endswith("_X"):
                total = float(values.sum())
                require(f"the sum of {name}", total, abs(total - 1) <= _ROUNDING, "1")
                values = values / total
            object.__setattr__(self, name, _frozen(values))

    def __len__(self) -> int:
        return self.predictions.shape[0]

    @cached_property
    def risk_P(self) -> np.ndarray:
        """Source risks of all hypotheses, shape (H,)."""
        return _risk(self.predictions, self.P_X, self.eta_P)

    @cached_property
    def risk_Q(self) -> np.ndarray:
        """Target risks of all hypotheses, shape (H,)."""
        return _risk(self.predictions, self.Q_X, self.eta_Q)

    @cached_property
    def best_P(self) -> int:
        """Index of the source's best hypothesis; of several, the best on the target."""
        return int(np.lexsort((self.risk_Q, np.round(self.risk_P, 13)))[0])

    @cached_property
    def best_Q(self) -> int:
        """Index of the target's best hypothesis; of several, the best on the source."""
        return int(np.lexsort((self.risk_P, np.round(self.risk_Q, 13)))[0])

    @property
    def floor(self) -> float:
        """Target excess risk of the source's best hypothesis."""
        return float(self.risk_Q[self.best_P] - self.risk_Q[self.best_Q])

    def hypotheses(self) -> np.ndarray:
        """All hypotheses: their indices."""
        return np.arange(len(self))

    def excess_P(self, index: Any) -> Any:
        """Source excess risk of the hypotheses with these indices."""
        return (self.risk_P - self.risk_P[self.best_P])[index]

    def excess_Q(self, index: Any) -> Any:
        """Target excess risk of the hypotheses with these indices."""
        return (self.risk_Q - self.risk_Q[self.best_Q])[index]

    def disagreement_P(self, index: Any) -> Any:
        """Source mass on which hypotheses differ from the source's best one."""
        return (self.predictions != self.predictions[self.best_P])[index] @ self.P_X

    def disagreement_Q(self, index: Any) -> Any:
        """Target mass on which hypotheses differ from the target's best one."""
        return (self.predictions != self.predictions[self.best_Q])[index] @ self.Q_X

    def disagreement_Q_from_source(self, index: Any) -> Any:
        """Target mass on which hypotheses differ from the source's best one."""
        return (self.predictions != self.predictions[self.best_P])[index] @ self.Q_X

    def draw_P(self, rng: Any, size: tuple[int, ...]) -> tuple[Any, Any]:
        """Raw source points (atom numbers) and labels."""
        return _draw(self.P_X, self.eta_P, rng, size)

    def draw_Q(self, rng: Any, size: tuple[int, ...]) -> tuple[Any, Any]:
        """Raw target points (atom numbers) and labels."""
        return _draw(self.Q_X, self.eta_Q, rng, size)


def _risk(predictions: np.ndarray, mass: np.ndarray, eta: np.ndarray) -> np.ndarray:
    return predictions @ (mass * (1 - eta)) + (1 - predictions) @ (mass * eta)


def _frozen(values: np.ndarray) -> np.ndarray:
    values.setflags(write=False)
    return values


def _draw(mass: np.ndarray, eta: np.ndarray, rng: Any, size: tuple[int, ...]) -> tuple[Any, Any]:
    u, v = (to_numpy(rng.uniform(0.0, 1.0, size)) for _ in range(2))
    atom = np.minimum(np.searchsorted(np.cumsum(mass), u, side="right"), mass.size - 1)
    return as_array(rng, atom), as_array(rng, 1 * (v < eta[atom]))
