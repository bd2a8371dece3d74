"""`TransferLogisticRegression`: the transfer lasso for two classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from tlstat.errors import InputError
from tlstat.transfer_lasso.fitting import LinearTransfer
from tlstat.transfer_lasso.path import check_alpha
from tlstat.transfer_lasso.problem import check_level
from tlstat.transfer_lasso.solver import solve

__all__ = ["TransferLogisticRegression"]


class TransferLogisticRegression(ClassifierMixin, LinearTransfer):
    """Logistic regression shrunk towards zero and towards the coefficients of a source.

    Minimises the mean logistic loss plus::

        lam (alpha |b|_1 + (1 - alpha) |b - source_coef|_1)
            + ridge/2 |b|^2 + source_ridge/2 |b - source_coef|^2

    Parameters
    ----------
    lam : float
        Strength of the penalty, 0 or above. ``lam = 1 / (n C)`` in terms of
        `sklearn.linear_model.LogisticRegression`. At 0 and separable classes there is no
        minimiser, and the solver warns.
    alpha : float
        Share of the pull towards zero, in [0, 1].
    source_coef : array_like, shape (p,) or (1, p), or mapping from feature names, optional
        Coefficients learned elsewhere, for the log-odds of the second class of ``classes_``.
        Without them the source is zero: plain l1-penalised logistic regression at ``lam``.
    fit_intercept, ridge, source_ridge, tol, max_iter
        As for `TransferLasso`.

    Attributes
    ----------
    classes_ : ndarray, shape (2,)
    coef_ : ndarray, shape (1, p)
    intercept_ : ndarray, shape (1,)
    source_coef_ : ndarray, shape (p,)
    unchanged_ : ndarray of bool, shape (p,)
        Which coefficients equal the source's exactly.
    df_ : int
        Number of coefficients that are neither zero nor the source's. Under this loss no
        unbiased estimate of degrees of freedom.
    dual_gap_, objective_, n_iter_
        As for `TransferLasso`.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    Notes
    -----
    Two classes. For more, wrap it: `sklearn.multiclass.OneVsRestClassifier` (which gives all
    classes the same source) or one estimator a class.
    """

    def __init__(
        self,
        lam: float = 0.01,
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

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> TransferLogisticRegression:
        """Fit.

        Parameters
        ----------
        X : array_like or scipy.sparse matrix, shape (n, p)
        y : array_like, shape (n,)
            Labels of two classes.
        sample_weight : array_like, shape (n,), optional
            Weights of rows; only their proportions matter.

        Returns
        -------
        self

        Raises
        ------
        InputError
            If an argument is wrong, or there are not two classes.
        """
        lam, alpha = check_level(self.lam, "lam"), check_alpha(self.alpha)
        nu, mu = check_level(self.ridge, "ridge"), check_level(self.source_ridge, "source_ridge")
        X, y, weight, source, _ = self._data(X, y, sample_weight, self.source_coef, row=True)
        label = self._labels(y, weight)
        solution = solve(
            X,
            label,
            lam * alpha,
            lam * (1 - alpha),
            source_coef=source,
            nu=nu,
            mu=mu,
            loss="logistic",
            sample_weight=weight,
            tol=self.tol,
            max_iter=self.max_iter,
            fit_intercept=self.fit_intercept,
        )
        self._keep(solution, source)
        self.coef_ = solution.coef[None, :]
        self.intercept_ = np.array([solution.intercept])
        return self

    def _labels(self, y: Any, weight: Any) -> np.ndarray:
        """0 and 1 for the two classes."""
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y", raise_unknown=True)
        if kind != "binary":
            raise InputError(
                f"Only binary classification is supported. The type of the target is {kind}."
            )
        self.classes_, label = np.unique(y, return_inverse=True)
        used = label if weight is None else label[weight > 0]
        if len(np.unique(used)) < 2:
            raise InputError("y has only one class with positive weight; expected two classes")
        return label.astype(float)

    @property
    def unchanged_(self) -> np.ndarray:
        """Mask of the coefficients that equal the source's exactly, shape (p,)."""
        return np.asarray(super().unchanged_).ravel()

    def decision_function(self, X: Any) -> np.ndarray:
        """Log-odds of ``classes_[1]``, shape (n,)."""
        return self._linear(X)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of the two classes, shape (n, 2)."""
        odds = self._linear(X)
        return np.column_stack([expit(-odds), expit(odds)])

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Logarithms of the probabilities, shape (n, 2)."""
        odds = self._linear(X)
        return -np.logaddexp(0, np.column_stack([odds, -odds]))

    def predict(self, X: Any) -> np.ndarray:
        """Labels, shape (n,)."""
        above = self._linear(X) > 0
        return np.asarray(self.classes_[above.astype(int)])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags
