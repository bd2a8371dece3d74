"""Q-aggregation: the convex combination of fitted models that held-out data ask for."""

from __future__ import annotations

from typing import Any

import numpy as np

from tlstat.errors import InputError

__all__ = ["q_aggregate"]


def q_aggregate(
    fits: Any, y: Any, *, nu: float = 0.5, tol: float = 1e-10, max_iter: int = 100_000
) -> tuple[np.ndarray, float]:
    """Weights of the simplex that minimise the Q-aggregation criterion, with a certificate.

    Minimises ``(1 - nu) |y - F w|^2 + nu sum_l w_l |y - F_l|^2`` over ``w >= 0, sum w = 1``; with
    ``nu = 0`` this is least squares over convex combinations, with ``nu = 1`` the choice of the
    best.

    Parameters
    ----------
    fits : array_like, shape (n, models)
        Predictions ``F_l`` of every model for the held-out rows.
    y : array_like, shape (n,)
    nu : float
        In [0, 1].
    tol : float
        Duality gap to stop at, as a share of the criterion.
    max_iter : int

    Returns
    -------
    w : ndarray, shape (models,)
    gap : float
        The criterion at ``w`` is above its minimum by at most this share of it.

    Raises
    ------
    InputError
        Shapes that do not fit, entries that are not finite, or ``nu`` outside [0, 1].

    Notes
    -----
    Dai, Rigollet and Zhang, "Deviation optimal learning using greedy Q-aggregation", Annals of
    Statistics 2012, with a uniform prior (whose term is then constant). Solved by Frank-Wolfe
    steps with away steps and exact line search, to a gap, instead of a fixed few greedy steps.
    """
    F, y = np.asarray(fits, dtype=float), np.asarray(y, dtype=float)
    if F.ndim != 2 or y.shape != F.shape[:1] or F.size == 0:
        raise InputError(
            f"fits has shape {F.shape} and y {y.shape}; expected (n, models) and (n,), not empty"
        )
    if not (np.all(np.isfinite(F)) and np.all(np.isfinite(y))):
        raise InputError("fits or y has NaN or infinite entries; expected finite numbers")
    if not 0 <= nu <= 1:
        raise InputError(f"nu is {nu!r}; expected a number in [0, 1]")
    # residuals sum up with the weights, since these sum to one: no cancellation against |y|^2
    residuals = y[:, None] - F
    gram = residuals.T @ residuals
    own = np.diag(gram)
    w = np.zeros(F.shape[1])
    w[np.argmin(own)] = 1.0
    relative = np.inf
    for _ in range(max_iter):
        gradient = 2 * (1 - nu) * gram @ w + nu * own
        value = (1 - nu) * w @ gram @ w + nu * own @ w
        best = int(np.argmin(gradient))
        gap = float(gradient @ w - gradient[best])
        relative = max(0.0, gap / value) if value > 0 else 0.0
        if relative <= tol:
            break
        w = _step(w, gram, gradient, best, nu)
    return w, relative


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
