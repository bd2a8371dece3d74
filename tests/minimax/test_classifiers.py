"""The scikit-learn classifiers: its own checks, and the procedures they wrap."""

import math

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from tlstat.errors import InputError
from tlstat.minimax import ConfidenceSetClassifier, PowerThresholds, SelectionClassifier
from tlstat.minimax.classifiers import PredictionSample, Stump

BOTH = [ConfidenceSetClassifier, SelectionClassifier]


@parametrize_with_checks([make(n_thresholds=8) for make in BOTH])
def test_scikit_learn_conventions(estimator, check):
    check(estimator)


def thresholds():
    return [Stump(0, t, 0, 1) for t in np.linspace(-1, 1, 41)]


def data(model, n_P, n_Q, seed=0):
    rng = np.random.default_rng(seed)
    (x_P, y_P), (x_Q, y_Q) = model.draw_P(rng, (n_P,)), model.draw_Q(rng, (n_Q,))
    return (x_P[:, None], y_P), (x_Q[:, None], y_Q)


@pytest.mark.parametrize("seed", range(5))
def test_they_are_the_procedures_on_a_finite_class(seed):
    model = PowerThresholds(1, 1, 1, 0)
    (X_P, y_P), (X_Q, y_Q) = data(model, 400, 60, seed)
    labels = {h: np.array([rule(X) for rule in thresholds()]) for h, X in (("P", X_P), ("Q", X_Q))}
    errors_P = (labels["P"] != y_P).sum(axis=1)
    errors_Q = (labels["Q"] != y_Q).sum(axis=1)
    n, c, delta, d = 60, 0.7, 0.1, 1
    A = d / n * math.log(n / d) + math.log(1 / delta) / n
    options = {"c": c, "delta": delta, "dimension": d, "random_state": seed}
    one = ConfidenceSetClassifier(thresholds(), **options).fit(X_Q, y_Q, source=(X_P, y_P))
    best_Q = [h for h in range(41) if errors_Q[h] == errors_Q.min()]

    def inside(best):
        differs = (labels["Q"] != labels["Q"][best]).mean(axis=1)
        return errors_Q - errors_Q[best] <= n * (c * np.sqrt(differs * A) + c * A)

    assert any(np.array_equal(one.feasible_, inside(best)) for best in best_Q)
    assert one.feasible_[one.index_]
    assert errors_P[one.index_] == errors_P[one.feasible_].min()
    assert np.array_equal(one.predict(X_Q), labels["Q"][one.index_])
    two = SelectionClassifier(thresholds(), **options).fit(X_Q, y_Q, source=(X_P, y_P))
    accepted = errors_P[two.index_] == errors_P.min() and two.feasible_[two.index_]
    assert accepted or errors_Q[two.index_] == errors_Q.min()


@pytest.mark.parametrize("make", BOTH)
def test_either_sample_may_be_missing(make):
    (X_P, y_P), (X_Q, y_Q) = data(PowerThresholds(1), 200, 50)
    target = make(thresholds()).fit(X_Q, y_Q)
    assert target.target_errors_[target.index_] == target.target_errors_.min()
    source = make(thresholds()).fit(None, None, source=(X_P, y_P))
    assert source.source_errors_[source.index_] == source.source_errors_.min()
    assert source.predict(X_Q).shape == (50,)
    empty = make(thresholds(), random_state=0).fit(X_Q, y_Q, source=(X_P[:0], y_P[:0]))
    assert empty.index_ == clone(empty).fit(X_Q, y_Q).index_


def test_a_source_of_use_is_used():
    model = PowerThresholds(1, 1, 0, 0, 0.9, 0.3)
    risks = []
    for seed in range(30):
        source, (X_Q, y_Q) = data(model, 1000, 20, seed)
        for given in (None, source):
            fitted = ConfidenceSetClassifier(thresholds(), random_state=0).fit(
                X_Q, y_Q, source=given
            )
            risks.append(model.excess_Q(fitted.hypothesis_.threshold))
    alone, both = np.reshape(risks, (30, 2)).mean(axis=0)
    assert both < alone / 3


def test_a_misleading_source_is_turned_down_by_selection():
    rng = np.random.default_rng(0)
    X_Q, X_P = rng.uniform(-1, 1, (2, 2000, 1))
    y_Q, y_P = 1 * (X_Q[:, 0] >= 0), 1 * (X_P[:, 0] >= 0.6)
    fitted = SelectionClassifier(thresholds()).fit(X_Q, y_Q, source=(X_P, y_P))
    assert abs(fitted.hypothesis_.threshold) < 0.1
    trusting = SelectionClassifier(thresholds(), c=math.inf).fit(X_Q, y_Q, source=(X_P, y_P))
    assert trusting.hypothesis_.threshold == pytest.approx(0.6)


def test_fitted_classifiers_and_any_labels_will_do():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(200, 3))
    y = np.array(["no", "yes"])[1 * (X[:, 0] > 0)]
    other = rng.normal(size=(3, 300, 3))
    class_ = [
        LogisticRegression().fit(Z, np.array(["no", "yes"])[1 * (Z[:, j] > 0)])
        for j, Z in enumerate(other)
    ]
    fitted = SelectionClassifier(class_).fit(X, y)
    assert fitted.index_ == 0
    assert set(fitted.predict(X)) == {"no", "yes"}
    assert fitted.score(X, y) > 0.9


def test_default_hypotheses_are_stumps_that_do_not_look_at_labels():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(100, 2))
    y = 1 * (X[:, 1] > 0.3)
    fitted = ConfidenceSetClassifier(n_thresholds=10).fit(X, y)
    assert len(fitted.hypotheses_) == 2 * 10 * 2
    assert fitted.hypothesis_.feature == 1
    again = ConfidenceSetClassifier(n_thresholds=10).fit(X, 1 - y)
    assert {(h.feature, h.threshold) for h in fitted.hypotheses_} == {
        (h.feature, h.threshold) for h in again.hypotheses_
    }


def test_statistics_of_predictions():
    sample = PredictionSample([[0, 1], [1, 1]], [0, 0], [[1], [0]], [1], np.zeros(2))
    assert sample.errors_P.tolist() == [1, 2]
    assert sample.errors_Q.tolist() == [0, 1]
    assert sample.differs_P(0).tolist() == [0, 1]
    assert sample.differs_Q(1).tolist() == [1, 0]
    assert sample.take(1) == 1


X, Y = np.arange(6.0)[:, None], np.array([0, 0, 0, 1, 1, 1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SelectionClassifier([]).fit(X, Y), "hypotheses is empty"),
        (lambda: SelectionClassifier(delta=0).fit(X, Y), "delta is 0"),
        (lambda: SelectionClassifier(c=-1).fit(X, Y), "c is -1"),
        (lambda: SelectionClassifier(dimension=0).fit(X, Y), "dimension is 0"),
        (lambda: SelectionClassifier([lambda X: 0]).fit(X, Y), r"hypotheses\[0\] gives shape \(\)"),
        (lambda: SelectionClassifier().fit(X, Y, source=X), "source is not a pair"),
        (lambda: SelectionClassifier().fit(X, Y, source=(np.ones((2, 3)), [0, 1])), "3 features"),
        (
            lambda: SelectionClassifier([len] * 10**5).fit(np.ones((2000, 1)), np.arange(2000) % 2),
            "GiB; expected at most 4 GiB",
        ),
    ],
)
def test_bad_requests_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
