"""The engine of worker processes, asked directly."""

import time

import psutil

from semloss.collect.engines.processes import Processes


def test_no_worker_outlives_the_pool_that_lost_one():
    # Whoever is left waits for the next pack, deaf to SIGTERM: the run would never end.
    engine = Processes(2)
    try:
        for handle in [engine.submit([]), engine.submit([])]:
            assert engine.result(handle) == []
        workers = list(engine._workers)
        assert len(workers) == 2
        while any(psutil.Process(one.pid).status() == psutil.STATUS_RUNNING for one in workers):
            time.sleep(0.2)  # until both are idle
        workers[0].kill()
        workers[0].join()
        until = time.monotonic() + 60
        while not engine._pool._broken and time.monotonic() < until:
            time.sleep(0.05)  # until the pool knows, however loaded the machine is
        assert engine._pool._broken
        engine.submit([])
        # The pool's thread waits for it too: `is_alive` is wrong while that one has its exit code.
        until = time.monotonic() + 60
        while psutil.pid_exists(workers[1].pid) and time.monotonic() < until:
            time.sleep(0.05)
        assert not psutil.pid_exists(workers[1].pid)
    finally:
        engine.close()
