"""`semloss plan solve`: the cheapest value of one field that meets a target."""

from dataclasses import replace
from typing import Any

from semloss.cli import options, passes
from semloss.cli.output import output
from semloss.cli.parser import Parser, number
from semloss.errors import SemlossError

EXAMPLE = "semloss plan solve FIT.json cr --link eo-leo-x-band --target 0.85"


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
    _add_passes(parser)
    options.add_output(parser)


def _add_passes(parser: Parser) -> None:
    """Define what is asked over passes, and under fading."""
    passes.add_culmination(parser, "where a pass culminates")
    many = number(1e-6, 1e15)
    parser.add_argument(
        "--images-per-pass", type=many, metavar="N", help="that it delivers at the target"
    )
    parser.add_argument(
        "--images-per-day", type=many, metavar="N", help="of an average day, or of those of --tle"
    )
    passes.add_contact(parser, "--max-elevation", "--images-per-day")
    passes.add_tle(parser)
    parser.needs("--tle", "--images-per-day", why="what its passes are to bring")
    passes.add_fading(parser)
    parser.add_argument(
        "--hold-percent", type=number(0.01, 100, "%"), metavar="P",
        help="of pass or fades that meet it (default 100; fades 95)",
    )  # fmt: skip
    parser.needs("--images-per-pass", "--max-elevation", why="which pass")
    parser.excludes("--images-per-day", "--max-elevation", why="a day has its own passes")
    parser.needs("--hold-percent", "--max-elevation", "--fading", why="of what")
    for option in ("--images-per-pass", "--images-per-day"):
        parser.excludes("--hold-percent", option, why="images count where the target is met")
    for option in ("--max-elevation", "--images-per-day"):
        parser.excludes("--ledger", option, why="a ledger is of one moment")


def run(args: options.Args) -> int:
    """Solve for a moment, or over passes."""
    if args.max_elevation is not None or args.images_per_day is not None:
        return _over_passes(args)
    held = {} if args.hold_percent is None else {"hold_percent": args.hold_percent}
    return solved(args, fading=passes.read_fading(args), **held)


def solved(args: options.Args, **faded: Any) -> int:  # noqa: ANN401 - as solve checks them
    """Solve; the ledger is that of the link with the answer in it."""
    from semloss.planning.budget.solving import solve

    _refuse_own(args)
    if args.unknown == "snr_db" and (args.ledger or args.plot):
        raise SemlossError("plan solve snr_db asks the fit alone: no ledger has the answer")
    link = options.read_link(args, *_needed(args.unknown), **_supplied(args.unknown))
    asked = options.question(args, link)
    answer = solve(asked.link, args.unknown, asked.fit, **faded, **asked.options)

    def write() -> None:
        if args.ledger:
            options.write_ledgers(args, answer.ledger())

    return output(answer, args, write)


_OF_THE_FIT = ("fit", "name", "cr", "margin_db", "bands", "height_px", "width_px", "tile_px")
"""Keys of a link that count where the fit alone is asked."""


def _refuse_own(args: options.Args) -> None:
    """Refuse what the question asks for, or does not look at."""
    if args.unknown == "cr" and args.cr is not None:
        raise SemlossError("plan solve cr asks for the CR: leave --cr away")
    options.refuse_settings(args, f"plan solve {args.unknown} asks for it", args.unknown)
    if args.unknown == "snr_db":
        idle = [key for key in options.settings(args) if key not in _OF_THE_FIT]
        why = "the SNR that a fit needs does not depend on it"
        options.refuse_settings(args, why, *idle, completing=True)


def _over_passes(args: options.Args) -> int:
    """Solve for what a pass or a day brings."""
    from semloss.planning.passes.needs import Goal, solve_over

    _refuse_own(args)
    average = args.images_per_day is not None and args.tle is None
    station = ("station_lat_deg",) if average else ()
    link = passes.pass_link(args, *station, *_needed(args.unknown), **_supplied(args.unknown))
    asked, fading = options.question(args, link), passes.read_fading(args)
    if args.tle is not None:
        moved, found, days = passes.tle_of(args, asked.link)
        asked = replace(asked, link=moved)
        goal = Goal(tuple(found), args.images_per_day, days=days)
    elif average:
        goal = Goal(tuple(passes.day_of(args, link)), args.images_per_day)
    else:
        usual = 100.0 if fading is None else 95.0
        share = usual if args.hold_percent is None else args.hold_percent
        goal = Goal((passes.circular(args, link),), args.images_per_pass, share)
    return output(solve_over(asked, args.unknown, goal, fading), args)


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
