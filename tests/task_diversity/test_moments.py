"""Sufficient statistics against raw draws, their means, and memory and cost bounds.

Alarm level: fewer than 100 comparisons at a normal deviate of 5.5, below 4e-6 in all.
"""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import torch
from scipy import stats

from tlstat.backend import Random, to_numpy
from tlstat.errors import InputError
from tlstat.task_diversity import moments as mom
from tlstat.task_diversity.data import TaskWarning
from tlstat.task_diversity.models import LinearTasks, LogisticTasks

Z = 5.5
TASKS = LinearTasks(6, 2, 4, (0.7, 0.3), sigma=0.8)


def summaries(m: mom.Moments) -> dict[str, np.ndarray]:
    """Numbers a replicate whose laws the joint law of (S, q, y2) decides."""
    S, q, y2 = to_numpy(m.S), to_numpy(m.q), to_numpy(m.y2)
    off = S[:, :, 0, 1]
    return {
        "S11": S[:, :, 0, 0].mean(1),
        "S12^2": (off**2).mean(1),
        "det": np.linalg.slogdet(S)[1].mean(1),
        "y2": y2.mean(1),
        "y2^2": (y2**2).mean(1),
        "|q|^2": (q**2).sum(-1).mean(1),
        "q4": (q**4).sum(-1).mean(1),
        "qSq": np.einsum("rti,rtij,rtj->r", q, S, q),
        "q1 S12": (q[:, :, 0] * off).mean(1),
        "left": (y2 - np.einsum("rti,rti->rt", q, np.linalg.solve(S, q[..., None])[..., 0])).mean(
            1
        ),
    }


@pytest.mark.parametrize("n", [6, 9, 40])
def test_bartlett_has_the_law_of_raw_draws(n: int) -> None:
    drawn = summaries(mom.sample_moments(TASKS, n, Random(1), 1500))
    raw = summaries(mom.sample_moments(TASKS, n, Random(2), 1500, raw=True))
    for name in drawn:
        if n == 6 and name == "left":  # n = d: nothing is left, in either
            # S is nearly singular at times, where solving loses digits
            for values in (drawn[name], raw[name]):
                assert np.median(np.abs(values)) < 1e-12
            continue
        assert stats.ks_2samp(drawn[name], raw[name]).pvalue > 1e-7, name


def test_halves_have_the_law_of_raw_draws() -> None:
    halves = mom.sample_halves(TASKS, 9, Random(1), 3000)
    for part, n in ((halves.first, 4), (halves.second, 5)):
        raw = mom.sample_moments(TASKS, n, Random(n), 3000, raw=True).q
        for read in (lambda q: q[:, 0, 0], lambda q: q[:, 1, 1] * q[:, 1, 0], lambda q: q[:, 3, 5]):
            assert stats.ks_2samp(read(part), read(raw)).pvalue > 1e-7
        assert stats.ks_2samp((part**2).sum((1, 2)), (raw**2).sum((1, 2))).pvalue > 1e-7


def test_halves_are_independent_and_their_product_is_unbiased() -> None:
    halves = mom.sample_halves(TASKS, 8, Random(3), 4000)
    product = np.einsum("rti,rtj->rij", halves.first, halves.second) / 4
    slack = Z * product.std(0) / np.sqrt(4000)
    want = TASKS.basis @ TASKS.C @ TASKS.basis.T
    assert np.all(np.abs(product.mean(0) - want) < slack)


def test_halves_without_noise_or_signal() -> None:
    exact = LinearTasks(5, 1, 2, sigma=0.0)
    halves = mom.sample_halves(exact, 10, Random(0), 3)
    assert np.all(np.isfinite(halves.first))
    silent = mom.sample_halves(exact, 10, Random(0), 1, heads=np.zeros((1, 2, 1)))
    assert np.all(silent.first == 0)
    other = LinearTasks(5, 1, 2, covariates="uniform")
    assert mom.sample_halves(other, 10, Random(0), 3).second.shape == (3, 2, 5)


@pytest.mark.parametrize("n", [2, 5, 12])
def test_raw_moments_are_those_of_the_blocks(n: int) -> None:
    m = mom.sample_moments(TASKS, n, Random(9), 3, raw=True, max_bytes=1200)
    blocks = list(mom.sample_raw(TASKS, n, Random(9), 3, max_bytes=400))
    assert len(blocks) >= 4
    X, y = np.zeros((3, 4, n, 6)), np.zeros((3, 4, n))
    for block in blocks:
        X[:, block.tasks, block.rows], y[:, block.tasks, block.rows] = block.X, block.y
    S = m.S.dense() if isinstance(m.S, mom.Factored) else m.S
    assert isinstance(m.S, mom.Factored) == (n == 2)
    assert m.S.shape == (3, 4, 6, 6)
    np.testing.assert_allclose(S, np.einsum("rtni,rtnj->rtij", X, X) / n, atol=1e-14)
    np.testing.assert_allclose(m.q, np.einsum("rtni,rtn->rti", X, y) / n, atol=1e-14)
    np.testing.assert_allclose(m.y2, (y**2).mean(-1), atol=1e-14)
    np.testing.assert_allclose(
        m.M, np.einsum("rtn,rtni,rtnj->rij", y**2, X, X) / (4 * n), atol=1e-13
    )


def test_sampling_is_repeatable_and_the_same_on_tensors() -> None:
    for n in (2, 30):
        a = mom.sample_moments(TASKS, n, Random(5), 2)
        b = mom.sample_moments(TASKS, n, Random(5, "torch"), 2)
        assert torch.is_tensor(b.q)
        np.testing.assert_allclose(a.q, b.q.numpy(), atol=1e-14)
    logistic = LogisticTasks(6, 2, 4)
    a = mom.sample_moments(logistic, 30, Random(5), 2)
    b = mom.sample_moments(logistic, 30, Random(5, "torch"), 2)
    np.testing.assert_allclose(a.S, b.S.numpy(), atol=1e-14)


def test_heads_can_be_given() -> None:
    heads = np.array([[[1.0, 2.0]], [[0.0, -1.0]]])
    m = mom.sample_moments(LinearTasks(6, 2, 4, sigma=0.0), 50, Random(0), 2, heads=heads)
    np.testing.assert_allclose(np.linalg.solve(m.S, m.q[..., None])[:, 0, :2, 0], heads[:, 0])


def test_logistic_moments_point_along_the_heads() -> None:
    tasks = LogisticTasks(5, 2, 4)
    m = mom.sample_moments(tasks, 4000, Random(0), 30)
    theta = m.heads @ tasks.basis.T
    # Stein: E[yx] = E[s'(eta)] theta for Gaussian x
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    factor = (weights / np.sqrt(2 * np.pi)) @ (1 / (4 * np.cosh(nodes / 2) ** 2))
    deviation = m.q - factor * theta
    slack = Z * deviation.std(0) / np.sqrt(30)
    assert np.all(np.abs(deviation.mean(0)) < slack)


def test_a_million_samples_draw_no_more_numbers_than_a_hundred() -> None:
    class Counting(Random):
        drawn = 0

        def normal(self, *args: object, size: object = None, **kw: object) -> np.ndarray:
            out = super().normal(*args, size=size, **kw)  # type: ignore[arg-type]
            Counting.drawn += out.size
            return out

    counts = []
    for n in (100, 10**6):
        Counting.drawn = 0
        mom.sample_moments(LinearTasks(20, 2, 8), n, Counting(1), 2)
        counts.append(Counting.drawn)
    assert counts[0] == counts[1]


@pytest.mark.parametrize(("n", "raw"), [(3000, True), (60, False)])
def test_working_memory_is_bounded(n: int, raw: bool) -> None:
    tasks = LinearTasks(50, 2, 64, covariates="gaussian")
    limit = 2**20
    tracemalloc.start()
    m = mom.sample_moments(tasks, n, Random(0), 1, raw=raw, max_bytes=limit)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    whole = m.S.nbytes + m.q.nbytes
    assert peak < whole + 6 * limit
    assert 8 * n * 64 * 50 > 60 * limit or not raw


def test_chunks_of_replicates_are_joined() -> None:
    def work(rng: Random, size: int) -> dict[str, np.ndarray]:
        return {"q": mom.sample_moments(TASKS, 20, rng, size).q}

    out = mom.in_chunks(work, Random(3), 7, bytes_each=100, max_bytes=250)["q"]
    assert out.shape == (7, 4, 6)
    np.testing.assert_array_equal(out[:1], work(Random(3).spawn(0), 1)["q"])
    assert mom.in_chunks(lambda rng, k: rng.normal(size=(k, 2)), Random(3), 5, 1).shape == (5, 2)


def test_data_of_unequal_tasks_weigh_samples_alike() -> None:
    g = np.random.default_rng(0)
    X = [g.normal(size=(n, 3)) for n in (4, 9, 2)]
    y = [g.normal(size=len(x)) for x in X]
    m = mom.from_data(X, y)
    rows, out = np.concatenate(X), np.concatenate(y)
    np.testing.assert_allclose(m.S.mean(0), rows.T @ rows / 15)
    np.testing.assert_allclose(m.q.mean(0), rows.T @ out / 15)
    np.testing.assert_allclose(m.y2.mean(), out @ out / 15)
    np.testing.assert_allclose(m.M, (rows * out[:, None] ** 2).T @ rows / 15)
    assert list(m.n) == [4, 9, 2]


GOOD = [np.arange(6.0).reshape(3, 2) ** 2 + 1, np.array([[2.0, 1], [0, 3]])]
OUT = [np.ones(3), np.zeros(2)]


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([], [], "0 matrices X and 0 responses y"),
        (GOOD, OUT[:1], "2 matrices X and 1 responses y"),
        ([GOOD[0], np.ones((2, 3))], OUT, r"X\[1\] has 3 columns and X\[0\] 2"),
        (GOOD, [np.ones(3), np.ones(3)], r"X\[1\] has 2 rows and y\[1\] 3"),
        ([GOOD[0], np.ones((0, 2))], [OUT[0], np.ones(0)], r"X\[1\] has 0 rows"),
        ([GOOD[0], np.ones(2)], OUT, r"X\[1\] has shape \(2,\)"),
        ([GOOD[0], np.array([[1, np.nan], [0, 1]])], OUT, r"X\[1\] has nan at \(0, 1\)"),
        (GOOD, [OUT[0], np.array([np.inf, 0])], r"y\[1\] has inf at \(0,\)"),
        ([GOOD[0], [["a", "b"], ["c", "d"]]], OUT, r"X\[1\] holds something other than numbers"),
        ([np.ones((3, 0)), np.ones((2, 0))], OUT, "no columns"),
    ],
)
def test_bad_data_are_named(X: list[object], y: list[object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        mom.from_data(X, y)


def test_constant_columns_are_told() -> None:
    X = [np.column_stack([x, np.full(len(x), 3.0)]) for x in GOOD]
    with pytest.warns(TaskWarning, match="column 2 of X is constant in all tasks"):
        mom.from_data(X, OUT)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": 0}, "n is 0; expected a positive integer"),
        ({"n": 2.5}, "n is 2.5"),
        ({"size": 0}, "size is 0"),
        ({"max_bytes": 0}, "max_bytes is 0"),
        ({"heads": np.ones((1, 4, 3))}, r"heads has shape \(1, 4, 3\); expected \(1, tasks, 2\)"),
    ],
)
def test_bad_arguments_are_named(change: dict[str, object], message: str) -> None:
    given = {"n": 10, "size": 1, **change}
    for call in (mom.sample_moments, mom.sample_raw):
        with pytest.raises(InputError, match=message):
            call(TASKS, given.pop("n", 10), Random(0), **given)  # type: ignore[operator]
        given = {"n": 10, "size": 1, **change}


def test_halves_need_two_samples() -> None:
    with pytest.raises(InputError, match="two halves need at least 2 samples"):
        mom.sample_halves(TASKS, 1, Random(0))
