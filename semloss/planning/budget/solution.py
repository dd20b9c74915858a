"""The answer to "what is the cheapest …": a link with the solved field in it."""

from collections.abc import Sequence
from dataclasses import dataclass
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
class Solution(Answered):
    """The cheapest value of a field with which a link meets a target.

    `low` … `high` is the interval that the fit's uncertainty implies, an end None where the
    band's pessimistic edge is out of reach. `at_edge` says that the search ended at its cheap
    end, so that less might do. `link` is the link with the answer in it, `prediction` the metric
    there, at the CR and SNR it has.
    """

    unknown: str
    value: float
    unit: str
    sense: str
    low: float | None
    high: float | None
    at_edge: bool
    link: LinkData
    prediction: "Prediction"

    @property
    def power_w(self) -> float | None:
        """Transmit power in watts, where that was asked."""
        return 10 ** (self.value / 10) if self.unknown == "power_dbw" else None

    @property
    def met(self) -> bool:
        """A solution meets its target."""
        return True

    @property
    def in_domain(self) -> bool:
        """Whether the fit was measured at the answer."""
        return bool(self.prediction.in_domain)

    @property
    def place(self) -> str:
        """The answer's point."""
        return place_text(self.prediction)

    @property
    def assumed(self) -> dict[str, str]:
        """What it rests on, with the answer in it."""
        return assumed(self.link, self.question.fit, self.prediction.cr)

    @property
    def warnings(self) -> Sequence[str]:
        """Of the link with the answer in it."""
        return remarks(self.link, self.question.fit)

    def ledger(self) -> Ledger:
        """Ledger of the link with the answer in it."""
        return ledger(self.link, self.question.fit, **self.question.options)

    def rows(self) -> list[dict[str, Any]]:
        """One row."""
        point, asked = self.prediction, self.question
        answer = {
            "unknown": self.unknown, "value": self.value, "unit": self.unit, "sense": self.sense,
            "low": self.low, "high": self.high, "at_edge": self.at_edge, **asked.about,
            **asked.options, "cr": point.cr, "cr_text": format_cr(point.cr),
            "snr_db": point.snr_db, "metric_value": point.value, "metric_low": point.low,
            "metric_high": point.high, "in_domain": point.in_domain,
            "margin_db": self.link.margin_db,
        }  # fmt: skip
        return [answer if self.power_w is None else answer | {"power_w": self.power_w}]

    def to_dict(self) -> dict[str, Any]:
        """Content for JSON."""
        return self.rows()[0] | {"warnings": list(self.warnings)}

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
