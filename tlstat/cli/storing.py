"""Commands about stores: status and export."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tlstat.cli.options import add_command, add_store, console
from tlstat.errors import InputError

if TYPE_CHECKING:
    import pandas


def register(commands: Any) -> None:
    """Add the commands of this module."""
    parser = add_command(
        commands,
        "status",
        status,
        "show what a store holds",
        "  tlstat status\n  tlstat status --store run7.sqlite\n",
    )
    add_store(parser)
    parser = add_command(
        commands,
        "export",
        export,
        "write stored results as a table, or a store as one file",
        "  tlstat export --output results.parquet          one row a replicate\n"
        "  tlstat export --study risk --summary --output risk.csv\n"
        "  tlstat export --store live.sqlite --output copy.sqlite   also while in use\n",
    )
    add_store(parser)
    parser.add_argument(
        "--output", "-o", required=True, metavar="FILE", help="ends in .csv, .parquet or .sqlite"
    )
    parser.add_argument("--study", metavar="NAME", help="only this study")
    parser.add_argument(
        "--summary", action="store_true", help="one row a cell: means and standard errors"
    )


def status(args: argparse.Namespace) -> int:
    """Show a line for each study, version and entropy."""
    from rich.table import Table
    from rich.text import Text

    from tlstat.montecarlo.progress import clock_text
    from tlstat.montecarlo.store import Store

    table = Table(title=args.store, title_justify="left")
    table.add_column("study")
    for name in ("version", "entropy", "blocks", "replicates", "work", "failed", "environments"):
        table.add_column(name, justify="right")
    with Store(args.store, readonly=True) as store:
        for s in store.studies():
            numbers = (s.version, s.entropy, s.blocks, s.replicates, clock_text(s.seconds))
            mixed = f"{s.environments} (mixed)" if s.environments > 1 else str(s.environments)
            table.add_row(Text(s.name), *map(str, numbers), str(s.failures), mixed)
    console().print(table)
    return 0


def export(args: argparse.Namespace) -> int:
    """Write a table or a copy, by the suffix."""
    from tlstat.montecarlo.frames import write_parquet

    target = Path(args.output)
    if target.suffix == ".sqlite":
        if args.study or args.summary:
            raise InputError("--study and --summary do not apply to a copy of the whole store")
        from tlstat.cli.stored import snapshot

        snapshot(args.store, target)
        print(f"wrote {target}")
        return 0
    if target.suffix not in (".csv", ".parquet"):
        raise InputError(f"--output {args.output}: expected a name in .csv, .parquet or .sqlite")
    frame = _frame(args.store, args.study, args.summary)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix == ".csv":
        frame.to_csv(target, index=False)
    else:
        write_parquet(frame, target)
    print(f"wrote {target}: {len(frame)} rows")
    return 0


def _frame(path: str, name: str | None, summary: bool) -> pandas.DataFrame:
    """All that is stored, of one study or of all: study, version, entropy, then its own columns."""
    import pandas as pd

    from tlstat.montecarlo.frames import store_frame
    from tlstat.montecarlo.store import Store

    frames = []
    with Store(path, readonly=True) as store:
        known = [s.name for s in store.studies()]
        for held in store.studies():
            if name not in (None, held.name) or not held.blocks:
                continue
            frame = store_frame(store, held.id)
            frame = _summary(frame) if summary else frame
            head: dict[str, Any] = {
                "study": held.name,
                "version": held.version,
                "entropy": held.entropy,
            }
            for at, (column, content) in enumerate(head.items()):
                frame.insert(at, column, content)
            frames.append(frame)
    if not frames:
        what = f"study {name!r}; it has {', '.join(known) or 'none'}" if name else "results"
        raise InputError(f"{path}: holds no {what}")
    return pd.concat(frames, ignore_index=True)


def _summary(frame: pandas.DataFrame) -> pandas.DataFrame:
    """One row a cell: replicates, and each metric's mean and Monte Carlo standard error."""
    columns = list(frame.columns)
    at, end = columns.index("replicate"), columns.index("block")
    groups = frame.groupby(columns[:at], dropna=False, sort=False, observed=True)
    out = groups.size().rename("replicates").to_frame()
    for metric in columns[at + 1 : end]:
        out[metric] = groups[metric].mean()
        out[f"{metric} (mcse)"] = groups[metric].sem()
    return out.reset_index()
