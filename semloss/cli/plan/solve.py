"""`semloss plan solve`: the cheapest value of one field that meets a target."""

from semloss.cli import options
from semloss.cli.output import output
from semloss.cli.parser import Parser
from semloss.errors import SemlossError

EXAMPLE = "semloss plan solve FIT.json power_dbw --link eo-leo-x-band --target 0.85"


def define(parser: Parser) -> None:
    """Define the question's options."""
    options.add_fit(parser)
    parser.add_argument(
        "unknown", metavar="UNKNOWN",
        help="snr_db, cr, eirp_dbw, power_dbw, rx_dish_m, bandwidth_mhz, range_km, elevation_deg "
        "or availability_percent",
    )  # fmt: skip
    options.add_link(parser)
    options.add_ledger(parser)
    options.add_cr(parser)
    options.add_target(parser, required=True)
    options.add_interval(parser)
    options.add_output(parser)


def run(args: options.Args) -> int:
    """Solve; the ledger is that of the link with the answer in it."""
    from semloss.planning.answers.solution import solved
    from semloss.planning.budget.solving import UNKNOWNS

    if args.unknown == "cr" and args.cr is not None:
        raise SemlossError("plan solve cr asks for the CR: leave --cr away")
    if args.unknown == "snr_db" and (args.ledger or args.plot):
        raise SemlossError("plan solve snr_db asks the fit alone: no ledger has the answer")
    supplied = {}
    if args.unknown in UNKNOWNS and args.unknown not in ("snr_db", "cr"):
        supplied = {args.unknown: UNKNOWNS[args.unknown].dear}
    answer = solved(options.question(args, options.read_link(args, **supplied)), args.unknown)

    def write() -> None:
        if args.ledger:
            options.write_ledgers(args, answer.ledger())

    return output(answer, args, write)
