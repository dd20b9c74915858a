"""What a link delivers over passes: in time, with adaptive coding, and exceeded by statistics."""

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from semloss.cli import plan_text
from semloss.cli.plan_text import amount, clock, domain_line, number, save_table
from semloss.errors import SemlossError
from semloss.planning.passes.orbit import Pass, circular_day, circular_pass
from semloss.planning.passes.outage import PERCENTS, Outage, outage
from semloss.planning.passes.simulation import DayResult, PassResult, simulate_day, simulate_pass
from semloss.planning.planner import Link
from semloss.planning.propagation.fading import Fading, parse_fading
from semloss.units import format_cr

if TYPE_CHECKING:
    from semloss.cli.plan import Question

_MIN_ELEVATION_DEG, _STEP_S = 10.0, 1.0
_FAR_DEG = 0.5
"""Distance of two stations, in degrees, from which on they have different rain."""


def run(question: "Question") -> int:
    """Answer what is asked of passes."""
    args = question.args
    fading = None if args.fading is None else parse_fading(args.fading)
    if args.outage:
        return _outage(question, fading)
    question, passes = _passes(question)
    if not passes and (args.day or args.tle is not None):
        raise SemlossError(
            "no pass: the satellite does not rise above the lowest elevation over this station in "
            "the asked time; lower --min-elevation or raise --days"
        )
    if args.adaptive:
        from semloss.cli import plan_adaptive

        return plan_adaptive.run(question, passes, fading)
    options = {"target": question.target, "confidence": args.confidence,
               "interval": question.interval, "fading": fading}  # fmt: skip
    if args.pass_ is not None:
        result = simulate_pass(question.link, question.model, passes[0], **options)
        return _one_pass(question, result)
    return _several(question, simulate_day(question.link, question.model, passes, **options))


# ------------------------------------------------------------------------------- which passes


def _passes(question: "Question") -> "tuple[Question, list[Pass]]":
    """Passes that are asked for (none for a coding table alone), the link at their station."""
    args, link = question.args, question.link
    lowest = _MIN_ELEVATION_DEG if args.min_elevation is None else args.min_elevation
    step = _STEP_S if args.step is None else args.step
    if args.tle is not None:
        return _tle(question, lowest, step)
    if args.pass_ is None and not args.day:
        return question, []
    if link.height_km is None:
        asked = "--day" if args.day else "--pass"
        raise SemlossError(
            f"{asked} takes the orbit from the link, which gives range_km; set height_km instead"
        )
    if args.pass_ is not None:
        found = circular_pass(
            link.height_km, args.pass_, lowest, step, inclination_deg=args.inclination
        )
        return question, [found]
    if link.station_lat_deg is None:
        raise SemlossError("--day needs the station: give station_lat_deg in the link")
    day = circular_day(
        link.height_km, link.station_lat_deg, lowest, step, inclination_deg=args.inclination
    )
    return question, day


def _tle(question: "Question", lowest: float, step: float) -> "tuple[Question, list[Pass]]":
    from semloss.planning.passes.tle import Site, read_tle, tle_passes

    args, link = question.args, question.link
    if args.site is not None:
        site = Site.parse(args.site)
    elif link.station_lat_deg is not None and link.station_lon_deg is not None:
        site = Site(link.station_lat_deg, link.station_lon_deg, link.station_altitude_km)
    else:
        raise SemlossError("--tle needs --site LAT,LON[,ALTITUDE_KM]: the link tells no station")
    elements = read_tle(args.tle, args.satellite)
    passes = tle_passes(
        elements.line1, elements.line2, site, _start(args.start),
        1.0 if args.days is None else args.days, min_elevation_deg=lowest, step_s=step,
        name=elements.title,
    )  # fmt: skip
    return dataclasses.replace(question, link=_moved(link, site.lat_deg, site.lon_deg,
                                                     site.altitude_km)), passes  # fmt: skip


def _start(text: str | None) -> datetime:
    """When the search begins: as asked, else now, so that an old element set is noticed."""
    if text is None:
        return datetime.now(UTC)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise SemlossError(f"--start {text}: write a UTC time, e.g. 2026-03-01T12:00") from None


def _moved(link: Link, lat_deg: float, lon_deg: float, altitude_km: float) -> Link:
    """Link with its station at a site; rain statistics of another place are told."""
    east = (lon_deg + 180) % 360 - 180
    known = link.station_lat_deg, link.station_lon_deg
    far = any(a is not None and abs(a - b) > _FAR_DEG
              for a, b in zip(known, (lat_deg, east), strict=True))  # fmt: skip
    if far and link.r001_mm_h is not None:
        plan_text.notes([
            f"the rain statistics, r001_mm_h = {link.r001_mm_h:g}, are those of the link's "
            "station, not of --site; set them with it"
        ])  # fmt: skip
    return link.replace(
        station_lat_deg=lat_deg, station_lon_deg=east, station_altitude_km=altitude_km
    )


# ------------------------------------------------------------------------------- at one CR


def _one_pass(question: "Question", result: PassResult) -> int:
    args = question.args
    if args.plot:
        from semloss.reports.what_if.passes import pass_plot

        pass_plot(result, args.plot)
    if args.csv:
        save_table(args.csv, result.frame())
    plan_text.notes(result.notes)
    if args.json:
        plan_text.print_json(result.summary() | {"link": question.link.name})
    else:
        print("\n".join(_pass_lines(question, result)))
    return 0


def _pass_lines(question: "Question", result: PassResult) -> list[str]:
    """Few lines about a pass at one CR."""
    s = result.summary()
    faded = "" if result.fading is None else f", mean over {result.fading} fading"
    lines = [
        f"{question.link.name}: {result.pass_.about}, CR {format_cr(result.cr)}",
        f"contact    {clock(s['contact_s'])} min from {result.pass_.elevation_deg[0]:.1f} to "
        f"{s['max_elevation_deg']:.1f} deg and back",
        f"SNR        {s['snr_db_at_rise']:.2f} dB at rise, {s['snr_db_at_culmination']:.2f} dB at "
        "culmination",
        f"{result.metric:<10} {result.value[0]:.4g} at rise, {s['value_at_culmination']:.4g} at "
        f"culmination, {s['mean_value']:.4g} on average{faded}",
    ]
    if result.target is not None:
        keep = f", {question.link.margin_db:g} dB of margin kept" if question.link.margin_db else ""
        lines += [
            f"target     {question.demand} from {result.required_snr_db:.2f} dB{keep}: "
            f"{clock(result.met_s)} min, {100 * result.met_s / result.contact_s:.3g} % of the "
            "contact",
            f"margin     {result.margin_db.min():.2f} … {result.margin_db.max():.2f} dB",
        ]
    lines.append(
        f"images     {amount(result.images_delivered)} delivered"
        + (f" of {amount(result.images_sent)} sent" if result.target is not None else "")
        + f", {amount(result.images_per_s)} images/s"
    )
    return [*lines, domain_line(s["in_domain_share"])]


def _several(question: "Question", day: DayResult) -> int:
    """Report every pass of a day or of a window of a TLE."""
    args = question.args
    if args.plot:
        from semloss.reports.what_if.passes import pass_plot

        best = max(day.results, key=lambda result: result.pass_.max_elevation_deg)
        plan_text.notes([f"{args.plot} draws the highest pass, {best.pass_.about}"])
        pass_plot(best, args.plot)
    if args.csv:
        save_table(args.csv, day.frame())
    plan_text.notes(note for result in day.results for note in result.notes)
    if args.json:
        passes = [result.summary() for result in day.results]
        plan_text.print_json({"link": question.link.name, **day.summary(), "passes": passes})
        return 0
    first = day.results[0]
    s = day.summary()
    print(f"{question.link.name}: CR {format_cr(first.cr)}, {which(question, first.pass_)}")
    if args.tle is not None:
        print(_passes_table(day.results))
    met = ""
    if question.target is not None:
        met = f"; {question.demand} in {clock(s['met_s_per_day'])} min of it"
    print(
        f"a day: {s['passes_per_day']:.3g} passes, {clock(s['contact_s_per_day'])} min of "
        f"contact{met}\n       {amount(s['images_delivered_per_day'])} images delivered"
        + (f" of {amount(s['images_sent_per_day'])} sent" if question.target is not None else "")
    )
    inside = sum(r.summary()["in_domain_share"] * r.contact_s * (r.pass_.per_day or 0)
                 for r in day.results) / s["contact_s_per_day"]  # fmt: skip
    print(domain_line(inside))
    return 0


def which(question: "Question", first: Pass) -> str:
    """Say what several passes are of."""
    if question.args.tle is None:
        return f"{first.about}, station at {question.link.station_lat_deg:g} deg"
    days = 1.0 if question.args.days is None else question.args.days
    return f"{first.about.rpartition(', ')[0]}, {days:g} day{'s' if days != 1 else ''}"


def _passes_table(results: Sequence[PassResult]) -> str:
    head = ("rise (UTC)", "highest [deg]", "contact [min]", "mean", "met [min]", "images")
    return plan_text.columns(head, (
        (f"{result.pass_.start:%Y-%m-%d %H:%M:%S}", f"{result.pass_.max_elevation_deg:.1f}",
         clock(result.contact_s),
         f"{result.pass_.weight_s @ result.value / result.contact_s:.4g}",
         clock(result.met_s), amount(result.images_delivered))
        for result in results
    ))  # fmt: skip


# ------------------------------------------------------------------------------- statistics


def _outage(question: "Question", fading: Fading | None) -> int:
    """Metric exceeded in shares of the time, at the link's elevation or over a pass."""
    args = question.args
    passes = _passes(question)[1]
    percents = PERCENTS if args.percents is None else _percents(args.percents)
    found = outage(
        question.link, question.model, target=question.target, confidence=args.confidence,
        pass_=passes[0] if passes else None, fading=fading, percents=percents,
        interval=question.interval,
    )  # fmt: skip
    if args.plot:
        from semloss.reports.what_if.passes import outage_plot

        outage_plot(found, args.plot)
    if args.csv:
        save_table(args.csv, found.frame())
    plan_text.notes(found.notes)
    if args.json:
        plan_text.print_json({"link": question.link.name, **found.summary()})
    else:
        print(_outage_text(question, found, passes))
    return 0


def _percents(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise SemlossError(
            f"--percents {text}: write shares of the time, e.g. 90,99,99.9"
        ) from None


def _outage_text(question: "Question", found: Outage, passes: list[Pass]) -> str:
    elevation, where = question.link.elevation_deg, "at its range"
    if passes:
        where = passes[0].about
    elif elevation is not None:
        where = f"at {elevation:g} deg"
    faded = "" if found.fading is None else f", {found.fading} fading"
    level = f"{100 * question.interval:g} %"
    rows = (
        (f"{p:g} %", f"{snr:.2f}", number(value), f"{number(low)} … {number(high)}")
        for p, snr, value, low, high in zip(
            found.percent, found.snr_db_exceeded, found.value_exceeded, found.low_exceeded,
            found.high_exceeded, strict=True,
        )
    )  # fmt: skip
    lines = [
        f"{question.link.name}: {where}, CR {format_cr(found.cr)}{faded}",
        f"{question.metric} = {found.expected:.4g} expected   "
        f"[{level}: {found.expected_low:.4g} … {found.expected_high:.4g}]",
        plan_text.columns(("of the time", "SNR [dB]", found.metric, level), rows),
    ]
    if found.met_percent is not None:
        keep = f", {question.link.margin_db:g} dB of margin kept" if question.link.margin_db else ""
        lines.append(f"{question.demand} in {found.met_percent:.5g} % of the time{keep}")
    lines.append(f"{amount(found.images_per_s)} images/s on average")
    return "\n".join([*lines, domain_line(found.in_domain_percent / 100)])
