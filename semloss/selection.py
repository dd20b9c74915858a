"""Choosing the points of one surface from a table, with their measurement noise."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semloss.errors import SemlossError

_GROUPS = ("source", "codec", "channel")
_UNIT_RANGE = ("accuracy", "macro_f1", "ssim", "ms_ssim", "ms_ssim_3")
_LOWER = ("mse", "lpips", "semantic_loss")

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Points:
    """Measurements of one metric over (CR, SNR), ready to be fitted.

    `cr`, `snr_db`, `value` and `se` are arrays (N,); `se` is 0 where the table tells no noise.
    `floor` and `ceiling` are None where unknown. `notes` are messages for the user.
    """

    metric: str
    task: str
    direction: str
    cr: Array
    snr_db: Array
    value: Array
    se: Array
    floor: float | None = None
    ceiling: float | None = None
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, str] | None = None


def select(
    table: pd.DataFrame,
    metric: str | None = None,
    task: str | None = None,
    *,
    mismatch: bool = False,
    where: Mapping[str, str] | None = None,
) -> Points:
    """Choose the points of one surface from a table.

    Parameters
    ----------
    table
        As `load_table` returns it.
    metric
        Metric to fit; by default ``accuracy``, or the only one there is.
    task
        Receiver task; by default the only one the metric has, else ``clean``.
    mismatch
        Also use rows tested at another SNR than the codec was trained at.
    where
        Further choices, column -> value, e.g. ``{"channel": "awgn"}``.

    Raises
    ------
    SemlossError
        When the choice is open or matches nothing (the message lists what there is), or when
        values lie outside the metric's range.
    """
    rows = table
    for column, wanted in (where or {}).items():
        if column not in rows:
            raise SemlossError(f"--where {column}: the table has {', '.join(rows.columns)}")
        rows = _narrow(rows, column, wanted, f"--where {column}")
    present = _distinct(rows, "metric")
    if metric is None:
        metric = present[0] if len(present) == 1 else "accuracy"
    rows = _narrow(rows, "metric", metric, "--metric")
    tasks = _distinct(rows, "task") if "task" in rows else []
    if task is None:
        task = tasks[0] if len(tasks) == 1 else "clean" if tasks else "none"
    elif tasks == ["none"]:
        task = "none"  # an image metric has no receiver task to choose
    if tasks:
        rows = _narrow(rows, "task", task, "--task")
    for column in _GROUPS:
        several = _distinct(rows, column) if column in rows else []
        if len(several) > 1:
            raise SemlossError(
                f"the table holds several values of {column} ({', '.join(several)}); "
                f"choose one with --where {column}=…"
            )
    notes = []
    if "status" in rows:
        diverged = rows["status"] == "diverged"
        if diverged.any():
            names = _distinct(rows[diverged], "cell") if "cell" in rows else ["unnamed"]
            notes.append(f"left out as diverged: {', '.join(names)}")
            rows = rows[~diverged]
    if not mismatch and "train_snr_db" in rows:
        trained = rows["train_snr_db"].to_numpy(float)
        matched = np.isnan(trained) | (np.abs(trained - rows["snr_db"].to_numpy(float)) < 1e-6)
        rows = rows[matched]
    if rows.empty:
        raise SemlossError(f"no usable row of {metric} is left (diverged or mismatched SNR only)")
    _check_range(rows, metric)
    return Points(
        metric=metric,
        task=task,
        direction=_direction(rows, metric),
        cr=rows["cr"].to_numpy(float),
        snr_db=rows["snr_db"].to_numpy(float),
        value=rows["value"].to_numpy(float),
        se=_standard_errors(rows, metric),
        floor=_level(rows, "floor"),
        ceiling=_level(rows, "ceiling"),
        notes=tuple(notes),
        provenance={c: _distinct(rows, c)[0] for c in _GROUPS if c in rows and _distinct(rows, c)},
    )


def _distinct(rows: pd.DataFrame, column: str) -> list[str]:
    return sorted(str(value) for value in rows[column].dropna().unique() if str(value))


def _narrow(rows: pd.DataFrame, column: str, wanted: str, option: str) -> pd.DataFrame:
    """Rows where a column has the wanted value, or an error that lists what there is."""
    kept = rows[rows[column].astype(str) == wanted]
    if kept.empty:
        there = ", ".join(_distinct(rows, column))
        raise SemlossError(f"the table has no {column} {wanted!r}; choose {option} from {there}")
    return kept


def _check_range(rows: pd.DataFrame, metric: str) -> None:
    """Refuse values that the metric cannot take, percentages above all."""
    if metric not in _UNIT_RANGE:
        return
    bad = rows[(rows["value"] > 1) | (rows["value"] < (-1 if "ssim" in metric else 0))]
    if not bad.empty:
        raise SemlossError(
            f"row {bad.index[0]}: {metric} = {bad['value'].iloc[0]:g} lies outside [0, 1]; "
            f"write fractions, not percentages"
        )


def _direction(rows: pd.DataFrame, metric: str) -> str:
    """Which way is better: as the table says, by the metric's name, else by the trend in SNR."""
    told = _distinct(rows, "direction") if "direction" in rows else []
    told = [text for text in told if text]
    if told:
        if len(told) > 1 or told[0] not in ("higher", "lower"):
            raise SemlossError(f"direction of {metric} is {', '.join(told)}: one of higher, lower")
        return told[0]
    if metric in _LOWER:
        return "lower"
    if metric in _UNIT_RANGE or metric.startswith("psnr"):
        return "higher"
    trend = np.cov(rows["snr_db"].to_numpy(float), rows["value"].to_numpy(float))[0, 1]
    return "lower" if trend < 0 else "higher"


def _standard_errors(rows: pd.DataFrame, metric: str) -> Array:
    """Standard errors (N,) of the values.

    Binomial for an accuracy with n, with Laplace's rule so that 0 or n hits do not count as
    certain; else `se`, else sd / sqrt(n), else sd (taken as the error of the value), else 0.
    """
    value = rows["value"].to_numpy(float)
    columns = {c: rows[c].to_numpy(float) for c in ("se", "sd", "n") if c in rows}
    n = np.where(columns["n"] > 0, columns["n"], np.nan) if "n" in columns else None
    error = np.full(len(rows), np.nan)
    if metric == "accuracy" and n is not None:
        smooth = (value * n + 1) / (n + 2)
        error = np.sqrt(smooth * (1 - smooth) / n)
    if "se" in columns:
        error = np.where(np.isnan(error), columns["se"], error)
    if "sd" in columns:
        spread = columns["sd"] / np.sqrt(np.where(np.isnan(n), 1.0, n) if n is not None else 1.0)
        error = np.where(np.isnan(error), spread, error)
    return np.asarray(np.nan_to_num(np.abs(error)), dtype=np.float64)


def _level(rows: pd.DataFrame, column: str) -> float | None:
    """Known floor or ceiling: the median over the rows that tell one."""
    if column not in rows or rows[column].isna().all():
        return None
    return float(rows[column].median())
