"""What a link delivers along a pass: SNR, metric, margin and images over time, and per day."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semloss.arrays import Array
from semloss.errors import SemlossError
from semloss.planning.budget.budget import budget_of, samples_per_image
from semloss.planning.link.link import LinkData
from semloss.planning.passes.orbit import Pass
from semloss.planning.propagation.fading import Fading
from semloss.surfaces.fitted.fit import Fit
from semloss.units import format_cr, parse_cr

if TYPE_CHECKING:
    import pandas as pd

_INSIDE_SHARE = 0.95
"""Share of the fades that must lie within the fitted domain for a moment to count as inside."""


@dataclass(frozen=True)
class PassResult:
    """A pass as the link delivers it; arrays (T,) go with `pass_.time_s`.

    Attributes
    ----------
    snr_db, rain_loss_db
        Es/N0 without fading, after implementation loss and interference, and the rain in it.
    value, low, high
        Metric with its band; under fading the mean over the fades, and the means of the edges.
    in_domain
        Whether the fit was measured there; under fading, for at least 95 % of the fades.
    required_snr_db
        SNR that meets the target at this CR; None without a target.
    margin_db
        `snr_db` above `required_snr_db`; NaN without a target.
    met
        Share of the images, 0 … 1, that meet the target with the link's `margin_db` kept: 0 or 1
        without fading, 1 without a target.
    images_per_s
        Rate at which images are sent.
    notes
        What a reader should know, in one line each.
    """

    pass_: Pass
    metric: str
    receiver: str
    task: str
    cr: float
    target: float | None
    required_snr_db: float | None
    fading: str | None
    snr_db: Array
    rain_loss_db: Array
    value: Array
    low: Array
    high: Array
    in_domain: NDArray[np.bool_]
    margin_db: Array
    met: Array
    images_per_s: float
    notes: tuple[str, ...] = ()

    @property
    def images(self) -> Array:
        """Images (T,) delivered since the rise: those that meet the target."""
        return accumulated(self.pass_.time_s, self.images_per_s * self.met)

    @property
    def images_delivered(self) -> float:
        """Images of the pass that meet the target."""
        return float(self.images[-1])

    @property
    def images_sent(self) -> float:
        """Images sent from rise to set, met or not."""
        return self.images_per_s * self.contact_s

    @property
    def contact_s(self) -> float:
        """Time from rise to set."""
        return self.pass_.duration_s

    @property
    def met_s(self) -> float:
        """Time in which the target is met; under fading, its mean."""
        return float(accumulated(self.pass_.time_s, self.met)[-1])

    def summary(self) -> dict[str, Any]:
        """Totals of the pass, ready for JSON; None where something does not apply."""
        middle = int(np.argmax(self.pass_.elevation_deg))
        start = self.pass_.start
        return {
            "pass": self.pass_.about,
            "start_utc": None if start is None else start.isoformat(timespec="seconds"),
            "metric": self.metric,
            "receiver": self.receiver,
            "task": self.task,
            "cr": self.cr,
            "cr_text": format_cr(self.cr),
            "target": self.target,
            "required_snr_db": self.required_snr_db,
            "fading": self.fading,
            "max_elevation_deg": self.pass_.max_elevation_deg,
            "contact_s": self.contact_s,
            "met_s": self.met_s,
            "snr_db_at_rise": float(self.snr_db[0]),
            "snr_db_at_culmination": float(self.snr_db[middle]),
            "value_at_culmination": float(self.value[middle]),
            "mean_value": float(self.pass_.weight_s @ self.value / self.contact_s),
            "in_domain_share": float(self.pass_.weight_s @ self.in_domain / self.contact_s),
            "images_sent": self.images_sent,
            "images_delivered": self.images_delivered,
            "passes_per_day": self.pass_.per_day,
            "notes": list(self.notes),
        }

    def frame(self) -> "pd.DataFrame":
        """Table with one row per moment."""
        import pandas as pd

        columns: dict[str, Any] = {
            "time_s": self.pass_.time_s,
            "elevation_deg": self.pass_.elevation_deg,
            "range_km": self.pass_.range_km,
        }
        if self.pass_.azimuth_deg is not None:
            columns["azimuth_deg"] = self.pass_.azimuth_deg
        names = ("rain_loss_db", "snr_db", "value", "low", "high", "in_domain", "margin_db",
                 "met", "images")  # fmt: skip
        return pd.DataFrame(columns | {name: getattr(self, name) for name in names})


@dataclass(frozen=True)
class DayResult:
    """An average day: every pass with its number a day."""

    results: tuple[PassResult, ...]

    def per_day(self, name: str) -> float:
        """Sum over the day of a figure of the passes, e.g. "images_delivered"."""
        return sum(float(r.pass_.per_day or 0.0) * float(getattr(r, name)) for r in self.results)

    def summary(self) -> dict[str, Any]:
        """Totals of the average day, ready for JSON."""
        return {
            "passes_per_day": sum(r.pass_.per_day or 0.0 for r in self.results),
            "contact_s_per_day": self.per_day("contact_s"),
            "met_s_per_day": self.per_day("met_s"),
            "images_sent_per_day": self.per_day("images_sent"),
            "images_delivered_per_day": self.per_day("images_delivered"),
        }

    def frame(self) -> "pd.DataFrame":
        """Table with one row per pass."""
        import pandas as pd

        return pd.DataFrame([r.summary() for r in self.results]).drop(columns="notes")


def simulate_pass(
    link: LinkData,
    fit: Fit,
    pass_: Pass,
    *,
    cr: float | str | None = None,
    target: float | None = None,
    confidence: float | None = None,
    interval: float | None = 0.95,
    rain_loss_db: ArrayLike | None = None,
    fading: Fading | None = None,
) -> PassResult:
    """Follow the link and the metric along a pass.

    Parameters
    ----------
    link
        Everything but the geometry, which the pass gives.
    cr
        Compression ratio; by default the link's.
    target, confidence
        Value that the metric must meet; with a confidence, the fit must be that sure of it.
    interval
        Confidence level of the band; None skips it.
    rain_loss_db
        Rain in dB, scalar or (T,); by default what the link says, which for rain statistics is
        that of its `availability_percent` at each elevation.
    fading
        Distribution of fades about the SNR; `value` is then the mean metric over them.

    Raises
    ------
    TargetNotAttainable
        When the fit does not reach the target at this CR.
    SemlossError
        When the CR or the bandwidth is missing or an input is out of range.
    """
    ratio = chosen_cr(link, cr)
    overrides: dict[str, ArrayLike] = {
        "elevation_deg": np.clip(pass_.elevation_deg, 0, 90), "range_km": pass_.range_km,
    }  # fmt: skip
    if rain_loss_db is not None:
        overrides["rain_loss_db"] = np.broadcast_to(rain_loss_db, pass_.time_s.shape)
    budget = budget_of(link, **overrides)
    required = None
    margin, met = np.full(pass_.time_s.shape, np.nan), np.ones(pass_.time_s.shape)
    if target is not None:
        required = fit.min_snr(target=target, cr=ratio, interval=None, confidence=confidence).snr_db
        margin = budget.snr_db - required
        met = met_share(margin - link.margin_db, fading)
    value, low, high, inside = faded_metric(fit, ratio, budget.snr_db, fading, interval)
    return PassResult(
        pass_, fit.metric, fit.receiver, fit.task, ratio, target, required,
        None if fading is None else fading.label, np.array(budget.snr_db),
        np.array(budget.rain_loss_db), value, low, high, inside >= _INSIDE_SHARE, margin, met,
        float(images_per_s(link, ratio)),
        (*pass_.notes, *link.warnings, *fading_notes(fit, fading)),
    )  # fmt: skip


def simulate_day(
    link: LinkData,
    fit: Fit,
    passes: Sequence[Pass],
    **options: Any,  # noqa: ANN401 - as simulate_pass checks them
) -> DayResult:
    """Follow every pass of `circular_day` or `tle_passes` and average over a day.

    Parameters
    ----------
    passes
        Passes with their number a day.
    **options
        As for `simulate_pass`.

    Raises
    ------
    SemlossError
        When there is no pass, or one does not tell how many of it there are a day.
    """
    if not passes:
        raise SemlossError(
            "no pass: the satellite does not rise above the lowest elevation at this site in the "
            "asked time; lower the elevation or ask for more days"
        )
    if any(p.per_day is None for p in passes):
        raise SemlossError("a single pass does not tell images per day; use circular_day or a TLE")
    return DayResult(tuple(simulate_pass(link, fit, p, **options) for p in passes))


def faded_metric(
    fit: Fit,
    cr: float,
    snr_db: Array,
    fading: Fading | None,
    interval: float | None,
) -> tuple[Array, Array, Array, Array]:
    """Mean metric over the fades, the means of its band's edges, and the share in the domain.

    Each as `snr_db` (T,). The band's mean is that of a surface that is off in one direction at
    all SNRs, so it errs on the wide side.
    """
    if fading is None:
        found = fit.predict(cr=cr, snr_db=snr_db, interval=interval)
        return found.value, found.low, found.high, np.asarray(found.in_domain, dtype=np.float64)
    gain, weight = fading.nodes()
    found = fit.predict(cr=cr, snr_db=np.add.outer(snr_db, gain), interval=interval)
    low_db, high_db = domain_snr_db(fit, cr)
    inside = fading.exceeded(low_db - snr_db) - fading.exceeded(high_db - snr_db)
    return found.value @ weight, found.low @ weight, found.high @ weight, inside


def domain_snr_db(fit: Fit, cr: float) -> tuple[float, float]:
    """Lowest and highest SNR at which the fit was measured at a CR; both NaN where nowhere."""
    axis = np.linspace(*fit.snr_db_range, 513)
    inside = axis[np.asarray(fit.predict(cr=cr, snr_db=axis, interval=None).in_domain)]
    return (float(inside[0]), float(inside[-1])) if inside.size else (np.nan, np.nan)


def met_share(margin_db: Array, fading: Fading | None) -> Array:
    """Share of the images whose SNR, fades included, does not fall below the threshold."""
    if fading is None:
        return np.asarray(margin_db >= 0, dtype=np.float64)
    return fading.exceeded(-margin_db)


def accumulated(time_s: Array, rate: Array) -> Array:
    """Sum (T,) over time of a rate (T,), each step at the lower rate of its two ends.

    So a step that begins or ends short of the target counts for nothing, and no more is promised
    than is delivered.
    """
    return np.append(0.0, np.cumsum(np.minimum(rate[1:], rate[:-1]) * np.diff(time_s)))


def chosen_cr(link: LinkData, cr: float | str | None) -> float:
    """CR that was asked, or else the link's."""
    if cr is not None:
        return parse_cr(cr)
    if link.cr is None:
        raise SemlossError('cr is missing: give it, or write cr = "1/12" into the link\'s [image]')
    return link.cr


def images_per_s(link: LinkData, cr: ArrayLike) -> Any:  # noqa: ANN401 - as `cr`
    """Images a second, ``Rs · frame efficiency / (CR · n)``; shape as `cr`.

    Raises
    ------
    SemlossError
        When the link tells no bandwidth.
    """
    if link.bandwidth_mhz is None:
        raise SemlossError("bandwidth_mhz is missing: SNR and image rate follow from it")
    rate = 1e6 * link.bandwidth_mhz / (1 + link.roll_off) * link.frame_efficiency
    return rate / (np.asarray(cr) * samples_per_image(link))


def fading_notes(fit: Fit, fading: Fading | None) -> tuple[str, ...]:
    """Warn of fading that is counted twice."""
    channel = str(fit.provenance.get("channel", ""))
    if fading is None or not channel.startswith(("rayleigh", "rician")):
        return ()
    return (
        f"the fit was measured over {channel}, so its metric holds that fading already; "
        f"{fading.label} comes on top",
    )
