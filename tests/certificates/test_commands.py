"""`tlstat certify`, from a file to an exit code."""

import io
import json
import subprocess
import sys

import pytest

from tlstat.certificates.reading import read_losses
from tlstat.cli import main
from tlstat.errors import InputError


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write_file(text, name="errors.csv", encoding="utf-8"):
        (tmp_path / name).write_bytes(text.encode(encoding))
        return name

    return write_file


def error_of(capsys, *arguments):
    """The one line that a refused command prints."""
    assert main(["certify", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.strip().splitlines()
    assert line.startswith("tlstat: error: ")
    return line


TABLE = "left,right\n" + "1,0\n" * 2 + "0,1\n" * 5 + "0,0\n" * 73


def test_a_table_is_certified(write, capsys):
    assert main(["certify", write(TABLE), "--delta", "0.05", "--candidates", "20000"]) == 0
    out = capsys.readouterr().out
    assert "'left'" in out and "0.2050" in out and "chosen beforehand" in out
    assert "probability at least 0.95" in out and "20,000 candidates" in out
    assert "0/1 loss" in out and "class fixed in advance" in out
    assert "not chosen" in out and "no certificate, unless they share delta" in " ".join(
        out.split()
    )


def test_sizes_may_be_written_as_powers(write, capsys):
    assert main(["certify", write(TABLE), "--candidates", "2e4"]) == 0
    assert "0.2050" in capsys.readouterr().out


def test_json_holds_the_exact_number(write, capsys, tmp_path):
    assert main(["certify", write(TABLE), "--candidates", "20000", "--json", "out/c.json"]) == 0
    found = json.loads((tmp_path / "out" / "c.json").read_text())
    assert found["bound"] == pytest.approx(0.2049, abs=5e-5)
    assert found["name"] == "left" and found["n"] == 80 and found["candidates"] == 20_000
    assert found["bounds"][0]["name"] == "binomial_tail_inversion"


@pytest.mark.parametrize(("limit", "code"), [("0.25", 0), ("0.2", 1)])
def test_a_required_certificate_decides_the_exit_code(write, capsys, limit, code):
    arguments = ["certify", write(TABLE), "--candidates", "20000", "--at-most", limit]
    assert main(arguments) == code
    assert ("not certified" in capsys.readouterr().out) == bool(code)


def test_dyadic_weights_need_no_size(write, capsys):
    assert main(["certify", write(TABLE), "--weights", "dyadic"]) == 0
    out = capsys.readouterr().out
    assert "unlimited stream" in out and "order fixed in advance" in out


def test_shared_delta(write, capsys):
    assert main(["certify", write(TABLE), "--candidates", "20000", "--share"]) == 0
    out = capsys.readouterr().out
    assert "shares delta" in out and "no certificate" not in out


def test_stratified_examples(write, capsys):
    assert main(["certify", write(TABLE), "--candidates", "20000", "--stratified"]) == 0
    assert "every stratum" in " ".join(capsys.readouterr().out.split())


def test_standard_input(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO(TABLE))
    assert main(["certify", "-", "--candidates", "2"]) == 0
    assert "'left'" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "errors.csv: empty"),
        ("\n \n", "errors.csv: empty"),
        ("a,b\n", "only a line of names"),
        ("a,b\n0,1\n0,x\n", "line 3, column 2 has 'x'"),
        ("a,b\n0,1\n0,\n", "line 3, column 2 has nothing"),
        ("a,b\n0,1\n0\n", "line 3 has 1 fields; expected 2"),
        ("a,b\n0,1,1\n", "line 2 has 3 fields; expected 2"),
        ("0,1\n0,1.5\n", "line 2, column 2: 1.5 is no loss in [0, 1]"),
        ("a,b\n0,1\n\n0,nan\n", "line 4, column 'b': nan is no loss in [0, 1]"),
        ("a,b\n0,inf\n", "inf is no loss"),
        ("a,b\n0,-1\n", "-1 is no loss"),
        (
            "an essay, with commas\nand no numbers, at all\n",
            "line 2, column 1 has 'and no numbers'",
        ),
    ],
)
def test_a_file_that_is_no_table_of_losses_is_refused_in_one_line(write, capsys, text, message):
    assert message in error_of(capsys, write(text), "--candidates", "5")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--candidates is missing"),
        (["--candidates", "1"], "fewer than the 2 columns"),
        (["--candidates", "5", "--primary", "magic"], "primary is 'magic'"),
        (["--candidates", "1", "--stratified", "--delta", ".4", "--weights", "dyadic"], "fewer"),
    ],
)
def test_options_that_cannot_hold_are_refused_in_one_line(write, capsys, arguments, message):
    assert message in error_of(capsys, write(TABLE), *arguments)


def test_soft_losses_are_refused_for_binomial_inversion(write, capsys):
    path = write("0.5\n1\n0\n")
    said = error_of(capsys, path, "--candidates", "1", "--primary", "binomial_tail_inversion")
    assert "0/1 losses only" in said
    assert main(["certify", path, "--candidates", "1"]) == 0
    assert "KL" in capsys.readouterr().out.upper()


def test_a_binary_file_and_a_missing_one(write, capsys, tmp_path):
    (tmp_path / "model.bin").write_bytes(bytes(range(128, 256)))
    assert "no text file" in error_of(capsys, "model.bin", "--candidates", "5")
    assert "nowhere.csv" in error_of(capsys, "nowhere.csv", "--candidates", "5")
    assert "directory" in error_of(capsys, ".", "--candidates", "5")


@pytest.mark.parametrize(
    "option", [["--candidates", "0"], ["--candidates", "2.5"], ["--candidates", "many"],
               ["--delta", "0"], ["--delta", "1"], ["--weights", "zipf"]]
)  # fmt: skip
def test_wrong_options_exit_with_2(write, option, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["certify", write(TABLE), *option])
    assert stop.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_help_has_examples_and_is_light(capsys):
    with pytest.raises(SystemExit):
        main(["certify", "--help"])
    text = capsys.readouterr().out
    assert "tlstat certify errors.csv --candidates 20000" in text.split("examples:")[1]
    heavy = [
        "torch",
        "cvxpy",
        "sympy",
        "matplotlib",
        "pandas",
        "sklearn",
        "numba",
        "scipy",
        "numpy",
    ]
    code = (
        "import sys\nfrom tlstat.cli import build_parser\nbuild_parser()\n"
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("text", "names", "first"),
    [
        ("a,b\n0,1\n", ("a", "b"), [0, 1]),
        ("0,1\n1,1\n", None, [0, 1]),
        ("a;b\n0;1\n", ("a", "b"), [0, 1]),
        ("a\tb\n0\t1\n", ("a", "b"), [0, 1]),
        ("0 1\n", None, [0, 1]),
        ("0.25\n", None, [0.25]),
        ('"the first","the second"\n0,1\n', ("the first", "the second"), [0, 1]),
        ("\ufeffa,b\r\n0,1e-3\r\n\r\n", ("a", "b"), [0, 0.001]),
    ],
)
def test_reading(write, text, names, first):
    table, found = read_losses(write(text))
    assert found == names
    assert table.tolist()[0] == first


def test_reading_says_what_is_wrong(write):
    with pytest.raises(InputError, match="no text file"):
        read_losses(write("a,b\n0,1\n", encoding="utf-16"))
