"""Identity: equal parameters are one block, unequal ones never; edits of the source are seen."""

import enum
import hashlib
import json
import math
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlstat.errors import InputError
from tlstat.montecarlo.design import grid, inner, paired
from tlstat.montecarlo.discovery import load_studies
from tlstat.montecarlo.identity import (
    canonical,
    encode,
    fingerprint,
    key128,
    same_source,
    stream_key,
)
from tlstat.montecarlo.study import study


class Colour(enum.Enum):
    RED = 1
    CRIMSON = 1
    BLUE = 2


class Level(enum.IntEnum):
    ONE = 1


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from([Colour.RED, Colour.BLUE, Level.ONE])
)
values = st.recursive(scalars, lambda inside: st.lists(inside, max_size=3).map(tuple), max_leaves=5)
params = st.dictionaries(st.text(max_size=4), values, max_size=4)


def model(value):
    """What a value means, written independently of its text: type class and exact value."""
    if isinstance(value, enum.Enum):
        return ("enum", type(value).__name__, value.name)
    if value is None or isinstance(value, bool):
        return ("const", value)
    if isinstance(value, int | float):
        return ("number", value)  # Python compares int and float exactly
    if isinstance(value, str):
        return ("text", value)
    return ("tuple", tuple(model(item) for item in value))


@pytest.mark.parametrize(
    "same",
    [
        [1, 1.0, np.int64(1), np.int8(1), np.float64(1), np.float32(1), np.uint64(1)],
        [0, -0.0, 0.0, np.float32(-0.0)],
        [True, np.bool_(True)],
        [10**16, 1e16],
        [0.1, np.float64(0.1)],
        [(1, "a"), [1.0, "a"]],
        [Colour.RED, Colour.CRIMSON],  # an alias is the same member
        ["x", np.str_("x")],
    ],
)
def test_equal_values_have_one_text(same):
    assert len({canonical({"p": value}) for value in same}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (0, False),
        (1, "1"),
        (True, "true"),
        (None, "null"),
        (0.1, np.float32(0.1)),
        (10**16, 10**16 + 1),
        (1e16, 10**16 + 1),
        (2**53, 2**53 + 1),
        (Colour.RED, Colour.BLUE),
        (Colour.RED, 1),
        (Level.ONE, 1),
        (Colour.RED, ("Colour", "RED")),
        (("a", "bc"), ("ab", "c")),
        ((1, (2, 3)), ((1, 2), 3)),
        ((1,), 1),
        ("é", "e\u0301"),
    ],
)
def test_unequal_values_have_two_texts(one, other):
    assert canonical({"p": one}) != canonical({"p": other})


@given(params, params)
def test_text_agrees_with_meaning(one, other):
    def meaning(cell):
        return {name: model(value) for name, value in cell.items()}

    assert (canonical(one) == canonical(other)) == (meaning(one) == meaning(other))


@given(params, st.randoms())
def test_order_of_parameters_is_no_identity(cell, random):
    items = list(cell.items())
    random.shuffle(items)
    assert canonical(dict(items)) == canonical(cell)


@given(st.dictionaries(st.text(max_size=4), scalars.filter(lambda v: not isinstance(v, enum.Enum))))
def test_text_survives_json(cell):
    text = canonical(cell)
    assert text.isascii()
    assert canonical(json.loads(text)) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_kept_to_the_last_bit(x):
    assert float(json.loads(canonical({"x": x}))["x"]) == x
    up = math.nextafter(x, math.inf)
    assert math.isinf(up) or up == x or canonical({"x": up}) != canonical({"x": x})


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        np.float64("nan"),
        (1, math.nan),
        np.zeros(2),
        object(),
        {1},
        1j,
    ],
)
def test_values_without_text_are_refused_by_name(value):
    with pytest.raises(InputError, match="'sigma"):
        canonical({"sigma": value})


def test_integers_too_long_for_text_and_names_that_are_none():
    with pytest.raises(InputError, match="text"):
        canonical({"n": 10**5000})
    with pytest.raises(InputError, match="not a string"):
        canonical({1: 2})


def test_encode_names_the_place_in_a_tuple():
    with pytest.raises(InputError, match=r"w\[1\]"):
        encode((1.0, math.inf), "w")


def test_key_is_the_documented_hash():
    # written out by hand, so that another language could follow the docstring
    raw = b""
    for part in (b"ab", b"c"):
        raw += len(part).to_bytes(8, "little") + part
    digest = hashlib.blake2b(raw, digest_size=16, person=b"tlstat-block-1").digest()
    assert key128("ab", "c") == int.from_bytes(digest, "little")


def test_published_keys_never_move():
    # a change here makes every published result irreproducible: then rename the hash's person
    assert key128("name", "1", "0", '{"n":100}', "100", "0") == 0x2280C56894C31269A8D3DFD8C9D71BC5


@given(st.lists(st.text(max_size=3), max_size=4), st.lists(st.text(max_size=3), max_size=4))
def test_keys_see_where_parts_end(one, other):
    assert (key128(*one) == key128(*other)) == (one == other)


def test_keys_use_all_their_bits():
    keys = [key128("block", str(i)) for i in range(2000)]
    ones = np.array([[key >> bit & 1 for bit in range(128)] for key in keys]).mean(axis=0)
    # 128 fair coins of 2000 throws: |share - 1/2| > 0.075 has probability below 3e-9 in all
    assert np.abs(ones - 0.5).max() < 0.075


def make(design, **options):
    options = {"replicates": 10, "name": "s.f", **options}
    return study(design, **options)(lambda cell, rng, size: {})


def test_stream_key_depends_on_identity_alone():
    cell = grid(n=[10, 20], S=3).cells[0]
    base = stream_key(make(grid(n=[10, 20], S=3)), cell, 0, 0)
    grown = make(grid(S=3, n=[5, 20, 10]), replicates=999, profiles={"paper": {"replicates": 5000}})
    assert stream_key(grown, cell, 0, 0) == base
    changed = [
        stream_key(make(grid(n=[10, 20], S=3), version=2), cell, 0, 0),
        stream_key(make(grid(n=[10, 20], S=3), name="s.g"), cell, 0, 0),
        stream_key(make(grid(n=[10, 20], S=3), block=50), cell, 0, 0),
        stream_key(make(grid(n=[10, 20], S=3)), cell, 1, 0),
        stream_key(make(grid(n=[10, 20], S=3)), cell, 0, 1),
        stream_key(make(grid(n=[10, 20], S=3)), cell.replace(n=20), 0, 0),
    ]
    assert len({base, *changed}) == 7


def test_paired_axes_share_streams_and_others_do_not():
    s = make(grid(n=[10, 20], method=paired(["a", "b"]), level=inner(["x", "y"])))
    keys = {(c.n, c.method): stream_key(s, c, 0, 0) for c in s.cells()}
    assert keys[10, "a"] == keys[10, "b"] != keys[20, "a"] == keys[20, "b"]


SOURCE = '''
import functools
from tlstat import study, grid
SHIFT = {shift}
def helper(x):
    {helper_comment}
    return x + {helper}
@functools.lru_cache
def cached(x):
    return x * {cached}
class Model:
    scale = {scale}
def unused():
    return {unused}
@study(grid(n=[1, 2]), replicates={replicates})
def f(cell, rng, size):
    """{doc}"""
    inner = lambda: cached(2)
    return {{"x": helper(rng.normal(size=size)) + SHIFT + Model.scale   +  inner()}}
'''
BASE = dict(
    shift=1, helper=1, helper_comment="# c", cached=1, scale=1, unused=1, replicates=10, doc="d"
)


def print_of(tmp_path, **changes):
    file = tmp_path / "sim_f.py"
    file.write_text(SOURCE.format(**{**BASE, **changes}))
    return fingerprint(load_studies(file)[0].fn)


@pytest.mark.parametrize("change", ["shift", "helper", "cached", "scale"])
def test_fingerprint_sees_what_the_function_reaches(tmp_path, change):
    assert print_of(tmp_path) != print_of(tmp_path, **{change: 22})


@pytest.mark.parametrize(
    "change",
    [
        {"doc": "another docstring"},
        {"helper_comment": "# another comment"},
        {"replicates": 2000},
        {"unused": 22},
    ],
)
def test_fingerprint_ignores_what_does_not_count(tmp_path, change):
    base = print_of(tmp_path)
    assert base == print_of(tmp_path, **change)
    assert base.startswith(f"{sys.version_info.major}.{sys.version_info.minor}:")


def test_fingerprint_is_the_same_in_another_process(tmp_path):
    base = print_of(tmp_path)
    code = f"""
        from tlstat.montecarlo.discovery import load_studies
        from tlstat.montecarlo.identity import fingerprint
        print(fingerprint(load_studies({str(tmp_path / "sim_f.py")!r})[0].fn))
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    assert subprocess.check_output(command, text=True).strip() == base


def test_fingerprint_without_source_is_unknown():
    space = {}
    exec("def f(cell, rng, size): return {}", space)
    assert fingerprint(space["f"]) == "unknown"
    assert fingerprint(len) == "unknown"


def test_fingerprint_sees_a_closure():
    def build(factor):
        def f(cell, rng, size):
            return factor

        return f

    assert fingerprint(build(1)) == fingerprint(build(1)) != fingerprint(build(2))


def test_fingerprints_of_two_pythons_are_not_compared():
    assert same_source("3.11:a", "3.12:b")
    assert same_source("unknown", "3.12:b")
    assert same_source("3.11:a", "3.11:a")
    assert not same_source("3.11:a", "3.11:b")
