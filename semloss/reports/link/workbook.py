"""A ledger as a spreadsheet whose results are formulas, so that a number can be changed in it."""

import io
import math
import re
from typing import Any

from semloss.errors import SemlossError
from semloss.planning.budget.ledger import Ledger
from semloss.planning.budget.ledger_rows import Row

_HEAD = ("", "quantity", "symbol", "value", "unit", "note", "key")
_WIDTHS = (4, 38, 10, 16, 12, 60, 26)
_VALUE = "D"


def ledger_workbook(ledger: Ledger) -> bytes:
    """Write the ledger as an XLSX file.

    Rows with a formula hold it, in terms of the cells of other rows; inputs are blue. What a
    model computed, rain by statistics or the metric of the fit, is a number, and its note says so.

    Raises
    ------
    SemlossError
        When `openpyxl` is not installed.
    """
    try:
        from openpyxl import Workbook
        from openpyxl.styles import Alignment, Font, PatternFill
    except ImportError:
        missing = '*.xlsx needs the package openpyxl: pip install "semloss[xlsx]"'
        raise SemlossError(missing) from None
    book = Workbook()
    sheet: Any = book.active
    sheet.title = "ledger"
    sheet.append([ledger.link.name])
    sheet["A1"].font = Font(bold=True, size=14)
    sheet["A1"].data_type = "s"  # a name that begins with "=" is no formula
    sheet.append(_HEAD)
    for cell in sheet[2]:
        cell.font = Font(bold=True)
    lines = _lines(ledger)
    cells = {row.key: f"{_VALUE}{number}" for number, row in lines.items() if row is not None}
    sections = iter(dict.fromkeys(row.section for row in ledger.lines))
    for number, row in lines.items():
        if row is None:
            sheet.cell(number, 1, next(sections)).font = Font(bold=True)
            for column in range(1, len(_HEAD) + 1):
                sheet.cell(number, column).fill = PatternFill("solid", fgColor="E8E8E8")
            continue
        content = (row.sign, row.name, row.symbol, _value(row, cells), row.unit, row.note, row.key)
        for column, item in enumerate(content, start=1):
            cell = sheet.cell(number, column)
            cell.value = item
            # A lone sign is text, not the start of a formula.
            cell.data_type = "s" if column == 1 else cell.data_type
        sheet.cell(number, 1).alignment = Alignment(horizontal="center")
        value = sheet.cell(number, 4)
        value.number_format = "0.00" if row.unit.startswith("dB") else "General"
        if row.formula:
            value.font = Font(bold=row.sign == "=")
        else:
            value.font = Font(color="1F4E9E")
    for letter, width in zip("ABCDEFG", _WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A3"
    content_bytes = io.BytesIO()
    book.save(content_bytes)
    return content_bytes.getvalue()


def _lines(ledger: Ledger) -> dict[int, Row | None]:
    """Line numbers of the rows; None stands where a section's title goes."""
    lines: dict[int, Row | None] = {}
    number, section = 3, None
    for row in ledger.lines:
        if row.section != section:
            lines[number] = None
            number, section = number + 1, row.section
        lines[number] = row
        number += 1
    return lines


def _value(row: Row, cells: dict[str, str]) -> str | float | None:
    """Formula with the cells of the rows it names, or the number."""
    if row.formula:
        return "=" + re.sub(r"\{(\w+)\}", lambda match: cells[match[1]], row.formula)
    return None if math.isnan(row.value) else row.value
