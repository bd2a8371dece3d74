"""Task families: diversity as asked for, and responses and covariates of the laws stated.

Alarm level: fewer than 50 statistical tests at a normal deviate of 5.5 each, so that a right
sampler fails one of them with probability below 2e-6.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlstat.backend import Random, to_numpy
from tlstat.errors import InputError
from tlstat.task_diversity.models import (
    COVARIATES,
    LinearTasks,
    LogisticTasks,
    one_weak_direction,
)

Z = 5.5


def gram(A: np.ndarray) -> np.ndarray:
    return A.T @ A / len(A)


@given(st.lists(st.floats(0, 5), min_size=1, max_size=9), st.integers(1, 3))
def test_hadamard_heads_have_the_spectrum_exactly(spectrum: list[float], tiles: int) -> None:
    if max(spectrum) == 0:
        return
    r = len(spectrum)
    order = LinearTasks(r, r, 64, spectrum).order
    tasks = LinearTasks(r + 2, r, order * tiles, spectrum)
    A = tasks.draw_heads(Random(0))[0]
    np.testing.assert_allclose(gram(A), np.diag(spectrum), atol=1e-13)
    np.testing.assert_allclose((A**2).sum(1), sum(spectrum), rtol=1e-13)
    np.testing.assert_allclose(A.mean(0), 0, atol=1e-13)
    np.testing.assert_allclose(gram(A), tasks.C, atol=1e-13)


def test_equal_spectrum_is_the_most_diverse_there_is() -> None:
    tasks = LinearTasks(10, 4, 16)
    assert tasks.nu == pytest.approx(1 / 4, rel=1e-15)
    assert tasks.condition_number == pytest.approx(1)
    assert tasks.mean_condition_number == pytest.approx(1)
    weak = LinearTasks(10, 3, 8, (0.6, 0.3, 0.1))
    assert weak.nu == pytest.approx(0.1)
    assert weak.condition_number == pytest.approx(6)
    assert weak.mean_condition_number == pytest.approx(1 / 0.3)


def test_rank_deficient_tasks() -> None:
    tasks = LinearTasks(10, 3, 8, (0.5, 0.5, 0))
    assert tasks.nu == 0
    assert tasks.condition_number == tasks.mean_condition_number == np.inf
    assert np.linalg.matrix_rank(tasks.draw_heads(Random(0))[0]) == 2


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_homogeneity_replaces_a_share_by_one_head(share: float) -> None:
    tasks = LinearTasks(10, 3, 16, (0.5, 0.3, 0.2), homogeneity=share)
    A = tasks.draw_heads(Random(0), 2)
    assert A.shape == (2, 16, 3)
    same = np.all(A[0] == np.array([1.0, 0, 0]), axis=1)
    assert same.sum() == 16 * share
    np.testing.assert_allclose(gram(A[0]), tasks.C, atol=1e-14)
    assert tasks.nu == pytest.approx((1 - share) * 0.2)


def test_gaussian_heads_have_the_spectrum_in_the_mean() -> None:
    tasks = LinearTasks(10, 3, 50, (0.5, 0.3, 0.2), heads="gaussian", homogeneity=0.2)
    A = tasks.draw_heads(Random(4), 400)
    C = np.einsum("rta,rtb->rab", A, A) / 50
    error = C.std(0) / np.sqrt(400) + 1e-15
    assert np.all(np.abs(C.mean(0) - tasks.C) < Z * error)


@pytest.mark.parametrize("name", sorted(COVARIATES))
@pytest.mark.parametrize("array", ["numpy", "torch"])
def test_covariates_are_standardised(name: str, array: str) -> None:
    tasks = LinearTasks(3, 1, 2, covariates=name)
    x = to_numpy(tasks.draw_covariates(Random(1, array), (200_000,)))
    assert x.dtype == np.float64
    for power, moment in ((1, 0), (2, 1), (3, 0), (4, tasks.kurtosis)):
        value = x**power
        slack = Z * value.std() / np.sqrt(x.size) + 1e-12
        assert abs(value.mean() - moment) < slack


@pytest.mark.parametrize("name", sorted(COVARIATES))
def test_fourth_moment_matrix_is_what_draws_average_to(name: str) -> None:
    d, r = 4, 2
    basis = Random(8).orthogonal(d, r)
    tasks = LinearTasks(d, r, 4, (0.7, 0.3), covariates=name, basis=basis, sigma=0.5)
    rng = Random(2)
    X = tasks.draw_covariates(rng, (4, 50_000, d))
    theta = tasks.draw_heads(rng)[0] @ basis.T
    y = tasks.draw_responses(np.einsum("tnd,td->tn", X, theta), rng)
    each = np.einsum("tn,tni,tnj->tnij", y**2, X, X).reshape(-1, d, d)
    slack = Z * each.std(0) / np.sqrt(len(each))
    want = tasks.fourth_moment()
    assert np.all(np.abs(each.mean(0) - want) < slack)
    np.testing.assert_allclose(want, tasks.fourth_moment(tasks.draw_heads(rng)[0]), atol=1e-13)


def test_rademacher_covariates_hide_a_basis_of_coordinates_from_the_fourth_moments() -> None:
    tasks = LinearTasks(6, 2, 4, covariates="rademacher", sigma=0.5)
    np.testing.assert_allclose(tasks.fourth_moment(), 1.25 * np.eye(6), atol=1e-14)


@pytest.mark.parametrize("array", ["numpy", "torch"])
def test_logistic_labels_have_their_probabilities(array: str) -> None:
    tasks = LogisticTasks(4, 1, 2)
    eta = np.array([-50.0, -1.5, 0.0, 0.7, 800.0])
    rng = Random(5, array)
    size = 100_000
    y = to_numpy(tasks.draw_responses(rng.asarray(np.tile(eta, (size, 1))), rng))
    assert set(np.unique(y)) == {0.0, 1.0}
    p = 0.5 * (1 + np.tanh(eta / 2))
    slack = Z * np.sqrt(p * (1 - p) / size) + 1e-9
    assert np.all(np.abs(y.mean(0) - p) < slack)


def test_cells_name_the_parameters() -> None:
    tasks = LinearTasks.from_cell({"d": 24, "r": 3, "t": 64, "nu": 0.1, "sigma": 2.0, "n": 40})
    np.testing.assert_allclose(tasks.spectrum, [0.45, 0.45, 0.1])
    assert (tasks.sigma, tasks.nu) == (2.0, pytest.approx(0.1))
    again = LogisticTasks.from_cell({"d": 24, "r": 3, "t": 5, "heads": "gaussian"})
    assert again.t == 5
    assert LinearTasks.from_cell({"d": 9, "r": 2, "t": 4}, sigma=0.0).sigma == 0
    assert one_weak_direction(1, 0.5) == (1.0,)
    assert one_weak_direction(3, 1 / 3) == pytest.approx((1 / 3,) * 3)


BAD = [
    ({"d": 0}, "d is 0; expected a positive integer"),
    ({"t": 2.5}, "t is 2.5; expected a positive integer"),
    ({"r": 0}, "r is 0; expected a rank from 1 to d = 10"),
    ({"r": 11}, "r is 11; expected a rank"),
    ({"t": 12, "r": 5}, "expected a multiple of 8"),
    ({"homogeneity": 1.0}, "homogeneity is 1.0; expected a share in"),
    ({"homogeneity": 0.3}, "expected a multiple of 4"),
    ({"spectrum": (1, 2, 3)}, "spectrum is .*; expected 2 finite numbers"),
    ({"spectrum": (0, 0)}, "one above 0"),
    ({"spectrum": (np.nan, 1)}, "spectrum"),
    ({"heads": "random"}, "heads is 'random'; expected one of hadamard, gaussian"),
    ({"covariates": "cauchy"}, "covariates is 'cauchy'; expected one of"),
    ({"basis": np.ones((10, 2))}, "expected orthonormal columns"),
    ({"basis": np.eye(9, 2)}, "basis has shape"),
    ({"sigma": -1.0}, "sigma is -1.0; expected a finite number, 0 or above"),
    ({"sigma": np.nan}, "sigma is nan"),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=[m[:30] for _, m in BAD])
def test_bad_parameters_are_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        LinearTasks(**{"d": 10, "r": 2, "t": 8, **change})  # type: ignore[arg-type]


def test_a_weakest_direction_above_the_mean_is_none() -> None:
    with pytest.raises(InputError, match="nu is 0.6; expected a number from 0 to 1/r"):
        one_weak_direction(2, 0.6)
