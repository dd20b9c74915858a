"""From a table to the points of one surface, or of one per group."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from semloss.errors import SemlossError
from semloss.facts import SHARED, metric_facts, sign_of
from semloss.selection.checks import (
    LINK,
    distinct,
    doubt_about_ceiling,
    doubts,
    refuse_duplicates,
    refuse_impossible,
    refuse_levels,
    refuse_mixture,
    trend_in_snr,
)
from semloss.selection.images import mean_over_images
from semloss.selection.measurement_noise import (
    cells,
    measurement_noise,
    seeds,
    spread_between_seeds,
)
from semloss.selection.points import Follows, Points
from semloss.selection.rows import (
    nothing_there,
    rows_of_metric,
    rows_of_receiver,
    rows_of_task,
    rows_where,
    usable_rows,
)
from semloss.selection.shared_images import image_correlation, told_outcomes
from semloss.tables.cells import cell_text
from semloss.tables.naming import listing
from semloss.tables.snr import doubt_about_snr

_MEASURED = ("cr", "snr_db", "value", "sd", "se", "n")
_LEAST = 4
"""Fewest cells of a group that can be a surface of its own, or a curve along one axis."""
_OF_A_METRIC = ("metric", "value", "sd", "n", "se", "direction", "floor", "ceiling")
"""Columns that tell of a metric and not of a cell."""
_ROUNDED = 1e-6
"""Share of its range that a function of another metric may miss by rounding."""


def select(
    table: pd.DataFrame,
    metric: str | None = None,
    receiver: str | None = None,
    *,
    task: str | None = None,
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
    receiver
        Which receiver answered; by default the only one the metric has, else ``clean``.
    task
        Name of the task model; by default the only one.
    mismatch
        Also use rows tested at another SNR than the codec was trained at.
    where
        Further choices, column -> value, e.g. ``{"channel": "awgn"}``.

    Raises
    ------
    SemlossError
        When the choice is open or matches nothing (the message lists what there is), when values
        lie outside the metric's range, or when two rows measure one cell.
    """
    table = rows_where(table, where)
    rows, metric = rows_of_metric(table, metric)
    rows, receiver, unasked = *rows_of_receiver(rows, receiver), _unasked(rows, receiver)
    rows, task = rows_of_task(rows, task)
    refuse_mixture(rows)
    usable, notes = usable_rows(rows, mismatch)
    if unasked:
        others = listing([name for name in unasked if name != receiver])
        notes.append(f"fitting receiver={receiver}; also there: {others}")
    if usable.empty:
        raise SemlossError(f"no usable row of {metric} is left (diverged or mismatched SNR only)")
    group = {"metric": metric, "receiver": receiver}
    return _points(usable, metric, receiver, task, notes, group, table)


def select_groups(
    table: pd.DataFrame,
    by: Sequence[str] = ("metric", "receiver"),
    metric: str | None = None,
    receiver: str | None = None,
    *,
    task: str | None = None,
    mismatch: bool = False,
    where: Mapping[str, str] | None = None,
    sparse: bool = False,
) -> tuple[list[Points], tuple[str, ...]]:
    """Choose the points of one surface per combination of columns.

    Parameters
    ----------
    table, metric, receiver, task, mismatch, where
        As for `select`; what is chosen here leaves the others out.
    by
        Columns whose every combination is a group, e.g. ``("metric", "receiver", "codec")``.
    sparse
        Keep groups with too few points for a surface of their own: a joint fit may use them.

    Returns
    -------
    tuple
        Points of each group in the table's order, `Points.group` telling which it is, and one
        note for each group that was left out, with the reason.

    Raises
    ------
    SemlossError
        As `select`, for any group; when a column does not exist or cannot make groups; and when
        no group is left.
    """
    rows = table = rows_where(table, where)
    if metric is not None or "metric" not in by:
        rows, metric = rows_of_metric(rows, metric)
    _check_by(rows, by)
    columns = [column for column in by if column in rows]
    labels = [rows[column].map(cell_text) for column in columns]
    groups: list[Points] = []
    skipped: list[str] = []
    for key, part in rows.groupby(labels, sort=False):
        group = dict(zip(columns, map(str, key), strict=True))
        own = group.get("metric", metric)
        assert own is not None
        chosen = {"receiver": receiver, "task": task}
        if any(want and group.get(c, want) not in (want, "none", "") for c, want in chosen.items()):
            continue
        part, own_receiver = rows_of_receiver(part, group.get("receiver", receiver))
        part, own_task = rows_of_task(part, group.get("task", task))
        refuse_mixture(part)
        usable, notes = usable_rows(part, mismatch)
        reason = _no_surface(usable, sparse)
        if reason:
            name = ", ".join(f"{column} {value or '–'}" for column, value in group.items())
            skipped.append(f"left out {name}: {reason}")
        else:
            groups.append(_points(usable, own, own_receiver, own_task, notes, group, table))
    if not groups:
        raise SemlossError(
            f"no group of {', '.join(columns)} is a surface: {skipped[0]}"
            if skipped
            else nothing_there(rows, "receiver", receiver)
            if receiver is not None and receiver not in distinct(rows, "receiver")
            else nothing_there(rows, "task", task)
        )
    return groups, tuple(skipped)


def _unasked(rows: pd.DataFrame, receiver: str | None) -> list[str]:
    """Receivers of which one is taken without being asked for; empty where there is no choice."""
    present = distinct(rows, "receiver") if "receiver" in rows else []
    return present if receiver is None and len(present) > 1 else []


def _no_surface(rows: pd.DataFrame, sparse: bool) -> str | None:
    """Why rows are no surface of their own, nor a curve along one axis; or None."""
    if rows.empty:
        return "no usable row (diverged or mismatched SNR only)"
    if sparse or (cells := rows.groupby(["cr", "snr_db"]).ngroups) >= _LEAST:
        return None
    return f"{cells} points only, and a curve needs {_LEAST}"


def _provenance(rows: pd.DataFrame, table: pd.DataFrame, task: str) -> dict[str, str]:
    """Source, codec and channel of the rows, what their folder tells, and the median PAPR.

    Of several task models of the run it is the one that answered, where the table names it. The
    planner suggests the back-off of the amplifier from the PAPR.
    """
    told = {c: distinct(rows, c)[0] for c in LINK if c in rows and distinct(rows, c)}
    same = table[table["metric"] == "papr_db"]
    for column, value in told.items():
        same = same[same[column].map(cell_text) == value]
    ratios = same["value"].to_numpy(float)
    ratios = ratios[np.isfinite(ratios)]
    papr = {"papr_db": f"{np.median(ratios):.2f}"} if ratios.size else {}
    about = dict(table.attrs.get("about", {}))
    if ", " in about.get("task_model", "") and task != "unknown":
        about["task_model"] = task
    return {**told, **about, **papr}


def _check_by(rows: pd.DataFrame, by: Sequence[str]) -> None:
    for column in by:
        if column in _MEASURED:
            raise SemlossError(f"--group-by {column}: a surface spans it; choose another column")
        if column not in rows and column != "receiver":
            raise SemlossError(f"--group-by {column}: the table has {listing(rows.columns)}")
    if not any(column in rows for column in by):
        raise SemlossError("--group-by: name a column of the table, e.g. metric")


def _points(
    rows: pd.DataFrame,
    metric: str,
    receiver: str,
    task: str,
    notes: list[str],
    group: Mapping[str, str],
    table: pd.DataFrame,
) -> Points:
    """Check the rows of one surface and pack them; the table tells the PAPR of the same link."""
    refuse_impossible(rows, metric)
    rows, averaged, outcomes = mean_over_images(rows)
    refuse_duplicates(rows, metric)
    direction = _direction(rows, metric)
    floor, ceiling = _level(rows, "floor"), _level(rows, "ceiling")
    value = rows["value"].to_numpy(float)
    se, n, noise = measurement_noise(rows, metric)
    refuse_levels(floor, ceiling, direction, value, se)
    if outcomes is None:
        outcomes, untold = told_outcomes(rows, table.attrs.get("outcomes", {}))
        averaged += untold
    shared = None if outcomes is None else image_correlation(outcomes.values)
    alike = SHARED.get(noise, 0.0) if shared is None else shared
    replicate_sd, replicate_dof = spread_between_seeds(value, se, cells(rows), alike)
    if noise == "none" and replicate_dof > 0:
        noise = "replicates"
    about = (
        doubt_about_snr(rows["snr_db"].to_numpy(float)),
        doubt_about_ceiling(ceiling, direction, value, se),
    )
    notes = [*notes, *averaged, *filter(None, about), *doubts(rows, metric, direction)]
    follows = _followed(rows, metric, receiver, task, group, table)
    if follows is not None and follows.points.sign * follows.slope * sign_of(direction) < 0:
        follows = None
    if follows is not None:
        notes.append(f"{metric} is a function of {follows.points.metric}: its fit follows from it")
    return Points(
        metric=metric,
        receiver=receiver,
        direction=direction,
        cr=rows["cr"].to_numpy(float),
        snr_db=rows["snr_db"].to_numpy(float),
        value=value,
        se=se,
        floor=floor,
        ceiling=ceiling,
        notes=tuple(notes),
        provenance=_provenance(rows, table, task),
        n=n,
        noise=noise,
        group=group,
        seed=seeds(rows),
        rows=rows.index.to_numpy(np.int64),
        replicate_sd=replicate_sd,
        replicate_dof=replicate_dof,
        task=task,
        follows=follows,
        image_correlation=shared,
    )


def _followed(
    rows: pd.DataFrame,
    metric: str,
    receiver: str,
    task: str,
    group: Mapping[str, str],
    table: pd.DataFrame,
) -> Follows | None:
    """The share of hits of the same cells that the values are an affine function of, if any."""
    value = rows["value"].to_numpy(float)
    if metric_facts(metric).noise == "binomial" or len(np.unique(value)) < _LEAST - 1:
        return None
    same = list(rows.columns.difference([*_OF_A_METRIC]))
    keys = pd.MultiIndex.from_frame(rows[same])
    for source in distinct(table, "metric"):
        if metric_facts(source).noise != "binomial":
            continue
        there = table[table["metric"] == source]
        at = pd.MultiIndex.from_frame(there[same])
        if not at.is_unique or not keys.isin(at).all():
            continue
        shares = there.iloc[at.get_indexer(keys)]
        share = shares["value"].to_numpy(float)
        slope, offset = np.polyfit(share, value, 1) if np.ptp(share) > 0 else (0.0, 0.0)
        if np.max(np.abs(offset + slope * share - value)) > _ROUNDED * np.ptp(value):
            continue
        named = {**group, **({"metric": source} if "metric" in group else {})}
        points = _points(shares, source, receiver, task, [], named, table)
        return Follows(points, float(slope), float(offset))
    return None


def _direction(rows: pd.DataFrame, metric: str) -> str:
    """Which way is better: as the table says, by the metric's name, else by the trend in SNR."""
    told = distinct(rows, "direction") if "direction" in rows else []
    if told:
        if len(told) > 1 or told[0] not in ("higher", "lower"):
            raise SemlossError(f"direction of {metric} is {', '.join(told)}: one of higher, lower")
        return told[0]
    known = metric_facts(metric).direction
    return known or ("lower" if trend_in_snr(rows) < 0 else "higher")


def _level(rows: pd.DataFrame, column: str) -> float | None:
    """Known floor or ceiling: the median over the rows that tell one."""
    if column not in rows or rows[column].isna().all():
        return None
    return float(rows[column].median())
