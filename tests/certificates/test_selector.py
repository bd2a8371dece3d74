"""`CertifiedSelector`: a scikit-learn estimator whose certificate holds."""

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from tlstat.certificates.certifying import certify
from tlstat.certificates.selector import CertifiedSelector
from tlstat.errors import InputError


class Clipped:
    """A bounded loss, as an object with a name: the names of tests hold no addresses."""

    def __repr__(self):
        return "clipped"

    def __call__(self, y, prediction):
        return np.minimum((y - prediction) ** 2 / 100, 1)


clipped = Clipped()


@parametrize_with_checks(
    [
        CertifiedSelector([LogisticRegression(), KNeighborsClassifier(3)], test_size=0.3),
        CertifiedSelector([LogisticRegression(C=c) for c in (0.1, 1.0)], weights="dyadic"),
        CertifiedSelector([("ols", LinearRegression()), ("ridge", Ridge())], loss=clipped),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def data():
    return make_classification(400, 10, n_informative=4, class_sep=0.8, random_state=0)


CANDIDATES = [
    ("guess", DummyClassifier()),
    ("logistic", LogisticRegression()),
    ("tree", DecisionTreeClassifier(random_state=0)),
]


def test_it_selects_and_certifies_on_the_held_out_part(data):
    X, y = data
    selector = CertifiedSelector(CANDIDATES, test_size=0.5, random_state=1).fit(X, y)
    assert selector.result_.n == 200 and selector.result_.candidates == 3
    assert selector.selected_ == int(np.argmin(selector.result_.risks))
    assert selector.best_estimator_ is selector.estimators_[selector.selected_]
    assert selector.result_.risk < selector.certificate_ < 1
    assert selector.result_.name in ("logistic", "tree")
    np.testing.assert_array_equal(selector.predict(X), selector.best_estimator_.predict(X))
    np.testing.assert_array_equal(
        selector.predict_proba(X), selector.best_estimator_.predict_proba(X)
    )
    assert selector.score(X, y) == selector.best_estimator_.score(X, y)


def test_the_originals_stay_unfitted(data):
    selector = CertifiedSelector(CANDIDATES).fit(*data)
    assert not hasattr(CANDIDATES[1][1], "coef_")
    assert selector.estimators_[1] is not CANDIDATES[1][1]


def test_prefitted_candidates_are_selected_on_all_the_data(data):
    X, y = data
    fitted = [(name, clone(e).fit(X[:200], y[:200])) for name, e in CANDIDATES]
    selector = CertifiedSelector(fitted, prefit=True, candidates=50).fit(X[200:], y[200:])
    assert selector.estimators_[0] is fitted[0][1]
    losses = np.stack([e.predict(X[200:]) != y[200:] for _, e in fitted], axis=1)
    assert selector.certificate_ == certify(losses, candidates=50).bound


def test_models_that_were_tried_and_dropped_cost(data):
    one = CertifiedSelector(CANDIDATES, random_state=0).fit(*data)
    many = CertifiedSelector(CANDIDATES, random_state=0, candidates=1_000).fit(*data)
    assert many.certificate_ > one.certificate_
    assert many.selected_ == one.selected_


def test_a_label_that_the_first_part_misses_has_probability_zero():
    X = np.arange(12.0)[:, None]
    y = np.array(["a"] * 6 + ["b"] * 5 + ["rare"])
    for seed in range(30):
        selector = CertifiedSelector([KNeighborsClassifier(1)], random_state=seed).fit(X, y)
        proba = selector.predict_proba(X)
        assert proba.shape == (12, 3)
        np.testing.assert_allclose(proba.sum(axis=1), 1)
        if "rare" not in selector.best_estimator_.classes_:
            assert (proba[:, 2] == 0).all()
            return
    raise AssertionError("no split without the rare label")


def test_pipelines_and_frames(data):
    import pandas as pd

    X, y = data
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])
    pipes = [make_pipeline(StandardScaler(), LogisticRegression(C=c)) for c in (0.01, 1)]
    selector = CertifiedSelector(pipes).fit(frame, y)
    assert list(selector.feature_names_in_) == list(frame.columns)
    assert selector.result_.names == ("Pipeline 1", "Pipeline 2")


def test_a_bounded_loss_of_regressors_is_certified_by_the_kl_inverse():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    y = X @ [1.0, 2.0, 3.0] + rng.normal(size=300)
    selector = CertifiedSelector([Ridge(a) for a in (1, 1e4)], loss=clipped).fit(X, y)
    assert selector.selected_ == 0
    assert selector.result_.bounds[0].name == "kl_inverse"


def test_the_certificate_holds_as_often_as_it_says():
    """Labels are coin flips with p = .7: the true error of the majority guess is known."""
    rng = np.random.default_rng(7)
    candidates = [DummyClassifier(strategy="constant", constant=c) for c in (0, 1)]
    wrong, runs, delta = 0, 400, 0.2
    for _ in range(runs):
        y = rng.binomial(1, 0.7, size=30)
        y[:2] = 0, 1  # the part that is fitted on, hence not certified, has both labels
        fitted = [c.fit(np.zeros((2, 1)), y[:2]) for c in candidates]
        selector = CertifiedSelector(fitted, delta=delta, prefit=True)
        selector.fit(np.zeros((28, 1)), y[2:])
        wrong += selector.certificate_ < (0.7, 0.3)[selector.selected_]
    assert binom.sf(wrong - 1, runs, delta) > 1e-6
    assert wrong > 0  # the certificate is not so wide that it could not fail


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(estimators=[]), "estimators is empty"),
        (dict(estimators=3), "estimators is 3"),
        (dict(estimators=["tree"]), "no fit and predict"),
        (dict(estimators=[Ridge(), LogisticRegression()]), "mixes"),
        (dict(estimators=[Ridge()]), "loss is None"),
        (dict(loss="hinge"), "loss is 'hinge'"),
        (dict(loss=lambda y, p: 0.5), r"loss gave shape \(\)"),
        (dict(loss=lambda y, p: 2.0 * (y != p)), "expected numbers in"),
        (dict(delta=2), "delta is 2"),
        (dict(candidates=1), "fewer than the 2 columns"),
        (dict(primary="magic"), "primary is 'magic'"),
    ],
)
def test_bad_settings_are_refused(data, settings, message):
    base = dict(estimators=[LogisticRegression(), DummyClassifier()])
    with pytest.raises(InputError, match=message):
        CertifiedSelector(**(base | settings)).fit(*data)
