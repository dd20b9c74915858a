"""`semloss plan pass`: SNR, metric and images along one pass."""

import argparse

from semloss.cli.output import output
from semloss.cli.plan import options

EXAMPLE = "semloss plan pass FIT.json --link eo-leo-x-band --max-elevation 60 --target 0.85"


def define(parser: argparse.ArgumentParser) -> None:
    """Define the question's options."""
    options.add_fit(parser)
    options.add_link(parser)
    parser.add_argument(
        "--max-elevation", type=float, required=True, metavar="DEG",
        help="where the pass culminates; the orbit is circular, at the link's height",
    )  # fmt: skip
    options.add_contact(parser)
    options.add_fading(parser)
    options.add_asked(parser)
    options.add_output(parser)


def run(args: argparse.Namespace) -> int:
    """Follow the link along the pass."""
    from semloss.planning.answers.passes import one_pass

    link = options.pass_link(args)
    asked = options.question(args, link)
    return output(one_pass(asked, options.circular(args, link), options.read_fading(args)), args)
