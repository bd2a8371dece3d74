"""A study: a pure function of a cell and a random source, with its design and its claims."""

from __future__ import annotations

import functools
import inspect
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.montecarlo.design import Cell, Design, matches

# profiles that every study has; where one is not declared it has the base settings
COMMON_PROFILES = ("quick", "paper", "full")
_PROFILE_KEYS = ("replicates", "where")

Range = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Exact:
    """A result that was computed, not simulated, with a bound on its numerical error.

    Parameters
    ----------
    value : float or array (k,)
        The number, or one for each value of the inner axis.
    error : float or array (k,)
        An upper bound on ``|value - truth|``; 0 for a closed form.
    """

    value: Any
    error: Any = 0.0

    def __post_init__(self) -> None:
        value, error = np.asarray(self.value, dtype=float), np.asarray(self.error, dtype=float)
        if value.ndim > 1 or error.shape not in ((), value.shape):
            raise InputError(
                f"Exact: value has shape {value.shape} and error {error.shape}; expected a number "
                "or one axis, and an error that fits"
            )
        if not np.all(error >= 0):
            raise InputError(f"Exact: error is {self.error!r}; it must be non-negative")
        for name, array in (("value", value), ("error", error)):
            object.__setattr__(self, name, float(array) if array.ndim == 0 else array)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Exact):
            return NotImplemented
        return np.array_equal(self.value, other.value) and np.array_equal(self.error, other.error)

    def __hash__(self) -> int:
        return hash((np.asarray(self.value).tobytes(), np.asarray(self.error).tobytes()))


@dataclass(frozen=True, eq=False, repr=False)
class Study:
    """What `study` makes of a function; call it as the function itself.

    Attributes
    ----------
    fn : callable
        ``fn(cell, rng, size) -> {metric: array (size,) or (size, k) or Exact}``.
    name : str
        Identity, with `version`: streams and stored blocks hang on it.
    design : Design
    replicates : int
        The base number for each cell; 0 declares an exact study.
    claims : tuple
    version : int
        Raise it when the results of the function change.
    doc, path : str or None
        The docstring, and the file that holds the function.
    """

    fn: Callable[..., Mapping[str, Any]]
    name: str
    design: Design
    replicates: int
    model: Callable[[Cell], Any] | None = None
    block: int | Callable[[Cell], int] = 100
    profiles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    claims: tuple[Any, ...] = ()
    version: int = 1
    ranges: Mapping[str, Range | Callable[[Cell], Range]] = field(default_factory=dict)
    allow_nan: tuple[str, ...] = ()
    doc: str | None = None
    path: str | None = None
    _sizes: Mapping[Cell, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_name(self.name)
        if not isinstance(self.design, Design):
            raise InputError(f"{self.name}: design is {self.design!r}; expected grid(...)")
        _integer(self.replicates, f"{self.name}: replicates", 0)
        _integer(self.version, f"{self.name}: version", 1)
        if self.model is not None and not callable(self.model):
            raise InputError(f"{self.name}: model is {self.model!r}; expected a function of a cell")
        # a function of the cell is evaluated once, here: sizes belong to the identity
        object.__setattr__(self, "_sizes", {cell: self._measure(cell) for cell in self.design})
        for metric in self.ranges:
            for cell in self.design:
                self.range_of(metric, cell)
        self._check_profiles()

    def _measure(self, cell: Cell) -> int:
        if self.replicates == 0:
            return 0
        size = self.block(cell) if callable(self.block) else self.block
        return _integer(size, f"{self.name}: block for {cell!r}", 1)

    def _check_profiles(self) -> None:
        for profile, settings in self.profiles.items():
            label = f"{self.name}: profile {profile!r}"
            if not isinstance(profile, str) or not isinstance(settings, Mapping):
                raise InputError(f"{label} is {settings!r}; expected dict(replicates=, where=)")
            for key in settings:
                if key not in _PROFILE_KEYS:
                    raise InputError(
                        f"{label} sets {key!r}; a profile may set {' and '.join(_PROFILE_KEYS)} "
                        "only, so that the blocks of one are the first blocks of another"
                    )
            low = 1 if self.replicates else 0
            count = settings.get("replicates", self.replicates)
            _integer(count, f"{label}: replicates", low)
            if count and not self.replicates:
                raise InputError(f"{label} sets replicates to {count}, but the study is exact")
            axis = self.design.inner
            if axis is not None and axis[0] in (settings.get("where") or {}):
                raise InputError(f"{label} cuts the inner axis {axis[0]!r}; it is returned whole")
            if not self.cells(profile):
                raise InputError(f"{label} keeps no cell: where is {settings.get('where')!r}")

    @property
    def exact(self) -> bool:
        """Whether the study declares that it draws nothing."""
        return self.replicates == 0

    def _settings(self, profile: str) -> Mapping[str, Any]:
        if profile in self.profiles:
            return self.profiles[profile]
        if profile in COMMON_PROFILES:
            return {}
        known = dict.fromkeys([*COMMON_PROFILES, *self.profiles])
        raise InputError(f"{self.name} has no profile {profile!r}; it has {', '.join(known)}")

    def cells(self, profile: str = "quick") -> tuple[Cell, ...]:
        """Return the cells that a profile keeps, in the order of the design."""
        where = self._settings(profile).get("where")
        return tuple(cell for cell in self.design if matches(cell, where))

    def block_size(self, cell: Cell) -> int:
        """Return how many replicates one block of a cell holds; 0 in an exact study."""
        return self._sizes[cell] if cell in self._sizes else self._measure(cell)

    def blocks(self, profile: str = "quick", replicates: int | None = None) -> dict[Cell, int]:
        """Return the number of blocks of each cell; replicates are rounded up to whole blocks.

        Parameters
        ----------
        profile : str
        replicates : int, optional
            Instead of the profile's number. Without effect in an exact study.
        """
        cells = self.cells(profile)
        if self.exact:
            return dict.fromkeys(cells, 1)
        wanted = self._settings(profile).get("replicates", self.replicates)
        if replicates is not None:
            wanted = _integer(replicates, "replicates", 1)
        return {cell: -(-int(wanted) // self.block_size(cell)) for cell in cells}

    def build_model(self, cell: Cell) -> Any:
        """Return the model of a cell, None where the study has none."""
        return None if self.model is None else self.model(cell)

    def range_of(self, metric: str, cell: Cell) -> Range:
        """Return the declared range of a metric, ``(-inf, inf)`` where none is declared."""
        if metric not in self.ranges:
            return (-math.inf, math.inf)
        declared = self.ranges[metric]
        given = declared(cell) if callable(declared) else declared
        try:
            low, high = (float(end) for end in given)
        except (TypeError, ValueError):
            low, high = math.nan, math.nan
        if not low < high:
            raise InputError(
                f"{self.name}: range of {metric!r} is {given!r}; expected (low, high), low < high"
            )
        return (low, high)

    def __call__(self, cell: Cell, rng: Any, size: int) -> Mapping[str, Any]:
        return self.fn(cell, rng, size)

    def __repr__(self) -> str:
        what = "exact" if self.exact else f"{self.replicates} replicates"
        return (
            f"<Study {self.name} version {self.version}: {len(self.design)} cells, {what}, "
            f"{len(self.claims)} claims>"
        )


def study(
    design: Design,
    replicates: int,
    model: Callable[[Cell], Any] | None = None,
    block: int | Callable[[Cell], int] = 100,
    profiles: Mapping[str, Mapping[str, Any]] | None = None,
    claims: Sequence[Any] = (),
    version: int = 1,
    name: str | None = None,
    ranges: Mapping[str, Range | Callable[[Cell], Range]] | None = None,
    allow_nan: Sequence[str] = (),
) -> Callable[[Callable[..., Mapping[str, Any]]], Study]:
    """Turn a function ``(cell, rng, size) -> {metric: array}`` into a study.

    Parameters
    ----------
    design : Design
        From `grid`.
    replicates : int
        For each cell; rounded up to whole blocks. 0 declares an exact study: one call a cell, and
        every metric is an `Exact`.
    model : callable, optional
        Builds the population from a cell; assumptions and bounds are checked on it.
    block : int or function of the cell
        Replicates in one block, the unit of streams and storage. It is part of the identity, so
        it is never measured by a clock.
    profiles : mapping
        ``{"paper": dict(replicates=..., where=...)}``: more or fewer replicates, or a subset of
        the cells. Nothing else: the blocks of one profile are the first blocks of another.
    claims : sequence of claims
    version : int
        Raise it when the function's results change.
    name : str, optional
        ``"<file stem>.<function>"`` where not given.
    ranges : mapping of metric to (low, high) or function of the cell
        Checked on every replicate. ``(0, inf)`` declares a non-negative metric.
    allow_nan : sequence of str
        Metrics that may be undefined.

    Raises
    ------
    InputError
        At declaration, before any work.
    """
    if isinstance(claims, str) or not isinstance(claims, Sequence):
        raise InputError(f"claims is {claims!r}; expected a list of claims")
    if isinstance(allow_nan, str):
        raise InputError(f"allow_nan is {allow_nan!r}; expected a tuple of metric names")

    def decorate(fn: Callable[..., Mapping[str, Any]]) -> Study:
        if not callable(fn):
            raise InputError(f"study decorates {fn!r}; expected a function (cell, rng, size)")
        return Study(
            fn=fn,
            name=_default_name(fn) if name is None else name,
            design=design,
            replicates=replicates,
            model=model,
            block=block,
            profiles=dict(profiles or {}),
            claims=tuple(claims),
            version=version,
            ranges=dict(ranges or {}),
            allow_nan=tuple(allow_nan),
            doc=inspect.getdoc(fn),
            path=_path_of(fn),
        )

    return decorate


def vectorise(fn: Callable[[Cell, Any], Mapping[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Turn a function of one replicate, ``(cell, rng) -> {metric: number}``, into a study's form.

    Slower than array code by the cost of a Python call a replicate. Put it below ``@study``.
    """

    @functools.wraps(fn)
    def block(cell: Cell, rng: Any, size: int) -> dict[str, Any]:
        rows = [dict(fn(cell, rng)) for _ in range(size)]
        for i, row in enumerate(rows):
            if row.keys() != rows[0].keys():
                raise InputError(
                    f"replicate {i} returned metrics {sorted(row)}, the first {sorted(rows[0])}"
                )
        return {metric: np.asarray([row[metric] for row in rows]) for metric in rows[0]}

    return block


def _integer(value: Any, label: str, low: int) -> int:
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer) or value < low:
        raise InputError(f"{label} is {value!r}; expected an integer of at least {low}")
    return int(value)


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"the name of a study is {name!r}; expected a text")
    if not name.isprintable() or len(name) > 200:
        raise InputError(
            f"the name of a study is {name[:60]!r}; expected at most 200 printable characters"
        )


def _path_of(fn: Callable[..., Any]) -> str | None:
    code = getattr(inspect.unwrap(fn), "__code__", None)
    path = code.co_filename if code is not None else None
    return os.path.abspath(path) if path and os.path.isfile(path) else None


def _default_name(fn: Callable[..., Any]) -> str:
    path = _path_of(fn)
    # a notebook's cells have no file, or one whose name changes with every execution
    stem = Path(path).stem if path else "notebook"
    return f"{stem}.{getattr(fn, '__name__', type(fn).__name__)}"


def load_studies(path: str | os.PathLike[str]) -> list[Study]:
    """Load the studies of a file, of a folder, or of ``"file.py::name"``; see `discovery`."""
    from tlstat.montecarlo.discovery import load_studies as load

    return load(path)
