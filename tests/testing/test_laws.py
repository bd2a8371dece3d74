"""Laws: what a failure says, what is collected, and that nothing heavy is imported early."""

import pickle
import subprocess
import sys

import pytest
from hypothesis import strategies as st

import tlstat.testing
from tlstat.errors import InputError
from tlstat.testing import BrokenLaw, Law, check_laws, find_counterexample


def _below_its_double(f, x):
    if f(x) > 2 * x:  # not an assert, which pytest would decorate
        raise AssertionError(f"f({x}) = {f(x)} is above {2 * x}")


def _zero_at_zero(f):
    assert f(0) == 0, f"f(0) = {f(0)}"


BELOW = Law(
    "below twice x", "f(x) is at most 2x.", _below_its_double, lambda: st.integers(0, 10**6)
)
ZERO = Law("zero", "f(0) is 0.", _zero_at_zero)


def test_laws_that_hold_give_an_empty_list():
    assert check_laws(lambda x: 2 * x, [BELOW, ZERO]) == []
    assert find_counterexample(BELOW, lambda x: x) is None


def test_a_broken_law_names_itself_and_the_smallest_counterexample():
    with pytest.raises(BrokenLaw, match="the law 'below twice x' is broken") as caught:
        check_laws(lambda x: x + 17, [BELOW, ZERO])
    broken = caught.value
    assert broken.law is BELOW and broken.case == 0 and isinstance(broken, AssertionError)
    assert str(broken).splitlines() == [
        "the law 'below twice x' is broken: f(x) is at most 2x.",
        "f(0) = 17 is above 0",
        "counterexample: 0",
    ]
    assert isinstance(broken.__cause__, AssertionError)


def test_the_counterexample_is_shrunk_to_the_boundary():
    assert find_counterexample(BELOW, lambda x: 2 * x + (x >= 4321)).case == 4321
    unshrunk = find_counterexample(BELOW, lambda x: 2 * x + (x >= 4321), shrink=False)
    assert unshrunk.case >= 4321


def test_all_broken_laws_are_collected_in_order():
    broken = check_laws(lambda x: x + 1, [ZERO, BELOW], collect=True)
    assert [found.law.name for found in broken] == ["zero", "below twice x"]
    assert broken[0].case is None and "counterexample" not in str(broken[0])


def test_an_exception_of_the_subject_breaks_the_law():
    def fails(x):
        raise ZeroDivisionError("of its own")

    for law in (BELOW, ZERO):
        broken = find_counterexample(law, fails)
        assert "raised ZeroDivisionError('of its own')" in str(broken)
        assert isinstance(broken.__cause__, ZeroDivisionError)


def test_a_subject_that_changes_its_mind_breaks_the_law():
    calls = iter(range(10**9))
    broken = find_counterexample(BELOW, lambda x: 2 * x + (next(calls) == 0))
    assert "different answers to the same case" in str(broken)


def test_an_error_of_the_strategy_is_not_blamed_on_the_subject():
    def no_cases():
        raise RuntimeError("no strategy")

    with pytest.raises(RuntimeError, match="no strategy"):
        find_counterexample(Law("x", "x", _below_its_double, no_cases), lambda x: x)


def test_the_same_profile_gives_the_same_counterexample():
    found = [find_counterexample(BELOW, lambda x: 3 * x, shrink=False).case for _ in range(2)]
    assert found[0] == found[1]


def test_more_examples_are_tried_when_asked_for():
    tried = []
    check_laws(lambda x: tried.append(x) or x, [BELOW], max_examples=7)
    few = len(tried)
    check_laws(lambda x: tried.append(x) or x, [BELOW], max_examples=70)
    assert len(tried) - few > 2 * few


def test_a_broken_law_survives_pickling_by_its_parts():
    broken = BrokenLaw(Law("below", "f(x) is at most 2x.", _below_its_double), None, "why")
    again = pickle.loads(pickle.dumps(broken))
    assert str(again) == str(broken) and again.law == broken.law


@pytest.mark.parametrize("laws", [[], ["below"]])
def test_what_is_not_a_law_is_refused(laws):
    with pytest.raises(InputError, match="laws must be one or more Law objects"):
        check_laws(abs, laws)


@pytest.mark.parametrize("number", [0, -3, 2.5, True])
def test_a_number_of_examples_that_is_none_is_refused(number):
    with pytest.raises(InputError, match="max_examples must be a positive integer"):
        check_laws(abs, [BELOW], max_examples=number)


def test_public_names_resolve():
    for name in tlstat.testing.__all__:
        assert getattr(tlstat.testing, name) is not None, name
    assert set(tlstat.testing.__all__) <= set(dir(tlstat.testing))
    with pytest.raises(AttributeError, match="no attribute 'check_nothing'"):
        tlstat.testing.check_nothing  # noqa: B018


def test_hypothesis_is_imported_only_when_a_law_is_run():
    script = (
        "import sys, tlstat, tlstat.testing\n"
        "from tlstat.testing import Law, check_laws\n"
        "assert 'hypothesis' not in sys.modules\n"
        "check_laws(abs, [Law('zero', 'zero', lambda f: None)])\n"
        "assert 'hypothesis' not in sys.modules and 'numpy' not in sys.modules\n"
        "from hypothesis import strategies as st\n"
        "check_laws(abs, [Law('any', 'any', lambda f, x: None, lambda: st.integers())])\n"
        "assert 'hypothesis' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
