"""What the scikit-learn estimators of the room share: input, source coefficients, results."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from tlstat.errors import InputError
from tlstat.transfer_lasso.solver import Solution

__all__ = [
    "LinearTransfer",
    "TransferRegressor",
    "check_alpha",
    "check_level",
    "resolve_source",
    "take_rows",
]


def check_level(value: Any, name: str) -> float:
    """A finite number, 0 or above."""
    try:
        number = float(value) if np.ndim(value) == 0 else np.nan
    except (TypeError, ValueError):
        number = np.nan
    if not (number >= 0 and np.isfinite(number)):
        raise InputError(f"{name} is {value!r}; expected a finite number, 0 or above")
    return number


def check_alpha(value: Any, name: str = "alpha") -> float:
    """A number in [0, 1]."""
    number = check_level(value, name)
    if number > 1:
        raise InputError(
            f"{name} is {value!r}; expected a number from 0 (only the change from the source is "
            "penalised) to 1 (the plain lasso)"
        )
    return number


def resolve_source(source: Any, p: int, names: Any = None, name: str = "source_coef") -> Any:
    """Source coefficients in the order of the columns: an array, zero where there is no source.

    Parameters
    ----------
    source : None, array_like, shape (p,), or mapping (or pandas Series) from names to numbers
        Named coefficients are put in the order of ``names``, not of the mapping.
    p : int
        Number of columns of ``X``.
    names : array of str, optional
        Names of the columns.

    Returns
    -------
    ndarray, shape (p,)

    Raises
    ------
    InputError
        Wrong length, numbers that are not finite, or names that do not match.
    """
    if source is None:
        return np.zeros(p)
    index = getattr(source, "index", None)
    if isinstance(source, Mapping):
        return _by_name(dict(source), names, name)
    if hasattr(source, "to_dict") and all(isinstance(key, str) for key in np.asarray(index)):
        if not getattr(index, "is_unique", True):
            raise InputError(f"{name} names a column twice; expected one coefficient a column")
        return _by_name(source.to_dict(), names, name)
    try:
        values = np.array(source, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"{name} has entries that are not real numbers") from None
    if values.shape != (p,):
        raise InputError(
            f"{name} has shape {values.shape}; expected ({p},), one coefficient a column of X"
        )
    return _finite(values, name)


def _by_name(source: dict[Any, Any], names: Any, name: str) -> np.ndarray:
    if names is None:
        raise InputError(
            f"{name} is given by column names, but X has none; expected X as a data frame with "
            "names, or an array of coefficients"
        )
    missing = [column for column in names if column not in source]
    unknown = [column for column in source if column not in set(names)]
    if missing or unknown:
        odd = f"lacks {missing[0]!r}" if missing else f"has {unknown[0]!r}, which X lacks"
        raise InputError(f"{name} {odd}; expected one coefficient for every column of X")
    return _finite(np.array([float(source[column]) for column in names]), name)


def _finite(values: np.ndarray, name: str) -> np.ndarray:
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise InputError(f"{name} is {values[bad[0]]} at index {bad[0]}; expected finite numbers")
    return values


class LinearTransfer(BaseEstimator):
    """Input checks and fitted attributes of linear models with a source."""

    fit_intercept: bool
    intercept_: Any

    def _design(self, X: Any, y: Any, **options: Any) -> tuple[Any, Any]:
        """Checked and in the solver's layout: Fortran-ordered or CSC, float64."""
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse="csc",
            dtype=np.float64,
            order="F",
            ensure_min_samples=2 if self.fit_intercept else 1,
            **options,
        )
        # a plain array of our own: a read-only or mapped one would be compiled for anew
        return X, np.array(y)

    def _weights(self, sample_weight: Any, X: Any) -> Any:
        if sample_weight is None:
            return None
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
        if np.any(weight < 0) or not np.any(weight > 0):
            raise InputError(
                f"sample_weight ranges from {weight.min():g} to {weight.max():g}; expected "
                "numbers of 0 or above, and one above 0"
            )
        return weight

    def _source(self, source: Any, X: Any) -> np.ndarray:
        """Source coefficients, with a warning where the target is silent about one."""
        b0 = resolve_source(source, X.shape[1], getattr(self, "feature_names_in_", None))
        used = np.flatnonzero(b0)
        silent = used[_constant(X[:, used], self.fit_intercept)] if len(used) else used
        if len(silent):
            warnings.warn(
                f"column {silent[0]} of X is constant (as are {len(silent) - 1} more) while its "
                "source coefficient is not zero: the penalty alone decides that coefficient; "
                "drop the column, or set its source coefficient to 0",
                UserWarning,
                stacklevel=3,
            )
        return b0

    def _keep(self, solution: Solution, source: np.ndarray) -> None:
        """Store what was fitted."""
        self.coef_ = solution.coef
        self.intercept_ = solution.intercept
        self.source_coef_ = source
        self.dual_gap_ = solution.gap
        self.objective_ = solution.primal
        self.n_iter_ = max(1, solution.n_iter)

    @property
    def unchanged_(self) -> np.ndarray:
        """Mask of the coefficients that equal the source's exactly, shape (p,)."""
        check_is_fitted(self)
        return np.asarray(self.coef_ == self.source_coef_)

    @property
    def df_(self) -> int:
        """Number of coefficients that are neither zero nor the source's."""
        return int(np.sum((np.ravel(self.coef_) != 0) & ~self.unchanged_))

    def _linear(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, accept_sparse=True, dtype=np.float64)
        return np.asarray(X @ self.coef_.ravel()).ravel() + self.intercept_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.required = True
        return tags


class TransferRegressor(RegressorMixin, LinearTransfer):
    """A linear regression with a source."""

    def predict(self, X: Any) -> np.ndarray:
        """Predicted means of the rows of ``X``, shape (n,)."""
        return self._linear(X)


def take_rows(X: Any, rows: np.ndarray) -> Any:
    """Rows of a design, in the solver's layout."""
    # Any: scipy-stubs knows no conversions of its abstract sparse class
    if sparse.issparse(X):
        by_row: Any = X
        return by_row.tocsr()[rows].tocsc()
    return np.asfortranarray(X[rows])


def _constant(X: Any, fit_intercept: bool) -> np.ndarray:
    """Which columns tell nothing: constant, or zero where there is no intercept."""
    if sparse.issparse(X):
        columns: Any = X
        low, high = (m.toarray().ravel() for m in (columns.min(axis=0), columns.max(axis=0)))
    else:
        low, high = X.min(axis=0), X.max(axis=0)
    return (low == high) if fit_intercept else (low == 0) & (high == 0)
