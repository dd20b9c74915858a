"""`semloss collect`: train and measure a grid."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from semloss.cli.options import Args
from semloss.cli.output import print_json
from semloss.cli.parser import Parser, whole
from semloss.errors import SemlossError
from semloss.interruption import stoppable

if TYPE_CHECKING:
    from semloss.collect.collecting import Schedule

ABOUT = (
    "Train a grid of DeepJSCC codecs over CR = k/n and SNR = Es/N0 and measure reconstruction and "
    "task performance into tidy tables. An interrupted run goes on when the same command is given "
    "again."
)
EXAMPLE = "semloss collect --preset demo --set grid.snr_db=0,4,8; --preset list names the presets"


def define(parser: Parser) -> None:
    """Define the command's options."""
    parser.add_argument(
        "experiment", nargs="?", type=Path, metavar="EXPERIMENT",
        help="TOML file; without one, the preset; with both, what changes the preset",
    )  # fmt: skip
    parser.add_argument("--preset", metavar="NAME", help='a built-in experiment (default "demo")')
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="changes",
        help="change one key, e.g. --set grid.snr_db=0,4,8; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--scale", type=float, default=1.0, metavar="S",
        help="images of a class and training steps times S, in (0, 1], e.g. 0.1 for a trial",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="DIR", help="run folder (default runs/NAME)")
    parser.add_argument(
        "--engine", default="processes", metavar="NAME", help="serial, processes (default) or ray"
    )
    parser.add_argument(
        "--jobs", type=whole(1, 4096), metavar="N",
        help="units at a time (default: cores; on a GPU 24, trained together)",
    )  # fmt: skip
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument(
        "--dry-run", action="store_true", help="print cells, what is cached and the time; stop"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: Args) -> int:
    """Collect, or say what collecting would do; a signal to stop ends it in one line."""
    with stoppable():
        try:
            return _run(args)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                "interrupted; the same command goes on from what is done"
            ) from None


def _run(args: Args) -> int:
    from semloss.collect import collecting
    from semloss.collect.engines import engine_named
    from semloss.collect.experiment import presets, read_experiment

    if args.preset == "list":
        if args.json:
            told = ("description", "expected")
            found = presets().items()
            print_json({"presets": [{"preset": n} | {k: t[k] for k in told} for n, t in found]})
            return 0
        for name, tables in presets().items():
            print(f"{name}: {tables['description']}")
            print(f"  expect {tables['expected']}")
        print("semloss collect --preset NAME --dry-run says how long one takes on this machine")
        return 0
    engine_named(args.engine)
    device = collecting.resolve_device(args.device)
    alone = args.engine == "serial" and device == "cpu"
    if alone and args.jobs not in (None, 1):
        raise SemlossError(f"--jobs {args.jobs}: the serial engine does one unit at a time")
    experiment = read_experiment(args.experiment, args.preset, args.changes, args.scale, device)
    schedule = collecting.prepare(experiment, args.out, device, collecting.say)
    jobs = 1 if alone else args.jobs or collecting.default_jobs(schedule)
    if args.dry_run:
        _dry_run(schedule, jobs, args.json)
        return 0
    summary = collecting.collect(schedule, args.engine, jobs, collecting.say)
    if args.json:
        print(json.dumps(summary))
    if len(summary["diverged"]) == summary["in_folder"]:
        raise SemlossError(
            f"nothing to fit: all {summary['in_folder']} cells diverged; cells.csv in "
            f"{summary['run']} says at which learning rates. Lower train.*.lr or task.*.lr, or "
            "train for more steps, in another folder (--out)"
        )
    if args.json:
        return 0
    print(
        (schedule.run.path / "README.md").read_text(encoding="utf-8").split("## Files")[0].strip()
    )
    for line in summary["not_monotone"]:
        print(f"not monotone: {line}")
    if summary["without_outcomes"]:
        print(
            f"outcomes of single images: none of {len(summary['without_outcomes'])} cells, which "
            "were measured before they were kept; delete their measured.json and collect again: "
            "they are measured anew, not trained"
        )
    print(f"\ntables: {' '.join(summary['tables'])}")
    if summary["rate_curve"]:
        print(f"curve of source codecs, for semloss plan against FIT: {summary['rate_curve']}")
    print(f"next: {summary['next']}")
    return 0


def _dry_run(schedule: "Schedule", jobs: int, as_json: bool) -> None:
    """Print the cells, what is finished already, and the estimate."""
    from semloss.collect.collecting import time_needed
    from semloss.collect.estimate import as_duration
    from semloss.collect.units import KINDS
    from semloss.units import format_cr

    figures, seconds = time_needed(schedule, jobs)
    seconds += figures.took_s  # a collect finds it out as well
    left = {unit.folder for unit in schedule.unfinished() if not schedule.cached(unit)}
    folders = {unit.folder: unit for unit in schedule.units}
    rows = []
    for unit in folders.values():
        row: dict[str, object] = {
            "kind": unit.kind,
            "name": unit.name,
            "cached": unit.folder not in left,
        }
        if unit.scheme is not None:
            realised = unit.scheme.realisation
            row |= {
                "cr_nominal": realised.cr_nominal,
                "cr": unit.scheme.cr,
                "setting": realised.label,
                "k": unit.scheme.k,
                "snr_db": unit.snr_db,
            }
        rows.append(row)
    if as_json:
        told = {"run": str(schedule.run.path), "units": rows, "estimate_s": seconds}
        print(json.dumps(told | {"estimate_is_at_least": figures.at_least}))
        return
    print(f"{'CR asked':>10} {'CR':>10} {'setting':>12} {'k':>6} {'SNR dB':>7}  cell")
    for unit in schedule.cells:
        one = unit.own_scheme.realisation
        state = "to do" if unit.folder in left else "finished"
        print(
            f"{format_cr(one.cr_nominal):>10} {format_cr(one.cr):>10} {one.label:>12} {one.k:>6} "
            f"{unit.snr_db:>7g}  {unit.name} ({state})"
        )
    kinds = {kind: sum(u.kind == kind for u in folders.values()) for kind in KINDS[:-1]}
    shared = ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count)
    first = f"and first: {shared}; " if shared else ""
    print(f"{first}{len(left)} of {len(folders)} units to do")
    least = "at least " * figures.at_least
    print(f"estimate: {least}{as_duration(seconds)} with {jobs} at a time")
