"""Which support sets were certified already: one failure probability buys one certificate."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np
from torch import Tensor

from tlstat.errors import InputError


def support_digest(X: Tensor, y: Tensor) -> str:
    """sha256 of a labelled sample as a set with repetitions: the order does not matter."""
    state = hashlib.sha256(f"{X.dtype}|{tuple(X.shape[1:])}|{len(y)}".encode())
    for one in sorted(_rows(X, y)):
        state.update(one)
    return state.hexdigest()


def input_digests(X: Tensor) -> set[bytes]:
    """A digest of every input."""
    return set(_rows(X, None))


def _rows(X: Tensor, y: Tensor | None) -> list[bytes]:
    # + 0 makes the two zeros of floating point one
    values = np.ascontiguousarray((X + 0).cpu().numpy())
    tags = [b""] * len(values) if y is None else [int(v).to_bytes(8, "little") for v in y]
    return [
        hashlib.blake2b(row.tobytes() + tag, digest_size=16).digest()
        for row, tag in zip(values, tags, strict=True)
    ]


class Ledger:
    """Accounts of support sets.

    Parameters
    ----------
    allowed : int
        Certificates that may ever be asked for on one support set; each gets the equal part
        ``delta / allowed``, the first one too, so that all of them hold together with probability
        ``1 - delta``.
    """

    def __init__(self, allowed: int) -> None:
        self.allowed = allowed
        self.entries: dict[str, dict[str, Any]] = {}

    def charge(self, support: str, delta: float) -> float:
        """The failure probability of the next certificate on a support set.

        Raises
        ------
        InputError
            If the account is used up, or ``delta`` is not that of the first certificate.
        """
        entry = self.entries.get(support)
        if entry is None:
            return delta / self.allowed
        if entry["used"] >= self.allowed:
            plan = (
                "was planned for one certificate" if self.allowed == 1
                else f"was planned for {self.allowed} certificates, and all were given"
            )  # fmt: skip
            raise InputError(
                f"this support set (inputs and labels {support[:12]}) {plan} with delta = "
                f"{entry['delta']:g}. Another one would let the better of several certificates be "
                "reported, which fails more often than delta: keep the one you have, take new "
                "examples, or plan ahead with FewShotCertifier(..., budget=k), which certifies "
                "each of k times at delta / k"
            )
        if not math.isclose(entry["delta"], delta, rel_tol=1e-12):
            raise InputError(
                f"delta is {delta:g}, but the account of this support set was opened with "
                f"{entry['delta']:g}, which its {self.allowed} certificates share; give that"
            )
        return delta / self.allowed

    def book(self, support: str, delta: float, candidates: str) -> None:
        """Enter a certificate that was given."""
        entry = self.entries.setdefault(support, {"delta": delta, "used": 0, "candidates": []})
        entry["used"] += 1
        entry["candidates"].append(candidates)
