"""`semloss plan solve`: the cheapest value of one field that meets a target."""

import argparse

from semloss.cli.output import output
from semloss.cli.plan import options
from semloss.cli.plan.ledger import add_ledger
from semloss.errors import SemlossError

EXAMPLE = "semloss plan solve FIT.json power_dbw --link eo-leo-x-band --target 0.85"


def define(parser: argparse.ArgumentParser) -> None:
    """Define the question's options."""
    options.add_fit(parser)
    parser.add_argument(
        "unknown", metavar="UNKNOWN",
        help="snr_db, cr, eirp_dbw, power_dbw, rx_dish_m, bandwidth_mhz, range_km, elevation_deg "
        "or availability_percent",
    )  # fmt: skip
    options.add_link(parser)
    add_ledger(parser)
    options.add_asked(parser, target="required")
    options.add_output(parser)


def run(args: argparse.Namespace) -> int:
    """Solve; the ledger is that of the link with the answer in it."""
    from semloss.planning.answers.solution import solved
    from semloss.planning.budget.solving import UNKNOWNS
    from semloss.reports.link.ledger import write_ledger

    if args.unknown == "cr" and args.cr is not None:
        raise SemlossError("plan solve cr asks for the CR: leave --cr away")
    supplied = {}
    if args.unknown in UNKNOWNS and args.unknown not in ("snr_db", "cr"):
        supplied = {args.unknown: UNKNOWNS[args.unknown].dear}
    answer = solved(options.question(args, options.read_link(args, **supplied)), args.unknown)
    if args.ledger or args.plot:
        if args.unknown == "snr_db":
            raise SemlossError("plan solve snr_db asks the fit alone: no ledger has the answer")
        for path in args.ledger:
            write_ledger(answer.ledger(), path)
    return output(answer, args)
