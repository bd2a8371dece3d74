"""What all adapters have in common: they are attached to a network."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from torch import Tensor, nn

from tlstat.certificates.peft.adapted import AdaptedModel, Site
from tlstat.certificates.peft.backbones import frozen


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
