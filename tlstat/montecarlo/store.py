"""The store: one SQLite file that keeps every finished block.

Only the parent process writes, each delivery in one transaction; nothing that is read back is
ever unpickled. A block is named by (study name, version, entropy, cell, block size, index).
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from tlstat.errors import FingerprintError, InputError, StoreError
from tlstat.montecarlo import connection
from tlstat.montecarlo.identity import UNKNOWN, fingerprint
from tlstat.montecarlo.study import Exact, Study
from tlstat.montecarlo.worker import BlockError, BlockRow, Schema

if TYPE_CHECKING:
    from tlstat.montecarlo.merging import Merged

logger = logging.getLogger("tlstat")

# what may be thrown away and computed again without asking, in seconds
_CHEAP = 600.0


@dataclass(frozen=True)
class StoredStudy:
    """What a store knows of one study under one version and one entropy."""

    id: int
    name: str
    version: int
    entropy: int
    inner: tuple[str, tuple[Any, ...]] | None
    fingerprints: tuple[str, ...]
    blocks: int
    replicates: int
    seconds: float
    failures: int
    environments: int


def unpack(row: BlockRow) -> dict[str, Any]:
    """Return the metrics of a block: arrays ``(size,)`` or ``(size, k)``, or `Exact`."""
    found: dict[str, Any] = {}
    offset = 0
    for metric, dtype, shape, kind in row.schema:
        full = (2, *shape) if kind == "exact" else (row.size, *shape)
        count = int(np.prod(full, dtype=np.int64))
        array = np.frombuffer(row.data, dtype=dtype, count=count, offset=offset).reshape(full)
        offset += array.nbytes
        found[metric] = Exact(array[0], array[1]) if kind == "exact" else array
    return found


def sound(row: BlockRow) -> bool:
    """Say whether a block is what was stored: its checksum and its length."""
    return _length(row.schema, row.size) == len(row.data) and zlib.crc32(row.data) == row.crc


@lru_cache(maxsize=256)
def _length(schema: Schema, size: int) -> int:
    """Return the bytes of a block."""
    total = 0
    for _, dtype, shape, kind in schema:
        first = 2 if kind == "exact" else size
        total += np.dtype(dtype).itemsize * first * int(np.prod(shape, dtype=np.int64))
    return total


@lru_cache(maxsize=256)
def _parse(columns: str) -> Schema:
    return tuple((m, d, tuple(shape), kind) for m, d, shape, kind in json.loads(columns))


class Store:
    """A result store; a context manager.

    Parameters
    ----------
    path : str or path
        A file, made where there is none, or ``":memory:"``.
    readonly : bool
        Open an existing file for reading only.
    timeout : float
        Seconds to wait for another process that is writing.

    Raises
    ------
    StoreError
        For a file that is no store, is damaged, or was written by a newer version; such a file is
        left as it is.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] = ":memory:",
        *,
        readonly: bool = False,
        timeout: float = 30.0,
    ) -> None:
        self.path = os.fspath(path)
        self.readonly = readonly
        self.notes: list[str] = []
        self._sizes: dict[int, dict[str, int]] = {}
        self._known: dict[tuple[Any, ...], int] = {}  # ids; such rows are never deleted
        self._db = connection.connect(self.path, readonly=readonly, timeout=timeout)

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Fold the journal into the file, so that a finished store is one file, and close it."""
        with suppress(sqlite3.Error):  # the blocks are safe in the journal too
            if not self.readonly:
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._db.close()

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """One transaction, all or nothing."""
        try:
            # IMMEDIATE: take the lock before reading, or two writers could both fail
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db
            self._db.execute("COMMIT")
        except BaseException as error:
            self._known.clear()  # some of them may be rolled back
            with suppress(sqlite3.Error):
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise connection.translate(error, self.path) from error
            raise

    def _read(self, sql: str, args: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self._db.execute(sql, args)
        except (sqlite3.Error, OverflowError) as error:
            raise connection.translate(error, self.path) from error

    def _ident(self, table: str, **key: Any) -> int:
        """Return the id of a row, made where there is none."""
        place = (table, *key.values())
        if place not in self._known:
            self._known[place] = self._look_up(table, key)
        return self._known[place]

    def _look_up(self, table: str, key: dict[str, Any]) -> int:
        names = list(key)
        marks = ", ".join("?" for _ in names)
        self._db.execute(
            f"INSERT OR IGNORE INTO {table} ({', '.join(names)}) VALUES ({marks})",
            list(key.values()),
        )
        where = " AND ".join(f"{name} = ?" for name in names)
        row = self._db.execute(f"SELECT id FROM {table} WHERE {where}", list(key.values()))
        return int(row.fetchone()[0])

    # -- studies ---------------------------------------------------------------------------

    def register(self, study: Study, entropy: int, *, same_results: bool = False) -> int:
        """Enter a study and return its id.

        When its source has changed under the same version: blocks that cost at most ten minutes
        are dropped, with a note; otherwise the run stops.

        Raises
        ------
        FingerprintError
            When blocks that cost more were made by other source, unless `same_results`.
        """
        now = fingerprint(study.fn)
        inner = None if study.design.inner is None else study.design.inner[0]
        with self._write():
            ident = self._ident(
                "study", name=study.name, version=study.version, entropy=str(entropy)
            )
            known = self._fingerprints(ident)
            if changed(known, [now]):
                known = self._settle(study, ident, known, same_results)
            if now not in known:
                known = [*known, now]
            self._db.execute(
                "UPDATE study SET fingerprints = ?, inner_axis = ? WHERE id = ?",
                (json.dumps(known), inner, ident),
            )
        self._sizes[ident] = {cell.canonical: study.block_size(cell) for cell in study.design}
        return ident

    def _fingerprints(self, ident: int) -> list[str]:
        rows = self._read("SELECT fingerprints FROM study WHERE id = ?", (ident,))
        return list(json.loads(next(rows)[0]))

    def _settle(self, study: Study, ident: int, known: list[str], same: bool) -> list[str]:
        """Decide what becomes of blocks made by other source; return what is still known."""
        blocks, seconds = self._totals(ident)
        if same and blocks:
            return known
        if seconds > _CHEAP:
            raise FingerprintError(
                f"{study.name} changed since {blocks:,} blocks of version {study.version} were "
                f"stored ({seconds / 60:.0f} minutes of work). If the change affects results, set "
                f"version={study.version + 1}; if it does not, run again with --same-results.",
                study=study.name,
            )
        cells = "(SELECT id FROM cell WHERE study = ?)"
        self._db.execute(f"DELETE FROM block WHERE cell IN {cells}", (ident,))
        self._db.execute("DELETE FROM failure WHERE study = ?", (ident,))
        if blocks:
            note = (
                f"{study.name} changed under version {study.version}: {blocks:,} stored blocks "
                f"({seconds:.0f} s of work) are computed again"
            )
            self.notes.append(note)
            logger.warning(note)
        return []

    def _totals(self, ident: int) -> tuple[int, float]:
        sql = (
            "SELECT COUNT(*), TOTAL(b.seconds) FROM block b JOIN cell c ON c.id = b.cell "
            "WHERE c.study = ?"
        )
        blocks, seconds = next(self._read(sql, (ident,)))
        return int(blocks), float(seconds)

    def studies(self) -> list[StoredStudy]:
        """Return what is stored, one entry a study, version and entropy."""
        heads = list(
            self._read(
                "SELECT id, name, version, entropy, inner_axis, fingerprints FROM study "
                "ORDER BY name, version, id"
            )
        )
        return [self._stored(*head) for head in heads]

    def _stored(
        self, ident: int, name: str, version: int, entropy: str, inner: str | None, prints: str
    ) -> StoredStudy:
        blocks, replicates, seconds, envs = next(
            self._read(
                "SELECT COUNT(*), TOTAL(b.size), TOTAL(b.seconds), COUNT(DISTINCT b.env) "
                "FROM block b JOIN cell c ON c.id = b.cell WHERE c.study = ?",
                (ident,),
            )
        )
        failed = next(self._read("SELECT COUNT(*) FROM failure WHERE study = ?", (ident,)))[0]
        axis = None
        if inner is not None:
            first = next(self._read("SELECT params FROM cell WHERE study = ?", (ident,)), None)
            axis = (inner, tuple(json.loads(first[0])[inner])) if first else (inner, ())
        return StoredStudy(
            ident, name, version, int(entropy), axis, tuple(json.loads(prints)), blocks,
            int(replicates), seconds, failed, envs,
        )  # fmt: skip

    def sizes(self, study_id: int) -> dict[str, int]:
        """Return the block size of each cell: as registered, else as last stored."""
        if study_id in self._sizes:
            return self._sizes[study_id]
        return dict(
            self._read("SELECT params, block FROM cell WHERE study = ? ORDER BY id", (study_id,))
        )

    # -- blocks ----------------------------------------------------------------------------

    def put(self, study_id: int, rows: Iterable[BlockRow]) -> None:
        """Store blocks in one transaction; a block that is there already is left alone.

        A stored block whose checksum is wrong is replaced; the failure of a block that is now
        delivered is forgotten.
        """
        with self._write():
            for row in rows:
                self._put(study_id, row)

    def _put(self, study_id: int, row: BlockRow) -> bool | None:
        """Store one block: True when it is new, None when another was there, else False."""
        if not sound(row):
            raise StoreError(
                f"{self.path}: block {row.index} of {row.cell} does not match its checksum or its "
                "length; it was not stored"
            )
        cell = self._ident("cell", study=study_id, params=row.cell, block=row.size)
        schema = json.dumps(row.schema, separators=(",", ":"))
        values = (
            cell, row.index, row.size, self._ident("env", info=row.env),
            self._ident("schema", columns=schema), row.seconds, row.crc, row.data,
        )  # fmt: skip
        columns = "cell, idx, size, env, schema, seconds, crc, data"
        sql = f"INTO block ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        self._db.execute(
            "DELETE FROM failure WHERE study = ? AND params = ? AND idx = ?",
            (study_id, row.cell, row.index),
        )
        if self._db.execute(f"INSERT OR IGNORE {sql}", values).rowcount:
            return True
        old = next(self._rows(cell, "b.idx = ?", (row.index,)))
        if not sound(old):
            self._db.execute(f"INSERT OR REPLACE {sql}", values)
            return True
        same = (old.schema, bytes(old.data)) == (row.schema, bytes(row.data))
        return None if not same and old.env == row.env else False

    def _rows(self, cell: int, condition: str, args: Sequence[Any]) -> Iterator[BlockRow]:
        sql = (
            "SELECT c.params, b.idx, b.size, s.columns, b.data, b.seconds, b.crc, e.info "
            "FROM block b JOIN cell c ON c.id = b.cell JOIN schema s ON s.id = b.schema "
            f"JOIN env e ON e.id = b.env WHERE b.cell = ? AND {condition} ORDER BY b.idx"
        )
        for params, idx, size, columns, data, seconds, crc, env in self._read(sql, (cell, *args)):
            yield BlockRow(
                cell=params, index=idx, size=size, schema=_parse(columns), data=data,
                seconds=seconds, crc=crc, env=env,
            )  # fmt: skip

    def _cell_id(self, study_id: int, params: str) -> int | None:
        size = self.sizes(study_id).get(params)
        sql = "SELECT id FROM cell WHERE study = ? AND params = ? AND block = ?"
        found = next(self._read(sql, (study_id, params, size)), None)
        return None if found is None else int(found[0])

    def read(self, study_id: int, canonical: str, n_blocks: int | None = None) -> list[BlockRow]:
        """Return the sound blocks of a cell, in order of their index.

        Parameters
        ----------
        study_id : int
        canonical : str
            The cell.
        n_blocks : int, optional
            Only blocks 0 .. n_blocks - 1.
        """
        cell = self._cell_id(study_id, canonical)
        if cell is None:
            return []
        limit = 2**62 if n_blocks is None else n_blocks
        return [row for row in self._rows(cell, "b.idx < ?", (limit,)) if sound(row)]

    def done(self, study_id: int) -> dict[str, dict[int, int]]:
        """Return, for each cell, the sound blocks as index -> size."""
        found: dict[str, dict[int, int]] = {}
        for params in self.sizes(study_id):
            cell = self._cell_id(study_id, params)
            rows = () if cell is None else self._rows(cell, "1", ())
            sizes = {row.index: row.size for row in rows if sound(row)}
            if sizes:
                found[params] = sizes
        return found

    def cost(self, study_id: int) -> dict[str, float]:
        """Return the mean seconds of a block, for each cell that has one."""
        sql = (
            "SELECT c.params, AVG(b.seconds) FROM block b JOIN cell c ON c.id = b.cell "
            "WHERE c.study = ? GROUP BY c.params"
        )
        return dict(self._read(sql, (study_id,)))

    # -- failures --------------------------------------------------------------------------

    def put_failure(self, study_id: int, error: BlockError) -> None:
        """Keep what replays a failed block; a newer failure of the block replaces it."""
        with self._write() as db:
            db.execute(
                "INSERT OR REPLACE INTO failure (study, params, idx, key, kind, message, traceback)"
                " VALUES (?,?,?,?,?,?,?)",
                (
                    study_id, error.cell, error.index, error.key, error.kind, error.message,
                    error.traceback,
                ),
            )  # fmt: skip

    def failures(self, study_id: int) -> list[BlockError]:
        """Return the failures that no later success has cleared."""
        sql = (
            "SELECT params, idx, key, kind, message, traceback FROM failure WHERE study = ? "
            "ORDER BY params, idx"
        )
        return [
            BlockError(cell=c, index=i, key=key, kind=kind, message=message, traceback=trace)
            for c, i, key, kind, message, trace in self._read(sql, (study_id,))
        ]

    # -- merging ---------------------------------------------------------------------------

    def merge(self, paths: Iterable[str | os.PathLike[str]]) -> Merged:
        """Add the blocks of other stores; those that are here already stay as they are.

        Returns
        -------
        Merged
            How many blocks came, and which ones differ from ours although they were made by the
            same versions on the same kind of machine: they should not.

        Raises
        ------
        StoreError
            For a file that is no store, or blocks of other source under one version; then nothing
            at all is added.
        """
        from tlstat.montecarlo.merging import merge

        return merge(self, paths)


def changed(known: Sequence[str], now: Sequence[str]) -> bool:
    """Say whether two sets of fingerprints that can be compared have nothing in common.

    Only fingerprints made by one Python version are compared, and an unknown source is no change.
    """
    before = {fp for fp in known if fp != UNKNOWN}
    after = {fp for fp in now if fp != UNKNOWN}
    versions = {fp.partition(":")[0] for fp in before} & {fp.partition(":")[0] for fp in after}
    return bool(versions) and not before & after


def open_store(store: Store | str | os.PathLike[str] | None) -> Store:
    """Return a store for what a user may pass: a `Store`, a path, or None (in memory)."""
    if isinstance(store, Store):
        return store
    if store is None:
        return Store(":memory:")
    if not isinstance(store, str | os.PathLike):
        raise InputError(f"store is {store!r}; expected a path, a Store or None")
    return Store(store)
