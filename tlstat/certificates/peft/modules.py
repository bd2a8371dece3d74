"""Modules that adapters put into a network; their parameters are given by a vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tlstat.errors import InputError


class LowRank(nn.Module):
    """A linear layer and a change of low rank beside it: ``inner(x) + left right x``."""

    def __init__(self, inner: nn.Linear, rank: int, right: Tensor | None = None) -> None:
        super().__init__()
        self.inner, like = inner, inner.weight
        zeros = like.new_zeros(rank, inner.in_features)
        self.left = _fixed(like.new_zeros(inner.out_features, rank))
        self.right = _fixed(zeros if right is None else right)

    @property
    def weight(self) -> Tensor:
        """The whole weight, for networks that read it instead of calling the layer."""
        return self.inner.weight + self.left @ self.right

    @property
    def bias(self) -> Tensor | None:
        """Of the layer itself."""
        return self.inner.bias

    def plain(self) -> nn.Linear:
        """The layer itself, with the change in its weight."""
        self.inner.weight.data = self.weight.data
        return self.inner

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x) + F.linear(F.linear(x, self.right), self.left)


class Bottleneck(nn.Module):
    """A module and an adapter behind it: ``h + up act(down h + down_bias) + up_bias``."""

    def __init__(self, inner: nn.Module, width: int, bottleneck: int, act: nn.Module) -> None:
        super().__init__()
        self.inner, self.act = inner, act
        self.down = _fixed(torch.zeros(bottleneck, width))
        self.down_bias = _fixed(torch.zeros(bottleneck))
        self.up = _fixed(torch.zeros(width, bottleneck))
        self.up_bias = _fixed(torch.zeros(width))

    @property
    def weight(self) -> Tensor:
        """There is none: raises InputError."""
        raise InputError(
            "a module reads the weight of a target instead of calling it (as attention does with "
            "its projections), so that an adapter behind it would have no effect; give targets "
            "that are called"
        )

    @property
    def size(self) -> int:
        """Number of parameters of the adapter."""
        return sum(p.numel() for p in self.parameters(recurse=False))

    def split(self, t: Tensor) -> dict[str, Tensor]:
        """Parts (..., *shape) of vectors (..., size), by name of the parameter."""
        own = dict(self.named_parameters(recurse=False))
        parts = t.split([p.numel() for p in own.values()], dim=-1)
        return {
            key: part.unflatten(-1, tuple(p.shape))
            for (key, p), part in zip(own.items(), parts, strict=True)
        }

    def forward(self, *args: Tensor) -> Tensor:
        h = self.inner(*args)
        down = F.linear(h, self.down, self.down_bias)
        return h + F.linear(self.act(down), self.up, self.up_bias)


def _fixed(value: Tensor) -> nn.Parameter:
    return nn.Parameter(value, requires_grad=False)
