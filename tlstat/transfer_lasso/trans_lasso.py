"""`TransLasso`: pool the sources, then correct on the target; choose the sources by aggregation.

Li, Cai and Li, "Transfer learning for high-dimensional linear regression", JRSS-B 2022. Symbols:
``w`` the coefficients of the pooled sample, ``delta = b - w`` their correction.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from tlstat.errors import InputError
from tlstat.transfer_lasso.aggregation import q_aggregate
from tlstat.transfer_lasso.cv import TransferLassoCV
from tlstat.transfer_lasso.fitting import TransferRegressor, check_unmasked, take_rows
from tlstat.transfer_lasso.path import check_share
from tlstat.transfer_lasso.problem import check_level
from tlstat.transfer_lasso.solver import Solution, solve

__all__ = ["TransLasso"]

METHODS = ("aggregated", "oracle")


class Sample(NamedTuple):
    """Rows of one population; a weight is a number of rows."""

    X: Any
    y: np.ndarray
    weight: np.ndarray

    @property
    def n(self) -> float:
        """Rows, counted by their weights."""
        return float(np.sum(self.weight))

    def take(self, rows: np.ndarray) -> Sample:
        """A part of the sample."""
        return Sample(take_rows(self.X, rows), self.y[rows], self.weight[rows])

    def means(self) -> tuple[np.ndarray, float]:
        """Of the columns and of the response."""
        share = self.weight / self.n
        return np.asarray(self.X.T @ share).ravel(), float(self.y @ share)

    def correlations(self, centre: bool) -> np.ndarray:
        """``X'y/n``."""
        y = self.y - self.means()[1] if centre else self.y
        return np.asarray(self.X.T @ (self.weight * y)).ravel() / self.n


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
        Penalty levels are ``constant * sqrt(2 log(p) / n)``, with ``n`` the rows of each step,
        counted by their weights. By
        default such that the target's own lasso has the level chosen by cross-validation (for
        ``"aggregated"`` without the rows held out).
    screened : int, optional
        The rank of a source is by that many of its largest squared differences of correlations;
        by default a third of the target rows in use, counted by their weights.
    held_out : float
        Share of the target rows that aggregate, in (0, 1); of those with a weight above 0.
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
        ``w``, zero without sources; for ``"aggregated"`` those of the candidates, combined with
        the same weights as their coefficients.
    unchanged_ : ndarray of bool, shape (p,)
        Which coefficients equal ``w``'s exactly: for ``"aggregated"`` those that every candidate
        in use leaves as its own ``w`` has them.
    df_ : int
        Number of coefficients that are neither zero nor ``w``'s. No estimate of degrees of
        freedom, since ``w`` is fitted on the target too.
    objective_ : float
        Of the second step. Only where there is one: absent for ``"aggregated"`` with sources,
        whose coefficients minimise none.
    candidates_ : list of tuple of int
        Sets of sources, by their positions.
    candidate_coefs_, candidate_sources_ : ndarray, shape (candidates, p)
        ``b`` and ``w`` of every candidate.
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

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, sources: Any = None) -> TransLasso:
        """Fit.

        Parameters
        ----------
        X : array_like or scipy.sparse matrix, shape (n, p)
        y : array_like, shape (n,)
            The target sample.
        sample_weight : array_like, shape (n,), optional
            Weights of the target's rows: a row of weight 2 counts as two rows, in every mean, in
            the numbers of rows that the penalty levels depend on, and against source rows. So,
            unlike for `TransferLasso`, not only their proportions matter.
        sources : sequence of (X_k, y_k) or (X_k, y_k, sample_weight_k), optional
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
        target = self._sample(X, y, sample_weight)
        samples = self._sources(sources)
        self._reset()
        self.dual_gap_, self.n_iter_ = 0.0, 1
        if not samples or self.method == "oracle":
            self.constant_ = self._constant(target)
            self.candidates_, self.weights_ = [tuple(range(len(samples)))], np.ones(1)
            found = [self._oracle(target, samples)]
            self.objective_ = found[0][0].primal
        else:
            found = self._aggregate(target, samples)
        self.candidate_coefs_ = np.array([solution.coef for solution, _ in found])
        self.candidate_sources_ = np.array([w for _, w in found])
        # summed row by row: where all candidates kept their w, both sums are the same to the bit
        share = self.weights_[:, None]
        self.coef_ = np.sum(share * self.candidate_coefs_, axis=0)
        self.source_coef_ = np.sum(share * self.candidate_sources_, axis=0)
        self.intercept_ = float(sum(self.weights_ * [solution.intercept for solution, _ in found]))
        return self

    def _aggregate(self, target: Sample, samples: list[Sample]) -> list[Any]:
        """The candidates' fits; sets what tells how they are combined."""
        fitting, held = (target.take(rows) for rows in self._split(target.weight))
        self.constant_ = self._constant(fitting)
        self.ranks_ = self._ranks(fitting, samples)
        order = np.argsort(self.ranks_, kind="stable").tolist()
        self.candidates_ = [tuple(order[:size]) for size in range(len(order) + 1)]
        found = [self._oracle(fitting, [samples[k] for k in group]) for group in self.candidates_]
        fits = np.column_stack([held.X @ s.coef + s.intercept for s, _ in found])
        self.weights_, self.aggregation_gap_ = q_aggregate(fits, held.y, sample_weight=held.weight)
        return found

    # ------------------------------------------------------------------- one step each

    def _oracle(self, target: Sample, samples: list[Sample]) -> tuple[Solution, np.ndarray]:
        """The two steps with given sources, and ``w``; without sources the lasso."""
        p = target.X.shape[1]
        level = self._level(target.n, p)
        if not samples:
            return self._solve(target, level, 0.0), np.zeros(p)
        pooled = _pool([target, *samples], self.fit_intercept)
        penalised = np.ones(pooled.X.shape[1])
        penalised[p:] = 0  # the samples' own intercepts
        common = self._level(pooled.n, p)
        first = self._solve(pooled, common, 0.0, weights=penalised, fit_intercept=False)
        w = first.coef[:p]
        return self._solve(target, 0.0, level, source_coef=w, coef_init=w), w

    def _solve(self, sample: Sample, l1: float, l2: float, **options: Any) -> Solution:
        X, y, weight = sample
        options = {"fit_intercept": self.fit_intercept, "sample_weight": weight, **options}
        solution = solve(X, y, l1, l2, tol=self.tol, max_iter=self.max_iter, **options)
        self.dual_gap_ = max(self.dual_gap_, solution.gap)
        self.n_iter_ = max(self.n_iter_, solution.n_iter)
        return solution

    def _level(self, n: float, p: int) -> float:
        return self.constant_ * _unit(n, p)

    def _constant(self, target: Sample) -> float:
        if self.constant is not None:
            return check_level(self.constant, "constant")
        chosen = TransferLassoCV(
            alphas=1.0,
            cv=self.cv,
            fit_intercept=self.fit_intercept,
            tol=self.tol,
            max_iter=self.max_iter,
        ).fit(*target)
        return chosen.lam_ / _unit(target.n, target.X.shape[1])

    def _ranks(self, target: Sample, samples: list[Sample]) -> np.ndarray:
        """Distance of every source's correlations ``X'y/n`` from the target's."""
        kept = max(1, round(target.n / 3)) if self.screened is None else self.screened
        own = target.correlations(self.fit_intercept)
        squares = [(sample.correlations(self.fit_intercept) - own) ** 2 for sample in samples]
        return np.array([np.sum(np.sort(s)[-kept:]) for s in squares])

    def _split(self, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows = np.flatnonzero(weight)
        n = len(rows)
        count = round(self.held_out * n)
        if not 1 <= count <= n - 2:
            raise InputError(
                f"held_out is {self.held_out} of {n} target rows; expected at least one row held "
                "out and two rows left"
            )
        order = rows[check_random_state(self.random_state).permutation(n)]
        return np.sort(order[count:]), np.sort(order[:count])

    # ------------------------------------------------------------------- input

    def _check(self) -> None:
        if self.method not in METHODS:
            raise InputError(f"method is {self.method!r}; expected one of {', '.join(METHODS)}")
        check_share(self.held_out, "held_out")
        kept = self.screened
        if kept is not None and not (isinstance(kept, int | np.integer) and kept >= 1):
            raise InputError(f"screened is {kept!r}; expected an integer of at least 1")

    def _sample(self, X: Any, y: np.ndarray, sample_weight: Any) -> Sample:
        weight = self._weights(sample_weight, X)
        return Sample(X, y, np.ones(len(y)) if weight is None else weight)

    def _sources(self, sources: Any) -> list[Sample]:
        """The source samples, checked against the target's columns."""
        if sources is None:
            return []
        if isinstance(sources, str) or not hasattr(sources, "__iter__"):
            raise InputError("sources is not a sequence; expected (X_k, y_k) pairs")
        samples = []
        for number, pair in enumerate(sources):
            if not isinstance(pair, tuple | list) or len(pair) not in (2, 3):
                raise InputError(
                    f"sources[{number}] is not a pair; expected (X_k, y_k), or with weights of "
                    "rows (X_k, y_k, sample_weight_k)"
                )
            try:
                samples.append(self._source_sample(*pair))
            except ValueError as problem:
                raise InputError(f"sources[{number}]: {problem}") from problem
        return samples

    def _source_sample(self, X: Any, y: Any, sample_weight: Any = None) -> Sample:
        check_unmasked(X=X, y=y)
        X, y = validate_data(
            self,
            X,
            y,
            reset=False,
            accept_sparse="csc",
            dtype=np.float64,
            y_numeric=True,
            ensure_min_samples=2 if self.fit_intercept else 1,
        )
        return self._sample(X, y, sample_weight)

    def _reset(self) -> None:
        """Forget what another method left behind at an earlier fit."""
        for name in ("objective_", "ranks_", "aggregation_gap_"):
            self.__dict__.pop(name, None)


def _unit(n: float, p: int) -> float:
    # one column has log p = 0, which would mean no penalty at all
    return float(np.sqrt(2 * np.log(max(p, 2)) / n))


def _pool(samples: list[Sample], intercepts: bool) -> Sample:
    """All rows under each other. Dense samples are centred, sparse ones get indicator columns."""
    weight = np.concatenate([sample.weight for sample in samples])
    if any(sparse.issparse(sample.X) for sample in samples):
        y = np.concatenate([sample.y for sample in samples])
        return Sample(_stack(samples, intercepts), y, weight)
    if intercepts:
        samples = [_centred(sample) for sample in samples]
    rows = np.asfortranarray(np.vstack([sample.X for sample in samples]))
    return Sample(rows, np.concatenate([sample.y for sample in samples]), weight)


def _centred(sample: Sample) -> Sample:
    column, level = sample.means()
    return Sample(sample.X - column, sample.y - level, sample.weight)


def _stack(samples: list[Sample], intercepts: bool) -> Any:
    parts: list[Any] = [sparse.csc_array(sample.X) for sample in samples]
    rows: Any = sparse.vstack(parts)
    if intercepts:
        ones: list[Any] = [np.ones((sample.X.shape[0], 1)) for sample in samples]
        both: list[Any] = [rows, sparse.block_diag(ones)]
        rows = sparse.hstack(both)
    return sparse.csc_array(rows)
