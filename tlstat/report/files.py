"""The files of a report: which verdicts are on which page, and the folder of the pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tlstat.errors import InputError

if TYPE_CHECKING:
    from tlstat.theory.verdict import Verdict, Verdicts


def by_file(verdicts: Sequence[Verdict]) -> dict[str, Verdicts]:
    """The verdicts of each study file, under a name that no other file has."""
    results = getattr(verdicts, "results", {})
    groups: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault(_file(verdict.study, results), []).append(verdict)
    names = _distinct(stem for _, stem in groups)
    parts = (_part(group, results) for group in groups.values())
    return dict(zip(names, parts, strict=True))


def _file(name: str, results: Mapping[str, Any]) -> tuple[str, str]:
    """The path and the stem of a study's file, as far as they are known."""
    path = getattr(getattr(results.get(name), "study", None), "path", None)
    # the default name of a study is its file's stem and its function
    return (path, Path(path).stem) if path else ("", name.partition(".")[0])


def _part(group: Sequence[Verdict], results: Mapping[str, Any]) -> Verdicts:
    from tlstat.theory.verdict import Verdicts

    studies = {v.study for v in group}
    own = {name: found for name, found in results.items() if name in studies}
    return Verdicts(group, failures=sum(len(r.failures) for r in own.values()), results=own)


def _distinct(stems: Iterable[str]) -> list[str]:
    """Names of files that differ on every file system, in the order of the stems."""
    taken: set[str] = set()
    names = []
    for stem in stems:
        base = re.sub(r"[^\w-]+", "-", stem)[:60] or "studies"
        choices = chain([base], (f"{base}-{i}" for i in count(2)))
        names.append(next(name for name in choices if name.casefold() not in taken))
        taken.add(names[-1].casefold())
    return names


def folder_of(target: Path) -> Path:
    """The folder of the pages, called as browsers call the folder of a page that they save."""
    return target.parent / f"{target.stem}_files"


def way_to(target: Path, name: str) -> str:
    """The link from the overview to a page."""
    return quote(f"{folder_of(target).name}/{name}.html")


def way_back(target: Path) -> str:
    """The link from a page to the overview."""
    return quote(f"../{target.name}")


def mark(target: Path) -> str:
    """What tells the pages of a report from other files, which are not ours to delete."""
    return f'<meta name="tlstat-overview" content="{way_back(target)}">'


def write(target: Path, text: str, pages: Mapping[str, str]) -> None:
    """Write a report and its pages, and remove those that an earlier report left behind.

    Raises
    ------
    InputError
        If a page would replace a file that is no page of this report; nothing is written then.
    """
    folder = folder_of(target)
    texts = {folder / f"{name}.html": page for name, page in pages.items()}
    for file in texts:
        if file.exists() and not _is_page(file, target):
            raise InputError(
                f"{file}: is no page of {target.name} and is not overwritten; "
                "move it, or give the report another name"
            )
    target.parent.mkdir(parents=True, exist_ok=True)
    if texts:
        target.open("a").close()  # what is wrong with its path is said before a page is written
        folder.mkdir(exist_ok=True)
    # the overview comes last: what it links to is there
    for file, page in {**texts, target: text}.items():
        file.write_text(page, encoding="utf-8")
    _tidy(target, {file.name.casefold() for file in texts})


def _tidy(target: Path, kept: set[str]) -> None:
    """Remove the pages of an earlier report, and the folder if that was all it held."""
    folder = folder_of(target)
    found = [file for file in folder.glob("*.html") if _is_page(file, target)]
    stale = [file for file in found if file.name.casefold() not in kept]
    for file in stale:
        file.unlink()
    if stale and not any(folder.iterdir()):
        folder.rmdir()


def _is_page(file: Path, target: Path) -> bool:
    """Whether the file was written as a page of the report."""
    if not file.is_file():
        return False
    with file.open("rb") as opened:
        return mark(target).encode() in opened.read(4096)  # it is in the head, before the style
