"""Simulated estimates for studies: the same as by hand, on the same draws."""

import numpy as np
import pytest

from tlstat.backend import Random
from tlstat.errors import InputError
from tlstat.montecarlo.design import Cell
from tlstat.task_diversity.experiment import (
    METHODS,
    estimate,
    simulate_sines,
    squared_distances,
)
from tlstat.task_diversity.models import LinearTasks
from tlstat.task_diversity.moments import sample_moments

MODEL = LinearTasks(6, 2, 16, sigma=0.5)


def test_shapes_and_order():
    sines = simulate_sines(MODEL, 12, Random(0), 5, METHODS)
    assert sines.shape == (5, len(METHODS), 2)
    assert np.all((sines >= 0) & (sines <= 1)) and np.all(np.diff(sines, axis=-1) <= 0)


def test_estimates_are_those_of_the_raw_definitions():
    """Moments, U-statistic and ERM of one draw, from X and y."""
    moments = sample_moments(MODEL, 12, Random(1), 1, raw=True)
    X = np.linalg.cholesky(moments.S[0]).swapaxes(-1, -2)
    B = estimate("erm", moments, 2)[0]
    w = [np.linalg.lstsq(X[j] @ B, np.linalg.solve(X[j].T, moments.q[0, j]), rcond=None)[0]
         for j in range(16)]  # fmt: skip
    slope = sum(np.outer(S @ B @ a - q, a) for S, q, a in zip(moments.S[0], moments.q[0], w,
                                                              strict=True))  # fmt: skip
    assert np.abs(slope).max() < 1e-4  # stationary, heads re-fitted
    top = np.linalg.eigh(moments.M[0])[1][:, -2:]
    ours = estimate("moments", moments, 2)[0]
    np.testing.assert_allclose(ours @ ours.T, top @ top.T, atol=1e-10)


@pytest.mark.parametrize("methods", [["moments"], ["moments", "u-statistic"]])
def test_the_short_way_without_erm_has_the_same_law(methods):
    """Means over 400 replicates agree with those of the draws that ERM shares."""
    short = simulate_sines(MODEL, 40, Random(2), 400, methods).sum(-1)
    whole = simulate_sines(MODEL, 40, Random(3), 400, [*methods, "spectral"]).sum(-1)[:, :-1]
    error = np.sqrt((short.var(axis=0) + whole.var(axis=0)) / 400)
    assert np.all(np.abs(short.mean(axis=0) - whole.mean(axis=0)) < 5 * error)


def test_statistics_do_not_need_raw_samples():
    """A million samples a task are as cheap as a hundred."""
    found = simulate_sines(MODEL, 10**6, Random(4), 20, ["erm", "split-half"])
    assert found.max() < 1e-4


def test_few_samples_and_many_dimensions():
    """The rows take less room than the matrices there; the methods are the same."""
    model = LinearTasks(40, 2, 64, sigma=0.2)
    found = simulate_sines(model, 8, Random(5), 3, ["erm", "moments"])
    assert found[:, 0, 0].max() < 0.1


def test_cells_of_a_study():
    cell = Cell({"d": 6, "r": 2, "t": 16, "n": 30, "sigma": 0.5, "method": ("erm", "moments")})
    out = squared_distances(cell, Random(6), 4)["squared_distance"]
    assert out.shape == (4, 2)


def test_bad_input():
    with pytest.raises(InputError, match="method is 'pca'; expected one of"):
        simulate_sines(MODEL, 10, Random(0), 2, ["pca"])
    with pytest.raises(InputError, match="expected one of"):
        estimate("split-half", sample_moments(MODEL, 10, Random(0), 2), 2)
