"""Generators and candidate sets: laws, seeds, files."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tlstat.certificates.peft import (
    CandidateSet,
    Diffusion,
    Gaussian,
    GaussianMixture,
    Generator,
    Isotropic,
    KernelDensity,
    Mixup,
    Zoo,
    energy_distance,
    energy_test,
)
from tlstat.errors import InputError

# fewer than 100 tests of goodness of fit in this file: a false alarm with probability below 1e-6
ALARM = 1e-8
MAKE = {
    "zoo": Zoo,
    "isotropic": Isotropic,
    "gaussian": Gaussian,
    "mixture": lambda: GaussianMixture(3),
    "mixture-full": lambda: GaussianMixture(2, covariance="full"),
    "kde": KernelDensity,
    "mixup": Mixup,
    "diffusion": lambda: Diffusion(8, width=8, depth=1, iterations=3, batch=16),
    "diffusion-dpm": lambda: Diffusion(
        8, width=8, depth=1, iterations=3, batch=16, sampler="dpm", sampling_steps=4
    ),
}


def zoo(Z=30, d=4):
    return np.random.default_rng(7).standard_normal((Z, d)) @ np.diag([1, 2, 0.5, 3.0][:d]) + 1


@pytest.mark.parametrize("name", MAKE)
def test_interface(name, tmp_path):
    """Reproducible; seeds differ; fewer are the first of more; files give the same generator."""
    generator = MAKE[name]()
    with pytest.raises(InputError, match=r"is not fitted; call fit\(zoo\) first"):
        generator.sample(3)
    assert generator.fit(zoo(), seed=1) is generator
    many = generator.sample(30, seed=5)
    assert many.shape == (30, 4) and many.dtype == np.float32
    np.testing.assert_array_equal(many, generator.sample(30, seed=5))
    assert not np.array_equal(many, generator.sample(30, seed=6))
    np.testing.assert_allclose(generator.sample(11, seed=5), many[:11], rtol=1e-5, atol=1e-6)
    again = MAKE[name]().fit(zoo(), seed=1)
    np.testing.assert_array_equal(again.sample(30, seed=5), many)
    assert again.describe() == generator.describe()
    with pytest.raises(InputError, match="fitted already"):
        generator.fit(zoo())
    generator.save(tmp_path / "g.npz")
    back = Generator.load(tmp_path / "g.npz")
    assert type(back) is type(generator) and back.describe() == generator.describe()
    np.testing.assert_array_equal(back.sample(30, seed=5), many)
    json.dumps(generator.describe())
    other = MAKE[name]().fit(zoo() + 0.5, seed=1)
    assert other.describe() != generator.describe()


def test_the_zoo_is_permuted():
    generator = Zoo().fit(zoo())
    out = generator.sample(None, seed=3)
    assert sorted(map(tuple, out)) == sorted(map(tuple, zoo().astype(np.float32)))
    with pytest.raises(InputError, match="M is 31; the zoo has only 30 vectors"):
        generator.sample(31)


@pytest.mark.parametrize("Z", [200, 3], ids=["many", "singular"])
def test_the_normal_law_has_the_moments_of_the_zoo(Z):
    data = zoo(Z)
    out = Gaussian().fit(data).sample(4000, seed=2).astype(float)
    cov = np.cov(data.T)
    value, vectors = np.linalg.eigh(cov)
    z = (out - data.mean(0)) @ vectors
    live = value > 1e-9
    assert live.sum() == min(4, Z - 1)
    assert np.abs(z[:, ~live]).max(initial=0) < 1e-5
    for column, v in zip(z[:, live].T, value[live], strict=True):
        assert stats.kstest(column, stats.norm(0, v**0.5).cdf).pvalue > ALARM


def test_isotropic():
    data = zoo(100)
    out = Isotropic().fit(data).sample(3000, 1).astype(float)
    assert stats.kstest(out.ravel(), stats.norm(0, np.sqrt((data**2).mean())).cdf).pvalue > ALARM
    assert np.abs(Isotropic(2.0).fit(data).sample(2, 1)).max() < 20


def test_kernel_density_is_the_mixture_of_its_kernels():
    data = zoo(5)
    out = KernelDensity(0.3).fit(data).sample(4000, 1).astype(float)
    sd = 0.3 * data.std(0)
    for j in range(4):
        law = lambda x, j=j: stats.norm.cdf(x[:, None], data[:, j], sd[j]).mean(1)  # noqa: E731
        assert stats.kstest(out[:, j], law).pvalue > ALARM


def test_mixup_draws_from_the_segments():
    data = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    out = Mixup().fit(data).sample(6000, 1).astype(float)
    edges = [out[:, 1] == 0, out[:, 0] == 0, np.isclose(out.sum(1), 1)]
    assert np.all(np.any(edges, axis=0))
    counts = [np.sum(e) for e in edges]
    assert stats.chisquare(counts, np.full(3, sum(counts) / 3)).pvalue > ALARM
    for edge, coordinate in zip(edges, (0, 1, 0), strict=True):
        assert stats.kstest(out[edge, coordinate], stats.uniform.cdf).pvalue > ALARM


@pytest.mark.parametrize("covariance", ["full", "diag"])
def test_the_mixture_finds_separate_clusters(covariance):
    rng = np.random.default_rng(0)
    centres = np.array([[0.0, 0.0], [30.0, 0.0], [0.0, 30.0]])
    weights = np.array([100, 60, 40])
    data = np.repeat(centres, weights, axis=0) + rng.standard_normal((200, 2))
    out = GaussianMixture(3, covariance, 0).fit(data, seed=1).sample(6000, 2).astype(float)
    which = ((out[:, None] - centres) ** 2).sum(2).argmin(1)
    counts = np.bincount(which, minlength=3)
    assert stats.chisquare(counts, 6000 * weights / 200).pvalue > ALARM
    for c in range(3):
        ours, theirs = out[which == c], data[np.repeat(np.arange(3), weights) == c]
        np.testing.assert_allclose(ours.mean(0), theirs.mean(0), atol=0.2)
        np.testing.assert_allclose(ours.std(0), theirs.std(0), rtol=0.1)


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda: Gaussian().fit(zoo(1)), "zoo has 1 vectors; expected at least 2"),
        (lambda: Gaussian().fit(np.ones(3)), "expected floating-point vectors (Z, d)"),
        (lambda: Gaussian().fit(np.ones((3, 2), int)), "dtype int64"),
        (lambda: Gaussian().fit(np.full((3, 2), np.nan)), "NaN"),
        (lambda: Gaussian().fit(zoo()).sample(0), "M is 0"),
        (lambda: Gaussian().fit(zoo()).sample(1, seed=-1), "seed is -1"),
        (lambda: Gaussian().save("x"), "nothing to save"),
        (lambda: GaussianMixture(50).fit(zoo()), "30 vectors, fewer than 50 components"),
        (lambda: GaussianMixture(covariance="tied"), "expected full or diag"),
        (lambda: KernelDensity(0), "bandwidth is 0"),
        (lambda: Diffusion(sampler="euler"), "expected ddpm or dpm"),
        (lambda: Diffusion(time_features=3), "an even number"),
        (lambda: Diffusion(decay=1.0), "expected a number in (0, 1)"),
        (lambda: Diffusion(1), "T is 1"),
    ],
    ids=range(14),
)
def test_bad_input(call, text):
    with pytest.raises(InputError) as error:
        call()
    assert text in str(error.value)


def test_a_file_that_holds_code_or_nonsense_is_refused(tmp_path):
    path = tmp_path / "g.npz"
    np.savez(path, head=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InputError, match="holds no generator"):
        Generator.load(path)
    np.savez(path, head=np.array(json.dumps({"format": "tlstat-generator-1", "generator": "os"})))
    with pytest.raises(InputError, match="no generator that this version knows"):
        Generator.load(path)


# ------------------------------------------------------------------------ candidates


def candidates(**changes):
    given = {"thetas": zoo().astype(np.float32), "generator": {"generator": "Zoo"}, "seed": 1,
             "model": "m", **changes}  # fmt: skip
    return CandidateSet(**given)


def test_the_fingerprint_changes_with_anything():
    moved = zoo().astype(np.float32)
    moved[3, 2] = np.nextafter(moved[3, 2], np.float32(9))
    sets = [
        candidates(),
        candidates(thetas=moved),
        candidates(thetas=zoo()[::-1]),
        candidates(thetas=zoo().reshape(60, 2)),
        candidates(generator={"generator": "Mixup"}),
        candidates(seed=2),
        candidates(model="n"),
    ]
    assert len({s.fingerprint for s in sets}) == len(sets)
    assert candidates().fingerprint == sets[0].fingerprint
    # a fixed value: the fingerprint is the same on every machine and in every version
    fixed = CandidateSet([[0.5, -1.0]], {"generator": "Zoo"}, 0)
    assert fixed.fingerprint == FIXED


FIXED = "1718d7c0b420a5ca8503b5352c5ec84b69b3132c8090bcf4396ccabc323ece5d"


def test_candidates_are_read_only_and_files_are_checked(tmp_path):
    one = candidates()
    with pytest.raises(ValueError):
        one.thetas[0, 0] = 1.0
    one.save(tmp_path / "c.npz")
    back = CandidateSet.load(tmp_path / "c.npz")
    assert back.fingerprint == one.fingerprint and len(back) == 30
    with np.load(tmp_path / "c.npz") as stored:
        parts = dict(stored)
    parts["thetas"] = parts["thetas"].copy()
    parts["thetas"][0, 0] += 1
    np.savez(tmp_path / "c.npz", **parts)
    with pytest.raises(InputError, match="do not have the fingerprint stored with them"):
        CandidateSet.load(tmp_path / "c.npz")


@pytest.mark.parametrize("thetas", [np.ones((0, 3)), np.ones(3), np.array([[np.nan]])],
                         ids=["none", "flat", "nan"])  # fmt: skip
def test_no_candidates(thetas):
    with pytest.raises(InputError):
        candidates(thetas=thetas)


# ------------------------------------------------------------------ two-sample distance


@settings(max_examples=20)
@given(st.integers(2, 9), st.integers(2, 9), st.integers(0, 1000))
def test_energy_distance_by_its_definition(n, m, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((n, 2)), rng.standard_normal((m, 2)) + 1
    d = lambda a, b: float(np.linalg.norm(a - b))  # noqa: E731
    between = np.mean([[d(a, b) for a in x] for b in y])
    own = [np.mean([d(a[i], a[j]) for i in range(len(a)) for j in range(len(a)) if i != j])
           for a in (x, y)]  # fmt: skip
    assert energy_distance(x, y) == pytest.approx(2 * between - sum(own), abs=1e-12)
    assert energy_test(x, y, 9).distance == pytest.approx(energy_distance(x, y), abs=1e-10)


def test_the_energy_test_has_its_level_and_power():
    rng = np.random.default_rng(3)
    same = [energy_test(*rng.standard_normal((2, 15, 3)), 19, seed=i).p_value for i in range(200)]
    rejected = np.sum(np.array(same) <= 0.1)
    assert stats.binomtest(int(rejected), 200, 0.1).pvalue > ALARM
    x, y = rng.standard_normal((2, 80, 3))
    assert energy_test(x, y + 1).p_value == 1 / 200
    x, y = rng.standard_normal((2, 300, 3))
    assert energy_test(np.sign(x), y).p_value == 1 / 200  # the same two moments
