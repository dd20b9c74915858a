"""What a reader should know beside any answer about a link: told in every mode, from one place."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from semloss.planning.budget.budget import budget_of, images_per_s, rate_kept
from semloss.planning.budget.operating import operating_point
from semloss.planning.link.link import LinkData

if TYPE_CHECKING:
    from semloss.surfaces.fitted.fit import Fit

_SMALL_PX = 256
"""Side of a square image below which it is taken for a tile."""
_LOW_DEG = 10.0
"""Elevation at which rain is weighed where passes give their own."""
_RAIN_DB = 0.3
"""Rain from which its noise is worth a remark: half a decibel of a system at 150 K."""


def remarks(link: LinkData, fit: "Fit | None" = None) -> tuple[str, ...]:
    """What is implausible in a link, not counted in it, or not what the fit was measured on."""
    found = [*link.warnings, *_back_off(link, fit), *_rain_noise(link), *_images(link)]
    if fit is not None:
        found += imagery(link, fit)
    return tuple(dict.fromkeys(found))


def suggested_obo_db(link: LinkData, papr_db: float) -> float:
    """Back-off at which peaks at the symbol instants stay below what the amplifier can give.

    The PAPR is that of one sample a symbol; between symbols the pulse shape goes beyond it.
    """
    power = link.power_dbw or 0.0
    saturation = power if link.pa_saturation_dbw is None else link.pa_saturation_dbw
    return max(0.0, power + papr_db - saturation)


def papr_db_of(link: LinkData, fit: "Fit | None") -> float | None:
    """Peak-to-average power ratio of the symbols: the link's, else as measured with the fit."""
    return link.papr_db if link.papr_db is not None or fit is None else measured_papr_db(fit)


def measured_papr_db(fit: "Fit") -> float | None:
    """Median over the fitted cells of their mean PAPR an image, where the table told one.

    None of a fit that was measured through an amplifier: what peaks cost there is in it.
    """
    if operating_point(fit) is not None:
        return None
    told = str(fit.provenance.get("papr_db", ""))
    return float(told) if re.fullmatch(r"\d{1,2}(\.\d+)?", told) else None


def rate_met(link: LinkData) -> bool:
    """Whether a link sends as many images a second at its CR as it is asked to."""
    if link.images_per_s is None or link.bandwidth_mhz is None or link.cr is None:
        return True
    return bool(rate_kept(images_per_s(link, link.cr), link.images_per_s))


def imagery(link: LinkData, fit: "Fit") -> Iterator[str]:
    """In what the link's images are not those that the fit was measured on."""
    told = re.fullmatch(r"(\d+)x(\d+) px, (\d+) bands", str(fit.provenance.get("tile", "")))
    if told is None:
        return
    rows, columns, bands = map(int, told.groups())
    if link.bands != bands:
        yield (
            f"bands = {link.bands}: the fit was measured on images of {bands} bands, and says "
            "nothing of others"
        )
    sent = (link.height_px, link.width_px) if link.tile_px is None else (link.tile_px,) * 2
    if sent != (rows, columns):
        how = f"tile_px = {link.tile_px}" if link.tile_px else f"images of {sent[0]} × {sent[1]} px"
        yield (
            f"{how}: the fit was measured on tiles of {rows} × {columns} px, and says nothing of "
            f"others; set tile_px = {rows} where the codec takes such tiles"
        )


def _back_off(link: LinkData, fit: "Fit | None") -> Iterator[str]:
    through = None if fit is None else operating_point(fit)
    if through is not None and link.obo_db > 0:
        yield (
            f"obo_db = {link.obo_db:g}: the fit was measured through an amplifier, {through.label},"
            " and its SNR is that at saturation, so its back-off would count twice; set obo_db = 0"
        )
    papr = papr_db_of(link, fit)
    if not papr:
        return
    if link.eirp_dbw is not None:
        yield (
            f"eirp_dbw = {link.eirp_dbw:g} must hold the back-off already: symbols with a PAPR of "
            f"{papr:g} dB need about as much below saturation (papr_db = 0 says that it does)"
        )
    elif suggested_obo_db(link, papr) > link.obo_db + 1e-9:
        yield (
            f"obo_db = {link.obo_db:g}: symbols with a PAPR of {papr:g} dB need "
            f"{suggested_obo_db(link, papr):.2f} dB for their peaks to stay below saturation, and "
            "more once the pulse is shaped"
        )


def _rain_noise(link: LinkData) -> Iterator[str]:
    """Rain warms the sky that an antenna sees, which a noise that is given whole cannot tell."""
    given = "t_sys_k" if link.g_over_t_db_k is None else "g_over_t_db_k"
    if getattr(link, given) is None:
        return
    if link.atmosphere_model != "itu":
        low = {}
        if link.r001_mm_h is not None and link.range_km is None and link.elevation_deg is not None:
            low = {"elevation_deg": min(link.elevation_deg, _LOW_DEG)}
        if float(np.max(budget_of(link, **low).rain_loss_db)) < _RAIN_DB:
            return
    yield (
        f"{given} is that of a clear sky: the noise that rain adds is not counted; it is with "
        "t_ant_k, noise_figure_db, the antenna's gain and rain_warms_sky = true"
    )


def _images(link: LinkData) -> Iterator[str]:
    if link.height_px * link.width_px < _SMALL_PX**2 and None not in (link.cr, link.bandwidth_mhz):
        yield (
            f"images/s are of images of {link.height_px} × {link.width_px} px; for a camera's "
            "whole image set height_px and width_px (and tile_px, the codec's tile)"
        )


def rate_remark(link: LinkData) -> Iterator[str]:
    """That a link sends fewer images at its CR than it is asked to."""
    if link.cr is not None and not rate_met(link):
        yield (
            f"images_per_s = {link.images_per_s:g} is asked and not met: at its CR the link sends "
            f"{float(images_per_s(link, link.cr)):.4g}; raise bandwidth_mhz or lower the CR"
        )
