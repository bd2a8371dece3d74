"""Designs: grids that are the same on every machine, cells that cannot be misread."""

import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlstat.errors import InputError
from tlstat.montecarlo.design import Cell, geometric, grid, inner, matches, paired, unroll

positive = st.floats(1e-100, 1e100)


# geometric ------------------------------------------------------------------------------


def test_geometric_integers_and_floats():
    assert geometric(100, 1_000_000, 5) == (100, 1000, 10_000, 100_000, 1_000_000)
    assert all(type(n) is int for n in geometric(1e2, 1e6, 9))
    assert geometric(0.1, 10.0, 3) == (0.1, 1.0, 10.0)
    assert geometric(1, 10, 30) == tuple(range(1, 11))  # repeats are dropped
    assert geometric(1000, 1, 4) == (1000, 100, 10, 1)
    assert geometric(7, 7, 1) == (7,)
    assert geometric(1, 10**15, 2) == (1, 10**15)


@pytest.mark.parametrize("ends", [(1e2, 1e6), (0.5, 3.7), (1e-8, 1.0), (3.0, 7e5)])
@pytest.mark.parametrize("num", [2, 9, 33])
def test_geometric_does_not_hang_on_the_last_bit(ends, num):
    a, b = ends
    m, k = num - 1, np.arange(num)
    formulas = [
        10 ** (np.log10(a) + (np.log10(b) - np.log10(a)) * k / m),
        a * (b / a) ** (k / m),
        np.exp(np.log(a) + (np.log(b) - np.log(a)) * k / m),
        np.geomspace(a, b, num),
        np.array([float(a) ** ((m - j) / m) * float(b) ** (j / m) for j in k]),
    ]
    for values in formulas:
        rounded = [float(f"{v:.12g}") for v in values]
        if float(a).is_integer() and float(b).is_integer():
            rounded = list(dict.fromkeys(round(v) for v in rounded))
        assert tuple(rounded) == geometric(a, b, num)


@given(positive, positive, st.integers(2, 40))
def test_geometric_is_monotone_has_its_ends_and_is_rounded(a, b, num):
    values = geometric(a, b, num)
    assert values[0] == pytest.approx(a, rel=1e-11)
    assert values[-1] == pytest.approx(b, rel=1e-11)
    assert list(values) == sorted(set(values), reverse=a > b)
    if all(isinstance(v, float) for v in values):
        assert all(float(f"{v:.12g}") == v for v in values)
        assert geometric(values[0], values[-1], num)[0] == values[0]


@given(st.integers(1, 10**18), st.integers(1, 10**18), st.integers(2, 40))
def test_geometric_integers_keep_exact_ends(a, b, num):
    values = geometric(a, b, num)
    assert (values[0], values[-1]) == (a, b)
    assert all(type(v) is int for v in values)
    assert list(values) == sorted(set(values), reverse=a > b)
    assert len(values) <= num


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((0, 10, 3), "start"),
        ((1, -1, 3), "stop"),
        ((1, math.inf, 3), "stop"),
        ((math.nan, 1, 3), "start"),
        ((True, 10, 3), "start"),
        ((1, 10, 0), "num"),
        ((1, 10, 2.0), "num"),
        ((1, 10, True), "num"),
        ((1, 10, 1), "num"),
    ],
)
def test_geometric_refuses(args, said):
    with pytest.raises(InputError, match=said):
        geometric(*args)


# cells ----------------------------------------------------------------------------------


def test_cell_reads_both_ways_and_is_frozen():
    cell = grid(n=[100], level=inner(["a", "b"]), S=np.int64(5)).cells[0]
    assert cell["n"] == cell.n == 100
    assert cell.level == ("a", "b")
    assert type(cell.S) is int
    assert dict(cell) == {"n": 100, "level": ("a", "b"), "S": 5}
    for attempt in (
        lambda: setattr(cell, "n", 1),
        lambda: delattr(cell, "n"),
        lambda: cell.__setitem__("n", 1),
    ):
        with pytest.raises((AttributeError, TypeError)):
            attempt()
    assert cell.n == 100


def test_misspelt_parameter_lists_those_there_are():
    cell = Cell({"n": 1, "delta": 0.1})
    with pytest.raises(AttributeError, match=r"'detla'.*n, delta"):
        _ = cell.detla
    with pytest.raises(KeyError, match=r"'detla'.*n, delta"):
        _ = cell["detla"]
    assert cell.get("detla") is None
    assert cell.get("detla", 3) == 3


def test_cells_are_equal_by_meaning_and_hash_alike():
    assert Cell({"n": 100, "S": 1}) == Cell({"S": 1.0, "n": 1e2})
    assert len({Cell({"n": 100}), Cell({"n": 1e2}), Cell({"n": np.float64(100)})}) == 1
    assert Cell({"n": 1}) != Cell({"n": True})
    assert Cell({"n": 1}) == {"n": 1.0}
    assert Cell({"n": 1}) != {"n": math.nan}
    assert Cell({"n": 1}) != 1


def test_cell_copies_and_travels():
    cell = Cell({"n": 1, "w": [1, 2]})
    for twin in (pickle.loads(pickle.dumps(cell)), copy.deepcopy(cell), copy.copy(cell)):
        assert twin == cell
        assert twin.w == (1, 2)
    assert cell.replace(n=2).n == 2
    assert cell.without("w") == {"n": 1}
    assert repr(cell) == "Cell(n=1, w=(1, 2))"


# grids ----------------------------------------------------------------------------------


def test_grid_crosses_axes_with_the_last_running_fastest():
    design = grid(n=[1, 2], m=range(2), S=7)
    assert [(c.n, c.m, c.S) for c in design] == [(1, 0, 7), (1, 1, 7), (2, 0, 7), (2, 1, 7)]
    assert design.axes == {"n": (1, 2), "m": (0, 1), "S": (7,)}
    assert design.inner is None
    assert design.paired == frozenset()


def test_inner_axis_stays_whole_until_it_is_unrolled():
    design = grid(n=[1, 2], level=inner(["a", "b", "c"]))
    assert len(design) == 2
    assert design.inner == ("level", ("a", "b", "c"))
    assert design.axes["level"] == ("a", "b", "c")
    parts = unroll(design.cells[1], design.inner)
    assert [(c.n, c.level) for c in parts] == [(2, "a"), (2, "b"), (2, "c")]
    assert unroll(design.cells[0], None) == [design.cells[0]]


def test_paired_axes_are_listed():
    assert grid(n=[1], method=paired(["a", "b"])).paired == {"method"}


def test_an_axis_of_tuples_and_scalars_of_any_kind():
    design = grid(shape=[(1, 2), (3, 4)], name="text", flag=True, none=None, zero=np.array(2.5))
    assert [c.shape for c in design] == [(1, 2), (3, 4)]
    assert design.cells[0].name == "text"
    assert design.cells[0].zero == 2.5


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        (dict(n=[]), "'n' is empty"),
        (dict(n=np.zeros((2, 2))), "shape"),
        (dict(n=[1, 1.0]), "twice"),
        (dict(n=np.array([0.5, 0.5])), "twice"),
        (dict(n=[1, math.nan]), "'n'"),
        (dict(n=math.inf), "'n'"),
        (dict(n={1, 2}), "set"),
        (dict(n={"a": 1}), "dict"),
        (dict(a=inner([1]), b=inner([2])), "at most one inner"),
        (dict(_n=1), "reserved"),
        (dict(items=1), "reserved"),
        (dict(replicate=1), "reserved"),
        ({"not a name": 1}, "not a name"),
        ({"lambda": 1}, "not a name"),
    ],
)
def test_grid_refuses(axes, said):
    with pytest.raises(InputError, match=said):
        grid(**axes)


@pytest.mark.parametrize("mark", [inner, paired])
def test_marked_axes_refuse_what_is_no_axis(mark):
    with pytest.raises(InputError, match="empty"):
        mark([])
    with pytest.raises(InputError, match="expected a list"):
        mark("abc")


def test_designs_join():
    design = grid(n=[1, 2], S=1) + grid(S=[2], n=3)
    assert [(c.n, c.S) for c in design] == [(1, 1), (2, 1), (3, 2)]
    assert design.axes == {"n": (1, 2, 3), "S": (1, 2)}


def test_joining_names_the_cell_that_is_there_twice():
    with pytest.raises(InputError, match=r"twice: Cell\(n=2"):
        grid(n=[1, 2]) + grid(n=[2.0, 3])


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (grid(m=[1]), "same parameters"),
        (grid(n=inner([3, 4])), "same inner axis"),
        (grid(n=paired([3, 4])), "same paired"),
    ],
)
def test_joining_refuses_designs_that_differ_in_kind(other, said):
    with pytest.raises(InputError, match=said):
        grid(n=[1, 2]) + other
    with pytest.raises(TypeError):
        grid(n=[1]) + 1


# where ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (None, True),
        ({}, True),
        ({"n": 100}, True),
        ({"n": 1e2}, True),
        ({"n": [1, 100]}, True),
        ({"n": np.array([1, 100])}, True),
        ({"n": {1, 2}}, False),
        ({"n": range(50, 150)}, True),
        ({"n": lambda n: n > 100}, False),
        ({"n": lambda n: np.bool_(n > 10)}, True),
        ({"flag": 1}, False),
        ({"flag": True}, True),
        ({"pair": (1, 2)}, True),
        ({"pair": [(1, 2), (3, 4)]}, True),
        ({"pair": [1, 2, 3]}, False),
        ({"n": 100, "flag": False}, False),
    ],
)
def test_matches(where, expected):
    assert matches(Cell({"n": 100, "flag": True, "pair": (1, 2)}), where) is expected


def test_where_with_an_unknown_name_is_never_ignored():
    # not even where an earlier condition already fails
    with pytest.raises(InputError, match=r"'m'.*n"):
        matches(Cell({"n": 1}), {"n": 2, "m": 1})
