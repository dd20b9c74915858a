"""`semloss plan ledger`: the link budget from amplifier to metric."""

import argparse
from pathlib import Path

from semloss.cli.output import output
from semloss.cli.plan import options

EXAMPLE = "semloss plan ledger FIT.json --link eo-leo-x-band --target 0.85"


def define(parser: argparse.ArgumentParser) -> None:
    """Define the question's options."""
    options.add_fit(parser)
    options.add_link(parser)
    add_ledger(parser)
    options.add_asked(parser)
    options.add_output(parser)


def add_ledger(parser: argparse.ArgumentParser) -> None:
    """Define what goes with a ledger."""
    parser.add_argument(
        "--papr-db", metavar="DB", help="peak-to-average ratio of the symbols; suggests a back-off"
    )
    parser.add_argument(
        "--ledger", action="append", default=[], type=Path, metavar="FILE",
        help="also write it: *.txt, md, csv, json, xlsx, or a chart *.png; may be repeated",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Lay out the link's rows; with a fit, or asked for the metric, down to that."""
    from semloss.planning.budget.ledger import ledger
    from semloss.reports.link.ledger import write_ledger

    link = options.read_link(args)
    of_metric = args.target is not None or args.confidence is not None or args.strict
    if args.fit is None and not of_metric:
        found = ledger(link)
    else:
        asked = options.question(args, link)
        found = ledger(asked.link, asked.fit, **asked.options)
    for path in args.ledger:
        write_ledger(found, path)
    return output(found, args)
