"""A linear predictor for a target task with few samples, and estimates of its risk."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from tlstat.errors import InputError

__all__ = ["FewShotRegressor", "leave_one_out"]

Array = Any

# ridge levels that leave-one-out chooses from, in units of the mean eigenvalue of Z'Z
_LEVELS = np.logspace(-4, 3, 29)


class FewShotRegressor(RegressorMixin, BaseEstimator):
    """Least squares or ridge regression on a representation, with closed-form risk estimates.

    Parameters
    ----------
    components : array_like, shape (r, d), optional
        The representation, orthonormal rows as in ``LinearRepresentation.components_``. Without
        it the covariates themselves: the task alone.
    ridge : float or "loo"
        Penalty ``ridge |head|^2`` beside the sum of squares; 0 for least squares (of minimum norm
        where it is not unique); "loo" takes the level with the least leave-one-out error.
    fit_intercept : bool

    Attributes
    ----------
    coef_ : ndarray, shape (d,)
        ``components' head``.
    head_ : ndarray, shape (r,)
    intercept_ : float
    ridge_ : float
        The penalty used.
    noise_variance_ : float
        Residual sum of squares over its degrees of freedom. For Gaussian covariates and least
        squares it is unbiased for ``sigma^2 + b^2``: the noise and what the representation misses
        of this task. nan where no degree of freedom is left, or with a penalty.
    prediction_risk_ : float
        Unbiased estimate of the mean squared error at a new row, for Gaussian covariates and least
        squares: ``noise_variance_ (m - 1)/(m - r - 1)``, or with an intercept
        ``noise_variance_ (1 + 1/m)(m - 2)/(m - r - 2)``. It needs no knowledge of the bias. nan
        where the mean does not exist, or with a penalty.
    loo_risk_ : float
        The leave-one-out mean squared error, exactly and for any covariates; nan where a row
        alone decides its own fit.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.eye(4)
    >>> model = FewShotRegressor([[1.0, 0, 0, 0]], fit_intercept=False).fit(X, [2.0, 0, 0, 0])
    >>> model.coef_
    array([2., 0., 0., 0.])
    """

    def __init__(
        self, components: Any = None, *, ridge: float | str = 0.0, fit_intercept: bool = True
    ) -> None:
        self.components = components
        self.ridge = ridge
        self.fit_intercept = fit_intercept

    def fit(self, X: Any, y: Any) -> FewShotRegressor:
        """Fit the head.

        Parameters
        ----------
        X : array_like, shape (m, d)
        y : array_like, shape (m,)

        Returns
        -------
        self

        Raises
        ------
        InputError
            If the components do not fit ``X``, or ``ridge`` is wrong.
        """
        X, y = validate_data(
            self,
            X,
            y,
            dtype=np.float64,
            y_numeric=True,
            ensure_min_samples=2 if self.fit_intercept else 1,
        )
        y = np.asarray(y, dtype=float)
        B = self._basis(X.shape[1])
        Z, at = X @ B, np.zeros(B.shape[1])
        mean = 0.0
        if self.fit_intercept:
            at, mean = Z.mean(axis=0), float(y.mean())
            Z, y = Z - at, y - mean
        self.ridge_ = self._penalty(Z, y)
        self.head_ = _ridge(Z, y, self.ridge_)
        self.coef_ = B @ self.head_
        self.intercept_ = mean - float(at @ self.head_)
        self.loo_risk_ = leave_one_out(Z, y, self.ridge_, centred=self.fit_intercept)
        self._estimate_risk(Z, y)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predictions for the rows of ``X``, shape (n,)."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return np.asarray(X @ self.coef_ + self.intercept_)

    def _estimate_risk(self, Z: np.ndarray, y: np.ndarray) -> None:
        m, r = Z.shape
        lost = r + int(self.fit_intercept)
        self.noise_variance_ = self.prediction_risk_ = float("nan")
        if self.ridge_ > 0 or m <= lost or np.linalg.matrix_rank(Z) < r:
            return
        self.noise_variance_ = float(np.sum((y - Z @ self.head_) ** 2)) / (m - lost)
        if m > lost + 1:
            factor = (m - 1) / (m - r - 1)
            if self.fit_intercept:
                factor = (1 + 1 / m) * (m - 2) / (m - r - 2)
            self.prediction_risk_ = self.noise_variance_ * factor

    def _penalty(self, Z: np.ndarray, y: np.ndarray) -> float:
        if self.ridge == "loo":
            scale = float(np.sum(Z**2)) / Z.shape[1]
            levels = scale * _LEVELS if scale > 0 else np.ones(1)
            errors = _leave_one_out(Z, y, levels, self.fit_intercept)
            return float(levels[int(np.argmin(errors))])
        try:
            level = float(self.ridge)
        except (TypeError, ValueError):
            level = np.nan
        if not 0 <= level < np.inf:
            raise InputError(f"ridge is {self.ridge!r}; expected a number, 0 or above, or 'loo'")
        return level

    def _basis(self, d: int) -> np.ndarray:
        if self.components is None:
            return np.eye(d)
        try:
            rows = np.asarray(self.components, dtype=float)
        except (TypeError, ValueError):
            raise InputError("components has entries that are not real numbers") from None
        if rows.ndim != 2 or rows.shape[1] != d or len(rows) == 0:
            raise InputError(
                f"components has shape {rows.shape}; expected (r, {d}), one row a component and "
                "one column a column of X"
            )
        if not np.all(np.isfinite(rows)):
            raise InputError("components has NaN or infinite entries; expected finite numbers")
        return rows.T


def leave_one_out(
    Z: np.ndarray, y: np.ndarray, ridge: float = 0.0, *, centred: bool = False
) -> float:
    """Mean squared leave-one-out error of (ridge) least squares, from one fit.

    Parameters
    ----------
    Z : array, shape (m, r)
    y : array, shape (m,)
    ridge : float
        The same penalty in every fit.
    centred : bool
        Whether ``Z`` and ``y`` had their means removed: every fit then has its own intercept.

    Returns
    -------
    float
        ``mean_i (e_i / (1 - h_i))^2`` with the leverages h; nan where one of them is 1.
    """
    return float(_leave_one_out(Z, y, np.array([ridge]), centred)[0])


def _leave_one_out(Z: np.ndarray, y: np.ndarray, ridges: np.ndarray, centred: bool) -> np.ndarray:
    U, s, _ = np.linalg.svd(Z, full_matrices=False)
    seen = s > 1e-12 * (s[0] if len(s) else 0)
    share = np.where(seen, s**2 / np.where(seen, s**2 + ridges[:, None], 1), 0)
    h = share @ (U**2).T + (1 / len(y) if centred else 0)
    e = y - (share * (U.T @ y)) @ U.T
    alone = np.any(h > 1 - 1e-10, axis=1)
    errors = np.mean((e / np.where(alone[:, None], 1, 1 - h)) ** 2, axis=1)
    return np.asarray(np.where(alone, np.nan, errors))


def _ridge(Z: np.ndarray, y: np.ndarray, ridge: float) -> np.ndarray:
    if ridge == 0:
        return np.asarray(np.linalg.lstsq(Z, y, rcond=None)[0])
    U, s, Vt = np.linalg.svd(Z, full_matrices=False)
    return np.asarray(Vt.T @ (s / (s**2 + ridge) * (U.T @ y)))
