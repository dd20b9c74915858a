"""The adaptive coding table, and what it delivers over passes."""

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from semloss.cli import plan_text
from semloss.cli.plan_passes import which
from semloss.cli.plan_text import amount, clock, domain_line, number, save_table
from semloss.planning.passes.adaptive import CodingTable, Schedule, coding_table, follow
from semloss.planning.passes.orbit import Pass
from semloss.planning.passes.simulation import PassResult, simulate_pass
from semloss.planning.propagation.fading import Fading
from semloss.units import format_cr

if TYPE_CHECKING:
    from semloss.cli.plan import Question

_HYSTERESIS_DB = 0.5


def run(question: "Question", passes: list[Pass], fading: Fading | None) -> int:
    """Lay out the coding table, and run it along the passes."""
    args, model, link = question.args, question.model, question.link
    if fading is not None:
        kept = link.margin_db + fading.margin_db(args.hold_percent)
        link = link.replace(margin_db=kept)
        question = dataclasses.replace(question, link=link)
    assert question.target is not None, "the rules ask for a target"
    table = coding_table(
        link, model, target=question.target, confidence=args.confidence,
        crs=None if args.crs is None else [part for part in args.crs.split(",") if part.strip()],
        hysteresis_db=_HYSTERESIS_DB if args.hysteresis_db is None else args.hysteresis_db,
        interval=question.interval,
    )  # fmt: skip
    runs = [_scheduled(question, table, pass_) for pass_ in passes]
    _write(question, table, runs)
    plan_text.notes(note for result, _ in runs for note in result.notes)
    plan_text.notes([] if runs else link.warnings)
    if args.json:
        plan_text.print_json(_answer(question, table, runs))
    else:
        print("\n".join([*_table_lines(question, table), *_schedule_lines(question, runs)]))
    return 0


def _scheduled(
    question: "Question", table: CodingTable, pass_: Pass
) -> tuple[PassResult, Schedule]:
    """Schedule along a pass, and beside it the pass at the best fixed CR."""
    link, model = question.link, question.model
    smallest = table.rows[-1].cr
    level = simulate_pass(link, model, pass_, cr=smallest, interval=None)
    schedule = follow(table, model, pass_.time_s, level.snr_db)
    result = simulate_pass(
        link, model, pass_, cr=schedule.best_fixed_cr, target=table.target,
        confidence=table.confidence, interval=question.interval,
    )  # fmt: skip
    return result, schedule


def _table_lines(question: "Question", table: CodingTable) -> list[str]:
    level = f"{100 * table.interval:g} %"
    head = ("CR", "in from", "out below", f"threshold's {level}", "images/s", table.metric,
            f"its {level}", "domain")  # fmt: skip
    rows = [
        (
            row.label, f"{row.up_db:.2f} dB", f"{row.down_db:.2f} dB",
            f"{row.snr_db_low + table.margin_db:.2f} … "
            + ("–" if row.snr_db_high is None else f"{row.snr_db_high + table.margin_db:.2f}"),
            amount(row.images_per_s), number(row.value),
            f"{number(row.low)} … {number(row.high)}", "inside" if row.in_domain else "OUTSIDE",
        )
        for row in table.rows[1:]
    ]  # fmt: skip
    lines = [
        f"{question.demand}: {table.margin_db:.2f} dB of margin kept, "
        f"{table.hysteresis_db:g} dB of hysteresis",
        plan_text.columns(head, rows),
        *(f"left out   {why}" for why in table.left_out),
    ]
    if any(row.at_edge for row in table.rows):
        lines.append("at the lowest fitted SNR the target is met already; less might do")
    return lines


def _schedule_lines(
    question: "Question", runs: list[tuple[PassResult, Schedule]]
) -> list[str]:  # fmt: skip
    """What the table delivers over the passes."""
    if not runs:
        return []
    if len(runs) == 1 and question.args.pass_ is not None:
        result, schedule = runs[0]
        best = schedule.best_fixed_images
        gain = f", {schedule.images_delivered / best:.3g} times" if best > 0 else ", against"
        steps = "; ".join(f"{clock(part['start_s'])} {part['row']}" for part in schedule.segments())
        return [
            "",
            f"{question.link.name}: {result.pass_.about}, contact {clock(result.contact_s)} min",
            f"SNR        {schedule.snr_db.min():.2f} … {schedule.snr_db.max():.2f} dB",
            f"schedule   {steps}; {clock(float(schedule.time_s[-1]))} set",
            f"images     {amount(schedule.images_delivered)} delivered{gain} the "
            f"{amount(best)} of the best fixed CR, {format_cr(schedule.best_fixed_cr)}",
            f"           {amount(schedule.ideal_images)} without hysteresis; "
            f"{schedule.switches} switches",
            domain_line(float(np.mean(schedule.in_domain))),
        ]
    day = _day_totals(runs)
    gain = f", {day['gain_over_fixed']:.3g} times" if day["gain_over_fixed"] else ", against"
    return [
        "",
        f"{question.link.name}: {which(question, runs[0][0].pass_)}",
        f"a day: {day['passes_per_day']:.3g} passes, "
        f"{amount(day['images_delivered_per_day'])} images delivered{gain} the "
        f"{amount(day['best_fixed_images_per_day'])} of the best fixed CR, "
        f"{day['best_fixed_cr_text']}",
    ]


def _day_totals(runs: list[tuple[PassResult, Schedule]]) -> dict[str, Any]:
    """Images a day with the table, and with the one CR that brings most over the day."""
    share = [result.pass_.per_day or 0.0 for result, _ in runs]
    fixed = {
        cr: sum(w * schedule.fixed_images[cr] for w, (_, schedule) in zip(share, runs, strict=True))
        for cr in runs[0][1].fixed_images
    }
    best = max(fixed, key=lambda cr: (fixed[cr], cr))
    delivered = sum(w * schedule.images_delivered
                    for w, (_, schedule) in zip(share, runs, strict=True))  # fmt: skip
    return {
        "passes_per_day": sum(share),
        "images_delivered_per_day": delivered,
        "best_fixed_cr": best,
        "best_fixed_cr_text": format_cr(best),
        "best_fixed_images_per_day": fixed[best],
        "gain_over_fixed": delivered / fixed[best] if fixed[best] > 0 else None,
    }


def _write(
    question: "Question", table: CodingTable, runs: list[tuple[PassResult, Schedule]]
) -> None:
    """Draw the pass (of several the highest) or the table; write series, passes or the table."""
    args = question.args
    if args.plot and runs and not args.day:
        from semloss.reports.what_if.passes import pass_plot

        result, schedule = max(runs, key=lambda run: run[0].pass_.max_elevation_deg)
        if args.tle is not None:
            plan_text.notes([f"{args.plot} draws the highest pass, {result.pass_.about}"])
        pass_plot(result, args.plot, schedule)
    elif args.plot:
        from semloss.reports.what_if.passes import table_plot

        table_plot(table, question.model, args.plot)
    if args.csv and args.pass_ is not None:
        from semloss.reports.what_if.passes import series

        save_table(args.csv, series(*runs[0]))
    elif args.csv and runs:
        import pandas as pd

        save_table(args.csv, pd.DataFrame([_pass_row(*run) for run in runs]))
    elif args.csv:
        save_table(args.csv, table.frame())


def _pass_row(result: PassResult, schedule: Schedule) -> dict[str, Any]:
    """One pass in a table of passes."""
    kept = ("pass", "start_utc", "max_elevation_deg", "contact_s", "passes_per_day")
    about = {name: value for name, value in result.summary().items() if name in kept}
    return about | {k: v for k, v in schedule.summary().items() if k != "segments"}


def _answer(
    question: "Question", table: CodingTable, runs: list[tuple[PassResult, Schedule]]
) -> dict[str, Any]:
    """Content of the JSON answer."""
    about = (
        "metric",
        "receiver",
        "task",
        "target",
        "confidence",
        "interval",
        "margin_db",
        "hysteresis_db",
    )
    answer: dict[str, Any] = {"link": question.link.name}
    answer |= {name: getattr(table, name) for name in about}
    answer |= {"table": table.records(), "left_out": table.left_out}
    if question.args.pass_ is not None:
        result, schedule = runs[0]
        return answer | {"schedule": schedule.summary(), "fixed": result.summary()}
    if runs:
        passes = [{"schedule": s.summary(), "fixed": r.summary()} for r, s in runs]
        return answer | _day_totals(runs) | {"passes": passes}
    return answer
