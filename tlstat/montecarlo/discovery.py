"""Finding studies: files and folders given as pytest takes them."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType

from tlstat.errors import InputError
from tlstat.montecarlo.study import Study

_PATTERNS = ("sim_*.py", "*_study.py")


def load_studies(path: str | os.PathLike[str]) -> list[Study]:
    """Load the studies of a file, of a folder, or one study.

    Parameters
    ----------
    path : str or path
        A file; a folder, searched for ``sim_*.py`` and ``*_study.py`` below it; or
        ``"file.py::name"`` with the name of the function or of the study.

    Returns
    -------
    list of Study
        Files in alphabetical order, studies in the order of their definition.

    Raises
    ------
    InputError
        For a path that does not exist, a file that does not load (with its line), nothing found,
        or two studies of one name.
    """
    text, _, wanted = os.fspath(path).partition("::")
    target = Path(text)
    if not target.exists():
        raise InputError(f"{text}: no such file or folder")
    files = _files(target)
    studies = [found for file in files for found in _load(file)]
    if wanted:
        names = ", ".join(s.name for s in studies)
        studies = [s for s in studies if wanted in (s.name, s.fn.__name__)]
        if not studies:
            raise InputError(f"{text}: no study {wanted!r}; it has {names or 'none'}")
    if not studies:
        what = " or ".join(_PATTERNS) + " with a study in it" if target.is_dir() else "study"
        raise InputError(f"{text}: no {what} found; decorate a function with @study(...)")
    check_names(studies)
    return studies


def check_names(studies: list[Study]) -> None:
    """Refuse two different studies of one name: they would share streams and stored blocks."""
    seen: dict[str, Study] = {}
    for one in studies:
        other = seen.setdefault(one.name, one)
        if other is not one:
            raise InputError(
                f"two studies are named {one.name!r}: in {other.path} and in {one.path}; "
                "give one of them another name="
            )


def _files(target: Path) -> list[Path]:
    if target.is_file():
        return [target]
    found = {file for pattern in _PATTERNS for file in target.rglob(pattern)}
    hidden = {f for f in found if any(p.startswith(".") for p in f.relative_to(target).parts)}
    return sorted(found - hidden)


def _load(file: Path) -> list[Study]:
    module = execute(file)
    own = [
        value
        for value in vars(module).values()
        # studies that a file imports from elsewhere are collected there
        if isinstance(value, Study) and value.fn.__module__ == module.__name__
    ]
    return list(dict.fromkeys(own))


def execute(file: Path) -> ModuleType:
    """Execute a file as a module of its own, under a name that no other file has."""
    real = file.resolve()
    digest = hashlib.blake2b(os.fsencode(real), digest_size=6).hexdigest()
    name = f"tlstat_sim_{digest}_{real.stem}"
    spec = importlib.util.spec_from_file_location(name, real)
    if spec is None or spec.loader is None:
        raise InputError(f"{file}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(name)
    sys.modules[name] = module  # before execution: dataclasses and pickle look it up
    if str(real.parent) not in sys.path:
        sys.path.append(str(real.parent))  # helpers beside the file; at the end, to hide nothing
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        if before is not None:
            sys.modules[name] = before
        raise InputError(_describe(error, file, real)) from error
    return module


def _describe(error: BaseException, file: Path, real: Path) -> str:
    """Say in one line where in the file it went wrong."""
    if isinstance(error, SyntaxError) and error.filename == str(real):
        return f"{file}:{error.lineno}: SyntaxError: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(real)]
    where = f"{file}:{lines[-1]}" if lines else str(file)
    kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
    message = " ".join(str(error).split())
    return f"{where}: {kind}{message}".rstrip(": ")
