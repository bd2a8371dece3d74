"""Populations, and samplers whose law is compared with that of raw rows."""

import math

import numpy as np
import pytest

from tlstat.backend import Random
from tlstat.errors import InputError
from tlstat.transfer_lasso.models import RegressionModel, autoregressive, shifted_source

Z = 5.0  # a two-sided alarm every 1.7 million comparisons


def model(p=4, rho=0.5, sigma=2.0, **more):
    beta = np.array([1.0, 0, -2, 0, 0.5, 0, 0, 0])[:p]
    return RegressionModel(beta, autoregressive(p, rho), sigma, **more)


def moments_of_rows(m, n, rng, size):
    X, y = m.draw(n, rng, size)
    return np.swapaxes(X, 1, 2) @ X / n, np.einsum("rij,ri->rj", X, y) / n


def same_mean(a, b):
    error = np.sqrt(a.var(axis=0, ddof=1) / len(a) + b.var(axis=0, ddof=1) / len(b))
    return np.max(np.abs(a.mean(axis=0) - b.mean(axis=0)) / error) < Z


@pytest.mark.parametrize("n", [2, 4, 40])
def test_moments_have_the_law_of_raw_rows(n):
    """First and second moments of every entry, also with fewer rows than columns."""
    m, size = model(), 20_000
    gram, moment = m.draw_moments(n, Random(1), size)
    raw_gram, raw_moment = moments_of_rows(m, n, Random(2), size)
    drawn = np.concatenate([gram.reshape(size, -1), moment], axis=1)
    raw = np.concatenate([raw_gram.reshape(size, -1), raw_moment], axis=1)
    assert same_mean(drawn, raw)
    products = [x[:, :, None] * x[:, None, :] for x in (drawn, raw)]
    assert same_mean(*(x.reshape(size, -1) for x in products))


def test_moments_have_the_rank_of_the_sample():
    gram, _ = model().draw_moments(2, Random(3), 50)
    assert np.all(np.linalg.matrix_rank(gram) == 2)


def test_a_huge_sample_costs_nothing_and_is_near_the_truth():
    m = model()
    gram, moment = m.draw_moments(10**8, Random(4), 100)
    assert np.abs(gram - m.covariance).max() < 1e-3
    assert np.abs(moment - m.covariance @ m.beta).max() < 3e-3


def test_the_source_has_the_covariance_of_least_squares():
    m = model(m=50.0, drift=[0, 1.0, 0, 0])
    b0 = m.draw_source(Random(5), 40_000)
    centred = b0 - m.source
    truth = 4 * np.linalg.inv(m.covariance) / 50
    error = np.sqrt((np.outer(np.diag(truth), np.diag(truth)) + truth**2) / 40_000)
    assert np.max(np.abs(centred.T @ centred / 40_000 - truth) / error) < Z
    assert np.max(np.abs(centred.mean(axis=0)) / np.sqrt(np.diag(truth) / 40_000)) < Z


def test_a_known_source_is_not_drawn():
    m = model(drift=[0, 1.0, 0, 0])
    np.testing.assert_array_equal(m.draw_source(Random(6), 3), np.tile([1, 1, -2, 0], (3, 1)))
    assert m.drift_l1 == 1


def test_traces_by_blocks():
    m = model(p=4, rho=0.3)
    C, S, N = m.covariance, [0, 2], [1, 3]
    assert m.trace_all == pytest.approx(sum(1 / np.linalg.eigvalsh(C)))
    assert m.trace_active == pytest.approx(sum(1 / np.linalg.eigvalsh(C[np.ix_(S, S)])))
    assert m.trace_inactive == pytest.approx(sum(1 / np.linalg.eigvalsh(C[np.ix_(N, N)])))
    assert m.trace_source == pytest.approx(np.linalg.inv(C)[0, 0] + np.linalg.inv(C)[2, 2])


def test_independent_columns_are_irrepresentable():
    m = model(rho=0.0)
    assert m.irrepresentable == 0
    assert m.shrinkage == pytest.approx(math.sqrt(2))


def test_from_cell_is_the_papers_population():
    m = RegressionModel.from_cell({"p": 8, "n": 100, "M": 2, "shift": "two"})
    np.testing.assert_array_equal(m.beta, [3, 1.5, 0, 0, 2, 0, 0, 0])
    np.testing.assert_array_equal(m.source, [3, 1.5, 0, 0, 0, 2, 0, 0])
    assert m.m == 10_000 and m.s == 3 and m.drift_l1 == 4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: model(sigma=-1.0), "sigma is -1.0"),
        (lambda: model(m=0.5), "m is 0.5"),
        (lambda: model(drift=[1.0]), "drift has shape"),
        (lambda: RegressionModel([1.0, np.nan], np.eye(2)), "beta has shape"),
        (lambda: RegressionModel([1.0, 2.0], np.eye(3)), "covariance has shape"),
        (lambda: RegressionModel([1.0, 2.0], np.ones((2, 2))), "positive definite"),
        (lambda: autoregressive(3, 1.0), "rho is 1.0"),
        (lambda: shifted_source(5, "two"), "p is 5"),
        (lambda: shifted_source(6, "tow_shift"), "shift is 'tow_shift'"),
        (lambda: model().draw_moments(0, Random(1)), "n is 0"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(InputError, match=message):
        make()
