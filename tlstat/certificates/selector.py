"""A scikit-learn meta-estimator that selects a model and certifies its risk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone, is_classifier
from sklearn.model_selection import train_test_split
from sklearn.utils import get_tags, indexable
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from tlstat.certificates.certifying import certify
from tlstat.errors import InputError


def _best_has(method: str) -> Callable[[Any], bool]:
    """Whether the selected model, or before fitting every candidate, has a method."""

    def check(selector: CertifiedSelector) -> bool:
        if hasattr(selector, "best_estimator_"):
            return hasattr(selector.best_estimator_, method)
        return all(hasattr(estimator, method) for _, estimator in selector._pairs())

    return check


class CertifiedSelector(MetaEstimatorMixin, BaseEstimator):
    """Select one of several models on held-out examples, with a certificate on its risk.

    The candidates are fitted on one random part of the data; the other part selects one of them
    and certifies it. Prefitted candidates are selected on all the data that `fit` is given.

    Parameters
    ----------
    estimators : list of estimators or of (name, estimator)
        Candidates, all classifiers or all regressors.
    delta : float
        With probability at least ``1 - delta`` over the held-out part, the risk of the selected
        model is at most ``certificate_``.
    candidates : int, optional
        Size of the class, if it is larger than the list: models tried earlier and dropped by
        their results on the same examples count. By default the length of the list.
    weights : {"uniform", "rank", "dyadic"} or array_like
        How delta is shared; rank and dyadic favour the first ones of the list.
    primary : str
        The bound that certifies, as in `certify`.
    loss : callable, optional
        ``loss(y, prediction)`` gives one loss in [0, 1] an example. By default the 0/1 error,
        for classifiers; regressors need one.
    test_size : float or int
        Share, or number, of the examples held out. Without effect with ``prefit``.
    prefit : bool
        The candidates are fitted already, on other data. They are used as they are.
    random_state : int, RandomState or None
        Draws the parts.

    Attributes
    ----------
    best_estimator_ : estimator
        The selected model.
    selected_ : int
        Its position in the list.
    certificate_ : float
        Upper limit of its risk.
    result_ : CertifyResult
        The certificate with all it relies on, and the bounds beside it.
    estimators_ : list of estimators
        All fitted candidates.
    classes_ : ndarray
        Labels of the data, for classifiers.

    Notes
    -----
    The certificate holds for the models as fitted on the first part, so the selected one is not
    fitted again on all data. It is void where the examples are not independent draws from the
    law that the risk is about (groups, time series, resampled classes), where preprocessing
    outside the candidates saw the held-out labels, or where the selector is fitted again with
    other settings until the certificate pleases. The parts are not stratified: a stratified part
    is no independent sample.

    The union bound behind it is Eq. 3 of arXiv:2502.06970 with a sharper bound.
    """

    def __init__(
        self,
        estimators: Sequence[Any],
        *,
        delta: float = 0.05,
        candidates: float | None = None,
        weights: Any = "uniform",
        primary: str = "auto",
        loss: Callable[[Any, Any], Any] | None = None,
        test_size: float = 0.5,
        prefit: bool = False,
        random_state: Any = None,
    ) -> None:
        self.estimators = estimators
        self.delta = delta
        self.candidates = candidates
        self.weights = weights
        self.primary = primary
        self.loss = loss
        self.test_size = test_size
        self.prefit = prefit
        self.random_state = random_state

    # ------------------------------------------------------------------ fitting

    def fit(self, X: Any, y: Any) -> CertifiedSelector:
        """Fit the candidates on one part of the data, select and certify on the other.

        Parameters
        ----------
        X : array_like, shape (n, features)
        y : array_like, shape (n,)

        Returns
        -------
        self

        Raises
        ------
        InputError
            If there is no candidate, the loss is missing or outside [0, 1], or an argument of
            `certify` is wrong.
        """
        pairs = self._pairs()
        classify = self._check(pairs)
        if y is None:
            raise InputError("CertifiedSelector requires y to be passed, but the target y is None")
        X, y = indexable(X, y)
        y = column_or_1d(y, warn=True)
        if classify:
            check_classification_targets(y)
            self.classes_ = np.unique(y)
        elif y.dtype == object:
            y = y.astype(float)
        if self.prefit:
            self.estimators_, X_held, y_held = [e for _, e in pairs], X, y
        else:
            X_fit, X_held, y_fit, y_held = train_test_split(
                X, y, test_size=self.test_size, random_state=self.random_state
            )
            self.estimators_ = [clone(e).fit(X_fit, y_fit) for _, e in pairs]
        losses = [self._losses(e, X_held, y_held) for e in self.estimators_]
        self.result_ = certify(
            np.stack(losses, axis=1),
            delta=self.delta,
            candidates=len(pairs) if self.candidates is None else self.candidates,
            weights=self.weights,
            primary=self.primary,
            names=[name for name, _ in pairs],
        )
        self.selected_, self.certificate_ = self.result_.selected, self.result_.bound
        self.best_estimator_ = self.estimators_[self.selected_]
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.best_estimator_, name):
                setattr(self, name, getattr(self.best_estimator_, name))
        return self

    def _losses(self, estimator: Any, X: Any, y: Any) -> np.ndarray:
        prediction = estimator.predict(X)
        if self.loss is None:
            return np.asarray(prediction != y, dtype=bool)
        losses = np.asarray(self.loss(y, prediction))
        if losses.shape != (len(y),):
            raise InputError(
                f"loss gave shape {losses.shape} for {len(y)} examples; expected a loss each"
            )
        return losses

    def _pairs(self) -> list[tuple[str, Any]]:
        """The candidates with their names."""
        if isinstance(self.estimators, str) or not hasattr(self.estimators, "__iter__"):
            raise InputError(f"estimators is {self.estimators!r}; expected a list of estimators")
        pairs = [
            e if isinstance(e, tuple) and len(e) == 2 else (f"{type(e).__name__} {j}", e)
            for j, e in enumerate(self.estimators, 1)
        ]
        if not pairs:
            raise InputError("estimators is empty; expected at least one")
        for name, estimator in pairs:
            if not hasattr(estimator, "fit") or not hasattr(estimator, "predict"):
                raise InputError(f"estimators has {name!r}, which has no fit and predict")
        return pairs

    def _check(self, pairs: list[tuple[str, Any]]) -> bool:
        """Whether the candidates are classifiers; they must be of one kind."""
        kinds = {is_classifier(e) for _, e in pairs}
        if len(kinds) > 1:
            raise InputError("estimators mixes classifiers with others; expected one kind")
        classify = kinds.pop()
        if self.loss is None and not classify:
            raise InputError(
                "loss is None, which means the 0/1 error of classifiers; give loss(y, prediction) "
                "with values in [0, 1] for these estimators"
            )
        if self.loss is not None and not callable(self.loss):
            raise InputError(f"loss is {self.loss!r}; expected a function of y and prediction")
        return classify

    # ------------------------------------------------------------- the selected model

    def predict(self, X: Any) -> Any:
        """Predictions of the selected model."""
        check_is_fitted(self)
        return self.best_estimator_.predict(X)

    @available_if(_best_has("predict_proba"))
    def predict_proba(self, X: Any) -> np.ndarray:
        """Class probabilities of the selected model, 0 for labels that it never saw."""
        check_is_fitted(self)
        found = self.best_estimator_.predict_proba(X)
        known = self.best_estimator_.classes_
        if np.array_equal(known, self.classes_):
            return np.asarray(found)
        out = np.zeros((found.shape[0], len(self.classes_)))
        out[:, np.searchsorted(self.classes_, known)] = found
        return out

    @available_if(_best_has("decision_function"))
    def decision_function(self, X: Any) -> Any:
        """Decision values of the selected model, as in ``best_estimator_.classes_``."""
        check_is_fitted(self)
        return self.best_estimator_.decision_function(X)

    @available_if(_best_has("score"))
    def score(self, X: Any, y: Any) -> float:
        """Score of the selected model."""
        check_is_fitted(self)
        return float(self.best_estimator_.score(X, y))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        every = [get_tags(e) for _, e in self._pairs()]
        for name in ("estimator_type", "classifier_tags", "regressor_tags"):
            setattr(tags, name, getattr(every[0], name))
        if tags.classifier_tags is not None:
            tags.classifier_tags.multi_label = False
        tags.target_tags.required = True
        tags.input_tags.sparse = all(t.input_tags.sparse for t in every)
        tags.input_tags.allow_nan = all(t.input_tags.allow_nan for t in every)
        return tags
