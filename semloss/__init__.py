"""Empirical semantic-loss models for satellite links.

Measure grids of learned joint source-channel codecs, fit metric = f(CR, SNR), and predict at
design time. Names load on first use, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from semloss.surfaces.estimator import SemanticLossRegressor
    from semloss.surfaces.fitfile import load
    from semloss.surfaces.fitting import fit_surface
    from semloss.tables import load_table

__version__ = "0.1.0"
__all__ = ["SemanticLossRegressor", "__version__", "fit_surface", "load", "load_table"]

_HOMES = {
    "SemanticLossRegressor": "semloss.surfaces.estimator",
    "fit_surface": "semloss.surfaces.fitting",
    "load": "semloss.surfaces.fitfile",
    "load_table": "semloss.tables",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the public name stands for
    if name not in _HOMES:
        raise AttributeError(f"module 'semloss' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
