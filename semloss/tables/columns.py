"""Column mapping: tables of other origin, with other names and units, in our columns.

A mapping says, for a column of ours, which column of the file it is read from::

    snr_db=SNR                  another name
    value=acc/100               another unit: + - * / with a number
    cr=symbols/3072             channel uses per image over samples per image
    cr=1/ratio, cr=k/n          the inverse, or two columns of the file
    cr=1/24, metric=psnr_db     the same in every row, where no column is called so
    snr_db=dB(snr_linear)       10·log10
    value=PSNR,SSIM             one column per metric: each becomes rows of its own

A column whose very name holds an operator (``k/n``, ``MS-SSIM``) is found by its full name first.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from semloss.arrays import Array
from semloss.errors import SemlossError
from semloss.facts import spelled
from semloss.tables.cells import cell_number, cell_text
from semloss.tables.naming import error_column, listing, metric_name, plain
from semloss.tables.schema import METRICS_COLUMNS, NUMBERS
from semloss.text import meant

_OF_ONE_METRIC = ("metric", "sd", "se", "direction", "floor", "ceiling")
"""Columns of the file that cannot hold for several value columns at once."""


def parse_columns(choices: Iterable[str]) -> dict[str, str]:
    """Read column mappings as the command line takes them.

    Parameters
    ----------
    choices
        Texts such as ``"snr_db=SNR,value=acc/100"``.

    Returns
    -------
    dict
        Our column -> what it is read from. Several columns for ``value`` stay joined by commas.

    Raises
    ------
    SemlossError
        When a text is no mapping, or one names an unknown column of ours or names it twice.
    """
    columns: dict[str, str] = {}
    for choice in choices:
        for part in re.split(r",(?=\s*[A-Za-z_]\w*\s*=)", choice):
            ours, equals, theirs = (text.strip() for text in part.partition("="))
            if not (ours and equals and theirs):
                raise SemlossError(
                    f"--columns {part.strip()}: write OURS=THEIRS, e.g. snr_db=SNR,value=acc/100"
                )
            if ours in columns and ours != "value":
                raise SemlossError(f"--columns {ours}: mapped twice, drop one")
            columns[ours] = f"{columns[ours]},{theirs}" if ours in columns else theirs
    _check_ours(columns)
    return columns


def map_columns(frame: pd.DataFrame, columns: Mapping[str, str], file: Path) -> pd.DataFrame:
    """The table with our columns, each read from the file's as a mapping says.

    The file's own columns stay, except those read as they are. Without a column ``metric`` it is
    named after the column that ``value`` is read from.

    Raises
    ------
    SemlossError
        When a mapping names a column that neither side has, or converts what is no number.
    """
    _check_ours(columns)
    values = _terms(columns["value"], frame, file) if "value" in columns else []
    if len(values) > 1:
        for ours in columns:
            if ours in _OF_ONE_METRIC:
                raise SemlossError(
                    f"--columns {ours}={columns[ours]}: holds for one metric; map one value column"
                )
        frame = frame.drop(columns=frame.columns.intersection([*_OF_ONE_METRIC]))
    fixed = {ours: known for ours, text in columns.items()
             if (known := _constant(ours, text, frame)) is not None}  # fmt: skip
    single = {ours: _term(text, frame, file) for ours, text in columns.items()
              if ours != "value" and ours not in fixed}  # fmt: skip
    used = [term.columns[0] for term in (*single.values(), *values) if term.is_plain]
    rest = frame.drop(columns=list({*used, *columns} & set(frame.columns)))
    common = rest.assign(**fixed, **{ours: term.read(frame, file) for ours, term in single.items()})
    _refuse_contradiction(fixed, frame, file)
    if not values:
        return _with_error(common, _Term("value"), columns, frame, file)
    parts = []
    for term in values:
        part = common.assign(value=term.read(frame, file))
        part = _with_error(part, term, columns, frame, file)
        name = metric_name(term.columns[0])
        if "metric" not in part and name != "value":
            part["metric"] = name
        parts.append(part)
    return pd.concat(parts)


def _constant(ours: str, text: str, frame: pd.DataFrame) -> str | None:
    """What holds for every row: the name of a known metric, or a number for a column of numbers."""
    if text in frame:
        return None
    if ours == "metric":
        return spelled(plain(text))
    if ours not in ("cr", *NUMBERS) or ours == "value":
        return None
    try:
        return text if math.isfinite(cell_number(text, ours)) else None
    except SemlossError:
        return None


def _refuse_contradiction(fixed: Mapping[str, str], frame: pd.DataFrame, file: Path) -> None:
    """Refuse a constant for a column that the file has, with something else in it."""
    for ours, text in fixed.items():
        if ours in frame and {cell_text(cell) for cell in frame[ours]} != {text}:
            raise SemlossError(
                f"{file}: --columns {ours}={text} holds for every row, but the table has a column "
                f"{ours} of its own; drop one of them"
            )


def _with_error(
    part: pd.DataFrame, term: "_Term", columns: Mapping[str, str], frame: pd.DataFrame, file: Path
) -> pd.DataFrame:
    """A table with the error of its values, where a column of the file evidently is it."""
    if {"sd", "se"} & {*columns, *part.columns} or not term.columns:
        return part
    found = error_column(term.columns[0], frame.columns)
    return part if found is None else part.assign(**{found[1]: term.error(found[0], frame, file)})


def _check_ours(columns: Mapping[str, str]) -> None:
    for ours in columns:
        if ours not in METRICS_COLUMNS:
            raise SemlossError(
                f"--columns {ours}={columns[ours]}: no column of ours; "
                f"{meant(ours, METRICS_COLUMNS)}"
            )


@dataclass(frozen=True)
class _Term:
    """What a column is read from: LEFT OPERATOR RIGHT, dB(LEFT), or LEFT alone."""

    left: str | float
    operator: str = ""
    right: str | float = 0.0

    @property
    def columns(self) -> list[str]:
        """Columns of the file that it reads."""
        return [side for side in (self.left, self.right) if isinstance(side, str)]

    @property
    def is_plain(self) -> bool:
        return not self.operator

    def read(self, frame: pd.DataFrame, file: Path) -> "pd.Series | Array":
        """Cells as they are, or numbers (N,) where something is computed."""
        if self.is_plain:
            return frame[self.columns[0]]
        left, right = (_operand(side, frame, file) for side in (self.left, self.right))
        if self.operator == "dB":
            if np.any(left <= 0):
                at = int(np.argmax(left <= 0))
                raise SemlossError(
                    f"{file}, row {frame.index[at]}: {self.left} = {left[at]:g} is no linear "
                    "SNR, which is positive; if it is in dB, map it as it is"
                )
            return 10.0 * np.log10(left)
        with np.errstate(divide="ignore", invalid="ignore"):  # what is not finite is named later
            if self.operator == "+":
                return left + right
            if self.operator == "-":
                return left - right
            return left * right if self.operator == "*" else left / right

    def error(self, column: str, frame: pd.DataFrame, file: Path) -> Array:
        """What an error (N,) of the column that it reads makes of itself, to first order."""
        error = _operand(column, frame, file)
        if self.is_plain:
            return error
        name = self.columns[0]
        value = _operand(name, frame, file)
        up, down = (np.asarray(self.read(frame.assign(**{name: value + step}), file), float)
                    for step in (error, -error))  # fmt: skip
        return np.asarray(0.5 * np.abs(up - down))


def _terms(text: str, frame: pd.DataFrame, file: Path) -> list[_Term]:
    """One term, or several between commas."""
    if text in frame or "," not in text:
        return [_term(text, frame, file)]
    return [_term(part.strip(), frame, file) for part in text.split(",")]


def _term(text: str, frame: pd.DataFrame, file: Path) -> _Term:
    """Resolve a text against the file's columns, full names first."""
    if text in frame:
        return _Term(text)
    decibel = re.fullmatch(r"db\((.+)\)", text, flags=re.IGNORECASE)
    if decibel and decibel[1].strip() in frame:
        return _Term(decibel[1].strip(), "dB")
    for at in re.finditer(r"[-+*/]", text):
        left = _side(text[: at.start()], frame)
        right = _side(text[at.end() :], frame)
        if left is not None and right is not None and str in (type(left), type(right)):
            return _Term(left, at[0], right)
    mend = meant(text, map(str, frame.columns), f"this table has {listing(frame.columns)}")
    raise SemlossError(f"{file}: no column {text!r}; {mend}")


def _side(text: str, frame: pd.DataFrame) -> str | float | None:
    """A column, a number, or neither."""
    text = text.strip()
    if text in frame:
        return text
    try:
        return float(text)
    except ValueError:
        return None


def _operand(side: str | float, frame: pd.DataFrame, file: Path) -> Array:
    """Numbers (N,) of a column, NaN where blank, or a number (N,) times."""
    if isinstance(side, float):
        return np.full(len(frame), side)
    return np.array(
        [cell_number(cell, f"{file}, row {row}: {side}") for row, cell in frame[side].items()]
    )
