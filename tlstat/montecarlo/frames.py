"""Pandas frames of results and of stores; pandas is imported when a frame is made."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np

from tlstat.errors import InputError
from tlstat.montecarlo.design import Cell, Design, unroll
from tlstat.montecarlo.identity import canonical

if TYPE_CHECKING:
    import pandas as pd

    from tlstat.montecarlo.results import Sample
    from tlstat.montecarlo.store import Store

Group = tuple[Cell, Sequence["Sample"]]


def replicates_frame(design: Design | Sequence[str], groups: Sequence[Group]) -> pd.DataFrame:
    """Return one row a replicate; `groups` are (unrolled cell, its samples)."""
    import pandas as pd

    names = _names(design)
    _no_clash(names, groups)
    lengths = [_rows(samples) for _, samples in groups]
    columns: dict[str, Any] = {}
    for name in names:
        columns[name] = _parameter([cell[name] for cell, _ in groups], lengths)
    columns["replicate"] = _glue([np.arange(length) for length in lengths])
    metrics = dict.fromkeys(sample.metric for _, samples in groups for sample in samples)
    for metric in metrics:
        columns[metric] = _glue(
            [_column(metric, samples, n) for (_, samples), n in zip(groups, lengths, strict=True)]
        )
    return pd.DataFrame(columns, copy=False)


def summary_frame(design: Design | Sequence[str], groups: Sequence[Group]) -> pd.DataFrame:
    """Return one row a cell and metric, with the Monte Carlo standard error."""
    import pandas as pd

    names = _names(design)
    pairs = [(cell, sample) for cell, samples in groups for sample in samples]
    ones = [1] * len(pairs)
    columns = {name: _parameter([cell[name] for cell, _ in pairs], ones) for name in names}
    stats = [_moments(sample) for _, sample in pairs]
    columns["metric"] = [sample.metric for _, sample in pairs]
    for i, label in enumerate(("mean", "mcse", "replicates", "exact_error")):
        kind = np.int64 if label == "replicates" else np.float64
        columns[label] = np.array([row[i] for row in stats], dtype=kind)
    return pd.DataFrame(columns)


def store_frame(store: Store, study_id: int) -> pd.DataFrame:
    """Return one row a replicate of everything that a store holds of one study.

    Works without the study's source. Blocks beyond a gap are included; ``block`` and
    ``environment`` (the JSON of versions and device) say where each row came from.
    """
    import pandas as pd

    from tlstat.montecarlo.results import Sample, _take
    from tlstat.montecarlo.store import unpack

    head = next((h for h in store.studies() if h.id == study_id), None)
    if head is None:
        raise InputError(f"{store.path}: no study {study_id}")
    groups, blocks, envs = [], [], []
    for params in store.sizes(study_id):
        cell = Cell(_decode(json.loads(params)))
        for row in store.read(study_id, params):
            arrays = unpack(row)
            for i, part in enumerate(unroll(cell, head.inner)):
                samples = [Sample(part, m, *_take(value, i)) for m, value in arrays.items()]
                groups.append((part, samples))
                blocks.append(row.index)
                envs.append(row.env)
    frame = replicates_frame(list(groups[0][0]) if groups else [], groups)
    lengths = [_rows(samples) for _, samples in groups]
    frame["block"] = np.repeat(np.array(blocks, dtype=np.int64), lengths)
    frame["environment"] = pd.Categorical(np.repeat(np.array(envs, dtype=object), lengths))
    return frame


def write_parquet(frame: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write a frame as Parquet, or say which extra is missing."""
    try:
        frame.to_parquet(path, index=False)
    except ImportError as error:
        raise InputError(
            "Parquet needs pyarrow: install it with `pip install 'tlstat[parquet]'`, or write CSV"
        ) from error


def _decode(params: Any) -> Any:
    """Read parameters back from canonical JSON; an enum member by its name."""
    if isinstance(params, dict) and set(params) == {"enum"}:
        return params["enum"][1]
    if isinstance(params, dict):
        return {name: _decode(value) for name, value in params.items()}
    return tuple(_decode(item) for item in params) if isinstance(params, list) else params


def _names(design: Design | Sequence[str]) -> tuple[str, ...]:
    return design.names if isinstance(design, Design) else tuple(design)


def _no_clash(names: Sequence[str], groups: Sequence[Group]) -> None:
    for _, samples in groups:
        for sample in samples:
            if sample.metric in names or sample.metric == "replicate":
                raise InputError(
                    f"metric {sample.metric!r} has the name of another column; rename it"
                )


def _rows(samples: Sequence[Sample]) -> int:
    """Return the rows of a cell: its replicates, or one where all is exact."""
    return max((s.replicates for s in samples if s.values is not None), default=1)


def _column(metric: str, samples: Sequence[Sample], length: int) -> np.ndarray:
    for sample in samples:
        if sample.metric == metric:
            if sample.values is not None:
                return sample.values
            assert sample.exact is not None
            return np.full(length, sample.exact.value)
    return np.full(length, math.nan)  # a cell that does not have this metric


def _glue(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.empty(0)


def _parameter(values: Sequence[Any], lengths: Sequence[int]) -> Any:
    """Repeat a parameter down its rows: numbers and bools as they are, the rest categorical."""
    import pandas as pd

    kinds = {type(value) for value in values}
    if kinds <= {bool} or kinds <= {int, float}:
        fits = all(abs(value) < 2**63 for value in values)
        return np.repeat(np.array(values if fits else [float(v) for v in values]), lengths)
    texts = [_label(value) for value in values]
    categories = list(dict.fromkeys(texts))
    codes = np.array([categories.index(text) for text in texts], dtype=np.int64)
    return pd.Categorical.from_codes(np.repeat(codes, lengths), categories=pd.Index(categories))


def _label(value: Any) -> str:
    if isinstance(value, Enum):
        return value.name
    return value if isinstance(value, str) else canonical({"": value})[4:-1]


def _moments(sample: Sample) -> tuple[float, float, int, float]:
    """Return mean, its Monte Carlo standard error, replicates, error of an exact value."""
    if sample.exact is not None:
        return float(sample.exact.value), 0.0, 0, float(sample.exact.error)
    values = np.asarray(sample.values, dtype=float)
    values = values[~np.isnan(values)]  # only where the study declared allow_nan
    count = len(values)
    mean = float(values.mean()) if count else math.nan
    mcse = float(values.std(ddof=1)) / math.sqrt(count) if count > 1 else math.nan
    return mean, mcse, count, math.nan
