"""`semloss plan monte-carlo`: all inputs, and the fit's uncertainty, drawn at once."""

import argparse

from semloss.cli.output import output
from semloss.cli.plan import options
from semloss.cli.plan.sweep import add_point
from semloss.cli.plan.tornado import add_tolerances, read_tolerances
from semloss.errors import SemlossError

EXAMPLE = "semloss plan monte-carlo FIT.json --link eo-leo-x-band --target 0.85 --draws 10000"


def define(parser: argparse.ArgumentParser) -> None:
    """Define the question's options."""
    options.add_fit(parser)
    parser.add_argument(
        "--draws", type=int, default=10_000, metavar="N", help="how often (default 10000)"
    )
    parser.add_argument("--seed", type=int, help="of the draws (default: from the inputs)")
    add_point(parser)
    add_tolerances(parser)
    options.add_output(parser)


def run(args: argparse.Namespace) -> int:
    """Draw."""
    from semloss.planning.answers.studies import drawn

    if args.seed is not None and args.seed < 0:
        raise SemlossError(f"--seed {args.seed}: give a whole number that is not negative")
    link = None if args.link is None else options.read_link(args)
    defaults = options.defaults(args, link)
    return output(drawn(defaults, read_tolerances(args), args.draws, args.seed), args)
