"""Verdicts as a table, a frame, JSON and HTML, and the exit code of a run."""

from __future__ import annotations

import json
import math

import pytest

from tlstat.theory.claims import at_most
from tlstat.theory.power import make_card
from tlstat.theory.verdict import Status, Verdict, Verdicts

S, R, INCONCLUSIVE = Status.SUPPORTED, Status.REFUTED, Status.INCONCLUSIVE


def verdict(status=S, *, expect="supported", sentence="the mean is at most 1", **kw):
    claim = at_most("risk", 1.0, expect=expect)
    wanted = R if expect == "refuted" else S
    values = {
        "estimate": 0.5,
        "interval": (0.4, math.inf),
        "predicted": 1.0,
        "replicates": 400,
        "validity": "asymptotic, N_eff 201",
        "power": make_card([("constant x 0.5", "KILLED")], []),
        "reason": "",
        "study": "a_study",
        "sentence": sentence,
        "expected": status is wanted,
    }
    return Verdict(claim=claim, status=status, **{**values, **kw})


@pytest.mark.parametrize(
    ("rows", "failures", "code"),
    [
        ([(S, "supported")], 0, 0),
        ([(R, "refuted"), (S, "supported")], 0, 0),
        ([(R, "supported"), (INCONCLUSIVE, "supported")], 0, 1),
        ([(S, "refuted")], 0, 1),
        ([(INCONCLUSIVE, "refuted")], 0, 1),
        ([(INCONCLUSIVE, "supported"), (S, "supported")], 0, 3),
        ([(S, "supported")], 2, 4),
        ([], 1, 4),
        ([], 0, 5),
    ],
)
def test_exit_code(rows, failures, code):
    run = Verdicts([verdict(s, expect=e) for s, e in rows], failures=failures)
    assert run.exit_code == code
    assert run.all_expected == (code in (0, 5))


def test_is_a_sequence_and_keeps_its_results():
    run = Verdicts([verdict(S), verdict(R)], results={"a_study": "results"})
    assert len(run) == 2 and run[0].status is S and [v.status for v in run] == [S, R]
    assert isinstance(run[1:], Verdicts) and run[1:].results == run.results
    assert run.counts == {"SUPPORTED": 1, "REFUTED": 1, "INCONCLUSIVE": 0}
    assert [str(s) for s in Status] == ["SUPPORTED", "REFUTED", "INCONCLUSIVE"]


def test_hostile_text_is_escaped_in_html_and_literal_in_the_table():
    hostile = "<script>alert(1)</script> [red]x[/red] [/nope]"
    run = Verdicts([verdict(sentence=hostile, study="<b>s</b>", reason="a < b & c")])
    page = run._repr_html_()
    assert "<script>" not in page and "&lt;script&gt;" in page
    assert "<b>s</b>" not in page and "a &lt; b &amp; c" in page
    assert "[/nope]" in " ".join(str(run).split())  # rich markup is not interpreted


def test_json_has_no_infinity_and_frame_has_one_row_each():
    run = Verdicts([verdict(S), verdict(INCONCLUSIVE, advice="more replicates")])
    content = json.loads(run.to_json())
    assert content["exit_code"] == 3
    assert content["verdicts"][0]["interval"] == [0.4, None]
    assert content["verdicts"][0]["power"]["grade"] == "SHARP"
    frame = run.to_frame()
    assert list(frame["status"]) == ["SUPPORTED", "INCONCLUSIVE"]
    assert frame["upper"][0] == math.inf and frame["lower"][0] == 0.4


def test_blunt_support_is_said():
    blunt = make_card([("exponent +0.1", "SURVIVED")], ["exponent +0.1"])
    assert verdict(S, power=blunt).label == "SUPPORTED (blunt)"
    assert verdict(R, power=blunt).label == "REFUTED"
    assert "blunt" in str(Verdicts([verdict(S, power=blunt)]))


def test_table_shows_advice_only_where_it_is_needed():
    table = str(Verdicts([verdict(INCONCLUSIVE, reason="PRECISION", advice="take 900")]))
    assert "take 900" in table and "not as expected" in table
    assert "0 replicates, exact" in str(verdict(S, validity="exact", replicates=0))
