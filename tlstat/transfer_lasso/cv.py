"""`TransferLassoCV`: strength and balance of the transfer lasso by cross-validation."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import check_cv

from tlstat.errors import InputError
from tlstat.transfer_lasso.fitting import TransferRegressor, resolve_weights, take_rows
from tlstat.transfer_lasso.path import (
    at_levels,
    check_alphas,
    check_share,
    follow,
    lambda_max,
    limit,
)
from tlstat.transfer_lasso.problem import check_level, prepare
from tlstat.transfer_lasso.solver import check_control, one_blas_thread, solve

__all__ = ["TransferLassoCV"]


class TransferLassoCV(TransferRegressor):
    """Transfer lasso with ``lam`` and ``alpha`` chosen by cross-validation.

    All pairs are judged on the same folds; a fold costs one warm-started path a value of
    ``alpha``. The default alphas contain 1, which ignores the source, so a useless source can be
    found out.

    Parameters
    ----------
    source_coef : array_like, shape (p,), or mapping from feature names, optional
        Coefficients learned elsewhere. They must not depend on the rows that ``fit`` gets: a
        source fitted on those rows has seen every test fold.
    alphas : float or array_like
        Shares of the pull towards zero, each in [0, 1]. Without a source (and with the same
        weights in both terms) they are all the same and one is tried.
    lams : int or array_like
        Number of values for each alpha, evenly spaced on the logarithm from the smallest ``lam``
        with the limiting solution (`lambda_max`; 1 where that is 0) to ``lam_ratio`` of it; or
        the values.
    lam_ratio : float
        In (0, 1).
    cv : int, splitter or iterable, optional
        As in scikit-learn; 5 folds by default, in the order of the rows.
    n_jobs : int, optional
        Folds in parallel, by default in threads, since compiled code runs beside Python. Each
        holds a copy of its training rows. The result is the same for any number.
    fit_intercept, ridge, source_ridge, tol, max_iter, weights, source_weights
        As for `TransferLasso`.

    Attributes
    ----------
    lam_, alpha_ : float
        The pair with the smallest mean squared error; the first of equals, in the order of
        ``alphas`` and with large ``lam`` first.
    lams_ : ndarray, shape (alphas, lams)
    alphas_ : ndarray, shape (alphas,)
    mse_path_ : ndarray, shape (alphas, lams, folds)
    coef_, intercept_, source_coef_, unchanged_, df_, dual_gap_, objective_, n_iter_
        Of the fit on all rows at the chosen pair, as for `TransferLasso`.
    n_features_in_, feature_names_in_
        As in scikit-learn.
    """

    def __init__(
        self,
        source_coef: Any = None,
        *,
        alphas: Any = (0.0, 0.25, 0.5, 0.75, 1.0),
        lams: Any = 50,
        lam_ratio: float = 1e-3,
        cv: Any = None,
        n_jobs: int | None = None,
        fit_intercept: bool = True,
        ridge: float = 0.0,
        source_ridge: float = 0.0,
        tol: float = 1e-6,
        max_iter: int = 100,
        weights: Any = None,
        source_weights: Any = None,
    ) -> None:
        self.source_coef = source_coef
        self.alphas = alphas
        self.lams = lams
        self.lam_ratio = lam_ratio
        self.cv = cv
        self.n_jobs = n_jobs
        self.fit_intercept = fit_intercept
        self.ridge = ridge
        self.source_ridge = source_ridge
        self.tol = tol
        self.max_iter = max_iter
        self.weights = weights
        self.source_weights = source_weights

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None
    ) -> TransferLassoCV:
        """Choose and fit.

        Parameters
        ----------
        X : array_like or scipy.sparse matrix, shape (n, p)
        y : array_like, shape (n,)
        sample_weight : array_like, shape (n,), optional
            Weights of rows, in the fits and in the errors.
        groups : array_like, shape (n,), optional
            Labels of groups, for a splitter ``cv`` that asks for them (`GroupKFold`).

        Returns
        -------
        self

        Raises
        ------
        InputError
            If an argument is wrong.
        """
        options: dict[str, Any] = {
            "fit_intercept": self.fit_intercept,
            "nu": check_level(self.ridge, "ridge"),
            "mu": check_level(self.source_ridge, "source_ridge"),
        }
        check_control(self.tol, self.max_iter)
        alphas = check_alphas(self.alphas)
        X, y, weight, source, names = self._data(
            X, y, sample_weight, self.source_coef, y_numeric=True
        )
        u, v = resolve_weights((self.weights, self.source_weights), len(source), names)
        options |= {"weights": u, "source_weights": v}
        if not np.any(source) and np.array_equal(u, v):
            alphas = alphas[:1]
        grids = self._grids(X, y, alphas, source, sample_weight=weight, **options)
        folds = list(check_cv(self.cv, y).split(X, y, groups))
        options["source_coef"] = source
        control = self.tol, self.max_iter
        # The solver lets go of Python's lock, and a new process would load all code anew. Not by
        # scikit-learn's Parallel, which sets the filters of warnings, that threads share, in each;
        # and the limit of BLAS threads, that they share too, is not left to each.
        with one_blas_thread:
            found = Parallel(n_jobs=self.n_jobs, prefer="threads")(
                delayed(fold_errors)(X, y, weight, train, test, alphas, grids, control, options)
                for train, test in folds
            )
        self._choose(alphas, grids, found)
        solution = solve(
            X,
            y,
            self.lam_ * self.alpha_,
            self.lam_ * (1 - self.alpha_),
            sample_weight=weight,
            tol=self.tol,
            max_iter=self.max_iter,
            **options,
        )
        self._keep(solution, source)
        return self

    def _grids(self, X: Any, y: Any, alphas: np.ndarray, source: Any, **options: Any) -> np.ndarray:
        """Values of ``lam``, decreasing, a row for each alpha."""
        if np.ndim(self.lams) == 1 and len(self.lams) > 0:
            lams = np.sort([check_level(lam, "lams") for lam in self.lams])[::-1]
            return np.tile(lams, (len(alphas), 1))
        number, ratio = self.lams, check_share(self.lam_ratio, "lam_ratio")
        if not isinstance(number, int | np.integer) or isinstance(number, bool) or number < 1:
            raise InputError(f"lams is {number!r}; expected a number of values, or the values")
        ends = [lambda_max(X, y, alpha, source, **options) for alpha in alphas]
        # an end of 0: the limit is optimal at every lam, so any grid will do
        return np.array([(end or 1.0) * np.geomspace(1, ratio, number) for end in ends])

    def _choose(self, alphas: np.ndarray, grids: np.ndarray, found: list[Any]) -> None:
        sums, totals, gaps = (np.stack(part, axis=-1) for part in zip(*found, strict=True))
        used = totals > 0
        if not np.any(used):
            raise InputError("sample_weight is 0 on every test fold of cv")
        with np.errstate(invalid="ignore"):
            self.mse_path_ = sums / totals
        errors = sums[..., used].sum(axis=-1) / totals[used].sum()
        best = np.unravel_index(np.argmin(errors), errors.shape)
        self.alphas_, self.lams_ = alphas, grids
        self.alpha_, self.lam_ = float(alphas[best[0]]), float(grids[best])
        late = ~(gaps <= self.tol)
        if np.any(late):
            warnings.warn(
                f"{late.sum()} of {late.size} fits in the folds stopped after "
                f"max_iter={self.max_iter} rounds with a relative duality gap of up to "
                f"{gaps.max():.2g}, above tol={self.tol:.2g}: raise max_iter or lam_ratio, raise "
                "tol, or scale the columns of X alike",
                ConvergenceWarning,
                stacklevel=3,
            )


def fold_errors(
    X: Any,
    y: np.ndarray,
    weight: Any,
    train: np.ndarray,
    test: np.ndarray,
    alphas: np.ndarray,
    grids: np.ndarray,
    control: tuple[float, int],
    options: dict[str, Any],
) -> tuple[np.ndarray, float, np.ndarray]:
    """Sums of weighted squared errors on a test fold, the fold's weight, and the gaps."""
    part, held = take_rows(X, train), take_rows(X, test)
    share = np.ones(len(y)) if weight is None else weight
    if not np.any(share[train]):
        raise InputError("sample_weight is 0 on a whole training fold of cv")
    sums, gaps = np.empty(grids.shape), np.empty(grids.shape)
    unit = prepare(part, y[train], 1.0, 1.0, sample_weight=share[train], **options)
    for i, (alpha, lams) in enumerate(zip(alphas, grids, strict=True)):
        start, _ = limit(at_levels(unit, 1.0, alpha))
        path = follow(unit, lams, np.full(len(lams), alpha), start, *control)
        predicted = np.asarray(held @ path.coefs.T) + path.intercepts
        sums[i] = share[test] @ (y[test, None] - predicted) ** 2
        gaps[i] = path.gaps
    return sums, float(np.sum(share[test])), gaps
