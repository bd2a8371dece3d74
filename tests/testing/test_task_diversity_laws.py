"""What the room ships obeys its own laws; strategies give what they promise."""

import numpy as np
import pytest
from hypothesis import given

from tlstat.errors import InputError
from tlstat.task_diversity.allocation import optimal_allocation
from tlstat.task_diversity.complexity import chain_rule, head_complexity
from tlstat.task_diversity.diversity import diversity
from tlstat.task_diversity.estimators import (
    alternating_minimisation,
    factored_descent,
    method_of_moments,
    split_half,
    u_statistic,
)
from tlstat.task_diversity.gaps import representation_gap
from tlstat.task_diversity.representation import LinearRepresentation
from tlstat.task_diversity.risk import transfer_excess_risk
from tlstat.task_diversity.subspace import squared_sines
from tlstat.testing import check_representation_learner
from tlstat.testing.task_diversity import (
    ALLOCATION_LAWS,
    CHAIN_LAWS,
    COMPLEXITY_LAWS,
    DIVERSITY_LAWS,
    GAP_LAWS,
    RISK_LAWS,
    SUBSPACE_LAWS,
    check_allocation,
    check_chain_rule,
    check_diversity_measure,
    check_head_complexity,
    check_representation_gap,
    check_subspace_distance,
    check_transfer_risk,
    learner_laws,
    multitask_problems,
    subspace_pairs,
    task_heads,
)


def test_angles_obey_every_law():
    assert check_subspace_distance(squared_sines, max_examples=40) == []


def test_gaps_obey_every_law():
    assert check_representation_gap(representation_gap, max_examples=30) == []


def test_gap_eigenvalues_obey_the_laws_of_angles():
    def sines(B_hat, B):
        return np.clip(np.linalg.eigvalsh(representation_gap(B_hat, B))[::-1], 0, 1)

    assert check_subspace_distance(sines, max_examples=20) == []


def test_diversity_obeys_every_law():
    assert check_diversity_measure(diversity, max_examples=40) == []


def test_risk_obeys_every_law():
    assert check_transfer_risk(transfer_excess_risk, max_examples=40) == []


def test_allocation_obeys_every_law():
    assert check_allocation(optimal_allocation, max_examples=12) == []


def test_complexities_obey_every_law():
    def value(Z, radius):
        return head_complexity(Z, radius).value

    assert check_head_complexity(value, max_examples=30) == []


@pytest.mark.parametrize("form", ["infimum", "stated"])
def test_both_forms_of_the_chain_rule_obey_every_law(form):
    assert check_chain_rule(lambda **case: getattr(chain_rule(**case), form)) == []


@pytest.mark.parametrize(
    ("learner", "kind", "examples"),
    [
        (lambda X, y, r: alternating_minimisation(X, y, r, tol=1e-9).B, "least-squares", 8),
        (method_of_moments, "any", 15),
        (u_statistic, "any", 15),
        (LinearRepresentation(tol=1e-9, fit_intercept=False), "least-squares", 6),
        (LinearRepresentation(tol=1e-9), "least-squares", 6),
        (LinearRepresentation(method="u-statistic", whiten=False), "any", 8),
        (LinearRepresentation(method="nuclear", tol=1e-10, max_iter=20_000), "any", 3),
    ],
    ids=["ERM", "moments", "U", "raw class", "class", "class, U", "class, nuclear"],
)
def test_learners_obey_every_law(learner, kind, examples):
    laws = None
    if isinstance(learner, LinearRepresentation) and learner.fit_intercept:
        # signs of covariates and of responses are one flip; a shift is another matter
        laws = [law.name for law in learner_laws(kind) if law.name != "stationary"]
    assert check_representation_learner(learner, kind, laws=laws, max_examples=examples) == []


@pytest.mark.filterwarnings("ignore::tlstat.task_diversity.data.TaskWarning")
def test_what_the_laws_say_of_published_shortcuts():
    """Splitting by position sees the order of samples; a fixed start is not equivariant."""
    broken = check_representation_learner(split_half, max_examples=20, collect=True, shrink=False)
    assert [found.law.name for found in broken] == ["samples"]
    rough = check_representation_learner(
        lambda X, y, r: factored_descent(X, y, r, n_iter=5, tol=1e-12).B,
        laws=["rotation", "tasks"],
        max_examples=20,
        collect=True,
        shrink=False,
    )
    assert {found.law.name for found in rough} == {"rotation", "tasks"}


@given(subspace_pairs())
def test_pairs_have_the_angles_that_they_name(case):
    cosines = np.linalg.svd(case.B_hat.T @ case.B, compute_uv=False)
    assert np.sort(cosines) == pytest.approx(np.cos(case.angles), abs=1e-12)
    assert "angles=" in repr(case)


@given(multitask_problems(), task_heads(spanning=True))
def test_problems_are_what_they_promise(problem, heads):
    assert pytest.approx(np.eye(problem.r), abs=1e-12) == problem.B.T @ problem.B
    assert len(problem.X) == len(problem.y) >= 3 * problem.r
    assert min(map(len, problem.y)) > 3 * problem.r
    assert len(heads.A) >= heads.A.shape[1] == np.linalg.matrix_rank(heads.A)
    assert pytest.approx(heads.A.T @ heads.A / len(heads.A)) == heads.C


def test_laws_have_names_and_sentences():
    for laws in (
        SUBSPACE_LAWS,
        GAP_LAWS,
        DIVERSITY_LAWS,
        RISK_LAWS,
        ALLOCATION_LAWS,
        COMPLEXITY_LAWS,
        CHAIN_LAWS,
        learner_laws("least-squares"),
    ):
        assert len({law.name for law in laws}) == len(laws)
        assert all(law.statement.endswith(".") for law in laws)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: learner_laws("best"), "kind is 'best'; expected 'any' or 'least-squares'"),
        (lambda: check_representation_learner(3), "learner is 3; expected a function"),
        (lambda: check_representation_learner(u_statistic, laws=["x"]), "laws has 'x'"),
    ],
    ids=["kind", "learner", "law"],
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
    from sklearn.linear_model import Ridge

    with pytest.raises(InputError, match="has no parameter n_components"):
        check_representation_learner(Ridge())
