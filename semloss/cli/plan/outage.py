"""`semloss plan outage`: the metric exceeded in shares of the time, under rain and fading."""

from semloss.cli import options, passes
from semloss.cli.output import output
from semloss.cli.parser import Parser
from semloss.errors import SemlossError

EXAMPLE = "semloss plan outage FIT.json --link ka-band-leo --max-elevation 60 --fading rician:10"


def define(parser: Parser) -> None:
    """Define the question's options."""
    options.add_fit(parser)
    options.add_link(parser)
    told = "over a pass that culminates there (default: at the link's elevation)"
    passes.add_culmination(parser, told)
    passes.add_contact(parser, "--max-elevation")
    passes.add_fading(parser)
    parser.add_argument("--percents", metavar="P,P,…", help="shares of the time")
    options.add_asked(parser)
    options.add_output(parser)


def run(args: options.Args) -> int:
    """Statistics of the metric."""
    from semloss.planning.passes.outage import PERCENTS, outage

    why = "every share of the year is answered, --percents says which"
    options.refuse_settings(args, why, "availability_percent", completing=True)
    pass_ = None
    if args.max_elevation is None:
        link = options.read_link(args, *options.METRIC)
    else:
        link = passes.pass_link(args, *options.METRIC)
        pass_ = passes.circular(args, link)
    percents = PERCENTS if args.percents is None else _percents(args.percents)
    asked = options.question(args, link)
    answer = outage(
        asked.link, asked.fit, pass_=pass_, fading=passes.read_fading(args), percents=percents,
        **asked.options,
    )  # fmt: skip
    return output(answer, args)


def _percents(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise SemlossError(
            f"--percents {text}: write shares of the time, e.g. 90,99,99.9"
        ) from None
