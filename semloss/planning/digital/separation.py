"""DeepJSCC against a digital chain: which wins where, from which SNR on, and by how much.

Both chains get the same symbols for an image (equal CR). The digital one, at SNR s with a MODCOD
of spectral efficiency eta, spends its eta·CR·C bits per pixel on the source codec. That
efficiency counts the frame's header and stuffing already, so where a share f of DeepJSCC's frame
carries image, the digital chain has CR/f for its frames. With VCM
(variable coding and modulation) the MODCOD follows the SNR: a staircase. With a fixed MODCOD the
metric is flat above its threshold and there is nothing below: a cliff. Where nothing arrives the
metric is at the floor of the fit, or nan where the fit knows none, and DeepJSCC wins.

No digital curve is ever invented: without a measured one, only what both chains may send at
equal CR is stated (bits per symbol, per sample and per pixel), and no winner is named.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semloss.arrays import Array
from semloss.errors import SemlossError
from semloss.layout import named
from semloss.modcods import (
    DVB_S2,
    ModCod,
    Modcods,
    best_modcod,
    efficiency,
    shannon,
    snr_for_efficiency,
    staircase,
)
from semloss.planning.budget.inverse import values
from semloss.planning.digital.rate_curve import RateCurve
from semloss.roots import halve
from semloss.surfaces.fitted.fit import Fit
from semloss.units import format_cr

DEEPJSCC, DIGITAL, UNKNOWN = "deepjscc", "digital", "unknown"
NO_CURVE = (
    "no measured digital rate–metric curve was given, so no winner is named: compared at equal CR "
    'only; collect a run with a source codec ([[codec]] kind = "jpeg2000") and give its folder'
)
_HALVINGS = 50


@dataclass(frozen=True)
class Crossing:
    """From `snr_db` on (at this CR, up to the next crossing) `winner` is ahead."""

    cr: float
    snr_db: float
    winner: str


@dataclass(frozen=True)
class Comparison:
    """DeepJSCC and a digital chain over a grid of I CRs and J SNRs.

    Attributes
    ----------
    cr, snr_db
        (I,) and (J,), rising.
    deepjscc, low, high, in_domain
        (I, J) predicted metric, its 95 % band and whether the fit was measured there.
    vcm, fixed
        (I, J) metric of the digital chain with the MODCOD that the SNR allows and with
        `fixed_modcod`; nan where nothing arrives and no floor is known, or nothing was measured.
    vcm_modcod, bits_per_symbol, shannon_bits_per_symbol
        (J,) name of the VCM MODCOD ("" where none closes), its efficiency, and the capacity at
        the digital chain's SNR.
    bits_per_pixel, bits_per_sample
        (I, J) what the VCM chain may spend at equal CR.
    winner, sure
        (I, J) "deepjscc", "digital" or "unknown" (VCM), and whether the digital metric lies
        outside DeepJSCC's band.
    gain, gain_db
        (I, J) how much better DeepJSCC is: in the metric (nan where the digital value is), and
        in SNR: what more the VCM chain needs for DeepJSCC's metric there, negative where it
        does with less, inf where no MODCOD gets there at this CR. (Below the curve's lowest
        rate the chain is taken to need that rate.)
    crossings
        Where the winner changes, by CR and SNR; exact, not bound to the grid.
    standard
        Of the MODCODs.
    """

    metric: str
    receiver: str
    task: str
    direction: str
    codec: str | None
    margin_db: float
    fixed_modcod: ModCod | None
    cr: Array
    snr_db: Array
    deepjscc: Array
    low: Array
    high: Array
    in_domain: NDArray[np.bool_]
    vcm: Array
    fixed: Array
    vcm_modcod: tuple[str, ...]
    bits_per_symbol: Array
    shannon_bits_per_symbol: Array
    bits_per_pixel: Array
    bits_per_sample: Array
    winner: NDArray[np.str_]
    sure: NDArray[np.bool_]
    gain: Array
    gain_db: Array
    crossings: tuple[Crossing, ...]
    note: str = ""
    standard: str = "DVB-S2"

    def rows(self) -> list[dict[str, Any]]:
        """One record for each point of the grid, CR by CR; plain values for CSV or a DataFrame."""
        planes = (
            "deepjscc", "low", "high", "in_domain", "vcm", "fixed", "bits_per_pixel",
            "bits_per_sample", "winner", "sure", "gain", "gain_db",
        )  # fmt: skip
        return [
            {
                "cr": float(cr),
                "snr_db": float(snr_db),
                "vcm_modcod": self.vcm_modcod[j],
                "bits_per_symbol": float(self.bits_per_symbol[j]),
                "shannon_bits_per_symbol": float(self.shannon_bits_per_symbol[j]),
                **{name: getattr(self, name)[i, j].item() for name in planes},
            }
            for i, cr in enumerate(self.cr)
            for j, snr_db in enumerate(self.snr_db)
        ]

    def crossover_db(self) -> Array:
        """(I,) SNR from which on the VCM chain stays ahead to the end of the SNRs, per CR.

        -inf where it is ahead throughout, nan where DeepJSCC is ahead at the end.
        """
        found = np.full(self.cr.shape, np.nan)
        for i, cr in enumerate(self.cr):
            own = [c for c in self.crossings if c.cr == cr]
            if own and own[-1].winner == DIGITAL:
                found[i] = own[-1].snr_db
            elif not own and (self.winner[i] == DIGITAL).all():
                found[i] = -np.inf
        return found

    def _budgets(self) -> list[str]:
        """What each chain may send at some SNRs, where that is all there is to say."""
        some = np.unique(np.linspace(0, len(self.snr_db) - 1, 7).round().astype(int))
        return [
            f"{self.snr_db[j]:7.2f} dB  {self.vcm_modcod[j] or 'no MODCOD closes':<16}  "
            f"{self.bits_per_symbol[j]:.3f} bit/symbol of {self.shannon_bits_per_symbol[j]:.3f} "
            "(Shannon)"
            for j in some
        ]

    def text(self) -> str:
        """Few lines for a reader."""
        span = f"{self.snr_db[0]:g} … {self.snr_db[-1]:g} dB"
        if self.codec is None:
            return "\n".join([f"{named(self)}, {span}: {self.note}", *self._budgets()])
        about = f"{self.codec} over {self.standard}"
        lines = [f"{named(self)}: DeepJSCC against {about}, VCM, {span}"]
        for i, cr in enumerate(self.cr):
            own = [c for c in self.crossings if c.cr == cr]
            said = ", ".join(f"{_NAMES[c.winner]} from {c.snr_db:.2f} dB" for c in own)
            start = _NAMES[str(self.winner[i, 0])]
            lines.append(f"CR {format_cr(float(cr)):>6}  {start} first{said and f', {said}'}")
        if (self.winner == UNKNOWN).any():
            lines.append("unknown: the codec was not measured at rates so low")
        return "\n".join(lines)


_NAMES = {DEEPJSCC: "DeepJSCC", DIGITAL: "digital", UNKNOWN: "unknown"}


def compare(
    fit: Fit,
    curve: RateCurve | None,
    *,
    snr_db: ArrayLike,
    cr: ArrayLike,
    bands: int,
    margin_db: float = 0.0,
    fixed: ModCod | None = None,
    frame_efficiency: float = 1.0,
    table: Modcods = DVB_S2,
    ahead_db: float = 0.0,
) -> Comparison:
    """Compare both chains at equal CR over a grid.

    Parameters
    ----------
    fit
        The fitted DeepJSCC surface.
    curve
        Measured curve of the source codec for the same metric; None compares budgets only.
    snr_db, cr
        SNRs [dB] and CRs of the grid; sorted here.
    bands
        Bands C of the imagery.
    margin_db
        Kept between the SNR and each MODCOD's threshold (implementation, channel estimate).
    fixed
        The MODCOD of the fixed chain; by default the best at the middle of the SNRs.
    frame_efficiency
        Share of DeepJSCC's symbols that carry image, above 0 and up to 1.
    table
        MODCODs that the digital chain has.
    ahead_db
        By how much its SNR is above `snr_db`, as it backs off less: `margin_db` holds that
        already, the capacity that its efficiency is held against does not.

    Raises
    ------
    SemlossError
        When the grid is no grid, or the curve is of another metric than the fit.
    """
    levels = rising(snr_db, "snr_db")
    ratios = rising(cr, "cr")
    if bands < 1:
        raise SemlossError(f"bands = {bands}: imagery has one band or more")
    check_same_metric(fit, curve)
    point = fit.predict(cr=ratios[:, None], snr_db=levels[None, :], interval=0.95)
    eta = efficiency(levels, margin_db, table)
    width = bands / frame_efficiency
    rate = eta[None, :] * ratios[:, None] * width
    chosen = [best_modcod(float(s), margin_db, table) for s in levels]
    if fixed is None:
        fixed = best_modcod(float(levels[0] + levels[-1]) / 2, margin_db, table)
    held = np.zeros_like(eta) if fixed is None else fixed.efficiency * (
        levels >= fixed.es_n0_db + margin_db
    )  # fmt: skip
    vcm = _arrives(fit, curve, rate)
    gain = fit.sign * (point.value - vcm)
    known = _known(curve, rate)
    winner = np.where(known, np.where(gain < 0, DIGITAL, DEEPJSCC), UNKNOWN)
    sure = known & ~((vcm >= point.low) & (vcm <= point.high))
    return Comparison(
        fit.metric, fit.receiver, fit.task, fit.direction,
        None if curve is None else curve.codec,
        margin_db, fixed, ratios, levels, point.value, point.low, point.high,
        np.asarray(point.in_domain), vcm, _arrives(fit, curve, held * ratios[:, None] * width),
        tuple("" if m is None else m.name for m in chosen), eta,
        shannon(levels + ahead_db), rate,
        rate / bands, winner, sure, gain,
        _gain_db(curve, point.value, ratios, levels, width, margin_db, table),
        () if curve is None else _crossings(
            fit, curve, ratios, levels, width, margin_db, table
        ),
        NO_CURVE if curve is None else "", table.name,
    )  # fmt: skip


def rising(given: ArrayLike, name: str) -> Array:
    """Distinct finite values in rising order."""
    axis = np.unique(np.asarray(given, dtype=np.float64))
    if axis.size == 0 or not np.all(np.isfinite(axis)):
        raise SemlossError(f"{name}: give one or more finite values")
    return axis


def check_same_metric(fit: Fit, curve: RateCurve | None) -> None:
    """Refuse a curve of another metric, receiver or direction than the fit's."""
    if curve is None:
        return
    for what in ("metric", "receiver", "direction"):
        ours, theirs = getattr(fit, what), getattr(curve, what)
        if ours != theirs:
            raise SemlossError(
                f"the fit has {what} {ours} but the digital curve {theirs}; measure the codec "
                "with the same one"
            )


def _known(curve: RateCurve | None, rate: Array) -> NDArray[np.bool_]:
    """Where the digital chain's fate at a rate [bits per pixel] is known."""
    if curve is None:
        return np.zeros(rate.shape, dtype=bool)
    measured = rate >= curve.bits_per_pixel[0] * (1 - 1e-12)
    return np.asarray(measured | (rate == 0) | curve.lowest_is_minimum)


def _arrives(fit: Fit, curve: RateCurve | None, rate: Array) -> Array:
    """Metric of the digital chain at a rate [bits per pixel]; the floor where nothing arrives."""
    if curve is None:
        return np.full(rate.shape, np.nan)
    floor = math.nan if fit.floor is None else fit.floor
    found = curve.at(np.maximum(rate, 1e-300))
    return np.where(np.isnan(found) & _known(curve, rate), floor, found)


def _gain_db(
    curve: RateCurve | None,
    ours: Array,
    cr: Array,
    snr_db: Array,
    width: float,
    margin_db: float,
    table: Modcods,
) -> Array:
    if curve is None:
        return np.full(ours.shape, np.nan)
    needed = curve.rate_for(ours) / (cr[:, None] * width)
    return np.asarray(snr_for_efficiency(needed, margin_db, table) - snr_db)


def _crossings(
    fit: Fit,
    curve: RateCurve,
    cr: Array,
    snr_db: Array,
    width: float,
    margin_db: float,
    table: Modcods,
) -> tuple[Crossing, ...]:
    """Winner changes along each CR: at a threshold, or where DeepJSCC grows past a step."""
    low, high = float(snr_db[0]), float(snr_db[-1])
    thresholds = [m.es_n0_db + margin_db for m in staircase(margin_db, table)]
    edges = np.array([low, *(t for t in thresholds if low < t < high), high])
    found = []
    for ratio in cr:
        rate = efficiency(edges[:-1], margin_db, table) * ratio * width
        level, known = _arrives(fit, curve, rate), _known(curve, rate)
        ours = fit.sign * values(fit, ratio, edges)
        previous = ""
        for k in range(len(edges) - 1):
            ahead: list[tuple[float, str]]
            step = fit.sign * level[k]
            if not known[k]:
                ahead = [(edges[k], UNKNOWN)]
            elif not ours[k] < step:  # a nan step is one where nothing arrives
                ahead = [(edges[k], DEEPJSCC)]
            elif ours[k + 1] < step:
                ahead = [(edges[k], DIGITAL)]
            else:
                passes = _passing(fit, ratio, level[k], edges[k], edges[k + 1])
                ahead = [(edges[k], DIGITAL), (passes, DEEPJSCC)]
            for snr, winner in ahead:
                if previous and winner != previous and snr < high:
                    found.append(Crossing(float(ratio), float(snr), winner))
                previous = winner
    return tuple(found)


def _passing(fit: Fit, cr: float, level: float, low: float, high: float) -> float:
    """SNR [dB] within a step at which DeepJSCC grows past it."""
    _, passes = halve(lambda snr: fit.meets(values(fit, cr, snr), level), low, high, _HALVINGS)
    return float(passes)
