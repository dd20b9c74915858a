"""Two or more links of a table, side by side."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from semloss.arrays import Array, Integers
from semloss.comparing.comparison import Compared, Difference, PairedComparison
from semloss.comparing.paired import Interval, discordant, of_errors, paired, unpaired
from semloss.errors import SemlossError
from semloss.facts import metric_facts
from semloss.outcomes import PerImage
from semloss.selection.checks import LINK, distinct, refuse_duplicates
from semloss.selection.images import mean_over_images
from semloss.selection.measurement_noise import measurement_noise
from semloss.selection.rows import narrow, rows_where, usable_rows
from semloss.selection.shared_images import told_outcomes
from semloss.tables.cells import cell_text
from semloss.tables.naming import canonical_metric, listing
from semloss.tables.several import TABLE
from semloss.text import meant
from semloss.units import format_cr

_CALLED = {"run": TABLE, "codec": "codec_label"}
"""What people say, and the column that tells it."""
_USUAL = (TABLE, "objective", "codec_label", "channel", "receiver")
"""Columns by which links are told apart, the first that does being meant."""
_OF_A_MEASUREMENT = ("metric", "cr", "snr_db", "value", "sd", "se", "n")
_BASES = ("mse", "clean")
"""What others are held against where it is there."""
_NONE = ("", "none")
_UNKNOWN = Interval(float("nan"), float("nan"))


def compare(
    table: pd.DataFrame,
    by: str | None = None,
    *,
    base: str | None = None,
    metric: str | None = None,
    receiver: str | None = None,
    task: str | None = None,
    where: Mapping[str, str] | None = None,
    cr: float | None = None,
    snr_db: float | None = None,
    level: float = 0.95,
) -> PairedComparison:
    """Compare links at equal CR and SNR, image by image where outcomes of images tell it.

    Several seeds of a link are averaged, image by image too.

    Parameters
    ----------
    table
        As `load_table` returns it, of one run or of several.
    by
        What tells the links apart: "run", "codec", "objective", "receiver", or any column of the
        table; by default the first of these that has several values.
    base
        The value of it that the others are held against; by default mse, clean, or the first.
    metric, receiver, task, where
        Only these; by default all that there are.
    cr, snr_db
        Only cells of this k/n, to 0.1 %, and at this Es/N0 in dB.
    level
        Of the intervals, in (0, 1).

    Raises
    ------
    SemlossError
        When there is nothing to compare, or what is asked for is not there.
    """
    if not 0 < level < 1:
        raise SemlossError(f"level = {level:g}: give the level of the intervals in (0, 1)")
    rows, notes = asked_rows(table, metric, receiver, task, where, cr, snr_db)
    by, base, names = links_of(rows, by, base)
    one = narrow(rows, by, base, "--base")
    pairs: list[Compared] = []
    for name in names:
        if name != base:
            found, more = _pairs(one, narrow(rows, by, name, "--by"), by, table, level)
            pairs += found
            notes += more
    if not pairs:
        raise SemlossError(
            f"no metric is measured at one CR and SNR for {listing(names)}; compare links at equal "
            "(realised) CR and SNR"
        )
    return PairedComparison(by, level, pairs, tuple(dict.fromkeys(notes)))


def links_of(rows: pd.DataFrame, by: str | None, base: str | None) -> tuple[str, str, list[str]]:
    """Column that tells the links apart, the one that others are held against, and all of them."""
    by = _told_apart(rows, by)
    names = [name for name in dict.fromkeys(rows[by].map(cell_text)) if name not in _NONE]
    if len(names) < 2:
        raise SemlossError(
            f"--by {by}: all rows that are asked for have {listing(names) or 'none'}; nothing to "
            "compare"
        )
    base = base or next((name for name in _BASES if name in names), names[0])
    narrow(rows, by, base, "--base")
    return by, base, names


def asked_rows(
    table: pd.DataFrame,
    metric: str | None,
    receiver: str | None,
    task: str | None,
    where: Mapping[str, str] | None,
    cr: float | None = None,
    snr_db: float | None = None,
) -> tuple[pd.DataFrame, list[str]]:
    """The usable rows that are asked for, and notes on what is left out."""
    rows = rows_where(table, where)
    if metric is not None and metric not in distinct(rows, "metric"):
        metric = canonical_metric(metric)
    for column, wanted in (("metric", metric), ("receiver", receiver), ("task", task)):
        if wanted is None:
            continue
        if column not in rows:
            raise SemlossError(f"--{column} {wanted}: the table has no column {column}")
        rows = narrow(rows, column, wanted, f"--{column}")
    rows, notes = usable_rows(rows, mismatch=False)
    if rows.empty:
        raise SemlossError("no usable row is left (diverged or mismatched SNR only)")
    if cr is not None:
        rows = _at(rows, "cr", cr, 1e-3 * cr, format_cr)
    if snr_db is not None:
        rows = _at(rows, "snr_db", snr_db, 1e-6, "{:g}".format)
    return rows, notes


def _at(
    rows: pd.DataFrame, column: str, level: float, slack: float, text: Callable[[float], str]
) -> pd.DataFrame:
    """Rows of one CR, or of one SNR."""
    kept = rows[abs(rows[column] - level) <= slack]
    if kept.empty:
        there = listing(text(float(one)) for one in sorted(rows[column].unique()))
        option = column.replace("_", "-")
        raise SemlossError(f"--{option} {text(level)} is not measured; there are {there}")
    return kept


def _told_apart(rows: pd.DataFrame, by: str | None) -> str:
    """Column that tells the links apart."""
    if by is not None:
        column = _CALLED[by] if _CALLED.get(by) in rows else by
        if column in _OF_A_MEASUREMENT:
            raise SemlossError(f"--by {by}: it tells no links apart; choose another column")
        if column not in rows:
            columns = [*_CALLED, *({*map(str, rows)} - {*_OF_A_MEASUREMENT})]
            otherwise = f"the table has {listing(rows.columns)}"
            mend = "give two runs" if by == "run" else meant(by, columns, otherwise)
            raise SemlossError(f"--by {by}: {mend}")
        return column
    for column in _USUAL:
        if column in rows and len({*distinct(rows, column)} - {*_NONE}) > 1:
            return column
    raise SemlossError(
        "nothing to compare: one run, objective, codec, channel and receiver; give a second RUN, "
        "or name a column with several values by --by"
    )


def _pairs(
    base: pd.DataFrame, other: pd.DataFrame, by: str, table: pd.DataFrame, level: float
) -> tuple[list[Compared], list[str]]:
    """Each metric of two links, by receiver and by whatever else sets cells of one side apart."""
    found: list[Compared] = []
    notes: list[str] = []
    always = [c for c in ("metric", "receiver") if c != by and c in base]
    for key, mine in base.groupby(always, sort=False):
        theirs = _alike(other, dict(zip(always, key, strict=True)))
        maybe = [c for c in ("task", *LINK) if c not in (by, *always) and c in base]
        further = [c for c in maybe if max(len(distinct(side, c)) for side in (mine, theirs)) > 1]
        groups = mine.groupby(further, sort=False) if further else [((), mine)]
        for more, part in groups:
            values = {**dict(zip(always, key, strict=True)),
                      **dict(zip(further, more, strict=True))}  # fmt: skip
            what = {column: cell_text(value) for column, value in values.items()}
            match = _alike(theirs, dict(zip(further, more, strict=True)))
            if match.empty:
                continue
            metric = cell_text(part["metric"].iloc[0])
            sides = [_Side.of(side, metric, table) for side in (part, match)]
            notes += [note for side in sides for note in side.notes]
            names = [cell_text(side[by].iloc[0]) for side in (part, match)]
            compared, told = _compared(what, names, sides, level, metric)
            found += compared
            notes += told
    return found, notes


def _alike(rows: pd.DataFrame, wanted: Mapping[str, object]) -> pd.DataFrame:
    """Rows with the wanted values."""
    for column, value in wanted.items():
        rows = rows[rows[column] == value]
    return rows


@dataclass(frozen=True)
class _Side:
    """The measurements of one link: which cell each is of, value, error, and outcomes if told."""

    cell: list[tuple[float, float]]
    cr: Array
    value: Array
    se: Array
    outcomes: PerImage | None
    direction: str
    notes: list[str]

    @classmethod
    def of(cls, rows: pd.DataFrame, metric: str, table: pd.DataFrame) -> "_Side":
        rows, _, outcomes = mean_over_images(rows)
        refuse_duplicates(rows, metric)
        notes: list[str] = []
        if outcomes is None:
            outcomes, notes = told_outcomes(rows, table.attrs.get("outcomes", {}))
        cell = [(round(float(cr), 12), round(float(snr), 9))
                for cr, snr in zip(rows["cr"], rows["snr_db"], strict=True)]  # fmt: skip
        told = distinct(rows, "direction") if "direction" in rows else []
        direction = told[0] if told else metric_facts(metric).direction or "higher"
        se = measurement_noise(rows, metric)[0]
        cr, value = (rows[column].to_numpy(float) for column in ("cr", "value"))
        return cls(cell, cr, value, se, outcomes, direction, notes)

    def at(self, cells: Sequence[tuple[float, float]]) -> list[Integers]:
        """Positions of the measurements of each cell: its seeds."""
        return [
            np.array([i for i, one in enumerate(self.cell) if one == cell], dtype=np.int64)
            for cell in cells
        ]


def _compared(
    what: Mapping[str, str], names: Sequence[str], sides: Sequence[_Side], level: float, metric: str
) -> tuple[list[Compared], list[str]]:
    """One metric of two links in the cells that both have."""
    one, other = sides
    cells = sorted({*one.cell} & {*other.cell})
    if not cells:
        return [], []
    notes = []
    alone = len({*one.cell} ^ {*other.cell})
    if alone:
        notes.append(f"{metric}: {alone} cells are measured for one of {' and '.join(names)} only")
    places = [side.at(cells) for side in sides]
    shared = _shared(one.outcomes, other.outcomes)
    if shared is None:
        why = ("no outcomes of single images are told for both"
               if one.outcomes is None or other.outcomes is None
               else "the two were measured on different images")  # fmt: skip
        notes.append(f"no paired intervals: {why}")
    elif shared[0].shape[1] < max(len(side.outcomes.image) for side in sides if side.outcomes):
        notes.append(
            f"compared on the {shared[0].shape[1]} images that both were measured on, as if those "
            "were all"
        )
    hits = _hits(metric, shared)

    def difference(which: Sequence[int]) -> Difference:
        at = [[place[i] for i in which] for place in places]
        return _difference(sides, at, shared, level, hits)

    each = [
        replace(difference([i]), cr=float(one.cr[places[0][i][0]]), snr_db=snr_db)
        for i, (_, snr_db) in enumerate(cells)
    ]
    mean = difference(range(len(cells)))
    return [Compared(what, names[0], names[1], one.direction, each, mean)], notes


def _shared(one: PerImage | None, other: PerImage | None) -> tuple[Array, Array] | None:
    """Outcomes (N, n) and (M, n) of the images that all of both were measured on, at least two."""
    if one is None or other is None:
        return None
    place = {name: at for at, name in enumerate(other.image)}
    both = [(at, place[name]) for at, name in enumerate(one.image) if name in place]
    mine, theirs = (side.values[:, [pair[i] for pair in both]]
                    for i, side in enumerate((one, other)))  # fmt: skip
    told = np.isfinite(mine).all(axis=0) & np.isfinite(theirs).all(axis=0)
    return (mine[:, told], theirs[:, told]) if told.sum() > 1 else None


def _hits(metric: str, shared: tuple[Array, Array] | None) -> tuple[float, float] | None:
    """What a miss and a hit count where each outcome is one of them; None for numbers."""
    if metric_facts(metric).noise == "binomial":
        return 0.0, 1.0
    if shared is None:
        return None
    levels = np.unique(np.concatenate([side.ravel() for side in shared]))
    return (float(levels[0]), float(levels[1])) if len(levels) == 2 else None


def _difference(
    sides: Sequence[_Side],
    at: Sequence[Sequence[Integers]],
    shared: tuple[Array, Array] | None,
    level: float,
    hits: tuple[float, float] | None,
) -> Difference:
    """Difference of the means over cells; of each cell, over its seeds."""
    cells = len(at[0])
    if shared is None:
        values, errors = (
            [float(np.mean([column[seeds].mean() for seeds in place]))
             for column, place in zip(columns, at, strict=True)]
            for columns in ([side.value for side in sides], [side.se for side in sides])
        )  # fmt: skip
        # errors of cells and seeds on the same images do not average out
        interval = of_errors(values[1] - values[0], (errors[0], errors[1]), level)
        return Difference(values[0], values[1], _UNKNOWN, interval, 0, cells)
    base, other = (
        np.mean([outcomes[seeds].mean(axis=0) for seeds in place], axis=0)
        for outcomes, place in zip(shared, at, strict=True)
    )
    single = hits == (0.0, 1.0) and cells == 1 and all(len(place[0]) == 1 for place in at)
    return Difference(
        float(base.mean()), float(other.mean()), paired(base, other, level, hits),
        unpaired(base, other, level, hits), len(base), cells,
        discordant(base, other) if single else None,
    )  # fmt: skip
