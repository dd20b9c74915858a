"""What a link can be solved for, and the answer."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from semloss.units import format_cr

if TYPE_CHECKING:
    from semloss.planning.link.link import Link
    from semloss.surfaces.fitted.fit import Prediction


@dataclass(frozen=True)
class Unknown:
    """A field to solve for: its unit, where to search, and the end that is cheap.

    `cheap` is where the search starts; `dear` is where the target is most easily met. `scale`
    maps the field to a coordinate that the search divides evenly.
    """

    unit: str
    cheap: float
    dear: float
    scale: str = "linear"

    @property
    def sense(self) -> str:
        """Which extreme of the field is asked."""
        return "smallest" if self.cheap < self.dear else "largest"


#: What can be solved for. SNR and CR are asked of the fit, the rest of the link.
UNKNOWNS: dict[str, Unknown] = {
    "snr_db": Unknown("dB", -50, 100),
    "cr": Unknown("", 0, 1),
    "eirp_dbw": Unknown("dBW", -100, 120),
    "power_dbw": Unknown("dBW", -60, 60),
    "rx_dish_m": Unknown("m", 0.01, 100, "log"),
    "bandwidth_mhz": Unknown("MHz", 1e5, 1e-4, "log"),
    "range_km": Unknown("km", 1e6, 1, "log"),
    "elevation_deg": Unknown("deg", 0, 90),
    "availability_percent": Unknown("%", 99.999, 95, "unavailability"),
}


@dataclass(frozen=True)
class Solution:
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
    target: float
    interval: float
    confidence: float | None
    link: "Link"
    prediction: "Prediction"

    @property
    def power_w(self) -> float | None:
        """Transmit power in watts, where that was asked."""
        return 10 ** (self.value / 10) if self.unknown == "power_dbw" else None

    def to_dict(self) -> dict[str, Any]:
        """Plain content for JSON."""
        point = self.prediction
        answer = {
            "unknown": self.unknown, "value": self.value, "unit": self.unit, "sense": self.sense,
            "low": self.low, "high": self.high, "at_edge": self.at_edge,
            "metric": point.metric, "task": point.task, "target": self.target,
            "confidence": self.confidence, "interval": self.interval, "cr": point.cr,
            "cr_text": format_cr(point.cr), "snr_db": point.snr_db, "metric_value": point.value,
            "metric_low": point.low, "metric_high": point.high, "in_domain": point.in_domain,
            "margin_db": self.link.margin_db,
        }  # fmt: skip
        return answer if self.power_w is None else answer | {"power_w": self.power_w}

    def __str__(self) -> str:
        watts = "" if self.power_w is None else f" ({self.power_w:.4g} W)"
        ends = ["out of reach" if end is None else f"{end:.6g}" for end in (self.low, self.high)]
        edge = ", where the fit or the search ends" if self.at_edge else ""
        unit = f" {self.unit}" if self.unit else ""
        point = self.prediction
        outside = "" if point.in_domain else ", outside the fitted domain"
        return (
            f"{self.sense} {self.unknown} = {self.value:.6g}{unit}{watts}{edge}   "
            f"[{100 * self.interval:g} %: {ends[0]} … {ends[1]}]\n"
            f"there {point.metric} = {point.value:.4g} at CR {format_cr(point.cr)}, "
            f"SNR {point.snr_db:.2f} dB{outside}"
        )
