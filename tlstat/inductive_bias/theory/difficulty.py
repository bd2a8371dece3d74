r"""Generalisation difficulty of a task (Boopathy et al. 2023), in bits.

Functions are combinations of the eigenfunctions of the Laplacian on a sphere of dimension ``m``
(the data's intrinsic dimension) and radius ``R``, cut where they resolve ``length``, the smallest
distance between classes. The difficulty is the dimension of the set of interpolants times the
bits of a coordinate:

=============  ===============================================================
``m``, ``R``   intrinsic dimension and radius of the inputs
``classes``    number of classes; the output has ``classes - 1`` dimensions
``length``     smallest distance between classes, ``delta`` in the paper
``eps``        target error over the Lipschitz constant of the loss
``n``          number of training points
=============  ===============================================================

It is an upper bound on the bits needed, under the paper's Lipschitz argument, and very loose.
The formulas are those of the authors' program.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln

from tlstat.errors import InputError
from tlstat.inductive_bias.theory.base import MGD
from tlstat.theory.bound import Assumption, Bound, Source

__all__ = [
    "DIFFICULTY",
    "DIFFICULTY_CARTPOLE",
    "DIFFICULTY_CONTROL",
    "PUBLISHED_CARTPOLE",
    "PUBLISHED_CLASSIFICATION",
    "PUBLISHED_CONTROL",
    "mgd",
]

_CODE = Source(MGD, "generalisation difficulty", "formula of the authors' program")
_LIPSCHITZ = Assumption(
    "Lipschitz", "generalising within eps is guaranteed by a distance to the truth of eps over the "
    "Lipschitz constants and the Wasserstein distance of training and test points",
)  # fmt: skip


def _log_binomial(a: Any, b: Any) -> Any:
    return gammaln(a + 1) - gammaln(b + 1) - gammaln(a - b + 1)


def _log2(log_value: Any) -> Any:
    return log_value / np.log(2)


def mgd(eps: Any, n: Any, m: Any, R: Any, classes: Any, length: Any) -> Any:
    """Generalisation difficulty of a classification task, in bits.

    Parameters
    ----------
    eps : array_like
        Target error over the Lipschitz constant of the loss, positive.
    n, m : array_like
        Training points, intrinsic dimension (at least 1).
    R, length : array_like
        Radius of the inputs, smallest distance between classes; one unit.
    classes : array_like
        At least 2.

    Returns
    -------
    ndarray
        Bits; negative where there are more training points than the formula has dimensions:
        the measure is then empty.

    Raises
    ------
    InputError
        For an argument out of range.

    Examples
    --------
    MNIST with the authors' constants:

    >>> bits = mgd(0.001, 60_000, 14, 17.179046, 10, 2.398708)
    >>> f"{bits:.2e}"
    '1.48e+16'
    """
    eps, n, m, R, classes, length = (np.asarray(v, float) for v in (eps, n, m, R, classes, length))
    for name, value, least in (("m", m, 1), ("classes", classes, 2)):
        if np.any(~(value >= least)):
            raise InputError(f"{name} must be at least {least}, got {value}")
    for name, value in (("eps", eps), ("n", n), ("R", R), ("length", length)):
        if np.any(~(value > 0)):
            raise InputError(f"{name} must be positive, got {value}")
    outputs = classes - 1
    cutoff = 2 * np.pi * R / length
    K = (np.sqrt((m - 1) ** 2 + 4 * cutoff**2) - (m - 1)) / 2
    # harmonics of degree at most K on the m-sphere
    harmonics = np.exp(_log_binomial(m + K, m)) + np.exp(_log_binomial(m + K - 1, m))
    dimension = 2 * outputs * classes * harmonics - n * outputs
    log_area = np.log(2) + (m + 1) / 2 * np.log(np.pi) + np.log(classes) - gammaln((m + 1) / 2)
    log_distance = np.log(m / 6) / 2 + (log_area - np.log(n)) / m + np.log(R)
    log_lipschitz = np.log(K) + np.log(outputs) / 2 - np.log(R)
    coordinate = (np.log(outputs) + np.log(classes)) / 2 - np.log(eps)
    return dimension * _log2(coordinate + log_lipschitz + log_distance)


def _control(eps: Any, n: Any, m: Any, actions: Any, length: Any) -> Any:
    """The formula for control tasks: a torus, whole directions."""
    eps, n, m, actions, length = (np.asarray(v, float) for v in (eps, n, m, actions, length))
    modes = np.exp(m * np.log(2 * np.pi / length) + m / 2 * np.log(np.pi) - gammaln(m / 2 + 1))
    bits = _log2(np.log(4 * np.pi**2 / np.sqrt(6)) + np.log(actions) + np.log(m) / 2)
    bits = bits - _log2(np.log(length) + np.log(n) / m + np.log(eps))
    return actions * (2 * modes - n) * bits


def _cartpole(eps: Any, n: Any, observations: Any, length: Any) -> Any:
    # m = 2 T and sqrt(m/6) = sqrt(T/3): the control formula with one action
    return _control(eps, n, 2 * np.asarray(observations, float), 1.0, length)


DIFFICULTY = Bound(
    name="generalisation difficulty of a classification task, in bits",
    value=mgd,
    symbols=("eps", "n", "m", "R", "classes", "length"),
    kind="upper",
    scope="under the paper's approximations",
    assumptions=(_LIPSCHITZ,),
    source=_CODE,
)
DIFFICULTY_CONTROL = Bound(
    name="generalisation difficulty of a control task, in bits",
    value=_control,
    symbols=("eps", "n", "m", "actions", "length"),
    kind="upper",
    scope="under the paper's approximations",
    assumptions=(_LIPSCHITZ,),
    source=_CODE,
)
DIFFICULTY_CARTPOLE = Bound(
    name="generalisation difficulty of the pole on a cart, in bits",
    value=_cartpole,
    symbols=("eps", "n", "observations", "length"),
    kind="upper",
    scope="under the paper's approximations",
    assumptions=(_LIPSCHITZ,),
    source=_CODE,
)

# constants of the authors' program, and what its formula gives: three digits, bits
PUBLISHED_CLASSIFICATION = {
    "MNIST": (dict(eps=1e-3, n=60_000, m=14, R=17.179046, classes=10, length=2.398708), 1.48e16),
    "SVHN": (dict(eps=1e-2, n=73_257, m=19, R=53.869325, classes=10, length=1.576700), 1.21e31),
    "CIFAR-10": (dict(eps=1e-2, n=50_000, m=27, R=54.915679, classes=10, length=2.750646), 3.44e32),
    "ImageNet": (dict(eps=0.1, n=1_280_901, m=48, R=943.5923, classes=1000, length=65.0), 3.58e41),
}
_CONTROL = dict(eps=1e-3, n=1e6, length=1e-3)
PUBLISHED_CONTROL = {
    "Reacher": (dict(m=6, actions=2, **_CONTROL), 2.91e25),
    "Hopper": (dict(m=15, actions=4, **_CONTROL), 7.61e58),
    "Half-Cheetah": (dict(m=17, actions=6, **_CONTROL), 1.72e66),
}
PUBLISHED_CARTPOLE = dict(zip(range(1, 6), (4.4e9, 3.3e17, 1.5e25, 4.7e32, 1.2e40), strict=True))
