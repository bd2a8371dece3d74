"""verify: families, selection, what is refused before work starts, and a planted error."""

import math

import numpy as np
import pytest

import tlstat
from tlstat import geometric, grid, study
from tlstat.errors import InputError
from tlstat.verification import collect, matches_expression

STUDY = """
from sympy import Symbol, sqrt
from tlstat import geometric, grid, study
from tlstat.theory import Bound, at_most, equals, rate

n = Symbol("n", positive=True)
RISK = Bound(name="risk", expr=1 / n, kind="exact")
RATE = Bound(name="rate", expr=n**({exponent}), kind="rate")

@study(design=grid(n=geometric(100, 10_000, 5)), replicates=20_000, block=5_000,
       ranges={{"mse": (0, float("inf"))}},
       claims=[rate("mse", along="n", bound=RATE, name="slope"),
               equals("mse", RISK, rtol=0.1, name="constant")])
def mean(cell, rng, size):
    return {{"mse": rng.normal(0, cell.n**-0.5, size=size) ** 2}}

@study(design=grid(n=[10, 100]), replicates=2_000, block=1_000, ranges={{"x": (0, 1)}},
       claims=[at_most("x", 0.6, name="half")])
def coin(cell, rng, size):
    return {{"x": rng.uniform(size=size)}}
"""


def write(tmp_path, exponent=-1.0):
    file = tmp_path / "sim_mean.py"
    file.write_text(STUDY.format(exponent=exponent))
    return file


@pytest.mark.parametrize(
    ("expression", "text", "expected"),
    [
        ("rate", "a.b::rate of tv", True),
        ("not rate", "a.b::rate of tv", False),
        ("rate and tv", "a.b::rate of tv", True),
        ("RATE and (x or b::)", "a.b::rate of tv", True),
        ("not (x or y) and z", "z", True),
        ("x or y", "z", False),
    ],
)
def test_selection_expressions(expression, text, expected):
    assert matches_expression(expression, text) is expected


@pytest.mark.parametrize("broken", ["", "and", "rate and", "(rate", "rate tv", "not", ")"])
def test_a_malformed_selection_is_refused(broken):
    with pytest.raises(InputError, match="selection"):
        matches_expression(broken, "text")


def test_selection_keeps_the_level_and_so_every_status(tmp_path):
    file = write(tmp_path)
    everything = tlstat.verify(file)
    assert [v.status.name for v in everything] == ["SUPPORTED"] * 3
    for verdict in everything:
        (alone,) = tlstat.verify(file, select=verdict.claim.name)
        assert alone.status is verdict.status
        assert alone.level == verdict.level
        assert alone.interval == verdict.interval
    (named,) = tlstat.verify(f"{file}::coin")
    assert named.level == everything[2].level


def test_a_planted_exponent_is_named_and_refuted(tmp_path):
    verdicts = tlstat.verify(write(tmp_path, exponent=-0.9))
    assert verdicts.exit_code == 1
    assert [v.claim.name for v in verdicts if v.status.name == "REFUTED"] == ["slope"]


def test_more_workers_give_the_same_verdicts(tmp_path):
    file = write(tmp_path)
    one, two = tlstat.verify(file), tlstat.verify(file, jobs=2)
    assert [(v.estimate, v.interval) for v in one] == [(v.estimate, v.interval) for v in two]


def test_a_store_is_used_again(tmp_path):
    file, store = write(tmp_path), tmp_path / "results.sqlite"
    first = tlstat.verify(file, store=store)
    second = tlstat.verify(file, store=store)
    assert [v.interval for v in first] == [v.interval for v in second]
    assert first.results.keys() == {"sim_mean.mean", "sim_mean.coin"}


def test_holm_and_selection_do_not_mix(tmp_path):
    with pytest.raises(InputError, match="holm"):
        tlstat.verify(write(tmp_path), control="holm", select="slope")
    holm = tlstat.verify(write(tmp_path), control="holm")
    assert [v.status.name for v in holm] == ["SUPPORTED"] * 3


@pytest.mark.parametrize("bad", [[], "no/such/file.py"])
def test_nothing_to_verify_is_an_error(bad):
    with pytest.raises(InputError):
        collect(bad)


@pytest.mark.parametrize("alpha", [0, 1, -0.1, math.nan])
def test_a_level_outside_the_unit_interval_is_refused(tmp_path, alpha):
    with pytest.raises(InputError, match="alpha"):
        tlstat.verify(write(tmp_path), alpha=alpha)


def test_two_studies_of_one_name_are_refused():
    def build():
        @study(design=grid(n=geometric(10, 100, 2)), replicates=10, name="twin")
        def f(cell, rng, size):
            return {"x": np.zeros(size)}

        return f

    with pytest.raises(InputError, match="twin"):
        collect([build(), build()])
