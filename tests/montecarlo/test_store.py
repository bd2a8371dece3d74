"""The store: what was put comes back, faults lose nothing, foreign files are left alone."""

import dataclasses
import itertools
import os
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tlstat.errors import FingerprintError, InputError, StoreError
from tlstat.montecarlo import connection
from tlstat.montecarlo import store as store_module
from tlstat.montecarlo.design import grid, inner
from tlstat.montecarlo.store import Store, open_store, unpack
from tlstat.montecarlo.study import Exact, study
from tlstat.montecarlo.worker import BlockError, BlockRow

DESIGN = grid(n=[1, 2, 3])


def plain(cell, rng, size):
    return {"x": rng.normal(size=size)}


def edited(cell, rng, size):
    return {"x": rng.normal(size=size) + 1}


def make(fn=plain, design=DESIGN, **options):
    return study(design, **{"replicates": 40, "block": 10, "name": "s.f", **options})(fn)


def block(cell, index, values=None, seconds=0.5, env="{}"):
    if values is None:
        values = np.random.default_rng([cell.n, index]).normal(size=10)
    values = np.asarray(values)
    schema = (("x", values.dtype.newbyteorder("<").str, values.shape[1:], "sample"),)
    data = values.astype(schema[0][1]).tobytes()
    return BlockRow(
        cell.canonical, index, len(values), schema, data, seconds, zlib.crc32(data), env
    )


ROWS = [block(cell, index) for cell in DESIGN for index in range(4)]


def fill(path, rows=ROWS, s=None):
    with Store(path) as store:
        ident = store.register(s or make(), 0)
        store.put(ident, rows)
    return path


def content(store):
    """Everything that a store says, as a set that does not know the order of rows."""
    found = set()
    for head in store.studies():
        for params in store.sizes(head.id):
            for row in store.read(head.id, params):
                found.add((head.name, head.version, head.entropy, head.fingerprints, row))
    return found


def everything(path):
    with Store(path, readonly=True) as store:
        return content(store)


# round trip -----------------------------------------------------------------------------

dtypes = st.sampled_from(["<f8", "<f4", "<i8", "<i4", "|u1", "|b1", "<u2"])
shapes = st.tuples(st.sampled_from([0, 1, 7]), st.sampled_from([(), (1,), (3,)])).map(
    lambda pair: (pair[0], *pair[1])
)


@given(dtypes.flatmap(lambda d: hnp.arrays(d, shapes)), st.floats(0, 1e6), st.text(max_size=5))
def test_any_blob_comes_back_to_the_bit(values, seconds, env):
    cell = DESIGN.cells[0]
    row = block(cell, 0, values, seconds, env)
    with Store() as store:
        s = make(block=max(1, len(values)))
        ident = store.register(s, 0)
        store._sizes[ident][cell.canonical] = len(values)  # a study has no blocks of size 0
        store.put(ident, [row])
        assert store.read(ident, cell.canonical, 1) == [row]
        back = unpack(store.read(ident, cell.canonical)[0])["x"]
    assert (back.dtype, back.shape) == (values.dtype.newbyteorder("<"), values.shape)
    assert back.tobytes() == values.tobytes()  # nan payloads too


def test_several_metrics_and_exact_values_unpack():
    x, flag = np.arange(6.0).reshape(2, 3), np.array([True, False])
    exact = np.array([[1.0, 2.0], [0.1, 0.2]])
    schema = (
        ("x", "<f8", (3,), "sample"),
        ("flag", "|b1", (), "sample"),
        ("e", "<f8", (2,), "exact"),
    )
    data = x.tobytes() + flag.tobytes() + exact.tobytes()
    row = BlockRow("{}", 0, 2, schema, data, 0.0, zlib.crc32(data), "{}")
    found = unpack(row)
    assert np.array_equal(found["x"], x)
    assert np.array_equal(found["flag"], flag)
    assert found["e"] == Exact([1.0, 2.0], [0.1, 0.2])


def test_done_read_cost_and_studies(tmp_path):
    path = fill(tmp_path / "deep" / "r.sqlite", ROWS[:6])  # folders are made
    with Store(path) as store:
        ident = store.register(make(), 0)
        first, second = (cell.canonical for cell in DESIGN.cells[:2])
        assert store.done(ident) == {first: dict.fromkeys(range(4), 10), second: {0: 10, 1: 10}}
        assert store.read(ident, first, 2) == ROWS[:2]
        assert store.read(ident, DESIGN.cells[2].canonical) == []
        assert store.cost(ident) == {first: 0.5, second: 0.5}
        head = store.studies()[0]
    assert (head.name, head.version, head.entropy, head.inner) == ("s.f", 1, 0, None)
    assert (head.blocks, head.replicates, head.seconds, head.environments) == (6, 60, 3.0, 1)


def test_delivering_twice_keeps_the_first(tmp_path):
    path = fill(tmp_path / "r", ROWS)
    fill(path, [block(DESIGN.cells[0], 0, np.zeros(10)), *ROWS])
    with Store(path) as store:
        ident = store.register(make(), 0)
        assert [r for c in DESIGN for r in store.read(ident, c.canonical)] == ROWS


def test_identities_are_kept_apart():
    cell = DESIGN.cells[0]
    with Store() as store:
        variants = [
            (make(), 0),
            (make(), 1),
            (make(), 2**200),
            (make(version=2), 0),
            (make(name="s.g"), 0),
        ]
        idents = [store.register(s, entropy) for s, entropy in variants]
        for value, ident in enumerate(idents):
            store.put(ident, [block(cell, 0, np.full(10, float(value)))])
        back = [unpack(store.read(i, cell.canonical)[0])["x"][0] for i in idents]
        assert len(set(idents)) == 5
        assert back == [0, 1, 2, 3, 4]
        assert [s.entropy for s in store.studies()].count(2**200) == 1


def test_block_size_is_part_of_the_identity_and_may_differ_by_cell():
    sizes = {1: 10, 2: 20, 3: 5}
    with Store() as store:
        ident = store.register(make(block=lambda cell: sizes[cell.n]), 0)
        rows = [block(c, i, np.full(sizes[c.n], 1.0)) for c in DESIGN for i in range(2)]
        store.put(ident, rows)
        assert [set(d.values()) for d in store.done(ident).values()] == [{10}, {20}, {5}]
        # another size for one cell: its blocks are others, the rest is still there
        ident = store.register(make(block=lambda cell: 10 if cell.n == 2 else sizes[cell.n]), 0)
        assert list(store.done(ident)) == [DESIGN.cells[0].canonical, DESIGN.cells[2].canonical]
        store.put(ident, [block(DESIGN.cells[1], 0)])
        assert store.read(ident, DESIGN.cells[1].canonical) == [block(DESIGN.cells[1], 0)]


def test_inner_axis_is_known_without_the_source(tmp_path):
    design = grid(n=[1], level=inner(["a", "b"]))
    s = make(design=design)
    fill(tmp_path / "r", [block(design.cells[0], 0, np.zeros((10, 2)))], s)
    with Store(tmp_path / "r", readonly=True) as store:
        assert store.studies()[0].inner == ("level", ("a", "b"))


@pytest.mark.parametrize("name", ["'; DROP TABLE study; --", "../../x", "<script>", "Größe ∑ 研究"])
def test_hostile_names_are_only_names(tmp_path, name):
    fill(tmp_path / "r", ROWS, make(name=name))
    with Store(tmp_path / "r") as store:
        assert [s.name for s in store.studies()] == [name]
        assert store.done(store.register(make(name=name), 0))
    assert sorted(os.listdir(tmp_path)) == ["r"]


# failures -------------------------------------------------------------------------------


def test_failures_are_kept_until_the_block_succeeds():
    cell = DESIGN.cells[0]
    with Store() as store:
        ident = store.register(make(), 0)
        one = BlockError(cell.canonical, 0, "ab" * 16, "exception", "boom", "Traceback ...")
        two = BlockError(cell.canonical, 1, "cd" * 16, "died", "signal 9")
        for error in (two, one, BlockError(cell.canonical, 1, "0", "invalid", "old"), two):
            store.put_failure(ident, error)
        assert store.failures(ident) == [one, two]
        store.put(ident, [block(cell, 0)])
        assert store.failures(ident) == [two]


# fingerprints ---------------------------------------------------------------------------


def test_cheap_work_of_other_source_is_dropped_with_a_note(caplog):
    with Store() as store:
        ident = store.register(make(), 0)
        store.put(ident, ROWS)
        assert store.register(make(edited), 0) == ident
        assert store.done(ident) == {}
        assert "12 stored blocks" in store.notes[0]
        assert "12 stored blocks" in caplog.text
        # what is dropped is gone: going back finds nothing of the old
        store.put(ident, [block(DESIGN.cells[0], 0, np.ones(10))])
        store.register(make(), 0)
        assert store.done(ident) == {}


def test_expensive_work_of_other_source_stops_the_run():
    rows = [block(c, i, seconds=601 / 12) for c in DESIGN for i in range(4)]
    with Store() as store:
        ident = store.register(make(), 0)
        store.put(ident, rows)
        with pytest.raises(FingerprintError, match=r"12 blocks.*version=2.*--same-results") as said:
            store.register(make(edited), 0)
        assert said.value.study == "s.f"
        assert sum(map(len, store.done(ident).values())) == 12
        # both are the same from now on, in either order
        store.register(make(edited), 0, same_results=True)
        store.register(make(), 0)
        store.register(make(edited), 0)
        assert sum(map(len, store.done(ident).values())) == 12
        assert store.notes == []


def test_same_results_keeps_cheap_work_too():
    with Store() as store:
        ident = store.register(make(), 0)
        store.put(ident, ROWS)
        store.register(make(edited), 0, same_results=True)
        assert sum(map(len, store.done(ident).values())) == 12


def test_a_study_without_source_accuses_nobody(monkeypatch):
    with Store() as store:
        ident = store.register(make(), 0)
        store.put(ident, ROWS)
        for other in ("unknown", "2.7:abc"):
            monkeypatch.setattr(store_module, "fingerprint", lambda fn, other=other: other)
            store.register(make(), 0)
        assert len(store.done(ident)) == 3
        # and does not open the door to an edit afterwards
        monkeypatch.undo()
        store.register(make(edited), 0)
        assert store.done(ident) == {}


# merge ----------------------------------------------------------------------------------


@settings(max_examples=20)
@given(st.lists(st.lists(st.sampled_from(range(12)), max_size=12), min_size=2, max_size=3))
def test_merge_is_idempotent_and_knows_no_order(tmp_path_factory, parts):
    folder = tmp_path_factory.mktemp("merge")
    shards = [fill(folder / str(i), [ROWS[k] for k in part]) for i, part in enumerate(parts)]
    expected = {ROWS[k] for part in parts for k in part}
    outcomes = []
    for number, order in enumerate(itertools.permutations(shards)):
        out = folder / f"out{number}"
        with Store(out) as store:
            merged = store.merge(order)
            assert (merged.added, merged.conflicts) == (len(expected), ())
            assert store.merge(order).added == 0
            outcomes.append(content(store))
    # associative: two first, then the rest
    with Store(folder / "pair") as store:
        store.merge(shards[:2])
    with Store(folder / "rest") as store:
        store.merge([*shards[2:], folder / "pair"])
        outcomes.append(content(store))
    assert {entry[-1] for entry in outcomes[0]} == expected
    assert all(outcome == outcomes[0] for outcome in outcomes)


def test_merge_reports_blocks_that_should_be_equal(tmp_path):
    ours = fill(tmp_path / "a")
    other = fill(tmp_path / "b", [block(DESIGN.cells[1], 2, np.zeros(10)), ROWS[0]])
    elsewhere = fill(tmp_path / "c", [block(DESIGN.cells[1], 2, np.ones(10), env='{"cpu":"z"}')])
    with Store(ours) as store:
        merged = store.merge([other, elsewhere])
        assert merged.conflicts == ('s.f {"n":2} block 2',)  # another machine may differ
        ident = store.register(make(), 0)
        assert store.read(ident, DESIGN.cells[1].canonical)[2] == ROWS[6]


def test_merge_of_other_source_adds_nothing(tmp_path):
    good = fill(tmp_path / "good", ROWS[6:])
    bad = fill(tmp_path / "bad", ROWS[:1], make(edited))
    ours = fill(tmp_path / "ours", ROWS[:2])
    before = everything(ours)
    with Store(ours) as store:
        with pytest.raises(StoreError, match=r"bad: s\.f version 1 was made by other source"):
            store.merge([good, bad])
        with pytest.raises(StoreError, match="into itself"):
            store.merge([ours])
        with pytest.raises(StoreError, match="no such store"):
            store.merge([tmp_path / "none"])
    assert everything(ours) == before
    assert not (tmp_path / "none").exists()


# damage ---------------------------------------------------------------------------------


def flip(path, row):
    """Flip one bit in the stored bytes of a block."""
    raw = bytearray(path.read_bytes())
    at = raw.find(row.data[:24])
    assert at > 0
    raw[at + 5] ^= 1
    path.write_bytes(raw)


def test_flipped_byte_is_a_missing_block_that_is_computed_again(tmp_path):
    path = fill(tmp_path / "r")
    flip(path, ROWS[5])
    with sqlite3.connect(path) as db:  # SQLite itself does not see it
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    cell = DESIGN.cells[1].canonical
    with Store(path) as store:
        ident = store.register(make(), 0)
        assert store.done(ident)[cell] == {0: 10, 2: 10, 3: 10}
        assert [row.index for row in store.read(ident, cell)] == [0, 2, 3]
        store.put(ident, ROWS)
    with Store(path) as store:  # the replacement is really in the file
        ident = store.register(make(), 0)
        assert store.read(ident, cell) == ROWS[4:8]


def test_damaged_delivery_is_refused_whole():
    bad = ROWS[1]
    for broken in (
        dataclasses.replace(bad, crc=bad.crc ^ 1),
        dataclasses.replace(bad, size=11),
    ):
        with Store() as store:
            ident = store.register(make(), 0)
            with pytest.raises(StoreError, match="block 1 .*checksum"):
                store.put(ident, [ROWS[0], broken])
            assert store.done(ident) == {}
            store.put(ident, ROWS)  # nothing that was rolled back is still taken for stored
            assert [r for c in DESIGN for r in store.read(ident, c.canonical)] == ROWS


def refused(path, said, **options):
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StoreError, match=said) as caught:
        Store(path, **options)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert before is None or path.read_bytes() == before


@pytest.mark.parametrize("readonly", [False, True])
def test_foreign_files_are_left_alone(tmp_path, readonly):
    text = tmp_path / "notes.txt"
    text.write_text("my only copy\n" * 1000)
    refused(text, "not a tlstat store", readonly=readonly)
    other = tmp_path / "photos.db"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE block (x)")
    db.close()
    refused(other, "another program", readonly=readonly)
    named = tmp_path / "named.db"
    with sqlite3.connect(named) as db:
        db.execute("PRAGMA application_id = 77")
    db.close()
    refused(named, "another program", readonly=readonly)
    refused(tmp_path, "is a folder", readonly=readonly)
    assert sorted(os.listdir(tmp_path)) == ["named.db", "notes.txt", "photos.db"]


def test_newer_schema_is_refused(tmp_path):
    path = fill(tmp_path / "r")
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {connection.SCHEMA + 1}")
    db.close()
    refused(path, "newer tlstat")


@pytest.mark.parametrize("keep", [20, 100, 1024, 4096, 5000, 9000])
def test_truncated_file_is_one_clear_error(tmp_path, keep):
    path = fill(tmp_path / "r")
    whole = path.read_bytes()
    assert len(whole) > keep
    path.write_bytes(whole[:keep])

    def use():
        with Store(path) as store:
            store.done(store.register(make(), 0))

    with pytest.raises(StoreError, match="damaged|not a tlstat") as caught:
        use()
    assert str(path) in str(caught.value)
    assert path.read_bytes()[:keep] == whole[:keep]


def test_empty_file_becomes_a_store(tmp_path):
    (tmp_path / "r").touch()
    assert len(everything(fill(tmp_path / "r"))) == 12


def test_where_no_folder_can_be(tmp_path):
    (tmp_path / "file").write_text("x")
    refused(tmp_path / "file" / "r", "cannot be opened or made")
    refused(tmp_path / "none", "no such store", readonly=True)


# journal, writers, full disk --------------------------------------------------------------


def test_journal_is_wal_with_full_synchronisation_and_a_closed_store_is_one_file(tmp_path):
    with Store(tmp_path / "r") as store:
        assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)
        store.put(store.register(make(), 0), ROWS)
    assert os.listdir(tmp_path) == ["r"]
    assert len(everything(tmp_path / "r")) == 12


def test_without_shared_memory_the_rollback_journal_is_used():
    class NoWal:
        """A connection on a file system that refuses WAL: SQLite answers with the old mode."""

        asked = []

        def execute(self, sql):
            self.asked.append(sql)
            return type("Rows", (), {"fetchone": lambda _: ("delete",)})()

    connection._journal(NoWal(), 1.0)
    assert NoWal.asked == ["PRAGMA journal_mode = WAL", "PRAGMA journal_mode = DELETE"]


def test_two_connections_write_in_turn(tmp_path):
    with Store(tmp_path / "r") as one, Store(tmp_path / "r") as two:
        first, second = one.register(make(), 0), two.register(make(), 0)
        for i, row in enumerate(ROWS):
            (one if i % 2 else two).put(first, [row])
        assert first == second
        assert one.done(first) == two.done(second)
        assert sum(map(len, one.done(first).values())) == 12


def test_a_writer_that_never_ends_is_named(tmp_path):
    path = fill(tmp_path / "r", ROWS[:1])
    with Store(path, timeout=0.05) as store:
        ident = store.register(make(), 0)
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="in use by another process"):
            store.put(ident, ROWS)
        blocker.execute("ROLLBACK")
        blocker.close()
        store.put(ident, ROWS)
        assert sum(map(len, store.done(ident).values())) == 12


PRELUDE = """
import os, sys, zlib, resource
import numpy as np
from tlstat.errors import StoreError
from tlstat.montecarlo.design import grid
from tlstat.montecarlo.store import Store
from tlstat.montecarlo.study import study
from tlstat.montecarlo.worker import BlockRow
s = study(grid(n=[1]), replicates=10, block=1000, name="p.f")(lambda cell, rng, size: {})
cell = s.cells()[0].canonical
def block(index):
    data = np.full(1000, float(index)).tobytes()
    schema = (("x", "<f8", (), "sample"),)
    return BlockRow(cell, index, 1000, schema, data, 1.0, zlib.crc32(data), "{}")
path = sys.argv[1]
"""


def script(body):
    return [sys.executable, "-c", PRELUDE + textwrap.dedent(body)]


def stored(path):
    with Store(path) as store:
        head = store.studies()[0]
        return [(r.index, unpack(r)["x"][0]) for r in store.read(head.id, '{"n":1}')]


def test_two_processes_write_one_new_store(tmp_path):
    body = """
        with Store(path) as store:
            ident = store.register(s, 0)
            for i in range(int(sys.argv[2]), 300, 2):
                store.put(ident, [block(i), block(i - i % 2)])
    """
    path = tmp_path / "r"
    running = [subprocess.Popen([*script(body), str(path), str(k)]) for k in range(2)]
    assert [p.wait(60) for p in running] == [0, 0]
    assert stored(path) == [(i, float(i)) for i in range(300)]


def test_full_disk_is_one_error_and_loses_nothing(tmp_path):
    body = """
        store = Store(path)
        ident = store.register(s, 0)
        # Python ignores SIGXFSZ: beyond the limit a write fails, as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
        try:
            for i in range(1000):
                store.put(ident, [block(i)])
                print(i)
        except StoreError as error:
            print(error)
            store.close()
            sys.exit(7)
    """
    path = tmp_path / "r"
    done = subprocess.run([*script(body), str(path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 7, done.stderr
    *said, message = done.stdout.splitlines()
    assert str(path) in message
    assert "nothing was lost" in message
    assert len(said) > 10
    assert stored(path) == [(i, float(i)) for i in range(len(said))]
    # with room again, the same file goes on
    more = """
        with Store(path) as store:
            store.put(store.register(s, 0), [block(i) for i in range(100)])
    """
    assert subprocess.run([*script(more), str(path)], timeout=60).returncode == 0
    assert stored(path) == [(i, float(i)) for i in range(100)]


def test_a_killed_writer_loses_only_what_was_in_flight(tmp_path):
    body = """
        import signal
        store = Store(path)
        ident = store.register(s, 0)
        for i in range(20):
            store.put(ident, [block(i)])
        with store._write():
            store._put(ident, block(20))
            os.kill(os.getpid(), signal.SIGKILL)
    """
    path = tmp_path / "r"
    assert subprocess.run([*script(body), str(path)], timeout=60).returncode == -9
    assert stored(path) == [(i, float(i)) for i in range(20)]


def test_read_only_file_says_so_before_any_work():
    body = """
        if os.getuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)  # root may write anywhere: become nobody
        try:
            Store(path)
        except StoreError as error:
            print(error)
        with Store(path, readonly=True) as store:
            print(store.studies()[0].blocks)
            try:
                store.register(s, 1)
            except StoreError as error:
                print(error)
    """
    # not below tmp_path, where nobody but its owner may look
    with tempfile.TemporaryDirectory() as folder:
        path = fill(Path(folder) / "r")
        path.chmod(0o444)
        Path(folder).chmod(0o555)
        command = [*script(body), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        left = os.listdir(folder)
        Path(folder).chmod(0o755)
    assert done.returncode == 0, done.stderr
    first, blocks, last = done.stdout.splitlines()
    assert (blocks, str(path) in first, "read-only" in first) == ("12", True, True)
    assert "read-only" in last
    assert left == ["r"]


def test_open_store_takes_what_users_pass(tmp_path):
    with open_store(None) as store:
        assert store.path == ":memory:"
        assert open_store(store) is store
    with open_store(str(tmp_path / "r")) as store:
        assert store.studies() == []
    with pytest.raises(InputError, match="store is 3"):
        open_store(3)
