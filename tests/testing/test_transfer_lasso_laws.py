"""The room's own solvers obey the laws, and misuse is answered."""

import importlib.util

import numpy as np
import pytest
from hypothesis import given, settings
from sklearn.linear_model import Lasso, Ridge

from tlstat.errors import InputError
from tlstat.testing import BrokenLaw, check_transfer_estimator, regression_problems
from tlstat.testing.transfer_lasso import RegressionProblem, transfer_laws
from tlstat.testing.transfer_lasso.subjects import OPTIONS, taken_options
from tlstat.transfer_lasso import TransferLasso
from tlstat.transfer_lasso.moments import solve_moments
from tlstat.transfer_lasso.solver import solve

# nearly unpenalised columns: the solver says that it cannot certify what it found
unconverged = pytest.mark.filterwarnings("ignore:the relative duality gap")


def by_solver(X, y, l1, l2, source_coef, **options):
    return solve(X, y, l1, l2, source_coef=source_coef, tol=1e-9, **options).coef


def by_moments(X, y, l1, l2, source_coef):
    n = len(y)
    return solve_moments(X.T @ X / n, X.T @ y / n, l1, l2, source_coef)


@unconverged
def test_the_solver_with_all_its_weights():
    assert check_transfer_estimator(by_solver, tol=1e-9, max_examples=6) == []


def test_the_solver_of_moments():
    """But for laws with near-singular Gram matrices, at which plain descent says that it stops."""
    slow = {"least squares", "conic solver"}
    laws = [law.name for law in transfer_laws() if law.name not in slow]
    assert check_transfer_estimator(by_moments, tol=1e-10, max_examples=5, laws=laws) == []


@unconverged
@pytest.mark.filterwarnings("ignore:column .* of X is constant")
def test_the_estimator():
    assert check_transfer_estimator(TransferLasso(), tol=1e-10, max_examples=4) == []


def test_a_broken_law_is_named_with_its_case():
    with pytest.raises(BrokenLaw, match="'ends' is broken.*\n.*at zero.*\n.*RegressionProblem"):
        check_transfer_estimator(lambda X, y, l1, l2, b0: 1e3 * np.abs(y).max() + b0, laws=["ends"])


def seen(examples, **arguments):
    """What a strategy produces in some examples."""
    cases = []

    @given(regression_problems(**arguments))
    @settings(max_examples=examples, database=None)
    def draw(case):
        cases.append(case)

    draw()
    return cases


def columns(case):
    X = case.X / np.where(case.curvature > 0, np.sqrt(case.curvature), 1.0)
    return [X[:, j] for j in range(case.p)]


DEGENERATE = {
    "one row": lambda c: c.n == 1,
    "p > n": lambda c: c.p > c.n,
    "zero column": lambda c: np.any(np.all(c.X == 0, axis=0)),
    "constant column": lambda c: c.n > 1 and np.any(np.ptp(c.X, axis=0) == 0),
    "repeated column": lambda c: (
        c.p > 1 and np.any(c.X[:, 0] != 0) and np.array_equal(c.X[:, 0], c.X[:, 1])
    ),
    "tiny": lambda c: 0 < np.max(np.abs(c.y)) < 1e-6,
    "huge": lambda c: np.max(np.abs(c.y)) > 1e6,
    "source of zeros": lambda c: not np.any(c.source_coef),
    "negative zero": lambda c: np.any((c.source_coef == 0) & np.signbit(c.source_coef)),
    "subnormal source": lambda c: np.any((c.source_coef != 0) & (np.abs(c.source_coef) < 1e-300)),
    "alpha = 0": lambda c: c.l1 == 0,
    "alpha = 1/2": lambda c: c.l1 == c.l2,
    "alpha = 1": lambda c: c.l2 == 0,
    "rows of weight 0": lambda c: c.sample_weight is not None and np.any(c.sample_weight == 0),
    "unpenalised column": lambda c: np.any(c.a + c.c == 0),
    "weights of columns": lambda c: not np.array_equal(c.u, c.v),
    "plain": lambda c: not c.options and c.n > c.p,
}


def test_the_strategy_produces_every_kind_of_problem():
    cases = seen(200, options=OPTIONS[:3])
    missing = [name for name, is_kind in DEGENERATE.items() if not any(map(is_kind, cases))]
    assert missing == []


def test_without_degenerate_problems():
    for case in seen(50, degenerate=False):
        assert np.all(np.any(case.X != 0, axis=0)) and not case.options
        assert np.all((case.source_coef == 0) | (np.abs(case.source_coef) > 1e-3))


@given(regression_problems(options=OPTIONS[:3]))
@settings(max_examples=50)
def test_the_strategy_keeps_its_word(case):
    assert case.X.shape == (case.n, case.p) and case.y.shape == (case.n,)
    assert case.l1 + case.l2 > 0 and min(case.l1, case.l2) >= 0
    assert np.isclose(np.sum(case.share), 1)
    again = eval(repr(case), {"RegressionProblem": RegressionProblem})
    np.testing.assert_array_equal(again.X, case.X)
    assert again.objective(case.beta) == case.objective(case.beta)


def test_names_are_unique():
    names = [law.name for law in transfer_laws(OPTIONS)]
    assert len(names) == len(set(names)) > 30


def test_options_are_those_that_are_taken():
    assert taken_options(by_solver) == OPTIONS
    assert taken_options(by_moments) == ()
    assert taken_options(Ridge()) == ("sample_weight", "fit_intercept")


def test_the_conic_law_is_left_out_without_cvxpy(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "tlstat.testing.transfer_lasso.optimality.find_spec",
        lambda name: None if name == "cvxpy" else found(name),
    )
    assert "conic solver" not in [law.name for law in transfer_laws()]
    with pytest.raises(InputError, match="needs cvxpy, which is not installed"):
        check_transfer_estimator(by_moments, laws=["conic solver"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: check_transfer_estimator(3), "estimator is 3"),
        (lambda: check_transfer_estimator(by_solver, laws=["truth"]), "laws has 'truth'"),
        (lambda: check_transfer_estimator(by_solver, tol=0), "tol is 0"),
        (lambda: check_transfer_estimator(by_moments, laws=["intercept"]), "takes fit_intercept"),
        (lambda: regression_problems(max_n=0), "min_n is 1, max_n 0"),
        (lambda: regression_problems(options=("loss",)), "options has 'loss'"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_an_estimator_without_a_source():
    with pytest.raises(InputError, match="no parameter lam, source_coef"):
        check_transfer_estimator(Lasso())
