"""How the code of a study travels to a worker: pickled by value, with the modules beside its file.

What is pickled here is made and read in one run; nothing of it is ever stored.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
import os
import pickle
import sys
from collections.abc import Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any

from tlstat.errors import StudyError
from tlstat.montecarlo.study import Study

Job = tuple[Any, int | None, tuple[str, ...]]  # function, length of the inner axis, allow_nan

PAYLOAD_LIMIT = 1_000_000  # bytes: a payload travels with every task


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
