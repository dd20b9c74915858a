"""What a link delivers along a pass at one CR: SNR, metric, margin and images over time."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semloss.answers import records
from semloss.arrays import Array
from semloss.layout import amount, between, clock, domain_line, throughout
from semloss.planning.budget.budget import Budget, budget_of, chosen_cr, images_per_s
from semloss.planning.budget.question import Answered, Question
from semloss.planning.budget.remarks import rate_met
from semloss.planning.link.link import LinkData
from semloss.planning.passes.daily import volumes, volumes_text
from semloss.planning.passes.orbit import Pass
from semloss.planning.propagation.fading import Fading
from semloss.surfaces.fitted.fit import Fit
from semloss.units import format_cr

_INSIDE_SHARE = 0.95
"""Share of the fades that must lie within the fitted domain for a moment to count as inside."""


@dataclass(frozen=True)
class PassResult(Answered):
    """A pass as the link delivers it; arrays (T,) go with `pass_.time_s`.

    Attributes
    ----------
    fading
        Label of the fading about the SNR; None without it.
    required_snr_db
        SNR that meets the target at this CR; None without a target.
    snr_db, rain_loss_db
        Es/N0 without fading, after implementation loss and interference, and the rain in it.
    value, low, high
        Metric with its band; under fading the mean over the fades, and the means of the edges.
    inside
        Whether the fit was measured there; under fading, for at least 95 % of the fades.
    margin_db
        `snr_db` above `required_snr_db`; NaN without a target.
    met_share
        Share of the images, 0 … 1, that meet the target with the link's `margin_db` kept: 0 or 1
        without fading, 1 without a target.
    images_per_s
        Rate at which images are sent.
    fades
        The fading itself.
    of_fading
        What a reader should know of the fading.
    """

    pass_: Pass
    cr: float
    fading: str | None
    required_snr_db: float | None
    snr_db: Array
    rain_loss_db: Array
    value: Array
    low: Array
    high: Array
    inside: NDArray[np.bool_]
    margin_db: Array
    met_share: Array
    images_per_s: float
    fades: Fading | None = None
    of_fading: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know, in one line each: of the pass, the link, the fit, fading."""
        return (*self.pass_.notes, *self.question.remarks, *self.of_fading)

    @property
    def images(self) -> Array:
        """Images (T,) delivered since the rise: those that meet the target."""
        return accumulated(self.pass_.time_s, self.images_per_s * self.met_share)

    @property
    def images_delivered(self) -> float:
        """Images of the pass that meet the target."""
        return float(self.images[-1])

    @cached_property
    def images_between(self) -> tuple[float, float]:
        """Images delivered at the ends of the interval of what the target needs, fewer first."""
        asked = self.question
        if asked.target is None or asked.interval is None:
            return self.images_delivered, self.images_delivered
        needed = asked.fit.min_snr(
            target=asked.target, cr=self.cr, interval=asked.interval, confidence=asked.confidence
        )
        return self._images_from(needed.high), self._images_from(needed.low)

    def _images_from(self, snr_db: float | None) -> float:
        """Images delivered where the target needs an SNR; None where none is enough."""
        if snr_db is None:
            return 0.0
        share = met_share(self.snr_db - snr_db - self.question.link.margin_db, self.fades)
        return float(accumulated(self.pass_.time_s, self.images_per_s * share)[-1])

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
        return float(accumulated(self.pass_.time_s, self.met_share)[-1])

    @property
    def in_domain_share(self) -> float:
        """Share of the contact in which the fit was measured."""
        return float(self.pass_.weight_s @ self.inside / self.contact_s)

    @property
    def met(self) -> bool | None:
        """Whether the target is met in some of the contact."""
        if self.question.target is None:
            return None
        return self.met_s > 0 and rate_met(self.question.link)

    @property
    def in_domain(self) -> bool:
        """Whether the fit was measured throughout the pass."""
        return throughout(self.in_domain_share)

    def rows(self) -> list[dict[str, Any]]:
        """A row for each moment."""
        flown = self.pass_
        where = {"time_s": flown.time_s, "elevation_deg": flown.elevation_deg,
                 "range_km": flown.range_km, "azimuth_deg": flown.azimuth_deg}  # fmt: skip
        found = {
            "rain_loss_db": self.rain_loss_db, "snr_db": self.snr_db, "value": self.value,
            "low": self.low, "high": self.high, "in_domain": self.inside,
            "margin_db": self.margin_db, "met": self.met_share, "images": self.images,
        }  # fmt: skip
        return records({k: v for k, v in (where | found).items() if v is not None})

    def to_dict(self) -> dict[str, Any]:
        """Totals of the pass on its link."""
        return {"link": self.question.link.name} | self.totals()

    def totals(self) -> dict[str, Any]:
        """Totals of the pass; None where something does not apply."""
        middle = int(np.argmax(self.pass_.elevation_deg))
        start, link = self.pass_.start, self.question.link
        return {
            "pass": self.pass_.about,
            "start_utc": None if start is None else start.isoformat(timespec="seconds"),
            **self.question.about,
            "cr": self.cr,
            "cr_text": format_cr(self.cr),
            "target": self.question.target,
            "required_snr_db": self.required_snr_db,
            "fading": self.fading,
            "max_elevation_deg": self.pass_.max_elevation_deg,
            "contact_s": self.contact_s,
            "step_s": self.pass_.step_s,
            "met_s": self.met_s,
            "snr_db_at_rise": float(self.snr_db[0]),
            "snr_db_at_culmination": float(self.snr_db[middle]),
            "value_at_culmination": float(self.value[middle]),
            "mean_value": self.mean_value,
            "in_domain_share": self.in_domain_share,
            "images_sent": self.images_sent,
            "images_delivered": self.images_delivered,
            "images_low": self.images_between[0],
            "images_high": self.images_between[1],
            **{f"{k}_delivered": x for k, x in volumes(link, self.images_delivered).items()},
            "passes_per_day": self.pass_.per_day,
            "notes": list(self.notes),
        }

    @property
    def mean_value(self) -> float:
        """Metric on average over the contact."""
        return self._mean(self.value)

    def _mean(self, values: Array) -> float:
        """Average over the contact."""
        return float(self.pass_.weight_s @ values / self.contact_s)

    @property
    def head(self) -> str:
        """Images and data, the time in which the target is met, the metric on average."""
        question, delivered = self.question, self.images_delivered
        data = volumes_text(question.link, delivered)
        lines = [f"images     {amount(delivered)} sent; {data}"]
        if self.required_snr_db is not None:
            lines = [
                f"images     {amount(delivered)} delivered of {amount(self.images_sent)} sent"
                f"{between(*self.images_between, question.level)}; {data}",
                f"target     {question.demand} from {self.required_snr_db:.2f} dB"
                f"{question.kept}: {clock(self.met_s)} min, "
                f"{100 * self.met_s / self.contact_s:.3g} % of the contact",
            ]
        faded = "" if self.fading is None else f", mean over {self.fading} fading"
        low, high = (self._mean(edge) for edge in (self.low, self.high))
        lines.append(
            f"{question.fit.metric:<10} {self.mean_value:.4g} on average{faded}   "
            f"[{question.level}: {low:.4g} … {high:.4g}]"
        )
        return "\n".join([*lines, domain_line(self.in_domain_share)])

    @property
    def body(self) -> str:
        """The pass: contact, SNR, metric and margin along it."""
        question, middle = self.question, self.pass_.elevation_deg.argmax()
        lines = [
            f"{question.link.name}: {self.pass_.about}, CR {format_cr(self.cr)}",
            f"contact    {clock(self.contact_s)} min from {self.pass_.elevation_deg[0]:.1f} to "
            f"{self.pass_.max_elevation_deg:.1f} deg and back",
            f"SNR        {self.snr_db[0]:.2f} dB at rise, {self.snr_db[middle]:.2f} dB "
            "at culmination",
            f"{question.fit.metric:<10} {self.value[0]:.4g} at rise, {self.value[middle]:.4g} at "
            "culmination",
        ]
        if self.required_snr_db is not None:
            least, most = self.margin_db.min(), self.margin_db.max()
            lines.append(f"margin     {least:.2f} … {most:.2f} dB")
        rate = f"{amount(self.images_per_s)} images/s, in steps of {self.pass_.step_s:g} s"
        return "\n".join([*lines, f"rate       {rate}"])


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
    rain: dict[str, ArrayLike] = {}
    if rain_loss_db is not None:
        rain["rain_loss_db"] = np.broadcast_to(rain_loss_db, pass_.time_s.shape)
    budget = budget_along(link, pass_, **rain)
    required = None
    margin, met = np.full(pass_.time_s.shape, np.nan), np.ones(pass_.time_s.shape)
    if target is not None:
        required = fit.min_snr(target=target, cr=ratio, interval=None, confidence=confidence).snr_db
        margin = budget.snr_db - required
        met = met_share(margin - link.margin_db, fading)
    value, low, high, inside = faded_metric(fit, ratio, budget.snr_db, fading, interval)
    asked = Question(fit, link.replace(cr=ratio), target, confidence, interval)
    return PassResult(
        asked, pass_, ratio,
        None if fading is None else fading.label, required, np.array(budget.snr_db),
        np.array(budget.rain_loss_db), value, low, high, inside >= _INSIDE_SHARE, margin, met,
        float(images_per_s(link, ratio)), fading, fading_notes(fit, fading),
    )  # fmt: skip


def budget_along(link: LinkData, pass_: Pass, **overrides: ArrayLike) -> Budget:
    """The link's budget along a pass; rows (T,)."""
    return budget_of(
        link, elevation_deg=np.clip(pass_.elevation_deg, 0, 90), range_km=pass_.range_km,
        **overrides,
    )  # fmt: skip


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


def fading_notes(fit: Fit, fading: Fading | None) -> tuple[str, ...]:
    """Warn of fading that is counted twice."""
    channel = str(fit.provenance.get("channel", ""))
    if fading is None or not channel.startswith(("rayleigh", "rician")):
        return ()
    return (
        f"the fit was measured over {channel}, so its metric holds that fading already; "
        f"{fading.label} comes on top",
    )
