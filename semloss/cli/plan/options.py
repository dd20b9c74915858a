"""Options that several of the planner's questions share, each defined once."""

import argparse
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semloss.cli.output import notes, picture
from semloss.errors import SemlossError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from semloss.planning.answers.question import Question
    from semloss.planning.budget.points import Defaults
    from semloss.planning.passes.orbit import Pass
    from semloss.planning.planner import Link
    from semloss.planning.propagation.fading import Fading
    from semloss.surfaces.fitted.fit import Fit

Parser = argparse.ArgumentParser

#: What a link file may leave open because the question supplies it; the values are never used.
SUPPLIED = {"elevation_deg": 45.0, "height_km": 500.0}
_MIN_ELEVATION_DEG, _STEP_S = 10.0, 1.0
_FAR_DEG = 0.5
"""Distance of two stations, in degrees, from which on they have different rain."""


# -- what is asked ---------------------------------------------------------------------------


def add_fit(parser: Parser) -> None:
    """Define the fit; without one, it is that which the link names."""
    parser.add_argument(
        "fit", type=Path, nargs="?", metavar="FIT",
        help="fit file of semloss fit, or one of semloss fits (default: the link's)",
    )  # fmt: skip


def add_link(parser: Parser, *, required: bool = True) -> None:
    """Define the link and what changes it."""
    group = parser.add_argument_group("the link")
    group.add_argument(
        "--link", metavar="FILE|PRESET", required=required, help="link file (TOML) or preset"
    )
    group.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE",
        help='change a key, e.g. power_dbw="2 W"; "KEY=" unsets it; may be repeated',
    )  # fmt: skip
    group.add_argument("--rain-loss-db", metavar="DB", help="rain, instead of the link's")


def add_asked(
    parser: Parser, *, cr: bool = True, target: str = "optional", confidence: bool = True
) -> None:
    """Define CR, target and how sure; `target` is "optional", "required" or "none"."""
    if cr:
        parser.add_argument("--cr", metavar="CR", help='compression ratio k/n, e.g. "1/12"')
    if target != "none":
        parser.add_argument(
            "--target", metavar="VALUE", required=target == "required",
            help='value to meet: 0.8, ">= 0.8", "at most 0.3"',
        )  # fmt: skip
        if confidence:
            parser.add_argument(
                "--confidence", type=float, metavar="LEVEL", help="meet it this surely, e.g. 0.95"
            )
    parser.add_argument(
        "--interval", type=float, default=0.95, metavar="LEVEL", help="of the bands (default 0.95)"
    )


def add_output(parser: Parser, *, csv: bool = True, plot: bool = True, strict: bool = True) -> None:
    """Define where the answer goes."""
    group = parser.add_argument_group("the answer")
    if csv:
        group.add_argument("--csv", type=Path, metavar="FILE", help="also write its table")
    if plot:
        group.add_argument("--plot", type=picture, metavar="PNG", help="also draw it")
    group.add_argument("--json", action="store_true", help="print one JSON object")
    if strict:
        group.add_argument(
            "--strict", action="store_true", help="end with exit code 4 outside the fitted domain"
        )
    else:
        parser.set_defaults(strict=False)


def add_contact(parser: Parser) -> None:
    """Define where contact begins, and the step in time."""
    parser.add_argument(
        "--min-elevation", type=float, default=_MIN_ELEVATION_DEG, metavar="DEG",
        help="where contact begins (default 10)",
    )  # fmt: skip
    parser.add_argument(
        "--step", type=float, default=_STEP_S, metavar="S", help="time step (default 1 s)"
    )
    parser.add_argument(
        "--inclination", type=float, metavar="DEG",
        help="of the orbit; a day takes the sun-synchronous one, a pass a still Earth, without it",
    )  # fmt: skip


def add_tle(parser: Parser) -> None:
    """Define passes from orbital elements."""
    group = parser.add_argument_group("passes of a satellite, instead of an average day")
    group.add_argument("--tle", type=Path, metavar="FILE", help="its two-line elements")
    group.add_argument("--site", metavar="LAT,LON[,KM]", help="station (default: that of the link)")
    group.add_argument("--satellite", metavar="NAME", help="which of the file's satellites")
    group.add_argument("--start", metavar="UTC", help="e.g. 2026-03-01T12:00 (default: now)")
    group.add_argument("--days", type=float, metavar="N", help="length (default 1)")


def add_fading(parser: Parser) -> None:
    """Define fading."""
    parser.add_argument(
        "--fading", metavar="KIND", help="rayleigh, rician:K_DB or shadowing:SIGMA_DB"
    )


# -- what is read ----------------------------------------------------------------------------


def read_fit(args: argparse.Namespace, link: "Link | None") -> "Fit":
    """The fit that is asked, else the one that the link names."""
    from semloss.surfaces.files.fit_file import load

    if args.fit is not None:
        return load(args.fit)
    if link is None or not link.fit:
        raise SemlossError(
            "give FIT, a fit file of semloss fit or one of semloss fits, or name it in the link: "
            'fit = "eurosat-accuracy"'
        )
    notes([f"the fit is {link.fit}, as the link names it"])
    return load(link.fit)


def read_link(args: argparse.Namespace, **supplied: float) -> "Link":
    """The link with the command line's changes; `supplied` may be left open by the file."""
    from semloss.planning.planner import open_link
    from semloss.units import parse_cr

    link = open_link(args.link, args.set, **supplied)
    if args.rain_loss_db is not None:
        link = link.with_settings([f"rain_loss_db={args.rain_loss_db}"])
    if getattr(args, "papr_db", None) is not None:
        if link.eirp_dbw is not None:
            raise SemlossError(
                f"--papr-db: the link gives eirp_dbw = {link.eirp_dbw:g}, so there is no amplifier "
                "to back off; give power_dbw and its parts"
            )
        link = link.with_settings([f"papr_db={args.papr_db}"])
    if getattr(args, "cr", None) is not None:
        link = link.replace(cr=parse_cr(args.cr, "--cr"))
    return link


def question(args: argparse.Namespace, link: "Link") -> "Question":
    """The fit, the link and what both are asked."""
    from semloss.planning.answers.question import Question
    from semloss.planning.budget.target import read_target

    fit = read_fit(args, link)
    target = getattr(args, "target", None)
    confidence = getattr(args, "confidence", None)
    if confidence is not None and target is None:
        raise SemlossError("--confidence needs --target: it says how surely that is met")
    asked = None if target is None else read_target(target, fit)
    return Question(fit, link, asked, confidence, args.interval)


def defaults(args: argparse.Namespace, link: "Link | None") -> "Defaults":
    """What points of a study are asked with."""
    from semloss.planning.budget.points import Defaults
    from semloss.planning.budget.target import read_target
    from semloss.units import parse_cr

    fit = read_fit(args, link)
    if args.snr_db is not None and not math.isfinite(args.snr_db):
        raise SemlossError(f"--snr-db {args.snr_db}: give a finite Es/N0 in dB")
    if args.snr_db is not None and link is not None:
        raise SemlossError("--snr-db contradicts --link, whose budget gives the SNR: give one")
    return Defaults(
        fit,
        link,
        cr=None if args.cr is None else parse_cr(args.cr, "--cr"),
        snr_db=args.snr_db,
        target=None if args.target is None else read_target(args.target, fit),
        interval=args.interval,
    )


def read_fading(args: argparse.Namespace) -> "Fading | None":
    """The fading that is asked for."""
    from semloss.planning.propagation.fading import parse_fading

    return None if args.fading is None else parse_fading(args.fading)


# -- passes ----------------------------------------------------------------------------------


def refuse_fixed(args: argparse.Namespace) -> None:
    """Refuse settings of what a pass gives."""
    settings = [text.partition("=")[0].strip() for text in args.set]
    for key in ("elevation_deg", "range_km"):
        if key in settings:
            raise SemlossError(f"--set {key}: the pass gives it; leave it away")


def pass_link(args: argparse.Namespace) -> "Link":
    """The link whose elevation the passes give."""
    refuse_fixed(args)
    if getattr(args, "tle", None) is not None:
        return read_link(args, **SUPPLIED)
    return read_link(args, elevation_deg=SUPPLIED["elevation_deg"])


def circular(args: argparse.Namespace, link: "Link") -> "Pass":
    """The pass of a circular orbit at the link's height."""
    from semloss.planning.passes.orbit import circular_pass

    return circular_pass(
        _height_km(link), args.max_elevation, args.min_elevation, args.step,
        inclination_deg=args.inclination,
    )  # fmt: skip


def day_of(args: argparse.Namespace, link: "Link") -> "Sequence[Pass]":
    """All passes of a circular orbit at the link's height over the link's station."""
    from semloss.planning.passes.orbit import circular_day

    height = _height_km(link)
    if link.station_lat_deg is None:
        raise SemlossError("a day needs the station: give station_lat_deg in the link")
    found = circular_day(
        height, link.station_lat_deg, args.min_elevation, args.step,
        inclination_deg=args.inclination,
    )  # fmt: skip
    return _some(found)


def tle_of(args: argparse.Namespace, link: "Link") -> "tuple[Link, Sequence[Pass], float]":
    """The link at the site, the satellite's passes over it, and the days that were searched."""
    from semloss.planning.passes.tle import Site, read_tle, tle_passes

    if args.site is not None:
        site = Site.parse(args.site)
    elif link.station_lat_deg is not None and link.station_lon_deg is not None:
        site = Site(link.station_lat_deg, link.station_lon_deg, link.station_altitude_km)
    else:
        raise SemlossError("--tle needs --site LAT,LON[,ALTITUDE_KM]: the link tells no station")
    if args.inclination is not None:
        raise SemlossError("--inclination: the elements give the orbit; leave it away")
    elements, days = read_tle(args.tle, args.satellite), args.days or 1.0
    passes = tle_passes(
        elements.line1, elements.line2, site, _start(args.start), days,
        min_elevation_deg=args.min_elevation, step_s=args.step, name=elements.title,
    )  # fmt: skip
    return _moved(link, site.lat_deg, site.lon_deg, site.altitude_km), _some(passes), days


def _some(passes: "Sequence[Pass]") -> "Sequence[Pass]":
    if not passes:
        raise SemlossError(
            "no pass: the satellite does not rise above the lowest elevation over this station in "
            "the asked time; lower --min-elevation or raise --days"
        )
    return passes


def _height_km(link: "Link") -> float:
    if link.height_km is None:
        raise SemlossError("the orbit is the link's, which gives range_km; set height_km instead")
    return link.height_km


def _start(text: str | None) -> datetime:
    """When the search begins: as asked, else now, so that an old element set is noticed."""
    if text is None:
        return datetime.now(UTC)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise SemlossError(f"--start {text}: write a UTC time, e.g. 2026-03-01T12:00") from None


def _moved(link: "Link", lat_deg: float, lon_deg: float, altitude_km: float) -> "Link":
    """Link with its station at a site; rain statistics of another place are told."""
    from dataclasses import replace

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
