"""Five-way relabellings of real digits, with exact risks on a finite population.

scikit-learn's bundled 8 x 8 digits: 900 images train the backbone and the upstream tasks; the
other 897 are the population. The downstream law is the uniform law on them, a support set is
drawn with replacement, and the true risk of a candidate is a count.

A task puts the ten digits into five classes of two: "rand" in any way (113,400 tasks), "perm"
in five fixed pairs with permuted labels (120 tasks).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import permutations
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tlstat.certificates.peft.adapted import AdaptedModel
from tlstat.certificates.peft.adapters import LoRAXS
from tlstat.certificates.peft.evaluation import PredictionMatrix, prediction_matrix
from tlstat.certificates.peft.fits import fit_adapters
from tlstat.certificates.peft.generators import stream
from tlstat.certificates.peft.inputs import whole
from tlstat.errors import InputError

CLASSES, DIGITS, UPSTREAM = 5, 10, 900
PART = Literal["all", "even", "odd"]


class DigitsEpisodes(NamedTuple):
    """Positions (E, n) in the pool, labels (E, n), and the tasks (E, 10): digit -> class."""

    at: np.ndarray
    y: np.ndarray
    tasks: np.ndarray


@dataclass(frozen=True)
class DigitsFamily:
    """The family; see the head of the module.

    Parameters
    ----------
    kind : {"rand", "perm"}
    rank : int
        r of LoRA-XS on the second layer (64 -> 32); d = r^2.
    seed : int
        Draws the split of the images, the backbone, the read-out and the fixed pairs.
    """

    kind: Literal["rand", "perm"] = "rand"
    rank: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in ("rand", "perm"):
            raise InputError(f"kind is {self.kind!r}; expected rand or perm")
        whole(self.rank, "rank")

    # ------------------------------------------------------------------ images

    @property
    def _images(self) -> tuple[np.ndarray, np.ndarray]:
        return _images(self.seed)

    @property
    def upstream_images(self) -> tuple[np.ndarray, np.ndarray]:
        """Images (900, 64) and digits of the upstream half."""
        X, digits = self._images
        return X[:UPSTREAM], digits[:UPSTREAM]

    @property
    def pool(self) -> tuple[np.ndarray, np.ndarray]:
        """Images (897, 64) and digits of the population."""
        X, digits = self._images
        return X[UPSTREAM:], digits[UPSTREAM:]

    # ------------------------------------------------------------------ network

    @property
    def classifier(self) -> nn.Sequential:
        """The network 64 -> 64 -> 32 -> 10, trained to read digits on the upstream half."""
        return _classifier(self.seed)

    @cached_property
    def backbone(self) -> nn.Sequential:
        """The first two layers of `classifier` and a frozen random orthogonal read-out, times 2."""
        readout = nn.Linear(32, CLASSES, bias=False)
        draw = np.linalg.qr(stream(self.seed, 1).standard_normal((32, CLASSES)))[0]
        with torch.no_grad():
            readout.weight.copy_(torch.as_tensor(2 * draw.T))
        return nn.Sequential(*list(self.classifier)[:4], readout)

    @cached_property
    def model(self) -> AdaptedModel:
        """The backbone with LoRA-XS on its second layer."""
        return LoRAXS("2", rank=self.rank).attach(self.backbone)

    # ------------------------------------------------------------------ tasks

    @property
    def size(self) -> int:
        """Number of tasks in the family."""
        return math.factorial(DIGITS) // 2**CLASSES if self.kind == "rand" else 120

    def tasks(self, count: int, seed: int, part: PART = "all") -> np.ndarray:
        """Random tasks (count, 10), the class of each digit.

        Parameters
        ----------
        count, seed : int
        part : {"all", "even", "odd"}
            Only the tasks of a parity: tasks of one parity can be kept from upstream. The parity
            is that of the permutation of the labels ("perm"), or of the digits in the order of
            their classes ("rand"); each has half of the tasks.
        """
        if part not in ("all", "even", "odd"):
            raise InputError(f"part is {part!r}; expected all, even or odd")
        whole(count, "count")
        rng, out = stream(seed, 2), np.empty((count, DIGITS), dtype=np.int64)
        for i in range(count):
            while True:
                out[i], parity = self._task(rng)
                if part == "all" or parity == (part == "odd"):
                    break
        return out

    def _task(self, rng: np.random.Generator) -> tuple[np.ndarray, bool]:
        if self.kind == "perm":
            order = rng.permutation(CLASSES)
            return order[self._pairs], _odd(order)
        task = rng.permutation(np.repeat(np.arange(CLASSES), 2))
        return task, _odd(np.argsort(task, kind="stable"))

    def every_task(self, part: PART = "all") -> np.ndarray:
        """All tasks of "perm", (120, 10) or the half of a parity."""
        if self.kind != "perm":
            raise InputError(f"kind is {self.kind!r} with {self.size:,} tasks; expected perm")
        orders = [np.array(p) for p in permutations(range(CLASSES))]
        kept = [o for o in orders if part == "all" or _odd(o) == (part == "odd")]
        return np.array([order[self._pairs] for order in kept])

    @cached_property
    def _pairs(self) -> np.ndarray:
        """The fixed pairs: digit -> number of its pair."""
        return stream(self.seed, 3).permutation(np.repeat(np.arange(CLASSES), 2))

    # ------------------------------------------------------------------ data, fits, risks

    def episodes(self, tasks: np.ndarray, n: int, seed: int) -> DigitsEpisodes:
        """A support set of n images, drawn with replacement from the pool, for every task."""
        digits = self.pool[1]
        index = stream(seed, 4).integers(len(digits), size=(len(tasks), whole(n, "n")))
        return DigitsEpisodes(index, np.take_along_axis(tasks, digits[index], 1), tasks)

    def upstream(self, tasks: Any = 300, seed: int = 0, part: PART = "all", **options: Any) -> Any:
        """The zoo (T, d): fits of random tasks, or of given ones (T, 10), on the upstream half.

        Options are those of `fit_adapters`; a step sees 128 of the images unless ``batch`` says
        otherwise.
        """
        options.setdefault("batch", 128)
        given = self.tasks(tasks, seed, part) if np.ndim(tasks) == 0 else np.asarray(tasks)
        X, digits = self.upstream_images
        return fit_adapters(self.model, (X, given[:, digits]), **options).thetas.numpy()

    def predictions(self, thetas: Any) -> PredictionMatrix:
        """Labels that candidates give to the whole pool."""
        return prediction_matrix(self.model, thetas, self.pool[0])

    def errors(self, predicted: PredictionMatrix, episodes: DigitsEpisodes) -> np.ndarray:
        """Errors (E, M) of candidates on every support set."""
        pairs = zip(episodes.y, episodes.at, strict=True)
        return np.stack([predicted.errors(y, index) for y, index in pairs])

    def risks(self, predicted: PredictionMatrix, tasks: np.ndarray) -> np.ndarray:
        """Exact risks (E, M) of candidates on tasks (E, 10)."""
        digits = self.pool[1]
        counts = predicted.counts(digits)  # (M, digits, classes)
        chosen = np.zeros((len(tasks), DIGITS, CLASSES))
        np.put_along_axis(chosen, np.asarray(tasks)[:, :, None], 1.0, 2)
        right = chosen.reshape(len(tasks), -1) @ counts.reshape(len(predicted), -1).T
        return 1 - right / len(digits)


@lru_cache(maxsize=4)
def _images(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """All images and digits in the order of a seed; the upstream half comes first."""
    from sklearn.datasets import load_digits

    X, digits = load_digits(return_X_y=True)
    order = stream(seed, 0).permutation(len(X))
    return (X[order] / 16).astype(np.float32), digits[order]


@lru_cache(maxsize=4)
def _classifier(seed: int) -> nn.Sequential:
    X, digits = (torch.from_numpy(v[:UPSTREAM]) for v in _images(seed))
    net = nn.Sequential(
        nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, DIGITS)
    )
    generator = torch.Generator().manual_seed(seed)
    for layer in (m for m in net if isinstance(m, nn.Linear)):
        bound = layer.in_features**-0.5
        for value in layer.parameters():
            nn.init.uniform_(value, -bound, bound, generator=generator)
    optimiser = torch.optim.Adam(net.parameters(), lr=5e-3)
    for _ in range(400):
        optimiser.zero_grad()
        F.cross_entropy(net(X), digits).backward()
        optimiser.step()
    return net.requires_grad_(False)


def _odd(order: np.ndarray) -> bool:
    """Parity of a permutation."""
    return bool(np.sum(np.triu(order[:, None] > order[None, :], 1)) % 2)
