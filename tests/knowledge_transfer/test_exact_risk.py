"""Exact risks: golden numbers, enumeration, simulation, and the published constants."""

import numpy as np
import pytest
from scipy import stats

from tlstat.backend import Random
from tlstat.errors import InputError
from tlstat.knowledge_transfer import (
    Teacher,
    enumerate_risk,
    exact_risk,
    expected_missing_mass,
    simulate_risks,
    weighted_label_limit,
)
from tlstat.knowledge_transfer.binomial import average, binomial, half_mean_deviation
from tlstat.knowledge_transfer.instances import on_off_constant, on_off_worst_case

TINY = Teacher([0.3, 0.7], [[0.2, 0.8, 0.0], [0.1, 0.3, 0.6]])
GOLDEN = {
    "hard": 0.3253429682,
    "weighted": 0.2969855169,
    "partial": 0.0923517500,
    "soft": 0.0351260000,
}
# Instance 0 with S=100, A=25: n, hard, partial, soft, missing mass
TABLE = [
    (50, 0.56298, 0.36970, 0.29040, 0.87590),
    (100, 0.59614, 0.28474, 0.17570, 0.77923),
    (250, 0.59037, 0.13009, 0.03891, 0.59782),
    (500, 0.53347, 0.03525, 0.00315, 0.47268),
    (1000, 0.45961, 0.00259, 0.00002, 0.39581),
    (2500, 0.33172, 0.0, 0.0, 0.29112),
    (10_000, 0.15316, 0.0, 0.0, 0.06495),
    (100_000, 0.04871, 0.0, 0.0, 0.0),
]


@pytest.mark.parametrize("level", GOLDEN)
def test_enumeration_gives_the_golden_numbers(level):
    assert enumerate_risk(TINY, 4, level) == pytest.approx(GOLDEN[level], abs=5e-11)


@pytest.mark.parametrize("level", ["hard", "partial", "soft"])
def test_closed_forms_agree_with_enumeration(level):
    rng = np.random.default_rng(1)
    for S, A, n in [(1, 2, 0), (1, 4, 5), (2, 3, 4), (3, 2, 5), (2, 2, 1)]:
        teacher = Teacher.dirichlet(S, A, rng, 0.7, input_concentration=0.7)
        assert exact_risk(teacher, n, level) == pytest.approx(
            enumerate_risk(teacher, n, level), abs=1e-11
        )


def test_the_unnormalised_closed_form_agrees_with_enumeration():
    for fill in ("uniform", "first-unseen"):
        for n in (0, 1, 4):
            assert exact_risk(TINY, n, "unnormalised", fill=fill) == pytest.approx(
                enumerate_risk(TINY, n, "unnormalised", fill=fill), abs=1e-12
            )


def test_closed_forms_agree_with_enumeration_on_structured_rows():
    big = Teacher([0.6, 0.4], [[0.7, 0.1, 0.1, 0.1, 0.0], [0.0, 0.0, 0.2, 0.2, 0.6]])
    for level in ("hard", "partial", "soft"):
        assert exact_risk(big, 5, level) == pytest.approx(enumerate_risk(big, 5, level), abs=1e-12)


def test_a_row_with_one_big_label_has_one_value_by_both_closed_forms():
    from tlstat.knowledge_transfer.occupancy import one_big_row, subset_row

    row = np.array([0.0, 0.0, 0.05, 0.05, 0.05, 0.85])
    for n in (1, 10, 200):
        assert one_big_row(row, 0.3, n) == pytest.approx(subset_row(row[2:], 2, 0.3, n), abs=1e-12)


def test_fill_rules_enter_the_closed_forms():
    for fill in ("first-unseen", np.array([0.5, 0.25, 0.25])):
        for level in ("hard", "soft"):
            assert exact_risk(TINY, 3, level, fill=fill) == pytest.approx(
                enumerate_risk(TINY, 3, level, fill=fill), abs=1e-12
            )
    with pytest.raises(InputError, match="uniform"):
        exact_risk(TINY, 3, "partial", fill="first-unseen")


@pytest.mark.parametrize("row", TABLE, ids=lambda r: f"n={r[0]}")
def test_table_of_instance_0(row):
    n, *expected = row
    teacher = Teacher.instance0(100, 25)
    found = [exact_risk(teacher, n, level) for level in ("hard", "partial", "soft")]
    found.append(expected_missing_mass(teacher, n))
    assert found == pytest.approx(expected, rel=1e-4, abs=6e-6)


def test_missing_mass_of_the_golden_teacher():
    assert expected_missing_mass(TINY, 4) == pytest.approx(0.3086022540, abs=5e-11)
    assert expected_missing_mass([1.0, 0.0], 0) == 1.0
    assert expected_missing_mass([1.0, 0.0], 3) == 0.0
    with pytest.raises(InputError, match="n must be"):
        expected_missing_mass(TINY, -1)


@pytest.mark.parametrize(
    ("S", "A", "hard", "partial"),
    [
        (10, 11, 0.2727, 0.1252),
        (10, 101, 0.2128, 0.1336),
        (100, 25, 0.2434, 0.1306),
        (1, 101, 0.2121, 0.1336),
    ],
)
def test_constants_on_instance_2(S, A, hard, partial):
    n = 100_000
    teacher = Teacher.instance2(S, A, n)
    scale = (n + 1) / (S * (A - 1))
    assert exact_risk(teacher, n, "hard") * scale == pytest.approx(hard, abs=6e-5)
    assert exact_risk(teacher, n, "partial") * scale == pytest.approx(partial, abs=6e-5)


@pytest.mark.parametrize(
    ("S", "A", "constant"), [(10, 11, 0.3343), (100, 25, 0.3488), (1000, 3, 0.2416)]
)
def test_constants_on_instance_3(S, A, constant):
    n = 100_000
    risk = exact_risk(Teacher.instance3(S, A, n), n, "soft")
    assert risk * (n + 1) / (S - 1) == pytest.approx(constant, abs=6e-5)


@pytest.mark.parametrize(
    ("A", "constant"), [(3, 0.0919), (5, 0.1119), (11, 0.1373), (101, 0.1527), (1001, 0.1542)]
)
def test_worst_case_of_living_labels(A, constant):
    labels_on, c = on_off_worst_case(A)
    assert on_off_constant(A, labels_on, c) == pytest.approx(constant, abs=1e-4)
    n = 50_000 * A
    risk = exact_risk(Teacher.instance2star(1, A, n), n, "partial") if A < 500 else None
    if risk is not None:
        assert risk * n / (A - 1) == pytest.approx(constant, abs=1e-4)


def _slope(n, risk):
    return np.polyfit(np.log(n), np.log(risk), 1)[0]


@pytest.mark.parametrize(
    ("S", "A", "slope"),
    [(1, 10, -0.5001), (1, 1000, -0.5007), (10, 10, -0.5006), (10, 100, -0.5008),
     (25, 100, -0.5015), (100, 10, -0.5087), (100, 25, -0.5073)],
)  # fmt: skip
def test_slopes_on_instance_1(S, A, slope):
    n = np.round(np.geomspace(1_000, 100_000, 9)).astype(int)
    risk = [exact_risk(Teacher.instance1(S, A, int(m)), int(m), "hard") for m in n]
    assert _slope(n, risk) == pytest.approx(slope, abs=2e-4)


def test_slope_of_soft_labels_needs_large_samples():
    n = np.round(np.geomspace(1_000, 100_000, 9)).astype(int)
    risk = [exact_risk(Teacher.instance3(10, 11, int(m)), int(m), "soft") for m in n]
    assert _slope(n, risk) == pytest.approx(-0.990, abs=1e-3)


@pytest.mark.parametrize(("A", "limit"), [(25, 0.445714), (100, 0.485388)])
def test_limit_of_the_weighted_student(A, limit):
    teacher = Teacher.instance0(7, A)
    assert weighted_label_limit(teacher)[1] == pytest.approx(limit, abs=1e-6)
    assert weighted_label_limit(teacher, gamma=0)[1] == pytest.approx(0, abs=1e-15)


def test_hard_risk_is_not_monotone():
    teacher = Teacher.instance0(100, 25)
    risk = [exact_risk(teacher, n, "hard") for n in (1, 10, 50, 100, 150, 200, 250, 400)]
    assert risk == pytest.approx([0.482, 0.502, 0.563, 0.596, 0.604, 0.600, 0.590, 0.555], abs=6e-4)


def test_exact_risk_at_ten_billion():
    """Fixed teacher: sqrt(n) risk tends to sum sqrt(rho) sqrt(pi(1-pi)) / sqrt(2 pi)."""
    teacher = Teacher.dirichlet(2, 3, 5)
    n = 10**10
    limit = (np.sqrt(teacher.rho)[:, None] * np.sqrt(teacher.pi * (1 - teacher.pi))).sum()
    assert np.sqrt(n) * exact_risk(teacher, n, "hard") == pytest.approx(
        limit / np.sqrt(2 * np.pi), rel=1e-6
    )


@pytest.mark.parametrize("instance", ["0", "1", "2", "2*", "3", "dirichlet", "diracs", "digits"])
def test_simulation_agrees_with_the_closed_forms(instance):
    """24 comparisons in all; each fails a true formula with probability 1e-6 / 24."""
    n, size = 300, 2_000
    cell = {"instance": instance, "S": 6, "A": 9, "n": n, "seed": 3}
    teacher = Teacher.from_cell(cell)
    risks = simulate_risks(teacher, n, Random(99), size, ("hard", "partial", "soft"))
    z = stats.norm.isf(1e-6 / 24 / 2)
    for values, level in zip(risks.T, ("hard", "partial", "soft"), strict=True):
        exact = exact_risk(teacher, n, level)
        # Bernstein: valid also where almost all replicates are equal
        bound = z * values.std() / np.sqrt(size) + 1.05 * z**2 / (3 * size) * max(exact, 1e-3)
        assert abs(values.mean() - exact) <= bound, level


def test_binomial_probabilities_stay_accurate():
    k = np.arange(0, 41)
    assert binomial(k, 40, 0.3) == pytest.approx(stats.binom.pmf(k, 40, 0.3), rel=1e-11)
    # at the mode, n = 10^12: 1/sqrt(2 pi n p q)
    n, p = 10**12, 0.25
    assert binomial(n * p, n, p) == pytest.approx(
        1 / np.sqrt(2 * np.pi * n * p * (1 - p)), rel=1e-9
    )
    assert binomial([0, 1], [1, 1], [0.0, 1.0]).tolist() == [1.0, 1.0]
    assert average(lambda m: np.ones(m.shape), 10**6, 0.01) == pytest.approx(1, abs=1e-10)


@pytest.mark.parametrize(("m", "p"), [(1, 0.5), (7, 0.2), (40, 0.975), (3, 1 / 3)])
def test_de_moivre_against_the_sum(m, p):
    k = np.arange(m + 1)
    direct = 0.5 * stats.binom.pmf(k, m, p) @ np.abs(k / m - p)
    assert half_mean_deviation(m, p) == pytest.approx(direct, abs=1e-14)


def test_exact_risk_refuses_what_it_does_not_know():
    with pytest.raises(InputError, match="level"):
        exact_risk(TINY, 3, "weighted")
    with pytest.raises(InputError, match="n must be"):
        exact_risk(TINY, -1, "hard")
    with pytest.raises(InputError, match="different positive labels"):
        exact_risk(Teacher.dirichlet(1, 20, 0), 3, "partial")
    with pytest.raises(InputError, match="enumerate"):
        enumerate_risk(Teacher.dirichlet(5, 5, 0), 50, "hard")
