"""`semloss plan ledger`: the link budget from amplifier to metric."""

from semloss.cli import options
from semloss.cli.output import output
from semloss.cli.parser import Parser

EXAMPLE = "semloss plan ledger FIT.json --link eo-leo-x-band --target 0.85"


def define(parser: Parser) -> None:
    """Define the question's options."""
    options.add_fit(parser)
    options.add_link(parser)
    options.add_ledger(parser)
    options.add_asked(parser)
    parser.needs("--interval", "FIT", "--target", "--strict", why="bands are a fit's")
    options.add_output(parser)


def run(args: options.Args) -> int:
    """Lay out the link's rows; with a fit, or asked for the metric, down to that."""
    from semloss.planning.budget.ledger import ledger
    from semloss.planning.link.checks import refuse_incomplete
    from semloss.planning.link.link import KEYS

    asks = args.target is not None or args.strict
    link = options.read_link(args)
    if args.fit is None and not asks:
        found = ledger(link)
    else:
        if asks or link.bit_rate_mbps is None:  # bits alone have a ledger without the metric
            refuse_incomplete(vars(link), KEYS, options.METRIC)
        asked = options.question(args, link)
        found = ledger(asked.link, asked.fit, **asked.options)
    return output(found, args, lambda: options.write_ledgers(args, found))
