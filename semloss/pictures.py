"""How kinds of answers are drawn: filed by the floor that draws, found by the answers below it.

An answer knows no drawing. The package itself, which stands above all floors, names the module
that files the drawings; it is imported when the first picture is asked for.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

Drawing = Callable[[Any, Path], object]
"""Draws an answer into a file."""

DRAWINGS: dict[type, Drawing] = {}
"""Kind of answer -> its drawing; a kind without one is drawn as what it derives from."""

_modules: list[str] = []


def drawn_in(module: str) -> None:
    """Name a module that files drawings when it is imported."""
    _modules.append(module)


def drawing_of(kind: type) -> Drawing | None:
    """The drawing of a kind of answer; None where there is none."""
    for module in _modules:
        import_module(module)
    return next((DRAWINGS[base] for base in kind.__mro__ if base in DRAWINGS), None)
