"""A theorem's bound as an object: a closed form with its assumptions, scope and source.

>>> from sympy import sqrt, symbols
>>> S, n = symbols("S n", positive=True)
>>> bound = Bound("risk", expr=sqrt(S / n))
>>> bound(S=4, n=100)
0.2
>>> bound.exponent("n")
-1/2
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tlstat.errors import InputError

if TYPE_CHECKING:
    import sympy

KINDS = ("upper", "lower", "exact", "rate")
SENSES = ("expectation", "probability")


@dataclass(frozen=True)
class Source:
    """Where a statement comes from.

    Parameters
    ----------
    ref : str
        The paper, as "arXiv:2310.07838".
    where : str
        The place in it, as "Theorem 3.2".
    note : str
        What was derived or sharpened here: never shown as the paper's own.
    """

    ref: str
    where: str
    note: str = ""

    def __str__(self) -> str:
        return f"{self.ref}, {self.where}" + (f" ({self.note})" if self.note else "")


@dataclass(frozen=True)
class Assumption:
    """A condition of a theorem; ``check(model, cell) -> bool`` where a machine can decide it."""

    name: str
    statement: str
    check: Callable[[Any, Any], bool] | None = None

    @property
    def machine_checked(self) -> bool:
        return self.check is not None


class NumericExponent(float):
    """An exponent that was measured as a local slope, not derived."""

    def __repr__(self) -> str:
        return f"{float(self):.6g} (numeric)"


@dataclass(frozen=True, eq=False, repr=False)
class Bound:
    """A closed form with what makes it a theorem.

    Parameters
    ----------
    name : str
        What is bounded, in words.
    expr : sympy expression, optional
        The closed form.
    value : callable, optional
        ``value(**params)``, vectorised. At least one of the two forms is needed; with both,
        ``value`` is evaluated and :meth:`agree` compares them.
    symbols : sequence of str
        The parameters' names. Needed for ``value`` alone; otherwise taken from ``expr``.
    kind : {"upper", "lower", "exact", "rate"}
        A rate holds up to a constant.
    scope : str
        The quantifier: "every instance", "worst case over the class", "all procedures".
    sense : {"expectation", "probability"}
        "probability": it holds with probability at least ``1 - delta``.
    assumptions : sequence of Assumption
    source : Source, optional
    valid : sympy Boolean, optional
        The region of the parameters where the statement holds.
    free : sequence of str
        Constants that the source leaves unspecified, for ``kind="rate"`` only. Such a bound
        has no number; :meth:`shape` evaluates it with these constants set to 1.

    Raises
    ------
    InputError
        If no form is given, or the kind, sense, symbols and free constants do not fit.
    """

    name: str
    expr: Any = None
    value: Callable[..., Any] | None = None
    symbols: Sequence[str] = ()
    kind: Literal["upper", "lower", "exact", "rate"] = "upper"
    scope: str = "every instance"
    sense: Literal["expectation", "probability"] = "expectation"
    assumptions: Sequence[Assumption] = ()
    source: Source | None = None
    valid: Any = None
    free: Sequence[str] = ()

    def __post_init__(self) -> None:
        _one_of("kind", self.kind, KINDS)
        _one_of("sense", self.sense, SENSES)
        if self.expr is None and self.value is None:
            raise InputError(f"bound {self.name!r} needs expr= or value=")
        if isinstance(self.symbols, str) or isinstance(self.free, str):
            raise InputError(f"symbols and free of bound {self.name!r} must be lists of names")
        for field in ("symbols", "assumptions", "free"):
            object.__setattr__(self, field, tuple(getattr(self, field)))
        given = {str(s) for s in self.symbols}
        used: set[str] = set()
        for field in ("expr", "valid"):
            if getattr(self, field) is not None:
                from tlstat.theory import symbolic

                parsed = symbolic.parse(getattr(self, field), field)
                object.__setattr__(self, field, parsed)
                used |= set(symbolic.names_of(parsed))
        free = {str(s) for s in self.free}
        object.__setattr__(self, "free", tuple(sorted(free)))
        object.__setattr__(self, "symbols", tuple(sorted((given | used) - free)))
        if self.expr is None and not given and self.value is not None:
            raise InputError(f"bound {self.name!r} is a function: name its parameters in symbols=")
        if free and self.kind != "rate":
            raise InputError(
                f"bound {self.name!r} has the free constants {sorted(free)}: "
                f"its kind must be 'rate', got {self.kind!r}"
            )

    # --- evaluation ---

    def __call__(self, *, outside: Literal["raise", "nan"] = "raise", **params: Any) -> Any:
        """The bound at ``params``, broadcast over arrays (numpy) or tensors (torch).

        Raises
        ------
        InputError
            For a missing or unknown parameter, a free constant, or, with ``outside="raise"``,
            parameters outside the region of validity; ``outside="nan"`` gives NaN there.
        """
        if self.free:
            raise InputError(
                f"bound {self.name!r} has the unspecified constants {list(self.free)} and no "
                "value: claim its rate(...), or evaluate .shape(...)"
            )
        return self._evaluate(params, outside)

    def shape(self, *, outside: Literal["raise", "nan"] = "raise", **params: Any) -> Any:
        """The bound with its free constants set to 1: right up to a constant."""
        return self._evaluate(params, outside)

    def at(self, cell: Any, model: Any = None, **at: Any) -> float:
        """The bound in one cell of a study.

        Each parameter is taken from ``at``, else the cell, else the model's attributes.

        Raises
        ------
        InputError
            Names the parameter that none of them has.
        """
        params = {name: self._look_up(name, cell, model, at) for name in self.symbols}
        return float(self(**params))

    def is_valid(self, **params: Any) -> Any:
        """Do the parameters lie in the region of validity? bool, or a boolean array."""
        self._check_names(params)
        if self.valid is None:
            return True if all(np.ndim(v) == 0 for v in params.values()) else _all_true(params)
        from tlstat.theory import symbolic

        out = symbolic.evaluate(self.valid, params)
        if symbolic.is_tensor(out):
            return out
        out = np.broadcast_to(out, np.broadcast_shapes(*(np.shape(v) for v in params.values())))
        return bool(out) if out.ndim == 0 else out

    def agree(self, **params: Any) -> float:
        """The largest relative difference between the two forms at ``params``."""
        if self.expr is None or self.value is None:
            raise InputError(f"bound {self.name!r} has one form only: nothing to compare")
        by_expr = np.asarray(replace(self, value=None)._evaluate(params, "raise"), float)
        by_value = np.asarray(self._evaluate(params, "raise"), float)
        scale = np.maximum(np.abs(by_expr), np.finfo(float).tiny)
        return float(np.max(np.abs(by_value - by_expr) / scale))

    # --- exponents ---

    def exponent(
        self, symbol: str, at: Mapping[str, Any] | None = None, to: float = math.inf
    ) -> sympy.Expr | NumericExponent | dict[sympy.Expr, Any]:
        """The exponent of ``symbol``: the limit of ``d log B / d log x``, derived.

        Parameters
        ----------
        symbol : str
        at : mapping, optional
            Values of other symbols (they are substituted) and of ``symbol`` itself (where the
            active branch is chosen, and where a slope is measured if nothing can be derived).
        to : float
            Where ``symbol`` goes: infinity (default) or 0.

        Returns
        -------
        sympy expression
            A number, or a formula in the other symbols.
        dict
            Branch -> exponent, where Min and Max choose between different ones.
        NumericExponent
            A local slope at ``at``, where no symbolic form or limit is to be had.
        """
        at = dict(at or {})
        for name in (symbol, *at):
            self._known(name)
        if to not in (0, math.inf):
            raise InputError(f"to must be 0 or inf, got {to}")
        if self.expr is None:
            return self._slope(symbol, at)
        return self._derived(symbol, at, to)

    def _derived(self, symbol: str, at: Mapping[str, Any], to: float) -> Any:
        import sympy

        from tlstat.theory import symbolic

        others = {
            symbolic.symbol(self.expr, k): sympy.nsimplify(v, rational=True) for k, v in at.items()
        }
        others.pop(symbolic.symbol(self.expr, symbol), None)
        expr = self.expr.subs(others)
        parts = symbolic.branches(expr)
        if len(parts) > 1 and set(at) >= set(self.symbols):
            parts = [_active(parts, at, self._evaluate(at, "nan"))]
        limit = sympy.oo if to else sympy.Integer(0)
        found = {part: symbolic.exponent(part, symbol, limit) for part in parts}
        if any(v is None for v in found.values()):
            return self._slope(symbol, at)
        if len(set(found.values())) == 1:
            return next(iter(found.values()))
        return found

    def _slope(self, symbol: str, at: Mapping[str, Any]) -> NumericExponent:
        """The local slope at ``at``: 60 digits from ``expr``, else central differences."""
        missing = [name for name in self.symbols if name not in at]
        if missing:
            raise InputError(
                f"the exponent of {symbol!r} in {self.name!r} is a local slope: "
                f"at= must also give {missing}"
            )
        params = {name: at[name] for name in self.symbols}
        if self.value is None:
            from tlstat.theory import symbolic

            ones = dict.fromkeys(self.free, 1)
            return NumericExponent(
                symbolic.slope(self.expr, symbol, params[symbol], {**params, **ones})
            )
        # two central differences, the leading error of which cancels (Richardson)
        steps = [0.02, 0.01]
        coarse, fine = (self._difference(params, symbol, h) for h in steps)
        return NumericExponent((4 * fine - coarse) / 3)

    def _difference(self, params: dict[str, Any], symbol: str, step: float) -> float:
        ends = [
            float(self._evaluate({**params, symbol: params[symbol] * math.exp(s)}, "nan"))
            for s in (step, -step)
        ]
        return (math.log(ends[0]) - math.log(ends[1])) / (2 * step)

    # --- derived bounds ---

    def scaled(self, factor: float) -> Bound:
        """The bound times ``factor``."""
        return self._times({}, factor, f"{self.name}, times {factor:g}")

    def tilted(self, symbol: str, delta: float, pivot: float = 1.0) -> Bound:
        """The bound times ``(symbol/pivot)**delta``: its exponent is off by ``delta``."""
        self._known(symbol)
        label = f"{self.name}, times {symbol}^{delta:+g}"
        return self._times({symbol: delta}, pivot**-delta, label)

    def _times(self, powers: Mapping[str, float], factor: float, name: str) -> Bound:
        expr = self.expr
        if expr is not None:
            import sympy

            from tlstat.theory import symbolic

            for symbol, power in powers.items():
                expr = expr * symbolic.symbol(self.expr, symbol) ** sympy.nsimplify(power)
            expr = expr * (sympy.nsimplify(factor) if float(factor).is_integer() else factor)
        value = None if self.value is None else _Times(self.value, dict(powers), float(factor))
        return replace(self, name=name, expr=expr, value=value)

    # --- display ---

    def latex(self) -> str:
        """The formula in LaTeX; the name as text where there is no symbolic form."""
        if self.expr is None:
            return rf"\text{{{_latex_escape(self.name)}}}"
        import sympy

        return str(sympy.latex(self.expr))

    def mathml(self) -> str:
        """The formula as MathML, valid XML, to stand inline in HTML."""
        if self.expr is None:
            return (
                '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">'
                f"<mtext>{html.escape(self.name)}</mtext></math>"
            )
        from tlstat.theory import symbolic

        return symbolic.mathml(self.expr)

    def __repr__(self) -> str:
        form = f"f({', '.join(self.symbols)})" if self.expr is None else str(self.expr)
        constants = f", constants {', '.join(self.free)} unspecified" if self.free else ""
        return f"<Bound {self.name!r}: {self.kind}, {form}{constants}>"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    # --- internals ---

    def _evaluate(self, params: Mapping[str, Any], outside: str) -> Any:
        _one_of("outside", outside, ("raise", "nan"))
        self._check_names(params)
        inside = self.is_valid(**params)
        if outside == "raise" and not bool(np.all(_host(inside))):
            raise InputError(
                f"bound {self.name!r} holds only where {self.valid}, got {_show(params)}"
            )
        out = self._raw(params)
        out = _masked(out, inside, self.valid is not None)
        if outside == "raise" and bool(np.any(np.isnan(_host(out)))):
            raise InputError(f"bound {self.name!r} is not a number at {_show(params)}")
        return out

    def _raw(self, params: Mapping[str, Any]) -> Any:
        constants = dict.fromkeys(self.free, 1.0)
        if self.value is not None:
            return _plain(self.value(**params, **constants))
        from tlstat.theory import symbolic

        out = symbolic.evaluate(self.expr, {**constants, **params})
        if symbolic.is_tensor(out):
            return out
        # a constant in one of the parameters still has the shape of all of them
        shape = np.broadcast_shapes(np.shape(out), *(np.shape(v) for v in params.values()))
        return _plain(np.broadcast_to(out, shape).copy())

    def _check_names(self, params: Mapping[str, Any]) -> None:
        for name in params:
            self._known(name)
        missing = [name for name in self.symbols if name not in params]
        if missing:
            raise InputError(f"bound {self.name!r} needs a value for {', '.join(missing)}")

    def _known(self, name: str) -> None:
        if name not in self.symbols:
            known = ", ".join(self.symbols) or "no parameters"
            raise InputError(f"bound {self.name!r} has no parameter {name!r}; it has {known}")

    def _look_up(self, name: str, cell: Any, model: Any, at: Mapping[str, Any]) -> Any:
        if name in at:
            return at[name]
        if isinstance(cell, Mapping) and name in cell:
            return cell[name]
        if model is not None and hasattr(model, name):
            return getattr(model, name)
        raise InputError(
            f"bound {self.name!r} needs {name!r}, which neither at=, the cell nor the model gives"
        )


@dataclass(frozen=True)
class _Times:
    """A value function times a product of powers: picklable, unlike a closure."""

    value: Callable[..., Any]
    powers: dict[str, float]
    factor: float

    def __call__(self, **params: Any) -> Any:
        out = self.value(**params) * self.factor
        for name, power in self.powers.items():
            out = out * _float(params[name]) ** power
        return out


def _float(x: Any) -> Any:
    return x if hasattr(x, "log") else np.asarray(x, float)


def _one_of(name: str, value: Any, known: Sequence[str]) -> None:
    if value not in known:
        raise InputError(f"{name} must be one of {', '.join(known)}, got {value!r}")


def _active(parts: Sequence[Any], at: Mapping[str, Any], here: float) -> Any:
    """The branch whose value is the bound's own at this point."""
    from tlstat.theory import symbolic

    def gap(part: Any) -> float:
        ones = {s.name: 1.0 for s in part.free_symbols}
        return abs(float(symbolic.evaluate(part, {**ones, **at})) - here)

    return min(parts, key=gap)


def _plain(out: Any) -> Any:
    if np.ndim(out) or hasattr(out, "detach"):
        return out
    return float(out)


def _host(x: Any) -> Any:
    return x.detach().cpu().numpy() if hasattr(x, "detach") else np.asarray(x)


def _masked(out: Any, inside: Any, bounded: bool) -> Any:
    """NaN where the bound does not hold."""
    if not bounded or bool(np.all(_host(inside))):
        return out
    if hasattr(out, "detach"):
        import torch

        return torch.where(torch.as_tensor(inside, device=out.device), out, torch.nan)
    return _plain(np.where(inside, out, np.nan))


def _all_true(params: Mapping[str, Any]) -> Any:
    return np.ones(np.broadcast_shapes(*(np.shape(v) for v in params.values())), dtype=bool)


def _show(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in params.items())


def _latex_escape(text: str) -> str:
    return "".join(f"\\{c}" if c in "#$%&_{}" else c for c in text if c not in "\\^~")
