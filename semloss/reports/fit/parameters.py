"""Pictures of a fit's parameters: how they hang together, and how well each is known."""

import math
import re
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from semloss.errors import SemlossError
from semloss.layout import digits
from semloss.reports import look
from semloss.reports.page import capital, row_of_most, rows_of, signed
from semloss.surfaces.fitted.bands import student_quantile
from semloss.surfaces.fitted.fit import Fit
from semloss.surfaces.forms import FORMS

_OPEN = {"<": "lower, or without limit", ">": "higher, or without limit"}
_ALIKE = 0.95
"""Correlation beyond which the data tell two parameters only together."""


def determined(fit: Fit) -> list[str]:
    """Names of the parameters that have a variance: neither known nor on a bound."""
    variance = np.diag(fit.covariance)
    return [name for name, v in zip(FORMS[fit.form].names, variance, strict=True) if v > 0]


def correlation_table(fit: Fit) -> pd.DataFrame:
    """Rows `first`, `second`, `correlation`: each pair of determined parameters once."""
    names = list(FORMS[fit.form].names)
    kept = [names.index(name) for name in determined(fit)]
    error = np.sqrt(np.diag(fit.covariance))
    rows = [
        (names[i], names[j], fit.covariance[i, j] / (error[i] * error[j]))
        for at, i in enumerate(kept)
        for j in kept[:at]
    ]
    return pd.DataFrame(rows, columns=["first", "second", "correlation"])


def correlation_plot(fit: Fit, path: Path | str) -> str:
    """Draw the correlation of the fitted parameters; known ones and those on a bound left out.

    Raises
    ------
    SemlossError
        When fewer than two parameters are determined.
    """
    names = determined(fit)
    if len(names) < 2:
        raise SemlossError(f"form {fit.form} has {len(names)} free parameter: nothing correlates")
    table = correlation_table(fit)
    size = len(names) - 1
    matrix = np.full((size, size), np.nan)
    for row in rows_of(table):
        matrix[names.index(row["first"]) - 1, names.index(row["second"])] = row["correlation"]
    with look.picture(
        path,
        max(look.COLUMN, 1.6 + 0.36 * size),
        1.1 + 0.27 * size,
        f"{capital(look.name_of(fit))}: correlation of the parameters",
        f"{look.origin(fit)}; bold: ±{_ALIKE:g} and beyond",
        table,
    ) as figure:
        axes = figure.subplots()
        sns.heatmap(
            matrix, ax=axes, vmin=-1, vmax=1, cmap=look.DIVERGING_MAP, cbar=False, linewidths=0.8,
            mask=np.isnan(matrix), xticklabels=_words(names[:-1]), yticklabels=_words(names[1:]),
        )  # fmt: skip
        for (i, j), value in np.ndenumerate(matrix):
            if np.isfinite(value):
                axes.text(
                    j + 0.5, i + 0.5, signed(f"{value:.2f}"), ha="center", va="center", fontsize=7,
                    color="white" if abs(value) > 0.6 else look.INK,
                    fontweight="bold" if abs(value) >= _ALIKE else "normal",
                )  # fmt: skip
        axes.tick_params(length=0)
        for label in axes.get_xticklabels():
            label.set(rotation=90)
        for label in axes.get_yticklabels():
            label.set(rotation=0)
    return _read_correlation(table)


def interval_table(fit: Fit) -> pd.DataFrame:
    """Rows `parameter`, `unit`, `value`, `standard_error`, `low`, `high` and two flags.

    `low_open` and `high_open` say that the interval ends at the bound of the search, which is
    no limit of the form: the data do not limit the parameter on that side.
    """
    rows = []
    for i, parameter in enumerate(FORMS[fit.form].all_parameters):
        if parameter.name in fit.intervals:
            low, high = fit.intervals[parameter.name]
            bounds = (-np.inf, np.inf) if fit.bounds is None else fit.bounds[i]
            rows.append(
                {
                    "parameter": parameter.name,
                    "unit": parameter.unit,
                    "value": float(fit.parameters[i]),
                    "standard_error": math.sqrt(max(float(fit.covariance[i, i]), 0.0)),
                    "low": low,
                    "high": high,
                    "low_open": bool(low <= bounds[0]) and not parameter.natural,
                    "high_open": bool(high >= bounds[1]) and not parameter.natural,
                }
            )
    return pd.DataFrame(rows)


def intervals_plot(fit: Fit, path: Path | str) -> str:
    """Draw the profile-likelihood interval of each parameter, in standard errors about it.

    Grey is what the standard error alone would say: where the two differ, the parameter is not
    normally distributed, and its own interval is the one to use. An arrow goes beyond the axis,
    or to a bound of the search: there the data set no limit.

    Raises
    ------
    SemlossError
        When the fit holds no intervals.
    """
    table = interval_table(fit)
    if table.empty:
        raise SemlossError(f"the fit of form {fit.form} holds no profile intervals")
    with look.picture(
        path,
        4.6,
        0.95 + 0.3 * len(table),
        f"{capital(look.name_of(fit))}: intervals of the parameters",
        look.origin(fit),
        table,
    ) as figure:
        axes = figure.subplots()
        _intervals(axes, table, _quantile(fit))
        look.legend(axes)
        sns.despine(ax=axes, left=True)
    return _read_intervals(table)


def _quantile(fit: Fit) -> float:
    """Standard errors to either side that an interval of the fit's level spans."""
    if fit.dof is None:
        return NormalDist().inv_cdf((1 + fit.interval_level) / 2)
    return student_quantile(fit.interval_level, fit.dof)


def _words(names: list[str]) -> list[str]:
    """Parameters as people write them, without their units."""
    return [
        re.sub(r"\b(snr|cr)\b", lambda m: m[0].upper(),
               re.sub(r"_(per_)?db$", "", name).replace("_", " "))
        for name in names
    ]  # fmt: skip


def _intervals(axes: Axes, table: pd.DataFrame, quantile: float) -> None:
    half = 0.5 * (table["high"] - table["low"]).to_numpy() / quantile
    scale = table["standard_error"].to_numpy()
    scale = np.where(scale > 0, scale, half)  # on a bound: its own interval sets the scale
    low = ((table["low"] - table["value"]) / scale).to_numpy()
    high = ((table["high"] - table["value"]) / scale).to_numpy()
    reach = 2.2 * quantile
    rows = np.arange(len(table))[::-1]
    normal = table["standard_error"].to_numpy() > 0
    axes.hlines(
        rows[normal],
        -quantile,
        quantile,
        color="#bbbbbb",
        linewidth=6,
        label="by the standard error",
    )
    axes.hlines(
        rows, np.maximum(low, -reach), np.minimum(high, reach), color=look.INK, linewidth=1.6,
        label="by profile likelihood",
    )  # fmt: skip
    axes.plot(0 * rows, rows, "o", color=look.ACCENT, markersize=4.5, markeredgecolor="white",
              label="estimate")  # fmt: skip
    for side, ends, open_ in (("<", low, table["low_open"]), (">", high, table["high_open"])):
        out = (np.abs(ends) > reach) | open_.to_numpy(bool)
        if out.any():
            axes.plot(np.clip(ends[out], -reach, reach), rows[out], side, color=look.INK,
                      markersize=5, label=_OPEN[side])  # fmt: skip
    names = [
        f"{_words([row['parameter']])[0]}{_unit(row['unit'])}\n{_told(row)}"
        for row in rows_of(table)
    ]
    axes.set_yticks(rows, names, fontsize=6.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(-1.1 * reach, 1.1 * reach)
    axes.set_ylim(-0.6, len(table) - 0.4)
    axes.set_xlabel("distance from the estimate\n[standard errors]")
    axes.axvline(0, color=look.INK, linewidth=0.6, zorder=0)


def _unit(unit: str) -> str:
    return f" [{unit}]" if unit not in ("", "1", "metric") else ""


def _told(row: dict[str, Any]) -> str:
    """An estimate and its interval, to the digits that this supports."""
    places = digits(0.5 * (row["high"] - row["low"]))
    value, low, high = (f"{row[name]:.{places}f}" for name in ("value", "low", "high"))
    return signed(f"{value}  [{low} … {high}]")


def _read_correlation(table: pd.DataFrame) -> str:
    worst = row_of_most(table, table["correlation"].abs().to_numpy(float))
    close = int((table["correlation"].abs() >= _ALIKE).sum())
    text = (
        f"The strongest correlation is {worst['correlation']:+.2f}, between {worst['second']} and "
        f"{worst['first']}"
    )
    if close == 0:
        return signed(f"{text}: the data tell every pair of parameters apart.")
    pairs = "that pair" if close == 1 else f"{close} pairs"
    return signed(
        f"{text}: beyond ±{_ALIKE:g}, as {pairs} {'is' if close == 1 else 'are'}, data fix the "
        "combination better than either parameter, so read them together."
    )


def _read_intervals(table: pd.DataFrame) -> str:
    value = table["value"].to_numpy(float)
    up, down = table["high"].to_numpy(float) - value, value - table["low"].to_numpy(float)
    short, long_ = np.minimum(up, down), np.maximum(up, down)
    skew = long_ / np.maximum(short, 1e-2 * long_ + 1e-300)
    worst = row_of_most(table, skew)
    most = float(skew.max())
    ends = f"{worst['low']:.3g} … {worst['high']:.3g} about {worst['value']:.3g}"
    if most < 1.25:
        return signed(
            f"Every interval is nearly symmetric (the most skewed, {worst['parameter']}: {ends}), "
            "so the standard errors tell the same."
        )
    side = "up" if worst["high"] - worst["value"] > worst["value"] - worst["low"] else "down"
    far = f"reaches {most:.1f} times as far {side}" if most < 99 else f"only reaches {side}"
    free = table["parameter"][table["low_open"] | table["high_open"]]
    tail = f"; the data do not limit {', '.join(free)} on one side or both" if len(free) else ""
    return signed(
        f"The most skewed is {worst['parameter']}, {ends}: it {far}, so use the interval rather "
        f"than the standard error{tail}."
    )
