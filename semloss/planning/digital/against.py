"""DeepJSCC against a digital chain on the link's symbols."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from semloss.errors import SemlossError
from semloss.layout import amount, number
from semloss.modcods import DVB_S2, Modcods, modcod
from semloss.planning.budget.budget import budget_of, samples_per_image
from semloss.planning.budget.metric import round_crs
from semloss.planning.budget.question import Answered, Question
from semloss.planning.digital.equal_target import Race, race
from semloss.planning.digital.rate_curve import RateCurve
from semloss.planning.digital.separation import Comparison, compare
from semloss.planning.link.link import LinkData
from semloss.units import format_cr

PSK_OBO_DB = 1.0
"""Back-off assumed of a PSK chain: its constant envelope lets an amplifier work near saturation."""
_STEP_DB = 0.25
_CRS = 49
"""CRs of the map; what is printed and the CSV have the round ones."""
_NAMES = {"deepjscc": "DeepJSCC", "digital": "the digital chain", "unknown": "unknown"}


@dataclass(frozen=True)
class Chain:
    """The digital chain: MODCOD (None: the best), margin to its threshold, own back-off, MODCODs.

    Without a back-off of its own it has `PSK_OBO_DB`, or, where the link gives its EIRP, that EIRP.
    `through` is the amplifier, in words, where the thresholds of its MODCODs are those at
    saturation, each at its own back-off.
    """

    modcod: str | None = None
    margin_db: float | None = None
    obo_db: float | None = None
    modcods: Modcods = DVB_S2
    through: str = ""


@dataclass(frozen=True)
class AgainstAnswer(Answered):
    """Both chains over the fitted SNRs, at the link's own, and at an equal target.

    `drawn` is the comparison at more CRs, for the map.
    """

    chain: Chain
    found: Comparison
    drawn: Comparison
    here: Comparison | None = None
    race: Race | None = None
    curve: RateCurve | None = None

    @property
    def warnings(self) -> Sequence[str]:
        """Of the question and of the digital chain's back-off."""
        here = self.here if self.found.codec is not None else None
        used = () if here is None else here.vcm_modcod
        return [*super().warnings, *apsk_note(self.question.link, self.chain, used)]

    def rows(self) -> list[dict[str, Any]]:
        """A row for each CR and SNR."""
        return self.found.rows()

    def to_dict(self) -> dict[str, Any]:
        """Winners by CR, at the link, and the images at an equal target."""
        found, runs = self.found, self.race
        crossover = found.crossover_db()
        answer: dict[str, Any] = {
            "metric": found.metric, "receiver": found.receiver, "task": found.task,
            "codec": found.codec, "modcods": found.standard,
            "modcod_margin_db": _margin(self.chain.margin_db),
            "fixed_modcod": None if found.fixed_modcod is None else found.fixed_modcod.name,
            "note": found.note or None,
            "digital_obo_db": _obo_db(self.question.link, self.chain),
            "digital_through": self.chain.through or None,
            "snr_db": [found.snr_db[0], found.snr_db[-1]],
            "by_cr": [
                {"cr": cr, "cr_text": format_cr(float(cr)), "ahead_first": found.winner[i, 0],
                 "ahead_last": found.winner[i, -1], "digital_ahead_from_db": crossover[i],
                 "crossings": [{"snr_db": c.snr_db, "winner": c.winner} for c in found.crossings
                               if c.cr == cr]}
                for i, cr in enumerate(found.cr)
            ],
        }  # fmt: skip
        answer["link"] = None if self.here is None else self.here.rows()[0]
        answer["race"] = None
        if runs is not None:
            names = ("snr_db", "cr_deepjscc", "cr_digital", "ratio", "images_per_s_deepjscc",
                     "images_per_s_digital")  # fmt: skip
            answer["race"] = {"target": runs.target} | {n: getattr(runs, n)[0] for n in names}
        return answer

    @property
    def head(self) -> str:
        """Who is ahead at the link, and at an equal target; without a link's point, over SNR."""
        lines = [] if self.here is None else [_here_text(self.here)]
        if self.race is not None and self.found.codec is not None:
            lines.insert(0, self._race_text(self.race))
        return "\n".join(lines) or self.found.text()

    @property
    def body(self) -> str:
        """Who is ahead from where."""
        told = self.found.text()
        return "" if told == self.head else told

    @property
    def assumed(self) -> dict[str, str]:
        """What both chains rest on."""
        return chain_assumed(super().assumed, self.question.link, self.chain, self.curve)

    @property
    def met(self) -> bool | None:
        """Whether either chain meets the target at the link's SNR."""
        if self.race is None:
            return None
        return bool(np.isfinite([self.race.cr_deepjscc[0], self.race.cr_digital[0]]).any())

    @property
    def in_domain(self) -> bool | None:
        """Whether the fit was measured at the link's SNR and CR."""
        return None if self.here is None else bool(self.here.in_domain[0, 0])

    def _race_text(self, runs: Race) -> str:
        """Images that both chains deliver at the target."""

        def side(name: str, cr: float, rate: float) -> str:
            if not np.isfinite(cr):
                return f"{name} does not reach it"
            return f"{name} {amount(rate)} images/s (CR {cr:.4g})"

        sides = (
            side("DeepJSCC", runs.cr_deepjscc[0], runs.images_per_s_deepjscc[0]),
            side("digital", runs.cr_digital[0], runs.images_per_s_digital[0]),
        )
        ratio = runs.ratio[0]
        factor = f", {ratio:.2f} for each" if np.isfinite(ratio) and ratio > 0 else ""
        kept = self.question.link.margin_db
        sure = f" with {kept:g} dB to spare" if kept else ""
        return f"{self.question.demand} at the link's SNR{sure}: {', '.join(sides)}{factor}"


def chain_assumed(
    told: Mapping[str, str], link: LinkData, chain: Chain, curve: RateCurve | None
) -> dict[str, str]:
    """What an answer about both chains assumes, beside what it does of DeepJSCC's."""
    own, told = _obo_db(link, chain), dict(told)
    if chain.through:
        told["back-off"] = (
            f"{told['back-off']} DeepJSCC; digital, computed for each MODCOD {chain.through}"
        )
    elif own is not None:
        why = "" if chain.obo_db is not None else ", assumed; --digital-obo-db"
        told["back-off"] = f"{link.obo_db:g} dB DeepJSCC, {own:g} dB digital (PSK{why})"
    codec = "no source codec" if curve is None else curve.codec
    told["digital chain"] = (
        f"{codec} over {chain.modcods.name}, {_margin(chain.margin_db):g} dB kept to each threshold"
    )
    if curve is not None and curve.receiver != "none" and not curve.receiver_told:
        told["receivers"] = (
            f"the fit's is {curve.receiver}, the curve tells none and is taken to be read by one "
            "like it; if it is not, the chains differ in that too: measure the curve with such a "
            "receiver, or give a fit of the curve's"
        )
    told["frame"] = (
        f"DeepJSCC's carries image in {100 * link.frame_efficiency:g} % of its symbols, a MODCOD's "
        "efficiency counts its own"
    )
    return told


def apsk_note(link: LinkData, chain: Chain, modcods: Iterable[str]) -> Iterator[str]:
    """That a back-off which was assumed for PSK is little for the rings of an APSK."""
    own = None if chain.through or chain.obo_db is not None else _obo_db(link, chain)
    if own is not None and any("APSK" in name for name in modcods):
        yield (
            f"the digital chain uses APSK at {own:g} dB of back-off, which was assumed for PSK; "
            "say what its amplifier needs, --digital-obo-db, or have it computed, --amplifier rapp"
        )


def kept_db(link: LinkData, chain: Chain) -> float:
    """Decibels kept to a MODCOD's threshold, less those by which the chain backs off less."""
    return _margin(chain.margin_db) - _ahead_db(link, chain)


def _ahead_db(link: LinkData, chain: Chain) -> float:
    """By how much the digital chain's SNR is above DeepJSCC's, as it backs off less."""
    own = _obo_db(link, chain)
    return 0.0 if own is None else link.obo_db - own


def against(
    question: Question, curve: RateCurve | None, chain: Chain, cr: float | None = None
) -> AgainstAnswer:
    """Compare both chains over the fitted SNRs, and at the link's own.

    `cr` is the one CR that is asked for; without it, the round ones of the fit.
    """
    fit, link = question.fit, question.link
    low, high = fit.snr_db_range
    levels = np.linspace(low, high, 1 + round((high - low) / _STEP_DB))
    options: dict[str, Any] = {
        "bands": link.bands,
        "margin_db": kept_db(link, chain),
        "fixed": None if chain.modcod is None else modcod(chain.modcod, chain.modcods),
        "table": chain.modcods,
        "frame_efficiency": link.frame_efficiency,
        "ahead_db": _ahead_db(link, chain),
    }
    ratios = round_crs(fit) if cr is None else [cr]
    found = drawn = compare(fit, curve, snr_db=levels, cr=ratios, **options)
    if cr is None:
        dense = np.union1d(np.geomspace(*fit.cr_range, _CRS), ratios)
        drawn = compare(fit, curve, snr_db=levels, cr=dense, **options)
    budget = budget_of(link)
    snr_db, here, runs = float(budget.snr_db), None, None
    if link.cr is not None and np.isfinite(snr_db):
        here = compare(fit, curve, snr_db=[snr_db], cr=[link.cr], **options)
    if question.target is not None and np.isfinite(snr_db):
        runs = race(  # the link's margin is kept by both
            fit, curve, target=question.target, snr_db=[snr_db - link.margin_db],
            bands=link.bands, margin_db=options["margin_db"],
            symbols_per_s=float(budget.symbol_rate_hz), frame_efficiency=link.frame_efficiency,
            samples_per_image=samples_per_image(link), table=chain.modcods,
        )  # fmt: skip
    return AgainstAnswer(question, chain, found, drawn, here, runs, curve)


def _margin(margin_db: float | None) -> float:
    if margin_db is None:
        return 0.0
    if not 0 <= margin_db <= 30:
        raise SemlossError(f"--modcod-margin-db {margin_db:g}: lies in 0 … 30 dB")
    return margin_db


def _obo_db(link: LinkData, chain: Chain) -> float | None:
    """Back-off of the digital chain; None where the link gives an EIRP for both."""
    if link.eirp_dbw is not None:
        if chain.obo_db is not None:
            raise SemlossError(
                "--digital-obo-db: the link gives an EIRP, not its amplifier's back-off"
            )
        return None
    if chain.through:
        return 0.0
    if chain.obo_db is None:
        return min(PSK_OBO_DB, link.obo_db)
    if not 0 <= chain.obo_db <= 30:
        raise SemlossError(f"--digital-obo-db {chain.obo_db:g}: lies in 0 … 30 dB")
    return chain.obo_db


def _here_text(here: Comparison) -> str:
    """Both chains at the link's SNR and CR."""
    inside = "" if here.in_domain[0, 0] else ", OUTSIDE the fitted domain"
    where = f"at SNR {here.snr_db[0]:.2f} dB, CR {format_cr(float(here.cr[0]))}{inside}"
    closes = here.vcm_modcod[0] or "no MODCOD closes"
    spent = f"{closes}, {here.bits_per_pixel[0, 0]:.3f} bit/pixel"
    ours = f"DeepJSCC {here.metric} = {here.deepjscc[0, 0]:.4g}"
    if here.codec is None:
        return f"{where}: {ours}; the digital chain may spend {spent}"
    theirs = f"digital {number(float(here.vcm[0, 0]))} ({spent})"
    sure = "" if here.sure[0, 0] else ", within the fit's band"
    winner = _NAMES[str(here.winner[0, 0])]
    return f"{where}: {ours}, {theirs}; ahead: {winner}{sure}"
