"""`semloss plan monte-carlo`: all inputs, and the fit's uncertainty, drawn at once."""

from semloss.cli import options
from semloss.cli.output import output
from semloss.cli.parser import Parser, whole
from semloss.cli.plan.sweep import add_point
from semloss.cli.plan.tornado import add_tolerances, read_tolerances

EXAMPLE = "semloss plan monte-carlo FIT.json --link eo-leo-x-band --target 0.85 --draws 10000"


def define(parser: Parser) -> None:
    """Define the question's options."""
    options.add_fit(parser)
    options.add_band(parser)
    parser.add_argument(
        "--draws", type=whole(1, 10_000_000), default=10_000, metavar="N",
        help="how often (default 10000)",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=whole(0, 2**32 - 1), metavar="N",
        help="of the draws (default: from the inputs)",
    )  # fmt: skip
    add_point(parser)
    add_tolerances(parser)
    options.add_output(parser)


def run(args: options.Args) -> int:
    """Draw."""
    from semloss.planning.studies.studies import monte_carlo

    answer = monte_carlo(options.defaults(args), read_tolerances(args), args.draws, args.seed)
    return output(answer, args)
