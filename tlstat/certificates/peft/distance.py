"""Whether two samples of vectors come from one law: energy distance and its permutation test."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist

from tlstat.certificates.peft.inputs import whole
from tlstat.errors import InputError


class EnergyTest(NamedTuple):
    """The energy distance of two samples and the p-value of the hypothesis of one law."""

    distance: float
    p_value: float


def energy_distance(x: ArrayLike, y: ArrayLike) -> float:
    """``2 E|X - Y| - E|X - X'| - E|Y - Y'|`` without bias (it may be negative).

    Szekely and Rizzo (2004). Zero in the mean if and only if the laws are the same.
    """
    x, y = _samples(x, y)
    n, m = len(x), len(y)
    within = cdist(x, x).sum() / (n * (n - 1)) + cdist(y, y).sum() / (m * (m - 1))
    return float(2 * cdist(x, y).mean() - within)


def energy_test(x: ArrayLike, y: ArrayLike, permutations: int = 199, seed: int = 0) -> EnergyTest:
    """Permutation test of equal laws; exact at every size.

    Parameters
    ----------
    x, y : array_like, shapes (n, d) and (m, d)
    permutations, seed : int
    """
    x, y = _samples(x, y)
    whole(permutations, "permutations")
    n, m = len(x), len(y)
    D, rng = cdist(np.vstack([x, y]), np.vstack([x, y])), np.random.default_rng(seed)
    signs = np.tile(np.repeat([1.0, 0.0], [n, m])[:, None], permutations + 1)
    signs[:, 1:] = rng.permuted(signs[:, 1:], axis=0)
    # sums of distances within the first part, between the parts, within the second part
    first = np.einsum("ip,ip->p", signs, D @ signs)
    row = D.sum(1) @ signs
    between, second = row - first, D.sum() - 2 * row + first
    value = 2 * between / (n * m) - first / (n * (n - 1)) - second / (m * (m - 1))
    as_large = np.sum(value[1:] >= value[0] - 1e-12 * abs(value[0]))
    return EnergyTest(float(value[0]), float((1 + as_large) / (permutations + 1)))


def _samples(x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    a, b = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise InputError(f"x and y have shapes {a.shape} and {b.shape}; expected (n, d) and (m, d)")
    return a, b
