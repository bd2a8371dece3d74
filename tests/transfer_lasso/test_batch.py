"""Batches agree with single problems, on threads and as tensors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from tlstat.errors import InputError
from tlstat.transfer_lasso import duality_gap, solve, solve_batch


def draw(seed, size=7, n=25, p=30, shared=False):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p) if shared else (size, n, p)) * rng.uniform(0.5, 2, p)
    b0 = np.where(rng.random((size, p)) < 0.3, rng.normal(size=(size, p)), 0.0)
    stack = np.broadcast_to(X, (size, n, p))
    y = np.einsum("bnp,bp->bn", stack, b0) + rng.normal(size=(size, n))
    l1, l2 = rng.uniform(0.02, 0.3, (2, size))
    return X, y, l1, l2, b0, rng


@pytest.mark.parametrize("array", ["numpy", "torch"])
@pytest.mark.parametrize("shared", [False, True], ids=["separate", "shared"])
@pytest.mark.parametrize("ridges", [{}, {"nu": 0.1, "mu": 0.05}], ids=["l1", "ridges"])
def test_agrees_with_the_solver(array, shared, ridges):
    X, y, l1, l2, b0, rng = draw(1, shared=shared)
    u, v = rng.uniform(0.5, 2, (2, 30))
    give = torch.from_numpy if array == "torch" else np.asarray
    options = dict(weights=give(u), source_weights=give(v), **ridges)
    found = solve_batch(give(X), give(y), give(l1), give(l2), give(b0), tol=1e-10, **options)
    assert isinstance(found.coef, torch.Tensor if array == "torch" else np.ndarray)
    stack = np.broadcast_to(X, (7, 25, 30))
    for k in range(7):
        options = dict(source_coef=b0[k], weights=u, source_weights=v, **ridges)
        alone = solve(stack[k], y[k], l1[k], l2[k], tol=1e-12, **options)
        assert float(found.primal[k]) == pytest.approx(alone.primal, rel=1e-8, abs=1e-8)
        gap = duality_gap(
            np.asarray(found.coef[k]), stack[k], y[k], l1[k], l2[k], relative=True, **options
        )
        assert gap <= 1.2e-10
        assert float(found.gap[k]) == pytest.approx(gap, abs=1e-13)
    # the prox lands on the knots exactly
    assert np.mean(np.asarray(found.coef) == b0) > 0.2


def test_numbers_of_threads_do_not_matter():
    X, y, l1, l2, b0, _ = draw(2)
    one = solve_batch(X, y, l1, l2, b0, n_jobs=1)
    three = solve_batch(X, y, l1, l2, b0, n_jobs=3)
    np.testing.assert_array_equal(one.coef, three.coef)


@pytest.mark.parametrize("array", ["numpy", "torch"])
def test_a_limit_of_steps_warns(array):
    X, y, l1, l2, b0, _ = draw(3)
    give = torch.from_numpy if array == "torch" else np.asarray
    with pytest.warns(ConvergenceWarning, match="raise max_iter"):
        found = solve_batch(give(X), give(y), 1e-4, 1e-4, give(b0), tol=1e-13, max_iter=1)
    assert not bool(found.converged.all())


@pytest.mark.parametrize(
    ("message", "change"),
    [
        ("X has shape", {"X": np.ones(3)}),
        ("X holds 2 designs", {"X": np.ones((2, 4, 2))}),
        ("X has NaN", {"X": np.full((4, 2), np.nan)}),
        ("a design is dense here", {"X": sparse.csc_array(np.ones((4, 2)))}),
        ("l1 is", {"l1": -1.0}),
        ("l2 is", {"l2": np.ones(2)}),
        ("source_coef has shape", {"source_coef": np.ones(3)}),
        ("weights has negative", {"weights": -np.ones(2)}),
        ("nu is", {"nu": -1.0}),
        ("tol is", {"tol": 0.0}),
        ("n_jobs is", {"n_jobs": 0}),
    ],
)
def test_bad_input(message, change):
    arguments = {"X": np.ones((4, 2)), "y": np.ones((3, 4)), "l1": 0.1, "l2": 0.1, **change}
    with pytest.raises(InputError, match=message):
        solve_batch(**arguments)


def test_tensors_that_ask_for_gradients_get_none():
    X = torch.ones((4, 2), dtype=torch.float64, requires_grad=True)
    found = solve_batch(X, torch.ones((3, 4)), 0.1, 0.1)
    assert not found.coef.requires_grad


def test_tensors_need_a_penalty():
    with pytest.raises(InputError, match="no penalty"):
        solve_batch(torch.ones((4, 2), dtype=torch.float64), torch.ones((3, 4)), 0.0, 0.0)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_device_agrees_with_the_solver():
    X, y, l1, l2, b0, _ = draw(4, size=40)
    device = [torch.from_numpy(x).cuda() for x in (X, y, l1, l2, b0)]
    found = solve_batch(*device, tol=1e-10)
    host = solve_batch(X, y, l1, l2, b0, tol=1e-12)
    assert found.coef.is_cuda
    np.testing.assert_allclose(found.primal.cpu().numpy(), host.primal, rtol=1e-8, atol=1e-8)
