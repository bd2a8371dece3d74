"""Kernel and Gaussian-process hypothesis spaces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.inductive_bias.data import inputs, targets
from tlstat.inductive_bias.kernels import Kernel, as_kernel, median_distance
from tlstat.inductive_bias.spaces.base import HypothesisSpace
from tlstat.inductive_bias.spaces.factor import factorise
from tlstat.inductive_bias.spaces.gaussian import ConditionedGaussian


@dataclass(frozen=True)
class KernelSpace(HypothesisSpace):
    """Functions ``h(x) = phi(x)'theta`` with Gaussian theta: ``h ~ GP(0, variance * k)``.

    Parameters
    ----------
    kernel : Kernel, str, scikit-learn kernel or callable
        See `tlstat.inductive_bias.kernels`.
    noise : float
        Variance of the training labels' noise: 0 conditions on exact interpolation (the paper),
        above 0 gives the Gaussian-process posterior.
    jitter : float or "auto"
        Added to the diagonal of the kernel matrix, relative to its mean. "auto" adds nothing, and
        leaves out points that others determine up to rounding. What was done is in `describe`.
    variance : float
        Prior scale. Without noise it leaves the posterior mean alone and scales the covariance.

    Examples
    --------
    >>> import numpy as np
    >>> from tlstat.inductive_bias import KernelSpace, kernels
    >>> X = np.linspace(0, 1, 5)
    >>> space = KernelSpace(kernels.matern(0.5, nu=1.5)).condition(X, np.sin(X))
    >>> mean, covariance = space.posterior(X)
    >>> bool(np.allclose(mean[:, 0], np.sin(X)) and np.allclose(covariance, 0))
    True

    Notes
    -----
    arXiv:2406.15941, section 3.2 (kernel-based sampling), solved exactly instead of by gradient
    descent.
    """

    kernel: Any = "rbf"
    noise: float = 0.0
    jitter: Any = "auto"
    variance: float = 1.0

    task = "real"

    def __post_init__(self) -> None:
        object.__setattr__(self, "kernel", as_kernel(self.kernel))
        for name in ("noise", "jitter", "variance"):
            value = getattr(self, name)
            if name == "jitter" and isinstance(value, str) and value == "auto":
                continue
            least = name == "variance"
            numeric = isinstance(value, int | float | np.number) and not isinstance(value, bool)
            if not numeric or not 0 <= value < np.inf or (least and value == 0):
                wanted = "a number above 0" if least else "a number of at least 0"
                also = " or 'auto'" if name == "jitter" else ""
                raise InputError(f"{name} is {value!r}; expected {wanted}{also}")

    def condition(self, X_train: Any, y_train: Any) -> ConditionedGaussian:
        X = inputs(X_train, "X_train")
        Y = targets(y_train, len(X), "y_train")
        kernel = self._scaled()
        K = kernel(X, X)
        if K.shape != (len(X), len(X)):
            raise InputError(f"kernel gave shape {K.shape} for {len(X)} inputs; expected a square")
        settings = {
            "noise": float(self.noise),
            "variance": float(self.variance),
            "median_distance": median_distance(X),
            "largest_variance": float(np.max(np.diag(K))),
        }
        return ConditionedGaussian(
            kernel, X, Y, factorise(K, Y, float(self.noise), self.jitter), settings
        )

    def _scaled(self) -> Kernel:
        if self.variance == 1:
            return self.kernel
        inner, variance = self.kernel, float(self.variance)
        parameters = {**inner.parameters, "variance": variance}
        return Kernel(inner.name, lambda X, Z: variance * inner(X, Z), parameters)
