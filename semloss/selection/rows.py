"""The rows of a table that are asked for: of a metric, a receiver, a task model, and usable."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from semloss.errors import SemlossError
from semloss.selection.checks import distinct
from semloss.tables.cells import cell_number, cell_text
from semloss.tables.naming import canonical_metric, listing
from semloss.text import meant


def rows_where(table: pd.DataFrame, where: Mapping[str, str] | None) -> pd.DataFrame:
    """Rows that have what is asked for, column by column."""
    rows = table
    for column, wanted in (where or {}).items():
        if column not in rows:
            raise SemlossError(f"--where {column}: the table has {listing(rows.columns)}")
        rows = narrow(rows, column, wanted, f"--where {column}")
    return rows


def rows_of_metric(rows: pd.DataFrame, metric: str | None) -> tuple[pd.DataFrame, str]:
    """Rows of a metric, and which it is."""
    present = distinct(rows, "metric")
    if metric is None:
        metric = present[0] if len(present) == 1 else "accuracy"
        if metric not in present:
            raise SemlossError(
                f"the table holds several metrics: choose --metric from {listing(present)}, or "
                "fit each with --group-by metric"
            )
    elif metric not in present:
        metric = canonical_metric(metric)
    return narrow(rows, "metric", metric, "--metric"), metric


def rows_of_receiver(rows: pd.DataFrame, receiver: str | None) -> tuple[pd.DataFrame, str]:
    """Rows of a receiver, and which it is: the only one, else the clean one."""
    return _of_column(rows, "receiver", receiver, "clean")


def rows_of_task(rows: pd.DataFrame, task: str | None) -> tuple[pd.DataFrame, str]:
    """Rows of a task model, and which it is: the only one."""
    return _of_column(rows, "task", task, None)


def _of_column(
    rows: pd.DataFrame, column: str, wanted: str | None, usual: str | None
) -> tuple[pd.DataFrame, str]:
    """Rows where a column is as wanted, else the only value or the usual one, and which it is."""
    present = distinct(rows, column) if column in rows else []
    if present == ["none"]:
        return rows, "none"  # an image metric has none to choose
    if not present:
        return rows, wanted or "none"
    wanted = wanted or (present[0] if len(present) == 1 else usual)
    if wanted is None:
        raise SemlossError(
            f"the table holds several values of {column} ({listing(present)}); choose one with "
            f"--{column}, or fit each with --group-by {column}"
        )
    return narrow(rows, column, wanted, f"--{column}"), wanted


def narrow(rows: pd.DataFrame, column: str, wanted: str, option: str) -> pd.DataFrame:
    """Rows where a column has the wanted value, or an error that lists what there is."""
    kept = rows[rows[column].map(cell_text) == wanted]
    if kept.empty and pd.api.types.is_numeric_dtype(rows[column]):
        number = cell_number(wanted, option)
        kept = rows[np.isclose(rows[column].to_numpy(float), number, rtol=1e-6, atol=1e-9)]
    if kept.empty:
        raise SemlossError(nothing_there(rows, column, wanted, option))
    return kept


def nothing_there(rows: pd.DataFrame, column: str, wanted: str | None, option: str = "") -> str:
    """What to say where no row has the wanted value."""
    there = distinct(rows, column)
    choose = f"choose {option or f'--{column}'} from {listing(there)}"
    return f"the table has no {column} {wanted!r}; {meant(wanted, there, choose)}"


def usable_rows(rows: pd.DataFrame, mismatch: bool) -> tuple[pd.DataFrame, list[str]]:
    """Rows that did not diverge and, unless asked, were tested where they were trained."""
    notes = []
    if "status" in rows:
        diverged = rows["status"] == "diverged"
        if diverged.any():
            names = distinct(rows[diverged], "cell") if "cell" in rows else ["unnamed"]
            notes.append(f"left out as diverged: {', '.join(names)}")
            rows = rows[~diverged]
    if not mismatch and "train_snr_db" in rows:
        trained = rows["train_snr_db"].to_numpy(float)
        matched = np.isnan(trained) | (np.abs(trained - rows["snr_db"].to_numpy(float)) < 1e-6)
        rows = rows[matched]
    return rows, notes
