"""What is imported when: starting must stay quick, and workers small."""

import importlib
import subprocess
import sys

import pytest

HEAVY = ["torch", "cvxpy", "sympy", "matplotlib", "pandas", "sklearn", "numba", "scipy.stats"]


def loaded(code: str) -> list[str]:
    """The heavy modules that a fresh interpreter has loaded after running `code`."""
    script = f"{code}\nimport sys\nprint('LOADED', *(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.rpartition("LOADED")[2].split()


def test_importing_tlstat_is_light():
    assert loaded("import tlstat") == []


def test_the_probe_sees_a_heavy_import():
    assert loaded("import sympy") == ["sympy"]


LIGHT = [["--help"], ["--version"], ["verify", "--help"], ["certify", "--help"]]
LIGHT += [["value-of-target", "--help"]]


@pytest.mark.parametrize("arguments", LIGHT, ids=" ".join)
def test_help_is_light(arguments):
    code = f"""
from tlstat.cli import main
try:
    main({arguments!r})
except SystemExit as stop:
    assert stop.code == 0
"""
    assert loaded(code) == []


def test_public_names_resolve():
    import tlstat

    for name in tlstat.__all__:
        assert getattr(tlstat, name) is not None, name
    assert set(tlstat.__all__) <= set(dir(tlstat))
    with pytest.raises(AttributeError, match="no attribute 'stduy'"):
        tlstat.stduy  # noqa: B018


ROOMS = ["knowledge_transfer", "certificates", "minimax", "transfer_lasso", "testing"]


@pytest.mark.parametrize("room", ROOMS)
def test_public_names_of_a_room_resolve(room):
    module = importlib.import_module(f"tlstat.{room}")
    for name in module.__all__:
        assert getattr(module, name) is not None, name
    assert len(set(module.__all__)) == len(module.__all__)
    assert set(module.__all__) <= set(dir(module))


@pytest.mark.parametrize("room", ROOMS)
def test_importing_a_room_is_light(room):
    assert loaded(f"import tlstat.{room}") == []


def test_a_numpy_study_runs_without_the_heavy_libraries(tmp_path):
    study = tmp_path / "plain_study.py"
    study.write_text(
        "from tlstat import grid, study\n"
        "@study(design=grid(n=10), replicates=10, block=10)\n"
        "def plain(cell, rng, size):\n"
        "    return {'x': rng.normal(0.0, 1.0, size=size)}\n"
    )
    code = f"""
from tlstat import run
from tlstat.montecarlo.study import load_studies
results = run(load_studies({str(study)!r})[0])
assert results.metrics == ('x',)
"""
    assert loaded(code) == []
