"""Solve a link over passes: the cheapest value of a field that brings images or holds a target."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from semloss.arrays import Array
from semloss.errors import SemlossError, TargetNotAttainable
from semloss.layout import amount
from semloss.planning.budget.budget import chosen_cr, images_per_s, rate_kept
from semloss.planning.budget.question import Question
from semloss.planning.budget.solution import Solved
from semloss.planning.budget.solving import UNKNOWNS, Unknown, cheapest_of, check_solvable
from semloss.planning.passes.day import DayResult, simulate_day
from semloss.planning.passes.orbit import Pass
from semloss.planning.passes.simulation import (
    PassResult,
    budget_along,
    met_share,
    simulate_pass,
)
from semloss.planning.propagation.fading import Fading
from semloss.surfaces.fitted.requirements import Requirement

_COUNTS = (129, *[17] * 7)
"""Points of the first round, and of those that close the bracket."""
_GIVEN = ("snr_db", "elevation_deg", "range_km")
"""What the passes themselves settle."""
_MARGINS_DB = np.linspace(-80.0, 80.0, 16_001)


@dataclass(frozen=True)
class Goal:
    """What is asked over passes: `images` delivered, else the target held `hold_percent` of time.

    `passes` are one pass, of which the images are, or those of a day, each with its number a day;
    `days` is the length of the search that found those of a satellite, None for an average day.
    """

    passes: tuple[Pass, ...]
    images: float | None = None
    hold_percent: float = 100.0
    days: float | None = None

    @property
    def a_day(self) -> bool:
        """Whether it is about a day, not about one pass."""
        return self.passes[0].per_day is not None

    def text(self, demand: str) -> str:
        """The goal with the target in words."""
        if self.images is None:
            return f"{demand} in {self.hold_percent:g} % of the contact"
        return f"{amount(self.images)} images a {'day' if self.a_day else 'pass'}, {demand}"


@dataclass(frozen=True)
class PassSolution(Solved):
    """The cheapest value that reaches a goal over passes; `result` is what it then brings."""

    goal: Goal
    result: PassResult | DayResult

    @property
    def in_domain(self) -> bool:
        """Whether the fit was measured throughout the passes."""
        return self.result.in_domain

    @property
    def warnings(self) -> Sequence[str]:
        """Of the passes with the answer in the link."""
        return self.result.warnings

    def rows(self) -> list[dict[str, Any]]:
        """One row."""
        goal, suffix = self.goal, "_per_day" if self.goal.a_day else ""
        found = self.result.to_dict()
        names = ("contact_s", "met_s", "images_sent", "images_delivered")
        there = {f"{name}{suffix}": found[f"{name}{suffix}"] for name in names}
        held = goal.hold_percent if goal.images is None else None
        return [self.about_value | {"images_asked": goal.images, "hold_percent": held, **there}]

    def to_dict(self) -> dict[str, Any]:
        """The answer, and what it then brings."""
        return self.rows()[0] | {"result": self.result.to_dict()}

    @property
    def head(self) -> str:
        """The answer, the goal, and what the link then brings."""
        goal = self.goal.text(self.question.demand)
        return f"{self.found}\nfor {goal}{self.question.kept}\n{self.result.head}"

    @property
    def body(self) -> str:
        """The passes with the answer in the link."""
        return self.result.body


def solve_over(
    question: Question, unknown: str, goal: Goal, fading: Fading | None = None
) -> PassSolution:
    """Find the cheapest value of a field with which the passes bring what is asked.

    The smallest `power_dbw`, `eirp_dbw`, `tx_dish_m`, `rx_dish_m` or `cr`, the largest `obo_db`
    or `availability_percent`; of `bandwidth_mhz` the smallest that brings `images`, the largest
    that holds the target. Images count as in `simulate_pass`: those that meet the target with
    the link's margin kept, whole steps of the pass only.

    Raises
    ------
    SemlossError
        When the unknown cannot be solved for over passes, or the question has no target.
    TargetNotAttainable
        When no value in the search range reaches the goal; the message says what comes nearest.
    """
    link, fit, target = question.link, question.fit, question.target
    if unknown in _GIVEN:
        raise SemlossError(f"cannot solve for {unknown} over a pass, which gives it")
    check_solvable(link, unknown)
    if target is None:
        raise SemlossError("target is missing: images count where they meet it")
    sought = _sought(question, unknown, goal)
    needs = _Needs(question)

    def cheapest(edge: str) -> tuple[float, bool] | None:
        return cheapest_of(sought, _surplus(needs, unknown, goal, fading, edge), _COUNTS)

    best = cheapest("snr_db")
    if best is None:
        raise _out_of_reach(question, goal, unknown, sought, _surplus(
            needs, unknown, goal, fading, "snr_db"))  # fmt: skip
    ends = [found and found[0] for found in (cheapest("low"), cheapest("high"))]
    low, high = ends if sought.sense == "smallest" else ends[::-1]
    solved = link.replace(**{unknown: best[0]})
    options = question.options | {"fading": fading}
    result = (
        simulate_day(solved, fit, goal.passes, days=goal.days, **options)
        if goal.a_day
        else simulate_pass(solved, fit, goal.passes[0], **options)
    )
    return PassSolution(
        question, unknown, best[0], sought.unit, sought.sense, low, high, best[1], solved, goal,
        result, fading=None if fading is None else fading.label,
    )  # fmt: skip


class _Needs:
    """What the target needs in SNR at CRs, each asked of the fit once."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self._known: dict[float, Requirement | None] = {}

    def at(self, cr: float, edge: str) -> float:
        """SNR in dB, at an end of its interval; inf where no fitted one is enough."""
        if cr not in self._known:
            asked = self.question
            assert asked.target is not None, "refused without"
            try:
                self._known[cr] = asked.fit.min_snr(
                    target=asked.target, cr=cr, interval=asked.interval, confidence=asked.confidence
                )
            except TargetNotAttainable:
                self._known[cr] = None
        found = self._known[cr]
        level = None if found is None else getattr(found, edge)
        return np.inf if level is None else float(level)


def _sought(question: Question, unknown: str, goal: Goal) -> Unknown:
    """Where to search, and which end is cheap."""
    sought = UNKNOWNS[unknown]
    if unknown == "cr":
        low, high = question.fit.cr_range
        return replace(sought, cheap=low, dear=high, scale="log")
    if unknown == "bandwidth_mhz" and goal.images is not None:
        return replace(sought, cheap=sought.dear, dear=sought.cheap)
    return sought


def _surplus(
    needs: _Needs, unknown: str, goal: Goal, fading: Fading | None, edge: str
) -> Callable[[Array], Array]:
    """What values (V,) of the unknown bring beyond the goal: images, or a share of the contact."""
    link = needs.question.link
    levels = met_share(_MARGINS_DB, fading)
    per_mhz = float(images_per_s(link.replace(bandwidth_mhz=1.0), 1.0))

    def surplus(values: Array) -> Array:
        crs = values if unknown == "cr" else np.full(values.shape, chosen_cr(link))
        needed = np.array([needs.at(float(cr), edge) for cr in crs]) + link.margin_db
        width = values if unknown == "bandwidth_mhz" else link.bandwidth_mhz
        rate = per_mhz * np.asarray(width) / crs
        changed = {} if unknown == "cr" else {unknown: values[:, None]}
        seconds, contact = np.zeros(values.shape), 0.0
        for flown in goal.passes:
            weight = 1.0 if flown.per_day is None else flown.per_day
            spare = budget_along(link, flown, **changed).snr_db - needed[:, None]
            met = spare >= 0 if fading is None else np.interp(spare, _MARGINS_DB, levels)
            steps = np.minimum(met[:, 1:], met[:, :-1]) @ np.diff(flown.time_s)
            seconds, contact = seconds + weight * steps, contact + weight * flown.duration_s
        if goal.images is None:
            over = seconds / contact - goal.hold_percent / 100 + 1e-12
        else:
            over = rate * seconds - goal.images
        if link.images_per_s is not None:
            over = np.where(rate_kept(rate, link.images_per_s), over, -np.inf)
        return np.asarray(over)

    return surplus


def _out_of_reach(
    question: Question,
    goal: Goal,
    unknown: str,
    sought: Unknown,
    surplus: Callable[[Array], Array],
) -> TargetNotAttainable:
    """Say what the dear end of the search brings."""
    gap = float(surplus(np.array([sought.dear]))[0])
    if goal.images is None:
        nearest = f"{goal.hold_percent + 100 * gap:.3g} % of the contact"
    else:
        nearest = f"{amount(max(goal.images + gap, 0.0))} images"
    return TargetNotAttainable(
        f"{goal.text(question.demand)} is not attainable by {unknown}: {unknown} = "
        f"{sought.dear:g} {sought.unit}".rstrip()
        + f" brings {nearest}; raise the CR, strengthen another part of the link or ask for less"
    )
