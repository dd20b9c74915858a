"""Solve a link for anything: the cheapest value of one field with which the target is met."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from semloss.arrays import Array
from semloss.errors import SemlossError, TargetNotAttainable
from semloss.facts.target import read_target, sense
from semloss.planning.budget.budget import budget_of, chosen_cr, samples_per_image
from semloss.planning.budget.question import Question
from semloss.planning.budget.solution import Solution
from semloss.planning.link.keys import REPLACES, dropped_by
from semloss.planning.link.link import LinkData
from semloss.planning.propagation.fading import Fading
from semloss.planning.propagation.itu import LOWEST_ELEVATION_DEG
from semloss.roots import first_met
from semloss.surfaces.fitted.requirements import Levels
from semloss.units import format_cr

if TYPE_CHECKING:
    from semloss.surfaces.fitted.fit import Fit, Prediction
    from semloss.surfaces.fitted.requirements import Requirement


@dataclass(frozen=True)
class Unknown:
    """A field to solve for: its unit, where to search, and the end that is cheap.

    `cheap` is where the search starts; `dear` is where the target is most easily met. `scale`
    maps the field to a coordinate that the search divides evenly.
    """

    unit: str
    cheap: float
    dear: float
    scale: str = "linear"

    @property
    def sense(self) -> str:
        """Which extreme of the field is asked."""
        return "smallest" if self.cheap < self.dear else "largest"


#: What can be solved for. SNR and CR are asked of the fit, the rest of the link.
UNKNOWNS: dict[str, Unknown] = {
    "snr_db": Unknown("dB", -50, 100),
    "cr": Unknown("", 0, 1),
    "eirp_dbw": Unknown("dBW", -100, 120),
    "power_dbw": Unknown("dBW", -60, 60),
    "obo_db": Unknown("dB", 30, 0),
    "tx_dish_m": Unknown("m", 0.01, 100, "log"),
    "rx_dish_m": Unknown("m", 0.01, 100, "log"),
    "bandwidth_mhz": Unknown("MHz", 1e5, 1e-4, "log"),
    "range_km": Unknown("km", 1e6, 1, "log"),
    "elevation_deg": Unknown("deg", 0, 90),
    "availability_percent": Unknown("%", 99.999, 95, "unavailability"),
}


#: Points of the first round, which need not be monotone, and of those that close the bracket.
_COUNTS = (257, *[33] * 8)


_SCALES: dict[str, tuple[Callable[[float], float], Callable[[Array], Array]]] = {
    "linear": (lambda x: x, lambda t: t),
    "log": (math.log, np.exp),
    "unavailability": (lambda x: math.log(100 - x), lambda t: 100 - np.exp(t)),
}


def solve(
    link: LinkData,
    unknown: str,
    fit: "Fit",
    target: float | str,
    confidence: float | None = None,
    interval: float = 0.95,
    *,
    fading: Fading | None = None,
    hold_percent: float = 95.0,
) -> Solution:
    """Find the cheapest value of a field with which the metric meets a target.

    The smallest `snr_db`, `cr`, `eirp_dbw`, `power_dbw`, `tx_dish_m`, `rx_dish_m` or
    `elevation_deg`, the largest `obo_db`, `range_km`, `availability_percent` or `bandwidth_mhz`.
    With `images_per_s` given in the link, the smallest `bandwidth_mhz` that delivers them: at the
    link's CR, or, where it has none, at the CR that the bandwidth leaves room for.

    Parameters
    ----------
    link
        The link; its own value of the unknown is not used, and `margin_db` is kept.
    unknown
        Name of the field.
    fit
        The fit of the metric.
    target
        Value to meet, or text with its sense (">= 0.8").
    confidence
        Meet it with this one-sided confidence rather than by the best estimate.
    interval
        Confidence level of the interval about the answer.
    fading, hold_percent
        Fades about the link's SNR, and the percentage of them in which the target is to hold: so
        much more margin is kept.

    Raises
    ------
    SemlossError
        When the unknown cannot be solved for, or the link lacks what it needs.
    TargetNotAttainable
        When no value in the search range meets the target; the message says what comes nearest.
    """
    check_solvable(link, unknown)
    if fading is not None:
        link = link.replace(margin_db=link.margin_db + fading.margin_db(hold_percent))
    label = None if fading is None else f"{fading.label}, held in {hold_percent:g} % of it"
    ask = _Ask(link, unknown, fit, read_target(target, fit), confidence, interval, label)
    if unknown == "cr":
        return _smallest_cr(ask)
    if unknown == "bandwidth_mhz" and link.images_per_s is not None:
        return _bandwidth_for_rate(ask)
    return _field(ask)


_PARTS = {
    "g_over_t_db_k": ": t_ant_k and noise_figure_db, or t_sys_k",
    "eirp_dbw": ": tx_gain_dbi or tx_dish_m",
    "rain_loss_db": ": r001_mm_h, with station_lat_deg and elevation_deg",
}
"""What else a link needs once a given of it is left away."""


def check_solvable(link: LinkData, unknown: str) -> None:
    """Refuse an unknown that is none, or that another given of the link settles."""
    if unknown not in UNKNOWNS:
        raise SemlossError(f"cannot solve for {unknown}: choose one of {', '.join(UNKNOWNS)}")
    for given, parts in REPLACES.items():
        settled = unknown in parts and given not in dropped_by(unknown)
        if settled and getattr(link, given) is not None:
            raise SemlossError(
                f"cannot solve for {unknown}: {given} = {getattr(link, given):g} settles it; "
                f"unset it ({given}=) and give its parts{_PARTS.get(given, '')}"
            )


@dataclass(frozen=True)
class _Ask:
    """A question put to `solve`, its target read."""

    link: LinkData
    unknown: str
    fit: "Fit"
    target: float
    confidence: float | None
    interval: float
    fading: str | None

    @property
    def cr(self) -> float:
        return chosen_cr(self.link)

    def required(self) -> "Requirement":
        """What the target needs in SNR at the link's CR."""
        return self.fit.min_snr(
            target=self.target, cr=self.cr, interval=self.interval, confidence=self.confidence
        )

    def predict(self, cr: float, snr_db: float) -> "Prediction":
        return self.fit.predict(cr=cr, snr_db=snr_db, interval=self.interval)

    def solution(
        self,
        value: float,
        ends: tuple[float | None, float | None],
        at_edge: bool,
        *,
        extreme: str | None = None,
        **also: float,
    ) -> Solution:
        """Put the answer into the link; `ends` are the optimist's and the pessimist's answer.

        `also` are fields of the link that follow from the answer.
        """
        unknown = UNKNOWNS[self.unknown]
        extreme = extreme or unknown.sense
        low, high = ends if extreme == "smallest" else ends[::-1]
        if self.unknown == "snr_db":
            link, snr_db = self.link, value
        else:
            link = self.link.replace(**{self.unknown: value}, **also)
            snr_db = float(budget_of(link).snr_db)
        assert link.cr is not None
        asked = Question(self.fit, self.link, self.target, self.confidence, self.interval)
        return Solution(
            asked, self.unknown, value, unknown.unit, extreme, low, high, at_edge, link,
            self.predict(link.cr, snr_db), fading=self.fading,
        )  # fmt: skip


def _field(ask: _Ask) -> Solution:
    """Solve for the SNR, or for a field of the link that changes it, at the link's CR."""
    needed = ask.required()
    keep = ask.link.margin_db
    if ask.unknown == "snr_db":
        ends = (needed.low + keep, None if needed.high is None else needed.high + keep)
        snr_db = needed.snr_db + keep
        return ask.solution(snr_db, ends, needed.at_edge)
    unknown = _search_range(ask)

    def snr_db_at(values: Array) -> Array:
        return budget_of(ask.link, **{ask.unknown: values}).snr_db

    def cheapest(snr_db: float | None) -> tuple[float, bool] | None:
        if snr_db is None:
            return None
        return cheapest_of(unknown, lambda values: snr_db_at(values) - snr_db - keep)

    best = cheapest(needed.snr_db)
    if best is None:
        _refuse(ask, unknown, needed.snr_db + keep, snr_db_at)
    ends_found = [found and found[0] for found in (cheapest(needed.low), cheapest(needed.high))]
    return ask.solution(best[0], (ends_found[0], ends_found[1]), best[1] or needed.at_edge)


def _search_range(ask: _Ask) -> Unknown:
    unknown = UNKNOWNS[ask.unknown]
    if ask.unknown == "elevation_deg" and ask.link.atmosphere_model == "itu":
        return replace(unknown, cheap=LOWEST_ELEVATION_DEG)
    return unknown


def cheapest_of(
    unknown: Unknown, surplus: Callable[[Array], Array], counts: Sequence[int] = _COUNTS
) -> tuple[float, bool] | None:
    """Walk from the cheap end to the first value with a surplus, and close in on it.

    Returns the value, on the side that meets the target, and whether it is the cheap end; None
    when no value on the way has a surplus.
    """
    into, back = _SCALES[unknown.scale]
    least, most = sorted((unknown.cheap, unknown.dear))

    def out(steps: Array) -> Array:
        values: Array = np.clip(back(steps), least, most)
        return values

    start, stop = into(unknown.cheap), into(unknown.dear)
    found = first_met(
        lambda steps: surplus(out(steps[0]))[None], np.array([start]), np.array([stop]), counts
    )
    if np.isnan(found[0]):
        return None
    return float(out(found)[0]), bool(found[0] == start)


def _refuse(
    ask: _Ask, unknown: Unknown, snr_db: float, snr_db_at: Callable[[Array], Array]
) -> NoReturn:
    """Say why no value of a field does, and what comes nearest."""
    reached = float(snr_db_at(np.array([unknown.dear]))[0])
    best = ask.predict(ask.cr, reached - ask.link.margin_db)
    margin = f" with {ask.link.margin_db:g} dB of margin" if ask.link.margin_db else ""
    limit, cause = ask.link.c_over_i_db, ""
    if limit is not None and limit < snr_db:
        cause = f" (interference, c_over_i_db = {limit:g}, alone keeps it below)"
    raise TargetNotAttainable(
        f"{best.metric} {sense(ask.fit)} {ask.target:g} is not attainable by {ask.unknown}, "
        f"because it needs SNR {snr_db:.2f} dB{margin} at CR {format_cr(ask.cr)} and "
        f"{ask.unknown} = {unknown.dear:g} {unknown.unit} gives {reached:.2f} dB{cause}: "
        f"nearest is {best.metric} = {best.value:.4g}; raise the CR, strengthen another part of "
        "the link or relax the target"
    )


def _smallest_cr(ask: _Ask) -> Solution:
    """Solve for the CR at the link's SNR."""
    snr_db = float(budget_of(ask.link).snr_db)
    needed = ask.fit.min_cr(
        target=ask.target, snr_db=snr_db - ask.link.margin_db, interval=ask.interval,
        confidence=ask.confidence,
    )  # fmt: skip
    return ask.solution(needed.cr, (needed.low, needed.high), needed.at_edge)


def _bandwidth_for_rate(ask: _Ask) -> Solution:
    """Solve for the smallest bandwidth that delivers the images at the asked rate and target."""
    link = ask.link
    assert link.images_per_s is not None
    per_cr = link.images_per_s * samples_per_image(link) * (1 + link.roll_off)
    per_cr *= 1e-6 / link.frame_efficiency
    if link.cr is not None:
        needed, keep = ask.required(), link.margin_db
        bandwidth = per_cr * link.cr
        snr_db = float(budget_of(link, bandwidth_mhz=bandwidth).snr_db)
        if snr_db < needed.snr_db + keep:
            raise TargetNotAttainable(
                f"{ask.fit.metric} {sense(ask.fit)} {ask.target:g} is not attainable by "
                f"bandwidth_mhz, because {link.images_per_s:g} images/s at CR "
                f"{format_cr(link.cr)} take {bandwidth:.4g} MHz, which leaves SNR {snr_db:.2f} dB "
                f"where {needed.snr_db + keep:.2f} dB is needed; lower images_per_s or the CR, "
                "or strengthen the link"
            )
        pessimist = needed.high is not None and snr_db >= needed.high + keep
        ends = (bandwidth, bandwidth if pessimist else None)
        return ask.solution(bandwidth, ends, False, extreme="smallest")
    Levels(ask.interval, ask.confidence).check(ask.fit)
    low, high = ask.fit.cr_range
    unknown = Unknown("MHz", per_cr * low, per_cr * high, "log")

    def cheapest(edge: str, interval: float) -> tuple[float, bool] | None:
        def surplus(values: Array) -> Array:
            snr_db = budget_of(link, bandwidth_mhz=values).snr_db - link.margin_db
            ratio = np.clip(values / per_cr, low, high)
            found = ask.fit.predict(cr=ratio, snr_db=snr_db, interval=interval)
            gain: Array = ask.fit.sign * (getattr(found, edge) - ask.target)
            return gain

        return cheapest_of(unknown, surplus)

    good, bad = ("high", "low") if ask.fit.sign > 0 else ("low", "high")
    sure = ask.confidence
    best = cheapest("value", ask.interval) if sure is None else cheapest(bad, 2 * sure - 1)
    if best is None:
        raise TargetNotAttainable(
            f"{ask.fit.metric} {sense(ask.fit)} {ask.target:g} is not attainable by "
            f"bandwidth_mhz, because no CR of {format_cr(low)} … {format_cr(high)} leaves SNR "
            f"enough at {link.images_per_s:g} images/s; lower images_per_s or strengthen the link"
        )
    found = [cheapest(edge, ask.interval) for edge in (good, bad)]
    edges = (found[0] and found[0][0], found[1] and found[1][0])
    return ask.solution(best[0], edges, best[1], extreme="smallest", cr=min(best[0] / per_cr, 1.0))
