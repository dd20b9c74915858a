"""How each kind of answer is drawn; importing it files the drawings."""

from pathlib import Path

from semloss.layout import days_text
from semloss.pictures import DRAWINGS, Drawing
from semloss.planning.budget.ledger import Ledger
from semloss.planning.budget.solution import Solution
from semloss.planning.digital.against import AgainstAnswer
from semloss.planning.passes.day import DayResult
from semloss.planning.passes.delivery import AdaptiveAnswer
from semloss.planning.passes.outage import Outage
from semloss.planning.passes.simulation import PassResult
from semloss.planning.studies.answers import MonteCarlo, Sweep, Tornado
from semloss.reports.fit.prediction import prediction_plot
from semloss.reports.fit.surface import surface_plot
from semloss.reports.link.waterfall import waterfall_plot
from semloss.reports.look import demand, origin
from semloss.reports.page import field_label, span
from semloss.reports.what_if.passes import outage_plot, pass_plot, table_plot
from semloss.reports.what_if.separation import separation_plot
from semloss.reports.what_if.studies import monte_carlo_plot, sweep_plot, tornado_plot
from semloss.surfaces.fitted.told import PredictionAnswer
from semloss.surfaces.fitting.summary import FitSummary


def _highest(days: float | None) -> str:
    """Which of several passes is drawn."""
    search = "an average day" if days is None else days_text(days)
    return f"highest pass of {search}"


def _adaptive(answer: AdaptiveAnswer, path: Path) -> None:
    """The (highest) pass with the CR in use; else the coding table."""
    if answer.single or (answer.runs and answer.days is not None):
        result, schedule = answer.highest
        pass_plot(result, path, schedule, "" if answer.single else _highest(answer.days))
    else:
        table_plot(answer.table, path)


def _solution(answer: Solution, path: Path) -> None:
    """The ledger with the answer in it."""
    asked = answer.question
    what = "CR" if answer.unknown == "cr" else field_label(answer.unknown).partition(" [")[0]
    low, high = (answer.value if end is None else end for end in (answer.low, answer.high))
    unit = f" {answer.unit}" if answer.unit else ""
    unit += "" if answer.power_w is None else f" ({answer.power_w:.3g} W)"
    found = span(answer.value, low, high, asked.level, unit)
    title = f"{asked.link.name}: {answer.sense} {what} for {demand(asked)}: {found}"
    waterfall_plot(answer.ledger(), path, title)


def _against(answer: AgainstAnswer, path: Path) -> None:
    asked = answer.question
    separation_plot(answer.drawn, path, link=asked.link.name, about=origin(asked.fit))


_DRAWN: dict[type, Drawing] = {
    FitSummary: lambda a, path: surface_plot(a.fit, a.points, path),
    PredictionAnswer: lambda a, path: prediction_plot(a.fit, path, a.point, a.needed),
    Ledger: waterfall_plot,
    Solution: _solution,
    PassResult: lambda a, path: pass_plot(a, path),
    DayResult: lambda a, path: pass_plot(a.highest, path, among=_highest(a.days)),
    AdaptiveAnswer: _adaptive,
    Outage: lambda a, path: outage_plot(a, path),
    AgainstAnswer: _against,
    Sweep: lambda a, path: sweep_plot(a.table, a.fields, a.defaults, path),
    Tornado: lambda a, path: tornado_plot(a.table, a.defaults, path),
    MonteCarlo: lambda a, path: monte_carlo_plot(a, a.defaults, path),
}
DRAWINGS.update(_DRAWN)
