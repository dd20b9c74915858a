"""What no surface may be fitted to: impossible values, duplicates, mixed links."""

import math

import numpy as np
import pandas as pd

from semloss.arrays import Array
from semloss.errors import SemlossError
from semloss.facts import metric_facts, sign_of
from semloss.selection.measurement_noise import cells, seeds
from semloss.tables.cells import cell_text
from semloss.tables.naming import listing, plain
from semloss.tables.schema import METRICS_COLUMNS
from semloss.tables.several import TABLE
from semloss.units import format_cr

LINK = ("source", "codec", "codec_label", "objective", "channel")
"""Columns that set surfaces apart whatever the metric."""

_SLACK = 1e-6
"""Single precision may carry a perfect score this far beyond 1."""
_REPLICATES = {"run", "trial", "rep", "repeat", "replicate", "repetition", "fold", "iteration"}


def distinct(rows: pd.DataFrame, column: str) -> list[str]:
    """What a column holds as texts, sorted, blank ones left out."""
    if pd.api.types.is_numeric_dtype(rows[column]):
        return [f"{number:g}" for number in sorted(rows[column].dropna().unique())]
    return sorted({*rows[column].map(cell_text)} - {""})


def row_name(rows: pd.DataFrame, at: int) -> str:
    """What the row at a position is called in messages: its number, after the file's name."""
    where = f"{rows[TABLE].iloc[at]}, " if TABLE in rows else ""
    return f"{where}row {rows.index[at]}"


def refuse_mixture(rows: pd.DataFrame) -> None:
    """Refuse several sources, codecs, objectives or channels."""
    for column in LINK:
        several = distinct(rows, column) if column in rows else []
        if len(several) > 1:
            raise SemlossError(
                f"the table holds several values of {column} ({listing(several)}); "
                f"choose one with --where {column}=…, or fit each with --group-by {column}"
            )


def refuse_impossible(rows: pd.DataFrame, metric: str) -> None:
    """Refuse values and levels that the metric cannot take, percentages above all."""
    low, high = metric_facts(metric).values
    for column in ("value", "floor", "ceiling"):
        if column not in rows:
            continue
        numbers = rows[column]
        bad = np.flatnonzero((numbers > high + _SLACK) | (numbers < low - _SLACK))
        if not bad.size:
            continue
        percent = high == 1 and numbers.median() > 1 and 0 <= numbers.min() <= numbers.max() <= 100
        ours = metric if column == "value" else f"{column} of {metric}"
        mend = (
            f"write fractions, not percentages: --columns {column}=COLUMN/100"
            if percent
            else "correct or remove the row"
        )
        raise SemlossError(
            f"{row_name(rows, bad[0])}: {ours} = {numbers.iloc[bad[0]]:g} lies outside "
            f"[{low:g}, {high:g}]; {mend}"
        )
    for column in ("sd", "se") if math.isfinite(high - low) else ():
        if column in rows and (bad := np.flatnonzero(rows[column] > 1)).size:
            raise SemlossError(
                f"{row_name(rows, bad[0])}: {column} = {rows[column].iloc[bad[0]]:g} is beyond "
                f"what {metric} can spread; write fractions, not percentages: "
                f"--columns {column}=COLUMN/100"
            )


def refuse_duplicates(rows: pd.DataFrame, metric: str) -> None:
    """Refuse two rows for one cell, and say what may tell them apart."""
    key = pd.DataFrame({"cell": cells(rows), "seed": seeds(rows)}, index=rows.index)
    again = key.duplicated().to_numpy()
    if not again.any():
        return
    second = int(np.flatnonzero(again)[0])
    first = int(np.flatnonzero((key == key.iloc[second]).all(axis=1))[0])
    one = rows.iloc[second]
    names = [row_name(rows, at) for at in (first, second)]
    if TABLE not in rows:
        names = [f"rows {rows.index[first]}", str(rows.index[second])]
    text = (
        f"{' and '.join(names)} are one cell (CR "
        f"{format_cr(float(one['cr']))}, {one['snr_db']:g} dB, {metric}, seed "
        f"{key['seed'].iloc[second]}): "
    )
    column = _telling_column(rows, key)
    if column is None:
        raise SemlossError(
            f"{text}remove one, or name replicates by a column seed (images, by a column image)"
        )
    if _REPLICATES & set(plain(column).split("_")):
        raise SemlossError(f"{text}if {column} counts replicates, say --columns seed={column}")
    raise SemlossError(
        f"{text}{column} tells them apart: choose one with --where {column}=…, or fit each with "
        f"--group-by {column} (replicates are named by a column seed)"
    )


def _telling_column(rows: pd.DataFrame, key: pd.DataFrame) -> str | None:
    """Further column with few values under which no cell comes twice."""
    for column in rows.columns.difference([*METRICS_COLUMNS], sort=False):
        texts = rows[column].map(cell_text)
        few = 2 <= texts.nunique() <= len(rows) / 2
        if few and not key.assign(further=texts).duplicated().any():
            return str(column)
    return None


def refuse_levels(
    floor: float | None, ceiling: float | None, direction: str, value: Array, se: Array
) -> None:
    """Refuse known levels that contradict the direction, or values (N,) with errors `se` (N,)."""
    sign = sign_of(direction)
    if floor is not None and ceiling is not None and sign * (ceiling - floor) <= 0:
        raise SemlossError(
            f"floor {floor:g} and ceiling {ceiling:g} contradict direction {direction}: the "
            "floor is the value when nothing gets through"
        )
    middle = float(np.median(value))
    if floor is not None and sign * (floor - middle) > _slack(floor, value, se):
        raise SemlossError(
            f"floor {floor:g}: most values are worse (median {middle:.4g}), but the floor is the "
            "value when nothing gets through, e.g. 1/classes; correct it or leave the column out"
        )


def doubt_about_ceiling(
    ceiling: float | None, direction: str, value: Array, se: Array
) -> str | None:
    """A note where most values (N,) beat the ceiling, which a receiver tuned to the link may."""
    if ceiling is None:
        return None
    sign = sign_of(direction)
    if sign * (float(np.median(value)) - ceiling) <= _slack(ceiling, value, se):
        return None
    return f"most values are better than the ceiling {ceiling:g}: is it the value on clean data?"


def _slack(level: float, value: Array, se: Array) -> float:
    """How far most values may lie beyond a known level by chance alone."""
    return 3.0 * float(np.median(se)) + 0.1 * max(abs(level), float(np.ptp(value)))


def doubts(rows: pd.DataFrame, metric: str, direction: str) -> list[str]:
    """Notes on what is odd but may be meant."""
    notes = []
    for column in rows.columns.difference([*METRICS_COLUMNS], sort=False):
        several = distinct(rows, column)
        if column == TABLE and any(
            rows.groupby(column)[axis].nunique().max() == 1 for axis in ("cr", "snr_db", "metric")
        ):
            continue  # a file for each CR, as one does
        if 2 <= len(several) <= len(rows) / 2 and not any(_is_number(text) for text in several):
            notes.append(
                f"{column} has several values ({listing(several)}), fitted as one surface; "
                f"--group-by {column} separates them"
            )
    if sign_of(direction) * trend_in_snr(rows) < -0.5 and not metric_facts(metric).of_sent:
        notes.append(
            f"values get worse as snr_db rises ({direction} is better): is it an SNR, and not a "
            "noise level?"
        )
    return notes


def trend_in_snr(rows: pd.DataFrame) -> float:
    """Correlation of value and SNR within the CRs, -1 to 1; 0 where there is none to see."""
    ratios = rows["cr"].round(12)
    parts: list[Array] = [
        (rows[name] - rows.groupby(ratios)[name].transform("mean")).to_numpy(float)
        for name in ("snr_db", "value")
    ]
    scale = math.sqrt(float(np.sum(parts[0] ** 2)) * float(np.sum(parts[1] ** 2)))
    return float(np.sum(parts[0] * parts[1])) / scale if scale > 0 else 0.0


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
