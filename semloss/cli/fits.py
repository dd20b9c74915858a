"""`semloss fits`: the fits that come with the package, by the names that other commands take."""

from semloss.cli import options
from semloss.cli.output import output
from semloss.cli.parser import Parser

ABOUT = "List the fits that come with semloss: what of, on which images, where."
EXAMPLE = "semloss fits --json"


def define(parser: Parser) -> None:
    """Define the command's options."""
    options.add_output(parser, plot=False, strict=False)


def run(args: options.Args) -> int:
    """List them."""
    from semloss.surfaces.files.catalogue import catalogue

    return output(catalogue(), args)
