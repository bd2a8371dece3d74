"""The command `tlstat value-of-target`: numbers, sentences, one-line errors, a light import."""

import re
import subprocess
import sys

import pytest

from tlstat.cli import main
from tlstat.minimax.cube import bayes_lower_bound

SMALL = ["value-of-target", "--rho", "3/2", "--beta-p", "2/3", "--beta-q", "1/2"]


def run(capsys, *arguments):
    code = main(arguments)
    out, err = capsys.readouterr()
    return code, out, err


def test_rates_boundary_bound_and_purchase(capsys):
    code, out, err = run(capsys, *SMALL, "--n-source", "2e3", "--cost-ratio", "20")
    assert (code, err) == (0, "")
    assert "(d/n_P)^(1/2)" in out
    assert "(d/n_Q)^(2/3)" in out
    assert "(n_P/d)^(3/4)" in out
    # two more: dim is 2 by default, so the source rate is (2/2000)^(1/2)
    assert f"{(2 / 2000) ** 0.5:.3g}" in out
    assert f"n_Q = {2 * 1000**0.75:,.0f}" in out
    bound = bayes_lower_bound(2_000, 0, rho=1.5, beta_P=2 / 3, beta_Q=0.5, d=2)
    assert f"{bound:.3g}" in out
    # by the rates 2000 source labels cost 2000, the 356 target labels 7120
    assert re.search(r"the rates, 0.0316 +2,000 +356 +2,000 +0 +2,000", out)


def test_target_labels_change_what_decides(capsys):
    _, out, _ = run(capsys, *SMALL, "--n-source", "1000", "--n-target", "5000")
    assert "the target decides" in out
    _, out, _ = run(capsys, *SMALL, "--n-source", "1000", "--n-target", "10")
    assert "the source decides" in out
    assert "1,000 source and 10 target" in out


def test_gamma_says_what_rho_is(capsys):
    code, out, _ = run(
        capsys, "value-of-target", "--gamma", "2", "--beta-p", "2/3", "--beta-q", "1/2",
        "--n-source", "500",
    )  # fmt: skip
    assert code == 0
    assert "gamma = 2 gives rho = 3/2" in out
    assert "at most 3 in general" in " ".join(out.split())  # wherever the line breaks
    assert "n_P^-(1/4)" in out


def test_super_transfer_has_a_bound_too(capsys):
    code, out, _ = run(capsys, "value-of-target", "--gamma", "1/2", "--n-source", "100")
    assert code == 0
    assert "(d/n_P)^2" in out
    assert "at least" in out


def test_decimals_and_fractions_are_the_same(capsys):
    _, fractions, _ = run(capsys, *SMALL, "--n-source", "400")
    decimal = ["value-of-target", "--rho", "1.5", "--beta-p", "2/3", "--beta-q", "0.5"]
    _, decimals, _ = run(capsys, *decimal, "--n-source", "4e2")
    assert fractions == decimals


def test_too_few_labels_for_a_rate(capsys):
    code, out, _ = run(capsys, "value-of-target", "--rho", "2", "--n-source", "1")
    assert code == 0
    assert "Too few labels" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give one of --rho and --gamma, got neither"),
        (["--rho", "2", "--gamma", "1"], "give one of --rho and --gamma, got both"),
        (["--rho", "0"], "--rho is 0; expected a positive number"),
        (["--rho", "1/0"], "--rho is '1/0'; expected a number such as 2, 0.5 or 3/2"),
        (["--rho", "nan"], "--rho is 'nan'"),
        (["--rho", "1", "--beta-p", "3/2"], "--beta-p is 3/2; expected a Bernstein exponent"),
        (["--gamma", "2", "--beta-q", "0"], "--gamma says nothing of rho"),
        (["--gamma", "-1"], "--gamma is -1; expected a positive number"),
        (["--rho", "1", "--n-source", "0"], "--n-source is '0'; expected a whole number from 1"),
        (["--rho", "1", "--n-source", "2.5"], "--n-source is '2.5'"),
        (["--rho", "1", "--n-target", "-3"], "--n-target is '-3'"),
        (["--rho", "1", "--n-source", "1e16"], "--n-source is '1e16'"),
        (["--rho", "1", "--dim", "1"], "--dim is '1'; expected a whole number from 2"),
        (["--rho", "1", "--cost-ratio", "0"], "--cost-ratio is 0; expected a positive number"),
    ],
    ids=lambda v: " ".join(v) or "nothing" if isinstance(v, list) else "",
)
def test_errors_are_one_line(capsys, arguments, message):
    code, out, err = run(capsys, "value-of-target", *arguments)
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert message in err


def test_help_loads_nothing_heavy():
    heavy = ("torch", "sympy", "cvxpy", "pandas", "matplotlib", "sklearn", "numba", "scipy.stats")
    code = (
        "import sys; from tlstat.cli import build_parser; build_parser();"
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
