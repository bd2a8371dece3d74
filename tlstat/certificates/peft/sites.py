"""Weights of a network that an adapter changes, as functions of a vector."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor, nn

from tlstat.certificates.peft.adapted import Site
from tlstat.certificates.peft.backbones import Selector, select, tied
from tlstat.errors import InputError


class Weight(NamedTuple):
    """A weight matrix of a network.

    Attributes
    ----------
    name, key : str
        Of the module, and of the parameter in it.
    module : Module
    value : Tensor
    linear : Linear or None
        The module, if it is a plain linear layer that shares its weight with no other one.
    """

    name: str
    key: str
    module: nn.Module
    value: Tensor
    linear: nn.Linear | None

    @property
    def shape(self) -> tuple[int, int]:
        """Outputs x the rest."""
        return self.value.shape[0], self.value[0].numel()


def target_weights(root: nn.Module, targets: Selector, rank: int = 1) -> list[Weight]:
    """The weights of the target modules, tied ones once.

    Raises
    ------
    InputError
        If a target has no weight matrix, or one of a rank below ``rank``.
    """
    out: list[Weight] = []
    shared = tied(root)
    for name, module in select(root, targets, nn.Linear):
        found = [
            (key, value)
            for key, value in module.named_parameters(recurse=False)
            if key.endswith("weight") and value.ndim >= 2
        ]
        if not found:
            kind = type(module).__name__
            raise InputError(f"targets has {name!r}, {kind}, without a weight matrix")
        for key, value in found:
            if any(value is w.value for w in out):
                continue
            plain = type(module) is nn.Linear and id(value) not in shared
            linear = module if plain and isinstance(module, nn.Linear) else None
            out.append(Weight(name, key, module, value, linear))
            if rank > min(out[-1].shape):
                raise InputError(
                    f"rank is {rank}; the weight of {name!r} is {' x '.join(map(str, value.shape))}"
                    f", of rank at most {min(out[-1].shape)}"
                )
    return out


def merged(
    name: str,
    key: str,
    value: Tensor,
    here: slice,
    change: Callable[[Tensor], Tensor],
    spread: Tensor | None = None,
) -> Site:
    """The parameter is replaced by itself and a change."""
    full, shape, base = (f"{name}.{key}" if name else key), tuple(value.shape), value.detach()

    def build(t: Tensor) -> Tensor:
        delta = change(t)
        return base + delta.reshape(*t.shape[:-1], *shape)

    return Site(name, here, lambda t: {full: build(t)}, head=lambda t: {key: build(t)},
                spread=spread)  # fmt: skip


def low_rank(
    weight: Weight,
    here: slice,
    factors: Callable[[Tensor], tuple[Tensor, Tensor]],
    *,
    fixed: bool,
    spread: Tensor | None = None,
) -> Site:
    """The change ``left right`` has its own path: cheap, and shared inputs stay shared.

    Parameters
    ----------
    fixed : bool
        Whether the right factor is the same for all vectors.
    """
    prefix = f"{weight.name}." if weight.name else ""
    base = weight.value.detach()

    def overrides(t: Tensor) -> dict[str, Tensor]:
        left, right = factors(t)
        out = {prefix + "left": left}
        return out if fixed else {**out, prefix + "right": right}

    def head(t: Tensor) -> dict[str, Tensor]:
        left, right = factors(t)
        return {"weight": base + left @ right}

    return Site(weight.name, here, overrides, head=head, spread=spread)
