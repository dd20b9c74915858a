"""What came out of `fit`: few lines for a reader, figures for a program."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semloss.answers import Answer
from semloss.layout import named
from semloss.selection import Points
from semloss.surfaces.fitted.fit import Fit
from semloss.surfaces.fitted.outcome import following, verdict
from semloss.surfaces.forms import FORMS

_COLUMNS = (
    ("held out", "held_out"), ("CR out", "leave_cr_out"), ("SNR out", "leave_snr_out"),
    ("edges", "edge_out"), ("10-fold", "k_fold"),
)  # fmt: skip


@dataclass(frozen=True)
class FitSummary(Answer):
    """A fit, the points behind it, and the file that holds it."""

    fit: Fit
    points: Points
    out: Path

    def rows(self) -> list[dict[str, Any]]:
        """One row: what the surface is of, its form, and its errors."""
        fit = self.fit
        figures = ("points", "range", "rmse", "held_out")
        return [
            {
                "metric": fit.metric, "receiver": fit.receiver, "task": fit.task, "form": fit.form,
                "follows": following(fit.outcome, fit.quality), "outcome": fit.outcome.value,
                **{key: fit.quality[key] for key in figures},
                "out": str(self.out),
            }
        ]  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Figures of the fit, ready for JSON."""
        fit = self.fit
        return {
            "metric": fit.metric,
            "receiver": fit.receiver,
            "task": fit.task,
            "group": dict(self.points.group),
            "provenance": dict(fit.provenance),
            "form": fit.form,
            "outcome": fit.outcome.value,
            "message": fit.message,
            **fit.quality,
            "model_error_sd": fit.model_error_sd,
            "parameters": dict(zip(FORMS[fit.form].names, fit.parameters.tolist(), strict=True)),
            "intervals": {name: list(ends) for name, ends in fit.intervals.items()},
            "out": str(self.out),
        }

    def text(self) -> str:
        """The form, its error, its parameters, and the forms that it was chosen from."""
        fit, quality = self.fit, self.fit.quality
        ratios, levels = len(set(self.points.cr)), len(set(self.points.snr_db))
        count = int(quality["candidates"][fit.form]["parameters"])
        words = verdict(fit.outcome, quality)
        lines = [
            f"{named(self.fit)}: {quality['points']} points, {ratios} CR × {levels} SNR, "
            f"noise {self.points.noise}",
            f"form     {fit.form}, {count} parameter{'s' * (count != 1)}: {words}",
        ]
        if fit.message:
            lines.append(f"         {fit.message}")
        lines.append(f"error    RMSE {_share(fit, quality['rmse'])}, "
                     f"held out {_share(fit, quality['held_out'])}")  # fmt: skip
        if "doubt" in quality:
            lines.append(_doubt(quality["doubt"], self.points))
        if len(quality["candidates"]) > 1:
            lines += ["", *_comparison(fit), f"chosen   {quality['chosen_by']}"]
            if "chosen_on" in quality:
                lines.append(f"         judged on {quality['chosen_on']}")
        return "\n".join([*lines, "", *_parameters(fit), "", f"fit file {self.out}"])


@dataclass(frozen=True)
class FitsSummary(Answer):
    """The fits of several groups; `shared` is the prior that a joint fit left."""

    fits: Sequence[FitSummary]
    shared: Path | None = None

    def rows(self) -> list[dict[str, Any]]:
        """One row per fit."""
        return [row for one in self.fits for row in one.rows()]

    def to_dict(self) -> dict[str, Any]:
        """Figures of every fit, ready for JSON."""
        shared = {} if self.shared is None else {"shared": str(self.shared)}
        return {"fits": [one.to_dict() for one in self.fits], **shared}

    def text(self) -> str:
        """One line per fit."""
        rows = [("", "points", "form", "RMSE", "held out", "outcome", "fit file")]
        rows += [
            (
                ", ".join(v for v in one.points.group.values() if v not in ("", "none"))
                or named(one.fit),
                str(one.fit.quality["points"]),
                one.fit.form,
                _share(one.fit, one.fit.quality["rmse"]),
                _share(one.fit, one.fit.quality["held_out"]),
                verdict(one.fit.outcome, one.fit.quality),
                str(one.out),
            )
            for one in self.fits
        ]
        prior = f"shared   {self.shared}: give it to --prior for a new group of few points"
        return "\n".join([*_aligned(rows), *([prior] if self.shared else [])])


def _doubt(told: Mapping[str, Any], points: Points) -> str:
    """The three kinds of scatter about the form, and what cells share by their test images."""
    images, again, form = (
        "unknown" if told[key] is None else f"{told[key]:.2g}"
        for key in ("image_noise", "training_scatter", "form_misfit")
    )
    seeds = "" if points.replicate_dof else " (no replicates: by the cells' scatter)"
    return (
        f"doubt    images {images}, trainings {again}{seeds}, form {form} (standard deviations)\n"
        f"         shared by cells through their images: {told['shared_images']}"
    )


def _comparison(fit: Fit) -> list[str]:
    """Table of the forms, errors in percent of the range, the chosen one marked."""
    percent = 100 / (fit.quality["range"] or 1.0)
    rows = [("   % of range", "par", "RMSE", *(title for title, _ in _COLUMNS), "AICc", "BIC",
             "outcome")]  # fmt: skip
    rows += [
        (
            f" {'*' if name == fit.form else ' '} {name}",
            "–" if row["parameters"] is None else str(row["parameters"]),
            _number(row["rmse"], percent),
            *(_number(row[key], percent) for _, key in _COLUMNS),
            "–" if row["aicc"] is None else f"{row['aicc']:.1f}",
            "–" if row["bic"] is None else f"{row['bic']:.1f}",
            row["outcome"],
        )
        for name, row in fit.quality["candidates"].items()
    ]
    return _aligned(rows)


def _parameters(fit: Fit) -> list[str]:
    """Values with their intervals, units and meanings."""
    form = FORMS[fit.form]
    rows = []
    for parameter, value in zip(form.all_parameters, fit.parameters, strict=True):
        ends = fit.intervals.get(parameter.name)
        span = "known" if ends is None else f"{ends[0]:.4g} … {ends[1]:.4g}"
        if ends is None and fit.draws is None:
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


def _share(fit: Fit, error: float | None) -> str:
    """An error in the metric's unit and as a share of its range."""
    if error is None:
        return "–"
    return f"{error:.3g} ({100 * error / (fit.quality['range'] or 1.0):.2g} %)"


def _number(error: float | None, percent: float) -> str:
    return "–" if error is None else f"{percent * error:.2f}"
