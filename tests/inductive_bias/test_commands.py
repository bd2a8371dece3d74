"""`tlstat inductive-bias`, from a table to nats."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest

from tlstat.cli import main
from tlstat.inductive_bias import KernelSpace, inductive_bias, kernels, one_hot
from tlstat.inductive_bias.reading import read_split


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    rows = ["a;b;kind;value"]
    for _ in range(40):
        a, b = rng.standard_normal(2)
        rows.append(f"{a:.4f};{b:.4f};{'up' if a + b > 0 else 'down'};{a - b:.4f}")

    def write(text=None, name="data.csv", drop=()):
        lines = [line.split(";") for line in rows]
        keep = [j for j, column in enumerate(lines[0]) if column not in drop]
        made = "\n".join(",".join(line[j] for j in keep) for line in lines) + "\n"
        (tmp_path / name).write_text(made if text is None else text, encoding="utf-8")
        return name

    return write


def error_of(capsys, *arguments):
    """The one line that a refused command prints."""
    assert main(["inductive-bias", *arguments]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("tlstat: error: ")
    return line


def test_a_classification_is_measured(table, capsys, tmp_path):
    path = table(drop=["value"])
    given = [path, "--target", "kind", "--test-size", "0.3", "--kernel", "rbf"]
    given += ["--target-error", "0.1", "--seed", "0", "--json", "out/bias.json"]
    assert main(["inductive-bias", *given]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "classification of 2 features: 28 training rows" in out and "12 test rows" in out
    assert "m = 12, C = 2" in out and "condition number" in out and "exact" in out
    found = json.loads((tmp_path / "out" / "bias.json").read_text())
    split = read_split(path, "kind", 0.3, 0)
    space = KernelSpace(kernels.rbf(kernels.median_distance(split.X_train)))
    hot, hot_test, _ = one_hot(split.y_train, split.y_test)
    expected = inductive_bias(space, split.X_train, hot, split.X_test, hot_test, 0.1)
    assert found["nats"] == pytest.approx(expected.nats, rel=1e-12)
    assert found["bits"] == pytest.approx(expected.bits, rel=1e-12)
    assert (found["m"], found["C"], found["method"]) == (12, 2, "exact")


def test_a_regression_is_scaled_by_its_training_part(table):
    split = read_split(table(drop=["kind"]), "value", 0.3, 1)
    assert split.task == "regression" and split.features == ("a", "b")
    for values in (split.X_train, split.y_train):
        np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(values.std(axis=0), 1)
    raw = read_split("data.csv", "value", 0.3, 1, scale=False)
    np.testing.assert_allclose(raw.y_train, raw.X_train @ [1, -1], atol=2e-4)
    again = read_split("data.csv", "value", 0.3, 1, scale=False)
    np.testing.assert_array_equal(raw.X_test, again.X_test)
    assert not np.array_equal(
        read_split("data.csv", "value", 0.3, 2, scale=False).X_test, raw.X_test
    )


@pytest.mark.parametrize(
    "options",
    [["--kernel", "matern", "--nu", "2.5", "--length", "2"], ["--kernel", "ntk", "--depth", "2"],
     ["--kernel", "arc_cosine"], ["--kernel", "polynomial", "--degree", "3", "--noise", "0.1"],
     ["--kernel", "linear", "--noise", "0.1", "--jitter", "1e-8"], ["--raw", "--variance", "2"],
     ["--event", "population"]],
    ids=" ".join,
)  # fmt: skip
def test_kernels_and_events_by_options(table, capsys, options):
    given = [table(drop=["kind"]), "--target", "value", "--target-error", "0.05", *options]
    assert main(["inductive-bias", *given]) == 0
    assert "inductive bias" in capsys.readouterr().out


def test_without_a_target_error_a_curve_is_shown(table, capsys, tmp_path):
    path = table(drop=["value"])
    assert main(["inductive-bias", path, "--target", "kind", "--csv", "curve.csv"]) == 0
    assert "effective number" in capsys.readouterr().out
    with open(tmp_path / "curve.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    nats = [float(row["nats"]) for row in rows]
    assert len(rows) == 25 and nats == sorted(nats, reverse=True)


def test_other_choices_are_shown(table, capsys):
    given = [table(drop=["value"]), "--target", "kind", "--target-error", "0.1", "--sensitivity"]
    assert main(["inductive-bias", *given]) == 0
    out = capsys.readouterr().out
    assert "under other choices" in out and "kernel sigma" in out and "jitter" in out


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", [], "is no table"),
        ("a,kind\n1,x\n", [], "1 rows of data; expected at least 3"),
        ("a,b\n1,2\n3,4\n5,6\n", [], "has no column 'kind'; expected one of a, b"),
        ("kind\nx\ny\nx\n", [], "no column but 'kind'"),
        ("a,kind\n1,x\n,y\n3,x\n", [], "line 3: column 'a' is empty or NaN"),
        ("a,kind\n1,x\nNaN,y\n3,x\n", [], "line 3: column 'a' is empty or NaN"),
        ("a,kind\n1,x\nred,y\n3,x\n", [], "column 'a' has text such as '1'"),
        ("a,kind\n1,x\n2,y\n3,x\n4,y\n", ["--task", "regression"], "has text; expected numbers"),
        ("a,kind\n1,x\n2,x\n3,x\n4,x\n", [], "single class"),
        ("a,kind\n1,x\n2,y\n3,x\n4,y\n", ["--test-size", "0.9"], "leaves too few"),
        ("a,kind\n1,x\n1,y\n1,x\n1,y\n", [], "training inputs are equal"),
        ("a,kind\n1,x\n1,y\n1,x\n1,y\n1,x\n", ["--length", "1"], "no hypothesis fits"),
        (None, ["--length", "wide"], "--length is 'wide'"),
        (None, ["--jitter", "some"], "--jitter is 'some'"),
        (None, ["--noise", "-1"], "noise is -1"),
        (None, ["--target-error", "-1"], "target_error is -1"),
    ],
)
def test_bad_input_is_one_line(table, capsys, text, options, message):
    path = table(text, drop=["value"])
    error = ["--target-error", "0.1"] if "--target-error" not in options else []
    assert message in error_of(capsys, path, "--target", "kind", *error, *options)


def test_what_needs_a_target_error_says_so(table, capsys):
    path = table(drop=["value"])
    assert "--target-error is missing" in error_of(
        capsys, path, "--target", "kind", "--sensitivity"
    )
    assert "no such file" in error_of(capsys, "none.csv", "--target", "kind").lower()


def test_help_is_light_and_has_examples():
    code = (
        "import sys; from tlstat.cli import main\n"
        "try: main(['inductive-bias', '--help'])\n"
        "except SystemExit as stop: assert stop.code == 0\n"
        "heavy = {'torch', 'pandas', 'sklearn', 'scipy.stats', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--target species --kernel rbf --target-error 0.1" in done.stdout
