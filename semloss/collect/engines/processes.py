"""Several worker processes on this machine."""

import os
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any

from semloss.collect.engines.base import ENGINES, WorkerDied, one_of
from semloss.collect.units import Job, Unit
from semloss.collect.work import Result, do_pack


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

    def take(self, ready: Sequence[Unit]) -> Sequence[Unit]:
        """The first unit: a core does one at a time."""
        return one_of(ready)

    def submit(self, pack: Sequence[Job]) -> Future[list[Result]]:
        """Hand the pack to a worker; a pool that lost one is replaced first."""
        # a worker that is started now inherits this: Ctrl-C is its parent's business
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            return self._pool.submit(do_pack, pack)
        except BrokenProcessPool:
            self._pool.shutdown(wait=False)
            self._pool = self._new_pool()
            return self._pool.submit(do_pack, pack)
        finally:
            signal.signal(signal.SIGINT, before)

    def wait_any(self, handles: list[Any], timeout_s: float) -> list[Any]:
        """Wait for the first to finish."""
        done, _ = wait(handles, timeout=timeout_s, return_when=FIRST_COMPLETED)
        return list(done)

    def result(self, handle: Future[list[Result]]) -> list[Result]:
        """Results of a finished pack."""
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


ENGINES["processes"] = lambda workers: Processes(workers.jobs)
