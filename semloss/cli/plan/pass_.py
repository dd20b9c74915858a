"""`semloss plan pass`: SNR, metric and images along one pass."""

from semloss.cli import options, passes
from semloss.cli.output import output
from semloss.cli.parser import Parser

EXAMPLE = "semloss plan pass FIT.json --link eo-leo-x-band --max-elevation 60 --target 0.85"


def define(parser: Parser) -> None:
    """Define the question's options."""
    options.add_fit(parser)
    options.add_link(parser)
    told = "where the pass culminates; the orbit is circular, at the link's height"
    passes.add_culmination(parser, told, required=True)
    passes.add_contact(parser)
    passes.add_fading(parser)
    options.add_asked(parser)
    options.add_output(parser)


def run(args: options.Args) -> int:
    """Follow the link along the pass."""
    from semloss.planning.passes.simulation import simulate_pass

    link = passes.pass_link(args, *options.METRIC)
    asked = options.question(args, link)
    flown, fading = passes.circular(args, link), passes.read_fading(args)
    return output(simulate_pass(asked.link, asked.fit, flown, fading=fading, **asked.options), args)
