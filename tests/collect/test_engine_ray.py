"""The Ray engine on a local cluster, with a worker killed in the middle of its work."""

import time

import psutil
import pytest
from collecting_case import started

import semloss

pytest.importorskip("ray", reason="Ray is an optional extra: pip install 'semloss[ray]'")


def workers_of(process):
    """Ray's worker processes that are at a unit now."""
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        try:
            if "do_pack" in child.name() or "ray::do_pack" in " ".join(child.cmdline()):
                found.append(child)
        except psutil.Error:
            continue
    return found


def test_a_killed_worker_costs_only_time(world, reference, tmp_path):
    with started(world, tmp_path, "ray", "--jobs", "2") as process:
        killed = 0
        while process.poll() is None and not killed:
            for worker in workers_of(process):
                worker.kill()
                killed += 1
            time.sleep(0.1)
        told = process.stderr.read()
        assert process.wait() == 0, told
    assert killed
    tables = [(run / "metrics.csv").read_bytes() for run in (tmp_path / "run", reference)]
    assert tables[0] == tables[1]
    assert semloss.load_table(tmp_path / "run").cell.nunique() == 4
