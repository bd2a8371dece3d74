"""Injected bugs of generators, each with the laws that must catch it; no law that catches none."""

import numpy as np
import pytest

from tlstat.certificates.peft import Gaussian, Mixup, Zoo
from tlstat.certificates.peft.generators import GENERATORS, stream
from tlstat.testing import check_generator
from tlstat.testing.peft import GENERATOR_LAWS


class Transposed(Gaussian):
    def sample(self, M, seed=0):
        return super().sample(M, seed).T


class OneTooFew(Gaussian):
    def sample(self, M, seed=0):
        return super().sample(max(M - 1, 1), seed)


class DividesByTheSpread(Gaussian):
    """Standardises without a floor."""

    def _fit(self, zoo, seed):
        with np.errstate(all="ignore"):
            state = super()._fit(zoo / zoo.std(axis=0), seed)
        return state


class UnseededFit(Mixup):
    """The fit shuffles with fresh entropy."""

    def _fit(self, zoo, seed):
        return {"zoo": np.random.default_rng().permutation(zoo)}


class OneStreamForAll(Gaussian):
    """The stream goes on from call to call."""

    def _fit(self, zoo, seed):
        self.rng = np.random.default_rng(seed)
        return super()._fit(zoo, seed)

    def _sample(self, M, seed):
        factor = self._state["factor"]
        return self._state["mean"] + self.rng.standard_normal((M, len(factor))) @ factor


class ColumnByColumn(Gaussian):
    """Candidate j depends on how many are drawn."""

    def _sample(self, M, seed):
        factor = self._state["factor"]
        z = stream(seed, 0).standard_normal((len(factor), M)).T
        return self._state["mean"] + z @ factor


class SortedDraws(Zoo):
    """The best norm first: the first of many is not the first of few."""

    def _sample(self, M, seed):
        drawn = super()._sample(M, seed)
        return drawn[np.argsort(np.linalg.norm(drawn, axis=1))]


class SeedForgotten(Gaussian):
    def _sample(self, M, seed):
        return super()._sample(M, 0)


class GlobalSeed(Gaussian):
    """Sets the global state: reproducible, but everything after it is no longer random."""

    def _sample(self, M, seed):
        np.random.seed(seed % 2**32)  # noqa: NPY002
        factor = self._state["factor"]
        return self._state["mean"] + np.random.randn(M, len(factor)) @ factor  # noqa: NPY002


class GlobalStream(Gaussian):
    """Whatever was drawn before, for a support set say, decides."""

    def _sample(self, M, seed):
        return super()._sample(M, seed) + np.random.random()  # noqa: NPY002


class CentresInPlace(Gaussian):
    def fit(self, zoo, seed=0, **options):
        zoo -= zoo.mean(axis=0)
        return super().fit(zoo, seed, **options)


class ZooByReference(Mixup):
    def fit(self, zoo, seed=0, **options):
        super().fit(zoo, seed, **options)
        self.own = zoo
        return self

    def _sample(self, M, seed):
        pair = stream(seed, 1).integers(len(self.own), size=(M, 2))
        return self.own[pair].mean(axis=1)


class FitsAgain(Gaussian):
    @property
    def fitted(self):
        return False

    def sample(self, M, seed=0):
        return np.asarray(self._sample(M, seed), dtype=np.float32)


class CacheHandedOut(Gaussian):
    def sample(self, M, seed=0):
        if not hasattr(self, "cache"):
            self.cache = {}
        if (M, seed) not in self.cache:
            self.cache[M, seed] = super().sample(M, seed)
        return self.cache[M, seed]


class SettingNotSaved(Gaussian):
    """A setting that is not among ``settings``: loading falls back to the default."""

    def __init__(self, scale=None):
        self.scale = 1.0 if scale is None else scale

    def _sample(self, M, seed):
        return self.scale * super()._sample(M, seed)


class DescribedByAddress(Gaussian):
    def describe(self):
        return {**super().describe(), "object": id(self), "of": self.made}

    def _fit(self, zoo, seed):
        self.made = np.random.default_rng().random()
        return super()._fit(zoo, seed)


class NothingLearnedInDescription(Gaussian):
    def describe(self):
        return {"generator": "Gaussian"}


class AnythingGoes(Gaussian):
    """No checks of the input."""

    def fit(self, zoo, seed=0, **options):
        if self.fitted:
            return super().fit(zoo, seed)
        return super().fit(np.nan_to_num(zoo), seed)


class ZeroDraws(Gaussian):
    def _number(self, M):
        return int(M)


BUGS = {
    Transposed: {"shape"},
    OneTooFew: {"shape"},
    DividesByTheSpread: {"finite"},
    UnseededFit: {"reproducible"},
    OneStreamForAll: {"no memory"},
    ColumnByColumn: {"prefix"},
    SortedDraws: {"prefix"},
    SeedForgotten: {"seed"},
    GlobalSeed: {"global state"},
    GlobalStream: {"global state", "reproducible"},
    CentresInPlace: {"arguments"},
    ZooByReference: {"frozen"},
    FitsAgain: {"frozen"},
    CacheHandedOut: {"returned"},
    SettingNotSaved: {"round trip"},
    DescribedByAddress: {"description"},
    NothingLearnedInDescription: {"description"},
    AnythingGoes: {"refusals"},
    ZeroDraws: {"refusals"},
}
MAKERS = {SettingNotSaved: lambda: SettingNotSaved(3.0)}

for _bug in BUGS:  # injected ones are not for users to load, but `load` looks names up
    assert GENERATORS[_bug.__name__] is _bug


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_bugs_are_caught(bug):
    for law in sorted(BUGS[bug]):
        found = check_generator(
            MAKERS.get(bug, bug), laws=[law], collect=True, shrink=False, max_examples=100
        )
        assert found, f"{bug.__name__} passes {law!r}"


def test_every_law_catches_something():
    caught = set().union(*BUGS.values())
    assert {law.name for law in GENERATOR_LAWS} == caught


def test_the_correct_implementation_passes():
    assert check_generator(Gaussian) == []
