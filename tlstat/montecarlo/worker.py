"""What runs in a worker: one task of blocks, each checked, errors returned as data.

An exception class that does not survive pickling would break a whole process pool, so nothing
but plain rows and `BlockError` crosses the border between processes.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
import json
import os
import pickle
import platform
import signal
import sys
import threading
import time
import traceback
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from tlstat.backend import Random, to_numpy
from tlstat.errors import InputError, StudyError
from tlstat.montecarlo.design import Cell
from tlstat.montecarlo.study import Exact, Study

Schema = tuple[tuple[str, str, tuple[int, ...], str], ...]
Job = tuple[Any, int | None, tuple[str, ...]]  # function, length of the inner axis, allow_nan

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
PAYLOAD_LIMIT = 1_000_000  # bytes: a payload travels with every task
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


# --------------------------------------------------------------------------- how code travels


@functools.lru_cache(maxsize=8)
def load(payload: bytes) -> Job:
    """The function, the length of the inner axis and ``allow_nan``; made in this very run."""
    return pickle.loads(payload)


def job(study: Study) -> Job:
    """What a worker needs of a study; in this process it is used as it is."""
    inner = study.design.inner
    return study.fn, None if inner is None else len(inner[1]), study.allow_nan


def pack(study: Study) -> bytes:
    """Pickle a study's function by value, with the modules that lie beside its file.

    Only the function travels, not the claims: a worker need not import what they need.

    Raises
    ------
    StudyError
        Above 1 MB, naming the largest globals; or where something cannot be pickled.
    """
    try:
        payload = _dumps_by_value(job(study), study.path)
    except Exception as error:  # pickling runs arbitrary __reduce__ methods
        raise StudyError(
            f"{study.name} cannot be sent to a worker ({type(error).__name__}: {error}); "
            "expected a function whose globals can be pickled",
            study=study.name,
        ) from error
    if len(payload) > PAYLOAD_LIMIT:
        sizes = sorted(_global_sizes(study.fn, study.path).items(), key=lambda item: -item[1])
        largest = ", ".join(f"{name} ({size / 1e6:.1f} MB)" for name, size in sizes[:3])
        raise StudyError(
            f"{study.name} takes {len(payload) / 1e6:.1f} MB to send to a worker, at most "
            f"{PAYLOAD_LIMIT / 1e6:.0f} MB are allowed; the largest globals are {largest}: build "
            "them inside a function with functools.lru_cache",
            study=study.name,
        )
    return payload


def _dumps_by_value(thing: Any, path: str | None) -> bytes:
    import cloudpickle

    already = cloudpickle.list_registry_pickle_by_value()
    registered = []
    for module in _siblings(path):
        if module.__name__ not in already:
            cloudpickle.register_pickle_by_value(module)
            registered.append(module)
    try:
        buffer = io.BytesIO()
        _pickler()(buffer).dump(thing)
        return buffer.getvalue()
    finally:
        for module in registered:
            cloudpickle.unregister_pickle_by_value(module)


@functools.cache
def _pickler() -> Any:
    import cloudpickle

    class Pickler(cloudpickle.Pickler):
        """Cached functions of a study's file travel by value too, with empty caches.

        cloudpickle leaves them to pickle, which looks them up by a name that a worker lacks.
        """

        def reducer_override(self, obj: Any) -> Any:
            if isinstance(obj, functools._lru_cache_wrapper):
                home = obj.__wrapped__.__module__
                if home == "__main__" or home in cloudpickle.list_registry_pickle_by_value():
                    return _cached, (obj.__wrapped__, obj.cache_parameters())
            return super().reducer_override(obj)

    return Pickler


def _cached(function: Any, parameters: Mapping[str, Any]) -> Any:
    return functools.lru_cache(**parameters)(function)


def _siblings(path: str | None) -> list[ModuleType]:
    """Loaded modules from the study's folder: a worker elsewhere could not import them."""
    if path is None:
        return []
    folder = os.path.dirname(os.path.abspath(path))
    if "site-packages" in folder:
        return []
    own = __name__.partition(".")[0]
    return [
        module
        for name, module in list(sys.modules.items())
        if name != "__main__"
        and name.partition(".")[0] != own
        and getattr(module, "__name__", None) == name
        and os.path.dirname(os.path.abspath(getattr(module, "__file__", None) or "/-")) == folder
    ]


def _global_sizes(fn: Any, path: str | None) -> dict[str, int]:
    """Pickled sizes of what `fn` and the functions it names refer to."""
    sizes: dict[str, int] = {}
    seen: set[int] = set()
    todo = [inspect.unwrap(fn)]
    while todo:
        current = todo.pop()
        if id(current) in seen or not isinstance(current, FunctionType):
            continue
        seen.add(id(current))
        cells = zip(current.__code__.co_freevars, current.__closure__ or (), strict=True)
        reached = {name: box.cell_contents for name, box in cells}
        reached |= {
            name: current.__globals__[name]
            for name in _names(current.__code__)
            if name in current.__globals__
        }
        for name, value in reached.items():
            if isinstance(value, FunctionType):
                todo.append(value)
            else:
                with contextlib.suppress(Exception):
                    sizes[name] = len(_dumps_by_value(value, path))
    return sizes


def _names(code: CodeType) -> set[str]:
    nested = (const for const in code.co_consts if isinstance(const, CodeType))
    return set(code.co_names).union(*(_names(const) for const in nested))


# ---------------------------------------------------------------------- threads and orphans


def limit_threads() -> None:
    """Hold BLAS, OpenMP and torch to one thread, for good; cheap when nothing new was imported.

    The number of threads changes sums in their last bits, so every block runs on one.
    """
    loaded = len(sys.modules)
    if getattr(_local, "modules", None) == loaded:
        return
    import threadpoolctl

    threadpoolctl.threadpool_limits(1)
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() != 1:
        torch.set_num_threads(1)
    _local.modules = len(sys.modules)


@contextlib.contextmanager
def single_thread() -> Iterator[None]:
    """Hold this process to one thread while a run is in it, and restore what was before."""
    import threadpoolctl

    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    torch = sys.modules.get("torch")
    torch_threads = torch.get_num_threads() if torch is not None else None
    # for libraries that a block will load: limits reach only what is loaded
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        with threadpoolctl.threadpool_limits(1):
            limit_threads()
            yield
    finally:
        _local.modules = None
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        if torch is not None and torch_threads is not None:
            torch.set_num_threads(torch_threads)


def initialise(parent: int) -> None:
    """Start a worker: mark it, ignore Ctrl-C (the parent decides), watch for the parent's end."""
    os.environ["TLSTAT_WORKER"] = "1"
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(parent,), daemon=True, name="tlstat-watchdog").start()


def _watch(parent: int) -> None:
    """End this process when its parent is gone: pools leave orphans after a SIGKILL."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)
