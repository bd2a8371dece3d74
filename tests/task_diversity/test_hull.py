"""The convex-hull argument against a brute-force search and the inequality it stands for."""

import itertools

import cvxpy as cp
import numpy as np
import pytest

from tlstat.errors import InputError
from tlstat.task_diversity.hull import distance_to_hull, hull_diversity


@pytest.mark.parametrize("norm", ["sup", "l2"])
@pytest.mark.parametrize("seed", range(3))
def test_distances_are_bracketed_and_right(norm, seed):
    rng = np.random.default_rng(seed)
    F, f_0 = 100 * rng.normal(size=(5, 3)), 100 * rng.normal(size=3)
    found = distance_to_hull(F, f_0, norm)
    assert found.lower <= found.upper and found.upper - found.lower < 1e-5
    assert found.weights.min() >= 0 and found.weights.sum() == pytest.approx(1)
    order = np.inf if norm == "sup" else 2
    assert np.linalg.norm(F.T @ found.weights - f_0, order) == pytest.approx(found.upper)
    # brute force over a fine grid of the simplex cannot do better
    grid = np.array(
        [c for c in itertools.product(range(13), repeat=5) if sum(c) == 12], dtype=float
    )
    rough = np.min(np.linalg.norm(grid / 12 @ F - f_0, order, axis=1))
    assert found.lower <= rough
    if found.upper > 1e-6:  # outside: the normal separates
        dual = np.sum(np.abs(found.normal)) if norm == "sup" else np.linalg.norm(found.normal)
        assert dual == pytest.approx(1)
        assert np.min((f_0 - F) @ found.normal) == pytest.approx(found.lower)


@pytest.mark.parametrize("norm", ["sup", "l2"])
def test_the_smallest_largest_weight(norm):
    rng = np.random.default_rng(5)
    F = rng.normal(size=(8, 3))
    f_0 = rng.dirichlet(np.ones(8)) @ F
    found = hull_diversity(F, f_0, norm=norm)
    w = cp.Variable(8, nonneg=True)
    best = cp.Problem(cp.Minimize(cp.max(w)), [cp.sum(w) == 1, F.T @ w == f_0]).solve()
    assert found.nu == pytest.approx(1 / (8 * best), rel=1e-5)
    assert abs(found.gap) < 1e-5
    assert found.nu == pytest.approx(1 / (8 * found.weights.max()))
    assert found.eps == pytest.approx(0, abs=1e-7)
    wider = hull_diversity(F, f_0, distance=0.3, norm=norm, lipschitz=2.0)
    assert found.nu < wider.nu <= wider.nu_limit * (1 + 1e-9)
    assert wider.eps == pytest.approx(2 * wider.distance) and wider.distance <= 0.3 + 1e-6
    assert abs(wider.gap) < 1e-5


def test_limits():
    F = np.array([[0.0], [1.0], [2.0], [3.0]])
    assert hull_diversity(F, [1.5]).nu == pytest.approx(1)  # the mean of all tasks
    assert hull_diversity(F, [3.0]).nu == pytest.approx(1 / 4)  # one task alone
    outside = hull_diversity(F, [5.0])
    assert outside.eps == pytest.approx(2) and outside.nu == pytest.approx(1 / 4)


def test_the_inequality_for_the_absolute_loss():
    """d(f_0) <= d_averaged/nu + eps for index models with Laplace noise, all by enumeration.

    Heads are monotone step functions of an index on three points; the other representation merges
    two of them. With noise e the excess of a residual u is E|u + e| - E|e|, convex in u.
    """
    rng = np.random.default_rng(6)
    p = np.array([0.2, 0.5, 0.3])

    def excess(u):  # standard Laplace noise
        return np.abs(u) + np.exp(-np.abs(u)) - 1

    levels = np.linspace(-4, 4, 1601)

    def difference(f):
        """Best head on a representation that sees {0} and {1, 2} apart, only."""
        alone = np.min(p[0] * excess(levels - f[0]))
        merged = np.min(p[1] * excess(levels - f[1]) + p[2] * excess(levels - f[2]))
        return alone + merged

    F = np.sort(rng.normal(size=(6, 3)), axis=1)
    averaged = np.mean([difference(f) for f in F])
    for _ in range(20):
        f_0 = rng.dirichlet(np.ones(6)) @ F + 0.2 * rng.normal(size=3)
        found = hull_diversity(F, f_0)
        assert difference(f_0) <= averaged / found.nu + found.eps + 1e-4


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: distance_to_hull(np.eye(2), np.ones(3)), r"F has shape \(2, 2\) and f_0 \(3,\)"),
        (lambda: distance_to_hull(np.eye(2), np.ones(2), "l1"), "norm is 'l1'"),
        (
            lambda: hull_diversity(np.eye(2), [2.0, 2.0], distance=0.5),
            "distance is 0.5; expected 1.5 or more, the distance of the target",
        ),
        (lambda: hull_diversity(np.eye(2), [2.0, 2.0], lipschitz=0), "lipschitz is 0"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
