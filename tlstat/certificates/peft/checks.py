"""What a network must be for a certificate to speak of it."""

from __future__ import annotations

import torch
from torch import Tensor

from tlstat.certificates.peft.adapted import AdaptedModel
from tlstat.certificates.peft.evaluation import classes
from tlstat.errors import InputError


def n_classes(model: AdaptedModel, x: Tensor) -> int:
    """How many classes the models tell apart, from one run on one example."""
    with torch.no_grad():
        return classes(model.forward(model.start(1), x[:1]))


def check_pointwise(model: AdaptedModel, x: Tensor) -> None:
    """A certificate is about a function of one input."""
    with torch.no_grad():
        theta = model.start(1)
        first, again = model.forward(theta, x), model.forward(theta, x)
        alone = model.forward(theta, x[:1])
    scale = 1e-3 * float(first.abs().max()) + 1e-6
    if float((first - again).abs().max()) > scale:
        raise InputError(
            "backbone gives different outputs for the same input, even in evaluation mode: it "
            "draws random numbers, and no single predictor can be certified"
        )
    if float((first[:, :1] - alone).abs().max()) > scale:
        raise InputError(
            "backbone's output for an input depends on the other inputs of its batch, even in "
            "evaluation mode: no single predictor can be certified"
        )
