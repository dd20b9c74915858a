"""The metric exceeded in shares of the time, told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from semloss.answers import records
from semloss.layout import amount, columns, domain_line, number
from semloss.planning.answers.question import Answered, Question
from semloss.planning.passes.orbit import Pass
from semloss.planning.passes.outage import PERCENTS, Outage, outage
from semloss.planning.propagation.fading import Fading
from semloss.units import format_cr


@dataclass(frozen=True)
class OutageAnswer(Answered):
    """Statistics over time, at the link's own place or over a pass."""

    found: Outage
    pass_: Pass | None = None

    def rows(self) -> list[dict[str, Any]]:
        """A row for each share of the time."""
        return records(self.found.frame())

    def to_dict(self) -> dict[str, Any]:
        """Everything."""
        return {"link": self.question.link.name, **self.found.summary()}

    def text(self) -> str:
        """The expected metric, and what is exceeded how often."""
        question, found = self.question, self.found
        elevation, where = question.link.elevation_deg, "at its range"
        if self.pass_ is not None:
            where = self.pass_.about
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
            columns(("of the time", "SNR [dB]", found.metric, level), rows),
        ]
        if found.met_percent is not None:
            lines.append(
                f"{question.demand} in {found.met_percent:.5g} % of the time{question.kept}"
            )
        lines.append(f"{amount(found.images_per_s)} images/s on average")
        return "\n".join([*lines, domain_line(found.in_domain_percent / 100)])

    @property
    def met(self) -> bool | None:
        """Whether the target is met in some of the time."""
        return None if self.found.met_percent is None else self.found.met_percent > 0

    @property
    def in_domain(self) -> bool:
        """Whether the fit was measured at all SNRs that occur."""
        return self.found.in_domain_percent >= 100 * (1 - 1e-9)

    @property
    def warnings(self) -> Sequence[str]:
        """Of the statistics and the link."""
        return self.found.notes


def exceeded(
    question: Question,
    pass_: Pass | None = None,
    fading: Fading | None = None,
    percents: Sequence[float] = PERCENTS,
) -> OutageAnswer:
    """Statistics of the metric; see `semloss.planning.passes.outage.outage`."""
    found = outage(
        question.link, question.fit, pass_=pass_, fading=fading, percents=percents,
        **question.options,
    )  # fmt: skip
    return OutageAnswer(question, found, pass_)
