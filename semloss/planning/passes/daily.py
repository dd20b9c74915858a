"""What passes bring, each and a day: images, data, area, their spread, and what weather takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from semloss.arrays import Array
from semloss.layout import amount
from semloss.planning.budget.budget import image_km2, image_mb
from semloss.planning.link.link import LinkData
from semloss.planning.passes.orbit import Pass

_QUANTILES = (0.1, 0.5, 0.9)
_LIGHTEST_PERCENT = 95.0
"""Availability of the lightest weather that the ITU-R P.618 family states."""


def clear_sky(link: LinkData) -> LinkData | None:
    """The link without its rain; None where it has none.

    By the ITU-R maps, whose losses come together, with those of 95 % of the year.
    """
    if link.atmosphere_model == "itu":
        given = link.availability_percent or 0.0
        return link.replace(availability_percent=min(given, _LIGHTEST_PERCENT))
    if link.r001_mm_h is None and not link.rain_loss_db:
        return None
    return link.replace(rain_loss_db=0.0)


def volumes(link: LinkData, images: float) -> dict[str, float]:
    """Source data in GB (10⁹ bytes) of a number of images, and, with a `gsd_m`, their km²."""
    area = image_km2(link)
    found = {"gb": 1e-3 * image_mb(link) * images}
    return found if area is None else found | {"km2": area * images}


def volumes_text(link: LinkData, images: float) -> str:
    """The same in words."""
    units = {"gb": "GB of source data", "km2": "km²"}
    return ", ".join(f"{amount(x)} {units[name]}" for name, x in volumes(link, images).items())


@dataclass(frozen=True)
class Daily:
    """What P kinds of passes bring.

    Attributes
    ----------
    per_day
        (P,) how many of each there are a day.
    images, clear_images
        (P,) images that each delivers, and would without rain; the latter None where no target
        says what rain costs, or the link has no rain.
    """

    link: LinkData
    passes: tuple[Pass, ...]
    images: Array
    clear_images: Array | None = None

    @property
    def per_day(self) -> Array:
        """(P,) how many of each there are a day."""
        return np.array([one.per_day or 0.0 for one in self.passes])

    @property
    def images_per_day(self) -> float:
        """Images that a day brings."""
        return float(self.per_day @ self.images)

    @property
    def spread(self) -> tuple[float, ...]:
        """Images that a pass brings at most, in a tenth, the half and nine tenths of the passes."""
        order = np.argsort(self.images)
        share = np.cumsum(self.per_day[order]) / self.per_day.sum()
        at = np.searchsorted(share, np.array(_QUANTILES) - 1e-9)
        return tuple(float(x) for x in self.images[order][at])

    @property
    def lost_share(self) -> float | None:
        """Share of a clear sky's images that rain takes."""
        if self.clear_images is None or not (clear := float(self.per_day @ self.clear_images)):
            return None
        return 1 - self.images_per_day / clear

    def each(self) -> list[dict[str, float]]:
        """Data, area and a clear sky's images of each pass."""
        found = [
            {f"{name}_delivered": x for name, x in volumes(self.link, float(n)).items()}
            for n in self.images
        ]
        if self.clear_images is None:
            return found
        return [
            one | {"clear_sky_images": float(n)}
            for one, n in zip(found, self.clear_images, strict=True)
        ]

    def to_dict(self) -> dict[str, Any]:
        """A day's data and area, the spread over its passes, and what rain takes."""
        day = volumes(self.link, self.images_per_day)
        lost = self.lost_share
        weather = None if lost is None else {
            "availability_percent": self.link.availability_percent, "lost_share": lost,
        }  # fmt: skip
        return {
            **{f"{name}_delivered_per_day": x for name, x in day.items()},
            "images_per_pass": dict(zip(("p10", "p50", "p90"), self.spread, strict=True)),
            "weather": weather,
        }

    def lines(self) -> Sequence[str]:
        """The same in words."""
        few, half, many = self.spread
        lines = [
            f"       {volumes_text(self.link, self.images_per_day)}",
            f"a pass: {amount(half)} images in the median, {amount(few)} … {amount(many)} in eight "
            "of ten",
        ]
        if self.lost_share is not None:
            lines.append(f"weather: {100 * self.lost_share:.3g} % of the images {self.weather}")
        return lines

    @property
    def weather(self) -> str:
        """Against which sky the loss counts, and to which rain."""
        share = self.link.availability_percent
        if share is None:
            return f"of a clear sky are lost to {self.link.rain_loss_db:g} dB of rain"
        sky = "a clear sky"
        if self.link.atmosphere_model == "itu":
            sky = f"the sky of {_LIGHTEST_PERCENT:g} % of the year"
        return (
            f"of {sky} are lost at {share:g} % availability, to weather exceeded "
            f"{100 - share:.4g} % of the year"
        )
