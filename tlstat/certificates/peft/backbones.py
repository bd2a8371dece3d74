"""A frozen copy of the user's network, and the modules of it that an adapter is put on."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor, nn

from tlstat.errors import InputError

Selector = str | type | Callable[[str, nn.Module], bool] | Sequence[Any] | None


def frozen(backbone: nn.Module) -> nn.Module:
    """A copy in evaluation mode, without gradients.

    A certificate speaks of one function from an input to a label, so nothing that happens to the
    user's network later may change it, and dropout and batch statistics are switched off.

    Raises
    ------
    InputError
        If it is no module, has parameters that are not initialised or on several devices, or
        normalises by the statistics of the batch even in evaluation mode.
    """
    if not isinstance(backbone, nn.Module):
        raise InputError(f"backbone is {type(backbone).__name__}; expected a torch.nn.Module")
    for name, module in backbone.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            raise InputError(
                f"backbone has the scripted module {name or '(itself)'!r}, whose weights cannot be "
                "replaced; give the module that was scripted"
            )
        norm = isinstance(module, nn.modules.batchnorm._BatchNorm)
        if norm and module.running_mean is None:
            raise InputError(
                f"backbone normalises by the batch in {name or '(itself)'!r} (no running "
                "statistics): a prediction would depend on the other examples of its batch, and "
                "no certificate covers that"
            )
    tensors = [*backbone.named_parameters(), *backbone.named_buffers()]
    for name, tensor in tensors:
        if nn.parameter.is_lazy(tensor):
            raise InputError(f"backbone has the uninitialised {name!r}; run it once on an input")
    if len({t.device for _, t in tensors}) > 1:
        raise InputError("backbone is spread over several devices; expected one")
    out = copy.deepcopy(backbone).eval().requires_grad_(False)
    for module in out.modules():
        if isinstance(module, nn.TransformerEncoderLayer):
            # its fused kernel reads the weights of its parts, and would pass by an adapter
            module.activation_relu_or_gelu = 0
    return out


def home(module: nn.Module) -> tuple[torch.dtype, torch.device]:
    """Floating-point type and device of a network; those of torch if it has no parameters."""
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.is_floating_point():
            return tensor.dtype, tensor.device
    return torch.get_default_dtype(), torch.device("cpu")


def digest(module: nn.Module, settings: str) -> str:
    """sha256 of settings, the architecture as printed, and all parameters and buffers."""
    state = hashlib.sha256(f"{settings}|{module}".encode())
    for name, tensor in sorted(module.state_dict().items()):
        if not isinstance(tensor, Tensor):
            continue
        head = f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|"
        state.update(head.encode())
        data = tensor.detach().cpu().contiguous().flatten().view(torch.uint8)
        state.update(data.numpy().tobytes())
    return state.hexdigest()


def select(module: nn.Module, targets: Selector, default: type) -> list[tuple[str, nn.Module]]:
    """The modules that are meant, in the order of the network.

    Parameters
    ----------
    module : Module
    targets : str, type, callable, or a list of these
        A name as in ``named_modules()``, in which ``*`` stands for anything; a class; a function
        of name and module. None: all of the default class.
    default : type

    Raises
    ------
    InputError
        If one of the targets meets no module; the message lists names that exist.
    """
    if targets is None:
        targets = default
    many = isinstance(targets, Sequence) and not isinstance(targets, str)
    wanted: list[Any] = list(targets) if many else [targets]  # type: ignore[arg-type]
    named = list(module.named_modules())
    hit = set()
    for target in wanted:
        met = [name for name, m in named if _meets(target, name, m)]
        if not met:
            known = ", ".join(repr(n) for n, m in named if n and not list(m.children()))
            raise InputError(
                f"targets: no module is {target!r}; the backbone has {known or 'none'}"
            )
        hit.update(met)
    if not hit:
        raise InputError("targets is empty; expected at least one module")
    return [(name, m) for name, m in named if name in hit]


def _meets(target: Any, name: str, module: nn.Module) -> bool:
    if isinstance(target, str):
        return fnmatchcase(name, target)
    if isinstance(target, type):
        return isinstance(module, target)
    if callable(target):
        return bool(target(name, module))
    raise InputError(f"targets has {target!r}; expected a name, a class of modules or a function")


def replace(root: nn.Module, old: nn.Module, new: nn.Module) -> nn.Module:
    """The network with a module replaced wherever it is used; ``new`` itself for the root."""
    if old is root:
        return new
    names = [n for n, m in root.named_modules(remove_duplicate=False) if m is old]
    for name in names:
        parent, _, leaf = name.rpartition(".")
        setattr(root.get_submodule(parent), leaf, new)
    return root


def tied(root: nn.Module) -> set[int]:
    """Ids of the parameters that several modules share."""
    owners: dict[int, int] = {}
    for module in root.modules():
        for parameter in module.parameters(recurse=False):
            owners[id(parameter)] = owners.get(id(parameter), 0) + 1
    return {key for key, count in owners.items() if count > 1}
