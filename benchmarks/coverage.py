"""How often bands, inverse intervals and confident answers hold the truth, over simulated grids.

66 cells (6 CR × 11 SNR), binomial noise of 700 images, the form named or chosen (`auto`). The
band is asked at random points of the domain, the inverse (minimum SNR) at the true value there,
each at 68, 95 and 99 %; "sure" is how often the SNR that meets the target with so much confidence
does meet it, "drawn" the band from the bootstrap draws. ± is the standard error over the grids.
"""

import argparse
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise, product

import numpy as np

from semloss.errors import TargetNotAttainable
from semloss.selection import Points
from semloss.surfaces.fitting.fit_surface import fit_surface
from semloss.surfaces.forms import FORMS

CRS, SNRS = np.array([1 / 40, 1 / 20, 1 / 16, 1 / 12, 1 / 8, 1 / 4]), np.arange(-8.0, 13.0, 2.0)
IMAGES = 700
TRUTH = {
    "additive": [0.1, 0.9, -2.0, 0.3, 3.0],
    "hill": [0.1, 0.92, -3.6, 0.8, -2.0, 0.25, 1.5],
    "capped": [0.1, 0.9, -4.0, 1.0, -3.0, 0.3, 2.0, 1.5],
    "unified": [0.1, 0.9, -4.0, 1.5, -3.0, 0.4, 1.0, 1.5, 0.8, -0.3],
}


LEVELS = (0.68, 0.95, 0.99)
ASKED = ("band", "inverse", "sure", "drawn")


def one(task):
    """Form chosen for one simulated grid, and coverage (levels, answers) of what it is asked."""
    name, form, seed, draws = task
    truth, rng = np.array(TRUTH[name]), np.random.default_rng([seed, 7])
    cr, snr_db = (a.ravel() for a in np.meshgrid(CRS, SNRS, indexing="ij"))
    value = rng.binomial(IMAGES, FORMS[name](cr, snr_db, truth)) / IMAGES
    share = (value * IMAGES + 1) / (IMAGES + 2)
    points = Points(
        "accuracy", "clean", "higher", cr, snr_db, value, np.sqrt(share * (1 - share) / IMAGES),
        floor=0.1, n=np.full(len(cr), float(IMAGES)), noise="binomial",
    )  # fmt: skip
    fit = fit_surface(points, name if form == "named" else form, seed, bootstraps=draws)
    ratio = np.exp(rng.uniform(np.log(CRS[0]), np.log(CRS[-1]), 40))
    level = rng.uniform(SNRS[0], SNRS[-1], 40)
    exact = FORMS[name](ratio, level, truth)
    methods = ("delta", "bootstrap") if draws else ("delta",)
    bands = {m: [fit.predict(cr=ratio, snr_db=level, interval=i, method=m) for i in LEVELS]
             for m in methods}  # fmt: skip
    for inner, outer in (pair for found in bands.values() for pair in pairwise(found)):
        assert np.all((outer.low <= inner.low) & (inner.high <= outer.high)), "not nested"
    held = {m: [np.mean((b.low <= exact) & (exact <= b.high)) for b in found]
            for m, found in bands.items()}  # fmt: skip
    needs = [needed(fit, ratio[:12], level[:12], exact[:12], i, name) for i in LEVELS]
    inverse, sure = np.array(needs).T
    return fit.form, np.stack([held["delta"], inverse, sure, held[methods[-1]]], axis=1)


def needed(fit, ratio, level, exact, sure, name):
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
        there = FORMS[name](np.array([c]), np.array([answer.snr_db]), np.array(TRUTH[name]))
        met.append(there[0] >= target)
    return np.mean(held), np.mean(met)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grids", type=int, default=500)
    parser.add_argument("--draws", type=int, default=0, help="bootstrap draws, for their bands")
    parser.add_argument("--truths", nargs="+", default=list(TRUTH), choices=list(TRUTH))
    parser.add_argument("--forms", nargs="+", default=["named", "auto"], choices=["named", "auto"])
    args = parser.parse_args()
    asked = ASKED if args.draws else ASKED[:3]
    head = "".join(f"{name:>16}" for name in asked)
    print(f"{'truth':10} {'form':6} {'level':>6}{head}   chosen")
    with ProcessPoolExecutor() as pool:
        for name, form in product(args.truths, args.forms):
            tasks = [(name, form, seed, args.draws) for seed in range(args.grids)]
            results = list(pool.map(one, tasks, chunksize=5))
            forms = Counter(form for form, _ in results).most_common()
            text = ", ".join(f"{form} {count}" for form, count in forms)
            found = np.array([shares for _, shares in results])
            mean, count = np.nanmean(found, axis=0), np.sum(np.isfinite(found), axis=0)
            error = np.nanstd(found, axis=0, ddof=1) / np.sqrt(count)
            for i, level in enumerate(LEVELS):
                cells = "".join(f"{mean[i, j]:9.3f} ± {error[i, j]:.3f}" for j in range(len(asked)))
                print(f"{name:10} {form:6} {level:6.2f}{cells:}   {text if i == 0 else ''}",
                      flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
