"""Several spaces on one task, with paired intervals over test sets."""

import math

import numpy as np
import pytest

from tlstat.errors import InputError
from tlstat.inductive_bias import (
    BooleanSpace,
    KernelSpace,
    NetworkSpace,
    ThresholdSpace,
    compare_spaces,
    inductive_bias,
    kernels,
)
from tlstat.inductive_bias.spaces import cube

RNG = np.random.default_rng(0)
X, X_TEST = RNG.uniform(0, 1, (12, 1)), RNG.uniform(0, 1, (40, 1))
DATA = (X, np.sin(6 * X[:, 0]), X_TEST, np.sin(6 * X_TEST[:, 0]))
SPACES = {
    "smooth": kernels.rbf(0.3),
    "rough": kernels.matern(0.3, 0.5),
    "ntk": kernels.ntk(1, bias=0.5),
}


def test_the_biases_are_those_of_each_space():
    found = compare_spaces(SPACES, *DATA, 0.01)
    for name, space in SPACES.items():
        alone = inductive_bias(space, *DATA, 0.01)
        assert found.biases[name] == alone
        assert found.differences[name] == alone.nats - found.biases["smooth"].nats
        low, high = found.intervals[name]
        assert low <= found.differences[name] <= high
    assert found.reference == "smooth" and found.intervals["smooth"] == (0.0, 0.0)
    frame = found.frame
    assert list(frame["space"]) == list(SPACES)
    assert frame["difference"].iloc[0] == 0 and found.table.row_count == 3


def test_pairing_narrows_the_interval():
    # nearly the same space: the difference hardly depends on the test points
    pair = {"a": kernels.matern(0.3, 1.5), "b": KernelSpace(kernels.matern(0.3, 1.5), noise=1e-6)}
    paired = compare_spaces(pair, *DATA, 0.01)
    alone = inductive_bias(pair["a"], *DATA, 0.01, event="population")
    low, high = paired.intervals["b"]
    assert high - low < 0.2 * 2 * alone.details["test_set_half_width"]


def test_paired_intervals_cover_the_mean_difference():
    spaces = {"a": kernels.rbf(0.1), "b": kernels.matern(0.3, 0.5)}
    rng = np.random.default_rng(5)
    found = []
    for repeat in range(25):
        A = rng.uniform(0, 1, (40, 1))
        result = compare_spaces(
            spaces, X, DATA[1], A, np.sin(6 * A[:, 0]), 0.1, groups=20, seed=repeat
        )
        found.append((result.differences["b"], *result.intervals["b"]))
    differences, low, high = np.array(found).T
    truth = differences.mean()
    covered = int(np.sum((low <= truth) & (truth <= high)))
    # at a coverage of 0.9 fewer than 15 of 25 have probability 1e-5; the nominal one is 0.95
    assert covered >= 15
    # and the intervals are not merely wide
    assert np.median(high - low) < 7 * differences.std()


def test_counted_spaces_are_compared():
    X_bits, y = cube(4), cube(4)[:, 0]
    given = (X_bits[:4], y[:4], X_bits[4:], y[4:], 0.25)
    spaces = {"thresholds": ThresholdSpace(4), "all": BooleanSpace(4)}
    found = compare_spaces(spaces, *given)
    assert [b.method for b in found.biases.values()] == ["counted", "counted"]
    assert found.differences["all"] > 0


def test_kernels_and_networks_are_compared():
    spaces = {"kernel": kernels.rbf(0.3), "network": NetworkSpace((4,), epochs=30)}
    found = compare_spaces(spaces, *DATA, 0.6, size=30, groups=10)
    assert [b.method for b in found.biases.values()] == ["exact", "monte_carlo"]
    assert np.isfinite(found.differences["network"])


def test_infinite_biases_have_no_finite_interval():
    twice = (X, DATA[1], np.vstack([X_TEST, X[:1]]), np.r_[DATA[3], 5.0])
    spaces = {
        "noisy": KernelSpace(kernels.matern(0.3, 0.5), noise=0.1),
        "exact": kernels.matern(0.3, 0.5),
    }
    found = compare_spaces(spaces, *twice, 0.1)
    assert found.differences["exact"] == math.inf
    assert found.intervals["exact"] == (-math.inf, math.inf)


@pytest.mark.parametrize(
    ("spaces", "changes", "message"),
    [
        ({"a": "rbf"}, {}, "at least two names"),
        (["rbf", "ntk"], {}, "no mapping"),
        (SPACES, {"groups": 2}, "groups is 2"),
        (SPACES, {"level": 2.0}, "level is 2.0"),
        ({"a": "rbf", "b": 3}, {}, "space is 3"),
    ],
)
def test_bad_input_is_named(spaces, changes, message):
    with pytest.raises(InputError, match=message):
        compare_spaces(spaces, *DATA, 0.01, **changes)


def test_few_test_points_say_nothing_of_others():
    with pytest.raises(InputError, match="y_test has 5 rows; expected at least 10"):
        compare_spaces(SPACES, X, DATA[1], X_TEST[:5], DATA[3][:5], 0.01)
