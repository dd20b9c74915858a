"""`semloss plan adaptive`: which CR at which SNR so that a target holds, and what that brings."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from semloss.cli import options, passes
from semloss.cli.output import output
from semloss.cli.parser import Parser, number

if TYPE_CHECKING:
    from semloss.planning.budget.question import Question
    from semloss.planning.passes.orbit import Pass

EXAMPLE = "semloss plan adaptive FIT.json --link eo-leo-x-band --target 0.85 --max-elevation 60"


def define(parser: Parser) -> None:
    """Define the question's options."""
    options.add_fit(parser)
    options.add_link(parser)
    add_crs(parser)
    parser.add_argument(
        "--hysteresis-db", type=number(0, 30, "dB"), default=0.5, metavar="DB", help="default 0.5"
    )
    passes.add_culmination(parser, "its schedule along one such pass")
    parser.add_argument("--day", action="store_true", help="over all passes of an average day")
    parser.excludes("--day", "--max-elevation", why="different passes; give one of them")
    passes.add_contact(parser, "--max-elevation", "--day", "--tle")
    passes.add_tle(parser)
    parser.excludes("--tle", "--day", "--max-elevation", why="different passes; give one of them")
    passes.add_fading(parser)
    parser.add_argument(
        "--hold-percent", type=number(0.01, 99.99, "%"), metavar="P",
        help="hold the target in P %% of --fading",
    )  # fmt: skip
    parser.needs("--fading", "--hold-percent", why="in how much of it the target is to hold")
    parser.needs("--hold-percent", "--fading", why="what it is to hold in")
    parser.add_argument(
        "--until-sure", type=Path, metavar="CSV",
        help="of semloss sure: layers with feedback, beside it",
    )  # fmt: skip
    parser.needs("--until-sure", "--max-elevation", why="the pass over which it is sent")
    for name, low, high, unit, told in (
        ("return-kbps", 1e-3, 1e9, "kb/s", "way back (default: enough)"),
        ("processing-ms", 0, 1e6, "ms", "to decide (default 10)"),
    ):
        kind = number(low, high, unit)
        parser.add_argument(f"--{name}", type=kind, metavar="N", help=f"{unit}, {told}")
        parser.needs(f"--{name}", "--until-sure", why="it is of the way back")
    parser.excludes("--until-sure", "--confidence", why="its curve tells what test images read")
    parser.excludes("--until-sure", "--fading", why="its layers stop at an SNR that is known")
    options.add_target(parser, required=True)
    options.add_interval(parser)
    options.add_output(parser)


def add_crs(parser: Parser) -> None:
    """Define which CRs may be chosen."""
    parser.add_argument(
        "--crs", metavar="CR,CR,…", help="candidates, or measured (default: round ones)"
    )


def read_crs(args: options.Args) -> Sequence[str] | Literal["measured"] | None:
    """The CRs that may be chosen; None: round ones."""
    if args.crs is None:
        return None
    if args.crs == "measured":
        return "measured"
    return [part for part in args.crs.split(",") if part.strip()]


def run(args: options.Args) -> int:
    """Lay out the table, and run it over the passes."""
    from semloss.planning.passes.delivery import adaptive

    options.refuse_settings(args, "the CRs are what it chooses, from --crs", "cr")
    if args.tle is None and not args.day and args.max_elevation is None:
        link = options.read_link(args, "bandwidth_mhz", **passes.SUPPLIED)
    else:
        station = ("station_lat_deg",) if args.day else ()
        link = passes.pass_link(args, *station, "bandwidth_mhz")
    asked, days = options.question(args, link), None
    over: Sequence[Pass] = ()
    if args.tle is not None:
        moved, over, days = passes.tle_of(args, asked.link)
        asked = replace(asked, link=moved)
    elif args.day:
        over = passes.day_of(args, asked.link)
    elif args.max_elevation is not None:
        over = (passes.circular(args, asked.link),)
    if args.until_sure is not None:
        return _until_sure(args, asked, over[0])
    held = {} if args.hold_percent is None else {"hold_percent": args.hold_percent}
    answer = adaptive(
        asked, over, crs=read_crs(args), hysteresis_db=args.hysteresis_db,
        fading=passes.read_fading(args), single=args.max_elevation is not None, days=days, **held,
    )  # fmt: skip
    return output(answer, args)


def _until_sure(args: options.Args, asked: "Question", flown: "Pass") -> int:
    """Layers with feedback along the pass, beside the adaptive CR."""
    from semloss.planning.passes.feedback import ReturnLink, SureCurve, until_sure

    given = {
        "kbps": args.return_kbps,
        "processing_s": None if args.processing_ms is None else args.processing_ms / 1e3,
    }  # fmt: skip
    back = ReturnLink(**{name: value for name, value in given.items() if value is not None})
    curve = SureCurve.from_csv(args.until_sure)
    answer = until_sure(
        asked, curve, flown, back, crs=read_crs(args), hysteresis_db=args.hysteresis_db
    )
    return output(answer, args)
