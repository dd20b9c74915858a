"""Picture of the forms that were tried on one surface, and how far each misses."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from semloss.errors import SemlossError
from semloss.reports import look
from semloss.reports.page import capital, row_of_most, rows_of, signed
from semloss.surfaces.fitted.fit import Fit
from semloss.surfaces.fitted.outcome import Outcome
from semloss.surfaces.fitting.fit_surface import CORRECTED
from semloss.surfaces.forms import FORMS

REFERENCE = "reference"
"""Name of the non-parametric yardstick among the candidates."""
_ERRORS = {
    "rmse": ("in-sample", "o", "white"),
    "k_fold": ("k-fold", "v", "#8a8a8a"),
    "leave_snr_out": ("leave one SNR out", "^", "#8a8a8a"),
    "leave_cr_out": ("leave one CR out", "s", "#8a8a8a"),
    "edge_out": ("edge out", ">", "#8a8a8a"),
    "held_out": ("held out, inside", "D", look.ACCENT),
}
"""Errors of a form: key -> label, marker and fill."""


def forms_table(fit: Fit) -> pd.DataFrame:
    """Rows `form`, `parameters`, the errors, `aicc`, `bic`, `outcome` and `chosen`.

    Errors are in units of the metric. The forms come as they were tried, simplest first, the
    non-parametric reference last.
    """
    found: dict[str, dict[str, Any]] = fit.quality.get("candidates", {})
    names = sorted(found, key=lambda name: name == REFERENCE)
    columns = ["parameters", *_ERRORS, "aicc", "bic", "outcome"]
    rows = [
        {"form": name, **{c: found[name].get(c) for c in columns}, "chosen": name == fit.form}
        for name in names
    ]
    table = pd.DataFrame(rows, columns=["form", *columns, "chosen"])
    numbers = [*_ERRORS, "aicc", "bic"]
    table[numbers] = table[numbers].astype(float)
    table["parameters"] = table["parameters"].astype("Int64")
    return table


def forms_plot(fit: Fit, path: Path | str) -> str:
    """Draw the error of each form, in-sample and on data held out, the chosen one marked.

    Errors are percentages of the measured range on a logarithmic axis; the non-parametric
    reference shows what a closed form leaves on the table.

    Raises
    ------
    SemlossError
        When only one form was tried.
    """
    table = forms_table(fit)
    if len(table) < 2:
        raise SemlossError(f"only form {fit.form} was fitted: --form auto compares forms")
    spread = fit.quality.get("range") or 1.0
    with look.picture(
        path,
        4.6,
        1.0 + 0.24 * len(table),
        f"{capital(look.name_of(fit))}: errors of the forms",
        look.origin(fit),
        table,
    ) as figure:
        axes = figure.subplots()
        _forms(axes, table, 100.0 / spread)
        axes.set_ylabel("form (number of its parameters)")
        axes.set_xlabel(
            f"error of {look.metric_label(fit.metric, 'none')}\n[% of the measured range]"
        )
        chosen = Patch(facecolor=look.ACCENT, alpha=0.12, label="the form chosen")
        flagged = [look.key("fit flagged", linestyle="", marker="$*$")]
        doubtful = any(map(_doubtful, rows_of(table)))
        look.legend(axes, [chosen, *(flagged if doubtful else [])])
        sns.despine(ax=axes, left=True)
    return _read_forms(fit, table, 100.0 / spread)


def _forms(axes: Axes, table: pd.DataFrame, percent: float) -> None:
    rows = np.arange(len(table))[::-1].astype(float)
    chosen = table["chosen"].to_numpy(bool)
    for row in rows[chosen]:
        axes.axhspan(row - 0.45, row + 0.45, color=look.ACCENT, alpha=0.12, linewidth=0)
    axes.hlines(rows, 0, 1, color="#dddddd", linewidth=0.6, zorder=0,
                transform=axes.get_yaxis_transform())  # fmt: skip
    errors = percent * table[list(_ERRORS)].to_numpy(float)
    known = errors[np.isfinite(errors) & (errors > 0)]
    least = float(known.min()) if known.size else 0.1
    for i, (label, marker, face) in enumerate(_ERRORS.values()):
        shown = np.isfinite(errors[:, i])
        if shown.any():
            axes.plot(
                np.maximum(errors[shown, i], 0.5 * least), rows[shown], marker, label=label,
                color=face, markersize=5.5 if face == look.ACCENT else 4.5, clip_on=False,
                markeredgecolor=look.INK if face == "white" else "white",
                markeredgewidth=0.9 if face == "white" else 0.5, zorder=4 + (face == look.ACCENT),
            )  # fmt: skip
    axes.set_xscale("log")
    low, high = 0.7 * least, 1.4 * (float(known.max()) if known.size else 1.0)
    axes.set_xlim(low, high)
    axes.set_ylim(-0.6, len(table) - 0.4)
    decades = np.log10(high / low)
    within = (1, 2, 5) if decades < 1.7 else (1, 3) if decades < 3 else (1,)
    axes.xaxis.set_major_locator(LogLocator(subs=within))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks(rows, [_form_label(row) for row in rows_of(table)])
    axes.tick_params(axis="y", length=0)
    for tick, bold in zip(axes.get_yticklabels(), chosen, strict=True):
        tick.set_fontweight("bold" if bold else "normal")


def _form_label(row: dict[str, Any]) -> str:
    count = "" if pd.isna(row["parameters"]) else f" ({row['parameters']})"
    name = "Gaussian process" if row["form"] == REFERENCE else row["form"]
    return f"{name}{count}{'*' if _doubtful(row) else ''}"


def _doubtful(row: dict[str, Any]) -> bool:
    """Whether a form's fit ended otherwise than well."""
    return row["form"] in FORMS and row["outcome"] not in (None, Outcome.CONVERGED.value)


def _read_forms(fit: Fit, table: pd.DataFrame, percent: float) -> str:
    own = rows_of(table[table["chosen"]])[0]

    def said(row: dict[str, Any]) -> str:
        key = "held_out" if np.isfinite(row["held_out"]) else "rmse"
        kind = "held out" if key == "held_out" else "in-sample"
        return f"{row[key]:.3g} ({percent * row[key]:.1f} % of the range) {kind}"

    parts = [f"{fit.form} misses by {said(own)}"]
    others = table[~table["chosen"] & table["form"].isin(FORMS) & table["held_out"].notna()]
    if len(others):
        best = row_of_most(others, -others["held_out"].to_numpy(float))
        parts.append(f"the best other form, {best['form']}, by {said(best)}")
    beside = ((CORRECTED, "with its correction"), (REFERENCE, "the non-parametric reference"))
    for name, words in beside:
        parts += [f"{words} by {said(row)}" for row in rows_of(table[table["form"] == name])]
    marked = [f"{row['form']}: {row['outcome']}" for row in rows_of(table) if _doubtful(row)]
    tail = f"; marked * are {', '.join(marked)}" if marked else ""
    return signed(f"{', '.join(parts)}{tail}.")
