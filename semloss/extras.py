"""Packages that only some work needs: an extra of semloss brings each."""

from importlib import import_module
from typing import Any

from semloss.errors import SemlossError


def optional(module: str, missing: str) -> Any:  # noqa: ANN401 - a module that may be absent
    """A module of an extra; where it cannot be imported, `missing` is the error's line."""
    try:
        import_module(module.partition(".")[0])
        return import_module(module)
    except ImportError:
        raise SemlossError(missing) from None
