"""Published figures: ``fig_*.py`` files with ``STUDIES`` and ``draw(results)``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from tlstat.errors import InputError


def figure_files(paths: Sequence[str]) -> list[Path]:
    """The ``fig_*.py`` files that were named or lie in the folders that were named."""
    files: list[Path] = []
    for name in paths:
        path = Path(name)
        if not path.exists():
            raise InputError(f"{name}: no such file or folder")
        found = sorted(path.rglob("fig_*.py")) if path.is_dir() else [path]
        if not found:
            raise InputError(f"{name}: no fig_*.py in it")
        files += found
    return files


def draw_all(
    paths: Sequence[str],
    output: str,
    store: str,
    options: Mapping[str, Any],
    results: dict[str, Any],
) -> Iterator[Path]:
    """Draw every figure, yielding the files as they are written.

    Parameters
    ----------
    paths : sequence of str
    output : str
        The folder for PNG and SVG files.
    store : str
    options : mapping
        Keyword arguments of :func:`tlstat.run`.
    results : dict
        Filled with the results by study name: a study that two figures share is run once.

    Raises
    ------
    InputError
        Before anything is run, if a file is not a figure.
    """
    import tlstat
    from tlstat.montecarlo.store import Store
    from tlstat.plotting import save

    figures = [(file, *_load(file)) for file in figure_files(paths)]
    with Store(store) as opened:
        for file, module, studies in figures:
            for study in studies.values():
                if study.name not in results:
                    results[study.name] = tlstat.run(study, store=opened, **options)
            drawn = module.draw({key: results[s.name] for key, s in studies.items()})
            for suffix in (".png", ".svg"):
                yield save(drawn, Path(output) / (file.stem.removeprefix("fig_") + suffix))


def _load(file: Path) -> tuple[ModuleType, dict[str, Any]]:
    from tlstat.montecarlo.discovery import execute, load_studies

    module = execute(file)
    wanted = getattr(module, "STUDIES", None)
    if not isinstance(wanted, dict) or not callable(getattr(module, "draw", None)):
        raise InputError(
            f"{file}: is no figure; expected STUDIES = {{key: 'path.py::study'}} and draw(results)"
        )
    studies = {}
    for key, target in wanted.items():
        found = load_studies(str(file.parent / target))
        if len(found) != 1:
            raise InputError(f"{file}: STUDIES[{key!r}] = {target!r} names {len(found)} studies")
        studies[key] = found[0]
    return module, studies
