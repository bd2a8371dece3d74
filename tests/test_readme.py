"""The README's study runs as printed and is judged as the README says."""

import re
import shlex
from contextlib import nullcontext
from pathlib import Path

import pytest

import tlstat
from tlstat.cli import main
from tlstat.knowledge_transfer import hard_label_student, soft_label_student
from tlstat.montecarlo.study import load_studies

README = Path(__file__).parents[1] / "README.md"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README.read_text("utf-8"), flags=re.DOTALL)


def test_the_readme_study_runs_as_printed(tmp_path):
    code = blocks("python")[0]
    file = tmp_path / "pooling_study.py"
    file.write_text(code, encoding="utf-8")

    verdicts = tlstat.verify(file)

    assert [v.status.name for v in verdicts] == ["SUPPORTED", "REFUTED"]
    assert verdicts.exit_code == 0
    assert [s.name for s in load_studies(file)] == ["pooling_study.pooled_mean"]


def test_the_readme_property_test_runs_as_printed():
    (code,) = blocks("python")[1:]
    for student, broken in [(soft_label_student, False), (hard_label_student, True)]:
        names = {"my_student": student}
        exec(code, names)
        with pytest.raises(AssertionError, match="law") if broken else nullcontext():
            names["test_my_student"]()


def write_iris(path):
    from sklearn.datasets import load_iris

    data = load_iris(as_frame=True)
    species = data.target_names[data.target]
    data.data.assign(species=species).to_csv(path, index=False)


def test_the_readme_commands_run_as_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("errors.csv").write_text("a,b\n" + "0,1\n1,0\n" + "0,1\n" * 60, encoding="utf-8")
    write_iris("iris.csv")
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    commands = [shlex.split(line, comments=True) for line in lines if line.startswith("tlstat ")]
    rooms = [c[1:] for c in commands if c[1] in ("certify", "value-of-target", "inductive-bias")]
    assert len(rooms) == 3
    for arguments in rooms:
        assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "certificate" in shown and "nats" in shown


def test_the_readme_names_only_files_that_exist():
    text = README.read_text(encoding="utf-8")
    links = [x for x in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in x]
    assert links
    for link in links:
        assert (README.parent / link).exists(), link
