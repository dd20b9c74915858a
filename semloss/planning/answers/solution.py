"""The cheapest value of one field with which a link meets a target."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from semloss.layout import domain_text, place_text
from semloss.planning.answers.question import Answered, Question
from semloss.planning.budget.ledger import Ledger, ledger
from semloss.planning.budget.solving import Solution, solve


@dataclass(frozen=True)
class SolutionAnswer(Answered):
    """A solution, and the question that it answers."""

    solution: Solution

    def rows(self) -> list[dict[str, Any]]:
        """One row."""
        return [self.solution.to_dict()]

    def to_dict(self) -> dict[str, Any]:
        """Content for JSON."""
        return self.solution.to_dict() | {"warnings": list(self.warnings)}

    def text(self) -> str:
        """The demand, the answer and where the fit was measured."""
        inside = "inside" if self.in_domain else "OUTSIDE"
        fit, found = self.question.fit, self.solution
        keep = found.link.margin_db
        margin = f", {keep:g} dB of margin kept" if keep else ""
        where = f"{inside} the fitted domain, {domain_text(fit)}"
        return "\n".join([f"{self.question.demand}{margin}", str(found), where])

    @property
    def met(self) -> bool:
        """A solution meets its target."""
        return True

    @property
    def in_domain(self) -> bool:
        """Whether the fit was measured at the answer."""
        return bool(self.solution.prediction.in_domain)

    @property
    def place(self) -> str:
        """The answer's point."""
        return place_text(self.solution.prediction)

    @property
    def warnings(self) -> Sequence[str]:
        """Of the link."""
        return self.solution.link.warnings

    def ledger(self) -> Ledger:
        """Ledger of the link with the answer in it."""
        asked = self.question
        return ledger(self.solution.link, asked.fit, **asked.options)


def solved(question: Question, unknown: str) -> SolutionAnswer:
    """Solve for a field; see `semloss.planning.budget.solving.solve`."""
    assert question.target is not None
    found = solve(
        question.link, unknown, question.fit, question.target,
        confidence=question.confidence, interval=question.interval,
    )  # fmt: skip
    return SolutionAnswer(question, found)
