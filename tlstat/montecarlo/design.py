"""The grid of a study: cells, axes, and the numbers along them."""

from __future__ import annotations

import itertools
import keyword
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.montecarlo.identity import canonical

# columns of the frames that results make
_RESERVED = frozenset({"replicate", "metric", "mean", "mcse", "replicates", "exact_error"})


class Cell(Mapping[str, Any]):
    """One point of a design: an immutable mapping whose items are also attributes.

    ``cell["n"]`` and ``cell.n`` are the same; a name that is no parameter raises ``KeyError``
    or ``AttributeError`` that lists the parameters. Cells are equal when their canonical texts
    are (``n=100`` and ``n=1e2`` are one cell), and hashable.

    Parameters
    ----------
    params : mapping of str to a number, bool, string, enum member, None or tuple of these
    """

    __slots__ = ("_canonical", "_params")
    _params: dict[str, Any]
    _canonical: str

    def __init__(self, params: Mapping[str, Any]) -> None:
        plain = {name: _plain(value) for name, value in params.items()}
        object.__setattr__(self, "_params", plain)
        object.__setattr__(self, "_canonical", canonical(plain))

    @property
    def canonical(self) -> str:
        """The text that identifies the cell."""
        return self._canonical

    def replace(self, **changes: Any) -> Cell:
        """Return a copy with some parameters changed or added."""
        return Cell({**self._params, **changes})

    def without(self, *names: str) -> Cell:
        """Return a copy without some parameters."""
        return Cell({name: value for name, value in self._params.items() if name not in names})

    def __getitem__(self, name: str) -> Any:
        try:
            return self._params[name]
        except KeyError:
            raise KeyError(self._unknown(name)) from None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # pickle and copy look up such names on a bare object
            raise AttributeError(name)
        try:
            return self._params[name]
        except KeyError:
            raise AttributeError(self._unknown(name)) from None

    def get(self, name: str, default: Any = None) -> Any:
        """Return a parameter, or `default` where the cell does not have it."""
        return self._params.get(name, default)

    def _unknown(self, name: Any) -> str:
        return f"the cell has no parameter {name!r}; it has {', '.join(self._params) or 'none'}"

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a cell is read-only: {name!r} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a cell is read-only: {name!r} cannot be deleted")

    def __iter__(self) -> Iterator[str]:
        return iter(self._params)

    def __len__(self) -> int:
        return len(self._params)

    def __contains__(self, name: object) -> bool:
        return name in self._params

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Cell):
            return self._canonical == other._canonical
        if isinstance(other, Mapping):
            try:
                return self._canonical == canonical(other)
            except InputError:
                return False
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self._canonical)

    def __dir__(self) -> list[str]:
        return sorted([*object.__dir__(self), *self._params])

    def __repr__(self) -> str:
        return f"Cell({', '.join(f'{name}={value!r}' for name, value in self._params.items())})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (Cell, (self._params,))


def _plain(value: Any) -> Any:
    """Replace numpy scalars by Python's and lists by tuples, so that cells stay immutable."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return tuple(_plain(item) for item in value)
    return value


@dataclass(frozen=True)
class _Axis:
    values: tuple[Any, ...]
    kind: str  # "outer", "inner" or "paired"


def inner(values: Any) -> _Axis:
    """Mark an axis that the study function returns whole, from one set of draws.

    The function sees the whole tuple, ``cell.level == ("hard", "soft")``, and returns each metric
    as ``(size, 2)``; results unroll it. At most one axis of a design is inner.
    """
    return _Axis(_listed(values, "inner(...)"), "inner")


def paired(values: Any) -> _Axis:
    """Mark an axis whose cells see the same random stream, one call for each cell.

    The draws stay aligned only as long as every branch of the study draws the same shapes in the
    same order; `inner` has no such condition.
    """
    return _Axis(_listed(values, "paired(...)"), "paired")


def _listed(values: Any, name: str) -> tuple[Any, ...]:
    if isinstance(values, np.ndarray):
        if values.ndim != 1:
            raise InputError(f"axis {name} is an array of shape {values.shape}; expected one axis")
        values = values.tolist()
    if not isinstance(values, list | tuple | range):
        raise InputError(
            f"axis {name} is a {type(values).__name__}; expected a list, tuple, range or 1-d array"
        )
    if len(values) == 0:
        raise InputError(f"axis {name} is empty; give it at least one value")
    return tuple(_plain(value) for value in values)


def _axis(name: str, value: Any) -> _Axis:
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        raise InputError(f"axis {name!r} is not a name that cell.<name> could read")
    if name.startswith("_") or name in _RESERVED or hasattr(Cell, name):
        raise InputError(f"axis {name!r} has a reserved name; choose another")
    if isinstance(value, _Axis):
        values, kind = value.values, value.kind
    elif isinstance(value, list | tuple | range) or (isinstance(value, np.ndarray) and value.ndim):
        values, kind = _listed(value, repr(name)), "outer"
    else:
        values, kind = (_plain(value.item() if isinstance(value, np.ndarray) else value),), "outer"
    seen: set[str] = set()
    for item in values:
        text = canonical({name: item})
        if text in seen:
            raise InputError(f"axis {name!r} has the value {item!r} twice")
        seen.add(text)
    return _Axis(values, kind)


@dataclass(frozen=True)
class Design:
    """An ordered set of cells; join two with ``+``.

    Attributes
    ----------
    cells : tuple of Cell
        The outer cells; an inner axis is there as the whole tuple.
    inner : (name, values) or None
    paired : frozenset of str
        Axes that are left out of the key of a stream.
    """

    cells: tuple[Cell, ...]
    inner: tuple[str, tuple[Any, ...]] | None = None
    paired: frozenset[str] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        if not self.cells:
            raise InputError("a design needs at least one cell")
        names, seen = set(self.cells[0]), set()
        for cell in self.cells:
            if set(cell) != names:
                raise InputError(
                    f"designs that are joined need the same parameters: {sorted(names)} "
                    f"and {sorted(cell)}"
                )
            if cell in seen:
                raise InputError(f"the design has a cell twice: {cell!r}")
            seen.add(cell)

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters, in the order of their declaration."""
        return tuple(self.cells[0])

    @property
    def axes(self) -> dict[str, tuple[Any, ...]]:
        """Every parameter with the values it takes, in order of appearance."""
        return {name: self._values(name) for name in self.names}

    def _values(self, name: str) -> tuple[Any, ...]:
        if self.inner is not None and name == self.inner[0]:
            return self.inner[1]
        return tuple({canonical({name: c[name]}): c[name] for c in self.cells}.values())

    def __add__(self, other: Design) -> Design:
        if not isinstance(other, Design):
            return NotImplemented
        if _text(self.inner) != _text(other.inner):
            raise InputError(
                f"designs that are joined need the same inner axis: {self.inner} and {other.inner}"
            )
        if self.paired != other.paired:
            raise InputError(
                "designs that are joined need the same paired axes: "
                f"{sorted(self.paired)} and {sorted(other.paired)}"
            )
        return Design(self.cells + other.cells, self.inner, self.paired)

    def __len__(self) -> int:
        return len(self.cells)

    def __iter__(self) -> Iterator[Cell]:
        return iter(self.cells)


def _text(inner: tuple[str, tuple[Any, ...]] | None) -> str:
    return canonical({"inner": inner})


def grid(**axes: Any) -> Design:
    """Cross axes to a design, the last axis running fastest.

    Parameters
    ----------
    **axes
        A scalar (fixed), a list, tuple, range or one-dimensional array (an axis),
        ``inner([...])`` (at most one) or ``paired([...])``. A parameter whose value is itself a
        tuple goes into a list: ``shape=[(2, 3)]``.

    Raises
    ------
    InputError
        For an empty axis, a value given twice, a second inner axis, or a value that cannot be
        a parameter (nan, infinity, array, object).

    Examples
    --------
    >>> len(grid(n=[10, 100], S=5))
    2
    """
    parsed = {name: _axis(name, value) for name, value in axes.items()}
    inners = [name for name, axis in parsed.items() if axis.kind == "inner"]
    if len(inners) > 1:
        raise InputError(f"a design has at most one inner axis; given {', '.join(inners)}")
    whole = {name: parsed[name].values for name in inners}
    columns = [(whole[n],) if n in whole else axis.values for n, axis in parsed.items()]
    cells = tuple(Cell(dict(zip(parsed, row, strict=True))) for row in itertools.product(*columns))
    return Design(
        cells,
        inner=(inners[0], whole[inners[0]]) if inners else None,
        paired=frozenset(name for name, axis in parsed.items() if axis.kind == "paired"),
    )


def geometric(start: float, stop: float, num: int) -> tuple[Any, ...]:
    """Return `num` numbers from `start` to `stop` whose ratios are equal.

    Integers (rounded, without repeats) where both ends are integral, otherwise floats rounded to
    12 significant digits. Computed in decimal arithmetic, so every machine gets the same numbers
    to the last bit: a grid that differs by one unit in the last place would be another grid.

    Parameters
    ----------
    start, stop : float
        The ends, finite and positive, included.
    num : int
        How many points, at least 1 (1 only where the ends are equal).

    Examples
    --------
    >>> geometric(100, 10_000, 3)
    (100, 1000, 10000)
    """
    for name, end in (("start", start), ("stop", stop)):
        if isinstance(end, bool | np.bool_) or not math.isfinite(end) or end <= 0:
            raise InputError(f"geometric: {name} is {end!r}; it must be finite and positive")
    if isinstance(num, bool) or not isinstance(num, int | np.integer) or num < 1:
        raise InputError(f"geometric: num is {num!r}; it must be an integer of at least 1")
    if num == 1 and start != stop:
        raise InputError("geometric: num is 1 but start and stop differ; give at least 2 points")
    integral = float(start).is_integer() and float(stop).is_integer()
    ends = (int(start), int(stop)) if integral else (float(start), float(stop))
    points = [_digits(value) for value in _between(ends[0], ends[1], int(num))]
    if not integral:
        return tuple(dict.fromkeys(float(value) for value in points))
    low, high = min(ends), max(ends)
    whole = [min(max(int(value.to_integral_value()), low), high) for value in points]
    return tuple(dict.fromkeys([ends[0], *whole[1:-1], ends[1]]))


def _between(start: float, stop: float, num: int) -> list[Decimal]:
    """Return the points unrounded: 50 digits, the ends exactly."""
    first, last = Decimal(start), Decimal(stop)
    with localcontext() as context:
        context.prec = 50
        steps = [Decimal(k) / Decimal(num - 1) for k in range(1, num - 1)]
        return [first, *(first * (last / first) ** step for step in steps), last][:num]


def _digits(value: Decimal) -> Decimal:
    return Decimal(f"{value:.12g}")


Where = Mapping[str, Any]


def matches(cell: Cell, where: Where | None) -> bool:
    """Say whether a cell satisfies every condition of `where`.

    Parameters
    ----------
    cell : Cell
    where : mapping of parameter to a value, a list, tuple or set of values, or a predicate

    Raises
    ------
    InputError
        When `where` names what is no parameter of the cell.
    """
    for name in where or {}:
        if name not in cell:
            raise InputError(f"where names {name!r}; the parameters are {', '.join(cell)}")
    return all(_accepts(wanted, cell[name], name) for name, wanted in (where or {}).items())


def _accepts(wanted: Any, value: Any, name: str) -> bool:
    if callable(wanted):
        accept: Callable[[Any], Any] = wanted
        return bool(accept(value))
    if isinstance(wanted, np.ndarray):
        wanted = wanted.tolist()
    # through canonical: 1 and 1.0 are one value, 1 and True are not
    have = canonical({name: value})
    if isinstance(wanted, list | tuple | set | frozenset | range):
        options = [canonical({name: option}) for option in wanted]
        whole = isinstance(wanted, list | tuple) and canonical({name: list(wanted)}) == have
        return have in options or whole
    return canonical({name: wanted}) == have


def unroll(cell: Cell, inner: tuple[str, tuple[Any, ...]] | None) -> list[Cell]:
    """Split a cell along the inner axis: one cell for each value, in order."""
    if inner is None:
        return [cell]
    return [cell.replace(**{inner[0]: value}) for value in cell[inner[0]]]
