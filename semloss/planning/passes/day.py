"""What a link delivers at one CR over an average day, or over the passes of a satellite."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from semloss.errors import SemlossError
from semloss.layout import amount, clock, columns, days_text, domain_line, throughout
from semloss.planning.budget.question import Answered, Question
from semloss.planning.link.link import LinkData
from semloss.planning.passes.orbit import Pass
from semloss.planning.passes.simulation import PassResult, simulate_pass
from semloss.surfaces.fitted.fit import Fit
from semloss.units import format_cr


@dataclass(frozen=True)
class DayResult(Answered):
    """Every pass with its number a day; `days` is that of a search, None for an average day."""

    results: tuple[PassResult, ...]
    days: float | None = None

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

    @property
    def highest(self) -> PassResult:
        """The pass that culminates highest."""
        return max(self.results, key=lambda result: result.pass_.max_elevation_deg)

    def rows(self) -> list[dict[str, Any]]:
        """A row for each pass."""
        return [{k: v for k, v in r.totals().items() if k != "notes"} for r in self.results]

    def to_dict(self) -> dict[str, Any]:
        """Totals of a day, and of each pass."""
        names = ("contact_s", "met_s", "images_sent", "images_delivered")
        passes = [result.totals() for result in self.results]
        return {
            "link": self.question.link.name, "passes_per_day": self.passes_per_day,
            **{f"{name}_per_day": self.per_day(name) for name in names}, "passes": passes,
        }  # fmt: skip

    def text(self) -> str:
        """Totals of a day; the passes of a search one by one."""
        question, first = self.question, self.results[0]
        about = which(question, first.pass_, self.days)
        lines = [f"{question.link.name}: CR {format_cr(first.cr)}, {about}"]
        if self.days is not None:
            lines.append(self._table())
        met = sent = ""
        if question.target is not None:
            met = f"; {question.demand} in {clock(self.per_day('met_s'))} min of it"
            sent = f" of {amount(self.per_day('images_sent'))} sent"
        lines.append(
            f"a day: {self.passes_per_day:.3g} passes, {clock(self.per_day('contact_s'))} min of "
            f"contact{met}\n       {amount(self.per_day('images_delivered'))} images "
            f"delivered{sent}, in steps of {first.pass_.step_s:g} s"
        )
        return "\n".join([*lines, domain_line(self.in_domain_share)])

    def _table(self) -> str:
        head = ("rise (UTC)", "highest [deg]", "contact [min]", "mean", "met [min]", "images")
        rows = (
            (f"{result.pass_.start:%Y-%m-%d %H:%M:%S}", f"{result.pass_.max_elevation_deg:.1f}",
             clock(result.contact_s), f"{result.mean_value:.4g}", clock(result.met_s),
             amount(result.images_delivered))
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
    return DayResult(asked, (first, *(replace(one, question=asked) for one in others)), days)


def which(question: Question, first: Pass, days: float | None) -> str:
    """Say what several passes are of."""
    if days is None:
        return f"{first.about}, station at {question.link.station_lat_deg:g} deg"
    return f"{first.about.rpartition(', ')[0]}, {days_text(days)}"
