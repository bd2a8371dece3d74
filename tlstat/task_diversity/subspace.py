"""Angles between subspaces, given by matrices with orthonormal columns.

``Theta`` are the principal angles between the spans of ``B_hat`` (d, k) and ``B`` (d, r). Their
sines are the singular values of ``(I - B_hat B_hat') B``: no cancellation, so an angle of 1e-12
keeps its digits, which ``1 - cos^2`` would lose. With ``k != r`` they are the sines of the
directions of ``B`` alone.

The codes of the papers plot different things: ``|sin Theta|_2`` (arXiv:2002.11684), its square
(arXiv:2102.07078), or ``|sin Theta|_F^2``, here `squared_distance`.
"""

from __future__ import annotations

from typing import Any

from tlstat.backend import namespace
from tlstat.errors import InputError

__all__ = [
    "largest_sine",
    "orthonormalise",
    "squared_distance",
    "squared_sines",
    "top_subspace",
]

Array = Any


def _residual(B_hat: Array, B: Array) -> Array:
    """``(I - B_hat B_hat') B``, projected twice: once leaves rounding along ``B_hat``."""
    if B_hat.ndim < 2 or B.ndim < 2 or B_hat.shape[-2] != B.shape[-2]:
        raise InputError(
            f"B_hat has shape {tuple(B_hat.shape)} and B {tuple(B.shape)}; "
            "expected (..., d, k) and (..., d, r)"
        )
    rest = B - B_hat @ (B_hat.mT @ B)
    return rest - B_hat @ (B_hat.mT @ rest)


def squared_sines(B_hat: Array, B: Array) -> Array:
    """Squared sines of the principal angles, largest first.

    Parameters
    ----------
    B_hat : array, shape (..., d, k)
        Orthonormal columns (not checked).
    B : array, shape (..., d, r)
        Orthonormal columns; leading axes broadcast.

    Returns
    -------
    array, shape (..., r)

    Raises
    ------
    InputError
        For shapes that do not fit.
    """
    xp = namespace(B)
    return xp.clip(xp.linalg.svdvals(_residual(B_hat, B)) ** 2, 0.0, 1.0)


def largest_sine(B_hat: Array, B: Array) -> Array:
    """``|sin Theta|_2``, shape (...): the sine of the largest principal angle."""
    return squared_sines(B_hat, B)[..., 0] ** 0.5


def squared_distance(B_hat: Array, B: Array) -> Array:
    """``|sin Theta|_F^2``, shape (...); half of ``|P_hat - P|_F^2`` where k = r."""
    return (_residual(B_hat, B) ** 2).sum((-2, -1))


def orthonormalise(U: Array) -> Array:
    """An orthonormal basis of the columns of ``U`` (..., d, r), by QR."""
    return namespace(U).linalg.qr(U)[0]


def top_subspace(M: Array, r: int) -> Array:
    """Eigenvectors of the ``r`` largest eigenvalues of a symmetric ``M``, shape (..., d, r).

    Raises
    ------
    InputError
        If ``M`` is not square or ``r`` not in [1, d].
    """
    d = M.shape[-1]
    if M.ndim < 2 or M.shape[-2] != d:
        raise InputError(f"M has shape {tuple(M.shape)}; expected (..., d, d)")
    check_rank(r, d)
    vectors = namespace(M).linalg.eigh(M)[1]
    # eigenvalues ascend; the largest comes first here
    return namespace(M).flip(vectors[..., -r:], axis=-1)


def check_rank(r: int, d: int) -> None:
    """Raise unless ``r`` is an integer in [1, d]."""
    if isinstance(r, bool) or not float(r).is_integer() or not 1 <= r <= d:
        raise InputError(f"r is {r!r}; expected a rank from 1 to d = {d}")
