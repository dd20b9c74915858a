"""What studies answer: sweeps, tornados and Monte-Carlo, as tables and in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from semloss.answers import Answer, records
from semloss.facts.target import sense
from semloss.layout import frame_text, named, number, share_of_draws
from semloss.planning.budget.assumed import assumed
from semloss.planning.budget.points import Defaults
from semloss.planning.budget.remarks import imagery, remarks
from semloss.surfaces.fitted.bands import level_text

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = ("cr", "snr_db", "value", "low", "high", "in_domain", "required_snr_db",
          "snr_margin_db", "met", "images_per_s")  # fmt: skip


@dataclass(frozen=True)
class Study(Answer):
    """What studies have in common: what each of their points is asked with."""

    defaults: Defaults

    def to_dict(self) -> dict[str, Any]:
        """What was asked; the kinds add what was found."""
        fit, link = self.defaults.fit, self.defaults.link
        return {
            "metric": fit.metric, "receiver": fit.receiver, "task": fit.task,
            "target": self.defaults.target, "link": None if link is None else link.name,
        }  # fmt: skip

    @property
    def other_images(self) -> str:
        """In what the link's images are not those of the fit."""
        link, fit = self.defaults.link, self.defaults.fit
        return "" if link is None else next(imagery(link, fit), "")

    @property
    def assumed(self) -> dict[str, str]:
        """What its points rest on where nothing else is asked."""
        return assumed(self.defaults.link, self.defaults.fit)

    @property
    def metric(self) -> str:
        """Name of the metric with its receiver."""
        return named(self.defaults.fit)

    @property
    def kept(self) -> str:
        """The margin that the link keeps, in words, where there is one."""
        keep = 0.0 if self.defaults.link is None else self.defaults.link.margin_db
        return f", {keep:g} dB of margin kept" if keep else ""

    @property
    def warnings(self) -> Sequence[str]:
        """Of the link and the fit."""
        link = self.defaults.link
        return () if link is None else remarks(link, self.defaults.fit)


@dataclass(frozen=True)
class Sweep(Study):
    """Answers over the values of one field or two, the first varying slowest.

    `table` has a row for each point: the fields, then what `evaluate` answers.
    """

    table: "pd.DataFrame"
    fields: tuple[str, ...]

    def rows(self) -> list[dict[str, Any]]:
        """A row for each point."""
        return records(self.table)

    def to_dict(self) -> dict[str, Any]:
        """What was asked, and a row for each point."""
        return super().to_dict() | {"fields": list(self.fields), "rows": self.rows()}

    @property
    def head(self) -> str:
        """The span of the metric, and where the target is met."""
        table, fit = self.table, self.defaults.fit
        value, low, high = (table[name] for name in ("value", "low", "high"))
        lines = [
            f"{self.metric} = {value.min():.4g} … {value.max():.4g} over {len(table)} points   "
            f"[{level_text(self.defaults.interval, fit.band)}: {low.min():.4g} … {high.max():.4g}]"
        ]
        if "met" in table:
            met = table[table["met"]]
            goal = "the target" if self.defaults.target is None else f"{self.defaults.target:g}"
            spans = "".join(
                f", {name} {number(met[name].min(), '.5g')} … {number(met[name].max(), '.5g')}"
                for name in self.fields if len(met)
            )  # fmt: skip
            lines.append(f"{sense(fit)} {goal} is met at {len(met)} of them{self.kept}{spans}")
        outside = int((~table["in_domain"]).sum())
        where = f"OUTSIDE the fitted domain at {outside}" if outside else "inside the fitted domain"
        return "\n".join([*lines, f"{where}{' of them' if outside else ' at all points'}"])

    @property
    def body(self) -> str:
        """A line for each point."""
        shown = [n for n in dict.fromkeys((*self.fields, *_SHOWN)) if n in self.table]
        return frame_text(self.rows(), shown)

    @property
    def met(self) -> bool | None:
        """Whether some point meets the target."""
        return bool(self.table["met"].any()) if "met" in self.table else None

    @property
    def in_domain(self) -> bool:
        """Whether the fit was measured at every point."""
        return bool(self.table["in_domain"].all())

    @property
    def warnings(self) -> Sequence[str]:
        """Of the link, and that no point attains the target."""
        reached = np.isfinite(self.table["cr"]) & np.isfinite(self.table["snr_db"])
        none = () if reached.any() else ("no point of the sweep attains the target",)
        return (*super().warnings, *none)


@dataclass(frozen=True)
class Tornado(Study):
    """Each input alone at the ends of its tolerance, the greatest swing first.

    `table` has the columns field, nominal, low, high (values of the field), and at both ends the
    change of the SNR, of the metric and, with a target, of the SNR margin: d_snr_low_db,
    d_snr_high_db, d_value_low, d_value_high, d_margin_low_db, d_margin_high_db. The swing is that
    of the margin, else of the metric.
    """

    table: "pd.DataFrame"

    def rows(self) -> list[dict[str, Any]]:
        """A row for each input."""
        return records(self.table)

    def to_dict(self) -> dict[str, Any]:
        """What was asked, and a row for each input."""
        return super().to_dict() | {"rows": self.rows()}

    @property
    def head(self) -> str:
        """Which input matters most, and by how much."""
        first = self.rows()[0]
        what, unit = ("margin", " dB") if "d_margin_low_db" in first else ("value", "")
        ends = [first[f"d_{what}_{end}{unit.strip() and '_db'}"] for end in ("low", "high")]
        of = "margin in SNR" if unit else self.metric
        return (
            f"{first['field']} matters most: between {first['low']:.5g} and {first['high']:.5g} it "
            f"moves the {of} by {min(ends):+.3g} … {max(ends):+.3g}{unit}"
        )

    @property
    def body(self) -> str:
        """A line for each input."""
        return frame_text(self.rows(), list(map(str, self.table)))


@dataclass(frozen=True)
class MonteCarlo(Study):
    """Draws of the inputs and what became of them.

    Attributes
    ----------
    samples
        DataFrame with a row for each draw: the fields drawn, snr_db, cr, `value` (the fit's own
        uncertainty drawn too), `value_of_fit` (without) and, with a target, target, snr_margin_db
        and met (with the link's margin left).
    summary
        DataFrame with a row for each of these quantities: mean, sd, p05, p50, p95.
    met_probability, met_se
        Share of the draws whose metric meets the target, and its standard error; nan without.
    at_limit
        Share of the draws of each field that rest at what the field allows.
    seed
        Seed of the draws.
    """

    samples: "pd.DataFrame"
    summary: "pd.DataFrame"
    met_probability: float
    met_se: float
    at_limit: dict[str, float]
    seed: int

    def rows(self) -> list[dict[str, Any]]:
        """A row for each draw."""
        return records(self.samples)

    def to_dict(self) -> dict[str, Any]:
        """What was asked, the share that meets the target, and the quantities' spread."""
        return super().to_dict() | {
            "draws": len(self.samples), "seed": self.seed,
            "met_probability": self.met_probability, "met_se": self.met_se,
            "at_limit": self.at_limit, "summary": records(self.summary),
        }  # fmt: skip

    @property
    def head(self) -> str:
        """The share that meets the target, and the spread of the metric."""
        target = self.defaults.target
        low, half, high = np.quantile(self.samples["value"], (0.05, 0.5, 0.95))
        lines = [f"{self.metric} = {half:.4g} in the median   [90 % of draws: {low:.4g} … "
                 f"{high:.4g}]"]  # fmt: skip
        if target is not None:
            share = share_of_draws(self.met_probability, self.met_se, len(self.samples))
            lines.insert(
                0, f"{self.metric} {sense(self.defaults.fit)} {target:g} in {share}{self.kept}"
            )
        return "\n".join([*lines, f"seed {self.seed}"])

    @property
    def body(self) -> str:
        """The spread of each quantity."""
        return frame_text(records(self.summary), list(map(str, self.summary)))

    @property
    def met(self) -> bool | None:
        """Whether some draw meets the target."""
        return None if self.defaults.target is None else self.met_probability > 0

    @property
    def warnings(self) -> Sequence[str]:
        """Of the link, and inputs that rest at what they allow."""
        resting = [
            f"tolerances.{name}: {100 * share:.3g} % of the draws rest at what {name} allows"
            for name, share in self.at_limit.items()
            if share > 0
        ]
        return [*super().warnings, *resting]
