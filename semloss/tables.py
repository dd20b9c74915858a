"""Tidy tables of measurements: schema, writing, reading with checks.

``metrics`` has one row per (cell, test SNR, task, metric):

==============  ========  ====================================================================
column          unit      meaning
==============  ========  ====================================================================
cell            text      name of the trained grid point
source          text      image source
codec           text      codec kind
channel         text      channel label, e.g. ``awgn``
cr              1         realised CR = k/n, complex channel uses per real source sample
cr_nominal      1         CR asked for
train_snr_db    dB        Es/N0 per complex symbol the codec was trained at; empty: a range
snr_db          dB        Es/N0 per complex symbol it was tested at
seed            integer   seed of training
task            text      receiver task: ``none`` (image metric), ``clean`` or ``matched``
metric          text      e.g. ``psnr_db``, ``ssim``, ``accuracy``
value           metric    mean over the test images
sd              metric    spread over the test images
n               images    number of test images
se              metric    standard error of `value`, sd / sqrt(n)
direction       text      ``higher`` or ``lower`` is better
floor           metric    value when nothing gets through (chance); empty where unknown
ceiling         metric    value on clean images; empty where unknown
status          text      ``ok``, ``retried`` or ``diverged`` (left out of fits, by name)
==============  ========  ====================================================================

``cells`` has one row per trained grid point: `cell` … `train_snr_db`, `seed` and `status` as
above, and

==================  =======  ====================================================================
filters             integer  output maps of the encoder that realise the CR
k                   integer  complex channel uses per image
strategy            text     how cells are trained: ``warm`` or ``independent``
attempts            text     trainings that failed and what was changed, "; " between
lr                  1        learning rate of the training that held
steps               integer  its optimiser steps
validation_psnr_db  dB       mean PSNR on the validation images
codec_cpu_s         s        processor time spent on the codec
receiver_cpu_s      s        processor time spent on the matched task model
device, precision   text     where and in which arithmetic it was trained
threads             integer  processor threads of the training
key                 text     content key under which the cell is kept
==================  =======  ====================================================================

Any CSV or parquet with columns ``cr, snr_db, metric, value`` is a table too; `cr` may be written
"1/12" there, and `sd`, `n`, `se`, `direction`, `floor`, `ceiling` are used where present.
"""

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semloss.errors import SemlossError
from semloss.storage import write_atomically
from semloss.units import parse_cr

METRICS_COLUMNS = (
    "cell", "source", "codec", "channel", "cr", "cr_nominal", "train_snr_db", "snr_db", "seed",
    "task", "metric", "value", "sd", "n", "se", "direction", "floor", "ceiling", "status",
)  # fmt: skip
CELLS_COLUMNS = (
    "cell", "source", "codec", "channel", "cr", "cr_nominal", "filters", "k", "train_snr_db",
    "seed", "strategy", "status", "attempts", "lr", "steps", "validation_psnr_db", "codec_cpu_s",
    "receiver_cpu_s", "device", "precision", "threads", "key",
)  # fmt: skip
_REQUIRED = ("cr", "snr_db", "metric", "value")
_NUMBERS = ("snr_db", "value", "train_snr_db", "cr_nominal", "sd", "n", "se", "floor", "ceiling")
_SORT = ("source", "codec", "channel", "cr", "train_snr_db", "seed", "snr_db", "task", "metric",
         "cell")  # fmt: skip

Array = NDArray[np.float64]


def write_tables(
    metrics: Sequence[Mapping[str, Any]], cells: Sequence[Mapping[str, Any]], folder: Path
) -> None:
    """Write ``metrics`` and ``cells`` as parquet and CSV into a folder, each file atomically.

    Rows are sorted and columns follow the schema (further ones come last, by name), so the same
    measurements give the same bytes whatever order they were made in.

    Raises
    ------
    SemlossError
        When the folder cannot be written or the disk is full.
    """
    for name, rows, columns in (
        ("metrics", metrics, METRICS_COLUMNS),
        ("cells", cells, CELLS_COLUMNS),
    ):
        further = sorted({key for row in rows for key in row} - set(columns))
        frame = pd.DataFrame([dict(row) for row in rows], columns=[*columns, *further])
        for column in frame.columns.intersection(["cr", *_NUMBERS]):
            frame[column] = pd.to_numeric(frame[column])
        keys = [key for key in _SORT if key in frame]
        frame = frame.sort_values(keys, kind="stable", ignore_index=True)
        parquet = io.BytesIO()
        frame.to_parquet(parquet, index=False)
        write_atomically(folder / f"{name}.parquet", parquet.getvalue())
        write_atomically(folder / f"{name}.csv", frame.to_csv(index=False, lineterminator="\n"))


def load_table(path: str | Path, columns: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Read a metrics table from a run folder, a CSV or a parquet file, and check it.

    Parameters
    ----------
    path
        Run folder (its metrics table is read), ``.csv`` or ``.parquet`` file.
    columns
        For foreign tables: our column name -> the name in the file.

    Returns
    -------
    pandas.DataFrame
        The table with numeric ``cr``, ``snr_db``, ``value`` and optional columns; indexed by
        the row number in the file (the header of a CSV is row 1).

    Raises
    ------
    SemlossError
        When the file cannot be read, a column is missing or a cell holds no usable number; the
        message names row, column and content.
    """
    file = _find(Path(path))
    frame = _read(file)
    frame = frame.rename(columns={theirs: ours for ours, theirs in (columns or {}).items()})
    missing = [name for name in _REQUIRED if name not in frame]
    if missing:
        raise SemlossError(
            f"{file}: no column {missing[0]!r}; a table needs {', '.join(_REQUIRED)} "
            f"and this one has {', '.join(map(str, frame.columns)) or 'none'}"
        )
    if frame.empty:
        raise SemlossError(f"{file}: the table has no rows")
    frame["cr"] = [
        parse_cr(_plain(cr), f"{file}, row {row}: cr") for row, cr in frame["cr"].items()
    ]
    diverged = np.zeros(len(frame), dtype=bool)
    if "status" in frame:
        diverged = (frame["status"] == "diverged").to_numpy()
    for name in _NUMBERS:
        if name in frame:
            frame[name] = _numbers(frame[name], file, diverged)
    return frame


def _find(path: Path) -> Path:
    """Metrics file that a path means: itself, or the one of a run folder."""
    if not path.exists():
        raise SemlossError(f"{path}: no such table or run folder")
    if not path.is_dir():
        return path
    for name in ("metrics.parquet", "tables/metrics.parquet", "metrics.csv", "tables/metrics.csv"):
        if (path / name).is_file():
            return path / name
    raise SemlossError(f"{path}: no metrics table in this folder; run semloss collect there first")


def _read(file: Path) -> pd.DataFrame:
    """Read a file, untyped where it is text, indexed by its row numbers."""
    try:
        if file.suffix.lower() in (".parquet", ".pq"):
            frame = pd.read_parquet(file)
            frame.index = pd.RangeIndex(1, len(frame) + 1)
            return frame
        frame = pd.read_csv(
            file, dtype=str, keep_default_na=False, skip_blank_lines=False, encoding="utf-8-sig"
        )
    except OSError as error:
        reason = error.strerror or "no parquet file (cut short?)"
        raise SemlossError(f"cannot read {file}: {reason}") from error
    except ValueError as error:  # parsers' complaints, among them wrong encodings
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "unreadable"
        raise SemlossError(f"{file} is no CSV or parquet table: {reason}") from error
    frame.columns = [str(name).strip() for name in frame.columns]
    frame.index = pd.RangeIndex(2, len(frame) + 2)
    return frame[(frame != "").any(axis=1)]


def _plain(value: Any) -> str | float:  # noqa: ANN401 - a cell of any type
    """Text as it is, everything else as a float (NaN for a missing one)."""
    if isinstance(value, str):
        return value.strip()
    return math.nan if pd.isna(value) else float(value)


def _numbers(column: pd.Series, file: Path, diverged: NDArray[np.bool_]) -> Array:
    """Numbers of a column; only an optional one or a diverged cell may be without."""
    name = str(column.name)
    numbers = np.empty(len(column))
    for i, (row, cell) in enumerate(column.items()):
        required = name in _REQUIRED and not diverged[i]
        text = "" if pd.isna(cell) else str(cell).strip()
        try:
            numbers[i] = float(text) if text or required else math.nan
        except ValueError:
            raise SemlossError(
                f"{file}, row {row}: {name} = {text!r} is not a number; correct or remove the row"
            ) from None
        if not (math.isfinite(numbers[i]) or (math.isnan(numbers[i]) and not required)):
            raise SemlossError(
                f"{file}, row {row}: {name} = {text} is not finite; correct or remove the row"
            )
    return numbers
