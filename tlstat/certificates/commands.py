"""The command that certifies a model from a table of losses."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tlstat.cli.options import add_command, console, level
from tlstat.errors import InputError

if TYPE_CHECKING:
    from tlstat.certificates.certified import CertifyResult

EXAMPLES = """\
  tlstat certify errors.csv --candidates 20000
  tlstat certify errors.csv --candidates 20000 --delta 0.01 --json certificate.json
  tlstat certify losses.csv --candidates 50 --primary kl_inverse --share
  tlstat certify errors.csv --weights dyadic       candidates in order of generation, no limit
  tlstat certify errors.csv --candidates 1 --at-most 0.1     exit code 1 unless certified
The file has a row for every example and a column for every candidate: 0/1 errors, or losses in
[0, 1]. `--candidates` counts every candidate that could have been selected, also those that are
not in the file.
"""


def register(commands: Any) -> None:
    """Add the commands of this module."""
    parser = add_command(
        commands,
        "certify",
        certify,
        "select a candidate by its losses on examples, and bound its risk",
        EXAMPLES,
    )
    parser.add_argument("file", metavar="ERRORS.csv", help="losses as text; - reads standard input")
    parser.add_argument(
        "--candidates",
        type=_size,
        metavar="M",
        help="size of the class the columns come from (no default; at least the columns)",
    )
    parser.add_argument(
        "--delta",
        type=level,
        default=0.05,
        metavar="D",
        help="probability that the certificate fails (default 0.05)",
    )
    parser.add_argument(
        "--weights",
        choices=("uniform", "rank", "dyadic"),
        default="uniform",
        help="how delta is shared; rank and dyadic favour early columns (default uniform)",
    )
    parser.add_argument(
        "--primary",
        default="auto",
        metavar="NAME",
        help="the bound that certifies, fixed before looking (default: binomial_tail_inversion "
        "for 0/1 losses, kl_inverse otherwise)",
    )
    parser.add_argument(
        "--share", action="store_true", help="all bounds share delta; the smallest certifies"
    )
    parser.add_argument(
        "--stratified",
        action="store_true",
        help="the examples have fixed numbers from every stratum (k-shot n-way)",
    )
    parser.add_argument(
        "--at-most", type=level, metavar="R", help="exit with 1 unless the certificate is at most R"
    )
    parser.add_argument("--json", metavar="FILE", help="write the certificate as JSON")


def certify(args: argparse.Namespace) -> int:
    """Read, certify, show."""
    from tlstat.certificates.certifying import certify as certify_losses
    from tlstat.certificates.reading import read_losses

    if args.candidates is None and args.weights == "uniform":
        raise InputError(
            "--candidates is missing: how many candidates could have been selected? Those that "
            "are not in the file count too (--weights dyadic needs no number)"
        )
    losses, names = read_losses(args.file)
    result = certify_losses(
        losses,
        delta=args.delta,
        candidates=args.candidates,
        weights=args.weights,
        primary=args.primary,
        share=args.share,
        support="stratified" if args.stratified else "iid",
        names=names,
    )
    _show(result)
    if args.json:
        target = Path(args.json)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(result.to_dict(), indent=2) + "\n", encoding="utf-8")
        print(f"certificate: {args.json}")
    if args.at_most is not None and result.bound > args.at_most:
        print(f"not certified: {result.bound:.6g} exceeds {args.at_most:g}")
        return 1
    return 0


def _show(result: CertifyResult) -> None:
    from rich.text import Text

    out = console()
    out.print(result.table)
    out.print(Text(result.statement))
    if not result.shared and len(result.bounds) > 1:
        out.print(
            Text(
                "The other bounds were not chosen: the smallest of several is no certificate, "
                "unless they share delta (--share)."
            )
        )
    out.print(Text("It relies on:"))
    for name, statement in result.assumptions:
        out.print(Text(f"  {name}: {statement}"))


def _size(text: str) -> float:
    """A class size: a whole number of at least 1, also as 2e4 or 1e300."""
    value = float(text)
    if not value >= 1 or value != value // 1:
        raise argparse.ArgumentTypeError(f"{text} is no whole number of at least 1")
    return value
