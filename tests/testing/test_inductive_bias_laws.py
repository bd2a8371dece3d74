"""What the room ships obeys its own laws; strategies give what they promise."""

import math

import numpy as np
import pytest
from hypothesis import given

from tlstat.inductive_bias import GeneralizedChiSquared, inductive_bias
from tlstat.inductive_bias.spaces import FiniteSpace
from tlstat.inductive_bias.theory import EnumeratedClass
from tlstat.testing import (
    check_bias_estimate,
    check_error_tail,
    check_finite_bias,
    check_inductive_bias,
)
from tlstat.testing.inductive_bias import (
    BIAS_LAWS,
    CLASS_LAWS,
    ESTIMATE_LAWS,
    TAIL_LAWS,
    chernoff,
    finite_classes,
    quadratic_forms,
    regression_tasks,
    shallow_forms,
)


def exact_nats(weights, eps, *, df, nc, shift):
    return -float(GeneralizedChiSquared(weights, df, nc, shift).logcdf(eps))


def space_nats(labels, prior, target, train, test, errors):
    """By the room's finite spaces."""
    X = np.arange(labels.shape[1])[:, None]
    space = FiniteSpace(X, labels, log_weights=np.log(prior))
    fitted = space.condition(X[train], labels[target, train])
    law = fitted.error_law(X[test], labels[target, test])
    return -float(law.logcdf(errors / len(test)))


def set_nats(labels, prior, target, train, test, errors):
    """By sums over supersets."""
    one = EnumeratedClass(labels, prior)
    wrong = (labels[:, test] != labels[target, test]).sum(axis=1)
    sample = sum(1 << x for x in train)
    fits = one.mass(target)[sample]
    return -math.log(min(1.0, one.mass(target, wrong <= errors)[sample] / fits))


def counted(weights, eps, *, df, nc, shift, seed):
    """Shares among draws, with the exact binomial interval."""
    from scipy.stats import beta

    S = 2_000
    draws = GeneralizedChiSquared(weights, df, nc, shift).rvs(S, random_state=seed)
    k = int(np.sum(np.asarray(draws) <= eps))
    upper = math.inf if k == 0 else -math.log(beta.ppf(0.025, k, S - k + 1))
    lower = 0.0 if k == S else -math.log(beta.ppf(0.975, k + 1, S - k))
    return (math.inf if k == 0 else -math.log(k / S)), lower, upper


def test_the_law_obeys_every_law_of_tails():
    assert check_error_tail(exact_nats, max_examples=25) == []


@pytest.mark.parametrize("function", [space_nats, set_nats])
def test_counted_classes_obey_every_law(function):
    assert check_finite_bias(function, max_examples=60) == []


def test_counting_obeys_every_law_of_estimates():
    assert check_bias_estimate(counted, max_examples=8) == []


def test_the_bias_of_kernel_spaces_obeys_every_law():
    assert check_inductive_bias(inductive_bias, max_examples=12) == []


@given(quadratic_forms())
def test_forms_have_a_level_between_their_smallest_error_and_their_mean(case):
    mean = case["shift"] + float(np.sum(case["weights"] * (case["df"] + case["nc"])))
    assert case["shift"] < case["eps"] < mean
    assert len(case["weights"]) == len(case["df"]) == len(case["nc"])


@given(quadratic_forms(central=True))
def test_central_forms_have_no_offsets(case):
    assert not case["nc"].any()


@given(shallow_forms())
def test_shallow_forms_are_a_few_nats_deep(case):
    assert 0.5 <= chernoff(case) <= exact_nats(**case) <= 7


@given(finite_classes())
def test_classes_split_their_inputs(case):
    assert sorted([*case["train"], *case["test"]]) == list(range(5)) and case["test"]
    assert 0 <= case["errors"] <= len(case["test"]) and case["target"] < len(case["labels"])


@given(regression_tasks())
def test_tasks_have_consistent_shapes(case):
    assert case["X_train"].shape[0] == case["y_train"].shape[0]
    assert case["X_test"].shape[0] == case["y_test"].shape[0]
    assert case["y_test"].shape[1] == case["y_train"].shape[1]


def test_chernoff_of_one_scale():
    """x - 1 - log x, times half the degrees of freedom."""
    case = {
        "weights": np.array([2.0]), "df": np.array([10.0]), "nc": np.zeros(1),
        "shift": 1.0, "eps": 1.0 + 20 * 0.3,
    }  # fmt: skip
    assert chernoff(case) == pytest.approx(5 * (0.3 - 1 - math.log(0.3)), abs=1e-8)


def test_laws_have_names_and_sentences():
    for laws in (TAIL_LAWS, CLASS_LAWS, BIAS_LAWS, ESTIMATE_LAWS):
        assert len({law.name for law in laws}) == len(laws)
        assert all(law.statement.endswith(".") for law in laws)
