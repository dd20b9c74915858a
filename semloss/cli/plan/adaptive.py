"""`semloss plan adaptive`: which CR at which SNR so that a target holds, and what that brings."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from semloss.cli.output import notes, output
from semloss.cli.plan import options
from semloss.cli.plan.day import refuse_without_tle
from semloss.errors import SemlossError

if TYPE_CHECKING:
    from semloss.planning.passes.orbit import Pass

EXAMPLE = "semloss plan adaptive FIT.json --link eo-leo-x-band --target 0.85 --max-elevation 60"


def define(parser: argparse.ArgumentParser) -> None:
    """Define the question's options."""
    options.add_fit(parser)
    options.add_link(parser)
    parser.add_argument("--crs", metavar="CR,CR,…", help="candidates (default: round ones)")
    parser.add_argument(
        "--hysteresis-db", type=float, default=0.5, metavar="DB", help="default 0.5"
    )
    over = parser.add_mutually_exclusive_group()
    over.add_argument(
        "--max-elevation", type=float, metavar="DEG", help="its schedule along one such pass"
    )
    over.add_argument("--day", action="store_true", help="over all passes of an average day")
    options.add_contact(parser)
    options.add_tle(parser)
    options.add_fading(parser)
    parser.add_argument(
        "--hold-percent", type=float, metavar="P", help="hold the target in P %% of --fading"
    )
    options.add_asked(parser, cr=False, target="required")
    options.add_output(parser)


def run(args: argparse.Namespace) -> int:
    """Lay out the table, and run it over the passes."""
    from semloss.planning.answers.adaptive import adaptive

    refuse_without_tle(args)
    if args.tle is not None and (args.day or args.max_elevation is not None):
        raise SemlossError("--tle, --day and --max-elevation are different passes: give one")
    if (args.fading is None) != (args.hold_percent is None):
        raise SemlossError("--fading and --hold-percent go together: in how much of it to hold")
    supplied = {} if args.day or args.max_elevation is not None else options.SUPPLIED
    if supplied and args.tle is None:
        link = options.read_link(args, **supplied)
    else:
        link = options.pass_link(args)
    asked, days = options.question(args, link), None
    passes: Sequence[Pass] = ()
    if args.tle is not None:
        link, passes, days = options.tle_of(args, link)
        asked = replace(asked, link=link)
    elif args.day:
        passes = options.day_of(args, link)
    elif args.max_elevation is not None:
        passes = (options.circular(args, link),)
    candidates = None if args.crs is None else [p for p in args.crs.split(",") if p.strip()]
    answer = adaptive(
        asked, passes, crs=candidates, hysteresis_db=args.hysteresis_db,
        fading=options.read_fading(args), hold_percent=args.hold_percent or 95.0,
        single=args.max_elevation is not None, days=days,
    )  # fmt: skip
    if args.plot and days is not None:
        notes([f"{args.plot} draws the highest pass, {answer.highest[0].pass_.about}"])
    return output(answer, args)
