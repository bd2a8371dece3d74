"""Options that several commands share."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

DEFAULT_STORE = ".tlstat/results.sqlite"


def add_command(
    commands: Any, name: str, execute: Any, summary: str, examples: str
) -> argparse.ArgumentParser:
    """Add a command with its examples; `execute` takes the parsed arguments, returns the code."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser.set_defaults(execute=execute)
    return parser


def positive(text: str) -> int:
    """An integer of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return value


def natural(text: str) -> int:
    """An integer of at least 0."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return value


def level(text: str) -> float:
    """A number strictly between 0 and 1."""
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text} does not lie between 0 and 1")
    return value


def add_paths(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    """Studies, given as pytest takes tests."""
    parser.add_argument(
        "paths",
        nargs="+" if default is None else "*",
        default=None if default is None else [default],
        metavar="PATH",
        help="a file, a folder (searched for sim_*.py and *_study.py), or file.py::study"
        + (f"; by default {default}/" if default else ""),
    )


def add_store(parser: argparse.ArgumentParser) -> None:
    """Where results are kept."""
    parser.add_argument(
        "--store",
        metavar="FILE",
        default=os.environ.get("TLSTAT_STORE", DEFAULT_STORE),
        help=f"where results are kept (default: $TLSTAT_STORE, or {DEFAULT_STORE})",
    )


def add_profile(parser: argparse.ArgumentParser) -> None:
    """How much is simulated."""
    parser.add_argument(
        "--profile",
        default="quick",
        metavar="NAME",
        help="quick (default), paper (the printed settings), full, or one of the study's own",
    )


def add_entropy(parser: argparse.ArgumentParser, default: int | None = 0) -> None:
    """Which random streams."""
    shown = "0" if default == 0 else "the one that is stored"
    parser.add_argument(
        "--entropy",
        type=natural,
        default=default,
        metavar="N",
        help=f"another number means entirely new random streams (default: {shown})",
    )


def add_running(parser: argparse.ArgumentParser) -> None:
    """How blocks are computed; none of it changes a result, except `device` and `array`."""
    group = parser.add_argument_group("running")
    group.add_argument("--jobs", type=positive, default=1, metavar="N", help="worker processes")
    group.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    group.add_argument(
        "--array",
        choices=("numpy", "torch"),
        help="array library (default: numpy on the cpu, torch on cuda)",
    )
    group.add_argument(
        "--timeout", type=float, metavar="SECONDS", help="give up on a block after this time"
    )
    group.add_argument(
        "--same-results",
        action="store_true",
        help="keep stored blocks although the study's source changed: you vouch for it",
    )
    group.add_argument("--quiet", "-q", action="store_true", help="show no progress")


def add_judging(parser: argparse.ArgumentParser) -> None:
    """How claims are judged."""
    group = parser.add_argument_group("judging")
    group.add_argument(
        "-k",
        dest="select",
        metavar="EXPR",
        help="judge only claims whose study::claim name matches, as in 'rate and not digits'",
    )
    group.add_argument(
        "--level",
        type=level,
        default=0.01,
        metavar="A",
        help="probability of any false verdict in a file (default 0.01)",
    )
    group.add_argument(
        "--control",
        choices=("bonferroni", "holm"),
        default="bonferroni",
        help="how the level is shared between the claims of a file",
    )


def run_options(args: argparse.Namespace) -> dict[str, Any]:
    """The options of `add_running` as keyword arguments of ``tlstat.run`` and ``verify``."""
    return {
        "jobs": args.jobs,
        "device": args.device,
        "array": args.array or ("torch" if args.device == "cuda" else "numpy"),
        "timeout": args.timeout,
        "same_results": args.same_results,
        "progress": not args.quiet,
    }


def console() -> Console:
    """Standard output; wide where it is no terminal, so that tables in logs stay readable."""
    from rich.console import Console

    if sys.stdout.isatty() or "COLUMNS" in os.environ:
        return Console(highlight=False)
    return Console(width=150, highlight=False)
