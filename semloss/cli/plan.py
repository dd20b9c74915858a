"""`semloss predict --link …`: the questions that a link engineer puts to a fit."""

import argparse
import sys
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semloss.cli import plan_rules, plan_text
from semloss.cli.plan_options import QUESTIONS, given
from semloss.cli.predict import check_domain, domain_text
from semloss.errors import SemlossError
from semloss.planning.budget.ledger import ledger
from semloss.planning.budget.solving import UNKNOWNS
from semloss.planning.budget.target import read_target, sense
from semloss.planning.link.file import read_settings
from semloss.planning.link.link import DEFAULTS, KEYS
from semloss.planning.link.template import preset_names, preset_text, template_text
from semloss.planning.planner import Link, read_link
from semloss.units import parse_cr

if TYPE_CHECKING:
    from semloss.planning.budget.solving import Solution
    from semloss.surfaces.fitted.fit import FittedSurface

#: What a link file may leave open because the question supplies it; the values are never used.
_SUPPLIED = {"elevation_deg": 45.0, "height_km": 500.0}


@dataclass(frozen=True)
class Question:
    """A fit, a link with the command line's changes in it, and what both are asked."""

    args: argparse.Namespace
    model: "FittedSurface"
    link: Link
    target: float | None
    interval: float

    @property
    def metric(self) -> str:
        """Name of the metric with its receiver."""
        receiver = "" if self.model.receiver == "none" else f" ({self.model.receiver})"
        return f"{self.model.metric}{receiver}"

    @property
    def demand(self) -> str:
        """The target in words."""
        sure = self.args.confidence
        level = "" if sure is None else f" with {100 * sure:g} % confidence"
        return f"{self.metric} {sense(self.model)} {self.target:g}{level}"


def run(args: argparse.Namespace) -> int:
    """Answer one question."""
    plan_rules.check(args)
    if given(args, "template") or given(args, "preset"):
        return _template(args)
    if args.fit is None and (args.link is None or _asked_of_a_fit(args)):
        raise SemlossError("predict takes FIT.json here: only the ledger of a link needs none")
    if any(given(args, name) for name in ("cases", "sweep", "tornado", "monte_carlo")):
        from semloss.cli import plan_studies

        return plan_studies.run(args, _model(args), _link(args))
    link = _link(args)
    assert link is not None, "the rules ask for a link"
    if args.fit is None:
        return _ledger(args, link, None)
    model = _model(args)
    target = None if args.target is None else read_target(args.target, model)
    interval = 0.95 if args.interval is None else args.interval
    question = Question(args, model, link, target, interval)
    if args.solve:
        return _solve(question)
    if any(given(args, name) for name in ("pass_", "day", "tle", "adaptive", "outage")):
        from semloss.cli import plan_passes

        return plan_passes.run(question)
    if given(args, "against"):
        from semloss.cli import plan_against

        return plan_against.run(question)
    return _ledger(args, link, question)


def _asked_of_a_fit(args: argparse.Namespace) -> bool:
    questions = (*QUESTIONS, "target", "confidence", "interval", "strict")
    return any(given(args, name) for name in questions)


def _model(args: argparse.Namespace) -> "FittedSurface":
    from semloss.surfaces.files.fit_file import load

    return load(args.fit)


def _link(args: argparse.Namespace) -> Link | None:
    """Link with the command line's changes; what the question supplies may be left open."""
    if args.link is None:
        return None
    otherwise: dict[str, Any] = {}
    if any(given(args, name) for name in ("pass_", "day", "tle", "adaptive")):
        otherwise = {"elevation_deg": _SUPPLIED["elevation_deg"]}
        if not (given(args, "pass_") or given(args, "day")):
            otherwise = dict(_SUPPLIED)
    elif any(text.partition("=")[0].strip() == "elevation_deg" for text in args.sweep):
        otherwise = {"elevation_deg": _SUPPLIED["elevation_deg"]}
    elif args.solve in UNKNOWNS and args.solve not in ("snr_db", "cr"):
        otherwise = {args.solve: UNKNOWNS[args.solve].dear}
    try:
        settings = read_settings(KEYS, args.set, DEFAULTS)
    except SemlossError as error:
        raise SemlossError(f"--set: {error}") from None
    # A setting may also complete a file that lacks the key.
    completing = {
        name: value
        for name, value in settings.items()
        if name in KEYS and DEFAULTS[name] in (None, MISSING) and value is not None
    }
    link = read_link(args.link, **otherwise | completing)
    try:
        link = link.with_settings(args.set)
    except SemlossError as error:
        raise SemlossError(f"--set: {error}") from None
    if args.rain_loss_db is not None:
        link = link.with_settings([f"rain_loss_db={args.rain_loss_db}"])
    if args.papr_db is not None:
        if link.eirp_dbw is not None:
            raise SemlossError(
                f"--papr-db: the link gives eirp_dbw = {link.eirp_dbw:g}, so there is no amplifier "
                "to back off; give power_dbw and its parts"
            )
        link = link.with_settings([f"papr_db={args.papr_db}"])
    if args.cr is not None:
        link = link.replace(cr=parse_cr(args.cr, "--cr"))
    return link


def _ledger(args: argparse.Namespace, link: Link, question: Question | None) -> int:
    """Lay out the link's rows, with a fit down to the metric."""
    found = (
        link.ledger()
        if question is None
        else link.ledger(
            question.model, target=question.target, interval=question.interval,
            confidence=args.confidence,
        )
    )  # fmt: skip
    if args.strict and question is not None and found.prediction is not None:
        check_domain(question.model, found.prediction)
    _write_ledgers(args, found)
    plan_text.notes(found.warnings)
    if args.json:
        values = {row.key: row.value for row in found.rows}
        plan_text.print_json(found.to_dict() | {"values": values})
    else:
        from semloss.reports.link.ledger import ledger_text

        print(ledger_text(found))
    return 0


def _write_ledgers(args: argparse.Namespace, found: Any) -> None:  # noqa: ANN401 - a Ledger
    """Write the ledger wherever it is asked, the kind by the suffix."""
    from semloss.reports.link.ledger import write_ledger

    if args.plot is not None and args.plot.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise SemlossError(f"{args.plot}: name a picture *.png, *.pdf or *.svg")
    for path in (*args.ledger, *([args.plot] if args.plot else [])):
        write_ledger(found, path)


def _solve(question: Question) -> int:
    """Solve for the cheapest value of a field; the ledger is that of the link with it."""
    args = question.args
    assert question.target is not None
    found = question.link.solve(
        args.solve, question.model, question.target, confidence=args.confidence,
        interval=question.interval,
    )  # fmt: skip
    if args.strict:
        check_domain(question.model, found.prediction)
    solved = ledger(
        found.link, question.model, target=question.target, interval=question.interval,
        confidence=args.confidence,
    ) if args.ledger or args.plot else None  # fmt: skip
    if solved is not None:
        if args.solve == "snr_db":
            raise SemlossError("--solve snr_db asks the fit alone: no ledger has the answer in it")
        _write_ledgers(args, solved)
    plan_text.notes(found.link.warnings)
    if args.json:
        plan_text.print_json(found.to_dict() | {"warnings": list(found.link.warnings)})
    else:
        print(_solution_text(question, found))
    return 0


def _solution_text(question: Question, found: "Solution") -> str:
    keep = found.link.margin_db
    margin = f", {keep:g} dB of margin kept" if keep else ""
    inside = "inside" if found.prediction.in_domain else "OUTSIDE"
    lines = [f"{question.demand}{margin}", str(found)]
    return "\n".join([*lines, f"{inside} the fitted domain, {domain_text(question.model)}"])


def _template(args: argparse.Namespace) -> int:
    """Write the commented link file, or a preset, where there is none yet; or name the presets."""
    if args.preset == "list":
        about = {name: preset_text(name).partition("\n")[0].lstrip("# ") for name in preset_names()}
        if args.json:
            presets = [{"preset": name, "about": text} for name, text in about.items()]
            plan_text.print_json({"presets": presets})
        else:
            print(plan_text.columns(("preset", "about"), list(about.items())))
        return 0
    if args.template is None:
        raise SemlossError("--preset NAME goes with --template FILE; --preset list names them")
    text = template_text() if args.preset is None else preset_text(args.preset)
    if args.template == "-":
        sys.stdout.write(text)
        return 0
    path = Path(args.template)
    if path.exists():
        raise SemlossError(f"{path} exists: choose another name, or remove it first")
    from semloss.storage import write_atomically

    write_atomically(path, text)
    if args.json:
        plan_text.print_json({"template": str(path)})
    else:
        print(f"{path}: edit it, then semloss predict FIT.json --link {path}")
    return 0
