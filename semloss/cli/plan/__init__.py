"""`semloss plan`: the questions that a link engineer asks, one file each."""

import argparse
from collections.abc import Sequence
from importlib import import_module

QUESTIONS = {
    "ledger": "the link budget from amplifier to metric",
    "solve": "the cheapest value of one field that meets a target",
    "pass": "SNR, metric and images along one pass",
    "day": "what all passes of a day bring",
    "adaptive": "which CR at which SNR so that a target holds",
    "outage": "the metric exceeded p % of the time, under rain and fading",
    "against": "DeepJSCC against a source codec over DVB-S2",
    "sweep": "answers over the values of one field or two",
    "tornado": "which input matters most",
    "monte-carlo": "all inputs drawn within their tolerances",
    "cases": "many records answered as they come",
    "allocate": "bandwidth and power shared among users",
    "template": "a link file to start from",
}
_MODULES = {"pass": "pass_", "monte-carlo": "monte_carlo"}


def add_parser(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", words: Sequence[str]
) -> None:
    """Define the command; of its questions, in full only the one that `words` ask."""
    parser = subparsers.add_parser(
        "plan",
        help="plan a link: budget, passes, cheapest way to a target, what if",
        description="Plan a link with a fit: budget, passes, cheapest way to a target, what if.",
    )
    questions = parser.add_subparsers(
        title="questions", metavar="QUESTION", required=True, parser_class=type(parser)
    )
    asked = next((word for word in words if not word.startswith("-")), None)
    for name, summary in QUESTIONS.items():
        if name != asked:
            questions.add_parser(name, help=summary.replace("%", "%%"))
            continue
        module = import_module(f"{__name__}.{_MODULES.get(name, name)}")
        own = questions.add_parser(
            name,
            help=summary.replace("%", "%%"),
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog=f"example: {module.EXAMPLE}",
        )
        module.define(own)
        own.usage = _usage(own)
        own.set_defaults(run=module.run)


def _usage(parser: argparse.ArgumentParser) -> str:
    """What cannot be left away; the rest is listed below it."""
    words = []
    for action in parser._actions:
        name = str(action.metavar or action.dest)
        if not action.option_strings:
            words.append(f"[{name}]" if action.nargs == "?" else name)
        elif action.required:
            words.append(f"{action.option_strings[0]} {name}")
    return " ".join([parser.prog, *words, "[options]"])
