"""Choosing a form: errors on data held out, information criteria, and a rule that is stated."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semloss.arrays import Array, Mask
from semloss.selection import Points
from semloss.surfaces.fitting.form_fit import FormFit
from semloss.surfaces.fitting.search import search_parts

_FOLDS = 10
_MOST_LEVELS = 12
"""Folds of an axis: one for each of its values, or for each of as many groups of neighbours."""
SCHEMES = ("leave_cr_out", "leave_snr_out", "edge_out", "k_fold")
"""Ways to hold points out, as the comparison table names them."""
_KNOWN = 2
"""Shapes of the whole table that a fit to a fold tries beside its own cold starts."""

_ASTRAY = 3.0
"""How many times the least error on held-out edges a form may make and still be chosen."""

_REJECTED = 30.0
"""BIC above the best form's that no held-out error makes good: odds of a million to one."""

RULES = {
    "one-se": "the simplest form whose mean squared held-out error lies within one standard "
    "error of the best form's (standard error of their difference, point by point); left aside "
    "are forms that go astray at held-out edges, that do not earn their further parameters (BIC "
    "above a simpler form's), or that the likelihood rejects (BIC 30 above the best form's); "
    "where no form can be held out, the one of least BIC",
    "held-out": "the form of least held-out error",
    "aicc": "the form of least AICc, the corrected Akaike criterion of the plain likelihood",
    "bic": "the form of least BIC, the Bayesian criterion of the plain likelihood",
}
"""Rules that pick the form, and how each reads in a sentence."""


@dataclass(frozen=True)
class Fold:
    """Points held out together: why, and which."""

    scheme: str
    out: NDArray[np.bool_]
    inner: bool
    """Whether predicting them is interpolation: no end of the CR or SNR axis is held out."""


@dataclass(frozen=True)
class HeldOut:
    """Squared errors (N,) of a form on points held out, NaN where a scheme leaves a point in.

    `edge_out` is (4, N): a corner is held out with both of its edges.
    `inner` is the yardstick of the choice: inside the domain is where a surface is asked, and
    between the few CRs of a table is where it knows least. A point of an inner CR counts with
    that CR left out, any other with the mean over the schemes in which it was interpolated.
    """

    leave_cr_out: Array
    leave_snr_out: Array
    edge_out: Array
    k_fold: Array
    inner: Array

    def rms(self, scheme: str, of: Mask | None = None) -> float | None:
        """Root mean squared error of a scheme, over the points `of` (N,) or all of them.

        None where it could not be computed.
        """
        squares = getattr(self, scheme)
        squares = squares if of is None else squares[..., of]
        known = squares[~np.isnan(squares)]
        return float(np.sqrt(known.mean())) if known.size else None


def folds(points: Points) -> list[Fold]:
    """Every CR, every SNR and every tenth of the points, held out in turn.

    An axis of two values is not held out: one value tells no slope. On an axis of more than a
    dozen, neighbouring values are held out together, a twelfth of them at a time.
    """
    found = []
    for scheme, axis in (("leave_cr_out", points.cr), ("leave_snr_out", points.snr_db)):
        levels, at = np.unique(axis, return_inverse=True)
        if len(levels) > 2:
            count = min(len(levels), _MOST_LEVELS)
            part = (at * count) // len(levels)
            found += [Fold(scheme, part == i, 0 < i < count - 1) for i in range(count)]
    # Cells in random order, or a tenth of a grid of ten SNRs would be one of them; replicates of
    # a cell leave together, or one would tell the other.
    cells = np.unique(np.stack([points.cr, points.snr_db]), axis=1, return_inverse=True)[1].ravel()
    total = int(cells.max()) + 1
    count = min(_FOLDS, total)
    part = np.random.default_rng(0).permutation(total)[cells] % count
    found += [Fold("k_fold", part == i, True) for i in range(count)]
    return found


def hold_out(fit: FormFit, held: list[Fold]) -> HeldOut:
    """Errors of a form on every fold, each predicted by a fit without it."""
    count = len(fit.points.value)
    needed = int(fit.free.sum())
    usable = [fold for fold in held if count - int(fold.out.sum()) >= needed]
    errors = {"leave_cr_out": np.full(count, np.nan), "leave_snr_out": np.full(count, np.nan),
              "k_fold": np.full(count, np.nan)}  # fmt: skip
    edge, inner = np.full((4, count), np.nan), np.full((3, count), np.nan)
    rows = {"leave_cr_out": 0, "leave_snr_out": 1, "k_fold": 2}
    if usable:
        weights = np.array([np.where(fold.out, 0.0, 1.0) for fold in usable])
        found = search_parts(fit.problems, fit.points, weights, fit.shapes[:_KNOWN])
        edges = 0
        for fold, p in zip(usable, found, strict=True):
            out = fold.out
            error = fit.form(fit.points.cr[out], fit.points.snr_db[out], p)
            square = (error - fit.points.value[out]) ** 2
            errors[fold.scheme][out] = square
            if fold.inner:
                inner[rows[fold.scheme], out] = square
            else:
                edge[edges, out] = square
                edges += 1
    told = np.where(np.isnan(inner[0]), _mean(inner), inner[0])
    return HeldOut(**errors, edge_out=edge, inner=told)


def choose(
    fits: Mapping[str, FormFit], held: Mapping[str, HeldOut], rule: str, good: list[str]
) -> str:
    """Name of the form that a rule picks; `good` are those that `equals` names."""
    if rule in ("aicc", "bic"):
        return min(fits, key=lambda name: getattr(fits[name], rule))
    if not good:  # too few points to hold any out; AICc is infinite for so few
        return min(fits, key=lambda name: fits[name].bic)
    if rule == "held-out":
        kept = _kept(fits)
        return min(good, key=lambda name: held[name].rms("inner", kept) or 0.0)
    return min(good, key=lambda name: int(fits[name].free.sum()))


def equals(fits: Mapping[str, FormFit], held: Mapping[str, HeldOut]) -> list[str]:
    """Names of the forms that held-out data cannot tell from the best, in the ladder's order.

    Their mean squared error lies within one standard error of the best form's, they do not go
    astray at the held-out edges, and the likelihood supports them above
    every simpler one.
    """
    kept = _kept(fits)
    known = {n: e.inner[kept] for n, e in held.items() if n in fits}
    known = {n: squares for n, squares in known.items() if not np.isnan(squares).any()}
    if not any(fits[name].form.parameters for name in known):
        return []
    edges = {name: held[name].rms("edge_out", kept) for name in known}
    least = min((error for error in edges.values() if error is not None), default=0.0)
    steady = [name for name, error in edges.items() if error is None or error <= _ASTRAY * least]
    size = {name: int(fits[name].free.sum()) for name in steady}
    steady = [
        name
        for name in steady
        if not any(
            size[other] < size[name] and fits[other].bic < fits[name].bic for other in steady
        )
    ]
    best = min(steady, key=lambda name: float(known[name].mean()))

    def as_good(name: str) -> bool:
        worse = known[name] - known[best]
        tells_no_worse = worse.mean() <= worse.std(ddof=1) / math.sqrt(len(worse))
        return bool(tells_no_worse and fits[name].bic <= fits[best].bic + _REJECTED)

    return [name for name in steady if as_good(name)]


def _kept(fits: Mapping[str, FormFit]) -> Mask:
    """Points (N,) with a say in the choice: no form should have foreseen a robust fit's outlier."""
    return np.asarray(~fits[min(fits, key=lambda name: fits[name].bic)].outliers)


def comparison(fits: Mapping[str, FormFit], held: Mapping[str, HeldOut]) -> dict[str, Any]:
    """Rows of the comparison table: form -> its figures, None where they cannot be computed."""
    return {
        name: {
            "parameters": int(fit.free.sum()),
            "rmse": fit.rmse,
            "aicc": fit.aicc if math.isfinite(fit.aicc) else None,
            "bic": fit.bic,
            **{scheme: held[name].rms(scheme) for scheme in SCHEMES},
            "held_out": held[name].rms("inner"),
            "outcome": fit.outcome()[0].value,
        }
        for name, fit in fits.items()
    }  # fmt: skip


def _mean(rows: Array) -> Array:
    """Mean over the rows that know a point, NaN where none does."""
    known = ~np.isnan(rows)
    total = np.where(known, rows, 0.0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)
