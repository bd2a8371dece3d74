"""Results: samples for the judge and frames for people hold the same numbers, in order."""

import enum
import json
import math
import zlib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlstat.errors import InputError
from tlstat.montecarlo.design import grid, inner, paired
from tlstat.montecarlo.frames import store_frame
from tlstat.montecarlo.results import Results
from tlstat.montecarlo.store import Store
from tlstat.montecarlo.study import Exact, study
from tlstat.montecarlo.worker import BlockRow, encode


class Kind(enum.Enum):
    SMALL = 1


DESIGN = grid(n=[1, 2], level=inner(["a", "b"]), rule=["x", "y"])


def make(design=DESIGN, replicates=30, **options):
    options = {"block": 10, "name": "s.f", **options}
    return study(design, replicates, **options)(lambda cell, rng, size: {})


def values(cell, index, size=10):
    rng = np.random.default_rng([len(cell.rule), cell.n, ord(cell.rule), index])
    z = rng.normal(size=(size, 2))
    return {"z": z, "hit": z[:, 0] > 0, "k": np.full((size, 2), index), "e": Exact([1.0, 2.0], 0.5)}


def row(cell, index, result=None, env="{}"):
    schema, data = encode(values(cell, index) if result is None else result, 10, inner=2)
    return BlockRow(cell.canonical, index, 10, schema, data, 0.5, zlib.crc32(data), env)


def finished(s, blocks=3, **options):
    rows = {c.canonical: [row(c, i) for i in range(blocks)] for c in s.design}
    return Results(s, rows, **options)


def test_samples_unroll_the_inner_axis_in_design_order():
    s = make()
    samples = finished(s).samples("z")
    assert [tuple(x.cell.values()) for x in samples] == [
        (n, level, rule) for n in (1, 2) for rule in "xy" for level in "ab"
    ]
    cell = s.design.cells[0]
    expected = np.concatenate([values(cell, i)["z"] for i in range(3)])
    assert np.array_equal(samples[0].values, expected[:, 0])
    assert np.array_equal(samples[1].values, expected[:, 1])
    assert {(x.replicates, x.block) for x in samples} == {(30, 10)}


def test_where_selects_after_unrolling():
    results = finished(make())
    picked = results.samples("z", {"level": "b", "n": lambda n: n > 1})
    assert [(x.cell.n, x.cell.level, x.cell.rule) for x in picked] == [(2, "b", "x"), (2, "b", "y")]
    with pytest.raises(InputError, match="where names 'm'"):
        results.samples("z", {"m": 1})
    with pytest.raises(InputError, match="no metric 'zz'; it has z, hit, k, e"):
        results.samples("zz")


def test_exact_metrics_and_ranges():
    results = finished(make(ranges={"z": (-50, 50)}))
    exact = results.samples("e", {"n": 1, "rule": "x"})
    assert [(x.exact, x.values, x.replicates) for x in exact] == [
        (Exact(1.0, 0.5), None, 0),
        (Exact(2.0, 0.5), None, 0),
    ]
    assert results.samples("z")[0].range == (-50.0, 50.0)
    assert results.samples("hit")[0].range == (0.0, 1.0)
    assert results.samples("k")[0].range == (-math.inf, math.inf)


def test_streams_are_equal_exactly_where_draws_are():
    s = make(grid(n=[1, 2], level=inner(["a", "b"]), rule=paired(["x", "y"])))
    streams = {tuple(x.cell.values()): x.stream for x in finished(s).samples("z")}
    assert len(set(streams.values())) == 2
    assert streams[1, "a", "x"] == streams[1, "b", "y"] != streams[2, "a", "x"]
    other = finished(s, entropy=1).samples("z")[0].stream
    assert other not in streams.values()


def test_only_an_unbroken_prefix_of_blocks_counts():
    s, cell = make(), DESIGN.cells[0]
    rows = {cell.canonical: [row(cell, i) for i in (3, 0, 1)]}
    results = Results(s, rows)
    assert [x.replicates for x in results.samples("z")] == [20, 20]
    assert results.samples("k")[0].values.tolist() == [0] * 10 + [1] * 10
    assert results.cells == (cell,)
    assert Results(s, {cell.canonical: [row(cell, 1)]}).samples("z") == []


def test_frame_has_a_row_a_replicate():
    results = finished(make())
    frame = results.to_frame()
    assert list(frame.columns) == ["n", "level", "rule", "replicate", "z", "hit", "k", "e"]
    assert len(frame) == 2 * 2 * 2 * 30
    assert frame["level"].dtype == "category"
    assert (frame["n"].dtype, frame["hit"].dtype, frame["k"].dtype.kind) == (np.int64, bool, "i")
    for sample in results.samples("z"):
        part = frame[np.logical_and.reduce([frame[p] == v for p, v in sample.cell.items()])]
        assert np.array_equal(part["z"], sample.values)
        assert part["replicate"].tolist() == list(range(30))
    assert frame.loc[frame["level"] == "b", "e"].eq(2.0).all()


def test_quick_frame_is_a_prefix_of_paper_frame():
    s = make(profiles={"paper": dict(replicates=100)})
    quick, paper = finished(s).to_frame(), finished(s, 10, profile="paper").to_frame()
    first = paper[paper["replicate"] < 30].reset_index(drop=True)
    pd.testing.assert_frame_equal(first, quick)


@given(st.permutations(range(12)), st.integers(0, 12))
def test_frame_does_not_depend_on_the_order_of_delivery(order, cut):
    s = make()
    every = [row(c, i) for c in s.design for i in range(3)]
    shuffled = {}
    for position in order:
        shuffled.setdefault(every[position].cell, []).append(every[position])
    pd.testing.assert_frame_equal(Results(s, shuffled).to_frame(), finished(s).to_frame())
    # and of the store: delivered in two transactions, in any order
    with Store() as store:
        ident = store.register(s, 0)
        store.put(ident, [every[i] for i in order[:cut]])
        store.put(ident, [every[i] for i in order[cut:]])
        rows = {c.canonical: store.read(ident, c.canonical, 3) for c in s.design}
    pd.testing.assert_frame_equal(Results(s, rows).to_frame(), finished(s).to_frame())


def test_summary_has_the_monte_carlo_error():
    results = finished(make())
    table = results.summary()
    assert list(table.columns) == [
        "n", "level", "rule", "metric", "mean", "mcse", "replicates", "exact_error",
    ]  # fmt: skip
    sample = results.samples("z")[2]
    line = table[
        (table.metric == "z") & (table.rule == "y") & (table.n == 1) & (table.level == "a")
    ]
    assert line["mean"].item() == pytest.approx(sample.values.mean(), rel=1e-14)
    expected = math.sqrt(((sample.values - sample.values.mean()) ** 2).sum() / 29 / 30)
    assert line["mcse"].item() == pytest.approx(expected, rel=1e-12)
    exact = table[table.metric == "e"].iloc[0]
    assert (exact["mean"], exact["mcse"], exact["replicates"], exact["exact_error"]) == (
        1,
        0,
        0,
        0.5,
    )


def test_summary_counts_undefined_replicates_out():
    s = make(grid(n=[1]), allow_nan=("x",))
    arrays = {s.design.cells[0]: {"x": np.array([1.0, math.nan, 3.0])}}
    line = Results.from_arrays(s, arrays).summary().iloc[0]
    assert (line["mean"], line["replicates"]) == (2.0, 2)


def test_exact_study_gives_one_row_a_cell():
    s = make(grid(n=[1, 2]), replicates=0)
    results = Results.from_arrays(s, {c: {"v": Exact(c.n / 2)} for c in s.design})
    frame = results.to_frame()
    assert frame.to_dict("list") == {"n": [1, 2], "replicate": [0, 0], "v": [0.5, 1.0]}


def test_from_arrays_refuses_a_cell_that_is_none():
    s = make(grid(n=[1]))
    with pytest.raises(InputError, match="no cell of"):
        Results.from_arrays(s, {grid(n=[2]).cells[0]: {"x": np.zeros(2)}})


def test_parameters_of_any_kind_in_a_frame(tmp_path):
    design = grid(kind=[Kind.SMALL], shape=[(1, 2)], big=10**30, flag=[True, False], none=None)
    s = make(design)
    results = Results.from_arrays(s, {c: {"x": np.arange(2.0)} for c in s.design})
    frame = results.to_frame()
    assert frame["kind"].tolist() == ["SMALL"] * 4
    assert frame["shape"].tolist() == ["[1,2]"] * 4
    assert frame["flag"].dtype == bool
    assert frame["big"].iloc[0] == 1e30
    assert frame["none"].tolist() == ["null"] * 4
    results.to_csv(tmp_path / "x.csv")
    assert pd.read_csv(tmp_path / "x.csv")["x"].tolist() == [0, 1, 0, 1]


def test_csv_keeps_every_bit(tmp_path):
    results = finished(make())
    results.to_csv(tmp_path / "x.csv")
    texts = pd.read_csv(tmp_path / "x.csv", dtype=str)["z"]
    assert np.array_equal([float(text) for text in texts], results.to_frame()["z"])


def test_parquet_or_the_extra_that_is_missing(tmp_path, monkeypatch):
    results = finished(make())
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        with pytest.raises(InputError, match=r"tlstat\[parquet\]"):
            results.to_parquet(tmp_path / "x.parquet")
    else:
        results.to_parquet(tmp_path / "x.parquet")
        back = pd.read_parquet(tmp_path / "x.parquet")
        assert np.array_equal(back["z"], results.to_frame()["z"])


def test_a_metric_with_the_name_of_a_parameter_is_refused():
    s = make(grid(n=[1]))
    with pytest.raises(InputError, match="metric 'n'"):
        Results.from_arrays(s, {s.design.cells[0]: {"n": np.zeros(2)}}).to_frame()


def test_empty_results_have_empty_frames():
    results = Results(make(), {})
    assert len(results.to_frame()) == len(results.summary()) == 0
    assert results.samples("anything") == []
    assert results.metrics == ()


def test_hostile_names_are_escaped_in_html():
    name = "<script>alert(1)</script>"
    s = make(grid(rule=["<b>bold</b>"]), name=name)
    results = Results.from_arrays(s, {s.design.cells[0]: {"<i>": np.zeros(3)}})
    page = results._repr_html_()
    assert "<script>" not in page
    assert "<b>" not in page
    assert "<i>" not in page
    assert "&lt;script&gt;" in page


def test_provenance_says_which_block_came_from_where():
    s, cell = make(), DESIGN.cells[0]
    old, new = json.dumps({"numpy": "2.0"}), json.dumps({"numpy": "2.1"})
    rows = {cell.canonical: [row(cell, i, env=env) for i, env in enumerate([old, new, old])]}
    failure = SimpleNamespace(message="boom")
    results = Results(s, rows, failures=[failure])
    assert results.provenance == [{"numpy": "2.0"}, {"numpy": "2.1"}]
    assert results.environments == {cell: [0, 1, 0]}
    assert results.seconds == 1.5
    assert results.failures == [failure]
    assert Results(s, rows, seconds=9.0).seconds == 9.0
    assert "1 failed blocks" in repr(results)


def test_store_frame_needs_no_source():
    s = make()
    with Store() as store:
        ident = store.register(s, 0)
        store.put(ident, [row(c, i, env='{"a":1}') for c in s.design for i in range(3)])
        frame = store_frame(store, ident)
        with pytest.raises(InputError, match="no study 99"):
            store_frame(store, 99)
    expected = finished(s).to_frame()
    assert sorted(frame["z"]) == sorted(expected["z"])
    assert set(frame["environment"]) == {'{"a":1}'}
    one = frame[(frame.n == 2) & (frame.level == "b") & (frame.rule == "y")].sort_values("block")
    other = expected[(expected.n == 2) & (expected.level == "b") & (expected.rule == "y")]
    assert one["z"].tolist() == other["z"].tolist()
