"""`semloss fit`: from a table of measurements to fit files."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semloss.cli.output import notes, output, picture
from semloss.errors import SemlossError

if TYPE_CHECKING:
    import pandas as pd

    from semloss.selection import Points


def add_parser(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", words: Sequence[str]
) -> None:
    """Define the command's options."""
    parser = subparsers.add_parser(
        "fit",
        help="fit a surface metric = f(CR, SNR) to a table of measurements",
        description="Fit a surface metric = f(CR, SNR) to a table and write it as a fit file.",
    )
    parser.add_argument(
        "table",
        type=Path,
        nargs="?",
        metavar="TABLE|RUN",
        help="run folder of semloss collect, or a CSV or parquet with cr, snr_db, metric, value",
    )
    points = parser.add_argument_group("which points")
    points.add_argument("--metric", help="metric to fit (default: accuracy, or the only one)")
    points.add_argument("--receiver", help="clean or matched (default: the only one, or clean)")
    points.add_argument("--task", help="name of the task model (default: the only one)")
    points.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="COLUMN=VALUE",
        help="use only rows with this value, e.g. channel=awgn; may be repeated",
    )
    points.add_argument(
        "--columns",
        action="append",
        default=[],
        metavar="OURS=THEIRS[,…]",
        help="columns of a foreign table, e.g. snr_db=SNR,cr=k/n,value=acc/100",
    )
    points.add_argument(
        "--group-by",
        metavar="COLUMN[,…]",
        help="fit every combination of these columns, e.g. metric,receiver",
    )
    points.add_argument(
        "--mismatch",
        action="store_true",
        help="also use rows tested at another SNR than the codec was trained at",
    )
    how = parser.add_argument_group("how to fit")
    how.add_argument(
        "--form",
        default="auto",
        metavar="auto|NAME|list",
        help="name of a form; list shows them; auto chooses by --rule (default)",
    )
    how.add_argument(
        "--rule",
        default="one-se",
        metavar="RULE",
        help="what auto picks: one-se (default), held-out, aicc or bic",
    )
    how.add_argument(
        "--joint",
        action="store_true",
        help="with --group-by: one form for all groups, shape parameters partially pooled",
    )
    how.add_argument(
        "--prior",
        type=Path,
        metavar="SHARED.json",
        help="lean on the groups of an earlier --joint fit: a handful of points is enough",
    )
    how.add_argument("--robust", action="store_true", help="weigh outliers down (Huber)")
    how.add_argument(
        "--confidence", type=float, default=0.95, metavar="LEVEL",
        help="level of the parameters' intervals (default 0.95)",
    )  # fmt: skip
    how.add_argument("--bootstraps", type=int, default=1000, metavar="N", help="default 1000")
    how.add_argument("--seed", type=int, default=0, help="seed of starts and bootstraps")
    out = parser.add_argument_group("what comes out")
    out.add_argument(
        "--out",
        type=Path,
        metavar="FIT.json|DIR",
        help="fit file, or folder of several (default: fits/ in the run, else beside the table)",
    )
    out.add_argument("--plot", type=picture, metavar="PNG", help="draw the surface with its points")
    out.add_argument("--csv", type=Path, metavar="FILE", help="write one row per fit")
    out.add_argument("--report", type=Path, metavar="DIR", help="pictures, tables and a page")
    out.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run, strict=False)


def run(args: argparse.Namespace) -> int:
    """Fit and report."""
    if args.form == "list":
        print(json.dumps(_ladder()) if args.json else _ladder_text())
        return 0
    _check(args)
    from semloss.surfaces.files.fit_file import save
    from semloss.surfaces.fitting import pooling
    from semloss.surfaces.fitting.fit_surface import fit_surface
    from semloss.surfaces.fitting.summary import FitsSummary, FitSummary

    groups = _points(args)
    options = {
        "bootstraps": args.bootstraps, "confidence": args.confidence, "robust": args.robust,
        "reference": True,
    }  # fmt: skip
    shared_path = None
    if args.joint:
        fits, shared = pooling.fit_joint(groups, args.form, args.seed, **options)
        shared_path = _folder(args) / "shared.json"
        pooling.save(shared, shared_path)
    elif args.prior:
        shared = pooling.load(args.prior)
        if args.form not in ("auto", shared.form):
            raise SemlossError(f"--form {args.form}: the prior is one of form {shared.form}")
        fits = [
            fit_surface(points, shared.form, args.seed, prior=shared.prior, **options)
            for points in groups
        ]
    else:
        fits = [
            fit_surface(points, args.form, args.seed, rule=args.rule, **options)
            for points in groups
        ]
    found = [FitSummary(*one) for one in zip(fits, groups, _places(args, groups), strict=True)]
    for one in found:
        save(one.fit, one.out)
    if args.report:
        from semloss.reports.fit.report import write_report

        write_report([(one.fit, one.points) for one in found], args.report)
    code = output(FitsSummary(found, shared_path) if args.group_by else found[0], args)
    if args.report and not args.json:
        print(f"report   {args.report / 'README.md'}")
    return code


def _check(args: argparse.Namespace) -> None:
    """Refuse what cannot be meant, before any work."""
    if args.table is None:
        raise SemlossError("fit needs a TABLE or a RUN folder; semloss fit --help says more")
    if not 0 < args.confidence < 1:
        raise SemlossError(f"--confidence {args.confidence:g}: a level lies in (0, 1), e.g. 0.95")
    if not 0 <= args.bootstraps <= 5000:
        raise SemlossError(f"--bootstraps {args.bootstraps}: give 0 to 5000 draws")
    if args.seed < 0:
        raise SemlossError(f"--seed {args.seed}: give 0 or a greater integer")
    if args.joint and not args.group_by:
        raise SemlossError("--joint shares between groups: add --group-by, e.g. metric,receiver")
    if args.joint and args.prior:
        raise SemlossError("--joint makes a prior and --prior uses one: give one of them")
    if args.plot and args.group_by:
        raise SemlossError("--plot draws one surface; with --group-by use --report DIR")
    if args.report:
        from semloss.reports.folder import refuse_foreign

        refuse_foreign(args.report)
        for option, place in (("--out", args.out), ("--plot", args.plot)):
            if place and place.resolve().is_relative_to(args.report.resolve()):
                raise SemlossError(
                    f"{option} {place} lies in the folder of --report, which holds nothing but "
                    "the report; name another place"
                )


def _points(args: argparse.Namespace) -> "list[Points]":
    """Points of one surface, or of every group; what the user should know goes to stderr."""
    from semloss.selection import select, select_groups
    from semloss.tables import load_table, parse_columns

    where = {}
    for choice in args.where:
        column, equals, value = choice.partition("=")
        if not equals:
            raise SemlossError(f"--where {choice}: write COLUMN=VALUE, e.g. channel=awgn")
        where[column] = value
    table = load_table(args.table, parse_columns(args.columns))
    by = [name.strip() for name in (args.group_by or "").split(",") if name.strip()]
    receiver, task = _in_todays_words(args, table, by, where)
    if args.group_by:
        sparse = args.joint or args.prior is not None
        groups, told = select_groups(
            table, by, args.metric, receiver, task=task, mismatch=args.mismatch, where=where,
            sparse=sparse,
        )  # fmt: skip
    else:
        groups, told = [select(table, args.metric, receiver, task=task, mismatch=args.mismatch,
                                where=where)], ()  # fmt: skip
    notes([*told, *(note for points in groups for note in points.notes)])
    return groups


def _in_todays_words(
    args: argparse.Namespace, table: "pd.DataFrame", by: list[str], where: dict[str, str]
) -> tuple[str | None, str | None]:
    """Receiver and task model that are asked; for a release, `task` may still say the receiver."""
    from semloss.tables.older import RECEIVERS

    receiver, task = args.receiver, args.task
    if task in RECEIVERS and receiver is None:
        notes([f"--task {task} is now --receiver {task}"])
        receiver, task = task, None
    if "task" not in table or not set(table["task"]) <= {"none", "unknown"}:
        return receiver, task
    # The table tells no task model: what is asked of its task is meant of its receiver.
    if "task" in by and "receiver" not in by:
        notes(["--group-by task is now --group-by receiver"])
        by[by.index("task")] = "receiver"
    if where.get("task") in RECEIVERS and "receiver" not in where:
        where["receiver"] = where.pop("task")
        notes(["--where task=… is now --where receiver=…"])
    return receiver, task


def _folder(args: argparse.Namespace) -> Path:
    """Folder of several fit files."""
    if args.out:
        return Path(args.out)
    table: Path = args.table
    return (table if table.is_dir() else table.parent) / "fits"


def _places(args: argparse.Namespace, groups: "list[Points]") -> list[Path]:
    """Where each fit file goes."""
    if args.group_by:
        folder, names = _folder(args), [_name(points) for points in groups]
        if len(set(names)) < len(names):
            names = [f"{name}-{i}" for i, name in enumerate(names, start=1)]
        return [folder / f"{name}.json" for name in names]
    if args.out:
        return [args.out]
    name = f"{_name(groups[0])}.json"
    if args.table.is_dir():
        return [args.table / "fits" / name]
    return [args.table.with_name(f"{args.table.stem}-{name}")]


def _name(points: "Points") -> str:
    """File name of a group: metric, receiver, and what else sets it apart."""
    further = [v for k, v in points.group.items() if k not in ("metric", "receiver")]
    receiver = [] if points.receiver == "none" else [points.receiver]
    words = [points.metric, *receiver, *further]
    return "-".join("".join(c if c.isalnum() or c in "_." else "_" for c in word) for word in words)


def _ladder() -> list[dict[str, Any]]:
    """The forms, simplest first."""
    from semloss.surfaces.forms import ladder

    return [
        {
            "form": form.name,
            "summary": form.summary,
            "parameters": [
                {"name": p.name, "unit": p.unit, "meaning": p.meaning} for p in form.all_parameters
            ],
        }
        for form in ladder().values()
    ]


def _ladder_text() -> str:
    lines = []
    for form in _ladder():
        names = ", ".join(p["name"] for p in form["parameters"])
        lines += [f"{form['form']:<20} {form['summary']}", f"{'':<20} {names}"]
    return "\n".join([*lines, "", "Equations and limits: semloss/surfaces/forms/"])
