"""Linear classifiers in a subspace, on normal inputs: the risk of a candidate is an angle.

Inputs ``x ~ N(0, I_p)``; model ``sign(w_theta . x)`` with ``w_theta = w_0 + B theta``, where w_0
and the columns of B are orthonormal; label ``sign(w_{theta*} . x)``, flipped with probability
eta. Then ``R(theta) = eta + (1 - 2 eta) angle(w_theta, w_{theta*}) / pi``. Labels are 0 and 1.

Tasks lie on a closed curve, ``theta*(phi) = radius sqrt(2/d) (cos k phi, sin k phi)_{k=1..d/2}``
plus noise, whose mean is 0 and whose covariance is a multiple of I: a normal law fitted to the
tasks learns nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from tlstat.certificates.peft.adapted import AdaptedModel
from tlstat.certificates.peft.adapters import Subspace
from tlstat.certificates.peft.evaluation import errors
from tlstat.certificates.peft.fits import fit_adapters
from tlstat.certificates.peft.generators import stream
from tlstat.certificates.peft.inputs import positive, whole
from tlstat.errors import InputError


class SignEpisodes(NamedTuple):
    """Support sets X (E, n, p), y (E, n), and the vectors (E, d) of their tasks."""

    X: np.ndarray
    y: np.ndarray
    tasks: np.ndarray


@dataclass(frozen=True)
class SignFamily:
    """The family; see the head of the module.

    Parameters
    ----------
    inputs : int
        p.
    dim : int
        d, an even number below p.
    noise : float
        eta, in [0, 1/2).
    radius : float
        Norm of the tasks on the curve.
    spread : float
        Standard deviation of the noise on every coordinate of a task.
    seed : int
        Draws (w_0, B) and the planes of the rotation.
    """

    inputs: int = 32
    dim: int = 16
    noise: float = 0.05
    radius: float = 3.0
    spread: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        whole(self.dim, "dim", 2)
        if self.dim % 2 or self.dim >= whole(self.inputs, "inputs"):
            raise InputError(f"dim is {self.dim}; expected an even number below {self.inputs}")
        if not 0 <= self.noise < 0.5:
            raise InputError(f"noise is {self.noise}; expected a probability in [0, 1/2)")
        positive(self.radius, "radius")
        positive(self.spread, "spread", zero=True)

    @cached_property
    def frame(self) -> np.ndarray:
        """(w_0, B), shape (p, 1 + d), orthonormal columns."""
        draw = stream(self.seed, 0).standard_normal((self.inputs, 1 + self.dim))
        return np.linalg.qr(draw)[0]

    @cached_property
    def model(self) -> AdaptedModel:
        """The linear network ``w_0 . x`` with the adapter ``B theta``."""
        backbone = nn.Linear(self.inputs, 1, bias=False)
        with torch.no_grad():
            backbone.weight.copy_(torch.as_tensor(self.frame[:, 0]))
        return Subspace(dim=self.dim, basis=self.frame[:, 1:]).attach(backbone)

    # ------------------------------------------------------------------ tasks and data

    def tasks(self, count: int, seed: int, rotation: float = 0.0) -> np.ndarray:
        """Vectors theta* (count, d) of random tasks.

        Parameters
        ----------
        count, seed : int
        rotation : float
            Angle in radians by which the law of the tasks is turned, in d/2 random orthogonal
            planes at once: 0 is the law of the upstream tasks, pi/2 makes every task orthogonal
            to where it was.
        """
        rng = stream(seed, 1)
        phi = rng.uniform(0, 2 * np.pi, whole(count, "count"))
        k = np.arange(1, self.dim // 2 + 1)
        waves = np.concatenate([np.cos(k * phi[:, None]), np.sin(k * phi[:, None])], axis=1)
        noise = self.spread * rng.standard_normal((count, self.dim))
        tasks = self.radius * np.sqrt(2 / self.dim) * waves + noise
        return tasks @ self.rotation(rotation).T

    def rotation(self, angle: float) -> np.ndarray:
        """The orthogonal matrix (d, d) that turns d/2 fixed random planes by an angle."""
        draw = stream(self.seed, 2).standard_normal((self.dim, self.dim))
        Q, half = np.linalg.qr(draw)[0], self.dim // 2
        c, s, one = np.cos(angle), np.sin(angle), np.eye(half)
        return Q @ np.block([[c * one, -s * one], [s * one, c * one]]) @ Q.T

    def episodes(self, tasks: np.ndarray, n: int, seed: int) -> SignEpisodes:
        """A support set of n independent examples for every task."""
        rng, count = stream(seed, 3), len(tasks)
        X = rng.standard_normal((count, whole(n, "n"), self.inputs))
        margin = np.einsum("enp,ep->en", X, self.weights(tasks))
        flip = rng.random(margin.shape) < self.noise
        return SignEpisodes(X.astype(np.float32), ((margin > 0) ^ flip).astype(np.int64), tasks)

    def upstream(self, tasks: int = 400, n: int = 400, seed: int = 0, **options: Any) -> np.ndarray:
        """The zoo (tasks, d): logistic fits of random tasks, n examples each."""
        episodes = self.episodes(self.tasks(tasks, seed), n, seed)
        fits = fit_adapters(self.model, (episodes.X, episodes.y), **options)
        return fits.thetas.numpy()

    # ------------------------------------------------------------------ risks

    def weights(self, thetas: Any) -> np.ndarray:
        """``w_theta``, shape (M, p)."""
        return self.frame[:, 0] + np.asarray(thetas, dtype=float) @ self.frame[:, 1:].T

    def risks(self, thetas: Any, tasks: Any) -> np.ndarray:
        """Exact risks (E, M) of candidates (M, d) on tasks (E, d)."""
        return self.weight_risks(self.weights(thetas), tasks)

    def weight_risks(self, W: Any, tasks: Any) -> np.ndarray:
        """Exact risks (E, M) of linear classifiers with any weights (M, p)."""
        u, v = (_unit(np.asarray(w, dtype=float)) for w in (W, self.weights(tasks)))
        angle = np.arccos(np.clip(v @ u.T, -1, 1))
        return self.noise + (1 - 2 * self.noise) * angle / np.pi

    def errors(self, thetas: Any, episodes: SignEpisodes) -> np.ndarray:
        """Errors (E, M) of candidates on every support set."""
        count, n = episodes.y.shape
        out = np.empty((count, len(thetas)), dtype=np.int32)
        for e in range(count):
            out[e] = errors(self.model, thetas, episodes.X[e], episodes.y[e])
        return out


def _unit(w: np.ndarray) -> np.ndarray:
    return w / np.linalg.norm(w, axis=-1, keepdims=True)
