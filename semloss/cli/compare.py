"""`semloss compare`: two links on the same test images, and what one is better by."""

from pathlib import Path

from semloss.cli import options
from semloss.cli.output import notes, output
from semloss.cli.parser import Parser, number, ratio, whole
from semloss.errors import SemlossError
from semloss.units import SNR_DB_LIMITS

ABOUT = (
    "Compare runs, codecs, objectives or receivers at equal CR and SNR: the difference of each "
    "metric in each cell and on average, with an interval from the differences image by image "
    "and the one that two sets of images would give."
)
EXAMPLE = "semloss compare runs/demo --by receiver --metric accuracy"


def define(parser: Parser) -> None:
    """Define the command's options."""
    parser.add_argument(
        "table", type=Path, nargs="+", metavar="RUN",
        help="run folder of semloss collect or its table; two or more are compared with the first",
    )  # fmt: skip
    what = parser.add_argument_group("what is compared")
    what.add_argument(
        "--by", metavar="WHAT",
        help="run, codec, objective, receiver or a column (default: the first with several)",
    )  # fmt: skip
    what.add_argument(
        "--base", metavar="VALUE",
        help="what the others are held against (default: mse, clean, or the first)",
    )  # fmt: skip
    what.add_argument("--metric", metavar="NAME", help="only this (default: all)")
    what.add_argument("--receiver", metavar="NAME", help="only this, e.g. matched (default: all)")
    what.add_argument("--task", metavar="NAME", help="only this task model (default: all)")
    what.add_argument("--cr", type=ratio, metavar="CR", help='only this, e.g. "1/12"')
    what.add_argument(
        "--snr-db", type=number(*SNR_DB_LIMITS, "dB"), metavar="DB", help="only at this SNR"
    )
    options.add_table_rows(what)
    equal = parser.add_argument_group("at equal quality instead")
    equal.add_argument(
        "--saved", action="store_true",
        help="what the others save in symbols and in decibels, over surfaces fitted to both",
    )  # fmt: skip
    equal.add_argument(
        "--target", metavar="VALUE",
        help="at this value of the metric (default: on average over all that both reach)",
    )  # fmt: skip
    equal.add_argument("--form", metavar="NAME", help="of the surfaces (default: chosen for each)")
    parser.needs("--form", "--saved", why="surfaces are fitted for it")
    tasks = parser.add_argument_group("by what they serve instead")
    tasks.add_argument(
        "--new-tasks", action="store_true",
        help="each codec and objective of a RUN, for the tasks that something on board was made "
        "for and, beside them, for those that came later",
    )  # fmt: skip
    parser.excludes(
        "--new-tasks", "--by", "--base", "--saved", "--receptions", "--plot", "--interval",
        "--band", "--columns",
        why="every codec, objective and channel is a line, and every task a column",
    )  # fmt: skip
    look = parser.add_argument_group("as pictures instead")
    look.add_argument(
        "--receptions", type=whole(1, 24), metavar="N",
        help="N test tiles as they arrive over each link, nearest to --cr and --snr-db; --plot "
        "draws them; --receiver names who answers, such as 'matched vgg'",
    )  # fmt: skip
    parser.excludes("--receptions", "--saved", why="those are tiles, this is a table")
    look.add_argument(
        "--importance", action="store_true",
        help="beside each tile where it matters to the task model: size and gradient of its maps",
    )  # fmt: skip
    options.add_images(look)
    parser.needs("--images", "--receptions", why="a table reads no images")
    parser.needs("--importance", "--receptions", why="the tiles that it is drawn over")
    parser.needs("--importance", "--plot", why="it is a picture")
    parser.excludes(
        "--receptions", "--metric", "--task", "--base",
        why="each tile is told by PSNR and a task model's answer, which --receiver names",
    )  # fmt: skip
    parser.needs("--target", "--saved", why="the quality at which it is asked")
    parser.excludes("--saved", "--cr", "--snr-db", why="it is told along all of them")
    options.add_interval(parser)
    options.add_output(parser, strict=False)


def run(args: options.Args) -> int:
    """Compare."""
    from semloss.comparing import compare, saved
    from semloss.tables import load_table, parse_columns

    if args.receptions is not None:
        return _receptions(args)
    if args.new_tasks:
        return _new_tasks(args)
    table = load_table(args.table, parse_columns(args.columns))
    level = options.interval(args)
    if not 0 < level < 1:
        raise SemlossError(f"--interval {level:g}: give a level in (0, 1), e.g. 0.95")
    if args.saved:
        told = saved(
            table, args.by, base=args.base, metric=args.metric, receiver=args.receiver,
            task=args.task, where=options.read_where(args), target=args.target,
            form=args.form or "auto", level=level, band=args.band,
        )  # fmt: skip
        notes(table.attrs["notes"])
        return output(told, args)
    answer = compare(
        table, args.by, base=args.base, metric=args.metric, receiver=args.receiver, task=args.task,
        where=options.read_where(args), cr=args.cr, snr_db=args.snr_db, level=level,
    )  # fmt: skip
    notes(table.attrs["notes"])
    return output(answer, args)


def _receptions(args: options.Args) -> int:
    """Show what arrives of the same tiles."""
    from semloss.sending.receptions import receptions

    if args.cr is None or args.snr_db is None:
        raise SemlossError("--receptions needs --cr and --snr-db: which cell of each link it is")
    answer = receptions(
        args.table, args.by, cr=args.cr, snr_db=args.snr_db, where=options.read_where(args),
        count=args.receptions, receiver=args.receiver, importance=args.importance,
        path=args.images,
    )  # fmt: skip
    return output(answer, args)


def _new_tasks(args: options.Args) -> int:
    """Put known tasks and new ones side by side."""
    from semloss.sending.new_tasks import new_tasks

    if len(args.table) > 1:
        raise SemlossError("--new-tasks: give one RUN, whose experiment tells what each link knows")
    answer = new_tasks(
        args.table[0], metric=args.metric, receiver=args.receiver, task=args.task,
        where=options.read_where(args), cr=args.cr, snr_db=args.snr_db,
    )  # fmt: skip
    return output(answer, args)
