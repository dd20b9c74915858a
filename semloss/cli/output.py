"""The one way that an answer becomes text, JSON, a table, a picture and an exit code."""

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from semloss.answers import Answer, comment, plain
from semloss.errors import OutsideDomain, TargetNotAttainable
from semloss.storage import write_atomically
from semloss.text import one_line, safe


def output(
    answer: Answer, args: argparse.Namespace, write: Callable[[], object] | None = None
) -> int:
    """Give an answer wherever it is asked for, and return the exit code.

    0 answered, and met where a target was given; 3 not met. What is outside the fitted domain, or
    of other images than the fit's, is refused under ``--strict`` (4) before anything is written,
    by `write` too.
    """
    if getattr(args, "strict", False) and answer.in_domain is False:
        where = f", {answer.domain}" if answer.domain else ""
        what = f"{answer.place} lies" if answer.place else "the answer lies, in part or whole,"
        raise OutsideDomain(
            f"{what} outside the fitted domain{where}; ask within it or extend the grid"
        )
    if getattr(args, "strict", False) and answer.other_images:
        raise OutsideDomain(f"the images are not those of the fit: {answer.other_images}")
    if write is not None:
        write()
    if getattr(args, "plot", None):
        answer.plot(args.plot)
    if getattr(args, "csv", None):  # after the picture, which may leave a table of the same name
        write_atomically(args.csv, comment(answer.assumed) + csv_text(answer.rows()))
    warnings = list(dict.fromkeys(answer.warnings))
    notes(warnings)
    if args.json:
        beside = {"warnings": warnings, "assumed": answer.assumed}
        print_json(answer.to_dict() | {name: value for name, value in beside.items() if value})
    else:
        print(safe(answer.text()))
    return TargetNotAttainable.exit_code if answer.met is False else 0


def notes(lines: Iterable[str]) -> None:
    """Tell what a reader should know, each line once."""
    for line in dict.fromkeys(lines):
        print(f"semloss: {one_line(line)}", file=sys.stderr)


def print_json(answer: Mapping[str, Any]) -> None:
    """Print one JSON object; what is no finite number is null."""
    print(json.dumps(plain(answer), allow_nan=False))


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Records as CSV, numbers to their last digit; unknown is blank."""
    import csv
    import io

    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:  # noqa: ANN401 - a cell
    value = value.item() if hasattr(value, "item") else value  # numpy's numbers as Python's
    return "" if isinstance(value, float) and math.isnan(value) else value
