"""Diversity by convexity: a target in (or near) the convex hull of the source tasks.

If ``f_0 = sum_j w_j f_j`` with weights of the simplex, the class of heads is convex, and the loss
is a convex function of the residual with the same additive noise in every task, then Jensen's
inequality gives for the representation differences ::

    d(f_0)  <=  sum_j w_j d(f_j)  <=  (t max_j w_j) d_averaged,

so that the tasks are ``(nu, eps)``-diverse over ``f_0`` with ``nu = 1/(t max w)`` and ``eps = 0``;
a target at sup-distance ``eps`` from the hull costs ``L eps`` more under an L-Lipschitz loss. The
argument is that of Tripuraneni, Jordan and Jin (NeurIPS 2020) for index models; finding the best
weights by a linear program is ours.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.task_diversity.checks import matrix, non_negative, positive, vector

__all__ = ["HullDistance", "HullDiversity", "distance_to_hull", "hull_diversity"]

Array = Any

NORMS = ("sup", "l2")
# how far above the smallest distance the weights may stay, relative to the tasks' scale
_SLACK = 1e-9


@dataclass(frozen=True, eq=False)
class HullDiversity:
    """``(nu, eps)``-diversity of tasks over one target, with the weights that prove it.

    Attributes
    ----------
    nu : float
        ``1/(t max weights)``: at least ``1/t`` and at most 1.
    eps : float
        Lipschitz constant times the distance of ``sum_j weights_j f_j`` to the target.
    weights : array, shape (t,)
        0 or above, sum 1.
    distance : float
        Of the weighted tasks to the target, in the norm that was asked for.
    nu_limit : float
        No weights within that distance give a larger ``nu``: from the dual of the program.
    """

    nu: float
    eps: float
    weights: np.ndarray
    distance: float
    nu_limit: float

    @property
    def gap(self) -> float:
        """How much larger than ``nu`` the best could be, relative."""
        return self.nu_limit / self.nu - 1


@dataclass(frozen=True, eq=False)
class HullDistance:
    """Distance of a target to the convex hull of tasks, bracketed.

    ``upper`` is attained by ``weights`` (shape (t,), of the simplex), ``lower`` is the distance of
    the separating hyperplane with normal ``normal`` (shape (k,)).
    """

    upper: float
    lower: float
    weights: np.ndarray
    normal: np.ndarray


def distance_to_hull(F: Array, f_0: Array, norm: str = "sup") -> HullDistance:
    """Distance of a target to the convex hull of tasks.

    Parameters
    ----------
    F : array, shape (t, k)
        The tasks: values of ``f_j`` at k points (or their coefficients, where the norm is meant
        for those).
    f_0 : array, shape (k,)
        The target, at the same points.
    norm : {"sup", "l2"}
        Largest absolute difference, or root of the sum of squares.

    Returns
    -------
    HullDistance
    """
    F, f_0 = _tasks(F, f_0, norm)
    import cvxpy as cp

    scale = _scale(F, f_0)
    w, apart = cp.Variable(len(F), nonneg=True), cp.Variable(F.shape[1])
    link = apart == f_0 / scale - (F / scale).T @ w
    _solve(cp.Problem(cp.Minimize(_cp_norm(apart, norm)), [cp.sum(w) == 1, link]), norm)
    weights = _simplex(w.value)
    upper = _norm(f_0 - F.T @ weights, norm)
    lower, normal = 0.0, np.zeros(F.shape[1])
    for g in (link.dual_value, -link.dual_value):
        size = _dual_norm(g, norm)
        below = float(np.min((f_0 - F) @ g)) / size if size > 0 else 0.0
        if below > lower:
            lower, normal = below, g / size
    return HullDistance(upper, lower, weights, normal)


def hull_diversity(
    F: Array,
    f_0: Array,
    *,
    distance: float | None = None,
    norm: str = "sup",
    lipschitz: float = 1.0,
) -> HullDiversity:
    """The best ``nu`` that the convex-hull argument gives for a target.

    Parameters
    ----------
    F, f_0, norm
        As in `distance_to_hull`; with "sup" the statement holds for any law of the covariates on
        these points.
    distance : float, optional
        How far the weighted tasks may be from the target: more gives a larger ``nu`` and a larger
        ``eps``. By default the smallest possible.
    lipschitz : float
        L of the loss, above 0: 1 for the absolute loss.

    Returns
    -------
    HullDiversity

    Raises
    ------
    InputError
        If ``distance`` is below the target's distance to the hull.
    """
    F, f_0 = _tasks(F, f_0, norm)
    positive(lipschitz=lipschitz)
    import cvxpy as cp

    nearest, scale = distance_to_hull(F, f_0, norm), _scale(F, f_0)
    allowed = nearest.upper if distance is None else distance
    non_negative(distance=allowed)
    if allowed < nearest.lower - _SLACK * scale:
        raise InputError(
            f"distance is {allowed:.6g}; expected {nearest.lower:.6g} or more, the distance of "
            "the target to the convex hull of the tasks"
        )
    room = max(allowed, nearest.upper) / scale + _SLACK
    w, most, apart = cp.Variable(len(F), nonneg=True), cp.Variable(), cp.Variable(F.shape[1])
    link = apart == f_0 / scale - (F / scale).T @ w
    near = _cp_norm(apart, norm) <= room
    _solve(cp.Problem(cp.Minimize(most), [cp.sum(w) == 1, w <= most, link, near]), norm)
    weights = _simplex(w.value)
    reached = _norm(f_0 - F.T @ weights, norm)
    largest = float(np.max(weights))
    g = np.asarray(link.dual_value)
    room = max(room, reached / scale)
    least = max(_least_weight(sign * g, F / scale, f_0 / scale, room, norm) for sign in (1, -1))
    nu = 1 / (len(F) * largest)
    return HullDiversity(nu, lipschitz * reached, weights, reached, 1 / (len(F) * least))


def _least_weight(g: np.ndarray, F: np.ndarray, f_0: np.ndarray, room: float, norm: str) -> float:
    """No weights of the simplex within ``room`` of the target have a smaller maximum than this.

    The Lagrangian of the distance with multiplier ``g``, minimised over weights capped by s: it
    fills the largest ``g'f_j`` first, and is linear in s between the points 1/k.
    """
    gains = np.sort(F @ g)[::-1]
    k = np.arange(1, len(F) + 1)
    linear = np.min((1 - np.cumsum(gains)) / k)
    return max(float(linear + g @ f_0 - _dual_norm(g, norm) * room), 1 / len(F))


def _tasks(F: Any, f_0: Any, norm: str) -> tuple[np.ndarray, np.ndarray]:
    F = matrix(np.asarray(F, dtype=float), "F", "(t, k)")
    f_0 = vector(np.asarray(f_0, dtype=float), "f_0", "(k,)")
    if F.ndim != 2 or f_0.shape != F.shape[1:]:
        raise InputError(f"F has shape {F.shape} and f_0 {f_0.shape}; expected (t, k) and (k,)")
    if norm not in NORMS:
        raise InputError(f"norm is {norm!r}; expected 'sup' or 'l2'")
    return F, f_0


def _scale(F: np.ndarray, f_0: np.ndarray) -> float:
    return max(float(np.max(np.abs(F))), float(np.max(np.abs(f_0)))) or 1.0


def _cp_norm(x: Any, norm: str) -> Any:
    import cvxpy as cp

    return cp.norm_inf(x) if norm == "sup" else cp.norm2(x)


def _norm(x: np.ndarray, norm: str) -> float:
    return float(np.max(np.abs(x)) if norm == "sup" else np.linalg.norm(x))


def _dual_norm(x: np.ndarray, norm: str) -> float:
    return float(np.sum(np.abs(x)) if norm == "sup" else np.linalg.norm(x))


def _solve(problem: Any, norm: str) -> None:
    import cvxpy as cp

    with warnings.catch_warnings():
        # certificates say how accurate the solution is
        warnings.filterwarnings("ignore", "Solution may be inaccurate", UserWarning)
        problem.solve(solver=cp.HIGHS if norm == "sup" else cp.CLARABEL)
    if problem.status not in ("optimal", "optimal_inaccurate"):
        raise InputError(f"the program of the convex hull ended as {problem.status}")


def _simplex(w: np.ndarray) -> np.ndarray:
    w = np.where(w > 1e-9 * np.max(w), w, 0.0)
    return w / np.sum(w)
