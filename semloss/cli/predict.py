"""`semloss predict`: value and inverse from a fit file, without torch, pandas or scipy.

With a link it is the ledger, with `--solve` the design-time calculator: both as in `semloss plan`.
"""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

from semloss.cli.output import output, picture
from semloss.errors import SemlossError
from semloss.units import parse_cr


def add_parser(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", words: Sequence[str]
) -> None:
    """Define the command's options."""
    parser = subparsers.add_parser(
        "predict",
        help="predict a metric, or what a target needs, from a fit file",
        description="Predict the metric at --cr and --snr-db; or, with --target and one of them, "
        "the smallest value of the other that meets it. With --link, the link's budget gives the "
        "SNR. More questions to a link: semloss plan.",
    )
    parser.add_argument(
        "fit",
        type=Path,
        nargs="?",
        metavar="FIT",
        help="fit file of semloss fit, or one of semloss fits",
    )
    parser.add_argument("--cr", help='compression ratio k/n, e.g. "1/12" or 0.0833')
    parser.add_argument("--snr-db", type=float, metavar="DB", help="Es/N0 in dB per complex symbol")
    parser.add_argument(
        "--target", metavar="VALUE", help='value the metric must meet: 0.8, ">= 0.8", "at most 0.3"'
    )
    parser.add_argument(
        "--interval", type=float, default=0.95, metavar="LEVEL", help="of the bands (default 0.95)"
    )
    parser.add_argument(
        "--confidence", type=float, metavar="LEVEL", help="meet --target this surely, e.g. 0.95"
    )
    link = parser.add_argument_group("a link", "its ledger; without FIT.json down to the SNR")
    link.add_argument("--link", metavar="FILE|PRESET", help="link file (TOML) or preset")
    link.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE",
        help='change a key, e.g. power_dbw="2 W"; may be repeated',
    )  # fmt: skip
    link.add_argument("--rain-loss-db", metavar="DB", help="rain, instead of the link's")
    link.add_argument("--papr-db", metavar="DB", help="of the symbols; suggests a back-off")
    link.add_argument(
        "--solve", dest="unknown", metavar="UNKNOWN", help="cheapest value that meets --target"
    )
    link.add_argument(
        "--ledger", action="append", default=[], type=Path, metavar="FILE",
        help="also write it: *.txt, md, csv, json, xlsx; may be repeated",
    )  # fmt: skip
    out = parser.add_argument_group("the answer")
    out.add_argument("--csv", type=Path, metavar="FILE", help="also write it as a table")
    out.add_argument("--plot", type=picture, metavar="PNG", help="also draw it")
    out.add_argument("--json", action="store_true", help="print one JSON object")
    out.add_argument(
        "--strict", action="store_true", help="end with exit code 4 outside the fitted domain"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Predict forward, or solve for what a target needs; a link is the planner's."""
    if args.link is not None:
        return _link(args)
    for name in ("set", "rain_loss_db", "papr_db", "unknown", "ledger"):
        if getattr(args, name):
            flag = {"unknown": "solve"}.get(name, name).replace("_", "-")
            raise SemlossError(
                f"--{flag} needs --link FILE or a preset; plan template --preset list names them"
            )
    if args.fit is None:
        raise SemlossError("predict takes FIT.json, a fit file of semloss fit")
    if sum(value is not None for value in (args.cr, args.snr_db, args.target)) != 2:
        raise SemlossError(
            "predict takes two of --cr, --snr-db and --target, and answers with the third"
        )
    if args.target is None and args.confidence is not None:
        raise SemlossError("--confidence asks how surely a --target is met; give a --target")
    from semloss.planning.budget.target import read_target
    from semloss.surfaces.files.fit_file import load
    from semloss.surfaces.fitted.told import least_for, value_at

    fit = load(args.fit)
    cr = None if args.cr is None else parse_cr(args.cr, "--cr")
    if args.snr_db is not None and not math.isfinite(args.snr_db):
        raise SemlossError(f"--snr-db {args.snr_db}: give a finite Es/N0 in dB")
    if args.target is None:
        assert cr is not None
        return output(value_at(fit, cr, args.snr_db, args.interval), args)
    target = read_target(args.target, fit)
    answer = least_for(
        fit, target, cr=cr, snr_db=args.snr_db, interval=args.interval, confidence=args.confidence
    )
    return output(answer, args)


def _link(args: argparse.Namespace) -> int:
    """Ask the planner for the ledger, or for the cheapest value of a field."""
    from semloss.cli.plan import ledger, solve

    if args.snr_db is not None:
        raise SemlossError("--snr-db contradicts --link, whose budget gives the SNR: give one")
    if args.unknown is None:
        return ledger.run(args)
    if args.target is None:
        raise SemlossError("--solve needs --target: the value that the metric must meet")
    return solve.run(args)
