"""Writing tables: the same measurements give the same bytes."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from semloss.storage import write_atomically
from semloss.tables.schema import CELLS_COLUMNS, METRICS_COLUMNS, NUMBERS

_SORT = (
    "source", "codec_label", "objective", "channel", "cr", "train_snr_db", "seed", "snr_db",
    "receiver", "task", "metric", "cell",
)  # fmt: skip


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
        for column in frame.columns.intersection(["cr", *NUMBERS]):
            frame[column] = pd.to_numeric(frame[column])
        keys = [key for key in _SORT if key in frame]
        frame = frame.sort_values(keys, kind="stable", ignore_index=True)
        parquet = io.BytesIO()
        frame.to_parquet(parquet, index=False)
        write_atomically(folder / f"{name}.parquet", parquet.getvalue())
        write_atomically(folder / f"{name}.csv", frame.to_csv(index=False, lineterminator="\n"))
