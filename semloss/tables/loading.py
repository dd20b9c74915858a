"""Reading a table of any origin, and checking every cell."""

import math
import shlex
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from semloss.arrays import Array, Mask
from semloss.errors import SemlossError
from semloss.tables.about import about
from semloss.tables.cells import cell_number, cell_text, not_a_number
from semloss.tables.columns import map_columns, one_snr_a_row
from semloss.tables.files import find_file, read_file
from semloss.tables.naming import canonical_metric, evident_column, listing, optional_columns
from semloss.tables.older import upgraded
from semloss.tables.schema import NUMBERS, REQUIRED
from semloss.tables.snr import refuse_linear_snr
from semloss.units import parse_cr

_NOT_NEGATIVE = ("sd", "se", "n")


def load_table(path: str | Path, columns: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Read a metrics table from a run folder, a CSV or a parquet file, and check it.

    Parameters
    ----------
    path
        Run folder (its metrics table is read), ``.csv``, ``.parquet``, or a JSON list of records.
        Lines that begin with # are comments; columns named by SNRs ("-5", "0 dB") are one row
        each; 87.5% is 0.875; `sd`, `se` and `n` may be called std, sem or n_trials.
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
        ``attrs["about"]`` has what the other files of a run folder tell (`semloss.tables.about`).

    Raises
    ------
    SemlossError
        When the file cannot be read, a column is missing or a cell holds no usable number (the
        message names row, column and content), or when the SNR evidently is not in dB.
    """
    file = find_file(Path(path))
    columns = columns or {}
    raw = one_snr_a_row(read_file(file))
    named = " ".join(columns.values())
    raw = raw.rename(columns={
        theirs: ours for theirs, ours in optional_columns(raw.columns).items()
        if ours not in columns and theirs not in named
    })  # fmt: skip
    frame = upgraded(map_columns(raw, columns, file))
    missing = [name for name in REQUIRED if name not in frame]
    if missing:
        raise SemlossError(f"{file}: {_missing(missing, list(raw.columns), columns)}")
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
    refuse_linear_snr(frame["snr_db"], str(file), theirs["snr_db"])
    frame.attrs["about"] = about(Path(path)) if Path(path).is_dir() else {}
    return frame


def _missing(missing: list[str], there: list[str], columns: Mapping[str, str]) -> str:
    """Which columns are missing, and the mapping that would give them."""
    if "value" in missing:  # its column may name the metric
        missing = [name for name in missing if name != "metric"]
    names = [repr(name) for name in missing]
    text = "no column " + " or ".join([", ".join(names[:-1]), names[-1]][len(names) == 1 :])
    text += f"; this table has {listing(there)}"
    if missing == ["metric"]:
        return (
            f"{text}: add one that names what the values are, or say it with --columns "
            "metric=NAME, e.g. metric=psnr_db"
        )
    found = {name: evident_column(name, there) for name in missing}
    if not any(found.values()):
        return f"{text}: name the columns with --columns {_mapping(found, columns)}"
    return f"{text}: say --columns {_mapping(found, columns)}"


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
                f"--columns 'cr={theirs}/SAMPLES', e.g. {theirs}/12288 at 64×64×3"
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
