"""The command line, from arguments to exit code."""

import csv
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from tlstat.cli import build_parser, main, overview
from tlstat.cli.options import DEFAULT_STORE

COMMANDS = ["list", "run", "verify", "plan", "status", "figures", "report", "export"]
COMMANDS += ["replay", "diff", "certify", "value-of-target"]

STUDY = '''
"""Means of normals."""
from sympy import sqrt, symbols
from tlstat import geometric, grid, inner, study
from tlstat.theory import Bound, at_most, rate

n = symbols("n", positive=True)
ROOT = Bound(name="one over n", expr=1 / n**{power}, kind="rate")


@study(
    design=grid(n=geometric(10, 1000, 5), scale=inner([1, 2])),
    replicates=2000,
    block=500,
    ranges={{"square": (0, float("inf"))}},
    claims=[
        rate("square", along="n", bound=ROOT, where={{"scale": 1}}, name="the rate"),
        at_most("square", 1.0, where={{"scale": 1}}, name="the bound"),
    ],
    name="{name}",
)
def means(cell, rng, size):
    """The square of a mean."""
    one = rng.normal(0.0, cell.n**-0.5, size=(size, 1)) ** 2
    {trap}
    return {{"square": rng.xp.concat([one, 2 * one], axis=1)}}
'''


def write_study(folder, file="my_study.py", power=1, trap="pass", name="means"):
    file = folder / file
    file.write_text(STUDY.format(power=power, trap=trap, name=name), encoding="utf-8")
    return str(file)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder, and no store named by the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TLSTAT_STORE", raising=False)
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert "examples:" in text and f"tlstat {command}" in text.split("examples:")[1]


def test_the_help_lists_every_command(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert all(re.search(rf"^    {command}\b", text, re.MULTILINE) for command in COMMANDS)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["verify"],
        ["verify", "x.py", "--level", "1"],
        ["verify", "x.py", "--level", "0"],
        ["verify", "x.py", "--jobs", "0"],
        ["verify", "x.py", "--replicates", "-5"],
        ["verify", "x.py", "--entropy", "-1"],
        ["verify", "x.py", "--device", "tpu"],
    ],
)
def test_wrong_options_exit_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_the_default_store(monkeypatch):
    monkeypatch.delenv("TLSTAT_STORE", raising=False)
    assert build_parser().parse_args(["status"]).store == DEFAULT_STORE
    monkeypatch.setenv("TLSTAT_STORE", "elsewhere.sqlite")
    assert build_parser().parse_args(["status"]).store == "elsewhere.sqlite"


def test_verify_judges_and_writes_what_was_asked_for(here, capsys):
    path = write_study(here)
    code = main(["verify", path, "-q", "--report", "out/r.html", "--json", "out/v.json"])
    out = capsys.readouterr().out
    assert code == 0, out
    assert "SUPPORTED" in out and "report: out/r.html" in out
    assert (here / DEFAULT_STORE).exists()
    written = json.loads((here / "out" / "v.json").read_text())
    assert [v["status"] for v in written["verdicts"]] == ["SUPPORTED", "SUPPORTED"]
    assert "<!DOCTYPE html>" in (here / "out" / "r.html").read_text()


def test_the_report_of_several_files_is_an_overview_with_pages(here, capsys):
    one, other = write_study(here), write_study(here, "other_study.py", name="others")
    assert main(["verify", one, other, "-q", "--report", "out/r.html"]) == 0
    assert "report: out/r.html" in capsys.readouterr().out
    assert 'href="r_files/other_study.html"' in (here / "out" / "r.html").read_text()
    assert "the rate" in (here / "out" / "r_files" / "other_study.html").read_text()


def test_of_many_claims_a_summary_is_shown_and_the_surprises(here, capsys, monkeypatch):
    monkeypatch.setattr(overview, "MOST_CLAIMS", 1)
    monkeypatch.setenv("COLUMNS", "250")  # no sentence is broken
    path = write_study(here, power=0.7)
    assert main(["verify", path, "-q"]) == 1
    shown = capsys.readouterr().out
    assert "not as expected" in shown and "--all" in shown
    assert "the rate" in shown or "follows" in shown
    assert "at most" not in shown  # as expected: counted, not shown
    assert main(["verify", path, "-q", "--all"]) == 1
    everything = capsys.readouterr().out
    assert "at most" in everything and "--all" not in everything


def test_a_wrong_exponent_exits_with_1_and_is_named(here, capsys):
    assert main(["verify", write_study(here, power=0.7), "-q"]) == 1
    assert "REFUTED" in capsys.readouterr().out


def test_selection_keeps_the_level(here, capsys):
    path = write_study(here)
    assert main(["verify", path, "-q", "-k", "bound", "--json", "v.json"]) == 0
    (verdict,) = json.loads((here / "v.json").read_text())["verdicts"]
    assert verdict["claim"] == "the bound"
    assert verdict["level"] == pytest.approx(0.005)


def test_too_few_replicates_exit_with_3_and_plan_says_how_many(here, capsys):
    path = write_study(here)
    strict = ["-q", "-k", "rate", "--level", "1e-9"]
    assert main(["verify", path, *strict, "--replicates", "500"]) == 3
    capsys.readouterr()
    assert main(["plan", path, *strict, "--pilot", "500"]) == 0
    (line,) = [x for x in capsys.readouterr().out.splitlines() if "the rate" in x]
    needed = int(re.findall(r"\d+", line)[1])
    assert 500 < needed < 20_000
    assert main(["verify", path, *strict, "--replicates", str(2 * needed)]) == 0


def test_nothing_selected_exits_with_5(here, capsys):
    assert main(["verify", write_study(here), "-q", "-k", "nosuchclaim"]) == 5
    assert "no claim was selected" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["verify", "nowhere.py"], "nowhere.py: no such file"),
        (["verify", "."], "no sim_*.py or *_study.py"),
        (["verify", "my_file.py::other"], "no study 'other'"),
        (["verify", "my_file.py", "--profile", "lavish"], "no profile 'lavish'"),
        (["verify", "my_file.py", "-k", "a or"], "cannot read the selection"),
        (["verify", "my_file.py", "--store", "notes.txt"], "notes.txt"),
        (["verify", "my_file.py", "-q", "--report", "."], ".: Is a directory"),
        (["verify", "my_file.py", "-q", "--report", "notes.txt/r.html"], "notes.txt: File exists"),
        (["status", "--store", "none.sqlite"], "none.sqlite: no such store"),
        (["export", "--store", "none.sqlite", "--output", "x.csv"], "no such store"),
        (["export", "--output", "x.docx"], "expected a name in .csv"),
        (["figures", "nowhere"], "nowhere: no such file"),
        (["figures", "my_file.py"], "is no figure"),
        (["replay", "my_file.py", "--cell", "{"], "is no JSON"),
        (["replay", "my_file.py"], "fits 5 of the 5 cells"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(here, capsys, arguments, message):
    write_study(here, "my_file.py")
    (here / "notes.txt").write_text("not a store, and longer than the header of one\n")
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert (here / "notes.txt").read_text().startswith("not a store")


def test_debug_shows_where_it_came_from(here, capsys):
    assert main(["verify", "nowhere.py", "--debug"]) == 2
    err = capsys.readouterr().err
    assert "Traceback" in err and err.strip().splitlines()[-1].startswith("tlstat: error:")


def test_a_bug_is_not_taken_for_a_refutation(here, capsys, monkeypatch):
    def broken(*args, **kwargs):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("tlstat.verification.verify", broken)
    monkeypatch.setattr("tlstat.verify", broken, raising=False)
    assert main(["verify", write_study(here)]) == 70
    assert "ZeroDivisionError: a bug" in capsys.readouterr().err


def test_list_shows_studies_and_claims(here, capsys):
    assert main(["list", write_study(here)]) == 0
    out = capsys.readouterr().out
    assert "means  (version 1; quick: 5 cells, 2000 replicates)" in out
    assert "  - the rate" in out and "The square of a mean." in out


def test_run_then_status_report_and_export(here, capsys):
    path = write_study(here)
    assert main(["run", path, "-q"]) == 0
    assert main(["status"]) == 0
    status = capsys.readouterr().out
    assert "means" in status and "20" in status

    assert main(["report", path, "--output", "r.html"]) == 0
    assert "the rate" in (here / "r.html").read_text()

    assert main(["export", "--output", "all.csv"]) == 0
    with (here / "all.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 5 * 2 * 2000
    assert {row["scale"] for row in rows} == {"1", "2"}

    assert main(["export", "--summary", "--output", "means.csv"]) == 0
    with (here / "means.csv").open() as handle:
        (first, *rest) = csv.DictReader(handle)
    assert len(rest) == 9
    assert first["replicates"] == "2000"
    values = [float(r["square"]) for r in rows if (r["n"], r["scale"]) == ("10", "1")]
    assert float(first["square"]) == pytest.approx(sum(values) / len(values))

    assert main(["export", "--output", "copy.sqlite"]) == 0
    assert main(["report", path, "--store", "copy.sqlite", "--output", "r2.html"]) == 0
    assert main(["export", "--output", "copy.sqlite"]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["export", "--study", "other", "--output", "x.csv"]) == 2
    assert "it has means" in capsys.readouterr().err


def test_report_does_not_simulate_or_touch_the_store(here, capsys):
    path = write_study(here)
    assert main(["run", path, "-q", "--replicates", "500", "--store", "s.sqlite"]) == 0
    before = (here / "s.sqlite").read_bytes()
    assert main(["report", path, "--store", "s.sqlite", "--output", "r.html"]) == 2
    assert "15 of 20 blocks of means" in capsys.readouterr().err
    assert (here / "s.sqlite").read_bytes() == before


def test_diff_tells_what_changed(here, capsys):
    path = write_study(here)
    assert main(["run", path, "-q", "--store", "a.sqlite"]) == 0
    assert main(["run", path, "-q", "--store", "b.sqlite", "--entropy", "1"]) == 0
    capsys.readouterr()
    assert main(["diff", "a.sqlite", "b.sqlite", path]) == 0
    assert "2 verdicts, none differs" in capsys.readouterr().out
    # the same study, but its second store was made by a function that is off by a factor
    broken = write_study(here, trap="one = one * 1.0 * cell.n")
    assert main(["run", broken, "-q", "--store", "c.sqlite"]) == 0
    capsys.readouterr()
    assert main(["diff", "a.sqlite", "c.sqlite", path]) == 1
    assert "SUPPORTED" in capsys.readouterr().out


def test_a_failed_block_exits_with_4_and_can_be_replayed(here, capsys):
    trap = 'one[0, 0] = float("nan") if cell.n == 1000 else one[0, 0]'
    path = write_study(here, trap=trap)
    assert main(["verify", path, "-q"]) == 4
    err = capsys.readouterr().err
    key = re.findall(r"tlstat replay \S+ ([0-9a-f]+)", err)[0]
    assert main(["replay", DEFAULT_STORE, key, "--study", path]) == 2
    assert "nan" in capsys.readouterr().err.lower()
    # the other cells are stored, and one of them can be run again by name
    assert main(["replay", f"{path}::means", "--cell", '{"n": 10}', "--block", "1"]) == 0
    assert "square: shape (500, 2)" in capsys.readouterr().out


def test_figures_run_what_is_missing_and_draw(here, capsys):
    write_study(here)
    (here / "fig_someone_2024.py").write_text(
        '"""Someone (2024), figure 1."""\n'
        "from tlstat.plotting import Series, slope_plot\n"
        "STUDIES = {'means': 'my_study.py::means'}\n"
        "def draw(results):\n"
        "    s = results['means'].summary()\n"
        "    s = s[s['scale'] == 1]\n"
        "    return slope_plot([Series(list(s['n']), list(s['mean']))])\n"
    )
    assert main(["figures", ".", "--output", "figs", "-q"]) == 0
    assert (here / "figs" / "someone_2024.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (here / "figs" / "someone_2024.svg").read_text()


def stored_blocks(store):
    """How many blocks a store holds that another process is writing; 0 before it exists."""
    if not store.exists():
        return 0
    try:
        with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as connection:
            return connection.execute("SELECT count(*) FROM block").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def test_an_interrupt_exits_with_130_and_says_how_to_go_on(here):
    path = write_study(here, trap="import time; time.sleep(0.2)")
    environment = {k: v for k, v in os.environ.items() if k != "TLSTAT_STORE"}
    process = subprocess.Popen(
        [sys.executable, "-c", "from tlstat.cli import main; raise SystemExit(main())"]
        + ["run", path],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    deadline = time.monotonic() + 60
    while not stored_blocks(here / DEFAULT_STORE) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"tlstat run {path}" in err
    assert "Traceback" not in err
