"""How each kind of answer is drawn; importing it registers the pictures."""

from pathlib import Path

from semloss.answers import draws
from semloss.planning.answers.adaptive import AdaptiveAnswer
from semloss.planning.answers.against import AgainstAnswer
from semloss.planning.answers.outage import OutageAnswer
from semloss.planning.answers.passes import DayAnswer, PassAnswer
from semloss.planning.answers.solution import SolutionAnswer
from semloss.planning.answers.studies import MonteCarloAnswer, SweepAnswer, TornadoAnswer
from semloss.planning.budget.ledger import Ledger
from semloss.surfaces.fitted.told import PredictionAnswer
from semloss.surfaces.fitting.summary import FitSummary


@draws(FitSummary)
def fit(answer: FitSummary, path: Path) -> None:
    """Curves per CR and the plane, over the measurements."""
    from semloss.reports.fit.surface import surface_plot

    surface_plot(answer.fit, answer.points, path)


@draws(PredictionAnswer)
def prediction(answer: PredictionAnswer, path: Path) -> None:
    """Curves of the fit, and the answer on them."""
    from semloss.reports.fit.prediction import prediction_plot

    prediction_plot(answer.fit, path, answer.point, answer.needed)


@draws(Ledger)
def ledger(answer: Ledger, path: Path) -> None:
    """Waterfall from EIRP to margin."""
    from semloss.reports.link.waterfall import waterfall_plot

    waterfall_plot(answer, path)


@draws(SolutionAnswer)
def solution(answer: SolutionAnswer, path: Path) -> None:
    """The ledger with the answer in it."""
    ledger(answer.ledger(), path)


@draws(PassAnswer)
def one_pass(answer: PassAnswer, path: Path) -> None:
    """Elevation, SNR, metric and images along the pass."""
    from semloss.reports.what_if.passes import pass_plot

    pass_plot(answer.result, path)


@draws(DayAnswer)
def several_passes(answer: DayAnswer, path: Path) -> None:
    """The highest pass."""
    from semloss.reports.what_if.passes import pass_plot

    pass_plot(answer.highest, path)


@draws(AdaptiveAnswer)
def adaptive(answer: AdaptiveAnswer, path: Path) -> None:
    """The (highest) pass with the CR in use; else the coding table."""
    from semloss.reports.what_if.passes import pass_plot, table_plot

    if answer.single or (answer.runs and answer.days is not None):
        result, schedule = answer.highest
        pass_plot(result, path, schedule)
    else:
        table_plot(answer.table, answer.question.fit, path)


@draws(OutageAnswer)
def outage(answer: OutageAnswer, path: Path) -> None:
    """Metric against the share of the time."""
    from semloss.reports.what_if.passes import outage_plot

    outage_plot(answer.found, path)


@draws(AgainstAnswer)
def against(answer: AgainstAnswer, path: Path) -> None:
    """Curves and the map of who is ahead."""
    from semloss.reports.what_if.separation import separation_plot

    separation_plot(answer.drawn, path)


@draws(SweepAnswer)
def sweep(answer: SweepAnswer, path: Path) -> None:
    """Metric over one field, or over two."""
    from semloss.reports.what_if.studies import sweep_plot

    sweep_plot(answer.table, list(answer.fields), answer.defaults.model, path)


@draws(TornadoAnswer)
def tornado(answer: TornadoAnswer, path: Path) -> None:
    """Bars of each input's swing."""
    from semloss.reports.what_if.studies import tornado_plot

    tornado_plot(answer.table, answer.defaults.model, path)


@draws(MonteCarloAnswer)
def monte_carlo(answer: MonteCarloAnswer, path: Path) -> None:
    """Spread of SNR and metric."""
    from semloss.reports.what_if.studies import monte_carlo_plot

    assert answer.found is not None
    monte_carlo_plot(answer.found, answer.defaults.model, path)
