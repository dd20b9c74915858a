"""Tasks on a Ray cluster."""

import logging
import os
from collections.abc import Sequence
from typing import Any

from semloss.collect.engines.base import ENGINES, WORKER_DEATHS, WorkerDied, Workers, pack_of
from semloss.collect.units import Job, Unit
from semloss.collect.work import Result, do_pack
from semloss.errors import SemlossError
from semloss.extras import optional
from semloss.interruption import deaf_children, kept


class RayCluster:
    """Ray Core: a local cluster, or the one that ``RAY_ADDRESS`` names.

    Each pack is one task of `threads` CPUs and, on cuda, a GPU, on which it does several units
    together; Ray starts it again when its worker dies. Every node must see the run folder and the
    image cache.
    """

    def __init__(self, workers: Workers) -> None:
        with deaf_children(), kept():  # Ray's own handlers dump addresses and abort
            self._ray = _joined(workers)
        self.jobs, gpus = workers.jobs, 0
        if workers.device == "cuda":
            self.jobs = gpus = int(self._ray.cluster_resources().get("GPU", 0))
            if not gpus:
                raise SemlossError(
                    "--engine ray: no node of the cluster has a GPU; use --device cpu"
                )
        self._together, self._gpus = workers.together, max(1, gpus)
        task = self._ray.remote(
            num_cpus=workers.threads, num_gpus=min(gpus, 1), max_retries=WORKER_DEATHS
        )
        self._do = task(do_pack)

    def take(self, ready: Sequence[Unit]) -> Sequence[Unit]:
        """The first unit; on a GPU those like it too, as many as leave other GPUs their share."""
        return pack_of(ready, self._together, self._gpus)

    def submit(self, pack: Sequence[Job]) -> Any:  # noqa: ANN401 - a Ray object reference
        """Start the pack as a Ray task."""
        return self._do.remote(pack)

    def wait_any(self, handles: list[Any], timeout_s: float) -> list[Any]:
        """Wait for the first to finish."""
        done, _ = self._ray.wait(handles, num_returns=1, timeout=timeout_s)
        return list(done)

    def result(self, handle: Any) -> list[Result]:  # noqa: ANN401
        """Results of a finished task; an error of a unit itself is raised as it was."""
        try:
            results: list[Result] = self._ray.get(handle)
            return results
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except self._ray.exceptions.RayError as error:
            raise WorkerDied(str(error).splitlines()[0]) from None

    def close(self) -> None:
        """Leave the cluster; a local one ends with it."""
        with deaf_children(), kept():
            self._ray.shutdown()


def _joined(workers: Workers) -> Any:  # noqa: ANN401 - a module that may be absent
    """Ray, joined to a cluster.

    Raises
    ------
    SemlossError
        When it is not installed.
    """
    ray = optional("ray", "--engine ray: Ray is not installed; pip install 'semloss[ray]'")
    if not ray.is_initialized():
        # an address in RAY_ADDRESS joins that cluster, which has CPUs of its own
        mine = "RAY_ADDRESS" not in os.environ and workers.device == "cpu"
        own = workers.jobs * workers.threads if mine else None
        # Ray would run its workers at low priority, but they are the whole job here
        os.environ.setdefault("RAY_worker_niceness", "0")
        ray.init(
            num_cpus=own,
            log_to_driver=False,
            logging_level=logging.ERROR,
            include_dashboard=False,
        )
    return ray


ENGINES["ray"] = RayCluster
