"""PEFT: maps from one short vector to a model that shares a frozen network.

Notation of arXiv:2502.06970: ``theta`` is the vector of trainable parameters, ``d`` its length
(`AdaptedModel.dim`). LoRA-XS (arXiv:2405.17604): ``W = U S V^T`` and ``h = W x + A R B x`` with
``A = U_r S_r``, ``B = V_r^T`` fixed, so that only ``R`` (r x r) is trained.

>>> import torch
>>> from tlstat.certificates.peft import LoRAXS
>>> net = torch.nn.Sequential(torch.nn.Linear(20, 30), torch.nn.ReLU(), torch.nn.Linear(30, 5))
>>> LoRAXS(rank=4).attach(net).dim
32
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from tlstat.certificates.peft.adapted import AdaptedModel, Site
from tlstat.certificates.peft.backbones import Selector, frozen, replace, select, tied
from tlstat.certificates.peft.inputs import positive, whole
from tlstat.certificates.peft.modules import Bottleneck, LowRank
from tlstat.errors import InputError

ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU, "tanh": nn.Tanh}


class Adapter:
    """A way to adapt a network: `attach` it to one."""

    def attach(self, backbone: nn.Module) -> AdaptedModel:
        """Freeze a copy of a network and adapt it.

        Parameters
        ----------
        backbone : torch.nn.Module
            Maps inputs (n, ...) to logits (n, classes), or to (n, 1) or (n,) for two classes.
            A frozen copy in evaluation mode is used; the network itself stays as it is.

        Returns
        -------
        AdaptedModel

        Raises
        ------
        InputError
            If a target is missing or does not fit, or if the network cannot be frozen.
        """
        root, sites = self._sites(frozen(backbone))
        return AdaptedModel(root, sites, self.describe())

    def apply(self, backbone: nn.Module, theta: Any) -> nn.Module:
        """The model of one vector."""
        return self.attach(backbone).apply(theta)

    def predict(self, backbone: nn.Module, thetas: Any, X: Any, **options: Any) -> np.ndarray:
        """Labels (M, n) that the models of several vectors give; see `predictions`."""
        from tlstat.certificates.peft.evaluation import predictions

        return predictions(self.attach(backbone), thetas, X, **options)

    def describe(self) -> dict[str, Any]:
        """Name and settings, as plain types."""
        out = {f.name: _plain(getattr(self, f.name)) for f in fields(self)}  # type: ignore[arg-type]
        return {"adapter": type(self).__name__, **out}

    def _sites(self, root: nn.Module) -> tuple[nn.Module, list[Site]]:
        raise NotImplementedError


@dataclass(frozen=True)
class LoRAXS(Adapter):
    """``W + A R B`` with ``A = U_r S_r`` and ``B = V_r^T`` from the SVD of W; R is the vector.

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
    ``theta = 0`` is the network itself. A is scaled by the singular values as in the authors' code.
    If the adapted layer is followed linearly by one fixed output, only r of the r^2 coordinates
    matter.
    """

    targets: Selector = None
    rank: int = 4
    directions: Literal["top", "bottom", "random"] = "top"
    seed: int = 0

    def __post_init__(self) -> None:
        whole(self.rank, "rank")
        if self.directions not in ("top", "bottom", "random"):
            raise InputError(
                f"directions is {self.directions!r}; expected top, bottom or random"
            )

    def _sites(self, root: nn.Module) -> tuple[nn.Module, list[Site]]:
        sites, r, start = [], self.rank, 0
        generator = torch.Generator().manual_seed(self.seed)
        for name, parameter, module, alone in _weights(root, self.targets, r):
            W = getattr(module, parameter)
            left, right = self._factors(_matrix(W), generator)
            here = slice(start, start + r * r)
            start += r * r

            def core(theta: Tensor, left: Tensor = left) -> Tensor:
                return left @ theta.unflatten(-1, (r, r))

            if alone:
                root = replace(root, module, LowRank(module, r, right))
                sites.append(_low_rank(name, module, here, lambda t, f=core: (f(t), None), right))
            else:
                sites.append(
                    _merged(name, parameter, W, here, lambda t, f=core, b=right: f(t) @ b)
                )
        return root, sites

    def _factors(self, W: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        source = W.double()
        if self.directions == "random":
            draw = torch.randn(W.shape, generator=generator, dtype=torch.float64)
            source = draw.to(W.device) * (source.norm() / draw.norm().to(W.device))
        U, S, Vt = torch.linalg.svd(source, full_matrices=False)
        keep = slice(-self.rank, None) if self.directions == "bottom" else slice(self.rank)
        return (U[:, keep] * S[keep]).to(W.dtype), Vt[keep].to(W.dtype)


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
        sites, r, start, scale = [], self.rank, 0, self.scale
        for name, parameter, module, alone in _weights(root, self.targets, r):
            W = getattr(module, parameter)
            m, p = _matrix(W).shape
            here = slice(start, start + r * (m + p))
            start = here.stop
            # Kaiming's uniform law, as usual for a linear layer of width p
            spread = torch.cat([torch.full((r * p,), 1 / p**0.5), torch.zeros(m * r)])

            def factors(t: Tensor, m: int = m, p: int = p) -> tuple[Tensor, Tensor]:
                down = t[..., : r * p].unflatten(-1, (r, p))
                return scale * t[..., r * p :].unflatten(-1, (m, r)), down

            if alone:
                root = replace(root, module, LowRank(module, r))
                sites.append(_low_rank(name, module, here, factors, None, spread))
            else:
                product = lambda t, f=factors: torch.matmul(*f(t))  # noqa: E731
                sites.append(_merged(name, parameter, W, here, product, spread))
        return root, sites


@dataclass(frozen=True, eq=False)
class Subspace(Adapter):
    """All target weights move in one fixed linear subspace: ``W + (P theta)``.

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
        found = _weights(root, self.targets, 1)
        sizes = [getattr(m, p).numel() for _, p, m, _ in found]
        P, row, sites = self._basis(sum(sizes)), 0, []
        for (name, parameter, module, _), size in zip(found, sizes, strict=True):
            W = getattr(module, parameter)
            part = P[row : row + size].to(W)
            row += size
            shape = tuple(_matrix(W).shape)

            def delta(t: Tensor, part: Tensor = part, shape: Any = shape) -> Tensor:
                return (t @ part.mT).unflatten(-1, shape)

            sites.append(_merged(name, parameter, W, slice(0, self.dim), delta))
        return root, sites

    def _basis(self, rows: int) -> Tensor:
        if self.basis is None:
            if self.dim > rows:
                raise InputError(f"dim is {self.dim}; the targets have only {rows} weights")
            generator = torch.Generator().manual_seed(self.seed)
            draw = torch.randn(rows, self.dim, generator=generator, dtype=torch.float64)
            return torch.linalg.qr(draw)[0]
        basis = torch.as_tensor(np.asarray(self.basis, dtype=float))
        if basis.shape != (rows, self.dim):
            raise InputError(f"basis has shape {tuple(basis.shape)}; expected {(rows, self.dim)}")
        return basis


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
        name, layer = "", None
        if self.in_features is None:
            name, layer = select(root, self.target, nn.Linear)[-1]
            if not isinstance(layer, nn.Linear):
                raise InputError(f"target is {name!r}, {type(layer).__name__}; expected a Linear")
        if self.n_outputs is not None:
            like = layer.weight if layer is not None else next(root.parameters(), torch.empty(0))
            width = self.in_features or layer.in_features  # type: ignore[union-attr]
            options = {"device": like.device, "dtype": like.dtype}
            new = nn.Linear(width, self.n_outputs, bias=self.bias, **options).requires_grad_(False)
            nn.init.zeros_(new.weight)
            if self.bias:
                nn.init.zeros_(new.bias)
            if layer is None:
                root, name = nn.Sequential(root, new), "1"
            else:
                root = replace(root, layer, new)
            layer = new
        assert layer is not None
        m, p = layer.weight.shape
        sites = [_merged(name, "weight", layer.weight, slice(0, m * p),
                         lambda t: t.unflatten(-1, (m, p)))]  # fmt: skip
        if self.bias:
            if layer.bias is None:
                raise InputError(f"target {name!r} has no bias; give bias=False")
            sites.append(_merged(name, "bias", layer.bias, slice(m * p, m * p + m), lambda t: t))
        return root, sites


@dataclass(frozen=True)
class BottleneckAdapter(Adapter):
    """``h + up(act(down(h)))`` behind every target (Houlsby et al., arXiv:1902.00751).

    Parameters
    ----------
    targets : str, type, callable or list, optional
        Modules with a tensor as output, whose last axis has the features; all linear ones by
        default.
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
        sites, start = [], 0
        for name, module in select(root, self.targets, nn.Linear):
            adapter = Bottleneck(
                module, self._width(name, module), self.bottleneck, ACTIVATIONS[self.activation]()
            )
            root = replace(root, module, adapter)
            shapes, prefix = adapter.shapes, f"{name}." if name else ""
            size = sum(s.numel() for s in shapes.values())
            spread = torch.cat(
                [
                    torch.full((s.numel(),), s[-1] ** -0.5 if key == "down" else 0.0)
                    for key, s in shapes.items()
                ]
            )

            def overrides(t: Tensor, shapes: Any = shapes, prefix: str = prefix) -> dict[str, Tensor]:
                parts = t.split([s.numel() for s in shapes.values()], dim=-1)
                return {
                    prefix + key: part.unflatten(-1, tuple(s))
                    for (key, s), part in zip(shapes.items(), parts, strict=True)
                }

            sites.append(Site(name, slice(start, start + size), overrides, spread=spread))
            start += size
        return root, sites

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


# ------------------------------------------------------------------------ weights


def _weights(
    root: nn.Module, targets: Selector, rank: int
) -> list[tuple[str, str, nn.Module, bool]]:
    """Module name, parameter name and module of every target weight, tied ones once.

    The last entry tells whether it belongs to one plain linear layer alone.
    """
    out, seen, shared = [], set(), tied(root)
    for name, module in select(root, targets, nn.Linear):
        matrices = [
            key
            for key, value in module.named_parameters(recurse=False)
            if key.endswith("weight") and value.ndim >= 2
        ]
        if not matrices:
            raise InputError(f"targets has {name!r}, {type(module).__name__}, without a weight matrix")
        for key in matrices:
            W = getattr(module, key)
            if id(W) in seen:
                continue
            seen.add(id(W))
            if rank > min(_matrix(W).shape):
                raise InputError(
                    f"rank is {rank}; the weight of {name!r} is {' x '.join(map(str, W.shape))}, "
                    f"of rank at most {min(_matrix(W).shape)}"
                )
            alone = type(module) is nn.Linear and id(W) not in shared
            out.append((name, key, module, alone))
    return out


def _matrix(W: Tensor) -> Tensor:
    return W.flatten(1)


def _merged(
    name: str, parameter: str, W: Tensor, here: slice, delta: Any, spread: Tensor | None = None
) -> Site:
    """The weight is replaced by itself and a change."""
    key, shape, base = (f"{name}.{parameter}" if name else parameter), tuple(W.shape), W.detach()

    def build(t: Tensor) -> Tensor:
        change = delta(t)
        return base + change.reshape(*change.shape[: t.ndim - 1], *shape)

    return Site(
        name, here, lambda t: {key: build(t)}, head=lambda t: {parameter: build(t)}, spread=spread
    )


def _low_rank(
    name: str,
    module: nn.Linear,
    here: slice,
    factors: Any,
    right: Tensor | None,
    spread: Tensor | None = None,
) -> Site:
    """The change has its own path: cheap, and shared inputs stay shared."""
    prefix = f"{name}." if name else ""
    base = module.weight.detach()

    def overrides(t: Tensor) -> dict[str, Tensor]:
        left, down = factors(t)
        out = {prefix + "left": left}
        return out if down is None else {**out, prefix + "right": down}

    def head(t: Tensor) -> dict[str, Tensor]:
        left, down = factors(t)
        return {"weight": base + left @ (right if down is None else down)}

    return Site(name, here, overrides, head=head, spread=spread)


def _plain(value: Any) -> Any:
    """A setting as JSON can write it."""
    if isinstance(value, list | tuple) and not all(isinstance(v, int | float) for v in value):
        return [_plain(v) for v in value]
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    if callable(value):
        return getattr(value, "__qualname__", type(value).__qualname__)
    if isinstance(value, np.ndarray | Tensor | list | tuple):
        from tlstat.certificates.peft.candidates import array_digest

        return f"sha256:{array_digest(np.asarray(value))}"
    return value
