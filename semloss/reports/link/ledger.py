"""A ledger as text, Markdown, CSV, JSON, spreadsheet or picture."""

import csv
import io
import json
from itertools import groupby
from pathlib import Path

from semloss.answers import comment
from semloss.errors import SemlossError
from semloss.planning.budget.ledger import Ledger, shown, sign
from semloss.storage import write_atomically


def ledger_markdown(ledger: Ledger) -> str:
    """Lay the ledger out as a Markdown table."""
    lines = [
        f"# {ledger.link.name}",
        "",
        "| | quantity | symbol | value | unit | note |",
        "|---|---|---|--:|---|---|",
    ]
    for section, rows in groupby(ledger.lines, key=lambda row: row.section):
        lines.append(f"| | **{section}** | | | | |")
        for row in rows:
            value = f"**{shown(row)}**" if row.sign == "=" else shown(row)
            cells = (sign(row), row.name, row.symbol, value, row.unit, row.note)
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    told = "; ".join(f"{name} {text}" for name, text in ledger.assumed.items())
    return "\n".join([*lines, "", f"Assumed: {told}"]) + "\n"


def ledger_csv(ledger: Ledger) -> str:
    """Write the ledger as CSV, values in full precision, under what it assumes as comments."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["section", "key", "name", "symbol", "sign", "value", "unit", "note"])
    for row in ledger.lines:
        writer.writerow(
            [row.section, row.key, row.name, row.symbol, row.sign, repr(float(row.value)), row.unit,
             row.note]
        )  # fmt: skip
    return comment(ledger.assumed) + text.getvalue()


def ledger_json(ledger: Ledger) -> str:
    """Write the ledger as JSON, values in full precision."""
    content = ledger.to_dict() | {"assumed": ledger.assumed}
    del content["values"]
    return json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def write_ledger(ledger: Ledger, path: Path | str) -> None:
    """Write a ledger; the suffix tells how.

    `.txt`, `.md`, `.csv`, `.json`, `.xlsx` with live formulas (needs ``semloss[xlsx]``), or
    `.png`, `.pdf`, `.svg` for the waterfall chart.

    Raises
    ------
    SemlossError
        When the suffix is none of these or the place cannot be written.
    """
    path = Path(path)
    kind = path.suffix.lower()
    writers = {".md": ledger_markdown, ".csv": ledger_csv, ".json": ledger_json}
    if kind == ".txt":
        write_atomically(path, f"{ledger.text()}\n")
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
