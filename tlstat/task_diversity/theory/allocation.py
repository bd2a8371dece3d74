"""Which source tasks deserve the samples? The bias left at one target, to first order (ours).

With ``n_j`` samples of task ``j``, ERM leaves at a target with head ``alpha_0`` the squared bias

    sigma^2 (d - r) alpha_0' (sum_j (n_j - r) alpha_j alpha_j')^-1 alpha_0
        = sigma^2 (d - r) min { sum_j w_j^2/(n_j - r) : A'w = alpha_0 }.

Its least value over ``sum_j n_j = N`` is Elfving's: ``n_j`` in proportion to ``|w_j|`` for the
weights of least l1 norm. Uniform allocation pays ``t |w|_2^2`` with the weights of least l2 norm;
samples in proportion to the squares of these pay at most ``s |w|_2^2``, ``s`` of them not zero.
The same three numbers order the published rates.

====================  ==================================================================
``l1, l2``            least l1 and least l2 norm of ``w`` with ``A'w = alpha_0``
``s``                 number of tasks in the weights of least l2 norm
``N``                 all source samples, many more than ``r`` in each task in use
====================  ==================================================================
"""

from __future__ import annotations

from typing import Any

from sympy import symbols

from tlstat.task_diversity.theory.base import (
    FROM_MEMORY,
    GAUSSIAN,
    NORMAL_NOISE,
    OURS,
    C,
    N,
    d,
    r,
    sigma,
    t,
)
from tlstat.theory.bound import Assumption, Bound, Source

__all__ = [
    "ELFVING_BIAS",
    "L1_SAMPLING_RATE",
    "SQUARED_WEIGHTS_BIAS",
    "SQUARED_WEIGHTS_RATE",
    "UNIFORM_BIAS",
    "UNIFORM_RATE",
]

l1, l2, s, eps = symbols("l1 l2 s eps", positive=True)
_MANY = Assumption("many samples", "leading term as N -> infinity, n_j far above r")
_CHEN = "arXiv:2202.00911"
_WANG = "arXiv:2306.02556"


def _bias(name: str, weight: Any, kind: Any = "exact") -> Bound:
    return Bound(
        name=f"squared bias left at the target, {name}",
        expr=sigma**2 * (d - r) * weight / N,
        kind=kind,
        assumptions=(GAUSSIAN, NORMAL_NOISE, _MANY),
        source=Source(_CHEN, "sampling by relevance", note=OURS),
    )


ELFVING_BIAS = _bias("samples as |w_j| of least l1 norm (the least possible)", l1**2)
UNIFORM_BIAS = _bias("samples alike", t * l2**2)
SQUARED_WEIGHTS_BIAS = _bias("samples as w_j^2 of least l2 norm", s * l2**2, "upper")


def _samples(name: str, expr: Any, ref: str) -> Bound:
    return Bound(
        name=f"source samples for an excess risk of eps^2: {name}, rate",
        expr=C * expr / eps**2,
        kind="rate",
        source=Source(ref, "sample complexity", note=FROM_MEMORY),
        free=("C",),
    )


UNIFORM_RATE = _samples("uniform", r * d * t * l2**2, _CHEN)
SQUARED_WEIGHTS_RATE = _samples("in proportion to w_j^2", r * d * s * l2**2, _CHEN)
L1_SAMPLING_RATE = _samples("in proportion to |w_j| of least l1 norm", r * d * l1**2, _WANG)
