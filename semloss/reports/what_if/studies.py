"""Pictures of studies: tornado, sweep over one or two fields, Monte-Carlo; each with its CSV."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from semloss.reports.look import (
    ACCENT,
    INK,
    MARKERS,
    SURFACE_MAP,
    metric_label,
    paper_style,
    save_picture,
    series_colors,
)
from semloss.reports.page import signed
from semloss.units import format_cr

if TYPE_CHECKING:
    import pandas as pd

    from semloss.planning.studies.studies import MonteCarlo
    from semloss.surfaces.fitted.fit import FittedSurface

_LINES = 7
"""Most values of a second field that are drawn as lines; more become a map."""
_BARS = 15


def tornado_plot(table: "pd.DataFrame", model: "FittedSurface", path: Path | str) -> None:
    """Draw the rows of `semloss.planning.studies.studies.sensitivities`, greatest swing on top.

    Bars tell the change of the SNR margin (of the metric where no target was asked) at both ends
    of each field's tolerance; the ends' values stand beside them. The CSV lies beside the picture.

    Raises
    ------
    SemlossError
        When the picture cannot be written or its suffix is not png, pdf or svg.
    """
    margin = "d_margin_low_db" in table and table["d_margin_low_db"].notna().all()
    stem, unit = ("d_margin", "_db") if margin else ("d_value", "")
    shown = table.head(_BARS).iloc[::-1]
    dark, light = series_colors(2)
    with paper_style():
        figure = Figure(figsize=(7.0, 1.6 + 0.42 * len(shown)), layout="constrained")
        axes = figure.subplots()
        places = np.arange(len(shown))
        for end, color in (("low", light), ("high", dark)):
            width = shown[f"{stem}_{end}{unit}"].to_numpy()
            axes.barh(places, width, color=color, height=0.62, label=f"at the {end} end")
            for y, x, value in zip(places, width, shown[end], strict=True):
                axes.annotate(
                    signed(f"{value:.4g}"), (x, y), xytext=(4 if x >= 0 else -4, 0),
                    textcoords="offset points", ha="left" if x >= 0 else "right", va="center",
                    fontsize="small",
                )  # fmt: skip
        axes.axvline(0, color=INK, linewidth=0.9)
        axes.set_yticks(places, [f"{f} = {n:.4g}" for f, n in shown[["field", "nominal"]].values])
        axes.margins(x=0.16)
        label = metric_label(model.metric, model.receiver)
        axes.set_xlabel("change of the SNR margin [dB]" if margin else f"change of {label}")
        axes.set_title("each input alone at the ends of its tolerance")
        figure.legend(frameon=False, fontsize="small", loc="outside lower center", ncols=2)
        sns.despine(ax=axes, left=True)
        axes.tick_params(left=False)
        save_picture(figure, path, table)


def sweep_plot(
    table: "pd.DataFrame", fields: Sequence[str], model: "FittedSurface", path: Path
) -> None:
    """Draw the metric over one field with its band, or over two as lines or as a map.

    Parameters
    ----------
    table
        What `semloss.planning.studies.studies.sweep` returned for `fields`; its CSV lies beside the
        picture.

    Raises
    ------
    SemlossError
        When the picture cannot be written or its suffix is not png, pdf or svg.
    """
    with paper_style():
        figure = Figure(figsize=(6.2, 4.1), layout="constrained")
        axes = figure.subplots()
        if len(fields) == 2 and table[fields[1]].nunique() > _LINES:
            _map(figure, axes, table, fields, model)
        else:
            _lines(axes, table, fields, model)
            sns.despine(ax=axes)
        axes.set_xlabel(_field_label(fields[0]))
        save_picture(figure, path, table)


def monte_carlo_plot(result: "MonteCarlo", model: "FittedSurface", path: Path | str) -> None:
    """Draw how SNR and metric spread over the draws; the CSV beside it is the summary.

    Raises
    ------
    SemlossError
        When the picture cannot be written or its suffix is not png, pdf or svg.
    """
    samples = result.samples
    color = series_colors(3)[1]
    with paper_style():
        figure = Figure(figsize=(9.0, 3.5), layout="constrained")
        panels = figure.subplots(1, 2)
        label = metric_label(model.metric, model.receiver)
        for axes, name, text in zip(
            panels, ("snr_db", "value"), ("SNR, Es/N0 [dB]", label), strict=True
        ):
            axes.hist(samples[name], bins=60, density=True, color=color, alpha=0.75)
            for q, style in ((0.05, ":"), (0.5, "-"), (0.95, ":")):
                at = float(samples[name].quantile(q))
                axes.axvline(at, color=INK, linewidth=1.0, linestyle=style)
                axes.annotate(
                    signed(f"{100 * q:g} %\n{at:.3g}"), (at, 1.0), ha="center",
                    xycoords=("data", "axes fraction"), va="bottom", fontsize="x-small",
                )  # fmt: skip
            axes.set_xlabel(text)
            axes.set_yticks([])
        if "target" in result.samples:
            at = float(result.samples["target"].iloc[0])
            panels[1].axvline(at, color=ACCENT, linewidth=1.4)
            met = f"target {at:g} met in {100 * result.met_probability:.4g} %"
            panels[1].set_title(met, color=ACCENT, pad=26)
        panels[0].set_title(f"{len(samples)} draws of the inputs", pad=26)
        for axes in panels:
            sns.despine(ax=axes, left=True)
        save_picture(figure, path, result.summary)


def _lines(
    axes: Axes, table: "pd.DataFrame", fields: Sequence[str], model: "FittedSurface"
) -> None:
    groups = [("", table)] if len(fields) == 1 else list(table.groupby(fields[1], sort=True))
    colors = series_colors(max(len(groups), 2))
    for i, (value, group) in enumerate(groups):
        x = group[fields[0]].to_numpy()
        axes.fill_between(x, group["low"], group["high"], color=colors[i], alpha=0.2, linewidth=0)
        label = None if len(fields) == 1 else f"{fields[1]} = {_value(fields[1], value)}"
        mark = MARKERS[i % len(MARKERS)]
        axes.plot(
            x, group["value"], color=colors[i], label=label, marker=mark if len(x) <= 25 else None,
            markersize=4.5, markeredgecolor="white", markeredgewidth=0.5,
        )  # fmt: skip
        outside = group[~group["in_domain"]]
        axes.plot(outside[fields[0]], outside["value"], "x", color=INK, markersize=5, zorder=4)
    if (~table["in_domain"]).any():
        axes.plot([], [], "x", color=INK, markersize=5, label="outside the fitted domain")
    if "target" in table and table["target"].nunique() == 1:
        axes.axhline(table["target"].iloc[0], color=ACCENT, linewidth=1.0, linestyle=(0, (4, 3)))
        axes.annotate(
            f"target {table['target'].iloc[0]:g}", (1.0, table["target"].iloc[0]), color=ACCENT,
            xycoords=("axes fraction", "data"), xytext=(-2, 3), textcoords="offset points",
            ha="right", fontsize="small",
        )  # fmt: skip
    if axes.get_legend_handles_labels()[1]:
        axes.legend(frameon=False, fontsize="small")
    axes.set_ylabel(metric_label(model.metric, model.receiver))


def _map(
    figure: Figure,
    axes: Axes,
    table: "pd.DataFrame",
    fields: Sequence[str],
    model: "FittedSurface",
) -> None:
    grid = table.pivot_table(index=fields[1], columns=fields[0], values="value", dropna=False)
    x, y, value = grid.columns.to_numpy(), grid.index.to_numpy(), grid.to_numpy()
    mesh = axes.pcolormesh(x, y, value, cmap=SURFACE_MAP, shading="nearest", rasterized=True)
    if "target" in table and table["target"].nunique() == 1 and min(value.shape) > 1:
        level = float(table["target"].iloc[0])
        if np.nanmin(value) < level < np.nanmax(value):
            lines = axes.contour(x, y, value, levels=[level], colors=[ACCENT], linewidths=1.8)
            for label in axes.clabel(lines, fmt=f"target {level:g}", inline=False):
                label.set(color=INK, rotation=0, fontsize="small")
                label.set_bbox({"facecolor": "white", "alpha": 0.85, "linewidth": 0, "pad": 1.5})
    axes.set_ylabel(_field_label(fields[1]))
    bar = figure.colorbar(mesh, ax=axes, pad=0.02)
    bar.set_label(metric_label(model.metric, model.receiver))
    bar.outline.set_visible(False)


_UNITS = {
    "dbhz": "dB-Hz", "dbw": "dBW", "dbi": "dBi", "db": "dB", "ghz": "GHz", "mhz": "MHz",
    "km": "km", "deg": "deg", "percent": "%", "m": "m", "h": "mm/h", "k": "K", "s": "1/s",
}  # fmt: skip


def _field_label(name: str) -> str:
    """Field with its unit in brackets, taken from the end of its name."""
    if name == "cr":
        return "CR = k/n"
    if name == "snr_db":
        return "SNR, Es/N0 [dB]"
    if name == "g_over_t_db_k":
        return "G/T [dB/K]"
    if name == "r001_mm_h":
        return "rain rate exceeded 0.01 % [mm/h]"
    words = name.split("_")
    unit = _UNITS.get(words[-1])
    return f"{' '.join(words[:-1])} [{unit}]" if unit else " ".join(words)


def _value(field: str, value: object) -> str:
    assert isinstance(value, float | int), "fields of a sweep are numbers"
    return format_cr(float(value)) if field == "cr" else f"{value:g}"
