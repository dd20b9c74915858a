"""What if the inputs are off: sweeps, sensitivities (tornado) and Monte-Carlo over tolerances.

Inputs vary independently. A draw beyond what a field allows (a negative loss) rests at the
limit. Tables are pandas DataFrames.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from semloss.arrays import Array
from semloss.errors import SemlossError
from semloss.facts import metric_facts
from semloss.identity import digest, seed_for
from semloss.planning.budget.points import ASKED, Defaults, evaluate, rates_met
from semloss.planning.link.link import KEYS
from semloss.planning.studies.answers import MonteCarlo, Sweep, Tornado
from semloss.planning.studies.tolerances import Tolerance, bounds
from semloss.surfaces.fitted.bands import surface_draws

_ONE_SD = 0.6826894921370859


def sweep(defaults: Defaults, fields: Mapping[str, ArrayLike]) -> Sweep:
    """Answer over the values of one field, or over every pair of two.

    Parameters
    ----------
    defaults
        Fit, link, CR, target.
    fields
        One or two of `cr`, `snr_db`, `target` and the link's numeric fields, with their values.

    Raises
    ------
    SemlossError
        When not one or two fields are given, a value is no finite number, or a field is unknown.
    """
    import pandas as pd

    if len(fields) not in (1, 2):
        raise SemlossError("a sweep takes one or two fields")
    axes = []
    for name, given in fields.items():
        axis = np.atleast_1d(np.asarray(given, dtype=np.float64))
        if axis.size == 0 or not np.all(np.isfinite(axis)):
            raise SemlossError(f"sweep of {name}: give finite values")
        axes.append(axis)
    grid = np.meshgrid(*axes, indexing="ij")
    points = {name: axis.ravel() for name, axis in zip(fields, grid, strict=True)}
    return Sweep(defaults, pd.DataFrame(points | evaluate(points, defaults)), tuple(fields))


def tornado(defaults: Defaults, tolerances: Mapping[str, Tolerance]) -> Tornado:
    """Move each field alone to the ends of its tolerance.

    Raises
    ------
    SemlossError
        When a field has no nominal value.
    """
    import pandas as pd

    rows = []
    for name, tolerance in tolerances.items():
        nominal = _nominal(name, defaults)
        ends = np.clip(nominal + np.array([tolerance.low, 0.0, tolerance.high]), *bounds(name))
        columns = evaluate({name: ends}, defaults)
        row: dict[str, Any] = {"field": name, "nominal": nominal, "low": ends[0], "high": ends[2]}
        for label, unit, column in (
            ("snr", "_db", "snr_db"), ("value", "", "value"), ("margin", "_db", "snr_margin_db"),
        ):  # fmt: skip
            if column in columns:
                for end, i in (("low", 0), ("high", 2)):
                    row[f"d_{label}_{end}{unit}"] = columns[column][i] - columns[column][1]
        rows.append(row)
    table = pd.DataFrame(rows)
    pair = ["d_margin_low_db", "d_margin_high_db"]
    pair = pair if pair[0] in table else ["d_value_low", "d_value_high"]
    order = (table[pair[1]] - table[pair[0]]).abs().sort_values(ascending=False, kind="stable")
    return Tornado(defaults, table.loc[order.index].reset_index(drop=True))


def monte_carlo(
    defaults: Defaults,
    tolerances: Mapping[str, Tolerance],
    draws: int = 10_000,
    seed: int | None = None,
) -> MonteCarlo:
    """Draw the inputs within their tolerances, and the surface within its uncertainty.

    The surface is one of the fit's own draws where it has some, else moved by one normal deviate
    for each sample, scaled to the band at the sample's point. A draw meets the target where the
    link's margin is left: at so much less SNR.

    Parameters
    ----------
    draws
        Number of samples.
    seed
        By default derived from what was asked (link, CR, SNR, target, tolerances and number of
        draws, to six significant digits): the same question gives the same draws anywhere.

    Raises
    ------
    SemlossError
        When a field has no nominal value or `draws` is not positive.
    """
    import pandas as pd

    if not 1 <= draws <= 10_000_000:
        raise SemlossError(f"draws = {draws}: 1 … 10000000")
    key = digest(_identity(defaults, tolerances, draws))
    seed = seed_for(key, "monte-carlo") if seed is None else seed
    streams = np.random.SeedSequence(seed).spawn(len(tolerances) + 1)
    points, at_limit = {}, {}
    for stream, (name, tolerance) in zip(streams, sorted(tolerances.items()), strict=False):
        low, high = bounds(name)
        drawn = _nominal(name, defaults) + tolerance.draw(np.random.default_rng(stream), draws)
        points[name] = np.clip(drawn, low, high)
        at_limit[name] = float(np.mean((drawn < low) | (drawn > high)))
    columns = evaluate(points, replace(defaults, interval=_ONE_SD))
    columns = {k: np.broadcast_to(v, (draws,)) for k, v in columns.items()}
    value = _drawn_surface(defaults, columns, np.random.default_rng(streams[-1]))
    samples = pd.DataFrame(
        points
        | {name: columns[name] for name in ("snr_db", "cr") if name not in points}
        | {"value": value, "value_of_fit": columns["value"]}
    )
    probability = se = math.nan
    if "target" in columns:
        samples["target"] = columns["target"]
        samples["snr_margin_db"] = columns["snr_margin_db"]
        kept = _with_margin(defaults, points, columns)
        left = value if kept is columns else _drawn_surface(
            defaults, kept, np.random.default_rng(streams[-1])
        )  # fmt: skip
        samples["met"] = defaults.fit.meets(left, columns["target"]) & rates_met(columns, defaults)
        probability = float(samples["met"].mean())
        se = math.sqrt(probability * (1 - probability) / draws)
    numbers = samples.select_dtypes("number").drop(columns="target", errors="ignore")
    summary = pd.DataFrame(
        {
            "mean": numbers.mean(),
            "sd": numbers.std(),
            **{f"p{q:02d}": numbers.quantile(q / 100) for q in (5, 50, 95)},
        }
    ).rename_axis("quantity")
    summary = summary.reset_index()
    return MonteCarlo(defaults, samples, summary, probability, se, at_limit, seed)


def _with_margin(
    defaults: Defaults, points: Mapping[str, Array], columns: Mapping[str, Array]
) -> Mapping[str, Array]:
    """The samples with the link's margin taken off their SNR, where it keeps one."""
    usual = 0.0 if defaults.link is None else defaults.link.margin_db
    keep = points.get("margin_db", np.asarray(usual))
    if not np.any(keep):
        return columns
    lowered = {**{name: columns[name] for name in ("cr", "target")},
               "snr_db": columns["snr_db"] - keep}  # fmt: skip
    alone = replace(defaults, link=None, interval=_ONE_SD)
    return {**columns, **evaluate(lowered, alone)}


def _drawn_surface(
    defaults: Defaults, columns: Mapping[str, Array], rng: np.random.Generator
) -> Array:
    """Metric of each sample with the fit's uncertainty drawn."""
    fit = defaults.fit
    value = np.array(columns["value"])
    normal = rng.standard_normal(value.shape)
    if fit.correction is None or not fit.has_draws:
        half = np.where(normal < 0, value - columns["low"], columns["high"] - value)
        return value + normal * half
    which = rng.integers(len(fit.correction.draws), size=value.shape)
    drawn = surface_draws(fit, np.log(columns["cr"]), columns["snr_db"], which)
    return np.clip(drawn, *metric_facts(fit.metric).values)


def _nominal(name: str, defaults: Defaults) -> float:
    if name in ASKED:
        value = getattr(defaults, name)
        if value is None and name == "cr" and defaults.link is not None:
            value = defaults.link.cr
    else:
        value = None if defaults.link is None else getattr(defaults.link, name)
    if value is None:
        raise SemlossError(f"tolerances.{name}: the link gives no {name} that could be off")
    return float(value)


def _identity(
    defaults: Defaults, tolerances: Mapping[str, Tolerance], draws: int
) -> dict[str, Any]:
    """What a person gave, as plain data of six significant digits.

    Fitted parameters stay out: their last bits are the processor's, and the same question should
    draw the same on all. Two fits asked alike so meet the same inputs, as a comparison wants.
    """
    fit, link = defaults.fit, defaults.link
    return {
        "fit": [fit.metric, fit.receiver, fit.task],
        "link": {} if link is None else {k: _rounded(getattr(link, k)) for k in KEYS},
        "asked": [_rounded(getattr(defaults, name)) for name in ASKED],
        "tolerances": {
            name: [t.kind, _rounded(t.low), _rounded(t.high)] for name, t in tolerances.items()
        },
        "draws": draws,
    }


def _rounded(value: Any) -> Any:  # noqa: ANN401 - any field of a link
    return format(value, ".6g") if isinstance(value, float) else value
