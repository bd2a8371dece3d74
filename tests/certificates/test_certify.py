"""Certifying from a table of losses: what is selected, what it costs, what is refused."""

import io
import json
import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binom

from tlstat.certificates import binomial_tail_inversion, certify
from tlstat.certificates.certified import shown
from tlstat.errors import InputError
from tlstat.testing import bounded_losses, certificate_levels


def errors_with(counts, n=80):
    """0/1 errors with the given number of errors in every column."""
    table = np.zeros((n, len(counts)), dtype=int)
    for column, k in enumerate(counts):
        table[:k, column] = 1
    return table


def tail_inversion(k, n, delta):
    """The binomial tail inversion by bisection on mpmath's sums."""
    with mpmath.workdps(50):

        def excess(p):
            p = mpmath.mpf(p)
            tail = sum(mpmath.binomial(n, j) * p**j * (1 - p) ** (n - j) for j in range(k + 1))
            return tail - mpmath.mpf(delta)

        low, high = mpmath.mpf(k) / n, mpmath.mpf(1)
        for _ in range(120):
            middle = (low + high) / 2
            low, high = (middle, high) if excess(middle) >= 0 else (low, middle)
        return float(high)


@pytest.mark.parametrize(("k", "published"), [(0, 0.1489), (1, 0.1794), (2, 0.2049), (8, 0.3244)])
def test_the_published_table_at_80_examples_and_20000_candidates(k, published):
    result = certify(errors_with([k]), candidates=20_000)
    assert result.bound == pytest.approx(published, abs=5e-5)
    exact = tail_inversion(k, 80, 0.05 / 20_000)
    assert exact <= result.bound <= exact * (1 + 1e-12)


def test_the_candidate_with_fewest_errors_is_selected_the_earliest_of_equals():
    result = certify(errors_with([5, 2, 9, 2]), candidates=4, names=list("abcd"))
    assert (result.selected, result.name, result.errors) == (1, "b", 2)
    assert result.risk == 2 / 80
    assert result.bound == result.certificates[1]
    assert result.certificates[0] == certify(errors_with([5]), candidates=4).bound


def test_a_data_frame_brings_its_names():
    import pandas as pd

    result = certify(pd.DataFrame({"one": [0, 1, 1], "two": [0, 0, 1]}), candidates=2)
    assert result.names == ("one", "two") and result.name == "two"


def test_what_was_never_scored_is_paid_for():
    bounds = [certify(errors_with([2, 3]), candidates=M).bound for M in (2, 100, 20_000, 1e300)]
    assert bounds == sorted(bounds) and len(set(bounds)) == 4


def test_permuting_candidates_or_examples_changes_nothing():
    rng = np.random.default_rng(3)
    table = rng.integers(0, 2, size=(40, 6))
    base = certify(table, candidates=10)
    order = rng.permutation(6)
    moved = certify(table[rng.permutation(40)][:, order], candidates=10)
    assert moved.bound == base.bound
    np.testing.assert_array_equal(moved.certificates, base.certificates[order])


def test_soft_losses_take_the_kl_inverse():
    losses = np.full((50, 1), 0.25)
    losses[:10] = 0.5
    result = certify(losses, candidates=7)
    assert result.bounds[0].name == "kl_inverse"
    q, budget = 0.3, math.log(7 / 0.05) / 50
    kl = q * math.log(q / result.bound) + (1 - q) * math.log((1 - q) / (1 - result.bound))
    assert kl == pytest.approx(budget, rel=1e-9)
    assert kl >= budget * (1 - 1e-12)


def test_soft_sums_are_rounded_up():
    rng = np.random.default_rng(0)
    losses = rng.uniform(size=(501, 20))
    result = certify(losses, candidates=20)
    for column in range(20):
        exact = math.fsum(losses[:, column])
        alone = certify(losses[:, column], candidates=20)
        assert exact <= alone.errors <= exact * (1 + 1e-15)
        assert alone.bound == result.certificates[column]


def test_primary_is_chosen_and_the_others_are_only_shown():
    table = errors_with([2, 4])
    plain = certify(table, candidates=100)
    assert plain.bounds[0].status == "chosen beforehand"
    assert {row.status for row in plain.bounds[1:]} == {"not chosen"}
    hoeffding = certify(table, candidates=100, primary="hoeffding")
    assert hoeffding.bounds[0].name == "hoeffding"
    assert hoeffding.bound == pytest.approx(2 / 80 + math.sqrt(math.log(2000) / 160), rel=1e-12)
    assert hoeffding.bound > plain.bound
    shown_there = {row.name: row.value for row in plain.bounds}
    assert shown_there["hoeffding"] == hoeffding.bound


def test_shared_delta_gives_each_bound_its_part():
    table = errors_with([2, 4])
    shared = certify(table, candidates=100, share=True)
    bounds = len(shared.bounds)
    alone = certify(table, delta=0.05 / bounds, candidates=100)
    assert {row.status for row in shared.bounds} == {"shares delta"}
    assert shared.bound == min(row.value for row in shared.bounds)
    assert shared.bounds[0].value == pytest.approx(alone.bound, rel=1e-12)
    assert not any(name == "bound fixed in advance" for name, _ in shared.assumptions)


def test_rank_weights_pay_for_the_position():
    table = errors_with([6, 5, 4, 2])
    rank = certify(table, candidates=None, weights="rank")
    for j, bound in enumerate(rank.certificates, 1):
        alone = certify(table[:, j - 1], candidates=j * (j + 1)).bound
        assert bound == pytest.approx(alone, rel=1e-12)
    late = certify(table[:, -1:], candidates=1_000, weights="rank", ranks=[1_000])
    assert late.bound == pytest.approx(
        certify(table[:, -1], candidates=1000 * 1001).bound, rel=1e-12
    )


@pytest.mark.parametrize(("rank", "published"), [(100, 0.1852), (1_000, 0.2164)])
def test_dyadic_weights_at_the_published_ranks(rank, published):
    result = certify(errors_with([2]), candidates=None, weights="dyadic", ranks=[rank])
    assert result.bound == pytest.approx(published, abs=5e-5)


def test_the_smallest_certificate_is_selected_not_the_smallest_error():
    counts = [4] + [30] * 998 + [3]
    result = certify(errors_with(counts), candidates=None, weights="dyadic")
    assert result.selected == 0
    assert certify(errors_with(counts), candidates=1_000).selected == 999


def test_given_weights():
    table = errors_with([2, 2])
    result = certify(table, candidates=2, weights=[0.25, 0.75])
    assert result.selected == 1
    assert result.certificates[0] == pytest.approx(certify(table[:, 0], candidates=4).bound)


def test_a_stratified_support_has_its_own_primary_bound():
    table = errors_with([2], n=10)
    result = certify(table, candidates=1, support="stratified")
    assert result.bounds[0].name == "stratified_support"
    assert result.bound == pytest.approx(certify(table, candidates=1).bound, rel=1e-12)
    assert "stratified examples" in dict(result.assumptions)
    # above 1/4 the binomial is no upper bound of sums of unequal Bernoullis near their mean
    loose = certify(table, delta=0.7, candidates=1, support="stratified")
    assert loose.bound >= 0.3 > certify(table, delta=0.7, candidates=1).bound
    assert "binomial_tail_inversion" not in {row.name for row in loose.bounds}
    with pytest.raises(InputError, match="identically distributed"):
        certify(table, candidates=1, support="stratified", primary="binomial_tail_inversion")


def test_all_errors_give_a_vacuous_certificate_that_says_so():
    result = certify(np.ones((5, 2)), candidates=2)
    assert result.bound == 1 and result.vacuous
    assert "vacuous" in result.statement


@given(
    arrays(bool, st.tuples(st.integers(1, 30), st.integers(1, 6))),
    st.floats(0, 8),
    certificate_levels(0.5),
)
def test_it_is_the_smallest_inversion_at_delta_over_m(errors, decades, delta):
    M = max(float(10**decades), errors.shape[1])
    result = certify(errors, candidates=M, delta=delta)
    limits = binomial_tail_inversion(
        errors.sum(axis=0), len(errors), log_inv_delta=math.log(M) - math.log(delta)
    )
    np.testing.assert_allclose(result.certificates, limits, rtol=1e-12)
    assert result.selected == int(np.argmin(errors.sum(axis=0)))
    assert result.risk <= result.bound <= 1
    shared = certify(errors, candidates=M, delta=delta, share=True)
    assert shared.bound == min(row.value for row in shared.bounds)
    assert shared.bounds[0].value >= result.certificates[shared.selected]


@given(bounded_losses(20, 1), certificate_levels(0.5))
def test_any_losses_get_a_certificate_above_their_mean(losses, delta):
    result = certify(losses, candidates=3, delta=delta)
    assert losses.mean() * (1 - 1e-12) <= result.bound <= 1
    assert result.counted == bool(np.isin(losses, [0, 1]).all())
    assert result.bounds[0].name == ("binomial_tail_inversion" if result.counted else "kl_inverse")


def test_a_constant_false_alarm_rate():
    """At p = .3 the selected of 100 independent candidates is violated with probability .0271."""
    rng = np.random.default_rng(11)
    wrong = 0
    for _ in range(400):
        counts = rng.binomial(64, 0.3, size=100)
        wrong += certify(errors_with(counts, n=64), candidates=100).bound < 0.3
    # P(Bin(400, .05) >= 45) < 1e-6: a certificate at level .05 stays below
    assert binom.sf(44, 400, 0.05) < 1e-6
    assert wrong < 45


def test_displays():
    from rich.console import Console

    result = certify(errors_with([2, 3]), candidates=20_000, names=["left", "right"])
    console = Console(width=150, record=True, file=io.StringIO())
    console.print(result)
    text = console.export_text()
    assert "0.2050" in text and "chosen beforehand" in text and "left" in text
    assert "0.2050" in result._repr_html_() and "0.2050" in repr(result)
    assert "20,000 candidates" in result.statement and "2 errors on 80" in result.statement
    soft = certify(np.full(4, 0.25), candidates=1)
    assert "a total loss of 1 on 4 examples" in soft.statement
    frame = result.to_frame()
    assert list(frame["name"])[0] == "binomial_tail_inversion"
    assert frame["value"][0] == result.bound == float(result)
    every = result.candidates_frame()
    assert list(every.index) == ["left", "right"] and list(every["selected"]) == [True, False]
    assert json.loads(json.dumps(result.to_dict()))["candidates"] == 20_000


@pytest.mark.parametrize(
    ("value", "text"), [(0.20491, "0.2050"), (0.25, "0.2500"), (0.00001, "0.0001"), (1.0, "1.0000")]
)
def test_what_is_printed_is_rounded_up(value, text):
    assert shown(value) == text


@pytest.mark.parametrize("value", np.random.default_rng(5).uniform(size=20))
def test_no_printed_certificate_is_below_the_computed_one(value):
    assert value <= float(shown(value)) <= value + 1e-4 + 1e-15


BAD = [
    (dict(losses=[[0.0, 1.5]]), r"losses\[0, 1\] is 1.5"),
    (dict(losses=[0.1, -1e-9]), r"losses\[1, 0\] is -1e-09"),
    (dict(losses=[0.0, math.nan]), r"losses\[1, 0\] is nan"),
    (dict(losses=[0.0, math.inf]), r"is inf"),
    (dict(losses=[]), "neither empty"),
    (dict(losses=np.zeros((3, 0))), "neither empty"),
    (dict(losses=np.zeros((2, 2, 2))), r"shape \(2, 2, 2\)"),
    (dict(losses=["a", "b"]), "dtype"),
    (dict(losses=[[0], [0, 1]]), "no table of numbers|dtype"),
    (dict(losses=np.zeros((4, 3)), candidates=2), "fewer than the 3 columns"),
    (dict(candidates=0), "candidates is 0"),
    (dict(candidates=-5), "candidates is -5"),
    (dict(candidates=math.nan), "candidates is nan"),
    (dict(candidates=math.inf), "finite"),
    (dict(candidates=True), "candidates is True"),
    (dict(candidates="many"), "candidates is 'many'"),
    (dict(candidates=None), "size of the class"),
    (dict(delta=0), "delta is 0"),
    (dict(delta=1), "delta is 1"),
    (dict(delta=math.nan), "delta is nan"),
    (dict(delta="5 %"), "delta is '5 %'"),
    (dict(losses=[0.5, 1], primary="binomial_tail_inversion"), "0/1 losses only"),
    (dict(primary="bti"), "primary is 'bti'"),
    (dict(weights="zipf"), "weights is 'zipf'"),
    (dict(losses=np.zeros((4, 2)), weights=[0.7, 0.4]), "sum to at most 1, got 1.1"),
    (dict(losses=np.zeros((4, 2)), weights=[0.5]), r"expected 2 numbers"),
    (dict(losses=np.zeros((4, 2)), weights=[1.0, 0.0]), "positive"),
    (dict(ranks=[1]), "ranks is given"),
    (dict(ranks=[0], weights="rank"), "distinct positions"),
    (dict(ranks=[7], weights="rank", candidates=6), "distinct positions"),
    (dict(losses=np.zeros((4, 2)), ranks=[3, 3], weights="dyadic"), "distinct positions"),
    (dict(names=["a", "b"]), "1 names"),
    (dict(support="clustered"), "support is 'clustered'"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=range(len(BAD)))
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        certify(**(dict(losses=[0, 1, 0, 0], candidates=10) | arguments))


def test_the_size_of_the_class_has_no_default():
    with pytest.raises(TypeError, match="candidates"):
        certify([0, 1])
