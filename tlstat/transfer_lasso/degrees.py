"""Degrees of freedom of the transfer lasso, and the criteria that rest on them.

For a fixed source ``b0`` and Gaussian noise the fit has ``E #{j: b_j not in {0, b0_j}}`` degrees
of freedom, if the columns counted are linearly independent. Coefficients at zero and at the source
do not move with ``y``; those off both knots move as least squares does. Counting non-zero
coefficients is wrong as soon as one of them equals the source's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_is_fitted, validate_data

from tlstat.errors import InputError
from tlstat.transfer_lasso.estimators import SquaredTransfer
from tlstat.transfer_lasso.problem import (
    check_design,
    check_level,
    check_vector,
    objective,
    prepare,
)

__all__ = ["InformationCriteria", "degrees_of_freedom", "information_criteria"]


@dataclass(frozen=True)
class InformationCriteria:
    """Criteria of one fit; of several fits, take the one with the smallest.

    Attributes
    ----------
    df : float
        Degrees of freedom, the intercept included.
    rss : float
        Residual sum of squares.
    noise_variance : float
        Given, or the residual variance of least squares on all columns.
    cp : float
        Mallows' ``RSS / noise_variance - n + 2 df``: an unbiased estimate of ``|fit - E y|^2``,
        the estimation error of the fitted means, in units of the noise variance (if that is
        known). New responses at the same design have an error that is larger by ``n``.
    aic, bic : float
        ``n log(2 pi noise_variance) + RSS / noise_variance + 2 df``, and with ``log(n) df``.
    """

    df: float
    rss: float
    noise_variance: float
    cp: float
    aic: float
    bic: float


def degrees_of_freedom(
    X: Any,
    coef: Any,
    source_coef: Any = None,
    *,
    ridge: float = 0.0,
    sample_weight: Any = None,
    fit_intercept: bool = False,
) -> float:
    """Divergence of the fit in ``y``: how many directions of the fit are free.

    Parameters
    ----------
    X : array or scipy.sparse matrix, shape (n, p)
    coef : array, shape (p,)
        A minimiser; knots are recognised by exact equality with 0 and the source.
    source_coef : array, shape (p,), optional
        Zero by default.
    ridge : float
        Sum of both elastic-net terms.
    sample_weight : array, shape (n,), optional
    fit_intercept : bool
        Centre the columns, and count one more.

    Returns
    -------
    float
        The rank of the columns off both knots (their number, if they are independent); with
        ``ridge`` the trace ``sum d^2 / (d^2 + ridge)`` over their singular values
        (scale ``X'X/n``).

    Raises
    ------
    InputError
        Shapes that do not fit, numbers that are not finite, or a negative ridge or weight.

    Notes
    -----
    Unbiased only if the source does not depend on ``y``.
    """
    ridge, X = check_level(ridge, "ridge"), check_design(X)
    n, p = X.shape
    checked = prepare(
        X, np.zeros(n), 0.0, 0.0, source_coef=source_coef, sample_weight=sample_weight
    )
    coef = check_vector(coef, "coef", p, "column")
    free = np.flatnonzero((coef != 0) & (coef != checked.b0))
    squares = _squared_singular_values(X[:, free], checked.share, fit_intercept)
    # the relative size below which a singular value is rounding
    size = max(n, len(free)) * np.finfo(float).eps
    tolerance = size if sparse.issparse(X) else size**2
    squares = squares[squares > tolerance * np.max(squares, initial=0.0)]
    return float(np.sum(squares / (squares + ridge))) + bool(fit_intercept)


def _squared_singular_values(X: Any, share: np.ndarray, centre: bool) -> np.ndarray:
    if X.shape[1] == 0:
        return np.zeros(0)
    mean = np.asarray(X.T @ share).ravel() if centre else np.zeros(X.shape[1])
    if sparse.issparse(X):
        columns: Any = X
        gram = (columns.T @ sparse.diags_array(share) @ columns).toarray()
        return np.maximum(np.linalg.eigvalsh(gram - np.outer(mean, mean)), 0)
    return np.linalg.svd(np.sqrt(share)[:, None] * (X - mean), compute_uv=False) ** 2


def information_criteria(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    independent_source: bool | None = None,
    noise_variance: float | None = None,
) -> InformationCriteria:
    """Cp, AIC and BIC of a fitted `TransferLasso` or `AdaptiveTransferLasso`.

    Parameters
    ----------
    estimator : TransferLasso or AdaptiveTransferLasso
        Fitted on ``X`` and ``y`` without sample weights.
    X, y : array_like
        What it was fitted on.
    independent_source : bool
        Whether the source coefficients were learned without these ``y``. Must be said, unless
        the source is zero.
    noise_variance : float, optional
        By default the residual variance of least squares on all columns; needs ``n > p``.

    Returns
    -------
    InformationCriteria

    Raises
    ------
    InputError
        Where the count of degrees of freedom is seen not to be valid: a source that depends on
        ``y`` (as ``independent_source`` says), an estimator that tunes itself (`TransferLassoCV`,
        `TransLasso`), other losses, sample weights; and if the data are not those of the fit or
        the noise variance cannot be had.

    Notes
    -----
    What cannot be seen from a fit is how its ``lam``, ``alpha`` and weights were found. They must
    not have been chosen by these ``y``: the ``best_estimator_`` of a grid search is a plain fit to
    this function, and its criteria are biased. To choose by a criterion, take the smallest of
    the criteria of several fits (and do not read that smallest value as an error).
    """
    if not isinstance(estimator, SquaredTransfer):
        raise InputError(
            f"estimator is a {type(estimator).__name__}, whose degrees of freedom are not a count "
            "of coefficients; expected a TransferLasso or AdaptiveTransferLasso with lam fixed "
            "before y was seen: choose by cross-validation instead"
        )
    check_is_fitted(estimator)
    _check_independent(estimator, independent_source)
    X, y = validate_data(
        estimator, X, y, reset=False, accept_sparse="csc", dtype=np.float64, y_numeric=True
    )
    _check_same_data(estimator, X, y)
    df = degrees_of_freedom(
        X,
        estimator.coef_,
        estimator.source_coef_,
        ridge=estimator.ridge + estimator.source_ridge,
        fit_intercept=estimator.fit_intercept,
    )
    n = len(y)
    residual = y - np.asarray(X @ estimator.coef_).ravel() - estimator.intercept_
    rss = float(residual @ residual)
    variance = _noise_variance(X, y, estimator.fit_intercept, noise_variance)
    ratio = rss / variance
    likelihood = n * float(np.log(2 * np.pi * variance)) + ratio
    return InformationCriteria(
        df, rss, variance, ratio - n + 2 * df, likelihood + 2 * df, likelihood + np.log(n) * df
    )


def _check_independent(estimator: Any, independent: bool | None) -> None:
    if independent is None and not np.any(estimator.source_coef_):
        return
    if independent is None:
        raise InputError(
            "independent_source is not given; say True if the source coefficients were learned "
            "without these y: else the count of degrees of freedom is biased"
        )
    if not independent:
        raise InputError(
            "independent_source is False: the source moves with y, so the count of coefficients "
            "off the knots is no estimate of the degrees of freedom; learn the source on other "
            "rows, or choose by TransferLassoCV with a source learned on other rows"
        )


def _check_same_data(estimator: Any, X: Any, y: np.ndarray) -> None:
    if estimator.weighted_:
        raise InputError(
            "estimator was fitted with sample weights, which may be counts or inverse variances; "
            "expected a fit without them"
        )
    found = objective(
        estimator.coef_,
        X,
        y,
        estimator.lam * estimator.alpha,
        estimator.lam * (1 - estimator.alpha),
        intercept=estimator.intercept_,
        source_coef=estimator.source_coef_,
        weights=estimator.weights_,
        source_weights=estimator.source_weights_,
        nu=estimator.ridge,
        mu=estimator.source_ridge,
        fit_intercept=estimator.fit_intercept,
    )
    if abs(found - estimator.objective_) > 1e-8 * max(found, estimator.objective_):
        raise InputError(
            f"X and y give the objective {found:.6g}, the fit had {estimator.objective_:.6g}; "
            "expected the data that the estimator was fitted on"
        )


def _noise_variance(X: Any, y: np.ndarray, fit_intercept: bool, given: float | None) -> float:
    if given is not None:
        if not (np.ndim(given) == 0 and np.isfinite(given) and given > 0):
            raise InputError(f"noise_variance is {given!r}; expected a number above 0")
        return float(given)
    n, p = X.shape
    if n <= p + fit_intercept:
        raise InputError(
            f"noise_variance is not given and X has {n} rows for {p} columns: least squares "
            "leaves no residual to estimate it from; expected a number above 0"
        )
    given_X: Any = X
    # n > p here, and least squares is dense anyway
    dense = given_X.toarray() if sparse.issparse(X) else X
    if fit_intercept:
        dense, y = dense - dense.mean(axis=0), y - y.mean()
    fit, _, rank, _ = np.linalg.lstsq(dense, y, rcond=None)
    rss = float(np.sum((y - dense @ fit) ** 2))
    if rss <= 1e-24 * float(y @ y):
        raise InputError("noise_variance is not given and least squares fits y without residual")
    return rss / (n - rank - fit_intercept)
