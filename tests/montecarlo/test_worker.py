"""One block: what is accepted, what is refused, what travels."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tlstat import Exact, grid, study
from tlstat.errors import InputError
from tlstat.montecarlo.design import Cell
from tlstat.montecarlo.discovery import load_studies
from tlstat.montecarlo.packing import load, pack
from tlstat.montecarlo.store import unpack
from tlstat.montecarlo.worker import (
    BlockRow,
    BlockSpec,
    encode,
    iter_blocks,
    run_block,
    run_blocks,
)


@pytest.mark.parametrize(
    "value",
    [
        np.linspace(0, 1, 4),
        np.arange(4),
        np.arange(4, dtype=np.uint8),
        np.array([True, False, True, True]),
        np.linspace(0, 1, 4).astype(np.float32),
        np.linspace(0, 1, 4).astype(">f8"),
        np.arange(8)[::2],
        [0.5, 1.0, 2.0, 3.0],
        torch.linspace(0, 1, 4),
        np.arange(8.0).reshape(4, 2),
    ],
    ids=str,
)
def test_what_is_encoded_comes_back(value: Any) -> None:
    schema, data = encode({"m": value}, 4, inner=2)
    row = BlockRow("{}", 0, 4, schema, data, 0.0, zlib.crc32(data), "{}")
    back = unpack(pickle.loads(pickle.dumps(row)))["m"]
    assert np.array_equal(back, np.asarray(value))
    assert back.dtype.str[0] in "<|"
    assert back.dtype.kind == np.asarray(value).dtype.kind


def test_exact_values_come_back_with_their_error() -> None:
    schema, data = encode({"a": Exact([1.0, 2.0], 0.5), "b": Exact(3.0)}, 0, inner=2)
    back = unpack(BlockRow("{}", 0, 0, schema, data, 0.0, 0, "{}"))
    assert back["a"] == Exact(np.array([1.0, 2.0]), np.array([0.5, 0.5]))
    assert back["b"] == Exact(3.0)


GOOD = np.zeros(4)


@pytest.mark.parametrize(
    ("result", "options", "says"),
    [
        (None, {}, "returned None"),
        ({}, {}, r"returned \{\}"),
        (GOOD, {}, "expected a dict"),
        ({1: GOOD}, {}, "metric named 1"),
        ({"m": 3.0}, {}, r"shape \(\); expected \(4,\)"),
        ({"m": np.zeros(5)}, {}, r"shape \(5,\); expected \(4,\)"),
        ({"m": np.zeros((4, 2))}, {}, r"shape \(4, 2\); expected \(4,\)"),
        ({"m": np.zeros((4, 3))}, {"inner": 2}, r"expected \(4,\) or \(4, 2\)"),
        ({"m": np.array(list("abcd"))}, {}, "dtype <U1"),
        ({"m": np.array([None] * 4)}, {}, "dtype object"),
        ({"m": np.zeros(4, complex)}, {}, "dtype complex128"),
        ({"m": np.array([0, np.inf, 0, 0])}, {}, "is inf in 1 of 4 values, first at 1"),
        ({"m": np.array([0, np.inf, 0, 0])}, {"allow_nan": ("m",)}, "is inf"),
        ({"m": GOOD + 2}, {"ranges": [("m", 0.0, 1.0)]}, r"is 2\.0, outside .* \[0, 1\]"),
        ({"m": GOOD}, {"ranges": [("other", 0.0, 1.0)]}, "ranges names 'other'"),
        ({"m": Exact([1.0, 2.0])}, {}, r"Exact with shape \(2,\)"),
        ({"m": Exact([1.0, 2.0, 3.0])}, {"inner": 2}, r"or shape \(2,\)"),
        ({"m": Exact(np.nan)}, {}, "is nan"),
        ({"m": Exact(1.0, np.inf)}, {}, "numerical error"),
    ],
)
def test_what_cannot_be_judged_is_refused(result: Any, options: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        encode(result, 4, **options)


def test_nan_is_accepted_where_it_is_declared() -> None:
    x = np.array([0.5, np.nan, 1.0, 0.0])
    schema, data = encode({"m": x}, 4, allow_nan=("m",), ranges=[("m", 0.0, 1.0)])
    assert np.array_equal(np.frombuffer(data, "<f8"), x, equal_nan=True)


def test_a_block_is_a_function_of_its_key() -> None:
    def draw(cell: Cell, rng: Any, size: int) -> dict[str, Any]:
        return {"x": rng.normal(cell.n, size=size)}

    one = run_block(draw, Cell({"n": 3}), 5, 7)
    assert one == run_block(draw, Cell({"n": 3}), 5, 7)
    assert one != run_block(draw, Cell({"n": 3}), 6, 7)
    assert one == run_block(draw, Cell({"n": 3}), 5, 7, "torch")


@study(grid(n=[1]), 20, block=10, name="worker.task")
def task(cell, rng, size):
    if rng.key == 2:
        raise SystemExit(3)
    return {"x": rng.normal(size=size)}


def test_a_task_returns_its_rows_around_an_error() -> None:
    import os

    specs = [BlockSpec(task.design.cells[0], i, i, 10) for i in range(4)]
    rows, errors = run_blocks(pack(task), specs, "numpy", "cpu", os.getpid())
    assert [row.index for row in rows] == [0, 1, 3]
    (error,) = errors
    assert (error.index, error.kind, error.message) == (2, "exception", "SystemExit: 3")
    assert error.key == f"{2:032x}"
    assert pickle.loads(pickle.dumps(error)) == error
    for row in rows:
        assert row.crc == zlib.crc32(row.data)
        assert row.seconds > 0
        assert json.loads(row.env)["numpy"] == np.__version__


def test_a_task_stops_when_its_cell_fails_too_often() -> None:
    specs = [BlockSpec(task.design.cells[0], i, 2, 10) for i in range(50)]
    assert len(list(iter_blocks(pack(task), specs, "numpy", "cpu"))) == 10


def test_the_payload_is_the_function_alone_and_cached() -> None:
    payload = pack(task)
    assert len(payload) < 3000
    assert b"Study" not in payload
    fn, inner, allow_nan = load(payload)
    assert (inner, allow_nan) == (None, ())
    assert load(bytes(bytearray(payload)))[0] is fn


def test_a_worker_of_a_numpy_study_imports_nothing_heavy() -> None:
    code = (
        "import os, pickle, sys\n"
        "from tlstat.montecarlo.worker import run_blocks\n"
        "payload, specs = pickle.loads(sys.stdin.buffer.read())\n"
        "rows, errors = run_blocks(payload, specs, 'numpy', 'cpu', 0)\n"
        "assert rows and not errors, errors\n"
        "heavy = {'torch', 'sympy', 'pandas', 'matplotlib', 'scipy.stats', 'sqlite3', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)), os.environ['TLSTAT_WORKER'])"
    )

    @study(grid(n=[1]), 20, block=10, name="worker.light")
    def light(cell, rng, size):
        return {"x": rng.normal(size=size)}

    # as from a notebook: by value, with no module to import
    light.fn.__module__ = "__main__"
    stdin = pickle.dumps((pack(light), [BlockSpec(light.design.cells[0], 0, 1, 10)]))
    out = subprocess.run(
        [sys.executable, "-c", code], input=stdin, capture_output=True, check=False
    )
    assert out.stdout.decode().split() == ["[]", "1"], out.stderr.decode()


def test_cached_helpers_of_a_file_travel(tmp_path: Path) -> None:
    """A worker cannot import a study's file, so what it caches travels by value as well."""
    file = tmp_path / "cached_study.py"
    file.write_text(
        "from functools import cache, lru_cache\n"
        "from tlstat import grid, study\n"
        "@lru_cache(maxsize=3)\n"
        "def base(n):\n"
        "    return 2.0 * n\n"
        "@cache\n"
        "def power(n):\n"
        "    return 1.0 if n == 0 else base(1) * power(n - 1)\n"
        "@study(design=grid(n=5), replicates=4, block=4)\n"
        "def powers(cell, rng, size):\n"
        "    return {'x': power(cell.n) + rng.normal(0.0, 1.0, size=size)}\n"
    )
    (study,) = load_studies(file)
    script = (
        "import pickle, sys\n"
        "fn = pickle.loads(sys.stdin.buffer.read())[0]\n"
        "from types import SimpleNamespace as S\n"
        "rng = S(normal=lambda *args, size: 0.0)\n"
        "assert fn(S(n=5), rng, 4) == {'x': 32.0}\n"
        "assert fn.__globals__['base'].cache_parameters()['maxsize'] == 3\n"
    )
    subprocess.run([sys.executable, "-c", script], input=pack(study), check=True, timeout=120)
