"""Many points at once: batches of cases, sweeps, tornado and Monte-Carlo."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from semloss.cli import plan_text
from semloss.errors import SemlossError
from semloss.planning.budget.points import ASKED, Defaults
from semloss.planning.budget.target import read_target
from semloss.planning.link.file import unknown_key
from semloss.planning.link.link import KEYS
from semloss.planning.link.quantities import read_quantity
from semloss.planning.link.template import link_path
from semloss.planning.planner import Link
from semloss.units import parse_cr

if TYPE_CHECKING:
    import pandas as pd

    from semloss.arrays import Array
    from semloss.planning.studies.tolerances import Tolerance
    from semloss.surfaces.fitted.fit import FittedSurface

_MOST_POINTS = 1_000_000
_ANSWERS = ("cr", "snr_db", "value", "low", "high", "in_domain", "required_snr_db",
            "snr_margin_db", "met", "images_per_s")  # fmt: skip


def run(args: argparse.Namespace, model: "FittedSurface", link: Link | None) -> int:
    """Answer the question that is asked of many points."""
    defaults = Defaults(
        model,
        link,
        cr=None if args.cr is None else parse_cr(args.cr, "--cr"),
        snr_db=args.snr_db,
        target=None if args.target is None else read_target(args.target, model),
        interval=0.95 if args.interval is None else args.interval,
    )
    if args.snr_db is not None and not np.isfinite(args.snr_db):
        raise SemlossError(f"--snr-db {args.snr_db}: give a finite Es/N0 in dB")
    plan_text.notes(() if link is None else link.warnings)
    if args.cases is not None:
        return _cases(args.cases, defaults)
    if args.sweep:
        return _sweep(args, defaults)
    tolerances = _tolerances(args)
    if args.tornado:
        return _tornado(args, defaults, tolerances)
    return _monte_carlo(args, defaults, tolerances)


def _cases(source: str, defaults: Defaults) -> int:
    """Answer records as they come, from a file or a pipe."""
    from semloss.planning.studies.case_files import run_cases

    if source == "-":
        count = run_cases(sys.stdin.buffer, sys.stdout, defaults)
    else:
        path = Path(source)
        if not path.is_file():
            raise SemlossError(f"cannot read cases {source}: no such file")
        with path.open("rb") as stream:
            count = run_cases(stream, sys.stdout, defaults)
    plan_text.notes([str(count)])
    return count.exit_code


def _sweep(args: argparse.Namespace, defaults: Defaults) -> int:
    from semloss.planning.studies.studies import sweep

    if len(args.sweep) > 2:
        raise SemlossError("--sweep: a sweep takes one field or two")
    fields: dict[str, Array] = {}
    for text in args.sweep:
        name, axis = _axis(text, defaults)
        if name in fields:
            raise SemlossError(f"--sweep {name} is given twice: sweep two different fields")
        fields[name] = axis
    points = int(np.prod([len(axis) for axis in fields.values()]))
    if points > _MOST_POINTS:
        raise SemlossError(f"--sweep: {points:,} points are more than {_MOST_POINTS:,}")
    table = sweep(defaults, fields)
    if not (np.isfinite(table["cr"]) & np.isfinite(table["snr_db"])).any():
        plan_text.notes(["no point of the sweep attains the target"])
    if args.csv:
        plan_text.save_table(args.csv, table)
    if args.plot:
        from semloss.reports.what_if.studies import sweep_plot

        sweep_plot(table, list(fields), defaults.model, args.plot)
    if args.json:
        answer = {"fields": list(fields), "rows": _rows(table)}
        plan_text.print_json(_about(defaults) | answer)
    else:
        shown = [name for name in dict.fromkeys((*fields, *_ANSWERS)) if name in table]
        print(_text(table, shown))
    return 0


def _axis(text: str, defaults: Defaults) -> "tuple[str, Array]":
    """Field and values of FIELD=A:B:N; ratios are spaced evenly in ln CR."""
    name, _, span = (part.strip() for part in text.partition("="))
    parts = [part.strip() for part in span.split(":")]
    if len(parts) != 3 or not parts[2].isdigit() or not 1 <= int(parts[2]) <= _MOST_POINTS:
        raise SemlossError(
            f"--sweep {text}: write FIELD=FIRST:LAST:NUMBER, e.g. elevation_deg=10:90:17"
        )
    count = int(parts[2])
    if name == "cr":
        return name, np.geomspace(parse_cr(parts[0], name), parse_cr(parts[1], name), count)
    if name == "target":
        first, last = (read_target(part, defaults.model) for part in parts[:2])
        return name, np.linspace(first, last, count)
    if name != "snr_db":
        if name not in KEYS:
            raise SemlossError(f"--sweep {text}: {unknown_key(KEYS, name)}, or one of "
                               f"{', '.join(ASKED)}")  # fmt: skip
        if KEYS[name].low is None:
            raise SemlossError(f"--sweep {text}: {name} is no number")
        if defaults.link is None:
            raise SemlossError(f"--sweep {text}: {name} is a key of the link; give --link")
    unit = "dB" if name == "snr_db" else KEYS[name].unit
    first, last = (read_quantity(part, unit, f"--sweep {name}") for part in parts[:2])
    return name, np.linspace(first, last, count)


def _tolerances(args: argparse.Namespace) -> "dict[str, Tolerance]":
    from semloss.planning.studies.tolerances import load_tolerances

    if args.tolerances is not None:
        return load_tolerances(args.tolerances)
    if args.link is None:
        raise SemlossError(
            "--tolerances FILE is missing: a TOML file with a table [tolerances], or a --link "
            "that has one"
        )
    return load_tolerances(link_path(args.link))


def _tornado(
    args: argparse.Namespace, defaults: Defaults, tolerances: "dict[str, Tolerance]"
) -> int:
    from semloss.planning.studies.studies import sensitivities

    table = sensitivities(defaults, tolerances)
    if args.csv:
        plan_text.save_table(args.csv, table)
    if args.plot:
        from semloss.reports.what_if.studies import tornado_plot

        tornado_plot(table, defaults.model, args.plot)
    if args.json:
        plan_text.print_json(_about(defaults) | {"rows": _rows(table)})
    else:
        print(_text(table))
    return 0


def _monte_carlo(
    args: argparse.Namespace, defaults: Defaults, tolerances: "dict[str, Tolerance]"
) -> int:
    from semloss.planning.studies.studies import monte_carlo

    if args.seed is not None and args.seed < 0:
        raise SemlossError(f"--seed {args.seed}: give a whole number that is not negative")
    found = monte_carlo(defaults, tolerances, args.monte_carlo, args.seed)
    plan_text.notes(
        f"tolerances.{name}: {100 * share:.3g} % of the draws rest at what {name} allows"
        for name, share in found.at_limit.items()
        if share > 0
    )
    if args.csv:
        plan_text.save_table(args.csv, found.samples)
    if args.plot:
        from semloss.reports.what_if.studies import monte_carlo_plot

        monte_carlo_plot(found, defaults.model, args.plot)
    if args.json:
        answer = {
            "draws": args.monte_carlo, "seed": found.seed,
            "met_probability": found.met_probability, "met_se": found.met_se,
            "at_limit": found.at_limit, "summary": _rows(found.summary),
        }  # fmt: skip
        plan_text.print_json(_about(defaults) | answer)
        return 0
    print(_text(found.summary))
    if defaults.target is not None:
        print(
            f"{defaults.model.metric} = {defaults.target:g} met in "
            f"{100 * found.met_probability:.4g} % ± {100 * found.met_se:.2g} % of "
            f"{args.monte_carlo:,} draws, seed {found.seed}"
        )
    return 0


def _about(defaults: Defaults) -> dict[str, Any]:
    """What a JSON answer says of the question."""
    model, link = defaults.model, defaults.link
    about = {
        "metric": model.metric,
        "receiver": model.receiver,
        "task": model.task,
        "target": defaults.target,
    }
    return about | {"link": None if link is None else link.name}


def _rows(table: "pd.DataFrame") -> list[dict[str, Any]]:
    return [{str(name): cell for name, cell in row.items()} for row in table.to_dict("records")]


def _text(table: "pd.DataFrame", shown: Sequence[str] | None = None) -> str:
    """Lay a table out in columns: all of them, or those to show."""
    names = [str(name) for name in table] if shown is None else shown
    return plan_text.frame_text(_rows(table), names)
