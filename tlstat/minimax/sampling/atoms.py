"""Samplers on atoms: the hypercube, and finite classes of the user's own."""

from __future__ import annotations

from typing import Any

import numpy as np

from tlstat.backend import namespace
from tlstat.errors import InputError
from tlstat.minimax.models import FiniteClass, Hypercube
from tlstat.minimax.models.checks import as_array
from tlstat.minimax.sampling.cells import draw_table, require_memory, require_sizes
from tlstat.minimax.sampling.classes import ClassSample


class VoteSample:
    """Sums of signs at the atoms of a cube: all that a vote looks at.

    Attributes
    ----------
    points_P, points_Q : array of int64, shape (size, m)
        Numbers of points at the atoms.
    sums_P, sums_Q : array of int64, shape (size, m)
        Sums of their labels' signs, positive where they speak for the true sign.
    n_P, n_Q : int
    ties : array, shape (size, m)
        Uniform variates that decide tied votes.
    """

    def __init__(self, atoms_P: Any, atoms_Q: Any, n_P: int, n_Q: int, ties: Any) -> None:
        self.points_P = atoms_P[..., 0] + atoms_P[..., 1]
        self.points_Q = atoms_Q[..., 0] + atoms_Q[..., 1]
        self.sums_P = atoms_P[..., 1] - atoms_P[..., 0]
        self.sums_Q = atoms_Q[..., 1] - atoms_Q[..., 0]
        self.n_P, self.n_Q, self.ties = n_P, n_Q, ties

    def wrong(self, weight_P: float, weight_Q: float) -> Any:
        """Numbers of atoms on which a weighted vote is wrong, shape (size,).

        Parameters
        ----------
        weight_P, weight_Q : float
            Weights of a source and of a target label, 0 or above. With an infinite one the
            other sample decides ties only.
        """
        xp = namespace(self.sums_P)
        if np.isinf(weight_P) and np.isinf(weight_Q):
            raise InputError("weight_P and weight_Q are both infinite; expected at most one")
        first, second = self.sums_P, self.sums_Q
        if np.isinf(weight_Q):
            first, second = second, first
        if np.isinf(weight_P) or np.isinf(weight_Q):
            score = 2 * xp.sign(first) + xp.sign(second)
        else:
            score = weight_P * self.sums_P + weight_Q * self.sums_Q
        return xp.sum(1 * ((score < 0) | ((score == 0) & (self.ties < 0.5))), axis=-1)


def sample_atoms(model: Any, n_P: int, n_Q: int, rng: Any, size: int) -> Any:
    """Label counts at atoms, for ``size`` replicates at a cost that does not depend on n.

    Parameters
    ----------
    model : Hypercube or FiniteClass
    n_P, n_Q : int
        Sample sizes, 0 or more, below 2**53.
    rng : Random or numpy Generator
    size : int
        Number of replicates.

    Returns
    -------
    VoteSample for a `Hypercube`, ClassSample for a `FiniteClass`
    """
    require_sizes(n_P, n_Q, size)
    if isinstance(model, Hypercube):
        require_memory(size, 4 * (model.m + 1))
        m, n_P, n_Q = model.m, int(n_P), int(n_Q)
        atoms_P = draw_table(rng, n_P, _cube_table(m, model.p, model.delta_P), size)[:, :m]
        atoms_Q = draw_table(rng, n_Q, _cube_table(m, model.q, model.delta_Q), size)[:, :m]
        return VoteSample(atoms_P, atoms_Q, n_P, n_Q, rng.uniform(0.0, 1.0, (size, m)))
    if isinstance(model, FiniteClass):
        H, K = model.predictions.shape
        require_memory(size, 4 * K + 2 * H)
        atoms_P = draw_table(rng, int(n_P), _joint(model.P_X, model.eta_P), size)
        atoms_Q = draw_table(rng, int(n_Q), _joint(model.Q_X, model.eta_Q), size)
        predictions = as_array(rng, model.predictions.copy())
        ties = rng.uniform(0.0, 1.0, (size, 2))
        return ClassSample(predictions, atoms_P, atoms_Q, int(n_P), int(n_Q), ties)
    raise InputError(f"model is a {type(model).__name__}; expected a Hypercube or a FiniteClass")


def _cube_table(m: int, mass: float, margin: float) -> np.ndarray:
    table = np.empty((m + 1, 2))
    table[:m] = mass * (1 - margin) / 2, mass * (1 + margin) / 2
    table[m] = 0.0, max(0.0, 1 - m * mass)
    return table


def _joint(mass: np.ndarray, eta: np.ndarray) -> np.ndarray:
    return np.stack([mass * (1 - eta), mass * eta], axis=-1)
