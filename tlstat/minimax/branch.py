"""Certified worst case of a fixed-weight vote over a class of atoms, by branch and bound.

A signed sum takes +1 with probability ``a = p(1 + delta)/2`` and -1 with ``b = p(1 - delta)/2``.
Mass moved from 0 to +1 makes it stochastically larger, mass moved from 0 to -1 smaller: the vote's
error falls in ``a`` and grows in ``b``. So on a box of atoms the error is at most that at its
smallest ``a`` and largest ``b``; no derivative and no grid is trusted.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.minimax.atom_class import AtomClass
from tlstat.minimax.vote import weighted_error
from tlstat.minimax.vote_law import SignedSums

_MAX_BOXES = 1_500_000
_KERNEL_ERROR = 1e-13
_BATCH = 20_000


def certified_worst_case(
    n_P: float,
    n_Q: float,
    atoms: AtomClass,
    weight: float,
    *,
    target: float,
    max_boxes: int = _MAX_BOXES,
) -> float:
    """Upper bound on the risk of ``sign(S_P + weight S_Q)`` over the class.

    Parameters
    ----------
    n_P, n_Q : float
        Sample sizes.
    atoms : AtomClass
    weight : float
        Of the target's votes; the source's is 1.
    target : float
        Boxes whose bound is at most this are not looked into further; must exceed the true worst
        case.
    max_boxes : int
        Work limit.

    Returns
    -------
    float
        At most ``target`` if the work limit did not bite; valid in any case.

    Raises
    ------
    InputError
        If ``target`` is not positive.

    Notes
    -----
    Boxes are in the logs of ``E_Q``, ``m q`` and ``m p``. For given masses the risk is largest at
    the smallest ``E_P``, which is explicit. Atoms with ``E_Q <= 2 target`` need no search: the
    error is at most 1/2.
    """
    if not target > 0:
        raise InputError(f"target must be positive, got {target!r}")
    boxes = _first_box(atoms, target)
    done = min(target, 0.5)
    upper = _bounds(boxes, n_P, n_Q, atoms, weight)
    open_ = upper > target
    bound, spent = float(done), 1
    while open_.any():
        boxes, upper = boxes[open_], upper[open_]
        if spent + 2 * len(boxes) > max_boxes:
            return max(bound, float(upper.max()))
        boxes = _split(boxes)
        spent += len(boxes)
        upper = _bounds(boxes, n_P, n_Q, atoms, weight)
        open_ = upper > target
    return bound


def _first_box(atoms: AtomClass, target: float) -> np.ndarray:
    """Rows ``[low, high]`` of ``log E_Q``, ``log m q``, ``log m p``, shape (1, 3, 2)."""
    low_E = min(np.log(2 * target), -1e-9)
    # p >= E_P, which is at least its least value
    low_p = min(float(atoms.least_source_excess(low_E)), -1e-9)
    return np.array([[[low_E, 0.0], [low_E, 0.0], [low_p, 0.0]]])


def _split(boxes: np.ndarray) -> np.ndarray:
    """Halve each box along its longest side."""
    width = boxes[:, :, 1] - boxes[:, :, 0]
    side = width.argmax(axis=1)
    rows = np.arange(len(boxes))
    middle = boxes[rows, side].mean(axis=1)
    lower, upper = boxes.copy(), boxes.copy()
    lower[rows, side, 1] = middle
    upper[rows, side, 0] = middle
    return np.concatenate([lower, upper])


def _bounds(
    boxes: np.ndarray, n_P: float, n_Q: float, atoms: AtomClass, weight: float
) -> np.ndarray:
    """Upper bound on the risk in each box; 0 where the box holds no member."""
    (low_E, high_E), (low_q, high_q), (low_p, high_p) = boxes.transpose(1, 2, 0)
    log_C = np.log(atoms.constant)
    least_P = _least_E_P(low_E, low_p, atoms)
    empty = (high_q < low_E) | (low_q > log_C + atoms.beta_Q * high_E) | (least_P > high_p)
    a_Q, b_Q = _extreme_steps(low_E, low_q, high_q, atoms.m)
    a_P, b_P = _extreme_steps(least_P, low_p, high_p, atoms.m)
    result = np.zeros(len(boxes))
    live = np.flatnonzero(~empty)
    for start in range(0, live.size, _BATCH):
        rows = live[start : start + _BATCH]
        source = _steps(n_P, a_P[rows], b_P[rows])
        target = _steps(n_Q, a_Q[rows], b_Q[rows])
        error = weighted_error(source, target, np.ones(rows.size), np.full(rows.size, weight))
        # members have signals of 0 or more, so their error is at most 1/2
        worst = np.minimum(0.5, error + _KERNEL_ERROR)
        result[rows] = np.exp(high_E[rows]) * worst * (1 + _KERNEL_ERROR)
    return result


def _least_E_P(low_E: Any, low_p: Any, atoms: AtomClass) -> Any:
    """Log of the least ``E_P`` in a box: by transfer, and by Bernstein from the mass."""
    least = atoms.least_source_excess(low_E)
    if atoms.beta_P > 0:
        least = np.maximum(least, (low_p - np.log(atoms.constant)) / atoms.beta_P)
    return least


def _extreme_steps(low_E: Any, low_mass: Any, high_mass: Any, m: int) -> tuple[Any, Any]:
    """Least probability of +1 and largest of -1, one atom, over a box."""
    excess = np.exp(np.minimum(low_E, high_mass))
    small, large = np.exp(np.maximum(low_mass, np.minimum(low_E, high_mass))), np.exp(high_mass)
    return (small + excess) / (2 * m), np.maximum(0.0, large - excess) / (2 * m)


def _steps(n: float, a: np.ndarray, b: np.ndarray) -> SignedSums:
    """Sums of ``n`` steps; in a wide box -1 may be likelier than +1."""
    mass = np.minimum(1.0, a + b)
    signal = np.clip((a - b) / mass, -1.0, 1.0)
    return SignedSums(np.full(a.shape, float(n)), mass, signal, poissonised=False)
