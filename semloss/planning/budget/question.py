"""A question to the planner: a fit, a link, and what both are asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from semloss.answers import Answer
from semloss.facts.target import sense
from semloss.layout import domain_text, named
from semloss.planning.budget.assumed import assumed
from semloss.planning.budget.remarks import imagery, rate_remark, remarks
from semloss.planning.link.link import LinkData
from semloss.surfaces.fitted.bands import level_text
from semloss.surfaces.fitted.fit import Fit


@dataclass(frozen=True)
class Question:
    """A fit, a link with all changes in it, and the target with how sure it is to be met.

    `interval` is the level of the bands, None where none are asked; `target` and `confidence` are
    None where not asked.
    """

    fit: Fit
    link: LinkData
    target: float | None = None
    confidence: float | None = None
    interval: float | None = 0.95

    @property
    def metric(self) -> str:
        """Name of the metric with its receiver."""
        return named(self.fit)

    @cached_property
    def remarks(self) -> tuple[str, ...]:
        """What a reader should know of the link and of the fit beside any answer."""
        return (*remarks(self.link, self.fit), *rate_remark(self.link))

    @property
    def demand(self) -> str:
        """The target in words."""
        sure = self.confidence
        level = "" if sure is None else f" with {100 * sure:g} % confidence"
        return f"{self.metric} {sense(self.fit)} {self.target:g}{level}"

    @property
    def level(self) -> str:
        """Level of the bands in words, and what they are about."""
        return level_text(self.interval, self.fit.band)

    @property
    def about(self) -> dict[str, Any]:
        """What is asked about, for JSON."""
        return {"metric": self.fit.metric, "receiver": self.fit.receiver, "task": self.fit.task}

    @property
    def options(self) -> dict[str, Any]:
        """Target, confidence and interval, as simulations take them."""
        return {
            "target": self.target, "confidence": self.confidence, "interval": self.interval
        }  # fmt: skip

    @property
    def kept(self) -> str:
        """The margin that the link keeps, in words, where there is one."""
        keep = self.link.margin_db
        return f", {keep:.4g} dB of margin kept" if keep else ""


@dataclass(frozen=True)
class Answered(Answer):
    """What the answers to a question have in common."""

    question: Question

    @property
    def domain(self) -> str:
        """Where the fit was measured."""
        return domain_text(self.question.fit)

    @property
    def other_images(self) -> str:
        """In what the link's images are not those of the fit."""
        return next(imagery(self.question.link, self.question.fit), "")

    @property
    def assumed(self) -> dict[str, str]:
        """What it rests on; at its CR, where it has one, and with its fading."""
        cr, fading = getattr(self, "cr", None), getattr(self, "fading", None)
        return assumed(self.question.link, self.question.fit, cr, fading)

    @property
    def notes(self) -> Sequence[str]:
        """What is remarked of the question."""
        return self.question.remarks
