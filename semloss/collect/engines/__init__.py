"""Where work is done: in this process, in several, or on a Ray cluster."""

from semloss.collect.engines import processes, ray, serial
from semloss.collect.engines.base import (
    ENGINES,
    WORKER_DEATHS,
    Engine,
    WorkerDied,
    Workers,
    engine_named,
)  # fmt: skip

__all__ = [
    "ENGINES", "WORKER_DEATHS", "Engine", "WorkerDied", "Workers", "engine_named", "processes",
    "ray", "serial",
]  # fmt: skip
