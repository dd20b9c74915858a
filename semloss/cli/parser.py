"""How a command line is read: one-line complaints, options that go together, kinds of values."""

import argparse
import math
import re
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from semloss.storage import picture_kind
from semloss.text import one_line
from semloss.units import parse_cr


class Parser(argparse.ArgumentParser):
    """Parser that refuses in one line what cannot be meant; options are written in full.

    `rest` holds the words after the command's own name, for commands that have questions.
    """

    rest: list[str]

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - as argparse takes them
        super().__init__(*args, **{"allow_abbrev": False, "formatter_class": _Help, **options})
        self._rules: list[tuple[str, tuple[str, ...], str, bool]] = []

    def needs(self, option: str, *others: str, why: str = "") -> None:
        """Refuse an option, or an argument, without one of others that give it a meaning."""
        self._rules.append((option, others, why, True))

    def excludes(self, option: str, *others: str, why: str = "") -> None:
        """Refuse an option beside one of others that leaves it no meaning."""
        self._rules.append((option, others, why, False))

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # noqa: ANN401
        """Refuse what a command does not know, and what does not go together, where help is."""
        for word in args or ():
            if re.fullmatch(r"--[\w-]+=--", word):  # which argparse takes for no value at all
                self.error(f"{word}: -- is no value")
        known, unknown = super().parse_known_args(args, namespace)
        if unknown and self._subparsers is None:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        for option, others, why, wanted in self._rules:
            beside = [other for other in others if _given(known, other)]
            if not _given(known, option) or bool(beside) == wanted:
                continue
            if wanted:
                self.error(f"{option} needs {' or '.join(others)}{why and f': {why}'}")
            self.error(f"{option} contradicts {beside[0]}: {why}")
        return known, unknown

    def error(self, message: str) -> NoReturn:
        """End with exit code 2 and one line that says where help is."""
        self.exit(2, f"semloss: {one_line(message)}; see {self.prog} --help\n")

    def choose(self, title: str, where: str, choices: Mapping[str, str], words: list[str]) -> None:
        """Define sub-commands: all by name, in full only the one that `words` ask for.

        Each is a module of the package `where` with `EXAMPLE`, `define(parser)` and `run(args)`;
        `ABOUT` says more than its line in the list.
        """
        parsers = self.add_subparsers(
            title=f"{title}s", metavar=title.upper(), required=True, parser_class=Parser
        )
        asked = next((word for word in words if not word.startswith("-")), None)
        for name, summary in choices.items():
            told = summary.replace("%", "%%")
            if name != asked:
                parsers.add_parser(name, help=told)
                continue
            module = import_module(f"{where}.{_MODULES.get(name, name)}")
            about = getattr(module, "ABOUT", f"{told[0].upper()}{told[1:]}.")
            own = parsers.add_parser(
                name, help=told, description=about, epilog=f"example: {module.EXAMPLE}"
            )
            own.rest = words[words.index(name) + 1 :]
            module.define(own)
            if own._subparsers is None:
                own.usage = _usage(own)
                own.set_defaults(run=module.run)


class _Help(argparse.HelpFormatter):
    """Help with room for the longest options on one line."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28)


_MODULES = {"pass": "pass_", "monte-carlo": "monte_carlo"}


def _usage(parser: argparse.ArgumentParser) -> str:
    """What cannot be left away; the rest is listed below it."""
    words = []
    for action in parser._actions:
        name = str(action.metavar or action.dest)
        if not action.option_strings:
            words.append({"?": f"[{name}]", "*": f"[{name} …]"}.get(str(action.nargs), name))
        elif action.required:
            words.append(f"{action.option_strings[0]} {name}")
    return " ".join([parser.prog, *words, "[options]"])


def _given(args: argparse.Namespace, option: str) -> bool:
    """Whether an option or argument has a value; what has a default is always there."""
    value = getattr(args, option.lstrip("-").replace("-", "_").lower(), None)
    return value is not None and value is not False and value != []


# -- kinds of values -------------------------------------------------------------------------


def number(low: float, high: float, unit: str = "") -> Callable[[str], float]:
    """Kind of an option: a number in a range."""
    span = f"{low:g} … {high:g} {unit}".strip()

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r}: give a finite number in {span}")
        return value

    return read


def whole(low: int, high: int) -> Callable[[str], int]:
    """Kind of an option: a whole number in a range."""

    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,18}", text, re.ASCII) or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text!r}: give a whole number, {low} … {high}")
        return int(text)

    return read


def ratio(text: str) -> float:
    """Kind of an option: a compression ratio."""
    return parse_cr(text, "--cr")


def picture(text: str) -> Path:
    """Kind of an option: a picture's path; a suffix of another kind is refused at once."""
    path = Path(text)
    picture_kind(path)
    return path
