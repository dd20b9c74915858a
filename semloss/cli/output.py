"""The one way that an answer becomes text, JSON, a table, a picture and an exit code."""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from semloss.answers import Answer, plain
from semloss.errors import OutsideDomain, TargetNotAttainable
from semloss.storage import picture_kind, write_atomically


def output(answer: Answer, args: argparse.Namespace) -> int:
    """Give an answer wherever it is asked for, and return the exit code.

    0 answered, and met where a target was given; 3 not met. What is outside the fitted domain is
    refused under ``--strict`` (4) before anything is written.
    """
    if args.strict and answer.in_domain is False:
        where = f", {answer.domain}" if answer.domain else ""
        raise OutsideDomain(
            f"the answer lies, in part or whole, outside the fitted domain{where}; ask within it "
            "or extend the grid"
        )
    if getattr(args, "plot", None):
        answer.plot(args.plot)
    if getattr(args, "csv", None):  # after the picture, which may leave a table of the same name
        write_csv(args.csv, answer.rows())
    notes(answer.warnings)
    if args.json:
        print_json(answer.to_dict())
    else:
        print(answer.text())
    return TargetNotAttainable.exit_code if answer.met is False else 0


def notes(lines: Iterable[str]) -> None:
    """Tell what a reader should know, each line once."""
    for line in dict.fromkeys(lines):
        print(f"semloss: {line}", file=sys.stderr)


def print_json(answer: Mapping[str, Any]) -> None:
    """Print one JSON object; what is no finite number is null."""
    print(json.dumps(plain(answer), allow_nan=False))


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write records as CSV."""
    import pandas as pd

    write_atomically(path, pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))


def picture(text: str) -> Path:
    """Path of a picture, as an option's type: a suffix of another kind is refused at once."""
    path = Path(text)
    picture_kind(path)
    return path
