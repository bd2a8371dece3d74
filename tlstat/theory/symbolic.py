"""What :class:`~tlstat.theory.bound.Bound` asks of sympy: evaluation, exponents, MathML.

Kept apart so that a bound given by a function alone never loads sympy.
"""

from __future__ import annotations

import functools
import html
import itertools
import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping
from html.entities import html5
from types import SimpleNamespace
from typing import Any

import mpmath
import numpy as np
import sympy
from sympy.printing.mathml import MathMLPresentationPrinter
from sympy.printing.numpy import SciPyPrinter

from tlstat.errors import InputError

# far enough for any log factor to fade: the slope of a log at 10^(10^6) is 4e-7
_FAR = 10**6
_MATHML_TAGS = frozenset(
    (
        *("math", "mrow", "mi", "mn", "mo", "mtext", "mfrac", "msqrt", "mroot", "msub", "msup"),
        *("msubsup", "munder", "mover", "munderover", "mfenced", "mtable", "mtr", "mtd"),
        *("mstyle", "mspace", "mpadded", "menclose"),
    )
)
_MATHML_ATTRIBUTES = frozenset(
    (
        *("close", "open", "separators", "mathvariant", "linethickness", "bevelled", "width"),
        *("height", "lspace", "rspace", "stretchy", "fence", "accent", "accentunder"),
        "displaystyle",
    )
)


def parse(expr: Any, name: str) -> sympy.Basic:
    """A sympy object from what the user gave; strings are refused, they would be evaluated."""
    if isinstance(expr, str):
        raise InputError(f"{name} must be a sympy expression, got the string {expr!r}")
    try:
        out = sympy.sympify(expr)
    except (sympy.SympifyError, TypeError, AttributeError):
        raise InputError(f"{name} must be a sympy expression, got {expr!r}") from None
    names = [s.name for s in out.free_symbols]
    if len(set(names)) < len(names):
        raise InputError(f"{name} holds two different symbols of one name: {sorted(names)}")
    return out


def names_of(expr: sympy.Basic) -> tuple[str, ...]:
    """The names of the free symbols, sorted."""
    return tuple(sorted(s.name for s in expr.free_symbols))


def symbol(expr: sympy.Basic, name: str) -> sympy.Symbol:
    """The expression's own symbol of that name, or a new positive one."""
    own = (s for s in expr.free_symbols if s.name == name)
    return next(own, sympy.Symbol(name, positive=True))


# --- evaluation ------------------------------------------------------------------------------


def evaluate(expr: sympy.Basic, params: Mapping[str, Any]) -> Any:
    """The value at ``params``, vectorised over numpy arrays or torch tensors alike."""
    names = names_of(expr)
    values = [params[name] for name in names]
    if any(is_tensor(v) for v in params.values()):
        return _on_torch(expr, names, values, next(v for v in params.values() if is_tensor(v)))
    with np.errstate(all="ignore"):
        out = compiled(expr, names)(*(np.asarray(v, float) for v in values))
    if np.iscomplexobj(out):  # as the root of a negative number: no value
        out = np.where(np.imag(out) == 0, np.real(out), np.nan)
    return out


@functools.lru_cache(maxsize=4096)
def compiled(expr: sympy.Basic, names: tuple[str, ...], array: str = "numpy") -> Callable[..., Any]:
    """The expression as a function of its symbols, in that order."""
    # a symbol may be named as a function is, such as gamma: rename it before printing
    own = [symbol(expr, name) for name in names]
    args = [sympy.Symbol(f"x{i}_", **s.assumptions0) for i, s in enumerate(own)]
    expr = expr.xreplace(dict(zip(own, args, strict=True)))
    if array == "mpmath":
        return sympy.lambdify(args, expr, modules="mpmath")
    printer = SciPyPrinter(
        {"fully_qualified_modules": False, "inline": True, "allow_unknown_functions": True}
    )
    names_in = [_torch_names()] if array == "torch" else [_NUMPY_NAMES, "scipy", "numpy"]
    return sympy.lambdify(args, expr, modules=names_in, printer=printer)


def _joined(function: Callable[..., Any]) -> Any:
    """What the printer calls as ``logical_and.reduce``, for parts of different shapes."""
    return SimpleNamespace(reduce=lambda parts: functools.reduce(function, parts))


_NUMPY_NAMES = {"logical_and": _joined(np.logical_and), "logical_or": _joined(np.logical_or)}


def is_tensor(value: Any) -> bool:
    """Is it a torch tensor? Asked without importing torch."""
    return type(value).__module__.partition(".")[0] == "torch"


def _on_torch(expr: sympy.Basic, names: tuple[str, ...], values: list[Any], like: Any) -> Any:
    import torch

    dtype = like.dtype if like.dtype.is_floating_point else torch.float64
    tensors = [torch.as_tensor(v, dtype=dtype, device=like.device) for v in values]
    try:
        out = compiled(expr, names, "torch")(*tensors)
    except NameError as error:
        raise InputError(f"the expression has no torch form ({error}): give value=") from None
    return torch.as_tensor(out, device=like.device)


def _torch_names() -> dict[str, Any]:
    """The names that the numpy printer writes, for tensors mixed with Python numbers."""
    import torch

    def lift(value: Any) -> Any:
        return value if is_tensor(value) else torch.as_tensor(value, dtype=torch.float64)

    def on(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args: function(*(lift(a) for a in args))

    def select(conditions: list[Any], choices: list[Any], default: float) -> Any:
        out = lift(default)
        for condition, choice in reversed(list(zip(conditions, choices, strict=True))):
            out = torch.where(torch.as_tensor(condition), lift(choice), out)
        return out

    same = (
        *("sqrt", "log", "exp", "sin", "cos", "tan", "tanh", "sinh", "cosh", "floor", "ceil"),
        *("sign", "less", "less_equal", "greater", "greater_equal", "logical_not", "minimum"),
        *("maximum", "log1p", "expm1"),
    )
    special = ("erf", "erfc", "erfinv", "gammaln", "digamma", "expit")
    names: dict[str, Any] = {name: on(getattr(torch, name)) for name in same}
    names |= {name: on(getattr(torch.special, name)) for name in special}
    names |= {"polygamma": lambda k, x: torch.special.polygamma(int(k), lift(x))}
    names |= {"gamma": on(lambda x: torch.exp(torch.special.gammaln(x)))}
    names |= {"arctan": on(torch.atan), "arcsin": on(torch.asin), "arccos": on(torch.acos)}
    names |= {"abs": on(torch.abs), "select": select, "reduce": functools.reduce}
    names |= {
        "logical_and": _joined(on(torch.logical_and)),
        "logical_or": _joined(on(torch.logical_or)),
    }
    return names | {
        "pi": math.pi,
        "e": math.e,
        "euler_gamma": float(np.euler_gamma),
        "nan": math.nan,
    }


# --- exponents -------------------------------------------------------------------------------


def branches(expr: sympy.Expr) -> list[sympy.Expr]:
    """The expressions that Min and Max choose between; the expression itself if there are none."""
    nodes = sorted(expr.atoms(sympy.Min, sympy.Max), key=sympy.count_ops)
    if not nodes:
        return [expr]
    node = nodes[0]  # the innermost first: its arguments hold no further choice
    chosen = [branches(expr.xreplace({node: arg})) for arg in node.args]
    return list(dict.fromkeys(itertools.chain.from_iterable(chosen)))


def exponent(expr: sympy.Expr, name: str, to: Any) -> sympy.Expr | None:
    """``lim d log B / d log x`` as ``x`` goes ``to`` 0 or infinity; None where sympy cannot.

    The other symbols are taken positive. What sympy finds is compared with the slope at
    ``10^(+-10^6)`` in many digits, where every log factor has faded, and discarded if they differ.
    """
    positive = {s: sympy.Symbol(s.name, positive=True) for s in expr.free_symbols}
    expr = expr.xreplace(positive)
    x = sympy.Symbol(name, positive=True)
    if not expr.has(x):
        return sympy.Integer(0)
    try:
        slope = sympy.simplify(x * sympy.diff(sympy.expand_log(sympy.log(expr)), x))
        out = sympy.simplify(sympy.limit(slope, x, to))
    except (NotImplementedError, ValueError, TypeError, AttributeError, RecursionError):
        return None
    known = not out.has(sympy.Limit, sympy.AccumBounds, sympy.nan, sympy.zoo, x)
    return out if known and _agrees(expr, x, out, to) else None


def _agrees(expr: sympy.Expr, x: sympy.Symbol, found: sympy.Expr, to: Any) -> bool:
    """Does a far numeric slope confirm the limit? True also where it cannot be computed."""
    others = sorted(expr.free_symbols - {x}, key=str)
    values = {s: sympy.Rational(23 + 7 * i, 10) for i, s in enumerate(others)}
    expected = found.xreplace(values)
    if not expected.is_number or not expected.is_finite:
        return True
    power = _FAR if to == sympy.oo else -_FAR
    try:
        far = slope(expr.xreplace(values), x.name, mpmath.mpf(10) ** power, {})
    except (ValueError, TypeError, ZeroDivisionError, OverflowError, InputError, NameError):
        return True
    return not math.isfinite(far) or abs(far - float(expected)) < 1e-3


def slope(expr: sympy.Expr, name: str, at: Any, others: Mapping[str, Any]) -> float:
    """The local slope ``d log B / d log x`` at one point, with 60 digits."""
    names = names_of(expr)
    fn = compiled(expr, names, "mpmath")
    with mpmath.workdps(60):
        here = mpmath.mpf(at)
        step = mpmath.mpf(10) ** -15

        def log_b(factor: Any) -> Any:
            point = {**{k: mpmath.mpf(v) for k, v in others.items()}, name: here * factor}
            return mpmath.log(fn(*(point[n] for n in names)))

        top, bottom = log_b(mpmath.exp(step)), log_b(mpmath.exp(-step))
        out = (top - bottom) / (2 * step)
        return float(out) if mpmath.im(out) == 0 else math.nan


# --- display ---------------------------------------------------------------------------------


def mathml(expr: sympy.Basic) -> str:
    """Presentation MathML that can stand inline in HTML and parses as XML.

    A name that would break out of the markup makes the whole formula plain escaped text.
    """
    try:
        body = _entities(MathMLPresentationPrinter({"mul_symbol": None}).doprint(expr))
        root = ElementTree.fromstring(f"<math>{body}</math>")
        safe = all(
            node.tag in _MATHML_TAGS and set(node.attrib) <= _MATHML_ATTRIBUTES
            for node in root.iter()
        )
    except (ElementTree.ParseError, NotImplementedError, TypeError, AttributeError):
        safe = False
    if not safe or any(re.search(r"[<>&\"']", s.name) for s in expr.free_symbols):
        body = f"<mtext>{html.escape(str(expr))}</mtext>"
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">{body}</math>'


def _entities(text: str) -> str:
    """Named HTML entities, which XML does not know, as numbers."""

    def number(match: re.Match[str]) -> str:
        name = match[1]
        if name in ("lt", "gt", "amp", "quot", "apos") or f"{name};" not in html5:
            return match[0]
        return "".join(f"&#{ord(c)};" for c in html5[f"{name};"])

    return re.sub(r"&([A-Za-z]+);", number, text)
