"""The full fitting job against the same job looped over lmfit, side by side in one run.

The job: every form of the ladder from 100 starts, its held-out errors over every CR, every SNR and
ten folds, then 1,000 bootstraps of the chosen form, on 66 cells. A fold is fitted from a random
start, which knows nothing of what is left out, and from the two best shapes of the whole table, as
`fit_surface` follows them to the end. Ours screens its starts, and adds the correction with its
draws, profiles and diagnosis; the loop does not. lmfit would take most of an hour, so it does a
share of each kind of solve, spread over the forms, and is scaled to the whole count.
"""

import argparse
import time
from dataclasses import replace

import numpy as np

from semloss.selection import Points
from semloss.surfaces.fitting.fit_surface import fit_surface
from semloss.surfaces.fitting.form_choice import folds
from semloss.surfaces.fitting.form_fit import fit_form
from semloss.surfaces.fitting.lmfit_model import SurfaceModel
from semloss.surfaces.forms import FORMS

TRUTH = [0.1, 0.9, -4.0, 1.5, -3.0, 0.3, 2.0, 1.5]
STARTS, BOOTSTRAPS, WARM = 100, 1000, 2


def table():
    """66 cells of a known surface, 700 images each."""
    crs, snrs = np.array([1 / 40, 1 / 20, 1 / 16, 1 / 12, 1 / 8, 1 / 4]), np.arange(-8.0, 13.0, 2.0)
    cr, snr_db = (a.ravel() for a in np.meshgrid(crs, snrs, indexing="ij"))
    value = np.random.default_rng(0).binomial(700, FORMS["capped"](cr, snr_db, np.array(TRUTH)))
    value = value / 700
    se = np.sqrt((value * 700 + 1) / 702 * (1 - (value * 700 + 1) / 702) / 700)
    return Points("accuracy", "clean", "higher", cr, snr_db, value, se, floor=0.1,
                  n=np.full(66, 700.0), noise="binomial")  # fmt: skip


def lmfit_solve(model, points, start, weight):
    """One fit as an lmfit user writes it."""
    parameters = model.guess(points.value, cr=points.cr, snr_db=points.snr_db)
    parameters["floor"].set(value=0.1, vary=False)
    for name, value in start.items():
        parameters[name].set(value=value)
    began = time.perf_counter()
    model.fit(
        points.value, parameters, cr=points.cr, snr_db=points.snr_db, weights=weight,
        method="least_squares", max_nfev=2000,
    )  # fmt: skip
    return time.perf_counter() - began


def lmfit_total(points, share, rng):
    """Seconds of the whole job over lmfit, from a share of its solves."""
    held, total = folds(points), 0.0
    for name, form in FORMS.items():
        if not form.parameters:
            continue
        model, weight = SurfaceModel(name), 1 / points.se
        names = [parameter.name for parameter in form.parameters]
        tried = form.random_starts(share, rng)
        starts = [dict(zip(names, shape, strict=True)) for shape in tried]
        total += STARTS * np.mean([lmfit_solve(model, points, s, weight) for s in starts])
        best = dict(zip(names, fit_form(form, points).parameters[2:], strict=True))
        some = [held[i] for i in rng.choice(len(held), share, replace=False)]
        cold, warm = (
            np.mean([lmfit_solve(model, points.subset(~f.out), s, weight[~f.out])
                     for f, s in zip(some, shapes, strict=True)])
            for shapes in (starts, [best] * share)
        )  # fmt: skip
        total += len(held) * (cold + WARM * warm)
    model, form = SurfaceModel("capped"), FORMS["capped"]
    best = dict(zip([p.name for p in form.parameters], TRUTH[2:], strict=True))
    drawn = [np.sqrt(rng.exponential(size=66)) / points.se for _ in range(3 * share)]
    total += BOOTSTRAPS * np.mean([lmfit_solve(model, points, best, w) for w in drawn])
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=int, default=3, help="lmfit solves of each kind and form")
    parser.add_argument("--rounds", type=int, default=3)
    share, rounds = (getattr(parser.parse_args(), name) for name in ("share", "rounds"))
    points, rng = table(), np.random.default_rng(1)
    fit_surface(replace(points), bootstraps=10)  # imports and caches
    ours, theirs = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        fit = fit_surface(points, starts=STARTS, bootstraps=BOOTSTRAPS)
        ours.append(time.perf_counter() - began)
        theirs.append(lmfit_total(points, share, rng))
    ratios = sorted(t / o for t, o in zip(theirs, ours, strict=True))
    print(f"full job, 66 cells, {len(FORMS)} forms: {np.median(ours):.2f} s, chose {fit.form}")
    print(f"the same looped over lmfit (scaled): {np.median(theirs):.0f} s")
    print(f"ratio: {np.median(ratios):.0f} ({ratios[0]:.0f} … {ratios[-1]:.0f}, {rounds} rounds)")


if __name__ == "__main__":
    main()
