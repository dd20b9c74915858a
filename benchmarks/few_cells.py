"""How few cells characterise a new surface: alone, or leaning on surfaces fitted before.

Each of four surfaces of the reference table is in turn the new one. The other three are pooled by
`semloss.surfaces.fitting.pooling` (a metric of the same predictions again, as the F1 score beside
the accuracy, would be counted as a surface of its own); the new one gets some of its
66 cells, drawn at random, and predicts the rest. Writes reports/few-cells.png and .csv, and prints
how often a 95 % band holds the rest: that for these images, with the scatter of trainings and the
share of the image noise that cells on the same images do not have in common. The draws of a row
share its surface and its prior: four rows are four trials, more than draws are.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from seaborn import despine

from semloss.facts import SHARED
from semloss.reports import look
from semloss.selection import select
from semloss.surfaces.fitted.bands import student_quantile
from semloss.surfaces.fitting.fit_surface import fit_surface
from semloss.surfaces.fitting.form_fit import fit_form, free_count
from semloss.surfaces.fitting.pooling import learn
from semloss.surfaces.forms import FORMS
from semloss.tables import load_table

ROOT = Path(__file__).parent.parent
FORM = FORMS["capped"]
SURFACES = (("accuracy", "matched"), ("accuracy", "clean"), ("ssim", None), ("psnr_db", None))
COVERED = (6, 10, 16)
CELLS = (3, 4, 5, 6, 8, 10, 12, 16, 24, 36)
DRAWS = 20


def pooled(table, new):
    """Points of a surface, and the prior that the others give it."""
    others = [select(table, *known) for known in SURFACES if known != new]
    return select(table, *new), learn(others, FORM.name).prior


def error(points, some, prior):
    """Error on the other cells in percent of the range; NaN where the fit is impossible."""
    chosen = points.subset(some)
    if prior is None and len(some) <= free_count(FORM, chosen):
        return np.nan
    rest = points.subset(np.setdiff1d(np.arange(len(points.value)), some))
    p = fit_form(FORM, chosen, starts=30, prior=prior).parameters
    away = FORM(rest.cr, rest.snr_db, p) - rest.value
    return 100 * np.sqrt(np.mean(away**2)) / np.ptp(points.value)


def held(points, some, prior):
    """Share of the other cells in the 95 % band, and its median half-width in % of the range."""
    fit = fit_surface(points.subset(some), FORM.name, prior=prior, bootstraps=0, starts=30)
    rest = points.subset(np.setdiff1d(np.arange(len(points.value)), some))
    band = fit.predict(cr=rest.cr, snr_db=rest.snr_db, band="these-images")
    own = np.sqrt((1 - SHARED[points.noise]) * rest.se**2 + fit.replicate_sd**2)
    half = np.hypot((band.high - band.low) / 2, student_quantile(0.95, None) * own)
    inside = np.abs(rest.value - band.value) <= half
    return np.mean(inside), 100 * np.median(half) / np.ptp(points.value)


def coverage():
    table = load_table(ROOT / "data" / "eurosat-awgn")
    print(f"{'95 % band holds':22}", *(f"{cells:>4} cells (half, %)" for cells in COVERED))
    every = []
    for metric, receiver in SURFACES:
        points, prior = pooled(table, (metric, receiver))
        rng, row = np.random.default_rng(0), []
        for cells in COVERED:
            tried = [rng.choice(len(points.value), cells, replace=False) for _ in range(DRAWS)]
            row.append(np.mean([held(points, some, prior) for some in tried], axis=0))
        every.append(row)
        print(f"{metric + ' ' + (receiver or ''):22}", *(f"{s:10.3f} ({w:6.2f})" for s, w in row))
    print(f"{'all':22}", *(f"{s:10.3f} ({w:6.2f})" for s, w in np.mean(every, axis=0)))


def measure():
    table = load_table(ROOT / "data" / "eurosat-awgn")
    rows = []
    for metric, receiver in SURFACES:
        points, prior = pooled(table, (metric, receiver))
        rng = np.random.default_rng(0)
        for cells in CELLS:
            tried = [rng.choice(len(points.value), cells, replace=False) for _ in range(DRAWS)]
            for how, lean in (("pooled", prior), ("alone", None)):
                errors = [error(points, some, lean) for some in tried]
                if not np.isnan(errors).any():
                    low, middle, high = np.quantile(errors, [0.25, 0.5, 0.75])
                    rows.append((metric, receiver or "none", how, cells, middle, low, high))
    columns = [
        "metric",
        "receiver",
        "fit",
        "cells",
        "error_percent",
        "quartile_low",
        "quartile_high",
    ]
    return pd.DataFrame(rows, columns=columns)


def draw(table, path):
    title = "Error of a new surface on the cells that it was not given, by how many it was given"
    about = (
        f"reference table: EuroSAT, 66 cells; median and quartiles of {DRAWS} draws of the cells; "
        f"form {FORM.name}; pooled: leaning on the other three surfaces"
    )
    with look.picture(path, look.PAGE, 2.6, title, about, table) as figure:
        panels = figure.subplots(1, len(SURFACES), sharey=True)
        colors = look.series_colors(3)
        for axes, (metric, receiver) in zip(panels, SURFACES, strict=True):
            own = table[(table.metric == metric) & (table.receiver == (receiver or "none"))]
            for i, how in enumerate(("pooled", "alone")):
                part = own[own.fit == how]
                look.band_curve(
                    axes, part.cells, part.error_percent, (part.quartile_low, part.quartile_high),
                    marker=look.MARKERS[i], color=colors[i], markersize=3.5, label=how,
                )  # fmt: skip
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_xticks([3, 6, 12, 24], ["3", "6", "12", "24"])
            axes.minorticks_off()
            axes.set_yticks([0.5, 1, 2, 5, 10, 20], ["0.5", "1", "2", "5", "10", "20"])
            name = look.metric_label(metric, receiver or "none").partition(" [")[0]
            axes.set_title(name.replace(", ", ",\n"))
            axes.set_xlabel("cells given")
            despine(ax=axes)
        panels[0].set_ylabel("error on the others\n[% of the measured range]")
        look.legend(panels[-1], [look.band_key("quartiles")])


def main():
    table = measure()
    draw(table, ROOT / "reports" / "few-cells.png")
    wide = table.pivot_table(index=["metric", "receiver", "fit"], columns="cells",
                             values="error_percent")  # fmt: skip
    print(wide.round(2).to_string())
    coverage()


if __name__ == "__main__":
    main()
