"""Passes from a two-line element set, offline, through skyfield and its SGP4 propagator.

Format and checksum: Hoots and Roehrich, Spacetrack Report No. 3 (1980), as CelesTrak describes it;
propagator: Vallado et al., AIAA 2006-6753.
"""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import numpy as np

from semloss.errors import SemlossError
from semloss.planning.passes.orbit import Pass

_STALE_DAYS, _DEAD_DAYS = 14.0, 365.0
_MOST_DAYS = 60.0
_LENGTH = 69
_RISE, _SET = 0, 2
_DECIMAL = re.compile(r"\d*\.?\d+|\d+\.")
_EPOCH = re.compile(r"\d\d[ \d]{2}\d\.\d+")
#: Numbers of line 2: name, first and last column, range. The point of the eccentricity is implied.
_FIELDS = (
    ("inclination", 9, 16, 0, 180), ("node", 18, 25, 0, 360), ("eccentricity", 27, 33, 0, 1e7),
    ("perigee", 35, 42, 0, 360), ("mean anomaly", 44, 51, 0, 360),
    ("mean motion", 53, 63, 0.01, 20),
)  # fmt: skip


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


@dataclass(frozen=True)
class Elements:
    """A two-line element set whose form and checksums have been checked."""

    line1: str
    line2: str
    name: str = ""

    def __post_init__(self) -> None:
        for number, line in ((1, self.line1), (2, self.line2)):
            _check_line(number, line)
        for name, first, last, low, high in _FIELDS:
            text = self.line2[first - 1 : last]
            value = float(text) if _DECIMAL.fullmatch(text.strip()) else math.nan
            if not low <= value <= high:
                raise SemlossError(
                    f"TLE line 2: {name} {text.strip()!r} (columns {first} to {last}) is no number "
                    f"in {low:g} … {high:g}; download the element set again"
                )
        if not (_EPOCH.fullmatch(self.line1[18:32]) and 1 <= float(self.line1[20:32]) < 367):
            raise SemlossError(
                f"TLE line 1: the epoch {self.line1[18:32]!r} is no year and day of year; "
                "download the element set again"
            )
        if self.line1[2:7] != self.line2[2:7]:
            raise SemlossError(
                f"TLE: line 1 is of satellite {self.line1[2:7].strip()} and line 2 of "
                f"{self.line2[2:7].strip()}; give two lines of one satellite"
            )

    @property
    def title(self) -> str:
        """Name, or the catalogue number where there is none."""
        return self.name or f"satellite {self.line1[2:7].strip()}"

    @property
    def epoch(self) -> datetime:
        """UTC at which the elements hold; two-digit years from 57 on are of the 20th century."""
        year, day = int(self.line1[18:20]), float(self.line1[20:32])
        start = datetime(year + (1900 if year >= 57 else 2000), 1, 1, tzinfo=UTC)
        return start + timedelta(days=day - 1)


def read_tle(path: Path | str, name: str | None = None) -> Elements:
    """Read an element set from a file of two- or three-line sets.

    Parameters
    ----------
    name
        Name line or catalogue number of the satellite, needed where the file holds several.

    Raises
    ------
    SemlossError
        When the file cannot be read, holds no element set, the choice is open, or the set fails
        its checks.
    """
    path = Path(path)
    try:
        text = path.read_bytes().removeprefix(b"\xef\xbb\xbf").decode("ascii")
    except OSError as error:
        raise SemlossError(f"cannot read TLE file {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise SemlossError(f"{path} is no TLE file: it is not plain ASCII text") from None
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    sets: dict[str, tuple[str, str, str]] = {}
    for i, line in enumerate(lines[:-1]):
        if line.startswith("1 ") and lines[i + 1].startswith("2 "):
            before = lines[i - 1] if i and lines[i - 1][:2] not in ("1 ", "2 ") else ""
            title = before.removeprefix("0 ").strip()
            sets[title or line[2:7].strip()] = (line, lines[i + 1], title)
    if name is not None:
        sets = {key: s for key, s in sets.items() if name in (key, s[0][2:7].strip())} or sets
        if len(sets) > 1 or not any(name in (k, s[0][2:7].strip()) for k, s in sets.items()):
            raise SemlossError(f"{path} holds no satellite {name!r}; it has {_some(sets)}")
    if not sets:
        raise SemlossError(
            f'{path} holds no element set: a line that begins "1 " and after it one with "2 "'
        )
    if len(sets) > 1:
        raise SemlossError(f"{path} holds {len(sets)} satellites; name one of {_some(sets)}")
    try:
        return Elements(*next(iter(sets.values())))
    except SemlossError as error:
        raise SemlossError(f"{path}: {error}") from None


def tle_passes(
    line1: str,
    line2: str,
    site: Site,
    start: datetime | None = None,
    days: float = 1.0,
    *,
    min_elevation_deg: float = 10.0,
    step_s: float = 1.0,
    name: str = "",
) -> list[Pass]:
    """Passes that rise over a site within some days, from a two-line element set.

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
        In order of time, with azimuth and UTC of the rise; empty where none rises. More than 14
        days from the epoch, each carries a note about its accuracy.

    Raises
    ------
    SemlossError
        When skyfield is missing, a line fails its checks, the elements are more than a year from
        the window, or the orbit has decayed.
    """
    elements = Elements(line1.rstrip(), line2.rstrip(), name)
    if not 0 < days <= _MOST_DAYS:
        raise SemlossError(f"days = {days:g}: ask for more than 0 and at most {_MOST_DAYS:g}")
    if not 0 <= min_elevation_deg < 90:
        raise SemlossError(f"lowest elevation = {min_elevation_deg:g} deg: lies in 0 … 90")
    if not (math.isfinite(step_s) and step_s > 0):
        raise SemlossError(f"step_s = {step_s:g}: give a positive number of seconds")
    begin = start or elements.epoch
    begin = begin.astimezone(UTC) if begin.tzinfo else begin.replace(tzinfo=UTC)
    notes = _age(elements, begin, begin + timedelta(days=days))
    skyfield = _skyfield()
    timescale = skyfield.load.timescale(builtin=True)
    satellite = skyfield.EarthSatellite(elements.line1, elements.line2, elements.name, timescale)
    if not satellite.model.no_kozai > 0:
        raise SemlossError(
            f"TLE of {elements.title}: SGP4 cannot read it, so a character stands in a column that "
            "must be blank; download the element set again"
        )
    station = skyfield.wgs84.latlon(site.lat_deg, site.lon_deg, 1e3 * site.altitude_km)
    period_days = 2 * math.pi / satellite.model.no_kozai / 1440
    window = (timescale.from_datetime(begin),
              timescale.from_datetime(begin + timedelta(days=days + period_days)))  # fmt: skip
    if not all(np.isfinite(satellite.at(time).position.km).all() for time in window):
        raise SemlossError(
            f"TLE of {elements.title}: SGP4 finds the orbit decayed within the asked days; ask "
            f"nearer to its epoch, {elements.epoch:%Y-%m-%d}"
        )
    moments, kinds = satellite.find_events(station, *window, altitude_degrees=min_elevation_deg)
    passes = []
    for i in np.flatnonzero(kinds == _RISE):
        sets = np.flatnonzero(kinds[i:] == _SET)
        rise = moments[i].utc_datetime()
        if sets.size == 0 or rise >= begin + timedelta(days=days):
            continue
        duration_s = float(moments.tt[i + sets[0]] - moments.tt[i]) * 86_400
        time_s = np.append(np.arange(0.0, duration_s - 1e-6, step_s), duration_s)
        when = timescale.tt_jd(moments.tt[i] + time_s / 86_400)
        elevation, azimuth, distance = (satellite - station).at(when).altaz()
        passes.append(
            Pass(
                time_s, np.asarray(elevation.degrees), np.asarray(distance.km),
                np.asarray(azimuth.degrees), f"{elements.title}, {rise:%Y-%m-%d %H:%M} UTC", rise,
                1 / days, notes,
            )
        )  # fmt: skip
    return passes


def _check_line(number: int, line: str) -> None:
    """Form and checksum: digits add their value and minus signs one, modulo ten."""
    where = f"TLE line {number}"
    if not line.startswith(f"{number} "):
        raise SemlossError(f'{where} begins {line[:2]!r}; it must begin "{number} "')
    if len(line) != _LENGTH:
        raise SemlossError(
            f"{where} has {len(line)} characters instead of {_LENGTH}; columns count, so copy it "
            "whole with its spaces"
        )
    total = sum(int(c) if c.isdigit() else c == "-" for c in line[:-1]) % 10
    if line[-1] != str(total):
        raise SemlossError(
            f"{where} ends in checksum {line[-1]} but its columns give {total}: a character is "
            "wrong; download the element set again"
        )


def _age(elements: Elements, begin: datetime, end: datetime) -> tuple[str, ...]:
    """Note about an old element set; a very old one is refused."""
    epoch = elements.epoch
    away = max(abs((when - epoch).total_seconds()) for when in (begin, end)) / 86_400
    told = f"TLE of {elements.title}: epoch {epoch:%Y-%m-%d}, asked for {begin:%Y-%m-%d}"
    if away > _DEAD_DAYS:
        raise SemlossError(
            f"{told}, {away / 365.25:.1f} years apart; SGP4 is good for weeks, so download a new "
            "element set or ask near its epoch"
        )
    if away > _STALE_DAYS:
        return (f"{told}, {away:.0f} days apart; times may be off by minutes",)
    return ()


def _some(sets: dict[str, tuple[str, str, str]]) -> str:
    names = list(sets)
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")


def _skyfield() -> Any:  # noqa: ANN401 - a module without types
    try:
        from skyfield import api
    except ImportError:
        raise SemlossError(
            'passes from a TLE need skyfield: pip install "semloss[orbit]"'
        ) from None
    return api
