"""`semloss plan amplifier`: the best back-off of a codec that was measured through an amplifier."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from semloss.cli import options
from semloss.cli.output import notes, output
from semloss.cli.parser import Parser, number

if TYPE_CHECKING:
    from semloss.modcods import Modcods
    from semloss.planning.amplifier.best import Place
    from semloss.planning.budget.operating import OperatingPoint

ABOUT = (
    "Find the input back-off at which a target takes least saturated power, or without a target "
    "that at which the link gives most, of a table measured through channel amplifier at several "
    "back-offs; and what that saves against a linear codec, backed off by its peaks (rows over "
    "awgn) and at its own best (rows of trained_over = awgn). MODCODs of DVB-S2 stand beside, "
    "through the same amplifier."
)
EXAMPLE = (
    "semloss plan amplifier runs/amplified --link eo-leo-x-band --target 0.85 --acpr-limit-dbc -25"
)


def define(parser: Parser) -> None:
    """Define the question's options."""
    parser.add_argument(
        "table", type=Path, metavar="TABLE",
        help="run folder of semloss collect, or its table, with several input_back_off_db",
    )  # fmt: skip
    options.add_link(parser)
    rows = parser.add_argument_group("which rows")
    rows.add_argument("--metric", metavar="NAME", help="default: accuracy, or the only one")
    rows.add_argument("--receiver", metavar="NAME", help="default: the only one, or clean")
    rows.add_argument("--task", metavar="NAME", help="task model (default: the only one)")
    options.add_table_rows(rows)
    rows.add_argument("--form", metavar="NAME", help="of the surfaces (default: chosen for each)")
    add_limit(parser)
    options.add_cr(parser)
    options.add_target(parser, confidence=False)
    options.add_interval(parser)
    options.add_output(parser)


def add_limit(parser: Parser) -> None:
    """Define the limit on what is sent beside the channel."""
    parser.add_argument(
        "--acpr-limit-dbc", type=number(-60, -0.01, "dBc"), metavar="DBC",
        help="most power in a neighbouring channel, e.g. -25",
    )  # fmt: skip


def run(args: options.Args) -> int:
    """Fit every back-off, and find the best."""
    from semloss.planning.amplifier.answer import operating_answer
    from semloss.planning.amplifier.measured import measured_points
    from semloss.tables import load_table, parse_columns

    options.refuse_settings(args, "the back-off is what is asked for", "obo_db")
    link = options.read_link(args, *options.METRIC)
    table = load_table(args.table, parse_columns(args.columns))
    points = measured_points(
        table, args.metric, args.receiver, task=args.task, where=options.read_where(args),
        form=args.form or "auto", band=args.band,
    )  # fmt: skip
    notes(table.attrs["notes"])
    answer = operating_answer(
        link, points, target=options.read_target(args, points[0].fit),
        limit_dbc=args.acpr_limit_dbc, interval=options.interval(args), beside=_beside,
    )  # fmt: skip
    return output(answer, args)


def _beside(place: "Place", limit_dbc: float | None) -> list[dict[str, Any]]:
    """MODCODs of DVB-S2 through the amplifier of a place."""
    from semloss.modcods import DVB_S2

    assert place.nearest.at is not None
    return modem_losses_at(place.nearest.at, DVB_S2, limit_dbc)


def modem_losses_at(
    at: "OperatingPoint", modcods: "Modcods", limit_dbc: float | None
) -> list[dict[str, Any]]:
    """What MODCODs lose through the amplifier of an operating point."""
    from semloss.channels.amplifier import Amplifier
    from semloss.codecs.modems import modem_losses

    amplifier = Amplifier(
        input_back_off_db=0.0, model=at.model, smoothness=at.smoothness, roll_off=at.roll_off
    )
    return modem_losses(amplifier, modcods, limit_dbc)
