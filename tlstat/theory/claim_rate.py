"""The rate claim: how the mean falls along one swept parameter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

from tlstat.errors import InputError
from tlstat.theory.claim_base import (
    ADVICE,
    BaseClaim,
    cell_row,
    curve_key,
    no_evidence,
    quoted,
    require_bound,
    scope_of,
)
from tlstat.theory.evidence import Evidence, bound_value, gather
from tlstat.theory.power import PowerCard, make_card
from tlstat.theory.slopes import (
    Curve,
    Slope,
    drift_vetoes,
    fit_slope,
    judge_slope,
    nested_windows,
    slope_quantile,
)
from tlstat.theory.verdict import Outcome, number

MUTANT = 0.1  # the exponent error that a rate claim must be able to refute


@dataclass(frozen=True, eq=False, kw_only=True)
class Rate(BaseClaim):
    """Along ``along``, the mean follows the bound up to a constant (see :func:`claims.rate`)."""

    side: str = "both"
    asymptotic: bool = True
    kind: str = "rate"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_bound(self.bound)
        if not self.along:
            raise InputError("rate needs along=, the swept parameter")
        if self.side not in ("both", "upper", "lower"):
            raise InputError(f"side must be 'both', 'upper' or 'lower', got {self.side!r}")
        if isinstance(self.bound, int | float) and not self.bound > 0:
            raise InputError(
                f"bound={self.bound!r} is no rate: give a Bound, a function of (cell, model), or "
                "a positive number for a plateau"
            )

    def check(self, study: Any) -> None:
        super().check(study)
        from tlstat.theory.evidence import selected_cells

        cells = selected_cells(self, study)
        assert self.along is not None
        for key, members in _group(cells, self.along).items():
            values = {c[self.along] for c in members}
            if not all(isinstance(v, int | float) and v > 0 for v in values):
                raise InputError(f"claim {self.name!r}: {self.along} must be positive numbers")
            if len(values) < 3:
                raise InputError(
                    f"claim {self.name!r}: a rate needs at least 3 values of {self.along}, the "
                    f"cells {dict(key)} have {len(values)}"
                )

    def warnings(self, study: Any) -> list[str]:
        """A tolerance of 0.1 or more cannot see an exponent that is off by 0.1."""
        if self.tolerance >= MUTANT:
            return [
                f"claim {self.name!r}: tolerance {self.tolerance:g} cannot refute an exponent "
                f"that is off by {MUTANT:g}; use less than {MUTANT:g}"
            ]
        return []

    def sentence(self, study: Any, cells: Sequence[Any]) -> str:
        """What is judged, in words."""
        relation = {
            "both": "follows",
            "upper": "falls at least as fast as",
            "lower": "falls at most as fast as",
        }[self.side]
        return (
            f"the mean of {self.metric} {relation} {quoted(self.bound)} along {self.along}, "
            f"exponent within {self.tolerance:g}{scope_of(cells, self.where)}"
        )

    def test(self, study: Any, results: Any, level: float) -> Outcome:
        """Judge the slope of every curve: all must agree, one that does not refutes."""
        evidence = gather(self, study, results)
        curves, short = self._curves(evidence)
        if not curves:
            outcome = no_evidence(evidence)
            return outcome if not short else _too_short(outcome, short)
        fits = [fit_slope(curve) for curve, _ in curves]
        judged = [judge_slope(fit, self.tolerance, self.side) for fit in fits]
        vetoes = [drift_vetoes(fit, self.tolerance, self.side) for fit in fits]
        if not self.asymptotic:
            vetoes = [(False, False)] * len(fits)
        share = level / len(fits)
        worst = max(range(len(fits)), key=lambda i: self._offset(fits[i]))
        fit = fits[worst]
        half = slope_quantile(share, fit.df) * fit.se + fit.error
        supported, veto_s = self._supported(judged, vetoes, fits, evidence)
        refuted, veto_r = self._refuted(judged, vetoes, fits, evidence)
        return Outcome(
            p_supported=supported,
            p_refuted=refuted,
            estimate=fit.slope,
            interval=(fit.slope - half, fit.slope + half),
            predicted=fit.predicted,
            replicates=fit.replicates,
            validity=_validity(fits),
            margin=f"d = {fit.d:+.3g} +- {fit.se:.2g}, tolerance {self.tolerance:g}",
            veto_supported=veto_s,
            veto_refuted=veto_r,
            advice=self._advice(fit, veto_s or veto_r),
            needed=_needed(fits, self.tolerance, self.side, level),
            exact=all(f.exact for f in fits),
            cells=tuple(row for curve, cells in curves for row in _rows(curve, cells, share)),
            dropped=tuple(evidence.dropped),
            assumptions=evidence.assumptions,
            windows=tuple(nested_windows(curves[worst][0])),
            power=lambda: self._card(curves, level),
        )

    def _offset(self, fit: Slope) -> float:
        if fit.reason:
            return math.inf
        return {"both": abs(fit.d), "upper": fit.d, "lower": -fit.d}[self.side]

    def _curves(self, evidence: Evidence) -> tuple[list[tuple[Curve, list[Any]]], str]:
        assert self.along is not None
        pairs = list(zip(evidence.samples, evidence.models, strict=True))
        groups: dict[Any, list[tuple[Any, Any]]] = {}
        for sample, model in pairs:
            groups.setdefault(curve_key(sample.cell, self.along), []).append((sample, model))
        curves, short = [], ""
        for members in groups.values():
            members.sort(key=lambda pair: pair[0].cell[self.along])
            if len(members) < 3:
                short = f"only {len(members)} values of {self.along} are evidence"
                continue
            curves.append((self._curve(members), [s.cell for s, _ in members]))
        return ([], short) if short else (curves, "")

    def _curve(self, members: list[tuple[Any, Any]]) -> Curve:
        samples = [s for s, _ in members]
        bounds = np.array([bound_value(self.bound, s.cell, m, self) for s, m in members])
        if not np.all(np.isfinite(bounds) & (bounds > 0)):
            raise InputError(f"claim {self.name!r}: the bound must be positive on every cell")
        values = [None if s.exact is not None else np.asarray(s.values, float) for s in samples]
        exact = [(float(s.exact.value), float(s.exact.error)) if s.exact else None for s in samples]
        means = [
            e[0] if e else float(np.mean(np.asarray(v))) for e, v in zip(exact, values, strict=True)
        ]
        return Curve(
            x=np.array([float(s.cell[self.along]) for s in samples]),
            bound=bounds,
            values=values,
            means=np.array(means, float),
            errors=np.array([e[1] if e else 0.0 for e in exact]),
            streams=[s.stream for s in samples],
        )

    def _supported(
        self, judged: list[Any], vetoes: list[Any], fits: list[Slope], evidence: Evidence
    ) -> tuple[float, str]:
        veto = evidence.veto or next((_why(f) for f in fits if f.reason), "")
        if not veto:
            drifting = [f for f, v in zip(fits, vetoes, strict=True) if v[0]]
            veto = _drift(drifting[0]) if drifting else ""
        return (1.0 if veto else max(p for p, _ in judged)), veto

    def _refuted(
        self, judged: list[Any], vetoes: list[Any], fits: list[Slope], evidence: Evidence
    ) -> tuple[float, str]:
        if evidence.veto:
            return 1.0, evidence.veto
        usable = [1.0 if v[1] else p for (_, p), v in zip(judged, vetoes, strict=True)]
        best = min(1.0, len(judged) * min(usable))
        drifting = [f for f, v in zip(fits, vetoes, strict=True) if v[1]]
        veto = next((_why(f) for f in fits if f.reason), "")
        return best, veto or (_drift(drifting[0]) if drifting else "")

    def _advice(self, fit: Slope, veto: str) -> str:
        code = veto.split(":")[0]
        if code == "DRIFT":
            return (
                f"enlarge {self.along} (a grid from the middle of this one upwards), or add the "
                "missing lower-order term or logarithm to the bound"
            )
        return ADVICE.get(code, "")

    def _card(self, curves: list[tuple[Curve, list[Any]]], level: float) -> PowerCard:
        mutants = []
        for label, factor in _mutants(curves[0][0], self.side):
            fits = [fit_slope(_mutated(curve, factor)) for curve, _ in curves]
            judged = [judge_slope(f, self.tolerance, self.side) for f in fits]
            if min(1.0, len(fits) * min(p for _, p in judged)) <= level:
                mutants.append((label, "KILLED"))
            else:
                survived = max(p for p, _ in judged) <= level
                mutants.append((label, "SURVIVED" if survived else "WEAK"))
        fit = max((fit_slope(c) for c, _ in curves), key=lambda f: f.se if f.se == f.se else 1e9)
        if fit.reason:
            return make_card(mutants, [label for label, _ in mutants][:2])
        half = self.tolerance + slope_quantile(level) * fit.se + fit.error
        resolution = half + float(-ndtri(0.1)) * fit.se
        essential = [label for label, _ in mutants if label.startswith("exponent")]
        band = (fit.slope - half, fit.slope + half, fit.slope)
        return make_card(mutants, essential, band, resolution)


def _mutants(curve: Curve, side: str) -> list[tuple[str, Any]]:
    """Wrong bounds as functions of x: exponents off, a logarithm dropped or added.

    One-sided claims have only the mutants that make them stronger: a weaker one stays true.
    """
    every = [
        (-1, f"exponent {-MUTANT:+g}", lambda x: x**-MUTANT),
        (+1, f"exponent {MUTANT:+g}", lambda x: x**MUTANT),
        (-1, "log dropped", lambda x: 1 / np.log(x)),
        (+1, "log added", lambda x: np.log(x)),
        (+1, "square root of log added", lambda x: np.sqrt(np.log(x))),
    ]
    wanted = {"both": (-1, 1), "upper": (-1,), "lower": (1,)}[side]
    logs = bool(np.min(curve.x) > 1.5)
    return [(name, f) for sign, name, f in every if sign in wanted and (logs or "log" not in name)]


def _mutated(curve: Curve, factor: Any) -> Curve:
    bound = curve.bound * factor(curve.x)
    return Curve(curve.x, bound, curve.values, curve.means, curve.errors, curve.streams)


def _needed(fits: list[Slope], tolerance: float, side: str, level: float) -> int | None:
    """Replicates for the decision that the estimates point to, by section 2.5's formula."""
    todo = []
    for fit in fits:
        if fit.exact or fit.reason:
            continue
        signed = {"both": abs(fit.d), "upper": fit.d, "lower": -fit.d}[side]
        gap = abs(tolerance - signed)
        z = slope_quantile(level) + float(-ndtri(0.1))
        todo.append(fit.replicates * (z * fit.se / gap) ** 2 if gap > 0 else math.inf)
    if not todo or not math.isfinite(max(todo)):
        return None
    return int(math.ceil(max(todo)))


def _validity(fits: list[Slope]) -> str:
    sampled = [f for f in fits if not f.exact]
    if not sampled:
        return "exact"
    return f"asymptotic, N_eff {min(f.n_eff for f in sampled):.0f}"


def _why(fit: Slope) -> str:
    if fit.reason == "TAIL":
        return f"TAIL: N_eff {fit.n_eff:.0f} (30 needed), skewness of the slope {fit.skew:.2g}"
    return f"{fit.reason}: the mean's logarithm cannot be judged"


def _drift(fit: Slope) -> str:
    return (
        f"DRIFT: the exponent is off by {fit.d_low:+.3f} on the lower half and {fit.d_top:+.3f} on "
        f"the upper half, heading for {number(fit.d_next)}"
    )


def _rows(curve: Curve, cells: list[Any], level: float) -> list[dict[str, Any]]:
    z, rows = slope_quantile(level), []
    for k, cell in enumerate(cells):
        values, mean = curve.values[k], float(curve.means[k])
        if values is None:
            half, count = float(curve.errors[k]), 0
        else:
            count = len(values)
            half = z * float(np.std(values, ddof=1)) / math.sqrt(count) if count > 1 else math.inf
        predicted = float(curve.bound[k])
        rows.append(
            cell_row(
                cell,
                estimate=mean,
                lower=mean - half,
                upper=mean + half,
                predicted=predicted,
                replicates=count,
            )
        )
    return rows


def _too_short(outcome: Outcome, short: str) -> Outcome:
    from dataclasses import replace

    why = f"ASSUMPTION: {short}, a rate needs 3"
    return replace(outcome, veto_supported=why, veto_refuted=why)


def _group(cells: Sequence[Any], along: str) -> dict[Any, list[Any]]:
    groups: dict[Any, list[Any]] = {}
    for cell in cells:
        groups.setdefault(curve_key(cell, along), []).append(cell)
    return groups
