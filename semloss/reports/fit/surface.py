"""Pictures of a fitted surface with the measurements that it was fitted to."""

from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon
from matplotlib.patheffects import Normal, withStroke
from matplotlib.ticker import MaxNLocator

from semloss.reports import look
from semloss.reports.page import about_cr, capital, cell_name, row_of_most, rows_of, signed
from semloss.selection import Points
from semloss.surfaces.fitted.bands import level_text
from semloss.surfaces.fitted.fit import Fit

_STEPS = 121
"""Points of a curve."""
_PLANE = (49, 61)
"""Rows in ln CR and columns in SNR of the drawn plane."""


def surface_plot(fit: Fit, points: Points, path: Path | str) -> str:
    """Draw the metric against SNR per CR, and the surface over the (SNR, CR) plane, as one page.

    Left as in `curves_plot`, right as in `plane_plot`; the table holds the rows of both.
    """
    curves, plane = curves_table(fit, points), plane_table(fit, points)
    fitted = plane[plane["drawn"] == "fit"].assign(drawn="plane")
    table = pd.concat([curves, fitted], ignore_index=True)
    with look.picture(path, look.PAGE, 5.4, _title(fit), look.origin(fit), table) as figure:
        left, right = figure.subplots(2, 1)
        _curves(left, fit, points, curves)
        _plane(figure, right, fit, points, plane)
        sns.despine(ax=left)
    return _read_curves(fit, curves)


def curves_plot(fit: Fit, points: Points, path: Path | str) -> str:
    """Draw the metric against SNR, one curve per CR with its 95 % band, over the measurements.

    Markers carry 95 % error bars of measuring; a curve is dotted outside the fitted domain.
    """
    table = curves_table(fit, points)
    with look.picture(path, 4.6, 2.7, _title(fit), look.origin(fit), table) as figure:
        axes = figure.subplots()
        _curves(axes, fit, points, table)
        sns.despine(ax=axes)
    return _read_curves(fit, table)


def plane_plot(fit: Fit, points: Points, path: Path | str) -> str:
    """Draw the surface over the (SNR, CR) plane with the measured cells.

    Iso-metric lines are labelled, the outline is the fitted domain, and each measurement is a
    disc filled on the colour scale of the surface behind it: a disc that stands out misses it.
    """
    table = plane_table(fit, points)
    with look.picture(path, 4.6, 2.7, _title(fit), look.origin(fit), table) as figure:
        _plane(figure, figure.subplots(), fit, points, table)
    return _read_plane(fit, table)


def curves_table(fit: Fit, points: Points) -> pd.DataFrame:
    """Rows `drawn` (fit or measured), `cr`, `snr_db`, `value`, `low`, `high`, `in_domain`.

    Of a measurement, `low` and `high` are its value ± 1.96 standard errors.
    """
    ratios = look.shown_ratios(points.cr)
    snr = np.linspace(*fit.snr_db_range, _STEPS)
    curve = fit.predict(cr=ratios[:, None], snr_db=snr[None, :])
    fitted = {
        name: np.asarray(getattr(curve, name)).ravel()
        for name in ("cr", "snr_db", "value", "low", "high", "in_domain")
    }
    own = points.subset(np.isin(points.cr, ratios))
    measured = {
        "cr": own.cr, "snr_db": own.snr_db, "value": own.value,
        "low": own.value - 1.96 * own.se, "high": own.value + 1.96 * own.se, "in_domain": True,
    }  # fmt: skip
    parts = [
        pd.DataFrame({"drawn": "fit", **fitted}),
        pd.DataFrame({"drawn": "measured", **measured}),
    ]
    return pd.concat(parts, ignore_index=True)


def plane_table(fit: Fit, points: Points) -> pd.DataFrame:
    """Rows `drawn` (fit or measured), `cr`, `snr_db`, `value` of the plane and of the cells."""
    (x_low, x_high), (s_low, s_high) = np.log(fit.cr_range), fit.snr_db_range
    x_pad, s_pad = 0.05 * (x_high - x_low or 2.0), 0.04 * (s_high - s_low or 20.0)
    x = np.linspace(x_low - x_pad, min(x_high + x_pad, 0.0), _PLANE[0])
    snr = np.linspace(s_low - s_pad, s_high + s_pad, _PLANE[1])
    cr, snr = (a.ravel() for a in np.meshgrid(np.minimum(np.exp(x), 1.0), snr, indexing="ij"))
    value = fit.predict(cr=cr, snr_db=snr, interval=None).value
    return pd.concat(
        [
            pd.DataFrame({"drawn": "fit", "cr": cr, "snr_db": snr, "value": value}),
            pd.DataFrame(
                {
                    "drawn": "measured",
                    "cr": points.cr,
                    "snr_db": points.snr_db,
                    "value": points.value,
                }
            ),
        ],
        ignore_index=True,
    )


def _title(fit: Fit) -> str:
    rmse = fit.quality.get("rmse")
    error = "" if rmse is None else f", RMSE {rmse:#.2g}"
    return f"{capital(look.name_of(fit))}: {fit.form} fit{error}"


def _curves(axes: Axes, fit: Fit, points: Points, table: pd.DataFrame) -> None:
    ratios = look.shown_ratios(points.cr)
    colors = look.series_colors(len(ratios))
    fitted = table[table["drawn"] == "fit"]
    measured = table[table["drawn"] == "measured"]
    for i, cr in enumerate(ratios):
        curve, own = fitted[fitted["cr"] == cr], measured[measured["cr"] == cr]
        snr, value = curve["snr_db"].to_numpy(), curve["value"].to_numpy()
        inside = curve["in_domain"].to_numpy(bool)
        band = (curve["low"], curve["high"])
        look.band_curve(axes, snr, value, band, inside, color=colors[i])
        error = (own["high"] - own["value"]).to_numpy()
        axes.errorbar(
            own["snr_db"],
            own["value"],
            yerr=error if error.any() else None,
            fmt=look.MARKERS[i % len(look.MARKERS)],
            color=colors[i],
            markersize=4.5 if len(own) <= 40 else 3,
            markeredgecolor="white",
            markeredgewidth=0.5,
            elinewidth=0.8,
            label=about_cr(float(cr)),
        )
    # A band that runs wild outside the domain must not flatten the curves.
    ends = np.concatenate([fitted["value"], measured["low"], measured["high"]])
    pad = 0.06 * (float(np.ptp(ends)) or max(abs(float(ends[0])), 1.0))
    low, high = float(ends.min()), float(ends.max())
    axes.set_ylim(
        max(low - 4 * pad, min(low, float(fitted["low"].min())) - pad),
        min(high + 4 * pad, max(high, float(fitted["high"].max())) + pad),
    )
    look.snr_axis(axes.xaxis)
    axes.set_ylabel(look.label_of(fit))
    handles = axes.get_legend_handles_labels()[0][:: -int(fit.sign)]  # best first
    bars = [look.bars_key()] if (measured["high"] > measured["value"]).any() else []
    keys = [*handles, *bars, look.key("fit"), look.band_key(f"band, {level_text(0.95, fit.band)}")]
    keys += look.outside_key(fitted["in_domain"])
    for handle in handles:
        handle.set_label(f"CR {handle.get_label()}, measured")
    axes.legend(handles=keys, loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2)


def _plane(figure: Figure, axes: Axes, fit: Fit, points: Points, table: pd.DataFrame) -> None:
    fitted = table[table["drawn"] == "fit"]
    value = fitted["value"].to_numpy().reshape(_PLANE)
    x = np.log(fitted["cr"].to_numpy()).reshape(_PLANE)[:, 0]
    snr = fitted["snr_db"].to_numpy().reshape(_PLANE)[0]
    low, high = float(table["value"].min()), float(table["value"].max())
    flat = high - low < 1e-9 * max(abs(low), 1.0)
    if flat:
        low, high = low - 0.1 * max(abs(low), 1.0), high + 0.1 * max(abs(low), 1.0)
    mesh = axes.pcolormesh(
        snr,
        x,
        value,
        cmap=look.SURFACE_MAP,
        vmin=low,
        vmax=high,
        shading="gouraud",
        rasterized=True,
    )
    axes.set_xlim(snr[0], snr[-1])
    axes.set_ylim(x[0], x[-1])
    if not flat:
        levels = MaxNLocator(7).tick_values(low, high)
        lines = axes.contour(snr, x, value, levels=levels, colors="white", linewidths=0.8)
        look.number_contours(axes, lines, np.stack([points.snr_db, np.log(points.cr)], axis=1))
    axes.add_patch(
        Polygon(
            fit.hull[:, ::-1],
            closed=True,
            fill=False,
            edgecolor=look.INK,
            linestyle=(0, (4, 3)),
            label="fitted domain",
        )
    )
    few = min(1.0, 60 / len(points.value))
    size = 4.0 + 26.0 * few
    at = (points.snr_db, np.log(points.cr))
    axes.scatter(
        *at, path_effects=[withStroke(linewidth=3.0 * few, foreground="white"), Normal()],
        c=points.value, cmap=look.SURFACE_MAP, vmin=low, vmax=high, s=size, edgecolor=look.INK,
        linewidth=0.15 + 0.35 * few, zorder=4,
        label="measured",
    )  # fmt: skip
    look.snr_axis(axes.xaxis)
    look.cr_axis(axes.yaxis, points.cr)
    bar = look.colorbar(
        figure, axes, mesh, look.label_of(fit).replace(", ", "\n", 1),
        location="left",
    )  # fmt: skip
    if flat:
        bar.set_ticks([float(value.flat[0])])
    look.legend(axes)


def _read_curves(fit: Fit, table: pd.DataFrame) -> str:
    """How far the outer CRs climb inside the domain, and where the band is widest."""
    fitted = table[(table["drawn"] == "fit") & table["in_domain"].astype(bool)]
    if np.ptp(fitted["value"]) == 0:
        return f"The fit is {fitted['value'].iloc[0]:.3g} everywhere."
    climbs = []
    for cr in (fitted["cr"].min(), fitted["cr"].max()):
        rows = rows_of(fitted[fitted["cr"] == cr])
        first, last = rows[0], rows[-1]
        climbs.append(
            f"at CR {about_cr(cr)} from {first['value']:.3g} at {first['snr_db']:.3g} dB to "
            f"{last['value']:.3g} at {last['snr_db']:.3g} dB"
        )
    half = 0.5 * (fitted["high"] - fitted["low"]).to_numpy(float)
    widest = row_of_most(fitted, half)
    return signed(
        f"The fit goes {' and '.join(climbs)}; its 95 % band is widest, ±{half.max():.2g}, at "
        f"{cell_name(widest['cr'], round(widest['snr_db'], 1))}."
    )


def _read_plane(fit: Fit, table: pd.DataFrame) -> str:
    """Where the surface is worst and best, and how many dB a doubling of CR is worth."""
    measured = table[table["drawn"] == "measured"]
    if np.ptp(measured["value"]) == 0:
        return f"Every measured value is {measured['value'].iloc[0]:.3g}."
    gain = measured["value"].to_numpy(float) * fit.sign
    worst, best = row_of_most(measured, -gain), row_of_most(measured, gain)
    text = (
        f"Measured values run from {worst['value']:.3g} ({cell_name(worst['cr'], worst['snr_db'])})"
        f" to {best['value']:.3g} ({cell_name(best['cr'], best['snr_db'])})"
    )
    x, snr = float(np.mean(np.log(fit.cr_range))), float(np.mean(fit.snr_db_range))
    step = 1e-3
    by_x, by_snr = (
        fit.predict(cr=np.exp(x + dx), snr_db=snr + ds, interval=None).value
        - fit.predict(cr=np.exp(x - dx), snr_db=snr - ds, interval=None).value
        for dx, ds in ((step, 0.0), (0.0, step))
    )
    middle = f"in the middle of the domain ({cell_name(float(np.exp(x)), round(snr, 1))})"
    span = float(np.ptp(measured["value"]))
    if abs(by_snr) <= 1e-6 * span * step:
        return signed(f"{text}; {middle} SNR moves nothing.")
    worth = np.log(2) * by_x / by_snr
    return signed(f"{text}; {middle} a doubling of CR is worth {worth:.2g} dB of SNR.")
