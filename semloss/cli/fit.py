"""`semloss fit`: from a table of measurements to fit files."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semloss.cli import options
from semloss.cli.output import notes, output
from semloss.cli.parser import Parser, number, whole
from semloss.errors import SemlossError

if TYPE_CHECKING:
    import pandas as pd

    from semloss.selection import Points

ABOUT = "Fit a surface metric = f(CR, SNR) to a table and write it as a fit file."
EXAMPLE = "semloss fit runs/demo --metric accuracy --receiver deployable --plot surface.png"


def define(parser: Parser) -> None:
    """Define the command's options."""
    parser.add_argument(
        "table", type=Path, nargs="*", metavar="TABLE",
        help="run folder of semloss collect, or a CSV, parquet or JSON with cr, snr_db, metric, "
        "value; several are read as one",
    )  # fmt: skip
    points = parser.add_argument_group("which points")
    points.add_argument("--metric", metavar="NAME", help="default: accuracy, or the only one")
    points.add_argument(
        "--receiver", metavar="NAME",
        help="clean, matched or deployable (default: the only one, or clean)",
    )  # fmt: skip
    points.add_argument("--task", metavar="NAME", help="task model (default: the only one)")
    options.add_table_rows(points)
    points.add_argument(
        "--group-by", metavar="COLUMN,…", help="fit every group, e.g. of metric,receiver"
    )
    points.add_argument(
        "--mismatch", action="store_true", help="also rows tested at another SNR than trained at"
    )
    how = parser.add_argument_group("how to fit")
    how.add_argument(
        "--form", type=_form, metavar="NAME|list", help="of the ladder (default: by --rule)"
    )
    how.add_argument("--rule", metavar="RULE", help="one-se (default), held-out, aicc or bic")
    how.add_argument(
        "--joint", action="store_true", help="one form for all groups, shape parameters pooled"
    )
    how.add_argument(
        "--prior", type=Path, metavar="SHARED.json", help="lean on the groups of a --joint fit"
    )
    how.add_argument(
        "--independent-images", action="store_true", help="cells share no test images"
    )  # fmt: skip
    how.add_argument("--robust", action="store_true", help="weigh outliers down (Huber)")
    how.add_argument(
        "--confidence", type=number(0.01, 0.9999), default=0.95, metavar="LEVEL",
        help="level of the parameters' intervals (default 0.95)",
    )  # fmt: skip
    how.add_argument(
        "--bootstraps", type=whole(0, 5000), default=1000, metavar="N",
        help="draws of the surface (default 1000)",
    )  # fmt: skip
    how.add_argument(
        "--seed", type=whole(0, 2**32 - 1), default=0, metavar="N", help="of the draws"
    )
    out = options.add_output(parser, strict=False)
    out.add_argument(
        "--out", type=Path, metavar="FILE|DIR",
        help="fit file, or folder of several (default: fits/ in the run, else by the table)",
    )  # fmt: skip
    out.add_argument("--report", type=Path, metavar="DIR", help="pictures, tables and a page")
    parser.needs("--joint", "--group-by", why="what it shares between, e.g. metric,receiver")
    parser.excludes("--joint", "--prior", why="one makes a prior, the other uses it")
    parser.excludes("--rule", "--joint", "--prior", "--form", why="nothing is left to choose")
    parser.excludes("--plot", "--group-by", why="it draws one surface; use --report DIR")


def _form(text: str) -> str | None:
    """Name of a form; None lets the rule choose."""
    return None if text == "auto" else text


def run(args: options.Args) -> int:
    """Fit and report."""
    if args.form == "list":
        print(json.dumps(_ladder()) if args.json else _ladder_text())
        return 0
    form = args.form or "auto"
    _check(args)
    from semloss.surfaces.files.fit_file import save
    from semloss.surfaces.fitting import pooling
    from semloss.surfaces.fitting.fit_surface import fit_surface
    from semloss.surfaces.fitting.summary import FitsSummary, FitSummary

    groups, told = _points(args)
    given = {
        "bootstraps": args.bootstraps, "confidence": args.confidence, "robust": args.robust,
        "reference": True, "independent_images": args.independent_images,
    }  # fmt: skip
    shared_path = None
    if args.joint:
        fits, shared = pooling.fit_joint(groups, form, args.seed, **given)
        shared_path = _folder(args) / "shared.json"
        pooling.save(shared, shared_path)
    elif args.prior:
        shared = pooling.load(args.prior)
        if form not in ("auto", shared.form):
            raise SemlossError(f"--form {form}: the prior is one of form {shared.form}")
        fits = [
            fit_surface(points, shared.form, args.seed, prior=shared.prior, **given)
            for points in groups
        ]
    else:
        fits = [
            fit_surface(points, form, args.seed, rule=args.rule or "one-se", **given)
            for points in groups
        ]
    found = [FitSummary(*one) for one in zip(fits, groups, _places(args, groups), strict=True)]
    notes(told)
    for one in found:
        save(one.fit, one.out)
    if args.report:
        from semloss.reports.fit.report import write_report

        write_report([(one.fit, one.points) for one in found], args.report)
    code = output(FitsSummary(found, shared_path) if args.group_by else found[0], args)
    if args.report and not args.json:
        print(f"report   {args.report / 'README.md'}")
    return code


def _check(args: options.Args) -> None:
    """Refuse what cannot be meant, before any work."""
    if not args.table:
        raise SemlossError("fit needs a TABLE or a RUN folder; semloss fit --help says more")
    if args.report:
        from semloss.reports.folder import refuse_foreign

        refuse_foreign(args.report)
        for option, place in (("--out", args.out), ("--plot", args.plot)):
            if place and place.resolve().is_relative_to(args.report.resolve()):
                raise SemlossError(
                    f"{option} {place} lies in the folder of --report, which holds nothing but "
                    "the report; name another place"
                )


def _points(args: options.Args) -> "tuple[list[Points], list[str]]":
    """Points of one surface, or of every group, and what the user should know."""
    from semloss.selection import select, select_groups
    from semloss.tables import load_table, parse_columns

    where = options.read_where(args)
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
    told = (*table.attrs["notes"], *told)
    return groups, [*told, *(note for points in groups for note in points.notes)]


def _in_todays_words(
    args: options.Args, table: "pd.DataFrame", by: list[str], where: dict[str, str]
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


def _folder(args: options.Args) -> Path:
    """Folder of several fit files."""
    if args.out:
        return Path(args.out)
    table: Path = args.table[0]
    alone = table.is_dir() and len(args.table) == 1
    return (table if alone else table.parent) / "fits"


def _places(args: options.Args, groups: "list[Points]") -> list[Path]:
    """Where each fit file goes."""
    if args.group_by:
        folder, names = _folder(args), [_name(points) for points in groups]
        if len(set(names)) < len(names):
            names = [f"{name}-{i}" for i, name in enumerate(names, start=1)]
        return [folder / f"{name}.json" for name in names]
    if args.out:
        return [args.out]
    table, name = args.table[0], f"{_name(groups[0])}.json"
    if table.is_dir() or len(args.table) > 1:
        return [_folder(args) / name]
    return [table.with_name(f"{table.stem}-{name}")]


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
