"""Files of any origin, read untyped: what is no table is said in one line."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd

from semloss.errors import SemlossError

_PARQUET = b"PAR1"
_FOREIGN = {
    b"PK\x03\x04": "a workbook or an archive; save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "a workbook; save the sheet as CSV",
    b"\x1f\x8b": "packed with gzip; unpack it first",
    b"\xff\xfe": "in UTF-16; save it as UTF-8",
    b"\xfe\xff": "in UTF-16; save it as UTF-8",
}
"""How files begin that people take for tables, and what they are."""
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def find_file(path: Path) -> Path:
    """Metrics file that a path means: itself, or the one of a run folder.

    Raises
    ------
    SemlossError
        When nothing is there, or a folder holds no metrics table.
    """
    if not path.exists():
        raise SemlossError(f"{path}: no such table or run folder")
    if not path.is_dir():
        return path
    for name in ("metrics.parquet", "tables/metrics.parquet", "metrics.csv", "tables/metrics.csv"):
        if (path / name).is_file():
            return path / name
    raise SemlossError(
        f"{path}: no metrics table in this folder; run semloss collect there first, or name the "
        "CSV or parquet file"
    )


def read_file(file: Path) -> pd.DataFrame:
    """Read a CSV (as text) or a parquet file, indexed by its row numbers.

    Raises
    ------
    SemlossError
        When the file cannot be read or is neither.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise SemlossError(f"cannot read {file}: {error.strerror}") from error
    if data.lstrip()[:1] in (b"[", b"{"):
        return _read_records(file, data)
    if data.startswith(_PARQUET) or file.suffix.lower() in (".parquet", ".pq"):
        return _read_parquet(file, data)
    return _read_csv(file, data)


def _read_records(file: Path, data: bytes) -> pd.DataFrame:
    """JSON records, in a list or one a line; the first is row 1."""
    try:
        records = _records(data)
    except (ValueError, RecursionError):
        raise SemlossError(f"{file} is no whole JSON list (cut short?); write it again") from None
    if b'"semloss-fit"' in data[:200]:
        raise SemlossError(
            f"{file} is a fit file: give the run folder or the table that it was fitted to"
        )
    if not records or not all(isinstance(record, dict) for record in records):
        raise SemlossError(f"{file}: a JSON table is a list of objects, one per measurement")
    frame = pd.DataFrame(records, dtype=object)
    frame.columns = [str(name).strip() for name in frame.columns]
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return frame.fillna("")


def _records(data: bytes) -> list[Any]:
    """Records of a JSON file: a list, one a line, the only list of an object, or its columns."""
    try:
        found = json.loads(data)
    except ValueError:
        return [json.loads(line) for line in data.splitlines() if line.strip()]
    if isinstance(found, list):
        return found
    lists = [value for value in found.values() if isinstance(value, list)]
    if len(lists) == 1 and all(isinstance(record, dict) for record in lists[0]):
        return lists[0]
    if not lists or len(lists) < len(found) or len({len(column) for column in lists}) > 1:
        return []
    return [dict(zip(found, row, strict=True)) for row in zip(*lists, strict=True)]


def _read_parquet(file: Path, data: bytes) -> pd.DataFrame:
    """Columns of a parquet file, its named index among them; the first row is row 1."""
    from pyarrow import ArrowException

    if not data.startswith(_PARQUET):
        raise SemlossError(f"{file} is no parquet file; give a CSV another ending")
    if not data.endswith(_PARQUET):
        raise SemlossError(f"{file} is no whole parquet file (cut short?); copy or write it again")
    try:
        frame = pd.read_parquet(io.BytesIO(data))
    except (ArrowException, OSError, ValueError) as error:
        raise SemlossError(f"{file}: damaged parquet file ({_first_line(error)})") from error
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    frame.columns = [str(name).strip() for name in frame.columns]
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return frame


def _read_csv(file: Path, data: bytes) -> pd.DataFrame:
    """Cells of a CSV as text; the header is row 1, and blank rows are left out.

    Lines that begin with # are comments: those before the header count as rows, as in an editor.
    """
    text, skipped = _without_comments(_text(file, data))
    header = text.splitlines()[0]
    if not header.strip(" ,;\t"):
        raise SemlossError(f"{file}, row 1 is blank; it must name the columns")
    for separator, what in _SEPARATORS.items():
        if separator in header and "," not in header:
            raise SemlossError(
                f"{file}: its columns are separated by {what}; save it with commas between "
                "columns and points in numbers"
            )
    try:
        cells = pd.read_csv(
            io.StringIO(text), header=None, dtype=str, keep_default_na=False,
            skip_blank_lines=False,
        )  # fmt: skip
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise SemlossError(f"{file} is no CSV or parquet table: {_complaint(error)}") from error
    cells = cells.fillna("")
    names = [str(name).strip() for name in cells.iloc[0]]
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise SemlossError(f"{file}: two columns are called {twice!r}; rename or remove one")
    frame = cells.iloc[1:].set_axis(names, axis="columns")
    frame.index = pd.RangeIndex(2 + skipped, len(frame) + 2 + skipped)
    return frame.loc[(frame != "").any(axis=1)]


def _without_comments(text: str) -> tuple[str, int]:
    """A text from its header on, comments in it as blank lines, and how many lines went before.

    A comment right above a row of numbers is their header, as numpy writes it.
    """
    lines = text.split("\n")
    start = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    bare = [re.sub(r"[\s,;\d.eE+/-]", "", line) for line in lines[start : start + 1]]
    if start and bare in ([""], []):
        start -= 1
        lines[start] = lines[start].lstrip("# ")
    return "\n".join("" if line.startswith("#") else line for line in lines[start:]), start


def _text(file: Path, data: bytes) -> str:
    """Content of a text file."""
    for beginning, what in _FOREIGN.items():
        if data.startswith(beginning):
            raise SemlossError(f"{file} is no CSV or parquet table: it is {what}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SemlossError(
            f"{file} is no CSV or parquet table: byte {error.start} is no UTF-8 text; "
            "save it as UTF-8"
        ) from None
    if "\0" in text:
        raise SemlossError(f"{file} is no CSV or parquet table: it is binary")
    if not text.strip():
        raise SemlossError(f"{file} is no CSV or parquet table: it is empty")
    return text


def _complaint(error: Exception) -> str:
    """A parser's complaint in our words."""
    unequal = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
    if unequal:
        expected, row, saw = unequal.groups()
        return (
            f"row {row} has {saw} fields where the header names {expected} columns; write "
            "decimal points, not commas, and quote text that holds commas"
        )
    return _first_line(error).removeprefix("Error tokenizing data. C error: ")


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].strip() if lines else "unreadable"
