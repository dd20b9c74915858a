"""The ledger of a link: the budget as rows in the order planners know, down to the metric."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

from semloss.answers import Answer, assumed_text, laid_out
from semloss.errors import SemlossError
from semloss.facts.target import read_target, sense
from semloss.layout import named, place_text
from semloss.planning.budget.assumed import assumed
from semloss.planning.budget.budget import budget_of
from semloss.planning.budget.ledger_rows import Row, link_rows
from semloss.planning.budget.metric import metric_at
from semloss.planning.budget.remarks import imagery, papr_db_of, rate_met, rate_remark, remarks
from semloss.planning.link.link import LinkData
from semloss.surfaces.fitted.bands import level_text
from semloss.units import format_cr, parse_cr

if TYPE_CHECKING:
    import pandas as pd

    from semloss.surfaces.fitted.fit import Fit, Prediction
    from semloss.surfaces.fitted.requirements import Requirement


_MINUS = "−"
#: Digits after the point by unit; other units show six significant digits.
_DECIMALS = {"K": 1, "km": 1, "deg": 1}


@dataclass(frozen=True)
class Ledger(Answer):
    """Lines of a link budget with what the metric makes of them.

    `fit` and `prediction` are None without a fit, `required` without a target, `confident`
    without a confidence.
    """

    link: LinkData
    lines: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    prediction: "Prediction | None" = None
    required: "Requirement | None" = None
    confident: "Requirement | None" = None
    fit: "Fit | None" = field(default=None, repr=False, compare=False)
    _index: dict[str, Row] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._index.update({row.key: row for row in self.lines})

    def __getitem__(self, key: str) -> float:
        """Value of the line with a key."""
        return self._index[key].value

    def __contains__(self, key: str) -> bool:
        return key in self._index

    def rows(self) -> list[dict[str, Any]]:
        """The lines, a record each, in order."""
        return [{k: v for k, v in asdict(row).items() if k != "formula"} for row in self.lines]

    def to_dict(self) -> dict[str, Any]:
        """The link's name, the rows in order, warnings, and each value by its key."""
        values = {row.key: row.value for row in self.lines}
        warnings = list(self.notes)
        return {
            "name": self.link.name, "rows": self.rows(), "warnings": warnings, "values": values
        }  # fmt: skip

    def frame(self) -> "pd.DataFrame":
        """Lines as a table with a column per field of `Row`."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.lines])

    def text(self) -> str:
        """What the fit says, where one is asked, then what was assumed, and the lines."""
        if self.prediction is None:
            return f"{self._columns()}\n{assumed_text(self.assumed)}"
        return laid_out(self._head(self.prediction), self.assumed, self._columns())

    def _head(self, point: "Prediction") -> str:
        """The metric with its band, and the margin to the target."""
        level = level_text(point.interval, point.band)
        lines = [
            f"{named(point)} = {point.value:.4g} at {self.place}   "
            f"[{level}: {point.low:.4g} … {point.high:.4g}]"
        ]
        if self.required is not None:
            needed = self.required if self.confident is None else self.confident
            sure = (
                ""
                if self.confident is None
                else f" with {100 * (needed.confidence or 0):g} % confidence"
            )
            high = "–" if needed.high is None else f"{needed.high:.2f}"
            keep = self.link.margin_db
            kept = f" where {keep:.4g} dB are to be kept" if keep else ""
            lines.append(
                f"{needed.target:g} needs SNR {needed.snr_db:.2f} dB{sure}   "
                f"[{level}: {needed.low:.2f} … {high} dB]: "
                f"{self['snr_db'] - needed.snr_db:.2f} dB of margin{kept}, "
                f"{'met' if self.met else 'NOT MET'}"
            )
        inside = "inside" if point.in_domain else "OUTSIDE"
        return "\n".join([*lines, f"{inside} the fitted domain, {self.domain}"])

    def _columns(self) -> str:
        """Lay the lines out in aligned columns for a terminal."""
        width = max(len(row.name) for row in self.lines)
        marks = max(len(row.symbol) for row in self.lines)
        digits = max(len(shown(row)) for row in self.lines)
        units = max(len(row.unit) for row in self.lines)
        lines = [self.link.name]
        for section, rows in groupby(self.lines, key=lambda row: row.section):
            lines += ["", section]
            lines += [
                f"  {sign(row)} {row.name:<{width}}  {row.symbol:<{marks}}  "
                f"{shown(row):>{digits}} {row.unit:<{units}}  {row.note}".rstrip()
                for row in rows
            ]
        return "\n".join(lines)

    @property
    def met(self) -> bool | None:
        """Whether the target is met, with the margin and at the rate that the link asks."""
        if self.required is None:
            return None
        surest = self.required if self.confident is None else self.confident
        return rate_met(self.link) and self["snr_db"] - surest.snr_db >= self.link.margin_db

    @property
    def in_domain(self) -> bool | None:
        """Whether the fit was measured at the link's point; None without one."""
        return None if self.prediction is None else bool(self.prediction.in_domain)

    @property
    def other_images(self) -> str:
        """In what the link's images are not those of the fit."""
        return "" if self.fit is None else next(imagery(self.link, self.fit), "")

    @property
    def domain(self) -> str:
        """Where the fit was measured."""
        return self._index["in_domain"].note if "in_domain" in self else ""

    @property
    def assumed(self) -> dict[str, str]:
        """What it rests on."""
        return assumed(self.link, self.fit, self.link.cr)

    @property
    def place(self) -> str:
        """The link's point."""
        return "" if self.prediction is None else place_text(self.prediction)


def sign(row: Row) -> str:
    """Sign of a line's part in the sum."""
    return _MINUS if row.sign == "-" else row.sign or " "


def shown(row: Row) -> str:
    """Write a row's value as planners print it: decibels with two digits, rates with none."""
    if row.key == "in_domain":
        return "yes" if row.value else "NO"
    if math.isnan(row.value):
        return "unknown"
    if row.unit.startswith("dB"):
        return f"{row.value:.2f}"
    if row.unit in _DECIMALS:
        return f"{row.value:.{_DECIMALS[row.unit]}f}"
    if abs(row.value) >= 1000:
        return f"{row.value:,.0f}"
    return f"{row.value:.6g}" if row.key in ("cr", "samples_per_image") else f"{row.value:.4g}"


def ledger(
    link: LinkData,
    fit: "Fit | None" = None,
    cr: float | str | None = None,
    target: float | str | None = None,
    interval: float = 0.95,
    confidence: float | None = None,
    papr_db: float | None = None,
    **overrides: Any,  # noqa: ANN401 - the type of each field
) -> Ledger:
    """Lay out a link's budget as rows, and what the metric makes of it.

    Parameters
    ----------
    link
        The link; `overrides` change its fields for this ledger.
    fit
        A fit, for the predicted metric at the link's SNR and CR.
    cr
        Compression ratio k/n; the link's own where not given.
    target
        Value the metric must meet, for the required SNR and the margin in dB to it.
    interval
        Confidence level of the bands.
    confidence
        Also give the SNR, and the margin, at which the target is met with this one-sided
        confidence.
    papr_db
        Peak-to-average power ratio of the symbols, for the suggested back-off; by default the
        link's own, else the one that was measured for the fitted codec.

    Raises
    ------
    SemlossError
        When the link, CR or target is unusable.
    TargetNotAttainable
        When the surface does not reach the target at this CR at any fitted SNR.
    """
    if cr is not None:
        overrides["cr"] = parse_cr(cr)
    if papr_db is None and link.eirp_dbw is None:
        papr_db = papr_db_of(link, fit)
    if papr_db is not None:
        overrides["papr_db"] = papr_db
    link = link.replace(**overrides)
    budget = budget_of(link)
    rows = list(link_rows(link, budget))
    warnings = (*remarks(link, fit), *rate_remark(link))
    if fit is not None and target is None and link.bandwidth_mhz is None:
        warnings += ("bandwidth_mhz is missing, so the fit is not asked: its SNR depends on it",)
        fit = None
    if fit is None:
        if target is not None:
            raise SemlossError("target needs a fit: the ledger of a link alone has no metric")
        return Ledger(link, tuple(rows), warnings)
    prediction = metric_at(link, fit, budget, interval=interval)
    required = confident = None
    if target is not None:
        value, ratio = read_target(target, fit), link.cr
        assert ratio is not None
        required = fit.min_snr(target=value, cr=ratio, interval=interval)
        if confidence is not None:
            confident = fit.min_snr(
                target=value, cr=ratio, interval=interval, confidence=confidence
            )
    snr_db = float(budget.snr_db)
    level = f"{100 * interval:g} %"
    rows += _metric_rows(fit, prediction, required, level, next(imagery(link, fit), ""))
    if required is not None:
        rows += _margin_rows(snr_db, required, link.margin_db, level)
    if confident is not None:
        rows += _confident_rows(snr_db, confident, confidence, link.margin_db)
    return Ledger(link, tuple(rows), warnings, prediction, required, confident, fit)


def _metric_rows(
    fit: "Fit",
    prediction: "Prediction",
    required: "Requirement | None",
    level: str,
    other_images: str,
) -> Iterator[Row]:
    """Predicted metric with its band, whether the fit covers the point, and the target."""
    yield Row(
        "Metric", "metric", f"predicted {named(prediction)}", "M", float(prediction.value), "", "=",
        f"{level_text(prediction.interval, prediction.band)}: "
        f"{prediction.low:.4g} … {prediction.high:.4g}",
    )  # fmt: skip
    yield Row("Metric", "metric_low", f"{level} band, lower edge", "", float(prediction.low))
    yield Row("Metric", "metric_high", f"{level} band, upper edge", "", float(prediction.high))
    if fit.correction is not None:
        yield Row(
            "Metric", "metric_correction", "of it, what the form itself misses", "",
            float(prediction.value) - fit.formula_at(prediction.cr, prediction.snr_db),
        )  # fmt: skip
    (cr_low, cr_high), (snr_low, snr_high) = fit.cr_range, fit.snr_db_range
    yield Row(
        "Metric", "in_domain", "inside the fitted domain", "", float(prediction.in_domain), "", "",
        f"CR {format_cr(cr_low)} … {format_cr(cr_high)}, SNR {snr_low:g} … {snr_high:g} dB"
        + (other_images and f"; but of other images: {other_images}"),
    )  # fmt: skip
    if required is not None:
        yield Row("Metric", "target", f"target, {sense(fit)}", "M₀", required.target)


def _margin_rows(
    snr_db: float, required: "Requirement", margin_db: float, level: str
) -> Iterator[Row]:
    """SNR that the target needs, the margin to it, and what is left of the margin to keep."""
    worst = "beyond the fitted range" if required.high is None else f"{required.high:.2f} dB"
    edge = "; the lowest fitted SNR, less might do" if required.at_edge else ""
    margin = snr_db - required.snr_db
    yield Row(
        "Metric", "required_snr_db", "SNR that the target needs", "SNR₀", required.snr_db, "dB",
        "-", f"{level_text(required.interval, required.band)}: {required.low:.2f} … {worst}{edge}",
    )  # fmt: skip
    yield Row(
        "Metric", "snr_margin_db", "margin in SNR to the target", "M_SNR", margin, "dB", "=",
        "" if margin_db else verdict(margin, 0.0), "{snr_db}-{required_snr_db}",
    )  # fmt: skip
    if margin_db:
        yield Row("Metric", "margin_db", "margin to keep", "", margin_db, "dB", "-")
        yield Row(
            "Metric", "excess_db", "margin beyond it", "", margin - margin_db, "dB", "=",
            verdict(margin, margin_db), "{snr_margin_db}-{margin_db}",
        )  # fmt: skip


def verdict(margin: float, margin_db: float) -> str:
    """Whether a target is met with the margin that is to be kept."""
    return "met" if margin >= margin_db else "NOT MET"


def _confident_rows(
    snr_db: float, confident: "Requirement", confidence: float | None, margin_db: float
) -> Iterator[Row]:
    assert confidence is not None
    level = f"{100 * confidence:g} %"
    margin = snr_db - confident.snr_db
    yield Row(
        "Metric", "confident_snr_db", f"SNR that meets it with {level} confidence", "",
        confident.snr_db, "dB",
    )  # fmt: skip
    yield Row(
        "Metric", "confident_margin_db", f"margin with {level} confidence", "", margin, "dB", "=",
        verdict(margin, margin_db), "{snr_db}-{confident_snr_db}",
    )  # fmt: skip
