"""What `semloss predict` answers from a fit: a value, or what a target needs, told."""

from dataclasses import dataclass
from typing import Any

from semloss.answers import Answer
from semloss.layout import domain_text, named, place_text
from semloss.surfaces.fitted.fit import Fit, Prediction
from semloss.surfaces.fitted.requirements import Requirement
from semloss.units import format_cr


@dataclass(frozen=True)
class PredictionAnswer(Answer):
    """The metric at a point; with `needed`, the point is the least that meets a target."""

    fit: Fit
    point: Prediction
    needed: Requirement | None = None

    def rows(self) -> list[dict[str, Any]]:
        """One row."""
        return [self.to_dict()]

    def to_dict(self) -> dict[str, Any]:
        """The prediction; a requirement adds its interval."""
        point, needed = self.point, self.needed
        answer: dict[str, Any] = {
            "metric": point.metric,
            "receiver": point.receiver,
            "task": point.task,
            "cr": point.cr,
            "cr_text": format_cr(point.cr),
            "snr_db": point.snr_db,
            "value": point.value,
            "low": point.low,
            "high": point.high,
            "interval": point.interval,
            "in_domain": point.in_domain,
        }
        if needed is not None:
            answer |= {
                "target": needed.target,
                "solved": needed.solved,
                f"{needed.solved}_low": needed.low,
                f"{needed.solved}_high": needed.high,
                "at_edge": needed.at_edge,
                "confidence": needed.confidence,
            }
            if needed.solved == "cr":
                answer["cr_fraction"] = needed.cr_fraction
        return answer

    def text(self) -> str:
        """The answer, where the fit was measured, and how it ended if not well."""
        fit, point = self.fit, self.point
        lines = self._needed_lines(self.needed) if self.needed else [self._value_line()]
        inside = "inside" if point.in_domain else "OUTSIDE"
        lines.append(f"{inside} the fitted domain, {domain_text(fit)}")
        if fit.message:
            lines.append(f"the fit is flagged as {fit.outcome}: {fit.message}")
        return "\n".join(lines)

    @property
    def met(self) -> bool | None:
        """What a target needs meets it."""
        return None if self.needed is None else True

    @property
    def in_domain(self) -> bool:
        """Whether the fit was measured there."""
        return bool(self.point.in_domain)

    @property
    def domain(self) -> str:
        """Where the fit was measured."""
        return domain_text(self.fit)

    @property
    def place(self) -> str:
        """The point."""
        return place_text(self.point)

    @property
    def _level(self) -> str:
        return f"{100 * (self.point.interval or 0.0):g} %"

    def _value_line(self) -> str:
        point = self.point
        return (
            f"{named(point)} = {point.value:.4g} at CR {format_cr(point.cr)}, "
            f"SNR {point.snr_db:g} dB   [{self._level}: {point.low:.4g} … {point.high:.4g}]"
        )

    def _needed_lines(self, needed: Requirement) -> list[str]:
        point = self.point
        worst = "beyond the fitted range" if needed.high is None else None
        least = "at most " if needed.at_edge else ""
        if needed.solved == "snr_db":
            span = f"{needed.low:.2f} … {worst or f'{needed.high:.2f} dB'}"
            ask = f"needs SNR {least}{needed.snr_db:.2f} dB at CR {format_cr(point.cr)}"
        else:
            span = f"{needed.low:.4f} … {worst or f'{needed.high:.4f}'}"
            ask = (
                f"needs CR {least}{needed.cr:.4f} at SNR {point.snr_db:g} dB, "
                f"met by {needed.cr_fraction}"
            )
        sure = f" with {100 * needed.confidence:g} % confidence" if needed.confidence else ""
        target = f"{named(point)} = {needed.target:g}"
        lines = [f"{target}{sure} {ask}   [{self._level}: {span}]"]
        if needed.at_edge:
            lines.append("the lowest measured value meets the target; less might do")
        return lines


def value_at(fit: Fit, cr: float, snr_db: float, interval: float = 0.95) -> PredictionAnswer:
    """The metric at CR and SNR."""
    return PredictionAnswer(fit, fit.predict(cr=cr, snr_db=snr_db, interval=interval))


def least_for(
    fit: Fit,
    target: float,
    *,
    cr: float | None = None,
    snr_db: float | None = None,
    interval: float = 0.95,
    confidence: float | None = None,
) -> PredictionAnswer:
    """The smallest SNR at a CR, or the smallest CR at an SNR, that meets a target."""
    if cr is not None:
        needed = fit.min_snr(target=target, cr=cr, interval=interval, confidence=confidence)
    else:
        assert snr_db is not None
        needed = fit.min_cr(target=target, snr_db=snr_db, interval=interval, confidence=confidence)
    point = fit.predict(cr=needed.cr, snr_db=needed.snr_db, interval=interval)
    return PredictionAnswer(fit, point, needed)
