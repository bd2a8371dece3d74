"""The gap of two representations: the Schur complement that all their differences come from.

With squared loss and re-fitted linear heads, learning a task with head ``alpha`` on another
representation ``h'`` instead of ``h`` costs exactly ``alpha'Lambda alpha``, where ::

    Lambda  =  E[h h^T] - E[h h'^T] (E[h' h'^T])^+ E[h' h^T]

(Tripuraneni, Jordan and Jin, NeurIPS 2020, proof of the diversity of linear tasks). For linear
representations ``h = B'x`` and isotropic ``x`` the eigenvalues are the squared sines of the angles
between the column spaces. Functions take numpy arrays or torch tensors; leading axes are
replicates.
"""

from __future__ import annotations

from typing import Any

from tlstat.backend import namespace
from tlstat.errors import InputError
from tlstat.task_diversity.checks import matrix, same_axis, symmetric, vector

__all__ = ["gap_of_features", "gap_of_moments", "representation_gap"]

Array = Any

# singular values below this share of the largest count as zero
_RANK = 1e-12


def representation_gap(B_hat: Array, B: Array, covariance: Array | None = None) -> Array:
    """``Lambda`` of two linear representations ``B_hat'x`` and ``B'x``, shape (..., r, r).

    Parameters
    ----------
    B_hat : array, shape (..., d, r')
        The representation that is judged; any columns, also dependent ones: only their span counts.
    B : array, shape (..., d, r)
        The true one.
    covariance : array, shape (d, d) or (..., d, d), optional
        Second moments ``E xx'`` (positive semidefinite); the identity by default.

    Returns
    -------
    array, shape (..., r, r)
        Positive semidefinite, at most ``E hh'``. It is computed as a Gram matrix of residuals, so
        that small gaps keep their relative accuracy.

    Raises
    ------
    InputError
        If widths differ, or ``covariance`` is not symmetric and positive semidefinite.
    """
    B_hat, B = matrix(B_hat, "B_hat"), matrix(B, "B")
    same_axis(B_hat, "B_hat", B, "B", (-2, -2))
    if covariance is not None:
        root = _root(covariance, B.shape[-2])
        B_hat, B = root @ B_hat, root @ B
    return _gram_of_residuals(B_hat, B)


def gap_of_moments(second: Array, cross: Array, second_hat: Array) -> Array:
    """``Lambda`` from moments of any two representations, linear or not.

    Parameters
    ----------
    second : array, shape (..., r, r)
        ``E[h h^T]`` of the true representation.
    cross : array, shape (..., r, r')
        ``E[h h'^T]``.
    second_hat : array, shape (..., r', r')
        ``E[h' h'^T]``; may be singular.

    Returns
    -------
    array, shape (..., r, r)
        The Schur complement. Differences of nearly equal moments cancel: where features are at
        hand, `gap_of_features` is more accurate.

    Raises
    ------
    InputError
        For shapes that do not fit, or moments that no pair of representations can have.
    """
    cross = matrix(cross, "cross", "(..., r, r')")
    second = symmetric(second, "second", cross.shape[-2])
    second_hat = symmetric(second_hat, "second_hat", cross.shape[-1])
    xp = namespace(second)
    inverse = xp.linalg.pinv(second_hat, rtol=_RANK)
    gap = second - cross @ inverse @ xp.matrix_transpose(cross)
    gap = (gap + xp.matrix_transpose(gap)) / 2
    lowest = float(xp.min(xp.linalg.eigvalsh(gap)))
    if lowest < -1e-8 * float(xp.max(xp.abs(second))):
        raise InputError(
            f"the Schur complement of the moments has the eigenvalue {lowest:.3g}; expected "
            "moments of one joint law (second, cross and second_hat)"
        )
    return gap


def gap_of_features(H_hat: Array, H: Array, weights: Array | None = None) -> Array:
    """``Lambda`` of any two representations under a finite law, from their values.

    Parameters
    ----------
    H_hat, H : array, shape (..., N, r') and (..., N, r)
        Values ``h'(x_i)`` and ``h(x_i)`` at the same points.
    weights : array, shape (..., N), optional
        Probabilities of the points (any positive scale); equal by default.

    Returns
    -------
    array, shape (..., r, r)
        Exact for a law on these points; for a sample it is the empirical gap.
    """
    H_hat, H = matrix(H_hat, "H_hat", "(..., N, r')"), matrix(H, "H", "(..., N, r)")
    same_axis(H_hat, "H_hat", H, "H", (-2, -2))
    xp = namespace(H)
    if weights is None:
        scale = H.shape[-2] ** -0.5
        return _gram_of_residuals(scale * H_hat, scale * H)
    weights = vector(weights, "weights", "(..., N)")
    same_axis(weights, "weights", H, "H", (-1, -2))
    total = xp.sum(weights, axis=-1, keepdims=True)
    if not bool(xp.all(weights >= 0)) or not bool(xp.all(total > 0)):
        raise InputError("weights must be 0 or above, and not all 0")
    root = xp.sqrt(weights / total)[..., None]
    return _gram_of_residuals(root * H_hat, root * H)


def _root(covariance: Array, d: int) -> Array:
    """``K`` with ``K'K`` the covariance."""
    covariance = symmetric(covariance, "covariance", d)
    xp = namespace(covariance)
    values, vectors = xp.linalg.eigh(covariance)
    if float(xp.min(values)) < -1e-8 * float(xp.max(xp.abs(values))):
        raise InputError(
            f"covariance has the eigenvalue {float(xp.min(values)):.3g}; expected a positive "
            "semidefinite matrix"
        )
    root = xp.sqrt(xp.where(values > 0, values, 0 * values))
    return root[..., :, None] * xp.matrix_transpose(vectors)


def _gram_of_residuals(M_hat: Array, M: Array) -> Array:
    """``M'(I - P)M`` with P the projection on the columns of ``M_hat``."""
    xp = namespace(M)
    U, s, _ = xp.linalg.svd(M_hat, full_matrices=False)
    U = U * xp.astype(s > _RANK * s[..., :1], U.dtype)[..., None, :]
    residual = M - U @ (xp.matrix_transpose(U) @ M)
    return xp.matrix_transpose(residual) @ residual
