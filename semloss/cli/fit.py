"""`semloss fit`: from a table of measurements to a fit file."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from semloss.errors import SemlossError

if TYPE_CHECKING:
    from semloss.selection import Points
    from semloss.surfaces.prediction import FittedSurface


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Define the command's options."""
    parser = subparsers.add_parser(
        "fit",
        help="fit a surface metric = f(CR, SNR) to a table of measurements",
        description="Fit a surface metric = f(CR, SNR) to a table and write it as a fit file.",
    )
    parser.add_argument(
        "table",
        type=Path,
        metavar="TABLE|RUN",
        help="run folder of semloss collect, or a CSV or parquet with cr, snr_db, metric, value",
    )
    parser.add_argument("--metric", help="metric to fit (default: accuracy, or the only one)")
    parser.add_argument("--task", help="receiver task (default: the only one, or clean)")
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="COLUMN=VALUE",
        help="use only rows with this value, e.g. channel=awgn; may be repeated",
    )
    parser.add_argument(
        "--mismatch",
        action="store_true",
        help="also use rows tested at another SNR than the codec was trained at",
    )
    parser.add_argument(
        "--form",
        default="auto",
        metavar="auto|NAME",
        help="constant, logistic, capped, unified; auto: the simplest that predicts held-out "
        "data as well as the best (default)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FIT.json",
        help="fit file (default: fits/ in the run, else beside the table)",
    )
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw the surface with its points")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Fit and report."""
    from semloss.selection import select
    from semloss.surfaces import fitfile
    from semloss.surfaces.fitting import fit_surface
    from semloss.tables import load_table

    where = {}
    for choice in args.where:
        column, equals, value = choice.partition("=")
        if not equals:
            raise SemlossError(f"--where {choice}: write COLUMN=VALUE, e.g. channel=awgn")
        where[column] = value
    points = select(
        load_table(args.table), args.metric, args.task, mismatch=args.mismatch, where=where
    )
    for note in points.notes:
        print(f"semloss: {note}", file=sys.stderr)
    surface = fit_surface(points, args.form)
    out = args.out or _default_out(args.table, points)
    fitfile.save(surface, out)
    if args.plot:
        from semloss.reports.surface import surface_plot

        surface_plot(surface, points, args.plot)
    if args.json:
        print(json.dumps(_summary(surface, out)))
    else:
        print(_text(surface, points, out))
    return 0


def _default_out(table: Path, points: "Points") -> Path:
    """Place of the fit file: in a run its fits folder, beside any other table."""
    suffix = "" if points.task == "none" else f"-{points.task}"
    if table.is_dir():
        return table / "fits" / f"{points.metric}{suffix}.json"
    return table.with_name(f"{table.stem}-{points.metric}{suffix}.json")


def _summary(surface: "FittedSurface", out: Path) -> dict[str, object]:
    from semloss.surfaces.forms import FORMS

    return {
        "metric": surface.metric,
        "task": surface.task,
        "form": surface.form,
        "outcome": surface.outcome.value,
        "message": surface.message,
        **surface.quality,
        "parameters": dict(zip(FORMS[surface.form].names, surface.parameters, strict=True)),
        "out": str(out),
    }


def _text(surface: "FittedSurface", points: "Points", out: Path) -> str:
    """Few lines for a reader."""
    quality = surface.quality
    percent = 100 / (quality["range"] or 1.0)
    held_out = quality["held_out"]
    ratios, levels = len(set(points.cr)), len(set(points.snr_db))
    task = "" if surface.task == "none" else f" ({surface.task})"
    compared = ", ".join(
        f"{name} {c['held_out']:.3g}" if c["held_out"] is not None else f"{name} –"
        for name, c in quality["candidates"].items()
    )
    lines = [
        f"{surface.metric}{task}: {quality['points']} points, {ratios} CR × {levels} SNR",
        f"form     {surface.form}, "
        f"{quality['candidates'][surface.form]['parameters']} parameters: {surface.outcome}",
        f"error    RMSE {quality['rmse']:.3g} ({percent * quality['rmse']:.1f} % of the range)"
        + (f", {quality['held_out_scheme']} {held_out:.3g}" if held_out is not None else ""),
        f"held out {compared}",
        f"fit file {out}",
    ]
    if surface.message:
        lines.insert(2, f"         {surface.message}")
    return "\n".join(lines)
