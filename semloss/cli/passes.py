"""Passes: their options, each defined once, and the passes that they ask for."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semloss.cli.options import Args, read_link, refuse_settings
from semloss.cli.parser import Parser, number
from semloss.errors import SemlossError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from semloss.planning.link.link import LinkData
    from semloss.planning.passes.orbit import Pass
    from semloss.planning.planner import Link
    from semloss.planning.propagation.fading import Fading

#: What a link file may leave open because the question supplies it; the values are never used.
SUPPLIED = {"elevation_deg": 45.0, "height_km": 500.0}
_MIN_ELEVATION_DEG, _STEP_S, _DAYS = 10.0, 1.0, 1.0
_PLACE = ("station_lat_deg", "station_lon_deg", "station_altitude_km")
_FAR_DEG = 0.5
"""Distance of two stations, in degrees, from which on they have different rain."""

elevation = number(0, 90, "deg")


def add_culmination(parser: Parser, told: str, *, required: bool = False) -> None:
    """Define one pass; `told` says what of it is asked."""
    parser.add_argument(
        "--max-elevation", type=elevation, required=required, metavar="DEG", help=told
    )


def add_contact(parser: Parser, *passes: str) -> None:
    """Define where contact begins, and the step in time; `passes` are the options that ask one."""
    parser.add_argument(
        "--min-elevation", type=elevation, metavar="DEG", help="where contact begins (default 10)"
    )
    parser.add_argument(
        "--step", type=number(0.01, 3600, "s"), metavar="S", help="time step (default 1 s)"
    )
    parser.add_argument(
        "--inclination", type=number(0, 180, "deg"), metavar="DEG",
        help="default: sun-synchronous; of a pass, a still Earth",
    )  # fmt: skip
    if passes:
        for option in ("--min-elevation", "--step", "--inclination"):
            parser.needs(option, *passes, why="it is about a pass")


def add_tle(parser: Parser) -> None:
    """Define passes from orbital elements."""
    group = parser.add_argument_group("passes of a satellite, instead of an average day")
    group.add_argument(
        "--tle", type=Path, metavar="FILE", help="its elements: TLE, or OMM as CSV or JSON"
    )
    group.add_argument("--site", metavar="LAT,LON[,KM]", help="station (default: that of the link)")
    group.add_argument("--satellite", metavar="NAME", help="which of the file's: name or number")
    group.add_argument("--start", metavar="UTC", help="e.g. 2026-03-01T12:00 (default: now)")
    group.add_argument(
        "--days", type=number(0.01, 30, "days"), metavar="N", help="length (default 1)"
    )
    for option in ("--site", "--satellite", "--start", "--days"):
        parser.needs(option, "--tle", why="the satellite's elements")
    parser.excludes("--inclination", "--tle", why="the elements give the orbit")


def add_fading(parser: Parser) -> None:
    """Define fading."""
    parser.add_argument(
        "--fading", metavar="KIND", help="rayleigh, rician:K_DB or shadowing:SIGMA_DB"
    )


def read_fading(args: Args) -> "Fading | None":
    """The fading that is asked for."""
    from semloss.planning.propagation.fading import parse_fading

    return None if args.fading is None else parse_fading(args.fading)


def pass_link(args: Args, *needed: str, **supplied: float) -> "Link":
    """The link whose elevation the passes give; `needed` beside what makes a pass.

    `supplied` are further keys that it may leave open.
    """
    refuse_settings(args, "the pass gives it", "elevation_deg", "range_km")
    if getattr(args, "tle", None) is not None:
        refuse_settings(args, "the elements give it", "height_km")
        if args.site is not None:
            refuse_settings(args, "--site says it", *_PLACE)
        return read_link(args, *needed, **SUPPLIED | supplied)
    supplied |= {"elevation_deg": SUPPLIED["elevation_deg"]}
    return read_link(args, "height_km", *needed, **supplied)


def _contact(args: Args) -> tuple[float, float]:
    """Lowest elevation in degrees and step in seconds."""
    low = _MIN_ELEVATION_DEG if args.min_elevation is None else args.min_elevation
    return low, args.step or _STEP_S


def circular(args: Args, link: "LinkData") -> "Pass":
    """The pass of a circular orbit at the link's height."""
    from semloss.planning.passes.orbit import circular_pass

    return circular_pass(
        _height_km(link), args.max_elevation, *_contact(args), inclination_deg=args.inclination
    )


def day_of(args: Args, link: "LinkData") -> "Sequence[Pass]":
    """All passes of a circular orbit at the link's height over the link's station."""
    from semloss.planning.passes.orbit import circular_day

    assert link.station_lat_deg is not None, "it is needed when the link is read"
    found = circular_day(
        _height_km(link), link.station_lat_deg, *_contact(args), inclination_deg=args.inclination
    )
    if not found:
        raise SemlossError(
            f"no pass: the orbit never rises above {_contact(args)[0]:g} deg at latitude "
            f"{link.station_lat_deg:g} deg; lower --min-elevation, or check --inclination"
        )
    return found


def tle_of(args: Args, link: "LinkData") -> "tuple[LinkData, Sequence[Pass], float]":
    """The link at the site, the satellite's passes over it, and the days that were searched."""
    from semloss.planning.passes.satellite import Site, read_elements, satellite_passes

    if args.site is not None:
        site = Site.parse(args.site)
    elif link.station_lat_deg is not None and link.station_lon_deg is not None:
        site = Site(link.station_lat_deg, link.station_lon_deg, link.station_altitude_km)
    else:
        raise SemlossError("--tle needs --site LAT,LON[,ALTITUDE_KM]: the link tells no station")
    start, days = _start(args.start), args.days or _DAYS
    elements, notes = read_elements(args.tle, args.satellite, start)
    low, step = _contact(args)
    passes = satellite_passes(elements, site, start, days, min_elevation_deg=low, step_s=step)
    if not passes:
        raise SemlossError(
            "no pass: the satellite does not rise above the lowest elevation over this station in "
            "the asked time; lower --min-elevation or raise --days"
        )
    passes = [replace(one, notes=(*notes, *one.notes)) for one in passes]
    return _moved(link, site.lat_deg, site.lon_deg, site.altitude_km), passes, days


def _height_km(link: "LinkData") -> float:
    assert link.height_km is not None, "it is needed when the link is read"
    return link.height_km


def _start(text: str | None) -> datetime:
    """When the search begins: as asked, else now, so that an old element set is noticed."""
    if text is None:
        return datetime.now(UTC)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise SemlossError(f"--start {text}: write a UTC time, e.g. 2026-03-01T12:00") from None


def _moved(link: "LinkData", lat_deg: float, lon_deg: float, altitude_km: float) -> "LinkData":
    """Link with its station at a site; rain statistics of another place are told."""
    east = (lon_deg + 180) % 360 - 180
    known = link.station_lat_deg, link.station_lon_deg
    far = any(a is not None and abs(a - b) > _FAR_DEG
              for a, b in zip(known, (lat_deg, east), strict=True))  # fmt: skip
    place: dict[str, Any] = {
        "station_lat_deg": lat_deg, "station_lon_deg": east, "station_altitude_km": altitude_km
    }  # fmt: skip
    moved = link.replace(**place)
    if far and link.r001_mm_h is not None:
        note = (
            f"the rain statistics, r001_mm_h = {link.r001_mm_h:g}, are those of the link's "
            "station, not of --site; set them with it"
        )
        moved = replace(moved, warnings=(*moved.warnings, note))
    return moved
