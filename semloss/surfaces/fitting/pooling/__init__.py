"""Several surfaces at once: what they share, and how few points a new one then needs."""

from semloss.surfaces.fitting.pooling.shared import (
    SCHEMA,
    VERSION,
    Shared,
    fit_joint,
    learn,
    load,
    save,
)

__all__ = ["SCHEMA", "VERSION", "Shared", "fit_joint", "learn", "load", "save"]
