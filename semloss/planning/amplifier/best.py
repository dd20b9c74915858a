"""The back-off at which a target takes least, under a limit on what may be sent beside the channel.

SNR is that at saturation, so least SNR is least saturated power. Between measured back-offs what a
target takes and what is spread are taken as straight, which promises no more than is there where
the first bends upwards, as it does about its least.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NoReturn

import numpy as np

from semloss.arrays import Array
from semloss.errors import SemlossError, TargetNotAttainable
from semloss.planning.amplifier.measured import Measured, families
from semloss.planning.budget.operating import OperatingPoint
from semloss.units import format_cr

_ENOUGH = 0.95
"""Share of the draws that must reach the target for an interval to be told."""


@dataclass(frozen=True)
class Place:
    """A back-off, measured or between two measured ones, and what a target takes there.

    Attributes
    ----------
    parts
        The measured points that it lies between, and the share of each; shares add to one.
    back_off_db
        Input back-off; of a codec over AWGN, that which is added to what it takes.
    needed_db
        SNR at saturation that the target takes, then that of each draw, (1 + D,); NaN where the
        target is out of reach.
    acpr_dbc
        Power in a neighbouring channel; NaN where the table does not tell it.
    """

    parts: tuple[tuple[float, Measured], ...]
    back_off_db: float
    needed_db: Array
    acpr_dbc: float

    @property
    def nearest(self) -> Measured:
        """The measured point that it is nearest to."""
        return max(self.parts, key=lambda part: part[0])[1]

    @property
    def codec(self) -> str:
        """Label of the codec, and what it was trained over where that is not the amplifier."""
        over = self.nearest.at.trained_over if self.nearest.at else ""
        return self.nearest.codec + (f" trained over {over}" if over else "")

    @property
    def amplifier(self) -> str:
        """The amplifier without its back-off, or "by rule" of a codec over AWGN."""
        at = self.nearest.at
        return "by rule" if at is None else at.hardware

    @property
    def trained(self) -> str:
        """Where its codec was trained, in words: at the back-off that it has, or elsewhere."""
        at = self.nearest.at
        if at is None or not at.trained_over:
            return "trained at its back-off"
        over = OperatingPoint.parse(at.trained_over)
        if over is None or over.hardware != at.hardware:
            return f"trained over {at.trained_over}"
        return f"trained at {over.input_back_off_db:g} dB, used at others"

    @property
    def snr_db(self) -> float:
        """What the target takes."""
        return float(self.needed_db[0])

    def value(self, cr: float, snr_db: float) -> float:
        """Metric at an SNR at saturation; of a codec over AWGN, behind its back-off."""
        return sum(
            share * float(one.fit.predict(cr=cr, snr_db=self._heard(one, snr_db), interval=None)
                          .value)
            for share, one in self.parts
        )  # fmt: skip

    def in_domain(self, cr: float, snr_db: float) -> bool:
        """Whether it was measured there."""
        return all(
            bool(one.fit.predict(cr=cr, snr_db=self._heard(one, snr_db), interval=None).in_domain)
            for _, one in self.parts
        )

    def at_edge(self) -> bool:
        """Whether the target is met at the lowest measured SNR already, so that less might do."""
        low = [self.back_off_db * (one.at is None) + one.fit.snr_db_range[0]
               for _, one in self.parts]  # fmt: skip
        return bool(self.snr_db <= max(low) + 1e-9)

    def _heard(self, one: Measured, snr_db: float) -> float:
        return snr_db - (self.back_off_db if one.at is None else 0.0)


@dataclass(frozen=True)
class Gain:
    """How much less SNR at saturation the best place takes than another, in dB.

    `low` … `high` is NaN where too few draws reach the target.
    """

    over: Place
    value_db: float
    low_db: float
    high_db: float


@dataclass(frozen=True)
class Search:
    """Every back-off of a table, asked for one target at one CR.

    Attributes
    ----------
    points
        As the table has them.
    cr, target, sign
        Of the metric; `sign` is 1 where higher is better.
    limit_dbc
        Most power in a neighbouring channel; None where any is allowed.
    papr_db
        Peak-to-average ratio that a linear codec is backed off by, where the link says one.
    """

    points: Sequence[Measured]
    cr: float
    target: float
    sign: float
    limit_dbc: float | None = None
    papr_db: float | None = None

    @cached_property
    def measured(self) -> list[list[Place]]:
        """The measured back-offs of each codec and amplifier, rising."""
        return [[self._at(one) for one in family] for family in families(self.points)]

    @cached_property
    def by_rule(self) -> list[Place]:
        """Codecs over AWGN, each backed off by the peaks of its symbols."""
        found = []
        for one in self.points:
            papr = one.papr_db if self.papr_db is None else self.papr_db
            if one.at is None and not math.isnan(papr):
                needed = one.needed_db(self.target, self.cr) + papr
                found.append(Place(((1.0, one),), papr, needed, math.nan))
        return found

    def best(self, *, linear: bool | None = None) -> Place:
        """Where the target takes least under the limit.

        Parameters
        ----------
        linear
            Among codecs that were trained over another channel, or among the others; None: all.

        Raises
        ------
        TargetNotAttainable
            When no point keeps the limit, or none that does reaches the target.
        """
        asked = [family for family in self.measured if linear in (None, family[0].nearest.linear)]
        kept = [place for family in asked for place in self._within(family)]
        if not kept:
            self._refuse_limit(place for family in asked for place in family)
        reached = [place for place in kept if not math.isnan(place.snr_db)]
        if not reached:
            under = "" if self.limit_dbc is None else f" that keeps {self.limit_dbc:g} dBc"
            raise TargetNotAttainable(
                f"target {self.target:g} is out of reach at CR {format_cr(self.cr)} at every "
                f"back-off{under}: no measured SNR meets it; raise the CR or relax the target"
            )
        return min(reached, key=lambda place: place.snr_db)

    def keeps(self, place: Place) -> bool:
        """Whether a place keeps the limit; where the table does not tell, it does not."""
        return self.limit_dbc is None or place.acpr_dbc <= self.limit_dbc + 1e-9

    def _at(self, one: Measured) -> Place:
        needed = one.needed_db(self.target, self.cr)
        snr_db = one.fit.snr_db_range[1] if math.isnan(needed[0]) else float(needed[0])
        back_off = 0.0 if one.at is None else one.at.input_back_off_db
        return Place(((1.0, one),), back_off, needed, one.acpr_dbc(self.cr, snr_db))

    def _within(self, family: Sequence[Place]) -> Iterator[Place]:
        """Places of a family that keep the limit: the measured ones, and where it is just kept."""
        yield from (place for place in family if self.keeps(place))
        for one, other in pairwise(family):
            if self.limit_dbc is not None and self.keeps(one) != self.keeps(other):
                share = (self.limit_dbc - one.acpr_dbc) / (other.acpr_dbc - one.acpr_dbc)
                if math.isfinite(share):
                    yield between(one, other, share)

    def _refuse_limit(self, places: Iterable[Place]) -> NoReturn:
        told = [place for place in places if not math.isnan(place.acpr_dbc)]
        if not told:
            raise SemlossError(
                "the table does not tell acpr_dbc of a codec through an amplifier; leave "
                "--acpr-limit-dbc away, or collect the table anew"
            )
        least = min(told, key=lambda place: place.acpr_dbc)
        raise TargetNotAttainable(
            f"no point keeps {self.limit_dbc:g} dBc in the neighbouring channel: the least is "
            f"{least.acpr_dbc:.1f} dBc, {least.codec} at {least.back_off_db:g} dB of input "
            "back-off; measure a larger back-off, or raise --acpr-limit-dbc"
        )


def between(one: Place, other: Place, share: float) -> Place:
    """The place so far from one to the other."""
    count = min(len(one.needed_db), len(other.needed_db))
    needed = (1 - share) * one.needed_db[:count] + share * other.needed_db[:count]
    return Place(
        ((1 - share, one.nearest), (share, other.nearest)),
        (1 - share) * one.back_off_db + share * other.back_off_db,
        needed,
        (1 - share) * one.acpr_dbc + share * other.acpr_dbc,
    )


def gain_over(best: Place, other: Place, level: float) -> Gain:
    """How much less the best place takes, with the interval that the draws of both give."""
    count = min(len(best.needed_db), len(other.needed_db))
    less = other.needed_db[:count] - best.needed_db[:count]
    return Gain(other, float(less[0]), *interval_of(less, level))


def interval_of(draws: Array, level: float) -> tuple[float, float]:
    """Interval that draws behind a value give, (1 + D,); NaN where too few are known."""
    known = draws[1:][np.isfinite(draws[1:])]
    if not len(known) or len(known) < _ENOUGH * (len(draws) - 1):
        return math.nan, math.nan
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def most(
    points: Sequence[Measured], limit_dbc: float | None, cr: float, snr_db: float, sign: float
) -> float:
    """Best metric that a measured back-off has at an SNR at saturation.

    Of those that keep the limit, where there are any.
    """
    through = [one for one in points if one.at is not None]
    kept = [one for one in through if limit_dbc is None or one.acpr_dbc(cr, snr_db) <= limit_dbc]
    values = []
    for one in kept or through:
        at = min(snr_db, one.fit.snr_db_range[1])  # beyond it nothing is promised
        values.append(sign * float(one.fit.predict(cr=cr, snr_db=at, interval=None).value))
    return sign * max(values)
