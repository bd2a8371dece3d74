"""Populations with known truth: teachers, and the sampling of counts.

Everything that a student of this room uses is a function of the counts ``N[s, a]`` (and of the
teacher's probabilities on them), so samples are drawn as counts: a multinomial over inputs, then
one over labels for each input. The cost depends on ``S`` and ``A``, never on the sample size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from tlstat.backend import to_numpy
from tlstat.errors import InputError
from tlstat.knowledge_transfer.instances import (
    half_dirac,
    on_off,
    on_off_worst_case,
    paired_labels,
    rare_inputs,
    require_size,
    uniform_law,
)

_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Teacher:
    """The law that labels are drawn from, which is also the truth.

    Parameters
    ----------
    rho : array_like, shape (S,)
        Law of the inputs.
    pi : array_like, shape (S, A)
        Row ``s`` is the law of the label given input ``s``.

    Attributes
    ----------
    S, A : int
        Numbers of inputs and of labels.
    xi : float
        ``2 max_s min_a (1 - pi(a|s))``, the distance from the deterministic teachers that
        enters Theorem 3.2 of arXiv:2310.07838: zero for a deterministic teacher.

    Raises
    ------
    InputError
        If an entry is negative or not finite, or a row does not sum to one (the row is named).
    """

    rho: np.ndarray
    pi: np.ndarray

    def __post_init__(self) -> None:
        rho = checked_law("rho", self.rho, 1)
        pi = checked_law("pi", self.pi, 2)
        if rho.shape[0] != pi.shape[0]:
            raise InputError(
                f"rho has {rho.shape[0]} inputs and pi has {pi.shape[0]} rows; "
                "they must have the same number"
            )
        for name, value in (("rho", rho), ("pi", pi)):
            value.setflags(write=False)
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        return f"Teacher(S={self.S}, A={self.A})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Teacher):
            return NotImplemented
        return np.array_equal(self.rho, other.rho) and np.array_equal(self.pi, other.pi)

    def __hash__(self) -> int:
        return hash((self.rho.tobytes(), self.pi.tobytes()))

    @property
    def S(self) -> int:
        """Number of inputs."""
        return self.pi.shape[0]

    @property
    def A(self) -> int:
        """Number of labels."""
        return self.pi.shape[1]

    @property
    def xi(self) -> float:
        """``2 max_s (1 - max_a pi(a|s))`` over the inputs that occur."""
        return float(2 * np.max(1 - self.pi.max(axis=1)[self.rho > 0]))

    @property
    def xi_tilde(self) -> float:
        """``max_s sum_a min(pi(a|s), 1 - pi(a|s))`` over the inputs that occur, at most ``xi``."""
        return float(np.max(np.minimum(self.pi, 1 - self.pi).sum(axis=1)[self.rho > 0]))

    @property
    def root_rho(self) -> float:
        """``sum_s sqrt(rho(s))``, at most ``sqrt(S)``."""
        return float(np.sqrt(self.rho).sum())

    @property
    def spread(self) -> float:
        """``sum_s sqrt(rho(s)) sum_a sqrt(pi(a|s) (1 - pi(a|s)))``: the noise of hard labels."""
        return float(np.sqrt(self.rho) @ np.sqrt(self.pi * (1 - self.pi)).sum(axis=1))

    @property
    def c_S(self) -> float:
        """Smallest mass of an input."""
        return float(self.rho.min())

    @property
    def c_A(self) -> float:
        """Smallest probability of a label given its input."""
        return float(self.pi.min())

    @property
    def joint(self) -> np.ndarray:
        """``rho(s) pi(a|s)``, shape (S, A): the law of one labelled input."""
        return self.rho[:, None] * self.pi

    @property
    def has_uniform_inputs(self) -> bool:
        """Whether every input is equally likely."""
        return bool(np.allclose(self.rho, 1 / self.S, rtol=1e-12, atol=0))

    @classmethod
    def instance0(cls, S: int, A: int) -> Teacher:
        """Half uniform, half a point mass, on uniform inputs (Figure 1 of the paper)."""
        return cls(uniform_law(S), half_dirac(S, A))

    @classmethod
    def instance1(cls, S: int, A: int, n: int) -> Teacher:
        """Pairs of labels that differ by ``sqrt(SA/n)/4``: hard for hard labels. Moves with n."""
        return cls(uniform_law(S), paired_labels(S, A, n))

    @classmethod
    def instance2(cls, S: int, A: int, n: int) -> Teacher:
        """Half of the labels have mass ``S/(n+1)``, half none: hard for partial soft labels."""
        return cls(uniform_law(S), on_off(S, A, n))

    @classmethod
    def instance2star(cls, S: int, A: int, n: int) -> Teacher:
        """Instance 2 with the number and the mass of the rare labels at their least favourable.

        Not in the paper: this is where partial soft labels attain the larger constant 0.1544.
        """
        require_size("A", A, 3)
        h, c = on_off_worst_case(A)
        return cls(uniform_law(S), on_off(S, A, n, labels_on=h, mass=c * S / n if n else 0.0))

    @classmethod
    def instance3(cls, S: int, A: int, n: int) -> Teacher:
        """All inputs but the last have mass ``1/(n+1)``; labels as in Instance 2."""
        return cls(rare_inputs(S, n), on_off(S, A, n))

    @classmethod
    def dirichlet(
        cls,
        S: int,
        A: int,
        rng: np.random.Generator | int = 0,
        concentration: float = 1.0,
        input_concentration: float | None = None,
    ) -> Teacher:
        """Random teacher with Dirichlet rows (and uniform inputs unless a concentration is given).

        Parameters
        ----------
        S, A : int
            Sizes.
        rng : numpy Generator or int
            Source of randomness, or a seed.
        concentration, input_concentration : float
            Parameters of the symmetric Dirichlet laws of the rows and of the inputs.
        """
        for name, value in (("S", S), ("A", A)):
            require_size(name, value, 1)
        if not concentration > 0 or not (input_concentration is None or input_concentration > 0):
            raise InputError(
                f"concentration must be positive, got {concentration!r} and {input_concentration!r}"
            )
        rng = np.random.default_rng(rng)
        pi = rng.dirichlet(np.full(A, concentration), size=S)
        if input_concentration is None:
            return cls(uniform_law(S), pi)
        return cls(rng.dirichlet(np.full(S, input_concentration)), pi)

    @classmethod
    def diracs(cls, labels: Any, A: int, rho: Any | None = None) -> Teacher:
        """Deterministic teacher: input ``s`` always has label ``labels[s]`` in ``0..A-1``."""
        labels = np.asarray(labels)
        if labels.ndim != 1 or labels.size == 0 or labels.dtype.kind not in "iu":
            raise InputError("labels must be a non-empty vector of integers")
        if labels.min() < 0 or labels.max() >= A:
            raise InputError(f"labels must lie in 0..{A - 1}, got {labels.min()}..{labels.max()}")
        S = labels.size
        return cls(uniform_law(S) if rho is None else rho, np.eye(A)[labels])

    @classmethod
    def from_cell(cls, cell: Any) -> Teacher:
        """The teacher that a cell asks for: ``cell.instance`` with ``S``, ``A`` and ``n``.

        ``instance`` is one of 0, 1, 2, "2*", 3, "dirichlet" (then ``cell.seed`` and optionally
        ``cell.concentration``), "diracs" (input ``s`` has label ``s mod A``) and "digits".
        """
        name = str(cell["instance"])
        builders: dict[str, Callable[[], Teacher]] = {
            "0": lambda: cls.instance0(cell["S"], cell["A"]),
            "1": lambda: cls.instance1(cell["S"], cell["A"], cell["n"]),
            "2": lambda: cls.instance2(cell["S"], cell["A"], cell["n"]),
            "2*": lambda: cls.instance2star(cell["S"], cell["A"], cell["n"]),
            "3": lambda: cls.instance3(cell["S"], cell["A"], cell["n"]),
            "dirichlet": lambda: _dirichlet_from_cell(cell),
            "diracs": lambda: cls.diracs(np.arange(cell["S"]) % cell["A"], cell["A"]),
            "digits": lambda: digits(cell["S"], cell.get("A", 10)),
        }
        if name not in builders:
            raise InputError(f"instance must be one of {', '.join(builders)}; got {name!r}")
        return builders[name]()


def _dirichlet_from_cell(cell: Any) -> Teacher:
    concentration = cell.get("concentration", 1.0)
    return Teacher.dirichlet(
        cell["S"], cell["A"], cell["seed"], concentration, input_concentration=concentration
    )


def checked_law(name: str, value: Any, ndim: int) -> np.ndarray:
    """Rows of a probability table, checked and normalised to the last digit."""
    array = np.array(value, dtype=np.float64)
    if array.ndim != ndim or array.size == 0:
        raise InputError(f"{name} must have {ndim} dimension(s), got shape {array.shape}")
    if not np.isfinite(array).all():
        raise InputError(f"{name} has an entry that is NaN or infinite; it must be a law")
    if (array < 0).any():
        where = tuple(int(i) for i in np.argwhere(array < 0)[0])
        raise InputError(f"{name}{list(where)} is {array[where]}; probabilities are non-negative")
    total = array.sum(axis=-1)
    off = np.abs(total - 1) > _ROUNDING
    if off.any():
        if ndim == 1:
            raise InputError(f"{name} sums to {float(total):.12g}; it must sum to 1")
        row = int(np.argmax(off))
        raise InputError(f"row {row} of {name} sums to {total[row]:.12g}; it must sum to 1")
    return array / total[..., None]


@lru_cache(maxsize=8)
def digits(S: int, A: int = 10) -> Teacher:
    """A real teacher: logistic regression on scikit-learn's bundled 8x8 digits.

    The 1797 images are quantised to ``S`` inputs by k-means (fixed seed); ``rho`` is the share
    of images in each, and ``pi`` the classifier's mean predicted probabilities there. All
    probabilities are positive.

    Parameters
    ----------
    S : int
        Number of inputs, at most 1797.
    A : int
        The digits ``0..A-1`` are kept (2 to 10).

    Returns
    -------
    Teacher
    """
    require_size("S", S, 1)
    if not 2 <= A <= 10:
        raise InputError(f"A must lie in 2..10 for the digits, got {A}")
    from sklearn.cluster import KMeans
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression

    images, labels = load_digits(return_X_y=True)
    images, labels = images[labels < A] / 16, labels[labels < A]
    if len(images) < S:
        raise InputError(f"S must be at most {len(images)}, the number of images, got {S}")
    teacher = LogisticRegression(C=0.1, max_iter=1000).fit(images, labels)
    cells = KMeans(S, n_init=1, random_state=0).fit_predict(images)
    member = cells[:, None] == np.arange(S)
    sizes = member.sum(axis=0)
    mean_probability = member.T @ teacher.predict_proba(images) / sizes[:, None]
    return Teacher(sizes / sizes.sum(), mean_probability)


def sample_counts(
    teacher: Any, n: int, rng: Any, size: int, pi: Any | None = None, *, poissonised: bool = False
) -> Any:
    """Counts of ``size`` independent samples of ``n`` labelled inputs each.

    Parameters
    ----------
    teacher : Teacher or Prior
        Population; of a prior only the input law is used, and ``pi`` must be given.
    n : int
        Sample size, 0 or more. The cost does not grow with it.
    rng : Random or numpy Generator
        Source of randomness.
    size : int
        Number of replicates.
    pi : array, shape (size, S, A), optional
        One teacher for each replicate, instead of ``teacher.pi`` for all.
    poissonised : bool
        Draw a Poisson number of labelled inputs with mean ``n``, which makes all counts
        independent. Not the paper's model: risks differ by a factor of order ``1 + 1/n``.

    Returns
    -------
    array, shape (size, S, A)
        ``counts[r, s, a]``: how often input ``s`` came with label ``a`` in sample ``r``.

    Raises
    ------
    InputError
        If ``n`` or ``size`` is not a count, or ``pi`` does not fit.
    """
    require_size("n", n, 0)
    require_size("size", size, 0)
    labels = _label_laws(teacher, size, pi)
    if poissonised:
        mean = int(n) * teacher.rho[:, None] * to_numpy(labels)
        return rng.poisson(mean, size=(size, teacher.S, teacher.A))
    inputs = _multinomial(rng, int(n), teacher.rho, (size,))
    return _multinomial(rng, inputs, labels, None)


def _label_laws(teacher: Any, size: int, pi: Any | None) -> Any:
    if pi is None:
        if not hasattr(teacher, "pi"):
            raise InputError("pi is missing: a prior is no teacher, pass the rows drawn from it")
        return teacher.pi
    wanted = (size, teacher.S, teacher.A)
    if tuple(pi.shape) not in (wanted, wanted[1:]):
        raise InputError(f"pi has shape {tuple(pi.shape)}; expected {wanted} or {wanted[1:]}")
    return pi


def _multinomial(rng: Any, n: Any, p: Any, size: tuple[int, ...] | None) -> Any:
    if not isinstance(rng, np.random.Generator):
        return rng.multinomial(n, p, size=size)
    # numpy's last category takes what rounding leaves over, so it must be the likeliest one: at
    # n = 10^12 a label of probability zero would otherwise be drawn
    order = np.argsort(p, axis=-1, kind="stable")
    drawn = rng.multinomial(n, np.take_along_axis(p, order, axis=-1), size=size)
    back = np.broadcast_to(np.argsort(order, axis=-1), drawn.shape)
    return np.take_along_axis(drawn, back, axis=-1)
