"""Studies: everything that can be wrong is said at declaration, with the name and the place."""

import math
import sys

import numpy as np
import pytest

from tlstat.errors import InputError
from tlstat.montecarlo.design import Cell, grid, inner
from tlstat.montecarlo.study import Exact, Study, load_studies, study, vectorise


def make(design=None, replicates=250, **options):
    @study(design or grid(n=[10, 20, 40]), replicates, **options)
    def demo(cell, rng, size):
        """What it shows."""
        return {"x": rng.normal(size=size)}

    return demo


# declaration ----------------------------------------------------------------------------


def test_study_keeps_what_was_declared_and_stays_callable():
    s = make(model=lambda cell: cell.n * 2, claims=["claim"], version=3)
    assert s.name == "test_study.demo"
    assert s.doc == "What it shows."
    assert s.path == __file__
    assert (s.claims, s.version, s.replicates) == (("claim",), 3, 250)
    assert s.build_model(Cell({"n": 4})) == 8
    assert make().build_model(Cell({"n": 4})) is None
    rng = type("Rng", (), {"normal": staticmethod(lambda size: np.zeros(size))})
    assert s(s.cells()[0], rng, 3)["x"].shape == (3,)
    with pytest.raises(AttributeError):
        s.version = 4
    assert "3 cells, 250 replicates, 1 claims" in repr(s)


def test_blocks_are_whole_and_rounded_up():
    s = make(block=100, profiles={"paper": {"replicates": 1001}})
    assert set(s.blocks().values()) == {3}
    assert set(s.blocks("paper").values()) == {11}
    assert set(s.blocks("paper", replicates=100).values()) == {1}
    assert set(s.blocks("full").values()) == {3}  # not declared: as the base


def test_block_may_depend_on_the_cell_and_is_evaluated_once():
    calls = []

    def block(cell):
        calls.append(cell)
        return 400 // cell.n

    s = make(block=block)
    assert [s.block_size(cell) for cell in s.cells()] == [40, 20, 10]
    assert list(s.blocks().values()) == [7, 13, 25]
    assert len(calls) == 3


def test_quick_is_a_prefix_of_paper():
    s = make(
        profiles={
            "quick": dict(replicates=100, where={"n": [10, 20]}),
            "paper": dict(replicates=5000),
        }
    )
    quick, paper = s.blocks("quick"), s.blocks("paper")
    assert set(quick) < set(paper)
    assert list(paper)[: len(quick)] == list(quick)
    assert all(quick[cell] <= paper[cell] for cell in quick)


@pytest.mark.parametrize("key", ["block", "version", "design", "n", "replicate"])
def test_a_profile_may_not_override_identity(key):
    with pytest.raises(InputError, match=rf"'paper' sets '{key}'"):
        make(profiles={"paper": {key: 10}})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (dict(replicates=-1), "replicates is -1"),
        (dict(replicates=2.0), "replicates is 2.0"),
        (dict(replicates=True), "replicates is True"),
        (dict(version=0), "version is 0"),
        (dict(block=0), "block for Cell"),
        (dict(block=lambda cell: cell.n / 3), "block for Cell"),
        (dict(design=[1, 2]), "expected grid"),
        (dict(model=3), "model is 3"),
        (dict(claims="rate"), "list of claims"),
        (dict(allow_nan="x"), "tuple of metric names"),
        (dict(ranges={"x": (1, 0)}), "range of 'x'"),
        (dict(ranges={"x": (0, math.nan)}), "range of 'x'"),
        (dict(ranges={"x": 3}), "range of 'x'"),
        (dict(ranges={"x": lambda cell: (cell.n, 20)}), "range of 'x'"),
        (dict(profiles={"paper": 3}), "'paper' is 3"),
        (dict(profiles={"paper": dict(replicates=0)}), "replicates is 0"),
        (dict(profiles={"paper": dict(where={"n": 11})}), "keeps no cell"),
        (dict(profiles={"paper": dict(where={"m": 11})}), "where names 'm'"),
        (dict(replicates=0, profiles={"paper": dict(replicates=5)}), "study is exact"),
        (dict(name=""), "expected a text"),
        (dict(name="a\nb"), "printable"),
        (dict(name="a\ud800"), "printable"),
        (dict(name="x" * 201), "200"),
    ],
)
def test_declarations_are_refused(options, said):
    with pytest.raises(InputError, match=said):
        make(**options)


def test_a_profile_cannot_cut_the_inner_axis():
    with pytest.raises(InputError, match="inner axis 'level'"):
        make(
            design=grid(n=[1], level=inner(["a", "b"])),
            profiles={"paper": dict(where={"level": "a"})},
        )


def test_unknown_profile_lists_those_there_are():
    with pytest.raises(InputError, match="'papper'; it has quick, paper, full, tiny"):
        make(profiles={"tiny": dict(replicates=1)}).cells("papper")


def test_ranges_by_cell():
    s = make(ranges={"x": lambda cell: (0, cell.n), "y": (0, math.inf)})
    assert s.range_of("x", s.cells()[1]) == (0.0, 20.0)
    assert s.range_of("y", s.cells()[1]) == (0.0, math.inf)
    assert s.range_of("z", s.cells()[1]) == (-math.inf, math.inf)


def test_exact_study_is_one_block_of_size_zero():
    s = make(replicates=0)
    assert s.exact
    assert set(s.blocks("paper", replicates=50).values()) == {1}
    assert s.block_size(s.cells()[0]) == 0


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "'; DROP TABLE study; --", "<script>", "Größe ∑", "a.b.c", "%s"]
)
def test_hostile_names_are_only_names(name):
    assert make(name=name).name == name


# exact and vectorise --------------------------------------------------------------------


def test_exact_holds_a_number_or_an_axis():
    assert Exact(1).value == 1.0
    assert Exact([1, 2], 0.1) == Exact(np.array([1.0, 2.0]), 0.1)
    assert Exact(1) != Exact(1, 0.5)
    assert hash(Exact(1)) == hash(Exact(1.0))


@pytest.mark.parametrize(
    "args", [(np.zeros((2, 2)),), (1.0, [0.1, 0.2]), (1.0, -0.1), (1.0, math.nan)]
)
def test_exact_refuses(args):
    with pytest.raises(InputError, match="Exact"):
        Exact(*args)


def test_vectorise_stacks_and_keeps_the_name():
    @vectorise
    def one(cell, rng):
        """Doc."""
        return {"x": next(rng), "flag": True}

    out = one(Cell({"n": 1}), iter(range(5)), 4)
    assert out["x"].tolist() == [0, 1, 2, 3]
    assert out["flag"].dtype == bool
    assert (one.__name__, one.__doc__) == ("one", "Doc.")


def test_vectorise_refuses_metrics_that_come_and_go():
    @vectorise
    def one(cell, rng):
        return {"x": 1} if next(rng) < 2 else {"y": 1}

    with pytest.raises(InputError, match="replicate 2"):
        one(Cell({"n": 1}), iter(range(5)), 4)


# loading --------------------------------------------------------------------------------

GOOD = """
from tlstat import study, grid
@study(grid(n=[1]), replicates=10)
def {one}(cell, rng, size):
    return {{"x": rng.normal(size=size)}}
@study(grid(n=[1]), replicates=10)
def {two}(cell, rng, size):
    return {{"x": rng.normal(size=size)}}
"""


def write(folder, name, text=GOOD, **names):
    folder.mkdir(parents=True, exist_ok=True)
    names = {"one": "one", "two": "two", **names}
    (folder / name).write_text(text.format(**names) if text is GOOD else text)
    return folder / name


def test_load_file_folder_and_one(tmp_path):
    write(tmp_path, "sim_b.py")
    write(tmp_path / "deep", "my_study.py")
    write(tmp_path, "other.py")
    write(tmp_path / ".hidden", "sim_c.py")
    assert [s.name for s in load_studies(tmp_path / "other.py")] == ["other.one", "other.two"]
    found = [s.name for s in load_studies(tmp_path)]
    assert found == ["my_study.one", "my_study.two", "sim_b.one", "sim_b.two"]
    assert [s.name for s in load_studies(f"{tmp_path}/sim_b.py::two")] == ["sim_b.two"]
    assert [s.name for s in load_studies(f"{tmp_path}/sim_b.py::sim_b.one")] == ["sim_b.one"]
    assert all(isinstance(s, Study) for s in load_studies(str(tmp_path)))


def test_imported_studies_and_aliases_are_not_collected_twice(tmp_path):
    write(tmp_path, "sim_origin.py")
    text = GOOD.format(one="own", two="second") + "alias = own\n"
    text = "from sim_origin import one\n" + text
    file = write(tmp_path, "sim_importer.py", text)
    sys.path.append(str(tmp_path))
    try:
        assert [s.fn.__name__ for s in load_studies(file)] == ["own", "second"]
    finally:
        sys.path.remove(str(tmp_path))
        sys.modules.pop("sim_origin", None)


def test_edited_file_is_loaded_anew(tmp_path):
    file = write(tmp_path, "sim_edit.py")
    load_studies(file)
    write(tmp_path, "sim_edit.py", one="longer_name")
    assert load_studies(file)[0].name == "sim_edit.longer_name"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\nprint(\n", r"sim_x\.py:2: SyntaxError"),
        ("x = 1\n\nx / 0\n", r"sim_x\.py:3: ZeroDivisionError: division"),
        ("import not_there_at_all\n", r"sim_x\.py:1: ModuleNotFoundError"),
        ("raise SystemExit(3)\n", r"sim_x\.py:1: SystemExit: 3"),
        ("\nfrom tlstat import grid\ngrid(n=[])\n", r"sim_x\.py:3: axis 'n' is empty"),
        ("", "no study found"),
        ("x = 1", "no study found"),
    ],
)
def test_broken_and_empty_files_say_where(tmp_path, text, said):
    file = write(tmp_path, "sim_x.py", text)
    before = set(sys.modules)
    with pytest.raises(InputError, match=said) as caught:
        load_studies(file)
    assert "\n" not in str(caught.value)
    assert not [m for m in set(sys.modules) - before if "sim_x" in m and "Error" in said]


def test_what_is_not_there(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_studies(tmp_path / "none.py")
    with pytest.raises(InputError, match=r"sim_\*\.py"):
        load_studies(tmp_path)
    file = write(tmp_path, "sim_x.py")
    with pytest.raises(InputError, match=r"no study 'three'; it has sim_x\.one, sim_x\.two"):
        load_studies(f"{file}::three")


def test_two_files_of_one_stem_are_refused_with_both_paths(tmp_path):
    write(tmp_path / "a", "sim_x.py")
    write(tmp_path / "b", "sim_x.py")
    with pytest.raises(InputError, match=r"'sim_x.one': in .*a/sim_x\.py and in .*b/sim_x\.py"):
        load_studies(tmp_path)
    # each alone is fine, and they do not disturb one another
    assert load_studies(tmp_path / "a")[0].path != load_studies(tmp_path / "b")[0].path


def test_two_studies_of_one_name_in_a_file_are_refused(tmp_path):
    text = GOOD.format(one="one", two="two").replace("replicates=10", "replicates=10, name='n'")
    with pytest.raises(InputError, match="two studies are named 'n'"):
        load_studies(write(tmp_path, "sim_x.py", text))
