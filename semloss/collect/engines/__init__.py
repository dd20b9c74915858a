"""Where work is done: in this process, in several, or on a Ray cluster."""

from semloss.collect.engines import processes, ray, serial
from semloss.collect.engines.base import (
    ENGINES,
    WORKER_DEATHS,
    Engine,
    WorkerDied,
    Workers,
    make_engine,
)  # fmt: skip

__all__ = [
    "ENGINES", "WORKER_DEATHS", "Engine", "WorkerDied", "Workers", "make_engine", "processes",
    "ray", "serial",
]  # fmt: skip
