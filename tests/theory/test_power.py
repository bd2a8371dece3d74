"""Power cards: mutants of a true claim are killed, and the card is what re-judging would say."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

from tlstat.montecarlo.design import geometric, grid, inner
from tlstat.montecarlo.results import Results
from tlstat.montecarlo.study import study
from tlstat.theory.bound import Bound, Source
from tlstat.theory.claims import at_least, at_most, between, equals, ordered, rate
from tlstat.theory.judge import judge
from tlstat.theory.power import make_card, swept, tightening
from tlstat.theory.verdict import Status

n, S = sympy.symbols("n S", positive=True)
SOURCE = Source("made up for the tests", "section 0")


def theorem(expr, kind="upper"):
    symbols = tuple(sorted(map(str, expr.free_symbols)))
    return Bound(name="b", expr=expr, symbols=symbols, kind=kind, source=SOURCE)


def run(claims, draw, *, size=2000, seed=0, axes=None, ranges=None):
    axes = axes or {"n": geometric(100, 10**6, 9)}

    @study(design=grid(**axes), replicates=size, name="p", claims=claims, ranges=ranges or {})
    def example(cell, rng, size):
        raise AssertionError("not run")

    rng = np.random.default_rng(seed)
    results = Results.from_arrays(
        example, {c: {"y": draw(c, rng, size)} for c in example.design.cells}
    )
    return judge(example, results, family=1)


def gamma(cell, rng, size):
    return rng.gamma(4, size=size) / 4 * cell.n**-0.5


def card_of(claim, draw=gamma, **kw):
    (v,) = run([claim], draw, **kw)
    return v.power


def test_true_rate_is_sharp():
    card = card_of(rate("y", "n", theorem(1 / sympy.sqrt(n))))
    assert card.grade == "SHARP" and card.score == "5/5"
    low, high, point = card.tightness
    assert low < -0.5 < high and low < point < high
    assert 0.05 < card.resolution < 0.1


def test_a_rate_with_little_data_or_a_wide_tolerance_is_blunt():
    def noisy(cell, rng, size):
        return rng.exponential(size=size) ** 1.5 * cell.n**-0.5

    short = {"n": [100, 200, 400]}
    claim = rate("y", "n", theorem(1 / sympy.sqrt(n)))
    assert card_of(claim, noisy, size=400, axes=short).grade == "BLUNT"
    wide = rate("y", "n", theorem(1 / sympy.sqrt(n)), tolerance=0.15)
    assert card_of(wide).grade == "BLUNT"


@pytest.mark.parametrize("side", ["upper", "lower"])
def test_one_sided_rates_have_the_mutants_that_strengthen_them(side):
    card = card_of(rate("y", "n", theorem(1 / sympy.sqrt(n)), side=side))
    states = dict(card.mutants)
    wrong = "exponent -0.1" if side == "upper" else "exponent +0.1"
    assert states[wrong] == "KILLED" and card.grade in ("SHARP", "LOOSE")
    assert len([s for s in states if s.startswith("exponent")]) == 1


def test_card_of_an_upper_bound_agrees_with_judging_the_mutants():
    factors = {0.5: "constant x 0.5", 0.25: "constant x 0.25", 0.1: "constant x 0.1"}
    for loose in (1.05, 1.5, 3.0, 30.0):
        original = at_most("y", theorem(loose / sympy.sqrt(n)))
        states = dict(card_of(original).mutants)
        for factor, label in factors.items():
            (v,) = run([at_most("y", theorem(factor * loose / sympy.sqrt(n)))], gamma)
            expected = {"REFUTED": "KILLED", "SUPPORTED": "SURVIVED", "INCONCLUSIVE": "WEAK"}
            assert states[label] == expected[str(v.status)]


@pytest.mark.parametrize("make", [at_most, at_least])
@pytest.mark.parametrize("ranges", [{"y": (0, np.inf)}, {"y": (0, 5)}, None])
def test_tightness_is_the_inversion_of_the_judge(make, ranges):
    kind = "upper" if make is at_most else "lower"
    size, axes = 800, {"n": [1, 4]}

    def at(factor, tolerance=0.0):
        claim = make("y", theorem(factor / sympy.sqrt(n), kind), tolerance=tolerance)
        return run([claim], gamma, size=size, axes=axes, ranges=ranges)[0]

    low, high, point = at(1.0).power.tightness
    assert low <= point <= high
    refuted, supported = (low, high) if make is at_most else (high, low)
    inward = 1e-4 if make is at_most else -1e-4
    assert at(refuted * (1 - inward)).status is Status.REFUTED
    assert at(refuted * (1 + inward)).status is Status.INCONCLUSIVE
    assert at(supported * (1 - inward)).status is Status.INCONCLUSIVE
    assert at(supported * (1 + inward)).status is Status.SUPPORTED


def test_measured_value_rule():
    good = card_of(at_most("y", theorem(2 / sympy.sqrt(n))), size=2000)
    assert dict(good.mutants)["bound at 0.8 x the measured value"] == "KILLED"
    bad = card_of(at_most("y", theorem(9 / sympy.sqrt(n))), size=12)
    assert bad.grade == "BLUNT"
    low = card_of(at_least("y", theorem(0.5 / sympy.sqrt(n), "lower")))
    assert dict(low.mutants)["bound at 1.25 x the measured value"] == "KILLED"


def test_a_loose_bound_is_said_to_be_loose():
    card = card_of(at_most("y", theorem(30 / sympy.sqrt(n))))
    assert card.grade == "LOOSE" and dict(card.mutants)["constant x 0.1"] == "SURVIVED"


def test_exponent_mutants_strengthen_the_bound_everywhere():
    cells = [{"n": v, "S": s} for v in (10, 100) for s in (2, 4)]
    for upper in (True, False):
        made = tightening(cells, ("n", "S"), upper)
        assert len(made) == 4
        for _, factor in made:
            values = np.array([factor(c) for c in cells])
            assert np.all(values <= 1 + 1e-12) if upper else np.all(values >= 1 - 1e-12)
            assert np.any(np.isclose(values, 1)) and not np.allclose(values, 1)
    assert swept([{"n": 1, "level": "a"}, {"n": 2, "level": "b"}], ("n", "level")) == {"n": [1, 2]}


def test_equality_kills_constants_exponents_and_dropped_terms():
    expr = 1 / sympy.sqrt(n) + 3 / n

    def draw(cell, rng, size):
        return rng.gamma(25, size=size) / 25 * (cell.n**-0.5 + 3 / cell.n)

    card = card_of(equals("y", theorem(expr, "exact")), draw, axes={"n": [4, 16, 64, 256]})
    assert card.grade == "SHARP"
    labels = [label for label, _ in card.mutants]
    assert {"constant x 0.5", "exponent of n +0.1", "exponent of n -0.1"} <= set(labels)
    assert sum("without the term" in label for label in labels) == 2


def test_equality_with_no_power_is_blunt():
    card = card_of(equals("y", theorem(1 / sympy.sqrt(n), "exact")), size=5)
    assert card.grade == "BLUNT"


def test_between_and_ordered_and_probability_cards():
    axes = {"n": [1, 4]}
    options = {"axes": axes, "ranges": {"y": (0, 1)}}
    uniform = lambda c, g, size: g.random(size)  # noqa: E731
    assert card_of(between("y", 0.4, 0.6), uniform, **options).grade == "SHARP"
    assert card_of(at_most("y", 0.96, delta=0.05), uniform, **options).grade == "SHARP"
    loose = card_of(at_most("y", 10.0, delta=0.05), uniform, **options)
    assert dict(loose.mutants)["bound x 0.5"] == "SURVIVED" and loose.grade == "LOOSE"
    assert card_of(at_most("y", 1.0, surely=True), uniform, **options).grade == "SHARP"

    def levels(cell, rng, size):
        return rng.random(size)[:, None] + np.array([0.0, 0.1, 0.2])

    order = ordered("y", "level", ["a", "b", "c"])
    card = card_of(order, levels, axes={"n": [1], "level": inner(["a", "b", "c"])})
    assert card.grade == "SHARP" and card.score == "3/3"


def test_grades():
    killed, weak = ("one", "KILLED"), ("two", "WEAK")
    assert make_card([killed], ["one"]).grade == "SHARP"
    assert make_card([killed, weak], ["one"]).grade == "LOOSE"
    assert make_card([killed, weak], ["two"]).grade == "BLUNT"
