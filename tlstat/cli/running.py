"""Commands that look at studies and run them: list, run, replay, figures."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from tlstat.cli.judging import show_failures
from tlstat.cli.options import (
    add_command,
    add_entropy,
    add_paths,
    add_profile,
    add_running,
    add_store,
    console,
    natural,
    positive,
    run_options,
)
from tlstat.errors import InputError

if TYPE_CHECKING:
    from tlstat.montecarlo.design import Cell
    from tlstat.montecarlo.study import Study


def register(commands: Any) -> None:
    """Add the commands of this module."""
    _register_list(commands)
    _register_run(commands)
    _register_replay(commands)
    _register_figures(commands)


def _register_list(commands: Any) -> None:
    parser = add_command(
        commands,
        "list",
        list_studies,
        "list studies and their claims",
        "  tlstat list\n  tlstat list my_study.py\n",
    )
    add_paths(parser, default="simulations")


def list_studies(args: argparse.Namespace) -> int:
    """Print each study with what it takes, and its claims."""
    from tlstat.verification import collect

    for family in collect(args.paths):
        for study in family.chosen:
            print(f"{study.name}  (version {study.version}; {_size(study)})")
            if study.doc:
                print(f"    {study.doc.splitlines()[0]}")
            for claim in study.claims:
                mark = "  [negative control]" if claim.expect == "refuted" else ""
                print(f"  - {claim.name}{mark}")
    return 0


def _size(study: Study) -> str:
    profiles = dict.fromkeys(["quick", *study.profiles])
    parts = []
    for profile in profiles:
        blocks = study.blocks(profile)
        count = max(n * study.block_size(cell) for cell, n in blocks.items())
        work = "exact" if study.exact else f"{count} replicates"
        parts.append(f"{profile}: {len(blocks)} cells, {work}")
    return "; ".join(parts)


def _register_run(commands: Any) -> None:
    parser = add_command(
        commands,
        "run",
        run,
        "simulate and store, without judging",
        "  tlstat run simulations/ --profile paper --jobs 8\n"
        "  tlstat run my_study.py --replicates 100000 --store big.sqlite\n"
        "A run that was stopped goes on where it was.\n",
    )
    add_paths(parser)
    add_profile(parser)
    add_entropy(parser)
    add_store(parser)
    parser.add_argument(
        "--replicates", type=positive, metavar="R", help="instead of the profile's number"
    )
    add_running(parser)


def run(args: argparse.Namespace) -> int:
    """Run every study and say what it took."""
    import tlstat
    from tlstat.montecarlo.store import Store
    from tlstat.verification import collect

    studies = [s for family in collect(args.paths) for s in family.chosen]
    results: dict[str, Any] = {}
    with Store(args.store) as store:
        for study in studies:
            results[study.name] = tlstat.run(
                study,
                args.profile,
                store=store,
                entropy=args.entropy,
                replicates=args.replicates,
                **run_options(args),
            )
            found = results[study.name]
            print(f"{study.name}: {len(found.failures)} blocks failed, {found.seconds:.1f} s")
    show_failures(results, args.store)
    return 4 if any(found.failures for found in results.values()) else 0


def _register_replay(commands: Any) -> None:
    parser = add_command(
        commands,
        "replay",
        replay,
        "run one block again, alone and in this process",
        "  tlstat replay .tlstat/results.sqlite 0f3a... --study my_study.py    a failed block\n"
        "  tlstat replay my_study.py::risk --cell '{\"n\": 100}' --block 7\n"
        "With --debug an error comes with its traceback.\n",
    )
    parser.add_argument("target", metavar="STORE|PATH::STUDY")
    parser.add_argument("key", nargs="?", metavar="KEY", help="of a failed block in STORE")
    parser.add_argument(
        "--study",
        default="simulations",
        metavar="PATH",
        help="with STORE: where the studies are (default simulations/)",
    )
    parser.add_argument(
        "--cell", metavar="JSON", help="parameters that single out one cell of PATH::STUDY"
    )
    parser.add_argument("--block", type=natural, default=0, metavar="N", help="default 0")
    add_entropy(parser)


def replay(args: argparse.Namespace) -> int:
    """Run a block and print what it returned."""
    from tlstat.montecarlo.run import replay as run_again

    if args.key is None:
        study = _one_study(args.target)
        cell, index, entropy = _one_cell(study, args.cell), args.block, args.entropy
    else:
        study, cell, index, entropy = _failed_block(args.target, args.key, args.study)
    print(f"{study.name}, {cell!r}, block {index}, entropy {entropy}")
    for metric, value in run_again(study, cell, index, entropy).items():
        print(f"  {metric}: {_describe(value)}")
    return 0


def _one_study(path: str) -> Study:
    from tlstat.montecarlo.study import load_studies

    studies = load_studies(path)
    if len(studies) > 1:
        names = ", ".join(s.name for s in studies)
        raise InputError(f"{path}: has several studies ({names}); name one as PATH::STUDY")
    return studies[0]


def _one_cell(study: Study, text: str | None) -> Cell:
    """The only cell of the study that has the given parameters."""
    try:
        wanted = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise InputError(f"--cell {text!r} is no JSON: {error}") from error
    if not isinstance(wanted, dict):
        raise InputError(f"--cell {text!r}: expected an object such as '{{\"n\": 100}}'")
    wanted = {k: tuple(v) if isinstance(v, list) else v for k, v in wanted.items()}
    cells = [c for c in study.design.cells if all(k in c and c[k] == v for k, v in wanted.items())]
    if len(cells) != 1:
        raise InputError(
            f"--cell {text or '{}'} fits {len(cells)} of the {len(study.design.cells)} cells of "
            f"{study.name}, such as {dict(study.design.cells[0])}; it must single out one"
        )
    return cells[0]


def _failed_block(path: str, key: str, studies: str) -> tuple[Study, Cell, int, int]:
    from tlstat.montecarlo.store import Store
    from tlstat.montecarlo.study import load_studies

    with Store(path, readonly=True) as store:
        found = [
            (held, failure)
            for held in store.studies()
            for failure in store.failures(held.id)
            if failure.key.startswith(key)
        ]
    if len(found) != 1:
        raise InputError(f"{path}: {len(found)} failed blocks have a key that starts with {key!r}")
    held, failure = found[0]
    for study in load_studies(studies):
        if (study.name, study.version) == (held.name, held.version):
            cells = {c.canonical: c for c in study.design.cells}
            if failure.cell in cells:
                return study, cells[failure.cell], failure.index, held.entropy
    raise InputError(
        f"{studies}: no study {held.name!r} of version {held.version} with cell {failure.cell}; "
        "say where it is with --study PATH"
    )


def _describe(value: Any) -> str:
    """One line about what a metric returned."""
    import numpy as np

    if hasattr(value, "error"):
        return f"exact {value.value} (error at most {value.error})"
    array = np.asarray(value)
    mean = np.array2string(np.mean(array, axis=0), precision=6)
    return f"shape {array.shape}, {array.dtype}, mean {mean}, first {array.ravel()[:3].tolist()}"


def _register_figures(commands: Any) -> None:
    parser = add_command(
        commands,
        "figures",
        figures,
        "draw the published figures from stored results",
        "  tlstat figures --output out/figures\n"
        "  tlstat figures paper_figures/fig_zhao_zhu_2024_fig2.py --profile paper\n"
        "What is not stored yet is simulated first. Each figure is written as PNG and SVG.\n",
    )
    parser.add_argument(
        "paths",
        nargs="*",
        default=["paper_figures"],
        metavar="PATH",
        help="fig_*.py files, or folders of them; by default paper_figures/",
    )
    parser.add_argument("--output", "-o", default="figures", metavar="DIR")
    add_profile(parser)
    add_entropy(parser)
    add_store(parser)
    add_running(parser)


def figures(args: argparse.Namespace) -> int:
    """Run what is missing and draw."""
    from tlstat.cli.figures import draw_all

    options = {"profile": args.profile, "entropy": args.entropy, **run_options(args)}
    results: dict[str, Any] = {}
    for path in draw_all(args.paths, args.output, args.store, options, results):
        console().print(f"wrote {path}", markup=False, soft_wrap=True)
    show_failures(results, args.store)
    return 4 if any(found.failures for found in results.values()) else 0
