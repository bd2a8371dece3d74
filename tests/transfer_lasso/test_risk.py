"""Exact risks, against quadrature over a brute-force minimiser."""

import numpy as np
import pytest
from scipy import integrate

from tlstat.errors import InputError
from tlstat.transfer_lasso.risk import (
    l2_error,
    orthonormal_risk,
    prediction_risk,
    selection,
    unchanged_share,
)

CASES = [
    (1.0, 0.2, 0.3, 0.8, 0.5),
    (1.0, 0.3, 0.2, 0.8, 0.5),
    (-0.4, 0.3, 0.2, -0.8, 0.5),
    (0.7, 0.3, 0.2, -0.8, 0.5),
    (0.1, 0.3, 0.2, 0.0, 0.2),
    (0.0, 0.25, 0.25, 1.5, 1.0),
    (2.0, 0.0, 0.4, 1.0, 0.3),
    (2.0, 0.4, 0.0, 1.0, 0.3),
]


def brute_force(z, l1, l2, b0):
    """The minimiser among knots and stationary points, by its objective."""
    points = [0.0, b0] + [z + i * l1 + j * l2 for i in (-1, 1) for j in (-1, 1)]
    return min(points, key=lambda b: (b - z) ** 2 / 2 + l1 * abs(b) + l2 * abs(b - b0))


@pytest.mark.parametrize("case", CASES)
def test_orthonormal_risk_by_quadrature(case):
    beta, l1, l2, b0, noise = case
    edges = sorted({i * l1 + j * l2 + k for i in (-1, 1) for j in (-1, 1) for k in (0, b0)})
    inner = [beta - 9 * noise, *edges, beta + 9 * noise]
    inner = [e for e in sorted(inner) if abs(e - beta) <= 9 * noise]

    def mean(f):
        def integrand(z):
            density = np.exp(-(((z - beta) / noise) ** 2) / 2) / (noise * np.sqrt(2 * np.pi))
            return f(brute_force(z, l1, l2, b0)) * density

        pieces = zip(inner[:-1], inner[1:], strict=True)
        return sum(integrate.quad(integrand, *ends, epsabs=1e-12)[0] for ends in pieces)

    found = orthonormal_risk(*case)
    assert found.error == pytest.approx(mean(lambda b: (b - beta) ** 2), abs=1e-9)
    assert found.zero == pytest.approx(mean(lambda b: b == 0), abs=1e-9)
    assert found.unchanged == pytest.approx(mean(lambda b: b == b0), abs=1e-9)
    assert found.free == pytest.approx(mean(lambda b: b not in (0, b0)), abs=1e-9)


def test_degrees_of_freedom_are_the_mean_divergence():
    """E sum_j d b_j / d z_j, by a difference of means: the count of coordinates off both knots."""
    r = np.random.default_rng(0)
    z = 0.4 + 0.5 * r.normal(size=400_000)
    h = 1e-4

    def fit(z):
        levels = np.stack(
            np.broadcast_arrays(0.0, 0.8, z + 0.5, z - 0.1, z - 0.5)  # l1 = .3, l2 = .2
        )
        return np.median(levels, axis=0)

    slope = (fit(z + h) - fit(z - h)) / (2 * h)
    error = slope.std() / np.sqrt(len(z))
    assert abs(slope.mean() - orthonormal_risk(0.4, 0.3, 0.2, 0.8, 0.5).free) < 5 * error


def test_limits():
    assert orthonormal_risk(1.0, 0, 0, 0.5, 0.2).error == pytest.approx(0.04)
    assert orthonormal_risk(1.0, 50, 0, 0.5, 0.2).error == pytest.approx(1.0)
    assert orthonormal_risk(1.0, 0, 50, 0.5, 0.2).error == pytest.approx(0.25)


def test_risks_of_estimates():
    beta, coef = np.array([1.0, 0.0]), np.array([[1.0, 2.0], [0.0, 0.0]])
    np.testing.assert_allclose(l2_error(coef, beta), [2, 1])
    C = np.array([[1.0, 0.5], [0.5, 2.0]])
    np.testing.assert_allclose(prediction_risk(coef, beta, C), [8, 1])


def test_selection_by_counting():
    """Against a confusion matrix counted one coefficient at a time, and scikit-learn's F1."""
    from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

    r = np.random.default_rng(0)
    beta = np.array([3, 1.5, 0, 0, 2, 0.0])
    coef = r.normal(size=(40, 6)) * (r.uniform(size=(40, 6)) < 0.5)
    found = selection(coef, beta)
    for i, b in enumerate(coef):
        truth, there = beta != 0, b != 0
        assert found.sensitivity[i] == pytest.approx(recall_score(truth, there))
        assert found.specificity[i] == pytest.approx(recall_score(~truth, ~there))
        assert found.precision[i] == pytest.approx(precision_score(truth, there, zero_division=1))
        assert found.f1[i] == pytest.approx(f1_score(truth, there))
        assert found.accuracy[i] == pytest.approx(accuracy_score(truth, there))


def test_selection_of_nothing_and_of_everything():
    beta = np.array([1.0, -2.0, 0.0, 0.0])
    assert tuple(selection(np.zeros(4), beta)) == (0, 1, 1, 0, 0.5)
    assert tuple(selection(np.ones(4), beta)) == pytest.approx((1, 0, 0.5, 2 / 3, 0.5))
    assert selection(np.ones(2), np.ones(2)).specificity == 1
    with pytest.raises(InputError, match="beta is 0 everywhere"):
        selection(np.ones(2), np.zeros(2))


def test_unchanged_share_is_of_the_support_and_exact():
    beta, b0 = np.array([1.0, 2.0, 0.0]), np.array([0.9, 2.1, 0.3])
    coef = np.array([[0.9, 2.0, 0.3], [0.9, 2.1, 0.0], [0.9 + 1e-15, 2, 0.3]])
    np.testing.assert_array_equal(unchanged_share(coef, b0, beta), [0.5, 1, 0])
    # a source for each estimate
    np.testing.assert_array_equal(unchanged_share(coef, coef[::-1], beta), [0.5, 1, 0.5])


def test_bad_input():
    with pytest.raises(InputError, match="l1 is -1"):
        orthonormal_risk(1.0, -1, 0, 0, 1)
    with pytest.raises(InputError, match="noise is 0"):
        orthonormal_risk(1.0, 1, 0, 0, 0.0)
