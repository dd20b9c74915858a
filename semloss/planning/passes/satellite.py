"""Passes of a satellite over a site from its elements, offline, by skyfield's SGP4 propagator.

Propagator: Vallado et al., AIAA 2006-6753.
"""

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import numpy as np

from semloss.arrays import Array
from semloss.errors import SemlossError
from semloss.extras import optional
from semloss.planning.passes.omm import MeanElements, parse_omm
from semloss.planning.passes.orbit import Pass, check_contact
from semloss.planning.passes.tle import Elements, parse_tle

_STALE_DAYS, _DEAD_DAYS = 14.0, 365.0
_MOST_DAYS = 60.0
_RISE, _SET = 0, 2
_KEYWORDS = {"EPOCH", "MEAN_MOTION", "NORAD_CAT_ID"}
"""Any of them in the head of a CSV tells an OMM."""
_STEADY_S = 60.0
"""Least step along a satellite that does not set: it hardly moves."""


@dataclass(frozen=True)
class Site:
    """Ground station: geodetic latitude and longitude (WGS 84; north, east positive), altitude."""

    lat_deg: float
    lon_deg: float
    altitude_km: float = 0.0

    def __post_init__(self) -> None:
        ranges = (("latitude", self.lat_deg, -90, 90), ("longitude", self.lon_deg, -180, 360),
                  ("altitude in km", self.altitude_km, -0.5, 9))  # fmt: skip
        for name, value, low, high in ranges:
            if not low <= value <= high:
                raise SemlossError(f"site: {name} = {value:g} lies outside {low} … {high}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "lat,lon" or "lat,lon,altitude_km"."""
        try:
            numbers = [float(part) for part in text.split(",")]
        except ValueError:
            numbers = []
        if len(numbers) not in (2, 3):
            raise SemlossError(
                f'site = {text!r}: write "lat,lon" or "lat,lon,altitude_km" in degrees and km, '
                'e.g. "48.1,11.6"'
            )
        return cls(*numbers)


def read_elements(
    path: Path | str, name: str | None = None, when: datetime | None = None
) -> tuple[Elements | MeanElements, tuple[str, ...]]:
    """Read a satellite's elements, and what to know of the choice.

    Parameters
    ----------
    path
        Two- or three-line sets, or OMM as CSV or JSON.
    name
        Name or catalogue number of the satellite, needed where the file holds several.
    when
        Of several epochs the nearest to it is taken; by default to now.

    Raises
    ------
    SemlossError
        When the file cannot be read, holds no elements, the choice is open, or they fail their
        checks.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SemlossError(f"cannot read elements {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise SemlossError(f"{path} holds no elements: it is not text") from None
    start = text.lstrip()
    message = start[:1] in ("[", "{") or bool(
        _KEYWORDS & set(start.partition("\n")[0].strip().split(","))
    )
    found: list[Elements | MeanElements]
    try:
        found = [*parse_omm(text)] if message else [*parse_tle(text)]
    except SemlossError as error:
        raise SemlossError(f"{path}: {error}") from None
    satellites: dict[str, list[Elements | MeanElements]] = defaultdict(list)
    for one in found:
        satellites[one.number or one.title].append(one)
    if not satellites:
        raise SemlossError(
            f'{path} holds no elements: give OMM as CSV or JSON, or lines that begin "1 " and "2 "'
        )
    if name is not None:
        chosen = {n: s for n, s in satellites.items() if name in (n, *(one.title for one in s))}
        if not chosen:
            raise SemlossError(f"{path} holds no satellite {name!r}; it has {_some(satellites)}")
        satellites = defaultdict(list, chosen)
    if len(satellites) > 1:
        raise SemlossError(
            f"{path} holds {len(satellites)} satellites; name one by its number: "
            f"{_some(satellites)}"
        )
    (sets,) = satellites.values()
    asked = _utc(when or datetime.now(UTC))
    nearest = min(sets, key=lambda one: abs(one.epoch - asked))
    if len(sets) == 1:
        return nearest, ()
    return nearest, (
        f"{path} holds {len(sets)} element sets of {nearest.title}; the one of "
        f"{nearest.epoch:%Y-%m-%d %H:%M} UTC is the nearest",
    )


def satellite_passes(
    elements: Elements | MeanElements,
    site: Site,
    start: datetime | None = None,
    days: float = 1.0,
    *,
    min_elevation_deg: float = 10.0,
    step_s: float = 1.0,
) -> list[Pass]:
    """Passes that rise over a site within some days, from orbital elements.

    Elevations are geometric (no refraction), over the WGS 84 ellipsoid. Nothing is downloaded:
    the time scale is the one that skyfield brings along.

    Parameters
    ----------
    start
        UTC where it has no time zone; by default the epoch of the elements.
    days
        Length of the window, up to 60; `per_day` of each pass is one over it.
    min_elevation_deg
        Where contact begins and ends, 0 … 90.
    step_s
        Sampling interval; rise and set are samples too.

    Returns
    -------
    list of Pass
        In order of time, with azimuth and UTC of the rise; empty where none rises. One that never
        sets, as of a geostationary satellite, is one long pass of the whole window. More than 14
        days from the epoch, each carries a note about its accuracy.

    Raises
    ------
    SemlossError
        When skyfield is missing, the elements are more than a year from the window, or the orbit
        has decayed.
    """
    if not 0 < days <= _MOST_DAYS:
        raise SemlossError(f"days = {days:g}: ask for more than 0 and at most {_MOST_DAYS:g}")
    check_contact(min_elevation_deg, step_s)
    begin = _utc(start or elements.epoch)
    notes = _age(elements, begin, begin + timedelta(days=days))
    skyfield = optional(
        "skyfield.api", 'passes from a TLE need skyfield: pip install "semloss[orbit]"'
    )
    timescale = skyfield.load.timescale(builtin=True)
    satellite = elements.orbit(skyfield, timescale)
    station = skyfield.wgs84.latlon(site.lat_deg, site.lon_deg, 1e3 * site.altitude_km)
    period_days = 2 * math.pi / satellite.model.no_kozai / 1440
    window = (timescale.from_datetime(begin),
              timescale.from_datetime(begin + timedelta(days=days + period_days)))  # fmt: skip
    if not all(np.isfinite(satellite.at(time).position.km).all() for time in window):
        raise SemlossError(
            f"{elements.title}: SGP4 finds the orbit decayed within the asked days; ask "
            f"nearer to its epoch, {elements.epoch:%Y-%m-%d}"
        )

    def flown(start_tt: float, time_s: Array, rise: datetime) -> Pass:
        when = timescale.tt_jd(start_tt + time_s / 86_400)
        elevation, azimuth, distance = (satellite - station).at(when).altaz()
        return Pass(
            time_s, np.asarray(elevation.degrees), np.asarray(distance.km),
            np.asarray(azimuth.degrees), f"{elements.title}, {rise:%Y-%m-%d %H:%M} UTC", rise,
            1 / days, notes,
        )  # fmt: skip

    moments, kinds = satellite.find_events(station, *window, altitude_degrees=min_elevation_deg)
    passes = []
    for i in np.flatnonzero(kinds == _RISE):
        sets = np.flatnonzero(kinds[i:] == _SET)
        rise = moments[i].utc_datetime()
        if sets.size == 0 or rise >= begin + timedelta(days=days):
            continue
        duration_s = float(moments.tt[i + sets[0]] - moments.tt[i]) * 86_400
        time_s = np.append(np.arange(0.0, duration_s - 1e-6, step_s), duration_s)
        passes.append(flown(float(moments.tt[i]), time_s, rise))
    if not passes and _SET not in kinds:
        time_s = np.linspace(
            0.0, 86_400 * days, 1 + math.ceil(86_400 * days / max(step_s, _STEADY_S))
        )
        whole = flown(float(window[0].tt), time_s, begin)
        if whole.elevation_deg.min() >= min_elevation_deg:
            return [replace(whole, notes=(*notes, f"{elements.title} does not set in these days"))]
    return passes


def _utc(when: datetime) -> datetime:
    """A time in UTC, which it is where it has no time zone."""
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)


def _age(elements: Elements | MeanElements, begin: datetime, end: datetime) -> tuple[str, ...]:
    """Note about old elements; a very old one is refused."""
    epoch = elements.epoch
    away = max(abs((when - epoch).total_seconds()) for when in (begin, end)) / 86_400
    told = f"elements of {elements.title}: epoch {epoch:%Y-%m-%d}, asked for {begin:%Y-%m-%d}"
    if away > _DEAD_DAYS:
        raise SemlossError(
            f"{told}, {away / 365.25:.1f} years apart; SGP4 is good for weeks, so download new "
            "ones or ask near their epoch"
        )
    if away > _STALE_DAYS:
        return (f"{told}, {away:.0f} days apart; times may be off by minutes",)
    return ()


def _some(satellites: dict[str, list[Elements | MeanElements]]) -> str:
    told = [f"{number} ({sets[0].title})" for number, sets in satellites.items()]
    return ", ".join(told[:5]) + (" …" if len(told) > 5 else "")
