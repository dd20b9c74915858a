"""How each kind of answer is drawn; importing it files the drawings."""

from pathlib import Path
from typing import Any

from semloss.pictures import DRAWINGS, Drawing
from semloss.planning.answers.adaptive import AdaptiveAnswer
from semloss.planning.answers.against import AgainstAnswer
from semloss.planning.answers.outage import OutageAnswer
from semloss.planning.answers.passes import DayAnswer, PassAnswer
from semloss.planning.answers.question import Answered
from semloss.planning.answers.solution import SolutionAnswer
from semloss.planning.answers.studies import MonteCarloAnswer, SweepAnswer, TornadoAnswer
from semloss.planning.budget.ledger import Ledger
from semloss.reports.fit.prediction import prediction_plot
from semloss.reports.fit.surface import surface_plot
from semloss.reports.link.waterfall import waterfall_plot
from semloss.reports.look import origin
from semloss.reports.what_if.passes import outage_plot, pass_plot, table_plot
from semloss.reports.what_if.separation import separation_plot
from semloss.reports.what_if.studies import monte_carlo_plot, sweep_plot, tornado_plot
from semloss.surfaces.fitted.told import PredictionAnswer
from semloss.surfaces.fitting.summary import FitSummary


def _asked(answer: Answered) -> dict[str, Any]:
    """What titles and feet say of a question."""
    link = answer.question.link
    return {"link": link.name, "margin_db": link.margin_db, "about": origin(answer.question.fit)}


def _adaptive(answer: AdaptiveAnswer, path: Path) -> None:
    """The (highest) pass with the CR in use; else the coding table."""
    if answer.single or (answer.runs and answer.days is not None):
        result, schedule = answer.highest
        pass_plot(result, path, schedule, **_asked(answer))
    else:
        table_plot(answer.table, answer.question.fit, path, answer.question.link.name)


def _solution(answer: SolutionAnswer, path: Path) -> None:
    """The ledger with the answer in it."""
    found = str(answer.solution).partition("\n")[0]
    waterfall_plot(answer.ledger(), path, f"{answer.question.demand}: {found}", _foot(answer))


def _foot(answer: Answered) -> str:
    return origin(answer.question.fit)


_DRAWN: dict[type, Drawing] = {
    FitSummary: lambda a, path: surface_plot(a.fit, a.points, path),
    PredictionAnswer: lambda a, path: prediction_plot(a.fit, path, a.point, a.needed),
    Ledger: waterfall_plot,
    SolutionAnswer: _solution,
    PassAnswer: lambda a, path: pass_plot(a.result, path, **_asked(a)),
    DayAnswer: lambda a, path: pass_plot(a.highest, path, **_asked(a)),
    AdaptiveAnswer: _adaptive,
    OutageAnswer: lambda a, path: outage_plot(a.found, path, **_asked(a)),
    AgainstAnswer: lambda a, path: separation_plot(a.drawn, path, _foot(a)),
    SweepAnswer: lambda a, path: sweep_plot(a.table, a.fields, a.defaults, path),
    TornadoAnswer: lambda a, path: tornado_plot(a.table, a.defaults, path),
    MonteCarloAnswer: lambda a, path: monte_carlo_plot(a.found, a.defaults, path),
}
DRAWINGS.update(_DRAWN)
