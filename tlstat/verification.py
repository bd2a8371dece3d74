"""``verify``: run the studies of a file, judge their claims, return the verdicts.

The family over which errors are controlled is *all* claims declared in a file, selected or
not: which claims a user looks at never changes the status of any of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tlstat.errors import InputError
from tlstat.montecarlo.executors import LokyPool
from tlstat.montecarlo.run import run
from tlstat.montecarlo.store import Store
from tlstat.montecarlo.study import Study, load_studies
from tlstat.montecarlo.worker import inside_worker

if TYPE_CHECKING:
    from tlstat.montecarlo.results import Results
    from tlstat.theory.verdict import Verdict, Verdicts

Selector = str | Callable[[Study, Any], bool] | None
StudyLike = Study | str | Path


@dataclass(frozen=True)
class Family:
    """The studies of one file (or one study given as an object) and those asked for."""

    studies: tuple[Study, ...]
    chosen: tuple[Study, ...]


def verify(
    study_or_path: StudyLike | Iterable[StudyLike],
    profile: str = "quick",
    store: Store | str | Path | None = None,
    executor: Any = None,
    entropy: int = 0,
    *,
    jobs: int = 1,
    alpha: float = 0.01,
    control: str = "bonferroni",
    select: Selector = None,
    device: str = "cpu",
    array: str = "numpy",
    progress: Any = None,
    same_results: bool = False,
    timeout: float | None = None,
    replicates: int | None = None,
) -> Verdicts:
    """Judge the claims of a study, a file, a folder, or several of them.

    Parameters
    ----------
    study_or_path : Study, path, or a sequence of these
        A folder is searched for ``sim_*.py`` and ``*_study.py``; ``file.py::name`` selects one
        study.
    profile : str
        ``"quick"``, ``"paper"``, ``"full"`` or one that the studies declare.
    store : Store or path, optional
        Where finished blocks are kept and found again; by default in memory.
    executor : concurrent.futures.Executor, optional
        Runs the blocks (loky, ``dask.distributed``'s ``Client.get_executor()``, mpi4py).
    entropy : int
        Another number reruns everything with fresh randomness.
    jobs : int
        Worker processes on this machine when no `executor` is given.
    alpha : float
        Error level of each file: the probability of any false verdict.
    control : {"bonferroni", "holm"}
        Holm needs all claims of the file, so it cannot be combined with `select`.
    select : str or callable, optional
        Which claims to judge: an expression such as ``"rate and not digits"`` over
        ``study::claim`` names, or a predicate ``(study, claim) -> bool``. The level of the
        others is still reserved.
    device, array, progress, same_results, timeout, replicates
        As in :func:`tlstat.run`.

    Returns
    -------
    Verdicts
        In the order of declaration; ``.results`` holds the results by study name.

    Raises
    ------
    InputError
        If a path, a study, a claim or a selection is wrong; nothing has been run then.
    """
    from tlstat.theory.judge import family_size, judge_family
    from tlstat.theory.verdict import Verdicts

    if not 0 < alpha < 1:
        raise InputError(f"alpha must lie strictly between 0 and 1, got {alpha!r}")
    if control == "holm" and select is not None:
        raise InputError(
            "control='holm' needs every claim of a file: a selection would change statuses; "
            "leave out `select`, or use control='bonferroni'"
        )
    families = collect(study_or_path)
    wanted = {s.name: _selected(s, select) for f in families for s in f.chosen}
    for family in families:
        for s in family.chosen:
            for claim in wanted[s.name]:
                claim.check(s)

    options: dict[str, Any] = dict(
        profile=profile,
        executor=executor,
        jobs=jobs,
        entropy=entropy,
        device=device,
        array=array,
        progress=progress,
        same_results=same_results,
        timeout=timeout,
        replicates=replicates,
    )
    verdicts: list[Verdict] = []
    results: dict[str, Results] = {}
    with ExitStack() as stack:
        shared = store
        if not isinstance(shared, Store):
            shared = stack.enter_context(Store(shared or ":memory:"))
        if executor is None and jobs not in (0, 1) and device == "cpu" and not inside_worker():
            # one pool for all studies: workers import and compile only once
            options["executor"] = stack.enter_context(LokyPool(jobs))
        for family in families:
            runs = [s for s in family.chosen if wanted[s.name]]
            for s in runs:
                results[s.name] = run(s, store=shared, **options)
            verdicts += judge_family(
                [(s, results[s.name], wanted[s.name]) for s in runs],
                alpha=alpha,
                family=family_size(family.studies),
                control=control,
            )
    failures = sum(len(r.failures) for r in results.values())
    return Verdicts(verdicts, failures=failures, results=results)


def collect(study_or_path: StudyLike | Iterable[StudyLike]) -> list[Family]:
    """Load what was named, one :class:`Family` a file.

    Raises
    ------
    InputError
        If nothing is found, or two studies share a name.
    """
    if isinstance(study_or_path, Study | str | Path):
        given: Sequence[StudyLike] = [study_or_path]
    else:
        given = list(study_or_path)
    families: dict[Any, Family] = {}
    for item in given:
        for key, family in _families_of(item):
            known = families.get(key)
            chosen = family.chosen if known is None else _union(known.chosen, family.chosen)
            families[key] = Family(family.studies, chosen)
    if not families:
        raise InputError("nothing to verify: no study or path was given")
    _refuse_equal_names(list(families.values()))
    return list(families.values())


def _families_of(item: StudyLike) -> list[tuple[Any, Family]]:
    if isinstance(item, Study):
        return [(id(item), Family((item,), (item,)))]
    chosen = load_studies(item)
    families = []
    for path in dict.fromkeys(s.path for s in chosen):
        members = tuple(s for s in chosen if s.path == path)
        whole = members if "::" not in str(item) else tuple(load_studies(str(item).split("::")[0]))
        families.append((path, Family(whole, members)))
    return families


def _union(first: tuple[Study, ...], second: tuple[Study, ...]) -> tuple[Study, ...]:
    return first + tuple(s for s in second if s.name not in {t.name for t in first})


def _refuse_equal_names(families: list[Family]) -> None:
    seen: dict[str, Any] = {}
    for family in families:
        for s in family.chosen:
            if s.name in seen:
                raise InputError(
                    f"two studies are called {s.name!r} (in {seen[s.name]} and {s.path}): "
                    "give one of them another name=, results are stored under it"
                )
            seen[s.name] = s.path


def _selected(study: Study, select: Selector) -> tuple[Any, ...]:
    if select is None:
        return tuple(study.claims)
    if callable(select):
        return tuple(c for c in study.claims if select(study, c))
    return tuple(c for c in study.claims if matches_expression(select, f"{study.name}::{c.name}"))


_TOKEN = re.compile(r"\s*(\(|\)|[^\s()]+)")


def matches_expression(expression: str, text: str) -> bool:
    """Whether `text` satisfies an expression of substrings, ``and``, ``or``, ``not``, parentheses.

    Examples
    --------
    >>> matches_expression("rate and not digits", "sim_levels.hard::rate tv")
    True

    Raises
    ------
    InputError
        If the expression is malformed.
    """
    tokens = _TOKEN.findall(expression)
    value, rest = _either(tokens, text.lower(), expression)
    if rest:
        raise InputError(f"cannot read the selection {expression!r}: unexpected {rest[0]!r}")
    return value


# recursive descent: each function takes the tokens left and returns (value, tokens left)
def _either(tokens: list[str], text: str, whole: str) -> tuple[bool, list[str]]:
    value, tokens = _both(tokens, text, whole)
    while tokens[:1] == ["or"]:
        other, tokens = _both(tokens[1:], text, whole)
        value = value or other
    return value, tokens


def _both(tokens: list[str], text: str, whole: str) -> tuple[bool, list[str]]:
    value, tokens = _term(tokens, text, whole)
    while tokens[:1] == ["and"]:
        other, tokens = _term(tokens[1:], text, whole)
        value = value and other
    return value, tokens


def _term(tokens: list[str], text: str, whole: str) -> tuple[bool, list[str]]:
    match tokens:
        case ["not", *rest]:
            value, rest = _term(rest, text, whole)
            return not value, rest
        case ["(", *rest]:
            value, rest = _either(rest, text, whole)
            if rest[:1] != [")"]:
                raise InputError(f"cannot read the selection {whole!r}: a bracket is not closed")
            return value, rest[1:]
        case [word, *rest] if word not in {"and", "or", ")"}:
            return word.lower() in text, rest
    raise InputError(f"cannot read the selection {whole!r}: a name is missing")
