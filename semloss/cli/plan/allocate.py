"""`semloss plan allocate`: bandwidth and power shared among users with different tasks."""

import sys
from dataclasses import replace
from pathlib import Path

from semloss.cli import options
from semloss.cli.output import output
from semloss.cli.parser import Parser, number
from semloss.errors import SemlossError

ABOUT = (
    "Share bandwidth and power among users so that the smallest weighted performance is greatest; "
    "or, with --least-power, so that everyone meets its target with the least total power. Exact "
    "on the grid of sub-bands."
)
EXAMPLE = "semloss plan allocate --template > users.toml"


def define(parser: Parser) -> None:
    """Define the question's options."""
    parser.add_argument(
        "users", type=Path, nargs="?", metavar="USERS", help="TOML of users and what they share"
    )
    parser.add_argument(
        "--template", action="store_true", help="print a commented USERS.toml to start from"
    )
    parser.add_argument(
        "--least-power", action="store_true", help="least total power that meets every target"
    )
    parser.add_argument(
        "--power-w", type=number(1e-9, 1e9, "W"), metavar="W", help="instead of the file's"
    )
    options.add_output(parser, plot=False)
    parser.excludes(
        "--template", "USERS", "--least-power", "--power-w", "--csv", "--json", "--strict",
        why="it prints a file to start from, and stops",
    )  # fmt: skip


def run(args: options.Args) -> int:
    """Share and report."""
    from semloss.planning.sharing.allocation import least_power, maximise_minimum
    from semloss.planning.sharing.users import read_users, users_template

    if args.template:
        sys.stdout.write(users_template())
        return 0
    if args.users is None:
        raise SemlossError("plan allocate takes USERS.toml; plan allocate --template prints one")
    users, pool = read_users(args.users)
    if args.power_w is not None:
        pool = replace(pool, total_power_w=args.power_w)
    return output((least_power if args.least_power else maximise_minimum)(users, pool), args)
