"""The stored numbers: complete, consistent with what is said of them, and near the theory."""

import math

import numpy as np
import pytest

from tlstat.errors import InputError
from tlstat.task_diversity import theory
from tlstat.task_diversity.published import (
    OUTLIER_SD,
    SWEEPS,
    D,
    R,
    value,
    without_outlier,
)
from tlstat.task_diversity.risk_law import ExcessRiskLaw


@pytest.mark.parametrize("sweep", SWEEPS.values(), ids=lambda s: s.name.replace(" ", "-"))
def test_curves_are_complete(sweep):
    assert {sweep.along} | set(sweep.fixed) == {"t", "n", "m"}
    assert all(b == 2 * a for a, b in zip(sweep.values, sweep.values[1:], strict=False))
    for (metric, method), curve in sweep.curves.items():
        assert len(curve) == len(sweep.values)
        assert method in ("LF-MoM", "LF-FO") and all(0 < v < 1.5 for v in curve)
        if metric == "largest_sine":
            assert all(v <= 1 for v in curve)


@pytest.mark.parametrize("name, method, values, slope", [
    ("twenty tasks", "LF-FO", slice(3, 7), -0.499),
    ("plenty", "LF-MoM", slice(2, 7), -0.5),
    ("plenty", "LF-FO", slice(0, 7), -0.509),
    ("few", "LF-FO", slice(2, 6), -0.5),
])  # fmt: skip
def test_slopes_of_the_stored_sines(name, method, values, slope):
    """Minus one half where they are small, as the leading terms have it."""
    sweep = SWEEPS[name]
    x = np.log(sweep.values[values])
    found = np.polyfit(x, np.log(sweep.curves["largest_sine", method][values]), 1)[0]
    assert found == pytest.approx(slope, abs=0.04)


@pytest.mark.parametrize("name, method, law, first", [
    ("plenty", "LF-FO", "erm", 0), ("few", "LF-FO", "erm", 3),
    ("plenty", "LF-MoM", "moments", 2), ("few", "LF-MoM", "moments", 5),
])  # fmt: skip
def test_stored_sines_are_near_the_limit_law(name, method, law, first):
    """No fitted constant: within 8 % (one bad optimum apart) where tilts are small."""
    sweep = SWEEPS[name]
    rng = np.random.default_rng(0)
    curve = list(sweep.curves["largest_sine", method])
    if name == "few" and method == "LF-FO":
        curve[-1] = without_outlier(curve[-1], OUTLIER_SD, sweep.replicates)[0]
    for t, published in list(zip(sweep.values, curve, strict=True))[first:]:
        A = rng.normal(size=(60, t, R)) / math.sqrt(R)
        V = theory.row_covariance(law, A, sweep.fixed["n"], 1.0)
        sines = np.sqrt(theory.draw_squared_sines(V, D, rng)[:, -1])
        assert sines.mean() == pytest.approx(published, rel=0.08), t


@pytest.mark.parametrize("name", ["scarce", "few", "twenty tasks", "plenty"])
def test_baselines_are_those_of_least_squares(name):
    """Exact mean of the norm, over targets of the published law."""
    sweep = SWEEPS[name]
    norms = np.sqrt(np.random.default_rng(1).chisquare(R, size=200) / R)
    if sweep.fixed["m"] > D:
        norms = norms[:1]  # no influence
    expected = np.mean([ExcessRiskLaw(D, sweep.fixed["m"], norm=float(a)).mean_norm for a in norms])
    assert sweep.baseline == pytest.approx(expected, rel=0.06)


def test_the_bad_optimum():
    """One of thirty replicates explains the stored deviation; the others are where they belong."""
    mean = value("few", "largest_sine", "LF-FO", 6400)
    others, outlier = without_outlier(mean, OUTLIER_SD, 30)
    values = np.array([others] * 29 + [outlier])
    assert values.mean() == pytest.approx(mean) and values.std() == pytest.approx(OUTLIER_SD)
    assert 0.079 < others < 0.083 and 0.3 < outlier < 0.4
    # half of the value at a quarter of the tasks
    assert others == pytest.approx(value("few", "largest_sine", "LF-FO", 1600) / 2, rel=0.03)


@pytest.mark.parametrize("call, words", [
    (lambda: value("many", "error", "LF-FO", 100), "expected one of scarce"),
    (lambda: value("five tasks", "error", "LF-FO", 100), "no error of LF-FO"),
    (lambda: value("few", "error", "LF-FO", 150), "at t = 150"),
    (lambda: without_outlier(1.0, 0.1, 1), "expected at least 2"),
])  # fmt: skip
def test_bad_input(call, words):
    with pytest.raises(InputError, match=words):
        call()
