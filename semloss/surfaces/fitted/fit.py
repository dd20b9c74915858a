"""A fitted surface: the metric at (CR, SNR) with its band, and the SNR or CR a target needs.

Numpy and the standard library only, so that a prediction starts cold in a fraction of a second.
"""

from dataclasses import dataclass, replace
from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike

from semloss.answers import Answer
from semloss.errors import SemlossError
from semloss.layout import named
from semloss.surfaces.fitted import requirements
from semloss.surfaces.fitted.bands import Band, at_points, level_text
from semloss.surfaces.fitted.data import FitData
from semloss.surfaces.fitted.inputs import Frame, columns_of, decibels_of, one_number, ratios_of
from semloss.surfaces.fitted.requirements import Contour, Levels, Requirement
from semloss.surfaces.forms import FORMS
from semloss.units import format_cr, parse_cr

F = TypeVar("F", bound=Frame)


@dataclass(frozen=True)
class Prediction(Answer):
    """Metric at one or many points; floats for scalars asked, arrays otherwise.

    `low` and `high` bound what `band` names (`bands.KINDS`: new images, these images, …) with the
    stated confidence `interval`; without one they are NaN. `in_domain` tells whether the point
    lies within the convex hull of the fitted cells in (ln CR, SNR).
    """

    metric: str
    receiver: str
    task: str
    cr: Any
    snr_db: Any
    value: Any
    low: Any
    high: Any
    in_domain: Any = None
    interval: float | None = None
    band: str = "new-images"

    def rows(self) -> list[dict[str, Any]]:
        """One record per point: CR as k/n, Es/N0 in dB, the metric and its band."""
        numbers = np.broadcast_arrays(
            self.cr, self.snr_db, self.value, self.low, self.high, self.in_domain
        )
        return [
            {
                "metric": self.metric, "receiver": self.receiver, "task": self.task, "cr": cr,
                "cr_text": format_cr(cr), "snr_db": snr_db, "value": value, "low": low,
                "high": high, "interval": self.interval, "band": self.band, "in_domain": inside,
            }
            for cr, snr_db, value, low, high, inside in zip(
                *(array.ravel().tolist() for array in numbers), strict=True
            )
        ]  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """The record of one point; of many, their list as ``points``."""
        rows = self.rows()
        return {"points": rows} if np.ndim(self.value) else rows[0]

    def text(self) -> str:
        """One line per point."""
        lines = []
        for row in self.rows():
            level = "" if self.interval is None else (
                f"   [{level_text(self.interval, self.band)}: "
                f"{row['low']:.4g} … {row['high']:.4g}]"
            )  # fmt: skip
            lines.append(
                f"{named(self)} = {row['value']:.4g} at CR {row['cr_text']}, "
                f"SNR {row['snr_db']:g} dB{level}"
            )
        return "\n".join(lines)


@dataclass(frozen=True, eq=False, repr=False)
class Fit(FitData):
    """A form with fitted parameters and everything that makes its predictions honest.

    Its attributes are those of `FitData`.
    """

    @overload
    def predict(
        self,
        frame: None = None,
        *,
        cr: ArrayLike | str,
        snr_db: ArrayLike,
        interval: float | None = 0.95,
        band: str | None = None,
        method: str = "delta",
        images: float | None = None,
    ) -> Prediction: ...

    @overload
    def predict(
        self,
        frame: F,
        *,
        interval: float | None = 0.95,
        band: str | None = None,
        method: str = "delta",
        images: float | None = None,
    ) -> F: ...

    def predict(
        self,
        frame: F | None = None,
        *,
        cr: ArrayLike | str | None = None,
        snr_db: ArrayLike | None = None,
        interval: float | None = 0.95,
        band: str | None = None,
        method: str = "delta",
        images: float | None = None,
    ) -> Prediction | F:
        """Metric at CR and SNR, with a confidence band.

        Parameters
        ----------
        frame
            A pandas DataFrame with columns cr and snr_db, instead of `cr` and `snr_db`.
        cr
            Compression ratio k/n in (0, 1]: scalar, text such as "1/12", or array.
        snr_db
            Es/N0 in dB per complex symbol: scalar or array that broadcasts with `cr`.
        interval
            Confidence level of the band, in (0, 1); None for the value alone, which is faster.
        band
            What it holds; by default what the fit's `band` says, else ``new-images``: the true
            mean of the metric over all images of the kind that was measured. ``these-images``:
            over those that were measured. ``trained-again``: on new images, of a codec trained
            anew. ``measurement``: a new measurement of such a codec, with the noise of its
            `images` test images.
        method
            ``delta``: from standard deviations, symmetric. ``bootstrap``: quantiles of the draws.
        images
            Test images behind the new measurement; by default as many as in the fitted table.

        Returns
        -------
        Prediction or DataFrame
            For a DataFrame, a copy with columns value, low, high and in_domain added.

        Raises
        ------
        SemlossError
            When a CR lies outside (0, 1], an SNR is not finite, a column is missing, or the band
            asked makes no sense or needs what the fit does not hold.
        """
        if frame is not None:
            if cr is not None or snr_db is not None:
                raise SemlossError("predict: give either a frame or cr and snr_db, not both")
            cr, snr_db = columns_of(frame)
        if cr is None or snr_db is None:
            raise SemlossError("predict: give cr and snr_db, or a frame with these columns")
        ratios, levels = ratios_of(cr), decibels_of(snr_db)
        try:
            cr_grid, snr_grid = np.broadcast_arrays(ratios, levels)
        except ValueError:
            raise SemlossError(
                f"cr of shape {ratios.shape} and snr_db of shape {levels.shape} do not match"
            ) from None
        wanted = None
        if interval is not None:
            wanted = Band(interval, band or self.band, method, images)
            wanted.check(self)
        ln_cr = np.broadcast_to(np.log(ratios), cr_grid.shape).ravel()
        shape = cr_grid.shape
        found = at_points(self, ln_cr, snr_grid.ravel(), wanted)
        value, low, high, inside = (a.reshape(shape) if shape else a.item() for a in found)
        if frame is not None:
            return frame.assign(value=value, low=low, high=high, in_domain=inside)
        if not shape:
            cr_grid, snr_grid = cr_grid.item(), snr_grid.item()
        return Prediction(
            self.metric, self.receiver, self.task, cr_grid, snr_grid, value, low, high, inside,
            interval, band or self.band,
        )  # fmt: skip

    def formula_at(self, cr: float, snr_db: float) -> float:
        """Value of the formula alone, without the correction that a prediction adds to it."""
        ratio, level = np.array([cr], dtype=float), np.array([snr_db], dtype=float)
        return float(FORMS[self.form](ratio, level, self.parameters)[0])

    def about(self, band: str | None) -> "Fit":
        """The fit whose answers are, where nothing else is asked, about another of the bands.

        Raises
        ------
        SemlossError
            When there is no such band.
        """
        if band is None:
            return self
        found = replace(self, band=band)
        Band(kind=band).check(found)
        return found

    def min_snr(
        self,
        *,
        target: float,
        cr: float | str,
        interval: float | None = 0.95,
        confidence: float | None = None,
        method: str = "delta",
    ) -> Requirement:
        """Smallest SNR, within the fitted range, at which the metric meets `target` at `cr`.

        Parameters
        ----------
        target
            Value of the metric to meet.
        cr
            Compression ratio k/n in (0, 1], a number or text such as "1/12".
        interval
            Level of the interval around the answer: the SNRs whose band holds the target. Its
            coverage is the band's. None leaves it out.
        confidence
            Answer instead with the smallest SNR at which the surface meets the target with this
            one-sided confidence: 0.95 is "met with 95 % confidence".
        method
            ``delta`` or ``bootstrap``, as in `predict`.

        Raises
        ------
        TargetNotAttainable
            When the surface, or its lower bound where a `confidence` is asked, stays short of
            the target up to the largest fitted SNR.
        SemlossError
            When an input is out of range.
        """
        levels = Levels(interval, confidence, method)
        ratio = parse_cr(cr) if isinstance(cr, str) else parse_cr(one_number(cr, "cr"))
        return requirements.min_snr(self, target, ratio, levels)

    def min_cr(
        self,
        *,
        target: float,
        snr_db: float,
        interval: float | None = 0.95,
        confidence: float | None = None,
        method: str = "delta",
    ) -> Requirement:
        """Smallest CR, within the fitted range, at which the metric meets `target` at `snr_db`.

        Parameters and errors are those of `min_snr`, with Es/N0 in dB given and the CR solved.
        """
        levels = Levels(interval, confidence, method)
        return requirements.min_cr(self, target, one_number(snr_db, "snr_db"), levels)

    def contour(
        self,
        *,
        target: float,
        cr: ArrayLike | None = None,
        interval: float | None = 0.95,
        confidence: float | None = None,
        method: str = "delta",
    ) -> Contour:
        """Smallest SNR that meets `target`, for many CRs at once.

        Parameters
        ----------
        cr
            Compression ratios (N,); by default 65, evenly spaced in ln CR over the fitted range.

        Returns
        -------
        Contour
            Arrays (N,), NaN where the target is not attainable. Others as in `min_snr`.
        """
        levels = Levels(interval, confidence, method)
        ratios = np.geomspace(*self.cr_range, 65) if cr is None else ratios_of(cr).ravel()
        return requirements.contour(self, target, ratios, levels)

    def __repr__(self) -> str:
        what = self.metric if self.receiver == "none" else f"{self.metric}, {self.receiver}"
        (cr_low, cr_high), (snr_low, snr_high) = self.cr_range, self.snr_db_range
        return (
            f"<Fit {what}: form {self.form}, {self.outcome}, "
            f"CR {format_cr(cr_low)} … {format_cr(cr_high)}, SNR {snr_low:g} … {snr_high:g} dB>"
        )

    def _repr_html_(self) -> str:
        """Table and curves for a notebook."""
        from semloss.surfaces.fitted.notebook import html

        return html(self)


FittedSurface = Fit
"""The name of `Fit` in earlier releases; it goes with the next."""
