"""From the points of a metric to a fitted surface: the ladder, the choice, the doubt."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from semloss.arrays import Array
from semloss.errors import SemlossError
from semloss.facts import SHARED
from semloss.selection import Points
from semloss.selection.lattice import on_lattice
from semloss.surfaces.fitted.fit import Fit
from semloss.surfaces.fitted.outcome import Outcome
from semloss.surfaces.fitting.batch import Prior
from semloss.surfaces.fitting.discrepancy.correct import Discrepancy, discrepancy
from semloss.surfaces.fitting.form_choice import (
    RULES,
    choose,
    comparison,
    equals,
    folds,
    hold_out,
)
from semloss.surfaces.fitting.form_fit import FormFit, admitted, fit_form, free_count, refit
from semloss.surfaces.fitting.judging import judged
from semloss.surfaces.fitting.packing import followed, packed
from semloss.surfaces.fitting.uncertainty import profiles
from semloss.surfaces.forms import FORMS, ladder

_REFERENCE = 8
"""Points below which a surface without a formula says nothing."""
CORRECTED = "corrected"
"""Name of the chosen form with its correction, which is what a fit answers with."""
_NO_CRITERIA = {"aicc": None, "bic": None, "outcome": "form + correction"}
_ABOUT_AS_WELL = 2.0
"""Times the least held-out error that a form may make and still have a say in the doubt."""
_ALONG = {
    Outcome.ONE_CR: ("constant", "logistic_snr"),
    Outcome.ONE_SNR: ("constant", "additive"),
}
"""Forms that points along one axis can tell."""


def fit_surface(
    points: Points,
    form: str = "auto",
    seed: int = 0,
    *,
    rule: str = "one-se",
    starts: int = 100,
    bootstraps: int = 1000,
    confidence: float = 0.95,
    robust: bool = False,
    prior: Prior | None = None,
    reference: bool = False,
    independent_images: bool = False,
) -> Fit:
    """Fit one form, or choose among all, to the points of a metric.

    Weighted least squares over seeded starts; the noise of the measurements is joined by a
    model-error term where it does not explain the residuals. Every form is judged on points held
    out: each CR, each SNR, each tenth of the table in turn.

    Parameters
    ----------
    points
        Measurements as `semloss.selection.select` gives them.
    form
        Name of a form or ``auto``.
    seed
        Seed of the bootstraps; form and parameters do not depend on it.
    rule
        What picks the form under ``auto``, a key of `semloss.surfaces.fitting.form_choice.RULES`:
        ``one-se`` (default), ``held-out``, ``aicc`` or ``bic``.
    starts
        Starts of each form's search.
    bootstraps
        Draws of the surface to keep; 0 for none, and for no intervals of the parameters.
    confidence
        Level of the parameters' profile-likelihood intervals.
    robust
        Huber weights against outliers.
    prior
        Prior on the shape parameters of a named form, from other surfaces (`semloss.surfaces.
        pooling`); with one, fewer points than parameters are enough.
    reference
        Add the non-parametric reference to the comparison (loads scikit-learn).
    independent_images
        Every cell was measured on images of its own; by default they share their test images.

    Raises
    ------
    SemlossError
        When the form or rule is unknown, or the points are too few for the form.
    """
    if form != "auto" and form not in FORMS:
        raise SemlossError(f"--form {form}: no such form; there are auto, {', '.join(ladder())}")
    if rule not in RULES:
        raise SemlossError(f"--rule {rule}: no such rule; there are {', '.join(RULES)}")
    if points.follows is not None:
        source = fit_surface(
            points.follows.points, form, seed, rule=rule, starts=starts, bootstraps=bootstraps,
            confidence=confidence, robust=robust, prior=prior, reference=reference,
            independent_images=independent_images,
        )  # fmt: skip
        return followed(source, points)
    line = _line(points)
    if prior is None:
        _check_count(points)
    names = _candidates(points, form, pooled=prior is not None)
    few = on_lattice(points, 0.0 if independent_images else SHARED.get(points.noise, 0.0))
    fits = {
        name: fit_form(FORMS[name], few, starts=starts, prior=prior, robust=robust)
        for name in names
    }
    held = folds(few)
    errors = {name: hold_out(fit, held) for name, fit in fits.items()}
    rivals = equals(fits, errors) if form == "auto" else []
    chosen = choose(fits, errors, rule, rivals) if form == "auto" else form
    rows = comparison(fits, errors)
    lean = fits[chosen]
    fit = lean if few is points else refit(lean, points, robust=robust)
    lean = replace(lean, parameters=fit.parameters)
    others = [fits[name] for name in rivals if name != chosen]
    missed = discrepancy(
        lean, others, _distant(fits, rows, [*rivals, chosen]), seed, bootstraps,
        images_told=points.image_correlation is not None, independent=independent_images,
    )  # fmt: skip
    added: Array | float = 0.0
    if missed is not None:
        added = _added(missed, lean.points)
        rows[CORRECTED] = rows[chosen] | _NO_CRITERIA | missed.errors
    if reference and len(points.value) >= _REFERENCE and line is None:
        from semloss.surfaces.fitting import reference as nonparametric

        rows[nonparametric.NAME] = nonparametric.row(few, held)
    quality: dict[str, Any] = {
        "points": len(points.value),
        "range": float(np.ptp(points.value)),
        **{key: rows[chosen][key] for key in ("aicc", "bic")},
        **{key: rows[chosen if missed is None else CORRECTED][key] for key in (
            "rmse", "leave_cr_out", "leave_snr_out", "edge_out", "k_fold", "held_out")},
        **({} if missed is None else {"doubt": missed.told}),
        "chosen_by": RULES[rule] if form == "auto" else "named",
        "candidates": rows,
        "confidence": confidence,
        "seed": seed,
    }  # fmt: skip
    if few is not points:
        away = fit.fitted() - points.value
        if missed is not None:
            away += _added(missed, points)
        quality["rmse"] = float(np.sqrt(np.mean(away**2)))
        quality["chosen_on"] = f"{len(few.value)} means of neighbouring points"
    outcome, message, told = judged(lean, quality, added)
    quality |= told
    if line is not None and outcome in (Outcome.CONVERGED, Outcome.NOT_IDENTIFIABLE):
        outcome = line
        message = "; ".join(filter(None, (message, line.remedy)))
    return packed(
        fit, quality, outcome, message, missed=missed,
        intervals=profiles(lean, confidence) if bootstraps else {},
    )  # fmt: skip


def _added(missed: Discrepancy, points: Points) -> Array:
    """What the correction adds to the form at points (N,)."""
    found = missed.correction
    return found.at(found.mean, np.log(points.cr), points.snr_db)


def _distant(
    fits: Mapping[str, FormFit], rows: Mapping[str, Any], near: Sequence[str]
) -> list[FormFit]:
    """Forms that err at most twice as much as the chosen one and its rivals, held out."""
    known = {name: rows[name]["held_out"] for name in fits if rows[name]["held_out"] is not None}
    least = min(known.values(), default=0.0)
    return [
        fits[name]
        for name, error in known.items()
        if error <= _ABOUT_AS_WELL * least and name not in near and fits[name].form.parameters
    ]


def _candidates(points: Points, form: str, *, pooled: bool) -> list[str]:
    """Names of the forms to fit; a named form must be within the reach of the data."""
    count, flat = len(points.value), np.ptp(points.value) == 0
    if form == "auto":
        line = _line(points)
        names = [n for n in admitted(points) if line is None or n in _ALONG[line]]
        return ["constant"] if flat else names
    need = free_count(FORMS[form], points)
    if flat and form != "constant":
        raise SemlossError(f"all {count} values are equal; use --form constant")
    if count <= need and not pooled:
        raise SemlossError(
            f"{Outcome.TOO_FEW_POINTS}: {count} points for the {need} parameters of "
            f"form {form}; {Outcome.TOO_FEW_POINTS.remedy}"
        )
    return [form]


def _line(points: Points) -> Outcome | None:
    """Which axis the points lie along, where it is one only."""
    if np.ptp(points.cr) == 0:
        return Outcome.ONE_CR
    return Outcome.ONE_SNR if np.ptp(points.snr_db) == 0 else None


def _check_count(points: Points) -> None:
    """A surface, and a curve, need a few points."""
    if len(points.value) < 4:
        raise SemlossError(
            f"{Outcome.TOO_FEW_POINTS}: {len(points.value)} points; a surface needs at least 4, "
            f"and 12 or more to show a bend"
        )
