"""The teachers of the paper as formulas (Appendix F of arXiv:2310.07838), and one of ours."""

from __future__ import annotations

import math
import numbers
from functools import lru_cache
from typing import Any

import numpy as np

from tlstat.errors import InputError


def require_size(name: str, value: Any, least: int) -> None:
    """Raise unless ``value`` is an integer of at least ``least``."""
    integral = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not integral or value < least:
        raise InputError(f"{name} must be an integer of at least {least}, got {value!r}")


def uniform_law(size: int) -> np.ndarray:
    """Equal probabilities, shape (size,)."""
    require_size("S", size, 1)
    return np.full(size, 1 / size)


def half_dirac(S: int, A: int) -> np.ndarray:
    """Instance 0: half the uniform law, half a point mass at label ``s mod A``, shape (S, A)."""
    require_size("S", S, 1)
    require_size("A", A, 2)
    return 0.5 / A + 0.5 * np.eye(A)[np.arange(1, S + 1) % A]


def paired_labels(S: int, A: int, n: int, gap: float | None = None) -> np.ndarray:
    """Instance 1: labels in pairs with masses ``(1 +- gap)/A``, shape (S, A).

    The paper's gap is ``sqrt(SA/n)/4``. With an odd number of labels the last has no mass and
    ``A`` is one smaller.
    """
    require_size("S", S, 1)
    require_size("A", A, 2)
    even = A - A % 2
    if gap is None:
        if not n >= S * even / 16:
            raise InputError(f"Instance 1 needs n >= S*A/16 = {S * even / 16:g}, got n={n}")
        gap = 0.25 * math.sqrt(S * even / n)
    if not 0 <= gap <= 1:
        raise InputError(f"gap must lie in [0, 1], got {gap!r}")
    row = np.zeros(A)
    row[0:even:2], row[1:even:2] = (1 + gap) / even, (1 - gap) / even
    return np.tile(row, (S, 1))


def on_off(
    S: int, A: int, n: int, labels_on: int | None = None, mass: float | None = None
) -> np.ndarray:
    """Instance 2: some labels of small mass, others of none, the last takes the rest.

    Parameters
    ----------
    S, A, n : int
        Sizes. With an even number of labels and no ``labels_on``, the last label has no mass
        and ``A`` is one smaller, as in the paper.
    labels_on : int, optional
        Number of labels that are on; the default puts on one label of each pair.
    mass : float, optional
        Mass of a label that is on; default ``S/(n+1)``.
    """
    require_size("S", S, 1)
    require_size("A", A, 3)
    row = np.zeros(A)
    mass = S / (n + 1) if mass is None else mass
    if labels_on is None:
        last = A - 1 if A % 2 else A - 2
        row[0:last:2] = mass
    else:
        last = A - 1
        row[:labels_on] = mass
    rest = 1 - row.sum()
    if rest < 0:
        raise InputError(
            f"the rare labels would have mass {row.sum():g} > 1: "
            f"n={n} is too small for S={S}, A={A}"
        )
    row[last] = rest
    return np.tile(row, (S, 1))


def rare_inputs(S: int, n: int) -> np.ndarray:
    """Input law of Instance 3: mass ``1/(n+1)`` on all inputs but the last, shape (S,)."""
    require_size("S", S, 2)
    if n < S - 1:
        raise InputError(f"the law of rare inputs needs n >= S - 1 = {S - 1}, got n={n}")
    rho = np.full(S, 1 / (n + 1))
    rho[-1] = 1 - (S - 1) / (n + 1)
    return rho


def on_off_constant(A: int, labels_on: int, c: float) -> float:
    """Limit of ``n/(S(A-1))`` times the Bayes risk of partial soft labels on the on/off prior.

    ``labels_on`` of the first ``A - 1`` labels have mass ``c S/n``. Ours, not the paper's.
    """
    off = A - 1 - labels_on
    unseen = np.arange(labels_on + 1)
    log_choose = np.array(
        [
            math.lgamma(labels_on + 1) - math.lgamma(u + 1) - math.lgamma(labels_on - u + 1)
            for u in unseen
        ]
    )
    log_seen = math.log1p(-math.exp(-c))
    weight = np.exp(log_choose - c * unseen + (labels_on - unseen) * log_seen)
    share = unseen * off / np.maximum(unseen + off, 1)
    return float(c * (weight @ share) / (A - 1))


@lru_cache(maxsize=64)
def on_off_worst_case(A: int) -> tuple[int, float]:
    """Number of living labels and scaled mass that maximise `on_off_constant`.

    Returns
    -------
    labels_on : int
    c : float
        Near ``0.677 (A - 1)`` and ``1.478`` for many labels; ``1`` and ``1`` for three.
    """
    require_size("A", A, 3)
    from scipy.optimize import minimize_scalar

    def best_c(h: int) -> tuple[float, float]:
        found = minimize_scalar(
            lambda c: -on_off_constant(A, h, c),
            bounds=(0.5, 2.5),
            method="bounded",
            options={"xatol": 1e-10},
        )
        return -float(found.fun), float(found.x)

    guess = round(0.677 * (A - 1))
    candidates = range(max(1, guess - 3), min(A - 2, guess + 3) + 1)
    value, h = max((best_c(h)[0], h) for h in candidates)
    return h, best_c(h)[1]
