"""What is shipped in ``simulations/`` is decided, as expected, and could have failed."""

from pathlib import Path

import pytest

from tlstat import verify

FOLDER = Path(__file__).parents[2] / "simulations"
FILES = sorted(FOLDER.glob("sim_*.py"))


def test_there_are_simulations():
    assert FILES, f"no sim_*.py in {FOLDER}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_quick_verdicts_and_their_power(path):
    """Every claim as expected; rates and equalities sharp; bounds near what was measured."""
    verdicts = verify(path)
    assert len(verdicts) > 0
    for verdict in verdicts:
        said = f"{verdict.study}: {verdict.claim.name}: {verdict.status.name} ({verdict.reason})"
        assert verdict.expected, said
        killed = {label: fate == "KILLED" for label, fate in verdict.power.mutants}
        kind = verdict.claim.kind
        if kind in ("rate", "equals"):
            assert verdict.power.grade == "SHARP", f"{said}: {verdict.power.mutants}"
            assert all(killed[label] for label in killed if "exponent" in label), said
        if kind == "equals":
            assert killed["constant x 2"] and killed["constant x 0.5"], said
        if kind in ("at_most", "at_least"):
            near = [fate for label, fate in killed.items() if "measured" in label]
            assert near and all(near), f"{said}: {verdict.power.mutants}"
    assert verdicts.exit_code == 0
