"""What the room ships obeys its own laws; strategies give what they promise."""

import math

import numpy as np
import pytest
from hypothesis import given

from tlstat.errors import InputError
from tlstat.minimax.cost import cost_optimal
from tlstat.minimax.cube import bayes_lower_bound
from tlstat.minimax.estimators import (
    confidence_set_erm,
    equal_erm,
    mirrored_erm,
    pooled_erm,
    select,
    weighted_erm,
)
from tlstat.minimax.models import (
    GaussianHalfSpaces,
    HalfPlanes,
    Intervals,
    PowerThresholds,
    ShiftedCentre,
    Stumps,
)
from tlstat.minimax.vote import vote_error
from tlstat.testing import check_transfer_model, check_transfer_rule, check_vote_error
from tlstat.testing.minimax import (
    VOTE_LAWS,
    check_lower_bound,
    check_purchase,
    enumerated_error,
    rule_laws,
    threshold_samples,
    transfer_classes,
    vote_settings,
)


def test_the_kernel_obeys_every_law():
    assert check_vote_error(vote_error, max_examples=60) == []


def test_the_lower_bound_obeys_every_law():
    assert check_lower_bound(bayes_lower_bound, max_examples=12) == []


def test_the_optimiser_obeys_every_law():
    assert check_purchase(cost_optimal) == []


@pytest.mark.parametrize(
    ("rule", "kind", "c"),
    [
        (pooled_erm, "any", 1.0),
        (equal_erm, "any", 1.0),
        (mirrored_erm, "any", 1.0),
        (lambda sample: weighted_erm(sample, 0.3), "any", 1.0),
        (confidence_set_erm, "confidence-set", 1.0),
        (lambda sample: confidence_set_erm(sample, c=0.3), "confidence-set", 0.3),
        (lambda sample: confidence_set_erm(sample, c=math.inf), "confidence-set", math.inf),
        (select, "select", 1.0),
        (lambda sample: select(sample, c=0.0), "select", 0.0),
        (lambda sample: select(sample, c=math.inf), "select", math.inf),
    ],
    ids=[
        *("pooled", "equal", "mirrored", "weighted", "I", "I, narrow", "I, open", "II"),
        *("II, narrow", "II, open"),
    ],
)
def test_rules_obey_every_law(rule, kind, c):
    assert check_transfer_rule(rule, kind, c=c) == []


@pytest.mark.parametrize(
    "model",
    [
        PowerThresholds(2, 1, 1, 0.5, 0.7, 0.6),
        PowerThresholds(0.5, 1),
        ShiftedCentre(0.2, 2.0, 1.0),
        Intervals(2.0, 1.0),
        HalfPlanes(3.0, 1.0, 1.0, 1.0),
        Stumps(3, 2.0),
        GaussianHalfSpaces(np.diag([1.0, 2.0, 4.0]), np.eye(3), [1.0, 1.0, 0.5]),
    ],
    ids=lambda model: type(model).__name__,
)
def test_populations_obey_every_law(model):
    assert check_transfer_model(model) == []


@given(vote_settings(max_n=5))
def test_enumeration_agrees_with_the_kernel(case):
    assert enumerated_error(case) == pytest.approx(vote_error(**case), abs=1e-10)
    weights = (1.0, 2.5)
    assert enumerated_error(case, weights) == pytest.approx(
        vote_error(**case, weights=weights), abs=1e-10
    )


@given(threshold_samples())
def test_samples_have_three_replicates_and_may_be_empty(sample):
    assert sample.cells_P.shape == (3, 8, 2)
    assert sample.cells_P.sum(axis=(1, 2)).tolist() == [sample.n_P] * 3
    assert sample.cells_Q.sum(axis=(1, 2)).tolist() == [sample.n_Q] * 3


@given(transfer_classes())
def test_classes_are_those_of_the_theorem(case):
    assert case["rho"] >= 1 and case["d"] >= 2
    assert 0 <= case["beta_P"] < 1 and 0 <= case["beta_Q"] < 1


def test_laws_have_names_and_sentences():
    for laws in (VOTE_LAWS, rule_laws("select"), rule_laws("confidence-set")):
        assert len({law.name for law in laws}) == len(laws)
        assert all(law.statement.endswith(".") for law in laws)
    with pytest.raises(InputError, match="kind is 'erm'; expected 'any', 'confidence-set'"):
        rule_laws("erm")
