"""Gauss rules for discrete laws: averages of smooth functions at any sample size.

A rule with ``points`` nodes is exact for polynomials of degree ``2 points - 1``, and for every
function where the law has no more atoms than that. Nodes are eigenvalues of the Jacobi matrix of
the law's orthogonal polynomials (Golub and Welsch, 1969), which are classical here: Krawtchouk's
for the binomial law and Hahn's for the beta-binomial one (Koekoek, Lesky and Swarttouw, 2010).
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh_tridiagonal


def gauss_binomial(n: float, p: float, points: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights for averages over Bin(n, p), ``0 < p < 1``.

    Parameters
    ----------
    n : float
        Number of trials.
    p : float
        Probability of success.
    points : int
        Number of nodes, at most ``n + 1``.

    Returns
    -------
    nodes, weights : ndarray, shape (points,)
        Nodes lie in ``[0, n]`` and need not be integers; weights sum to one.
    """
    k = np.arange(points)
    diagonal = p * (n - k) + k * (1 - p)
    squared = k[1:] * p * (1 - p) * (n - k[1:] + 1)
    return _golub_welsch(diagonal, squared)


def gauss_beta_binomial(n: float, a: float, b: float, points: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights for averages over the beta-binomial law; see `gauss_binomial`.

    Parameters
    ----------
    n : float
        Number of trials.
    a, b : float
        Parameters of the beta law of the probability, above 0.
    points : int
        Number of nodes, at most ``n + 1``.
    """
    k = np.arange(1, points)
    total = 2 * k + a + b
    up = (k + a + b - 1) * (k + a) * (n - k) / ((total - 1) * total)
    up = np.concatenate([[a * n / (a + b)], up])  # at 0 the factor a + b - 1 cancels
    down = k * (k + a + b + n - 1) * (k + b - 1) / ((total - 2) * (total - 1))
    diagonal = up + np.concatenate([[0.0], down])
    return _golub_welsch(diagonal, up[:-1] * down)


def _golub_welsch(diagonal: np.ndarray, squared: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    nodes, vectors = eigh_tridiagonal(diagonal, np.sqrt(squared))
    return nodes, vectors[0] ** 2
