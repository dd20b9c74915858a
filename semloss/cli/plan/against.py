"""`semloss plan against`: DeepJSCC against a source codec over DVB-S2 or other MODCODs."""

from pathlib import Path

from semloss.cli import options, passes
from semloss.cli.output import output
from semloss.cli.parser import Parser, number
from semloss.cli.plan.adaptive import add_crs, read_crs
from semloss.errors import SemlossError

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
        "--modcods", metavar="NAME|CSV", default="dvb-s2",
        help="dvb-s2, dvb-s2x, or name,efficiency,es_n0_db (default dvb-s2)",
    )  # fmt: skip
    options.add_cr(parser)
    options.add_target(parser, confidence=False)
    options.add_band(parser)
    parser.add_argument(
        "--max-elevation", type=passes.elevation, metavar="DEG",
        help="over such a pass: adaptive CR against VCM",
    )  # fmt: skip
    add_crs(parser)
    parser.needs("--crs", "--max-elevation", why="among which the CR is adapted")
    passes.add_contact(parser, "--max-elevation")
    parser.needs("--max-elevation", "--target", why="images count that meet it")
    parser.excludes("--max-elevation", "--cr", why="the CR is adapted along it")
    options.add_output(parser)


def run(args: options.Args) -> int:
    """Compare both chains over the fitted SNRs, and at the link's own."""
    from semloss.modcods import read_modcods
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
    table = read_modcods(args.modcods)
    chain = Chain(args.modcod, args.modcod_margin_db, args.digital_obo_db, table)
    if over and curve is not None:
        flown = passes.circular(args, link)
        return output(race_over(asked, curve, chain, flown, read_crs(args)), args)
    return output(against(asked, curve, chain, args.cr), args)
