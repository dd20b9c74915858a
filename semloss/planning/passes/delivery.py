"""The adaptive coding table, and what it delivers over passes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from semloss.layout import amount, between, clock, columns, domain_line, number
from semloss.planning.budget.question import Answered, Question
from semloss.planning.passes.adaptive import CodingTable, Schedule, coding_table, follow
from semloss.planning.passes.daily import Daily, clear_sky, volumes_text
from semloss.planning.passes.day import which
from semloss.planning.passes.orbit import Pass
from semloss.planning.passes.simulation import PassResult, budget_along, simulate_pass
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
    search of a TLE, None for an average day. `clear_images` are those of each pass of a day
    without the link's rain; None where it has none. `fading` says for which more margin is kept.
    """

    table: CodingTable
    runs: tuple[Run, ...] = ()
    single: bool = False
    days: float | None = None
    clear_images: tuple[float, ...] | None = None
    fading: str | None = None

    def rows(self) -> list[dict[str, Any]]:
        """A row for each moment of the one pass, for each pass, or for each CR of the table."""
        if self.single:
            return along(*self.runs[0])
        if not self.runs:
            return self.table.records()
        rows = (_pass_row(*run) for run in self.runs)
        return [row | more for row, more in zip(rows, self.daily.each(), strict=True)]

    def to_dict(self) -> dict[str, Any]:
        """The table and what it delivers."""
        asked, table = self.question, self.table
        answer: dict[str, Any] = {
            "link": asked.link.name, **asked.about, **asked.options,
            "fading": self.fading, "margin_db": table.margin_db,
            "hysteresis_db": table.hysteresis_db,
            "table": table.records(), "left_out": table.left_out,
        }  # fmt: skip
        if self.single:
            result, schedule = self.runs[0]
            return answer | {"schedule": schedule.to_dict(), "fixed": result.totals()}
        if self.runs:
            passes = [{"schedule": s.to_dict(), "fixed": r.totals()} for r, s in self.runs]
            return answer | self.day_totals() | {"passes": passes}
        return answer

    @property
    def head(self) -> str:
        """What the table delivers; of a table alone, its CRs and where they are used."""
        return "\n".join(self._delivered() or self._reach())

    @property
    def body(self) -> str:
        """The table, and the schedule along the one pass."""
        return "\n".join([*self._table_lines(), *self._schedule()])

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

    @cached_property
    def daily(self) -> Daily:
        """What the passes bring with the table."""
        return Daily(
            self.question.link, tuple(result.pass_ for result, _ in self.runs),
            np.array([schedule.images_delivered for _, schedule in self.runs]),
            None if self.clear_images is None else np.array(self.clear_images),
        )  # fmt: skip

    def day_totals(self) -> dict[str, Any]:
        """Images a day with the table, and with the one CR that brings most over the day."""
        share = self.daily.per_day
        fixed = {
            cr: sum(w * s.fixed_images[cr] for w, (_, s) in zip(share, self.runs, strict=True))
            for cr in self.runs[0][1].fixed_images
        }
        best = max(fixed, key=lambda cr: (fixed[cr], cr))
        delivered = self.daily.images_per_day
        ends = np.array([schedule.images_between for _, schedule in self.runs])
        return {
            "passes_per_day": float(share.sum()),
            "images_delivered_per_day": delivered,
            "images_low_per_day": float(share @ ends[:, 0]),
            "images_high_per_day": float(share @ ends[:, 1]),
            "best_fixed_cr": best,
            "best_fixed_cr_text": format_cr(best),
            "best_fixed_images_per_day": fixed[best],
            "gain_over_fixed": delivered / fixed[best] if fixed[best] > 0 else None,
            **self.daily.to_dict(),
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

    def _reach(self) -> list[str]:
        """Where a table without passes can be used."""
        rows = self.table.rows[1:]
        ends = " … ".join(dict.fromkeys(f"CR {row.label}" for row in (rows[0], rows[-1])))
        edge = f"   [{self.question.level}: {rows[0].snr_db_low + self.table.margin_db:.2f} … "
        high = rows[0].snr_db_high
        edge += "–" if high is None else f"{high + self.table.margin_db:.2f}"
        return [
            f"{self.question.demand}: from SNR {rows[0].down_db:.2f} dB on{edge} dB], {ends}, "
            f"{amount(rows[0].images_per_s)} … {amount(rows[-1].images_per_s)} images/s"
        ]

    def _delivered(self) -> list[str]:
        """What the table delivers over the passes."""
        if not self.runs:
            return []
        if self.single:
            schedule = self.runs[0][1]
            best = schedule.best_fixed_images
            gain = f", {schedule.images_delivered / best:.3g} times" if best > 0 else ", against"
            return [
                f"images     {amount(schedule.images_delivered)} delivered{gain} the "
                f"{amount(best)} of the best fixed CR, {format_cr(schedule.best_fixed_cr)}"
                f"{between(*schedule.images_between, self.question.level)}",
                f"           {volumes_text(self.question.link, schedule.images_delivered)}; "
                f"{amount(schedule.ideal_images)} images without hysteresis",
                domain_line(float(np.mean(schedule.in_domain))),
            ]
        day, level = self.day_totals(), self.question.level
        gain = f", {day['gain_over_fixed']:.3g} times" if day["gain_over_fixed"] else ", against"
        return [
            f"a day: {amount(day['images_delivered_per_day'])} images delivered{gain} the "
            f"{amount(day['best_fixed_images_per_day'])} of the best fixed CR, "
            f"{day['best_fixed_cr_text']}"
            f"{between(day['images_low_per_day'], day['images_high_per_day'], level)}",
            *self.daily.lines(),
        ]

    def _schedule(self) -> list[str]:
        """Which passes, and when which CR is in use along the one."""
        if not self.runs:
            return []
        result, schedule = self.runs[0]
        name, step = self.question.link.name, f"in steps of {result.pass_.step_s:g} s"
        if not self.single:
            about = which(self.question, result.pass_, self.days)
            count = f"{self.daily.per_day.sum():.3g} passes a day"
            return ["", f"{name}: {about}; {count}, {step}"]
        steps = "; ".join(f"{clock(part['start_s'])} {part['row']}" for part in schedule.segments())
        return [
            "",
            f"{name}: {result.pass_.about}, contact {clock(result.contact_s)} min",
            f"SNR        {schedule.snr_db.min():.2f} … {schedule.snr_db.max():.2f} dB",
            f"schedule   {steps}; {clock(float(schedule.time_s[-1]))} set",
            f"           {schedule.switches} switches; {step}",
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
    target, label = question.target, None
    assert target is not None
    if fading is not None:
        label = f"{fading.label}, held in {hold_percent:g} % of it"
        kept = question.link.margin_db + fading.margin_db(hold_percent)
        question = replace(question, link=question.link.replace(margin_db=kept))
    table = coding_table(
        question.link, question.fit, target=target, crs=crs, hysteresis_db=hysteresis_db,
        confidence=question.confidence, interval=question.interval,
    )  # fmt: skip
    runs = tuple(_scheduled(question, table, pass_) for pass_ in passes)
    clear = clear_sky(question.link)
    dry = () if clear is None or single else tuple(
        follow(table, one.time_s, budget_along(clear, one).snr_db).images_delivered
        for one in passes
    )  # fmt: skip
    return AdaptiveAnswer(question, table, runs, single, days, dry or None, label)


def _scheduled(question: Question, table: CodingTable, pass_: Pass) -> Run:
    """Schedule along a pass, and beside it the pass at the best fixed CR."""
    link, fit = question.link, question.fit
    schedule = follow(table, pass_.time_s, budget_along(link, pass_).snr_db)
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
