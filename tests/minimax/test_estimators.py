"""Procedures against brute force on explicit data, their laws, and the reference's numbers."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tlstat.backend import Random, to_numpy
from tlstat.errors import InputError
from tlstat.minimax import (
    FiniteClass,
    HalfPlanes,
    Intervals,
    ParallelThresholds,
    PowerThresholds,
    ShiftedCentre,
    adaptive_cost,
    admissible_weights,
    confidence_set,
    confidence_set_erm,
    deviation,
    equal_erm,
    importance_weighted_erm,
    interval_erm,
    mirrored_erm,
    pooled_erm,
    sample_atoms,
    sample_cells,
    sample_nearest,
    select,
    simulate_risks,
    source_erm,
    target_erm,
    truncated_weights,
    weighted_erm,
)
from tlstat.minimax.estimators import minimiser
from tlstat.minimax.sampling import CellSample, ClassSample

FALSE_ALARM = 1e-6
GRID = np.linspace(-1, 1, 9)
seeds = st.integers(0, 2**32 - 1)


def random_sample(seed, *, two_sided=False, size=4):
    """Replicates of explicit points, with their brute-force errors and labels."""
    rng = np.random.default_rng(seed)
    n_P, n_Q = rng.integers(0, 12, 2)
    x_P, x_Q = rng.uniform(-1, 1, (size, n_P)), rng.uniform(-1, 1, (size, n_Q))
    y_P = 1 * (rng.uniform(size=(size, n_P)) < 0.5 + 0.4 * x_P)
    y_Q = 1 * (rng.uniform(size=(size, n_Q)) < 0.5 + 0.4 * x_Q)
    sample = CellSample.from_points(GRID, x_P, y_P, x_Q, y_Q, rng, two_sided=two_sided)
    rules = [(t, 1) for t in GRID] + ([(t, -1) for t in GRID] if two_sided else [])
    labels_P = np.array([(x_P >= t) == (s > 0) for t, s in rules]).transpose(1, 0, 2)
    labels_Q = np.array([(x_Q >= t) == (s > 0) for t, s in rules]).transpose(1, 0, 2)
    errors_P = (labels_P != y_P[:, None]).sum(-1)
    errors_Q = (labels_Q != y_Q[:, None]).sum(-1)
    return sample, errors_P, errors_Q, labels_P, labels_Q


def is_minimiser(index, objective, allowed=None):
    objective = np.where(True if allowed is None else allowed, objective, np.inf)
    chosen = np.take_along_axis(objective, index[:, None], axis=1)[:, 0]
    return np.allclose(chosen, objective.min(axis=1), rtol=1e-12)


@settings(max_examples=60)
@given(seeds, st.booleans(), st.floats(0.01, 50))
def test_minimisers_are_those_of_brute_force(seed, two_sided, weight):
    sample, errors_P, errors_Q, _, _ = random_sample(seed, two_sided=two_sided)
    assert is_minimiser(source_erm(sample), errors_P)
    assert is_minimiser(target_erm(sample), errors_Q)
    assert is_minimiser(pooled_erm(sample), errors_P + errors_Q)
    assert is_minimiser(weighted_erm(sample, weight), weight * errors_P + errors_Q)
    rates = errors_P / max(sample.n_P, 1) + errors_Q / max(sample.n_Q, 1)
    assert is_minimiser(equal_erm(sample), rates)


def brute_confidence_set(errors, labels, best, c, delta, dimension):
    n = labels.shape[-1]
    if n == 0:
        return np.ones(errors.shape, dtype=bool)
    A = dimension / n * math.log(max(n, dimension) / dimension) + math.log(1 / delta) / n
    allowed = np.empty(errors.shape, dtype=bool)
    for r, h in np.ndindex(*errors.shape):
        differs = np.mean(labels[r, h] != labels[r, best[r]])
        gap = (errors[r, h] - errors[r, best[r]]) / n
        allowed[r, h] = gap <= c * math.sqrt(differs * A) + c * A + 1e-12
    return allowed


@settings(max_examples=60)
@given(seeds, st.booleans(), st.floats(0, 3), st.floats(0.01, 1), st.integers(1, 3))
def test_adaptive_procedures_are_those_of_brute_force(seed, two_sided, c, delta, dimension):
    sample, errors_P, errors_Q, labels_P, labels_Q = random_sample(seed, two_sided=two_sided)
    options = {"c": c, "delta": delta, "dimension": dimension}
    of_P, of_Q = source_erm(sample), target_erm(sample)
    near_Q = brute_confidence_set(errors_Q, labels_Q, of_Q, **options)
    near_P = brute_confidence_set(errors_P, labels_P, of_P, **options)
    assert np.array_equal(confidence_set(sample, "Q", **options), near_Q)
    assert np.array_equal(confidence_set(sample, "P", **options), near_P)
    if sample.n_P:
        assert is_minimiser(confidence_set_erm(sample, **options), errors_P, near_Q)
        accepted = np.take_along_axis(near_Q, of_P[:, None], axis=1)[:, 0]
        assert np.array_equal(select(sample, **options), np.where(accepted, of_P, of_Q))
    if sample.n_Q:
        assert is_minimiser(mirrored_erm(sample, **options), errors_Q, near_P)


@given(seeds, st.floats(0, 5))
def test_laws_of_confidence_sets(seed, c):
    sample, _, errors_Q, _, _ = random_sample(seed)
    of_P, of_Q = source_erm(sample), target_erm(sample)
    rows = np.arange(len(of_Q))
    inside = confidence_set(sample, "Q", c=c)
    assert inside[rows, of_Q].all()
    assert (inside <= confidence_set(sample, "Q", c=c + 1)).all()
    assert confidence_set(sample, "Q", c=math.inf).all()
    assert np.array_equal(select(sample, c=math.inf), of_P if sample.n_P else of_Q)
    if sample.n_P and sample.n_Q:
        strict = select(sample, c=0)
        took_source = (strict == of_P) & (of_P != of_Q)
        gap = errors_Q[rows, of_P] - errors_Q[rows, of_Q]
        assert (gap[took_source] <= 0).all()
        assert np.array_equal(confidence_set_erm(sample, c=math.inf), of_P)


@given(seeds)
def test_an_empty_sample_leaves_the_other_alone(seed):
    sample, _, _, _, _ = random_sample(seed)
    nothing = 0 * sample.cells_P
    only_P = CellSample(GRID, sample.cells_P, nothing, sample.n_P, 0, sample.ties)
    only_Q = CellSample(GRID, nothing, sample.cells_Q, 0, sample.n_Q, sample.ties)
    procedures = [pooled_erm, equal_erm, confidence_set_erm, mirrored_erm, select]
    for procedure in procedures:
        if sample.n_P:
            assert np.array_equal(procedure(only_P), source_erm(only_P)), procedure.__name__
        if sample.n_Q:
            assert np.array_equal(procedure(only_Q), target_erm(only_Q)), procedure.__name__


@given(seeds, st.floats(0.1, 10))
def test_laws_of_weights(seed, weight):
    sample, errors_P, errors_Q, _, _ = random_sample(seed)
    assert np.array_equal(weighted_erm(sample, 0), target_erm(sample))
    if sample.n_P and sample.n_Q:
        lexicographic = 1000.0 * errors_P + errors_Q
        assert is_minimiser(weighted_erm(sample, math.inf), lexicographic)
        assert is_minimiser(weighted_erm(sample, 1e6), lexicographic)
    swept = weighted_erm(sample, [0, weight, 1, math.inf])
    assert np.array_equal(swept[..., 1], weighted_erm(sample, weight))
    assert np.array_equal(swept[..., 2], pooled_erm(sample))
    # three copies of every point change nothing
    thrice = CellSample(
        GRID, 3 * sample.cells_P, 3 * sample.cells_Q, 3 * sample.n_P, 3 * sample.n_Q, sample.ties
    )
    assert np.array_equal(pooled_erm(thrice), pooled_erm(sample))


def test_ties_are_broken_uniformly():
    values = np.broadcast_to([3.0, 1.0, 2.0, 1.0, 1.0], (60_000, 5))
    index = minimiser(values, np.random.default_rng(0).uniform(size=60_000))
    counts = np.bincount(index, minlength=5)
    assert counts[[0, 2]].sum() == 0
    assert stats.chisquare(counts[[1, 3, 4]]).pvalue > FALSE_ALARM
    assert minimiser(values, np.full(60_000, np.nextafter(1, 0))).max() == 4


def test_reflection_leaves_the_risk_alone():
    """Ties broken by the first index would favour one side."""
    model = PowerThresholds(2, 1, 1, 1)
    sample = sample_cells(model, 300, 20, Random(1), 20_000)
    t = sample.take(source_erm(sample))
    side = int((t > 0).sum())
    assert stats.binomtest(side, int((t != 0).sum())).pvalue > FALSE_ALARM
    assert stats.ks_2samp(t[t > 0], -t[t < 0]).pvalue > FALSE_ALARM


@pytest.mark.parametrize("model", [PowerThresholds(2, 1, 1, 1), HalfPlanes(2, 1, 1, 0)])
def test_numpy_and_torch_choose_the_same(model):
    for n_P, n_Q in ((0, 50), (50, 0), (10**6, 10**3)):
        one = sample_cells(model, n_P, n_Q, Random(3), 20, per_octave=2)
        two = sample_cells(model, n_P, n_Q, Random(3, "torch"), 20, per_octave=2)
        procedures = [source_erm, target_erm, pooled_erm, equal_erm, confidence_set_erm]
        for procedure in [*procedures, mirrored_erm, select]:
            mine, other = procedure(one), procedure(two)
            assert np.array_equal(mine, other.numpy()), procedure.__name__
            assert np.allclose(one.take(mine), two.take(other).numpy())


# ------------------------------------------------------------------ numbers of the reference

PROCEDURES = ("source", "target", "pooled", "equal", "select", "confidence-set")
# n_Q, n_P and the risks of PROCEDURES: means of 2000 replicates, as printed
MEASURED = [
    (10**3, 10**2, (0.0888, 0.00092, 0.00107, 0.0133, 0.00319, 0.0149)),
    (10**3, 10**4, (0.0352, 0.00099, 0.0102, 0.00136, 0.00624, 0.0155)),
    (10**4, 10**4, (0.0358, 0.000107, 0.000244, 0.000244, 0.000212, 0.00206)),
    (10**4, 10**6, (0.0145, 0.000098, 0.00633, 0.000131, 0.000345, 0.00206)),
    (10**4, 10**10, (0.0023, 0.000099, 0.0023, 0.000131, 0.00120, 0.00171)),
    (10**2, 10**10, (0.0023, 0.00956, 0.0023, 0.00792, 0.0023, 0.0023)),
]


@pytest.mark.parametrize(("n_Q", "n_P", "printed"), MEASURED)
def test_table_of_procedures(n_Q, n_P, printed):
    """At six thresholds per octave; the reference does not say which grid it used."""
    size = 3000
    model = PowerThresholds(1, 1, 2, 0)
    risks = simulate_risks(model, n_P, n_Q, Random(11), size, PROCEDURES, per_octave=6)
    z = stats.norm.isf(FALSE_ALARM / 72)
    error = risks.std(axis=0) * math.sqrt(1 / size + 1 / 2000)
    # half a unit of the last printed digit
    rounding = np.array([0.5 * 10 ** (math.floor(math.log10(v)) - 1) for v in printed])
    assert (np.abs(risks.mean(axis=0) - printed) <= z * error + rounding).all()


def test_pooling_hurts_sixtyfold():
    model = PowerThresholds(1, 1, 2, 0)
    risks = simulate_risks(model, 10**6, 10**4, Random(1), 1000, ("pooled", "target"))
    assert risks[:, 0].mean() > 40 * risks[:, 1].mean()


def test_selection_stays_near_the_target_where_the_source_is_elsewhere():
    model = ShiftedCentre(0.1, 1, 1, 1, 0)
    names = ("source", "target", "select")
    source, target, chosen = simulate_risks(model, 10**8, 10**4, Random(1), 500, names).mean(axis=0)
    assert source == pytest.approx(model.floor, rel=0.05)
    assert chosen == pytest.approx(target)
    source, target, chosen = simulate_risks(model, 10**8, 1, Random(1), 500, names).mean(axis=0)
    assert chosen < target


def test_parallel_thresholds_scale_with_the_dimension():
    """E_Q / (d/n)**(1/gamma) is the same for every d, without noise."""
    scaled = []
    for d in (1, 8, 64):
        model = ParallelThresholds(d, 2, c_P=1, c_Q=1)
        risks = simulate_risks(model, 10**7, 0, Random(d), 3200 // d, ("source",), per_octave=8)
        scaled.append(risks.mean() / (d / 1e7) ** 0.5)
        error = risks.std() / math.sqrt(risks.size) / (d / 1e7) ** 0.5
        assert abs(scaled[-1] - scaled[0]) <= 6 * error + 0.06 * scaled[0]


# ------------------------------------------------------------------ intervals, finite classes


def test_interval_erm_is_that_of_brute_force():
    model = Intervals(1, 2, 1, 0)
    grid = np.array([-1, -0.7, -0.5, -0.3, 0, 0.2, 0.5, 0.8, 1])
    sample = sample_cells(model, 40, 15, Random(1), 200, thresholds=grid)
    for weight, objective in (
        (0.0, sample.errors_Q),
        (1.0, sample.errors_P + sample.errors_Q),
        (0.3, 0.3 * sample.errors_P + sample.errors_Q),
        (math.inf, sample.errors_P),
    ):
        ends = interval_erm(sample, weight)
        low, high = np.searchsorted(grid, ends[:, 0]), np.searchsorted(grid, ends[:, 1])
        assert (low <= high).all()
        zeros = np.where(np.isinf(weight), 0, sample.cells_Q) + (
            sample.cells_P if np.isinf(weight) else weight * sample.cells_P
        )
        for r in range(200):
            gain = (zeros[r, low[r] : high[r], 1] - zeros[r, low[r] : high[r], 0]).sum()
            assert -gain == pytest.approx(objective[r].min())


def test_interval_erm_breaks_ties_uniformly():
    model = Intervals(1)
    grid = np.array([-1, -0.5, 0, 0.5, 1])
    size = 40_000
    sample = sample_cells(model, 0, 0, Random(2), size, thresholds=grid)
    sample.cells_Q = sample.cells_Q + np.array([[0, 1], [1, 0], [0, 1], [1, 1]])
    ends = interval_erm(sample, 0)
    names, counts = np.unique(ends, axis=0, return_counts=True)
    # gains of one: [-1, -.5), [-1, .5), [-1, 1), [0, .5), [0, 1)
    expected = [(-1, -0.5), (-1, 0.5), (-1, 1), (0, 0.5), (0, 1)]
    assert [tuple(row) for row in names] == expected
    assert stats.chisquare(counts).pvalue > FALSE_ALARM


@pytest.mark.parametrize("model", [(2, 1, 1, 1), (1, 0.5, 0, 0)])
def test_the_ends_of_an_interval_are_learnt_like_two_parallel_thresholds(model):
    n, size = 10**6, 3000
    both = sample_cells(Intervals(*model), n, 0, Random(1), size, per_octave=4)
    apart = ParallelThresholds(2, *model)
    lines = sample_cells(apart, n, 0, Random(2), size, per_octave=4)
    first = Intervals(*model).excess_Q(interval_erm(both, math.inf))
    second = apart.excess_Q(lines.take(source_erm(lines)))
    assert stats.ks_2samp(first, second).pvalue > FALSE_ALARM


def test_any_finite_class():
    """Every procedure on a class of random labellings, against enumeration over hypotheses."""
    rng = np.random.default_rng(4)
    predictions = np.unique(rng.integers(0, 2, (12, 6)), axis=0)
    law = rng.dirichlet(np.ones(6))
    model = FiniteClass(predictions, law, law[::-1], rng.uniform(size=6), rng.uniform(size=6))
    sample = sample_atoms(model, 30, 12, Random(1), 50)
    assert is_minimiser(source_erm(sample), sample.errors_P)
    inside = confidence_set(sample)
    assert is_minimiser(confidence_set_erm(sample), sample.errors_P, inside)
    risks = simulate_risks(model, 30, 12, Random(1), 50)
    assert (risks >= 0).all()
    assert risks[:, 0] == pytest.approx(model.excess_Q(source_erm(sample)))


def test_uniform_bernstein_event_holds_as_often_as_promised():
    """Section 5.2, law 10: with c = 2 and a union over pairs, on all labellings of 4 atoms."""
    rng = np.random.default_rng(7)
    predictions = np.array(list(itertools.product((0, 1), repeat=4)))
    law, eta = rng.dirichlet(np.ones(4)), rng.uniform(size=4)
    model = FiniteClass(predictions, law, law, eta, eta)
    n, delta, size = 100, 0.1, 2000
    sample = sample_atoms(model, 0, n, Random(1), size)
    A = deviation(n, delta=delta, dimension=4)
    risk = model.risk_Q
    broken = np.zeros(size, dtype=bool)
    for h in range(16):
        differs = sample.differs_Q(np.full(size, h)) / n
        gap = risk[h] - risk - (sample.errors_Q[:, h : h + 1] - sample.errors_Q) / n
        true_differs = (predictions != predictions[h]) @ law
        bound = 2 * np.sqrt(np.minimum(differs, true_differs) * A) + 2 * A
        broken |= (gap > bound).any(axis=1)
    assert stats.binomtest(int(broken.sum()), size, delta, alternative="greater").pvalue > 1e-6


# ------------------------------------------------------------------ importance weights, purchase


def test_importance_weights_have_mean_one_and_are_cut():
    model = PowerThresholds(2, 1)
    edges = np.concatenate([-np.geomspace(1, 1e-4, 30), [0], np.geomspace(1e-4, 1, 30)])
    for truncation in (1.5, 50.0):
        weights = truncated_weights(model, edges, truncation)
        mass_P = model.cells_P(edges).sum(-1)
        assert weights @ mass_P == pytest.approx(1)
        ratio = model.cells_Q(edges).sum(-1) / mass_P
        expected = np.minimum(ratio, truncation)
        assert weights / weights[0] == pytest.approx(expected / expected[0])


def test_constant_importance_weights_change_nothing():
    sample = sample_cells(PowerThresholds(2, 1, 1, 1), 10**4, 0, Random(1), 50)
    cells = sample.cells_P.shape[-2]
    weighted = importance_weighted_erm(sample, np.full(cells, 2.0))
    assert np.array_equal(weighted, source_erm(sample))
    torch_sample = sample_cells(PowerThresholds(2, 1, 1, 1), 10**4, 0, Random(1, "torch"), 50)
    weights = np.linspace(1, 2, cells)
    mine = importance_weighted_erm(sample, weights)
    assert np.array_equal(mine, importance_weighted_erm(torch_sample, weights).numpy())


def test_weighting_does_not_improve_the_singular_exponent():
    """Section 1.6: truncated importance weights leave the slope -1/2 of (2, 1, 0, 0)."""
    model = PowerThresholds(2, 1, 0, 0, 0.8, 0.8)
    means = []
    for n in (10**6, 10**8):
        sample = sample_cells(model, n, 0, Random(5), 3000)
        weights = truncated_weights(model, sample.thresholds, math.sqrt(n))
        means.append(model.excess_Q(sample.take(importance_weighted_erm(sample, weights))))
    slope = math.log10(means[1].mean() / means[0].mean()) / 2
    error = math.hypot(*(m.std() / m.mean() / math.sqrt(3000) for m in means)) / math.log(100)
    assert abs(slope + 0.5) <= 5 * error


def test_admissible_weights_keep_a_rate():
    """The oracle weight follows the better sample in both corners; no single one does."""
    model = PowerThresholds(1, 1, 2, 0)
    n_P, n_Q = 10**6, 10**4
    _, for_target = admissible_weights(model, n_P, n_Q)
    sample = sample_cells(model, n_P, n_Q, Random(3), 1000)
    risks = model.excess_Q(sample.take(weighted_erm(sample, [0.0, for_target, 1.0]))).mean(axis=0)
    assert risks[1] < 4 * risks[0]
    assert risks[2] > 10 * risks[0]
    n_P, n_Q = 10**10, 10**2
    for_source, _ = admissible_weights(model, n_P, n_Q)
    sample = sample_cells(model, n_P, n_Q, Random(3), 1000)
    weights = [for_source, n_Q / n_P, math.inf]
    risks = model.excess_Q(sample.take(weighted_erm(sample, weights))).mean(axis=0)
    assert risks[0] < 1.2 * risks[2]
    assert risks[1] > 2 * risks[2]


@pytest.mark.parametrize("array", ["numpy", "torch"])
@pytest.mark.parametrize("cost_Q", [0.05, 2000.0])
def test_purchases_keep_their_promise(array, cost_Q):
    model = PowerThresholds(1, 1, 0, 0, 0.8, 0.8)
    eps, delta, size = 0.05, 0.1, 100
    bought = adaptive_cost(
        model, Random(2, array), size, eps=eps, cost_P=1.0, cost_Q=cost_Q, delta=delta
    )
    bad = int((model.excess_Q(bought.hypothesis) > eps).sum())
    assert stats.binomtest(bad, size, delta, alternative="greater").pvalue > FALSE_ALARM
    assert bought.cost == pytest.approx(bought.n_P + cost_Q * bought.n_Q)
    assert bought.from_source.mean() == (1.0 if cost_Q > 1 else 0.0)
    # both streams have cost at most one purchase more than their budget
    budget = 2.0 ** (bought.rounds - 1)
    assert (bought.n_P <= budget + 1).all() and (bought.n_P >= budget).all()
    assert (cost_Q * bought.n_Q <= budget + cost_Q).all()


def test_half_planes_can_be_bought_too():
    model = HalfPlanes(1, 1, 0, 0, 0.8, 0.8)
    bought = adaptive_cost(model, Random(2), 50, eps=0.1, delta=0.1, dimension=2, per_octave=4)
    bad = int((model.excess_Q(bought.hypothesis) > 0.1).sum())
    assert stats.binomtest(bad, 50, 0.1, alternative="greater").pvalue > FALSE_ALARM


def test_purchases_get_dearer_as_more_is_asked():
    model = PowerThresholds(1, 1, 1, 1)
    costs = [adaptive_cost(model, Random(2), 30, eps=e).cost.mean() for e in (0.2, 0.05, 0.0125)]
    assert costs[0] < costs[1] < costs[2]


# ------------------------------------------------------------------ bad input

SAMPLE = random_sample(1)[0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: weighted_erm(SAMPLE, -1), "weight is -1"),
        (lambda: weighted_erm(SAMPLE, math.nan), "weight is nan"),
        (lambda: weighted_erm(SAMPLE, [[1]]), "a number or a vector"),
        (lambda: confidence_set(SAMPLE, "R"), "law is 'R'"),
        (lambda: confidence_set(SAMPLE, c=-1), "c is -1"),
        (lambda: confidence_set(SAMPLE, delta=0), "delta is 0"),
        (lambda: select(SAMPLE, dimension=0), "dimension is 0"),
        (lambda: deviation(-1), "n is -1"),
        (
            lambda: select(sample_cells(ParallelThresholds(2, 1), 5, 5, Random(0), 1)),
            "product class",
        ),
        (lambda: importance_weighted_erm(SAMPLE, [1.0]), "the shape of weights"),
        (lambda: importance_weighted_erm(SAMPLE, np.full(8, -1.0)), "finite weights"),
        (lambda: truncated_weights(PowerThresholds(1), GRID, 0), "truncation is 0"),
        (lambda: interval_erm(SAMPLE), "expected an IntervalSample"),
        (lambda: admissible_weights(PowerThresholds(1), 0, 5), "n_P is 0"),
        (lambda: adaptive_cost(PowerThresholds(1), Random(0), 1, eps=2), "eps is 2"),
        (lambda: adaptive_cost(PowerThresholds(1), Random(0), 1, eps=0.1, cost_P=0), "cost_P is 0"),
        (lambda: adaptive_cost(Intervals(1), Random(0), 1, eps=0.1), "PowerThresholds or"),
        (lambda: simulate_risks(PowerThresholds(1), 5, 5, Random(0), 1, ["best"]), "names out of"),
    ],
)
def test_bad_requests_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_empty_batches_work():
    sample = ClassSample(
        np.array([[0, 1]]), *np.zeros((2, 0, 2, 2), dtype=int), 0, 0, np.zeros((0, 2))
    )
    assert select(sample).shape == (0,)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("two_sided", [False, True])
def test_cuda_chooses_as_numpy_does(two_sided):
    model = HalfPlanes(2, 1, 1, 0) if two_sided else PowerThresholds(2, 1, 1, 0)
    here = sample_cells(model, 10**6, 10**3, Random(3), 50)
    moved = [
        torch.as_tensor(x, device="cuda")
        for x in (here.thresholds, here.cells_P, here.cells_Q, here.ties)
    ]
    there = CellSample(*moved[:3], here.n_P, here.n_Q, moved[3], two_sided=two_sided)
    procedures = [source_erm, target_erm, pooled_erm, equal_erm, confidence_set_erm]
    for procedure in [*procedures, mirrored_erm, select]:
        mine, other = procedure(here), procedure(there)
        assert other.device.type == "cuda"
        assert np.array_equal(mine, other.cpu().numpy()), procedure.__name__
        assert np.allclose(here.take(mine), there.take(other).cpu().numpy())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_samplers_on_cuda_have_the_right_risks():
    model, size = PowerThresholds(2, 1, 0, 0, 0.8, 0.8), 20_000
    z = stats.norm.isf(FALSE_ALARM)
    for sampler in (sample_cells, sample_nearest):
        risks = []
        for rng in (Random(1), Random(2, "torch", "cuda")):
            sample = sampler(model, 10**6, 10**2, rng, size)
            risks.append(to_numpy(model.excess_Q(sample.take(pooled_erm(sample)))))
        gap = risks[0].mean() - risks[1].mean()
        assert abs(gap) <= z * math.hypot(*(r.std() / math.sqrt(size) for r in risks))
