"""DeepJSCC against a digital chain on the link's symbols."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from semloss.cli import plan_text
from semloss.errors import SemlossError
from semloss.planning.digital.equal_target import Race, race
from semloss.planning.digital.modcods import RateCurve, modcod
from semloss.planning.digital.separation import Comparison, compare
from semloss.planning.passes.adaptive import round_crs
from semloss.units import format_cr

if TYPE_CHECKING:
    from semloss.cli.plan import Question
    from semloss.planning.planner import Link

_STEP_DB = 0.25
_CRS = 49
"""CRs of the map; what is printed and the CSV have the round ones."""
_NAMES = {"deepjscc": "DeepJSCC", "digital": "the digital chain", "unknown": "unknown"}


def run(question: "Question") -> int:
    """Compare both chains over the fitted SNRs, and at the link's own."""
    args, model, link = question.args, question.model, question.link
    curve = RateCurve.from_csv(
        Path(args.against), metric=model.metric, receiver=model.receiver, codec=args.codec
    ) if args.against else None  # fmt: skip
    low, high = model.snr_db_range
    levels = np.linspace(low, high, 1 + round((high - low) / _STEP_DB))
    options: dict[str, Any] = {
        "bands": link.bands,
        "margin_db": _margin(args.modcod_margin_db) - _spared(link, args.digital_obo_db),
        "fixed": None if args.modcod is None else modcod(args.modcod),
    }
    asked = None if args.cr is None else link.cr
    ratios = round_crs(model) if asked is None else [asked]
    found = compare(model, curve, snr_db=levels, cr=ratios, **options)
    if args.csv:
        import pandas as pd

        plan_text.save_table(args.csv, pd.DataFrame(found.rows()))
    if args.plot:
        from semloss.reports.what_if.separation import separation_plot

        drawn = found
        if asked is None:
            dense = np.union1d(np.geomspace(*model.cr_range, _CRS), ratios)
            drawn = compare(model, curve, snr_db=levels, cr=dense, **options)
        separation_plot(drawn, args.plot)
    snr_db = float(link.budget().snr_db)
    here = None
    if link.cr is not None and np.isfinite(snr_db):
        here = compare(model, curve, snr_db=[snr_db], cr=[link.cr], **options)
    runs = None
    if question.target is not None and np.isfinite(snr_db):
        runs = _race(question, curve, snr_db, options["margin_db"])
    plan_text.notes(link.warnings)
    if args.json:
        plan_text.print_json(_answer(found, here, runs))
        return 0
    print(found.text())
    if args.digital_obo_db is None:
        print(
            "both chains at one SNR; --digital-obo-db gives the digital one a back-off of its own"
        )
    if here is not None:
        print(f"\nthe link: {_here_text(here)}")
    if runs is not None and curve is not None:
        print(_race_text(question, runs))
    return 0


def _margin(margin_db: float | None) -> float:
    if margin_db is None:
        return 0.0
    if not 0 <= margin_db <= 30:
        raise SemlossError(f"--modcod-margin-db {margin_db:g}: lies in 0 … 30 dB")
    return margin_db


def _spared(link: "Link", digital_obo_db: float | None) -> float:
    """Decibels by which the digital chain's SNR is above the link's: it may back off less."""
    if digital_obo_db is None:
        return 0.0
    if link.eirp_dbw is not None:
        raise SemlossError("--digital-obo-db: the link gives an EIRP, not its amplifier's back-off")
    if not 0 <= digital_obo_db <= 30:
        raise SemlossError(f"--digital-obo-db {digital_obo_db:g}: lies in 0 … 30 dB")
    return link.obo_db - digital_obo_db


def _race(
    question: "Question", curve: RateCurve | None, snr_db: float, margin_db: float
) -> Race:  # fmt: skip
    """Images that both chains deliver at the target, the link's margin kept by both."""
    link = question.link
    assert question.target is not None
    rate = float(link.budget().symbol_rate_hz) * link.frame_efficiency
    return race(
        question.model, curve, target=question.target, snr_db=[snr_db - link.margin_db],
        bands=link.bands,
        margin_db=margin_db, symbols_per_s=rate, samples_per_image=link.samples_per_image,
    )  # fmt: skip


def _here_text(here: Comparison) -> str:
    """Both chains at the link's SNR and CR."""
    inside = "" if here.in_domain[0, 0] else ", OUTSIDE the fitted domain"
    where = f"at SNR {here.snr_db[0]:.2f} dB, CR {format_cr(float(here.cr[0]))}{inside}"
    closes = here.vcm_modcod[0] or "no MODCOD closes"
    spent = f"{closes}, {here.bits_per_pixel[0, 0]:.3f} bit/pixel"
    ours = f"DeepJSCC {here.metric} = {here.deepjscc[0, 0]:.4g}"
    if here.codec is None:
        return f"{where}: {ours}; the digital chain may spend {spent}"
    theirs = f"digital {plan_text.number(float(here.vcm[0, 0]))} ({spent})"
    sure = "" if here.sure[0, 0] else ", within the fit's band"
    winner = _NAMES[str(here.winner[0, 0])]
    return f"{where}: {ours}, {theirs}; ahead: {winner}{sure}"


def _race_text(question: "Question", runs: Race) -> str:
    """Say what `_race` found."""

    def side(name: str, cr: float, rate: float) -> str:
        if not np.isfinite(cr):
            return f"{name} does not reach it"
        return f"{name} {plan_text.amount(rate)} images/s (CR {cr:.4g})"

    sides = (
        side("DeepJSCC", runs.cr_deepjscc[0], runs.images_per_s_deepjscc[0]),
        side("digital", runs.cr_digital[0], runs.images_per_s_digital[0]),
    )
    ratio = runs.ratio[0]
    factor = f", {ratio:.2f} for each" if np.isfinite(ratio) and ratio > 0 else ""
    kept = question.link.margin_db
    sure = f" with {kept:g} dB to spare" if kept else ""
    return f"{question.demand} there{sure}: {', '.join(sides)}{factor}"


def _answer(found: Comparison, here: Comparison | None, runs: Race | None) -> dict[str, Any]:
    """Content of the JSON answer."""
    crossover = found.crossover_db()
    answer: dict[str, Any] = {
        "metric": found.metric, "receiver": found.receiver, "task": found.task,
        "codec": found.codec,
        "modcod_margin_db": found.margin_db,
        "fixed_modcod": None if found.fixed_modcod is None else found.fixed_modcod.name,
        "note": found.note or None,
        "snr_db": [found.snr_db[0], found.snr_db[-1]],
        "by_cr": [
            {"cr": cr, "cr_text": format_cr(float(cr)), "ahead_first": found.winner[i, 0],
             "ahead_last": found.winner[i, -1], "digital_ahead_from_db": crossover[i],
             "crossings": [{"snr_db": c.snr_db, "winner": c.winner} for c in found.crossings
                           if c.cr == cr]}
            for i, cr in enumerate(found.cr)
        ],
    }  # fmt: skip
    answer["link"] = None if here is None else here.rows()[0]
    answer["race"] = None
    if runs is not None:
        names = ("snr_db", "cr_deepjscc", "cr_digital", "ratio", "images_per_s_deepjscc",
                 "images_per_s_digital")  # fmt: skip
        answer["race"] = {"target": runs.target} | {n: getattr(runs, n)[0] for n in names}
    return answer
