"""Factors of kernel matrices, also of singular and ill-conditioned ones.

Without jitter a pivoted Cholesky decomposition keeps the points that determine the others up to
rounding; the process is conditioned on those exactly, and what it then says at the others must
agree with their labels. Nothing is added in silence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import eigvalsh, solve_triangular
from scipy.linalg.lapack import dpstrf

from tlstat.errors import InputError

# beyond this size the spectrum costs more than the answer
SPECTRUM_MAX = 3000
CONFLICT = 1e-2


@dataclass(frozen=True)
class Factor:
    """Cholesky factor of the rows that were kept.

    Parameters
    ----------
    lower : ndarray, shape (r, r)
    kept : ndarray of int, shape (r,)
        Training points, in the order of the pivots.
    condition_number : float
        Largest over smallest eigenvalue of the matrix before anything was added; ``inf`` where
        the smallest one is not positive.
    smallest : float
        Smallest eigenvalue of the matrix before anything was added.
    jitter : float
        What was added to the diagonal.
    residual : float
        Root mean square of what the posterior mean leaves of the training labels, relative to
        theirs.
    """

    lower: np.ndarray
    kept: np.ndarray
    condition_number: float
    smallest: float
    jitter: float
    residual: float

    def describe(self) -> dict[str, Any]:
        """The diagnostics."""
        return {
            "condition_number": self.condition_number,
            "smallest_eigenvalue": self.smallest,
            "jitter": self.jitter,
            "rank": len(self.kept),
            "train_residual": self.residual,
        }


def factorise(K: np.ndarray, Y: np.ndarray, noise: float, jitter: Any) -> Factor:
    """Factor ``K + noise I``, with the jitter asked for.

    Parameters
    ----------
    K : ndarray, shape (n, n)
    Y : ndarray, shape (n, C)
    noise : float
        Variance of the training labels' noise.
    jitter : float or "auto"
        Added to the diagonal, relative to its mean; "auto" adds none and leaves out points that
        others determine.

    Raises
    ------
    InputError
        If K is indefinite, or so nearly singular that no function fits the labels; it says the
        condition number.
    """
    K = (K + K.T) / 2
    if not np.isfinite(K).all():
        raise InputError("kernel gave NaN or infinite values; expected finite ones")
    mean = float(np.mean(np.diag(K)))
    if not mean > 0:
        raise InputError(f"kernel has mean diagonal {mean:g}; expected a positive one")
    smallest, largest = _extremes(K)
    condition = largest / smallest if smallest > 0 else math.inf
    added = 0.0 if jitter == "auto" else float(jitter) * mean
    n = len(K)
    tolerance = n * np.finfo(float).eps * max(largest, mean)
    if smallest < -10 * tolerance and smallest + noise + added <= 10 * tolerance:
        raise InputError(
            f"kernel is indefinite: its matrix of {n} training points has the eigenvalue "
            f"{smallest:.3g} beside {largest:.3g}; expected a positive semi-definite one, or "
            f"jitter above {-smallest / mean:.3g} (relative to its mean diagonal)"
        )
    A = K
    A[np.diag_indices(n)] += noise + added
    lower, kept = _pivoted(A)
    residual = _residual(A, lower, kept, Y, noise + added)
    if len(kept) < n and jitter != "auto":
        raise InputError(
            f"jitter {jitter:g} leaves a singular matrix: rank {len(kept)} of {n}, condition "
            f"number {condition:.3g} before it was added; expected a larger one, or 'auto'"
        )
    if jitter == "auto" and noise == 0 and residual > CONFLICT:
        raise InputError(
            f"no hypothesis fits the training labels: the kernel matrix has numerical rank "
            f"{len(kept)} of {n} (condition number {condition:.3g}), and the labels of the other "
            f"points miss what those determine by {residual:.2g} of their size; give noise above "
            "0, or jitter (a modelling decision)"
        )
    return Factor(lower, kept, condition, smallest, added, residual)


def _pivoted(A: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    tolerance = len(A) * np.finfo(float).eps * float(np.max(np.diag(A)))
    c, pivots, rank, info = dpstrf(A, tol=tolerance, lower=1)
    if info < 0:
        raise RuntimeError(f"dpstrf refused argument {-info}")
    return np.tril(c[:rank, :rank]), pivots[:rank] - 1


def _residual(
    A: np.ndarray, lower: np.ndarray, kept: np.ndarray, Y: np.ndarray, ridge: float
) -> float:
    size = math.sqrt(float(np.mean(Y**2)))
    if size == 0 or len(kept) == 0:
        return 0.0
    V = solve_triangular(lower, A[kept], lower=True, check_finite=False)
    white = solve_triangular(lower, Y[kept], lower=True, check_finite=False)
    fitted = V.T @ white
    if ridge:
        # A holds the ridge, which is no part of the fitted function
        alpha = solve_triangular(lower, white, lower=True, trans="T", check_finite=False)
        fitted[kept] -= ridge * alpha
    return math.sqrt(float(np.mean((fitted - Y) ** 2))) / size


def _extremes(K: np.ndarray) -> tuple[float, float]:
    n = len(K)
    if n <= SPECTRUM_MAX:
        values = eigvalsh(K, check_finite=False)
        return float(values[0]), float(values[-1])
    from scipy.sparse.linalg import eigsh

    start = np.ones(n)
    largest = float(eigsh(K, k=1, which="LA", v0=start, return_eigenvectors=False)[0])
    # the smallest by the largest of the reflected matrix, to rounding of the largest
    reflected = largest * np.eye(n) - K
    other = float(eigsh(reflected, k=1, which="LA", v0=start, return_eigenvectors=False)[0])
    return largest - other, largest
