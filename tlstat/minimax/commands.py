"""The command that says what target data are worth."""

from __future__ import annotations

import argparse
import functools
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tlstat.cli.options import add_command, console
from tlstat.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

EXAMPLES = """\
  tlstat value-of-target --rho 3/2 --beta-p 2/3 --beta-q 1/2 --n-source 1e6 --cost-ratio 20
  tlstat value-of-target --gamma 2 --beta-p 1 --beta-q 1 --n-source 10000 --n-target 50

Exponents are fractions or decimals. rho says how target excess follows from source excess,
gamma how target mass follows from source mass; 1 is no shift, more is harder, less is easier.
beta is 1 without noise (or with bounded noise) and 0 where nothing is known.
"""


def register(commands: Any) -> None:
    """Add the commands of this room."""
    parser = add_command(
        commands,
        "value-of-target",
        value_of_target,
        "say what target data are worth beside source data, and what to buy",
        EXAMPLES,
    )
    shift = parser.add_argument_group("the pair of populations")
    shift.add_argument("--rho", metavar="R", help="transfer exponent")
    shift.add_argument("--gamma", metavar="G", help="marginal transfer exponent, instead of --rho")
    shift.add_argument("--beta-p", default="1", metavar="B", help="source's Bernstein exponent (1)")
    shift.add_argument("--beta-q", default="1", metavar="B", help="target's Bernstein exponent (1)")
    shift.add_argument("--dim", default="2", metavar="D", help="VC dimension of the class (2)")
    data = parser.add_argument_group("the data")
    data.add_argument("--n-source", default="1e4", metavar="N", help="source labels (10000)")
    data.add_argument("--n-target", default="0", metavar="N", help="target labels (0)")
    data.add_argument(
        "--cost-ratio", default="1", metavar="K", help="price of a target label in source labels"
    )


def value_of_target(args: argparse.Namespace) -> int:
    """Print rates, crossover, the cheapest purchase and the exact lower bound."""
    beta_P, beta_Q = _number("--beta-p", args.beta_p), _number("--beta-q", args.beta_q)
    n_P, n_Q = _whole("--n-source", args.n_source, 1), _whole("--n-target", args.n_target, 0)
    dim, ratio = _whole("--dim", args.dim, 2), _number("--cost-ratio", args.cost_ratio)
    for name, value in (("--beta-p", beta_P), ("--beta-q", beta_Q)):
        if not 0 <= value <= 1:
            raise InputError(f"{name} is {value}; expected a Bernstein exponent, in [0, 1]")
    if ratio <= 0:
        raise InputError(f"--cost-ratio is {ratio}; expected a positive number")
    out = console()
    rho = _rho(out, args, beta_P, beta_Q)
    known = {"rho": rho, "beta_P": beta_P, "beta_Q": beta_Q}
    _print_rates(out, known, n_P, n_Q, dim)
    bound = _lower_bound(known, dim)
    eps = _print_exact(out, bound, n_P, n_Q)
    _print_purchase(out, known, bound, n_P, n_Q, dim, float(ratio), eps)
    return 0


def _rho(out: Console, args: argparse.Namespace, beta_P: Fraction, beta_Q: Fraction) -> Fraction:
    from tlstat.minimax import rates

    if (args.rho is None) == (args.gamma is None):
        given = "neither" if args.rho is None else "both"
        raise InputError(f"give one of --rho and --gamma, got {given}")
    if args.rho is not None:
        rho = _number("--rho", args.rho)
        if rho <= 0:
            raise InputError(f"--rho is {rho}; expected a positive number")
        return rho
    gamma = _number("--gamma", args.gamma)
    if gamma <= 0:
        raise InputError(f"--gamma is {gamma}; expected a positive number")
    if 0 in (beta_P, beta_Q):
        raise InputError("--gamma says nothing of rho where --beta-p or --beta-q is 0; give --rho")
    rho = Fraction(rates.rho_of_power_family(gamma, beta_P, beta_Q))
    worst = rates.rho_at_most(gamma, beta_P)
    slowest = rates.source_exponent(worst, beta_P)
    out.print(
        f"gamma = {gamma} gives rho = {rho} where all laws are powers (used below), "
        f"and at most {worst} in general: then the source rate is n_P^-{_power(slowest)}."
    )
    return rho


def _print_rates(out: Console, known: dict[str, Any], n_P: int, n_Q: int, dim: int) -> None:
    from tlstat.minimax import rates

    rho, beta_P, beta_Q = known["rho"], known["beta_P"], known["beta_Q"]
    source, target = rates.source_exponent(rho, beta_P), rates.target_exponent(beta_Q)
    boundary = rates.crossover_exponent(rho, beta_P, beta_Q)
    worth = float(rates.crossover(n_P, **known, dim=dim))
    table = _table("", "rate", "here")
    table.add_row(
        "source alone",
        f"(d/n_P)^{_power(source)}",
        _risk(rates.source_rate(n_P, rho=rho, beta_P=beta_P, dim=dim)),
    )
    table.add_row(
        "target alone",
        f"(d/n_Q)^{_power(target)}",
        _risk(rates.target_rate(n_Q, beta_Q=beta_Q, dim=dim)) if n_Q else "no target labels",
    )
    table.add_row("boundary", f"n_Q/d = (n_P/d)^{_power(boundary)}", f"n_Q = {worth:,.0f}")
    _show(out, "rates, up to constants and logarithms", table)
    side = "the source decides" if n_Q < worth else "the target decides"
    out.print(
        f"By the rates {n_P:,} source labels are worth about {worth:,.0f} target labels; "
        f"with {n_Q:,} of them {side}."
    )


def _print_exact(out: Console, bound: Any, n_P: int, n_Q: int) -> float:
    """The lower bound as a number; returns it."""
    from tlstat.minimax.cost import samples_needed

    here = bound(n_P, n_Q)
    equal = samples_needed(lambda n: bound(0, n), bound(n_P, 0))
    table = _table("labels", "at least")
    table.add_row(f"{n_P:,} source", _risk(bound(n_P, 0)))
    if n_Q:
        table.add_row(f"{n_Q:,} target", _risk(bound(0, n_Q)))
        table.add_row(f"{n_P:,} source and {n_Q:,} target", _risk(here))
    _show(out, "exact lower bound on the excess risk of every procedure", table)
    if equal is not None:
        out.print(
            f"By this bound {n_P:,} source labels are worth {equal:,} target labels, in the worst "
            "case over all pairs with these exponents and constants 1."
        )
    return here


def _lower_bound(known: dict[str, Any], dim: int) -> Any:
    from tlstat.minimax.cube import bayes_lower_bound

    exponents: dict[str, Any] = {name: float(value) for name, value in known.items()}

    @functools.cache
    def bound(n_P: int, n_Q: int) -> float:
        return float(bayes_lower_bound(n_P, n_Q, **exponents, d=dim))

    return bound


def _print_purchase(
    out: Console,
    known: dict[str, Any],
    bound: Any,
    n_P: int,
    n_Q: int,
    dim: int,
    ratio: float,
    eps: float,
) -> None:
    from tlstat.minimax import cost, rates

    goal = float(rates.minimax_rate(n_P, n_Q, **known, dim=dim))
    if goal >= 1:
        out.print("Too few labels for a rate below 1: nothing to compare prices at.")
        return
    title = f"cheapest purchase as good as this one, a target label at {ratio:g} source labels"
    table = _table("by", "source only", "target only", "buy n_P", "n_Q", "cost")
    exponents: dict[str, Any] = {name: float(value) for name, value in known.items()}
    by_rates = cost.rate_optimal(goal, **exponents, dim=dim, price_Q=ratio)
    _add_purchase(table, f"the rates, {_risk(goal)}", by_rates)
    with out.status("searching the cheapest purchase by the exact bound"):
        exact = cost.cost_optimal(bound, eps, price_Q=ratio, rtol=0.02)
    _add_purchase(table, f"the exact bound, {_risk(eps)}", exact)
    _show(out, title, table)
    tie = by_rates.tie_ratio
    assert tie is not None
    out.print(
        f"Source and target labels cost the same at a ratio of {tie:,.3g} (rates); "
        "a mixture can only pay near it."
    )


def _add_purchase(table: Table, label: str, found: Any) -> None:
    single = ["never" if n is None else f"{n:,}" for n in (found.source_only, found.target_only)]
    table.add_row(label, *single, f"{found.n_P:,}", f"{found.n_Q:,}", f"{found.cost:,.0f}")


# --- reading and writing numbers --------------------------------------------------------------


def _show(out: Console, title: str, table: Table) -> None:
    out.print(f"\n[bold]{title}[/bold]")
    out.print(table)


def _table(*columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i == 0 else "right")
    return table


def _number(name: str, text: str) -> Fraction:
    try:
        return Fraction(text.strip())
    except (ValueError, ZeroDivisionError):
        raise InputError(f"{name} is {text!r}; expected a number such as 2, 0.5 or 3/2") from None


def _whole(name: str, text: str, least: int) -> int:
    value = _number(name, text)
    if value.denominator != 1 or not least <= value <= 10**15:
        raise InputError(
            f"{name} is {text!r}; expected a whole number from {least} to 10^15, such as 1e6"
        )
    return int(value)


def _power(exponent: Fraction) -> str:
    """As it stands behind a caret."""
    return str(exponent) if exponent.denominator == 1 else f"({exponent})"


def _risk(value: Any) -> str:
    return f"{float(value):.3g}"
