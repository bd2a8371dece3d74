"""Commands that judge: verify, plan, report, diff."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tlstat.cli.options import (
    add_command,
    add_entropy,
    add_judging,
    add_paths,
    add_profile,
    add_running,
    add_store,
    console,
    positive,
    run_options,
)
from tlstat.cli.overview import MOST_CLAIMS, show

if TYPE_CHECKING:
    from tlstat.theory.verdict import Verdict, Verdicts

PAGES = (
    " to attach to a paper; of several study files an overview, with a page for each in a folder "
    "beside it (report_files/ for report.html)"
)


def register(commands: Any) -> None:
    """Add the commands of this module."""
    _register_verify(commands)
    _register_plan(commands)
    _register_report(commands)
    _register_diff(commands)


def _register_verify(commands: Any) -> None:
    parser = add_command(
        commands,
        "verify",
        verify,
        "simulate what is not stored yet and judge the claims",
        "  tlstat verify my_study.py\n"
        "  tlstat verify simulations/ --jobs 2 --report report.html\n"
        "  tlstat verify simulations/sim_levels.py::label_levels -k 'rate and not hard'\n"
        "  tlstat verify simulations/ --entropy 1    fresh randomness: a sceptic's first step\n",
    )
    add_paths(parser)
    add_profile(parser)
    add_entropy(parser)
    add_store(parser)
    parser.add_argument(
        "--replicates", type=positive, metavar="R", help="instead of the profile's number"
    )
    parser.add_argument("--report", metavar="FILE", help=f"write an HTML page{PAGES}")
    parser.add_argument("--json", metavar="FILE", help="write the verdicts as JSON")
    _add_all(parser)
    add_judging(parser)
    add_running(parser)


def _add_all(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--all",
        action="store_true",
        help=f"show every claim; of more than {MOST_CLAIMS} a summary is shown, and what was not "
        "as expected",
    )


def verify(args: argparse.Namespace) -> int:
    """Judge, show the table, write what was asked for."""
    import tlstat

    verdicts = tlstat.verify(
        args.paths,
        args.profile,
        args.store,
        entropy=args.entropy,
        alpha=args.level,
        control=args.control,
        select=args.select,
        replicates=args.replicates,
        **run_options(args),
    )
    return _present(verdicts, args, args.report)


def _present(verdicts: Verdicts, args: argparse.Namespace, report: str | None) -> int:
    if len(verdicts):
        show(verdicts, args.all)
    else:
        print("nothing to judge: no claim was selected", file=sys.stderr)
    show_failures(verdicts.results, args.store)
    if report:
        from tlstat.report import write_report

        with console().status(f"writing the report of {len(verdicts)} claims"):
            written = write_report(verdicts, report, jobs=getattr(args, "jobs", 1))
        print(f"report: {written}")
    if args.json:
        _write(args.json, verdicts.to_json() + "\n")
        print(f"verdicts: {args.json}")
    return verdicts.exit_code


def show_failures(results: dict[str, Any], store: str) -> None:
    """Say which blocks failed, and how to look at one of them alone."""
    for name, found in results.items():
        for failure in found.failures:
            print(
                f"tlstat: {name}, block {failure.index} of cell {failure.cell} failed: "
                f"{' '.join(failure.message.split())}\n"
                f"  tlstat replay {store} {failure.key}",
                file=sys.stderr,
            )


def _write(path: str, text: str) -> None:
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


def _register_plan(commands: Any) -> None:
    parser = add_command(
        commands,
        "plan",
        plan,
        "say from a short pilot how many replicates each claim needs",
        "  tlstat plan my_study.py\n"
        "  tlstat plan my_study.py --pilot 1000 --level 0.001\n"
        "The pilot's blocks are the first blocks of the real run: nothing of it is wasted.\n",
    )
    add_paths(parser)
    add_profile(parser)
    add_entropy(parser)
    add_store(parser)
    parser.add_argument(
        "--pilot", type=positive, default=200, metavar="R", help="replicates a cell (default 200)"
    )
    add_judging(parser)
    add_running(parser)


def plan(args: argparse.Namespace) -> int:
    """Judge a pilot and show what a decision would take."""
    from rich.table import Table
    from rich.text import Text

    import tlstat

    verdicts = tlstat.verify(
        args.paths,
        args.profile,
        args.store,
        entropy=args.entropy,
        alpha=args.level,
        control=args.control,
        select=args.select,
        replicates=args.pilot,
        **run_options(args),
    )
    table = Table(title="replicates a cell, from the pilot", title_justify="left")
    for column in ("study", "claim", "pilot says"):
        table.add_column(column)
    for column in ("pilot", "needed", "time for all"):
        table.add_column(column, justify="right")
    seconds = _seconds_a_replicate(args.store, verdicts.results)
    for verdict in verdicts:
        row = [verdict.study, verdict.name, verdict.label, *_need(verdict, seconds)]
        table.add_row(*map(Text, row))
    console().print(table)
    show_failures(verdicts.results, args.store)
    if verdicts.failures:
        return 4
    return 0 if len(verdicts) else 5


def _need(verdict: Verdict, seconds: dict[str, float]) -> tuple[str, str, str]:
    """Replicates of the pilot, replicates needed, and the time that these take in one process."""
    from tlstat.montecarlo.progress import clock_text
    from tlstat.theory.judge import round_up

    if verdict.validity.startswith("exact") and verdict.replicates == 0:
        return ("exact", "0", "-")
    pilot = str(verdict.replicates)
    if verdict.status.name != "INCONCLUSIVE":
        return (pilot, f"at most {pilot}", "-")
    if verdict.needed is None:
        return (pilot, verdict.reason or "unknown", "-")
    return (
        pilot,
        str(round_up(verdict.needed)),
        clock_text(verdict.needed * seconds[verdict.study]),
    )


def _seconds_a_replicate(path: str, results: dict[str, Any]) -> dict[str, float]:
    """What one replicate of every cell costs, by study, from the blocks that are stored."""
    from tlstat.montecarlo.store import Store

    costs = {}
    with Store(path, readonly=True) as store:
        for held in store.studies():
            found = results.get(held.name)
            if found and (held.version, held.entropy) == (found.study.version, found.entropy):
                sizes = store.sizes(held.id)
                cost = store.cost(held.id)
                costs[held.name] = sum(t / max(sizes[cell], 1) for cell, t in cost.items())
    return costs


def _register_report(commands: Any) -> None:
    parser = add_command(
        commands,
        "report",
        report,
        "judge what is stored and write the report, without simulating",
        "  tlstat report simulations/ --output report.html\n"
        "  tlstat report my_study.py --store run7.sqlite --profile paper --output run7.html\n",
    )
    add_paths(parser)
    add_profile(parser)
    add_entropy(parser, default=None)
    add_store(parser)
    parser.add_argument(
        "--output", "-o", required=True, metavar="FILE", help=f"the HTML page{PAGES}"
    )
    parser.add_argument("--json", metavar="FILE", help="write the verdicts as JSON, too")
    _add_all(parser)
    add_judging(parser)


def report(args: argparse.Namespace) -> int:
    """Judge from the store alone and write the report."""
    return _present(_stored(args, args.store), args, args.output)


def _stored(args: argparse.Namespace, store: str) -> Verdicts:
    from tlstat.cli.stored import judge_stored

    return judge_stored(
        args.paths,
        store,
        profile=args.profile,
        entropy=args.entropy,
        alpha=args.level,
        control=args.control,
        select=args.select,
    )


def _register_diff(commands: Any) -> None:
    parser = add_command(
        commands,
        "diff",
        diff,
        "show the verdicts that differ between two stores",
        "  tlstat diff before.sqlite after.sqlite simulations/\n"
        "Both are judged from their stored blocks. Exit code 1 if a verdict differs.\n",
    )
    parser.add_argument("before", metavar="A", help="a store")
    parser.add_argument("after", metavar="B", help="another store")
    add_paths(parser)
    add_profile(parser)
    add_entropy(parser, default=None)
    add_judging(parser)


def diff(args: argparse.Namespace) -> int:
    """Judge two stores and show what changed."""
    from rich.table import Table
    from rich.text import Text

    from tlstat.theory.verdict import number

    pairs = list(zip(_stored(args, args.before), _stored(args, args.after), strict=True))
    changed = [(a, b) for a, b in pairs if a.status is not b.status]
    if not changed:
        print(f"{len(pairs)} verdicts, none differs")
        return 0
    table = Table(title=f"{len(changed)} of {len(pairs)} verdicts differ", title_justify="left")
    for column in ("study", "claim", args.before, args.after):
        table.add_column(Text(column))
    for a, b in changed:
        texts = [f"{v.status}, estimate {number(v.estimate)}" for v in (a, b)]
        table.add_row(*map(Text, (a.study, a.name, *texts)))
    console().print(table)
    return 1
