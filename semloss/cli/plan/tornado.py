"""`semloss plan tornado`: which input matters, each alone moved to the ends of its tolerance."""

from pathlib import Path
from typing import TYPE_CHECKING

from semloss.cli import options
from semloss.cli.output import output
from semloss.cli.parser import Parser
from semloss.cli.plan.sweep import add_point
from semloss.errors import SemlossError

if TYPE_CHECKING:
    from semloss.planning.studies.tolerances import Tolerance

EXAMPLE = "semloss plan tornado FIT.json --link eo-leo-x-band --target 0.85 --plot tornado.png"


def define(parser: Parser) -> None:
    """Define the question's options."""
    options.add_fit(parser)
    add_point(parser)
    add_tolerances(parser)
    options.add_output(parser)


def add_tolerances(parser: Parser) -> None:
    """Define how far inputs may be off."""
    parser.add_argument(
        "--tolerances", type=Path, metavar="FILE",
        help="TOML with the table [tolerances] (default: that of the link file)",
    )  # fmt: skip


def run(args: options.Args) -> int:
    """Move each input alone."""
    from semloss.planning.studies.studies import tornado

    return output(tornado(options.defaults(args), read_tolerances(args)), args)


def read_tolerances(args: options.Args) -> "dict[str, Tolerance]":
    """Tolerances of the file that is asked for, else of the link's."""
    from semloss.planning.link.template import link_path
    from semloss.planning.studies.tolerances import load_tolerances

    if args.tolerances is not None:
        return load_tolerances(args.tolerances)
    if args.link is None:
        raise SemlossError(
            "--tolerances FILE is missing: a TOML file with a table [tolerances], or a --link "
            "that has one"
        )
    return load_tolerances(link_path(args.link))
