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
from tlstat.transfer_lasso.problem import _check_real, check_vector
from tlstat.transfer_lasso.solver import Solution

__all__ = [
    "LinearTransfer",
    "TransferRegressor",
    "check_unmasked",
    "resolve_source",
    "resolve_weights",
    "take_rows",
]


def check_unmasked(**given: Any) -> None:
    """Raise an InputError for masks, which scikit-learn drops (it refuses complex numbers)."""
    for name, value in given.items():
        if np.ma.is_masked(value):
            raise InputError(f"{name} has masked entries; expected numbers, fill or drop them")


def resolve_source(
    source: Any, p: int, names: Any = None, name: str = "source_coef", *, row: bool = False
) -> np.ndarray:
    """Source coefficients in the order of the columns: an array, zero where there is no source.

    Parameters
    ----------
    source : None, array_like, shape (p,), or mapping (or pandas Series) from labels to numbers
        Labelled coefficients are put in the order of the columns. Labels 0, 1, ... of a Series
        are positions, unless the columns have these labels in another order.
    p : int
        Number of columns of ``X``.
    names : sequence, optional
        Labels of the columns; their positions by default.
    row : bool
        Whether the shape (1, p) will do too.

    Returns
    -------
    ndarray, shape (p,)

    Raises
    ------
    InputError
        Wrong length, entries that are not finite real numbers, or labels that do not match.
    """
    if source is None:
        return np.zeros(p)
    if hasattr(source, "keys"):
        if getattr(source, "ndim", 1) != 1:
            raise InputError(f"{name} is a {type(source).__name__}; expected one number a column")
        return _by_label(source, p, names, name)
    if row:
        _check_real(source, name)
        rows = np.asarray(source, dtype=object)
        source = rows[0] if rows.ndim == 2 and len(rows) == 1 else source
    return np.array(check_vector(source, name, p, "column"))


def resolve_weights(given: tuple[Any, Any], p: int, names: Any) -> tuple[np.ndarray, np.ndarray]:
    """Penalty weights ``u`` and ``v`` in the order of the columns, ones where there are none."""
    u, v = (
        np.ones(p) if weights is None else resolve_source(weights, p, names, name)
        for weights, name in zip(given, ("weights", "source_weights"), strict=True)
    )
    return u, v


def _by_label(source: Any, p: int, names: Any, name: str) -> np.ndarray:
    labels = list(source.keys())
    columns = list(range(p) if names is None else names)
    given, wanted = set(labels), set(columns)
    if len(given) < len(labels):
        raise InputError(f"{name} names a column twice; expected one coefficient a column")
    if len(wanted) < len(columns):
        raise InputError(f"X names a column twice, so that {name} cannot be matched by name")
    positions = not isinstance(source, Mapping) and labels == list(range(p))
    if positions and given != wanted:
        columns = labels
    elif given != wanted:
        if names is None:
            raise InputError(
                f"{name} is given by column names, but X has none; expected X as a data frame "
                "with names, or an array of coefficients"
            )
        missing, unknown = (
            [x for x in a if x not in b] for a, b in ((columns, given), (labels, wanted))
        )
        odd = f"lacks {missing[0]!r}" if missing else f"has {unknown[0]!r}, which X lacks"
        raise InputError(f"{name} {odd}; expected one coefficient for every column of X")
    return np.array([_finite(source[label], f"{name}[{label!r}]") for label in columns])


def _finite(value: Any, name: str) -> float:
    try:
        number = np.nan if np.iscomplexobj(value) else float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not np.isfinite(number):
        raise InputError(f"{name} is {value!r}; expected a finite number")
    return number


class LinearTransfer(BaseEstimator):
    """Input checks and fitted attributes of linear models with a source."""

    fit_intercept: bool
    intercept_: Any

    def _data(
        self, X: Any, y: Any, sample_weight: Any, source: Any, *, row: bool = False, **options: Any
    ) -> tuple[Any, Any, Any, np.ndarray, Any]:
        """Checked: design, response, weights of rows, the source; and the columns' labels."""
        frame = X
        X, y = self._design(X, y, **options)
        names = getattr(self, "feature_names_in_", None)
        if names is None and hasattr(frame, "iloc"):  # scikit-learn keeps labels that are texts
            names = frame.columns
        weight = self._weights(sample_weight, X)
        b0 = resolve_source(source, X.shape[1], names, row=row)
        self._warn_silent(X, weight, b0)
        return X, y, weight, b0, names

    def _design(self, X: Any, y: Any, **options: Any) -> tuple[Any, Any]:
        """Checked and in the solver's layout: Fortran-ordered or CSC, float64."""
        check_unmasked(X=X, y=y)
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
        check_unmasked(sample_weight=sample_weight)
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
        if np.any(weight < 0) or not np.any(weight > 0):
            raise InputError(
                f"sample_weight ranges from {weight.min():g} to {weight.max():g}; expected "
                "numbers of 0 or above, and one above 0"
            )
        return weight

    def _warn_silent(self, X: Any, weight: Any, b0: np.ndarray) -> None:
        """Warn where the target is silent about a coefficient that the source speaks of."""
        if not np.any(b0):
            return
        kept = None if weight is None or np.all(weight > 0) else weight > 0
        silent = np.flatnonzero(_constant(X, kept, self.fit_intercept) & (b0 != 0))
        if len(silent):
            where = "" if kept is None else " where sample_weight is above 0"
            warnings.warn(
                f"column {silent[0]} of X is constant{where} (as are {len(silent) - 1} more) "
                "while its source coefficient is not zero: the penalty alone decides that "
                "coefficient; drop the column, or set its source coefficient to 0",
                UserWarning,
                stacklevel=4,
            )

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
        unchanged = self.unchanged_  # which tells an estimator that is not fitted
        return int(np.sum((np.ravel(self.coef_) != 0) & ~unchanged))

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
    """Rows of a design (by a mask or their numbers) in the solver's layout, by one copy."""
    # Any: scipy-stubs knows no conversions of its abstract sparse class
    if sparse.issparse(X):
        by_row: Any = X
        return by_row.tocsr()[rows].tocsc()
    return np.take(X.T, np.arange(len(X))[rows], axis=1).T


def _constant(X: Any, kept: Any, fit_intercept: bool) -> np.ndarray:
    """Which columns tell nothing in rows ``kept``: constant, or zero if there is no intercept."""
    if sparse.issparse(X):
        given: Any = X
        # a copy, whose entries scipy may sort
        part = given.copy() if kept is None else take_rows(given, kept)
        low, high = (m.toarray().ravel() for m in (part.min(axis=0), part.max(axis=0)))
    else:
        # no copy of the design, whatever the rows
        among = True if kept is None else kept[:, None]
        low = X.min(axis=0, where=among, initial=np.inf)
        high = X.max(axis=0, where=among, initial=-np.inf)
    return (low == high) if fit_intercept else (low == 0) & (high == 0)
