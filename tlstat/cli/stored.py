"""Judging from a store alone: nothing is simulated, and the store stays as it is."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tlstat.errors import InputError, StoreError

if TYPE_CHECKING:
    from tlstat.montecarlo.store import Store, StoredStudy
    from tlstat.montecarlo.study import Study
    from tlstat.theory.verdict import Verdicts


def snapshot(path: str, target: Path) -> None:
    """Copy a store, complete with what is still in its journal, into one new file.

    Raises
    ------
    StoreError
        If `path` is no store, or the copy cannot be written.
    """
    from tlstat.montecarlo.store import Store

    Store(path, readonly=True).close()  # says in one sentence what is wrong with it
    if target.exists():
        raise StoreError(f"{target}: exists already; it is not overwritten")
    target.parent.mkdir(parents=True, exist_ok=True)
    source = sqlite3.connect(f"{Path(path).resolve().as_uri()}?mode=ro", uri=True)
    try:
        source.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as error:
        raise StoreError(f"{path}: cannot be copied to {target}: {error}") from error
    finally:
        source.close()


def judge_stored(
    paths: Sequence[str],
    store: str,
    *,
    profile: str,
    entropy: int | None,
    **judging: Any,
) -> Verdicts:
    """Judge the claims of `paths` on the blocks that `store` holds.

    Parameters
    ----------
    paths : sequence of str
    store : str
    profile : str
        All its blocks must be there.
    entropy : int or None
        None takes the one that the store holds.
    **judging
        ``alpha``, ``control`` and ``select`` of :func:`tlstat.verify`.

    Raises
    ------
    InputError
        If blocks are missing, or the store holds several entropies and none was chosen.
    """
    from tlstat.montecarlo.store import Store
    from tlstat.verification import collect, verify

    families = collect(paths)
    studies = [s for family in families for s in family.chosen if s.claims]
    # judging registers the studies: that must not touch the store itself
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "store.sqlite"
        snapshot(store, copy)
        with Store(copy) as opened:
            chosen = _entropy(opened, store, studies) if entropy is None else entropy
            for study in studies:
                _require_blocks(opened, store, study, profile, chosen)
            return verify(
                list(paths),
                profile,
                opened,
                entropy=chosen,
                same_results=True,
                **judging,
            )


def _entropy(opened: Store, path: str, studies: Sequence[Study]) -> int:
    names = {s.name for s in studies}
    found = sorted({held.entropy for held in opened.studies() if held.name in names})
    if not found:
        raise InputError(f"{path}: holds none of the studies {', '.join(sorted(names))}")
    if len(found) > 1:
        raise InputError(
            f"{path}: holds results of several entropies ({', '.join(map(str, found))}); "
            "choose one with --entropy"
        )
    return found[0]


def _held(opened: Store, study: Study, entropy: int) -> StoredStudy | None:
    for held in opened.studies():
        if (held.name, held.version, held.entropy) == (study.name, study.version, entropy):
            return held
    return None


def _require_blocks(opened: Store, path: str, study: Study, profile: str, entropy: int) -> None:
    held = _held(opened, study, entropy)
    done = {} if held is None else opened.done(held.id)
    failed = set() if held is None else {(f.cell, f.index) for f in opened.failures(held.id)}
    wanted = study.blocks(profile)
    missing = sum(
        index not in done.get(cell.canonical, {}) and (cell.canonical, index) not in failed
        for cell, count in wanted.items()
        for index in range(count)
    )
    if missing:
        raise InputError(
            f"{path}: {missing} of {sum(wanted.values())} blocks of {study.name} (version "
            f"{study.version}, entropy {entropy}, profile {profile!r}) are missing; "
            f"`tlstat run {study.path or 'PATH'} --profile {profile} --store {path}` computes them"
        )
