"""`inductive_bias` on data: methods, events, curves, sensitivity, and what is refused."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.gaussian_process.kernels import RBF

from tlstat.errors import InputError
from tlstat.inductive_bias import (
    BooleanSpace,
    GeneralizedChiSquared,
    HalfspaceSpace,
    KernelSpace,
    LinearSpace,
    NetworkSpace,
    ParitySpace,
    ThresholdSpace,
    bias_curve,
    bias_of,
    inductive_bias,
    kernels,
    one_hot,
    sensitivity,
    tails,
)
from tlstat.inductive_bias.spaces import AngleLaw, cube

RNG = np.random.default_rng(0)
X, X_TEST = RNG.uniform(0, 1, (12, 1)), RNG.uniform(0, 1, (10, 1))
Y, Y_TEST = np.sin(6 * X[:, 0]), np.sin(6 * X_TEST[:, 0])
SMOOTH = kernels.matern(0.5, 1.5)
DATA = (X, Y, X_TEST, Y_TEST)


def law():
    return KernelSpace(SMOOTH).condition(X, Y).error_law(X_TEST, Y_TEST)


# ------------------------------------------------------------------ methods


def test_kernels_are_exact():
    x = 0.1 * law().mean()
    bias = inductive_bias(SMOOTH, *DATA, x)
    found = tails.contour(law(), x)
    assert bias.nats == found.nats and bias.bits == found.bits
    assert bias.interval[0] <= bias.nats <= bias.interval[1] <= bias.nats + 1e-9
    assert (bias.method, bias.event, bias.m, bias.C) == ("exact", "test", 10, 1)
    assert bias.n_eff == pytest.approx(tails.effective_dimension(law(), x, exact=True))
    assert bias.per_output == bias.nats / 10
    assert bias.mean_error == law().mean()
    assert bias.space["kernel"] == "matern(length=0.5, nu=1.5)"


@pytest.mark.parametrize("method", ["saddlepoint", "chernoff", "small_ball", "tilted",
                                    "moment_matched", "monte_carlo", "splitting"])  # fmt: skip
def test_every_method_speaks_of_the_same_number(method):
    x = {"small_ball": 1e-7, "moment_matched": 0.6}.get(method, 0.3) * law().mean()
    exact = inductive_bias(SMOOTH, *DATA, x)
    size = {"monte_carlo": 20_000, "splitting": 200}.get(method)
    bias = inductive_bias(SMOOTH, *DATA, x, method=method, size=size, level=1 - 1e-6)
    assert bias.method == method
    assert bias.interval[0] - 1e-9 <= exact.nats <= bias.interval[1] + 1e-9
    assert bias.nats == pytest.approx(exact.nats, abs=0.5 if method != "chernoff" else 4.0)


def test_the_published_rule_is_offered_and_told_apart():
    bias = inductive_bias(SMOOTH, *DATA, 0.1 * law().mean(), method="published", size=500)
    assert bias.interval == (0.0, math.inf) and "published rule" in bias.notes[0]
    assert {"df", "nc", "scale"} <= set(bias.details)


def test_finite_spaces_are_counted():
    bits, y = cube(3), cube(3)[:, 0]
    bias = inductive_bias(ThresholdSpace(3), bits[:3], y[:3], bits, y, 0.0)
    fitting = ThresholdSpace(3).condition(bits[:3], y[:3])
    assert bias.method == "counted" and bias.nats == pytest.approx(math.log(len(fitting.rows)))
    assert bias.details == {"good": "1", "fitting": str(len(fitting.rows))}
    assert bias.loss == "zero_one" and bias.n_eff is None
    weighed = inductive_bias(ThresholdSpace(3, "gaussian"), bits[:3], y[:3], bits, y, 0.0)
    assert (
        weighed.interval[1] - weighed.interval[0] > 1e-4 and "weights are known" in weighed.notes[0]
    )


def test_a_finite_space_without_a_law_is_sampled():
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (60, 40))
    bias = inductive_bias(
        ParitySpace(40), bits[:3], np.zeros(3, int), bits[3:], np.zeros(57, int), 0.45
    )
    assert bias.method == "monte_carlo" and 0 < bias.nats < 3


def test_classification_error_of_a_kernel_is_sampled_or_split():
    rng = np.random.default_rng(1)
    inputs = rng.standard_normal((30, 2))
    labels = (inputs[:, 0] > 0).astype(int)
    given = (SMOOTH, inputs[:15], labels[:15], inputs[15:], labels[15:])
    often = inductive_bias(*given, 0.2, loss="zero_one", size=2000)
    assert often.method == "monte_carlo" and often.C == 2
    seldom = inductive_bias(*given, 0.0, loss="zero_one", size=50)
    assert seldom.method == "splitting"
    check = inductive_bias(*given, 0.0, loss="zero_one", method="monte_carlo", size=100_000)
    assert seldom.interval[0] < check.interval[1] and check.interval[0] < seldom.interval[1]


@pytest.mark.parametrize("kind", ["scikit-learn", "name", "function", "space"])
def test_kernels_are_taken_as_they_come(kind):
    def plain(A, B):
        return np.exp(-((A - B.T) ** 2) / 2)

    space = {"scikit-learn": RBF(1.0), "name": "rbf", "function": plain, "space": KernelSpace()}
    noise_free = inductive_bias(space[kind], *DATA, 1e-9).nats
    assert noise_free == pytest.approx(inductive_bias(kernels.rbf(1.0), *DATA, 1e-9).nats, rel=1e-3)


def test_torch_modules_are_trained():
    from torch import nn

    bias = inductive_bias(
        nn.Sequential(nn.Linear(1, 3), nn.Tanh(), nn.Linear(3, 1)), *DATA, 0.5, size=10
    )
    assert bias.method == "monte_carlo" and bias.space["network"] == "Sequential"
    assert bias.details["hypotheses"] == 10


# ------------------------------------------------------------------ values at the ends


def test_an_unreachable_error_is_an_infinite_bias_with_the_reason():
    duplicated = np.vstack([X_TEST, X[:1]]), np.r_[Y_TEST, Y[0] + 1.0]
    bias = inductive_bias(SMOOTH, X, Y, *duplicated, 0.05)
    assert bias.nats == math.inf and bias.interval == (math.inf, math.inf)
    assert bias.smallest_error == pytest.approx(1 / 11, rel=1e-6)
    assert "smallest possible" in bias.notes[0] and "0.0909" in bias.notes[0]
    exactly = inductive_bias(SMOOTH, X, Y, *duplicated, bias.smallest_error)
    assert exactly.nats == math.inf and "not above" in exactly.notes[0]
    assert json.loads(json.dumps(bias.to_dict(), allow_nan=False))["nats"] == "inf"


def test_directions_without_variance_are_counted():
    spiked = np.r_[Y_TEST, 5.0]
    bias = inductive_bias(kernels.rbf(1.0), X, Y, np.vstack([X_TEST, X[:1]]), spiked, 0.1)
    assert bias.nats == math.inf and bias.details["clipped_modes"] > 0
    assert f"{bias.details['clipped_modes']} directions" in bias.notes[0]
    assert bias.details["modes"] + bias.details["clipped_modes"] == 11


def test_an_easy_error_demands_nothing():
    bias = inductive_bias(SMOOTH, *DATA, 100.0)
    assert bias.nats == 0.0 and bias.interval[0] == 0.0
    bits, y = cube(2), np.zeros(4, int)
    assert inductive_bias(BooleanSpace(2), bits[:1], y[:1], bits, y, 1.0).nats == 0.0


def test_a_counted_space_without_a_good_hypothesis():
    bits = cube(2)
    bias = inductive_bias(ThresholdSpace(2), bits[:1], [0], bits, [0, 1, 1, 0], 0.0)
    assert bias.nats == math.inf and bias.method == "counted"


def test_singular_kernels_give_a_point_or_nothing():
    rng = np.random.default_rng(0)
    A, B, theta = rng.standard_normal((6, 2)), rng.standard_normal((4, 2)), np.array([1.0, 2.0])
    line = kernels.polynomial(1, offset=0.0)
    assert inductive_bias(line, A, A @ theta, B, B @ theta, 1e-6).nats == 0.0
    assert inductive_bias(line, A, A @ theta, B, B @ theta + 1, 0.5).nats == math.inf


def test_hopelessly_pinned_down_labels_are_pointed_out():
    rng = np.random.default_rng(0)
    A, y = rng.uniform(size=(40, 1)), rng.integers(0, 2, 40).astype(float)
    near = A + 1e-3
    bias = inductive_bias(kernels.rbf(0.02), A[:30], y[:30], near, 1 - y, 0.1)
    assert bias.n_eff > 40 and "Noise or jitter changes the answer" in bias.notes[0]
    deep = inductive_bias(SMOOTH, *DATA, 1e-6 * law().mean())
    assert deep.n_eff == pytest.approx(10, abs=0.5) and "counts test outputs" in deep.notes[0]


# ------------------------------------------------------------------ known laws


def test_known_laws_have_a_bias_too():
    bias = bias_of(AngleLaw(10), 0.05)
    assert bias.nats == pytest.approx(18.7312, abs=1e-3) and bias.event == "population"
    chi = bias_of(GeneralizedChiSquared([0.5], [20], [3.0]), 0.25, m=20)
    assert chi.nats == pytest.approx(30.66, abs=0.005) and chi.per_output == chi.nats / 20
    parity = ParitySpace(8).condition(np.eye(8, dtype=int)[:3], [1, 0, 0])
    assert bias_of(parity.population_law([1, 0, 0, 1, 1, 0, 1, 0]), 0.3).nats == pytest.approx(
        5 * math.log(2)
    )


@settings(max_examples=20)
@given(st.floats(0.1, 10.0), st.integers(1, 40))
def test_scaling_everything_leaves_the_bias_alone(c, k):
    x = 0.05 * k * law().mean()
    scaled = KernelSpace(SMOOTH, variance=c * c)
    bias = inductive_bias(scaled, X, c * Y, X_TEST, c * Y_TEST, c * c * x)
    assert bias.nats == pytest.approx(inductive_bias(SMOOTH, *DATA, x).nats, rel=1e-6, abs=1e-9)


# ------------------------------------------------------------------ labels


def test_classes_are_made_one_hot_and_numbers_are_not():
    rng = np.random.default_rng(0)
    A, B = rng.standard_normal((20, 2)), rng.standard_normal((6, 2))
    a, b = np.arange(20) % 3, np.arange(6) % 3
    hot, hot_test, classes = one_hot(a, b)
    assert classes.tolist() == [0, 1, 2]
    expected = inductive_bias("rbf", A, hot, B, hot_test, 0.1)
    names = np.array(["a", "b", "c"])
    for labels, test in ((a, b), (names[a], names[b]), (names[a].astype(object), names[b])):
        found = inductive_bias("rbf", A, labels, B, test, 0.1)
        assert found.nats == expected.nats and found.C == 3
    numbers = inductive_bias("rbf", A, a, B, b, 0.1, task="regression")
    assert numbers.C == 1 and numbers.nats != expected.nats
    assert inductive_bias("rbf", A, a.astype(float), B, b.astype(float), 0.1).nats == numbers.nats


def test_frames_and_tensors_are_taken():
    import pandas as pd
    import torch

    expected = inductive_bias(SMOOTH, *DATA, 0.01)
    frames = (pd.DataFrame(X), pd.Series(Y), pd.DataFrame(X_TEST), pd.Series(Y_TEST))
    assert inductive_bias(SMOOTH, *frames, 0.01) == expected
    assert inductive_bias(SMOOTH, *map(torch.as_tensor, DATA), 0.01) == expected
    sparse = csr_array(X)
    assert inductive_bias(SMOOTH, sparse, Y, X_TEST, Y_TEST, 0.01) == expected
    bits, y = pd.DataFrame(cube(3)), pd.Series(cube(3)[:, 0])
    counted = inductive_bias(ThresholdSpace(3), bits[:3], y[:3], bits, y, 0.0)
    assert (
        counted.nats
        == inductive_bias(
            ThresholdSpace(3), cube(3)[:3], cube(3)[:3, 0], cube(3), cube(3)[:, 0], 0.0
        ).nats
    )


# ------------------------------------------------------------------ the population


def test_a_weighted_grid_is_the_population():
    nodes, weights = np.polynomial.legendre.leggauss(80)
    fine = (nodes[:, None] + 1) / 2
    x = 0.3 * law().mean()
    grid = (fine, np.sin(6 * fine[:, 0]), weights)
    on_grid = inductive_bias(SMOOTH, *DATA, x, event="population", grid=grid)
    assert on_grid.event == "population (weighted grid)" and on_grid.method == "exact"
    dense = ((np.arange(500) + 0.5) / 500)[:, None]
    equal = (dense, np.sin(6 * dense[:, 0]))
    other = inductive_bias(SMOOTH, *DATA, x, event="population", grid=equal)
    assert other.nats == pytest.approx(on_grid.nats, rel=1e-3)


@pytest.fixture(scope="module")
def settled():
    """A task whose bias hardly depends on the test set, and its value in L2."""

    def target(A):
        return np.sin(6 * A[:, 0])

    space, train = KernelSpace(kernels.rbf(0.25), noise=0.05), X[:6]
    fine = ((np.arange(400) + 0.5) / 400)[:, None]
    truth = inductive_bias(
        space, train, target(train), X, Y, 0.05, event="population", grid=(fine, target(fine))
    ).nats
    return space, train, target, truth


def test_intervals_over_test_sets_cover_the_population(settled):
    space, train, target, truth = settled
    rng = np.random.default_rng(11)
    covered = wide = 0
    for repeat in range(30):
        A = rng.uniform(0, 1, (60, 1))
        bias = inductive_bias(
            space,
            train,
            target(train),
            A,
            target(A),
            0.05,
            event="population",
            groups=20,
            seed=repeat,
        )
        covered += bias.interval[0] <= truth <= bias.interval[1]
        wide += math.isinf(bias.interval[1])
        assert bias.event == "population" and "half_test_set" in bias.details
    # at a coverage of 0.9 fewer than 19 of 30 have probability 2e-5; the nominal one is 0.95
    assert covered >= 19
    assert wide < 15


def test_a_bias_that_grows_with_the_test_set_has_no_upper_limit():
    rng = np.random.default_rng(0)
    A, B = rng.standard_normal((30, 20)), rng.standard_normal((60, 20))
    bias = inductive_bias("rbf", A, A[:, 0], B, B[:, 0], 0.5, event="population")
    assert bias.interval[1] == math.inf and "has not settled" in bias.notes[-1]
    assert bias.interval[0] < bias.nats


def test_the_population_event_of_sampled_hypotheses():
    space = NetworkSpace((4,), epochs=60, learning_rate=0.02)
    bias = inductive_bias(space, *DATA, 0.5, event="population", size=60, groups=10)
    assert bias.interval[0] <= bias.nats <= bias.interval[1]
    test = inductive_bias(space, *DATA, 0.5, size=60)
    assert test.nats == bias.nats
    assert bias.interval[1] - bias.interval[0] >= test.interval[1] - test.interval[0] - 1e-9


def test_noisy_labels_and_the_clean_function():
    noise, x = 0.3, 0.25
    noisy = inductive_bias(SMOOTH, *DATA, x, label_noise=noise)
    rng = np.random.default_rng(0)
    # averaging the probability over labels: P(e <= x) = E P(e <= x | labels)
    shares = []
    for _ in range(300):
        labels = Y_TEST + math.sqrt(noise) * rng.standard_normal(len(Y_TEST))
        shares.append(math.exp(-inductive_bias(SMOOTH, X, Y, X_TEST, labels, x).nats))
    error = np.std(shares) / math.sqrt(len(shares))
    # 5 standard errors
    assert abs(np.mean(shares) - math.exp(-noisy.nats)) < 5 * error
    assert noisy.mean_error == pytest.approx(law().mean() + noise)
    with pytest.raises(InputError, match="label_noise is given; expected the squared error"):
        inductive_bias(ThresholdSpace(1), [[0]], [0], [[1]], [1], 0.0, label_noise=0.1)
    with pytest.raises(InputError, match="population event without a grid"):
        inductive_bias(SMOOTH, *DATA, x, label_noise=noise, event="population")
    with pytest.raises(InputError, match="label_noise is -1"):
        inductive_bias(SMOOTH, *DATA, x, label_noise=-1)


# ------------------------------------------------------------------ curves and choices


def test_a_curve_is_the_bias_at_each_error():
    curve = bias_curve(SMOOTH, *DATA, label="matern")
    assert len(curve.biases) == 25 and np.all(np.diff(curve.nats) < 0)
    for bias in curve.biases[::6]:
        assert bias.nats == inductive_bias(SMOOTH, *DATA, bias.target_error).nats
    frame = curve.frame
    assert list(frame["method"].unique()) == ["exact"] and 5 < frame["n_eff"].iloc[0] <= 10
    figure = curve.plot()
    (line,) = figure.axes[0].lines
    assert len(line.get_xdata()) == 25 and line.get_label() == "matern"


def test_sampled_curves_use_one_sample_and_split_where_it_ends():
    halves = HalfspaceSpace(4)
    rng = np.random.default_rng(0)
    A = rng.standard_normal((30, 4))
    y = (A[:, 0] > 0).astype(int)
    curve = bias_curve(halves, A[:4], y[:4], A[4:], y[4:], [0.0, 0.2, 0.4], size=1000)
    assert [b.method for b in curve.biases] == ["splitting", "monte_carlo", "monte_carlo"]
    assert np.all(np.diff(curve.nats) < 0)


def test_sensitivity_shows_the_arbitrary_choices():
    x = 0.1 * law().mean()
    found = sensitivity(SMOOTH, *DATA, x)
    frame = found.frame
    assert set(frame["choice"]) == {
        "target_error",
        "test points",
        "variance",
        "kernel length",
        "jitter",
    }
    assert found.base.nats == inductive_bias(SMOOTH, *DATA, x).nats
    row = frame[(frame["choice"] == "variance") & (frame["value"] == "2")].iloc[0]
    expected = inductive_bias(KernelSpace(SMOOTH, variance=2.0), *DATA, x).nats
    assert row["nats"] == expected and row["ratio"] == expected / found.base.nats
    longer = frame[(frame["choice"] == "kernel length") & (frame["value"] == "1")].iloc[0]
    assert longer["nats"] == inductive_bias(kernels.matern(1.0, 1.5), *DATA, x).nats
    low, high = found.spread["target_error"]
    assert low < found.base.nats < high
    assert found.table.row_count == len(frame)


def test_sensitivity_takes_choices_and_reports_what_fails():
    choices = {"jitter": [0.0, 1e-6], "noise": [0.1]}
    twice = (np.vstack([X, X[:1]]), np.r_[Y, Y[0]], X_TEST, Y_TEST)
    found = sensitivity(SMOOTH, *twice, 0.01, choices=choices)
    rows = found.frame.set_index(["choice", "value"])
    assert "singular" in rows.loc[("jitter", "0"), "note"]
    assert math.isnan(rows.loc[("jitter", "0"), "nats"])
    assert rows.loc[("noise", "0.1"), "nats"] > 0
    with pytest.raises(InputError, match="choices has 'depth', which KernelSpace has not"):
        sensitivity(SMOOTH, *DATA, 0.01, choices={"depth": [1]})
    linear = sensitivity(LinearSpace(2.0, noise=0.1), *DATA, 0.3)
    assert {"tau", "noise"} <= set(linear.frame["choice"])
    bits, y = cube(3), cube(3)[:, 0]
    counted = sensitivity(ThresholdSpace(3), bits[:3], y[:3], bits, y, 0.25)
    assert set(counted.frame["choice"]) == {"target_error", "test points"}


# ------------------------------------------------------------------ bad input


def call(**changes):
    names = ("space", "X_train", "y_train", "X_test", "y_test", "target_error")
    arguments = {**dict(zip(names, ("rbf", *DATA, 0.1), strict=True)), **changes}
    return inductive_bias(**arguments)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target_error": -0.1}, "target_error is -0.1"),
        ({"target_error": math.nan}, "target_error is nan"),
        ({"target_error": [0.1, 0.2]}, "bias_curve takes several"),
        ({"method": "guess"}, "method is 'guess'; expected one of auto"),
        ({"event": "train"}, "event is 'train'"),
        ({"task": "ranking"}, "task is 'ranking'"),
        ({"level": 1.0}, "level is 1.0"),
        ({"loss": "hinge"}, "loss is 'hinge'"),
        ({"space": 3}, "space is 3; expected a hypothesis space"),
        ({"space": KernelSpace}, "space is the class KernelSpace"),
        ({"y_train": Y[:5]}, "X_train has 12 rows and y_train 5"),
        ({"y_test": Y[:5]}, "X_test has 10 rows and y_test 5"),
        ({"y_train": np.r_[math.nan, Y[1:]]}, r"y_train\[0, 0\] is nan|y_train\[0\] is nan"),
        ({"X_test": np.full((10, 1), math.nan)}, r"X_test\[0, 0\] is nan"),
        ({"X_test": np.zeros((0, 1)), "y_test": []}, "y_test is empty"),
        ({"X_train": 3.0}, "X_train is 3.0; expected an array"),
        ({"y_train": np.ones(12, int), "y_test": np.ones(10, int)}, "single class"),
        ({"y_train": np.arange(12) % 2, "y_test": np.arange(10) % 3}, "which y_train has not"),
        ({"y_train": Y, "y_test": np.array(["a"] * 10)}, "y_test has text"),
        ({"y_train": np.array(["a", None] * 6, dtype=object)}, "missing labels"),
        ({"grid": (X, Y)}, "grid is given with event='test'"),
        ({"grid": X, "event": "population"}, r"grid is no \(X, y\)"),
        ({"grid": (X, Y[:3]), "event": "population"}, "grid has 12 inputs and 3 values"),
        ({"event": "population", "groups": 3}, "groups is 3"),
        ({"event": "population", "weights": np.ones(10)}, "expected a weighted grid"),
        ({"weights": -np.ones(10)}, "weights must be at least 0"),
        ({"loss": "zero_one", "method": "exact"}, "no exact law of the zero_one error"),
        ({"method": "monte_carlo", "size": 0}, "size is 0"),
        ({"seed": "today"}, "rng is 'today'"),
        ({"moves": 3, "method": "exact"}, "'moves' is no option of method 'exact'; expected none"),
        ({"speed": 3}, "'speed' is no option of method 'auto'; expected some of n_particles"),
        ({"X_train": X + 1j}, "X_train has complex entries"),
        ({"y_train": 1e200 * Y}, r"y_train\[0\] is .*e\+199; expected numbers up to 1e\+100"),
    ],
)  # fmt: skip
def test_bad_input_is_named(changes, message):
    with pytest.raises(InputError, match=message):
        call(**changes)


def test_many_integers_are_no_classes_without_being_told():
    A, y = np.arange(50.0)[:, None], np.arange(50)
    with pytest.raises(InputError, match="50 different integers; expected task="):
        inductive_bias("rbf", A, y, A[:5] + 0.5, y[:5], 0.1)
    with pytest.raises(InputError, match="has discrete values"):
        inductive_bias(BooleanSpace(1), [[0]], [1], [[1]], [1], 0.0, task="regression")


def test_target_errors_of_a_curve_are_checked():
    for bad in ([], [-1.0], [math.nan], 3.0):
        with pytest.raises(InputError, match="target_errors is"):
            bias_curve(SMOOTH, *DATA, bad)
