"""Laws of generators of PEFT vectors, and of what certifies the vectors they draw.

A certificate over sampled candidates is valid only if the candidates cannot depend on the sample
that certifies them. For a generator this means: it is fixed once fitted, its draws are a function
of the seed alone, and fewer draws are the first ones of more::

    from tlstat.testing import check_generator

    def test_my_generator():
        check_generator(lambda: MyGenerator(width=8))
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.testing.laws import BrokenLaw, Law, check_laws

__all__ = ["GENERATOR_LAWS", "UpstreamCase", "check_generator", "zoos"]

Make = Callable[[], Any]


@dataclass(frozen=True, eq=False)
class UpstreamCase:
    """A zoo (Z, d), a number of candidates and two seeds: of the fit and of the draws."""

    zoo: np.ndarray
    M: int
    fit_seed: int
    seed: int

    def __repr__(self) -> str:
        return (
            f"UpstreamCase(zoo={self.zoo.tolist()}, M={self.M}, fit_seed={self.fit_seed}, "
            f"seed={self.seed})"
        )

    def fitted(self, make: Make) -> Any:
        """A fresh generator, fitted to a copy of the zoo."""
        return make().fit(self.zoo.copy(), self.fit_seed)


def zoos(min_size: int = 6, max_size: int = 12, max_dim: int = 3) -> Any:
    """A strategy for `UpstreamCase` with distinct vectors and fewer candidates than vectors.

    Parameters
    ----------
    min_size, max_size : int
        Limits for Z.
    max_dim : int
        Largest d.

    Returns
    -------
    hypothesis strategy
    """
    from hypothesis import strategies as st

    if not (2 <= min_size <= max_size and max_dim >= 1):
        raise InputError(
            f"min_size is {min_size!r}, max_size {max_size!r}, max_dim {max_dim!r}; expected "
            "2 <= min_size <= max_size and max_dim >= 1"
        )

    @st.composite
    def cases(draw: Any) -> UpstreamCase:
        Z, d = draw(st.integers(min_size, max_size)), draw(st.integers(1, max_dim))
        rows = st.lists(st.integers(-40, 40), min_size=Z, max_size=Z, unique=True)
        zoo = np.array([draw(rows) for _ in range(d)], dtype=float).T / 8
        seeds = st.integers(0, 2**31 - 1)
        return UpstreamCase(zoo, draw(st.integers(2, Z)), draw(seeds), draw(seeds))

    return cases()


# ------------------------------------------------------------------ laws


def _same(a: Any, b: Any, what: str) -> None:
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape and a.dtype == b.dtype, f"{what}: {a.shape} {a.dtype}, then {b.shape} {b.dtype}"  # fmt: skip # noqa: E501
    assert np.array_equal(a, b), f"{what}: they differ by up to {np.abs(a - b).max():.3g}"


def _shape(make: Make, case: UpstreamCase) -> None:
    generator = case.fitted(make)
    for M in (1, case.M):
        drawn = np.asarray(generator.sample(M, case.seed))
        expected = (M, case.zoo.shape[1])
        assert drawn.shape == expected, f"sample({M}) has shape {drawn.shape}, not {expected}"
        assert drawn.dtype.kind == "f", f"sample({M}) has dtype {drawn.dtype}"


def _finite(make: Make, case: UpstreamCase) -> None:
    constant = case.zoo.copy()
    constant[:, 0] = 1.5  # a coordinate that no upstream task moves
    for zoo in (case.zoo, constant):
        drawn = np.asarray(make().fit(zoo, case.fit_seed).sample(case.M, case.seed))
        assert np.isfinite(drawn).all(), f"{np.sum(~np.isfinite(drawn))} entries are not finite"


def _reproducible(make: Make, case: UpstreamCase) -> None:
    first, second = (case.fitted(make).sample(case.M, case.seed) for _ in range(2))
    _same(first, second, "two generators with the same zoo and seeds")


def _memory(make: Make, case: UpstreamCase) -> None:
    generator = case.fitted(make)
    before = np.array(generator.sample(case.M, case.seed))
    generator.sample(1, case.seed + 1)
    _same(before, generator.sample(case.M, case.seed), "the same draw before and after another")


def _prefix(make: Make, case: UpstreamCase) -> None:
    generator = case.fitted(make)
    drawn = np.asarray(generator.sample(case.M, case.seed))
    for m in {1, case.M // 2, case.M - 1} - {0}:
        _same(drawn[:m], generator.sample(m, case.seed), f"the first {m} of {case.M} draws")


def _seed(make: Make, case: UpstreamCase) -> None:
    generator = case.fitted(make)
    draws = [np.asarray(generator.sample(case.M, case.seed + i)) for i in range(8)]
    different = any(not np.array_equal(draws[0], other) for other in draws[1:])
    assert different, f"the seeds {case.seed} to {case.seed + 7} all give the same candidates"


def _global_state(make: Make, case: UpstreamCase) -> None:
    import random

    import torch

    def surroundings(seed: int) -> None:
        np.random.seed(seed)  # noqa: NPY002
        torch.manual_seed(seed)
        random.seed(seed)

    # what the labels of a support set could leave behind
    kept = np.random.get_state(), torch.get_rng_state(), random.getstate()  # noqa: NPY002
    try:
        draws = []
        for seed in (1, 2):
            surroundings(seed)
            draws.append(case.fitted(make).sample(case.M, case.seed))
            left = np.random.random(), float(torch.rand(1)), random.random()  # noqa: NPY002
            surroundings(seed)
            right = np.random.random(), float(torch.rand(1)), random.random()  # noqa: NPY002
            assert left == right, "fitting or drawing moved a global random state"
    finally:
        np.random.set_state(kept[0])  # noqa: NPY002
        torch.set_rng_state(kept[1])
        random.setstate(kept[2])
    _same(draws[0], draws[1], "candidates under two global random states")


def _arguments(make: Make, case: UpstreamCase) -> None:
    zoo = case.zoo.copy()
    make().fit(zoo, case.fit_seed).sample(case.M, case.seed)
    assert np.array_equal(zoo, case.zoo), "the zoo was changed"


def _frozen(make: Make, case: UpstreamCase) -> None:
    zoo = case.zoo.copy()
    generator = make().fit(zoo, case.fit_seed)
    before = np.array(generator.sample(case.M, case.seed))
    zoo += 1.0
    _same(before, generator.sample(case.M, case.seed), "candidates after the zoo was changed")
    try:
        generator.fit(zoo, case.fit_seed)
    except ValueError:
        _same(before, generator.sample(case.M, case.seed), "candidates after a refused fit")
        return
    raise AssertionError("a second fit was not refused with a ValueError")


def _returned(make: Make, case: UpstreamCase) -> None:
    generator = case.fitted(make)
    drawn = np.asarray(generator.sample(case.M, case.seed))
    before = drawn.copy()
    if drawn.flags.writeable:
        drawn += 1.0
    _same(before, generator.sample(case.M, case.seed), "candidates after a draw was overwritten")


def _round_trip(make: Make, case: UpstreamCase) -> None:
    generator = case.fitted(make)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "generator.npz"
        generator.save(path)
        loaded = type(generator).load(path)
    _same(
        generator.sample(case.M, case.seed),
        loaded.sample(case.M, case.seed),
        "candidates before saving and after loading",
    )
    assert generator.describe() == loaded.describe(), "loading changed the description"


def _description(make: Make, case: UpstreamCase) -> None:
    first, second = (case.fitted(make).describe() for _ in range(2))
    assert json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True), (
        "two generators with the same zoo and seeds have different descriptions"
    )
    other = make().fit(2.0 * case.zoo + 1.0, case.fit_seed).describe()
    assert first != other, "generators of two zoos have the same description"


def _refusals(make: Make, case: UpstreamCase) -> None:
    broken = case.zoo.copy()
    broken[0, 0] = np.nan
    calls: dict[str, Callable[[], Any]] = {
        "a zoo with NaN": lambda: make().fit(broken, 0),
        "drawing before the fit": lambda: make().sample(1, 0),
        "drawing 0 candidates": lambda: case.fitted(make).sample(0, 0),
    }
    for what, call in calls.items():
        try:
            call()
        except ValueError:
            continue
        raise AssertionError(f"{what} was not refused with a ValueError")


GENERATOR_LAWS = tuple(
    Law(name, statement, check, zoos)
    for name, statement, check in (
        ("shape", "M candidates are a floating-point array (M, d).", _shape),
        ("finite", "Candidates are finite, also if a coordinate never varies.", _finite),
        ("reproducible", "The same zoo and seeds: the same bits.", _reproducible),
        ("no memory", "A draw does not depend on earlier draws.", _memory),
        ("prefix", "Fewer candidates are the first ones of more.", _prefix),
        ("seed", "Other seeds give other candidates.", _seed),
        ("global state", "Global random states are neither read nor moved.", _global_state),
        ("arguments", "The zoo is left as it was.", _arguments),
        ("frozen", "Once fitted, nothing changes it; a second fit is refused.", _frozen),
        ("returned", "Overwriting candidates does not reach the generator.", _returned),
        ("round trip", "Saved and loaded, it draws the same bits.", _round_trip),
        ("description", "It is described by what it learned, equally if equal.", _description),
        ("refusals", "NaN, early draws and 0 candidates are refused.", _refusals),
    )
)


def check_generator(
    make: Make,
    *,
    laws: Iterable[str] | None = None,
    max_examples: int = 20,
    collect: bool = False,
    shrink: bool = True,
) -> list[BrokenLaw]:
    """Run the laws of generators.

    Parameters
    ----------
    make : callable
        ``make()`` gives a generator that is not fitted, with ``fit(zoo, seed)``,
        ``sample(M, seed)``, ``describe()``, ``save(path)`` and ``load(path)``; a class will do.
    laws : iterable of str, optional
        Names of some laws; all by default.
    max_examples, collect, shrink
        As in `check_laws`.

    Returns
    -------
    list of BrokenLaw
        Empty when every law holds.

    Raises
    ------
    BrokenLaw
        An ``AssertionError`` that names the law and the counterexample; not with ``collect``.
    InputError
        If ``make`` is not callable, or a law is unknown.
    """
    if not callable(make):
        raise InputError(f"make is {make!r}; expected a function that gives a new generator")
    known = {law.name: law for law in GENERATOR_LAWS}
    wanted = list(known) if laws is None else list(laws)
    strange = [name for name in wanted if name not in known]
    if strange or not wanted:
        raise InputError(f"laws has {strange!r}; expected some of {', '.join(known)}")
    return check_laws(
        make,
        [known[name] for name in wanted],
        max_examples=max_examples,
        collect=collect,
        shrink=shrink,
    )
