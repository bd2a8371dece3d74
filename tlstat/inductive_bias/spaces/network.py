"""Neural networks as hypotheses: trained from random starts, or random weights that fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.inductive_bias.data import (
    as_random,
    classes_of,
    loss_name,
    middle_of,
    sample_size,
    targets,
    test_weights,
)
from tlstat.inductive_bias.spaces.base import (
    ConditionedSpace,
    Draws,
    HypothesisSpace,
    Latent,
    reject,
)

# trained networks for each that is kept
TRIALS = 20


@dataclass(frozen=True, eq=False)
class NetworkSpace(HypothesisSpace):
    """Networks drawn from a random initialisation, trained or guessed.

    Parameters
    ----------
    network : sequence of int, or torch.nn.Module
        Hidden widths of a multi-layer perceptron, or any module that maps (n, ...) to (n, C). A
        module is drawn anew for every hypothesis (see ``init``) and used in evaluation mode.
    activation : {"relu", "tanh", "gelu"}
        Of the perceptron.
    sampler : {"training", "weights"}
        "training": a hypothesis is a network trained from a random start (the paper). "weights":
        a network of random weights, restricted to those that fit (guess-and-check, the volume of
        Chiang et al., ICLR 2023).
    fit_tolerance : float, optional
        A hypothesis fits if its training error is at most this; training stops there. None keeps
        every trained network after all `epochs`, as the paper does.
    fit_loss : {"squared", "zero_one"}
        Which training error.
    epochs, learning_rate
        Full-batch Adam steps (at most) and their rate.
    init : {"uniform", "normal"}
        Law of weights and biases, of width `scale` / sqrt(fan-in).
    scale : float
        Prior scale.
    device, dtype : str
        "cpu" or "cuda"; "float32" or "float64".

    Notes
    -----
    arXiv:2406.15941, section 4.2 trains by mini-batches for a fixed number of epochs and does not
    check that the networks fit. Trained networks are no draws from a posterior.
    """

    network: Any = (64,)
    activation: str = "relu"
    sampler: str = "training"
    fit_tolerance: float | None = None
    fit_loss: str = "squared"
    epochs: int = 300
    learning_rate: float = 3e-3
    init: str = "uniform"
    scale: float = 1.0
    device: str = "cpu"
    dtype: str = "float32"

    task = "real"

    def __post_init__(self) -> None:
        for name, wanted in _CHOICES.items():
            if getattr(self, name) not in wanted:
                raise InputError(
                    f"{name} is {getattr(self, name)!r}; expected one of {', '.join(wanted)}"
                )
        for name in ("learning_rate", "scale"):
            value = getattr(self, name)
            if not isinstance(value, int | float | np.number) or not 0 < value < np.inf:
                raise InputError(f"{name} is {value!r}; expected a number above 0")
        sample_size(self.epochs)
        if self.fit_tolerance is None and self.sampler == "weights":
            raise InputError("fit_tolerance is None; random weights need one, to be filtered by")
        if self.fit_tolerance is not None and not self.fit_tolerance >= 0:
            raise InputError(f"fit_tolerance is {self.fit_tolerance!r}; expected at least 0")
        if not hasattr(self.network, "forward"):
            widths = self.network if isinstance(self.network, list | tuple) else None
            if widths is None or any(not isinstance(w, int) or w < 1 for w in widths):
                raise InputError(
                    f"network is {self.network!r}; expected hidden widths such as (64, 64), or a "
                    "torch module"
                )

    def condition(self, X_train: Any, y_train: Any) -> ConditionedNetworks:
        X = _network_inputs(X_train, "X_train")
        Y = targets(y_train, len(X), "y_train")
        return ConditionedNetworks(self, X, Y)

    @property
    def name(self) -> str:
        """The architecture in words."""
        if hasattr(self.network, "forward"):
            return type(self.network).__name__
        return "MLP " + "x".join(map(str, self.network)) if self.network else "linear"


@dataclass(frozen=True, eq=False)
class ConditionedNetworks(ConditionedSpace):
    """Networks that fit the training data."""

    space: NetworkSpace
    X: np.ndarray
    Y: np.ndarray

    @cached_property
    def ensemble(self) -> Any:
        """The architecture as a function of stacked parameters."""
        import torch

        from tlstat.inductive_bias.spaces.training import Ensemble, mlp

        space = self.space
        module = space.network
        if not hasattr(module, "forward"):
            if self.X.ndim != 2:
                raise InputError(f"X_train has shape {self.X.shape}; expected (n, features)")
            module = mlp(space.network, space.activation, self.X.shape[1], self.Y.shape[1])
        made = Ensemble(
            module, space.init, float(space.scale), space.device, getattr(torch, space.dtype)
        )
        probe = made(made.parameters(np.zeros((1, made.dim))), self._tensor(self.X[:2]))
        wanted = (1, len(self.X[:2]), self.Y.shape[1])
        if tuple(probe.shape) != wanted:
            raise InputError(
                f"network gives outputs of shape {tuple(probe.shape[1:])}; expected {wanted[1:]}"
            )
        return made

    def networks(self, z: np.ndarray) -> Any:
        """Parameters of the hypotheses with these latent variables (S, dim)."""
        from tlstat.inductive_bias.spaces.training import train

        start = self.ensemble.parameters(z)
        if self.space.sampler == "weights":
            return start
        score = None if self.space.fit_loss == "squared" else self._tensor_wrong
        return train(
            self.ensemble,
            start,
            self._tensor(self.X),
            self._tensor(self.Y),
            epochs=self.space.epochs,
            learning_rate=self.space.learning_rate,
            stop=self.space.fit_tolerance,
            score=score,
        )

    def outputs(self, z: np.ndarray, X: np.ndarray) -> np.ndarray:
        """Values (S, n, C) of the hypotheses with these latent variables."""
        return self._evaluate(z, [X])[0]

    def latent(
        self, X_test: Any, y_test: Any, *, weights: Any = None, loss: str | None = None
    ) -> Latent:
        X = _network_inputs(X_test, "X_test", self.X.shape[1:])
        Y = targets(y_test, len(X), "y_test", self.Y.shape[1])
        test = self._losses(Y, loss_name(loss or self.losses[0]))
        fit = self._losses(self.Y, self.space.fit_loss)
        memory: dict[str, Any] = {}

        def both(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            # a search asks for both errors of the same networks; they are trained once
            key = hash(z.tobytes())
            if memory.get("key") != key:
                at_test, at_train = self._evaluate(z, [X, self.X])
                memory.update(key=key, errors=(test(at_test), fit(at_train).mean(axis=1)))
            return memory["errors"]

        filtered = self.space.fit_tolerance is not None
        return Latent(
            dim=self.ensemble.dim,
            losses=lambda z: both(z)[0],
            share=test_weights(weights, len(X)),
            fit_score=(lambda z: both(z)[1]) if filtered else None,
            fit_level=float(self.space.fit_tolerance or 0.0),
        )

    def draw(
        self,
        X_test: Any,
        y_test: Any,
        rng: Any,
        size: int,
        *,
        weights: Any = None,
        loss: str | None = None,
        pointwise: bool = False,
    ) -> Draws:
        size = sample_size(size)
        latent = self.latent(X_test, y_test, weights=weights, loss=loss)
        rng = as_random(rng)
        if self.space.sampler == "weights":
            return reject(latent, rng, size, pointwise=pointwise)
        kept: list[np.ndarray] = []
        found = drawn = 0
        while found < size:
            if drawn >= TRIALS * size:
                raise InputError(
                    f"only {found} of {drawn} trained networks reach the training error "
                    f"{self.space.fit_tolerance:g}; expected a larger fit_tolerance, more epochs "
                    "or a larger network"
                )
            ask = min(size, size - found if not drawn else 2 * (size - found))
            z = np.asarray(rng.normal(size=(ask, latent.dim)))
            errors = np.asarray(latent.losses(z) if pointwise else latent.score(z))
            if latent.fit_score is not None:
                errors = errors[latent.fit_score(z) <= latent.fit_level]
            kept.append(errors)
            found, drawn = found + len(errors), drawn + ask
        return Draws(np.concatenate(kept), drawn)

    def sample_errors(
        self,
        X_test: Any,
        y_test: Any,
        rng: Any,
        size: int,
        *,
        weights: Any = None,
        loss: str | None = None,
    ) -> np.ndarray:
        drawn = self.draw(X_test, y_test, rng, size, weights=weights, loss=loss)
        return drawn.errors[:size]

    def describe(self) -> dict[str, Any]:
        space = self.space
        out = {
            "network": space.name,
            "parameters": self.ensemble.dim,
            "sampler": space.sampler,
            "n": len(self.X),
            "C": self.Y.shape[1],
            "init": f"{space.init}, scale {space.scale:g}",
            "fit_tolerance": space.fit_tolerance,
        }
        if space.sampler == "training":
            out |= {"epochs": space.epochs, "learning_rate": space.learning_rate}
        return out

    # ------------------------------------------------------------------ plumbing

    def _tensor(self, values: np.ndarray) -> Any:
        import torch

        return torch.as_tensor(
            values, device=self.space.device, dtype=getattr(torch, self.space.dtype)
        )

    def _evaluate(self, z: np.ndarray, inputs: list[np.ndarray]) -> list[np.ndarray]:
        import torch

        rows = max(len(self.X), *(len(X) for X in inputs))
        step = self.ensemble.chunk(rows)
        tensors = [self._tensor(X) for X in inputs]
        found: list[list[np.ndarray]] = [[] for _ in inputs]
        for start in range(0, len(z), step):
            parameters = self.networks(z[start : start + step])
            with torch.no_grad():
                for out, X in zip(found, tensors, strict=True):
                    out.append(self.ensemble(parameters, X).cpu().numpy().astype(float))
        return [np.concatenate(parts) for parts in found]

    def _losses(self, Y: np.ndarray, loss: str) -> Callable[[np.ndarray], np.ndarray]:
        """Losses (S, m) of outputs (S, m, C)."""
        if loss == "squared":
            return lambda f: ((f - Y) ** 2).mean(axis=2)
        middle = middle_of(self.Y)
        goal = classes_of(Y, middle)
        return lambda f: classes_of(f, middle) != goal

    def _tensor_wrong(self, outputs: Any) -> Any:
        middle = middle_of(self.Y)
        goal = classes_of(self._tensor(self.Y), middle)
        return (classes_of(outputs, middle) != goal).to(outputs.dtype).mean(dim=1)


_CHOICES = {
    "activation": ("relu", "tanh", "gelu"),
    "sampler": ("training", "weights"),
    "fit_loss": ("squared", "zero_one"),
    "init": ("uniform", "normal"),
    "dtype": ("float32", "float64"),
}


def _network_inputs(X: Any, name: str, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Inputs (n, ...), of any number of axes, finite."""
    try:
        table = np.asarray(X, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} is no array of numbers: {error}") from error
    if table.ndim == 1:
        table = table[:, None]
    if table.ndim < 2 or 0 in table.shape or not np.isfinite(table).all():
        raise InputError(f"{name} has shape {table.shape}; expected (n, ...), finite numbers")
    if shape is not None and table.shape[1:] != shape:
        raise InputError(f"{name} has inputs of shape {table.shape[1:]}; expected {shape}")
    return table
