"""The answer to "what is the cheapest …": a link with the solved field in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from semloss.layout import place_text
from semloss.planning.budget.assumed import assumed
from semloss.planning.budget.ledger import Ledger, ledger
from semloss.planning.budget.question import Answered
from semloss.planning.budget.remarks import remarks
from semloss.planning.link.link import LinkData
from semloss.units import format_cr

if TYPE_CHECKING:
    from semloss.surfaces.fitted.fit import Prediction


@dataclass(frozen=True)
class Solved(Answered):
    """The cheapest value of a field with which a link does what is asked.

    `low` … `high` is the interval that the fit's uncertainty implies, an end None where the
    band's pessimistic edge is out of reach. `at_edge` says that the search ended at its cheap
    end, so that less might do. `link` is the link with the answer in it, `fading` the label of
    the fading that was counted.
    """

    unknown: str
    value: float
    unit: str
    sense: str
    low: float | None
    high: float | None
    at_edge: bool
    link: LinkData
    fading: str | None = field(default=None, kw_only=True)

    @property
    def power_w(self) -> float | None:
        """Transmit power in watts, where that was asked."""
        return 10 ** (self.value / 10) if self.unknown == "power_dbw" else None

    @property
    def met(self) -> bool:
        """A solution does what is asked."""
        return True

    @property
    def assumed(self) -> dict[str, str]:
        """What it rests on, with the answer in it."""
        return assumed(self.link, self.question.fit, self.link.cr, self.fading)

    @property
    def warnings(self) -> Sequence[str]:
        """Of the link with the answer in it."""
        return remarks(self.link, self.question.fit)

    @property
    def about_value(self) -> dict[str, Any]:
        """The answer and what was asked, by name."""
        asked = self.question
        told = {
            "unknown": self.unknown, "value": self.value, "unit": self.unit, "sense": self.sense,
            "low": self.low, "high": self.high, "at_edge": self.at_edge, **asked.about,
            **asked.options, "fading": self.fading, "margin_db": self.link.margin_db,
        }  # fmt: skip
        return told if self.power_w is None else told | {"power_w": self.power_w}

    @property
    def found(self) -> str:
        """The answer in one line."""
        watts = "" if self.power_w is None else f" ({self.power_w:.4g} W)"
        ends = ["out of reach" if end is None else f"{end:.6g}" for end in (self.low, self.high)]
        edge = ", where the fit or the search ends" if self.at_edge else ""
        unit = f" {self.unit}" if self.unit else ""
        return (
            f"{self.sense} {self.unknown} = {self.value:.6g}{unit}{watts}{edge}   "
            f"[{self.question.level}: {ends[0]} … {ends[1]}]"
        )


@dataclass(frozen=True)
class Solution(Solved):
    """The cheapest value with which a link meets a target; `prediction` is the metric there."""

    prediction: "Prediction"

    @property
    def in_domain(self) -> bool:
        """Whether the fit was measured at the answer."""
        return bool(self.prediction.in_domain)

    @property
    def place(self) -> str:
        """The answer's point."""
        return place_text(self.prediction)

    def ledger(self) -> Ledger:
        """Ledger of the link with the answer in it."""
        return ledger(self.link, self.question.fit, **self.question.options)

    def rows(self) -> list[dict[str, Any]]:
        """One row."""
        point = self.prediction
        there = {
            "cr": point.cr, "cr_text": format_cr(point.cr), "snr_db": point.snr_db,
            "metric_value": point.value, "metric_low": point.low, "metric_high": point.high,
            "in_domain": point.in_domain,
        }  # fmt: skip
        return [self.about_value | there]

    def to_dict(self) -> dict[str, Any]:
        """Content for JSON."""
        return self.rows()[0] | {"warnings": list(self.warnings)}

    @property
    def head(self) -> str:
        """The answer, the demand, and where the fit was measured."""
        point = self.prediction
        inside = "inside" if self.in_domain else "OUTSIDE"
        return (
            f"{self.found}\nfor {self.question.demand}{self.question.kept}\n"
            f"there {point.metric} = {point.value:.4g} at CR {format_cr(point.cr)}, "
            f"SNR {point.snr_db:.2f} dB\n{inside} the fitted domain, {self.domain}"
        )
