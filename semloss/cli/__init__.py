"""The `semloss` command: parses the command line and turns errors into lines and exit codes.

Only the module of the command asked for is imported, so that `semloss predict` starts at once.
"""

import argparse
import gc
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress

from semloss.cli.old_spelling import told, translated
from semloss.cli.parser import Parser
from semloss.errors import SemlossError
from semloss.text import one_line
from semloss.version import __version__

COMMANDS = {
    "collect": "train a grid of codecs over CR and SNR and measure it into tables",
    "fit": "fit a surface metric = f(CR, SNR) to a table of measurements",
    "compare": "compare runs, codecs, objectives or receivers on the same test images",
    "send": "send images over a trained link and see what arrives",
    "sure": "send layers until the receiver is sure, against fixed rates",
    "export": "write a trained encoder as ONNX for an on-board processor",
    "predict": "predict a metric, or what a target needs, from a fit file",
    "fits": "list the fits that come with semloss",
    "plan": "plan a link: budget, passes, cheapest way to a target, what if",
}
_INTERRUPTED = 130
_EXAMPLES = """examples:
  semloss collect --preset demo
  semloss fit runs/demo --metric accuracy --receiver deployable
  semloss predict eurosat-accuracy --cr 1/12 --snr-db 4
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    ====  ========================================================================================
    code  meaning
    ====  ========================================================================================
    0     answered; and met, where a target was given
    2     bad input or configuration; a collect of which every cell diverged
    3     the target is not met, or not attainable. Where an answer is about many points or moments
          of one question (a pass, a day, an outage, a sweep, draws, two chains), it is met if it is
          met at some; records of `plan cases` are questions of their own, and each must be met
    4     with ``--strict``: outside the fitted domain, in part or whole
    130   interrupted
    ====  ========================================================================================
    """
    if argv is None:  # a process of its own: imports leave nothing to collect, so look seldom
        gc.set_threshold(50_000)
    given = _joined(sys.argv[1:] if argv is None else argv)
    arguments = translated(given) or ["--help"]
    try:
        return _run(arguments)
    finally:
        if arguments != given and given:
            _complain(told(arguments))


def _run(arguments: list[str]) -> int:
    try:
        args = _parser(arguments).parse_args(arguments)
        code = int(args.run(args))
        sys.stdout.flush()
        return code
    except SystemExit as end:  # argparse: help, version, usage error
        return end.code if isinstance(end.code, int) else 2
    except SemlossError as error:
        _complain(error)
        return error.exit_code
    except KeyboardInterrupt as stop:
        _complain(stop if stop.args else "interrupted")
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader of stdout has had enough (`| head`); keep Python from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # a disk, a folder or a cluster that does not do as asked
        _complain(error)
        return SemlossError.exit_code


def _complain(message: object) -> None:
    with suppress(OSError):  # a full disk may be where stderr goes, too
        print(f"semloss: {one_line(str(message))}", file=sys.stderr)


def _joined(words: Sequence[str]) -> list[str]:
    """Join an option and a value such as -33.9,18.4, which would be taken for another option."""
    joined: list[str] = []
    for word in words:
        if joined and re.fullmatch(r"--[a-z-]+", joined[-1]) and re.match(r"-\.?\d.*,", word):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _parser(arguments: list[str]) -> Parser:
    """Parser that knows all commands by name and the one asked for in full."""
    parser = Parser(
        prog="semloss",
        description="Semantic-loss models for satellite links: measure, fit, predict, plan.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"semloss {__version__}")
    parser.choose("command", __name__, COMMANDS, arguments)
    return parser
