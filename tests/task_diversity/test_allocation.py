"""Designs against brute force, the reference's numbers, and their own certificates."""

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize

from tlstat.errors import InputError
from tlstat.task_diversity.allocation import (
    allocation_value,
    efficient_rounding,
    optimal_allocation,
)


def compositions(total, parts):
    """All ways to write ``total`` as ``parts`` counts."""
    for bars in itertools.combinations(range(total + parts - 1), parts - 1):
        edges = (-1, *bars, total + parts - 1)
        yield [edges[i + 1] - edges[i] - 1 for i in range(parts)]


def test_the_numbers_of_the_reference():
    """Elfving's value is below that of four other shares, which it predicts: section 2.9."""
    rng = np.random.default_rng(0)
    A = rng.normal(size=(8, 2))
    target = rng.normal(size=2)
    best = optimal_allocation(A, 3200, target=target)
    least = np.linalg.pinv(A.T) @ target
    others = {
        "uniform": np.full(8, 1 / 8),
        "L2 squared": least**2 / np.sum(least**2),
        "L2": np.abs(least) / np.sum(np.abs(least)),
    }
    for shares in others.values():
        assert allocation_value(A, shares, target=target) > best.value
    # shares proportional to |w| cost |w|_1 sum w_j^2/|w_j|, those to w^2 cost s |w|_2^2 or less
    assert allocation_value(A, others["L2"], target=target) <= np.sum(np.abs(least)) ** 2
    assert best.value == pytest.approx(np.sum(np.abs(best.weights)) ** 2)
    assert best.value == pytest.approx(allocation_value(A, best.shares, target=target))


def test_multi_task_least_squares_has_that_bias():
    """The first-order formula, whole: 100 replicates of ERM at the optimal allocation."""
    d, r, sigma = 12, 2, 0.5
    rng = np.random.default_rng(3)
    A = rng.normal(size=(6, r))
    target = rng.normal(size=r)
    B = np.eye(d)[:, :r]
    for counts in (
        optimal_allocation(A, 1200, target=target).counts,
        np.full(6, 200),
    ):
        biases = [erm_bias(A, B, counts, target, sigma, rng) for _ in range(100)]
        predicted = sigma**2 * (d - r) * allocation_value(A, counts, target=target, cost=r)
        error = np.std(biases) / 10
        # 4.9 standard errors, and 3 % for what is not first order
        assert abs(np.mean(biases) - predicted) < 4.9 * error + 0.03 * predicted


def erm_bias(A, B, counts, target, sigma, rng):
    """Alternating least squares from the truth, for tasks of different sizes."""
    d, r = B.shape
    data = []
    for alpha, n in zip(A, counts, strict=True):
        if n:
            X = rng.normal(size=(n, d))
            data.append((X, X @ B @ alpha + sigma * rng.normal(size=n)))
    B_hat = B
    for _ in range(6):
        H, g = np.zeros((d * r, d * r)), np.zeros(d * r)
        for X, y in data:
            head = np.linalg.lstsq(X @ B_hat, y, rcond=None)[0]
            design = np.einsum("ni,a->nia", X, head).reshape(len(X), -1)
            H, g = H + design.T @ design, g + design.T @ y
        B_hat = np.linalg.qr(np.linalg.lstsq(H, g, rcond=1e-9)[0].reshape(d, r))[0]
    theta = B @ target
    return np.sum((theta - B_hat @ (B_hat.T @ theta)) ** 2)


@pytest.mark.parametrize("criterion", ["c", "E"])
def test_no_allocation_of_whole_numbers_is_better(criterion):
    rng = np.random.default_rng(4)
    A = rng.normal(size=(4, 2))
    target = rng.normal(size=2) if criterion == "c" else None
    found = optimal_allocation(A, 26, target=target, criterion=criterion, cost=0)
    every = np.array(list(compositions(26, 4)), dtype=float)
    brute = np.min(allocation_value(A, every, target=target))
    reached = allocation_value(A, found.counts, target=target)
    assert found.lower / 26 <= brute * (1 + 1e-6)
    # the guarantee of efficient rounding: 1 - s/N
    assert reached <= found.value / 26 / (1 - len(found.support) / 26) * (1 + 1e-6)
    assert reached <= 1.02 * brute
    assert found.gap < 1e-5 and found.counts.sum() == 26


def test_the_price_of_a_head():
    """With n_j - r: brute force over all allocations of 26 samples to four tasks."""
    rng = np.random.default_rng(5)
    A, target = rng.normal(size=(4, 2)), rng.normal(size=2)
    found = optimal_allocation(A, 26, target=target)
    every = np.array(list(compositions(26, 4)), dtype=float)
    brute = np.min(allocation_value(A, every, target=target, cost=2))
    assert allocation_value(A, found.counts, target=target, cost=2) <= 1.02 * brute
    assert np.all(found.counts[found.support] > 2)


@pytest.mark.parametrize("seed", range(4))
def test_certificates_hold_against_a_general_optimiser(seed):
    rng = np.random.default_rng(seed)
    A, target = rng.normal(size=(7, 3)), rng.normal(size=3)
    c = optimal_allocation(A, 1000, target=target)
    assert np.max(np.abs(A @ c.dual)) <= 1 + 1e-12
    assert c.lower == pytest.approx((c.dual @ target) ** 2)
    assert c.gap + 1e-12 >= 0 and c.gap < 1e-9
    assert A.T @ c.weights == pytest.approx(target) and len(c.support) <= 3
    E = optimal_allocation(A, 1000, criterion="E")
    assert np.trace(E.dual) == pytest.approx(1) and np.linalg.eigvalsh(E.dual)[0] >= -1e-12
    assert E.lower == pytest.approx(1 / np.max(np.einsum("jr,rs,js->j", A, E.dual, A)))
    assert E.gap + 1e-12 >= 0 and E.gap < 1e-5

    def softmax(x):
        return np.exp(x) / np.sum(np.exp(x))

    for design, goal in ((c, target), (E, None)):
        start = np.log(design.shares + 0.01)
        found = minimize(
            lambda x, goal=goal: allocation_value(A, softmax(x), target=goal),
            start,
            method="Nelder-Mead",
            options={"maxiter": 4000, "xatol": 1e-8, "fatol": 1e-10},
        ).fun
        assert design.lower <= found * (1 + 1e-9) and found <= 1.3 * design.value
        assert allocation_value(A, design.shares, target=goal) == pytest.approx(design.value)


def test_special_designs():
    # one task is the target: all samples there
    A = np.array([[2.0, 0], [0, 1.0], [1.0, 1.0]])
    assert optimal_allocation(A, 10, target=[1.0, 0]).counts.tolist() == [10, 0, 0]
    # orthogonal heads: shares proportional to |alpha_0j| and to 1/|alpha_j|^2
    c = optimal_allocation(np.diag([1.0, 2.0]), 300, target=[1.0, 4.0])
    assert c.shares == pytest.approx([1 / 3, 2 / 3]) and c.value == pytest.approx(9)
    E = optimal_allocation(np.diag([1.0, 2.0]), 300, criterion="E")
    assert E.shares == pytest.approx([0.8, 0.2], abs=1e-6) and E.value == pytest.approx(1.25)
    # equally good tasks: one dimension
    assert optimal_allocation(np.ones((3, 1)), 30, criterion="E").value == pytest.approx(1)


def test_designs_of_any_scale():
    """Small parts of a target, heads of very different norms, and units."""
    A = np.array([[1.0, 0], [0, 1e3]])
    c = optimal_allocation(A, 10**6, target=[1.0, 1e-4])
    assert c.weights == pytest.approx([1, 1e-7]) and c.gap < 1e-9
    E = optimal_allocation(np.diag([1.0, 30]), 10**6, criterion="E")
    assert E.shares == pytest.approx([900 / 901, 1 / 901], rel=1e-2) and E.gap < 1e-4
    # what an interior-point method cannot resolve, the gap tells
    E = optimal_allocation(A, 10**8, criterion="E")
    assert E.value == pytest.approx(1 + 1e-6, rel=1e-3) and E.gap < 1e-3
    assert E.value >= 1 + 1e-6 >= E.lower * (1 - 1e-9)
    rng = np.random.default_rng(6)
    A, target = rng.normal(size=(9, 3)), rng.normal(size=3)
    base = optimal_allocation(A, 900, target=target)
    for scale in (1e-9, 1e9):
        other = optimal_allocation(scale * A, 900, target=target / scale)
        assert other.counts.tolist() == base.counts.tolist() and other.gap < 1e-9


def test_values_where_the_target_is_not_covered():
    A = np.eye(2)
    assert allocation_value(A, [5, 0], target=[1.0, 0.0]) == pytest.approx(0.2)
    assert allocation_value(A, [5, 0], target=[1.0, 0.1]) == np.inf
    assert allocation_value(A, [5, 0]) == np.inf
    assert allocation_value(A, [5, 2], cost=2) == np.inf
    assert allocation_value(A, [[4, 4], [8, 2]]).tolist() == pytest.approx([0.25, 0.5])


@pytest.mark.parametrize("seed", range(5))
def test_efficient_rounding_keeps_its_promise(seed):
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(6, 0.3))
    shares[rng.integers(6)] = 0
    used = int(np.sum(shares > 0))
    for N in (used, 7, 20, 101):
        counts = efficient_rounding(shares, N)
        assert counts.sum() == N and np.all(counts[shares == 0] == 0)
        p = shares / shares.sum()
        efficiency = np.min(counts[p > 0] / (N * p[p > 0]))
        assert efficiency >= 1 - used / N - 1e-12
        if N == 7:  # no other rounding has a larger guaranteed efficiency
            every = np.array([c for c in compositions(7, 6)], dtype=float)[:, p > 0]
            best = np.max(np.min(every / (7 * p[p > 0]), axis=1))
            assert efficiency == pytest.approx(best)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: optimal_allocation(np.eye(2), 9, criterion="D"), "criterion is 'D'"),
        (lambda: optimal_allocation(np.eye(2), 9), "target is None with criterion 'c'"),
        (
            lambda: optimal_allocation(np.eye(2), 9, target=[1.0, 0], criterion="E"),
            "expected no target: it speaks of the worst one",
        ),
        (lambda: optimal_allocation(np.eye(2), 9, target=[0.0, 0]), "target is 0.0"),
        (lambda: optimal_allocation(np.eye(2), 9, target=[1.0]), r"expected \(2,\)"),
        (
            lambda: optimal_allocation(np.eye(3)[:2], 9, target=[1.0, 0, 1]),
            "target is 1 away from the span of the source heads",
        ),
        (
            lambda: optimal_allocation(np.ones((3, 2)), 9, criterion="E"),
            "A has rank 1; expected 2",
        ),
        (
            lambda: optimal_allocation(np.eye(2), 5, target=[1.0, 1.0]),
            "N is 5; expected more, as 2 tasks are used and each pays 2",
        ),
        (lambda: optimal_allocation(np.eye(2), 0, target=[1.0, 1.0]), "N is 0"),
        (lambda: allocation_value(np.eye(2), [1, 2, 3]), r"counts has shape \(3,\)"),
        (lambda: allocation_value(np.eye(2), [1, -2]), "counts is"),
        (lambda: efficient_rounding([0.5, 0.5], 1), "N is 1"),
        (lambda: efficient_rounding([0.0, 0.0], 1), "shares is"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
