"""A fitted surface as a scikit-learn estimator."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from semloss.arrays import Array
from semloss.errors import SemlossError
from semloss.selection import Points
from semloss.surfaces.fitted.bands import with_sd
from semloss.surfaces.fitted.fit import Fit
from semloss.surfaces.fitted.outcome import Outcome
from semloss.surfaces.fitting.fit_surface import fit_surface
from semloss.surfaces.fitting.form_fit import fit_form
from semloss.surfaces.fitting.packing import packed
from semloss.surfaces.forms import FORMS

_NAMES = ("cr", "snr_db")
_LEAST_CR = 1e-12
"""Stands for a CR of 0, the limit in which nothing gets through."""
_FEWEST = 4
"""Points without which there is no surface."""


class SemanticLossRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Metric = f(CR, SNR) with the interface of scikit-learn.

    `X` has the columns CR (k/n: channel uses per source sample, 0 or more) and SNR (Es/N0 in dB
    per complex symbol): in a DataFrame the columns named ``cr`` and ``snr_db`` where both are
    there, else the first two columns. Further columns are ignored; without names none of them
    may hold a negative number, which would hint at columns in another order. Unlike the rest of
    semloss, the estimator takes a CR above 1 (bandwidth expansion) and a CR of 0, the limit in
    which nothing gets through.

    Data too poor for a surface (few points, one CR, one SNR, equal values) are fitted with
    `logistic_snr`, `additive` or `constant`; `surface_.outcome` then says so.

    Parameters
    ----------
    form : str
        Name of a form, or ``auto`` for the simplest one that predicts held-out data as well as
        the best.
    direction : str
        ``higher`` or ``lower`` is better; ``auto`` follows the trend with SNR and CR.
    floor, ceiling : float or None
        Known metric when nothing gets through (chance) and at best (clean images).
    metric : str
        Name of the metric, for the reports of `surface_`.
    seed : int
        Seed of what is drawn at random; form and parameters do not depend on it.

    Attributes
    ----------
    surface_ : Fit
        The fit, with bands, inverse answers and fit file.
    form_ : str
        Name of the chosen form.
    n_features_in_, feature_names_in_
        Columns of `X` in `fit`.
    """

    def __init__(
        self,
        form: str = "auto",
        direction: str = "auto",
        floor: float | None = None,
        ceiling: float | None = None,
        metric: str = "value",
        seed: int = 0,
    ) -> None:
        self.form = form
        self.direction = direction
        self.floor = floor
        self.ceiling = ceiling
        self.metric = metric
        self.seed = seed

    def fit(self, X: ArrayLike, y: ArrayLike, se: ArrayLike | None = None) -> Self:  # noqa: N803
        """Fit the surface.

        Parameters
        ----------
        X
            CR and SNR in dB (N, 2 or more).
        y
            Metric (N,).
        se
            Standard errors (N,) of `y`; None where unknown.

        Raises
        ------
        ValueError
            When `X` has a single column, a negative CR, or a number that is not finite; when
            `se` does not match `y`; when the form or direction is unknown; or when a form
            asked by name cannot be fitted to such data.
        """
        checked = validate_data(self, X, y, dtype=np.float64, y_numeric=True, ensure_min_samples=2)
        rows, value = checked[0], checked[1].astype(np.float64)
        if self.direction not in ("auto", "higher", "lower"):
            raise ValueError(f"direction = {self.direction!r}: one of auto, higher, lower")
        cr, snr_db = self._inputs(rows)
        errors = np.zeros(len(value)) if se is None else column_or_1d(se).astype(np.float64)
        if errors.shape != value.shape or not np.all((errors >= 0) & np.isfinite(errors)):
            raise ValueError(f"se: give {len(value)} standard errors, 0 or more")
        direction = self.direction if self.direction != "auto" else _trend(cr, snr_db, value)
        points = Points(
            self.metric, "none", direction, cr, snr_db, value, errors, self.floor, self.ceiling,
            noise="none" if se is None else "reported",
        )  # fmt: skip
        try:
            self.surface_ = _fitted(points, self.form, self.seed)
        except SemlossError as error:
            raise ValueError(str(error)) from error
        self.form_ = self.surface_.form
        return self

    def predict(
        self,
        X: ArrayLike,  # noqa: N803
        return_std: bool = False,
    ) -> Array | tuple[Array, Array]:
        """Metric (N,) at the rows of `X`; with `return_std` also its standard deviation (N,).

        The deviation is that of the true mean metric: uncertain parameters and a form that may
        be wrong.
        """
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=np.float64, reset=False)
        cr, snr_db = self._inputs(rows)
        value, sd = with_sd(self.surface_, np.log(cr), snr_db)
        return (value, sd) if return_std else value

    def _inputs(self, X: NDArray[np.float64]) -> tuple[Array, Array]:  # noqa: N803
        """CR and SNR (N,) from checked rows."""
        if X.shape[1] < 2:
            raise ValueError(
                f"X has {X.shape[1]} feature(s) (n_features = {X.shape[1]}): it needs the columns "
                "cr and snr_db"
            )
        names = list(getattr(self, "feature_names_in_", ()))
        named = set(_NAMES) <= set(names)
        of_cr, of_snr = (names.index(name) for name in _NAMES) if named else (0, 1)
        checked = X[:, of_cr] if named else np.delete(X, of_snr, axis=1)
        if np.any(checked < 0):
            raise ValueError(
                "Negative values in data: a CR is k/n, 0 or more, and only the SNR may be "
                "negative; are the columns in the order cr, snr_db?"
            )
        return np.maximum(X[:, of_cr], _LEAST_CR), X[:, of_snr]

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401
        """State what scikit-learn's own tests should know.

        The SNR may be negative, nothing else. Columns beyond the second are ignored, so that
        scores on data of other kinds are poor.
        """
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.regressor_tags.poor_score = True
        return tags


def _trend(cr: Array, snr_db: Array, y: Array) -> str:
    """Direction in which the metric moves as the link gets better."""
    centred = y - y.mean()
    trend = 0.0
    for axis in (np.log(cr), snr_db):
        spread = axis.std()
        if spread > 0:
            trend += float(np.mean((axis - axis.mean()) * centred)) / spread
    return "lower" if trend < 0 else "higher"


def _fitted(points: Points, form: str, seed: int) -> Fit:
    """Fit; under ``auto``, data too poor for a surface get the form that they can support."""
    poor = _poverty(points) if form == "auto" else None
    if poor is None:
        return fit_surface(points, form, seed, bootstraps=0)
    name, outcome = poor
    fit = fit_form(FORMS[name], points)
    quality = {"points": len(points.value), "rmse": fit.rmse}
    return packed(fit, quality, outcome, outcome.remedy)


def _poverty(points: Points) -> tuple[str, Outcome] | None:
    """What the data cannot show, and the form that does without it."""
    one_cr, one_snr = np.ptp(points.cr) == 0, np.ptp(points.snr_db) == 0
    if np.ptp(points.value) == 0:
        return "constant", Outcome.CONSTANT_VALUES
    if len(points.value) < _FEWEST or (one_cr and one_snr):
        return "constant", Outcome.TOO_FEW_POINTS
    if one_cr:
        return "logistic_snr", Outcome.ONE_CR
    return ("additive", Outcome.ONE_SNR) if one_snr else None
