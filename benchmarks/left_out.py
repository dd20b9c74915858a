"""Errors at a compression ratio that was left out, ours beside what else one would reach for.

Each inner CR of a table is left out in turn, everything is fitted to the rest, and its points are
predicted: by `fit_surface`, by lmfit with a logistic in (ln CR, SNR) and their product, by a
Gaussian process (scikit-learn), by a tensor-product spline model with ridge, and by straight
lines in ln CR at each SNR. Tables: the metrics of data/eurosat-awgn, and simulated surfaces that
are no form of the ladder. Printed is the RMSE in percent of the table's range.
"""

import argparse
import warnings
from pathlib import Path

import lmfit
import numpy as np
from scipy.stats import norm
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.linear_model import RidgeCV
from sklearn.preprocessing import SplineTransformer

from semloss.selection import Points, select
from semloss.surfaces.fitting.fit_surface import fit_surface
from semloss.tables import load_table

REFERENCE = Path(__file__).parents[1] / "data" / "eurosat-awgn"
MEASURED = (
    ("psnr_db", None), ("psnr_mean_mse_db", None), ("ssim", None), ("ms_ssim_3", None),
    ("accuracy", "clean"), ("accuracy", "matched"), ("macro_f1", "clean"),
    ("macro_f1", "matched"),
)  # fmt: skip
GRID = (1 / np.array([48.0, 24, 16, 12, 8, 6])), np.arange(-8.0, 13.0, 2.0)
SIMILARITY = np.linspace(0.05, 1.0, 20), np.arange(-10.0, 21.0)


def similarity(x, s):
    """Between 0.38 and 1, rate and SNR helping each other, an approach slower than a logistic."""
    better = 0.25 * (s + 2.0) + (1.6 + 0.05 * s) * (x - np.log(0.3))
    return 0.38 + 0.6 * (1 + np.exp(-better)) ** -0.8 + 0.03 * np.tanh(s / 4 - 2) * np.exp(x / 2)


SIMULATED = {
    "similarity, 20 × 31": (similarity, SIMILARITY, 0.008),
    "normal-cdf": (lambda x, s: 0.1 + (0.9 + 0.15 * (x + 1.8)) * 0.85 * norm.cdf(
        (s + 2 * (x + 2.5) + 1) / 6), GRID, 0.012),
    "tanh": (lambda x, s: 0.5 + 0.38 * np.tanh((s + 3 * (x + 2.7)) / 8), GRID, 0.012),
    "saturating power": (lambda x, s: 0.9 * (1 - np.exp(-9 * np.exp(0.8 * x))) * (
        (10 ** (s / 10)) / (1 + 10 ** (s / 10))) ** 0.35, GRID, 0.012),
    "moving cliff": (lambda x, s: 0.15 + (0.7 + 0.05 * x) / (1 + np.exp(
        -1.2 * (s + 5 * (x + 2.7)))) + 0.01 * s, GRID, 0.012),
}  # fmt: skip


def tables():
    """Name and points of every table."""
    reference = load_table(REFERENCE)
    for metric, receiver in MEASURED:
        name = metric if receiver is None else f"{metric} ({receiver})"
        yield name, select(reference, metric, receiver)
    for i, (name, (value, grid, noise)) in enumerate(SIMULATED.items()):
        cr, snr_db = (axis.ravel() for axis in np.meshgrid(*grid, indexing="ij"))
        drawn = np.random.default_rng(i).normal(0.0, noise, len(cr))
        yield name, Points("quality", "none", "higher", cr, snr_db,
                           value(np.log(cr), snr_db) + drawn, np.zeros(len(cr)))  # fmt: skip


def ours(kept, out):
    """The form that `fit_surface` chooses."""
    fit = fit_surface(kept, bootstraps=0)
    return fit.predict(cr=out.cr, snr_db=out.snr_db).value


def logistic(kept, out):
    """A logistic in (ln CR, SNR) with their product, by lmfit, from several starts."""

    def surface(p, points):
        x, s = np.log(points.cr), points.snr_db
        z = p["a"] + p["b"] * x + p["c"] * s + p["d"] * x * s
        return p["low"] + p["span"] / (1 + np.exp(-np.clip(z, -50, 50)))

    best = None
    for steep in (0.05, 0.15, 0.4):
        p = lmfit.Parameters()
        p.add("low", kept.value.min())
        p.add("span", np.ptp(kept.value))
        p.add_many(("a", steep), ("b", 1.0), ("c", steep), ("d", 0.0))
        found = lmfit.minimize(lambda p: surface(p, kept) - kept.value, p)
        best = found if best is None or found.chisqr < best.chisqr else best
    return surface(best.params, out)


def axes(kept, out):
    """(ln CR, SNR) of both, scaled by those that are kept."""
    at = [np.stack([np.log(points.cr), points.snr_db], axis=1) for points in (kept, out)]
    return [(a - at[0].mean(axis=0)) / at[0].std(axis=0) for a in at]


def process(kept, out):
    """A Gaussian process with a length per axis and noise."""
    here, there = axes(kept, out)
    kernel = ConstantKernel(4.0, (1e-2, 1e3)) * RBF([1.0, 1.0], (0.2, 30)) + WhiteKernel(1e-3)
    model = GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=2,
                                     random_state=0)  # fmt: skip
    return model.fit(here, kept.value).predict(there)


def splines(kept, out):
    """Products of cubic splines over both axes, ridge chosen by leaving out single points."""
    here, there = axes(kept, out)
    count = [max(min(len(np.unique(axis)) // 2, 8), 2) for axis in here.T]
    made = [
        SplineTransformer(n, knots="quantile", extrapolation="linear").fit(here[:, [i]])
        for i, n in enumerate(count)
    ]
    rows = [
        np.einsum("ni,nj->nij", *(m.transform(at[:, [i]]) for i, m in enumerate(made))).reshape(
            len(at), -1)
        for at in (here, there)
    ]  # fmt: skip
    return RidgeCV(np.logspace(-8, 2, 21)).fit(rows[0], kept.value).predict(rows[1])


def lines(kept, out):
    """Straight lines in ln CR at each SNR."""
    found = np.empty(len(out.value))
    for i, (cr, snr_db) in enumerate(zip(out.cr, out.snr_db, strict=True)):
        row = np.flatnonzero(kept.snr_db == snr_db)
        row = row[np.argsort(kept.cr[row])]
        found[i] = np.interp(np.log(cr), np.log(kept.cr[row]), kept.value[row])
    return found


WAYS = {"semloss": ours, "logistic": logistic, "process": process, "splines": splines,
        "lines": lines}  # fmt: skip


def left_out(points, every):
    """RMSE of every way at the inner CRs, one of `every` of them, in percent of the range."""
    squares = {name: [] for name in WAYS}
    for cr in np.unique(points.cr)[1:-1:every]:
        out, kept = points.subset(points.cr == cr), points.subset(points.cr != cr)
        for name, way in WAYS.items():
            squares[name].append((way(kept, out) - out.value) ** 2)
    share = 100 / np.ptp(points.value)
    return {name: share * np.sqrt(np.mean(np.concatenate(s))) for name, s in squares.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", metavar="TEXT", default="", help="tables whose name has it")
    only = parser.parse_args().only
    print(f"{'RMSE, % of range':22}", *(f"{name:>9}" for name in WAYS), "   ours ÷ best other")
    ratios = []
    for name, points in tables():
        if only in name:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                errors = left_out(points, 4 if len(np.unique(points.cr)) > 12 else 1)
            ratios.append(
                errors["semloss"] / min(e for way, e in errors.items() if way != "semloss")
            )
            print(f"{name:22}", *(f"{error:9.2f}" for error in errors.values()),
                  f"{ratios[-1]:12.2f}", flush=True)  # fmt: skip
    good = sum(ratio <= 1.1 for ratio in ratios)
    print(f"best or within 10 % of the best: {good} of {len(ratios)} tables")


if __name__ == "__main__":
    main()
