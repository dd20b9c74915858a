"""What if: sweeps, sensitivities and Monte-Carlo, told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from semloss.answers import Answer, records
from semloss.layout import frame_text
from semloss.planning.budget.points import Defaults
from semloss.planning.studies.studies import MonteCarlo, monte_carlo, sensitivities, sweep
from semloss.planning.studies.tolerances import Tolerance

if TYPE_CHECKING:
    import pandas as pd

_ANSWERS = ("cr", "snr_db", "value", "low", "high", "in_domain", "required_snr_db",
            "snr_margin_db", "met", "images_per_s")  # fmt: skip


@dataclass(frozen=True)
class _StudyAnswer(Answer):
    """What studies have in common: what is asked of each point, and a table."""

    defaults: Defaults
    table: "pd.DataFrame"

    def rows(self) -> list[dict[str, Any]]:
        """The table's rows."""
        return records(self.table)

    def to_dict(self) -> dict[str, Any]:
        """What was asked; the kinds add what was found."""
        fit, link = self.defaults.fit, self.defaults.link
        about = {"metric": fit.metric, "receiver": fit.receiver, "task": fit.task}
        return about | {
            "target": self.defaults.target, "link": None if link is None else link.name
        }  # fmt: skip

    @property
    def warnings(self) -> Sequence[str]:
        """Of the link."""
        return () if self.defaults.link is None else self.defaults.link.warnings


@dataclass(frozen=True)
class SweepAnswer(_StudyAnswer):
    """Answers over the values of one field or two."""

    fields: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """What was asked, and a row for each point."""
        return super().to_dict() | {"fields": list(self.fields), "rows": self.rows()}

    def text(self) -> str:
        """A line for each point."""
        shown = [n for n in dict.fromkeys((*self.fields, *_ANSWERS)) if n in self.table]
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
class TornadoAnswer(_StudyAnswer):
    """Each input alone at the ends of its tolerance."""

    def to_dict(self) -> dict[str, Any]:
        """What was asked, and a row for each input."""
        return super().to_dict() | {"rows": self.rows()}

    def text(self) -> str:
        """A line for each input."""
        return frame_text(self.rows(), list(map(str, self.table)))


@dataclass(frozen=True)
class MonteCarloAnswer(_StudyAnswer):
    """All inputs drawn at once; the table holds the draws."""

    found: MonteCarlo | None = None

    @property
    def _found(self) -> MonteCarlo:
        assert self.found is not None
        return self.found

    def to_dict(self) -> dict[str, Any]:
        """What was asked, the share that meets the target, and the quantities' spread."""
        found = self._found
        return super().to_dict() | {
            "draws": len(self.table), "seed": found.seed,
            "met_probability": found.met_probability, "met_se": found.met_se,
            "at_limit": found.at_limit, "summary": records(found.summary),
        }  # fmt: skip

    def text(self) -> str:
        """The spread of each quantity, and the share that meets the target."""
        found, target = self._found, self.defaults.target
        lines = [frame_text(records(found.summary), list(map(str, found.summary)))]
        if target is not None:
            lines.append(
                f"{self.defaults.fit.metric} = {target:g} met in "
                f"{100 * found.met_probability:.4g} % ± {100 * found.met_se:.2g} % of "
                f"{len(self.table):,} draws, seed {found.seed}"
            )
        return "\n".join(lines)

    @property
    def met(self) -> bool | None:
        """Whether some draw meets the target."""
        return None if self.defaults.target is None else self._found.met_probability > 0

    @property
    def warnings(self) -> Sequence[str]:
        """Of the link, and inputs that rest at what they allow."""
        resting = [
            f"tolerances.{name}: {100 * share:.3g} % of the draws rest at what {name} allows"
            for name, share in self._found.at_limit.items()
            if share > 0
        ]
        return [*super().warnings, *resting]


def swept(defaults: Defaults, fields: Mapping[str, ArrayLike]) -> SweepAnswer:
    """Answer over the values of fields; see `semloss.planning.studies.studies.sweep`."""
    return SweepAnswer(defaults, sweep(defaults, fields), tuple(fields))


def tornado(defaults: Defaults, tolerances: Mapping[str, Tolerance]) -> TornadoAnswer:
    """Move each input alone; see `semloss.planning.studies.studies.sensitivities`."""
    return TornadoAnswer(defaults, sensitivities(defaults, tolerances))


def drawn(
    defaults: Defaults,
    tolerances: Mapping[str, Tolerance],
    draws: int = 10_000,
    seed: int | None = None,
) -> MonteCarloAnswer:
    """Draw all inputs; see `semloss.planning.studies.studies.monte_carlo`."""
    found = monte_carlo(defaults, tolerances, draws, seed)
    return MonteCarloAnswer(defaults, found.samples, found)
