"""`semloss plan against`: DeepJSCC against a source codec over DVB-S2 or other MODCODs."""

from pathlib import Path
from typing import TYPE_CHECKING

from semloss.cli import options, passes
from semloss.cli.output import output
from semloss.cli.parser import Parser, number
from semloss.cli.plan.adaptive import add_crs, read_crs
from semloss.cli.plan.amplifier import add_limit, modem_losses_at
from semloss.errors import SemlossError

if TYPE_CHECKING:
    from semloss.modcods import Modcods
    from semloss.planning.budget.operating import OperatingPoint

EXAMPLE = "semloss plan against FIT.json jpeg2000.csv --link eo-leo-x-band --plot crossover.png"


def define(parser: Parser) -> None:
    """Define the question's options."""
    options.add_fit(parser)
    parser.add_argument(
        "curve", type=Path, nargs="?", metavar="CURVE",
        help="run of a source codec, or CSV: bits_per_pixel, metric, value; else bit budgets only",
    )  # fmt: skip
    options.add_link(parser)
    parser.add_argument("--codec", metavar="NAME", help="which of the curve's codecs")
    parser.add_argument(
        "--modcod", metavar="NAME", help='the fixed chain\'s, e.g. "QPSK 3/4" (default: mid-range)'
    )
    parser.add_argument(
        "--modcod-margin-db", type=number(0, 30, "dB"), metavar="DB",
        help="kept to each threshold (default 0)",
    )  # fmt: skip
    parser.add_argument(
        "--digital-obo-db", type=number(0, 30, "dB"), metavar="DB",
        help="the digital chain's own back-off (default 1, or the link's where less)",
    )  # fmt: skip
    parser.add_argument(
        "--amplifier", metavar="MODEL",
        help="rapp or saleh: its MODCODs' back-offs computed (default: the fit's, if it has one)",
    )  # fmt: skip
    parser.excludes("--amplifier", "--digital-obo-db", why="back-off is computed, or given")
    add_limit(parser)
    parser.add_argument(
        "--modcods", metavar="NAME|CSV", default="dvb-s2",
        help="dvb-s2, dvb-s2x, ccsds-131.2 (thresholds computed), or name,efficiency,es_n0_db "
        "(default dvb-s2)",
    )  # fmt: skip
    options.add_cr(parser)
    options.add_target(parser, confidence=False)
    options.add_band(parser)
    passes.add_culmination(parser, "over such a pass: adaptive CR against VCM")
    add_crs(parser)
    parser.needs("--crs", "--max-elevation", why="among which the CR is adapted")
    passes.add_contact(parser, "--max-elevation")
    parser.needs("--max-elevation", "--target", why="images count that meet it")
    parser.excludes("--max-elevation", "--cr", why="the CR is adapted along it")
    options.add_output(parser)


def run(args: options.Args) -> int:
    """Compare both chains over the fitted SNRs, and at the link's own."""
    from semloss.modcods import read_modcods
    from semloss.planning.budget.operating import operating_point
    from semloss.planning.digital.against import Chain, against
    from semloss.planning.digital.over_pass import race_over
    from semloss.planning.digital.rate_curve import RateCurve

    if args.curve is None and args.fit is not None and args.fit.suffix.lower() == ".csv":
        args.curve, args.fit = args.fit, None  # the link's fit
    if args.codec is not None and args.curve is None:
        raise SemlossError("--codec needs CURVE: a CSV that it chooses from")
    over = args.max_elevation is not None
    if over and args.curve is None:
        raise SemlossError("--max-elevation needs CURVE: the source codec that is raced")
    if over:
        options.refuse_settings(args, "the CR is adapted along the pass", "cr")
    link = passes.pass_link(args, "bandwidth_mhz") if over else options.read_link(args)
    asked = options.question(args, link)
    curve = None
    if args.curve is not None:
        fit = asked.fit
        curve = RateCurve.from_csv(
            args.curve, metric=fit.metric, receiver=fit.receiver, codec=args.codec, task=fit.task
        )
    table, through = _amplified(args, read_modcods(args.modcods), operating_point(asked.fit))
    chain = Chain(args.modcod, args.modcod_margin_db, args.digital_obo_db, table, through)
    if over and curve is not None:
        flown = passes.circular(args, link)
        return output(race_over(asked, curve, chain, flown, read_crs(args)), args)
    return output(against(asked, curve, chain, args.cr), args)


def _amplified(
    args: options.Args, table: "Modcods", at: "OperatingPoint | None"
) -> "tuple[Modcods, str]":
    """MODCODs with their thresholds at the saturation of an amplifier, and which it is in words.

    The one that is asked, else the fit's; without either the MODCODs as they are.
    """
    from semloss.planning.budget.operating import OperatingPoint

    if args.amplifier is not None:
        at = OperatingPoint.parse(f"{args.amplifier}-ibo0dB")
        if at is None:
            raise SemlossError(f"--amplifier {args.amplifier}: give rapp or saleh")
    if at is None or args.digital_obo_db is not None:
        if args.acpr_limit_dbc is not None:
            raise SemlossError("--acpr-limit-dbc needs --amplifier, or a fit through one")
        return table, ""
    from semloss.codecs.modems import amplified_modcods

    limit = at.acpr_limit_dbc if args.acpr_limit_dbc is None else args.acpr_limit_dbc
    losses = modem_losses_at(at, table, limit)
    under = "" if limit is None else f" under {limit:g} dBc in the neighbouring channel"
    return amplified_modcods(table, losses), f"through the same amplifier, {at.hardware}{under}"
