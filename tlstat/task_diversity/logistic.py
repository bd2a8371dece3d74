"""Task diversity under the logistic loss: bracketed by the squared loss, and computed exactly.

The excess log-loss of a wrong linear predictor is a Kullback-Leibler divergence. With the sigmoid
s and predictors in [-M, M] ::

    s'(M) (eta - eta')^2 / 2  <=  KL( s(eta) || s(eta') )  <=  (eta - eta')^2 / 8,

so that logistic tasks are ``(nu, 0)``-diverse with ``nu = 4 s'(M) sigma_r(A'A/t) / radius^2`` as
long as the predictors that count, the true ones and the re-fitted ones, stay in that range. (The
paper, Tripuraneni, Jordan and Jin (NeurIPS 2020), gives the order ``sigma_r``; the constant is
ours.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tlstat.errors import InputError
from tlstat.task_diversity.checks import matrix, non_negative, positive, same_axis, vector
from tlstat.task_diversity.diversity import diversity

__all__ = [
    "LogisticDifference",
    "log_loss_bracket",
    "log_loss_difference",
    "logistic_difference",
    "logistic_diversity",
    "logistic_factor",
]

Array = Any


def logistic_factor(M: ArrayLike) -> Any:
    """``4 s'(M) = 1/cosh(M/2)^2``: what the logistic loss takes from the diversity of linear tasks.

    Parameters
    ----------
    M : array_like
        Largest absolute value of the linear predictors, 0 or above.

    Returns
    -------
    array or float
        In (0, 1]: 1 at ``M = 0``, about ``4 exp(-M)`` for large M.
    """
    non_negative(M=M)
    # without the overflow of cosh
    small = np.exp(-np.asarray(M, dtype=float))
    return (4 * small / (1 + small) ** 2)[()]


def logistic_diversity(A: Array, M: float, radius: float = 1.0) -> Array:
    """``nu = 4 s'(M) sigma_r(A'A/t) / radius^2`` for logistic tasks with predictors in [-M, M].

    Parameters
    ----------
    A : array, shape (..., t, r)
        Heads of the source tasks; a tensor gives a tensor.
    M : float
        Range of the linear predictors, true and re-fitted; `logistic_difference` reports it.
    radius : float
        Largest norm of a target head, above 0.
    """
    positive(radius=radius)
    return float(logistic_factor(M)) * diversity(A) / radius**2


def log_loss_difference(eta: Array, eta_hat: Array) -> Any:
    """``KL( Bernoulli(s(eta)) || Bernoulli(s(eta_hat)) )``: excess log-loss in nats, elementwise.

    Accurate where predictors are nearly equal, finite where they are large.
    """
    from scipy.special import expit

    eta, eta_hat = np.asarray(eta, dtype=float), np.asarray(eta_hat, dtype=float)
    # with step >= 0: the divergence is that of the mirrored pair
    sign = np.where(eta_hat < eta, -1.0, 1.0)
    eta, step = sign * eta, np.abs(eta_hat - eta)
    p = expit(eta)
    near = np.log1p(p * np.expm1(np.minimum(step, 1))) - p * step
    far = np.logaddexp(0, eta + step) - np.logaddexp(0, eta) - p * step
    return np.maximum(np.where(step <= 1, near, far), 0.0)[()]


def log_loss_bracket(eta: Array, eta_hat: Array, M: float | None = None) -> tuple[Any, Any, Any]:
    """The excess log-loss between its quadratic bounds.

    Parameters
    ----------
    eta, eta_hat : array_like
        True and other linear predictors.
    M : float, optional
        Their range; the largest absolute value by default.

    Returns
    -------
    lower, value, upper : array
        ``s'(M)(eta - eta_hat)^2/2``, the divergence, and ``(eta - eta_hat)^2/8``.

    Raises
    ------
    InputError
        If a predictor is outside [-M, M]: the lower bound would not hold.
    """
    eta, eta_hat = np.asarray(eta, dtype=float), np.asarray(eta_hat, dtype=float)
    largest = float(max(np.max(np.abs(eta)), np.max(np.abs(eta_hat))))
    M = largest if M is None else float(M)
    if not largest <= M:
        raise InputError(
            f"a linear predictor of {largest:.6g} is outside [-M, M] with M = {M:.6g}; expected "
            "all of them inside, or a larger M"
        )
    square = (eta - eta_hat) ** 2
    return logistic_factor(M) * square / 8, log_loss_difference(eta, eta_hat), square / 8


@dataclass(frozen=True, eq=False)
class LogisticDifference:
    """Excess log-loss of tasks on another representation, with heads re-fitted.

    Attributes
    ----------
    value : array, shape (t,)
        In nats, at the re-fitted heads.
    lower : array, shape (t,)
        No head has a smaller one: from the dual problem.
    heads : array, shape (t, r')
        Re-fitted on the other representation, without a bound on their norm.
    range : float
        Largest absolute linear predictor, true or re-fitted: the M of `logistic_diversity`.
    """

    value: np.ndarray
    lower: np.ndarray
    heads: np.ndarray
    range: float


def logistic_difference(
    H_hat: Array,
    H: Array,
    heads: Array,
    weights: Array | None = None,
    *,
    max_iter: int = 100,
) -> LogisticDifference:
    """What logistic tasks lose on another representation, exactly, under a finite law of x.

    Parameters
    ----------
    H_hat, H : array_like, shape (N, r') and (N, r)
        Values of the other and of the true representation at the same points.
    heads : array_like, shape (t, r)
        True heads of the tasks.
    weights : array_like, shape (N,), optional
        Probabilities of the points; equal by default.
    max_iter : int
        Newton steps at most.

    Returns
    -------
    LogisticDifference
        The mean of ``value`` over source tasks is their task-averaged difference.
    """
    H_hat, H = matrix(np.asarray(H_hat), "H_hat", "(N, r')"), matrix(np.asarray(H), "H", "(N, r)")
    alpha = matrix(np.asarray(heads), "heads", "(t, r)")
    same_axis(H_hat, "H_hat", H, "H", (0, 0))
    same_axis(alpha, "heads", H, "H", (1, 1))
    w = np.ones(len(H)) if weights is None else vector(np.asarray(weights), "weights", "(N,)")
    same_axis(w, "weights", H, "H", (0, 0))
    if not (np.all(w >= 0) and np.any(w > 0)):
        raise InputError("weights must be 0 or above, and not all 0")
    # an orthonormal basis of the other features: the re-fitted heads in it are unique
    root = np.sqrt(w / np.sum(w))
    U, s, Vt = np.linalg.svd(root[:, None] * H_hat, full_matrices=False)
    keep = s > 1e-12 * s[0]
    points = root > 0
    Z = U[points][:, keep] / root[points, None]
    eta, share = alpha @ H[points].T, root[points] ** 2
    fitted = _newton(Z, eta, share, max_iter)
    eta_hat = fitted @ Z.T
    value = log_loss_difference(eta, eta_hat) @ share
    lower = value - _dual_gap(Z, eta, eta_hat, share)
    back = (fitted / s[keep]) @ Vt[keep]
    largest = float(max(np.max(np.abs(eta)), np.max(np.abs(eta_hat))))
    return LogisticDifference(value, np.maximum(lower, 0.0), back, largest)


def _newton(Z: np.ndarray, eta: np.ndarray, share: np.ndarray, max_iter: int) -> np.ndarray:
    """Heads that minimise the excess log-loss, shape (t, k): Newton's method with halved steps."""
    from scipy.special import expit

    p = expit(eta)
    heads = eta * share @ Z  # least squares: Z is orthonormal under the law
    value = log_loss_difference(eta, heads @ Z.T) @ share
    for _ in range(max_iter):
        q = expit(heads @ Z.T)
        gradient = (q - p) * share @ Z
        if np.max(np.abs(gradient)) < 1e-14:
            break
        curvature = np.einsum("ti,ia,ib->tab", q * (1 - q) * share, Z, Z)
        step = np.linalg.solve(curvature, gradient[..., None])[..., 0]
        size = np.ones(len(heads))
        for _ in range(40):
            trial = heads - size[:, None] * step
            new = log_loss_difference(eta, trial @ Z.T) @ share
            worse = new > value + 1e-15
            if not np.any(worse):
                break
            size = np.where(worse, size / 2, size)
        heads, value = trial, new
    return heads


def _dual_gap(Z: np.ndarray, eta: np.ndarray, eta_hat: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Primal minus dual objective, shape (t,): the fitted means, made feasible."""
    from scipy.special import entr, expit

    p, q = expit(eta), expit(eta_hat)
    # moments of q and p must agree on the features; Z is orthonormal under the law
    feasible = q - ((q - p) * share @ Z) @ Z.T
    inside = np.all((feasible >= 0) & (feasible <= 1), axis=1)
    feasible = np.clip(feasible, 0, 1)
    entropy = (entr(feasible) + entr(1 - feasible)) @ share
    primal = (np.logaddexp(0, eta_hat) - p * eta_hat) @ share
    return np.where(inside, np.maximum(primal - entropy, 0.0), np.inf)
