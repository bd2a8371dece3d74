"""The report of several study files: an overview, and a page a file in a folder beside it."""

import dataclasses
import html
import re
from urllib.parse import unquote

import pytest

import tlstat
import tlstat.report
from tlstat.errors import InputError
from tlstat.report import write_report
from tlstat.report.files import by_file
from tlstat.theory.verdict import Verdicts

STUDY = '''
from sympy import symbols
from tlstat import Exact, grid, study
from tlstat.theory import Bound, equals

n = symbols("n", positive=True)


@study(
    design=grid(n=(1, 2)),
    replicates=0,
    claims=[equals("y", Bound(name=f"{{f}} n", expr=f * n, kind="exact")) for f in {factors}],
    name="{name}",
)
def multiples(cell, rng, size):
    """Twice n."""
    return {{"y": Exact(2.0 * cell.n)}}
'''


def write_study(folder, file, name, factors=(2,)):
    """A study file; a claim of another factor than 2 is wrong."""
    folder.mkdir(exist_ok=True)
    (folder / file).write_text(STUDY.format(name=name, factors=factors), encoding="utf-8")
    return folder / file


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """Of four files, of which three would have the same page on some file system."""
    root = tmp_path_factory.mktemp("studies")
    files = [
        write_study(root / "a", "sim_x.py", "first"),
        write_study(root / "b", "sim_x.py", "second", (2, 3)),
        write_study(root / "c", "Sim_X.py", "third"),
        write_study(root / "c", "sim a&b.py", "fourth", (4, 2)),
    ]
    return tlstat.verify(files)


@pytest.fixture
def undrawn(monkeypatch):
    """No figures, which is quick."""
    monkeypatch.setattr(tlstat.report, "figures", lambda verdicts, jobs: [""] * len(verdicts))


def content(folder):
    """Every file below a folder, and what is in it."""
    files = [f for f in folder.rglob("*") if f.is_file()]
    return {f.relative_to(folder).as_posix(): f.read_text(encoding="utf-8") for f in files}


def names(folder):
    return sorted(f.name for f in folder.iterdir())


def check_links(folder):
    """Every link leads to a file below the folder, and to an id in it; returns how many do."""
    found = content(folder)
    links = [(f, html.unescape(x)) for f in found for x in re.findall(r'<a href="(.*?)"', found[f])]
    for file, link in links:
        path, _, anchor = link.partition("#")
        target = (folder / file).parent / unquote(path) if path else folder / file
        text = found[target.resolve().relative_to(folder.resolve()).as_posix()]
        assert not anchor or f'id="{anchor}"' in text, link
    return len(links)


def test_each_file_has_its_own_verdicts(verdicts):
    parts = by_file(verdicts)
    assert [v.study for part in parts.values() for v in part] == [v.study for v in verdicts]
    assert [list(part.results) for part in parts.values()] == [
        ["first"],
        ["second"],
        ["third"],
        ["fourth"],
    ]


def test_names_of_pages_differ_on_every_file_system(verdicts):
    assert list(by_file(verdicts)) == ["sim_x", "sim_x-2", "Sim_X-3", "sim-a-b"]


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("sim_x.risk", "sim_x"),
        ("../../<x>", "studies"),
        ("/etc/passwd", "-etc-passwd"),
        ("n" * 200, "n" * 60),
    ],
)
def test_without_a_file_the_name_of_the_study_says_where_it_belongs(verdicts, name, page):
    assert list(by_file([dataclasses.replace(verdicts[0], study=name)])) == [page]


def test_blocks_that_failed_are_counted_where_they_failed(tmp_path, verdicts, undrawn):
    broken = write_study(tmp_path / "d", "sim_broken.py", "broken")
    broken.write_text(broken.read_text().replace("2.0 * cell.n", "1 / (cell.n - cell.n)"))
    both = tlstat.verify([broken, write_study(tmp_path / "d", "sim_whole.py", "whole")])
    assert {name: part.failures for name, part in by_file(both).items()} == {
        "sim_broken": 2,
        "sim_whole": 0,
    }
    overview = write_report(both, tmp_path / "r.html").read_text()
    assert "2 blocks failed" in overview.split("sim_broken</a>")[1].split("sim_whole</a>")[0]
    assert "failed" not in overview.split("sim_whole</a>")[1]


def test_one_study_file_is_one_page(tmp_path, verdicts):
    write_report(verdicts[:1], tmp_path / "report.html")
    assert names(tmp_path) == ["report.html"]
    assert "<svg" in (tmp_path / "report.html").read_text()


def test_several_are_an_overview_and_pages_that_can_be_moved_together(tmp_path, verdicts, undrawn):
    before, after = tmp_path / "before", tmp_path / "after"
    assert write_report(verdicts, before / "r 1#.html") == before / "r 1#.html"
    before.rename(after)
    assert names(after) == ["r 1#.html", "r 1#_files"]
    assert names(after / "r 1#_files") == sorted(f"{name}.html" for name in by_file(verdicts))
    # of the overview: four files and two surprises; of the pages: the way back, and six claims
    assert check_links(after) == 4 + 2 + 4 + 6


def test_pages_have_the_figures_of_their_claims_and_the_overview_none(tmp_path, verdicts):
    mixed = Verdicts([verdicts[i] for i in (1, 5, 3, 0, 4, 2)], results=verdicts.results)
    overview = write_report(mixed, tmp_path / "report.html")
    assert "<svg" not in overview.read_text()
    for name, part in by_file(mixed).items():
        page = (tmp_path / "report_files" / f"{name}.html").read_text()
        labels = [html.unescape(x) for x in re.findall(r'aria-label="(.*?)"', page)]
        assert len(labels) == len(part)
        assert all(map(str.startswith, labels, [v.sentence for v in part]))
        assert f"<h1>{name}</h1>" in page
        assert re.findall(r"url\((?!#)|@import|<link|<script|<img", page) == []


def test_what_is_not_as_expected_stands_on_top(tmp_path, verdicts, undrawn):
    text = write_report(verdicts, tmp_path / "report.html").read_text()
    top, _ = text.split("<h2>Study files</h2>")
    assert "2 not as expected" in top
    assert re.findall(r'<a href="(.*?)"', top) == [
        "report_files/sim_x-2.html#claim-2",
        "report_files/sim-a-b.html#claim-1",
    ]
    expected = [v for v in verdicts if v.expected]
    text = write_report(expected, tmp_path / "report.html").read_text()
    assert "All are as expected" in text and "<h2>Not as expected</h2>" not in text


def test_a_row_counts_the_verdicts_of_its_file(tmp_path, verdicts, undrawn):
    text = write_report(verdicts, tmp_path / "report.html").read_text()
    (row,) = [r for r in re.findall("<tr>(.*?)</tr>", text) if ">sim_x-2</a>" in r]
    first, *cells = re.findall("<td>(.*?)</td>", row)
    assert "1 not as expected" in first
    # claims, supported, refuted, inconclusive, negative controls, sharp
    assert cells[:5] == ["2", "1", "1", "", ""] and cells[5].endswith("/1")


def test_what_a_page_needs_to_be_run_again_is_on_it(tmp_path, verdicts, undrawn):
    overview = write_report(verdicts, tmp_path / "report.html").read_text()
    assert "<dd>quick</dd>" in overview and "error level" not in overview
    page = (tmp_path / "report_files" / "sim_x-2.html").read_text()
    assert "error level" in page and "<dd>second (version 1)</dd>" in page


def test_pages_of_an_earlier_report_go_and_nothing_else(tmp_path, verdicts, undrawn):
    target, folder = tmp_path / "report.html", tmp_path / "report_files"
    write_report(verdicts, target)
    write_report(verdicts, tmp_path / "other.html")
    (folder / "notes.html").write_text("mine")
    (folder / "foreign.html").write_text((tmp_path / "other_files/sim_x.html").read_text())
    (folder / "folder.html").mkdir()
    kept = ["folder.html", "foreign.html", "notes.html"]
    write_report(verdicts[:3], target)
    assert names(folder) == sorted([*kept, "sim_x.html", "sim_x-2.html"])
    write_report(verdicts[:1], target)
    assert names(folder) == kept
    write_report(verdicts[:1], tmp_path / "other.html")
    assert names(tmp_path) == ["other.html", "report.html", "report_files"]


def test_a_folder_without_pages_stays(tmp_path, verdicts, undrawn):
    (tmp_path / "report_files").mkdir()
    write_report(verdicts[:1], tmp_path / "report.html")
    assert (tmp_path / "report_files").is_dir()


def test_a_file_that_is_no_page_is_not_overwritten(tmp_path, verdicts, undrawn):
    (tmp_path / "report_files").mkdir()
    (tmp_path / "report_files" / "sim_x-2.html").write_text("mine")
    with pytest.raises(InputError, match=r"sim_x-2\.html: is no page of report\.html"):
        write_report(verdicts, tmp_path / "report.html")
    assert content(tmp_path) == {"report_files/sim_x-2.html": "mine"}


@pytest.mark.parametrize("path", [".", "folder", "file/report.html"])
def test_a_path_that_cannot_be_written_leaves_nothing(
    tmp_path, verdicts, path, monkeypatch, undrawn
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OSError, match="directory|exists"):
        write_report(verdicts, path)
    assert names(tmp_path) == ["file", "folder"]


def test_an_error_while_drawing_leaves_the_earlier_report(tmp_path, verdicts, monkeypatch, undrawn):
    def broken(*args):
        raise ZeroDivisionError

    write_report(verdicts[:4], tmp_path / "report.html")
    before = content(tmp_path)
    monkeypatch.setattr(tlstat.report, "overview", broken)
    with pytest.raises(ZeroDivisionError):
        write_report(verdicts, tmp_path / "report.html")
    assert content(tmp_path) == before
