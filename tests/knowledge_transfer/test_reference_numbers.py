"""Numbers computed elsewhere by other code, printed to a few digits, reproduced here.

Printed numbers are strings: an exact value agrees with one if it rounds to it, or differs by at
most 1e-4 relative. Simulated ones carry a Monte Carlo error; they agree if the difference lies
within z standard errors of both simulations together (and the rounding), where z is chosen so
that a whole table raises a false alarm with probability 1e-6.
"""

import numpy as np
import pytest
from scipy import stats

from tlstat.backend import Random
from tlstat.knowledge_transfer import (
    Teacher,
    enumerate_risk,
    exact_risk,
    expected_missing_mass,
    hard_label_student,
    minimax,
    partial_label_student,
    simulate_risks,
    soft_label_student,
    tv_risk,
    weighted_label_limit,
)
from tlstat.knowledge_transfer.instances import on_off_constant, on_off_worst_case

FALSE_ALARM = 1e-6
INSTANCE_0 = Teacher.instance0(100, 25)


def half_unit(text):
    """Half a unit of the last printed digit."""
    return 0.5 * 10.0 ** -len(text.partition(".")[2])


def agrees(found, text):
    printed = float(text)
    allowed = max(half_unit(text), 1e-4 * abs(printed)) * (1 + 1e-9)
    assert abs(found - printed) <= allowed, f"{found:.8g} is not {text}"


def agrees_within(found, text, error, comparisons):
    """``error``: standard error of the difference of the two simulations."""
    z = stats.norm.isf(FALSE_ALARM / (2 * comparisons))
    assert abs(found - float(text)) <= z * error + half_unit(text), f"{found:.8g}, {text}"


def sizes(first, last, number=9):
    return np.round(np.geomspace(first, last, number)).astype(int)


def slope(n, risk):
    return float(np.polyfit(np.log(n), np.log(risk), 1)[0])


def slope_error(n, relative_error):
    """Standard error of a log-log slope whose points have these relative errors."""
    x = np.log(n) - np.log(n).mean()
    return float(np.sqrt(((x * relative_error) ** 2).sum()) / (x**2).sum())


def risks_along(instance, S, A, n, level):
    return [exact_risk(getattr(Teacher, instance)(S, A, int(m)), int(m), level) for m in n]


# ------------------------------------------------------------------- a golden enumeration

TINY = Teacher([0.3, 0.7], [[0.2, 0.8, 0.0], [0.1, 0.3, 0.6]])
GOLDEN = {
    "hard": ".3253429682",
    "weighted": ".2969855169",
    "partial": ".0923517500",
    "soft": ".0351260000",
}


@pytest.mark.parametrize("level", GOLDEN)
def test_golden_enumeration(level):
    values = [enumerate_risk(TINY, 4, level)]
    if level != "weighted":
        values.append(exact_risk(TINY, 4, level))
    for value in values:
        assert value == pytest.approx(float(GOLDEN[level]), abs=6e-11)
    assert expected_missing_mass(TINY, 4) == pytest.approx(0.3086022540, abs=6e-11)


# ---------------------------------------------------------------------------- Instance 0

# n: hard, weighted (200 repeats), partial, soft, missing mass; S=100, A=25
TABLE = {
    50: (".56298", ".562", ".36970", ".29040", ".87590"),
    100: (".59614", ".588", ".28474", ".17570", ".77923"),
    250: (".59037", ".559", ".13009", ".03891", ".59782"),
    500: (".53347", ".481", ".03525", ".00315", ".47268"),
    1_000: (".45961", ".4432", ".00259", ".00002", ".39581"),
    2_500: (".33172", ".4430", ".00000", ".00000", ".29112"),
    10_000: (".15316", ".44513", ".00000", ".00000", ".06495"),
    100_000: (".04871", ".44567", ".00000", ".00000", ".00000"),
}
# n: hard, weighted (repeats not printed, at least 200); S=1, A=100
BANDIT = {
    50: (".41354", ".48498"),
    100: (".31985", None),
    250: (".18952", None),
    500: (".13561", None),
    1_000: (".09294", ".48536"),
    2_500: (".05989", None),
    10_000: (".02981", ".48539"),
    100_000: (".00944", None),
}


@pytest.mark.parametrize("n", TABLE)
def test_instance_0(n):
    hard, _, *rest = TABLE[n]
    agrees(exact_risk(INSTANCE_0, n, "hard"), hard)
    for level, printed in zip(("partial", "soft"), rest, strict=False):
        agrees(exact_risk(INSTANCE_0, n, level), printed)
    agrees(expected_missing_mass(INSTANCE_0, n), rest[-1])


@pytest.mark.parametrize("n", BANDIT)
def test_instance_0_with_one_input(n):
    teacher = Teacher.instance0(1, 100)
    agrees(exact_risk(teacher, n, "hard"), BANDIT[n][0])
    assert exact_risk(teacher, n, "soft") == 0
    assert exact_risk(teacher, n, "partial") <= 1e-12


def test_weighted_students_on_instance_0():
    """Theirs had 200 repeats; ours 200 too. 11 comparisons."""
    rows = [(INSTANCE_0, n, row[1]) for n, row in TABLE.items()]
    rows += [(Teacher.instance0(1, 100), n, row[1]) for n, row in BANDIT.items() if row[1]]
    for seed, (teacher, n, printed) in enumerate(rows):
        risks = simulate_risks(teacher, n, Random(seed), 200, ("weighted",))
        agrees_within(risks.mean(), printed, risks.std() * np.sqrt(2 / 200), len(rows))


@pytest.mark.parametrize(("A", "printed"), [(25, ".445714"), (100, ".485388")])
def test_limit_of_the_weighted_student(A, printed):
    agrees(weighted_label_limit(Teacher.instance0(3, A))[1], printed)
    agrees((A**2 - 1) / (2 * A * (A + 3)), printed)


def test_where_hard_labels_overtake_the_weighted_limit():
    limit = weighted_label_limit(INSTANCE_0)[1]
    assert exact_risk(INSTANCE_0, 1_124, "hard") > limit > exact_risk(INSTANCE_0, 1_125, "hard")


def test_hard_risk_is_not_monotone_in_n():
    printed = (".482", ".502", ".563", ".596", ".604", ".600", ".590", ".555")
    for n, text in zip((1, 10, 50, 100, 150, 200, 250, 400), printed, strict=True):
        agrees(exact_risk(INSTANCE_0, n, "hard"), text)


def test_one_more_draw_never_hurts_partial_soft_or_the_missing_mass():
    """200 samples, 79 further draws each: never an increase; for hard labels thousands."""
    teacher, size = Teacher.instance0(5, 6), 200
    rng = np.random.default_rng(1)
    cells = rng.choice(teacher.joint.size, size=(size, 80), p=teacher.joint.ravel())
    counts = (cells[:, :, None] == np.arange(teacher.joint.size)).cumsum(axis=1)
    counts = counts.reshape(size, 80, teacher.S, teacher.A)
    paths = {
        "partial": tv_risk(partial_label_student(counts, teacher.pi), teacher),
        "soft": tv_risk(soft_label_student(counts, teacher.pi), teacher),
        "missing": np.where(counts > 0, 0, teacher.joint).sum(axis=(-2, -1)),
        "hard": tv_risk(hard_label_student(counts), teacher),
    }
    ups = {name: int((np.diff(path, axis=1) > 1e-12).sum()) for name, path in paths.items()}
    assert ups["partial"] == ups["soft"] == ups["missing"] == 0
    assert 0.25 * 200 * 79 < ups["hard"] < 0.5 * 200 * 79


# ---------------------------------------------------------------------------- Instance 1


@pytest.mark.parametrize(
    ("S", "A", "ends", "printed"),
    [
        (1, 10, (1e3, 1e5), "-.5001"),
        (1, 1000, (1e3, 1e5), "-.5007"),
        (10, 10, (1e3, 1e5), "-.5006"),
        (10, 100, (1e3, 1e5), "-.5008"),
        (25, 100, (1e3, 1e5), "-.5015"),
        (100, 10, (1e3, 1e5), "-.5087"),
        (100, 25, (1e3, 1e5), "-.5073"),
        (100, 25, (1e3, 1e4), "-.5194"),
        (200, 10, (1e3, 1e4), "-.536"),
        (100, 10, (1e3, 3e3), "-.5315"),
    ],
)
def test_slopes_of_hard_labels_on_instance_1(S, A, ends, printed):
    n = sizes(*ends)
    agrees(slope(n, risks_along("instance1", S, A, n, "hard")), printed)


@pytest.mark.parametrize(
    ("A", "printed"), [(10, ".3785"), (100, ".3969"), (50, ".3949"), (25, ".3827")]
)
def test_constants_of_hard_labels_on_instance_1(A, printed):
    """``sqrt((A-1)/(2 pi A))``, and with the last of an odd number of labels left out."""
    n, even = 10**7, A - A % 2
    risk = exact_risk(Teacher.instance1(10, A, n), n, "hard")
    agrees(risk * np.sqrt(n / (10 * A)), printed)
    agrees(np.sqrt((even - 1) / (2 * np.pi * even)) * np.sqrt(even / A), printed)


def test_weighted_labels_on_instance_1_lose_three_percent():
    """Bias a quarter of a standard deviation: E|Z + 1/4| / E|Z|, 1.031; printed 1.035."""
    n, S, A, size = 100_000, 10, 10, 2_000
    teacher = Teacher.instance1(S, A, n)
    risks = simulate_risks(teacher, n, Random(3), size, ("weighted", "hard"))
    hard = exact_risk(teacher, n, "hard")
    z = stats.norm.isf(FALSE_ALARM / 2)
    predicted = np.exp(-1 / 32) + np.sqrt(np.pi / 2) / 4 * (1 - 2 * stats.norm.sf(1 / 4))
    assert predicted == pytest.approx(1 + 0.25**2 / 2, abs=1e-3)
    difference = risks[:, 0] - predicted * hard
    assert abs(difference.mean()) <= z * difference.std() / np.sqrt(size) + 0.004 * hard


def test_a_constant_guess_beats_hard_labels_on_instance_1():
    n, S, A = 100_000, 10, 10
    teacher = Teacher.instance1(S, A, n)
    guess = tv_risk(np.full((S, A), 1 / A), teacher)
    agrees(guess * np.sqrt(n / (S * A)), ".125")
    assert guess < exact_risk(teacher, n, "hard") / 3


# ---------------------------------------------------------------------------- Instance 2

# S, A: exact constants of partial and hard, slopes of partial, hard and weighted (simulated,
# 1500 repeats), and the constants that were simulated
INSTANCE_2 = {
    (10, 11): (".1252", ".2727", "-1.0008", "-1.005", "-.998", ".1252", ".2725"),
    (10, 101): (".1336", ".2128", "-.9999", "-.998", "-.994", ".1335", ".2131"),
    (100, 25): (".1306", ".2434", "-1.0009", "-.991", "-.920", ".1306", ".2433"),
    (1, 101): (".1336", ".2121", "-.9988", "-.9997", "-.9996", ".1341", ".2119"),
}


def instance_2_sizes(S, A):
    n = sizes(1e3, 1e5)
    return n[n + 1 >= S * (A - 1) / 2]


@pytest.mark.parametrize(("S", "A"), INSTANCE_2)
def test_constants_on_instance_2(S, A):
    n, (partial, hard, *_) = 100_000, INSTANCE_2[S, A]
    scale = (n + 1) / (S * (A - 1))
    teacher = Teacher.instance2(S, A, n)
    agrees(exact_risk(teacher, n, "partial") * scale, partial)
    agrees(exact_risk(teacher, n, "hard") * scale, hard)
    # half a unit of mass, each label unseen with probability 1/e
    assert expected_missing_mass(teacher, n) * scale == pytest.approx(1 / (2 * np.e), rel=1e-4)


def test_limits_of_the_constants_on_instance_2():
    n, A = 10**7, 1_001
    teacher = Teacher.instance2(1, A, n)
    constant = exact_risk(teacher, n, "partial") * (n + 1) / (A - 1)
    agrees(1 / (2 * (np.e + 1)), ".1345")
    assert constant == pytest.approx(1 / (2 * (np.e + 1)), rel=1e-3)
    agrees(1 / (2 * np.e), ".1839")
    h = (A - 1) / 2
    hard = exact_risk(teacher, n, "hard") * (n + 1) / (A - 1)
    assert hard == pytest.approx((h / np.e + np.sqrt(h / (2 * np.pi))) / (2 * h), rel=1e-3)


@pytest.mark.parametrize(("S", "A"), INSTANCE_2)
def test_simulated_slopes_on_instance_2(S, A):
    """Their Monte Carlo error is that of 1500 repeats; ours is none but for weighted labels."""
    _, _, *printed = INSTANCE_2[S, A]
    n, comparisons, ours = instance_2_sizes(S, A), 5 * len(INSTANCE_2), 100
    mean, relative = [], []
    for m in n:
        teacher = Teacher.instance2(S, A, int(m))
        risks = simulate_risks(
            teacher, int(m), Random(int(m)), ours, ("partial", "hard", "weighted")
        )
        mean.append(risks.mean(axis=0))
        relative.append(risks.std(axis=0) / risks.mean(axis=0))
    relative = np.array(relative)
    for column, level in enumerate(("partial", "hard")):
        exact = risks_along("instance2", S, A, n, level)
        error = slope_error(n, relative[:, column] / np.sqrt(1_500))
        agrees_within(slope(n, exact), printed[column], error, comparisons)
        scale = (n[-1] + 1) / (S * (A - 1))
        error = scale * exact[-1] * relative[-1, column] / np.sqrt(1_500)
        agrees_within(scale * exact[-1], printed[3 + column], error, comparisons)
    error = slope_error(n, relative[:, 2] * np.sqrt(1 / ours + 1 / 1_500))
    agrees_within(slope(n, np.array(mean)[:, 2]), printed[2], error, comparisons)


@pytest.mark.parametrize(("S", "A"), INSTANCE_2)
def test_weighted_labels_on_instance_2_predict_the_common_label(S, A):
    """At n = 10^5 the constant of (100, 25) is still .4995; ten times later all are .500."""
    n = 1_000_000
    risks = simulate_risks(Teacher.instance2(S, A, n), n, Random(4), 100, ("weighted",))
    constants = risks * (n + 1) / (S * (A - 1))
    agrees_within(constants.mean(), ".500", constants.std() / 10, len(INSTANCE_2))


# --------------------------------------------------------------- Instance 2*, constant of level 2


@pytest.mark.parametrize(
    ("S", "A", "n", "exact", "simulated", "error"),
    [
        (1, 11, 2_000, ".1366", ".1367", 0.0005),
        (1, 101, 20_000, ".1527", ".1520", 0.0004),
        (10, 101, 100_000, ".1527", ".1529", 0.0004),
        (1, 1001, 1_000_000, ".1542", ".1542", 0.0002),
    ],
)
def test_constants_on_the_limit_of_instance_2_star(S, A, n, exact, simulated, error):
    """With share and mass of the limit, which for few labels is not yet the worst case."""
    share, c = minimax.subset_limit_maximiser()
    risk = minimax.subset_bayes_risk(S, A, n, labels_on=round(share * (A - 1)), c=c)
    constant = risk * n / (S * (A - 1))
    agrees(constant, exact)
    agrees_within(constant, simulated, error, 4)
    assert minimax.subset_bayes_risk(S, A, n) >= risk
    agrees(minimax.subset_limit_constant(), ".15441")


@pytest.mark.parametrize(
    ("A", "printed"),
    [(3, ".0919"), (5, ".1119"), (11, ".1373"), (101, ".1527"), (1001, ".1542")],
)
def test_worst_cases_of_living_labels(A, printed):
    h, c = on_off_worst_case(A)
    if A == 3:
        # 1/(4e) = .09197 exactly, printed cut off instead of rounded
        assert (h, on_off_constant(A, h, c)) == (1, pytest.approx(1 / (4 * np.e), rel=1e-9))
        assert np.floor(1e4 / (4 * np.e)) / 1e4 == float(printed)
        return
    agrees(on_off_constant(A, h, c), printed)
    assert A != 101 or h == 67
    n = 10**6 * A
    risk = minimax.subset_bayes_risk(1, A, n)
    assert risk * n / (A - 1) == pytest.approx(on_off_constant(A, h, c), rel=1e-5)


def test_limit_constant_of_level_2():
    share, c = minimax.subset_limit_maximiser()
    agrees(minimax.subset_limit_constant(), ".154411")
    agrees(c, "1.47767")
    agrees(share, ".67674")
    agrees(1 / (1 + np.exp(-c / 2)), ".67674")
    # the upper side: the linear program over laws of the scaled masses
    mu = np.linspace(0.01, 3, 200_001)
    attained = mu * np.exp(-1 - mu) / (mu + np.exp(-1 - mu))
    agrees(attained.max(), ".154411")


# ---------------------------------------------------------------------------- Instance 3


@pytest.mark.parametrize(
    ("S", "A", "first", "printed", "constant", "limit"),
    [
        (10, 11, 1_000, "-.990", ".3343", ".3344"),
        (100, 25, 1_200, "-.837", ".3488", ".3532"),
        (1000, 3, 1_000, "-.903", ".2416", ".2453"),
    ],
)
def test_soft_labels_on_instance_3(S, A, first, printed, constant, limit):
    """Nine sizes from 10^3 to 10^5, without those below ``first``."""
    n = sizes(1e3, 1e5)
    n = n[n >= first]
    risk = risks_along("instance3", S, A, n, "soft")
    agrees(slope(n, risk), printed)
    agrees(risk[-1] * (n[-1] + 1) / (S - 1), constant)
    agrees((1 - 1 / A) / np.e, limit)


# ------------------------------------------------- a fixed teacher; largest missing masses


def test_a_fixed_teacher_has_the_classical_rates():
    """Their teacher was random and is not printed: ours obeys the same laws to their digits."""
    teacher = Teacher.dirichlet(20, 10, 7, 1.0, input_concentration=1.0)
    n = sizes(1e4, 1e6, 3)
    hard = [exact_risk(teacher, int(m), "hard") for m in n]
    assert slope(n, hard) == pytest.approx(-0.5, abs=2e-3)
    limit = np.sqrt(teacher.rho) @ np.sqrt(teacher.pi * (1 - teacher.pi)).sum(axis=1)
    assert hard[-1] * 1e3 == pytest.approx(limit / np.sqrt(2 * np.pi), rel=5e-5)
    partial = [exact_risk(teacher, m, "partial") for m in (1_000, 3_000, 10_000, 30_000)]
    missing = expected_missing_mass(teacher, [1_000, 3_000, 10_000, 30_000])
    assert (partial < missing).all()
    # faster than any power that the worst case allows, and falling ever faster
    local = np.diff(np.log(partial)) / np.diff(np.log([1_000, 3_000, 10_000, 30_000]))
    assert (local < -1.5).all()


@pytest.mark.parametrize(
    ("k", "n", "printed"),
    [(2, 2, ".25"), (3, 2, ".444444"), (4, 3, ".421875"), (5, 20, ".0717885"),
     (10, 10, ".348678"), (10, 100, ".032945"), (100, 1000, ".036402")],
)  # fmt: skip
def test_largest_missing_mass(k, n, printed):
    agrees(minimax.largest_missing_mass(k, n), printed)
    if k >= n + 1:
        assert minimax.largest_missing_mass(k, n) == pytest.approx((1 - 1 / k) ** n, rel=1e-12)


def test_deviation_of_the_missing_mass_and_its_loose_bounds():
    """The law of the number of empty boxes among 100 after 100 balls, exactly."""
    k = n = 100
    law = np.zeros(k + 1)
    law[k] = 1.0
    empty = np.arange(k + 1)
    for _ in range(n):
        hit = law * empty / k
        law = law - hit
        law[:-1] += hit[1:]
    assert law @ empty / k == pytest.approx((1 - 1 / k) ** n, rel=1e-12)
    quantile = empty[np.searchsorted(law.cumsum(), 0.9)] / k
    agrees(quantile - (1 - 1 / k) ** n, ".044")
    agrees(3 * np.sqrt(k) * np.log(10) / n, ".69")
    agrees(np.sqrt(np.log(10) / n), ".152")


# ------------------------------------------------------------- lower bounds of level 1

DIRICHLET = {
    (2, 10): ".761",
    (2, 100): ".909",
    (10, 100): ".854",
    (10, 1_000): ".950",
    (10, 10_000): ".984",
    (100, 1_000): ".858",
    (100, 10_000): ".952",
}


def dirichlet_by_sum(A, n, alpha):
    """The bound term by term, with scipy's beta-binomial law and beta medians."""
    x, rest = np.arange(n + 1), (A - 1) * alpha
    a, b = alpha + x, rest + n - x
    median = stats.beta.ppf(0.5, a, b)
    deviation = a / (a + b) * (1 - 2 * stats.beta.cdf(median, a + 1, b))
    return A / 2 * stats.betabinom.pmf(x, n, alpha, rest) @ deviation


@pytest.mark.parametrize(("A", "n"), DIRICHLET)
def test_dirichlet_bounds(A, n):
    """Two of the printed ratios, .761 and .950, are .7605 and .9495 rounded up."""
    value = minimax.dirichlet_bayes_risk(A, n)
    ratio = value / np.sqrt((A - 1) / (2 * np.pi * n))
    assert abs(ratio - float(DIRICHLET[A, n])) <= 6e-4
    if n <= 1_000:
        alpha = minimax.best_concentration(A, n)
        assert value == pytest.approx(dirichlet_by_sum(A, n, alpha), rel=1e-9)
        others = [dirichlet_by_sum(A, n, alpha * f) for f in (0.9, 0.99, 1.01, 1.1)]
        assert value >= max(others)
    assert minimax.best_concentration(A, n) == pytest.approx(0.5 * np.sqrt(n / (A - 1)), rel=0.15)


@pytest.mark.parametrize(
    ("n", "lower", "upper", "paper"),
    [(1_000, ".10240", ".12018", ".01199"), (10_000, ".03593", ".03786", ".00379")],
)
def test_bracket_of_level_1(n, lower, upper, paper):
    """The printed lower bounds are at a concentration that is not quite the best one."""
    S = A = 10
    best = minimax.dirichlet_bayes_risk(A, n, S=S)
    assert 0 <= best - float(lower) <= 5e-4 * best
    uniform = Teacher(np.full(S, 1 / S), np.full((S, A), 1 / A))
    agrees(exact_risk(uniform, n, "hard"), upper)
    agrees(np.exp(-0.5) / 16 * np.sqrt(S * A / n), paper)


def test_limit_constants_of_level_1():
    agrees(minimax.pair_limit_constant(), ".1202")
    x = np.linspace(0.5, 1, 500_001)
    agrees(x[np.argmax(x * stats.norm.sf(x))], ".7518")
    agrees((x * stats.norm.sf(x)).max(), ".16997")
    agrees(minimax.best_pair_gap(10, 10, 10**10) / (0.25 * np.sqrt(100 / 10**10)), "2.13")
    agrees(minimax.pair_limit_constant() / (np.exp(-0.5) / 16), "3.2")
    agrees(np.exp(-0.5) / 16, ".0379")
    agrees(1 / np.sqrt(2 * np.pi), ".3989")
