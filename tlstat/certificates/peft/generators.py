"""Laws of PEFT vectors, learned from a zoo: the vectors of upstream tasks.

Every generator is fitted once to a zoo (Z, d) and then sampled with a seed of its own; nothing in
it ever sees the sample that will be certified. Candidates come in an order, and fewer candidates
are the first ones of more.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from tlstat.backend import to_numpy
from tlstat.certificates.peft.candidates import array_digest
from tlstat.certificates.peft.inputs import positive, whole
from tlstat.errors import InputError

FORMAT = "tlstat-generator-1"
GENERATORS: dict[str, type[Generator]] = {}


class Generator:
    """A law of vectors.

    A subclass names its settings in ``__init__``, as attributes, and its fitted state as arrays.
    """

    settings: ClassVar[tuple[str, ...]] = ()
    least: ClassVar[int] = 2

    def __init_subclass__(cls) -> None:
        GENERATORS[cls.__name__] = cls

    # ------------------------------------------------------------------ the interface

    def fit(self, zoo: Any, seed: int = 0, **options: Any) -> Self:
        """Learn the law of a zoo.

        Parameters
        ----------
        zoo : array_like, shape (Z, d)
            A row an upstream task.
        seed : int
            For what the fit draws.

        Returns
        -------
        self
            Fixed from now on: a second fit needs a new object.

        Raises
        ------
        InputError
            If it is fitted already, or the zoo is too small or has a NaN.
        """
        if self.fitted:
            raise InputError(f"this {type(self).__name__} is fitted already and stays as it is")
        values = np.array(to_numpy(zoo))
        if values.ndim != 2 or values.dtype.kind != "f" or 0 in values.shape:
            raise InputError(f"zoo has shape {values.shape} and dtype {values.dtype}; expected "
                             "floating-point vectors (Z, d), a row an upstream task")  # fmt: skip
        if len(values) < self.least:
            raise InputError(f"zoo has {len(values)} vectors; expected at least {self.least}")
        if not np.isfinite(values).all():
            raise InputError("zoo has a NaN or an infinite value")
        whole(seed, "seed", 0)
        self._keep(self._fit(values.astype(np.float64), seed, **options), values.shape[1])
        return self

    def sample(self, M: int | None, seed: int = 0) -> np.ndarray:
        """Candidates 1..M of the stream that belongs to a seed.

        Returns
        -------
        ndarray of float32, shape (M, d)
        """
        if not self.fitted:
            raise InputError(f"this {type(self).__name__} is not fitted; call fit(zoo) first")
        whole(seed, "seed", 0)
        return np.asarray(self._sample(self._number(M), seed), dtype=np.float32)

    def describe(self) -> dict[str, Any]:
        """Name, settings, and a digest of what was learned; plain types."""
        out = {"generator": type(self).__name__, **self._settings()}
        if self.fitted:
            out["dim"] = self.dim
            out["digest"] = array_digest(*(self._state[k] for k in sorted(self._state)))
        return out

    def save(self, path: str | Path) -> None:
        """Write settings and learned arrays to an .npz file; no code is stored."""
        if not self.fitted:
            raise InputError(f"this {type(self).__name__} is not fitted; there is nothing to save")
        head = {"format": FORMAT, "generator": type(self).__name__, "settings": self._settings(),
                "dim": self.dim}  # fmt: skip
        with open(path, "wb") as file:
            arrays: dict[str, Any] = {**self._state, "head": np.array(json.dumps(head))}
            np.savez(file, **arrays)

    @staticmethod
    def load(path: str | Path) -> Generator:
        """Read a generator of any kind; nothing in the file is executed."""
        try:
            with np.load(path, allow_pickle=False) as stored:
                head = json.loads(str(stored["head"]))
                state = {k: stored[k] for k in stored.files if k != "head"}
        except (ValueError, KeyError, EOFError) as error:
            raise InputError(f"{path} holds no generator: {error}") from error
        if head.get("format") != FORMAT or head.get("generator") not in GENERATORS:
            raise InputError(f"{path} holds no generator that this version knows")
        out = GENERATORS[head["generator"]](**head["settings"])
        out._keep(state, head["dim"])
        return out

    # ------------------------------------------------------------------ for subclasses

    _state: dict[str, np.ndarray]
    dim: int

    @property
    def fitted(self) -> bool:
        """Whether the law is fixed."""
        return hasattr(self, "_state")

    def _fit(self, zoo: np.ndarray, seed: int) -> dict[str, np.ndarray]:
        raise NotImplementedError

    def _sample(self, M: int, seed: int) -> Any:
        raise NotImplementedError

    def _number(self, M: int | None) -> int:
        return whole(M, "M")

    def _settings(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.settings}

    def _keep(self, state: dict[str, np.ndarray], dim: int) -> None:
        for value in state.values():
            value.setflags(write=False)
        self._state, self.dim = state, int(dim)

    def __repr__(self) -> str:
        inside = ", ".join(f"{k}={v!r}" for k, v in self._settings().items())
        return f"{type(self).__name__}({inside})"


def stream(seed: int, number: int) -> np.random.Generator:
    """Random stream ``number`` of a seed; streams are independent."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, number])))


class Zoo(Generator):
    """The zoo itself, in a random order; without ``M`` all of it."""

    least = 1

    def _fit(self, zoo: np.ndarray, seed: int) -> dict[str, np.ndarray]:
        return {"zoo": zoo}

    def _number(self, M: int | None) -> int:
        size = len(self._state["zoo"])
        if M is not None and whole(M, "M") > size:
            raise InputError(f"M is {M}; the zoo has only {size} vectors")
        return size if M is None else M

    def _sample(self, M: int, seed: int) -> Any:
        zoo = self._state["zoo"]
        return zoo[stream(seed, 0).permutation(len(zoo))[:M]]


class Isotropic(Generator):
    """``N(0, s^2 I)``, with ``s`` the root mean square of the zoo's coordinates unless given."""

    settings = ("scale",)
    least = 1

    def __init__(self, scale: float | None = None) -> None:
        self.scale = None if scale is None else positive(scale, "scale")

    def _fit(self, zoo: np.ndarray, seed: int) -> dict[str, np.ndarray]:
        s = np.sqrt(np.mean(zoo**2)) if self.scale is None else self.scale
        return {"s": np.array(float(s))}

    def _sample(self, M: int, seed: int) -> Any:
        return self._state["s"] * stream(seed, 0).standard_normal((M, self.dim))


class Gaussian(Generator):
    """The normal law with the mean and covariance of the zoo; singular if the zoo is small."""

    def _fit(self, zoo: np.ndarray, seed: int) -> dict[str, np.ndarray]:
        mean = zoo.mean(axis=0)
        _, s, Vt = np.linalg.svd(zoo - mean, full_matrices=False)
        return {"mean": mean, "factor": s[:, None] * Vt / np.sqrt(len(zoo) - 1)}

    def _sample(self, M: int, seed: int) -> Any:
        factor = self._state["factor"]
        z = stream(seed, 0).standard_normal((M, len(factor)))
        return self._state["mean"] + z @ factor


class GaussianMixture(Generator):
    """A mixture of normal laws, fitted by scikit-learn's EM.

    Parameters
    ----------
    n_components : int
    covariance : {"full", "diag"}
    regularisation : float
        Added to the variances, in units of the zoo's mean variance.
    """

    settings = ("n_components", "covariance", "regularisation")

    def __init__(
        self, n_components: int = 10, covariance: str = "diag", regularisation: float = 1e-3
    ) -> None:
        self.n_components = whole(n_components, "n_components")
        if covariance not in ("full", "diag"):
            raise InputError(f"covariance is {covariance!r}; expected full or diag")
        self.covariance = covariance
        self.regularisation = positive(regularisation, "regularisation", zero=True)

    def _fit(self, zoo: np.ndarray, seed: int) -> dict[str, np.ndarray]:
        from sklearn.mixture import GaussianMixture as EM

        if len(zoo) < self.n_components:
            raise InputError(
                f"zoo has {len(zoo)} vectors, fewer than {self.n_components} components"
            )
        floor = self.regularisation * float(zoo.var(axis=0).mean()) + 1e-12
        em = EM(self.n_components, covariance_type=self.covariance, reg_covar=floor,
                random_state=seed % 2**32, max_iter=500).fit(zoo)  # fmt: skip
        if self.covariance == "diag":
            factors = np.sqrt(em.covariances_)
        else:
            factors = np.linalg.cholesky(em.covariances_)
        return {"weights": em.weights_, "means": em.means_, "factors": factors}

    def _sample(self, M: int, seed: int) -> Any:
        state = self._state
        edges = np.cumsum(state["weights"])
        u = stream(seed, 1).random(M) * edges[-1]
        which = np.minimum(np.searchsorted(edges, u, side="right"), len(edges) - 1)
        z = stream(seed, 0).standard_normal((M, self.dim))
        if self.covariance == "diag":
            return state["means"][which] + z * state["factors"][which]
        out = state["means"][which]
        for c, factor in enumerate(state["factors"]):
            here = which == c
            out[here] += z[here] @ factor.T
        return out


class KernelDensity(Generator):
    """A random vector of the zoo with normal noise of ``bandwidth`` standard deviations.

    Parameters
    ----------
    bandwidth : float
        In units of each coordinate's standard deviation in the zoo.
    """

    settings = ("bandwidth",)

    def __init__(self, bandwidth: float = 0.2) -> None:
        self.bandwidth = positive(bandwidth, "bandwidth")

    def _fit(self, zoo: np.ndarray, seed: int) -> dict[str, np.ndarray]:
        return {"zoo": zoo, "width": self.bandwidth * zoo.std(axis=0)}

    def _sample(self, M: int, seed: int) -> Any:
        zoo = self._state["zoo"]
        which = stream(seed, 1).integers(len(zoo), size=M)
        z = stream(seed, 0).standard_normal((M, self.dim))
        return zoo[which] + self._state["width"] * z


class Mixup(Generator):
    """A random convex combination of two vectors of the zoo, with a uniform weight."""

    def _fit(self, zoo: np.ndarray, seed: int) -> dict[str, np.ndarray]:
        return {"zoo": zoo}

    def _sample(self, M: int, seed: int) -> Any:
        zoo = self._state["zoo"]
        pair = stream(seed, 1).integers((len(zoo), len(zoo) - 1), size=(M, 2))
        first = pair[:, 0]
        second = pair[:, 1] + (pair[:, 1] >= first)
        share = stream(seed, 0).random((M, 1))
        return share * zoo[first] + (1 - share) * zoo[second]
