"""Laws of the bias of finite classes.

A subject is ``function(labels, prior, target, train, test, errors) -> float``: minus the log of
the share, in nats, that makes at most ``errors`` mistakes on the inputs ``test`` among the
hypotheses that agree with row ``target`` on the inputs ``train``. ``labels`` is (H, X) of 0 and
1, ``prior`` (H,) positive weights of any sum.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tlstat.testing.laws import BrokenLaw, Law, check_laws

_SLACK = 1e-9


def finite_classes(inputs: int = 5) -> Any:
    """Strategy for classes with a task: dicts of labels, prior, target, train, test, errors.

    Parameters
    ----------
    inputs : int
        Number of inputs.
    """
    from hypothesis import strategies as st

    rows = st.lists(st.integers(0, 2**inputs - 1), min_size=2, max_size=12, unique=True)
    weights = st.lists(st.floats(0.01, 10.0), min_size=12, max_size=12)
    order = st.permutations(range(inputs))
    cut = st.integers(0, inputs - 1)

    def table(drawn: Any) -> dict[str, Any]:
        rows, weights, order, cut, target, errors = drawn
        labels = (np.array(rows)[:, None] >> np.arange(inputs)) & 1
        train, test = sorted(order[:cut]), sorted(order[cut:])
        return {
            "labels": labels,
            "prior": np.array(weights[: len(rows)]),
            "target": target % len(rows),
            "train": train,
            "test": test,
            "errors": min(errors, len(test)),
        }

    parts = (rows, weights, order, cut, st.integers(0, 11), st.integers(0, inputs))
    return st.tuples(*parts).map(table)


def _nats(function: Any, case: Any, **changes: Any) -> float:
    return float(function(**{**case, **changes}))


def _same(found: float, expected: float, what: str) -> None:
    if found == expected:  # both may be infinite
        return
    assert abs(found - expected) <= _SLACK * (1 + abs(expected)), (
        f"{found} instead of {expected} nats: {what}"
    )


def _divergence(function: Any, case: Any) -> None:
    """The bias is the divergence of the successful hypotheses' law from the fitting ones'."""
    labels, prior, truth = case["labels"], case["prior"], case["labels"][case["target"]]
    fits = (labels[:, case["train"]] == truth[case["train"]]).all(axis=1)
    wrong = (labels[:, case["test"]] != truth[case["test"]]).sum(axis=1)
    base = prior * fits / prior[fits].sum()
    good = base * (wrong <= case["errors"])
    law = good / good.sum()
    on = law > 0
    expected = float(np.sum(law[on] * np.log(law[on] / base[on])))
    _same(_nats(function, case), expected, "divergence of those that reach the error")


def _monotone(function: Any, case: Any) -> None:
    values = [_nats(function, case, errors=k) for k in range(len(case["test"]) + 1)]
    assert all(a >= b - _SLACK for a, b in zip(values, values[1:], strict=False)), f"{values}"
    assert abs(values[-1]) <= _SLACK, f"{values[-1]} nats for any number of errors"


def _code_length(function: Any, case: Any) -> None:
    """Labels one at a time: the code lengths add up."""
    train, total = list(case["train"]), 0.0
    for x in case["test"]:
        total += _nats(function, case, train=sorted(train), test=[x], errors=0)
        train.append(x)
    _same(_nats(function, case, errors=0), total, "labels one at a time")


def _labelings(function: Any, case: Any) -> None:
    """Over all labelings of the test inputs that some fitting hypothesis has, shares sum to 1."""
    labels, truth = case["labels"], case["labels"][case["target"]]
    fits = np.flatnonzero((labels[:, case["train"]] == truth[case["train"]]).all(axis=1))
    _, first = np.unique(labels[np.ix_(fits, case["test"])], axis=0, return_index=True)
    shares = [math.exp(-_nats(function, case, target=int(fits[i]), errors=0)) for i in first]
    total = sum(shares)
    assert abs(total - 1) <= _SLACK, f"the shares of {len(shares)} labelings sum to {total}"


def _symmetric(function: Any, case: Any) -> None:
    value = _nats(function, case)
    flips = np.arange(case["labels"].shape[1]) % 2
    _same(_nats(function, case, labels=case["labels"] ^ flips), value, "other names of labels")
    _same(_nats(function, case, prior=17 * case["prior"]), value, "prior weights times 17")
    twice = {
        "labels": np.concatenate([case["labels"], case["labels"]]),
        "prior": np.concatenate([0.3 * case["prior"], 0.7 * case["prior"]]),
    }
    _same(_nats(function, case, **twice), value, "each hypothesis listed twice")


CLASS_LAWS = (
    Law("divergence", "The bias is a Kullback-Leibler divergence.", _divergence, finite_classes),
    Law("errors", "More allowed errors need no more nats, at last none.", _monotone,
        finite_classes),
    Law("code length", "Code lengths of labels add up.", _code_length, finite_classes),
    Law("labelings", "Shares of all labelings sum to 1.", _labelings, finite_classes),
    Law("symmetry", "Names of labels and listing of hypotheses do not matter.", _symmetric,
        finite_classes),
)  # fmt: skip


def check_finite_bias(
    function: Callable[..., Any],
    *,
    laws: Iterable[Law] = CLASS_LAWS,
    max_examples: int = 100,
    collect: bool = False,
) -> list[BrokenLaw]:
    """Look for a finite class whose inductive bias a function gets wrong.

    Parameters
    ----------
    function : callable
        ``function(labels, prior, target, train, test, errors)``, in nats, called with keywords.
    laws : iterable of Law
    max_examples : int
        Number of cases for each law.
    collect : bool
        Return all broken laws instead of raising the first.

    Raises
    ------
    BrokenLaw
    """
    return check_laws(function, laws, max_examples=max_examples, collect=collect)
