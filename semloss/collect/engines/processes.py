"""Several worker processes on this machine."""

import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import current_process, get_context, resource_tracker
from multiprocessing.process import BaseProcess
from typing import Any

from semloss.collect.engines.base import ENGINES, WorkerDied, pack_of
from semloss.collect.units import Job, Unit
from semloss.collect.work import Result, do_pack
from semloss.errors import SemlossError
from semloss.interruption import deaf_children

#: How a worker ends that was started by a script which begins the whole work anew.
BEGUN_ANEW = 77


def refuse_in_worker() -> None:
    """End a worker in which the user's script begins to collect again; its parent says why."""
    if getattr(current_process(), "_inheriting", False):  # the script is only being imported
        os._exit(BEGUN_ANEW)


class Processes:
    """A pool of worker processes on this machine, each with its own interpreter.

    A worker leaves interruption to its parent, and ends by itself when the parent is gone. A GPU
    has one worker, which does several units together.
    """

    def __init__(self, jobs: int, together: int = 1) -> None:
        self.jobs = jobs
        self._together = together
        self._pool = self._new_pool()
        self._workers: list[BaseProcess] = []

    def _new_pool(self) -> ProcessPoolExecutor:
        with deaf_children():  # the tracker of semaphores outlives this process, or complains
            resource_tracker.ensure_running()
        return ProcessPoolExecutor(
            self.jobs,
            # not fork: a forked copy of torch's thread pools can hang
            mp_context=get_context("spawn"),
            initializer=_follow_parent,
            initargs=(os.getpid(),),
        )

    def take(self, ready: Sequence[Unit]) -> Sequence[Unit]:
        """The first unit: a core does one at a time; on a GPU those like it too."""
        return pack_of(ready, self._together)

    def submit(self, pack: Sequence[Job]) -> Future[list[Result]]:
        """Hand the pack to a worker; a pool that lost one is replaced first."""
        with deaf_children():
            try:
                future = self._pool.submit(do_pack, pack)
            except BrokenProcessPool:
                self._pool.shutdown(wait=False)
                for worker in self._workers:  # deaf to the pool's own request to end
                    worker.kill()
                self._pool = self._new_pool()
                future = self._pool.submit(do_pack, pack)
        # the pool forgets its processes when it breaks or is shut down
        self._workers = list((self._pool._processes or {}).values())
        return future

    def wait_any(self, handles: list[Any], timeout_s: float) -> list[Any]:
        """Wait for the first to finish."""
        done, _ = wait(handles, timeout=timeout_s, return_when=FIRST_COMPLETED)
        return list(done)

    def result(self, handle: Future[list[Result]]) -> list[Result]:
        """Results of a finished pack."""
        try:
            return handle.result()
        except BrokenProcessPool:
            # Asked again for a while: None too where the pool's thread has yet to note the answer
            until = time.monotonic() + 0.5
            while not (anew := any(one.exitcode == BEGUN_ANEW for one in self._workers)):
                if time.monotonic() > until:
                    break
                time.sleep(0.05)
            if anew:
                raise SemlossError(
                    "every worker runs your script anew: put what it does below "
                    '`if __name__ == "__main__":`, or use --engine serial'
                ) from None
            raise WorkerDied("a worker process was killed") from None

    def close(self) -> None:
        """End the workers at once; what they had finished is on disk."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            worker.join()


def _follow_parent(parent: int) -> None:
    """End when the parent does: no orphan holds a cell's lock."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


ENGINES["processes"] = lambda workers: Processes(workers.jobs // workers.together, workers.together)
