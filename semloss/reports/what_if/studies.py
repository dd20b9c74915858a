"""Pictures of studies: tornado, sweep over one or two fields, Monte-Carlo; each with its CSV."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from semloss.planning.budget.points import Defaults
from semloss.reports import look
from semloss.reports.page import signed
from semloss.units import format_cr

if TYPE_CHECKING:
    import pandas as pd

    from semloss.planning.studies.answers import MonteCarlo

_LINES = 7
"""Most values of a second field that are drawn as lines; more become a map."""
_BARS = 15


def tornado_plot(table: "pd.DataFrame", asked: Defaults, path: Path | str) -> None:
    """Draw the rows of `semloss.planning.studies.studies.tornado`, greatest swing on top.

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
    what = "SNR margin" if margin else look.name_of(asked.fit)
    title = _title(asked, f"{what}, each input alone at the ends of its tolerance")
    with look.picture(
        path, look.PAGE, 0.8 + 0.3 * len(shown), title, look.origin(asked.fit), table
    ) as figure:
        axes = figure.subplots()
        places = np.arange(len(shown))
        for end, color in zip(("low", "high"), look.series_colors(3)[::-2], strict=True):
            width = shown[f"{stem}_{end}{unit}"].to_numpy()
            axes.barh(places, width, color=color, height=0.62, label=f"at the {end} end",
                      hatch="////" if end == "low" else "", edgecolor="white")  # fmt: skip
            for y, x, field, value in zip(places, width, shown["field"], shown[end], strict=True):
                axes.annotate(
                    signed(_value(field, value)), (x, y), xytext=(4 if x >= 0 else -4, 0),
                    textcoords="offset points", ha="left" if x >= 0 else "right", va="center",
                    fontsize=6.5,
                )  # fmt: skip
        axes.axvline(0, color=look.INK, linewidth=0.9)
        names = [
            signed(f"{field_label(field)} = {_value(field, nominal)}")
            for field, nominal in shown[["field", "nominal"]].to_numpy()
        ]
        axes.set_yticks(places, names)
        axes.margins(x=0.2)
        label = look.metric_label(asked.fit.metric, asked.fit.receiver)
        axes.set_xlabel("change of the SNR margin [dB]" if margin else f"change of {label}")
        look.legend(axes)
        sns.despine(ax=axes, left=True)
        axes.tick_params(left=False)


def sweep_plot(
    table: "pd.DataFrame", fields: Sequence[str], asked: Defaults, path: Path | str
) -> None:  # fmt: skip
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
    over = " and ".join(field_label(field).partition(" [")[0] for field in fields)
    title = _title(asked, f"{look.name_of(asked.fit)} over {over}")
    with look.picture(path, 5.6, 3.3, title, look.origin(asked.fit), table) as figure:
        axes = figure.subplots()
        if len(fields) == 2 and table[fields[1]].nunique() > _LINES:
            _map(figure, axes, table, fields, asked)
        else:
            _lines(axes, table, fields, asked)
            sns.despine(ax=axes)
        axes.set_xlabel(field_label(fields[0]))


def monte_carlo_plot(result: "MonteCarlo", asked: Defaults, path: Path | str) -> None:
    """Draw how SNR and metric spread over the draws; the CSV beside it is the summary.

    Raises
    ------
    SemlossError
        When the picture cannot be written or its suffix is not png, pdf or svg.
    """
    samples, fit = result.samples, asked.fit
    title = _title(asked, f"SNR and {look.name_of(fit)} over {len(samples):,} draws of the inputs")
    with look.picture(path, look.PAGE, 4.6, title, look.origin(fit), result.summary) as figure:
        panels = figure.subplots(2, 1)
        labels = ("SNR, Es/N0 [dB]", look.metric_label(fit.metric, fit.receiver))
        for axes, name, text in zip(panels, ("snr_db", "value"), labels, strict=True):
            share = np.full(len(samples), 100 / len(samples))
            axes.hist(
                samples[name], bins=60, weights=share, color=look.series_colors(3)[1], alpha=0.75
            )
            for q, style in ((0.05, ":"), (0.5, "-"), (0.95, "--")):
                at = float(samples[name].quantile(q))
                axes.axvline(at, color=look.INK, linewidth=1.0, linestyle=style,
                             label=signed(f"{100 * q:g} % below {at:.3g}"))  # fmt: skip
            axes.set_xlabel(text)
            axes.set_ylabel("share of the draws [%]")
            axes.xaxis.set_major_locator(MaxNLocator(7))
        if "target" in samples:
            at = float(samples["target"].iloc[0])
            met = f"target {at:g},\nmet in {100 * result.met_probability:.4g} %"
            panels[1].axvline(at, color=look.ACCENT, linewidth=1.4, linestyle="-.", label=met)
        for axes in panels:
            look.legend(axes)
            sns.despine(ax=axes)


def _title(asked: Defaults, what: str) -> str:
    """What was asked, of which link, with which target."""
    link = "" if asked.link is None else f"{asked.link.name}: "
    return f"{link}{what}" + ("" if asked.target is None else f"; target {asked.target:g}")


def _lines(axes: Axes, table: "pd.DataFrame", fields: Sequence[str], asked: Defaults) -> None:
    groups = [("", table)] if len(fields) == 1 else list(table.groupby(fields[1], sort=True))
    colors = look.series_colors(max(len(groups), 2))
    keys: list[Artist] = [look.band_key("confidence band")] if table["low"].notna().any() else []
    for i, (value, group) in enumerate(groups):
        x = group[fields[0]].to_numpy()
        label = "fit" if len(fields) == 1 else _value(fields[1], value)
        mark = look.MARKERS[i % len(look.MARKERS)] if len(x) <= 25 else None
        look.band_curve(
            axes, x, group["value"].to_numpy(), (group["low"], group["high"]), color=colors[i],
            label=label, marker=mark, markersize=4.5, markeredgecolor="white", markeredgewidth=0.5,
        )  # fmt: skip
        outside = group[~group["in_domain"]]
        axes.plot(outside[fields[0]], outside["value"], "x", color=look.INK, markersize=5, zorder=4)
    if (~table["in_domain"]).any():
        keys.append(look.key(look.OUTSIDE, marker="x", linestyle=""))
    if "target" in table and table["target"].nunique() == 1:
        target = table["target"].iloc[0]
        look.target_line(axes, target, f"target, {target:g}")
    axes.margins(y=0.1)
    look.legend(axes, keys, None if len(fields) == 1 else field_label(fields[1]))
    axes.set_ylabel(look.metric_label(asked.fit.metric, asked.fit.receiver))


def _map(
    figure: Figure, axes: Axes, table: "pd.DataFrame", fields: Sequence[str], asked: Defaults
) -> None:
    grid, inside = (
        table.pivot_table(index=fields[1], columns=fields[0], values=name, dropna=False)
        for name in ("value", "in_domain")
    )
    x, y, value = grid.columns.to_numpy(), grid.index.to_numpy(), grid.to_numpy()
    mesh = axes.pcolormesh(x, y, value, cmap=look.SURFACE_MAP, shading="nearest", rasterized=True)
    keys = []
    if "target" in table and table["target"].nunique() == 1 and min(value.shape) > 1:
        level = float(table["target"].iloc[0])
        if np.nanmin(value) < level < np.nanmax(value):
            lines = axes.contour(x, y, value, levels=[level], colors=[look.ACCENT], linewidths=1.8)
            look.number_contours(axes, lines, np.empty((0, 2)), "target {:g}")
    out = np.argwhere(inside.to_numpy(float) < 1)
    if len(out):
        axes.plot(x[out[:, 1]], y[out[:, 0]], "x", color="white", markersize=2.5)
        keys.append(look.key(look.OUTSIDE, marker="x", linestyle=""))
        axes.legend(handles=keys, loc="upper left", bbox_to_anchor=(0.0, -0.18))
    axes.set_ylabel(field_label(fields[1]))
    look.colorbar(figure, axes, mesh, look.metric_label(asked.fit.metric, asked.fit.receiver))


_UNITS = {
    "dbhz": "dBHz", "dbw": "dBW", "dbi": "dBi", "db": "dB", "ghz": "GHz", "mhz": "MHz",
    "km": "km", "deg": "deg", "percent": "%", "m": "m", "h": "mm/h", "k": "K", "s": "1/s",
}  # fmt: skip
_FIELDS = {
    "cr": "CR = k/n",
    "snr_db": "SNR, Es/N0 [dB]",
    "g_over_t_db_k": "G/T [dB/K]",
    "r001_mm_h": "rain rate exceeded in 0.01 % [mm/h]",
    "obo_db": "output back-off [dB]",
    "eirp_dbw": "EIRP [dBW]",
}
_WORDS = {"tx": "transmit", "rx": "receive", "freq": "frequency", "t": "temperature,"}


def field_label(name: str) -> str:
    """Field of a link in words, its unit in brackets, taken from the end of its name."""
    if name in _FIELDS:
        return _FIELDS[name]
    words = name.split("_")
    unit = _UNITS.get(words[-1]) if len(words) > 1 else None
    said = " ".join(_WORDS.get(word, word) for word in (words[:-1] if unit else words))
    return f"{said} [{unit}]" if unit else said


def _value(field: str, value: object) -> str:
    assert isinstance(value, float | int), "fields of a sweep are numbers"
    return format_cr(float(value)) if field == "cr" else f"{value:.4g}"
