"""Modules that adapters put into a network; their parameters are given by a vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class LowRank(nn.Module):
    """A linear layer and a change of low rank beside it: ``inner(x) + left right x``."""

    def __init__(self, inner: nn.Linear, rank: int, right: Tensor | None = None) -> None:
        super().__init__()
        self.inner = inner
        like = inner.weight
        zeros = torch.zeros(rank, inner.in_features, dtype=like.dtype, device=like.device)
        self.left = nn.Parameter(like.new_zeros(inner.out_features, rank), requires_grad=False)
        self.right = nn.Parameter(zeros if right is None else right, requires_grad=False)

    @property
    def weight(self) -> Tensor:
        return self.inner.weight

    @property
    def bias(self) -> Tensor | None:
        return self.inner.bias

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x) + F.linear(F.linear(x, self.right), self.left)


class Bottleneck(nn.Module):
    """A module and an adapter behind it: ``h + up act(down h + down_bias) + up_bias``."""

    def __init__(self, inner: nn.Module, width: int, bottleneck: int, act: nn.Module) -> None:
        super().__init__()
        self.inner, self.act = inner, act
        like = next(inner.parameters(), torch.empty(0))
        for key, shape in self._shapes(width, bottleneck).items():
            zeros = torch.zeros(shape, dtype=like.dtype, device=like.device)
            setattr(self, key, nn.Parameter(zeros, requires_grad=False))

    @staticmethod
    def _shapes(width: int, bottleneck: int) -> dict[str, tuple[int, ...]]:
        return {
            "down": (bottleneck, width),
            "down_bias": (bottleneck,),
            "up": (width, bottleneck),
            "up_bias": (width,),
        }

    @property
    def shapes(self) -> dict[str, torch.Size]:
        """Shapes of the parameters, in the order of the vector."""
        return {k: getattr(self, k).shape for k in ("down", "down_bias", "up", "up_bias")}

    def forward(self, *args: Tensor) -> Tensor:
        h = self.inner(*args)
        down = F.linear(h, self.down, self.down_bias)
        return h + F.linear(self.act(down), self.up, self.up_bias)
