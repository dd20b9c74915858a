"""What an answer rests on: the fit and its images, the point, the link's margins, rain, fading."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from semloss.layout import named
from semloss.planning.budget.metric import measured_at
from semloss.planning.budget.operating import operating_point
from semloss.planning.budget.remarks import papr_db_of
from semloss.planning.link.link import LinkData
from semloss.surfaces.fitted.bands import KINDS
from semloss.units import format_cr

if TYPE_CHECKING:
    from semloss.surfaces.fitted.fit import Fit

_MEASURED = {None: "", True: ", measured", False: ", between the measured ones"}


def assumed(
    link: LinkData | None, fit: "Fit | None", cr: float | None = None, fading: str | None = None
) -> dict[str, str]:
    """What an answer assumes, in words by what it is about.

    Parameters
    ----------
    link, fit
        What was asked; either may be absent.
    cr
        The one CR that it is about; None where there are more.
    fading
        Label of the fading that was counted.
    """
    told: dict[str, str] = {}
    if fit is not None:
        told["fit"] = f"{named(fit)} of {', '.join(_measured_on(fit))}"
        shared = fit.quality.get("doubt", {}).get("shared_images")
        alike = f"; what cells share by their images: {shared}" if shared else ""
        told["bands"] = f"about {KINDS[fit.band]}{alike}"
    if cr is not None:
        told["CR"] = format_cr(cr) + ("" if fit is None else _MEASURED[measured_at(fit, cr)])
    if link is not None:
        told["back-off"] = _back_off(link, fit)
        told["margin"] = f"{link.margin_db:.4g} dB kept" if link.margin_db else "none kept"
        told["rain"] = _rain(link)
        told["fading"] = "none" if fading is None else fading
    return told


def _measured_on(fit: "Fit") -> Iterator[str]:
    about = fit.provenance
    yield str(about.get("source") or "a table of unknown source")
    if fit.data.get("points"):
        yield f"{fit.data['points']} cells"
    if fit.images is not None:
        yield f"{fit.images:g} test images a cell"
    for name, word in (("tile", ""), ("task_model", "task model "), ("codec_label", "codec "),
                       ("channel", "channel ")):  # fmt: skip
        if about.get(name):
            yield f"{word}{about[name]}"


def _back_off(link: LinkData, fit: "Fit | None") -> str:
    at = None if fit is None else operating_point(fit)
    if at is not None and not link.obo_db:
        return f"{at.input_back_off_db:g} dB at the input of {at.amplifier}, in the metric"
    papr = papr_db_of(link, fit)
    of = f" (PAPR of the codec {papr:g} dB)" if papr else ""
    return f"in the EIRP{of}" if link.eirp_dbw is not None else f"{link.obo_db:.4g} dB{of}"


def _rain(link: LinkData) -> str:
    if link.atmosphere_model == "itu" or link.r001_mm_h is not None:
        model = "P.618 by maps" if link.atmosphere_model == "itu" else "P.618"
        share = link.availability_percent
        return model if share is None else f"{model}, exceeded {100 - share:.4g} % of the year"
    return f"{link.rain_loss_db:g} dB given" if link.rain_loss_db else "none"
