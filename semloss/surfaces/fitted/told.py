"""What `semloss predict` answers from a fit: a value, or what a target needs, told."""

from dataclasses import dataclass
from typing import Any

from semloss.answers import Answer
from semloss.layout import domain_text, place_text
from semloss.surfaces.fitted.fit import Fit, Prediction
from semloss.surfaces.fitted.outcome import flagged, verdict
from semloss.surfaces.fitted.requirements import Requirement


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
        needed = {} if self.needed is None else self.needed.to_dict()
        return {**self.point.to_dict(), **needed}

    def text(self) -> str:
        """The answer, where the fit was measured, and how it ended if not well."""
        fit, point = self.fit, self.point
        lines = [(self.needed or point).text()]
        inside = "inside" if point.in_domain else "OUTSIDE"
        lines.append(f"{inside} the fitted domain, {domain_text(fit)}")
        if fit.message:
            words = f"the fit is flagged as {verdict(fit.outcome, fit.quality)}: "
            lines.append(words * flagged(fit.outcome, fit.quality) + fit.message)
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
