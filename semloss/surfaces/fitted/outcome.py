"""How a fit can end, and what to do about it."""

from enum import StrEnum


class Outcome(StrEnum):
    """How a fit ended; `remedy` says what to do about it."""

    CONVERGED = "converged"
    BOUND_HIT = "bound hit"
    NOT_IDENTIFIABLE = "not identifiable"
    NOT_CONVERGED = "not converged"
    TOO_FEW_POINTS = "too few points"
    CONSTANT_VALUES = "constant values"
    ONE_CR = "one CR only"
    ONE_SNR = "one SNR only"
    NOT_MONOTONE = "not monotone"
    POOR_FIT = "poor fit"

    @property
    def remedy(self) -> str:
        """One sentence that says what the outcome means and what to do."""
        return _REMEDIES[self]


_REMEDIES = {
    Outcome.CONVERGED: "nothing to do",
    Outcome.BOUND_HIT: "the named parameters rest on the edge of their search range, so the data "
    "do not show that bend; widen the grid or choose a simpler --form",
    Outcome.NOT_IDENTIFIABLE: "several parameter sets fit equally well: trust predictions near "
    "the measured cells only, add CRs or SNRs, or choose a simpler --form",
    Outcome.NOT_CONVERGED: "the solver stopped early; choose a simpler --form",
    Outcome.TOO_FEW_POINTS: "measure more cells or choose a simpler --form",
    Outcome.CONSTANT_VALUES: "the metric does not move over these points; measure lower SNRs or "
    "CRs, or use --form constant",
    Outcome.ONE_CR: "the rate's influence cannot be seen; measure further CRs, or trust "
    "predictions at this CR only",
    Outcome.ONE_SNR: "the channel's influence cannot be seen; measure further SNRs, or trust "
    "predictions at this SNR only",
    Outcome.NOT_MONOTONE: "the measurements get worse where CR or SNR rises, by more than their "
    "noise: look for cells that trained badly, measure them anew or leave them out",
    Outcome.POOR_FIT: "the form misses the measurements by more than their noise; choose a "
    "richer --form, or --form auto",
}
