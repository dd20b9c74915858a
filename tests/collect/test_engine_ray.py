"""The Ray engine on a local cluster, with a worker killed in the middle of its work."""

import subprocess
import sys
import time

import psutil
import pytest
from tiny_experiment import TINY

import semloss

pytest.importorskip("ray", reason="Ray is an optional extra: pip install 'semloss[ray]'")

EXPERIMENT = TINY.replace("trunk = {steps = 40", "trunk = {steps = 300")


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


def test_a_killed_worker_costs_only_time(tmp_path):
    (tmp_path / "ray.toml").write_text(EXPERIMENT)
    command = [
        sys.executable, "-m", "semloss", "collect", str(tmp_path / "ray.toml"), "--out",
    ]  # fmt: skip
    log = (tmp_path / "log").open("w+")
    process = subprocess.Popen(
        [*command, str(tmp_path / "ray"), "--engine", "ray", "--jobs", "2"],
        stdout=log, stderr=subprocess.STDOUT,
    )  # fmt: skip
    killed = 0
    deadline = time.monotonic() + 400
    while process.poll() is None and time.monotonic() < deadline:
        bases = list((tmp_path / "ray" / "trunks").glob("*/.lock"))
        if not killed and bases:  # a base is being trained at this moment
            for worker in workers_of(process):
                worker.kill()
                killed += 1
        time.sleep(0.05)
    log.seek(0)
    assert process.wait(timeout=10) == 0, log.read()
    assert killed

    done = subprocess.run([*command, str(tmp_path / "serial"), "--engine", "serial"])
    assert done.returncode == 0
    assert (tmp_path / "ray" / "metrics.csv").read_bytes() == (
        tmp_path / "serial" / "metrics.csv"
    ).read_bytes()
    assert semloss.load_table(tmp_path / "ray").cell.nunique() == 4
