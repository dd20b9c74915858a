"""`semloss fits`: the fits that come with the package, by the names that other commands take."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from semloss.cli.output import output


def add_parser(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", words: Sequence[str]
) -> None:
    """Define the command's options."""
    parser = subparsers.add_parser(
        "fits",
        help="list the fits that come with semloss",
        description="List the fits that come with semloss: what of, on which images, where.",
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="also write the list as a table")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run, strict=False)


def run(args: argparse.Namespace) -> int:
    """List them."""
    from semloss.surfaces.files.catalogue import catalogue

    return output(catalogue(), args)
