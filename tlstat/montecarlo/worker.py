"""What runs in a worker: one task of blocks, each checked, errors returned as data.

An exception class that does not survive pickling would break a whole process pool, so nothing
but plain rows and `BlockError` crosses the border between processes.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import platform
import sys
import threading
import time
import traceback
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.backend import Random, to_numpy
from tlstat.errors import InputError, StudyError
from tlstat.montecarlo.design import Cell
from tlstat.montecarlo.packing import Job, load
from tlstat.montecarlo.study import Exact
from tlstat.montecarlo.threads import limit_threads

Schema = tuple[tuple[str, str, tuple[int, ...], str], ...]

FAILURES_PER_CELL = 10  # after so many a cell is given up: the study is wrong there
_local = threading.local()


@dataclass(frozen=True)
class BlockRow:
    """One finished block, in plain types only.

    Attributes
    ----------
    cell : str
        Canonical text of the cell.
    schema : tuple of (metric, dtype, inner shape, kind)
        dtype little-endian; kind ``"sample"``: an array (size, *inner shape); kind ``"exact"``:
        an array (2, *inner shape) of values and errors.
    data : bytes
        The metrics one after another, C order; ``crc`` is their ``zlib.crc32``.
    env : str
        JSON: versions, processor or device, threads.
    """

    cell: str
    index: int
    size: int
    schema: Schema
    data: bytes
    seconds: float
    crc: int
    env: str


@dataclass(frozen=True)
class BlockError:
    """A block that failed: what reproduces it (cell, index, key) and what was said.

    ``kind`` is ``"invalid"`` (the result cannot be judged), ``"exception"``, ``"timeout"`` or
    ``"died"`` (the worker was killed).
    """

    cell: str
    index: int
    key: str
    kind: str
    message: str
    traceback: str = ""


@dataclass(frozen=True)
class BlockSpec:
    """What a worker needs to know of one block, beside the function."""

    cell: Cell
    index: int
    key: int
    size: int
    ranges: tuple[tuple[str, float, float], ...] = ()

    def error(self, kind: str, message: str, trace: str = "") -> BlockError:
        """Return the record of this block's failure."""
        return BlockError(self.cell.canonical, self.index, f"{self.key:032x}", kind, message, trace)


# ------------------------------------------------------------------------------- one block


def run_block(
    fn: Any,
    cell: Cell,
    key: int,
    size: int,
    array: str = "numpy",
    device: str = "cpu",
    *,
    inner: int | None = None,
    allow_nan: Sequence[str] = (),
    ranges: Sequence[tuple[str, float, float]] = (),
) -> tuple[Schema, bytes]:
    """Call the study on one block and check what it returns.

    Parameters
    ----------
    inner : int, optional
        Length of the inner axis, None where there is none.

    Raises
    ------
    InputError
        A result with wrong names, shapes, dtypes, values or ranges; the caller adds the place.
    """
    with _backend_defaults(array, device):
        result = fn(cell, Random(key, array, device), size)
    return encode(result, size, inner=inner, allow_nan=allow_nan, ranges=ranges)


def encode(
    result: Any,
    size: int,
    *,
    inner: int | None = None,
    allow_nan: Sequence[str] = (),
    ranges: Sequence[tuple[str, float, float]] = (),
) -> tuple[Schema, bytes]:
    """Check a study's result and flatten it to (schema, bytes)."""
    if not isinstance(result, Mapping) or not result:
        raise InputError(
            f"the study returned {_short(result)}; expected a dict {{metric: array}} with a metric"
        )
    limits = {metric: (low, high) for metric, low, high in ranges}
    for metric in limits:
        if metric not in result:
            raise InputError(f"ranges names {metric!r}, which the study did not return")
    schema, chunks = [], []
    for metric, value in result.items():
        if not isinstance(metric, str) or not metric:
            raise InputError(f"the study returned a metric named {metric!r}; expected a text")
        if isinstance(value, Exact):
            kind, x = "exact", _exact(metric, value, inner)
        else:
            kind, x = "sample", _sample(metric, value, size, inner)
        _check_values(metric, x if kind == "sample" else x[:1], limits, metric in allow_nan)
        x = np.ascontiguousarray(x, dtype=x.dtype.newbyteorder("<"))
        schema.append((metric, x.dtype.str, tuple(int(k) for k in x.shape[1:]), kind))
        chunks.append(x.tobytes())
    return tuple(schema), b"".join(chunks)


def _sample(metric: str, value: Any, size: int, inner: int | None) -> Any:
    x = to_numpy(value)
    if x.dtype.kind not in "fiub" or x.dtype.itemsize > 8:
        raise InputError(f"metric {metric!r} has dtype {x.dtype}; expected float, int or bool")
    if size == 0:
        raise InputError(f"metric {metric!r} is an array in an exact study; expected Exact(...)")
    shapes = [(size,)] if inner is None else [(size,), (size, inner)]
    if x.shape not in shapes:
        expected = " or ".join(map(str, shapes))
        raise InputError(f"metric {metric!r} has shape {x.shape}; expected {expected}")
    return x


def _exact(metric: str, value: Exact, inner: int | None) -> Any:
    x = np.asarray(value.value, dtype=np.float64)
    if x.shape not in ((),) if inner is None else x.shape not in ((), (inner,)):
        raise InputError(
            f"metric {metric!r} is Exact with shape {x.shape}; expected a number"
            + ("" if inner is None else f" or shape ({inner},)")
        )
    error = np.broadcast_to(np.asarray(value.error, dtype=np.float64), x.shape)
    if not np.all(np.isfinite(error)):
        raise InputError(f"metric {metric!r} is Exact with a numerical error that is not finite")
    return np.stack([x, error])


def _check_values(metric: str, x: Any, limits: Mapping[str, Any], may_be_nan: bool) -> None:
    if x.dtype.kind == "f":
        bad = np.isinf(x) if may_be_nan else ~np.isfinite(x)
        if bad.any():
            at = tuple(int(i) for i in np.argwhere(bad)[0])
            raise InputError(
                f"metric {metric!r} is {x[at]!s} in {int(bad.sum())} of {x.size} values, first at "
                f"{at if len(at) > 1 else at[0]}; expected finite numbers"
            )
    if metric in limits:
        low, high = limits[metric]
        bad = (x < low) | (x > high)  # nan, where allowed, is neither
        if bad.any():
            raise InputError(
                f"metric {metric!r} is {x[bad].flat[0]!s}, outside its declared range "
                f"[{low:g}, {high:g}]"
            )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


@contextlib.contextmanager
def _backend_defaults(array: str, device: str) -> Iterator[None]:
    """Make torch create float64 on the right device, so one study text serves both back ends."""
    if array != "torch":
        yield
        return
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with torch.device(device) if device != "cpu" else contextlib.nullcontext():
            yield
    finally:
        torch.set_default_dtype(before)


# ------------------------------------------------------------------------- a task of blocks


def run_blocks(
    payload: bytes, specs: Sequence[BlockSpec], array: str, device: str, parent: int
) -> tuple[list[BlockRow], list[BlockError]]:
    """Run a task: the finished rows and the failures, in block order. The workers' entry."""
    if os.getpid() != parent:
        os.environ["TLSTAT_WORKER"] = "1"  # a foreign pool did not run our initialiser
    rows: list[BlockRow] = []
    errors: list[BlockError] = []
    for item in iter_blocks(payload, specs, array, device):
        (rows if isinstance(item, BlockRow) else errors).append(item)  # type: ignore[arg-type]
    return rows, errors


def ready(payload: bytes) -> int:
    """Load the function and return the worker's process id: the time of a block starts after."""
    load(payload)
    time.sleep(0.01)  # leaves the next call to another worker
    return os.getpid()


def iter_blocks(
    payload: bytes | Job, specs: Sequence[BlockSpec], array: str, device: str
) -> Iterator[BlockRow | BlockError]:
    """Yield a row or an error for each block; stop when a cell has failed too often."""
    failed = 0
    for spec in specs:
        item = _guarded(payload, spec, array, device)
        yield item
        failed += isinstance(item, BlockError)
        if failed >= FAILURES_PER_CELL:
            return


def _guarded(
    payload: bytes | Job, spec: BlockSpec, array: str, device: str
) -> BlockRow | BlockError:
    try:
        limit_threads()
        fn, inner, allow_nan = load(payload) if isinstance(payload, bytes) else payload
        outer = getattr(_local, "inside", False)
        _local.inside = True
        start = time.perf_counter()
        try:
            schema, data = run_block(
                fn, spec.cell, spec.key, spec.size, array, device,
                inner=inner, allow_nan=allow_nan, ranges=spec.ranges,
            )  # fmt: skip
        finally:
            _local.inside = outer
        seconds = time.perf_counter() - start
    except (Exception, SystemExit) as error:
        kind = "invalid" if type(error) in (InputError, StudyError) else "exception"
        text = str(error) if kind == "invalid" else f"{type(error).__name__}: {error}"
        return spec.error(kind, text[:2000], traceback.format_exc()[-8000:])
    env = environment(array, device)
    crc = zlib.crc32(data)
    return BlockRow(spec.cell.canonical, spec.index, spec.size, schema, data, seconds, crc, env)


def inside_worker() -> bool:
    """Whether this code runs within a block: a nested run then stays serial."""
    return os.environ.get("TLSTAT_WORKER") == "1" or getattr(_local, "inside", False)


@functools.lru_cache(maxsize=32)
def environment(array: str, device: str) -> str:
    """What a block's last bits depend on, as JSON: versions, processor or device, threads."""
    from importlib.metadata import PackageNotFoundError, version

    from tlstat import __version__

    info: dict[str, Any] = {"tlstat": __version__, "python": platform.python_version()}
    info["numpy"] = np.__version__
    for package in ("scipy", "torch", "numba"):
        if package in sys.modules:
            with contextlib.suppress(PackageNotFoundError):
                info[package] = version(package)
    info.update(system=platform.system(), cpu=_processor(), array=array, device=device, threads=1)
    if device.startswith("cuda"):
        import torch

        info["gpu"] = torch.cuda.get_device_name(device)
    return json.dumps(info, sort_keys=True)


def _processor() -> str:
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
