"""Laws of estimators of a representation.

A subject is ``function(X, y, r) -> (d, r)``: lists of matrices (n_j, d) and responses (n_j,) in,
orthonormal columns out, as the functions in `tlstat.task_diversity.estimators`; or an estimator
with the parameter ``n_components`` and the attribute ``components_`` (r, d).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.testing.laws import BrokenLaw, Law, check_laws
from tlstat.testing.task_diversity.strategies import multitask_problems, require, rotation

__all__ = ["check_representation_learner", "learner_laws"]

KINDS = ("any", "least-squares")
# squared distances of subspaces that are one but for rounding and an iteration's tolerance
_SAME = 1e-6


def _learn(subject: Any, X: Any, y: Any, r: int) -> np.ndarray:
    found = np.asarray(subject([x.copy() for x in X], [v.copy() for v in y], r), dtype=float)
    d = X[0].shape[1]
    require(found.shape == (d, r), f"shape {found.shape}, not {(d, r)}")
    require(np.all(np.isfinite(found)), "entries that are not finite")
    return found


def _distance(B_hat: np.ndarray, B: np.ndarray) -> float:
    return float(np.sum((B - B_hat @ (B_hat.T @ B)) ** 2))


def _same(found: np.ndarray, expected: np.ndarray, what: str) -> None:
    apart = _distance(found, expected)
    require(apart <= _SAME, f"{what}: the span moves, |sin|_F^2 = {apart:.3g}")


def _orthonormal(subject: Any, case: Any) -> None:
    B = _learn(subject, case.X, case.y, case.r)
    off = float(np.max(np.abs(B.T @ B - np.eye(case.r))))
    require(off <= 1e-8, f"B'B differs from I by {off:.3g}")


def _arguments(subject: Any, case: Any) -> None:
    X, y = [x.copy() for x in case.X], [v.copy() for v in case.y]
    subject(X, y, case.r)
    for name, now, before in (("X", X, case.X), ("y", y, case.y)):
        same = len(now) == len(before) and all(map(np.array_equal, now, before))
        require(same, f"{name} was changed")


def _tasks(subject: Any, case: Any) -> None:
    order = case.rng.permutation(len(case.y))
    expected = _learn(subject, case.X, case.y, case.r)
    found = _learn(subject, [case.X[j] for j in order], [case.y[j] for j in order], case.r)
    _same(found, expected, "tasks permuted")


def _samples(subject: Any, case: Any) -> None:
    rng = case.rng
    orders = [rng.permutation(len(v)) for v in case.y]
    expected = _learn(subject, case.X, case.y, case.r)
    X = [x[order] for x, order in zip(case.X, orders, strict=True)]
    y = [v[order] for v, order in zip(case.y, orders, strict=True)]
    _same(_learn(subject, X, y, case.r), expected, "samples permuted within tasks")


def _flip(subject: Any, case: Any) -> None:
    signs = case.rng.choice([-1.0, 1.0], len(case.y))
    expected = _learn(subject, case.X, case.y, case.r)
    X = [s * x for s, x in zip(signs, case.X, strict=True)]
    _same(_learn(subject, X, case.y, case.r), expected, "covariates of some tasks negated")
    y = [s * v for s, v in zip(signs, case.y, strict=True)]
    _same(_learn(subject, case.X, y, case.r), expected, "responses of some tasks negated")


def _scale(subject: Any, case: Any) -> None:
    expected = _learn(subject, case.X, case.y, case.r)
    found = _learn(subject, case.X, [7.0 * v for v in case.y], case.r)
    _same(found, expected, "responses times 7")


def _rotate(subject: Any, case: Any) -> None:
    Q = rotation(case.rng, case.B.shape[0])
    expected = _learn(subject, case.X, case.y, case.r)
    found = _learn(subject, [x @ Q.T for x in case.X], case.y, case.r)
    _same(Q.T @ found, expected, "covariates rotated")


def _consistent(subject: Any, case: Any) -> None:
    apart = _distance(_learn(subject, case.X, case.y, case.r), case.B)
    require(apart <= 0.2, f"|sin|_F^2 = {apart:.3g} with about 10,000 samples")


def _exact(subject: Any, case: Any) -> None:
    apart = _distance(_learn(subject, case.X, case.y, case.r), case.B)
    require(apart <= _SAME, f"|sin|_F^2 = {apart:.3g} without noise")


def _loss(case: Any, B: np.ndarray) -> float:
    total = 0.0
    for x, v in zip(case.X, case.y, strict=True):
        Z = x @ B
        rest = v - Z @ np.linalg.lstsq(Z, v, rcond=None)[0]
        total += float(rest @ rest)
    return total


def _stationary(subject: Any, case: Any) -> None:
    B, rng = _learn(subject, case.X, case.y, case.r), case.rng
    here = _loss(case, B)
    for _ in range(10):
        step = 1e-3 * rng.normal(size=B.shape)
        there = min(_loss(case, B + step), _loss(case, B - step))
        require(there >= here * (1 - 1e-6), f"a step lowers the loss from {here} to {there}")
    require(here <= _loss(case, case.B) * (1 + 1e-9), "the loss at the truth is smaller")


def _duplicate(subject: Any, case: Any) -> None:
    expected = _learn(subject, case.X, case.y, case.r)
    X = [np.vstack([x, x]) for x in case.X]
    y = [np.concatenate([v, v]) for v in case.y]
    _same(_learn(subject, X, y, case.r), expected, "every row twice")


def _law(name: str, statement: str, check: Callable[..., None], cases: Any = None) -> Law:
    return Law(name, statement, check, cases or multitask_problems)


def _quiet() -> Any:
    return multitask_problems(noise=0.0)


def _easy() -> Any:
    return multitask_problems(noise=0.1, large=True)


def _noisy() -> Any:
    return multitask_problems(noise=0.1)


_ANY = (
    _law("orthonormal", "Columns are orthonormal.", _orthonormal),
    _law("arguments", "The arguments are left as they were.", _arguments),
    _law("tasks", "The order of tasks does not matter.", _tasks),
    _law("samples", "The order of samples within tasks does not matter.", _samples),
    _law("sign flip", "The sign of a task does not matter.", _flip),
    _law("scaling", "The scale of the responses does not matter.", _scale),
    _law("rotation", "Rotated covariates give the rotated span.", _rotate),
    _law("consistent", "With many samples the span is found.", _consistent, _easy),
)
_LEAST_SQUARES = (
    _law("exact", "Without noise the span is found exactly.", _exact, _quiet),
    _law("stationary", "No step lowers the sum of squares.", _stationary, _noisy),
    _law("duplication", "Every row twice changes nothing.", _duplicate, _noisy),
)


def learner_laws(kind: str = "any") -> tuple[Law, ...]:
    """The laws of a kind of learner.

    Parameters
    ----------
    kind : {"any", "least-squares"}
        Every estimator for covariates of covariance I, or multi-task least squares.
    """
    if kind not in KINDS:
        raise InputError(f"kind is {kind!r}; expected 'any' or 'least-squares'")
    return _ANY if kind == "any" else (*_ANY, *_LEAST_SQUARES)


def as_learner(learner: Any) -> Callable[..., np.ndarray]:
    """A function ``(X, y, r) -> B`` from an estimator or a function.

    Raises
    ------
    InputError
        If it is neither callable nor an estimator with ``n_components``.
    """
    if isinstance(learner, type):
        learner = learner()
    if not hasattr(learner, "get_params"):
        if not callable(learner):
            raise InputError(
                f"learner is {learner!r}; expected a function (X, y, r) or an estimator with the "
                "parameter n_components"
            )
        return lambda X, y, r: np.asarray(learner(X, y, r))
    if "n_components" not in learner.get_params():
        raise InputError(f"learner {learner!r} has no parameter n_components")

    def fit(X: Any, y: Any, r: int) -> np.ndarray:
        from sklearn.base import clone

        return np.asarray(clone(learner).set_params(n_components=r).fit(X, y).components_).T

    return fit


def check_representation_learner(
    learner: Any,
    kind: str = "any",
    *,
    laws: Iterable[str] | None = None,
    max_examples: int = 25,
    collect: bool = False,
    shrink: bool = True,
) -> list[BrokenLaw]:
    """Run the laws of representation learners on a function or an estimator.

    Parameters
    ----------
    learner : callable or estimator
        ``f(X, y, r) -> (d, r)``, or with ``n_components`` and ``components_``.
    kind : {"any", "least-squares"}
    laws : iterable of str, optional
        Names of some laws; all of the kind by default.
    max_examples, collect, shrink
        As in `check_laws`.

    Returns
    -------
    list of BrokenLaw

    Raises
    ------
    BrokenLaw
        Naming the first broken law and a counterexample; not with ``collect``.
    InputError
        For an unknown kind or law, or something that is no learner.
    """
    every = learner_laws(kind)
    if laws is not None:
        wanted, known = list(laws), [law.name for law in every]
        unknown = [name for name in wanted if name not in known]
        if unknown:
            raise InputError(f"laws has {unknown[0]!r}; expected some of {', '.join(known)}")
        every = tuple(law for law in every if law.name in wanted)
    subject = as_learner(learner)
    return check_laws(subject, every, max_examples=max_examples, collect=collect, shrink=shrink)
