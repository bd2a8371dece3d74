"""Bounds: values on numpy and torch, derived exponents, validity, display."""

from __future__ import annotations

import pickle
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from types import SimpleNamespace

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from tlstat.errors import InputError
from tlstat.theory import Assumption, Bound, NumericExponent, Source

S, A, n, C, beta, delta = sp.symbols("S A n C beta delta", positive=True)
HARD = Bound(
    "hard",
    expr=sp.sqrt(S * (A - 1) / (2 * (n + 1))) + S / (sp.E * n),
    valid=sp.And(n >= 2, A >= 2),
    source=Source("arXiv:0000.00000", "Theorem 1", note="constant sharpened"),
)


def power(n, S):
    return np.sqrt(S) * np.asarray(n, float) ** -0.5


POWER = Bound("power", value=power, symbols=("n", "S"))


def hard(S, A, n):
    return np.sqrt(S * (A - 1) / (2 * (n + 1))) + S / (np.e * n)


@given(st.floats(1, 100), st.floats(2, 50), st.floats(2, 1e9))
def test_value_is_the_formula(s: float, a: float, m: float) -> None:
    assert_allclose(HARD(S=s, A=a, n=m), hard(s, a, m), rtol=1e-12)


def test_values_broadcast() -> None:
    grid = np.geomspace(10, 1e6, 5)
    out = HARD(S=np.array([[1], [10]]), A=8, n=grid)
    assert out.shape == (2, 5)
    assert_allclose(out[1], hard(10, 8, grid))
    assert Bound("constant in A", expr=S, symbols=("A",))(S=2, A=[1, 2, 3]).tolist() == [2, 2, 2]
    assert isinstance(HARD(S=1, A=2, n=10**18), float)


@pytest.mark.parametrize(
    "expr",
    [
        HARD.expr,
        sp.Min(S / n, sp.sqrt(2 * A / n), 3) + sp.Max(n, 5),
        sp.Piecewise((1, n > 3), (sp.log(n) ** 2, True)) * S,
        sp.erf(n / A) + sp.loggamma(S) + sp.pi * sp.Abs(n - 4) + sp.exp(-S) + sp.E,
        sp.ceiling(n / 3) + sp.gamma(S) + sp.digamma(A) + sp.tanh(S),
    ],
)
def test_torch_gives_what_numpy_gives(expr: sp.Expr) -> None:
    torch = pytest.importorskip("torch")
    bound = Bound("b", expr=expr, symbols=("S", "A", "n"))
    m, s = np.array([1.5, 3.0, 20.0]), np.array([[0.7], [4.0]])
    out = bound(S=torch.tensor(s), A=3.0, n=torch.tensor(m))
    assert out.dtype == torch.float64
    assert_allclose(np.broadcast_to(out.numpy(), (2, 3)), bound(S=s, A=3.0, n=m), rtol=1e-12)
    single = bound(S=2.0, A=3.0, n=torch.tensor([1.5], dtype=torch.float32))
    assert_allclose(single.numpy(), bound(S=2.0, A=3.0, n=[1.5]), rtol=1e-5)


def test_torch_respects_validity() -> None:
    torch = pytest.importorskip("torch")
    out = HARD(S=1, A=3, n=torch.tensor([1.0, 4.0]), outside="nan")
    assert torch.isnan(out).tolist() == [True, False]
    with pytest.raises(InputError, match="only where"):
        HARD(S=1, A=3, n=torch.tensor([1.0, 4.0]))


@pytest.mark.parametrize(
    ("expr", "symbol", "expected"),
    [
        (HARD.expr, "n", -sp.Rational(1, 2)),
        (HARD.expr, "S", 1),
        (HARD.expr, "A", sp.Rational(1, 2)),
        (sp.sqrt(sp.log(n) / n), "n", -sp.Rational(1, 2)),
        (n ** (-beta / (2 * beta + 1)) * sp.log(n) ** 3, "n", -beta / (2 * beta + 1)),
        (S**2 / n, "A", 0),
        (1 / n + 1 / (n + S) ** 2, "n", -1),
        (sp.Min(1 / n, 2 / (n + 1)), "n", -1),
        (sp.exp(-n), "n", -sp.oo),
    ],
)
def test_exponents_are_derived(expr: sp.Expr, symbol: str, expected: sp.Expr) -> None:
    bound = Bound("b", expr=expr, symbols=("S", "A", "n"))
    assert sp.simplify(bound.exponent(symbol) - expected) in (0, sp.nan)
    assert bound.exponent(symbol) == expected


def test_exponent_per_branch_and_at_a_point() -> None:
    bound = Bound("b", expr=sp.Min(S / n, sp.sqrt(A / n)))
    assert set(bound.exponent("n").values()) == {-1, -sp.Rational(1, 2)}
    assert bound.exponent("n", at={"S": 10, "A": 3, "n": 1e6}) == -1
    assert bound.exponent("n", at={"S": 10, "A": 3, "n": 2}) == -sp.Rational(1, 2)
    rate = Bound("b", expr=n ** (-beta / (2 * beta + 1)))
    assert rate.exponent("n", at={"beta": 1}) == -sp.Rational(1, 3)


def test_exponent_towards_zero() -> None:
    bound = Bound("b", expr=1 / delta + sp.sqrt(1 / delta))
    assert bound.exponent("delta") == -sp.Rational(1, 2)
    assert bound.exponent("delta", to=0) == -1


def test_numeric_exponent_of_a_function() -> None:
    bound = Bound("v", value=lambda n: n**-0.5 * (1 + 1 / n), symbols=["n"])
    slope = bound.exponent("n", at={"n": 100})
    assert isinstance(slope, NumericExponent) and "numeric" in repr(slope)
    assert_allclose(slope, -0.5 - 1 / 101, atol=1e-8)
    with pytest.raises(InputError, match="at="):
        bound.exponent("n")


def test_numeric_exponent_where_no_limit_is_known() -> None:
    bound = Bound("b", expr=sp.zeta(1 + 1 / n))
    slope = bound.exponent("n", at={"n": 100})
    assert isinstance(slope, NumericExponent)
    step = 1e-5
    ends = [float(sp.log(sp.zeta(1 + sp.Float(1 / (100 * np.exp(s)), 30)))) for s in (step, -step)]
    assert_allclose(slope, (ends[0] - ends[1]) / (2 * step), rtol=1e-6)


def test_two_forms_are_compared() -> None:
    good = Bound("b", expr=HARD.expr, value=hard)
    wrong = Bound("b", expr=HARD.expr, value=lambda S, A, n: 1.01 * hard(S, A, n))
    grid = {"S": 3, "A": 5, "n": np.geomspace(2, 1e6, 9)}
    assert good.agree(**grid) < 1e-12
    assert_allclose(wrong.agree(**grid), 0.01, rtol=1e-6)
    with pytest.raises(InputError, match="one form"):
        HARD.agree(**grid)


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: HARD(S=1, A=2), "value for n"),
        (lambda: HARD(S=1, A=2, n=3, m=4), "'m'"),
        (lambda: HARD(S=1, A=2, n=1), "only where"),
        (lambda: HARD(S=1, A=2, n=[5, 1]), "only where"),
        (lambda: HARD(S=1, A=2, n=5, outside="ignore"), "outside"),
        (lambda: HARD(S=-1, A=2, n=5), "not a number"),
        (lambda: HARD.exponent("m"), "'m'"),
        (lambda: HARD.tilted("m", 0.1), "'m'"),
        (lambda: Bound("b"), "expr= or value="),
        (lambda: Bound("b", value=hard), "symbols="),
        (lambda: Bound("b", expr="n**2"), "string"),
        (lambda: Bound("b", expr=n, kind="both"), "kind"),
        (lambda: Bound("b", expr=C / n, free=["C"]), "rate"),
        (lambda: Bound("b", expr=C / n, free="C", kind="rate"), "lists"),
        (lambda: Bound("b", expr=n + sp.Symbol("n")), "one name"),
        (lambda: Bound("b", expr=C / n, free=["C"], kind="rate")(n=3), "rate"),
    ],
)
def test_bad_input_is_named(call, word: str) -> None:
    with pytest.raises(InputError, match=word):
        call()


def test_a_free_constant_has_a_shape_and_an_exponent_only() -> None:
    rate = Bound("r", expr=C * n**-beta, free=["C"], kind="rate")
    assert rate.symbols == ("beta", "n")
    assert rate.shape(n=4.0, beta=0.5) == 0.5
    assert rate.exponent("n") == -beta


def test_validity() -> None:
    assert HARD.is_valid(S=1, A=2, n=2) is True
    assert HARD.is_valid(S=1, A=2, n=[1, 2]).tolist() == [False, True]
    out = HARD(S=1, A=2, n=[1, 2], outside="nan")
    assert np.isnan(out).tolist() == [True, False]
    assert POWER.is_valid(n=[1, 2], S=1).tolist() == [True, True]


def test_at_looks_in_at_then_the_cell_then_the_model() -> None:
    model = SimpleNamespace(S=9.0, n=1.0)
    assert POWER.at({"n": 4}, model) == 1.5
    assert POWER.at({"n": 4}, model, S=1) == 0.5
    with pytest.raises(InputError, match="'S'"):
        POWER.at({"n": 4})


@pytest.mark.parametrize("bound", [HARD, POWER])
def test_scaled_and_tilted(bound: Bound) -> None:
    params = {"S": 3.0, "A": 4.0, "n": np.geomspace(2, 1e4, 5)}
    params = {k: v for k, v in params.items() if k in bound.symbols}
    base = bound(**params)
    assert_allclose(bound.scaled(0.5)(**params), base / 2)
    assert_allclose(bound.tilted("n", 0.1)(**params), base * params["n"] ** 0.1)
    assert_allclose(bound.tilted("n", 0.1, pivot=7)(**params), base * (params["n"] / 7) ** 0.1)
    clone = pickle.loads(pickle.dumps(bound.tilted("n", 0.1)))
    assert_allclose(clone(**params), base * params["n"] ** 0.1)


def test_tilted_exponent() -> None:
    assert HARD.tilted("n", 0.1).exponent("n") == -sp.Rational(2, 5)


@pytest.mark.parametrize(
    "bound",
    [
        HARD,
        POWER,
        Bound("b", expr=sp.Min(S, sp.log(1 / delta)) + sp.Abs(n - 2) ** beta),
        Bound("b", expr=sp.Symbol("<script>alert(1)</script>") * n),
        Bound("b", expr=sp.Symbol("a&b") + sp.Symbol('x" onload="y')),
        Bound("<img src=x>", value=power, symbols=("n", "S")),
        Bound("b", expr=sp.Function("<b>f</b>")(n) + n),
        Bound("b", expr=sp.Sum(1 / n**2, (n, 1, S))),
    ],
)
def test_mathml_is_xml_that_cannot_break_out(bound: Bound) -> None:
    text = bound.mathml()
    root = ElementTree.fromstring(text)
    tags = {node.tag.removeprefix("{http://www.w3.org/1998/Math/MathML}") for node in root.iter()}
    assert root.tag.endswith("math") and not tags & {"script", "img", "b"}
    assert all(tag.startswith("m") for tag in tags)
    assert "<script" not in text and "<img" not in text and 'onload="' not in text
    assert not any(name.startswith("on") for node in root.iter() for name in node.attrib)


def test_display() -> None:
    assert r"\sqrt{S}" in HARD.latex() and HARD._repr_latex_().startswith("$")
    assert "hard" in repr(HARD) and "upper" in repr(HARD)
    assert POWER.latex() == r"\text{power}"
    assert str(HARD.source) == "arXiv:0000.00000, Theorem 1 (constant sharpened)"
    assert Assumption("a", "b", check=lambda model, cell: True).machine_checked
    assert not Assumption("a", "b").machine_checked


def test_a_bound_by_function_never_loads_sympy() -> None:
    code = (
        "import sys, tlstat.theory as t\n"
        "b = t.Bound('b', value=lambda n: 1 / n, symbols=['n'])\n"
        "assert b(n=4) == .25 and b.scaled(2)(n=4) == .5 and b.exponent('n', at={'n': 4}) < -.99\n"
        "assert not {'sympy', 'torch', 'scipy.stats'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_symbol_may_be_named_like_a_function():
    torch = pytest.importorskip("torch")
    gamma = sp.Symbol("gamma", positive=True)
    bound = Bound(name="a moment", expr=sp.gamma(1 + gamma) / gamma, kind="exact")
    assert bound(gamma=3.0) == pytest.approx(2.0, rel=1e-14)
    assert bound(gamma=torch.tensor(3.0, dtype=torch.float64)).item() == pytest.approx(2.0)
    assert float(bound.exponent("gamma", at={"gamma": 3.0})) > 0
