"""The list of fits that come with the package, as an answer."""

from dataclasses import dataclass
from typing import Any

from semloss.answers import Answer
from semloss.layout import columns, named
from semloss.surfaces.files.fit_file import load
from semloss.surfaces.files.shipped import shipped_names
from semloss.surfaces.fitted.fit import Fit
from semloss.units import format_cr


@dataclass(frozen=True)
class Catalogue(Answer):
    """Fits by name: what of, on which images, by which codec, where, measured when."""

    fits: dict[str, Fit]

    def rows(self) -> list[dict[str, Any]]:
        """One record a fit; CR as k/n, SNR as Es/N0 in dB."""
        return [
            {
                "fit": name,
                "metric": fit.metric,
                "receiver": fit.receiver,
                "form": fit.form,
                **{key: fit.provenance.get(key, "") for key in _TOLD},
                "cr_low": fit.cr_range[0],
                "cr_high": fit.cr_range[1],
                "snr_db_low": fit.snr_db_range[0],
                "snr_db_high": fit.snr_db_range[1],
            }
            for name, fit in self.fits.items()
        ]

    def to_dict(self) -> dict[str, Any]:
        """The records."""
        return {"fits": self.rows()}

    def text(self) -> str:
        """A line a fit, and how to ask one."""
        head = ("fit", "of", "images", "task model", "codec, channel", "CR", "SNR", "measured")
        lines = []
        for name, fit in self.fits.items():
            told = {key: str(fit.provenance.get(key, "?")) for key in _TOLD}
            low, high = fit.cr_range
            lines.append((
                name,
                named(fit),
                f"{told['images']} of {told['source']}, {told['tile']}",
                told["task_model"] if fit.receiver != "none" else "–",
                f"{told['codec']}, {told['channel']}",
                f"{format_cr(low)} … {format_cr(high)}",
                f"{fit.snr_db_range[0]:g} … {fit.snr_db_range[1]:g} dB",
                told["measured"],
            ))  # fmt: skip
        ask = f"semloss predict {next(iter(self.fits))} --cr 1/12 --snr-db 4"
        return f"{columns(head, lines)}\n\nask one: {ask}"


_TOLD = ("source", "images", "tile", "task_model", "codec", "channel", "measured")


def catalogue() -> Catalogue:
    """Read the fits that come with the package."""
    return Catalogue({name: load(name) for name in shipped_names()})
