"""A risk certificate is an object: it can be called, listed, cited, compared and plotted.

>>> from tlstat.certificates import binomial_tail_inversion
>>> round(binomial_tail_inversion(2, 80, delta=0.05 / 20_000), 4)
0.2049
>>> binomial_tail_inversion.losses
'0/1'

Notation: ``n`` examples, ``k`` the sum of their losses (the errors, for 0/1 losses), ``r = k/n``,
``R`` the risk, ``delta`` the probability with which the certificate may fail. Where several
candidates are certified at once, ``log_inv_delta`` is ``log(M/delta)``
(`tlstat.certificates.weights`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from tlstat.backend import to_numpy
from tlstat.certificates.inversion import Floats, counts, numbers, require, scalar
from tlstat.errors import InputError
from tlstat.theory.bound import Assumption, Source

__all__ = [
    "FIXED",
    "IID",
    "INDEPENDENT",
    "Assumption",
    "Certificate",
    "CountCertificate",
    "LossCertificate",
    "Source",
    "log_level",
]

# from here on candidates may share the work
BATCH = 4096

FIXED = Assumption("fixed", "the candidates were fixed before these examples were seen")
IID = Assumption("iid", "the examples are independent draws from one law")
INDEPENDENT = Assumption(
    "independent", "the examples are independent; R is the mean of their expected losses"
)
BINARY = Assumption("binary", "every loss is 0 or 1")
BOUNDED = Assumption("bounded", "every loss lies in [0, 1]")


@dataclass(frozen=True, eq=False, repr=False)
class Certificate:
    """An upper confidence limit for a risk; it fails with probability at most ``delta``.

    Attributes
    ----------
    name, title : str
        The key in ``CERTIFICATES``; the words for tables and legends.
    losses : {"0/1", "[0,1]"}
        The losses for which it is valid.
    input : {"count", "losses", "weighted", "gibbs"}
        What it is computed from: ``(k, n)``; losses along the last axis; such losses and their
        density ratios; ``(risk, n, kl)`` of a randomised predictor.
    parameters : tuple of str
        Further arguments that its call needs, as the size of a finite pool.
    formula : str
        LaTeX.
    source : Source
    assumptions : tuple of Assumption
        What has to hold for the guarantee.
    valid_for_independent : bool
        Whether independence alone is enough, so that it holds for a stratified support too.
    anytime : bool
        Whether it may be looked at after every example; then it has a method ``path``.
    note : str
        What a user should know before choosing it.
    value : callable
        The formula, on checked arrays.
    """

    name: str
    title: str
    losses: Literal["0/1", "[0,1]"]
    formula: str
    source: Source
    value: Callable[..., Any]
    assumptions: tuple[Assumption, ...] = (FIXED, INDEPENDENT, BOUNDED)
    parameters: tuple[str, ...] = ()
    note: str = ""

    input: ClassVar[str] = ""
    anytime: ClassVar[bool] = False

    @property
    def valid_for_independent(self) -> bool:
        return INDEPENDENT in self.assumptions

    def __call__(self, *args: Any, **options: Any) -> Any:
        raise NotImplementedError(
            "CountCertificate and LossCertificate say what they are called with"
        )

    def __repr__(self) -> str:
        return f"<certificate {self.name}: {self.title}>"

    def __reduce__(self) -> Any:
        return _by_name, (self.name,)


class CountCertificate(Certificate):
    """A certificate from the count of errors, or the sum of losses, and the number of examples."""

    input = "count"

    def __call__(
        self,
        k: ArrayLike,
        n: ArrayLike,
        *args: ArrayLike,
        delta: ArrayLike | None = None,
        log_inv_delta: ArrayLike | None = None,
        clip: bool = True,
        **options: Any,
    ) -> Any:
        """The upper limit; every argument broadcasts.

        Parameters
        ----------
        k : array_like
            Errors among the n examples; where ``losses`` is "[0,1]", their sum of losses.
        n : array_like
            Number of examples.
        *args : array_like
            What ``parameters`` names.
        delta, log_inv_delta : array_like
            Exactly one of the two: the probability of failure, or ``log(1/delta)``.
        clip : bool
            Return at most 1; without it the formula's own value, which may be vacuous.
        **options
            What the note of this certificate names.

        Returns
        -------
        float, ndarray or tensor
            float64, never below the exact value; a tensor if any argument is one.

        Raises
        ------
        InputError
            If not 0 <= k <= n and n >= 1, if k is a fraction where a count is needed, if a sum
            comes in float32, or if the level is missing, given twice or out of range.
        """
        if len(args) != len(self.parameters):
            needed = ", ".join(("k", "n", *self.parameters))
            raise InputError(f"{self.name} takes ({needed}), got {2 + len(args)} arguments")
        give = giver(k, n, *args, delta, log_inv_delta)
        k, n = counts(to_numpy(k), to_numpy(n), whole=self.losses == "0/1")
        more = [numbers(to_numpy(v), name) for v, name in zip(args, self.parameters, strict=True)]
        arrays = np.broadcast_arrays(k, n, log_level(delta, log_inv_delta), *more)
        limit = self._evaluate(*arrays, **options)
        return give(np.minimum(limit, 1.0) if clip else limit)

    def _evaluate(self, k: Floats, n: Floats, level: Floats, *more: Floats, **options: Any) -> Any:
        """The formula, once for each possible count where there are many more candidates."""
        if k.size < BATCH or more or n.min() != n.max() or level.min() != level.max():
            return self.value(k, n, level, *more, **options)
        size = int(n.flat[0]) + 1
        if size > k.size / 4 or np.any(k != np.floor(k)):
            return self.value(k, n, level, **options)
        fixed = (np.full(size, v.flat[0]) for v in (n, level))
        table = self.value(np.arange(float(size)), *fixed, **options)
        return table[k.astype(np.intp)]


class LossCertificate(Certificate):
    """A certificate from the losses themselves, along the last axis."""

    input = "losses"

    def __call__(
        self,
        losses: ArrayLike,
        *,
        delta: ArrayLike | None = None,
        log_inv_delta: ArrayLike | None = None,
        clip: bool = True,
        **options: Any,
    ) -> Any:
        """The upper limit for each row of losses.

        Parameters
        ----------
        losses : array_like, shape (..., n)
            In [0, 1], in an order that does not depend on their values.
        delta, log_inv_delta : array_like
            Exactly one of the two; broadcast against the leading axes.
        clip : bool
            Return at most 1.
        **options
            What the note of this certificate names.

        Returns
        -------
        float, ndarray or tensor, shape of the leading axes
            float64, never below the exact value.

        Raises
        ------
        InputError
            If a loss is NaN or leaves [0, 1], if there is no example, or for a bad level.
        """
        give = giver(losses, delta, log_inv_delta)
        x, level = bounded_losses(losses), log_level(delta, log_inv_delta)
        limit = self.value(x, level, **options)
        return give(np.minimum(limit, 1.0) if clip else limit)


def log_level(delta: Any, log_inv_delta: Any) -> Floats:
    """``log(1/delta)`` from whichever of the two was given.

    Raises
    ------
    InputError
        If none or both are given, ``delta`` leaves (0, 1) or ``log_inv_delta`` (0, inf).
    """
    if (delta is None) == (log_inv_delta is None):
        given = "neither" if delta is None else "both"
        raise InputError(f"give exactly one of delta and log_inv_delta, got {given}")
    if delta is None:
        level = numbers(to_numpy(log_inv_delta), "log_inv_delta")
        require((level > 0) & np.isfinite(level), level, "log_inv_delta", "positive and finite")
        return level
    level = numbers(to_numpy(delta), "delta")
    require((level > 0) & (level < 1), level, "delta", "strictly between 0 and 1")
    return -np.log(level)


def bounded_losses(losses: Any, name: str = "losses") -> Floats:
    """Losses as float64 with at least one example on the last axis; InputError outside [0, 1]."""
    x = np.asarray(to_numpy(losses))
    if x.dtype.kind not in "fiub":
        raise InputError(f"{name} must be numbers in [0, 1], got dtype {x.dtype}")
    if x.ndim == 0 or x.shape[-1] == 0:
        raise InputError(f"{name} must have examples on the last axis, got shape {x.shape}")
    require((x >= 0) & (x <= 1), x, name, "in [0, 1]")
    return np.ascontiguousarray(x, dtype=np.float64)


def giver(*args: Any) -> Callable[[Any], Any]:
    """How to return a result: as a tensor on the device of the first tensor, or as numpy."""
    for x in args:
        if type(x).__module__.startswith("torch"):
            import torch

            return lambda out: torch.as_tensor(np.asarray(out), device=x.device)
    return scalar


def _by_name(name: str) -> Certificate:
    from tlstat.certificates.catalog import CERTIFICATES

    return CERTIFICATES[name]
