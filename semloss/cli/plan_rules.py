"""Which of the planner's options go together: what cannot be meant is refused in one line."""

import argparse
from collections.abc import Iterable

from semloss.cli.plan_options import QUESTIONS, given
from semloss.errors import SemlossError

_ORBITS = ("pass_", "day", "tle")
_POINTS = ("sweep", "tornado", "monte_carlo", "cases")

#: Questions that each further option has a meaning for; "ledger" is what a link alone is asked.
_GOES_WITH: dict[str, tuple[str, ...]] = {
    "cr": ("ledger", "solve", *_ORBITS, "outage", "against", *_POINTS),
    "snr_db": _POINTS,
    "target": ("ledger", "solve", *_ORBITS, "adaptive", "outage", "against", *_POINTS),
    "confidence": ("ledger", "solve", *_ORBITS, "adaptive", "outage"),
    "interval": ("ledger", "solve", *_ORBITS, "adaptive", "outage", "sweep", "cases"),
    "strict": ("ledger", "solve"),
    "plot": ("ledger", "solve", "pass_", "tle", "adaptive", "outage", "against", "sweep",
             "tornado", "monte_carlo"),
    "csv": (*_ORBITS, "adaptive", "outage", "against", "sweep", "tornado", "monte_carlo"),
    "set": ("ledger", *QUESTIONS),
    "rain_loss_db": ("ledger", *QUESTIONS),
    "papr_db": ("ledger", "solve"),
    "ledger": ("ledger", "solve"),
    "preset": ("template",),
    "min_elevation": _ORBITS,
    "step": _ORBITS,
    "inclination": ("pass_", "day"),
    "site": ("tle",),
    "satellite": ("tle",),
    "start": ("tle",),
    "days": ("tle",),
    "fading": (*_ORBITS, "adaptive", "outage"),
    "crs": ("adaptive",),
    "hysteresis_db": ("adaptive",),
    "hold_percent": ("adaptive",),
    "percents": ("outage",),
    "codec": ("against",),
    "modcod": ("against",),
    "modcod_margin_db": ("against",),
    "digital_obo_db": ("against",),
    "tolerances": ("tornado", "monte_carlo"),
    "seed": ("monte_carlo",),
}  # fmt: skip


def flag(name: str) -> str:
    """Option as it is typed."""
    return "--" + name.rstrip("_").replace("_", "-")


def check(args: argparse.Namespace) -> None:
    """Refuse options that contradict each other, or have no meaning together.

    Raises
    ------
    SemlossError
        Naming the options and the mend.
    """
    asked = _asked(args)
    if not given(args, "link") and not set(asked) & {"template", *_POINTS}:
        first = next(name for name in ("set", *_GOES_WITH, *QUESTIONS) if _link_option(args, name))
        raise SemlossError(f"{flag(first)} needs --link FILE or a preset; --preset list names them")
    if given(args, "snr_db") and given(args, "link"):
        raise SemlossError("--snr-db contradicts --link, whose budget gives the SNR: give one")
    _check_questions(asked)
    if "adaptive" in asked and given(args, "cr"):
        raise SemlossError("--adaptive chooses the CR: give its candidates by --crs, not --cr")
    for name, questions in _GOES_WITH.items():
        if given(args, name) and not set(asked) & set(questions):
            raise SemlossError(f"{flag(name)} goes with {_words(questions)}, not {_words(asked)}")
    _check_needs(args, asked)


def _link_option(args: argparse.Namespace, name: str) -> bool:
    plain = ("cr", "snr_db", "target", "confidence", "interval", "strict", "plot")
    return name not in plain and given(args, name)


def _asked(args: argparse.Namespace) -> list[str]:
    if given(args, "template") or given(args, "preset"):
        return ["template", *(name for name in (*QUESTIONS, "link") if given(args, name))]
    return [name for name in QUESTIONS if given(args, name)] or ["ledger"]


def _check_questions(asked: list[str]) -> None:
    """Refuse two questions at once; one orbit and what is asked over it are one."""
    orbits = [name for name in asked if name in _ORBITS]
    over = [name for name in asked if name in ("adaptive", "outage")]
    if len(orbits) > 1:
        raise SemlossError(f"{_words(orbits, 'and')} are different passes: give one of them")
    if "outage" in over and len(over + orbits) > 1 and set(orbits + over) != {"pass_", "outage"}:
        raise SemlossError("--outage goes with a single --pass or none: ask for the rest by itself")
    if len(asked) > 1 and len(orbits) + len(over) < len(asked):
        raise SemlossError(f"{_words(asked, 'and')} are different questions: ask one at a time")


def _check_needs(args: argparse.Namespace, asked: list[str]) -> None:
    needs = [
        ("solve", "target", "the value that the metric must meet"),
        ("adaptive", "target", "the value that the metric must hold"),
        ("confidence", "target", "it says how surely that is met"),
        ("hold_percent", "fading", "the fades that it is to outlast, e.g. rician:10"),
    ]
    for name, other, why in needs:
        if given(args, name) and not given(args, other):
            raise SemlossError(f"{flag(name)} needs {flag(other)}: {why}")
    if "adaptive" in asked and given(args, "fading") and not given(args, "hold_percent"):
        raise SemlossError(
            "--adaptive with --fading needs --hold-percent: in how much of the fades to hold"
        )
    if given(args, "codec") and not args.against:
        raise SemlossError("--codec chooses from a curve: give --against CURVE.csv")
    if args.solve == "cr" and given(args, "cr"):
        raise SemlossError("--solve cr asks for the CR: leave --cr away")
    if "cases" in asked and args.json:
        raise SemlossError("--cases answers in the form of its records: leave --json away")
    if "template" in asked and args.preset == "list" and given(args, "template"):
        raise SemlossError("--preset list names the presets: give one of them to --template")
    settings = [text.partition("=")[0].strip() for text in args.set]
    fixed = [key for key in ("elevation_deg", "range_km") if key in settings]
    if fixed and set(asked) & set(_ORBITS):
        raise SemlossError(f"--set {fixed[0]}: the pass gives it; leave it away")


def _words(names: Iterable[str], last: str = "or") -> str:
    said = ["the ledger" if name == "ledger" else flag(name) for name in names]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} {last} {said[-1]}"
