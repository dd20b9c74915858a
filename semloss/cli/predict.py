"""`semloss predict`: answers from a fit file, without torch, pandas or scipy.

What it answers about a link is in `semloss.cli.plan`, imported when one of its options is given.
"""

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semloss.cli.plan_options import add_options, planner_asked
from semloss.errors import OutsideDomain, SemlossError
from semloss.units import format_cr, parse_cr

if TYPE_CHECKING:
    from semloss.surfaces.fitted.fit import Fit, Prediction
    from semloss.surfaces.fitted.requirements import Requirement


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Define the command's options."""
    parser = subparsers.add_parser(
        "predict",
        help="predict a metric, or what a target needs, from a fit file; plan a link with it",
        description="Predict the metric at --cr and --snr-db; or, with --target and one of "
        "them, the smallest value of the other that meets the target. With --link, the link's "
        "budget gives the SNR, and the planner's options ask for more.",
    )
    parser.add_argument(
        "fit", type=Path, nargs="?", metavar="FIT.json", help="fit file of semloss fit"
    )
    parser.add_argument("--cr", help='compression ratio k/n, e.g. "1/12" or 0.0833')
    parser.add_argument("--snr-db", type=float, metavar="DB", help="Es/N0 in dB per complex symbol")
    parser.add_argument(
        "--target", metavar="VALUE", help='value the metric must meet: 0.8, ">= 0.8", "at most 0.3"'
    )
    parser.add_argument(
        "--interval", type=float, metavar="LEVEL", help="level of the bands (default 0.95)"
    )
    parser.add_argument(
        "--confidence",
        type=float,
        metavar="LEVEL",
        help="with --target: answer so that the target is met with this confidence, e.g. 0.95",
    )
    parser.add_argument(
        "--strict", action="store_true", help="end with exit code 4 outside the fitted domain"
    )
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw the answer")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Predict forward or solve for what a target needs; or leave it to the planner."""
    if planner_asked(args):
        from semloss.cli import plan

        return plan.run(args)
    from semloss.planning.budget.target import read_target
    from semloss.surfaces.files.fit_file import load

    if args.fit is None:
        raise SemlossError("predict takes FIT.json, a fit file of semloss fit")
    interval = 0.95 if args.interval is None else args.interval
    given = [value is not None for value in (args.cr, args.snr_db, args.target)]
    if sum(given) != 2:
        raise SemlossError(
            "predict takes two of --cr, --snr-db and --target, and answers with the third"
        )
    surface = load(args.fit)
    cr = None if args.cr is None else parse_cr(args.cr, "--cr")
    if args.snr_db is not None and not math.isfinite(args.snr_db):
        raise SemlossError(f"--snr-db {args.snr_db}: give a finite Es/N0 in dB")
    needed: Requirement | None = None
    if args.target is None:
        if args.confidence is not None:
            raise SemlossError("--confidence asks how surely a --target is met; give a --target")
        assert cr is not None
        point = surface.predict(cr=cr, snr_db=args.snr_db, interval=interval)
    else:
        target = read_target(args.target, surface)
        if cr is not None:
            needed = surface.min_snr(
                target=target, cr=cr, interval=interval, confidence=args.confidence
            )
        else:
            needed = surface.min_cr(
                target=target, snr_db=args.snr_db, interval=interval,
                confidence=args.confidence,
            )  # fmt: skip
        point = surface.predict(cr=needed.cr, snr_db=needed.snr_db, interval=interval)
    if args.strict:
        check_domain(surface, point)
    if args.plot:
        from semloss.reports.fit.prediction import prediction_plot

        prediction_plot(surface, args.plot, point, needed)
    if args.json:
        print(json.dumps(_answer(point, needed), allow_nan=False))
    else:
        print(_text(surface, point, needed))
    return 0


def check_domain(surface: "Fit", point: "Prediction") -> None:
    """Refuse a point outside the fitted domain (exit code 4)."""
    if not point.in_domain:
        raise OutsideDomain(
            f"CR {format_cr(point.cr)}, SNR {point.snr_db:g} dB lies outside the fitted domain, "
            f"{domain_text(surface)}; ask within it or extend the grid"
        )


def domain_text(surface: "Fit") -> str:
    """Say where the fit was measured."""
    (cr_low, cr_high), (snr_low, snr_high) = surface.cr_range, surface.snr_db_range
    return (
        f"CR {format_cr(cr_low)} … {format_cr(cr_high)} and SNR {snr_low:g} … {snr_high:g} dB "
        f"(convex hull of the measured cells)"
    )


def _answer(point: "Prediction", needed: "Requirement | None") -> dict[str, Any]:
    """Content of the JSON answer; a requirement adds its interval to the prediction there."""
    answer: dict[str, Any] = {
        "metric": point.metric,
        "receiver": point.receiver,
        "task": point.task,
        "cr": point.cr,
        "cr_text": format_cr(point.cr),
        "snr_db": point.snr_db,
        "value": point.value,
        "low": point.low,
        "high": point.high,
        "interval": point.interval,
        "in_domain": point.in_domain,
    }
    if needed is not None:
        answer |= {
            "target": needed.target,
            "solved": needed.solved,
            f"{needed.solved}_low": needed.low,
            f"{needed.solved}_high": needed.high,
            "at_edge": needed.at_edge,
            "confidence": needed.confidence,
        }
        if needed.solved == "cr":
            answer["cr_fraction"] = needed.cr_fraction
    return answer


def _text(surface: "Fit", point: "Prediction", needed: "Requirement | None") -> str:
    """Few lines for a reader."""
    level = f"{100 * (point.interval or 0.0):g} %"
    name = point.metric if point.receiver == "none" else f"{point.metric} ({point.receiver})"
    lines = []
    if needed is not None:
        worst = "beyond the fitted range" if needed.high is None else None
        least = "at most " if needed.at_edge else ""
        if needed.solved == "snr_db":
            span = f"{needed.low:.2f} … {worst or f'{needed.high:.2f} dB'}"
            ask = f"needs SNR {least}{needed.snr_db:.2f} dB at CR {format_cr(point.cr)}"
        else:
            span = f"{needed.low:.4f} … {worst or f'{needed.high:.4f}'}"
            ask = (
                f"needs CR {least}{needed.cr:.4f} at SNR {point.snr_db:g} dB, "
                f"met by {needed.cr_fraction}"
            )
        sure = f" with {100 * needed.confidence:g} % confidence" if needed.confidence else ""
        lines.append(f"{name} = {needed.target:g}{sure} {ask}   [{level}: {span}]")
        if needed.at_edge:
            lines.append("the lowest measured value meets the target; less might do")
    else:
        lines.append(
            f"{name} = {point.value:.4g} at CR {format_cr(point.cr)}, SNR {point.snr_db:g} dB   "
            f"[{level}: {point.low:.4g} … {point.high:.4g}]"
        )
    lines.append(
        f"{'inside' if point.in_domain else 'OUTSIDE'} the fitted domain, {domain_text(surface)}"
    )
    if surface.message:
        lines.append(f"the fit is flagged as {surface.outcome}: {surface.message}")
    return "\n".join(lines)
