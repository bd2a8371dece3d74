"""Q-aggregation: the convex combination of fitted models that held-out data ask for."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from tlstat.errors import InputError
from tlstat.transfer_lasso.path import check_alpha
from tlstat.transfer_lasso.problem import _check_real
from tlstat.transfer_lasso.solver import check_control

__all__ = ["q_aggregate"]


def q_aggregate(
    fits: Any,
    y: Any,
    *,
    sample_weight: Any = None,
    nu: float = 0.5,
    tol: float = 1e-10,
    max_iter: int = 100_000,
) -> tuple[np.ndarray, float]:
    """Weights of the simplex that minimise the Q-aggregation criterion, with a certificate.

    Minimises ``(1 - nu) |y - F w|^2 + nu sum_l w_l |y - F_l|^2`` over ``w >= 0, sum w = 1``; with
    ``nu = 0`` this is least squares over convex combinations, with ``nu = 1`` the choice of the
    best. With weights of rows the squares are weighted sums.

    Parameters
    ----------
    fits : array_like, shape (n, models)
        Predictions ``F_l`` of every model for the held-out rows.
    y : array_like, shape (n,)
    sample_weight : array_like, shape (n,), optional
        Weights of rows, 0 or above and not all 0; only their proportions matter.
    nu : float
        In [0, 1].
    tol : float
        Duality gap to stop at, as a share of the criterion.
    max_iter : int
        Limit of the steps.

    Returns
    -------
    w : ndarray, shape (models,)
    gap : float
        The criterion at ``w`` is above its minimum by at most this share of it.

    Raises
    ------
    InputError
        Shapes that do not fit, entries that are not finite, or ``nu`` outside [0, 1].

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        The gap is still above ``tol`` after ``max_iter`` steps.

    Notes
    -----
    Dai, Rigollet and Zhang, "Deviation optimal learning using greedy Q-aggregation", Annals of
    Statistics 2012, with a uniform prior (whose term is then constant). Solved by Frank-Wolfe
    steps with away steps and exact line search, to a gap, instead of a fixed few greedy steps.
    """
    nu = check_alpha(nu, "nu")
    check_control(tol, max_iter)
    F, y, share = _checked(fits, y, sample_weight)
    # residuals sum up with the weights, since these sum to one: no cancellation against |y|^2
    residuals = y[:, None] - F
    gram = residuals.T @ (share[:, None] * residuals)
    own = np.diag(gram)
    w = np.zeros(F.shape[1])
    w[np.argmin(own)] = 1.0
    for left in range(max_iter, -1, -1):
        gradient = 2 * (1 - nu) * gram @ w + nu * own
        value = (1 - nu) * w @ gram @ w + nu * own @ w
        best = int(np.argmin(gradient))
        gap = float(gradient @ w - gradient[best])
        relative = max(0.0, gap / value) if value > 0 else 0.0
        if relative <= tol or left == 0:
            break
        w = _step(w, gram, gradient, best, nu)
    if relative > tol:
        warnings.warn(
            f"the relative gap of the aggregation is {relative:.2g} after max_iter={max_iter} "
            f"steps, above tol={tol:.2g}: raise max_iter or tol",
            ConvergenceWarning,
            stacklevel=2,
        )
    return w, relative


def _checked(fits: Any, y: Any, sample_weight: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    F, y = _array(fits, "fits"), _array(y, "y")
    if F.ndim != 2 or y.shape != F.shape[:1] or F.size == 0:
        raise InputError(
            f"fits has shape {F.shape} and y {y.shape}; expected (n, models) and (n,), not empty"
        )
    share = np.ones(len(y)) if sample_weight is None else _array(sample_weight, "sample_weight")
    if share.shape != y.shape or np.any(share < 0) or not np.any(share > 0):
        raise InputError(
            f"sample_weight has shape {share.shape}; expected {y.shape}, numbers of 0 or above, "
            "not all 0"
        )
    return F, y, share


def _array(value: Any, name: str) -> np.ndarray:
    _check_real(value, name)
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"{name} has entries that are not real numbers") from None
    if not np.all(np.isfinite(array)):
        raise InputError(f"{name} has NaN or infinite entries; expected finite numbers")
    return array


def _step(w: np.ndarray, gram: np.ndarray, gradient: np.ndarray, best: int, nu: float) -> Any:
    """Move weight from the worst model in use to the best one, as far as it helps."""
    worst = int(np.argmax(np.where(w > 0, gradient, -np.inf)))
    slope = gradient[worst] - gradient[best]
    bend = 2 * (1 - nu) * (gram[best, best] + gram[worst, worst] - 2 * gram[best, worst])
    length = w[worst] if bend * w[worst] <= slope else slope / bend
    moved = w.copy()
    moved[best] += length
    moved[worst] = 0.0 if length == w[worst] else w[worst] - length
    return moved
