"""Samplers against raw points: the same laws, at any sample size."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tlstat.backend import Random
from tlstat.errors import InputError
from tlstat.minimax import (
    FiniteClass,
    GaussianHalfSpaces,
    HalfPlanes,
    Hypercube,
    Intervals,
    ParallelThresholds,
    PowerThresholds,
    ShiftedCentre,
    Stumps,
    sample_atoms,
    sample_cells,
    sample_extremes,
    sample_nearest,
    sample_raw,
    source_erm,
    threshold_grid,
)
from tlstat.minimax.sampling import CellSample

FALSE_ALARM = 1e-6
COARSE = np.array([-1.0, -0.6, -0.2, -0.05, 0.0, 0.1, 0.3, 0.7, 1.0])


def same_law(counts, other):
    """p-value of a chi-square test that two tables of total counts have the same law."""
    both = np.stack([np.ravel(counts), np.ravel(other)])
    return stats.chi2_contingency(both[:, both.sum(axis=0) > 0]).pvalue


def raw_cells(edges, x, y):
    cells = np.zeros((edges.size - 1, 2), dtype=int)
    place = np.minimum(np.searchsorted(edges, np.ravel(x), side="right") - 1, edges.size - 2)
    np.add.at(cells, (place, np.ravel(y)), 1)
    return cells


@pytest.mark.parametrize(
    ("model", "edges"),
    [
        (PowerThresholds(2, 0.7, 1, 0.5, 0.9, 0.6), COARSE),
        (ShiftedCentre(0.3, 2, 1, 1, 0), np.append(COARSE, 1.3)),
        (Intervals(0.5, 2, 1, 0.3), COARSE),
    ],
    ids=["thresholds", "shifted", "intervals"],
)
def test_cell_counts_have_the_law_of_binned_raw_points(model, edges):
    n, size = 50, 4000
    fast = sample_cells(model, n, n, Random(1), size, thresholds=edges)
    raw = sample_raw(model, n, n, np.random.default_rng(2), size)
    assert fast.cells_P.sum(axis=(1, 2)).tolist() == [n] * size
    binned_P, binned_Q = raw_cells(edges, raw.X_P, raw.y_P), raw_cells(edges, raw.X_Q, raw.y_Q)
    assert same_law(fast.cells_P.sum(axis=0), binned_P) > FALSE_ALARM
    assert same_law(fast.cells_Q.sum(axis=0), binned_Q) > FALSE_ALARM


def test_cell_counts_are_multinomial_jointly():
    """Variances and covariances too, not the means alone."""
    model = PowerThresholds(2, 1, 1, 1)
    n, size = 30, 40_000
    counts = sample_cells(model, n, 0, Random(4), size, thresholds=[-1, -0.3, 0, 0.6, 1]).cells_P
    flat = counts.reshape(size, -1)
    p = model.cells_P([-1, -0.3, 0, 0.6, 1]).ravel()
    expected = n * (np.diag(p) - np.outer(p, p))
    centred = flat - n * p
    products = centred[:, :, None] * centred[:, None, :]
    error = products.std(axis=0) / math.sqrt(size)
    z = np.abs(products.mean(axis=0) - expected) / np.maximum(error, 1e-12)
    assert z.max() < stats.norm.isf(FALSE_ALARM / z.size)


def test_half_planes_fold_onto_a_line():
    model = HalfPlanes(2, 1, 1, 0)
    raw = sample_raw(model, 200_000, 0, np.random.default_rng(0), 1)
    X, y = raw.X_P[0], raw.y_P[0]
    folded = np.where(X[:, 0] >= 0, 1, -1)
    z = np.arctan2(folded * X[:, 1], folded * X[:, 0]) / (np.pi / 2)
    labels = np.where(folded > 0, y, 1 - y)
    fast = sample_cells(model, 200_000, 0, Random(1), 1, thresholds=COARSE)
    assert same_law(fast.cells_P[0], raw_cells(COARSE, z, labels)) > FALSE_ALARM


@pytest.mark.parametrize("split", [0.5, 0.3])
def test_stump_counts_have_the_law_of_raw_points(split):
    model = Stumps(3, 2, 1, 0.4, 0.9, split)
    fast = sample_cells(model, 40, 40, Random(1), 3000, thresholds=COARSE)
    raw = sample_raw(model, 40, 40, np.random.default_rng(2), 3000)
    for j in range(3):
        binned = raw_cells(COARSE, raw.X_P[..., j], raw.y_P)
        assert same_law(fast.cells_P[:, j].sum(axis=0), binned) > FALSE_ALARM
    # labels are shared between the coordinates of one replicate
    totals = fast.cells_P.sum(axis=-2)
    assert np.array_equal(totals[:, 0], totals[:, 1])


def test_stump_errors_are_those_of_stumps():
    model = Stumps(2, 2, 1)
    sample = sample_cells(model, 60, 30, Random(3), 4, thresholds=COARSE)
    stumps = sample.take(np.arange(sample.errors_P.shape[-1]))
    assert stumps.shape == (2 * 2 * COARSE.size, 3)
    for k, (j, t, sign) in enumerate(stumps):
        zeros, ones = sample.cells_P[:, int(j), :, 0], sample.cells_P[:, int(j), :, 1]
        above = COARSE[:-1] >= t
        wrong = zeros[:, above].sum(1) + ones[:, ~above].sum(1)
        wrong = wrong if sign > 0 else 60 - wrong
        assert np.array_equal(sample.errors_P[:, k], wrong)


def test_parallel_thresholds_share_out_their_points():
    model = ParallelThresholds(3, 2, 1, 1, 1)
    sample = sample_cells(model, 90, 0, Random(1), 5000, thresholds=COARSE)
    assert sample.cells_P.shape == (5000, 3, COARSE.size - 1, 2)
    assert (sample.cells_P.sum(axis=(1, 2, 3)) == 90).all()
    lines = sample.cells_P.sum(axis=(0, 2, 3))
    assert stats.chisquare(lines).pvalue > FALSE_ALARM
    raw = sample_raw(model, 90, 0, np.random.default_rng(2), 5000)
    of_line = raw.X_P[0] == 2
    binned = raw_cells(COARSE, raw.X_P[1][of_line], raw.y_P[of_line])
    assert same_law(sample.cells_P[:, 2].sum(axis=0), binned) > FALSE_ALARM


@pytest.mark.parametrize("n", [10**6, 10**12, 10**15])
def test_tiny_cells_get_their_share_at_huge_sample_sizes(n):
    """Cells of mass 1e-18 and less: expected counts from 0.001 to 10**15 at once."""
    model = PowerThresholds(1, 1, 1, 1)
    edges = threshold_grid(model, per_octave=1, floor=2.0**-60)
    size = 4000
    counts = sample_cells(model, n, 0, Random(7), size, thresholds=edges).cells_P.sum(axis=0)
    mean = size * n * model.cells_P(edges)
    small = mean < 1e12
    z = (counts - mean)[small] / np.sqrt(mean[small] + 1)
    assert np.abs(z).max() < stats.norm.isf(FALSE_ALARM / z.size)


def test_the_grid_reaches_below_what_the_sample_resolves():
    model = PowerThresholds(2, 1, 1, 1)
    grid = threshold_grid(model, 10**8, 10**4)
    smallest = grid[grid > 0].min()
    assert smallest <= (1e8) ** (-1 / 4) / 1000
    assert smallest <= (1e4) ** (-1 / 3) / 1000
    assert np.array_equal(grid, -grid[::-1])
    assert {-1.0, 0.0, 1.0} <= set(grid)
    around = threshold_grid(ShiftedCentre(0.3, 1), 10**4, 10**4)
    assert {0.0, 0.3, -1.0, 1.3} <= set(np.round(around, 12))


# ------------------------------------------------------------------ nearest points


def brute_extremes(model, n_P, n_Q, rng, size):
    raw = sample_raw(model, n_P, n_Q, rng, size)
    x = np.concatenate([raw.X_P, raw.X_Q], axis=1)
    right = np.where(x >= 0, x, 1).min(axis=1, initial=1)
    left = np.where(x < 0, -x, 1).min(axis=1, initial=1)
    return left, right


@pytest.mark.parametrize(("n_P", "n_Q"), [(12, 0), (0, 12), (40, 7), (1, 1)])
def test_extremes_have_the_law_of_raw_points(n_P, n_Q):
    model = PowerThresholds(2, 0.7, c_P=1, c_Q=1)
    fast = sample_extremes(model, n_P, n_Q, Random(1), 20_000)
    raw = brute_extremes(model, n_P, n_Q, np.random.default_rng(2), 20_000)
    for mine, other in zip(fast, raw, strict=True):
        assert stats.ks_2samp(mine, other).pvalue > FALSE_ALARM
    # their dependence too: drawing both sides afresh would get this wrong at small n
    assert stats.ks_2samp(abs(fast[1] - fast[0]), abs(raw[1] - raw[0])).pvalue > FALSE_ALARM


@pytest.mark.parametrize(("left", "right"), [(0.01, 0.02), (0.03, 0.0), (0.005, 0.005)])
def test_extremes_joint_survival(left, right):
    model = PowerThresholds(2, 1, c_P=1, c_Q=1)
    n_P, n_Q, size = 5000, 60, 100_000
    L, R = sample_extremes(model, n_P, n_Q, Random(5), size)
    exact = (1 - (left**2 + right**2) / 2) ** n_P * (1 - (left + right) / 2) ** n_Q
    hits = int(((left < L) & (right < R)).sum())
    assert stats.binomtest(hits, size, exact).pvalue > FALSE_ALARM


def test_extremes_at_ten_to_the_twelve_keep_their_scale():
    model = PowerThresholds(0.5, 1, c_P=1, c_Q=1)
    _, R = sample_extremes(model, 10**12, 0, Random(1), 20_000)
    # n R**gamma / 2 is exponential up to 1e-12
    assert stats.kstest(0.5e12 * R**0.5, "expon").pvalue > FALSE_ALARM
    assert R.max() < 1e-20


@pytest.mark.parametrize(("n_P", "n_Q"), [(30, 0), (0, 5), (25, 10), (2, 0), (0, 0)])
@pytest.mark.parametrize("placement", ["right", "middle"])
def test_nearest_points_give_the_same_risk_as_raw_ones(n_P, n_Q, placement):
    """ERM over all thresholds of explicit data, which at these sizes sees every point."""
    model = PowerThresholds(2, 1, c_P=0.8, c_Q=0.8)
    size = 6000
    fast = sample_nearest(model, n_P, n_Q, Random(1), size, placement=placement)
    t = fast.take(
        source_erm(
            CellSample(
                fast.thresholds,
                fast.cells_P + fast.cells_Q,
                fast.cells_Q,
                n_P + n_Q,
                0,
                fast.ties,
                valid=fast.valid,
            )
        )
    )
    raw = sample_raw(model, n_P, n_Q, np.random.default_rng(2), size)
    x = np.concatenate([raw.X_P, raw.X_Q], axis=1)
    y = np.concatenate([raw.y_P, raw.y_Q], axis=1)
    edge = np.ones((size, 1))
    ends = np.concatenate([-edge, np.sort(x, axis=1), edge], axis=1)
    middle = (ends[:, 1:] + ends[:, :-1]) / 2
    errors = ((x[:, None, :] >= middle[:, :, None]) != y[:, None, :]).sum(axis=-1)
    jitter = np.random.default_rng(3).uniform(0, 0.5, errors.shape)
    best = np.argmin(errors + jitter, axis=1)[:, None]
    brute = np.take_along_axis(ends[:, 1:] if placement == "right" else middle, best, axis=1)[:, 0]
    assert stats.ks_2samp(t, brute).pvalue > FALSE_ALARM


def test_few_nearest_points_are_enough():
    model = PowerThresholds(2, 1, c_P=0.6, c_Q=0.6)

    def scaled(n, nearest, seed):
        sample = sample_nearest(model, n, 0, Random(seed), 4000, nearest=nearest)
        return model.excess_Q(sample.take(source_erm(sample))) * n**0.5

    risks = scaled(10**8, 60, 1)
    assert stats.ks_2samp(risks, scaled(10**8, 167, 2)).pvalue > FALSE_ALARM
    # the law of the risk times n**(q/gamma) has long converged
    assert stats.ks_2samp(risks, scaled(10**12, 60, 3)).pvalue > FALSE_ALARM


# ------------------------------------------------------------------ atoms


def test_votes_have_the_law_of_raw_points():
    cube = Hypercube(3, 0.2, 0.1, 0.5, 0.8)
    fast = sample_atoms(cube, 30, 40, Random(1), 5000)
    raw = sample_raw(cube, 30, 40, np.random.default_rng(2), 5000)
    for mine, X, y in ((fast.sums_P, raw.X_P, raw.y_P), (fast.sums_Q, raw.X_Q, raw.y_Q)):
        brute = ((X == 1) * (2 * y - 1)).sum(axis=1)
        values = np.arange(-12, 13)
        tables = [[(s == v).sum() for v in values] for s in (mine[:, 1], brute)]
        assert same_law(*tables) > FALSE_ALARM


def test_class_statistics_are_counts_of_points():
    rng = np.random.default_rng(0)
    predictions = rng.integers(0, 2, (6, 5))
    law = rng.dirichlet(np.ones(5))
    model = FiniteClass(predictions, law, law[::-1], rng.uniform(size=5), rng.uniform(size=5))
    for array in ("numpy", "torch"):
        sample = sample_atoms(model, 50, 20, Random(1, array), 3)
        atoms = np.asarray(sample.atoms_Q)
        errors = np.asarray(sample.errors_Q)
        index = np.array([0, 3, 5])
        differs = np.asarray(sample.differs_Q(Random(0, array).asarray(index)))
        for r in range(3):
            for h in range(6):
                wrong = sum(atoms[r, k, 1 - predictions[h, k]] for k in range(5))
                assert errors[r, h] == wrong
                apart = predictions[h] != predictions[index[r]]
                assert differs[r, h] == atoms[r, apart].sum()


# ------------------------------------------------------------------ statistics of raw points


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_statistics_of_points_do_not_depend_on_their_order(seed, two_sided):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 30))
    x, y = rng.uniform(-1, 1, (2, n)), rng.integers(0, 2, (2, n))
    shuffle = rng.permutation(n)
    first = CellSample.from_points(COARSE, x, y, x, y, rng, two_sided=two_sided)
    second = CellSample.from_points(
        COARSE, x[:, shuffle], y[:, shuffle], x, y, rng, two_sided=two_sided
    )
    assert np.array_equal(first.errors_P, second.errors_P)
    hypotheses = [(t, 1) for t in COARSE] + ([(t, -1) for t in COARSE] if two_sided else [])
    brute = np.array([((x >= t) == (o > 0)) != y for t, o in hypotheses]).sum(-1).T
    mine = first.errors_P - first.errors_P[:, :1]
    assert np.array_equal(mine, brute - brute[:, :1])
    index = rng.integers(0, len(hypotheses), 2)
    labels = np.array([(x >= t) == (o > 0) for t, o in hypotheses])
    for r in range(2):
        apart = (labels[:, r] != labels[index[r], r]).sum(axis=1)
        assert np.array_equal(first.differs_P(index)[r], apart)


def test_reflection_exchanges_the_sides():
    model = PowerThresholds(2, 1, 1, 1)
    cells = model.cells_P(COARSE)
    mirrored = model.cells_P(-COARSE[::-1])
    assert mirrored[::-1, ::-1] == pytest.approx(cells)


def test_interval_statistics_are_counts_of_points():
    model = Intervals(2, 1, 1, 1)
    sample = sample_cells(model, 40, 20, Random(1), 3, thresholds=COARSE)
    low, high = sample.pairs
    centre = (COARSE[:-1] + COARSE[1:]) / 2
    ends = sample.take(np.arange(low.size))
    labels = (centre >= ends[:, :1]) & (centre < ends[:, 1:])
    index = np.array([5, 0, 20])
    for r in range(3):
        zeros, ones = sample.cells_Q[r, :, 0], sample.cells_Q[r, :, 1]
        errors = labels @ zeros + ~labels @ ones
        assert np.array_equal(sample.errors_Q[r], errors - ones.sum())
        apart = labels != labels[index[r]]
        assert np.array_equal(sample.differs_Q(index)[r], apart @ (zeros + ones))


# ------------------------------------------------------------------ both back ends, bad input


@pytest.mark.parametrize("n", [0, 17, 10**12])
def test_numpy_and_torch_draw_the_same(n):
    for model in (PowerThresholds(2, 1, 1, 1), Stumps(2, 2, 1), HalfPlanes(2, 1)):
        one = sample_cells(model, n, 5, Random(3), 4, thresholds=COARSE)
        two = sample_cells(model, n, 5, Random(3, "torch"), 4, thresholds=COARSE)
        assert np.array_equal(one.cells_P, two.cells_P.numpy())
        assert np.array_equal(one.errors_Q, two.errors_Q.numpy())
    flat = PowerThresholds(2, 1)
    one, two = (sample_nearest(flat, n, 5, Random(3, a), 4, nearest=20) for a in ("numpy", "torch"))
    assert np.allclose(one.thresholds, two.thresholds.numpy(), rtol=1e-12)
    clean = PowerThresholds(2, 1, c_P=1, c_Q=1)
    one, two = (sample_extremes(clean, n, 5, Random(3, a), 4) for a in ("numpy", "torch"))
    assert np.allclose(one[0], two[0].numpy(), rtol=1e-12)
    cube = Hypercube(3, 0.1, 0.2, 0.5, 0.5)
    one, two = (sample_atoms(cube, n, 5, Random(3, a), 4) for a in ("numpy", "torch"))
    assert np.array_equal(one.wrong(1, 2), two.wrong(1, 2).numpy())


@pytest.mark.parametrize(
    "model",
    [
        PowerThresholds(2, 1, 1, 1),
        ParallelThresholds(3, 2),
        ShiftedCentre(0.3, 2),
        Intervals(2),
        HalfPlanes(2),
        Stumps(2, 2),
        Hypercube(3, 0.1, 0.2, 0.5, 0.5),
        FiniteClass([[0, 1], [1, 1]], [0.2, 0.8], [0.5, 0.5], [0.1, 0.9], [0.3, 1]),
        GaussianHalfSpaces(np.eye(2), np.eye(2), [1, 0]),
    ],
    ids=lambda m: type(m).__name__,
)
def test_numpy_and_torch_draw_the_same_raw_points(model):
    one, two = (sample_raw(model, 20, 5, Random(3, array), 4) for array in ("numpy", "torch"))
    assert np.array_equal(one.y_P, two.y_P.numpy())
    assert np.array_equal(one.y_Q, two.y_Q.numpy())
    mine, other = one.X_P, two.X_P
    if isinstance(model, ParallelThresholds):
        assert np.array_equal(mine[0], other[0].numpy())
        mine, other = mine[1], other[1]
    assert np.allclose(mine, other.numpy(), rtol=1e-12, atol=1e-15)


def test_a_numpy_generator_will_do():
    sample = sample_cells(PowerThresholds(2), 10, 10, np.random.default_rng(0), 3)
    assert sample.cells_P.sum() == 30


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sample_cells(PowerThresholds(2), -1, 0, Random(0), 1), "n_P is -1"),
        (
            lambda: sample_cells(PowerThresholds(2), 0, 2**53, Random(0), 1),
            "n_Q is 9007199254740992",
        ),
        (lambda: sample_cells(PowerThresholds(2), 0.5, 0, Random(0), 1), "n_P is 0.5"),
        (lambda: sample_cells(PowerThresholds(2), 9, 9, Random(0), 10**9), "GiB.*fewer replicates"),
        (lambda: sample_raw(PowerThresholds(2), 10**12, 0, Random(0), 1), "GiB of points"),
        (
            lambda: sample_cells(PowerThresholds(2), 9, 9, Random(0), 1, thresholds=[-1, 0.5]),
            "thresholds cover",
        ),
        (
            lambda: sample_cells(PowerThresholds(2), 9, 9, Random(0), 1, thresholds=[1, -1]),
            "not an increasing vector",
        ),
        (
            lambda: sample_cells(Intervals(2), 9, 9, Random(0), 1, thresholds=[-1, 0.5, 1]),
            "thresholds lack 0",
        ),
        (lambda: sample_cells(Hypercube(2, 0.1, 0.1, 1, 1), 9, 9, Random(0), 1), "sample_atoms"),
        (lambda: sample_atoms(PowerThresholds(2), 9, 9, Random(0), 1), "a Hypercube or"),
        (lambda: sample_extremes(PowerThresholds(2), 9, 9, Random(0), 1), "without noise"),
        (lambda: sample_nearest(PowerThresholds(2, 1, 1), 9, 9, Random(0), 1), "a_P = a_Q = 0"),
        (
            lambda: sample_nearest(PowerThresholds(2), 9, 9, Random(0), 1, placement="left"),
            "placement is 'left'",
        ),
        (lambda: threshold_grid(PowerThresholds(0.02), 10**12), "resolve thresholds below 1e-300"),
        (lambda: threshold_grid(PowerThresholds(1), floor=2.0), "floor is 2.0"),
        (lambda: threshold_grid(PowerThresholds(1), per_octave=10**9), "per_octave is 1000000000"),
        (
            lambda: CellSample.from_points([0, 1], [[2.0]], [[1]], [[]], [[]], Random(0)),
            "a point lies at 2",
        ),
        (
            lambda: sample_cells(
                GaussianHalfSpaces(np.eye(2), np.eye(2), [1, 0]), 9, 9, Random(0), 1
            ),
            "model is a GaussianHalfSpaces",
        ),
    ],
)
def test_bad_requests_are_refused_before_any_work(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_too_many_pairs_are_refused():
    sample = sample_cells(Intervals(2), 9, 9, Random(0), 1)
    with pytest.raises(InputError, match="too many to list all intervals"):
        sample.errors_P  # noqa: B018


def test_joint_places_of_stumps_are_not_invented():
    sample = sample_cells(Stumps(2), 9, 9, Random(0), 1, thresholds=COARSE)
    with pytest.raises(InputError, match="use a FiniteClass"):
        sample.differs_Q(np.array([0]))
