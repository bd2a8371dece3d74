"""`TransLasso`: pool the sources, then correct on the target; choose the sources by aggregation.

Li, Cai and Li, "Transfer learning for high-dimensional linear regression", JRSS-B 2022. Symbols:
``w`` the coefficients of the pooled sample, ``delta = b - w`` their correction.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from tlstat.errors import InputError
from tlstat.transfer_lasso.aggregation import q_aggregate
from tlstat.transfer_lasso.cv import TransferLassoCV
from tlstat.transfer_lasso.fitting import TransferRegressor, check_level, take_rows
from tlstat.transfer_lasso.solver import Solution, solve

__all__ = ["TransLasso"]

METHODS = ("aggregated", "oracle")


class TransLasso(TransferRegressor):
    """Trans-Lasso: linear regression on a target sample and samples of other populations.

    ``method="oracle"`` takes all sources for informative: a lasso ``w`` on target and sources
    together, then ``b = w + delta`` with a sparse ``delta`` fitted on the target, which is the
    transfer lasso with ``alpha = 0`` and source ``w``. ``method="aggregated"`` does not trust the
    sources: it ranks them by how much their correlations with the response differ from the
    target's, fits the oracle method with none, the first, the first two, ... of them, and combines
    these candidates by Q-aggregation on target rows held out for it.

    Parameters
    ----------
    method : {"aggregated", "oracle"}
    constant : float, optional
        Penalty levels are ``constant * sqrt(2 log(p) / n)``, with ``n`` the rows of each step. By
        default such that the target's own lasso has the level chosen by cross-validation (for
        ``"aggregated"`` without the rows held out).
    screened : int, optional
        The rank of a source is by that many of its largest squared differences of correlations;
        by default a third of the target rows in use.
    held_out : float
        Share of the target rows that aggregate, in (0, 1).
    cv : int, splitter or iterable, optional
        Folds that choose ``constant``.
    fit_intercept : bool
        An intercept for every sample, never penalised.
    tol : float
        Relative duality gap of every fit.
    max_iter : int
        Limit of the solver's rounds, a fit.
    random_state : int, RandomState or None
        Draws the rows held out.

    Attributes
    ----------
    coef_, intercept_ : ndarray, shape (p,), and float
    source_coef_ : ndarray, shape (p,)
        ``w``, for ``"oracle"`` or without sources (then zero); ``unchanged_`` and ``df_`` speak
        of it and exist there only.
    candidates_ : list of tuple of int
        Sets of sources, by their positions.
    candidate_coefs_ : ndarray, shape (candidates, p)
    weights_ : ndarray, shape (candidates,)
        Of the aggregation.
    ranks_ : ndarray, shape (sources,)
        Squared differences of correlations, summed; small is near the target. For
        ``"aggregated"``.
    constant_ : float
    dual_gap_ : float
        The largest relative duality gap among the fits.
    aggregation_gap_ : float
        That of the aggregation.
    n_iter_ : int
        The largest number of rounds among the fits.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    Notes
    -----
    Written from the method's description. Differs from the authors' script: the aggregation is
    solved to a certificate instead of ten greedy steps, and nothing is thresholded afterwards.
    Samples have intercepts of their own, so sources may differ in level.
    """

    def __init__(
        self,
        method: str = "aggregated",
        *,
        constant: float | None = None,
        screened: int | None = None,
        held_out: float = 1 / 3,
        cv: Any = None,
        fit_intercept: bool = True,
        tol: float = 1e-6,
        max_iter: int = 100,
        random_state: Any = None,
    ) -> None:
        self.method = method
        self.constant = constant
        self.screened = screened
        self.held_out = held_out
        self.cv = cv
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter
        self.random_state = random_state

    def fit(self, X: Any, y: Any, *, sources: Any = None) -> TransLasso:
        """Fit.

        Parameters
        ----------
        X : array_like or scipy.sparse matrix, shape (n, p)
        y : array_like, shape (n,)
            The target sample.
        sources : sequence of (X_k, y_k), optional
            Source samples with the same columns. Without any this is the lasso on the target.

        Returns
        -------
        self

        Raises
        ------
        InputError
            If an argument is wrong, or a source does not fit the target.
        """
        self._check()
        X, y = self._design(X, y, y_numeric=True)
        samples = self._sources(sources)
        self._reset()
        self.dual_gap_, self.n_iter_ = 0.0, 1
        if not samples or self.method == "oracle":
            self.constant_ = self._constant(X, y)
            everything = tuple(range(len(samples)))
            solution, w = self._oracle(X, y, samples)
            gap, rounds = self.dual_gap_, self.n_iter_
            self._keep(solution, w)
            self.dual_gap_, self.n_iter_ = gap, rounds
            self.candidates_, self.weights_ = [everything], np.ones(1)
            self.candidate_coefs_ = self.coef_[None]
        else:
            self._aggregate(X, y, samples)
        return self

    def _aggregate(self, X: Any, y: np.ndarray, samples: list[Any]) -> None:
        fitting, held = self._split(len(y))
        X_fit, y_fit = take_rows(X, fitting), y[fitting]
        self.constant_ = self._constant(X_fit, y_fit)
        self.ranks_ = self._ranks(X_fit, y_fit, samples)
        order = np.argsort(self.ranks_, kind="stable").tolist()
        self.candidates_ = [tuple(order[:size]) for size in range(len(order) + 1)]
        found = [
            self._oracle(X_fit, y_fit, [samples[k] for k in group])[0] for group in self.candidates_
        ]
        self.candidate_coefs_ = np.array([s.coef for s in found])
        levels = np.array([s.intercept for s in found])
        fits = np.asarray(take_rows(X, held) @ self.candidate_coefs_.T) + levels
        self.weights_, self.aggregation_gap_ = q_aggregate(fits, y[held])
        self.coef_ = self.weights_ @ self.candidate_coefs_
        self.intercept_ = float(self.weights_ @ levels)

    # ------------------------------------------------------------------- one step each

    def _oracle(self, X: Any, y: np.ndarray, samples: list[Any]) -> tuple[Solution, np.ndarray]:
        """The two steps with given sources, and ``w``; without sources the lasso."""
        n, p = X.shape
        if not samples:
            return self._solve(X, y, self._level(n, p), 0.0), np.zeros(p)
        pooled, response = _pool([(X, y), *samples], self.fit_intercept)
        penalised = np.ones(pooled.shape[1])
        penalised[p:] = 0  # the samples' own intercepts
        level = self._level(len(response), p)
        first = self._solve(pooled, response, level, 0.0, weights=penalised, fit_intercept=False)
        w = first.coef[:p]
        return self._solve(X, y, 0.0, self._level(n, p), source_coef=w, coef_init=w), w

    def _solve(self, X: Any, y: Any, l1: float, l2: float, **options: Any) -> Solution:
        options = {"fit_intercept": self.fit_intercept, **options}
        solution = solve(X, y, l1, l2, tol=self.tol, max_iter=self.max_iter, **options)
        self.dual_gap_ = max(self.dual_gap_, solution.gap)
        self.n_iter_ = max(self.n_iter_, solution.n_iter)
        return solution

    def _level(self, n: int, p: int) -> float:
        return self.constant_ * _unit(n, p)

    def _constant(self, X: Any, y: np.ndarray) -> float:
        if self.constant is not None:
            return check_level(self.constant, "constant")
        chosen = TransferLassoCV(
            alphas=1.0,
            cv=self.cv,
            fit_intercept=self.fit_intercept,
            tol=self.tol,
            max_iter=self.max_iter,
        ).fit(X, y)
        return chosen.lam_ / _unit(*X.shape)

    def _ranks(self, X: Any, y: np.ndarray, samples: list[Any]) -> np.ndarray:
        """Distance of every source's correlations ``X'y/n`` from the target's."""
        kept = max(1, round(len(y) / 3)) if self.screened is None else self.screened
        target = _correlations(X, y, self.fit_intercept)
        squares = [
            (_correlations(X_k, y_k, self.fit_intercept) - target) ** 2 for X_k, y_k in samples
        ]
        return np.array([np.sum(np.sort(s)[-kept:]) for s in squares])

    def _split(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        count = round(self.held_out * n)
        if not 1 <= count <= n - 2:
            raise InputError(
                f"held_out is {self.held_out} of {n} target rows; expected at least one row held "
                "out and two rows left"
            )
        order = check_random_state(self.random_state).permutation(n)
        return np.sort(order[count:]), np.sort(order[:count])

    # ------------------------------------------------------------------- input

    def _check(self) -> None:
        if self.method not in METHODS:
            raise InputError(f"method is {self.method!r}; expected one of {', '.join(METHODS)}")
        if not (np.ndim(self.held_out) == 0 and 0 < self.held_out < 1):
            raise InputError(f"held_out is {self.held_out!r}; expected a share between 0 and 1")
        kept = self.screened
        if kept is not None and not (isinstance(kept, int | np.integer) and kept >= 1):
            raise InputError(f"screened is {kept!r}; expected an integer of at least 1")

    def _sources(self, sources: Any) -> list[tuple[Any, np.ndarray]]:
        """The source samples, checked against the target's columns."""
        if sources is None:
            return []
        if isinstance(sources, str) or not hasattr(sources, "__iter__"):
            raise InputError("sources is not a sequence; expected (X_k, y_k) pairs")
        samples = []
        for number, pair in enumerate(sources):
            if not isinstance(pair, tuple | list) or len(pair) != 2:
                raise InputError(f"sources[{number}] is not a pair; expected (X_k, y_k)")
            try:
                samples.append(self._source_sample(*pair))
            except ValueError as problem:
                raise InputError(f"sources[{number}]: {problem}") from problem
        return samples

    def _source_sample(self, X: Any, y: Any) -> tuple[Any, np.ndarray]:
        return validate_data(
            self,
            X,
            y,
            reset=False,
            accept_sparse="csc",
            dtype=np.float64,
            y_numeric=True,
            ensure_min_samples=2 if self.fit_intercept else 1,
        )

    def _reset(self) -> None:
        """Forget what another method left behind at an earlier fit."""
        for name in ("source_coef_", "objective_", "ranks_", "aggregation_gap_"):
            self.__dict__.pop(name, None)


def _unit(n: int, p: int) -> float:
    # one column has log p = 0, which would mean no penalty at all
    return float(np.sqrt(2 * np.log(max(p, 2)) / n))


def _correlations(X: Any, y: np.ndarray, centre: bool) -> np.ndarray:
    return np.asarray(X.T @ (y - y.mean() if centre else y)).ravel() / len(y)


def _pool(samples: list[Any], intercepts: bool) -> tuple[Any, np.ndarray]:
    """All rows under each other. Dense samples are centred, sparse ones get indicator columns."""
    y = np.concatenate([y for _, y in samples])
    if not any(sparse.issparse(X) for X, _ in samples):
        if not intercepts:
            return np.asfortranarray(np.vstack([X for X, _ in samples])), y
        centred = np.vstack([X - X.mean(axis=0) for X, _ in samples])
        return np.asfortranarray(centred), np.concatenate([y - y.mean() for _, y in samples])
    parts: list[Any] = [sparse.csc_array(X) for X, _ in samples]
    rows: Any = sparse.vstack(parts)
    if intercepts:
        ones: list[Any] = [np.ones((X.shape[0], 1)) for X, _ in samples]
        both: list[Any] = [rows, sparse.block_diag(ones)]
        rows = sparse.hstack(both)
    return sparse.csc_array(rows), y
