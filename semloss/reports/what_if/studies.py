"""Pictures of studies: tornado, sweep over one or two fields, Monte-Carlo; each with its CSV."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from semloss.arrays import Array
from semloss.layout import digits, share_of_draws
from semloss.planning.budget.points import ASKED, Defaults
from semloss.reports import look
from semloss.reports.page import about_cr, capital, field_label, signed
from semloss.surfaces.fitted.bands import level_text

if TYPE_CHECKING:
    import pandas as pd

    from semloss.planning.studies.answers import MonteCarlo

_LINES = 7
"""Most values of a second field that are drawn as lines; more become a map."""
_BARS = 15
_SOME = f" (the {_BARS} of {{}} that matter most)"


def tornado_plot(table: "pd.DataFrame", asked: Defaults, path: Path | str) -> None:
    """Draw the rows of `semloss.planning.studies.studies.tornado`, greatest swing on top.

    Bars tell the change of the SNR margin (of the metric where no target was asked) at both ends
    of each field's tolerance; the ends' values stand beside them. The CSV lies beside the picture.
    """
    margin = "d_margin_low_db" in table and table["d_margin_low_db"].notna().all()
    stem, unit = ("d_margin", "_db") if margin else ("d_value", "")
    shown = table.head(_BARS).iloc[::-1]
    what = f"{'SNR margin of ' if margin else ''}{look.name_of(asked.fit)}, each input alone at the"
    what += f" ends of its tolerance{'' if len(shown) == len(table) else _SOME.format(len(table))},"
    title = _title(asked, what, shown["field"].tolist())
    about = f"{look.origin(asked.fit)}; 95 % of the draws of a normal tolerance lie within its ends"
    with look.picture(path, look.PAGE, 0.8 + 0.3 * len(shown), title, about, table) as figure:
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
        label = look.label_of(asked.fit)
        axes.set_xlabel("change of the SNR margin [dB]" if margin else f"change of {label}")
        look.legend(axes)
        sns.despine(ax=axes, left=True)
        axes.tick_params(left=False)


def sweep_plot(
    table: "pd.DataFrame", fields: Sequence[str], asked: Defaults, path: Path | str
) -> None:  # fmt: skip
    """Draw the metric over one field with its band, or over two as lines or as a map.

    Where a target is asked and the SNR or the CR is left open, that is what is drawn.

    Parameters
    ----------
    table
        What `semloss.planning.studies.studies.sweep` returned for `fields`; its CSV lies beside the
        picture.
    """
    over = " and ".join(
        _NAMES.get(field, field_label(field).partition(" [")[0]) for field in fields
    )
    drawn, name = _drawn(asked, fields), look.name_of(asked.fit)
    what = name if drawn == "value" else f"{_NAMES[drawn]} needed for {name},"
    title = _title(asked, f"{what} over {over}", fields)
    with look.picture(path, 5.6, 3.3, title, look.origin(asked.fit), table) as figure:
        axes = figure.subplots()
        if len(fields) == 2 and table[fields[1]].nunique() > _LINES:
            _map(figure, axes, table, fields, asked)
        else:
            _lines(axes, table, fields, asked)
            sns.despine(ax=axes)


def monte_carlo_plot(result: "MonteCarlo", asked: Defaults, path: Path | str) -> None:
    """Draw how SNR and metric spread over the draws; the CSV beside it is the summary.

    Numbers have the digits that so many draws support.
    """
    samples, fit = result.samples, asked.fit
    count = f"{len(samples):,} draw{'s' * (len(samples) > 1)}"
    what = f"SNR and {look.name_of(fit)} over {count} of the inputs"
    title = _title(asked, what, () if samples["cr"].nunique() == 1 else ("cr", "snr_db"))
    with look.picture(path, look.PAGE, 4.6, title, look.origin(fit), result.summary) as figure:
        panels = figure.subplots(2, 1)
        labels = ("SNR, Es/N0 [dB]", look.label_of(fit))
        for axes, name, text in zip(panels, ("snr_db", "value"), labels, strict=True):
            share = np.full(len(samples), 100 / len(samples))
            axes.hist(
                samples[name], bins=60, weights=share, color=look.series_colors(3)[1], alpha=0.75
            )
            values = samples[name].to_numpy()
            for q, style in ((0.05, ":"), (0.5, "-"), (0.95, "--")):
                at = float(np.nanquantile(values, q))
                label = signed(f"{100 * q:g} % below {at:.{_places(values, q)}f}")
                axes.axvline(at, color=look.INK, linewidth=1.0, linestyle=style, label=label)
            axes.set_xlabel(text)
            axes.set_ylabel("share of the draws [%]")
            axes.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
        if "target" in samples:
            at = float(samples["target"].iloc[0])
            met = share_of_draws(result.met_probability, result.met_se, len(samples))
            met = met.replace(" (", "\n(").replace(" of ", "\nof ")
            keep = 0.0 if result.defaults.link is None else result.defaults.link.margin_db
            met += f"\nwith {keep:.4g} dB to spare" if keep else ""
            panels[1].axvline(at, color=look.ACCENT, linewidth=1.4, linestyle="-.",
                              label=f"target {at:g}, met in\n{met}")  # fmt: skip
        for axes in panels:
            look.legend(axes)
            sns.despine(ax=axes)


def _places(values: Array, q: float) -> int:
    """Decimals of a quantile of draws (N,): to the figure that another set of draws may change."""
    apart = np.sqrt(q * (1 - q) / len(values))
    low, high = np.nanquantile(values, [max(q - apart, 0), min(q + apart, 1)])
    return digits(0.5 * float(high - low), 1)


_NAMES = {"snr_db": "SNR", "cr": "CR"}


def _drawn(asked: Defaults, fields: Sequence[str]) -> str:
    """Column that a sweep shows: the metric, or the SNR or CR that is solved for."""
    given = {*fields, *(name for name in ASKED if getattr(asked, name) is not None)}
    if asked.link is not None:
        given |= {"snr_db"} if asked.link.cr is None else {"snr_db", "cr"}
    return next((name for name in _NAMES if name not in given), "value")


def _title(asked: Defaults, what: str, moved: Collection[str]) -> str:
    """What was asked, of which link, at which CR and SNR, with which target."""
    fixed = {"cr": asked.cr, "snr_db": asked.snr_db}
    if asked.link is not None:
        fixed["cr"] = asked.link.cr if asked.cr is None else asked.cr
    told = [f"CR {about_cr(fixed['cr'])}"] if fixed["cr"] and "cr" not in moved else []
    if fixed["snr_db"] is not None and "snr_db" not in moved:
        told.append(f"SNR {fixed['snr_db']:g} dB")
    head = what if asked.link is None else f"{asked.link.name}: {what}"
    title = f"{head} at {' and '.join(told)}" if told else head.rstrip(",")
    if asked.target is not None and "target" not in moved:
        title += f"; target {'≥' if asked.fit.sign > 0 else '≤'} {asked.target:g}"
    return capital(title) if asked.link is None else title


def _place(field: str, values: Array) -> Array:
    """Where values of a field lie on their axis: a CR by its logarithm."""
    return np.log(values) if field == "cr" else values


def _label(axis: XAxis | YAxis, field: str, values: Array, tail: str = "") -> None:
    """Name an axis of a field; a CR's has fractions."""
    if field == "cr":
        look.cr_axis(axis, values[np.isfinite(values)])
    axis.set_label_text(field_label(field).replace(",", f"{tail},").replace("CR ", f"CR{tail} "))


def _lines(axes: Axes, table: "pd.DataFrame", fields: Sequence[str], asked: Defaults) -> None:
    groups = [("", table)] if len(fields) == 1 else list(table.groupby(fields[1], sort=True))
    colors = look.series_colors(max(len(groups), 2))
    drawn, keys = _drawn(asked, fields), list[Artist]()
    for i, (value, group) in enumerate(groups):
        x = _place(fields[0], group[fields[0]].to_numpy())
        mark = look.MARKERS[i % len(look.MARKERS)] if len(x) <= 25 else None
        band = (group["low"], group["high"]) if drawn == "value" else None
        look.band_curve(
            axes, x, _place(drawn, group[drawn].to_numpy()), band, group["in_domain"].to_numpy(),
            color=colors[i], label="fit" if len(fields) == 1 else _value(fields[1], value),
            marker=mark, markersize=4.5, markeredgecolor="white", markeredgewidth=0.5,
        )  # fmt: skip
    if drawn == "value":
        if table["low"].notna().any():
            keys.append(look.band_key(f"band, {level_text(asked.interval, asked.fit.band)}"))
        axes.set_ylabel(look.label_of(asked.fit))
        if "target" in table and table["target"].nunique() == 1:
            target = table["target"].iloc[0]
            look.target_line(axes, target, f"target, {target:g}")
    else:
        _label(axes.yaxis, drawn, table[drawn].to_numpy(), " needed")
    axes.margins(y=0.1)
    _label(axes.xaxis, fields[0], table[fields[0]].to_numpy())
    if fields[0] == "target":
        axes.set_xlabel(f"target for {look.label_of(asked.fit)}")
    keys += look.outside_key(table["in_domain"])
    look.legend(axes, keys, None if len(fields) == 1 else field_label(fields[1]))


def _map(
    figure: Figure, axes: Axes, table: "pd.DataFrame", fields: Sequence[str], asked: Defaults
) -> None:
    drawn = _drawn(asked, fields)
    grid, inside = (
        table.pivot_table(index=fields[1], columns=fields[0], values=name, dropna=False)
        for name in (drawn, "in_domain")
    )
    values = (grid.columns.to_numpy(), grid.index.to_numpy())
    x, y = (_place(*both) for both in zip(fields, values, strict=True))
    value, keys = grid.to_numpy(), list[Artist]()
    mesh = axes.pcolormesh(x, y, value, cmap=look.SURFACE_MAP, shading="nearest", rasterized=True)
    if drawn == "value" and "target" in table and table["target"].nunique() == 1:
        level = float(table["target"].iloc[0])
        if min(value.shape) > 1 and np.nanmin(value) < level < np.nanmax(value):
            axes.contour(x, y, value, levels=[level], colors=[look.ACCENT], linewidths=1.8)
            keys.append(look.key(f"target, {level:g}", look.ACCENT, linewidth=1.8))
    out = np.argwhere(inside.to_numpy(float) < 1)
    if len(out):
        mark: dict[str, Any] = {
            "marker": "x", "linestyle": "", "markersize": 3.0, "color": look.INK,
            "path_effects": [withStroke(linewidth=2.2, foreground="white")],
        }  # fmt: skip
        axes.plot(x[out[:, 1]], y[out[:, 0]], **mark)
        keys.append(look.key(f"{look.OUTSIDE},\nor out of reach", **mark))
    _label(axes.xaxis, fields[0], values[0])
    _label(axes.yaxis, fields[1], values[1])
    label = field_label(drawn).replace("CR ", "CR needed ").replace("SNR,", "SNR needed,")
    if drawn == "value":
        label = look.label_of(asked.fit).replace(", ", "\n", 1)
    look.colorbar(figure, axes, mesh, label, location="left")
    if keys:
        look.legend(axes, keys)


def _value(field: str, value: object) -> str:
    assert isinstance(value, float | int), "fields of a sweep are numbers"
    return about_cr(float(value)) if field == "cr" else f"{value:.4g}"
