"""`LinearRepresentation`: learn a low-dimensional linear representation from many tasks.

Tasks ``y = x'B alpha_j + intercept_j + noise`` share the column space of ``B``. Learned from
source tasks, it leaves a target task only ``r`` numbers to learn instead of ``d``. Symbols of
Tripuraneni, Jordan and Jin (NeurIPS 2020): ``B`` is ``components_``' and the heads are
``task_heads_``.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted, validate_data

from tlstat.errors import InputError
from tlstat.task_diversity.data import check_tasks
from tlstat.task_diversity.few_shot import FewShotRegressor
from tlstat.task_diversity.learning import METHODS, choose_rank, fit_heads, learn
from tlstat.task_diversity.tasks import Prepared, gather, is_many, prepare

__all__ = ["LinearRepresentation"]


class LinearRepresentation(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """A linear representation shared by many regression tasks.

    Parameters
    ----------
    n_components : int or "auto"
        The rank r. "auto" takes the one that predicts best on tasks left out of learning (see
        ``rank_choice_``), for tasks of the size of the given ones; 1 for a single task.
    method : {"alternating", "u-statistic", "moments", "nuclear"}
        * "alternating": multi-task least squares (ERM) by alternating minimisation from the
          U-statistic; the most accurate, and indifferent to the covariance of the covariates. It
          needs tasks with more than r samples.
        * "u-statistic": top eigenvectors of products of different samples of a task; from two
          samples a task on, for covariates of any law once they are white.
        * "moments": top eigenvectors of ``mean y^2 xx'``; from one sample a task on, for Gaussian
          covariates once they are white. It does not improve as the noise vanishes.
        * "nuclear": least squares with a nuclear-norm penalty; its top singular vectors.
    fit_intercept : bool
        Every task has its own intercept.
    whiten : bool or "auto"
        Whether columns are given the identity as pooled covariance while the representation is
        learned. "auto" does so for "u-statistic" and "moments", which are wrong without, unless
        the covariance is a multiple of I. It changes nothing for "alternating".
    lam : float, optional
        Level of the nuclear norm, in the objective
        ``(1/2N) sum_j |y_j - X_j theta_j|^2 + lam |Theta|_*``; by default a third of the
        textbook's level at the noise of a pilot fit.
    max_iter, tol
        Iterations at most, and the change (sine of the largest angle; relative gap for "nuclear")
        at which they end.
    max_components : int, optional
        The largest rank that "auto" considers.

    Attributes
    ----------
    components_ : ndarray, shape (r, d)
        Orthonormal rows that span the representation, in the order of the heads' second moments;
        the largest entry of each is positive.
    n_components_ : int
    task_heads_ : ndarray, shape (t, r)
        Least squares (of minimum norm) of every task on ``X components_'``.
    task_coef_ : ndarray, shape (t, d)
        ``task_heads_ components_``.
    task_intercept_ : ndarray, shape (t,)
    tasks_ : ndarray, shape (t,)
        Labels of the tasks: positions, or sorted ``groups``.
    spectrum_ : ndarray, shape (r,)
        Eigenvalues of ``A'A/t`` of the fitted heads; the noise of the heads inflates them.
    diversity_ : float
        The smallest: ``nu``. Compare with ``spectrum_.sum() / r``, the value of perfectly diverse
        tasks.
    noise_variance_ : float
        Pooled residual variance with its degrees of freedom; nan where none are left.
    rank_choice_ : RankChoice or None
        Ranks and cross-validated errors with ``n_components="auto"``.
    n_iter_ : int
    n_features_in_, feature_names_in_
        As in scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(20, 8)) for _ in range(30)]
    >>> y = [x[:, 0] * rng.normal() + 0.1 * rng.normal(size=20) for x in X]
    >>> model = LinearRepresentation(1).fit(X, y)
    >>> bool(model.components_[0, 0] > 0.999)
    True
    """

    def __init__(
        self,
        n_components: int | str = "auto",
        *,
        method: str = "alternating",
        fit_intercept: bool = True,
        whiten: bool | str = "auto",
        lam: float | None = None,
        max_iter: int = 500,
        tol: float = 1e-6,
        max_components: int | None = None,
    ) -> None:
        self.n_components = n_components
        self.method = method
        self.fit_intercept = fit_intercept
        self.whiten = whiten
        self.lam = lam
        self.max_iter = max_iter
        self.tol = tol
        self.max_components = max_components

    def fit(self, X: Any, y: Any, groups: Any = None) -> LinearRepresentation:
        """Learn the representation.

        Parameters
        ----------
        X : list of array_like, shapes (n_j, d), or array_like, shape (n, d) or (t, n, d)
            One matrix a task, or one matrix for all.
        y : list of array_like, shapes (n_j,), or array_like, shape (n,), (n, t) or (t, n)
            With one matrix ``X`` a second axis of ``y`` is that of the tasks.
        groups : array_like, shape (n,), optional
            With one matrix ``X`` the task of every row; without it all rows are one task.

        Returns
        -------
        self

        Raises
        ------
        InputError
            For tasks of different width, entries that are not finite, a rank that is not in
            1..d or that tasks or samples do not allow, and unknown options.

        Warns
        -----
        TaskWarning
            For columns that are constant in all tasks, and tasks too small to inform the fit.
        ConvergenceWarning
            If ``max_iter`` did not suffice.
        """
        rows, out, self.tasks_ = self._tasks(X, y, groups)
        r = self._check(rows[0].shape[1])
        tasks = prepare(rows, out, intercepts=bool(self.fit_intercept), whiten=self._whitening())
        options: dict[str, Any] = {"lam": self.lam, "max_iter": self.max_iter, "tol": self.tol}
        self.rank_choice_ = None
        if r is None:
            self.rank_choice_ = choose_rank(tasks, self.method, most=self.max_components, **options)
            r = self.rank_choice_.rank
        found = learn(tasks, r, self.method, **options)
        if not found.converged:
            warnings.warn(
                f"{self.method} did not converge in {found.n_iter} iterations; raise max_iter, or "
                "tol",
                ConvergenceWarning,
                stacklevel=2,
            )
        self.n_iter_ = found.n_iter
        self._keep(tasks, rows, out, found.B)
        return self

    def transform(self, X: Any) -> Any:
        """Features ``X components_'``, shape (n, r), or a list of them for a list of tasks."""
        check_is_fitted(self)
        if is_many(X):
            return [self.transform(rows) for rows in X]
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return X @ self.components_.T

    def fit_target(self, X: Any, y: Any, *, ridge: float | str = 0.0) -> FewShotRegressor:
        """Fit a head for a target task.

        Parameters
        ----------
        X : array_like, shape (m, d)
        y : array_like, shape (m,)
        ridge : float or "loo"
            As in `FewShotRegressor`.

        Returns
        -------
        FewShotRegressor
            Its ``noise_variance_`` less ours estimates the squared bias of the representation for
            this target, where the noise is the same.
        """
        check_is_fitted(self)
        model = FewShotRegressor(
            self.components_, ridge=ridge, fit_intercept=bool(self.fit_intercept)
        )
        return model.fit(X, y)

    def _tasks(self, X: Any, y: Any, groups: Any) -> tuple[list[Any], list[Any], np.ndarray]:
        if not is_many(X):
            X, y = validate_data(
                self,
                X,
                y,
                dtype=np.float64,
                y_numeric=True,
                multi_output=True,
                ensure_min_samples=2,
            )
            X, y, labels = gather(X, np.asarray(y, dtype=float), groups)
            return (*check_tasks(X, y), labels)
        if groups is not None:
            raise InputError("groups are for one matrix X; with a list every matrix is a task")
        if y is None:
            raise InputError("y is None; expected a list with the response of every task")
        rows, out = check_tasks(list(X), list(y))
        for j, given in enumerate(X):  # names and widths, with scikit-learn's own errors
            validate_data(self, given, reset=j == 0, skip_check_array=True)
        return rows, out, np.arange(len(rows))

    def _check(self, d: int) -> int | None:
        if self.method not in METHODS:
            raise InputError(f"method is {self.method!r}; expected one of {', '.join(METHODS)}")
        if self.whiten not in (True, False, "auto"):
            raise InputError(f"whiten is {self.whiten!r}; expected True, False or 'auto'")
        if self.lam is not None and not (np.ndim(self.lam) == 0 and 0 < self.lam < np.inf):
            raise InputError(f"lam is {self.lam!r}; expected a finite number above 0, or None")
        for name in ("max_iter", "max_components"):
            value = getattr(self, name)
            if value is not None and not (_is_whole(value) and value >= 1):
                raise InputError(f"{name} is {value!r}; expected a positive integer")
        if isinstance(self.n_components, str) and self.n_components == "auto":
            return None
        if not (_is_whole(self.n_components) and 1 <= int(self.n_components) <= d):
            raise InputError(
                f"n_components is {self.n_components!r}; expected an integer from 1 to {d}, the "
                "number of columns, or 'auto'"
            )
        return int(self.n_components)

    def _whitening(self) -> bool | None:
        if self.method == "alternating":
            return None
        return self.method != "nuclear" if self.whiten == "auto" else bool(self.whiten)

    def _keep(self, tasks: Prepared, rows: list[Any], out: list[Any], B: np.ndarray) -> None:
        heads = fit_heads(tasks, B)
        # principal axes of the heads, the largest entry of each positive
        axes = np.linalg.svd(heads, full_matrices=True)[2]
        components = axes @ B.T
        largest = np.argmax(np.abs(components), axis=1)
        sign = np.where(components[np.arange(len(axes)), largest] < 0, -1.0, 1.0)
        self.components_ = sign[:, None] * components
        self.n_components_ = self._n_features_out = len(components)
        self.task_heads_ = heads @ axes.T * sign
        self.task_coef_ = self.task_heads_ @ self.components_
        self.spectrum_ = np.mean(self.task_heads_**2, axis=0)
        self.diversity_ = float(np.min(self.spectrum_)) if len(heads) >= len(axes) else 0.0
        means = [
            float(np.mean(v) - np.mean(x, axis=0) @ theta) if self.fit_intercept else 0.0
            for x, v, theta in zip(rows, out, self.task_coef_, strict=True)
        ]
        self.task_intercept_ = np.array(means)
        self.noise_variance_ = self._noise(tasks)

    def _noise(self, tasks: Prepared) -> float:
        r, d = self.components_.shape
        residuals = [
            v - x @ theta for x, v, theta in zip(tasks.X, tasks.y, self.task_coef_, strict=True)
        ]
        free = float(np.sum(tasks.n - np.minimum(tasks.n, r))) - r * (tasks.basis.shape[1] - r)
        return sum(float(e @ e) for e in residuals) / free if free > 0 else float("nan")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.transformer_tags.preserves_dtype = ["float64"]
        return tags


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
