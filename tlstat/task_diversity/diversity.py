"""Task diversity of linear heads, and the differences between two representations.

Symbols of Tripuraneni, Jordan and Jin (NeurIPS 2020): tasks ``y = alpha_j'h(x) + noise``, heads
``A = (alpha_1, ..., alpha_t)'`` of shape (..., t, r), ``C = A'A/t``, ``nu = sigma_r(C)``. With
squared loss and re-fitted linear heads, the differences of two representations are functions of
``C`` and of the gap ``Lambda`` (module `gaps`). Functions take numpy arrays or torch tensors;
leading axes are replicates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tlstat.backend import namespace
from tlstat.errors import InputError
from tlstat.task_diversity.checks import (
    matrix,
    non_negative,
    positive,
    require_number,
    same_axis,
    vector,
)
from tlstat.task_diversity.gaps import gap_of_features, gap_of_moments, representation_gap

__all__ = [
    "DiversityCheck",
    "check_diversity",
    "check_gap",
    "diversity",
    "gap_of_features",
    "gap_of_moments",
    "representation_gap",
    "second_moment",
    "target_diversity",
    "task_averaged_difference",
    "task_difference",
    "tilted_representation",
    "worst_case_difference",
]

Array = Any

# singular values below this share of the largest count as zero
_RANK = 1e-12
# a head with a larger share of its norm outside the span of the others is not in it
_OUTSIDE = 1e-8
# what rounding may add to an inequality that can hold with equality, relative
_SLACK = 1e-9


def second_moment(A: Array) -> Array:
    """``C = A'A/t``, the second moment of the heads, shape (..., r, r)."""
    A = matrix(A, "A", "(..., t, r)")
    return namespace(A).matrix_transpose(A) @ A / A.shape[-2]


def diversity(A: Array) -> Array:
    """``nu = sigma_r(A'A/t)``: how well the source tasks cover the worst direction.

    Parameters
    ----------
    A : array, shape (..., t, r)
        Heads of the source tasks, one a row.

    Returns
    -------
    array, shape (...)
        For heads of norm at most 1 at most ``1/r``, the value of perfectly diverse tasks; 0 for
        fewer tasks than dimensions. Divided by ``radius**2`` it is the best ``nu`` for which the
        tasks are ``(nu, 0)``-diverse over all target heads of norm at most ``radius``
        (the paper's choice for linear tasks; that no larger number will do is our remark, see
        `tilted_representation`).
    """
    A = matrix(A, "A", "(..., t, r)")
    xp = namespace(A)
    t, r = A.shape[-2:]
    if t < r:
        return xp.zeros_like(A[..., 0, 0])
    return xp.linalg.svdvals(A)[..., -1] ** 2 / t


def target_diversity(A: Array, alpha_0: Array) -> Array:
    """``nu(alpha_0) = 1 / (alpha_0'C^{-1}alpha_0)``: the best constant for one target task.

    For every representation ``h'`` the target's difference is at most the task-averaged one
    divided by this number, and no larger one will do (derived here by maximising
    ``alpha_0'Lambda alpha_0 / tr(Lambda C)``).

    Parameters
    ----------
    A : array, shape (..., t, r)
    alpha_0 : array, shape (..., r)
        Head of the target.

    Returns
    -------
    array, shape (...)
        0 where ``alpha_0`` is outside the span of the source heads (relative tolerance 1e-8);
        inf for ``alpha_0 = 0``.
    """
    A, alpha_0 = matrix(A, "A", "(..., t, r)"), vector(alpha_0, "alpha_0")
    same_axis(A, "A", alpha_0, "alpha_0", (-1, -1))
    xp = namespace(A)
    _, s, Vt = xp.linalg.svd(A, full_matrices=False)
    along = (Vt @ alpha_0[..., None])[..., 0]
    seen = s > _RANK * s[..., :1]
    along = xp.where(seen, along, 0 * along)
    missed = alpha_0 - (xp.matrix_transpose(Vt) @ along[..., None])[..., 0]
    outside = xp.sum(missed**2, axis=-1) > _OUTSIDE**2 * xp.sum(alpha_0**2, axis=-1)
    ratio = along / xp.where(seen, s, 1 + 0 * s)
    cost = A.shape[-2] * xp.sum(ratio**2, axis=-1)
    found = xp.where(cost > 0, 1 / xp.where(cost > 0, cost, 1 + 0 * cost), float("inf") + 0 * cost)
    return xp.where(outside, 0 * cost, found)


# ------------------------------------------------------------------ differences


def task_difference(Lambda: Array, alpha: Array) -> Array:
    """``alpha'Lambda alpha``: what one task loses on the other representation.

    Parameters
    ----------
    Lambda : array, shape (..., r, r)
    alpha : array, shape (..., r)
        Head of the task.

    Returns
    -------
    array, shape (...)
        Excess squared-error risk of the best linear head; at the target it is the squared bias
        that no number of target samples removes.
    """
    Lambda, alpha = matrix(Lambda, "Lambda", "(..., r, r)"), vector(alpha, "alpha")
    same_axis(Lambda, "Lambda", alpha, "alpha", (-1, -1))
    return namespace(Lambda).sum((Lambda @ alpha[..., None])[..., 0] * alpha, axis=-1)


def task_averaged_difference(Lambda: Array, C: Array) -> Array:
    """``tr(Lambda C)``: the task-averaged representation difference of the source tasks.

    Parameters
    ----------
    Lambda : array, shape (..., r, r)
        As given by `representation_gap`.
    C : array, shape (..., r, r)
        ``A'A/t`` of the source heads (`second_moment`), or the second moment of random heads.

    Returns
    -------
    array, shape (...)
        The excess risk of the source tasks on average, with linear heads re-fitted on the other
        representation.
    """
    Lambda, C = matrix(Lambda, "Lambda", "(..., r, r)"), matrix(C, "C", "(..., r, r)")
    same_axis(Lambda, "Lambda", C, "C", (-1, -2))
    same_axis(Lambda, "Lambda", C, "C", (-2, -1))
    xp = namespace(Lambda)
    return xp.sum(Lambda * xp.matrix_transpose(C), axis=(-2, -1))


def worst_case_difference(Lambda: Array, radius: float = 1.0) -> Array:
    """``radius^2 lambda_max(Lambda)``: the worst-case representation difference.

    Parameters
    ----------
    Lambda : array, shape (..., r, r)
    radius : float
        Largest norm of a target head (``c_2`` in the paper), above 0.

    Returns
    -------
    array, shape (...)
        The largest excess risk over target heads, with the head re-fitted.
    """
    Lambda = matrix(Lambda, "Lambda", "(..., r, r)")
    positive(radius=radius)
    return radius**2 * namespace(Lambda).linalg.eigvalsh(Lambda)[..., -1]


# ------------------------------------------------------------------ the inequality


@dataclass(frozen=True)
class DiversityCheck:
    """``worst_case <= task_averaged / nu + eps`` for one pair of representations (or a stack).

    Attributes
    ----------
    worst_case, task_averaged : array, shape (...)
        The two differences.
    nu, eps : array or float
        As claimed.
    ratio : array, shape (...)
        ``(worst_case - eps) / (task_averaged / nu)``: 1 where the inequality is an equality, nan
        where both differences are 0.
    holds : array of bool, shape (...)
    """

    worst_case: Array
    task_averaged: Array
    nu: Array
    eps: Array

    @property
    def ratio(self) -> Array:
        xp = namespace(self.worst_case)
        left, right = self.worst_case - self.eps, self.task_averaged
        usable = right > 0
        found = self.nu * left / xp.where(usable, right, 1 + 0 * right)
        without = xp.where(left > 0, float("inf") + 0 * left, float("nan") + 0 * left)
        return xp.where(usable, found, without)

    @property
    def holds(self) -> Array:
        # multiplied by nu, so that nu = 0 claims nothing
        left = self.nu * (self.worst_case - self.eps)
        return left <= self.task_averaged * (1 + _SLACK) + 1e-15 * self.nu


def check_diversity(
    B_hat: Array,
    B: Array,
    A: Array,
    *,
    nu: Array | None = None,
    eps: float = 0.0,
    radius: float = 1.0,
    target: Array | None = None,
    covariance: Array | None = None,
) -> DiversityCheck:
    """The inequality of ``(nu, eps)``-diversity, at one alternative representation.

    Parameters
    ----------
    B_hat, B : array, shape (..., d, r') and (..., d, r)
        The alternative and the true representation.
    A : array, shape (..., t, r)
        Source heads.
    nu : array or float, optional
        The claim; by default ``diversity(A) / radius**2``, or ``target_diversity(A, target)``.
    eps : float
    radius : float
        The target heads are all those of norm at most ``radius``, unless there is a ``target``.
    target : array, shape (..., r), optional
        One target head instead of a ball.
    covariance : array, shape (..., d, d), optional
        As in `representation_gap`.

    Returns
    -------
    DiversityCheck
    """
    Lambda = representation_gap(B_hat, B, covariance)
    return check_gap(Lambda, A, nu=nu, eps=eps, radius=radius, target=target)


def check_gap(
    Lambda: Array,
    A: Array,
    *,
    nu: Array | None = None,
    eps: float = 0.0,
    radius: float = 1.0,
    target: Array | None = None,
) -> DiversityCheck:
    """As `check_diversity`, for the gap of any two representations, linear or not.

    Parameters
    ----------
    Lambda : array, shape (..., r, r)
        From `gap_of_features` or `gap_of_moments`, say.
    A, nu, eps, radius, target
        As in `check_diversity`.

    Returns
    -------
    DiversityCheck
    """
    non_negative(eps=eps)
    averaged = task_averaged_difference(Lambda, second_moment(A))
    if target is None:
        claimed = diversity(A) / radius**2 if nu is None else nu
        return DiversityCheck(worst_case_difference(Lambda, radius), averaged, claimed, eps)
    claimed = target_diversity(A, target) if nu is None else nu
    return DiversityCheck(task_difference(Lambda, target), averaged, claimed, eps)


def tilted_representation(B: Array, direction: Array, angle: float) -> Array:
    """``B`` with one of its directions turned out of its span: the representation to fear.

    With the weakest eigenvector of ``C`` the diversity inequality of the ball is an equality; with
    ``C^{-1} alpha_0`` that of the target ``alpha_0`` is (ours; both for isotropic x).

    Parameters
    ----------
    B : array, shape (d, r)
        Orthonormal columns, ``r < d``.
    direction : array, shape (r,)
        The combination of columns that is turned; any norm but 0.
    angle : float
        In radians.

    Returns
    -------
    array, shape (d, r)
        Orthonormal columns; its gap to ``B`` is ``sin(angle)^2 uu'`` with ``u`` the unit direction.

    Raises
    ------
    InputError
        If there is no room outside the span, or the direction is 0.
    """
    B, direction = matrix(B, "B", "(d, r)"), vector(direction, "direction", "(r,)")
    xp = namespace(B)
    d, r = B.shape
    if r >= d:
        raise InputError(f"B has shape {(d, r)}; expected fewer columns than rows")
    same_axis(B, "B", direction, "direction", (-1, -1))
    norm = xp.sqrt(xp.sum(direction**2))
    require_number("direction", float(norm), lambda x: x > 0, "a direction of norm above 0")
    unit = (direction / norm)[:, None]
    # the unit vector that is furthest from the span, made orthogonal to it
    outside = xp.eye(d, dtype=B.dtype, device=B.device) - B @ xp.matrix_transpose(B)
    away = outside[:, int(xp.argmax(xp.linalg.diagonal(outside)))][:, None]
    away = away / xp.sqrt(xp.sum(away**2))
    turn = xp.asarray(angle, dtype=B.dtype, device=B.device)
    moved = xp.cos(turn) * (B @ unit) + xp.sin(turn) * away
    return B + (moved - B @ unit) @ xp.matrix_transpose(unit)
