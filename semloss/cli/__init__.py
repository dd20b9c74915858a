"""The `semloss` command: parses the command line and turns errors into lines and exit codes.

Only the module of the command asked for is imported, so that `semloss predict` starts at once.
"""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

from semloss.cli.old_spelling import told, translated
from semloss.errors import SemlossError
from semloss.version import __version__

COMMANDS = {
    "collect": "train a grid of codecs over CR and SNR and measure it into tables",
    "fit": "fit a surface metric = f(CR, SNR) to a table of measurements",
    "predict": "predict a metric, or what a target needs, from a fit file",
    "fits": "list the fits that come with semloss",
    "plan": "plan a link: budget, passes, cheapest way to a target, what if",
}
_INTERRUPTED = 130
_EXAMPLES = """examples:
  semloss collect --preset demo
  semloss fit runs/demo --metric accuracy --receiver matched
  semloss predict eurosat-accuracy --cr 1/12 --snr-db 4
"""


class Parser(argparse.ArgumentParser):
    """Argument parser whose complaints are one line on stderr; options are written in full."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - as argparse takes them
        super().__init__(*args, **{"allow_abbrev": False, **options})

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # noqa: ANN401
        """Refuse what a command does not know where its own help can be named."""
        known, unknown = super().parse_known_args(args, namespace)
        if unknown and self._subparsers is None:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return known, unknown

    def error(self, message: str) -> NoReturn:
        """End with exit code 2 and one line that says where help is."""
        self.exit(2, f"semloss: {message}; see {self.prog} --help\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    0 answered (and met, where a target was given), 2 bad input or configuration, 3 a target not
    met or not attainable, 4 outside the fitted domain with ``--strict``, 130 interrupted.
    """
    given = _joined(sys.argv[1:] if argv is None else argv)
    arguments = translated(given) or ["--help"]
    if arguments != given and given:
        print(f"semloss: {told(arguments)}", file=sys.stderr)
    try:
        args = _parser(arguments).parse_args(arguments)
        code = int(args.run(args))
        sys.stdout.flush()
        return code
    except SystemExit as end:  # argparse: help, version, usage error
        return end.code if isinstance(end.code, int) else 2
    except SemlossError as error:
        print(f"semloss: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("semloss: interrupted", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader of stdout has had enough (`| head`); keep Python from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # a disk, a folder or a cluster that does not do as asked
        print(f"semloss: {error}", file=sys.stderr)
        return SemlossError.exit_code


def _joined(words: Sequence[str]) -> list[str]:
    """Join an option and a value such as -33.9,18.4, which would be taken for another option."""
    joined: list[str] = []
    for word in words:
        if joined and re.fullmatch(r"--[a-z-]+", joined[-1]) and re.match(r"-\.?\d.*,", word):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _parser(arguments: list[str]) -> argparse.ArgumentParser:
    """Parser that knows all commands by name and the one asked for in full."""
    parser = Parser(
        prog="semloss",
        description="Semantic-loss models for satellite links: measure, fit, predict, plan.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"semloss {__version__}")
    subparsers = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=Parser
    )
    asked = next((word for word in arguments if not word.startswith("-")), None)
    for name, summary in COMMANDS.items():
        if name == asked:
            words = arguments[arguments.index(name) + 1 :]
            import_module(f"semloss.cli.{name}").add_parser(subparsers, words)
        else:
            subparsers.add_parser(name, help=summary)
    return parser
