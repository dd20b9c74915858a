"""A table's codecs through an amplifier: a fitted surface for each back-off, and what it spreads.

SNR is that of a symbol at saturation, so what back-off loses is in the metric.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from semloss.arrays import Array
from semloss.errors import SemlossError
from semloss.planning.budget.inverse import snr_draws
from semloss.planning.budget.operating import OperatingPoint
from semloss.planning.budget.remarks import measured_papr_db
from semloss.selection import select
from semloss.selection.checks import distinct
from semloss.selection.rows import rows_where
from semloss.surfaces.fitted.fit import Fit
from semloss.surfaces.fitting.fit_surface import fit_surface
from semloss.tables.cells import cell_text
from semloss.tables.naming import listing

_DRAWS = 200
"""Draws of each surface for the intervals."""


@dataclass(frozen=True)
class Measured:
    """A codec at one back-off, or over AWGN.

    Attributes
    ----------
    codec
        Its label.
    at
        The amplifier's operating point; None over AWGN.
    fit
        Its surface.
    spread
        (N, 3) of CR, SNR in dB and the power in a neighbouring channel in dBc, where the table
        tells it.
    """

    codec: str
    at: OperatingPoint | None
    fit: Fit
    spread: Array

    @property
    def linear(self) -> bool:
        """Whether it goes through an amplifier, and its codec was trained through none."""
        over = "" if self.at is None else self.at.trained_over
        return bool(over) and OperatingPoint.parse(over) is None

    @property
    def papr_db(self) -> float:
        """Peak-to-average ratio of its symbols; NaN where the table does not tell it."""
        told = measured_papr_db(self.fit)
        return np.nan if told is None else told

    def acpr_dbc(self, cr: float, snr_db: float) -> float:
        """Power in a neighbouring channel, in dBc, at the measured CR nearest to one.

        Straight between the measured SNRs; NaN where the table does not tell it.
        """
        if not len(self.spread):
            return np.nan
        away = np.abs(np.log(self.spread[:, 0] / cr))
        near = self.spread[away <= away.min() + 1e-9]
        levels, which = np.unique(near[:, 1], return_inverse=True)
        means = np.bincount(which, near[:, 2]) / np.bincount(which)
        return float(np.interp(snr_db, levels, means))

    def needed_db(self, target: float, cr: float) -> Array:
        """SNR that a target takes, then that of each draw of the surface, (1 + D,); see there."""
        return snr_draws(self.fit, target, cr)


def measured_points(
    table: pd.DataFrame,
    metric: str | None = None,
    receiver: str | None = None,
    *,
    task: str | None = None,
    where: Mapping[str, str] | None = None,
    form: str = "auto",
    band: str | None = None,
) -> list[Measured]:
    """Fit a surface to every codec over AWGN and at every back-off of a table.

    Parameters
    ----------
    table, metric, receiver, task, where
        As for `semloss.selection.select`.
    form, band
        Of the surfaces, and what their bands are about.

    Raises
    ------
    SemlossError
        When the table has no codec through an amplifier, or what it has is no surface.
    """
    rows = rows_where(table, where)
    if "channel" not in rows:
        raise SemlossError("the table has no column channel, which tells of the amplifier")
    channels = distinct(rows, "channel")
    if not any(map(OperatingPoint.parse, channels)):
        raise SemlossError(
            f"the table has no channel through an amplifier, but {listing(channels)}"
            '; collect several [[channel]] of kind = "amplifier", each with its input_back_off_db'
        )
    by = [column for column in ("codec_label", "channel") if column in rows]
    found = []
    for key, part in rows.groupby([rows[column].map(cell_text) for column in by], sort=False):
        chosen = dict(zip(by, map(str, key), strict=True))
        at = OperatingPoint.parse(chosen["channel"])
        if at is None and chosen["channel"] != "awgn":
            continue
        codec = chosen.get("codec_label", "codec")
        try:
            points = select(table, metric, receiver, task=task, where={**(where or {}), **chosen})
            fit = fit_surface(points, form, bootstraps=_DRAWS).about(band)
        except SemlossError as error:
            raise SemlossError(f"{codec} over {chosen['channel']}: {error}") from None
        spread = part.loc[part["metric"] == "acpr_dbc", ["cr", "snr_db", "value"]]
        found.append(Measured(codec, at, fit, spread.to_numpy(float)))
    return found


def families(points: Sequence[Measured]) -> list[list[Measured]]:
    """Points that differ in back-off alone, by rising back-off."""
    found: dict[tuple[str, str], list[Measured]] = {}
    for one in points:
        if one.at is not None:
            found.setdefault((one.codec, one.at.amplifier), []).append(one)
    return [
        sorted(family, key=lambda one: one.at.input_back_off_db if one.at else 0.0)
        for family in found.values()
    ]
