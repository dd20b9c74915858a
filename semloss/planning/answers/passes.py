"""What a link delivers at one CR: over a pass, over an average day, over the passes of a TLE."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from semloss.answers import records
from semloss.layout import amount, clock, columns, domain_line
from semloss.planning.answers.question import Answered, Question
from semloss.planning.passes.orbit import Pass
from semloss.planning.passes.simulation import (
    DayResult,
    PassResult,
    simulate_day,
    simulate_pass,
)
from semloss.planning.propagation.fading import Fading
from semloss.units import format_cr

_INSIDE = 1 - 1e-9


@dataclass(frozen=True)
class PassAnswer(Answered):
    """One pass at the link's CR."""

    result: PassResult

    def rows(self) -> list[dict[str, Any]]:
        """A row for each moment."""
        return records(self.result.frame())

    def to_dict(self) -> dict[str, Any]:
        """Totals of the pass."""
        return self.result.summary() | {"link": self.question.link.name}

    def text(self) -> str:
        """Few lines about the pass."""
        result, question = self.result, self.question
        s = result.summary()
        faded = "" if result.fading is None else f", mean over {result.fading} fading"
        lines = [
            f"{question.link.name}: {result.pass_.about}, CR {format_cr(result.cr)}",
            f"contact    {clock(s['contact_s'])} min from {result.pass_.elevation_deg[0]:.1f} to "
            f"{s['max_elevation_deg']:.1f} deg and back",
            f"SNR        {s['snr_db_at_rise']:.2f} dB at rise, {s['snr_db_at_culmination']:.2f} dB "
            "at culmination",
            f"{result.metric:<10} {result.value[0]:.4g} at rise, "
            f"{s['value_at_culmination']:.4g} at culmination, "
            f"{s['mean_value']:.4g} on average{faded}",
        ]
        asked = result.target is not None
        if asked:
            lines += [
                f"target     {question.demand} from {result.required_snr_db:.2f} dB"
                f"{question.kept}: {clock(result.met_s)} min, "
                f"{100 * result.met_s / result.contact_s:.3g} % of the contact",
                f"margin     {result.margin_db.min():.2f} … {result.margin_db.max():.2f} dB",
            ]
        lines.append(
            f"images     {amount(result.images_delivered)} delivered"
            + (f" of {amount(result.images_sent)} sent" if asked else "")
            + f", {amount(result.images_per_s)} images/s"
        )
        return "\n".join([*lines, domain_line(s["in_domain_share"])])

    @property
    def met(self) -> bool | None:
        """Whether the target is met in some of the contact."""
        return None if self.result.target is None else self.result.met_s > 0

    @property
    def in_domain(self) -> bool:
        """Whether the fit was measured throughout the pass."""
        return bool(self.result.summary()["in_domain_share"] >= _INSIDE)

    @property
    def warnings(self) -> Sequence[str]:
        """Of the pass and the link."""
        return self.result.notes


@dataclass(frozen=True)
class DayAnswer(Answered):
    """Several passes at the link's CR; `days` is the length of the search of a TLE, else None."""

    day: DayResult
    days: float | None = None

    def rows(self) -> list[dict[str, Any]]:
        """A row for each pass."""
        return records(self.day.frame())

    def to_dict(self) -> dict[str, Any]:
        """Totals of a day, and of each pass."""
        passes = [result.summary() for result in self.day.results]
        return {"link": self.question.link.name, **self.day.summary(), "passes": passes}

    def text(self) -> str:
        """Totals of a day; the passes of a TLE one by one."""
        question, results = self.question, self.day.results
        first, s = results[0], self.day.summary()
        about = which(question, first.pass_, self.days)
        lines = [f"{question.link.name}: CR {format_cr(first.cr)}, {about}"]
        if self.days is not None:
            lines.append(_table(results))
        asked = question.target is not None
        met = ""
        if asked:
            met = f"; {question.demand} in {clock(s['met_s_per_day'])} min of it"
        lines.append(
            f"a day: {s['passes_per_day']:.3g} passes, {clock(s['contact_s_per_day'])} min of "
            f"contact{met}\n       {amount(s['images_delivered_per_day'])} images delivered"
            + (f" of {amount(s['images_sent_per_day'])} sent" if asked else "")
        )
        return "\n".join([*lines, domain_line(self._inside)])

    @property
    def _inside(self) -> float:
        """Share of the contact of a day in which the fit was measured."""
        within = sum(
            r.summary()["in_domain_share"] * r.contact_s * (r.pass_.per_day or 0)
            for r in self.day.results
        )
        return float(within / self.day.summary()["contact_s_per_day"])

    @property
    def met(self) -> bool | None:
        """Whether the target is met in some of the contact."""
        return None if self.question.target is None else self.day.per_day("met_s") > 0

    @property
    def in_domain(self) -> bool:
        """Whether the fit was measured throughout."""
        return self._inside >= _INSIDE

    @property
    def warnings(self) -> Sequence[str]:
        """Of the passes and the link."""
        return [note for result in self.day.results for note in result.notes]

    @property
    def highest(self) -> PassResult:
        """The pass that culminates highest."""
        return max(self.day.results, key=lambda result: result.pass_.max_elevation_deg)


def one_pass(question: Question, pass_: Pass, fading: Fading | None = None) -> PassAnswer:
    """Follow the link along a pass."""
    options = question.options | {"fading": fading}
    return PassAnswer(question, simulate_pass(question.link, question.fit, pass_, **options))


def several_passes(
    question: Question,
    passes: Sequence[Pass],
    fading: Fading | None = None,
    days: float | None = None,
) -> DayAnswer:
    """Follow the link along every pass of a day, or of the days of a TLE."""
    options = question.options | {"fading": fading}
    day = simulate_day(question.link, question.fit, passes, **options)
    return DayAnswer(question, day, days)


def which(question: Question, first: Pass, days: float | None) -> str:
    """Say what several passes are of."""
    if days is None:
        return f"{first.about}, station at {question.link.station_lat_deg:g} deg"
    return f"{first.about.rpartition(', ')[0]}, {days:g} day{'s' if days != 1 else ''}"


def _table(results: Sequence[PassResult]) -> str:
    head = ("rise (UTC)", "highest [deg]", "contact [min]", "mean", "met [min]", "images")
    rows = (
        (f"{result.pass_.start:%Y-%m-%d %H:%M:%S}", f"{result.pass_.max_elevation_deg:.1f}",
         clock(result.contact_s),
         f"{result.pass_.weight_s @ result.value / result.contact_s:.4g}",
         clock(result.met_s), amount(result.images_delivered))
        for result in results
    )  # fmt: skip
    return columns(head, rows)
