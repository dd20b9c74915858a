"""`semloss plan outage`: the metric exceeded in shares of the time, under rain and fading."""

import argparse

from semloss.cli.output import output
from semloss.cli.plan import options
from semloss.errors import SemlossError

EXAMPLE = "semloss plan outage FIT.json --link ka-band-leo --max-elevation 60 --fading rician:10"


def define(parser: argparse.ArgumentParser) -> None:
    """Define the question's options."""
    options.add_fit(parser)
    options.add_link(parser)
    parser.add_argument(
        "--max-elevation", type=float, metavar="DEG",
        help="over a pass that culminates there (default: at the link's elevation)",
    )  # fmt: skip
    options.add_contact(parser)
    options.add_fading(parser)
    parser.add_argument("--percents", metavar="P,P,…", help="shares of the time")
    options.add_asked(parser)
    options.add_output(parser)


def run(args: argparse.Namespace) -> int:
    """Statistics of the metric."""
    from semloss.planning.answers.outage import exceeded
    from semloss.planning.passes.outage import PERCENTS

    pass_ = None
    if args.max_elevation is None:
        link = options.read_link(args)
    else:
        link = options.pass_link(args)
        pass_ = options.circular(args, link)
    percents = PERCENTS if args.percents is None else _percents(args.percents)
    asked = options.question(args, link)
    return output(exceeded(asked, pass_, options.read_fading(args), percents), args)


def _percents(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise SemlossError(
            f"--percents {text}: write shares of the time, e.g. 90,99,99.9"
        ) from None
