"""FedRep and its peers against rounds written out, and their contraction without noise."""

from __future__ import annotations

import numpy as np
import pytest

from tlstat.backend import Random
from tlstat.errors import InputError
from tlstat.task_diversity import batch
from tlstat.task_diversity.models import LinearTasks
from tlstat.task_diversity.moments import Factored, sample_moments
from tlstat.task_diversity.subspace import largest_sine, orthonormalise

CLIENTS = LinearTasks(10, 2, 40, sigma=0.0)


def test_rounds_written_out() -> None:
    m = sample_moments(CLIENTS, 5, Random(0), 1)
    S, q = (m.S.dense() if isinstance(m.S, Factored) else m.S)[0], m.q[0]
    B = orthonormalise(Random(1).normal(size=(10, 2)))
    rng = Random(2)
    path = batch.federated_descent(S, q, B, rounds=3, step=0.4, participation=0.25, rng=rng)
    assert path.B.shape == (4, 10, 2) and path.heads.shape == (40, 2)
    again, held = Random(2), np.zeros((40, 2))
    for k in range(3):
        clients = np.sort(again.permutation(40)[:10])
        gradient = np.zeros((10, 2))
        for j in clients:
            w = np.linalg.solve(B.T @ S[j] @ B, B.T @ q[j])
            gradient += np.outer(S[j] @ B @ w - q[j], w) / 10
            held[j] = w
        B = orthonormalise(B - 0.4 * gradient)
        assert largest_sine(path.B[k + 1], B) < 1e-10
    # bases are determined up to signs, heads with them
    assert np.sum((path.heads != 0).any(1)) == np.sum((held != 0).any(1))


def test_gradient_steps_on_heads_written_out() -> None:
    m = sample_moments(CLIENTS, 5, Random(0), 1)
    S, q = (m.S.dense() if isinstance(m.S, Factored) else m.S)[0], m.q[0]
    start = orthonormalise(Random(1).normal(size=(10, 2)))
    path = batch.federated_descent(S, q, start, rounds=1, step=0.4, head_steps=3, head_step=0.2)
    gradient = np.zeros((10, 2))
    B = path.B[0]
    for j in range(40):
        w = np.zeros(2)
        for _ in range(3):
            w = w - 0.2 * (B.T @ S[j] @ B @ w - B.T @ q[j])
        np.testing.assert_allclose(w, path.heads[j], atol=1e-12)
        gradient += np.outer(S[j] @ B @ w - q[j], w) / 40
    assert largest_sine(path.B[1], orthonormalise(B - 0.4 * gradient)) < 1e-12


def test_contraction_is_linear_without_noise() -> None:
    m = sample_moments(CLIENTS, 20, Random(3), 2)
    start = Random(4).normal(size=(2, 10, 2))
    path = batch.federated_descent(m.S, m.q, start, rounds=300, step=1.0)
    sine = largest_sine(path.B, CLIENTS.basis)
    assert sine.shape == (301, 2)
    assert np.all(sine[-1] < 1e-12)
    middle = np.log(sine[10:40])
    # one rate: the decrease of the logarithm varies little
    steps = -np.diff(middle, axis=0)
    assert np.all(steps > 0.1) and np.all(steps.std(0) < 0.5 * steps.mean(0))


def test_exact_heads_beat_one_gradient_step() -> None:
    m = sample_moments(CLIENTS, 5, Random(5), 3)
    start = batch.spectral_start(m.q, 2)
    last = {
        steps: largest_sine(
            batch.federated_descent(
                m.S, m.q, start, rounds=100, step=0.5, head_steps=steps, head_step=0.5
            ).B[-1],
            CLIENTS.basis,
        ).mean()
        for steps in (None, 1)
    }
    assert last[None] < last[1]


def test_one_global_model_is_descent_on_the_mean() -> None:
    m = sample_moments(CLIENTS, 20, Random(6), 2)
    theta = batch.federated_global(m.S, m.q, rounds=3000, step=0.5)
    want = np.linalg.solve(m.S.mean(1), m.q.mean(1)[..., None])[..., 0]
    np.testing.assert_allclose(theta, want, atol=1e-10)
    few = sample_moments(CLIENTS, 3, Random(6), 2)
    one = batch.federated_global(few.S, few.q, rounds=1, step=0.5)
    np.testing.assert_allclose(one, 0.5 * few.q.mean(1), atol=1e-15)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rounds": 0}, "rounds is 0"),
        ({"step": 0.0}, "step is 0.0"),
        ({"participation": 0.0}, "participation is 0.0"),
        ({"participation": 0.5}, "participation is below 1 without rng"),
        ({"head_steps": 0}, "head_steps is 0"),
    ],
)
def test_bad_arguments_are_named(change: dict[str, float], message: str) -> None:
    m = sample_moments(CLIENTS, 20, Random(6))
    given = {"rounds": 2, "step": 0.1, **change}
    with pytest.raises(InputError, match=message):
        batch.federated_descent(m.S, m.q, np.eye(10, 2), **given)  # type: ignore[arg-type]
