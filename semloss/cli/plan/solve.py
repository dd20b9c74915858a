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
        help="snr_db, cr, eirp_dbw, power_dbw, obo_db, tx_dish_m, rx_dish_m, bandwidth_mhz, "
        "range_km, elevation_deg or availability_percent",
    )  # fmt: skip
    options.add_link(parser)
    options.add_ledger(parser)
    options.add_asked(parser, required=True)
    options.add_output(parser)


def run(args: options.Args) -> int:
    """Solve; the ledger is that of the link with the answer in it."""
    from semloss.planning.budget.solving import solve

    if args.unknown == "cr" and args.cr is not None:
        raise SemlossError("plan solve cr asks for the CR: leave --cr away")
    if args.unknown == "snr_db" and (args.ledger or args.plot):
        raise SemlossError("plan solve snr_db asks the fit alone: no ledger has the answer")
    link = options.read_link(args, *_needed(args.unknown), **_supplied(args.unknown))
    asked = options.question(args, link)
    answer = solve(link, args.unknown, asked.fit, **asked.options)

    def write() -> None:
        if args.ledger:
            options.write_ledgers(args, answer.ledger())

    return output(answer, args, write)


def _needed(unknown: str) -> tuple[str, ...]:
    """Keys that the question needs; a bandwidth for a rate of images may leave the CR open."""
    if unknown == "bandwidth_mhz":
        return ()
    return ("cr",) if unknown == "snr_db" else tuple(k for k in options.METRIC if k != unknown)


def _supplied(unknown: str) -> dict[str, float]:
    """The unknown itself, which the link may leave open."""
    from semloss.planning.budget.solving import UNKNOWNS

    if unknown in ("snr_db", "cr") or unknown not in UNKNOWNS:
        return {}
    return {unknown: UNKNOWNS[unknown].dear}
