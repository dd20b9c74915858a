"""How much of the time a metric is reached, under rain and fading.

What "p % of the time" means here: of the time in which the link is used, averaged over years. Rain
follows the annual statistics of ITU-R P.618 (attenuation exceeded a share of an average year).
Fading is ergodic: its distribution is that of the images. For a pass, the time is the contact
time; rain does not depend on where the satellite stands, so each moment of the pass meets the
statistics of its own elevation, and the moments count by their duration (as P.618 does for
non-geostationary paths). Rain and fading are independent. A metric "exceeded p % of the time" is
one that is met or bettered in that share: as the metric improves with SNR, it is the metric at the
SNR exceeded p % of the time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from semloss.answers import records
from semloss.arrays import Array
from semloss.errors import SemlossError
from semloss.layout import amount, columns, domain_line, number, share_of_time, throughout
from semloss.planning.budget.budget import budget_of, chosen_cr, images_per_s
from semloss.planning.budget.question import Answered, Question
from semloss.planning.budget.remarks import rate_met
from semloss.planning.link.link import LinkData
from semloss.planning.passes.orbit import Pass
from semloss.planning.passes.simulation import domain_snr_db, faded_metric, fading_notes
from semloss.planning.propagation.fading import Fading
from semloss.roots import halve
from semloss.surfaces.fitted.fit import Fit
from semloss.units import format_cr

NO_STATISTICS = "no rain statistics: the link's rain all the time"
PERCENTS = (50.0, 90.0, 95.0, 99.0, 99.5, 99.9, 99.99)

_RAIN_PERCENT = np.append(np.geomspace(0.001, 1.0, 25)[:-1], np.geomspace(1.0, 5.0, 7))
"""Where P.618 gives its curve, which may bend at 1 %."""
_LEAST_SHARE = 1e-5
_SHARES = 500
_MOMENTS = 48
"""Most moments of a pass that the statistics take; P.618 itself speaks of steps of 5 degrees."""
_TINY_DB = 1e-6
_MOST_RAIN_DB = 200.0
"""As much as a link file takes; nothing is received long before."""
_MOST_PERCENT = 99.99
_NOTHING_DB = -60.0
"""SNR far below any fitted one, where nothing is received."""
_GAINS_DB = np.linspace(-80.0, 60.0, 14_001)
"""Gains at which a fading's distribution is tabulated; fades below happen 1e-8 of the time."""


@dataclass(frozen=True)
class Outage(Answered):
    """Statistics over time of one link at one CR.

    Attributes
    ----------
    fading
        Label of the fading; None without it.
    pass_
        The pass whose contact time it is; None at the link's own place.
    expected, expected_low, expected_high
        Mean metric over rain and fading, and the means of its band's edges.
    percent, snr_db_exceeded, value_exceeded, low_exceeded, high_exceeded
        Percentages (P,) of the time, the SNR exceeded in them, and the metric there with its
        band.
    met_percent
        Percentage of the time in which the target is met with the link's margin; None without
        a target.
    met_between
        The same at the ends of the interval of what the target needs, the lesser first.
    in_domain_percent
        Percentage of the time in which the SNR lies where the fit was measured.
    images_per_s
        Rate of images that meet the target, on average; of all images without a target.
    """

    cr: float
    fading: str | None
    pass_: Pass | None
    required_snr_db: float | None
    expected: float
    expected_low: float
    expected_high: float
    percent: Array
    snr_db_exceeded: Array
    value_exceeded: Array
    low_exceeded: Array
    high_exceeded: Array
    met_percent: float | None
    met_between: tuple[float, float]
    in_domain_percent: float
    images_per_s: float
    notes: tuple[str, ...] = ()

    @property
    def met(self) -> bool | None:
        """Whether the target is met in some of the time."""
        if self.met_percent is None:
            return None
        return self.met_percent > 0 and rate_met(self.question.link)

    @property
    def in_domain(self) -> bool:
        """Whether the fit was measured at all SNRs that occur."""
        return throughout(self.in_domain_percent / 100)

    def rows(self) -> list[dict[str, Any]]:
        """A row for each share of the time."""
        return records(
            {"percent": self.percent, "snr_db": self.snr_db_exceeded,
             "value": self.value_exceeded, "low": self.low_exceeded, "high": self.high_exceeded}
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Everything."""
        return {
            "link": self.question.link.name,
            **self.question.about,
            "cr": self.cr,
            "cr_text": format_cr(self.cr),
            "fading": self.fading,
            "expected": self.expected,
            "expected_low": self.expected_low,
            "expected_high": self.expected_high,
            "exceeded": self.rows(),
            "target": self.question.target,
            "required_snr_db": self.required_snr_db,
            "met_percent": self.met_percent,
            "met_percent_low": None if self.met_percent is None else self.met_between[0],
            "met_percent_high": None if self.met_percent is None else self.met_between[1],
            "in_domain_percent": self.in_domain_percent,
            "images_per_s": self.images_per_s,
            "notes": list(self.notes),
        }

    @property
    def head(self) -> str:
        """The expected metric, and how often the target is met."""
        question = self.question
        lines = [
            f"{question.metric} = {self.expected:.4g} expected   "
            f"[{question.level}: {self.expected_low:.4g} … {self.expected_high:.4g}]"
        ]
        if self.met_percent is not None:
            share, *ends = map(share_of_time, (self.met_percent, *self.met_between))
            lines.append(
                f"{question.demand} in {share} of the time{question.kept}   "
                f"[{question.level}: {ends[0]} … {ends[1]}]"
            )
        lines.append(f"{amount(self.images_per_s)} images/s on average")
        if NO_STATISTICS in self.notes:
            lines.append(f"{NO_STATISTICS}, so these shares know no weather")
        return "\n".join([*lines, domain_line(self.in_domain_percent / 100)])

    @property
    def body(self) -> str:
        """What is exceeded how often."""
        question = self.question
        elevation, where = question.link.elevation_deg, "at its range"
        if self.pass_ is not None:
            where = self.pass_.about
        elif elevation is not None:
            where = f"at {elevation:g} deg"
        faded = "" if self.fading is None else f", {self.fading} fading"
        rows = (
            (f"{row['percent']:g} %", f"{row['snr_db']:.2f}", number(row["value"]),
             f"{number(row['low'])} … {number(row['high'])}")
            for row in self.rows()
        )  # fmt: skip
        head = ("of the time", "SNR [dB]", question.fit.metric, question.level)
        about = f"{question.link.name}: {where}, CR {format_cr(self.cr)}{faded}"
        return f"{about}\n{columns(head, rows)}"


def outage(
    link: LinkData,
    fit: Fit,
    *,
    cr: float | str | None = None,
    target: float | None = None,
    confidence: float | None = None,
    pass_: Pass | None = None,
    fading: Fading | None = None,
    percents: Sequence[float] = PERCENTS,
    interval: float = 0.95,
) -> Outage:
    """Statistics of the metric under rain and fading.

    Deterministic: the SNR is sampled at 500 shares of the year for each of up to 48 moments, the
    fading enters by its distribution function and, for means, by Gauss-Hermite nodes. Rain is the
    link's own: P.618 by `r001_mm_h` or `atmosphere_model = "itu"` at each elevation, or
    `rain_loss_db` all the time. P.618 holds for 0.001 … 5 % of the year; its light curve is
    continued towards 100 %, the `itu` losses of 5 % are held there, and the worst 0.001 % count
    as outage.

    Parameters
    ----------
    cr, target, confidence, fading, interval
        As for `simulate_pass`.
    pass_
        Take the contact time of this pass; by default the link's own elevation, all the time.
    percents
        Percentages of the time for the exceeded metric, above 0 and up to 99.99.

    Raises
    ------
    TargetNotAttainable
        When the fit does not reach the target at this CR.
    SemlossError
        When an input is missing or out of range.
    """
    ratio = chosen_cr(link, cr)
    wanted = np.sort(np.asarray(percents, dtype=np.float64))
    if wanted.size == 0 or not np.all((wanted > 0) & (wanted <= _MOST_PERCENT)):
        raise SemlossError(f"percents: shares of the time lie above 0, up to {_MOST_PERCENT:g} %")
    rate = float(images_per_s(link, ratio))
    snr, share, weight, notes = _snr_samples(link, pass_)
    times = _Times(snr, share, weight, fading)
    required, met, between = None, None, (0.0, 100.0)
    if target is not None:
        needed = fit.min_snr(target=target, cr=ratio, interval=interval, confidence=confidence)
        required = needed.snr_db
        met, worst, best = (
            0.0 if level is None else 100 * times.exceeded(level + link.margin_db)
            for level in (required, needed.high, needed.low)
        )
        between = (worst, best)
    axis = np.linspace(_NOTHING_DB, max(float(snr.max()), _NOTHING_DB + 1), 1201)
    curves = faded_metric(fit, ratio, axis, fading, interval)
    lost = 1 - float(times.part.sum())
    expected, low, high = (
        float(np.sum(times.part * np.interp(snr, axis, c)) + lost * c[0]) for c in curves[:3]
    )
    inside = np.nan_to_num([times.exceeded(end) for end in domain_snr_db(fit, ratio)])
    inside_percent = 100 * float(inside[0] - inside[1])
    levels = np.array([times.quantile(p / 100) for p in wanted])
    at = fit.predict(cr=ratio, snr_db=levels, interval=interval)
    asked = Question(fit, link.replace(cr=ratio), target, confidence, interval)
    return Outage(
        asked, ratio,
        None if fading is None else fading.label, pass_, required, expected, low, high, wanted,
        levels, np.asarray(at.value), np.asarray(at.low), np.asarray(at.high), met, between,
        inside_percent,
        rate if met is None else rate * met / 100,
        (*notes, *asked.remarks, *fading_notes(fit, fading)),
    )  # fmt: skip


def _attenuation(percent: Array, known_db: Array) -> Array:
    """Rain in dB exceeded `percent` % of the time, from that at `_RAIN_PERCENT`.

    ln A is linear in ln p between the points, and beyond them with the slope of the last two. The
    curve is levelled where P.618's fit for extreme rain bends back.
    """
    level = np.maximum.accumulate(known_db[::-1])[::-1]
    known = np.log(np.maximum(level, _TINY_DB))
    return np.exp(_line(np.log(percent), np.log(_RAIN_PERCENT), known))


def _has_statistics(link: LinkData) -> bool:
    return link.r001_mm_h is not None or link.atmosphere_model == "itu"


def _snr_samples(link: LinkData, pass_: Pass | None) -> tuple[Array, Array, Array, tuple[str, ...]]:
    """SNR (E, S) in dB at moments and shares of the year, the shares (S,), weights (E,), notes.

    A share s is that of the year in which the SNR is lower. SNR rises along the shares.
    """
    geometry: dict[str, Array] = {}
    weight = np.ones(1)
    if pass_ is not None:
        parts = np.array_split(np.arange(len(pass_.time_s)), min(_MOMENTS, len(pass_.time_s)))
        middle = np.array([part[len(part) // 2] for part in parts])
        weight = np.array([pass_.weight_s[part].sum() for part in parts]) / pass_.duration_s
        geometry = {
            "elevation_deg": np.clip(pass_.elevation_deg[middle], 0, 90)[:, None],
            "range_km": pass_.range_km[middle][:, None],
        }
    if not _has_statistics(link):
        snr = budget_of(link, **geometry).snr_db.reshape(-1, 1)
        return snr, np.ones(1), weight, (NO_STATISTICS,)
    share = np.exp(np.linspace(np.log(_LEAST_SHARE), 0.0, _SHARES))
    # The statistics want one number per path: elevation by elevation, all shares at once.
    budget = budget_of(link, availability_percent=100 - _RAIN_PERCENT[None, :], **geometry)
    if link.atmosphere_model == "itu":
        levels = budget.snr_db.reshape(-1, len(_RAIN_PERCENT))
        ends = np.log(_RAIN_PERCENT)
        held = [np.interp(np.log(100 * share), ends, level) for level in levels]
        return np.array(held), share, weight, ()
    curves = budget.rain_loss_db.reshape(-1, len(_RAIN_PERCENT))
    loss = np.minimum([_attenuation(100 * share, c) for c in curves], _MOST_RAIN_DB)
    return budget_of(link, rain_loss_db=loss, **geometry).snr_db, share, weight, ()


class _Times:
    """Distribution over time of the SNR, fades included.

    Holds SNR (E, S) in dB at moments of weights (E,) and shares (S,) of the year in which it is
    lower; `part` (E, S) is the share of all time that each sample stands for.
    """

    def __init__(self, snr: Array, share: Array, weight: Array, fading: Fading | None) -> None:
        self.snr, self.share, self.weight = snr, share, weight
        edges = np.array([0.0, 1.0])
        if len(share) > 1:
            edges = np.concatenate([share[:1], np.sqrt(share[1:] * share[:-1]), [1.0]])
        self.part = np.outer(weight, np.diff(edges))
        self.tail = None if fading is None else fading.exceeded(_GAINS_DB)

    def exceeded(self, level_db: float) -> float:
        """Share of the time in which the SNR is at least a level."""
        if self.tail is not None:
            return float(np.sum(self.part * np.interp(level_db - self.snr, _GAINS_DB, self.tail)))
        if len(self.share) == 1:
            return float(self.weight @ (self.snr[:, 0] >= level_db))
        return float(self.weight @ [1 - self._below(level_db, row) for row in self.snr])

    def quantile(self, part: float) -> float:
        """SNR in dB that is exceeded a part of the time."""
        low, high = self.snr.min() + _GAINS_DB[0] - 1.0, self.snr.max() + _GAINS_DB[-1]
        short = halve(lambda x: np.asarray(self.exceeded(float(x)) < part), low, high, 45)[0]
        return float(short)

    def _below(self, level_db: float, snr: Array) -> float:
        """Share of the year in which an SNR (S,) that rises along the shares is below a level."""
        above = int(np.searchsorted(snr, level_db, "left"))
        if above in (0, len(snr)):
            return float(self.share[0] if above == 0 else 1.0)
        low, high = self.share[above - 1 : above + 1]
        step = (level_db - snr[above - 1]) / (snr[above] - snr[above - 1])
        return float(low * (high / low) ** step)


def _line(x: Array, known_x: Array, known_y: Array) -> Array:
    """Piecewise linear through known points, the end pieces continued."""
    piece = np.clip(np.searchsorted(known_x, x) - 1, 0, len(known_x) - 2)
    slope = np.diff(known_y) / np.diff(known_x)
    line: Array = known_y[piece] + slope[piece] * (x - known_x[piece])
    return line
