"""Laws of rules that choose a hypothesis from a source and a target sample, and of populations.

A rule is ``rule(sample) -> index`` on a `tlstat.minimax.sampling.Sample`, one index for each
replicate. A population has ``excess_P``, ``excess_Q``, ``disagreement_P``, ``disagreement_Q``, its
exponents with their constants, and ``chart`` with ``chart_dimension``, as those in
`tlstat.minimax.models`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.testing.laws import BrokenLaw, Law, check_laws


def threshold_samples(max_n: int = 12) -> Any:
    """Strategy for batches of small samples on a line, as `CellSample`: 3 replicates.

    Parameters
    ----------
    max_n : int
        Largest sample size; 0 occurs on either side.
    """
    from hypothesis import strategies as st

    return st.builds(_drawn, st.integers(0, 2**32 - 1), *[st.integers(0, max_n)] * 2)


def _drawn(seed: int, n_P: int, n_Q: int) -> Any:
    """Labels that mostly agree with a threshold, not the same one for both samples."""
    from tlstat.minimax.sampling import CellSample

    rng = np.random.default_rng(seed)
    edges = np.linspace(-1, 1, 9)
    points: list[Any] = []
    for n, centre in ((n_P, rng.uniform(-0.5, 0.5)), (n_Q, 0.0)):
        x = rng.uniform(-1, 1, (3, n))
        flip = rng.random((3, n)) < 0.2
        points += [x, 1 * ((x >= centre) != flip)]
    x_P, y_P, x_Q, y_Q = points
    return CellSample.from_points(edges, x_P, y_P, x_Q, y_Q, rng)


def _index(rule: Any, sample: Any) -> np.ndarray:
    return np.asarray(rule(sample))


def _errors(errors: Any, index: np.ndarray) -> np.ndarray:
    return np.take_along_axis(np.asarray(errors), index[:, None], axis=-1)[:, 0]


def _row(sample: Any, k: int) -> Any:
    """One replicate as a batch of its own."""
    from tlstat.minimax.sampling import CellSample

    parts = (sample.cells_P[k : k + 1], sample.cells_Q[k : k + 1])
    return CellSample(sample.thresholds, *parts, sample.n_P, sample.n_Q, sample.ties[k : k + 1])


def _valid(rule: Any, sample: Any) -> None:
    index = _index(rule, sample)
    assert index.shape == (3,), f"indices have shape {index.shape}; expected (3,), one a replicate"
    assert index.dtype.kind in "iu", f"indices are {index.dtype}; expected integers"
    H = sample.thresholds.shape[-1]
    assert ((index >= 0) & (index < H)).all(), f"indices {index} are not in [0, {H})"


def _batch(rule: Any, sample: Any) -> None:
    together = _index(rule, sample)
    alone = np.concatenate([_index(rule, _row(sample, k)) for k in range(3)])
    assert np.array_equal(together, alone), f"{together} in one batch, {alone} one by one"


def _empty(rule: Any, sample: Any) -> None:
    from tlstat.minimax.sampling import CellSample

    nothing = 0 * sample.cells_P
    only_P = CellSample(sample.thresholds, sample.cells_P, nothing, sample.n_P, 0, sample.ties)
    only_Q = CellSample(sample.thresholds, nothing, sample.cells_Q, 0, sample.n_Q, sample.ties)
    for left, errors, name in (
        (only_P, sample.errors_P, "source"),
        (only_Q, sample.errors_Q, "target"),
    ):
        found = _errors(errors, _index(rule, left))
        best = np.asarray(errors).min(axis=-1)
        assert np.array_equal(found, best), (
            f"with the {name} sample alone, errors {found} (relative) where {best} are possible"
        )


def _radius(sample: Any, k: int, best: int, h: int, c: float) -> float:
    """``c sqrt(D A) + c A`` in numbers of points, with ``A = log(n)``."""
    differs = abs(int(sample.cells_Q[k, min(best, h) : max(best, h)].sum()))
    capacity = math.log(max(sample.n_Q, 1))
    return c * math.sqrt(capacity * differs) + c * capacity


def _constrained(c: float, selects: bool) -> Callable[[Any, Any], None]:
    """What algorithms I and II promise about their output, replicate by replicate."""

    def check(rule: Any, sample: Any) -> None:
        if sample.n_P == 0 or sample.n_Q == 0:
            return
        chosen = _index(rule, sample)
        source, target = np.asarray(sample.errors_P), np.asarray(sample.errors_Q)
        for k in range(3):
            ties = np.flatnonzero(target[k] == target[k].min())
            gaps = target[k] - target[k].min()
            # which target minimiser a rule compares with is its own affair, if there are several
            allowed = [
                {h for h in range(gaps.size) if gaps[h] <= _radius(sample, k, int(b), h, c)}
                for b in ties
            ]
            h = int(chosen[k])
            if selects:
                fine = any(_selected(source[k], target[k], h, members) for members in allowed)
            else:
                fine = any(
                    h in members and source[k][h] == min(source[k][i] for i in members)
                    for members in allowed
                )
            assert fine, (
                f"replicate {k}: hypothesis {h} with source errors {source[k].tolist()} and target "
                f"errors {target[k].tolist()} (relative); allowed {allowed}"
            )

    return check


def _selected(source: np.ndarray, target: np.ndarray, h: int, members: set[int]) -> bool:
    """h is a source minimiser that is allowed, or a target one because some is not."""
    best = set(np.flatnonzero(source == source.min()).tolist())
    if h in best and h in members:
        return True
    return bool(target[h] == target.min()) and not best <= members


def _accepts(rule: Any, sample: Any) -> None:
    """A rule for which a sample is too small to reject anything follows the source."""
    if sample.n_P == 0 or sample.n_Q == 0:
        return
    found = _errors(sample.errors_P, _index(rule, sample))
    best = np.asarray(sample.errors_P).min(axis=-1)
    assert np.array_equal(found, best), f"source errors {found}, not the least {best}"


RULE_LAWS = (
    Law("valid", "One index of a hypothesis for each replicate.", _valid, threshold_samples),
    Law("batch", "Replicates do not see each other.", _batch, threshold_samples),
    Law("alone", "With one sample it is that sample's minimiser.", _empty, threshold_samples),
)


def rule_laws(kind: str, c: float = 1.0) -> tuple[Law, ...]:
    """The laws of a kind of rule.

    Parameters
    ----------
    kind : {"any", "confidence-set", "select"}
    c : float
        Factor of the radius ``c sqrt(D log n) + c log n`` (in numbers of points, D those on which
        two hypotheses differ); inf allows everything.
    """
    if kind == "any":
        return RULE_LAWS
    if kind not in ("confidence-set", "select"):
        raise InputError(f"kind is {kind!r}; expected 'any', 'confidence-set' or 'select'")
    if c == math.inf:
        name = "A radius without end follows the source."
        return (*RULE_LAWS, Law("no constraint", name, _accepts, threshold_samples))
    statement = (
        "The source's minimiser if the target accepts it, else the target's."
        if kind == "select"
        else "The best on the source among what the target cannot reject."
    )
    check = _constrained(c, kind == "select")
    return (*RULE_LAWS, Law("constraint", statement, check, threshold_samples))


def check_transfer_rule(
    rule: Callable[[Any], Any],
    kind: str = "any",
    *,
    c: float = 1.0,
    laws: Iterable[Law] | None = None,
    max_examples: int = 60,
    collect: bool = False,
) -> list[BrokenLaw]:
    """Look for samples on which a rule breaks what its kind promises.

    Parameters
    ----------
    rule : callable
        ``rule(sample)``, indices of hypotheses.
    kind, c
        As in `rule_laws`.
    laws, max_examples, collect
        As in `check_vote_error`.

    Returns
    -------
    list of BrokenLaw
    """
    chosen = rule_laws(kind, c) if laws is None else laws
    return check_laws(rule, chosen, max_examples=max_examples, collect=collect)


# ------------------------------------------------------------------------------ populations


def charted() -> Any:
    """Strategy for points of a model's chart: seeds of 64 points in the unit cube."""
    from hypothesis import strategies as st

    return st.integers(0, 2**32 - 1)


def _hypotheses(model: Any, seed: int) -> Any:
    u = np.random.default_rng(seed).uniform(size=(64, model.chart_dimension))
    return model.chart(u)


def _holds(left: Any, right: Any, what: str) -> None:
    left, right = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    worst = int(np.argmax(left - right * (1 + 1e-9)))
    fine = left[worst] <= right[worst] * (1 + 1e-9) + 1e-15
    assert fine, f"{what}: {left[worst]:.6g} is above {right[worst]:.6g}"


def _excess(model: Any, seed: int) -> None:
    h = _hypotheses(model, seed)
    for law in ("P", "Q"):
        excess = np.asarray(getattr(model, f"excess_{law}")(h))
        _holds(-excess, 0 * excess, f"-excess_{law} <= 0")


def _transfer(model: Any, seed: int) -> None:
    h, floor = _hypotheses(model, seed), getattr(model, "floor", 0.0)
    beyond = np.maximum(0.0, np.asarray(model.excess_Q(h)) - floor)
    _holds(beyond**model.rho, model.C_rho * model.excess_P(h), "excess_Q^rho <= C_rho excess_P")


def _bernstein(model: Any, seed: int) -> None:
    h = _hypotheses(model, seed)
    for law in ("P", "Q"):
        beta, constant = getattr(model, f"beta_{law}"), getattr(model, f"C_beta_{law}")
        excess = np.asarray(getattr(model, f"excess_{law}")(h), dtype=float)
        mass = getattr(model, f"disagreement_{law}")(h)
        _holds(mass, constant * excess**beta, f"disagreement_{law} <= C_beta_{law} excess^beta")


def _marginal(model: Any, seed: int) -> None:
    h = _hypotheses(model, seed)
    from_source = getattr(model, "disagreement_Q_from_source", model.disagreement_Q)
    left = np.asarray(from_source(h), dtype=float) ** model.gamma_marginal
    _holds(left, model.C_gamma * model.disagreement_P(h), "Q mass^gamma <= C_gamma P mass")


MODEL_LAWS = (
    Law("excess", "No hypothesis is better than the best.", _excess, charted),
    Law("transfer", "The transfer exponent holds with its constant.", _transfer, charted),
    Law("noise", "Both Bernstein conditions hold with their constants.", _bernstein, charted),
    Law("marginal", "The marginal exponent holds with its constant.", _marginal, charted),
)


def check_transfer_model(
    model: Any,
    *,
    laws: Iterable[Law] = MODEL_LAWS,
    max_examples: int = 20,
    collect: bool = False,
) -> list[BrokenLaw]:
    """Look for a hypothesis on which a population's declared exponents fail.

    Parameters
    ----------
    model : object
        With ``excess_P``, ``excess_Q``, ``disagreement_P``, ``disagreement_Q``, ``chart``,
        ``chart_dimension``, ``rho``, ``beta_P``, ``beta_Q``, ``gamma_marginal`` and the constants
        ``C_rho``, ``C_beta_P``, ``C_beta_Q``, ``C_gamma``.
    laws, max_examples, collect
        As in `check_vote_error`.

    Returns
    -------
    list of BrokenLaw
    """
    return check_laws(model, laws, max_examples=max_examples, collect=collect)
