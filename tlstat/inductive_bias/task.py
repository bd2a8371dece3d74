"""A user's space and data, brought together: conditioned space, labels in its terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.backend import to_numpy
from tlstat.errors import InputError
from tlstat.inductive_bias.data import one_hot
from tlstat.inductive_bias.spaces.base import ConditionedSpace, HypothesisSpace, Latent

TASKS = ("auto", "regression", "classification")
SAMPLED, TRAINED = 10_000, 200
# integers with more values than this are no classes without being told
CLASSES_MAX = 30
PILOT, PILOT_FITS = 2_000, 5


@dataclass(frozen=True, eq=False)
class Task:
    """A conditioned space with test data in its terms.

    Parameters
    ----------
    space : HypothesisSpace
    conditioned : ConditionedSpace
    X_train, y_train, X_test, y_test
        Labels as the space takes them (one-hot for classes).
    C : int
        Number of outputs.
    """

    space: HypothesisSpace
    conditioned: ConditionedSpace
    X_train: Any
    y_train: Any
    X_test: Any
    y_test: Any
    C: int

    @property
    def trains(self) -> bool:
        """Whether a hypothesis costs a training."""
        return getattr(self.space, "sampler", None) == "training"

    @property
    def size(self) -> int:
        """Hypotheses to sample by default."""
        return TRAINED if self.trains else SAMPLED

    def with_space(self, space: Any) -> Task:
        """The same data for another space."""
        made = as_space(space)
        if made.task != self.space.task:
            raise InputError(
                f"{type(made).__name__} and {type(self.space).__name__} do not take the same "
                "labels; expected spaces of one kind"
            )
        conditioned = made.condition(self.X_train, self.y_train)
        return Task(made, conditioned, self.X_train, self.y_train, self.X_test, self.y_test, self.C)

    def with_test(self, X_test: Any, y_test: Any) -> Task:
        """Other test data, with labels in the space's terms."""
        return Task(
            self.space, self.conditioned, self.X_train, self.y_train, X_test, y_test, self.C
        )

    def hard_to_fit(self, latent: Latent | None, rng: Any) -> bool:
        """Whether a pilot sample of random hypotheses hardly ever fits the training data."""
        if latent is None or latent.fit_score is None or self.trains:
            return False
        z = np.asarray(rng.normal(size=(PILOT, latent.dim)))
        return int(np.sum(latent.fit_score(z) <= latent.fit_level)) < PILOT_FITS


def prepare(
    space: Any, X_train: Any, y_train: Any, X_test: Any, y_test: Any, *, task: str = "auto"
) -> Task:
    """Check and encode the labels, and condition the space on the training data."""
    if task not in TASKS:
        raise InputError(f"task is {task!r}; expected one of {', '.join(TASKS)}")
    made = as_space(space)
    X_train, y_train, X_test, y_test = map(_array, (X_train, y_train, X_test, y_test))
    _check_rows(X_train, y_train, "train", least=0)
    _check_rows(X_test, y_test, "test", least=1)
    C = 1
    if made.task == "real":
        if _classification(y_train, y_test, task):
            y_train, y_test, _ = one_hot(y_train, y_test)
        C = 1 if np.ndim(y_train) == 1 else int(np.shape(y_train)[1])
    elif task == "regression":
        raise InputError(f"task is 'regression', but {type(made).__name__} has discrete values")
    conditioned = made.condition(X_train, y_train)
    return Task(made, conditioned, X_train, y_train, X_test, y_test, C)


def as_space(space: Any) -> HypothesisSpace:
    """A hypothesis space from a space, a kernel, or a torch module."""
    if isinstance(space, HypothesisSpace):
        return space
    if isinstance(space, type):
        raise InputError(f"space is the class {space.__name__}; expected an instance of it")
    if hasattr(space, "forward") and hasattr(space, "named_parameters"):
        from tlstat.inductive_bias.spaces.network import NetworkSpace

        return NetworkSpace(space)
    if isinstance(space, str) or callable(space):
        from tlstat.inductive_bias.spaces.kernel import KernelSpace

        return KernelSpace(space)
    raise InputError(f"space is {space!r}; expected a hypothesis space, a kernel or a torch module")


def _classification(y_train: Any, y_test: Any, task: str) -> bool:
    if task != "auto":
        return task == "classification"
    labels = np.asarray(y_train)
    if labels.ndim != 1 or labels.dtype.kind == "f":
        if np.asarray(y_test).dtype.kind in "OUS":
            raise InputError("y_test has text and y_train numbers; expected labels of one kind")
        return False
    if labels.dtype.kind in "iu" and len(np.unique(labels)) > CLASSES_MAX:
        raise InputError(
            f"y_train has {len(np.unique(labels))} different integers; expected "
            "task='classification' or task='regression', to say what they are"
        )
    return True


def _array(values: Any) -> Any:
    """Data frames, sparse matrices and tensors as arrays; lists (of strings) stay as they are."""
    if hasattr(values, "toarray"):
        return values.toarray()
    if hasattr(values, "to_numpy"):
        return values.to_numpy()
    return to_numpy(values) if hasattr(values, "detach") else values


def _check_rows(X: Any, y: Any, part: str, least: int) -> None:
    for name, values in ((f"X_{part}", X), (f"y_{part}", y)):
        if not hasattr(values, "__len__"):
            raise InputError(f"{name} is {values!r}; expected an array, a row an example")
    if len(X) != len(y):
        raise InputError(
            f"X_{part} has {len(X)} rows and y_{part} {len(y)}; expected as many labels as inputs"
        )
    if len(y) < least:
        raise InputError(f"y_{part} is empty; expected at least {least} example")
