"""The ``tlstat`` command.

Commands live in the modules beside this one. Building the parser imports none of the heavy
libraries; each command imports what it needs when it is called.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module

from tlstat import __version__
from tlstat.cli import judging, running, storing
from tlstat.errors import InputError

EPILOG = """\
examples:
  tlstat verify my_study.py                 judge the claims of one file
  tlstat verify simulations/ --jobs 2 --report out/report.html
  tlstat figures --output out/figures       the published figures, from stored results

exit codes: 0 all as expected, 1 something refuted (or a negative control that was not),
2 bad input, 3 only inconclusive ones left, 4 blocks failed, 5 nothing collected,
70 a bug in tlstat or in a study file, 130 interrupted.
`tlstat COMMAND --help` has examples of each command.
"""

# modules of rooms that bring commands of their own; light to import, like those beside this one
ROOM_COMMANDS: tuple[str, ...] = (
    "tlstat.certificates.commands",
    "tlstat.inductive_bias.commands",
    "tlstat.minimax.commands",
)

# sysexits.h: an internal error must not look like "something refuted"
BUG, INTERRUPTED = 70, 130


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="tlstat",
        description="Judge theorems of transfer learning by simulation.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tlstat {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in (judging, running, storing, *map(import_module, ROOM_COMMANDS)):
        module.register(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; ``sys.argv[1:]`` by default.

    Returns
    -------
    int
        The exit code.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    args = build_parser().parse_args(arguments)
    try:
        code = int(args.execute(args))
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # the reader (head, less) went away: keep the interpreter from complaining at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print(
            "\ntlstat: interrupted; finished blocks are stored. Go on with:\n"
            f"  tlstat {shlex.join(arguments)}",
            file=sys.stderr,
        )
        return INTERRUPTED
    except (InputError, OSError) as error:
        if args.debug:
            traceback.print_exc()
        print(f"tlstat: error: {_one_line(error)}", file=sys.stderr)
        return 2
    except Exception:
        traceback.print_exc()
        print("tlstat: this should not have happened (see the lines above)", file=sys.stderr)
        return BUG


def _one_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        name = f"{error.filename}: " if error.filename else ""
        return f"{name}{error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__
