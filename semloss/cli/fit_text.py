"""What `semloss fit` prints: few lines for a reader, or figures for a program."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from semloss.selection import Points
from semloss.surfaces.fitted.fit import Fit
from semloss.surfaces.forms import FORMS

_COLUMNS = (
    ("held out", "held_out"), ("CR out", "leave_cr_out"), ("SNR out", "leave_snr_out"),
    ("edges", "edge_out"), ("10-fold", "k_fold"),
)  # fmt: skip


def summary(surface: Fit, out: Path) -> dict[str, Any]:
    """Figures of one fit, ready for JSON."""
    names = FORMS[surface.form].names
    group = {k: v for k, v in surface.provenance.items() if k != "semloss"}
    return {
        "metric": surface.metric,
        "receiver": surface.receiver,
        "task": surface.task,
        "group": group,
        "form": surface.form,
        "outcome": surface.outcome.value,
        "message": surface.message,
        **surface.quality,
        "model_error_sd": surface.model_error_sd,
        "parameters": dict(zip(names, surface.parameters.tolist(), strict=True)),
        "intervals": {name: list(ends) for name, ends in surface.intervals.items()},
        "out": str(out),
    }


def one(surface: Fit, points: Points, out: Path) -> str:
    """The form, its error, its parameters, and the forms that it was chosen from."""
    quality = surface.quality
    ratios, levels, count = len(set(points.cr)), len(set(points.snr_db)), _count(surface)
    lines = [
        f"{_title(surface)}: {quality['points']} points, {ratios} CR × {levels} SNR, "
        f"noise {points.noise}",
        f"form     {surface.form}, {count} parameter{'s' * (count != 1)}: {surface.outcome}",
    ]
    if surface.message:
        lines.append(f"         {surface.message}")
    lines.append(f"error    RMSE {_share(surface, quality['rmse'])}, "
                 f"held out {_share(surface, quality['held_out'])}")  # fmt: skip
    if len(quality["candidates"]) > 1:
        lines += ["", *_comparison(surface), f"chosen   {quality['chosen_by']}"]
    lines += ["", *_parameters(surface), "", f"fit file {out}"]
    return "\n".join(lines)


def several(fits: Sequence[tuple[Fit, Points, Path]]) -> str:
    """One line per fit."""
    rows = [("", "points", "form", "RMSE", "held out", "outcome", "fit file")]
    rows += [
        (
            ", ".join(v for k, v in points.group.items() if v != "none") or _title(surface),
            str(surface.quality["points"]),
            surface.form,
            _share(surface, surface.quality["rmse"]),
            _share(surface, surface.quality["held_out"]),
            str(surface.outcome),
            str(out),
        )
        for surface, points, out in fits
    ]
    return "\n".join(_aligned(rows))


def _comparison(surface: Fit) -> list[str]:
    """Table of the forms, errors in percent of the range, the chosen one marked."""
    percent = 100 / (surface.quality["range"] or 1.0)
    rows = [("   % of range", "par", "RMSE", *(title for title, _ in _COLUMNS), "AICc", "BIC",
             "outcome")]  # fmt: skip
    rows += [
        (
            f" {'*' if name == surface.form else ' '} {name}",
            "–" if row["parameters"] is None else str(row["parameters"]),
            _number(row["rmse"], percent),
            *(_number(row[key], percent) for _, key in _COLUMNS),
            "–" if row["aicc"] is None else f"{row['aicc']:.1f}",
            "–" if row["bic"] is None else f"{row['bic']:.1f}",
            row["outcome"],
        )
        for name, row in surface.quality["candidates"].items()
    ]
    return _aligned(rows)


def _parameters(surface: Fit) -> list[str]:
    """Values with their intervals, units and meanings."""
    form = FORMS[surface.form]
    rows = []
    for parameter, value in zip(form.all_parameters, surface.parameters, strict=True):
        ends = surface.intervals.get(parameter.name)
        span = "known" if ends is None else f"{ends[0]:.4g} … {ends[1]:.4g}"
        if ends is None and surface.draws is None:
            span = ""
        rows.append((f"   {parameter.name}", f"{value:.4g}", span, parameter.unit,
                     parameter.meaning))  # fmt: skip
    return _aligned(rows)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with the first column to the left, the others as wide as their widest cell."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _title(surface: Fit) -> str:
    return surface.metric + ("" if surface.receiver == "none" else f" ({surface.receiver})")


def _count(surface: Fit) -> int:
    return int(surface.quality["candidates"][surface.form]["parameters"])


def _share(surface: Fit, error: float | None) -> str:
    """An error in the metric's unit and as a share of its range."""
    if error is None:
        return "–"
    return f"{error:.3g} ({100 * error / (surface.quality['range'] or 1.0):.2g} %)"


def _number(error: float | None, percent: float) -> str:
    return "–" if error is None else f"{percent * error:.2f}"
