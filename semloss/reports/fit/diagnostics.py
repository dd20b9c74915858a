"""Pictures that show whether a fit may be believed: its residuals, in three views."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from semloss.arrays import Array, Mask
from semloss.reports import look
from semloss.reports.page import about_cr, capital, cell_name, row_of_most, signed
from semloss.selection import Points
from semloss.surfaces.fitted.fit import Fit
from semloss.surfaces.fitting.scatter import variance
from semloss.units import format_cr

_DASHED = (0, (4, 3))


def residual_table(fit: Fit, points: Points) -> pd.DataFrame:
    """Rows `cr`, `snr_db`, `measured`, `fitted`, `residual`, `sd` and `standardised`, per point.

    `residual` is measured − fitted and `sd` the noise of measuring joined with the scatter between
    trainings (of a fit without a correction, with what its form misses); where neither is known,
    the root mean square of the residuals.
    """
    fitted = np.asarray(fit.predict(cr=points.cr, snr_db=points.snr_db, interval=None).value)
    residual = points.value - fitted
    alone = 0.0 if points.replicate_dof else fit.replicate_sd
    beside = fit.model_error_sd if fit.correction is None else alone
    sd = np.sqrt(variance(points, fitted) + beside**2)
    sd = np.where(sd > 0, sd, math.sqrt(float(np.mean(residual**2))))
    return pd.DataFrame(
        {
            "cr": points.cr,
            "snr_db": points.snr_db,
            "measured": points.value,
            "fitted": fitted,
            "residual": residual,
            "sd": sd,
            "standardised": np.divide(residual, sd, out=np.zeros_like(residual), where=sd > 0),
        }
    )


def residuals_plot(fit: Fit, points: Points, path: Path | str) -> str:
    """Draw standardised residuals against SNR and against CR, with lines at ±2.

    The line through them joins the means of each SNR and each CR: it should hug zero.
    """
    table = residual_table(fit, points)
    limit = 1.12 * max(3.0, float(table["standardised"].abs().max()))
    with look.picture(
        path,
        look.PAGE,
        2.6,
        f"Residuals of {look.name_of(fit)}, {fit.form} fit",
        look.origin(fit),
        table,
    ) as figure:
        by_snr, by_cr = figure.subplots(1, 2, sharey=True)
        _residuals(by_snr, table, table["snr_db"].to_numpy())
        _residuals(by_cr, table, np.log(table["cr"].to_numpy()))
        look.snr_axis(by_snr.xaxis)
        look.cr_axis(by_cr.xaxis, points.cr)
        by_snr.set_ylabel("standardised residual")
        by_snr.set_ylim(-limit, limit)
        by_snr.set_title("(measured − fitted) / standard deviation")
        look.legend(by_cr, [look.key("± 2", linewidth=0.8, linestyle=_DASHED)])
        sns.despine(figure)
    return _read_residuals(fit, table)


def predicted_plot(fit: Fit, points: Points, path: Path | str) -> str:
    """Draw measured against fitted values, with 95 % bars of measuring, about the diagonal.

    The band about the diagonal is ± 2 model-error standard deviations.
    """
    table = residual_table(fit, points)
    with look.picture(
        path,
        4.6,
        3.1,
        f"{capital(look.name_of(fit))}: measured and fitted",
        look.origin(fit),
        table,
    ) as figure:
        axes = figure.subplots()
        ends = np.array(
            [table[["measured", "fitted"]].min().min(), table[["measured", "fitted"]].max().max()]
        )
        pad = 0.05 * (float(np.ptp(ends)) or max(abs(float(ends[0])), 1.0))
        ends = ends + np.array([-pad, pad])
        sd = 2 * fit.model_error_sd
        if sd > 0:
            axes.fill_between(ends, ends - sd, ends + sd, color=look.INK, alpha=0.12,
                              linewidth=0, label="± 2 sd of the\nmodel error")  # fmt: skip
        axes.plot(ends, ends, color=look.INK, linewidth=0.9, linestyle=_DASHED,
                  label="measured = fitted")  # fmt: skip
        for color, marker, label, own in _series(table):
            error = 1.96 * points.se[own]
            axes.errorbar(
                table["fitted"][own], table["measured"][own], yerr=error if error.any() else None,
                fmt=marker, color=color, markersize=_size(table), markeredgecolor="white",
                markeredgewidth=0.4, elinewidth=0.7, label=label,
            )  # fmt: skip
        axes.set(xlim=ends, ylim=ends, aspect="equal")
        label = look.label_of(fit)
        axes.set_xlabel(f"fitted {label}")
        axes.set_ylabel(f"measured {label}")
        look.legend(axes, [look.bars_key()] if points.se.any() else [])
        sns.despine(ax=axes)
    return _read_predicted(table)


def _series(table: pd.DataFrame) -> list[tuple[tuple[float, float, float], str, str, Mask]]:
    """Colour, marker, label and rows of each CR; a dense grid is one series without a label."""
    ratios = np.unique(table["cr"])
    if len(ratios) > len(look.shown_ratios(ratios)):
        every = np.ones(len(table), dtype=bool)
        return [(look.series_colors(3)[1], look.MARKERS[0], f"{len(ratios)} CRs", every)]
    colors = look.series_colors(len(ratios))
    chosen = [
        (
            colors[i],
            look.MARKERS[i % len(look.MARKERS)],
            f"CR {format_cr(float(cr))}",
            (table["cr"] == cr).to_numpy(),
        )
        for i, cr in enumerate(ratios)
    ]
    return chosen[::-1]


def _size(table: pd.DataFrame) -> float:
    return 4.5 if len(table) <= 120 else 2.6


def _residuals(axes: Axes, table: pd.DataFrame, x: Array) -> None:
    axes.axhspan(-2, 2, color=look.INK, alpha=0.07, linewidth=0)
    axes.axhline(0, color=look.INK, linewidth=0.8)
    for level in (-2, 2):
        axes.axhline(level, color=look.INK, linewidth=0.8, linestyle=_DASHED)
    z = table["standardised"].to_numpy()
    for color, marker, label, own in _series(table):
        axes.plot(
            x[own], z[own], marker, color=color, markersize=_size(table), markeredgecolor="white",
            markeredgewidth=0.4, label=label,
        )  # fmt: skip
    means = _means(x, z)
    axes.plot(means["at"], means["mean"], color=look.ACCENT, linewidth=1.2, zorder=4, label="mean")
    pad = 0.05 * max(float(np.ptp(x)), 1e-9)
    axes.set_xlim(float(x.min()) - pad, float(x.max()) + pad)


def _means(x: Array, z: Array) -> pd.DataFrame:
    """Rows `at`, `mean`, `size`: means at each place, or of neighbours where places are single."""
    _, group = np.unique(x.round(9), return_inverse=True)
    if len(x) < 3 * (group.max() + 1):
        group = np.argsort(np.argsort(x, kind="stable")) * max(2, min(8, len(x) // 5)) // len(x)
    grouped = pd.DataFrame({"x": x, "z": z}).groupby(group)
    return pd.DataFrame(
        {"at": grouped["x"].mean(), "mean": grouped["z"].mean(), "size": grouped["z"].size()}
    )


def _read_residuals(fit: Fit, table: pd.DataFrame) -> str:
    z = table["standardised"]
    worst = row_of_most(table, z.abs().to_numpy(float))
    beyond = int((z.abs() > 2).sum())
    if z.abs().max() == 0:
        return "Every residual is zero."
    text = (
        f"The largest residual, {worst['residual']:+.2g} ({worst['standardised']:+.1f} standard "
        f"deviations), is at {cell_name(worst['cr'], worst['snr_db'])}; {beyond} of {len(z)} "
        f"({100 * beyond / len(z):.0f} %) lie beyond ±2, where chance alone puts 5 %"
    )
    leaning = []
    for key, name in (("snr_db", "SNR"), ("cr", "CR")):
        x = table[key].to_numpy(float)
        means = _means(np.log(x) if key == "cr" else x, z.to_numpy(float))
        score = (means["mean"].abs() * np.sqrt(means["size"])).to_numpy(float)
        if score.max() > 3:  # a mean of independent residuals strays so far once in 400
            mean = row_of_most(means, score)
            where = (
                f"CR {about_cr(math.exp(mean['at']))}" if key == "cr" else f"{mean['at']:.3g} dB"
            )
            leaning.append(f"{name} (mean {mean['mean']:+.1f} at {where})")
    if leaning:
        text += f"; they lean with {' and '.join(leaning)}, so the form misses a bend there"
    return signed(f"{text}.")


def _read_predicted(table: pd.DataFrame) -> str:
    residual = table["residual"]
    worst = row_of_most(table, residual.abs().to_numpy(float))
    spread = float(np.ptp(table["measured"]))
    if spread == 0:
        return f"Every measured value is {table['measured'].iloc[0]:.3g}."
    total = float(np.mean((table["measured"] - table["measured"].mean()) ** 2))
    explained = 1 - float(np.mean(residual**2)) / total
    return signed(
        f"The fit explains {100 * explained:.2f} % of the variance; it is off by at most "
        f"{abs(worst['residual']):.2g} ({100 * abs(worst['residual']) / spread:.1f} % of the "
        f"range), at {cell_name(worst['cr'], worst['snr_db'])}: {worst['fitted']:.4g} fitted, "
        f"{worst['measured']:.4g} measured."
    )
