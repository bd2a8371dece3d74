"""Certificates of one hypothesis: printed tables, laws, dominance, coverage by enumeration."""

import csv
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tlstat.certificates import (
    CERTIFICATES,
    bernstein_relaxation,
    binomial_tail_inversion,
    empirical_bernstein,
    hoeffding,
    hoeffding_bentkus,
    kl_inverse,
    kl_upper_inverse,
    stratified_support,
)
from tlstat.errors import InputError
from tlstat.theory import intervals

COUNTS = [
    hoeffding,
    kl_inverse,
    binomial_tail_inversion,
    bernstein_relaxation,
    hoeffding_bentkus,
    stratified_support,
]
ids = [c.name for c in COUNTS]
DELTA = 0.05


def errors(k, n):
    return np.r_[np.ones(k), np.zeros(n - k)]


def reference():
    with open(Path(__file__).parent / "table_3_10.csv") as file:
        return [{name: float(v) for name, v in row.items()} for row in csv.DictReader(file)]


# --- printed numbers ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["binomial_tail_inversion", "kl_inverse", "hoeffding"])
def test_the_reference_table(name):
    rows = reference()
    assert len(rows) == 80
    for row in rows:
        level = np.log(row["M"] / DELTA)
        value = CERTIFICATES[name](row["k"], row["n"], log_inv_delta=level, clip=False)
        assert value == pytest.approx(row[name], abs=5.1e-7), row


@pytest.mark.parametrize("name", ["pac_bayes_kl_simple", "pac_bayes_kl", "mcallester"])
def test_the_reference_table_of_pac_bayes(name):
    for row in reference():
        value = CERTIFICATES[name](
            row["k"] / row["n"], row["n"], np.log(row["M"]), delta=DELTA, clip=False
        )
        assert value == pytest.approx(row[name], abs=5.1e-7), row


def test_the_reference_table_of_empirical_bernstein():
    for row in reference():
        x = errors(int(row["k"]), int(row["n"]))
        level = np.log(row["M"] / DELTA)
        value = empirical_bernstein(x, log_inv_delta=level, clip=False)
        assert value == pytest.approx(row["empirical_bernstein"], abs=5.1e-7), row


@pytest.mark.parametrize(
    ("n", "k", "eq3", "kl", "bti"),
    [
        (80, 0, 0.2839, 0.1489, 0.1489),
        (80, 1, 0.2964, 0.1896, 0.1794),
        (80, 2, 0.3089, 0.2183, 0.2049),
        (80, 8, 0.3839, 0.3442, 0.3244),
        (25, 0, 0.5079, 0.4031, 0.4031),
        (5, 0, 1.1357, 0.9242, 0.9242),
        (320, 32, 0.2420, 0.2057, 0.1957),
        (640, 64, 0.2004, 0.1707, 0.1638),
    ],
)
def test_the_few_shot_table(n, k, eq3, kl, bti):
    level = np.log(20_000 / DELTA)
    assert hoeffding(k, n, log_inv_delta=level, clip=False) == pytest.approx(eq3, abs=5.1e-5)
    assert kl_inverse(k, n, log_inv_delta=level) == pytest.approx(kl, abs=5.1e-5)
    assert binomial_tail_inversion(k, n, log_inv_delta=level) == pytest.approx(bti, abs=5.1e-5)


def test_the_published_minimum_of_the_finite_class():
    one_error = hoeffding(1, 80, log_inv_delta=np.log(20_000 / DELTA))
    assert round(one_error, 2) == 0.30
    assert one_error == pytest.approx(0.2964, abs=5e-5)
    two_errors = hoeffding(2, 80, log_inv_delta=np.log(10_000 / DELTA))
    assert two_errors == pytest.approx(0.3012, abs=5e-5)


@pytest.mark.parametrize(("M", "value"), [(1e12, 0.375879), (1e16, 0.447799), (1e18, 0.480368)])
def test_huge_classes_where_the_upper_form_loses_its_digits(M, value):
    ours = binomial_tail_inversion(2, 80, log_inv_delta=np.log(M / DELTA))
    # the last of the three is printed cut, not rounded
    assert ours == pytest.approx(value, abs=1e-6)


def test_empirical_bernstein_is_worse_than_hoeffding_on_few_examples():
    level = np.log(20_000 / DELTA)
    for k, value in [(0, 0.4015), (2, 0.518)]:
        ours = empirical_bernstein(errors(k, 80), log_inv_delta=level)
        assert ours == pytest.approx(value, abs=5.1e-4 if k else 5.1e-5)
        assert ours > hoeffding(k, 80, log_inv_delta=level)


# --- against 50 digits -------------------------------------------------------------------------


def exact_formulas(k, n, level):
    r, n, level = mp.mpf(k) / n, mp.mpf(n), mp.mpf(level)
    return {
        "hoeffding": r + mp.sqrt(level / (2 * n)),
        "bernstein_relaxation": r + mp.sqrt(2 * r * level / n) + 2 * level / n,
    }


def test_closed_forms_are_rounded_upwards():
    with mp.workdps(50):
        for n in (1, 7, 80, 10**9):
            for k in sorted({0, 1, n // 3, n}):
                for level in (1e-9, 0.7, 12.0, 700.0):
                    for name, value in exact_formulas(k, n, level).items():
                        ours = CERTIFICATES[name](k, n, log_inv_delta=level, clip=False)
                        assert value <= mp.mpf(ours) <= value * (1 + mp.mpf(10) ** -12)


def test_hoeffding_agrees_with_the_interval_module():
    k = np.arange(81)
    upper = intervals.hoeffding(k / 80, 80, 1e-3)[1]
    np.testing.assert_allclose(hoeffding(k, 80, delta=1e-3), upper, rtol=1e-12)


def test_hoeffding_bentkus_inverts_its_p_value():
    n, delta = 60, 1e-3
    for k in (0, 0.4, 3.2, 17, 41.9):
        limit = hoeffding_bentkus(k, n, delta=delta)

        def p_value(alpha, k=k):
            r = min(k / n, alpha)
            kl = stats.entropy([r, 1 - r], [alpha, 1 - alpha])
            return min(np.exp(-n * kl), np.e * stats.binom.cdf(np.ceil(k), n, alpha))

        assert p_value(limit * (1 - 1e-9)) > delta
        assert p_value(limit * (1 + 1e-9)) < delta


# --- laws --------------------------------------------------------------------------------------


@pytest.mark.parametrize("certificate", COUNTS, ids=ids)
@given(data=st.data())
def test_range_and_monotonicity(certificate, data):
    n = data.draw(st.integers(2, 300))
    k = data.draw(st.integers(0, n - 1))
    level = data.draw(st.floats(1.4, 300))  # delta up to 1/4
    value = certificate(k, n, log_inv_delta=level)
    assert k / n < value <= 1
    assert certificate(n, n, log_inv_delta=level) == 1
    more = [
        certificate(k + 1, n, log_inv_delta=level),
        certificate(k, n, log_inv_delta=level * 1.01),
    ]
    for other in more:
        assert other > value or other == 1
    # the same count, or the same rate, on more examples
    assert certificate(k, n + 1, log_inv_delta=level) <= value
    assert certificate(2 * k, 2 * n, log_inv_delta=level) <= value


@pytest.mark.parametrize("certificate", COUNTS, ids=ids)
def test_only_the_share_of_delta_matters(certificate):
    k = np.arange(0, 80, 7)
    for M in (1, 100, 20_000):
        np.testing.assert_allclose(
            certificate(k, 80, log_inv_delta=np.log(M / DELTA)),
            certificate(k, 80, delta=DELTA / M),
            rtol=1e-13,
        )


def test_dominance():
    n = np.array([5, 16, 64, 200, 10_000])[:, None, None]
    k = np.floor(n * np.linspace(0, 0.999, 50)[:, None])
    level = np.log(np.array([1, 100, 1e5, 1e100]) / DELTA)
    values = {c.name: c(k, n, log_inv_delta=level) for c in COUNTS}
    assert np.all(values["binomial_tail_inversion"] <= values["kl_inverse"])
    assert np.all(values["kl_inverse"] <= values["hoeffding"])
    assert np.all(values["kl_inverse"] <= values["bernstein_relaxation"])
    assert np.all(values["hoeffding_bentkus"] <= values["kl_inverse"])
    assert np.all(values["binomial_tail_inversion"] <= values["stratified_support"])
    assert np.all(values["stratified_support"] <= values["kl_inverse"])


def test_log_levels_up_to_any_size():
    level = np.log(1e300) + np.log(1 / 1e-12)
    values = [c(3, 5000, log_inv_delta=level) for c in COUNTS]
    assert all(0 < v < 1 for v in values)
    assert all(c(3, 50, log_inv_delta=1e6) == 1 for c in COUNTS)


# --- coverage by enumeration -------------------------------------------------------------------


def worst_miss(limits, n):
    """``sup_p P(U(K) < p)``: it is approached from above at the limits themselves."""
    useful = limits < 1
    k = np.arange(n + 1)[useful]
    return stats.binom.cdf(k, n, limits[useful])


@pytest.mark.parametrize("certificate", COUNTS, ids=ids)
@pytest.mark.parametrize("delta", [0.5, 0.05, 1e-3])
def test_coverage_over_all_risks(certificate, delta):
    for n in (1, 2, 5, 16, 64, 200):
        limits = certificate(np.arange(n + 1), n, delta=delta)
        assert np.all(np.diff(limits) >= 0)
        assert np.max(worst_miss(limits, n), initial=0) <= delta * (1 + 1e-10)


def test_coverage_numbers_of_the_reference():
    n, k = 64, np.arange(65)
    misses = {c.name: worst_miss(c(k, n, delta=DELTA), n) for c in COUNTS[:3]}
    np.testing.assert_allclose(misses["binomial_tail_inversion"], DELTA, rtol=1e-9)
    chernoff = np.sort(misses["kl_inverse"])[::-1]
    assert chernoff[:2] == pytest.approx([0.05, 0.0216], abs=5e-5)
    assert misses["hoeffding"].max() == pytest.approx(0.00993, abs=5e-6)
    p = (np.arange(4000) + 0.5) / 4000
    for name, value in [
        ("binomial_tail_inversion", 0.0341),
        ("kl_inverse", 0.0075),
        ("hoeffding", 0.0029),
    ]:
        limits = CERTIFICATES[name](k, n, delta=DELTA)
        miss = stats.binom.pmf(k[:, None], n, p) * (limits[:, None] < p)
        assert miss.sum(axis=0).mean() == pytest.approx(value, abs=5.5e-5)


def test_a_limit_one_percent_too_low_would_be_caught():
    limits = 0.99 * binomial_tail_inversion(np.arange(65), 64, delta=DELTA)
    assert np.max(worst_miss(limits, 64)) > DELTA * 1.02


# --- stratified support ------------------------------------------------------------------------


def poisson_binomial(p):
    law = np.ones(1)
    for q in p:
        law = np.convolve(law, [1 - q, q])
    return law


def worst_stratified(limits, n):
    """``sup P(U(K) < mean risk)`` over all independent examples.

    At a given mean the extremal risks take the values 0, 1 and one other (Hoeffding 1956), so the
    supremum is over the number of each, just above each limit.
    """
    worst = 0.0
    for k in np.flatnonzero(limits < 1):
        total = n * limits[k] * (1 + 1e-9)
        for ones in range(min(n, int(total) + 1)):
            for others in range(1, n - ones + 1):
                risk = (total - ones) / others
                if 0 <= risk <= 1:
                    law = np.r_[
                        np.zeros(ones), stats.binom.pmf(np.arange(others + 1), others, risk)
                    ]
                    worst = max(worst, law[: k + 1].sum())
    return worst


@pytest.mark.parametrize("delta", [0.6, 0.5, 0.4, 0.25, 0.05])
def test_stratified_support_covers_unequal_risks(delta):
    for n in (1, 2, 3, 5, 12):
        limits = stratified_support(np.arange(n + 1), n, delta=delta)
        assert worst_stratified(limits, n) <= delta * (1 + 1e-7)


@pytest.mark.parametrize(("delta", "covers"), [(0.25, True), (0.4, False), (0.5, False)])
def test_binomial_inversion_fails_there_above_a_quarter(delta, covers):
    limits = binomial_tail_inversion(np.arange(13), 12, delta=delta)
    limits[11:] = 1
    worst = worst_stratified(limits, 12)
    assert worst <= delta * (1 + 1e-7) if covers else worst > delta + 0.04


def test_stratified_support_is_binomial_inversion_up_to_a_quarter():
    for n in (2, 3, 5, 10, 25, 80, 320, 2000):
        k = np.arange(n - 1)
        for delta in (0.25, 0.05, 0.05 / 20_000):
            limits = binomial_tail_inversion(k, n, delta=delta)
            np.testing.assert_array_equal(stratified_support(k, n, delta=delta), limits)
            assert np.all(n * limits >= k + 1)


@pytest.mark.parametrize(
    ("risks", "rate"),
    [([0, 0, 0, 0, 0.5], 0.0107), ([0.1] * 5, 0.0351), ([0.02, 0.05, 0.1, 0.2, 0.4], 0.0195)],
)
def test_the_five_way_sixteen_shot_rates(risks, rate):
    limits = stratified_support(np.arange(81), 80, delta=DELTA)
    miss = poisson_binomial(np.repeat(risks, 16))[limits < np.mean(risks)].sum()
    # exact here; the reference simulated 2e5 times, standard error at most 4.1e-4
    assert miss == pytest.approx(rate, abs=4 * 4.1e-4)


# --- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize("certificate", COUNTS, ids=ids)
@pytest.mark.parametrize(
    ("k", "n", "level", "message"),
    [
        (-1, 5, {"delta": 0.1}, "between 0 and n, got -1"),
        (6, 5, {"delta": 0.1}, "between 0 and n, got 6"),
        (np.nan, 5, {"delta": 0.1}, "between 0 and n, got nan"),
        (0, 0, {"delta": 0.1}, "n must be a whole number of at least 1"),
        (1, 2.5, {"delta": 0.1}, "n must be a whole number"),
        ([1, 2, 9], 5, {"delta": 0.1}, "at index 2"),
        (1, 5, {}, "exactly one of delta and log_inv_delta, got neither"),
        (1, 5, {"delta": 0.1, "log_inv_delta": 2.0}, "got both"),
        (1, 5, {"delta": 0.0}, "delta must be strictly between 0 and 1, got 0"),
        (1, 5, {"delta": 1.0}, "delta must be strictly between 0 and 1, got 1"),
        (1, 5, {"delta": np.nan}, "delta must be strictly between 0 and 1, got nan"),
        (1, 5, {"log_inv_delta": 0.0}, "log_inv_delta must be positive"),
        (1, 5, {"log_inv_delta": np.inf}, "log_inv_delta must be positive and finite"),
        ("one", 5, {"delta": 0.1}, "k must be numbers"),
        (np.float32(1), 5, {"delta": 0.1}, "k must be float64 or integers, got float32"),
    ],
)
def test_bad_input(certificate, k, n, level, message):
    with pytest.raises(InputError, match=message):
        certificate(k, n, **level)


@pytest.mark.parametrize("certificate", [binomial_tail_inversion, stratified_support])
def test_rates_and_soft_losses_are_refused_where_a_count_is_needed(certificate):
    for k in (0.025, 2.5):
        with pytest.raises(InputError, match="whole count of errors"):
            certificate(k, 80, delta=DELTA)


def test_soft_losses_are_accepted_where_they_are_valid():
    for certificate in (hoeffding, kl_inverse, bernstein_relaxation, hoeffding_bentkus):
        assert certificate.losses == "[0,1]"
        assert 2.5 / 80 < certificate(2.5, 80, delta=DELTA) < 1
    assert kl_inverse(2.5, 80, delta=DELTA) == kl_upper_inverse(2.5 / 80, np.log(1 / DELTA) / 80)
