"""The adaptive coding table, and what it delivers over passes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from semloss.layout import amount, clock, columns, domain_line, number
from semloss.planning.budget.question import Answered, Question
from semloss.planning.passes.adaptive import CodingTable, Schedule, coding_table, follow
from semloss.planning.passes.day import which
from semloss.planning.passes.orbit import Pass
from semloss.planning.passes.simulation import PassResult, simulate_pass
from semloss.planning.propagation.fading import Fading
from semloss.units import format_cr

HYSTERESIS_DB = 0.5
_MARKS = {None: "", True: ", measured", False: ", between"}
Run = tuple[PassResult, Schedule]
"""A pass at the best fixed CR, and the table's schedule along it."""


@dataclass(frozen=True)
class AdaptiveAnswer(Answered):
    """A coding table, and its runs along passes.

    `single` says that one pass was asked for by its culmination; `days` is the length of the
    search of a TLE, None for an average day.
    """

    table: CodingTable
    runs: tuple[Run, ...] = ()
    single: bool = False
    days: float | None = None

    def rows(self) -> list[dict[str, Any]]:
        """A row for each moment of the one pass, for each pass, or for each CR of the table."""
        if self.single:
            return along(*self.runs[0])
        return [_pass_row(*run) for run in self.runs] or self.table.records()

    def to_dict(self) -> dict[str, Any]:
        """The table and what it delivers."""
        asked, table = self.question, self.table
        answer: dict[str, Any] = {
            "link": asked.link.name, **asked.about, **asked.options,
            "margin_db": table.margin_db, "hysteresis_db": table.hysteresis_db,
            "table": table.records(), "left_out": table.left_out,
        }  # fmt: skip
        if self.single:
            result, schedule = self.runs[0]
            return answer | {"schedule": schedule.to_dict(), "fixed": result.totals()}
        if self.runs:
            passes = [{"schedule": s.to_dict(), "fixed": r.totals()} for r, s in self.runs]
            return answer | self.day_totals() | {"passes": passes}
        return answer

    def text(self) -> str:
        """The table, and what it delivers."""
        return "\n".join([*self._table_lines(), *self._delivered()])

    @property
    def met(self) -> bool:
        """Whether any image is delivered (each of them meets the target); a table always can."""
        return not self.runs or any(s.images_delivered > 0 for _, s in self.runs)

    @property
    def in_domain(self) -> bool:
        """Whether the fit was measured wherever the table is used."""
        if self.runs:
            return all(bool(np.all(schedule.in_domain)) for _, schedule in self.runs)
        return all(row.in_domain is not False for row in self.table.rows)

    @property
    def warnings(self) -> Sequence[str]:
        """Of the passes and the link."""
        if not self.runs:
            return super().warnings
        return [note for result, _ in self.runs for note in result.notes]

    @property
    def highest(self) -> Run:
        """The run along the pass that culminates highest."""
        return max(self.runs, key=lambda run: run[0].pass_.max_elevation_deg)

    def day_totals(self) -> dict[str, Any]:
        """Images a day with the table, and with the one CR that brings most over the day."""
        share = [result.pass_.per_day or 0.0 for result, _ in self.runs]
        fixed = {
            cr: sum(w * s.fixed_images[cr] for w, (_, s) in zip(share, self.runs, strict=True))
            for cr in self.runs[0][1].fixed_images
        }
        best = max(fixed, key=lambda cr: (fixed[cr], cr))
        delivered = sum(w * s.images_delivered for w, (_, s) in zip(share, self.runs, strict=True))
        return {
            "passes_per_day": sum(share),
            "images_delivered_per_day": delivered,
            "best_fixed_cr": best,
            "best_fixed_cr_text": format_cr(best),
            "best_fixed_images_per_day": fixed[best],
            "gain_over_fixed": delivered / fixed[best] if fixed[best] > 0 else None,
        }

    def _table_lines(self) -> list[str]:
        table = self.table
        level, metric = self.question.level, self.question.fit.metric
        head = ("CR", "in from", "out below", f"threshold's {level}", "images/s", metric,
                f"its {level}", "domain")  # fmt: skip
        rows = [
            (
                row.label, f"{row.up_db:.2f} dB", f"{row.down_db:.2f} dB",
                f"{row.snr_db_low + table.margin_db:.2f} … "
                + ("–" if row.snr_db_high is None else f"{row.snr_db_high + table.margin_db:.2f}"),
                amount(row.images_per_s), number(row.value),
                f"{number(row.low)} … {number(row.high)}",
                "OUTSIDE" if not row.in_domain else "inside" + _MARKS[row.measured],
            )
            for row in table.rows[1:]
        ]  # fmt: skip
        lines = [
            f"{self.question.demand}: {table.margin_db:.2f} dB of margin kept, "
            f"{table.hysteresis_db:g} dB of hysteresis",
            columns(head, rows),
            *(f"left out   {why}" for why in table.left_out),
        ]
        if any(row.measured is False for row in table.rows):
            lines.append("between: no codec was trained at this CR; --crs measured leaves it out")
        if any(row.at_edge for row in table.rows):
            lines.append("at the lowest fitted SNR the target is met already; less might do")
        return lines

    def _delivered(self) -> list[str]:
        """What the table delivers over the passes."""
        if not self.runs:
            return []
        name = self.question.link.name
        if self.single:
            result, schedule = self.runs[0]
            best = schedule.best_fixed_images
            gain = f", {schedule.images_delivered / best:.3g} times" if best > 0 else ", against"
            steps = "; ".join(
                f"{clock(part['start_s'])} {part['row']}" for part in schedule.segments()
            )
            return [
                "",
                f"{name}: {result.pass_.about}, contact {clock(result.contact_s)} min",
                f"SNR        {schedule.snr_db.min():.2f} … {schedule.snr_db.max():.2f} dB",
                f"schedule   {steps}; {clock(float(schedule.time_s[-1]))} set",
                f"images     {amount(schedule.images_delivered)} delivered{gain} the "
                f"{amount(best)} of the best fixed CR, {format_cr(schedule.best_fixed_cr)}",
                f"           {amount(schedule.ideal_images)} without hysteresis; "
                f"{schedule.switches} switches; in steps of {result.pass_.step_s:g} s",
                domain_line(float(np.mean(schedule.in_domain))),
            ]
        day = self.day_totals()
        gain = f", {day['gain_over_fixed']:.3g} times" if day["gain_over_fixed"] else ", against"
        return [
            "",
            f"{name}: {which(self.question, self.runs[0][0].pass_, self.days)}",
            f"a day: {day['passes_per_day']:.3g} passes, "
            f"{amount(day['images_delivered_per_day'])} images delivered{gain} the "
            f"{amount(day['best_fixed_images_per_day'])} of the best fixed CR, "
            f"{day['best_fixed_cr_text']}",
        ]


def adaptive(
    question: Question,
    passes: Sequence[Pass] = (),
    *,
    crs: Sequence[float | str] | Literal["measured"] | None = None,
    hysteresis_db: float = HYSTERESIS_DB,
    fading: Fading | None = None,
    hold_percent: float = 95.0,
    single: bool = False,
    days: float | None = None,
) -> AdaptiveAnswer:
    """Lay out the coding table, and run it along passes.

    With a `fading`, so much more margin is kept that the target holds in `hold_percent` of it.
    """
    target = question.target
    assert target is not None
    if fading is not None:
        kept = question.link.margin_db + fading.margin_db(hold_percent)
        question = replace(question, link=question.link.replace(margin_db=kept))
    table = coding_table(
        question.link, question.fit, target=target, crs=crs, hysteresis_db=hysteresis_db,
        confidence=question.confidence, interval=question.interval,
    )  # fmt: skip
    runs = tuple(_scheduled(question, table, pass_) for pass_ in passes)
    return AdaptiveAnswer(question, table, runs, single, days)


def _scheduled(question: Question, table: CodingTable, pass_: Pass) -> Run:
    """Schedule along a pass, and beside it the pass at the best fixed CR."""
    link, fit = question.link, question.fit
    level = simulate_pass(link, fit, pass_, cr=table.rows[-1].cr, interval=None)
    schedule = follow(table, pass_.time_s, level.snr_db)
    result = simulate_pass(link, fit, pass_, cr=schedule.best_fixed_cr, **question.options)
    return result, schedule


def along(result: PassResult, schedule: Schedule) -> list[dict[str, Any]]:
    """A row for each moment of a pass, with the schedule's columns last."""
    ours = (
        {f"adaptive_{k}": v for k, v in row.items() if k not in ("time_s", "snr_db")}
        for row in schedule.rows()
    )
    return [mine | row for mine, row in zip(result.rows(), ours, strict=True)]


def _pass_row(result: PassResult, schedule: Schedule) -> dict[str, Any]:
    """One pass in a table of passes."""
    kept = ("pass", "start_utc", "max_elevation_deg", "contact_s", "passes_per_day")
    about = {name: value for name, value in result.totals().items() if name in kept}
    return about | {k: v for k, v in schedule.to_dict().items() if k != "segments"}
