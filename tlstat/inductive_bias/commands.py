"""The command that measures how much inductive bias a table demands of a kernel."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from tlstat.cli.options import add_command, console, level, natural
from tlstat.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from tlstat.inductive_bias.reading import Split
    from tlstat.inductive_bias.result import Bias

Given: TypeAlias = "tuple[Any, Any, Any, Any, Any]"

KERNELS = ("rbf", "matern", "polynomial", "arc_cosine", "ntk", "linear")

EXAMPLES = """\
  tlstat inductive-bias iris.csv --target species --kernel rbf --target-error 0.1
  tlstat inductive-bias wine.csv --target quality --task regression --kernel matern --nu 2.5
  tlstat inductive-bias iris.csv --target species --target-error 0.1 --sensitivity
  tlstat inductive-bias iris.csv --target species --csv curve.csv --json bias.json
The bias is -log of the share of functions with a test error of at most --target-error, among those
of a Gaussian process that fit the training part. Without --target-error a curve is shown. Features
(and the target of a regression) are scaled to mean 0 and standard deviation 1 on the training part;
classes are coded one-hot, and the error is the mean squared one.
"""


def register(commands: Any) -> None:
    """Add the commands of this room."""
    parser = add_command(
        commands,
        "inductive-bias",
        inductive_bias,
        "say how much inductive bias a table demands of a kernel",
        EXAMPLES,
    )
    parser.add_argument("file", metavar="DATA.csv", help="table with names; - is standard input")
    data = parser.add_argument_group("the data")
    data.add_argument("--target", required=True, metavar="COL", help="column to predict")
    data.add_argument("--task", choices=("auto", "regression", "classification"), default="auto")
    data.add_argument(
        "--test-size", type=level, default=0.3, metavar="S", help="share of test rows (0.3)"
    )
    data.add_argument("--seed", type=natural, default=0, metavar="N", help="draws the split (0)")
    data.add_argument("--raw", action="store_true", help="scale nothing")
    space = parser.add_argument_group("the hypothesis space")
    space.add_argument("--kernel", choices=KERNELS, default="rbf")
    space.add_argument(
        "--length", default="median", metavar="L", help="bandwidth of rbf and matern (median)"
    )
    space.add_argument("--nu", type=float, default=1.5, help="smoothness of matern (1.5)")
    space.add_argument("--degree", type=int, default=2, help="of polynomial (2)")
    space.add_argument("--depth", type=int, default=1, help="layers of arc_cosine and ntk (1)")
    space.add_argument("--variance", type=float, default=1.0, help="prior scale (1)")
    space.add_argument("--noise", type=float, default=0.0, help="variance of label noise (0)")
    space.add_argument("--jitter", default="auto", help="added to the diagonal (auto: nothing)")
    event = parser.add_argument_group("the event")
    event.add_argument("--target-error", type=float, metavar="E", help="largest test error")
    event.add_argument("--event", choices=("test", "population"), default="test")
    event.add_argument("--sensitivity", action="store_true", help="show other choices as well")
    parser.add_argument("--json", metavar="FILE", help="write the bias as JSON")
    parser.add_argument("--csv", metavar="FILE", help="write the curve over target errors")


def inductive_bias(args: argparse.Namespace) -> int:
    """Read, split, measure, show."""
    from tlstat.inductive_bias.bias import inductive_bias as measure
    from tlstat.inductive_bias.reading import read_split

    if args.target_error is None and (args.sensitivity or args.json or args.event != "test"):
        raise InputError(
            "--target-error is missing; --sensitivity, --json and --event need it (without them "
            "a curve is shown)"
        )
    split = read_split(
        args.file, args.target, args.test_size, args.seed, task=args.task, scale=not args.raw
    )
    space = _space(args, split)
    given = (space, split.X_train, split.y_train, split.X_test, split.y_test)
    out = console()
    _print_data(out, split)
    if args.target_error is not None:
        bias = measure(*given, args.target_error, task=split.task, event=args.event, seed=args.seed)
        _print_bias(out, bias)
        if args.json:
            _write(args.json, json.dumps(bias.to_dict(), indent=2) + "\n", "bias")
    if args.sensitivity:
        _print_sensitivity(out, given, args, split)
    if args.target_error is None or args.csv:
        _curve(out, given, args, split)
    return 0


def _space(args: argparse.Namespace, split: Split) -> Any:
    from tlstat.inductive_bias import kernels
    from tlstat.inductive_bias.spaces.kernel import KernelSpace

    length = kernels.median_distance(split.X_train)
    if args.length != "median":
        length = _number("--length", args.length)
    elif not length > 0:
        raise InputError("all training inputs are equal; expected --length as a number")
    made = {
        "rbf": lambda: kernels.rbf(length),
        "matern": lambda: kernels.matern(length, args.nu),
        "polynomial": lambda: kernels.polynomial(args.degree),
        "arc_cosine": lambda: kernels.arc_cosine(1, args.depth),
        "ntk": lambda: kernels.ntk(args.depth),
        "linear": lambda: kernels.polynomial(1, offset=0.0),
    }[args.kernel]()
    jitter = "auto" if args.jitter == "auto" else _number("--jitter", args.jitter)
    return KernelSpace(made, noise=args.noise, jitter=jitter, variance=args.variance)


def _print_data(out: Console, split: Split) -> None:
    n, d = split.X_train.shape
    out.print(
        f"{split.task} of {d} features: {n} training rows that hypotheses must fit, "
        f"{len(split.X_test)} test rows"
    )


def _print_bias(out: Console, bias: Bias) -> None:
    from rich.text import Text

    out.print(bias.table)
    out.print("[bold]the space[/bold]")
    for name, value in bias.space.items():
        shown = f"{value:.4g}" if isinstance(value, float) else str(value)
        out.print(Text(f"  {name.replace('_', ' ')}: {shown}"))
    for note in bias.notes:
        out.print(Text(note))


def _print_sensitivity(out: Console, given: Given, args: argparse.Namespace, split: Split) -> None:
    from tlstat.inductive_bias.choices import sensitivity

    with out.status("trying other choices"):
        found = sensitivity(*given, args.target_error, task=split.task, seed=args.seed)
    out.print("\n[bold]under other choices[/bold]")
    out.print(found.table)


def _curve(out: Console, given: Given, args: argparse.Namespace, split: Split) -> None:
    from rich import box
    from rich.table import Table

    from tlstat.inductive_bias.curve import bias_curve

    curve = bias_curve(*given, task=split.task, seed=args.seed)
    if args.csv:
        _write(args.csv, curve.frame.to_csv(index=False), "curve")
    if args.target_error is not None:
        return
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("target error", "nats", "bits", "nats per output", "effective number"):
        table.add_column(name, justify="right")
    for bias in curve.biases[::3]:
        number = "" if bias.n_eff is None else f"{bias.n_eff:.4g}"
        each = "" if bias.per_output is None else f"{bias.per_output:.4g}"
        values = (f"{bias.target_error:.4g}", f"{bias.nats:,.5g}", f"{bias.bits:,.5g}")
        table.add_row(*values, each, number)
    out.print(table)
    out.print("Choose the target error of a task by what its errors cost (--target-error).")


def _write(path: str, text: str, what: str) -> None:
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    print(f"{what}: {path}")


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{name} is {text!r}; expected a number")
    return value
