"""How each kind of answer is drawn; importing it files the drawings."""

from pathlib import Path

from semloss.comparing import PairedComparison, SavedAnswer
from semloss.pictures import DRAWINGS, Drawing
from semloss.planning.amplifier.answer import OperatingAnswer
from semloss.planning.budget.ledger import Ledger
from semloss.planning.budget.solution import Solution, Solved
from semloss.planning.digital.against import AgainstAnswer
from semloss.planning.digital.over_pass import PassRace
from semloss.planning.passes.day import DayResult, which
from semloss.planning.passes.delivery import AdaptiveAnswer
from semloss.planning.passes.feedback import FeedbackAnswer
from semloss.planning.passes.needs import PassSolution
from semloss.planning.passes.outage import Outage
from semloss.planning.passes.simulation import PassResult
from semloss.planning.studies.answers import MonteCarlo, Sweep, Tornado
from semloss.reports.differences import differences_plot
from semloss.reports.fit.prediction import prediction_plot
from semloss.reports.fit.surface import surface_plot
from semloss.reports.link.waterfall import waterfall_plot
from semloss.reports.look import OUTSIDE, demand, name_of, origin
from semloss.reports.page import field_label, span
from semloss.reports.savings import savings_plot
from semloss.reports.what_if.back_off import back_off_plot
from semloss.reports.what_if.day import day_plot
from semloss.reports.what_if.feedback import feedback_plot
from semloss.reports.what_if.passes import outage_plot, pass_plot, table_plot
from semloss.reports.what_if.race import race_plot
from semloss.reports.what_if.separation import separation_plot
from semloss.reports.what_if.studies import monte_carlo_plot, sweep_plot, tornado_plot
from semloss.surfaces.fitted.told import PredictionAnswer
from semloss.surfaces.fitting.summary import FitSummary
from semloss.units import format_cr


def _adaptive(answer: AdaptiveAnswer, path: Path) -> None:
    """The one pass with the CR in use, or the day; else the coding table."""
    if answer.single:
        pass_plot(answer.runs[0][0], path, answer.runs[0][1])
    elif answer.runs:
        _day(answer, path, "adaptive CR")
    else:
        table_plot(answer.table, path)


def _day(answer: DayResult | AdaptiveAnswer, path: Path, how: str) -> None:
    """The passes of a day, and what they bring."""
    asked, first = answer.question, answer.daily.passes[0]
    what = name_of(asked.fit) if asked.target is None else demand(asked)
    title = f"{asked.link.name}, {which(asked, first, answer.days)}: images at {how} for {what}"
    about = origin(asked.fit) + (f"; in part {OUTSIDE}" if answer.in_domain is False else "")
    day_plot(answer.daily, answer.frame(), path, title, about)


def _solution(answer: Solution, path: Path) -> None:
    """The ledger with the answer in it."""
    waterfall_plot(answer.ledger(), path, _solved(answer, demand(answer.question)))


def _over_passes(answer: PassSolution, path: Path) -> None:
    """The pass or the day with the answer in the link."""
    title, result = _solved(answer, answer.goal.text(demand(answer.question))), answer.result
    if isinstance(result, PassResult):
        pass_plot(result, path, title=title)
    else:
        day_plot(result.daily, result.frame(), path, title, origin(answer.question.fit))


def _solved(answer: Solved, goal: str) -> str:
    """What was solved for, and the answer."""
    asked = answer.question
    what = "CR" if answer.unknown == "cr" else field_label(answer.unknown).partition(" [")[0]
    low, high = (answer.value if end is None else end for end in (answer.low, answer.high))
    unit = f" {answer.unit}" if answer.unit else ""
    unit += "" if answer.power_w is None else f" ({answer.power_w:.3g} W)"
    found = span(answer.value, low, high, asked.level, unit)
    return f"{asked.link.name}: {answer.sense} {what} for {goal}: {found}"


def _against(answer: AgainstAnswer, path: Path) -> None:
    asked = answer.question
    separation_plot(answer.drawn, path, link=asked.link.name, about=origin(asked.fit))


_DRAWN: dict[type, Drawing] = {
    FitSummary: lambda a, path: surface_plot(a.fit, a.points, path),
    PredictionAnswer: lambda a, path: prediction_plot(a.fit, path, a.point, a.needed),
    Ledger: waterfall_plot,
    Solution: _solution,
    PassSolution: _over_passes,
    PassResult: lambda a, path: pass_plot(a, path),
    DayResult: lambda a, path: _day(a, path, f"CR {format_cr(a.results[0].cr)}"),
    AdaptiveAnswer: _adaptive,
    Outage: lambda a, path: outage_plot(a, path),
    AgainstAnswer: _against,
    PassRace: race_plot,
    OperatingAnswer: back_off_plot,
    FeedbackAnswer: feedback_plot,
    PairedComparison: differences_plot,
    SavedAnswer: savings_plot,
    Sweep: lambda a, path: sweep_plot(a.table, a.fields, a.defaults, path),
    Tornado: lambda a, path: tornado_plot(a.table, a.defaults, path),
    MonteCarlo: lambda a, path: monte_carlo_plot(a, a.defaults, path),
}
DRAWINGS.update(_DRAWN)
