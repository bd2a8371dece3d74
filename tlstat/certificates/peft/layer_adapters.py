"""Adapters that are layers: a linear head, and a bottleneck behind a module."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tlstat.certificates.peft.adapted import Site
from tlstat.certificates.peft.adapter import Adapter
from tlstat.certificates.peft.backbones import Selector, home, replace, select
from tlstat.certificates.peft.inputs import whole
from tlstat.certificates.peft.modules import Bottleneck
from tlstat.certificates.peft.sites import merged
from tlstat.errors import InputError

ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU, "tanh": nn.Tanh}


@dataclass(frozen=True)
class LinearHead(Adapter):
    """A linear layer of the network, or a new one at its end.

    Parameters
    ----------
    n_outputs : int, optional
        Outputs of a new layer, which starts at 0. None: the target stays and the vector is what
        is added to it, so that ``theta = 0`` is the network itself.
    target : str, type or callable, optional
        The linear layer that is shifted or replaced; by default the last one.
    in_features : int, optional
        The network gives that many features, and the new layer is put on top of them.
    bias : bool
        Whether the layer has a bias in the vector.
    """

    n_outputs: int | None = None
    target: Selector = None
    in_features: int | None = None
    bias: bool = True

    def __post_init__(self) -> None:
        for name in ("n_outputs", "in_features"):
            if getattr(self, name) is not None:
                whole(getattr(self, name), name)
        if self.in_features is not None and (self.n_outputs is None or self.target is not None):
            raise InputError("in_features is for a new layer on top: give n_outputs and no target")

    def _sites(self, root: nn.Module) -> tuple[nn.Module, list[Site]]:
        if self.in_features is not None:
            layer = self._new(root, self.in_features)
            root, name = nn.Sequential(root, layer), "1"
        else:
            name, layer = self._existing(root)
            if self.n_outputs is not None:
                old, layer = layer, self._new(root, layer.in_features)
                root = replace(root, old, layer)
        m, p = layer.weight.shape
        sites = [merged(name, "weight", layer.weight, slice(0, m * p), lambda t: t)]
        if self.bias:
            if layer.bias is None:
                raise InputError(f"target {name!r} has no bias; give bias=False")
            here = slice(m * p, m * p + m)
            sites.append(merged(name, "bias", layer.bias, here, lambda t: t))
        return root, sites

    def _existing(self, root: nn.Module) -> tuple[str, nn.Linear]:
        name, layer = select(root, self.target, nn.Linear)[-1]
        if not isinstance(layer, nn.Linear):
            raise InputError(f"target is {name!r}, {type(layer).__name__}; expected a linear layer")
        return name, layer

    def _new(self, root: nn.Module, width: int) -> nn.Linear:
        dtype, device = home(root)
        assert self.n_outputs is not None
        layer = nn.Linear(width, self.n_outputs, bias=self.bias, dtype=dtype, device=device)
        for value in layer.parameters():
            nn.init.zeros_(value)
        return layer.requires_grad_(False)


@dataclass(frozen=True)
class BottleneckAdapter(Adapter):
    """``h + up(act(down(h)))`` behind every target (Houlsby et al., arXiv:1902.00751).

    Parameters
    ----------
    targets : str, type, callable or list, optional
        Modules with a tensor as output, whose last axis has the features; all linear ones by
        default, except for the projections of ``torch.nn.MultiheadAttention``.
    bottleneck : int
        Width of the hidden layer.
    activation : {"relu", "gelu", "silu", "tanh"}
    width : int, optional
        Features of the outputs, where the module does not tell.

    Notes
    -----
    ``theta = 0`` is the network itself, and a stationary point: fits start at a random ``down``.
    """

    targets: Selector = None
    bottleneck: int = 4
    activation: str = "relu"
    width: int | None = None

    def __post_init__(self) -> None:
        whole(self.bottleneck, "bottleneck")
        if self.activation not in ACTIVATIONS:
            raise InputError(
                f"activation is {self.activation!r}; expected one of {', '.join(ACTIVATIONS)}"
            )

    def _sites(self, root: nn.Module) -> tuple[nn.Module, list[Site]]:
        dtype, device = home(root)
        found: list[Bottleneck] = []
        targets = _called if self.targets is None else self.targets
        for name, module in select(root, targets, nn.Linear):
            width, act = self._width(name, module), ACTIVATIONS[self.activation]()
            found.append(Bottleneck(module, width, self.bottleneck, act).to(device, dtype))
        for adapter in found:
            root = replace(root, adapter.inner, adapter)
        # names as they are when all are in place: targets may lie within one another
        names = {m: name for name, m in root.named_modules()}
        sites, start = [], 0
        for adapter in found:
            here = slice(start, start + adapter.size)
            start = here.stop
            sites.append(self._site(names[adapter], adapter, here))
        return root, sites

    def _site(self, name: str, adapter: Bottleneck, here: slice) -> Site:
        prefix = f"{name}." if name else ""

        def overrides(t: Tensor) -> dict[str, Tensor]:
            return {prefix + key: value for key, value in adapter.split(t).items()}

        spread = torch.zeros(adapter.size)
        spread[: adapter.down.numel()] = adapter.down.shape[1] ** -0.5
        return Site(name, here, overrides, spread=spread)

    def _width(self, name: str, module: nn.Module) -> int:
        if self.width is not None:
            return whole(self.width, "width")
        if isinstance(module, nn.Linear):
            return module.out_features
        if isinstance(module, nn.LayerNorm):
            return int(module.normalized_shape[-1])
        raise InputError(
            f"targets has {name!r}, {type(module).__name__}: give width, the features of its output"
        )


def _called(name: str, module: nn.Module) -> bool:
    """Plain linear layers: attention reads the weights of its own kind without calling it."""
    return type(module) is nn.Linear
