"""How much inductive bias a task demands of a hypothesis space, on data.

``I(eps) = -log P(test error <= eps | the hypothesis fits the training data)`` (arXiv:2406.15941,
Eq. 1). Two events are kept apart. The *test* event is about the given test points: its probability
is exact where the law of the error is known. The *population* event is about the law that the
test points come from: on a weighted grid it is again exact, and from a test sample it is known up
to the sample only.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.inductive_bias.data import as_random, loss_name, sample_size
from tlstat.inductive_bias.estimate import (
    LAW_METHODS,
    by_law,
    by_published_fit,
    by_splitting,
    law_of_error,
    sampled_bias,
)
from tlstat.inductive_bias.population import grid_of, over_test_sets
from tlstat.inductive_bias.result import Bias
from tlstat.inductive_bias.spaces.gaussian import ConditionedGaussian
from tlstat.inductive_bias.task import SAMPLED, Task, prepare

__all__ = ["Bias", "bias_of", "inductive_bias"]

METHODS = ("auto", "exact", "monte_carlo", "splitting", *LAW_METHODS)
EVENTS = ("test", "population")
SPLITTING = ("n_particles", "moves", "replicates", "max_nats")
OPTIONS = {"auto": SPLITTING, "splitting": SPLITTING, "tilted": ("interval",)}
# hypotheses below the target error that make sampling good enough for "auto"
HITS = 50


def inductive_bias(
    space: Any,
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    target_error: float,
    *,
    method: str = "auto",
    event: str = "test",
    task: str = "auto",
    loss: str | None = None,
    weights: Any = None,
    grid: Any = None,
    label_noise: float = 0.0,
    size: int | None = None,
    level: float = 0.95,
    groups: int = 100,
    seed: Any = 0,
    **options: Any,
) -> Bias:
    """Information, in nats, that singles out the hypotheses with a small test error.

    Parameters
    ----------
    space : HypothesisSpace, Kernel, scikit-learn kernel, kernel name, or torch.nn.Module
        A kernel stands for ``KernelSpace(kernel)``, a module for ``NetworkSpace(module)``.
    X_train, y_train : array_like, n rows
        Hypotheses are conditioned on these.
    X_test, y_test : array_like, m rows
        They define the event.
    target_error : float
        eps, on the scale of the loss.
    method : str
        "auto" takes the exact law where one is known, counts finite spaces, and samples or splits
        otherwise; "exact", "monte_carlo", "splitting" insist; "saddlepoint", "tilted",
        "chernoff", "small_ball" and "moment_matched" are the other estimators where the law is
        known, and "published" is the paper's fit to sampled errors, for comparison.
    event : {"test", "population"}
        Error on these test points, or on the law that they come from.
    task : {"auto", "regression", "classification"}
        Class labels are made one-hot for spaces of real functions; "auto" goes by their type.
    loss : {"squared", "zero_one"}, optional
        By default the squared error (mean over points and outputs), and the share of errors for
        spaces of classifiers.
    weights : array_like, shape (m,), optional
        Weights of the test points.
    grid : (X, y) or (X, y, weights), optional
        For the population event: a fine weighted grid of inputs with the target's values. The
        error is that in L2 of the weighted grid, and exact.
    label_noise : float
        Above 0, the error is against fresh labels with noise of this variance, and `y_test` are
        the values of the clean function; the probability is over hypotheses and labels. At 0 the
        error is against `y_test`, whatever they are. Kernel and linear spaces only.
    size : int, optional
        Hypotheses sampled (10,000; 200 for trained networks), or particles of splitting
        in each of its replicates (250).
    level : float
        Confidence level of the interval.
    groups : int
        Groups of test points of the jackknife, for the population event without a grid.
    seed : int, Generator or Random
    **options
        Of splitting: n_particles, moves, replicates, max_nats; of "tilted": interval. See
        `tlstat.inductive_bias.tails`.

    Returns
    -------
    Bias

    Raises
    ------
    InputError
        For labels of the wrong shape, a single class, NaN, a singular or indefinite kernel (the
        message has its condition number), or a method that the space does not offer. A target
        error that no hypothesis reaches gives ``nats = inf`` with the reason in `notes`.

    Examples
    --------
    >>> import numpy as np
    >>> from tlstat.inductive_bias import inductive_bias, kernels
    >>> X = np.linspace(0, 1, 40)[:, None]
    >>> bias = inductive_bias(kernels.matern(0.3), X[::4], np.sin(6 * X[::4, 0]),
    ...                       X[2::4], np.sin(6 * X[2::4, 0]), 1e-3)
    >>> bias.method, bias.m, bias.C
    ('exact', 10, 1)
    """
    _check(method, event, target_error, level)
    _check_settings(method, loss, size, options)
    ready = prepare(space, X_train, y_train, X_test, y_test, task=task)
    rng = as_random(seed)
    if event == "population" and grid is not None:
        ready, weights = grid_of(ready, grid)
    elif grid is not None:
        raise InputError("grid is given with event='test'; expected event='population'")
    law = None
    if label_noise:
        if event == "population" and grid is None:
            raise InputError("label_noise is given for the population event without a grid")
        law = noisy_law(ready, weights, loss, method, label_noise)
    bias = measure(
        ready,
        float(target_error),
        law=law,
        method=method,
        loss=loss,
        weights=weights,
        size=size,
        level=level,
        rng=rng.spawn("hypotheses"),
        options=options,
    )
    if event == "test":
        return bias
    if grid is not None:
        return bias.replace(event="population (weighted grid)")
    if weights is not None:
        raise InputError("weights are given for the population event; expected a weighted grid")
    return over_test_sets(ready, bias, loss=loss, size=size, groups=groups, level=level, rng=rng)


def measure(
    ready: Task,
    target_error: float,
    *,
    method: str = "auto",
    loss: str | None = None,
    weights: Any = None,
    size: int | None = None,
    level: float = 0.95,
    rng: Any = 0,
    options: dict[str, Any] | None = None,
    law: Any = None,
    draws: Any = None,
) -> Bias:
    """The bias of the test event, for data that were checked and a space that is conditioned.

    A curve computes `law`, or samples `draws`, once for all target errors.
    """
    X, y, options = ready.X_test, ready.y_test, options or {}
    conditioned = ready.conditioned
    known: dict[str, Any] = {
        "target_error": target_error,
        "loss": loss or conditioned.losses[0],
        "m": len(y),
        "C": ready.C,
        "level": level,
        "space": conditioned.describe(),
    }
    if method not in ("monte_carlo", "splitting"):
        if law is None:
            law, known["details"] = law_of_error(conditioned, X, y, weights=weights, loss=loss)
        if law is not None:
            if method in ("published", "tilted"):
                options = {**options, "size": size or SAMPLED}
            return by_law(law, target_error, method, known, rng, options)
        known.pop("details", None)
        if method not in ("auto", "published"):
            raise InputError(
                f"method is {method!r}, but {type(ready.space).__name__} has no exact law of the "
                f"{known['loss']} error; expected auto, monte_carlo or splitting"
            )
    latent = conditioned.latent(X, y, weights=weights, loss=loss)
    hard = method == "auto" and draws is None and ready.hard_to_fit(latent, rng)
    if method == "splitting" or hard:
        return by_splitting(latent, target_error, known, rng, size, options)
    if draws is None:
        draws = conditioned.draw(X, y, rng, size or ready.size, weights=weights, loss=loss)
    known["kept_share"] = draws.kept_share
    if method == "published":
        return by_published_fit(draws.errors, target_error, known)
    sampled = sampled_bias(draws.errors, target_error, known)
    few = sampled.details.get("hits", 0) < HITS
    if method == "auto" and few and latent is not None and not ready.trains:
        return by_splitting(latent, target_error, known, rng, size, options)
    return sampled


def bias_of(law: Any, target_error: float, *, m: int | None = None, C: int = 1) -> Bias:
    """The bias under a known law of the error, such as a ``population_law``.

    Parameters
    ----------
    law : GeneralizedChiSquared, FiniteLaw or AngleLaw
    target_error : float
    m : int, optional
        Number of test points, where the law is about some.
    C : int
        Number of outputs.
    """
    _check("exact", "test", target_error, 0.95)
    known = {
        "target_error": float(target_error),
        "loss": "given",
        "m": m,
        "C": C,
        "level": 0.95,
        "space": {"law": repr(law)},
        "event": "test" if m else "population",
    }
    return by_law(law, float(target_error), "exact", known, 0, {})


def noisy_law(ready: Task, weights: Any, loss: str | None, method: str, noise: Any) -> Any:
    """Law of the squared error against fresh labels of the clean function."""
    conditioned, by_law_only = ready.conditioned, method not in ("monte_carlo", "splitting")
    if isinstance(conditioned, ConditionedGaussian) and loss in (None, "squared") and by_law_only:
        X, y = ready.X_test, ready.y_test
        return conditioned.spectrum(X, y, weights=weights, label_noise=noise).law()
    raise InputError(
        "label_noise is given; expected the squared error of a kernel or linear space, and a "
        "method that goes by its law"
    )


def _check(method: Any, event: Any, target_error: Any, level: Any) -> None:
    if method not in METHODS:
        raise InputError(f"method is {method!r}; expected one of {', '.join(METHODS)}")
    if event not in EVENTS:
        raise InputError(f"event is {event!r}; expected one of {', '.join(EVENTS)}")
    number = isinstance(target_error, int | float | np.number)
    if not number or isinstance(target_error, bool) or not 0 <= target_error < math.inf:
        raise InputError(
            f"target_error is {target_error!r}; expected a number of at least 0 (bias_curve takes "
            "several)"
        )
    if not isinstance(level, float) or not 0 < level < 1:
        raise InputError(f"level is {level!r}; expected a number in (0, 1)")


def _check_settings(method: str, loss: Any, size: Any, options: dict[str, Any]) -> None:
    if loss is not None:
        loss_name(loss)
    if size is not None:
        sample_size(size)
    allowed = OPTIONS.get(method, ())
    unknown = sorted(set(options) - set(allowed))
    if unknown:
        raise InputError(
            f"{unknown[0]!r} is no option of method {method!r}; expected "
            + (f"some of {', '.join(allowed)}" if allowed else "none")
        )
