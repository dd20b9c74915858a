"""Where units of work are done: in this process, in several, or on a Ray cluster.

An engine only carries jobs out; which unit is next is the scheduler's business. Every unit goes
from disk to disk under a lock and picks up where it was stopped, so an engine may run one again
whenever a worker dies.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, Protocol

from semloss.collect.losses import Job
from semloss.collect.work import Result, do_job
from semloss.errors import SemlossError

#: Times a unit is started again after its worker died, before the run gives up.
WORKER_DEATHS = 3


class WorkerDied(Exception):  # noqa: N818 - an outcome that the scheduler retries
    """The worker process ended without an answer."""


class Engine(Protocol):
    """Carries jobs out, up to `jobs` at a time."""

    jobs: int

    def submit(self, job: Job) -> Any:  # noqa: ANN401 - a handle only the engine understands
        """Start a job."""
        ...

    def wait_any(self, handles: list[Any], timeout_s: float) -> list[Any]:
        """Wait until at least one is finished or the time is up; return the finished ones."""
        ...

    def result(self, handle: Any) -> Result:  # noqa: ANN401
        """Result of a finished job; raises what the job raised, or `WorkerDied`."""
        ...

    def close(self) -> None:
        """Stop everything that still runs."""
        ...


class Serial:
    """One job at a time, in this process."""

    def __init__(self, do: Callable[[Job], Result] = do_job) -> None:
        self.jobs = 1
        self._do = do

    def submit(self, job: Job) -> Job:
        """Keep the job; it is done when its result is asked for."""
        return job

    def wait_any(self, handles: list[Any], timeout_s: float) -> list[Any]:
        """The first job is always ready to be done."""
        return handles[:1]

    def result(self, handle: Job) -> Result:
        """Do the job."""
        return self._do(handle)

    def close(self) -> None:
        """Nothing runs between two jobs."""


class Processes:
    """A pool of worker processes on this machine, each with its own interpreter.

    A worker leaves interruption to its parent, and ends by itself when the parent is gone.
    """

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self._pool = self._new_pool()

    def _new_pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self.jobs,
            # not fork: a forked copy of torch's thread pools can hang
            mp_context=get_context("spawn"),
            initializer=_follow_parent,
            initargs=(os.getpid(),),
        )

    def submit(self, job: Job) -> Future[Result]:
        """Hand the job to a worker; a pool that lost one is replaced first."""
        # a worker that is started now inherits this: Ctrl-C is its parent's business
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            return self._pool.submit(do_job, job)
        except BrokenProcessPool:
            self._pool.shutdown(wait=False)
            self._pool = self._new_pool()
            return self._pool.submit(do_job, job)
        finally:
            signal.signal(signal.SIGINT, before)

    def wait_any(self, handles: list[Any], timeout_s: float) -> list[Any]:
        """Wait for the first to finish."""
        done, _ = wait(handles, timeout=timeout_s, return_when=FIRST_COMPLETED)
        return list(done)

    def result(self, handle: Future[Result]) -> Result:
        """Result of a finished job."""
        try:
            return handle.result()
        except BrokenProcessPool:
            raise WorkerDied("a worker process was killed") from None

    def close(self) -> None:
        """End the workers at once; what they had finished is on disk."""
        # the pool forgets its processes on shutdown
        workers = list((self._pool._processes or {}).values())
        self._pool.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.join()


def _follow_parent(parent: int) -> None:
    """Leave Ctrl-C to the parent, and end when it does: no orphan holds a cell's lock."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class RayCluster:
    """Ray Core: a local cluster, or the one that ``RAY_ADDRESS`` names.

    Each job is one task of `threads` CPUs and, on cuda, an equal share of a GPU; Ray starts it
    again when its worker dies. Every node must see the run folder and the image cache.
    """

    def __init__(self, jobs: int, threads: int, gpu_share: float) -> None:
        try:
            import ray
        except ImportError:
            raise SemlossError(
                "--engine ray: Ray is not installed; pip install 'semloss[ray]'"
            ) from None
        self._ray = ray
        self.jobs = jobs
        if not ray.is_initialized():
            # an address in RAY_ADDRESS joins that cluster, which has CPUs of its own
            own = None if "RAY_ADDRESS" in os.environ else jobs * threads
            # Ray would run its workers at low priority, but they are the whole job here
            os.environ.setdefault("RAY_worker_niceness", "0")
            ray.init(
                num_cpus=own,
                log_to_driver=False,
                logging_level=logging.ERROR,
                include_dashboard=False,
            )
        self._do = ray.remote(num_cpus=threads, num_gpus=gpu_share, max_retries=WORKER_DEATHS)(
            do_job
        )

    def submit(self, job: Job) -> Any:  # noqa: ANN401 - a Ray object reference
        """Start the job as a Ray task."""
        return self._do.remote(job)

    def wait_any(self, handles: list[Any], timeout_s: float) -> list[Any]:
        """Wait for the first to finish."""
        done, _ = self._ray.wait(handles, num_returns=1, timeout=timeout_s)
        return list(done)

    def result(self, handle: Any) -> Result:  # noqa: ANN401
        """Result of a finished task; an error of the job itself is raised as it was."""
        try:
            result: Result = self._ray.get(handle)
            return result
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except self._ray.exceptions.RayError as error:
            raise WorkerDied(str(error).splitlines()[0]) from None

    def close(self) -> None:
        """Leave the cluster; a local one ends with it."""
        self._ray.shutdown()


def make_engine(name: str, jobs: int, threads: int, device: str) -> Engine:
    """The engine that `--engine` names.

    Parameters
    ----------
    name
        "serial", "processes" or "ray".
    jobs
        Units at a time; each has `threads` threads.
    threads
        Threads of one unit.
    device
        "cpu" or "cuda": on cuda, Ray gives each job 1/jobs of a GPU.
    """
    if name == "processes":
        return Processes(jobs)
    if name == "ray":
        return RayCluster(jobs, threads, 1 / jobs if device == "cuda" else 0.0)
    return Serial()
