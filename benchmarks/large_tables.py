"""CPU seconds of the whole fit of large tables: scattered points, no two of one CR or SNR.

Per size: the choice among all forms, held-out errors and 1,000 bootstraps; and how far the
surface lies from the truth, against how far the noise of so many points lets any fit come.
"""

import argparse
import time

import numpy as np

from semloss.selection import Points
from semloss.surfaces.fitting.fit_surface import fit_surface
from semloss.surfaces.forms import FORMS

FORM, TRUTH = FORMS["unified"], np.array([0.1, 0.9, -4.0, 1.5, -3.0, 0.4, 1.0, 1.5, 0.8, -0.3])
IMAGES = 700


def scattered(count):
    """Accuracies at random CRs and SNRs, 700 images each."""
    rng = np.random.default_rng(count)
    cr = np.exp(rng.uniform(np.log(1 / 48), np.log(1 / 4), count))
    snr_db = rng.uniform(-8.0, 12.0, count)
    value = rng.binomial(IMAGES, FORM(cr, snr_db, TRUTH)) / IMAGES
    share = (value * IMAGES + 1) / (IMAGES + 2)
    return Points(
        "accuracy", "clean", "higher", cr, snr_db, value, np.sqrt(share * (1 - share) / IMAGES),
        floor=0.1, n=np.full(count, float(IMAGES)), noise="binomial",
    )  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[66, 700, 5_000, 60_000])
    print(f"{'points':>8} {'CPU s':>7} {'error':>9} {'least':>9}  form")
    fit_surface(scattered(66), bootstraps=10)  # imports and caches
    for count in parser.parse_args().sizes:
        points = scattered(count)
        began = time.process_time()
        fit = fit_surface(points)
        spent = time.process_time() - began
        exact = FORM(points.cr, points.snr_db, TRUTH)
        error = np.sqrt(
            np.mean((fit.predict(cr=points.cr, snr_db=points.snr_db).value - exact) ** 2)
        )
        # Each of the free parameters takes one part of the noise with it.
        least = np.sqrt((len(TRUTH) - 1) / count * np.mean(exact * (1 - exact) / IMAGES))
        print(f"{count:8} {spent:7.1f} {error:9.5f} {least:9.5f}  {fit.form}", flush=True)


if __name__ == "__main__":
    main()
