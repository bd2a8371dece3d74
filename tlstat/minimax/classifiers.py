"""scikit-learn classifiers over a finite class: confidence-set minimisation, and selection.

The target sample is what ``fit`` gets as ``X`` and ``y``; the source sample is the optional
keyword ``source=(X_P, y_P)``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_is_fitted, check_X_y, validate_data

from tlstat.errors import InputError
from tlstat.minimax.estimators import confidence_set, confidence_set_erm, select
from tlstat.minimax.sampling import Sample

_MAX_BYTES = 2**32


@dataclass(frozen=True)
class Stump:
    """The hypothesis that labels by one feature: ``above`` if it is at least the threshold."""

    feature: int
    threshold: float
    below: Any
    above: Any

    def __call__(self, X: Any) -> np.ndarray:
        """Labels of the rows of ``X``."""
        return np.where(np.asarray(X)[:, self.feature] >= self.threshold, self.above, self.below)


class PredictionSample(Sample):
    """Statistics of one data set, from the predictions of a finite list of hypotheses.

    Parameters
    ----------
    predictions_P, predictions_Q : array, shape (H, n_P) and (H, n_Q)
        Labels that the hypotheses give to the source and to the target points.
    y_P, y_Q : array, shape (n_P,) and (n_Q,)
    ties : array, shape (2,)
        Uniform variates.
    """

    def __init__(
        self, predictions_P: Any, y_P: Any, predictions_Q: Any, y_Q: Any, ties: Any
    ) -> None:
        self._labels_P, self._labels_Q = np.asarray(predictions_P), np.asarray(predictions_Q)
        self._errors_P = (self._labels_P != y_P).sum(axis=1)
        self._errors_Q = (self._labels_Q != y_Q).sum(axis=1)
        self.n_P, self.n_Q, self.ties = len(y_P), len(y_Q), ties

    @property
    def errors_P(self) -> Any:
        """Numbers of errors on the source sample, shape (H,)."""
        return self._errors_P

    @property
    def errors_Q(self) -> Any:
        """Numbers of errors on the target sample, shape (H,)."""
        return self._errors_Q

    def differs_P(self, index: Any) -> Any:
        """Numbers of source points where hypotheses differ from the given one."""
        return (self._labels_P != self._labels_P[index]).sum(axis=1)

    def differs_Q(self, index: Any) -> Any:
        """Numbers of target points where hypotheses differ from the given one."""
        return (self._labels_Q != self._labels_Q[index]).sum(axis=1)

    def take(self, index: Any) -> Any:
        """Hypotheses are their indices."""
        return index


class _FiniteClassClassifier(ClassifierMixin, BaseEstimator):
    """What both classifiers share: hypotheses, statistics, prediction."""

    def __init__(
        self,
        hypotheses: Sequence[Any] | None = None,
        *,
        c: float = 1.0,
        delta: float = 0.05,
        dimension: int | None = None,
        n_thresholds: int = 32,
        random_state: Any = None,
    ) -> None:
        self.hypotheses = hypotheses
        self.c = c
        self.delta = delta
        self.dimension = dimension
        self.n_thresholds = n_thresholds
        self.random_state = random_state

    @abstractmethod
    def _choose(self, sample: Sample, **options: Any) -> Any:
        """Index of the hypothesis that is returned."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # the default hypotheses know two labels each, so three classes are beyond them
        tags.classifier_tags.poor_score = self.hypotheses is None
        return tags

    def fit(self, X: Any, y: Any, *, source: tuple[Any, Any] | None = None) -> Any:
        """Choose a hypothesis.

        Parameters
        ----------
        X, y : array_like, shape (n_Q, p) and (n_Q,)
            The target sample. Both None: there is none, and the source alone decides.
        source : (X_P, y_P), optional
            The source sample; without it the target alone decides.

        Returns
        -------
        self
        """
        X, y, X_P, y_P = self._validated(X, y, source)
        self.classes_ = np.unique(np.concatenate([y, y_P]))
        self.hypotheses_ = self._class(np.concatenate([X, X_P]))
        labels = self._labels(np.concatenate([X, X_P]))
        if self.dimension is None:
            distinct = len(np.unique(labels, axis=0))
            dimension = max(1, int(np.log2(distinct)))
        else:
            dimension = self.dimension
        ties = check_random_state(self.random_state).uniform(size=2)
        n = len(y)
        sample = PredictionSample(labels[:, n:], y_P, labels[:, :n], y, ties)
        options: dict[str, Any] = {"c": self.c, "delta": self.delta, "dimension": dimension}
        self.feasible_ = confidence_set(sample, "Q", **options)
        self.index_ = int(self._choose(sample, **options))
        self.hypothesis_ = self.hypotheses_[self.index_]
        self.dimension_ = dimension
        self.target_errors_, self.source_errors_ = sample.errors_Q, sample.errors_P
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Labels by the chosen hypothesis, shape (n,)."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        return np.asarray(_apply(self.hypothesis_, X))

    def _validated(self, X: Any, y: Any, source: Any) -> tuple[Any, Any, Any, Any]:
        if X is None and y is None and source is not None:
            X_P, y_P = self._source(source, None)
            self.n_features_in_ = X_P.shape[1]
            return X_P[:0], y_P[:0], X_P, y_P
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        if source is None:
            return X, y, X[:0], y[:0]
        return (X, y, *self._source(source, X.shape[1]))

    def _source(self, source: Any, features: int | None) -> tuple[np.ndarray, np.ndarray]:
        if not isinstance(source, (tuple, list)) or len(source) != 2:
            raise InputError("source is not a pair; expected (X_P, y_P)")
        if np.shape(source[0])[:1] == (0,):
            X_P = check_array(source[0], ensure_min_samples=0)
            y_P = np.asarray(source[1])
        else:
            X_P, y_P = check_X_y(*source)
            check_classification_targets(y_P)
        if features is not None and X_P.shape[1] != features:
            raise InputError(f"source has {X_P.shape[1]} features; expected {features}, as X")
        return X_P, y_P

    def _class(self, X: np.ndarray) -> list[Callable[[Any], Any]]:
        if self.hypotheses is not None:
            if len(self.hypotheses) == 0:
                raise InputError("hypotheses is empty; expected at least one, or None for stumps")
            return list(self.hypotheses)
        # the class may depend on the inputs, never on the labels
        levels = np.linspace(0, 1, self.n_thresholds + 1)[:-1]
        grid = [np.unique(np.quantile(column, levels)) for column in X.T]
        several = len(self.classes_) > 1
        pairs = [(a, b) for a in self.classes_ for b in self.classes_ if a != b or not several]
        return [
            Stump(j, t, below, above)
            for j, thresholds in enumerate(grid)
            for t in thresholds
            for below, above in pairs
        ]

    def _labels(self, X: np.ndarray) -> np.ndarray:
        """Labels of all points by all hypotheses, shape (H, n)."""
        needed = 3 * 8 * len(self.hypotheses_) * len(X)
        if needed > _MAX_BYTES:
            raise InputError(
                f"hypotheses: {len(self.hypotheses_)} labellings of {len(X)} points need about "
                f"{needed / 2**30:.1f} GiB; expected at most {_MAX_BYTES / 2**30:.0f} GiB: take "
                "fewer hypotheses"
            )
        rows = [np.asarray(_apply(h, X)) for h in self.hypotheses_]
        for number, row in enumerate(rows):
            if row.shape != (len(X),):
                raise InputError(
                    f"hypotheses[{number}] gives shape {row.shape} for {len(X)} points; expected "
                    f"({len(X)},), one label each"
                )
        return np.stack(rows)


class ConfidenceSetClassifier(_FiniteClassClassifier):
    """Algorithm I over a finite class: the best on the source that the target does not rule out.

    Reaches the better of the source's and the target's rate, up to logarithms, if both laws
    share their best hypothesis. Without a source sample it is the target's minimiser.

    Parameters
    ----------
    hypotheses : sequence of callables or fitted classifiers, optional
        Each maps inputs to labels (``h(X)`` or ``h.predict(X)``). They must not have been chosen
        by the labels that ``fit`` gets. By default all decision stumps at quantiles of the inputs.
    c : float
        Factor of the confidence radius.
    delta : float
        Probability of failure, in (0, 1].
    dimension : int, optional
        VC dimension in the radius; by default ``log2`` of the number of labellings that the
        class gives to the points, at least 1.
    n_thresholds : int
        Quantiles of each feature for the default stumps.
    random_state : int, RandomState or None
        Breaks ties.

    Attributes
    ----------
    hypothesis_, index_ : object, int
        What was chosen.
    hypotheses_ : list
        The class.
    feasible_ : ndarray of bool, shape (H,)
        The target's confidence set.
    dimension_ : int
        As used.
    target_errors_, source_errors_ : ndarray, shape (H,)
        Numbers of errors.
    classes_, n_features_in_
        As in scikit-learn.

    Notes
    -----
    arXiv:2002.04747; the constant of the radius there is universal and not specified.
    """

    def _choose(self, sample: Sample, **options: Any) -> Any:
        return confidence_set_erm(sample, **options)


class SelectionClassifier(_FiniteClassClassifier):
    """Algorithm II over a finite class: the source's minimiser if the target sample accepts it.

    Otherwise the target's. Needs no shared best hypothesis.

    Parameters and attributes as for `ConfidenceSetClassifier`.
    """

    def _choose(self, sample: Sample, **options: Any) -> Any:
        return select(sample, **options)


def _apply(hypothesis: Any, X: np.ndarray) -> Any:
    return hypothesis.predict(X) if hasattr(hypothesis, "predict") else hypothesis(X)
