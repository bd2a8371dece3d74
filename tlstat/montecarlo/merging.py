"""Merging stores: the shards of an array job, or two people's runs, into one file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass

from tlstat.errors import StoreError
from tlstat.montecarlo.store import Store, StoredStudy, changed, sound


@dataclass(frozen=True)
class Merged:
    """What a merge did: blocks added, and blocks that differ although their setting does not."""

    added: int
    conflicts: tuple[str, ...]


def merge(store: Store, paths: Iterable[str | os.PathLike[str]]) -> Merged:
    """Add the blocks of other stores to one, in one transaction; see `Store.merge`."""
    added, conflicts = 0, []
    with store._write():
        for path in paths:
            if os.path.realpath(path) == os.path.realpath(store.path):
                raise StoreError(f"{store.path}: a store cannot be merged into itself")
            with Store(path, readonly=True) as other:
                for head in other.studies():
                    came, differ = _absorb(store, other, head)
                    added += came
                    conflicts += differ
    return Merged(added, tuple(conflicts))


def _absorb(store: Store, other: Store, head: StoredStudy) -> tuple[int, list[str]]:
    ident = store._ident("study", name=head.name, version=head.version, entropy=str(head.entropy))
    known = store._fingerprints(ident)
    if changed(known, head.fingerprints):
        raise StoreError(
            f"{other.path}: {head.name} version {head.version} was made by other source than "
            f"in {store.path}; raise version= in one of them"
        )
    prints = sorted({*known, *head.fingerprints})
    store._db.execute(
        "UPDATE study SET fingerprints = ?, inner_axis = COALESCE(inner_axis, ?) WHERE id = ?",
        (json.dumps(prints), head.inner and head.inner[0], ident),
    )
    added, conflicts = 0, []
    cells = other._read("SELECT id FROM cell WHERE study = ? ORDER BY id", (head.id,))
    for (cell,) in list(cells):
        for row in filter(sound, other._rows(cell, "1", ())):
            outcome = store._put(ident, row)
            added += outcome is True
            if outcome is None:
                conflicts.append(f"{head.name} {row.cell} block {row.index}")
    return added, conflicts
