"""How a fit can end, whether it follows the data, and what to do about it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Following(StrEnum):
    """Whether the surface follows the data; `remedy` says what to do where it does not."""

    FOLLOWS = "follows the data"
    MISSES = "misses the data"
    UNEVEN = "worse in places where the link is better"
    REVERSED = "worse where the link is better"
    NO_TREND = "no trend in the data"

    @property
    def remedy(self) -> str:
        """One sentence that says what it means and what to do; none where all is well."""
        return _MEANT[self]


_MEANT = {
    Following.FOLLOWS: "",
    Following.MISSES: "the form misses the measurements by more than their noise; choose a "
    "richer --form, or --form auto",
    Following.UNEVEN: "the measurements get worse where CR or SNR rises, by more than their "
    "noise: look for cells that trained badly, measure them anew or leave them out",
    Following.REVERSED: "the metric falls where CR or SNR rises: is its direction right, are CR "
    "and SNR in the right columns and units?",
    Following.NO_TREND: "neither CR nor SNR moves the metric by more than its noise: measure "
    "lower SNRs or CRs, or more images",
}


class Outcome(StrEnum):
    """How the search for a fit ended; `remedy` says what to do about it.

    `NOT_MONOTONE` and `POOR_FIT` are of fits that were made before `Following` had words of its
    own for them.
    """

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


def following(outcome: Outcome, quality: Mapping[str, Any]) -> Following | None:
    """Whether a fit follows its data, as its figures tell; None where they do not say."""
    told = quality.get("follows")
    if told in tuple(Following):
        return Following(told)
    older = {Outcome.NOT_MONOTONE: Following.UNEVEN, Outcome.POOR_FIT: Following.MISSES}
    return older.get(outcome)


def verdict(outcome: Outcome, quality: Mapping[str, Any]) -> str:
    """Both words for a reader: whether the surface follows the data, then how the search ended."""
    word = following(outcome, quality)
    missed = quality.get("misses_by_percent")
    by = f" by {missed:.2g} % of its range" if missed else ""
    own = "" if outcome in (Outcome.NOT_MONOTONE, Outcome.POOR_FIT) else outcome.value
    words = (f"{word}{by if word is Following.MISSES else ''}" if word else "", own)
    return ", ".join(filter(None, words))


def flagged(outcome: Outcome, quality: Mapping[str, Any]) -> bool:
    """Whether a reader should be told before the answers."""
    word = following(outcome, quality)
    return outcome is not Outcome.CONVERGED or word not in (None, Following.FOLLOWS)
