"""The room's own solvers obey the laws, and misuse is answered."""

import numpy as np
import pytest
from hypothesis import given, settings

from tlstat.errors import InputError
from tlstat.testing import BrokenLaw, check_transfer_estimator, regression_problems
from tlstat.testing.transfer_lasso import RegressionProblem, transfer_laws
from tlstat.transfer_lasso import TransferLasso
from tlstat.transfer_lasso.moments import solve_moments
from tlstat.transfer_lasso.solver import solve


def by_solver(X, y, l1, l2, source_coef):
    return solve(X, y, l1, l2, source_coef=source_coef, tol=1e-9).coef


def by_moments(X, y, l1, l2, source_coef):
    n = len(y)
    return solve_moments(X.T @ X / n, X.T @ y / n, l1, l2, source_coef)


def test_the_solver():
    assert check_transfer_estimator(by_solver, tol=1e-7, max_examples=10) == []


def test_the_solver_of_moments():
    assert check_transfer_estimator(by_moments, tol=1e-10, max_examples=15) == []


def test_the_estimator():
    assert check_transfer_estimator(TransferLasso(), tol=1e-10, max_examples=8) == []


def test_a_broken_law_is_named_with_its_case():
    with pytest.raises(BrokenLaw, match="'ends' is broken.*\n.*at zero.*\n.*RegressionProblem"):
        check_transfer_estimator(lambda X, y, l1, l2, b0: 1e3 + b0, laws=["ends"])


@given(regression_problems())
@settings(max_examples=50)
def test_the_strategy_keeps_its_word(case):
    assert case.X.shape == (case.n, case.p) and case.y.shape == (case.n,)
    assert np.all(np.any(case.X != 0, axis=0)) and case.l1 + case.l2 > 0
    assert min(case.l1, case.l2) >= 0
    again = eval(repr(case), {"RegressionProblem": RegressionProblem})
    np.testing.assert_array_equal(again.X, case.X)


def test_names_are_unique():
    names = [law.name for law in transfer_laws()]
    assert len(names) == len(set(names)) > 20


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: check_transfer_estimator(3), "estimator is 3"),
        (lambda: check_transfer_estimator(by_solver, laws=["truth"]), "laws has 'truth'"),
        (lambda: regression_problems(max_n=0), "min_n is 1, max_n 0"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_an_estimator_without_a_source():
    from sklearn.linear_model import Lasso

    with pytest.raises(InputError, match="no parameter lam, source_coef"):
        check_transfer_estimator(Lasso())
