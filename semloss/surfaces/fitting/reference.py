"""The non-parametric reference: what a smooth surface without a formula would predict.

A Gaussian process over (ln CR, SNR) with a length per axis. It is not offered for prediction (it
is neither monotone nor sure of its limits); it shows what a closed form leaves on the table.
"""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from semloss.arrays import Array
from semloss.selection import Points
from semloss.surfaces.fitting.form_choice import SCHEMES, Fold, HeldOut
from semloss.surfaces.fitting.scatter import variance

NAME = "reference"
_MOST = 250
"""Points from which the lengths are learnt; the cost grows with their cube."""


def row(points: Points, held: list[Fold]) -> dict[str, Any]:
    """The reference's line in the table of forms."""
    rmse, errors = reference(points, held)
    figures = {scheme: errors.rms(scheme) for scheme in SCHEMES}
    return {
        "parameters": None, "rmse": rmse, "aicc": None, "bic": None, **figures,
        "held_out": errors.rms("inner"), "outcome": "no formula",
    }  # fmt: skip


def reference(points: Points, held: list[Fold]) -> tuple[float, HeldOut]:
    """In-sample error of the reference and its errors on the folds.

    The lengths and the noise are learnt once, from the whole table: a reference may know more
    than a form does.
    """
    axes = np.stack([np.log(points.cr), points.snr_db], axis=1)
    axes = (axes - axes.mean(axis=0)) / axes.std(axis=0)
    centre, scale = float(points.value.mean()), float(points.value.std()) or 1.0
    value = (points.value - centre) / scale
    noise = variance(points, points.value) / scale**2
    some = np.linspace(0, len(value) - 1, min(len(value), _MOST)).round().astype(int)
    kernel = ConstantKernel(4.0, (1e-2, 1e3)) * RBF([1.0, 1.0], (0.2, 30.0)) + WhiteKernel(
        1e-3, (1e-8, 1.0)
    )
    process = GaussianProcessRegressor(
        kernel, alpha=noise[some] + 1e-10, n_restarts_optimizer=1, random_state=0
    )
    with warnings.catch_warnings():
        # A length at the end of its range is no fault of a reference: the axis is flat there.
        warnings.simplefilter("ignore", ConvergenceWarning)
        process.fit(axes[some], value[some])
    smooth, white = process.kernel_.k1, float(process.kernel_.k2.noise_level)
    covariance = smooth(axes)
    observed = covariance + np.diag(noise + white + 1e-10)

    def predicted(out: NDArray[np.intp], kept: NDArray[np.intp]) -> Array:
        weights = np.linalg.solve(observed[np.ix_(kept, kept)], value[kept])
        return np.asarray(covariance[np.ix_(out, kept)] @ weights)

    everything = np.arange(len(value))
    rmse = scale * float(np.sqrt(np.mean((predicted(everything, everything) - value) ** 2)))
    squares = {name: np.full(len(value), np.nan) for name in
               ("leave_cr_out", "leave_snr_out", "k_fold")}  # fmt: skip
    inner: list[Array] = []
    edge: list[Array] = [np.array([])]
    for fold in held:
        out, kept = np.flatnonzero(fold.out), np.flatnonzero(~fold.out)
        if kept.size < 4:
            continue
        square = (scale * (predicted(out, kept) - value[out])) ** 2
        squares[fold.scheme][out] = square
        (inner if fold.inner else edge).append(square)
    every = np.concatenate(inner) if inner else np.array([])
    return rmse, HeldOut(**squares, edge_out=np.concatenate(edge), inner=every)
