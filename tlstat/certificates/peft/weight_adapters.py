"""Adapters that add a matrix of a few parameters to the weights: LoRA-XS, LoRA, a subspace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from tlstat.certificates.peft.adapted import Site
from tlstat.certificates.peft.adapter import Adapter
from tlstat.certificates.peft.backbones import Selector, replace
from tlstat.certificates.peft.inputs import positive, whole
from tlstat.certificates.peft.modules import LowRank
from tlstat.certificates.peft.sites import Weight, low_rank, merged, target_weights
from tlstat.errors import InputError

DIRECTIONS = ("top", "bottom", "random")


@dataclass(frozen=True)
class LoRAXS(Adapter):
    """``W + A R B`` with ``A = U_r S_r`` and ``B = V_r^T`` from the SVD of W; R is the vector.

    LoRA-XS of Balazy et al. (arXiv:2405.17604).

    Parameters
    ----------
    targets : str, type, callable or list, optional
        Modules, by name (``*`` stands for anything), class or function of name and module; all
        linear ones by default. Their weights are adapted as matrices (outputs x the rest).
    rank : int
        r; every weight contributes r^2 coordinates.
    directions : {"top", "bottom", "random"}
        Singular directions with the largest or the smallest singular values, or those of a
        random matrix of the same size and norm.
    seed : int
        For "random".

    Notes
    -----
    ``theta = 0`` is the network itself. A is scaled by the singular values as in the authors'
    code. If the adapted layer is followed linearly by one fixed output, only r of the r^2
    coordinates matter.
    """

    targets: Selector = None
    rank: int = 4
    directions: Literal["top", "bottom", "random"] = "top"
    seed: int = 0

    def __post_init__(self) -> None:
        whole(self.rank, "rank")
        if self.directions not in DIRECTIONS:
            raise InputError(
                f"directions is {self.directions!r}; expected one of {', '.join(DIRECTIONS)}"
            )

    def factors(self, W: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """The fixed A (m x r) and B (r x p) of a weight."""
        source = W.detach().flatten(1).double()
        if self.directions == "random":
            draw = torch.randn(source.shape, generator=generator, dtype=torch.float64)
            source = (draw * (source.norm().cpu() / draw.norm())).to(W.device)
        U, S, Vt = torch.linalg.svd(source, full_matrices=False)
        keep = slice(-self.rank, None) if self.directions == "bottom" else slice(self.rank)
        return (U[:, keep] * S[keep]).to(W.dtype), Vt[keep].to(W.dtype).contiguous()

    def _sites(self, root: nn.Module) -> tuple[nn.Module, list[Site]]:
        sites, size = [], self.rank**2
        generator = torch.Generator().manual_seed(self.seed)
        for i, weight in enumerate(target_weights(root, self.targets, self.rank)):
            A, B = self.factors(weight.value, generator)

            def both(t: Tensor, A: Tensor = A, B: Tensor = B) -> tuple[Tensor, Tensor]:
                return A @ t.unflatten(-1, (self.rank, self.rank)), B

            root, site = _adapt(root, weight, slice(i * size, (i + 1) * size), both, self.rank, B)
            sites.append(site)
        return root, sites


@dataclass(frozen=True)
class LoRA(Adapter):
    """``W + scale * up @ down`` with the vector (down, up) for every target (arXiv:2106.09685).

    Parameters
    ----------
    targets : str, type, callable or list, optional
        As in `LoRAXS`.
    rank : int
        r; a weight (m x p) contributes ``r (m + p)`` coordinates.
    scale : float
        alpha / r in the paper.

    Notes
    -----
    ``theta = 0`` is the network itself, and a stationary point: fits start at a random ``down``.
    """

    targets: Selector = None
    rank: int = 4
    scale: float = 1.0

    def __post_init__(self) -> None:
        whole(self.rank, "rank")
        positive(self.scale, "scale")

    def _sites(self, root: nn.Module) -> tuple[nn.Module, list[Site]]:
        sites, r, start = [], self.rank, 0
        for weight in target_weights(root, self.targets, r):
            m, p = weight.shape
            here = slice(start, start + r * (m + p))
            start = here.stop

            def both(t: Tensor, m: int = m, p: int = p) -> tuple[Tensor, Tensor]:
                down, up = t[..., : r * p], t[..., r * p :]
                return self.scale * up.unflatten(-1, (m, r)), down.unflatten(-1, (r, p))

            spread = torch.cat([torch.full((r * p,), p**-0.5), torch.zeros(m * r)])
            root, site = _adapt(root, weight, here, both, r, None, spread)
            sites.append(site)
        return root, sites


@dataclass(frozen=True, eq=False)
class Subspace(Adapter):
    """All target weights move in one fixed linear subspace: ``W + P theta``.

    The intrinsic dimension of Li et al. (arXiv:1804.08838).

    Parameters
    ----------
    targets : str, type, callable or list, optional
        As in `LoRAXS`.
    dim : int
        Length of the vector.
    basis : array_like, shape (number of target weights, dim), optional
        P; by default a random matrix with orthonormal columns.
    seed : int
    """

    targets: Selector = None
    dim: int = 16
    basis: Any = None
    seed: int = 0

    def __post_init__(self) -> None:
        whole(self.dim, "dim")

    def _sites(self, root: nn.Module) -> tuple[nn.Module, list[Site]]:
        found = target_weights(root, self.targets)
        P, row, sites = self._basis(sum(w.value.numel() for w in found)), 0, []
        for w in found:
            part = P[row : row + w.value.numel()].to(w.value)
            row += w.value.numel()

            def change(t: Tensor, part: Tensor = part) -> Tensor:
                return t @ part.mT

            sites.append(merged(w.name, w.key, w.value, slice(0, self.dim), change))
        return root, sites

    def _basis(self, rows: int) -> Tensor:
        if self.basis is None:
            if self.dim > rows:
                raise InputError(f"dim is {self.dim}; the targets have only {rows} weights")
            generator = torch.Generator().manual_seed(self.seed)
            draw = torch.randn(rows, self.dim, generator=generator, dtype=torch.float64)
            return torch.linalg.qr(draw)[0]
        basis = torch.as_tensor(np.array(self.basis, dtype=float))
        if basis.shape != (rows, self.dim) or not torch.isfinite(basis).all():
            raise InputError(
                f"basis has shape {tuple(basis.shape)}; expected {(rows, self.dim)}, finite"
            )
        return basis


def _adapt(
    root: nn.Module,
    weight: Weight,
    here: slice,
    factors: Any,
    rank: int,
    right: Tensor | None,
    spread: Tensor | None = None,
) -> tuple[nn.Module, Site]:
    """Put a change of low rank on a weight: beside a linear layer, in any other weight."""
    if weight.linear is None:

        def product(t: Tensor) -> Tensor:
            left, down = factors(t)
            return left @ down

        return root, merged(weight.name, weight.key, weight.value, here, product, spread)
    root = replace(root, weight.linear, LowRank(weight.linear, rank, right))
    return root, low_rank(weight, here, factors, fixed=right is not None, spread=spread)
