"""`semloss predict`: value and inverse from a fit file, without torch, pandas or scipy.

With a link it is the ledger, with `--solve` the design-time calculator: both as in `semloss plan`.
"""

from semloss.cli import options
from semloss.cli.output import output
from semloss.cli.parser import Parser
from semloss.errors import SemlossError

ABOUT = (
    "Predict the metric at --cr and --snr-db; or, with --target and one of them, the smallest "
    "value of the other that meets it. With --link, the link's budget gives the SNR. More "
    "questions to a link: semloss plan."
)
EXAMPLE = "semloss predict eurosat-accuracy --cr 1/12 --snr-db 4"


def define(parser: Parser) -> None:
    """Define the command's options."""
    options.add_fit(parser)
    options.add_snr(parser)
    options.add_asked(parser)
    options.add_link(parser, required=False)
    options.add_ledger(parser)
    parser.add_argument(
        "--solve", metavar="UNKNOWN", help="with --link: cheapest value that meets --target"
    )
    options.needs_link(parser, "--papr-db", "--ledger", "--solve")
    parser.needs("--solve", "--target", why="the value that the metric must meet")
    parser.needs("--interval", "FIT", "--target", "--strict", why="bands are a fit's")
    parser.needs("--band", "FIT", "--target", "--strict", why="bands are a fit's")
    options.add_output(parser)


def run(args: options.Args) -> int:
    """Predict forward, or solve for what a target needs; a link is the planner's."""
    if args.link is not None:
        from semloss.cli.plan import ledger, solve

        args.unknown = args.solve
        return ledger.run(args) if args.solve is None else solve.solved(args)
    if sum(value is not None for value in (args.cr, args.snr_db, args.target)) != 2:
        raise SemlossError(
            "predict takes two of --cr, --snr-db and --target, and answers with the third"
        )
    from semloss.surfaces.fitted.told import least_for, value_at

    fit = options.read_fit(args, None)
    level = options.interval(args)
    target = options.read_target(args, fit)
    if target is None:
        return output(value_at(fit, args.cr, args.snr_db, level), args)
    answer = least_for(
        fit, target, cr=args.cr, snr_db=args.snr_db, interval=level, confidence=args.confidence
    )
    return output(answer, args)
