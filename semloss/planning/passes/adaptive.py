"""The semantic adaptive coding table: which CR to use at which SNR so that a target holds.

The counterpart of a table of modulations and codes (MODCODs): a smaller CR spends fewer symbols on
an image, so more images get through, but needs more SNR to meet the target. Each row switches in
at its upper threshold and out at its lower one, as a Schmitt trigger does; the rows in are nested,
and the one with the smallest CR is used. The lower threshold is where the target is just met, so
hysteresis costs images but never the target.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semloss.answers import records
from semloss.arrays import Array
from semloss.errors import SemlossError, TargetNotAttainable
from semloss.planning.budget.budget import images_per_s, rate_kept
from semloss.planning.budget.metric import measured_at, measured_crs, round_crs
from semloss.planning.budget.question import Question
from semloss.planning.link.link import LinkData
from semloss.planning.passes.simulation import accumulated
from semloss.surfaces.fitted.fit import Fit
from semloss.units import format_cr, parse_cr

Index = NDArray[np.intp]


@dataclass(frozen=True)
class CodingRow:
    """One row of the table; `cr` is None in the first, "off", which has no thresholds.

    Attributes
    ----------
    required_snr_db, snr_db_low, snr_db_high
        Smallest SNR that meets the target, with its interval (None where the band's pessimistic
        edge does not reach the target within the fitted range).
    down_db, up_db
        Out of the row below `down_db` = required SNR + margin; into it from `up_db` =
        `down_db` + hysteresis on.
    images_per_s
        Rate at which images are sent.
    value, low, high
        Metric with its band at `down_db`, the worst SNR at which the row is used.
    in_domain, at_edge
        Whether the fit was measured there; whether it is the lowest fitted SNR, so that less
        might do.
    measured
        Whether a codec was trained at this CR; None where the fit does not tell its CRs.
    """

    cr: float | None = None
    required_snr_db: float = -math.inf
    snr_db_low: float = -math.inf
    snr_db_high: float | None = -math.inf
    down_db: float = -math.inf
    up_db: float = -math.inf
    images_per_s: float = 0.0
    value: float | None = None
    low: float | None = None
    high: float | None = None
    in_domain: bool | None = None
    at_edge: bool = False
    measured: bool | None = None

    @property
    def label(self) -> str:
        """CR as a fraction, or "off"."""
        return "off" if self.cr is None else format_cr(self.cr)


@dataclass(frozen=True)
class CodingTable:
    """Rows by rising SNR, "off" first; `left_out` says of each other CR why it is none.

    `margin_db` is kept above what the target requires: the link's, and what fading needs.
    """

    question: Question
    margin_db: float
    hysteresis_db: float
    rows: tuple[CodingRow, ...]
    left_out: tuple[str, ...] = ()

    def choose(self, snr_db: ArrayLike) -> Index:
        """Row to use at an SNR without regard to the past; shape as `snr_db`."""
        down = [row.down_db for row in self.rows]
        return np.searchsorted(down, np.asarray(snr_db, dtype=np.float64), "right") - 1

    def records(self) -> list[dict[str, Any]]:
        """Rows ready for JSON and CSV: the infinities of "off" are None."""
        return [
            {"row": row.label}
            | {
                name: None if isinstance(value, float) and math.isinf(value) else value
                for name, value in vars(row).items()
            }
            for row in self.rows
        ]


@dataclass(frozen=True)
class Schedule:
    """Which row is used when; arrays (T,) go with `time_s`.

    Attributes
    ----------
    row
        Index into the table's rows.
    value, low, high
        Metric with its band at the CR in use; NaN where off.
    in_domain
        Whether the fit was measured there; True where off.
    images
        Images delivered since the start.
    fixed_images
        Images of the whole time by CR when that CR alone is used, wherever it meets the target.
    ideal_images
        Images without hysteresis: the most that any choice among the CRs delivers with the
        target always met.
    images_between
        Images where every threshold lies at an end of its interval, the fewer first.
    """

    table: CodingTable
    time_s: Array
    snr_db: Array
    row: Index
    value: Array
    low: Array
    high: Array
    in_domain: NDArray[np.bool_]
    images: Array
    fixed_images: dict[float, float]
    ideal_images: float
    images_between: tuple[float, float]

    @property
    def cr(self) -> Array:
        """CR (T,) in use, NaN where off."""
        return np.array([row.cr or math.nan for row in self.table.rows])[self.row]

    @property
    def images_delivered(self) -> float:
        """Images of the whole time."""
        return float(self.images[-1])

    @property
    def switches(self) -> int:
        """How often the row changes, on and off included."""
        return int(np.count_nonzero(np.diff(self.row)))

    @property
    def best_fixed_cr(self) -> float:
        """The one CR that delivers most; the largest of equals."""
        return max(self.fixed_images, key=lambda cr: (self.fixed_images[cr], cr))

    @property
    def best_fixed_images(self) -> float:
        """Images of the best fixed CR."""
        return self.fixed_images[self.best_fixed_cr]

    def segments(self) -> list[dict[str, Any]]:
        """Stretches of one row: its label, CR, first and last moment, images."""
        starts = np.flatnonzero(np.diff(self.row, prepend=-1))
        stops = np.append(starts[1:], len(self.row) - 1)
        return [
            {
                "row": self.table.rows[self.row[a]].label,
                "cr": self.table.rows[self.row[a]].cr,
                "start_s": float(self.time_s[a]),
                "stop_s": float(self.time_s[b]),
                "images": float(self.images[b] - self.images[a]),
            }
            for a, b in zip(starts, stops, strict=True)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Totals, ready for JSON."""
        best = self.best_fixed_images
        return {
            "images_delivered": self.images_delivered,
            "images_low": self.images_between[0],
            "images_high": self.images_between[1],
            "best_fixed_cr": self.best_fixed_cr,
            "best_fixed_cr_text": format_cr(self.best_fixed_cr),
            "best_fixed_images": best,
            "gain_over_fixed": self.images_delivered / best if best > 0 else None,
            "images_without_hysteresis": self.ideal_images,
            "switches": self.switches,
            "in_domain_share": float(np.mean(self.in_domain)),
            "segments": self.segments(),
        }

    def rows(self) -> list[dict[str, Any]]:
        """A row for each moment."""
        names = np.array([row.label for row in self.table.rows])
        return records(
            {"time_s": self.time_s, "snr_db": self.snr_db, "row": names[self.row],
             "cr": self.cr, "value": self.value, "low": self.low, "high": self.high,
             "in_domain": self.in_domain, "images": self.images}
        )  # fmt: skip


def coding_table(
    link: LinkData,
    fit: Fit,
    *,
    target: float,
    crs: Sequence[float | str] | Literal["measured"] | None = None,
    confidence: float | None = None,
    hysteresis_db: float = 0.5,
    margin_db: float | None = None,
    interval: float | None = 0.95,
) -> CodingTable:
    """Build the table of SNR thresholds for a target.

    Parameters
    ----------
    link
        Tells the image rate and, by its `margin_db`, the default margin; its CR is not used.
    target, confidence
        Value that the metric must meet; with a confidence, the fit must be that sure of it.
    crs
        Candidates; "measured" for those that a codec was trained at; by default round ones,
        `round_crs`.
    hysteresis_db
        How far above its lower threshold a row switches in.
    margin_db
        SNR kept above what the target requires, e.g. `Fading.margin_db(95)` beside the link's.
    interval
        Confidence level of the thresholds' intervals and the bands.

    Returns
    -------
    CodingTable
        With "off" and the useful CRs. A CR is left out when it cannot meet the target within the
        fitted SNRs or when a smaller one needs no more SNR.

    Raises
    ------
    TargetNotAttainable
        When no candidate meets the target.
    SemlossError
        When there is no candidate, a CR or the hysteresis is out of range.
    """
    if crs == "measured":
        ratios = measured_crs(fit)
    else:
        ratios = round_crs(fit) if crs is None else sorted({parse_cr(cr) for cr in crs})
    if not ratios:
        raise SemlossError('crs: give at least one candidate CR, e.g. "1/12,1/24"')
    if not 0 <= hysteresis_db <= 20:
        raise SemlossError(f"hysteresis_db = {hysteresis_db:g}: lies in 0 … 20 dB")
    margin = link.margin_db if margin_db is None else margin_db
    if not 0 <= margin <= 100:
        raise SemlossError(f"margin_db = {margin:g}: lies in 0 … 100 dB")
    rows: list[CodingRow] = []
    left_out = []
    unmet: TargetNotAttainable | None = None
    for ratio in ratios:  # from the most images per second on
        try:
            needed = fit.min_snr(target=target, cr=ratio, interval=interval, confidence=confidence)
        except TargetNotAttainable as short:
            left_out.append(f"CR {format_cr(ratio)}: {short}")
            unmet = short
            continue
        down = needed.snr_db + margin
        better = [row for row in rows if row.down_db <= down]
        if better:
            where = " (the lowest fitted SNR is enough for both)" if needed.at_edge else ""
            left_out.append(
                f"CR {format_cr(ratio)}: CR {better[0].label} sends more images and needs no more "
                f"SNR{where}"
            )
            continue
        rate = float(images_per_s(link, ratio))
        if link.images_per_s is not None and not rate_kept(rate, link.images_per_s):
            left_out.append(
                f"CR {format_cr(ratio)}: sends {rate:.4g} images/s where {link.images_per_s:g} are "
                "asked"
            )
            continue
        point = fit.predict(cr=ratio, snr_db=down, interval=interval)
        rows.append(
            CodingRow(
                ratio, needed.snr_db, needed.low, needed.high, down, down + hysteresis_db,
                rate, point.value, point.low, point.high,
                point.in_domain, needed.at_edge, measured_at(fit, ratio),
            )
        )  # fmt: skip
    if not rows:  # of the largest CR, which comes nearest
        raise unmet or TargetNotAttainable(f"no candidate sends enough images: {left_out[0]}")
    link = link.replace(images_per_s=None)  # every row sends them
    asked = Question(fit, link, target, confidence, interval)
    return CodingTable(
        asked, margin, hysteresis_db, (CodingRow(), *reversed(rows)), tuple(left_out)
    )


def follow(table: CodingTable, time_s: Array, snr_db: Array) -> Schedule:
    """Run the table along an SNR that changes in time.

    Before the first sample there is no past: a row is in there as soon as its lower threshold is
    met. Images are counted as in `accumulated`: the target holds at both ends of each step.

    Parameters
    ----------
    time_s, snr_db
        Rising times (T,) and SNR (T,) in dB, T >= 2, e.g. of a `PassResult`.

    Raises
    ------
    SemlossError
        When the times do not rise or the shapes differ.
    """
    if len(time_s) != len(snr_db) or len(time_s) < 2 or not np.all(np.diff(time_s) > 0):
        raise SemlossError("schedule: give two or more rising times and an SNR for each")
    active = np.stack([_switched(snr_db, row) for row in table.rows[1:]])
    rate = np.array([row.images_per_s for row in table.rows])
    row = active.sum(axis=0)  # nested: all rows below one that is in are in as well
    fixed = {
        float(row.cr or 0.0): float(
            accumulated(time_s, np.where(snr_db >= row.down_db, row.images_per_s, 0.0))[-1]
        )
        for row in table.rows[1:]
    }
    ideal = accumulated(time_s, rate[table.choose(snr_db)])[-1]
    crs = np.array([r.cr or math.nan for r in table.rows])[row]
    value, low, high = (np.full(len(row), np.nan) for _ in range(3))
    inside = np.ones(len(row), dtype=bool)
    on = row > 0
    if on.any():
        asked = table.question
        point = asked.fit.predict(cr=crs[on], snr_db=snr_db[on], interval=asked.interval)
        value[on], low[on], high[on] = point.value, point.low, point.high
        inside[on] = point.in_domain
    images = accumulated(time_s, rate[row])
    return Schedule(
        table, time_s, snr_db, row, value, low, high, inside, images, fixed, float(ideal),
        (_images_at("snr_db_high", table, time_s, snr_db),
         _images_at("snr_db_low", table, time_s, snr_db)),
    )  # fmt: skip


def _images_at(end: str, table: CodingTable, time_s: Array, snr_db: Array) -> float:
    """Images where each row is in from an end of what its target needs."""
    rate = np.zeros(len(time_s))
    for row in table.rows[1:]:
        needed = getattr(row, end)
        if needed is not None:
            down = needed + table.margin_db
            moved = replace(row, down_db=down, up_db=down + table.hysteresis_db)
            rate = np.maximum(rate, row.images_per_s * _switched(snr_db, moved))
    return float(accumulated(time_s, rate)[-1])


def _switched(snr_db: Array, row: CodingRow) -> NDArray[np.bool_]:
    """Schmitt trigger: on from `up_db`, off below `down_db`, in between as before."""
    on, off = snr_db >= row.up_db, snr_db < row.down_db
    on[0] = not off[0]
    event = np.where(on | off, np.arange(len(snr_db)), 0)
    return np.asarray(on[np.maximum.accumulate(event)])
