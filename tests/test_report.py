"""A page of the report is safe and self-contained, and says what was judged."""

import dataclasses
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from sympy import sqrt, symbols

import tlstat
from tlstat import Exact, geometric, grid, inner, study
from tlstat.report import render, write_report
from tlstat.report.figures import figures
from tlstat.report.html import escape, formula, interval, number, svg
from tlstat.theory import Assumption, Bound, Source, at_most, between, equals, rate

HOSTILE = "<script>alert(1)</script>\"'&$x"
n, s = symbols("n s", positive=True)

MEAN = Bound(
    name="mean of the square",
    expr=s**2 / n,
    kind="exact",
    assumptions=(
        Assumption("positive scale", "s > 0", lambda model, cell: model["s"] > 0),
        Assumption("independence", "observations are independent"),
    ),
    source=Source("arXiv:0000.00000", "Theorem 9", note="the constant is ours"),
)
SLOW = Bound(name="too slow", expr=1 / sqrt(n), kind="rate")
ABOVE = Bound(name=HOSTILE, expr=3 * s**2 / n, kind="upper", source=Source(HOSTILE, HOSTILE))
BELOW = Bound(name="a third", expr=s**2 / (3 * n), kind="lower")
WHEN = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


@study(
    design=grid(n=geometric(10, 1000, 5), s=2.0, law=inner(["normal", HOSTILE])),
    replicates=20_000,
    model=dict,  # assumptions are checked on a model
    block=10_000,
    ranges={"square": (0, float("inf"))},
    claims=[
        equals("square", MEAN, rtol=0.1),
        rate("square", along="n", bound=SLOW, expect="refuted"),
        at_most("square", ABOVE, name=HOSTILE),
        between("square", BELOW, ABOVE),
    ],
    name=f"a study {HOSTILE}",
)
def squares(cell, rng, size):
    """Squares of a mean, <b>drawn</b> directly."""
    mean = rng.normal(0.0, cell.s * cell.n**-0.5, size=(size, 2))
    return {"square": mean**2}


@study(
    design=grid(n=(1, 2)),
    replicates=0,
    claims=[equals("double", Bound(name="2n", expr=2 * n, kind="exact"))],
    name="exact study",
)
def doubles(cell, rng, size):
    """Twice n."""
    return {"double": Exact(2.0 * cell.n)}


@pytest.fixture(scope="module")
def verdicts():
    return tlstat.verify([squares, doubles])


@pytest.fixture(scope="module")
def page(verdicts):
    return render(verdicts, title=HOSTILE, now=WHEN)


class Reader(HTMLParser):
    """Collects elements, ids and references; unbalanced elements fail."""

    VOID = frozenset({"meta", "br", "link", "img", "path", "use", "rect", "stop"})

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.ids, self.links, self.handlers = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.note(attrs)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.note(attrs)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open and self.open.pop() == tag, tag

    def note(self, attrs):
        for key, value in attrs:
            if key == "id":
                self.ids.append(value)
            if key in ("href", "xlink:href", "src"):
                self.links.append(value)
            if key.startswith("on"):
                self.handlers.append(key)


@pytest.fixture(scope="module")
def parsed(page):
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def test_hostile_names_are_shown_not_run(page, parsed):
    assert parsed.tags.count("script") == 0
    assert parsed.handlers == []
    assert "<b>drawn</b>" not in page
    assert page.count(escape(HOSTILE)) >= 5


def test_nothing_is_fetched_from_elsewhere(page, parsed):
    assert parsed.links, "the table links to its cards"
    assert all(link.startswith("#") for link in parsed.links)
    assert {"link", "img", "iframe", "object"}.isdisjoint(parsed.tags)
    assert "@import" not in page
    assert re.findall(r"url\((?!#)", page) == []


def test_ids_are_unique_and_references_resolve(page, parsed):
    assert len(parsed.ids) == len(set(parsed.ids))
    used = {link[1:] for link in parsed.links} | set(re.findall(r"url\(#([^)]+)\)", page))
    assert used <= set(parsed.ids)


def test_every_claim_has_a_card_with_its_sentence_and_figure(page, parsed, verdicts):
    for i, verdict in enumerate(verdicts, start=1):
        card = page.split(f'<article id="claim-{i}">')[1].split("</article>")[0]
        assert escape(verdict.sentence) in card
        assert verdict.status.name in card
        assert "<svg" in card
        assert f'href="#claim-{i}"' in page


def test_workers_draw_the_same_figures(verdicts):
    many = [*verdicts] * 5
    assert figures(many, jobs=2) == figures(many)


def test_one_cell_needs_no_figure(verdicts):
    alone = dataclasses.replace(verdicts[0], cells=verdicts[0].cells[:1])
    assert "<svg" not in render([alone], now=WHEN)


def test_figures_lose_text_and_nothing_that_is_seen():
    from tlstat.plotting import Series, slope_plot

    text = svg(slope_plot([Series([1, 2], [1, 2])]), "f", "label")
    assert "scale(0.015625)" in text  # the size of all glyphs
    assert "\n" not in text and re.search(r"\d{2}\.\d{3}", text) is None


def test_a_card_says_what_was_assumed_and_what_is_ours(page):
    card = page.split('<article id="claim-1">')[1].split("</article>")[0]
    assert "<math" in card and "<mfrac>" in card
    assert "Theorem 9" in card and "the constant is ours" in card
    assert "checked by machine" in card and "taken on trust" in card
    assert "Power card" in card


def test_a_negative_control_is_called_one(page, verdicts):
    assert verdicts[1].status.name == "REFUTED"
    card = page.split('<article id="claim-2">')[1].split("</article>")[0]
    assert "refuted as it should be" in card
    assert "surprise" not in card


def test_an_unexpected_verdict_stands_out():
    wrong = study(
        design=grid(n=(10, 20)),
        replicates=2000,
        block=1000,
        ranges={"x": (0, 1)},
        claims=[at_most("x", 0.1)],
        name="wrong",
    )(lambda cell, rng, size: {"x": rng.uniform(0.0, 1.0, size=size)})
    text = render(tlstat.verify(wrong), now=WHEN)
    assert 'class="pill refuted surprise"' in text
    assert "1 not as expected" in text


def test_the_run_can_be_repeated_from_the_page(page):
    facts = page.split("How this was made")[1]
    assert "2026-01-02 03:04 UTC" in facts
    assert "quick" in facts and tlstat.__version__ in facts
    assert "0.0025 a claim, shared by 4 claims" in facts


def test_exact_results_have_no_replicates(page):
    card = page.split('<article id="claim-5">')[1].split("</article>")[0]
    assert "0, exact" in card


def test_equal_runs_give_equal_pages(verdicts, page):
    assert render(verdicts, title=HOSTILE, now=WHEN) == page


def test_write_report_makes_the_folder(tmp_path, verdicts):
    target = write_report(verdicts[:1], tmp_path / "deep" / "report.html")
    assert target.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_an_empty_run_has_a_page():
    assert "No claim was judged" in render([], now=WHEN)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.00012345, "0.0001234"),
        (1.25e-05, "1.25\u00a0×\u00a010<sup>−5</sup>"),
        (-2e9, "−2\u00a0×\u00a010<sup>9</sup>"),
        (100.0, "100"),
        (float("inf"), "∞"),
        (float("nan"), "–"),
        (None, "–"),
        ("<x>", "&lt;x&gt;"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text


def test_intervals_without_an_end_are_open():
    assert "[1, ∞)" in interval((1.0, float("inf")))
    assert interval((float("nan"), float("nan"))) == "–"


@pytest.mark.parametrize(
    "source",
    ["<math><script>alert(1)</script></math>", "<math><mi>x</math>", "<svg onload='x'/>"],
)
def test_a_formula_that_is_no_mathml_is_text(source):
    bound = SimpleNamespace(name="<b>", mathml=lambda: source)
    assert formula(bound) == "<code>&lt;b&gt;</code>"


def test_attributes_of_formulas_are_filtered():
    bound = SimpleNamespace(
        name="x", mathml=lambda: '<math><mi onclick="x" mathvariant="bold">a&amp;b</mi></math>'
    )
    assert formula(bound) == '<math display="block"><mi mathvariant="bold">a&amp;b</mi></math>'


def test_figures_do_not_share_ids():
    from tlstat.plotting import Series, slope_plot

    one, two = (svg(slope_plot([Series([1, 2], [1, 2])]), f"f{i}", "'\"<") for i in (1, 2))
    ids = [set(re.findall(r'\bid="([^"]+)"', text)) for text in (one, two)]
    assert ids[0] and ids[0].isdisjoint(ids[1])
    assert "&lt;" in one.split(">")[0]
