"""`semloss plan day`: what all passes of a day bring, on average or of a satellite's elements."""

import argparse
from dataclasses import replace

from semloss.cli.output import notes, output
from semloss.cli.plan import options
from semloss.errors import SemlossError

EXAMPLE = "semloss plan day FIT.json --link eo-leo-x-band --tle sat.tle --site 48.1,11.6 --days 3"


def define(parser: argparse.ArgumentParser) -> None:
    """Define the question's options."""
    options.add_fit(parser)
    options.add_link(parser)
    options.add_contact(parser)
    options.add_tle(parser)
    options.add_fading(parser)
    options.add_asked(parser)
    options.add_output(parser)


def run(args: argparse.Namespace) -> int:
    """Follow the link along every pass."""
    from semloss.planning.answers.passes import several_passes

    refuse_without_tle(args)
    link = options.pass_link(args)
    asked, days = options.question(args, link), None
    if args.tle is not None:
        link, passes, days = options.tle_of(args, link)
        asked = replace(asked, link=link)
    else:
        passes = options.day_of(args, link)
    answer = several_passes(asked, passes, options.read_fading(args), days)
    if args.plot:
        notes([f"{args.plot} draws the highest pass, {answer.highest.pass_.about}"])
    return output(answer, args)


def refuse_without_tle(args: argparse.Namespace) -> None:
    """Refuse what only elements give a meaning to."""
    for name in ("site", "satellite", "start", "days"):
        if args.tle is None and getattr(args, name) is not None:
            raise SemlossError(f"--{name} goes with --tle FILE")
