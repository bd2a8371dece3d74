"""What the method is compared with: gradient descent on the support set, and linear PAC-Bayes.

All work on E support sets of the same size at once. Selecting on one half and certifying on the
other, with or without a shortlist, is `tlstat.certificates.split_certificate` on counts of errors.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import nn

from tlstat.certificates.complexity import quantised_class
from tlstat.certificates.gibbs import gaussian_linear
from tlstat.certificates.pac_bayes import pac_bayes_kl
from tlstat.certificates.peft.adapted import AdaptedModel
from tlstat.certificates.peft.adapters import LinearHead
from tlstat.certificates.peft.evaluation import labels_of
from tlstat.certificates.peft.fits import blocks, fit_adapters
from tlstat.certificates.peft.inputs import stack_tasks, whole
from tlstat.certificates.point import binomial_tail_inversion
from tlstat.errors import InputError


class Trained(NamedTuple):
    """Vectors (E, d) trained on support sets, errors (E,) among n examples, certificates (E,)."""

    thetas: np.ndarray
    k: np.ndarray
    n: int
    limit: np.ndarray


class LinearPosterior(NamedTuple):
    """Directions (E, p) of Gaussian posteriors, their scales (E,) and certificates (E,)."""

    weights: np.ndarray
    scale: np.ndarray
    limit: np.ndarray


def gradient_descent(
    model: AdaptedModel, X: Any, y: Any, delta: float = 0.05, *, unit: str = "nats", **options: Any
) -> Trained:
    """Train the adapter on each support set and certify it by the class of all adapters.

    The certificate is Eq. 7 of arXiv:2502.06970 (`quantised_class`), not clipped at 1.

    Parameters
    ----------
    model : AdaptedModel
    X, y : array_like, shapes (E, n, ...) and (E, n)
    delta : float
        For each support set.
    unit : {"nats", "bits"}
        How Eq. 7 counts one bit a parameter.
    **options
        Of `fit_adapters`.
    """
    thetas = fit_adapters(model, (X, y), **options).thetas.cpu().numpy()
    k, n = errors_of_each(model, thetas, X, y), np.shape(y)[1]
    limit = quantised_class(k, n, model.dim, delta=delta, unit=unit, clip=False)
    return Trained(thetas, k, n, np.asarray(limit))


def gradient_descent_split(
    model: AdaptedModel, X: Any, y: Any, delta: float = 0.05, *, train: float = 0.5, **options: Any
) -> Trained:
    """Train the adapter on the first part of each support set, certify it on the rest.

    One model is certified on examples that it has not seen: binomial inversion, no union.

    Parameters
    ----------
    model, X, y, delta, **options
        As in `gradient_descent`; the order of the examples must not depend on their labels.
    train : float
        Share of the examples for training, rounded down, at least one on either side.
    """
    X, y = np.asarray(X), np.asarray(y)
    n = y.shape[1]
    if not 0 < train < 1 or n < 2:
        raise InputError(f"train is {train} with {n} examples; expected a share in (0, 1), n >= 2")
    cut = min(max(1, int(train * n)), n - 1)
    thetas = fit_adapters(model, (X[:, :cut], y[:, :cut]), **options).thetas.cpu().numpy()
    k = errors_of_each(model, thetas, X[:, cut:], y[:, cut:])
    return Trained(thetas, k, n - cut, np.asarray(binomial_tail_inversion(k, n - cut, delta=delta)))


def errors_of_each(model: AdaptedModel, thetas: Any, X: Any, y: Any) -> np.ndarray:
    """Errors (E,) of every model on its own examples, X (E, n, ...) and y (E, n)."""
    t, stack = model.check(thetas), stack_tasks((np.asarray(X), np.asarray(y)), *model.kind)
    if len(t) != len(stack) or stack.shared:
        raise InputError(f"thetas has {len(t)} rows, y has shape {tuple(stack.y.shape)}; expected "
                         "examples of its own for every vector")  # fmt: skip
    out = np.empty(len(t), dtype=np.int64)
    with torch.no_grad():
        for rows in blocks(model, stack):
            wrong = labels_of(model.forward_each(t[rows], stack.X[rows])) != stack.y[rows]
            out[rows] = wrong.sum(1).cpu().numpy()
    return out


def linear_pac_bayes(
    X: ArrayLike, y: ArrayLike, delta: float = 0.05, *, scales: ArrayLike | None = None,
    **options: Any,
) -> LinearPosterior:  # fmt: skip
    """Linear classifiers from scratch, certified by PAC-Bayes with the prior N(0, I).

    The posterior is ``N(scale w / |w|, I)`` with ``w`` from a logistic fit without intercept; the
    best scale of a grid costs nothing (`gaussian_linear`). It certifies the randomised classifier.

    Parameters
    ----------
    X, y : array_like, shapes (E, n, p) and (E, n)
        Labels 0 and 1.
    scales : array_like, optional
        By default 60 values from 0.1 to 30.
    **options
        Of `fit_adapters`.
    """
    x, t = np.asarray(X, dtype=np.float32), np.asarray(y)
    if x.ndim != 3 or t.shape != x.shape[:2]:
        raise InputError(f"X has shape {x.shape}, y {t.shape}; expected (E, n, p) and (E, n)")
    blank = nn.Linear(whole(x.shape[2], "p"), 1, bias=False)
    with torch.no_grad():
        blank.weight.zero_()
    w = fit_adapters(LinearHead(bias=False).attach(blank), (x, t), **options).thetas.numpy()
    unit = w / np.linalg.norm(w, axis=1, keepdims=True)
    margins = (2 * t - 1) * np.einsum("enp,ep->en", x, unit) / np.linalg.norm(x, axis=2)
    grid = np.geomspace(0.1, 30, 60) if scales is None else np.atleast_1d(np.asarray(scales, float))
    risk, kl = gaussian_linear(np.clip(margins, -1, 1), grid)
    limits = np.asarray(pac_bayes_kl(risk, x.shape[1], kl, delta=delta))
    best = limits.argmin(axis=0)
    return LinearPosterior(unit, grid[best], limits.min(axis=0))
