"""The three ways to a bias: by the law of the error, by sampled errors, by splitting."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.inductive_bias.result import Bias
from tlstat.inductive_bias.spaces.base import Latent
from tlstat.inductive_bias.spaces.finite_law import FiniteLaw
from tlstat.inductive_bias.spaces.gaussian import ConditionedGaussian

# estimators of `tlstat.inductive_bias.tails` that need the law
LAW_METHODS = ("saddlepoint", "tilted", "chernoff", "small_ball", "moment_matched", "published")
PARTICLES = 250
# extrapolation of a fitted law beyond the sample, in nats
EXTRAPOLATED = 3.0


def law_of_error(
    conditioned: Any, X: Any, y: Any, *, weights: Any = None, loss: str | None = None
) -> tuple[Any, dict[str, Any]]:
    """The law of the test error, or None, and what was taken for zero in it."""
    if isinstance(conditioned, ConditionedGaussian) and loss in (None, "squared"):
        spectrum = conditioned.spectrum(X, y, weights=weights)
        return spectrum.law(), {"modes": len(spectrum.weights), "clipped_modes": spectrum.clipped}
    return conditioned.error_law(X, y, weights=weights, loss=loss), {}


def by_law(
    law: Any, x: float, method: str, known: dict[str, Any], rng: Any, options: dict[str, Any]
) -> Bias:
    """From the law of the error."""
    from tlstat.inductive_bias.tails import effective_dimension

    smallest = float(law.support()[0])
    known = {"details": {}, **known}
    known |= {"mean_error": float(law.mean()), "smallest_error": smallest}
    continuous = hasattr(law, "log_probabilities")
    if math.isinf(law.logcdf(x)):
        where = f"below {smallest:.6g}" if x < smallest else f"not above {smallest:.6g}"
        reason = (
            f"No hypothesis that fits the training data has an error of at most {x:g}: it is "
            f"{where}, the smallest possible one."
        )
        clipped = known.get("details", {}).get("clipped_modes")
        if clipped:
            reason += (
                f" {clipped} directions of the test error count as fixed: rounding cannot tell "
                "their variance from 0."
            )
        how = "exact" if not isinstance(law, FiniteLaw) else "counted"
        return Bias(math.inf, (math.inf, math.inf), how, notes=(reason,), **known)
    if isinstance(law, FiniteLaw):
        return _counted(law, x, known)
    if continuous:
        known["n_eff"] = effective_dimension(law, x, exact=True)
    if method in LAW_METHODS:
        return _other(law, x, method, known, rng, options)
    value, error = (law.log_probabilities(x)[:2]) if continuous else (law.logcdf(x), 1e-12)
    nats, error = max(0.0, -float(value)), float(error)
    interval = (max(0.0, nats - error), nats + error)
    return Bias(nats, interval, "exact", notes=_depth_note(nats, known), **known)


def _counted(law: FiniteLaw, x: float, known: dict[str, Any]) -> Bias:
    nats = max(0.0, -float(law.logcdf(x)))
    slack = 2 * law.log_error + 1e-14 * nats
    details: dict[str, Any] = known.pop("details")
    notes: tuple[str, ...] = ()
    if law.counts is not None:
        good = sum(c for c, e in zip(law.counts, law.errors, strict=True) if e <= x + 1e-12)
        details = {**details, "good": str(good), "fitting": str(law.total)}
    elif law.log_error:
        notes = (f"The prior weights are known to {law.log_error:.2g} each, in nats.",)
    interval = (max(0.0, nats - slack), nats + slack)
    return Bias(nats, interval, "counted", details=details, notes=notes, **known)


def _other(
    law: Any, x: float, method: str, known: dict[str, Any], rng: Any, options: dict[str, Any]
) -> Bias:
    from tlstat.inductive_bias import tails

    if method == "published":
        errors = np.asarray(law.rvs(size=options["size"], random_state=_seed(rng)))
        return by_published_fit(errors, x, known)
    estimator = getattr(tails, method)
    found = estimator(law, x, rng, **options) if method == "tilted" else estimator(law, x)
    return Bias(found.nats, _interval(found), method, notes=(found.statement,), **known)


def sampled_bias(errors: np.ndarray, x: float, known: dict[str, Any]) -> Bias:
    """From errors of sampled hypotheses, with an exact binomial interval."""
    from tlstat.inductive_bias import tails

    found = tails.monte_carlo(errors, x, level=known["level"])
    hits = int(np.sum(errors <= x))
    known = {**known, "mean_error": float(errors.mean())}
    notes: tuple[str, ...] = ()
    if not hits:
        notes = (
            f"None of {len(errors)} sampled hypotheses reaches the target error: only the lower "
            "end of the interval is known.",
        )
    details = {"hits": hits, "hypotheses": len(errors), "smallest_sampled": float(errors.min())}
    return Bias(
        max(0.0, found.nats), _interval(found), "monte_carlo", notes=notes, details=details, **known
    )


def by_published_fit(errors: np.ndarray, x: float, known: dict[str, Any]) -> Bias:
    """By the paper's rule: a scaled non-central chi-squared law fitted to sampled errors."""
    from tlstat.inductive_bias import tails

    fit = tails.published_fit(errors)
    nats = float(fit.nats(x))
    note = "The published rule: a fitted law is read off where no error was sampled."
    details = {**known.pop("details", {}), "df": fit.df, "nc": fit.nc, "scale": fit.scale}
    return Bias(nats, (0.0, math.inf), "published", notes=(note,), details=details, **known)


def by_splitting(
    latent: Latent | None,
    x: float,
    known: dict[str, Any],
    rng: Any,
    size: int | None,
    options: dict[str, Any],
) -> Bias:
    """By multilevel splitting; in two phases where random hypotheses do not fit the data."""
    from tlstat.inductive_bias import tails
    from tlstat.inductive_bias.two_phase import two_phase_splitting

    if latent is None:
        raise InputError("method is 'splitting', but the space has no latent variables")
    settings = {"n_particles": size or PARTICLES, "level": known["level"], **options}
    source = rng.spawn("splitting")
    if latent.fit_score is None:
        found = tails.splitting(latent.score, latent.dim, x, source, **settings)
        return Bias(found.nats, _interval(found), "splitting", notes=(found.statement,), **known)
    both = two_phase_splitting(latent, x, source, **settings)
    known = {**known, "kept_share": math.exp(-both.train_nats)}
    return Bias(
        both.nats,
        both.interval,
        "splitting",
        notes=(both.statement,),
        details={"train_nats": both.train_nats},
        **known,
    )


def _interval(found: Any) -> tuple[float, float]:
    low, high = found.interval
    return max(0.0, low), max(0.0, high)


def _depth_note(nats: float, known: dict[str, Any]) -> tuple[str, ...]:
    n_eff, m, C = known.get("n_eff"), known["m"], known["C"]
    if m is None or n_eff is None or n_eff < 0.9 * m * C:
        return ()
    if n_eff > 1.5 * m * C:
        return (
            f"The effective number, {n_eff:.4g} for {m * C} test outputs, says that the labels "
            "lie far from the hypotheses in directions in which these hardly vary: the training "
            "data pin down functions that miss the test data. Noise or jitter changes the answer.",
        )
    return (
        f"At this depth the bias counts test outputs (effective number {n_eff:.4g} of {m * C}): "
        "it is proportional to the size of the test set.",
    )


def _seed(rng: Any) -> np.random.Generator:
    from tlstat.inductive_bias.data import as_random

    key = as_random(rng).key
    return np.random.Generator(np.random.Philox(key=key))
