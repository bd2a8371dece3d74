"""The README's study runs as printed and is judged as the README says."""

import re
from pathlib import Path

import tlstat
from tlstat.montecarlo.study import load_studies

README = Path(__file__).parents[1] / "README.md"


def test_the_readme_study_runs_as_printed(tmp_path):
    (code,) = re.findall(
        r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    file = tmp_path / "pooling_study.py"
    file.write_text(code, encoding="utf-8")

    verdicts = tlstat.verify(file)

    assert [v.status.name for v in verdicts] == ["SUPPORTED", "REFUTED"]
    assert verdicts.exit_code == 0
    assert [s.name for s in load_studies(file)] == ["pooling_study.pooled_mean"]


def test_the_readme_names_only_files_that_exist():
    text = README.read_text(encoding="utf-8")
    links = [x for x in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in x]
    assert links
    for link in links:
        assert (README.parent / link).exists(), link
