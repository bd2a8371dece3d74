"""The judge: claims and results in, verdicts out, both kinds of error controlled.

With K claims in the family every claim is judged at alpha/K, so the chance of any false verdict of
either kind in the whole family is at most alpha: at most one of a claim's two nulls is true.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from tlstat.errors import InputError
from tlstat.theory.verdict import Outcome, Status, Verdict

if TYPE_CHECKING:
    from tlstat.theory.power import PowerCard

LIMIT = 1000  # more than this many times the replicates at hand is no advice


def judge(
    study: Any,
    results: Any,
    *,
    alpha: float = 0.01,
    family: int | None = None,
    control: str = "bonferroni",
    claims: Sequence[Any] | None = None,
    cards: bool = True,
) -> list[Verdict]:
    """Judge a study's claims on its results.

    Parameters
    ----------
    study : Study
    results : Results
    alpha : float
        Level of the whole family: P(any false SUPPORTED or false REFUTED) <= alpha.
    family : int, optional
        Number of claims in the family, declared in advance (default: the study's claims).  Claims
        that are not judged now count too, so that no selection changes a status.
    control : {"bonferroni", "holm"}
        "holm" is less strict, but then a status depends on which claims are judged.
    claims : sequence of Claim, optional
        A selection of the study's claims.
    cards : bool, default True
        Whether to make the power cards; no status depends on them.

    Returns
    -------
    list of Verdict
        One a claim, in their order.

    Raises
    ------
    InputError
        If ``alpha``, ``family`` or ``control`` is not as described, or a claim cannot be judged.
    """
    chosen = tuple(study.claims if claims is None else claims)
    size = family if family is not None else max(1, len(study.claims), len(chosen))
    return judge_family([(study, results, chosen)], alpha=alpha, family=size, control=control)


def judge_family(
    runs: Sequence[tuple[Any, Any, Sequence[Any]]],
    *,
    alpha: float = 0.01,
    family: int,
    control: str = "bonferroni",
) -> list[Verdict]:
    """Judge the claims of several studies that share one error level.

    Parameters
    ----------
    runs : sequence of (study, results, claims)
    alpha, family, control
        As in :func:`judge`.

    Returns
    -------
    list of Verdict
        One a claim, in their order.
    """
    if not 0 < alpha < 1:
        raise InputError(f"alpha must be in (0, 1), got {alpha!r}")
    if control not in ("bonferroni", "holm"):
        raise InputError(f"control must be 'bonferroni' or 'holm', got {control!r}")
    if family < 1:
        raise InputError(f"family must be a positive number of claims, got {family!r}")
    level = alpha / family
    asked = [(claim, study, results) for study, results, claims in runs for claim in claims]
    outcomes = [claim.test(study, results, level) for claim, study, results in asked]
    random = [i for i, o in enumerate(outcomes) if not o.exact]
    supported = [o.p_supported <= 0.0 for o in outcomes]
    refuted = [o.p_refuted <= 0.0 for o in outcomes]
    for flags, values in (
        (supported, [outcomes[i].p_supported for i in random]),
        (refuted, [outcomes[i].p_refuted for i in random]),
    ):
        for i, decision in zip(random, decisions(values, alpha, family, control), strict=True):
            flags[i] = decision
    return [
        verdict_of(claim, study, outcome, s, r, level, family)
        for (claim, study, _), outcome, s, r in zip(
            asked, outcomes, supported, refuted, strict=True
        )
    ]


def family_size(studies: Iterable[Any]) -> int:
    """Claims that share the level: those of studies with replicates (exact ones cost nothing)."""
    return max(1, sum(len(s.claims) for s in studies if s.replicates))


def decisions(p_values: Sequence[float], alpha: float, size: int, control: str) -> list[bool]:
    """Which nulls are rejected in a family of ``size`` (absent claims count as p = 1)."""
    if control == "bonferroni":
        return [p <= alpha / size for p in p_values]
    padded = list(p_values) + [1.0] * max(0, size - len(p_values))
    return [p <= alpha for p in holm(padded)[: len(p_values)]]


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values: reject those at most alpha."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, running = [1.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = running
    return adjusted


def verdict_of(
    claim: Any,
    study: Any,
    outcome: Outcome,
    supported: bool,
    refuted: bool,
    level: float,
    family: int = 1,
    cards: bool = True,
) -> Verdict:
    """The verdict on one claim, from its outcome and the two decisions."""
    supported = supported and not outcome.veto_supported
    status = Status.INCONCLUSIVE
    if refuted:
        status = Status.REFUTED
    elif supported:
        status = Status.SUPPORTED
    reason, advice = _reason(outcome, status, supported)
    wanted = (
        Status.REFUTED if getattr(claim, "expect", "supported") == "refuted" else (Status.SUPPORTED)
    )
    cells = [row["cell"] for row in outcome.cells if "cell" in row]
    return Verdict(
        claim=claim,
        status=status,
        estimate=outcome.estimate,
        interval=outcome.interval,
        predicted=outcome.predicted,
        replicates=outcome.replicates,
        validity=(refuted and outcome.validity_refuted) or outcome.validity,
        power=_card(outcome) if cards else None,
        reason=reason,
        study=study.name,
        sentence=claim.sentence(study, cells),
        margin=outcome.margin,
        advice=advice,
        p_supported=outcome.p_supported,
        p_refuted=outcome.p_refuted,
        level=level,
        expected=status is wanted,
        cells=outcome.cells,
        dropped=outcome.dropped,
        assumptions=outcome.assumptions,
        needed=outcome.needed,
        windows=outcome.windows,
        family=family,
    )


def plan_replicates(verdict: Verdict) -> int | None:
    """Replicates a cell that would decide this claim with power .9; None where unknown.

    The estimates of the run at hand are taken for the truth.
    """
    return verdict.needed


def _card(outcome: Outcome) -> PowerCard | None:
    return outcome.power() if callable(outcome.power) else outcome.power


def _reason(outcome: Outcome, status: Status, supported: bool) -> tuple[str, str]:
    if status is Status.REFUTED:
        if supported:
            return "the statement as given is false, but by less than the tolerance", ""
        return outcome.note, ""
    if status is Status.SUPPORTED:
        return outcome.note, ""
    veto = outcome.veto_supported or outcome.veto_refuted
    if veto:
        return veto, outcome.advice
    return _undecided(outcome)


def _undecided(outcome: Outcome) -> tuple[str, str]:
    """No veto, and not enough evidence: how many replicates would do."""
    if outcome.exact:
        reason = "PRECISION: the numeric error is larger than the distance to the edge"
        return reason, "tighten the quadrature or the solver"
    if outcome.needed is None or outcome.needed > LIMIT * max(1, outcome.replicates):
        reason = "BOUNDARY: the truth sits at the edge of the claim"
        return reason, "widen the tolerance, or claim equals"
    needed = round_up(max(outcome.needed, outcome.replicates + 1))
    return "PRECISION: too few replicates", f"about {needed} replicates a cell would decide"


def round_up(count: float) -> int:
    """To two significant digits, upwards."""
    unit = 10 ** max(0, math.floor(math.log10(max(count, 1))) - 1)
    return int(math.ceil(count / unit) * unit)
