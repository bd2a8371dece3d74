"""Results: what the judge reads, and the frames, summaries and files that people read."""

from __future__ import annotations

import html
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tlstat.errors import InputError
from tlstat.montecarlo import frames
from tlstat.montecarlo.design import Cell, matches, unroll
from tlstat.montecarlo.store import unpack
from tlstat.montecarlo.study import Exact, Study

if TYPE_CHECKING:
    import pandas as pd

    from tlstat.montecarlo.worker import BlockError, BlockRow

Arrays = Mapping[str, Any]  # metric -> array (R,) or (R, k) or Exact


@dataclass(frozen=True, eq=False)
class Sample:
    """The replicates of one metric in one cell, or its exact value.

    Attributes
    ----------
    cell : Cell
        With the inner axis unrolled to one value.
    values : ndarray (R,) or None
        In the order of block and replicate; None for an exact result.
    exact : Exact or None
    range : (float, float)
        Declared by the study, ``(-inf, inf)`` where it declares none; (0, 1) for a bool metric.
    stream : str
        Samples of equal stream are paired, replicate by replicate.
    block : int
        Size of a block.
    """

    cell: Cell
    metric: str
    values: np.ndarray | None
    exact: Exact | None = None
    range: tuple[float, float] = (-math.inf, math.inf)
    stream: str = ""
    block: int = 0

    @property
    def replicates(self) -> int:
        """How many replicates; 0 for an exact result."""
        return 0 if self.values is None else len(self.values)


class Results:
    """The finished blocks of one study under one profile.

    Parameters
    ----------
    study : Study
    rows : mapping of canonical cell to its blocks
        For each cell the blocks 0, 1, ... in order; only an unbroken prefix counts, so that a
        half-filled store gives what a shorter run gives.
    profile : str
    entropy : int
    failures : sequence of BlockError
    seconds : float, optional
        Wall clock of the run; the blocks' own time where not given.

    Attributes
    ----------
    metrics : tuple of str
    provenance : list of dict
        The settings that blocks were made in (versions of tlstat, Python, numpy, the device),
        each once; `environments` says which block came from which.
    """

    def __init__(
        self,
        study: Study,
        rows: Mapping[str, Sequence[BlockRow]],
        *,
        profile: str = "quick",
        entropy: int = 0,
        failures: Iterable[BlockError] = (),
        seconds: float | None = None,
    ) -> None:
        self.study, self.profile, self.entropy = study, profile, entropy
        self.failures = list(failures)
        self._arrays: dict[Cell, dict[str, Any]] = {}
        self._made_in: dict[Cell, list[str]] = {}
        spent = 0.0
        for cell in study.cells(profile):
            blocks = _prefix(rows.get(cell.canonical, ()))
            if blocks:
                self._arrays[cell] = _join([unpack(row) for row in blocks], cell)
                self._made_in[cell] = [row.env for row in blocks]
                spent += sum(row.seconds for row in blocks)
        self.seconds = spent if seconds is None else seconds

    @classmethod
    def from_arrays(
        cls, study: Study, arrays: Mapping[Any, Arrays], *, profile: str = "quick", entropy: int = 0
    ) -> Results:
        """Make results from arrays, without a run.

        Parameters
        ----------
        arrays : mapping of Cell to {metric: array (R,) or (R, k) or Exact}
            The cells of the design, an inner axis as the whole tuple.
        """
        made = cls(study, {}, profile=profile, entropy=entropy)
        known = set(study.design.cells)
        for cell in arrays:
            if cell not in known:
                raise InputError(f"{cell!r} is no cell of {study.name}")
        for cell in study.design:
            if cell in arrays:
                made._arrays[cell] = {m: _plain(v) for m, v in arrays[cell].items()}
        return made

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics, in the order in which the study returns them."""
        return tuple(dict.fromkeys(m for found in self._arrays.values() for m in found))

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells that have results, in the order of the design, the inner axis whole."""
        return tuple(self._arrays)

    @property
    def provenance(self) -> list[dict[str, Any]]:
        """The settings that blocks were made in, each once, in order of appearance."""
        return [json.loads(env) for env in self._env_index()]

    @property
    def environments(self) -> dict[Cell, list[int]]:
        """For each cell and block, the position in `provenance` of what it was made in."""
        index = self._env_index()
        return {cell: [index[env] for env in envs] for cell, envs in self._made_in.items()}

    def _env_index(self) -> dict[str, int]:
        every = dict.fromkeys(env for envs in self._made_in.values() for env in envs)
        return {env: i for i, env in enumerate(every)}

    def samples(self, metric: str, where: Mapping[str, Any] | None = None) -> list[Sample]:
        """Return one sample for each cell that `where` keeps, in the order of the design.

        Parameters
        ----------
        metric : str
        where : mapping of parameter to a value, values or a predicate, optional
            Applied after the inner axis is unrolled.

        Raises
        ------
        InputError
            For an unknown metric or parameter.
        """
        if self._arrays and metric not in self.metrics:
            raise InputError(
                f"{self.study.name} has no metric {metric!r}; it has {', '.join(self.metrics)}"
            )
        found = []
        for cell, arrays in self._arrays.items():
            if metric in arrays:
                found += [s for s in self._unroll(cell, metric) if matches(s.cell, where)]
        return found

    def _unroll(self, cell: Cell, metric: str) -> list[Sample]:
        """Split one metric of one cell along the inner axis."""
        value, axis = self._arrays[cell][metric], self.study.design.inner
        low, high = self.study.range_of(metric, cell)
        if not isinstance(value, Exact) and value.dtype.kind == "b":
            low, high = max(low, 0.0), min(high, 1.0)
        stream = _stream(self.study, cell, self.entropy)
        return [
            Sample(part, metric, *_take(value, i), (low, high), stream, self.study.block_size(cell))
            for i, part in enumerate(unroll(cell, axis))
        ]

    def _samples(self) -> Iterable[tuple[Cell, list[Sample]]]:
        """Yield (unrolled cell, its samples, one a metric)."""
        for cell, arrays in self._arrays.items():
            for group in zip(*(self._unroll(cell, metric) for metric in arrays), strict=True):
                yield group[0].cell, list(group)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a replicate: the parameters, ``replicate``, one column a metric.

        Texts and tuples among the parameters are categorical. An exact result stands in every
        row of its cell (one row in an exact study).
        """
        return frames.replicates_frame(self.study.design, list(self._samples()))

    def summary(self) -> pd.DataFrame:
        """Return one row a cell and metric.

        Columns: the parameters, ``metric``, ``mean``, ``mcse`` (the Monte Carlo standard error of
        the mean), ``replicates`` (defined ones), ``exact_error`` (nan for a simulated metric).
        """
        return frames.summary_frame(self.study.design, list(self._samples()))

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write `to_frame` as CSV."""
        self.to_frame().to_csv(path, index=False)

    def to_parquet(self, path: str | os.PathLike[str]) -> None:
        """Write `to_frame` as Parquet; needs the extra ``parquet`` (pyarrow)."""
        frames.write_parquet(self.to_frame(), path)

    def __repr__(self) -> str:
        return (
            f"<Results of {self.study.name}, profile {self.profile}, entropy {self.entropy}: "
            f"{len(self._arrays)} cells, metrics {', '.join(self.metrics) or 'none'}, "
            f"{len(self.failures)} failed blocks>"
        )

    def _repr_html_(self) -> str:
        title = html.escape(repr(self)[1:-1])
        return f"<p>{title}</p>{self.summary().to_html(index=False, escape=True)}"


def _prefix(rows: Sequence[BlockRow]) -> list[BlockRow]:
    """Return blocks 0, 1, ... up to the first that is missing."""
    ordered = sorted(rows, key=lambda row: row.index)
    return [row for i, row in enumerate(ordered) if row.index == i]


def _join(blocks: Sequence[Arrays], cell: Cell) -> dict[str, Any]:
    """Concatenate the blocks of a cell; an exact metric is that of its first block."""
    first = blocks[0]
    for other in blocks[1:]:
        if other.keys() != first.keys():
            raise InputError(f"blocks of {cell!r} have metrics {list(first)} and {list(other)}")
    return {
        metric: value
        if isinstance(value, Exact)
        else np.concatenate([block[metric] for block in blocks])
        for metric, value in first.items()
    }


def _plain(value: Any) -> Any:
    return value if isinstance(value, Exact) else np.asarray(value)


def _stream(study: Study, cell: Cell, entropy: int) -> str:
    """Name the random stream of a cell: what its blocks' keys are made of, without the index."""
    seen = cell.without(*study.design.paired)
    return f"{study.name}:{study.version}:{entropy}:{study.block_size(cell)}:{seen.canonical}"


def _take(value: Any, i: int) -> tuple[np.ndarray | None, Exact | None]:
    """Return (values, exact) of one inner value; what has no inner axis belongs to all."""
    if isinstance(value, Exact):
        number, error = np.asarray(value.value), np.asarray(value.error)
        return None, Exact(
            number if number.ndim == 0 else number[i], error if error.ndim == 0 else error[i]
        )
    return (value[:, i] if value.ndim == 2 else value), None
