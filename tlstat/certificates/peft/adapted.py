"""A frozen network together with a map from a vector to its adapted form."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from tlstat.certificates.peft.backbones import digest, home, replace
from tlstat.certificates.peft.inputs import examples, vectors, whole
from tlstat.certificates.peft.modules import LowRank
from tlstat.errors import InputError

Overrides = Callable[[Tensor], dict[str, Tensor]]


@dataclass(frozen=True)
class Site:
    """Where a part of the vector acts.

    Attributes
    ----------
    module : str
        Name of the module.
    here : slice
        The coordinates of the vector.
    overrides : callable
        Part of the vector ``(..., size)`` -> parameters of the network by full name,
        ``(..., *shape)``.
    head : callable or None
        Part of the vector -> "weight" or "bias" of the module, if that is a linear layer.
    spread : Tensor or None
        Standard deviations at which a fit starts; None: at 0.
    """

    module: str
    here: slice
    overrides: Overrides
    head: Overrides | None = None
    spread: Tensor | None = None


class AdaptedModel:
    """A frozen network and a map from vectors to models; made by `Adapter.attach`.

    Attributes
    ----------
    dim : int
        d, the length of a vector.
    module : torch.nn.Module
        The frozen copy, with the adapter's modules in it, at ``theta = 0``.
    settings : dict
        The adapter and its settings, as plain types.
    digest : str
        sha256 of the frozen network and the settings.
    """

    def __init__(self, module: nn.Module, sites: list[Site], settings: dict[str, Any]) -> None:
        self.module = module.eval().requires_grad_(False)
        self.settings = settings
        self.dim = max(site.here.stop for site in sites)
        self.dtype, self.device = home(module)
        self._sites = sites
        self._vmappable = True
        self.digest = digest(module, json.dumps(settings, sort_keys=True))

    def __repr__(self) -> str:
        return f"<AdaptedModel {self.settings['adapter']}: {self.dim} parameters>"

    # ------------------------------------------------------------------ the map

    def parameters(self, thetas: Tensor) -> dict[str, Tensor]:
        """Parameters of the network that vectors ``(..., dim)`` replace, each ``(..., *shape)``."""
        out: dict[str, Tensor] = {}
        for site in self._sites:
            out.update(site.overrides(thetas[..., site.here]))
        return out

    def apply(self, theta: Any) -> nn.Module:
        """The model of one vector, a module of its own."""
        vector = self.check(theta)
        if vector.shape[0] != 1:
            raise InputError(f"theta has shape {tuple(vector.shape)}; expected ({self.dim},)")
        model = copy.deepcopy(self.module)
        for name, value in self.parameters(vector[0]).items():
            model.get_parameter(name).data.copy_(value)
        for layer in [m for m in model.modules() if isinstance(m, LowRank)]:
            model = replace(model, layer, layer.plain())
        return model

    def start(self, count: int, seed: int = 0) -> Tensor:
        """Vectors (count, dim) from which a fit can start: 0 where 0 is no stationary point."""
        whole(count, "count")
        scale = torch.zeros(self.dim)
        for site in self._sites:
            if site.spread is not None:
                scale[site.here] = site.spread
        draw = torch.randn(count, self.dim, generator=torch.Generator().manual_seed(seed))
        return (draw * scale).to(self.device, self.dtype)

    def check(self, thetas: Any) -> Tensor:
        """Vectors as a tensor (M, dim) of this model's kind."""
        return vectors(thetas, self.dim, self.dtype, self.device)

    def inputs(self, X: Any, name: str = "X") -> Tensor:
        """Examples as a tensor of this model's kind."""
        return examples(X, name, self.dtype, self.device)

    @property
    def kind(self) -> tuple[torch.dtype, torch.device]:
        """Type and device of its numbers."""
        return self.dtype, self.device

    # --------------------------------------------------------------- evaluation

    def forward(self, thetas: Tensor, X: Tensor) -> Tensor:
        """Logits (M, n, C) of M models on shared examples, differentiable, in one piece."""
        return self._batched(thetas, X, None)

    def forward_each(self, thetas: Tensor, X: Tensor) -> Tensor:
        """Logits (M, n, C) of M models, each on examples of its own, X (M, n, ...)."""
        return self._batched(thetas, X, 0)

    def _batched(self, thetas: Tensor, X: Tensor, axis: int | None) -> Tensor:
        with plain_attention():
            if self._vmappable:
                try:
                    return vmap(self._one, in_dims=(0, axis))(thetas, X)
                except (RuntimeError, NotImplementedError, ValueError) as error:
                    if "out of memory" in str(error):
                        raise
                    # data-dependent control flow, say; a real mistake raises below again
            each = (self._one(t, X if axis is None else X[i]) for i, t in enumerate(thetas))
            out = torch.stack(list(each))
            self._vmappable = False
            return out

    def _one(self, theta: Tensor, X: Tensor) -> Tensor:
        return as_logits(functional_call(self.module, self.parameters(theta), (X,)))

    @property
    def vectorised(self) -> bool:
        """Whether ``torch.vmap`` handles the network; it is evaluated in a loop if not."""
        return self._vmappable

    # ---------------------------------------------------------------- matmul form

    def head_features(self, X: Tensor) -> Tensor | None:
        """Inputs (n, p) of the adapted layer if its output is the network's output, else None.

        Then the logits are ``features @ weight.T + bias`` with the weights of `head_weights`.
        """
        layer = self._head_layer
        if layer is None:
            return None
        seen: list[tuple[Tensor, Any]] = []
        hook = layer.register_forward_hook(lambda _, args, out: seen.append((args[0], out)))
        try:
            with torch.no_grad(), plain_attention():
                out = self.module(X)
        finally:
            hook.remove()
        if len(seen) != 1 or out is not seen[0][1] or seen[0][0].ndim != 2:
            return None
        return seen[0][0]

    def head_weights(self, thetas: Tensor) -> tuple[Tensor, Tensor | None]:
        """Weights (M, C, p) and biases (M, C) of the adapted last layer."""
        layer = self._head_layer
        assert layer is not None
        parts: dict[str, Tensor] = {}
        for site in self._sites:
            assert site.head is not None
            parts.update(site.head(thetas[:, site.here]))
        bias = parts.get("bias", layer.bias)
        if bias is not None and bias.ndim == 1:
            bias = bias.expand(len(thetas), -1)
        return parts["weight"], bias

    @functools.cached_property
    def _head_layer(self) -> Any:
        names = {site.module for site in self._sites}
        if len(names) > 1 or any(site.head is None for site in self._sites):
            return None
        layer = self.module.get_submodule(names.pop())
        linear = isinstance(getattr(layer, "inner", layer), nn.Linear)
        return layer if linear else None


def as_logits(out: Any) -> Tensor:
    """Logits (n, C) from what a network returns."""
    out = getattr(out, "logits", out)
    if not isinstance(out, Tensor):
        raise InputError(
            f"backbone returns {type(out).__name__}; expected logits (n, classes), or an object "
            "that has them as logits"
        )
    if out.ndim == 1:
        return out[:, None]
    if out.ndim != 2:
        raise InputError(f"backbone returns shape {tuple(out.shape)}; expected (n, classes)")
    return out


@contextmanager
def plain_attention() -> Iterator[None]:
    """The fused kernels of attention know neither replaced weights nor vmap."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
