"""A ledger as text, Markdown, CSV, JSON, spreadsheet or picture."""

import csv
import io
import json
import math
from itertools import groupby
from pathlib import Path

from semloss.errors import SemlossError
from semloss.planning.budget.ledger import Ledger
from semloss.planning.budget.ledger_rows import Row
from semloss.storage import write_atomically

_MINUS = "−"
#: Digits after the point by unit; other units show six significant digits.
_DECIMALS = {"K": 1, "km": 1, "deg": 1}


def shown(row: Row) -> str:
    """Write a row's value as planners print it: decibels with two digits, rates with none."""
    if row.key == "in_domain":
        return "yes" if row.value else "NO"
    if math.isnan(row.value):
        return "unknown"
    if row.unit.startswith("dB"):
        return f"{row.value:.2f}"
    if row.unit in _DECIMALS:
        return f"{row.value:.{_DECIMALS[row.unit]}f}"
    if abs(row.value) >= 1000:
        return f"{row.value:,.0f}"
    return f"{row.value:.6g}" if row.key in ("cr", "samples_per_image") else f"{row.value:.4g}"


def ledger_text(ledger: Ledger) -> str:
    """Lay the ledger out in aligned columns for a terminal."""
    width = max(len(row.name) for row in ledger.rows)
    marks = max(len(row.symbol) for row in ledger.rows)
    digits = max(len(shown(row)) for row in ledger.rows)
    units = max(len(row.unit) for row in ledger.rows)
    lines = [ledger.link.name]
    for section, rows in groupby(ledger.rows, key=lambda row: row.section):
        lines += ["", section]
        lines += [
            f"  {_sign(row)} {row.name:<{width}}  {row.symbol:<{marks}}  "
            f"{shown(row):>{digits}} {row.unit:<{units}}  {row.note}".rstrip()
            for row in rows
        ]
    return "\n".join(lines)


def ledger_markdown(ledger: Ledger) -> str:
    """Lay the ledger out as a Markdown table."""
    lines = [
        f"# {ledger.link.name}",
        "",
        "| | quantity | symbol | value | unit | note |",
        "|---|---|---|--:|---|---|",
    ]
    for section, rows in groupby(ledger.rows, key=lambda row: row.section):
        lines.append(f"| | **{section}** | | | | |")
        for row in rows:
            value = f"**{shown(row)}**" if row.sign == "=" else shown(row)
            cells = (_sign(row), row.name, row.symbol, value, row.unit, row.note)
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def ledger_csv(ledger: Ledger) -> str:
    """Write the ledger as CSV, values in full precision."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["section", "key", "name", "symbol", "sign", "value", "unit", "note"])
    for row in ledger.rows:
        writer.writerow(
            [row.section, row.key, row.name, row.symbol, row.sign, repr(float(row.value)), row.unit,
             row.note]
        )  # fmt: skip
    return text.getvalue()


def ledger_json(ledger: Ledger) -> str:
    """Write the ledger as JSON, values in full precision."""
    return json.dumps(ledger.to_dict(), indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def write_ledger(ledger: Ledger, path: Path) -> None:
    """Write a ledger; the suffix tells how.

    `.txt`, `.md`, `.csv`, `.json`, `.xlsx` with live formulas (needs ``semloss[xlsx]``), or
    `.png`, `.pdf`, `.svg` for the waterfall chart.

    Raises
    ------
    SemlossError
        When the suffix is none of these or the place cannot be written.
    """
    kind = path.suffix.lower()
    writers = {".md": ledger_markdown, ".csv": ledger_csv, ".json": ledger_json}
    if kind == ".txt":
        write_atomically(path, ledger_text(ledger) + "\n")
    elif kind in writers:
        write_atomically(path, writers[kind](ledger))
    elif kind == ".xlsx":
        from semloss.reports.link.workbook import ledger_workbook

        write_atomically(path, ledger_workbook(ledger))
    elif kind in (".png", ".pdf", ".svg"):
        from semloss.reports.link.waterfall import waterfall_plot

        waterfall_plot(ledger, path)
    else:
        raise SemlossError(
            f"{path}: name a ledger *.txt, *.md, *.csv, *.json, *.xlsx, or a chart *.png, *.pdf, "
            "*.svg"
        )


def _sign(row: Row) -> str:
    return _MINUS if row.sign == "-" else row.sign or " "
