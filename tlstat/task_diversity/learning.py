"""From prepared tasks to a representation, by any of the methods, and the choice of its rank."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from tlstat.errors import InputError
from tlstat.task_diversity.batch.alternating import alternating_minimisation
from tlstat.task_diversity.batch.nuclear import lambda_max, nuclear_norm
from tlstat.task_diversity.data import TaskWarning
from tlstat.task_diversity.estimators.spectral import method_of_moments, u_statistic
from tlstat.task_diversity.few_shot import leave_one_out
from tlstat.task_diversity.tasks import Prepared

__all__ = ["METHODS", "Learned", "RankChoice", "choose_rank", "fit_heads", "learn"]

METHODS = ("alternating", "u-statistic", "moments", "nuclear")
_ROUGH = 1e-3
_PATIENCE = 3  # ranks in a row without improvement that end the search


@dataclass(frozen=True, eq=False)
class Learned:
    """Orthonormal columns ``B`` (d, r), iterations made, and whether these were enough."""

    B: np.ndarray
    n_iter: int = 1
    converged: bool = True


def learn(
    tasks: Prepared, r: int, method: str, *, lam: float | None, max_iter: int, tol: float
) -> Learned:
    """The representation of rank r, in the coordinates of ``X``.

    Raises
    ------
    InputError
        For fewer tasks than r, a rank above that of the covariates, or too few samples.
    """
    rank = tasks.basis.shape[1]
    if r > rank:
        raise InputError(
            f"n_components is {r}, and the covariates vary in {rank} directions; expected at most "
            "as many components"
        )
    if len(tasks.y) < r:
        raise InputError(
            f"n_components is {r} with {len(tasks.y)} tasks; expected at least as many tasks as "
            "components, or fewer components"
        )
    if method == "alternating":
        found = _alternating(tasks, r, max_iter, tol)
    elif method == "nuclear":
        found = _nuclear(tasks, r, lam, max_iter, tol)
    elif method == "moments":
        found = Learned(method_of_moments(tasks.in_basis, tasks.y, r))
    else:
        found = Learned(_pairs(tasks, r))
    B = np.linalg.qr(tasks.basis @ found.B)[0]
    return Learned(B, found.n_iter, found.converged)


def _pairs(tasks: Prepared, r: int) -> np.ndarray:
    if np.max([len(out) for out in tasks.y]) < 2:
        raise InputError(
            "every task has one sample, and method='u-statistic' needs pairs; "
            "expected method='moments'"
        )
    return u_statistic(tasks.in_basis, tasks.y, r)


def _alternating(tasks: Prepared, r: int, max_iter: int, tol: float) -> Learned:
    informative = np.flatnonzero(tasks.n > r)
    if len(informative) < r:
        taken = " beyond the intercept" if tasks.intercepts else ""
        raise InputError(
            f"{len(informative)} tasks have more than n_components = {r} samples{taken}; expected "
            f"at least {r}: a task with fewer is fitted exactly by any representation, and least "
            "squares does not identify it; method='moments' and method='u-statistic' do"
        )
    if len(informative) < len(tasks.y):
        warnings.warn(
            f"{len(tasks.y) - len(informative)} of {len(tasks.y)} tasks have too few samples to "
            "inform least squares about the representation: the others decide",
            TaskWarning,
            stacklevel=4,
        )
    tasks = tasks.take(informative)
    S, q, _ = _moments(tasks)
    start = u_statistic(tasks.in_basis, tasks.y, r)[None]
    fit = alternating_minimisation(S, q, start, n_iter=max_iter, tol=tol)
    return Learned(fit.B[0], fit.n_iter, bool(fit.converged[0]))


def _nuclear(tasks: Prepared, r: int, lam: float | None, max_iter: int, tol: float) -> Learned:
    S, q, y2 = _moments(tasks)
    most = float(lambda_max(q)[0])
    if most == 0:
        return Learned(np.eye(q.shape[-1])[:, :r])
    level = penalty(tasks, r) if lam is None else lam
    if level >= most:
        raise InputError(
            f"lam is {level:.3g}, at which all coefficients are 0; expected less than {most:.3g}"
        )
    fit = nuclear_norm(S, q, level, y2, n_iter=max_iter, tol=tol)
    if int(fit.rank[0]) < r:
        warnings.warn(
            f"at lam = {level:.3g} the coefficients have rank {int(fit.rank[0])}, below "
            f"n_components = {r}: the other components are arbitrary; lower lam",
            TaskWarning,
            stacklevel=4,
        )
    return Learned(fit.basis(r)[0], fit.n_iter, bool(fit.converged[0]))


def penalty(tasks: Prepared, r: int) -> float:
    """A level for the nuclear norm: a third of ``2 sigma (sqrt d + sqrt t)/(sqrt n t)``.

    The whole is the textbook's, a bound on the noise in the gradient (for columns of variance 1),
    which shrinks too much where only the span matters. The noise is that of a pilot fit.
    """
    B = np.linalg.qr(tasks.basis @ u_statistic(tasks.in_basis, tasks.y, r))[0]
    residuals = [
        out - rows @ (B @ head)
        for rows, out, head in zip(tasks.X, tasks.y, fit_heads(tasks, B), strict=True)
    ]
    t, d, n = len(tasks.y), B.shape[0], np.mean([len(out) for out in tasks.y])
    free = max(float(np.sum(tasks.n - np.minimum(tasks.n, r))), 1.0)
    sigma = np.sqrt(sum(float(e @ e) for e in residuals) / free)
    scale = np.sqrt(sum(float(np.sum(rows**2)) for rows in tasks.X) / (t * n * d))
    level = float(2 / 3 * sigma * scale * (np.sqrt(d) + np.sqrt(t)) / (np.sqrt(n) * t))
    most = float(lambda_max(_moments(tasks)[1])[0])
    return min(max(level, 1e-6 * most), 0.5 * most)


def _moments(tasks: Prepared) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``S`` (1, t, k, k), ``q`` (1, t, k) and ``y2`` (1, t), all over the mean sample size."""
    n = np.mean([len(out) for out in tasks.y])
    rows = tasks.in_basis
    S = np.stack([Z.T @ Z for Z in rows]) / n
    q = np.stack([Z.T @ out for Z, out in zip(rows, tasks.y, strict=True)]) / n
    y2 = np.array([out @ out for out in tasks.y]) / n
    # a head may see a direction in which its own task does not vary: of the size of rounding
    k = S.shape[-1]
    floor = 1e-12 * np.trace(np.mean(S, axis=0)) / k
    return (S + floor * np.eye(k))[None], q[None], y2[None]


def fit_heads(tasks: Prepared, B: np.ndarray) -> np.ndarray:
    """Least squares (of minimum norm) of every task on ``X B``, shape (t, r)."""
    return np.stack(
        [
            np.linalg.lstsq(rows @ B, out, rcond=None)[0]
            for rows, out in zip(tasks.X, tasks.y, strict=True)
        ]
    )


# ------------------------------------------------------------------ the rank


@dataclass(frozen=True, eq=False)
class RankChoice:
    """Cross-validation over tasks.

    Attributes
    ----------
    rank : int
        The smallest of the ranks with the least error.
    ranks : array of int, shape (k,)
        Those tried.
    errors : array, shape (k,)
        Mean over tasks of the leave-one-out error of the task's head, on a representation learned
        from other tasks, over the variance of the task's response.
    standard_errors : array, shape (k,)
        Over tasks.
    """

    rank: int
    ranks: np.ndarray
    errors: np.ndarray
    standard_errors: np.ndarray


def choose_rank(
    tasks: Prepared,
    method: str,
    *,
    folds: int = 5,
    most: int | None = None,
    lam: float | None,
    max_iter: int,
    tol: float,
) -> RankChoice:
    """The rank that predicts best on tasks that did not teach the representation.

    A fold of tasks is held out; of each of these a head is fitted and judged by leave-one-out,
    which has a closed form. That is the use that a representation is made for, and unlike an
    eigenvalue gap it needs no threshold. The search goes up and ends after three ranks without
    improvement.

    Raises
    ------
    InputError
        If no task is large enough to judge a head.
    """
    t = len(tasks.y)
    spread = np.array([np.mean(out**2) for out in tasks.y])
    judged = np.flatnonzero((tasks.n >= 3) & (spread > 0))
    if t == 1:
        return RankChoice(1, np.array([1]), np.array([np.nan]), np.array([np.nan]))
    if len(judged) == 0:
        raise InputError(
            "n_components is 'auto', and no task has the 3 samples that judging a head takes; "
            "expected larger tasks, or a number of components"
        )
    folds = min(folds, t)
    held = [np.arange(t)[k::folds] for k in range(folds)]
    left = t - max(len(part) for part in held)
    limit = int(min(left, tasks.basis.shape[1], np.median(tasks.n[judged]) - 2))
    if method == "alternating":  # enough of the others must identify it
        limit = int(min(limit, np.sort(tasks.n)[::-1][min(limit, t) - 1] - 1))
    limit = max(1, limit if most is None else min(limit, most))
    errors: list[float] = []
    spreads: list[float] = []
    for r in range(1, limit + 1):
        scores = []
        for part in held:
            others = tasks.take(np.setdiff1d(np.arange(t), part))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", TaskWarning)
                # errors change by far less than the representation does
                rough = max(tol, _ROUGH)
                B = learn(others, r, method, lam=lam, max_iter=max_iter, tol=rough).B
            for j in np.intersect1d(part, judged):
                if tasks.n[j] > r:
                    press = leave_one_out(tasks.X[j] @ B, tasks.y[j], centred=tasks.intercepts)
                    scores.append(press / spread[j])
        errors.append(float(np.mean(scores)))
        spreads.append(float(np.std(scores) / np.sqrt(len(scores))))
        if r - int(np.argmin(errors)) > _PATIENCE:
            break
    ranks = np.arange(1, len(errors) + 1)
    return RankChoice(int(np.argmin(errors)) + 1, ranks, np.array(errors), np.array(spreads))
