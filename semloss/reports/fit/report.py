"""The report of one fit or several: a folder with the numbers first, then every picture, read."""

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from semloss.errors import SemlossError
from semloss.reports.fit.candidates import forms_plot, forms_table
from semloss.reports.fit.comparison import LEVEL, surface_names, surfaces_plot, surfaces_table
from semloss.reports.fit.contours import contours_plot, round_targets
from semloss.reports.fit.diagnostics import predicted_plot, residuals_plot
from semloss.reports.fit.parameters import correlation_plot, determined, intervals_plot
from semloss.reports.fit.surface import curves_plot, plane_plot
from semloss.reports.folder import report_folder
from semloss.reports.look import label_of
from semloss.reports.page import about_cr, rows_of, signed
from semloss.selection import Points
from semloss.surfaces.fitted.bands import KINDS
from semloss.surfaces.fitted.fit import Fit
from semloss.surfaces.fitted.outcome import verdict
from semloss.surfaces.forms import FORMS, Form
from semloss.units import format_cr

_ABOUT = ("source", "codec", "channel")


def write_report(fits: Sequence[tuple[Fit, Points]], folder: Path | str) -> Path:
    """Write the report of fits with the points that each was fitted to.

    One fit gives README.md, pictures and their tables; several give a README that compares them
    and a folder for each. The folder appears whole or not at all.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    SemlossError
        When there is no fit, when the folder holds anything but an earlier report, or when the
        place cannot be written.
    """
    if not fits:
        raise SemlossError("no fit to report on")
    folder = Path(folder)
    with report_folder(folder) as place:
        if len(fits) == 1:
            fit, points = fits[0]
            _write_one(fit, points, place, label_of(fit))
        else:
            _write_several(fits, place)
    return folder


def _write_several(fits: Sequence[tuple[Fit, Points]], place: Path) -> None:
    """The comparison, and a folder per surface."""
    surfaces = [fit for fit, _ in fits]
    names = surface_names(surfaces)
    slugs = _slugs(names)
    reading = surfaces_plot(surfaces, place / "surfaces.png")
    table = surfaces_table(surfaces)
    rows = []
    for slug, row in zip(slugs, rows_of(table), strict=True):
        need = _need(row["min_snr_db"], row["low"], row["high"])
        rows.append(
            [
                f"[{_cell(row['surface'])}]({slug}/README.md)", str(row["points"]),
                f"`{row['form']}`", row["outcome"], _error(row["rmse"], row["rmse_percent"]),
                _error(row["held_out"], row["held_out_percent"]),
                f"{_number(row['worst'])} … {_number(row['best'])}", _number(row["behind"]),
                _number(row["target"]), need,
            ]
        )  # fmt: skip
    ratios = {about_cr(cr) for cr in table["cr"]}
    where = f"CR {ratios.pop()}" if len(ratios) == 1 else "the middle of its own CRs"
    head = ["surface", "points", "form", "outcome", "RMSE", "held out", f"values at {where}",
            "behind the best", "target", "SNR for the target [dB]"]  # fmt: skip
    lines = [
        f"# Fit report: {len(fits)} surfaces", "", *_markdown(head, rows), "",
        f"Errors are in units of the metric, in brackets in % of its measured range. The last "
        f"columns hold at {where}: the fitted values at the lowest and highest SNR, what the "
        f"latter lacks of the best surface of the same metric, and the SNR [95 % interval] that "
        f"meets one target for all surfaces of a metric: {100 * LEVEL:g} % of the way up the "
        "weakest.", "",
        "## Surfaces side by side", "", "![Values, SNR needed and errors of the "
        "surfaces](surfaces.png)", "",
        f"{reading} [Table](surfaces.csv), [curves](surfaces-curves.csv).",
    ]  # fmt: skip
    (place / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for slug, (fit, points), name in zip(slugs, fits, names, strict=True):
        (place / slug).mkdir()
        _write_one(fit, points, place / slug, name)


def _write_one(fit: Fit, points: Points, place: Path, title: str) -> None:
    """Pictures, tables and README of one fit."""
    pictures: list[tuple[str, str, Callable[[Path], str]]] = [
        ("curves", "Metric against SNR", lambda path: curves_plot(fit, points, path)),
        ("surface", "Surface and cells", lambda path: plane_plot(fit, points, path)),
    ]
    if round_targets(fit):
        pictures.append(
            ("contours", "What a target needs", lambda p: contours_plot(fit, points, p))
        )
    pictures += [
        ("residuals", "Residuals", lambda path: residuals_plot(fit, points, path)),
        ("predicted", "Measured against fitted", lambda path: predicted_plot(fit, points, path)),
    ]
    if len(forms_table(fit)) > 1:
        pictures.append(("forms", "Errors of the forms", lambda path: forms_plot(fit, path)))
    if len(determined(fit)) > 1:
        pictures.append(
            ("correlation", "Correlation of the parameters", lambda p: correlation_plot(fit, p))
        )
    if fit.intervals:
        pictures.append(
            ("intervals", "Intervals of the parameters", lambda path: intervals_plot(fit, path))
        )
    lines = [f"# {title}: fit report", "", *_summary(fit, points), "", *_form(fit), ""]
    lines += [*_forms(fit), *_diagnosis(fit), "## Pictures", ""]
    for name, heading, draw in pictures:
        reading = draw(place / f"{name}.png")
        lines += [
            f"### {heading}", "", f"![{heading}]({name}.png)", "",
            f"{reading} [Table]({name}.csv).", "",
        ]  # fmt: skip
    (place / "README.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


def _summary(fit: Fit, points: Points) -> list[str]:
    """The numbers first."""
    quality = fit.quality
    percent = 100.0 / (quality.get("range") or 1.0)
    ratios, levels = np.unique(points.cr), np.unique(points.snr_db)
    grid = (
        f"{len(points.value)} points: {len(ratios)} CRs {format_cr(ratios[0])} … "
        f"{format_cr(ratios[-1])}, {len(levels)} SNRs {levels[0]:g} … {levels[-1]:g} dB; values "
        f"{points.value.min():.4g} … {points.value.max():.4g}"
    )
    counted = points.n[np.isfinite(points.n)]
    noise = points.noise + (f", {np.median(counted):g} images a point" if counted.size else "")
    held = [
        f"{label} {_error(quality[key], percent * quality[key])}"
        for key, label in (
            ("held_out", "inside the domain"), ("leave_cr_out", "one CR out"),
            ("leave_snr_out", "one SNR out"), ("k_fold", "k-fold"), ("edge_out", "edge out"),
        )
        if quality.get(key) is not None
    ]  # fmt: skip
    known = [
        f"{n} {v:g}" for n, v in (("floor", fit.floor), ("ceiling", fit.ceiling)) if v is not None
    ]
    origin = [f"{k} {fit.provenance[k]}" for k in _ABOUT if fit.provenance.get(k)]
    outcome = f"**{verdict(fit.outcome, quality)}**: {fit.message or fit.outcome.remedy}"
    form = FORMS[fit.form]
    rows = [
        ("metric", f"{label_of(fit)}; {fit.direction} is better"),
        ("measured", grid + (f" ({', '.join(origin)})" if origin else "")),
        ("noise", noise),
        ("form", f"`{fit.form}`, {form.summary}; {_free(fit)} fitted"),
        ("in-sample", f"RMSE {_error(quality.get('rmse'), percent * quality.get('rmse', 0.0))}; "
         f"the form alone misses {_number(fit.model_error_sd)} beyond the noise"),
        *_doubt(fit),
        ("held out", "; ".join(held) or "not measured"),
        ("outcome", outcome),
        ("domain", f"hull of the cells, CR {about_cr(fit.cr_range[0])} … "
         f"{about_cr(fit.cr_range[1])}, SNR {fit.snr_db_range[0]:g} … {fit.snr_db_range[1]:g} dB; "
         "a prediction outside it says so"),
        ("known levels", ", ".join(known) or "none"),
        ("data", f"SHA-256 `{fit.data.get('sha256', 'not recorded')}`"),
        *(("note", note) for note in points.notes),
    ]  # fmt: skip
    return _markdown(["", ""], [[name, signed(_cell(text))] for name, text in rows])


def _doubt(fit: Fit) -> list[tuple[str, str]]:
    """The three kinds of scatter, and what the bands are about."""
    told = fit.quality.get("doubt")
    if not isinstance(told, dict):
        return []
    kinds = ("image_noise", "training_scatter", "form_misfit")
    images, again, form = ("unknown" if told[k] is None else _number(told[k]) for k in kinds)
    return [
        ("doubt", f"standard deviations: test images {images}, trainings {again}, form {form}"),
        ("bands", f"95 %, {KINDS[fit.band]}; shared by cells through their images: "
         f"{told['shared_images']}"),
    ]  # fmt: skip


def _diagnosis(fit: Fit) -> list[str]:
    """Measured less fitted by CR and by SNR."""
    told = fit.quality.get("diagnosis")
    if not isinstance(told, dict):
        return []
    percent = 100.0 / (fit.quality.get("range") or 1.0)
    rows = [
        [label(row[name]), str(row["points"]), signed(f"{percent * row['mean']:+.2f}"),
         f"{percent * row['rms']:.2f}"]
        for name, label in (("cr", lambda cr: f"CR {about_cr(cr)}"), ("snr_db", _at_snr))
        for row in told.get(f"by_{name}", [])
    ]  # fmt: skip
    if not rows:
        return []
    head = ["where", "points", "mean [% of range]", "root mean square [% of range]"]
    return ["## Measured less fitted", "", *_markdown(head, rows), ""]


def _at_snr(snr_db: float) -> str:
    return signed(f"{snr_db:g} dB")


def _form(fit: Fit) -> list[str]:
    """Equation and parameters."""
    form = FORMS[fit.form]
    error = np.sqrt(np.maximum(np.diag(fit.covariance), 0.0))
    rows = []
    for parameter, value, sd in zip(form.all_parameters, fit.parameters, error, strict=True):
        ends = fit.intervals.get(parameter.name)
        known = ends is None and sd == 0
        rows.append(
            [
                f"`{parameter.name}`", f"${parameter.latex}$" if parameter.latex else "",
                _number(value, 5),
                "known" if known else "on a bound" if sd == 0 else _number(sd),
                "–" if ends is None else f"{_number(ends[0])} … {_number(ends[1])}",
                parameter.unit, parameter.meaning,
            ]
        )  # fmt: skip
    level = f"{100 * fit.interval_level:g} % interval"
    head = ["parameter", "symbol", "value", "standard error", level, "unit", "meaning"]
    kind = type(form)
    source = f"Symbols and limits: docstring of `{kind.__module__}.{kind.__qualname__}`."
    levels = "value = floor + (ceiling − floor) · gain. " if form.has_range else ""
    return [f"## Form `{fit.form}`", "", *_equations(form), f"{levels}{source}", "",
            *_markdown(head, rows)]  # fmt: skip


def _equations(form: Form) -> list[str]:
    """The gain and its named parts as a block of mathematics, none where there is no shape."""
    if not form.parameters:
        return []
    lines = [rf"\text{{{left}}}" if left == "gain" else left for left, _ in form.equations]
    lines = [rf"{left} &= {right}" for left, (_, right) in zip(lines, form.equations, strict=True)]
    return ["```math", r"\begin{aligned}", " \\\\\n".join(lines), r"\end{aligned}", "```", ""]


def _forms(fit: Fit) -> list[str]:
    """Table of the forms that were tried, and the rule that picked."""
    table = forms_table(fit)
    if len(table) < 2:
        return []
    keys = ["rmse", "k_fold", "leave_snr_out", "leave_cr_out", "edge_out", "held_out"]
    head = ["form", "parameters", "RMSE", "k-fold", "one SNR out", "one CR out", "edge out",
            "held out, inside", "AICc", "BIC", "outcome"]  # fmt: skip
    rows = []
    for row in rows_of(table):
        count = "–" if pd.isna(row["parameters"]) else str(row["parameters"])
        figures = [_number(row[key]) for key in keys]
        figures += ["–" if pd.isna(row[k]) else signed(f"{row[k]:.1f}") for k in ("aicc", "bic")]
        name = f"**`{row['form']}`**" if row["chosen"] else f"`{row['form']}`"
        rows.append([name, count, *figures, row["outcome"] or "–"])
    rule = fit.quality.get("chosen_by", "")
    said = f"Chosen (bold): {rule}. Errors are in units of the metric." if rule else ""
    return ["## Forms compared", "", *_markdown(head, rows), "", said, ""]


def _free(fit: Fit) -> str:
    """How many parameters the data had to determine."""
    tried = fit.quality.get("candidates", {}).get(fit.form, {})
    count = tried.get("parameters", len(determined(fit)))
    return "one parameter" if count == 1 else f"{count} parameters"


def _slugs(names: Sequence[str]) -> list[str]:
    """Folder names, each once."""
    slugs: list[str] = []
    for name in names:
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "surface"
        again = 2
        unique = slug
        while unique in slugs:
            unique, again = f"{slug}-{again}", again + 1
        slugs.append(unique)
    return slugs


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def _cell(text: str) -> str:
    """Text that stays within its cell."""
    return text.replace("|", "\\|").replace("\n", " ")


def _number(value: float | None, digits: int = 3) -> str:
    if value is None or math.isnan(value):
        return "–"
    return signed(f"{value:.{digits}g}")


def _error(value: float | None, percent: float | None) -> str:
    if value is None or percent is None or math.isnan(value):
        return "–"
    return f"{value:.3g} ({percent:.1f} %)"


def _need(value: float | None, low: float | None, high: float | None) -> str:
    """An SNR with its interval; open above where the band does not reach."""
    if value is None or low is None or math.isnan(value):
        return "–"
    end = "" if high is None or math.isnan(high) else f" {high:.1f}"
    return signed(f"{value:.1f} [{low:.1f} …{end}]")
