"""Laws of formulas: the risk of an estimate, expected risks, upper bounds, minimax lower bounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.knowledge_transfer.estimators import LEVELS, STUDENTS
from tlstat.knowledge_transfer.models import Teacher
from tlstat.knowledge_transfer.risk import exact_risk, simulate_risks
from tlstat.testing.knowledge_transfer import enumeration as exact
from tlstat.testing.laws import BrokenLaw, Law, check_laws

_EPS = 1e-12
_SUM_EPS = 1e-10
_REPLICATES = 2_000
_FALSE_ALARM = 1e-9  # of one simulation


def _estimates() -> Any:
    """A teacher with a seed for an estimate of it."""
    from tlstat.testing.knowledge_transfer.strategies import problems

    return problems(0)


def _tiny_problems() -> Any:
    """Checked at every sample size up to the problem's."""
    from tlstat.testing.knowledge_transfer.strategies import problems

    return problems(5, max_inputs=3, max_labels=4, max_cells=6)


def _problems() -> Any:
    from tlstat.testing.knowledge_transfer.strategies import problems

    return problems(10**6)


def _rivals(problem: Any) -> np.ndarray:
    """Estimates of a teacher: a random one, the truth, and a deterministic one."""
    pi, rng = problem.teacher.pi, problem.rng
    A = pi.shape[1]
    points = np.eye(A)[rng.integers(A, size=len(pi))]
    return np.stack([rng.dirichlet(np.full(A, 0.5), size=len(pi)), pi, points])


# -------------------------------------------------------------------- risk of an estimate


def _is_a_share(risk: Any, problem: Any) -> None:
    found = np.asarray(risk(_rivals(problem), problem.teacher))
    assert found.shape == (3,), f"shape {found.shape} for three estimates"
    assert ((found >= 0) & (found <= 1 + _EPS)).all(), f"not in [0, 1]: {found.tolist()}"
    assert found[1] <= _EPS, f"risk {found[1]:g} of the truth"


def _is_the_best_events_gain(risk: Any, problem: Any) -> None:
    """Total variation is the largest difference in probability of a set of labels."""
    teacher = problem.teacher
    events = np.array(list(product((0, 1), repeat=teacher.A)))
    estimates = _rivals(problem)
    gains = ((estimates - teacher.pi) @ events.T).max(axis=-1)
    found = np.asarray(risk(estimates, teacher))
    expected = gains @ teacher.rho
    assert (abs(found - expected) <= _EPS).all(), (
        f"{found.tolist()}; the best sets of labels give {expected.tolist()}"
    )


def _follows_relabelling(risk: Any, problem: Any) -> None:
    teacher, rng = problem.teacher, problem.rng
    labels = np.argsort(rng.random(teacher.pi.shape), axis=1)
    inputs = rng.permutation(teacher.S)

    def moved(table: np.ndarray) -> np.ndarray:
        return np.take_along_axis(table, np.broadcast_to(labels, table.shape), -1)[..., inputs, :]

    other = Teacher(teacher.rho[inputs], moved(teacher.pi))
    before, after = risk(_rivals(problem), teacher), risk(moved(_rivals(problem)), other)
    assert (abs(np.asarray(after) - before) <= _EPS).all(), f"{before} became {after}"


def _ignores_absent_inputs(risk: Any, problem: Any) -> None:
    teacher, estimates = problem.teacher, _rivals(problem)
    wide = np.insert(estimates, teacher.S, np.eye(teacher.A)[0], axis=1)
    absent = np.eye(teacher.A)[[-1]]
    other = Teacher(np.append(teacher.rho, 0.0), np.vstack([teacher.pi, absent]))
    before, after = risk(estimates, teacher), risk(wide, other)
    assert (abs(np.asarray(after) - before) <= _EPS).all(), f"{before} became {after}"


def risk_laws() -> tuple[Law, ...]:
    """The laws of a risk ``(estimates (..., S, A), teacher) -> (...)``."""
    return (
        Law("share", "risks lie in [0, 1] and the truth has none.", _is_a_share, _estimates),
        Law(
            "events",
            "the risk is the mean over inputs of the best set's difference in probability.",
            _is_the_best_events_gain,
            _estimates,
        ),
        Law(
            "relabelling",
            "permuting labels at each input, and inputs, changes no risk.",
            _follows_relabelling,
            _estimates,
        ),
        Law(
            "absent inputs",
            "an input of probability zero contributes nothing.",
            _ignores_absent_inputs,
            _estimates,
        ),
    )


def check_risk(
    risk: Callable[[Any, Any], Any],
    *,
    laws: Iterable[Law] | None = None,
    max_examples: int = 100,
    collect: bool = False,
) -> list[BrokenLaw]:
    """Property-test a total-variation risk ``(estimates, teacher) -> risks``.

    Parameters
    ----------
    risk : callable
        Takes label laws of shape (..., S, A) and a `Teacher`, gives shape (...).
    laws, max_examples, collect
        As in `check_student`; the default laws are `risk_laws`.
    """
    laws = risk_laws() if laws is None else laws
    return check_laws(risk, laws, max_examples=max_examples, collect=collect)


# ------------------------------------------------------------------- exact expected risks


def _is_the_enumerated_risk(level: str, formula: Any, problem: Any) -> None:
    teacher = problem.teacher
    for n in range(problem.n + 1):
        value = float(formula(teacher, n))
        truth = exact.expected_risk(STUDENTS[level], teacher.rho, teacher.pi, n)
        assert abs(value - truth) <= _SUM_EPS, f"{value!r} at n={n}; enumeration gives {truth!r}"


def _agrees_with_simulation(level: str, formula: Any, problem: Any) -> None:
    """Empirical Bernstein (Maurer and Pontil, 2009, Theorem 4), valid for every law in [0, 1]."""
    teacher = problem.teacher
    value = float(formula(teacher, problem.n))
    risks = simulate_risks(teacher, problem.n, problem.rng, _REPLICATES, (level,))[:, 0]
    log_term = math.log(4 / _FALSE_ALARM)
    slack = math.sqrt(2 * risks.var(ddof=1) * log_term / _REPLICATES)
    slack += 7 * log_term / (3 * (_REPLICATES - 1))
    assert abs(value - risks.mean()) <= slack, (
        f"{value!r}; simulation gives {risks.mean():.6g} within {slack:.2g}"
    )


def exact_risk_laws(level: str) -> tuple[Law, ...]:
    """The laws of an expected risk ``(teacher, n) -> float`` of the level's own student."""
    _require_level(level)
    return (
        Law(
            "enumeration",
            "on tiny problems the formula is the sum over all samples.",
            partial(_is_the_enumerated_risk, level),
            _tiny_problems,
        ),
        Law(
            "simulation",
            f"the formula is the mean of {_REPLICATES} simulated risks "
            f"(each false alarm at most {_FALSE_ALARM:g}).",
            partial(_agrees_with_simulation, level),
            _problems,
        ),
    )


def check_exact_risk(
    formula: Callable[[Teacher, int], float],
    level: str,
    *,
    laws: Iterable[Law] | None = None,
    max_examples: int = 100,
    collect: bool = False,
) -> list[BrokenLaw]:
    """Test a formula for the expected risk of a level's student with uniform guesses.

    Parameters
    ----------
    formula : callable
        ``(teacher, n) -> float``.
    level : {"hard", "weighted", "partial", "soft"}
    laws, max_examples, collect
        As in `check_student`; the default laws are `exact_risk_laws`.
    """
    laws = exact_risk_laws(level) if laws is None else laws
    return check_laws(formula, laws, max_examples=max_examples, collect=collect)


# ----------------------------------------------------------------------------- bounds


def _bounds(bound: Any, teacher: Teacher, n: int, risk: float) -> None:
    value = float(bound(teacher, n))
    # nan: the bound says nothing there
    assert not value < risk - _SUM_EPS, f"bound {value!r} at n={n}; the expected risk is {risk!r}"


def _covers_tiny_problems(level: str, bound: Any, problem: Any) -> None:
    teacher = problem.teacher
    for n in range(problem.n + 1):
        risk = exact.expected_risk(STUDENTS[level], teacher.rho, teacher.pi, n)
        _bounds(bound, teacher, n, risk)


def _covers(level: str, bound: Any, problem: Any) -> None:
    _bounds(bound, problem.teacher, problem.n, exact_risk(problem.teacher, problem.n, level))


def _unfavourable_problems(level: str) -> Any:
    """The level's hardest known teachers: near them a wrong constant shows."""
    from hypothesis import strategies as st

    from tlstat.testing.knowledge_transfer.strategies import Problem

    def hardest(S: int, A: int, factor: int) -> Problem:
        n = factor * S * A
        if level in ("hard", "weighted"):
            # near uniform rows: the largest standard deviations
            return Problem(Teacher(np.full(S, 1 / S), np.full((S, A), 1 / A)), n)
        if level == "partial":
            return Problem(Teacher.instance2star(S, A + 1, n), n)
        rho = np.full(S + 1, min(1 / (n + 1), 1 / (S + 1)))
        rho[-1] = 1 - rho[:-1].sum()
        return Problem(Teacher.diracs(np.zeros(S + 1, dtype=int), A, rho), n)

    return st.builds(hardest, st.integers(1, 20), st.integers(2, 30), st.integers(4, 1_000))


def upper_bound_laws(level: str) -> tuple[Law, ...]:
    """The laws of an upper bound ``(teacher, n) -> float`` of a level's expected risk."""
    _require_level(level)
    tiny = Law(
        "enumeration",
        "the expected risk on tiny problems, summed over all samples, is at most the bound.",
        partial(_covers_tiny_problems, level),
        _tiny_problems,
    )
    if level == "weighted":
        return (tiny,)  # its risk has no closed form
    return (
        tiny,
        Law(
            "random teachers",
            "the exact risk on random teachers is at most the bound.",
            partial(_covers, level),
            _problems,
        ),
        Law(
            "unfavourable teachers",
            "the exact risk on the hardest teachers known is at most the bound.",
            partial(_covers, level),
            partial(_unfavourable_problems, level),
        ),
    )


def check_upper_bound(
    bound: Callable[[Teacher, int], float],
    level: str,
    *,
    laws: Iterable[Law] | None = None,
    max_examples: int = 100,
    collect: bool = False,
) -> list[BrokenLaw]:
    """Try to break an upper bound of the expected risk of a level's student.

    Parameters
    ----------
    bound : callable
        ``(teacher, n) -> float``, nan where it says nothing. A `tlstat.theory.Bound` is wrapped:
        ``lambda teacher, n: bound(S=teacher.S, A=teacher.A, n=n, outside="nan")``.
    level : {"hard", "weighted", "partial", "soft"}
    laws, max_examples, collect
        As in `check_student`; the default laws are `upper_bound_laws`.

    Notes
    -----
    The risks are exact (enumerated or by closed form), so a broken bound is wrong, not unlucky.
    The students guess uniformly; a bound for every guess must hold for them too.
    """
    laws = upper_bound_laws(level) if laws is None else laws
    return check_laws(bound, laws, max_examples=max_examples, collect=collect)


def _sizes() -> Any:
    from hypothesis import strategies as st

    return st.tuples(st.integers(1, 40), st.integers(2, 40), st.integers(0, 10**5))


def _is_attainable(level: str, bound: Any, case: Any) -> None:
    S, A, n = case
    value, ceiling = float(bound(S, A, n)), minimax_ceiling(level, S, A, n)
    assert not value > ceiling + _EPS, f"bound {value!r}; a student attains {ceiling!r}"


def minimax_ceiling(level: str, S: int, A: int, n: int) -> float:
    """What some student's risk never exceeds: an upper bound of the minimax risk.

    Uniform guessing has risk at most ``1 - 1/A`` at every level, and a student may ignore what
    it is told: the ceiling of a level is at most that of the levels below.
    """
    from tlstat.knowledge_transfer.minimax import largest_missing_mass

    ceiling = 1 - 1 / A
    if n > 0:
        ceiling = min(ceiling, math.sqrt(S * (A - 1) / (2 * (n + 1))) + S / (math.e * n))
    if level in ("partial", "weighted"):
        ceiling = min(ceiling, float(largest_missing_mass(S * A, n)))
    if level == "soft":
        ceiling = min(ceiling, (1 - 1 / A) * float(largest_missing_mass(S, n)))
    return ceiling


def lower_bound_laws(level: str) -> tuple[Law, ...]:
    """The laws of a minimax lower bound ``(S, A, n) -> float`` of a level."""
    _require_level(level)
    return (
        Law(
            "attainable",
            "the bound is at most the worst case of the best student known.",
            partial(_is_attainable, level),
            _sizes,
        ),
    )


def check_lower_bound(
    bound: Callable[[int, int, int], float],
    level: str,
    *,
    laws: Iterable[Law] | None = None,
    max_examples: int = 100,
    collect: bool = False,
) -> list[BrokenLaw]:
    """Try to break a minimax lower bound: one above the worst case of some student is wrong.

    Parameters
    ----------
    bound : callable
        ``(S, A, n) -> float``, nan where it says nothing.
    level : {"hard", "weighted", "partial", "soft"}
        "weighted" is told what "partial" is.
    laws, max_examples, collect
        As in `check_student`; the default laws are `lower_bound_laws`.
    """
    laws = lower_bound_laws(level) if laws is None else laws
    return check_laws(bound, laws, max_examples=max_examples, collect=collect)


def _require_level(level: str) -> None:
    if level not in LEVELS:
        raise InputError(f"level must be one of {', '.join(LEVELS)}; got {level!r}")
