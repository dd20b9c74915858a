"""How often bands, inverse intervals and confident answers hold the truth, over simulated grids.

Truths are forms of the ladder at stated parameters (additive, hill, capped, unified) and the
surfaces of `truths.py`, which are none, drawn anew for every grid. Grids have 24 or 66 cells, each
trained once or three times, all measured on the same images: an image has a difficulty that lasts
from cell to cell (normal, its correlation between cells is given), and hits are drawn per image.
What each image did is handed to the fit, or, with `--outcomes no`, the number of images alone.
With `--noise sd` a standard deviation is told instead, as of an image metric.

Bands are asked at random points of the domain: that of the measured images against the mean over
these images, that of new images against the mean over all of their kind; "half" is half its
width. "inverse" is how often the interval of the SNR that reaches the true value holds the true
SNR, "sure" how often the SNR that meets it with so much confidence does, "drawn" the band from
draws (with `--draws`). "/these" and "/new" are the bands' widths against those of an oracle that
knows the surface's own formula, and each parameter to within the width of the box that it is
drawn from: the median over the grids of the ratio of mean widths. "spread" is the training's
standard deviation between seeds. ± is the standard error over the grids.
"""

import argparse
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product

import numpy as np
from scipy.special import ndtr, ndtri
from truths import TRUTHS, Truth

from semloss.errors import TargetNotAttainable
from semloss.selection import Points
from semloss.surfaces.fitting.fit_surface import fit_surface
from semloss.surfaces.forms import FORMS

CRS, SNRS = np.array([1 / 40, 1 / 20, 1 / 16, 1 / 12, 1 / 8, 1 / 4]), np.arange(-8.0, 13.0, 2.0)
GRIDS = {66: (CRS, SNRS), 24: (CRS[[0, 1, 3, 5]], np.linspace(-8.0, 12.0, 6))}
IMAGES = 700
OF_FORMS = {
    "additive": [0.1, 0.9, -2.0, 0.3, 3.0],
    "hill": [0.1, 0.92, -3.6, 0.8, -2.0, 0.25, 1.5],
    "capped": [0.1, 0.9, -4.0, 1.0, -3.0, 0.3, 2.0, 1.5],
    "unified": [0.1, 0.9, -4.0, 1.5, -3.0, 0.4, 1.0, 1.5, 0.8, -0.3],
}
FIGURES = ("these", "new", "half", "inverse", "sure", "drawn", "/these", "/new")


class Stated(Truth):
    """A form of the ladder at stated parameters: the middle of their box, no chance in it."""

    def draw(self, rng):
        return (self.low + self.high) / 2


def family(name):
    """The surfaces that a grid's true share of hits over CR and SNR is drawn from."""
    if name not in OF_FORMS:
        return TRUTHS[name]
    middle = np.array(OF_FORMS[name])
    room = np.maximum(np.abs(middle), 1.0)
    room[0] = 0.0  # the floor is told
    return Stated(lambda cr, snr_db, p: FORMS[name](cr, snr_db, p), middle - room, middle + room)


def measured(truth, args, rng):
    """Points of a simulated table, these images' share of hits by the truth, and what rows share.

    The last is the correlation (N, N) between the rows' hits.
    """
    ratios, levels = GRIDS[args.cells]
    cr, snr_db = (a.ravel() for a in np.meshgrid(ratios, levels, indexing="ij"))
    cr, snr_db = np.tile(cr, args.seeds), np.tile(snr_db, args.seeds)
    share = np.clip(truth(cr, snr_db), 1e-6, 1 - 1e-6)
    share = np.clip(share + args.spread * rng.standard_normal(len(cr)), 1e-6, 1 - 1e-6)
    hard = np.sqrt(args.difficulty) * rng.standard_normal(IMAGES)
    own = np.sqrt(1 - args.difficulty)

    def among_these(p):
        p = np.clip(p, 1e-9, 1 - 1e-9)
        return ndtr((ndtri(p)[..., None] - hard) / max(own, 1e-9)).mean(axis=-1)

    hits = hard + own * rng.standard_normal((len(cr), IMAGES)) < ndtri(share)[:, None]
    value = hits.mean(axis=1)
    smooth = (value * IMAGES + 1) / (IMAGES + 2)
    points = Points(
        "accuracy", "clean", "higher", cr, snr_db, value,
        np.sqrt(smooth * (1 - smooth) / IMAGES), floor=0.1, n=np.full(len(cr), float(IMAGES)),
        noise="binomial", seed=np.repeat(np.arange(args.seeds), len(cr) // args.seeds),
    )  # fmt: skip
    away = hits - value[:, None]
    norm = np.sqrt(np.sum(away**2, axis=1))
    alike = away @ away.T / np.maximum(np.outer(norm, norm), 1e-12)
    alike = 0.98 * alike + 0.02 * np.eye(len(cr))
    np.fill_diagonal(alike, 1.0)
    if args.outcomes == "yes":
        points = replace(points, image_correlation=alike)
    if args.seeds > 1:
        by_cell = value.reshape(args.seeds, -1)
        measuring = (1 - args.difficulty) * np.mean(smooth * (1 - smooth)) / IMAGES
        spread = max(by_cell.var(axis=0, ddof=1).mean() - measuring, 0.0)
        points = replace(points, replicate_sd=float(np.sqrt(spread)),
                         replicate_dof=by_cell.shape[1] * (args.seeds - 1))  # fmt: skip
    if args.noise == "sd":
        points = replace(points, metric="similarity", noise="reported", n=np.full(len(cr), np.nan))
    return points, among_these, alike


def oracle(surfaces, parameters, points, alike, args, ratio, level):
    """Mean half-widths, these and new images, of one who knows the formula, to first order.

    Least squares with the cells' own variances, which weighs the rows as the fit does.
    """
    cr, snr_db = np.concatenate([points.cr, ratio]), np.concatenate([points.snr_db, level])
    step = 1e-4 * surfaces.width
    moves = [np.where(np.arange(len(step)) == i, h, 0.0) for i, h in enumerate(step) if h]
    slopes = np.stack([
        (surfaces.at(cr, snr_db, parameters + m) - surfaces.at(cr, snr_db, parameters - m)) / 2e-4
        for m in moves
    ], axis=1)  # fmt: skip
    here, there = slopes[: len(points.cr)], slopes[len(points.cr) :]
    share = np.clip(surfaces.at(points.cr, points.snr_db, parameters), 1e-3, 1 - 1e-3)
    whole = share * (1 - share) / IMAGES
    own = (1 - args.difficulty) * whole + args.spread**2
    told = here.T / own
    inverse = np.linalg.inv(told @ here + np.eye(len(moves)))
    error = there @ inverse @ told
    luck = np.sqrt(whole)[:, None] * alike * np.sqrt(whole) - (1 - args.difficulty) * np.diag(whole)
    these = np.einsum("nk,kl,nl->n", there, inverse, there)
    new = these + np.einsum("nk,kl,nl->n", error, luck, error)
    quantile = ndtri(0.5 + args.level / 2)
    return [quantile * np.mean(np.sqrt(np.maximum(v, 0.0))) for v in (these, new)]


def one(task):
    """Form chosen for one simulated grid, and the figures of `FIGURES`."""
    name, form, seed, args = task
    rng = np.random.default_rng([seed, 7])
    surfaces = family(name)
    parameters = surfaces.draw(rng)

    def truth(cr, snr_db):
        return surfaces.at(cr, snr_db, parameters)

    points, among_these, alike = measured(truth, args, rng)
    fit = fit_surface(points, name if form == "named" else form, seed, bootstraps=args.draws)
    ratio = np.exp(rng.uniform(np.log(CRS[0]), np.log(CRS[-1]), 40))
    level = rng.uniform(SNRS[0], SNRS[-1], 40)
    exact = truth(ratio, level)
    sure = args.level
    these = fit.predict(cr=ratio, snr_db=level, interval=sure, band="these-images")
    new = fit.predict(cr=ratio, snr_db=level, interval=sure)
    drawn = new
    if args.draws:
        drawn = fit.predict(cr=ratio, snr_db=level, interval=sure, method="bootstrap")
    halves = [np.mean(band.high - band.low) / 2 for band in (these, new)]
    best = oracle(surfaces, parameters, points, alike, args, ratio, level)
    found = [
        holds(these, among_these(exact)), holds(new, exact), halves[1],
        *needed(fit, ratio[:12], level[:12], exact[:12], sure, truth), holds(drawn, exact),
        *(half / known for half, known in zip(halves, best, strict=True)),
    ]  # fmt: skip
    return fit.form, found


def holds(band, truth):
    """Share of points whose band holds the truth."""
    return np.mean((band.low <= truth) & (truth <= band.high))


def needed(fit, ratio, level, exact, sure, truth):
    """Shares in which the interval of the SNR needed holds the true one, and a sure SNR does it."""
    held, met = [], []
    for c, s, target in zip(ratio, level, exact, strict=True):
        try:
            answer = fit.min_snr(target=float(target), cr=float(c), interval=sure)
        except TargetNotAttainable:
            continue
        low = -np.inf if answer.low <= SNRS[0] + 1e-9 else answer.low
        held.append(low <= s <= (np.inf if answer.high is None else answer.high))
        try:
            answer = fit.min_snr(target=float(target), cr=float(c), confidence=sure)
        except TargetNotAttainable:
            met.append(True)  # it promised nothing
            continue
        there = truth(np.array([c]), np.array([answer.snr_db]))
        met.append(there[0] >= target)
    return (np.mean(held) if held else np.nan), (np.mean(met) if met else np.nan)


def main():
    names = [*OF_FORMS, *TRUTHS]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grids", type=int, default=60)
    parser.add_argument("--cells", type=int, choices=list(GRIDS), default=66)
    parser.add_argument("--difficulty", type=float, default=0.0, help="correlation, 0 to 1")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each cell")
    parser.add_argument("--spread", type=float, default=0.0, help="between trainings, sd")
    parser.add_argument("--noise", choices=["binomial", "sd"], default="binomial")
    parser.add_argument("--outcomes", choices=["yes", "no"], default="yes")
    parser.add_argument("--level", type=float, default=0.95)
    parser.add_argument("--draws", type=int, default=0, help="draws, for their bands")
    parser.add_argument("--truths", nargs="+", default=list(TRUTHS), choices=names)
    parser.add_argument("--forms", nargs="+", default=["auto"], choices=["named", "auto"])
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    head = "".join(f"{name:>16}" for name in FIGURES)
    print(f"{'truth':10} {'form':6}{head}   chosen", flush=True)
    with ProcessPoolExecutor(args.jobs) as pool:
        for name, form in product(args.truths, args.forms):
            tasks = [(name, form, seed, args) for seed in range(args.grids)]
            results = list(pool.map(one, tasks, chunksize=2))
            forms = Counter(form for form, _ in results).most_common()
            text = ", ".join(f"{form} {count}" for form, count in forms)
            found = np.array([shares for _, shares in results], dtype=float)
            mean, count = np.nanmean(found, axis=0), np.sum(np.isfinite(found), axis=0)
            mean[-2:] = np.nanmedian(found[:, -2:], axis=0)
            error = np.nanstd(found, axis=0, ddof=1) / np.sqrt(count)
            cells = "".join(f"{m:8.4f} ± {e:.3f}" for m, e in zip(mean, error, strict=True))
            print(f"{name:10} {form:6}{cells}   {text}", flush=True)


if __name__ == "__main__":
    main()
