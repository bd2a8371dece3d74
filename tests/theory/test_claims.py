"""Claims refuse what cannot be judged, before any work, and say in words what they judge."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

from tlstat.errors import InputError
from tlstat.montecarlo.design import geometric, grid, inner
from tlstat.montecarlo.study import study
from tlstat.theory.bound import Assumption, Bound, Source
from tlstat.theory.claims import Claim, at_least, at_most, between, equals, ordered, rate

n, S, C, delta = sympy.symbols("n S C delta", positive=True)
SOURCE = Source("made up for the tests", "section 0")


def bound(expr, **kw):
    options = {"name": "a bound", "symbols": tuple(map(str, expr.free_symbols)), "source": SOURCE}
    return Bound(expr=expr, **{**options, **kw})


ROOT = bound(1 / sympy.sqrt(n))


@study(
    design=grid(n=geometric(100, 10_000, 5), level=inner(["hard", "soft"])),
    replicates=400,
    name="claims_study",
)
def example(cell, rng, size):
    return {"risk": rng.normal(size=(size, 2))}


def test_every_constructor_makes_a_claim():
    made = [
        rate("risk", "n", ROOT),
        at_most("risk", ROOT),
        at_least("risk", bound(1 / n, kind="lower")),
        equals("risk", 0.5),
        between("risk", 0.1, ROOT),
        ordered("risk", "level", ["soft", "hard"]),
    ]
    for claim in made:
        assert isinstance(claim, Claim)
        claim.check(example)
        sentence = claim.sentence(example, [])
        assert "risk" in sentence
    assert [c.kind for c in made] == ["rate", "at_most", "at_least", "equals", "between", "ordered"]
    assert len({c.name for c in made}) == len(made)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: rate("risk", "n", ROOT, side="above"), "side"),
        (lambda: rate("risk", "n", -0.5), "positive number"),
        (lambda: rate("risk", "n", "n"), "bound"),
        (lambda: rate("", "n", ROOT), "metric"),
        (lambda: rate("risk", "n", ROOT, tolerance=-0.1), "tolerance"),
        (lambda: rate("risk", "n", ROOT, expect="maybe"), "expect"),
        (lambda: at_most("risk", bound(C / n, kind="rate", free=("C",))), "side='upper'"),
        (lambda: at_most("risk", bound(1 / n, kind="lower")), "upper bound"),
        (lambda: at_least("risk", ROOT), "lower bound"),
        (lambda: at_most("risk", 1.0, delta=1.5), "delta"),
        (lambda: at_most("risk", 1.0, delta=0.1, surely=True), "exclude"),
        (lambda: at_most("risk", 1.0, statistic="mode"), "statistic"),
        (lambda: at_least("risk", 1.0, along="n"), "over='family'"),
        (lambda: equals("risk", 1.0, rtol=-1), "rtol"),
        (lambda: ordered("risk", "level", ["hard"]), "at least two"),
        (lambda: ordered("risk", "level", ["hard", "hard"]), "different"),
        (lambda: between("risk", None, 1.0), "lower"),
    ],
)
def test_bad_arguments_name_the_argument(make, word):
    with pytest.raises(InputError, match=word):
        make()


@pytest.mark.parametrize("scope", ["all procedures", "worst case over the class"])
def test_lower_bound_over_procedures_needs_a_quantifier(scope):
    limit = bound(1 / n, kind="lower", scope=scope)
    with pytest.raises(InputError, match="over='prior'"):
        at_least("risk", limit)
    with pytest.raises(InputError, match="one instance"):
        between("risk", limit, ROOT)
    assert "prior" in at_least("risk", limit, over="prior").sentence(example, [])
    assert "largest" in at_least("risk", limit, over="family", along="n").sentence(example, [])


@pytest.mark.parametrize(
    ("claim", "word"),
    [
        (rate("risk", "n", ROOT, where={"level": "medium"}), "keeps no cell"),
        (rate("risk", "m", ROOT), "along='m'"),
        (rate("risk", "n", ROOT, where={"n": [100, 10_000]}), "at least 3"),
        (rate("risk", "level", ROOT), "positive numbers"),
        (at_most("risk", bound(S / n)), "'S'"),
        (equals("risk", 0.0), "atol"),
        (ordered("risk", "level", ["soft", "medium"]), "medium"),
        (at_most("risk", bound(sympy.log(1 / delta) / n, sense="probability")), "delta"),
    ],
)
def test_check_stops_before_the_run(claim, word):
    with pytest.raises(InputError, match=word):
        claim.check(example)


def test_symbols_come_from_at_then_cell_then_model():
    class Model:
        S = 7

    @study(design=grid(n=[4, 9, 16]), replicates=10, name="modelled", model=lambda cell: Model())
    def modelled(cell, rng, size):
        return {"risk": rng.normal(size=size)}

    at_most("risk", bound(S / n)).check(modelled)
    at_most("risk", bound(S / n), at={"S": 3}).check(example)


def test_unwise_claims_are_pointed_out():
    assert "0.1" in rate("risk", "n", ROOT, tolerance=0.1).warnings(example)[0]
    assert rate("risk", "n", ROOT).warnings(example) == []
    warning = at_most("risk", 1.0, delta=0.001).warnings(example)[0]
    needed = int(np.ceil(np.log(0.01) / np.log1p(-0.0011)))
    assert str(needed) in warning


def test_assumptions_are_carried_by_the_bound_not_by_the_claim():
    tabular = Assumption("tabular", "finitely many inputs", check=lambda model, cell: True)
    claim = at_most("risk", bound(1 / n, assumptions=(tabular,)))
    claim.check(example)
    assert "a bound" in claim.name
