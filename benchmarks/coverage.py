"""How often the 95 % bands and the inverse intervals hold the truth, over simulated grids.

66 cells (6 CR × 11 SNR), binomial noise of 700 images, the form named or chosen (`auto`). The
band is asked at random points of the domain, the inverse (minimum SNR) at the true value there.
"""

import argparse
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import product

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


def one(task):
    """Coverage of one simulated grid: band, inverse, and the form chosen."""
    name, form, seed = task
    truth, rng = np.array(TRUTH[name]), np.random.default_rng([seed, 7])
    cr, snr_db = (a.ravel() for a in np.meshgrid(CRS, SNRS, indexing="ij"))
    value = rng.binomial(IMAGES, FORMS[name](cr, snr_db, truth)) / IMAGES
    share = (value * IMAGES + 1) / (IMAGES + 2)
    points = Points(
        "accuracy", "clean", "higher", cr, snr_db, value, np.sqrt(share * (1 - share) / IMAGES),
        floor=0.1, n=np.full(len(cr), float(IMAGES)), noise="binomial",
    )  # fmt: skip
    fit = fit_surface(points, name if form == "named" else form, seed, bootstraps=0)
    ratio = np.exp(rng.uniform(np.log(CRS[0]), np.log(CRS[-1]), 40))
    level = rng.uniform(SNRS[0], SNRS[-1], 40)
    exact = FORMS[name](ratio, level, truth)
    band = fit.predict(cr=ratio, snr_db=level)
    solved = []
    for c, s, target in zip(ratio[:12], level[:12], exact[:12], strict=True):
        try:
            needed = fit.min_snr(target=float(target), cr=float(c))
        except TargetNotAttainable:
            continue
        low = -np.inf if needed.low <= SNRS[0] + 1e-9 else needed.low
        solved.append(low <= s <= (np.inf if needed.high is None else needed.high))
    return fit.form, np.mean((band.low <= exact) & (exact <= band.high)), np.mean(solved)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grids", type=int, default=500)
    grids = parser.parse_args().grids
    print(f"{'truth':10} {'form':6} {'band':>6} {'inverse':>8}   chosen")
    with ProcessPoolExecutor() as pool:
        for name, form in product(TRUTH, ("named", "auto")):
            tasks = [(name, form, seed) for seed in range(grids)]
            results = list(pool.map(one, tasks, chunksize=5))
            forms = Counter(result[0] for result in results).most_common()
            band, inverse = (np.nanmean([r[i] for r in results]) for i in (1, 2))
            text = ", ".join(f"{form} {count}" for form, count in forms)
            print(f"{name:10} {form:6} {band:6.3f} {inverse:8.3f}   {text}", flush=True)


if __name__ == "__main__":
    main()
