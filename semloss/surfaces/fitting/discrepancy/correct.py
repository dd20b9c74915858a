"""What no form follows: a Gaussian process on top of the chosen one, and the doubt about the sum.

The measurements are the chosen form, plus what it may still bend to, plus a smooth discrepancy,
plus noise (universal kriging, Sacks et al. 1989; the discrepancy of a model, Kennedy and O'Hagan
2001). What the form may bend to is an ensemble: forms that held-out data cannot tell apart,
fitted within their bounds. The chosen form's values are scattered far beyond their noise, so that
the data alone say what its parameters are, and one that they leave open moves the surface no
farther than its bounds do; the other forms' as their noise is, for they are there to say where
they part from it. Size and lengths of the
discrepancy, the share of the told noise that cells do not have in common, and the scatter between
trainings are not tested for but averaged over a grid, by their likelihood.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from semloss.arrays import Array, Mask
from semloss.facts import SHARED, metric_facts
from semloss.selection import Points
from semloss.surfaces.fitted.correction import FINER, GROWTH, Correction
from semloss.surfaces.fitting.discrepancy.draws import MARGIN, compressed, drawn_within, rising
from semloss.surfaces.fitting.discrepancy.process import TINY, Process, Residuals, Setting, noises
from semloss.surfaces.fitting.form_fit import FormFit
from semloss.surfaces.fitting.scatter import variance
from semloss.surfaces.fitting.uncertainty import bootstrap

_MEMBERS, _INFLATED = 240, 4.0
"""Members of the ensemble, and by how many times the noise the chosen form's are scattered."""
_FEW = 6
"""Members from each form that does about as well without being a rival."""
_OWN, _LEAST_OWN = (1.0, 0.3), 0.1
"""Shares of the told noise that may be a cell's own where no outcomes of images tell it."""
_DEEP = 3
"""CRs or SNRs at an end of the table that are held out together, at most."""
_KNOTS = 16
"""Intervals of the lattice along each axis of the table."""
_MOST = 240
"""Points beyond which neighbours are averaged first."""
_DRAWN = 400
"""Draws that the fields are taken from where fewer are asked."""
_OUTLYING = 1e-6
"""Weight of a point that a robust fit has found to be an outlier."""


@dataclass(frozen=True)
class Discrepancy:
    """The correction of a form, and what was found on the way.

    `told` has, in the metric's unit, the standard deviations of the three kinds of scatter:
    ``image_noise`` (None where nothing tells it), ``training_scatter`` and ``form_misfit``; and
    ``shared_images``, what the fit takes the cells' errors to share. `training_sd` is the second.
    `errors` has the errors of the corrected surface, in sample and by scheme, as of a form.
    """

    correction: Correction
    training_sd: float
    told: dict[str, Any]
    errors: dict[str, float | None]


def discrepancy(
    chosen: FormFit,
    rivals: Sequence[FormFit],
    distant: Sequence[FormFit],
    seed: int,
    draws: int,
    *,
    images_told: bool,
    independent: bool = False,
) -> Discrepancy | None:
    """Correct a form by what it misses; None where the values do not move.

    Parameters
    ----------
    chosen, rivals
        The form, and others that held-out data cannot tell from it.
    distant
        Forms that do about as well where the table is, and may part from it elsewhere.
    draws
        Draws of the surface to keep.
    images_told
        Whether it is outcomes of images that tell the points' `image_correlation`.
    independent
        Whether every cell was measured on images of its own. Otherwise the points' own
        `image_correlation` tells what they share, or, without one, `SHARED`.
    """
    points = chosen.points
    scale = float(np.ptp(points.value))
    if scale == 0:
        return None
    data = _data(chosen, scale, independent=independent)
    axes = [_axis(np.log(points.cr)), _axis(points.snr_db)]
    knots = [a.ravel() for a in np.meshgrid(*axes, indexing="ij")]
    x, snr = (np.concatenate(pair) for pair in zip((data.x, data.snr), knots, strict=True))
    base = chosen.form(np.exp(x), snr, chosen.parameters)
    bends = _bends(chosen, rivals, distant, np.exp(x), snr, base, seed) / scale
    model = Process(data, bends, *knots)
    sure = points.noise != "reported" or images_told
    told = bool(np.any(data.noise > 0))
    settings = model.weighed(noises(told, sure, _own(points, independent)))
    found = model.mixed(settings)
    shape = (len(axes[0]), len(axes[1]))
    surface = base[len(data.x) :].reshape(shape)
    rng = np.random.default_rng([seed, 3])
    normal = rng.standard_normal((max(draws, _DRAWN), len(surface.ravel())))
    ends = _ends(chosen)
    these, new = (
        drawn_within(surface, scale, found.mean, covariance, normal, ends, points.sign)
        for covariance in (found.these, found.new)
    )
    mean = these.mean
    fine = [np.linspace(axis[0], axis[-1], FINER * (len(axis) - 1) + 1) for axis in axes]
    basis, weights = compressed(new.surfaces[: draws or 2] - mean, new.sd)
    held, growth = _held_out(model, settings, scale)
    growth = np.hypot(growth, _apart(chosen, [*rivals, *distant]))
    doubt = {
        "image_noise": _of_images(data, scale),
        "training_scatter": scale * found.training,
        "form_misfit": scale * found.size,
        "shared_images": _sharing(points, independent=independent, told=images_told),
    }  # fmt: skip
    correction = Correction(
        np.array([axis[0] for axis in axes]), np.array([axis[1] - axis[0] for axis in axes]),
        mean - surface, these.sd, new.sd, growth, basis, weights[:draws],
    )  # fmt: skip
    correction = replace(correction, mean=_finer(chosen, correction, fine)).rounded()
    missed = correction.at(correction.mean, np.log(points.cr), points.snr_db)
    rmse = float(np.sqrt(np.mean((chosen.fitted() + missed - points.value) ** 2)))
    return Discrepancy(correction, scale * found.training, doubt, {"rmse": rmse, **held})


def _data(fit: FormFit, scale: float, *, independent: bool) -> Residuals:
    """The residuals, and what is told of their noise."""
    points = fit.points
    noise = variance(replace(points, replicate_sd=0.0), fit.fitted()) / scale**2
    if points.noise not in SHARED:
        noise = np.zeros(len(noise))
    if independent or points.noise not in SHARED:
        correlation = np.eye(len(noise))
    elif points.image_correlation is not None:
        correlation = points.image_correlation
    else:
        shared = SHARED[points.noise]
        correlation = shared + (1.0 - shared) * np.eye(len(noise))
    root = np.sqrt(noise)
    weight = np.ones(len(noise)) if fit.problems.weight is None else fit.problems.weight
    weight = np.where(fit.outliers, _OUTLYING, weight)
    x, snr = np.log(points.cr), points.snr_db
    residual = (points.value - fit.fitted()) / scale
    levels = np.stack([np.unique(a, return_inverse=True)[1] for a in (x, snr)])
    data = Residuals(x, snr, residual, noise, root[:, None] * correlation * root, weight, levels)
    return data if len(x) <= _MOST else _merged(data)


def _own(points: Points, independent: bool) -> Sequence[float]:
    """Shares of its told variance that a cell may not have in common with its neighbours.

    Luck that neighbours share bends the surface on these images and scatters nothing about it.
    """
    if independent:
        return (1.0,)
    if points.image_correlation is None:
        return _OWN
    alike = np.max(points.image_correlation - 2.0 * np.eye(len(points.value)), axis=1)
    return (float(np.clip(1.0 - alike.mean(), _LEAST_OWN, 1.0)),)


def _merged(data: Residuals) -> Residuals:
    """Neighbours averaged, with the noise that their mean has."""
    count = math.isqrt(_MOST)
    levels = np.stack([
        np.minimum((count * (a - a.min()) / max(np.ptp(a), TINY)).astype(np.int64), count - 1)
        for a in (data.x, data.snr)
    ])  # fmt: skip
    own, of = np.unique(levels[0] * count + levels[1], return_inverse=True)
    share = np.zeros((len(own), len(of)))
    share[of, np.arange(len(of))] = data.weight / (data.noise + TINY)
    share /= share.sum(axis=1, keepdims=True)
    x, snr, residual = (share @ a for a in (data.x, data.snr, data.residual))
    weight = (share * data.weight).sum(axis=1)
    noise = (share**2 * data.noise).sum(axis=1)
    allowed = share @ data.allowed @ share.T
    levels = np.stack([own // count, own % count])
    return Residuals(x, snr, residual, noise, allowed, weight, levels)


def _axis(points: Array) -> Array:
    """Evenly spaced knots over the range of points (N,) and a little beyond."""
    low, high = float(points.min()), float(points.max())
    step = (high - low) / _KNOTS if high > low else 1.0
    count = _KNOTS if high > low else 0
    return np.asarray(low + step * np.arange(-MARGIN, count + MARGIN + 1), dtype=np.float64)


def _bends(
    chosen: FormFit, rivals: Sequence[FormFit], distant: Sequence[FormFit], cr: Array,
    snr_db: Array, base: Array, seed: int,
) -> Array:  # fmt: skip
    """Members (B, N) of the ensemble, against the chosen form's values (N,)."""
    share = _MEMBERS // (len(rivals) + 2)
    members = [(chosen, _MEMBERS - share * len(rivals), _INFLATED)]
    members += [(fit, share, 1.0) for fit in rivals] + [(fit, _FEW, 1.0) for fit in distant]
    drawn = [
        fit.form(cr, snr_db, bootstrap(fit, count, seed, inflated=inflated))
        for fit, count, inflated in members
    ]
    return np.asarray(np.concatenate(drawn) - base)


def _apart(chosen: FormFit, others: Sequence[FormFit]) -> Array:
    """How far forms that do about as well part (2,) beyond the table, at a unit along each axis."""
    points = chosen.points
    places = [np.log(points.cr), points.snr_db]
    growth = np.zeros(2)
    for axis, ends in enumerate(places):
        away = 0.5 * float(np.ptp(ends))
        for edge, step in ((ends.min(), -away), (ends.max(), away)):
            at = [place.copy() for place in places]
            at[axis] = np.full(len(ends), edge + step)
            own, *theirs = (
                fit.form(np.exp(at[0]), at[1], fit.parameters) for fit in (chosen, *others)
            )
            apart = [np.mean((one - own) ** 2) for one in theirs]
            if away and apart:
                growth[axis] = max(growth[axis], math.sqrt(float(np.mean(apart))) / away**GROWTH)
    return growth


def _ends(fit: FormFit) -> tuple[float, float]:
    """Where draws of the surface end: where the metric does, or at a floor that is reached."""
    low, high = metric_facts(fit.points.metric).values
    if not fit.free[0] and fit.form.has_range:
        floor = float(fit.parameters[0])
        return (floor, high) if fit.points.sign > 0 else (low, floor)
    return low, high


def _finer(chosen: FormFit, correction: Correction, axes: Sequence[Array]) -> Array:
    """The correction's mean on the finer axes, such that the sum with the form never falls."""
    ln_cr, snr_db = (a.ravel() for a in np.meshgrid(*axes, indexing="ij"))
    form = chosen.form(np.exp(ln_cr), snr_db, chosen.parameters)
    whole = form + correction.at(correction.mean, ln_cr, snr_db)
    sign = chosen.points.sign
    shape = (1, len(axes[0]), len(axes[1]))
    return np.asarray((sign * rising(sign * whole.reshape(shape), 0)[0]) - form.reshape(shape[1:]))


def _held_out(
    model: Process, settings: Sequence[Setting], scale: float
) -> tuple[dict[str, float | None], Array]:
    """Errors of the corrected surface on points held out, and its doubt beyond the table's edges.

    The ensemble bends far enough to fit the rest anew, so that leaving points out is one linear
    step for each fold. Growth (2,) is the error at the outermost CRs or SNRs of either end, up to
    `_DEEP` of them held out together, by the power `GROWTH` of their distance from the rest: the
    largest found.
    """
    data, count = model.data, model.count
    error = {name: np.full(count, np.nan) for name in ("leave_cr_out", "leave_snr_out", "k_fold")}
    edge, inner = np.full((2, count), np.nan), np.full((3, count), np.nan)
    inverse = [(s.probability, np.linalg.inv(model.matrices(s)[0])) for s in settings]

    def missed(out: Mask) -> Array:
        at = np.flatnonzero(out)
        parts = [s * np.linalg.solve(m[np.ix_(at, at)], m[at] @ data.residual) for s, m in inverse]
        return np.asarray(np.sum(parts, axis=0))

    growth = np.zeros(2)
    for axis, (name, place) in enumerate((("leave_cr_out", data.x), ("leave_snr_out", data.snr))):
        levels = np.unique(data.levels[axis])
        if len(levels) < 3:
            continue
        for i, level in enumerate(levels):
            out = data.levels[axis] == level
            error[name][out] = missed(out)
            (inner if 0 < i < len(levels) - 1 else edge)[axis, out] = error[name][out]
        for order in (levels, levels[::-1]):
            for deep in range(1, min(_DEEP, len(levels) - 2) + 1):
                out = np.isin(data.levels[axis], order[:deep])
                far = np.abs(place[out] - place[data.levels[axis] == order[deep]].mean())
                found = scale * math.sqrt(float(np.mean((missed(out) / far**GROWTH) ** 2)))
                growth[axis] = max(growth[axis], found)
    cells = np.unique(data.levels, axis=1, return_inverse=True)[1].ravel()
    part = np.random.default_rng(0).permutation(int(cells.max()) + 1)[cells] % 10
    for i in range(int(part.max()) + 1):
        error["k_fold"][part == i] = inner[2, part == i] = missed(part == i)
    named = {**error, "edge_out": edge, "held_out": inner}
    return {name: _rms(found, scale) for name, found in named.items()}, growth


def _rms(errors: Array, scale: float) -> float | None:
    """Root mean square of the known errors, a point's mean square over the ways it was left out."""
    known = ~np.isnan(np.atleast_2d(errors))
    squares = np.where(known, np.atleast_2d(errors) ** 2, 0.0).sum(axis=0)
    times = known.sum(axis=0)
    if not times.any():
        return None
    return scale * math.sqrt(float(np.mean(squares[times > 0] / times[times > 0])))


def _of_images(data: Residuals, scale: float) -> float | None:
    """Standard deviation that test images give the median cell; None where nothing tells it."""
    return scale * math.sqrt(float(np.median(data.noise))) if data.noise.any() else None


def _sharing(points: Points, *, independent: bool, told: bool) -> str:
    """What the fit takes the cells' errors to share, in words."""
    if points.noise not in SHARED:
        return "unknown: the table tells no images"
    if independent:
        return "nothing: images of their own for every cell, as told"
    if told:
        return "as the outcomes of each image tell"
    return f"an allowance: correlation {SHARED[points.noise]:g} between cells"
