"""Every picture that the tool draws, from the fits that ship with it, for the tests of pictures."""

import contextlib
import functools
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from amplified_table import LINEAR, MOVED, RAPP, write_amplified
from picture_checks import Drawn, drawn
from plan_case import DICE, EVEN, SURE, TLE, WEAK
from planning_case import distance
from surface_truth import simulated
from table_rows import grid_rows

import semloss
from semloss.cli import main
from semloss.outcomes import Outcomes, beside, key_of, write_outcomes
from semloss.reports import look
from semloss.reports.fit import (
    candidates,
    comparison,
    contours,
    diagnostics,
    parameters,
    prediction,
    surface,
)
from semloss.surfaces.fitting.fit_surface import fit_surface
from semloss.tables import write_tables

EUROSAT = Path(__file__).parents[1] / "data" / "eurosat-awgn"
ACCURACY = "eurosat-accuracy"
X = ("--link", "eo-leo-x-band", "--set", "obo_db=3")
KA = ("--link", "ka-band-leo", "--set", "obo_db=4")
T = ("--target", "0.85")
HIGH = ("--max-elevation", "60")
CURVE = "bits_per_pixel,metric,task,codec,value\n" + "".join(
    f"{rate},accuracy,matched,jpeg2000,{value}\n"
    for rate, value in ((0.05, 0.3), (0.2, 0.6), (0.6, 0.75), (1.5, 0.86), (3.0, 0.9))
)

MANY = "[tolerances]\n" + "".join(
    f"{name} = {0.1 * (1 + i):.1f}\n"
    for i, name in enumerate(
        ("power_dbw", "obo_db", "tx_line_loss_db", "tx_gain_dbi", "tx_pointing_loss_db",
         "gas_loss_db", "cloud_loss_db", "scintillation_loss_db", "polarisation_loss_db",
         "g_over_t_db_k", "implementation_loss_db", "freq_ghz", "elevation_deg", "height_km",
         "roll_off", "bandwidth_mhz", "frame_efficiency")
    )
)  # fmt: skip
LONG = "Second-generation multispectral cubesat of a polar constellation, flight model 12-B"

ASKED: dict[str, tuple[str, ...]] = {
    "predict": ("predict", ACCURACY, "--cr", "1/12", "--snr-db", "4"),
    "predict between the CRs": ("predict", ACCURACY, "--cr", "1/20", "--snr-db", "4"),
    "predict outside": ("predict", "eurosat-psnr", "--cr", "1/12", "--snr-db", "24"),
    "predict target over SNR": ("predict", ACCURACY, *T, "--cr", "1/12"),
    "predict target over CR": ("predict", ACCURACY, *T, "--snr-db", "4"),
    "predict target, open above": ("predict", ACCURACY, "--target", "0.893", "--cr", "1/12"),
    "ledger": ("plan", "ledger", ACCURACY, *X, *T),
    "ledger, sure and with a margin": (
        "plan", "ledger", ACCURACY, *X, *T, "--confidence", "0.95", "--set", "margin_db=2"),
    "ledger without a target": ("plan", "ledger", ACCURACY, *KA),
    "ledger without a fit": ("plan", "ledger", "--link", "dice.toml"),
    "solve": ("plan", "solve", ACCURACY, "power_dbw", *X, *T),
    "solve for the images of a pass": (
        "plan", "solve", ACCURACY, "power_dbw", *X, *T, *HIGH, "--images-per-pass", "15000",
        "--step", "10"),
    "solve for the images of a day": (
        "plan", "solve", ACCURACY, "cr", *X, *T, "--images-per-day", "150000", "--step", "30"),
    "predict --solve": ("predict", ACCURACY, *X, *T, "--solve", "cr"),
    "pass": ("plan", "pass", ACCURACY, *X, *T, *HIGH, "--step", "10"),
    "pass without a target": ("plan", "pass", "eurosat-psnr", *KA, *HIGH, "--step", "10"),
    "pass with rain and fading": (
        "plan", "pass", ACCURACY, *KA, *T, *HIGH, "--fading", "rician:10", "--step", "20",
        "--set", "margin_db=1"),
    "day": ("plan", "day", ACCURACY, *X, *T, "--step", "30"),
    "day of elements": (
        "plan", "day", ACCURACY, *X, *T, "--tle", "iss.tle", "--site", "48.1,11.6",
        "--start", "2014-01-21T00:00", "--step", "20"),
    "day lost to weather": (
        "plan", "day", ACCURACY, *X, *T, "--tle", "iss.tle", "--site", "48.1,11.6",
        "--start", "2014-01-21T00:00", "--step", "20", "--set", "power_dbw=-3",
        "--set", "availability_percent=99.9", "--set", "gsd_m=10"),
    "day of no pass that meets": (
        "plan", "day", ACCURACY, *X, *T, "--step", "60", "--set", "power_dbw=-25"),
    "adaptive days of elements": (
        "plan", "adaptive", ACCURACY, *X, *T, "--tle", "iss.tle", "--site", "48.1,11.6",
        "--start", "2014-01-21T00:00", "--days", "12", "--step", "20"),
    "adaptive pass": ("plan", "adaptive", ACCURACY, *X, *T, *HIGH),
    "adaptive pass with feedback": (
        "plan", "adaptive", ACCURACY, *X, *T, *HIGH, "--step", "5", "--until-sure", "sure.csv"),
    "feedback at one CR": (
        "plan", "adaptive", ACCURACY, *X, "--target", "0.7", *HIGH, "--step", "20",
        "--set", "power_dbw=20", "--until-sure", "even.csv"),
    "adaptive day": ("plan", "adaptive", ACCURACY, *X, *T, "--day", "--step", "30"),
    "coding table": ("plan", "adaptive", ACCURACY, *X, *T, "--confidence", "0.95"),
    "coding table of few": ("plan", "adaptive", ACCURACY, *X, *T, "--crs", "1/6,1/24"),
    "outage": ("plan", "outage", ACCURACY, *X, *T, *HIGH, "--fading", "rician:10"),
    "outage of a falling satellite": (
        "plan", "outage", ACCURACY, *KA, "--target", "0.9", "--set", "elevation_deg=20",
        "--set", "margin_db=1"),
    "against": ("plan", "against", ACCURACY, "curve.csv", *X),
    "against over a pass": (
        "plan", "against", ACCURACY, "curve.csv", *X, *T, *HIGH, "--step", "5"),
    "against over a pass that the digital chain misses": (
        "plan", "against", ACCURACY, "curve.csv", *X, "--target", "0.89", *HIGH, "--step", "20",
        "--set", "power_dbw=-6", "--modcods", "dvb-s2x"),
    "against at one CR": ("plan", "against", ACCURACY, "curve.csv", *X, "--cr", "1/12"),
    "against without a curve": ("plan", "against", ACCURACY, *X),
    "amplifier": ("plan", "amplifier", "amplified.csv", "--receiver", "matched", "--form", "capped",
                  *X[:2], "--target", "0.7", "--acpr-limit-dbc", "-25"),
    "amplifier of a codec at other back-offs": (
        "plan", "amplifier", "moved.csv", "--receiver", "matched", "--form", "capped", *X[:2],
        "--target", "0.7"),
    "amplifier without a target": (
        "plan", "amplifier", "amplified.csv", "--receiver", "matched", "--form", "capped", *X[:2],
        "--where", "channel=rapp-ibo0dB"),
    "sweep": ("plan", "sweep", ACCURACY, "elevation_deg=10:90:17", *X, *T),
    "sweep as lines": ("plan", "sweep", ACCURACY, "elevation_deg=10:90:17", "cr=1/48:1/6:7", *X),
    "sweep as a map": ("plan", "sweep", ACCURACY, "elevation_deg=10:90:17", "power_dbw=-10:10:11",
                       *X, *T),
    "sweep of a target": ("plan", "sweep", ACCURACY, "target=0.8:0.9:11", "--cr", "1/12"),
    "tornado": ("plan", "tornado", ACCURACY, *X, *T),
    "tornado without a target": ("plan", "tornado", ACCURACY, *X),
    "monte carlo": ("plan", "monte-carlo", ACCURACY, *X, *T, "--draws", "2000", "--seed", "0"),
    "monte carlo, mostly missed": (
        "plan", "monte-carlo", ACCURACY, *X, *T, "--draws", "2000", "--seed", "0",
        "--set", "power_dbw=-0.5"),
    "predict with confidence": (
        "predict", ACCURACY, *T, "--cr", "1/24", "--confidence", "0.95", "--interval", "0.9"),
    "adaptive pass of many CRs": (
        "plan", "adaptive", ACCURACY, *KA, "--target", "0.88", "--max-elevation", "90",
        "--step", "10"),
    "pass outside throughout": (
        "plan", "pass", ACCURACY, *X, *HIGH, "--set", "power_dbw=25", "--step", "20"),
    "pass never met": (
        "plan", "pass", ACCURACY, *X, *T, *HIGH, "--set", "power_dbw=-25", "--step", "20"),
    "adaptive pass, mostly off": (
        "plan", "adaptive", ACCURACY, *X, *T, *HIGH, "--set", "power_dbw=-10", "--step", "10"),
    "outage at many shares": (
        "plan", "outage", ACCURACY, *KA, *T, "--set", "elevation_deg=10",
        "--percents", "50,60,70,80,85,90,95,97,98,99,99.5,99.8,99.9,99.95,99.99"),
    "against with a MODCOD": (
        "plan", "against", ACCURACY, "curve.csv", *X, "--modcod", "16APSK 3/4",
        "--modcod-margin-db", "2"),
    "against a better codec": ("plan", "against", ACCURACY, "better.csv", *X),
    "sweep of the CR": (
        "plan", "sweep", ACCURACY, "cr=1/48:1/6:12", "obo_db=0:6:4", *X[:2], *T),
    "tornado of many": (
        "plan", "tornado", ACCURACY, *X, *T, "--tolerances", "many.toml"),
    "monte carlo of one": (
        "plan", "monte-carlo", ACCURACY, *X, *T, "--draws", "1", "--seed", "0"),
    "predict of a metric that falls": (
        "predict", "lpips.json", "--target", "0.4", "--snr-db", "2"),
    "outage of a metric that falls": (
        "plan", "outage", "lpips.json", "--link", "long.toml", "--set", "elevation_deg=20",
        "--target", "0.4"),
    "coding table of a metric that falls": (
        "plan", "adaptive", "lpips.json", "--link", "long.toml", "--target", "0.4"),
    "long name, ledger": (
        "plan", "ledger", ACCURACY, "--link", "long.toml", "--set", "elevation_deg=20", *T),
    "long name, pass": (
        "plan", "pass", ACCURACY, "--link", "long.toml", *T, *HIGH, "--step", "20"),
    "long name, sweep of the SNR": (
        "plan", "sweep", ACCURACY, "snr_db=-12:24:10", "--cr", "1/20", "--target", "0.8"),
    "compare receivers": ("compare", str(EUROSAT), "--metric", "accuracy"),
    "compare runs on the same images": ("compare", "old", "new"),
    "compare runs at one SNR": ("compare", "new", "old", "--snr-db", "5"),
    "compare what is saved": ("compare", str(EUROSAT), "--metric", "accuracy", "--by", "receiver",
                              "--saved", "--form", "capacity_unified"),
    "sweep of the SNR for the CR": (
        "plan", "sweep", ACCURACY, "snr_db=0:20:6", "--target", "0.85"),
    "sweep of two for the CR": (
        "plan", "sweep", ACCURACY, "snr_db=-4:20:13", "target=0.8:0.9:11"),
}  # fmt: skip
"""Words that ask for a picture, by what it is of."""


@functools.cache
def measured(metric: str, receiver: str) -> semloss.selection.Points:
    return semloss.select(semloss.load_table(EUROSAT), metric, receiver)


def _one(name: str, draw: Callable[..., object], metric: str, receiver: str | None = None):
    return lambda path: draw(semloss.load(name), measured(metric, receiver), path)


def _several(path: Path) -> None:
    names = ("eurosat-accuracy", "eurosat-accuracy-clean", "eurosat-psnr", "eurosat-ssim")
    comparison.surfaces_plot([semloss.load(name) for name in names], path)


@functools.cache
def _simulated(kind: str):
    """A small fit and its points: along one axis, over a dense grid, or flat."""
    points = {
        "flat": lambda: simulated("constant", floor=None),
        "dense": lambda: simulated(
            "capped", n=700, crs=np.geomspace(1 / 60, 1 / 3, 20), snrs=np.arange(-8.0, 13.0, 1.0)
        ),
        "one SNR": lambda: simulated("capped", n=700, snrs=np.array([4.0])),
        "one CR": lambda: simulated("capped", n=700, crs=np.array([1 / 12])),
    }[kind]()
    form = {"flat": "constant", "dense": "capped"}.get(kind, "auto")
    return fit_surface(points, form, starts=10, bootstraps=0), points


def _odd(kind: str, draw: Callable[..., object]):
    return lambda path: draw(*_simulated(kind), path)


def _predicted(kind: str, cr: float, snr_db: float):
    def draw(path: Path) -> None:
        fit, _ = _simulated(kind)
        prediction.prediction_plot(fit, path, fit.predict(cr=cr, snr_db=snr_db))

    return draw


def _many(path: Path) -> None:
    fit = semloss.load(ACCURACY)
    codecs = [f"DeepJSCC of width {width} with a long label" for width in range(8, 128, 10)]
    told = [fit.provenance | {"codec": name, "codec_label": name} for name in codecs]
    comparison.surfaces_plot([replace(fit, provenance=one) for one in told], path)


FITTED: dict[str, Callable[[Path], object]] = {
    "fit": _one(ACCURACY, surface.surface_plot, "accuracy", "matched"),
    "fit of PSNR": _one("eurosat-psnr", surface.surface_plot, "psnr_db"),
    "curves": _one("eurosat-ssim", surface.curves_plot, "ssim"),
    "plane": _one(ACCURACY, surface.plane_plot, "accuracy", "matched"),
    "contours": _one(ACCURACY, contours.contours_plot, "accuracy", "matched"),
    "residuals": _one(ACCURACY, diagnostics.residuals_plot, "accuracy", "matched"),
    "measured and fitted": _one(ACCURACY, diagnostics.predicted_plot, "accuracy", "matched"),
    "forms": lambda path: candidates.forms_plot(semloss.load(ACCURACY), path),
    "correlation": lambda path: parameters.correlation_plot(semloss.load("eurosat-ssim"), path),
    "intervals": lambda path: parameters.intervals_plot(semloss.load("eurosat-ssim"), path),
    "surfaces": _several,
    "many surfaces": _many,
    "prediction at the one SNR": _predicted("one SNR", 1 / 12, 4.0),
    "prediction at the one CR": _predicted("one CR", 1 / 12, 30.0),
    "flat fit": _odd("flat", surface.surface_plot),
    "flat residuals": _odd("flat", diagnostics.residuals_plot),
    "fit of a dense grid": _odd("dense", surface.surface_plot),
    "contours of a dense grid": _odd("dense", contours.contours_plot),
    "measured and fitted, dense": _odd("dense", diagnostics.predicted_plot),
    "fit at one CR": _odd("one CR", surface.surface_plot),
}
"""What draws a picture of a fit, by what it is of."""


def run_of_images(folder: Path, shift: int) -> None:
    """A run of nine cells on sixty images, told image by image."""
    rng, rows = np.random.default_rng(shift), grid_rows(metric="psnr_db", receiver="none")
    names = np.array([f"tile {at}" for at in range(60)])
    tiles = 3 * np.random.default_rng(9).normal(size=60)
    of = {}
    for row in rows:
        level = 30 + row["snr_db"] / 5 + 0.3 * shift
        of[key_of(row)] = (level + tiles + rng.normal(size=60)).astype(np.float32)
    folder.mkdir()
    write_tables([row | {"value": float(of[key_of(row)].mean())} for row in rows], [], folder)
    write_outcomes(Outcomes(names, names, of), beside(folder / "metrics.csv"))


def lay_out(folder: Path) -> None:
    """Write the files that the words name."""
    long = WEAK.replace('"weak"', f'"{LONG}"')
    better = CURVE.replace("0.75", "0.87").replace("0.86", "0.915").replace(",0.9\n", ",0.93\n")
    texts = {
        "many.toml": MANY,
        "better.csv": better,
        "iss.tle": TLE,
        "dice.toml": DICE,
        "curve.csv": CURVE,
        "sure.csv": SURE,
        "even.csv": EVEN,
        "long.toml": long,
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    semloss.save(distance(), folder / "lpips.json")
    write_amplified(folder / "amplified.csv")
    moved = {RAPP: (-2.0, 0.0), MOVED: (-2.0, 5.0), LINEAR: (2.0,)}
    write_amplified(folder / "moved.csv", back_offs=moved)
    for shift, name in enumerate(("old", "new")):
        run_of_images(folder / name, shift)


def capture(name: str, monkeypatch) -> Drawn:
    """Draw one picture into the present folder, and give what is drawn on it."""
    lay_out(Path.cwd())
    path, figures, printed = Path("picture.png"), [], io.StringIO()
    with monkeypatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.setattr(look, "_save", lambda figure, *_: figures.append(drawn(figure, patch)))
        if name in FITTED:
            FITTED[name](path)
        else:
            assert main([*ASKED[name], "--json", "--plot", str(path)]) in (0, 3)
    (found,) = figures
    return replace(found, answer=json.loads(printed.getvalue() or "{}"))
