"""Reading a table of any origin, and checking every cell."""

import math
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from semloss.arrays import Array, Mask
from semloss.errors import SemlossError
from semloss.outcomes import beside
from semloss.tables.about import about
from semloss.tables.cells import cell_number, cell_text, not_a_number
from semloss.tables.columns import map_columns
from semloss.tables.file_names import told_by_name
from semloss.tables.files import find_file, read_file
from semloss.tables.naming import (
    canonical_metric,
    count_of_repetitions,
    evident_column,
    listing,
    optional_columns,
)
from semloss.tables.older import upgraded
from semloss.tables.schema import NUMBERS, REQUIRED
from semloss.tables.several import joined, refuse_twice
from semloss.tables.snr import refuse_linear_snr
from semloss.tables.spread import split_errors, spread_over_repetitions
from semloss.tables.wide import one_level_a_row
from semloss.units import parse_cr

_NOT_NEGATIVE = ("sd", "se", "n")
_ROUNDED_NAME = 0.2
"""Share by which the CR or SNR in a file's name may differ from that of its rows."""


def load_table(
    path: str | Path | Sequence[str | Path], columns: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Read a metrics table from a run folder, a CSV, a parquet or a JSON file, and check it.

    Parameters
    ----------
    path
        Run folder (its metrics table is read), ``.csv``, ``.parquet``, or JSON records; or a list
        of them, which are read as one table with a column ``table`` that names the file.
        Lines that begin with # are comments; columns named by SNRs ("-5", "0 dB", "PSNR@4dB") or
        by CRs are one row each; 87.5% is 0.875; "28.3 ± 0.2" is a value and its `sd`; `sd`, `se`
        and `n` may be called std, sem or n_trials, ``PSNR_std`` is the `sd` of ``PSNR``. A CR or
        SNR that no column tells may stand in the file's name: ``cr1_24.csv``, ``snr=-4.csv``.
    columns
        For tables of other origin: our column name -> what it is read from, a column of the file
        or a conversion of it, e.g. ``{"snr_db": "SNR", "value": "acc/100", "cr": "M/3072"}``
        (all kinds: `semloss.tables.columns`), or what every row has, ``{"cr": "1/24"}``.
        Several columns for ``value``, between commas, give one metric each. Without a column
        ``metric`` it is named after the value's.

    Returns
    -------
    pandas.DataFrame
        The table with numeric ``cr`` (k/n, in (0, 1]), ``snr_db`` (Es/N0 in dB), ``value`` and
        optional columns; indexed by the row number in the file (the header of a CSV is row 1).
        ``attrs["about"]`` has what the other files of a run folder tell (`semloss.tables.about`),
        ``attrs["notes"]`` what was read that no column says, ``attrs["outcomes"]`` the
        file beside it that holds outcomes of single images (`semloss.outcomes`), by the file's
        name in the column ``table``, or by an empty one.

    Raises
    ------
    SemlossError
        When a file cannot be read, a column is missing or a cell holds no usable number (the
        message names row, column and content), or when the SNR evidently is not in dB.
    """
    columns = columns or {}
    if isinstance(path, str | Path):
        return _table(Path(path), columns, ("cr", "snr_db"))
    paths = [Path(one) for one in path]
    if len(paths) == 1:
        return load_table(paths[0], columns)
    if not paths:
        raise SemlossError("no table to read")
    refuse_twice(paths)
    frame = joined(paths, [_table(one, columns, ("cr", "snr_db", "seed")) for one in paths])
    refuse_linear_snr(frame["snr_db"], f"{len(paths)} tables", columns.get("snr_db", "snr_db"))
    return frame


def _table(path: Path, columns: Mapping[str, str], by_name: Sequence[str]) -> pd.DataFrame:
    """One table, checked; its name may tell the columns `by_name`."""
    file = find_file(path)
    read = read_file(file)
    raw = split_errors(one_level_a_row(read))
    named = " ".join(columns.values())
    renamed = {
        theirs: ours for theirs, ours in optional_columns(raw.columns).items()
        if ours not in columns and theirs not in named
    }  # fmt: skip
    raw = raw.rename(columns=renamed)
    frame = upgraded(map_columns(raw, columns, file))
    frame, notes = _with_name(frame, raw, file, by_name)
    missing = [name for name in REQUIRED if name not in frame]
    if missing:
        there = list(dict.fromkeys([*raw.columns, *read.columns]))
        raise SemlossError(f"{file}: {_missing(missing, list(read.columns), there, columns)}")
    if frame.empty:
        raise SemlossError(f"{file}: the table has no rows")
    diverged = np.zeros(len(frame), dtype=bool)
    if "status" in frame:
        diverged = (frame["status"] == "diverged").to_numpy()
    frame["metric"] = [canonical_metric(cell_text(cell)) for cell in frame["metric"]]
    blank = frame.index[frame["metric"] == ""]
    if len(blank):
        raise SemlossError(f"{file}, row {blank[0]}: metric is blank; name what the value is")
    theirs = {ours: columns.get(ours, ours) for ours in ("cr", "snr_db")}
    theirs = {ours: text if text in raw else "COLUMN" for ours, text in theirs.items()}
    frame["cr"] = _ratios(frame["cr"], file, theirs["cr"])
    for name in NUMBERS:
        if name in frame:
            frame[name] = _numbers(frame[name], file, diverged)
    counted = [columns.get("n", ""), *(theirs for theirs, ours in renamed.items() if ours == "n")]
    if "sd" in frame and any(count_of_repetitions(name) for name in counted):
        frame = spread_over_repetitions(frame)
    refuse_linear_snr(frame["snr_db"], str(file), theirs["snr_db"])
    _refuse_other_name(frame, file)
    frame.attrs["about"] = about(path) if path.is_dir() else {}
    frame.attrs["notes"] = notes
    outcomes = beside(file)
    frame.attrs["outcomes"] = {"": str(outcomes)} if outcomes.is_file() else {}
    return frame


def _with_name(
    frame: pd.DataFrame, raw: pd.DataFrame, file: Path, by_name: Sequence[str]
) -> tuple[pd.DataFrame, list[str]]:
    """The table with what only the file's name tells, and a note that says so."""
    told = {
        ours: text for ours, text in told_by_name(file).items()
        if ours in by_name and ours not in frame and evident_column(ours, raw.columns) is None
    }  # fmt: skip
    note = ", ".join(f"{ours} = {text}" for ours, text in told.items())
    return frame.assign(**told), [f"{file}: {note}, by its name"] if told else []


def _refuse_other_name(frame: pd.DataFrame, file: Path) -> None:
    """Refuse a file of one CR, or SNR, whose name tells another one."""
    for ours, text in told_by_name(file).items():
        if ours == "seed" or frame[ours].nunique() != 1:
            continue
        said = parse_cr(text) if ours == "cr" else cell_number(text, ours)
        here = float(frame[ours].median())
        if abs(here - said) > _ROUNDED_NAME * max(abs(said), 1e-3):
            raise SemlossError(
                f"{file}: its name says {ours} {text}, but all its rows {here:.4g}; "
                "correct the column or rename the file"
            )


def _missing(
    missing: list[str], shown: list[str], there: list[str], columns: Mapping[str, str]
) -> str:
    """Which columns are missing of those `shown`, and the mapping of those `there` to get them."""
    if "value" in missing:  # its column may name the metric
        missing = [name for name in missing if name != "metric"]
    names = [repr(name) for name in missing]
    text = "no column " + " or ".join([", ".join(names[:-1]), names[-1]][len(names) == 1 :])
    text += f"; this table has {listing(shown)}"
    found = {name: evident_column(name, there) for name in missing}
    if "metric" in missing:
        found["metric"] = "NAME"
        return (
            f"{text}: name what the values are, e.g. NAME = psnr_db, with --columns "
            f"{_mapping(found, columns)}"
        )
    alike = {"cr", "snr_db"} & {name for name, theirs in found.items() if theirs is None}
    number = " (COLUMN may be a number that holds for every row, e.g. cr=1/12)" if alike else ""
    ask = "say" if any(found.values()) else "name the columns with"
    return f"{text}: {ask} --columns {_mapping(found, columns)}{number}"


def _mapping(found: Mapping[str, str | None], columns: Mapping[str, str]) -> str:
    """A mapping as it is written on the command line, with COLUMN for what only the user knows."""
    wanted = {**columns, **{ours: theirs or "COLUMN" for ours, theirs in found.items()}}
    return shlex.quote(",".join(f"{ours}={theirs}" for ours, theirs in wanted.items()))


def _ratios(column: pd.Series, file: Path, theirs: str) -> list[float]:
    """Compression ratios (N,), 0 < CR <= 1."""
    ratios = []
    for row, cell in column.items():
        text, where = cell_text(cell), f"{file}, row {row}: cr"
        if text.endswith("%"):
            text = repr(cell_number(cell, where))
        if "/" not in text and 1 < cell_number(text, where) < math.inf:
            raise SemlossError(
                f"{where} = {text}, but CR is k/n (channel uses per source sample) and lies in "
                f"(0, 1]; convert n/k with --columns 'cr=1/{theirs}', channel uses with "
                f"--columns 'cr={theirs}/SAMPLES', e.g. {theirs}/12288 at 64×64×3, per cent with "
                f"--columns 'cr={theirs}/100'"
            )
        ratios.append(parse_cr(text, where))
    return ratios


def _numbers(column: pd.Series, file: Path, diverged: Mask) -> Array:
    """Numbers of a column; only an optional one or a diverged cell may be without."""
    name = str(column.name)
    numbers = np.empty(len(column))
    for i, (row, cell) in enumerate(column.items()):
        required = name in REQUIRED and not diverged[i]
        where, text = f"{file}, row {row}: {name}", cell_text(cell)
        if required and not text:
            raise not_a_number(where, text)
        numbers[i] = cell_number(cell, where)
        if not (math.isfinite(numbers[i]) or (math.isnan(numbers[i]) and not required)):
            raise SemlossError(f"{where} = {text} is not finite; correct or remove the row")
        if name in _NOT_NEGATIVE and numbers[i] < 0:
            raise SemlossError(f"{where} = {text} is negative; correct or clear it")
        if name == "n" and numbers[i] < 1:
            raise SemlossError(f"{where} = {text} is no number of test images; clear it if unknown")
    return numbers
