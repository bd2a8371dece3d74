"""A candidate set that is fixed, and has a fingerprint, before any label is read."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from tlstat.certificates.peft.inputs import whole
from tlstat.errors import InputError

FORMAT = "tlstat-candidates-1"


def array_digest(*arrays: np.ndarray) -> str:
    """sha256 of types, shapes and bytes (little endian, in C order)."""
    state = hashlib.sha256()
    for array in arrays:
        little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        state.update(f"{little.dtype.str}{little.shape}|".encode())
        state.update(little.tobytes())
    return state.hexdigest()


class CandidateSet:
    """M vectors in the order of their generation, and where they came from.

    Parameters
    ----------
    thetas : array_like, shape (M, d)
    generator : dict
        Description of the generator, as its ``describe()`` gives it.
    seed : int
        Of the sampling.
    model : str
        Digest of the frozen network and the adapter, which make functions of the vectors.

    Attributes
    ----------
    fingerprint : str
        sha256 of all of these. Two sets have the same one only if they are the same bit for bit.

    Notes
    -----
    A certificate holds if the set does not depend on the labels that certify it. The fingerprint
    cannot prove that, but whoever publishes or stores it beforehand can show that nothing was
    exchanged afterwards.
    """

    def __init__(self, thetas: Any, generator: dict[str, Any], seed: int, model: str = "") -> None:
        values = np.array(thetas, dtype=np.float32, order="C")
        if values.ndim != 2 or 0 in values.shape:
            raise InputError(f"thetas has shape {values.shape}; expected (M, d) with M, d >= 1")
        if not np.isfinite(values).all():
            raise InputError("thetas has a NaN or an infinite value")
        values.setflags(write=False)
        self.thetas, self.generator = values, json.loads(json.dumps(generator))
        self.seed, self.model = whole(seed, "seed", 0), model

    @classmethod
    def draw(cls, generator: Any, M: int | None, seed: int, model: str = "") -> CandidateSet:
        """Sample M candidates from a fitted generator."""
        return cls(generator.sample(M, seed), generator.describe(), seed, model)

    @property
    def fingerprint(self) -> str:
        head = {"format": FORMAT, "generator": self.generator, "seed": self.seed,
                "model": self.model}  # fmt: skip
        text = json.dumps(head, sort_keys=True, separators=(",", ":"))
        state = hashlib.sha256(text.encode())
        state.update(array_digest(self.thetas).encode())
        return state.hexdigest()

    def save(self, path: str | Path) -> None:
        """Write vectors and description to an .npz file."""
        head = {"generator": self.generator, "seed": self.seed, "model": self.model,
                "fingerprint": self.fingerprint}  # fmt: skip
        with open(path, "wb") as file:
            np.savez(file, thetas=self.thetas, head=np.array(json.dumps(head)))

    @classmethod
    def load(cls, path: str | Path) -> CandidateSet:
        """Read a stored set; InputError if it is not what its fingerprint says."""
        with np.load(path, allow_pickle=False) as stored:
            head = json.loads(str(stored["head"]))
            out = cls(stored["thetas"], head["generator"], head["seed"], head["model"])
        if out.fingerprint != head["fingerprint"]:
            raise InputError(f"{path}: the candidates do not have the fingerprint stored with them")
        return out

    def __len__(self) -> int:
        return len(self.thetas)

    def __repr__(self) -> str:
        M, d = self.thetas.shape
        return f"<CandidateSet of {M:,} vectors in {d} dimensions, {self.fingerprint[:12]}>"
