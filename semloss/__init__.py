"""Empirical semantic-loss models for satellite links.

Measure grids of learned joint source-channel codecs, fit metric = f(CR, SNR), and predict at
design time. Names load on first use, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from semloss.pictures import drawn_in
from semloss.version import __version__

if TYPE_CHECKING:
    from semloss.comparing import compare
    from semloss.planning.passes.orbit import circular_pass
    from semloss.planning.passes.simulation import simulate_pass
    from semloss.planning.planner import Link
    from semloss.selection import select
    from semloss.sending import load_codec, send_scene
    from semloss.surfaces.estimator import SemanticLossRegressor
    from semloss.surfaces.files.fit_file import load, save
    from semloss.surfaces.fitting.fit_surface import fit_surface
    from semloss.tables import load_table

__all__ = [
    "Link", "SemanticLossRegressor", "__version__", "circular_pass", "compare", "fit_surface",
    "load", "load_codec", "load_table", "save", "select", "send_scene", "simulate_pass",
]  # fmt: skip

_HOMES = {
    "Link": "semloss.planning.planner",
    "SemanticLossRegressor": "semloss.surfaces.estimator",
    "circular_pass": "semloss.planning.passes.orbit",
    "compare": "semloss.comparing",
    "fit_surface": "semloss.surfaces.fitting.fit_surface",
    "load": "semloss.surfaces.files.fit_file",
    "load_codec": "semloss.sending",
    "load_table": "semloss.tables",
    "save": "semloss.surfaces.files.fit_file",
    "select": "semloss.selection",
    "send_scene": "semloss.sending",
    "simulate_pass": "semloss.planning.passes.simulation",
}

drawn_in("semloss.reports.drawings")


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the public name stands for
    if name not in _HOMES:
        raise AttributeError(f"module 'semloss' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
