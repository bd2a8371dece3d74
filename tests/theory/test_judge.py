"""The judge on made data: every claim kind true, false and grey; what is no evidence; families."""

from __future__ import annotations

import math
import types

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from tlstat.errors import InputError
from tlstat.montecarlo.design import geometric, grid, inner
from tlstat.montecarlo.results import Results
from tlstat.montecarlo.study import Exact, study
from tlstat.theory.bound import Assumption, Bound, Source
from tlstat.theory.claims import Outcome, at_least, at_most, between, equals, ordered, rate
from tlstat.theory.judge import decisions, family_size, holm, judge, plan_replicates
from tlstat.theory.slopes import Curve, contrast, fit_slope, slope_p_values
from tlstat.theory.verdict import Status

S, R, UNSURE = Status.SUPPORTED, Status.REFUTED, Status.INCONCLUSIVE
n = sympy.Symbol("n", positive=True)
SOURCE = Source("made up for the tests", "section 0")


def theorem(expr, **kw):
    symbols = tuple(sorted(map(str, expr.free_symbols)))
    return Bound(**{"name": "b", "expr": expr, "symbols": symbols, "source": SOURCE, **kw})


ROOT = theorem(1 / sympy.sqrt(n))


def made(draw, claims=(), *, axes=None, size=2000, seed=0, metric="y", **options):
    """A study and its results: ``draw(cell, rng, size)`` gives each outer cell's array."""
    axes = axes or {"n": geometric(100, 10**6, 9)}

    @study(design=grid(**axes), replicates=max(size, 0), name="made", claims=claims, **options)
    def example(cell, rng, size):
        raise AssertionError("not run")

    rng = np.random.default_rng(seed)
    arrays = {c: {metric: draw(c, rng, size)} for c in example.design.cells}
    return example, Results.from_arrays(example, arrays)


def verdict(claim, draw, **kw):
    example, results = made(draw, [claim], **kw)
    claim.check(example)
    return judge(example, results)[0]


def exponential(power=-0.5, factor=1.0):
    return lambda cell, rng, size: factor * rng.exponential(size=size) * cell.n**power


NONNEGATIVE = {"ranges": {"y": (0, np.inf)}}


# -- slopes


def synthetic(mean, spread, size):
    """Exactly this mean and standard deviation (ddof 1), symmetric."""
    z = np.tile([-1.0, 1.0], size // 2)
    return mean + z * spread * np.sqrt((size - 1) / size)


def test_slope_reproduces_the_reference_numbers():
    x = np.array([1e2, 1e3, 1e4, 1e5])
    means = np.array([0.1, 0.033, 0.0098, 0.0032])
    cv = np.array([1, 1, 1.2, 1.2])
    values = [synthetic(m, m * c, 400) for m, c in zip(means, cv, strict=True)]
    curve = Curve(x, x**-0.5, values, means, np.zeros(4), ["a", "b", "c", "d"])
    np.testing.assert_allclose(contrast(x), [-0.130288, -0.0434295, 0.0434295, 0.130288], rtol=1e-5)
    fit = fit_slope(curve)
    assert fit.d == pytest.approx(-0.00118379, rel=1e-5)
    assert fit.se == pytest.approx(0.0107263, rel=1e-5)
    supported, refuted = slope_p_values(fit.d, fit.se, 0.05)
    assert supported == pytest.approx(2.6685e-6, rel=1e-4)
    assert refuted == pytest.approx(0.9999982, abs=1e-7)


def curve_of(means, x, size=400, stream="", seed=0):
    rng = np.random.default_rng(seed)
    base = rng.exponential(size=size)
    draws = [m * (base if stream else rng.exponential(size=size)) for m in means]
    real = np.array([d.mean() for d in draws])
    streams = [stream or str(k) for k in range(len(x))]
    return Curve(x, x**-0.5, draws, real, np.zeros(len(x)), streams)


def test_common_random_numbers_cancel_in_the_contrast():
    x = np.geomspace(100, 1e6, 9)
    shared = fit_slope(curve_of(x**-0.4, x, stream="one"))
    own = fit_slope(curve_of(x**-0.4, x))
    assert shared.d == pytest.approx(0.1, abs=1e-12)  # every cell is the same draw, rescaled
    assert shared.se < 1e-12 < own.se
    assert abs(own.d - 0.1) < 5 * own.se


def test_shared_draws_use_the_influence_function():
    rng = np.random.default_rng(3)
    x = np.geomspace(100, 1e4, 5)
    rows = rng.exponential(size=(5, 800)) + rng.exponential(size=800)
    means = rows.mean(axis=1)
    fit = fit_slope(Curve(x, x**0, list(rows), means, np.zeros(5), ["s"] * 5))
    jackknife = [contrast(x) @ np.log(np.delete(rows, i, axis=1).mean(axis=1)) for i in range(800)]
    assert fit.se == pytest.approx(np.std(jackknife) * np.sqrt(799), rel=0.02)


def test_slope_does_not_see_constants_units_or_order():
    x = np.geomspace(100, 1e6, 9)
    curve = curve_of(x**-0.45, x, seed=4)
    fit = fit_slope(curve)
    scaled = Curve(3 * x, 7 * curve.bound, [5 * v for v in curve.values], 5 * curve.means,
                   curve.errors, curve.streams)  # fmt: skip
    powers = [v * t for v, t in zip(curve.values, x**0.3, strict=True)]
    tilted = Curve(x, curve.bound * x**0.3, powers,
                   curve.means * x**0.3, curve.errors, curve.streams)  # fmt: skip
    for other in (fit_slope(scaled), fit_slope(tilted)):
        assert other.d == pytest.approx(fit.d, abs=1e-12)
        assert other.se == pytest.approx(fit.se, rel=1e-10)


def test_small_samples_use_welch_degrees_of_freedom():
    x = np.geomspace(100, 1e4, 3)
    values = [synthetic(1.0, 0.1, 10), synthetic(1.0, 0.1, 20), synthetic(1.0, 0.1, 28)]
    fit = fit_slope(Curve(x, x**0, values, np.ones(3), np.zeros(3), ["a", "b", "c"]))
    parts = contrast(x) ** 2 * 0.01 / np.array([10, 20, 28])
    assert fit.df == pytest.approx(parts.sum() ** 2 / np.sum(parts**2 / [9, 19, 27]), rel=1e-9)
    normal, student = slope_p_values(0.0, 0.02, 0.05), slope_p_values(0.0, 0.02, 0.05, df=fit.df)
    assert student[0] > normal[0]


@given(
    d=st.floats(-0.3, 0.3),
    se=st.floats(0.001, 0.2),
    tolerance=st.floats(0.001, 0.2),
    side=st.sampled_from(["both", "upper", "lower"]),
)
def test_slope_p_values_are_p_values(d, se, tolerance, side):
    supported, refuted = slope_p_values(d, se, tolerance, side)
    wider = slope_p_values(d, se, tolerance + 0.01, side)
    assert 0 <= supported <= 1 and 0 <= refuted <= 1
    assert wider[0] <= supported + 1e-12 and wider[1] >= refuted - 1e-12
    # a decision both ways at one level below 1/2 is impossible where the two sets coincide
    assert supported + refuted >= 1 - 1e-9


# -- rates


@pytest.mark.parametrize(
    ("power", "side", "status"),
    [
        (-0.5, "both", S),
        (-0.4, "both", R),
        (-0.6, "both", R),
        (-0.55, "both", UNSURE),
        (-0.7, "upper", S),
        (-0.4, "upper", R),
        (-0.3, "lower", S),
        (-0.6, "lower", R),
    ],
)
def test_rate(power, side, status):
    v = verdict(rate("y", "n", ROOT, side=side), exponential(power))
    assert v.status is status, v
    assert v.interval[0] < v.estimate < v.interval[1]
    assert v.predicted == pytest.approx(-0.5)
    assert v.estimate == pytest.approx(power, abs=0.02)
    assert v.validity.startswith("asymptotic, N_eff")


def test_rate_counts_the_logarithm_of_the_bound():
    log = theorem(sympy.sqrt(sympy.log(n) / n))

    def draw(cell, rng, size):
        return rng.gamma(4, size=size) * np.sqrt(np.log(cell.n) / cell.n)

    assert verdict(rate("y", "n", log), draw).status is S
    assert verdict(rate("y", "n", log), draw).predicted == pytest.approx(-0.4419, abs=1e-4)
    assert verdict(rate("y", "n", ROOT, asymptotic=False, tolerance=0.02), draw).status is R


def test_rate_drifting_in_is_not_refuted_and_drifting_out_is():
    def approaching(cell, rng, size):
        return rng.gamma(25, size=size) / 25 * (cell.n**-0.5 * (1 + 20 * cell.n**-0.5))

    v = verdict(rate("y", "n", ROOT), approaching)
    assert v.status is UNSURE and v.reason.startswith("DRIFT") and "enlarge n" in v.advice
    assert verdict(rate("y", "n", ROOT, asymptotic=False), approaching).status is R

    def plateau(cell, rng, size):
        return rng.gamma(25, size=size) / 25 * (cell.n**-0.5 + 0.003)

    assert verdict(rate("y", "n", ROOT), plateau).status is R


def test_rate_is_judged_on_every_curve():
    axes = {"n": geometric(100, 10_000, 5), "S": [2, 5]}

    def draw(cell, rng, size):
        return rng.gamma(9, size=size) * cell.n ** (-0.5 if cell.S == 2 else -0.3)

    assert verdict(rate("y", "n", ROOT), draw, axes=axes).status is R
    assert verdict(rate("y", "n", ROOT, where={"S": 2}), draw, axes=axes).status is S


@pytest.mark.parametrize(
    ("draw", "reason"),
    [
        (lambda c, g, size: np.zeros(size), "ZERO"),
        (lambda c, g, size: np.exp(3 * g.normal(size=size)), "TAIL"),
        (lambda c, g, size: np.full(size, c.n**-0.5), "DEGENERATE"),
    ],
)
def test_rate_says_why_it_cannot_decide(draw, reason):
    v = verdict(rate("y", "n", ROOT), draw, size=400)
    assert v.status is UNSURE and v.reason.startswith(reason) and v.advice


# -- sizes


@pytest.mark.parametrize(
    ("make", "factor", "status"),
    [
        (at_most, 1.2, S),
        (at_most, 0.9, R),
        (at_least, 0.8, S),
        (at_least, 1.1, R),
        (equals, 1.0, S),
        (equals, 1.1, R),
        (equals, 0.9, R),
    ],
)
@pytest.mark.parametrize("options", [NONNEGATIVE, {}])
def test_sizes(make, factor, status, options):
    kind = "lower" if make is at_least else "exact" if make is equals else "upper"
    extra = {"rtol": 0.06} if make is equals else {}
    claim = make("y", theorem(factor / sympy.sqrt(n), kind=kind), **extra)

    def draw(cell, rng, size):
        return rng.gamma(4, size=size) / 4 * cell.n**-0.5

    v = verdict(claim, draw, size=4000, **options)
    assert v.status is status, v
    assert len(v.cells) == 9 and v.replicates == 4000
    low, high = v.interval
    assert low < v.estimate < high


def test_refuting_an_upper_bound_of_a_nonnegative_metric_is_finite_sample():
    def heavy(cell, rng, size):
        return rng.pareto(1.6, size=size) + 1

    v = verdict(at_most("y", 1.2), heavy, **NONNEGATIVE)
    assert v.status is R and v.validity.startswith("finite-sample, range [0, inf")
    loose = verdict(at_most("y", 50.0), heavy, **NONNEGATIVE)
    assert loose.status is UNSURE and loose.reason.startswith("TAIL")
    assert "declare the metric's range" in loose.advice
    assert verdict(at_most("y", 2.0, statistic="median"), heavy).status is S
    assert verdict(at_most("y", 1.2, statistic=0.9), heavy).status is R


def test_one_bad_cell_refutes_and_every_cell_must_support():
    def draw(cell, rng, size):
        return rng.beta(2, 8, size=size) * (1.3 if cell.n == 100 else 1.0)

    options = {"ranges": {"y": (0, 2)}}
    v = verdict(at_most("y", 0.22), draw, **options)
    assert v.status is R and v.cells[0]["cell"]["n"] == 100
    assert verdict(at_most("y", 0.22, where={"n": lambda x: x > 100}), draw, **options).status is S


def test_grey_zone_is_said():
    v = verdict(
        at_most("y", 0.5, tolerance=0.2),
        lambda c, g, size: g.random(size) * 1.1,
        ranges={"y": (0, 1.2)},
    )
    assert v.status is R and "false, but by less than the tolerance" in v.reason


def test_truth_at_the_edge_is_inconclusive_with_advice():
    v = verdict(
        at_most("y", 0.5), lambda c, g, size: g.random(size), size=400, ranges={"y": (0, 1)}
    )
    assert v.status is UNSURE and v.reason.split(":")[0] in ("PRECISION", "BOUNDARY")
    assert v.advice
    assert plan_replicates(v) is None or plan_replicates(v) > 400


def test_planned_replicates_decide():
    claim = at_most("y", 0.52, tolerance=0.0)
    draw = lambda c, g, size: g.random(size)  # noqa: E731
    options = {"ranges": {"y": (0, 1)}, "axes": {"n": [1, 2]}}
    first = verdict(claim, draw, size=100, **options)
    assert first.status is UNSURE
    planned = round(1.4 * ((2.326 + 1.2816) * np.sqrt(1 / 12) / 0.02) ** 2)
    big = verdict(claim, draw, size=20_000, **options)
    assert plan_replicates(big) == pytest.approx(planned, rel=0.5)
    assert verdict(claim, draw, size=2 * planned, **options).status is S


@pytest.mark.parametrize(("p", "status"), [(0.01, S), (0.2, R), (0.051, UNSURE)])
def test_probability(p, status):
    v = verdict(at_most("y", 1.0, delta=0.05), lambda c, g, size: 2.0 * (g.random(size) < p))
    assert v.status is status and v.validity == "exact binomial"
    assert v.predicted == 0.05


def test_surely():
    claim = at_most("y", 1.0, surely=True)
    assert verdict(claim, lambda c, g, size: g.random(size)).status is S
    touching = verdict(claim, lambda c, g, size: np.full(size, 1 + 1e-15))
    assert touching.status is S  # a float tie is no violation
    one = verdict(claim, lambda c, g, size: np.r_[1.001, np.zeros(size - 1)])
    assert one.status is R


def test_between():
    draw = lambda c, g, size: g.random(size)  # noqa: E731
    options = {"ranges": {"y": (0, 1)}}
    assert verdict(between("y", 0.4, 0.6), draw, **options).status is S
    assert verdict(between("y", 0.6, 0.8), draw, **options).status is R
    assert verdict(between("y", 0.2, 0.4), draw, **options).status is R


def test_pooled_test_finds_a_constant_that_is_wrong_everywhere():
    def draw(cell, rng, size):
        return 1.006 * rng.gamma(25, size=size) / 25

    axes = {"n": list(range(1, 26))}
    pooled = verdict(equals("y", 1.0), draw, axes=axes, size=2000)
    alone = verdict(equals("y", 1.0), draw, axes={"n": [1, 2]}, size=2000)
    assert pooled.status is R and alone.status is UNSURE


def test_largest_mean_over_a_family():
    axes = {"n": [10, 100], "instance": ["easy", "hard"]}
    limit = theorem(1 / n, kind="lower", scope="all procedures")

    def draw(cell, rng, size):
        return rng.gamma(9, size=size) / 9 * (2 if cell.instance == "hard" else 0.1) / cell.n

    claim = at_least("y", limit, over="family", along="instance")
    assert verdict(claim, draw, axes=axes).status is S
    false = at_least("y", limit.scaled(3.0), over="family", along="instance")
    assert verdict(false, draw, axes=axes).status is R
    each = at_least("y", limit, over="prior")
    assert verdict(each, draw, axes=axes).status is R


# -- orderings


LEVELS = ["soft", "partial", "hard"]


def levels(paired):
    axes = {"n": [10, 20], "level": inner(LEVELS) if paired else LEVELS}

    def draw(cell, rng, size):
        if not paired:
            return rng.exponential(size=size) + LEVELS.index(cell.level) * 0.2
        noise = rng.exponential(size=size)
        return np.stack([noise + 0.04 * k + 0.01 * rng.normal(size=size) for k in range(3)], axis=1)

    return draw, axes


@pytest.mark.parametrize("paired", [True, False])
def test_ordered(paired):
    draw, axes = levels(paired)
    v = verdict(ordered("y", "level", LEVELS), draw, axes=axes)
    assert v.status is S
    assert v.validity.endswith("unpaired differences" if not paired else ", paired differences")
    false = verdict(ordered("y", "level", LEVELS[::-1], tolerance=0.0), draw, axes=axes)
    assert false.status is R


def test_pairing_decides_what_independent_samples_cannot():
    draw, axes = levels(True)
    claim = ordered("y", "level", LEVELS, tolerance=0.0)
    assert verdict(claim, draw, axes=axes, size=400).status is S

    def apart(cell, rng, size):
        return rng.exponential(size=size) + 0.04 * LEVELS.index(cell.level)

    alone = verdict(claim, apart, axes={"n": [10, 20], "level": LEVELS}, size=400)
    assert alone.status is UNSURE


def test_equal_means_are_ordered_within_the_tolerance_only():
    def same(cell, rng, size):
        return np.repeat(rng.random(size)[:, None], 3, axis=1)

    axes = {"n": [10], "level": inner(LEVELS)}
    options = {"axes": axes, "ranges": {"y": (0, 1)}}
    assert verdict(ordered("y", "level", LEVELS), same, size=4000, **options).status is S
    strict = ordered("y", "level", LEVELS, tolerance=0.0)
    assert verdict(strict, same, size=4000, **options).status is UNSURE


# -- exact results


def exactly(value, error=0.0):
    return lambda cell, rng, size: Exact(value(cell), error)


@pytest.mark.parametrize(
    ("claim", "value", "error", "status"),
    [
        (equals("y", 0.5), lambda c: 0.5, 1e-12, S),
        (equals("y", 0.5), lambda c: 0.5 + 1e-6, 1e-12, R),
        (equals("y", 0.5), lambda c: 0.5 + 1e-6, 1e-4, UNSURE),
        (equals("y", 0.0, atol=1e-6), lambda c: 1e-9, 0.0, S),
        (at_most("y", 0.5), lambda c: 0.5, 1e-10, S),
        (at_most("y", 0.5), lambda c: 0.6, 1e-10, R),
        (at_least("y", 0.5), lambda c: 0.6, 1e-10, S),
        (rate("y", "n", ROOT), lambda c: 3 * c.n**-0.5, 1e-12, S),
        (rate("y", "n", ROOT), lambda c: 3 * c.n**-0.4, 1e-12, R),
        (rate("y", "n", ROOT), lambda c: c.n**-0.5 * (1 + 20 * c.n**-0.5), 1e-12, UNSURE),
    ],
)
def test_exact_results_are_judged_by_their_numeric_error(claim, value, error, status):
    v = verdict(claim, exactly(value, error), size=0)
    assert v.status is status, v
    assert v.replicates == 0 and v.validity == "exact" and "0 replicates, exact" in str(v)


def test_exact_claims_do_not_depend_on_the_family():
    example, results = made(exactly(lambda c: 0.5), [equals("y", 0.5)], size=0)
    assert judge(example, results, family=10**9)[0].status is S
    sampled, _ = made(exponential(), [at_most("y", 1.0)] * 3)
    assert family_size([example, sampled]) == 3


# -- what is no evidence


def test_cells_outside_validity_are_dropped_and_listed():
    large = theorem(2 / sympy.sqrt(n), valid=n >= 1000)
    v = verdict(at_most("y", large), exponential())
    assert v.status is S and len(v.cells) + len(v.dropped) == 9
    assert {d["cell"]["n"] for d in v.dropped} == {100, 316}
    assert "validity" in v.dropped[0]["why"]
    never = theorem(2 / sympy.sqrt(n), valid=n >= 10**9)
    none = verdict(at_most("y", never), exponential())
    assert none.status is UNSURE and none.reason.startswith("ASSUMPTION") and len(none.dropped) == 9


def test_assumptions_are_checked_on_the_model_of_the_cell():
    small = Assumption("small", "n is below 10^5", check=lambda model, cell: model.n < 1e5)
    deep = Assumption("deep", "cannot be checked")
    claim = at_most("y", theorem(2 / sympy.sqrt(n), assumptions=(small, deep)))
    model = {"model": lambda cell: types.SimpleNamespace(n=cell.n)}
    v = verdict(claim, exponential(), **model)
    assert v.status is S and {d["cell"]["n"] for d in v.dropped} == {100_000, 316_228, 1_000_000}
    states = {name: state for name, _, state in v.assumptions}
    assert states == {"small": "violated", "deep": "not checked"}
    unmodelled = verdict(claim, exponential())
    assert {s for *_, s in unmodelled.assumptions} == {"not checked"} and not unmodelled.dropped


def test_failed_blocks_leave_a_selection_so_nothing_is_decided():
    claim = at_most("y", 2.0)
    example, results = made(exponential(0.0), [claim])
    assert judge(example, results)[0].status is S
    lost = types.SimpleNamespace(cell=example.design.cells[0].canonical)
    results.failures.append(lost)
    v = judge(example, results)[0]
    assert v.status is UNSURE and v.reason.startswith("FAILED: 1 block")
    other = at_most("y", 2.0, where={"n": 10**6})
    assert judge(example, results, claims=[other])[0].status is S


def test_replicates_that_share_a_draw_are_noticed():
    def shared(cell, rng, size):
        return rng.gamma(9, size=size // 100).repeat(100) / 9 + rng.random(size)

    v = verdict(at_most("y", 3.0), shared, block=100)
    assert v.status is UNSURE and v.reason.startswith("DEPENDENT") and "block=1" in v.reason


# -- families


def test_holm_on_the_reference_numbers():
    p = [0.004, 0.03, 0.002, 0.2]
    assert decisions(p, 0.01, 4, "holm") == [False, False, True, False]
    assert decisions(p, 0.01, 4, "bonferroni") == [False, False, True, False]
    np.testing.assert_allclose(holm(p), [0.012, 0.06, 0.008, 0.2])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_holm_properties(p, random):
    adjusted = holm(p)
    order = list(range(len(p)))
    random.shuffle(order)
    assert holm([p[i] for i in order]) == [adjusted[i] for i in order]
    assert all(a >= q for a, q in zip(adjusted, p, strict=True))
    padded = holm([*p, 1.0])[:-1]
    assert all(b >= a for a, b in zip(adjusted, padded, strict=True))
    strict = decisions(p, 0.05, len(p), "bonferroni")
    assert all(a <= 0.05 for a, s in zip(adjusted, strict, strict=True) if s)


def test_no_selection_of_claims_changes_a_status():
    claims = [at_most("y", 1.0 + 0.02 * k) for k in range(10)]
    example, results = made(exponential(0.0), claims, size=1500, **NONNEGATIVE)
    every = judge(example, results)
    for claim, whole in zip(claims, every, strict=True):
        alone = judge(example, results, claims=[claim])[0]
        assert (alone.status, alone.level) == (whole.status, whole.level)
    statuses = [v.status for v in every]
    assert statuses == sorted(statuses, key=[R, UNSURE, S].index)  # monotone in the bound


def test_larger_families_never_gain_a_verdict():
    example, results = made(exponential(0.0), [at_most("y", 1.15)], **NONNEGATIVE)
    decided = [judge(example, results, family=k)[0].status is S for k in (1, 10, 1000, 10**7)]
    assert decided == sorted(decided, reverse=True) and decided[0] and not decided[-1]


def test_negative_control_is_expected_when_refuted():
    v = verdict(at_most("y", 0.5, expect="refuted"), exponential(0.0), **NONNEGATIVE)
    assert v.status is R and v.expected
    v = verdict(at_most("y", 2.0, expect="refuted"), exponential(0.0), **NONNEGATIVE)
    assert v.status is S and not v.expected


@pytest.mark.parametrize("bad", [{"alpha": 0}, {"family": 0}, {"control": "none"}])
def test_judge_refuses_bad_levels(bad):
    example, results = made(exponential(), [rate("y", "n", ROOT)])
    with pytest.raises(InputError, match=next(iter(bad))):
        judge(example, results, **bad)


class Symmetric:
    """A user's own claim: the law of the metric is symmetric about zero (sign test)."""

    metric, name, kind, expect = "y", "symmetric", "symmetric", "supported"

    def check(self, study):
        if study.replicates < 100:
            raise InputError("symmetric needs 100 replicates")

    def sentence(self, study, cells):
        return f"{self.metric} is symmetric about zero"

    def test(self, study, results, level):
        from scipy.stats import binomtest

        (sample,) = results.samples(self.metric)
        k, size = int(np.sum(sample.values > 0)), len(sample.values)
        inside = max(
            binomtest(k, size, 0.45, "greater").pvalue, binomtest(k, size, 0.55, "less").pvalue
        )
        return Outcome(inside, binomtest(k, size).pvalue, estimate=k / size, replicates=size)


@pytest.mark.parametrize(("shift", "status"), [(0.0, S), (1.0, R), (0.125, UNSURE)])
def test_a_users_own_claim_is_judged_through_the_protocol(shift, status):
    draw = lambda c, g, size: g.normal(shift, 1, size=size)  # noqa: E731
    v = verdict(Symmetric(), draw, axes={"n": [1]}, size=4000 if status is not UNSURE else 400)
    assert v.status is status and v.sentence == "y is symmetric about zero" and v.power is None


def test_advice_for_nearly_constant_data_knows_the_largest_bet() -> None:
    """Betting needs about log(1/level)/(0.75 x margin) replicates, however small the noise."""
    from tlstat.theory.measures import Mean, replicates_needed

    values = 1 + 1e-9 * np.arange(100)
    measure = Mean(values, (0.0, math.inf))
    needed = replicates_needed(measure, 0.01, 0.01, above=True)
    assert needed == pytest.approx(math.log(100) / 0.0075, rel=0.01)
    assert replicates_needed(measure, 0.01, 0.01, above=False) < 1, "no betting on that side"
