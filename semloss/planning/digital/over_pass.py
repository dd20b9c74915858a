"""DeepJSCC that adapts its CR against a digital chain that adapts its MODCOD, over one pass.

Both deliver images that meet the target with the link's margin kept, over the same symbols. At
each moment the digital chain (variable coding and modulation) takes the MODCOD that carries most
of those that close, at the smallest rate of its source codec that meets the target.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from semloss.answers import records
from semloss.arrays import Array
from semloss.errors import SemlossError
from semloss.layout import amount, between, clock, domain_line
from semloss.modcods import best_modcod, efficiency, modcod
from semloss.planning.budget.budget import images_per_s
from semloss.planning.budget.question import Answered, Question
from semloss.planning.digital.against import Chain, apsk_note, chain_assumed, kept_db
from semloss.planning.digital.rate_curve import RateCurve, equivalent_cr
from semloss.planning.digital.separation import check_same_metric
from semloss.planning.passes.adaptive import Schedule
from semloss.planning.passes.delivery import adaptive
from semloss.planning.passes.orbit import Pass
from semloss.planning.passes.simulation import PassResult, accumulated


@dataclass(frozen=True)
class PassRace(Answered):
    """Both chains along a pass; arrays (T,) go with its times.

    Attributes
    ----------
    result, schedule
        The pass at the best fixed CR, and the adaptive CR along it.
    bits_per_pixel
        Rate of the source codec at which it meets the target; inf where none does.
    bits_per_symbol
        Efficiency (T,) of the MODCOD in use, 0 where none closes.
    modcods
        Its name (T,), "off" where none closes.
    digital_images
        Images (T,) that the digital chain delivered since the rise.
    fixed_modcod, fixed_images
        The one MODCOD that delivers most over the pass, or the one that was named, and its images.
    """

    chain: Chain
    curve: RateCurve
    result: PassResult
    schedule: Schedule
    bits_per_pixel: float
    bits_per_symbol: Array
    modcods: tuple[str, ...]
    digital_images: Array
    fixed_modcod: str
    fixed_images: float

    @property
    def codec(self) -> str:
        """Name of the source codec."""
        return self.curve.codec

    @property
    def ratio(self) -> float | None:
        """Images of DeepJSCC for each of the digital chain's; None where that delivers none."""
        theirs = float(self.digital_images[-1])
        return self.schedule.images_delivered / theirs if theirs > 0 else None

    @property
    def met(self) -> bool:
        """Whether either chain delivers an image."""
        return self.schedule.images_delivered > 0 or float(self.digital_images[-1]) > 0

    @property
    def in_domain(self) -> bool:
        """Whether the fit was measured wherever the CRs are used."""
        return bool(np.all(self.schedule.in_domain))

    @property
    def warnings(self) -> Sequence[str]:
        """Of the pass, the link and the fit."""
        return [*self.result.notes, *apsk_note(self.question.link, self.chain, self.modcods)]

    @property
    def assumed(self) -> dict[str, str]:
        """What both chains rest on."""
        return chain_assumed(super().assumed, self.question.link, self.chain, self.curve)

    def rows(self) -> list[dict[str, Any]]:
        """A row for each moment."""
        flown, ours = self.result.pass_, self.schedule
        return records(
            {"time_s": flown.time_s, "elevation_deg": flown.elevation_deg,
             "range_km": flown.range_km, "snr_db": ours.snr_db, "cr": ours.cr,
             "value": ours.value, "low": ours.low, "high": ours.high,
             "in_domain": ours.in_domain, "images": ours.images, "modcod": self.modcods,
             "bits_per_symbol": self.bits_per_symbol, "digital_images": self.digital_images}
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Images of both, and what each uses when."""
        asked = self.question
        return {
            "link": asked.link.name, **asked.about, **asked.options,
            "pass": self.result.pass_.about, "codec": self.codec,
            "modcods": self.chain.modcods.name, "contact_s": self.result.contact_s,
            "step_s": self.result.pass_.step_s,
            "images_deepjscc": self.schedule.images_delivered,
            "images_low": self.schedule.images_between[0],
            "images_high": self.schedule.images_between[1],
            "images_digital": float(self.digital_images[-1]), "ratio": self.ratio,
            "best_fixed_cr": self.schedule.best_fixed_cr,
            "best_fixed_images": self.schedule.best_fixed_images,
            "fixed_modcod": self.fixed_modcod, "fixed_modcod_images": self.fixed_images,
            "bits_per_pixel": self.bits_per_pixel,
            "segments": self.schedule.segments(), "digital_segments": self._segments(),
        }  # fmt: skip

    @property
    def head(self) -> str:
        """Images of both over the pass."""
        ours, level = self.schedule, self.question.level
        each = "" if self.ratio is None else f": {self.ratio:.2f} for each"
        lines = [
            f"{self.question.demand}{self.question.kept}, over the pass{each}",
            f"DeepJSCC   {amount(ours.images_delivered)} images, adaptive CR"
            f"{between(*ours.images_between, level)}; {amount(ours.best_fixed_images)} at CR "
            f"{self.result.assumed['CR'].partition(',')[0]} throughout",
            f"digital    {amount(float(self.digital_images[-1]))} images, VCM, "
            f"{self.codec} at {self.bits_per_pixel:.3f} bit/pixel; {amount(self.fixed_images)} at "
            f"{self.fixed_modcod} throughout",
        ]
        if not np.isfinite(self.bits_per_pixel):
            lines[2] = f"digital    no image: {self.codec} does not reach the target at any rate"
        return "\n".join([*lines, domain_line(float(np.mean(ours.in_domain)))])

    @property
    def body(self) -> str:
        """The pass, and what each chain uses when."""
        flown, ours = self.result.pass_, self.schedule
        end = f"{clock(float(flown.time_s[-1]))} set"
        crs = "; ".join(f"{clock(part['start_s'])} {part['row']}" for part in ours.segments())
        codes = "; ".join(f"{clock(p['start_s'])} {p['modcod']}" for p in self._segments())
        used = {ours.table.rows[i] for i in set(ours.row.tolist())}
        apart = [row.label for row in ours.table.rows if row in used and row.measured is False]
        untrained = [
            f"between    no codec was trained at {', '.join(apart)}; --crs measured leaves such out"
        ]
        return "\n".join([
            f"{self.question.link.name}: {flown.about}, contact {clock(self.result.contact_s)} "
            f"min, in steps of {flown.step_s:g} s",
            f"SNR        {ours.snr_db.min():.2f} … {ours.snr_db.max():.2f} dB",
            f"CR         {crs}; {end}",
            *(untrained if apart else ()),
            f"MODCOD     {codes}; {end}",
        ])  # fmt: skip

    def _segments(self) -> list[dict[str, Any]]:
        """Stretches of one MODCOD: its name, and first moment."""
        names = np.array(self.modcods)
        starts = np.flatnonzero(np.append(True, names[1:] != names[:-1]))
        return [
            {"modcod": str(names[i]), "start_s": float(self.schedule.time_s[i])} for i in starts
        ]


def race_over(
    question: Question,
    curve: RateCurve,
    chain: Chain,
    pass_: Pass,
    crs: Sequence[float | str] | Literal["measured"] | None = None,
) -> PassRace:
    """Follow both chains along a pass at the target; DeepJSCC chooses among `crs`.

    Raises
    ------
    TargetNotAttainable
        When the fit meets the target at no CR.
    SemlossError
        When there is no target, or the curve is of another metric than the fit.
    """
    link, target = question.link, question.target
    if target is None:
        raise SemlossError("--target is missing: over a pass, images are counted that meet it")
    check_same_metric(question.fit, curve)
    result, schedule = adaptive(question, (pass_,), crs=crs, single=True).runs[0]
    margin, table = kept_db(link, chain) + link.margin_db, chain.modcods
    eta = efficiency(schedule.snr_db, margin, table)
    spent = float(curve.rate_for(target))
    per_cr = float(images_per_s(link.replace(frame_efficiency=1.0), 1.0))

    def images(bits_per_symbol: ArrayLike) -> Array:
        rate = per_cr / equivalent_cr(spent, bits_per_symbol, link.bands)
        return accumulated(pass_.time_s, np.where(np.isfinite(rate), rate, 0.0))

    named = table.entries if chain.modcod is None else (modcod(chain.modcod, table),)
    fixed = {
        one.name: float(images(one.efficiency * (schedule.snr_db >= one.es_n0_db + margin))[-1])
        for one in named
    }
    best = max(fixed, key=lambda name: fixed[name])
    chosen = [best_modcod(float(snr), margin, table) for snr in schedule.snr_db]
    return PassRace(
        question, chain, curve, result, schedule, spent, eta,
        tuple("off" if one is None else one.name for one in chosen), images(eta), best,
        fixed[best],
    )  # fmt: skip
