"""The transfer lasso for data: `TransferLasso`, a scikit-learn regressor.

Symbols of Takada and Fujisawa (NeurIPS 2020), whose initial estimate b-tilde is ``source_coef``.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from tlstat.transfer_lasso.fitting import TransferRegressor, resolve_weights
from tlstat.transfer_lasso.path import check_alpha
from tlstat.transfer_lasso.problem import check_level
from tlstat.transfer_lasso.solver import solve

__all__ = ["SquaredTransfer", "TransferLasso"]


class SquaredTransfer(TransferRegressor):
    """What estimators with one penalty level share: parameters and the fit."""

    def __init__(
        self,
        lam: float = 1.0,
        alpha: float = 0.75,
        source_coef: Any = None,
        *,
        fit_intercept: bool = True,
        ridge: float = 0.0,
        source_ridge: float = 0.0,
        tol: float = 1e-6,
        max_iter: int = 100,
    ) -> None:
        self.lam = lam
        self.alpha = alpha
        self.source_coef = source_coef
        self.fit_intercept = fit_intercept
        self.ridge = ridge
        self.source_ridge = source_ridge
        self.tol = tol
        self.max_iter = max_iter

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Fit.

        Parameters
        ----------
        X : array_like or scipy.sparse matrix, shape (n, p)
            The target's design. A sparse one stays sparse, intercept or not.
        y : array_like, shape (n,)
        sample_weight : array_like, shape (n,), optional
            Weights of rows; only their proportions matter.

        Returns
        -------
        self

        Raises
        ------
        InputError
            If ``lam``, ``alpha``, a ridge term, ``source_coef`` or ``sample_weight`` is wrong.
        """
        lam, alpha = check_level(self.lam, "lam"), check_alpha(self.alpha)
        nu, mu = check_level(self.ridge, "ridge"), check_level(self.source_ridge, "source_ridge")
        X, y, weight, source, names = self._data(
            X, y, sample_weight, self.source_coef, y_numeric=True
        )
        u, v = self._column_weights(source, names)
        solution = solve(
            X,
            y,
            lam * alpha,
            lam * (1 - alpha),
            source_coef=source,
            weights=u,
            source_weights=v,
            nu=nu,
            mu=mu,
            sample_weight=weight,
            tol=self.tol,
            max_iter=self.max_iter,
            fit_intercept=self.fit_intercept,
        )
        self._keep(solution, source)
        self.weights_, self.source_weights_ = u, v
        self.weighted_ = weight is not None and bool(np.ptp(weight))
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # lam is in the units of X'y/n: no default can suit a response of unknown scale
        tags.regressor_tags.poor_score = True
        return tags

    @abstractmethod
    def _column_weights(self, source: np.ndarray, names: Any) -> tuple[np.ndarray, np.ndarray]:
        """Weights of ``|b_j|`` and of ``|b_j - source_j|``."""


class TransferLasso(SquaredTransfer):
    """Linear regression shrunk towards zero and towards the coefficients of a source.

    Minimises::

        1/(2n) |y - Xb - intercept|^2 + lam (alpha |b|_1 + (1 - alpha) |b - source_coef|_1)
            + ridge/2 |b|^2 + source_ridge/2 |b - source_coef|^2

    so coefficients are exactly zero, exactly the source's, or neither. With ``weights`` u and
    ``source_weights`` v the terms of the penalty are ``u_j |b_j|`` and
    ``v_j |b_j - source_coef_j|``.

    Parameters
    ----------
    lam : float
        Strength of the penalty, 0 or above; the scale is that of `sklearn.linear_model.Lasso`.
    alpha : float
        Share of the pull towards zero, in [0, 1]. 1 is the plain lasso, 0 penalises only changes
        from the source.
    source_coef : array_like, shape (p,), or mapping from feature names, optional
        Coefficients learned elsewhere, in the units of ``X``. Without them the source is zero,
        which is the plain lasso at ``lam``. Labelled coefficients (dict, pandas Series) are
        matched with the labels of a data frame's columns (for other designs: their positions).
        A Series whose labels are 0, 1, ... goes by position where the columns have other labels.
    fit_intercept : bool
        Whether there is an intercept; it is never penalised, nor taken from the source.
    ridge, source_ridge : float
        Elastic-net terms.
    tol : float
        Relative duality gap at which the solver stops.
    max_iter : int
        Limit of the solver's rounds.
    weights, source_weights : array_like, shape (p,), or mapping from feature names, optional
        Of the columns, 0 or above; ones by default. 0 in both: a coefficient without penalty.

    Attributes
    ----------
    coef_ : ndarray, shape (p,)
    intercept_ : float
    source_coef_ : ndarray, shape (p,)
        As used, in the order of the columns.
    weights_, source_weights_ : ndarray, shape (p,)
        As used.
    unchanged_ : ndarray of bool, shape (p,)
        Which coefficients equal the source's (exact comparison; a zero source counts).
    df_ : int
        Number of coefficients that are neither zero nor the source's: an unbiased estimate of
        the degrees of freedom, without the intercept, if the source is independent of ``y`` and
        these columns are linearly independent (see `degrees_of_freedom`, `information_criteria`).
    dual_gap_ : float
        Certificate: the objective is above its minimum by at most this share of it.
    objective_ : float
        The objective at the solution.
    n_iter_ : int
        Rounds of the solver.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    Notes
    -----
    The columns are not standardised: the penalty speaks of the coefficients as they are, and so
    does the source. At ``alpha = 1/2`` with more columns than rows the minimiser is not unique
    (the penalty is constant between zero and the source); the objective is certified all the same,
    and so are the predictions where ``tol`` is small.

    Takada and Fujisawa, "Transfer learning via l1 regularization", NeurIPS 2020.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.eye(3), np.array([3.0, 1.0, 0.0])
    >>> TransferLasso(0.1, 0.5, [3.0, 0.9, 2.0], fit_intercept=False).fit(X, y).coef_
    array([3. , 0.9, 0. ])
    """

    def __init__(
        self,
        lam: float = 1.0,
        alpha: float = 0.75,
        source_coef: Any = None,
        *,
        fit_intercept: bool = True,
        ridge: float = 0.0,
        source_ridge: float = 0.0,
        tol: float = 1e-6,
        max_iter: int = 100,
        weights: Any = None,
        source_weights: Any = None,
    ) -> None:
        super().__init__(
            lam,
            alpha,
            source_coef,
            fit_intercept=fit_intercept,
            ridge=ridge,
            source_ridge=source_ridge,
            tol=tol,
            max_iter=max_iter,
        )
        self.weights = weights
        self.source_weights = source_weights

    def _column_weights(self, source: np.ndarray, names: Any) -> tuple[np.ndarray, np.ndarray]:
        return resolve_weights((self.weights, self.source_weights), len(source), names)
