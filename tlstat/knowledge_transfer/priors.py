"""Random teachers: the priors that prove the minimax lower bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.knowledge_transfer.instances import on_off, paired_labels, rare_inputs, uniform_law
from tlstat.knowledge_transfer.minimax import (
    best_concentration,
    best_pair_gap,
    worst_input_law,
)
from tlstat.knowledge_transfer.models import Teacher, checked_law


@dataclass(frozen=True)
class Prior:
    """A law over teachers with common input law, as in the minimax lower bounds.

    A lower bound for all procedures speaks of the average risk over such a prior; it says
    nothing about one student on one teacher.

    Attributes
    ----------
    rho : ndarray, shape (S,)
        Law of the inputs, the same for every teacher.
    draw : callable
        ``draw(rng, size)`` gives ``size`` label laws, shape (size, S, A), in the namespace of
        ``rng``.
    A : int
        Number of labels.
    """

    rho: np.ndarray
    draw: Callable[[Any, int], Any]
    A: int

    @property
    def S(self) -> int:
        """Number of inputs."""
        return self.rho.shape[0]

    @classmethod
    def pairs(cls, S: int, A: int, n: int, gap: float | None = None) -> Prior:
        """Which label of each pair is the likelier one: a fair coin each (Theorem 3.1).

        ``gap`` in [0, 1] is the relative difference of a pair's masses, ``sqrt(SA/n)/4`` in the
        paper.
        """
        if A % 2:
            raise InputError(f"A must be even for the prior on pairs, got {A}")
        base = paired_labels(S, A, n, gap)

        def draw(rng: Any, size: int) -> Any:
            first, second = base[:, ::2], base[:, 1::2]
            coin = rng.uniform(size=(size, S, A // 2)) < 0.5
            xp = rng.xp
            first, second = _like(coin, first, xp), _like(coin, second, xp)
            both = [xp.where(coin, first, second), xp.where(coin, second, first)]
            return xp.reshape(xp.stack(both, axis=-1), (size, S, A))

        return cls(uniform_law(S), draw, A)

    @classmethod
    def widest_pairs(cls, S: int, A: int, n: int) -> Prior:
        """Pairs with the gap at which their Bayes risk is largest; the gap is not the paper's."""
        return cls.pairs(S, A, n, best_pair_gap(S, A, n))

    @classmethod
    def dirichlet(cls, S: int, A: int, n: int, concentration: float | None = None) -> Prior:
        """Symmetric Dirichlet rows, by default the least favourable at ``n``; not in the paper."""
        if concentration is None:
            concentration = best_concentration(A, n, S)
        alpha = np.full(A, concentration)
        return cls(uniform_law(S), lambda rng, size: rng.dirichlet(alpha, size=(size, S)), A)

    @classmethod
    def buddies(cls, S: int, A: int, n: int) -> Prior:
        """Which label of each pair is alive, with mass ``S/(n+1)``: a fair coin (Theorem 4.1)."""
        if A % 2 == 0:
            raise InputError(f"A must be odd for the prior on living labels, got {A}")
        base = on_off(S, A, n)

        def draw(rng: Any, size: int) -> Any:
            xp = rng.xp
            coin = rng.uniform(size=(size, S, (A - 1) // 2)) < 0.5
            mass = _like(coin, base[:, :1], xp)
            zero = xp.zeros_like(mass)
            both = [xp.where(coin, mass, zero), xp.where(coin, zero, mass)]
            rare = xp.reshape(xp.stack(both, axis=-1), (size, S, A - 1))
            last = xp.broadcast_to(_like(coin, base[:, -1:], xp), (size, S, 1))
            return xp.concat([rare, last], axis=-1)

        return cls(uniform_law(S), draw, A)

    @classmethod
    def subsets(cls, S: int, A: int, n: int) -> Prior:
        """Which ``h`` of the first ``A - 1`` labels are alive: uniform over subsets.

        Instance 2* with its labels shuffled for each input; not in the paper.
        """
        base = Teacher.instance2star(S, A, n).pi

        def draw(rng: Any, size: int) -> Any:
            xp = rng.xp
            order = xp.argsort(rng.uniform(size=(size, S, A - 1)), axis=-1)
            rank = xp.argsort(order, axis=-1)
            labels_on = int((base[0, :-1] > 0).sum())
            mass = _like(rank, base[:, :1], xp)
            rare = xp.where(rank < labels_on, mass, xp.zeros_like(mass))
            last = xp.broadcast_to(_like(rank, base[:, -1:], xp), (size, S, 1))
            return xp.concat([rare, last], axis=-1)

        return cls(uniform_law(S), draw, A)

    @classmethod
    def deterministic(cls, S: int, A: int, n: int, rho: Any | None = None) -> Prior:
        """Uniform over deterministic teachers, by default on rare inputs (Theorem 5.1)."""

        def draw(rng: Any, size: int) -> Any:
            xp = rng.xp
            label = xp.floor(rng.uniform(size=(size, S, 1)) * A)
            return xp.where(label == _like(label, np.arange(A), xp), 1.0, 0.0)

        return cls(rare_inputs(S, n) if rho is None else checked_law("rho", rho, 1), draw, A)

    @classmethod
    def worst_deterministic(cls, S: int, A: int, n: int) -> Prior:
        """Deterministic teachers on the inputs with the largest missing mass; ours.

        The least favourable prior: the Bayes risk is the minimax risk of soft labels.
        """
        return cls.deterministic(S, A, n, worst_input_law(S, n))

    @classmethod
    def from_cell(cls, cell: Any) -> Prior:
        """The prior named by ``cell.prior`` at its ``S``, ``A`` and ``n``.

        "pairs", "pairs*" (the worst gap), "dirichlet", "buddies", "subsets", "deterministic" or
        "deterministic*" (the worst inputs).
        """
        builders = {
            "pairs": cls.pairs,
            "pairs*": cls.widest_pairs,
            "dirichlet": cls.dirichlet,
            "buddies": cls.buddies,
            "subsets": cls.subsets,
            "deterministic": cls.deterministic,
            "deterministic*": cls.worst_deterministic,
        }
        name = cell["prior"]
        if name not in builders:
            raise InputError(f"prior must be one of {', '.join(builders)}; got {name!r}")
        return builders[name](cell["S"], cell["A"], cell["n"])


def _like(reference: Any, values: np.ndarray, xp: Any) -> Any:
    """``values`` as a float array of the namespace and device of ``reference``."""
    device = getattr(reference, "device", None)
    array = np.ascontiguousarray(values, dtype=np.float64)
    if device is None or isinstance(reference, np.ndarray):
        return xp.asarray(array)
    return xp.asarray(array, device=device)
