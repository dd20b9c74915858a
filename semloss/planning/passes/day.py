"""What a link delivers at one CR over an average day, or over the passes of a satellite."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from semloss.errors import SemlossError
from semloss.layout import amount, between, clock, columns, days_text, domain_line, throughout
from semloss.planning.budget.question import Answered, Question
from semloss.planning.link.link import LinkData
from semloss.planning.passes.daily import Daily, clear_sky, volumes
from semloss.planning.passes.orbit import Pass
from semloss.planning.passes.simulation import PassResult, simulate_pass
from semloss.surfaces.fitted.fit import Fit
from semloss.units import format_cr

_UNITS = {"gb": "GB", "km2": "km²"}


@dataclass(frozen=True)
class DayResult(Answered):
    """Every pass with its number a day; `days` is that of a search, None for an average day.

    `clear_images` are those of each pass without the link's rain; None without a target or rain.
    """

    results: tuple[PassResult, ...]
    days: float | None = None
    clear_images: tuple[float, ...] | None = None

    def per_day(self, name: str) -> float:
        """Sum over the day of a figure of the passes, e.g. "images_delivered"."""
        return sum(float(r.pass_.per_day or 0.0) * float(getattr(r, name)) for r in self.results)

    @property
    def passes_per_day(self) -> float:
        """How many passes a day has."""
        return sum(result.pass_.per_day or 0.0 for result in self.results)

    @property
    def in_domain_share(self) -> float:
        """Share of the contact of a day in which the fit was measured."""
        within = sum(
            r.in_domain_share * r.contact_s * (r.pass_.per_day or 0.0) for r in self.results
        )
        return within / self.per_day("contact_s")

    @property
    def met(self) -> bool | None:
        """Whether the target is met in some of the contact."""
        return None if self.question.target is None else any(r.met for r in self.results)

    @property
    def in_domain(self) -> bool:
        """Whether the fit was measured throughout."""
        return throughout(self.in_domain_share)

    @property
    def warnings(self) -> Sequence[str]:
        """Of the passes and the link."""
        return [note for result in self.results for note in result.notes]

    @property
    def assumed(self) -> dict[str, str]:
        """What each pass rests on."""
        return self.results[0].assumed

    @cached_property
    def daily(self) -> Daily:
        """What the passes bring."""
        return Daily(
            self.question.link, tuple(result.pass_ for result in self.results),
            np.array([result.images_delivered for result in self.results]),
            None if self.clear_images is None else np.array(self.clear_images),
        )  # fmt: skip

    def rows(self) -> list[dict[str, Any]]:
        """A row for each pass."""
        kept = [{k: v for k, v in r.totals().items() if k != "notes"} for r in self.results]
        return [row | more for row, more in zip(kept, self.daily.each(), strict=True)]

    def to_dict(self) -> dict[str, Any]:
        """Totals of a day, and of each pass."""
        names = ("contact_s", "met_s", "images_sent", "images_delivered")
        low, high = self._between
        passes = [result.totals() for result in self.results]
        return {
            "link": self.question.link.name, "passes_per_day": self.passes_per_day,
            **{f"{name}_per_day": self.per_day(name) for name in names},
            "images_low_per_day": low, "images_high_per_day": high, **self.daily.to_dict(),
            "passes": passes,
        }  # fmt: skip

    @property
    def _between(self) -> tuple[float, float]:
        """Images of a day at the ends of the interval of what the target needs."""
        share = self.daily.per_day
        low, high = np.array([result.images_between for result in self.results]).T
        return float(share @ low), float(share @ high)

    @property
    def head(self) -> str:
        """What a day brings, what a pass, and what weather takes."""
        question = self.question
        met = sent = ""
        if question.target is not None:
            met = f"; {question.demand} in {clock(self.per_day('met_s'))} min of it{question.kept}"
            sent = f" of {amount(self.per_day('images_sent'))} sent"
            sent += between(*self._between, question.level)
        return "\n".join([
            f"a day: {amount(self.per_day('images_delivered'))} images delivered{sent}",
            *self.daily.lines(),
            f"contact: {self.passes_per_day:.3g} passes, {clock(self.per_day('contact_s'))} min a "
            f"day{met}",
            domain_line(self.in_domain_share),
        ])  # fmt: skip

    @property
    def body(self) -> str:
        """What the passes are of; those of a search one by one."""
        question, first = self.question, self.results[0]
        about = which(question, first.pass_, self.days)
        line = (
            f"{question.link.name}: CR {format_cr(first.cr)}, {about}, in steps of "
            f"{first.pass_.step_s:g} s"
        )
        return line if self.days is None else f"{line}\n{self._table()}"

    def _table(self) -> str:
        head = ("rise (UTC)", "highest [deg]", "contact [min]", "mean", "met [min]", "images",
                *(_UNITS[name] for name in volumes(self.question.link, 0.0)))  # fmt: skip
        rows = (
            (f"{result.pass_.start:%Y-%m-%d %H:%M:%S}", f"{result.pass_.max_elevation_deg:.1f}",
             clock(result.contact_s), f"{result.mean_value:.4g}", clock(result.met_s),
             amount(result.images_delivered),
             *map(amount, volumes(self.question.link, result.images_delivered).values()))
            for result in self.results
        )  # fmt: skip
        return columns(head, rows)


def simulate_day(
    link: LinkData,
    fit: Fit,
    passes: Sequence[Pass],
    *,
    days: float | None = None,
    **options: Any,  # noqa: ANN401 - as simulate_pass checks them
) -> DayResult:
    """Follow every pass of `circular_day` or `satellite_passes` and average over a day.

    Parameters
    ----------
    passes
        Passes with their number a day.
    days
        Length in days of the search that found them; None for an average day.
    **options
        As for `simulate_pass`.

    Raises
    ------
    SemlossError
        When there is no pass, or one does not tell how many of it there are a day.
    """
    if not passes:
        raise SemlossError(
            "no pass: the satellite does not rise above the lowest elevation at this site in the "
            "asked time; lower the elevation or ask for more days"
        )
    if any(p.per_day is None for p in passes):
        raise SemlossError("a single pass does not tell images per day; use circular_day or a TLE")
    first, *others = (simulate_pass(link, fit, p, **options) for p in passes)
    asked = first.question  # one for all, so that what there is to remark is found out once
    clear = None if asked.target is None else clear_sky(link)
    dry = None if clear is None else tuple(
        simulate_pass(clear, fit, p, **options | {"interval": None}).images_delivered
        for p in passes
    )  # fmt: skip
    results = (first, *(replace(one, question=asked) for one in others))
    return DayResult(asked, results, days, dry)


def which(question: Question, first: Pass, days: float | None) -> str:
    """Say what several passes are of."""
    if days is None:
        latitude = question.link.station_lat_deg
        return first.about + ("" if latitude is None else f", station at {latitude:g} deg")
    return f"{first.about.rpartition(', ')[0]}, {days_text(days)}"
