"""Several surfaces at once: what they share, and how few points a new one then needs.

Surfaces of one codec over one channel bend alike: their tasks and metrics differ in floor,
ceiling and some shape. Partial pooling says how much alike: every shape parameter of a group is
drawn from a normal distribution common to all groups (on the logarithmic scale for positive
ones), whose mean and spread are learnt from the groups (empirical Bayes, Morris 1983). A group
with much data hardly moves; one with a handful of points leans on the others.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import norm

from semloss.arrays import Array
from semloss.errors import SemlossError
from semloss.roots import halve
from semloss.selection import Points
from semloss.storage import write_json
from semloss.surfaces.fitted.fit import Fit
from semloss.surfaces.fitting import batch
from semloss.surfaces.fitting.batch import Prior
from semloss.surfaces.fitting.fit_surface import fit_surface
from semloss.surfaces.fitting.form_choice import comparison, folds, hold_out
from semloss.surfaces.fitting.form_fit import FormFit, admitted, fit_form, free_count
from semloss.surfaces.fitting.pooling.common_shape import carries, common_form, common_prior, needed
from semloss.surfaces.forms import FORMS, Form, ladder

SCHEMA = "semloss-prior"
VERSION = 1
_SPREADS = np.geomspace(0.05, 20.0, 50)
"""Spreads between groups that a few of them can tell, in search coordinates."""


@dataclass(frozen=True)
class Shared:
    """What several surfaces of one form have in common.

    `mean` and `sd` are (Q,), in the coordinates of the search: natural logarithms for the
    positive parameters. `groups` names what they were learnt from.
    """

    form: str
    mean: Array
    sd: Array
    groups: tuple[str, ...]
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def prior(self) -> Prior:
        """The prior that a fit takes."""
        return Prior(self.mean, self.sd)


def fit_joint(
    groups: Sequence[Points],
    form: str = "auto",
    seed: int = 0,
    **options: Any,  # noqa: ANN401
) -> tuple[list[Fit], Shared]:
    """Fit every group with one form and shape parameters that are partially pooled.

    Under ``auto`` the form is the one of least held-out error summed over the groups, each
    relative to the best form there; where the groups have too few points to judge a form that
    they could carry together, all share one shape for the choice (`common_shape`). `options` are
    those of `fit_surface`.

    Raises
    ------
    SemlossError
        When there are fewer than two groups, or too few points in all of them together.
    """
    if len(groups) < 2:
        raise SemlossError(
            "a joint fit shares between groups and there is only one; see --group-by"
        )
    name = _common_form(groups, seed) if form == "auto" else form
    if name not in FORMS:
        raise SemlossError(f"--form {form}: no such form; there are auto, {', '.join(ladder())}")
    shared = learn(groups, name, seed)
    fits = [fit_surface(points, name, seed, prior=shared.prior, **options) for points in groups]
    return fits, shared


def learn(groups: Sequence[Points], form: str, seed: int = 0) -> Shared:
    """Mean and spread of the shape parameters over the groups.

    They are learnt from the groups that can stand on their own; where no two can, from all
    together.

    Raises
    ------
    SemlossError
        When all groups together have no more points than one shape and their levels need.
    """
    able = _able(groups, FORMS[form])
    if len(able) < 2:
        if not carries(groups, FORMS[form]):
            raise SemlossError(
                f"a joint fit of form {form} to {len(groups)} groups needs more than "
                f"{needed(groups, FORMS[form])} points, and there are "
                f"{sum(len(points.value) for points in groups)}; choose a simpler --form or "
                "measure more cells"
            )
        mean, spread = common_prior(groups, FORMS[form], seed)
        sd = np.clip(np.sqrt(spread), _SPREADS[0], _SPREADS[-1])
        return Shared(form, mean, sd, tuple(map(_title, groups)))
    fits = [fit_form(FORMS[form], points, seed) for points in able]
    places = np.array([_place(fit) for fit in fits])
    doubts = np.array([_doubt(fit) for fit in fits])
    return Shared(form, *_further(places, doubts), tuple(map(_title, able)))


def _further(places: Array, doubts: Array) -> tuple[Array, Array]:
    """Mean (Q,) and standard deviation (Q,) of what a further group's parameters may be.

    Groups (G, Q) scatter about a mean by a spread, and each is known to a variance (G, Q). What
    few groups leave open of both is averaged over (Gelman et al. 2013, ch. 5.4; a spread's order
    of magnitude is even beforehand): sharply known groups give Student's t of one degree of
    freedom less than groups. The normal prior is as wide at 95 % as that.
    """
    square = _SPREADS[:, None, None] ** 2
    weight = 1.0 / (doubts + square)
    total = weight.sum(axis=1)
    means = np.sum(weight * places, axis=1) / total
    off = np.sum(weight * (places - means[:, None]) ** 2, axis=1)
    score = 0.5 * (np.sum(np.log(weight), axis=1) - np.log(total) - off)
    share = np.exp(score - score.max(axis=0))
    share /= share.sum(axis=0)
    mean = np.sum(share * means, axis=0)
    sd = np.sqrt(_SPREADS[:, None] ** 2 + 1.0 / total)

    def outside(half: Array) -> Array:
        tails = norm.cdf((mean - half - means) / sd) + norm.sf((mean + half - means) / sd)
        return np.asarray(np.sum(share * tails, axis=0))

    ends = np.zeros_like(mean), 10.0 * sd.max(axis=0)
    return mean, halve(lambda half: outside(half) <= 0.05, *ends, rounds=50)[1] / norm.ppf(0.975)


def _able(groups: Sequence[Points], form: Form) -> list[Points]:
    """Groups that can carry a form on their own."""
    return [points for points in groups if len(points.value) > free_count(form, points)]


def save(shared: Shared, path: Path | str) -> None:
    """Write what is shared as JSON, atomically."""
    names = [parameter.name for parameter in FORMS[shared.form].parameters]
    write_json(path, {
        "schema": SCHEMA, "version": VERSION, "form": shared.form,
        "mean": dict(zip(names, shared.mean.tolist(), strict=True)),
        "sd": dict(zip(names, shared.sd.tolist(), strict=True)),
        "logarithmic": [p.name for p in FORMS[shared.form].parameters if p.log],
        "groups": list(shared.groups), "provenance": dict(shared.provenance),
    })  # fmt: skip


def load(path: Path | str) -> Shared:
    """Read what several surfaces share.

    Raises
    ------
    SemlossError
        When the file is missing or is no such file.
    """
    try:
        document = json.loads(Path(path).read_bytes()[:1_000_000])
        if document["schema"] != SCHEMA or document["version"] != VERSION:
            raise ValueError
        form = FORMS[document["form"]]
        names = [parameter.name for parameter in form.parameters]
        mean, sd = (np.array([float(document[key][name]) for name in names])
                    for key in ("mean", "sd"))  # fmt: skip
        groups = tuple(str(name) for name in document["groups"])
        if not (np.all(np.isfinite(mean)) and np.all(sd > 0) and np.all(np.isfinite(sd))):
            raise ValueError
    except OSError as error:
        raise SemlossError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
        raise SemlossError(
            f"{path} is no prior of this semloss; make it with semloss fit --joint"
        ) from None
    return Shared(form.name, mean, sd, groups)


def _common_form(groups: Sequence[Points], seed: int) -> str:
    """Form of least held-out error over all groups."""
    if any(carries(groups, form) and len(_able(groups, form)) < 2 for form in ladder().values()):
        return common_form(groups, seed)
    ratios: dict[str, list[float]] = {name: [] for name in ladder()}
    for points in groups:
        held = folds(points)
        fits = {name: fit_form(FORMS[name], points, seed) for name in admitted(points)}
        rows = comparison(fits, {name: hold_out(fit, held) for name, fit in fits.items()})
        errors = {name: row["held_out"] for name, row in rows.items()}
        known = {name: max(error, 1e-12) for name, error in errors.items() if error is not None}
        # A handful of points tells no form: it has no say in those that it cannot carry.
        for name, error in known.items():
            ratios[name].append((error / min(known.values())) ** 2)
    most = max(len(own) for own in ratios.values())
    able = {name: own for name, own in ratios.items() if own and 2 * len(own) >= most}
    return min(able, key=lambda name: sum(able[name]) / len(able[name]))


def _place(fit: FormFit) -> Array:
    """Shape parameters (Q,) in the coordinates of the search."""
    return batch.to_search(fit.form, fit.parameters[len(fit.form.levels) :])


def _doubt(fit: FormFit) -> Array:
    """Their variances (Q,)."""
    form: Form = fit.form
    count = len(form.levels)
    variance = np.diag(fit.covariance()[0])[count:]
    # A parameter on its bound, or that the data leave open, tells next to nothing of the others.
    variance = np.where(variance > 0, variance, np.inf)
    unit = np.where(form.logs, np.maximum(fit.parameters[count:], 1e-300), 1.0)
    return np.asarray(np.minimum(variance / unit**2, 5.0**2))


def _title(points: Points) -> str:
    """Name of a group."""
    named = [value for value in points.group.values() if value and value != "none"]
    return ", ".join(named) or f"{points.metric} ({points.receiver})"
