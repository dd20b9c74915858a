"""`semloss plan cases`: many records answered as they come, from a file or a pipe."""

import sys
from pathlib import Path

from semloss.cli import options
from semloss.cli.output import notes
from semloss.cli.parser import Parser
from semloss.cli.plan.sweep import add_point
from semloss.errors import SemlossError

EXAMPLE = "semloss plan cases FIT.json - --link eo-leo-x-band < cases.csv > answers.csv"


def define(parser: Parser) -> None:
    """Define the question's options."""
    options.add_fit(parser)
    parser.add_argument(
        "cases", metavar="FILE|-",
        help="a CSV or JSON-lines record each: cr, snr_db, target, keys of the link; the answers "
        "have the same form",
    )  # fmt: skip
    add_point(parser)
    options.add_interval(parser)


def run(args: options.Args) -> int:
    """Answer the records."""
    from semloss.planning.budget.assumed import assumed
    from semloss.planning.budget.remarks import remarks
    from semloss.planning.studies.case_files import run_cases

    defaults = options.defaults(args)
    notes(() if defaults.link is None else remarks(defaults.link, defaults.fit))
    if args.cases == "-":
        count = run_cases(sys.stdin.buffer, sys.stdout, defaults)
    else:
        path = Path(args.cases)
        if not path.is_file():
            raise SemlossError(f"cannot read cases {args.cases}: no such file")
        with path.open("rb") as stream:
            count = run_cases(stream, sys.stdout, defaults)
    if not count.told:  # lines of JSON have no place for it
        notes(f"{name}: {text}" for name, text in assumed(defaults.link, defaults.fit).items())
    notes([str(count)])
    return count.exit_code
