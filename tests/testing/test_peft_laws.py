"""The room's own generators obey the laws, and misuse is answered."""

import pytest

from tlstat.certificates.peft import (
    Diffusion,
    Gaussian,
    GaussianMixture,
    Isotropic,
    KernelDensity,
    Mixup,
    Zoo,
)
from tlstat.errors import InputError
from tlstat.testing import BrokenLaw, check_generator
from tlstat.testing.peft import GENERATOR_LAWS, zoos


def small_diffusion(sampler):
    return lambda: Diffusion(
        4, width=4, depth=1, time_features=2, iterations=2, batch=4, sampler=sampler,
        sampling_steps=3,
    )  # fmt: skip


GENERATORS = {
    "zoo": Zoo,
    "isotropic": Isotropic,
    "gaussian": Gaussian,
    "mixture": lambda: GaussianMixture(2),
    "kde": KernelDensity,
    "mixup": Mixup,
    "ddpm": small_diffusion("ddpm"),
    "dpm": small_diffusion("dpm"),
}


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
@pytest.mark.parametrize("name", GENERATORS)
def test_the_generators(name):
    assert check_generator(GENERATORS[name], max_examples=5) == []


def test_a_broken_law_is_named_with_its_case():
    class Unseeded(Gaussian):
        def _sample(self, M, seed):
            return super()._sample(M, 0)

    with pytest.raises(BrokenLaw, match="'seed' is broken.*\n.*all give the same.*\n.*Upstream"):
        check_generator(Unseeded, laws=["seed"])


def test_names_are_unique():
    names = [law.name for law in GENERATOR_LAWS]
    assert len(names) == len(set(names)) == 13


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: check_generator(3), "make is 3"),
        (lambda: check_generator(Gaussian, laws=["truth"]), r"laws has \['truth'\]"),
        (lambda: check_generator(Gaussian, laws=[]), r"laws has \[\]"),
        (lambda: zoos(min_size=1), "min_size is 1"),
    ],
)
def test_misuse_is_answered(call, message):
    with pytest.raises(InputError, match=message):
        call()
