"""`semloss allocate`: bandwidth and power shared among users with different tasks."""

import argparse
import csv
import io
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semloss.errors import SemlossError

if TYPE_CHECKING:
    from semloss.planning.sharing.allocation import Allocation


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Define the command's options."""
    parser = subparsers.add_parser(
        "allocate",
        help="share bandwidth and power among users with different tasks",
        description="Share bandwidth and power among users so that the smallest weighted "
        "performance is greatest; or, with --least-power, so that everyone meets its target with "
        "the least total power. Exact on the grid of sub-bands.",
    )
    parser.add_argument(
        "users", type=Path, nargs="?", metavar="USERS.toml", help="users and what they share"
    )
    parser.add_argument(
        "--template", action="store_true", help="print a commented USERS.toml to start from"
    )
    parser.add_argument(
        "--least-power", action="store_true", help="least total power that meets every target"
    )
    parser.add_argument(
        "--power-w", type=float, metavar="W", help="total power instead of the file's"
    )
    parser.add_argument("--csv", type=Path, metavar="CSV", help="also write the shares as CSV")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Share and report."""
    from dataclasses import replace

    from semloss.planning.sharing.allocation import least_power, maximise_minimum
    from semloss.planning.sharing.users import TEMPLATE, read_users
    from semloss.storage import write_atomically

    if args.template:
        sys.stdout.write(TEMPLATE)
        return 0
    if args.users is None:
        raise SemlossError("allocate takes USERS.toml; semloss allocate --template prints one")
    users, pool = read_users(args.users)
    if args.power_w is not None:
        pool = replace(pool, total_power_w=args.power_w)
    answer = (least_power if args.least_power else maximise_minimum)(users, pool)
    if args.csv:
        write_atomically(args.csv, _csv(answer))
    print(json.dumps(_summary(answer), allow_nan=False) if args.json else answer.text())
    return 0


def _csv(answer: "Allocation") -> str:
    text = io.StringIO()
    rows = answer.rows()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _summary(answer: "Allocation") -> dict[str, Any]:
    """Content of the JSON answer; what does not apply is null."""
    from dataclasses import asdict

    def plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
        return None if isinstance(value, float) and not math.isfinite(value) else value

    summary = {key: plain(value) for key, value in asdict(answer).items() if key != "shares"}
    shares = [{key: plain(value) for key, value in row.items()} for row in answer.rows()]
    return {**summary, "shares": shares}
