"""`semloss plan day`: what all passes of a day bring, on average or of a satellite's elements."""

from semloss.cli import options, passes
from semloss.cli.output import output
from semloss.cli.parser import Parser

EXAMPLE = "semloss plan day FIT.json --link eo-leo-x-band --tle sat.tle --site 48.1,11.6 --days 3"


def define(parser: Parser) -> None:
    """Define the question's options."""
    options.add_fit(parser)
    options.add_link(parser)
    passes.add_contact(parser)
    passes.add_tle(parser)
    passes.add_fading(parser)
    options.add_asked(parser)
    options.add_output(parser)


def run(args: options.Args) -> int:
    """Follow the link along every pass."""
    from semloss.planning.passes.day import simulate_day

    station = () if args.tle is not None else ("station_lat_deg",)
    link = passes.pass_link(args, *station, *options.METRIC)
    asked, days = options.question(args, link), None
    at = asked.link
    if args.tle is not None:
        at, found, days = passes.tle_of(args, at)
    else:
        found = passes.day_of(args, at)
    fading = passes.read_fading(args)
    return output(
        simulate_day(at, asked.fit, found, days=days, fading=fading, **asked.options), args
    )
