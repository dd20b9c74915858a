"""A ledger as a spreadsheet whose results are formulas, so that a number can be changed in it."""

import io
import math
import re
from typing import Any

from semloss.extras import optional
from semloss.planning.budget.ledger import Ledger
from semloss.planning.budget.ledger_rows import Row
from semloss.surfaces.fitted.fit import Fit
from semloss.surfaces.forms import FORMS
from semloss.surfaces.forms.rendering import spreadsheet

_HEAD = ("", "quantity", "symbol", "value", "unit", "note", "key")
_WIDTHS = (4, 38, 10, 16, 12, 60, 26)
_VALUE = "D"
#: Rows whose note says whether they are kept, which the spreadsheet judges itself.
_JUDGED = ("snr_margin_db", "excess_db", "confident_margin_db")
#: Rows that follow from the fit in a way that no cell can hold.
_STILL = (
    "metric_correction",
    "metric_low",
    "metric_high",
    "in_domain",
    "required_snr_db",
    "confident_snr_db",
)
_NOT_LIVE = "not live: of the fit, where it was asked"


def ledger_workbook(ledger: Ledger) -> bytes:
    """Write the ledger as an XLSX file.

    Rows with a formula hold it, in terms of the cells of other rows, with its value beside it for
    readers that do not calculate; the predicted metric is the fit's own formula and what that
    misses at the point asked; inputs are blue.
    What a model computed, rain by statistics or the band of the fit, is a number, and its note
    says so.

    Raises
    ------
    SemlossError
        When `xlsxwriter` is not installed.
    """
    missing = '*.xlsx needs the package xlsxwriter: pip install "semloss[xlsx]"'
    content = io.BytesIO()
    book = optional("xlsxwriter", missing).Workbook(content, {"in_memory": True})
    sheet: Any = book.add_worksheet("ledger")
    bold = {"bold": True}
    sheet.write_string("A1", ledger.link.name, book.add_format(bold | {"font_size": 14}))
    sheet.write_row("A2", _HEAD, book.add_format(bold))
    titles = book.add_format(bold | {"bg_color": "#E8E8E8"})
    middle = book.add_format({"align": "center"})
    lines = _lines(ledger)
    cells = {row.key: f"{_VALUE}{number + 1}" for number, row in lines.items() if row is not None}
    sections = iter(dict.fromkeys(row.section for row in ledger.lines))
    for number, row in lines.items():
        if row is None:
            sheet.write_row(number, 0, (next(sections), *[""] * (len(_HEAD) - 1)), titles)
            continue
        formula = _metric(ledger.fit) if row.key == "metric" and ledger.fit else row.formula
        look: dict[str, Any] = {"num_format": "0.00" if row.unit.startswith("dB") else "General"}
        look |= {"bold": row.sign == "="} if formula else {"font_color": "#1F4E9E"}
        sheet.write_string(number, 0, row.sign, middle)
        for column, text in ((1, row.name), (2, row.symbol), (4, row.unit), (6, row.key)):
            sheet.write_string(number, column, text)
        if formula:
            told = "=" + re.sub(r"\{(\w+)\}", lambda match: cells[match[1]], formula)
            sheet.write_formula(number, 3, told, book.add_format(look), row.value)
        elif not math.isnan(row.value):
            sheet.write_number(number, 3, row.value, book.add_format(look))
        _note(sheet, number, row, cells)
    last = max(lines) + 2
    sheet.write_row(last, 0, ("Assumed", *[""] * (len(_HEAD) - 1)), titles)
    for number, (name, text) in enumerate(ledger.assumed.items(), start=last + 1):
        sheet.write_string(number, 1, name)
        sheet.write_string(number, 5, text)
    for column, width in enumerate(_WIDTHS):
        sheet.set_column(column, column, width)
    sheet.freeze_panes(2, 0)
    book.close()
    return content.getvalue()


def _note(sheet: Any, number: int, row: Row, cells: dict[str, str]) -> None:  # noqa: ANN401
    """What a row says beside its value, judged anew where that depends on numbers."""
    if row.key in _JUDGED and row.note:
        kept = cells.get("margin_db", "0") if row.key == "confident_margin_db" else "0"
        judged = f'=IF({cells[row.key]}>={kept},"met","NOT MET")'
        sheet.write_formula(number, 5, judged, None, row.note)
    elif row.key in _STILL:
        sheet.write_string(number, 5, "; ".join(part for part in (row.note, _NOT_LIVE) if part))
    else:
        sheet.write_string(number, 5, row.note)


def _metric(fit: Fit) -> str:
    """Formula of a fit's metric in the cells of CR and SNR."""
    form = FORMS[fit.form]
    values = dict(zip(form.names, (f"{value!r}" for value in fit.parameters.tolist()), strict=True))
    missed = "" if fit.correction is None else "+{metric_correction}"
    if not form.has_range:
        return next(iter(values.values())) + missed
    gain = spreadsheet(form.expression, values | {"x": "LN({cr})", "snr_db": "{snr_db}"})
    levels = fit.parameters[: len(form.levels)]
    floor, ceiling = float(levels[0]), float(levels[-1])
    return f"{floor!r}+({ceiling!r}-({floor!r}))*({gain}){missed}"


def _lines(ledger: Ledger) -> dict[int, Row | None]:
    """Rows by their line, counted from 0; None stands where a section's title goes."""
    lines: dict[int, Row | None] = {}
    number, section = 2, None
    for row in ledger.lines:
        if row.section != section:
            lines[number] = None
            number, section = number + 1, row.section
        lines[number] = row
        number += 1
    return lines
