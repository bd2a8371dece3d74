"""Opening the SQLite file of a store: what is ours, what is foreign, what is damaged."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from urllib.parse import quote

from tlstat.errors import StoreError

APPLICATION = 0x746C7374  # "tlst", at a fixed place of the file's header
SCHEMA = 1  # raise with every change of the tables
_MAGIC = b"SQLite format 3\0"

_TABLES = """
CREATE TABLE study (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, version INTEGER NOT NULL, entropy TEXT NOT NULL,
    inner_axis TEXT, fingerprints TEXT NOT NULL DEFAULT '[]',
    created TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, UNIQUE (name, version, entropy));
CREATE TABLE cell (
    id INTEGER PRIMARY KEY, study INTEGER NOT NULL REFERENCES study, params TEXT NOT NULL,
    block INTEGER NOT NULL, UNIQUE (study, params, block));
CREATE TABLE env (id INTEGER PRIMARY KEY, info TEXT NOT NULL UNIQUE);
CREATE TABLE schema (id INTEGER PRIMARY KEY, columns TEXT NOT NULL UNIQUE);
CREATE TABLE block (
    cell INTEGER NOT NULL REFERENCES cell, idx INTEGER NOT NULL, size INTEGER NOT NULL,
    env INTEGER NOT NULL REFERENCES env, schema INTEGER NOT NULL REFERENCES schema,
    seconds REAL NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (cell, idx));
CREATE TABLE failure (
    study INTEGER NOT NULL REFERENCES study, params TEXT NOT NULL, idx INTEGER NOT NULL,
    key TEXT NOT NULL, kind TEXT NOT NULL, message TEXT NOT NULL, traceback TEXT NOT NULL,
    stored TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (study, params, idx))
"""


def connect(path: str, *, readonly: bool, timeout: float) -> sqlite3.Connection:
    """Open a store, or make one where there is no file.

    Raises
    ------
    StoreError
        Before anything is written, when the file is not a store that we can use.
    """
    _look(path, readonly)
    try:
        db = _open(path, readonly, timeout)
    except (sqlite3.Error, OSError) as error:
        raise translate(error, path) from error
    try:
        _admit(db, path)
        if not readonly:
            _prepare(db, path, timeout)
    except sqlite3.Error as error:
        db.close()
        raise translate(error, path) from error
    except BaseException:
        db.close()
        raise
    return db


def _look(path: str, readonly: bool) -> None:
    """Refuse by the first bytes what is not an SQLite file."""
    if path == ":memory:":
        return
    file = Path(path)
    try:
        if file.is_dir():
            raise StoreError(f"{path}: is a folder; a store is a file")
        if not file.exists():
            if readonly:
                raise StoreError(f"{path}: no such store")
            file.parent.mkdir(parents=True, exist_ok=True)
            return
        with file.open("rb") as handle:
            head = handle.read(len(_MAGIC))
    except OSError as error:
        raise StoreError(f"{path}: cannot be opened or made: {error.strerror}") from error
    if head and head != _MAGIC:
        raise StoreError(f"{path}: is not a tlstat store, nor any SQLite file; it was left alone")
    if not readonly and not os.access(file, os.W_OK):
        raise StoreError(f"{path}: is read-only; results cannot be stored there")


def _open(path: str, readonly: bool, timeout: float) -> sqlite3.Connection:
    if not readonly or path == ":memory:":
        return sqlite3.connect(path, timeout=timeout, isolation_level=None)
    uri = f"file:{quote(os.path.abspath(path))}?mode=ro"
    try:
        db = sqlite3.connect(uri, uri=True, timeout=timeout, isolation_level=None)
        db.execute("PRAGMA user_version").fetchone()
    except sqlite3.OperationalError:
        if os.path.exists(path + "-wal"):  # blocks may be in there: ignoring it would lose them
            raise
        # a medium where SQLite cannot make its lock file: nobody else can be writing either
        db = sqlite3.connect(uri + "&immutable=1", uri=True, isolation_level=None)
    return db


def _admit(db: sqlite3.Connection, path: str) -> None:
    """Refuse the files of other programs, newer stores and damaged ones."""
    application = db.execute("PRAGMA application_id").fetchone()[0]
    version = db.execute("PRAGMA user_version").fetchone()[0]
    tables = db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
    if application != APPLICATION and (application or version or tables):
        raise StoreError(f"{path}: is an SQLite file of another program; it was left alone")
    if version > SCHEMA:
        raise StoreError(
            f"{path}: was written by a newer tlstat (store schema {version}, this one reads up to "
            f"{SCHEMA}); update tlstat or name another file"
        )


def _prepare(db: sqlite3.Connection, path: str, timeout: float) -> None:
    _journal(db, timeout)
    # FULL survives a power cut, at 0.3 ms a transaction
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA journal_size_limit = 67108864")
    db.execute("BEGIN IMMEDIATE")
    try:
        # looked at again under the lock: another process may have made the tables meanwhile
        _admit(db, path)
        if db.execute("PRAGMA user_version").fetchone()[0] == 0:
            for statement in _TABLES.split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA application_id = {APPLICATION}")
            db.execute(f"PRAGMA user_version = {SCHEMA}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _journal(db: sqlite3.Connection, timeout: float) -> None:
    """Ask for a write-ahead log; file systems without shared memory keep the rollback journal."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        except sqlite3.OperationalError as error:
            # the change of mode does not wait for a lock by itself
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
            continue
        if mode not in ("wal", "memory"):
            db.execute("PRAGMA journal_mode = DELETE")
        return


def _code(error: BaseException) -> int:
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def translate(error: BaseException, path: str) -> StoreError:
    """Say in one sentence what an SQLite error means for the user of a store."""
    code = _code(error)
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        what = (
            "cannot be written, the disk may be full; the blocks stored before are intact, so "
            "nothing was lost: free some space and run the same command again"
        )
    elif code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        what = "is damaged or is not a tlstat store; move it away to start a new one"
    elif code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        what = "is in use by another process that does not finish its writing"
    elif code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        what = "is read-only; results cannot be stored there"
    elif code == sqlite3.SQLITE_CANTOPEN:
        what = "cannot be opened; check the folder and its permissions"
    else:
        what = "cannot be used"
    return StoreError(f"{path}: {what} ({error})")
