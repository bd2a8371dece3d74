"""The package as it is shipped: metadata, pins and make targets agree with one another."""

import re
import tomllib
from pathlib import Path

import pytest

import tlstat

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def required() -> set[str]:
    """Names of everything that pyproject.toml asks for, extras included."""
    lists = [PROJECT["project"]["dependencies"]]
    lists += PROJECT["project"]["optional-dependencies"].values()
    names = {re.split(r"[\[<>=!~ ]", item, maxsplit=1)[0] for group in lists for item in group}
    return {canonical(name) for name in names} - {"tlstat"}


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    content = [line for line in lines if line and not line.startswith("#")]
    return {canonical(name): version for name, version in (line.split("==") for line in content)}


def test_every_dependency_is_pinned():
    assert required() - pins().keys() == set()


def test_pins_are_plain_versions():
    for name, version in pins().items():
        assert re.fullmatch(r"[0-9][0-9a-z.]*", version), f"{name}=={version}"


def test_the_version_is_said_once_and_cited_right():
    assert PROJECT["project"]["dynamic"] == ["version"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {tlstat.__version__}" in citation
    assert f"## {tlstat.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_license_is_the_declared_one():
    assert PROJECT["project"]["license"] == "BSD-3-Clause"
    assert "BSD 3-Clause License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


@pytest.mark.parametrize("target", ["reproduce", "test", "lint", "bench", "figures"])
def test_make_targets_set_up_their_environment(target):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    rule = re.search(rf"^{target}: (\S+)", makefile, flags=re.MULTILINE)
    assert rule and rule[1] in ("$(STAMP)", "$(BENCH_STAMP)")
    assert re.search(r"^\$\(STAMP\): pyproject.toml constraints.txt$", makefile, re.MULTILINE)


def test_the_typing_marker_and_the_stylesheet_are_in_the_package():
    package = Path(tlstat.__file__).parent
    assert (package / "py.typed").exists()
    assert (package / "report" / "style.css").exists()
