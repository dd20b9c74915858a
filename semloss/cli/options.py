"""Options that several commands share, each defined once, and what is read from them."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semloss.cli.output import notes
from semloss.cli.parser import Parser, number, picture, ratio
from semloss.errors import SemlossError
from semloss.units import SNR_DB_LIMITS

if TYPE_CHECKING:
    from semloss.planning.budget.ledger import Ledger
    from semloss.planning.budget.points import Defaults
    from semloss.planning.budget.question import Question
    from semloss.planning.planner import Link
    from semloss.surfaces.fitted.fit import Fit

Args = argparse.Namespace
METRIC = ("cr", "bandwidth_mhz")
"""Keys of a link without which no fit says what it delivers."""

# -- what is asked ---------------------------------------------------------------------------


def add_fit(parser: Parser) -> None:
    """Define the fit; without one, it is that which the link names."""
    parser.add_argument(
        "fit", type=Path, nargs="?", metavar="FIT",
        help="fit file, or one of semloss fits (default: the link's)",
    )  # fmt: skip


def add_link(parser: Parser, *, required: bool = True) -> None:
    """Define the link and what changes it."""
    group = parser.add_argument_group("the link")
    group.add_argument(
        "--link", metavar="FILE|PRESET", required=required, help="link file (TOML) or preset"
    )
    group.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE",
        help='change a key, e.g. power_dbw="2 W"; "KEY=" unsets it; may be repeated',
    )  # fmt: skip
    group.add_argument("--rain-loss-db", metavar="DB", help="rain, instead of the link's")
    if not required:
        needs_link(parser, "--set", "--rain-loss-db")


def needs_link(parser: Parser, *options: str) -> None:
    """Refuse options that change or tell of a link, without one."""
    for option in options:
        parser.needs(option, "--link", why="FILE or one of plan template --preset list")


def add_ledger(parser: Parser) -> None:
    """Define what goes with a ledger."""
    parser.add_argument(
        "--papr-db", metavar="DB", help="peak-to-average ratio, which suggests a back-off"
    )
    parser.add_argument(
        "--ledger", action="append", default=[], type=Path, metavar="FILE",
        help="also write it: *.txt, md, csv, json, xlsx, or a chart *.png; may be repeated",
    )  # fmt: skip


def add_cr(parser: Parser) -> None:
    """Define the compression ratio."""
    parser.add_argument(
        "--cr", type=ratio, metavar="CR", help='compression ratio k/n, e.g. "1/12" or 0.0833'
    )


def add_snr(parser: Parser) -> None:
    """Define the SNR, which a link gives by its budget."""
    parser.add_argument(
        "--snr-db", type=number(*SNR_DB_LIMITS, "dB"), metavar="DB",
        help="Es/N0 per complex symbol, without a link",
    )  # fmt: skip
    parser.excludes("--snr-db", "--link", why="its budget gives the SNR; give one of them")


def add_target(parser: Parser, *, required: bool = False, confidence: bool = True) -> None:
    """Define the target, and how surely it is to be met."""
    parser.add_argument(
        "--target", metavar="VALUE", required=required,
        help='value to meet: 0.8, ">= 0.8", "at most 0.3"',
    )  # fmt: skip
    if confidence:
        parser.add_argument(
            "--confidence", type=float, metavar="LEVEL", help="meet it this surely, e.g. 0.95"
        )
        parser.needs("--confidence", "--target", why="it says how surely that is met")


def add_interval(parser: Parser) -> None:
    """Define the level of the bands."""
    parser.add_argument(
        "--interval", type=float, metavar="LEVEL", help="of the bands (default 0.95)"
    )
    add_band(parser)


def add_band(parser: Parser) -> None:
    """Define what bands and draws are about."""
    parser.add_argument(
        "--band", metavar="ABOUT", help="new-images (default), these-images, trained-again or "
        "measurement",
    )  # fmt: skip


def add_asked(parser: Parser, *, required: bool = False) -> None:
    """Define CR, target and how sure of it, and the level of the bands."""
    add_cr(parser)
    add_target(parser, required=required)
    add_interval(parser)


def add_cell(parser: Parser, *, snr_db: str) -> None:
    """Define which cell of a run is meant; `snr_db` says what the SNR is of."""
    which = parser.add_argument_group("which cell: the nearest one, or by name")
    which.add_argument("--cr", type=ratio, metavar="CR", help='compression ratio k/n, e.g. "1/12"')
    which.add_argument("--snr-db", type=number(-100, 100, "dB"), metavar="DB", help=snr_db)
    which.add_argument("--cell", metavar="NAME", help="a cell of the run, or its folder")
    add_where(which)
    parser.excludes("--cell", "--cr", "--where", why="a name is one cell")


def add_where(
    group: "argparse._ActionsContainer", what: str = "cells", example: str = "objective=mse"
) -> None:
    """Define which cells of a run, or rows of a table, are read."""
    group.add_argument(
        "--where", action="append", default=[], metavar="COLUMN=VALUE",
        help=f"only {what} with it, e.g. {example}; may be repeated",
    )  # fmt: skip


def add_images(group: "argparse._ActionsContainer") -> None:
    """Define where the images of a run lie now."""
    group.add_argument(
        "--images", type=Path, metavar="FOLDER",
        help="where the run's images lie now (default: where they lay when it was collected)",
    )  # fmt: skip


def read_cell(args: Args) -> dict[str, Any]:
    """What `add_cell` asked, as `load_codec` takes it."""
    return {
        "cell": args.cell, "cr": args.cr, "snr_db": args.snr_db, "where": read_where(args),
    }  # fmt: skip


def add_table_rows(group: "argparse._ArgumentGroup") -> None:
    """Define which rows of a table are read, and how its columns are called."""
    add_where(group, "rows", "channel=awgn")
    group.add_argument(
        "--columns", action="append", default=[], metavar="OURS=THEIRS,…",
        help="of a foreign table, e.g. snr_db=SNR,cr=k/n,value=acc/100",
    )  # fmt: skip


def add_output(
    parser: Parser, *, plot: bool = True, strict: bool = True
) -> "argparse._ArgumentGroup":
    """Define where the answer goes."""
    group = parser.add_argument_group("the answer")
    group.add_argument("--csv", type=Path, metavar="FILE", help="also write its table")
    if plot:
        group.add_argument("--plot", type=picture, metavar="PNG", help="also draw it")
    group.add_argument("--json", action="store_true", help="print one JSON object")
    if strict:
        group.add_argument(
            "--strict", action="store_true", help="end with exit code 4 outside the fitted domain"
        )
    return group


# -- what is read ----------------------------------------------------------------------------


def read_fit(args: Args, link: "Link | None") -> "Fit":
    """The fit that is asked, else the one that the link names."""
    from semloss.surfaces.files.fit_file import load

    if args.fit is not None:
        return load(args.fit).about(getattr(args, "band", None))
    if link is None or not link.fit:
        raise SemlossError(
            "give FIT, a fit file of semloss fit or one of semloss fits, or name it in the link: "
            'fit = "eurosat-accuracy"'
        )
    notes([f"the fit is {link.fit}, as the link names it"])
    return load(link.fit).about(getattr(args, "band", None))


def settings(args: Args) -> list[str]:
    """Keys that --set changes."""
    return [text.partition("=")[0].strip() for text in args.set]


def refuse_settings(args: Args, why: str, *keys: str, completing: bool = False) -> None:
    """Refuse --set of a key that the question settles itself.

    Where it may be `completing` the link, only of one that the file gives.
    """
    from semloss.planning.link.template import file_keys

    for key in settings(args):
        if key in keys and not (completing and key not in file_keys(args.link)):
            raise SemlossError(f"--set {key}: {why}; leave it away")


_TWICE = ("cr", "rain_loss_db", "papr_db")
"""Keys that have an option of their own."""


def read_link(args: Args, *needed: str, **supplied: float) -> "Link":
    """The link with the command line's changes.

    `needed` are keys without which the question has no answer; `supplied` may be left open.
    """
    from semloss.planning.planner import open_link

    for key in _TWICE:
        option = f"--{key.replace('_', '-')}"
        if getattr(args, key, None) is not None and key in settings(args):
            raise SemlossError(f"{option} and --set {key} say the same: give one of them")
    wanted = [key for key in needed if key != "cr" or getattr(args, "cr", None) is None]
    link = open_link(args.link, args.set, wanted, **supplied)
    if args.rain_loss_db is not None:
        link = link.with_settings([f"rain_loss_db={args.rain_loss_db}"])
    if getattr(args, "papr_db", None) is not None:
        if link.eirp_dbw is not None:
            raise SemlossError(
                f"--papr-db: the link gives eirp_dbw = {link.eirp_dbw:g}, so there is no amplifier "
                "to back off; give power_dbw and its parts"
            )
        link = link.with_settings([f"papr_db={args.papr_db}"])
    if getattr(args, "cr", None) is not None:
        link = link.replace(cr=args.cr)
    return link


def read_where(args: Args) -> dict[str, str]:
    """Which values the rows of a table must have: column -> value."""
    where = {}
    for choice in args.where:
        column, equals, value = choice.partition("=")
        if not equals:
            raise SemlossError(f"--where {choice}: write COLUMN=VALUE, e.g. channel=awgn")
        where[column] = value
    return where


def read_target(args: Args, fit: "Fit") -> float | None:
    """The target that is asked, in the metric's sense."""
    from semloss.facts.target import read_target

    return None if args.target is None else read_target(args.target, fit)


def interval(args: Args) -> float:
    """Level of the bands."""
    level = getattr(args, "interval", None)
    return 0.95 if level is None else level


def question(args: Args, link: "Link") -> "Question":
    """The fit, the link and what both are asked."""
    from semloss.planning.budget.question import Question

    fit = read_fit(args, link)
    link = at_operating_point(args, link, fit)
    confidence = getattr(args, "confidence", None)
    return Question(fit, link, read_target(args, fit), confidence, interval(args))


def at_operating_point(args: Args, link: "Link", fit: "Fit") -> "Link":
    """The link, without the back-off that a preset has by rule where the fit has one of its own."""
    from semloss.planning.budget.operating import operating_point

    at = operating_point(fit)
    if at is None or not link.obo_db or "obo_db" in settings(args) or Path(args.link).exists():
        return link
    notes([
        f"the preset's back-off of {link.obo_db:g} dB is that of a linear codec by rule; the fit "
        f"has its amplifier's, {at.input_back_off_db:g} dB at the input of {at.amplifier}, in its "
        "metric, and that stands instead"
    ])  # fmt: skip
    return link.replace(obo_db=0.0)


def defaults(args: Args, **supplied: float) -> "Defaults":
    """What points of a study are asked with; `supplied` may be left open by the link."""
    from semloss.planning.budget.points import Defaults

    link = None if args.link is None else read_link(args, **supplied)
    fit = read_fit(args, link)
    link = None if link is None else at_operating_point(args, link, fit)
    return Defaults(
        fit, link, cr=args.cr, snr_db=args.snr_db, target=read_target(args, fit),
        interval=interval(args),
    )  # fmt: skip


def write_ledgers(args: Args, ledger: "Ledger") -> None:
    """Write a ledger into every file that is asked for."""
    from semloss.reports.link.ledger import write_ledger

    for path in args.ledger:
        write_ledger(ledger, path)
